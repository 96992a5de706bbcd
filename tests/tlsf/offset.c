/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Blocks that are aligned at an offset, of TLSF and of the arena. */
#include "support/rng.h"

#include <acre/arena.h>
#include <acre/tlsf.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = 1 << 16, BLOCKS = 64, STEPS = 30000, GRANULE = ACRE_TLSF_GRANULE };

static _Alignas(4096) unsigned char memory[ROOM];
static struct acre_tlsf tlsf;

static int begin(void **state)
{
    (void)state;
    memset(&tlsf, 0, sizeof tlsf);
    return acre_tlsf_init(&tlsf, memory, sizeof memory) == ACRE_OK ? 0 : -1;
}

static struct acre_stats sound(void)
{
    struct acre_check_result found = acre_tlsf_check(&tlsf);
    struct acre_stats stats = acre_tlsf_stats(&tlsf);
    if (found.invariant != NULL)
        fail_msg("%s at %p", found.invariant, found.where);
    assert_int_equal(stats.total, stats.metadata + stats.used + stats.available);
    return stats;
}

static void *take(size_t size, size_t align, size_t offset)
{
    struct acre_ptr got = acre_tlsf_alloc_offset(&tlsf, acre_layout(size, align), offset);
    assert_int_equal(got.status, ACRE_OK);
    assert_int_equal(((uintptr_t)got.ptr + offset) % align, 0);
    assert_int_equal((uintptr_t)got.ptr % ACRE_NATURAL_ALIGN, 0);
    assert_true(acre_tlsf_usable_size(&tlsf, got.ptr).num >= size);
    memset(got.ptr, 0x5a, size);
    sound();
    return got.ptr;
}

static void every_alignment_at_every_offset(void **state)
{
    (void)state;
    size_t available = sound().available;
    for (size_t align = 1; align <= 4096; align *= 2)
        for (size_t offset = 0; offset <= 2 * align; offset += GRANULE)
            for (size_t before = 0; before < 4; before++) {
                void *wall = take(before * GRANULE + 1, 1, 0);
                void *block = take(100 + before, align, offset);
                assert_int_equal(acre_tlsf_dealloc(&tlsf, wall), ACRE_OK);
                assert_int_equal(acre_tlsf_dealloc(&tlsf, block), ACRE_OK);
                assert_int_equal(sound().available, available);
            }
}

static void wrong_offsets_are_invalid(void **state)
{
    (void)state;
    static const size_t aligns[] = { 0, 3, 24, SIZE_MAX };
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(
            acre_tlsf_alloc_offset(&tlsf, acre_layout(8, aligns[i]), 0).status, ACRE_INVALID_PARAM);
    for (size_t offset = 1; offset < 64; offset++)
        if (offset % GRANULE != 0)
            assert_int_equal(acre_tlsf_alloc_offset(&tlsf, acre_layout(8, 64), offset).status,
                ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_tlsf_alloc_offset(&tlsf, acre_layout(8, 4), 2).status, (ACRE_INVALID_PARAM));
    assert_int_equal(sound().live_blocks, 0);
    assert_int_equal(sound().failed, 0);
}

static void sizes_near_the_top_are_no_memory(void **state)
{
    (void)state;
    size_t failed = 0;
    for (size_t k = 0; k < 300; k++)
        for (size_t align = (size_t)2 * GRANULE; align != 0; align *= 2, failed++)
            assert_int_equal(
                acre_tlsf_alloc_offset(&tlsf, acre_layout(SIZE_MAX - k, align), GRANULE).status,
                ACRE_NO_MEMORY);
    assert_int_equal(sound().failed, failed);
}

