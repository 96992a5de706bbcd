/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Buddy's checker for an image: blocks, their bits, counts. The rest is in image_buddy.c.
 */
#include "tool/image/image_buddy.h"

static const char order_text[] =
    "BUDDY-11: regions are on the list of their largest free block's order";
static const char quick_text[] =
    "BUDDY-7: a quick list holds blocks of its class, each once, within its limit";
static const char tile_text[] = "BUDDY-2: blocks tile the regions without gap or overlap";
static const char sibling_text[] = "BUDDY-3: no two buddies are both free";
static const char state_text[] =
    "BUDDY-4: state bytes describe the live and quick blocks that start there";
static const char free_text[] = "BUDDY-5: a free bit is set for each free block, for nothing else";
static const char summary_text[] = "BUDDY-6: summaries show the words that are not 0";
static const char count_text[] = "BUDDY-8: counts are those of blocks and regions";

/* ---- blocks ---- */

static const struct buddy_region *buddy_image_find_region(
    const struct buddy_audit *audit, uint64_t block)
{
    for (size_t i = 0; i < audit->region_count; i++)
        if (block - audit->regions[i].first < audit->regions[i].count)
            return &audit->regions[i];
    return NULL;
}

static uint64_t buddy_image_state_place(const struct buddy_region *region, uint64_t block)
{
    return region->states + (block >> 1) - (region->first >> 1);
}

static unsigned buddy_image_state_of(
    struct buddy_audit *audit, const struct buddy_region *region, uint64_t block)
{
    return (unsigned)image_number(&audit->own, buddy_image_state_place(region, block), 1);
}

/* The part of a state byte that belongs to a block number. */
static unsigned buddy_image_state_part(
    struct buddy_audit *audit, const struct buddy_region *region, uint64_t block)
{
    return buddy_image_state_of(audit, region, block) &
           ((block & 1) != 0 ? LIVE_ODD : LIVE_EVEN | CLASS);
}

static bool buddy_image_is_free(
    struct buddy_audit *audit, const struct buddy_region *region, uint64_t block, unsigned order)
{
    uint64_t index =
        2 * region->count + 1 + GAP * (uint64_t)order + (block >> order) - (region->limit >> order);
    uint64_t word = image_word(
        &audit->own, region->level[0] + index / buddy_image_word_bits(audit) * audit->own.word);
    return (word >> index % buddy_image_word_bits(audit) & 1) != 0;
}

static bool buddy_image_is_quick(struct buddy_audit *audit, uint64_t block, unsigned order)
{
    if (order >= QUICK_ORDERS)
        return false;
    unsigned list = order == 0 && (block & 1) != 0 ? QUICK_ORDERS : order;
    for (uint64_t i = buddy_image_list_length(audit, list); i > 0; i--)
        if (buddy_image_entry_of(audit, list, i - 1).pos >> audit->shift == block)
            return true;
    return false;
}

static unsigned buddy_image_orders(const struct buddy_audit *audit)
{
    return buddy_image_word_bits(audit) - audit->shift;
}

static struct buddy_view buddy_image_inspect(
    struct buddy_audit *audit, const struct buddy_region *region, uint64_t block)
{
    struct buddy_view view = { .order = NONE };
    unsigned state = buddy_image_state_of(audit, region, block);
    if ((block & 1) != 0 && (state & LIVE_ODD) != 0)
        view.order = 0;
    else if ((block & 1) == 0 && (state & LIVE_EVEN) != 0)
        view.order = (state & CLASS) - audit->bias;
    view.live = view.order != NONE;
    for (unsigned order = 0; !view.live && view.order == NONE && order < buddy_image_orders(audit);
         order++) {
        if ((block & (((uint64_t)1 << order) - 1)) != 0)
            break;
        view.quick = buddy_image_is_quick(audit, block, order);
        if (view.quick || buddy_image_is_free(audit, region, block, order))
            view.order = order;
    }
    return view;
}

bool buddy_image_check_quick(struct buddy_audit *audit)
{
    for (unsigned list = 0; list < LISTS; list++)
        for (uint64_t i = 0; i < buddy_image_list_length(audit, list); i++) {
            struct buddy_entry entry = buddy_image_entry_of(audit, list, i);
            uint64_t block = entry.pos >> audit->shift;
            const struct buddy_region *region = buddy_image_find_region(audit, block);
            if (region == NULL || entry.state != buddy_image_state_place(region, block))
                return buddy_image_broken(audit, quick_text,
                    audit->own.at + audit->places.quick +
                        2 * (uint64_t)audit->own.word * (list * DEPTH + i));
        }
    return true;
}

static bool buddy_image_has_clean_edges(
    struct buddy_audit *audit, const struct buddy_region *region)
{
    uint64_t after = region->first + region->count;
    uint64_t end = (region->first & ~(uint64_t)1) + 2 * (region->count / 2 + 1);
    if ((region->first & 1) != 0 && buddy_image_state_part(audit, region, region->first - 1) != 0)
        return false;
    for (; after < end; after++)
        if (buddy_image_state_part(audit, region, after) != 0)
            return false;
    return true;
}

