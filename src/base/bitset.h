/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Sets of small numbers as arrays of words, a bit per number. All O(1).
 */
#ifndef ACRE_SRC_BASE_BITSET_H
#define ACRE_SRC_BASE_BITSET_H

#include "base/bits.h"

enum {
    ACRE_WORD_BITS = 8 * sizeof(size_t),
    ACRE_WORD_LOG2 = sizeof(size_t) == 8 ? 6 : 5 /* log2 of ACRE_WORD_BITS */
};

_Static_assert(1u << ACRE_WORD_LOG2 == ACRE_WORD_BITS,
    "a size_t has 32 or 64 bits: acre does not support 16-bit machines");

/** The bit of a number in its word. */
ACRE_INLINE size_t acre_bit(size_t number)
{
    return (size_t)1 << (number % ACRE_WORD_BITS);
}

/** All bits of a word but that of a number; the rotation is a single instruction. */
ACRE_INLINE size_t acre_bits_except(size_t number)
{
    size_t ones = ~(size_t)1;
    return ones << (number % ACRE_WORD_BITS) | ones >> (-number % ACRE_WORD_BITS);
}

/** The word that holds a number's bit. */
ACRE_INLINE size_t *acre_bitset_word(size_t *set, size_t number)
{
    return &set[number >> ACRE_WORD_LOG2];
}

/** Whether a number is in the set. */
ACRE_INLINE bool acre_bitset_has(const size_t *set, size_t number)
{
    return (set[number >> ACRE_WORD_LOG2] & acre_bit(number)) != 0;
}

#endif
