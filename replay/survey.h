/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * What one replay looks like from the inside: the allocator's accounts at many moments of the run,
 * and how the times of the operations are spread. Plain data, in memory that processes share.
 */
#ifndef ACRE_REPLAY_SURVEY_H
#define ACRE_REPLAY_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Moments at most: the highest of each interval, and the last; see replay_find_peaks(). */
#define REPLAY_SAMPLES 512

/** One moment: after operation `op` (from 0). Bytes, but for `op` and `blocks`. */
struct replay_sample {
    uint64_t op;
    uint64_t live;         /**< Asked for, of live blocks. */
    uint64_t blocks;       /**< Live. */
    uint64_t used;         /**< What live blocks take: rounding and headers included. */
    uint64_t metadata;     /**< What serves the allocator alone; of a pool. */
    uint64_t available;    /**< Free bytes of the pool, */
    uint64_t largest_free; /**< and the largest request that could be served. */
    uint64_t resident;     /**< Growth of resident memory; of a backend without a pool. */
};

/** Buckets of a spread; see replay_bucket(). */
#define REPLAY_BUCKETS 256

struct replay_survey {
    size_t count;    /**< Of samples; 0: there was no survey. */
    size_t pool;     /**< Bytes of the pool it was made in; 0: the backend has none. */
    bool knows_used; /**< `used` is known. */
    bool knows_pool; /**< `metadata`, `available` and `largest_free` are. */
    struct replay_sample samples[REPLAY_SAMPLES];
    struct replay_sample at_peak;    /**< Where most bytes were live. */
    uint64_t spread[REPLAY_BUCKETS]; /**< Operations by the ticks they took, when stepped. */
};

/**
 * The operation at which interval `index` begins, of `count` - 1 equal ones and a last one that is
 * the operation `last` alone. O(1).
 */
static inline uint64_t replay_sample_op(uint64_t last, uint64_t index, uint64_t count)
{
    if (count < 2)
        return last;
    return last / (count - 1) * index + last % (count - 1) * index / (count - 1);
}

/**
 * The bucket of a number: one for each number below 8, then eight for each power of two, and the
 * last one for 2^33 and more. O(1).
 */
static inline unsigned replay_bucket(uint64_t number)
{
    if (number < 8)
        return (unsigned)number;
    unsigned log2 = 63u - (unsigned)__builtin_clzll(number);
    unsigned bucket = (log2 - 2) * 8 + (unsigned)(number >> (log2 - 3) & 7);
    return bucket < REPLAY_BUCKETS ? bucket : REPLAY_BUCKETS - 1;
}

/** The least number of a bucket. O(1). */
static inline uint64_t replay_bucket_start(unsigned bucket)
{
    if (bucket < 8)
        return bucket;
    return (uint64_t)(8 + bucket % 8) << (bucket / 8 - 1);
}

#endif
