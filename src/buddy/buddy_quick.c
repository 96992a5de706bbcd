/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Buddy's quick lists: flushing and refilling them, and what flushing them would give.
 */
#include "buddy/buddy_fast.h"

#if ACRE_MAX_POOL == 0

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

/* ---- flushing ---- */

/* How many of the `have` entries before `end` are adjacent blocks, each `step` bytes above the one
 * after it; `most` at most. */
static size_t buddy_run_length(
    const struct acre_buddy_quick_block *end, size_t have, size_t most, uintptr_t step)
{
    const struct acre_buddy_quick_block *top = end - 1;
    const struct acre_buddy_quick_block *stop = top - ((most < have ? most : have) - 1);
    while (top != stop && top[-1].pos - top->pos == step)
        top--;
    return (size_t)(end - top);
}

/* Closes the gap that entries leave which are removed from a list, below its last `above`. */
ACRE_INLINE void buddy_close_gap(struct acre_buddy_class *list, size_t removed, size_t above)
{
    list->used -= removed * BUDDY_ENTRY;
    struct acre_buddy_quick_block *to = buddy_quick_entry(list, list->used) - above;
    for (; above > 0; above--, to++)
        *to = to[removed];
}

/* Removes a whole group of blocks below the last `above` from a list, and merges them as one. */
static void buddy_flush_group(
    struct acre_buddy *buddy, struct acre_buddy_class *list, size_t above, unsigned order)
{
    const struct acre_buddy_quick_block *end = buddy_quick_entry(list, list->used) - above;
    uintptr_t block =
        end[-1].pos >> buddy_smallest_log2(buddy) & ~(buddy_size(order + BUDDY_GROUP_LOG2) - 1);
    for (size_t i = 1; i <= BUDDY_GROUP; i++)
        *end[-(ptrdiff_t)i].state &= BUDDY_LIVE_ODD;
    buddy_close_gap(list, BUDDY_GROUP, above);
    acre_buddy_merge(buddy, block, order + BUDDY_GROUP_LOG2);
}

