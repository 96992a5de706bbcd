/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/** @file What the files of buddy's checker for an image share: places of members, what was read. */
#ifndef ACRE_TOOL_IMAGE_IMAGE_BUDDY_H
#define ACRE_TOOL_IMAGE_IMAGE_BUDDY_H

#include "tool/image/image_audit.h"

enum {
    QUICK_ORDERS = 8,
    LISTS = QUICK_ORDERS + 1,
    DEPTH = 24,
    LIVE_ODD = 0x80,
    LIVE_EVEN = 0x40,
    CLASS = 0x3f,
    NONE = 0x7f,
    GAP = 3,
    MOST_LEVELS = 16,
    REGION_WORDS = 11 /* after the common part of a descriptor, before the number of levels */
};

/* struct acre_buddy. */
struct buddy_places {
    uint64_t base, pairs, states, mask, pair_log2, bias, live_blocks, headroom, classes, quick,
        cached, peak, capacity, quick_depth, orders, by_order, size;
    struct image_regions regions;
};

struct buddy_region {
    struct image_range range;
    uint64_t first, count, limit, states, base, pairs, pair_states;
    uint64_t largest_from, larger_from, order_next, order_prev;
    unsigned largest; /* order; NONE */
    bool seam;
    uint64_t level[MOST_LEVELS + 1]; /* where each one begins; the one above the last: its end */
    unsigned levels;
};

/* An entry of a quick list. */
struct buddy_entry {
    uint64_t pos, state;
};

struct buddy_audit {
    struct image_audit own;
    struct buddy_places places;
    uint64_t smallest;
    unsigned shift; /* log2 of that */
    unsigned bias;
    struct buddy_region *regions;
    size_t region_count, region_room;
    uint64_t live, used, free, quick;
};

struct buddy_view {
    bool live, quick;
    unsigned order;
};

struct buddy_places buddy_image_places_of(unsigned word);
unsigned buddy_image_odd_class(const struct buddy_audit *audit);
uint64_t buddy_image_class_size(const struct buddy_audit *audit, unsigned size_class);
unsigned buddy_image_class_of_list(const struct buddy_audit *audit, unsigned list);
uint64_t buddy_image_class_place(const struct buddy_audit *audit, unsigned size_class);
uint64_t buddy_image_class_word(struct buddy_audit *audit, unsigned size_class, unsigned index);
bool buddy_image_broken(struct buddy_audit *audit, const char *text, uint64_t where);
uint64_t buddy_image_member(struct buddy_audit *audit, uint64_t place);
unsigned buddy_image_word_bits(const struct buddy_audit *audit);
struct buddy_entry buddy_image_entry_of(struct buddy_audit *audit, unsigned list, uint64_t index);
uint64_t buddy_image_list_length(struct buddy_audit *audit, unsigned list);
bool buddy_image_adjoins(const struct buddy_audit *audit, size_t low);
bool buddy_image_check_quick(struct buddy_audit *audit);
bool buddy_image_check_blocks(struct buddy_audit *audit);
bool buddy_image_check_bits(struct buddy_audit *audit);
bool buddy_image_check_counts(struct buddy_audit *audit);
bool buddy_image_check_orders(struct buddy_audit *audit);

#endif
