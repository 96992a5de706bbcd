/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's validation of headers and links, for builds with ACRE_HARDEN_METADATA.
 *
 * Headers, sizes and links lie beside the users' bytes and may be overwritten; the control
 * structure, the descriptors and the live maps do not. A block's span is held against what lies at
 * its end: a live block or a sentinel, which the map and the descriptors show, or one free block
 * and then one of those. Whether the block there has a free one before it, and how long that is, is
 * written there and must agree; and nothing live may lie within the span of a live block. A link is
 * followed when it leads to a free block that links back.
 *
 * Everything here reads only what it has found to lie in a region, and changes nothing.
 */
#include "tlsf/tlsf_list.h"

/* ---- where memory is live ---- */

/* Whether no bit is set in the words from one up to another, exclusive. */
static bool tlsf_are_words_clear(const size_t *word, const size_t *end)
{
    for (; end - word >= 8; word += 8)
        if ((word[0] | word[1] | word[2] | word[3] | word[4] | word[5] | word[6] | word[7]) != 0)
            return false;
    while (word < end)
        if (*word++ != 0)
            return false;
    return true;
}

/* Whether a map has no live bit from one granule up to another, exclusive. */
static bool is_map_clear(const size_t *map, size_t from, size_t to)
{
    const size_t *word = map + (from >> TLSF_WORD_LOG2);
    const size_t *last = map + ((to - 1) >> TLSF_WORD_LOG2);
    size_t low = SIZE_MAX << (from % ACRE_TLSF_WORD_BITS);
    size_t high = SIZE_MAX >> (~(to - 1) % ACRE_TLSF_WORD_BITS);
    if (word == last)
        return (*word & low & high) == 0;
    return (*word & low) == 0 && (*last & high) == 0 && tlsf_are_words_clear(word + 1, last);
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
        if (!is_map_clear(region->live_map, (from - region->base) >> ACRE_TLSF_GRANULE_LOG2, stop))
            return false;
        from = region->base + stop * ACRE_TLSF_GRANULE;
        if (from < to)
            region = tlsf_joined_above(region);
    }
    return region != NULL;
}

/* Whether a sentinel stands at an address that may be that of any. */
static ACRE_NOINLINE bool tlsf_is_any_sentinel(
    const struct acre_tlsf *tlsf, const struct acre_tlsf_block *at)
{
    const struct acre_tlsf_region *region = tlsf_region_at(tlsf, (uintptr_t)at - 1);
    ACRE_ASSERT((uintptr_t)at % ACRE_TLSF_GRANULE == 0); /* a span is one of granules */
    if (region == NULL)
        return false;
    const struct acre_tlsf_region *low = region;
    while (low->joined)
        low = tlsf_prev_region(low);
    size_t full = 4 * TLSF_MAX_GRANULES;
    bool ends = tlsf_joined_above(region) == NULL && at == region->last;
    return ends || (at > low->first && tlsf_span_between(low->first, at) % (full + 4) == full);
}

/* Whether a sentinel stands at an address; the last one of a single region is the most likely. */
ACRE_INLINE bool tlsf_is_sentinel(const struct acre_tlsf *tlsf, const struct acre_tlsf_block *at)
{
    const struct acre_tlsf_region *first = tlsf_first_region(tlsf);
    return (tlsf_next_region(first) == NULL && at == first->last) || tlsf_is_any_sentinel(tlsf, at);
}

/* Whether a live block or a sentinel starts at an address, whose header can then be read. */
ACRE_INLINE bool tlsf_is_firm(const struct acre_tlsf *tlsf, const struct acre_tlsf_block *at)
{
    return tlsf_is_live(tlsf, at) || tlsf_is_sentinel(tlsf, at);
}

/* Whether a header and links can be read at an address. */
ACRE_INLINE bool tlsf_is_readable(const struct acre_tlsf *tlsf, const struct acre_tlsf_block *at)
{
    return tlsf_is_inner(tlsf, at) || acre_tlsf_may_hold_block(tlsf, at);
}

/* ---- free blocks ---- */

/* Whether a free block of a span starts at an address: the block after it says so, too. */
static bool tlsf_is_free_block(
    const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block, size_t span)
{
    const struct acre_tlsf_block *next = tlsf_after(block, span);
    if (span < TLSF_MIN_SPAN || span % 4 != 0 || next <= block || !tlsf_is_readable(tlsf, block) ||
        *tlsf_header(block) != (acre_tlsf_field)(span | TLSF_FREE) || !tlsf_is_firm(tlsf, next))
        return false;
    return (*tlsf_header(next) & TLSF_FLAGS) == TLSF_PREV_FREE && *tlsf_size_before(next) == span;
}

/* Whether what follows a free block in its list may be followed. */
static bool has_sound_next(
    const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block, size_t list)
{
    const struct acre_tlsf_block *next = block->next;
    if (next == NULL)
        return !tlsf_is_linear(list) || tlsf_last(tlsf, list) == block;
    return next != tlsf_first(tlsf, list) && tlsf_is_after(tlsf, next, block, list);
}

