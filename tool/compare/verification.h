/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Verifies a prediction: runs the program on today's malloc and on the candidates that come out
 * best, in turns, and sets what it really took beside what was predicted.
 */
#ifndef ACRE_TOOL_COMPARE_VERIFICATION_H
#define ACRE_TOOL_COMPARE_VERIFICATION_H

#include "tool/compare/candidates.h"
#include "tool/compare/trial.h"
#include "tool/compare/verdict.h"

/** What to run. */
struct compare_trials_plan {
    size_t runs; /**< Of each candidate, 1 .. COMPARE_MOST_RUNS. */
    bool all;    /**< As many candidates as there is room for, not only the best few. */
};

/**
 * Fills the verification of `result`, which has its advice. A run of today's malloc that fails to
 * start ends it.
 * @return false with a sentence in `error`: nothing could be verified.
 */
bool compare_verify(struct compare_result *result, const struct compare_field *field,
    struct trial_runner *runner, const struct compare_trials_plan *plan,
    struct acre_progress *progress, char error[COMPARE_TEXT_ROOM]);

/** Index among the trials of the fastest; -1: none did all its runs. */
int compare_fastest_trial(const struct compare_verification *verification);

/** Whether the candidate advised is as fast as the fastest one tried, but for noise. */
bool compare_advice_holds(const struct compare_result *result);

/** Writes in one line whether the advice holds. */
void compare_verification_verdict(
    const struct compare_result *result, char text[COMPARE_REASON_ROOM]);

#endif
