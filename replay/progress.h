/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Progress on a terminal, and interruption. Both concern the whole process.
 */
#ifndef ACRE_REPLAY_PROGRESS_H
#define ACRE_REPLAY_PROGRESS_H

#include <stdbool.h>

/** A line on standard error that is rewritten in place; nothing at all when that is no terminal. */
struct acre_progress {
    bool shown;      /**< Standard error is a terminal. */
    bool drawn;      /**< A line is on the screen. */
    double drawn_at; /**< When it was drawn last, in seconds of the monotonic clock. */
    double begun_at; /**< When the first fraction was shown; 0: none was. */
    bool time_left;  /**< Show how long the rest will take, judged by the fractions so far. */
};

/** Begins; `*progress` has nothing drawn. */
void acre_progress_open(struct acre_progress *progress);

/**
 * Shows "text  NN %", or "text  NN %, about M:SS left", when the last line was drawn a tenth of a
 * second ago or more.
 * @param fraction 0.0 to 1.0; below 0: no figure.
 */
void acre_progress_show(struct acre_progress *progress, const char *text, double fraction);

/** Wipes the line. To be called before anything is printed, and at the end. */
void acre_progress_wipe(struct acre_progress *progress);

/** From now on SIGINT, SIGTERM and SIGHUP set a flag and interrupt waiting calls. */
void acre_catch_interrupts(void);

/** The signal that came since, or 0. */
int acre_interrupted(void);

/** Ends the process by the signal that came, as if it had not been caught. */
_Noreturn void acre_die_interrupted(void);

#endif
