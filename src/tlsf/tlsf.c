/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's hot paths: alloc and dealloc.
 *
 * Most requests find a block of exactly their size at the head of its list; that path is written
 * out first and every other one is a call in tail position, so that it needs no stack.
 */
#include "base/exhausted.h"
#include "tlsf/tlsf_list.h"

#if ACRE_MAX_POOL == 0 /* else: tlsf_small.c */

/* ---- alloc ---- */

static struct acre_ptr tlsf_retry(void *self, struct acre_layout layout)
{
    return acre_tlsf_alloc(self, layout);
}

/* Ends an alloc that found no block. */
static ACRE_NOINLINE struct acre_ptr tlsf_refuse(struct acre_tlsf *tlsf, struct acre_layout layout)
{
    if (tlsf->alloc_slow != NULL) {
        struct acre_ptr got = tlsf->alloc_slow(tlsf, layout);
        if (got.ptr != NULL)
            return got;
    }
    return acre_retry_exhausted(&tlsf->on_exhausted, &tlsf->failed, tlsf_retry, tlsf, layout);
}

/* Serves an alignment above the granule; refuses one that is not a power of two. */
static ACRE_NOINLINE struct acre_ptr tlsf_alloc_aligned(
    struct acre_tlsf *tlsf, struct acre_layout layout)
{
    if (!acre_is_pow2(layout.align))
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    if (TLSF_HARDEN)
        acre_tlsf_validate_for(tlsf, layout);
    struct acre_tlsf_block *block = acre_tlsf_find_aligned(tlsf, layout);
    if (block == NULL)
        return tlsf_refuse(tlsf, layout);
    return acre_tlsf_alloc_from(tlsf, block, layout);
}

/* Allocates a block that was the only one in its list; it is unlinked already. */
static ACRE_NOINLINE struct acre_ptr tlsf_alloc_last_in_list(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    tlsf_unmark_list(tlsf, tlsf_linear_list(span));
    tlsf_set_live_whole(block, span);
    return acre_tlsf_mark_live(tlsf, block, span);
}

/* Allocates the first block of a linear list where the link to the next one has to be validated. */
static ACRE_NOINLINE struct acre_ptr tlsf_alloc_proving(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t list)
{
    size_t span = 4 * list + TLSF_MIN_SPAN;
    tlsf_pop(tlsf, block, list);
    tlsf_set_live_whole(block, span);
    return acre_tlsf_mark_live(tlsf, block, span);
}

/* Splits a request off the lower end of a block that is in no list. The remainder, of span `rest`,
 * goes into a linear list. */
ACRE_INLINE struct acre_ptr tlsf_alloc_splitting(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span, size_t rest)
{
    struct acre_tlsf_block *remainder = tlsf_after(block, span);
    *tlsf_header(block) = (acre_tlsf_field)span;
    tlsf_set_free(remainder, rest, tlsf_after(remainder, rest));
    tlsf_insert_sorted(tlsf, remainder, rest);
    return acre_tlsf_mark_live(tlsf, block, span);
}

/* Allocates a block that is in no list, or its lower part if the remainder, `rest`, is large enough
 * for a block; `rest` is not large. */
static ACRE_NOINLINE struct acre_ptr tlsf_alloc_unlisted(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span, size_t rest)
{
    if (rest >= TLSF_MIN_SPAN)
        return tlsf_alloc_splitting(tlsf, block, span, rest);
    tlsf_set_live_whole(block, span + rest);
    return acre_tlsf_mark_live(tlsf, block, span + rest);
}

/* Splits a request off a large block, the first of its list. The remainder often stays first in the
 * list or becomes the top block. */
static ACRE_NOINLINE struct acre_ptr tlsf_alloc_from_large(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t list, size_t span)
{
    size_t rest = tlsf_span(block) - span;
    if (rest < 4 * TLSF_LINEAR) {
        tlsf_pop(tlsf, block, list);
        return tlsf_alloc_unlisted(tlsf, block, span, rest);
    }
    size_t rest_list = tlsf_large_list(rest);
    struct acre_tlsf_block *remainder = tlsf_after(block, span);
    *tlsf_header(block) = (acre_tlsf_field)span;
    tlsf_set_free(remainder, rest, tlsf_after(remainder, rest));
    if (rest_list == list) {
        tlsf_replace_first(tlsf, block, remainder, list);
    } else {
        tlsf_pop(tlsf, block, list);
        if (tlsf->top == NULL)
            tlsf->top = remainder;
        else
            tlsf_push(tlsf, remainder, rest_list);
    }
    return acre_tlsf_mark_live(tlsf, block, span);
}

