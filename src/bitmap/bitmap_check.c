/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The checker: every invariant of bitmap_private.h. It takes O(pages / 64) and changes nothing.
 */
#include "bitmap/bitmap_private.h"

/* ---- words ---- */

static size_t bitmap_count_free(const struct acre_bitmap_range *range)
{
    size_t words = bitmap_words(range);
    size_t free = 0;
    for (size_t word = 0; word < words; word++)
        free += acre_bits_count(range->words[word]);
    return free;
}

static struct acre_check_result bitmap_check_end(const struct acre_bitmap_range *range)
{
    size_t bits = bitmap_words(range) * BITMAP_WORD_BITS;
    if (!acre_bitmap_words_are(range->words, range->pages, bits - range->pages, false))
        return acre_check_broken("BITMAP-2: bits after the last page are 0", range->words);
    return acre_check_sound();
}

/* ---- all of it ---- */

static struct acre_check_result bitmap_check_range(
    const struct acre_bitmap *self, const struct acre_bitmap_range *range)
{
    if (!acre_bitmap_has_sound_layout(range))
        return acre_check_broken("BITMAP-1: ranges ascend and do not overlap", range);
    struct acre_check_result result = bitmap_check_end(range);
    if (result.invariant == NULL)
        result = acre_bitmap_check_tree(self, range);
    return result;
}

struct acre_check_result acre_bitmap_check(const struct acre_bitmap *self)
{
    const struct acre_bitmap_range *range = bitmap_first_range(self);
    const struct acre_region *region = acre_regions_find_broken(&self->regions);
    size_t used = 0;
    size_t pages = 0;
    if (self->page_shift >= 8 * sizeof(size_t))
        return acre_check_broken("BITMAP-7: the totals are the sums over the ranges", self);
    if (region != NULL)
        return acre_check_broken("BITMAP-1: ranges ascend and do not overlap", region);
    for (; range != NULL; range = bitmap_next_range(range)) {
        const struct acre_bitmap_range *next = bitmap_next_range(range);
        struct acre_check_result result = bitmap_check_range(self, range);
        if (result.invariant != NULL)
            return result;
        if (next != NULL && next->first - range->first < range->pages)
            return acre_check_broken("BITMAP-1: ranges ascend and do not overlap", range);
        used += range->pages - bitmap_count_free(range);
        pages += range->pages;
    }
    if (self->headroom > self->peak || used != self->peak - self->headroom)
        return acre_check_broken("BITMAP-3: peak - headroom is the number of pages in use", self);
    if (!acre_regions_total_agrees(&self->regions) ||
        self->regions.total - self->metadata != pages << self->page_shift)
        return acre_check_broken("BITMAP-7: the totals are the sums over the ranges", self);
    return acre_bitmap_check_hint(self);
}
