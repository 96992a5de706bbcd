/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab: idea, layout, invariants, and what the files of this folder share.
 *
 * The idea (J. Bonwick, USENIX 1994). A *slab* is a run of pages cut into equal objects of one size
 * class. One word per slab has a bit per object: set is free. Each class has a *current slab* that
 * alloc takes the lowest free object from. A free sets one bit, in whichever slab the object is.
 * Only three events leave these fast paths: the current slab fills up, a full slab gets an object
 * back, and a slab becomes empty.
 *
 * A region, from its lowest address on:
 *
 *   | gap | header | guard | record | ... | guard | entry | entry | ... | gap | page | page | ... |
 *
 * Each page has a *record*. The record of a slab's or run's first page describes it. Each page also
 * has an entry in the *page map*, which points to the record of the slab that the page belongs to:
 * that is how dealloc gets from a pointer to its slab. A slab of three pages:
 *
 *   page map: | its record        | its record        | its record        |
 *   records:  | free_bits, ...    | blank             | to_first = 2      |
 *   pages:    |  0  |  1  |  2  |  3  |  4  |  5  |  6  |  7  |  8  | unused |
 *
 * The distance of a pointer from the start of its slab, times the *reciprocal* of the object size
 * (2^32 / size), gives the object's index in the high half of the product. The low half is less
 * than the reciprocal only for exact multiples of the size, so one comparison tells whether an
 * object starts there. An address in the unused rest of a slab gives an index whose bit is always
 * set, like the bit of a free object.
 *
 * The gaps keep metadata out of reach: a write of up to SLAB_GAP bytes past the last block of an
 * adjacent region, or SLAB_GAP_BELOW bytes before the first block of this one, overwrites no
 * metadata. Where regions are not adjacent, the first gap is empty.
 *
 * A free run has its length in the records of its first and last page, a live run only in the
 * record of its first page. Destroying a slab leaves its page-map entries as they are. These
 * *stale* entries point to a record that describes no slab, until another slab overwrites them or a
 * shorter slab that begins at that record clears them.
 *
 * Adjacent regions can share one map, which lies in the topmost of them, the *map owner*. It has
 * the records and page-map entries of all pages from the first one of the lowest region to the last
 * one of the owner; the maps of the other regions are unused. The hot paths need no region for a
 * block in the *main map*, which is the map with most pages. The *region cache* finds the region of
 * any other block by address.
 *
 * Invariants, with the cost of keeping each in brackets:
 *   SLAB-1  regions are in ascending order and disjoint, and the region cache holds only regions of
 *           the list [add: O(regions); remove: a step per cache entry]
 *   SLAB-2  slabs, live runs and free runs tile the pages between the guards; the entries of a
 *           slab's pages point to its record, no other entry points to a slab [a store per page of
 *           a new slab]
 *   SLAB-3  no two free runs are adjacent; each is in the list of its length [O(1) per run]
 *   SLAB-4  the bit of a list is set if and only if the list has runs [one bit per run]
 *   SLAB-5  the clear bits of a slab are its live objects; the highest bit is set [none]
 *   SLAB-6  the reciprocal of a slab is its class's; it is 0 in a full slab that is not current
 *           [a store when a slab fills up or ceases to be full]
 *   SLAB-7  a slab is current, full, or in its class's ring of partial slabs; an empty one is
 *           current [a list operation when a slab fills up, ceases to be full, or empties]
 *   SLAB-8  the counts are the sums over all blocks [two adds per call]
 *   SLAB-9  the constants agree with page size and classes [setup]
 *   SLAB-10 the regions from the lowest one of a shared map to its owner have their records in the
 *           owner's map, and the records between them are guards; the main map is one of these
 *           [add and remove: O(regions + pages of the shared map)]
 *   SLAB-11 the header of a region has the checksum of its fields [add and remove: O(1) per header]
 *
 * Layers; a file calls only into lower ones:
 *   4  slab_realloc.c above slab.c (alloc, dealloc) above slab_slow.c (their slow paths), or
 *      slab_small.c in place of both in a build with a largest pool; slab_block.c (live blocks);
 *      slab_remote.c, slab_region.c, slab_stats.c, slab_check.c; tables: slab_ops.c, slab_backing.c
 *   3  slab_class.c (slabs of a class)
 *   2  slab_run.c (runs of pages) above slab_list.h (their lists)
 *   1  slab_pagemap.c (addresses to records and back), slab_tables.h (what alloc keeps per class),
 *      this file
 *
 * Alternatives, with figures: docs/decisions.md, "Slab"; for shared maps, "The heap".
 */