/* Serves a request for which there is no list from a top block that does not stay one. */
static ACRE_NOINLINE struct acre_ptr tlsf_alloc_all_of_top(
    struct acre_tlsf *tlsf, size_t size, size_t span)
{
    struct acre_tlsf_block *block = tlsf->top;
    size_t whole = tlsf_span(block);
    if (whole < span)
        return tlsf_refuse(tlsf, acre_layout(size, 1));
    tlsf->top = NULL;
    return tlsf_alloc_unlisted(tlsf, block, span, whole - span);
}

/* Serves a request for which there is no list: cuts it off the top block, which stays the top block
 * while it is large. */
static ACRE_NOINLINE struct acre_ptr tlsf_alloc_from_top(
    struct acre_tlsf *tlsf, size_t size, size_t span)
{
    if (TLSF_HARDEN)
        acre_tlsf_validate_top(tlsf);
    struct acre_tlsf_block *block = tlsf->top;
    if (ACRE_UNLIKELY(block == NULL))
        return tlsf_refuse(tlsf, acre_layout(size, 1));
    size_t rest = tlsf_span(block) - span;
    if (ACRE_UNLIKELY((ptrdiff_t)rest < 4 * TLSF_LINEAR))
        return tlsf_alloc_all_of_top(tlsf, size, span);
    struct acre_tlsf_block *remainder = tlsf_after(block, span);
    *tlsf_header(block) = (acre_tlsf_field)span;
    tlsf_set_free(remainder, rest, tlsf_after(remainder, rest));
    tlsf->top = remainder;
    return acre_tlsf_mark_live(tlsf, block, span);
}

/* Serves a request above the linear lists. The first block of the request's own list may be large
 * enough, although not all of that list are. */
static ACRE_NOINLINE struct acre_ptr tlsf_alloc_large(struct acre_tlsf *tlsf, size_t size)
{
    size_t over = (size - TLSF_SIZE_BIAS) >> ACRE_TLSF_GRANULE_LOG2;
    if (ACRE_UNLIKELY(over >= tlsf->granule_limit))
        return tlsf_refuse(tlsf, acre_layout(size, 1));
    size_t span = 4 * over + TLSF_MIN_SPAN;
    size_t list = tlsf_large_list(span - 4);
    if (TLSF_HARDEN)
        acre_tlsf_validate_lists(tlsf, list, list + 1);
    struct acre_tlsf_block *first = tlsf->first[list];
    if (first == NULL || *tlsf_header(first) < span)
        list = tlsf_find_list(tlsf, list + 1);
    if (list == ACRE_TLSF_LISTS)
        return tlsf_alloc_from_top(tlsf, size, span);
    return tlsf_alloc_from_large(tlsf, tlsf->first[list], list, span);
}

/* Serves a request of a linear list for which its word of the bitmap has no list: from one in a
 * later word, or from the top block. */
static ACRE_NOINLINE struct acre_ptr tlsf_alloc_from_later(
    struct acre_tlsf *tlsf, size_t size, size_t own)
{
    size_t span = 4 * own + TLSF_MIN_SPAN;
    if (TLSF_HARDEN)
        acre_tlsf_validate_lists(tlsf, own, (own | (ACRE_TLSF_WORD_BITS - 1)) + 1);
    size_t later = tlsf->summary & ((~(size_t)1) << (own >> TLSF_WORD_LOG2));
    ACRE_OPAQUE(span);
    if (later == 0)
        return tlsf_alloc_from_top(tlsf, size, span);
    size_t at = acre_bits_lowest(later);
    size_t list = at * ACRE_TLSF_WORD_BITS + acre_bits_lowest(tlsf->nonempty[at]);
    struct acre_tlsf_block *block = tlsf->first[list];
    if (list >= ACRE_TLSF_LINEAR_LISTS)
        return tlsf_alloc_from_large(tlsf, block, list, span);
    tlsf_pop(tlsf, block, list);
    return tlsf_alloc_unlisted(tlsf, block, span, 4 * (list - own));
}

