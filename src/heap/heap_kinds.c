/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What the heap knows of the allocators it is made of: the regions that their requests need, and
 * the bundles of a heap with its parts.
 */
#include "base/memory.h"
#include "heap/heap_private.h"

#if ACRE_TLSF
size_t acre_heap_region_for_tlsf(struct acre_layout layout)
{
    enum { GRANULE = ACRE_TLSF_GRANULE, HEADER = sizeof(acre_tlsf_field) };
    size_t least = (ACRE_TLSF_MIN_GRANULES + 4) * GRANULE + HEADER;
    size_t align = layout.align > GRANULE ? layout.align + GRANULE : 0;
    if (layout.size > SIZE_MAX / 4 || align > SIZE_MAX / 4 ||
        layout.size + align > ((((size_t)1 << ACRE_TLSF_MAX_LOG2) - 1) - 8) * GRANULE)
        return 0;
    size_t span = acre_align_up(layout.size + HEADER, GRANULE) + align;
    if (span < least)
        span = least;
    /* The metadata grows by far less than a thirty-second of the region. */
    return span + GRANULE + HEADER + acre_tlsf_metadata_size(span + span / 32 + 1024);
}
#endif

#if ACRE_BUDDY
/* Twice the block has room for it at an address that suits it, wherever the metadata ends. */
size_t acre_heap_region_for_buddy(struct acre_layout layout)
{
    size_t block = layout.size > layout.align ? layout.size : layout.align;
    if (block > SIZE_MAX / 8)
        return 0;
    if (block < ACRE_BUDDY_SMALLEST)
        block = ACRE_BUDDY_SMALLEST;
    block = (size_t)2 << acre_bits_highest(block - 1);
    size_t region = 2 * block;
    return region + acre_buddy_metadata_size(region + region / 4 + 1024, ACRE_BUDDY_SMALLEST);
}
#endif

#if ACRE_SLAB
/* The class of a size is at most an eighth above it; an object or run may have to be cut to fit. */
size_t acre_heap_region_for_slab(struct acre_layout layout)
{
    enum { PAGE = ACRE_SLAB_PAGE, RECORD = ACRE_SLAB_PER_PAGE };
    size_t align = layout.align > ACRE_SLAB_UNIT ? layout.align : 0;
    if (layout.size > SIZE_MAX / 8 || align > SIZE_MAX / 8)
        return 0;
    /* Never less for a larger size, so that what serves the largest block serves every smaller one.
     */
    size_t most = ACRE_SLAB_LARGEST_PAGES * PAGE;
    size_t small = (layout.size < most ? layout.size : most) / 8;
    size_t size = layout.size + (layout.size == 0);
    size_t pages = (size + small + align + PAGE - 1) / PAGE + 1;
    return (pages + 1) * PAGE + (pages + 7) * RECORD;
}
#endif

#if ACRE_BITMAP && (ACRE_TLSF || ACRE_BUDDY || ACRE_SLAB)
/* Makes the heap's own page allocator an empty one with pages of this size. */
static bool heap_setup_pages(struct acre_bitmap *pages, size_t page_size)
{
    struct acre_bitmap empty = { 0 };
    if (acre_bitmap_setup(&empty, page_size) != ACRE_OK)
        return false;
    *pages = empty;
    return true;
}

/* Bytes of the smallest region in which a heap over bitmap pages finds room for a block. */
static size_t least_region(acre_heap_region_fn *region_for, size_t page)
{
    size_t chunk = region_for(acre_layout(1, 1)) + HEAP_RECORD + page - 1;
    size_t metadata = acre_bitmap_metadata_size(chunk / page + 64) + page - 1;
    return (chunk / page + metadata / page + 2) * page;
}

static enum acre_status setup(
    struct acre_heap *heap, struct acre_heap_parts parts, struct acre_bitmap *pages)
{
    parts.pages = acre_bitmap_pages(pages);
    parts.least = least_region(parts.region_for, acre_bitmap_page_size(pages));
    return acre_heap_setup(heap, &parts);
}
#endif

#if ACRE_BITMAP && ACRE_TLSF
static enum acre_status add_adjacent_tlsf(void *self, void *start, size_t size)
{
    return acre_tlsf_add_memory_adjacent(self, start, size);
}

static void set_on_exhausted_of_tlsf(void *self, acre_exhausted_fn *handler, void *arg)
{
    acre_tlsf_set_on_exhausted(self, handler, arg);
}

static struct acre_ptr alloc_of_tlsf(void *heap, struct acre_layout layout)
{
    struct acre_heap_tlsf *self = heap;
    return acre_tlsf_alloc(&self->tlsf, layout);
}

