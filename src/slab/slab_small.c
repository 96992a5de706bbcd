/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab's alloc and dealloc in builds with a largest pool (ACRE_MAX_POOL): one path for all sizes. A
 * slab has as few pages as one object takes; an empty one is destroyed at once.
 */
#include "base/exhausted.h"
#include "base/memory.h"
#include "slab/slab_tables.h"

#if ACRE_MAX_POOL != 0

_Static_assert(
    ACRE_MAX_POOL > 0 && ACRE_MAX_POOL <= INT32_MAX, "a largest pool has less than 2^31 bytes");

void acre_slab_set_constants(struct acre_slab *slab)
{
    (void)slab;
}

void acre_slab_clear_classes(struct acre_slab *slab)
{
    slab->no_slab.free_bits = SIZE_MAX;
    memset(slab->partial, 0, sizeof(slab->partial));
}

size_t acre_slab_longest_run(const struct acre_slab *slab)
{
    return acre_slab_run_longest(slab);
}

/* ---- rings of slabs with a free object ---- */

static ACRE_NOINLINE void slab_small_join(struct acre_slab *slab, struct acre_slab_page *page)
{
    slab_ring_append(&slab->partial[page->size_class], page);
}

static ACRE_NOINLINE void slab_small_leave(struct acre_slab *slab, struct acre_slab_page *page)
{
    slab_ring_remove(&slab->partial[page->size_class], page);
}

/* ---- alloc ---- */

/* Where alignments are on, one search serves all runs. */
static struct acre_slab_page *slab_small_find_run(
    struct acre_slab *slab, size_t pages, size_t align)
{
    return ACRE_ANY_ALIGN ? acre_slab_run_alloc(slab, pages, align)
                          : acre_slab_run_alloc_any(slab, pages);
}

/* Creates a slab and appends it to the ring of its class; null if there are no pages for it. */
static struct acre_slab_page *slab_small_create(struct acre_slab *slab, unsigned size_class)
{
    size_t pages = slab_pages_for(slab, slab_class_size(size_class));
    struct acre_slab_page *page = slab_small_find_run(slab, pages, 1);
    if (page == NULL)
        return NULL;
    slab_init_slab(slab, size_class, page, pages, slab_page_place(slab, page));
    slab_small_join(slab, page);
    return page;
}

/* A slab of a class, or of a larger one, that has a free object at multiples of `align`; null when
 * none has and there are no pages for a new one. */
static struct acre_slab_page *slab_small_find(
    struct acre_slab *slab, unsigned size_class, size_t align)
{
    struct acre_slab_page *page = slab->partial[size_class];
    if (page == NULL)
        page = slab_small_create(slab, size_class);
    while (page == NULL && ++size_class < ACRE_SLAB_CLASSES)
        if (!ACRE_ANY_ALIGN || (slab_class_size(size_class) & (align - 1)) == 0) {
            page = slab->partial[size_class];
            if (page != NULL)
                slab_mark_fallback(page);
        }
    return page;
}

/* Takes an object from a partial slab. Returns its number. */
static size_t slab_small_take(struct acre_slab *slab, struct acre_slab_page *page)
{
    size_t index = acre_bits_lowest(page->free_bits);
    page->free_bits &= page->free_bits - 1;
    if (!slab_has_free(page, page->count)) {
        slab_small_leave(slab, page);
        page->reciprocal = 0;
    }
    return index;
}

/* Whether a block takes whole pages: its size, rounded up to its alignment, is above all
 * classes. */
static bool slab_small_is_large(const struct acre_slab *slab, size_t size, size_t align)
{
    return size > slab_largest_object(slab) || (ACRE_ANY_ALIGN && align > slab_page_size(slab));
}

/* Allocates from the memory owned; `size` is not 0. */
static struct acre_ptr slab_small_alloc(struct acre_slab *slab, size_t size, size_t align)
{
    struct acre_slab_page *page;
    size_t pages = slab_pages_for(slab, size);
    size_t rounded = ACRE_ANY_ALIGN ? acre_align_up(size, align) : size;
    bool large = slab_small_is_large(slab, size, align);
    if (large)
        page = slab_small_find_run(slab, pages, align);
    else
        page = slab_small_find(slab, slab_class_of(slab, rounded), align);
    if (page == NULL)
        return (struct acre_ptr){ NULL, ACRE_NO_MEMORY };
    struct slab_page_place place = slab_page_place(slab, page);
    if (large)
        slab_use_run_at(page, pages, place);
    else
        place.at += acre_multiply(slab_small_take(slab, page), page->size);
    return slab_hand_out(slab, place.at, large ? pages << slab->page_log2 : page->size);
}

static struct acre_ptr slab_small_retry(void *self, struct acre_layout layout)
{
    return acre_slab_alloc(self, layout);
}

struct acre_ptr acre_slab_alloc(struct acre_slab *slab, struct acre_layout layout)
{
    struct acre_ptr got = { NULL, ACRE_INVALID_PARAM };
    if (!acre_is_pow2(layout.align) || (!ACRE_ANY_ALIGN && layout.align > ACRE_SLAB_UNIT))
        return got;
    if (slab->regions.first != NULL)
        got = slab_small_alloc(slab, layout.size + (layout.size == 0), layout.align);
    if (got.ptr != NULL)
        return got;
    return acre_retry_exhausted(&slab->on_exhausted, &slab->failed, slab_small_retry, slab, layout);
}

struct acre_ptr acre_slab_alloc_natural(struct acre_slab *slab, size_t size)
{
    return acre_slab_alloc(slab, acre_layout(size, ACRE_SLAB_UNIT));
}

/* ---- dealloc ---- */

static enum acre_status slab_small_free_object(
    struct acre_slab *slab, struct acre_slab_page *page, size_t bit)
{
    slab_uncount_block(slab, page->size);
    page->free_bits |= bit;
    if (page->reciprocal == 0) {
        page->reciprocal = slab_reciprocal(slab, page->size_class);
        slab_small_join(slab, page);
    }
    if (!slab_is_empty(page))
        return ACRE_OK;
    uint32_t blocks = page->count;
    slab_small_leave(slab, page);
    slab_free_pages(slab, page);
    slab_notify_released(slab, blocks);
    return ACRE_OK;
}

static enum acre_status slab_small_free_run(struct acre_slab *slab, struct acre_slab_page *page)
{
    slab_uncount_block(slab, page->length << slab->page_log2);
    page->state = SLAB_BLANK;
    acre_slab_run_free(slab, page, page->length);
    slab_notify_released(slab, 1);
    return ACRE_OK;
}

static enum acre_status slab_small_free(struct acre_slab *slab, const struct slab_block *block)
{
    return block->bit != 0 ? slab_small_free_object(slab, block->page, block->bit)
                           : slab_small_free_run(slab, block->page);
}

enum acre_status acre_slab_dealloc(struct acre_slab *slab, void *ptr)
{
    struct slab_block block;
    return acre_slab_find_block(slab, ptr, &block) ? slab_small_free(slab, &block)
                                                   : ACRE_NOT_ALLOCATED;
}

enum acre_status acre_slab_dealloc_sized(
    struct acre_slab *slab, void *ptr, struct acre_layout layout)
{
    struct slab_block block;
    if (!acre_slab_find_block(slab, ptr, &block))
        return ACRE_NOT_ALLOCATED;
    return acre_slab_block_has_layout(slab, (uintptr_t)ptr, &block, layout)
               ? slab_small_free(slab, &block)
               : ACRE_INVALID_PARAM;
}

#endif
