/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Buddy's checker for an image: the rules, their order and their names are those of
 * src/buddy/buddy_check.c. The index of regions (REGIONS-4) is not looked at.
 */
#include "tool/image/image_buddy.h"

#include <stdlib.h>

static const char control_text[] = "BUDDY-10: the constants of the smallest block agree";
static const char quick_text[] =
    "BUDDY-7: a quick list holds blocks of its class, each once, within its limit";
static const char region_text[] = "BUDDY-1: regions are in order and their bounds sane";
static const char cached_text[] = "BUDDY-9: the cached region is one of the regions";
static const char count_text[] = "BUDDY-8: counts are those of blocks and regions";

/* ---- BUDDY-10, BUDDY-7: the control structure ---- */

/* Whether a zeroed allocator, which has no settings yet, owns nothing. */
static bool buddy_image_is_blank(struct buddy_audit *audit)
{
    const struct buddy_places *places = &audit->places;
    const uint64_t zero[] = { places->mask, places->cached, places->regions.first,
        places->regions.total, places->pairs, places->live_blocks };
    for (size_t i = 0; i < sizeof zero / sizeof zero[0]; i++)
        if (buddy_image_member(audit, zero[i]) != 0)
            return false;
    return image_number(&audit->own, audit->own.at + places->pair_log2, 4) == 0 &&
           image_number(&audit->own, audit->own.at + places->bias, 4) == 0;
}

static bool buddy_image_check_constants(struct buddy_audit *audit)
{
    uint64_t smallest = (buddy_image_member(audit, audit->places.mask) + 1) & audit->own.mask;
    uint64_t pair_log2 = image_number(&audit->own, audit->own.at + audit->places.pair_log2, 4);
    uint64_t bias = image_number(&audit->own, audit->own.at + audit->places.bias, 4);
    if (!image_is_power(smallest) || smallest < audit->own.word ||
        smallest > audit->own.mask / 8 + 1 || pair_log2 != image_highest(smallest) + 1 ||
        bias != image_highest(smallest) - 1)
        return buddy_image_broken(audit, control_text, audit->own.at + audit->places.mask);
    audit->smallest = audit->own.heap->unit = smallest;
    audit->shift = image_highest(smallest);
    audit->bias = (unsigned)bias;
    return true;
}

static bool buddy_image_is_sound_list(struct buddy_audit *audit, unsigned list)
{
    unsigned size_class = buddy_image_class_of_list(audit, list);
    uint64_t entry = 2 * (uint64_t)audit->own.word;
    uint64_t depth = image_number(&audit->own, audit->own.at + audit->places.quick_depth, 4);
    uint64_t used = buddy_image_class_word(audit, size_class, 0);
    uint64_t limit = buddy_image_class_word(audit, size_class, 1);
    uint64_t entries = audit->own.at + audit->places.quick + entry * list * DEPTH;
    if (depth > DEPTH || buddy_image_class_word(audit, size_class, 2) != entries ||
        limit != depth * entry || used > limit || used % entry != 0 ||
        buddy_image_class_word(audit, size_class, 3) != buddy_image_class_size(audit, size_class))
        return false;
    uint64_t bytes = audit->smallest << (list < QUICK_ORDERS ? list : 0);
    for (uint64_t i = 0; i < used / entry; i++) {
        uint64_t pos = buddy_image_entry_of(audit, list, i).pos;
        if ((pos & (bytes - 1)) != 0 || ((pos & audit->smallest) != 0) != (list == QUICK_ORDERS))
            return false;
    }
    return true;
}

static bool buddy_image_has_no_list(struct buddy_audit *audit, unsigned size_class)
{
    return buddy_image_class_word(audit, size_class, 0) == 0 &&
           buddy_image_class_word(audit, size_class, 1) == 0 &&
           buddy_image_class_word(audit, size_class, 2) == 0 &&
           buddy_image_class_word(audit, size_class, 3) ==
               buddy_image_class_size(audit, size_class);
}

