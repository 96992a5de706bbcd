/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The worker's side of a job: one measure per file. Results go to worker->results. */
#ifndef BENCH_MEASURES_H
#define BENCH_MEASURES_H

#include "bench.h"

/* figures[0]: nanoseconds of processor time per operation, median of the passes; [1]: passes. */
void bench_measure_time(struct replay_worker *worker);

/* figures[]: ticks by verb, see BENCH_ALLOC_P50 and following. */
void bench_measure_latency(struct replay_worker *worker);

/* figures[0]: instructions per operation; [1]: operations. */
void bench_measure_count(struct replay_worker *worker);

/* figures[1]: operations that ran while valgrind counted. */
void bench_measure_callgrind(struct replay_worker *worker);

/* Traps before and after every operation; the parent counts and fills figures[]. */
void bench_measure_step(struct replay_worker *worker);

/* figures[0]: 4 KiB blocks; [1]: 64-byte blocks in the gaps. */
void bench_measure_gaps(struct replay_worker *worker);

/* Shared helpers (worker.c). */

/* Does the task of the results: one of the above or of the replay engine. */
void bench_worker_do(void *argument);

/* Makes a worker ready for a measure. False: there is no memory, and the results say so. */
bool bench_worker_prepare(struct replay_worker *worker);

/* Opens an instance in a pool of the size ordered, in memory already. False: it cannot be, and the
 * results say so. */
bool bench_open(struct replay_worker *worker, struct replay_instance *instance);

/* Runs the operations [from, to) by the tightest loop that suits the script. */
void bench_run_ops(
    struct replay_worker *worker, const struct replay_instance *instance, size_t from, size_t to);

/* The operations [from, to) of the script. */
struct replay_window bench_window(const struct replay_worker *worker, size_t from, size_t to);

/* Notes why the backend does not serve this workload. */
void bench_cannot(struct replay_worker *worker, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Where the measured part ends that the order limits to some operations. */
size_t bench_limited_end(const struct replay_worker *worker);

/* Whether no block is live. */
bool bench_balanced(const struct replay_worker *worker);

#endif
