/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Frames at physical addresses of 64 bits, above 4 GiB also where pointers have 32. */
#include "support/rng.h"

#include <acre/bitmap_frames.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { PAGE = 4096, COUNT = 96, STEPS = 60000 };

#define GIB ((uint64_t)1 << 30)

ACRE_BITMAP_STATIC(low_map, 1024);
ACRE_BITMAP_STATIC(high_map, 1024);

static struct acre_frames frames;

static int begin(void **state)
{
    (void)state;
    memset(&frames, 0, sizeof frames);
    return acre_frames_setup(&frames, PAGE) == ACRE_OK ? 0 : -1;
}

static void add(uint64_t start, uint64_t size, void *map, size_t map_size)
{
    assert_int_equal(acre_frames_add(&frames, start, size, map, map_size), ACRE_OK);
}

static void assert_frame(struct acre_frame got, enum acre_status status, uint64_t address)
{
    assert_int_equal(got.status, status);
    assert_true(got.address == address);
    assert_null(acre_bitmap_check(&frames.numbers).invariant);
}

static void frames_above_four_gib(void **state)
{
    (void)state;
    add(5, 20 * PAGE, low_map, sizeof low_map); /* the first whole page is the second one */
    add(6 * GIB, 64 * PAGE, high_map, sizeof high_map);
    assert_int_equal(acre_bitmap_stats(&frames.numbers).available, 19 + 64);
    assert_frame(acre_frames_alloc(&frames, 1, 0), ACRE_OK, PAGE);
    assert_frame(acre_frames_alloc(&frames, 32, 1), ACRE_OK, 6 * GIB);
    assert_frame(acre_frames_alloc(&frames, 1, GIB), ACRE_NO_MEMORY, 0);
    assert_int_equal(acre_frames_dealloc(&frames, 6 * GIB + PAGE, 31), ACRE_OK);
    assert_int_equal(acre_frames_dealloc(&frames, 6 * GIB + PAGE, 31), ACRE_NOT_ALLOCATED);
    assert_frame(acre_frames_alloc_at(&frames, 6 * GIB + 4 * PAGE, 2), ACRE_OK, 6 * GIB + 4 * PAGE);
    assert_frame(acre_frames_alloc_at(&frames, 6 * GIB, 1), ACRE_NO_MEMORY, 0);
    assert_int_equal(acre_frames_remove(&frames, 6 * GIB), ACRE_INVALID_PARAM);
    assert_int_equal(acre_frames_dealloc(&frames, 6 * GIB + 4 * PAGE, 2), ACRE_OK);
    assert_int_equal(acre_frames_dealloc(&frames, 6 * GIB, 1), ACRE_OK);
    assert_int_equal(acre_frames_remove(&frames, 6 * GIB), ACRE_OK);
}

static void conditions_on_either_side(void **state)
{
    (void)state;
    const struct acre_frame_limits dma = { .highest = 4 * GIB - 1, .top_down = true };
    const struct acre_frame_limits high = { .lowest = 4 * GIB + 1 };
    const struct acre_frame_limits phase = { .align = GIB, .phase = 5 * PAGE, .lowest = 5 * GIB };
    const struct acre_frame_limits wide = { .align = (uint64_t)1 << 62, .phase = 6 * GIB };
    const struct acre_frame_limits boundary = { .boundary = 2 * GIB, .lowest = 6 * GIB - PAGE };
    add(0, 20 * PAGE, low_map, sizeof low_map);
    add(6 * GIB - 32 * PAGE, 64 * PAGE, high_map, sizeof high_map);
    assert_frame(acre_frames_alloc_within(&frames, 2, &dma), ACRE_OK, 18 * PAGE);
    assert_frame(acre_frames_alloc_within(&frames, 2, &high), ACRE_OK, 6 * GIB - 32 * PAGE);
    assert_frame(acre_frames_alloc_within(&frames, 1, &phase), ACRE_OK, 6 * GIB + 5 * PAGE);
    assert_frame(acre_frames_alloc_within(&frames, 1, &wide), ACRE_OK, 6 * GIB);
    assert_frame(acre_frames_alloc_within(&frames, 1, &wide), ACRE_NO_MEMORY, 0);
    assert_frame(acre_frames_alloc_within(&frames, 2, &boundary), ACRE_OK, 6 * GIB + PAGE);
}

