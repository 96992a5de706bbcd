/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's lists of free blocks, and the bitmaps that find them. Everything here is O(1).
 */
#ifndef ACRE_SRC_TLSF_TLSF_LIST_H
#define ACRE_SRC_TLSF_TLSF_LIST_H

#include "tlsf/tlsf_heads.h"

/* ---- from sizes to lists ---- */

/* The list of a large span, of at least 4 * TLSF_LINEAR; of one granule less, the same as of the
 * smallest large span. */
ACRE_INLINE size_t tlsf_large_list(size_t span)
{
    enum {
        FIRST = ACRE_TLSF_LINEAR_LISTS - (1 << ACRE_TLSF_STEPS_LOG2),
        SHIFT = ACRE_TLSF_LINEAR_LOG2 + 2 - ACRE_TLSF_STEPS_LOG2 /* of the first large lists */
    };
    unsigned highest = acre_bits_highest(span);
    size_t step = span >> (highest - ACRE_TLSF_STEPS_LOG2);
    size_t octave = highest - ACRE_TLSF_STEPS_LOG2 - SHIFT;
    return (size_t)FIRST + (octave << ACRE_TLSF_STEPS_LOG2) + step;
}

/* Whether a list has blocks of one size. A small build has no such lists. */
ACRE_INLINE bool tlsf_is_linear(size_t list)
{
    return !TLSF_SMALL && list >> ACRE_TLSF_LINEAR_LOG2 == 0;
}

/* The list that a free block of so many granules belongs in. */
ACRE_INLINE size_t tlsf_list(size_t granules)
{
    if (!TLSF_SMALL && ACRE_LIKELY(granules < TLSF_LINEAR))
        return granules - ACRE_TLSF_MIN_GRANULES;
    return tlsf_large_list(4 * granules);
}

/* The first list whose every block has at least so many granules, in a small build more than the
 * smallest block; it may be past the last list. */
ACRE_INLINE size_t tlsf_list_fitting(size_t granules)
{
    ACRE_ASSERT(!TLSF_SMALL || granules > ACRE_TLSF_MIN_GRANULES);
    return tlsf_list(granules - 1) + 1;
}

/* The list of a span below 4 * TLSF_LINEAR. */
ACRE_INLINE size_t tlsf_linear_list(size_t span)
{
    return (span - TLSF_MIN_SPAN) / 4;
}

/* ---- bitmaps ---- */

ACRE_INLINE void tlsf_mark_list(struct acre_tlsf *tlsf, size_t list)
{
    ACRE_ASSERT(tlsf_first(tlsf, list) != NULL); /* TLSF-7 */
    tlsf->nonempty[list >> TLSF_WORD_LOG2] |= tlsf_bit(list);
    tlsf_set_summary(tlsf, list >> TLSF_WORD_LOG2);
}

ACRE_INLINE void tlsf_unmark_list(struct acre_tlsf *tlsf, size_t list)
{
    ACRE_ASSERT(tlsf_first(tlsf, list) == NULL); /* TLSF-7 */
    if (ACRE_UNLIKELY((tlsf->nonempty[list >> TLSF_WORD_LOG2] &= tlsf_all_but(list)) == 0))
        tlsf_clear_summary(tlsf, list >> TLSF_WORD_LOG2);
}

/* First list from `list` on that has a block; ACRE_TLSF_LISTS when there is none. `list` is at most
 * ACRE_TLSF_LISTS, and a small build has no test for it where the words have a bit for that. */
ACRE_INLINE size_t tlsf_find_list(const struct acre_tlsf *tlsf, size_t list)
{
    const bool has_bit = TLSF_SMALL && ACRE_TLSF_LISTS % ACRE_TLSF_WORD_BITS != 0;
    ACRE_ASSERT(list <= ACRE_TLSF_LISTS);
    if (!has_bit && ACRE_UNLIKELY(list >= ACRE_TLSF_LISTS))
        return ACRE_TLSF_LISTS;
    size_t at = list >> TLSF_WORD_LOG2;
    size_t found = tlsf->nonempty[at] >> (list % ACRE_TLSF_WORD_BITS);
    if (found != 0)
        return list + acre_bits_lowest(found);
    return tlsf_find_list_after(tlsf, at);
}

