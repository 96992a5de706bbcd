/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's checker: proves invariants TLSF-1 to TLSF-10 of tlsf_private.h and tlsf_quick_private.h,
 * in that order. It changes nothing, is linear, and follows no link before it has shown where it
 * leads.
 */
#include "tlsf/tlsf_quick_private.h"

/* What the chains hold, counted on the way, and where the live maps have been read to. */
struct audit {
    const struct acre_tlsf *tlsf;
    const struct acre_tlsf_quick *shelf;       /* null: none */
    size_t shelved;                            /* blocks that lie there */
    const struct acre_tlsf_region *map_region; /* null: no live bit is left */
    size_t map_at;                             /* granule of the next live bit */
    size_t live;
    size_t free;
    size_t used; /* spans */
    size_t capacity;
};

static struct acre_check_result sound(void)
{
    return (struct acre_check_result){ NULL, NULL };
}

static struct acre_check_result broken(const char *invariant, const void *where)
{
    return (struct acre_check_result){ invariant, where };
}

/* ---- TLSF-1, TLSF-9: regions ---- */

static bool has_sane_bounds(const struct acre_tlsf_region *region)
{
    uintptr_t end = region->start + region->size;
    uintptr_t own = (uintptr_t)region;
    uintptr_t base = acre_align_up(region->start, ACRE_TLSF_GRANULE);
    uintptr_t meta = region->meta != 0 ? region->meta : region->start;
    size_t meta_size = region->meta != 0 ? region->meta_size : region->size;
    return region->start != 0 && end > region->start && own - meta < meta_size &&
           region->base == base &&
           region->granules == (end - base + ACRE_TLSF_GRANULE - 1) / ACRE_TLSF_GRANULE &&
           (uintptr_t)region->first % ACRE_TLSF_GRANULE == 0 &&
           (uintptr_t)region->last % ACRE_TLSF_GRANULE == 0 &&
           (uintptr_t)region->first - TLSF_HEADER >= region->start &&
           region->first < region->last && (uintptr_t)region->last <= end;
}

/* The last region of a window from one of its regions on. Looks upward only, so that a list closed
 * to a ring ends as well. */
static const struct acre_tlsf_region *topmost(const struct acre_tlsf_region *region)
{
    while (region->next != NULL && region->next->start > region->start &&
           region->next->window_base == region->window_base)
        region = region->next;
    return region;
}

/* Whether a region is alone in its window, or lies there where it should, and its live map with it.
 * The topmost region has the map of all. */
static bool has_sane_window(
    const struct acre_tlsf_region *region, const struct acre_tlsf_region *before)
{
    const struct acre_tlsf_region *top = topmost(region);
    bool first = region->base == region->window_base;
    if (!first && (before == NULL || before->window_base != region->window_base))
        return false;
    size_t below = (top->base - region->window_base) / ACRE_TLSF_GRANULE;
    size_t offset = (region->base - region->window_base) / ACRE_TLSF_GRANULE;
    return (first || region->start - before->start - before->size <= TLSF_GAP) &&
           offset % ACRE_TLSF_WORD_BITS == 0 && region->window == below + top->granules &&
           region->window_map == (const size_t *)(top + 1) &&
           region->live_map == region->window_map + offset / ACRE_TLSF_WORD_BITS;
}

static bool follows(const struct acre_tlsf_region *region, const struct acre_tlsf_region *before)
{
    uintptr_t end = before != NULL ? before->start + before->size : 0;
    return region->joined ? before != NULL && end == region->start && region->meta != 0
                          : end <= region->start;
}

static struct acre_check_result check_regions(const struct acre_tlsf *tlsf)
{
    const struct acre_tlsf_region *before = NULL;
    bool seen = tlsf->granules == 0 && tlsf->live_map == NULL && tlsf->base == 0;
    size_t total = 0;
    for (const struct acre_tlsf_region *region = tlsf->regions; region; region = region->next) {
        if (!has_sane_bounds(region) || !follows(region, before) ||
            !has_sane_window(region, before))
            return broken("TLSF-1: regions are in order and their bounds sane", region);
        total += region->size + region->meta_size;
        seen = seen || (tlsf->base == region->window_base && tlsf->granules == region->window &&
                           tlsf->live_map == region->window_map);
        before = region;
    }
    if (total != tlsf->total)
        return broken("TLSF-8: counts are those of the blocks and regions", &tlsf->total);
    if (!seen)
        return broken("TLSF-9: the region last worked in is one of the regions", &tlsf->base);
    return sound();
}

/* ---- TLSF-5: live bits, read in step with the blocks ---- */

