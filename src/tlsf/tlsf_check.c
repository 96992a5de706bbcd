/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's checker: verifies invariants TLSF-1 to TLSF-10 of tlsf_private.h and tlsf_quick_private.h
 * in that order. It changes nothing, is linear, and follows no link before it has verified where
 * the link leads.
 */
#include "tlsf/tlsf_quick_private.h"
#include "tlsf/tlsf_small.h"

/* What the chains hold, counted on the way, and how far the live maps have been read. */
struct tlsf_audit {
    const struct acre_tlsf *tlsf;
    const struct acre_tlsf_quick *quick;       /* null: no quick lists */
    size_t queued;                             /* blocks in the quick lists */
    const struct acre_tlsf_region *map_region; /* null: no live bit is left */
    size_t map_at;                             /* granule of the next live bit */
    size_t live;
    size_t free;
    size_t used; /* spans */
    size_t capacity;
};

static struct acre_check_result tlsf_sound(void)
{
    return (struct acre_check_result){ NULL, NULL };
}

static struct acre_check_result tlsf_broken(const char *invariant, const void *where)
{
    return (struct acre_check_result){ invariant, where };
}

/* ---- TLSF-1, TLSF-9: regions ---- */

static bool has_sane_bounds(const struct acre_tlsf_region *region)
{
    uintptr_t end =
        region->range.start + region->range.size; /* 0 at the top of the address space */
    uintptr_t own = (uintptr_t)region;
    uintptr_t base = acre_align_up(region->range.start, ACRE_TLSF_GRANULE);
    uintptr_t meta = region->range.meta != 0 ? region->range.meta : region->range.start;
    size_t meta_size = region->range.meta != 0 ? region->range.meta_size : region->range.size;
    return region->range.start != 0 && own - meta < meta_size && region->base == base &&
           region->granules == (end - base + ACRE_TLSF_GRANULE - 1) / ACRE_TLSF_GRANULE &&
           (uintptr_t)region->first % ACRE_TLSF_GRANULE == 0 &&
           (uintptr_t)region->last % ACRE_TLSF_GRANULE == 0 &&
           (uintptr_t)region->first >= region->range.start + TLSF_HEADER &&
           region->first < region->last && (uintptr_t)region->last - 1 <= end - 1;
}

/* The owner of a region's map. */
static const struct acre_tlsf_region *map_owner_of(const struct acre_tlsf_region *region)
{
    const struct acre_tlsf_region *above = tlsf_next_region(region);
    while (above != NULL && above->shared_base == region->shared_base) {
        region = above;
        above = tlsf_next_region(region);
    }
    return region;
}

/* Whether a region's live map is the part of the shared map, kept by the topmost of the regions
 * that share it, that stands for the region. In a compact structure no region can be cached. */
static bool has_sane_map(const struct acre_tlsf *tlsf, const struct acre_tlsf_region *region,
    const struct acre_tlsf_region *before)
{
    const struct acre_tlsf_region *top = map_owner_of(region);
    bool first = region->base == region->shared_base;
    if (!first && (before == NULL || before->shared_base != region->shared_base))
        return false;
    size_t below = (top->base - region->shared_base) / ACRE_TLSF_GRANULE;
    size_t offset = (region->base - region->shared_base) / ACRE_TLSF_GRANULE;
    size_t granules = tlsf_is_compact(tlsf) ? 0 : below + top->granules;
    return (first || region->range.start - before->range.start - before->range.size <= TLSF_GAP) &&
           offset % ACRE_TLSF_WORD_BITS == 0 && region->shared_granules == granules &&
           region->shared_map == (const size_t *)(top + 1) &&
           region->live_map == region->shared_map + offset / ACRE_TLSF_WORD_BITS;
}

/* Whether a region that is joined with the one below can be: they adjoin, and no metadata stands
 * between them. */
static bool is_soundly_joined(
    const struct acre_tlsf_region *region, const struct acre_tlsf_region *before)
{
    return !region->joined || (before != NULL && region->range.meta != 0 &&
                                  before->range.start + before->range.size == region->range.start);
}

