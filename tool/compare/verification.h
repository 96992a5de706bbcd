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
bool compare_verify(struct compare_result *result, const struct compare_candidates *candidates,
    struct trial_runner *runner, const struct compare_trials_plan *plan,
    struct acre_progress *progress, char error[COMPARE_TEXT_ROOM]);

/** Whether the candidate advised is as fast as all others that were tried, within 2 %. */
enum compare_held {
    COMPARE_CONFIRMED,
    COMPARE_UNDECIDED, /**< The runs differ too much to tell. */
    COMPARE_REFUTED
};

/** The least good of the outcomes beside each of the others. */
enum compare_held compare_advice_held(const struct compare_result *result);

/** Writes in one line whether the advice holds. */
void compare_verification_verdict(
    const struct compare_result *result, char text[COMPARE_REASON_ROOM]);

#endif
