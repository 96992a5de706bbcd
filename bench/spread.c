/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "spread.h"

#include <stdlib.h>

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static int compare_u32(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

double bench_median(double *values, size_t count)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof *values, compare_doubles);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static double mean(const uint32_t *figures, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += figures[i];
    return count ? sum / (double)count : 0;
}

/* Median, 99th percentile and highest into at[0..2]. */
static void spread(uint32_t *figures, size_t count, double *at)
{
    if (count == 0)
        return;
    size_t middle = count / 2;
    size_t high = count - 1 - count / 100;
    qsort(figures, count, sizeof *figures, compare_u32);
    at[0] = figures[middle];
    at[1] = figures[high];
    at[2] = figures[count - 1];
}

void bench_spread_by_kind(
    const struct bench_script *script, const uint32_t *figures, size_t count, double *value)
{
    uint32_t *sorted = calloc(count + 1, sizeof *sorted);
    if (!sorted)
        return;
    size_t allocs = 0, frees = 0;
    for (size_t i = 0; i < count; i++)
        if (bench_how_kind(bench_hows(script)[script->warm + i]) == BENCH_DEALLOC)
            sorted[count - ++frees] = figures[i];
        else
            sorted[allocs++] = figures[i];
    value[BENCH_ALLOC_MEAN] = mean(sorted, allocs);
    value[BENCH_FREE_MEAN] = mean(sorted + allocs, frees);
    spread(sorted, allocs, &value[BENCH_ALLOC_P50]);
    spread(sorted + allocs, frees, &value[BENCH_FREE_P50]);
    free(sorted);
}
