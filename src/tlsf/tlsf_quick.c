/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF with a shelf: the verbs that hand out and take back blocks.
 *
 * A block on the shelf has the header of a live one, so that its neighbours leave it alone, and no
 * live bit, so that a pointer to it is refused. The accounts count it as free. It is of the stack
 * of its span: list n of TLSF's lists and stack n have the same blocks.
 */
#include "base/memory.h"
#include "tlsf/tlsf_quick_private.h"

/* ---- alloc ---- */

struct acre_ptr acre_tlsf_quick_alloc(struct acre_tlsf_quick *shelf, struct acre_layout layout)
{
    struct acre_tlsf *tlsf = &shelf->tlsf;
    size_t least = TLSF_SIZE_BIAS;
    size_t over = (layout.size < least ? least : layout.size) - least;
    size_t list = over >> ACRE_TLSF_GRANULE_LOG2;
    layout.size = over + least;
    if (tlsf_is_odd_alignment(layout.align) || list >= ACRE_TLSF_QUICK_LISTS)
        return acre_tlsf_alloc(tlsf, layout);
    size_t count = shelf->count[list];
    if (count == 0)
        return acre_tlsf_alloc(tlsf, layout);
    struct acre_tlsf_block *block = shelf->stack[list][count - 1];
    size_t span = 4 * list + TLSF_MIN_SPAN;
    shelf->count[list] = (unsigned char)(count - 1);
    if (ACRE_UNLIKELY(!tlsf_is_at_hand(tlsf, block)))
        return acre_tlsf_wake(tlsf, block, span);
    if (ACRE_UNLIKELY(!tlsf_make_live(tlsf, block, span)))
        return acre_tlsf_raise_peak(tlsf, block);
    return (struct acre_ptr){ block, ACRE_OK };
}

/* ---- dealloc ---- */

/* Puts a block whose live bit is cleared on the shelf, or where that has no room, frees it. */
ACRE_INLINE enum acre_status put(struct acre_tlsf_quick *shelf, struct acre_tlsf_block *block)
{
    size_t span = tlsf_span(block);
    size_t list = tlsf_linear_list(span);
    if (list >= ACRE_TLSF_QUICK_LISTS || shelf->count[list] >= ACRE_TLSF_QUICK_DEPTH)
        return acre_tlsf_release(&shelf->tlsf, block);
    shelf->stack[list][shelf->count[list]++] = block;
    tlsf_make_dead(&shelf->tlsf, span);
    return ACRE_OK;
}

/* A block of another region than the one last worked in. */
static ACRE_NOINLINE enum acre_status dealloc_far(struct acre_tlsf_quick *shelf, void *ptr)
{
    struct acre_tlsf *tlsf = &shelf->tlsf;
    if (!acre_tlsf_is_live(tlsf, ptr))
        return ACRE_NOT_ALLOCATED;
    acre_tlsf_look_at(tlsf, acre_tlsf_region_of(tlsf, ptr));
    size_t offset = tlsf_offset(tlsf->base, ptr);
    tlsf->live_map[offset >> TLSF_WORD_LOG2] &= tlsf_all_but(offset);
    return put(shelf, ptr);
}

enum acre_status acre_tlsf_quick_dealloc(struct acre_tlsf_quick *shelf, void *ptr)
{
    struct acre_tlsf *tlsf = &shelf->tlsf;
    if (!ACRE_CHECK_POINTERS)
        return acre_tlsf_dealloc(tlsf, ptr);
    size_t offset = tlsf_offset(tlsf->base, ptr);
    if (ACRE_UNLIKELY(offset >= tlsf->granules))
        return dealloc_far(shelf, ptr);
    size_t *word = &tlsf->live_map[offset >> TLSF_WORD_LOG2];
    if (ACRE_UNLIKELY((*word & tlsf_bit(offset)) == 0))
        return ACRE_NOT_ALLOCATED;
    ACRE_REREAD();
    *word ^= tlsf_bit(offset);
    return put(shelf, ptr);
}

enum acre_status acre_tlsf_quick_dealloc_sized(
    struct acre_tlsf_quick *shelf, void *ptr, struct acre_layout layout)
{
    if (!acre_tlsf_is_live(&shelf->tlsf, ptr))
        return ACRE_NOT_ALLOCATED;
    if (!acre_tlsf_made_by(ptr, layout))
        return ACRE_INVALID_PARAM;
    return acre_tlsf_quick_dealloc(shelf, ptr);
}

/* ---- resize ---- */

/* Gives a live block room that blocks on the shelf take behind it; false when that is not enough.
 */
static ACRE_NOINLINE bool resize_over(
    struct acre_tlsf_quick *shelf, struct acre_tlsf_block *block, size_t size)
{
    size_t had = tlsf_span(block);
    struct acre_tlsf_block *behind = tlsf_after(block, had);
    if (acre_tlsf_is_live(&shelf->tlsf, behind))
        return false;
    size_t want = 4 * tlsf_granules(size);
    if (want == 0 || had + acre_tlsf_run_from(&shelf->tlsf, behind, want - had) < want)
        return false;
    acre_tlsf_quick_flush_run(shelf, behind, want - had);
    return acre_tlsf_resize_here(&shelf->tlsf, block, size);
}

enum acre_status acre_tlsf_quick_resize(struct acre_tlsf_quick *shelf, void *ptr, size_t size)
{
    struct acre_tlsf *tlsf = &shelf->tlsf;
    if (!acre_tlsf_is_live(tlsf, ptr))
        return ACRE_NOT_ALLOCATED;
    if (acre_tlsf_resize_here(tlsf, ptr, size) || resize_over(shelf, ptr, size))
        return ACRE_OK;
    tlsf->failed++;
    return ACRE_NO_MEMORY;
}

static struct acre_ptr move(struct acre_tlsf_quick *shelf, void *ptr, struct acre_layout layout)
{
    struct acre_ptr moved = acre_tlsf_quick_alloc(shelf, layout);
    if (moved.ptr == NULL)
        return moved;
    size_t usable = tlsf_span(ptr) * TLSF_QUARTER - TLSF_HEADER;
    memcpy(moved.ptr, ptr, usable < layout.size ? usable : layout.size);
    acre_tlsf_quick_dealloc(shelf, ptr);
    return moved;
}

struct acre_ptr acre_tlsf_quick_realloc(
    struct acre_tlsf_quick *shelf, void *ptr, struct acre_layout layout)
{
    struct acre_tlsf *tlsf = &shelf->tlsf;
    if (!acre_tlsf_is_live(tlsf, ptr))
        return (struct acre_ptr){ NULL, ACRE_NOT_ALLOCATED };
    if (!acre_is_pow2(layout.align))
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    bool aligned = ((uintptr_t)ptr & (layout.align - 1)) == 0;
    if (aligned &&
        (acre_tlsf_resize_here(tlsf, ptr, layout.size) || resize_over(shelf, ptr, layout.size)))
        return (struct acre_ptr){ ptr, ACRE_OK };
    return move(shelf, ptr, layout);
}
