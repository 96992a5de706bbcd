/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Single pages: the fast path. A page taken or given back changes one word, and its chunk's leaf
 * only when the run it belongs to is the chunk's first, longest or last.
 */
#ifndef ACRE_SRC_BITMAP_SINGLE_H
#define ACRE_SRC_BITMAP_SINGLE_H

#include "bitmap/bitmap_private.h"

/* single.c: what is seldom needed */

/** Moves `low` to the word with the lowest free page; there is one. 8 words + log64(chunks) steps.
 */
void acre_bitmap_single_seek(struct acre_bitmap_range *range);

/** The leaf of a chunk after its lowest free page, which `leaf` still counts, was taken. O(8
 * words). */
void acre_bitmap_single_taken(struct acre_bitmap_range *range, size_t index, uint64_t leaf);

/** The leaf of a chunk after a page was given back that made one run [start, end). */
void acre_bitmap_single_given(
    struct acre_bitmap_range *range, size_t chunk, size_t start, size_t end);

/** The free run right above `index`, which reaches its word's end: its length within the chunk. */
size_t acre_bitmap_single_above(const struct acre_bitmap_range *range, size_t index);

/** The free run right below `index`, which reaches its word's start: its length within the chunk.
 */
size_t acre_bitmap_single_below(const struct acre_bitmap_range *range, size_t index);

/** The longest free run that a leaf states, in pages. */
ACRE_INLINE size_t acre_bitmap_leaf_longest(uint64_t leaf)
{
    return (size_t)(leaf >> 16 & 0xffff);
}

/** Free pages in a row right above `index`, up to the chunk's end. */
ACRE_INLINE size_t acre_bitmap_free_above(
    const struct acre_bitmap_range *range, size_t index, uint64_t word)
{
    size_t bit = index % ACRE_BITMAP_WORD_BITS;
    size_t run = acre_bitmap_word_run_up(word >> bit >> 1);

    if (ACRE_UNLIKELY(bit + run == ACRE_BITMAP_WORD_BITS - 1))
        return acre_bitmap_single_above(range, index);
    return run;
}

/** Free pages in a row right below `index`, down to the chunk's start. */
ACRE_INLINE size_t acre_bitmap_free_below(
    const struct acre_bitmap_range *range, size_t index, uint64_t word)
{
    size_t bit = index % ACRE_BITMAP_WORD_BITS;
    size_t run = acre_bitmap_word_run_down(word << (ACRE_BITMAP_WORD_BITS - 1 - bit) << 1);

    if (ACRE_UNLIKELY(run == bit))
        return acre_bitmap_single_below(range, index);
    return run;
}

/** Takes the lowest free page of a range that has one; its index. O(1) in a chunk, else O(8 *
 * levels). */
ACRE_INLINE size_t acre_bitmap_single_take(struct acre_bitmap_range *range)
{
    uint64_t word;
    uint64_t leaf;
    size_t index;
    size_t bit;
    size_t end;

    if (ACRE_UNLIKELY(range->words[range->low >> ACRE_BITMAP_WORD_LOG2] == 0))
        acre_bitmap_single_seek(range);
    word = range->words[range->low >> ACRE_BITMAP_WORD_LOG2];
    bit = acre_bitmap_word_lowest(word);
    index = (range->low & ~(size_t)(ACRE_BITMAP_WORD_BITS - 1)) + bit;
    leaf = range->leaves[index >> ACRE_BITMAP_CHUNK_LOG2];
    range->words[index >> ACRE_BITMAP_WORD_LOG2] = word & (word - 1);
    range->low = index;
    range->free--;
    /* A run that ends in its word, is not the longest and does not begin the chunk leaves the leaf
     * be. */
    end = bit + acre_bitmap_word_run_up(word >> bit >> 1) + 1;
    if (ACRE_UNLIKELY(end == ACRE_BITMAP_WORD_BITS || end - bit == acre_bitmap_leaf_longest(leaf) ||
                      index % ACRE_BITMAP_CHUNK_PAGES == 0 || (word & (word - 1)) == 0 ||
                      index - bit + end == range->pages))
        acre_bitmap_single_taken(range, index, leaf);
    return index;
}

/** Gives one page back. ACRE_NOT_ALLOCATED when it is free. O(1) in a chunk, else O(8 * levels). */
ACRE_INLINE enum acre_status acre_bitmap_single_give(struct acre_bitmap_range *range, size_t index)
{
    uint64_t word = range->words[index >> ACRE_BITMAP_WORD_LOG2];
    size_t chunk = index >> ACRE_BITMAP_CHUNK_LOG2;
    size_t start;
    size_t end;

    if (ACRE_UNLIKELY((word >> index % ACRE_BITMAP_WORD_BITS & 1) != 0))
        return ACRE_NOT_ALLOCATED;
    range->words[index >> ACRE_BITMAP_WORD_LOG2] = word | (uint64_t)1
                                                              << index % ACRE_BITMAP_WORD_BITS;
    range->free++;
    if (index < range->low)
        range->low = index;
    start = index - acre_bitmap_free_below(range, index, word);
    end = index + 1 + acre_bitmap_free_above(range, index, word);
    if (ACRE_UNLIKELY(end - start > acre_bitmap_leaf_longest(range->leaves[chunk]) ||
                      start % ACRE_BITMAP_CHUNK_PAGES == 0 || end % ACRE_BITMAP_CHUNK_PAGES == 0 ||
                      end == range->pages || word == 0))
        acre_bitmap_single_given(range, chunk, start, end);
    return ACRE_OK;
}

#endif