/* ---- validation ---- */

/* Whether a link leads to a free block of a list. A live block of the same size differs in a
 * flag. */
ACRE_INLINE bool tlsf_is_listed(
    const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block, size_t list)
{
    if (ACRE_UNLIKELY(!tlsf_is_inner(tlsf, block)) && !acre_tlsf_may_hold_block(tlsf, block))
        return false;
    size_t header = *tlsf_header(block);
    if (ACRE_LIKELY(tlsf_is_linear(list)))
        return header == (4 * list + TLSF_MIN_SPAN) + TLSF_FREE;
    return header >= 4 * TLSF_LINEAR && (header & TLSF_FLAGS) == TLSF_FREE &&
           header >> 2 <= TLSF_MAX_GRANULES &&
           tlsf_large_list(header & ~(size_t)TLSF_FLAGS) == list;
}

/* The same for a linear list in the cached region, without a lookup. False means not known. */
ACRE_INLINE bool tlsf_is_after_nearby(const struct acre_tlsf *tlsf,
    const struct acre_tlsf_block *block, const struct acre_tlsf_block *before, size_t span)
{
    return tlsf_is_inner(tlsf, block) && *tlsf_header(block) == span + TLSF_FREE &&
           block->prev == before && block != before;
}

/* Whether a link leads to a free block of a list that links back. */
ACRE_INLINE bool tlsf_is_after(const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block,
    const struct acre_tlsf_block *before, size_t list)
{
    return block != before && tlsf_is_listed(tlsf, block, list) && block->prev == before;
}

/* Clears the live bit of a block that has this number in a region's map; false when it has none. */
ACRE_INLINE bool tlsf_clear_live_in(struct acre_tlsf *tlsf, const struct acre_tlsf_block *block,
    const struct acre_tlsf_region *region, size_t offset)
{
    size_t *word = &region->shared_map[offset >> TLSF_WORD_LOG2];
    if ((*word & tlsf_bit(offset)) == 0 || (TLSF_HARDEN && !acre_tlsf_is_sound_live(tlsf, block)))
        return false;
    *word ^= tlsf_bit(offset);
    return true;
}

/* ---- taking blocks out ---- */

/* The block after a list's first one. In hardened builds, null if the link is damaged: the blocks
 * after it are lost. */
ACRE_INLINE struct acre_tlsf_block *tlsf_second(
    const struct acre_tlsf *tlsf, const struct acre_tlsf_block *first, size_t list)
{
    struct acre_tlsf_block *next = first->next;
    if (TLSF_HARDEN && next != NULL && !tlsf_is_after(tlsf, next, first, list))
        return NULL;
    return next;
}

/* Takes a list's first block out of it. */
ACRE_INLINE void tlsf_pop(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t list)
{
    ACRE_ASSERT(tlsf_first(tlsf, list) == block); /* TLSF-6 */
    struct acre_tlsf_block *next = tlsf_second(tlsf, block, list);
    tlsf_set_first(tlsf, list, next);
    if (ACRE_UNLIKELY(next == NULL))
        tlsf_unmark_list(tlsf, list);
}

/* Takes any block out of its list. If it was the last one, returns the new last block, else null.
 * Only blocks that are not first in their list have a valid `prev`. */
ACRE_INLINE struct acre_tlsf_block *tlsf_unlink_listed(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t list)
{
    struct acre_tlsf_block *next = block->next;
    if (tlsf_first(tlsf, list) == block) {
        tlsf_set_first(tlsf, list, next);
        if (next == NULL)
            tlsf_unmark_list(tlsf, list);
        return NULL;
    }
    struct acre_tlsf_block *prev = block->prev;
    ACRE_ASSERT(prev->next == block); /* TLSF-6 */
    prev->next = next;
    if (next == NULL)
        return prev;
    next->prev = prev;
    return NULL;
}

/* Takes a block of a linear list out of it. */
ACRE_INLINE void tlsf_unlink_linear(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    size_t list = tlsf_linear_list(span);
    struct acre_tlsf_block *last = tlsf_unlink_listed(tlsf, block, list);
    if (last != NULL)
        tlsf_set_last(tlsf, list, last);
}

