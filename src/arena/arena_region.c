/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The arena's regions: the stack of those in use, adding, removing, reset.
 */
#include "arena/arena_private.h"

#include "base/exhausted.h"
#include "base/memory.h"

/* ---- the stack ---- */

/* Makes a region of the stack the current one; null: none is in use. */
static void arena_set_current(struct acre_arena *arena, struct acre_arena_region *region)
{
    arena->current = region;
    arena->next = region != NULL ? region->next : 0;
    arena->granules = region != NULL ? region->granules : 0;
    arena->starts = region != NULL ? region->starts : NULL;
    arena->base = region != NULL ? region->base : 0;
    arena->older -= arena->next;
    if (region != NULL)
        region->next = 0;
}

void acre_arena_push(struct acre_arena *arena, struct acre_arena_region *region)
{
    struct acre_arena_region *below = arena->current;
    ACRE_ASSERT(region->next == 0 && region != below); /* ARENA-2 */
    region->below = below;
    if (below != NULL) {
        below->above = region;
        below->next = arena->next;
        arena->older += below->next;
    }
    arena_set_current(arena, region);
}

/* Takes a region out of the stack. */
static void arena_pop(struct acre_arena *arena, struct acre_arena_region *region)
{
    struct acre_arena_region *below = region->below;
    struct acre_arena_region *above = region->above;
    region->below = NULL;
    region->above = NULL;
    if (below != NULL)
        below->above = above;
    if (above != NULL)
        above->below = below;
    else
        arena_set_current(arena, below);
}

void acre_arena_set_top(struct acre_arena *arena, struct acre_arena_region *region, size_t top)
{
    ACRE_ASSERT(top <= region->granules);
    if (region == arena->current) {
        arena->next = top;
    } else {
        arena->older += top - region->next;
        region->next = top;
    }
    if (top == 0)
        arena_pop(arena, region);
}

/* ---- metadata ---- */

static size_t arena_metadata_bytes(size_t granules)
{
    return sizeof(struct acre_arena_region) + 2 * arena_words(granules) * sizeof(size_t);
}

/* Points the bitmaps and the first granule to their places after the descriptor. */
static void arena_place(struct acre_arena_region *region, uintptr_t place)
{
    region->starts = (size_t *)(place + sizeof *region);
    region->dead = region->starts + arena_words(region->granules);
    region->base =
        acre_align_up(place + arena_metadata_bytes(region->granules), ACRE_ARENA_GRANULE);
}

bool acre_arena_has_sound_layout(const struct acre_arena_region *region)
{
    struct acre_arena_region expected = { .granules = region->granules };
    uintptr_t place = acre_region_place(region->range.start, region->range.size);
    if ((uintptr_t)region != place || region->granules == 0 ||
        region->granules > region->range.size >> ACRE_ARENA_GRANULE_LOG2)
        return false;
    arena_place(&expected, place);
    return region->starts == expected.starts && region->dead == expected.dead &&
           region->base == expected.base && region->range.meta_size == 0 &&
           !region->range.integers &&
           region->granules << ACRE_ARENA_GRANULE_LOG2 <=
               region->range.size - (region->base - region->range.start);
}

/* Granules that fit into a range after their own metadata: the more of them, the less space. */
static size_t arena_count_granules(const struct acre_region *range, uintptr_t place)
{
    size_t least = 0;
    size_t most = range->size >> ACRE_ARENA_GRANULE_LOG2;
    while (least < most) {
        struct acre_arena_region tried = { .granules = most - (most - least) / 2 };
        arena_place(&tried, place);
        size_t before = tried.base - range->start;
        if (tried.base > place && before <= range->size &&
            tried.granules <= (range->size - before) >> ACRE_ARENA_GRANULE_LOG2)
            least = tried.granules;
        else
            most = tried.granules - 1;
    }
    return least;
}

/* ---- init, add_memory, remove_memory, reset ---- */

static void arena_add_region(
    struct acre_arena *arena, uintptr_t place, const struct acre_arena_region *described)
{
    struct acre_arena_region *region = (void *)place;
    *region = *described;
    region->range.has_node = acre_region_node_size(region->range.size) != 0;
    arena_place(region, place);
    memset(region->starts, 0, 2 * arena_words(region->granules) * sizeof(size_t));
    acre_regions_insert(&arena->regions, &region->range);
    arena->capacity += region->granules;
}

enum acre_status acre_arena_add_memory(struct acre_arena *arena, void *start, size_t size)
{
    struct acre_arena_region region = { .range = { .start = (uintptr_t)start, .size = size } };
    uintptr_t place = acre_region_place(region.range.start, size);
    if (size == 0 || acre_range_wraps(region.range.start, size) || place < region.range.start)
        return ACRE_INVALID_PARAM;
    region.granules = arena_count_granules(&region.range, place);
    if (region.granules == 0)
        return ACRE_INVALID_PARAM;
    enum acre_status status =
        acre_regions_admit(&arena->regions, &region.range, arena, sizeof *arena);
    if (status == ACRE_OK)
        arena_add_region(arena, place, &region);
    return status;
}

enum acre_status acre_arena_init(struct acre_arena *arena, void *start, size_t size)
{
    memset(arena, 0, offsetof(struct acre_arena, on_exhausted));
    return acre_arena_add_memory(arena, start, size);
}

enum acre_status acre_arena_remove_memory(struct acre_arena *arena, void *start)
{
    struct acre_arena_region *region =
        (struct acre_arena_region *)acre_regions_starting_at(&arena->regions, (uintptr_t)start);
    if (region == NULL)
        return ACRE_NOT_ALLOCATED;
    if (arena_top(arena, region) != 0)
        return ACRE_INVALID_PARAM;
    acre_regions_remove(&arena->regions, &region->range);
    arena->capacity -= region->granules;
    return ACRE_OK;
}

void acre_arena_reset(struct acre_arena *arena)
{
    while (arena->current != NULL) {
        acre_arena_clear(arena->current, 0, arena->next);
        acre_arena_set_top(arena, arena->current, 0);
    }
    arena->live_blocks = 0;
    arena->peak = 0;
    arena->failed = 0;
}

void acre_arena_set_on_exhausted(struct acre_arena *arena, acre_exhausted_fn *handler, void *arg)
{
    acre_set_exhausted_hook(&arena->on_exhausted, handler, arg);
}
