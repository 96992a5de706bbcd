/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Buddy's checker: verifies invariants BUDDY-1 to BUDDY-11 of buddy_private.h. It changes nothing,
 * and reads a region's maps only when it has shown where they lie.
 */
#include "buddy/buddy_fast.h"

/* What the blocks add up to, counted on the way. */
struct buddy_audit {
    const struct acre_buddy *buddy;
    size_t live;
    size_t used; /* smallest blocks */
    size_t free;
    size_t quick;
};

static const char *const buddy_quick_text =
    "BUDDY-7: a quick list holds blocks of its class, each once, within its limit";
static const char *const buddy_state_text =
    "BUDDY-4: state bytes describe the live and quick blocks that start there";
static const char *const buddy_order_text =
    "BUDDY-11: regions are on the list of their largest free block's order";
static const char *const buddy_count_text = "BUDDY-8: counts are those of blocks and regions";

/* ---- BUDDY-10, BUDDY-7: the control structure ---- */

static bool buddy_has_sound_constants(const struct acre_buddy *buddy)
{
    size_t smallest = buddy->mask + 1;
    return acre_is_pow2(smallest) && smallest >= ACRE_NATURAL_ALIGN &&
           smallest <= SIZE_MAX / 8 + 1 && buddy->pair_log2 == acre_bits_highest(smallest) + 1 &&
           buddy->bias == acre_bits_highest(smallest) - 1;
}

/* Whether a zeroed allocator, which has no settings yet, owns nothing. */
static bool buddy_is_blank(const struct acre_buddy *buddy)
{
    return buddy->pair_log2 == 0 && buddy->bias == 0 && buddy_is_cached(buddy, NULL) &&
           buddy->regions.first == NULL && buddy->regions.total == 0 && buddy->live_blocks == 0;
}

static struct acre_check_result buddy_check_control(const struct acre_buddy *buddy)
{
    if (!buddy_has_sound_constants(buddy))
        return acre_check_broken(
            "BUDDY-10: the constants of the smallest block agree", &buddy->mask);
    const void *bad = acre_buddy_find_bad_list(buddy);
    return bad != NULL ? acre_check_broken(buddy_quick_text, bad) : acre_check_sound();
}

/* ---- BUDDY-1, BUDDY-9: regions ---- */

/* Whether a descriptor lies in its region's metadata. */
static bool buddy_has_sound_place(const struct acre_buddy_region *region)
{
    const struct acre_region *range = &region->range;
    bool apart = range->meta != 0;
    uintptr_t from = apart ? range->meta : range->start;
    return (uintptr_t)region - from < (apart ? range->meta_size : range->size) &&
           (apart || (range->meta_size == 0 && !range->integers));
}

static bool buddy_has_sound_metadata(
    const struct acre_buddy *buddy, const struct acre_buddy_region *region)
{
    const struct acre_region *range = &region->range;
    uintptr_t end = (uintptr_t)region->states + buddy_state_bytes(region->count);
    uintptr_t most = range->meta != 0 ? range->meta + range->meta_size
                                      : region->first << buddy_smallest_log2(buddy);
    return acre_buddy_has_sound_layout(region) && end <= most;
}

static bool buddy_has_sound_blocks(
    const struct acre_buddy *buddy, const struct acre_buddy_region *region)
{
    uintptr_t least = buddy_block_from(buddy, region->range.start);
    uintptr_t after = buddy_block_after(buddy, region->range.start, region->range.size);
    return buddy_has_sound_pairs(buddy, region) && region->count != 0 && region->first >= least &&
           region->count <= after - least && region->first + region->count == after &&
           (region->range.meta == 0 || region->first == least) &&
           region->limit == region->first + 2 * region->count;
}

static struct acre_check_result buddy_check_region(
    const struct acre_buddy *buddy, const struct acre_buddy_region *region)
{
    const struct acre_buddy_region *below = (const struct acre_buddy_region *)region->range.prev;
    const struct acre_buddy_region *above = buddy_next_region(region);
    bool seam = buddy_adjoins(below, region) || buddy_adjoins(region, above);
    if (!buddy_has_sound_place(region) || !buddy_has_sound_blocks(buddy, region) ||
        !buddy_has_sound_metadata(buddy, region) || region->seam != seam)
        return acre_check_broken("BUDDY-1: regions are in order and their bounds sane", region);
    return acre_check_sound();
}

