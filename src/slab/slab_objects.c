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

/* Pages for a slab, as many as can be had without giving up another one. */
static struct acre_slab_page *take_pages(struct acre_slab *slab, unsigned size_class, size_t *pages)
{
    size_t least = slab_pages_of(slab, slab_class_size(size_class));
    *pages = pages_wanted(slab, size_class, least);
    struct acre_slab_page *page = acre_slab_run_take(slab, *pages, 1);
    while (page == NULL && *pages > least) {
        *pages = fewer(*pages, least);
        page = acre_slab_run_take(slab, *pages, 1);
    }
    return page != NULL ? page : acre_slab_run_force(slab, least, 1);
}

static struct acre_slab_page *make(struct acre_slab *slab, unsigned size_class)
{
    size_t pages;
    struct acre_slab_page *page = take_pages(slab, size_class, &pages);
    if (page == NULL)
        return NULL;
    page->used = 0;
    page->start = (uint32_t)acre_slab_address(slab, page);
    page->magic = slab->magic[size_class];
    page->size = (uint16_t)slab_class_size(size_class);
    page->pages = (uint8_t)pages;
    page->state = SLAB_OBJECTS;
    page->size_class = (uint8_t)size_class;
    for (size_t i = 1; i < pages; i++)
        page[i].back = (uint16_t)(i * sizeof(*page));
    return page;
}

/* Gives the pages of a slab back that is in no list. */
static void unmake(struct acre_slab *slab, struct acre_slab_page *page)
{
    size_t pages = page->pages;
    page->magic = 0;
    page->state = SLAB_BLANK;
    for (size_t i = 1; i < pages; i++)
        page[i].back = 0;
    acre_slab_run_give(slab, page, pages);
}

/* ---- at hand ---- */

static void set_hand(struct acre_slab *slab, unsigned size_class, struct acre_slab_page *page)
{
    struct acre_slab_class *class = &slab->classes[size_class];
    class->hand = page;
    class->start = acre_slab_address(slab, page);
    class->count = slab_count(slab, size_class, page->pages);
}

void acre_slab_drop_hand(struct acre_slab *slab, unsigned size_class)
{
    struct acre_slab_class *class = &slab->classes[size_class];
    struct acre_slab_page *page = class->hand;
    class->hand = &slab->none;
    class->count = 0;
    unmake(slab, page);
}

bool acre_slab_bring(struct acre_slab *slab, unsigned size_class)
{
    struct acre_slab_class *class = &slab->classes[size_class];
    if (acre_bits_lowest(~class->hand->used) < class->count)
        return true;
    struct acre_slab_page *page = class->partial;
    if (page != NULL)
        slab_unlist(&class->partial, page);
    else
        page = make(slab, size_class);
    if (page == NULL)
        return false;
    class->hand->magic = 0;
    set_hand(slab, size_class, page);
    return true;
}

/* ---- objects freed ---- */

/* A full slab has a free object again. */
static void refill(struct acre_slab *slab, struct acre_slab_page *page)
{
    page->magic = slab->magic[page->size_class];
    slab_append(&slab->classes[page->size_class].partial, page);
}

void acre_slab_release(struct acre_slab *slab, struct acre_slab_page *page, size_t bit)
{
    struct acre_slab_class *class = &slab->classes[page->size_class];
    page->used &= ~bit;
    if (page->magic == 0)
        refill(slab, page);
    if (!slab_is_empty(page))
        return;
    page->state = SLAB_OBJECTS;
    if (class->hand == page)
        return;
    slab_unlist(&class->partial, page);
    unmake(slab, page);
}
