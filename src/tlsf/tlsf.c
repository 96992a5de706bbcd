/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's hot paths: alloc and dealloc.
 *
 * Most requests find a block of exactly their size at the head of its list; that path is written
 * out first and every other one is a call in tail position, so that it needs no stack.
 */
#include "base/exhausted.h"
#include "tlsf/tlsf_private.h"

/* ---- alloc ---- */

ACRE_NOINLINE struct acre_ptr acre_tlsf_raise_peak(struct acre_tlsf *tlsf, void *block)
{
    tlsf->peak -= (size_t)tlsf->room;
    tlsf->room = 0;
    return (struct acre_ptr){ block, ACRE_OK };
}

static ACRE_NOINLINE struct acre_ptr hand_out_elsewhere(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    acre_tlsf_look_at(tlsf, acre_tlsf_region_of(tlsf, block));
    if (ACRE_UNLIKELY(!tlsf_make_live(tlsf, block, span)))
        return acre_tlsf_raise_peak(tlsf, block);
    return (struct acre_ptr){ block, ACRE_OK };
}

ACRE_NOINLINE struct acre_ptr acre_tlsf_wake(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    if (ACRE_UNLIKELY(!tlsf_is_at_hand(tlsf, block)))
        return hand_out_elsewhere(tlsf, block, span);
    if (ACRE_UNLIKELY(!tlsf_make_live(tlsf, block, span)))
        return acre_tlsf_raise_peak(tlsf, block);
    return (struct acre_ptr){ block, ACRE_OK };
}

struct acre_ptr acre_tlsf_hand_out(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span, acre_tlsf_field flags)
{
    *tlsf_header(block) = (acre_tlsf_field)span | flags;
    return acre_tlsf_wake(tlsf, block, span);
}

/* Writes the header of a free block that becomes live whole. */
ACRE_INLINE void set_live_whole(struct acre_tlsf_block *block, size_t span)
{
    *tlsf_header(block) = (acre_tlsf_field)span;
    *tlsf_header(tlsf_after(block, span)) &= ~(acre_tlsf_field)TLSF_PREV_FREE;
}

/* Takes the last block of its list, which has been unlinked. */
static ACRE_NOINLINE struct acre_ptr take_last(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    tlsf_unmark(tlsf, tlsf_linear_list(span));
    set_live_whole(block, span);
    return acre_tlsf_wake(tlsf, block, span);
}

static struct acre_ptr tlsf_retry(void *self, struct acre_layout layout)
{
    return acre_tlsf_alloc(self, layout);
}

ACRE_NOINLINE struct acre_ptr acre_tlsf_refuse(struct acre_tlsf *tlsf, struct acre_layout layout)
{
    if (tlsf->alloc_flushed != NULL) {
        struct acre_ptr got = tlsf->alloc_flushed(tlsf, layout);
        if (got.ptr != NULL)
            return got;
    }
    return acre_retry_exhausted(&tlsf->on_exhausted, &tlsf->failed, tlsf_retry, tlsf, layout);
}

size_t acre_tlsf_trim(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t whole, size_t span)
{
    struct acre_tlsf_block *behind = tlsf_after(block, whole);
    size_t rest = whole - span;
    if (rest < TLSF_MIN_SPAN) {
        *tlsf_header(behind) &= ~(acre_tlsf_field)TLSF_PREV_FREE;
        return whole;
    }
    struct acre_tlsf_block *left = tlsf_after(block, span);
    tlsf_set_free(left, rest, behind);
    *tlsf_header(behind) |= TLSF_PREV_FREE;
    acre_tlsf_place(tlsf, left, rest);
    return span;
}

void acre_tlsf_place(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    size_t list = tlsf_list(span / 4);
    if (list < ACRE_TLSF_LINEAR_LISTS)
        tlsf_place(tlsf, block, list);
    else
        tlsf_push(tlsf, block, list);
}

/* Cuts a request off a large block, the first of its list; what is left often takes its place
 * there. */
static ACRE_NOINLINE struct acre_ptr take_from_large(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t list, size_t span)
{
    size_t rest = tlsf_span(block) - span;
    size_t rest_list = tlsf_list(rest / 4);
    struct acre_tlsf_block *left = tlsf_after(block, span);
    *tlsf_header(block) = (acre_tlsf_field)span;
    tlsf_set_free(left, rest, tlsf_after(left, rest));
    if (rest_list == list) {
        tlsf_replace_first(tlsf, block, left, list);
    } else {
        tlsf_pop(tlsf, block, list);
        tlsf_push(tlsf, left, rest_list);
    }
    return acre_tlsf_wake(tlsf, block, span);
}

/* Cuts a request off the bottom of a block that is in no list; `rest` is of a linear list's size.
 */
ACRE_INLINE struct acre_ptr take_bottom(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span, size_t rest)
{
    struct acre_tlsf_block *left = tlsf_after(block, span);
    *tlsf_header(block) = (acre_tlsf_field)span;
    tlsf_set_free(left, rest, tlsf_after(left, rest));
    tlsf_place(tlsf, left, tlsf_linear_list(rest));
    return acre_tlsf_wake(tlsf, block, span);
}

