/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Structures as large as their pool needs: acre_tlsf_create, acre_tlsf_create_for. The suites run
 * over such a structure as well (backend_tlsf_compact.c). */
#include "support/rng.h"
#include "tlsf/tlsf_small.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { POOL = 16384, BLOCKS = 64, STEPS = 6000, LARGE = 1 << 20 };

static _Alignas(max_align_t) unsigned char memory[LARGE];
static _Alignas(max_align_t) unsigned char other[2 * POOL];
static struct acre_tlsf *tlsf;
static struct block {
    unsigned char *at;
    size_t size, align;
} blocks[BLOCKS];

static void create(size_t shift, size_t size)
{
    memset(memory, 0x55, sizeof memory);
    memset(blocks, 0, sizeof blocks);
    struct acre_ptr made = acre_tlsf_create(memory + shift, size);
    assert_int_equal(made.status, ACRE_OK);
    tlsf = made.ptr;
}

static void assert_sound(void)
{
    struct acre_stats stats = acre_tlsf_stats(tlsf);
    assert_null(acre_tlsf_check(tlsf).invariant);
    assert_int_equal(stats.total, stats.metadata + stats.used + stats.available);
}

static void fill(struct block *block, struct acre_ptr got, size_t size, size_t align)
{
    if (got.ptr == NULL) {
        assert_int_equal(got.status, ACRE_NO_MEMORY);
        return;
    }
    assert_int_equal((uintptr_t)got.ptr % align, 0);
    *block = (struct block){ got.ptr, size, align };
    memset(got.ptr, (int)(block - blocks), size);
}

/* Frees of a live block that are wrong. */
static void refuse(unsigned char *at)
{
    assert_int_equal(acre_tlsf_dealloc(tlsf, at + 1), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_tlsf_dealloc_sized(tlsf, at, acre_layout(5000, 1)), ACRE_INVALID_PARAM);
}

static void change(struct block *block, struct rng *rng)
{
    size_t size = rng_below(rng, 600);
    for (size_t i = 0; block->at != NULL && i < block->size; i++)
        assert_int_equal(block->at[i], block - blocks);
    if (block->at == NULL) {
        size_t align = (size_t)1 << (rng_below(rng, 4) == 0 ? rng_below(rng, 9) : 0);
        fill(block, acre_tlsf_alloc(tlsf, acre_layout(size, align)), size, align);
    } else if (rng_below(rng, 3) == 0) {
        size_t kept = size < block->size ? size : block->size;
        struct acre_ptr got = acre_tlsf_realloc(tlsf, block->at, acre_layout(size, block->align));
        for (size_t i = 0; got.ptr != NULL && i < kept; i++)
            assert_int_equal(((unsigned char *)got.ptr)[i], block - blocks);
        fill(block, got, size, block->align);
    } else {
        if (ACRE_CHECK_POINTERS)
            refuse(block->at);
        assert_int_equal(acre_tlsf_dealloc(tlsf, block->at), ACRE_OK);
        if (ACRE_CHECK_POINTERS)
            assert_int_equal(acre_tlsf_dealloc(tlsf, block->at), ACRE_NOT_ALLOCATED);
        block->at = NULL;
    }
}

static void every_state_is_sound(void **state)
{
    static const size_t sizes[] = { 1500, 5000, POOL, 60000, LARGE };
    struct rng rng = { 7 };
    (void)state;
    for (size_t i = TLSF_COMPACT ? 0 : 2; i < sizeof sizes / sizeof sizes[0]; i++) {
        create(i, sizes[i] - 8);
        for (size_t step = 0; step < STEPS; step++) {
            if (step == STEPS / 2 && sizes[i] >= POOL)
                assert_int_equal(acre_tlsf_add_memory(tlsf, other, POOL - 8), ACRE_OK);
            change(&blocks[rng_below(&rng, BLOCKS)], &rng);
            assert_sound();
        }
        acre_tlsf_reset(tlsf);
        assert_sound();
        assert_int_equal(acre_tlsf_stats(tlsf).used, 0);
        assert_int_equal(
            acre_tlsf_remove_memory(tlsf, other), sizes[i] >= POOL ? ACRE_OK : ACRE_NOT_ALLOCATED);
        assert_sound();
    }
}

static void a_structure_is_as_large_as_its_pool_needs(void **state)
{
    (void)state;
    if (!TLSF_COMPACT) {
        assert_int_equal(acre_tlsf_structure_size(1), sizeof(struct acre_tlsf));
        return;
    }
    if (sizeof(void *) == 4 && ACRE_TLSF_GRANULE == 8)
        assert_true(acre_tlsf_structure_size(POOL) <= 300);
    size_t before = 0;
    for (size_t largest = 0; largest < LARGE; largest += 61) {
        size_t size = acre_tlsf_structure_size(largest);
        assert_true(size >= before && size <= sizeof(struct acre_tlsf));
        before = size;
    }
    assert_int_equal(before, sizeof(struct acre_tlsf));
    assert_int_equal(acre_tlsf_structure_size(SIZE_MAX), sizeof(struct acre_tlsf));
}

