/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Workers that execute this program anew: their heap is fresh, and their malloc may come from a
 * preloaded library. They inherit the script and the results as files in shared memory.
 */
#ifndef ACRE_REPLAY_EXECUTE_H
#define ACRE_REPLAY_EXECUTE_H

#include "replay/child.h"
#include "replay/worker.h"

/** The first argument of a program that is such a worker. */
#define REPLAY_WORKER_WORD "--replay-worker"

#define REPLAY_VERSION_ROOM 64

/** What another malloc is, in memory that a worker shares with its parent. */
struct replay_shared {
    struct replay_results results;
    struct replay_facts facts; /**< Of the script. */
    char serves[256];          /**< The file that `malloc` comes from; "": not known. */
    char version[REPLAY_VERSION_ROOM];
};

/** What a parent holds of it. */
struct replay_shared_file {
    struct replay_shared *shared; /**< Null: there is none. */
    int file;
};

/** Makes zeroed memory that workers can share. @return false with errno set. */
bool replay_shared_open(struct replay_shared_file *state);
void replay_shared_close(struct replay_shared_file *state);

/** How a worker is executed; whatever is null is left out. */
struct replay_launch {
    const char *const *prefix; /**< Words of the command that runs the worker; ended by a null. */
    const char *backend;       /**< For the program's `find`; else the worker serves its malloc. */
    const char *library;       /**< For `find` as well. */
    const char *preload;       /**< A path or a soname. */
    const char *linked;        /**< Another, of a malloc that is loaded and serves nothing. */
    const char *allocator;     /**< ACRE_ALLOCATOR, for what is preloaded. */
    const char *pool;          /**< ACRE_POOL. */
    const char *tunables;      /**< Of glibc. */
};

#define REPLAY_MOST_PREFIX 8

/** Starts a worker as replay_child_start(). The script must be complete. */
bool replay_worker_execute(struct replay_child *child, const struct replay_launch *launch,
    const struct replay_script *script, const struct replay_shared_file *state);

/** What the malloc of this process is; fills `serves` and `version`. */
void replay_identify(struct replay_shared *shared);

/**
 * Whether `library` (a path or a soname) serves malloc when it is preloaded, and its version.
 * Executes this program to find out; a library that is not there is silent.
 */
bool replay_probe_malloc(const char *library, char version[REPLAY_VERSION_ROOM]);

/** What the workers of a program do; whatever is null is left to the engine. */
struct replay_role {
    /** Finds the backend that a launch named. @return false: there is none. */
    bool (*find)(struct replay_backend *backend, const char *name, const char *library);
    void (*task)(void *worker); /**< In place of replay_worker_do(). */
};

/** main() of a worker: argv[1] is REPLAY_WORKER_WORD. @return the exit code. */
int replay_worker_main(int argc, char **argv, const struct replay_role *role);

#endif
