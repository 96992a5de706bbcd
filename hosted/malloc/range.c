/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "malloc/range.h"

#include "os/os.h"

/* Reserves as many bytes as possible between `size` and `size_hint`, at the address hint or
 * anywhere. */
static int reserve_most(uintptr_t hint, size_t size, size_t size_hint, void **start, size_t *got)
{
    size_t page = acre_os_page_size();
    for (*got = size_hint; *got > size; *got = (*got / 4) & ~(page - 1))
        if (acre_os_reserve((void *)hint, *got, start) == 0)
            return 0;
    *got = size;
    return acre_os_reserve((void *)hint, size, start);
}

/* Makes room for `size` bytes from range->next on. If the new reservation is not adjacent to the old
 * one, the rest of the old one is released. */
static int extend_range(struct acre_range *range, size_t size, size_t size_hint)
{
    size_t left = range->end - range->next;
    void *start = NULL;
    size_t got = 0;
    int error = reserve_most(range->end, size - left, size_hint, &start, &got);
    if (error == 0 && (uintptr_t)start == range->end) {
        range->end += got;
        return 0;
    }
    if (error == 0 && got < size) {
        acre_os_release(start, got);
        error = reserve_most(0, size, size_hint, &start, &got);
    }
    if (error != 0)
        return error;
    if (left != 0)
        acre_os_release((void *)range->next, left);
    range->next = (uintptr_t)start;
    range->end = range->next + got;
    return 0;
}

void *acre_range_take(struct acre_range *range, size_t size, size_t size_hint)
{
    if (range->end - range->next < size && extend_range(range, size, size_hint) != 0)
        return NULL;
    if (acre_os_commit((void *)range->next, size) != 0)
        return NULL;
    range->next += size;
    return (void *)(range->next - size);
}

void acre_range_undo(struct acre_range *range, size_t size)
{
    range->next -= size;
    acre_os_decommit((void *)range->next, size);
}
