/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The checker: every invariant of bitmap_private.h, linear in the number of pages / 64; changes
 * nothing.
 */
#include "base/bits.h"
#include "bitmap/bitmap_private.h"

static struct acre_check_result broken(const char *invariant, const void *where)
{
    return (struct acre_check_result){ invariant, where };
}

static const struct acre_check_result sound = { NULL, NULL };

/** Set bits among the first `pages`. */
static size_t count_free(const struct acre_bitmap_range *range)
{
    size_t words = acre_bitmap_chunks(range->pages) * ACRE_BITMAP_CHUNK_WORDS;
    size_t free = 0;
    size_t word;

    for (word = 0; word < words; word++)
        free += acre_bits_count(range->words[word]);
    return free;
}

static struct acre_check_result check_bits(const struct acre_bitmap_range *range)
{
    size_t bits = acre_bitmap_chunks(range->pages) * ACRE_BITMAP_CHUNK_PAGES;
    size_t low = range->low < range->pages ? range->low : range->pages;

    if (!acre_bitmap_words_are(range->words, range->pages, bits - range->pages, false))
        return broken("BITMAP-2: bits behind the last page are 0", range->words);
    if (count_free(range) != range->free)
        return broken("BITMAP-3: free is the number of set bits", &range->free);
    if (!acre_bitmap_words_are(range->words, 0, low, false))
        return broken("BITMAP-4: no page below low is free", &range->low);
    return sound;
}

/** True when the marks of one level are what the words below say; `below` chunks or marks stand
 * there. */
static bool marks_hold(const struct acre_bitmap_range *range, unsigned level, size_t below)
{
    size_t index;

    for (index = 0; index < acre_bitmap_mark_words(below) * ACRE_BITMAP_WORD_BITS; index++) {
        bool marked =
            range->marks[level][index / ACRE_BITMAP_WORD_BITS] >> index % ACRE_BITMAP_WORD_BITS & 1;
        bool due = index < below && (level == 0 ? !acre_bitmap_chunk_full(range, index)
                                                : range->marks[level - 1][index] != 0);

        if (marked != due)
            return false;
    }
    return true;
}

static struct acre_check_result check_marks(const struct acre_bitmap_range *range)
{
    size_t below = acre_bitmap_chunks(range->pages);
    unsigned level;

    for (level = 0; level < range->mark_levels; level++) {
        if (!marks_hold(range, level, below))
            return broken("BITMAP-8: marks say where free pages are", range->marks[level]);
        below = acre_bitmap_mark_words(below);
    }
    return sound;
}

/** Checks the nodes of one level; their number goes to `nodes`, which holds that of the level
 * below. */
static struct acre_check_result check_level(
    const struct acre_bitmap_range *range, unsigned level, size_t *nodes)
{
    size_t index;

    *nodes = level == 0 ? acre_bitmap_chunks(range->pages) : acre_bitmap_parents(*nodes);
    for (index = 0; index < *nodes; index++) {
        struct acre_bitmap_run stored = acre_bitmap_tree_get(range, level, index);

        if (acre_bitmap_run_equal(stored, acre_bitmap_tree_compute_settled(range, level, index)))
            continue;
        if (level == 0)
            return broken("BITMAP-5: a leaf is the summary of its chunk", &range->leaves[index]);
        return broken(
            "BITMAP-6: a node is the joint of its children", &range->nodes[level - 1][index]);
    }
    return sound;
}

static struct acre_check_result check_range(const struct acre_bitmap_range *range)
{
    struct acre_check_result result = check_bits(range);
    size_t nodes = 0;
    unsigned level;

    for (level = 0; level <= range->top && result.invariant == NULL; level++)
        result = check_level(range, level, &nodes);
    if (result.invariant == NULL)
        result = check_marks(range);
    return result;
}

struct acre_check_result acre_bitmap_check(const struct acre_bitmap *self)
{
    const struct acre_bitmap_range *range;
    size_t used = 0;
    size_t given = 0;

    for (range = self->ranges; range != NULL; range = range->next) {
        struct acre_check_result result = check_range(range);

        if (result.invariant != NULL)
            return result;
        if (range->next != NULL && range->next->first - range->first < range->pages)
            return broken("BITMAP-1: ranges ascend and do not overlap", range);
        used += range->pages - range->free;
        given += range->given_size + range->given_meta;
    }
    if (used != self->used || given != self->given || self->peak < self->used)
        return broken("BITMAP-7: the counts are the sums over the ranges", self);
    return sound;
}
