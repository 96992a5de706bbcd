/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Single pages: what the short paths of bitmap.c leave to be done.
 */
#include "bitmap/bitmap_private.h"

/** Makes a word with a free page the hand. Its chunk becomes late. */
static void hand_set(struct acre_bitmap *self, struct acre_bitmap_range *range, size_t word)
{
    size_t group = word / ACRE_BITMAP_WORD_BITS;

    acre_bitmap_late_enter(self, range, group);
    range->groups[group].late |= acre_bitmap_chunk_bits(word);
    self->hand = &range->words[word];
    self->hand_range = range;
    self->hand_at = (range->first + (word << ACRE_BITMAP_WORD_LOG2)) << self->page_shift;
    self->align_limit = (size_t)1 << self->page_shift;
}

void acre_bitmap_hand_drop(struct acre_bitmap *self)
{
    self->hand = NULL;
    self->hand_range = NULL;
    self->hand_at = 0;
    self->align_limit = 0;
}

bool acre_bitmap_hand_find(struct acre_bitmap *self)
{
    struct acre_bitmap_range *range;

    for (range = self->ranges; range != NULL; range = range->next) {
        size_t group = acre_bitmap_set_first(&range->marks);

        if (group != ACRE_BITMAP_NONE) {
            hand_set(self, range,
                group * ACRE_BITMAP_WORD_BITS +
                    acre_bitmap_word_lowest(range->groups[group].words));
            return true;
        }
    }
    acre_bitmap_hand_drop(self);
    return false;
}

void acre_bitmap_hand_on(struct acre_bitmap *self)
{
    struct acre_bitmap_range *range = self->hand_range;
    size_t word = (size_t)(self->hand - range->words);
    struct acre_bitmap_group *group = &range->groups[word / ACRE_BITMAP_WORD_BITS];
    size_t step;

    group->words &= group->words - 1;
    if (ACRE_UNLIKELY(group->words == 0)) {
        acre_bitmap_group_full(range, word / ACRE_BITMAP_WORD_BITS);
        acre_bitmap_hand_find(self);
        return;
    }
    step = acre_bitmap_word_lowest(group->words) - word % ACRE_BITMAP_WORD_BITS;
    group->late |= acre_bitmap_chunk_bits(word + step);
    self->hand += step;
    self->hand_at += (step << ACRE_BITMAP_WORD_LOG2) << self->page_shift;
}

void acre_bitmap_front_set(struct acre_bitmap *self, const struct acre_bitmap_range *range)
{
    self->front_start = range != NULL ? range->first << self->page_shift : 0;
    self->front_pages = range != NULL ? range->pages : 0;
    self->front_words = range != NULL ? range->words : NULL;
    self->front_groups = range != NULL ? range->groups : NULL;
}

/** Makes one page of a range free. A full group becomes late as a whole: what comes back to it next
 * then takes the short path, and an empty chunk is summed up by one test. */
static void give_in(struct acre_bitmap *self, struct acre_bitmap_range *range, size_t index)
{
    size_t word = index >> ACRE_BITMAP_WORD_LOG2;
    struct acre_bitmap_group *group = &range->groups[index >> ACRE_BITMAP_GROUP_LOG2];

    acre_bitmap_late_enter(self, range, index >> ACRE_BITMAP_GROUP_LOG2);
    group->late |= group->words == 0 ? ~(uint64_t)0 : acre_bitmap_chunk_bits(word);
    if (group->words == 0)
        acre_bitmap_set_add(&range->marks, index >> ACRE_BITMAP_GROUP_LOG2);
    group->words |= (uint64_t)1 << word % ACRE_BITMAP_WORD_BITS;
    range->words[word] |= (uint64_t)1 << index % ACRE_BITMAP_WORD_BITS;
    if (self->hand != NULL && (range->first + index) << self->page_shift < self->hand_at)
        hand_set(self, range, word);
}

enum acre_status acre_bitmap_hand_give(struct acre_bitmap *self, uintptr_t page)
{
    struct acre_bitmap_range *range = acre_bitmap_range_of(self, page);
    size_t index;

    if (range == NULL)
        return ACRE_NOT_ALLOCATED;
    index = (size_t)(page - range->first);
    if ((range->words[index >> ACRE_BITMAP_WORD_LOG2] >> index % ACRE_BITMAP_WORD_BITS & 1) != 0)
        return ACRE_NOT_ALLOCATED;
    give_in(self, range, index);
    acre_bitmap_front_set(self, range);
    self->room++;
    return ACRE_OK;
}
