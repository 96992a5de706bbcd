/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The verbs of pages and ids apart from the hot paths.
 */
#include "base/limits.h"
#include "bitmap/bitmap_private.h"

/* ---- alloc at a place ---- */

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
