/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "malloc/zero.h"

#include "os/os.h"

/* From this many bytes on, fresh pages from the system are cheaper than writing zeroes. */
enum { zero_by_system = 1 << 20 };

/* The C library's memset, which the program may replace: only for calls without the lock. */
extern void *__real_memset(void *target, int value, size_t size);

/* Discards whole pages inside: they read as zero and cost nothing until touched. */
static ACRE_NOINLINE void zero_large(char *start, size_t size)
{
    size_t page = acre_os_page_size();
    size_t head = -(uintptr_t)start & (page - 1);
    size_t pages = (size - head) & ~(page - 1);
    if (acre_os_discard(start + head, pages) != 0) {
        __real_memset(start, 0, size);
        return;
    }
    memset(start, 0, head);
    memset(start + head + pages, 0, size - head - pages);
}

void *acre_zero_by_call(void *start, size_t size)
{
    if (size < zero_by_system)
        return __real_memset(start, 0, size);
    zero_large(start, size);
    return start;
}