static struct acre_check_result tlsf_check_regions(const struct acre_tlsf *tlsf)
{
    static const char *const text =
        "TLSF-1: a region's descriptor is damaged, or regions are out of order";
    const struct acre_region *unsound = acre_regions_find_broken(&tlsf->regions);
    const struct acre_tlsf_region *region = tlsf_first_region(tlsf);
    bool seen = tlsf->granules == 0 && tlsf->live_map == NULL && tlsf->base == 0;
    if (unsound != NULL)
        return tlsf_broken(text, unsound);
    for (; region != NULL; region = tlsf_next_region(region)) {
        const struct acre_tlsf_region *before = tlsf_prev_region(region);
        if (!has_sane_bounds(region) || !is_soundly_joined(region, before) ||
            !has_sane_map(tlsf, region, before))
            return tlsf_broken(text, region);
        seen = seen ||
               (tlsf->base == region->shared_base && tlsf->granules == region->shared_granules &&
                   tlsf->live_map == region->shared_map);
    }
    if (!acre_regions_total_agrees(&tlsf->regions))
        return tlsf_broken(
            "TLSF-8: a count does not match the blocks and regions", &tlsf->regions.total);
    if (!seen)
        return tlsf_broken("TLSF-9: the cached region is none of the regions", &tlsf->base);
    return tlsf_sound();
}

/* ---- TLSF-5: live bits, read in step with the blocks ---- */

/* First live bit from `at` on, or the number of granules. */
static size_t next_live_bit(const struct acre_tlsf_region *region, size_t at)
{
    while (at < region->granules) {
        size_t word = region->live_map[at >> TLSF_WORD_LOG2] >> (at % ACRE_TLSF_WORD_BITS);
        if (word != 0)
            return at + acre_bits_lowest(word);
        at = (at | (ACRE_TLSF_WORD_BITS - 1)) + 1;
    }
    return region->granules;
}

/* Moves on to the first live bit from the place read to on. */
static void advance_to_live_bit(struct tlsf_audit *audit)
{
    while (audit->map_region != NULL) {
        audit->map_at = next_live_bit(audit->map_region, audit->map_at);
        if (audit->map_at < audit->map_region->granules)
            return;
        audit->map_region = tlsf_next_region(audit->map_region);
        audit->map_at = 0;
    }
}

static const void *live_address(const struct tlsf_audit *audit)
{
    const struct acre_tlsf_region *region = audit->map_region;
    return region == NULL ? NULL : (void *)(region->base + audit->map_at * ACRE_TLSF_GRANULE);
}

static struct acre_check_result tlsf_check_live_bit(
    struct tlsf_audit *audit, const void *block, bool live)
{
    static const char *const text = "TLSF-5: a live bit and a block header disagree";
    const void *marked = live_address(audit);
    if (!ACRE_CHECK_POINTERS)
        return tlsf_sound();
    if (marked != NULL && (marked < block || (!live && marked == block)))
        return tlsf_broken(text, marked);
    if (live && marked != block)
        return tlsf_broken(text, block);
    if (live) {
        audit->map_at++;
        advance_to_live_bit(audit);
    }
    return tlsf_sound();
}

/* ---- TLSF-2 to TLSF-4: chains ---- */

/* Whether a sentinel may stand here: at the end, or where a chain has its greatest length. */
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
    bool flag = tlsf_is_prev_free(block);
    if (before == NULL || !tlsf_is_free(before))
        return !flag;
    return flag && *tlsf_size_before(block) == tlsf_span(before);
}

/* Whether a block, not marked free, is in a quick list. */
static bool is_queued(const struct tlsf_audit *audit, const struct acre_tlsf_block *block)
{
    size_t list = tlsf_linear_list(tlsf_span(block));
    if (audit->quick == NULL || list >= ACRE_TLSF_QUICK_LISTS)
        return false;
    for (size_t i = 0; i < audit->quick->count[list]; i++)
        if (audit->quick->stack[list][i] == block)
            return true;
    return false;
}

static struct acre_check_result tlsf_check_block(struct tlsf_audit *audit,
    const struct acre_tlsf_block *block, const struct acre_tlsf_block *before)
{
    size_t span = tlsf_span(block);
    bool is_free = tlsf_is_free(block);
    if (is_free && before != NULL && tlsf_is_free(before))
        return tlsf_broken("TLSF-3: two adjacent blocks are both free", block);
    if (!agrees_with(block, before))
        return tlsf_broken(
            "TLSF-4: a block and the one before it disagree on whether that one is free", block);
    bool queued = !is_free && is_queued(audit, block);
    bool live = span != 0 && !is_free && !queued;
    audit->live += live;
    audit->free += is_free;
    audit->queued += queued;
    audit->used += live ? span : 0;
    audit->capacity += span;
    return tlsf_check_live_bit(audit, block, live);
}

