/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Settings, and ranges that are added and removed.
 */
#include "bitmap/bitmap_private.h"

/* ---- settings ---- */

static bool bitmap_owns_memory(const struct acre_bitmap *self)
{
    return self->regions.first != NULL;
}

/** True when no further range can be added. */
static bool bitmap_is_complete(const struct acre_bitmap *self)
{
    return ACRE_ONE_REGION && bitmap_owns_memory(self);
}

enum acre_status acre_bitmap_setup(struct acre_bitmap *self, size_t page_size)
{
    if (!acre_is_pow2(page_size) || bitmap_owns_memory(self))
        return ACRE_INVALID_PARAM;
    self->page_shift = acre_bits_lowest(page_size);
    self->ids = false;
    self->is_set_up = true;
    return ACRE_OK;
}

enum acre_status acre_bitmap_setup_ids(struct acre_bitmap *self)
{
    if (bitmap_owns_memory(self))
        return ACRE_INVALID_PARAM;
    self->page_shift = 0;
    self->ids = true;
    self->is_set_up = true;
    return ACRE_OK;
}

/** Sets the settings that were never set, before the first range is added. */
static void bitmap_set_defaults(struct acre_bitmap *self)
{
    self->page_shift = bitmap_page_shift(self);
    self->is_set_up = true;
    if (bitmap_dirty_limit(self) == 0)
        bitmap_set_dirty_limit(self, ACRE_BITMAP_MAX_DIRTY_DEFAULT);
}

void acre_bitmap_set_next_fit(struct acre_bitmap *self, bool next_fit)
{
    self->next_fit = next_fit;
    self->cursor = 0;
    bitmap_list_any(self);
    bitmap_clear_hint(self);
}

/* ---- what a range is made of ---- */

/** A range before anything is changed. */
struct bitmap_offer {
    struct acre_region region; /* as given */
    uintptr_t first;           /* first page number managed */
    size_t pages;              /* pages managed */
    void *meta;                /* where the metadata goes */
};

/** Finds the pages wholly inside an offer that does not wrap. */
static void bitmap_find_pages(const struct acre_bitmap *self, struct bitmap_offer *offer)
{
    unsigned shift = bitmap_page_shift(self);
    size_t skip = (size_t)(0 - offer->region.start) & (((size_t)1 << shift) - 1);
    offer->first = (offer->region.start + skip) >> shift;
    offer->pages = skip < offer->region.size ? (offer->region.size - skip) >> shift : 0;
}

/** Pages that the metadata of `managed` pages takes at a page's start. */
static size_t bitmap_metadata_pages(const struct acre_bitmap *self, size_t managed)
{
    size_t page_size = acre_bitmap_page_size(self);
    size_t slack = page_size < sizeof(uint64_t) ? sizeof(uint64_t) - page_size : 0;
    size_t size = acre_bitmap_metadata_size(managed) + slack;
    return (size + page_size - 1) >> bitmap_page_shift(self);
}

/** Pages that the metadata takes when it lies in the first of `pages` pages. */
static size_t bitmap_metadata_share(const struct acre_bitmap *self, size_t pages)
{
    size_t taken = bitmap_metadata_pages(self, pages);
    if (taken >= pages)
        return taken;
    size_t fewer = bitmap_metadata_pages(self, pages - taken);
    return bitmap_metadata_pages(self, pages - fewer) <= fewer ? fewer : taken;
}

/** True when the offer wraps, or the totals would exceed a size_t with it. */
static bool bitmap_cannot_be_counted(
    const struct acre_bitmap *self, const struct acre_region *region)
{
    size_t left = SIZE_MAX - self->regions.total;
    return acre_range_wraps(region->start, region->size) || region->size > left ||
           region->meta_size > left - region->size;
}

/**
 * True when [start, start + size) shares a byte with metadata in use or with the allocator. A page
 * handed out may hold the metadata of another range, so managed memory is not looked at.
 * O(ranges * levels).
 */
static bool bitmap_overlaps_metadata(const struct acre_bitmap *self, uintptr_t start, size_t size)
{
    const struct acre_bitmap_range *range = bitmap_first_range(self);
    if (acre_ranges_overlap((uintptr_t)self, sizeof(*self), start, size))
        return true;
    for (; range != NULL; range = bitmap_next_range(range))
        if (acre_ranges_overlap(
                bitmap_metadata_of(range), acre_bitmap_metadata_size(range->pages), start, size))
            return true;
    return false;
}

/* ---- adding and removing ---- */

/** The bytes of a range that hold no page. */
static size_t bitmap_overhead(const struct acre_bitmap *self, const struct acre_bitmap_range *range)
{
    return range->region.size + range->region.meta_size - (range->pages << self->page_shift);
}

/** Adds an offer that was found good. O(ranges + pages / 64). */
static void bitmap_add_offer(struct acre_bitmap *self, const struct bitmap_offer *offer)
{
    struct acre_bitmap_range *range =
        (void *)((char *)offer->meta + bitmap_node_size(offer->pages));
    bitmap_set_defaults(self);
    bitmap_list_any(self);
    range->region = offer->region;
    range->region.has_node = bitmap_node_size(offer->pages) != 0;
    range->first = offer->first;
    range->pages = offer->pages;
    acre_bitmap_tree_make(range);
    acre_regions_insert(&self->regions, &range->region);
    bitmap_clear_hint(self);
    bitmap_cache_range(self, bitmap_first_range(self));
    self->metadata += bitmap_overhead(self, range);
    ACRE_ASSERT(self->metadata <= self->regions.total); /* BITMAP-7 */
}

