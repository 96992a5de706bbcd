/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The loops that call an allocator. They are templates: inlined into one function for each
 * contestant, where the calls are constants, so that a typed contestant is called directly.
 */
#ifndef BENCH_LOOP_H
#define BENCH_LOOP_H

#include "bench.h"
#include "clock.h"

#define BENCH_TEMPLATE static inline __attribute__((always_inline))

typedef void *bench_alloc_fn(void *self, size_t size, size_t align);
typedef void bench_dealloc_fn(void *self, void *ptr, size_t size, size_t align);
typedef void *bench_realloc_fn(
    void *self, void *ptr, size_t old_size, size_t new_size, size_t align);

enum bench_probe { BENCH_NO_PROBE, BENCH_TICK_PROBE, BENCH_TRAP_PROBE };

/* Plain scripts toggle: an empty slot is filled, a full one freed. */
BENCH_TEMPLATE void bench_loop_plain(
    const struct bench_run *run, bench_alloc_fn *alloc, bench_dealloc_fn *dealloc)
{
    const struct bench_op *op = bench_ops(run->script) + run->from;
    const struct bench_op *end = bench_ops(run->script) + run->to;
    void **slots = run->slots;
    void *self = run->self;
    for (; op != end; op++) {
        void **slot = &slots[op->slot];
        void *block = *slot;
        if (block) {
            dealloc(self, block, op->size, BENCH_PLAIN_ALIGN);
            block = NULL;
        } else {
            block = alloc(self, op->size, BENCH_PLAIN_ALIGN);
        }
        *slot = block;
    }
}

BENCH_TEMPLATE uint64_t bench_probe_start(enum bench_probe probe)
{
    if (probe == BENCH_TRAP_PROBE)
        bench_trap();
    return probe == BENCH_TICK_PROBE ? acre_clock_ticks() : 0;
}

BENCH_TEMPLATE void bench_probe_stop(
    enum bench_probe probe, const struct bench_run *run, size_t index, uint64_t start)
{
    if (probe == BENCH_TRAP_PROBE)
        bench_trap();
    if (probe == BENCH_TICK_PROBE) {
        uint64_t ticks = acre_clock_ticks() - start;
        uint32_t *least = &run->ticks[index - run->from];
        if (ticks < *least)
            *least = (uint32_t)ticks;
    }
}

/* Any script. Nothing looks at failures here: a contestant comes this far when it has passed the
 * verifying run, which does the same and looks. */
BENCH_TEMPLATE void bench_loop_any(const struct bench_run *run, bench_alloc_fn *alloc,
    bench_dealloc_fn *dealloc, bench_realloc_fn *resize, enum bench_probe probe)
{
    const struct bench_op *ops = bench_ops(run->script);
    const bench_how *hows = bench_hows(run->script);
    void **slots = run->slots;
    for (size_t i = run->from; i < run->to; i++) {
        const struct bench_op op = ops[i];
        enum bench_kind kind = bench_how_kind(hows[i]);
        size_t align = bench_how_align(hows[i]);
        void *block = slots[op.slot];
        uint64_t start = bench_probe_start(probe);
        if (kind == BENCH_ALLOC) {
            block = alloc(run->self, op.size, align);
        } else if (kind == BENCH_DEALLOC) {
            dealloc(run->self, block, op.size, align);
            block = NULL;
        } else {
            block = resize(run->self, block, bench_olds(run->script)[i], op.size, align);
        }
        bench_probe_stop(probe, run, i, start);
        slots[op.slot] = block;
    }
}

/* Defines `const struct bench_loops NAME_loops` over three functions of the types above. */
#define BENCH_DEFINE_LOOPS(name, alloc, dealloc, resize)                                           \
    static __attribute__((noinline)) void name##_plain(const struct bench_run *run)                \
    {                                                                                              \
        bench_loop_plain(run, alloc, dealloc);                                                     \
    }                                                                                              \
    static __attribute__((noinline)) void name##_any(const struct bench_run *run)                  \
    {                                                                                              \
        bench_loop_any(run, alloc, dealloc, resize, BENCH_NO_PROBE);                               \
    }                                                                                              \
    static __attribute__((noinline)) void name##_ticks(const struct bench_run *run)                \
    {                                                                                              \
        bench_loop_any(run, alloc, dealloc, resize, BENCH_TICK_PROBE);                             \
    }                                                                                              \
    static __attribute__((noinline)) void name##_traps(const struct bench_run *run)                \
    {                                                                                              \
        bench_loop_any(run, alloc, dealloc, resize, BENCH_TRAP_PROBE);                             \
    }                                                                                              \
    static const struct bench_loops name##_loops = { name##_plain, name##_any, name##_ticks,       \
        name##_traps }

#endif
