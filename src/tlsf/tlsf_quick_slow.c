/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF with a shelf: clearing it, what that would free, and the verbs on the whole of it.
 */
#include "tlsf/tlsf_quick_private.h"

/* ---- clearing ---- */

/* The shelf gave the block up in the accounts, and release does so again. */
static void unshelve(struct acre_tlsf *tlsf, struct acre_tlsf_block *block)
{
    tlsf->live_blocks++;
    tlsf->room -= (ptrdiff_t)tlsf_span(block);
    acre_tlsf_release(tlsf, block);
}

void acre_tlsf_quick_flush(struct acre_tlsf_quick *shelf)
{
    for (size_t list = 0; list < ACRE_TLSF_QUICK_LISTS; list++)
        while (shelf->count[list] != 0)
            unshelve(&shelf->tlsf, shelf->stack[list][--shelf->count[list]]);
}

/* Takes a block that lies on the shelf from its stack. */
static void pull(struct acre_tlsf_quick *shelf, const struct acre_tlsf_block *block)
{
    size_t list = tlsf_linear_list(tlsf_span(block));
    size_t at = 0;
    while (shelf->stack[list][at] != block)
        at++;
    shelf->stack[list][at] = shelf->stack[list][--shelf->count[list]];
}

void acre_tlsf_quick_flush_run(
    struct acre_tlsf_quick *shelf, struct acre_tlsf_block *block, size_t enough)
{
    size_t run = 0;
    while (run < enough) {
        size_t span = tlsf_span(block);
        struct acre_tlsf_block *behind = tlsf_after(block, span);
        if (!tlsf_is_free(block)) {
            pull(shelf, block);
            unshelve(&shelf->tlsf, block);
        }
        run += span;
        block = behind;
    }
}

/* ---- what clearing would free ---- */

/* No block has no span, but one whose header was overwritten, and what ends a region. */
static bool is_idle(const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block)
{
    return tlsf_span(block) != 0 && (tlsf_is_free(block) || !acre_tlsf_is_live(tlsf, block));
}

size_t acre_tlsf_run_from(
    const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block, size_t enough)
{
    size_t run = 0;
    while (run < enough && is_idle(tlsf, tlsf_after(block, run)))
        run += tlsf_span(tlsf_after(block, run));
    return run;
}

struct run {
    struct acre_tlsf_block *start;
    size_t span;
};

/* From a block on the shelf and the free one before it, if there is one, on. */
static struct run run_of(const struct acre_tlsf *tlsf, struct acre_tlsf_block *block)
{
    if ((*tlsf_header(block) & TLSF_PREV_FREE) != 0)
        block = tlsf_before(block, *tlsf_size_before(block));
    return (struct run){ block, acre_tlsf_run_from(tlsf, block, SIZE_MAX) };
}

/* The longest run with a block on the shelf. One that begins before the block in hand is found from
 * another block. */
static struct run longest_run(const struct acre_tlsf_quick *shelf)
{
    struct run longest = { NULL, 0 };
    for (size_t list = 0; list < ACRE_TLSF_QUICK_LISTS; list++) {
        for (size_t i = 0; i < shelf->count[list]; i++) {
            struct run run = run_of(&shelf->tlsf, shelf->stack[list][i]);
            if (run.span > longest.span)
                longest = run;
        }
    }
    return longest;
}

/* What TLSF calls where it finds no block. The shelf is cleared only when that helps. */
static struct acre_ptr alloc_flushed(struct acre_tlsf *tlsf, struct acre_layout layout)
{
    struct acre_tlsf_quick *shelf = (struct acre_tlsf_quick *)tlsf; /* its first member */
    struct run run = longest_run(shelf);
    if (run.span == 0 || !acre_tlsf_would_fit(run.start, run.span, layout))
        return (struct acre_ptr){ NULL, ACRE_NO_MEMORY };
    acre_tlsf_quick_flush(shelf);
    return acre_tlsf_cut(&shelf->tlsf, run.start, layout);
}

/* ---- the whole ---- */

static void forget(struct acre_tlsf_quick *shelf)
{
    for (size_t list = 0; list < ACRE_TLSF_QUICK_LISTS; list++)
        shelf->count[list] = 0;
}

