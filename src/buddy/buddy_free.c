/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Buddy's blocks: the bitmap and its summaries, accounts, the validator, merging and splitting.
 */
#include "buddy/buddy_fast.h"

/* ---- the bitmap ---- */

ACRE_NOINLINE void acre_buddy_summarize_nonzero(struct acre_buddy_region *region, size_t index)
{
    index >>= ACRE_WORD_LOG2;
    for (unsigned level = 2; level < region->levels; level++) {
        index >>= ACRE_WORD_LOG2;
        size_t *word = &region->level[level][index >> ACRE_WORD_LOG2];
        size_t was = *word;
        ACRE_ASSERT((was & acre_bit(index)) == 0); /* BUDDY-6 */
        *word = was | acre_bit(index);
        if (was != 0)
            return;
    }
}

ACRE_NOINLINE void acre_buddy_summarize_zero(struct acre_buddy_region *region, size_t index)
{
    index >>= ACRE_WORD_LOG2;
    for (unsigned level = 2; level < region->levels; level++) {
        index >>= ACRE_WORD_LOG2;
        size_t *word = &region->level[level][index >> ACRE_WORD_LOG2];
        ACRE_ASSERT((*word & acre_bit(index)) != 0); /* BUDDY-6 */
        if ((*word ^= acre_bit(index)) != 0)
            return;
    }
}

size_t acre_buddy_find_after(const struct acre_buddy_region *region, size_t index)
{
    unsigned level = 0;
    size_t word;
    do {
        if (++level == region->levels)
            return BUDDY_NO_BIT;
        index = (index >> ACRE_WORD_LOG2) + 1;
        word = region->level[level][index >> ACRE_WORD_LOG2] >> (index % ACRE_WORD_BITS);
    } while (word == 0);
    index += acre_bits_lowest(word);
    while (level-- > 0)
        index = (index << ACRE_WORD_LOG2) + acre_bits_lowest(region->level[level][index]);
    return index;
}

unsigned acre_buddy_highest_order(const struct acre_buddy_region *region)
{
    size_t index = 0;
    for (unsigned level = region->levels; level-- > 0;) {
        size_t word = region->level[level][index];
        if (word == 0)
            return BUDDY_NONE;
        index = (index << ACRE_WORD_LOG2) + acre_bits_highest(word);
    }
    unsigned order = 0;
    while (index >= buddy_first_index(region, order + 1))
        order++;
    return order;
}

/* ---- regions by their largest free block ---- */

#if ACRE_MAX_POOL == 0

static void buddy_leave_order(struct acre_buddy *buddy, struct acre_buddy_region *region)
{
    struct acre_buddy_region *next = region->order_next;
    struct acre_buddy_region *prev = region->order_prev;
    if (next != NULL)
        next->order_prev = prev;
    if (prev != NULL)
        prev->order_next = next;
    else
        buddy->by_order[region->largest] = next;
    if (buddy->by_order[region->largest] == NULL)
        buddy->orders &= acre_bits_except(region->largest);
}

static void buddy_enter_order(struct acre_buddy *buddy, struct acre_buddy_region *region)
{
    struct acre_buddy_region *next = buddy->by_order[region->largest];
    region->order_next = next;
    region->order_prev = NULL;
    if (next != NULL)
        next->order_prev = region;
    buddy->by_order[region->largest] = region;
    buddy->orders |= acre_bit(region->largest);
}

void acre_buddy_forget_largest(struct acre_buddy_region *region)
{
    region->largest = BUDDY_NONE;
    buddy_set_largest_from(region);
    region->order_next = NULL;
    region->order_prev = NULL;
}

void acre_buddy_leave_orders(struct acre_buddy *buddy, struct acre_buddy_region *region)
{
    if (region->largest == BUDDY_NONE)
        return;
    buddy_leave_order(buddy, region);
    acre_buddy_forget_largest(region);
}

ACRE_NOINLINE void acre_buddy_update_largest(
    struct acre_buddy *buddy, struct acre_buddy_region *region)
{
    unsigned largest = acre_buddy_highest_order(region);
    if (largest != region->largest) {
        acre_buddy_leave_orders(buddy, region);
        region->largest = (unsigned char)largest;
        if (largest != BUDDY_NONE)
            buddy_enter_order(buddy, region);
    }
    buddy_set_largest_from(region);
}

#else

void acre_buddy_update_largest(struct acre_buddy *buddy, struct acre_buddy_region *region)
{
    (void)buddy;
    (void)region;
}

#endif

/* ---- accounts ---- */

void acre_buddy_account(struct acre_buddy *buddy, size_t had, size_t has)
{
    buddy->headroom += (ptrdiff_t)(had - has);
    if (buddy->headroom >= 0)
        return;
    buddy->peak -= (size_t)buddy->headroom;
    buddy->headroom = 0;
}

/* ---- regions ---- */

