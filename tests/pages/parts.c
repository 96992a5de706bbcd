/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Parts of the bitmap by themselves, where whole verbs do not come: searches that find nothing,
 * sets of many groups, pages of few bytes, updates that change nothing. */
#include "bitmap/bitmap_private.h"
#include "bitmap/bitmap_words.h"

#include <acre/bitmap_frames.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { WORDS = 4, IDS = 1 << 20 };

static struct acre_bitmap bitmap;
static uint64_t meta[IDS / 16];

static int make(void **state)
{
    (void)state;
    memset(&bitmap, 0, sizeof bitmap);
    return 0;
}

static void assert_sound(void)
{
    struct acre_check_result found = acre_bitmap_check(&bitmap);
    if (found.invariant != NULL)
        fail_msg("%s at %p", found.invariant, found.where);
}

static void add_ids(uintptr_t first, size_t count)
{
    assert_int_equal(acre_bitmap_setup_ids(&bitmap), ACRE_OK);
    assert_int_equal(acre_bitmap_add_ids(&bitmap, first, count, meta, sizeof meta), ACRE_OK);
}

/* ---- words ---- */

/* Three pages in a row, where there are but two. */
static void a_search_finds_nothing(void **state)
{
    uint64_t words[WORDS];
    (void)state;
    for (size_t i = 0; i < WORDS; i++)
        words[i] = UINT64_C(0x3333333333333333);
    for (size_t align = 1; align <= 2; align *= 2) {
        struct bitmap_want want = { .count = 3, .align = align, .first = 0, .from = 0 };
        assert_true(acre_bitmap_words_find(words, 64 * WORDS, 0, &want) == BITMAP_NONE);
        want.count = 2;
        assert_int_equal(acre_bitmap_words_find(words, 64 * WORDS, 0, &want), 0);
        want.from = 5;
        assert_int_equal(acre_bitmap_words_find(words, 64 * WORDS, 0, &want), 8);
        assert_int_equal(acre_bitmap_words_find(words, 64 * WORDS, 128, &want), 128);
    }
}

/* ---- sets and trees ---- */

/* Groups so far apart that the search climbs, and descends again. */
static void the_next_group_is_far(void **state)
{
    (void)state;
    add_ids(0, IDS);
    struct acre_bitmap_range *range = bitmap_first_range(&bitmap);
    assert_int_equal(acre_bitmap_alloc_id(&bitmap, IDS, 1).status, ACRE_OK);
    assert_int_equal(acre_bitmap_dealloc_id(&bitmap, 5, 1), ACRE_OK);
    assert_int_equal(acre_bitmap_dealloc_id(&bitmap, 1000000, 1), ACRE_OK);
    assert_sound();
    size_t far = acre_bitmap_set_next(&range->free_groups, 1);
    assert_true(far > 64);
    assert_int_equal(acre_bitmap_set_next(&range->free_groups, 0), 0);
    assert_int_equal(acre_bitmap_set_next(&range->free_groups, far), far);
    assert_true(acre_bitmap_set_next(&range->free_groups, far + 1) == BITMAP_NONE);
    assert_int_equal(acre_bitmap_alloc_id(&bitmap, 1, 1).num, 5);
    assert_int_equal(acre_bitmap_alloc_id(&bitmap, 1, 1).num, 1000000);
}

static void an_update_that_changes_nothing(void **state)
{
    (void)state;
    add_ids(0, IDS);
    struct acre_bitmap_range *range = bitmap_first_range(&bitmap);
    acre_bitmap_tree_update(range, 100, 200, true);
    assert_sound();
    assert_int_equal(acre_bitmap_stats(&bitmap).largest_free, IDS);
}

/* ---- ranges ---- */