enum acre_status acre_tlsf_quick_init(struct acre_tlsf_quick *shelf, void *start, size_t size)
{
    enum acre_status refused = acre_tlsf_init(&shelf->tlsf, NULL, 0);
    (void)refused;
    shelf->tlsf.alloc_flushed = alloc_flushed;
    forget(shelf);
    return acre_tlsf_quick_add_memory(shelf, start, size);
}

static bool is_own(const struct acre_tlsf_quick *shelf, const void *start, size_t size)
{
    return acre_ranges_overlap((uintptr_t)start, size, (uintptr_t)shelf, sizeof *shelf);
}

enum acre_status acre_tlsf_quick_add_memory(struct acre_tlsf_quick *shelf, void *start, size_t size)
{
    size_t least = acre_tlsf_least_size(acre_tlsf_metadata_size(size));
    enum acre_status status = acre_tlsf_offer(&shelf->tlsf, (uintptr_t)start, size, least);
    if (status != ACRE_OK)
        return status;
    if (is_own(shelf, start, size))
        return ACRE_MEMORY_OVERLAP;
    return acre_tlsf_add_memory(&shelf->tlsf, start, size);
}

enum acre_status acre_tlsf_quick_add_memory_apart(
    struct acre_tlsf_quick *shelf, void *start, size_t size, void *meta, size_t meta_size)
{
    /* A range that wraps is TLSF's to refuse. */
    if (is_own(shelf, start, size) || is_own(shelf, meta, meta_size))
        return ACRE_MEMORY_OVERLAP;
    return acre_tlsf_add_memory_apart(&shelf->tlsf, start, size, meta, meta_size);
}

enum acre_status acre_tlsf_quick_remove_memory(struct acre_tlsf_quick *shelf, void *start)
{
    if (acre_tlsf_is_idle(&shelf->tlsf, start))
        acre_tlsf_quick_flush(shelf);
    return acre_tlsf_remove_memory(&shelf->tlsf, start);
}

void acre_tlsf_quick_reset(struct acre_tlsf_quick *shelf)
{
    forget(shelf);
    acre_tlsf_reset(&shelf->tlsf);
}

struct acre_stats acre_tlsf_quick_stats(const struct acre_tlsf_quick *shelf)
{
    struct acre_stats stats = acre_tlsf_stats(&shelf->tlsf);
    size_t span = longest_run(shelf).span;
    if (span * TLSF_QUARTER > stats.largest_free)
        stats.largest_free = span * TLSF_QUARTER - TLSF_HEADER;
    return stats;
}

struct acre_num acre_tlsf_quick_usable_size(const struct acre_tlsf_quick *shelf, const void *ptr)
{
    return acre_tlsf_usable_size(&shelf->tlsf, ptr);
}

/* ---- walk ---- */

/* Joins what merging would join. */
struct tour {
    const struct acre_tlsf *tlsf;
    acre_walk_fn *visit;
    void *arg;
    char *free; /* seen and not shown yet; null: none */
    size_t size;
};

static bool show_free(struct tour *tour)
{
    char *start = tour->free;
    tour->free = NULL;
    return start == NULL || tour->visit(tour->arg, start, tour->size, false);
}

static bool pass(void *arg, void *start, size_t size, bool live)
{
    struct tour *tour = arg;
    bool idle = !live || !acre_tlsf_is_live(tour->tlsf, start);
    if (idle && tour->free != NULL && tour->free + tour->size + TLSF_HEADER == start) {
        tour->size += TLSF_HEADER + size;
        return true;
    }
    if (!show_free(tour))
        return false;
    if (!idle)
        return tour->visit(tour->arg, start, size, true);
    tour->free = start;
    tour->size = size;
    return true;
}

void acre_tlsf_quick_walk(const struct acre_tlsf_quick *shelf, acre_walk_fn *visit, void *arg)
{
    struct tour tour = { &shelf->tlsf, visit, arg, NULL, 0 };
    acre_tlsf_walk(&shelf->tlsf, pass, &tour);
    (void)show_free(&tour);
}
