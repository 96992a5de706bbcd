/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Runs of free pages: the summary of a stretch of pages, and how two summaries make one. Pure,
 * O(1).
 *
 *      |####......##...........####.........|
 *            `-- not at a border   `--------  end = 9
 *       start = 0      longest = 11
 */
#ifndef ACRE_SRC_BITMAP_RUN_H
#define ACRE_SRC_BITMAP_RUN_H

#include "base/bits.h"

/** Free runs of a stretch of pages, in pages: at its start, the longest anywhere in it, at its end.
 */
struct acre_bitmap_run {
    size_t start;
    size_t longest;
    size_t end;
};

/** The summary of `pages` free pages. */
ACRE_INLINE struct acre_bitmap_run acre_bitmap_run_free(size_t pages)
{
    return (struct acre_bitmap_run){ pages, pages, pages };
}

ACRE_INLINE bool acre_bitmap_run_equal(struct acre_bitmap_run a, struct acre_bitmap_run b)
{
    return a.start == b.start && a.longest == b.longest && a.end == b.end;
}

/** The summary of `a`, `a_pages` long, followed by `b`, `b_pages` long. */
ACRE_INLINE struct acre_bitmap_run acre_bitmap_run_join(
    struct acre_bitmap_run a, size_t a_pages, struct acre_bitmap_run b, size_t b_pages)
{
    size_t across = a.end + b.start;
    size_t longest = a.longest > b.longest ? a.longest : b.longest;
    struct acre_bitmap_run joined;

    joined.start = a.start == a_pages ? across : a.start;
    joined.longest = across > longest ? across : longest;
    joined.end = b.end == b_pages ? across : b.end;
    return joined;
}

#endif
