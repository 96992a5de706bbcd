/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The regions of one allocator, in order of address, and the rules of overlap that all allocators
 * share. A region's descriptor lies in the metadata of its allocator and begins with a struct
 * acre_region; the set adds and removes descriptors and allocates nothing.
 *
 *   struct acre_NAME_region { struct acre_region region; ... };
 *
 * A range is [start, start + size). It may end at the top of the address space: its end is then 0,
 * so that ends are never compared, only offsets (address - start < size).
 *
 * A region has its metadata inside its range (meta_size is 0) or apart. The range of a region of
 * integers (physical memory, offsets in a file, ids) names no addresses of this program: it is not
 * compared with addresses of metadata or of the allocator's struct.
 *
 * Addresses are looked up in an index (region_index.c), a radix tree whose nodes stand before the
 * descriptors of all regions but small ones: 4 bits of the address per level, and no level where
 * all starts agree, so that 512 regions of one size take three levels and no number takes more than
 * 16. Among small regions, which bring no nodes, a lookup takes O(small regions) as well.
 *
 * A table (region_table.c) leads to regions in one step. It takes memory of its own, which a layer above
 * that knows where regions will lie, a heap, may give: 8 bytes for each 16 KiB. The root of the index
 * then stands in the table, which the index finds what the table does not know.
 *
 * A small build (ACRE_MAX_POOL) has no index: its lookups walk the list, in O(regions), and its
 * regions hold their own metadata. The functions that allocators call choose between both.
 *
 * Invariants, in brackets the cost of keeping each:
 *   REGIONS-1  descriptors are linked in order of address, both ways [insert: O(levels)]
 *   REGIONS-2  no range is empty or wraps, and no two ranges share a byte [admit: O(levels), where
 *              metadata is given apart O(regions)]
 *   REGIONS-3  total is the sum of all sizes, and its part `apart` that of metadata given apart [two
 *              additions per call]
 *   REGIONS-4  the index leads to each region [insert, remove: 16 steps per level]
 *   REGIONS-5  a table has for each slot the highest region there [insert, remove: its slots]
 */
#ifndef ACRE_SRC_BASE_REGIONS_H
#define ACRE_SRC_BASE_REGIONS_H

#include "base/arith.h"

#include <acre/regions.h>

enum {
    ACRE_SMALL = ACRE_MAX_POOL != 0,               /* a build for a small machine, */
    ACRE_ONE_REGION = ACRE_SMALL && !ACRE_REGIONS, /* which takes one region at a time, */
    ACRE_ANY_ALIGN = !ACRE_SMALL || ACRE_ALIGNED   /* or serves natural alignments only */
};

enum {
    ACRE_REGION_DIGIT = sizeof(size_t) == 8 ? 4 : 2, /* bits of the address per level */
    ACRE_REGION_WAYS = 1 << ACRE_REGION_DIGIT,
    ACRE_REGION_IS_NODE = 1,  /* in an entry: it is a node */
    ACRE_REGION_IS_TABLE = 2, /* in a set: the index begins with a table */
    ACRE_REGION_TABLE_LOG2 = 14,
    ACRE_REGION_NONE_WORDS = 24, /* as many as the largest descriptor has */
    ACRE_REGION_LEVELS = 8 * sizeof(size_t) / ACRE_REGION_DIGIT
};

/** Bytes of a region from which on it brings a node, which then takes less than a 21st of it. A
 * page of 4 KiB less what a heap keeps of it for itself is more. */
#define ACRE_REGION_NODE_LEAST ((size_t)3 << 10)

/** A node of the index: region_index.c describes it. */
struct acre_region_node {
    uintptr_t base;
    size_t shift;
    uintptr_t entries[ACRE_REGION_WAYS];
};

/** A table of regions. Its slots are of (1 << ACRE_REGION_TABLE_LOG2) bytes each, from base on. */
struct acre_region_table {
    uintptr_t root; /* of the index */
    uintptr_t base;
    size_t slots;
    size_t none[ACRE_REGION_NONE_WORDS]; /* a descriptor of no region: all 0, so it has no byte */
    struct acre_region *entries[];       /* highest region with a byte in the slot, or `none` */
};

