/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Which thread made each operation of a script: runs of operations of one thread, each two packed
 * numbers, the thread and how many. A script that is streamed has none.
 */
#ifndef ACRE_REPLAY_RUNS_H
#define ACRE_REPLAY_RUNS_H

#include "replay/script.h"

/** The operation that was added last is of `thread`. Without memory the threads are not known. */
void replay_runs_add(struct replay_script *script, uint32_t thread);

/** There are no more operations. */
void replay_runs_end(struct replay_script *script);

/** Reads runs from the first on; zeroed, it stands before the first. */
struct replay_runs {
    uint64_t at;     /**< Offset of the next. */
    uint32_t thread; /**< Of the current run, */
    uint64_t count;  /**< and its operations, at least one. */
};

/** Reads the next run of a script that was just built. @return false: there is none. */
bool replay_runs_next(struct replay_runs *runs, const struct replay_script *script);

#endif
