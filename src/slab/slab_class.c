/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slabs of a class: created, made current, reused, emptied, destroyed.
 */
#include "slab/slab_tables.h"

#if ACRE_MAX_POOL == 0

/* ---- created and destroyed ---- */

/* Pages that a new slab gets if a free run is so long. */
static size_t slab_wanted_pages(
    const struct acre_slab *slab, unsigned size_class, size_t least, bool ample)
{
    size_t pages = slab->slab_pages[size_class];
    size_t most = slab->capacity / SLAB_LENGTH_DIVISOR;
    if (pages > most)
        pages = most;
    if (!ample)
        pages = pages / SLAB_SHORT_DIVISOR;
    return pages > least ? pages : least;
}

/* Makes a slab of blank pages current. */
static void slab_init_current(
    struct acre_slab *slab, unsigned size_class, struct acre_slab_page *page, size_t pages)
{
    struct slab_page_place place = slab_page_place(slab, page);
    slab_init_slab(slab, size_class, page, pages, place);
    slab_set_current(slab, size_class, page, place.at);
}

bool acre_slab_new_slab(struct acre_slab *slab, unsigned size_class, bool ample)
{
    size_t least = slab_pages_for(slab, slab->object_size[size_class]);
    size_t pages = slab_wanted_pages(slab, size_class, least, ample);
    struct acre_slab_page *page = acre_slab_run_alloc_any(slab, pages);
    if (page == NULL)
        return false;
    slab_init_current(slab, size_class, page, pages);
    return true;
}

/* Makes the longest slab current that there is room for, down to one object. A slab of one object
 * may take the place of empty slabs of other classes. */
static bool slab_create_short(struct acre_slab *slab, unsigned size_class)
{
    size_t least = slab_pages_for(slab, slab->object_size[size_class]);
    size_t pages = slab_wanted_pages(slab, size_class, least, false);
    struct acre_slab_page *page;
    do {
        pages = pages / 2 > least ? pages / 2 : least;
        page = acre_slab_run_alloc_any(slab, pages);
    } while (page == NULL && pages > least);
    if (page == NULL)
        page = acre_slab_reclaim_run(slab, least, 1);
    if (page == NULL)
        return false;
    slab_init_current(slab, size_class, page, pages);
    return true;
}

static ACRE_NOINLINE enum acre_status slab_destroy(
    struct acre_slab *slab, struct acre_slab_page *page)
{
    return slab_free_pages(slab, page);
}

/* Destroys a slab and calls on_released. */
static ACRE_NOINLINE enum acre_status slab_destroy_notifying(
    struct acre_slab *slab, struct acre_slab_page *page)
{
    uint32_t blocks = page->count;
    slab_destroy(slab, page);
    slab_notify_released(slab, blocks);
    return ACRE_OK;
}

/* Destroys a slab, as the last step of the free of its last object. */
ACRE_INLINE enum acre_status slab_release(struct acre_slab *slab, struct acre_slab_page *page)
{
    if (ACRE_UNLIKELY(slab->on_released != NULL))
        return slab_destroy_notifying(slab, page);
    return slab_free_pages(slab, page);
}

/* ---- the current slab ---- */

void acre_slab_clear_classes(struct acre_slab *slab)
{
    slab->no_slab.free_bits = SIZE_MAX;
    for (unsigned size_class = 0; size_class < ACRE_SLAB_CLASSES; size_class++) {
        slab->current[size_class] = &slab->no_slab;
        slab->current_start[size_class] = 0;
        slab->current_count[size_class] = 0;
        slab->partial[size_class] = NULL;
    }
}

void acre_slab_destroy_current(struct acre_slab *slab, unsigned size_class)
{
    struct acre_slab_page *page = slab->current[size_class];
    slab->current[size_class] = &slab->no_slab;
    slab->current_count[size_class] = 0;
    slab_destroy(slab, page);
}

void acre_slab_destroy_current_in(struct acre_slab *slab, const struct acre_slab_region *region)
{
    const struct acre_slab_page *end = region->records + region->pages;
    for (unsigned size_class = 0; size_class < ACRE_SLAB_CLASSES; size_class++) {
        const struct acre_slab_page *current = slab->current[size_class];
        if (current > region->records && current <= end)
            acre_slab_destroy_current(slab, size_class);
    }
}

void acre_slab_use_partial(struct acre_slab *slab, unsigned size_class, struct acre_slab_page *page)
{
    slab->partial[size_class] = page;
    slab_ring_remove(&slab->partial[size_class], page);
    slab_set_current(slab, size_class, page, slab_page_place(slab, page).at);
}