static void the_first_frame_alone(void **state)
{
    (void)state;
    const struct acre_frame_limits first = { .highest = PAGE - 1 };
    const struct acre_frame_limits none = { .highest = PAGE - 2 };
    add(0, 20 * PAGE, low_map, sizeof low_map);
    assert_frame(acre_frames_alloc_within(&frames, 1, &none), ACRE_NO_MEMORY, 0);
    assert_frame(acre_frames_alloc_within(&frames, 2, &first), ACRE_NO_MEMORY, 0);
    assert_frame(acre_frames_alloc_within(&frames, 1, &first), ACRE_OK, 0);
    assert_frame(acre_frames_alloc_within(&frames, 1, &first), ACRE_NO_MEMORY, 0);
    assert_int_equal(acre_bitmap_stats(&frames.numbers).failed, 3);
}

static void bad_calls_change_nothing(void **state)
{
    (void)state;
    const struct acre_frame_limits bad[] = { { .align = 3 * PAGE },
        { .align = 2 * PAGE, .phase = 2 * PAGE }, { .align = 2 * PAGE, .phase = 1 },
        { .phase = PAGE }, { .boundary = PAGE / 2 }, { .boundary = 6 * GIB } };
    const uint64_t far = ~(uint64_t)0 << 12; /* has a number only where pointers have 64 bits */
    add(6 * GIB, 64 * PAGE, high_map, sizeof high_map);
    struct acre_frames was = frames;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_frame(acre_frames_alloc_within(&frames, 1, &bad[i]), ACRE_INVALID_PARAM, 0);
    assert_frame(acre_frames_alloc(&frames, 0, 0), ACRE_INVALID_PARAM, 0);
    assert_frame(acre_frames_alloc_at(&frames, 1, 1), ACRE_INVALID_PARAM, 0);
    assert_frame(acre_frames_alloc_at(&frames, 6 * GIB, 0), ACRE_INVALID_PARAM, 0);
    assert_int_equal(acre_frames_dealloc(&frames, 6 * GIB, 0), ACRE_INVALID_PARAM);
    assert_int_equal(acre_frames_dealloc(&frames, 6 * GIB + 1, 1), ACRE_INVALID_PARAM);
    assert_int_equal(acre_frames_dealloc(&frames, far, 1), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_frames_remove(&frames, far), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_frames_remove(&frames, 6 * GIB + 1), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_frames_setup(&frames, PAGE), ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_frames_add(&frames, far, 2 * PAGE, low_map, sizeof low_map), ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_frames_add(&frames, 1, PAGE, low_map, sizeof low_map), ACRE_INVALID_PARAM);
    assert_int_equal(acre_frames_add(&frames, 0, 0, low_map, sizeof low_map), ACRE_INVALID_PARAM);
    assert_int_equal(acre_frames_add(&frames, 6 * GIB + 63 * PAGE, PAGE, low_map, sizeof low_map),
        ACRE_MEMORY_OVERLAP);
    assert_memory_equal(&was, &frames, sizeof was);
}

static void without_setup_nothing_is_served(void **state)
{
    (void)state;
    struct acre_frames blank = { 0 };
    assert_int_equal(acre_frames_alloc(&blank, 1, 0).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_frames_dealloc(&blank, 0, 1), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_frames_add(&blank, 0, PAGE, low_map, sizeof low_map), ACRE_INVALID_PARAM);
    assert_int_equal(acre_frames_alloc_at(&blank, 0, 1).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_frames_alloc_at(&blank, 1, 1).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_frames_remove(&blank, 0), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_frames_dealloc(&blank, 0, 0), ACRE_INVALID_PARAM);
    for (size_t page = (size_t)1 << 31; page != 0; page <<= 1)
        assert_int_equal(acre_frames_setup(&blank, page), ACRE_INVALID_PARAM);
    for (size_t page = 0; page < 5000; page++)
        if ((page & (page - 1)) != 0 || page < 2)
            assert_int_equal(acre_frames_setup(&blank, page), ACRE_INVALID_PARAM);
}

