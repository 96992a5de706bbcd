/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The verbs of pages and ids; see bitmap_private.h for the structure.
 */
#include "base/limits.h"
#include "bitmap/bitmap_private.h"

static struct acre_num bitmap_refuse(enum acre_status status)
{
    return (struct acre_num){ 0, status };
}

static struct acre_num bitmap_no_memory(struct acre_bitmap *self)
{
    self->failed++;
    return bitmap_refuse(ACRE_NO_MEMORY);
}

/** Counts `count` pages from `page` on as in use. */
static struct acre_num bitmap_count_used(struct acre_bitmap *self, uintptr_t page, size_t count)
{
    if (count > self->headroom) {
        self->peak += count - self->headroom;
        self->headroom = count;
    }
    self->headroom -= count;
    ACRE_ASSERT(self->headroom < self->peak); /* BITMAP-3 */
    return (struct acre_num){ page << self->page_shift, ACRE_OK };
}

/* ---- alloc ---- */

/** Ends the use of the hint's word, whose last page was taken. */
ACRE_INLINE void bitmap_leave_word(struct acre_bitmap *self)
{
    if (self->next_hint == NULL) {
        acre_bitmap_advance_hint(self);
        return;
    }
    self->hint = self->next_hint;
    self->hint_at = self->free_from;
    self->next_hint = NULL;
    ACRE_ASSERT(*self->hint != 0); /* BITMAP-4 */
}

/** Takes the lowest page of the hint, also when it is the last one of its word. */
static ACRE_NOINLINE struct acre_num bitmap_alloc_from_hint(struct acre_bitmap *self)
{
    uint64_t word = *self->hint;
    ACRE_ASSERT(word != 0); /* BITMAP-4 */
    uintptr_t page = (self->hint_at >> self->page_shift) + bitmap_word_lowest(word);
    *self->hint = word & (word - 1);
    if (*self->hint == 0)
        bitmap_leave_word(self);
    return bitmap_count_used(self, page, 1);
}

/** A run of pages; `align` is in pages. */
static ACRE_NOINLINE struct acre_num bitmap_alloc_run(
    struct acre_bitmap *self, size_t count, size_t align)
{
    uintptr_t page = 0;
    bitmap_list_any(self);
    bool found = self->next_fit && acre_bitmap_span_find(self, count, align, self->cursor, &page);
    if (!found && !acre_bitmap_span_find(self, count, align, 0, &page))
        return bitmap_no_memory(self);
    acre_bitmap_span_set(self, page, count, false);
    self->cursor = page + count;
    return bitmap_count_used(self, page, count);
}

/** Anything but one page of any alignment while there is a hint. */
static ACRE_NOINLINE struct acre_num bitmap_alloc_slow(
    struct acre_bitmap *self, size_t count, size_t align)
{
    if (count == 0 || !acre_is_pow2(align))
        return bitmap_refuse(ACRE_INVALID_PARAM);
    align >>= bitmap_page_shift(self);
    if (count != 1 || align > 1 || self->next_fit)
        return bitmap_alloc_run(self, count, align != 0 ? align : 1);
    if (!acre_bitmap_find_hint(self))
        return bitmap_no_memory(self);
    return bitmap_alloc_from_hint(self);
}

struct acre_num acre_bitmap_alloc_pages(struct acre_bitmap *self, size_t count, size_t align)
{
    if (((count ^ 1) | (align & (align - 1))) != 0 || align - 1 >= self->align_limit)
        return bitmap_alloc_slow(self, count, align);
    uint64_t word = *self->hint;
    uint64_t rest = word & (word - 1);
    if (ACRE_UNLIKELY(rest == 0))
        return bitmap_alloc_from_hint(self);
    *self->hint = rest;
    if (self->headroom-- == 0) {
        self->headroom = 0;
        self->peak++;
    }
    uintptr_t pos = self->hint_at + ((uintptr_t)bitmap_word_lowest(word) << self->page_shift);
    return (struct acre_num){ pos, ACRE_OK };
}