static enum acre_status dealloc_of_tlsf(void *heap, void *ptr)
{
    if (ACRE_UNLIKELY(heap_is_look_due(heap)))
        return acre_heap_dealloc_slowly(heap, ptr);
    struct acre_heap_tlsf *self = heap;
    return acre_tlsf_dealloc(&self->tlsf, ptr);
}

enum acre_status acre_heap_tlsf_setup(struct acre_heap_tlsf *self, size_t page_size)
{
    struct acre_heap_parts parts = {
        .bytes = acre_tlsf_bytes(&self->tlsf),
        .region_for = acre_heap_region_for_tlsf,
        .add_adjacent = add_adjacent_tlsf,
        .set_on_exhausted = set_on_exhausted_of_tlsf,
        .alloc = alloc_of_tlsf,
        .dealloc = dealloc_of_tlsf,
        .place = self,
        .place_size = sizeof *self,
    };
    if (page_size < ACRE_NATURAL_ALIGN || !heap_setup_pages(&self->pages, page_size))
        return ACRE_INVALID_PARAM;
    return setup(&self->heap, parts, &self->pages);
}
#endif

#if ACRE_BITMAP && ACRE_BUDDY
static void set_on_exhausted_of_buddy(void *self, acre_exhausted_fn *handler, void *arg)
{
    acre_buddy_set_on_exhausted(self, handler, arg);
}

static struct acre_ptr alloc_of_buddy(void *heap, struct acre_layout layout)
{
    struct acre_heap_buddy *self = heap;
    return acre_buddy_alloc(&self->buddy, layout);
}

static enum acre_status dealloc_of_buddy(void *heap, void *ptr)
{
    if (ACRE_UNLIKELY(heap_is_look_due(heap)))
        return acre_heap_dealloc_slowly(heap, ptr);
    struct acre_heap_buddy *self = heap;
    return acre_buddy_dealloc(&self->buddy, ptr);
}

enum acre_status acre_heap_buddy_setup(struct acre_heap_buddy *self, size_t page_size)
{
    struct acre_heap_parts parts = {
        .bytes = acre_buddy_bytes(&self->buddy),
        .region_for = acre_heap_region_for_buddy,
        .set_on_exhausted = set_on_exhausted_of_buddy,
        .alloc = alloc_of_buddy,
        .dealloc = dealloc_of_buddy,
        .place = self,
        .place_size = sizeof *self,
    };
    if (page_size < ACRE_NATURAL_ALIGN || !heap_setup_pages(&self->pages, page_size))
        return ACRE_INVALID_PARAM;
    memset(&self->buddy, 0, sizeof self->buddy);
    return setup(&self->heap, parts, &self->pages);
}
#endif

#if ACRE_BITMAP && ACRE_SLAB
static enum acre_status add_adjacent_slab(void *self, void *start, size_t size)
{
    return acre_slab_add_memory_adjacent(self, start, size);
}

static void set_on_exhausted_of_slab(void *self, acre_exhausted_fn *handler, void *arg)
{
    acre_slab_set_on_exhausted(self, handler, arg);
}

static struct acre_ptr alloc_of_slab(void *heap, struct acre_layout layout)
{
    struct acre_heap_slab *self = heap;
    return acre_slab_alloc(&self->slab, layout);
}

static void set_on_released_of_slab(void *self, acre_released_fn *handler, void *arg)
{
    acre_slab_set_on_released(self, handler, arg);
}

static enum acre_status dealloc_of_slab(void *heap, void *ptr)
{
    struct acre_heap_slab *self = heap;
    return acre_slab_dealloc(&self->slab, ptr);
}

enum acre_status acre_heap_slab_setup(struct acre_heap_slab *self, size_t page_size)
{
    struct acre_heap_parts parts = {
        .bytes = acre_slab_bytes(&self->slab),
        .region_for = acre_heap_region_for_slab,
        .add_adjacent = add_adjacent_slab,
        .set_on_exhausted = set_on_exhausted_of_slab,
        .set_on_released = set_on_released_of_slab,
        .alloc = alloc_of_slab,
        .dealloc = dealloc_of_slab,
        .place = self,
        .place_size = sizeof *self,
    };
    if (page_size < ACRE_NATURAL_ALIGN || !heap_setup_pages(&self->pages, page_size))
        return ACRE_INVALID_PARAM;
    self->slab = (struct acre_slab){ 0 };
    return setup(&self->heap, parts, &self->pages);
}
#endif
