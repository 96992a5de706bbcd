/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What buddy's fast paths keep beside the regions: quick lists, and a copy of the cached region's
 * bounds. A small build (ACRE_MAX_POOL) keeps neither.
 */
#ifndef ACRE_SRC_BUDDY_BUDDY_FAST_H
#define ACRE_SRC_BUDDY_BUDDY_FAST_H

#include "buddy/buddy_private.h"

#if ACRE_MAX_POOL == 0

/* ---- the cached region ---- */

/* Makes a region the cached one; null: none. O(1). */
ACRE_INLINE void buddy_cache_region(struct acre_buddy *buddy, struct acre_buddy_region *region)
{
    buddy->cached = region;
    buddy->base = region != NULL ? region->base : 0;
    buddy->pairs = region != NULL ? region->pairs : 0;
    buddy->states = region != NULL ? region->pair_states : NULL;
}

/* Sets what the cached region has of a region: its pairs from the first even block on. */
ACRE_INLINE void buddy_set_pairs(const struct acre_buddy *buddy, struct acre_buddy_region *region)
{
    uintptr_t even = region->first + (region->first & 1);
    region->base = even << buddy_smallest_log2(buddy);
    region->pairs = (region->count - (even - region->first) + 1) / 2;
    region->pair_states = region->states + (even - region->first);
}

/* Whether a region has the pairs that buddy_set_pairs() gives it. */
ACRE_INLINE bool buddy_has_sound_pairs(
    const struct acre_buddy *buddy, const struct acre_buddy_region *region)
{
    struct acre_buddy_region expected = *region;
    buddy_set_pairs(buddy, &expected);
    return region->base == expected.base && region->pairs == expected.pairs &&
           region->pair_states == expected.pair_states;
}

/* Whether a region, or none when it is null, is the cached one. */
ACRE_INLINE bool buddy_is_cached(
    const struct acre_buddy *buddy, const struct acre_buddy_region *region)
{
    struct acre_buddy expected = { .pair_log2 = buddy->pair_log2 };
    buddy_cache_region(&expected, (struct acre_buddy_region *)(uintptr_t)region);
    return buddy->cached == region && buddy->base == expected.base &&
           buddy->pairs == expected.pairs && buddy->states == expected.states;
}

/* ---- buddy_free.c: regions by their largest free block ---- */

/* What a region's fields say of the order of its largest free block. */
ACRE_INLINE void buddy_set_largest_from(struct acre_buddy_region *region)
{
    bool none = region->largest == BUDDY_NONE;
    region->largest_from = none ? BUDDY_NO_BIT : buddy_first_index(region, region->largest);
    region->larger_from =
        none || region->seam ? 0 : buddy_first_index(region, region->largest + 1U);
}

/* Sets what a region has when no block is free; it is on no list. */
void acre_buddy_forget_largest(struct acre_buddy_region *region);

/* The same for one that may be on a list. */
void acre_buddy_leave_orders(struct acre_buddy *buddy, struct acre_buddy_region *region);

/* The region whose largest free block is the smallest of those that serve an order; null: none. */
ACRE_INLINE struct acre_buddy_region *buddy_find_serving(
    const struct acre_buddy *buddy, unsigned order)
{
    ACRE_ASSERT(order < ACRE_WORD_BITS); /* a class is, and an order is not above its class */
    size_t orders = buddy->orders >> order;
    return orders != 0 ? buddy->by_order[order + acre_bits_lowest(orders)] : NULL;
}

/* For the checker: what breaks BUDDY-11, or null. O(regions). */
const void *acre_buddy_find_bad_order(const struct acre_buddy *buddy);

/* ---- buddy_quick.c: quick lists ---- */

/* A class's quick list. `size_class` times the size of an entry is taken in 32 bits, which saves an
 * instruction that would widen the class. */
ACRE_INLINE struct acre_buddy_class *buddy_class(struct acre_buddy *buddy, unsigned size_class)
{
    unsigned offset = size_class * (unsigned)sizeof(buddy->classes[0]);
    uintptr_t at = (uintptr_t)buddy->classes + offset;
    return (struct acre_buddy_class *)at;
}

