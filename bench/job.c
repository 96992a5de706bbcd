/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "job.h"
#include "script.h"
#include "spread.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOB_ARGS = 12, PREFIX_MAX = 8 };

static void exec_job(const struct bench_job *job, const char *const *prefix, int result_fd)
{
    char numbers[96], program[4096] = "";
    const char *argv[PREFIX_MAX + JOB_ARGS];
    const struct bench_contestant *who = job->contestant;
    size_t count = 0;
    for (; prefix[count]; count++)
        argv[count] = prefix[count];
    if (readlink("/proc/self/exe", program, sizeof program - 1) < 0)
        _exit(127);
    snprintf(numbers, sizeof numbers, "%d:%d:%d:%zu:%zu:%d", (int)job->measure, (int)who->form,
        job->script_fd, job->script_size, job->limit, result_fd);
    argv[count++] = program;
    argv[count++] = BENCH_JOB_WORD;
    argv[count++] = numbers;
    argv[count++] = who->name;
    argv[count++] = who->library ? who->library : "";
    argv[count++] = who->builtin ? who->builtin : "";
    argv[count] = NULL;
    if (who->tunables)
        setenv("GLIBC_TUNABLES", who->tunables, 1);
    if (who->form == BENCH_PRELOAD)
        setenv("LD_PRELOAD", who->library, 1);
    char *args[PREFIX_MAX + JOB_ARGS];
    memcpy(args, argv, sizeof args);
    execvp(args[0], args);
    _exit(127);
}

int bench_job_start(const struct bench_job *job, const char *const *prefix, int *result_fd)
{
    int pipes[2];
    if (pipe(pipes))
        return -1;
    int pid = fork();
    if (pid == 0) {
        close(pipes[0]);
        exec_job(job, prefix, pipes[1]);
    }
    close(pipes[1]);
    *result_fd = pipes[0];
    if (pid < 0)
        close(pipes[0]);
    return pid;
}

static bool read_result(int fd, struct bench_result *result)
{
    char *at = (char *)result;
    size_t left = sizeof *result;
    while (left) {
        ssize_t got = read(fd, at, left);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        left -= (size_t)got;
    }
    return true;
}

static void broken(struct bench_result *result, int status)
{
    *result = (struct bench_result){ .outcome = BENCH_BROKEN };
    if (WIFSIGNALED(status))
        snprintf(result->text, sizeof result->text, "ended by signal %d (%s)", WTERMSIG(status),
            strsignal(WTERMSIG(status)));
    else
        snprintf(result->text, sizeof result->text, "ended early with exit code %d",
            WEXITSTATUS(status));
}

void bench_job_finish(int pid, int result_fd, struct bench_result *result)
{
    int status = 0;
    bool complete = read_result(result_fd, result);
    close(result_fd);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!complete)
        broken(result, status);
}

/* Means and percentiles of what stepping counted, by kind of operation. */
static void spread_steps(
    const struct bench_job *job, const uint32_t *counts, size_t filled, struct bench_result *result)
{
    const struct bench_script *script = bench_script_map(job->script_fd, job->script_size);
    if (!script)
        return;
    bench_spread_by_kind(script, counts, filled, result->value);
    munmap((void *)(uintptr_t)script, job->script_size);
}

/* Both processes on one processor: they take turns, and waking another one up costs more. */
static void run_stepped(const struct bench_job *job, struct bench_result *result)
{
    static const char *const no_prefix[] = { NULL };
    int result_fd = -1;
    uint32_t *counts = calloc(job->limit, sizeof *counts);
    cpu_set_t before, one;
    sched_getaffinity(0, sizeof before, &before);
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
    int pid = counts ? bench_job_start(job, no_prefix, &result_fd) : -1;
    if (pid > 0) {
        size_t filled = bench_job_step(pid, counts, job->limit);
        bench_job_finish(pid, result_fd, result);
        if (result->outcome == BENCH_DONE)
            spread_steps(job, counts, filled, result);
    }
    sched_setaffinity(0, sizeof before, &before);
    free(counts);
}

void bench_job_run(const struct bench_job *job, struct bench_result *result)
{
    static const char *const no_prefix[] = { NULL };
    int result_fd = -1;
    *result = (struct bench_result){ .outcome = BENCH_BROKEN, .text = "cannot start a process" };
    if (job->measure == BENCH_STEP) {
        run_stepped(job, result);
        return;
    }
    int pid = bench_job_start(job, no_prefix, &result_fd);
    if (pid > 0)
        bench_job_finish(pid, result_fd, result);
}
