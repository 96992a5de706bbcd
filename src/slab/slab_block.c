/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab's live blocks: the validator, and the verbs on a block other than freeing it.
 */
#include "slab/slab_tables.h"

/* ---- live blocks ---- */

/* Finds the live block that starts at an address whose page-map entry points to `page`. */
static bool slab_find_block_at(const struct acre_slab *slab, uintptr_t at,
    struct acre_slab_page *page, struct slab_block *block)
{
    uint32_t offset = (uint32_t)at - page->start;
    *block = (struct slab_block){ page, 0, page->length << slab->page_log2 };
    if (page->state == SLAB_RUN)
        return offset == 0;
    if (!slab_is_slab(page))
        return false;
    size_t index = slab_object_index(offset, slab_reciprocal(slab, page->size_class));
    if (index >= SLAB_WORD_BITS)
        return false;
    *block = (struct slab_block){ page, (size_t)1 << index, page->size };
    return (page->free_bits & block->bit) == 0;
}

bool acre_slab_find_block(const struct acre_slab *slab, const void *ptr, struct slab_block *block)
{
    uintptr_t at = (uintptr_t)ptr;
    size_t number = (at - slab->base) >> slab->page_log2;
    if (ACRE_LIKELY(number < slab->pages))
        return slab_find_block_at(slab, at, slab->page_map[number], block);
    struct acre_slab_page *page = ACRE_ONE_REGION ? NULL : acre_slab_find_page(slab, at);
    return page != NULL && slab_find_block_at(slab, at, page, block);
}

/* Whether the block's class is the one that serves `size` bytes at `align` or at a smaller
 * alignment. At most 10 steps, because the size rounds up to the alignment and an object has at
 * most 8192 bytes. */
static bool slab_class_serves(
    const struct acre_slab *slab, const struct slab_block *block, size_t size, size_t align)
{
    for (size_t step = ACRE_SLAB_UNIT;; step <<= 1) {
        size_t rounded = acre_align_up(size, step);
        if (rounded > block->size)
            return false;
        if (slab_class_of(slab, rounded) == block->page->size_class)
            return true;
        if (step >= align)
            return false;
    }
}

bool acre_slab_block_has_layout(const struct acre_slab *slab, uintptr_t at,
    const struct slab_block *block, struct acre_layout layout)
{
    size_t size = layout.size + (layout.size == 0);
    if (!acre_is_pow2(layout.align) || (at & (layout.align - 1)) != 0 || size > block->size)
        return false;
    if (block->bit == 0)
        return block->size - size < slab_page_size(slab);
    return block->page->state == SLAB_FALLBACK ||
           slab_class_serves(slab, block, size, layout.align);
}

struct acre_num acre_slab_usable_size(const struct acre_slab *slab, const void *ptr)
{
    struct slab_block block;
    if (!acre_slab_find_block(slab, ptr, &block))
        return (struct acre_num){ 0, ACRE_NOT_ALLOCATED };
    return (struct acre_num){ block.size, ACRE_OK };
}

/* ---- resize ---- */

/* Resizes a live run in place; false if it would have to grow and the pages after it are not
 * free. */
static bool slab_resize_run(struct acre_slab *slab, struct acre_slab_page *page, size_t size)
{
    size_t had = page->length;
    size_t want = slab_pages_for(slab, size);
    if (want > had) {
        struct acre_slab_page *after = page + had;
        if (after->state != SLAB_FREE || after->length < want - had)
            return false;
        acre_slab_run_take_front(slab, after, want - had);
    }
    page->length = want;
    if (want < had)
        acre_slab_run_free(slab, page + want, had - want);
    slab->headroom += (ptrdiff_t)((had - want) << slab->page_log2);
    if (slab->headroom < 0)
        slab_raise_peak(slab);
    return true;
}

bool acre_slab_resize_block(struct acre_slab *slab, const struct slab_block *block, size_t size)
{
    size += size == 0;
    if (block->bit == 0)
        return slab_resize_run(slab, block->page, size);
    if (size > block->size)
        return false;
    if (slab_class_of(slab, size) != block->page->size_class)
        slab_mark_fallback(block->page);
    return true;
}

enum acre_status acre_slab_resize(struct acre_slab *slab, void *ptr, size_t size)
{
    struct slab_block block;
    if (!acre_slab_find_block(slab, ptr, &block))
        return ACRE_NOT_ALLOCATED;
    if (acre_slab_resize_block(slab, &block, size))
        return ACRE_OK;
    slab->failed++;
    return ACRE_NO_MEMORY;
}
