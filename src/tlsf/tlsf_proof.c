/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's proofs of headers and links, for builds with ACRE_HARDEN_METADATA.
 *
 * Headers, sizes and links lie beside the users' bytes and may be overwritten; the control
 * structure, the descriptors and the live maps do not. A block's span is held against what lies at
 * its end: a live block or a sentinel, which the map and the descriptors prove, or one free block
 * and then one of those. Whether the block there has a free one before it, and how long that is, is
 * written there and must agree; and nothing live may lie within the span of a live block. A link is
 * followed when it leads to a free block that links back.
 *
 * Everything here reads only what it has proven to lie in a region, and changes nothing.
 */
#include "tlsf/tlsf_list.h"

/* ---- where memory is live ---- */

/* Whether a region has no live bit from one granule up to another, exclusive. */
static bool is_map_clear(const struct acre_tlsf_region *region, size_t from, size_t to)
{
    size_t word = from >> TLSF_WORD_LOG2;
    size_t last = (to - 1) >> TLSF_WORD_LOG2;
    size_t bits = region->live_map[word] & (SIZE_MAX << (from % ACRE_TLSF_WORD_BITS));
    for (; word < last; bits = region->live_map[++word])
        if (bits != 0)
            return false;
    return (bits & (SIZE_MAX >> (~(to - 1) % ACRE_TLSF_WORD_BITS))) == 0;
}

/* Whether all from one address up to another, exclusive, lies in one region or in joined ones, with
 * nothing live in it. Both are multiples of the granule. */
static bool tlsf_is_idle_between(const struct acre_tlsf *tlsf, uintptr_t from, uintptr_t to)
{
    const struct acre_tlsf_region *region = tlsf_first_region(tlsf);
    if (tlsf_next_region(region) != NULL)
        region = acre_tlsf_region_of(tlsf, (const void *)from);
    while (region != NULL && from < to) {
        size_t end = (to - region->base) >> ACRE_TLSF_GRANULE_LOG2;
        size_t stop = end < region->granules ? end : region->granules;
        if (!is_map_clear(region, (from - region->base) >> ACRE_TLSF_GRANULE_LOG2, stop))
            return false;
        from = region->base + stop * ACRE_TLSF_GRANULE;
        if (from < to)
            region = tlsf_joined_above(region);
    }
    return region != NULL;
}

/* Whether a sentinel stands at an address. */
static bool tlsf_is_sentinel(const struct acre_tlsf *tlsf, const struct acre_tlsf_block *at)
{
    const struct acre_tlsf_region *region = tlsf_region_at(tlsf, (uintptr_t)at - 1);
    if (region == NULL || (uintptr_t)at % ACRE_TLSF_GRANULE != 0)
        return false;
    const struct acre_tlsf_region *low = region;
    while (low->joined)
        low = tlsf_prev_region(low);
    size_t full = 4 * TLSF_MAX_GRANULES;
    bool ends = tlsf_joined_above(region) == NULL && at == region->last;
    return ends || (at > low->first && tlsf_span_between(low->first, at) % (full + 4) == full);
}

/* Whether a live block or a sentinel starts at an address, whose header can then be read. */
static bool tlsf_is_firm(const struct acre_tlsf *tlsf, const struct acre_tlsf_block *at)
{
    return tlsf_is_live(tlsf, at) || tlsf_is_sentinel(tlsf, at);
}

/* ---- free blocks ---- */

/* Whether a free block of a span starts at an address: the block after it says so, too. */
static bool tlsf_is_free_block(
    const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block, size_t span)
{
    const struct acre_tlsf_block *next = tlsf_after(block, span);
    if (span < TLSF_MIN_SPAN || span % 4 != 0 || next <= block ||
        !acre_tlsf_may_hold_block(tlsf, block) ||
        *tlsf_header(block) != (acre_tlsf_field)(span | TLSF_FREE) || !tlsf_is_firm(tlsf, next))
        return false;
    return (*tlsf_header(next) & TLSF_FLAGS) == TLSF_PREV_FREE && *tlsf_size_before(next) == span;
}

/* Whether a link leads to a free block. */
static bool tlsf_leads_to_free(const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block)
{
    return acre_tlsf_may_hold_block(tlsf, block) &&
           tlsf_is_free_block(tlsf, block, tlsf_span(block));
}

/* Whether what follows a free block in its list may be followed. */
static bool has_sound_next(
    const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block, size_t list)
{
    const struct acre_tlsf_block *next = block->next;
    if (next == NULL)
        return TLSF_SMALL || list >= ACRE_TLSF_LINEAR_LISTS || tlsf_last(tlsf, list) == block;
    return next != block && next != tlsf_first(tlsf, list) && tlsf_leads_to_free(tlsf, next) &&
           next->prev == block && tlsf_list(tlsf_span(next) / 4) == list;
}

