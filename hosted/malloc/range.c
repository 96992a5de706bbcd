/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "malloc/range.h"

#include "os/os.h"

/* Reserves between `size` and `wish` bytes at the hint or elsewhere, as many as can be had. */
static int reserve_most(uintptr_t hint, size_t size, size_t wish, void **start, size_t *got)
{
    size_t page = acre_os_page_size();
    for (*got = wish; *got > size; *got = (*got / 4) & ~(page - 1))
        if (acre_os_reserve((void *)hint, *got, start) == 0)
            return 0;
    *got = size;
    return acre_os_reserve((void *)hint, size, start);
}

/* Makes room for `size` bytes from range->next on. What is left of an old reservation is given up
 * when the new one does not adjoin it. */
static int extend(struct acre_range *range, size_t size, size_t wish)
{
    size_t left = range->end - range->next;
    void *start = NULL;
    size_t got = 0;
    int error = reserve_most(range->end, size - left, wish, &start, &got);
    if (error == 0 && (uintptr_t)start == range->end) {
        range->end += got;
        return 0;
    }
    if (error == 0 && got < size) {
        acre_os_release(start, got);
        error = reserve_most(0, size, wish, &start, &got);
    }
    if (error != 0)
        return error;
    if (left != 0)
        acre_os_release((void *)range->next, left);
    range->next = (uintptr_t)start;
    range->end = range->next + got;
    return 0;
}

void *acre_range_take(struct acre_range *range, size_t size, size_t wish)
{
    if (range->end - range->next < size && extend(range, size, wish) != 0)
        return NULL;
    if (acre_os_commit((void *)range->next, size) != 0)
        return NULL;
    range->next += size;
    return (void *)(range->next - size);
}

void acre_range_untake(struct acre_range *range, size_t size)
{
    range->next -= size;
    acre_os_decommit((void *)range->next, size);
}
