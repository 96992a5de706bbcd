/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Heaps over bitmap pages with their parts in one struct.
 */
#include "heap/heap_private.h"

#if ACRE_BITMAP && (ACRE_TLSF || ACRE_BUDDY || ACRE_SLAB)

/* Bytes of a region of bitmap pages, wherever it starts, in which a chunk serves a request; 0: none
 * is large enough. */
static size_t heap_bundle_region_size(const struct acre_backing *backing, const void *bytes,
    size_t page_size, struct acre_layout layout)
{
    size_t page = page_size != 0 ? page_size : ACRE_BITMAP_PAGE_SIZE;
    size_t region = backing->region_size(bytes, layout);
    /* NOT-COVERED: regions above a quarter of the address space are there with ACRE_TLSF_WIDE */
    if (region == 0 || region > SIZE_MAX / 4 || page > SIZE_MAX / 16)
        return 0;
    size_t chunk = region + HEAP_TAIL + page - 1;
    size_t metadata = acre_bitmap_metadata_size(acre_divide(chunk, page) + 64) + page - 1;
    size_t table = acre_region_table_size(2 * chunk); /* at the end, of more than is needed here */
    if (table != 0)
        metadata += table + HEAP_GUARD + page;
    return acre_multiply(acre_divide(chunk, page) + acre_divide(metadata, page) + 2, page);
}

static bool heap_owns_memory(const struct acre_heap *heap)
{
    return acre_pages_stats(heap_pages(heap)).total != 0;
}

/* Sets up the pages, then the heap; the bundle owns no memory. */
static enum acre_status heap_bundle_setup(struct acre_heap *heap, struct acre_heap_parts parts,
    struct acre_bitmap *pages, size_t page_size)
{
    if (page_size < ACRE_NATURAL_ALIGN || heap_owns_memory(heap) ||
        acre_bitmap_setup(pages, page_size) != ACRE_OK)
        return ACRE_INVALID_PARAM;
    parts.pages = acre_bitmap_pages(pages);
    parts.least = heap_bundle_region_size(parts.backing, parts.self, page_size, acre_layout(1, 1));
    return acre_heap_setup(heap, &parts);
}

static enum acre_status heap_bundle_add_adjacent(void *self, void *start, size_t size)
{
    return acre_heap_add_memory(self, start, size);
}

static void heap_bundle_set_on_exhausted(void *self, acre_exhausted_fn *handler, void *arg)
{
    acre_heap_set_on_exhausted(self, handler, arg);
}

/* A bundle begins with its heap. */
static void heap_bundle_flush(void *self)
{
    acre_heap_release_empty(self);
}

enum { SHOWN_RUNS = 64 };

/* Shows the largest free runs of pages, which are allocated meanwhile so that each is found once. */
static void heap_bundle_visit_free(void *self, acre_walk_fn *visit, void *arg)
{
    struct acre_pages pages = ((struct acre_heap *)self)->parts.pages;
    uintptr_t starts[SHOWN_RUNS];
    size_t counts[SHOWN_RUNS];
    size_t page = acre_page_size(pages);
    size_t taken = 0;
    for (; taken < SHOWN_RUNS; taken++) {
        counts[taken] = acre_divide(acre_pages_stats(pages).largest_free, page);
        if (counts[taken] < 2)
            break;
        struct acre_num run = acre_alloc_pages(pages, counts[taken], 1);
        ACRE_ASSERT(run.status == ACRE_OK); /* so many are free */
        starts[taken] = run.num;
        (void)visit(arg, (void *)run.num, acre_multiply(counts[taken], page), false);
    }
    while (taken-- != 0)
        (void)acre_dealloc_pages(pages, starts[taken], counts[taken]);
}

#endif

#if ACRE_BITMAP && ACRE_TLSF
_Static_assert(
    (int)HEAP_TAIL <= 128, "adjacent chunks are near enough for acre_tlsf_add_memory_adjacent");

enum acre_status acre_heap_tlsf_setup(struct acre_heap_tlsf *self, size_t page_size)
{
    struct acre_heap_parts parts = {
        .backing = &acre_tlsf_backing,
        .self = &self->tlsf,
        .bundle = self,
        .bundle_size = sizeof *self,
    };
    return heap_bundle_setup(&self->heap, parts, &self->pages, page_size);
}

