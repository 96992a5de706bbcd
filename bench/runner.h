/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Runs the jobs that fill a report. */
#ifndef BENCH_RUNNER_H
#define BENCH_RUNNER_H

#include "options.h"
#include "report.h"

struct bench_runner {
    const struct bench_options *options;
    struct bench_report *report;
    enum bench_measure counter; /* BENCH_COUNT, BENCH_CALLGRIND, or BENCH_VERIFY: none */
    double empty_call; /* instructions inside the harness's own empty functions, on average */
};

/* Finds out how instructions can be counted here, and says so in the report. */
void bench_runner_init(struct bench_runner *runner);

/* Everything about one workload. False: it could not be built (a sentence went to stderr). */
bool bench_run_workload(struct bench_runner *runner, struct bench_row *row);

/* What is measured once for each backend. */
void bench_run_steps(struct bench_runner *runner);
void bench_run_gaps(struct bench_runner *runner);
void bench_run_scaling(struct bench_runner *runner);

/* On a terminal, a line on stderr that tells what goes on; null ends it. */
void bench_progress(const char *what, const char *who);

#endif
