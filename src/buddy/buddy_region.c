/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Buddy's regions: settings, adding, removing, reset.
 */
#include "base/exhausted.h"
#include "base/memory.h"
#include "buddy/buddy_fast.h"

/* ---- settings ---- */

static void buddy_set_smallest(struct acre_buddy *buddy, size_t smallest)
{
    buddy->mask = smallest - 1;
    buddy->pair_log2 = acre_bits_highest(smallest) + 1;
    buddy->bias = acre_bits_highest(smallest) - 1;
    buddy->peak = 0;
    buddy->headroom = 0;
    ACRE_ASSERT(buddy->mask >> (buddy->bias + 1) == 0 && buddy->pair_log2 == buddy->bias + 2);
}

/* Gives a zeroed allocator its default settings; false when it has settings. */
static bool buddy_set_defaults(struct acre_buddy *buddy)
{
    if (buddy->mask != 0)
        return false;
    buddy_set_smallest(buddy, ACRE_BUDDY_SMALLEST);
    acre_buddy_init_quick(buddy, ACRE_BUDDY_QUICK_DEPTH);
    return true;
}

/* Undoes buddy_set_defaults(), for a call that was refused. */
static void buddy_unset_defaults(struct acre_buddy *buddy)
{
    size_t failed = buddy->failed;
    memset(buddy, 0, offsetof(struct acre_buddy, on_exhausted));
    buddy->failed = failed;
}

enum acre_status acre_buddy_setup(struct acre_buddy *buddy, size_t smallest)
{
    if (!acre_is_pow2(smallest) || smallest < ACRE_NATURAL_ALIGN || smallest > SIZE_MAX / 8 + 1 ||
        buddy->cached != NULL)
        return ACRE_INVALID_PARAM;
    buddy_set_defaults(buddy);
    buddy_set_smallest(buddy, smallest);
    acre_buddy_init_quick(buddy, buddy_quick_depth(buddy));
    return ACRE_OK;
}

enum acre_status acre_buddy_set_quick_depth(struct acre_buddy *buddy, unsigned depth)
{
    if (depth > ACRE_BUDDY_QUICK_DEPTH)
        return ACRE_INVALID_PARAM;
    buddy_set_defaults(buddy);
    acre_buddy_flush_quick(buddy);
    acre_buddy_init_quick(buddy, depth);
    return ACRE_OK;
}

void acre_buddy_set_on_exhausted(struct acre_buddy *buddy, acre_exhausted_fn *handler, void *arg)
{
    acre_set_exhausted_hook(&buddy->on_exhausted, handler, arg);
}

void acre_buddy_set_on_released(struct acre_buddy *buddy, acre_released_fn *handler, void *arg)
{
    buddy->on_released = handler;
    buddy->on_released_arg = arg;
}

/* ---- metadata ---- */

/* Words of level[0]: the indices of every order, and one before each. */
static size_t buddy_bit_words(size_t count)
{
    size_t indices = 2 * count + BUDDY_GAP * (size_t)ACRE_WORD_BITS + 2;
    return (indices >> ACRE_WORD_LOG2) + 1;
}

/* Words of the level above one of so many words: a bit for each, and one that is never set. */
static size_t buddy_words_above(size_t words)
{
    return (words >> ACRE_WORD_LOG2) + 1;
}

/* Bytes of the metadata of so many blocks, from an aligned address on. */
static size_t buddy_metadata_bytes(size_t count)
{
    size_t words = buddy_bit_words(count);
    size_t sum = words;
    size_t levels = 1;
    for (; words > 1; levels++) {
        words = buddy_words_above(words);
        sum += words;
    }
    return sizeof(struct acre_buddy_region) + (sum + levels) * sizeof(size_t) +
           buddy_state_bytes(count);
}

size_t acre_buddy_metadata_size(size_t size, size_t smallest)
{
    return acre_region_node_size(size) + buddy_metadata_bytes(acre_divide(size, smallest)) +
           sizeof(size_t) - 1;
}

static unsigned buddy_levels(size_t words)
{
    unsigned levels = 1;
    for (; words > 1; levels++)
        words = buddy_words_above(words);
    return levels;
}

/* Points the levels and the states to their places after the descriptor. */
static void buddy_place_metadata(struct acre_buddy_region *region)
{
    size_t words = buddy_bit_words(region->count);
    unsigned levels = buddy_levels(words);
    size_t *at = (size_t *)(void *)&region->level[levels];
    region->levels = levels;
    for (unsigned level = 0; level < levels; level++) {
        region->level[level] = at;
        at += words;
        words = buddy_words_above(words);
    }
    region->states = (unsigned char *)at;
    ACRE_ASSERT(acre_buddy_has_sound_layout(region)); /* BUDDY-1 */
}