static bool buddy_image_has_clean_states(struct buddy_audit *audit,
    const struct buddy_region *region, uint64_t block, struct buddy_view view)
{
    unsigned quick = view.quick && (block & 1) == 0 ? view.order + audit->bias : 0;
    if (!view.live && buddy_image_state_part(audit, region, block) != quick)
        return false;
    for (uint64_t at = block + 1; at < block + ((uint64_t)1 << view.order); at++) {
        if (at - region->first >= region->count)
            region++; /* it adjoins */
        if (buddy_image_state_part(audit, region, at) != 0)
            return false;
    }
    return true;
}

static bool buddy_image_reaches_beyond(const struct buddy_audit *audit,
    const struct buddy_region *region, uint64_t block, unsigned order)
{
    size_t last = (size_t)(region - audit->regions);
    while (buddy_image_adjoins(audit, last))
        last++;
    return (uint64_t)1 << order > audit->regions[last].first + audit->regions[last].count - block;
}

static bool buddy_image_has_free_sibling(
    struct buddy_audit *audit, const struct buddy_region *region, uint64_t block, unsigned order)
{
    uint64_t sibling = block ^ (uint64_t)1 << order;
    if (sibling - region->first >= region->count)
        region = buddy_image_find_region(audit, sibling);
    return region != NULL && buddy_image_is_free(audit, region, sibling, order);
}

/* The rule that a block breaks; null: none. */
static const char *buddy_image_find_fault(struct buddy_audit *audit,
    const struct buddy_region *region, uint64_t block, struct buddy_view view)
{
    if (view.order >= 64 || view.order >= buddy_image_orders(audit) ||
        (block & (((uint64_t)1 << view.order) - 1)) != 0 ||
        buddy_image_reaches_beyond(audit, region, block, view.order))
        return tile_text;
    if (!buddy_image_has_clean_states(audit, region, block, view))
        return state_text;
    bool merges =
        !view.live && !view.quick && buddy_image_has_free_sibling(audit, region, block, view.order);
    return merges ? sibling_text : NULL;
}

/* Returns how many of the smallest blocks it takes; 0: a rule is broken, or there is no memory. */
static uint64_t buddy_image_check_block(struct buddy_audit *audit,
    const struct buddy_region *region, uint64_t block, struct buddy_view view)
{
    uint64_t where = block << audit->shift;
    const char *fault = buddy_image_find_fault(audit, region, block, view);
    if (fault != NULL) {
        buddy_image_broken(audit, fault, where);
        return 0;
    }
    uint64_t size = view.order < 64 ? (uint64_t)1 << view.order : 0;
    audit->live += view.live;
    audit->used += view.live ? size : 0;
    audit->quick += view.quick;
    audit->free += !view.live && !view.quick;
    bool added = image_add_block(&audit->own, where, audit->smallest << view.order, view.live);
    return added ? size : 0;
}

bool buddy_image_check_blocks(struct buddy_audit *audit)
{
    uint64_t block = 0;
    for (size_t i = 0; i < audit->region_count; i++) {
        const struct buddy_region *region = &audit->regions[i];
        block = block > region->first ? block : region->first;
        if (!buddy_image_has_clean_edges(audit, region))
            return buddy_image_broken(audit, state_text, region->states);
        while (block - region->first < region->count) {
            struct buddy_view view = buddy_image_inspect(audit, region, block);
            uint64_t size = buddy_image_check_block(audit, region, block, view);
            if (size == 0)
                return false;
            block += size;
        }
    }
    return true;
}

/* ---- BUDDY-5, BUDDY-6: bits ---- */

static bool buddy_image_check_summaries(
    struct buddy_audit *audit, const struct buddy_region *region)
{
    unsigned word = audit->own.word;
    for (unsigned level = 1; level < region->levels; level++) {
        uint64_t below = (region->level[level] - region->level[level - 1]) / word;
        uint64_t bits = (below / buddy_image_word_bits(audit) + 1) * buddy_image_word_bits(audit);
        for (uint64_t i = 0; i < bits; i++) {
            bool nonzero =
                i < below && image_word(&audit->own, region->level[level - 1] + i * word) != 0;
            uint64_t at = region->level[level] + i / buddy_image_word_bits(audit) * word;
            if (nonzero !=
                ((image_word(&audit->own, at) >> i % buddy_image_word_bits(audit) & 1) != 0))
                return buddy_image_broken(audit, summary_text, at);
        }
    }
    return true;
}