/* Whatever the sizes of page and range are, those that are taken serve their pages, each once. */
static void pages_of_few_bytes(void **state)
{
    static _Alignas(64) unsigned char memory[4096];
    (void)state;
    for (size_t page = 1; page <= 64; page *= 2) {
        for (size_t size = 1; size < sizeof memory; size += 13) {
            make(NULL);
            if (acre_bitmap_setup(&bitmap, page) != ACRE_OK ||
                acre_bitmap_init(&bitmap, memory + size % 8, size) != ACRE_OK)
                continue;
            assert_sound();
            size_t pages = acre_bitmap_stats(&bitmap).available / page;
            assert_true(pages != 0);
            assert_int_equal(acre_bitmap_alloc_pages(&bitmap, pages, 1).status, ACRE_OK);
            assert_int_equal(acre_bitmap_alloc_pages(&bitmap, 1, 1).status, ACRE_NO_MEMORY);
            assert_sound();
        }
    }
}

/* A search that begins in the midst of a run that crosses into the next range. */
static void a_run_across_ranges_from_its_middle(void **state)
{
    static uint64_t other[96];
    (void)state;
    assert_int_equal(acre_bitmap_setup_ids(&bitmap), ACRE_OK);
    assert_int_equal(acre_bitmap_add_ids(&bitmap, 0, 100, meta, sizeof meta), ACRE_OK);
    assert_int_equal(acre_bitmap_add_ids(&bitmap, 100, 100, other, sizeof other), ACRE_OK);
    acre_bitmap_set_next_fit(&bitmap, true);
    assert_int_equal(acre_bitmap_alloc_id(&bitmap, 90, 1).num, 0);
    assert_int_equal(acre_bitmap_dealloc_id(&bitmap, 0, 90), ACRE_OK);
    assert_int_equal(acre_bitmap_alloc_id(&bitmap, 20, 1).num, 90);
    assert_int_equal(acre_bitmap_dealloc_id(&bitmap, 90, 20), ACRE_OK);
    assert_sound();
}

/* Ranges with gaps between them, all full: each id that is freed is found in its own range, is the
 * next one to be allocated, and what lies between ranges is refused. */
static void one_id_of_many_ranges(void **state)
{
    enum { RANGES = 40, EACH = 200, STEP = 300, BYTES = ACRE_BITMAP_METADATA_BYTES(EACH) };
    static uint64_t metas[RANGES][BYTES / 8 + 1];
    (void)state;
    assert_int_equal(acre_bitmap_setup_ids(&bitmap), ACRE_OK);
    for (size_t i = 0; i < RANGES; i++) {
        size_t which = i * 7 % RANGES;
        assert_int_equal(
            acre_bitmap_add_ids(&bitmap, which * STEP, EACH, metas[which], BYTES), ACRE_OK);
        assert_sound();
    }
    for (size_t i = 0; i < RANGES * EACH; i++)
        assert_int_equal(acre_bitmap_alloc_id(&bitmap, 1, 1).num, i / EACH * STEP + i % EACH);
    for (size_t i = 0; i < RANGES; i++) {
        uintptr_t id = i * 11 % RANGES * STEP + i;
        assert_int_equal(acre_bitmap_dealloc_id(&bitmap, id - i + EACH, 1), ACRE_NOT_ALLOCATED);
        assert_int_equal(acre_bitmap_dealloc_id(&bitmap, id, 1), ACRE_OK);
        assert_sound();
        assert_int_equal(acre_bitmap_alloc_id(&bitmap, 1, 1).num, id);
        assert_int_equal(acre_bitmap_alloc_id(&bitmap, 1, 1).status, ACRE_NO_MEMORY);
        assert_sound();
    }
}

static void nothing_is_allocated_of_no_pages(void **state)
{
    const struct acre_run_limits down = { .top_down = true };
    (void)state;
    assert_int_equal(acre_bitmap_alloc_pages_within(&bitmap, 1, &down).status, ACRE_NO_MEMORY);
    add_ids(0, 1000);
    assert_int_equal(acre_bitmap_alloc_id(&bitmap, 10, 1).num, 0);
    assert_true(acre_bitmap_is_allocated(&bitmap, 3, 2));
    assert_false(acre_bitmap_is_allocated(&bitmap, 3, 0));
}

/* ---- freed chunks ---- */