#ifndef ACRE_SRC_SLAB_PRIVATE_H
#define ACRE_SRC_SLAB_PRIVATE_H

#include "base/regions.h"
#include "base/wide.h"

#include <acre/slab.h>

enum slab_state {
    SLAB_BLANK = 0, /* not the first page of anything */
    SLAB_FREE = 1,  /* first or last page of a free run */
    SLAB_RUN = 2,   /* first page of a live run */
    SLAB_OBJECTS = 3,
    SLAB_FALLBACK = 4, /* as SLAB_OBJECTS, but objects may serve layouts of smaller classes */
    SLAB_GUARD = 5
};

enum {
    SLAB_WORD_BITS = 8 * sizeof(size_t),
    SLAB_WORD_LOG2 = sizeof(size_t) == 8 ? 6 : 5,
    SLAB_MAX_OBJECTS = SLAB_WORD_BITS - 1, /* so that a set bit can always be found */
    SLAB_MAX_PAGES = 32, /* of a slab: a new slab sets a page-map entry per page */
    SLAB_LINEAR_RUNS = 1 << ACRE_SLAB_LINEAR_LOG2, /* shorter runs have a list per length */
    /* The watermark: memory is ample while one free run has a 16th of the pages of the largest
     * region. While memory is ample, a partial slab is reused only if a 4th of its objects are free
     * (the reuse threshold), else a new slab is created, because each change of the current slab
     * costs two slow calls. While memory is short, the fullest slab becomes current, so that others
     * can become empty; the 8 next larger classes are searched for an object before a slab is
     * created; and a new slab has half of the usual pages. */
    SLAB_WATERMARK_DIVISOR = 16,
    SLAB_SHORT_DIVISOR = 2,
    SLAB_REUSE_DIVISOR = 4,
    SLAB_FALLBACK_CLASSES = 8,
    SLAB_SCAN_LIMIT = 2, /* partial slabs among which the fullest is searched */
    SLAB_GAP = 64,       /* bytes between the last page of a region and the next one's metadata, */
    SLAB_GAP_BELOW = 16, /* and between the metadata of a region and its first page */
    SLAB_LENGTH_DIVISOR = 64 /* a slab has at most a 64th of all pages, but room for one object */
};

#define SLAB_NO_LIST ((size_t)ACRE_SLAB_RUN_LISTS)

struct acre_slab_region {
    struct acre_region range; /* what the caller gave */
    uintptr_t base;           /* the first page */
    size_t pages;
    struct acre_slab_page *records;     /* of the guard before the first page, in a map */
    struct acre_slab_page **page_map;   /* entries of the pages, in the same map */
    struct acre_slab_region *map_owner; /* the region that the map lies in */
    uintptr_t map_base;                 /* the page that the second record of `map` stands for */
    uintptr_t checksum;                 /* of all fields above */
    /* A guard, the records of the pages from map_base to the last one of this region, another
     * guard, and the page-map entries of the same pages. Pages that belong to no region have guards
     * as records. Unused while another region is the map owner. */
    struct acre_slab_page map[];
};

ACRE_REGION_FITS_NONE(struct acre_slab_region);

