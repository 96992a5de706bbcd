/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * How many times as long a program takes on one malloc as on another, from runs in turns on a machine
 * that other programs disturb.
 */
#ifndef ACRE_TOOL_COMPARE_RATIO_H
#define ACRE_TOOL_COMPARE_RATIO_H

#include "tool/compare/result.h"

/** A ratio and the bounds between which it is with 95 %. */
struct compare_ratio {
    double middle;    /**< Estimate of Hodges and Lehmann: median of the means of all pairs. */
    double low, high; /**< Bounds by the signed ranks of Wilcoxon; of five runs and fewer, all of
                           them are between the bounds. */
};

/**
 * Estimates the ratio of `theirs` to `others`, of which those of one index were run in one round.
 * Whatever disturbs the runs, it must disturb both alike: then the logarithm of the ratio of two runs
 * is as often above the true one as below by as much, and the bounds hold. Time: O(runs^2 log runs).
 * @param runs at most COMPARE_MOST_RUNS; of none, the ratio is 1.
 */
struct compare_ratio compare_estimate_ratio(
    const double *theirs, const double *others, size_t runs);

#endif
