/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Buddy's regions: set-up, adding, removing, reset.
 */
#include "base/exhausted.h"
#include "base/memory.h"
#include "buddy/buddy_private.h"

/* ---- setup ---- */

/* The bottom of every shelf is a place without a state. What an order without a shelf has for one
 * is nothing but the bottom of another. */
static void set_depth(struct acre_buddy *buddy, unsigned depth)
{
    buddy->depth = depth;
    for (unsigned order = 0; order < ACRE_BUDDY_ORDERS; order++) {
        struct acre_buddy_order *row = &buddy->orders[order];
        row->top = buddy->shelves[0];
        row->limit = buddy->shelves[0];
        row->size = buddy_size_or_0(buddy, order);
    }
    for (unsigned shelf = 0; shelf < ACRE_BUDDY_QUICK_LISTS; shelf++) {
        struct acre_buddy_order *row = &buddy->orders[buddy_row_of(shelf)];
        row->top = buddy->shelves[shelf];
        row->limit = row->top + depth;
    }
    buddy->orders[BUDDY_ODD].size = 1;
}

enum acre_status acre_buddy_setup(struct acre_buddy *buddy, size_t smallest)
{
    if (!acre_is_pow2(smallest) || smallest < ACRE_NATURAL_ALIGN || smallest > SIZE_MAX / 8 + 1)
        return ACRE_INVALID_PARAM;
    memset(buddy, 0, sizeof(*buddy));
    buddy->mask = smallest - 1;
    buddy->pair_log2 = acre_bits_highest(smallest) + 1;
    buddy->bias = acre_bits_highest(smallest) - 1;
    set_depth(buddy, ACRE_BUDDY_QUICK_DEPTH);
    return ACRE_OK;
}

enum acre_status acre_buddy_set_quick_depth(struct acre_buddy *buddy, unsigned depth)
{
    if (depth > ACRE_BUDDY_QUICK_DEPTH)
        return ACRE_INVALID_PARAM;
    acre_buddy_flush_quick(buddy);
    set_depth(buddy, depth);
    return ACRE_OK;
}

void acre_buddy_set_on_exhausted(struct acre_buddy *buddy, acre_exhausted_fn *handler, void *arg)
{
    acre_set_exhausted_hook(&buddy->on_exhausted, handler, arg);
}

/* ---- finding ---- */

struct acre_buddy_region *acre_buddy_region_of(const struct acre_buddy *buddy, uintptr_t block)
{
    struct acre_buddy_region *region = buddy->regions;
    while (region != NULL && !buddy_contains(region, block))
        region = region->next;
    return region;
}

/* The window over a region begins at its first even block: what is before it is looked up. */
void acre_buddy_look_at(struct acre_buddy *buddy, struct acre_buddy_region *region)
{
    buddy->current = region;
    buddy->base = 0;
    buddy->pairs = 0;
    buddy->states = NULL;
    if (region == NULL)
        return;
    uintptr_t even = region->first + (region->first & 1);
    buddy->base = even << buddy_smallest_log2(buddy);
    buddy->pairs = (region->count - (even - region->first) + 1) / 2;
    buddy->states = region->states + (even - region->first);
}

/* ---- metadata ---- */

/* Words of level[0]: the indices of every order, and one before each. */
static size_t bit_words(size_t count)
{
    size_t indices = 2 * count + BUDDY_GAP * (size_t)ACRE_BUDDY_ORDERS + 2;
    return (indices >> BUDDY_WORD_LOG2) + 1;
}

/* Words of the level above one of so many words: a bit for each, and one that is never set. */
static size_t words_above(size_t words)
{
    return (words >> BUDDY_WORD_LOG2) + 1;
}

/* Bytes of the metadata of so many blocks, from an aligned address on. */
static size_t metadata_bytes(size_t count)
{
    size_t words = bit_words(count);
    size_t sum = words;
    size_t levels = 1;
    for (; words > 1; levels++) {
        words = words_above(words);
        sum += words;
    }
    return sizeof(struct acre_buddy_region) + (sum + levels) * sizeof(size_t) +
           buddy_state_bytes(count);
}

size_t acre_buddy_metadata_size(size_t size, size_t smallest)
{
    return metadata_bytes(size / smallest) + sizeof(size_t) - 1;
}

