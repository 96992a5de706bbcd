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
    size_t most = slab->capacity / SLAB_SMALL_PART;
    if (pages > most)
        pages = most;
    return pages > least ? pages : least;
}

/* Half of the pages, or the least. */
static size_t fewer(size_t pages, size_t least)
{
    return pages / 2 > least ? pages / 2 : least;
}

/* Makes all entries of a slab lead to it. */
static void lead(struct acre_slab_page **head, struct acre_slab_page *page, size_t pages)
{
    for (; pages >= 4; pages -= 4, head += 4) {
        head[0] = page;
        head[1] = page;
        head[2] = page;
        head[3] = page;
    }
    for (; pages != 0; pages--)
        *head++ = page;
}

/* Makes no entry of [from, to) lead to this slab; an earlier one that began here was longer. */
static void mislead(struct acre_slab *slab, struct acre_slab_page **from,
    struct acre_slab_page **to, const struct acre_slab_page *page)
{
    for (; from != to; from++)
        if (*from == page)
            *from = &slab->none;
}

/* Puts a slab into the place of the one at hand, which is full. */
static void take_in_hand(
    struct acre_slab *slab, unsigned size_class, struct acre_slab_page *page, uintptr_t at)
{
    slab->hand[size_class]->magic = 0;
    slab->hand[size_class] = page;
    slab->start[size_class] = at;
    slab->count[size_class] = page->count;
}

/* Makes a slab of blank pages, at hand. */
static void make(
    struct acre_slab *slab, unsigned size_class, struct acre_slab_page *page, size_t pages)
{
    struct slab_spot spot = acre_slab_spot(slab, page);
    page->free = SIZE_MAX;
    page->start = (uint32_t)spot.at;
    page->magic = slab->magic[size_class];
    page->size = (uint16_t)slab->size[size_class];
    page->pages = (uint8_t)pages;
    page->state = SLAB_OBJECTS;
    page->size_class = (uint8_t)size_class;
    page->count = (uint8_t)slab_count(slab, size_class, pages);
    page[pages - 1].back = (uint8_t)(pages - 1);
    lead(spot.head, page, pages);
    if (page->reach > pages)
        mislead(slab, spot.head + pages, spot.head + page->reach, page);
    page->reach = (uint8_t)pages;
    take_in_hand(slab, size_class, page, spot.at);
}

bool acre_slab_new(struct acre_slab *slab, unsigned size_class)
{
    size_t least = slab_pages_of(slab, slab->size[size_class]);
    size_t pages = pages_wanted(slab, size_class, least);
    struct acre_slab_page *page = acre_slab_run_take(slab, pages, 1);
    if (page == NULL)
        return false;
    make(slab, size_class, page, pages);
    return true;
}

/* As long a slab as can be had, if but for one object, in place of the empty slabs of other classes
 * if need be. */
static bool make_small(struct acre_slab *slab, unsigned size_class)
{
    size_t least = slab_pages_of(slab, slab->size[size_class]);
    size_t pages = pages_wanted(slab, size_class, least);
    struct acre_slab_page *page;
    do {
        pages = fewer(pages, least);
        page = acre_slab_run_take(slab, pages, 1);
    } while (page == NULL && pages > least);
    if (page == NULL)
        page = acre_slab_run_force(slab, least, 1);
    if (page == NULL)
        return false;
    make(slab, size_class, page, pages);
    return true;
}

/* Gives the pages of a slab back that is in no list. Their entries go on leading to its record,
 * which is no slab's any more. */
static void unmake(struct acre_slab *slab, struct acre_slab_page *page)
{
    page->magic = 0;
    page->state = SLAB_BLANK;
    acre_slab_run_give(slab, page, page->pages);
}

/* ---- at hand ---- */

void acre_slab_drop_hand(struct acre_slab *slab, unsigned size_class)
{
    struct acre_slab_page *page = slab->hand[size_class];
    slab->hand[size_class] = &slab->none;
    slab->count[size_class] = 0;
    unmake(slab, page);
}

/* The first slab of a ring that will serve for a while; null when the first ones will not. */
static struct acre_slab_page *find_rich(struct acre_slab_page *page)
{
    unsigned enough = slab_free_bits_of_rich(page);
    for (int looks = SLAB_LOOKS; looks > 0; looks--) {
        if (acre_bits_count(page->free) >= enough)
            return page;
        page = page->next;
    }
    return NULL;
}

/* The fullest of a ring's first slabs; a shorter one counts as less full. */
static struct acre_slab_page *find_fullest(struct acre_slab_page *first)
{
    struct acre_slab_page *best = first;
    unsigned least = acre_bits_count(first->free);
    struct acre_slab_page *page = first->next;
    for (int looks = SLAB_LOOKS; looks > 1 && page != first; looks--) {
        unsigned free = acre_bits_count(page->free);
        best = free < least ? page : best;
        least = free < least ? free : least;
        page = page->next;
    }
    return best;
}

static void take_partial(struct acre_slab *slab, unsigned size_class, struct acre_slab_page *page)
{
    slab->partial[size_class] = page;
    slab_unlist(&slab->partial[size_class], page);
    take_in_hand(slab, size_class, page, acre_slab_spot(slab, page).at);
}

bool acre_slab_next(struct acre_slab *slab, unsigned size_class, bool plenty)
{
    struct acre_slab_page *page = slab->partial[size_class];
    if (page == NULL)
        return false;
    page = plenty ? find_rich(page) : find_fullest(page);
    if (page == NULL)
        return false;
    take_partial(slab, size_class, page);
    return true;
}

bool acre_slab_bring(struct acre_slab *slab, unsigned size_class)
{
    if (slab_has_free(slab->hand[size_class], slab->count[size_class]) ||
        acre_slab_next(slab, size_class, slab_has_plenty(slab)) || acre_slab_new(slab, size_class))
        return true;
    if (slab->partial[size_class] == NULL)
        return make_small(slab, size_class);
    take_partial(slab, size_class, slab->partial[size_class]);
    return true;
}

/* ---- objects freed ---- */

enum acre_status acre_slab_emptied(struct acre_slab *slab, struct acre_slab_page *page)
{
    unsigned size_class = page->size_class;
    page->state = SLAB_OBJECTS;
    if (slab->hand[size_class] == page)
        return ACRE_OK;
    slab_unlist(&slab->partial[size_class], page);
    uint32_t blocks = page->count;
    unmake(slab, page);
    slab_run_grown(slab, blocks);
    return ACRE_OK;
}

enum acre_status acre_slab_opened(struct acre_slab *slab, struct acre_slab_page *page)
{
    if (slab_is_empty(page)) {
        page->state = SLAB_OBJECTS;
        unmake(slab, page);
        slab_run_grown(slab, 1);
        return ACRE_OK;
    }
    page->magic = slab->magic[page->size_class];
    slab_append(&slab->partial[page->size_class], page);
    return ACRE_OK;
}
