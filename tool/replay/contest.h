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
    size_t timed_in; /**< The pool of its row, while another stands there. */
    bool ordered;    /**< It is at work. */
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

/** A task for each contestant. */
struct replay_duty {
    enum replay_task task;
    const char *doing; /**< "verifying" */
    double replays;    /**< About how many replays a turn takes: for the progress line. */
    bool timed;        /**< Nothing else may run meanwhile. */
    /** Sets its order up. @return false: there is nothing to do for this one. */
    bool (*begin)(struct replay_contest *contest, struct replay_contestant *contestant);
    /** Takes what the task found. */
    void (*end)(struct replay_contest *contest, struct replay_contestant *contestant);
};

/** How many contestants the machine has processors and memory for. */
size_t replay_contest_width(const struct replay_facts *facts);

/**
 * Has every contestant that has no fault do its duty, which takes `turns` turns; each that ends
 * early is given up, with the reason in its row. Stops when acre_interrupted() becomes true.
 */
void replay_contest_do(
    struct replay_contest *contest, const struct replay_duty *duty, double turns);

#endif
