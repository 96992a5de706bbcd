/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The functions of buddy_fast.h, which includes this file, in a small build: there are no quick
 * lists.
 */
#ifndef ACRE_SRC_BUDDY_BUDDY_SMALL_H
#define ACRE_SRC_BUDDY_BUDDY_SMALL_H

ACRE_INLINE void buddy_cache_region(struct acre_buddy *buddy, struct acre_buddy_region *region)
{
    buddy->cached = region;
}

ACRE_INLINE void buddy_set_pairs(const struct acre_buddy *buddy, struct acre_buddy_region *region)
{
    (void)buddy;
    (void)region;
}

ACRE_INLINE bool buddy_has_sound_pairs(
    const struct acre_buddy *buddy, const struct acre_buddy_region *region)
{
    (void)buddy;
    (void)region;
    return true;
}

ACRE_INLINE bool buddy_is_cached(
    const struct acre_buddy *buddy, const struct acre_buddy_region *region)
{
    return buddy->cached == region;
}

/* NOT-COVERED-BEGIN: compiled, but called only behind ACRE_SMALL's constant */
ACRE_INLINE void buddy_set_largest_from(struct acre_buddy_region *region)
{
    (void)region;
}
/* NOT-COVERED-END */

ACRE_INLINE void acre_buddy_forget_largest(struct acre_buddy_region *region)
{
    (void)region;
}

ACRE_INLINE void acre_buddy_leave_orders(struct acre_buddy *buddy, struct acre_buddy_region *region)
{
    (void)buddy;
    (void)region;
}

ACRE_INLINE const void *acre_buddy_find_bad_order(const struct acre_buddy *buddy)
{
    (void)buddy;
    return NULL;
}

ACRE_INLINE void acre_buddy_init_quick(struct acre_buddy *buddy, unsigned depth)
{
    (void)buddy;
    (void)depth;
}

ACRE_INLINE void acre_buddy_flush_quick(struct acre_buddy *buddy)
{
    (void)buddy;
}

ACRE_INLINE bool acre_buddy_is_quick(
    const struct acre_buddy *buddy, uintptr_t block, unsigned order)
{
    (void)buddy;
    (void)block;
    (void)order;
    return false;
}

/* NOT-COVERED-BEGIN: called for blocks above that are not free, which only quick blocks make */
ACRE_INLINE void acre_buddy_flush_within(struct acre_buddy *buddy, uintptr_t first, size_t count)
{
    (void)buddy;
    (void)first;
    (void)count;
}
/* NOT-COVERED-END */

ACRE_INLINE unsigned buddy_quick_depth(const struct acre_buddy *buddy)
{
    (void)buddy;
    return 0;
}

ACRE_INLINE const void *acre_buddy_find_bad_list(const struct acre_buddy *buddy)
{
    (void)buddy;
    return NULL;
}

ACRE_INLINE const void *acre_buddy_find_bad_entry(const struct acre_buddy *buddy)
{
    (void)buddy;
    return NULL;
}

ACRE_INLINE size_t acre_buddy_count_quick(const struct acre_buddy *buddy)
{
    (void)buddy;
    return 0;
}

/* One more than the highest order of a free block; 0: none. O(regions). */
unsigned acre_buddy_best_order(const struct acre_buddy *buddy);

#endif
