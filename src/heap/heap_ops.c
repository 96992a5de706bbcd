/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Lifts the heap into the tables of the bytes and the pages family. The two tables differ in what
 * their statistics count.
 */
#include "base/lift.h"
#include "heap/heap_private.h"

ACRE_LIFT_BASE(acre_heap)
ACRE_LIFT_BLOCKS(acre_heap)

static struct acre_ptr acre_heap_op_alloc(void *self, struct acre_layout layout)
{
    const struct acre_heap *heap = self;
    struct acre_ptr (*alloc)(void *, struct acre_layout) = heap->alloc;
    ACRE_OPAQUE(alloc); /* else `self` is moved twice */
    return alloc(heap->alloc_self, layout);
}

static enum acre_status acre_heap_op_dealloc(void *self, void *ptr)
{
    const struct acre_heap *heap = self;
    enum acre_status (*dealloc)(void *, void *) = heap->dealloc;
    ACRE_OPAQUE(dealloc);
    return dealloc(heap->dealloc_self, ptr);
}

static enum acre_status acre_heap_op_dealloc_sized(void *self, void *ptr, struct acre_layout layout)
{
    const struct acre_heap *heap = self;
    enum acre_status (*dealloc)(void *, void *, struct acre_layout) = heap->dealloc_sized;
    ACRE_OPAQUE(dealloc);
    return dealloc(heap->dealloc_self, ptr, layout);
}

static struct acre_stats acre_heap_op_page_stats(const void *self)
{
    return acre_heap_page_stats(self);
}

static struct acre_num acre_heap_op_alloc_pages(void *self, size_t count, size_t align)
{
    struct acre_num found = acre_heap_alloc_pages(self, count, align, 0);
    return acre_annotate_pages(found, acre_multiply(count, heap_page_size(self)));
}

static struct acre_num acre_heap_op_alloc_pages_at(
    void *self, uintptr_t pos, size_t count, size_t align)
{
    struct acre_num found = acre_heap_alloc_pages_at(self, pos, count, align, 0);
    return acre_annotate_pages(found, acre_multiply(count, heap_page_size(self)));
}

static struct acre_num acre_heap_op_alloc_pages_within(
    void *self, size_t count, const struct acre_run_limits *limits)
{
    struct acre_num found = acre_heap_alloc_pages_within(self, count, limits, 0);
    return acre_annotate_pages(found, acre_multiply(count, heap_page_size(self)));
}

static enum acre_status acre_heap_op_dealloc_pages(void *self, uintptr_t pos, size_t count)
{
    return acre_heap_dealloc_pages(self, pos, count);
}

static size_t acre_heap_op_page_size(const void *self)
{
    return heap_page_size(self);
}

const struct acre_bytes_ops acre_heap_ops = ACRE_BYTES_TABLE(acre_heap);

static const struct acre_pages_ops heap_pages_ops = {
    .base = {
        .init = acre_heap_op_init,
        .add_memory = acre_heap_op_add_memory,
        .remove_memory = acre_heap_op_remove_memory,
        .stats = acre_heap_op_page_stats,
        .check = acre_heap_op_check,
        .reset = acre_heap_op_reset,
        .reset_peak = acre_heap_op_reset_peak,
    },
    .alloc_pages = acre_heap_op_alloc_pages,
    .alloc_pages_at = acre_heap_op_alloc_pages_at,
    .alloc_pages_within = acre_heap_op_alloc_pages_within,
    .dealloc_pages = acre_heap_op_dealloc_pages,
    .page_size = acre_heap_op_page_size,
};

/* A handle must not be of a heap whose hot paths are null. */
struct acre_bytes acre_heap_bytes(struct acre_heap *heap)
{
    if (heap->alloc == NULL)
        acre_heap_bind(heap);
    return (struct acre_bytes){ &acre_heap_ops, heap };
}

struct acre_pages acre_heap_pages(struct acre_heap *heap)
{
    return (struct acre_pages){ &heap_pages_ops, heap };
}
