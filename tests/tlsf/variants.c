/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Blocks at random over regions in builds of TLSF that the library is not: with a largest pool,
 * without the proof of pointers, with hardened metadata. */
#include "support/rng.h"
#include "tlsf/tlsf_small.h"

#include <acre/tlsf_quick.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { REGION = 1 << 21, REGIONS = 3, BLOCKS = 64, STEPS = 6000, LEAST = 4096 };

static _Alignas(max_align_t) unsigned char memory[REGIONS][REGION + 256];
static struct acre_tlsf tlsf;

static struct block {
    unsigned char *at;
    struct acre_layout layout;
} blocks[BLOCKS];

static void assert_sound(void)
{
    struct acre_check_result found = acre_tlsf_check(&tlsf);
    if (found.invariant != NULL)
        fail_msg("%s at %p", found.invariant, found.where);
}

static int open_regions(void **state)
{
    (void)state;
    memset(&tlsf, 0, sizeof tlsf);
    memset(blocks, 0, sizeof blocks);
    for (size_t i = 0; i < REGIONS; i++)
        if (acre_tlsf_add_memory(&tlsf, memory[i], REGION) != ACRE_OK)
            return -1;
    return 0;
}

static unsigned char fill_of(const struct block *block)
{
    return (unsigned char)(1 + (block - blocks) % 251);
}

static void assert_filled(const struct block *block, size_t size)
{
    for (size_t i = 0; i < size; i += 1 + size / 97)
        assert_int_equal(block->at[i], fill_of(block));
}

static void allocate(struct block *block, struct rng *rng)
{
    size_t size = 1 + rng_below(rng, (size_t)1 << rng_below(rng, 18));
    struct acre_layout layout = acre_layout(size, (size_t)1 << rng_below(rng, 9));
    struct acre_ptr got = acre_tlsf_alloc(&tlsf, layout);
    if (got.ptr == NULL) {
        assert_int_equal(got.status, ACRE_NO_MEMORY);
        return;
    }
    assert_int_equal((uintptr_t)got.ptr % layout.align, 0);
    assert_in_range(acre_tlsf_usable_size(&tlsf, got.ptr).num, size, size + LEAST);
    *block = (struct block){ got.ptr, layout };
    memset(block->at, fill_of(block), size);
}

static void release(struct block *block, struct rng *rng)
{
    assert_filled(block, block->layout.size);
    assert_ptr_equal(acre_tlsf_find(&tlsf, block->at + block->layout.size - 1).start, block->at);
    enum acre_status status = rng_below(rng, 2) == 0
                                  ? acre_tlsf_dealloc_sized(&tlsf, block->at, block->layout)
                                  : acre_tlsf_dealloc(&tlsf, block->at);
    assert_int_equal(status, ACRE_OK);
    if (ACRE_CHECK_POINTERS)
        assert_int_equal(acre_tlsf_dealloc(&tlsf, block->at), ACRE_NOT_ALLOCATED);
    block->at = NULL;
}

static void resize(struct block *block, struct rng *rng)
{
    size_t size = 1 + rng_below(rng, 2 * block->layout.size);
    struct acre_ptr got = acre_tlsf_realloc(&tlsf, block->at, acre_layout(size, 1));
    if (got.ptr == NULL)
        return;
    block->at = got.ptr;
    assert_filled(block, size < block->layout.size ? size : block->layout.size);
    block->layout = acre_layout(size, 1);
    memset(block->at, fill_of(block), size);
}

static void blocks_at_random(void **state)
{
    struct rng rng = { 11 };
    (void)state;
    for (int step = 0; step < STEPS; step++) {
        struct block *block = &blocks[rng_below(&rng, BLOCKS)];
        if (block->at == NULL)
            allocate(block, &rng);
        else if (rng_below(&rng, 4) == 0)
            resize(block, &rng);
        else
            release(block, &rng);
        if (step % 16 == 0)
            assert_sound();
    }
    for (struct block *block = blocks; block < blocks + BLOCKS; block++)
        if (block->at != NULL)
            release(block, &rng);
    assert_sound();
    assert_int_equal(acre_tlsf_stats(&tlsf).used, 0);
    assert_int_equal(acre_tlsf_find(&tlsf, memory[1] + REGION / 2).status, ACRE_NOT_ALLOCATED);
    for (size_t i = 0; i < REGIONS; i++)
        assert_int_equal(acre_tlsf_remove_memory(&tlsf, memory[i]), ACRE_OK);
}

/* Whatever the size of the one free block, which says how far the search through the lists goes. */
static void the_search_sees_every_list(void **state)
{
    (void)state;
    for (size_t size = LEAST; size <= sizeof memory; size += size / 3) {
        assert_int_equal(acre_tlsf_init(&tlsf, memory[0], size), ACRE_OK);
        for (size_t want = 1; want < size / 4; want *= 3) {
            void *ptr = acre_tlsf_alloc(&tlsf, acre_layout(want, 1)).ptr;
            assert_non_null(ptr);
            assert_int_equal(acre_tlsf_dealloc(&tlsf, ptr), ACRE_OK);
        }
        assert_int_equal(acre_tlsf_alloc(&tlsf, acre_layout(size, 1)).status, ACRE_NO_MEMORY);
        size_t all = acre_tlsf_stats(&tlsf).largest_free;
        assert_non_null(acre_tlsf_alloc(&tlsf, acre_layout(all, 1)).ptr);
        assert_int_equal(acre_tlsf_alloc(&tlsf, acre_layout(1, 1)).status, ACRE_NO_MEMORY);
        assert_sound();
    }
}

