/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's regions: adding, joining, cutting apart and removing them.
 */
#include "base/exhausted.h"
#include "base/memory.h"
#include "tlsf/tlsf_private.h"

/* ---- the region last worked in ---- */

struct acre_tlsf_region *acre_tlsf_region_of(const struct acre_tlsf *tlsf, const void *ptr)
{
    struct acre_tlsf_region *region = tlsf->regions;
    while (region != NULL && tlsf_offset(region->base, ptr) >= region->granules)
        region = region->next;
    return region;
}

void acre_tlsf_look_at(struct acre_tlsf *tlsf, const struct acre_tlsf_region *region)
{
    tlsf->base = region != NULL ? region->window_base : 0;
    tlsf->granules = region != NULL ? region->window : 0;
    tlsf->live_map = region != NULL ? region->window_map : NULL;
}

/* ---- chains of blocks ---- */

static void add_free(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    struct acre_tlsf_block *behind = tlsf_after(block, span);
    tlsf_set_free(block, span, behind);
    *tlsf_header(behind) |= TLSF_PREV_FREE;
    acre_tlsf_place(tlsf, block, span);
}

/* Lays one chain: a free block and its terminal. Returns the terminal. */
static struct acre_tlsf_block *lay_chain(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *first, size_t span)
{
    struct acre_tlsf_block *last = tlsf_after(first, span);
    *tlsf_header(last) = 0;
    add_free(tlsf, first, span);
    tlsf->capacity += span;
    return last;
}

static struct acre_tlsf_block *first_in(const struct acre_tlsf_region *region)
{
    uintptr_t from = region->meta != 0 ? region->start : (uintptr_t)(region + 1) + region->map_size;
    uintptr_t at = acre_align_up(from + TLSF_HEADER, ACRE_TLSF_GRANULE);
    return (void *)at;
}

static struct acre_tlsf_block *last_in(const struct acre_tlsf_region *region)
{
    uintptr_t at = acre_align_down(region->start + region->size, ACRE_TLSF_GRANULE);
    return (void *)at;
}

/* Fills a region with free blocks: one, unless it is larger than a block can be. */
static void lay_region(struct acre_tlsf *tlsf, struct acre_tlsf_region *region)
{
    memset(region->live_map, 0, tlsf_map_bytes(region->size));
    region->joined = false;
    region->first = first_in(region);
    region->last = last_in(region);
    struct acre_tlsf_block *first = region->first;
    size_t span = tlsf_span_between(first, region->last);
    while (span > 4 * TLSF_MAX_GRANULES) {
        first = tlsf_after(lay_chain(tlsf, first, 4 * TLSF_MAX_GRANULES), 4);
        span -= 4 * TLSF_MAX_GRANULES + 4;
    }
    if (span >= TLSF_MIN_SPAN)
        lay_chain(tlsf, first, span);
    else
        region->last = tlsf_before(first, 4);
}

struct acre_tlsf_region *acre_tlsf_chain_of(
    const struct acre_tlsf *tlsf, const struct acre_tlsf_region *region)
{
    struct acre_tlsf_region *head = tlsf->regions;
    for (struct acre_tlsf_region *at = head; at != region->next; at = at->next)
        if (!at->joined)
            head = at;
    return head;
}

/* Joins a region, all free, and the one behind it, or the other way round, where they adjoin and
 * the upper one's first bytes are its blocks'. The terminal between them becomes part of a free
 * block. */
static void join(struct acre_tlsf *tlsf, struct acre_tlsf_region *low)
{
    struct acre_tlsf_region *high = low->next;
    if (high == NULL || high->meta == 0 || low->start + low->size != high->start)
        return;
    struct acre_tlsf_region *head = acre_tlsf_chain_of(tlsf, low);
    struct acre_tlsf_region *tail = high;
    while (tail->next != NULL && tail->next->joined)
        tail = tail->next;
    struct acre_tlsf_block *block = low->last;
    size_t span = tlsf_span_between(block, high->first);
    bool free_before = (*tlsf_header(block) & TLSF_PREV_FREE) != 0;
    if (tlsf_span_between(head->first, tail->last) > 4 * TLSF_MAX_GRANULES ||
        !(free_before || tlsf_is_free(high->first)))
        return;
    tlsf->capacity += span;
    high->joined = true;
    if (tlsf_is_free(high->first)) {
        tlsf_unlink(tlsf, high->first);
        span += tlsf_span(high->first);
    }
    if (free_before) {
        span += *tlsf_size_before(block);
        block = tlsf_before(block, *tlsf_size_before(block));
        tlsf_unlink(tlsf, block);
    }
    *tlsf_header(block) = 0;
    add_free(tlsf, block, span);
}

