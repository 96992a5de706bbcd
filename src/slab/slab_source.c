/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab over a page allocator: regions that come when they are needed and go when they are empty.
 */
#include "slab/slab_private.h"

/* Bytes asked of the source at least, so that small blocks do not each cost a region. */
enum { SLAB_CHUNK = 1 << 16 };

static size_t source_pages(const struct acre_slab *slab, size_t bytes)
{
    size_t page = acre_page_size(slab->source);
    return bytes / page + (bytes % page != 0);
}

/* Adds so many of the source's pages, aligned for what they must hold. */
static bool add_pages(struct acre_slab *slab, size_t count)
{
    size_t size = count * acre_page_size(slab->source);
    struct acre_num got = acre_alloc_pages(slab->source, count, 1);
    if (got.status != ACRE_OK)
        return false;
    if (acre_slab_add_memory(slab, (void *)got.num, size) != ACRE_OK) {
        acre_dealloc_pages(slab->source, got.num, count);
        return false;
    }
    struct acre_slab_region *region = slab->regions;
    while (region->start != got.num)
        region = region->next;
    region->sourced = true;
    return true;
}

bool acre_slab_grow(struct acre_slab *slab, size_t size, size_t align)
{
    size_t records = (slab_pages_of(slab, size) + 4) * ACRE_SLAB_PER_PAGE;
    size_t apart = align > slab_page_size(slab) ? align : slab_page_size(slab);
    if (slab->source.ops == NULL || size > SIZE_MAX / 4 || apart > SIZE_MAX / 4)
        return false;
    size_t need = source_pages(slab, size + apart + records +
                                         apart / slab_page_size(slab) * ACRE_SLAB_PER_PAGE +
                                         sizeof(struct acre_slab_region) + slab_page_size(slab));
    size_t ample = source_pages(slab, SLAB_CHUNK);
    return (ample > need && add_pages(slab, ample)) || add_pages(slab, need);
}

static void give_back(struct acre_slab *slab, struct acre_slab_region *region)
{
    uintptr_t start = region->start;
    size_t count = source_pages(slab, region->size);
    region->sourced = false; /* it goes once, and only here */
    acre_slab_remove_memory(slab, (void *)start);
    acre_dealloc_pages(slab->source, start, count);
}

/* Whether a region is one free run, but for empty slabs. */
static bool is_spare(const struct acre_slab_region *region)
{
    return region->records[1].state == SLAB_FREE && region->records[1].length == region->pages;
}

/* Gives a region back that came from the source and is all free, if another one is as well. */
static void spare(struct acre_slab *slab, const struct acre_slab_page *page)
{
    if (page[-1].state != SLAB_GUARD || page[page->length].state != SLAB_GUARD)
        return;
    struct acre_slab_region *region = acre_slab_region_with(slab, page);
    struct acre_slab_region *other = slab->regions;
    if (!region->sourced)
        return;
    while (other != NULL && (other == region || !other->sourced || !is_spare(other)))
        other = other->next;
    if (other != NULL)
        give_back(slab, region);
}

void acre_slab_run_grown(struct acre_slab *slab, struct acre_slab_page *page, size_t blocks)
{
    if (slab->source.ops != NULL)
        spare(slab, page);
    if (slab->freed != NULL)
        slab->freed(slab->freed_arg, blocks);
}

enum acre_status acre_slab_setup_over(struct acre_slab *slab, size_t page, struct acre_pages source)
{
    enum acre_status status = acre_slab_setup(slab, page);
    if (status == ACRE_OK)
        slab->source = source;
    return status;
}

void acre_slab_release_empty(struct acre_slab *slab)
{
    struct acre_slab_region *region = slab->regions;
    while (region != NULL) {
        struct acre_slab_region *next = region->next;
        if (region->sourced && acre_slab_is_all_free(region))
            give_back(slab, region);
        region = next;
    }
}
