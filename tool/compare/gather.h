/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Measures the candidates on a script and puts what was found into a result.
 */
#ifndef ACRE_TOOL_COMPARE_GATHER_H
#define ACRE_TOOL_COMPARE_GATHER_H

#include "replay/measure.h"
#include "tool/compare/candidates.h"

/**
 * Fills all of `result` but `source` and the advice. `field->candidates` are those of `result`.
 * @return false when nothing could be measured, with errno set.
 */
bool compare_gather(struct compare_result *result, const struct compare_field *field,
    const struct replay_script *script, const struct replay_plan *plan,
    struct acre_progress *progress);

/** Fills `result` with what a first look at the candidates found: enough for a verdict. */
void compare_gather_first(struct compare_result *result, const struct compare_field *field,
    const struct replay_table *table);

#endif
