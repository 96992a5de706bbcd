/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF: cutting blocks, for whole structures (tlsf_block.c) and compact ones (tlsf_small.c).
 */
#ifndef ACRE_SRC_TLSF_TLSF_CUT_H
#define ACRE_SRC_TLSF_TLSF_CUT_H

#include "tlsf/tlsf_list.h"

/* Cuts a block, in no list, down to `span`. The remainder becomes free, or stays when it is too
 * small for a block. The block after it is not free. Returns the span that the block has then. */
ACRE_INLINE size_t tlsf_cut_block(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t whole, size_t span, bool compact)
{
    struct acre_tlsf_block *next = tlsf_after(block, whole);
    size_t rest = whole - span;
    if (rest < TLSF_MIN_SPAN) {
        tlsf_clear_prev_free(next);
        return whole;
    }
    struct acre_tlsf_block *remainder = tlsf_after(block, span);
    tlsf_set_free(remainder, rest, next);
    tlsf_set_prev_free(next);
    if (compact)
        acre_tlsf_small_insert(tlsf, remainder, rest);
    else
        tlsf_insert(tlsf, remainder, rest);
    return span;
}

ACRE_INLINE void tlsf_count_resized(struct acre_tlsf *tlsf, size_t had, size_t has)
{
    tlsf->headroom += (ptrdiff_t)had - (ptrdiff_t)has;
    if (tlsf->headroom < 0) {
        tlsf->peak -= (size_t)tlsf->headroom;
        tlsf->headroom = 0;
    }
    ACRE_ASSERT((size_t)tlsf->headroom <= tlsf->peak); /* TLSF-8 */
}

/* Gives a live block a span without moving it; false when there is no space. */
ACRE_INLINE bool tlsf_cut_live(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t want, bool compact)
{
    size_t had = tlsf_span(block);
    struct acre_tlsf_block *next = tlsf_after(block, had);
    size_t spare = tlsf_is_free(next) ? tlsf_span(next) : 0;
    if (want > had + spare)
        return false;
    if (want == had || (want < had && spare == 0 && had - want < TLSF_MIN_SPAN))
        return true;
    if (spare != 0) {
        if (compact)
            acre_tlsf_small_unlink(tlsf, next);
        else
            tlsf_unlink(tlsf, next);
    }
    size_t has = tlsf_cut_block(tlsf, block, had + spare, want, compact);
    acre_tlsf_field flags = *tlsf_header(block) & TLSF_PREV_FREE;
    *tlsf_header(block) = (acre_tlsf_field)has | flags;
    tlsf_count_resized(tlsf, had, has);
    return true;
}

#endif
