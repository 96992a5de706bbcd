/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab's slow paths of alloc and dealloc, and what is known of a live block.
 */
#include "base/exhausted.h"
#include "slab/slab_list.h"

/* ---- alloc ---- */

ACRE_NOINLINE struct acre_ptr acre_slab_alloc_peak(struct acre_slab *slab, uintptr_t at)
{
    slab_raise_peak(slab);
    return (struct acre_ptr){ (void *)at, ACRE_OK };
}

ACRE_INLINE struct acre_ptr slab_hand_out(struct acre_slab *slab, uintptr_t at, size_t bytes)
{
    if (!slab_count_block(slab, bytes))
        slab_raise_peak(slab);
    return (struct acre_ptr){ (void *)at, ACRE_OK };
}

static struct acre_ptr slab_no_memory(void)
{
    return (struct acre_ptr){ NULL, ACRE_NO_MEMORY };
}

/* Takes an object from the current slab, which has one. */
ACRE_INLINE struct acre_ptr slab_take_object(struct acre_slab *slab, unsigned size_class)
{
    struct acre_slab_page *page = slab->current[size_class];
    size_t size = slab->object_size[size_class];
    size_t index = acre_bits_lowest(page->free_bits);
    ACRE_ASSERT(index < slab->current_count[size_class]); /* SLAB-5 */
    page->free_bits &= page->free_bits - 1;
    return slab_hand_out(slab, slab->current_start[size_class] + acre_multiply(index, size), size);
}

/* The lowest class from `size_class` to `last` that has a free object at multiples of `align`;
 * ACRE_SLAB_CLASSES when none has. */
static unsigned slab_find_fallback(
    const struct acre_slab *slab, unsigned size_class, unsigned last, size_t align)
{
    for (; size_class <= last && size_class < ACRE_SLAB_CLASSES; size_class++)
        if ((slab->object_size[size_class] & (align - 1)) == 0 &&
            slab_class_has_object(slab, size_class))
            return size_class;
    return ACRE_SLAB_CLASSES;
}

/* An object of a larger class than the request's. */
static struct acre_ptr slab_alloc_fallback(struct acre_slab *slab, unsigned size_class)
{
    acre_slab_refill(slab, size_class);
    slab_mark_mixed(slab->current[size_class]);
    return slab_take_object(slab, size_class);
}

/* An object of a class none of whose slabs has one. */
static struct acre_ptr slab_alloc_object(struct acre_slab *slab, unsigned size_class, size_t align)
{
    unsigned larger = ACRE_SLAB_CLASSES;
    if (!slab_is_memory_ample(slab))
        larger =
            slab_find_fallback(slab, size_class + 1, size_class + SLAB_FALLBACK_CLASSES, align);
    if (larger == ACRE_SLAB_CLASSES) {
        if (acre_slab_refill(slab, size_class))
            return slab_take_object(slab, size_class);
        larger = slab_find_fallback(slab, size_class + 1, ACRE_SLAB_CLASSES, align);
    }
    return larger != ACRE_SLAB_CLASSES ? slab_alloc_fallback(slab, larger) : slab_no_memory();
}

/* Makes a run in no list, whose first page is at a place, a live block. */
ACRE_INLINE void slab_use_run_at(
    struct acre_slab_page *page, size_t pages, struct slab_page_place place)
{
    ACRE_ASSERT(page->reciprocal == 0); /* SLAB-6 */
    page->length = pages;
    page->start = (uint32_t)place.at;
    page->state = SLAB_RUN;
    *place.entry = page;
}

/* The same in any map. */
static ACRE_NOINLINE struct acre_ptr slab_use_run(
    struct acre_slab *slab, struct acre_slab_page *page, size_t pages)
{
    struct slab_page_place place = slab_page_place(slab, page);
    slab_use_run_at(page, pages, place);
    return slab_hand_out(slab, place.at, pages << slab->page_log2);
}

static struct acre_ptr slab_alloc_run(struct acre_slab *slab, size_t size, size_t align)
{
    size_t pages = slab_pages_for(slab, size);
    struct acre_slab_page *page = acre_slab_run_alloc(slab, pages, align);
    if (page == NULL)
        page = acre_slab_reclaim_run(slab, pages, align);
    if (page == NULL)
        return slab_no_memory();
    return slab_use_run(slab, page, pages);
}

