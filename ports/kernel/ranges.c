/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "kernel/ranges.h"

/* Last bytes rather than ends: an end may be 2^32 or 2^64. */
static uintptr_t last_of(struct range range)
{
    return range.start + (range.size - 1);
}

static struct range from_to(uintptr_t start, uintptr_t last)
{
    return (struct range){ start, (size_t)(last - start) + 1 };
}

size_t ranges_remove(struct range *ranges, size_t count, size_t room, struct range hole)
{
    size_t given = count;
    if (hole.size == 0)
        return count;
    for (size_t i = 0; i < given; i++) {
        struct range whole = ranges[i];
        if (whole.size == 0 || last_of(whole) < hole.start || last_of(hole) < whole.start)
            continue;
        ranges[i].size = hole.start > whole.start ? (size_t)(hole.start - whole.start) : 0;
        if (last_of(hole) >= last_of(whole))
            continue;
        struct range above = from_to(last_of(hole) + 1, last_of(whole));
        if (ranges[i].size == 0)
            ranges[i] = above;
        else if (count < room)
            ranges[count++] = above;
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (ranges[i].size != 0)
            ranges[kept++] = ranges[i];
    }
    return kept;
}
