/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab's lists of free runs by length. A run is removed as a whole, or cut and its rest put back.
 * Lists end in null. Everything here is O(1).
 */
#ifndef ACRE_SRC_SLAB_SLAB_LIST_H
#define ACRE_SRC_SLAB_SLAB_LIST_H

#include "slab/slab_private.h"

/* The list of runs of a length. Below SLAB_LINEAR_RUNS, the length itself; above, four lists per
 * power of two, by the three highest bits of the length (`steps`). */
ACRE_INLINE size_t slab_run_list(size_t pages)
{
    if (pages < SLAB_LINEAR_RUNS)
        return pages;
    unsigned shift = acre_bits_highest(pages) - 2;
    size_t steps = pages >> shift;
    return SLAB_LINEAR_RUNS - 4 * (ACRE_SLAB_LINEAR_LOG2 - 2) - 4 + 4 * (size_t)shift + steps;
}

ACRE_INLINE size_t *slab_list_word(struct acre_slab *slab, size_t list)
{
    return &slab->nonempty[list >> SLAB_WORD_LOG2];
}

ACRE_INLINE size_t slab_list_bit(size_t list)
{
    return (size_t)1 << (list % SLAB_WORD_BITS);
}

/* Sets the bit of a list, which has its first run. */
ACRE_INLINE void slab_list_mark(struct acre_slab *slab, size_t list)
{
    size_t *word = slab_list_word(slab, list);
    size_t bits = *word;
    bits |= slab_list_bit(list);
    *word = bits;
}

/* Clears the bit of a list, which has lost its last run. */
ACRE_INLINE void slab_list_unmark(struct acre_slab *slab, size_t list)
{
    size_t *word = slab_list_word(slab, list);
    size_t bits = *word;
    bits &= ~slab_list_bit(list);
    *word = bits;
}

/* Puts a run at the front of its list; its length is set. */
ACRE_INLINE void slab_list_push(struct acre_slab *slab, struct acre_slab_page *page, size_t list)
{
    ACRE_ASSERT(list == slab_run_list(page->length) && list < SLAB_NO_LIST); /* SLAB-3 */
    ACRE_ASSERT((slab->runs[list] != NULL) ==
                ((*slab_list_word(slab, list) & slab_list_bit(list)) != 0)); /* SLAB-4 */
    struct acre_slab_page *next = slab->runs[list];
    slab->runs[list] = page;
    page->list = (uint8_t)list;
    page->next = next;
    if (next != NULL)
        next->prev = page;
    else
        slab_list_mark(slab, list);
}

/* Takes the first run of a list out of it. */
ACRE_INLINE void slab_list_pop(struct acre_slab *slab, struct acre_slab_page *page, size_t list)
{
    ACRE_ASSERT(slab->runs[list] == page && page->list == list);           /* SLAB-3 */
    ACRE_ASSERT((*slab_list_word(slab, list) & slab_list_bit(list)) != 0); /* SLAB-4 */
    struct acre_slab_page *next = page->next;
    slab->runs[list] = next;
    if (next == NULL)
        slab_list_unmark(slab, list);
}

/* Takes a run out of its list. The first one of a list has no valid `prev`. */
ACRE_INLINE void slab_list_remove(struct acre_slab *slab, struct acre_slab_page *page)
{
    size_t list = page->list;
    if (slab->runs[list] == page) {
        slab_list_pop(slab, page, list);
        return;
    }
    struct acre_slab_page *next = page->next;
    struct acre_slab_page *prev = page->prev;
    ACRE_ASSERT(prev->next == page); /* SLAB-3 */
    prev->next = next;
    if (next != NULL)
        next->prev = prev;
}

/* The word that has the bit of a list, shifted so that this bit is the lowest. */
ACRE_INLINE size_t slab_list_word_from(const struct acre_slab *slab, size_t list)
{
    return slab->nonempty[list >> SLAB_WORD_LOG2] >> (list % SLAB_WORD_BITS);
}

/* The first list from `list` on that has runs; SLAB_NO_LIST when none has. */
ACRE_INLINE size_t slab_list_find(const struct acre_slab *slab, size_t list)
{
    if (list >= SLAB_NO_LIST)
        return SLAB_NO_LIST;
    size_t at = list >> SLAB_WORD_LOG2;
    size_t word = slab_list_word_from(slab, list);
    if (word != 0)
        return list + acre_bits_lowest(word);
    while (++at < ACRE_SLAB_RUN_WORDS)
        if (slab->nonempty[at] != 0)
            return at * SLAB_WORD_BITS + acre_bits_lowest(slab->nonempty[at]);
    return SLAB_NO_LIST;
}

/* A list whose first run has at least `pages` pages: the list for that length, else the next one
 * that has runs; SLAB_NO_LIST: there is none. */
ACRE_INLINE size_t slab_list_fitting(const struct acre_slab *slab, size_t pages)
{
    size_t list = slab_run_list(pages);
    if (list >= SLAB_NO_LIST)
        return SLAB_NO_LIST;
    const struct acre_slab_page *run = slab->runs[list];
    if (run != NULL && run->length >= pages)
        return list;
    return slab_list_find(slab, list + 1);
}

/* Takes the first pages of a free run, which is the first one of a list, and puts the rest back.
 * The caller sets the state of the first record. */
ACRE_INLINE void slab_list_cut(
    struct acre_slab *slab, struct acre_slab_page *run, size_t list, size_t pages)
{
    size_t rest = run->length - pages;
    struct acre_slab_page *last = run + pages + rest - 1;
    ACRE_ASSERT(pages != 0 && pages <= run->length);
    ACRE_ASSERT(run->state == SLAB_FREE && last->state == SLAB_FREE); /* SLAB-2 */
    slab_list_pop(slab, run, list);
    last->length = rest;
    if (rest == 0) {
        last->state = SLAB_BLANK;
        return;
    }
    run[pages].length = rest;
    run[pages].state = SLAB_FREE;
    slab_list_push(slab, run + pages, slab_run_list(rest));
}

#endif