/* What the pool is refused for leaves no trace. */
static void a_range_that_does_not_do_is_refused(void **state)
{
    (void)state;
    memset(memory, 0x55, sizeof memory);
    uintptr_t top = ~(uintptr_t)0 - 7;
    assert_int_equal(acre_tlsf_create(NULL, POOL).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_tlsf_create((void *)top, POOL).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_tlsf_create_for(memory, POOL, POOL - 1).status, ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_tlsf_create(memory, acre_tlsf_structure_size(0)).status, ACRE_INVALID_PARAM);
    for (size_t size = 0; size < 300; size++)
        assert_int_equal(acre_tlsf_create(memory, size).status, ACRE_INVALID_PARAM);
    for (size_t i = 0; i < 4 * POOL; i++)
        assert_int_equal(memory[i], 0x55);
}

static void pool_size_is_enough(void **state)
{
    (void)state;
    for (size_t size = 1; size < LARGE / 4; size += size / 7 + 1) {
        for (size_t align = 1; align <= 256; align *= 16) {
            size_t needs = acre_tlsf_pool_size(acre_layout(size, align));
            create(size % 32, needs);
            assert_non_null(acre_tlsf_alloc(tlsf, acre_layout(size, align)).ptr);
            assert_sound();
        }
    }
    assert_int_equal(acre_tlsf_pool_size(acre_layout(SIZE_MAX, 1)), 0);
}

static void a_larger_region_is_refused(void **state)
{
    (void)state;
    if (!TLSF_COMPACT)
        skip();
    static unsigned char before[POOL];
    create(0, POOL);
    memcpy(before, memory, POOL);
    assert_int_equal(acre_tlsf_add_memory(tlsf, other, POOL + 1), ACRE_INVALID_PARAM);
    assert_int_equal(acre_tlsf_add_memory_adjacent(tlsf, other, POOL + 1), ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_tlsf_add_memory_apart(tlsf, other, POOL + 1, memory + POOL, POOL), ACRE_INVALID_PARAM);
    assert_int_equal(acre_tlsf_add_memory(tlsf, memory + 8, POOL), ACRE_MEMORY_OVERLAP);
    assert_int_equal(acre_tlsf_alloc(tlsf, acre_layout(1, 3)).status, ACRE_INVALID_PARAM);
    assert_memory_equal(before, memory, POOL);
    tlsf = acre_tlsf_create_for(memory, POOL, POOL + 1).ptr;
    assert_int_equal(acre_tlsf_add_memory(tlsf, other, POOL + 1), ACRE_OK);
    assert_sound();
}

/* Regions whose metadata lies apart join here too; blocks that are then longer than any region are
 * served. */
static void blocks_span_a_seam(void **state)
{
    (void)state;
    create(0, POOL);
    unsigned char *meta = memory + LARGE / 2;
    size_t meta_size = acre_tlsf_metadata_size(POOL);
    assert_int_equal(acre_tlsf_add_memory_apart(tlsf, other, POOL, meta, meta_size), ACRE_OK);
    assert_int_equal(
        acre_tlsf_add_memory_apart(tlsf, other + POOL, POOL, meta + LARGE / 4, meta_size), ACRE_OK);
    assert_sound();
    struct acre_ptr got = acre_tlsf_alloc(tlsf, acre_layout(2 * POOL - 64, 1));
    assert_non_null(got.ptr);
    assert_sound();
    assert_int_equal(acre_tlsf_remove_memory(tlsf, other), ACRE_INVALID_PARAM);
    assert_int_equal(acre_tlsf_dealloc(tlsf, got.ptr), ACRE_OK);
    assert_int_equal(acre_tlsf_remove_memory(tlsf, other), ACRE_OK);
    assert_sound();
}

static void blocks_are_aligned_at_an_offset(void **state)
{
    (void)state;
    create(0, POOL);
    for (size_t align = ACRE_TLSF_GRANULE; align <= 512; align *= 2) {
        struct acre_layout layout = { 100, align };
        struct acre_ptr got = acre_tlsf_alloc_offset(tlsf, layout, ACRE_TLSF_GRANULE);
        assert_non_null(got.ptr);
        assert_int_equal(((uintptr_t)got.ptr + ACRE_TLSF_GRANULE) % align, 0);
        assert_sound();
    }
    assert_int_equal(acre_tlsf_alloc_offset(tlsf, acre_layout(POOL, 64), ACRE_TLSF_GRANULE).status,
        ACRE_NO_MEMORY);
    assert_int_equal(acre_tlsf_stats(tlsf).failed, 1);
}

static bool give_back(void *arg, struct acre_layout layout)
{
    (void)layout;
    return acre_tlsf_dealloc(tlsf, arg) == ACRE_OK;
}

