/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/array.h"

#include <sys/mman.h>
#include <unistd.h>

#define FIRST_ROOM ((size_t)1 << 20)

static bool array_grow(struct replay_array *array)
{
    size_t room = array->room ? 2 * array->room : FIRST_ROOM;
    if (ftruncate(array->file, (off_t)room) != 0)
        return false;
    void *items = array->items
                      ? mremap(array->items, array->room, room, MREMAP_MAYMOVE)
                      : mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED, array->file, 0);
    if (items == MAP_FAILED)
        return false;
    array->items = items;
    array->room = room;
    return true;
}

void *replay_array_at(struct replay_array *array, uint64_t index, size_t item_size)
{
    size_t offset = (size_t)index * item_size;
    if (offset + item_size > array->room && !array_grow(array))
        return NULL;
    return (char *)array->items + offset;
}

bool replay_array_open(struct replay_array *array)
{
    *array = (struct replay_array){ memfd_create("acre-replay", MFD_CLOEXEC), NULL, 0 };
    return array->file >= 0;
}

void replay_array_close(struct replay_array *array)
{
    if (array->items)
        munmap(array->items, array->room);
    if (array->file >= 0)
        close(array->file);
    *array = (struct replay_array){ -1, NULL, 0 };
}
