/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Buddy's checker: proves invariants BUDDY-1 to BUDDY-10 of buddy_private.h. It changes nothing,
 * and reads a region's maps only when it has shown where they lie.
 */
#include "buddy/buddy_private.h"

/* What the blocks add up to, counted on the way. */
struct audit {
    const struct acre_buddy *buddy;
    size_t live;
    size_t used; /* smallest blocks */
    size_t free;
    size_t shelved;
};

static const char *const shelf_text =
    "BUDDY-7: a shelf holds blocks of its order, each once, within its depth";

static struct acre_check_result sound(void)
{
    return (struct acre_check_result){ NULL, NULL };
}

static struct acre_check_result broken(const char *invariant, const void *where)
{
    return (struct acre_check_result){ invariant, where };
}

/* ---- BUDDY-10, BUDDY-7: the control structure ---- */

static bool has_sane_constants(const struct acre_buddy *buddy)
{
    size_t smallest = buddy->mask + 1;
    return acre_is_pow2(smallest) && smallest >= ACRE_NATURAL_ALIGN &&
           smallest <= SIZE_MAX / 8 + 1 && buddy->pair_log2 == acre_bits_highest(smallest) + 1 &&
           buddy->bias == acre_bits_highest(smallest) - 1;
}

/* Blocks on a shelf are aligned, and those of odd places are at odd places. */
static bool has_sane_place_on_shelf(
    const struct acre_buddy *buddy, const struct acre_buddy_quick_block *at, unsigned shelf)
{
    size_t size = (buddy->mask + 1) << buddy_order_of(shelf);
    bool odd = (at->pos & (buddy->mask + 1)) != 0;
    return at->state != NULL && (at->pos & (size - 1)) == 0 &&
           (shelf < ACRE_BUDDY_QUICK_ORDERS ? !odd : odd);
}

static bool has_sane_shelf(const struct acre_buddy *buddy, unsigned shelf)
{
    const struct acre_buddy_order *row = &buddy->orders[buddy_row_of(shelf)];
    const struct acre_buddy_quick_block *bottom = buddy->shelves[shelf];
    if (row->limit != bottom + buddy->depth || row->top < bottom || row->top > row->limit ||
        bottom->state != NULL || row->size != buddy_size_or_0(buddy, buddy_order_of(shelf)))
        return false;
    for (const struct acre_buddy_quick_block *at = row->top; at != bottom; at--)
        if (!has_sane_place_on_shelf(buddy, at, shelf))
            return false;
    return true;
}

/* Orders without a shelf have an empty one that never takes a block. */
static bool has_no_shelf(const struct acre_buddy *buddy, unsigned order)
{
    const struct acre_buddy_order *row = &buddy->orders[order];
    return row->top == buddy->shelves[0] && row->limit == row->top &&
           row->size == buddy_size_or_0(buddy, order);
}

static struct acre_check_result check_control(const struct acre_buddy *buddy)
{
    if (!has_sane_constants(buddy))
        return broken("BUDDY-10: the constants of the smallest block agree", &buddy->mask);
    for (unsigned shelf = 0; shelf < ACRE_BUDDY_QUICK_LISTS; shelf++)
        if (buddy->depth > ACRE_BUDDY_QUICK_DEPTH || !has_sane_shelf(buddy, shelf))
            return broken(shelf_text, &buddy->orders[buddy_row_of(shelf)]);
    for (unsigned order = ACRE_BUDDY_QUICK_ORDERS; order < BUDDY_ODD; order++)
        if (!has_no_shelf(buddy, order))
            return broken(shelf_text, &buddy->orders[order]);
    return sound();
}

/* ---- BUDDY-1, BUDDY-9: regions ---- */

static bool has_sane_place(const struct acre_buddy_region *region)
{
    uintptr_t own = (uintptr_t)region;
    uintptr_t from = region->meta != 0 ? region->meta : region->start;
    size_t size = region->meta != 0 ? region->meta_size : region->size;
    return region->size != 0 && !acre_range_wraps(region->start, region->size) &&
           own - from < size && !acre_range_wraps(from, size) &&
           (region->meta != 0 || (region->meta_size == 0 && !region->integers));
}

static bool has_sane_metadata(
    const struct acre_buddy *buddy, const struct acre_buddy_region *region)
{
    uintptr_t end = (uintptr_t)region->states + buddy_state_bytes(region->count);
    uintptr_t most = region->meta != 0 ? region->meta + region->meta_size
                                       : region->first << buddy_smallest_log2(buddy);
    return acre_buddy_is_laid(region) && end <= most;
}

static bool has_sane_blocks(const struct acre_buddy *buddy, const struct acre_buddy_region *region)
{
    unsigned shift = buddy_smallest_log2(buddy);
    uintptr_t last = region->start + (region->size - 1);
    uintptr_t least = (region->start >> shift) + ((region->start & buddy->mask) != 0);
    uintptr_t behind = (last >> shift) + ((last & buddy->mask) == buddy->mask);
    return region->count != 0 && region->first >= least && region->count <= behind - least &&
           region->first + region->count == behind &&
           (region->meta == 0 || region->first == least) &&
           region->limit == region->first + 2 * region->count;
}

