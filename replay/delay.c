/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/delay.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

/* Each time that a thread gets a processor may have taken so long without another program's doing. */
#define WAKING_NS 50000u

struct replay_delay replay_delay_read(void)
{
    char text[96];
    struct replay_delay times = { 0, 0 };
    int file = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    ssize_t size = file >= 0 ? read(file, text, sizeof text - 1) : 0;
    if (file >= 0)
        close(file);
    text[size > 0 ? size : 0] = '\0';
    char *at = text;
    times.busy = strtoull(at, &at, 10);
    uint64_t delay = strtoull(at, &at, 10);
    uint64_t waking = strtoull(at, &at, 10) * WAKING_NS;
    times.delayed = delay > waking ? delay - waking : 0;
    return times;
}

size_t replay_processors(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count > 0 ? (size_t)count : 1;
}
