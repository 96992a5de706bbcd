/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The schedule of jobs: workers run one after another when they are timed and several at once when
 * they are not; the progress line covers both.
 */
#ifndef ACRE_REPLAY_SCHEDULE_H
#define ACRE_REPLAY_SCHEDULE_H

#include "replay/execute.h"
#include "replay/measure.h"

/** A backend while it is measured. */
struct replay_measurement {
    struct replay_row *row;
    struct replay_child child;
    struct replay_worker worker;
    struct replay_shared_file state; /**< Holds the results. */
    double touched[REPLAY_MOST_ROUNDS];
    double residents[REPLAY_MOST_ROUNDS]; /**< Of the same replays, */
    double footprints[REPLAY_MOST_ROUNDS];
    double visits[REPLAY_MOST_ROUNDS]; /**< and nanoseconds of a visit. */
    double nanoseconds[REPLAY_MOST_ROUNDS];
    double instructions[REPLAY_MOST_ROUNDS];
    double threads[REPLAY_MOST_ROUNDS];   /**< Elapsed nanoseconds per operation on threads, */
    double parallels[REPLAY_MOST_ROUNDS]; /**< threads busy at once in the same replays, */
    double thread_residents[REPLAY_MOST_ROUNDS];
    double thread_footprints[REPLAY_MOST_ROUNDS]; /**< and their memory. */
    size_t pool;                                  /**< Overrides the row's pool; 0: it does not. */
    bool ordered;                                 /**< It is running a job. */
    bool served; /**< The child at work is that of the backend's `served`. */
};

struct replay_schedule {
    struct replay_table *table;
    struct acre_progress *progress;
    struct replay_measurement *measurements; /**< One per row, then the loop's. */
    size_t count;
    double think_ns,
        parallel; /**< Of replays on threads: work between calls; threads busy at once. */
    double least_threads,
        system_threads;       /**< Nanoseconds per operation in them: least so far, and the
                                               system's malloc; 0: not known. */
    uint64_t least_took;      /**< The fastest of them so far; 0: none. */
    size_t width;             /**< Workers that may run at once where nothing is timed. */
    char doing[96];           /**< For the progress line. */
    double done, part, whole; /**< Work done, that of the current task, and all, in replays. */
};

/** Which backends a job is for. */
enum replay_whom {
    REPLAY_FOR_POOLS,      /**< Allocators with a pool. */
    REPLAY_FOR_ALLOCATORS, /**< All but the loop. */
    REPLAY_FOR_ALL
};

/** A task for each worker. */
struct replay_job {
    enum replay_task task;
    enum replay_whom whom;
    const char *doing; /**< "verifying" */
    double replays;    /**< About how many replays a turn takes: for the progress line. */
    bool timed;        /**< Nothing else may run meanwhile. */
    /** Prepares the order. @return false: the job does not apply to this one. */
    bool (*begin)(struct replay_schedule *schedule, struct replay_measurement *measurement);
    /** Stores the results of the task. */
    void (*end)(struct replay_schedule *schedule, struct replay_measurement *measurement);
};

/** Adds a job of so many turns to the expected work. */
void replay_schedule_expect(
    struct replay_schedule *schedule, const struct replay_job *job, double turns);

/** How many workers the machine has processors and memory for. */
size_t replay_schedule_width(const struct replay_facts *facts);

/**
 * Runs the job, of `turns` turns, on every backend without a fault; a worker that ends early gives
 * its backend up, with the reason in the row. Stops when acre_interrupted() becomes true.
 */
void replay_schedule_run(
    struct replay_schedule *schedule, const struct replay_job *job, double turns);

#endif
