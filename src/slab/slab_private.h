/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab: layout, invariants, and what its files share.
 *
 * A region, from its lowest address on:
 *
 *   | descriptor | guard | record | record | ... | guard | head | head | ... | page | page | ... |
 *
 * Its records are its *table*. Regions that lie one behind the other can share one, that of the
 * topmost of them, their *host*; the tables of the others lie unused then. They are a *window*: the
 * range of pages from the first one of the lowest to the last one of the host, with one record for
 * each, so that a pointer into any of them finds its record without the region being known. The
 * hot paths look at the window with most pages.
 *
 * A slab of three pages:
 *
 *   heads:    | its record        | its record        | its record        |
 *   records:  | free, magic, ...  | blank             | back = 2 records  |
 *   pages:    |  0  |  1  |  2  |  3  |  4  |  5  |  6  |  7  |  8  |  rest  |
 *
 * An offset from the slab's start leads to a bit by an exact division; what lies in the rest leads
 * to a bit that is set as that of a free object is.
 *
 * A free run has its length in the records of its first and last page, a live one in its first.
 * When a slab goes, its heads stay: they lead to a record that is no slab's, until there are others
 * or a slab begins there that is shorter.
 *
 * Invariants; in brackets the cost of keeping each:
 *   SLAB-1  regions are in ascending order and share no byte, and those remembered by address are
 *           among them [add: O(regions); remove: a step an entry]
 *   SLAB-2  pages between the guards are tiled by slabs, live runs and free runs; a page's head
 *           leads to its slab, or to no slab where it is in none [a store a page of a new slab]
 *   SLAB-3  no two free runs adjoin; each is in the list of its length [O(1) a run]
 *   SLAB-4  bits of lists are set just where the list is not empty [one bit a run]
 *   SLAB-5  a slab's clear bits are those of its live objects; the highest bit is set [none]
 *   SLAB-6  a slab's magic is its class's, but 0 for a full one that is not at hand [a store when a
 *           slab fills or ceases to be full]
 *   SLAB-7  a slab is at hand, or full, or in its class's ring; an empty one is at hand [a list
 *           operation when a slab fills, ceases to be full, or empties]
 *   SLAB-8  the counts are the sums over all blocks [two adds a call]
 *   SLAB-9  the constants of page and classes agree [setup]
 *   SLAB-10 the regions from the lowest one of a window to its host have their records in the
 *           host's table, where those of what lies between them are guards; one such window is
 *           looked at [add and remove: O(regions + pages of the window)]
 */
#ifndef ACRE_SRC_SLAB_PRIVATE_H
#define ACRE_SRC_SLAB_PRIVATE_H

#include "base/arith.h"

#include <acre/slab.h>

enum slab_state {
    SLAB_BLANK = 0, /* not the first page of anything */
    SLAB_FREE = 1,  /* first or last page of a free run */
    SLAB_RUN = 2,   /* first page of a live run */
    SLAB_OBJECTS = 3,
    SLAB_MIXED = 4, /* as SLAB_OBJECTS; an object of it serves a layout of a smaller class */
    SLAB_GUARD = 5
};

enum {
    SLAB_WORD_BITS = 8 * sizeof(size_t),
    SLAB_WORD_LOG2 = sizeof(size_t) == 8 ? 6 : 5,
    SLAB_MOST_OBJECTS = SLAB_WORD_BITS - 1, /* so that a set bit can always be found */
    SLAB_MOST_PAGES = 32,                   /* of a slab: each has to be told of it */
    SLAB_LINEAR_RUNS = 32,                  /* shorter runs have a list each */
    /* While a part SLAB_PLENTY of the largest region is free in one run, a new slab is made rather
     * than one brought to hand that has less than the part SLAB_RICH of its objects free: each
     * costs two slow calls on its way. When there is less, the fullest is brought to hand, so that
     * others empty, and SLAB_NEAR larger classes are asked for an object before a slab is made. */
    SLAB_PLENTY = 4,
    SLAB_PLENTY_SPREAD = 16, /* the same where there are several regions to be free */
    SLAB_RICH = 4,
    SLAB_NEAR = 8,
    SLAB_LOOKS = 2,      /* slabs looked at, at most */
    SLAB_SMALL_PART = 64 /* of all pages that a slab has at most, where one object fits in */
};

#define SLAB_NO_LIST ((size_t)ACRE_SLAB_RUN_LISTS)