struct acre_num acre_bitmap_alloc_pages_at(
    struct acre_bitmap *self, uintptr_t pos, size_t count, size_t align)
{
    unsigned shift = bitmap_page_shift(self);
    uintptr_t page = pos >> shift;
    if (count == 0 || !acre_is_pow2(align) || page << shift != pos || ((align - 1) & pos) != 0)
        return bitmap_refuse(ACRE_INVALID_PARAM);
    if (!acre_bitmap_span_is(self, page, count, true))
        return bitmap_no_memory(self);
    bitmap_list_any(self);
    acre_bitmap_span_set(self, page, count, false);
    return bitmap_count_used(self, page, count);
}

/* ---- alloc with conditions ---- */

/** The request by page number. False when its conditions contradict one another. */
static bool bitmap_make_request(
    struct bitmap_request *request, const struct acre_run_limits *limits, unsigned shift)
{
    size_t rest = ((size_t)1 << shift) - 1;
    uintptr_t highest = limits->highest != 0 ? limits->highest : UINTPTR_MAX;
    request->align = limits->align >> shift != 0 ? limits->align >> shift : 1;
    request->phase = limits->phase >> shift;
    request->boundary = limits->boundary >> shift;
    request->lowest = (limits->lowest >> shift) + ((limits->lowest & rest) != 0);
    request->last = (highest >> shift) - ((highest & rest) != rest);
    request->top_down = limits->top_down;
    return (highest >= rest && request->last >= request->lowest) &&
           (request->boundary == 0 ||
               request->count <= request->boundary - (request->phase & (request->boundary - 1)));
}

struct acre_num acre_bitmap_alloc_pages_within(
    struct acre_bitmap *self, size_t count, const struct acre_run_limits *limits)
{
    unsigned shift = bitmap_page_shift(self);
    struct bitmap_request request = { .count = count };
    uintptr_t page = 0;
    if (count == 0 || !acre_limits_are_valid(limits, (size_t)1 << shift))
        return bitmap_refuse(ACRE_INVALID_PARAM);
    if (!bitmap_make_request(&request, limits, shift))
        return bitmap_no_memory(self);
    bitmap_list_any(self);
    if (!acre_bitmap_span_find_within(self, &request, &page))
        return bitmap_no_memory(self);
    acre_bitmap_span_set(self, page, count, false);
    self->cursor = page + count;
    return bitmap_count_used(self, page, count);
}

/* ---- dealloc ---- */

/** Frees a run of pages. */
static ACRE_NOINLINE enum acre_status bitmap_dealloc_run(
    struct acre_bitmap *self, uintptr_t page, size_t count)
{
    if (!acre_bitmap_span_is(self, page, count, false))
        return ACRE_NOT_ALLOCATED;
    bitmap_list_any(self);
    acre_bitmap_span_set(self, page, count, true);
    self->headroom += count;
    ACRE_ASSERT(self->headroom <= self->peak); /* BITMAP-3 */
    return ACRE_OK;
}

/** Anything but one page in use that lies above the hint, in a dirty chunk of the cached range. */
static ACRE_NOINLINE enum acre_status bitmap_dealloc_slow(
    struct acre_bitmap *self, uintptr_t pos, size_t count)
{
    unsigned shift = bitmap_page_shift(self);
    uintptr_t page = pos >> shift;
    if (count == 0 || page << shift != pos)
        return ACRE_INVALID_PARAM;
    if (count == 1)
        return acre_bitmap_free_page(self, page);
    return bitmap_dealloc_run(self, page, count);
}

/** bitmap_dealloc_slow for a page of the cached range. */
static ACRE_NOINLINE enum acre_status bitmap_dealloc_cached(struct acre_bitmap *self, size_t index)
{
    return acre_bitmap_free_page(self, (self->cached_start >> self->page_shift) + index);
}

