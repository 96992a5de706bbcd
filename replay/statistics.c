/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Percentiles of millions of 32-bit times, exactly and in linear time: by the upper half, then by
 * the lower. */
#include "replay/statistics.h"

#include <stdlib.h>
#include <string.h>

#define HALF 65536u

static int compare_doubles(const void *left, const void *right)
{
    const double *a = left;
    const double *b = right;
    return (*a > *b) - (*a < *b);
}

static int compare_ticks(const void *left, const void *right)
{
    const uint32_t *a = left;
    const uint32_t *b = right;
    return (*a > *b) - (*a < *b);
}

double replay_least(const double *values, size_t count)
{
    double least = count ? values[0] : 0.0;
    for (size_t i = 1; i < count; i++)
        least = values[i] < least ? values[i] : least;
    return least;
}

double replay_least_noise(const double *values, size_t count)
{
    double least[2] = { count ? values[0] : 0.0, count > 1 ? values[1] : 0.0 };
    for (size_t i = 2; i < count; i++)
        least[i % 2] = values[i] < least[i % 2] ? values[i] : least[i % 2];
    double difference = count > 1 ? least[0] - least[1] : 0.0;
    return difference < 0.0 ? -difference : difference;
}

bool replay_is_unsettled(const double *values, size_t count, double known)
{
    return replay_least_noise(values, count) > known * replay_least(values, count);
}

double replay_median(double *values, size_t count)
{
    if (count == 0)
        return 0.0;
    qsort(values, count, sizeof *values, compare_doubles);
    return (values[(count - 1) / 2] + values[count / 2]) / 2.0;
}

void replay_sort_ticks(uint32_t *ticks, size_t count)
{
    qsort(ticks, count, sizeof *ticks, compare_ticks);
}

/* Finds the half value at which `rank` values (from 0) are used up; `*rank` becomes the rest. */
static uint32_t half_at(const uint64_t counts[HALF], uint64_t *rank)
{
    uint32_t half = 0;
    while (*rank >= counts[half])
        *rank -= counts[half++];
    return half;
}

/* A window of the times. */
struct values {
    const uint32_t *items;
    uint64_t first, count;
};

/* Goes on to the next window, as replay_script_next(). */
static bool next_ticks(const struct replay_ticks *ticks, struct values *values)
{
    uint64_t first = values->first + values->count;
    uint64_t left = ticks->count - first;
    if (!left)
        return false;
    uint64_t count = ticks->file >= 0 && left > REPLAY_WINDOW_OPS ? REPLAY_WINDOW_OPS : left;
    *values = (struct values){ replay_ticks_at(ticks, first, count), first, count };
    return true;
}

/* The value of that rank, 0 being the least. */
static uint32_t select_rank(const struct replay_ticks *ticks, uint64_t rank)
{
    static uint64_t counts[HALF];
    memset(counts, 0, sizeof counts);
    for (struct values values = { 0 }; next_ticks(ticks, &values);)
        for (uint64_t i = 0; i < values.count; i++)
            counts[values.items[i] >> 16]++;
    uint32_t upper = half_at(counts, &rank);
    memset(counts, 0, sizeof counts);
    for (struct values values = { 0 }; next_ticks(ticks, &values);)
        for (uint64_t i = 0; i < values.count; i++)
            if (values.items[i] >> 16 == upper)
                counts[values.items[i] & (HALF - 1)]++;
    return upper << 16 | half_at(counts, &rank);
}

/* The least value that `permille` thousandths of the values do not exceed. */
static uint32_t percentile(const struct replay_ticks *ticks, unsigned permille)
{
    uint64_t count = ticks->count;
    uint64_t rank = (count / 1000) * permille + (count % 1000 * permille + 999) / 1000;
    return select_rank(ticks, rank ? rank - 1 : 0);
}

static void add_ticks(struct replay_results *results, const struct values *values)
{
    for (uint64_t i = 0; i < values->count; i++) {
        results->survey.spread[replay_bucket(values->items[i])]++;
        if (values->items[i] <= results->worst)
            continue;
        results->worst = values->items[i];
        results->worst_op = values->first + i;
    }
}

void replay_summarise(struct replay_results *results, const struct replay_ticks *ticks)
{
    results->worst = 0;
    results->worst_op = 0;
    memset(results->survey.spread, 0, sizeof results->survey.spread);
    for (struct values values = { 0 }; next_ticks(ticks, &values);)
        add_ticks(results, &values);
    results->median = percentile(ticks, 500);
    results->p99 = percentile(ticks, 990);
    results->p999 = percentile(ticks, 999);
}
