/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "malloc/range.h"

#include "os/os.h"

/* Pieces start where a huge page may. */
#define HUGE_PAGE ((uintptr_t)1 << 21)

/* Moves a fresh mapping downward by range->distance where the addresses there are free. */
static void *map_apart(const struct acre_range *range, void *start, size_t size)
{
    void *apart;
    uintptr_t hint = ((uintptr_t)start - range->distance) & ~(HUGE_PAGE - 1);
    if ((uintptr_t)start <= 2 * range->distance || acre_os_map((void *)hint, size, &apart) != 0)
        return start;
    if (acre_os_unmap(start, size) == 0)
        return apart;
    acre_os_unmap(apart, size);
    return start;
}

void *acre_range_take(struct acre_range *range, size_t size)
{
    void *start;
    if (acre_os_map((void *)range->next, size, &start) != 0)
        return NULL;
    if ((uintptr_t)start != range->next)
        start = map_apart(range, start, size);
    range->next = (uintptr_t)start + size;
    return start;
}

void acre_range_undo(struct acre_range *range, size_t size)
{
    range->next -= size;
    acre_os_unmap((void *)range->next, size);
}
