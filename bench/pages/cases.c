/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pages.h"

#include "bench/random.h"
#include "clock/clock.h"
#include "replay/statistics.h"

#include <math.h>
#include <stdlib.h>

const unsigned pages_occupancies[PAGES_OCCUPANCIES] = { 0, 10, 50, 90, 99 };
const unsigned pages_sizes_log2[PAGES_SIZES] = { 10, 13, 16, 19, 22, 25, 28 };

enum {
    MANY_LOG2 = 20,
    MORE_LOG2 = 24,
    BURST = 4096,
    ROUNDS_MAX = 64,
    LINEAR_LOG2 = 22,
    CHURN = 100000,
    CHURN_LINEAR = 50
};

struct bench {
    const struct pages_backend *who;
    const struct pages_options *options;
    uint64_t random;
};

typedef double timed_fn(struct bench *bench, size_t calls);

/* The median over the rounds of the time that a call takes. */
static double median_of(struct bench *bench, timed_fn *timed, size_t calls)
{
    double rounds[ROUNDS_MAX];
    for (unsigned round = 0; round < bench->options->rounds; round++)
        rounds[round] = timed(bench, calls) / (double)calls;
    return replay_median(rounds, bench->options->rounds);
}

/* Takes all pages, then gives back each one with a chance, so that `percent` of them stay. */
static void occupy(struct bench *bench, size_t pages, unsigned percent)
{
    while (bench->who->take(1) != PAGES_NONE) {
    }
    for (size_t page = 0; page < pages; page++)
        if (bench_random_below(&bench->random, 100) >= percent)
            bench->who->give(page, 1);
}

static size_t burst[BURST];

static double take_burst(struct bench *bench, size_t calls, size_t count)
{
    uint64_t start = acre_clock_ns();
    for (size_t i = 0; i < calls; i++)
        burst[i] = bench->who->take(count);
    return (double)(acre_clock_ns() - start);
}

static double give_burst(struct bench *bench, size_t calls, size_t count)
{
    uint64_t start = acre_clock_ns();
    for (size_t i = 0; i < calls; i++)
        if (burst[i] != PAGES_NONE)
            bench->who->give(burst[i], count);
    return (double)(acre_clock_ns() - start);
}

static void shuffle_burst(struct bench *bench, size_t calls)
{
    for (size_t i = calls; i > 1; i--) {
        size_t j = bench_random_below(&bench->random, i);
        size_t page = burst[i - 1];
        burst[i - 1] = burst[j];
        burst[j] = page;
    }
}

/* Runs a burst of takes and one of gives in random order, round by round. */
static void bursts(struct bench *bench, size_t calls, size_t count, double *take, double *give)
{
    double takes[ROUNDS_MAX], gives[ROUNDS_MAX];
    for (unsigned round = 0; round < bench->options->rounds; round++) {
        takes[round] = take_burst(bench, calls, count) / (double)calls;
        shuffle_burst(bench, calls);
        gives[round] = give_burst(bench, calls, count) / (double)calls;
    }
    *take = replay_median(takes, bench->options->rounds);
    *give = replay_median(gives, bench->options->rounds);
}

static void single(struct bench *bench, size_t pages, struct pages_result *result)
{
    for (int i = 0; i < PAGES_OCCUPANCIES; i++) {
        if (!bench->who->make(bench->who, pages))
            return;
        occupy(bench, pages, pages_occupancies[i]);
        bursts(bench, BURST, 1, &result->single_take[i], &result->single_give[i]);
        bench->who->drop();
    }
}

/* ---- churn: a random held page freed, one allocated ---- */

static uint32_t *held; /* page numbers: half the cache that pointers would take */
static size_t held_count;

/* Allocates all pages and frees each one with a chance, so that `percent` of them stay and are
 * held. At 0 percent, a burst of pages is held. */
static void hold(struct bench *bench, size_t pages, unsigned percent)
{
    held_count = 0;
    while (percent == 0 && held_count < BURST)
        held[held_count++] = (uint32_t)bench->who->take(1);
    if (percent == 0)
        return;
    while (bench->who->take(1) != PAGES_NONE) {
    }
    for (size_t page = 0; page < pages; page++) {
        if (bench_random_below(&bench->random, 100) >= percent)
            bench->who->give(page, 1);
        else
            held[held_count++] = (uint32_t)page;
    }
}

static double churn_held(struct bench *bench, size_t calls)
{
    uint64_t start = acre_clock_ns();
    for (size_t i = 0; i < calls; i++) {
        size_t which = bench_random_below(&bench->random, held_count);
        bench->who->give(held[which], 1);
        held[which] = (uint32_t)bench->who->take(1);
    }
    return (double)(acre_clock_ns() - start);
}

