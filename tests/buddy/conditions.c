/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Blocks of buddy that meet conditions, beside a search through all free blocks that walk shows. */
#include "support/rng.h"

#include <acre/buddy.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { UNIT = 32, META = 4096, STEPS = 40000, BLOCKS = 48 };

static struct acre_buddy buddy;
static unsigned char metas[3][META];

static int make(void **state)
{
    (void)state;
    memset(&buddy, 0, sizeof buddy);
    return acre_buddy_setup(&buddy, UNIT) == ACRE_OK &&
                   acre_buddy_set_quick_depth(&buddy, 0) == ACRE_OK
               ? 0
               : -1;
}

static void add(unsigned which, uintptr_t start, size_t size)
{
    assert_int_equal(acre_buddy_add_range(&buddy, start, size, metas[which], META), ACRE_OK);
}

static void assert_sound(void)
{
    struct acre_check_result found = acre_buddy_check(&buddy);
    if (found.invariant != NULL)
        fail_msg("%s at %p", found.invariant, found.where);
}

static struct acre_num take(size_t size, struct acre_run_limits limits)
{
    struct acre_num got = acre_buddy_alloc_range_within(&buddy, size, &limits);
    assert_sound();
    return got;
}

/* ---- the naive search ---- */

struct naive {
    const struct acre_run_limits *limits;
    size_t size;  /* of the block */
    size_t whole; /* of the free block that serves; 0: none does yet */
    uintptr_t at;
};

static bool serves(const struct naive *naive, uintptr_t at)
{
    const struct acre_run_limits *limits = naive->limits;
    uintptr_t last = at + (naive->size - 1);
    size_t align = limits->align != 0 ? limits->align : 1;
    return at >= limits->lowest && (limits->highest == 0 || last <= limits->highest) &&
           at % align == limits->phase &&
           (limits->boundary == 0 || at / limits->boundary == last / limits->boundary);
}

static bool see(void *arg, void *start, size_t size, bool live)
{
    struct naive *naive = arg;
    if (live || size < naive->size)
        return true;
    for (size_t offset = 0; offset < size; offset += naive->size) {
        uintptr_t at = (uintptr_t)start + offset;
        if (!serves(naive, at) || (naive->whole != 0 && naive->whole <= size))
            continue;
        naive->whole = size;
        naive->at = at;
    }
    return true;
}

static size_t block_size(size_t size)
{
    size_t block = UNIT;
    while (block < size)
        block *= 2;
    return block;
}

/* ---- cases ---- */

static void each_condition(void **state)
{
    (void)state;
    add(0, 0, 64 * UNIT);
    assert_int_equal(take(1, (struct acre_run_limits){ .lowest = 1 }).num, UNIT);
    assert_int_equal(take(4 * UNIT, (struct acre_run_limits){ .lowest = 9 * UNIT }).num, 12 * UNIT);
    assert_int_equal(take(UNIT, (struct acre_run_limits){ .highest = UNIT - 1 }).num, 0);
    assert_int_equal(
        take(UNIT, (struct acre_run_limits){ .highest = 2 * UNIT - 1 }).status, ACRE_NO_MEMORY);
    struct acre_run_limits phase = { .align = 16 * UNIT, .phase = 4 * UNIT };
    assert_int_equal(take(2 * UNIT, phase).num, 4 * UNIT);
    assert_int_equal(take(2 * UNIT, phase).num, 20 * UNIT);
    assert_int_equal(take(8 * UNIT, phase).status, ACRE_NO_MEMORY);
    struct acre_run_limits boundary = { .boundary = 8 * UNIT };
    assert_int_equal(take(9 * UNIT, boundary).status, ACRE_NO_MEMORY);
    assert_int_equal(take(8 * UNIT, boundary).status, ACRE_OK);
    assert_int_equal(acre_buddy_stats(&buddy).failed, 3);
}

static void bad_conditions_change_nothing(void **state)
{
    (void)state;
    const struct acre_run_limits bad[] = { { .top_down = true }, { .align = 3 * UNIT },
        { .align = 2 * UNIT, .phase = 2 * UNIT }, { .align = 2 * UNIT, .phase = 1 },
        { .phase = UNIT }, { .boundary = UNIT / 2 }, { .boundary = 3 * UNIT } };
    add(0, 0, 64 * UNIT);
    struct acre_buddy was = buddy;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(take(1, bad[i]).status, ACRE_INVALID_PARAM);
    assert_memory_equal(&was, &buddy, sizeof buddy);
    assert_int_equal(take(SIZE_MAX, (struct acre_run_limits){ 0 }).status, ACRE_NO_MEMORY);
    was.failed = 1;
    assert_memory_equal(&was, &buddy, sizeof buddy);
}