struct acre_heap *acre_heap_over_tlsf(struct acre_heap_tlsf *self)
{
    if (self->heap.parts.backing == NULL)
        (void)acre_heap_tlsf_setup(self, ACRE_BITMAP_PAGE_SIZE);
    return &self->heap;
}

static size_t heap_tlsf_region_size(const void *self, struct acre_layout layout)
{
    const struct acre_heap_tlsf *own = self;
    return heap_bundle_region_size(&acre_tlsf_backing, &own->tlsf, own->heap.page_size, layout);
}

const struct acre_backing acre_heap_tlsf_backing = {
    .ops = &acre_heap_ops,
    .size = sizeof(struct acre_heap_tlsf),
    .align = ACRE_ALIGNOF(struct acre_heap_tlsf),
    .largest_block = (((size_t)1 << ACRE_TLSF_MAX_LOG2) - 16) * ACRE_TLSF_GRANULE,
    .region_size = heap_tlsf_region_size,
    .add_adjacent = heap_bundle_add_adjacent,
    .set_on_exhausted = heap_bundle_set_on_exhausted,
    .flush = heap_bundle_flush,
    .visit_free = heap_bundle_visit_free,
};
#endif

#if ACRE_BITMAP && ACRE_BUDDY
enum acre_status acre_heap_buddy_setup(struct acre_heap_buddy *self, size_t page_size)
{
    struct acre_heap_parts parts = {
        .backing = &acre_buddy_backing,
        .self = &self->buddy,
        .bundle = self,
        .bundle_size = sizeof *self,
    };
    return heap_bundle_setup(&self->heap, parts, &self->pages, page_size);
}

struct acre_heap *acre_heap_over_buddy(struct acre_heap_buddy *self)
{
    if (self->heap.parts.backing == NULL)
        (void)acre_heap_buddy_setup(self, ACRE_BITMAP_PAGE_SIZE);
    return &self->heap;
}

static size_t heap_buddy_region_size(const void *self, struct acre_layout layout)
{
    const struct acre_heap_buddy *own = self;
    return heap_bundle_region_size(&acre_buddy_backing, &own->buddy, own->heap.page_size, layout);
}

const struct acre_backing acre_heap_buddy_backing = {
    .ops = &acre_heap_ops,
    .size = sizeof(struct acre_heap_buddy),
    .align = ACRE_ALIGNOF(struct acre_heap_buddy),
    .largest_block = SIZE_MAX,
    .powers_of_two = true,
    .region_size = heap_buddy_region_size,
    .add_adjacent = heap_bundle_add_adjacent,
    .set_on_exhausted = heap_bundle_set_on_exhausted,
    .flush = heap_bundle_flush,
    .visit_free = heap_bundle_visit_free,
};
#endif

#if ACRE_BITMAP && ACRE_SLAB
enum acre_status acre_heap_slab_setup(struct acre_heap_slab *self, size_t page_size)
{
    struct acre_heap_parts parts = {
        .backing = &acre_slab_backing,
        .self = &self->slab,
        .bundle = self,
        .bundle_size = sizeof *self,
    };
    return heap_bundle_setup(&self->heap, parts, &self->pages, page_size);
}

struct acre_heap *acre_heap_over_slab(struct acre_heap_slab *self)
{
    if (self->heap.parts.backing == NULL)
        (void)acre_heap_slab_setup(self, ACRE_BITMAP_PAGE_SIZE);
    return &self->heap;
}

static size_t heap_slab_region_size(const void *self, struct acre_layout layout)
{
    const struct acre_heap_slab *own = self;
    return heap_bundle_region_size(&acre_slab_backing, &own->slab, own->heap.page_size, layout);
}

const struct acre_backing acre_heap_slab_backing = {
    .ops = &acre_heap_ops,
    .size = sizeof(struct acre_heap_slab),
    .align = ACRE_ALIGNOF(struct acre_heap_slab),
    .largest_block = SIZE_MAX,
    .region_size = heap_slab_region_size,
    .add_adjacent = heap_bundle_add_adjacent,
    .set_on_exhausted = heap_bundle_set_on_exhausted,
    .flush = heap_bundle_flush,
    .visit_free = heap_bundle_visit_free,
};
#endif
