/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * The pages and ids families over the handle: every status of every verb, regions, extremes.
 */
#include <acre/bitmap.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE ((size_t)4096)

ACRE_BITMAP_STATIC(meta_a, 5000);
ACRE_BITMAP_STATIC(meta_b, 5000);

/** An allocator of `pages` pages from address `start` on, metadata apart. */
static struct acre_pages make(struct acre_bitmap *bitmap, uintptr_t start, size_t pages)
{
    assert_int_equal(ACRE_OK, acre_bitmap_setup(bitmap, PAGE));
    assert_int_equal(
        ACRE_OK, acre_bitmap_add_memory_apart(bitmap, start, pages * PAGE, meta_a, sizeof meta_a));
    return acre_bitmap_pages(bitmap);
}

static void assert_sound(struct acre_base base)
{
    struct acre_stats stats = acre_stats(base);

    assert_null(acre_check(base).invariant);
    assert_int_equal(stats.total, stats.metadata + stats.used + stats.available);
    assert_true(stats.used <= stats.total && stats.available <= stats.total);
}

static void test_first_fit_is_lowest(void **state)
{
    struct acre_bitmap bitmap = { 0 };
    struct acre_pages pages = make(&bitmap, 0, 2000);
    uintptr_t i;

    (void)state;
    for (i = 0; i < 2000; i++)
        assert_int_equal(i * PAGE, acre_alloc_pages(pages, 1, 1).num);
    assert_int_equal(ACRE_NO_MEMORY, acre_alloc_pages(pages, 1, 1).status);
    assert_int_equal(ACRE_OK, acre_dealloc_pages(pages, 1500 * PAGE, 3));
    assert_int_equal(ACRE_OK, acre_dealloc_pages(pages, 700 * PAGE, 2));
    assert_int_equal(1500 * PAGE, acre_alloc_pages(pages, 3, PAGE).num);
    assert_int_equal(700 * PAGE, acre_alloc_pages(pages, 1, PAGE).num);
    assert_int_equal(701 * PAGE, acre_alloc_pages(pages, 1, 2).num);
    assert_int_equal(2000, acre_used_pages(pages));
    assert_int_equal(2000, acre_total_pages(pages));
    assert_int_equal(0, acre_available_pages(pages));
    assert_sound(acre_pages_base(pages));
}

static void test_arguments(void **state)
{
    struct acre_bitmap bitmap = { 0 };
    struct acre_pages pages = make(&bitmap, 0, 100);

    (void)state;
    assert_int_equal(ACRE_INVALID_PARAM, acre_bitmap_setup(&bitmap, 0));
    assert_int_equal(ACRE_INVALID_PARAM, acre_bitmap_setup(&bitmap, 4095));
    assert_int_equal(ACRE_INVALID_PARAM, acre_alloc_pages(pages, 0, PAGE).status);
    assert_int_equal(ACRE_INVALID_PARAM, acre_alloc_pages(pages, 1, 0).status);
    assert_int_equal(ACRE_INVALID_PARAM, acre_alloc_pages(pages, 1, 3 * PAGE).status);
    assert_int_equal(ACRE_NO_MEMORY, acre_alloc_pages(pages, 101, PAGE).status);
    assert_int_equal(ACRE_NO_MEMORY, acre_alloc_pages(pages, SIZE_MAX, PAGE).status);
    assert_int_equal(ACRE_INVALID_PARAM, acre_alloc_pages_at(pages, 1, 1, 1).status);
    assert_int_equal(ACRE_INVALID_PARAM, acre_alloc_pages_at(pages, PAGE, 1, 2 * PAGE).status);
    assert_int_equal(ACRE_INVALID_PARAM, acre_alloc_pages_at(pages, 0, 0, 1).status);
    assert_int_equal(ACRE_NO_MEMORY, acre_alloc_pages_at(pages, 99 * PAGE, 2, 1).status);
    assert_int_equal(ACRE_NO_MEMORY, acre_alloc_pages_at(pages, 100 * PAGE, 1, 1).status);
    assert_int_equal(ACRE_NO_MEMORY, acre_alloc_pages_at(pages, 0, SIZE_MAX, 1).status);
    assert_int_equal(ACRE_INVALID_PARAM, acre_dealloc_pages(pages, 0, 0));
    assert_int_equal(ACRE_INVALID_PARAM, acre_dealloc_pages(pages, 17, 1));
    assert_int_equal(ACRE_NOT_ALLOCATED, acre_dealloc_pages(pages, 0, 1));
    assert_int_equal(ACRE_NOT_ALLOCATED, acre_dealloc_pages(pages, 100 * PAGE, 1));
    assert_int_equal(ACRE_NOT_ALLOCATED, acre_dealloc_pages(pages, 0, SIZE_MAX));
    assert_int_equal(0, acre_used_pages(pages));
    assert_int_equal(5, acre_pages_stats(pages).failed);
    assert_sound(acre_pages_base(pages));
}

