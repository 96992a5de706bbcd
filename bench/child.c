/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "contestants.h"
#include "job.h"
#include "measures.h"
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *bench_pool_map(size_t size, bool touched)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | (touched ? MAP_POPULATE : MAP_NORESERVE);
    void *pool = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    return pool == MAP_FAILED ? NULL : pool;
}

/* Ample for allocators that round sizes up to powers of two and then fragment. */
static size_t ample_pool(const struct bench_script *script)
{
    enum { MIB = 1 << 20 };
    return (script->peak * 3 / MIB + 4) * MIB;
}

void *bench_instance(const struct bench_child *child, struct bench_result *result)
{
    const struct acre_plugin *table = child->bound.table;
    size_t size = table->flags & ACRE_PLUGIN_OWN_MEMORY ? 0 : ample_pool(child->script);
    void *pool = size ? bench_pool_map(size, true) : NULL;
    void *self = size && !pool ? NULL : table->create(pool, size);
    if (!self) {
        result->outcome = BENCH_CANNOT;
        snprintf(result->text, sizeof result->text, "no instance in a pool of %zu bytes", size);
    }
    return self;
}

void bench_run_ops(const struct bench_child *child, void *self, size_t from, size_t to)
{
    struct bench_run run = { child->script, child->bound.table, self, child->slots, from, to,
        NULL };
    if (child->script->plain)
        child->bound.loops->plain(&run);
    else
        child->bound.loops->any(&run);
}

void bench_refused(const struct bench_child *child, size_t index, struct bench_result *result)
{
    result->outcome = BENCH_CANNOT;
    snprintf(result->text, sizeof result->text, "refuses %u bytes aligned to %zu (operation %zu)",
        (unsigned)bench_ops(child->script)[index].size,
        bench_how_align(bench_hows(child->script)[index]), index);
}

/* Fills `job`, `who` and `*result_fd` from the arguments that exec_job() wrote. */
static bool parse_job(char **argv, struct bench_job *job, struct bench_contestant *who, int *fd)
{
    int measure, form;
    if (sscanf(argv[2], "%d:%d:%d:%zu:%zu:%d", &measure, &form, &job->script_fd, &job->script_size,
            &job->limit, fd) != 6)
        return false;
    *who = (struct bench_contestant){ .form = (enum bench_form)form };
    snprintf(who->name, sizeof who->name, "%s", argv[3]);
    who->library = argv[4][0] ? argv[4] : NULL;
    who->builtin = argv[5][0] ? argv[5] : NULL;
    job->measure = (enum bench_measure)measure;
    job->contestant = who;
    return true;
}

static void *map_slots(size_t count)
{
    void **slots = bench_pool_map(count * sizeof *slots + 1, true);
    if (slots)
        memset(slots, 0, count * sizeof *slots);
    return slots;
}

typedef void measure_fn(const struct bench_child *child, struct bench_result *result);

static void measure(
    const struct bench_job *job, struct bench_child *child, struct bench_result *result)
{
    static measure_fn *const measures[] = {
        [BENCH_VERIFY] = bench_measure_verify,
        [BENCH_TIME] = bench_measure_time,
        [BENCH_LATENCY] = bench_measure_latency,
        [BENCH_COUNT] = bench_measure_count,
        [BENCH_CALLGRIND] = bench_measure_callgrind,
        [BENCH_STEP] = bench_measure_step,
        [BENCH_FIT] = bench_measure_fit,
        [BENCH_GAPS] = bench_measure_gaps,
    };
    if (!bench_bind(job->contestant, &child->bound, result->text, sizeof result->text))
        return;
    if (job->script_fd >= 0) {
        child->script = bench_script_map(job->script_fd, job->script_size);
        child->slots = child->script ? map_slots(child->script->slots) : NULL;
        if (!child->slots)
            return;
    }
    child->limit = job->limit;
    result->outcome = BENCH_DONE;
    measures[job->measure](child, result);
}

int bench_job_main(int argc, char **argv)
{
    int result_fd;
    struct bench_job job;
    struct bench_contestant who;
    struct bench_child child = { .script = NULL };
    struct bench_result result = { .outcome = BENCH_BROKEN, .text = "not enough memory" };
    if (argc != 6 || !parse_job(argv, &job, &who, &result_fd))
        return 2;
    if (job.measure != BENCH_IDENTIFY) {
        measure(&job, &child, &result);
    } else {
        bool serves = bench_identify(&who, result.version, sizeof result.version);
        result.outcome = serves ? BENCH_DONE : BENCH_CANNOT;
        snprintf(result.text, sizeof result.text, "%s", serves ? "" : "not installed");
    }
    return write(result_fd, &result, sizeof result) == (ssize_t)sizeof result ? 0 : 1;
}
