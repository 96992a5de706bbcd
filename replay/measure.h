/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Replays a script on every backend: verifies each, looks for its smallest pool, then times them in
 * turn, round after round, so that what disturbs the machine disturbs all alike.
 */
#ifndef ACRE_REPLAY_MEASURE_H
#define ACRE_REPLAY_MEASURE_H

#include "replay/child.h"
#include "replay/progress.h"
#include "replay/worker.h"

#define REPLAY_MOST_ROUNDS 99
/** Rounds that a plan which `settles` adds at most, as a multiple of the planned ones; and that it
 * adds for the row that is the reference, which all others are compared with. */
#define REPLAY_MORE_TIMES 1u
#define REPLAY_REFERENCE_TIMES 3u

struct replay_table;

/** What is wanted. */
struct replay_plan {
    size_t rounds;      /**< Timed replays of each backend, 1 .. REPLAY_MOST_ROUNDS. */
    size_t step_rounds; /**< The same with each operation timed; 0: as many. */
    size_t pool;        /**< Bytes of the pool to time in; 0: chosen for each backend. */
    bool pool_search;   /**< Look for the smallest pool. */
    bool touching;      /**< Time replays with the bytes of each block written too. */
    bool survey;        /**< Fill the rows' surveys. */
    bool threads;       /**< Replay a script that is split by thread on threads as well, */
    bool imitates;      /**< with the program's own work between the calls imitated. */
    bool settles;  /**< Repeat rounds whose least is not known well, REPLAY_MORE_TIMES at most. */
    double run_ns; /**< Processor time of a run of the program; 0: not known, */
    bool run_recorded;   /**< or while it was recorded, */
    double recording_ns; /**< which adds so much processor time to a call; 0: not known. */
    /** A first look, or null: called when every backend but plugins has replayed `first_ops`
     * operations once on fresh pages; the rows have what that found, and lose it again. */
    void (*first)(void *argument, const struct replay_table *table);
    void *first_argument;
    uint64_t first_ops;
};

/** What was found out about one backend. A figure that is not known is 0 and its flag false. */
struct replay_row {
    const struct replay_backend *backend;
    char fault[REPLAY_FAULT_ROOM]; /**< Why it was given up; "": it was not. */
    size_t pool;                   /**< Bytes of the pool it was timed in; 0: it has none. */
    uint64_t failed;
    uint64_t smallest_pool;             /**< Bytes; 0 when `fitted`: there is none. */
    uint64_t resident;                  /**< Bytes; see struct replay_results. */
    size_t rounds;                      /**< Of timing, done. */
    double ns_per_op;                   /**< Median of the rounds, */
    double ns_least, ns_most;           /**< and their bounds, */
    double ns_noise;                    /**< the least known that well: replay_least_noise(). */
    size_t touched_rounds;              /**< Of timing with blocks touched, done. */
    double ns_touched;                  /**< Median of those, */
    double touched_least, touched_most; /**< and their bounds, */
    double touched_noise;               /**< the least known that well. */
    double visit_ns;                    /**< A visit to a block, in the same replays: least. */
    uint64_t start_ns;                  /**< Processor time until main(), in the same: least. */
    uint64_t footprint;                 /**< Bytes resident in all, in the same replays: median. */
    uint64_t run_resident;              /**< Bytes, in the same replays; 0: not known. */
    size_t thread_rounds;               /**< Of timing on threads, done; 0: not known. */
    double ns_threads; /**< Elapsed nanoseconds an operation, without the work that is
                                             imitated: median of those, */
    double threads_least, threads_most; /**< and bounds, */
    double threads_noise;               /**< the least known that well. */
    double parallel;                    /**< Threads busy at once in them. */
    uint64_t threads_failed;            /**< Operations that could not be served in the last. */
    uint64_t threads_resident, threads_footprint; /**< As the two above; 0: not known. */
    double instructions_per_op;                   /**< Median of the rounds, if `counted`. */
    uint64_t median, p99, p999, worst;            /**< Ticks, if `stepped`; see ACRE_CLOCK_UNIT. */
    uint64_t worst_op;
    bool verified;
    bool threads_checked; /**< It was verified on threads as well. */
    bool threads_cut;     /**< It took so long on threads that only a part was replayed. */
    bool pool_refused;    /**< No instance can be made in the pool: nothing was replayed. */
    bool fitted;          /**< The pool search came to an end. */
    bool counted;
    bool stepped;
    bool reference; /**< Set by the caller: an error of its time would be one of all comparisons. */
    struct replay_survey *survey; /**< Filled as far as the plan wants it; may be null. */
};

/** The whole of a measurement. */
struct replay_table {
    const struct replay_script *script;
    struct replay_plan plan;
    struct replay_row *rows; /**< One per backend, in the order given. */
    size_t count;
    double think_ns;        /**< Of the replays on threads: work between two calls of a thread. */
    struct replay_row loop; /**< The replay on nothing: what the loop costs. */
    bool largest_only;      /**< The process was chosen for its size, not by its number. */
    bool interrupted;       /**< Not all was done. */
};

/** Replays with each operation timed. */
size_t replay_step_rounds(const struct replay_plan *plan);

/**
 * Fills `table`, whose script, plan, count and rows' backends are set, the rest zeroed. Stops
 * early, and says so, when acre_interrupted() becomes true.
 * @return false when nothing could be measured for want of memory or processes, with errno set.
 */
bool replay_measure(struct replay_table *table, struct acre_progress *progress);

#endif