/* Allocates from the next larger list in a word of the bitmap, that of the request's own list,
 * which is empty. All blocks of a linear list have one size, so no header is read. */
static ACRE_NOINLINE struct acre_ptr tlsf_alloc_larger(
    struct acre_tlsf *tlsf, size_t size, size_t word, size_t own)
{
    word >>= own % ACRE_TLSF_WORD_BITS;
    size_t span = 4 * own + TLSF_MIN_SPAN;
    ACRE_OPAQUE(span);
    if (word == 0 && tlsf->summary == 0)
        return tlsf_alloc_from_top(tlsf, size, span);
    if (word == 0)
        return tlsf_alloc_from_later(tlsf, size, own);
    size_t rest = acre_bits_lowest(word);
    struct acre_tlsf_block *block = tlsf->first[own + rest];
    tlsf_pop(tlsf, block, own + rest);
    if (rest >= ACRE_TLSF_MIN_GRANULES)
        return tlsf_alloc_splitting(tlsf, block, span, 4 * rest);
    tlsf_set_live_whole(block, span + 4 * rest);
    return acre_tlsf_mark_live(tlsf, block, span + 4 * rest);
}

/* Serves a request of 0 bytes or so few that its size maps below the smallest block. */
static ACRE_NOINLINE struct acre_ptr tlsf_alloc_smallest(struct acre_tlsf *tlsf, size_t size)
{
    size_t word = tlsf->nonempty[0];
    if ((word & 1) == 0)
        return tlsf_alloc_larger(tlsf, size, word, 0);
    struct acre_tlsf_block *block = tlsf->first[0];
    tlsf_pop(tlsf, block, 0);
    return tlsf_alloc_unlisted(tlsf, block, TLSF_MIN_SPAN, 0);
}

/* Serves a request outside the sizes of linear lists. */
ACRE_INLINE struct acre_ptr tlsf_alloc_extreme(struct acre_tlsf *tlsf, size_t size)
{
    if (size < TLSF_SIZE_BIAS)
        return tlsf_alloc_smallest(tlsf, size);
    return tlsf_alloc_large(tlsf, size);
}

struct acre_ptr acre_tlsf_alloc(struct acre_tlsf *tlsf, struct acre_layout layout)
{
    if (ACRE_UNLIKELY(tlsf_is_odd_alignment(layout.align)))
        return tlsf_alloc_aligned(tlsf, layout);
    size_t list = (layout.size - TLSF_SIZE_BIAS) >> ACRE_TLSF_GRANULE_LOG2;
    if (ACRE_UNLIKELY(list >= ACRE_TLSF_LINEAR_LISTS))
        return tlsf_alloc_extreme(tlsf, layout.size);
    size_t word = tlsf->nonempty[list >> TLSF_WORD_LOG2];
    ACRE_OPAQUE(word);
    if ((word >> (list % ACRE_TLSF_WORD_BITS) & 1) == 0)
        return tlsf_alloc_larger(tlsf, layout.size, word, list);
    size_t span = 4 * list + TLSF_MIN_SPAN;
    ACRE_OPAQUE(span);
    struct acre_tlsf_block *block = tlsf->first[list];
    struct acre_tlsf_block *next = block->next;
    if (TLSF_HARDEN && ACRE_UNLIKELY(!tlsf_is_after_nearby(tlsf, next, block, span)))
        return tlsf_alloc_proving(tlsf, block, list);
    ACRE_OPAQUE(list);
    tlsf->first[list] = next;
    if (ACRE_UNLIKELY(next == NULL))
        return tlsf_alloc_last_in_list(tlsf, block, span);
    tlsf_set_live_whole(block, span);
    if (ACRE_UNLIKELY(!tlsf_is_cached(tlsf, block)))
        return acre_tlsf_mark_live_uncached(tlsf, block, span);
    if (ACRE_UNLIKELY(!tlsf_add_live(tlsf, block, span)))
        return acre_tlsf_raise_peak(tlsf, block);
    return (struct acre_ptr){ block, ACRE_OK };
}

