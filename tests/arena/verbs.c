/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the arena does beyond the contract of byte allocators: marks, release, memory that waits. */
#include <acre/arena.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { UNIT = ACRE_ARENA_GRANULE, REGION = 4096, REGIONS = 3, MOST = 4096 };

static _Alignas(4096) unsigned char memory[REGIONS][REGION];
static struct acre_arena arena;

static int begin(void **state)
{
    (void)state;
    memset(&arena, 0, sizeof arena);
    return acre_arena_init(&arena, memory[0], REGION) == ACRE_OK ? 0 : -1;
}

static void add_regions(void)
{
    for (size_t i = 1; i < REGIONS; i++)
        assert_int_equal(acre_arena_add_memory(&arena, memory[i], REGION), ACRE_OK);
}

static struct acre_stats sound(void)
{
    struct acre_stats stats = acre_arena_stats(&arena);
    struct acre_check_result found = acre_arena_check(&arena);
    if (found.invariant != NULL)
        fail_msg("check: %s at %p", found.invariant, found.where);
    assert_int_equal(stats.total, stats.metadata + stats.used + stats.available);
    return stats;
}

static unsigned char *take(size_t size, size_t align)
{
    struct acre_ptr got = acre_arena_alloc(&arena, acre_layout(size, align));
    assert_int_equal(got.status, ACRE_OK);
    memset(got.ptr, 0xff, size);
    sound();
    return got.ptr;
}

static void give(void *ptr)
{
    assert_int_equal(acre_arena_dealloc(&arena, ptr), ACRE_OK);
    sound();
}

static size_t usable(const void *ptr)
{
    return acre_arena_usable_size(&arena, ptr).num;
}

static void requests_follow_one_another(void **state)
{
    (void)state;
    unsigned char *first = take(1, 1);
    assert_ptr_equal(take(UNIT + 1, 1), first + UNIT);
    assert_ptr_equal(take(UNIT, 1), first + 3 * UNIT);
    assert_int_equal(sound().used, 4 * UNIT);
}

static void memory_comes_back_from_the_end(void **state)
{
    (void)state;
    unsigned char *blocks[4];
    for (size_t i = 0; i < 4; i++)
        blocks[i] = take(UNIT, 1);
    give(blocks[1]);
    give(blocks[2]);
    assert_int_equal(sound().used, 4 * UNIT);
    assert_int_equal(sound().live_blocks, 2);
    give(blocks[3]);
    assert_int_equal(sound().used, UNIT);
    assert_ptr_equal(take(1, 1), blocks[1]);
    assert_int_equal(sound().peak, 4 * UNIT);
}

/* Blocks of every length around the words of the bitmaps, freed in reverse order. */
static void last_blocks_of_any_length(void **state)
{
    (void)state;
    unsigned char *blocks[32];
    size_t used[32];
    for (size_t at = 1; at < 130; at++) {
        unsigned char *wall = take(at * UNIT, 1);
        size_t count = 0;
        for (; count < 32 && sound().largest_free >= (count * 7 % 70 + 1) * UNIT; count++) {
            used[count] = sound().used;
            blocks[count] = take((count * 7 % 70 + 1) * UNIT, 1);
        }
        while (count-- > 0) {
            give(blocks[count]);
            assert_int_equal(sound().used, used[count]);
        }
        give(wall);
        assert_int_equal(sound().used, 0);
    }
}

static void release_frees_all_after_a_mark(void **state)
{
    (void)state;
    unsigned char *kept = take(100, 1);
    size_t used = sound().used;
    struct acre_ptr mark = acre_arena_mark(&arena);
    assert_int_equal(mark.status, ACRE_OK);
    give(take(UNIT, 1));
    unsigned char *gone = take(200, 64);
    give(take(UNIT, 1));
    take(1, 1);
    assert_int_equal(acre_arena_release(&arena, mark.ptr), ACRE_OK);
    assert_int_equal(sound().used, used);
    assert_int_equal(sound().live_blocks, 1);
    assert_int_equal(acre_arena_release(&arena, mark.ptr), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_arena_dealloc(&arena, gone), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_arena_release(&arena, kept), ACRE_OK);
    assert_int_equal(sound().used, 0);
}

