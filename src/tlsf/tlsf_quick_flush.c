/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF with quick lists: flushing them, what a flush would free, and the verbs on the whole
 * allocator.
 */
#include "tlsf/tlsf_list.h"
#include "tlsf/tlsf_quick_private.h"

/* ---- flush ---- */

/* Frees a block that was in a quick list. It was counted as freed once, and free_block counts it
 * again. */
static void quick_free_block(struct acre_tlsf *tlsf, struct acre_tlsf_block *block)
{
    tlsf->live_blocks++;
    tlsf->headroom -= (ptrdiff_t)tlsf_span(block);
    acre_tlsf_free_block(tlsf, block);
}

void acre_tlsf_quick_flush(struct acre_tlsf_quick *self)
{
    for (size_t list = 0; list < ACRE_TLSF_QUICK_LISTS; list++)
        while (self->count[list] != 0)
            quick_free_block(&self->tlsf, self->stack[list][--self->count[list]]);
}

/* Takes one block out of the middle of its quick list. */
static void quick_remove(struct acre_tlsf_quick *self, const struct acre_tlsf_block *block)
{
    size_t list = tlsf_linear_list(tlsf_span(block));
    size_t at = 0;
    while (self->stack[list][at] != block)
        at++;
    ACRE_ASSERT(at < self->count[list]); /* TLSF-10 */
    self->stack[list][at] = self->stack[list][--self->count[list]];
}

void acre_tlsf_quick_flush_run(
    struct acre_tlsf_quick *self, struct acre_tlsf_block *block, size_t enough)
{
    size_t run = 0;
    while (run < enough) {
        size_t span = tlsf_span(block);
        struct acre_tlsf_block *next = tlsf_after(block, span);
        if (!tlsf_is_free(block)) {
            quick_remove(self, block);
            quick_free_block(&self->tlsf, block);
        }
        run += span;
        block = next;
    }
}

/* ---- what a flush would free ---- */

/* Whether a block is free or in a quick list. Only a sentinel has no span, and a block whose header
 * was overwritten. */
static bool is_block_idle(const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block)
{
    return tlsf_span(block) != 0 && (tlsf_is_free(block) || !tlsf_is_live(tlsf, block));
}

size_t acre_tlsf_quick_run(
    const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block, size_t enough)
{
    size_t run = 0;
    while (run < enough && is_block_idle(tlsf, tlsf_after(block, run)))
        run += tlsf_span(tlsf_after(block, run));
    return run;
}

struct quick_run {
    struct acre_tlsf_block *start;
    size_t span;
};

/* The run that starts at a block in a quick list, or at the free block before it. */
static struct quick_run quick_run_at(const struct acre_tlsf *tlsf, struct acre_tlsf_block *block)
{
    if (tlsf_is_prev_free(block))
        block = tlsf_before(block, *tlsf_size_before(block));
    return (struct quick_run){ block, acre_tlsf_quick_run(tlsf, block, SIZE_MAX) };
}

/* The longest run with a block in a quick list. A run that starts before the block looked at is
 * found from another block. */
static struct quick_run quick_longest_run(const struct acre_tlsf_quick *self)
{
    struct quick_run longest = { NULL, 0 };
    for (size_t list = 0; list < ACRE_TLSF_QUICK_LISTS; list++) {
        for (size_t i = 0; i < self->count[list]; i++) {
            struct quick_run run = quick_run_at(&self->tlsf, self->stack[list][i]);
            if (run.span > longest.span)
                longest = run;
        }
    }
    return longest;
}

/* TLSF calls this when it finds no block. Flushes the quick lists if that yields a block that is
 * large enough. */
static struct acre_ptr quick_alloc_flushed(struct acre_tlsf *tlsf, struct acre_layout layout)
{
    struct acre_tlsf_quick *self = (struct acre_tlsf_quick *)tlsf; /* its first member */
    struct quick_run run = quick_longest_run(self);
    if (run.span == 0 || !acre_tlsf_would_fit(run.start, run.span, layout))
        return (struct acre_ptr){ NULL, ACRE_NO_MEMORY };
    acre_tlsf_quick_flush(self);
    return acre_tlsf_alloc_from(&self->tlsf, run.start, layout);
}

/* ---- the whole allocator ---- */

static void quick_clear(struct acre_tlsf_quick *self)
{
    for (size_t list = 0; list < ACRE_TLSF_QUICK_LISTS; list++)
        self->count[list] = 0;
}

