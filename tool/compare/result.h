/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The result of a comparison: plain data, complete in itself, for whoever prints, draws or judges
 * it. A figure that is not known is 0, and the flag that goes with it false.
 */
#ifndef ACRE_TOOL_COMPARE_RESULT_H
#define ACRE_TOOL_COMPARE_RESULT_H

#include "replay/script.h"
#include "replay/survey.h"

#include <acre/bytes.h>

/** Where a candidate comes from. */
enum compare_origin {
    COMPARE_BUILT_IN, /**< An allocator of acre. */
    COMPARE_SYSTEM,   /**< The system's malloc. */
    COMPARE_TUNED,    /**< The same with other settings. */
    COMPARE_PRELOAD,  /**< Another malloc found on the machine, preloaded. */
    COMPARE_PLUGIN    /**< A plugin that was given. */
};

#define COMPARE_NAME_ROOM 64
#define COMPARE_TEXT_ROOM 192
#define COMPARE_MOST_CANDIDATES 64

/** What is known of one candidate: an allocator at one setting. */
struct compare_candidate {
    enum compare_origin origin;
    char name[COMPARE_NAME_ROOM];      /**< As tables show it, unique: "buddy/16". */
    char allocator[COMPARE_NAME_ROOM]; /**< Without the setting: "buddy". */
    char setting[COMPARE_NAME_ROOM];   /**< In words: "smallest block 16 bytes"; "": none. */
    char version[COMPARE_NAME_ROOM];   /**< "": not known. */
    char fault[COMPARE_TEXT_ROOM];     /**< Why it was given up; "": it was not. */

    bool verified; /**< No block was misplaced, overlapped or damaged. */
    bool has_pool; /**< It works in a pool that it is given. */

    /* Memory. */
    bool fitted;            /**< `smallest_pool` was looked for; 0: it completes in none. */
    uint64_t smallest_pool; /**< Bytes, control structure and tables included. */
    uint64_t resident;      /**< Peak growth of resident memory; of one without a pool. */
    uint64_t run_resident;  /**< As `resident`, of one with a pool under `acre run`. */
    uint64_t footprint;     /**< Resident memory of the whole process that replays it like that. */
    uint64_t memory;        /**< Whichever of the two applies, at least the peak; 0: not known. */
    double per_peak;        /**< `memory` over the peak of live bytes. */
    uint64_t metadata;      /**< Bytes that serve the allocator alone, in `smallest_pool`. */
    bool knows_internal;
    double internal; /**< Mean over the run of 1 - asked for / used by live blocks. */
    bool knows_external;
    double external; /**< Mean over the run, in the smallest pool, of 1 - largest free / free. */
    double gaps_at_peak; /**< Free part of the smallest pool when most bytes are live. */
    uint64_t failed;     /**< Operations that failed in `pool`. */

    /* Time, in `pool`. */
    size_t pool;              /**< Bytes; 0: it has none. */
    bool pool_refused;        /**< It cannot work in it. */
    size_t rounds;            /**< Timed replays. */
    double ns;                /**< An operation, the replay's loop included: median, */
    double ns_least, ns_most; /**< and bounds, of the rounds; */
    double ns_noise;          /**< the least is known that well: replay_least_noise(). */
    bool touched;             /**< `ns_touched` is known: */
    double ns_touched; /**< the same with fresh pages, and the bytes of each block written once, */
    double touched_least, touched_most; /**< and its bounds; */
    double touched_noise;               /**< the least is known that well. */
    bool threaded;                      /**< The following are known: */
    double ns_threads;                  /**< elapsed time of an operation, each thread's replayed
                                             on a thread of its own: median, */
    double threads_least, threads_most; /**< and bounds, of the rounds; */
    double threads_noise;               /**< the least is known that well; */
    double parallel;                    /**< threads busy at once, on average. */
    bool threads_cut;                   /**< It took so long that only a part was replayed. */
    bool off_threads;                   /**< Others are known on threads, and this one is not. */
    bool off_touched;                   /**< Others have `ns_touched`, and this one has not. */
    double start_ns;     /**< Of processor time that a process takes to start; 0: not known. */
    double visit_ns;     /**< To read a live block between operations; 0: not known. */
    bool counted;        /**< `instructions` is known. */
    double instructions; /**< An operation. */
    bool stepped;        /**< The following are known. */
    uint64_t median, p99, p999, worst; /**< Of each operation's least time, in `ticks`. */
    uint64_t worst_op;                 /**< Index of the operation that took `worst`, */
    uint64_t worst_size;               /**< the bytes it asked for, */
    enum replay_verb worst_verb;       /**< and what it was. */

    /* Over time, and the spread of the times. */
    struct replay_survey survey;
};

/** How the requests of a trace are spread; buckets as of replay_bucket(). */
struct compare_profile {
    uint64_t sizes[REPLAY_BUCKETS]; /**< Requests (allocations and resizes) by bytes asked for. */
    uint64_t size_bytes[REPLAY_BUCKETS]; /**< The same, bytes asked for in all. */
    uint64_t lifetimes[REPLAY_BUCKETS]; /**< Blocks freed, by operations from allocation to free. */
    size_t count;                       /**< Of samples. */
    struct replay_sample samples[REPLAY_SAMPLES]; /**< `op`, `live` and `blocks` alone. */
};