static struct acre_ptr slab_alloc_owned(struct acre_slab *slab, size_t size, size_t align)
{
    if (align > slab_page_size(slab) || size > slab_largest_object(slab))
        return slab_alloc_run(slab, size, align);
    size = acre_align_up(size, align);
    if (size > slab_largest_object(slab))
        return slab_alloc_run(slab, size, align);
    unsigned size_class = slab_class_of(slab, size);
    if (!slab_class_has_object(slab, size_class))
        return slab_alloc_object(slab, size_class, align);
    acre_slab_refill(slab, size_class);
    return slab_take_object(slab, size_class);
}

static struct acre_ptr slab_retry(void *self, struct acre_layout layout)
{
    return acre_slab_alloc_slow(self, layout);
}

/* A request for which the memory owned has no room: calls the handler, or refuses. */
static ACRE_NOINLINE struct acre_ptr slab_exhausted(
    struct acre_slab *slab, struct acre_layout layout)
{
    return acre_retry_exhausted(&slab->on_exhausted, &slab->failed, slab_retry, slab, layout);
}

ACRE_NOINLINE struct acre_ptr acre_slab_alloc_slow(
    struct acre_slab *slab, struct acre_layout layout)
{
    size_t size = layout.size + (layout.size == 0);
    if (!acre_is_pow2(layout.align))
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    if (slab->regions.first == NULL)
        return slab_exhausted(slab, layout);
    struct acre_ptr got = slab_alloc_owned(slab, size, layout.align);
    return got.ptr != NULL ? got : slab_exhausted(slab, layout);
}

/* Takes the pages from the first run of a list, which has as many. */
static ACRE_NOINLINE struct acre_ptr slab_alloc_from_list(
    struct acre_slab *slab, struct acre_slab_page *page, size_t list, size_t pages)
{
    slab_list_cut(slab, page, list, pages);
    size_t number = slab_main_number(slab, page);
    if (ACRE_UNLIKELY(number >= slab->pages))
        return slab_use_run(slab, page, pages);
    struct slab_page_place place = slab_main_place(slab, number);
    slab_use_run_at(page, pages, place);
    if (ACRE_UNLIKELY(!slab_count_block(slab, pages << slab->page_log2)))
        return acre_slab_alloc_peak(slab, place.at);
    return (struct acre_ptr){ (void *)place.at, ACRE_OK };
}

/* Serves a request from its own list or from one in the same word of the bitmap. A size of 0 wraps to
 * more pages than there are. */
ACRE_NOINLINE struct acre_ptr acre_slab_alloc_large(
    struct acre_slab *slab, struct acre_layout layout)
{
    size_t pages = ((layout.size - 1) >> slab->page_log2) + 1;
    size_t list = slab_run_list(pages);
    if (ACRE_UNLIKELY(list >= SLAB_NO_LIST))
        return acre_slab_alloc_slow(slab, layout);
    struct acre_slab_page *page = slab->runs[list];
    if (page != NULL && page->length >= pages)
        return slab_alloc_from_list(slab, page, list, pages);
    size_t word = slab_list_word_from(slab, ++list);
    if (ACRE_UNLIKELY(word == 0))
        return acre_slab_alloc_slow(slab, layout);
    list += acre_bits_lowest(word);
    return slab_alloc_from_list(slab, slab->runs[list], list, pages);
}

ACRE_NOINLINE struct acre_ptr acre_slab_alloc_refill(
    struct acre_slab *slab, struct acre_layout layout, unsigned size_class)
{
    bool ample = slab_is_memory_ample(slab);
    if (acre_slab_reuse_partial(slab, size_class, ample) ||
        (ample && acre_slab_create(slab, size_class, true)))
        return slab_take_object(slab, size_class);
    return acre_slab_alloc_slow(slab, layout);
}

/* ---- dealloc ---- */

/* Frees a run whose record is blank, and calls on_released. */
static ACRE_NOINLINE enum acre_status slab_dealloc_run_notifying(
    struct acre_slab *slab, struct acre_slab_page *page)
{
    acre_slab_run_free(slab, page, page->length);
    slab_notify_released(slab, 1);
    return ACRE_OK;
}

ACRE_INLINE enum acre_status slab_dealloc_run(struct acre_slab *slab, struct acre_slab_page *page)
{
    slab_uncount_block(slab, page->length << slab->page_log2);
    page->state = SLAB_BLANK;
    if (slab->on_released != NULL)
        return slab_dealloc_run_notifying(slab, page);
    return acre_slab_run_free(slab, page, page->length);
}

