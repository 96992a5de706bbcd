/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What layers above must know of the arena.
 */
#include "arena/arena_private.h"

/* Room for the block wherever it must start, and for metadata, which grows by less than a sixteenth
 * of the region. */
static size_t arena_backing_region_size(const void *self, struct acre_layout layout)
{
    (void)self;
    if (layout.size > SIZE_MAX / 8 || layout.align > SIZE_MAX / 8)
        return 0;
    size_t align = layout.align > ACRE_ARENA_GRANULE ? layout.align : 0;
    size_t span = (arena_granules(layout.size) << ACRE_ARENA_GRANULE_LOG2) + align;
    return span + span / 16 + sizeof(struct acre_arena_region) + sizeof(struct acre_region_node) +
           6 * sizeof(size_t) + 2 * (size_t)ACRE_ARENA_GRANULE;
}

static enum acre_status arena_backing_add_adjacent(void *self, void *start, size_t size)
{
    return acre_arena_add_memory(self, start, size);
}

static void arena_backing_set_on_exhausted(void *self, acre_exhausted_fn *handler, void *arg)
{
    acre_arena_set_on_exhausted(self, handler, arg);
}

/* Visits what lies between the live blocks of a region in use; false when the visitor ended. */
static bool arena_visit_freed(
    const struct acre_arena_region *region, size_t top, acre_walk_fn *visit, void *arg)
{
    size_t at = 0;
    while (at < top) {
        size_t live = acre_arena_next_live(region, at, top);
        if (live != at &&
            !visit(arg, arena_address(region, at), (live - at) << ACRE_ARENA_GRANULE_LOG2, false))
            return false;
        at = acre_arena_next_start(region, live + 1, top);
    }
    return true;
}

/* Freed blocks that have not come back, and what is left of regions that are not the current one. */
static void arena_backing_visit_free(void *self, acre_walk_fn *visit, void *arg)
{
    const struct acre_arena *arena = self;
    for (const struct acre_arena_region *region = arena_first_region(arena); region != NULL;
         region = arena_next_region(region)) {
        size_t top = arena_top(arena, region);
        size_t left = region == arena->current || top == 0 ? 0 : region->granules - top;
        if (!arena_visit_freed(region, top, visit, arg))
            return;
        if (left != 0 &&
            !visit(arg, arena_address(region, top), left << ACRE_ARENA_GRANULE_LOG2, false))
            return;
    }
}

const struct acre_backing acre_arena_backing = {
    .ops = &acre_arena_ops,
    .size = sizeof(struct acre_arena),
    .align = ACRE_ALIGNOF(struct acre_arena),
    .largest_block = SIZE_MAX,
    .region_size = arena_backing_region_size,
    .add_adjacent = arena_backing_add_adjacent,
    .set_on_exhausted = arena_backing_set_on_exhausted,
    .visit_free = arena_backing_visit_free,
};
