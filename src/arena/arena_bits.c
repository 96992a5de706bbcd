/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The arena's bitmaps: the next start of a block, the next live one, and clearing.
 */
#include "arena/arena_private.h"

#include "base/memory.h"

/* The lowest set bit of [from, to) in `starts`, without the bits of `dead` when that is not null. */
static size_t arena_next_bit(const size_t *starts, const size_t *dead, size_t from, size_t to)
{
    size_t at = from >> ACRE_WORD_LOG2;
    size_t mask = SIZE_MAX << (from % ACRE_WORD_BITS);
    for (; at < arena_words(to); at++, mask = SIZE_MAX) {
        size_t word = starts[at] & mask & (dead != NULL ? ~dead[at] : SIZE_MAX);
        if (word != 0) {
            size_t found = (at << ACRE_WORD_LOG2) + acre_bits_lowest(word);
            return found < to ? found : to;
        }
    }
    return to;
}

size_t acre_arena_next_start(const struct acre_arena_region *region, size_t from, size_t to)
{
    return arena_next_bit(region->starts, NULL, from, to);
}

size_t acre_arena_next_live(const struct acre_arena_region *region, size_t from, size_t to)
{
    return arena_next_bit(region->starts, region->dead, from, to);
}

/* Keeps the bits of a word that a mask has, in both bitmaps. */
static void arena_keep_bits(struct acre_arena_region *region, size_t word, size_t mask)
{
    region->starts[word] &= mask;
    region->dead[word] &= mask;
}

void acre_arena_clear(struct acre_arena_region *region, size_t from, size_t to)
{
    size_t first = from >> ACRE_WORD_LOG2;
    size_t last = to >> ACRE_WORD_LOG2;
    size_t below = acre_bit(from) - 1;
    size_t above = ~(acre_bit(to) - 1);
    if (from >= to)
        return;
    if (first == last) {
        arena_keep_bits(region, first, below | above);
        return;
    }
    arena_keep_bits(region, first, below);
    memset(&region->starts[first + 1], 0, (last - first - 1) * sizeof(size_t));
    memset(&region->dead[first + 1], 0, (last - first - 1) * sizeof(size_t));
    if (above != SIZE_MAX) /* else there may be no such word */
        arena_keep_bits(region, last, above);
}
