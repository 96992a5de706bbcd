/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Clocks, and the trap that a stepping parent waits for. */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include "clock/clock.h"

#include <signal.h>

#if defined(__x86_64__)

static inline void bench_trap(void)
{
    __asm__ volatile("int3" ::: "memory");
}

#define BENCH_CAN_STEP 1

#else

static inline void bench_trap(void)
{
    raise(SIGTRAP);
}

#define BENCH_CAN_STEP 0

#endif

/* Nanoseconds in a tick, measured over some milliseconds. */
double bench_tick_ns(void);

#endif
