/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/** Runs with conditions: the contract of acre_alloc_pages_within and acre_alloc_id_within. */
#include <acre/bitmap.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define PAGE ((size_t)4096)

ACRE_BITMAP_STATIC(meta_a, 5000);
ACRE_BITMAP_STATIC(meta_b, 5000);

static void assert_sound(struct acre_base base)
{
    struct acre_stats stats = acre_stats(base);

    assert_null(acre_check(base).invariant);
    assert_int_equal(stats.total, stats.metadata + stats.used + stats.available);
}

/** Each condition alone and together, in a range of 16 MiB to 32 MiB that has a page in use. */
static void test_conditions(void **state)
{
    const uintptr_t mib = (uintptr_t)1 << 20;
    const struct {
        struct acre_run_limits limits;
        size_t count;
        enum acre_status status;
        uintptr_t pos;
    } table[] = {
        { { 0 }, 1, ACRE_OK, 16 * mib + PAGE },
        { { .top_down = true }, 1, ACRE_OK, 32 * mib - PAGE },
        { { .lowest = 20 * mib + 1 }, 2, ACRE_OK, 20 * mib + PAGE },
        { { .lowest = 20 * mib, .top_down = true }, 2, ACRE_OK, 32 * mib - 2 * PAGE },
        { { .highest = 24 * mib - 1, .top_down = true }, 3, ACRE_OK, 24 * mib - 3 * PAGE },
        { { .highest = 24 * mib - 2, .top_down = true }, 3, ACRE_OK, 24 * mib - 4 * PAGE },
        { { .highest = 16 * mib + 2 * PAGE - 1 }, 1, ACRE_OK, 16 * mib + PAGE },
        { { .highest = 16 * mib + 2 * PAGE - 2 }, 1, ACRE_NO_MEMORY, 0 },
        { { .highest = 1 }, 1, ACRE_NO_MEMORY, 0 },
        { { .lowest = 20 * mib, .highest = 20 * mib - 1 }, 1, ACRE_NO_MEMORY, 0 },
        { { .lowest = 32 * mib }, 1, ACRE_NO_MEMORY, 0 },
        { { .lowest = UINTPTR_MAX }, 1, ACRE_NO_MEMORY, 0 },
        { { .align = mib, .phase = 3 * PAGE }, 1, ACRE_OK, 16 * mib + 3 * PAGE },
        { { .align = mib, .phase = mib - PAGE, .top_down = true }, 2, ACRE_OK, 31 * mib - PAGE },
        { { .align = 1 }, 1, ACRE_OK, 16 * mib + PAGE },
        { { .boundary = 8 * PAGE }, 8, ACRE_OK, 16 * mib + 8 * PAGE },
        { { .boundary = 8 * PAGE }, 9, ACRE_NO_MEMORY, 0 },
        { { .boundary = mib, .top_down = true }, 256, ACRE_OK, 31 * mib },
        { { .boundary = mib, .align = mib, .phase = PAGE }, 255, ACRE_OK, 16 * mib + PAGE },
        { { .boundary = mib, .align = mib, .phase = PAGE }, 256, ACRE_NO_MEMORY, 0 },
        { { .boundary = mib }, SIZE_MAX, ACRE_NO_MEMORY, 0 },
        { { 0 }, SIZE_MAX, ACRE_NO_MEMORY, 0 },
        { { 0 }, 0, ACRE_INVALID_PARAM, 0 },
        { { .align = 3 * PAGE }, 1, ACRE_INVALID_PARAM, 0 },
        { { .align = mib, .phase = mib }, 1, ACRE_INVALID_PARAM, 0 },
        { { .align = mib, .phase = 1 }, 1, ACRE_INVALID_PARAM, 0 },
        { { .phase = PAGE }, 1, ACRE_INVALID_PARAM, 0 },
        { { .boundary = PAGE / 2 }, 1, ACRE_INVALID_PARAM, 0 },
        { { .boundary = 3 * mib }, 1, ACRE_INVALID_PARAM, 0 },
    };
    struct acre_bitmap bitmap = { 0 };
    struct acre_pages pages = acre_bitmap_pages(&bitmap);
    size_t i;

    (void)state;
    assert_int_equal(
        ACRE_OK, acre_bitmap_add_memory_apart(&bitmap, 16 * mib, 16 * mib, meta_a, sizeof meta_a));
    assert_int_equal(16 * mib, acre_alloc_pages(pages, 1, 1).num);
    for (i = 0; i < sizeof table / sizeof *table; i++) {
        struct acre_num got = acre_alloc_pages_within(pages, table[i].count, &table[i].limits);

        assert_int_equal(table[i].status, got.status);
        assert_int_equal(table[i].pos, got.num);
        assert_sound(acre_pages_base(pages));
        if (got.status == ACRE_OK)
            assert_int_equal(ACRE_OK, acre_dealloc_pages(pages, got.num, table[i].count));
    }
}

