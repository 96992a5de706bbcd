/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Chunks whose summaries are behind their words: entering them, and bringing them up to date.
 */
#include "bitmap/bitmap_private.h"

/** Takes a group from among the late ones. */
static void leave(struct acre_bitmap_range *range, size_t group)
{
    acre_bitmap_set_remove(&range->lates, group);
    range->late_count--;
}

/** Brings one late group up to date. The hand must lie in a late chunk, so it leaves this one. */
static void repair(struct acre_bitmap *self, struct acre_bitmap_range *range, size_t group)
{
    if (self->hand_range == range &&
        (size_t)(self->hand - range->words) / ACRE_BITMAP_WORD_BITS == group)
        acre_bitmap_hand_drop(self);
    leave(range, group);
    acre_bitmap_tree_refresh(range, group);
    acre_bitmap_tree_put_up(range, group);
}

/** Brings one late group up to date, each in turn. */
static void repair_next(struct acre_bitmap *self, struct acre_bitmap_range *range)
{
    size_t group = acre_bitmap_set_next(&range->lates, range->late_next);

    if (group == ACRE_BITMAP_NONE)
        group = acre_bitmap_set_first(&range->lates);
    repair(self, range, group);
    range->late_next = group + 1;
}

void acre_bitmap_late_enter(struct acre_bitmap *self, struct acre_bitmap_range *range, size_t group)
{
    if (acre_bitmap_set_has(&range->lates, group))
        return;
    if (range->late_count >= self->late_limit)
        repair_next(self, range);
    acre_bitmap_set_add(&range->lates, group);
    range->late_count++;
}

void acre_bitmap_late_settle(struct acre_bitmap *self, struct acre_bitmap_range *range, size_t most)
{
    while (range->late_count > most)
        repair(self, range, acre_bitmap_set_first(&range->lates));
}

void acre_bitmap_group_full(struct acre_bitmap_range *range, size_t group)
{
    size_t chunk = group * ACRE_BITMAP_FANOUT;
    size_t end = chunk + ACRE_BITMAP_FANOUT;
    size_t chunks = acre_bitmap_chunks(range->pages);

    acre_bitmap_set_remove(&range->marks, group);
    range->groups[group].late = 0;
    if (range->groups[group].run == 0)
        leave(range, group);
    for (; chunk < end && chunk < chunks; chunk++)
        range->leaves[chunk] = 0;
}

/** Brings a chunk's leaf, which is exact but for that, up to date with the pages [low, high) of it
 * having been made free. */
static void leaf_freed(struct acre_bitmap_range *range, size_t chunk, size_t low, size_t high)
{
    size_t start = chunk << ACRE_BITMAP_CHUNK_LOG2;
    size_t end = start + acre_bitmap_tree_width(range, 0, chunk);
    struct acre_bitmap_run leaf = acre_bitmap_leaf_unpack(range->leaves[chunk]);

    low -= acre_bitmap_words_below(range->words, low, start);
    high += acre_bitmap_words_above(range->words, high, end);
    if (low == start)
        leaf.start = high - low;
    if (high == end)
        leaf.end = high - low;
    if (high - low > leaf.longest)
        leaf.longest = high - low;
    range->leaves[chunk] = acre_bitmap_leaf_pack(leaf);
}

/** Sets the leaves of the chunks over [index, index + count), all in one group: exact where pages
 * were made free or a chunk is covered, late where some of its pages are now used. */
static void set_leaves(struct acre_bitmap_range *range, size_t index, size_t count, bool free)
{
    size_t end = index + count;
    struct acre_bitmap_group *group = &range->groups[index >> ACRE_BITMAP_GROUP_LOG2];
    size_t chunk = index >> ACRE_BITMAP_CHUNK_LOG2;
    size_t start = chunk << ACRE_BITMAP_CHUNK_LOG2;

    for (; start < end; start += ACRE_BITMAP_CHUNK_PAGES, chunk++) {
        uint64_t bits = acre_bitmap_chunk_bits(start / ACRE_BITMAP_WORD_BITS);
        size_t low = start > index ? start : index;
        size_t width = acre_bitmap_tree_width(range, 0, chunk);
        size_t high = end - start < width ? end : start + width;

        if (high - low == width) {
            group->late &= ~bits;
            range->leaves[chunk] = acre_bitmap_leaf_pack(acre_bitmap_run_free(free ? width : 0));
        } else if (!free) {
            group->late |= bits;
        } else if ((group->late & bits) == 0) {
            leaf_freed(range, chunk, low, high);
        }
    }
}

/** late_set for what lies in one group. */
static void set_in_group(struct acre_bitmap *self, struct acre_bitmap_range *range, size_t index,
    size_t count, bool free)
{
    size_t at = index >> ACRE_BITMAP_GROUP_LOG2;
    struct acre_bitmap_group *group = &range->groups[at];
    size_t low = index >> ACRE_BITMAP_WORD_LOG2;
    size_t high = (index + count - 1) >> ACRE_BITMAP_WORD_LOG2;
    uint64_t mask = acre_bitmap_word_mask(high - low + 1) << low % ACRE_BITMAP_WORD_BITS;

    acre_bitmap_late_enter(self, range, at);
    if (free) {
        if (group->words == 0)
            acre_bitmap_set_add(&range->marks, at);
        group->words |= mask;
    } else {
        group->words &= ~mask;
        group->words |= (uint64_t)(range->words[low] != 0) << low % ACRE_BITMAP_WORD_BITS;
        group->words |= (uint64_t)(range->words[high] != 0) << high % ACRE_BITMAP_WORD_BITS;
    }
    set_leaves(range, index, count, free);
    if (group->words == 0)
        acre_bitmap_group_full(range, at);
}

void acre_bitmap_late_set(struct acre_bitmap *self, struct acre_bitmap_range *range, size_t index,
    size_t count, bool free)
{
    size_t room = ACRE_BITMAP_GROUP_PAGES - index % ACRE_BITMAP_GROUP_PAGES;
    size_t part = count < room ? count : room;

    set_in_group(self, range, index, part, free);
    if (part != count)
        set_in_group(self, range, index + part, count - part, free);
}
