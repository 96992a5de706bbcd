/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/compare/ratio.h"

#include "replay/statistics.h"

#include <math.h>

/* A ratio is below its bounds with this probability, and above them with the same. */
#define BOUNDS_MISS 0.025
#define MOST_PAIRS ((size_t)COMPARE_MOST_RUNS * (COMPARE_MOST_RUNS + 1) / 2)

/* Products of all pairs of ratios, of each with itself too: squares of their geometric means. */
static size_t multiply_pairs(double *pairs, const double *ratios, size_t runs)
{
    size_t count = 0;
    for (size_t i = 0; i < runs; i++)
        for (size_t j = i; j < runs; j++)
            pairs[count++] = ratios[i] * ratios[j];
    return count;
}

/* How many of the pairs at either end are outside of the bounds. The number of pairs that are below
 * the true value is distributed as the sum of the ranks 1 .. runs of which each is drawn with a
 * probability of one half. */
static size_t count_outside(size_t runs)
{
    static double chances[MOST_PAIRS + 1];
    size_t most = runs * (runs + 1) / 2;
    for (size_t sum = 0; sum <= most; sum++)
        chances[sum] = sum ? 0.0 : 1.0;
    for (size_t rank = 1; rank <= runs; rank++)
        for (size_t sum = most + 1; sum-- > 0;)
            chances[sum] = (chances[sum] + (sum >= rank ? chances[sum - rank] : 0.0)) / 2.0;
    size_t outside = 0;
    double below = chances[0] + chances[1];
    while (below <= BOUNDS_MISS && outside < most / 2)
        below += chances[++outside + 1];
    return outside;
}

struct compare_ratio compare_estimate_ratio(const double *theirs, const double *others, size_t runs)
{
    static double pairs[MOST_PAIRS];
    double ratios[COMPARE_MOST_RUNS];
    for (size_t run = 0; run < runs; run++)
        ratios[run] = others[run] > 0.0 && theirs[run] > 0.0 ? theirs[run] / others[run] : 1.0;
    size_t count = multiply_pairs(pairs, ratios, runs);
    if (!count)
        return (struct compare_ratio){ 1.0, 1.0, 1.0 };
    double middle = replay_median(pairs, count);
    size_t outside = count_outside(runs);
    return (struct compare_ratio){ sqrt(middle), sqrt(pairs[outside]),
        sqrt(pairs[count - 1 - outside]) };
}
