/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Heaps whose parts are none, tell nothing, or refuse; and the way of a request under locks. */
#include "heap/heap_private.h"
#include "heap/world.h"

#include <acre/tlsf_quick.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* ---- no parts ---- */

static void a_zeroed_heap_serves_nothing(void **state)
{
    static struct acre_heap none;
    const struct acre_run_limits limits = { 0 };
    (void)state;
    struct acre_bytes bytes = acre_heap_bytes(&none);
    struct acre_pages pages = acre_heap_pages(&none);
    assert_int_equal(acre_alloc(bytes, acre_layout(1, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_alloc(bytes, acre_layout(1, 3)).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_dealloc(bytes, &none), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_dealloc_sized(bytes, &none, acre_layout(1, 1)), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_resize(bytes, &none, 1), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_realloc(bytes, &none, acre_layout(1, 1)).status, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_heap_alloc_flags(&none, acre_layout(1, 1), 0).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_bytes_add_memory(bytes, world.memory, WORLD_SIZE), ACRE_INVALID_PARAM);
    assert_int_equal(acre_bytes_remove_memory(bytes, world.memory), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_page_size(pages), ACRE_NATURAL_ALIGN);
    assert_int_equal(acre_alloc_pages(pages, 1, 1).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_alloc_pages(pages, SIZE_MAX, 1).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_alloc_pages_at(pages, 0, 1, 1).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_alloc_pages_within(pages, 1, &limits).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_dealloc_pages(pages, 0, 1), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_bytes_stats(bytes).total, 0);
    assert_int_equal(acre_pages_stats(pages).failed, 4);
    assert_int_equal(acre_heap_release_empty(&none), 0);
    acre_pages_reset_peak(pages);
    acre_bytes_reset(bytes);
    assert_null(acre_bytes_check(bytes).invariant);
    assert_null(acre_pages_check(pages).invariant);
}

/* ---- the table of regions ---- */

enum { LARGE = 9 << 20 };
static _Alignas(PAGE) unsigned char large[LARGE];
static void *blocks[LARGE / PAGE];

/* Four pages in eight are taken, so that each chunk has four. */
static void fill_short_runs(struct acre_heap *own)
{
    static uintptr_t pages[LARGE / PAGE];
    size_t count = 0;
    struct acre_num got;
    while ((got = acre_heap_alloc_pages(own, 1, 1, 0)).status == ACRE_OK)
        pages[count++] = got.num;
    for (size_t i = 0; i < count; i++)
        if (i % 8 < 4)
            assert_int_equal(acre_heap_dealloc_pages(own, pages[i], 1), ACRE_OK);
    size_t made = 0;
    while (made < LARGE / PAGE && (blocks[made] = acre_heap_alloc(own, acre_layout(2000, 1)).ptr))
        made++;
    assert_null(acre_heap_check(own).invariant);
    assert_true(own->chunks > 100);
    for (size_t i = 0; i < made; i++) {
        assert_int_equal(acre_heap_dealloc(own, blocks[i]), ACRE_OK);
        if (ACRE_CHECK_POINTERS)
            assert_int_equal(acre_heap_dealloc(own, blocks[i]), ACRE_NOT_ALLOCATED);
    }
    for (size_t i = 0; i < count; i++)
        if (i % 8 >= 4)
            assert_int_equal(acre_heap_dealloc_pages(own, pages[i], 1), ACRE_OK);
    acre_heap_release_empty(own);
    assert_null(acre_heap_check(own).invariant);
    assert_int_equal(acre_heap_stats(own).used, 0);
}

static void use_table(struct acre_heap *own, const struct acre_regions *regions)
{
    assert_int_equal(acre_heap_init(own, large, sizeof large), ACRE_OK);
    assert_int_equal(acre_heap_stats(own).total, sizeof large);
    assert_int_equal(acre_heap_page_stats(own).total, sizeof large);
    assert_non_null(acre_regions_table(regions));
    void *table = large + sizeof large - own->table_bytes;
    assert_int_equal(acre_heap_add_memory(own, table, WORLD_SIZE), ACRE_MEMORY_OVERLAP);
    fill_short_runs(own);
    acre_heap_reset(own);
    assert_non_null(acre_regions_table(regions));
    fill_short_runs(own);
    assert_int_equal(acre_heap_add_memory(own, world.memory, WORLD_SIZE), ACRE_OK);
    assert_int_equal(acre_heap_remove_memory(own, world.memory), ACRE_OK);
    assert_non_null(acre_regions_table(regions));
    assert_int_equal(acre_heap_remove_memory(own, large), ACRE_OK);
    assert_null(acre_regions_table(regions));
    assert_int_equal(acre_heap_stats(own).total, 0);
    assert_int_equal(acre_heap_init(own, world.memory, WORLD_SIZE), ACRE_OK);
    assert_null(acre_regions_table(regions));
    assert_int_equal(acre_heap_stats(own).total, WORLD_SIZE);
}

static void large_heaps_have_a_table(void **state)
{
    static struct acre_heap_tlsf tlsf;
    static struct acre_heap_slab slab;
    static struct acre_heap_buddy buddy;
    (void)state;
    use_table(acre_heap_over_tlsf(&tlsf), &tlsf.tlsf.regions);
    use_table(acre_heap_over_slab(&slab), &slab.slab.regions);
    use_table(acre_heap_over_buddy(&buddy), &buddy.buddy.regions);
}

/* A size of pages without which no bundle can be set up. */
static void region_sizes_of_a_bundle_end(void **state)
{
    static struct acre_heap_slab own;
    (void)state;
    assert_int_equal(acre_heap_slab_setup(&own, PAGE), ACRE_OK);
    own.heap.page_size = SIZE_MAX / 2 + 1;
    assert_int_equal(acre_heap_slab_backing.region_size(&own, acre_layout(1, 1)), 0);
    own.heap.page_size = PAGE;
    assert_int_equal(acre_heap_slab_backing.region_size(&own, acre_layout(SIZE_MAX / 2, 1)), 0);
    assert_true(acre_heap_slab_backing.region_size(&own, acre_layout(1, 1)) > PAGE);
    assert_int_equal(acre_heap_add_memory(&own.heap, world.memory, WORLD_SIZE), ACRE_OK);
    assert_int_equal(acre_heap_slab_setup(&own, PAGE), ACRE_INVALID_PARAM);
    assert_int_equal(acre_heap_add_memory(&own.heap, NULL, WORLD_SIZE), ACRE_INVALID_PARAM);
    assert_int_equal(acre_heap_add_memory(&own.heap, world.memory, SIZE_MAX), ACRE_INVALID_PARAM);
    assert_int_equal(acre_heap_add_memory(&own.heap, world.memory, 1), ACRE_INVALID_PARAM);
}

/* ---- a byte allocator that does not tell of frees ---- */

static struct acre_heap over_quick;
static struct acre_tlsf_quick quick;
static struct acre_bitmap pages;

static int make_quick(void **state)
{
    (void)state;
    memset(&over_quick, 0, sizeof over_quick);
    memset(&quick, 0, sizeof quick);
    memset(&pages, 0, sizeof pages);
    struct acre_heap_parts parts = {
        .backing = &acre_tlsf_quick_backing, .self = &quick, .pages = acre_bitmap_pages(&pages)
    };
    return acre_bitmap_setup(&pages, PAGE) != ACRE_OK ||
           acre_heap_setup(&over_quick, &parts) != ACRE_OK ||
           acre_heap_init(&over_quick, world.memory, WORLD_SIZE) != ACRE_OK;
}

/* Chunks that large blocks have left go back after enough moves, each of which frees a block. */
static void frees_are_counted(void **state)
{
    enum { SIZE = 100000 };
    (void)state;
    struct acre_bytes bytes = acre_heap_bytes(&over_quick);
    void *kept[4];
    for (size_t i = 0; i < 4; i++)
        kept[i] = acre_alloc(bytes, acre_layout(SIZE, 1)).ptr;
    size_t before = acre_pages_stats(acre_heap_pages(&over_quick)).used;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(acre_dealloc(bytes, kept[i]), ACRE_OK);
    for (size_t i = 0; i < 2 * ACRE_HEAP_SCAN_INTERVAL; i++) {
        void *ptr = acre_alloc(bytes, acre_layout(16, 1)).ptr;
        assert_int_equal(acre_alloc(bytes, acre_layout(16, 1)).status, ACRE_OK); /* behind it */
        struct acre_ptr moved = acre_realloc(bytes, ptr, acre_layout(200, 1));
        assert_int_equal(moved.status, ACRE_OK);
        assert_ptr_not_equal(moved.ptr, ptr);
    }
    assert_true(acre_pages_stats(acre_heap_pages(&over_quick)).used < before);
    struct acre_layout layout = acre_layout(SIZE, 1);
    assert_int_equal(
        acre_dealloc_sized(bytes, kept[3], acre_layout(SIZE / 2, 1)), ACRE_INVALID_PARAM);
    assert_int_equal(acre_dealloc_sized(bytes, kept[3], layout), ACRE_OK);
    if (ACRE_CHECK_POINTERS)
        assert_int_equal(acre_dealloc_sized(bytes, kept[3], layout), ACRE_NOT_ALLOCATED);
    kept[3] = acre_alloc(bytes, layout).ptr;
    assert_int_equal(acre_dealloc(bytes, kept[3]), ACRE_OK);
    if (ACRE_CHECK_POINTERS)
        assert_int_equal(acre_dealloc(bytes, kept[3]), ACRE_NOT_ALLOCATED);
    assert_null(acre_heap_check(&over_quick).invariant);
}

/* ---- under locks ---- */

/* Empty chunks are in the way of a larger one: they go back, and it is served. */
static void empty_chunks_make_way(void **state)
{
    (void)state;
    void *block = take(WORLD_SIZE / 2);
    give(block);
    void *larger = take(WORLD_SIZE / 4 * 3);
    assert_int_equal(acre_heap_stats(heap).failed, 0);
    give(larger);
    void *some = take(WORLD_SIZE / 2);
    give(some);
    struct acre_num got = acre_heap_alloc_pages(heap, WORLD_PAGES / 4 * 3, 1, 0);
    assert_int_equal(got.status, ACRE_OK);
    assert_int_equal(acre_heap_dealloc_pages(heap, got.num, WORLD_PAGES / 4 * 3), ACRE_OK);
    assert_heap_sound();
}

struct rescue {
    size_t calls;
    void *block;
};

/* Frees one block, then gives up. */
static bool rescue(void *arg, struct acre_layout layout)
{
    struct rescue *own = arg;
    assert_true(layout.size != 0);
    return own->calls++ == 0 && acre_heap_dealloc(heap, own->block) == ACRE_OK;
}

/* What the handler frees is enough where it lies: no chunk is asked for. */
static void a_handler_frees_just_enough(void **state)
{
    (void)state;
    struct rescue own = { .block = take(20000) };
    while (acre_heap_alloc(heap, acre_layout(20000, 1)).status == ACRE_OK)
        continue;
    while (acre_heap_alloc(heap, acre_layout(500, 1)).status == ACRE_OK)
        continue;
    acre_heap_set_on_exhausted(heap, rescue, &own);
    size_t searches = world.turnstile.searches;
    struct acre_ptr got = acre_heap_alloc(heap, acre_layout(20000, 1));
    assert_int_equal(got.status, ACRE_OK);
    assert_ptr_equal(got.ptr, own.block);
    assert_int_equal(own.calls, 1);
    size_t failed = acre_heap_stats(heap).failed;
    assert_int_equal(acre_heap_alloc(heap, acre_layout(20000, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(own.calls, 2);
    assert_int_equal(acre_heap_stats(heap).failed, failed + 1);
    assert_true(world.turnstile.searches >= searches);
    assert_heap_sound();
}

/* ---- the reserve ---- */

static void conditions_and_the_reserve(void **state)
{
    (void)state;
    const struct acre_run_limits aligned = { .align = (size_t)2 * PAGE };
    const struct acre_run_limits odd = { .align = 3 };
    acre_heap_set_reserve(heap, WORLD_PAGES / 2);
    struct acre_num got = acre_heap_alloc_pages_within(heap, 1, &aligned, 0);
    assert_int_equal(got.status, ACRE_OK);
    assert_int_equal(got.num % (2 * PAGE), 0);
    assert_int_equal(acre_heap_alloc_pages_within(heap, 1, &odd, 0).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_heap_alloc_pages_within(heap, WORLD_PAGES * 3 / 4, &aligned, 0).status,
        ACRE_NO_MEMORY);
    const struct acre_run_limits none = { .align = 0 }; /* any page will do */
    assert_int_equal(
        acre_heap_alloc_pages_within(heap, WORLD_PAGES * 3 / 4, &none, 0).status, ACRE_NO_MEMORY);
    got = acre_heap_alloc_pages_within(heap, WORLD_PAGES * 3 / 4, &aligned, ACRE_HEAP_RESERVE);
    assert_int_equal(got.status, ACRE_OK);
    assert_heap_sound();
}

/* ---- damaged records ---- */

/* The chunk examined last is damaged: a new chunk starts a ring of its own, and nothing is taken
 * out through the damaged one. */
static void a_ring_starts_anew(void **state)
{
    (void)state;
    void *block = take(1000);
    struct acre_heap_chunk *chunk = heap->ring;
    chunk->ring_checksum ^= 1;
    assert_int_equal(acre_heap_dealloc(heap, block), ACRE_OK);
    assert_int_equal(acre_heap_release_empty(heap), 0);
    struct acre_ptr got = acre_heap_alloc(heap, acre_layout(100000, 1));
    assert_int_equal(got.status, ACRE_OK);
    assert_ptr_not_equal(heap->ring, chunk);
    assert_ptr_equal(heap->ring->ring_next, heap->ring);
    assert_non_null(acre_heap_check(heap).invariant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zeroed_heap_serves_nothing),
        cmocka_unit_test(large_heaps_have_a_table),
        cmocka_unit_test(region_sizes_of_a_bundle_end),
        cmocka_unit_test_setup(frees_are_counted, make_quick),
        cmocka_unit_test_setup(empty_chunks_make_way, world_make_locked),
        cmocka_unit_test_setup(a_handler_frees_just_enough, world_make_locked),
        cmocka_unit_test_setup(conditions_and_the_reserve, world_make),
        cmocka_unit_test_setup(a_ring_starts_anew, world_make),
    };
    return cmocka_run_group_tests_name("heap parts", tests, NULL, NULL);
}
