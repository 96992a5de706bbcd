/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The nouns of the benchmark program.
 *
 *   script      what a workload asks of an allocator: a list of operations, computed before
 *               anything is measured, the same for every contestant
 *   contestant  an allocator under a name, in one of the forms it can be called
 *   measure     one way of running a script: timed, counted, verified, stepped, fitted
 *   job         one script, one contestant, one measure; it runs in a process of its own, so that
 *               no contestant inherits another's heap, and one that fails takes nothing with it
 */
#ifndef BENCH_H
#define BENCH_H

#include <acre/plugin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The alignment of every block whose workload does not ask for another, in bytes. */
#define BENCH_PLAIN_ALIGN 8u
#define BENCH_MAX_CONTESTANTS 64
#define BENCH_MAX_WORKLOADS 32
#define BENCH_MAX_ROUNDS 64

/* ---- scripts ---------------------------------------------------------------------------- */

enum bench_kind { BENCH_ALLOC, BENCH_DEALLOC, BENCH_REALLOC };

/* One operation. `size` is in bytes: what is asked for, or what the block freed was last given. */
struct bench_op {
    uint32_t slot;
    uint32_t size;
};

/* How an operation is made: kind in the top two bits, log2 of the alignment below. */
typedef uint8_t bench_how;

/*
 * Operations [0, warm) set the stage, [warm, stop) are measured, [stop, count) free what is left,
 * so that a script can be repeated on the same allocator. The arrays follow in the same mapping.
 */
struct bench_script {
    size_t warm, stop, count;
    size_t slots;      /* slot numbers are below this */
    size_t peak;       /* largest sum of the sizes of live blocks, in bytes */
    size_t plain;      /* not 0: every alignment is BENCH_PLAIN_ALIGN and nothing is resized */
    size_t old_offset; /* from this struct's start: what a resized block was given before, bytes */
    size_t how_offset; /* the same: a bench_how for every operation */
};

static inline const struct bench_op *bench_ops(const struct bench_script *script)
{
    return (const void *)(script + 1);
}

static inline const uint32_t *bench_olds(const struct bench_script *script)
{
    return (const void *)((const char *)script + script->old_offset);
}

static inline const bench_how *bench_hows(const struct bench_script *script)
{
    return (const void *)((const char *)script + script->how_offset);
}

static inline bench_how bench_how_make(enum bench_kind kind, unsigned align_log2)
{
    return (bench_how)((unsigned)kind << 6 | align_log2);
}

static inline enum bench_kind bench_how_kind(bench_how how)
{
    return (enum bench_kind)(how >> 6);
}

static inline size_t bench_how_align(bench_how how)
{
    return (size_t)1 << (how & 63u);
}

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

/* ---- contestants ------------------------------------------------------------------------ */

enum bench_form {
    BENCH_EMPTY,   /* does nothing: its figures are the harness's own */
    BENCH_TYPED,   /* built in, through its typed functions */
    BENCH_HANDLE,  /* built in, through the two-word handle */
    BENCH_SYSTEM,  /* the process's malloc */
    BENCH_PRELOAD, /* another malloc, preloaded into the job's process */
    BENCH_PLUGIN   /* a shared object, see acre/plugin.h */
};

/* Where the loops of loop.h stand still: around every operation, or nowhere. */
struct bench_run {
    const struct bench_script *script;
    const struct acre_plugin *table;
    void *self;
    void **slots;
    size_t from, to;
    uint32_t *ticks; /* tick loops: per operation, the least seen so far */
};

/* The loops of one contestant, each compiled with its calls in place. */
struct bench_loops {
    void (*plain)(const struct bench_run *run); /* scripts that are plain */
    void (*any)(const struct bench_run *run);
    void (*ticks)(const struct bench_run *run);
    void (*traps)(const struct bench_run *run);
};

struct bench_contestant {
    char name[48];
    char version[64];
    enum bench_form form;
    const char *library;  /* preload: soname; plugin: path */
    const char *builtin;  /* typed, handle: name in the registry */
    const char *tunables; /* system: glibc's, or null for its defaults */
    bool on_request;      /* left out unless it is asked for by name */
};

/* A contestant made ready in the process that measures it. */
struct bench_bound {
    const struct acre_plugin *table;
    const struct bench_loops *loops;
};

/* ---- jobs ------------------------------------------------------------------------------- */

enum bench_measure {
    BENCH_IDENTIFY,  /* does it load, does it serve, which version */
    BENCH_VERIFY,    /* every block stamped and checked; peak resident memory */
    BENCH_TIME,      /* whole passes */
    BENCH_LATENCY,   /* every operation on its own, least of several identical passes */
    BENCH_COUNT,     /* instructions of the measured part, by the machine's counter */
    BENCH_CALLGRIND, /* the same under valgrind, which counts */
    BENCH_STEP,      /* instructions of every single operation, by stepping the process */
    BENCH_FIT,       /* smallest pool that completes */
    BENCH_GAPS       /* 4 KiB blocks aligned to 4 KiB, then 64-byte blocks between them */
};

struct bench_job {
    enum bench_measure measure;
    const struct bench_contestant *contestant;
    int script_fd; /* -1: none */
    size_t script_size;
    size_t limit; /* count: operations at most; step: the same; time: passes at most */
};

enum bench_outcome {
    BENCH_DONE,
    BENCH_CANNOT, /* the contestant does not serve this workload: `text` says why */
    BENCH_BROKEN  /* the contestant or the job failed: `text` says how */
};

struct bench_result {
    enum bench_outcome outcome;
    char text[160];
    char version[64];
    double value[8]; /* by measure; see the measure_*.c files */
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
