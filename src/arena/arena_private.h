/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * What the files of the arena share.
 *
 * A region is cut into granules. Blocks tile it from its first granule to its top; nothing lies
 * after the top. Two bitmaps beside the granules tell what the blocks are:
 *
 *   granules   | A     | (gap) | B | C      | D  |                  |
 *   starts       1 0 0   1 0     1   1 0 0    1 0   0 0 0 0 0 ...
 *   dead         0 0 0   1 0     0   1 0 0    0 0   0 0 0 0 0 ...
 *                                  C was freed      ^ top
 *
 * A block ends where the next one starts, or at the top. Dead are blocks that were freed, gaps
 * before aligned blocks, and what a block lost when it shrank. Dead blocks beside each other stay
 * apart: nothing asks for their sizes.
 *
 * Regions are in use or not. Those in use form a stack; requests take from the newest one, the
 * current region, whose top is arena->next and whose base, granules and starts are copied into the
 * control structure for acre_arena_alloc. A region leaves the stack when its last live block is
 * freed, wherever it is in it. So the blocks of a region in the stack are in order of age, and are
 * all older than those of newer regions: what release needs.
 *
 * Invariants, in brackets the cost of keeping each:
 *   ARENA-1  regions are in order and their bounds sane [add_memory]
 *   ARENA-2  regions in use form a stack, whose newest is the current one [O(1) when one changes]
 *   ARENA-3  no bit is set at or after the top [freeing clears what it frees]
 *   ARENA-4  the first granule in use starts a block; only a granule that starts one is dead [alloc]
 *   ARENA-5  the last block of a region in use is live [freeing it scans for the one before]
 *   ARENA-6  counts are those of blocks and regions [an addition per call]
 *
 * docs/decisions.md has what else was considered ("Arena").
 */
#ifndef ACRE_SRC_ARENA_PRIVATE_H
#define ACRE_SRC_ARENA_PRIVATE_H

#include "base/bitset.h"
#include "base/regions.h"

#include <acre/arena.h>

_Static_assert((1 << ACRE_ARENA_GRANULE_LOG2) == ACRE_ARENA_GRANULE, "the granule has a logarithm");

/** No granule. */
#define ARENA_NONE SIZE_MAX

/** The descriptor of a region, before its bitmaps. */
struct acre_arena_region {
    struct acre_region range;
    uintptr_t base; /* address of the first granule */
    size_t granules;
    size_t next;    /* the top, as a granule; 0 while it is the current region, or not in use */
    size_t *starts; /* the two bitmaps */
    size_t *dead;
    struct acre_arena_region *below; /* the next older region in use */
    struct acre_arena_region *above; /* the next newer one */
};

/** A live block; no region: there is none. */
struct arena_live {
    struct acre_arena_region *region;
    size_t at;  /* its first granule */
    size_t end; /* the first one after it */
};

ACRE_INLINE struct acre_arena_region *arena_first_region(const struct acre_arena *arena)
{
    return (struct acre_arena_region *)arena->regions.first;
}

ACRE_INLINE struct acre_arena_region *arena_next_region(const struct acre_arena_region *region)
{
    return (struct acre_arena_region *)region->range.next;
}

/** The first granule that no block of the region takes; 0: it is not in use. */
ACRE_INLINE size_t arena_top(const struct acre_arena *arena, const struct acre_arena_region *region)
{
    return region == arena->current ? arena->next : region->next;
}

/** Words of each of the two bitmaps. */
ACRE_INLINE size_t arena_words(size_t granules)
{
    return (granules + ACRE_WORD_BITS - 1) >> ACRE_WORD_LOG2;
}

/** Granules of a block of `size` bytes; 0 is served as 1. */
ACRE_INLINE size_t arena_granules(size_t size)
{
    return size == 0 ? 1 : ((size - 1) >> ACRE_ARENA_GRANULE_LOG2) + 1;
}

ACRE_INLINE uintptr_t arena_pos(const struct acre_arena_region *region, size_t at)
{
    return region->base + (at << ACRE_ARENA_GRANULE_LOG2);
}

ACRE_INLINE void *arena_address(const struct acre_arena_region *region, size_t at)
{
    uintptr_t pos = arena_pos(region, at);
    return (void *)pos;
}

/** Granules in use. */
ACRE_INLINE size_t arena_used(const struct acre_arena *arena)
{
    return arena->older + arena->next;
}

/** Notes what is in use before that falls. */
ACRE_INLINE void arena_note_peak(struct acre_arena *arena)
{
    size_t used = arena_used(arena);
    arena->peak = used > arena->peak ? used : arena->peak;
}

/** Marks a granule at which no block starts yet as the start of a dead one. */
ACRE_INLINE void arena_start_dead(struct acre_arena_region *region, size_t at)
{
    *acre_bitset_word(region->starts, at) |= acre_bit(at);
    *acre_bitset_word(region->dead, at) |= acre_bit(at);
}

/** The first granule of [from, to) at which a block starts; `to` when none does. O(to - from). */
size_t acre_arena_next_start(const struct acre_arena_region *region, size_t from, size_t to);

/** The same for a live block. */
size_t acre_arena_next_live(const struct acre_arena_region *region, size_t from, size_t to);

/** Clears the bits of [from, to). O(to - from). */
void acre_arena_clear(struct acre_arena_region *region, size_t from, size_t to);

/** Bytes of a live block. */
ACRE_INLINE size_t arena_bytes_of(struct arena_live live)
{
    return (live.end - live.at) << ACRE_ARENA_GRANULE_LOG2;
}

/** The live block that starts at an address. O(log regions), and O(1) in the current region, and
 * the block's size. */
struct arena_live acre_arena_find_live(const struct acre_arena *arena, uintptr_t pos);

/** Raises or lowers the top of a region in use, whose bits above are clear; at 0 the region is no
 * longer in use. O(1). */
void acre_arena_set_top(struct acre_arena *arena, struct acre_arena_region *region, size_t top);

/** Takes a region that is not in use as the current one. O(1). */
void acre_arena_push(struct acre_arena *arena, struct acre_arena_region *region);

/** Whether the bitmaps and granules of a region lie where its range says. */
bool acre_arena_has_sound_layout(const struct acre_arena_region *region);

#endif