bool acre_slab_reuse_partial(struct acre_slab *slab, unsigned size_class, bool ample)
{
    struct acre_slab_page *page = slab_find_partial(slab, size_class, ample);
    if (page == NULL)
        return false;
    acre_slab_use_partial(slab, size_class, page);
    return true;
}

bool acre_slab_refill(struct acre_slab *slab, unsigned size_class)
{
    if (slab_has_free(slab->current[size_class], slab->current_count[size_class]))
        return true;
    bool ample = slab_is_memory_ample(slab);
    if (acre_slab_reuse_partial(slab, size_class, ample) ||
        acre_slab_new_slab(slab, size_class, ample))
        return true;
    if (slab->partial[size_class] == NULL)
        return slab_create_short(slab, size_class);
    acre_slab_use_partial(slab, size_class, slab->partial[size_class]);
    return true;
}

/* ---- objects freed ---- */

enum acre_status acre_slab_became_empty(struct acre_slab *slab, struct acre_slab_page *page)
{
    unsigned size_class = page->size_class;
    if (slab->current[size_class] == page) {
        page->state = SLAB_OBJECTS;
        page->size_steps = slab->size_steps[size_class];
        return ACRE_OK;
    }
    slab_ring_remove(&slab->partial[size_class], page);
    return slab_release(slab, page);
}

enum acre_status acre_slab_became_partial(struct acre_slab *slab, struct acre_slab_page *page)
{
    ACRE_ASSERT(slab->current[page->size_class] != page); /* SLAB-6 */
    if (slab_is_empty(page))
        return slab_release(slab, page);
    page->reciprocal = slab->reciprocal[page->size_class];
    slab_ring_append(&slab->partial[page->size_class], page);
    return ACRE_OK;
}

/* ---- runs in place of empty slabs ---- */

/* Pages of the free run or empty slab that ends before this record; 0: there is none. */
static size_t slab_spare_pages_before(struct acre_slab_page *page)
{
    const struct acre_slab_page *first = slab_first_page(page - 1);
    if (page[-1].state == SLAB_FREE)
        return page[-1].length;
    return slab_is_slab(first) && slab_is_empty(first) && first + first->pages == page
               ? first->pages
               : 0;
}

/* Pages of the free run or empty slab that starts at this record; 0: there is none. */
static size_t slab_spare_pages_from(const struct acre_slab_page *page)
{
    if (page->state == SLAB_FREE)
        return page->length;
    return slab_is_slab(page) && slab_is_empty(page) ? page->pages : 0;
}

/* The first record of the free run that destroying all empty slabs would leave around an empty
 * slab. Stores its length in *pages. At most two steps per class. */
static struct acre_slab_page *slab_run_around(struct acre_slab_page *page, size_t *pages)
{
    struct acre_slab_page *end = page;
    size_t step;
    while ((step = slab_spare_pages_from(end)) != 0)
        end += step;
    while ((step = slab_spare_pages_before(page)) != 0)
        page -= step;
    *pages = slab_records_between(page, end);
    return page;
}

size_t acre_slab_longest_run(const struct acre_slab *slab)
{
    size_t longest = acre_slab_run_longest(slab);
    for (unsigned size_class = 0; size_class < ACRE_SLAB_CLASSES; size_class++) {
        size_t pages = 0;
        if (slab_class_has_empty(slab, size_class))
            slab_run_around(slab->current[size_class], &pages);
        longest = pages > longest ? pages : longest;
    }
    return longest;
}

/* Destroys the empty slabs in [page, page + pages), which leaves one free run. */
static void slab_destroy_empty_in(
    struct acre_slab *slab, const struct acre_slab_page *page, size_t pages)
{
    for (unsigned size_class = 0; size_class < ACRE_SLAB_CLASSES; size_class++) {
        const struct acre_slab_page *current = slab->current[size_class];
        if (slab_class_has_empty(slab, size_class) && current >= page && current < page + pages)
            acre_slab_destroy_current(slab, size_class);
    }
    ACRE_ASSERT(page->state == SLAB_FREE && page->length == pages); /* SLAB-3 */
}

struct acre_slab_page *acre_slab_reclaim_run(struct acre_slab *slab, size_t pages, size_t align)
{
    for (unsigned size_class = 0; size_class < ACRE_SLAB_CLASSES; size_class++) {
        size_t whole = 0;
        if (!slab_class_has_empty(slab, size_class))
            continue;
        struct acre_slab_page *run = slab_run_around(slab->current[size_class], &whole);
        if (!acre_slab_run_fits(slab, run, whole, pages, align))
            continue;
        slab_destroy_empty_in(slab, run, whole);
        return acre_slab_run_carve(slab, run, pages, align);
    }
    return NULL;
}

#endif
