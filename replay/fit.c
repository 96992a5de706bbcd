/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The smallest pool in which a script completes.
 *
 * Upwards from the peak of live bytes until one does, then bisection between the last that does not
 * and the first that does. Each attempt is a fresh instance on memory that may hold anything, and
 * counts only what the allocator was given, not the pages it touched. An allocator may fail in a
 * pool larger than one in which it completes; what is found is a boundary between the two, within
 * the step below.
 */
#include "replay/worker.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

/* The step is the peak / STEP_PART, rounded down to a power of two, and at least LEAST_STEP bytes. */
#define STEP_PART 2048
#define LEAST_STEP 64
/* An allocator that cannot do it in this many times the peak never will. */
#define MOST_TIMES_PEAK 32
#define ROOM_FOR_TABLES ((size_t)8 << 20)

static bool completes_here(struct replay_worker *worker, size_t pool_size)
{
    struct replay_instance instance;
    if (!replay_worker_open(worker, &instance, pool_size))
        return false;
    struct replay_window window = { 0 };
    bool completed = true;
    while (completed && replay_script_next(worker->script, &window))
        completed = instance.loops->strict(&window, &instance, worker->slots) == 0;
    replay_worker_close(worker, &instance);
    return completed;
}

/* A plugin that ends its process when memory runs out does not fit. */
static bool completes_apart(struct replay_worker *worker, size_t pool_size)
{
    int status = 1;
    pid_t pid = fork();
    if (pid == 0) {
        close(STDERR_FILENO);
        _exit(completes_here(worker, pool_size) ? 0 : 1);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return pid > 0 && status == 0;
}

static bool completes(struct replay_worker *worker, size_t pool_size)
{
    return worker->backend->type == REPLAY_PLUGIN ? completes_apart(worker, pool_size)
                                                  : completes_here(worker, pool_size);
}

static size_t step_for(size_t peak)
{
    size_t step = LEAST_STEP;
    while (step <= peak / STEP_PART / 2)
        step *= 2;
    return step;
}

/* The first pool tried that completes, 0 when none does; `*fails` is the last that does not. */
static size_t fit_upwards(struct replay_worker *worker, size_t peak, size_t step, size_t *fails)
{
    size_t memory = replay_machine_memory();
    size_t most =
        peak < memory / MOST_TIMES_PEAK ? MOST_TIMES_PEAK * peak + ROOM_FOR_TABLES : memory;
    size_t growth = peak / 16 + 16 * step;
    *fails = 0;
    for (size_t size = peak + step; size <= most; size += growth, growth *= 2) {
        size = size / step * step;
        worker->results->done = 0.3 * (double)size / (double)most;
        if (completes(worker, size))
            return size;
        *fails = size;
    }
    return 0;
}

void replay_fit(struct replay_worker *worker)
{
    size_t peak = (size_t)worker->script->facts.peak_live;
    size_t step = step_for(peak);
    size_t fails = 0;
    size_t fits = fit_upwards(worker, peak, step, &fails);
    worker->results->smallest_pool = 0;
    if (!fits)
        return;
    double whole = (double)(fits - fails);
    while (fits - fails > step) {
        size_t middle = fails + (fits - fails) / 2 / step * step;
        if (completes(worker, middle))
            fits = middle;
        else
            fails = middle;
        worker->results->done = 1.0 - 0.7 * (double)(fits - fails) / whole;
    }
    worker->results->smallest_pool = fits;
}