size_t acre_buddy_flush_run(
    struct acre_buddy *buddy, struct acre_buddy_class *list, uintptr_t step, unsigned order)
{
    const struct acre_buddy_quick_block *end = buddy_quick_entry(list, list->used);
    size_t at = end[-1].pos >> (buddy_smallest_log2(buddy) + order);
    size_t above = ((ptrdiff_t)step > 0 ? 0 - at : at + 1) % BUDDY_GROUP;
    size_t have = buddy_quick_count(list);
    size_t run = buddy_run_length(end, have, above + BUDDY_GROUP, step);
    if (run == above + BUDDY_GROUP) {
        buddy_flush_group(buddy, list, above, order);
        return BUDDY_GROUP;
    }
    run -= run == have;
    struct acre_buddy_quick_block below = end[-1 - (ptrdiff_t)run];
    *below.state &= BUDDY_LIVE_ODD;
    buddy_close_gap(list, 1, run);
    acre_buddy_merge(buddy, below.pos >> buddy_smallest_log2(buddy), order);
    return 1;
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

void acre_buddy_flush_within(struct acre_buddy *buddy, uintptr_t first, size_t count)
{
    for (unsigned i = 0; i < ACRE_BUDDY_QUICK_LISTS; i++) {
        struct acre_buddy_class *list = buddy_class(buddy, buddy_class_of_list(buddy, i));
        for (size_t at = buddy_quick_count(list); at-- > 0;) {
            struct acre_buddy_quick_block entry = list->entries[at];
            uintptr_t block = entry.pos >> buddy_smallest_log2(buddy);
            if (block - first >= count)
                continue;
            if (i < ACRE_BUDDY_QUICK_ORDERS)
                *entry.state &= BUDDY_LIVE_ODD;
            buddy_close_gap(list, 1, buddy_quick_count(list) - 1 - at);
            acre_buddy_merge(buddy, block, buddy_order_of_list(i));
        }
    }
}

/* ---- refilling ---- */

/* Blocks of one order at equal distances: the highest one, the distance in bytes and in state
 * bytes, and what their state bytes get. */
struct buddy_series {
    struct acre_buddy_quick_block top;
    size_t count;
    size_t bytes;
    size_t states;
    unsigned char mark;
};

/* Puts a series on a list that has room for it; the lowest block comes last. */
ACRE_INLINE void buddy_push_series(struct acre_buddy_class *list, struct buddy_series series)
{
    struct acre_buddy_quick_block *entry = buddy_quick_entry(list, list->used);
    const struct acre_buddy_quick_block *end = entry + series.count;
    list->used += series.count * BUDDY_ENTRY;
    ACRE_ASSERT(list->used <= list->limit); /* BUDDY-7 */
    for (; entry != end; entry++) {
        *entry = series.top;
        *series.top.state |= series.mark;
        series.top.pos -= series.bytes;
        series.top.state -= series.states;
    }
}

/* Puts the smallest blocks of a block of the order `to` on their lists, but for the first. */
static ACRE_NOINLINE void buddy_push_smallest(
    struct acre_buddy *buddy, struct acre_buddy_quick_block first, unsigned to)
{
    size_t bytes = 2 * (buddy->mask + 1);
    size_t count = buddy_size(to) / 2;
    if (count == 0)
        return;
    first.pos += acre_multiply(count, bytes);
    first.state += count;
    struct buddy_series even = { { first.pos - bytes, first.state - 1 }, count - 1, bytes, 1,
        (unsigned char)buddy->bias };
    struct buddy_series odd = { { first.pos - bytes / 2, first.state - 1 }, count, bytes, 1, 0 };
    buddy_push_series(buddy_class(buddy, buddy->bias), even);
    buddy_push_series(buddy_class(buddy, BUDDY_ODD), odd);
}

/* The same for the blocks of an order above 0. */
ACRE_INLINE void buddy_push_parts(
    struct acre_buddy *buddy, struct acre_buddy_quick_block first, unsigned order, unsigned to)
{
    unsigned size_class = order + buddy->bias;
    size_t count = buddy_size(to - order) - 1;
    size_t bytes = buddy_bytes(buddy, order);
    size_t states = buddy_size(order) / 2;
    first.pos += acre_multiply(count, bytes);
    first.state += acre_multiply(count, states);
    buddy_push_series(buddy_class(buddy, size_class),
        (struct buddy_series){ first, count, bytes, states, (unsigned char)size_class });
}

/* log2 of the blocks that a split makes at most: all but one of them find room. */
ACRE_INLINE unsigned buddy_refill_log2(const struct acre_buddy_class *list)
{
    unsigned most = acre_bits_highest(list->limit / BUDDY_ENTRY + 1);
    return most < BUDDY_REFILL_LOG2 ? most : BUDDY_REFILL_LOG2;
}

void acre_buddy_refill_quick(struct acre_buddy *buddy, struct acre_buddy_region *region,
    uintptr_t block, unsigned from, unsigned order)
{
    unsigned to = order + buddy_refill_log2(buddy_class(buddy, order + buddy->bias));
    to = to < from ? to : from;
    if (ACRE_UNLIKELY(block - region->first + buddy_size(from) > region->count))
        to = order; /* the block's end may lie in another region */
    if (ACRE_UNLIKELY(buddy_class(buddy, order + buddy->bias)->used != 0))
        to = order; /* a request for 0 bytes does not look at the list first */
    acre_buddy_split(buddy, region, block, from, to);
    struct acre_buddy_quick_block first = { block << buddy_smallest_log2(buddy),
        buddy_state_of(region, block) };
    if (order == 0)
        buddy_push_smallest(buddy, first, to);
    else
        buddy_push_parts(buddy, first, order, to);
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
    struct buddy_merged merged;
    unsigned best = buddy->orders != 0 ? acre_bits_highest(buddy->orders) + 1 : 0;
    if (buddy->cached == NULL)
        return 0;
    merged.count = 0;
    for (unsigned order = 0; order < ACRE_BUDDY_QUICK_ORDERS || merged.count != 0; order++) {
        buddy_add_quick_of_order(buddy, order, &merged);
        best = merged.count != 0 && order >= best ? order + 1 : best;
        buddy_merge_to_next_order(buddy, order, &merged);
    }
    return best;
}

#endif
