/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Buddy's hot paths: alloc and dealloc.
 *
 * Most requests find a block, or room for one, on a quick list. That path is written out first;
 * every other one is a call in tail position. The byte that tells whether a block is live also has
 * its class, so pointers are validated whatever ACRE_CHECK_POINTERS says.
 *
 * A zeroed allocator needs no test here: its quick lists are empty and have no room, and no region
 * is cached, so every call takes a slow path.
 */
#include "base/exhausted.h"
#include "buddy/buddy_fast.h"

#if ACRE_MAX_POOL == 0

/* ---- accounts ---- */

static ACRE_NOINLINE struct acre_ptr buddy_raise_peak(struct acre_buddy *buddy, uintptr_t pos)
{
    buddy->peak -= (size_t)buddy->headroom;
    buddy->headroom = 0;
    return (struct acre_ptr){ (void *)pos, ACRE_OK };
}

/* ---- alloc ---- */

/* Marks a block that is in no set as live, and hands it out. */
ACRE_INLINE struct acre_ptr buddy_hand_out(
    struct acre_buddy *buddy, struct acre_buddy_region *region, uintptr_t block, unsigned order)
{
    uintptr_t pos = block << buddy_smallest_log2(buddy);
    buddy_mark_live(buddy, region, block, order);
    buddy->live_blocks++;
    if (ACRE_UNLIKELY((buddy->headroom -= (ptrdiff_t)buddy_size(order)) < 0))
        return buddy_raise_peak(buddy, pos);
    return (struct acre_ptr){ (void *)pos, ACRE_OK };
}

/* The order that a free bit belongs to, which is `order` or higher. */
ACRE_INLINE unsigned buddy_order_of_bit(
    const struct acre_buddy_region *region, size_t index, unsigned order)
{
    while (index >= buddy_first_index(region, order + 1))
        order++;
    return order;
}

/* Removes a free block of a higher order from the set, and allocates its lower end. */
static ACRE_NOINLINE struct acre_ptr buddy_alloc_by_splitting(
    struct acre_buddy *buddy, struct acre_buddy_region *region, size_t index, unsigned order)
{
    unsigned from = buddy_order_of_bit(region, index, order + 1);
    uintptr_t block = buddy_block_at(region, index, from);
    buddy_clear(region, index);
    acre_buddy_split(buddy, region, block, from, order);
    buddy_note_cleared(buddy, region, index);
    return buddy_hand_out(buddy, region, block, order);
}

/* The same for an order that has a quick list, which the rest of the block refills. */
static ACRE_NOINLINE struct acre_ptr buddy_alloc_refilling(
    struct acre_buddy *buddy, struct acre_buddy_region *region, size_t index, unsigned order)
{
    unsigned from = buddy_order_of_bit(region, index, order + 1);
    uintptr_t block = buddy_block_at(region, index, from);
    buddy_clear(region, index);
    acre_buddy_refill_quick(buddy, region, block, from, order);
    buddy_note_cleared(buddy, region, index);
    return buddy_hand_out(buddy, region, block, order);
}

/* Allocates a free block of the order of its region's largest ones. */
static ACRE_NOINLINE struct acre_ptr buddy_alloc_largest(
    struct acre_buddy *buddy, struct acre_buddy_region *region, size_t index, unsigned order)
{
    uintptr_t block = buddy_block_at(region, index, order);
    buddy_clear(region, index);
    acre_buddy_update_largest(buddy, region);
    return buddy_hand_out(buddy, region, block, order);
}

/* Allocates the smallest free block that fits, from the region whose largest free block is the
 * smallest that fits. */
static ACRE_NOINLINE struct acre_ptr buddy_alloc_other_region(
    struct acre_buddy *buddy, unsigned order)
{
    struct acre_buddy_region *region = buddy_find_serving(buddy, order);
    if (region == NULL)
        return (struct acre_ptr){ NULL, ACRE_NO_MEMORY };
    buddy_cache_region(buddy, region);
    size_t index = buddy_find_free(region, buddy_first_index(region, order));
    ACRE_ASSERT(index != BUDDY_NO_BIT); /* BUDDY-11 */
    if (index >= buddy_first_index(region, order + 1))
        return order < ACRE_BUDDY_QUICK_ORDERS
                   ? buddy_alloc_refilling(buddy, region, index, order)
                   : buddy_alloc_by_splitting(buddy, region, index, order);
    uintptr_t block = buddy_block_at(region, index, order);
    buddy_clear(region, index);
    buddy_note_cleared(buddy, region, index);
    return buddy_hand_out(buddy, region, block, order);
}

