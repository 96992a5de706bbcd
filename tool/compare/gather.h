/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Measures the candidates on a script and puts what was found into a result.
 */
#ifndef ACRE_TOOL_COMPARE_GATHER_H
#define ACRE_TOOL_COMPARE_GATHER_H

#include "replay/measure.h"
#include "tool/compare/candidates.h"

/** Says how often to replay a script: `repeat` times, or with 0 as often as its length suggests,
 * and again where that is disturbed. */
void compare_plan_rounds(struct replay_plan *plan, const struct replay_facts *facts, size_t repeat);

/**
 * Fills all of `result` but `source` and the advice. `candidates->items` are those of `result`.
 * @return false when nothing could be measured, with errno set.
 */
bool compare_gather(struct compare_result *result, const struct compare_candidates *candidates,
    const struct replay_script *script, const struct replay_plan *plan,
    struct acre_progress *progress);

/** Fills `result` with what one replay of each candidate found, which is enough for a first
 * verdict. */
void compare_gather_first(struct compare_result *result,
    const struct compare_candidates *candidates, const struct replay_table *table);

#endif
