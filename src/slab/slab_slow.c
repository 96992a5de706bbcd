/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab's slow paths of alloc and dealloc.
 */
#include "base/exhausted.h"
#include "slab/slab_tables.h"

#if ACRE_MAX_POOL == 0

/* ---- alloc ---- */

ACRE_NOINLINE struct acre_ptr acre_slab_alloc_peak(struct acre_slab *slab, uintptr_t at)
{
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

/* Allocates an object of a larger class than the request's. */
static struct acre_ptr slab_alloc_fallback(struct acre_slab *slab, unsigned size_class)
{
    acre_slab_refill(slab, size_class);
    slab_mark_fallback(slab->current[size_class]);
    return slab_take_object(slab, size_class);
}

/* Allocates an object for a class none of whose slabs has a free one. */
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

/* Makes a run that is in no list a live block, whichever map its records are in. */
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
    ACRE_ASSERT(size <= slab_largest_object(slab)); /* which is some pages */
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

/* Ends a request for which there is no memory: calls the handler and retries, or refuses. */
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

/* Allocates whole pages from the first run of a list, which is long enough. */
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

/* Takes pages from the list of their length, or from one in the same word of the bitmap; the slow
 * path does the rest. A size of 0 wraps to more pages than there are. */
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

/* Makes a partial slab current and allocates from it. */
static ACRE_NOINLINE struct acre_ptr slab_alloc_reused(
    struct acre_slab *slab, unsigned size_class, struct acre_slab_page *page)
{
    acre_slab_use_partial(slab, size_class, page);
    return slab_take_object(slab, size_class);
}

/* Allocates from a new slab outside the main map, or of another length than the usual one. */
static ACRE_NOINLINE struct acre_ptr slab_alloc_new_slow(
    struct acre_slab *slab, struct acre_layout layout, unsigned size_class)
{
    if (acre_slab_new_slab(slab, size_class, true))
        return slab_take_object(slab, size_class);
    return acre_slab_alloc_slow(slab, layout);
}

/* Ends the alloc of the first object of a new slab. */
ACRE_INLINE struct acre_ptr slab_alloc_first(
    struct acre_slab *slab, const struct acre_slab_page *page)
{
    uintptr_t at = slab->current_start[page->size_class];
    if (ACRE_UNLIKELY(!slab_count_block(slab, page->size)))
        return acre_slab_alloc_peak(slab, at);
    return (struct acre_ptr){ (void *)at, ACRE_OK };
}

/* The same for a slab that is shorter than the last one that began there. */
static ACRE_NOINLINE struct acre_ptr slab_alloc_first_shorter(struct acre_slab *slab,
    struct acre_slab_page *page, size_t pages, struct acre_slab_page **entry)
{
    acre_slab_map_slab(slab, page, pages, entry);
    return slab_alloc_first(slab, page);
}

/* Sets the page-map entries of a new slab, and ends the alloc of its first object. */
static ACRE_NOINLINE struct acre_ptr slab_alloc_first_mapping(struct acre_slab *slab,
    struct acre_slab_page *page, size_t pages, struct acre_slab_page **entry)
{
    if (ACRE_UNLIKELY(page->pages > pages))
        return slab_alloc_first_shorter(slab, page, pages, entry);
    slab_set_entries(entry, page, pages);
    page->pages = (uint8_t)pages;
    return slab_alloc_first(slab, page);
}

/* Allocates from a new slab of the usual length in the main map, while memory is ample. */
static ACRE_NOINLINE struct acre_ptr slab_alloc_new(
    struct acre_slab *slab, struct acre_layout layout, unsigned size_class)
{
    size_t pages = slab->slab_pages[size_class];
    size_t list = slab_list_fitting(slab, pages);
    if (ACRE_UNLIKELY(pages > slab->capacity / SLAB_LENGTH_DIVISOR || list == SLAB_NO_LIST))
        return slab_alloc_new_slow(slab, layout, size_class);
    struct acre_slab_page *page = slab->runs[list];
    size_t number = slab_main_number(slab, page);
    if (ACRE_UNLIKELY(number >= slab->pages))
        return slab_alloc_new_slow(slab, layout, size_class);
    struct slab_page_place place = slab_main_place(slab, number);
    slab_list_cut(slab, page, list, pages);
    slab_init_records(slab, size_class, page, pages, place.at);
    slab_set_current(slab, size_class, page, place.at);
    page->free_bits--;
    return slab_alloc_first_mapping(slab, page, pages, place.entry);
}

/* acre_slab_alloc_refill() while memory is short. */
static ACRE_NOINLINE struct acre_ptr slab_alloc_refill_short(
    struct acre_slab *slab, struct acre_layout layout, unsigned size_class)
{
    struct acre_slab_page *page = slab->partial[size_class];
    if (page != NULL)
        return slab_alloc_reused(slab, size_class, slab_find_fullest(page));
    return acre_slab_alloc_slow(slab, layout);
}

ACRE_NOINLINE struct acre_ptr acre_slab_alloc_refill(
    struct acre_slab *slab, struct acre_layout layout, unsigned size_class)
{
    struct acre_slab_page *page = slab->partial[size_class];
    if (ACRE_UNLIKELY(!slab_is_memory_ample(slab)))
        return slab_alloc_refill_short(slab, layout, size_class);
    if (page != NULL && slab_is_reusable(page))
        return slab_alloc_reused(slab, size_class, page);
    return slab_alloc_new(slab, layout, size_class);
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

/* The record is of no slab, or of a full one, or no object starts at the pointer. */
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

#endif