static void count_release(void *arg, size_t fewer)
{
    *(size_t *)arg += fewer;
}

static void handlers_are_called(void **state)
{
    (void)state;
    size_t released = 0;
    create(0, POOL);
    void *first = acre_tlsf_alloc(tlsf, acre_layout(POOL / 2, 1)).ptr;
    acre_tlsf_set_on_exhausted(tlsf, give_back, first);
    acre_tlsf_set_on_released(tlsf, count_release, &released);
    void *second = acre_tlsf_alloc(tlsf, acre_layout(POOL / 2, 1)).ptr;
    assert_ptr_equal(second, first);
    assert_int_equal(released, 1);
    assert_int_equal(acre_tlsf_dealloc(tlsf, second), ACRE_OK);
    assert_int_equal(released, 2);
    assert_sound();
}

/* A damaged field is named, and none crashes the checker. */
static void damage_is_found(void **state)
{
    (void)state;
    create(0, POOL);
    for (size_t i = 0; i < 20; i++)
        change(&blocks[i], &(struct rng){ i });
    size_t own = acre_tlsf_structure_size(POOL);
    size_t found = 0;
    for (size_t at = 0; at < own; at++) {
        size_t word = at / sizeof(size_t) * sizeof(size_t);
        if (word >= offsetof(struct acre_tlsf, regions) && word < offsetof(struct acre_tlsf, top))
            continue; /* REGIONS-1 to 4 have tests of their own */
        ((unsigned char *)tlsf)[at] ^= 0x10;
        found += acre_tlsf_check(tlsf).invariant != NULL;
        ((unsigned char *)tlsf)[at] ^= 0x10;
    }
    assert_true(found > own / 2);
    assert_sound();
}

static void assert_damaged(const char *invariant)
{
    assert_memory_equal(acre_tlsf_check(tlsf).invariant, invariant, 6);
}

/* Several fields that agree with one another. */
static void damage_of_several_fields(void **state)
{
    (void)state;
    if (!TLSF_COMPACT)
        skip();
    create(0, POOL);
    struct acre_tlsf_compact was = tlsf->compact;
    tlsf->compact.largest = SIZE_MAX;
    tlsf->compact.lists = tlsf_compact_lists(SIZE_MAX);
    if (tlsf->compact.lists > ACRE_TLSF_COMPACT_LISTS)
        assert_damaged("TLSF-7");
    tlsf->compact = was;
    assert_sound();
    size_t list = small_last_list(tlsf); /* a list lost */
    struct acre_tlsf_block *first = small_first(tlsf, list);
    assert_non_null(first);
    *small_head(tlsf, list) = NULL;
    *small_bits(tlsf, list) ^= tlsf_bit(list);
    assert_damaged("TLSF-6");
    *small_head(tlsf, list) = first;
    *small_bits(tlsf, list) ^= tlsf_bit(list);
    assert_sound();
}

/* What is told of frees in regions of a compact structure: those that end with the region, of a
 * whole one or of joined ones. */
static void releases_of_regions_are_told(void **state)
{
    static unsigned char meta[2][1024];
    (void)state;
    for (size_t joined = 0; joined < 2; joined++) {
        size_t released = 0;
        create(0, POOL);
        assert_non_null(
            acre_tlsf_alloc(tlsf, acre_layout(acre_tlsf_stats(tlsf).largest_free, 1)).ptr);
        assert_int_equal(
            acre_tlsf_add_memory_apart(tlsf, other, POOL, meta[0], sizeof meta[0]), ACRE_OK);
        if (joined != 0)
            assert_int_equal(
                acre_tlsf_add_memory_apart(tlsf, other + POOL, POOL, meta[1], sizeof meta[1]),
                ACRE_OK);
        void *low = acre_tlsf_alloc(tlsf, acre_layout(100, 1)).ptr;
        void *high = acre_tlsf_alloc(tlsf, acre_layout(100, 1)).ptr;
        acre_tlsf_set_on_released(tlsf, count_release, &released);
        assert_int_equal(acre_tlsf_dealloc(tlsf, high), ACRE_OK);
        assert_int_equal(released, joined);
        assert_int_equal(acre_tlsf_dealloc(tlsf, low), ACRE_OK);
        assert_int_equal(released, joined + 1);
        assert_sound();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_is_sound),
        cmocka_unit_test(a_structure_is_as_large_as_its_pool_needs),
        cmocka_unit_test(a_range_that_does_not_do_is_refused),
        cmocka_unit_test(pool_size_is_enough),
        cmocka_unit_test(a_larger_region_is_refused),
        cmocka_unit_test(blocks_span_a_seam),
        cmocka_unit_test(blocks_are_aligned_at_an_offset),
        cmocka_unit_test(handlers_are_called),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(damage_of_several_fields),
        cmocka_unit_test(releases_of_regions_are_told),
    };
    return cmocka_run_group_tests_name("tlsf.compact", tests, NULL, NULL);
}
