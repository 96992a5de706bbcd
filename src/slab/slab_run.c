/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab's runs of pages: good fit from lists by length, merged at once with their neighbours.
 */
#include "slab/slab_private.h"

/* ---- regions ---- */

struct acre_slab_region *acre_slab_region_of(const struct acre_slab *slab, uintptr_t at)
{
    struct acre_slab_region *region = slab->regions;
    while (region != NULL && (at - region->base) >> slab->page_log2 >= region->pages)
        region = region->next;
    return region;
}

static bool has_record(const struct acre_slab_region *region, const struct acre_slab_page *page)
{
    return page > region->records && page <= region->records + region->pages;
}

struct acre_slab_region *acre_slab_region_with(
    const struct acre_slab *slab, const struct acre_slab_page *page)
{
    struct acre_slab_region *region = slab->regions;
    while (!has_record(region, page))
        region = region->next;
    return region;
}

struct slab_spot acre_slab_spot(const struct acre_slab *slab, const struct acre_slab_page *page)
{
    struct slab_spot spot;
    size_t number = ((uintptr_t)page - (uintptr_t)slab->records) / sizeof(*page);
    if (ACRE_LIKELY(page >= slab->records && number < slab->pages)) {
        spot.at = slab->base + (number << slab->page_log2);
        spot.head = slab->heads + number;
        return spot;
    }
    const struct acre_slab_region *region = acre_slab_region_with(slab, page);
    number = (size_t)(page - region->records - 1);
    spot.at = region->base + (number << slab->page_log2);
    spot.head = region->heads + number;
    return spot;
}

/* ---- lists ---- */

ACRE_INLINE size_t *word_of(struct acre_slab *slab, size_t list)
{
    return &slab->nonempty[list >> SLAB_WORD_LOG2];
}

ACRE_INLINE size_t bit_of(size_t list)
{
    return (size_t)1 << (list % SLAB_WORD_BITS);
}

static void push(struct acre_slab *slab, struct acre_slab_page *page, size_t pages)
{
    size_t list = slab_run_list(pages);
    page->list = (uint8_t)list;
    slab_append(&slab->runs[list], page);
    slab->runs[list] = page;
    *word_of(slab, list) |= bit_of(list);
}

static void unlink(struct acre_slab *slab, struct acre_slab_page *page)
{
    size_t list = page->list;
    slab_unlist(&slab->runs[list], page);
    if (slab->runs[list] == NULL)
        *word_of(slab, list) &= ~bit_of(list);
}

/* The first list from `list` on that is not empty; SLAB_NO_LIST when all are. */
static size_t find(const struct acre_slab *slab, size_t list)
{
    if (list >= SLAB_NO_LIST)
        return SLAB_NO_LIST;
    size_t at = list >> SLAB_WORD_LOG2;
    size_t word = slab->nonempty[at] >> (list % SLAB_WORD_BITS);
    if (word != 0)
        return list + acre_bits_lowest(word);
    while (++at < ACRE_SLAB_RUN_WORDS)
        if (slab->nonempty[at] != 0)
            return at * SLAB_WORD_BITS + acre_bits_lowest(slab->nonempty[at]);
    return SLAB_NO_LIST;
}

/* ---- free runs ---- */

static void mark(struct acre_slab_page *page, size_t pages)
{
    page->length = pages;
    page->state = SLAB_FREE;
    page[pages - 1].length = pages;
    page[pages - 1].state = SLAB_FREE;
}

static void unmark(struct acre_slab_page *page, size_t pages)
{
    page->state = SLAB_BLANK;
    page[pages - 1].state = SLAB_BLANK;
}

static void take_out(struct acre_slab *slab, struct acre_slab_page *page)
{
    unlink(slab, page);
    unmark(page, page->length);
}

static void put_in(struct acre_slab *slab, struct acre_slab_page *page, size_t pages)
{
    mark(page, pages);
    push(slab, page, pages);
}

struct acre_slab_page *acre_slab_run_give(
    struct acre_slab *slab, struct acre_slab_page *page, size_t pages)
{
    struct acre_slab_page *behind = page + pages;
    if (behind->state == SLAB_FREE) {
        pages += behind->length;
        take_out(slab, behind);
    }
    if (page[-1].state == SLAB_FREE) {
        size_t before = page[-1].length;
        page -= before;
        pages += before;
        take_out(slab, page);
    }
    put_in(slab, page, pages);
    return page;
}

void acre_slab_run_cut(struct acre_slab *slab, struct acre_slab_page *page, size_t pages)
{
    size_t whole = page->length;
    take_out(slab, page);
    if (whole != pages)
        put_in(slab, page + pages, whole - pages);
}

/* ---- taking ---- */

/* Pages between the start of a run and the first one of it at a multiple of `align`. */
static size_t gap_of(const struct acre_slab *slab, const struct acre_slab_page *page, size_t align)
{
    if (align <= slab_page_size(slab))
        return 0;
    return (size_t)(0 - acre_slab_spot(slab, page).at) % align >> slab->page_log2;
}

/* Whether a run of `whole` pages has room for so many behind a gap. */
static bool has_room(size_t whole, size_t gap, size_t pages)
{
    return gap <= whole && whole - gap >= pages;
}

/* The first run of a list, if there is room in it; else null. */
static struct acre_slab_page *first_with_room(
    const struct acre_slab *slab, size_t list, size_t pages, size_t align)
{
    struct acre_slab_page *page = list < SLAB_NO_LIST ? slab->runs[list] : NULL;
    return page != NULL && has_room(page->length, gap_of(slab, page, align), pages) ? page : NULL;
}