struct acre_slab_region {
    struct acre_slab_region *next;
    uintptr_t start; /* what the caller gave */
    size_t size;
    uintptr_t base; /* the first page */
    size_t pages;
    struct acre_slab_page *records; /* of the guard in front of the first page, in a table */
    struct acre_slab_page **heads;  /* of the pages, behind the records of that table */
    struct acre_slab_region *host;  /* the region whose table that is: this one, or the topmost of
                                     * its window */
    uintptr_t table_base;           /* the page that the table's second record is of */
    /* Of a guard, the pages from table_base to the last one of this region, and another guard. What
     * is no region's is a guard. Behind them, the heads of these pages. Unused where another one is
     * the host. */
    struct acre_slab_page table[];
};

/* Where the parts of a region go. */
struct slab_place {
    uintptr_t table_base;
    uintptr_t base;
    size_t pages;
};

/* ---- pages and records ---- */

ACRE_INLINE size_t slab_page_size(const struct acre_slab *slab)
{
    return (size_t)1 << slab->page_log2;
}

/* Bytes up to the largest class. */
ACRE_INLINE size_t slab_largest(const struct acre_slab *slab)
{
    return (size_t)slab->sizes * ACRE_SLAB_UNIT;
}

/* Pages that so many bytes take; 0 bytes take none. Cannot overflow. */
ACRE_INLINE size_t slab_pages_of(const struct acre_slab *slab, size_t size)
{
    return (size >> slab->page_log2) + ((size & (slab_page_size(slab) - 1)) != 0);
}

ACRE_INLINE bool slab_is_slab(const struct acre_slab_page *page)
{
    return page->state == SLAB_OBJECTS || page->state == SLAB_MIXED;
}

/* Whether a slab of so many objects has a free one. */
ACRE_INLINE bool slab_has_free(const struct acre_slab_page *page, uint32_t count)
{
    return acre_bits_lowest(page->free) < count;
}

ACRE_INLINE bool slab_is_empty(const struct acre_slab_page *page)
{
    return page->free == SIZE_MAX;
}

/* Bytes of an object of a class. */
ACRE_INLINE size_t slab_class_size(unsigned size_class)
{
    if (size_class < 16)
        return ((size_t)size_class + 1) * ACRE_SLAB_UNIT;
    return (size_t)(288 + 32 * ((size_class - 16) % 8)) << ((size_class - 16) / 8);
}

/* The class that serves a size up to the largest class's. */
ACRE_INLINE unsigned slab_class_of(const struct acre_slab *slab, size_t size)
{
    return slab->class_of[(size - (size != 0)) / ACRE_SLAB_UNIT];
}

/* Which slot of a slab an offset is the start of; SLAB_WORD_BITS when none's. */
ACRE_INLINE size_t slab_index(uint32_t offset, uint32_t magic)
{
    uint64_t product = (uint64_t)offset * magic;
    return (uint32_t)product < magic ? (size_t)(product >> 32) : (size_t)SLAB_WORD_BITS;
}

/* Objects of a class that so many pages hold; the product is exact below 2^17 pages' bytes. */
ACRE_INLINE uint32_t slab_count(const struct acre_slab *slab, unsigned size_class, size_t pages)
{
    uint64_t bytes = (uint64_t)pages << slab->page_log2;
    uint32_t count = (uint32_t)(bytes * slab->magic[size_class] >> 32);
    return count < SLAB_MOST_OBJECTS ? count : SLAB_MOST_OBJECTS;
}

/* Whether any slab of a class has a free object. */
ACRE_INLINE bool slab_has_object(const struct acre_slab *slab, unsigned size_class)
{
    return slab->partial[size_class] != NULL ||
           slab_has_free(slab->hand[size_class], slab->count[size_class]);
}

/* Bits that are set when the part SLAB_RICH of a slab's objects is free. */
ACRE_INLINE unsigned slab_free_bits_of_rich(const struct acre_slab_page *page)
{
    return (unsigned)SLAB_WORD_BITS - page->count + page->count / (unsigned)SLAB_RICH;
}

/* Live objects of a slab. */
ACRE_INLINE unsigned slab_live(const struct acre_slab_page *page)
{
    return acre_bits_count(~page->free);
}

/* ---- rings of records ---- */

/* Enters a record as the last of a ring. */
ACRE_INLINE void slab_append(struct acre_slab_page **ring, struct acre_slab_page *page)
{
    struct acre_slab_page *first = *ring != NULL ? *ring : page;
    struct acre_slab_page *last = *ring != NULL ? first->prev : page;
    page->next = first;
    page->prev = last;
    last->next = page;
    first->prev = page;
    *ring = first;
}

ACRE_INLINE void slab_unlist(struct acre_slab_page **ring, struct acre_slab_page *page)
{
    struct acre_slab_page *next = page->next;
    next->prev = page->prev;
    page->prev->next = next;
    if (*ring == page)
        *ring = next != page ? next : NULL;
}

