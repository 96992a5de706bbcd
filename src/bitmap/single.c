/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Single pages: what the fast path in single.h leaves to be done seldom.
 */
#include "bitmap/single.h"

size_t acre_bitmap_single_above(const struct acre_bitmap_range *range, size_t index)
{
    size_t word = index >> ACRE_BITMAP_WORD_LOG2;
    size_t run = ACRE_BITMAP_WORD_BITS - 1 - index % ACRE_BITMAP_WORD_BITS;

    while (++word % ACRE_BITMAP_CHUNK_WORDS != 0) {
        if (range->words[word] != ~(uint64_t)0)
            return run + acre_bitmap_word_run_up(range->words[word]);
        run += ACRE_BITMAP_WORD_BITS;
    }
    return run;
}

size_t acre_bitmap_single_below(const struct acre_bitmap_range *range, size_t index)
{
    size_t word = index >> ACRE_BITMAP_WORD_LOG2;
    size_t run = index % ACRE_BITMAP_WORD_BITS;

    while (word-- % ACRE_BITMAP_CHUNK_WORDS != 0) {
        if (range->words[word] != ~(uint64_t)0)
            return run + acre_bitmap_word_run_down(range->words[word]);
        run += ACRE_BITMAP_WORD_BITS;
    }
    return run;
}

void acre_bitmap_single_seek(struct acre_bitmap_range *range)
{
    size_t word = acre_bitmap_marked_first(range) * ACRE_BITMAP_CHUNK_WORDS;

    while (range->words[word] == 0)
        word++;
    range->low = word << ACRE_BITMAP_WORD_LOG2;
}

/** The index behind a chunk's last page. */
static size_t chunk_end(const struct acre_bitmap_range *range, size_t chunk)
{
    size_t end = (chunk + 1) << ACRE_BITMAP_CHUNK_LOG2;

    return end < range->pages ? end : range->pages;
}

/** The leaf after the page at `index`, the lowest free one, has gone; the chunk still has free
 * ones. */
static struct acre_bitmap_run leaf_without(
    const struct acre_bitmap_range *range, size_t chunk, size_t index, struct acre_bitmap_run leaf)
{
    uint64_t word = range->words[index >> ACRE_BITMAP_WORD_LOG2];

    leaf.start = 0;
    if (index + leaf.end == chunk_end(range, chunk)) /* its run is the only one */
        return (struct acre_bitmap_run){ 0, leaf.end - 1, leaf.end - 1 };
    /* Where the longest run is a single page, every other run is one too. */
    if (leaf.longest != 1 && acre_bitmap_free_above(range, index, word) + 1 == leaf.longest)
        return acre_bitmap_tree_compute(range, 0, chunk);
    return leaf;
}

ACRE_NOINLINE void acre_bitmap_single_taken(
    struct acre_bitmap_range *range, size_t index, uint64_t leaf)
{
    size_t chunk = index >> ACRE_BITMAP_CHUNK_LOG2;

    if (range->words[index >> ACRE_BITMAP_WORD_LOG2] == 0 && acre_bitmap_chunk_full(range, chunk)) {
        acre_bitmap_unmark(range, chunk);
        leaf = 0;
    } else {
        leaf =
            acre_bitmap_leaf_pack(leaf_without(range, chunk, index, acre_bitmap_leaf_unpack(leaf)));
    }
    acre_bitmap_tree_leaf(range, chunk, leaf);
}

ACRE_NOINLINE void acre_bitmap_single_given(
    struct acre_bitmap_range *range, size_t chunk, size_t start, size_t end)
{
    struct acre_bitmap_run leaf = acre_bitmap_leaf_unpack(range->leaves[chunk]);

    if (leaf.longest == 0)
        acre_bitmap_mark(range, chunk);
    if (start % ACRE_BITMAP_CHUNK_PAGES == 0)
        leaf.start = end - start;
    if (end == chunk_end(range, chunk))
        leaf.end = end - start;
    if (end - start > leaf.longest)
        leaf.longest = end - start;
    acre_bitmap_tree_leaf(range, chunk, acre_bitmap_leaf_pack(leaf));
}
