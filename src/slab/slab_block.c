/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab's other verbs on a block: far allocs, frees on the long way, sized free, resize, realloc.
 */
#include "base/exhausted.h"
#include "base/memory.h"
#include "slab/slab_private.h"

/* ---- alloc ---- */

static struct acre_ptr no_memory(void)
{
    return (struct acre_ptr){ NULL, ACRE_NO_MEMORY };
}

/* Takes an object from the slab at hand, which has one. */
static struct acre_ptr take_object(struct acre_slab *slab, unsigned size_class)
{
    struct acre_slab_page *page = slab->hand[size_class];
    size_t size = slab->size[size_class];
    size_t index = acre_bits_lowest(page->free);
    page->free &= page->free - 1;
    return acre_slab_hand_out(slab, slab->start[size_class] + index * size, size);
}

/* The lowest of the classes up to `last` that has a free object at multiples of `align`, from
 * `size_class` on; ACRE_SLAB_CLASSES when none has. */
static unsigned find_class(
    const struct acre_slab *slab, unsigned size_class, unsigned last, size_t align)
{
    for (; size_class <= last && size_class < ACRE_SLAB_CLASSES; size_class++)
        if ((slab->size[size_class] & (align - 1)) == 0 && slab_has_object(slab, size_class))
            return size_class;
    return ACRE_SLAB_CLASSES;
}

/* An object of a class that is larger than need be. */
static struct acre_ptr take_larger(struct acre_slab *slab, unsigned size_class)
{
    acre_slab_bring(slab, size_class);
    slab->hand[size_class]->state = SLAB_MIXED;
    return take_object(slab, size_class);
}

/* An object of a class none of whose slabs has one. */
static struct acre_ptr alloc_object(struct acre_slab *slab, unsigned size_class, size_t align)
{
    unsigned larger = ACRE_SLAB_CLASSES;
    if (!slab_has_plenty(slab))
        larger = find_class(slab, size_class + 1, size_class + SLAB_NEAR, align);
    if (larger == ACRE_SLAB_CLASSES) {
        if (acre_slab_bring(slab, size_class))
            return take_object(slab, size_class);
        larger = find_class(slab, size_class + 1, ACRE_SLAB_CLASSES, align);
    }
    return larger != ACRE_SLAB_CLASSES ? take_larger(slab, larger) : no_memory();
}

static struct acre_ptr alloc_run(struct acre_slab *slab, size_t size, size_t align)
{
    size_t pages = slab_pages_of(slab, size);
    struct acre_slab_page *page = acre_slab_run_take(slab, pages, align);
    if (page == NULL)
        page = acre_slab_run_force(slab, pages, align);
    if (page == NULL)
        return no_memory();
    struct slab_spot spot = acre_slab_spot(slab, page);
    page->length = pages;
    page->start = (uint32_t)spot.at;
    page->state = SLAB_RUN;
    *spot.head = page;
    return acre_slab_hand_out(slab, spot.at, pages << slab->page_log2);
}

static struct acre_ptr alloc_owned(struct acre_slab *slab, size_t size, size_t align)
{
    if (align > slab_page_size(slab) || size > slab_largest(slab))
        return alloc_run(slab, size, align);
    size = acre_align_up(size, align);
    if (size > slab_largest(slab))
        return alloc_run(slab, size, align);
    unsigned size_class = slab_class_of(slab, size);
    if (!slab_has_object(slab, size_class))
        return alloc_object(slab, size_class, align);
    acre_slab_bring(slab, size_class);
    return take_object(slab, size_class);
}

static struct acre_ptr slab_retry(void *self, struct acre_layout layout)
{
    return acre_slab_alloc(self, layout);
}

/* Calls the handler, or refuses. */
static ACRE_NOINLINE struct acre_ptr slab_refuse(struct acre_slab *slab, struct acre_layout layout)
{
    return acre_retry_exhausted(&slab->on_exhausted, &slab->failed, slab_retry, slab, layout);
}

ACRE_NOINLINE struct acre_ptr acre_slab_alloc_far(struct acre_slab *slab, struct acre_layout layout)
{
    size_t size = layout.size + (layout.size == 0);
    if (!acre_is_pow2(layout.align))
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    struct acre_ptr got = alloc_owned(slab, size, layout.align);
    return got.ptr != NULL ? got : slab_refuse(slab, layout);
}

ACRE_NOINLINE struct acre_ptr acre_slab_alloc_next(
    struct acre_slab *slab, struct acre_layout layout, unsigned size_class)
{
    bool plenty = slab_has_plenty(slab);
    if (acre_slab_next(slab, size_class, plenty) || (plenty && acre_slab_new(slab, size_class)))
        return take_object(slab, size_class);
    return acre_slab_alloc_far(slab, layout);
}

/* ---- blocks handed back ---- */

/* The block, if a live one starts at an address whose page leads to this record. */
static bool find_at(const struct acre_slab *slab, uintptr_t at, struct acre_slab_page *page,
    struct slab_block *block)
{
    uint32_t offset = (uint32_t)at - page->start;
    *block = (struct slab_block){ page, 0, page->length << slab->page_log2 };
    if (page->state == SLAB_RUN)
        return offset == 0;
    if (!slab_is_slab(page))
        return false;
    size_t index = slab_index(offset, slab->magic[page->size_class]);
    if (index >= SLAB_WORD_BITS)
        return false;
    *block = (struct slab_block){ page, (size_t)1 << index, page->size };
    return (page->free & block->bit) == 0;
}

