/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The nouns of the benchmark program, which stands on the replay engine (replay/).
 *
 *   workload  builds a script (replay/script.h): the operations, computed before anything is
 *             measured, the same for every backend
 *   backend   an allocator under a name, in one of the forms in which it can be called
 *   measure   one way of running a script: timed, counted, verified, stepped, fitted
 *   job       one script, one backend, one measure; it runs in a process of its own, so that no
 *             backend inherits another's heap, and a failure stays in that process
 */
#ifndef BENCH_H
#define BENCH_H

#include "replay/execute.h"

/* The alignment of every block whose workload does not ask for another, in bytes. */
#define BENCH_PLAIN_ALIGN REPLAY_TOGGLE_ALIGN
#define BENCH_MAX_BACKENDS 64
#define BENCH_MAX_WORKLOADS 32
#define BENCH_MAX_ROUNDS 64

/* ---- workloads -------------------------------------------------------------------------- */

struct bench_builder;

struct bench_workload {
    const char *name;
    const char *text;
    /* Appends the operations. `scale` divides the number of them (1: the full workload). */
    void (*build)(struct bench_builder *builder, uint64_t seed, unsigned scale, size_t param);
    size_t param;
    const char *path; /* of a recorded trace, which has no build; null for all others */
};

/* ---- backends --------------------------------------------------------------------------- */

enum bench_form {
    BENCH_EMPTY,   /* does nothing: its figures are the harness's own */
    BENCH_TYPED,   /* built in, through its typed functions */
    BENCH_HANDLE,  /* built in, through the two-word handle */
    BENCH_SYSTEM,  /* the process's malloc */
    BENCH_PRELOAD, /* another malloc, preloaded into the job's process */
    BENCH_PLUGIN   /* a shared object, see acre/plugin.h */
};

struct bench_backend {
    char name[48];
    char version[64];
    enum bench_form form;
    struct replay_backend replay; /* its name is null: that above counts */
    const char *library;          /* plugin: path */
    const char *tunables;         /* system: glibc's, or null for its defaults */
    bool on_request;              /* left out unless it is asked for by name */
};

/* ---- jobs ------------------------------------------------------------------------------- */

/* The measures of the replay engine, and what the benchmark adds. */
enum bench_measure {
    BENCH_VERIFY = REPLAY_VERIFY, /* every block stamped and checked; peak resident memory */
    BENCH_FIT = REPLAY_FIT,       /* smallest pool that completes */
    BENCH_TIME = REPLAY_TASKS,    /* whole passes */
    BENCH_LATENCY,   /* every operation on its own, least of several identical passes */
    BENCH_COUNT,     /* instructions of the measured part, by the machine's counter */
    BENCH_CALLGRIND, /* the same under valgrind, which counts */
    BENCH_STEP,      /* instructions of every single operation, by stepping the process */
    BENCH_GAPS       /* 4 KiB blocks aligned to 4 KiB, then 64-byte blocks between them */
};

struct bench_job {
    enum bench_measure measure;
    const struct bench_backend *backend;
    const struct replay_script *script;
    size_t limit; /* count, latency, step: operations at most */
};

enum bench_outcome {
    BENCH_DONE,
    BENCH_CANNOT, /* the backend does not serve this workload: `text` says why */
    BENCH_BROKEN  /* the backend or the job failed: `text` says how */
};

struct bench_result {
    enum bench_outcome outcome;
    char text[REPLAY_FAULT_ROOM];
    double value[REPLAY_FIGURES]; /* by measure; see the measure_*.c files */
};

/* value[] of BENCH_LATENCY and BENCH_STEP: ticks or instructions. */
enum {
    BENCH_ALLOC_P50,
    BENCH_ALLOC_P99,
    BENCH_ALLOC_MAX,
    BENCH_FREE_P50,
    BENCH_FREE_P99,
    BENCH_FREE_MAX,
    BENCH_ALLOC_MEAN,
    BENCH_FREE_MEAN
};

#endif
