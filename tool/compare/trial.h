/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Trials: real runs of a program on an allocator, timed and with their peak of resident memory.
 *
 * A small process that is forked before anything else runs the program, because the peak that the
 * system reports of a process begins with that of the process which executes it.
 */
#ifndef ACRE_TOOL_COMPARE_TRIAL_H
#define ACRE_TOOL_COMPARE_TRIAL_H

#include "replay/child.h"
#include "tool/command.h"
#include "tool/environment.h"

#include <stdint.h>

/** What one run came to. */
struct trial_outcome {
    double
        processor; /**< Seconds of processor time, of the program and the children it waited for. */
    double elapsed;    /**< Seconds from start to end. */
    uint64_t resident; /**< Bytes: the highest resident memory of any of these processes. */
    int code;          /**< Exit code; 128 + signal. */
    int error;         /**< errno when it could not be started; else 0. */
};

/** Shared with the process that runs the program. */
struct trial_shared {
    char library[ACRE_PATH_ROOM]; /**< To preload; "": none. */
    char allocator[64];           /**< ACRE_ALLOCATOR; "": unset. */
    char tunables[192];           /**< GLIBC_TUNABLES; "": as they are. */
    char **program;               /**< Its words, ended by a null. */
    struct trial_outcome outcome;
};

struct trial_runner {
    struct replay_child child;
    struct trial_shared *shared; /**< Null: there is no runner. */
};

/** Starts the process that will run `program`, which stays as it is. @return false with errno set. */
bool trial_open(struct trial_runner *runner, char **program);

/** Ends it, if there is one. */
void trial_close(struct trial_runner *runner);

/**
 * Runs the program once: its output is discarded; its input is read again from the beginning where
 * that is a file, and else empty.
 * @param served its library, allocator and tunables.
 * @param done the part of all trials that is done, for the progress line.
 * @return false: interrupted, or the runner ended.
 */
bool trial_run(struct trial_runner *runner, const struct acre_served *served, double done,
    struct acre_progress *progress);

#endif