/* Where the parts of a region go. */
struct slab_region_layout {
    uintptr_t header;
    uintptr_t map_base;
    uintptr_t base;
    size_t pages;
};

/* The address of a page, and its entry in the page map. */
struct slab_page_place {
    uintptr_t at;
    struct acre_slab_page **entry;
};

/* A live block. */
struct slab_block {
    struct acre_slab_page *page; /* the first of its slab or run */
    size_t bit;                  /* of the object; 0: a run */
    size_t size;                 /* usable bytes */
};

/* ---- pages and classes ---- */

/* Whether page size and classes are set. A zeroed struct has neither, and owns no memory. */
ACRE_INLINE bool slab_has_settings(const struct acre_slab *slab)
{
    return slab->sizes != 0;
}

ACRE_INLINE size_t slab_page_size(const struct acre_slab *slab)
{
    return (size_t)1 << slab->page_log2;
}

/* Bytes of the largest object. */
ACRE_INLINE size_t slab_largest_object(const struct acre_slab *slab)
{
    return (size_t)slab->sizes * ACRE_SLAB_UNIT;
}

/* Pages that hold `size` bytes; 0 for 0 bytes. Cannot overflow. */
ACRE_INLINE size_t slab_pages_for(const struct acre_slab *slab, size_t size)
{
    return (size >> slab->page_log2) + ((size & (slab_page_size(slab) - 1)) != 0);
}

/* Bytes of an object of a class. */
ACRE_INLINE size_t slab_class_size(unsigned size_class)
{
    if (size_class < 16)
        return ((size_t)size_class + 1) * ACRE_SLAB_UNIT;
    return (size_t)(288 + 32 * ((size_class - 16) % 8)) << ((size_class - 16) / 8);
}

/* ---- slabs ---- */

ACRE_INLINE bool slab_is_slab(const struct acre_slab_page *page)
{
    return page->state == SLAB_OBJECTS || page->state == SLAB_FALLBACK;
}

/* Whether a slab of `count` objects has a free one. */
ACRE_INLINE bool slab_has_free(const struct acre_slab_page *page, uint32_t count)
{
    return acre_bits_lowest(page->free_bits) < count;
}

/* size_steps of a fallback slab: every size but 0, as far as 8 bits allow; the slow path of a sized
 * free accepts the rest. */
ACRE_INLINE uint8_t slab_fallback_size_steps(size_t size)
{
    return size / ACRE_SLAB_UNIT < UINT8_MAX ? (uint8_t)(size / ACRE_SLAB_UNIT) : UINT8_MAX;
}

/* Makes a slab accept sized frees of smaller classes. */
ACRE_INLINE void slab_mark_fallback(struct acre_slab_page *page)
{
    page->state = SLAB_FALLBACK;
    page->size_steps = slab_fallback_size_steps(page->size);
}

ACRE_INLINE bool slab_is_empty(const struct acre_slab_page *page)
{
    return page->free_bits == SIZE_MAX;
}

/* The index of the object that starts at an offset in a slab; SLAB_WORD_BITS when none does. */
ACRE_INLINE size_t slab_object_index(uint32_t offset, uint32_t reciprocal)
{
    uint64_t product = acre_multiply_wide(offset, reciprocal);
    return (uint32_t)product < reciprocal ? (size_t)(product >> 32) : (size_t)SLAB_WORD_BITS;
}

/* How many bits are set in a slab that has one object in SLAB_REUSE_DIVISOR free. */
ACRE_INLINE unsigned slab_reuse_threshold(const struct acre_slab_page *page)
{
    return (unsigned)SLAB_WORD_BITS - page->count + page->count / (unsigned)SLAB_REUSE_DIVISOR;
}

/* Live objects of a slab. */
ACRE_INLINE unsigned slab_live_objects(const struct acre_slab_page *page)
{
    return acre_bits_count(~page->free_bits);
}

/* The first record of the slab that ends with the record `last`. If no slab ends there: any record
 * of the same region. */
