/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Set-up, and ranges that come and go.
 */
#include "bitmap/bitmap_private.h"

/** What a range is made of, before anything is changed. */
struct offer {
    uintptr_t given_start; /* what the caller named */
    size_t given_size;     /* its size, in the allocator's unit */
    uintptr_t first;       /* first page number managed */
    size_t pages;          /* pages managed */
    void *meta;            /* where the metadata goes */
    size_t given_meta;     /* bytes of it given apart */
};

/** An empty allocator of pages of 2^page_shift bytes. */
static void make_empty(struct acre_bitmap *self, unsigned page_shift)
{
    *self = (struct acre_bitmap){ 0 };
    self->page_shift = page_shift;
    self->late_limit = ACRE_BITMAP_MAX_DIRTY_DEFAULT;
}

enum acre_status acre_bitmap_setup(struct acre_bitmap *self, size_t page_size)
{
    if (!acre_is_pow2(page_size))
        return ACRE_INVALID_PARAM;
    make_empty(self, acre_bits_lowest(page_size));
    return ACRE_OK;
}

void acre_bitmap_setup_ids(struct acre_bitmap *self)
{
    make_empty(self, 0);
    self->ids = true;
}

void acre_bitmap_set_next_fit(struct acre_bitmap *self, bool next_fit)
{
    self->next_fit = next_fit;
    self->cursor = 0;
    acre_bitmap_hand_drop(self);
}

void acre_bitmap_set_max_dirty(struct acre_bitmap *self, size_t groups)
{
    struct acre_bitmap_range *range;

    self->late_limit = groups != 0 ? groups : 1;
    for (range = self->ranges; range != NULL; range = range->next)
        acre_bitmap_late_settle(self, range, self->late_limit);
}

/** Words that a set of `groups` groups takes. */
static size_t set_size(size_t groups)
{
    size_t words = 0;

    do {
        groups = acre_bitmap_set_words(groups);
        words += groups;
    } while (groups > 1);
    return words;
}

size_t acre_bitmap_head_size(size_t pages)
{
    size_t nodes = acre_bitmap_parents(acre_bitmap_chunks(pages));
    size_t size = sizeof(struct acre_bitmap_range);

    while (nodes > 1) {
        nodes = acre_bitmap_parents(nodes);
        size += sizeof(struct acre_bitmap_run *);
    }
    return acre_align_up(size, sizeof(uint64_t));
}

size_t acre_bitmap_metadata_size(size_t pages)
{
    size_t chunks = acre_bitmap_chunks(pages);
    size_t groups = acre_bitmap_parents(chunks);
    size_t words = chunks * (ACRE_BITMAP_CHUNK_WORDS + 1) + 2 * set_size(groups);
    size_t nodes = groups;
    size_t runs = 0;

    while (nodes > 1) {
        nodes = acre_bitmap_parents(nodes);
        runs += nodes;
    }
    return acre_bitmap_head_size(pages) + words * sizeof(uint64_t) +
           groups * sizeof(struct acre_bitmap_group) + runs * sizeof(struct acre_bitmap_run);
}

/** True when an offer shares a position with a range already owned. O(ranges). */
static bool overlaps(const struct acre_bitmap *self, const struct offer *offer)
{
    const struct acre_bitmap_range *range;

    for (range = self->ranges; range != NULL; range = range->next)
        if (acre_ranges_overlap(
                range->given_start, range->given_size, offer->given_start, offer->given_size))
            return true;
    return false;
}

/** True when [start, start + size) shares a byte with metadata in use, or with the allocator
 * itself. O(ranges * levels). */
static bool overlaps_own(const struct acre_bitmap *self, uintptr_t start, size_t size)
{
    const struct acre_bitmap_range *range;

    if (acre_ranges_overlap((uintptr_t)self, sizeof(*self), start, size))
        return true;
    for (range = self->ranges; range != NULL; range = range->next)
        if (acre_ranges_overlap(
                (uintptr_t)range, acre_bitmap_metadata_size(range->pages), start, size))
            return true;
    return false;
}

/** True when more would have been given than a size_t counts. */
static bool is_too_much(const struct acre_bitmap *self, const struct offer *offer)
{
    return offer->given_size > SIZE_MAX - self->given ||
           offer->given_meta > SIZE_MAX - self->given - offer->given_size;
}

/** Enters a range that is known to be good. O(ranges + pages / 64). */
static void enter(struct acre_bitmap *self, const struct offer *offer)
{
    struct acre_bitmap_range *range = offer->meta;
    struct acre_bitmap_range **link = &self->ranges;

    range->given_start = offer->given_start;
    range->given_size = offer->given_size;
    range->given_meta = offer->given_meta;
    range->first = offer->first;
    range->pages = offer->pages;
    acre_bitmap_tree_make(range);
    while (*link != NULL && (*link)->first < range->first)
        link = &(*link)->next;
    range->next = *link;
    *link = range;
    acre_bitmap_hand_drop(self);
    acre_bitmap_front_set(self, self->ranges);
    self->given += range->given_size + range->given_meta;
    self->metadata += range->given_size + range->given_meta - (range->pages << self->page_shift);
}

/** The pages wholly inside [start, start + size), which does not wrap: how many, and the first
 * one's number. */