/* ---- init, add_memory ---- */

size_t acre_tlsf_metadata_size(size_t size)
{
    return sizeof(struct acre_tlsf_region) + tlsf_map_bytes(size) + sizeof(size_t) - 1;
}

static enum acre_status check_range(uintptr_t start, size_t size, size_t least)
{
    if (start == 0 || size < least || start + size < start || start + size == 0)
        return ACRE_INVALID_PARAM;
    return ACRE_OK;
}

static bool overlaps(uintptr_t start, size_t size, uintptr_t other, size_t other_size)
{
    return other_size != 0 && acre_ranges_overlap(start, size, other, other_size);
}

/* Whether a range shares a byte with anything owned, the control structure included. */
static bool is_owned(const struct acre_tlsf *tlsf, uintptr_t start, size_t size)
{
    if (overlaps(start, size, (uintptr_t)tlsf, sizeof(*tlsf)))
        return true;
    for (const struct acre_tlsf_region *region = tlsf->regions; region; region = region->next)
        if (overlaps(start, size, region->start, region->size) ||
            overlaps(start, size, region->meta, region->meta_size))
            return true;
    return false;
}

/* A region's least size: room for the smallest block at the worst alignment, also after a granule
 * at either end was lost to a neighbour that was removed. */
size_t acre_tlsf_least_size(size_t metadata)
{
    return metadata + (ACRE_TLSF_MIN_GRANULES + 4) * ACRE_TLSF_GRANULE + TLSF_HEADER;
}

static void insert(struct acre_tlsf *tlsf, struct acre_tlsf_region *region)
{
    struct acre_tlsf_region *before = NULL;
    struct acre_tlsf_region **link = &tlsf->regions;
    while (*link != NULL && (*link)->start < region->start) {
        before = *link;
        link = &before->next;
    }
    region->next = *link;
    *link = region;
    tlsf->total += region->size + region->meta_size;
    lay_region(tlsf, region);
    join(tlsf, region);
    if (before != NULL)
        join(tlsf, before);
    if (tlsf->granules == 0)
        acre_tlsf_look_at(tlsf, region);
}

/* Writes what is known of a region into its descriptor, the live map behind it. */
static void describe(struct acre_tlsf_region *region, uintptr_t start, size_t size, size_t map_size)
{
    uintptr_t base = acre_align_up(start, ACRE_TLSF_GRANULE);
    size_t granules = (start + size - base + ACRE_TLSF_GRANULE - 1) / ACRE_TLSF_GRANULE;
    *region = (struct acre_tlsf_region){
        .start = start,
        .size = size,
        .base = base,
        .granules = granules,
        .live_map = (size_t *)(region + 1),
        .map_size = map_size,
        .window_base = base,
        .window = granules,
        .window_map = (size_t *)(region + 1),
    };
}

struct acre_tlsf_region *acre_tlsf_add(
    struct acre_tlsf *tlsf, uintptr_t start, size_t size, size_t map_size)
{
    uintptr_t own = acre_align_up(start, sizeof(size_t));
    struct acre_tlsf_region *region = (void *)own;
    describe(region, start, size, map_size);
    insert(tlsf, region);
    return region;
}

enum acre_status acre_tlsf_offer(
    const struct acre_tlsf *tlsf, uintptr_t start, size_t size, size_t least)
{
    if (check_range(start, size, least) != ACRE_OK)
        return ACRE_INVALID_PARAM;
    return is_owned(tlsf, start, size) ? ACRE_MEMORY_OVERLAP : ACRE_OK;
}

enum acre_status acre_tlsf_init(struct acre_tlsf *tlsf, void *start, size_t size)
{
    memset(tlsf, 0, sizeof(*tlsf));
    return acre_tlsf_add_memory(tlsf, start, size);
}

