/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The two results of a checker, and how it finds that pointers are those of a set.
 */
#ifndef ACRE_SRC_BASE_CHECK_H
#define ACRE_SRC_BASE_CHECK_H

#include "base/wide.h"

#include <acre/types.h>

/** Every invariant holds. */
ACRE_INLINE struct acre_check_result acre_check_sound(void)
{
    return (struct acre_check_result){ NULL, NULL };
}

/** An invariant, such as "TLSF-3: ...", is broken at an address. */
ACRE_INLINE struct acre_check_result acre_check_broken(const char *invariant, const void *where)
{
    return (struct acre_check_result){ invariant, where };
}

/** A number for an address, another one for each. If the sums over two collections of addresses
 * agree, so do the collections, but for a chance of one in SIZE_MAX; where they differ in one
 * address the sums do. So a checker shows that links lead to the members of a list before it
 * follows them. Pure. */
ACRE_INLINE size_t acre_check_mix(uintptr_t address)
{
    const unsigned half = 4 * sizeof(size_t);
    const size_t odd = (size_t)UINT64_C(0x9e3779b97f4a7c15);
    size_t mixed = acre_multiply(address ^ address >> half, odd);
    return acre_multiply(mixed ^ mixed >> half, odd);
}

#endif
