/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Bytes and pages from the same memory: who owns what, and how it is counted. */
#include "heap/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct acre_pages pages;

static int make(void **state)
{
    int bad = world_make(state);
    pages = acre_heap_pages(heap);
    return bad;
}

static uintptr_t take_pages(size_t count)
{
    struct acre_num got = acre_alloc_pages(pages, count, 1);
    assert_int_equal(got.status, ACRE_OK);
    assert_heap_sound();
    return got.num;
}

static void refuse_pages(uintptr_t pos, size_t count, enum acre_status status)
{
    world_save();
    assert_int_equal(acre_dealloc_pages(pages, pos, count), status);
    assert_world_unchanged();
}

static void pages_of_chunks_are_no_callers(void **state)
{
    (void)state;
    uintptr_t below = take_pages(2);
    void *block = take(100);
    uintptr_t above = take_pages(2);
    uintptr_t chunk = (uintptr_t)block / PAGE * PAGE;
    assert_true(below < chunk && chunk < above);
    for (size_t i = 0; i < ACRE_HEAP_FIRST_CHUNK / PAGE; i++)
        refuse_pages(below + (2 + i) * PAGE, 1, ACRE_NOT_ALLOCATED);
    refuse_pages(below, 3, ACRE_NOT_ALLOCATED);
    refuse_pages(above - PAGE, 2, ACRE_NOT_ALLOCATED);
    refuse_pages(below, ACRE_HEAP_FIRST_CHUNK / PAGE + 4, ACRE_NOT_ALLOCATED);
    refuse_pages(below, SIZE_MAX / PAGE, ACRE_NOT_ALLOCATED);
    refuse_pages(below, SIZE_MAX, ACRE_NOT_ALLOCATED);
    refuse_pages(below + 1, 1, ACRE_INVALID_PARAM);
    refuse_pages(chunk + 1, 1, ACRE_INVALID_PARAM);
    refuse_pages(below, 0, ACRE_INVALID_PARAM);
    refuse_pages(above + 2 * PAGE, 1, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_dealloc_pages(pages, below, 2), ACRE_OK);
    refuse_pages(below, 1, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_dealloc_pages(pages, above, 2), ACRE_OK);
    assert_int_equal(acre_alloc_pages_at(pages, chunk, 1, 1).status, ACRE_NO_MEMORY);
    give(block);
    assert_heap_sound();
}

static void pages_with_conditions(void **state)
{
    (void)state;
    const struct acre_run_limits top = { .top_down = true };
    const struct acre_run_limits wrong = { .phase = 1 };
    const struct acre_run_limits none = { .highest = PAGE - 1 };
    uintptr_t end = (uintptr_t)world.memory + WORLD_SIZE;
    assert_int_equal(acre_alloc_pages_within(pages, 2, &top).num, end - 2 * PAGE);
    assert_int_equal(acre_alloc_pages_within(pages, 1, &wrong).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_alloc_pages_within(pages, 0, &top).status, ACRE_INVALID_PARAM);
    size_t failed = acre_pages_stats(pages).failed;
    assert_int_equal(acre_alloc_pages_within(pages, 1, &none).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_pages_stats(pages).failed, failed + 1);
    assert_int_equal(acre_dealloc_pages(pages, end - 2 * PAGE, 2), ACRE_OK);
    assert_heap_sound();
}

static void pages_are_no_blocks(void **state)
{
    (void)state;
    take(10);
    uintptr_t page = take_pages(1);
    world_save();
    assert_int_equal(acre_heap_dealloc(heap, (void *)page), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_heap_usable_size(heap, (void *)page).status, ACRE_NOT_ALLOCATED);
    assert_world_unchanged();
}

