/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Setup, and adding and removing regions.
 */
#include "heap/heap_private.h"

/* ---- the table of the byte allocator's regions ---- */

/* Bytes of a table at the end of memory, with a guard before it; 0: none is needed. */
static size_t heap_table_bytes(const struct acre_heap *heap, size_t size)
{
    size_t table = heap->parts.backing->set_region_table != NULL ? acre_region_table_size(size) : 0;
    return table != 0 ? HEAP_GUARD + sizeof(size_t) + table : 0;
}

/* Makes the byte allocator, which is empty, use the table, if there is one. */
static void heap_use_table(struct acre_heap *heap)
{
    uintptr_t at = acre_align_up(heap->table + HEAP_GUARD, sizeof(size_t));
    if (heap->table_bytes != 0)
        heap->parts.backing->set_region_table(
            heap->parts.self, (void *)at, heap->table_start, heap->table - heap->table_start);
}

static void heap_forget_table(struct acre_heap *heap)
{
    heap->table_start = heap->table = heap->table_bytes = 0;
}

/* Whether a range shares a byte with the table. Under the lock of pages. */
static bool heap_touches_table(const struct acre_heap *heap, uintptr_t start, size_t size)
{
    return acre_ranges_overlap(start, size, heap->table, heap->table_bytes);
}

/* ---- set-up ---- */

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
    heap_forget_table(heap);
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
    heap_forget_table(heap);
    enum acre_status status = heap_check_range(heap, (uintptr_t)start, size);
    heap_forget_bytes(heap);
    heap_forget_pages(heap);
    size_t table = status == ACRE_OK ? heap_table_bytes(heap, size) : 0;
    enum acre_status done =
        acre_init(pages, status == ACRE_OK ? start : NULL, status == ACRE_OK ? size - table : 0);
    if (done == ACRE_OK && table != 0) {
        heap->table_start = (uintptr_t)start;
        heap->table = (uintptr_t)start + (size - table);
        heap->table_bytes = table;
        heap_use_table(heap);
    }
    return status == ACRE_OK ? done : status;
}

enum acre_status acre_heap_add_memory(struct acre_heap *heap, void *start, size_t size)
{
    enum acre_status status = heap_check_range(heap, (uintptr_t)start, size);
    if (status != ACRE_OK)
        return status;
    acre_locker_lock(&heap->pages_lock);
    status = heap_touches_table(heap, (uintptr_t)start, size)
                 ? ACRE_MEMORY_OVERLAP
                 : acre_pages_add_memory(heap_pages(heap), start, size);
    acre_locker_unlock(&heap->pages_lock);
    return status;
}

/* Removes the pages of some memory. Sets *table if the table stands there, which only the byte
 * allocator still reads then. */
static enum acre_status heap_remove_pages(struct acre_heap *heap, void *start, bool *table)
{
    acre_locker_lock(&heap->pages_lock);
    enum acre_status status = acre_pages_remove_memory(heap_pages(heap), start);
    *table = status == ACRE_OK && heap->table_bytes != 0 && heap->table_start == (uintptr_t)start;
    if (*table)
        heap_forget_table(heap);
    acre_locker_unlock(&heap->pages_lock);
    return status;
}

static void heap_remove_table(struct acre_heap *heap)
{
    acre_locker_lock(&heap->bytes_lock);
    heap->parts.backing->set_region_table(heap->parts.self, NULL, 0, 0);
    acre_locker_unlock(&heap->bytes_lock);
}

enum acre_status acre_heap_remove_memory(struct acre_heap *heap, void *start)
{
    bool table = false;
    enum acre_status status = heap_remove_pages(heap, start, &table);
    if (status == ACRE_INVALID_PARAM && acre_heap_release_empty(heap) != 0)
        status = heap_remove_pages(heap, start, &table);
    if (table)
        heap_remove_table(heap);
    return status;
}

void acre_heap_reset(struct acre_heap *heap)
{
    heap_forget_bytes(heap);
    heap_forget_pages(heap);
    heap_use_table(heap);
    acre_pages_reset(heap_pages(heap));
}
