/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "builder.h"
#include "random.h"
#include "workloads.h"

static void toggle_at_random(struct bench_builder *builder, uint64_t *seed, size_t toggles,
    size_t slots, size_t low, size_t high)
{
    for (size_t i = 0; i < toggles; i++) {
        size_t slot = bench_random_below(seed, slots);
        bench_toggle(builder, slot, bench_random_log(seed, low, high));
    }
}

void bench_build_churn(struct bench_builder *builder, uint64_t seed, unsigned scale, size_t param)
{
    (void)param;
    toggle_at_random(builder, &seed, 5000000 / scale, 10000, 16, 4096);
}

void bench_build_large(struct bench_builder *builder, uint64_t seed, unsigned scale, size_t param)
{
    (void)param;
    toggle_at_random(builder, &seed, 1000000 / scale, 500, 4096, (size_t)1 << 20);
}

void bench_build_aligned(struct bench_builder *builder, uint64_t seed, unsigned scale, size_t param)
{
    (void)param;
    for (size_t i = 0; i < 200000 / scale; i++) {
        size_t slot = bench_random_below(&seed, 2000);
        size_t size = bench_random_log(&seed, 16, 4096);
        unsigned align_log2 = 4 + (unsigned)bench_random_below(&seed, 9);
        if (bench_live(builder, slot))
            bench_dealloc(builder, slot);
        else
            bench_alloc(builder, slot, size, align_log2);
    }
}

/* Fills up to `param` bytes, frees every second block at random, then toggles. */
void bench_build_fragmented(
    struct bench_builder *builder, uint64_t seed, unsigned scale, size_t param)
{
    enum { HIGH = 16384 };
    size_t slots = 0;
    for (size_t bytes = 0; bytes < param / scale; bytes += bench_live(builder, slots++))
        bench_toggle(builder, slots, bench_random_log(&seed, 16, HIGH));
    for (size_t slot = 0; slot < slots; slot++)
        if (bench_random(&seed) >> 63)
            bench_dealloc(builder, slot);
    bench_mark_warm(builder);
    toggle_at_random(builder, &seed, 20000 / scale, slots, 16, HIGH);
}

/* Twice as many slots as blocks shall live: toggling at random keeps about half of them full. */
void bench_build_scale(struct bench_builder *builder, uint64_t seed, unsigned scale, size_t param)
{
    enum { LOW = 16, HIGH = 256, TOGGLES = 200000 };
    size_t slots = param * 2;
    for (size_t slot = 0; slot < slots; slot++)
        bench_toggle(builder, slot, bench_random_log(&seed, LOW, HIGH));
    for (size_t slot = 0; slot < slots; slot++)
        if (bench_random(&seed) >> 63)
            bench_dealloc(builder, slot);
    bench_mark_warm(builder);
    toggle_at_random(builder, &seed, TOGGLES / scale, slots, LOW, HIGH);
}