/* ---- dealloc ---- */

/* Calls on_released if the region of a block that was freed may be empty. */
static ACRE_NOINLINE enum acre_status tlsf_notify_released(
    struct acre_tlsf *tlsf, const struct acre_tlsf_block *block, const struct acre_tlsf_block *end)
{
    if (tlsf_span(end) != 0 || !tlsf_is_from_first(tlsf, block, end))
        return ACRE_OK;
    size_t had = tlsf->live_at_release;
    size_t has = tlsf->live_blocks;
    tlsf->live_at_release = has;
    tlsf->on_released(tlsf->on_released_arg, had > has ? had - has : 1);
    return ACRE_OK;
}

/* Ends a free that left a block as large as an empty region can be. */
static ACRE_NOINLINE enum acre_status tlsf_end_large_free(
    struct acre_tlsf *tlsf, const struct acre_tlsf_block *block, size_t span)
{
    const struct acre_tlsf_block *end = tlsf_after(block, span);
    if (end == tlsf->watch.end && block != tlsf->watch.end_first)
        return ACRE_OK;
    return tlsf_notify_released(tlsf, block, end);
}

/* Ends a free that left a block of `span`. */
ACRE_INLINE enum acre_status tlsf_end_free(
    struct acre_tlsf *tlsf, const struct acre_tlsf_block *block, size_t span)
{
    if (ACRE_UNLIKELY(span >= tlsf->watch.released_span))
        return tlsf_end_large_free(tlsf, block, span);
    return ACRE_OK;
}

/* Ends a free that has made a large block. */
static ACRE_NOINLINE enum acre_status tlsf_free_large(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    tlsf_insert_large(tlsf, block, span);
    return tlsf_end_free(tlsf, block, span);
}

/* Ends a free that has made a block of `large_span` or more. */
static ACRE_NOINLINE enum acre_status tlsf_free_watched(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    if (ACRE_LIKELY(span >= 4 * TLSF_LINEAR))
        return tlsf_free_large(tlsf, block, span);
    tlsf_insert_sorted(tlsf, block, span);
    return tlsf_end_free(tlsf, block, span);
}

/* Writes a large free block that has grown upward; it often stays in its place. */
static ACRE_NOINLINE enum acre_status tlsf_grow_upward(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t had, size_t span)
{
    tlsf_set_free(block, span, tlsf_after(block, span));
    if (tlsf->top == block)
        return tlsf_end_free(tlsf, block, span);
    size_t list = tlsf_large_list(had);
    if (list == tlsf_large_list(span))
        return tlsf_end_free(tlsf, block, span);
    (void)tlsf_unlink_listed(tlsf, block, list);
    return tlsf_free_large(tlsf, block, span);
}

/* Writes a large free block `old`, not the top block, that has grown downward and now starts at
 * `block`, which often takes the old one's place. */
static ACRE_NOINLINE enum acre_status tlsf_grow_downward(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *old, struct acre_tlsf_block *block, size_t span)
{
    size_t had = tlsf_span(old);
    tlsf_set_free(block, span, tlsf_after(block, span));
    ACRE_ASSERT(tlsf->top != old); /* tlsf_free_below_top() */
    size_t list = tlsf_large_list(had);
    if (list == tlsf_large_list(span) && tlsf->first[list] == old) {
        tlsf_replace_first(tlsf, old, block, list);
        return tlsf_end_free(tlsf, block, span);
    }
    (void)tlsf_unlink_listed(tlsf, old, list);
    return tlsf_free_large(tlsf, block, span);
}

/* Ends a dealloc whose block is the only one in its list. */
static ACRE_NOINLINE enum acre_status tlsf_insert_into_empty(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    size_t list = tlsf_linear_list(span);
    tlsf->last[list] = block;
    tlsf_mark_list(tlsf, list);
    return ACRE_OK;
}

/* Ends a dealloc of a block before the top block, which is `above` long. */
ACRE_INLINE enum acre_status tlsf_free_below_top(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t header, size_t above)
{
    size_t span = (header & ~(size_t)TLSF_PREV_FREE) + above;
    if ((header & TLSF_PREV_FREE) != 0) {
        size_t before = *tlsf_size_before(block);
        block = tlsf_before(block, before);
        span += before;
        tlsf_unlink(tlsf, block);
    }
    tlsf_set_free(block, span, tlsf_after(block, span));
    tlsf->top = block;
    return tlsf_end_free(tlsf, block, span);
}