/* Takes a large free block out of its list, unless it is the top block. */
ACRE_INLINE void tlsf_unlink_large(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    if (block == tlsf_top(tlsf))
        tlsf_set_top(tlsf, NULL);
    else
        (void)tlsf_unlink_listed(tlsf, block, tlsf_large_list(span));
}

/* Takes any free block out of its list, or clears the top block; not in a compact structure. */
ACRE_INLINE void tlsf_unlink(struct acre_tlsf *tlsf, struct acre_tlsf_block *block)
{
    if (TLSF_SMALL) {
        acre_tlsf_small_unlink(tlsf, block);
        return;
    }
    size_t span = tlsf_span(block);
    if (span < 4 * TLSF_LINEAR)
        tlsf_unlink_linear(tlsf, block, span);
    else
        tlsf_unlink_large(tlsf, block, span);
}

/* The same in any structure. */
ACRE_INLINE void tlsf_unlink_any(struct acre_tlsf *tlsf, struct acre_tlsf_block *block)
{
    if (tlsf_is_compact(tlsf))
        acre_tlsf_compact_unlink(tlsf, block);
    else
        tlsf_unlink(tlsf, block);
}

/* ---- putting blocks in ---- */

/* Puts a block in the place of the first block of a list. */
ACRE_INLINE void tlsf_replace_first(struct acre_tlsf *tlsf, const struct acre_tlsf_block *old,
    struct acre_tlsf_block *block, size_t list)
{
    ACRE_ASSERT(tlsf_first(tlsf, list) == old); /* TLSF-6 */
    struct acre_tlsf_block *next = tlsf_second(tlsf, old, list);
    block->next = next;
    tlsf_set_first(tlsf, list, block);
    if (next != NULL)
        next->prev = block;
}

/* Puts a block at the front of its list. */
ACRE_INLINE void tlsf_push(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t list)
{
    ACRE_ASSERT(tlsf_list(tlsf_span(block) / 4) == list); /* TLSF-6 */
    struct acre_tlsf_block *next = tlsf_first(tlsf, list);
    block->next = next;
    tlsf_set_first(tlsf, list, block);
    if (next != NULL)
        next->prev = block;
    else
        tlsf_mark_list(tlsf, list);
}

/* Puts a split or merged block into its list, a linear one: at the front when its address is below
 * the first block's, else at the back. */
ACRE_INLINE void tlsf_insert_sorted(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    struct acre_tlsf_block *first = *tlsf_first_place(tlsf, span);
    struct acre_tlsf_block *last = *tlsf_back_place(tlsf, span);
    if (first != NULL && block > first) {
        block->next = NULL;
        block->prev = last;
        last->next = block;
        ACRE_OPAQUE(span);
        *tlsf_back_place(tlsf, span) = block;
        return;
    }
    block->next = first;
    ACRE_OPAQUE(span);
    *tlsf_first_place(tlsf, span) = block;
    if (first != NULL) {
        first->prev = block;
        return;
    }
    *tlsf_back_place(tlsf, span) = block;
    tlsf_mark_list(tlsf, tlsf_linear_list(span));
}

/* Puts a large free block into its list, or makes it the top block when there is none. */
ACRE_INLINE void tlsf_insert_large(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    if (tlsf_top(tlsf) == NULL)
        tlsf_set_top(tlsf, block);
    else
        tlsf_push(tlsf, block, tlsf_large_list(span));
}

/* Puts any free block into its list, or makes it the top block; not in a compact structure. */
ACRE_INLINE void tlsf_insert(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    if (TLSF_SMALL)
        acre_tlsf_small_insert(tlsf, block, span);
    else if (span < 4 * TLSF_LINEAR)
        tlsf_insert_sorted(tlsf, block, span);
    else
        tlsf_insert_large(tlsf, block, span);
}

/* The same in any structure. */
ACRE_INLINE void tlsf_insert_any(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    if (tlsf_is_compact(tlsf))
        acre_tlsf_compact_insert(tlsf, block, span);
    else
        tlsf_insert(tlsf, block, span);
}

#endif
