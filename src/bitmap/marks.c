/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Marks: one bit a chunk that has a free page, one bit a word of such bits that is not 0, and so on
 * up to a single word. The lowest free page of a range is then one bit scan a level away.
 */
#include "bitmap/bitmap_private.h"

void acre_bitmap_mark(struct acre_bitmap_range *range, size_t chunk)
{
    unsigned level;

    for (level = 0; level < range->mark_levels; level++) {
        uint64_t *word = &range->marks[level][chunk / ACRE_BITMAP_WORD_BITS];
        uint64_t bit = (uint64_t)1 << chunk % ACRE_BITMAP_WORD_BITS;

        if ((*word & bit) != 0)
            return;
        *word |= bit;
        chunk /= ACRE_BITMAP_WORD_BITS;
    }
}

void acre_bitmap_unmark(struct acre_bitmap_range *range, size_t chunk)
{
    unsigned level;

    for (level = 0; level < range->mark_levels; level++) {
        uint64_t *word = &range->marks[level][chunk / ACRE_BITMAP_WORD_BITS];

        *word &= ~((uint64_t)1 << chunk % ACRE_BITMAP_WORD_BITS);
        if (*word != 0)
            return;
        chunk /= ACRE_BITMAP_WORD_BITS;
    }
}

size_t acre_bitmap_marked_first(const struct acre_bitmap_range *range)
{
    unsigned level = range->mark_levels;
    size_t at = 0;

    while (level-- != 0)
        at = at * ACRE_BITMAP_WORD_BITS + acre_bitmap_word_lowest(range->marks[level][at]);
    return at;
}

bool acre_bitmap_chunk_full(const struct acre_bitmap_range *range, size_t chunk)
{
    const uint64_t *words = &range->words[chunk * ACRE_BITMAP_CHUNK_WORDS];

    return (words[0] | words[1] | words[2] | words[3] | words[4] | words[5] | words[6] |
               words[7]) == 0;
}

void acre_bitmap_remark(struct acre_bitmap_range *range, size_t index, size_t count)
{
    size_t chunk = index / ACRE_BITMAP_CHUNK_PAGES;
    size_t last = (index + count - 1) / ACRE_BITMAP_CHUNK_PAGES;

    for (; chunk <= last; chunk++) {
        if (acre_bitmap_chunk_full(range, chunk))
            acre_bitmap_unmark(range, chunk);
        else
            acre_bitmap_mark(range, chunk);
    }
}
