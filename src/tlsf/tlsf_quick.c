/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF with quick lists: the verbs that allocate and free blocks.
 */
#include "base/memory.h"
#include "tlsf/tlsf_list.h"
#include "tlsf/tlsf_quick_private.h"

/* ---- alloc ---- */

struct acre_ptr acre_tlsf_quick_alloc(struct acre_tlsf_quick *self, struct acre_layout layout)
{
    struct acre_tlsf *tlsf = &self->tlsf;
    size_t least = TLSF_SIZE_BIAS;
    size_t over = (layout.size < least ? least : layout.size) - least;
    size_t list = over >> ACRE_TLSF_GRANULE_LOG2;
    layout.size = over + least;
    if (tlsf_is_odd_alignment(layout.align) || list >= ACRE_TLSF_QUICK_LISTS)
        return acre_tlsf_alloc(tlsf, layout);
    size_t count = self->count[list];
    if (count == 0)
        return acre_tlsf_alloc(tlsf, layout);
    struct acre_tlsf_block *block = self->stack[list][count - 1];
    size_t span = 4 * list + TLSF_MIN_SPAN;
    ACRE_ASSERT(tlsf_span(block) == span); /* TLSF-10 */
    self->count[list] = (unsigned char)(count - 1);
    if (ACRE_UNLIKELY(!tlsf_is_cached(tlsf, block)))
        return acre_tlsf_mark_live_uncached(tlsf, block, span);
    if (ACRE_UNLIKELY(!tlsf_add_live(tlsf, block, span)))
        return acre_tlsf_raise_peak(tlsf, block);
    return (struct acre_ptr){ block, ACRE_OK };
}

/* ---- dealloc ---- */

/* Puts a block whose live bit is cleared into its quick list, or frees it when the list is full. */
ACRE_INLINE enum acre_status quick_push(struct acre_tlsf_quick *self, struct acre_tlsf_block *block)
{
    size_t span = tlsf_span(block);
    size_t list = tlsf_linear_list(span);
    if (list >= ACRE_TLSF_QUICK_LISTS || self->count[list] >= ACRE_TLSF_QUICK_DEPTH)
        return acre_tlsf_free_block(&self->tlsf, block);
    self->stack[list][self->count[list]++] = block;
    tlsf_count_freed(&self->tlsf, span);
    return ACRE_OK;
}

/* Frees a block outside the cached region. */
static ACRE_NOINLINE enum acre_status quick_dealloc_uncached(
    struct acre_tlsf_quick *self, void *ptr)
{
    struct acre_tlsf *tlsf = &self->tlsf;
    size_t offset = 0;
    const struct acre_tlsf_region *region = tlsf_find_likely(tlsf, ptr, &offset);
    if (ACRE_UNLIKELY(region == NULL))
        region = acre_tlsf_find_granule(tlsf, ptr, &offset);
    if (ACRE_UNLIKELY(region == NULL))
        return ACRE_NOT_ALLOCATED;
    size_t *word = &region->shared_map[offset >> TLSF_WORD_LOG2];
    if ((*word & tlsf_bit(offset)) == 0)
        return ACRE_NOT_ALLOCATED;
    *word ^= tlsf_bit(offset);
    tlsf_cache_region(tlsf, region);
    return quick_push(self, ptr);
}

enum acre_status acre_tlsf_quick_dealloc(struct acre_tlsf_quick *self, void *ptr)
{
    struct acre_tlsf *tlsf = &self->tlsf;
    if (!ACRE_CHECK_POINTERS || TLSF_HARDEN)
        return acre_tlsf_dealloc(tlsf, ptr);
    size_t offset = tlsf_offset(tlsf->base, ptr);
    if (ACRE_UNLIKELY(offset >= tlsf->granules))
        return quick_dealloc_uncached(self, ptr);
    size_t *word = &tlsf->live_map[offset >> TLSF_WORD_LOG2];
    if (ACRE_UNLIKELY((*word & tlsf_bit(offset)) == 0))
        return ACRE_NOT_ALLOCATED;
    ACRE_REREAD();
    *word ^= tlsf_bit(offset);
    return quick_push(self, ptr);
}