static void test_half_free_range_is_refused_whole(void **state)
{
    struct acre_bitmap bitmap = { 0 };
    struct acre_pages pages = make(&bitmap, 64 * PAGE, 1000);

    (void)state;
    assert_int_equal(ACRE_OK, acre_alloc_pages(pages, 600, PAGE).status);
    assert_int_equal(ACRE_OK, acre_dealloc_pages(pages, (64 + 300) * PAGE, 1));
    assert_int_equal(ACRE_NOT_ALLOCATED, acre_dealloc_pages(pages, 64 * PAGE, 600));
    assert_int_equal(599, acre_used_pages(pages));
    assert_true(acre_bitmap_is_allocated(&bitmap, 64 * PAGE, 300));
    assert_false(acre_bitmap_is_allocated(&bitmap, 64 * PAGE, 301));
    assert_int_equal(ACRE_OK, acre_dealloc_pages(pages, 64 * PAGE, 300));
    assert_int_equal(ACRE_OK, acre_dealloc_pages(pages, (64 + 301) * PAGE, 299));
    assert_int_equal(1000 * PAGE, acre_pages_stats(pages).largest_free);
    assert_sound(acre_pages_base(pages));
}

/** Alignment counts from address 0, wherever the range begins. */
static void test_alignment_is_of_the_address(void **state)
{
    struct acre_bitmap bitmap = { 0 };
    struct acre_pages pages = make(&bitmap, 7 * PAGE, 4096);
    size_t align;

    (void)state;
    for (align = 1; align <= 2048; align *= 2) {
        struct acre_num run = acre_alloc_pages(pages, 1, align * PAGE);

        assert_int_equal(ACRE_OK, run.status);
        assert_int_equal(0, run.num % (align * PAGE));
    }
    assert_sound(acre_pages_base(pages));
}

static void test_overlap(void **state)
{
    struct acre_bitmap bitmap = { 0 };
    const uintptr_t start = 1000 * PAGE;
    const size_t size = 100 * PAGE;
    const struct {
        uintptr_t start;
        size_t size;
        enum acre_status status;
    } table[] = {
        { start, size, ACRE_MEMORY_OVERLAP },
        { start - PAGE, 2 * PAGE, ACRE_MEMORY_OVERLAP },
        { start + size - 1, PAGE * 2, ACRE_MEMORY_OVERLAP },
        { start - PAGE, size + 2 * PAGE, ACRE_MEMORY_OVERLAP },
        { start + PAGE, PAGE, ACRE_MEMORY_OVERLAP },
        { start, 0, ACRE_INVALID_PARAM },
        { 0, PAGE - 1, ACRE_INVALID_PARAM },
        { 1, PAGE, ACRE_INVALID_PARAM },
        { UINTPTR_MAX - PAGE + 1, PAGE + 1, ACRE_INVALID_PARAM },
        { start, SIZE_MAX, ACRE_INVALID_PARAM },
        { start + size, PAGE, ACRE_OK },
    };
    size_t i;

    (void)state;
    make(&bitmap, start, 100);
    for (i = 0; i < sizeof table / sizeof *table; i++) {
        struct acre_bitmap before = bitmap;

        assert_int_equal(table[i].status, acre_bitmap_add_memory_apart(&bitmap, table[i].start,
                                              table[i].size, meta_b, sizeof meta_b));
        if (table[i].status != ACRE_OK)
            assert_memory_equal(&before, &bitmap, sizeof before);
    }
    assert_sound(acre_pages_base(acre_bitmap_pages(&bitmap)));
}

