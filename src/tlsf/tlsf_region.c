/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's regions: add, join, cut apart, remove, reset.
 */
#include "base/exhausted.h"
#include "base/memory.h"
#include "tlsf/tlsf_small.h"

/* ---- chains of blocks ---- */

static void tlsf_add_free_block(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    struct acre_tlsf_block *next = tlsf_after(block, span);
    tlsf_set_free(block, span, next);
    tlsf_set_prev_free(next);
    tlsf_insert_any(tlsf, block, span);
}

/* Formats one chain: a free block and its sentinel. Returns the sentinel. */
static struct acre_tlsf_block *tlsf_format_chain(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *first, size_t span)
{
    struct acre_tlsf_block *last = tlsf_after(first, span);
    *tlsf_header(last) = 0;
    tlsf_add_free_block(tlsf, first, span);
    tlsf->capacity += span;
    tlsf_note_empty_span(tlsf, span);
    return last;
}

/* The first block that a region can hold. */
static struct acre_tlsf_block *first_in(const struct acre_tlsf_region *region)
{
    uintptr_t from =
        region->range.meta != 0 ? region->range.start : (uintptr_t)(region + 1) + region->map_size;
    uintptr_t at = acre_align_up(from + TLSF_HEADER, ACRE_TLSF_GRANULE);
    return (void *)at;
}

/* Fills a region with free blocks: one, unless the region is longer than the largest block. */
static void tlsf_format_region(struct acre_tlsf *tlsf, struct acre_tlsf_region *region)
{
    memset(region->live_map, 0, tlsf_map_bytes(region->range.size));
    region->joined = false;
    region->first = first_in(region);
    region->last = tlsf_sentinel_of(region);
    struct acre_tlsf_block *first = region->first;
    size_t span = tlsf_span_between(first, region->last);
    while (!TLSF_SMALL && span > 4 * TLSF_MAX_GRANULES) {
        first = tlsf_after(tlsf_format_chain(tlsf, first, 4 * TLSF_MAX_GRANULES), 4);
        span -= 4 * TLSF_MAX_GRANULES + 4;
    }
    if (span >= TLSF_MIN_SPAN)
        tlsf_format_chain(tlsf, first, span);
    else
        region->last = tlsf_before(first, 4);
}

/* The region whose `first` starts the chain that runs through `region`. O(regions joined). */
static struct acre_tlsf_region *first_joined(struct acre_tlsf_region *region)
{
    while (region->joined)
        region = tlsf_prev_region(region);
    return region;
}

/* Whether the free blocks on both sides of a seam can be merged: before a sentinel and at
 * `first`. */
static bool is_sound_seam(const struct acre_tlsf *tlsf, const struct acre_tlsf_block *sentinel,
    const struct acre_tlsf_block *first)
{
    size_t before = *tlsf_size_before(sentinel);
    return (!tlsf_is_prev_free(sentinel) ||
               acre_tlsf_is_sound_free(tlsf, tlsf_before(sentinel, before), before)) &&
           (!tlsf_is_free(first) || acre_tlsf_is_sound_free(tlsf, first, tlsf_span(first)));
}

/* Joins a region with the one above it when they adjoin and no metadata stands at the seam. One of
 * them is new, so that a block there is free: the sentinel between them becomes part of it. */
static void join_above(struct acre_tlsf *tlsf, struct acre_tlsf_region *low)
{
    struct acre_tlsf_region *high = tlsf_next_region(low);
    if (high == NULL || high->range.meta == 0 ||
        low->range.start + low->range.size != high->range.start)
        return;
    struct acre_tlsf_region *head = first_joined(low);
    struct acre_tlsf_region *tail = high;
    while (tlsf_joined_above(tail) != NULL)
        tail = tlsf_joined_above(tail);
    struct acre_tlsf_block *block = low->last;
    size_t span = tlsf_span_between(block, high->first);
    bool free_before = tlsf_is_prev_free(block);
    ACRE_ASSERT(free_before || tlsf_is_free(high->first));
    if (tlsf_span_between(head->first, tail->last) > 4 * TLSF_MAX_GRANULES ||
        (TLSF_HARDEN && !is_sound_seam(tlsf, block, high->first)))
        return;
    tlsf->capacity += span;
    high->joined = true;
    if (tlsf_is_free(high->first)) {
        tlsf_unlink_any(tlsf, high->first);
        span += tlsf_span(high->first);
    }
    if (free_before) {
        span += *tlsf_size_before(block);
        block = tlsf_before(block, *tlsf_size_before(block));
        tlsf_unlink_any(tlsf, block);
    }
    *tlsf_header(block) = 0;
    tlsf_add_free_block(tlsf, block, span);
}