static unsigned levels_of(size_t words)
{
    unsigned levels = 1;
    for (; words > 1; levels++)
        words = words_above(words);
    return levels;
}

/* Points the levels and the states to their places behind the descriptor. */
static void lay_metadata(struct acre_buddy_region *region)
{
    size_t words = bit_words(region->count);
    unsigned levels = levels_of(words);
    size_t *at = (size_t *)(void *)&region->level[levels];
    region->levels = levels;
    for (unsigned level = 0; level < levels; level++) {
        region->level[level] = at;
        at += words;
        words = words_above(words);
    }
    region->states = (unsigned char *)at;
}

bool acre_buddy_is_laid(const struct acre_buddy_region *region)
{
    size_t words = bit_words(region->count);
    unsigned levels = levels_of(words);
    const size_t *at = (const size_t *)(const void *)&region->level[levels];
    if (region->levels != levels)
        return false;
    for (unsigned level = 0; level < levels; level++) {
        if (region->level[level] != at)
            return false;
        at += words;
        words = words_above(words);
    }
    return region->states == (const unsigned char *)at;
}

/* Takes all bits and states back, so that none of the region's blocks is live or free. */
static void wipe(struct acre_buddy_region *region)
{
    size_t bytes = (size_t)(region->states - (unsigned char *)region->level[0]);
    memset(region->level[0], 0, bytes + buddy_state_bytes(region->count));
}

/* ---- init, add_memory ---- */

static bool overlaps(uintptr_t start, size_t size, uintptr_t other, size_t other_size)
{
    return other_size != 0 && acre_ranges_overlap(start, size, other, other_size);
}

/* Whether a range to be managed shares a place with what is owned. */
static bool is_managed(const struct acre_buddy *buddy, uintptr_t start, size_t size, bool integers)
{
    for (const struct acre_buddy_region *region = buddy->regions; region; region = region->next)
        if (overlaps(start, size, region->start, region->size) ||
            (!integers && overlaps(start, size, region->meta, region->meta_size)))
            return true;
    return !integers && overlaps(start, size, (uintptr_t)buddy, sizeof(*buddy));
}

/* Whether metadata would share a place with what is owned. */
static bool is_occupied(const struct acre_buddy *buddy, uintptr_t start, size_t size)
{
    for (const struct acre_buddy_region *region = buddy->regions; region; region = region->next)
        if (overlaps(start, size, region->meta, region->meta_size) ||
            (!region->integers && overlaps(start, size, region->start, region->size)))
            return true;
    return overlaps(start, size, (uintptr_t)buddy, sizeof(*buddy));
}

/* Number of the first whole block from a position on. */
static uintptr_t block_from(const struct acre_buddy *buddy, uintptr_t pos)
{
    return (pos >> buddy_smallest_log2(buddy)) + ((pos & buddy->mask) != 0);
}

/* Number of the block behind the last whole one of a range. */
static uintptr_t block_behind(const struct acre_buddy *buddy, uintptr_t start, size_t size)
{
    uintptr_t last = start + (size - 1);
    return (last >> buddy_smallest_log2(buddy)) + ((last & buddy->mask) == buddy->mask);
}

/* Fills in first, count and limit: the whole blocks between a position and a range's end. */
static void lay_blocks(
    const struct acre_buddy *buddy, struct acre_buddy_region *region, uintptr_t from)
{
    uintptr_t first = block_from(buddy, from);
    uintptr_t behind = block_behind(buddy, region->start, region->size);
    region->first = first;
    region->count = first < behind ? behind - first : 0;
    region->limit = first + 2 * region->count;
}

static bool adjoin(const struct acre_buddy_region *low, const struct acre_buddy_region *high)
{
    return low != NULL && high != NULL && low->first + low->count == high->first;
}

static void find_seams(struct acre_buddy *buddy)
{
    const struct acre_buddy_region *before = NULL;
    for (struct acre_buddy_region *region = buddy->regions; region; region = region->next) {
        region->seam = adjoin(before, region) || adjoin(region, region->next);
        before = region;
    }
}

static void insert(struct acre_buddy *buddy, struct acre_buddy_region *region)
{
    struct acre_buddy_region **link = &buddy->regions;
    while (*link != NULL && (*link)->start < region->start)
        link = &(*link)->next;
    region->next = *link;
    *link = region;
    buddy->total += region->size + region->meta_size;
    buddy->capacity += region->count;
    find_seams(buddy);
    if (buddy->current == NULL)
        acre_buddy_look_at(buddy, region);
    acre_buddy_release_range(buddy, region->first, region->first + region->count);
}

