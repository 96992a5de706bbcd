/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Shows a comparison: as text, as JSON, as C code.
 */
#ifndef ACRE_TOOL_COMPARE_PRINT_H
#define ACRE_TOOL_COMPARE_PRINT_H

#include "registry/registry.h"
#include "tool/compare/result.h"

#include <cjson/cJSON.h>
#include <stdio.h>

/**
 * Prints the verdict, a line with bars for each candidate, and what was compared.
 * @param goal whose advice is wanted; COMPARE_GOALS: none in particular.
 * @param why print all tables, what their figures mean, and the advice for each goal as well.
 * @param verified whether real runs follow; else the text points to them.
 */
void compare_print(FILE *out, const struct compare_result *result, enum compare_goal goal, bool why,
    bool verified);

/** Parts of it (bars.c), in colour on a terminal unless NO_COLOR is set. */
void compare_print_verdict(FILE *out, const struct compare_result *result);
void compare_print_bars(FILE *out, const struct compare_result *result);

/** Predictions beside real runs, if the result has them (print_verification.c); as a member of
 * `root` too, which is null without them. */
void compare_print_verification(FILE *out, const struct compare_result *result);
void compare_add_verification(cJSON *root, const struct compare_result *result);

/** A JSON object of all of it; the caller deletes it. Null: no memory. */
cJSON *compare_json(const struct compare_result *result);

/** Room beyond the smallest pool, in percent, that compare_emit_config() adds. */
#define COMPARE_MARGIN_PERCENT 10u
#define COMPARE_BUDDY_MARGIN_PERCENT 25u

/**
 * Prints C code that sets up acre's own allocator that serves `goal` best.
 * @param backends one for each candidate, as of struct compare_candidates.
 * @return false when there is none, or none of which it is known how; `*name` is then the allocator
 * or null.
 */
bool compare_emit_config(FILE *out, const struct compare_result *result,
    const struct acre_backend *const *backends, enum compare_goal goal, const char **name);

#endif
