/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Random numbers that are the same everywhere: SplitMix64 (Steele, Lea, Flood, 2014). */
#ifndef BENCH_RANDOM_H
#define BENCH_RANDOM_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

static inline uint64_t bench_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* In [0, limit). */
static inline size_t bench_random_below(uint64_t *state, size_t limit)
{
    return (size_t)((bench_random(state) >> 32) * (uint64_t)limit >> 32);
}

/* In [low, high], each power of two as likely as the next. */
static inline size_t bench_random_log(uint64_t *state, size_t low, size_t high)
{
    double unit = (double)(bench_random(state) >> 11) * 0x1p-53;
    double value = (double)low * exp2(unit * log2((double)high / (double)low));
    return (size_t)value;
}

/* Fills `order` with 0..count-1, shuffled. */
static inline void bench_shuffle(uint64_t *state, uint32_t *order, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t j = bench_random_below(state, i + 1);
        order[i] = order[j];
        order[j] = (uint32_t)i;
    }
}

#endif
