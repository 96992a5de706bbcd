/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* ESP-IDF: the heaps below heap_caps on TLSF, with multi_heap_info_acre.c in place of
 * components/heap/multi_heap.c and the tlsf beside it. docs/ports.md states what differs from
 * them. */
#include "multi_heap_acre.h"

#include <string.h>

void multi_heap_internal_lock(multi_heap_handle_t heap)
{
    MULTI_HEAP_LOCK(heap->lock);
}

void multi_heap_internal_unlock(multi_heap_handle_t heap)
{
    MULTI_HEAP_UNLOCK(heap->lock);
}

multi_heap_handle_t multi_heap_register(void *start, size_t size)
{
    size_t skip = (size_t)(-(uintptr_t)start & (ACRE_NATURAL_ALIGN - 1));
    if (start == NULL || size < skip + sizeof(struct multi_heap_info))
        return NULL;
    struct multi_heap_info *heap = (void *)((unsigned char *)start + skip);
    memset(heap, 0, sizeof *heap);
    heap->minimum_free = SIZE_MAX;
    size_t rest = size - skip - sizeof *heap;
    return acre_tlsf_init(&heap->tlsf, heap + 1, rest) == ACRE_OK ? heap : NULL;
}

void multi_heap_set_lock(multi_heap_handle_t heap, void *lock)
{
    heap->lock = lock;
}

/* The byte at `offset` is aligned. Null also for an offset that is a multiple neither of the
 * alignment nor of ACRE_TLSF_GRANULE. */
void *multi_heap_aligned_alloc_offs(
    multi_heap_handle_t heap, size_t size, size_t alignment, size_t offset)
{
    if (heap == NULL || size == 0)
        return NULL;
    multi_heap_internal_lock(heap);
    void *ptr = acre_tlsf_alloc_offset(&heap->tlsf, acre_layout(size, alignment), offset).ptr;
    multi_heap_internal_unlock(heap);
    return ptr;
}

void *multi_heap_aligned_alloc(multi_heap_handle_t heap, size_t size, size_t alignment)
{
    if (heap == NULL || size == 0)
        return NULL;
    multi_heap_internal_lock(heap);
    void *ptr = acre_tlsf_alloc(&heap->tlsf, acre_layout(size, alignment)).ptr;
    multi_heap_internal_unlock(heap);
    return ptr;
}

void *multi_heap_malloc(multi_heap_handle_t heap, size_t size)
{
    return multi_heap_aligned_alloc(heap, size, ACRE_NATURAL_ALIGN);
}

/* A pointer that is not the start of a live block of the heap fails the assertion. */
void multi_heap_free(multi_heap_handle_t heap, void *p)
{
    if (heap == NULL || p == NULL)
        return;
    multi_heap_internal_lock(heap);
    enum acre_status status = acre_tlsf_dealloc(&heap->tlsf, p);
    multi_heap_internal_unlock(heap);
    MULTI_HEAP_ASSERT(status == ACRE_OK, p);
    (void)status;
}

void multi_heap_aligned_free(multi_heap_handle_t heap, void *p)
{
    multi_heap_free(heap, p);
}

void *multi_heap_realloc(multi_heap_handle_t heap, void *p, size_t size)
{
    if (p == NULL)
        return multi_heap_malloc(heap, size);
    if (size == 0)
        multi_heap_free(heap, p);
    if (heap == NULL || size == 0)
        return NULL;
    multi_heap_internal_lock(heap);
    struct acre_ptr got = acre_tlsf_realloc(&heap->tlsf, p, acre_layout(size, ACRE_NATURAL_ALIGN));
    multi_heap_internal_unlock(heap);
    MULTI_HEAP_ASSERT(got.status != ACRE_NOT_ALLOCATED, p);
    return got.ptr;
}

size_t multi_heap_get_allocated_size(multi_heap_handle_t heap, void *p)
{
    multi_heap_internal_lock(heap);
    struct acre_num usable = acre_tlsf_usable_size(&heap->tlsf, p);
    multi_heap_internal_unlock(heap);
    MULTI_HEAP_ASSERT(usable.status == ACRE_OK, p);
    return usable.num;
}

size_t multi_heap_get_full_block_size(multi_heap_handle_t heap, void *p)
{
    return multi_heap_get_allocated_size(heap, p);
}

/* Null: no live block holds the byte. */
void *multi_heap_find_containing_block(multi_heap_handle_t heap, void *ptr)
{
    multi_heap_internal_lock(heap);
    void *start = acre_tlsf_find(&heap->tlsf, ptr).start;
    multi_heap_internal_unlock(heap);
    return start;
}