static struct acre_check_result buddy_check_regions(const struct acre_buddy *buddy)
{
    const struct acre_region *unsound = acre_regions_find_broken(&buddy->regions);
    bool cached = buddy_is_cached(buddy, NULL) && buddy->regions.first == NULL;
    size_t capacity = 0;
    if (unsound != NULL)
        return acre_check_broken("BUDDY-1: regions are in order and their bounds sane", unsound);
    for (const struct acre_buddy_region *region = buddy_first_region(buddy); region != NULL;
         region = buddy_next_region(region)) {
        struct acre_check_result result = buddy_check_region(buddy, region);
        if (result.invariant != NULL)
            return result;
        cached = cached || buddy_is_cached(buddy, region);
        capacity += region->count;
    }
    if (!cached)
        return acre_check_broken(
            "BUDDY-9: the cached region is one of the regions", &buddy->cached);
    if (!acre_regions_total_agrees(&buddy->regions))
        return acre_check_broken(buddy_count_text, &buddy->regions.total);
    if (capacity != buddy->capacity)
        return acre_check_broken(buddy_count_text, &buddy->capacity);
    return acre_check_sound();
}

/* ---- BUDDY-2 to BUDDY-4: blocks ---- */

static const void *buddy_address_of(const struct acre_buddy *buddy, uintptr_t block)
{
    return (const void *)(block << buddy_smallest_log2(buddy));
}

/* Whether the buddy of a free block is free too. */
static bool buddy_has_free_sibling(const struct acre_buddy *buddy,
    const struct acre_buddy_region *region, uintptr_t block, unsigned order)
{
    uintptr_t sibling = block ^ buddy_size(order);
    if (!buddy_contains(region, sibling))
        region = acre_buddy_find_region(buddy, sibling);
    return region != NULL && buddy_is_free(region, sibling, order);
}

/* The part of a state byte that belongs to a block number. */
static unsigned buddy_state_part(const struct acre_buddy_region *region, uintptr_t block)
{
    unsigned state = region->states[(block >> 1) - (region->first >> 1)];
    return state & ((block & 1) != 0 ? BUDDY_LIVE_ODD : BUDDY_LIVE_EVEN | BUDDY_CLASS);
}

/* Whether the parts of state bytes that belong to no block of the region are 0. */
static bool buddy_has_clean_edges(const struct acre_buddy_region *region)
{
    uintptr_t after = region->first + region->count;
    uintptr_t end = (region->first & ~(uintptr_t)1) + 2 * buddy_state_bytes(region->count);
    if ((region->first & 1) != 0 && buddy_state_part(region, region->first - 1) != 0)
        return false;
    for (; after < end; after++)
        if (buddy_state_part(region, after) != 0)
            return false;
    return true;
}

/* Whether the state bytes of a block are 0 but for its mark or its class at its start. */
static bool buddy_has_clean_states(const struct acre_buddy *buddy,
    const struct acre_buddy_region *region, uintptr_t block, struct buddy_view view)
{
    unsigned quick = view.quick && (block & 1) == 0 ? view.order + buddy->bias : 0;
    if (!view.live && buddy_state_part(region, block) != quick)
        return false;
    for (uintptr_t at = block + 1; at < block + buddy_size(view.order); at++) {
        if (!buddy_contains(region, at))
            region = acre_buddy_find_region(buddy, at);
        if (buddy_state_part(region, at) != 0)
            return false;
    }
    return true;
}

/* Whether a block ends after the last of the regions that adjoin one another from its own on. */
static bool buddy_reaches_beyond(
    const struct acre_buddy_region *region, uintptr_t block, unsigned order)
{
    while (buddy_size(order) > region->first + region->count - block &&
           buddy_adjoins(region, buddy_next_region(region)))
        region = buddy_next_region(region);
    return buddy_size(order) > region->first + region->count - block;
}

static void buddy_count_block(struct buddy_audit *audit, struct buddy_view view)
{
    audit->live += view.live;
    audit->used += view.live ? buddy_size(view.order) : 0;
    audit->quick += view.quick;
    audit->free += !view.live && !view.quick;
}

static struct acre_check_result buddy_check_block(struct buddy_audit *audit,
    const struct acre_buddy_region *region, uintptr_t block, struct buddy_view view)
{
    const struct acre_buddy *buddy = audit->buddy;
    const void *where = buddy_address_of(buddy, block);
    if (view.order >= buddy_orders(buddy) || (block & (buddy_size(view.order) - 1)) != 0 ||
        buddy_reaches_beyond(region, block, view.order))
        return acre_check_broken("BUDDY-2: blocks tile the regions without gap or overlap", where);
    if (!buddy_has_clean_states(buddy, region, block, view))
        return acre_check_broken(buddy_state_text, where);
    if (!view.live && !view.quick && buddy_has_free_sibling(buddy, region, block, view.order))
        return acre_check_broken("BUDDY-3: no two buddies are both free", where);
    buddy_count_block(audit, view);
    return acre_check_sound();
}

