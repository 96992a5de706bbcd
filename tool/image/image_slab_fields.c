/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Members of slab's structures in an image, and what they say of a page and a class. */
#include "tool/image/image_slab.h"

unsigned slab_image_run_lists(unsigned word)
{
    return LINEAR_RUNS + 4 * (8 * word - 11);
}

struct slab_places slab_image_places_of(unsigned word)
{
    struct image_cursor cursor = { 0, word };
    struct slab_places places;
    unsigned bits = 8 * word;
    places.base = image_place_words(&cursor, 1);
    places.pages = image_place_words(&cursor, 1);
    places.page_map = image_place_words(&cursor, 1);
    places.sizes = image_place_words(&cursor, 1);
    places.page_log2 = image_place(&cursor, 4, 1);
    places.headroom = image_place_words(&cursor, 1);
    places.live_blocks = image_place_words(&cursor, 1);
    places.class_of = image_place(&cursor, 1, SIZES);
    places.current = image_place_words(&cursor, CLASSES);
    places.current_start = image_place_words(&cursor, CLASSES);
    places.current_count = image_place(&cursor, 4, CLASSES);
    places.object_size = image_place(&cursor, 4, CLASSES);
    places.reciprocal = image_place(&cursor, 4, CLASSES);
    places.size_steps = image_place(&cursor, 1, CLASSES);
    places.slab_pages = image_place(&cursor, 1, CLASSES);
    places.partial = image_place_words(&cursor, CLASSES);
    places.no_slab = image_place_words(&cursor, 3);
    image_place(&cursor, 1, 16); /* the rest of that record */
    places.records = image_place_words(&cursor, 1);
    places.peak = image_place_words(&cursor, 1);
    image_place_words(&cursor, 1); /* failed */
    places.capacity = image_place_words(&cursor, 1);
    places.regions = image_place_regions(&cursor);
    places.largest_pages = image_place_words(&cursor, 1);
    places.largest_regions = image_place_words(&cursor, 1);
    places.watermark = image_place_words(&cursor, 1);
    places.region_cache = image_place_words(&cursor, CACHED_REGIONS);
    places.nonempty = image_place_words(&cursor, (slab_image_run_lists(word) + bits - 1) / bits);
    places.runs = image_place_words(&cursor, slab_image_run_lists(word));
    places.size = cursor.at;
    return places;
}

bool slab_image_broken(struct slab_audit *audit, const char *text, uint64_t where)
{
    return image_broken(&audit->own, text, where);
}

uint64_t slab_image_member(struct slab_audit *audit, uint64_t place)
{
    return image_member(&audit->own, place);
}

/* An element of an array in the control structure. */
uint64_t slab_image_element(struct slab_audit *audit, uint64_t place, unsigned size, uint64_t index)
{
    return image_number(&audit->own, audit->own.at + place + size * index, size);
}

uint64_t slab_image_pointer(struct slab_audit *audit, uint64_t place, uint64_t index)
{
    return slab_image_element(audit, place, audit->own.word, index);
}

unsigned slab_image_word_bits(const struct slab_audit *audit)
{
    return 8 * audit->own.word;
}

/* ---- records ---- */

struct slab_page slab_image_read_page(struct slab_audit *audit, uint64_t at)
{
    unsigned word = audit->own.word;
    uint64_t tail = at + 3 * (uint64_t)word;
    uint64_t bytes[7];
    struct slab_page page = { .at = at,
        .bits = image_word(&audit->own, at),
        .next = image_word(&audit->own, at + word),
        .prev = image_word(&audit->own, at + 2 * (uint64_t)word),
        .reciprocal = image_number(&audit->own, tail, 4),
        .start = image_number(&audit->own, tail + 4, 4),
        .size = (unsigned)image_number(&audit->own, tail + 8, 2) };
    for (unsigned i = 0; i < 6; i++)
        bytes[i] = image_number(&audit->own, tail + 10 + i, 1);
    page.pages = (unsigned)bytes[0];
    page.to_first = (unsigned)bytes[1];
    page.size_steps = (unsigned)bytes[2];
    page.state = (unsigned)bytes[3];
    page.size_class = (unsigned)bytes[4];
    page.count = (unsigned)bytes[5];
    return page;
}

bool slab_image_is_slab(const struct slab_page *page)
{
    return page->state == OBJECTS || page->state == FALLBACK;
}

uint64_t slab_image_class_size(unsigned size_class)
{
    if (size_class < 16)
        return ((uint64_t)size_class + 1) * UNIT;
    return (uint64_t)(288 + 32 * ((size_class - 16) % 8)) << (size_class - 16) / 8;
}

uint64_t slab_image_object_count(struct slab_audit *audit, unsigned size_class, uint64_t pages)
{
    uint64_t reciprocal = slab_image_element(audit, audit->places.reciprocal, 4, size_class);
    uint64_t count = (pages << audit->shift) * reciprocal >> 32 & UINT32_MAX;
    return count < slab_image_word_bits(audit) - 1 ? count : slab_image_word_bits(audit) - 1;
}

uint64_t slab_image_run_list(uint64_t pages)
{
    if (pages < LINEAR_RUNS)
        return pages;
    unsigned log2 = image_highest(pages);
    return LINEAR_RUNS + 4 * (uint64_t)(log2 - 5) + (pages >> (log2 - 2) & 3);
}

bool slab_image_is_current(struct slab_audit *audit, const struct slab_page *page)
{
    return slab_image_pointer(audit, audit->places.current, page->size_class) == page->at;
}