static void count_released(void *count, size_t blocks_freed)
{
    *(size_t *)count += blocks_freed;
}

/* Told when a region may be empty: the free block ends with the region, and starts where it does. */
static void the_release_of_a_region_is_told(void **state)
{
    (void)state;
    size_t released = 0;
    memset(&tlsf, 0, sizeof tlsf);
    assert_int_equal(acre_tlsf_init(&tlsf, memory[0], LEAST), ACRE_OK);
    acre_tlsf_set_on_released(&tlsf, count_released, &released);
    void *low = acre_tlsf_alloc(&tlsf, acre_layout(LEAST / 4, 1)).ptr;
    void *high = acre_tlsf_alloc(&tlsf, acre_layout(LEAST / 4, 1)).ptr;
    void *top = acre_tlsf_alloc(&tlsf, acre_layout(LEAST / 8, 1)).ptr;
    assert_int_equal(acre_tlsf_dealloc(&tlsf, high), ACRE_OK);
    assert_int_equal(released, 0); /* does not end with the region */
    assert_int_equal(acre_tlsf_dealloc(&tlsf, top), ACRE_OK);
    assert_int_equal(released, 0); /* does not start with it */
    assert_int_equal(acre_tlsf_dealloc(&tlsf, low), ACRE_OK);
    assert_true(released != 0);
    acre_tlsf_set_on_released(&tlsf, NULL, NULL);
    low = acre_tlsf_alloc(&tlsf, acre_layout(LEAST / 4, 1)).ptr;
    size_t told = released;
    assert_int_equal(acre_tlsf_dealloc(&tlsf, low), ACRE_OK);
    assert_int_equal(released, told);
}

/* The slow way of a request leads to the quick lists, whose blocks make room when they are merged. */
static void quick_lists_are_flushed(void **state)
{
    static struct acre_tlsf_quick quick;
    static void *small[LEAST];
    (void)state;
    memset(&quick, 0, sizeof quick);
    assert_int_equal(acre_tlsf_quick_init(&quick, memory[0], LEAST), ACRE_OK);
    size_t count = 0;
    while ((small[count] = acre_tlsf_quick_alloc(&quick, acre_layout(40, 1)).ptr) != NULL)
        count++;
    for (size_t i = 0; i < count; i++)
        assert_int_equal(acre_tlsf_quick_dealloc(&quick, small[i]), ACRE_OK);
    assert_null(acre_tlsf_quick_check(&quick).invariant);
    assert_non_null(acre_tlsf_quick_alloc(&quick, acre_layout(LEAST / 2, 1)).ptr);
    assert_int_equal(acre_tlsf_quick_alloc(&quick, acre_layout(LEAST, 1)).status, ACRE_NO_MEMORY);
    assert_null(acre_tlsf_quick_check(&quick).invariant);
}

/* A header that was written over: the block beside it is refused, and the rest serves. */
static void damage_beside_a_block_is_refused(void **state)
{
    (void)state;
    if (!TLSF_HARDEN)
        skip();
    for (size_t i = 0; i < REGIONS; i++) { /* in the cached region, and in others */
        open_regions(NULL);
        unsigned char *low = NULL;
        do {
            low = acre_tlsf_alloc(&tlsf, acre_layout(LEAST, 1)).ptr;
            assert_non_null(low);
        } while (low < memory[i] || low >= memory[i] + REGION);
        struct acre_tlsf_block *at = (void *)low;
        acre_tlsf_field was = *tlsf_header(at);
        for (size_t cached = 0; cached < 2; cached++) {
            tlsf_cache_region(
                &tlsf, cached != 0 ? acre_tlsf_region_of(&tlsf, low) : tlsf_first_region(&tlsf));
            *tlsf_header(at) ^= 64;
            assert_int_equal(acre_tlsf_dealloc(&tlsf, low), ACRE_NOT_ALLOCATED);
            *tlsf_header(at) = was;
        }
        tlsf_cache_region(&tlsf, tlsf_first_region(&tlsf));
        assert_int_equal(acre_tlsf_dealloc(&tlsf, low), ACRE_OK);
        assert_sound();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(blocks_at_random, open_regions),
        cmocka_unit_test(the_search_sees_every_list),
        cmocka_unit_test(the_release_of_a_region_is_told),
        cmocka_unit_test(quick_lists_are_flushed),
        cmocka_unit_test(damage_beside_a_block_is_refused),
    };
    return cmocka_run_group_tests_name("tlsf.variants", tests, NULL, NULL);
}