/* First live bit from `at` on, or the number of granules. */
static size_t next_live(const struct acre_tlsf_region *region, size_t at)
{
    while (at < region->granules) {
        size_t word = region->live_map[at >> TLSF_WORD_LOG2] >> (at % ACRE_TLSF_WORD_BITS);
        if (word != 0)
            return at + acre_bits_lowest(word);
        at = (at | (ACRE_TLSF_WORD_BITS - 1)) + 1;
    }
    return region->granules;
}

/* Moves on to the first live bit at or behind the place read to. */
static void settle(struct audit *audit)
{
    while (audit->map_region != NULL) {
        audit->map_at = next_live(audit->map_region, audit->map_at);
        if (audit->map_at < audit->map_region->granules)
            return;
        audit->map_region = audit->map_region->next;
        audit->map_at = 0;
    }
}

static const void *live_address(const struct audit *audit)
{
    const struct acre_tlsf_region *region = audit->map_region;
    return region == NULL ? NULL : (void *)(region->base + audit->map_at * ACRE_TLSF_GRANULE);
}

static struct acre_check_result check_live_bit(struct audit *audit, const void *block, bool live)
{
    static const char *const text = "TLSF-5: live bits mark the starts of live blocks";
    const void *marked = live_address(audit);
    if (!ACRE_CHECK_POINTERS)
        return sound();
    if (marked != NULL && (marked < block || (!live && marked == block)))
        return broken(text, marked);
    if (live && marked != block)
        return broken(text, block);
    if (live) {
        audit->map_at++;
        settle(audit);
    }
    return sound();
}

/* ---- TLSF-2 to TLSF-4: chains ---- */

/* Whether spans may lead to a terminal here: at the end, or where a chain has its greatest length.
 */
static bool may_end(const void *first, const void *block, const void *last)
{
    size_t full = 4 * TLSF_MAX_GRANULES;
    return block == last || tlsf_span_between(first, block) % (full + 4) == full;
}

static bool has_sane_span(const void *first, const struct acre_tlsf_block *block, const void *last)
{
    size_t span = tlsf_span(block);
    if (span == 0)
        return !tlsf_is_free(block) && may_end(first, block, last);
    return span >= TLSF_MIN_SPAN && span <= tlsf_span_between(block, last);
}

static bool agrees_with(const struct acre_tlsf_block *block, const struct acre_tlsf_block *before)
{
    bool flag = (*tlsf_header(block) & TLSF_PREV_FREE) != 0;
    if (before == NULL || !tlsf_is_free(before))
        return !flag;
    return flag && *tlsf_size_before(block) == tlsf_span(before);
}

/* Whether a block, not marked free, lies on the shelf. */
static bool is_shelved(const struct audit *audit, const struct acre_tlsf_block *block)
{
    size_t list = tlsf_linear_list(tlsf_span(block));
    if (audit->shelf == NULL || list >= ACRE_TLSF_QUICK_LISTS)
        return false;
    for (size_t i = 0; i < audit->shelf->count[list]; i++)
        if (audit->shelf->stack[list][i] == block)
            return true;
    return false;
}

static struct acre_check_result check_block(
    struct audit *audit, const struct acre_tlsf_block *block, const struct acre_tlsf_block *before)
{
    size_t span = tlsf_span(block);
    bool is_free = tlsf_is_free(block);
    if (is_free && before != NULL && tlsf_is_free(before))
        return broken("TLSF-3: no two neighbours are both free", block);
    if (!agrees_with(block, before))
        return broken("TLSF-4: a free block is known to the block behind it", block);
    bool shelved = !is_free && is_shelved(audit, block);
    bool live = span != 0 && !is_free && !shelved;
    audit->live += live;
    audit->free += is_free;
    audit->shelved += shelved;
    audit->used += live ? span : 0;
    audit->capacity += span;
    return check_live_bit(audit, block, live);
}

/* From one region's first block to the terminal that ends its last chain. */
static struct acre_check_result check_chains(
    struct audit *audit, const struct acre_tlsf_block *first, const struct acre_tlsf_block *last)
{
    const struct acre_tlsf_block *before = NULL;
    const struct acre_tlsf_block *block = first;
    for (;;) {
        if (!has_sane_span(first, block, last))
            return broken("TLSF-2: spans lead to the terminal", block);
        struct acre_check_result result = check_block(audit, block, before);
        if (result.invariant != NULL || block == last)
            return result;
        size_t span = tlsf_span(block);
        before = span != 0 ? block : NULL;
        block = tlsf_after(block, span != 0 ? span : 4);
    }
}

