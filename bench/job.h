/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Jobs: the parent's side; the worker's side is in measures.h. */
#ifndef BENCH_JOB_H
#define BENCH_JOB_H

#include "bench.h"

/* Runs one job in a process of its own and waits for it. Always fills `*result`. */
void bench_job_run(const struct bench_job *job, struct bench_result *result);

/* Follows a stepping process through `room` operations and fills `counts` with the instructions
 * between the two traps of each. Returns how many were filled. */
size_t bench_job_step(int pid, uint32_t *counts, size_t room);

#endif
