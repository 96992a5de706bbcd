/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "builder.h"
#include "random.h"
#include "workloads.h"

enum { BLOCKS = 10000, CYCLES = 25, TOGGLES = 500000, BULK_MAX = 25000 };

void bench_build_lifo(struct bench_builder *builder, uint64_t seed, unsigned scale, size_t param)
{
    (void)seed;
    unsigned cycles = CYCLES / scale ? CYCLES / scale : 1;
    for (unsigned cycle = 0; cycle < cycles; cycle++) {
        for (size_t slot = 0; slot < BLOCKS; slot++)
            bench_toggle(builder, slot, param);
        for (size_t slot = BLOCKS; slot-- > 0;)
            bench_toggle(builder, slot, param);
    }
}

void bench_build_fifo(struct bench_builder *builder, uint64_t seed, unsigned scale, size_t param)
{
    (void)seed;
    for (size_t slot = 0; slot < BLOCKS; slot++)
        bench_toggle(builder, slot, param);
    bench_mark_warm(builder);
    for (size_t i = 0; i < TOGGLES / 2 / scale; i++) {
        bench_toggle(builder, i % BLOCKS, param);
        bench_toggle(builder, i % BLOCKS, param);
    }
}

void bench_build_random(struct bench_builder *builder, uint64_t seed, unsigned scale, size_t param)
{
    for (size_t i = 0; i < TOGGLES / scale; i++)
        bench_toggle(builder, bench_random_below(&seed, BLOCKS), param);
}

/* 25,000 blocks, or as many fewer as make 31 MB. */
static size_t bulk_blocks(size_t size)
{
    size_t blocks = 7500 * (size_t)4160 / size;
    return blocks < BULK_MAX ? blocks : BULK_MAX;
}

void bench_build_bulk(struct bench_builder *builder, uint64_t seed, unsigned scale, size_t param)
{
    static uint32_t order[BULK_MAX];
    size_t blocks = bulk_blocks(param) / scale;
    for (size_t slot = 0; slot < blocks; slot++)
        bench_toggle(builder, slot, param);
    bench_shuffle(&seed, order, blocks);
    for (size_t i = 0; i < blocks; i++)
        bench_toggle(builder, order[i], param);
}