/* Frees a block with a free neighbour: merges first, then inserts the result into a list once. */
static ACRE_NOINLINE enum acre_status tlsf_free_merging(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t header)
{
    size_t span = header & ~(size_t)TLSF_PREV_FREE;
    tlsf_count_freed(tlsf, span);
    struct acre_tlsf_block *above = tlsf_after(block, span);
    size_t above_span = tlsf_is_free(above) ? tlsf_span(above) : 0;
    if (above_span == 0)
        tlsf_set_prev_free(above);
    else if (above_span >= 4 * TLSF_LINEAR && above == tlsf->top)
        return tlsf_free_below_top(tlsf, block, header, above_span);
    else if (above_span < 4 * TLSF_LINEAR)
        tlsf_unlink_linear(tlsf, above, above_span);
    span += above_span;
    if ((header & TLSF_PREV_FREE) != 0) {
        size_t before = *tlsf_size_before(block);
        block = tlsf_before(block, before);
        span += before;
        if (before < 4 * TLSF_LINEAR)
            tlsf_unlink_linear(tlsf, block, before);
        else if (above_span < 4 * TLSF_LINEAR)
            return tlsf_grow_upward(tlsf, block, before, span);
        else
            tlsf_unlink_large(tlsf, block, before);
    }
    if (above_span >= 4 * TLSF_LINEAR)
        return tlsf_grow_downward(tlsf, above, block, span);
    tlsf_set_free(block, span, tlsf_after(block, span));
    if (span >= tlsf->watch.large_span)
        return tlsf_free_watched(tlsf, block, span);
    tlsf_insert_sorted(tlsf, block, span);
    return ACRE_OK;
}

/* Frees a block that has no free neighbour. */
ACRE_INLINE enum acre_status tlsf_free_alone(struct acre_tlsf *tlsf, struct acre_tlsf_block *block,
    size_t span, struct acre_tlsf_block *above)
{
    ACRE_ASSERT(span >= TLSF_MIN_SPAN && above == tlsf_after(block, span)); /* TLSF-2 */
    ACRE_REREAD(); /* both headers are changed in memory */
    tlsf_set_prev_free(above);
    tlsf_count_freed(tlsf, span);
    *tlsf_header(block) |= TLSF_FREE;
    *tlsf_size_before(above) = (acre_tlsf_field)span;
    if (ACRE_UNLIKELY(span >= tlsf->watch.large_span))
        return tlsf_free_watched(tlsf, block, span);
    struct acre_tlsf_block *next = *tlsf_first_place(tlsf, span);
    block->next = next;
    ACRE_OPAQUE(span);
    *tlsf_first_place(tlsf, span) = block;
    if (next == NULL)
        return tlsf_insert_into_empty(tlsf, block, span);
    next->prev = block;
    return ACRE_OK;
}

/* Frees a block whose live bit is cleared. */
ACRE_INLINE enum acre_status tlsf_free_unlisted(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block)
{
    size_t span = *tlsf_header(block);
    ACRE_OPAQUE(span);
    if ((span & TLSF_PREV_FREE) != 0)
        return tlsf_free_merging(tlsf, block, span);
    struct acre_tlsf_block *above = tlsf_after(block, span);
    if (tlsf_is_free(above))
        return tlsf_free_merging(tlsf, block, span);
    return tlsf_free_alone(tlsf, block, span, above);
}

ACRE_NOINLINE enum acre_status acre_tlsf_free_block(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block)
{
    return tlsf_free_unlisted(tlsf, block);
}

/* Frees a block that has this number in a region's map, which becomes the cached one; refuses what
 * is no block. */
ACRE_INLINE enum acre_status tlsf_dealloc_caching(struct acre_tlsf *tlsf,
    struct acre_tlsf_block *block, const struct acre_tlsf_region *region, size_t offset)
{
    if (ACRE_UNLIKELY(!tlsf_clear_live_in(tlsf, block, region, offset)))
        return ACRE_NOT_ALLOCATED;
    tlsf_cache_region(tlsf, region);
    return acre_tlsf_free_block(tlsf, block);
}