/* ---- the structure ---- */

size_t acre_tlsf_structure_size(size_t largest)
{
    return tlsf_structure_size(largest);
}

/* ---- init, add_memory ---- */

/* Bytes before the metadata of a region, so that a write past the last block of the region below
 * does not reach it. */
static size_t tlsf_guard_size(size_t size)
{
    return !TLSF_ONE_REGION && size >= TLSF_GUARD_LEAST ? TLSF_GUARD : 0;
}

/* Where the descriptor of a region of a size goes in metadata that begins at an address. */
static struct acre_tlsf_region *tlsf_region_place(uintptr_t metadata, size_t size)
{
    uintptr_t at = acre_region_place(metadata, size);
    return (void *)at;
}

size_t acre_tlsf_metadata_size(size_t size)
{
    return tlsf_guard_size(size) + acre_region_node_size(size) + sizeof(struct acre_tlsf_region) +
           tlsf_map_bytes(size) + sizeof(size_t) - 1;
}

/* The smallest region has space for the smallest block at the worst alignment, even after it lost a
 * granule at each end to neighbours that were joined and removed. */
size_t acre_tlsf_least_size(size_t metadata)
{
    return metadata + (ACRE_TLSF_MIN_GRANULES + 4) * ACRE_TLSF_GRANULE + TLSF_HEADER;
}

/* Enters a region into the list, formats it and joins it with its neighbours. */
static void tlsf_insert_region(struct acre_tlsf *tlsf, struct acre_tlsf_region *region)
{
    tlsf_set_granule_limit(tlsf);
    if (tlsf_is_compact(tlsf))
        region->shared_granules = 0;
    acre_regions_insert(&tlsf->regions, &region->range);
    tlsf_format_region(tlsf, region);
    join_above(tlsf, region);
    if (tlsf_prev_region(region) != NULL)
        join_above(tlsf, tlsf_prev_region(region));
    if (tlsf->granules == 0)
        tlsf_cache_region(tlsf, region);
}

/* The same in a small build, where regions are in a list only and never joined. The first one is
 * cached before it is formatted, for heads of lists count from its base. */
static void tlsf_insert_small_region(struct acre_tlsf *tlsf, struct acre_tlsf_region *region)
{
    struct acre_regions *regions = &tlsf->regions;
    if (TLSF_ONE_REGION)
        *regions = (struct acre_regions){ .first = &region->range, .total = region->range.size };
    else
        acre_regions_insert(regions, &region->range);
    if (TLSF_ONE_REGION || tlsf->granules == 0)
        tlsf_cache_region(tlsf, region);
    tlsf_format_region(tlsf, region);
}

/* Fills in the descriptor of a region whose live map follows the descriptor, and which has its
 * metadata in itself. */
static void describe_region(
    struct acre_tlsf_region *region, uintptr_t start, size_t size, size_t map_size)
{
    uintptr_t base = acre_align_up(start, ACRE_TLSF_GRANULE);
    memset(region, 0, sizeof(*region));
    region->range.start = start;
    region->range.size = size;
    region->range.has_node = acre_region_node_size(size) != 0;
    region->base = region->shared_base = base;
    region->granules = (start + size - base + ACRE_TLSF_GRANULE - 1) / ACRE_TLSF_GRANULE;
    region->shared_granules = region->granules;
    region->live_map = region->shared_map = (size_t *)(region + 1);
    region->map_size = map_size;
}

/* Adds a range that was checked, with `map_size` bytes for a map after its descriptor. */
static struct acre_tlsf_region *tlsf_add_region(
    struct acre_tlsf *tlsf, uintptr_t start, size_t size, size_t map_size)
{
    struct acre_tlsf_region *region = tlsf_region_place(start + tlsf_guard_size(size), size);
    describe_region(region, start, size, map_size);
    if (TLSF_SMALL)
        tlsf_insert_small_region(tlsf, region);
    else
        tlsf_insert_region(tlsf, region);
    return region;
}