ACRE_INLINE struct acre_slab_page *slab_first_page(struct acre_slab_page *last)
{
    return last - last->to_first;
}

/* How many records `page` lies after `first` in the same array. */
ACRE_INLINE size_t slab_records_between(
    const struct acre_slab_page *first, const struct acre_slab_page *page)
{
    return ACRE_MULTIPLIES ? (size_t)(page - first)
                           : acre_divide((uintptr_t)page - (uintptr_t)first, sizeof(*page));
}

/* ---- accounts ---- */

/* Counts an allocated block. Returns false if the bytes in use now exceed the peak, which the
 * caller then raises. */
ACRE_INLINE bool slab_count_block(struct acre_slab *slab, size_t bytes)
{
    slab->live_blocks++;
    return (slab->headroom -= (ptrdiff_t)bytes) >= 0;
}

/* Makes the bytes in use the peak. */
ACRE_INLINE void slab_raise_peak(struct acre_slab *slab)
{
    ACRE_ASSERT(slab->headroom < 0);
    slab->peak -= (size_t)slab->headroom;
    slab->headroom = 0;
    ACRE_ASSERT(slab->peak <= slab->capacity << slab->page_log2); /* SLAB-8 */
}

/* Counts a freed block. */
ACRE_INLINE void slab_uncount_block(struct acre_slab *slab, size_t bytes)
{
    ACRE_ASSERT(
        slab->live_blocks != 0 && (size_t)slab->headroom + bytes <= slab->peak); /* SLAB-8 */
    slab->live_blocks--;
    slab->headroom += (ptrdiff_t)bytes;
}

/* ---- rings of records ---- */

/* Makes a record the last of a ring. */
ACRE_INLINE void slab_ring_append(struct acre_slab_page **ring, struct acre_slab_page *page)
{
    struct acre_slab_page *first = *ring != NULL ? *ring : page;
    struct acre_slab_page *last = *ring != NULL ? first->prev : page;
    ACRE_ASSERT(*ring == NULL || last->next == first); /* SLAB-3, SLAB-7 */
    page->next = first;
    page->prev = last;
    last->next = page;
    first->prev = page;
    *ring = first;
}

ACRE_INLINE void slab_ring_remove(struct acre_slab_page **ring, struct acre_slab_page *page)
{
    struct acre_slab_page *next = page->next;
    ACRE_ASSERT(next->prev == page && page->prev->next == page); /* SLAB-3, SLAB-7 */
    next->prev = page->prev;
    page->prev->next = next;
    if (*ring == page)
        *ring = next != page ? next : NULL;
}

/* ---- where a region's parts lie ---- */

/* Pages from the first one of the lowest region of a shared map to the last one of its owner. */
ACRE_INLINE size_t slab_shared_pages(const struct acre_slab *slab,
    const struct acre_slab_region *lowest, const struct acre_slab_region *owner)
{
    return ((owner->base - lowest->base) >> slab->page_log2) + owner->pages;
}

ACRE_INLINE struct acre_slab_region *slab_first_region(const struct acre_slab *slab)
{
    return (struct acre_slab_region *)slab->regions.first;
}

/* The region below; null: there is none. */
ACRE_INLINE struct acre_slab_region *slab_prev_region(const struct acre_slab_region *region)
{
    return (struct acre_slab_region *)region->range.prev;
}

/* The region above; null: there is none. */
ACRE_INLINE struct acre_slab_region *slab_next_region(const struct acre_slab_region *region)
{
    return (struct acre_slab_region *)region->range.next;
}

/* Records in a region's own map, the guards at its ends included. */
ACRE_INLINE size_t slab_map_records(
    const struct acre_slab *slab, const struct acre_slab_region *region)
{
    return ((region->base - region->map_base) >> slab->page_log2) + region->pages + 2;
}