/* The run to take from: of the list of that length when its first one will do, else of a list whose
 * runs all are long enough. */
static struct acre_slab_page *fitting(
    const struct acre_slab *slab, size_t pages, size_t need, size_t align)
{
    size_t own = slab_run_list(need);
    struct acre_slab_page *page = first_with_room(slab, own, pages, align);
    return page != NULL ? page : first_with_room(slab, find(slab, own + 1), pages, align);
}

static struct acre_slab_page *cut_out(
    struct acre_slab *slab, struct acre_slab_page *page, size_t pages, size_t align)
{
    size_t gap = gap_of(slab, page, align);
    size_t whole = page->length;
    take_out(slab, page);
    if (gap != 0)
        put_in(slab, page, gap);
    if (whole - gap != pages)
        put_in(slab, page + gap + pages, whole - gap - pages);
    return page + gap;
}

/* The first of a list's runs, cut to length. */
static struct acre_slab_page *cut_first(struct acre_slab *slab, size_t list, size_t pages)
{
    struct acre_slab_page *page = slab->runs[list];
    size_t whole = page->length;
    take_out(slab, page);
    if (whole != pages)
        put_in(slab, page + pages, whole - pages);
    return page;
}

/* acre_slab_run_take at any page. */
static struct acre_slab_page *take_any(struct acre_slab *slab, size_t pages)
{
    size_t list = slab_run_list(pages);
    if (list >= SLAB_NO_LIST)
        return NULL;
    if (slab->runs[list] == NULL || slab->runs[list]->length < pages)
        list = find(slab, list + 1);
    return list != SLAB_NO_LIST ? cut_first(slab, list, pages) : NULL;
}

struct acre_slab_page *acre_slab_run_take(struct acre_slab *slab, size_t pages, size_t align)
{
    if (align <= slab_page_size(slab))
        return take_any(slab, pages);
    struct acre_slab_page *page = fitting(slab, pages, pages, align);
    size_t more = (align - 1) >> slab->page_log2;
    if (page == NULL && pages + more > pages)
        page = fitting(slab, pages, pages + more, align);
    return page != NULL ? cut_out(slab, page, pages, align) : NULL;
}

/* ---- empty slabs at hand ---- */

/* Pages that end before this record and are free, or those of an empty slab at hand; 0: neither. */
static size_t spare_before(struct acre_slab_page *page)
{
    const struct acre_slab_page *first = slab_first(page - 1);
    if (page[-1].state == SLAB_FREE)
        return page[-1].length;
    return slab_is_slab(first) && slab_is_empty(first) && first + first->pages == page
               ? first->pages
               : 0;
}

static size_t spare_from(const struct acre_slab_page *page)
{
    if (page->state == SLAB_FREE)
        return page->length;
    return slab_is_slab(page) && slab_is_empty(page) ? page->pages : 0;
}

/* The run that there would be around an empty slab were all of them given up; its pages go to
 * *pages. At most two steps a class. */
static struct acre_slab_page *run_around(struct acre_slab_page *page, size_t *pages)
{
    struct acre_slab_page *end = page;
    size_t step;
    while ((step = spare_from(end)) != 0)
        end += step;
    while ((step = spare_before(page)) != 0)
        page -= step;
    *pages = (size_t)(end - page);
    return page;
}

static bool has_empty_hand(const struct acre_slab *slab, unsigned size_class)
{
    const struct acre_slab_page *hand = slab->hand[size_class];
    return hand != &slab->none && slab_is_empty(hand);
}

size_t acre_slab_run_longest(const struct acre_slab *slab)
{
    size_t longest = 0;
    for (size_t at = ACRE_SLAB_RUN_WORDS; at > 0 && longest == 0; at--)
        if (slab->nonempty[at - 1] != 0)
            longest =
                slab->runs[(at - 1) * SLAB_WORD_BITS + acre_bits_highest(slab->nonempty[at - 1])]
                    ->length;
    for (unsigned size_class = 0; size_class < ACRE_SLAB_CLASSES; size_class++) {
        size_t pages = 0;
        if (has_empty_hand(slab, size_class))
            run_around(slab->hand[size_class], &pages);
        longest = pages > longest ? pages : longest;
    }
    return longest;
}

/* Gives up the empty slabs in [page, page + pages), which leaves one free run. */
static void drop_hands_in(struct acre_slab *slab, const struct acre_slab_page *page, size_t pages)
{
    for (unsigned size_class = 0; size_class < ACRE_SLAB_CLASSES; size_class++) {
        const struct acre_slab_page *hand = slab->hand[size_class];
        if (has_empty_hand(slab, size_class) && hand >= page && hand < page + pages)
            acre_slab_drop_hand(slab, size_class);
    }
}

struct acre_slab_page *acre_slab_run_force(struct acre_slab *slab, size_t pages, size_t align)
{
    struct acre_slab_page *page = NULL;
    for (unsigned size_class = 0; page == NULL && size_class < ACRE_SLAB_CLASSES; size_class++) {
        size_t whole = 0;
        if (!has_empty_hand(slab, size_class))
            continue;
        struct acre_slab_page *run = run_around(slab->hand[size_class], &whole);
        if (!has_room(whole, gap_of(slab, run, align), pages))
            continue;
        drop_hands_in(slab, run, whole);
        page = cut_out(slab, run, pages, align);
    }
    return page;
}
