/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Counts instructions under valgrind, which counts on machines that do not. */
#include "job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool bench_has_valgrind(void)
{
#if __has_include(<valgrind/callgrind.h>)
    return system("valgrind --version >/dev/null 2>&1") == 0;
#else
    return false;
#endif
}

/* The sum that callgrind writes at the end of its file; -1 when there is none. */
static double read_totals(const char *path)
{
    char line[256];
    double totals = -1;
    FILE *file = fopen(path, "r");
    if (!file)
        return -1;
    while (fgets(line, sizeof line, file))
        if (strncmp(line, "totals:", 7) == 0)
            totals = strtod(line + 7, NULL);
    fclose(file);
    return totals;
}

void bench_job_callgrind(const struct bench_job *job, struct bench_result *result)
{
    char path[64], out[96];
    int result_fd = -1;
    snprintf(path, sizeof path, "/tmp/acre-bench.%ld.callgrind", (long)getpid());
    snprintf(out, sizeof out, "--callgrind-out-file=%s", path);
    const char *prefix[] = { "valgrind", "--tool=callgrind", "-q", "--instr-atstart=no", out,
        NULL };
    *result = (struct bench_result){ .outcome = BENCH_BROKEN, .text = "cannot start valgrind" };
    int pid = bench_job_start(job, prefix, &result_fd);
    if (pid < 0)
        return;
    bench_job_finish(pid, result_fd, result);
    double totals = read_totals(path);
    unlink(path);
    if (result->outcome == BENCH_DONE && totals >= 0)
        result->value[0] = totals / result->value[1];
    else if (result->outcome == BENCH_DONE)
        *result = (struct bench_result){ BENCH_BROKEN, "valgrind left no totals", "", { 0 } };
}
