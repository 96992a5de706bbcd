/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "verbs.h"
#include "bench.h"
#include "replay/statistics.h"

#include <stdlib.h>

/* Median, 99th percentile and highest into at[0..2]. */
static void summarise_verb(uint32_t *figures, size_t count, double *at, double *mean)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += figures[i];
    *mean = count ? sum / (double)count : 0;
    if (count == 0)
        return;
    replay_sort_ticks(figures, count);
    size_t middle = count / 2;
    size_t hundredth = count / 100;
    at[0] = figures[middle];
    at[1] = figures[count - 1 - hundredth];
    at[2] = figures[count - 1];
}

void bench_figures_by_verb(
    const struct replay_script *script, const uint32_t *figures, size_t count, double *value)
{
    const struct replay_op *ops = script->op_array.items;
    uint32_t *sorted = calloc(count + 1, sizeof *sorted);
    size_t allocs = 0, frees = 0;
    if (!sorted)
        return;
    for (size_t i = 0; i < count; i++)
        if (replay_op_verb(ops[script->facts.warm + i]) == REPLAY_DEALLOC)
            sorted[count - ++frees] = figures[i];
        else
            sorted[allocs++] = figures[i];
    summarise_verb(sorted, allocs, &value[BENCH_ALLOC_P50], &value[BENCH_ALLOC_MEAN]);
    summarise_verb(sorted + allocs, frees, &value[BENCH_FREE_P50], &value[BENCH_FREE_MEAN]);
    free(sorted);
}
