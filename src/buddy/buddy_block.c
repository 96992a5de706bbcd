/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Buddy's live blocks: the validator, and the verbs on a block but for dealloc.
 */
#include "base/memory.h"
#include "buddy/buddy_private.h"

/* ---- the validator ---- */

struct buddy_found acre_buddy_find_live(const struct acre_buddy *buddy, uintptr_t pos)
{
    struct buddy_found found = { NULL, pos >> buddy_smallest_log2(buddy), BUDDY_NONE };
    if ((pos & buddy->mask) != 0 || buddy->current == NULL)
        return found;
    struct acre_buddy_region *region = buddy->current;
    if (!buddy_contains(region, found.block))
        region = acre_buddy_region_of(buddy, found.block);
    if (region == NULL)
        return found;
    found.order = buddy_live_order(region, found.block);
    found.region = found.order != BUDDY_NONE ? region : NULL;
    return found;
}

static size_t bytes_of(const struct acre_buddy *buddy, unsigned order)
{
    return (buddy->mask + 1) << order;
}

/* ---- dealloc_sized, usable_size ---- */

/* Would a request of this layout have made this block? A block that was resized since may have been
 * made by its size alone. */
static bool made_by(
    const struct acre_buddy *buddy, struct buddy_found found, struct acre_layout layout)
{
    uintptr_t pos = found.block << buddy_smallest_log2(buddy);
    return acre_is_pow2(layout.align) && (pos & (layout.align - 1)) == 0 &&
           (buddy_order(buddy, layout) == found.order ||
               buddy_order(buddy, acre_layout(layout.size, 1)) == found.order);
}

enum acre_status acre_buddy_dealloc_sized(
    struct acre_buddy *buddy, void *ptr, struct acre_layout layout)
{
    struct buddy_found found = acre_buddy_find_live(buddy, (uintptr_t)ptr);
    if (found.region == NULL)
        return ACRE_NOT_ALLOCATED;
    if (!made_by(buddy, found, layout))
        return ACRE_INVALID_PARAM;
    return acre_buddy_dealloc_range(buddy, (uintptr_t)ptr);
}

struct acre_num acre_buddy_usable_size(const struct acre_buddy *buddy, const void *ptr)
{
    struct buddy_found found = acre_buddy_find_live(buddy, (uintptr_t)ptr);
    if (found.region == NULL)
        return (struct acre_num){ 0, ACRE_NOT_ALLOCATED };
    return (struct acre_num){ bytes_of(buddy, found.order), ACRE_OK };
}

/* ---- resize ---- */

/* Whether a block could take in the buddies above it up to an order: each of them is free. */
static bool has_room_above(const struct acre_buddy *buddy, struct buddy_found found, unsigned order)
{
    if (order >= BUDDY_WORD_BITS - buddy_smallest_log2(buddy) ||
        (found.block & (buddy_size(order) - 1)) != 0)
        return false;
    for (unsigned at = found.order; at < order; at++) {
        uintptr_t above = found.block + buddy_size(at);
        const struct acre_buddy_region *region = found.region;
        if (!buddy_contains(region, above))
            region = acre_buddy_region_of(buddy, above);
        if (region == NULL || !buddy_is_free(region, above, at))
            return false;
    }
    return true;
}

static void take_above(struct acre_buddy *buddy, struct buddy_found found, unsigned order)
{
    for (unsigned at = found.order; at < order; at++) {
        uintptr_t above = found.block + buddy_size(at);
        struct acre_buddy_region *region = found.region;
        if (!buddy_contains(region, above))
            region = acre_buddy_region_of(buddy, above);
        buddy_clear(region, buddy_index(region, above, at));
    }
}

/* Gives a live block another order where it stands; false when there is no room. */
static bool resize_here(struct acre_buddy *buddy, struct buddy_found found, unsigned order)
{
    if (order == found.order)
        return true;
    if (order > found.order && !has_room_above(buddy, found, order))
        return false;
    if (order > found.order)
        take_above(buddy, found, order);
    else
        acre_buddy_split(buddy, found.region, found.block, found.order, order);
    buddy_unmark(found.region, found.block);
    buddy_mark(found.region, found.block, order);
    acre_buddy_account(buddy, buddy_size(found.order), buddy_size(order));
    return true;
}

enum acre_status acre_buddy_resize(struct acre_buddy *buddy, void *ptr, size_t size)
{
    struct buddy_found found = acre_buddy_find_live(buddy, (uintptr_t)ptr);
    if (found.region == NULL)
        return ACRE_NOT_ALLOCATED;
    if (resize_here(buddy, found, buddy_order(buddy, acre_layout(size, 1))))
        return ACRE_OK;
    buddy->failed++;
    return ACRE_NO_MEMORY;
}

static struct acre_ptr move(
    struct acre_buddy *buddy, struct buddy_found found, void *ptr, struct acre_layout layout)
{
    struct acre_ptr moved = acre_buddy_alloc(buddy, layout);
    if (moved.status != ACRE_OK)
        return moved;
    size_t usable = bytes_of(buddy, found.order);
    memcpy(moved.ptr, ptr, usable < layout.size ? usable : layout.size);
    acre_buddy_dealloc(buddy, ptr);
    return moved;
}

struct acre_ptr acre_buddy_realloc(struct acre_buddy *buddy, void *ptr, struct acre_layout layout)
{
    struct buddy_found found = acre_buddy_find_live(buddy, (uintptr_t)ptr);
    if (found.region == NULL)
        return (struct acre_ptr){ NULL, ACRE_NOT_ALLOCATED };
    if (!acre_is_pow2(layout.align))
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    unsigned order = buddy_order(buddy, acre_layout(layout.size, 1));
    if (((uintptr_t)ptr & (layout.align - 1)) == 0 && resize_here(buddy, found, order))
        return (struct acre_ptr){ ptr, ACRE_OK };
    return move(buddy, found, ptr, layout);
}
