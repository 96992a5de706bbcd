/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed everywhere. */
#ifndef ACRE_TESTS_SUPPORT_RNG_H
#define ACRE_TESTS_SUPPORT_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng)
{
    uint64_t z = rng->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* A number in [0, bound); bound is not 0. */
static inline size_t rng_below(struct rng *rng, size_t bound)
{
    return (size_t)(rng_next(rng) % bound);
}

#endif
