/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/replay/work.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

bool replay_ticks_open(struct replay_ticks *ticks, const struct replay_facts *facts)
{
    uint64_t held = facts->streamed ? REPLAY_WINDOW : facts->ops;
    *ticks = (struct replay_ticks){ .file = -1, .count = facts->ops };
    ticks->room = (size_t)held * sizeof *ticks->items;
    void *items = mmap(NULL, ticks->room, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (items == MAP_FAILED)
        return false;
    ticks->items = items;
    memset(items, 0xFF, ticks->room);
    if (facts->streamed)
        ticks->file = replay_nameless_file();
    return !facts->streamed || ticks->file >= 0;
}

void replay_ticks_close(struct replay_ticks *ticks)
{
    if (ticks->items)
        munmap(ticks->items, ticks->room);
    if (ticks->file >= 0)
        close(ticks->file);
    *ticks = (struct replay_ticks){ .file = -1 };
}

uint32_t *replay_ticks_at(const struct replay_ticks *ticks, uint64_t first, uint64_t count)
{
    size_t size = (size_t)count * sizeof *ticks->items;
    if (ticks->file < 0)
        return ticks->items + first;
    /* What was never kept is not there to be read. */
    if (!replay_read_at(ticks->file, ticks->items, size, first * sizeof *ticks->items))
        memset(ticks->items, 0xFF, size);
    return ticks->items;
}

bool replay_ticks_keep(const struct replay_ticks *ticks, uint64_t first, uint64_t count)
{
    size_t size = (size_t)count * sizeof *ticks->items;
    return ticks->file < 0 ||
           replay_write_at(ticks->file, ticks->items, size, first * sizeof *ticks->items);
}
