/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab's statistics, find and walk.
 */
#include "slab/slab_tables.h"

/* Bytes of the largest free object in a slab. */
static size_t slab_largest_free_object(const struct acre_slab *slab)
{
    unsigned size_class = ACRE_SLAB_CLASSES;
    while (size_class > 0 && !slab_class_has_object(slab, size_class - 1))
        size_class--;
    return size_class > 0 ? slab_class_size(size_class - 1) : 0;
}

static size_t slab_largest_free(const struct acre_slab *slab)
{
    if (slab->regions.first == NULL)
        return 0;
    size_t object = slab_largest_free_object(slab);
    size_t run = acre_slab_longest_run(slab) << slab->page_log2;
    return run > object ? run : object;
}

struct acre_stats acre_slab_stats(const struct acre_slab *slab)
{
    size_t used = slab->peak - (size_t)slab->headroom;
    size_t capacity = slab->capacity << slab->page_log2;
    return (struct acre_stats){
        .total = slab->regions.total,
        .metadata = slab->regions.total - capacity,
        .used = used,
        .available = capacity - used,
        .peak = slab->peak,
        .largest_free = slab_largest_free(slab),
        .live_blocks = slab->live_blocks,
        .failed = slab->failed,
    };
}

void acre_slab_reset_peak(struct acre_slab *slab)
{
    slab->peak -= (size_t)slab->headroom;
    slab->headroom = 0;
}

/* The live block at an offset in the pages of a slab or run. */
static struct acre_block slab_block_at(
    const struct acre_slab *slab, const struct acre_slab_page *page, uintptr_t start, size_t offset)
{
    const struct acre_block none = { NULL, 0, ACRE_NOT_ALLOCATED };
    if (page->state == SLAB_RUN)
        return (struct acre_block){ (void *)start, page->length << slab->page_log2, ACRE_OK };
    if (!slab_is_slab(page))
        return none;
    size_t index = acre_divide(offset, page->size);
    if (index >= slab_object_count(slab, page->size_class, page->pages) ||
        (page->free_bits >> index & 1) != 0)
        return none;
    return (struct acre_block){ (void *)(start + acre_multiply(index, page->size)), page->size,
        ACRE_OK };
}

/* Goes back from the pointer's page to the first record of its block: the others are blank. */
struct acre_block acre_slab_find(const struct acre_slab *slab, const void *ptr)
{
    uintptr_t at = (uintptr_t)ptr;
    const struct acre_slab_region *region = acre_slab_find_region(slab, at);
    if (region == NULL)
        return (struct acre_block){ NULL, 0, ACRE_NOT_ALLOCATED };
    size_t number = (at - region->base) >> slab->page_log2;
    const struct acre_slab_page *record = region->records + 1 + number;
    const struct acre_slab_page *page = record;
    while (page->state == SLAB_BLANK)
        page--;
    uintptr_t start = at & ~(slab_page_size(slab) - 1);
    start -= slab_records_between(page, record) << slab->page_log2;
    return slab_block_at(slab, page, start, at - start);
}

/* Visits the objects of a slab; false if the visitor ended the walk. */
static bool slab_walk_objects(const struct acre_slab *slab, const struct acre_slab_page *page,
    uintptr_t at, acre_walk_fn *visit, void *arg)
{
    uint32_t count = slab_object_count(slab, page->size_class, page->pages);
    for (uint32_t i = 0; i < count; i++, at += page->size) {
        bool live = (page->free_bits >> i & 1) == 0;
        if (!visit(arg, (void *)at, page->size, live))
            return false;
    }
    return true;
}

static bool slab_walk_region(const struct acre_slab *slab, const struct acre_slab_region *region,
    acre_walk_fn *visit, void *arg)
{
    const struct acre_slab_page *page = region->records + 1;
    uintptr_t at = region->base;
    while (page->state != SLAB_GUARD) {
        size_t pages = slab_is_slab(page) ? page->pages : page->length;
        size_t size = pages << slab->page_log2;
        bool more = slab_is_slab(page) ? slab_walk_objects(slab, page, at, visit, arg)
                                       : visit(arg, (void *)at, size, page->state == SLAB_RUN);
        if (!more)
            return false;
        page += pages;
        at += size;
    }
    return true;
}

void acre_slab_walk(const struct acre_slab *slab, acre_walk_fn *visit, void *arg)
{
    const struct acre_slab_region *region = slab_first_region(slab);
    while (region != NULL && slab_walk_region(slab, region, visit, arg))
        region = slab_next_region(region);
}