/* From one region's first block to the sentinel that ends its last chain. */
static struct acre_check_result tlsf_check_chains(struct tlsf_audit *audit,
    const struct acre_tlsf_block *first, const struct acre_tlsf_block *last)
{
    const struct acre_tlsf_block *before = NULL;
    const struct acre_tlsf_block *block = first;
    for (;;) {
        if (!has_sane_span(first, block, last))
            return tlsf_broken("TLSF-2: a block's size does not lead to the next block", block);
        struct acre_check_result result = tlsf_check_block(audit, block, before);
        if (result.invariant != NULL || block == last)
            return result;
        size_t span = tlsf_span(block);
        before = span != 0 ? block : NULL;
        block = tlsf_after(block, span != 0 ? span : 4);
    }
}

static struct acre_check_result tlsf_check_blocks(struct tlsf_audit *audit)
{
    const struct acre_tlsf_region *region = tlsf_first_region(audit->tlsf);
    advance_to_live_bit(audit);
    while (region != NULL) {
        const struct acre_tlsf_block *first = region->first;
        while (tlsf_joined_above(region) != NULL)
            region = tlsf_joined_above(region);
        struct acre_check_result result = tlsf_check_chains(audit, first, region->last);
        if (result.invariant != NULL)
            return result;
        region = tlsf_next_region(region);
    }
    if (ACRE_CHECK_POINTERS && audit->map_region != NULL)
        return tlsf_broken("TLSF-5: a live bit and a block header disagree", live_address(audit));
    return tlsf_sound();
}

/* ---- TLSF-6, TLSF-7: lists ---- */

/* Whether a link may be followed: it leads to a granule of a region that has a free block's header.
 */
static bool leads_to_free(const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block)
{
    return acre_tlsf_may_hold_block(tlsf, block) && tlsf_is_free(block);
}

static const char tlsf_lists_text[] = "TLSF-6: a list of free blocks is damaged";
static const char tlsf_bits_text[] = "TLSF-7: the bitmaps do not match the lists";

/* Whether a block that was reached by a link can be in a list behind another one, or first. */
static bool is_soundly_listed(const struct tlsf_audit *audit, const struct acre_tlsf_block *block,
    const struct acre_tlsf_block *before, size_t list)
{
    return audit->free != 0 && block != tlsf_top(audit->tlsf) &&
           (before == NULL || block->prev == before) &&
           tlsf_list_in(audit->tlsf, tlsf_span(block)) == list;
}

/* Follows a list from its head, whose address is `place`. */
static struct acre_check_result tlsf_check_list(
    struct tlsf_audit *audit, size_t list, const struct acre_tlsf_block *block, const void *place)
{
    const struct acre_tlsf *tlsf = audit->tlsf;
    const struct acre_tlsf_block *before = NULL;
    for (; block != NULL; block = block->next) {
        if (!leads_to_free(tlsf, block))
            return tlsf_broken(tlsf_lists_text, before != NULL ? before : place);
        if (!is_soundly_listed(audit, block, before, list))
            return tlsf_broken(tlsf_lists_text, block);
        audit->free--;
        before = block;
    }
    if (!tlsf_is_compact(tlsf) && tlsf_is_linear(list) && before != NULL &&
        tlsf_last(tlsf, list) != before)
        return tlsf_broken(tlsf_lists_text, tlsf_last_place(tlsf, list));
    return tlsf_sound();
}

/* Whether the top block can be one. */
static bool tlsf_check_top(struct tlsf_audit *audit)
{
    const struct acre_tlsf_block *top = tlsf_top(audit->tlsf);
    audit->free -= top != NULL;
    return top == NULL || (leads_to_free(audit->tlsf, top) && tlsf_span(top) >= 4 * TLSF_LINEAR);
}

