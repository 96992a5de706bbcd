/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab's runs of pages: allocated by good fit from lists by length, merged with their neighbours
 * when they are freed.
 */
#include "slab/slab_list.h"

size_t acre_slab_run_longest(const struct acre_slab *slab)
{
    for (size_t at = ACRE_SLAB_RUN_WORDS; at-- > 0;) {
        if (slab->nonempty[at] == 0)
            continue;
        size_t list = at * SLAB_WORD_BITS + acre_bits_highest(slab->nonempty[at]);
        return slab->runs[list]->length;
    }
    return 0;
}

/* ---- free runs ---- */

/* Marks a run free at both ends, and enters it in the list of its length. */
ACRE_INLINE enum acre_status slab_run_enter_here(
    struct acre_slab *slab, struct acre_slab_page *page, size_t pages)
{
    ACRE_ASSERT(page[-1].state != SLAB_FREE && page[pages].state != SLAB_FREE); /* SLAB-3 */
    page->length = pages;
    page->state = SLAB_FREE;
    page[pages - 1].length = pages;
    page[pages - 1].state = SLAB_FREE;
    slab_list_push(slab, page, slab_run_list(pages));
    return ACRE_OK;
}

static ACRE_NOINLINE enum acre_status slab_run_enter(
    struct acre_slab *slab, struct acre_slab_page *page, size_t pages)
{
    return slab_run_enter_here(slab, page, pages);
}

/* Takes a free run out of its list, and makes its records blank. */
ACRE_INLINE void slab_run_remove(struct acre_slab *slab, struct acre_slab_page *page)
{
    size_t pages = page->length;
    ACRE_ASSERT(page->state == SLAB_FREE && page[pages - 1].state == SLAB_FREE); /* SLAB-2 */
    slab_list_remove(slab, page);
    page->state = SLAB_BLANK;
    page[pages - 1].state = SLAB_BLANK;
}

/* The same, not inlined: for small builds. */
static ACRE_NOINLINE void slab_run_remove_small(struct acre_slab *slab, struct acre_slab_page *page)
{
    slab_run_remove(slab, page);
}

ACRE_INLINE void slab_run_take_out(struct acre_slab *slab, struct acre_slab_page *page)
{
    if (ACRE_SMALL)
        slab_run_remove_small(slab, page);
    else
        slab_run_remove(slab, page);
}

/* acre_slab_run_free() in a small build. */
static enum acre_status slab_run_free_small(
    struct acre_slab *slab, struct acre_slab_page *page, size_t pages)
{
    struct acre_slab_page *next = page + pages;
    if (next->state == SLAB_FREE) {
        pages += next->length;
        slab_run_remove_small(slab, next);
    }
    if (page[-1].state == SLAB_FREE) {
        size_t before = page[-1].length;
        page -= before;
        pages += before;
        slab_run_remove_small(slab, page);
    }
    return slab_run_enter(slab, page, pages);
}

/* Frees a run after a free one. */
static ACRE_NOINLINE enum acre_status slab_run_extend(
    struct acre_slab *slab, struct acre_slab_page *page, size_t pages)
{
    size_t before = page[-1].length;
    page[-1].state = SLAB_BLANK;
    page -= before;
    slab_list_remove(slab, page);
    return slab_run_enter_here(slab, page, pages + before);
}

enum acre_status acre_slab_run_free(
    struct acre_slab *slab, struct acre_slab_page *page, size_t pages)
{
    ACRE_ASSERT(page->state == SLAB_BLANK && page[pages - 1].state == SLAB_BLANK); /* SLAB-2 */
    if (ACRE_SMALL)
        return slab_run_free_small(slab, page, pages);
    struct acre_slab_page *next = page + pages;
    if (next->state == SLAB_FREE) {
        pages += next->length;
        slab_list_remove(slab, next);
        next->state = SLAB_BLANK;
    }
    if (page[-1].state == SLAB_FREE)
        return slab_run_extend(slab, page, pages);
    return slab_run_enter_here(slab, page, pages);
}