/* acre_regions_admit(), and the bound of a compact structure. */
static enum acre_status tlsf_admit(const struct acre_tlsf *tlsf, const struct acre_region *range)
{
    enum acre_status status = acre_regions_admit(&tlsf->regions, range, tlsf, tlsf_own_size(tlsf));
    return status == ACRE_OK && range->size > tlsf_largest_region(tlsf) ? ACRE_INVALID_PARAM
                                                                        : status;
}

enum acre_status acre_tlsf_check_range(
    const struct acre_tlsf *tlsf, uintptr_t start, size_t size, size_t least)
{
    struct acre_region range = { .start = start, .size = size };
    if (size < least)
        return ACRE_INVALID_PARAM;
    return tlsf_admit(tlsf, &range);
}

#if ACRE_MAX_POOL == 0

/* Clears the fields after the settings, and the spans that frees test for in a whole structure. */
static void tlsf_clear_lists(struct acre_tlsf *tlsf)
{
    const size_t lists = offsetof(struct acre_tlsf, nonempty);
    memset((char *)tlsf + lists, 0, tlsf_own_size(tlsf) - lists);
    if (tlsf_is_compact(tlsf))
        memset(tlsf->compact.nonempty, 0, sizeof(tlsf->compact.nonempty));
    else
        memset(&tlsf->watch, 0, sizeof(tlsf->watch));
}

#else

/* They stand before the settings. */
static void tlsf_clear_lists(struct acre_tlsf *tlsf)
{
    (void)tlsf;
}

#endif

void acre_tlsf_clear(struct acre_tlsf *tlsf)
{
    memset(tlsf, 0, offsetof(struct acre_tlsf, on_exhausted));
    tlsf_clear_lists(tlsf);
}

enum acre_status acre_tlsf_init(struct acre_tlsf *tlsf, void *start, size_t size)
{
    acre_tlsf_clear(tlsf);
    return acre_tlsf_add_memory(tlsf, start, size);
}

struct acre_ptr acre_tlsf_create_for(void *start, size_t size, size_t largest)
{
    size_t own = acre_tlsf_structure_size(largest);
    uintptr_t at = acre_align_up((uintptr_t)start, ACRE_ALIGNOF(struct acre_tlsf));
    size_t skip = at - (uintptr_t)start + own;
    size_t rest = size - skip;
    if (start == NULL || at == 0 || size < skip || acre_range_wraps((uintptr_t)start, size) ||
        rest < acre_tlsf_least_size(acre_tlsf_metadata_size(rest)) || largest < size ||
        (TLSF_SMALL && rest > (size_t)ACRE_MAX_POOL))
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    struct acre_tlsf *tlsf = (void *)at;
    memset(tlsf, 0, own);
    tlsf_shape(tlsf, largest);
    enum acre_status status = acre_tlsf_add_memory(tlsf, (void *)(at + own), rest);
    ACRE_ASSERT(status == ACRE_OK);
    return (struct acre_ptr){ tlsf, status };
}

struct acre_ptr acre_tlsf_create(void *start, size_t size)
{
    return acre_tlsf_create_for(start, size, size);
}

void acre_tlsf_set_on_exhausted(struct acre_tlsf *tlsf, acre_exhausted_fn *handler, void *arg)
{
    acre_set_exhausted_hook(&tlsf->on_exhausted, handler, arg);
}

void acre_tlsf_set_on_released(struct acre_tlsf *tlsf, acre_released_fn *handler, void *arg)
{
    tlsf_set_released_hook(tlsf, handler, arg);
    tlsf_set_watched_spans(tlsf);
}

enum acre_status acre_tlsf_add_memory(struct acre_tlsf *tlsf, void *start, size_t size)
{
    size_t least = acre_tlsf_least_size(acre_tlsf_metadata_size(size));
    enum acre_status status = acre_tlsf_check_range(tlsf, (uintptr_t)start, size, least);
    if (status == ACRE_OK)
        tlsf_add_region(tlsf, (uintptr_t)start, size, tlsf_map_bytes(size));
    return status;
}

