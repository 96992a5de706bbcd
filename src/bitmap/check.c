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

    if (!acre_bitmap_words_are(range->words, range->pages, bits - range->pages, false))
        return broken("BITMAP-2: bits behind the last page are 0", range->words);
    return sound;
}

/** The word of the lowest free page in a range, or null. */
static const uint64_t *lowest_word_in(const struct acre_bitmap_range *range)
{
    size_t words = acre_bitmap_chunks(range->pages) * ACRE_BITMAP_CHUNK_WORDS;
    size_t word;

    for (word = 0; word < words; word++)
        if (range->words[word] != 0)
            return &range->words[word];
    return NULL;
}

/** Whether the hand's word is that of the lowest free page, and the hand's range that word's. */
static bool hand_is_lowest(const struct acre_bitmap *self)
{
    const struct acre_bitmap_range *range;

    for (range = self->ranges; range != NULL; range = range->next) {
        const uint64_t *word = lowest_word_in(range);
        if (word != NULL)
            return self->hand == word && self->hand_range == range;
    }
    return false;
}

static struct acre_check_result check_hand(const struct acre_bitmap *self)
{
    const struct acre_bitmap_range *range = self->hand_range;
    size_t word;
    uint64_t late;

    if (self->hand == NULL && self->hand_at == 0 && self->align_limit == 0 && range == NULL)
        return sound;
    if (!hand_is_lowest(self))
        return broken("BITMAP-4: the hand is the word of the lowest free page", self);
    word = (size_t)(self->hand - range->words);
    late = range->groups[word / ACRE_BITMAP_WORD_BITS].late;
    if ((late >> word % ACRE_BITMAP_WORD_BITS & 1) == 0 ||
        self->align_limit >> self->page_shift != 1 ||
        self->hand_at >> self->page_shift != range->first + (word << ACRE_BITMAP_WORD_LOG2))
        return broken("BITMAP-4: the hand is the word of the lowest free page", self);
    return sound;
}

/** True when a set's levels above the lowest are what the words below say; the members go to
 * `members`. */
static bool set_holds(const struct acre_bitmap_set *set, size_t *members)
{
    size_t below = acre_bitmap_set_words(set->size);
    unsigned level = 0;
    size_t at;

    *members = 0;
    for (at = 0; at < below; at++)
        *members += acre_bits_count(set->bits[0][at]);
    for (; below > 1; below = acre_bitmap_set_words(below), level++)
        for (at = 0; at < acre_bitmap_set_words(below) * ACRE_BITMAP_WORD_BITS; at++)
            if ((set->bits[level + 1][at / ACRE_BITMAP_WORD_BITS] >> at % ACRE_BITMAP_WORD_BITS &
                    1) != (at < below && set->bits[level][at] != 0))
                return false;
    return true;
}

/** The words of a group that have a free page. */
static uint64_t words_due(const struct acre_bitmap_range *range, size_t group)
{
    size_t words = acre_bitmap_chunks(range->pages) * ACRE_BITMAP_CHUNK_WORDS;
    size_t word = group * ACRE_BITMAP_WORD_BITS;
    uint64_t bits = 0;
    unsigned bit;

    for (bit = 0; bit < ACRE_BITMAP_WORD_BITS && word < words; bit++, word++)
        bits |= (uint64_t)(range->words[word] != 0) << bit;
    return bits;
}

static struct acre_check_result check_marks(const struct acre_bitmap_range *range)
{
    size_t groups = acre_bitmap_groups(range);
    size_t members;
    size_t marked = 0;
    size_t group;

    for (group = 0; group < groups; group++) {
        bool is_marked = acre_bitmap_set_has(&range->marks, group);

        marked += is_marked;
        if (range->groups[group].words != words_due(range, group) ||
            is_marked != (range->groups[group].words != 0))
            return broken("BITMAP-8: marks say where free pages are", &range->groups[group]);
    }
    if (!set_holds(&range->marks, &members) || members != marked)
        return broken("BITMAP-8: marks say where free pages are", range->marks.bits[0]);
    return sound;
}

/** True when what a group says of late chunks can be. */
static bool group_may_be_late(const struct acre_bitmap_range *range, size_t group)
{
    const struct acre_bitmap_group *at = &range->groups[group];
    const uint64_t firsts = UINT64_C(0x0101010101010101);

    return at->late == (at->late & firsts) * 0xff &&
           (at->late == 0 || (at->words != 0 && acre_bitmap_set_has(&range->lates, group)));
}

static struct acre_check_result check_lates(
    const struct acre_bitmap *self, const struct acre_bitmap_range *range)
{
    size_t groups = acre_bitmap_groups(range);
    size_t members;
    size_t group;

    for (group = 0; group < groups; group++)
        if (!group_may_be_late(range, group))
            return broken("BITMAP-9: late chunks are known", &range->groups[group]);
    if (!set_holds(&range->lates, &members) || members != range->late_count ||
        range->late_count > self->late_limit || range->lates.size != groups)
        return broken("BITMAP-9: late chunks are known", range->lates.bits[0]);
    return sound;
}

/** True when a summary need not be what is below it. */
static bool excused(const struct acre_bitmap_range *range, unsigned level, size_t index)
{
    if (level == 0)
        return (range->groups[index / ACRE_BITMAP_FANOUT].late &
                   acre_bitmap_chunk_bits(index * ACRE_BITMAP_CHUNK_WORDS)) != 0;
    return level == 1 && acre_bitmap_set_has(&range->lates, index);
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

        if (excused(range, level, index) ||
            acre_bitmap_run_equal(stored, acre_bitmap_tree_compute(range, level, index)))
            continue;
        if (level == 0)
            return broken("BITMAP-5: a leaf is the summary of its chunk", &range->leaves[index]);
        if (level == 1)
            return broken("BITMAP-6: a node is the joint of its children", &range->groups[index]);
        return broken(
            "BITMAP-6: a node is the joint of its children", &range->nodes[level - 2][index]);
    }
    return sound;
}

static struct acre_check_result check_range(
    const struct acre_bitmap *self, const struct acre_bitmap_range *range)
{
    struct acre_check_result result = check_bits(range);
    size_t nodes = 0;
    unsigned level;

    if (result.invariant == NULL)
        result = check_lates(self, range);
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
        struct acre_check_result result = check_range(self, range);

        if (result.invariant != NULL)
            return result;
        if (range->next != NULL && range->next->first - range->first < range->pages)
            return broken("BITMAP-1: ranges ascend and do not overlap", range);
        used += range->pages - count_free(range);
        given += range->given_size + range->given_meta;
    }
    if (self->room > self->peak || used != self->peak - self->room)
        return broken("BITMAP-3: peak - room is the number of pages in use", self);
    if (given != self->given)
        return broken("BITMAP-7: the counts are the sums over the ranges", self);
    return check_hand(self);
}