void acre_tlsf_set_on_exhausted(struct acre_tlsf *tlsf, acre_exhausted_fn *handler, void *arg)
{
    acre_set_exhausted_hook(&tlsf->on_exhausted, handler, arg);
}

enum acre_status acre_tlsf_add_memory(struct acre_tlsf *tlsf, void *start, size_t size)
{
    size_t least = acre_tlsf_least_size(acre_tlsf_metadata_size(size));
    enum acre_status status = acre_tlsf_offer(tlsf, (uintptr_t)start, size, least);
    if (status == ACRE_OK)
        acre_tlsf_add(tlsf, (uintptr_t)start, size, tlsf_map_bytes(size));
    return status;
}

enum acre_status acre_tlsf_add_memory_apart(
    struct acre_tlsf *tlsf, void *start, size_t size, void *meta, size_t meta_size)
{
    uintptr_t at = (uintptr_t)start;
    uintptr_t meta_at = (uintptr_t)meta;
    if (check_range(at, size, acre_tlsf_least_size(0)) != ACRE_OK ||
        check_range(meta_at, meta_size, acre_tlsf_metadata_size(size)) != ACRE_OK)
        return ACRE_INVALID_PARAM;
    if (is_owned(tlsf, at, size) || is_owned(tlsf, meta_at, meta_size) ||
        acre_ranges_overlap(at, size, meta_at, meta_size))
        return ACRE_MEMORY_OVERLAP;
    uintptr_t own = acre_align_up(meta_at, sizeof(size_t));
    struct acre_tlsf_region *region = (void *)own;
    describe(region, at, size, tlsf_map_bytes(size));
    region->meta = meta_at;
    region->meta_size = meta_size;
    insert(tlsf, region);
    acre_tlsf_enter_window(tlsf, region, meta_at + meta_size - (uintptr_t)(region + 1));
    return ACRE_OK;
}

/* ---- remove_memory, reset ---- */

/* Whether every chain that lies in this region alone is one free block. */
static bool is_all_free(const struct acre_tlsf_region *region)
{
    const struct acre_tlsf_block *block = region->first;
    while (tlsf_is_free(block)) {
        block = tlsf_after(block, tlsf_span(block));
        if (block == region->last)
            return true;
        if (tlsf_span(block) != 0)
            return false;
        block = tlsf_after(block, 4);
    }
    return false;
}

static void drop_blocks(struct acre_tlsf *tlsf, const struct acre_tlsf_region *region)
{
    struct acre_tlsf_block *block = region->first;
    for (;;) {
        size_t span = tlsf_span(block);
        tlsf->capacity -= span;
        tlsf_unlink(tlsf, block);
        block = tlsf_after(block, span);
        if (block == region->last)
            return;
        block = tlsf_after(block, 4);
    }
}

/* The region before one that is joined with it. */
static struct acre_tlsf_region *region_below(
    const struct acre_tlsf *tlsf, const struct acre_tlsf_region *region)
{
    struct acre_tlsf_region *low = tlsf->regions;
    while (low->next != region)
        low = low->next;
    return low;
}

/* Ends the chain of `low` where it ended before it was joined: there, or at a free block's start
 * when too little would be left of that. */
static void end_chain(
    struct acre_tlsf *tlsf, struct acre_tlsf_region *low, struct acre_tlsf_block *block)
{
    struct acre_tlsf_block *last = last_in(low);
    size_t span = tlsf_span_between(block, last);
    low->last = span < TLSF_MIN_SPAN ? block : last;
    *tlsf_header(low->last) = 0;
    if (span < TLSF_MIN_SPAN)
        return;
    tlsf->capacity += span;
    add_free(tlsf, block, span);
}

/* Starts the chain of `high` at its own first block again; `behind` is the block that follows the
 * free one. */
static void start_chain(
    struct acre_tlsf *tlsf, struct acre_tlsf_region *high, struct acre_tlsf_block *behind)
{
    size_t span = tlsf_span_between(first_in(high), behind);
    high->joined = false;
    high->first = span < TLSF_MIN_SPAN ? behind : first_in(high);
    *tlsf_header(behind) &= ~(acre_tlsf_field)TLSF_PREV_FREE;
    if (span < TLSF_MIN_SPAN)
        return;
    tlsf->capacity += span;
    add_free(tlsf, high->first, span);
}

