/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Reads a trace file into a script.
 *
 * A child process does the decoding: what it allocates on the way would otherwise leave its marks
 * on the heap of the system's allocator, which is one of those to be measured.
 */
#ifndef ACRE_REPLAY_LOAD_H
#define ACRE_REPLAY_LOAD_H

#include "replay/progress.h"
#include "replay/script.h"

/** Stands for the process with the highest peak of live bytes; the first of equals. */
#define REPLAY_LARGEST UINT32_MAX

/** Which process of a trace is wanted. */
struct replay_wanted {
    uint32_t process; /**< Its index, or REPLAY_LARGEST: */
    /** then a process that runs a program of this name, unless another one makes ten times as many
     * calls; null: by size alone. */
    const char *name;
};

enum replay_load_status {
    REPLAY_LOADED,
    REPLAY_NO_SUCH_PROCESS, /**< The trace has fewer processes: `facts.processes` says how many. */
    REPLAY_LOAD_FAILED,     /**< `message` says why. */
    REPLAY_LOAD_INTERRUPTED /**< acre_interrupted() became true. */
};

#define REPLAY_MESSAGE_ROOM 512

/**
 * Reads the process wanted of the trace at `path` ("-": standard input) into `script`, which is
 * opened by this call and closed again unless it returns REPLAY_LOADED. The whole trace is read and
 * checked in any case. Of a trace that is truncated, what is there is read, and the facts say so.
 * @param hold bytes of operations to hold in memory, 8 each; a longer script goes to disk.
 */
enum replay_load_status replay_load(struct replay_script *script, const char *path,
    struct replay_wanted wanted, size_t hold, struct acre_progress *progress,
    char message[REPLAY_MESSAGE_ROOM]);

#endif