static void churn(struct bench *bench, size_t pages, struct pages_result *result)
{
    held = malloc(pages * sizeof *held);
    for (int i = 0; i < PAGES_OCCUPANCIES; i++) {
        result->churn[i] = (double)NAN;
        if (held == NULL || !bench->who->make(bench->who, pages))
            continue;
        hold(bench, pages, pages_occupancies[i]);
        result->churn[i] = median_of(bench, churn_held, bench->who->linear ? CHURN_LINEAR : CHURN);
        bench->who->drop();
    }
    free(held);
}

/* ---- what is counted ---- */

__attribute__((noinline)) static size_t bench_pages_take(const struct pages_backend *who)
{
    return who->take(1);
}

__attribute__((noinline)) static void bench_pages_give(const struct pages_backend *who, size_t page)
{
    who->give(page, 1);
}

bool pages_churn_counted(
    const struct pages_backend *who, const struct pages_options *options, unsigned percent)
{
    struct bench bench = { who, options, options->seed };
    size_t pages = (size_t)1 << MANY_LOG2;
    held = malloc(pages * sizeof *held);
    bool made = held != NULL && who->make(who, pages);
    if (made) {
        hold(&bench, pages, percent);
        for (int i = 0; i < PAGES_COUNTED_PAIRS; i++) {
            size_t which = bench_random_below(&bench.random, held_count);
            bench_pages_give(who, held[which]);
            held[which] = (uint32_t)bench_pages_take(who);
        }
        who->drop();
    }
    free(held);
    return made;
}

/* ---- runs ---- */

static void eight(struct bench *bench, size_t pages, struct pages_result *result)
{
    if (!bench->who->make(bench->who, pages))
        return;
    occupy(bench, pages, 50);
    bursts(bench, bench->who->linear ? 100 : 1000, 8, &result->eight_take, &result->eight_give);
    bench->who->drop();
}

static double ask_in_vain(struct bench *bench, size_t calls)
{
    uint64_t start = acre_clock_ns();
    for (size_t i = 0; i < calls; i++)
        if (bench->who->take(64 + i % 4033) != PAGES_NONE)
            return (double)NAN;
    return (double)(acre_clock_ns() - start);
}

/* Every other page in use: no two free ones in a row. */
static double none(struct bench *bench, size_t pages)
{
    if (!bench->who->make(bench->who, pages))
        return (double)NAN;
    while (bench->who->take(1) != PAGES_NONE) {
    }
    for (size_t page = 0; page < pages; page += 2)
        bench->who->give(page, 1);
    double ns = median_of(bench, ask_in_vain, bench->who->linear ? 2 : 10000);
    bench->who->drop();
    return ns;
}

static double pairs(struct bench *bench, size_t calls, size_t count)
{
    uint64_t start = acre_clock_ns();
    for (size_t i = 0; i < calls; i++)
        bench->who->give(bench->who->take(count), count);
    return (double)(acre_clock_ns() - start);
}

static double pairs_of_one(struct bench *bench, size_t calls)
{
    return pairs(bench, calls, 1);
}

static double pairs_of_eight(struct bench *bench, size_t calls)
{
    return pairs(bench, calls, 8);
}

static double pairs_of_many(struct bench *bench, size_t calls)
{
    return pairs(bench, calls, 4096);
}

static double on_empty(struct bench *bench, size_t pages, timed_fn *timed)
{
    if (!bench->who->make(bench->who, pages))
        return (double)NAN;
    double ns = median_of(bench, timed, 5000);
    bench->who->drop();
    return ns;
}

static void latency_growth(struct bench *bench, struct pages_result *result)
{
    for (int i = 0; i < PAGES_SIZES; i++) {
        size_t pages = (size_t)1 << pages_sizes_log2[i];
        bool skip = (bench->who->linear && pages_sizes_log2[i] > LINEAR_LOG2) ||
                    (bench->options->smoke && pages_sizes_log2[i] > MANY_LOG2);
        result->growth_single[i] = skip ? (double)NAN : on_empty(bench, pages, pairs_of_one);
        result->growth_eight[i] = skip ? (double)NAN : on_empty(bench, pages, pairs_of_eight);
        result->growth_none[i] = skip ? (double)NAN : none(bench, pages);
    }
}

void pages_measure(const struct pages_backend *who, const struct pages_options *options,
    struct pages_result *result)
{
    struct bench bench = { who, options, options->seed };
    size_t pages = (size_t)1 << (options->smoke ? 14 : MANY_LOG2);
    single(&bench, pages, result);
    churn(&bench, pages, result);
    eight(&bench, pages, result);
    result->none_1m = none(&bench, pages);
    result->none_16m = options->smoke ? (double)NAN : none(&bench, (size_t)1 << MORE_LOG2);
    result->large_pair = on_empty(&bench, pages, pairs_of_many);
    latency_growth(&bench, result);
}

double pages_growth(const double *figures)
{
    double least = figures[0], most = figures[0];
    for (int i = 0; i < PAGES_SIZES; i++) {
        if (isnan(figures[i]))
            return (double)NAN;
        least = fmin(least, figures[i]);
        most = fmax(most, figures[i]);
    }
    return most / least;
}
