/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Sets of groups, 64 to a word on every level: one bit scan per level finds the lowest member.
 */
#include "bitmap/bitmap_private.h"

#if ACRE_MAX_POOL == 0

void acre_bitmap_set_add(struct bitmap_set *set, size_t group)
{
    unsigned level = 0;
    uint64_t was;
    ACRE_ASSERT(group < set->size);
    do {
        uint64_t *word = &set->bits[level][group / BITMAP_WORD_BITS];
        was = *word;
        *word = was | acre_wide_bit(group);
        group /= BITMAP_WORD_BITS;
    } while (was == 0 && ++level < set->levels);
}

void acre_bitmap_set_remove(struct bitmap_set *set, size_t group)
{
    unsigned level = 0;
    uint64_t rest;
    do {
        uint64_t *word = &set->bits[level][group / BITMAP_WORD_BITS];
        rest = *word & ~acre_wide_bit(group);
        *word = rest;
        group /= BITMAP_WORD_BITS;
    } while (rest == 0 && ++level < set->levels);
}

size_t acre_bitmap_set_first(const struct bitmap_set *set)
{
    unsigned level = set->levels;
    size_t at = 0;
    if (set->bits[level - 1][0] == 0)
        return BITMAP_NONE;
    while (level-- != 0)
        at = at * BITMAP_WORD_BITS + bitmap_word_lowest(set->bits[level][at]);
    return at;
}

size_t acre_bitmap_set_next(const struct bitmap_set *set, size_t from)
{
    size_t size = set->size;
    unsigned level = 0;
    for (; from < size; from = from / BITMAP_WORD_BITS + 1) {
        uint64_t word = set->bits[level][from / BITMAP_WORD_BITS] &
                        acre_shift_left(~(uint64_t)0, from % BITMAP_WORD_BITS);
        if (word != 0) {
            from = from / BITMAP_WORD_BITS * BITMAP_WORD_BITS + bitmap_word_lowest(word);
            while (level-- != 0)
                from = from * BITMAP_WORD_BITS + bitmap_word_lowest(set->bits[level][from]);
            return from;
        }
        level++;
        size = level < set->levels ? bitmap_set_words(size) : 0;
    }
    return BITMAP_NONE;
}

#endif