static void test_metadata_apart_must_fit(void **state)
{
    struct acre_bitmap bitmap = { 0 };
    size_t size = acre_bitmap_metadata_size(1000);

    (void)state;
    acre_bitmap_setup(&bitmap, PAGE);
    assert_int_equal(ACRE_INVALID_PARAM,
        acre_bitmap_add_memory_apart(&bitmap, 0, 1000 * PAGE, meta_a, size - 1));
    assert_int_equal(
        ACRE_INVALID_PARAM, acre_bitmap_add_memory_apart(&bitmap, 0, 1000 * PAGE, NULL, size));
    assert_int_equal(ACRE_INVALID_PARAM,
        acre_bitmap_add_memory_apart(&bitmap, 0, 1000 * PAGE, (char *)meta_a + 4, size));
    assert_int_equal(ACRE_INVALID_PARAM,
        acre_bitmap_add_memory_apart(&bitmap, 0, 1000 * PAGE, (void *)(UINTPTR_MAX - 7), size));
    assert_int_equal(ACRE_OK, acre_bitmap_add_memory_apart(&bitmap, 0, 1000 * PAGE, meta_a, size));
}

/** What would make the accounts run over is refused: the whole address space and metadata apart. */
static void test_more_than_can_be_counted(void **state)
{
    const size_t large = SIZE_MAX / 256 + 1;
    struct acre_bitmap bitmap = { 0 };
    size_t meta = acre_bitmap_metadata_size(256);

    (void)state;
    assert_int_equal(ACRE_OK, acre_bitmap_setup(&bitmap, large));
    assert_int_equal(
        ACRE_INVALID_PARAM, acre_bitmap_add_memory_apart(&bitmap, 0, SIZE_MAX, meta_a, meta));
    assert_int_equal(ACRE_INVALID_PARAM,
        acre_bitmap_add_memory_apart(&bitmap, 0, SIZE_MAX - meta + 1, meta_a, meta));
    assert_int_equal(
        ACRE_OK, acre_bitmap_add_memory_apart(&bitmap, 0, SIZE_MAX - meta, meta_a, meta));
    assert_int_equal(SIZE_MAX, acre_bitmap_stats(&bitmap).total);
    assert_int_equal(ACRE_INVALID_PARAM,
        acre_bitmap_add_memory_apart(&bitmap, 255 * large, large, meta_b, meta));
    assert_int_equal(0, acre_bitmap_alloc_pages(&bitmap, 255, 1).num);
    assert_sound(acre_pages_base(acre_bitmap_pages(&bitmap)));
}

/** The macro for static metadata holds what it promises, at each size that memory can have. */
static void test_metadata_bound(void **state)
{
    size_t pages;

    (void)state;
    for (pages = 1; pages < SIZE_MAX / PAGE; pages += pages / 1000 + 1)
        assert_true(acre_bitmap_metadata_size(pages) <= ACRE_BITMAP_METADATA_BYTES(pages));
}