static struct acre_ptr buddy_retry(void *self, struct acre_layout layout)
{
    return acre_buddy_alloc(self, layout);
}

/* Serves what the cached region cannot: flushes the quick lists if nothing else helps. */
static ACRE_NOINLINE struct acre_ptr buddy_alloc_uncached(
    struct acre_buddy *buddy, struct acre_layout layout, unsigned order)
{
    struct acre_ptr got = buddy_alloc_other_region(buddy, order);
    if (got.status == ACRE_OK)
        return got;
    if (acre_buddy_best_order(buddy) <= order)
        return acre_retry_exhausted(
            &buddy->on_exhausted, &buddy->failed, buddy_retry, buddy, layout);
    acre_buddy_flush_quick(buddy);
    got = buddy_alloc_other_region(buddy, order);
    ACRE_ASSERT(got.status == ACRE_OK);
    return got;
}

/* Allocates a free block of the cached region. */
static ACRE_NOINLINE struct acre_ptr buddy_alloc_cached(
    struct acre_buddy *buddy, struct acre_layout layout, unsigned order)
{
    struct acre_buddy_region *region = buddy->cached;
    if (region == NULL)
        return buddy_alloc_uncached(buddy, layout, order);
    size_t lead = buddy_lead(region, order) - (region->limit >> order);
    size_t index = buddy_find_free(region, lead + (region->first >> order));
    if (index == BUDDY_NO_BIT)
        return buddy_alloc_uncached(buddy, layout, order);
    uintptr_t at = index - lead;
    if (at > (region->first + (region->count - 1)) >> order)
        return order < ACRE_BUDDY_QUICK_ORDERS
                   ? buddy_alloc_refilling(buddy, region, index, order)
                   : buddy_alloc_by_splitting(buddy, region, index, order);
    if (ACRE_UNLIKELY(buddy_was_largest(region, index)))
        return buddy_alloc_largest(buddy, region, index, order);
    buddy_clear(region, index);
    return buddy_hand_out(buddy, region, at << order, order);
}

/* Allocates a block of order 0 at an odd number from its quick list, which is not empty. */
static ACRE_NOINLINE struct acre_ptr buddy_alloc_odd(struct acre_buddy *buddy)
{
    struct acre_buddy_class *list = &buddy->classes[BUDDY_ODD];
    list->used -= BUDDY_ENTRY;
    const struct acre_buddy_quick_block *top = buddy_quick_entry(list, list->used);
    *top->state |= BUDDY_LIVE_ODD;
    buddy->live_blocks++;
    if (--buddy->headroom < 0)
        return buddy_raise_peak(buddy, top->pos);
    return (struct acre_ptr){ (void *)top->pos, ACRE_OK };
}

/* Serves requests that meet an empty quick list, ask for 0 bytes, or whose alignment is no power of
 * two. */
static ACRE_NOINLINE struct acre_ptr buddy_alloc_slow(
    struct acre_buddy *buddy, struct acre_layout layout)
{
    if (!acre_is_pow2(layout.align))
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    if (layout.size == 0) /* its list is not that of the class it seemed to have */
        layout.size = 1;
    unsigned order = buddy_order(buddy, layout);
    if (order == 0 && buddy->classes[BUDDY_ODD].used != 0)
        return buddy_alloc_odd(buddy);
    return buddy_alloc_cached(buddy, layout, order);
}

struct acre_ptr acre_buddy_alloc(struct acre_buddy *buddy, struct acre_layout layout)
{
    struct acre_buddy_class *list = buddy_class(buddy, buddy_raw_class(buddy, layout));
    if (ACRE_UNLIKELY(((layout.align - 1) & layout.align) != 0))
        return buddy_alloc_slow(buddy, layout);
    ptrdiff_t left = (ptrdiff_t)list->used - BUDDY_ENTRY;
    if (ACRE_UNLIKELY(left < 0))
        return buddy_alloc_slow(buddy, layout);
    list->used = (size_t)left;
    const struct acre_buddy_quick_block *top = buddy_quick_entry(list, (size_t)left);
    uintptr_t pos = top->pos;
    ACRE_ASSERT((*top->state & BUDDY_LIVE_EVEN) == 0); /* BUDDY-4 */
    *top->state |= BUDDY_LIVE_EVEN;
    buddy->live_blocks++;
    if (ACRE_UNLIKELY((buddy->headroom -= (ptrdiff_t)list->size) < 0))
        return buddy_raise_peak(buddy, pos);
    return (struct acre_ptr){ (void *)pos, ACRE_OK };
}

