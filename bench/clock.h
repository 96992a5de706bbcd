/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Clocks, and the trap that a stepping parent waits for. */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <signal.h>
#include <stdint.h>
#include <time.h>

static inline uint64_t bench_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Time that this process has had a processor, in nanoseconds: others on the machine do not add to
 * it, though what they do to the caches remains. */
static inline uint64_t bench_own_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#if defined(__x86_64__)

/* Ticks of the processor's time-stamp counter; nothing measured moves out of the pair. */
static inline uint64_t bench_ticks_start(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

static inline uint64_t bench_ticks_stop(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtscp; lfence" : "=a"(low), "=d"(high)::"rcx", "memory");
    return (uint64_t)high << 32 | low;
}

static inline void bench_trap(void)
{
    __asm__ volatile("int3" ::: "memory");
}

#define BENCH_CAN_STEP 1

#else

/* Elsewhere a tick is a nanosecond. */
static inline uint64_t bench_ticks_start(void)
{
    return bench_now_ns();
}

static inline uint64_t bench_ticks_stop(void)
{
    return bench_now_ns();
}

static inline void bench_trap(void)
{
    raise(SIGTRAP);
}

#define BENCH_CAN_STEP 0

#endif

/* Nanoseconds in a tick, measured over some milliseconds. */
double bench_tick_ns(void);

#endif
