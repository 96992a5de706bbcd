/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claims about src/base: alignment, overflow, overlap, bit scans, words of bit sets.
 */
#include "base/arith.h"
#include "base/bitset.h"
#include "proof/claim.h"

/* ---- arith.h ---- */

CLAIM(align_down, uintptr_t value, unsigned log2)
{
    GIVEN(log2 < sizeof(uintptr_t) * 8);
    uintptr_t align = (uintptr_t)1 << log2;
    uintptr_t result = acre_align_down(value, align);
    return result <= value && value - result < align && (result >> log2 << log2) == result;
}

CLAIM(align_up, uintptr_t value, unsigned log2)
{
    GIVEN(log2 < sizeof(uintptr_t) * 8);
    uintptr_t align = (uintptr_t)1 << log2;
    uintptr_t result = acre_align_up(value, align);
    if (value > UINTPTR_MAX - (align - 1))
        return result == 0;
    return result >= value && result - value < align && (result >> log2 << log2) == result;
}

CLAIM(range_wraps, uintptr_t start, size_t size)
{
    return acre_range_wraps(start, size) == (size != 0 && size - 1 > UINTPTR_MAX - start);
}

/* A byte that both ranges have shows that they overlap. */
CLAIM(ranges_overlap, uintptr_t a, size_t a_size, uintptr_t b, size_t b_size, uintptr_t byte)
{
    GIVEN(a_size != 0 && a_size - 1 <= UINTPTR_MAX - a);
    GIVEN(b_size != 0 && b_size - 1 <= UINTPTR_MAX - b);
    GIVEN(byte >= a && byte - a < a_size && byte >= b && byte - b < b_size);
    return acre_ranges_overlap(a, a_size, b, b_size);
}

/* Ranges that overlap share the first byte of the upper one. */
CLAIM(ranges_share, uintptr_t a, size_t a_size, uintptr_t b, size_t b_size)
{
    GIVEN(a_size != 0 && a_size - 1 <= UINTPTR_MAX - a);
    GIVEN(b_size != 0 && b_size - 1 <= UINTPTR_MAX - b);
    GIVEN(acre_ranges_overlap(a, a_size, b, b_size));
    uintptr_t byte = a > b ? a : b;
    return byte - a < a_size && byte - b < b_size;
}

/* ---- bits.h ---- */

CLAIM(bits_highest, size_t word)
{
    GIVEN(word != 0);
    return word >> acre_bits_highest(word) == 1;
}

CLAIM(bits_lowest, size_t word)
{
    GIVEN(word != 0);
    unsigned lowest = acre_bits_lowest(word);
    return (word >> lowest & 1) == 1 && (word >> lowest) << lowest == word;
}

/* Words of 16 bits, at each of the four places of 64 bits, and all bits at once. */
CLAIM(bits_count, uint64_t word, unsigned place)
{
    GIVEN(word < 1u << 16 && place < 4);
    unsigned count = 0;
    for (unsigned bit = 0; bit < 16; bit++)
        count += word >> bit & 1;
    return acre_bits_count(word << (16 * place)) == count && acre_bits_count(~(uint64_t)0) == 64;
}

CLAIM(is_pow2, size_t value, unsigned log2)
{
    GIVEN(log2 < sizeof(size_t) * 8);
    bool has_two_bits = value != 0 && acre_bits_highest(value) != acre_bits_lowest(value);
    return acre_is_pow2((size_t)1 << log2) && acre_is_pow2(value) == (value != 0 && !has_two_bits);
}

/* ---- bitset.h ---- */

CLAIM(bit, size_t number, size_t other)
{
    GIVEN(other < ACRE_WORD_BITS);
    size_t bit = acre_bit(number);
    return (bit >> other & 1) == (number % ACRE_WORD_BITS == other);
}

CLAIM(bits_except, size_t number)
{
    return acre_bits_except(number) == ~acre_bit(number);
}
