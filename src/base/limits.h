/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The argument policy of runs with conditions (acre_alloc_pages_within).
 */
#ifndef ACRE_SRC_BASE_LIMITS_H
#define ACRE_SRC_BASE_LIMITS_H

#include "base/compiler.h"

#include <acre/pages.h>

/** True when limits are well-formed for pages of `page_size` bytes, a power of two. O(1). */
ACRE_INLINE bool acre_limits_are_valid(const struct acre_run_limits *limits, size_t page_size)
{
    size_t align = limits->align > page_size ? limits->align : page_size;
    return (limits->align & (limits->align - 1)) == 0 &&
           (limits->boundary & (limits->boundary - 1)) == 0 &&
           (limits->boundary == 0 || limits->boundary >= page_size) && limits->phase < align &&
           (limits->phase & (page_size - 1)) == 0;
}

#endif
