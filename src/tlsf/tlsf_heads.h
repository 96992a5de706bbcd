/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The parts of TLSF's control structure that differ between the default and a small build
 * (ACRE_MAX_POOL): list heads, the top block, and the sizes at which frees test for an empty
 * region.
 */
#ifndef ACRE_SRC_TLSF_TLSF_HEADS_H
#define ACRE_SRC_TLSF_TLSF_HEADS_H

#include "tlsf/tlsf_private.h"

/* ---- tlsf_small.c ---- */

/* Takes any free block out of its list. */
void acre_tlsf_small_unlink(struct acre_tlsf *tlsf, struct acre_tlsf_block *block);

/* Puts any free block into its list. */
void acre_tlsf_small_insert(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span);

#if ACRE_MAX_POOL == 0

/* Functions in which a compact structure differs from a whole one. */
struct acre_tlsf_compact_ops {
    void (*unlink)(struct acre_tlsf *tlsf, struct acre_tlsf_block *block);
    void (*insert)(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span);
    struct acre_tlsf_block *(*find_aligned)(
        const struct acre_tlsf *tlsf, struct acre_layout layout);
    struct acre_ptr (*alloc_at)(struct acre_tlsf *tlsf, struct acre_tlsf_block *block,
        struct acre_tlsf_block *at, size_t size);
    bool (*resize)(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t size);
    enum acre_status (*dealloc)(struct acre_tlsf *tlsf, void *ptr);
};

#endif

/* Makes a structure of acre_tlsf_structure_size(largest) zeroed bytes compact; nothing in a small
 * build.
 */
void acre_tlsf_make_compact(struct acre_tlsf *tlsf, size_t largest);

/* ---- tlsf_compact.c: through the table; a small build has no calls of these ---- */

void acre_tlsf_compact_unlink(struct acre_tlsf *tlsf, struct acre_tlsf_block *block);
void acre_tlsf_compact_insert(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span);
struct acre_tlsf_block *acre_tlsf_compact_find_aligned(
    const struct acre_tlsf *tlsf, struct acre_layout layout);
struct acre_ptr acre_tlsf_compact_alloc_at(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, struct acre_tlsf_block *at, size_t size);
bool acre_tlsf_compact_resize(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t size);
enum acre_status acre_tlsf_compact_dealloc(struct acre_tlsf *tlsf, void *ptr);

/* ---- what differs ---- */

#if ACRE_MAX_POOL == 0

/* Whether a structure is compact: it has lists of its own, in place of those below. */
ACRE_INLINE bool tlsf_is_compact(const struct acre_tlsf *tlsf)
{
    return TLSF_COMPACT && ACRE_UNLIKELY(tlsf->compact_ops != NULL);
}

/* tlsf_granules(); also 0 where the request is left to alloc_slow. */
ACRE_INLINE size_t tlsf_granules_within(const struct acre_tlsf *tlsf, size_t size)
{
    size_t over = size < TLSF_SIZE_BIAS ? 0 : (size - TLSF_SIZE_BIAS) >> ACRE_TLSF_GRANULE_LOG2;
    return over >= tlsf->granule_limit ? 0 : over + ACRE_TLSF_MIN_GRANULES;
}

/* Lets a structure that has a region serve requests of every size from its lists. */
ACRE_INLINE void tlsf_set_granule_limit(struct acre_tlsf *tlsf)
{
    bool compact = tlsf_is_compact(tlsf);
    tlsf->granule_limit = compact ? 0 : TLSF_MAX_GRANULES - ACRE_TLSF_MIN_GRANULES + 1;
}

/* The spans that frees test for: those without a linear list, and those that an empty region can
 * have. */
ACRE_INLINE void tlsf_set_watched_spans(struct acre_tlsf *tlsf)
{
    size_t span = tlsf->on_released != NULL ? tlsf->watch.least_span : SIZE_MAX;
    if (tlsf_is_compact(tlsf))
        return;
    tlsf->watch.released_span = span;
    tlsf->watch.large_span = span < 4 * TLSF_LINEAR ? span : 4 * TLSF_LINEAR;
    tlsf->watch.end = NULL;
}

