/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The arena's blocks: the bitmaps, the proof of a pointer, and the verbs that do not free.
 */
#include "arena/arena_private.h"

#include "base/memory.h"

/* ---- bitmaps ---- */

/* The lowest set bit of [from, to) in `starts`, without the bits of `dead` when that is not null. */
static size_t arena_next_bit(const size_t *starts, const size_t *dead, size_t from, size_t to)
{
    size_t at = from >> ACRE_WORD_LOG2;
    size_t mask = SIZE_MAX << (from % ACRE_WORD_BITS);
    for (; at < arena_words(to); at++, mask = SIZE_MAX) {
        size_t word = starts[at] & mask & (dead != NULL ? ~dead[at] : SIZE_MAX);
        if (word != 0) {
            size_t found = (at << ACRE_WORD_LOG2) + acre_bits_lowest(word);
            return found < to ? found : to;
        }
    }
    return to;
}

size_t acre_arena_next_start(const struct acre_arena_region *region, size_t from, size_t to)
{
    return arena_next_bit(region->starts, NULL, from, to);
}

size_t acre_arena_next_live(const struct acre_arena_region *region, size_t from, size_t to)
{
    return arena_next_bit(region->starts, region->dead, from, to);
}

/* Keeps the bits of a word that a mask has, in both bitmaps. */
static void arena_keep_bits(struct acre_arena_region *region, size_t word, size_t mask)
{
    region->starts[word] &= mask;
    region->dead[word] &= mask;
}

void acre_arena_clear(struct acre_arena_region *region, size_t from, size_t to)
{
    size_t first = from >> ACRE_WORD_LOG2;
    size_t last = to >> ACRE_WORD_LOG2;
    size_t below = acre_bit(from) - 1;
    size_t above = ~(acre_bit(to) - 1);
    if (from >= to)
        return;
    if (first == last) {
        arena_keep_bits(region, first, below | above);
        return;
    }
    arena_keep_bits(region, first, below);
    memset(&region->starts[first + 1], 0, (last - first - 1) * sizeof(size_t));
    memset(&region->dead[first + 1], 0, (last - first - 1) * sizeof(size_t));
    if (above != SIZE_MAX) /* else there may be no such word */
        arena_keep_bits(region, last, above);
}

/* ---- the proof ---- */

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

static size_t arena_bytes_of(struct arena_live live)
{
    return (live.end - live.at) << ACRE_ARENA_GRANULE_LOG2;
}

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

/* ---- resize, realloc ---- */

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
