/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Bits in 64-bit words, where a set bit is a free page: filling, testing, and runs in one chunk.
 */
#ifndef ACRE_SRC_BITMAP_WORDS_H
#define ACRE_SRC_BITMAP_WORDS_H

#include "base/wide.h"
#include "bitmap/bitmap_run.h"

#define BITMAP_WORD_BITS 64u
#define BITMAP_WORD_LOG2 6u

/** No index: no page fits. */
#define BITMAP_NONE SIZE_MAX

/** What a search looks for. Indices count from the first page of a range. */
struct bitmap_want {
    size_t count;    /**< Consecutive pages, at least 1. */
    size_t align;    /**< Pages, a power of two; the page *number* must be a multiple of it. */
    uintptr_t first; /**< Page number of index 0. */
    size_t from;     /**< Lowest index that may be returned. */
};

/** What a search with conditions looks for. Indices count from the first page of a range. */
struct bitmap_limits {
    size_t count;    /**< Consecutive pages, at least 1. */
    size_t align;    /**< Pages, a power of two. */
    size_t phase;    /**< Pages below align: the page number is to be this modulo align. */
    size_t boundary; /**< Pages, a power of two of which no multiple is crossed; 0: none. */
    uintptr_t first; /**< Page number of index 0. */
    size_t from;     /**< Lowest index of the run. */
    size_t to;       /**< The index after the highest one of the run. */
    bool top_down;   /**< The highest place is wanted, not the lowest. */
};

/** Index of the highest set bit; `word` is not 0. */
ACRE_INLINE unsigned bitmap_word_highest(uint64_t word)
{
    return 63u - ACRE_LEADING_ZEROS(word);
}

/** Index of the lowest set bit; `word` is not 0. */
ACRE_INLINE unsigned bitmap_word_lowest(uint64_t word)
{
    return ACRE_TRAILING_ZEROS(word);
}

/** Consecutive set bits from bit 0 up; `word` is not all ones. */
ACRE_INLINE unsigned bitmap_word_run_up(uint64_t word)
{
    return ACRE_TRAILING_ZEROS(~word);
}

/** Consecutive set bits from bit 63 down; `word` is not all ones. */
ACRE_INLINE unsigned bitmap_word_run_down(uint64_t word)
{
    return ACRE_LEADING_ZEROS(~word);
}

/** Bits in the run of set bits around a set bit; 0 when the run reaches an end of the word. */
ACRE_INLINE size_t bitmap_word_run_around(uint64_t word, size_t bit)
{
    uint64_t below = ~word & (acre_wide_bit(bit) - 1);
    uint64_t above = ~word & (0 - acre_wide_bit(bit));
    if (below == 0 || above == 0)
        return 0;
    return bitmap_word_lowest(above) - bitmap_word_highest(below) - 1;
}

/** The `count` lowest bits, 1 to 64. */
ACRE_INLINE uint64_t bitmap_word_mask(size_t count)
{
    return acre_shift_right(~(uint64_t)0, BITMAP_WORD_BITS - count);
}

/** The lowest index in the free run [start, end) where the request fits, or BITMAP_NONE. */
ACRE_INLINE size_t bitmap_fit(const struct bitmap_want *want, size_t start, size_t end)
{
    size_t at = start > want->from ? start : want->from;
    size_t gap = (size_t)(0 - (want->first + at)) & (want->align - 1);

    if (at >= end || gap >= end - at || want->count > end - at - gap)
        return BITMAP_NONE;
    return at + gap;
}

/** The first index, or the last one, in the free run [start, end) where the request fits, or
 * BITMAP_NONE. The conditions do not contradict one another. O(1). */
size_t acre_bitmap_fit_within(const struct bitmap_limits *limits, size_t start, size_t end);

/** Makes `count` bits from `index` on 1 (`free`) or 0. O(count / 64). */
void acre_bitmap_words_fill(uint64_t *words, size_t index, size_t count, bool free);

/** True when the `count` bits from `index` on are all 1 (`free`) or all 0. O(count / 64). */
bool acre_bitmap_words_are(const uint64_t *words, size_t index, size_t count, bool free);

/** Consecutive set bits below `index`, at most down to `start`, a word's first bit.
 * O(pages / 64). */
size_t acre_bitmap_words_below(const uint64_t *words, size_t index, size_t start);

/** Consecutive set bits from `index` on, at most up to `end`. O(pages / 64). */
size_t acre_bitmap_words_above(const uint64_t *words, size_t index, size_t end);

/** The summary of the first `pages` bits, 1 to 512. O(pages / 64), times log2(longest run). */
struct bitmap_run acre_bitmap_words_summary(const uint64_t *words, size_t pages);

/**
 * The first place inside one chunk where the request fits; runs that cross its borders are left
 * out.
 * @param words the chunk's words; `pages` of their bits count, 1 to 512.
 * @param base  index of the chunk's first page in its range.
 * @return index in the range, or BITMAP_NONE. O(pages / 64), times log2(count) for count up
 * to 64.
 */
size_t acre_bitmap_words_find(
    const uint64_t *words, size_t pages, size_t base, const struct bitmap_want *want);

/** The same for a search with conditions: the first place, or the last one. O(pages / 64), and at
 * most 32 steps per word when a boundary is below 64 pages. */
size_t acre_bitmap_words_find_within(
    const uint64_t *words, size_t pages, size_t base, const struct bitmap_limits *limits);

#endif
