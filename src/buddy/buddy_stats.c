/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Buddy's statistics, find and walk.
 */
#include "buddy/buddy_fast.h"

struct acre_stats acre_buddy_stats(const struct acre_buddy *buddy)
{
    if (buddy->cached == NULL)
        return (struct acre_stats){ .peak = acre_multiply(buddy->peak, buddy->mask + 1),
            .failed = buddy->failed };
    unsigned shift = buddy_smallest_log2(buddy);
    size_t used = buddy->peak - (size_t)buddy->headroom;
    unsigned best = acre_buddy_best_order(buddy);
    return (struct acre_stats){
        .total = buddy->regions.total,
        .metadata = buddy->regions.total - (buddy->capacity << shift),
        .used = used << shift,
        .available = (buddy->capacity - used) << shift,
        .peak = buddy->peak << shift,
        .largest_free = best != 0 ? buddy_bytes(buddy, best - 1) : 0,
        .live_blocks = buddy->live_blocks,
        .failed = buddy->failed,
    };
}

void acre_buddy_reset_peak(struct acre_buddy *buddy)
{
    buddy->peak -= (size_t)buddy->headroom;
    buddy->headroom = 0;
}

/* A block that holds an address starts at the address rounded down to some order. */
struct acre_block acre_buddy_find(const struct acre_buddy *buddy, const void *ptr)
{
    const struct acre_block none = { NULL, 0, ACRE_NOT_ALLOCATED };
    if (buddy->cached == NULL)
        return none;
    uintptr_t at = (uintptr_t)ptr >> buddy_smallest_log2(buddy);
    for (unsigned order = 0; order < buddy_orders(buddy); order++) {
        uintptr_t block = at & ~(uintptr_t)(buddy_size(order) - 1);
        const struct acre_buddy_region *region =
            buddy_find_region_near(buddy, buddy->cached, block);
        if (region == NULL)
            return none;
        unsigned live = buddy_live_order(buddy, region, block);
        if (live == BUDDY_NONE)
            continue;
        uintptr_t start = block << buddy_smallest_log2(buddy);
        if (live < order)
            return none;
        return (struct acre_block){ (void *)start, buddy_bytes(buddy, live), ACRE_OK };
    }
    return none;
}

struct buddy_view acre_buddy_inspect(
    const struct acre_buddy *buddy, const struct acre_buddy_region *region, uintptr_t block)
{
    struct buddy_view view = { .live = true, .order = buddy_live_order(buddy, region, block) };
    if (view.order != BUDDY_NONE)
        return view;
    view.live = false;
    for (unsigned order = 0; order < buddy_orders(buddy); order++) {
        if ((block & (buddy_size(order) - 1)) != 0)
            break;
        view.quick = acre_buddy_is_quick(buddy, block, order);
        if (view.quick || buddy_is_free(region, block, order)) {
            view.order = order;
            break;
        }
    }
    return view;
}

void acre_buddy_walk(const struct acre_buddy *buddy, acre_walk_fn *visit, void *arg)
{
    uintptr_t block = 0;
    for (const struct acre_buddy_region *region = buddy_first_region(buddy); region != NULL;
         region = buddy_next_region(region)) {
        block = block > region->first ? block : region->first;
        while (buddy_contains(region, block)) {
            struct buddy_view view = acre_buddy_inspect(buddy, region, block);
            void *start = (void *)(block << buddy_smallest_log2(buddy));
            if (!visit(arg, start, buddy_bytes(buddy, view.order), view.live))
                return;
            block += buddy_size(view.order);
        }
    }
}
