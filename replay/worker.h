/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The tasks of a worker. A worker is a child process that serves one backend, so that a crash or a
 * heap stays in its process; it shares its results with its parent.
 */
#ifndef ACRE_REPLAY_WORKER_H
#define ACRE_REPLAY_WORKER_H

#include "replay/explain.h"
#include "replay/loop.h"
#include "replay/pool.h"
#include "replay/survey.h"
#include "replay/visit.h"

enum replay_task {
    REPLAY_VERIFY,  /**< Replay once, with every block stamped and checked. */
    REPLAY_FIT,     /**< Find the smallest pool. */
    REPLAY_TIME,    /**< Replay once, timed as a whole. */
    REPLAY_TOUCH,   /**< The same on fresh pages, writing all bytes of a block when it is
                         allocated: page faults are part of the time, for every backend alike. A
                         backend that a program gets in place of its malloc is replayed like that. */
    REPLAY_STEPS,   /**< Replay several times, each operation timed: the least time of each. */
    REPLAY_SURVEY,  /**< Replay once, sampling the allocator's statistics. */
    REPLAY_EXPLAIN, /**< Replay up to the first request refused, and examine the pool. */
    REPLAY_THREADS, /**< Replay a script that is split by thread, once, each part on a thread of its own,
                         timed or with every block stamped and checked. */
    REPLAY_TASKS /**< Tasks that a program adds have this number and higher ones. */
};

/** Figures that a task of a program's own may find. */
#define REPLAY_FIGURES 8

#define REPLAY_FAULT_ROOM 192

/** Shared between a worker and its parent. */
struct replay_results {
    /* The order. */
    int task;          /**< An enum replay_task, or one that the program adds. */
    size_t pool;       /**< Bytes of the pool to replay in; 0 for a backend without one. */
    size_t rounds;     /**< STEPS, VERIFY: how often; 0 is once. */
    size_t limit;      /**< TOUCH, tasks of a program's own: operations at most; TOUCH: 0 is all. */
    bool coarse;       /**< VERIFY: stamp some 4 KiB and a word per page of each block. */
    uint64_t patience; /**< VERIFY: nanoseconds of processor time after which it ends; 0: never.
                            THREADS: the same, of elapsed time. */
    bool checks;       /**< THREADS: stamp and check, do not time. */
    double think_ns;   /**< THREADS: nanoseconds of work between two operations of a thread. */

    volatile double done; /**< How far the task is, 0.0 to 1.0. */

    /* What the tasks found. */
    char fault[REPLAY_FAULT_ROOM];  /**< VERIFY: what is wrong with the allocator; "": nothing. */
    char cannot[REPLAY_FAULT_ROOM]; /**< Why the task was not done; "": it was. */
    double figures[REPLAY_FIGURES]; /**< Of tasks of a program's own. */
    bool pool_refused;              /**< VERIFY, TIME: no instance can be made in this pool. */
    uint64_t
        resident; /**< VERIFY, TOUCH: highest growth of resident memory, in bytes; 0: not known.
                          VERIFY counts it, TOUCH is off by some pages for each processor. */
    uint64_t footprint;        /**< TOUCH: the most bytes resident in all; 0: not known. */
    uint64_t start_ns;         /**< Processor time of its process when main() began, that of its
                                    libraries included; 0: it is a forked one. */
    uint64_t failed;           /**< VERIFY, TIME, WRITE: operations that could not be served. */
    uint64_t smallest_pool;    /**< FIT: bytes; 0: none completes. */
    uint64_t nanoseconds;      /**< TIME, WRITE. */
    uint64_t instructions;     /**< TIME, when counted. */
    uint64_t visits, visit_ns; /**< TOUCH: blocks read between operations, and the time of that. */
    uint64_t elapsed_ns;       /**< THREADS: from the first operation to the last, */
    uint64_t took_ns;          /**< the same, with what other programs add; */
    uint64_t busy_ns;          /**< and processor time of all threads meanwhile; */
    uint64_t ops;              /**< operations done, fewer than all when its patience ended. */
    bool counted;              /**< TIME: the machine counted instructions. */
    uint64_t median, p99, p999, worst;     /**< STEPS: ticks. */
    uint64_t worst_op;                     /**< STEPS: index of the operation that took `worst`. */
    struct replay_survey survey;           /**< STEPS: the spread; SURVEY: the rest. */
    struct replay_explanation explanation; /**< EXPLAIN. */
};

/** A worker's own state. */
struct replay_worker {
    const struct replay_script *script;
    const struct replay_backend *backend;
    struct replay_results *results;
    struct replay_slot *slots;
    struct replay_pool pool;
    struct replay_visitor visitor;
    int counter; /**< Of instructions; -1: none. */
    double from,
        span; /**< Of the whole task: the part before the current replay, and that of the replay. */
    bool ready;
};

/** Prepares a worker for a task. @return false: there is no memory, and the results say so. */
bool replay_worker_prepare(struct replay_worker *worker);

/** Puts into the results that there is not enough memory. */
void replay_worker_no_memory(struct replay_worker *worker);

/** Does the task that the results name; `argument` is a struct replay_worker. */
void replay_worker_do(void *argument);

/** An instance on the results's pool, with the pool made large enough and the slots emptied. */
bool replay_worker_open(
    struct replay_worker *worker, struct replay_instance *instance, size_t pool_size);

/** Frees what the script leaves live when that would outlast the instance, and ends it. */
void replay_worker_close(struct replay_worker *worker, struct replay_instance *instance);

/** Reads the next window of the worker's script, as replay_script_next(), and updates `done` of its
 * results. @return false: there is none. */
bool replay_worker_next(struct replay_worker *worker, struct replay_window *window);

/** Bytes of memory of its own that this process has touched; 0 when the system does not say.
 * Linear in the pages. */
uint64_t replay_resident(void);

/** Forgets how much memory was resident so far. @return false: the system cannot. */
bool replay_resident_reset(void);

/** About the most bytes of its own that it has had resident since; 0: not known. */
uint64_t replay_resident_peak(void);

/** The most bytes resident since then in all, of files and shared ones too; 0: not known. */
uint64_t replay_footprint(void);

/** A lower bound of the bytes of its own that it has ever had resident; 0: not known. */
uint64_t replay_resident_most(void);

/* The tasks that have a file of their own. */
void replay_verify(struct replay_worker *worker);
void replay_fit(struct replay_worker *worker);
void replay_survey(struct replay_worker *worker);
void replay_explain(struct replay_worker *worker);

/** The least times of all operations: in memory, or of a script that is streamed, on disk. */
struct replay_ticks {
    uint32_t *items;  /**< All of them, or a window of them. */
    size_t room;      /**< Bytes mapped there. */
    int file;         /**< -1: in memory. */
    uint8_t *packed;  /**< Else a window as it is in the file, */
    uint64_t *places; /**< and where each begins there; the end of the last; 0: none is there. */
    uint64_t count;
};

/** Opens them, each at the highest value. @return false: there is no memory, or no disk. */
bool replay_ticks_open(struct replay_ticks *ticks, const struct replay_facts *facts);
void replay_ticks_close(struct replay_ticks *ticks);

/** Those of `count` operations from `first` on; on disk, `first` is a multiple of REPLAY_WINDOW_OPS
 * and `count` is at most that. Valid until the next call. */
uint32_t *replay_ticks_at(const struct replay_ticks *ticks, uint64_t first, uint64_t count);

/** Keeps what was changed in those last got. @return false: there is no room on disk. */
bool replay_ticks_keep(const struct replay_ticks *ticks, uint64_t first, uint64_t count);

#endif
