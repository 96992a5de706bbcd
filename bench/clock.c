/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "clock.h"

double bench_tick_ns(void)
{
    uint64_t ns = acre_clock_ns();
    uint64_t ticks = acre_clock_ticks();
    uint64_t end = ns + 20000000u;
    while (acre_clock_ns() < end)
        continue;
    ns = acre_clock_ns() - ns;
    ticks = acre_clock_ticks() - ticks;
    return (double)ns / (double)ticks;
}