/** Conditions on ids, up to the highest id there is, and an unlisted id among those found. */
static void test_conditions_on_ids(void **state)
{
    const struct acre_run_limits odd = { .align = 2, .phase = 1, .lowest = 11 };
    const struct acre_run_limits top = { .top_down = true };
    const struct acre_run_limits low = { .highest = 3 };
    struct acre_bitmap bitmap = { 0 };
    struct acre_ids ids = acre_bitmap_ids(&bitmap);
    const uintptr_t high = UINTPTR_MAX - 99;

    (void)state;
    assert_int_equal(ACRE_OK, acre_bitmap_setup_ids(&bitmap));
    assert_int_equal(ACRE_NO_MEMORY, acre_alloc_id_within(ids, 1, &odd).status);
    assert_int_equal(ACRE_OK, acre_bitmap_add_ids(&bitmap, 0, 1000, meta_a, sizeof meta_a));
    assert_int_equal(ACRE_OK, acre_bitmap_add_ids(&bitmap, high, 100, meta_b, sizeof meta_b));
    assert_int_equal(11, acre_alloc_id_within(ids, 1, &odd).num);
    assert_int_equal(13, acre_alloc_id_within(ids, 2, &odd).num);
    assert_int_equal(UINTPTR_MAX, acre_alloc_id_within(ids, 1, &top).num);
    assert_int_equal(UINTPTR_MAX - 2, acre_alloc_id_within(ids, 2, &top).num);
    assert_int_equal(900, acre_alloc_id_within(ids, 100, &top).num);
    assert_int_equal(0, acre_alloc_id_within(ids, 4, &low).num);
    assert_int_equal(ACRE_NO_MEMORY, acre_alloc_id_within(ids, 1, &low).status);
    assert_int_equal(4, acre_alloc_id(ids, 1, 1).num);
    assert_int_equal(ACRE_OK, acre_dealloc_id(ids, 2, 1));
    assert_int_equal(2, acre_alloc_id_within(ids, 1, &low).num);
    assert_int_equal(ACRE_OK, acre_dealloc_id(ids, 2, 1));
    assert_true(acre_ids_stats(ids).peak > acre_ids_stats(ids).used);
    acre_ids_reset_peak(ids);
    assert_int_equal(acre_ids_stats(ids).used, acre_ids_stats(ids).peak);
    assert_int_equal(ACRE_INVALID_PARAM, acre_ids_add_memory(ids, meta_a, sizeof meta_a));
    assert_sound(acre_ids_base(ids));
}

/** A map of a few pages, as bits: set is in use. */
enum { SMALL = 8, SMALL_FIRST = 3 };

/** The page at which the run begins that meets the conditions, decided page by page; or SMALL. */
static size_t naive_fit(unsigned map, size_t count, const struct acre_run_limits *limits)
{
    size_t found = SMALL;
    size_t at;

    for (at = 0; at + count <= SMALL && (found == SMALL || limits->top_down); at++) {
        uintptr_t start = (SMALL_FIRST + at) * PAGE;
        uintptr_t last = start + count * PAGE - 1;
        bool crosses = limits->boundary != 0 && start / limits->boundary != last / limits->boundary;

        if ((map >> at & ((1U << count) - 1)) == 0 && start >= limits->lowest &&
            last <= limits->highest && start % limits->align == limits->phase && !crosses)
            found = at;
    }
    return found;
}

/** One request in a map: served where the naive search says, and given back. */
static void assert_fit(
    struct acre_pages pages, unsigned map, size_t count, const struct acre_run_limits *limits)
{
    size_t expected = naive_fit(map, count, limits);
    struct acre_num got = acre_alloc_pages_within(pages, count, limits);

    if (expected == SMALL) {
        assert_int_equal(ACRE_NO_MEMORY, got.status);
        return;
    }
    assert_int_equal(ACRE_OK, got.status);
    assert_int_equal((SMALL_FIRST + expected) * PAGE, got.num);
    assert_int_equal(ACRE_OK, acre_dealloc_pages(pages, got.num, count));
}

/** All alignments, phases and boundaries between two pages, in both directions. */
static void assert_fits_between(struct acre_pages pages, unsigned map, size_t low, size_t high)
{
    struct acre_run_limits limits = { 0 };
    size_t count;

    limits.lowest = (SMALL_FIRST + low) * PAGE;
    limits.highest = (SMALL_FIRST + high + 1) * PAGE - 1;
    for (limits.align = PAGE; limits.align <= 4 * PAGE; limits.align *= 2)
        for (limits.phase = 0; limits.phase < limits.align; limits.phase += PAGE)
            for (limits.boundary = PAGE; limits.boundary <= 16 * PAGE; limits.boundary *= 2)
                for (count = 1; count <= 3; count++) {
                    limits.top_down = false;
                    assert_fit(pages, map, count, &limits);
                    limits.top_down = true;
                    assert_fit(pages, map, count, &limits);
                }
}

/** Every map of SMALL pages under every condition that can matter in it. */
static void test_every_small_map(void **state)
{
    unsigned step = getenv("ACRE_VALGRIND") != NULL ? 37 : 1;
    unsigned map;
    size_t low;
    size_t high;

    (void)state;
    for (map = 0; map < 1U << SMALL; map += step) {
        struct acre_bitmap bitmap = { 0 };
        struct acre_pages pages = acre_bitmap_pages(&bitmap);

        assert_int_equal(ACRE_OK, acre_bitmap_add_memory_apart(&bitmap, SMALL_FIRST * PAGE,
                                      SMALL * PAGE, meta_a, sizeof meta_a));
        for (low = 0; low < SMALL; low++)
            if ((map >> low & 1) != 0)
                assert_int_equal(ACRE_OK,
                    acre_alloc_pages_at(pages, (SMALL_FIRST + low) * PAGE, 1, PAGE).status);
        for (low = 0; low < SMALL; low++)
            for (high = low; high < SMALL; high++)
                assert_fits_between(pages, map, low, high);
        assert_sound(acre_pages_base(pages));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_conditions_on_ids),
        cmocka_unit_test(test_every_small_map),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
