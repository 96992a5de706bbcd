/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Lifts the heap into the tables of the bytes and the pages family.
 */
#include "heap/heap_private.h"

static enum acre_status init(void *self, void *start, size_t size)
{
    return acre_heap_init(self, start, size);
}

static enum acre_status add_memory(void *self, void *start, size_t size)
{
    return acre_heap_add_memory(self, start, size);
}

static enum acre_status remove_memory(void *self, void *start)
{
    return acre_heap_remove_memory(self, start);
}

static struct acre_stats stats(const void *self)
{
    return acre_heap_stats(self);
}

static struct acre_stats page_stats(const void *self)
{
    return acre_heap_page_stats(self);
}

static struct acre_check_result check(const void *self)
{
    return acre_heap_check(self);
}

static void reset(void *self)
{
    acre_heap_reset(self);
}

static struct acre_ptr alloc(void *self, struct acre_layout layout)
{
    const struct acre_heap *heap = self;
    return heap->alloc_here(self, layout);
}

static enum acre_status dealloc(void *self, void *ptr)
{
    const struct acre_heap *heap = self;
    return heap->dealloc_here(self, ptr);
}

static enum acre_status dealloc_sized(void *self, void *ptr, struct acre_layout layout)
{
    return acre_heap_dealloc_sized(self, ptr, layout);
}

static enum acre_status resize(void *self, void *ptr, size_t size)
{
    return acre_heap_resize(self, ptr, size);
}

static struct acre_ptr realloc_(void *self, void *ptr, struct acre_layout layout)
{
    return acre_heap_realloc(self, ptr, layout);
}

static struct acre_num usable_size(const void *self, const void *ptr)
{
    return acre_heap_usable_size(self, ptr);
}

static void walk(const void *self, acre_walk_fn *visit, void *arg)
{
    acre_heap_walk(self, visit, arg);
}

static struct acre_num alloc_pages(void *self, size_t count, size_t align)
{
    return acre_heap_alloc_pages(self, count, align, 0);
}

static struct acre_num alloc_pages_at(void *self, uintptr_t pos, size_t count, size_t align)
{
    return acre_heap_alloc_pages_at(self, pos, count, align, 0);
}

static enum acre_status dealloc_pages(void *self, uintptr_t pos, size_t count)
{
    return acre_heap_dealloc_pages(self, pos, count);
}

static size_t page_size(const void *self)
{
    const struct acre_heap *heap = self;
    return heap->page_size;
}

static const struct acre_bytes_ops bytes_ops = {
    .base = {
        .init = init,
        .add_memory = add_memory,
        .remove_memory = remove_memory,
        .stats = stats,
        .check = check,
        .reset = reset,
    },
    .alloc = alloc,
    .dealloc = dealloc,
    .dealloc_sized = dealloc_sized,
    .resize = resize,
    .realloc = realloc_,
    .usable_size = usable_size,
    .walk = walk,
};

static const struct acre_pages_ops pages_ops = {
    .base = {
        .init = init,
        .add_memory = add_memory,
        .remove_memory = remove_memory,
        .stats = page_stats,
        .check = check,
        .reset = reset,
    },
    .alloc_pages = alloc_pages,
    .alloc_pages_at = alloc_pages_at,
    .dealloc_pages = dealloc_pages,
    .page_size = page_size,
};

struct acre_bytes acre_heap_bytes(struct acre_heap *heap)
{
    return (struct acre_bytes){ &bytes_ops, heap };
}

struct acre_pages acre_heap_pages(struct acre_heap *heap)
{
    return (struct acre_pages){ &pages_ops, heap };
}
