/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Buddy's live blocks: the verbs on a block other than freeing it.
 */
#include "base/memory.h"
#include "buddy/buddy_fast.h"

/* ---- usable_size ---- */

struct acre_num acre_buddy_usable_size(const struct acre_buddy *buddy, const void *ptr)
{
    struct buddy_live live = acre_buddy_find_live(buddy, (uintptr_t)ptr);
    if (live.region == NULL)
        return (struct acre_num){ 0, ACRE_NOT_ALLOCATED };
    return (struct acre_num){ buddy_bytes(buddy, live.order), ACRE_OK };
}

/* ---- resize ---- */

/* Whether no live block starts in the block of an order, an upper half, that lies wholly in a
 * region. */
static bool buddy_has_no_live(
    const struct acre_buddy_region *region, uintptr_t block, unsigned order)
{
    if (region->count - (block - region->first) < buddy_size(order))
        return false;
    const unsigned char *state = buddy_state_of(region, block);
    if (order == 0)
        return (*state & BUDDY_LIVE_ODD) == 0;
    for (const unsigned char *end = state + buddy_size(order) / 2; state != end; state++)
        if ((*state & (BUDDY_LIVE_ODD | BUDDY_LIVE_EVEN)) != 0)
            return false;
    return true;
}

/* Whether a block could take in the buddies above it up to an order: each of them is free, or made
 * of free blocks and blocks on quick lists. */
static bool buddy_can_grow(const struct acre_buddy *buddy, struct buddy_live live, unsigned order)
{
    if (order >= buddy_orders(buddy) || (live.block & (buddy_size(order) - 1)) != 0)
        return false;
    for (unsigned at = live.order; at < order; at++) {
        uintptr_t above = live.block + buddy_size(at);
        const struct acre_buddy_region *region = buddy_find_region_near(buddy, live.region, above);
        if (region == NULL)
            return false;
        if (!buddy_is_free(region, above, at) &&
            (!BUDDY_HAS_QUICK || at >= BUDDY_SPLIT_ORDERS || !buddy_has_no_live(region, above, at)))
            return false;
    }
    return true;
}

static void buddy_take_in_above(struct acre_buddy *buddy, struct buddy_live live, unsigned order)
{
    for (unsigned at = live.order; at < order; at++) {
        uintptr_t above = live.block + buddy_size(at);
        struct acre_buddy_region *region = buddy_find_region_near(buddy, live.region, above);
        if (!buddy_is_free(region, above, at))
            acre_buddy_flush_within(buddy, above, buddy_size(at));
        buddy_clear(region, buddy_index(region, above, at));
        buddy_note_cleared(buddy, region, buddy_index(region, above, at));
    }
}

/* Gives a live block another order where it stands; false when the blocks above it are in use. */
static bool buddy_resize_in_place(struct acre_buddy *buddy, struct buddy_live live, unsigned order)
{
    if (order == live.order)
        return true;
    if (order > live.order && !buddy_can_grow(buddy, live, order))
        return false;
    if (order > live.order) {
        buddy_take_in_above(buddy, live, order);
    } else {
        acre_buddy_split(buddy, live.region, live.block, live.order, order);
        acre_buddy_update_largest(buddy, live.region);
    }
    buddy_unmark_live(live.region, live.block);
    buddy_mark_live(buddy, live.region, live.block, order);
    acre_buddy_account(buddy, buddy_size(live.order), buddy_size(order));
    return true;
}

enum acre_status acre_buddy_resize(struct acre_buddy *buddy, void *ptr, size_t size)
{
    struct buddy_live live = acre_buddy_find_live(buddy, (uintptr_t)ptr);
    if (live.region == NULL)
        return ACRE_NOT_ALLOCATED;
    if (buddy_resize_in_place(buddy, live, buddy_order(buddy, acre_layout(size, 1))))
        return ACRE_OK;
    buddy->failed++;
    return ACRE_NO_MEMORY;
}

static struct acre_ptr buddy_realloc_moving(
    struct acre_buddy *buddy, struct buddy_live live, void *ptr, struct acre_layout layout)
{
    struct acre_ptr moved = acre_buddy_alloc(buddy, layout);
    if (moved.status != ACRE_OK)
        return moved;
    size_t usable = buddy_bytes(buddy, live.order);
    memcpy(moved.ptr, ptr, usable < layout.size ? usable : layout.size);
    acre_buddy_dealloc(buddy, ptr);
    return moved;
}

struct acre_ptr acre_buddy_realloc(struct acre_buddy *buddy, void *ptr, struct acre_layout layout)
{
    struct buddy_live live = acre_buddy_find_live(buddy, (uintptr_t)ptr);
    if (live.region == NULL)
        return (struct acre_ptr){ NULL, ACRE_NOT_ALLOCATED };
    if (!acre_is_pow2(layout.align))
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    unsigned order = buddy_order(buddy, acre_layout(layout.size, 1));
    if (((uintptr_t)ptr & (layout.align - 1)) == 0 && buddy_resize_in_place(buddy, live, order))
        return (struct acre_ptr){ ptr, ACRE_OK };
    return buddy_realloc_moving(buddy, live, ptr, layout);
}
