/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's windows: regions that adjoin and have one live map.
 */
#include "base/memory.h"
#include "tlsf/tlsf_private.h"

/* Words of a map from the granule of one base to that of another. */
static size_t words_between(uintptr_t low, uintptr_t high)
{
    return ACRE_CHECK_POINTERS ? (high - low) / ACRE_TLSF_GRANULE / ACRE_TLSF_WORD_BITS : 0;
}

/* Gives the regions from `first` on, all in one window now, a window that ends with `top`; its map
 * stands in `top` and is filled already. */
static void share(struct acre_tlsf_region *first, struct acre_tlsf_region *top)
{
    size_t granules = (top->base - first->base) / ACRE_TLSF_GRANULE + top->granules;
    uintptr_t base = first->base;
    size_t *map = (size_t *)(top + 1);
    for (struct acre_tlsf_region *region = first;; region = region->next) {
        region->window_base = base;
        region->window = granules;
        region->window_map = map;
        region->live_map = map + (region->base - base) / ACRE_TLSF_GRANULE / ACRE_TLSF_WORD_BITS;
        if (region == top)
            return;
    }
}

/* The lowest region of a window. */
static struct acre_tlsf_region *lowest(const struct acre_tlsf *tlsf, uintptr_t window_base)
{
    struct acre_tlsf_region *region = tlsf->regions;
    while (region->window_base != window_base)
        region = region->next;
    return region;
}

/* The last region that ends at an address or below it; null: there is none. */
static const struct acre_tlsf_region *ending_below(const struct acre_tlsf *tlsf, uintptr_t end)
{
    const struct acre_tlsf_region *low = NULL;
    for (const struct acre_tlsf_region *at = tlsf->regions; at != NULL; at = at->next)
        if (at->start + at->size <= end)
            low = at;
    return low;
}

/* Bytes of a map for the window of `low` and a region of `size` bytes behind it; 0 when they cannot
 * share one, or it takes more than `most`. */
static size_t common_map(
    const struct acre_tlsf_region *low, uintptr_t start, size_t size, size_t most)
{
    size_t whole = (size_t)ACRE_TLSF_GRANULE * ACRE_TLSF_WORD_BITS;
    if (low == NULL || start - low->start - low->size > TLSF_GAP ||
        (start - low->window_base) % whole != 0)
        return 0;
    size_t bytes = tlsf_map_bytes(start - low->window_base + size);
    return bytes <= most ? bytes : 0;
}

/* Makes a region that was added part of the window below it; there is room for the map behind its
 * descriptor. */
static void join_window(struct acre_tlsf *tlsf, const struct acre_tlsf_region *low,
    struct acre_tlsf_region *region, size_t map_size)
{
    size_t below = words_between(low->window_base, region->base) * sizeof(size_t);
    memset(region + 1, 0, map_size);
    memcpy(region + 1, low->window_map, below);
    share(lowest(tlsf, low->window_base), region);
    acre_tlsf_look_at(tlsf, region);
}

enum acre_status acre_tlsf_add_memory_adjacent(struct acre_tlsf *tlsf, void *start, size_t size)
{
    uintptr_t at = (uintptr_t)start;
    const struct acre_tlsf_region *low = ending_below(tlsf, at);
    size_t map_size = common_map(low, at, size, size / 16);
    if (map_size == 0)
        return acre_tlsf_add_memory(tlsf, start, size);
    size_t least = acre_tlsf_least_size(acre_tlsf_metadata_size(size) + map_size);
    enum acre_status status = acre_tlsf_offer(tlsf, at, size, least);
    if (status != ACRE_OK)
        return status;
    join_window(tlsf, low, acre_tlsf_add(tlsf, at, size, map_size), map_size);
    return ACRE_OK;
}

void acre_tlsf_enter_window(
    struct acre_tlsf *tlsf, struct acre_tlsf_region *region, size_t map_room)
{
    const struct acre_tlsf_region *low = ending_below(tlsf, region->start);
    size_t map_size = common_map(low, region->start, region->size, map_room);
    if (map_size != 0)
        join_window(tlsf, low, region, map_size);
}

/* The topmost region of a window below another region of it; null: there is none. */
static struct acre_tlsf_region *next_below(
    const struct acre_tlsf *tlsf, const struct acre_tlsf_region *region)
{
    struct acre_tlsf_region *below = NULL;
    for (struct acre_tlsf_region *at = tlsf->regions; at != region; at = at->next)
        if (at->window_base == region->window_base)
            below = at;
    return below;
}

/* What lies below goes back to the map that the topmost region there was given; what lies above
 * keeps its own, less its beginning. */
void acre_tlsf_leave_window(struct acre_tlsf *tlsf, struct acre_tlsf_region *region)
{
    uintptr_t base = region->window_base;
    size_t *map = region->window_map;
    struct acre_tlsf_region *above = region->next;
    struct acre_tlsf_region *below = next_below(tlsf, region);
    struct acre_tlsf_region *top = region;
    while (top->next != NULL && top->next->window_base == base)
        top = top->next;
    if (below != NULL) {
        memcpy(below + 1, map, words_between(base, region->base) * sizeof(size_t));
        share(lowest(tlsf, base), below);
    }
    if (top != region) {
        size_t all = tlsf_map_bytes(top->start + top->size - above->base);
        memmove(map, map + words_between(base, above->base), all);
        share(above, top);
    }
}
