/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Buddy's quick lists: flushing them, and what flushing them would give.
 */
#include "buddy/buddy_private.h"

void acre_buddy_init_quick(struct acre_buddy *buddy, unsigned depth)
{
    ACRE_ASSERT(depth <= ACRE_BUDDY_QUICK_DEPTH); /* BUDDY-7 */
    buddy->quick_depth = depth;
    for (unsigned size_class = 0; size_class < ACRE_BUDDY_CLASSES; size_class++)
        buddy->classes[size_class] =
            (struct acre_buddy_class){ .size = buddy_class_size(buddy, size_class) };
    for (unsigned i = 0; i < ACRE_BUDDY_QUICK_LISTS; i++) {
        struct acre_buddy_class *list = buddy_class(buddy, buddy_class_of_list(buddy, i));
        list->limit = depth * (size_t)BUDDY_ENTRY;
        list->entries = buddy->quick[i];
    }
}

void acre_buddy_flush_quick(struct acre_buddy *buddy)
{
    for (unsigned i = 0; i < ACRE_BUDDY_QUICK_LISTS; i++) {
        struct acre_buddy_class *list = buddy_class(buddy, buddy_class_of_list(buddy, i));
        ACRE_ASSERT(list->used <= list->limit); /* BUDDY-7 */
        while (list->used != 0) {
            list->used -= BUDDY_ENTRY;
            const struct acre_buddy_quick_block *entry = buddy_quick_entry(list, list->used);
            if (i < ACRE_BUDDY_QUICK_ORDERS)
                *entry->state &= BUDDY_LIVE_ODD;
            acre_buddy_merge(
                buddy, entry->pos >> buddy_smallest_log2(buddy), buddy_order_of_list(i));
        }
    }
}

/* The list that a block of an order would be on. */
static unsigned buddy_list_of(uintptr_t block, unsigned order)
{
    return (block & 1) != 0 ? ACRE_BUDDY_QUICK_ORDERS : order;
}

bool acre_buddy_is_quick(const struct acre_buddy *buddy, uintptr_t block, unsigned order)
{
    if (order >= ACRE_BUDDY_QUICK_ORDERS)
        return false;
    const struct acre_buddy_class *list =
        &buddy->classes[buddy_class_of_list(buddy, buddy_list_of(block, order))];
    size_t i = buddy_quick_count(list);
    while (i > 0 && list->entries[i - 1].pos >> buddy_smallest_log2(buddy) != block)
        i--;
    return i > 0;
}

/* ---- what flushing would give ---- */

enum { BUDDY_QUICK_MOST = ACRE_BUDDY_QUICK_LISTS * ACRE_BUDDY_QUICK_DEPTH };

/* Blocks of one order that the quick lists would merge to. */
struct buddy_merged {
    size_t count;
    uintptr_t blocks[BUDDY_QUICK_MOST];
};

static void buddy_add_quick_of_order(
    const struct acre_buddy *buddy, unsigned order, struct buddy_merged *merged)
{
    for (unsigned i = 0; i < ACRE_BUDDY_QUICK_LISTS; i++) {
        const struct acre_buddy_class *list = &buddy->classes[buddy_class_of_list(buddy, i)];
        size_t count = buddy_order_of_list(i) == order ? buddy_quick_count(list) : 0;
        while (count-- > 0)
            merged->blocks[merged->count++] =
                list->entries[count].pos >> buddy_smallest_log2(buddy);
    }
}

/* Removes a block from the set, from `from` on; false when it is not there. */
static bool buddy_remove_merged(struct buddy_merged *merged, size_t from, uintptr_t block)
{
    for (size_t i = from; i < merged->count; i++)
        if (merged->blocks[i] == block) {
            merged->blocks[i] = merged->blocks[--merged->count];
            return true;
        }
    return false;
}

static bool buddy_is_free_anywhere(const struct acre_buddy *buddy, uintptr_t block, unsigned order)
{
    const struct acre_buddy_region *region = acre_buddy_find_region(buddy, block);
    return region != NULL && buddy_is_free(region, block, order);
}

/* Keeps those blocks that merge to the next order. */
static void buddy_merge_to_next_order(
    const struct acre_buddy *buddy, unsigned order, struct buddy_merged *merged)
{
    size_t kept = 0;
    for (size_t i = 0; i < merged->count; i++) {
        uintptr_t block = merged->blocks[i];
        uintptr_t sibling = block ^ buddy_size(order);
        if (buddy_is_free_anywhere(buddy, sibling, order) ||
            buddy_remove_merged(merged, i + 1, sibling))
            merged->blocks[kept++] = block & ~buddy_size(order);
    }
    merged->count = kept;
}

unsigned acre_buddy_best_order(const struct acre_buddy *buddy)
{
    const struct acre_buddy_region *region = buddy_first_region(buddy);
    struct buddy_merged merged;
    unsigned best = 0;
    if (region == NULL)
        return 0;
    for (; region != NULL; region = buddy_next_region(region)) {
        unsigned highest = acre_buddy_highest_order(region);
        best = highest != BUDDY_NONE && highest >= best ? highest + 1 : best;
    }
    merged.count = 0;
    for (unsigned order = 0; order < ACRE_BUDDY_QUICK_ORDERS || merged.count != 0; order++) {
        buddy_add_quick_of_order(buddy, order, &merged);
        best = merged.count != 0 && order >= best ? order + 1 : best;
        buddy_merge_to_next_order(buddy, order, &merged);
    }
    return best;
}
