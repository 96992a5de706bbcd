/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Workers and their tasks: one after another when they are timed, several at once when they are
 * not, and the progress line for both.
 */
#ifndef ACRE_TOOL_REPLAY_CONTEST_H
#define ACRE_TOOL_REPLAY_CONTEST_H

#include "tool/replay/measure.h"
#include "tool/replay/remote.h"

/** A subject while it is measured. */
struct replay_contestant {
    struct replay_row *row;
    struct replay_child child;
    struct replay_work work;
    struct replay_remote_state state; /**< Holds the board. */
    uint64_t written[REPLAY_MOST_ROUNDS];
    uint64_t nanoseconds[REPLAY_MOST_ROUNDS];
    uint64_t instructions[REPLAY_MOST_ROUNDS];
    size_t pool;  /**< To work in, in place of its row's; 0: that one. */
    bool ordered; /**< It is at work. */
};

struct replay_contest {
    struct replay_table *table;
    struct acre_progress *progress;
    struct replay_contestant *contestants; /**< The rows', then the loop's. */
    size_t count;
    size_t width;             /**< Contestants that may work at once where nothing is timed. */
    char doing[96];           /**< For the progress line. */
    double done, part, whole; /**< Work done, that of the current task, and all, in replays. */
};

/** Whom a duty is for. */
enum replay_whom {
    REPLAY_FOR_POOLS,      /**< Allocators with a pool. */
    REPLAY_FOR_ALLOCATORS, /**< All but the loop. */
    REPLAY_FOR_ALL
};

/** A task for each contestant. */
struct replay_duty {
    enum replay_task task;
    enum replay_whom whom;
    const char *doing; /**< "verifying" */
    double replays;    /**< About how many replays a turn takes: for the progress line. */
    bool timed;        /**< Nothing else may run meanwhile. */
    /** Sets its order up. @return false: there is nothing to do for this one after all. */
    bool (*begin)(struct replay_contest *contest, struct replay_contestant *contestant);
    /** Takes what the task found. */
    void (*end)(struct replay_contest *contest, struct replay_contestant *contestant);
};

/** Adds what a duty of so many turns takes to the whole of the work. */
void replay_contest_expect(
    struct replay_contest *contest, const struct replay_duty *duty, double turns);

/** How many contestants the machine has processors and memory for. */
size_t replay_contest_width(const struct replay_facts *facts);

/**
 * Has every contestant that has no fault do its duty, which takes `turns` turns; each that ends
 * early is given up, with the reason in its row. Stops when acre_interrupted() becomes true.
 */
void replay_contest_do(
    struct replay_contest *contest, const struct replay_duty *duty, double turns);

#endif