/* Whether what stands before a free block in its list may be followed. */
static bool has_sound_prev(
    const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block, size_t list)
{
    const struct acre_tlsf_block *prev = block->prev;
    return tlsf_first(tlsf, list) == block ||
           (tlsf_is_listed(tlsf, prev, list) && prev->next == block);
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

/* Whether what lies above a live block is as that says: live or a sentinel, and not marked as
 * having a free one before it, or a free block. */
static bool tlsf_is_sound_above(const struct acre_tlsf *tlsf, const struct acre_tlsf_block *next)
{
    if (tlsf_is_live(tlsf, next))
        return (*tlsf_header(next) & TLSF_FLAGS) == 0;
    if ((!tlsf_is_inner(tlsf, next) || !tlsf_is_free(next)) && tlsf_is_sentinel(tlsf, next))
        return (*tlsf_header(next) & TLSF_FLAGS) == 0;
    return tlsf_is_readable(tlsf, next) && acre_tlsf_is_sound_free(tlsf, next, tlsf_span(next));
}

bool acre_tlsf_is_sound_live(const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block)
{
    size_t header = *tlsf_header(block);
    size_t span = header & ~(size_t)TLSF_FLAGS;
    const struct acre_tlsf_block *next = tlsf_after(block, span);
    if ((header & TLSF_FREE) != 0 || span < TLSF_MIN_SPAN || next <= block)
        return false;
    if (!tlsf_is_idle_between(tlsf, (uintptr_t)block + ACRE_TLSF_GRANULE, (uintptr_t)next) ||
        !tlsf_is_sound_above(tlsf, next))
        return false;
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
    if (tlsf_is_linear(list))
        tlsf_set_last(tlsf, list, NULL);
}

static void tlsf_validate_list(struct acre_tlsf *tlsf, size_t list)
{
    const struct acre_tlsf_block *first = tlsf_first(tlsf, list);
    size_t span = tlsf_span(first);
    if (!tlsf_is_free_block(tlsf, first, span) || tlsf_list(span / 4) != list ||
        !has_sound_next(tlsf, first, list))
        tlsf_drop_list(tlsf, list);
}

/* Validates the lists from that of so many granules on, up to the first whose blocks all have
 * them. */
static void tlsf_validate_fitting(struct acre_tlsf *tlsf, size_t granules)
{
    size_t fitting = tlsf_list_fitting(granules);
    size_t list = tlsf_find_list(tlsf, fitting - (fitting != 0));
    while (list != ACRE_TLSF_LISTS) {
        tlsf_validate_list(tlsf, list);
        if (list >= fitting && tlsf_first(tlsf, list) != NULL)
            return;
        list = tlsf_find_list(tlsf, list + 1);
    }
}

void acre_tlsf_validate_top(struct acre_tlsf *tlsf)
{
    const struct acre_tlsf_block *top = tlsf_top(tlsf);
    if (top != NULL && !tlsf_is_free_block(tlsf, top, tlsf_span(top)))
        tlsf_set_top(tlsf, NULL);
}

void acre_tlsf_validate_for(struct acre_tlsf *tlsf, struct acre_layout layout)
{
    size_t granules = tlsf_granules(layout.size);
    size_t more = (layout.align >> ACRE_TLSF_GRANULE_LOG2) + 1;
    acre_tlsf_validate_top(tlsf);
    if (granules == 0)
        return;
    tlsf_validate_fitting(tlsf, granules > ACRE_TLSF_MIN_GRANULES ? granules : granules + 1);
    if (granules == ACRE_TLSF_MIN_GRANULES && tlsf_first(tlsf, 0) != NULL)
        tlsf_validate_list(tlsf, 0);
    if (tlsf_is_odd_alignment(layout.align) && more <= TLSF_MAX_GRANULES - granules)
        tlsf_validate_fitting(tlsf, granules + more);
}

/* Drops a large list whose first block is damaged. */
static void tlsf_validate_large(struct acre_tlsf *tlsf, size_t list)
{
    const struct acre_tlsf_block *first = tlsf_first(tlsf, list);
    size_t span = tlsf_span(first);
    if (!tlsf_is_free_block(tlsf, first, span) || tlsf_list(span / 4) != list)
        tlsf_drop_list(tlsf, list);
}

void acre_tlsf_validate_lists(struct acre_tlsf *tlsf, size_t own, size_t list)
{
    ACRE_ASSERT(own < ACRE_TLSF_LISTS); /* no request is longer than a block can be */
    if (!tlsf_is_linear(own) && tlsf_first(tlsf, own) != NULL)
        tlsf_validate_large(tlsf, own);
    for (;;) {
        list = tlsf_find_list(tlsf, list);
        if (tlsf_is_linear(list) || list == ACRE_TLSF_LISTS)
            return;
        tlsf_validate_large(tlsf, list);
        if (tlsf_first(tlsf, list) != NULL)
            return;
    }
}
