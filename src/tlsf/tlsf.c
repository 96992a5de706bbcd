/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's hot paths: alloc and dealloc.
 *
 * Most requests find a block of exactly their size at the head of its list; that path is written
 * out first and every other one is a call in tail position, so that it needs no stack.
 */
#include "tlsf/tlsf_private.h"

/* ---- alloc ---- */

static ACRE_NOINLINE struct acre_ptr raise_peak(struct acre_tlsf *tlsf, void *block)
{
    tlsf->peak -= (size_t)tlsf->room;
    tlsf->room = 0;
    return (struct acre_ptr){ block, ACRE_OK };
}

static ACRE_NOINLINE struct acre_ptr hand_out_elsewhere(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    acre_tlsf_look_at(tlsf, acre_tlsf_region_of(tlsf, block));
    size_t offset = tlsf_offset(tlsf->base, block);
    tlsf->live_map[offset >> TLSF_WORD_LOG2] |= tlsf_bit(offset);
    if (ACRE_UNLIKELY((tlsf->room -= (ptrdiff_t)span) < 0))
        return raise_peak(tlsf, block);
    return (struct acre_ptr){ block, ACRE_OK };
}

ACRE_INLINE struct acre_ptr hand_out(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span, acre_tlsf_field flags)
{
    *tlsf_header(block) = (acre_tlsf_field)span | flags;
    tlsf->live_blocks++;
    if (ACRE_CHECK_POINTERS) {
        size_t offset = ((uintptr_t)block - tlsf->base) >> ACRE_TLSF_GRANULE_LOG2;
        if (ACRE_UNLIKELY(offset >= tlsf->granules))
            return hand_out_elsewhere(tlsf, block, span);
        tlsf->live_map[offset >> TLSF_WORD_LOG2] |= tlsf_bit(offset);
    }
    if (ACRE_UNLIKELY((tlsf->room -= (ptrdiff_t)span) < 0))
        return raise_peak(tlsf, block);
    return (struct acre_ptr){ block, ACRE_OK };
}

/* Hands out a whole free block that is in no list. */
ACRE_INLINE struct acre_ptr hand_out_whole(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    *tlsf_header(tlsf_after(block, span)) &= ~(acre_tlsf_field)TLSF_PREV_FREE;
    return hand_out(tlsf, block, span, 0);
}

struct acre_ptr acre_tlsf_hand_out(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span, acre_tlsf_field flags)
{
    return hand_out(tlsf, block, span, flags);
}

ACRE_INLINE void pop(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t list)
{
    struct acre_tlsf_block *next = block->next;
    tlsf->head[list] = next;
    if (ACRE_LIKELY(next != NULL))
        next->prev = tlsf_head_as_block(&tlsf->head[list]);
    else
        tlsf_unmark(tlsf, list);
}

static ACRE_NOINLINE struct acre_ptr take_last(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t granules)
{
    tlsf_unmark(tlsf, granules);
    return hand_out_whole(tlsf, block, 4 * granules);
}

static ACRE_NOINLINE struct acre_ptr take_whole(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    return hand_out_whole(tlsf, block, span);
}

static ACRE_NOINLINE struct acre_ptr refuse(struct acre_tlsf *tlsf)
{
    tlsf->failed++;
    return (struct acre_ptr){ NULL, ACRE_NO_MEMORY };
}

size_t acre_tlsf_find(const struct acre_tlsf *tlsf, size_t list)
{
    if (ACRE_UNLIKELY(list >= ACRE_TLSF_LISTS))
        return ACRE_TLSF_LISTS;
    size_t at = list >> TLSF_WORD_LOG2;
    size_t found = tlsf->nonempty[at] >> (list % ACRE_TLSF_WORD_BITS);
    if (found != 0)
        return list + acre_bits_lowest(found);
    size_t later = tlsf->summary & ((~(size_t)1) << at);
    if (later == 0)
        return ACRE_TLSF_LISTS;
    at = acre_bits_lowest(later);
    return at * ACRE_TLSF_WORD_BITS + acre_bits_lowest(tlsf->nonempty[at]);
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
    acre_tlsf_push(tlsf, left, rest);
    return span;
}

void acre_tlsf_push(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    size_t list = tlsf_list(span / 4);
    tlsf_push(tlsf, block, &tlsf->head[list], list);
}

/* Requests below the smallest block, above the linear lists, or without a list near theirs. When
 * good fit finds nothing, the head of the request's own list may still be large enough. */
