/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The arena's blocks: the validator, and the verbs that only read a block.
 */
#include "arena/arena_private.h"

/* ---- the validator ---- */

/* The region that an address may be in; null: none. */
static struct acre_arena_region *arena_region_of(const struct acre_arena *arena, uintptr_t pos)
{
    if (pos - arena->base < arena->granules << ACRE_ARENA_GRANULE_LOG2)
        return arena->current;
    return (struct acre_arena_region *)acre_regions_find(&arena->regions, pos);
}

struct arena_live acre_arena_find_live(const struct acre_arena *arena, uintptr_t pos)
{
    const struct arena_live none = { .region = NULL };
    struct acre_arena_region *region = arena_region_of(arena, pos);
    if (region == NULL)
        return none;
    uintptr_t offset = pos - region->base; /* huge before the first granule */
    size_t at = offset >> ACRE_ARENA_GRANULE_LOG2;
    if ((offset & (ACRE_ARENA_GRANULE - 1)) != 0 || at >= region->granules ||
        !acre_bitset_has(region->starts, at) || acre_bitset_has(region->dead, at))
        return none;
    size_t end = acre_arena_next_start(region, at + 1, arena_top(arena, region));
    return (struct arena_live){ region, at, end };
}

/* ---- usable_size, find ---- */

struct acre_num acre_arena_usable_size(const struct acre_arena *arena, const void *ptr)
{
    struct arena_live live = acre_arena_find_live(arena, (uintptr_t)ptr);
    if (live.region == NULL)
        return (struct acre_num){ 0, ACRE_NOT_ALLOCATED };
    return (struct acre_num){ arena_bytes_of(live), ACRE_OK };
}

/* The last granule up to one at which a block starts; there is one (ARENA-4). */
static size_t arena_last_start(const struct acre_arena_region *region, size_t at)
{
    size_t word = at >> ACRE_WORD_LOG2;
    size_t bits = region->starts[word] & (SIZE_MAX >> (ACRE_WORD_BITS - 1 - at % ACRE_WORD_BITS));
    while (bits == 0 && word > 0)
        bits = region->starts[--word];
    return bits == 0 ? 0 : (word << ACRE_WORD_LOG2) + acre_bits_highest(bits);
}

struct acre_block acre_arena_find(const struct acre_arena *arena, const void *ptr)
{
    const struct acre_block none = { NULL, 0, ACRE_NOT_ALLOCATED };
    uintptr_t pos = (uintptr_t)ptr;
    const struct acre_arena_region *region = arena_region_of(arena, pos);
    if (region == NULL)
        return none;
    size_t at = (pos - region->base) >> ACRE_ARENA_GRANULE_LOG2;
    if (pos < region->base || at >= arena_top(arena, region))
        return none;
    struct arena_live live =
        acre_arena_find_live(arena, arena_pos(region, arena_last_start(region, at)));
    if (live.region == NULL)
        return none;
    return (struct acre_block){ arena_address(region, live.at), arena_bytes_of(live), ACRE_OK };
}
