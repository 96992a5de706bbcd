/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The arena's alloc, where the part in acre/arena.h does not do, and what frees memory.
 */
#include "arena/arena_private.h"

#include "base/exhausted.h"

/* ---- alloc ---- */

/* A place for a block in a region. */
struct arena_place {
    size_t at; /* ARENA_NONE: there is none */
    size_t end;
};

/* Where a block of a layout, aligned at an offset below its alignment, goes in a region with this
 * top. */
static struct arena_place arena_find_place(
    const struct acre_arena_region *region, size_t top, struct acre_layout layout, size_t offset)
{
    const struct arena_place none = { ARENA_NONE, ARENA_NONE };
    size_t count = arena_granules(layout.size);
    uintptr_t from = arena_pos(region, top);
    uintptr_t pos = acre_align_up(from + offset, layout.align) - offset;
    size_t gap = (pos - from) >> ACRE_ARENA_GRANULE_LOG2;
    size_t left = region->granules - top;
    if (gap > left ||
        count > left - gap) /* past the last address, the gap is larger than what is left */
        return none;
    return (struct arena_place){ top + gap, top + gap + count };
}

/* Hands out a place in the current region. */
static struct acre_ptr arena_hand_out(struct acre_arena *arena, struct arena_place place)
{
    struct acre_arena_region *region = arena->current;
    if (place.at != arena->next)
        arena_start_dead(region, arena->next); /* the gap */
    *acre_bitset_word(region->starts, place.at) |= acre_bit(place.at);
    arena->next = place.end;
    arena->live_blocks++;
    return (struct acre_ptr){ arena_address(region, place.at), ACRE_OK };
}

/* What a retry has to know beside the layout. */
struct arena_request {
    struct acre_arena *arena;
    size_t offset;
};

static struct acre_ptr arena_retry(void *self, struct acre_layout layout)
{
    const struct arena_request *request = self;
    return acre_arena_alloc_offset(request->arena, layout, request->offset);
}

/* Hands out a block of the first region not in use that has room for it. */
static struct acre_ptr arena_alloc_unused(
    struct acre_arena *arena, struct acre_layout layout, size_t offset)
{
    struct arena_request request = { arena, offset };
    for (struct acre_arena_region *region = arena_first_region(arena); region != NULL;
         region = arena_next_region(region)) {
        if (arena_top(arena, region) != 0)
            continue;
        struct arena_place place = arena_find_place(region, 0, layout, offset);
        if (place.at == ARENA_NONE)
            continue;
        acre_arena_push(arena, region);
        return arena_hand_out(arena, place);
    }
    return acre_retry_exhausted(
        &arena->on_exhausted, &arena->failed, arena_retry, &request, layout);
}

struct acre_ptr acre_arena_alloc_offset(
    struct acre_arena *arena, struct acre_layout layout, size_t offset)
{
    if (!acre_is_pow2(layout.align))
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    offset &= layout.align - 1;
    if ((offset & (ACRE_ARENA_GRANULE - 1)) != 0)
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    if (arena->current != NULL) {
        struct arena_place place = arena_find_place(arena->current, arena->next, layout, offset);
        if (place.at != ARENA_NONE)
            return arena_hand_out(arena, place);
    }
    return arena_alloc_unused(arena, layout, offset);
}

struct acre_ptr acre_arena_alloc_slow(struct acre_arena *arena, size_t size, size_t align)
{
    return acre_arena_alloc_offset(arena, acre_layout(size, align), 0);
}

/* ---- dealloc ---- */

/* The last live block that starts before a granule; ARENA_NONE when none does. */
static size_t arena_last_live(const struct acre_arena_region *region, size_t before)
{
    size_t at = before >> ACRE_WORD_LOG2;
    size_t mask = acre_bit(before) - 1;
    for (;; mask = SIZE_MAX) {
        size_t word = mask == 0 ? 0 : region->starts[at] & ~region->dead[at] & mask;
        if (word != 0)
            return (at << ACRE_WORD_LOG2) + acre_bits_highest(word);
        if (at-- == 0)
            return ARENA_NONE;
    }
}

/* Frees all blocks of a region from one on, whose starts are not counted any more, and the dead
 * ones before it. */
static void arena_cut(struct acre_arena *arena, struct acre_arena_region *region, size_t from)
{
    size_t last = arena_last_live(region, from);
    size_t top = last == ARENA_NONE ? 0 : acre_arena_next_start(region, last + 1, from);
    arena_note_peak(arena);
    acre_arena_clear(region, top, arena_top(arena, region));
    acre_arena_set_top(arena, region, top);
}