struct acre_num acre_buddy_alloc_range(struct acre_buddy *buddy, struct acre_layout layout)
{
    struct acre_ptr got = acre_buddy_alloc(buddy, layout);
    return (struct acre_num){ (uintptr_t)got.ptr, got.status };
}

/* ---- dealloc ---- */

/* Ends a free that has merged `blocks` blocks: calls on_released. */
static enum acre_status buddy_notify_released(const struct acre_buddy *buddy, size_t blocks)
{
    if (buddy->on_released != NULL)
        buddy->on_released(buddy->on_released_arg, blocks);
    return ACRE_OK;
}

/* Frees a block whose list is full and begins with a block adjacent to it, `step` bytes above. */
static ACRE_NOINLINE enum acre_status buddy_dealloc_adjacent(struct acre_buddy *buddy,
    struct acre_buddy_quick_block freed, struct acre_buddy_class *list, uintptr_t step)
{
    size_t merged =
        acre_buddy_flush_run(buddy, list, step, (*freed.state & BUDDY_CLASS) - buddy->bias);
    *freed.state ^= BUDDY_LIVE_EVEN;
    *buddy_quick_entry(list, list->used) = freed;
    list->used += BUDDY_ENTRY;
    buddy->live_blocks--;
    buddy->headroom += (ptrdiff_t)list->size;
    return buddy_notify_released(buddy, merged);
}

/* Merges a block of the cached region whose order has no quick list. */
static ACRE_NOINLINE enum acre_status buddy_dealloc_merging(
    struct acre_buddy *buddy, uintptr_t pos, unsigned char *state)
{
    size_t order = (*state & BUDDY_CLASS) - buddy->bias;
    ACRE_OPAQUE(order); /* else it is widened from a byte at each use */
    *state &= BUDDY_LIVE_ODD;
    buddy->live_blocks--;
    buddy->headroom += (ptrdiff_t)buddy_size((unsigned)order);
    buddy_merge_in_region(buddy, buddy->cached, pos >> (buddy_smallest_log2(buddy) + order), order);
    return buddy_notify_released(buddy, 1);
}

/* Merges the block of an entry that left its list. */
ACRE_INLINE void buddy_merge_entry(
    struct acre_buddy *buddy, struct acre_buddy_quick_block entry, size_t order)
{
    uintptr_t block = entry.pos >> buddy_smallest_log2(buddy);
    if (ACRE_UNLIKELY(!buddy_contains(buddy->cached, block)))
        acre_buddy_merge(buddy, block, (unsigned)order);
    else
        buddy_merge_in_region(buddy, buddy->cached, block >> order, order);
}

/* Frees a block whose quick list is full: it replaces the last block there, which is merged. */
static ACRE_NOINLINE enum acre_status buddy_dealloc_full(
    struct acre_buddy *buddy, uintptr_t pos, unsigned char *state, struct acre_buddy_class *list)
{
    size_t order = (*state & BUDDY_CLASS) - buddy->bias;
    ACRE_OPAQUE(order); /* else it is widened from a byte at each use */
    struct acre_buddy_quick_block *top = buddy_quick_entry(list, list->used) - 1;
    struct acre_buddy_quick_block last = *top;
    uintptr_t step = last.pos - pos;
    size_t bytes = buddy_bytes(buddy, (unsigned)order);
    if (step == bytes ||
        step == 0 - bytes) /* never of order 0, whose list has even numbers alone */
        return buddy_dealloc_adjacent(
            buddy, (struct acre_buddy_quick_block){ pos, state }, list, step);
    buddy->live_blocks--;
    buddy->headroom += (ptrdiff_t)list->size;
    *top = (struct acre_buddy_quick_block){ pos, state };
    *state ^= BUDDY_LIVE_EVEN;
    *last.state &= BUDDY_LIVE_ODD;
    buddy_merge_entry(buddy, last, order);
    return buddy_notify_released(buddy, 1);
}

/* The same for a block of order 0 at an odd number, which is not live any more. */
static ACRE_NOINLINE enum acre_status buddy_dealloc_odd_full(
    /* It is stored: NOLINTNEXTLINE(readability-non-const-parameter) */
    struct acre_buddy *buddy, uintptr_t pos, unsigned char *state)
{
    struct acre_buddy_class *list = &buddy->classes[BUDDY_ODD];
    struct acre_buddy_quick_block freed = { pos, state };
    if (list->limit != 0) {
        struct acre_buddy_quick_block *top = buddy_quick_entry(list, list->used) - 1;
        freed = *top;
        *top = (struct acre_buddy_quick_block){ pos, state };
    }
    buddy_merge_entry(buddy, freed, 0);
    return buddy_notify_released(buddy, 1);
}