/** The first member of every descriptor. */
struct acre_region {
    struct acre_region *next; /* the region above; null: there is none */
    struct acre_region *prev; /* the region below; null: there is none */
    uintptr_t start;          /* as given */
    size_t size;              /* bytes; ids: ids */
    uintptr_t meta;           /* start of the metadata given apart; 0 when in band */
    size_t meta_size;         /* bytes there; 0 when in band */
    bool integers;            /* the range names no addresses of this program */
    bool has_node;            /* a node for the index stands before the descriptor */
    unsigned char
        unused[sizeof(size_t) - 2]; /* so that a copied descriptor has no undefined byte */
};

/** Bytes that a region of a size reserves before its descriptor. Pure. */
ACRE_INLINE size_t acre_region_node_size(size_t size)
{
    return !ACRE_SMALL && size >= ACRE_REGION_NODE_LEAST ? sizeof(struct acre_region_node) : 0;
}

/** Where the descriptor of a region of a size goes in metadata that begins at an address. Pure. */
ACRE_INLINE uintptr_t acre_region_place(uintptr_t metadata, size_t size)
{
    return acre_align_up(metadata, sizeof(size_t)) + acre_region_node_size(size);
}

/** Whether an address lies in a region. O(1). */
ACRE_INLINE bool acre_region_contains(const struct acre_region *region, uintptr_t at)
{
    return at - region->start < region->size;
}

/* ---- regions.c, region_index.c: with the index; O(levels) each ---- */

struct acre_region *acre_indexed_find(const struct acre_regions *regions, uintptr_t at);
struct acre_region *acre_indexed_floor(const struct acre_regions *regions, uintptr_t at);
struct acre_region *acre_indexed_starting_at(const struct acre_regions *regions, uintptr_t start);
bool acre_indexed_overlap(const struct acre_regions *regions, uintptr_t start, size_t size);
enum acre_status acre_indexed_admit(const struct acre_regions *regions,
    const struct acre_region *offer, const void *self, size_t self_size);
void acre_indexed_insert(struct acre_regions *regions, struct acre_region *region);
void acre_indexed_remove(struct acre_regions *regions, struct acre_region *region);
const struct acre_region *acre_indexed_find_broken(const struct acre_regions *regions);

/** Whether a range shares a byte with metadata that was given apart. O(regions), and O(1) while no
 * region has such metadata. */
bool acre_regions_overlap_metadata(
    const struct acre_regions *regions, uintptr_t start, size_t size);

/* ---- region_table.c ---- */

/** Bytes, at the alignment of a word, of a table for `range` bytes of addresses; 0: the range is
 * too small to need one. O(1), pure. */
size_t acre_region_table_size(size_t range);

/** Gives a set, not one of integers, memory of acre_region_table_size() bytes for a table of the
 * range from `start` on. Null: the set does without a table from now on. O(regions + slots). */
void acre_regions_set_table(
    struct acre_regions *regions, void *memory, uintptr_t start, size_t range);

/** Enters a region, which is linked, into the table, if there is one, and takes one out that still
 * is. O(slots of the region). */
void acre_region_table_insert(struct acre_regions *regions, struct acre_region *region);
void acre_region_table_remove(struct acre_regions *regions, const struct acre_region *region);

/** What an allocator's descriptor must not exceed where its set has a table. */
#define ACRE_REGION_FITS_NONE(descriptor)                                                          \
    _Static_assert(sizeof(descriptor) <= ACRE_REGION_NONE_WORDS * sizeof(size_t),                  \
        "in a slot without a region a table has zeros for all of a descriptor")

/** The address of an entry that breaks REGIONS-5; null: none does. O(regions + slots). */
const void *acre_region_table_find_broken(const struct acre_regions *regions);

/* ---- region_list.c: the list alone ---- */

/** Enters a region above `below`, the highest one below it, or null. O(1). */
void acre_region_link(
    struct acre_regions *regions, struct acre_region *region, struct acre_region *below);

/** Takes a region out of the list. O(1). */
void acre_region_unlink(struct acre_regions *regions, struct acre_region *region);

/** acre_regions_floor(). O(regions). */
struct acre_region *acre_region_list_floor(const struct acre_regions *regions, uintptr_t at);

/** acre_regions_admit() for a region that holds its own metadata. O(regions). */
enum acre_status acre_region_list_admit(const struct acre_regions *regions, uintptr_t start,
    size_t size, const void *self, size_t self_size);

/** The lowest descriptor that breaks REGIONS-1 or REGIONS-2; null: none does. O(regions). */
const struct acre_region *acre_region_list_find_broken(const struct acre_regions *regions);