static void arena_free(struct acre_arena *arena, struct arena_live live)
{
    arena->live_blocks--;
    if (live.end == arena_top(arena, live.region))
        arena_cut(arena, live.region, live.at);
    else
        *acre_bitset_word(live.region->dead, live.at) |= acre_bit(live.at);
}

/* Frees a block outside the current region, or one that a word of the bitmaps does not show to be
 * the last or not the last of it; refuses what is no block. */
static ACRE_NOINLINE enum acre_status arena_dealloc_slow(struct acre_arena *arena, uintptr_t pos)
{
    struct arena_live live = acre_arena_find_live(arena, pos);
    if (live.region == NULL)
        return ACRE_NOT_ALLOCATED;
    arena_free(arena, live);
    return ACRE_OK;
}

/* Frees the last block, whose start is a bit of a word that also has the live block before it. */
ACRE_INLINE enum acre_status arena_dealloc_last(
    struct acre_arena *arena, size_t at, size_t starts, size_t live_before)
{
    size_t *dead = acre_bitset_word(arena->current->dead, at);
    size_t after = starts & (SIZE_MAX - 1) << acre_bits_highest(live_before);
    size_t top = acre_align_down(at, ACRE_WORD_BITS) + acre_bits_lowest(after);
    arena_note_peak(arena);
    arena->live_blocks--;
    arena->next = top;
    *acre_bitset_word(arena->starts, at) &= acre_bit(top) - 1;
    *dead &= acre_bit(top) - 1;
    return ACRE_OK;
}

enum acre_status acre_arena_dealloc(struct acre_arena *arena, void *ptr)
{
    uintptr_t offset = (uintptr_t)ptr - arena->base;
    size_t at = offset >> ACRE_ARENA_GRANULE_LOG2;
    if (ACRE_UNLIKELY((offset & (ACRE_ARENA_GRANULE - 1)) != 0 || at >= arena->next))
        return arena_dealloc_slow(arena, (uintptr_t)ptr);
    size_t bit = acre_bit(at);
    size_t starts = *acre_bitset_word(arena->starts, at);
    size_t *dead = acre_bitset_word(arena->current->dead, at);
    size_t live = starts & ~*dead;
    if ((live & bit) == 0)
        return ACRE_NOT_ALLOCATED;
    if ((starts & (0 - bit)) != bit) { /* another block starts in the rest of the word */
        *dead |= bit;
        arena->live_blocks--;
        return ACRE_OK;
    }
    live &= bit - 1;
    if (live == 0 || arena->next > (at | (ACRE_WORD_BITS - 1)) + 1)
        return arena_dealloc_slow(arena, (uintptr_t)ptr);
    return arena_dealloc_last(arena, at, starts, live);
}

enum acre_status acre_arena_dealloc_sized(
    struct acre_arena *arena, void *ptr, struct acre_layout layout)
{
    struct arena_live live = acre_arena_find_live(arena, (uintptr_t)ptr);
    if (live.region == NULL)
        return ACRE_NOT_ALLOCATED;
    if (!acre_is_pow2(layout.align) || ((uintptr_t)ptr & (layout.align - 1)) != 0 ||
        arena_granules(layout.size) != live.end - live.at)
        return ACRE_INVALID_PARAM;
    arena_free(arena, live);
    return ACRE_OK;
}

/* ---- release ---- */

static size_t arena_count_live(const struct acre_arena_region *region, size_t from, size_t top)
{
    size_t at = from >> ACRE_WORD_LOG2;
    size_t mask = SIZE_MAX << (from % ACRE_WORD_BITS);
    size_t count = 0;
    for (; at < arena_words(top); at++, mask = SIZE_MAX)
        count += acre_bits_count(region->starts[at] & ~region->dead[at] & mask);
    return count;
}

enum acre_status acre_arena_release(struct acre_arena *arena, void *mark)
{
    struct arena_live live = acre_arena_find_live(arena, (uintptr_t)mark);
    if (live.region == NULL)
        return ACRE_NOT_ALLOCATED;
    while (arena->current != live.region) {
        struct acre_arena_region *newest = arena->current;
        arena->live_blocks -= arena_count_live(newest, 0, arena->next);
        arena_cut(arena, newest, 0);
    }
    arena->live_blocks -= arena_count_live(live.region, live.at, arena->next);
    arena_cut(arena, live.region, live.at);
    return ACRE_OK;
}
