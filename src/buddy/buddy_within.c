/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Buddy's search with placement constraints. It is separate from the unconstrained search, which is
 * on a hot path.
 */
#include "base/exhausted.h"
#include "base/limits.h"
#include "buddy/buddy_private.h"

/* The constraints on a block of an order, in smallest blocks. */
struct buddy_limits {
    unsigned order;
    uintptr_t from;  /* no part of the block lies below this number, */
    uintptr_t after; /* and none from this one on */
    uintptr_t align; /* at least the block's size */
    uintptr_t phase; /* less than that, and a multiple of the block's size */
};

/* A free block, and the number in it at which the request fits. */
struct buddy_found {
    struct acre_buddy_region *region; /* null: there is none */
    size_t index;                     /* of its free bit */
    unsigned order;
    uintptr_t at;
};

/* ---- search ---- */

/* The lowest number in a free block at which the request fits; `after`: there is none. */
static uintptr_t buddy_fit_within(
    const struct buddy_limits *limits, uintptr_t block, unsigned order)
{
    uintptr_t from = block > limits->from ? block : limits->from;
    uintptr_t end = block + buddy_size(order);
    uintptr_t after = end < limits->after ? end : limits->after;
    uintptr_t at = limits->phase;
    if (from > at)
        at += acre_align_up(from - at, limits->align);
    return at < after && after - at >= buddy_size(limits->order) ? at : limits->after;
}

/* The index of the first block of an order in a region that reaches above `from`; the order's end
 * when none does. */
static size_t buddy_first_index_within(
    const struct acre_buddy_region *region, unsigned order, uintptr_t from)
{
    uintptr_t block = from & ~(uintptr_t)(buddy_size(order) - 1);
    if (block <= region->first)
        return buddy_first_index(region, order);
    if (!buddy_contains(region, block))
        return buddy_first_index(region, order + 1);
    return buddy_index(region, block, order);
}

/* Looks for a free block of one order in one region. */
static struct buddy_found buddy_find_of_order(
    struct acre_buddy_region *region, unsigned order, const struct buddy_limits *limits)
{
    size_t end = buddy_first_index(region, order + 1);
    size_t index = buddy_first_index_within(region, order, limits->from);
    while (index < end && (index = buddy_find_free(region, index)) < end) {
        uintptr_t block = buddy_block_at(region, index, order);
        uintptr_t at = buddy_fit_within(limits, block, order);
        if (at != limits->after)
            return (struct buddy_found){ region, index, order, at };
        if (block >= limits->after)
            break;
        index++;
    }
    return (struct buddy_found){ .region = NULL };
}

static struct buddy_found buddy_find_within(
    const struct acre_buddy *buddy, const struct buddy_limits *limits)
{
    struct buddy_found found = { .region = NULL };
    for (unsigned order = limits->order; order < buddy_orders(buddy); order++)
        for (struct acre_buddy_region *region = buddy_first_region(buddy); region != NULL;
             region = buddy_next_region(region)) {
            found = buddy_find_of_order(region, order, limits);
            if (found.region != NULL)
                return found;
        }
    return found;
}

/* ---- alloc ---- */

/* Splits a free block, which may lie in several regions, down to the block that was found in it. */
static void buddy_split_to(struct acre_buddy *buddy, struct buddy_found found, unsigned order)
{
    uintptr_t block = buddy_block_at(found.region, found.index, found.order);
    buddy_clear(found.region, found.index);
    for (unsigned at = found.order; at-- > order;) {
        uintptr_t half = block + buddy_size(at);
        uintptr_t other = found.at >= half ? block : half;
        struct acre_buddy_region *region = buddy_find_region_near(buddy, found.region, other);
        ACRE_ASSERT(region != NULL); /* BUDDY-2 */
        buddy_set(region, buddy_index(region, other, at));
        acre_buddy_update_largest(buddy, region);
        block = found.at >= half ? half : block;
    }
    acre_buddy_update_largest(buddy, found.region);
    ACRE_ASSERT(block == found.at);
}

/* The constraints in smallest blocks; false: no block can meet them. */
static bool buddy_set_limits(const struct acre_buddy *buddy, size_t size,
    const struct acre_run_limits *limits, struct buddy_limits *set)
{
    unsigned shift = buddy_smallest_log2(buddy);
    set->order = buddy_order(buddy, acre_layout(size, 1));
    if (set->order >= buddy_orders(buddy))
        return false;
    size_t bytes = buddy_bytes(buddy, set->order);
    set->from = buddy_block_from(buddy, limits->lowest);
    uintptr_t last = limits->highest != 0 ? limits->highest : UINTPTR_MAX;
    set->after = buddy_block_after(buddy, 0, last + 1); /* 0 is all bytes there are */
    set->align = (limits->align > bytes ? limits->align : bytes) >> shift;
    set->phase = limits->phase >> shift;
    return (limits->phase & (bytes - 1)) == 0 &&
           (limits->boundary == 0 || limits->boundary >= bytes);
}

/* The parameters of a retry, besides the layout. */
struct buddy_request {
    struct acre_buddy *buddy;
    const struct acre_run_limits *limits;
};

static struct acre_ptr buddy_retry_within(void *self, struct acre_layout layout)
{
    const struct buddy_request *request = self;
    struct acre_num got =
        acre_buddy_alloc_range_within(request->buddy, layout.size, request->limits);
    return (struct acre_ptr){ (void *)got.num, got.status };
}

static struct acre_num buddy_refuse_within(
    struct acre_buddy *buddy, size_t size, const struct acre_run_limits *limits)
{
    struct buddy_request request = { buddy, limits };
    size_t align = limits->align != 0 ? limits->align : 1;
    struct acre_ptr got = acre_retry_exhausted(&buddy->on_exhausted, &buddy->failed,
        buddy_retry_within, &request, acre_layout(size, align));
    return (struct acre_num){ (uintptr_t)got.ptr, got.status };
}

struct acre_num acre_buddy_alloc_range_within(
    struct acre_buddy *buddy, size_t size, const struct acre_run_limits *limits)
{
    struct buddy_limits set;
    struct buddy_found found = { .region = NULL };
    size_t smallest = buddy->mask != 0 ? buddy->mask + 1 : ACRE_BUDDY_SMALLEST;
    if (limits->top_down || !acre_limits_are_valid(limits, smallest))
        return (struct acre_num){ 0, ACRE_INVALID_PARAM };
    if (buddy->cached != NULL && buddy_set_limits(buddy, size, limits, &set))
        found = buddy_find_within(buddy, &set);
    if (found.region == NULL)
        return buddy_refuse_within(buddy, size, limits);
    buddy_split_to(buddy, found, set.order);
    struct acre_buddy_region *region = buddy_find_region_near(buddy, found.region, found.at);
    buddy_mark_live(buddy, region, found.at, set.order);
    buddy->live_blocks++;
    acre_buddy_account(buddy, 0, buddy_size(set.order));
    return (struct acre_num){ found.at << buddy_smallest_log2(buddy), ACRE_OK };
}
