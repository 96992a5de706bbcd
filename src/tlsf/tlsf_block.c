/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's single blocks: making one live, splitting, alignments above the granule, resizing in
 * place.
 */
#include "tlsf/tlsf_cut.h"

/* ---- the end of every alloc ---- */

ACRE_NOINLINE struct acre_ptr acre_tlsf_raise_peak(struct acre_tlsf *tlsf, void *block)
{
    tlsf->peak -= (size_t)tlsf->headroom;
    tlsf->headroom = 0;
    return (struct acre_ptr){ block, ACRE_OK };
}

/* In a region that the table does not lead to; it becomes the cached one. */
static ACRE_NOINLINE struct acre_ptr mark_live_searching(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    size_t offset = 0;
    const struct acre_tlsf_region *region = tlsf_find_likely(tlsf, block, &offset);
    if (ACRE_UNLIKELY(region == NULL))
        region = acre_tlsf_find_granule(tlsf, block, &offset);
    ACRE_ASSERT(region != NULL); /* TLSF-1 */
    tlsf_cache_region(tlsf, region);
    if (ACRE_UNLIKELY(!tlsf_add_live(tlsf, block, span)))
        return acre_tlsf_raise_peak(tlsf, block);
    return (struct acre_ptr){ block, ACRE_OK };
}

ACRE_NOINLINE struct acre_ptr acre_tlsf_mark_live_uncached(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    size_t offset = 0;
    const struct acre_tlsf_region *region = tlsf_find_in_table(tlsf, block, &offset);
    if (region == NULL)
        return mark_live_searching(tlsf, block, span);
    ACRE_ASSERT(!tlsf_test(region->shared_map, offset)); /* TLSF-5 */
    region->shared_map[offset >> TLSF_WORD_LOG2] |= tlsf_bit(offset);
    tlsf->live_blocks++;
    if (ACRE_UNLIKELY((tlsf->headroom -= (ptrdiff_t)span) < 0))
        return acre_tlsf_raise_peak(tlsf, block);
    return (struct acre_ptr){ block, ACRE_OK };
}

ACRE_NOINLINE struct acre_ptr acre_tlsf_mark_live(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    ACRE_ASSERT(tlsf_span(block) == span && !tlsf_is_free(block)); /* TLSF-2 */
    if (ACRE_UNLIKELY(!tlsf_is_cached(tlsf, block)))
        return acre_tlsf_mark_live_uncached(tlsf, block, span);
    if (ACRE_UNLIKELY(!tlsf_add_live(tlsf, block, span)))
        return acre_tlsf_raise_peak(tlsf, block);
    return (struct acre_ptr){ block, ACRE_OK };
}

struct acre_ptr acre_tlsf_finish_alloc(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span, acre_tlsf_field flags)
{
    *tlsf_header(block) = (acre_tlsf_field)span | flags;
    return acre_tlsf_mark_live(tlsf, block, span);
}

/* ---- alignments above the granule ---- */

/* Whether `span` fits into a block of span `whole` from address `at` on. */
ACRE_INLINE bool fits_at(const struct acre_tlsf_block *block, size_t whole,
    const struct acre_tlsf_block *at, size_t span)
{
    size_t gap = tlsf_span_between(block, at); /* past the last address, more than any block has */
    return gap <= whole && whole - gap >= span;
}

/* Whether `span` fits into a block at an aligned address; not when there is no block. */
ACRE_INLINE bool fits_aligned(const struct acre_tlsf_block *block, size_t span, size_t align)
{
    return block != NULL && fits_at(block, tlsf_span(block), tlsf_aligned_in(block, align), span);
}

/* The larger of the top block and the first block of a list; null: there is neither. */
ACRE_INLINE struct acre_tlsf_block *top_or_first(const struct acre_tlsf *tlsf, size_t list)
{
    struct acre_tlsf_block *first = tlsf_first(tlsf, list);
    struct acre_tlsf_block *top = tlsf_top(tlsf);
    if (top == NULL || first == NULL)
        return top == NULL ? first : top;
    return *tlsf_header(top) > *tlsf_header(first) ? top : first;
}

/* Ends acre_tlsf_find_aligned if the first block of the request's own list does not fit. A block of
 * `enough` granules always fits. */
