/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The verbs on blocks, and which functions the hot paths are.
 */
#include "heap/heap_private.h"

/* ---- alloc ---- */

struct acre_ptr acre_heap_alloc_flags(
    struct acre_heap *heap, struct acre_layout layout, unsigned flags)
{
    struct heap_request request = { NULL, layout, flags };
    return acre_heap_request(heap, &request);
}

static ACRE_NOINLINE struct acre_ptr heap_alloc_refused(
    struct acre_heap *heap, struct acre_layout layout)
{
    struct heap_request request = { NULL, layout, 0 };
    return acre_heap_alloc_slow(heap, &request);
}

static struct acre_ptr heap_alloc_locked(void *self, struct acre_layout layout)
{
    struct acre_heap *heap = self;
    acre_locker_lock(&heap->bytes_lock);
    struct acre_ptr got = acre_alloc(heap->bytes, layout);
    acre_locker_unlock(&heap->bytes_lock);
    return got.status != ACRE_NO_MEMORY ? got : heap_alloc_refused(heap, layout);
}

/* ---- dealloc ---- */

/* A free with locks, or of a byte allocator that does not report frees. */
static enum acre_status heap_dealloc_counting(void *self, void *ptr)
{
    struct acre_heap *heap = self;
    struct acre_heap_chunk *gone = NULL;
    acre_locker_lock(&heap->bytes_lock);
    enum acre_status status = acre_dealloc(heap->bytes, ptr);
    if (status == ACRE_OK)
        gone = acre_heap_count_frees(heap, 1);
    acre_locker_unlock(&heap->bytes_lock);
    acre_heap_return_runs(heap, gone);
    return status;
}

static ACRE_NOINLINE void heap_scan_and_return(struct acre_heap *heap, size_t blocks)
{
    acre_heap_return_runs(heap, acre_heap_count_frees(heap, blocks));
}

/* The byte allocator's handler of frees after which a region may be empty. */
static void heap_released(void *self, size_t blocks)
{
    struct acre_heap *heap = self;
    if (ACRE_LIKELY(heap->countdown > blocks)) {
        heap->countdown -= blocks;
        heap->unexamined = heap->chunks;
        heap->newest = NULL;
    } else {
        heap_scan_and_return(heap, blocks);
    }
}

/* Whether the byte allocator calls heap_released. */
static bool heap_is_told_of_frees(const struct acre_heap *heap)
{
    return heap->is_called && heap->parts.backing->set_on_released != NULL;
}

/* As heap_dealloc_counting. */
static enum acre_status heap_dealloc_sized_counting(
    void *self, void *ptr, struct acre_layout layout)
{
    struct acre_heap *heap = self;
    struct acre_heap_chunk *gone = NULL;
    acre_locker_lock(&heap->bytes_lock);
    enum acre_status status = acre_dealloc_sized(heap->bytes, ptr, layout);
    if (status == ACRE_OK)
        gone = acre_heap_count_frees(heap, 1);
    acre_locker_unlock(&heap->bytes_lock);
    acre_heap_return_runs(heap, gone);
    return status;
}

enum acre_status acre_heap_dealloc_sized(
    struct acre_heap *heap, void *ptr, struct acre_layout layout)
{
    if (ACRE_UNLIKELY(heap->dealloc_sized == NULL))
        return acre_null_ops.dealloc_sized(NULL, ptr, layout);
    return heap->dealloc_sized(heap->dealloc_self, ptr, layout);
}

/* ---- the other verbs on a block ---- */

/* Counts the block that a realloc freed. */
static void heap_count_moved(struct acre_heap *heap)
{
    acre_locker_lock(&heap->bytes_lock);
    struct acre_heap_chunk *gone = acre_heap_count_frees(heap, 1);
    acre_locker_unlock(&heap->bytes_lock);
    acre_heap_return_runs(heap, gone);
}

enum acre_status acre_heap_resize(struct acre_heap *heap, void *ptr, size_t size)
{
    acre_locker_lock(&heap->bytes_lock);
    enum acre_status status = acre_resize(heap_bytes(heap), ptr, size);
    heap->failed += status == ACRE_NO_MEMORY && !heap->is_called;
    acre_locker_unlock(&heap->bytes_lock);
    return status;
}

struct acre_ptr acre_heap_realloc(struct acre_heap *heap, void *ptr, struct acre_layout layout)
{
    struct heap_request request = { ptr, layout, 0 };
    if (ptr == NULL)
        return (struct acre_ptr){ NULL, ACRE_NOT_ALLOCATED };
    struct acre_ptr got = acre_heap_request(heap, &request);
    if (got.ptr != NULL && got.ptr != ptr && !heap_is_told_of_frees(heap))
        heap_count_moved(heap);
    return got;
}

struct acre_num acre_heap_usable_size(const struct acre_heap *heap, const void *ptr)
{
    acre_locker_lock(&heap->bytes_lock);
    struct acre_num usable = acre_usable_size(heap_bytes(heap), ptr);
    acre_locker_unlock(&heap->bytes_lock);
    return usable;
}

struct acre_block acre_heap_find(const struct acre_heap *heap, const void *ptr)
{
    acre_locker_lock(&heap->bytes_lock);
    struct acre_block block = acre_find(heap_bytes(heap), ptr);
    acre_locker_unlock(&heap->bytes_lock);
    return block;
}

void acre_heap_walk(const struct acre_heap *heap, acre_walk_fn *visit, void *arg)
{
    acre_locker_lock(&heap->bytes_lock);
    acre_walk(heap_bytes(heap), visit, arg);
    acre_locker_unlock(&heap->bytes_lock);
}

/* ---- which functions the hot paths are ---- */

/* Without locks, alloc is the byte allocator's own; so are the frees if it reports those after
 * which a region may be empty. */
static void heap_bind_direct(struct acre_heap *heap, const struct acre_backing *backing)
{
    heap->alloc = backing->ops->alloc;
    heap->alloc_self = heap->parts.self;
    heap->dealloc = heap_dealloc_counting;
    heap->dealloc_sized = heap_dealloc_sized_counting;
    heap->dealloc_self = heap;
    if (backing->set_on_released != NULL) {
        heap->dealloc = backing->ops->dealloc;
        heap->dealloc_sized = backing->ops->dealloc_sized;
        heap->dealloc_self = heap->parts.self;
    }
}

static void heap_bind_locked(struct acre_heap *heap)
{
    heap->alloc = heap_alloc_locked;
    heap->alloc_self = heap;
    heap->dealloc = heap_dealloc_counting;
    heap->dealloc_sized = heap_dealloc_sized_counting;
    heap->dealloc_self = heap;
}

static void heap_bind_null(struct acre_heap *heap)
{
    heap->alloc = acre_null_ops.alloc;
    heap->dealloc = acre_null_ops.dealloc;
    heap->dealloc_sized = acre_null_ops.dealloc_sized;
}

void acre_heap_bind(struct acre_heap *heap)
{
    const struct acre_backing *backing = heap->parts.backing;
    if (backing == NULL) {
        heap_bind_null(heap);
        return;
    }
    heap->is_called = heap->bytes_lock.lock == NULL;
    heap->countdown = heap_scan_interval(heap);
    if (heap->is_called)
        heap_bind_direct(heap, backing);
    else
        heap_bind_locked(heap);
    backing->set_on_exhausted(heap->parts.self, heap->is_called ? acre_heap_make_room : NULL, heap);
    if (backing->set_on_released != NULL)
        backing->set_on_released(heap->parts.self, heap->is_called ? heap_released : NULL, heap);
}
