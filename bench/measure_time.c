/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Whole passes over the script, nothing between the calls but the loop. The time is the processor's
 * that the process had, the kernel's part for it included.
 */
#include "measures.h"
#include "replay/statistics.h"

enum { PASSES_MAX = 64 };
static const uint64_t enough_ns = 60000000;

/* One pass; the nanoseconds of its measured part. */
static uint64_t time_pass(struct replay_worker *worker, const struct replay_instance *instance)
{
    const struct replay_facts *facts = &worker->script->facts;
    bench_run_ops(worker, instance, 0, (size_t)facts->warm);
    uint64_t start = acre_clock_own_ns();
    bench_run_ops(worker, instance, (size_t)facts->warm, (size_t)facts->stop);
    uint64_t taken = acre_clock_own_ns() - start;
    bench_run_ops(worker, instance, (size_t)facts->stop, (size_t)facts->ops);
    return taken;
}

/* The first pass warms up, unless it took so long that warming up does not matter. */
void bench_measure_time(struct replay_worker *worker)
{
    double passes[PASSES_MAX];
    size_t count = 0;
    uint64_t sum = 0;
    double ops = (double)(worker->script->facts.stop - worker->script->facts.warm);
    struct replay_instance instance;
    if (!bench_open(worker, &instance))
        return;
    uint64_t taken = time_pass(worker, &instance);
    if (taken > enough_ns * 2)
        passes[count++] = (double)taken / ops;
    while (count == 0 || (count < PASSES_MAX && sum + taken < enough_ns)) {
        taken = time_pass(worker, &instance);
        sum += taken;
        passes[count++] = (double)taken / ops;
    }
    if (!bench_balanced(worker))
        bench_cannot(worker, "runs out of memory as passes are repeated");
    worker->results->figures[0] = replay_median(passes, count);
    worker->results->figures[1] = (double)count;
}
