/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Summaries: the free runs of a stretch of pages, and how two summaries make one. Pure, O(1).
 *
 *      |####......##...........####.........|      # in use   . free
 *       ^         `-- longest = 11 `-- end = 9
 *       `-- start = 0
 */
#ifndef ACRE_SRC_BITMAP_RUN_H
#define ACRE_SRC_BITMAP_RUN_H

#include "base/bits.h"

/** Free runs of a stretch of pages, in pages. */
struct bitmap_run {
    size_t start;   /**< The run at its first page. */
    size_t longest; /**< The longest run anywhere in it. */
    size_t end;     /**< The run at its last page. */
};

/** The summary of `pages` free pages. */
ACRE_INLINE struct bitmap_run bitmap_run_free(size_t pages)
{
    return (struct bitmap_run){ pages, pages, pages };
}

ACRE_INLINE bool bitmap_run_equal(struct bitmap_run a, struct bitmap_run b)
{
    return a.start == b.start && a.longest == b.longest && a.end == b.end;
}

/** The summary of `a`, `a_pages` long, followed by `b`, `b_pages` long. */
ACRE_INLINE struct bitmap_run bitmap_run_join(
    struct bitmap_run a, size_t a_pages, struct bitmap_run b, size_t b_pages)
{
    size_t across = a.end + b.start;
    size_t longest = a.longest > b.longest ? a.longest : b.longest;
    return (struct bitmap_run){
        .start = a.start == a_pages ? across : a.start,
        .longest = across > longest ? across : longest,
        .end = b.end == b_pages ? across : b.end,
    };
}

#endif