static ACRE_NOINLINE enum acre_status quick_dealloc_sized_slow(
    struct acre_tlsf_quick *self, void *ptr, struct acre_layout layout)
{
    if (!tlsf_is_sound(&self->tlsf, ptr))
        return ACRE_NOT_ALLOCATED;
    if (!acre_tlsf_matches_layout(ptr, layout))
        return ACRE_INVALID_PARAM;
    return acre_tlsf_quick_dealloc(self, ptr);
}

/* As acre_tlsf_dealloc_sized(). */
enum acre_status acre_tlsf_quick_dealloc_sized(
    struct acre_tlsf_quick *self, void *ptr, struct acre_layout layout)
{
    if (!ACRE_CHECK_POINTERS || TLSF_HARDEN || ACRE_UNLIKELY(tlsf_is_misaligned(ptr, layout.align)))
        return quick_dealloc_sized_slow(self, ptr, layout);
    struct acre_tlsf *tlsf = &self->tlsf;
    ACRE_OPAQUE(layout.size);
    size_t offset = tlsf_offset(tlsf->base, ptr);
    if (ACRE_UNLIKELY(offset >= tlsf->granules))
        return quick_dealloc_sized_slow(self, ptr, layout);
    size_t *word = &tlsf->live_map[offset >> TLSF_WORD_LOG2];
    if (ACRE_UNLIKELY((*word & tlsf_bit(offset)) == 0))
        return ACRE_NOT_ALLOCATED;
    if (ACRE_UNLIKELY(tlsf_slack(tlsf_span(ptr), layout.size) >= TLSF_SURE_SLACK))
        return quick_dealloc_sized_slow(self, ptr, layout);
    ACRE_REREAD();
    *word ^= tlsf_bit(offset);
    return quick_push(self, ptr);
}

/* ---- resize ---- */

/* Grows a live block into blocks after it that are in quick lists; false when they are too few. */
static ACRE_NOINLINE bool quick_grow(
    struct acre_tlsf_quick *self, struct acre_tlsf_block *block, size_t size)
{
    if (TLSF_HARDEN)
        return false;
    size_t had = tlsf_span(block);
    struct acre_tlsf_block *next = tlsf_after(block, had);
    if (tlsf_is_live(&self->tlsf, next))
        return false;
    size_t want = 4 * tlsf_granules(size);
    if (want == 0 || had + acre_tlsf_quick_run(&self->tlsf, next, want - had) < want)
        return false;
    acre_tlsf_quick_flush_run(self, next, want - had);
    return acre_tlsf_resize_in_place(&self->tlsf, block, size);
}

enum acre_status acre_tlsf_quick_resize(struct acre_tlsf_quick *self, void *ptr, size_t size)
{
    struct acre_tlsf *tlsf = &self->tlsf;
    if (!tlsf_is_sound(tlsf, ptr))
        return ACRE_NOT_ALLOCATED;
    if (acre_tlsf_resize_in_place(tlsf, ptr, size) || quick_grow(self, ptr, size))
        return ACRE_OK;
    tlsf->failed++;
    return ACRE_NO_MEMORY;
}

static struct acre_ptr quick_realloc_moving(
    struct acre_tlsf_quick *self, void *ptr, struct acre_layout layout)
{
    struct acre_ptr moved = acre_tlsf_quick_alloc(self, layout);
    if (moved.ptr == NULL)
        return moved;
    size_t usable = tlsf_usable(tlsf_span(ptr));
    memcpy(moved.ptr, ptr, usable < layout.size ? usable : layout.size);
    acre_tlsf_quick_dealloc(self, ptr);
    return moved;
}

struct acre_ptr acre_tlsf_quick_realloc(
    struct acre_tlsf_quick *self, void *ptr, struct acre_layout layout)
{
    struct acre_tlsf *tlsf = &self->tlsf;
    if (!tlsf_is_sound(tlsf, ptr))
        return (struct acre_ptr){ NULL, ACRE_NOT_ALLOCATED };
    if (!acre_is_pow2(layout.align))
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    bool is_aligned = ((uintptr_t)ptr & (layout.align - 1)) == 0;
    if (is_aligned &&
        (acre_tlsf_resize_in_place(tlsf, ptr, layout.size) || quick_grow(self, ptr, layout.size)))
        return (struct acre_ptr){ ptr, ACRE_OK };
    return quick_realloc_moving(self, ptr, layout);
}
