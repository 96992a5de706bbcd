/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slabs: made, brought to hand, filled, emptied, given back.
 */
#include "slab/slab_private.h"

/* ---- made and given back ---- */

/* Pages that a new slab of a class has where there is room for it: a small part of all. */
static size_t pages_wanted(const struct acre_slab *slab, unsigned size_class, size_t least)
{
    size_t pages = slab->slab_pages[size_class];
    size_t most = slab->capacity / 32;
    if (pages > most)
        pages = most;
    return pages > least ? pages : least;
}

/* Half of the pages, or the least. */
static size_t fewer(size_t pages, size_t least)
{
    return pages / 2 > least ? pages / 2 : least;
}

/* Makes a slab of blank pages. */
static struct acre_slab_page *make(
    struct acre_slab *slab, unsigned size_class, struct acre_slab_page *page, size_t pages)
{
    page->used = 0;
    page->start = (uint32_t)acre_slab_address(slab, page);
    page->magic = slab->magic[size_class];
    page->size = (uint16_t)slab->classes[size_class].size;
    page->pages = (uint8_t)pages;
    page->state = SLAB_OBJECTS;
    page->size_class = (uint8_t)size_class;
    for (size_t i = 1; i < pages; i++)
        page[i].back = (uint16_t)(i * sizeof(*page));
    return page;
}

/* A slab as long as it should be; null when no free run is that long. */
static struct acre_slab_page *make_large(struct acre_slab *slab, unsigned size_class)
{
    size_t least = slab_pages_of(slab, slab_class_size(size_class));
    size_t pages = pages_wanted(slab, size_class, least);
    struct acre_slab_page *page = acre_slab_run_take(slab, pages, 1);
    return page != NULL ? make(slab, size_class, page, pages) : NULL;
}

/* As long a slab as can be had, if but for one object, in place of the empty slabs of other classes
 * if need be. */
static struct acre_slab_page *make_small(struct acre_slab *slab, unsigned size_class)
{
    size_t least = slab_pages_of(slab, slab_class_size(size_class));
    size_t pages = pages_wanted(slab, size_class, least);
    struct acre_slab_page *page = NULL;
    while (page == NULL && pages > least) {
        pages = fewer(pages, least);
        page = acre_slab_run_take(slab, pages, 1);
    }
    if (page == NULL)
        page = acre_slab_run_force(slab, least, 1);
    return page != NULL ? make(slab, size_class, page, pages) : NULL;
}

/* Gives the pages of a slab back that is in no list. */
static struct acre_slab_page *unmake(struct acre_slab *slab, struct acre_slab_page *page)
{
    size_t pages = page->pages;
    page->magic = 0;
    page->state = SLAB_BLANK;
    for (size_t i = 1; i < pages; i++)
        page[i].back = 0;
    return acre_slab_run_give(slab, page, pages);
}

/* ---- at hand ---- */

void acre_slab_drop_hand(struct acre_slab *slab, unsigned size_class)
{
    struct acre_slab_class *class = &slab->classes[size_class];
    struct acre_slab_page *page = class->hand;
    class->hand = &slab->none;
    class->count = 0;
    unmake(slab, page);
}

/* Puts a slab into the place of the one at hand, which is full. */
static void take_in_hand(
    struct acre_slab *slab, struct acre_slab_class *class, struct acre_slab_page *page)
{
    class->hand->magic = 0;
    class->hand = page;
    class->start = acre_slab_address(slab, page);
    class->count = slab_count(slab, page->size_class, page->pages);
}

/* Free objects of a slab. */
static uint32_t free_objects(const struct acre_slab *slab, const struct acre_slab_page *page)
{
    return slab_count(slab, page->size_class, page->pages) - acre_bits_count(page->used);
}

/* The first slab of a ring that will serve for a while; null when the first ones will not. */
static struct acre_slab_page *find_rich(const struct acre_slab *slab, struct acre_slab_page *page)
{
    uint32_t enough = slab_count(slab, page->size_class, page->pages) / SLAB_RICH;
    for (int looks = SLAB_LOOKS; looks > 0; looks--) {
        if (free_objects(slab, page) >= enough)
            return page;
        page = page->next;
    }
    return NULL;
}

/* The fullest of a ring's first slabs. */
static struct acre_slab_page *find_fullest(
    const struct acre_slab *slab, struct acre_slab_page *first)
{
    struct acre_slab_page *best = first;
    uint32_t least = free_objects(slab, first);
    struct acre_slab_page *page = first->next;
    for (int looks = SLAB_LOOKS; looks > 0 && page != first; looks--) {
        uint32_t free = free_objects(slab, page);
        best = free < least ? page : best;
        least = free < least ? free : least;
        page = page->next;
    }
    return best;
}

static void take_partial(
    struct acre_slab *slab, struct acre_slab_class *class, struct acre_slab_page *page)
{
    class->partial = page;
    slab_unlist(&class->partial, page);
    take_in_hand(slab, class, page);
}

bool acre_slab_next(struct acre_slab *slab, struct acre_slab_class *class)
{
    struct acre_slab_page *page = class->partial;
    if (page == NULL)
        return false;
    page = acre_slab_has_plenty(slab) ? find_rich(slab, page) : find_fullest(slab, page);
    if (page == NULL)
        return false;
    take_partial(slab, class, page);
    return true;
}

bool acre_slab_bring(struct acre_slab *slab, unsigned size_class)
{
    struct acre_slab_class *class = &slab->classes[size_class];
    if (slab_has_free(class->hand, class->count) || acre_slab_next(slab, class))
        return true;
    struct acre_slab_page *page = make_large(slab, size_class);
    if (page == NULL && class->partial != NULL) {
        take_partial(slab, class, class->partial);
        return true;
    }
    if (page == NULL)
        page = make_small(slab, size_class);
    if (page == NULL)
        return false;
    take_in_hand(slab, class, page);
    return true;
}

/* ---- objects freed ---- */

void acre_slab_release(struct acre_slab *slab, struct acre_slab_page *page, size_t bit)
{
    struct acre_slab_class *class = &slab->classes[page->size_class];
    page->used &= ~bit;
    if (page->magic == 0) {
        page->magic = slab->magic[page->size_class];
        slab_append(&class->partial, page);
    }
    if (!slab_is_empty(page))
        return;
    page->state = SLAB_OBJECTS;
    if (class->hand == page)
        return;
    slab_unlist(&class->partial, page);
    acre_slab_run_grown(slab, unmake(slab, page));
}