/* The free block that covers a region joined with `low` or with the region above it; null when a
 * live one reaches into it. */
static struct acre_tlsf_block *covering(
    const struct acre_tlsf *tlsf, const struct acre_tlsf_region *region)
{
    struct acre_tlsf_region *head = acre_tlsf_chain_of(tlsf, region);
    struct acre_tlsf_block *block = head->first;
    if (region->joined) {
        const struct acre_tlsf_region *low = region_below(tlsf, region);
        while (tlsf_after(block, tlsf_span(block)) <= last_in(low))
            block = tlsf_after(block, tlsf_span(block));
    }
    const struct acre_tlsf_block *behind = tlsf_after(block, tlsf_span(block));
    const struct acre_tlsf_region *high = region->next;
    const struct acre_tlsf_block *end =
        high != NULL && high->joined ? first_in(high) : region->last;
    return tlsf_is_free(block) && behind >= end ? block : NULL;
}

bool acre_tlsf_is_idle(const struct acre_tlsf *tlsf, const void *start)
{
    const struct acre_tlsf_region *region = tlsf->regions;
    while (region != NULL && region->start != (uintptr_t)start)
        region = region->next;
    if (region == NULL)
        return false;
    const struct acre_tlsf_region *high = region->next;
    const void *low = region->joined ? last_in(region_below(tlsf, region)) : first_in(region);
    const void *end = high != NULL && high->joined ? first_in(high) : region->last;
    const struct acre_tlsf_block *block = acre_tlsf_chain_of(tlsf, region)->first;
    while ((const void *)block < end) {
        const struct acre_tlsf_block *behind = tlsf_after(block, tlsf_span(block));
        if ((const void *)behind > low && acre_tlsf_is_live(tlsf, block))
            return false;
        block = block == behind ? tlsf_after(block, 4) : behind;
    }
    return true;
}

static void unlist(struct acre_tlsf *tlsf, struct acre_tlsf_region *region)
{
    struct acre_tlsf_region **link = &tlsf->regions;
    acre_tlsf_leave_window(tlsf, region);
    while (*link != region)
        link = &(*link)->next;
    *link = region->next;
    tlsf->total -= region->size + region->meta_size;
    acre_tlsf_look_at(tlsf, tlsf->regions);
}

/* Takes a joined region out of its chain: what the free block has on either side is kept. */
static enum acre_status cut(struct acre_tlsf *tlsf, struct acre_tlsf_region *region)
{
    struct acre_tlsf_block *block = covering(tlsf, region);
    if (block == NULL)
        return ACRE_INVALID_PARAM;
    struct acre_tlsf_block *behind = tlsf_after(block, tlsf_span(block));
    tlsf_unlink(tlsf, block);
    tlsf->capacity -= tlsf_span(block);
    if (region->next != NULL && region->next->joined)
        start_chain(tlsf, region->next, behind);
    if (region->joined)
        end_chain(tlsf, region_below(tlsf, region), block);
    unlist(tlsf, region);
    return ACRE_OK;
}

enum acre_status acre_tlsf_remove_memory(struct acre_tlsf *tlsf, void *start)
{
    struct acre_tlsf_region *region = tlsf->regions;
    while (region != NULL && region->start != (uintptr_t)start)
        region = region->next;
    if (region == NULL)
        return ACRE_NOT_ALLOCATED;
    if (region->joined || (region->next != NULL && region->next->joined))
        return cut(tlsf, region);
    if (!is_all_free(region))
        return ACRE_INVALID_PARAM;
    drop_blocks(tlsf, region);
    unlist(tlsf, region);
    return ACRE_OK;
}

void acre_tlsf_reset(struct acre_tlsf *tlsf)
{
    struct acre_tlsf_region *regions = tlsf->regions;
    size_t total = tlsf->total;
    memset(tlsf, 0, offsetof(struct acre_tlsf, on_exhausted));
    tlsf->regions = regions;
    tlsf->total = total;
    acre_tlsf_look_at(tlsf, regions);
    for (struct acre_tlsf_region *region = regions; region != NULL; region = region->next)
        lay_region(tlsf, region);
    for (struct acre_tlsf_region *region = regions; region != NULL; region = region->next)
        join(tlsf, region);
}
