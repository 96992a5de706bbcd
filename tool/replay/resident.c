/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Resident memory from smaps_rollup, which counts pages; the figures of status and statm may be off
 * by some dozens of pages for each processor.
 */
#include "tool/replay/work.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint64_t replay_resident(void)
{
    static const char name[] = "Anonymous:";
    char text[4096];
    int file = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
    ssize_t size = file >= 0 ? read(file, text, sizeof text - 1) : 0;
    if (file >= 0)
        close(file);
    text[size > 0 ? size : 0] = '\0';
    const char *found = strstr(text, name);
    return found ? strtoull(found + sizeof name - 1, NULL, 10) * 1024 : 0;
}