/** Two ranges with their metadata in one place would overwrite each other's. */
static void test_metadata_is_not_shared(void **state)
{
    static _Alignas(4096) char arena[16 * 4096];
    _Alignas(8) struct acre_bitmap bitmap = { 0 }; /* as metadata must be */
    struct acre_bitmap before;
    char *meta = arena + 9 * PAGE;
    size_t size = acre_bitmap_metadata_size(100);

    (void)state;
    acre_bitmap_setup(&bitmap, PAGE);
    assert_int_equal(ACRE_OK, acre_bitmap_add_memory_apart(&bitmap, PAGE, 100 * PAGE, meta, size));
    before = bitmap;
    assert_int_equal(
        ACRE_MEMORY_OVERLAP, acre_bitmap_add_memory_apart(&bitmap, 900 * PAGE, PAGE, meta, size));
    assert_int_equal(ACRE_MEMORY_OVERLAP,
        acre_bitmap_add_memory_apart(&bitmap, 900 * PAGE, PAGE, meta + (size - 8) / 8 * 8, size));
    assert_int_equal(ACRE_MEMORY_OVERLAP, acre_bitmap_add_memory(&bitmap, arena, sizeof arena));
    assert_int_equal(ACRE_MEMORY_OVERLAP, acre_bitmap_add_memory(&bitmap, &bitmap, sizeof arena));
    assert_int_equal(ACRE_MEMORY_OVERLAP,
        acre_bitmap_add_memory_apart(&bitmap, 900 * PAGE, PAGE, &bitmap, size));
    assert_memory_equal(&before, &bitmap, sizeof before);
    assert_int_equal(ACRE_OK,
        acre_bitmap_add_memory_apart(&bitmap, 900 * PAGE, PAGE, meta + (size + 7) / 8 * 8, size));
    assert_sound(acre_pages_base(acre_bitmap_pages(&bitmap)));
}

static void test_run_across_the_seam(void **state)
{
    struct acre_bitmap bitmap = { 0 };
    struct acre_pages pages = make(&bitmap, 0, 1000);

    (void)state;
    assert_int_equal(ACRE_OK,
        acre_bitmap_add_memory_apart(&bitmap, 1000 * PAGE, 500 * PAGE, meta_b, sizeof meta_b));
    assert_int_equal(1500 * PAGE, acre_pages_stats(pages).largest_free);
    assert_int_equal(0, acre_alloc_pages(pages, 1500, PAGE).num);
    assert_int_equal(ACRE_OK, acre_dealloc_pages(pages, 900 * PAGE, 200));
    assert_int_equal(900 * PAGE, acre_alloc_pages(pages, 200, PAGE).num);
    assert_int_equal(ACRE_INVALID_PARAM, acre_pages_remove_memory(pages, (void *)(1000 * PAGE)));
    assert_int_equal(ACRE_OK, acre_dealloc_pages(pages, 0, 1500));
    assert_int_equal(ACRE_NOT_ALLOCATED, acre_pages_remove_memory(pages, (void *)(999 * PAGE)));
    assert_int_equal(ACRE_OK, acre_pages_remove_memory(pages, (void *)(1000 * PAGE)));
    assert_int_equal(1000, acre_total_pages(pages));
    assert_int_equal(ACRE_NO_MEMORY, acre_alloc_pages(pages, 1001, PAGE).status);
    assert_sound(acre_pages_base(pages));
}

/** The metadata lies in the range's first pages and nothing else of the range is touched. */
static void test_metadata_inside(void **state)
{
    struct acre_bitmap bitmap = { 0 };
    struct acre_pages pages;
    char *memory = malloc(300 * PAGE);
    size_t i;

    (void)state;
    assert_non_null(memory);
    memset(memory, 0x5a, 300 * PAGE);
    acre_bitmap_setup(&bitmap, PAGE);
    pages = acre_bitmap_pages(&bitmap);
    assert_int_equal(ACRE_INVALID_PARAM, acre_pages_init(pages, memory, PAGE));
    assert_int_equal(ACRE_INVALID_PARAM, acre_pages_init(pages, NULL, 10 * PAGE));
    assert_int_equal(ACRE_OK, acre_pages_init(pages, memory + 1, 300 * PAGE - 1));
    assert_int_equal(298, acre_total_pages(pages));
    for (i = 0; i < 298; i++)
        assert_int_equal(ACRE_OK, acre_alloc_pages(pages, 1, PAGE).status);
    acre_pages_reset(pages);
    assert_int_equal(298 * PAGE, acre_pages_stats(pages).largest_free);
    assert_int_equal(ACRE_OK, acre_alloc_pages(pages, 298, PAGE).status);
    assert_sound(acre_pages_base(pages));
    for (i = 3 * PAGE; i < 300 * PAGE; i++)
        assert_int_equal(0x5a, memory[i]);
    free(memory);
}