enum acre_status acre_tlsf_add_memory_adjacent(struct acre_tlsf *tlsf, void *start, size_t size)
{
    uintptr_t at = (uintptr_t)start;
    size_t map_size = TLSF_SMALL ? 0 : acre_tlsf_shared_map_size(tlsf, at, size, size / 16);
    if (map_size == 0)
        return acre_tlsf_add_memory(tlsf, start, size);
    size_t least = acre_tlsf_least_size(acre_tlsf_metadata_size(size) + map_size);
    enum acre_status status = acre_tlsf_check_range(tlsf, at, size, least);
    if (status == ACRE_OK)
        acre_tlsf_share_map(tlsf, tlsf_add_region(tlsf, at, size, map_size), map_size);
    return status;
}

enum acre_status acre_tlsf_add_memory_apart(
    struct acre_tlsf *tlsf, void *start, size_t size, void *meta, size_t meta_size)
{
    struct acre_region range = {
        .start = (uintptr_t)start, .size = size, .meta = (uintptr_t)meta, .meta_size = meta_size
    };
    if (TLSF_SMALL || size < acre_tlsf_least_size(0) || size <= TLSF_GAP || meta == NULL ||
        meta_size < acre_tlsf_metadata_size(size))
        return ACRE_INVALID_PARAM;
    enum acre_status status = tlsf_admit(tlsf, &range);
    if (status != ACRE_OK)
        return status;
    struct acre_tlsf_region *region = tlsf_region_place(range.meta, size);
    describe_region(region, range.start, size, tlsf_map_bytes(size));
    region->range.meta = range.meta;
    region->range.meta_size = meta_size;
    tlsf_insert_region(tlsf, region);
    size_t most = range.meta + meta_size - (uintptr_t)(region + 1);
    size_t map_size = acre_tlsf_shared_map_size(tlsf, range.start, size, most);
    if (map_size != 0)
        acre_tlsf_share_map(tlsf, region, map_size);
    return ACRE_OK;
}

/* ---- remove_memory, reset ---- */

/* Whether every chain of a region that is not joined is one free block. */
static bool has_only_free_chains(const struct acre_tlsf_region *region)
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

/* Takes the blocks of a region that is not joined, all free, out of their lists. */
static void unlink_all_blocks(struct acre_tlsf *tlsf, const struct acre_tlsf_region *region)
{
    struct acre_tlsf_block *block = region->first;
    for (;;) {
        size_t span = tlsf_span(block);
        tlsf->capacity -= span;
        tlsf_unlink_any(tlsf, block);
        block = tlsf_after(block, span);
        if (block == region->last)
            return;
        block = tlsf_after(block, 4);
    }
}

/* Ends the chain of `low` at its own sentinel again, or where its last free block, `block`, starts
 * when too little of that is left for a block. */
static void restore_chain_end(
    struct acre_tlsf *tlsf, struct acre_tlsf_region *low, struct acre_tlsf_block *block)
{
    struct acre_tlsf_block *last = tlsf_sentinel_of(low);
    size_t span = tlsf_span_between(block, last);
    low->last = span < TLSF_MIN_SPAN ? block : last;
    *tlsf_header(low->last) = 0;
    if (span < TLSF_MIN_SPAN)
        return;
    tlsf->capacity += span;
    tlsf_add_free_block(tlsf, block, span);
}

/* Starts the chain of `high` at its own first block again; `next` is the block after the free one.
 */
static void restore_chain_start(
    struct acre_tlsf *tlsf, struct acre_tlsf_region *high, struct acre_tlsf_block *next)
{
    size_t span = tlsf_span_between(first_in(high), next);
    high->joined = false;
    high->first = span < TLSF_MIN_SPAN ? next : first_in(high);
    tlsf_clear_prev_free(next);
    if (span < TLSF_MIN_SPAN)
        return;
    tlsf->capacity += span;
    tlsf_add_free_block(tlsf, high->first, span);
}

/* The free block that covers a region joined with the one below or the one above; null when a live
 * one reaches into it. */
