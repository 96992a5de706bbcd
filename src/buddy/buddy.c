/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Buddy's hot paths: alloc and dealloc.
 *
 * Most requests meet a shelf that has a block, or room for one; that path is written out first and
 * every other one is a call in tail position. The order of a block is found in the byte that proves
 * it live, so that the proof is kept whatever ACRE_CHECK_POINTERS says.
 */
#include "base/exhausted.h"
#include "buddy/buddy_private.h"

/* ---- accounts ---- */

static ACRE_NOINLINE struct acre_ptr raise_peak(struct acre_buddy *buddy, uintptr_t pos)
{
    buddy->peak -= (size_t)buddy->room;
    buddy->room = 0;
    return (struct acre_ptr){ (void *)pos, ACRE_OK };
}

void acre_buddy_account(struct acre_buddy *buddy, size_t had, size_t has)
{
    buddy->room += (ptrdiff_t)(had - has);
    if (buddy->room < 0)
        raise_peak(buddy, 0);
}

/* ---- alloc ---- */

/* Marks a block that is in no set, and hands it out. */
ACRE_INLINE struct acre_ptr hand_out(
    struct acre_buddy *buddy, struct acre_buddy_region *region, uintptr_t block, unsigned order)
{
    uintptr_t pos = block << buddy_smallest_log2(buddy);
    buddy_mark(region, block, order);
    buddy->live_blocks++;
    if (ACRE_UNLIKELY((buddy->room -= (ptrdiff_t)buddy_size(order)) < 0))
        return raise_peak(buddy, pos);
    return (struct acre_ptr){ (void *)pos, ACRE_OK };
}

/* The order of the block that a free bit from that of `order` on stands for. */
ACRE_INLINE unsigned order_at(const struct acre_buddy_region *region, size_t index, unsigned order)
{
    while (index >= buddy_index_from(region, order + 1))
        order++;
    return order;
}

/* Takes a free block of a larger order out of the set, and hands out its lower end. */
static ACRE_NOINLINE struct acre_ptr take_larger(
    struct acre_buddy *buddy, struct acre_buddy_region *region, size_t index, unsigned order)
{
    unsigned from = order_at(region, index, order + 1);
    uintptr_t block = buddy_block_at(region, index, from);
    buddy_clear(region, index);
    acre_buddy_split(buddy, region, block, from, order);
    return hand_out(buddy, region, block, order);
}

/* Takes the smallest free block that fits from any region, of equals the lowest. */
static ACRE_NOINLINE struct acre_ptr take_elsewhere(struct acre_buddy *buddy, unsigned order)
{
    struct acre_buddy_region *best = NULL;
    unsigned least = BUDDY_NONE;
    for (struct acre_buddy_region *region = buddy->regions; region; region = region->next) {
        size_t index = buddy_find(region, buddy_index_from(region, order));
        if (index == BUDDY_NO_BIT || order_at(region, index, order) >= least)
            continue;
        least = order_at(region, index, order);
        best = region;
    }
    if (best == NULL)
        return (struct acre_ptr){ NULL, ACRE_NO_MEMORY };
    acre_buddy_look_at(buddy, best);
    size_t index = buddy_find(best, buddy_index_from(best, order));
    uintptr_t block = buddy_block_at(best, index, least);
    buddy_clear(best, index);
    acre_buddy_split(buddy, best, block, least, order);
    return hand_out(buddy, best, block, order);
}

static struct acre_ptr buddy_retry(void *self, struct acre_layout layout)
{
    return acre_buddy_alloc(self, layout);
}

/* Serves what the region last worked in cannot: merges the shelves if nothing else helps. */
static ACRE_NOINLINE struct acre_ptr alloc_last(
    struct acre_buddy *buddy, struct acre_layout layout, unsigned order)
{
    struct acre_ptr taken = take_elsewhere(buddy, order);
    if (taken.status == ACRE_OK)
        return taken;
    if (acre_buddy_best_order(buddy) <= order)
        return acre_retry_exhausted(
            &buddy->on_exhausted, &buddy->failed, buddy_retry, buddy, layout);
    acre_buddy_flush_quick(buddy);
    return take_elsewhere(buddy, order);
}

/* Takes from the free blocks of the region last worked in. */
static ACRE_NOINLINE struct acre_ptr alloc_free(
    struct acre_buddy *buddy, struct acre_layout layout, unsigned order)
{
    struct acre_buddy_region *region = buddy->current;
    if (region == NULL)
        return alloc_last(buddy, layout, order);
    size_t lead = buddy_lead(region, order) - (region->limit >> order);
    size_t index = buddy_find(region, lead + (region->first >> order));
    if (index == BUDDY_NO_BIT)
        return alloc_last(buddy, layout, order);
    uintptr_t at = index - lead;
    if (at > (region->first + (region->count - 1)) >> order)
        return take_larger(buddy, region, index, order);
    buddy_clear(region, index);
    return hand_out(buddy, region, at << order, order);
}

static ACRE_NOINLINE struct acre_ptr alloc_odd(struct acre_buddy *buddy)
{
    struct acre_buddy_quick_block *top = buddy->orders[BUDDY_ODD].top--;
    *top->state |= BUDDY_LIVE_ODD;
    buddy->live_blocks++;
    if (--buddy->room < 0)
        return raise_peak(buddy, top->pos);
    return (struct acre_ptr){ (void *)top->pos, ACRE_OK };
}

