/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Single pages: the fast path. A page taken or given back changes one word, and its chunk's leaf
 * only when the run it belongs to is the chunk's first, longest or last; that the run's length
 * alone decides, nearly always.
 */
#include "bitmap/bitmap_private.h"

/** The longest free run that a leaf states, in pages. */
ACRE_INLINE size_t leaf_longest(uint64_t leaf)
{
    return leaf >> 16 & 0xffff;
}

/** The free run at the end that a leaf states, in pages. */
ACRE_INLINE size_t leaf_end(uint64_t leaf)
{
    return leaf >> 32;
}

/** The index behind a chunk's last page. */
ACRE_INLINE size_t chunk_end(const struct acre_bitmap_range *range, size_t chunk)
{
    size_t end = (chunk + 1) << ACRE_BITMAP_CHUNK_LOG2;

    return end < range->pages ? end : range->pages;
}

/** Free pages in a row right above `index`, up to its word's end or, when the run reaches that, to
 * the chunk's. */
ACRE_INLINE size_t free_above(const struct acre_bitmap_range *range, size_t index)
{
    size_t word = index >> ACRE_BITMAP_WORD_LOG2;
    size_t bit = index % ACRE_BITMAP_WORD_BITS;
    size_t run = acre_bitmap_word_run_up(range->words[word] >> bit >> 1);

    if (ACRE_LIKELY(bit + run != ACRE_BITMAP_WORD_BITS - 1))
        return run;
    while (++word % ACRE_BITMAP_CHUNK_WORDS != 0) {
        if (range->words[word] != ~(uint64_t)0)
            return run + acre_bitmap_word_run_up(range->words[word]);
        run += ACRE_BITMAP_WORD_BITS;
    }
    return run;
}

/** Free pages in a row right below `index`, down to the chunk's start. */
ACRE_INLINE size_t free_below(const struct acre_bitmap_range *range, size_t index)
{
    size_t word = index >> ACRE_BITMAP_WORD_LOG2;
    size_t bit = index % ACRE_BITMAP_WORD_BITS;
    uint64_t below = range->words[word] << (ACRE_BITMAP_WORD_BITS - 1 - bit) << 1;
    size_t run = acre_bitmap_word_run_down(below);

    if (ACRE_LIKELY(run != bit))
        return run;
    while (word-- % ACRE_BITMAP_CHUNK_WORDS != 0) {
        if (range->words[word] != ~(uint64_t)0)
            return run + acre_bitmap_word_run_down(range->words[word]);
        run += ACRE_BITMAP_WORD_BITS;
    }
    return run;
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

/** The leaf of a chunk whose lowest free page, which began its longest run or its own span, is
 * gone. */
static ACRE_NOINLINE void leaf_anew(struct acre_bitmap_range *range, size_t chunk)
{
    struct acre_bitmap_run run = acre_bitmap_tree_compute(range, 0, chunk);

    acre_bitmap_tree_leaf(range, chunk, acre_bitmap_leaf_pack(run));
}

/** The leaf of a chunk whose only run, which reaches its end, has lost its first page. */
static void leaf_shrunk(struct acre_bitmap_range *range, size_t chunk)
{
    size_t left = leaf_end(range->leaves[chunk]) - 1;

    acre_bitmap_tree_leaf(
        range, chunk, acre_bitmap_leaf_pack((struct acre_bitmap_run){ 0, left, left }));
}

/** The leaf of a chunk that has no free page any more. */
static ACRE_NOINLINE void leaf_full(struct acre_bitmap_range *range, size_t chunk)
{
    acre_bitmap_unmark(range, chunk);
    acre_bitmap_tree_leaf(range, chunk, 0);
}

size_t acre_bitmap_single_take(struct acre_bitmap_range *range)
{
    size_t index;
    size_t chunk;
    uint64_t leaf;
    uint64_t word;

    if (ACRE_UNLIKELY(range->words[range->low >> ACRE_BITMAP_WORD_LOG2] == 0))
        seek(range);
    word = range->words[range->low >> ACRE_BITMAP_WORD_LOG2];
    index = (range->low & ~(size_t)(ACRE_BITMAP_WORD_BITS - 1)) + acre_bitmap_word_lowest(word);
    chunk = index >> ACRE_BITMAP_CHUNK_LOG2;
    leaf = range->leaves[chunk];
    range->words[index >> ACRE_BITMAP_WORD_LOG2] = word & (word - 1);
    range->low = index;
    range->free--;
    if ((word & (word - 1)) == 0 && acre_bitmap_chunk_full(range, chunk))
        leaf_full(range, chunk);
    else if (index + leaf_end(leaf) == chunk_end(range, chunk))
        leaf_shrunk(range, chunk);
    else if (index % ACRE_BITMAP_CHUNK_PAGES == 0 ||
             free_above(range, index) + 1 == leaf_longest(leaf))
        leaf_anew(range, chunk);
    return index;
}

/** The chunk's leaf after pages became one free run [start, end). */
static ACRE_NOINLINE void leaf_given(
    struct acre_bitmap_range *range, size_t chunk, size_t start, size_t end)
{
    size_t base = chunk * ACRE_BITMAP_CHUNK_PAGES;
    struct acre_bitmap_run leaf = acre_bitmap_leaf_unpack(range->leaves[chunk]);

    if (start == base)
        leaf.start = end - start;
    if (end == chunk_end(range, chunk))
        leaf.end = end - start;
    if (end - start > leaf.longest)
        leaf.longest = end - start;
    acre_bitmap_tree_leaf(range, chunk, acre_bitmap_leaf_pack(leaf));
}

enum acre_status acre_bitmap_single_give(struct acre_bitmap_range *range, size_t index)
{
    uint64_t *word = &range->words[index >> ACRE_BITMAP_WORD_LOG2];
    uint64_t bit = (uint64_t)1 << index % ACRE_BITMAP_WORD_BITS;
    size_t chunk = index >> ACRE_BITMAP_CHUNK_LOG2;
    size_t start;
    size_t end;

    if (ACRE_UNLIKELY((*word & bit) != 0))
        return ACRE_NOT_ALLOCATED;
    start = index - free_below(range, index);
    end = index + 1 + free_above(range, index);
    if (*word == 0)
        acre_bitmap_mark(range, chunk);
    *word |= bit;
    range->free++;
    if (index < range->low)
        range->low = index;
    if (end - start > leaf_longest(range->leaves[chunk]) || start % ACRE_BITMAP_CHUNK_PAGES == 0 ||
        end % ACRE_BITMAP_CHUNK_PAGES == 0 || end == range->pages)
        leaf_given(range, chunk, start, end);
    return ACRE_OK;
}
