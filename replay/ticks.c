/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * On disk the times stand packed, in windows. A time is only ever lowered, and the less it is the
 * fewer bytes it takes: so a window always fits where it was put first.
 */
#include "replay/pack.h"
#include "replay/worker.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void *map_room(size_t room, int more_flags)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | more_flags;
    void *memory = mmap(NULL, room, PROT_READ | PROT_WRITE, flags, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static size_t places_room(const struct replay_ticks *ticks)
{
    return (size_t)(ticks->count / REPLAY_WINDOW_OPS + 2) * sizeof *ticks->places;
}

static bool open_disk(struct replay_ticks *ticks)
{
    ticks->packed = map_room(REPLAY_PACKED_WINDOW, 0);
    ticks->places = map_room(places_room(ticks), 0);
    ticks->file = replay_nameless_file();
    return ticks->packed && ticks->places && ticks->file >= 0;
}

bool replay_ticks_open(struct replay_ticks *ticks, const struct replay_facts *facts)
{
    uint64_t held = facts->streamed ? REPLAY_WINDOW_OPS : facts->ops;
    *ticks = (struct replay_ticks){ .file = -1, .count = facts->ops };
    ticks->room = (size_t)held * sizeof *ticks->items;
    ticks->items = map_room(ticks->room, MAP_POPULATE);
    if (!ticks->items)
        return false;
    memset(ticks->items, 0xFF, ticks->room);
    return !facts->streamed || open_disk(ticks);
}

void replay_ticks_close(struct replay_ticks *ticks)
{
    if (ticks->items)
        munmap(ticks->items, ticks->room);
    if (ticks->packed)
        munmap(ticks->packed, REPLAY_PACKED_WINDOW);
    if (ticks->places)
        munmap(ticks->places, places_room(ticks));
    if (ticks->file >= 0)
        close(ticks->file);
    *ticks = (struct replay_ticks){ .file = -1 };
}

uint32_t *replay_ticks_at(const struct replay_ticks *ticks, uint64_t first, uint64_t count)
{
    if (ticks->file < 0)
        return ticks->items + first;
    const uint64_t *place = ticks->places + first / REPLAY_WINDOW_OPS;
    /* What was never kept is not there to be read. */
    if (place[1] && replay_read_at(ticks->file, ticks->packed, (size_t)(place[1] - *place), *place))
        replay_unpack_ticks(ticks->items, (size_t)count, ticks->packed);
    else
        memset(ticks->items, 0xFF, (size_t)count * sizeof *ticks->items);
    return ticks->items;
}

bool replay_ticks_keep(const struct replay_ticks *ticks, uint64_t first, uint64_t count)
{
    if (ticks->file < 0)
        return true;
    uint64_t *place = ticks->places + first / REPLAY_WINDOW_OPS;
    size_t size = replay_pack_ticks(ticks->packed, ticks->items, (size_t)count);
    if (!place[1])
        place[1] = *place + size;
    return replay_write_at(ticks->file, ticks->packed, size, *place);
}