/* Frees the live block at an odd number. */
static enum acre_status buddy_dealloc_odd(
    struct acre_buddy *buddy, uintptr_t pos, unsigned char *state)
{
    struct acre_buddy_class *list = &buddy->classes[BUDDY_ODD];
    *state ^= BUDDY_LIVE_ODD;
    buddy->live_blocks--;
    buddy->headroom++;
    if (list->used >= list->limit)
        return buddy_dealloc_odd_full(buddy, pos, state);
    *buddy_quick_entry(list, list->used) = (struct acre_buddy_quick_block){ pos, state };
    list->used += BUDDY_ENTRY;
    return ACRE_OK;
}

/* Frees the live block of a class that starts with the pair at `pos`. */
ACRE_INLINE enum acre_status buddy_dealloc_even(
    struct acre_buddy *buddy, uintptr_t pos, unsigned char *state, unsigned size_class)
{
    struct acre_buddy_class *list = buddy_class(buddy, size_class);
    ACRE_OPAQUE(list);
    size_t used = list->used;
    if (ACRE_UNLIKELY(used >= list->limit))
        return used != 0 ? buddy_dealloc_full(buddy, pos, state, list)
                         : buddy_dealloc_merging(buddy, pos, state);
    ACRE_REREAD();
    *state ^= BUDDY_LIVE_EVEN;
    struct acre_buddy_quick_block *top = buddy_quick_entry(list, used);
    top->pos = pos;
    top->state = state;
    list->used = used + BUDDY_ENTRY;
    buddy->live_blocks--;
    buddy->headroom += (ptrdiff_t)list->size;
    return ACRE_OK;
}

/* Frees a block that starts at an odd number; refuses a pointer to no block. */
static ACRE_NOINLINE enum acre_status buddy_dealloc_odd_at(struct acre_buddy *buddy, uintptr_t pos)
{
    if ((pos & buddy->mask) != 0)
        return ACRE_NOT_ALLOCATED;
    uintptr_t block = pos >> buddy_smallest_log2(buddy);
    struct acre_buddy_region *region = buddy_find_region_near(buddy, buddy->cached, block);
    if (region == NULL || buddy_live_order(buddy, region, block) == BUDDY_NONE)
        return ACRE_NOT_ALLOCATED;
    buddy_cache_region(buddy, region);
    return buddy_dealloc_odd(buddy, pos, buddy_state_of(region, block));
}

/* Frees the block of a pair of a region, which becomes the cached one. */
ACRE_INLINE enum acre_status buddy_dealloc_pair(
    struct acre_buddy *buddy, struct acre_buddy_region *region, uintptr_t pos, size_t pair)
{
    unsigned char *state = &region->pair_states[pair];
    unsigned was = *state;
    if (ACRE_UNLIKELY((was & BUDDY_LIVE_EVEN) == 0))
        return ACRE_NOT_ALLOCATED;
    buddy_cache_region(buddy, region);
    return buddy_dealloc_even(buddy, pos, state, was & BUDDY_CLASS);
}

/* Frees a block in a region that the quick lookup does not find, or one that starts at an odd
 * number; refuses a pointer to no block. */
static ACRE_NOINLINE enum acre_status buddy_dealloc_searching(
    struct acre_buddy *buddy, uintptr_t pos)
{
    if (buddy->cached == NULL) /* nothing is known of an empty allocator's blocks */
        return ACRE_NOT_ALLOCATED;
    if ((pos >> buddy_smallest_log2(buddy) & 1) != 0)
        return buddy_dealloc_odd_at(buddy, pos);
    struct acre_buddy_region *region =
        (struct acre_buddy_region *)acre_regions_find(&buddy->regions, pos);
    if (region == NULL)
        return ACRE_NOT_ALLOCATED;
    size_t pair = buddy_pair(buddy, region->base, pos);
    if (pair >= region->pairs)
        return ACRE_NOT_ALLOCATED;
    return buddy_dealloc_pair(buddy, region, pos, pair);
}

/* Frees a block outside the cached region, or one that starts at an odd number; refuses a pointer
 * to no block. */
static ACRE_NOINLINE enum acre_status buddy_dealloc_uncached(
    struct acre_buddy *buddy, uintptr_t pos)
{
    struct acre_buddy_region *region =
        (struct acre_buddy_region *)acre_regions_find_likely(&buddy->regions, pos);
    if (ACRE_UNLIKELY(region == NULL))
        return buddy_dealloc_searching(buddy, pos);
    size_t pair = buddy_pair(buddy, region->base, pos);
    if (ACRE_UNLIKELY(pair >= region->pairs))
        return buddy_dealloc_searching(buddy, pos);
    return buddy_dealloc_pair(buddy, region, pos, pair);
}