/* The page-map entries of a region's own map, from map_base on. */
ACRE_INLINE struct acre_slab_page **slab_map_entries(
    const struct acre_slab *slab, struct acre_slab_region *region)
{
    return (struct acre_slab_page **)(void *)(region->map + slab_map_records(slab, region));
}

/* The end of a region's own map. */
ACRE_INLINE uintptr_t slab_map_end(
    const struct acre_slab *slab, const struct acre_slab_region *region)
{
    size_t records = slab_map_records(slab, region);
    return (uintptr_t)(region->map + records) + (records - 2) * sizeof(struct acre_slab_page *);
}

/* Bytes of header, guards, and the records and entries of `pages` pages. */
ACRE_INLINE size_t slab_metadata_size(size_t pages)
{
    return sizeof(struct acre_slab_region) + 2 * sizeof(struct acre_slab_page) +
           pages * ACRE_SLAB_PER_PAGE;
}

/* The checksum of a region's header. */
ACRE_INLINE uintptr_t slab_header_checksum(const struct acre_slab_region *region)
{
    uintptr_t words[offsetof(struct acre_slab_region, checksum) / sizeof(uintptr_t)];
    uintptr_t sum = (uintptr_t)region;
    ACRE_COPY(words, region, sizeof(words));
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        sum = acre_multiply((sum ^ words[i]) + (sum >> 7), (size_t)0x9e3779b97f4a7c15);
    return sum;
}

/* To be called after each change of a region's header. A small build has no checksums. */
ACRE_INLINE void slab_update_checksum(struct acre_slab_region *region)
{
    if (!ACRE_SMALL)
        region->checksum = slab_header_checksum(region);
}

/* Whether a region's header has its checksum. */
ACRE_INLINE bool slab_has_valid_checksum(const struct acre_slab_region *region)
{
    return ACRE_SMALL || region->checksum == slab_header_checksum(region);
}

/* The end of a region's last page. */
ACRE_INLINE uintptr_t slab_pages_end(
    const struct acre_slab *slab, const struct acre_slab_region *region)
{
    return region->base + (region->pages << slab->page_log2);
}

/* ---- slab_pagemap.c: from an address to a record and back ---- */

/* The region that has an address in its pages; null: there is none. O(log regions). */
struct acre_slab_region *acre_slab_find_region(const struct acre_slab *slab, uintptr_t at);

/* The last region that starts below an address; null: there is none. O(log regions). */
struct acre_slab_region *acre_slab_find_region_below(const struct acre_slab *slab, uintptr_t at);

/* The address and entry of the page that a record outside the main map describes. O(regions). */
struct slab_page_place acre_slab_page_place_other(
    const struct acre_slab *slab, const struct acre_slab_page *page);

/* The number of a record in the main map. For a record outside, on either side: a number that is
 * not below slab->pages. */
ACRE_INLINE size_t slab_main_number(const struct acre_slab *slab, const struct acre_slab_page *page)
{
    return acre_divide((uintptr_t)page - (uintptr_t)slab->records, sizeof(*page));
}

/* The address and entry of a page of the main map. */
ACRE_INLINE struct slab_page_place slab_main_place(const struct acre_slab *slab, size_t number)
{
    return (struct slab_page_place){ slab->base + (number << slab->page_log2),
        slab->page_map + number };
}

/* The address and entry of the page that a record describes. O(1) in the main map, else
 * O(regions). */
ACRE_INLINE struct slab_page_place slab_page_place(
    const struct acre_slab *slab, const struct acre_slab_page *page)
{
    size_t number = slab_main_number(slab, page);
    if (!ACRE_ONE_REGION && ACRE_UNLIKELY(number >= slab->pages))
        return acre_slab_page_place_other(slab, page);
    return slab_main_place(slab, number);
}

/* Whether a byte offset in an array is the start of one of its first `count` records. */
ACRE_INLINE bool slab_is_record_at(uintptr_t offset, size_t count)
{
    size_t number = acre_divide(offset, sizeof(struct acre_slab_page));
    return number < count && number * sizeof(struct acre_slab_page) == offset;
}