static struct acre_check_result check_blocks(struct audit *audit)
{
    const struct acre_tlsf_region *region = audit->tlsf->regions;
    settle(audit);
    while (region != NULL) {
        const struct acre_tlsf_block *first = region->first;
        while (region->next != NULL && region->next->joined)
            region = region->next;
        struct acre_check_result result = check_chains(audit, first, region->last);
        if (result.invariant != NULL)
            return result;
        region = region->next;
    }
    if (ACRE_CHECK_POINTERS && audit->map_region != NULL)
        return broken("TLSF-5: live bits mark the starts of live blocks", live_address(audit));
    return sound();
}

/* ---- TLSF-6, TLSF-7: lists ---- */

/* Whether a link may be followed: it leads to a granule of a region, with a free block's header. */
static bool leads_to_free(const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block)
{
    return acre_tlsf_region_of(tlsf, block) != NULL && tlsf_is_free(block);
}

static struct acre_check_result check_list(struct audit *audit, size_t list)
{
    static const char *const text = "TLSF-6: free blocks are in the list of their span, once";
    const struct acre_tlsf *tlsf = audit->tlsf;
    const struct acre_tlsf_block *before = NULL;
    for (const struct acre_tlsf_block *block = tlsf->first[list]; block; block = block->next) {
        if (!leads_to_free(tlsf, block))
            return broken(text, before != NULL ? (const void *)before : &tlsf->first[list]);
        if (audit->free == 0 || (before != NULL && block->prev != before) ||
            tlsf_list(tlsf_span(block) / 4) != list)
            return broken(text, block);
        audit->free--;
        before = block;
    }
    if (list < ACRE_TLSF_LINEAR_LISTS && before != NULL && tlsf->last[list] != before)
        return broken(text, &tlsf->last[list]);
    return sound();
}

static struct acre_check_result check_lists(struct audit *audit)
{
    const struct acre_tlsf *tlsf = audit->tlsf;
    for (size_t list = 0; list < ACRE_TLSF_LISTS; list++) {
        if (tlsf_test(tlsf->nonempty, list) != (tlsf->first[list] != NULL))
            return broken("TLSF-7: bits show the lists that have blocks", &tlsf->first[list]);
        struct acre_check_result result = check_list(audit, list);
        if (result.invariant != NULL)
            return result;
    }
    for (size_t at = 0; at < ACRE_TLSF_WORD_BITS; at++)
        if (tlsf_test(&tlsf->summary, at) != (at < ACRE_TLSF_WORDS && tlsf->nonempty[at] != 0))
            return broken("TLSF-7: bits show the lists that have blocks", &tlsf->summary);
    if (audit->free != 0)
        return broken("TLSF-6: free blocks are in the list of their span, once", tlsf->first);
    return sound();
}

/* ---- TLSF-8: accounts ---- */

static struct acre_check_result check_accounts(const struct audit *audit)
{
    static const char *const text = "TLSF-8: counts are those of the blocks and regions";
    const struct acre_tlsf *tlsf = audit->tlsf;
    if (tlsf->live_blocks != audit->live)
        return broken(text, &tlsf->live_blocks);
    if (tlsf->room < 0 || tlsf->peak - (size_t)tlsf->room != audit->used)
        return broken(text, &tlsf->room);
    if (tlsf->capacity != audit->capacity)
        return broken(text, &tlsf->capacity);
    return sound();
}

static struct acre_check_result check_all(struct audit *audit)
{
    struct acre_check_result result = check_regions(audit->tlsf);
    if (result.invariant == NULL)
        result = check_blocks(audit);
    if (result.invariant == NULL)
        result = check_lists(audit);
    if (result.invariant == NULL)
        result = check_accounts(audit);
    return result;
}

struct acre_check_result acre_tlsf_check(const struct acre_tlsf *tlsf)
{
    struct audit audit = { .tlsf = tlsf, .map_region = tlsf->regions };
    return check_all(&audit);
}

/* ---- TLSF-10: the shelf ---- */

struct acre_check_result acre_tlsf_quick_check(const struct acre_tlsf_quick *shelf)
{
    static const char *const text = "TLSF-10: what lies on the shelf is neither live nor free";
    struct audit audit = {
        .tlsf = &shelf->tlsf, .shelf = shelf, .map_region = shelf->tlsf.regions
    };
    size_t shelved = 0;
    for (size_t list = 0; list < ACRE_TLSF_QUICK_LISTS; list++) {
        if (shelf->count[list] > ACRE_TLSF_QUICK_DEPTH)
            return broken(text, &shelf->count[list]);
        shelved += shelf->count[list];
    }
    struct acre_check_result result = check_all(&audit);
    if (result.invariant == NULL && audit.shelved != shelved)
        return broken(text, shelf->count);
    return result;
}
