/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab's constants per class, which follow from the page size.
 */
#include "base/memory.h"
#include "slab/slab_tables.h"

#if ACRE_MAX_POOL == 0

/* 2^32 / size, rounded up: for offsets below 2^17 bytes, the low half of the product is less than
 * this only for multiples of the size. */
static uint32_t slab_reciprocal_of(size_t size)
{
    return (uint32_t)acre_divide(UINT32_MAX, size) + 1;
}

/* Whether a slab of `bytes` bytes leaves at most 1/32 unused, and holds enough objects. */
static bool slab_is_good_length(size_t bytes, size_t size)
{
    size_t count = acre_divide(bytes, size);
    count = count < SLAB_MAX_OBJECTS ? count : SLAB_MAX_OBJECTS;
    size_t enough = SLAB_MAX_OBJECTS / 3;
    if (size <= 8 * (size_t)ACRE_SLAB_UNIT)
        enough = SLAB_MAX_OBJECTS / 4 * 3;
    return count >= enough && (bytes - acre_multiply(count, size)) * 32 <= bytes;
}

/* Pages of a slab: the smallest good length, else the length that leaves the smallest part
 * unused. */
static size_t slab_best_length(size_t page, size_t size)
{
    size_t least = acre_divide(size + page - 1, page);
    size_t best = least;
    size_t best_rest = acre_remainder(acre_multiply(least, page), size);
    for (size_t pages = least; pages <= SLAB_MAX_PAGES; pages++) {
        size_t bytes = acre_multiply(pages, page);
        size_t rest = acre_remainder(bytes, size);
        if (acre_divide(bytes, size) > SLAB_WORD_BITS)
            break;
        if (slab_is_good_length(bytes, size))
            return pages;
        if (acre_multiply(rest, best) <= acre_multiply(best_rest, pages)) {
            best = pages;
            best_rest = rest;
        }
    }
    return best;
}

/* Sets the constants of a class. slab_pages is 0 for a class that is not used: one page would have
 * more objects than a word has bits, or the size is above the largest. */
static void slab_set_class(struct acre_slab *slab, unsigned size_class, size_t page)
{
    size_t size = slab_class_size(size_class);
    bool served =
        size <= ACRE_SLAB_LARGEST_PAGES * page && page < acre_multiply(SLAB_WORD_BITS + 1, size);
    slab->object_size[size_class] = (uint32_t)size;
    slab->reciprocal[size_class] = slab_reciprocal_of(size);
    slab->slab_pages[size_class] = served ? (uint8_t)slab_best_length(page, size) : 0;
}

static void slab_set_class_of_sizes(struct acre_slab *slab)
{
    memset(slab->size_steps, 0, sizeof(slab->size_steps));
    unsigned size_class = 0;
    for (unsigned unit = 0; unit < slab->sizes; unit++) {
        while (slab_class_size(size_class) < (unit + 1) * (size_t)ACRE_SLAB_UNIT ||
               slab->slab_pages[size_class] == 0)
            size_class++;
        ACRE_ASSERT(size_class < ACRE_SLAB_CLASSES); /* SLAB-9 */
        slab->class_of[unit] = (uint8_t)size_class;
        slab->size_steps[size_class]++;
    }
}

void acre_slab_set_constants(struct acre_slab *slab)
{
    for (unsigned size_class = 0; size_class < ACRE_SLAB_CLASSES; size_class++)
        slab_set_class(slab, size_class, slab_page_size(slab));
    slab_set_class_of_sizes(slab);
    slab->watermark = slab_watermark_list(slab);
}

#endif