/* ---- lists of free runs ---- */

ACRE_INLINE size_t slab_run_list(size_t pages)
{
    if (pages < SLAB_LINEAR_RUNS)
        return pages;
    unsigned log2 = acre_bits_highest(pages);
    return SLAB_LINEAR_RUNS + 4 * (size_t)(log2 - 5) + ((pages >> (log2 - 2)) & 3);
}

/* The list from which on runs are plenty. */
ACRE_INLINE size_t slab_plenty_list(const struct acre_slab *slab)
{
    bool spread = slab->regions != NULL && slab->regions->next != NULL;
    size_t part = spread ? SLAB_PLENTY_SPREAD : SLAB_PLENTY;
    return slab_run_list(slab->widest / part + 1);
}

/* Pages from the first one of the lowest region of a window to the last one of its host. */
ACRE_INLINE size_t slab_window_pages(const struct acre_slab *slab,
    const struct acre_slab_region *lowest, const struct acre_slab_region *host)
{
    return ((host->base - lowest->base) >> slab->page_log2) + host->pages;
}

/* Records in a region's table, the guards at its ends included. */
ACRE_INLINE size_t slab_table_records(
    const struct acre_slab *slab, const struct acre_slab_region *region)
{
    return ((region->base - region->table_base) >> slab->page_log2) + region->pages + 2;
}

/* The heads of the pages from a table's base on. */
ACRE_INLINE struct acre_slab_page **slab_table_heads(
    const struct acre_slab *slab, struct acre_slab_region *region)
{
    return (struct acre_slab_page **)(void *)(region->table + slab_table_records(slab, region));
}

/* Where the heads of a table end. */
ACRE_INLINE uintptr_t slab_table_end(
    const struct acre_slab *slab, const struct acre_slab_region *region)
{
    size_t records = slab_table_records(slab, region);
    return (uintptr_t)(region->table + records) + (records - 2) * sizeof(struct acre_slab_page *);
}

/* Makes pages lead to no slab. */
ACRE_INLINE void slab_behead(struct acre_slab *slab, struct acre_slab_page **heads, size_t pages)
{
    for (size_t i = 0; i < pages; i++)
        heads[i] = &slab->none;
}

/* The first page behind the metadata of a region. */
ACRE_INLINE uintptr_t slab_base_behind(
    const struct acre_slab *slab, uintptr_t start, size_t metadata)
{
    uintptr_t place = acre_align_up(start, ACRE_ALIGNOF(struct acre_slab_region));
    return acre_align_up(place + metadata, slab_page_size(slab));
}

/* Where the region is remembered that an address was found in: one entry a 128 KiB, in turns. */
ACRE_INLINE struct acre_slab_region **slab_near(struct acre_slab *slab, uintptr_t at)
{
    return &slab->near[(at >> 17) % ACRE_SLAB_NEAR];
}

/* The record of the slab that a record is the last page of, when it is that of one; any other
 * record of the region when it is not. */
ACRE_INLINE struct acre_slab_page *slab_first(struct acre_slab_page *last)
{
    return last - last->back;
}

/* Whether so long a run is free that pages need not be spared. */
ACRE_INLINE bool slab_has_plenty(const struct acre_slab *slab)
{
    size_t at = slab->plenty >> SLAB_WORD_LOG2;
    size_t word = slab->nonempty[at] >> (slab->plenty % SLAB_WORD_BITS);
    while (word == 0 && ++at < ACRE_SLAB_RUN_WORDS)
        word = slab->nonempty[at];
    return word != 0;
}

/* ---- slab.c ---- */

/* Counts a block handed out. */
struct acre_ptr acre_slab_hand_out(struct acre_slab *slab, uintptr_t at, size_t bytes);

/* ---- slab_run.c: runs of pages ---- */

/* The region whose record this is: the window's, else O(regions). */
struct acre_slab_region *acre_slab_region_with(
    const struct acre_slab *slab, const struct acre_slab_page *page);

/* The region an address lies in the pages of; null when there is none. O(regions). */
struct acre_slab_region *acre_slab_region_of(const struct acre_slab *slab, uintptr_t at);

/* Where the page a record is of lies, and the entry that leads from it to its slab. */
struct slab_spot {
    uintptr_t at;
    struct acre_slab_page **head;
};

struct slab_spot acre_slab_spot(const struct acre_slab *slab, const struct acre_slab_page *page);

/* Enters a free run whose records are blank, merging it with its neighbours; the first page of what
 * results. */
