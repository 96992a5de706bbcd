/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's other verbs on a block: alignments above the granule, sized free, resize, realloc.
 */
#include "base/memory.h"
#include "tlsf/tlsf_private.h"

/* ---- alignments above the granule ---- */

/* First address in a free block that is aligned and either its start or a block's length behind it.
 */
ACRE_INLINE struct acre_tlsf_block *aligned_in(const struct acre_tlsf_block *block, size_t align)
{
    uintptr_t at = acre_align_up((uintptr_t)block, align);
    size_t gap = at - (uintptr_t)block;
    if (gap != 0 && gap < ACRE_TLSF_MIN_GRANULES * ACRE_TLSF_GRANULE)
        at += align;
    return (void *)at;
}

/* Whether there is a span at an address in or behind a block of the span `whole`. */
ACRE_INLINE bool fits_at(const struct acre_tlsf_block *block, size_t whole,
    const struct acre_tlsf_block *at, size_t span)
{
    return at >= block && tlsf_span_between(block, at) <= whole &&
           whole - tlsf_span_between(block, at) >= span;
}

/* The first block of a list, if there is room in it at an aligned address; else null. */
static struct acre_tlsf_block *first_with_room(
    struct acre_tlsf *tlsf, size_t list, size_t span, size_t align)
{
    struct acre_tlsf_block *block = tlsf->first[list];
    bool fits = block != NULL && fits_at(block, tlsf_span(block), aligned_in(block, align), span);
    return fits ? block : NULL;
}

/* The block to cut: the first of the first list that fits the size, when it happens to have room at
 * an aligned address; else one so large that it has. Null when neither is there. */
static struct acre_tlsf_block *find_aligned(struct acre_tlsf *tlsf, size_t granules, size_t align)
{
    size_t enough = granules + (align >> ACRE_TLSF_GRANULE_LOG2) + 1;
    size_t list = tlsf_find(tlsf, tlsf_list_fitting(granules));
    if (list == ACRE_TLSF_LISTS)
        list = tlsf_list(granules);
    struct acre_tlsf_block *block = first_with_room(tlsf, list, 4 * granules, align);
    if (block != NULL || enough > TLSF_MAX_GRANULES)
        return block;
    list = tlsf_find(tlsf, tlsf_list_fitting(enough));
    if (list == ACRE_TLSF_LISTS)
        list = tlsf_list(enough);
    return first_with_room(tlsf, list, 4 * granules, align);
}

/* Takes a free block out of its list and hands out a part of it, giving back what lies on both
 * sides. */
ACRE_INLINE struct acre_ptr cut_out(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, struct acre_tlsf_block *at, size_t span)
{
    size_t whole = tlsf_span(block);
    size_t gap = tlsf_span_between(block, at);
    tlsf_unlink(tlsf, block);
    if (gap != 0) {
        tlsf_set_free(block, gap, at);
        acre_tlsf_place(tlsf, block, gap);
    }
    span = acre_tlsf_trim(tlsf, at, whole - gap, span);
    return acre_tlsf_hand_out(tlsf, at, span, gap != 0 ? TLSF_PREV_FREE : 0);
}

ACRE_NOINLINE struct acre_ptr acre_tlsf_alloc_aligned(
    struct acre_tlsf *tlsf, struct acre_layout layout)
{
    if (!acre_is_pow2(layout.align))
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    size_t granules = tlsf_granules(layout.size);
    struct acre_tlsf_block *block =
        granules == 0 ? NULL : find_aligned(tlsf, granules, layout.align);
    if (block == NULL)
        return acre_tlsf_refuse(tlsf, layout);
    return cut_out(tlsf, block, aligned_in(block, layout.align), 4 * granules);
}

bool acre_tlsf_would_fit(
    const struct acre_tlsf_block *block, size_t whole, struct acre_layout layout)
{
    size_t granules = tlsf_granules(layout.size);
    return granules != 0 && fits_at(block, whole, aligned_in(block, layout.align), 4 * granules);
}

struct acre_ptr acre_tlsf_cut(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, struct acre_layout layout)
{
    struct acre_tlsf_block *at = aligned_in(block, layout.align);
    return cut_out(tlsf, block, at, 4 * tlsf_granules(layout.size));
}

/* ---- blocks handed back ---- */

