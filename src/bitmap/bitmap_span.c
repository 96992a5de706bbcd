/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Runs of pages over all ranges: where ranges adjoin, a run may cross from one into the next.
 */
#include "bitmap/bitmap_private.h"

#if ACRE_MAX_POOL == 0

/** acre_bitmap_range_of, by the index. */
static ACRE_NOINLINE struct acre_bitmap_range *bitmap_find_range(
    const struct acre_bitmap *self, uintptr_t page)
{
    uintptr_t pos = page << bitmap_page_shift(self);
    struct acre_bitmap_range *range =
        (struct acre_bitmap_range *)acre_regions_find(&self->regions, pos);
    return range != NULL && page - range->first < range->pages ? range : NULL;
}

struct acre_bitmap_range *acre_bitmap_range_of(const struct acre_bitmap *self, uintptr_t page)
{
    struct acre_bitmap_range *range = bitmap_first_range(self);
    if (range == NULL || page - range->first < range->pages)
        return range; /* there is mostly one */
    return bitmap_find_range(self, page);
}

/** How many of `count` pages from `page` on, which lies in the range, lie in it. */
static size_t bitmap_part_in(const struct acre_bitmap_range *range, uintptr_t page, size_t count)
{
    size_t room = range->pages - (size_t)(page - range->first);
    return count < room ? count : room;
}

bool acre_bitmap_span_is(const struct acre_bitmap *self, uintptr_t page, size_t count, bool free)
{
    const struct acre_bitmap_range *range = acre_bitmap_range_of(self, page);
    while (range != NULL) {
        size_t part = bitmap_part_in(range, page, count);
        if (!acre_bitmap_words_are(range->words, (size_t)(page - range->first), part, free))
            return false;
        if (part == count)
            return true;
        range = bitmap_adjoins(range) ? bitmap_next_range(range) : NULL;
        page += part;
        count -= part;
    }
    return false;
}

/** True when pages lie in more groups than acre_bitmap_dirty_update takes. */
static bool bitmap_is_wide(size_t index, size_t count)
{
    return (index + count - 1) / BITMAP_GROUP_PAGES - index / BITMAP_GROUP_PAGES > 1;
}

/** Makes pages of one range free or used. */
static void bitmap_set_pages(struct acre_bitmap *self, struct acre_bitmap_range *range,
    size_t index, size_t count, bool free)
{
    ACRE_ASSERT(acre_bitmap_words_are(range->words, index, count, !free));
    if (bitmap_is_wide(index, count)) {
        acre_bitmap_flush(self, range, 0);
        acre_bitmap_words_fill(range->words, index, count, free);
        acre_bitmap_tree_update(range, index, count, free);
    } else {
        acre_bitmap_words_fill(range->words, index, count, free);
        acre_bitmap_dirty_update(self, range, index, count, free);
    }
}

void acre_bitmap_span_set(struct acre_bitmap *self, uintptr_t page, size_t count, bool free)
{
    struct acre_bitmap_range *range = acre_bitmap_range_of(self, page);
    bitmap_clear_hint(self);
    while (count != 0) {
        size_t part = bitmap_part_in(range, page, count);
        bitmap_set_pages(self, range, (size_t)(page - range->first), part, free);
        range = bitmap_next_range(range);
        page += part;
        count -= part;
    }
}

/** What a search in one range wants, from the page number `from` on. */
static struct bitmap_want bitmap_want_in(
    const struct acre_bitmap_range *range, size_t count, size_t align, uintptr_t from)
{
    size_t index = from > range->first ? (size_t)(from - range->first) : 0;
    return (struct bitmap_want){ count, align, range->first, index };
}

/**
 * The run that begins in the ranges below, `open` pages long, and ends `run_start` pages into
 * `range`. True with its page number when the request fits there.
 */
static bool bitmap_fits_across(const struct acre_bitmap_range *range, size_t open, size_t run_start,
    struct bitmap_want want, uintptr_t from, uintptr_t *page)
{
    want.first = range->first - open;
    want.from = from > want.first ? (size_t)(from - want.first) : 0;
    size_t found = bitmap_fit(&want, 0, open + run_start);
    if (found == BITMAP_NONE)
        return false;
    *page = want.first + found;
    return true;
}

/** Free pages that end where the range above begins; `open` of them end where this one begins. */
static size_t bitmap_open_after(
    const struct acre_bitmap_range *range, struct bitmap_run root, size_t open)
{
    if (!bitmap_adjoins(range))
        return 0;
    return root.end == range->pages ? open + root.end : root.end;
}

