/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Conditions of the heap that whole scenarios do not come to, each decided alone. */
#include "heap/heap_private.h"
#include "heap/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

enum { LARGE_PAGE = 4 * ACRE_HEAP_FIRST_CHUNK };

/* ---- counts of blocks, with locks and without ---- */

/* A resize that fails is counted once, by the byte allocator where that calls the heap. */
static void failed_resizes_are_counted_once(void **state)
{
    unsigned char *low = take(100);
    unsigned char *wall = take(100);
    size_t failed = acre_heap_stats(heap).failed;
    (void)state;
    assert_int_equal(acre_heap_resize(heap, low, WORLD_SIZE), ACRE_NO_MEMORY);
    assert_int_equal(acre_heap_stats(heap).failed, failed + 1);
    if (ACRE_CHECK_POINTERS)
        assert_int_equal(acre_heap_resize(heap, low + 1, 10), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_heap_resize(heap, low, 100), ACRE_OK);
    assert_int_equal(acre_heap_stats(heap).failed, failed + 1);
    memset(low, 0x5c, 100);
    unsigned char *moved = acre_heap_realloc(heap, low, acre_layout(5000, 1)).ptr;
    assert_ptr_not_equal(moved, low);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(moved[i], 0x5c);
    give(moved);
    give(wall);
    assert_heap_sound();
}

static bool promise(void *calls, struct acre_layout layout)
{
    (void)layout;
    ++*(unsigned *)calls;
    return true;
}

/* A handler that promises memory and brings none. */
static void an_empty_promise_ends(void **state)
{
    unsigned calls = 0;
    (void)state;
    acre_heap_set_on_exhausted(heap, promise, &calls);
    assert_int_equal(
        acre_heap_alloc_flags(heap, acre_layout(2 * WORLD_SIZE, 1), 0).status, ACRE_NO_MEMORY);
    assert_int_equal(calls, ACRE_EXHAUSTED_RETRIES);
    acre_heap_set_on_exhausted(heap, NULL, NULL);
    assert_heap_sound();
}

/* ---- a heap that is not set up, and settings that are refused ---- */

static void a_sized_free_without_parts(void **state)
{
    static struct acre_heap none;
    (void)state;
    assert_int_equal(
        acre_heap_dealloc_sized(&none, world.memory, acre_layout(1, 1)), ACRE_NOT_ALLOCATED);
}

static void sizes_of_pages_are_powers_of_two(void **state)
{
    static struct acre_heap_buddy own;
    (void)state;
    assert_int_equal(acre_heap_buddy_setup(&own, PAGE + ACRE_NATURAL_ALIGN), ACRE_INVALID_PARAM);
    assert_int_equal(acre_heap_buddy_setup(&own, PAGE), ACRE_OK);
    assert_int_equal(
        acre_heap_buddy_backing.region_size(&own, acre_layout(SIZE_MAX / 4 - PAGE, 1)), 0);
}

/* No least size: the page allocator says that no bytes are no range. */
static void no_bytes_are_no_range(void **state)
{
    static struct acre_heap over;
    static struct acre_tlsf tlsf;
    static struct acre_bitmap pages;
    struct acre_heap_parts parts = {
        .backing = &acre_tlsf_backing, .self = &tlsf, .pages = acre_bitmap_pages(&pages)
    };
    (void)state;
    assert_int_equal(acre_bitmap_setup(&pages, PAGE), ACRE_OK);
    assert_int_equal(acre_heap_setup(&over, &parts), ACRE_OK);
    assert_int_equal(acre_heap_init(&over, world.memory, 0), ACRE_INVALID_PARAM);
    assert_int_equal(acre_heap_add_memory(&over, world.memory, 0), ACRE_INVALID_PARAM);
    assert_int_equal(acre_heap_add_memory(&over, &over, 1), ACRE_MEMORY_OVERLAP);
    assert_int_equal(acre_heap_stats(&over).total, 0);
}

/* ---- pages ---- */

/* A page larger than the first chunk: a chunk is one page at least. */
static void a_page_may_be_larger_than_a_chunk(void **state)
{
    static struct acre_heap_tlsf own;
    static _Alignas(PAGE) unsigned char memory[6 * LARGE_PAGE];
    (void)state;
    assert_int_equal(acre_heap_tlsf_setup(&own, LARGE_PAGE), ACRE_OK);
    assert_int_equal(acre_heap_init(&own.heap, memory, sizeof memory), ACRE_OK);
    assert_non_null(acre_heap_alloc(&own.heap, acre_layout(1, 1)).ptr);
    assert_int_equal(own.heap.chunk_pages, 1);
    assert_null(acre_heap_check(&own.heap).invariant);
}

/* Beside a reserve, a bad request is still one that the page allocator refuses by name. */
static void a_reserve_and_bad_limits(void **state)
{
    struct acre_pages pages = acre_heap_pages(heap);
    struct acre_run_limits limits = { .boundary = 3 };
    (void)state;
    acre_heap_set_reserve(heap, WORLD_PAGES);
    assert_int_equal(acre_alloc_pages_within(pages, 1, &limits).status, ACRE_INVALID_PARAM);
    limits.boundary = 0;
    assert_int_equal(acre_alloc_pages_within(pages, 1, &limits).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_alloc_pages(pages, 1, 1).status, ACRE_NO_MEMORY);
    acre_heap_set_reserve(heap, 0);
    assert_int_equal(acre_alloc_pages_within(pages, 1, &limits).status, ACRE_OK);
}

struct shown {
    size_t runs;
    size_t bytes;
};

static bool show(void *arg, void *start, size_t size, bool live)
{
    struct shown *shown = arg;
    assert_non_null(start);
    assert_false(live);
    shown->runs++;
    shown->bytes += size;
    return true;
}

