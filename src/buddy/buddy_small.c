/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Buddy's alloc and dealloc in builds with a largest pool (ACRE_MAX_POOL): one path for all sizes,
 * without quick lists. Every free merges at once.
 */
#include "base/exhausted.h"
#include "buddy/buddy_fast.h"

#if ACRE_MAX_POOL != 0

unsigned acre_buddy_best_order(const struct acre_buddy *buddy)
{
    unsigned best = 0;
    for (const struct acre_buddy_region *region = buddy_first_region(buddy); region != NULL;
         region = buddy_next_region(region)) {
        unsigned highest = acre_buddy_highest_order(region);
        best = highest != BUDDY_NONE && highest >= best ? highest + 1 : best;
    }
    return best;
}

/* ---- alloc ---- */

/* Makes the block of a free bit, or its lower end, a live block of an order. */
static struct acre_ptr buddy_small_take(
    struct acre_buddy *buddy, struct acre_buddy_region *region, size_t index, unsigned order)
{
    unsigned from = order;
    while (index >= buddy_first_index(region, from + 1))
        from++;
    uintptr_t block = buddy_block_at(region, index, from);
    buddy_clear(region, index);
    acre_buddy_split(buddy, region, block, from, order);
    buddy_mark_live(buddy, region, block, order);
    buddy->live_blocks++;
    acre_buddy_account(buddy, 0, buddy_size(order));
    return (struct acre_ptr){ (void *)(block << buddy_smallest_log2(buddy)), ACRE_OK };
}

static struct acre_ptr buddy_small_retry(void *self, struct acre_layout layout)
{
    return acre_buddy_alloc(self, layout);
}

/* The lowest region that can serve does, with its smallest block that fits, of equals the lowest. */
struct acre_ptr acre_buddy_alloc(struct acre_buddy *buddy, struct acre_layout layout)
{
    if (!acre_is_pow2(layout.align))
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    unsigned order = buddy_order(buddy, layout);
    for (struct acre_buddy_region *region = buddy_first_region(buddy); region != NULL;
         region = buddy_next_region(region)) {
        size_t index = buddy_find_free(region, buddy_first_index(region, order));
        if (index != BUDDY_NO_BIT)
            return buddy_small_take(buddy, region, index, order);
    }
    return acre_retry_exhausted(
        &buddy->on_exhausted, &buddy->failed, buddy_small_retry, buddy, layout);
}

struct acre_num acre_buddy_alloc_range(struct acre_buddy *buddy, struct acre_layout layout)
{
    struct acre_ptr got = acre_buddy_alloc(buddy, layout);
    return (struct acre_num){ (uintptr_t)got.ptr, got.status };
}

/* ---- dealloc ---- */

static enum acre_status buddy_small_free(struct acre_buddy *buddy, struct buddy_live live)
{
    buddy_unmark_live(live.region, live.block);
    buddy->live_blocks--;
    buddy->headroom += (ptrdiff_t)buddy_size(live.order);
    buddy->cached = live.region;
    acre_buddy_merge(buddy, live.block, live.order);
    if (buddy->on_released != NULL)
        buddy->on_released(buddy->on_released_arg, 1);
    return ACRE_OK;
}

enum acre_status acre_buddy_dealloc_range(struct acre_buddy *buddy, uintptr_t pos)
{
    struct buddy_live live = acre_buddy_find_live(buddy, pos);
    return live.region != NULL ? buddy_small_free(buddy, live) : ACRE_NOT_ALLOCATED;
}

enum acre_status acre_buddy_dealloc(struct acre_buddy *buddy, void *ptr)
{
    return acre_buddy_dealloc_range(buddy, (uintptr_t)ptr);
}

enum acre_status acre_buddy_dealloc_sized(
    struct acre_buddy *buddy, void *ptr, struct acre_layout layout)
{
    struct buddy_live live = acre_buddy_find_live(buddy, (uintptr_t)ptr);
    if (live.region == NULL)
        return ACRE_NOT_ALLOCATED;
    return acre_buddy_could_have_made(buddy, live, layout) ? buddy_small_free(buddy, live)
                                                           : ACRE_INVALID_PARAM;
}

#endif
