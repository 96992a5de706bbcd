/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Buddy's accounts and walk.
 */
#include "buddy/buddy_private.h"

struct acre_stats acre_buddy_stats(const struct acre_buddy *buddy)
{
    unsigned shift = buddy_smallest_log2(buddy);
    size_t used = buddy->peak - (size_t)buddy->room;
    unsigned best = acre_buddy_best_order(buddy);
    return (struct acre_stats){
        .total = buddy->total,
        .metadata = buddy->total - (buddy->capacity << shift),
        .used = used << shift,
        .available = (buddy->capacity - used) << shift,
        .peak = buddy->peak << shift,
        .largest_free = best != 0 ? (buddy->mask + 1) << (best - 1) : 0,
        .live_blocks = buddy->live_blocks,
        .failed = buddy->failed,
    };
}

static bool is_shelved(const struct acre_buddy *buddy, uintptr_t block, unsigned order)
{
    if (order >= ACRE_BUDDY_QUICK_ORDERS)
        return false;
    const struct acre_buddy_quick_block *at =
        buddy->orders[(block & 1) != 0 ? BUDDY_ODD : order].top;
    while (at->state != NULL && at->pos >> buddy_smallest_log2(buddy) != block)
        at--;
    return at->state != NULL;
}

struct buddy_seen acre_buddy_look(
    const struct acre_buddy *buddy, const struct acre_buddy_region *region, uintptr_t block)
{
    struct buddy_seen seen = { .live = true, .order = buddy_live_order(region, block) };
    if (seen.order != BUDDY_NONE)
        return seen;
    seen.live = false;
    unsigned most = BUDDY_WORD_BITS - buddy_smallest_log2(buddy) - 1;
    for (unsigned order = 0; order <= most; order++) {
        if ((block & (buddy_size(order) - 1)) != 0)
            break;
        seen.shelved = is_shelved(buddy, block, order);
        if (seen.shelved || buddy_is_free(region, block, order)) {
            seen.order = order;
            break;
        }
    }
    return seen;
}

void acre_buddy_walk(const struct acre_buddy *buddy, acre_walk_fn *visit, void *arg)
{
    unsigned shift = buddy_smallest_log2(buddy);
    uintptr_t block = 0;
    for (const struct acre_buddy_region *region = buddy->regions; region; region = region->next) {
        block = block > region->first ? block : region->first;
        while (buddy_contains(region, block)) {
            struct buddy_seen seen = acre_buddy_look(buddy, region, block);
            if (!visit(arg, (void *)(block << shift), (buddy->mask + 1) << seen.order, seen.live))
                return;
            block += buddy_size(seen.order);
        }
    }
}
