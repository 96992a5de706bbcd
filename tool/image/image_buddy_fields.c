/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Members of buddy's structures in an image, and the quick lists. */
#include "tool/image/image_buddy.h"

struct buddy_places buddy_image_places_of(unsigned word)
{
    struct image_cursor cursor = { 0, word };
    struct buddy_places places;
    places.base = image_place_words(&cursor, 1);
    places.pairs = image_place_words(&cursor, 1);
    places.states = image_place_words(&cursor, 1);
    places.mask = image_place_words(&cursor, 1);
    places.pair_log2 = image_place(&cursor, 4, 1);
    places.bias = image_place(&cursor, 4, 1);
    places.live_blocks = image_place_words(&cursor, 1);
    places.headroom = image_place_words(&cursor, 1);
    places.classes = image_place_words(&cursor, 4 * (8 * (uint64_t)word + QUICK_ORDERS));
    places.quick = image_place_words(&cursor, (uint64_t)2 * LISTS * DEPTH);
    places.cached = image_place_words(&cursor, 1);
    places.regions = image_place_regions(&cursor);
    places.peak = image_place_words(&cursor, 1);
    image_place_words(&cursor, 1); /* failed */
    places.capacity = image_place_words(&cursor, 1);
    places.quick_depth = image_place(&cursor, 4, 1);
    places.orders = image_place_words(&cursor, 1);
    places.by_order = image_place_words(&cursor, 8 * (uint64_t)word);
    places.size = cursor.at;
    return places;
}

bool buddy_image_broken(struct buddy_audit *audit, const char *text, uint64_t where)
{
    return image_broken(&audit->own, text, where);
}

uint64_t buddy_image_member(struct buddy_audit *audit, uint64_t place)
{
    return image_member(&audit->own, place);
}

unsigned buddy_image_word_bits(const struct buddy_audit *audit)
{
    return 8 * audit->own.word;
}

unsigned buddy_image_odd_class(const struct buddy_audit *audit)
{
    return buddy_image_word_bits(audit) + QUICK_ORDERS - 1;
}

uint64_t buddy_image_class_size(const struct buddy_audit *audit, unsigned size_class)
{
    if (size_class == buddy_image_odd_class(audit))
        return 1;
    bool exists = size_class >= audit->bias && size_class < buddy_image_word_bits(audit) - 1;
    return exists ? (uint64_t)1 << (size_class - audit->bias) : 0;
}

unsigned buddy_image_class_of_list(const struct buddy_audit *audit, unsigned list)
{
    return list < QUICK_ORDERS ? list + audit->bias : buddy_image_odd_class(audit);
}

/* Where the quick list of a class is described: used, limit, entries, size. */
uint64_t buddy_image_class_place(const struct buddy_audit *audit, unsigned size_class)
{
    return audit->places.classes + 4 * (uint64_t)audit->own.word * size_class;
}

uint64_t buddy_image_class_word(struct buddy_audit *audit, unsigned size_class, unsigned index)
{
    return buddy_image_member(
        audit, buddy_image_class_place(audit, size_class) + (uint64_t)index * audit->own.word);
}

struct buddy_entry buddy_image_entry_of(struct buddy_audit *audit, unsigned list, uint64_t index)
{
    uint64_t place = audit->places.quick + 2 * (uint64_t)audit->own.word * (list * DEPTH + index);
    return (struct buddy_entry){ buddy_image_member(audit, place),
        buddy_image_member(audit, place + audit->own.word) };
}

uint64_t buddy_image_list_length(struct buddy_audit *audit, unsigned list)
{
    return buddy_image_class_word(audit, buddy_image_class_of_list(audit, list), 0) /
           (2 * audit->own.word);
}

bool buddy_image_adjoins(const struct buddy_audit *audit, size_t low)
{
    return low + 1 < audit->region_count &&
           audit->regions[low].first + audit->regions[low].count == audit->regions[low + 1].first;
}
