/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The arena's checker: verifies invariants ARENA-1 to ARENA-6 of arena_private.h. It changes
 * nothing, and reads a region's bitmaps only when it has shown where they lie.
 */
#include "arena/arena_private.h"

#include "base/check.h"

/* What the regions add up to, counted on the way. */
struct arena_audit {
    const struct acre_arena *arena;
    size_t capacity;
    size_t older;
    size_t in_use; /* regions */
    size_t live;   /* blocks */
};

static const char *const arena_stack_text =
    "ARENA-2: regions in use form a stack, whose newest is the current one";

/* Whether a link of a region in the stack leads to a region; null is none. */
static bool arena_is_region(const struct acre_arena *arena, const struct acre_arena_region *region)
{
    return (const struct acre_arena_region *)acre_regions_find(
               &arena->regions, (uintptr_t)region) == region;
}

static bool arena_is_stacked(
    const struct acre_arena *arena, const struct acre_arena_region *region, size_t top)
{
    const struct acre_arena_region *below = region->below;
    const struct acre_arena_region *above = region->above;
    if (top == 0) /* the current one's is not: arena_has_sound_current() */
        return below == NULL && above == NULL;
    return (below == NULL || (arena_is_region(arena, below) && below->above == region)) &&
           (above == NULL || (arena_is_region(arena, above) && above->below == region)) &&
           (above == NULL) == (region == arena->current);
}

/* Whether the control structure's copy of the current region agrees with it. */
static bool arena_has_sound_current(const struct acre_arena *arena)
{
    const struct acre_arena_region *current = arena->current;
    if (current == NULL)
        return arena->next == 0 && arena->granules == 0 && arena->starts == NULL &&
               arena->base == 0;
    return arena_is_region(arena, current) && arena->next != 0 && current->next == 0 &&
           arena->granules == current->granules && arena->starts == current->starts &&
           arena->base == current->base;
}

/* Whether a dead bit is set where no block starts, or any bit from the top on. */
static const char *arena_find_wrong_bits(const struct acre_arena_region *region, size_t top)
{
    for (size_t word = 0; word < arena_words(region->granules); word++) {
        size_t first = word << ACRE_WORD_LOG2;
        size_t above = top <= first                    ? SIZE_MAX
                       : top - first >= ACRE_WORD_BITS ? 0
                                                       : SIZE_MAX << (top - first);
        if (((region->starts[word] | region->dead[word]) & above) != 0)
            return "ARENA-3: no bit is set at or after the top";
        if ((region->dead[word] & ~region->starts[word]) != 0)
            return "ARENA-4: only a granule that starts a block is dead";
    }
    return top != 0 && (region->starts[0] & 1) == 0
               ? "ARENA-4: the first granule in use starts a block"
               : NULL;
}

/* Counts the live blocks; false when the last block is dead. */
static bool arena_count_blocks(
    struct arena_audit *audit, const struct acre_arena_region *region, size_t top)
{
    size_t last = 0;
    for (size_t at = acre_arena_next_live(region, 0, top); at < top;
         at = acre_arena_next_live(region, at + 1, top)) {
        audit->live++;
        last = at + 1;
    }
    return top == 0 || (last != 0 && acre_arena_next_start(region, last, top) == top);
}

static struct acre_check_result arena_check_region(
    struct arena_audit *audit, const struct acre_arena_region *region)
{
    size_t top = arena_top(audit->arena, region);
    if (!arena_is_stacked(audit->arena, region, top))
        return acre_check_broken(arena_stack_text, region);
    if (top > region->granules)
        return acre_check_broken("ARENA-1: regions are in order and their bounds sane", region);
    const char *wrong = arena_find_wrong_bits(region, top);
    if (wrong != NULL)
        return acre_check_broken(wrong, region);
    if (!arena_count_blocks(audit, region, top))
        return acre_check_broken("ARENA-5: the last block of a region in use is live", region);
    audit->capacity += region->granules;
    audit->older += region->next;
    audit->in_use += top != 0;
    return acre_check_sound();
}

/* ARENA-1, before anything that a descriptor points to is read. */
static const void *arena_find_unsound_region(const struct acre_arena *arena)
{
    const struct acre_region *unsound = acre_regions_find_broken(&arena->regions);
    const struct acre_arena_region *region = arena_first_region(arena);
    if (unsound != NULL)
        return unsound;
    while (region != NULL && acre_arena_has_sound_layout(region))
        region = arena_next_region(region);
    return region;
}

/* The regions of the stack from the current one down. Each is linked back to the one above it, and
 * the current one has none above: they are no circle. */
static size_t arena_stack_depth(const struct arena_audit *audit)
{
    size_t depth = 0;
    const struct acre_arena_region *region = audit->arena->current;
    for (; region != NULL; region = region->below)
        depth++;
    return depth;
}

static struct acre_check_result arena_check_counts(const struct arena_audit *audit)
{
    const struct acre_arena *arena = audit->arena;
    const char *text = "ARENA-6: counts are those of blocks and regions";
    if (arena_stack_depth(audit) != audit->in_use)
        return acre_check_broken(arena_stack_text, &arena->current);
    if (!acre_regions_total_agrees(&arena->regions))
        return acre_check_broken(text, &arena->regions.total);
    if (audit->capacity != arena->capacity)
        return acre_check_broken(text, &arena->capacity);
    if (audit->older != arena->older)
        return acre_check_broken(text, &arena->older);
    if (audit->live != arena->live_blocks)
        return acre_check_broken(text, &arena->live_blocks);
    return acre_check_sound();
}

struct acre_check_result acre_arena_check(const struct acre_arena *arena)
{
    struct arena_audit audit = { .arena = arena };
    const void *unsound = arena_find_unsound_region(arena);
    if (unsound != NULL)
        return acre_check_broken("ARENA-1: regions are in order and their bounds sane", unsound);
    if (!arena_has_sound_current(arena))
        return acre_check_broken(arena_stack_text, &arena->current);
    for (const struct acre_arena_region *region = arena_first_region(arena); region != NULL;
         region = arena_next_region(region)) {
        struct acre_check_result result = arena_check_region(&audit, region);
        if (result.invariant != NULL)
            return result;
    }
    return arena_check_counts(&audit);
}
