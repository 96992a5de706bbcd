/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Setup, and adding and removing regions.
 */
#include "heap/heap_private.h"

/* Empties the byte allocator and its counts. */
static void heap_forget_bytes(struct acre_heap *heap)
{
    enum acre_status refused = acre_bytes_init(heap_bytes(heap), NULL, 0);
    (void)refused;
    heap->ring = NULL;
    heap->newest = NULL;
    heap->unexamined = 0;
    heap->live_examined = 0;
    heap->chunks = 0;
    heap->bytes_added = 0;
    heap->failed = 0;
    acre_heap_bind(heap);
}

static void heap_forget_pages(struct acre_heap *heap)
{
    heap->runs = NULL;
    heap->chunk_pages = 0;
    heap->failed_pages = 0;
    heap->combined_peak = 0;
}

enum acre_status acre_heap_setup(struct acre_heap *heap, const struct acre_heap_parts *parts)
{
    size_t page_size = acre_page_size(parts->pages);
    if (parts->backing == NULL || page_size < ACRE_NATURAL_ALIGN ||
        acre_pages_stats(heap_pages(heap)).total != 0)
        return ACRE_INVALID_PARAM;
    heap->parts = *parts;
    heap->bytes = (struct acre_bytes){ parts->backing->ops, parts->self };
    heap->page_size = page_size;
    heap_forget_bytes(heap);
    heap_forget_pages(heap);
    return ACRE_OK;
}

void acre_heap_set_locks(struct acre_heap *heap, struct acre_locker bytes, struct acre_locker pages)
{
    heap->bytes_lock = bytes;
    heap->pages_lock = pages;
    acre_heap_bind(heap);
}

void acre_heap_set_on_exhausted(struct acre_heap *heap, acre_exhausted_fn *handler, void *arg)
{
    heap->on_exhausted = handler;
    heap->on_exhausted_arg = arg;
}

void acre_heap_set_reserve(struct acre_heap *heap, size_t pages)
{
    acre_locker_lock(&heap->pages_lock);
    heap->reserve = pages;
    acre_locker_unlock(&heap->pages_lock);
}

/* A range that the page allocator may be offered. */
static enum acre_status heap_check_range(const struct acre_heap *heap, uintptr_t start, size_t size)
{
    if (heap->parts.backing == NULL || start == 0 || size < heap->parts.least ||
        acre_range_wraps(start, size))
        return ACRE_INVALID_PARAM;
    if (size != 0 && (acre_ranges_overlap(start, size, (uintptr_t)heap, sizeof *heap) ||
                         acre_ranges_overlap(
                             start, size, (uintptr_t)heap->parts.bundle, heap->parts.bundle_size)))
        return ACRE_MEMORY_OVERLAP;
    return ACRE_OK;
}

enum acre_status acre_heap_init(struct acre_heap *heap, void *start, size_t size)
{
    struct acre_base pages = acre_pages_base(heap_pages(heap));
    enum acre_status status = heap_check_range(heap, (uintptr_t)start, size);
    heap_forget_bytes(heap);
    heap_forget_pages(heap);
    enum acre_status done =
        acre_init(pages, status == ACRE_OK ? start : NULL, status == ACRE_OK ? size : 0);
    return status == ACRE_OK ? done : status;
}

enum acre_status acre_heap_add_memory(struct acre_heap *heap, void *start, size_t size)
{
    enum acre_status status = heap_check_range(heap, (uintptr_t)start, size);
    if (status != ACRE_OK)
        return status;
    acre_locker_lock(&heap->pages_lock);
    status = acre_pages_add_memory(heap_pages(heap), start, size);
    acre_locker_unlock(&heap->pages_lock);
    return status;
}

static enum acre_status heap_remove_pages(struct acre_heap *heap, void *start)
{
    acre_locker_lock(&heap->pages_lock);
    enum acre_status status = acre_pages_remove_memory(heap_pages(heap), start);
    acre_locker_unlock(&heap->pages_lock);
    return status;
}

enum acre_status acre_heap_remove_memory(struct acre_heap *heap, void *start)
{
    enum acre_status status = heap_remove_pages(heap, start);
    if (status == ACRE_INVALID_PARAM && acre_heap_release_empty(heap) != 0)
        status = heap_remove_pages(heap, start);
    return status;
}

void acre_heap_reset(struct acre_heap *heap)
{
    heap_forget_bytes(heap);
    heap_forget_pages(heap);
    acre_pages_reset(heap_pages(heap));
}