ACRE_INLINE enum acre_status buddy_dealloc_at(struct acre_buddy *buddy, uintptr_t pos)
{
    size_t pair = buddy_pair(buddy, buddy->base, pos);
    if (ACRE_UNLIKELY(pair >= buddy->pairs))
        return buddy_dealloc_uncached(buddy, pos);
    unsigned char *state = &buddy->states[pair];
    unsigned was = *state;
    if (ACRE_UNLIKELY((was & BUDDY_LIVE_EVEN) == 0))
        return ACRE_NOT_ALLOCATED;
    return buddy_dealloc_even(buddy, pos, state, was & BUDDY_CLASS);
}

enum acre_status acre_buddy_dealloc_range(struct acre_buddy *buddy, uintptr_t pos)
{
    return buddy_dealloc_at(buddy, pos);
}

enum acre_status acre_buddy_dealloc(struct acre_buddy *buddy, void *ptr)
{
    return buddy_dealloc_at(buddy, (uintptr_t)ptr);
}

/* ---- dealloc_sized ---- */

/* Frees or refuses a block that the fast path does not find to have the layout. */
static ACRE_NOINLINE enum acre_status buddy_dealloc_sized_slow(
    struct acre_buddy *buddy, uintptr_t pos, struct acre_layout layout)
{
    struct buddy_live live = acre_buddy_find_live(buddy, pos);
    if (live.region == NULL)
        return ACRE_NOT_ALLOCATED;
    if (!acre_buddy_could_have_made(buddy, live, layout))
        return ACRE_INVALID_PARAM;
    buddy_cache_region(buddy, live.region);
    unsigned char *state = buddy_state_of(live.region, live.block);
    if ((live.block & 1) != 0)
        return buddy_dealloc_odd(buddy, pos, state);
    return buddy_dealloc_even(buddy, pos, state, live.order + buddy->bias);
}

/* The class of blocks that a layout is served by. */
ACRE_INLINE unsigned buddy_class_made(const struct acre_buddy *buddy, struct acre_layout layout)
{
    return acre_bits_highest((layout.size - 1) | (layout.align - 1) | buddy->mask);
}

/* Whether a pair starts with a live block of a class, which a layout is served by: one
 * comparison validates both the block and the layout, for a block of that class is large enough
 * and aligned. */
ACRE_INLINE bool buddy_is_made_for(unsigned state, unsigned made, struct acre_layout layout)
{
    return (state & (BUDDY_LIVE_EVEN | BUDDY_CLASS)) == (BUDDY_LIVE_EVEN | made) &&
           ((layout.align - 1) & layout.align) == 0;
}

/* Frees a block outside the cached region. */
static ACRE_NOINLINE enum acre_status buddy_dealloc_sized_uncached(
    struct acre_buddy *buddy, uintptr_t pos, struct acre_layout layout)
{
    struct acre_buddy_region *region =
        (struct acre_buddy_region *)acre_regions_find_likely(&buddy->regions, pos);
    if (ACRE_UNLIKELY(region == NULL))
        return buddy_dealloc_sized_slow(buddy, pos, layout);
    size_t pair = buddy_pair(buddy, region->base, pos);
    if (ACRE_UNLIKELY(pair >= region->pairs))
        return buddy_dealloc_sized_slow(buddy, pos, layout);
    unsigned char *state = &region->pair_states[pair];
    unsigned made = buddy_class_made(buddy, layout);
    if (ACRE_UNLIKELY(!buddy_is_made_for(*state, made, layout)))
        return buddy_dealloc_sized_slow(buddy, pos, layout);
    buddy_cache_region(buddy, region);
    return buddy_dealloc_even(buddy, pos, state, made);
}

enum acre_status acre_buddy_dealloc_sized(
    struct acre_buddy *buddy, void *ptr, struct acre_layout layout)
{
    uintptr_t pos = (uintptr_t)ptr;
    size_t pair = buddy_pair(buddy, buddy->base, pos);
    if (ACRE_UNLIKELY(pair >= buddy->pairs))
        return buddy_dealloc_sized_uncached(buddy, pos, layout);
    unsigned char *state = &buddy->states[pair];
    unsigned made = buddy_class_made(buddy, layout);
    if (ACRE_UNLIKELY(!buddy_is_made_for(*state, made, layout)))
        return buddy_dealloc_sized_slow(buddy, pos, layout);
    return buddy_dealloc_even(buddy, pos, state, made);
}

#endif