bool buddy_image_check_bits(struct buddy_audit *audit)
{
    uint64_t set = 0;
    for (size_t i = 0; i < audit->region_count; i++) {
        const struct buddy_region *region = &audit->regions[i];
        for (uint64_t at = region->level[0]; at < region->level[1]; at += audit->own.word)
            set += image_count_bits(image_word(&audit->own, at));
        if (!buddy_image_check_summaries(audit, region))
            return false;
    }
    return set == audit->free || buddy_image_broken(audit, free_text, audit->regions[0].range.at);
}

/* ---- BUDDY-7, BUDDY-8: counts ---- */

bool buddy_image_check_counts(struct buddy_audit *audit)
{
    const struct buddy_places *places = &audit->places;
    uint64_t quick = 0;
    uint64_t headroom = buddy_image_member(audit, places->headroom);
    uint64_t used = (buddy_image_member(audit, places->peak) - headroom) & audit->own.mask;
    for (unsigned list = 0; list < LISTS; list++)
        quick += buddy_image_list_length(audit, list);
    if (quick != audit->quick)
        return buddy_image_broken(audit, quick_text, audit->own.at + places->quick);
    if (buddy_image_member(audit, places->live_blocks) != audit->live)
        return buddy_image_broken(audit, count_text, audit->own.at + places->live_blocks);
    return (headroom <= audit->own.mask / 2 && used == audit->used) ||
           buddy_image_broken(audit, count_text, audit->own.at + places->headroom);
}

/* ---- BUDDY-11: regions by their largest free block ---- */

/* First index of an order. */
static uint64_t buddy_image_first_index(const struct buddy_region *region, unsigned order)
{
    uint64_t number = order < 64 ? (region->first >> order) - (region->limit >> order) : 0;
    return 2 * region->count + 1 + GAP * (uint64_t)order + number;
}

/* The order of the highest set bit; NONE when there is none. */
static unsigned buddy_image_largest(struct buddy_audit *audit, const struct buddy_region *region)
{
    unsigned order = 0;
    uint64_t word = 0;
    uint64_t at = region->level[1];
    while (word == 0 && at > region->level[0]) {
        at -= audit->own.word;
        word = image_word(&audit->own, at);
    }
    if (word == 0)
        return NONE;
    uint64_t index = (at - region->level[0]) / audit->own.word * buddy_image_word_bits(audit);
    while ((word >>= 1) != 0)
        index++;
    while (index >= buddy_image_first_index(region, order + 1))
        order++;
    return order;
}

/* The region whose descriptor lies at an address; null: none does. */
static const struct buddy_region *buddy_image_region_at(
    const struct buddy_audit *audit, uint64_t at)
{
    for (size_t i = 0; i < audit->region_count; i++)
        if (audit->regions[i].range.at == at)
            return &audit->regions[i];
    return NULL;
}

static bool buddy_image_has_sound_order(
    struct buddy_audit *audit, const struct buddy_region *region)
{
    unsigned largest = buddy_image_largest(audit, region);
    bool none = largest == NONE;
    uint64_t from = none ? audit->own.mask : buddy_image_first_index(region, largest);
    uint64_t above = none || region->seam ? 0 : buddy_image_first_index(region, largest + 1);
    uint64_t next = region->order_next, prev = region->order_prev;
    return region->largest == largest && region->largest_from == from &&
           region->larger_from == above &&
           (next == 0 || buddy_image_region_at(audit, next) != NULL) &&
           (prev == 0 || buddy_image_region_at(audit, prev) != NULL) &&
           (!none || (next == 0 && prev == 0));
}

/* Counts the regions of a list; false: it is not sound, or has more than `most`. */
static bool buddy_image_count_order(struct buddy_audit *audit, unsigned order, uint64_t *most)
{
    uint64_t place = audit->places.by_order + order * (uint64_t)audit->own.word;
    uint64_t at = buddy_image_member(audit, place);
    uint64_t before = 0;
    bool marked = (buddy_image_member(audit, audit->places.orders) >> order & 1) != 0;
    if (marked != (at != 0))
        return false;
    while (at != 0) {
        const struct buddy_region *region = buddy_image_region_at(audit, at);
        if (region == NULL || region->largest != order || region->order_prev != before ||
            *most == 0)
            return false;
        --*most;
        before = at;
        at = region->order_next;
    }
    return true;
}

bool buddy_image_check_orders(struct buddy_audit *audit)
{
    uint64_t listed = 0;
    for (size_t i = 0; i < audit->region_count; i++) {
        const struct buddy_region *region = &audit->regions[i];
        if (!buddy_image_has_sound_order(audit, region))
            return buddy_image_broken(audit, order_text, region->range.at);
        listed += region->largest != NONE;
    }
    for (unsigned order = 0; order < buddy_image_word_bits(audit); order++)
        if (!buddy_image_count_order(audit, order, &listed))
            return buddy_image_broken(audit, order_text, audit->own.at + audit->places.by_order);
    return listed == 0 ||
           buddy_image_broken(audit, order_text, audit->own.at + audit->places.orders);
}
