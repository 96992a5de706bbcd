/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The bitmap allocator in builds with a largest pool (ACRE_MAX_POOL): words of bits and nothing above
 * them. A search takes O(pages / 64 + free runs), and no run crosses from one range into another.
 */
#include "base/memory.h"
#include "bitmap/bitmap_private.h"

#if ACRE_MAX_POOL != 0

/* ---- layout ---- */

/** Bytes of a descriptor before the words. */
static size_t bitmap_small_descriptor(void)
{
    return acre_align_up(sizeof(struct acre_bitmap_range), sizeof(uint64_t));
}

size_t acre_bitmap_metadata_size(size_t pages)
{
    return bitmap_small_descriptor() + bitmap_set_words(pages) * sizeof(uint64_t);
}

bool acre_bitmap_has_sound_layout(const struct acre_bitmap_range *range)
{
    return (uintptr_t)range->words == (uintptr_t)range + bitmap_small_descriptor();
}

void acre_bitmap_tree_make(struct acre_bitmap_range *range)
{
    range->words = (uint64_t *)(void *)((char *)range + bitmap_small_descriptor());
    memset(range->words, 0, bitmap_words(range) * sizeof(uint64_t));
    acre_bitmap_words_fill(range->words, 0, range->pages, true);
}

void acre_bitmap_set_max_dirty(struct acre_bitmap *self, size_t groups)
{
    (void)self;
    (void)groups;
}

/* ---- runs ---- */

struct bitmap_run acre_bitmap_range_summary(const struct acre_bitmap_range *range)
{
    return acre_bitmap_words_summary(range->words, range->pages);
}

struct acre_bitmap_range *acre_bitmap_range_of(const struct acre_bitmap *self, uintptr_t page)
{
    struct acre_bitmap_range *range = bitmap_first_range(self);
    while (range != NULL && page - range->first >= range->pages)
        range = bitmap_next_range(range);
    return range;
}

bool acre_bitmap_span_is(const struct acre_bitmap *self, uintptr_t page, size_t count, bool free)
{
    const struct acre_bitmap_range *range = acre_bitmap_range_of(self, page);
    return range != NULL && count <= range->pages - (size_t)(page - range->first) &&
           acre_bitmap_words_are(range->words, (size_t)(page - range->first), count, free);
}

void acre_bitmap_span_set(struct acre_bitmap *self, uintptr_t page, size_t count, bool free)
{
    struct acre_bitmap_range *range = acre_bitmap_range_of(self, page);
    acre_bitmap_words_fill(range->words, (size_t)(page - range->first), count, free);
}

/** The lowest place in a range where the request fits, or BITMAP_NONE. */
static size_t bitmap_small_find(
    const struct acre_bitmap_range *range, const struct bitmap_want *want)
{
    for (size_t at = 0; at < range->pages;) {
        size_t length = acre_bitmap_words_above(range->words, at, range->pages);
        size_t found = bitmap_fit(want, at, at + length);
        if (found != BITMAP_NONE)
            return found;
        at += length + 1; /* that page is in use */
        uint64_t word = at < range->pages ? acre_shift_right(range->words[at >> BITMAP_WORD_LOG2],
                                                at % BITMAP_WORD_BITS)
                                          : 1;
        at += word != 0 ? bitmap_word_lowest(word) : BITMAP_WORD_BITS - at % BITMAP_WORD_BITS;
    }
    return BITMAP_NONE;
}

bool acre_bitmap_span_find(
    struct acre_bitmap *self, size_t count, size_t align, uintptr_t from, uintptr_t *page)
{
    const struct acre_bitmap_range *range = bitmap_first_range(self);
    for (; range != NULL; range = bitmap_next_range(range)) {
        size_t index = from > range->first ? (size_t)(from - range->first) : 0;
        struct bitmap_want want = { count, align, range->first, index };
        size_t found = bitmap_small_find(range, &want);
        *page = range->first + found;
        if (found != BITMAP_NONE)
            return true;
    }
    return false;
}

/** The place in a range that meets a request with conditions, or BITMAP_NONE. */
static size_t bitmap_small_find_within(
    const struct acre_bitmap_range *range, const struct bitmap_request *request)
{
    uintptr_t first = range->first;
    struct bitmap_limits limits = { request->count, request->align, request->phase,
        request->boundary, first, 0, range->pages, request->top_down };
    if (request->last < first || request->lowest > first + (range->pages - 1))
        return BITMAP_NONE;
    if (request->lowest > first)
        limits.from = request->lowest - first;
    if (request->last - first < limits.to)
        limits.to = request->last - first + 1;
    return limits.to < limits.from + request->count
               ? BITMAP_NONE
               : acre_bitmap_words_find_within(range->words, range->pages, 0, &limits);
}

bool acre_bitmap_span_find_within(
    struct acre_bitmap *self, const struct bitmap_request *request, uintptr_t *page)
{
    const struct acre_bitmap_range *range =
        request->top_down ? bitmap_last_range(self) : bitmap_first_range(self);
    while (range != NULL) {
        size_t found = bitmap_small_find_within(range, request);
        *page = range->first + found;
        if (found != BITMAP_NONE)
            return true;
        range = request->top_down ? bitmap_previous_range(range) : bitmap_next_range(range);
    }
    return false;
}

size_t acre_bitmap_span_longest(const struct acre_bitmap *self)
{
    const struct acre_bitmap_range *range = bitmap_first_range(self);
    size_t longest = 0;
    for (; range != NULL; range = bitmap_next_range(range)) {
        size_t run = acre_bitmap_range_summary(range).longest;
        longest = run > longest ? run : longest;
    }
    return longest;
}

/* ---- the verbs ---- */

struct acre_num acre_bitmap_alloc_pages(struct acre_bitmap *self, size_t count, size_t align)
{
    uintptr_t page = 0;
    if (count == 0 || !acre_is_pow2(align))
        return bitmap_refuse(ACRE_INVALID_PARAM);
    align >>= bitmap_page_shift(self);
    align += align == 0;
    bool found = self->next_fit && acre_bitmap_span_find(self, count, align, self->cursor, &page);
    if (!found && !acre_bitmap_span_find(self, count, align, 0, &page))
        return bitmap_no_memory(self);
    acre_bitmap_span_set(self, page, count, false);
    self->cursor = page + count;
    return bitmap_count_used(self, page, count);
}

enum acre_status acre_bitmap_dealloc_pages(struct acre_bitmap *self, uintptr_t pos, size_t count)
{
    unsigned shift = bitmap_page_shift(self);
    uintptr_t page = pos >> shift;
    if (count == 0 || page << shift != pos)
        return ACRE_INVALID_PARAM;
    if (!acre_bitmap_span_is(self, page, count, false))
        return ACRE_NOT_ALLOCATED;
    acre_bitmap_span_set(self, page, count, true);
    self->headroom += count;
    return ACRE_OK;
}

#endif
