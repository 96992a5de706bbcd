/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Chunks: how they grow, shrink, and make room for each other. */
#include "heap/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static size_t free_pages(void)
{
    return acre_heap_page_stats(heap).available / PAGE;
}

static void nothing_is_taken_before_it_is_needed(void **state)
{
    (void)state;
    assert_int_equal(acre_heap_page_stats(heap).used, 0);
    take(1);
    assert_int_equal(acre_heap_page_stats(heap).used, ACRE_HEAP_FIRST_CHUNK);
}

/* Each chunk is as large as all before it. */
static void chunks_double_what_is_held(void **state)
{
    size_t held = ACRE_HEAP_FIRST_CHUNK;
    (void)state;
    take(1000);
    for (int i = 0; i < 900; i++) {
        take(1000);
        if (chunk_bytes() != held) {
            assert_int_equal(chunk_bytes(), 2 * held);
            held = chunk_bytes();
        }
    }
    assert_true(held >= 900 * 1000);
}

/* A request that the usual chunk cannot serve gets one that fits it, to the page. */
static void a_large_request_has_its_chunk_fitted(void **state)
{
    (void)state;
    for (size_t size = 40000; size < 400000; size += 30011) {
        void *ptr = take(size);
        assert_true(chunk_bytes() >= size);
        assert_true(chunk_bytes() <= size + size / 64 + 2 * PAGE);
        memset(ptr, 1, size);
        give(ptr);
        assert_true(acre_heap_release_empty(heap) > size);
        assert_int_equal(chunk_bytes(), 0);
    }
}

static void alignments_beyond_a_page_are_served(void **state)
{
    (void)state;
    for (size_t align = 16; align <= (size_t)256 << 10; align *= 2) {
        struct acre_ptr got = acre_heap_alloc(heap, acre_layout(100, align));
        assert_int_equal(got.status, ACRE_OK);
        assert_int_equal((uintptr_t)got.ptr % align, 0);
        give(got.ptr);
        acre_heap_release_empty(heap);
    }
}

/* Every second page of what is free is taken away, so that no run has two. */
static void checker_pages(void)
{
    uintptr_t pages[WORLD_PAGES];
    size_t count = 0;
    struct acre_num got;
    while ((got = acre_heap_alloc_pages(heap, 1, 1, 0)).status == ACRE_OK)
        pages[count++] = got.num;
    for (size_t i = 0; i < count; i += 2)
        assert_int_equal(acre_heap_dealloc_pages(heap, pages[i], 1), ACRE_OK);
}

