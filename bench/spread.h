/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Medians and percentiles. */
#ifndef BENCH_SPREAD_H
#define BENCH_SPREAD_H

#include "bench.h"

/* The median; sorts `values`. 0 of none. */
double bench_median(double *values, size_t count);

/*
 * Splits one figure per operation, the first at script->warm, into allocations (resizes count as
 * such) and frees, and fills `value` by the BENCH_ALLOC_P50... indices.
 */
void bench_spread_by_kind(
    const struct bench_script *script, const uint32_t *figures, size_t count, double *value);

#endif
