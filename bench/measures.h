/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The child's side of a job: one measure a file. */
#ifndef BENCH_MEASURES_H
#define BENCH_MEASURES_H

#include "bench.h"

/* What a job has to work with: a contestant bound in this process, and a script. */
struct bench_child {
    struct bench_bound bound;
    const struct bench_script *script; /* null for BENCH_IDENTIFY and BENCH_GAPS */
    size_t limit;
    void **slots; /* all empty */
};

/* value[0]: bytes by which resident memory grew while every page of every block was written. */
void bench_measure_verify(const struct bench_child *child, struct bench_result *result);

/* value[0]: nanoseconds of processor time an operation, median of the passes; value[1]: passes. */
void bench_measure_time(const struct bench_child *child, struct bench_result *result);

/* value[]: ticks by kind, see BENCH_ALLOC_P50 and following. */
void bench_measure_latency(const struct bench_child *child, struct bench_result *result);

/* value[0]: instructions an operation; value[1]: operations. */
void bench_measure_count(const struct bench_child *child, struct bench_result *result);

/* value[1]: operations that ran while valgrind counted. */
void bench_measure_callgrind(const struct bench_child *child, struct bench_result *result);

/* Traps before and after every operation; the parent counts and fills value[]. */
void bench_measure_step(const struct bench_child *child, struct bench_result *result);

/* value[0]: bytes of the smallest pool in which the script completes. */
void bench_measure_fit(const struct bench_child *child, struct bench_result *result);

/* value[0]: 4 KiB blocks; value[1]: 64-byte blocks in the gaps. */
void bench_measure_gaps(const struct bench_child *child, struct bench_result *result);

/* Shared helpers (child.c). */

/* Maps `size` bytes, in memory already when `touched`. Null when there is no memory. */
void *bench_pool_map(size_t size, bool touched);

/* Creates the contestant's instance in a pool with room to spare for the script. Null: cannot, and
 * the result says so. */
void *bench_instance(const struct bench_child *child, struct bench_result *result);

/* The loops over [from, to) that suit the script. */
void bench_run_ops(const struct bench_child *child, void *self, size_t from, size_t to);

/* Reports that the contestant cannot do what operation `index` asks. */
void bench_refused(const struct bench_child *child, size_t index, struct bench_result *result);

#endif
