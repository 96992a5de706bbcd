/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The arena's resize and realloc: in place where what lies after the block is dead or free.
 */
#include "arena/arena_private.h"

#include "base/memory.h"

/* Ends a block at a granule before which it has all; what it had after that is dead. */
static void arena_end_at(struct acre_arena_region *region, size_t end, size_t limit)
{
    if (end < limit && !acre_bitset_has(region->starts, end))
        arena_start_dead(region, end);
}

/* Gives the last block of its region another end. */
static bool arena_resize_last(struct acre_arena *arena, struct arena_live live, size_t count)
{
    if (count > live.region->granules - live.at)
        return false;
    arena_note_peak(arena);
    acre_arena_set_top(arena, live.region, live.at + count);
    return true;
}

/* Gives a block another size where it stands; false when what lies after it is live. */
static bool arena_resize_in_place(struct acre_arena *arena, struct arena_live live, size_t size)
{
    size_t count = arena_granules(size);
    size_t top = arena_top(arena, live.region);
    if (count == live.end - live.at)
        return true;
    if (live.end == top)
        return arena_resize_last(arena, live, count);
    size_t limit = live.end;
    if (count > live.end - live.at)
        limit = acre_arena_next_live(live.region, live.end, top);
    if (count > limit - live.at)
        return false;
    acre_arena_clear(live.region, live.end, live.at + count);
    arena_end_at(live.region, live.at + count, limit);
    return true;
}

enum acre_status acre_arena_resize(struct acre_arena *arena, void *ptr, size_t size)
{
    struct arena_live live = acre_arena_find_live(arena, (uintptr_t)ptr);
    if (live.region == NULL)
        return ACRE_NOT_ALLOCATED;
    if (arena_resize_in_place(arena, live, size))
        return ACRE_OK;
    arena->failed++;
    return ACRE_NO_MEMORY;
}

static struct acre_ptr arena_realloc_moving(
    struct acre_arena *arena, struct arena_live live, void *ptr, struct acre_layout layout)
{
    struct acre_ptr moved = acre_arena_alloc(arena, layout);
    size_t usable = arena_bytes_of(live);
    if (moved.status != ACRE_OK)
        return moved;
    memcpy(moved.ptr, ptr, usable < layout.size ? usable : layout.size);
    acre_arena_dealloc(arena, ptr);
    return moved;
}

struct acre_ptr acre_arena_realloc(struct acre_arena *arena, void *ptr, struct acre_layout layout)
{
    struct arena_live live = acre_arena_find_live(arena, (uintptr_t)ptr);
    if (live.region == NULL)
        return (struct acre_ptr){ NULL, ACRE_NOT_ALLOCATED };
    if (!acre_is_pow2(layout.align))
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    if (((uintptr_t)ptr & (layout.align - 1)) == 0 &&
        arena_resize_in_place(arena, live, layout.size))
        return (struct acre_ptr){ ptr, ACRE_OK };
    return arena_realloc_moving(arena, live, ptr, layout);
}