/* Whether the region whose sentinel is `end` may be one free block that starts at `block`. Notes
 * where its first block starts, unless it has several chains. */
ACRE_INLINE bool tlsf_is_from_first(
    struct acre_tlsf *tlsf, const struct acre_tlsf_block *block, const struct acre_tlsf_block *end)
{
    const void *inside = (const char *)end - ACRE_TLSF_GRANULE;
    const struct acre_tlsf_region *region = acre_tlsf_region_of(tlsf, inside);
    ACRE_ASSERT(region != NULL); /* TLSF-2 */
    if (region->joined || region->last != end ||
        tlsf_span_between(region->first, end) > 4 * TLSF_MAX_GRANULES)
        return true;
    tlsf->watch.end = end;
    tlsf->watch.end_first = region->first;
    return region->first == block;
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
    if (!tlsf_is_compact(tlsf))
        tlsf->watch.least_span = 0;
}

/* Notes the span of a region that is one free block. */
ACRE_INLINE void tlsf_note_empty_span(struct acre_tlsf *tlsf, size_t span)
{
    if (tlsf_is_compact(tlsf))
        return;
    if (tlsf->watch.least_span == 0 || span < tlsf->watch.least_span)
        tlsf->watch.least_span = span;
    tlsf_set_watched_spans(tlsf);
}

/* Words of `nonempty` that are not 0, each a bit of the summary. */
ACRE_INLINE void tlsf_set_summary(struct acre_tlsf *tlsf, size_t at)
{
    tlsf->summary |= tlsf_bit(at);
}

ACRE_INLINE void tlsf_clear_summary(struct acre_tlsf *tlsf, size_t at)
{
    tlsf->summary &= tlsf_all_but(at);
}

/* The first list with a block in the words after one; ACRE_TLSF_LISTS when there is none. */
ACRE_INLINE size_t tlsf_find_list_after(const struct acre_tlsf *tlsf, size_t at)
{
    size_t later = tlsf->summary & ((~(size_t)1) << at);
    if (later == 0)
        return ACRE_TLSF_LISTS;
    at = acre_bits_lowest(later);
    return at * ACRE_TLSF_WORD_BITS + acre_bits_lowest(tlsf->nonempty[at]);
}

/* The last word that is not 0; ACRE_TLSF_WORDS when there is none. */
ACRE_INLINE size_t tlsf_last_word(const struct acre_tlsf *tlsf)
{
    return tlsf->summary != 0 ? acre_bits_highest(tlsf->summary) : (size_t)ACRE_TLSF_WORDS;
}