static void test_ends_of_the_address_space(void **state)
{
    struct acre_bitmap bitmap = { 0 };
    struct acre_pages pages = make(&bitmap, 0, 10);
    const uintptr_t high = 0 - (uintptr_t)(20 * PAGE);

    (void)state;
    assert_int_equal(
        ACRE_OK, acre_bitmap_add_memory_apart(&bitmap, high, 20 * PAGE, meta_b, sizeof meta_b));
    assert_int_equal(0, acre_alloc_pages(pages, 10, PAGE).num);
    assert_int_equal(high, acre_alloc_pages(pages, 20, PAGE).num);
    assert_int_equal(ACRE_NOT_ALLOCATED, acre_dealloc_pages(pages, high + 19 * PAGE, 2));
    assert_int_equal(ACRE_OK, acre_dealloc_pages(pages, high + 19 * PAGE, 1));
    assert_int_equal(high + 19 * PAGE, acre_alloc_pages_at(pages, high + 19 * PAGE, 1, 1).num);
    assert_sound(acre_pages_base(pages));
}

static void test_a_tebibyte(void **state)
{
    struct acre_bitmap bitmap = { 0 };
    size_t pages = sizeof(size_t) > 4 ? ACRE_BITMAP_PAGES_1_TIB : (size_t)1 << 19;
    size_t size = acre_bitmap_metadata_size(pages);
    void *meta = malloc(size);

    (void)state;
    assert_non_null(meta);
    assert_true((size - 1024) * 8 <= pages / 10 * 12);
    acre_bitmap_setup(&bitmap, PAGE);
    assert_int_equal(
        ACRE_OK, acre_bitmap_add_memory_apart(&bitmap, PAGE, pages * PAGE, meta, size));
    assert_int_equal(PAGE, acre_bitmap_alloc_pages(&bitmap, pages, 1).num);
    assert_int_equal(ACRE_OK, acre_bitmap_dealloc_pages(&bitmap, (pages - 9) * PAGE, 8));
    assert_int_equal((pages - 9) * PAGE, acre_bitmap_alloc_pages(&bitmap, 8, 1).num);
    assert_null(acre_bitmap_check(&bitmap).invariant);
    free(meta);
}

static void test_ids(void **state)
{
    struct acre_bitmap bitmap = { 0 };
    struct acre_ids ids;
    size_t meta = acre_bitmap_metadata_size(1000);

    (void)state;
    acre_bitmap_setup_ids(&bitmap);
    ids = acre_bitmap_ids(&bitmap);
    assert_int_equal(ACRE_INVALID_PARAM, acre_ids_init(ids, meta_b, sizeof meta_b));
    assert_int_equal(ACRE_OK, acre_bitmap_add_ids(&bitmap, 100, 1000, meta_a, meta));
    assert_int_equal(ACRE_MEMORY_OVERLAP, acre_bitmap_add_ids(&bitmap, 1099, 1, meta_b, meta));
    assert_int_equal(100, acre_alloc_id(ids, 1, 1).num);
    assert_int_equal(104, acre_alloc_id(ids, 3, 8).num);
    assert_int_equal(101, acre_alloc_id(ids, 2, 1).num);
    assert_int_equal(ACRE_OK, acre_alloc_fixed_id(ids, 500));
    assert_int_equal(ACRE_NO_MEMORY, acre_alloc_fixed_id(ids, 500));
    assert_int_equal(ACRE_INVALID_PARAM, acre_alloc_fixed_id(ids, 99));
    assert_int_equal(ACRE_INVALID_PARAM, acre_alloc_fixed_id(ids, 1100));
    assert_int_equal(ACRE_INVALID_PARAM, acre_alloc_id(ids, 0, 1).status);
    assert_int_equal(ACRE_INVALID_PARAM, acre_alloc_id(ids, 1, 3).status);
    assert_true(acre_is_allocated(ids, 106));
    assert_false(acre_is_allocated(ids, 107));
    assert_false(acre_is_allocated(ids, 99));
    assert_int_equal(1000, acre_id_size(ids));
    assert_int_equal(7, acre_used_ids(ids));
    assert_int_equal(993, acre_available_ids(ids));
    assert_int_equal(ACRE_NOT_ALLOCATED, acre_dealloc_id(ids, 104, 4));
    assert_int_equal(ACRE_OK, acre_dealloc_id(ids, 104, 3));
    assert_int_equal(ACRE_NOT_ALLOCATED, acre_dealloc_id(ids, 104, 1));
    assert_sound(acre_ids_base(ids));
}

