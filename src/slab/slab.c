/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab's hot paths: alloc and dealloc.
 *
 * Nearly all requests find a clear bit in the word of the slab at hand, and nearly all frees clear
 * one in a slab that was not full and does not become empty; every other path is a call in tail
 * position, so that these two need no stack.
 */
#include "slab/slab_private.h"

/* ---- alloc ---- */

/* Counts a block; false when that is a new peak. */
ACRE_INLINE bool count_in(struct acre_slab *slab, size_t bytes)
{
    slab->live_blocks++;
    return (slab->room -= (ptrdiff_t)bytes) >= 0;
}

static ACRE_NOINLINE struct acre_ptr raise_peak(struct acre_slab *slab, uintptr_t at)
{
    slab->peak -= (size_t)slab->room;
    slab->room = 0;
    return (struct acre_ptr){ (void *)at, ACRE_OK };
}

struct acre_ptr acre_slab_hand_out(struct acre_slab *slab, uintptr_t at, size_t bytes)
{
    if (!count_in(slab, bytes))
        return raise_peak(slab, at);
    return (struct acre_ptr){ (void *)at, ACRE_OK };
}

struct acre_ptr acre_slab_alloc(struct acre_slab *slab, struct acre_layout layout)
{
    /* One test for "not a power of two" and "above the unit". */
    if (ACRE_UNLIKELY(((layout.align - 1) & (layout.align | ~(size_t)(ACRE_SLAB_UNIT - 1))) != 0))
        return acre_slab_alloc_far(slab, layout);
    size_t units = (layout.size - 1) / ACRE_SLAB_UNIT;
    if (ACRE_UNLIKELY(units >= slab->sizes))
        return acre_slab_alloc_far(slab, layout);
    unsigned size_class = slab->class_of[units];
    struct acre_slab_page *page = slab->hand[size_class];
    size_t free = page->free;
    size_t rest = free - 1;
    ACRE_OPAQUE(rest);
    unsigned index = acre_bits_lowest(free);
    if (ACRE_UNLIKELY(index >= slab->count[size_class]))
        return acre_slab_alloc_next(slab, layout, size_class);
    ACRE_REREAD();
    page->free &= rest;
    uint32_t size = slab->size[size_class];
    uintptr_t at = slab->start[size_class] + (uintptr_t)(index * size);
    if (ACRE_UNLIKELY(!count_in(slab, size)))
        return raise_peak(slab, at);
    return (struct acre_ptr){ (void *)at, ACRE_OK };
}

/* ---- dealloc ---- */

static ACRE_NOINLINE enum acre_status free_run(struct acre_slab *slab, struct acre_slab_page *page)
{
    slab->live_blocks--;
    slab->room += (ptrdiff_t)(page->length << slab->page_log2);
    page->state = SLAB_BLANK;
    acre_slab_run_give(slab, page, page->length);
    slab_run_grown(slab, 1);
    return ACRE_OK;
}

/* No slab, or one that is full, or no object of it. */
static ACRE_NOINLINE enum acre_status dealloc_full(
    struct acre_slab *slab, void *ptr, struct acre_slab_page *page)
{
    uint32_t offset = (uint32_t)(uintptr_t)ptr - page->start;
    if (page->state == SLAB_RUN && offset == 0)
        return free_run(slab, page);
    if (!slab_is_slab(page) || page->magic != 0)
        return ACRE_NOT_ALLOCATED;
    size_t index = slab_index(offset, slab->magic[page->size_class]);
    if (index >= SLAB_WORD_BITS || (page->free >> index & 1) != 0)
        return ACRE_NOT_ALLOCATED;
    page->free |= (size_t)1 << index;
    slab->live_blocks--;
    slab->room += page->size;
    return acre_slab_opened(slab, page);
}

/* Frees a block of a slab. */
ACRE_INLINE enum acre_status free_at(struct acre_slab *slab, void *ptr, struct acre_slab_page *page)
{
    uint64_t product = (uint64_t)((uint32_t)(uintptr_t)ptr - page->start) * page->magic;
    if (ACRE_UNLIKELY((uint32_t)product >= page->magic))
        return dealloc_full(slab, ptr, page);
    size_t index = (size_t)(product >> 32);
    size_t free = page->free;
    if (ACRE_UNLIKELY((free >> index & 1) != 0))
        return ACRE_NOT_ALLOCATED;
    free |= (size_t)1 << index;
    page->free = free;
    slab->live_blocks--;
    slab->room += page->size;
    if (ACRE_UNLIKELY(free == SIZE_MAX))
        return acre_slab_emptied(slab, page);
    return ACRE_OK;
}

/* In a region that has to be searched for. It is remembered, unless the call is refused. */
static ACRE_NOINLINE enum acre_status dealloc_unseen(struct acre_slab *slab, void *ptr)
{
    uintptr_t at = (uintptr_t)ptr;
    struct acre_slab_region *region = acre_slab_region_of(slab, at);
    if (region == NULL)
        return ACRE_NOT_ALLOCATED;
    struct acre_slab_region *before = *slab_near(slab, at);
    *slab_near(slab, at) = region;
    enum acre_status status =
        free_at(slab, ptr, region->heads[(at - region->base) >> slab->page_log2]);
    if (status != ACRE_OK)
        *slab_near(slab, at) = before;
    return status;
}

/* In another region than the largest. */
static ACRE_NOINLINE enum acre_status dealloc_elsewhere(struct acre_slab *slab, void *ptr)
{
    struct acre_slab_region *region = *slab_near(slab, (uintptr_t)ptr);
    if (region == NULL)
        return dealloc_unseen(slab, ptr);
    size_t number = ((uintptr_t)ptr - region->base) >> slab->page_log2;
    if (ACRE_UNLIKELY(number >= region->pages))
        return dealloc_unseen(slab, ptr);
    return free_at(slab, ptr, region->heads[number]);
}

enum acre_status acre_slab_dealloc(struct acre_slab *slab, void *ptr)
{
    size_t number = ((uintptr_t)ptr - slab->base) >> slab->page_log2;
    if (ACRE_UNLIKELY(number >= slab->pages))
        return dealloc_elsewhere(slab, ptr);
    return free_at(slab, ptr, slab->heads[number]);
}