/* No slab, or a full one, or no object starts there. */
ACRE_NOINLINE enum acre_status acre_slab_dealloc_slow(
    struct acre_slab *slab, void *ptr, struct acre_slab_page *page)
{
    uint32_t offset = (uint32_t)(uintptr_t)ptr - page->start;
    if (offset == 0 && page->state == SLAB_RUN)
        return slab_dealloc_run(slab, page);
    if (!slab_is_slab(page) || page->reciprocal != 0)
        return ACRE_NOT_ALLOCATED;
    size_t index = slab_object_index(offset, slab->reciprocal[page->size_class]);
    if (index >= SLAB_WORD_BITS || (page->free_bits >> index & 1) != 0)
        return ACRE_NOT_ALLOCATED;
    page->free_bits |= (size_t)1 << index;
    slab_uncount_block(slab, page->size);
    return acre_slab_became_partial(slab, page);
}

/* ---- live blocks ---- */

/* The block, if a live one starts at an address whose page leads to this record. */
static bool slab_find_block_at(const struct acre_slab *slab, uintptr_t at,
    struct acre_slab_page *page, struct slab_block *block)
{
    uint32_t offset = (uint32_t)at - page->start;
    *block = (struct slab_block){ page, 0, page->length << slab->page_log2 };
    if (page->state == SLAB_RUN)
        return offset == 0;
    if (!slab_is_slab(page))
        return false;
    size_t index = slab_object_index(offset, slab->reciprocal[page->size_class]);
    if (index >= SLAB_WORD_BITS)
        return false;
    *block = (struct slab_block){ page, (size_t)1 << index, page->size };
    return (page->free_bits & block->bit) == 0;
}

bool acre_slab_find_block(const struct acre_slab *slab, const void *ptr, struct slab_block *block)
{
    uintptr_t at = (uintptr_t)ptr;
    size_t number = (at - slab->base) >> slab->page_log2;
    if (ACRE_LIKELY(number < slab->pages))
        return slab_find_block_at(slab, at, slab->page_map[number], block);
    struct acre_slab_page *page = acre_slab_find_page(slab, at);
    return page != NULL && slab_find_block_at(slab, at, page, block);
}

/* Whether an object of this class serves so many bytes at this alignment, or at a lesser one. At
 * most 10 steps: the size rounds up to the alignment, and an object has at most 8192 bytes. */
static bool slab_class_serves(
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

bool acre_slab_block_has_layout(const struct acre_slab *slab, uintptr_t at,
    const struct slab_block *block, struct acre_layout layout)
{
    size_t size = layout.size + (layout.size == 0);
    if (!acre_is_pow2(layout.align) || (at & (layout.align - 1)) != 0 || size > block->size)
        return false;
    if (block->bit == 0)
        return block->size - size < slab_page_size(slab);
    return block->page->state == SLAB_MIXED || slab_class_serves(slab, block, size, layout.align);
}

struct acre_num acre_slab_usable_size(const struct acre_slab *slab, const void *ptr)
{
    struct slab_block block;
    if (!acre_slab_find_block(slab, ptr, &block))
        return (struct acre_num){ 0, ACRE_NOT_ALLOCATED };
    return (struct acre_num){ block.size, ACRE_OK };
}

/* ---- resize ---- */

/* Gives a live run as many pages as a size takes; false when there is no room after it. */
static bool slab_resize_run(struct acre_slab *slab, struct acre_slab_page *page, size_t size)
{
    size_t had = page->length;
    size_t want = slab_pages_for(slab, size);
    if (want > had) {
        struct acre_slab_page *after = page + had;
        if (after->state != SLAB_FREE || after->length < want - had)
            return false;
        acre_slab_run_take_front(slab, after, want - had);
    }
    page->length = want;
    if (want < had)
        acre_slab_run_free(slab, page + want, had - want);
    slab->headroom += (ptrdiff_t)((had - want) << slab->page_log2);
    if (slab->headroom < 0)
        slab_raise_peak(slab);
    return true;
}

bool acre_slab_resize_block(struct acre_slab *slab, const struct slab_block *block, size_t size)
{
    size += size == 0;
    if (block->bit == 0)
        return slab_resize_run(slab, block->page, size);
    if (size > block->size)
        return false;
    if (slab_class_of(slab, size) != block->page->size_class)
        slab_mark_mixed(block->page);
    return true;
}

enum acre_status acre_slab_resize(struct acre_slab *slab, void *ptr, size_t size)
{
    struct slab_block block;
    if (!acre_slab_find_block(slab, ptr, &block))
        return ACRE_NOT_ALLOCATED;
    if (acre_slab_resize_block(slab, &block, size))
        return ACRE_OK;
    slab->failed++;
    return ACRE_NO_MEMORY;
}