/* ---- taking ---- */

void acre_slab_run_take_front(struct acre_slab *slab, struct acre_slab_page *run, size_t pages)
{
    size_t whole = run->length;
    ACRE_ASSERT(pages <= whole);
    slab_run_take_out(slab, run);
    if (whole != pages)
        slab_run_enter(slab, run + pages, whole - pages);
}

/* Pages between the start of a run and its first page at a multiple of `align`. */
static size_t slab_alignment_gap(
    const struct acre_slab *slab, const struct acre_slab_page *run, size_t align)
{
    if (align <= slab_page_size(slab))
        return 0;
    return ((size_t)(0 - slab_page_place(slab, run).at) & (align - 1)) >> slab->page_log2;
}

bool acre_slab_run_fits(const struct acre_slab *slab, const struct acre_slab_page *run,
    size_t whole, size_t pages, size_t align)
{
    size_t gap = slab_alignment_gap(slab, run, align);
    return gap <= whole && whole - gap >= pages;
}

struct acre_slab_page *acre_slab_run_carve(
    struct acre_slab *slab, struct acre_slab_page *run, size_t pages, size_t align)
{
    size_t gap = slab_alignment_gap(slab, run, align);
    size_t whole = run->length;
    ACRE_ASSERT(gap <= whole && whole - gap >= pages);
    slab_run_take_out(slab, run);
    if (gap != 0)
        slab_run_enter(slab, run, gap);
    if (whole - gap != pages)
        slab_run_enter(slab, run + gap + pages, whole - gap - pages);
    return run + gap;
}

/* The first run of a list if it has room for `pages` pages at a multiple of `align`; else null. */
static struct acre_slab_page *slab_first_that_fits(
    const struct acre_slab *slab, size_t list, size_t pages, size_t align)
{
    struct acre_slab_page *run = list < SLAB_NO_LIST ? slab->runs[list] : NULL;
    return run != NULL && acre_slab_run_fits(slab, run, run->length, pages, align) ? run : NULL;
}

/* The run to carve from: the first one of the list for `need` pages, if it has room, else the first
 * one of the next list that has runs. */
static struct acre_slab_page *slab_find_aligned(
    const struct acre_slab *slab, size_t pages, size_t need, size_t align)
{
    size_t own = slab_run_list(need);
    struct acre_slab_page *run = slab_first_that_fits(slab, own, pages, align);
    return run != NULL ? run
                       : slab_first_that_fits(slab, slab_list_find(slab, own + 1), pages, align);
}

static struct acre_slab_page *slab_run_alloc_aligned(
    struct acre_slab *slab, size_t pages, size_t align)
{
    struct acre_slab_page *run = slab_find_aligned(slab, pages, pages, align);
    size_t more = (align - 1) >> slab->page_log2;
    if (run == NULL) /* the sum is far below SIZE_MAX */
        run = slab_find_aligned(slab, pages, pages + more, align);
    return run != NULL ? acre_slab_run_carve(slab, run, pages, align) : NULL;
}

struct acre_slab_page *acre_slab_run_alloc(struct acre_slab *slab, size_t pages, size_t align)
{
    if (ACRE_SMALL || align > slab_page_size(slab))
        return slab_run_alloc_aligned(slab, pages, align);
    return acre_slab_run_alloc_any(slab, pages);
}

struct acre_slab_page *acre_slab_run_alloc_any(struct acre_slab *slab, size_t pages)
{
    size_t list = slab_list_fitting(slab, pages);
    if (list == SLAB_NO_LIST)
        return NULL;
    struct acre_slab_page *run = slab->runs[list];
    if (ACRE_SMALL) {
        acre_slab_run_take_front(slab, run, pages);
        return run;
    }
    slab_list_cut(slab, run, list, pages);
    run->state = SLAB_BLANK;
    return run;
}
