/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What differs in TLSF's control structure between the default and a small build
 * (ACRE_MAX_POOL): the heads of lists, the top block, and what frees watch for.
 */
#ifndef ACRE_SRC_TLSF_TLSF_HEADS_H
#define ACRE_SRC_TLSF_TLSF_HEADS_H

#include "tlsf/tlsf_private.h"

#if ACRE_MAX_POOL == 0

/* What frees look at: spans without a linear list, and those that an empty region can have. */
ACRE_INLINE void tlsf_set_watched_spans(struct acre_tlsf *tlsf)
{
    size_t span = tlsf->on_released != NULL ? tlsf->least_span : SIZE_MAX;
    tlsf->released_span = span;
    tlsf->large_span = span < 4 * TLSF_LINEAR ? span : 4 * TLSF_LINEAR;
    tlsf->end = NULL;
}

ACRE_INLINE void tlsf_set_released_hook(
    struct acre_tlsf *tlsf, acre_released_fn *handler, void *arg)
{
    tlsf->on_released = handler;
    tlsf->on_released_arg = arg;
}

/* After the last region is removed. */
ACRE_INLINE void tlsf_forget_empty_span(struct acre_tlsf *tlsf)
{
    tlsf->least_span = 0;
}

/* Notes the span of a region that is one free block. */
ACRE_INLINE void tlsf_note_empty_span(struct acre_tlsf *tlsf, size_t span)
{
    if (tlsf->least_span == 0 || span < tlsf->least_span)
        tlsf->least_span = span;
    tlsf_set_watched_spans(tlsf);
}

ACRE_INLINE struct acre_tlsf_block *tlsf_top(const struct acre_tlsf *tlsf)
{
    return tlsf->top;
}

ACRE_INLINE void tlsf_set_top(struct acre_tlsf *tlsf, struct acre_tlsf_block *block)
{
    tlsf->top = block;
}

ACRE_INLINE struct acre_tlsf_block *tlsf_first(const struct acre_tlsf *tlsf, size_t list)
{
    return tlsf->first[list];
}

ACRE_INLINE void tlsf_set_first(struct acre_tlsf *tlsf, size_t list, struct acre_tlsf_block *block)
{
    tlsf->first[list] = block;
}

ACRE_INLINE struct acre_tlsf_block *tlsf_last(const struct acre_tlsf *tlsf, size_t list)
{
    return tlsf->last[list];
}

ACRE_INLINE void tlsf_set_last(struct acre_tlsf *tlsf, size_t list, struct acre_tlsf_block *block)
{
    tlsf->last[list] = block;
}

/* The addresses of what names the top block and a list's last block, for the checker. */
ACRE_INLINE const void *tlsf_top_place(const struct acre_tlsf *tlsf)
{
    return &tlsf->top;
}

ACRE_INLINE const void *tlsf_last_place(const struct acre_tlsf *tlsf, size_t list)
{
    return &tlsf->last[list];
}

#else

/* In small builds there is no top block, lists do not know their last block, and a free finds out
 * by itself whether a region is empty. */
ACRE_INLINE void tlsf_set_watched_spans(struct acre_tlsf *tlsf)
{
    (void)tlsf;
}

ACRE_INLINE void tlsf_note_empty_span(struct acre_tlsf *tlsf, size_t span)
{
    (void)tlsf;
    (void)span;
}

ACRE_INLINE void tlsf_forget_empty_span(struct acre_tlsf *tlsf)
{
    (void)tlsf;
}

#if ACRE_REGIONS
ACRE_INLINE void tlsf_set_released_hook(
    struct acre_tlsf *tlsf, acre_released_fn *handler, void *arg)
{
    tlsf->on_released = handler;
    tlsf->on_released_arg = arg;
}
#else
ACRE_INLINE void tlsf_set_released_hook(
    struct acre_tlsf *tlsf, acre_released_fn *handler, void *arg)
{
    (void)tlsf;
    (void)handler;
    (void)arg;
}
#endif

#if ACRE_MAX_POOL < 0x80000 && !ACRE_REGIONS

ACRE_INLINE struct acre_tlsf_block *tlsf_from_head(
    const struct acre_tlsf *tlsf, acre_tlsf_head head)
{
    return head == 0 ? NULL : (void *)(tlsf->base + (size_t)head * ACRE_TLSF_GRANULE);
}

ACRE_INLINE acre_tlsf_head tlsf_to_head(
    const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block)
{
    size_t granule = ((uintptr_t)block - tlsf->base) / ACRE_TLSF_GRANULE;
    return (acre_tlsf_head)(block == NULL ? 0 : granule);
}

#else

ACRE_INLINE struct acre_tlsf_block *tlsf_from_head(
    const struct acre_tlsf *tlsf, acre_tlsf_head head)
{
    (void)tlsf;
    return head;
}

ACRE_INLINE acre_tlsf_head tlsf_to_head(const struct acre_tlsf *tlsf, struct acre_tlsf_block *block)
{
    (void)tlsf;
    return block;
}

#endif

ACRE_INLINE struct acre_tlsf_block *tlsf_top(const struct acre_tlsf *tlsf)
{
    (void)tlsf;
    return NULL;
}

ACRE_INLINE void tlsf_set_top(struct acre_tlsf *tlsf, struct acre_tlsf_block *block)
{
    (void)tlsf;
    (void)block;
}

ACRE_INLINE struct acre_tlsf_block *tlsf_first(const struct acre_tlsf *tlsf, size_t list)
{
    return tlsf_from_head(tlsf, tlsf->first[list]);
}

ACRE_INLINE void tlsf_set_first(struct acre_tlsf *tlsf, size_t list, struct acre_tlsf_block *block)
{
    tlsf->first[list] = tlsf_to_head(tlsf, block);
}

ACRE_INLINE struct acre_tlsf_block *tlsf_last(const struct acre_tlsf *tlsf, size_t list)
{
    (void)tlsf;
    (void)list;
    return NULL;
}

ACRE_INLINE void tlsf_set_last(struct acre_tlsf *tlsf, size_t list, struct acre_tlsf_block *block)
{
    (void)tlsf;
    (void)list;
    (void)block;
}

ACRE_INLINE const void *tlsf_top_place(const struct acre_tlsf *tlsf)
{
    return tlsf;
}

ACRE_INLINE const void *tlsf_last_place(const struct acre_tlsf *tlsf, size_t list)
{
    return &tlsf->first[list];
}

#endif

#endif
