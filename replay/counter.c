/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/counter.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TICK_TRIALS 2000

uint64_t replay_tick_cost(void)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < TICK_TRIALS; i++) {
        uint64_t start = acre_clock_ticks();
        uint64_t ticks = acre_clock_ticks() - start;
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

static const char *lack_text(int error)
{
    if (error == EACCES || error == EPERM)
        return "the system's settings forbid it (kernel.perf_event_paranoid, or a container's)";
    if (error == ENOENT || error == ENODEV || error == EOPNOTSUPP)
        return "this machine has no instruction counter (it may be virtual)";
    return "this system has no instruction counter";
}

const char *replay_counter_lack(void)
{
    uint64_t instructions;
    int counter = replay_counter_open();
    if (counter < 0)
        return lack_text(errno);
    bool counts = replay_counter_read(counter, &instructions);
    close(counter);
    return counts ? NULL : "this machine's counter of them gives nothing";
}

bool replay_counter_read(int counter, uint64_t *instructions)
{
    return counter >= 0 &&
           read(counter, instructions, sizeof *instructions) == sizeof *instructions;
}