struct acre_buddy_region *acre_buddy_find_region(const struct acre_buddy *buddy, uintptr_t block)
{
    uintptr_t pos = block << buddy_smallest_log2(buddy);
    struct acre_region *found = acre_regions_find_likely(&buddy->regions, pos);
    struct acre_buddy_region *region = (struct acre_buddy_region *)found;
    if (ACRE_LIKELY(region != NULL && buddy_contains(region, block)))
        return region;
    region = (struct acre_buddy_region *)acre_regions_find(&buddy->regions, pos);
    return region != NULL && buddy_contains(region, block) ? region : NULL;
}

/* ---- live blocks ---- */

struct buddy_live acre_buddy_find_live(const struct acre_buddy *buddy, uintptr_t pos)
{
    struct buddy_live live = { .region = NULL, .order = BUDDY_NONE };
    if ((pos & buddy->mask) != 0 || buddy->cached == NULL)
        return live;
    live.block = pos >> buddy_smallest_log2(buddy);
    struct acre_buddy_region *region = buddy_find_region_near(buddy, buddy->cached, live.block);
    if (region == NULL)
        return live;
    live.order = buddy_live_order(buddy, region, live.block);
    live.region = live.order != BUDDY_NONE ? region : NULL;
    return live;
}

bool acre_buddy_could_have_made(
    const struct acre_buddy *buddy, struct buddy_live live, struct acre_layout layout)
{
    uintptr_t pos = live.block << buddy_smallest_log2(buddy);
    return acre_is_pow2(layout.align) && (pos & (layout.align - 1)) == 0 &&
           (buddy_order(buddy, layout) == live.order ||
               buddy_order(buddy, acre_layout(layout.size, 1)) == live.order);
}

/* ---- merging ---- */

/* Continues a merge that has come to the edge of a region which another one adjoins. */
static void buddy_merge_across(struct acre_buddy *buddy, uintptr_t block, unsigned order)
{
    for (;;) {
        uintptr_t sibling = block ^ buddy_size(order);
        struct acre_buddy_region *region = acre_buddy_find_region(buddy, sibling);
        if (region == NULL || !buddy_is_free(region, sibling, order))
            break;
        buddy_clear(region, buddy_index(region, sibling, order));
        acre_buddy_update_largest(buddy, region);
        block &= ~buddy_size(order++);
    }
    struct acre_buddy_region *region = acre_buddy_find_region(buddy, block);
    ACRE_ASSERT(region != NULL); /* BUDDY-2 */
    buddy_set(region, buddy_index(region, block, order));
    acre_buddy_update_largest(buddy, region);
}

ACRE_NOINLINE void acre_buddy_merge_to_largest(
    struct acre_buddy *buddy, struct acre_buddy_region *region, uintptr_t at, size_t lead)
{
    /* Inverts buddy_lead(), so that the loop that merges need not count. */
    unsigned order = (unsigned)acre_divide(lead - buddy_lead(region, 0), BUDDY_GAP);
    bool across = buddy_is_on_seam(region) && !buddy_contains(region, (at ^ 1) << order);
    if (!across)
        buddy_set(region, buddy_index(region, at << order, order));
    acre_buddy_update_largest(buddy, region);
    if (across)
        buddy_merge_across(buddy, at << order, order);
}

void acre_buddy_merge(struct acre_buddy *buddy, uintptr_t block, unsigned order)
{
    struct acre_buddy_region *region = buddy_find_region_near(buddy, buddy->cached, block);
    ACRE_ASSERT(region != NULL && (block & (buddy_size(order) - 1)) == 0); /* BUDDY-2 */
    buddy_merge_in_region(buddy, region, block >> order, order);
}

void acre_buddy_merge_range(struct acre_buddy *buddy, uintptr_t from, uintptr_t to)
{
    while (from < to) {
        unsigned order = acre_bits_highest(to - from);
        if (from != 0 && acre_bits_lowest(from) < order)
            order = acre_bits_lowest(from);
        acre_buddy_merge(buddy, from, order);
        from += buddy_size(order);
    }
}

/* ---- splitting ---- */

/* acre_buddy_split() where a half may start in another region. */
static ACRE_NOINLINE void buddy_split_across(
    struct acre_buddy *buddy, uintptr_t block, unsigned from, unsigned order)
{
    while (from-- > order) {
        uintptr_t half = block + buddy_size(from);
        struct acre_buddy_region *region = acre_buddy_find_region(buddy, half);
        ACRE_ASSERT(region != NULL); /* BUDDY-2 */
        buddy_set(region, buddy_index(region, half, from));
        acre_buddy_update_largest(buddy, region);
    }
}

void acre_buddy_split(struct acre_buddy *buddy, struct acre_buddy_region *region, uintptr_t block,
    unsigned from, unsigned order)
{
    if (!ACRE_SMALL && block - region->first + buddy_size(from) > region->count) {
        buddy_split_across(buddy, block, from, order);
        return;
    }
    while (from-- > order)
        buddy_set(region, buddy_index(region, block + buddy_size(from), from));
}