/** What may be wanted of an allocator. */
enum compare_goal {
    COMPARE_MEMORY,   /**< Least memory. */
    COMPARE_SPEED,    /**< Least time with blocks touched. */
    COMPARE_WORST,    /**< Least worst operation. */
    COMPARE_BALANCED, /**< Least product of memory, time and 99.9th percentile. */
    COMPARE_GOALS
};

#define COMPARE_REASON_ROOM 1024

/** Which candidate serves a goal best, and why. */
struct compare_advice {
    int candidate;  /**< Index; -1: none is known to serve. */
    int runner_up;  /**< Index; -1: there is none. */
    int own;        /**< The best of acre's own; -1: none. */
    bool close_run; /**< The difference to the runner-up is no larger than what rounds differ by. */
    char reason[COMPARE_REASON_ROOM];  /**< The numbers that carry it, in sentences. */
    char changes[COMPARE_REASON_ROOM]; /**< What would change it, in sentences. */
};

/** Candidates that are tried with the real program, at most. */
#define COMPARE_MOST_TRIED 8
#define COMPARE_MOST_RUNS 99

/** What the real program did on a candidate. */
struct compare_trial {
    int candidate;      /**< Index. */
    int code;           /**< Exit code of the first run that ended otherwise than today's. */
    bool failed;        /**< There is one: the figures below are those of the runs before. */
    size_t runs;        /**< Done. */
    double seconds;     /**< Median of the runs, */
    double least, most; /**< and their bounds. */
    double ratio;       /**< Seconds over today's in the same round: compare_estimate_ratio(), */
    double ratio_low, ratio_high;        /**< and the bounds between which it is with 95 %. */
    double advised_ratio;                /**< Likewise: seconds of what is advised over its, */
    double advised_low, advised_high;    /**< and the bounds, likewise; 0: not known. */
    double processor[COMPARE_MOST_RUNS]; /**< Seconds of each run, */
    double elapsed[COMPARE_MOST_RUNS];   /**< by both clocks. */
    uint64_t resident;                   /**< Bytes: median of the peaks of resident memory. */
    bool predicted;                      /**< `predicted_seconds` is known. */
    double predicted_seconds; /**< Today's real seconds, and the change that is predicted, */
    double predicted_low, predicted_high; /**< and its bounds. */
    bool predicted_memory;                /**< `predicted_resident` is known. */
    uint64_t predicted_resident;
};

/** Predictions beside real runs of the program; the first is today's malloc. */
struct compare_verification {
    size_t runs;  /**< Wanted, of each. 0: nothing was verified. */
    bool elapsed; /**< Seconds are elapsed time; else processor time. */
    size_t count;
    struct compare_trial trials[COMPARE_MOST_TRIED];
};

/** A whole comparison. */
struct compare_result {
    const char *source;        /**< Trace, command line or scenario. */
    const char *ticks;         /**< Unit of the times of single operations: "cycles" or "ns". */
    struct replay_facts facts; /**< What was replayed. */
    struct compare_profile profile;
    size_t rounds;            /**< Timed replays that were wanted. */
    size_t step_rounds;       /**< Replays wanted with each operation timed. */
    bool on_threads;          /**< Some candidates are known on threads. */
    double think_ns;          /**< Work between two calls of a thread in those replays. */
    double loop_ns;           /**< What the replay itself takes an operation; 0: unknown. */
    double loop_instructions; /**< 0: not counted. */
    const char *uncounted;    /**< Why no instructions are; null: they are. */
    bool interrupted;         /**< Not everything was measured. */
    uint64_t
        run_pool; /**< Bytes of --pool in which what is advised runs; 0: none was looked for. */
    const char *today; /**< The malloc that the program is linked to; null: the system's. */
    struct compare_advice advice[COMPARE_GOALS];
    struct compare_verification verification;
    size_t count;
    struct compare_candidate candidates[COMPARE_MOST_CANDIDATES];
};

/** Two figures that differ by a smaller part are as good as equal, where the rounds do not tell. */
#define COMPARE_CLOSE 0.02

/** Name of a goal as --goal takes it: "memory", "speed", "worst", "balanced". */
const char *compare_goal_name(enum compare_goal goal);

/** Nanoseconds per operation, on fresh pages with blocks touched where that was measured; on
 * threads, where that was, of elapsed time. */
double compare_time(const struct compare_candidate *candidate);

/** Bytes of resident memory that its heap takes at most in a program that runs on it; 0: not
 * known. */
uint64_t compare_resident(const struct compare_candidate *candidate);

/** The same, or the smallest pool of one that no program can run on: what candidates are compared
 * by beside today's malloc; 0: not known. */
uint64_t compare_program_memory(const struct compare_candidate *candidate);

/** The figure by which a goal orders candidates, less being better; 0: it is not known, or the
 * candidate does not serve all of the trace. */
double compare_figure(const struct compare_candidate *candidate, enum compare_goal goal);

/** Whether the rounds of timing do not tell the two apart. */
bool compare_is_tie(const struct compare_candidate *one, const struct compare_candidate *other);

/** Whether the program has several threads, and all of its calls would wait for the candidate's
 * one lock: a replay on one thread does not tell what that takes, so nothing is predicted or
 * advised. */
bool compare_waits_for_lock(
    const struct compare_result *result, const struct compare_candidate *candidate);

#endif