struct acre_slab_page *acre_slab_run_give(
    struct acre_slab *slab, struct acre_slab_page *page, size_t pages);

/* A run of so many pages at a multiple of `align`, a power of two, out of the free ones; null when
 * there is none, and then nothing has changed. Its records are blank. */
struct acre_slab_page *acre_slab_run_take(struct acre_slab *slab, size_t pages, size_t align);

/* The same where that failed; empty slabs at hand are given up where it helps. */
struct acre_slab_page *acre_slab_run_force(struct acre_slab *slab, size_t pages, size_t align);

/* Pages of the longest run that acre_slab_run_force would find at any alignment. */
size_t acre_slab_run_longest(const struct acre_slab *slab);

/* Takes the first pages of a free run, `page` being its first. */
void acre_slab_run_cut(struct acre_slab *slab, struct acre_slab_page *page, size_t pages);

/* ---- slab_objects.c: slabs ---- */

/* Gives up the slab at hand, which is empty. */
void acre_slab_drop_hand(struct acre_slab *slab, unsigned size_class);

/* Puts another slab to hand, the one there being full; false when none is worth it. */
bool acre_slab_next(struct acre_slab *slab, unsigned size_class, bool plenty);

/* The same with a new slab of full length; false when there is no room for one. */
bool acre_slab_new(struct acre_slab *slab, unsigned size_class);

/* Sees to it that the slab at hand has a free object; false when memory is short. */
bool acre_slab_bring(struct acre_slab *slab, unsigned size_class);

/* The last live object of a slab on the short way has been freed. */
enum acre_status acre_slab_emptied(struct acre_slab *slab, struct acre_slab_page *page);

/* An object of a slab that was full has been freed. */
enum acre_status acre_slab_opened(struct acre_slab *slab, struct acre_slab_page *page);

/* ---- slab_block.c: blocks handed out on the long way, and handed back ---- */

/* Any alloc; the short way is tried no more. */
struct acre_ptr acre_slab_alloc_far(struct acre_slab *slab, struct acre_layout layout);

/* An alloc from a class whose slab at hand is full. */
struct acre_ptr acre_slab_alloc_next(
    struct acre_slab *slab, struct acre_layout layout, unsigned size_class);

/* A live block. */
struct slab_block {
    struct acre_slab_page *page; /* the first of its slab or run */
    size_t bit;                  /* of the object; 0: a run */
    size_t size;                 /* usable bytes */
};

/* Proves a pointer to be the start of a live block; false when it is not. O(1), and O(regions) for
 * one in a region not worked in last. */
bool acre_slab_find(const struct acre_slab *slab, const void *ptr, struct slab_block *block);

/* The last step of a free that gave back the pages of so many blocks. */
ACRE_INLINE void slab_run_grown(const struct acre_slab *slab, size_t blocks)
{
    if (slab->on_released != NULL)
        slab->on_released(slab->on_released_arg, blocks);
}

/* ---- slab_region.c ---- */

/* What add_memory would say of a range of which so many pages would remain; changes nothing. */
enum acre_status acre_slab_offer(
    const struct acre_slab *slab, uintptr_t start, size_t size, size_t pages);

/* Enters a range that was found good into the list of regions and the counts; it has no records. */
struct acre_slab_region *acre_slab_insert_region(
    struct acre_slab *slab, uintptr_t start, size_t size, const struct slab_place *place);

/* Makes all of a region's pages one free run. */
void acre_slab_lay_pages(struct acre_slab *slab, struct acre_slab_region *region);

/* The last region that starts below an address; null: there is none. O(regions). */
struct acre_slab_region *acre_slab_region_below(const struct acre_slab *slab, uintptr_t at);

/* Whether nothing in a region is live: all that is not free are empty slabs at hand. */
bool acre_slab_is_all_free(const struct acre_slab_region *region);

/* Takes every slab from hand, without looking at it. */
void acre_slab_clear_hands(struct acre_slab *slab);

/* ---- slab_window.c: tables of records ---- */

/* Gives a region that was inserted its records, which are not written yet: in the table of the
 * window that it lies in a gap of, or in one of its own. O(regions + pages). */
void acre_slab_enter_window(struct acre_slab *slab, struct acre_slab_region *region);

/* Makes guards of the records of a region that is in no list any more. When others have theirs in
 * its table, these go to tables of their own, which have lain unused. O(regions + pages). */
void acre_slab_leave_window(struct acre_slab *slab, struct acre_slab_region *region);

/* Looks at the window with most pages. O(regions). */
void acre_slab_look_at_largest(struct acre_slab *slab);

#endif