static void release_takes_dead_memory_along(void **state)
{
    (void)state;
    unsigned char *dead = take(64, 1);
    take(64, 1);
    unsigned char *before = take(64, 1);
    unsigned char *from = take(64, 1);
    take(64, 1);
    give(before);
    assert_int_equal(acre_arena_release(&arena, from), ACRE_OK);
    assert_int_equal(sound().used, 128);
    give(dead);
    assert_int_equal(sound().used, 128);
}

static void release_over_regions(void **state)
{
    (void)state;
    add_regions();
    unsigned char *kept = take(1000, 1);
    size_t used = sound().used;
    struct acre_ptr mark = acre_arena_mark(&arena);
    size_t count = 0;
    while (acre_arena_alloc(&arena, acre_layout(300, 1)).status == ACRE_OK)
        count++;
    assert_true(count > 2 * REGION / 400);
    sound();
    assert_int_equal(acre_arena_remove_memory(&arena, memory[1]), ACRE_INVALID_PARAM);
    assert_int_equal(acre_arena_release(&arena, mark.ptr), ACRE_OK);
    assert_int_equal(sound().used, used);
    assert_int_equal(acre_arena_remove_memory(&arena, memory[1]), ACRE_OK);
    assert_int_equal(acre_arena_remove_memory(&arena, memory[2]), ACRE_OK);
    give(kept);
    assert_int_equal(acre_arena_remove_memory(&arena, memory[0]), ACRE_OK);
    sound();
}

static void wrong_marks_change_nothing(void **state)
{
    static struct acre_arena was;
    static unsigned char bytes[REGION];
    int here;
    (void)state;
    unsigned char *first = take(100, 1);
    unsigned char *freed = take(100, 1);
    take(100, 1);
    give(freed);
    void *const wrong[] = { NULL, first + 1, first + UNIT, freed, freed + UNIT, memory[0],
        memory[2], &here, &arena, (void *)UINTPTR_MAX };
    memcpy(bytes, memory[0], REGION);
    was = arena;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(acre_arena_release(&arena, wrong[i]), ACRE_NOT_ALLOCATED);
    assert_memory_equal(&was, &arena, sizeof arena);
    assert_memory_equal(bytes, memory[0], REGION);
}

/* A region whose last block is freed serves again, wherever it was in the order. */
static void an_older_region_becomes_empty(void **state)
{
    (void)state;
    add_regions();
    unsigned char *blocks[REGIONS];
    for (size_t i = 0; i < REGIONS; i++)
        blocks[i] = take(3000, 1);
    assert_int_equal(sound().largest_free / 1000, 0);
    give(blocks[1]);
    unsigned char *again = take(3000, 1);
    assert_ptr_equal(again, blocks[1]);
    give(blocks[0]);
    give(blocks[2]);
    assert_int_equal(sound().live_blocks, 1);
    assert_int_equal(acre_arena_release(&arena, again), ACRE_OK);
    assert_int_equal(sound().used, 0);
}

/* What is left of a region that is not the current one waits for it. */
static void the_rest_of_an_older_region_waits(void **state)
{
    (void)state;
    add_regions();
    take(2000, 1);
    unsigned char *large = take(3000, 1);
    assert_true(large >= memory[1] && large < memory[2]);
    unsigned char *small = take(100, 1);
    assert_true(small > large && small < memory[2]);
    give(small);
    give(large);
    assert_true(take(100, 1) < memory[1]);
}