static bool buddy_image_check_control(struct buddy_audit *audit)
{
    if (!buddy_image_check_constants(audit))
        return false;
    for (unsigned list = 0; list < LISTS; list++)
        if (!buddy_image_is_sound_list(audit, list))
            return buddy_image_broken(audit, quick_text,
                audit->own.at +
                    buddy_image_class_place(audit, buddy_image_class_of_list(audit, list)));
    for (unsigned size_class = 0; size_class < buddy_image_odd_class(audit); size_class++)
        if (size_class - audit->bias >= QUICK_ORDERS && !buddy_image_has_no_list(audit, size_class))
            return buddy_image_broken(
                audit, quick_text, audit->own.at + buddy_image_class_place(audit, size_class));
    return true;
}

/* ---- BUDDY-1, BUDDY-9: regions ---- */

/* Numbers of the first whole block from a position on, and of the block after a range's last one. */
static uint64_t buddy_image_block_from(const struct buddy_audit *audit, uint64_t pos)
{
    return (pos >> audit->shift) + ((pos & (audit->smallest - 1)) != 0);
}

static uint64_t buddy_image_block_after(
    const struct buddy_audit *audit, const struct image_range *range)
{
    uint64_t last = range->start + (range->size - 1);
    return (last >> audit->shift) + ((~last & (audit->smallest - 1)) == 0);
}

static bool buddy_image_is_sound_place(
    const struct buddy_audit *audit, const struct image_range *range)
{
    bool apart = range->meta != 0;
    uint64_t from = apart ? range->meta : range->start;
    return ((range->at - from) & audit->own.mask) < (apart ? range->meta_size : range->size) &&
           (apart || (range->meta_size == 0 && !range->integers));
}

static bool buddy_image_has_sound_blocks(
    const struct buddy_audit *audit, const struct buddy_region *region)
{
    uint64_t least = buddy_image_block_from(audit, region->range.start);
    uint64_t after = buddy_image_block_after(audit, &region->range);
    uint64_t even = region->first + (region->first & 1);
    uint64_t mask = audit->own.mask;
    return region->base == ((even << audit->shift) & mask) && region->count != 0 &&
           region->first >= least && region->count <= after - least &&
           region->first + region->count == after &&
           region->pairs == (((region->count - (even - region->first) + 1) & mask) >> 1) &&
           region->pair_states == region->states + (even - region->first) &&
           (region->range.meta == 0 || region->first == least) &&
           region->limit == ((region->first + 2 * region->count) & mask);
}

/* Whether levels and states lie where the number of blocks wants them, in the region's metadata
 * and in the image. */
static bool buddy_image_place_levels(
    struct buddy_audit *audit, struct buddy_region *region, uint64_t levels)
{
    unsigned word = audit->own.word;
    uint64_t head = region->range.at + image_range_size(word) + REGION_WORDS * (uint64_t)word + 8;
    uint64_t words = (2 * region->count + GAP * (uint64_t)buddy_image_word_bits(audit) + 2) /
                         buddy_image_word_bits(audit) +
                     1;
    uint64_t count = words;
    region->levels = 1;
    for (; count > 1 && region->levels < MOST_LEVELS; region->levels++)
        count = count / buddy_image_word_bits(audit) + 1;
    if (levels != region->levels)
        return false;
    uint64_t at = head + levels * word;
    for (unsigned level = 0; level < region->levels; level++) {
        region->level[level] = at;
        if (image_word(&audit->own, head + (uint64_t)level * word) != at)
            return false;
        at += words * word;
        words = words / buddy_image_word_bits(audit) + 1;
    }
    region->level[levels] = at;
    uint64_t end = region->states + region->count / 2 + 1;
    uint64_t most = region->range.meta != 0 ? region->range.meta + region->range.meta_size
                                            : region->first << audit->shift;
    return region->states == at && end <= most && image_has(audit->own.image, head, end - head);
}

/* Reads what follows the common part of a descriptor. */
static bool buddy_image_read_region(struct buddy_audit *audit, struct buddy_region *region)
{
    unsigned word = audit->own.word;
    uint64_t at = region->range.at + image_range_size(word);
    uint64_t *const numbers[] = { &region->first, &region->count, &region->limit, &region->states,
        &region->base, &region->pairs, &region->pair_states, &region->largest_from,
        &region->larger_from, &region->order_next, &region->order_prev };
    for (size_t i = 0; i < REGION_WORDS; i++)
        *numbers[i] = image_word(&audit->own, at + i * word);
    at += REGION_WORDS * (uint64_t)word;
    uint64_t levels = image_number(&audit->own, at, 4);
    region->seam = image_number(&audit->own, at + 4, 1) != 0;
    region->largest = (unsigned)image_number(&audit->own, at + 5, 1);
    return !audit->own.lost && region->count <= 2 * audit->own.image->size &&
           buddy_image_is_sound_place(audit, &region->range) &&
           buddy_image_has_sound_blocks(audit, region) &&
           buddy_image_place_levels(audit, region, levels);
}

