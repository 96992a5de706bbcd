/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The clocks by which the tool and the benchmarks measure.
 */
#ifndef ACRE_CLOCK_H
#define ACRE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t acre_clock_read(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/** Nanoseconds since some moment. */
static inline uint64_t acre_clock_ns(void)
{
    return acre_clock_read(CLOCK_MONOTONIC);
}

/** Nanoseconds for which this process has had a processor: others on the machine do not add to it,
 * though what they do to the caches remains. */
static inline uint64_t acre_clock_own_ns(void)
{
    return acre_clock_read(CLOCK_PROCESS_CPUTIME_ID);
}

/*
 * Ticks, cheap and fine enough to time a single call: of the processor's time-stamp counter where
 * there is one, with fences on both sides so that nothing measured moves past; else nanoseconds.
 */
#if defined(__x86_64__) || defined(__SSE2__)
#define ACRE_CLOCK_UNIT "cycles"
static inline uint64_t acre_clock_ticks(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}
#else
#define ACRE_CLOCK_UNIT "ns"
static inline uint64_t acre_clock_ticks(void)
{
    return acre_clock_ns();
}
#endif

#endif
