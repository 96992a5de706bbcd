/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The pure functions of the base against naive versions: all small values and those at the edges.
 */
#include "base/arith.h"
#include "base/null.h"

#include <acre/types.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { BITS = sizeof(size_t) * CHAR_BIT, SMALL = 300, MOST = 2 * SMALL + 5 * BITS };

/* Small values, large ones, and the neighbours of every power of two. */
static size_t values[MOST];
static size_t value_count;

static int fill_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < SMALL; i++) {
        values[value_count++] = i;
        values[value_count++] = SIZE_MAX - i;
    }
    for (unsigned bit = 0; bit < BITS; bit++) {
        for (size_t d = 0; d < 5; d++)
            values[value_count++] = ((size_t)1 << bit) + d - 2;
    }
    return 0;
}

static bool bit_of(size_t word, unsigned bit)
{
    return (word >> bit & 1) != 0;
}

static void bits_highest_and_lowest(void **state)
{
    (void)state;
    for (size_t i = 0; i < value_count; i++) {
        unsigned high = BITS - 1;
        unsigned low = 0;
        if (values[i] == 0)
            continue;
        while (!bit_of(values[i], high))
            high--;
        while (!bit_of(values[i], low))
            low++;
        assert_int_equal(acre_bits_highest(values[i]), high);
        assert_int_equal(acre_bits_lowest(values[i]), low);
    }
}

static unsigned naive_count(uint64_t word)
{
    unsigned count = 0;
    for (unsigned bit = 0; bit < 64; bit++)
        count += (unsigned)(word >> bit & 1);
    return count;
}

static void bits_count(void **state)
{
    (void)state;
    for (size_t i = 0; i < value_count; i++) {
        assert_int_equal(acre_bits_count(values[i]), naive_count(values[i]));
        uint64_t spread = values[i] * UINT64_C(0x9e3779b97f4a7c15);
        assert_int_equal(acre_bits_count(spread), naive_count(spread));
        assert_int_equal(acre_bits_count_32((uint32_t)spread), naive_count((uint32_t)spread));
    }
    assert_int_equal(acre_bits_count(UINT64_MAX), 64);
}

static void powers_of_two(void **state)
{
    (void)state;
    for (size_t i = 0; i < value_count; i++)
        assert_int_equal(acre_is_pow2(values[i]), naive_count(values[i]) == 1);
}

static void aligning(void **state)
{
    (void)state;
    for (size_t i = 0; i < value_count; i++) {
        for (unsigned bit = 0; bit < BITS; bit++) {
            size_t align = (size_t)1 << bit;
            size_t down = values[i] - values[i] % align;
            size_t up = down == values[i] ? down : down + align; /* 0 past the top */
            assert_int_equal(acre_align_down(values[i], align), down);
            assert_int_equal(acre_align_up(values[i], align), up);
        }
    }
}

static void wrapping(void **state)
{
    (void)state;
    for (size_t i = 0; i < value_count; i++) {
        for (size_t j = 0; j < value_count; j++) {
            /* The last byte, start + size - 1, lies above the top. */
            bool wraps = values[j] != 0 && values[j] - 1 > UINTPTR_MAX - values[i];
            assert_int_equal(acre_range_wraps(values[i], values[j]), wraps);
        }
    }
}

static bool share_a_byte(size_t a, size_t a_size, size_t b, size_t b_size)
{
    for (size_t at = a; at < a + a_size; at++) {
        if (at >= b && at < b + b_size)
            return true;
    }
    return false;
}

static void overlapping_small(void **state)
{
    (void)state;
    for (size_t a = 1; a < 12; a++) {
        for (size_t a_size = 1; a_size < 12; a_size++) {
            for (size_t b = 1; b < 24; b++) {
                for (size_t b_size = 1; b_size < 12; b_size++)
                    assert_int_equal(acre_ranges_overlap(a, a_size, b, b_size),
                        share_a_byte(a, a_size, b, b_size));
            }
        }
    }
}

