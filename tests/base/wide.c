/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The arithmetic for machines that lack it, against this machine's own. */
#include "base/wide.h"

#include <acre/types.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { WORDS = 6 };

static const uint64_t words[WORDS] = {
    0,
    1,
    UINT64_C(0x8000000000000001),
    UINT64_C(0x0123456789abcdef),
    UINT64_C(0xfedcba9876543210),
    UINT64_MAX,
};

static void shifts(void **state)
{
    (void)state;
    for (size_t i = 0; i < WORDS; i++) {
        for (unsigned by = 0; by < 64; by++) {
            assert_true(acre_shift_left_in_parts(words[i], by) == words[i] << by);
            assert_true(acre_shift_right_in_parts(words[i], by) == words[i] >> by);
            assert_true(acre_shift_left(words[i], by) == words[i] << by);
            assert_true(acre_shift_right(words[i], by) == words[i] >> by);
        }
    }
}

static void bits(void **state)
{
    (void)state;
    for (size_t number = 0; number < 200; number++) {
        assert_true(acre_wide_bit(number) == (uint64_t)1 << number % 64);
        assert_true(acre_wide_bit_in_parts(number) == (uint64_t)1 << number % 64);
        for (size_t i = 0; i < WORDS; i++) {
            assert_int_equal(acre_wide_has(words[i], number), words[i] >> number % 64 & 1);
            assert_int_equal(acre_wide_has_in_parts(words[i], number), words[i] >> number % 64 & 1);
        }
    }
}

/* Small numbers, the neighbours of powers of two, and the largest. */
static size_t number_at(size_t i)
{
    enum { SMALL = 40, BITS = 8 * sizeof(size_t) };
    if (i < SMALL)
        return i;
    i -= SMALL;
    return i < 3 * BITS ? ((size_t)1 << i / 3) + i % 3 - 1 : SIZE_MAX - (i - 3 * BITS);
}

enum { NUMBERS = 40 + 3 * 8 * sizeof(size_t) + 20 };

static void check_pair(size_t a, size_t b)
{
    uint64_t wide = (uint64_t)(uint32_t)a * (uint32_t)b;
    assert_true(acre_multiply_in_steps(a, b) == a * b);
    assert_true(acre_multiply(a, b) == a * b);
    assert_true(acre_multiply_wide_in_parts((uint32_t)a, (uint32_t)b) == wide);
    assert_true(acre_multiply_wide((uint32_t)a, (uint32_t)b) == wide);
    if (b == 0)
        return;
    assert_true(acre_divide_in_steps(a, b) == a / b);
    assert_true(acre_divide(a, b) == a / b);
    assert_true(acre_remainder(a, b) == a % b);
}

static void products_and_quotients(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUMBERS; i++)
        for (size_t j = 0; j < NUMBERS; j++)
            check_pair(number_at(i), number_at(j));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shifts),
        cmocka_unit_test(bits),
        cmocka_unit_test(products_and_quotients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
