/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Resident memory from smaps_rollup, which counts pages. The highest value that the system keeps,
 * in status, may be off by some dozens of pages for each processor.
 */
#include "replay/worker.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_TEXT 4096
#define SLACK ((uint64_t)512 << 10)

static void read_text(const char *path, char text[MOST_TEXT])
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = file >= 0 ? read(file, text, MOST_TEXT - 1) : 0;
    if (file >= 0)
        close(file);
    text[size > 0 ? size : 0] = '\0';
}

/* Bytes behind a name; 0 when it is not there. */
static uint64_t field(const char *text, const char *name)
{
    const char *found = strstr(text, name);
    return found ? strtoull(found + strlen(name), NULL, 10) * 1024 : 0;
}

uint64_t replay_resident(void)
{
    char text[MOST_TEXT];
    read_text("/proc/self/smaps_rollup", text);
    return field(text, "Anonymous:");
}

uint64_t replay_footprint(void)
{
    char text[MOST_TEXT];
    read_text("/proc/self/status", text);
    return field(text, "VmHWM:");
}

bool replay_resident_reset(void)
{
    int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    bool reset = file >= 0 && write(file, "5", 1) == 1;
    if (file >= 0)
        close(file);
    return reset;
}

uint64_t replay_resident_peak(void)
{
    char text[MOST_TEXT];
    read_text("/proc/self/status", text);
    uint64_t other = field(text, "RssFile:") + field(text, "RssShmem:");
    uint64_t most = field(text, "VmHWM:");
    return most > other ? most - other : 0;
}

uint64_t replay_resident_most(void)
{
    uint64_t peak = replay_resident_peak();
    return peak > SLACK ? peak - SLACK : 0;
}