static void test_next_fit_goes_round(void **state)
{
    struct acre_bitmap bitmap = { 0 };
    struct acre_ids ids;
    uintptr_t i;

    (void)state;
    acre_bitmap_setup_ids(&bitmap);
    ids = acre_bitmap_ids(&bitmap);
    acre_bitmap_set_next_fit(&bitmap, true);
    assert_int_equal(ACRE_OK, acre_bitmap_add_ids(&bitmap, 1, 700, meta_a, sizeof meta_a));
    for (i = 1; i <= 600; i++) {
        assert_int_equal(i, acre_alloc_id(ids, 1, 1).num);
        assert_int_equal(ACRE_OK, acre_dealloc_id(ids, i, 1));
    }
    assert_int_equal(601, acre_alloc_id(ids, 100, 1).num);
    assert_int_equal(1, acre_alloc_id(ids, 1, 1).num);
    assert_sound(acre_ids_base(ids));
}

/** A zeroed struct is an empty allocator of default pages: each verb works, memory can be added. */
static void test_zeroed(void **state)
{
    static const struct acre_bitmap zero;
    static _Alignas(4096) char arena[16 * 4096];
    struct acre_bitmap bitmap = { 0 };
    struct acre_pages pages = acre_bitmap_pages(&bitmap);
    struct acre_stats stats = acre_pages_stats(pages);

    (void)state;
    assert_int_equal(4096, acre_page_size(pages));
    assert_int_equal(0, stats.total + stats.metadata + stats.used + stats.available + stats.peak +
                            stats.largest_free + stats.live_blocks + stats.failed);
    assert_null(acre_pages_check(pages).invariant);
    acre_bitmap_reset(&bitmap);
    assert_int_equal(ACRE_NOT_ALLOCATED, acre_dealloc_pages(pages, 0, 1));
    assert_int_equal(ACRE_NOT_ALLOCATED, acre_dealloc_pages(pages, 4096, 2));
    assert_int_equal(ACRE_INVALID_PARAM, acre_dealloc_pages(pages, 1, 1));
    assert_int_equal(ACRE_INVALID_PARAM, acre_dealloc_pages(pages, 0, 0));
    assert_int_equal(ACRE_NOT_ALLOCATED, acre_pages_remove_memory(pages, arena));
    assert_int_equal(ACRE_INVALID_PARAM, acre_pages_add_memory(pages, arena, 4095));
    assert_int_equal(ACRE_INVALID_PARAM, acre_bitmap_add_ids(&bitmap, 0, 9, meta_a, 4096));
    assert_int_equal(ACRE_INVALID_PARAM, acre_alloc_pages_at(pages, 1, 1, 1).status);
    assert_false(acre_bitmap_is_allocated(&bitmap, 0, 1));
    assert_memory_equal(&zero, &bitmap, sizeof zero);
    assert_int_equal(ACRE_NO_MEMORY, acre_alloc_pages(pages, 1, 1).status);
    assert_int_equal(ACRE_NO_MEMORY, acre_alloc_pages(pages, 7, 8192).status);
    assert_int_equal(ACRE_NO_MEMORY, acre_alloc_pages_at(pages, 8192, 1, 1).status);
    assert_int_equal(3, acre_pages_stats(pages).failed);
    assert_int_equal(ACRE_OK, acre_pages_add_memory(pages, arena, sizeof arena));
    assert_int_equal((uintptr_t)arena + 4096, acre_alloc_pages(pages, 1, 1).num);
    assert_sound(acre_pages_base(pages));
}