static ACRE_NOINLINE struct acre_tlsf_block *find_aligned_larger(
    const struct acre_tlsf *tlsf, size_t span, size_t enough, size_t align)
{
    size_t fitting = enough <= TLSF_MAX_GRANULES ? tlsf_list_fitting(enough) : ACRE_TLSF_LISTS;
    size_t list = tlsf_find_list(tlsf, fitting);
    if (list != ACRE_TLSF_LISTS)
        return tlsf_first(tlsf, list);
    struct acre_tlsf_block *block = top_or_first(tlsf, fitting - 1);
    return fits_aligned(block, span, align) ? block : NULL;
}

struct acre_tlsf_block *acre_tlsf_find_aligned(
    const struct acre_tlsf *tlsf, struct acre_layout layout)
{
    size_t granules = tlsf_granules_within(tlsf, layout.size);
    if (ACRE_UNLIKELY(granules == 0))
        return NULL;
    size_t fitting = tlsf_list_fitting(granules);
    size_t list = tlsf_find_list(tlsf, fitting);
    if (list == ACRE_TLSF_LISTS) /* the list below may have a block that fits; list 0 has none */
        list = fitting - (fitting != 0);
    struct acre_tlsf_block *block = tlsf_first(tlsf, list);
    if (fits_aligned(block, 4 * granules, layout.align))
        return block;
    size_t enough = granules + (layout.align >> ACRE_TLSF_GRANULE_LOG2) + 1;
    return find_aligned_larger(tlsf, 4 * granules, enough, layout.align);
}

/* Takes a free block out of its list and allocates `span` of it from `at` on; what lies on both
 * sides stays free. */
ACRE_INLINE struct acre_ptr alloc_within(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, struct acre_tlsf_block *at, size_t span)
{
    size_t whole = tlsf_span(block);
    size_t gap = tlsf_span_between(block, at);
    tlsf_unlink(tlsf, block);
    if (gap != 0) {
        tlsf_set_free(block, gap, at);
        tlsf_insert(tlsf, block, gap);
    }
    span = tlsf_cut_block(tlsf, at, whole - gap, span, false);
    return acre_tlsf_finish_alloc(tlsf, at, span, gap != 0 ? TLSF_PREV_FREE : 0);
}

bool acre_tlsf_would_fit(
    const struct acre_tlsf_block *block, size_t whole, struct acre_layout layout)
{
    size_t granules = tlsf_granules(layout.size);
    return granules != 0 &&
           fits_at(block, whole, tlsf_aligned_in(block, layout.align), 4 * granules);
}

struct acre_ptr acre_tlsf_alloc_from(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, struct acre_layout layout)
{
    struct acre_tlsf_block *at = tlsf_aligned_in(block, layout.align);
    return alloc_within(tlsf, block, at, 4 * tlsf_granules(layout.size));
}

struct acre_ptr acre_tlsf_alloc_at(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, struct acre_tlsf_block *at, size_t size)
{
    return alloc_within(tlsf, block, at, 4 * tlsf_granules(size));
}

/* ---- live blocks ---- */

/* A block can have one granule more than its request takes, since a remainder of one granule is too
 * small for a block. */
bool acre_tlsf_matches_layout(const struct acre_tlsf_block *block, struct acre_layout layout)
{
    size_t has = tlsf_span(block) / 4;
    size_t granules = tlsf_granules(layout.size);
    return acre_is_pow2(layout.align) && ((uintptr_t)block & (layout.align - 1)) == 0 &&
           granules <= has && has - granules < ACRE_TLSF_MIN_GRANULES;
}

struct acre_num acre_tlsf_usable_size(const struct acre_tlsf *tlsf, const void *ptr)
{
    if (!tlsf_is_sound(tlsf, ptr))
        return (struct acre_num){ 0, ACRE_NOT_ALLOCATED };
    return (struct acre_num){ tlsf_usable(tlsf_span(ptr)), ACRE_OK };
}

/* A compact structure has a limit of 0. */
bool acre_tlsf_resize_in_place(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t size)
{
    size_t want = 4 * tlsf_granules_within(tlsf, size);
    if (ACRE_UNLIKELY(want == 0))
        return tlsf_is_compact(tlsf) && acre_tlsf_compact_resize(tlsf, block, size);
    return tlsf_cut_live(tlsf, block, want, false);
}

enum acre_status acre_tlsf_resize(struct acre_tlsf *tlsf, void *ptr, size_t size)
{
    if (!tlsf_is_sound(tlsf, ptr))
        return ACRE_NOT_ALLOCATED;
    if (acre_tlsf_resize_in_place(tlsf, ptr, size))
        return ACRE_OK;
    tlsf->failed++;
    return ACRE_NO_MEMORY;
}