static struct acre_check_result tlsf_check_lists(struct tlsf_audit *audit)
{
    const struct acre_tlsf *tlsf = audit->tlsf;
    if (!tlsf_check_top(audit))
        return tlsf_broken(tlsf_lists_text, tlsf_top_place(tlsf));
    for (size_t list = 0; list < ACRE_TLSF_LISTS; list++) {
        if (tlsf_test(tlsf->nonempty, list) != (tlsf_first(tlsf, list) != NULL))
            return tlsf_broken(tlsf_bits_text, &tlsf->first[list]);
        struct acre_check_result result =
            tlsf_check_list(audit, list, tlsf_first(tlsf, list), &tlsf->first[list]);
        if (result.invariant != NULL)
            return result;
    }
    const size_t *summary = tlsf_find_broken_summary(tlsf);
    if (summary != NULL)
        return tlsf_broken(tlsf_bits_text, summary);
    if (audit->free != 0)
        return tlsf_broken(tlsf_lists_text, tlsf->first);
    return tlsf_sound();
}

#if ACRE_MAX_POOL == 0

static struct acre_check_result tlsf_check_compact_lists(struct tlsf_audit *audit)
{
    const struct acre_tlsf *tlsf = audit->tlsf;
    if (!tlsf_compact_is_sane(tlsf))
        return tlsf_broken(tlsf_bits_text, tlsf);
    for (size_t list = 0; list < ACRE_TLSF_COMPACT_LISTS; list++) {
        const void *place = small_head(tlsf, list);
        const struct acre_tlsf_block *first =
            list < tlsf->compact.lists ? small_first(tlsf, list) : NULL;
        if (tlsf_test(tlsf->compact.nonempty, list) != (first != NULL))
            return tlsf_broken(tlsf_bits_text, place);
        struct acre_check_result result = tlsf_check_list(audit, list, first, place);
        if (result.invariant != NULL)
            return result;
    }
    return audit->free != 0 ? tlsf_broken(tlsf_lists_text, small_head(tlsf, 0)) : tlsf_sound();
}

#else

/* NOT-COVERED-BEGIN: a small build has no compact structure, and its calls are left out */
static struct acre_check_result tlsf_check_compact_lists(struct tlsf_audit *audit)
{
    (void)audit;
    return tlsf_sound();
}
/* NOT-COVERED-END */

#endif

/* ---- TLSF-8: accounts ---- */

static struct acre_check_result tlsf_check_accounts(const struct tlsf_audit *audit)
{
    static const char *const text = "TLSF-8: a count does not match the blocks and regions";
    const struct acre_tlsf *tlsf = audit->tlsf;
    if (tlsf->live_blocks != audit->live)
        return tlsf_broken(text, &tlsf->live_blocks);
    if (tlsf->headroom < 0 || tlsf->peak - (size_t)tlsf->headroom != audit->used)
        return tlsf_broken(text, &tlsf->headroom);
    if (tlsf->capacity != audit->capacity)
        return tlsf_broken(text, &tlsf->capacity);
    return tlsf_sound();
}

static struct acre_check_result tlsf_check_all(struct tlsf_audit *audit)
{
    struct acre_check_result result = tlsf_check_regions(audit->tlsf);
    if (result.invariant == NULL)
        result = tlsf_check_blocks(audit);
    if (result.invariant == NULL && tlsf_is_compact(audit->tlsf))
        result = tlsf_check_compact_lists(audit);
    else if (result.invariant == NULL)
        result = tlsf_check_lists(audit);
    if (result.invariant == NULL)
        result = tlsf_check_accounts(audit);
    return result;
}

struct acre_check_result acre_tlsf_check(const struct acre_tlsf *tlsf)
{
    struct tlsf_audit audit = { .tlsf = tlsf, .map_region = tlsf_first_region(tlsf) };
    return tlsf_check_all(&audit);
}

/* ---- TLSF-10: quick lists ---- */

struct acre_check_result acre_tlsf_quick_check(const struct acre_tlsf_quick *self)
{
    static const char *const text = "TLSF-10: a quick list is damaged";
    struct tlsf_audit audit = {
        .tlsf = &self->tlsf, .quick = self, .map_region = tlsf_first_region(&self->tlsf)
    };
    size_t queued = 0;
    for (size_t list = 0; list < ACRE_TLSF_QUICK_LISTS; list++) {
        if (self->count[list] > ACRE_TLSF_QUICK_DEPTH)
            return tlsf_broken(text, &self->count[list]);
        queued += self->count[list];
    }
    struct acre_check_result result = tlsf_check_all(&audit);
    if (result.invariant == NULL && audit.queued != queued)
        return tlsf_broken(text, self->count);
    return result;
}
