/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Whole passes over the script, nothing between the calls but the loop. The time is the processor's
 * that the process had, the kernel's part for it included.
 */
#include "clock.h"
#include "measures.h"
#include "spread.h"

#include <stdio.h>

enum { PASSES_MAX = 64 };
static const uint64_t enough_ns = 60000000;

/* One pass; the nanoseconds of its measured part. */
static uint64_t time_pass(const struct bench_child *child, void *self)
{
    const struct bench_script *script = child->script;
    bench_run_ops(child, self, 0, script->warm);
    uint64_t start = acre_clock_own_ns();
    bench_run_ops(child, self, script->warm, script->stop);
    uint64_t taken = acre_clock_own_ns() - start;
    bench_run_ops(child, self, script->stop, script->count);
    return taken;
}

/* A pass frees all it allocates, unless an allocation failed on the way. */
static bool balanced(const struct bench_child *child)
{
    for (size_t slot = 0; slot < child->script->slots; slot++)
        if (child->slots[slot])
            return false;
    return true;
}

/* The first pass warms up, unless it took so long that warming up is no matter. */
void bench_measure_time(const struct bench_child *child, struct bench_result *result)
{
    double passes[PASSES_MAX];
    size_t count = 0;
    uint64_t sum = 0;
    double ops = (double)(child->script->stop - child->script->warm);
    void *self = bench_instance(child, result);
    if (!self)
        return;
    uint64_t taken = time_pass(child, self);
    if (taken > enough_ns * 2)
        passes[count++] = (double)taken / ops;
    while (count == 0 || (count < PASSES_MAX && sum + taken < enough_ns)) {
        taken = time_pass(child, self);
        sum += taken;
        passes[count++] = (double)taken / ops;
    }
    if (!balanced(child)) {
        result->outcome = BENCH_CANNOT;
        snprintf(result->text, sizeof result->text, "runs out of memory as passes are repeated");
    }
    result->value[0] = bench_median(passes, count);
    result->value[1] = (double)count;
}
