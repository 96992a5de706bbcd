/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The set of regions with an index: lookup, overlap rules, insertion and removal.
 */
#include "base/region_index.h"

/* ---- lookup ---- */

struct acre_region *acre_indexed_starting_at(const struct acre_regions *regions, uintptr_t start)
{
    struct acre_region *region = acre_indexed_floor(regions, start);
    return region != NULL && region->start == start ? region : NULL;
}

/* ---- overlap ---- */

/* acre_ranges_overlap() for ranges of which either may be empty. */
static bool regions_share_byte(uintptr_t a, size_t a_size, uintptr_t b, size_t b_size)
{
    return a_size != 0 && b_size != 0 && acre_ranges_overlap(a, a_size, b, b_size);
}

bool acre_indexed_overlap(const struct acre_regions *regions, uintptr_t start, size_t size)
{
    const struct acre_region *floor = acre_indexed_floor(regions, start + (size - 1));
    return floor != NULL && acre_ranges_overlap(floor->start, floor->size, start, size);
}

bool acre_regions_overlap_metadata(const struct acre_regions *regions, uintptr_t start, size_t size)
{
    const struct acre_region *region = regions->apart != 0 ? regions->first : NULL;
    while (region != NULL && !regions_share_byte(region->meta, region->meta_size, start, size))
        region = region->next;
    return region != NULL;
}

/* Whether metadata would share a byte with the range of a region that is not of integers. */
static bool regions_overlap_memory(const struct acre_regions *regions, uintptr_t start, size_t size)
{
    const struct acre_region *region = regions->first;
    while (region != NULL &&
           (region->integers || !regions_share_byte(region->start, region->size, start, size)))
        region = region->next;
    return region != NULL;
}

static bool regions_can_admit_range(
    const struct acre_regions *regions, const struct acre_region *offer)
{
    size_t left = SIZE_MAX - regions->total;
    return offer->size != 0 && (offer->start != 0 || offer->integers) &&
           !acre_range_wraps(offer->start, offer->size) &&
           !acre_range_wraps(offer->meta, offer->meta_size) && offer->size <= left &&
           offer->meta_size <= left - offer->size;
}

static bool regions_is_range_owned(const struct acre_regions *regions,
    const struct acre_region *offer, uintptr_t self, size_t self_size)
{
    if (acre_indexed_overlap(regions, offer->start, offer->size))
        return true;
    return !offer->integers && (acre_regions_overlap_metadata(regions, offer->start, offer->size) ||
                                   acre_ranges_overlap(self, self_size, offer->start, offer->size));
}

static bool regions_is_metadata_owned(const struct acre_regions *regions,
    const struct acre_region *offer, uintptr_t self, size_t self_size)
{
    if (offer->meta_size == 0)
        return false;
    return acre_regions_overlap_metadata(regions, offer->meta, offer->meta_size) ||
           regions_overlap_memory(regions, offer->meta, offer->meta_size) ||
           regions_share_byte(self, self_size, offer->meta, offer->meta_size) ||
           (!offer->integers &&
               regions_share_byte(offer->start, offer->size, offer->meta, offer->meta_size));
}

enum acre_status acre_indexed_admit(const struct acre_regions *regions,
    const struct acre_region *offer, const void *self, size_t self_size)
{
    if (!regions_can_admit_range(regions, offer))
        return ACRE_INVALID_PARAM;
    if (regions_is_range_owned(regions, offer, (uintptr_t)self, self_size) ||
        regions_is_metadata_owned(regions, offer, (uintptr_t)self, self_size))
        return ACRE_MEMORY_OVERLAP;
    return ACRE_OK;
}

/* ---- insertion and removal ---- */

void acre_indexed_insert(struct acre_regions *regions, struct acre_region *region)
{
    struct acre_region *below = acre_indexed_floor(regions, region->start);
    ACRE_ASSERT(!acre_indexed_overlap(regions, region->start, region->size)); /* REGIONS-2 */
    acre_region_link(regions, region, below);
    acre_region_index_insert(regions, region);
    acre_region_table_insert(regions, region);
    ACRE_ASSERT(acre_indexed_find(regions, region->start) == region); /* REGIONS-4 */
}

void acre_indexed_remove(struct acre_regions *regions, struct acre_region *region)
{
    acre_region_table_remove(regions, region);
    acre_region_index_remove(regions, region);
    acre_region_unlink(regions, region);
}

/* ---- check ---- */

const struct acre_region *acre_indexed_find_broken(const struct acre_regions *regions)
{
    const struct acre_region *broken = acre_region_list_find_broken(regions);
    if (broken == NULL)
        broken = acre_region_index_find_broken(regions);
    return broken != NULL ? broken : acre_region_table_find_broken(regions);
}

bool acre_regions_total_agrees(const struct acre_regions *regions)
{
    size_t total = 0;
    size_t apart = 0;
    for (const struct acre_region *region = regions->first; region; region = region->next) {
        total += region->size + region->meta_size;
        apart += region->meta_size;
    }
    return total == regions->total && apart == regions->apart;
}
