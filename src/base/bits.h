/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Bit scans and powers of two. All O(1), pure, callable from anywhere.
 */
#ifndef ACRE_SRC_BASE_BITS_H
#define ACRE_SRC_BASE_BITS_H

#include "base/compiler.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Index of the highest set bit; `word` is not 0. Arm counts zeros, and a difference joins the
 * arithmetic around it; x86 scans for the bit, and an exclusive or undoes what the builtin adds. */
ACRE_INLINE unsigned acre_bits_highest(size_t word)
{
#if UINTPTR_MAX > 0xffffffff && defined(__aarch64__)
    return 63u - ACRE_LEADING_ZEROS(word);
#elif UINTPTR_MAX > 0xffffffff
    return 63u ^ ACRE_LEADING_ZEROS(word);
#elif defined(__arm__)
    return 31u - ACRE_LEADING_ZEROS_32(word);
#else
    return 31u ^ ACRE_LEADING_ZEROS_32(word);
#endif
}

/** Index of the lowest set bit; `word` is not 0. */
ACRE_INLINE unsigned acre_bits_lowest(size_t word)
{
#if UINTPTR_MAX > 0xffffffff
    return ACRE_TRAILING_ZEROS(word);
#else
    return ACRE_TRAILING_ZEROS_32(word);
#endif
}

ACRE_INLINE unsigned acre_bits_count_32(uint32_t word)
{
    word -= word >> 1 & 0x55555555;
    word = (word & 0x33333333) + (word >> 2 & 0x33333333);
    word = (word + (word >> 4)) & 0x0f0f0f0f;
    word += word >> 8;
    return (word + (word >> 16)) & 0x3f;
}

/** Number of set bits. Written out, because compilers call a library for it where the machine has
 * no such instruction. */
ACRE_INLINE unsigned acre_bits_count(uint64_t word)
{
#if UINTPTR_MAX > 0xffffffff && ACRE_MULTIPLIES
    const uint64_t pairs = UINT64_C(0x5555555555555555);
    const uint64_t fours = UINT64_C(0x3333333333333333);
    const uint64_t bytes = UINT64_C(0x0f0f0f0f0f0f0f0f);

    word -= (word >> 1) & pairs;
    word = (word & fours) + ((word >> 2) & fours);
    word = (word + (word >> 4)) & bytes;
    return (unsigned)((word * UINT64_C(0x0101010101010101)) >> 56);
#else
    return acre_bits_count_32((uint32_t)word) + acre_bits_count_32((uint32_t)(word >> 32));
#endif
}

/** True for 1, 2, 4, 8 ...; false for 0. */
ACRE_INLINE bool acre_is_pow2(size_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

#endif
