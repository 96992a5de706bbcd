/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The smallest pool in which the script completes, by bisection. Every try runs in a process of its
 * own: an allocator that ends the process when memory runs out just does not fit.
 */
#include "measures.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Pools are tried up to this many times the peak of live bytes. */
enum { FACTOR_MAX = 64 };

static bool run_op(const struct bench_child *child, void *self, size_t i)
{
    const struct acre_plugin *table = child->bound.table;
    struct bench_op op = bench_ops(child->script)[i];
    bench_how how = bench_hows(child->script)[i];
    void **slot = &child->slots[op.slot];
    if (bench_how_kind(how) == BENCH_DEALLOC) {
        table->dealloc(self, *slot, op.size, bench_how_align(how));
        *slot = NULL;
        return true;
    }
    if (bench_how_kind(how) == BENCH_ALLOC)
        *slot = table->alloc(self, op.size, bench_how_align(how));
    else
        *slot = table->realloc(
            self, *slot, bench_olds(child->script)[i], op.size, bench_how_align(how));
    return *slot != NULL;
}

static bool completes(const struct bench_child *child, void *pool, size_t size)
{
    void *self = child->bound.table->create(pool, size);
    bool fits = self != NULL;
    for (size_t i = 0; fits && i < child->script->stop; i++)
        fits = run_op(child, self, i);
    return fits;
}

static bool fits(const struct bench_child *child, void *pool, size_t size)
{
    int status = 1;
    int pid = fork();
    if (pid == 0) {
        fclose(stderr);
        _exit(completes(child, pool, size) ? 0 : 1);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return false;
    return status == 0;
}

/* Halves (*low, *high] until it is within a 4096th of the peak; the high end fits. */
static size_t bisect(const struct bench_child *child, void *pool, size_t low, size_t high)
{
    size_t fine = child->script->peak / 4096;
    while (high - low > (fine > 64 ? fine : 64)) {
        size_t middle = (low + (high - low) / 2) & ~(size_t)15;
        if (fits(child, pool, middle))
            high = middle;
        else
            low = middle;
    }
    return high;
}

void bench_measure_fit(const struct bench_child *child, struct bench_result *result)
{
    size_t peak = child->script->peak;
    size_t most = peak * FACTOR_MAX + ((size_t)1 << 20);
    void *pool = bench_pool_map(most, false);
    size_t low = peak & ~(size_t)15, high = low + peak / 16 + 4096;
    if (child->bound.table->flags & ACRE_PLUGIN_OWN_MEMORY || !pool) {
        result->outcome = BENCH_CANNOT;
        snprintf(result->text, sizeof result->text, "it finds its memory itself");
        return;
    }
    while (high <= most && !fits(child, pool, high)) {
        low = high;
        high += (high - peak) * 2;
    }
    if (high > most) {
        result->outcome = BENCH_CANNOT;
        snprintf(result->text, sizeof result->text,
            "fits no pool up to %d times the peak of "
            "live bytes",
            FACTOR_MAX);
        return;
    }
    size_t smallest = bisect(child, pool, low, high);
    result->value[0] = (double)smallest;
}