enum acre_status acre_bitmap_add_memory(struct acre_bitmap *self, void *start, size_t size)
{
    struct bitmap_offer offer = { .region = { .start = (uintptr_t)start, .size = size } };
    if (start == NULL || self->ids || bitmap_cannot_be_counted(self, &offer.region))
        return ACRE_INVALID_PARAM;
    bitmap_find_pages(self, &offer);
    size_t taken = bitmap_metadata_share(self, offer.pages);
    if (taken >= offer.pages)
        return ACRE_INVALID_PARAM;
    if (acre_regions_overlap(&self->regions, offer.region.start, size) ||
        bitmap_overlaps_metadata(self, offer.region.start, size))
        return ACRE_MEMORY_OVERLAP;
    if (bitmap_is_complete(self))
        return ACRE_INVALID_PARAM;
    uintptr_t meta = acre_align_up(offer.first << bitmap_page_shift(self), sizeof(uint64_t));
    offer.meta = (void *)meta;
    offer.first += taken;
    offer.pages -= taken;
    bitmap_add_offer(self, &offer);
    return ACRE_OK;
}

/** Adds an offer whose metadata lies apart. */
static enum acre_status bitmap_add_apart(
    struct acre_bitmap *self, struct bitmap_offer *offer, void *meta, size_t meta_size)
{
    if (bitmap_cannot_be_counted(self, &offer->region) ||
        acre_range_wraps((uintptr_t)meta, meta_size))
        return ACRE_INVALID_PARAM;
    bitmap_find_pages(self, offer);
    if (offer->pages == 0 || meta == NULL || (uintptr_t)meta % sizeof(uint64_t) != 0 ||
        meta_size < acre_bitmap_metadata_size(offer->pages))
        return ACRE_INVALID_PARAM;
    if (acre_regions_overlap(&self->regions, offer->region.start, offer->region.size) ||
        bitmap_overlaps_metadata(self, (uintptr_t)meta, acre_bitmap_metadata_size(offer->pages)))
        return ACRE_MEMORY_OVERLAP;
    if (bitmap_is_complete(self))
        return ACRE_INVALID_PARAM;
    offer->meta = meta;
    bitmap_add_offer(self, offer);
    return ACRE_OK;
}

enum acre_status acre_bitmap_add_memory_apart(
    struct acre_bitmap *self, uintptr_t start, size_t size, void *meta, size_t meta_size)
{
    struct bitmap_offer offer = { .region = { .start = start,
                                      .size = size,
                                      .meta = (uintptr_t)meta,
                                      .meta_size = meta_size,
                                      .integers = true } };
    if (self->ids)
        return ACRE_INVALID_PARAM;
    return bitmap_add_apart(self, &offer, meta, meta_size);
}

enum acre_status acre_bitmap_add_ids(
    struct acre_bitmap *self, uintptr_t first, size_t count, void *meta, size_t meta_size)
{
    struct bitmap_offer offer = { .region = { .start = first, .size = count, .integers = true } };
    if (!self->ids)
        return ACRE_INVALID_PARAM;
    return bitmap_add_apart(self, &offer, meta, meta_size);
}

/** Drops all ranges and counts; the settings stay. */
static void bitmap_make_empty(struct acre_bitmap *self)
{
    size_t groups = bitmap_dirty_limit(self);
    *self = (struct acre_bitmap){
        .page_shift = self->page_shift,
        .ids = self->ids,
        .next_fit = self->next_fit,
        .is_set_up = self->is_set_up,
    };
    bitmap_set_dirty_limit(self, groups);
}

enum acre_status acre_bitmap_init(struct acre_bitmap *self, void *start, size_t size)
{
    bitmap_make_empty(self);
    return acre_bitmap_add_memory(self, start, size);
}

enum acre_status acre_bitmap_remove_memory(struct acre_bitmap *self, void *start)
{
    struct acre_region *region = acre_regions_starting_at(&self->regions, (uintptr_t)start);
    struct acre_bitmap_range *range = (struct acre_bitmap_range *)region;
    if (region == NULL)
        return ACRE_NOT_ALLOCATED;
    if (acre_bitmap_range_summary(range).longest != range->pages)
        return ACRE_INVALID_PARAM;
    bitmap_list_any(self);
    acre_regions_remove(&self->regions, region);
    bitmap_clear_hint(self);
    bitmap_cache_range(self, bitmap_first_range(self));
    self->metadata -= bitmap_overhead(self, range);
    ACRE_ASSERT(self->metadata <= self->regions.total); /* BITMAP-7 */
    return ACRE_OK;
}

void acre_bitmap_reset(struct acre_bitmap *self)
{
    struct acre_bitmap_range *range = bitmap_first_range(self);
    bitmap_forget_unlisted(self);
    for (; range != NULL; range = bitmap_next_range(range))
        acre_bitmap_tree_make(range);
    bitmap_clear_hint(self);
    self->headroom = 0;
    self->peak = 0;
    self->failed = 0;
    self->cursor = 0;
}
