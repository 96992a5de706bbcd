/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What slab's control structure keeps beside the rings of partial slabs and the lists of runs: a
 * current slab and constants per class, the watermark, the region cache. A small build
 * (ACRE_MAX_POOL) keeps none of them: constants are computed, each slab with a free object is
 * partial, and an empty one is destroyed at once.
 */
#ifndef ACRE_SRC_SLAB_TABLES_H
#define ACRE_SRC_SLAB_TABLES_H

#include "slab/slab_list.h"

#if ACRE_MAX_POOL == 0

/* ---- constants of a class ---- */

/* The class that serves a size up to the largest class's. */
ACRE_INLINE unsigned slab_class_of(const struct acre_slab *slab, size_t size)
{
    return slab->class_of[(size - (size != 0)) / ACRE_SLAB_UNIT];
}

/* Bytes of an object. */
ACRE_INLINE uint32_t slab_object_size(const struct acre_slab *slab, unsigned size_class)
{
    return slab->object_size[size_class];
}

/* 2^32 / size, rounded up. */
ACRE_INLINE uint32_t slab_reciprocal(const struct acre_slab *slab, unsigned size_class)
{
    return slab->reciprocal[size_class];
}

/* The slack of a slab that is no fallback. */
ACRE_INLINE uint8_t slab_class_slack(const struct acre_slab *slab, unsigned size_class)
{
    return slab->slack[size_class];
}

/* Objects of a class that so many pages hold; the product is exact below 2^17 bytes. */
ACRE_INLINE uint32_t slab_object_count(
    const struct acre_slab *slab, unsigned size_class, size_t pages)
{
    uint32_t bytes = (uint32_t)(pages << slab->page_log2);
    uint32_t count = (uint32_t)(acre_multiply_wide(bytes, slab->reciprocal[size_class]) >> 32);
    return count < SLAB_MAX_OBJECTS ? count : SLAB_MAX_OBJECTS;
}

/* ---- current slabs ---- */

ACRE_INLINE bool slab_is_current(const struct acre_slab *slab, const struct acre_slab_page *page)
{
    return slab->current[page->size_class] == page;
}

/* Whether any slab of a class has a free object. */
ACRE_INLINE bool slab_class_has_object(const struct acre_slab *slab, unsigned size_class)
{
    return slab->partial[size_class] != NULL ||
           slab_has_free(slab->current[size_class], slab->current_count[size_class]);
}

/* Whether a class has an empty slab; that is its current one. */
ACRE_INLINE bool slab_class_has_empty(const struct acre_slab *slab, unsigned size_class)
{
    const struct acre_slab_page *current = slab->current[size_class];
    return current != &slab->no_slab && slab_is_empty(current);
}

/* A record has moved: if it was the current slab's, it still is; false if not. */
ACRE_INLINE bool slab_move_current(struct acre_slab *slab, unsigned size_class,
    const struct acre_slab_page *was, struct acre_slab_page *page)
{
    if (slab->current[size_class] != was)
        return false;
    slab->current[size_class] = page;
    return true;
}

/* Makes a slab current in place of one that is full. */
ACRE_INLINE void slab_set_current(
    struct acre_slab *slab, unsigned size_class, struct acre_slab_page *page, uintptr_t at)
{
    ACRE_ASSERT(slab_is_slab(page) && page->size_class == size_class); /* SLAB-7 */
    ACRE_ASSERT(page->reciprocal == slab->reciprocal[size_class]);     /* SLAB-6 */
    ACRE_ASSERT(page->start == (uint32_t)at && slab_has_free(page, page->count));
    slab->current[size_class]->reciprocal = 0;
    slab->current[size_class] = page;
    slab->current_start[size_class] = at;
    slab->current_count[size_class] = page->count;
}

/* Whether a slab has enough free objects to serve for a while. */
ACRE_INLINE bool slab_is_reusable(const struct acre_slab_page *page)
{
    return acre_bits_count(page->free_bits) >= slab_reuse_threshold(page);
}