static bool adjoins(const struct acre_buddy_region *low, const struct acre_buddy_region *high)
{
    return low != NULL && high != NULL && low->first + low->count == high->first;
}

static bool follows(const struct acre_buddy_region *region, const struct acre_buddy_region *before)
{
    return before == NULL || before->start + (before->size - 1) < region->start;
}

static bool is_current(const struct acre_buddy *buddy, const struct acre_buddy_region *region)
{
    struct acre_buddy window = { .pair_log2 = buddy->pair_log2 };
    acre_buddy_look_at(&window, (struct acre_buddy_region *)(uintptr_t)region);
    return buddy->current == region && buddy->base == window.base && buddy->pairs == window.pairs &&
           buddy->states == window.states;
}

static struct acre_check_result check_regions(const struct acre_buddy *buddy)
{
    static const char *const text = "BUDDY-1: regions are in order and their bounds sane";
    const struct acre_buddy_region *before = NULL;
    bool seen = is_current(buddy, NULL);
    size_t total = 0;
    size_t capacity = 0;
    for (const struct acre_buddy_region *region = buddy->regions; region; region = region->next) {
        if (!has_sane_place(region) || !has_sane_blocks(buddy, region) ||
            !follows(region, before) || !has_sane_metadata(buddy, region) ||
            region->seam != (adjoins(before, region) || adjoins(region, region->next)))
            return broken(text, region);
        seen = seen || is_current(buddy, region);
        total += region->size + region->meta_size;
        capacity += region->count;
        before = region;
    }
    if (!seen || (buddy->current == NULL) != (buddy->regions == NULL))
        return broken("BUDDY-9: the region last worked in is one of the regions", &buddy->current);
    if (total != buddy->total)
        return broken("BUDDY-8: counts are those of blocks and regions", &buddy->total);
    if (capacity != buddy->capacity)
        return broken("BUDDY-8: counts are those of blocks and regions", &buddy->capacity);
    return sound();
}

/* ---- BUDDY-2 to BUDDY-4: blocks ---- */

static const void *address_of(const struct acre_buddy *buddy, uintptr_t block)
{
    return (const void *)(block << buddy_smallest_log2(buddy));
}

/* Whether the buddy of a free block is free too. */
static bool has_free_mate(const struct acre_buddy *buddy, const struct acre_buddy_region *region,
    uintptr_t block, unsigned order)
{
    uintptr_t mate = block ^ buddy_size(order);
    if (!buddy_contains(region, mate))
        region = acre_buddy_region_of(buddy, mate);
    return region != NULL && buddy_is_free(region, mate, order);
}

/* What a state byte says of one of its two places. */
static unsigned said_of(const struct acre_buddy_region *region, uintptr_t block)
{
    unsigned state = region->states[(block >> 1) - (region->first >> 1)];
    return state & ((block & 1) != 0 ? BUDDY_LIVE_ODD : BUDDY_LIVE_EVEN | BUDDY_ORDER);
}

/* A byte's places outside the region, and the bytes behind its last block, say nothing. */
static bool has_clean_edges(const struct acre_buddy_region *region)
{
    uintptr_t behind = region->first + region->count;
    uintptr_t end = (region->first & ~(uintptr_t)1) + 2 * buddy_state_bytes(region->count);
    if ((region->first & 1) != 0 && said_of(region, region->first - 1) != 0)
        return false;
    for (; behind < end; behind++)
        if (said_of(region, behind) != 0)
            return false;
    return true;
}

/* Nothing is said within a block behind its start; at its start, that it is live, or its order
 * while it is on a shelf. */
static bool has_clean_states(const struct acre_buddy *buddy, const struct acre_buddy_region *region,
    uintptr_t block, struct buddy_seen seen)
{
    if (!seen.live && said_of(region, block) != (seen.shelved ? seen.order : 0))
        return false;
    for (uintptr_t at = block + 1; at < block + buddy_size(seen.order); at++) {
        if (!buddy_contains(region, at))
            region = acre_buddy_region_of(buddy, at);
        if (said_of(region, at) != 0)
            return false;
    }
    return true;
}

/* Whether a block ends behind the regions that adjoin one another from its own on. */
static bool reaches_beyond(const struct acre_buddy_region *region, uintptr_t block, unsigned order)
{
    while (region->next != NULL && adjoins(region, region->next))
        region = region->next;
    return buddy_size(order) > region->first + region->count - block;
}

static void count_block(struct audit *audit, struct buddy_seen seen)
{
    audit->live += seen.live;
    audit->used += seen.live ? buddy_size(seen.order) : 0;
    audit->shelved += seen.shelved;
    audit->free += !seen.live && !seen.shelved;
}