bool acre_buddy_has_sound_layout(const struct acre_buddy_region *region)
{
    size_t words = buddy_bit_words(region->count);
    unsigned levels = buddy_levels(words);
    const size_t *at = (const size_t *)(const void *)&region->level[levels];
    if (region->levels != levels)
        return false;
    for (unsigned level = 0; level < levels; level++) {
        if (region->level[level] != at)
            return false;
        at += words;
        words = buddy_words_above(words);
    }
    return region->states == (const unsigned char *)at;
}

/* Clears all bits and states: no block of the region is live or free. */
static void buddy_clear_metadata(struct acre_buddy_region *region)
{
    size_t bytes = (size_t)(region->states - (unsigned char *)region->level[0]);
    memset(region->level[0], 0, bytes + buddy_state_bytes(region->count));
}

/* ---- init, add_memory ---- */

/* Sets first, count and limit to the whole blocks between a position and the range's end. */
static void buddy_set_blocks(
    const struct acre_buddy *buddy, struct acre_buddy_region *region, uintptr_t from)
{
    uintptr_t first = buddy_block_from(buddy, from);
    uintptr_t after = buddy_block_after(buddy, region->range.start, region->range.size);
    region->first = first;
    region->count = first < after ? after - first : 0;
    region->limit = first + 2 * region->count;
}

/* Sets the seam flag of a region that another one may have begun, or ceased, to adjoin. */
static void buddy_update_seam(struct acre_buddy_region *region)
{
    if (ACRE_SMALL || region == NULL)
        return;
    const struct acre_buddy_region *below = (const struct acre_buddy_region *)region->range.prev;
    region->seam = buddy_adjoins(below, region) || buddy_adjoins(region, buddy_next_region(region));
    buddy_set_largest_from(region);
}

static void buddy_insert_region(struct acre_buddy *buddy, struct acre_buddy_region *region)
{
    acre_regions_insert(&buddy->regions, &region->range);
    acre_buddy_forget_largest(region);
    buddy->capacity += region->count;
    buddy_update_seam((struct acre_buddy_region *)region->range.prev);
    buddy_update_seam(region);
    buddy_update_seam(buddy_next_region(region));
    if (buddy->cached == NULL)
        buddy_cache_region(buddy, region);
    acre_buddy_merge_range(buddy, region->first, region->first + region->count);
}

/* Writes a descriptor and its maps at an aligned place, and makes all of the blocks free. */
static void buddy_add_region(
    struct acre_buddy *buddy, uintptr_t place, const struct acre_buddy_region *described)
{
    struct acre_buddy_region *region = (void *)place;
    *region = *described;
    region->range.has_node = acre_region_node_size(region->range.size) != 0;
    buddy_place_metadata(region);
    buddy_set_pairs(buddy, region);
    buddy_clear_metadata(region);
    buddy_insert_region(buddy, region);
}

/* Forgets all regions and all that was counted; keeps the settings. */
static void buddy_forget_all(struct acre_buddy *buddy)
{
    size_t smallest = buddy->mask + 1;
    unsigned depth = buddy_quick_depth(buddy);
    memset(buddy, 0, offsetof(struct acre_buddy, on_exhausted));
    buddy_set_smallest(buddy, smallest);
    acre_buddy_init_quick(buddy, depth);
}

enum acre_status acre_buddy_init(struct acre_buddy *buddy, void *start, size_t size)
{
    buddy_set_defaults(buddy);
    buddy_forget_all(buddy);
    return acre_buddy_add_memory(buddy, start, size);
}

/* Finds how many blocks fit after their own metadata: the more blocks, the less space for them. */
static void buddy_set_blocks_in_band(
    const struct acre_buddy *buddy, struct acre_buddy_region *region, uintptr_t place)
{
    uintptr_t start = region->range.start;
    size_t least = 0;
    size_t most = region->range.size >> buddy_smallest_log2(buddy);
    while (least < most) {
        size_t count = most - (most - least) / 2;
        size_t bytes = buddy_metadata_bytes(count) + (place - start);
        region->count = 0;
        if (bytes < region->range.size)
            buddy_set_blocks(buddy, region, start + bytes);
        if (region->count >= count)
            least = count;
        else
            most = count - 1;
    }
    region->count = least;
    region->first = buddy_block_after(buddy, start, region->range.size) - least;
    region->limit = region->first + 2 * least;
}