/**
 * A page of the cached range below the hint: it becomes the unlisted page if it is alone in its
 * word, has used pages on both sides, and there is no unlisted page yet.
 */
static ACRE_NOINLINE enum acre_status bitmap_dealloc_below(struct acre_bitmap *self, size_t index)
{
    uint64_t *word = &self->cached_words[index >> BITMAP_WORD_LOG2];
    uintptr_t pos = self->cached_start + (index << self->page_shift);
    if (*word != 0 || self->next_hint != NULL || index == 0 ||
        pos + ((uintptr_t)1 << self->page_shift) == self->hint_at ||
        self->hint_range->words != self->cached_words)
        return bitmap_dealloc_cached(self, index);
    *word = acre_wide_bit(index);
    self->next_hint = self->hint;
    self->hint = word;
    self->hint_at =
        self->cached_start + ((index & ~(size_t)(BITMAP_WORD_BITS - 1)) << self->page_shift);
    self->headroom++;
    return ACRE_OK;
}

/** The index of the page at a distance in bytes; larger than any when that is no whole page. */
ACRE_INLINE size_t bitmap_page_at(uintptr_t distance, unsigned page_shift)
{
    return distance >> page_shift |
           distance << ((0u - page_shift) & (unsigned)(sizeof distance * 8 - 1));
}

enum acre_status acre_bitmap_dealloc_pages(struct acre_bitmap *self, uintptr_t pos, size_t count)
{
    size_t index = bitmap_page_at(pos - self->cached_start, self->page_shift);
    size_t word_at = index >> BITMAP_WORD_LOG2;
    if (ACRE_UNLIKELY(count != 1 || index >= self->cached_pages))
        return bitmap_dealloc_slow(self, pos, count);
    if (pos < self->free_from)
        return bitmap_dealloc_below(self, index);
    uint64_t *word = &self->cached_words[word_at];
    struct acre_bitmap_group *group = &self->cached_groups[index >> BITMAP_GROUP_LOG2];
    if (ACRE_UNLIKELY(acre_wide_has(*word, index) || !acre_wide_has(group->dirty, word_at)))
        return bitmap_dealloc_cached(self, index);
    ACRE_ASSERT(group->free_words != 0); /* BITMAP-9 */
    *word |= acre_wide_bit(index);
    group->free_words |= acre_wide_bit(word_at);
    self->headroom++;
    return ACRE_OK;
}

/* ---- what can be asked ---- */

size_t acre_bitmap_page_size(const struct acre_bitmap *self)
{
    return (size_t)1 << bitmap_page_shift(self);
}

bool acre_bitmap_is_allocated(const struct acre_bitmap *self, uintptr_t pos, size_t count)
{
    return count != 0 && acre_bitmap_span_is(self, pos >> bitmap_page_shift(self), count, false);
}

void acre_bitmap_reset_peak(struct acre_bitmap *self)
{
    self->peak -= self->headroom;
    self->headroom = 0;
}

struct acre_stats acre_bitmap_stats(const struct acre_bitmap *self)
{
    size_t used = self->peak - self->headroom;
    size_t available = self->regions.total - self->metadata - (used << self->page_shift);
    return (struct acre_stats){
        .total = self->regions.total,
        .metadata = self->metadata,
        .used = used << self->page_shift,
        .available = available,
        .peak = self->peak << self->page_shift,
        .largest_free = acre_bitmap_span_longest(self) << self->page_shift,
        .live_blocks = used,
        .failed = self->failed,
    };
}

/* ---- ids ---- */

struct acre_num acre_bitmap_alloc_id(struct acre_bitmap *self, size_t count, size_t align)
{
    return acre_bitmap_alloc_pages(self, count, align);
}

struct acre_num acre_bitmap_alloc_id_within(
    struct acre_bitmap *self, size_t count, const struct acre_run_limits *limits)
{
    return acre_bitmap_alloc_pages_within(self, count, limits);
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
