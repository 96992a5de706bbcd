/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The arena's accounts and walk.
 */
#include "arena/arena_private.h"

/* The granules of the largest request that succeeds. */
static size_t arena_largest(const struct acre_arena *arena)
{
    size_t largest = arena->granules - arena->next;
    for (const struct acre_arena_region *region = arena_first_region(arena); region != NULL;
         region = arena_next_region(region))
        if (arena_top(arena, region) == 0 && region->granules > largest)
            largest = region->granules;
    return largest;
}

struct acre_stats acre_arena_stats(const struct acre_arena *arena)
{
    size_t used = arena_used(arena);
    size_t peak = used > arena->peak ? used : arena->peak;
    return (struct acre_stats){
        .total = arena->regions.total,
        .metadata = arena->regions.total - (arena->capacity << ACRE_ARENA_GRANULE_LOG2),
        .used = used << ACRE_ARENA_GRANULE_LOG2,
        .available = (arena->capacity - used) << ACRE_ARENA_GRANULE_LOG2,
        .peak = peak << ACRE_ARENA_GRANULE_LOG2,
        .largest_free = arena_largest(arena) << ACRE_ARENA_GRANULE_LOG2,
        .live_blocks = arena->live_blocks,
        .failed = arena->failed,
    };
}

void acre_arena_reset_peak(struct acre_arena *arena)
{
    arena->peak = arena_used(arena);
}

/* Visits the live blocks of a region; false when the visitor ended the walk. */
static bool arena_walk_live(
    const struct acre_arena_region *region, size_t top, acre_walk_fn *visit, void *arg)
{
    size_t at = acre_arena_next_live(region, 0, top);
    while (at < top) {
        size_t end = acre_arena_next_start(region, at + 1, top);
        void *start = arena_address(region, at);
        if (!visit(arg, start, (end - at) << ACRE_ARENA_GRANULE_LOG2, true))
            return false;
        at = acre_arena_next_live(region, end, top);
    }
    return true;
}

void acre_arena_walk(const struct acre_arena *arena, acre_walk_fn *visit, void *arg)
{
    for (const struct acre_arena_region *region = arena_first_region(arena); region != NULL;
         region = arena_next_region(region)) {
        size_t top = arena_top(arena, region);
        size_t left = region->granules - top;
        bool serves = (top == 0 || region == arena->current) && left != 0;
        if (!arena_walk_live(region, top, visit, arg))
            return;
        if (serves &&
            !visit(arg, arena_address(region, top), left << ACRE_ARENA_GRANULE_LOG2, false))
            return;
    }
}
