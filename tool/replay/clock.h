/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Clocks: one that is cheap and fine enough to time a single operation, one in nanoseconds, and
 * the count of instructions where the machine keeps one.
 */
#ifndef ACRE_TOOL_REPLAY_CLOCK_H
#define ACRE_TOOL_REPLAY_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

static inline uint64_t replay_nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* On x86 with SSE2 the time-stamp counter, fenced so that the operation lies between its two
 * readings. */
#if defined(__SSE2__)
#include <x86intrin.h>
#define REPLAY_TICK_NAME "cycles"
static inline uint64_t replay_ticks(void)
{
    _mm_lfence();
    uint64_t ticks = __rdtsc();
    _mm_lfence();
    return ticks;
}
#else
#define REPLAY_TICK_NAME "ns"
static inline uint64_t replay_ticks(void)
{
    return replay_nanoseconds();
}
#endif

/** What two readings of replay_ticks() cost by themselves: the least of many. */
uint64_t replay_tick_cost(void);

/** Starts counting this process's instructions. @return a counter, or -1: there is no such count.
 */
int replay_counter_open(void);

/** Why instructions are not counted, as an English phrase; null: they are. */
const char *replay_counter_lack(void);

/** Instructions counted so far. @return false when the counter gives none. */
bool replay_counter_read(int counter, uint64_t *instructions);

#endif