/* Writes descriptor and maps at an aligned place, and makes all of the region's blocks free. */
static void add(
    struct acre_buddy *buddy, uintptr_t place, const struct acre_buddy_region *described)
{
    struct acre_buddy_region *region = (void *)place;
    *region = *described;
    lay_metadata(region);
    wipe(region);
    insert(buddy, region);
}

/* Whether the bytes given would be more than a size_t counts. */
static bool is_too_much(const struct acre_buddy *buddy, size_t size, size_t meta_size)
{
    return size > SIZE_MAX - buddy->total || meta_size > SIZE_MAX - buddy->total - size;
}

static void drop_all(struct acre_buddy *buddy)
{
    unsigned depth = buddy->depth;
    acre_buddy_setup(buddy, buddy->mask + 1);
    set_depth(buddy, depth);
}

enum acre_status acre_buddy_init(struct acre_buddy *buddy, void *start, size_t size)
{
    drop_all(buddy);
    return acre_buddy_add_memory(buddy, start, size);
}

/* Finds how many blocks fit in behind their own metadata: the more blocks, the less room. */
static void lay_in_band(
    const struct acre_buddy *buddy, struct acre_buddy_region *region, uintptr_t place)
{
    size_t least = 0;
    size_t most = region->size >> buddy_smallest_log2(buddy);
    while (least < most) {
        size_t count = most - (most - least) / 2;
        size_t bytes = metadata_bytes(count) + (place - region->start);
        region->count = 0;
        if (bytes < region->size)
            lay_blocks(buddy, region, region->start + bytes);
        if (region->count >= count)
            least = count;
        else
            most = count - 1;
    }
    region->count = least;
    region->first = block_behind(buddy, region->start, region->size) - least;
    region->limit = region->first + 2 * least;
}

enum acre_status acre_buddy_add_memory(struct acre_buddy *buddy, void *start, size_t size)
{
    struct acre_buddy_region region = { .start = (uintptr_t)start, .size = size };
    uintptr_t place = acre_align_up(region.start, sizeof(size_t));
    if (start == NULL || acre_range_wraps(region.start, size) || place < region.start ||
        is_too_much(buddy, size, 0))
        return ACRE_INVALID_PARAM;
    if (size != 0)
        lay_in_band(buddy, &region, place);
    if (region.count == 0)
        return ACRE_INVALID_PARAM;
    if (is_managed(buddy, region.start, size, false))
        return ACRE_MEMORY_OVERLAP;
    add(buddy, place, &region);
    return ACRE_OK;
}

static enum acre_status add_apart(
    struct acre_buddy *buddy, struct acre_buddy_region region, const void *meta)
{
    uintptr_t at = (uintptr_t)meta;
    if (region.size == 0 || acre_range_wraps(region.start, region.size) || meta == NULL ||
        acre_range_wraps(at, region.meta_size) ||
        region.meta_size < acre_buddy_metadata_size(region.size, buddy->mask + 1) ||
        is_too_much(buddy, region.size, region.meta_size))
        return ACRE_INVALID_PARAM;
    lay_blocks(buddy, &region, region.start);
    if (region.count == 0)
        return ACRE_INVALID_PARAM;
    if (is_managed(buddy, region.start, region.size, region.integers) ||
        is_occupied(buddy, at, region.meta_size) ||
        (!region.integers && acre_ranges_overlap(region.start, region.size, at, region.meta_size)))
        return ACRE_MEMORY_OVERLAP;
    region.meta = at;
    add(buddy, acre_align_up(at, sizeof(size_t)), &region);
    return ACRE_OK;
}

enum acre_status acre_buddy_add_memory_apart(
    struct acre_buddy *buddy, void *start, size_t size, void *meta, size_t meta_size)
{
    struct acre_buddy_region region = {
        .start = (uintptr_t)start, .size = size, .meta_size = meta_size
    };
    return start == NULL ? ACRE_INVALID_PARAM : add_apart(buddy, region, meta);
}

