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

/* size_steps of a slab that is no fallback. */
ACRE_INLINE uint8_t slab_class_size_steps(const struct acre_slab *slab, unsigned size_class)
{
    return slab->size_steps[size_class];
}

/* Objects in a slab of `pages` pages. The product is exact below 2^17 bytes. */
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

/* Whether a class has an empty slab; only the current slab can be. */
ACRE_INLINE bool slab_class_has_empty(const struct acre_slab *slab, unsigned size_class)
{
    const struct acre_slab_page *current = slab->current[size_class];
    return current != &slab->no_slab && slab_is_empty(current);
}

/* To be called when a record has moved: if it was the current slab's, updates the pointer to it.
 * Returns whether it was. */
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

/* Whether a partial slab is above the reuse threshold. */
ACRE_INLINE bool slab_is_reusable(const struct acre_slab_page *page)
{
    return acre_bits_count(page->free_bits) >= slab_reuse_threshold(page);
}

/* The fullest of the first slabs of a ring: the one with fewest bits set, and the bits after the
 * last object are set too. */
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

/* The partial slab to make current; null: none has enough free objects. */
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

/* The first list whose runs reach the watermark. */
ACRE_INLINE size_t slab_watermark_list(const struct acre_slab *slab)
{
    return slab_run_list(slab->largest_pages / SLAB_WATERMARK_DIVISOR + 1);
}

/* Whether memory is ample: a free run reaches the watermark. */
ACRE_INLINE bool slab_is_memory_ample(const struct acre_slab *slab)
{
    size_t at = slab->watermark >> SLAB_WORD_LOG2;
    size_t word = slab->nonempty[at] >> (slab->watermark % SLAB_WORD_BITS);
    while (word == 0 && ++at < ACRE_SLAB_RUN_WORDS)
        word = slab->nonempty[at];
    return word != 0;
}

/* Counts a region among the largest if it is as large, or the largest so far. */
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

/* Sets the watermark after a region of `pages` pages has been removed. O(regions) if that was the
 * last of the largest regions, else O(1). */
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

/* The region cache's slot for an address: one slot per 128 KiB, modulo the number of slots. */
ACRE_INLINE size_t slab_cache_slot(uintptr_t at)
{
    return (at >> 17) % ACRE_SLAB_CACHED_REGIONS;
}

/* The region in the cache's slot for an address, which the region need not contain; null: none. */
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

/* For the checker: the address of what breaks SLAB-9 (constants), SLAB-1 (cached regions) or SLAB-7
 * (current slabs); null: nothing does. */
const void *acre_slab_find_bad_constant(const struct acre_slab *slab);
const void *acre_slab_find_bad_cached_region(const struct acre_slab *slab);
const void *acre_slab_find_bad_current(const struct acre_slab *slab);

/* Whether the largest regions have `pages` pages each and there are `regions` of them. */
ACRE_INLINE bool slab_has_largest(const struct acre_slab *slab, size_t pages, size_t regions)
{
    return slab->largest_pages == pages && slab->largest_regions == regions;
}

#else
#include "slab/slab_small.h"
#endif

/* ---- a new slab ---- */

/* Points `count` entries, a constant, to the record of a slab. Returns the entry after them. */
ACRE_INLINE struct acre_slab_page **slab_set_entry_block(
    struct acre_slab_page **entry, struct acre_slab_page *page, size_t count)
{
    for (size_t i = 0; i < count; i++)
        entry[i] = page;
    return entry + count;
}

/* Points any number of entries to the record of a slab. */
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

/* Fills in the records of a new slab; all its objects are free. */
ACRE_INLINE void slab_init_records(const struct acre_slab *slab, unsigned size_class,
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
    page->size_steps = slab_class_size_steps(slab, size_class);
    page->count = (uint8_t)slab_object_count(slab, size_class, pages);
    page[pages - 1].to_first = (uint8_t)(pages - 1);
}

/* Fills in the records and page-map entries of a new slab, whose pages are blank. */
ACRE_INLINE void slab_init_slab(struct acre_slab *slab, unsigned size_class,
    struct acre_slab_page *page, size_t pages, struct slab_page_place place)
{
    ACRE_ASSERT(page->state == SLAB_BLANK); /* SLAB-2 */
    slab_init_records(slab, size_class, page, pages, place.at);
    acre_slab_map_slab(slab, page, pages, place.entry);
}

/* Frees the pages of an empty slab that is in no ring. Its page-map entries become stale. */
ACRE_INLINE enum acre_status slab_free_pages(struct acre_slab *slab, struct acre_slab_page *page)
{
    ACRE_ASSERT(slab_is_empty(page)); /* SLAB-5 */
    page->reciprocal = 0;
    page->size_steps = 0;
    page->state = SLAB_BLANK;
    return acre_slab_run_free(slab, page, page->pages);
}

/* ---- live runs ---- */

/* Counts a block of `bytes` bytes and ends its alloc. */
ACRE_INLINE struct acre_ptr slab_hand_out(struct acre_slab *slab, uintptr_t at, size_t bytes)
{
    if (!slab_count_block(slab, bytes))
        slab_raise_peak(slab);
    return (struct acre_ptr){ (void *)at, ACRE_OK };
}

/* Makes a run that is in no list a live block; `place` is that of its first page. */
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
