/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Judges a comparison.
 */
#ifndef ACRE_TOOL_COMPARE_ADVISE_H
#define ACRE_TOOL_COMPARE_ADVISE_H

#include "cli/size.h"
#include "tool/compare/result.h"

/** Fills the advice of a result that is complete otherwise. */
void compare_advise(struct compare_result *result);

/** The candidate with the least figure but for `left_out` (-1: none), the first of equals; -1:
 * there is none. `own`: only acre's own. */
int compare_best(
    const struct compare_result *result, enum compare_goal goal, int left_out, bool own);

/** Writes a candidate's memory: of a pool, a figure that suffices. */
void compare_format_memory(
    char text[ACRE_FORMAT_BYTES_ROOM], const struct compare_candidate *candidate);

#endif