/* The summary if a bit of it is wrong, else null; for the checker. */
ACRE_INLINE const size_t *tlsf_find_broken_summary(const struct acre_tlsf *tlsf)
{
    for (size_t at = 0; at < ACRE_TLSF_WORD_BITS; at++)
        if (tlsf_test(&tlsf->summary, at) != (at < ACRE_TLSF_WORDS && tlsf->nonempty[at] != 0))
            return &tlsf->summary;
    return NULL;
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

/* Where the first and the last block of the list of a span below 4 * TLSF_LINEAR are named. The
 * span is a multiple of the list's number: machines that scale an index need no other. */
ACRE_INLINE struct acre_tlsf_block **tlsf_place_of(struct acre_tlsf_block **blocks, size_t span)
{
    uintptr_t at = (uintptr_t)blocks + (span - TLSF_MIN_SPAN) * (sizeof blocks[0] / 4);
    return (struct acre_tlsf_block **)at;
}

ACRE_INLINE struct acre_tlsf_block **tlsf_first_place(struct acre_tlsf *tlsf, size_t span)
{
    return tlsf_place_of(tlsf->first, span);
}

ACRE_INLINE struct acre_tlsf_block **tlsf_back_place(struct acre_tlsf *tlsf, size_t span)
{
    return tlsf_place_of(tlsf->last, span);
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

ACRE_INLINE bool tlsf_is_compact(const struct acre_tlsf *tlsf)
{
    (void)tlsf;
    return false;
}

ACRE_INLINE size_t tlsf_granules_within(const struct acre_tlsf *tlsf, size_t size)
{
    (void)tlsf;
    return tlsf_granules(size);
}

/* NOT-COVERED-BEGIN: a small build adds its regions without it */
ACRE_INLINE void tlsf_set_granule_limit(struct acre_tlsf *tlsf)
{
    (void)tlsf;
}
/* NOT-COVERED-END */

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

/* There are few words, and no summary of them. */
ACRE_INLINE void tlsf_set_summary(struct acre_tlsf *tlsf, size_t at)
{
    (void)tlsf;
    (void)at;
}

ACRE_INLINE void tlsf_clear_summary(struct acre_tlsf *tlsf, size_t at)
{
    (void)tlsf;
    (void)at;
}

/* Whether the word `number` exists, comes after `at` and is not 0. */
ACRE_INLINE bool tlsf_is_word_after(const struct acre_tlsf *tlsf, size_t at, size_t number)
{
    /* NOT-COVERED-BEGIN: the second comparison is for compilers, which see each index */
    return number < ACRE_TLSF_WORDS && at < number &&
           tlsf->nonempty[number < ACRE_TLSF_WORDS ? number : 0] != 0;
    /* NOT-COVERED-END */
}

/* Written out, so that it is no loop. */
ACRE_INLINE size_t tlsf_find_list_after(const struct acre_tlsf *tlsf, size_t at)
{
    _Static_assert(ACRE_TLSF_WORDS <= 5, "the search sees every word");
    if (tlsf_is_word_after(tlsf, at, 1))
        at = 1;
    /* NOT-COVERED-BEGIN: more than two words are there where words have 32 bits */
    else if (tlsf_is_word_after(tlsf, at, 2))
        at = 2;
    else if (tlsf_is_word_after(tlsf, at, 3))
        at = 3;
    else if (tlsf_is_word_after(tlsf, at, 4))
        at = 4;
    /* NOT-COVERED-END */
    else
        return ACRE_TLSF_LISTS;
    return at * ACRE_TLSF_WORD_BITS + acre_bits_lowest(tlsf->nonempty[at]);
}

ACRE_INLINE size_t tlsf_last_word(const struct acre_tlsf *tlsf)
{
    size_t at = ACRE_TLSF_WORDS;
    while (at != 0 && tlsf->nonempty[at - 1] == 0)
        at--;
    return at != 0 ? at - 1 : (size_t)ACRE_TLSF_WORDS;
}

ACRE_INLINE const size_t *tlsf_find_broken_summary(const struct acre_tlsf *tlsf)
{
    (void)tlsf;
    return NULL;
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
    return (
        acre_tlsf_head)(block == NULL ? 0 : granule); /* NOT-COVERED: heads are only cleared so */
}

ACRE_INLINE acre_tlsf_head tlsf_to_head_of_block(
    const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block)
{
    return (acre_tlsf_head)(((uintptr_t)block - tlsf->base) / ACRE_TLSF_GRANULE);
}

ACRE_INLINE struct acre_tlsf_block *tlsf_from_head_of_block(
    const struct acre_tlsf *tlsf, acre_tlsf_head head)
{
    return (void *)(tlsf->base + (size_t)head * ACRE_TLSF_GRANULE);
}

#else

/* tlsf_to_head() and tlsf_from_head() where there is a block. */
ACRE_INLINE acre_tlsf_head tlsf_to_head_of_block(
    const struct acre_tlsf *tlsf, struct acre_tlsf_block *block)
{
    (void)tlsf;
    return block;
}

ACRE_INLINE struct acre_tlsf_block *tlsf_from_head_of_block(
    const struct acre_tlsf *tlsf, acre_tlsf_head head)
{
    (void)tlsf;
    return head;
}

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

/* A small build has no linear lists, and calls to these are left out. */
ACRE_INLINE struct acre_tlsf_block **tlsf_first_place(struct acre_tlsf *tlsf, size_t span)
{
    (void)tlsf;
    (void)span;
    return NULL;
}

ACRE_INLINE struct acre_tlsf_block **tlsf_back_place(struct acre_tlsf *tlsf, size_t span)
{
    return tlsf_first_place(tlsf, span);
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
