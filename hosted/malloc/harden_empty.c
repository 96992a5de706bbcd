/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Blocks of no bytes: addresses in ranges without access, 16 bytes apart, handed out by a page
 * allocator with pages of that size.
 */
#include "base/regions.h"
#include "malloc/harden.h"
#include "os/os.h"

#include <acre/bitmap.h>

enum { UNIT = 16, RANGE = 1 << 20 };

static struct acre_bitmap empty;
static bool open;

static bool empty_add_range(void)
{
    size_t page = acre_os_page_size();
    size_t meta = acre_align_up(acre_bitmap_metadata_size(RANGE / UNIT), page);
    void *records;
    void *start;
    if (acre_os_map(NULL, meta, &records) != 0)
        return false;
    if (acre_os_map(NULL, RANGE, &start) == 0 && acre_os_fence(start, RANGE) == 0 &&
        acre_bitmap_add_memory_apart(&empty, (uintptr_t)start, RANGE, records, meta) == ACRE_OK)
        return true;
    (void)acre_os_unmap(records, meta);
    return false;
}

void *acre_empty_alloc(size_t align)
{
    if (!open && acre_bitmap_setup(&empty, UNIT) != ACRE_OK)
        return NULL;
    open = true;
    struct acre_pages pages = acre_bitmap_pages(&empty);
    struct acre_num got = acre_alloc_pages(pages, 1, align < UNIT ? UNIT : align);
    if (got.status == ACRE_NO_MEMORY && align < RANGE && empty_add_range())
        got = acre_alloc_pages(pages, 1, align < UNIT ? UNIT : align);
    return got.status == ACRE_OK ? (void *)got.num : NULL;
}

bool acre_empty_is_live(const void *ptr)
{
    uintptr_t address = (uintptr_t)ptr;
    return open && address % UNIT == 0 && acre_bitmap_is_allocated(&empty, address, 1);
}

enum acre_status acre_empty_free(const void *ptr)
{
    if (!acre_empty_is_live(ptr))
        return ACRE_NOT_ALLOCATED;
    return acre_dealloc_pages(acre_bitmap_pages(&empty), (uintptr_t)ptr, 1);
}

bool acre_empty_has(uintptr_t address)
{
    return open && acre_regions_find(&empty.regions, address) != NULL;
}