static ACRE_NOINLINE struct acre_ptr alloc_far(struct acre_tlsf *tlsf, size_t size)
{
    size_t granules = tlsf_granules(size);
    if (granules == 0)
        return refuse(tlsf);
    size_t list = acre_tlsf_find(tlsf, tlsf_list_fitting(granules));
    if (list == ACRE_TLSF_LISTS) {
        list = tlsf_list(granules);
        if (tlsf->head[list] == NULL || tlsf_span(tlsf->head[list]) < 4 * granules)
            return refuse(tlsf);
    }
    struct acre_tlsf_block *block = tlsf->head[list];
    pop(tlsf, block, list);
    size_t span = acre_tlsf_trim(tlsf, block, tlsf_span(block), 4 * granules);
    return hand_out(tlsf, block, span, 0);
}

/* Takes from one of the lists that a word of the bitmap shows; `word` starts at the request's own
 * list, which is empty. In the linear lists a block's list is its size, so nothing need be read. */
static ACRE_NOINLINE struct acre_ptr alloc_near(
    struct acre_tlsf *tlsf, size_t size, size_t granules, size_t word)
{
    if (ACRE_UNLIKELY(word == 0))
        return alloc_far(tlsf, size);
    size_t rest = acre_bits_lowest(word);
    size_t list = granules + rest;
    struct acre_tlsf_block *block = tlsf->head[list];
    pop(tlsf, block, list);
    if (rest < TLSF_MIN_GRANULES)
        return take_whole(tlsf, block, 4 * list);
    struct acre_tlsf_block *left = tlsf_after(block, 4 * granules);
    tlsf_set_free(left, 4 * rest, tlsf_after(left, 4 * rest));
    tlsf_push_small(tlsf, left, 4 * rest);
    return hand_out(tlsf, block, 4 * granules, 0);
}

struct acre_ptr acre_tlsf_alloc(struct acre_tlsf *tlsf, struct acre_layout layout)
{
    /* One test for "not a power of two" and "above the granule". */
    if (ACRE_UNLIKELY(
            ((layout.align - 1) & (layout.align | ~(size_t)(ACRE_TLSF_GRANULE - 1))) != 0))
        return acre_tlsf_alloc_aligned(tlsf, layout);
    size_t over = (layout.size - TLSF_SIZE_BIAS) >> ACRE_TLSF_GRANULE_LOG2;
    if (ACRE_UNLIKELY(over >= TLSF_LINEAR - TLSF_MIN_GRANULES))
        return alloc_far(tlsf, layout.size);
    size_t granules = over + TLSF_MIN_GRANULES;
    size_t word = tlsf->nonempty[granules >> TLSF_WORD_LOG2] >> (granules % ACRE_TLSF_WORD_BITS);
    if ((word & 1) == 0)
        return alloc_near(tlsf, layout.size, granules, word);
    struct acre_tlsf_block *block = tlsf->head[granules];
    struct acre_tlsf_block *next = block->next;
    tlsf->head[granules] = next;
    if (ACRE_UNLIKELY(next == NULL))
        return take_last(tlsf, block, granules);
    next->prev = tlsf_head_as_block(&tlsf->head[granules]);
    return hand_out_whole(tlsf, block, 4 * granules);
}

/* ---- dealloc ---- */

static ACRE_NOINLINE enum acre_status push_large(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    acre_tlsf_push(tlsf, block, span);
    return ACRE_OK;
}

/* Frees a block whose live bit is cleared: merges with both neighbours first, lists it once. */
ACRE_INLINE enum acre_status release(struct acre_tlsf *tlsf, struct acre_tlsf_block *block)
{
    size_t span = *tlsf_header(block);
    tlsf->live_blocks--;
    if ((span & TLSF_PREV_FREE) != 0) {
        span -= TLSF_PREV_FREE;
        tlsf->room += (ptrdiff_t)span;
        size_t before = *tlsf_size_before(block);
        block = tlsf_before(block, before);
        tlsf_unlink(tlsf, block);
        span += before;
    } else {
        tlsf->room += (ptrdiff_t)span;
    }
    struct acre_tlsf_block *behind = tlsf_after(block, span);
    size_t header = *tlsf_header(behind);
    if ((header & TLSF_FREE) != 0) {
        tlsf_unlink(tlsf, behind);
        span += header - TLSF_FREE;
        behind = tlsf_after(block, span);
    } else {
        *tlsf_header(behind) = (acre_tlsf_field)(header | TLSF_PREV_FREE);
    }
    tlsf_set_free(block, span, behind);
    if (ACRE_UNLIKELY(span >= 4 * TLSF_LINEAR))
        return push_large(tlsf, block, span);
    tlsf_push_small(tlsf, block, span);
    return ACRE_OK;
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
    *word ^= tlsf_bit(offset);
    return release(tlsf, ptr);
}
