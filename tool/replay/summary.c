/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Percentiles of millions of 32-bit times, exactly and in linear time: by the upper half, then by
 * the lower. */
#include "tool/replay/work.h"

#include <string.h>

#define HALF 65536u

/* Finds the half value at which `rank` values (from 0) are used up; `*rank` becomes the rest. */
static uint32_t half_at(const uint64_t counts[HALF], uint64_t *rank)
{
    uint32_t half = 0;
    while (*rank >= counts[half])
        *rank -= counts[half++];
    return half;
}

/* The value of that rank, 0 being the least, below `count`. */
static uint32_t select_rank(const uint32_t *values, uint64_t count, uint64_t rank)
{
    static uint64_t counts[HALF];
    memset(counts, 0, sizeof counts);
    for (uint64_t i = 0; i < count; i++)
        counts[values[i] >> 16]++;
    uint32_t upper = half_at(counts, &rank);
    memset(counts, 0, sizeof counts);
    for (uint64_t i = 0; i < count; i++)
        if (values[i] >> 16 == upper)
            counts[values[i] & (HALF - 1)]++;
    return upper << 16 | half_at(counts, &rank);
}

/* The least value that `permille` thousandths of the values do not exceed. */
static uint32_t percentile(const uint32_t *values, uint64_t count, unsigned permille)
{
    uint64_t rank = (count / 1000) * permille + (count % 1000 * permille + 999) / 1000;
    return select_rank(values, count, rank ? rank - 1 : 0);
}

void replay_summarise(struct replay_board *board, const uint32_t *ticks, uint64_t count)
{
    board->worst = 0;
    board->worst_op = 0;
    memset(board->survey.spread, 0, sizeof board->survey.spread);
    for (uint64_t i = 0; i < count; i++) {
        board->survey.spread[replay_bucket(ticks[i])]++;
        if (ticks[i] <= board->worst)
            continue;
        board->worst = ticks[i];
        board->worst_op = i;
    }
    board->median = percentile(ticks, count, 500);
    board->p99 = percentile(ticks, count, 990);
    board->p999 = percentile(ticks, count, 999);
}
