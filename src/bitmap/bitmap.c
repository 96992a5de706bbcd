/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The verbs of pages and ids. See bitmap_private.h for the structure.
 */
#include "bitmap/bitmap_private.h"

static struct acre_num refuse(enum acre_status status)
{
    return (struct acre_num){ 0, status };
}

static struct acre_num out_of_memory(struct acre_bitmap *self)
{
    self->failed++;
    return refuse(ACRE_NO_MEMORY);
}

/** Books `count` pages from `page` on as handed out. */
static struct acre_num handed_out(struct acre_bitmap *self, uintptr_t page, size_t count)
{
    if (count > self->room) {
        self->peak += count - self->room;
        self->room = count;
    }
    self->room -= count;
    return (struct acre_num){ page << self->page_shift, ACRE_OK };
}

/** Takes the page at hand, also when it is the last of its word. */
static ACRE_NOINLINE struct acre_num take_at_hand(struct acre_bitmap *self)
{
    uint64_t word = *self->hand;
    uintptr_t page = (self->hand_at >> self->page_shift) + acre_bitmap_word_lowest(word);

    *self->hand = word & (word - 1);
    if (*self->hand == 0)
        acre_bitmap_hand_on(self);
    return handed_out(self, page, 1);
}

/** A run of pages; `align` is in pages. */
static ACRE_NOINLINE struct acre_num alloc_run(struct acre_bitmap *self, size_t count, size_t align)
{
    uintptr_t page = 0;
    bool found;

    found = self->next_fit && acre_bitmap_span_find(self, count, align, self->cursor, &page);
    if (!found && !acre_bitmap_span_find(self, count, align, 0, &page))
        return out_of_memory(self);
    acre_bitmap_span_set(self, page, count, false);
    self->cursor = page + count;
    return handed_out(self, page, count);
}

/** Whatever is not one page of any alignment with the hand in its place. */
static ACRE_NOINLINE struct acre_num alloc_other(
    struct acre_bitmap *self, size_t count, size_t align)
{
    if (count == 0 || !acre_is_pow2(align))
        return refuse(ACRE_INVALID_PARAM);
    align >>= self->page_shift;
    if (count != 1 || align > 1 || self->next_fit)
        return alloc_run(self, count, align != 0 ? align : 1);
    if (!acre_bitmap_hand_find(self))
        return out_of_memory(self);
    return take_at_hand(self);
}

struct acre_num acre_bitmap_alloc_pages(struct acre_bitmap *self, size_t count, size_t align)
{
    uintptr_t pos;
    uint64_t word;
    uint64_t rest;

    if (((count ^ 1) | (align & (align - 1))) != 0 || align - 1 >= self->align_limit)
        return alloc_other(self, count, align);
    word = *self->hand;
    rest = word & (word - 1);
    if (ACRE_UNLIKELY(rest == 0))
        return take_at_hand(self);
    *self->hand = rest;
    if (self->room-- == 0) {
        self->room = 0;
        self->peak++;
    }
    pos = self->hand_at + ((uintptr_t)acre_bitmap_word_lowest(word) << self->page_shift);
    return (struct acre_num){ pos, ACRE_OK };
}

struct acre_num acre_bitmap_alloc_pages_at(
    struct acre_bitmap *self, uintptr_t pos, size_t count, size_t align)
{
    size_t page_size = (size_t)1 << self->page_shift;
    uintptr_t page = pos >> self->page_shift;

    if (count == 0 || !acre_is_pow2(align) || ((page_size - 1) & pos) != 0 ||
        ((align - 1) & pos) != 0)
        return refuse(ACRE_INVALID_PARAM);
    if (!acre_bitmap_span_is(self, page, count, true))
        return out_of_memory(self);
    acre_bitmap_span_set(self, page, count, false);
    return handed_out(self, page, count);
}

/** Gives a run of pages back. */
static ACRE_NOINLINE enum acre_status dealloc_run(
    struct acre_bitmap *self, uintptr_t page, size_t count)
{
    if (!acre_bitmap_span_is(self, page, count, false))
        return ACRE_NOT_ALLOCATED;
    acre_bitmap_span_set(self, page, count, true);
    self->room += count;
    return ACRE_OK;
}

