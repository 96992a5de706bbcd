/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Medians and percentiles: of a few rounds, and of the times of millions of operations.
 */
#ifndef ACRE_REPLAY_STATISTICS_H
#define ACRE_REPLAY_STATISTICS_H

#include "replay/worker.h"

/** The least of `count` values; 0 of none. What disturbs a measurement only ever lengthens it. */
double replay_least(const double *values, size_t count);

/** By how much the least of every other value differs from the least of the rest, in the order in
 * which they were measured: how well the least of all is known. 0 of fewer than two. */
double replay_least_noise(const double *values, size_t count);

/** A least value is known well when its noise is at most this part of it. */
#define REPLAY_KNOWN_WELL 0.02

/** Whether more values would tell the least better: two and more are there, and their noise is more
 * than the part `known` of it. */
bool replay_is_unsettled(const double *values, size_t count, double known);

/** The median of `count` values, which it sorts; 0 of none. */
double replay_median(double *values, size_t count);

/** Sorts times, the least first. */
void replay_sort_ticks(uint32_t *ticks, size_t count);

/** Writes the percentiles and the histogram to the results; there is at least one time. Linear,
 * exact. */
void replay_summarise(struct replay_results *results, const struct replay_ticks *ticks);

#endif
