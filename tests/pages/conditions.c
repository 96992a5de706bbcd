/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/** Runs with conditions: the contract of acre_alloc_pages_within and acre_alloc_id_within. */
#include <acre/bitmap.h>

#include <setjmp.h>
#include <stdarg.h>

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
    assert_sound(acre_ids_base(ids));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_conditions_on_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