/* ---- what allocators call; O(levels) each, in a small build O(regions) ---- */

/** The highest region that starts at or below an address; null: none does. */
ACRE_INLINE struct acre_region *acre_regions_floor(const struct acre_regions *regions, uintptr_t at)
{
    return ACRE_SMALL ? acre_region_list_floor(regions, at) : acre_indexed_floor(regions, at);
}

/** The region that contains an address; null: none does. */
ACRE_INLINE struct acre_region *acre_regions_find(const struct acre_regions *regions, uintptr_t at)
{
    if (!ACRE_SMALL)
        return acre_indexed_find(regions, at);
    struct acre_region *region = acre_region_list_floor(regions, at);
    return region != NULL && acre_region_contains(region, at) ? region : NULL;
}

/** The entry below one that is a node, for an address. From the entry the distances of both
 * members are constants, so that no instruction removes the mark. */
ACRE_INLINE uintptr_t acre_region_entry_below(uintptr_t entry, uintptr_t at)
{
    enum {
        SHIFT = offsetof(struct acre_region_node, shift) - ACRE_REGION_IS_NODE,
        ENTRIES = offsetof(struct acre_region_node, entries) - ACRE_REGION_IS_NODE
    };
    unsigned shift = (unsigned)*(const size_t *)(entry + SHIFT); /* a damaged one may be anything */
    uintptr_t slot = at >> (shift % (8 * sizeof(at))) & (ACRE_REGION_WAYS - 1);
    return *(const uintptr_t *)(entry + slot * sizeof(uintptr_t) + ENTRIES);
}

/** The table of a set; null: it has none. */
ACRE_INLINE struct acre_region_table *acre_regions_table(const struct acre_regions *regions)
{
    bool has = !ACRE_SMALL && (regions->index & ACRE_REGION_IS_TABLE) != 0;
    return has ? (struct acre_region_table *)(regions->index - ACRE_REGION_IS_TABLE) : NULL;
}

/** The root of the index. */
ACRE_INLINE uintptr_t acre_regions_root(const struct acre_regions *regions)
{
    const struct acre_region_table *table = acre_regions_table(regions);
    return table != NULL ? table->root : regions->index;
}

/** The region that the digits of an address lead to from the root, which is a node: no other one
 * contains it but the one below that, unless the digits that the index leaves out differ or regions
 * share a slot. O(levels). */
ACRE_INLINE struct acre_region *acre_regions_lead(uintptr_t root, uintptr_t at)
{
    uintptr_t entry = root;
    do
        entry = acre_region_entry_below(entry, at);
    while ((entry & ACRE_REGION_IS_NODE) != 0);
    return (struct acre_region *)entry;
}

/** The region that a table has for an address: no other one contains it but the one below that,
 * unless regions share a slot. In a slot without a region it is a descriptor that is all 0, whose
 * bounds no address meets. Null: there is no table, or it does not reach so far. O(1). */
ACRE_INLINE struct acre_region *acre_regions_in_table(
    const struct acre_regions *regions, uintptr_t at)
{
    enum { /* the mark is part of the distances */
        BASE = offsetof(struct acre_region_table, base) - ACRE_REGION_IS_TABLE,
        SLOTS = offsetof(struct acre_region_table, slots) - ACRE_REGION_IS_TABLE,
        ENTRIES = offsetof(struct acre_region_table, entries) - ACRE_REGION_IS_TABLE
    };
    if (ACRE_SMALL || (regions->index & ACRE_REGION_IS_TABLE) == 0)
        return NULL;
    uintptr_t table = regions->index;
    size_t slot = (at - *(const uintptr_t *)(table + BASE)) >> ACRE_REGION_TABLE_LOG2;
    if (ACRE_UNLIKELY(slot >= *(const size_t *)(table + SLOTS)))
        return NULL;
    table += slot * sizeof(struct acre_region *) + ENTRIES;
    struct acre_region *region = *(struct acre_region *const *)table;
    ACRE_ASSUME(region != NULL);
    return region;
}

/** The region that most likely contains an address, for paths where each instruction counts and
 * whose own bounds decide: where these say no, or for null, acre_regions_find() has to be asked.
 * It may be a descriptor that is all 0. */
ACRE_INLINE struct acre_region *acre_regions_find_likely(
    const struct acre_regions *regions, uintptr_t at)
{
    struct acre_region *region = NULL;
    if (!ACRE_SMALL && ACRE_LIKELY((regions->index & ACRE_REGION_IS_NODE) != 0)) {
        region = acre_regions_lead(regions->index, at);
        return at < region->start ? region->prev : region;
    }
    region = acre_regions_in_table(regions, at);
    return region != NULL && at < region->start ? region->prev : region;
}

