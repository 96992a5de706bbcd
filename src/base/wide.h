/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Arithmetic that some machines lack, and for which compilers call their library there: shifts of 64
 * bits, products, quotients. A few instructions where the machine has them; elsewhere a function of
 * wide.c, which works in parts. All pure.
 */
#ifndef ACRE_SRC_BASE_WIDE_H
#define ACRE_SRC_BASE_WIDE_H

#include "base/bits.h"

/* ---- on every machine ---- */

/** word << by, in halves; `by` is 0 to 63. */
ACRE_INLINE uint64_t acre_shift_left_in_parts(uint64_t word, size_t by)
{
    uint32_t low = (uint32_t)word;
    uint32_t high = (uint32_t)(word >> 32);
    if (by >= 32)
        return (uint64_t)(low << (by - 32)) << 32;
    return (uint64_t)(high << by | low >> 1 >> (31 - by)) << 32 | (uint32_t)(low << by);
}

/** word >> by, in halves; `by` is 0 to 63. */
ACRE_INLINE uint64_t acre_shift_right_in_parts(uint64_t word, size_t by)
{
    uint32_t low = (uint32_t)word;
    uint32_t high = (uint32_t)(word >> 32);
    if (by >= 32)
        return high >> (by - 32);
    return (uint64_t)(high >> by) << 32 | (low >> by | high << 1 << (31 - by));
}

/** a * b, as size_t has it: a step for each bit up to the highest one of `b`. */
ACRE_INLINE size_t acre_multiply_in_steps(size_t a, size_t b)
{
    size_t product = 0;
    for (; b != 0; b >>= 1, a <<= 1)
        product += a & (0 - (b & 1));
    return product;
}

/** a / b: two steps for each bit of the quotient; `b` is not 0. */
ACRE_INLINE size_t acre_divide_in_steps(size_t a, size_t b)
{
    size_t quotient = 0;
    size_t bit = 1;
    for (; b <= a >> 1; b <<= 1)
        bit <<= 1;
    for (; bit != 0; bit >>= 1, b >>= 1) {
        size_t fits = 0 - (size_t)(a >= b);
        a -= b & fits;
        quotient |= bit & fits;
    }
    return quotient;
}

/** The bit of a number, modulo 64, from halves. */
ACRE_INLINE uint64_t acre_wide_bit_in_parts(size_t number)
{
    uint32_t bit = (uint32_t)1 << number % 32;
    return (number & 32) != 0 ? (uint64_t)bit << 32 : bit;
}

/** Whether a word of 64 bits has the bit of a number, modulo 64, from halves. */
ACRE_INLINE bool acre_wide_has_in_parts(uint64_t word, size_t number)
{
    uint32_t half = (uint32_t)((number & 32) != 0 ? word >> 32 : word);
    return (half >> number % 32 & 1) != 0;
}

/* ---- wide.c: the same as functions, where the machine needs them ---- */

size_t acre_soft_multiply(size_t a, size_t b);
uint64_t acre_soft_multiply_wide(uint32_t a, uint32_t b);
size_t acre_soft_divide(size_t a, size_t b);
uint64_t acre_soft_shift_left(uint64_t word, size_t by);
uint64_t acre_soft_shift_right(uint64_t word, size_t by);

/* ---- as the machine does it best ---- */

/** a * b. */
ACRE_INLINE size_t acre_multiply(size_t a, size_t b)
{
    return ACRE_MULTIPLIES ? a * b : acre_soft_multiply(a, b);
}

/** a * b in 64 bits, from products of 16 bits. */
ACRE_INLINE uint64_t acre_multiply_wide_in_parts(uint32_t a, uint32_t b)
{
    uint32_t low = (uint32_t)acre_multiply(a & 0xffff, b & 0xffff);
    uint32_t middle = (uint32_t)acre_multiply(a >> 16, b & 0xffff) + (low >> 16);
    uint32_t other = (uint32_t)acre_multiply(a & 0xffff, b >> 16) + (middle & 0xffff);
    uint32_t high = (uint32_t)acre_multiply(a >> 16, b >> 16) + (middle >> 16) + (other >> 16);
    return (uint64_t)high << 32 | (uint32_t)(other << 16 | (low & 0xffff));
}

/** a * b in 64 bits. */
ACRE_INLINE uint64_t acre_multiply_wide(uint32_t a, uint32_t b)
{
    return ACRE_MULTIPLIES_WIDE ? (uint64_t)a * b : acre_soft_multiply_wide(a, b);
}

/** a / b; `b` is not 0. */
ACRE_INLINE size_t acre_divide(size_t a, size_t b)
{
    return ACRE_DIVIDES ? a / b : acre_soft_divide(a, b);
}

/** a % b; `b` is not 0. */
ACRE_INLINE size_t acre_remainder(size_t a, size_t b)
{
    return a - acre_multiply(acre_divide(a, b), b);
}

/** word << by; `by` is 0 to 63. */
ACRE_INLINE uint64_t acre_shift_left(uint64_t word, size_t by)
{
    return ACRE_SHIFTS_WIDE ? word << by : acre_soft_shift_left(word, by);
}

/** word >> by; `by` is 0 to 63. */
ACRE_INLINE uint64_t acre_shift_right(uint64_t word, size_t by)
{
    return ACRE_SHIFTS_WIDE ? word >> by : acre_soft_shift_right(word, by);
}

/** The bit of a number, modulo 64, in a word of 64 bits. */
ACRE_INLINE uint64_t acre_wide_bit(size_t number)
{
    return ACRE_SHIFTS_WIDE ? (uint64_t)1 << number % 64 : acre_wide_bit_in_parts(number);
}

/** Whether a word of 64 bits has the bit of a number, modulo 64. */
ACRE_INLINE bool acre_wide_has(uint64_t word, size_t number)
{
    return ACRE_SHIFTS_WIDE ? (word >> number % 64 & 1) != 0 : acre_wide_has_in_parts(word, number);
}

#endif