/* Number of blocks on a quick list. */
ACRE_INLINE size_t buddy_quick_count(const struct acre_buddy_class *list)
{
    return list->used / sizeof(struct acre_buddy_quick_block);
}

/* The entry `offset` bytes after the first. */
ACRE_INLINE struct acre_buddy_quick_block *buddy_quick_entry(
    const struct acre_buddy_class *list, size_t offset)
{
    uintptr_t at = (uintptr_t)list->entries + offset;
    return (struct acre_buddy_quick_block *)at;
}

/* Place among the classes of one of the ACRE_BUDDY_QUICK_LISTS lists. */
ACRE_INLINE unsigned buddy_class_of_list(const struct acre_buddy *buddy, unsigned list)
{
    return list < ACRE_BUDDY_QUICK_ORDERS ? list + buddy->bias : BUDDY_ODD;
}

/* Order of a list's blocks. */
ACRE_INLINE unsigned buddy_order_of_list(unsigned list)
{
    return list < ACRE_BUDDY_QUICK_ORDERS ? list : 0;
}

/* Size of a class's blocks in smallest blocks: 0 when no block is that large, or that small. */
ACRE_INLINE size_t buddy_class_size(const struct acre_buddy *buddy, unsigned size_class)
{
    if (size_class == BUDDY_ODD)
        return 1;
    bool exists = size_class >= buddy->bias && size_class < ACRE_WORD_BITS - 1;
    return exists ? buddy_size(size_class - buddy->bias) : 0;
}

/* Makes all quick lists empty, and gives them room for so many blocks. */
void acre_buddy_init_quick(struct acre_buddy *buddy, unsigned depth);

/* Merges all blocks on quick lists. O(blocks there * log n). */
void acre_buddy_flush_quick(struct acre_buddy *buddy);

/* Makes room on the full list of an order above 0, whose last entries are adjacent blocks, each
 * `step` bytes above the one after it: a whole aligned group of BUDDY_GROUP of them leaves the list
 * and merges as one; where there is none yet, the block before them leaves. Returns how many left.
 * O(log n). */
size_t acre_buddy_flush_run(
    struct acre_buddy *buddy, struct acre_buddy_class *list, uintptr_t step, unsigned order);

/* Splits a block that is in no set, while the quick lists of `order` are empty, into blocks of that
 * order: all but the first one go on their lists as far as there is room, and what lies above those
 * becomes free. O(log n). */
void acre_buddy_refill_quick(struct acre_buddy *buddy, struct acre_buddy_region *region,
    uintptr_t block, unsigned from, unsigned order);

/* Whether a block of an order is on its quick list. O(blocks there). */
bool acre_buddy_is_quick(const struct acre_buddy *buddy, uintptr_t block, unsigned order);

/* Merges the blocks on quick lists that lie in so many smallest blocks from `first` on.
 * O(blocks on quick lists), and O(log n) for each of those. */
void acre_buddy_flush_within(struct acre_buddy *buddy, uintptr_t first, size_t count);

/* One more than the highest order that an alloc could have, the quick lists flushed if need be; 0:
 * none. O(quick blocks squared * orders), which is bounded. */
unsigned acre_buddy_best_order(const struct acre_buddy *buddy);

/* The most blocks on each quick list. */
ACRE_INLINE unsigned buddy_quick_depth(const struct acre_buddy *buddy)
{
    return buddy->quick_depth;
}

/* For the checker: the first list whose entries are not those of its class within its limit, or
 * null; the first entry whose block or state byte is another one's, or null; and the blocks on all
 * lists. O(quick blocks * regions). */
const void *acre_buddy_find_bad_list(const struct acre_buddy *buddy);
const void *acre_buddy_find_bad_entry(const struct acre_buddy *buddy);
size_t acre_buddy_count_quick(const struct acre_buddy *buddy);

#else
#include "buddy/buddy_small.h"
#endif

#endif