/* Random blocks, of which none touches another, among plain ones. */
static void blocks_keep_apart(void **state)
{
    (void)state;
    struct rng rng = { 7 };
    struct {
        unsigned char *start;
        size_t size;
    } blocks[BLOCKS] = { { NULL, 0 } };
    for (size_t step = 0; step < STEPS; step++) {
        size_t at = rng_below(&rng, BLOCKS);
        if (blocks[at].start != NULL) {
            for (size_t i = 0; i < blocks[at].size; i++)
                assert_int_equal(blocks[at].start[i], at);
            assert_int_equal(acre_tlsf_dealloc(&tlsf, blocks[at].start), ACRE_OK);
            blocks[at].start = NULL;
        } else {
            size_t align = (size_t)1 << rng_below(&rng, 11);
            size_t offset = rng_below(&rng, 20) * GRANULE;
            blocks[at].size = 1 + rng_below(&rng, 1500);
            blocks[at].start =
                acre_tlsf_alloc_offset(&tlsf, acre_layout(blocks[at].size, align), offset).ptr;
            assert_int_equal(
                blocks[at].start == NULL || ((uintptr_t)blocks[at].start + offset) % align == 0,
                true);
            if (blocks[at].start != NULL)
                memset(blocks[at].start, (int)at, blocks[at].size);
        }
        sound();
    }
}

static bool free_what_is_named(void *arg, struct acre_layout layout)
{
    assert_int_equal(layout.size, ROOM / 2);
    return acre_tlsf_dealloc(&tlsf, *(void **)arg) == ACRE_OK;
}

static void exhaustion_calls_the_handler(void **state)
{
    (void)state;
    void *large = take(ROOM / 2, 1, 0);
    acre_tlsf_set_on_exhausted(&tlsf, free_what_is_named, &large);
    void *block = take(ROOM / 2, 64, GRANULE);
    assert_int_equal(sound().failed, 0);
    assert_int_equal(sound().live_blocks, 1);
    large = NULL;
    assert_null(acre_tlsf_alloc_offset(&tlsf, acre_layout(ROOM / 2, 64), GRANULE).ptr);
    assert_int_equal(sound().failed, 1);
    assert_int_equal(acre_tlsf_dealloc(&tlsf, block), ACRE_OK);
}

static void sized_frees_name_the_start(void **state)
{
    (void)state;
    void *block = take(200, 256, GRANULE);
    assert_int_equal(
        acre_tlsf_dealloc_sized(&tlsf, block, acre_layout(200, 256)), ACRE_INVALID_PARAM);
    assert_int_equal(acre_tlsf_dealloc_sized(&tlsf, block, acre_layout(200, GRANULE)), ACRE_OK);
}

#if ACRE_ARENA
static void arena_at_every_offset(void **state)
{
    static struct acre_arena arena;
    (void)state;
    assert_int_equal(acre_arena_init(&arena, memory, sizeof memory), ACRE_OK);
    for (size_t align = 1; align <= 2048; align *= 2)
        for (size_t offset = 0; offset <= 2 * align; offset += ACRE_ARENA_GRANULE) {
            void *wall = acre_arena_alloc(&arena, acre_layout(1, 1)).ptr;
            struct acre_ptr got = acre_arena_alloc_offset(&arena, acre_layout(9, align), offset);
            assert_int_equal(got.status, ACRE_OK);
            assert_int_equal(((uintptr_t)got.ptr + offset) % align, 0);
            assert_null(acre_arena_check(&arena).invariant);
            assert_int_equal(acre_arena_release(&arena, wall), ACRE_OK);
        }
    assert_int_equal(
        acre_arena_alloc_offset(&arena, acre_layout(8, 64), 1).status, ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_arena_alloc_offset(&arena, acre_layout(8, 48), 0).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_arena_stats(&arena).used, 0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_alignment_at_every_offset, begin),
        cmocka_unit_test_setup(wrong_offsets_are_invalid, begin),
        cmocka_unit_test_setup(sizes_near_the_top_are_no_memory, begin),
        cmocka_unit_test_setup(blocks_keep_apart, begin),
        cmocka_unit_test_setup(exhaustion_calls_the_handler, begin),
        cmocka_unit_test_setup(sized_frees_name_the_start, begin),
#if ACRE_ARENA
        cmocka_unit_test(arena_at_every_offset),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
