/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The verbs of pages and ids. See bitmap_private.h for the structure.
 */
#include "bitmap/single.h"

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
    self->used += count;
    if (self->used > self->peak)
        self->peak = self->used;
    return (struct acre_num){ page << self->page_shift, ACRE_OK };
}

/** One page of any alignment, when the lowest range has none. O(ranges). */
static ACRE_NOINLINE struct acre_num alloc_single_above(struct acre_bitmap *self)
{
    struct acre_bitmap_range *range;

    for (range = self->ranges; range != NULL; range = range->next)
        if (range->free != 0)
            return handed_out(self, range->first + acre_bitmap_single_take(range), 1);
    return out_of_memory(self);
}

/** One page of any alignment, the lowest. */
ACRE_INLINE struct acre_num alloc_single(struct acre_bitmap *self)
{
    struct acre_bitmap_range *range = self->ranges;

    if (ACRE_UNLIKELY(range == NULL || range->free == 0))
        return alloc_single_above(self);
    return handed_out(self, range->first + acre_bitmap_single_take(range), 1);
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

struct acre_num acre_bitmap_alloc_pages(struct acre_bitmap *self, size_t count, size_t align)
{
    if (ACRE_UNLIKELY(count == 0 || align == 0 || (align & (align - 1)) != 0))
        return refuse(ACRE_INVALID_PARAM);
    align >>= self->page_shift;
    if (count == 1 && align <= 1 && !self->next_fit)
        return alloc_single(self);
    return alloc_run(self, count, align != 0 ? align : 1);
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

/** Gives one page back to a range that is not the lowest. O(ranges). */
static ACRE_NOINLINE enum acre_status dealloc_single_above(struct acre_bitmap *self, uintptr_t page)
{
    struct acre_bitmap_range *range = acre_bitmap_range_of(self, page);
    enum acre_status status = ACRE_NOT_ALLOCATED;

    if (range != NULL)
        status = acre_bitmap_single_give(range, (size_t)(page - range->first));
    self->used -= status == ACRE_OK;
    return status;
}

/** Gives one page back. */
ACRE_INLINE enum acre_status dealloc_single(struct acre_bitmap *self, uintptr_t page)
{
    struct acre_bitmap_range *range = self->ranges;
    enum acre_status status;

    if (ACRE_UNLIKELY(range == NULL || page - range->first >= range->pages))
        return dealloc_single_above(self, page);
    status = acre_bitmap_single_give(range, (size_t)(page - range->first));
    self->used -= status == ACRE_OK;
    return status;
}

/** Gives a run of pages back. */
static ACRE_NOINLINE enum acre_status dealloc_run(
    struct acre_bitmap *self, uintptr_t page, size_t count)
{
    if (!acre_bitmap_span_is(self, page, count, false))
        return ACRE_NOT_ALLOCATED;
    acre_bitmap_span_set(self, page, count, true);
    self->used -= count;
    return ACRE_OK;
}

enum acre_status acre_bitmap_dealloc_pages(struct acre_bitmap *self, uintptr_t pos, size_t count)
{
    uintptr_t page = pos >> self->page_shift;

    if (ACRE_UNLIKELY(count == 0 || page << self->page_shift != pos))
        return ACRE_INVALID_PARAM;
    if (count == 1)
        return dealloc_single(self, page);
    return dealloc_run(self, page, count);
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
    size_t free = 0;

    for (range = self->ranges; range != NULL; range = range->next)
        free += range->free;
    stats.total = self->given;
    stats.metadata = self->metadata;
    stats.used = self->used << self->page_shift;
    stats.available = free << self->page_shift;
    stats.peak = self->peak << self->page_shift;
    stats.largest_free = acre_bitmap_span_longest(self) << self->page_shift;
    stats.live_blocks = self->used;
    stats.failed = self->failed;
    return stats;
}
