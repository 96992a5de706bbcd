/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What the GNU C library offers about its malloc, answered about ours. None of it is on the way of
 * an allocation, so stdio may be used where the interface is made of it.
 */
#include "malloc/report.h"
#include "malloc/serve.h"

#include <limits.h>
#include <malloc.h>
#include <stdio.h>

/* Older programs are linked to it; newer headers call it deprecated. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static struct mallinfo2 describe_heap(void)
{
    struct acre_stats stats = acre_serve_stats();
    return (struct mallinfo2){
        .arena = stats.total,
        .ordblks = stats.largest_free != 0,
        .usmblks = stats.peak,
        .uordblks = stats.used,
        .fordblks = stats.available,
        .keepcost = stats.largest_free,
    };
}

ACRE_EXPORT struct mallinfo2 mallinfo2(void)
{
    return describe_heap();
}

static int at_most_int(size_t value)
{
    return value < INT_MAX ? (int)value : INT_MAX;
}

ACRE_EXPORT struct mallinfo mallinfo(void)
{
    struct mallinfo2 info = describe_heap();
    return (struct mallinfo){
        .arena = at_most_int(info.arena),
        .ordblks = at_most_int(info.ordblks),
        .usmblks = at_most_int(info.usmblks),
        .uordblks = at_most_int(info.uordblks),
        .fordblks = at_most_int(info.fordblks),
        .keepcost = at_most_int(info.keepcost),
    };
}

/* What only tunes the system's allocator is accepted and has no effect; what would change results
 * (filling, checking) is refused. */
ACRE_EXPORT int mallopt(int param, int val)
{
    (void)val;
    switch (param) {
    case M_MXFAST:
    case M_TRIM_THRESHOLD:
    case M_TOP_PAD:
    case M_MMAP_THRESHOLD:
    case M_MMAP_MAX:
    case M_ARENA_TEST:
    case M_ARENA_MAX:
        return 1;
    default:
        return 0;
    }
}

ACRE_EXPORT int malloc_trim(size_t pad)
{
    (void)pad;
    return acre_serve_trim();
}

ACRE_EXPORT void malloc_stats(void)
{
    acre_report_write(2);
}

ACRE_EXPORT int malloc_info(int options, FILE *fp)
{
    struct acre_stats stats = acre_serve_stats();
    if (options != 0)
        return EINVAL;
    int written = fprintf(fp,
        "<malloc version=\"acre-1\" allocator=\"%s\">\n"
        "<total size=\"%zu\"/>\n<metadata size=\"%zu\"/>\n<used size=\"%zu\" count=\"%zu\"/>\n"
        "<available size=\"%zu\" largest=\"%zu\"/>\n<peak size=\"%zu\"/>\n"
        "<failed count=\"%zu\"/>\n</malloc>\n",
        acre_serve_name(), stats.total, stats.metadata, stats.used, stats.live_blocks,
        stats.available, stats.largest_free, stats.peak, stats.failed);
    return written < 0 ? EIO : 0;
}

ACRE_EXPORT struct mallinfo __libc_mallinfo(void) ACRE_ALIAS(mallinfo);
ACRE_EXPORT int __libc_mallopt(int param, int val) ACRE_ALIAS(mallopt);