static void overlapping_at_the_edges(void **state)
{
    static const struct {
        uintptr_t a;
        size_t a_size;
        uintptr_t b;
        size_t b_size;
        bool overlap;
    } rows[] = {
        { 0, SIZE_MAX, UINTPTR_MAX - 1, 1, true },
        { 0, SIZE_MAX, UINTPTR_MAX, 1, false },
        { 1, SIZE_MAX, UINTPTR_MAX, 1, true },
        { UINTPTR_MAX - 15, 16, UINTPTR_MAX, 1, true },
        { UINTPTR_MAX - 15, 15, UINTPTR_MAX, 1, false },
        { UINTPTR_MAX - 31, 16, UINTPTR_MAX - 15, 16, false },
        { 0, 1, UINTPTR_MAX, 1, false },
        { 0, 1, 0, 1, true },
        { UINTPTR_MAX, 1, UINTPTR_MAX, 1, true },
        { UINTPTR_MAX / 2, 1, UINTPTR_MAX / 2 + 1, 1, false },
        { UINTPTR_MAX / 2, 2, UINTPTR_MAX / 2 + 1, 1, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(acre_ranges_overlap(rows[i].a, rows[i].a_size, rows[i].b, rows[i].b_size),
            rows[i].overlap);
        assert_int_equal(acre_ranges_overlap(rows[i].b, rows[i].b_size, rows[i].a, rows[i].a_size),
            rows[i].overlap);
    }
}

static void status_texts(void **state)
{
    (void)state;
    for (int i = ACRE_OK; i <= ACRE_NOT_ALLOCATED; i++) {
        assert_non_null(acre_status_text((enum acre_status)i));
        for (int j = ACRE_OK; j < i; j++)
            assert_string_not_equal(
                acre_status_text((enum acre_status)i), acre_status_text((enum acre_status)j));
    }
    unsigned outside = ACRE_NOT_ALLOCATED + 1;
    assert_string_equal(acre_status_text((enum acre_status)outside), "unknown status");
}

static void layouts(void **state)
{
    struct acre_layout layout = acre_layout(7, 32);
    (void)state;
    assert_int_equal(layout.size, 7);
    assert_int_equal(layout.align, 32);
    layout = ACRE_LAYOUT(struct acre_stats);
    assert_int_equal(layout.size, sizeof(struct acre_stats));
    assert_int_equal(layout.align, _Alignof(struct acre_stats));
    assert_true(acre_is_pow2(ACRE_NATURAL_ALIGN));
}

/* The null page allocator tells wrong arguments from right ones, which it refuses. */
static void null_pages_judge_arguments(void **state)
{
    (void)state;
    struct acre_pages pages = { &acre_null_pages_ops, NULL };
    const struct {
        uintptr_t pos;
        size_t count, align;
        enum acre_status status;
    } rows[] = {
        { 0, 1, 1, ACRE_NO_MEMORY },
        { ACRE_NATURAL_ALIGN, 1, 1, ACRE_NO_MEMORY },
        { (uintptr_t)3 * ACRE_NATURAL_ALIGN, 2, ACRE_NATURAL_ALIGN, ACRE_NO_MEMORY },
        { (uintptr_t)4 * ACRE_NATURAL_ALIGN, 2, (size_t)4 * ACRE_NATURAL_ALIGN, ACRE_NO_MEMORY },
        { (uintptr_t)2 * ACRE_NATURAL_ALIGN, 2, (size_t)4 * ACRE_NATURAL_ALIGN,
            ACRE_INVALID_PARAM },
        { ACRE_NATURAL_ALIGN - 1, 1, 1, ACRE_INVALID_PARAM },
        { ACRE_NATURAL_ALIGN / 2, 1, 1, ACRE_INVALID_PARAM },
        { ACRE_NATURAL_ALIGN, 0, 1, ACRE_INVALID_PARAM },
        { 0, 1, 3, ACRE_INVALID_PARAM },
        { 0, 1, 0, ACRE_INVALID_PARAM },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(
            acre_alloc_pages_at(pages, rows[i].pos, rows[i].count, rows[i].align).status,
            rows[i].status);
}

static void null_pages_judge_frees_and_limits(void **state)
{
    (void)state;
    struct acre_pages pages = { &acre_null_pages_ops, NULL };
    const struct acre_run_limits none = { 0 };
    const struct acre_run_limits wrong = { .phase = 1 };
    assert_int_equal(acre_page_size(pages), ACRE_NATURAL_ALIGN);
    assert_int_equal(acre_alloc_pages_within(pages, 1, &none).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_alloc_pages_within(pages, 0, &none).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_alloc_pages_within(pages, 1, &wrong).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_dealloc_pages(pages, ACRE_NATURAL_ALIGN, 1), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_dealloc_pages(pages, ACRE_NATURAL_ALIGN, 0), ACRE_INVALID_PARAM);
    assert_int_equal(acre_dealloc_pages(pages, ACRE_NATURAL_ALIGN + 1, 1), ACRE_INVALID_PARAM);
    assert_int_equal(acre_dealloc_pages(pages, ACRE_NATURAL_ALIGN / 2, 1), ACRE_INVALID_PARAM);
}

static void null_bytes_judge_alignments(void **state)
{
    (void)state;
    struct acre_bytes bytes = { &acre_null_ops, NULL };
    assert_int_equal(acre_alloc(bytes, acre_layout(1, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_alloc(bytes, acre_layout(1, 3)).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_alloc(bytes, acre_layout(1, 0)).status, ACRE_INVALID_PARAM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_highest_and_lowest),
        cmocka_unit_test(bits_count),
        cmocka_unit_test(powers_of_two),
        cmocka_unit_test(aligning),
        cmocka_unit_test(wrapping),
        cmocka_unit_test(overlapping_small),
        cmocka_unit_test(overlapping_at_the_edges),
        cmocka_unit_test(status_texts),
        cmocka_unit_test(layouts),
        cmocka_unit_test(null_pages_judge_arguments),
        cmocka_unit_test(null_pages_judge_frees_and_limits),
        cmocka_unit_test(null_bytes_judge_alignments),
    };
    return cmocka_run_group_tests_name("base", tests, fill_values, NULL);
}