/* The fullest of a ring's first slabs; a shorter one counts as less full. */
ACRE_INLINE struct acre_slab_page *slab_find_fullest(struct acre_slab_page *first)
{
    struct acre_slab_page *best = first;
    unsigned least = acre_bits_count(first->free_bits);
    struct acre_slab_page *page = first->next;
    for (int scanned = 1; scanned < SLAB_SCAN_LIMIT && page != first; scanned++) {
        unsigned free = acre_bits_count(page->free_bits);
        best = free < least ? page : best;
        least = free < least ? free : least;
        page = page->next;
    }
    return best;
}

/* The partial slab that is to become current; null: none is worth it. */
ACRE_INLINE struct acre_slab_page *slab_find_partial(
    const struct acre_slab *slab, unsigned size_class, bool ample)
{
    struct acre_slab_page *page = slab->partial[size_class];
    if (page == NULL)
        return NULL;
    if (!ample)
        return slab_find_fullest(page);
    return slab_is_reusable(page) ? page : NULL;
}

/* ---- the watermark ---- */

/* The list from which on the runs reach the watermark. */
ACRE_INLINE size_t slab_watermark_list(const struct acre_slab *slab)
{
    return slab_run_list(slab->largest_pages / SLAB_WATERMARK_PART + 1);
}

/* Whether so long a run is free that pages need not be spared. */
ACRE_INLINE bool slab_is_memory_ample(const struct acre_slab *slab)
{
    size_t at = slab->watermark >> SLAB_WORD_LOG2;
    size_t word = slab->nonempty[at] >> (slab->watermark % SLAB_WORD_BITS);
    while (word == 0 && ++at < ACRE_SLAB_RUN_WORDS)
        word = slab->nonempty[at];
    return word != 0;
}

/* Counts a region among the largest, if it is one. */
ACRE_INLINE void slab_count_largest(struct acre_slab *slab, const struct acre_slab_region *region)
{
    if (region->pages > slab->largest_pages) {
        slab->largest_pages = region->pages;
        slab->largest_regions = 0;
    }
    slab->largest_regions += region->pages == slab->largest_pages;
}

/* Sets the watermark after a region has been added. */
ACRE_INLINE void slab_raise_watermark(struct acre_slab *slab, const struct acre_slab_region *region)
{
    slab_count_largest(slab, region);
    slab->watermark = slab_watermark_list(slab);
}

/* The same after one of so many pages has been removed. O(1), O(regions) for the last of the largest
 * ones. */
ACRE_INLINE void slab_lower_watermark(struct acre_slab *slab, size_t pages)
{
    if (pages != slab->largest_pages || --slab->largest_regions != 0)
        return;
    slab->largest_pages = 0;
    for (const struct acre_slab_region *region = slab_first_region(slab); region != NULL;
         region = slab_next_region(region))
        slab_count_largest(slab, region);
    slab->watermark = slab_watermark_list(slab);
}

/* ---- the region cache ---- */

/* The region cache's slot for an address: one slot per 128 KiB, in turns. */
ACRE_INLINE size_t slab_cache_slot(uintptr_t at)
{
    return (at >> 17) % ACRE_SLAB_CACHED_REGIONS;
}

/* The region that the cache has for an address, which need not hold it; null: none. */
ACRE_INLINE const struct acre_slab_region *slab_cached_region(
    const struct acre_slab *slab, uintptr_t at)
{
    return slab->region_cache[slab_cache_slot(at)];
}

ACRE_INLINE void slab_uncache_region(struct acre_slab *slab, const struct acre_slab_region *region)
{
    for (size_t i = 0; i < ACRE_SLAB_CACHED_REGIONS; i++)
        if (slab->region_cache[i] == region)
            slab->region_cache[i] = NULL;
}

/* ---- slab_check_tables.c ---- */

/* For the checker: what breaks SLAB-9, SLAB-1 or SLAB-7 in here; null: nothing does. The second one
 * looks for null and regions of the list, the third one for slabs of the class. */
const void *acre_slab_find_bad_constant(const struct acre_slab *slab);
const void *acre_slab_find_bad_cached_region(const struct acre_slab *slab);
const void *acre_slab_find_bad_current(const struct acre_slab *slab);

