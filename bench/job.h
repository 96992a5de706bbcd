/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Jobs: the parent's side starts them, the child's side is in measures.h. */
#ifndef BENCH_JOB_H
#define BENCH_JOB_H

#include "bench.h"

/* The word that tells a process that it is a job: argv[1]. */
#define BENCH_JOB_WORD "--job"

/* Runs one job in a process of its own and waits for it. Always fills `*result`. */
void bench_job_run(const struct bench_job *job, struct bench_result *result);

/* The same for BENCH_CALLGRIND: under valgrind. value[0]: instructions per operation. */
void bench_job_callgrind(const struct bench_job *job, struct bench_result *result);

/* Whether `valgrind` is to be found, and this program was built with its headers. */
bool bench_has_valgrind(void);

/* The child's side: reads argv, measures, writes the result. Returns the exit code. */
int bench_job_main(int argc, char **argv);

/* Parts that job.c, job_callgrind.c and job_step.c share. `prefix` is put before the command, ended
 * by null. The process reports through `*result_fd`. Returns its id, or -1. */
int bench_job_start(const struct bench_job *job, const char *const *prefix, int *result_fd);

/* Reads what the process reports, reaps it, and explains a process that ended early. */
void bench_job_finish(int pid, int result_fd, struct bench_result *result);

/* Follows a stepping process to its end and fills `counts`, one for each operation measured, with
 * the instructions between its two traps. Returns how many were filled. */
size_t bench_job_step(int pid, uint32_t *counts, size_t room);

#endif
