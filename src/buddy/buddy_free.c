/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Buddy's free blocks: the bitmap and its summaries, merging and splitting, and the shelves.
 */
#include "buddy/buddy_private.h"

/* ---- the bitmap ---- */

ACRE_NOINLINE void acre_buddy_summarise_full(struct acre_buddy_region *region, size_t index)
{
    index >>= BUDDY_WORD_LOG2;
    for (unsigned level = 2; level < region->levels; level++) {
        index >>= BUDDY_WORD_LOG2;
        size_t *word = &region->level[level][index >> BUDDY_WORD_LOG2];
        size_t was = *word;
        *word = was | buddy_bit(index);
        if (was != 0)
            return;
    }
}

ACRE_NOINLINE void acre_buddy_summarise_empty(struct acre_buddy_region *region, size_t index)
{
    index >>= BUDDY_WORD_LOG2;
    for (unsigned level = 2; level < region->levels; level++) {
        index >>= BUDDY_WORD_LOG2;
        size_t *word = &region->level[level][index >> BUDDY_WORD_LOG2];
        if ((*word ^= buddy_bit(index)) != 0)
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
        index = (index >> BUDDY_WORD_LOG2) + 1;
        word = region->level[level][index >> BUDDY_WORD_LOG2] >> (index % BUDDY_WORD_BITS);
    } while (word == 0);
    index += acre_bits_lowest(word);
    while (level-- > 0)
        index = (index << BUDDY_WORD_LOG2) + acre_bits_lowest(region->level[level][index]);
    return index;
}

unsigned acre_buddy_highest(const struct acre_buddy_region *region)
{
    size_t index = 0;
    for (unsigned level = region->levels; level-- > 0;) {
        size_t word = region->level[level][index];
        if (word == 0)
            return BUDDY_NONE;
        index = (index << BUDDY_WORD_LOG2) + acre_bits_highest(word);
    }
    unsigned order = 0;
    while (index >= buddy_index_from(region, order + 1))
        order++;
    return order;
}

/* ---- merging and splitting ---- */

ACRE_NOINLINE void acre_buddy_release_across(
    struct acre_buddy *buddy, uintptr_t block, unsigned order)
{
    for (;;) {
        uintptr_t mate = block ^ buddy_size(order);
        struct acre_buddy_region *region = acre_buddy_region_of(buddy, mate);
        if (region == NULL || !buddy_is_free(region, mate, order))
            break;
        buddy_clear(region, buddy_index(region, mate, order));
        block &= ~buddy_size(order++);
    }
    struct acre_buddy_region *region = acre_buddy_region_of(buddy, block);
    buddy_set(region, buddy_index(region, block, order));
}

void acre_buddy_release(struct acre_buddy *buddy, uintptr_t block, unsigned order)
{
    struct acre_buddy_region *region = buddy->current;
    if (region == NULL || !buddy_contains(region, block))
        region = acre_buddy_region_of(buddy, block);
    buddy_release_in(buddy, region, block >> order, order);
}

void acre_buddy_release_range(struct acre_buddy *buddy, uintptr_t from, uintptr_t to)
{
    while (from < to) {
        unsigned order = acre_bits_highest(to - from);
        if (from != 0 && acre_bits_lowest(from) < order)
            order = acre_bits_lowest(from);
        acre_buddy_release(buddy, from, order);
        from += buddy_size(order);
    }
}

/* As acre_buddy_split(), where a half may start in another region. */
static ACRE_NOINLINE void split_across(
    struct acre_buddy *buddy, uintptr_t block, unsigned from, unsigned order)
{
    while (from-- > order) {
        uintptr_t half = block + buddy_size(from);
        struct acre_buddy_region *region = acre_buddy_region_of(buddy, half);
        buddy_set(region, buddy_index(region, half, from));
    }
}

void acre_buddy_split(struct acre_buddy *buddy, struct acre_buddy_region *region, uintptr_t block,
    unsigned from, unsigned order)
{
    if (block - region->first + buddy_size(from) > region->count) {
        split_across(buddy, block, from, order);
        return;
    }
    while (from-- > order)
        buddy_set(region, buddy_index(region, block + buddy_size(from), from));
}

/* ---- shelves ---- */

void acre_buddy_flush_quick(struct acre_buddy *buddy)
{
    for (unsigned shelf = 0; shelf < ACRE_BUDDY_QUICK_LISTS; shelf++) {
        struct acre_buddy_order *row = &buddy->orders[buddy_row_of(shelf)];
        for (; row->top->state != NULL; row->top--) {
            if (shelf < ACRE_BUDDY_QUICK_ORDERS)
                *row->top->state &= BUDDY_LIVE_ODD;
            acre_buddy_release(
                buddy, row->top->pos >> buddy_smallest_log2(buddy), buddy_order_of(shelf));
        }
    }
}

enum { SHELVED_MAX = ACRE_BUDDY_QUICK_LISTS * ACRE_BUDDY_QUICK_DEPTH };

/* Blocks of one order that the shelves would merge to. */
struct heap {
    size_t count;
    uintptr_t blocks[SHELVED_MAX];
};

static void put_shelves(const struct acre_buddy *buddy, unsigned order, struct heap *heap)
{
    for (unsigned shelf = 0; shelf < ACRE_BUDDY_QUICK_LISTS; shelf++) {
        const struct acre_buddy_quick_block *at = buddy->orders[buddy_row_of(shelf)].top;
        for (; buddy_order_of(shelf) == order && at->state != NULL; at--)
            heap->blocks[heap->count++] = at->pos >> buddy_smallest_log2(buddy);
    }
}

/* Takes a block out of the heap, from `from` on; false when it is not there. */
static bool take_from(struct heap *heap, size_t from, uintptr_t block)
{
    for (size_t i = from; i < heap->count; i++)
        if (heap->blocks[i] == block) {
            heap->blocks[i] = heap->blocks[--heap->count];
            return true;
        }
    return false;
}

static bool is_free_anywhere(const struct acre_buddy *buddy, uintptr_t block, unsigned order)
{
    const struct acre_buddy_region *region = acre_buddy_region_of(buddy, block);
    return region != NULL && buddy_is_free(region, block, order);
}

/* Keeps of the heap what merges to the next order. */
static void merge_heap(const struct acre_buddy *buddy, unsigned order, struct heap *heap)
{
    size_t kept = 0;
    for (size_t i = 0; i < heap->count; i++) {
        uintptr_t block = heap->blocks[i];
        uintptr_t mate = block ^ buddy_size(order);
        if (is_free_anywhere(buddy, mate, order) || take_from(heap, i + 1, mate))
            heap->blocks[kept++] = block & ~buddy_size(order);
    }
    heap->count = kept;
}

unsigned acre_buddy_best_order(const struct acre_buddy *buddy)
{
    struct heap heap;
    unsigned best = 0;
    for (const struct acre_buddy_region *region = buddy->regions; region; region = region->next) {
        unsigned highest = acre_buddy_highest(region);
        best = highest != BUDDY_NONE && highest >= best ? highest + 1 : best;
    }
    heap.count = 0;
    for (unsigned order = 0; order < ACRE_BUDDY_QUICK_ORDERS || heap.count != 0; order++) {
        put_shelves(buddy, order, &heap);
        best = heap.count != 0 && order >= best ? order + 1 : best;
        merge_heap(buddy, order, &heap);
    }
    return best;
}
