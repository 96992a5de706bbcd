/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/image/image_audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- places ---- */

uint64_t image_place(struct image_cursor *cursor, unsigned size, uint64_t count)
{
    uint64_t place = (cursor->at + size - 1) / size * size;
    cursor->at = place + size * count;
    return place;
}

uint64_t image_place_words(struct image_cursor *cursor, uint64_t count)
{
    return image_place(cursor, cursor->word, count);
}

struct image_regions image_place_regions(struct image_cursor *cursor)
{
    struct image_regions places;
    image_place_words(cursor, 2); /* index, spare */
    places.first = image_place_words(cursor, 1);
    places.total = image_place_words(cursor, 1);
    places.apart = image_place_words(cursor, 1);
    return places;
}

/* ---- reading ---- */

bool image_begin(struct image_audit *audit, struct image_heap *heap, const struct image *image,
    uint64_t at, uint64_t size)
{
    unsigned word = image->facts.word;
    memset(heap, 0, sizeof *heap);
    *audit = (struct image_audit){ .image = image, .heap = heap, .word = word, .at = at };
    audit->mask = word == 8 ? UINT64_MAX : UINT32_MAX;
    if (at % word == 0 && image_has(image, at, size))
        return true;
    return image_broken(audit, "the control structure does not lie in the image", at);
}

uint64_t image_number(struct image_audit *audit, uint64_t at, unsigned size)
{
    uint64_t number = 0;
    if (!image_read(audit->image, at, size, &number))
        audit->lost = true;
    return number;
}

uint64_t image_word(struct image_audit *audit, uint64_t at)
{
    return image_number(audit, at, audit->word);
}

uint64_t image_member(struct image_audit *audit, uint64_t place)
{
    return image_word(audit, audit->at + place);
}

/* ---- what was found ---- */

bool image_broken(struct image_audit *audit, const char *text, uint64_t where)
{
    struct image_heap *heap = audit->heap;
    if (heap->broken[0] == '\0') {
        snprintf(heap->broken, sizeof heap->broken, "%s", text);
        heap->where = where;
    }
    return false;
}

void *image_append(struct image_audit *audit, void *elements, size_t *count, size_t *room,
    const void *element, size_t size)
{
    if (*count == *room) {
        size_t more = *room > 0 ? *room * 2 : 64;
        void *grown = realloc(elements, more * size);
        audit->heap->no_memory = grown == NULL;
        if (grown == NULL)
            return NULL;
        elements = grown;
        *room = more;
    }
    memcpy((char *)elements + (*count)++ * size, element, size);
    return elements;
}

bool image_add_region(struct image_audit *audit, const struct image_region *region)
{
    struct image_heap *heap = audit->heap;
    void *regions = image_append(
        audit, heap->regions, &heap->region_count, &heap->region_room, region, sizeof *region);
    if (regions != NULL)
        heap->regions = regions;
    return regions != NULL;
}

bool image_add_range(struct image_audit *audit, const struct image_range *range)
{
    return image_add_region(
        audit, &(struct image_region){
                   .start = range->start, .size = range->size, .descriptor = range->at });
}

bool image_add_block(struct image_audit *audit, uint64_t start, uint64_t size, bool live)
{
    struct image_heap *heap = audit->heap;
    struct image_block block = { start, size, live };
    void *blocks = image_append(
        audit, heap->blocks, &heap->block_count, &heap->block_room, &block, sizeof block);
    if (blocks == NULL)
        return false;
    heap->blocks = blocks;
    heap->live_count += live;
    heap->live_bytes += live ? size : 0;
    return true;
}

/* ---- regions ---- */

uint64_t image_range_size(unsigned word)
{
    return 7 * (uint64_t)word;
}

static bool image_wraps(const struct image_audit *audit, uint64_t start, uint64_t size)
{
    return size != 0 && ((start + (size - 1)) & audit->mask) < start;
}

bool image_read_range(struct image_audit *audit, uint64_t at, const struct image_range *below,
    struct image_range *range)
{
    uint64_t numbers[6] = { 0 };
    for (unsigned i = 0; i < 6; i++)
        numbers[i] = image_word(audit, at + i * audit->word);
    *range = (struct image_range){ .at = at,
        .next = numbers[0],
        .prev = numbers[1],
        .start = numbers[2],
        .size = numbers[3],
        .meta = numbers[4],
        .meta_size = numbers[5],
        .integers = image_number(audit, at + 6 * (uint64_t)audit->word, 1) != 0 };
    return !audit->lost && at % audit->word == 0 && range->prev == (below ? below->at : 0) &&
           range->size != 0 && !image_wraps(audit, range->start, range->size) &&
           !image_wraps(audit, range->meta, range->meta_size) &&
           (below == NULL || below->start + (below->size - 1) < range->start);
}

bool image_total_agrees(
    struct image_audit *audit, const struct image_regions *regions, uint64_t total, uint64_t apart)
{
    return image_member(audit, regions->total) == (total & audit->mask) &&
           image_member(audit, regions->apart) == (apart & audit->mask);
}

/* ---- numbers ---- */

unsigned image_highest(uint64_t number)
{
    unsigned bit = 0;
    while (number >>= 1)
        bit++;
    return bit;
}

unsigned image_count_bits(uint64_t number)
{
    unsigned count = 0;
    for (; number != 0; number &= number - 1)
        count++;
    return count;
}

bool image_is_power(uint64_t number)
{
    return number != 0 && (number & (number - 1)) == 0;
}