static void growing_over_dead_memory(void **state)
{
    (void)state;
    unsigned char *first = take(UNIT, 1);
    unsigned char *second = take(UNIT, 1);
    unsigned char *third = take(4 * UNIT, 1);
    unsigned char *last = take(UNIT, 1);
    assert_int_equal(acre_arena_resize(&arena, first, UNIT + 1), ACRE_NO_MEMORY);
    give(second);
    give(third);
    assert_int_equal(acre_arena_resize(&arena, first, 3 * UNIT), ACRE_OK);
    assert_int_equal(usable(first), 3 * UNIT);
    assert_int_equal(acre_arena_resize(&arena, first, 6 * UNIT + 1), ACRE_NO_MEMORY);
    assert_int_equal(acre_arena_resize(&arena, first, 6 * UNIT), ACRE_OK);
    assert_int_equal(usable(first), 6 * UNIT);
    assert_int_equal(acre_arena_resize(&arena, first, 1), ACRE_OK);
    assert_int_equal(usable(first), UNIT);
    assert_int_equal(sound().used, 7 * UNIT);
    assert_int_equal(acre_arena_dealloc(&arena, third), ACRE_NOT_ALLOCATED);
    give(last);
    assert_int_equal(sound().used, UNIT);
}

static void the_last_block_grows_to_the_end(void **state)
{
    (void)state;
    add_regions();
    take(UNIT, 1);
    unsigned char *last = take(UNIT, 1);
    size_t rest = sound().total / REGIONS - sound().metadata / REGIONS - UNIT;
    assert_int_equal(acre_arena_resize(&arena, last, rest + 1), ACRE_NO_MEMORY);
    assert_int_equal(acre_arena_resize(&arena, last, rest), ACRE_OK);
    assert_int_equal(acre_arena_resize(&arena, last, UNIT), ACRE_OK);
    assert_int_equal(sound().used, 2 * UNIT);
    assert_int_equal(sound().peak, rest + UNIT);
    take(rest, 1);
    assert_int_equal(acre_arena_resize(&arena, last, rest), ACRE_OK); /* of an older region */
    assert_int_equal(usable(last), rest);
    sound();
}

static void gaps_before_aligned_blocks(void **state)
{
    (void)state;
    unsigned char *first = take(UNIT, 1);
    unsigned char *aligned = take(UNIT, 256);
    assert_int_equal((uintptr_t)aligned % 256, 0);
    assert_int_equal(usable(first), UNIT);
    assert_int_equal(acre_arena_find(&arena, aligned - 1).status, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_arena_resize(&arena, first, 2 * UNIT), ACRE_OK);
    give(first);
    give(aligned);
    assert_int_equal(sound().used, 0);
}

static bool free_all(void *arg, struct acre_layout layout)
{
    (void)layout;
    return acre_arena_release(&arena, *(void **)arg) == ACRE_OK;
}

static void exhaustion_calls_the_handler(void **state)
{
    (void)state;
    void *first = take(2000, 1);
    acre_arena_set_on_exhausted(&arena, free_all, &first);
    unsigned char *second = take(3000, 1);
    assert_int_equal(sound().live_blocks, 1);
    first = NULL;
    assert_int_equal(acre_arena_alloc(&arena, acre_layout(3000, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(sound().failed, 1);
    give(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(requests_follow_one_another, begin),
        cmocka_unit_test_setup(memory_comes_back_from_the_end, begin),
        cmocka_unit_test_setup(last_blocks_of_any_length, begin),
        cmocka_unit_test_setup(release_frees_all_after_a_mark, begin),
        cmocka_unit_test_setup(release_takes_dead_memory_along, begin),
        cmocka_unit_test_setup(release_over_regions, begin),
        cmocka_unit_test_setup(wrong_marks_change_nothing, begin),
        cmocka_unit_test_setup(an_older_region_becomes_empty, begin),
        cmocka_unit_test_setup(the_rest_of_an_older_region_waits, begin),
        cmocka_unit_test_setup(growing_over_dead_memory, begin),
        cmocka_unit_test_setup(the_last_block_grows_to_the_end, begin),
        cmocka_unit_test_setup(gaps_before_aligned_blocks, begin),
        cmocka_unit_test_setup(exhaustion_calls_the_handler, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