/* Whether what stands before a free block in its list may be followed. */
static bool has_sound_prev(
    const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block, size_t list)
{
    const struct acre_tlsf_block *prev = block->prev;
    return tlsf_first(tlsf, list) == block ||
           (tlsf_leads_to_free(tlsf, prev) && prev->next == block &&
               tlsf_list(tlsf_span(prev) / 4) == list);
}

bool acre_tlsf_is_sound_free(
    const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block, size_t span)
{
    if (!tlsf_is_free_block(tlsf, block, span))
        return false;
    size_t list = tlsf_list(span / 4);
    return block == tlsf_top(tlsf) ||
           (has_sound_next(tlsf, block, list) && has_sound_prev(tlsf, block, list));
}

/* ---- live blocks ---- */

bool acre_tlsf_is_sound_live(const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block)
{
    size_t header = *tlsf_header(block);
    size_t span = header & ~(size_t)TLSF_FLAGS;
    const struct acre_tlsf_block *next = tlsf_after(block, span);
    if ((header & TLSF_FREE) != 0 || span < TLSF_MIN_SPAN || next <= block)
        return false;
    if (!tlsf_is_idle_between(tlsf, (uintptr_t)block + ACRE_TLSF_GRANULE, (uintptr_t)next))
        return false;
    if (tlsf_is_firm(tlsf, next)) {
        if ((*tlsf_header(next) & TLSF_FLAGS) != 0)
            return false;
    } else if (!acre_tlsf_may_hold_block(tlsf, next) ||
               !acre_tlsf_is_sound_free(tlsf, next, tlsf_span(next))) {
        return false;
    }
    if ((header & TLSF_PREV_FREE) == 0)
        return true;
    size_t before = *tlsf_size_before(block);
    return before < (uintptr_t)block / TLSF_QUARTER &&
           acre_tlsf_is_sound_free(tlsf, tlsf_before(block, before), before);
}

/* ---- what an alloc takes from ---- */

/* Empties a list whose first block, or the link behind it, is damaged: its blocks are lost. */
static void tlsf_drop_list(struct acre_tlsf *tlsf, size_t list)
{
    tlsf_set_first(tlsf, list, NULL);
    tlsf_unmark_list(tlsf, list);
    if (list < ACRE_TLSF_LINEAR_LISTS)
        tlsf_set_last(tlsf, list, NULL);
}

static void tlsf_prove_list(struct acre_tlsf *tlsf, size_t list)
{
    const struct acre_tlsf_block *first = tlsf_first(tlsf, list);
    size_t span = tlsf_span(first);
    if (!tlsf_is_free_block(tlsf, first, span) || tlsf_list(span / 4) != list ||
        !has_sound_next(tlsf, first, list))
        tlsf_drop_list(tlsf, list);
}

/* Proves the lists from that of so many granules on, up to the first whose blocks all have them. */
static void tlsf_prove_lists(struct acre_tlsf *tlsf, size_t granules)
{
    size_t fitting = tlsf_list_fitting(granules);
    size_t list = tlsf_find_list(tlsf, fitting - (fitting != 0));
    while (list != ACRE_TLSF_LISTS) {
        tlsf_prove_list(tlsf, list);
        if (list >= fitting && tlsf_first(tlsf, list) != NULL)
            return;
        list = tlsf_find_list(tlsf, list + 1);
    }
}

void acre_tlsf_prove_for(struct acre_tlsf *tlsf, struct acre_layout layout)
{
    size_t granules = tlsf_granules(layout.size);
    size_t more = (layout.align >> ACRE_TLSF_GRANULE_LOG2) + 1;
    const struct acre_tlsf_block *top = tlsf_top(tlsf);
    if (top != NULL && !tlsf_is_free_block(tlsf, top, tlsf_span(top)))
        tlsf_set_top(tlsf, NULL);
    if (granules == 0)
        return;
    tlsf_prove_lists(tlsf, granules > ACRE_TLSF_MIN_GRANULES ? granules : granules + 1);
    if (granules == ACRE_TLSF_MIN_GRANULES && tlsf_first(tlsf, 0) != NULL)
        tlsf_prove_list(tlsf, 0);
    if (tlsf_is_odd_alignment(layout.align) && more <= TLSF_MAX_GRANULES - granules)
        tlsf_prove_lists(tlsf, granules + more);
}
