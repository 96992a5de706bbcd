/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Address and size arithmetic whose overflow is decided here and nowhere else. All O(1) and pure.
 */
#ifndef ACRE_SRC_BASE_ARITH_H
#define ACRE_SRC_BASE_ARITH_H

#include "base/bits.h"

/** The highest multiple of `align` (a power of two) that is not above `value`. */
ACRE_INLINE uintptr_t acre_align_down(uintptr_t value, uintptr_t align)
{
    return value & ~(align - 1);
}

/** The lowest multiple of `align` (a power of two) that is not below `value`; wraps to 0 past the
 * top. */
ACRE_INLINE uintptr_t acre_align_up(uintptr_t value, uintptr_t align)
{
    return (value + (align - 1)) & ~(align - 1);
}

/** True when [start, start + size) runs past the top of the address space. The last byte may be the
 * top one. */
ACRE_INLINE bool acre_range_wraps(uintptr_t start, size_t size)
{
    return size != 0 && start + (size - 1) < start;
}

/** True when two ranges, neither of which is empty or wraps, share a byte. */
ACRE_INLINE bool acre_ranges_overlap(uintptr_t a, size_t a_size, uintptr_t b, size_t b_size)
{
    return a <= b ? b - a < a_size : a - b < b_size;
}

#endif
