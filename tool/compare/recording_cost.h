/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * What recording adds to a call of malloc on this machine: the tool makes some calls in a process of
 * their own, recorded and not.
 */
#ifndef ACRE_TOOL_COMPARE_RECORDING_COST_H
#define ACRE_TOOL_COMPARE_RECORDING_COST_H

#include "tool/compare/result.h"

/** What is known of the time of the program, in nanoseconds; 0: not known. */
struct compare_program_time {
    double recorded_ns;   /**< Processor time of the command while it was recorded. */
    double recording_ns;  /**< Processor time that recording adds to a call. */
    double unrecorded_ns; /**< Elapsed time of a run that was not recorded, with threads. */
};

/** The tool started with this word, and a number of threads, makes calls of malloc and ends. */
#define COMPARE_CALLS_WORD "--make-calls"

/** The entry of that process. @return its exit code. */
int compare_calls_main(int argc, char **argv);

/**
 * Measures for about a tenth of a second. Wants a process with a temporary folder and the recorder's
 * library.
 * @param threads how many make calls, 1 or 2.
 * @return nanoseconds of processor time that recording with times adds to a call; 0: not known.
 */
double compare_recording_cost(unsigned threads);

/** Takes what recording added off the duration of `result`, which is at least what the replay
 * takes. */
void compare_correct_duration(
    struct compare_result *result, const struct compare_program_time *time);

#endif