/* Whether the largest of the regions has so many pages, and so many regions have as many. */
ACRE_INLINE bool slab_has_largest(const struct acre_slab *slab, size_t pages, size_t regions)
{
    return slab->largest_pages == pages && slab->largest_regions == regions;
}

#else
#include "slab/slab_small.h"
#endif

/* ---- a new slab ---- */

/* Makes so many entries point to the record of a slab, `count` a constant; returns the next one. */
ACRE_INLINE struct acre_slab_page **slab_set_entry_block(
    struct acre_slab_page **entry, struct acre_slab_page *page, size_t count)
{
    for (size_t i = 0; i < count; i++)
        entry[i] = page;
    return entry + count;
}

/* The same of any number. */
ACRE_INLINE void slab_set_entries(
    struct acre_slab_page **entry, struct acre_slab_page *page, size_t pages)
{
    if (ACRE_SMALL) {
        slab_set_entry_block(entry, page, pages);
        return;
    }
    for (size_t left = pages; left >= 8; left -= 8)
        entry = slab_set_entry_block(entry, page, 8);
    if ((pages & 4) != 0)
        entry = slab_set_entry_block(entry, page, 4);
    if ((pages & 2) != 0)
        entry = slab_set_entry_block(entry, page, 2);
    if ((pages & 1) != 0)
        *entry = page;
}

/* Fills in the records of a new slab, all of whose objects are free. */
ACRE_INLINE void slab_fill_in(const struct acre_slab *slab, unsigned size_class,
    struct acre_slab_page *page, size_t pages, uintptr_t at)
{
    ACRE_ASSERT(page->reciprocal == 0);                 /* SLAB-6 */
    ACRE_ASSERT(pages != 0 && pages <= SLAB_MAX_PAGES); /* SLAB-9 */
    page->free_bits = SIZE_MAX;
    page->start = (uint32_t)at;
    page->reciprocal = slab_reciprocal(slab, size_class);
    page->size = (uint16_t)slab_object_size(slab, size_class);
    page->state = SLAB_OBJECTS;
    page->size_class = (uint8_t)size_class;
    page->slack = slab_class_slack(slab, size_class);
    page->count = (uint8_t)slab_object_count(slab, size_class, pages);
    page[pages - 1].to_first = (uint8_t)(pages - 1);
}

/* Fills in the records and entries of a new slab of blank pages at a place. */
ACRE_INLINE void slab_describe(struct acre_slab *slab, unsigned size_class,
    struct acre_slab_page *page, size_t pages, struct slab_page_place place)
{
    ACRE_ASSERT(page->state == SLAB_BLANK); /* SLAB-2 */
    slab_fill_in(slab, size_class, page, pages, place.at);
    acre_slab_map_slab(slab, page, pages, place.entry);
}

/* Frees the pages of a slab that is in no ring. Its entries in the page map become stale. */
ACRE_INLINE enum acre_status slab_free_pages(struct acre_slab *slab, struct acre_slab_page *page)
{
    ACRE_ASSERT(slab_is_empty(page)); /* SLAB-5 */
    page->reciprocal = 0;
    page->slack = 0;
    page->state = SLAB_BLANK;
    return acre_slab_run_free(slab, page, page->pages);
}

/* ---- live runs ---- */

/* Ends an alloc of so many bytes. */
ACRE_INLINE struct acre_ptr slab_hand_out(struct acre_slab *slab, uintptr_t at, size_t bytes)
{
    if (!slab_count_block(slab, bytes))
        slab_raise_peak(slab);
    return (struct acre_ptr){ (void *)at, ACRE_OK };
}

/* Makes a run in no list, whose first page is at a place, a live block. */
ACRE_INLINE void slab_use_run_at(
    struct acre_slab_page *page, size_t pages, struct slab_page_place place)
{
    ACRE_ASSERT(page->reciprocal == 0); /* SLAB-6 */
    page->length = pages;
    page->start = (uint32_t)place.at;
    page->state = SLAB_RUN;
    *place.entry = page;
}

#endif
