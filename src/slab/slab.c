/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab's hot paths: alloc and dealloc.
 *
 * Nearly all requests find a set bit in the word of the current slab, and nearly all frees set one
 * in a slab that was not full and does not become empty. Every other path is a call in tail
 * position, so that these two need no stack.
 */
#include "slab/slab_tables.h"

#if ACRE_MAX_POOL == 0

/* The offset of an object in its slab, which has fewer than 2^32 bytes. */
ACRE_INLINE uint32_t slab_object_offset(uint32_t index, uint32_t size)
{
    return ACRE_MULTIPLIES ? index * size : (uint32_t)acre_multiply(index, size);
}

/* ---- alloc ---- */

/* ACRE_OPAQUE and ACRE_REREAD generate no code: they make compilers clear the object's bit with a
 * single and-instruction on memory. */
struct acre_ptr acre_slab_alloc(struct acre_slab *slab, struct acre_layout layout)
{
    /* One test for "not a power of two" and "above ACRE_SLAB_UNIT". */
    if (ACRE_UNLIKELY(((layout.align - 1) & (layout.align | ~(size_t)(ACRE_SLAB_UNIT - 1))) != 0))
        return acre_slab_alloc_slow(slab, layout);
    size_t units = (layout.size - 1) / ACRE_SLAB_UNIT;
    if (ACRE_UNLIKELY(units >= slab->sizes))
        return acre_slab_alloc_large(slab, layout);
    unsigned size_class = slab->class_of[units];
    struct acre_slab_page *page = slab->current[size_class];
    size_t free_bits = page->free_bits;
    size_t rest = free_bits - 1;
    ACRE_OPAQUE(rest);
    unsigned index = acre_bits_lowest(free_bits);
    if (ACRE_UNLIKELY(index >= slab->current_count[size_class]))
        return acre_slab_alloc_refill(slab, layout, size_class);
    ACRE_REREAD();
    page->free_bits &= rest;
    uint32_t size = slab->object_size[size_class];
    uintptr_t at = slab->current_start[size_class] + slab_object_offset(index, size);
    if (ACRE_UNLIKELY(!slab_count_block(slab, size)))
        return acre_slab_alloc_peak(slab, at);
    return (struct acre_ptr){ (void *)at, ACRE_OK };
}

/* acre_slab_alloc() without the test of the alignment. Both are written out, because sharing code
 * costs each of them three instructions. */
struct acre_ptr acre_slab_alloc_natural(struct acre_slab *slab, size_t size)
{
    struct acre_layout layout = { size, ACRE_SLAB_UNIT };
    size_t units = (size - 1) / ACRE_SLAB_UNIT;
    if (ACRE_UNLIKELY(units >= slab->sizes))
        return acre_slab_alloc_large(slab, layout);
    unsigned size_class = slab->class_of[units];
    struct acre_slab_page *page = slab->current[size_class];
    size_t free_bits = page->free_bits;
    size_t rest = free_bits - 1;
    ACRE_OPAQUE(rest);
    unsigned index = acre_bits_lowest(free_bits);
    if (ACRE_UNLIKELY(index >= slab->current_count[size_class]))
        return acre_slab_alloc_refill(slab, layout, size_class);
    ACRE_REREAD();
    page->free_bits &= rest;
    uint32_t bytes = slab->object_size[size_class];
    uintptr_t at = slab->current_start[size_class] + slab_object_offset(index, bytes);
    if (ACRE_UNLIKELY(!slab_count_block(slab, bytes)))
        return acre_slab_alloc_peak(slab, at);
    return (struct acre_ptr){ (void *)at, ACRE_OK };
}

/* ---- dealloc ---- */

/* Puts a region into the cache's slot for an address. */
ACRE_INLINE void slab_cache_region(
    struct acre_slab *slab, struct acre_slab_region *region, uintptr_t at)
{
    slab->region_cache[slab_cache_slot(at)] = region;
}

/* acre_slab_dealloc_slow() in a region that the cache does not hold. */
static ACRE_NOINLINE enum acre_status slab_dealloc_slow_uncached(
    struct acre_slab *slab, void *ptr, struct acre_slab_page *page, struct acre_slab_region *region)
{
    uintptr_t at = (uintptr_t)ptr;
    struct acre_slab_region *before = slab->region_cache[slab_cache_slot(at)];
    slab_cache_region(slab, region, at); /* before the free, which may remove the region */
    enum acre_status status = acre_slab_dealloc_slow(slab, ptr, page);
    if (status != ACRE_OK)
        slab_cache_region(slab, before, at);
    return status;
}

/* Frees the block of a pointer whose page-map entry points to `page`. If `region` is not null and
 * the free is not refused, puts the region into the cache. */
ACRE_INLINE enum acre_status slab_dealloc_at(
    struct acre_slab *slab, void *ptr, struct acre_slab_page *page, struct acre_slab_region *region)
{
    uint32_t offset = (uint32_t)(uintptr_t)ptr - page->start;
    uint64_t product = acre_multiply_wide(offset, page->reciprocal);
    if (ACRE_UNLIKELY((uint32_t)product >= page->reciprocal))
        return region != NULL ? slab_dealloc_slow_uncached(slab, ptr, page, region)
                              : acre_slab_dealloc_slow(slab, ptr, page);
    size_t index = (size_t)(product >> 32);
    size_t free_bits = page->free_bits;
    if (ACRE_UNLIKELY((free_bits >> index & 1) != 0))
        return ACRE_NOT_ALLOCATED;
    free_bits |= (size_t)1 << index;
    page->free_bits = free_bits;
    if (region != NULL)
        slab_cache_region(slab, region, (uintptr_t)ptr);
    slab_uncount_block(slab, page->size);
    if (ACRE_UNLIKELY(free_bits == SIZE_MAX))
        return acre_slab_became_empty(slab, page);
    return ACRE_OK;
}

