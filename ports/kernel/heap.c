/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "kernel/heap.h"

enum { LEAST_GROWTH = 64 << 10 };

static struct heap *heap_of(void *self)
{
    return (struct heap *)(void *)((char *)self - offsetof(struct heap, bytes));
}

/* Takes enough pages for one block of this layout and TLSF's own needs. */
static bool grow(struct heap *heap, struct acre_layout layout)
{
    if (layout.size > SIZE_MAX / 4 || layout.align > SIZE_MAX / 4)
        return false;
    size_t need = layout.size + layout.size / 32 + 2 * layout.align + ACRE_BITMAP_PAGE_SIZE;
    size_t count = (need > LEAST_GROWTH ? need : LEAST_GROWTH) / ACRE_BITMAP_PAGE_SIZE + 1;
    struct acre_num got = acre_bitmap_alloc_pages(&heap->pages, count, ACRE_BITMAP_PAGE_SIZE);
    return got.status == ACRE_OK && acre_tlsf_add_memory(&heap->bytes, (void *)got.num,
                                        count * ACRE_BITMAP_PAGE_SIZE) == ACRE_OK;
}

static struct acre_ptr alloc(void *self, struct acre_layout layout)
{
    struct acre_ptr got = acre_tlsf_alloc(self, layout);
    if (got.status == ACRE_NO_MEMORY && grow(heap_of(self), layout))
        got = acre_tlsf_alloc(self, layout);
    return got;
}

static struct acre_ptr realloc(void *self, void *ptr, struct acre_layout layout)
{
    struct acre_ptr got = acre_tlsf_realloc(self, ptr, layout);
    if (got.status == ACRE_NO_MEMORY && grow(heap_of(self), layout))
        got = acre_tlsf_realloc(self, ptr, layout);
    return got;
}

void heap_setup(struct heap *heap)
{
    acre_bitmap_setup(&heap->pages, ACRE_BITMAP_PAGE_SIZE);
    acre_tlsf_init(&heap->bytes, NULL, 0);
    heap->ops = acre_tlsf_ops;
    heap->ops.alloc = alloc;
    heap->ops.realloc = realloc;
}

enum acre_status heap_add(struct heap *heap, struct range range)
{
    return acre_bitmap_add_memory(&heap->pages, (void *)range.start, range.size);
}

struct acre_pages heap_pages(struct heap *heap)
{
    return acre_bitmap_pages(&heap->pages);
}

struct acre_bytes heap_bytes(struct heap *heap)
{
    return (struct acre_bytes){ &heap->ops, &heap->bytes };
}