static void an_empty_allocator_has_no_memory(void **state)
{
    (void)state;
    memset(&buddy, 0, sizeof buddy);
    struct acre_run_limits none = { 0 };
    assert_int_equal(acre_buddy_alloc_range_within(&buddy, 1, &none).status, ACRE_NO_MEMORY);
}

static struct acre_run_limits some_limits(struct rng *rng, uintptr_t start, size_t units)
{
    struct acre_run_limits limits = { 0 };
    if (rng_below(rng, 2) != 0)
        limits.lowest = start + rng_below(rng, units) * UNIT + rng_below(rng, 2);
    if (rng_below(rng, 2) != 0)
        limits.highest = start + rng_below(rng, units * UNIT);
    if (rng_below(rng, 2) != 0) {
        limits.align = (size_t)UNIT << rng_below(rng, 6);
        limits.phase = rng_below(rng, 2) * rng_below(rng, limits.align / UNIT) * UNIT;
    }
    if (rng_below(rng, 2) != 0)
        limits.boundary = (size_t)UNIT << rng_below(rng, 6);
    return limits;
}

static bool add_low_memory(void *calls, struct acre_layout layout)
{
    assert_int_equal(layout.size, UNIT);
    if ((*(int *)calls)++ != 0)
        return false;
    add(1, 4 * UNIT, 64 * UNIT);
    return true;
}

/* The handler's memory serves the request that called it, and another one is refused at last. */
static void a_handler_brings_memory(void **state)
{
    (void)state;
    int calls = 0;
    struct acre_run_limits low = { .highest = 64 * UNIT };
    add(0, 128 * UNIT, 64 * UNIT);
    acre_buddy_set_on_exhausted(&buddy, add_low_memory, &calls);
    struct acre_num got = take(UNIT, low);
    assert_int_equal(got.status, ACRE_OK);
    assert_int_equal(got.num, 4 * UNIT);
    assert_int_equal(calls, 1);
    low.highest = 4 * UNIT;
    assert_int_equal(take(UNIT, low).status, ACRE_NO_MEMORY);
    assert_int_equal(calls, 2);
    assert_int_equal(acre_buddy_stats(&buddy).failed, 1);
}

/* One request of random conditions; its position, or UINTPTR_MAX. */
static uintptr_t step(struct rng *rng, uintptr_t start, size_t units)
{
    size_t size = 1 + rng_below(rng, 8 * UNIT);
    struct acre_run_limits limits = some_limits(rng, start, units);
    struct naive naive = { .limits = &limits, .size = block_size(size) };
    acre_buddy_walk(&buddy, see, &naive);
    struct acre_num got = take(size, limits);
    assert_int_equal(got.status, naive.whole != 0 ? ACRE_OK : ACRE_NO_MEMORY);
    if (got.status != ACRE_OK)
        return UINTPTR_MAX;
    assert_int_equal(got.num, naive.at);
    return got.num;
}

static void play(uint64_t seed, uintptr_t start, size_t units)
{
    struct rng rng = { seed };
    uintptr_t blocks[BLOCKS];
    memset(blocks, 0xff, sizeof blocks);
    for (size_t i = 0; i < STEPS; i++) {
        uintptr_t *block = &blocks[rng_below(&rng, BLOCKS)];
        if (*block != UINTPTR_MAX) {
            assert_int_equal(acre_buddy_dealloc_range(&buddy, *block), ACRE_OK);
            *block = UINTPTR_MAX;
        } else {
            *block = step(&rng, start, units);
        }
    }
}

static void random_conditions_in_one_range(void **state)
{
    (void)state;
    add(0, 5 * UNIT, 150 * UNIT);
    play(1, 5 * UNIT, 150);
}

/* Three ranges, two of which adjoin, so that blocks lie across the seam. */
static void random_conditions_over_a_seam(void **state)
{
    (void)state;
    add(0, 64 * UNIT, 40 * UNIT);
    add(1, 104 * UNIT, 47 * UNIT);
    add(2, 0, 30 * UNIT);
    play(2, 0, 160);
}

static void random_conditions_at_the_top(void **state)
{
    (void)state;
    uintptr_t start = UINTPTR_MAX - 100 * UNIT + 1;
    add(0, start, 100 * UNIT);
    play(3, start, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_condition, make),
        cmocka_unit_test_setup(bad_conditions_change_nothing, make),
        cmocka_unit_test_setup(an_empty_allocator_has_no_memory, make),
        cmocka_unit_test_setup(a_handler_brings_memory, make),
        cmocka_unit_test_setup(random_conditions_in_one_range, make),
        cmocka_unit_test_setup(random_conditions_over_a_seam, make),
        cmocka_unit_test_setup(random_conditions_at_the_top, make),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