static enum acre_status buddy_add_in_band(struct acre_buddy *buddy, uintptr_t start, size_t size)
{
    struct acre_buddy_region region = { .range = { .start = start, .size = size } };
    uintptr_t place = acre_region_place(start, size);
    if (size == 0 || acre_range_wraps(start, size) || place < start)
        return ACRE_INVALID_PARAM;
    buddy_set_blocks_in_band(buddy, &region, place);
    if (region.count == 0)
        return ACRE_INVALID_PARAM;
    enum acre_status status =
        acre_regions_admit(&buddy->regions, &region.range, buddy, sizeof(*buddy));
    if (status == ACRE_OK)
        buddy_add_region(buddy, place, &region);
    return status;
}

enum acre_status acre_buddy_add_memory(struct acre_buddy *buddy, void *start, size_t size)
{
    bool defaults = buddy_set_defaults(buddy);
    enum acre_status status = buddy_add_in_band(buddy, (uintptr_t)start, size);
    if (status != ACRE_OK && defaults)
        buddy_unset_defaults(buddy);
    return status;
}

/* Whether a region that holds its own metadata has room for a block of the default size. */
static bool buddy_has_room(uintptr_t start, size_t size)
{
    size_t metadata = acre_region_place(start, size) - start + buddy_metadata_bytes(1);
    size_t from = acre_align_up(start + metadata, ACRE_BUDDY_SMALLEST) - start;
    return from < size && size - from >= ACRE_BUDDY_SMALLEST &&
           (!ACRE_SMALL || size <= (size_t)ACRE_MAX_POOL);
}

struct acre_ptr acre_buddy_create(void *start, size_t size)
{
    uintptr_t at = acre_align_up((uintptr_t)start, ACRE_ALIGNOF(struct acre_buddy));
    size_t skip = at - (uintptr_t)start + sizeof(struct acre_buddy);
    if (start == NULL || at == 0 || size < skip || acre_range_wraps((uintptr_t)start, size) ||
        !buddy_has_room(at + sizeof(struct acre_buddy), size - skip))
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    struct acre_buddy *buddy = (void *)at;
    memset(buddy, 0, sizeof(*buddy));
    enum acre_status status = acre_buddy_init(buddy, buddy + 1, size - skip);
    ACRE_ASSERT(status == ACRE_OK);
    return (struct acre_ptr){ buddy, status };
}

static enum acre_status buddy_add_apart(struct acre_buddy *buddy, struct acre_region range)
{
    struct acre_buddy_region region = { .range = range };
    if (ACRE_SMALL || range.size == 0 || acre_range_wraps(range.start, range.size) ||
        range.meta == 0 || range.meta_size < acre_buddy_metadata_size(range.size, buddy->mask + 1))
        return ACRE_INVALID_PARAM;
    buddy_set_blocks(buddy, &region, range.start);
    if (region.count == 0)
        return ACRE_INVALID_PARAM;
    enum acre_status status =
        acre_regions_admit(&buddy->regions, &region.range, buddy, sizeof(*buddy));
    if (status == ACRE_OK)
        buddy_add_region(buddy, acre_region_place(range.meta, range.size), &region);
    return status;
}

static enum acre_status buddy_add_apart_or_undo(struct acre_buddy *buddy, struct acre_region range)
{
    bool defaults = buddy_set_defaults(buddy);
    enum acre_status status = buddy_add_apart(buddy, range);
    if (status != ACRE_OK && defaults)
        buddy_unset_defaults(buddy);
    return status;
}

enum acre_status acre_buddy_add_memory_apart(
    struct acre_buddy *buddy, void *start, size_t size, void *meta, size_t meta_size)
{
    struct acre_region range = {
        .start = (uintptr_t)start, .size = size, .meta = (uintptr_t)meta, .meta_size = meta_size
    };
    return buddy_add_apart_or_undo(buddy, range);
}

enum acre_status acre_buddy_add_range(
    struct acre_buddy *buddy, uintptr_t start, size_t size, void *meta, size_t meta_size)
{
    struct acre_region range = { .start = start,
        .size = size,
        .meta = (uintptr_t)meta,
        .meta_size = meta_size,
        .integers = true };
    return buddy_add_apart_or_undo(buddy, range);
}

/* ---- remove_memory, reset ---- */