/* The list whose first block a request is cut from. Where a list has blocks of several sizes, the
 * first in the request's own may be large enough though not all are. */
ACRE_INLINE size_t find_fitting(const struct acre_tlsf *tlsf, size_t granules)
{
    size_t own = tlsf_list(granules - 1);
    if (granules > TLSF_LINEAR && own < ACRE_TLSF_LISTS) {
        const struct acre_tlsf_block *first = tlsf->first[own];
        if (first != NULL && *tlsf_header(first) >= 4 * granules)
            return own;
    }
    return tlsf_find(tlsf, own + 1);
}

/* Requests below the smallest block, above the linear lists, or without a list near theirs. */
static ACRE_NOINLINE struct acre_ptr alloc_far(struct acre_tlsf *tlsf, size_t size)
{
    size_t granules = tlsf_granules(size);
    size_t list = granules == 0 ? ACRE_TLSF_LISTS : find_fitting(tlsf, granules);
    if (list == ACRE_TLSF_LISTS)
        return acre_tlsf_refuse(tlsf, acre_layout(size, 1));
    struct acre_tlsf_block *block = tlsf->first[list];
    size_t whole = tlsf_span(block);
    size_t rest = whole - 4 * granules;
    if (rest >= 4 * TLSF_LINEAR)
        return take_from_large(tlsf, block, list, 4 * granules);
    tlsf_pop(tlsf, block, list);
    if (rest >= TLSF_MIN_SPAN)
        return take_bottom(tlsf, block, 4 * granules, rest);
    set_live_whole(block, whole);
    return acre_tlsf_wake(tlsf, block, whole);
}

/* Takes from one of the lists that a word of the bitmap shows; `word` starts at the request's own
 * list, which is empty. In the linear lists a block's list is its size, so nothing need be read. */
static ACRE_NOINLINE struct acre_ptr alloc_near(
    struct acre_tlsf *tlsf, size_t size, size_t own, size_t word)
{
    if (ACRE_UNLIKELY(word == 0))
        return alloc_far(tlsf, size);
    size_t rest = acre_bits_lowest(word);
    size_t span = 4 * own + TLSF_MIN_SPAN;
    ACRE_OPAQUE(span);
    struct acre_tlsf_block *block = tlsf->first[own + rest];
    tlsf_pop(tlsf, block, own + rest);
    if (rest >= ACRE_TLSF_MIN_GRANULES)
        return take_bottom(tlsf, block, span, 4 * rest);
    set_live_whole(block, span + 4 * rest);
    return acre_tlsf_wake(tlsf, block, span + 4 * rest);
}

struct acre_ptr acre_tlsf_alloc(struct acre_tlsf *tlsf, struct acre_layout layout)
{
    if (ACRE_UNLIKELY(tlsf_is_odd_alignment(layout.align)))
        return acre_tlsf_alloc_aligned(tlsf, layout);
    size_t list = (layout.size - TLSF_SIZE_BIAS) >> ACRE_TLSF_GRANULE_LOG2;
    if (ACRE_UNLIKELY(list >= ACRE_TLSF_LINEAR_LISTS))
        return alloc_far(tlsf, layout.size);
    size_t word = tlsf->nonempty[list >> TLSF_WORD_LOG2] >> (list % ACRE_TLSF_WORD_BITS);
    if ((word & 1) == 0)
        return alloc_near(tlsf, layout.size, list, word);
    size_t span = 4 * list + TLSF_MIN_SPAN;
    ACRE_OPAQUE(span);
    struct acre_tlsf_block *block = tlsf->first[list];
    struct acre_tlsf_block *next = block->next;
    tlsf->first[list] = next;
    if (ACRE_UNLIKELY(next == NULL))
        return take_last(tlsf, block, span);
    set_live_whole(block, span);
    if (ACRE_UNLIKELY(!tlsf_is_at_hand(tlsf, block)))
        return hand_out_elsewhere(tlsf, block, span);
    if (ACRE_UNLIKELY(!tlsf_make_live(tlsf, block, span)))
        return acre_tlsf_raise_peak(tlsf, block);
    return (struct acre_ptr){ block, ACRE_OK };
}

/* ---- dealloc ---- */

/* Lists a free block too large for the linear lists. */
static ACRE_NOINLINE enum acre_status list_large(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    tlsf_push(tlsf, block, tlsf_list(span / 4));
    return ACRE_OK;
}

/* A large free block has grown upward; it often stays in its list. */
static ACRE_NOINLINE enum acre_status grow_up(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t had, size_t span)
{
    size_t list = tlsf_list(had / 4);
    tlsf_set_free(block, span, tlsf_after(block, span));
    if (list == tlsf_list(span / 4))
        return ACRE_OK;
    tlsf_unlink_from(tlsf, block, list);
    return list_large(tlsf, block, span);
}

