/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "job.h"
#include "callgrind.h"
#include "verbs.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The second time shows that a pass leaves the allocator as fit as it was. */
enum { VERIFY_PASSES = 2 };

/* Backends that need longer would hold up the run for all. */
static const uint64_t verify_patience_ns = 20000000000;

/* Ample for allocators that round sizes up to powers of two and then fragment. */
static size_t ample_pool(const struct replay_script *script)
{
    enum { MIB = 1 << 20 };
    return ((size_t)script->facts.peak_live * 3 / MIB + 4) * MIB;
}

/* ---- stepping ---- */

/* Both processes on one processor: they take turns, and waking another one up costs more. */
static void pin_to_one(cpu_set_t *before)
{
    cpu_set_t one;
    sched_getaffinity(0, sizeof *before, before);
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
}

static void follow_steps(
    const struct bench_job *job, const struct replay_child *child, double *figures)
{
    size_t ops = (size_t)(job->script->facts.stop - job->script->facts.warm);
    size_t room = ops < job->limit ? ops : job->limit;
    uint32_t *counts = calloc(room, sizeof *counts);
    size_t filled = counts ? bench_job_step(child->pid, counts, room) : 0;
    bench_figures_by_verb(job->script, counts, filled, figures);
    free(counts);
}

/* ---- one job ---- */

static void no_progress(void *argument, struct acre_progress *progress)
{
    (void)argument;
    (void)progress;
}

/* How the job went, and its figures. */
static void take_results(const struct bench_job *job, const struct replay_results *results,
    const char *ended, bool done, struct bench_result *result)
{
    result->outcome = BENCH_DONE;
    memcpy(result->value, results->figures, sizeof result->value);
    if (!done || results->fault[0]) {
        result->outcome = BENCH_BROKEN;
        snprintf(result->text, sizeof result->text, "%.150s",
            results->fault[0] ? results->fault : ended);
    } else if (results->cannot[0]) {
        result->outcome = BENCH_CANNOT;
        memcpy(result->text, results->cannot, sizeof result->text);
    } else if (results->pool_refused || results->failed) {
        result->outcome = BENCH_CANNOT;
        snprintf(result->text, sizeof result->text, "refuses %llu operations in %zu bytes",
            (unsigned long long)results->failed, results->pool);
    } else if (job->measure == BENCH_FIT) {
        result->value[0] = (double)results->smallest_pool;
        result->outcome = results->smallest_pool ? BENCH_DONE : BENCH_CANNOT;
        snprintf(result->text, sizeof result->text, "completes in no pool");
    } else if (job->measure == BENCH_VERIFY) {
        result->value[0] = (double)results->resident;
    }
}

static void do_job(const struct bench_job *job, const struct replay_launch *launch,
    struct replay_shared_file *state, struct bench_result *result)
{
    struct replay_child child;
    char ended[REPLAY_ENDED_ROOM] = "";
    struct replay_results *results = &state->shared->results;
    double steps[REPLAY_FIGURES] = { 0 };
    results->task = (int)job->measure;
    results->pool = ample_pool(job->script);
    results->limit = job->limit;
    results->rounds = VERIFY_PASSES;
    results->coarse = true;
    results->patience = verify_patience_ns;
    if (!replay_worker_execute(&child, launch, job->script, state))
        return;
    replay_child_order(&child);
    if (job->measure == BENCH_STEP)
        follow_steps(job, &child, steps);
    bool done = replay_child_wait(&child, no_progress, NULL, NULL);
    if (done)
        replay_child_dismiss(&child);
    else
        replay_child_end(&child, ended);
    if (job->measure == BENCH_STEP)
        memcpy(results->figures, steps, sizeof steps);
    take_results(job, results, ended, done, result);
}

void bench_job_run(const struct bench_job *job, struct bench_result *result)
{
    char path[64], out[96];
    cpu_set_t before;
    struct replay_shared_file state;
    const char *prefix[] = { "valgrind", "--tool=callgrind", "-q", "--instr-atstart=no", out,
        NULL };
    bool counts = job->measure == BENCH_CALLGRIND;
    struct replay_launch launch = { .prefix = counts ? prefix : NULL,
        .backend = job->backend->name,
        .library = job->backend->library,
        .preload = job->backend->replay.preload,
        .tunables = job->backend->tunables };
    *result = (struct bench_result){ .outcome = BENCH_BROKEN, .text = "cannot start a process" };
    snprintf(path, sizeof path, "/tmp/acre-bench.%ld.callgrind", (long)getpid());
    snprintf(out, sizeof out, "--callgrind-out-file=%s", path);
    if (!replay_shared_open(&state))
        return;
    if (job->measure == BENCH_STEP)
        pin_to_one(&before);
    do_job(job, &launch, &state, result);
    if (job->measure == BENCH_STEP)
        sched_setaffinity(0, sizeof before, &before);
    replay_shared_close(&state);
    if (!counts)
        return;
    double totals = callgrind_read_totals(path);
    if (result->outcome == BENCH_DONE && totals >= 0)
        result->value[0] = totals / result->value[1];
    else if (result->outcome == BENCH_DONE)
        *result = (struct bench_result){ BENCH_BROKEN, "valgrind left no totals", { 0 } };
}
