/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file Replays a script that is split by thread: each part on a thread of its own, in the process
 * whose malloc is measured. See split.h for what waits for what.
 */
#ifndef ACRE_REPLAY_THREADS_H
#define ACRE_REPLAY_THREADS_H

#include "replay/loop.h"
#include "replay/split.h"

#define REPLAY_THREADS_FAULT_ROOM 192

/** How. */
struct replay_threads_order {
    /** Each block is stamped and checked as in the verifying replay; else its bytes are written
     * once. */
    bool checks;
    /** Between two operations of a thread, so many nanoseconds of work, in place of the program's
     * own. */
    double think_ns;
    uint64_t patience_ns; /**< Ends after about so long; 0: when all is done. */
};

/** What came of it. */
struct replay_threads_outcome {
    uint64_t
        elapsed_ns;   /**< From the first operation to the last, but for what other programs on the
                              machine kept the threads waiting. */
    uint64_t took_ns; /**< The same, all included. */
    uint64_t busy_ns; /**< Processor time of all threads meanwhile. */
    uint64_t ops;     /**< Done: fewer than the script has when it ended early. */
    uint64_t failed;  /**< Of those, could not be served. */
    char fault[REPLAY_THREADS_FAULT_ROOM]; /**< What is wrong with the allocator; "": nothing. */
};

/**
 * Replays `script`, which has sequences, and frees what it leaves live. Calls of any instance but
 * those of malloc are made behind one lock.
 * @return false: there is no memory, or no thread could be made.
 */
bool replay_run_threads(const struct replay_script *script, const struct replay_instance *instance,
    const struct replay_threads_order *order, struct replay_threads_outcome *outcome);

#endif