bool acre_bitmap_span_find(
    struct acre_bitmap *self, size_t count, size_t align, uintptr_t from, uintptr_t *page)
{
    struct acre_bitmap_range *range = bitmap_first_range(self);
    size_t open = 0; /* free pages that end where `range` begins */
    for (; range != NULL; range = bitmap_next_range(range)) {
        struct bitmap_want want = bitmap_want_in(range, count, align, from);
        acre_bitmap_flush(self, range, 0);
        struct bitmap_run root = acre_bitmap_tree_get(range, range->top, 0);
        if (open != 0 && bitmap_fits_across(range, open, root.start, want, from, page))
            return true;
        size_t found = root.longest >= count && want.from < range->pages
                           ? acre_bitmap_tree_find(range, &want)
                           : BITMAP_NONE;
        if (found != BITMAP_NONE) {
            *page = range->first + found;
            return true;
        }
        open = bitmap_open_after(range, root, open);
    }
    return false;
}

/* ---- with conditions ---- */

/** The limits of a search in `pages` pages, at least 1, from the page number `first` on; their
 * `to` is 0 when no page of them is within the limits. */
static struct bitmap_limits bitmap_limits_in(
    const struct bitmap_request *request, uintptr_t first, size_t pages)
{
    struct bitmap_limits limits = { request->count, request->align, request->phase,
        request->boundary, first, 0, 0, request->top_down };
    if (request->last < first || (request->lowest > first && request->lowest - first >= pages))
        return limits;
    limits.from = request->lowest > first ? request->lowest - first : 0;
    limits.to = request->last - first < pages ? request->last - first + 1 : pages;
    return limits;
}

/** True, with its page number, when the request fits in `pages` free pages. */
static bool bitmap_fits_in(
    const struct bitmap_request *request, uintptr_t first, size_t pages, uintptr_t *page)
{
    if (pages < request->count)
        return false;
    struct bitmap_limits limits = bitmap_limits_in(request, first, pages);
    size_t found = acre_bitmap_fit_within(&limits, 0, pages);
    *page = first + found;
    return found != BITMAP_NONE;
}

/** The same among all pages of a range, whose summary is `root`. */
static bool bitmap_fits_in_range(const struct bitmap_request *request,
    const struct acre_bitmap_range *range, struct bitmap_run root, uintptr_t *page)
{
    struct bitmap_limits limits = bitmap_limits_in(request, range->first, range->pages);
    if (root.longest < request->count || limits.to < limits.from + request->count)
        return false;
    size_t found = acre_bitmap_tree_find_within(range, &limits);
    *page = range->first + found;
    return found != BITMAP_NONE;
}

static bool bitmap_find_upward(
    struct acre_bitmap *self, const struct bitmap_request *request, uintptr_t *page)
{
    struct acre_bitmap_range *range = bitmap_first_range(self);
    size_t open = 0; /* free pages that end where `range` begins */
    for (; range != NULL; range = bitmap_next_range(range)) {
        acre_bitmap_flush(self, range, 0);
        struct bitmap_run root = acre_bitmap_tree_get(range, range->top, 0);
        if ((open != 0 && bitmap_fits_in(request, range->first - open, open + root.start, page)) ||
            bitmap_fits_in_range(request, range, root, page))
            return true;
        open = bitmap_open_after(range, root, open);
    }
    return false;
}

static bool bitmap_find_downward(
    struct acre_bitmap *self, const struct bitmap_request *request, uintptr_t *page)
{
    struct acre_bitmap_range *range = bitmap_last_range(self);
    size_t open = 0; /* free pages that begin where `range` ends */
    for (; range != NULL; range = bitmap_previous_range(range)) {
        const struct acre_bitmap_range *below = bitmap_previous_range(range);
        acre_bitmap_flush(self, range, 0);
        struct bitmap_run root = acre_bitmap_tree_get(range, range->top, 0);
        uintptr_t end_run = range->first + (range->pages - root.end);
        if ((open != 0 && bitmap_fits_in(request, end_run, root.end + open, page)) ||
            bitmap_fits_in_range(request, range, root, page))
            return true;
        open = root.start == range->pages ? open + root.start : root.start;
        if (below == NULL || !bitmap_adjoins(below))
            open = 0;
    }
    return false;
}

bool acre_bitmap_span_find_within(
    struct acre_bitmap *self, const struct bitmap_request *request, uintptr_t *page)
{
    return request->top_down ? bitmap_find_downward(self, request, page)
                             : bitmap_find_upward(self, request, page);
}

/* ---- the longest run ---- */

size_t acre_bitmap_span_longest(const struct acre_bitmap *self)
{
    const struct acre_bitmap_range *range = bitmap_first_range(self);
    size_t longest = 0;
    size_t open = 0;
    for (; range != NULL; range = bitmap_next_range(range)) {
        struct bitmap_run root = acre_bitmap_range_summary(range);
        if (open + root.start > longest)
            longest = open + root.start;
        if (root.longest > longest)
            longest = root.longest;
        open = bitmap_open_after(range, root, open);
    }
    ACRE_ASSERT(longest != 0 || self->next_hint == NULL); /* BITMAP-4 */
    return longest;
}

#endif