static size_t whole_pages(
    const struct acre_bitmap *self, uintptr_t start, size_t size, uintptr_t *first)
{
    size_t mask = ((size_t)1 << self->page_shift) - 1;
    size_t skip = (size_t)(0 - start) & mask;

    if (skip >= size)
        return 0;
    *first = (start + skip) >> self->page_shift;
    return (size - skip) >> self->page_shift;
}

/** Pages that the metadata takes when it lies in the first of `pages` pages. */
static size_t pages_for_metadata(const struct acre_bitmap *self, size_t pages)
{
    size_t page_size = (size_t)1 << self->page_shift;
    size_t slack = page_size < sizeof(uint64_t) ? sizeof(uint64_t) - page_size : 0;
    size_t taken = (acre_bitmap_metadata_size(pages) + slack + page_size - 1) >> self->page_shift;
    size_t fewer;

    if (taken >= pages)
        return taken;
    fewer = (acre_bitmap_metadata_size(pages - taken) + slack + page_size - 1) >> self->page_shift;
    if (((acre_bitmap_metadata_size(pages - fewer) + slack + page_size - 1) >> self->page_shift) <=
        fewer)
        return fewer;
    return taken;
}

enum acre_status acre_bitmap_add_memory(struct acre_bitmap *self, void *start, size_t size)
{
    struct offer offer = { (uintptr_t)start, size, 0, 0, NULL, 0 };
    uintptr_t meta;
    size_t taken;

    if (start == NULL || self->ids || acre_range_wraps(offer.given_start, size) ||
        is_too_much(self, &offer))
        return ACRE_INVALID_PARAM;
    offer.pages = whole_pages(self, offer.given_start, size, &offer.first);
    taken = pages_for_metadata(self, offer.pages);
    if (taken >= offer.pages)
        return ACRE_INVALID_PARAM;
    if (overlaps(self, &offer) || overlaps_own(self, offer.given_start, size))
        return ACRE_MEMORY_OVERLAP;
    meta = acre_align_up(offer.first << self->page_shift, sizeof(uint64_t));
    offer.meta = (void *)meta;
    offer.first += taken;
    offer.pages -= taken;
    enter(self, &offer);
    return ACRE_OK;
}

/** Adds what is offered with its metadata apart. */
static enum acre_status add_apart(
    struct acre_bitmap *self, struct offer *offer, void *meta, size_t meta_size)
{
    if (acre_range_wraps(offer->given_start, offer->given_size) ||
        acre_range_wraps((uintptr_t)meta, meta_size) || is_too_much(self, offer))
        return ACRE_INVALID_PARAM;
    offer->pages = whole_pages(self, offer->given_start, offer->given_size, &offer->first);
    if (offer->pages == 0 || meta == NULL || (uintptr_t)meta % sizeof(uint64_t) != 0 ||
        meta_size < acre_bitmap_metadata_size(offer->pages))
        return ACRE_INVALID_PARAM;
    if (overlaps(self, offer) ||
        overlaps_own(self, (uintptr_t)meta, acre_bitmap_metadata_size(offer->pages)))
        return ACRE_MEMORY_OVERLAP;
    offer->meta = meta;
    enter(self, offer);
    return ACRE_OK;
}

enum acre_status acre_bitmap_add_memory_apart(
    struct acre_bitmap *self, uintptr_t start, size_t size, void *meta, size_t meta_size)
{
    struct offer offer = { start, size, 0, 0, NULL, meta_size };

    if (self->ids)
        return ACRE_INVALID_PARAM;
    return add_apart(self, &offer, meta, meta_size);
}

enum acre_status acre_bitmap_add_ids(
    struct acre_bitmap *self, uintptr_t first, size_t count, void *meta, size_t meta_size)
{
    struct offer offer = { first, count, 0, 0, NULL, 0 };

    if (!self->ids)
        return ACRE_INVALID_PARAM;
    return add_apart(self, &offer, meta, meta_size);
}

enum acre_status acre_bitmap_init(struct acre_bitmap *self, void *start, size_t size)
{
    bool next_fit = self->next_fit;
    bool ids = self->ids;
    size_t late_limit = self->late_limit;

    make_empty(self, self->page_shift);
    self->late_limit = late_limit;
    self->next_fit = next_fit;
    self->ids = ids;
    return acre_bitmap_add_memory(self, start, size);
}

enum acre_status acre_bitmap_remove_memory(struct acre_bitmap *self, void *start)
{
    struct acre_bitmap_range **link = &self->ranges;
    struct acre_bitmap_range *range;

    while (*link != NULL && (*link)->given_start != (uintptr_t)start)
        link = &(*link)->next;
    range = *link;
    if (range == NULL)
        return ACRE_NOT_ALLOCATED;
    if (acre_bitmap_tree_root(range).longest != range->pages)
        return ACRE_INVALID_PARAM;
    *link = range->next;
    acre_bitmap_hand_drop(self);
    acre_bitmap_front_set(self, self->ranges);
    self->given -= range->given_size + range->given_meta;
    self->metadata -= range->given_size + range->given_meta - (range->pages << self->page_shift);
    return ACRE_OK;
}

void acre_bitmap_reset(struct acre_bitmap *self)
{
    struct acre_bitmap_range *range;

    for (range = self->ranges; range != NULL; range = range->next)
        acre_bitmap_tree_make(range);
    acre_bitmap_hand_drop(self);
    self->room = 0;
    self->peak = 0;
    self->failed = 0;
    self->cursor = 0;
}
