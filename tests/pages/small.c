/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * The bitmap allocator as a small machine has it: ACRE_MAX_POOL, one range.
 */
#include <acre/bitmap.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { PAGE = 256, PAGES = 64, POOL = PAGE * PAGES };

static _Alignas(PAGE) unsigned char pool[POOL];
static unsigned char other[POOL];
static struct acre_bitmap bitmap;

static int open_pool(void **state)
{
    (void)state;
    memset(&bitmap, 0, sizeof bitmap);
    return acre_bitmap_setup(&bitmap, PAGE) != ACRE_OK ||
           acre_bitmap_init(&bitmap, pool, POOL) != ACRE_OK;
}

static void assert_sound(void)
{
    assert_null(acre_bitmap_check(&bitmap).invariant);
}

static void the_structure_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct acre_bitmap) <= 16 * sizeof(size_t));
    assert_true(acre_bitmap_metadata_size(PAGES) < PAGE);
}

static void every_page_is_served(void **state)
{
    (void)state;
    size_t count = 0;
    while (acre_bitmap_alloc_pages(&bitmap, 1, 1).status == ACRE_OK)
        count++;
    assert_int_equal(count, PAGES - 1); /* the first one holds the metadata */
    assert_int_equal(acre_bitmap_stats(&bitmap).failed, 1);
    uintptr_t at = (uintptr_t)pool + 8 * PAGE;
    assert_int_equal(acre_bitmap_dealloc_pages(&bitmap, at, 16), ACRE_OK);
    assert_int_equal(acre_bitmap_dealloc_pages(&bitmap, at, 1), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_bitmap_dealloc_pages(&bitmap, at + PAGE * 15, 2), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_bitmap_dealloc_pages(&bitmap, at + 1, 1), ACRE_INVALID_PARAM);
    assert_int_equal(acre_bitmap_stats(&bitmap).largest_free, 16 * PAGE);
    assert_int_equal(acre_bitmap_alloc_pages(&bitmap, 8, 8 * PAGE).num % (8 * PAGE), 0);
    assert_sound();
}

static void refuse_what_is_left_out(void **state)
{
    (void)state;
    struct acre_bitmap before = bitmap;
    assert_int_equal(acre_bitmap_add_memory(&bitmap, other, POOL), ACRE_INVALID_PARAM);
    assert_int_equal(acre_bitmap_add_memory(&bitmap, pool, POOL), ACRE_MEMORY_OVERLAP);
    assert_int_equal(
        acre_bitmap_add_memory_apart(&bitmap, 0, POOL, other, acre_bitmap_metadata_size(PAGES)),
        ACRE_INVALID_PARAM);
    acre_bitmap_set_max_dirty(&bitmap, 1);
    assert_memory_equal(&before, &bitmap, sizeof bitmap);
}

static void ids_are_served(void **state)
{
    static uint64_t meta[64];
    (void)state;
    memset(&bitmap, 0, sizeof bitmap);
    assert_int_equal(acre_bitmap_setup_ids(&bitmap), ACRE_OK);
    assert_int_equal(acre_bitmap_add_ids(&bitmap, 0, 100, meta, sizeof meta), ACRE_OK);
    acre_bitmap_set_next_fit(&bitmap, true);
    assert_int_equal(acre_bitmap_alloc_id(&bitmap, 1, 1).num, 0);
    assert_int_equal(acre_bitmap_alloc_id(&bitmap, 1, 1).num, 1);
    assert_int_equal(acre_bitmap_dealloc_id(&bitmap, 0, 1), ACRE_OK);
    assert_int_equal(acre_bitmap_alloc_id(&bitmap, 1, 1).num, 2);
    assert_int_equal(acre_bitmap_alloc_fixed_id(&bitmap, 2), ACRE_NO_MEMORY);
    assert_int_equal(acre_bitmap_alloc_fixed_id(&bitmap, 100), ACRE_INVALID_PARAM);
    assert_sound();
    acre_bitmap_reset(&bitmap);
    assert_int_equal(acre_bitmap_remove_memory(&bitmap, NULL), ACRE_OK);
    assert_sound();
}

static void conditions_are_valid(void **state)
{
    (void)state;
    struct acre_bitmap before = bitmap;
    assert_int_equal(acre_bitmap_alloc_pages(&bitmap, 0, 1).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_bitmap_alloc_pages(&bitmap, 1, 3).status, ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_bitmap_dealloc_pages(&bitmap, (uintptr_t)pool + PAGE, 0), ACRE_INVALID_PARAM);
    assert_memory_equal(&before, &bitmap, sizeof bitmap);
}

/* Behind the cursor is no room, so that the search begins again. */
static void next_fit_comes_round(void **state)
{
    (void)state;
    acre_bitmap_set_next_fit(&bitmap, true);
    uintptr_t first = acre_bitmap_alloc_pages(&bitmap, 30, 1).num;
    assert_int_equal(acre_bitmap_alloc_pages(&bitmap, 30, 1).num, first + 30 * PAGE);
    assert_int_equal(acre_bitmap_dealloc_pages(&bitmap, first, 30), ACRE_OK);
    assert_int_equal(acre_bitmap_alloc_pages(&bitmap, 10, 1).num, first);
    assert_int_equal(acre_bitmap_alloc_pages(&bitmap, 10, 1).num, first + 10 * PAGE);
    assert_sound();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_structure_is_small),
        cmocka_unit_test_setup(every_page_is_served, open_pool),
        cmocka_unit_test_setup(refuse_what_is_left_out, open_pool),
        cmocka_unit_test(ids_are_served),
        cmocka_unit_test_setup(conditions_are_valid, open_pool),
        cmocka_unit_test_setup(next_fit_comes_round, open_pool),
    };
    return cmocka_run_group_tests_name("pages.small", tests, NULL, NULL);
}