bool acre_slab_find(const struct acre_slab *slab, const void *ptr, struct slab_block *block)
{
    uintptr_t at = (uintptr_t)ptr;
    size_t number = (at - slab->base) >> slab->page_log2;
    if (ACRE_LIKELY(number < slab->pages))
        return find_at(slab, at, slab->heads[number], block);
    const struct acre_slab_region *region = acre_slab_region_of(slab, at);
    return region != NULL &&
           find_at(slab, at, region->heads[(at - region->base) >> slab->page_log2], block);
}

/* Whether an object of this class serves so many bytes at this alignment, or at a lesser one. At
 * most 10 steps: the size rounds up to the alignment, and an object has at most 8192 bytes. */
static bool is_class_for(
    const struct acre_slab *slab, const struct slab_block *block, size_t size, size_t align)
{
    for (size_t step = ACRE_SLAB_UNIT;; step <<= 1) {
        size_t rounded = acre_align_up(size, step);
        if (rounded > block->size)
            return false;
        if (slab_class_of(slab, rounded) == block->page->size_class)
            return true;
        if (step >= align)
            return false;
    }
}

/* Would a request of this layout have made this block? */
static bool made_by(const struct acre_slab *slab, uintptr_t at, const struct slab_block *block,
    struct acre_layout layout)
{
    size_t size = layout.size + (layout.size == 0);
    if (!acre_is_pow2(layout.align) || (at & (layout.align - 1)) != 0 || size > block->size)
        return false;
    if (block->bit == 0)
        return block->size - size < slab_page_size(slab);
    return block->page->state == SLAB_MIXED || is_class_for(slab, block, size, layout.align);
}

enum acre_status acre_slab_dealloc_sized(
    struct acre_slab *slab, void *ptr, struct acre_layout layout)
{
    struct slab_block block;
    if (!acre_slab_find(slab, ptr, &block))
        return ACRE_NOT_ALLOCATED;
    if (!made_by(slab, (uintptr_t)ptr, &block, layout))
        return ACRE_INVALID_PARAM;
    return acre_slab_dealloc(slab, ptr);
}

struct acre_num acre_slab_usable_size(const struct acre_slab *slab, const void *ptr)
{
    struct slab_block block;
    if (!acre_slab_find(slab, ptr, &block))
        return (struct acre_num){ 0, ACRE_NOT_ALLOCATED };
    return (struct acre_num){ block.size, ACRE_OK };
}

/* ---- resize ---- */

/* Gives a live run as many pages as a size takes; false when there is no room behind it. */
static bool resize_run(struct acre_slab *slab, struct acre_slab_page *page, size_t size)
{
    size_t had = page->length;
    size_t want = slab_pages_of(slab, size);
    if (want > had) {
        struct acre_slab_page *behind = page + had;
        if (behind->state != SLAB_FREE || behind->length < want - had)
            return false;
        acre_slab_run_cut(slab, behind, want - had);
    }
    page->length = want;
    if (want < had)
        acre_slab_run_give(slab, page + want, had - want);
    slab->room += ((ptrdiff_t)had - (ptrdiff_t)want) * (ptrdiff_t)slab_page_size(slab);
    if (slab->room < 0) {
        slab->peak -= (size_t)slab->room;
        slab->room = 0;
    }
    return true;
}

static bool resize_here(struct acre_slab *slab, const struct slab_block *block, size_t size)
{
    size += size == 0;
    if (block->bit == 0)
        return resize_run(slab, block->page, size);
    if (size > block->size)
        return false;
    if (slab_class_of(slab, size) != block->page->size_class)
        block->page->state = SLAB_MIXED;
    return true;
}

enum acre_status acre_slab_resize(struct acre_slab *slab, void *ptr, size_t size)
{
    struct slab_block block;
    if (!acre_slab_find(slab, ptr, &block))
        return ACRE_NOT_ALLOCATED;
    if (resize_here(slab, &block, size))
        return ACRE_OK;
    slab->failed++;
    return ACRE_NO_MEMORY;
}

static struct acre_ptr move(
    struct acre_slab *slab, void *ptr, size_t usable, struct acre_layout layout)
{
    struct acre_ptr moved = acre_slab_alloc(slab, layout);
    if (moved.ptr == NULL)
        return moved;
    memcpy(moved.ptr, ptr, usable < layout.size ? usable : layout.size);
    acre_slab_dealloc(slab, ptr);
    return moved;
}

struct acre_ptr acre_slab_realloc(struct acre_slab *slab, void *ptr, struct acre_layout layout)
{
    struct slab_block block;
    if (!acre_slab_find(slab, ptr, &block))
        return (struct acre_ptr){ NULL, ACRE_NOT_ALLOCATED };
    if (!acre_is_pow2(layout.align))
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    if (((uintptr_t)ptr & (layout.align - 1)) == 0 && resize_here(slab, &block, layout.size))
        return (struct acre_ptr){ ptr, ACRE_OK };
    return move(slab, ptr, block.size, layout);
}