/* Whether a link points to a record of this allocator, whose index of regions is sound. O(levels). */
bool acre_slab_is_record(const struct acre_slab *slab, const struct acre_slab_page *page);

/* Points the entries of a new slab's pages to its record, and clears stale entries of a longer slab
 * that began at the same record. O(pages). */
void acre_slab_map_slab(struct acre_slab *slab, struct acre_slab_page *page, size_t pages,
    struct acre_slab_page **entry);

/* Gives a new region, which is in the list, its part of a map: in a shared map with a gap where its
 * pages lie, else in a map of its own. Does not write its records. O(regions that share the map +
 * pages). */
void acre_slab_enter_map(struct acre_slab *slab, struct acre_slab_region *region);

/* Makes a new region, which is in the list, the map owner of itself and of the regions in the map
 * of `low`, as far down as the new map reaches. O(regions that share the map + pages). */
void acre_slab_share_map(
    struct acre_slab *slab, const struct acre_slab_region *low, struct acre_slab_region *region);

/* Turns the records of a region that has left the list into guards. If other regions share its map,
 * moves their records to maps of their own. O(regions that share the map + pages). */
void acre_slab_leave_map(struct acre_slab *slab, struct acre_slab_region *region);

/* The lowest region of the shared map that a region owns. O(regions that share it). */
struct acre_slab_region *acre_slab_lowest_sharing(const struct acre_slab_region *owner);

/* To be called when a region has entered a map: makes this the main map if it has more pages than
 * the main map, or updates it if it is the main map. O(regions that share the map). */
void acre_slab_enter_main_map(struct acre_slab *slab, const struct acre_slab_region *region);

/* To be called when a region, whose first page was at `base`, has left a map: if that was the main
 * map, makes the map with most pages the main map. O(regions), O(1) if it was not. */
void acre_slab_leave_main_map(struct acre_slab *slab, uintptr_t base);

/* The record to which the page-map entry of an address outside the main map points; null: the
 * address is in no region. O(1) if the region cache has the region, else O(log regions). */
struct acre_slab_page *acre_slab_find_page(const struct acre_slab *slab, uintptr_t at);

/* ---- slab_run.c: runs of pages ---- */

/* Frees a run, whose records are blank, and merges it with free neighbours. Returns ACRE_OK, so
 * that callers can make it their tail call. */
enum acre_status acre_slab_run_free(
    struct acre_slab *slab, struct acre_slab_page *page, size_t pages);

/* Allocates a run of `pages` pages at a multiple of `align`, a power of two, with blank records.
 * Null if there is none; nothing has changed then. */
struct acre_slab_page *acre_slab_run_alloc(struct acre_slab *slab, size_t pages, size_t align);

/* As acre_slab_run_alloc, at any page. */
struct acre_slab_page *acre_slab_run_alloc_any(struct acre_slab *slab, size_t pages);

/* Takes `pages` pages at a multiple of `align` out of a free run that has room for them. */
struct acre_slab_page *acre_slab_run_carve(
    struct acre_slab *slab, struct acre_slab_page *run, size_t pages, size_t align);

/* Whether a run of `whole` pages has room for `pages` pages at a multiple of `align`. */
bool acre_slab_run_fits(const struct acre_slab *slab, const struct acre_slab_page *run,
    size_t whole, size_t pages, size_t align);

/* Takes the first pages of a free run. */
void acre_slab_run_take_front(struct acre_slab *slab, struct acre_slab_page *run, size_t pages);

/* Pages of the longest free run. */
size_t acre_slab_run_longest(const struct acre_slab *slab);

/* ---- slab_constants.c, slab_small.c ---- */

/* Sets the constants of the classes and the watermark, all of which follow from the page size. */
void acre_slab_set_constants(struct acre_slab *slab);