/** The region that contains an address, for paths where each instruction counts. Null: none does, or
 * the short way through the index does not lead there, and acre_regions_find() has to be asked. */
ACRE_INLINE struct acre_region *acre_regions_find_short(
    const struct acre_regions *regions, uintptr_t at)
{
    if (ACRE_SMALL || ACRE_UNLIKELY((acre_regions_root(regions) & ACRE_REGION_IS_NODE) == 0))
        return NULL;
    struct acre_region *region = acre_regions_lead(acre_regions_root(regions), at);
    if (ACRE_LIKELY(acre_region_contains(region, at)))
        return region;
    region = region->prev;
    return region != NULL && acre_region_contains(region, at) ? region : NULL;
}

/** The region that starts at an address, as given; null: none does. */
ACRE_INLINE struct acre_region *acre_regions_starting_at(
    const struct acre_regions *regions, uintptr_t start)
{
    if (!ACRE_SMALL)
        return acre_indexed_starting_at(regions, start);
    struct acre_region *region = acre_region_list_floor(regions, start);
    return region != NULL && region->start == start ? region : NULL;
}

/** Whether a range, which is not empty, shares a byte with a region's range, of integers or not. */
ACRE_INLINE bool acre_regions_overlap(
    const struct acre_regions *regions, uintptr_t start, size_t size)
{
    if (!ACRE_SMALL)
        return acre_indexed_overlap(regions, start, size);
    const struct acre_region *floor = acre_region_list_floor(regions, start + (size - 1));
    return floor != NULL && acre_ranges_overlap(floor->start, floor->size, start, size);
}

/**
 * Whether a region may be added; changes nothing. O(levels), and O(regions) once there is metadata
 * given apart.
 * @param offer     start, size, meta, meta_size and integers are filled in; a small build takes
 *                  regions that hold their own metadata, the caller has refused others.
 * @param self      the allocator's struct, which owns its bytes.
 * @return ACRE_OK; ACRE_INVALID_PARAM: the range is empty, null or wraps, the metadata wraps, the
 * total would exceed SIZE_MAX, or a small build takes no more or no larger regions;
 * ACRE_MEMORY_OVERLAP: the range or the metadata shares a byte with the other, with memory owned,
 * or with self.
 */
ACRE_INLINE enum acre_status acre_regions_admit(const struct acre_regions *regions,
    const struct acre_region *offer, const void *self, size_t self_size)
{
    if (!ACRE_SMALL)
        return acre_indexed_admit(regions, offer, self, self_size);
    enum acre_status status =
        acre_region_list_admit(regions, offer->start, offer->size, self, self_size);
    bool refuse =
        offer->size > (size_t)ACRE_MAX_POOL || (ACRE_ONE_REGION && regions->first != NULL);
    return status == ACRE_OK && refuse ? ACRE_INVALID_PARAM : status;
}

/** Adds a region that may be added; its links are set here. */
ACRE_INLINE void acre_regions_insert(struct acre_regions *regions, struct acre_region *region)
{
    if (ACRE_SMALL)
        acre_region_link(regions, region,
            ACRE_ONE_REGION ? NULL : acre_region_list_floor(regions, region->start));
    else
        acre_indexed_insert(regions, region);
}

/** Removes a region of the set, whose descriptor stays readable. */
ACRE_INLINE void acre_regions_remove(struct acre_regions *regions, struct acre_region *region)
{
    if (ACRE_SMALL)
        acre_region_unlink(regions, region);
    else
        acre_indexed_remove(regions, region);
}

/** The lowest descriptor that breaks REGIONS-1, REGIONS-2 or REGIONS-4, or what breaks REGIONS-5;
 * null: none does. Follows the links of the list, and those of the index when all lead to nodes of
 * its regions. O(regions); with a table, O(regions + slots). */
ACRE_INLINE const struct acre_region *acre_regions_find_broken(const struct acre_regions *regions)
{
    return ACRE_SMALL ? acre_region_list_find_broken(regions) : acre_indexed_find_broken(regions);
}

/** Whether REGIONS-3 holds, where the others do. O(regions). */
bool acre_regions_total_agrees(const struct acre_regions *regions);

#endif
