/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What wide.h does in parts, as functions, on the machines that need them.
 */
#include "base/wide.h"

#if !ACRE_MULTIPLIES
size_t acre_soft_multiply(size_t a, size_t b)
{
    return a < b ? acre_multiply_in_steps(b, a) : acre_multiply_in_steps(a, b);
}
#endif

#if !ACRE_MULTIPLIES_WIDE
uint64_t acre_soft_multiply_wide(uint32_t a, uint32_t b)
{
    return acre_multiply_wide_in_parts(a, b);
}
#endif

#if !ACRE_DIVIDES
size_t acre_soft_divide(size_t a, size_t b)
{
    return acre_divide_in_steps(a, b);
}
#endif

#if !ACRE_SHIFTS_WIDE
uint64_t acre_soft_shift_left(uint64_t word, size_t by)
{
    return acre_shift_left_in_parts(word, by);
}

uint64_t acre_soft_shift_right(uint64_t word, size_t by)
{
    return acre_shift_right_in_parts(word, by);
}
#endif