/* More free runs of pages than are shown: the largest of them are. */
static void the_largest_runs_are_shown(void **state)
{
    struct acre_pages pages = acre_heap_pages(heap);
    uintptr_t runs[WORLD_PAGES / 4];
    size_t count = 0;
    struct shown shown = { 0 };
    (void)state;
    for (struct acre_num got; count < WORLD_PAGES / 4; count++) {
        got = acre_alloc_pages(pages, 3, 1);
        if (got.status != ACRE_OK)
            break;
        runs[count] = got.num;
    }
    assert_true(count > 80);
    while (acre_alloc_pages(pages, 1, 1).status == ACRE_OK)
        continue;
    for (size_t i = 0; i < count; i++)
        assert_int_equal(acre_dealloc_pages(pages, runs[i], 2), ACRE_OK);
    struct acre_stats before = acre_pages_stats(pages);
    acre_heap_tlsf_backing.visit_free(heap, show, &shown);
    assert_int_equal(shown.runs, 64);
    assert_int_equal(shown.bytes, 64 * 2 * PAGE);
    assert_int_equal(acre_pages_stats(pages).used, before.used);
    assert_null(acre_pages_check(pages).invariant);
}

/* ---- damage ---- */

/* A record whose numbers agree, but which does not lie where a page begins. */
static void a_record_off_the_page(void **state)
{
    struct acre_heap_chunk fake = { .pages = 1, .ring_next = NULL };
    (void)state;
    uintptr_t at = (uintptr_t)&fake;
    fake.start = at - heap_chunk_bytes(heap, 1) - HEAP_GUARD;
    if ((fake.start & (PAGE - 1)) == 0)
        skip();
    fake.ring_checksum = heap_ring_checksum(&fake);
    fake.run_checksum = heap_run_checksum(&fake);
    assert_false(heap_is_sound_in_ring(heap, &fake));
    assert_false(heap_is_sound_in_runs(heap, &fake));
    take(1000);
    assert_true(heap_is_sound_in_ring(heap, heap->ring));
    assert_true(heap_is_sound_in_runs(heap, heap->runs));
}

/* A chunk whose record is damaged is left alone, and so are those behind it; what comes later is
 * not. */
static void a_ring_is_begun_anew(void **state)
{
    (void)state;
    if (ACRE_ASSERTS) /* HEAP-3 is asserted, and does not hold */
        skip();
    void *kept = take(1000);
    heap->ring->ring_checksum ^= 1;
    void *large = acre_heap_alloc(heap, acre_layout(WORLD_SIZE / 4, 1)).ptr;
    assert_non_null(large);
    assert_ptr_equal(heap->ring->ring_next, heap->ring);
    assert_int_equal(heap->chunks, 2);
    assert_int_equal(acre_heap_dealloc(heap, large), ACRE_OK);
    (void)acre_heap_release_empty(heap);
    assert_null(heap->ring);
    assert_int_equal(heap->chunks, 1);
    (void)acre_heap_release_empty(heap);
    assert_memory_equal(acre_heap_check(heap).invariant, "HEAP-3", 6);
    assert_int_equal(acre_heap_dealloc(heap, kept), ACRE_OK);
    assert_non_null(acre_heap_alloc(heap, acre_layout(1000, 1)).ptr);
}

/* A chunk is counted, and neither in the ring nor in the byte allocator. */
static void a_chunk_too_many(void **state)
{
    (void)state;
    heap->chunks = 1;
    assert_memory_equal(acre_heap_check(heap).invariant, "HEAP-3", 6);
    heap->chunks = 0;
    assert_heap_sound();
}

/* ---- address space without memory ---- */

/* More free pages in a row than a block of TLSF has. */
static void the_largest_block_is_the_byte_allocators(void **state)
{
    static struct acre_heap_tlsf own;
    (void)state;
    if (sizeof(void *) < 8)
        skip();
    size_t size = (size_t)40 << (sizeof(void *) * 4 - 2);
    void *space = mmap(
        NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (space == MAP_FAILED)
        skip();
    assert_int_equal(acre_heap_tlsf_setup(&own, PAGE), ACRE_OK);
    assert_int_equal(acre_heap_init(&own.heap, space, size), ACRE_OK);
    size_t largest = acre_heap_stats(&own.heap).largest_free;
    assert_true(largest <= own.heap.parts.backing->largest_block);
    assert_true(largest > size / 8);
    assert_int_equal(munmap(space, size), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(failed_resizes_are_counted_once, world_make),
        { "failed_resizes_are_counted_once, locked", failed_resizes_are_counted_once,
            world_make_locked, NULL, NULL },
        cmocka_unit_test_setup(an_empty_promise_ends, world_make),
        { "an_empty_promise_ends, locked", an_empty_promise_ends, world_make_locked, NULL, NULL },
        cmocka_unit_test(a_sized_free_without_parts),
        cmocka_unit_test(sizes_of_pages_are_powers_of_two),
        cmocka_unit_test(no_bytes_are_no_range),
        cmocka_unit_test(a_page_may_be_larger_than_a_chunk),
        cmocka_unit_test_setup(a_reserve_and_bad_limits, world_make),
        cmocka_unit_test_setup(the_largest_runs_are_shown, world_make),
        cmocka_unit_test_setup(a_record_off_the_page, world_make),
        cmocka_unit_test_setup(a_ring_is_begun_anew, world_make),
        cmocka_unit_test_setup(a_chunk_too_many, world_make),
        cmocka_unit_test(the_largest_block_is_the_byte_allocators),
    };
    return cmocka_run_group_tests_name("heap.conditions", tests, NULL, NULL);
}