enum acre_status acre_buddy_add_range(
    struct acre_buddy *buddy, uintptr_t start, size_t size, void *meta, size_t meta_size)
{
    struct acre_buddy_region region = {
        .start = start, .size = size, .meta_size = meta_size, .integers = true
    };
    return add_apart(buddy, region, meta);
}

/* ---- remove_memory, reset ---- */

/* The free or live block of an order above 0 that holds `block` and starts before it. */
struct holder {
    struct acre_buddy_region *region; /* null: there is none */
    uintptr_t block;
    unsigned order;
    bool live;
};

static struct holder holder_of(const struct acre_buddy *buddy, uintptr_t block)
{
    struct holder holder = { .region = NULL };
    uintptr_t last = block;
    for (unsigned order = 1; order < BUDDY_WORD_BITS - buddy_smallest_log2(buddy); order++) {
        uintptr_t start = block & ~(buddy_size(order) - 1);
        struct acre_buddy_region *region =
            start == block ? NULL : acre_buddy_region_of(buddy, start);
        if (region == NULL)
            continue;
        unsigned live = start == last ? BUDDY_NONE : buddy_live_order(region, start);
        last = start;
        holder.live = live != BUDDY_NONE && live >= order;
        if (holder.live || buddy_is_free(region, start, order)) {
            holder.region = region;
            holder.block = start;
            holder.order = holder.live ? live : order;
            return holder;
        }
    }
    return holder;
}

/* Whether a live block lies in a region, wholly or in part. */
static bool is_in_use(const struct acre_buddy *buddy, const struct acre_buddy_region *region)
{
    for (size_t i = 0; i < buddy_state_bytes(region->count); i++)
        if ((region->states[i] & (BUDDY_LIVE_ODD | BUDDY_LIVE_EVEN)) != 0)
            return true;
    if (!region->seam)
        return false;
    struct holder holder = holder_of(buddy, region->first);
    return holder.region != NULL && holder.live;
}

static void unlist(struct acre_buddy *buddy, struct acre_buddy_region *region)
{
    struct acre_buddy_region **link = &buddy->regions;
    while (*link != NULL && *link != region)
        link = &(*link)->next;
    *link = region->next;
    buddy->total -= region->size + region->meta_size;
    buddy->capacity -= region->count;
    find_seams(buddy);
    acre_buddy_look_at(buddy, buddy->regions);
}

/* End of the free block that reaches behind a region's end; the region's end when none does. */
static uintptr_t end_of_last(const struct acre_buddy *buddy, const struct acre_buddy_region *region)
{
    uintptr_t behind = region->first + region->count;
    struct holder holder = holder_of(buddy, behind);
    return holder.region == NULL ? behind : holder.block + buddy_size(holder.order);
}

enum acre_status acre_buddy_remove_memory(struct acre_buddy *buddy, void *start)
{
    struct acre_buddy_region *region = buddy->regions;
    while (region != NULL && region->start != (uintptr_t)start)
        region = region->next;
    if (region == NULL)
        return ACRE_NOT_ALLOCATED;
    if (is_in_use(buddy, region))
        return ACRE_INVALID_PARAM;
    acre_buddy_flush_quick(buddy);
    uintptr_t behind = region->first + region->count;
    uintptr_t end = region->seam ? end_of_last(buddy, region) : behind;
    struct holder low = { .region = NULL };
    if (region->seam)
        low = holder_of(buddy, region->first);
    if (low.region != NULL)
        buddy_clear(low.region, buddy_index(low.region, low.block, low.order));
    uintptr_t first = region->first;
    unlist(buddy, region);
    if (low.region != NULL)
        acre_buddy_release_range(buddy, low.block, first);
    acre_buddy_release_range(buddy, behind, end);
    return ACRE_OK;
}

void acre_buddy_reset(struct acre_buddy *buddy)
{
    struct acre_buddy_region *regions = buddy->regions;
    size_t total = buddy->total;
    size_t capacity = buddy->capacity;
    drop_all(buddy);
    buddy->regions = regions;
    buddy->total = total;
    buddy->capacity = capacity;
    acre_buddy_look_at(buddy, regions);
    for (struct acre_buddy_region *region = regions; region != NULL; region = region->next)
        wipe(region);
    for (struct acre_buddy_region *region = regions; region != NULL; region = region->next)
        acre_buddy_release_range(buddy, region->first, region->first + region->count);
}