static struct acre_check_result buddy_check_blocks(struct buddy_audit *audit)
{
    const struct acre_buddy *buddy = audit->buddy;
    uintptr_t block = 0;
    for (const struct acre_buddy_region *region = buddy_first_region(buddy); region != NULL;
         region = buddy_next_region(region)) {
        block = block > region->first ? block : region->first;
        if (!buddy_has_clean_edges(region))
            return acre_check_broken(buddy_state_text, region->states);
        while (buddy_contains(region, block)) {
            struct buddy_view view = acre_buddy_inspect(buddy, region, block);
            struct acre_check_result result = buddy_check_block(audit, region, block, view);
            if (result.invariant != NULL)
                return result;
            block += buddy_size(view.order);
        }
    }
    return acre_check_sound();
}

/* ---- BUDDY-5, BUDDY-6: bits ---- */

static size_t buddy_count_bits(const size_t *words, size_t count)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += acre_bits_count(words[i]);
    return sum;
}

/* The first word of a level that does not show which words below are not 0, up to its own end; null
 * when all do. */
static const size_t *buddy_find_false_summary(
    const struct acre_buddy_region *region, unsigned level)
{
    size_t below = (size_t)(region->level[level] - region->level[level - 1]);
    size_t bits = ((below >> ACRE_WORD_LOG2) + 1) * ACRE_WORD_BITS;
    for (size_t i = 0; i < bits; i++) {
        bool nonzero = i < below && region->level[level - 1][i] != 0;
        if (nonzero != acre_bitset_has(region->level[level], i))
            return &region->level[level][i >> ACRE_WORD_LOG2];
    }
    return NULL;
}

static struct acre_check_result buddy_check_bits(const struct buddy_audit *audit)
{
    const struct acre_buddy_region *region = buddy_first_region(audit->buddy);
    size_t set = 0;
    for (; region != NULL; region = buddy_next_region(region)) {
        set += buddy_count_bits(region->level[0], (size_t)(region->level[1] - region->level[0]));
        for (unsigned level = 1; level < region->levels; level++) {
            const size_t *word = buddy_find_false_summary(region, level);
            if (word != NULL)
                return acre_check_broken("BUDDY-6: summaries show the words that are not 0", word);
        }
    }
    if (set != audit->free)
        return acre_check_broken("BUDDY-5: a free bit is set for each free block, for nothing else",
            buddy_first_region(audit->buddy));
    return acre_check_sound();
}

/* ---- BUDDY-7, BUDDY-8: quick lists against regions, counts ---- */

static struct acre_check_result buddy_check_counts(const struct buddy_audit *audit)
{
    const struct acre_buddy *buddy = audit->buddy;
    if (acre_buddy_count_quick(buddy) != audit->quick)
        return acre_check_broken(buddy_quick_text, buddy);
    if (buddy->live_blocks != audit->live)
        return acre_check_broken(buddy_count_text, &buddy->live_blocks);
    if (buddy->headroom < 0 || buddy->peak - (size_t)buddy->headroom != audit->used)
        return acre_check_broken(buddy_count_text, &buddy->headroom);
    return acre_check_sound();
}

struct acre_check_result acre_buddy_check(const struct acre_buddy *buddy)
{
    struct buddy_audit audit = { .buddy = buddy };
    if (buddy->mask == 0 && buddy_is_blank(buddy))
        return acre_check_sound();
    struct acre_check_result result = buddy_check_control(buddy);
    if (result.invariant == NULL)
        result = buddy_check_regions(buddy);
    const void *bad = result.invariant == NULL ? acre_buddy_find_bad_entry(buddy) : NULL;
    if (bad != NULL)
        return acre_check_broken(buddy_quick_text, bad);
    if (result.invariant == NULL)
        result = buddy_check_blocks(&audit);
    if (result.invariant == NULL)
        result = buddy_check_bits(&audit);
    if (result.invariant == NULL)
        result = buddy_check_counts(&audit);
    bad = result.invariant == NULL ? acre_buddy_find_bad_order(buddy) : NULL;
    return bad != NULL ? acre_check_broken(buddy_order_text, bad) : result;
}