/* ---- beside a search frame by frame ---- */

static bool used[COUNT];

static bool meets(const struct acre_frame_limits *limits, uint64_t start, size_t count)
{
    uint64_t last = start + (uint64_t)count * PAGE - 1;
    uint64_t align = limits->align != 0 ? limits->align : 1;
    return start >= limits->lowest && (limits->highest == 0 || last <= limits->highest) &&
           start % align == limits->phase &&
           (limits->boundary == 0 || start / limits->boundary == last / limits->boundary);
}

static size_t fit(uint64_t base, size_t count, const struct acre_frame_limits *limits)
{
    size_t found = COUNT;
    for (size_t at = 0; at + count <= COUNT && (found == COUNT || limits->top_down); at++) {
        size_t run = 0;
        while (run < count && !used[at + run])
            run++;
        if (run == count && meets(limits, base + (uint64_t)at * PAGE, count))
            found = at;
    }
    return found;
}

static struct acre_frame_limits some_limits(struct rng *rng, uint64_t base)
{
    struct acre_frame_limits limits = { .top_down = rng_below(rng, 2) != 0 };
    if (rng_below(rng, 2) != 0)
        limits.lowest = base + rng_below(rng, (size_t)COUNT * PAGE);
    if (rng_below(rng, 2) != 0)
        limits.highest = base + rng_below(rng, (size_t)COUNT * PAGE);
    if (rng_below(rng, 2) != 0) {
        limits.align = (uint64_t)PAGE << rng_below(rng, 7);
        limits.phase = rng_below(rng, (size_t)limits.align / PAGE) * (uint64_t)PAGE;
    }
    if (rng_below(rng, 2) != 0)
        limits.boundary = (uint64_t)PAGE << rng_below(rng, 7);
    return limits;
}

static void step(struct rng *rng, uint64_t base)
{
    size_t at = rng_below(rng, COUNT);
    if (used[at] && rng_below(rng, 3) != 0) {
        assert_int_equal(acre_frames_dealloc(&frames, base + (uint64_t)at * PAGE, 1), ACRE_OK);
        used[at] = false;
        return;
    }
    size_t count = 1 + rng_below(rng, 6);
    struct acre_frame_limits limits = some_limits(rng, base);
    size_t expected = fit(base, count, &limits);
    struct acre_frame got = acre_frames_alloc_within(&frames, count, &limits);
    assert_int_equal(got.status, expected == COUNT ? ACRE_NO_MEMORY : ACRE_OK);
    if (expected == COUNT)
        return;
    assert_true(got.address == base + (uint64_t)expected * PAGE);
    memset(&used[expected], true, count);
}

static void random_conditions(void **state)
{
    static const uint64_t bases[] = { 0, 3 * (uint64_t)PAGE, (4 * GIB) - 40 * (uint64_t)PAGE,
        9 * GIB + 7 * (uint64_t)PAGE, ((uint64_t)PAGE << 32) - COUNT * (uint64_t)PAGE };
    struct rng rng = { 11 };
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        begin(state);
        memset(used, 0, sizeof used);
        add(bases[i], (uint64_t)COUNT * PAGE, low_map, sizeof low_map);
        for (size_t done = 0; done < STEPS; done++)
            step(&rng, bases[i]);
        assert_null(acre_bitmap_check(&frames.numbers).invariant);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(frames_above_four_gib, begin),
        cmocka_unit_test_setup(conditions_on_either_side, begin),
        cmocka_unit_test_setup(the_first_frame_alone, begin),
        cmocka_unit_test_setup(bad_calls_change_nothing, begin),
        cmocka_unit_test_setup(without_setup_nothing_is_served, begin),
        cmocka_unit_test(random_conditions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