/* Frees a block in a region that the quick lookup does not find. */
static ACRE_NOINLINE enum acre_status tlsf_dealloc_searching(struct acre_tlsf *tlsf, void *ptr)
{
    size_t offset = 0;
    const struct acre_tlsf_region *region = acre_tlsf_find_granule(tlsf, ptr, &offset);
    if (region == NULL)
        return tlsf_is_compact(tlsf) ? acre_tlsf_compact_dealloc(tlsf, ptr) : ACRE_NOT_ALLOCATED;
    return tlsf_dealloc_caching(tlsf, ptr, region, offset);
}

/* In a region that the table does not lead to. */
static ACRE_NOINLINE enum acre_status tlsf_dealloc_by_index(struct acre_tlsf *tlsf, void *ptr)
{
    size_t offset = 0;
    const struct acre_tlsf_region *region = tlsf_find_likely(tlsf, ptr, &offset);
    if (ACRE_UNLIKELY(region == NULL))
        return tlsf_dealloc_searching(tlsf, ptr);
    return tlsf_dealloc_caching(tlsf, ptr, region, offset);
}

static ACRE_NOINLINE enum acre_status tlsf_dealloc_uncached(struct acre_tlsf *tlsf, void *ptr)
{
    size_t offset = 0;
    const struct acre_tlsf_region *region = tlsf_find_in_table(tlsf, ptr, &offset);
    if (region == NULL)
        return tlsf_dealloc_by_index(tlsf, ptr);
    if (ACRE_UNLIKELY(!tlsf_clear_live_in(tlsf, ptr, region, offset)))
        return ACRE_NOT_ALLOCATED;
    return acre_tlsf_free_block(tlsf, ptr);
}

/* Frees a block of the cached region, whose live bit is in `word`, after validating its
 * neighbours. */
static ACRE_NOINLINE enum acre_status tlsf_dealloc_proving(
    struct acre_tlsf *tlsf, void *ptr, size_t *word)
{
    if (!acre_tlsf_is_sound_live(tlsf, ptr))
        return ACRE_NOT_ALLOCATED;
    *word ^= tlsf_bit(tlsf_offset(tlsf->base, ptr));
    return tlsf_free_unlisted(tlsf, ptr);
}

/* Frees a block of the cached region, whose live bit is in `word`. Validates the most common case
 * here: a block between live blocks of one region. */
ACRE_INLINE enum acre_status tlsf_dealloc_hardened(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t *word, size_t offset)
{
    if (ACRE_UNLIKELY(!tlsf_has_one_region(tlsf) || !tlsf_is_between_live(tlsf, block, offset)))
        return tlsf_dealloc_proving(tlsf, block, word);
    *word ^= tlsf_bit(offset);
    return tlsf_free_alone(tlsf, block, tlsf_span(block), tlsf_after(block, tlsf_span(block)));
}

enum acre_status acre_tlsf_dealloc(struct acre_tlsf *tlsf, void *ptr)
{
    if (!ACRE_CHECK_POINTERS)
        return tlsf_free_unlisted(tlsf, ptr);
    size_t offset = tlsf_offset(tlsf->base, ptr);
    if (ACRE_UNLIKELY(offset >= tlsf->granules))
        return tlsf_dealloc_uncached(tlsf, ptr);
    size_t at = offset >> TLSF_WORD_LOG2;
    size_t *map = tlsf->live_map;
    size_t live = map[at];
    if (ACRE_UNLIKELY((live >> (offset % ACRE_TLSF_WORD_BITS) & 1) == 0))
        return ACRE_NOT_ALLOCATED;
    if (TLSF_HARDEN)
        return tlsf_dealloc_hardened(tlsf, ptr, &map[at], offset);
    ACRE_OPAQUE(offset);
    ACRE_OPAQUE(map);
    map[at] = live ^ tlsf_bit(offset);
    return tlsf_free_unlisted(tlsf, ptr);
}

