/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The search hint for single pages: the slow paths of bitmap.c.
 */
#include "bitmap/bitmap_private.h"

#if ACRE_MAX_POOL == 0

/** Makes a word with a free page the hint. Its chunk becomes dirty. */
static void bitmap_set_hint(struct acre_bitmap *self, struct acre_bitmap_range *range, size_t word)
{
    size_t group = word / BITMAP_WORD_BITS;
    ACRE_ASSERT(range->words[word] != 0); /* BITMAP-4 */
    acre_bitmap_dirty_add(self, range, group);
    range->groups[group].dirty |= bitmap_chunk_bits(word);
    self->hint = &range->words[word];
    self->hint_range = range;
    self->hint_at = (range->first + (word << BITMAP_WORD_LOG2)) << self->page_shift;
    self->free_from = self->hint_at;
    self->align_limit = (size_t)1 << self->page_shift;
}

/** Sets the hint from a range on, below which no page is free; false when none is. */
static bool bitmap_find_hint_from(struct acre_bitmap *self, struct acre_bitmap_range *range)
{
    for (; range != NULL; range = bitmap_next_range(range)) {
        size_t group = acre_bitmap_set_first(&range->free_groups);
        if (group != BITMAP_NONE) {
            bitmap_set_hint(self, range,
                group * BITMAP_WORD_BITS + bitmap_word_lowest(range->groups[group].free_words));
            return true;
        }
    }
    bitmap_clear_hint(self);
    return false;
}

bool acre_bitmap_find_hint(struct acre_bitmap *self)
{
    return bitmap_find_hint_from(self, bitmap_first_range(self));
}

/** Pages that are free. */
static size_t bitmap_free_pages(const struct acre_bitmap *self)
{
    size_t pages = (self->regions.total - self->metadata) >> self->page_shift;
    return pages - (self->peak - self->headroom);
}

void acre_bitmap_advance_hint(struct acre_bitmap *self)
{
    struct acre_bitmap_range *range = self->hint_range;
    size_t word = (size_t)(self->hint - range->words);
    struct acre_bitmap_group *group = &range->groups[word / BITMAP_WORD_BITS];
    ACRE_ASSERT(bitmap_word_lowest(group->free_words) == word % BITMAP_WORD_BITS); /* BITMAP-4 */
    group->free_words &= group->free_words - 1;
    if (ACRE_UNLIKELY(group->free_words == 0)) {
        acre_bitmap_leave_group(self, range, word / BITMAP_WORD_BITS);
        bitmap_clear_hint(self);
        if (bitmap_free_pages(self) != 1)
            bitmap_find_hint_from(self, range);
        return;
    }
    size_t step = bitmap_word_lowest(group->free_words) - word % BITMAP_WORD_BITS;
    group->dirty |= bitmap_chunk_bits(word + step);
    self->hint += step;
    self->hint_at += (step << BITMAP_WORD_LOG2) << self->page_shift;
    self->free_from = self->hint_at;
    ACRE_ASSERT(*self->hint != 0); /* BITMAP-4, BITMAP-8 */
}

/** Frees one page of a range. */
static void bitmap_free_index(
    struct acre_bitmap *self, struct acre_bitmap_range *range, size_t index)
{
    size_t word = index >> BITMAP_WORD_LOG2;
    uintptr_t pos = (range->first + index) << self->page_shift;
    if (pos >= self->free_from && acre_bitmap_free_clean(self, range, index))
        return;
    bitmap_list_any(self);
    acre_bitmap_list_word(self, range, word);
    range->words[word] |= acre_wide_bit(index);
    bool is_lowest =
        self->hint != NULL ? pos < self->hint_at : !self->next_fit && bitmap_free_pages(self) == 0;
    if (is_lowest)
        bitmap_set_hint(self, range, word);
}

enum acre_status acre_bitmap_free_page(struct acre_bitmap *self, uintptr_t page)
{
    struct acre_bitmap_range *range = acre_bitmap_range_of(self, page);
    if (range == NULL)
        return ACRE_NOT_ALLOCATED;
    size_t index = (size_t)(page - range->first);
    if (acre_wide_has(range->words[index >> BITMAP_WORD_LOG2], index))
        return ACRE_NOT_ALLOCATED;
    bitmap_free_index(self, range, index);
    bitmap_cache_range(self, range);
    self->headroom++;
    ACRE_ASSERT(self->headroom <= self->peak); /* BITMAP-3 */
    return ACRE_OK;
}

#endif
