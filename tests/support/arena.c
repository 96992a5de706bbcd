/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "support/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 4096 };

static void require(int ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(EXIT_FAILURE);
    }
}

/* Pages that nothing has touched take no memory. */
bool arena_fits(size_t size, size_t align)
{
    (void)size;
    (void)align;
    return true;
}

void arena_open(struct arena *arena, size_t size, size_t align)
{
    arena->size = (size + PAGE - 1) & ~(size_t)(PAGE - 1);
    arena->map_size = arena->size + align + 2 * (size_t)PAGE;
    arena->map =
        mmap(NULL, arena->map_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    require(arena->map != MAP_FAILED, "arena: mmap");
    uintptr_t first = (uintptr_t)arena->map + PAGE;
    uintptr_t start = (first + align - 1) & ~(uintptr_t)(align - 1);
    arena->base = (unsigned char *)arena->map + (start - (uintptr_t)arena->map);
    require(mprotect(arena->base, arena->size, PROT_READ | PROT_WRITE) == 0, "arena: mprotect");
}

void arena_close(struct arena *arena)
{
    require(munmap(arena->map, arena->map_size) == 0, "arena: munmap");
}

void *arena_forbidden(const struct arena *arena)
{
    return arena->base + arena->size + PAGE / 2;
}