static ACRE_NOINLINE enum acre_status tlsf_dealloc_sized_slow(
    struct acre_tlsf *tlsf, void *ptr, struct acre_layout layout)
{
    if (!tlsf_is_sound(tlsf, ptr))
        return ACRE_NOT_ALLOCATED;
    if (!acre_tlsf_matches_layout(ptr, layout))
        return ACRE_INVALID_PARAM;
    return acre_tlsf_dealloc(tlsf, ptr);
}

/* Frees a block outside the cached region. */
static ACRE_NOINLINE enum acre_status tlsf_dealloc_sized_uncached(
    struct acre_tlsf *tlsf, void *ptr, struct acre_layout layout)
{
    size_t offset = 0;
    const struct acre_tlsf_region *region = tlsf_find_likely(tlsf, ptr, &offset);
    if (ACRE_UNLIKELY(region == NULL))
        return tlsf_dealloc_sized_slow(tlsf, ptr, layout);
    if (ACRE_UNLIKELY(!tlsf_test(region->shared_map, offset)))
        return ACRE_NOT_ALLOCATED;
    if (ACRE_UNLIKELY(tlsf_slack(tlsf_span(ptr), layout.size) >= TLSF_SURE_SLACK))
        return tlsf_dealloc_sized_slow(tlsf, ptr, layout);
    return tlsf_dealloc_caching(tlsf, ptr, region, offset);
}

/* Frees a block of the cached region, at this offset, that has a free one before it. */
static ACRE_NOINLINE enum acre_status tlsf_dealloc_sized_merging(
    struct acre_tlsf *tlsf, void *ptr, struct acre_layout layout, size_t offset)
{
    size_t header = *tlsf_header(ptr);
    if (ACRE_UNLIKELY(tlsf_slack(header - TLSF_PREV_FREE, layout.size) >= TLSF_SURE_SLACK))
        return tlsf_dealloc_sized_slow(tlsf, ptr, layout);
    tlsf->live_map[offset >> TLSF_WORD_LOG2] ^= tlsf_bit(offset);
    return tlsf_free_merging(tlsf, ptr, header);
}

/* The fast path validates the block as dealloc does, and the layout by the header that dealloc
 * reads anyway. Of the alignment it keeps the mask alone, which leaves its register to the test. */
enum acre_status acre_tlsf_dealloc_sized(
    struct acre_tlsf *tlsf, void *ptr, struct acre_layout layout)
{
    size_t mask = layout.align - 1;
    ACRE_OPAQUE(mask);
    if (!ACRE_CHECK_POINTERS || TLSF_HARDEN ||
        ACRE_UNLIKELY((((uintptr_t)ptr | layout.align) & mask) != 0)) /* tlsf_is_misaligned() */
        return tlsf_dealloc_sized_slow(tlsf, ptr, acre_layout(layout.size, mask + 1));
    size_t offset = tlsf_offset(tlsf->base, ptr);
    if (ACRE_UNLIKELY(offset >= tlsf->granules))
        return tlsf_dealloc_sized_uncached(tlsf, ptr, acre_layout(layout.size, mask + 1));
    size_t *word = &tlsf->live_map[offset >> TLSF_WORD_LOG2];
    size_t live = *word;
    if (ACRE_UNLIKELY((live >> (offset % ACRE_TLSF_WORD_BITS) & 1) == 0))
        return ACRE_NOT_ALLOCATED;
    size_t span = *tlsf_header(ptr);
    ACRE_OPAQUE(span);
    if ((span & TLSF_PREV_FREE) != 0)
        return tlsf_dealloc_sized_merging(tlsf, ptr, acre_layout(layout.size, mask + 1), offset);
    size_t usable = tlsf_usable(span);
    ACRE_OPAQUE(usable);
    if (ACRE_UNLIKELY(usable - layout.size >= TLSF_SURE_SLACK)) /* tlsf_slack() */
        return tlsf_dealloc_sized_slow(tlsf, ptr, acre_layout(layout.size, mask + 1));
    ACRE_OPAQUE(offset);
    *word = live ^ tlsf_bit(offset);
    ACRE_OPAQUE(span);
    struct acre_tlsf_block *above = tlsf_after(ptr, span);
    if (tlsf_is_free(above))
        return tlsf_free_merging(tlsf, ptr, span);
    return tlsf_free_alone(tlsf, ptr, span, above);
}

#endif