/* Short runs freed at a chunk's start, end and middle: each leaf is what the words say. */
static void short_runs_at_the_edges_of_a_chunk(void **state)
{
    enum { CHUNK = 1 << BITMAP_CHUNK_LOG2, SPAN = 4 * CHUNK };
    (void)state;
    for (size_t at = 0; at < 2 * CHUNK; at += 7) {
        for (size_t count = 1; count <= 3; count++) {
            make(NULL);
            add_ids(0, SPAN);
            assert_int_equal(acre_bitmap_alloc_id(&bitmap, SPAN, 1).num, 0);
            assert_int_equal(acre_bitmap_dealloc_id(&bitmap, CHUNK / 2 + at, count), ACRE_OK);
            assert_sound();
            assert_int_equal(acre_bitmap_stats(&bitmap).largest_free, count);
        }
    }
}

/* ---- frames ---- */

/* Frame 0 alone lies in the limits, whatever else they say. */
static void the_first_frame_alone(void **state)
{
    static struct acre_frames frames;
    const struct acre_frame_limits limits = { .highest = 4095, .boundary = 4096 };
    (void)state;
    assert_int_equal(acre_frames_alloc_at(&frames, 0, 1).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_frames_dealloc(&frames, 0, 1), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_frames_setup(&frames, 4096), ACRE_OK);
    assert_int_equal(acre_frames_add(&frames, 0, 1 << 20, meta, sizeof meta), ACRE_OK);
    assert_int_equal(acre_frames_alloc_within(&frames, 2, &limits).status, ACRE_NO_MEMORY);
    struct acre_frame got = acre_frames_alloc_within(&frames, 1, &limits);
    assert_int_equal(got.status, ACRE_OK);
    assert_int_equal(got.address, 0);
    assert_int_equal(acre_frames_dealloc(&frames, 0, 1), ACRE_OK);
}

/* Where one region ends and another begins with metadata, no page is owned. */
static void metadata_of_a_second_region(void **state)
{
    enum { PAGE = 64, SIZE = 8192 };
    static _Alignas(SIZE) unsigned char memory[2 * SIZE];
    (void)state;
    assert_int_equal(acre_bitmap_setup(&bitmap, PAGE), ACRE_OK);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(acre_bitmap_add_memory(&bitmap, memory + i * SIZE, SIZE), ACRE_OK);
    for (size_t i = 0; i < 2; i++) {
        uintptr_t start = (uintptr_t)memory + i * SIZE;
        assert_false(acre_bitmap_is_allocated(&bitmap, start, 1));
        assert_int_equal(acre_bitmap_dealloc_pages(&bitmap, start, 1), ACRE_NOT_ALLOCATED);
        assert_int_equal(
            acre_bitmap_alloc_pages_at(&bitmap, start, 1, PAGE).status, ACRE_NO_MEMORY);
    }
    assert_sound();
}

/* The first id that is free again begins no search from the lowest on, where searches go on. */
static void next_fit_keeps_no_hint(void **state)
{
    enum { COUNT = 128 };
    (void)state;
    add_ids(0, COUNT);
    acre_bitmap_set_next_fit(&bitmap, true);
    assert_int_equal(acre_bitmap_alloc_id(&bitmap, COUNT, 1).num, 0);
    assert_int_equal(acre_bitmap_dealloc_id(&bitmap, 5, 1), ACRE_OK);
    assert_null(bitmap.hint);
    assert_sound();
    assert_int_equal(acre_bitmap_alloc_id(&bitmap, 1, 1).num, 5);
    assert_sound();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_search_finds_nothing, make),
        cmocka_unit_test_setup(the_next_group_is_far, make),
        cmocka_unit_test_setup(an_update_that_changes_nothing, make),
        cmocka_unit_test_setup(pages_of_few_bytes, make),
        cmocka_unit_test_setup(a_run_across_ranges_from_its_middle, make),
        cmocka_unit_test_setup(one_id_of_many_ranges, make),
        cmocka_unit_test_setup(nothing_is_allocated_of_no_pages, make),
        cmocka_unit_test_setup(short_runs_at_the_edges_of_a_chunk, make),
        cmocka_unit_test_setup(the_first_frame_alone, make),
        cmocka_unit_test_setup(metadata_of_a_second_region, make),
        cmocka_unit_test_setup(next_fit_keeps_no_hint, make),
    };
    return cmocka_run_group_tests_name("pages.parts", tests, NULL, NULL);
}