static struct acre_tlsf_block *free_block_covering(struct acre_tlsf_region *region)
{
    struct acre_tlsf_block *block = first_joined(region)->first;
    if (region->joined) {
        const struct acre_tlsf_region *low = tlsf_prev_region(region);
        while (tlsf_after(block, tlsf_span(block)) <= tlsf_sentinel_of(low))
            block = tlsf_after(block, tlsf_span(block));
    }
    const struct acre_tlsf_block *next = tlsf_after(block, tlsf_span(block));
    const struct acre_tlsf_region *high = tlsf_joined_above(region);
    const struct acre_tlsf_block *end = high != NULL ? first_in(high) : region->last;
    return tlsf_is_free(block) && next >= end ? block : NULL;
}

static struct acre_tlsf_region *region_starting_at(const struct acre_tlsf *tlsf, const void *start)
{
    struct acre_tlsf_region *region = tlsf_region_floor(tlsf, (uintptr_t)start);
    return region != NULL && region->range.start == (uintptr_t)start ? region : NULL;
}

bool acre_tlsf_is_region_idle(const struct acre_tlsf *tlsf, const void *start)
{
    struct acre_tlsf_region *region = region_starting_at(tlsf, start);
    if (region == NULL)
        return false;
    const struct acre_tlsf_region *high = tlsf_joined_above(region);
    const void *low =
        region->joined ? tlsf_sentinel_of(tlsf_prev_region(region)) : first_in(region);
    const void *end = high != NULL ? first_in(high) : region->last;
    const struct acre_tlsf_block *block = first_joined(region)->first;
    while ((const void *)block < end) {
        const struct acre_tlsf_block *next = tlsf_after(block, tlsf_span(block));
        if ((const void *)next > low && tlsf_is_live(tlsf, block))
            return false;
        block = block == next ? tlsf_after(block, 4) : next;
    }
    return true;
}

static void tlsf_unlink_region(struct acre_tlsf *tlsf, struct acre_tlsf_region *region)
{
    if (!TLSF_SMALL)
        acre_tlsf_unshare_map(region);
    acre_regions_remove(&tlsf->regions, &region->range);
    tlsf_cache_region(tlsf, tlsf_first_region(tlsf));
    if (tlsf->regions.first == NULL)
        tlsf_forget_empty_span(tlsf);
    tlsf_set_watched_spans(tlsf);
}

/* Removes a joined region: cuts it out of the free block that covers it and keeps what lies on both
 * sides. */
static enum acre_status remove_joined(struct acre_tlsf *tlsf, struct acre_tlsf_region *region)
{
    struct acre_tlsf_block *block = free_block_covering(region);
    if (block == NULL)
        return ACRE_INVALID_PARAM;
    struct acre_tlsf_block *next = tlsf_after(block, tlsf_span(block));
    tlsf_unlink_any(tlsf, block);
    tlsf->capacity -= tlsf_span(block);
    if (tlsf_joined_above(region) != NULL)
        restore_chain_start(tlsf, tlsf_next_region(region), next);
    if (region->joined)
        restore_chain_end(tlsf, tlsf_prev_region(region), block);
    tlsf_unlink_region(tlsf, region);
    return ACRE_OK;
}

enum acre_status acre_tlsf_remove_memory(struct acre_tlsf *tlsf, void *start)
{
    struct acre_tlsf_region *region = region_starting_at(tlsf, start);
    if (region == NULL)
        return ACRE_NOT_ALLOCATED;
    if (TLSF_HARDEN && acre_tlsf_check(tlsf).invariant != NULL)
        return ACRE_INVALID_PARAM;
    if (!TLSF_SMALL && (region->joined || tlsf_joined_above(region) != NULL))
        return remove_joined(tlsf, region);
    if (!has_only_free_chains(region))
        return ACRE_INVALID_PARAM;
    unlink_all_blocks(tlsf, region);
    tlsf_unlink_region(tlsf, region);
    return ACRE_OK;
}

void acre_tlsf_reset(struct acre_tlsf *tlsf)
{
    struct acre_regions regions = tlsf->regions;
    acre_tlsf_clear(tlsf);
    tlsf->regions = regions;
    tlsf_cache_region(tlsf, tlsf_first_region(tlsf));
    struct acre_tlsf_region *region = tlsf_first_region(tlsf);
    for (; region != NULL; region = tlsf_next_region(region))
        tlsf_format_region(tlsf, region);
    if (TLSF_SMALL)
        return;
    for (region = tlsf_first_region(tlsf); region != NULL; region = tlsf_next_region(region))
        join_above(tlsf, region);
}
