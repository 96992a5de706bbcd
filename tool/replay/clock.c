/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/replay/clock.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TICK_TRIALS 2000

uint64_t replay_tick_cost(void)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < TICK_TRIALS; i++) {
        uint64_t start = replay_ticks();
        uint64_t ticks = replay_ticks() - start;
        if (ticks < least)
            least = ticks;
    }
    return least;
}

int replay_counter_open(void)
{
    struct perf_event_attr event = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof event,
        .config = PERF_COUNT_HW_INSTRUCTIONS,
        .exclude_kernel = 1,
        .exclude_hv = 1,
    };
    return (int)syscall(SYS_perf_event_open, &event, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

bool replay_counter_read(int counter, uint64_t *instructions)
{
    return counter >= 0 &&
           read(counter, instructions, sizeof *instructions) == sizeof *instructions;
}