/* A large free block `old` has grown downward, to begin at `block`; that often takes its place. */
static ACRE_NOINLINE enum acre_status grow_down(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *old, struct acre_tlsf_block *block, size_t span)
{
    size_t list = tlsf_list(tlsf_span(old) / 4);
    tlsf_set_free(block, span, tlsf_after(block, span));
    if (list == tlsf_list(span / 4) && tlsf->first[list] == old) {
        tlsf_replace_first(tlsf, old, block, list);
        return ACRE_OK;
    }
    tlsf_unlink_from(tlsf, old, list);
    return list_large(tlsf, block, span);
}

/* Ends a free whose block is alone in its list. */
static ACRE_NOINLINE enum acre_status list_alone(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    size_t list = tlsf_linear_list(span);
    tlsf->last[list] = block;
    tlsf_mark(tlsf, list);
    return ACRE_OK;
}

/* Frees a block with a free neighbour: both are merged first, then the block is listed once. */
static ACRE_NOINLINE enum acre_status release_merging(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t header)
{
    size_t span = header & ~(size_t)TLSF_PREV_FREE;
    tlsf_make_dead(tlsf, span);
    struct acre_tlsf_block *behind = tlsf_after(block, span);
    size_t more = tlsf_is_free(behind) ? tlsf_span(behind) : 0;
    if (more == 0)
        *tlsf_header(behind) |= TLSF_PREV_FREE;
    else if (more < 4 * TLSF_LINEAR)
        tlsf_unlink_from(tlsf, behind, tlsf_linear_list(more));
    span += more;
    if ((header & TLSF_PREV_FREE) != 0) {
        size_t before = *tlsf_size_before(block);
        block = tlsf_before(block, before);
        span += before;
        if (before < 4 * TLSF_LINEAR)
            tlsf_unlink_from(tlsf, block, tlsf_linear_list(before));
        else if (more < 4 * TLSF_LINEAR)
            return grow_up(tlsf, block, before, span);
        else
            tlsf_unlink_from(tlsf, block, tlsf_list(before / 4));
    }
    if (more >= 4 * TLSF_LINEAR)
        return grow_down(tlsf, behind, block, span);
    tlsf_set_free(block, span, tlsf_after(block, span));
    if (span >= 4 * TLSF_LINEAR)
        return list_large(tlsf, block, span);
    tlsf_place(tlsf, block, tlsf_linear_list(span));
    return ACRE_OK;
}

/* Frees a block whose live bit is cleared. */
ACRE_INLINE enum acre_status release(struct acre_tlsf *tlsf, struct acre_tlsf_block *block)
{
    size_t span = *tlsf_header(block);
    ACRE_OPAQUE(span);
    if ((span & TLSF_PREV_FREE) != 0)
        return release_merging(tlsf, block, span);
    struct acre_tlsf_block *behind = tlsf_after(block, span);
    if (tlsf_is_free(behind))
        return release_merging(tlsf, block, span);
    *tlsf_header(behind) |= TLSF_PREV_FREE;
    tlsf_make_dead(tlsf, span);
    tlsf_set_free(block, span, behind);
    if (ACRE_UNLIKELY(span >= 4 * TLSF_LINEAR))
        return list_large(tlsf, block, span);
    struct acre_tlsf_block **first = tlsf_first_of(tlsf, span);
    struct acre_tlsf_block *next = *first;
    block->next = next;
    *first = block;
    if (next == NULL)
        return list_alone(tlsf, block, span);
    next->prev = block;
    return ACRE_OK;
}

ACRE_NOINLINE enum acre_status acre_tlsf_release(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block)
{
    return release(tlsf, block);
}

static ACRE_NOINLINE enum acre_status dealloc_elsewhere(struct acre_tlsf *tlsf, void *ptr)
{
    const struct acre_tlsf_region *region = acre_tlsf_region_of(tlsf, ptr);
    if (region == NULL || !tlsf_test(region->live_map, tlsf_offset(region->base, ptr)))
        return ACRE_NOT_ALLOCATED;
    acre_tlsf_look_at(tlsf, region);
    size_t offset = tlsf_offset(tlsf->base, ptr);
    tlsf->live_map[offset >> TLSF_WORD_LOG2] &= tlsf_all_but(offset);
    return release(tlsf, ptr);
}

enum acre_status acre_tlsf_dealloc(struct acre_tlsf *tlsf, void *ptr)
{
    if (!ACRE_CHECK_POINTERS)
        return release(tlsf, ptr);
    size_t offset = tlsf_offset(tlsf->base, ptr);
    if (ACRE_UNLIKELY(offset >= tlsf->granules))
        return dealloc_elsewhere(tlsf, ptr);
    size_t *word = &tlsf->live_map[offset >> TLSF_WORD_LOG2];
    if (ACRE_UNLIKELY((*word & tlsf_bit(offset)) == 0))
        return ACRE_NOT_ALLOCATED;
    ACRE_REREAD();
    *word ^= tlsf_bit(offset);
    return release(tlsf, ptr);
}
