/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The verdict: what to do, compared with the malloc that runs today, in one line; and what a
 * program would gain, predicted from the time that its recorded run took.
 */
#ifndef ACRE_TOOL_COMPARE_VERDICT_H
#define ACRE_TOOL_COMPARE_VERDICT_H

#include "tool/compare/result.h"

/** Index of the malloc that runs today; -1: it is no candidate. */
int compare_find_today(const struct compare_result *result);

/** The same; -1: it was not measured. */
int compare_today(const struct compare_result *result);

/**
 * Predicts the seconds by which a run of the whole program changes with `candidate` in place of
 * today's malloc; less than 0 is a gain.
 * @return false: the trace has no times, one of the two was not measured, or it waits for a lock.
 */
bool compare_predict(const struct compare_result *result, const struct compare_candidate *candidate,
    double *seconds);

/** The same for a run that takes `run_seconds` on today's malloc. */
bool compare_predict_from(const struct compare_result *result,
    const struct compare_candidate *candidate, double run_seconds, double *seconds);

/**
 * The bounds of that prediction, in seconds, the lower first: the noise of the replays, and how
 * often the program's own work waits for blocks that it reads, which a trace does not tell: never,
 * or for three quarters of its time.
 */
bool compare_predict_bounds(const struct compare_result *result,
    const struct compare_candidate *candidate, double run_seconds, double bounds[2]);

/** What orders candidates by speed, less being better: seconds predicted of the whole program, or
 * nanoseconds per operation when the trace has no times; 0: not known. */
double compare_cost(const struct compare_result *result, const struct compare_candidate *candidate);

/** Whether `one` costs less than `other`; a cost that is not known is the highest. */
bool compare_costs_less(const struct compare_result *result, const struct compare_candidate *one,
    const struct compare_candidate *other);

/** Seconds of the recorded run that today's malloc took. @return false: it is not known. */
bool compare_malloc_seconds(const struct compare_result *result, double *seconds);

/** The candidates that tie with the fastest, the cheapest to adopt first: today's malloc, its
 * settings, what can be preloaded, plugins; of those that are as cheap, the fastest. The first is
 * the one that is advised. @return how many. */
size_t compare_find_ties(const struct compare_result *result, size_t ties[COMPARE_MOST_CANDIDATES]);

/** The candidate that the verdict advises for speed, today's malloc included; -1: none. */
int compare_advised(const struct compare_result *result);

#define COMPARE_SECONDS_ROOM 32

/** Seconds as they are shown of a run of `whole` seconds: "0.31 s", "4.2 ms"; a change with its
 * sign. */
const char *compare_format_seconds(
    char text[COMPARE_SECONDS_ROOM], double seconds, double whole, bool is_change);

/** Writes the verdict, one line. `result` has its advice. */
void compare_verdict(const struct compare_result *result, char text[COMPARE_REASON_ROOM]);

#endif
