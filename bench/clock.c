/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "clock.h"

double bench_tick_ns(void)
{
    uint64_t ns = bench_now_ns();
    uint64_t ticks = bench_ticks_start();
    uint64_t end = ns + 20000000u;
    while (bench_now_ns() < end)
        continue;
    ns = bench_now_ns() - ns;
    ticks = bench_ticks_stop() - ticks;
    return (double)ns / (double)ticks;
}