static void smaller_chunks_serve_where_no_large_run_is_free(void **state)
{
    (void)state;
    checker_pages();
    size_t free = free_pages();
    for (size_t i = 1; i <= free; i++) {
        take(3500);
        assert_int_equal(chunk_bytes(), i * PAGE);
    }
    assert_int_equal(acre_heap_alloc(heap, acre_layout(3500, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_heap_stats(heap).failed, 1);
}

/* The page source answers for itself: sizes it refuses are halved. */
static void a_refused_size_is_halved(void **state)
{
    (void)state;
    world.turnstile.refuse_from = 3;
    take(100);
    assert_int_equal(chunk_bytes(), 2 * PAGE);
    world.turnstile.refuse_from = 1;
    while (acre_heap_alloc(heap, acre_layout(100, 1)).status == ACRE_OK)
        ;
    assert_int_equal(chunk_bytes(), 2 * PAGE);
    assert_heap_sound();
}

/* ---- giving back ---- */

enum { COUNT = 4000 };

static void *blocks[COUNT];

static void fill_from(size_t from, size_t size, size_t count)
{
    for (size_t i = from; i < count; i++) {
        blocks[i] = acre_heap_alloc(heap, acre_layout(size, 1)).ptr;
        assert_non_null(blocks[i]);
    }
    assert_heap_sound();
}

static void fill(size_t size, size_t count)
{
    fill_from(0, size, count);
}

static void free_from(size_t from, size_t count)
{
    for (size_t i = count; i > from; i--)
        assert_int_equal(acre_heap_dealloc(heap, blocks[i - 1]), ACRE_OK);
    assert_heap_sound();
}

static void empty_chunks_go_back(void **state)
{
    (void)state;
    fill(200, COUNT);
    assert_true(chunk_bytes() >= 200 * COUNT);
    free_from(0, COUNT);
    assert_true(chunk_bytes() < 200 * COUNT / 2);
    acre_heap_release_empty(heap);
    assert_int_equal(chunk_bytes(), 0);
    assert_int_equal(free_pages(), acre_heap_stats(heap).available / PAGE);
}

/* A rise and fall below the first chunk, or that stays above half, takes and gives back nothing. */
static void chunks_stay_while_they_are_of_use(void **state)
{
    (void)state;
    fill(200, COUNT);
    size_t held = chunk_bytes();
    size_t searches = world.turnstile.searches;
    for (size_t round = 0; round < 20; round++) {
        free_from(COUNT * 6 / 10, COUNT);
        assert_int_equal(chunk_bytes(), held);
        fill_from(COUNT * 6 / 10, 200, COUNT);
    }
    assert_int_equal(world.turnstile.searches, searches);
    free_from(0, COUNT);
    acre_heap_release_empty(heap);
    give(take(100));
    searches = world.turnstile.searches;
    for (size_t i = 0; i < 4 * ACRE_HEAP_SCAN_INTERVAL; i++)
        give(take(20000));
    assert_int_equal(world.turnstile.searches, searches);
    assert_int_equal(chunk_bytes(), ACRE_HEAP_FIRST_CHUNK);
}

/* What stays after a look is twice what is in use, and no less. */
static void half_of_the_chunks_stays_free(void **state)
{
    (void)state;
    fill(200, COUNT);
    for (size_t left = COUNT; left > 0; left--) {
        assert_int_equal(acre_heap_dealloc(heap, blocks[left - 1]), ACRE_OK);
        struct acre_stats bytes = acre_tlsf_stats(&world.own.tlsf);
        assert_true(bytes.total >= 2 * bytes.used || left > COUNT / 3);
    }
}

/* A program that fills memory with one size, frees all, and wants it in another. */
static void empty_chunks_are_no_obstacle(void **state)
{
    (void)state;
    size_t count = 0;
    while (count < COUNT && (blocks[count] = acre_heap_alloc(heap, acre_layout(400, 1)).ptr))
        count++;
    struct acre_stats full = acre_heap_stats(heap);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(acre_heap_dealloc(heap, blocks[i]), ACRE_OK);
    size_t most = full.used - full.used / 16;
    give(take(most));
    assert_int_equal(acre_heap_stats(heap).failed, 0);
    for (size_t i = 0; i < 3; i++)
        give(take(most));
}

static void a_region_with_empty_chunks_is_taken_back(void **state)
{
    static _Alignas(PAGE) unsigned char more[64 * PAGE];
    (void)state;
    fill(300, 300);
    assert_int_equal(acre_heap_add_memory(heap, more, sizeof more), ACRE_OK);
    assert_int_equal(acre_heap_add_memory(heap, more, sizeof more), ACRE_MEMORY_OVERLAP);
    assert_int_equal(acre_heap_remove_memory(heap, world.memory), ACRE_INVALID_PARAM);
    assert_heap_sound();
    free_from(0, 300);
    assert_int_equal(acre_heap_remove_memory(heap, world.memory), ACRE_OK);
    assert_int_equal(acre_heap_remove_memory(heap, world.memory), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_heap_stats(heap).total, sizeof more);
    void *ptr = take(100);
    assert_true((unsigned char *)ptr >= more && (unsigned char *)ptr < more + sizeof more);
    give(ptr);
    assert_int_equal(acre_heap_remove_memory(heap, more), ACRE_OK);
    assert_int_equal(acre_heap_stats(heap).total, 0);
}

/* Pages smaller than a chunk's record: what is left of them promises nothing. */
static void the_smallest_pages(void **state)
{
    (void)state;
    for (size_t page = ACRE_NATURAL_ALIGN; page <= 256; page *= 2) {
        memset(&world.own, 0, sizeof world.own);
        assert_int_equal(acre_heap_tlsf_setup(&world.own, page), ACRE_OK);
        assert_int_equal(acre_heap_init(heap, world.memory, 8 * PAGE), ACRE_OK);
        while (acre_heap_alloc_pages(heap, 1, 1, 0).status == ACRE_OK) {
            struct acre_stats stats = acre_heap_stats(heap);
            if (stats.largest_free > stats.available)
                fail_msg("page %zu: %zu of %zu", page, stats.largest_free, stats.available);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_is_taken_before_it_is_needed, world_make),
        cmocka_unit_test_setup(chunks_double_what_is_held, world_make),
        cmocka_unit_test_setup(a_large_request_has_its_chunk_fitted, world_make),
        cmocka_unit_test_setup(alignments_beyond_a_page_are_served, world_make),
        cmocka_unit_test_setup(smaller_chunks_serve_where_no_large_run_is_free, world_make),
        cmocka_unit_test_setup(a_refused_size_is_halved, world_make_guarded),
        cmocka_unit_test_setup(empty_chunks_go_back, world_make),
        cmocka_unit_test_setup(chunks_stay_while_they_are_of_use, world_make_guarded),
        cmocka_unit_test_setup(half_of_the_chunks_stays_free, world_make),
        cmocka_unit_test_setup(empty_chunks_are_no_obstacle, world_make),
        cmocka_unit_test_setup(a_region_with_empty_chunks_is_taken_back, world_make),
        cmocka_unit_test_setup(the_smallest_pages, world_make),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