/** A page freed below all others is the next one allocated, whatever comes between. */
static void test_a_page_freed_below(void **state)
{
    struct acre_bitmap bitmap = { 0 };
    struct acre_pages pages = make(&bitmap, 8 * PAGE, 4096);
    const uintptr_t at = (8 + 2000) * PAGE;
    size_t i;

    (void)state;
    for (i = 0; i < 4000; i++)
        assert_int_equal(ACRE_OK, acre_alloc_pages(pages, 1, 1).status);
    for (i = 0; i < 8; i++) {
        assert_int_equal(ACRE_OK, acre_dealloc_pages(pages, at, 1));
        assert_int_equal(ACRE_NOT_ALLOCATED, acre_dealloc_pages(pages, at, 1));
        assert_false(acre_bitmap_is_allocated(&bitmap, at, 1));
        assert_int_equal(ACRE_INVALID_PARAM, acre_pages_remove_memory(pages, (void *)(8 * PAGE)));
        assert_sound(acre_pages_base(pages));
        if (i == 1)
            assert_int_equal((8 + 4000) * PAGE, acre_alloc_pages(pages, 3, 1).num);
        if (i == 2)
            assert_int_equal(
                (8 + 4003) * PAGE, acre_alloc_pages_at(pages, (8 + 4003) * PAGE, 1, 1).num);
        if (i == 3)
            assert_int_equal(ACRE_OK, acre_dealloc_pages(pages, at + 300 * PAGE, 1));
        if (i == 4)
            assert_int_equal(ACRE_OK, acre_dealloc_pages(pages, at + PAGE, 2));
        if (i == 5)
            acre_bitmap_set_max_dirty(&bitmap, 1);
        if (i == 6)
            assert_int_equal(
                ACRE_OK, acre_bitmap_add_memory_apart(&bitmap, 0, PAGE, meta_b, sizeof meta_b));
        if (i == 6)
            assert_int_equal(0, acre_alloc_pages(pages, 1, 1).num);
        assert_sound(acre_pages_base(pages));
        assert_int_equal(at, acre_alloc_pages(pages, 1, 1).num);
        assert_sound(acre_pages_base(pages));
    }
    assert_int_equal(at + PAGE, acre_alloc_pages(pages, 2, 1).num);
    assert_int_equal(at + 300 * PAGE, acre_alloc_pages(pages, 1, 1).num);
}