static bool buddy_image_add_region(struct buddy_audit *audit, const struct buddy_region *region)
{
    void *regions = image_append(&audit->own, audit->regions, &audit->region_count,
        &audit->region_room, region, sizeof *region);
    if (regions == NULL)
        return false;
    audit->regions = regions;
    return image_add_range(&audit->own, &region->range);
}

/* The list of regions, as far as it is sound; no two share a byte, nor do their states. */
static bool buddy_image_list_regions(struct buddy_audit *audit)
{
    struct image_range below;
    uint64_t states = 0;
    uint64_t at = buddy_image_member(audit, audit->places.regions.first);
    for (const struct image_range *before = NULL; at != 0; before = &below) {
        struct buddy_region region = { .levels = 0 };
        if (audit->region_count == IMAGE_MOST_REGIONS ||
            !image_read_range(&audit->own, at, before, &region.range))
            return buddy_image_broken(audit, region_text, at);
        below = region.range;
        at = region.range.next;
        if (!buddy_image_add_region(audit, &region))
            return false;
    }
    for (size_t i = 0; i < audit->region_count; i++) {
        struct buddy_region *region = &audit->regions[i];
        if (!buddy_image_read_region(audit, region))
            return buddy_image_broken(audit, region_text, region->range.at);
        states += region->count / 2 + 1;
        if (states > audit->own.image->size)
            return buddy_image_broken(audit, region_text, region->range.at);
    }
    return true;
}

static bool buddy_image_is_cached(struct buddy_audit *audit, const struct buddy_region *region)
{
    const struct buddy_places *places = &audit->places;
    return buddy_image_member(audit, places->cached) == region->range.at &&
           buddy_image_member(audit, places->base) == region->base &&
           buddy_image_member(audit, places->pairs) == region->pairs &&
           buddy_image_member(audit, places->states) == region->pair_states;
}

static bool buddy_image_check_regions(struct buddy_audit *audit)
{
    const struct buddy_places *places = &audit->places;
    const struct buddy_region none = { .base = 0 };
    uint64_t total = 0, apart = 0, capacity = 0;
    if (!buddy_image_list_regions(audit))
        return false;
    bool cached = audit->region_count == 0 && buddy_image_is_cached(audit, &none);
    for (size_t i = 0; i < audit->region_count; i++) {
        const struct buddy_region *region = &audit->regions[i];
        bool seam = (i > 0 && buddy_image_adjoins(audit, i - 1)) || buddy_image_adjoins(audit, i);
        if (region->seam != seam)
            return buddy_image_broken(audit, region_text, region->range.at);
        cached = cached || buddy_image_is_cached(audit, region);
        capacity += region->count;
        total += region->range.size + region->range.meta_size;
        apart += region->range.meta_size;
    }
    if (!cached)
        return buddy_image_broken(audit, cached_text, audit->own.at + places->cached);
    if (!image_total_agrees(&audit->own, &places->regions, total, apart))
        return buddy_image_broken(audit, count_text, audit->own.at + places->regions.total);
    return capacity == buddy_image_member(audit, places->capacity) ||
           buddy_image_broken(audit, count_text, audit->own.at + places->capacity);
}

void image_check_buddy(struct image_heap *heap, const struct image *image, uint64_t at)
{
    struct buddy_audit audit = { .places = buddy_image_places_of(image->facts.word) };
    if (!image_begin(&audit.own, heap, image, at, audit.places.size) ||
        buddy_image_is_blank(&audit))
        return;
    if (buddy_image_check_control(&audit) && buddy_image_check_regions(&audit) &&
        buddy_image_check_quick(&audit) && buddy_image_check_blocks(&audit) &&
        buddy_image_check_bits(&audit) && buddy_image_check_counts(&audit))
        buddy_image_check_orders(&audit);
    free(audit.regions);
}
