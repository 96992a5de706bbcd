/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* kmalloc and kfree for a kernel, on a heap of two levels: a bitmap owns the pages, TLSF takes them
 * as it needs bytes and gives them back. See kmalloc.h. */
#include "kmalloc.h"

#include <string.h>

static struct acre_heap_tlsf kernel_heap;

struct acre_heap *kmalloc_heap(void)
{
    return &kernel_heap.heap;
}

void kmalloc_init(struct acre_locker bytes, struct acre_locker pages)
{
    enum acre_status status = acre_heap_tlsf_setup(&kernel_heap, KMALLOC_PAGE);
    if (status == ACRE_OK)
        acre_heap_set_locks(&kernel_heap.heap, bytes, pages);
    else
        kmalloc_misuse("kmalloc_init", &kernel_heap, status); /* bad KMALLOC_PAGE, or called late */
}

enum acre_status kmalloc_add_memory(void *start, size_t size)
{
    return acre_heap_add_memory(&kernel_heap.heap, start, size);
}

void kmalloc_set_reserve(size_t pages)
{
    acre_heap_set_reserve(&kernel_heap.heap, pages);
}

static unsigned heap_flags(unsigned flags)
{
    return (flags & KMALLOC_RESERVE) != 0 ? ACRE_HEAP_RESERVE : 0;
}

static void *clear(void *ptr, size_t size, unsigned flags)
{
    return ptr != NULL && (flags & KMALLOC_ZERO) != 0 ? memset(ptr, 0, size) : ptr;
}

static void report(const char *call, const void *ptr, enum acre_status status)
{
    if (status != ACRE_OK && status != ACRE_NO_MEMORY)
        kmalloc_misuse(call, ptr, status);
}

void *kmalloc_aligned(size_t size, size_t align, unsigned flags)
{
    struct acre_layout layout = acre_layout(size, align);
    struct acre_ptr got = acre_heap_alloc_flags(&kernel_heap.heap, layout, heap_flags(flags));
    return clear(got.ptr, size, flags);
}

void *kmalloc(size_t size, unsigned flags)
{
    return kmalloc_aligned(size, ACRE_NATURAL_ALIGN, flags);
}

void *kmalloc_array(size_t count, size_t size, unsigned flags)
{
    return kmalloc(acre_layout_array(count, acre_layout(size, 1)).size, flags);
}

void kfree(void *ptr)
{
    if (ptr != NULL)
        report("kfree", ptr, acre_heap_dealloc(&kernel_heap.heap, ptr));
}

void *krealloc(void *ptr, size_t size)
{
    if (ptr == NULL)
        return kmalloc(size, 0);
    if (size == 0) {
        kfree(ptr);
        return NULL;
    }
    struct acre_layout layout = acre_layout(size, ACRE_NATURAL_ALIGN);
    struct acre_ptr moved = acre_heap_realloc(&kernel_heap.heap, ptr, layout);
    report("krealloc", ptr, moved.status);
    return moved.ptr;
}

size_t ksize(const void *ptr)
{
    if (ptr == NULL)
        return 0;
    struct acre_num usable = acre_heap_usable_size(&kernel_heap.heap, ptr);
    report("ksize", ptr, usable.status);
    return usable.num;
}

void *kmalloc_pages(size_t count, size_t align, unsigned flags)
{
    struct acre_heap *heap = &kernel_heap.heap;
    struct acre_num got = acre_heap_alloc_pages(heap, count, align, heap_flags(flags));
    return got.status == ACRE_OK ? clear((void *)got.num, count * KMALLOC_PAGE, flags) : NULL;
}

void kfree_pages(void *start, size_t count)
{
    enum acre_status status = acre_heap_dealloc_pages(&kernel_heap.heap, (uintptr_t)start, count);
    report("kfree_pages", start, status);
}
