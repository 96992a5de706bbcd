/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The set of regions as a list in order of address: links for regions.c, and lookups in O(regions)
 * for allocators that keep no index of them.
 */
#include "base/regions.h"

/* ---- links ---- */

void acre_region_link(
    struct acre_regions *regions, struct acre_region *region, struct acre_region *below)
{
    struct acre_region *above = below != NULL ? below->next : regions->first;
    region->prev = below;
    region->next = above;
    if (below != NULL)
        below->next = region;
    else
        regions->first = region;
    if (above != NULL)
        above->prev = region;
    regions->total += region->size + region->meta_size;
    regions->apart += region->meta_size;
}

void acre_region_unlink(struct acre_regions *regions, struct acre_region *region)
{
    if (region->prev != NULL)
        region->prev->next = region->next;
    else
        regions->first = region->next;
    if (region->next != NULL)
        region->next->prev = region->prev;
    regions->total -= region->size + region->meta_size;
    regions->apart -= region->meta_size;
}

/* ---- lookup ---- */

struct acre_region *acre_region_list_floor(const struct acre_regions *regions, uintptr_t at)
{
    struct acre_region *floor = NULL;
    for (struct acre_region *region = regions->first; region != NULL; region = region->next) {
        if (region->start > at)
            break;
        floor = region;
    }
    return floor;
}

enum acre_status acre_region_list_admit(const struct acre_regions *regions, uintptr_t start,
    size_t size, const void *self, size_t self_size)
{
    if (size == 0 || start == 0 || acre_range_wraps(start, size))
        return ACRE_INVALID_PARAM;
    const struct acre_region *floor = acre_region_list_floor(regions, start + (size - 1));
    if (acre_ranges_overlap((uintptr_t)self, self_size, start, size) ||
        (floor != NULL && acre_ranges_overlap(floor->start, floor->size, start, size)))
        return ACRE_MEMORY_OVERLAP;
    return ACRE_OK;
}

/* ---- check ---- */

static bool region_is_sound(const struct acre_region *region, const struct acre_region *below)
{
    return region->prev == below && region->size != 0 &&
           !acre_range_wraps(region->start, region->size) &&
           !acre_range_wraps(region->meta, region->meta_size) &&
           (below == NULL || below->start + (below->size - 1) < region->start);
}

const struct acre_region *acre_region_list_find_broken(const struct acre_regions *regions)
{
    const struct acre_region *below = NULL;
    for (const struct acre_region *region = regions->first; region; region = region->next) {
        if (!region_is_sound(region, below))
            return region;
        below = region;
    }
    return NULL;
}