/* The free or live block of an order above 0 that contains a block and starts before it. */
struct buddy_enclosing {
    struct acre_buddy_region *region; /* null: there is none */
    uintptr_t block;
    unsigned order;
    bool live;
};

static struct buddy_enclosing buddy_find_enclosing(const struct acre_buddy *buddy, uintptr_t block)
{
    struct buddy_enclosing found = { .region = NULL };
    uintptr_t last = block;
    for (unsigned order = 1; order < buddy_orders(buddy); order++) {
        uintptr_t start = block & ~(buddy_size(order) - 1);
        struct acre_buddy_region *region =
            start == block ? NULL : acre_buddy_find_region(buddy, start);
        if (region == NULL)
            continue;
        unsigned live = start == last ? BUDDY_NONE : buddy_live_order(buddy, region, start);
        last = start;
        found.live = live != BUDDY_NONE && live >= order;
        if (found.live || buddy_is_free(region, start, order)) {
            found.region = region;
            found.block = start;
            found.order = found.live ? live : order;
            return found;
        }
    }
    return found;
}

/* Whether a live block lies in a region, wholly or in part. */
static bool buddy_is_in_use(const struct acre_buddy *buddy, const struct acre_buddy_region *region)
{
    for (size_t i = 0; i < buddy_state_bytes(region->count); i++)
        if ((region->states[i] & (BUDDY_LIVE_ODD | BUDDY_LIVE_EVEN)) != 0)
            return true;
    if (!buddy_is_on_seam(region))
        return false;
    struct buddy_enclosing low = buddy_find_enclosing(buddy, region->first);
    return low.region != NULL && low.live;
}

static void buddy_remove_region(struct acre_buddy *buddy, struct acre_buddy_region *region)
{
    acre_regions_remove(&buddy->regions, &region->range);
    acre_buddy_leave_orders(buddy, region);
    buddy->capacity -= region->count;
    buddy_update_seam((struct acre_buddy_region *)region->range.prev);
    buddy_update_seam(buddy_next_region(region));
    buddy_cache_region(buddy, buddy_first_region(buddy));
}

/* Number of the block after the free block that reaches over a region's end; the one after the
 * region when none does. */
static uintptr_t buddy_end_of_last(
    const struct acre_buddy *buddy, const struct acre_buddy_region *region)
{
    uintptr_t after = region->first + region->count;
    struct buddy_enclosing last = { .region = NULL };
    if (buddy_is_on_seam(region))
        last = buddy_find_enclosing(buddy, after);
    return last.region == NULL ? after : last.block + buddy_size(last.order);
}

enum acre_status acre_buddy_remove_memory(struct acre_buddy *buddy, void *start)
{
    struct acre_buddy_region *region =
        (struct acre_buddy_region *)acre_regions_starting_at(&buddy->regions, (uintptr_t)start);
    if (region == NULL)
        return ACRE_NOT_ALLOCATED;
    if (buddy_is_in_use(buddy, region))
        return ACRE_INVALID_PARAM;
    acre_buddy_flush_quick(buddy);
    uintptr_t first = region->first;
    uintptr_t after = first + region->count;
    uintptr_t end = buddy_end_of_last(buddy, region);
    struct buddy_enclosing low = { .region = NULL };
    if (buddy_is_on_seam(region))
        low = buddy_find_enclosing(buddy, first);
    if (low.region != NULL)
        buddy_clear(low.region, buddy_index(low.region, low.block, low.order));
    if (low.region != NULL)
        acre_buddy_update_largest(buddy, low.region);
    buddy_remove_region(buddy, region);
    if (low.region != NULL)
        acre_buddy_merge_range(buddy, low.block, first);
    acre_buddy_merge_range(buddy, after, end);
    return ACRE_OK;
}

void acre_buddy_reset(struct acre_buddy *buddy)
{
    struct acre_regions regions = buddy->regions;
    size_t capacity = buddy->capacity;
    buddy_set_defaults(buddy);
    buddy_forget_all(buddy);
    buddy->regions = regions;
    buddy->capacity = capacity;
    buddy_cache_region(buddy, buddy_first_region(buddy));
    for (struct acre_buddy_region *region = buddy_first_region(buddy); region != NULL;
         region = buddy_next_region(region)) {
        buddy_clear_metadata(region);
        acre_buddy_forget_largest(region);
    }
    for (struct acre_buddy_region *region = buddy_first_region(buddy); region != NULL;
         region = buddy_next_region(region))
        acre_buddy_merge_range(buddy, region->first, region->first + region->count);
}
