/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The suites' arenas, of pages from the kernel's heap. */
#include "support/arena.h"

#include "kernel/kernel.h"

#include <string.h>

static size_t pages_of(size_t size)
{
    return (size + KERNEL_PAGE - 1) / KERNEL_PAGE;
}

bool arena_fits(size_t size, size_t align)
{
    struct acre_num got = acre_alloc_pages(kernel_pages(), pages_of(size), align);
    return got.status == ACRE_OK &&
           acre_dealloc_pages(kernel_pages(), got.num, pages_of(size)) == ACRE_OK;
}

void arena_open(struct arena *arena, size_t size, size_t align)
{
    struct acre_num got = acre_alloc_pages(kernel_pages(), pages_of(size), align);
    if (got.status != ACRE_OK)
        kernel_panic("no pages for an arena of this size", size);
    arena->size = pages_of(size) * KERNEL_PAGE;
    arena->base = memset((void *)got.num, 0, arena->size);
    arena->map = arena->base;
    arena->map_size = arena->size;
}

void arena_close(struct arena *arena)
{
    enum acre_status status =
        acre_dealloc_pages(kernel_pages(), (uintptr_t)arena->map, pages_of(arena->map_size));
    if (status != ACRE_OK)
        kernel_panic(acre_status_text(status), (uintptr_t)arena->map);
}

/* Nothing answers near the top of either machine's addresses. */
void *arena_forbidden(const struct arena *arena)
{
    (void)arena;
    return (void *)(UINTPTR_MAX - 0x7fff);
}