/* ---- slab_class.c, slab_small.c: slabs of a class ---- */

/* Leaves every class without a current slab and without partial slabs. */
void acre_slab_clear_classes(struct acre_slab *slab);

/* Pages of the longest run that acre_slab_reclaim_run finds at any alignment. */
size_t acre_slab_longest_run(const struct acre_slab *slab);

/* ---- slab_class.c ---- */

/* Destroys the current slab of a class, which is empty. */
void acre_slab_destroy_current(struct acre_slab *slab, unsigned size_class);

/* Destroys the current slabs in a region, all of which are empty. */
void acre_slab_destroy_current_in(struct acre_slab *slab, const struct acre_slab_region *region);

/* Makes a partial slab current in place of one that is full. */
void acre_slab_use_partial(
    struct acre_slab *slab, unsigned size_class, struct acre_slab_page *page);

/* Makes a partial slab current in place of one that is full; false if none has enough free
 * objects. */
bool acre_slab_reuse_partial(struct acre_slab *slab, unsigned size_class, bool ample);

/* Makes a new slab of the length due (usual, or half while memory is short) current; false if no
 * run is so long. */
bool acre_slab_new_slab(struct acre_slab *slab, unsigned size_class, bool ample);

/* Makes sure that the current slab has a free object; false if there is no memory for one. */
bool acre_slab_refill(struct acre_slab *slab, unsigned size_class);

/* The last step of a free that emptied a slab which was not full before: destroys the slab, and
 * calls on_released, unless it is current. */
enum acre_status acre_slab_became_empty(struct acre_slab *slab, struct acre_slab_page *page);

/* The last step of a free into a slab that was full: the slab is partial now, or empty. */
enum acre_status acre_slab_became_partial(struct acre_slab *slab, struct acre_slab_page *page);

/* To be called when acre_slab_run_alloc has failed: destroys empty slabs where that makes room, and
 * takes the run there; null if there is no such place. */
struct acre_slab_page *acre_slab_reclaim_run(struct acre_slab *slab, size_t pages, size_t align);

/* Calls on_released after a free that has returned the pages of `blocks` blocks. */
ACRE_INLINE void slab_notify_released(const struct acre_slab *slab, size_t blocks)
{
    if (slab->on_released != NULL)
        slab->on_released(slab->on_released_arg, blocks);
}

/* ---- slab_slow.c: the slow paths of alloc and dealloc ---- */

/* Serves any request that the fast paths do not. */
struct acre_ptr acre_slab_alloc_slow(struct acre_slab *slab, struct acre_layout layout);

/* Serves a request above the largest class, or of 0 bytes, whose alignment every page has. */
struct acre_ptr acre_slab_alloc_large(struct acre_slab *slab, struct acre_layout layout);

/* Serves a request of a class whose current slab is full. */
struct acre_ptr acre_slab_alloc_refill(
    struct acre_slab *slab, struct acre_layout layout, unsigned size_class);

/* Raises the peak and ends the alloc of the block at an address. */
struct acre_ptr acre_slab_alloc_peak(struct acre_slab *slab, uintptr_t at);

/* Frees a pointer that the fast path does not: into a full slab, to a run, or to no block. */
enum acre_status acre_slab_dealloc_slow(
    struct acre_slab *slab, void *ptr, struct acre_slab_page *page);

/* ---- slab_block.c: live blocks ---- */

/* The live block that starts at a pointer; false when none does. O(1), and O(log regions) outside
 * the main map. */
bool acre_slab_find_block(const struct acre_slab *slab, const void *ptr, struct slab_block *block);

/* Whether a request of this layout could have been given this block. */
bool acre_slab_block_has_layout(const struct acre_slab *slab, uintptr_t at,
    const struct slab_block *block, struct acre_layout layout);

/* Resizes a block in place; false when that cannot be done. */
bool acre_slab_resize_block(struct acre_slab *slab, const struct slab_block *block, size_t size);

#endif