/* Nothing is counted twice, whichever way one looks. */
static void accounts_of_both(void **state)
{
    (void)state;
    struct acre_stats none = acre_heap_stats(heap);
    assert_int_equal(none.total, WORLD_SIZE);
    assert_int_equal(none.used, 0);
    void *block = take(5000);
    struct acre_stats one = acre_heap_stats(heap);
    assert_in_range(one.used, 5000, 5100);
    assert_int_equal(one.live_blocks, 1);
    take_pages(3);
    struct acre_stats both = acre_heap_stats(heap);
    assert_int_equal(both.total, WORLD_SIZE);
    assert_int_equal(both.used, one.used + 3 * PAGE);
    assert_int_equal(both.available, one.available - 3 * PAGE);
    assert_int_equal(both.metadata, one.metadata);
    assert_int_equal(both.live_blocks, 4);
    assert_int_equal(both.peak, both.used);
    struct acre_stats seen = acre_pages_stats(pages);
    assert_int_equal(seen.total, WORLD_SIZE);
    assert_int_equal(seen.used, 3 * PAGE + ACRE_HEAP_FIRST_CHUNK);
    assert_int_equal(acre_used_pages(pages), 3 + ACRE_HEAP_FIRST_CHUNK / PAGE);
    assert_int_equal(seen.total, seen.metadata + seen.used + seen.available);
    give(block);
    assert_int_equal(acre_heap_stats(heap).used, 3 * PAGE);
    assert_int_equal(acre_heap_stats(heap).peak, both.peak);
    acre_pages_reset(pages);
    assert_int_equal(acre_heap_stats(heap).used, 0);
    assert_int_equal(acre_heap_stats(heap).peak, 0);
    assert_int_equal(acre_heap_stats(heap).available, none.available);
    assert_heap_sound();
}

/* Pages that only chunks without a block hold are pages that can be had. */
static void pages_reclaim_empty_chunks(void **state)
{
    (void)state;
    size_t all = acre_available_pages(pages);
    give(take(1000));
    give(take(100000));
    assert_true(acre_available_pages(pages) < all);
    uintptr_t run = take_pages(all);
    assert_int_equal(chunk_bytes(), 0);
    assert_int_equal(acre_alloc_pages(pages, 1, 1).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_pages_stats(pages).failed, 1);
    assert_int_equal(acre_heap_alloc(heap, acre_layout(1, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_heap_stats(heap).largest_free, 0);
    assert_int_equal(acre_dealloc_pages(pages, run, all), ACRE_OK);
    give(take(1));
}

/* Both at random, contents and accounts kept. */
static void both_at_random(void **state)
{
    enum { SLOTS = 64 };
    static struct {
        unsigned char *start;
        size_t size;
        bool pages;
    } slots[SLOTS];
    unsigned seed = 1;
    (void)state;
    for (int i = 0; i < 6000; i++) {
        seed = seed * 1103515245u + 12345u;
        size_t at = seed >> 8 & (SLOTS - 1);
        unsigned char mark = (unsigned char)at;
        if (slots[at].start != NULL) {
            assert_int_equal(slots[at].start[0], mark);
            assert_int_equal(slots[at].start[slots[at].size - 1], mark);
            enum acre_status status =
                slots[at].pages
                    ? acre_dealloc_pages(pages, (uintptr_t)slots[at].start, slots[at].size / PAGE)
                    : acre_heap_dealloc(heap, slots[at].start);
            assert_int_equal(status, ACRE_OK);
            slots[at].start = NULL;
        } else {
            slots[at].pages = (seed >> 20 & 3) == 0;
            slots[at].size =
                slots[at].pages ? (1 + (seed >> 16 & 7)) * PAGE : 1 + (seed >> 4 & 0xffff) % 9000;
            slots[at].start =
                slots[at].pages
                    ? (unsigned char *)acre_alloc_pages(pages, slots[at].size / PAGE, 1).num
                    : acre_heap_alloc(heap, acre_layout(slots[at].size, 1)).ptr;
            assert_non_null(slots[at].start);
            memset(slots[at].start, mark, slots[at].size);
        }
        if (i % 16 == 0)
            assert_heap_sound();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(pages_of_chunks_are_no_callers, make),
        cmocka_unit_test_setup(pages_with_conditions, make),
        cmocka_unit_test_setup(pages_are_no_blocks, make),
        cmocka_unit_test_setup(accounts_of_both, make),
        cmocka_unit_test_setup(pages_reclaim_empty_chunks, make),
        cmocka_unit_test_setup(both_at_random, make),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
