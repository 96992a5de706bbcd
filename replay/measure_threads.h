/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The jobs that replay a script on threads; part of replay_measure().
 */
#ifndef ACRE_REPLAY_MEASURE_THREADS_H
#define ACRE_REPLAY_MEASURE_THREADS_H

#include "replay/schedule.h"

/** Whether there are any: the script is split by thread, and the plan wants it. */
bool replay_threads_wanted(const struct replay_schedule *schedule);

/** Adds them to the expected work. */
void replay_threads_expect(struct replay_schedule *schedule);

/** Runs them, if there are any. */
void replay_threads_measure(struct replay_schedule *schedule);

/** Fills what the row says of threads. */
void replay_threads_sum_up(
    const struct replay_schedule *schedule, struct replay_measurement *measurement);

#endif
