/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Figures of single operations, by verb. */
#ifndef BENCH_VERBS_H
#define BENCH_VERBS_H

#include "replay/script.h"

/*
 * Splits one figure per operation, from the script's `warm` on, into allocations (resizes count as
 * such) and frees, and fills `value` by the BENCH_ALLOC_P50... indices.
 */
void bench_figures_by_verb(
    const struct replay_script *script, const uint32_t *figures, size_t count, double *value);

#endif
