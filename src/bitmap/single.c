/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Single pages: the fast path. A page taken or given back changes one word; its chunk's summary
 * changes seldom, and when it may have, the chunk becomes the active one instead of being summed up
 * at once.
 */
#include "bitmap/bitmap_private.h"

/** The longest free run that a leaf states, in pages. */
ACRE_INLINE size_t leaf_longest(uint64_t leaf)
{
    return leaf >> 16 & 0xffff;
}

/** Moves `low` to the word with the lowest free page; there is one. 8 words + log64(chunks) steps.
 */
static ACRE_NOINLINE void seek(struct acre_bitmap_range *range)
{
    size_t word = acre_bitmap_marked_first(range) * ACRE_BITMAP_CHUNK_WORDS;

    while (range->words[word] == 0)
        word++;
    range->low = word << ACRE_BITMAP_WORD_LOG2;
}

size_t acre_bitmap_single_take(struct acre_bitmap_range *range)
{
    size_t index;
    size_t chunk;
    size_t run;
    uint64_t word;
    unsigned bit;

    if (ACRE_UNLIKELY(range->words[range->low >> ACRE_BITMAP_WORD_LOG2] == 0))
        seek(range);
    word = range->words[range->low >> ACRE_BITMAP_WORD_LOG2];
    bit = acre_bitmap_word_lowest(word);
    run = acre_bitmap_word_run_up(word >> bit >> 1) + 1;
    index = (range->low & ~(size_t)(ACRE_BITMAP_WORD_BITS - 1)) + bit;
    chunk = index >> ACRE_BITMAP_CHUNK_LOG2;
    range->words[index >> ACRE_BITMAP_WORD_LOG2] = word & (word - 1);
    range->low = index;
    range->free--;
    if (ACRE_UNLIKELY((word & (word - 1)) == 0 && acre_bitmap_chunk_full(range, chunk)))
        acre_bitmap_unmark(range, chunk);
    if (chunk == range->active)
        return index;
    if (index % ACRE_BITMAP_CHUNK_PAGES == 0 || bit + run == ACRE_BITMAP_WORD_BITS ||
        index + run == range->pages || run == leaf_longest(range->leaves[chunk]))
        acre_bitmap_tree_activate(range, chunk);
    return index;
}

enum acre_status acre_bitmap_single_give(struct acre_bitmap_range *range, size_t index)
{
    uint64_t word = range->words[index >> ACRE_BITMAP_WORD_LOG2];
    unsigned bit = (unsigned)(index % ACRE_BITMAP_WORD_BITS);
    size_t chunk = index >> ACRE_BITMAP_CHUNK_LOG2;
    size_t up = acre_bitmap_word_run_up(word >> bit >> 1);
    size_t down = acre_bitmap_word_run_down(word << (ACRE_BITMAP_WORD_BITS - 1 - bit) << 1);

    if (ACRE_UNLIKELY(word >> bit & 1))
        return ACRE_NOT_ALLOCATED;
    range->words[index >> ACRE_BITMAP_WORD_LOG2] = word | (uint64_t)1 << bit;
    range->free++;
    if (index < range->low)
        range->low = index;
    if (word == 0)
        acre_bitmap_mark(range, chunk);
    if (chunk == range->active)
        return ACRE_OK;
    if (down == bit || bit + up == ACRE_BITMAP_WORD_BITS - 1 || index + up + 1 == range->pages ||
        down + up >= leaf_longest(range->leaves[chunk]))
        acre_bitmap_tree_activate(range, chunk);
    return ACRE_OK;
}