/** Whatever is not one page in use, above the hand, in a late chunk of the range in front. */
static ACRE_NOINLINE enum acre_status dealloc_other(
    struct acre_bitmap *self, uintptr_t pos, size_t count)
{
    uintptr_t page = pos >> self->page_shift;

    if (count == 0 || page << self->page_shift != pos)
        return ACRE_INVALID_PARAM;
    if (count == 1)
        return acre_bitmap_hand_give(self, page);
    return dealloc_run(self, page, count);
}

/** dealloc_other for a page of the range in front. */
static ACRE_NOINLINE enum acre_status dealloc_front(struct acre_bitmap *self, size_t index)
{
    return acre_bitmap_hand_give(self, (self->front_start >> self->page_shift) + index);
}

/** The number of the page at a distance in bytes; too large for any when that is no whole page. */
ACRE_INLINE size_t page_at(uintptr_t distance, unsigned page_shift)
{
    return distance >> page_shift |
           distance << ((0u - page_shift) & (unsigned)(sizeof distance * 8 - 1));
}

enum acre_status acre_bitmap_dealloc_pages(struct acre_bitmap *self, uintptr_t pos, size_t count)
{
    size_t index = page_at(pos - self->front_start, self->page_shift);
    size_t word_at = index >> ACRE_BITMAP_WORD_LOG2;
    struct acre_bitmap_group *group;
    uint64_t *word;

    if (ACRE_UNLIKELY(count != 1 || index >= self->front_pages || pos < self->hand_at))
        return dealloc_other(self, pos, count);
    word = &self->front_words[word_at];
    group = &self->front_groups[index >> ACRE_BITMAP_GROUP_LOG2];
    if (ACRE_UNLIKELY((*word >> index % ACRE_BITMAP_WORD_BITS & 1) != 0 ||
                      (group->late >> word_at % ACRE_BITMAP_WORD_BITS & 1) == 0))
        return dealloc_front(self, index);
    *word |= (uint64_t)1 << index % ACRE_BITMAP_WORD_BITS;
    group->words |= (uint64_t)1 << word_at % ACRE_BITMAP_WORD_BITS;
    self->room++;
    return ACRE_OK;
}

size_t acre_bitmap_page_size(const struct acre_bitmap *self)
{
    return (size_t)1 << self->page_shift;
}

bool acre_bitmap_is_allocated(const struct acre_bitmap *self, uintptr_t pos, size_t count)
{
    return count != 0 && acre_bitmap_span_is(self, pos >> self->page_shift, count, false);
}

struct acre_num acre_bitmap_alloc_id(struct acre_bitmap *self, size_t count, size_t align)
{
    return acre_bitmap_alloc_pages(self, count, align);
}

enum acre_status acre_bitmap_alloc_fixed_id(struct acre_bitmap *self, uintptr_t id)
{
    if (acre_bitmap_range_of(self, id) == NULL)
        return ACRE_INVALID_PARAM;
    return acre_bitmap_alloc_pages_at(self, id, 1, 1).status;
}

enum acre_status acre_bitmap_dealloc_id(struct acre_bitmap *self, uintptr_t start, size_t count)
{
    return acre_bitmap_dealloc_pages(self, start, count);
}

struct acre_stats acre_bitmap_stats(const struct acre_bitmap *self)
{
    const struct acre_bitmap_range *range;
    struct acre_stats stats = { 0 };
    size_t used = self->peak - self->room;
    size_t pages = 0;

    for (range = self->ranges; range != NULL; range = range->next)
        pages += range->pages;
    stats.total = self->given;
    stats.metadata = self->metadata;
    stats.used = used << self->page_shift;
    stats.available = (pages - used) << self->page_shift;
    stats.peak = self->peak << self->page_shift;
    stats.largest_free = acre_bitmap_span_longest(self) << self->page_shift;
    stats.live_blocks = used;
    stats.failed = self->failed;
    return stats;
}