static struct acre_check_result check_block(struct audit *audit,
    const struct acre_buddy_region *region, uintptr_t block, struct buddy_seen seen)
{
    const struct acre_buddy *buddy = audit->buddy;
    const void *where = address_of(buddy, block);
    if (seen.order >= BUDDY_WORD_BITS - buddy_smallest_log2(buddy) ||
        (block & (buddy_size(seen.order) - 1)) != 0 || reaches_beyond(region, block, seen.order))
        return broken("BUDDY-2: blocks follow on one another without gap or overlap", where);
    if (!has_clean_states(buddy, region, block, seen))
        return broken("BUDDY-4: state bytes tell of live blocks only", where);
    if (!seen.live && !seen.shelved && has_free_mate(buddy, region, block, seen.order))
        return broken("BUDDY-3: no two buddies are both free", where);
    count_block(audit, seen);
    return sound();
}

static struct acre_check_result check_blocks(struct audit *audit)
{
    const struct acre_buddy *buddy = audit->buddy;
    uintptr_t block = 0;
    for (const struct acre_buddy_region *region = buddy->regions; region; region = region->next) {
        block = block > region->first ? block : region->first;
        if (!has_clean_edges(region))
            return broken("BUDDY-4: state bytes tell of live blocks only", region->states);
        while (buddy_contains(region, block)) {
            struct buddy_seen seen = acre_buddy_look(buddy, region, block);
            struct acre_check_result result = check_block(audit, region, block, seen);
            if (result.invariant != NULL)
                return result;
            block += buddy_size(seen.order);
        }
    }
    return sound();
}

/* ---- BUDDY-5, BUDDY-6: bits ---- */

static size_t set_bits(const size_t *words, size_t count)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += acre_bits_count(words[i]);
    return sum;
}

/* Whether the bits of a level show which words below are not 0, up to its own end. */
static const size_t *find_false_summary(const struct acre_buddy_region *region, unsigned level)
{
    size_t below = (size_t)(region->level[level] - region->level[level - 1]);
    size_t bits = ((below >> BUDDY_WORD_LOG2) + 1) * BUDDY_WORD_BITS;
    for (size_t i = 0; i < bits; i++) {
        const size_t *word = &region->level[level][i >> BUDDY_WORD_LOG2];
        bool full = i < below && region->level[level - 1][i] != 0;
        if (full != ((*word & buddy_bit(i)) != 0))
            return word;
    }
    return NULL;
}

static struct acre_check_result check_bits(const struct audit *audit)
{
    size_t set = 0;
    for (const struct acre_buddy_region *region = audit->buddy->regions; region;
         region = region->next) {
        set += set_bits(region->level[0], (size_t)(region->level[1] - region->level[0]));
        for (unsigned level = 1; level < region->levels; level++) {
            const size_t *word = find_false_summary(region, level);
            if (word != NULL)
                return broken("BUDDY-6: summaries show the words that are not 0", word);
        }
    }
    if (set != audit->free)
        return broken("BUDDY-5: a free bit is set for each free block, and for nothing else",
            audit->buddy->regions);
    return sound();
}

/* ---- BUDDY-7, BUDDY-8: shelves against regions, counts ---- */

/* What is on a shelf lies in a region, and names its own state byte. */
static struct acre_check_result check_shelved(const struct acre_buddy *buddy)
{
    for (unsigned shelf = 0; shelf < ACRE_BUDDY_QUICK_LISTS; shelf++) {
        const struct acre_buddy_quick_block *at = buddy->orders[buddy_row_of(shelf)].top;
        for (; at->state != NULL; at--) {
            uintptr_t block = at->pos >> buddy_smallest_log2(buddy);
            const struct acre_buddy_region *region = acre_buddy_region_of(buddy, block);
            if (region == NULL || at->state != buddy_state_of(region, block))
                return broken(shelf_text, at);
        }
    }
    return sound();
}

static struct acre_check_result check_counts(const struct audit *audit)
{
    static const char *const text = "BUDDY-8: counts are those of blocks and regions";
    const struct acre_buddy *buddy = audit->buddy;
    size_t shelved = 0;
    for (unsigned shelf = 0; shelf < ACRE_BUDDY_QUICK_LISTS; shelf++)
        shelved += (size_t)(buddy->orders[buddy_row_of(shelf)].top - buddy->shelves[shelf]);
    if (shelved != audit->shelved)
        return broken(shelf_text, buddy->shelves);
    if (buddy->live_blocks != audit->live)
        return broken(text, &buddy->live_blocks);
    if (buddy->room < 0 || buddy->peak - (size_t)buddy->room != audit->used)
        return broken(text, &buddy->room);
    return sound();
}

struct acre_check_result acre_buddy_check(const struct acre_buddy *buddy)
{
    struct audit audit = { .buddy = buddy };
    struct acre_check_result result = check_control(buddy);
    if (result.invariant == NULL)
        result = check_regions(buddy);
    if (result.invariant == NULL)
        result = check_shelved(buddy);
    if (result.invariant == NULL)
        result = check_blocks(&audit);
    if (result.invariant == NULL)
        result = check_bits(&audit);
    if (result.invariant == NULL)
        result = check_counts(&audit);
    return result;
}
