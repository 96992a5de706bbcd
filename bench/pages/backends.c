/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pages.h"

#include <acre/bitmap.h>

#include <stdlib.h>

enum { PAGE_LOG2 = 12 };

/* ---- acre's bitmap, through its own functions and through the handle ---- */

static struct acre_bitmap bitmap;
static void *metadata;

static bool bitmap_make(const struct pages_backend *who, size_t pages)
{
    (void)who;
    size_t size = acre_bitmap_metadata_size(pages);
    metadata = malloc(size);
    bitmap = (struct acre_bitmap){ 0 };
    return metadata != NULL && acre_bitmap_setup(&bitmap, (size_t)1 << PAGE_LOG2) == ACRE_OK &&
           acre_bitmap_add_memory_apart(&bitmap, 0, pages << PAGE_LOG2, metadata, size) == ACRE_OK;
}

static void bitmap_drop(void)
{
    free(metadata);
}

static size_t position(struct acre_num found)
{
    return found.status == ACRE_OK ? found.num >> PAGE_LOG2 : PAGES_NONE;
}

static size_t bitmap_take(size_t count)
{
    return position(acre_bitmap_alloc_pages(&bitmap, count, 1));
}

static void bitmap_give(size_t page, size_t count)
{
    acre_bitmap_dealloc_pages(&bitmap, page << PAGE_LOG2, count);
}

static size_t handle_take(size_t count)
{
    return position(acre_alloc_pages(acre_bitmap_pages(&bitmap), count, 1));
}

static void handle_give(size_t page, size_t count)
{
    acre_dealloc_pages(acre_bitmap_pages(&bitmap), page << PAGE_LOG2, count);
}

/* ---- what a page-by-page search costs: a byte a page, first fit from the lowest that may be free
 * ---- */

static unsigned char *used;
static size_t scan_pages, scan_low;

static bool scan_make(const struct pages_backend *who, size_t pages)
{
    (void)who;
    used = calloc(pages, 1);
    scan_pages = pages;
    scan_low = 0;
    return used != NULL;
}

static void scan_drop(void)
{
    free(used);
}

static void scan_mark(size_t page, size_t count, unsigned char mark)
{
    for (size_t i = 0; i < count; i++)
        used[page + i] = mark;
}

static size_t scan_take(size_t count)
{
    size_t run = 0;
    for (size_t page = scan_low; page < scan_pages; page++) {
        run = used[page] ? 0 : run + 1;
        if (run < count)
            continue;
        page -= count - 1;
        scan_mark(page, count, 1);
        if (page == scan_low)
            scan_low += count;
        return page;
    }
    return PAGES_NONE;
}

static void scan_give(size_t page, size_t count)
{
    scan_mark(page, count, 0);
    if (page < scan_low)
        scan_low = page;
}

struct pages_backend pages_backends[PAGES_BACKENDS_MAX] = {
    { "bitmap", bitmap_make, bitmap_take, bitmap_give, bitmap_drop, false, NULL, NULL },
    { "bitmap, handle", bitmap_make, handle_take, handle_give, bitmap_drop, false, NULL, NULL },
    { "page by page", scan_make, scan_take, scan_give, scan_drop, true, NULL, NULL },
};
size_t pages_backend_count = 3;