/* Frees a block in a region that neither the cache nor the quick lookup finds. */
static ACRE_NOINLINE enum acre_status slab_dealloc_searching(struct acre_slab *slab, void *ptr)
{
    uintptr_t at = (uintptr_t)ptr;
    struct acre_slab_region *region =
        (struct acre_slab_region *)acre_regions_find(&slab->regions, at);
    if (region == NULL)
        return ACRE_NOT_ALLOCATED;
    size_t number = (at - region->base) >> slab->page_log2;
    if (number >= region->pages)
        return ACRE_NOT_ALLOCATED;
    return slab_dealloc_at(slab, ptr, region->page_map[number], region);
}

/* Frees a block in a region that the cache does not hold. */
static ACRE_NOINLINE enum acre_status slab_dealloc_uncached(struct acre_slab *slab, void *ptr)
{
    uintptr_t at = (uintptr_t)ptr;
    struct acre_slab_region *region =
        (struct acre_slab_region *)acre_regions_find_likely(&slab->regions, at);
    if (ACRE_UNLIKELY(region == NULL))
        return slab_dealloc_searching(slab, ptr);
    size_t number = (at - region->base) >> slab->page_log2;
    if (ACRE_UNLIKELY(number >= region->pages))
        return slab_dealloc_searching(slab, ptr);
    return slab_dealloc_at(slab, ptr, region->page_map[number], region);
}

/* Frees a block outside the main map. */
static ACRE_NOINLINE enum acre_status slab_dealloc_other_region(struct acre_slab *slab, void *ptr)
{
    struct acre_slab_region *region =
        (struct acre_slab_region *)acre_regions_in_table(&slab->regions, (uintptr_t)ptr);
    if (region == NULL)
        region = slab->region_cache[slab_cache_slot((uintptr_t)ptr)];
    if (region == NULL)
        return slab_dealloc_uncached(slab, ptr);
    size_t number = ((uintptr_t)ptr - region->base) >> slab->page_log2;
    if (ACRE_UNLIKELY(number >= region->pages))
        return slab_dealloc_uncached(slab, ptr);
    return slab_dealloc_at(slab, ptr, region->page_map[number], NULL);
}

enum acre_status acre_slab_dealloc(struct acre_slab *slab, void *ptr)
{
    size_t number = ((uintptr_t)ptr - slab->base) >> slab->page_log2;
    if (ACRE_UNLIKELY(number >= slab->pages))
        return slab_dealloc_other_region(slab, ptr);
    return slab_dealloc_at(slab, ptr, slab->page_map[number], NULL);
}

/* ---- sized free ---- */

static ACRE_NOINLINE enum acre_status slab_dealloc_sized_slow(
    struct acre_slab *slab, void *ptr, struct acre_layout layout)
{
    struct slab_block block;
    if (!acre_slab_find_block(slab, ptr, &block))
        return ACRE_NOT_ALLOCATED;
    if (!acre_slab_block_has_layout(slab, (uintptr_t)ptr, &block, layout))
        return ACRE_INVALID_PARAM;
    return acre_slab_dealloc(slab, ptr);
}

/* Whether a slab serves a size that needs no rounding to an alignment; false: not known. */
ACRE_INLINE bool slab_is_made_for(const struct acre_slab_page *page, size_t size)
{
    return (page->size - size) / ACRE_SLAB_UNIT < page->size_steps;
}

/* A sized free outside the main map. */
static ACRE_NOINLINE enum acre_status slab_dealloc_sized_uncached(
    struct acre_slab *slab, void *ptr, struct acre_layout layout)
{
    uintptr_t at = (uintptr_t)ptr;
    struct acre_slab_region *region =
        (struct acre_slab_region *)acre_regions_find_likely(&slab->regions, at);
    if (ACRE_UNLIKELY(region == NULL))
        return slab_dealloc_sized_slow(slab, ptr, layout);
    size_t number = (at - region->base) >> slab->page_log2;
    if (ACRE_UNLIKELY(number >= region->pages))
        return slab_dealloc_sized_slow(slab, ptr, layout);
    struct acre_slab_page *page = region->page_map[number];
    if (ACRE_UNLIKELY(!slab_is_made_for(page, layout.size)))
        return slab_dealloc_sized_slow(slab, ptr, layout);
    return slab_dealloc_at(slab, ptr, page, region);
}

/* The fast path frees blocks of a slab in the main map, with an alignment that the pointer has and
 * a size that the slab serves without rounding to the alignment. ACRE_OPAQUE prevents compilers
 * from rearranging the test of the size into more instructions. */
enum acre_status acre_slab_dealloc_sized(
    struct acre_slab *slab, void *ptr, struct acre_layout layout)
{
    size_t unaligned =
        ((uintptr_t)ptr | layout.align) & (layout.align - 1); /* or align is no power of two */
    if (ACRE_UNLIKELY(unaligned != 0))
        return slab_dealloc_sized_slow(slab, ptr, layout);
    ACRE_OPAQUE(layout.size);
    size_t number = ((uintptr_t)ptr - slab->base) >> slab->page_log2;
    if (ACRE_UNLIKELY(number >= slab->pages))
        return slab_dealloc_sized_uncached(slab, ptr, layout);
    struct acre_slab_page *page = slab->page_map[number];
    if (ACRE_UNLIKELY(!slab_is_made_for(page, layout.size)))
        return slab_dealloc_sized_slow(slab, ptr, layout);
    return slab_dealloc_at(slab, ptr, page, NULL);
}

#endif
