/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The child processes of a measurement: of the backend, or of a program whose malloc it is.
 *
 * Each function is false, with errno set, when no process can be started.
 */
#ifndef ACRE_REPLAY_MEASURE_CHILD_H
#define ACRE_REPLAY_MEASURE_CHILD_H

#include "replay/schedule.h"

/** The first child, that of the backend itself. */
bool replay_start(struct replay_measurement *measurement);

/** Makes sure that the child of the backend itself is at work. */
bool replay_start_own(struct replay_measurement *measurement);

/** The same, with resident memory that no replay before has added to: a heap that has served
 * replays keeps what they freed, so that a backend without a pool gets a new child. */
bool replay_start_afresh(struct replay_measurement *measurement);

/** A new child whose malloc the backend is, if it can be; else as replay_start_afresh(). */
bool replay_start_served(struct replay_measurement *measurement);

#endif
