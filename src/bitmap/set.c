/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Sets of groups, 64 to a word on every level: the lowest member is one bit scan a level away.
 */
#include "bitmap/bitmap_private.h"

void acre_bitmap_set_add(struct acre_bitmap_set *set, size_t group)
{
    unsigned level = 0;
    uint64_t was;

    do {
        uint64_t *word = &set->bits[level][group / ACRE_BITMAP_WORD_BITS];

        was = *word;
        *word = was | (uint64_t)1 << group % ACRE_BITMAP_WORD_BITS;
        group /= ACRE_BITMAP_WORD_BITS;
    } while (was == 0 && ++level < set->levels);
}

void acre_bitmap_set_remove(struct acre_bitmap_set *set, size_t group)
{
    unsigned level = 0;
    uint64_t rest;

    do {
        uint64_t *word = &set->bits[level][group / ACRE_BITMAP_WORD_BITS];

        rest = *word & ~((uint64_t)1 << group % ACRE_BITMAP_WORD_BITS);
        *word = rest;
        group /= ACRE_BITMAP_WORD_BITS;
    } while (rest == 0 && ++level < set->levels);
}

size_t acre_bitmap_set_first(const struct acre_bitmap_set *set)
{
    unsigned level = set->levels;
    size_t at = 0;

    if (set->bits[level - 1][0] == 0)
        return ACRE_BITMAP_NONE;
    while (level-- != 0)
        at = at * ACRE_BITMAP_WORD_BITS + acre_bitmap_word_lowest(set->bits[level][at]);
    return at;
}

size_t acre_bitmap_set_next(const struct acre_bitmap_set *set, size_t from)
{
    size_t size = set->size;
    unsigned level = 0;

    for (; from < size; from = from / ACRE_BITMAP_WORD_BITS + 1) {
        uint64_t word = set->bits[level][from / ACRE_BITMAP_WORD_BITS] &
                        ~(uint64_t)0 << from % ACRE_BITMAP_WORD_BITS;

        if (word != 0) {
            from = from / ACRE_BITMAP_WORD_BITS * ACRE_BITMAP_WORD_BITS +
                   acre_bitmap_word_lowest(word);
            while (level-- != 0)
                from =
                    from * ACRE_BITMAP_WORD_BITS + acre_bitmap_word_lowest(set->bits[level][from]);
            return from;
        }
        level++;
        size = level < set->levels ? acre_bitmap_set_words(size) : 0;
    }
    return ACRE_BITMAP_NONE;
}
