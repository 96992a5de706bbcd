/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Spans of pages over all ranges: where ranges adjoin, a span may run from one into the next.
 */
#include "bitmap/bitmap_private.h"

struct acre_bitmap_range *acre_bitmap_range_of(const struct acre_bitmap *self, uintptr_t page)
{
    struct acre_bitmap_range *range = self->ranges;

    while (range != NULL && page - range->first >= range->pages)
        range = range->next;
    return range;
}

bool acre_bitmap_adjoins(const struct acre_bitmap_range *range)
{
    return range->next != NULL && range->next->first - range->first == range->pages;
}

/** The part of a span that lies in `range`, the span's first page being in it. */
static size_t part_in(const struct acre_bitmap_range *range, uintptr_t page, size_t count)
{
    size_t room = range->pages - (size_t)(page - range->first);

    return count < room ? count : room;
}

bool acre_bitmap_span_is(const struct acre_bitmap *self, uintptr_t page, size_t count, bool free)
{
    const struct acre_bitmap_range *range = acre_bitmap_range_of(self, page);

    while (range != NULL) {
        size_t part = part_in(range, page, count);

        if (!acre_bitmap_words_are(range->words, (size_t)(page - range->first), part, free))
            return false;
        if (part == count)
            return true;
        range = acre_bitmap_adjoins(range) ? range->next : NULL;
        page += part;
        count -= part;
    }
    return false;
}

/** True when pages lie in more groups than late_set deals with. */
static bool is_wide(size_t index, size_t count)
{
    return (index + count - 1) / ACRE_BITMAP_GROUP_PAGES - index / ACRE_BITMAP_GROUP_PAGES > 1;
}

/** Makes pages of one range free or used. */
static void set_in(struct acre_bitmap *self, struct acre_bitmap_range *range, size_t index,
    size_t count, bool free)
{
    if (is_wide(index, count))
        acre_bitmap_late_settle(self, range, 0);
    acre_bitmap_words_fill(range->words, index, count, free);
    if (is_wide(index, count))
        acre_bitmap_tree_update(range, index, count, free);
    else
        acre_bitmap_late_set(self, range, index, count, free);
}

void acre_bitmap_span_set(struct acre_bitmap *self, uintptr_t page, size_t count, bool free)
{
    struct acre_bitmap_range *range = acre_bitmap_range_of(self, page);

    acre_bitmap_hand_drop(self);
    while (count != 0) {
        size_t part = part_in(range, page, count);

        set_in(self, range, (size_t)(page - range->first), part, free);
        range = range->next;
        page += part;
        count -= part;
    }
}

/** The want of a search in one range, from the page number `from` on. */
static struct acre_bitmap_want want_in(
    const struct acre_bitmap_range *range, size_t count, size_t align, uintptr_t from)
{
    size_t index = from > range->first ? (size_t)(from - range->first) : 0;

    return (struct acre_bitmap_want){ count, align, range->first, index };
}

/**
 * The run that begins in the ranges below, `open` pages long, and ends `run_start` pages into
 * `range`. True with its page number when the request fits there.
 */
static bool fits_at_seam(const struct acre_bitmap_range *range, size_t open, size_t run_start,
    struct acre_bitmap_want want, uintptr_t from, uintptr_t *page)
{
    size_t found;

    want.first = range->first - open;
    want.from = from > want.first ? (size_t)(from - want.first) : 0;
    found = acre_bitmap_fit(&want, 0, open + run_start);
    if (found == ACRE_BITMAP_NONE)
        return false;
    *page = want.first + found;
    return true;
}

bool acre_bitmap_span_find(
    struct acre_bitmap *self, size_t count, size_t align, uintptr_t from, uintptr_t *page)
{
    struct acre_bitmap_range *range;
    size_t open = 0; /* free pages that end where `range` begins */

    for (range = self->ranges; range != NULL; range = range->next) {
        struct acre_bitmap_want want = want_in(range, count, align, from);
        struct acre_bitmap_run root;
        size_t found;

        acre_bitmap_late_settle(self, range, 0);
        root = acre_bitmap_tree_get(range, range->top, 0);
        if (open != 0 && fits_at_seam(range, open, root.start, want, from, page))
            return true;
        found = root.longest >= count && want.from < range->pages
                    ? acre_bitmap_tree_find(range, &want)
                    : ACRE_BITMAP_NONE;
        if (found != ACRE_BITMAP_NONE) {
            *page = range->first + found;
            return true;
        }
        open = root.end == range->pages ? open + root.end : root.end;
        if (!acre_bitmap_adjoins(range))
            open = 0;
    }
    return false;
}

size_t acre_bitmap_span_longest(const struct acre_bitmap *self)
{
    const struct acre_bitmap_range *range;
    size_t longest = 0;
    size_t open = 0;

    for (range = self->ranges; range != NULL; range = range->next) {
        struct acre_bitmap_run root = acre_bitmap_tree_root(range);

        if (open + root.start > longest)
            longest = open + root.start;
        if (root.longest > longest)
            longest = root.longest;
        open = root.end == range->pages ? open + root.end : root.end;
        if (!acre_bitmap_adjoins(range))
            open = 0;
    }
    return longest;
}