bool acre_tlsf_is_live(const struct acre_tlsf *tlsf, const void *ptr)
{
    if (!ACRE_CHECK_POINTERS)
        return true;
    size_t offset = tlsf_offset(tlsf->base, ptr);
    if (ACRE_LIKELY(offset < tlsf->granules))
        return tlsf_test(tlsf->live_map, offset);
    const struct acre_tlsf_region *region = acre_tlsf_region_of(tlsf, ptr);
    return region != NULL && tlsf_test(region->live_map, tlsf_offset(region->base, ptr));
}

/* Would a request of this layout have made this block? It may have been left one granule that was
 * no block's worth. */
bool acre_tlsf_made_by(const struct acre_tlsf_block *block, struct acre_layout layout)
{
    size_t has = tlsf_span(block) / 4;
    size_t granules = tlsf_granules(layout.size);
    return acre_is_pow2(layout.align) && ((uintptr_t)block & (layout.align - 1)) == 0 &&
           granules <= has && has - granules < ACRE_TLSF_MIN_GRANULES;
}

enum acre_status acre_tlsf_dealloc_sized(
    struct acre_tlsf *tlsf, void *ptr, struct acre_layout layout)
{
    if (!acre_tlsf_is_live(tlsf, ptr))
        return ACRE_NOT_ALLOCATED;
    if (!acre_tlsf_made_by(ptr, layout))
        return ACRE_INVALID_PARAM;
    return acre_tlsf_dealloc(tlsf, ptr);
}

struct acre_num acre_tlsf_usable_size(const struct acre_tlsf *tlsf, const void *ptr)
{
    if (!acre_tlsf_is_live(tlsf, ptr))
        return (struct acre_num){ 0, ACRE_NOT_ALLOCATED };
    return (struct acre_num){ tlsf_span(ptr) * TLSF_QUARTER - TLSF_HEADER, ACRE_OK };
}

/* ---- resize ---- */

static void account_resized(struct acre_tlsf *tlsf, size_t had, size_t has)
{
    tlsf->room += (ptrdiff_t)had - (ptrdiff_t)has;
    if (tlsf->room < 0) {
        tlsf->peak -= (size_t)tlsf->room;
        tlsf->room = 0;
    }
}

bool acre_tlsf_resize_here(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t size)
{
    size_t want = 4 * tlsf_granules(size);
    size_t had = tlsf_span(block);
    struct acre_tlsf_block *behind = tlsf_after(block, had);
    size_t spare = tlsf_is_free(behind) ? tlsf_span(behind) : 0;
    if (want == 0 || want > had + spare)
        return false;
    if (want == had || (want < had && spare == 0 && had - want < TLSF_MIN_SPAN))
        return true;
    if (spare != 0)
        tlsf_unlink(tlsf, behind);
    size_t has = acre_tlsf_trim(tlsf, block, had + spare, want);
    acre_tlsf_field flags = *tlsf_header(block) & TLSF_PREV_FREE;
    *tlsf_header(block) = (acre_tlsf_field)has | flags;
    account_resized(tlsf, had, has);
    return true;
}

enum acre_status acre_tlsf_resize(struct acre_tlsf *tlsf, void *ptr, size_t size)
{
    if (!acre_tlsf_is_live(tlsf, ptr))
        return ACRE_NOT_ALLOCATED;
    if (acre_tlsf_resize_here(tlsf, ptr, size))
        return ACRE_OK;
    tlsf->failed++;
    return ACRE_NO_MEMORY;
}

static struct acre_ptr move(struct acre_tlsf *tlsf, void *ptr, struct acre_layout layout)
{
    struct acre_ptr moved = acre_tlsf_alloc(tlsf, layout);
    if (moved.ptr == NULL)
        return moved;
    size_t usable = tlsf_span(ptr) * TLSF_QUARTER - TLSF_HEADER;
    memcpy(moved.ptr, ptr, usable < layout.size ? usable : layout.size);
    acre_tlsf_dealloc(tlsf, ptr);
    return moved;
}

struct acre_ptr acre_tlsf_realloc(struct acre_tlsf *tlsf, void *ptr, struct acre_layout layout)
{
    if (!acre_tlsf_is_live(tlsf, ptr))
        return (struct acre_ptr){ NULL, ACRE_NOT_ALLOCATED };
    if (!acre_is_pow2(layout.align))
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    if (((uintptr_t)ptr & (layout.align - 1)) == 0 && acre_tlsf_resize_here(tlsf, ptr, layout.size))
        return (struct acre_ptr){ ptr, ACRE_OK };
    return move(tlsf, ptr, layout);
}