enum acre_status acre_tlsf_quick_init(struct acre_tlsf_quick *self, void *start, size_t size)
{
    quick_clear(self);
    acre_tlsf_clear(&self->tlsf);
    return acre_tlsf_quick_add_memory(self, start, size);
}

static bool quick_is_own(const struct acre_tlsf_quick *self, const void *start, size_t size)
{
    return acre_ranges_overlap((uintptr_t)start, size, (uintptr_t)self, sizeof *self);
}

enum acre_status acre_tlsf_quick_add_memory(struct acre_tlsf_quick *self, void *start, size_t size)
{
    size_t least = acre_tlsf_least_size(acre_tlsf_metadata_size(size));
    enum acre_status status = acre_tlsf_check_range(&self->tlsf, (uintptr_t)start, size, least);
    if (status != ACRE_OK)
        return status;
    if (quick_is_own(self, start, size))
        return ACRE_MEMORY_OVERLAP;
    self->tlsf.alloc_slow = quick_alloc_flushed;
    return acre_tlsf_add_memory(&self->tlsf, start, size);
}

enum acre_status acre_tlsf_quick_add_memory_apart(
    struct acre_tlsf_quick *self, void *start, size_t size, void *meta, size_t meta_size)
{
    /* TLSF refuses a range that wraps. */
    if (quick_is_own(self, start, size) || quick_is_own(self, meta, meta_size))
        return ACRE_MEMORY_OVERLAP;
    self->tlsf.alloc_slow = quick_alloc_flushed;
    return acre_tlsf_add_memory_apart(&self->tlsf, start, size, meta, meta_size);
}

enum acre_status acre_tlsf_quick_remove_memory(struct acre_tlsf_quick *self, void *start)
{
    if (!TLSF_HARDEN && acre_tlsf_is_region_idle(&self->tlsf, start))
        acre_tlsf_quick_flush(self);
    return acre_tlsf_remove_memory(&self->tlsf, start);
}

void acre_tlsf_quick_reset(struct acre_tlsf_quick *self)
{
    quick_clear(self);
    acre_tlsf_reset(&self->tlsf);
}

void acre_tlsf_quick_reset_peak(struct acre_tlsf_quick *self)
{
    acre_tlsf_reset_peak(&self->tlsf);
}

struct acre_stats acre_tlsf_quick_stats(const struct acre_tlsf_quick *self)
{
    struct acre_stats stats = acre_tlsf_stats(&self->tlsf);
    size_t span = quick_longest_run(self).span;
    if (span != 0 && tlsf_usable(span) > stats.largest_free)
        stats.largest_free = tlsf_usable(span);
    return stats;
}

struct acre_num acre_tlsf_quick_usable_size(const struct acre_tlsf_quick *self, const void *ptr)
{
    return acre_tlsf_usable_size(&self->tlsf, ptr);
}

struct acre_block acre_tlsf_quick_find(const struct acre_tlsf_quick *self, const void *ptr)
{
    return acre_tlsf_find(&self->tlsf, ptr);
}

/* ---- walk ---- */

/* A walk that shows blocks which a flush would merge as one. */
struct quick_walk {
    const struct acre_tlsf *tlsf;
    acre_walk_fn *visit;
    void *arg;
    char *free; /* not shown yet; null: none */
    size_t size;
};

static bool quick_show_free(struct quick_walk *walk)
{
    char *start = walk->free;
    walk->free = NULL;
    return start == NULL || walk->visit(walk->arg, start, walk->size, false);
}

static bool quick_visit(void *arg, void *start, size_t size, bool live)
{
    struct quick_walk *walk = arg;
    bool is_idle = !live || !tlsf_is_live(walk->tlsf, start);
    if (is_idle && walk->free != NULL && walk->free + walk->size + TLSF_HEADER == start) {
        walk->size += TLSF_HEADER + size;
        return true;
    }
    if (!quick_show_free(walk))
        return false;
    if (!is_idle)
        return walk->visit(walk->arg, start, size, true);
    walk->free = start;
    walk->size = size;
    return true;
}

void acre_tlsf_quick_walk(const struct acre_tlsf_quick *self, acre_walk_fn *visit, void *arg)
{
    struct quick_walk walk = { &self->tlsf, visit, arg, NULL, 0 };
    acre_tlsf_walk(&self->tlsf, quick_visit, &walk);
    (void)quick_show_free(&walk);
}