/* Requests that meet an empty shelf, ask for 0 bytes, or have no power of two for alignment. */
static ACRE_NOINLINE struct acre_ptr alloc_rarely(
    struct acre_buddy *buddy, struct acre_layout layout)
{
    if (!acre_is_pow2(layout.align))
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    unsigned order = buddy_order(buddy, layout);
    if (order == 0 && buddy->orders[BUDDY_ODD].top->state != NULL)
        return alloc_odd(buddy);
    return alloc_free(buddy, layout, order);
}

struct acre_ptr acre_buddy_alloc(struct acre_buddy *buddy, struct acre_layout layout)
{
    struct acre_buddy_order *row = &buddy->orders[buddy_raw_order(buddy, layout)];
    if (ACRE_UNLIKELY(((layout.align - 1) & layout.align) != 0))
        return alloc_rarely(buddy, layout);
    struct acre_buddy_quick_block *top = row->top;
    if (ACRE_UNLIKELY(top->state == NULL))
        return alloc_rarely(buddy, layout);
    uintptr_t pos = top->pos;
    *top->state |= BUDDY_LIVE_EVEN;
    row->top = top - 1;
    buddy->live_blocks++;
    if (ACRE_UNLIKELY((buddy->room -= (ptrdiff_t)row->size) < 0))
        return raise_peak(buddy, pos);
    return (struct acre_ptr){ (void *)pos, ACRE_OK };
}

struct acre_num acre_buddy_alloc_range(struct acre_buddy *buddy, struct acre_layout layout)
{
    struct acre_ptr taken = acre_buddy_alloc(buddy, layout);
    return (struct acre_num){ (uintptr_t)taken.ptr, taken.status };
}

/* ---- dealloc ---- */

/* Blocks of the region last worked in that find their shelf full. */
static ACRE_NOINLINE enum acre_status dealloc_merging(
    struct acre_buddy *buddy, uintptr_t pos, unsigned char *place)
{
    size_t order = *place & BUDDY_ORDER;
    ACRE_OPAQUE(order); /* else it is widened from a byte at each use */
    *place &= BUDDY_LIVE_ODD;
    buddy->live_blocks--;
    buddy->room += (ptrdiff_t)buddy_size((unsigned)order);
    buddy_release_in(buddy, buddy->current, pos >> (buddy_smallest_log2(buddy) + order), order);
    return ACRE_OK;
}

/* A block of order 0 of the region last worked in. */
static ACRE_NOINLINE enum acre_status release_odd(struct acre_buddy *buddy, uintptr_t block)
{
    buddy_release_in(buddy, buddy->current, block, 0);
    return ACRE_OK;
}

static enum acre_status dealloc_odd(struct acre_buddy *buddy, uintptr_t pos, unsigned char *place)
{
    struct acre_buddy_order *row = &buddy->orders[BUDDY_ODD];
    if ((*place & BUDDY_LIVE_ODD) == 0)
        return ACRE_NOT_ALLOCATED;
    *place ^= BUDDY_LIVE_ODD;
    buddy->live_blocks--;
    buddy->room++;
    if (row->top >= row->limit)
        return release_odd(buddy, pos >> buddy_smallest_log2(buddy));
    *++row->top = (struct acre_buddy_quick_block){ pos, place };
    return ACRE_OK;
}

/* `place` is the state byte of the pair that begins at `pos`. */
ACRE_INLINE enum acre_status dealloc_even(
    struct acre_buddy *buddy, uintptr_t pos, unsigned char *place)
{
    unsigned state = *place ^ BUDDY_LIVE_EVEN;
    if (ACRE_UNLIKELY((state & BUDDY_LIVE_EVEN) != 0))
        return ACRE_NOT_ALLOCATED;
    struct acre_buddy_order *row = &buddy->orders[state & BUDDY_ORDER];
    struct acre_buddy_quick_block *top = row->top + 1;
    if (ACRE_UNLIKELY(top > row->limit))
        return dealloc_merging(buddy, pos, place);
    *place = (unsigned char)state;
    row->top = top;
    top->pos = pos;
    top->state = place;
    buddy->live_blocks--;
    buddy->room += (ptrdiff_t)row->size;
    return ACRE_OK;
}

/* Blocks that start at an odd number or lie in another region; and wrong pointers. */
static ACRE_NOINLINE enum acre_status dealloc_elsewhere(struct acre_buddy *buddy, uintptr_t pos)
{
    uintptr_t block = pos >> buddy_smallest_log2(buddy);
    struct acre_buddy_region *region = buddy->current;
    if ((pos & buddy->mask) != 0 || region == NULL)
        return ACRE_NOT_ALLOCATED;
    if (!buddy_contains(region, block)) {
        region = acre_buddy_region_of(buddy, block);
        if (region == NULL || buddy_live_order(region, block) == BUDDY_NONE)
            return ACRE_NOT_ALLOCATED;
        acre_buddy_look_at(buddy, region);
    }
    unsigned char *place = buddy_state_of(region, block);
    return (block & 1) != 0 ? dealloc_odd(buddy, pos, place) : dealloc_even(buddy, pos, place);
}

ACRE_INLINE enum acre_status give(struct acre_buddy *buddy, uintptr_t pos)
{
    size_t pair = buddy_pair(buddy, pos);
    if (ACRE_UNLIKELY(pair >= buddy->pairs))
        return dealloc_elsewhere(buddy, pos);
    return dealloc_even(buddy, pos, &buddy->states[pair]);
}

enum acre_status acre_buddy_dealloc_range(struct acre_buddy *buddy, uintptr_t pos)
{
    return give(buddy, pos);
}

enum acre_status acre_buddy_dealloc(struct acre_buddy *buddy, void *ptr)
{
    return give(buddy, (uintptr_t)ptr);
}
