/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* TLSF in its smallest build: one region of at most 16 KiB, no alignment above the granule. */
#include "support/rng.h"
#include "support/small_pool.h"

#include <acre/tlsf.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

_Static_assert(sizeof(struct acre_tlsf) <= 180 || sizeof(void *) != 4,
    "the control structure for 16 KiB has at most 180 bytes on a 32-bit machine");
_Static_assert(sizeof(acre_tlsf_field) == 2 && sizeof(acre_tlsf_head) == 2, "fields have 16 bits");

enum { POOL = ACRE_MAX_POOL, GRANULE = ACRE_TLSF_GRANULE, BLOCKS = 64, SIZE = 600, STEPS = 8000 };

static _Alignas(max_align_t) unsigned char pool[POOL];
static struct acre_tlsf tlsf;

const struct small_pool small_pool = {
    .bytes = { &acre_tlsf_ops, &tlsf },
    .self_size = sizeof tlsf,
    .least = ACRE_TLSF_GRANULE,
    .align = ACRE_TLSF_GRANULE,
    .pool_size = acre_tlsf_pool_size,
    .create = acre_tlsf_create,
    .backing = &acre_tlsf_backing,
    .tells_release = false,
};

static struct block {
    unsigned char *at;
    size_t size;
} blocks[BLOCKS];

static int open_pool(void **state)
{
    (void)state;
    memset(&tlsf, 0, sizeof tlsf);
    memset(blocks, 0, sizeof blocks);
    return acre_tlsf_init(&tlsf, pool, POOL) == ACRE_OK ? 0 : -1;
}

static void assert_sound(void)
{
    struct acre_stats stats = acre_tlsf_stats(&tlsf);
    assert_null(acre_tlsf_check(&tlsf).invariant);
    assert_int_equal(stats.total, stats.metadata + stats.used + stats.available);
}

static unsigned char fill_of(const struct block *block)
{
    return (unsigned char)(1 + (block - blocks) % 251);
}

static void allocate(struct block *block, size_t size)
{
    struct acre_ptr got = acre_tlsf_alloc(&tlsf, acre_layout(size, 1));
    assert_int_equal(got.status, got.ptr != NULL ? ACRE_OK : ACRE_NO_MEMORY);
    *block = (struct block){ got.ptr, size };
    if (got.ptr != NULL)
        memset(got.ptr, fill_of(block), size);
}

static void release(struct block *block, struct rng *rng)
{
    for (size_t i = 0; i < block->size; i++)
        assert_int_equal(block->at[i], fill_of(block));
    size_t way = rng_below(rng, 3);
    if (way == 0) {
        assert_int_equal(
            acre_tlsf_dealloc_sized(&tlsf, block->at, acre_layout(block->size, 1)), ACRE_OK);
    } else {
        assert_int_equal(acre_tlsf_dealloc(&tlsf, block->at), ACRE_OK);
    }
    assert_int_equal(acre_tlsf_dealloc(&tlsf, block->at), ACRE_NOT_ALLOCATED);
    block->at = NULL;
}

static void resize(struct block *block, size_t size)
{
    struct acre_ptr got = acre_tlsf_realloc(&tlsf, block->at, acre_layout(size, 1));
    if (got.ptr == NULL) {
        assert_int_equal(got.status, ACRE_NO_MEMORY);
        return;
    }
    for (size_t i = 0; i < (size < block->size ? size : block->size); i++)
        assert_int_equal(((unsigned char *)got.ptr)[i], fill_of(block));
    memset(got.ptr, fill_of(block), size);
    *block = (struct block){ got.ptr, size };
}

static void every_state_is_sound(void **state)
{
    struct rng rng = { 7 };
    (void)state;
    for (int step = 0; step < STEPS; step++) {
        struct block *block = &blocks[rng_below(&rng, BLOCKS)];
        size_t size = rng_below(&rng, rng_below(&rng, 40) == 0 ? POOL : SIZE) + 1;
        if (block->at == NULL)
            allocate(block, size);
        else if (rng_below(&rng, 4) == 0)
            resize(block, size);
        else
            release(block, &rng);
        assert_sound();
    }
    for (struct block *block = blocks; block < blocks + BLOCKS; block++)
        if (block->at != NULL)
            release(block, &rng);
    struct acre_stats stats = acre_tlsf_stats(&tlsf);
    assert_int_equal(stats.used, 0);
    assert_non_null(acre_tlsf_alloc(&tlsf, acre_layout(stats.largest_free, 1)).ptr);
}

/* What the build leaves out is refused. */
static void refuse_what_is_left_out(void **state)
{
    static unsigned char other[4096];
    (void)state;
    struct acre_tlsf before = tlsf;
    assert_int_equal(acre_tlsf_add_memory(&tlsf, &tlsf, 4096), ACRE_MEMORY_OVERLAP);
    assert_int_equal(acre_tlsf_add_memory_adjacent(&tlsf, other, sizeof other), ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_tlsf_add_memory_apart(&tlsf, other, 2048, other + 2048, 2048), ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_tlsf_alloc(&tlsf, acre_layout(8, 2 * ACRE_TLSF_GRANULE)).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_tlsf_alloc_offset(&tlsf, acre_layout(8, 64), ACRE_TLSF_GRANULE).status,
        ACRE_INVALID_PARAM);
    assert_memory_equal(&before, &tlsf, sizeof tlsf);
    assert_int_equal(
        acre_tlsf_pool_size(acre_layout(POOL - 64, 1)), 0); /* with all else, too large */
    assert_int_equal(acre_tlsf_alloc_offset(&tlsf, acre_layout(8, GRANULE), 0).status, ACRE_OK);
}

static bool give_back(void *arg, struct acre_layout layout)
{
    (void)layout;
    struct block *block = arg;
    assert_int_equal(acre_tlsf_dealloc(&tlsf, block->at), ACRE_OK);
    return true;
}

static void exhaustion_calls_its_handler(void **state)
{
    (void)state;
    acre_tlsf_set_on_exhausted(&tlsf, give_back, &blocks[0]);
    allocate(&blocks[0], POOL / 2);
    allocate(&blocks[1], POOL / 2);
    assert_non_null(blocks[1].at);
    assert_int_equal(acre_tlsf_stats(&tlsf).live_blocks, 1);
    assert_int_equal(acre_tlsf_stats(&tlsf).failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SMALL_POOL_TESTS,
        cmocka_unit_test_setup(every_state_is_sound, open_pool),
        cmocka_unit_test_setup(refuse_what_is_left_out, open_pool),
        cmocka_unit_test_setup(exhaustion_calls_its_handler, open_pool),
    };
    return cmocka_run_group_tests_name("tlsf.small", tests, NULL, NULL);
}
