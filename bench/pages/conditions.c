/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Runs with conditions (acre_alloc_pages_within), on acre's bitmap alone. */
#include "pages.h"

#include "bench/random.h"
#include "clock/clock.h"
#include "replay/statistics.h"

#include <acre/bitmap.h>

#include <math.h>
#include <stdlib.h>

enum { PAGE = 4096, RUN = 8, PAIRS = 2000, MOST_ROUNDS = 64 };

const char *const pages_condition_names[PAGES_CONDITIONS] = { "none", "in the lowest 16th",
    "in the highest 16th", "top-down", "phase", "boundary", "all" };

static const size_t align = 16 * PAGE;

static struct acre_run_limits condition_limits(int which, uintptr_t size)
{
    struct acre_run_limits limits = { 0 };
    if (which == 1)
        limits.highest = size / 16 - 1;
    if (which == 2 || which == 6)
        limits.lowest = size - size / 16;
    if (which == 3 || which == 6)
        limits.top_down = true;
    if (which == 4 || which == 6) {
        limits.align = align;
        limits.phase = 4 * PAGE;
    }
    if (which == 5 || which == 6)
        limits.boundary = align;
    return limits;
}

/* Nanoseconds per pair of a run allocated and freed. */
static double condition_pairs(struct acre_pages pages, const struct acre_run_limits *limits)
{
    uint64_t start = acre_clock_ns();
    for (int i = 0; i < PAIRS; i++) {
        struct acre_num got = acre_alloc_pages_within(pages, RUN, limits);
        if (got.status != ACRE_OK)
            return (double)NAN;
        acre_dealloc_pages(pages, got.num, RUN);
    }
    return (double)(acre_clock_ns() - start) / PAIRS;
}

/* Each page of `count` is in use with a chance of one half. */
static void condition_occupy(struct acre_bitmap *bitmap, size_t count, uint64_t seed)
{
    uint64_t random = seed;
    while (acre_bitmap_alloc_pages(bitmap, 1, 1).status == ACRE_OK) {
    }
    for (size_t page = 0; page < count; page++)
        if (bench_random_below(&random, 2) == 0)
            acre_bitmap_dealloc_pages(bitmap, (uintptr_t)page * PAGE, 1);
}

void pages_measure_conditions(
    const struct pages_options *options, size_t count, double ns[PAGES_CONDITIONS])
{
    struct acre_bitmap bitmap = { 0 };
    size_t size = acre_bitmap_metadata_size(count);
    void *metadata = malloc(size);
    double rounds[MOST_ROUNDS];
    bool made = metadata != NULL &&
                acre_bitmap_add_memory_apart(&bitmap, 0, count * PAGE, metadata, size) == ACRE_OK;
    if (made)
        condition_occupy(&bitmap, count, options->seed);
    for (int which = 0; which < PAGES_CONDITIONS; which++) {
        struct acre_run_limits limits = condition_limits(which, (uintptr_t)count * PAGE);
        for (size_t round = 0; made && round < options->rounds; round++)
            rounds[round] = condition_pairs(acre_bitmap_pages(&bitmap), &limits);
        ns[which] = made ? replay_median(rounds, options->rounds) : (double)NAN;
    }
    free(metadata);
}