/** setup changes the settings of an empty allocator, and nothing of one that owns memory. */
static void test_setup_needs_an_empty_allocator(void **state)
{
    struct acre_bitmap bitmap = { 0 };
    struct acre_bitmap before;

    (void)state;
    acre_bitmap_set_max_dirty(&bitmap, 1);
    acre_bitmap_set_next_fit(&bitmap, true);
    assert_int_equal(ACRE_OK, acre_bitmap_setup_ids(&bitmap));
    assert_int_equal(ACRE_INVALID_PARAM, acre_bitmap_setup(&bitmap, 3));
    assert_int_equal(1, acre_bitmap_page_size(&bitmap));
    assert_int_equal(ACRE_OK, acre_bitmap_setup(&bitmap, PAGE));
    assert_int_equal(
        ACRE_OK, acre_bitmap_add_memory_apart(&bitmap, 0, 10 * PAGE, meta_a, sizeof meta_a));
    before = bitmap;
    assert_int_equal(ACRE_INVALID_PARAM, acre_bitmap_setup(&bitmap, PAGE));
    assert_int_equal(ACRE_INVALID_PARAM, acre_bitmap_setup_ids(&bitmap));
    assert_memory_equal(&before, &bitmap, sizeof before);
    assert_int_equal(0, acre_bitmap_alloc_pages(&bitmap, 1, 1).num);
    assert_int_equal(ACRE_OK, acre_bitmap_dealloc_pages(&bitmap, 0, 1));
    assert_int_equal(PAGE, acre_bitmap_alloc_pages(&bitmap, 1, 1).num); /* still next fit */
    assert_int_equal(ACRE_INVALID_PARAM, acre_bitmap_init(&bitmap, NULL, 0));
    assert_int_equal(0, acre_bitmap_stats(&bitmap).total);
    assert_int_equal(ACRE_OK, acre_bitmap_setup_ids(&bitmap));
}

/** Pages that were allocated may hold the metadata of another range. */
static void test_metadata_in_allocated_pages(void **state)
{
    static _Alignas(4096) char arena[16 * 4096];
    struct acre_bitmap bitmap = { 0 };
    struct acre_num meta;

    (void)state;
    assert_int_equal(ACRE_OK, acre_bitmap_add_memory(&bitmap, arena, sizeof arena));
    meta = acre_bitmap_alloc_pages(&bitmap, 2, 1);
    assert_int_equal(ACRE_OK, meta.status);
    assert_int_equal(ACRE_OK, acre_bitmap_add_memory_apart(&bitmap, 0, (uintptr_t)16 * PAGE,
                                  (void *)(uintptr_t)meta.num, 2 * PAGE));
    assert_int_equal(0, acre_bitmap_alloc_pages(&bitmap, 16, 1).num);
    assert_sound(acre_pages_base(acre_bitmap_pages(&bitmap)));
}

/** The pages in use are counted as before when the peak starts anew below the old one. */
static void test_reset_peak_keeps_used(void **state)
{
    struct acre_bitmap bitmap = { 0 };
    struct acre_pages pages = make(&bitmap, 0, 64);
    struct acre_stats stats;

    (void)state;
    assert_int_equal(0, acre_alloc_pages(pages, 5, 1).num);
    assert_int_equal(ACRE_OK, acre_dealloc_pages(pages, 2 * PAGE, 3));
    acre_bitmap_reset_peak(&bitmap);
    stats = acre_bitmap_stats(&bitmap);
    assert_int_equal(2 * PAGE, stats.used);
    assert_int_equal(2 * PAGE, stats.peak);
    assert_int_equal(2 * PAGE, acre_alloc_pages(pages, 1, 1).num);
    assert_int_equal(3 * PAGE, acre_bitmap_stats(&bitmap).peak);
    assert_sound(acre_pages_base(pages));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_fit_is_lowest),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_half_free_range_is_refused_whole),
        cmocka_unit_test(test_alignment_is_of_the_address),
        cmocka_unit_test(test_overlap),
        cmocka_unit_test(test_metadata_apart_must_fit),
        cmocka_unit_test(test_more_than_can_be_counted),
        cmocka_unit_test(test_metadata_bound),
        cmocka_unit_test(test_metadata_is_not_shared),
        cmocka_unit_test(test_run_across_the_seam),
        cmocka_unit_test(test_metadata_inside),
        cmocka_unit_test(test_ends_of_the_address_space),
        cmocka_unit_test(test_a_tebibyte),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_next_fit_goes_round),
        cmocka_unit_test(test_zeroed),
        cmocka_unit_test(test_a_page_freed_below),
        cmocka_unit_test(test_setup_needs_an_empty_allocator),
        cmocka_unit_test(test_metadata_in_allocated_pages),
        cmocka_unit_test(test_reset_peak_keeps_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
