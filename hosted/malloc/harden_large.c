/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Large blocks of a hardened malloc. Each is a mapping of its own; at level 2 between two pages
 * without access, and without access itself, for as long as it is among the last ones freed. Those
 * of level 1 return to the system at once. The table of large.h holds the live ones.
 */
#include "base/arith.h"
#include "malloc/harden.h"
#include "os/os.h"
#include "threaded/threaded_harden.h"

#include <string.h>

enum { RETIRED = 64, FENCED = 2 };

/* Mappings without access, of blocks that were freed, with their guards. */
struct retired {
    uintptr_t block;
    uintptr_t start;
    size_t size;
};

static struct retired retired[RETIRED];
static size_t next_retired;

static bool guarded_has_fences(void)
{
    return acre_serve.settings.harden >= FENCED;
}

static size_t guarded_fence(void)
{
    return guarded_has_fences() ? acre_os_page_size() : 0;
}

bool acre_guarded_is_large(struct acre_layout layout)
{
    if (guarded_has_fences())
        return layout.size > ACRE_THREADED_MAX_SMALL - sizeof(size_t) ||
               layout.align > ACRE_THREADED_PAGE;
    return layout.size >= ACRE_LARGE_LEAST && layout.align <= acre_os_page_size();
}

/* Bytes between the guards: whole pages, with slack for a canary unless a guard follows directly. */
static size_t guarded_bytes(size_t size)
{
    size_t page = acre_os_page_size();
    bool full = guarded_has_fences() && size % page == 0;
    return acre_align_up(full ? size : size + sizeof(size_t), page);
}

static size_t guarded_pattern(uintptr_t start)
{
    return harden_pattern(&acre_threads.threaded, start);
}

static void guarded_mark(uintptr_t start, size_t bytes, size_t size)
{
    if (bytes != size)
        harden_write(start + bytes, bytes - size, guarded_pattern(start));
}

uintptr_t acre_guarded_damage(const struct acre_large_block *block)
{
    size_t slack = block->size - block->asked;
    if (slack == 0)
        return 0;
    return harden_find(block->start + block->size, slack, guarded_pattern(block->start));
}

const struct acre_large_block *acre_guarded_find(const void *ptr)
{
    struct acre_large *large = &acre_serve.pool.large;
    return acre_large_owns(large, ptr) ? acre_large_find(large, (uintptr_t)ptr) : NULL;
}

/* A mapping with its block at an aligned address, and what lies outside of its guards cut off. 0:
 * none. */
static uintptr_t guarded_map(size_t bytes, size_t align)
{
    size_t fence = guarded_fence();
    size_t extra = align > acre_os_page_size() ? align : 0;
    size_t whole = bytes + 2 * fence + extra;
    void *map;
    if (acre_os_map(NULL, whole, &map) != 0)
        return 0;
    uintptr_t start = (uintptr_t)map;
    uintptr_t block = extra != 0 ? acre_align_up(start + fence, align) : start + fence;
    uintptr_t end = block + bytes + fence;
    if (block - fence != start)
        (void)acre_os_unmap(map, block - fence - start);
    if (end != start + whole)
        (void)acre_os_unmap((void *)end, start + whole - end);
    if (fence == 0 || (acre_os_fence((void *)(block - fence), fence) == 0 &&
                          acre_os_fence((void *)(block + bytes), fence) == 0))
        return block;
    (void)acre_os_unmap((void *)(block - fence), bytes + 2 * fence);
    return 0;
}

void *acre_guarded_alloc(struct acre_layout layout)
{
    struct acre_pool *pool = &acre_serve.pool;
    if (layout.size > PTRDIFF_MAX / 2 || layout.align > PTRDIFF_MAX / 4)
        return NULL;
    size_t bytes = guarded_bytes(layout.size);
    uintptr_t start = bytes <= acre_pool_left(pool) ? guarded_map(bytes, layout.align) : 0;
    if (start == 0)
        return NULL;
    if (!acre_large_add(&pool->large, start, bytes, layout.size)) {
        size_t fence = guarded_fence();
        (void)acre_os_unmap((void *)(start - fence), bytes + 2 * fence);
        return NULL;
    }
    guarded_mark(start, bytes, layout.size);
    return (void *)start;
}

/* Keeps the addresses without access, and returns those kept longest to the system. */
static void guarded_retire(uintptr_t block, size_t bytes)
{
    size_t fence = guarded_fence();
    struct retired *slot = &retired[next_retired];
    next_retired = (next_retired + 1) % RETIRED;
    if (slot->size != 0)
        (void)acre_os_unmap((void *)slot->start, slot->size);
    *slot = (struct retired){ .block = block, .start = block - fence, .size = bytes + 2 * fence };
    if (acre_os_fence((void *)slot->start, slot->size) != 0)
        (void)acre_os_discard((void *)slot->start, slot->size);
}

void acre_guarded_free(const struct acre_large_block *block)
{
    uintptr_t start = block->start;
    size_t bytes = block->size;
    acre_large_remove(&acre_serve.pool.large, start);
    if (guarded_has_fences())
        guarded_retire(start, bytes);
    else if (acre_os_unmap((void *)start, bytes) != 0)
        (void)acre_os_discard((void *)start, bytes);
}

void *acre_guarded_resize(const struct acre_large_block *block, size_t size)
{
    struct acre_pool *pool = &acre_serve.pool;
    void *start = (void *)block->start;
    size_t before = block->size;
    size_t asked = block->asked;
    size_t thread = block->thread;
    if (guarded_has_fences() || size < ACRE_LARGE_LEAST || size > PTRDIFF_MAX / 2)
        return NULL;
    size_t bytes = guarded_bytes(size);
    if (bytes > before && bytes - before > acre_pool_left(pool))
        return NULL;
    memset((char *)start + asked, 0, before - asked);
    void *moved = start;
    if (bytes != before && acre_os_remap(start, before, bytes, &moved) != 0) {
        guarded_mark((uintptr_t)start, before, asked);
        return NULL;
    }
    acre_large_remove(&pool->large, (uintptr_t)start);
    (void)acre_large_add(&pool->large, (uintptr_t)moved, bytes, size);
    acre_large_set_thread(&pool->large, moved, thread);
    if (size < asked)
        memset((char *)moved + size, 0, (asked < bytes ? asked : bytes) - size);
    guarded_mark((uintptr_t)moved, bytes, size);
    return moved;
}

bool acre_guarded_was(uintptr_t address, uintptr_t *start)
{
    for (size_t i = 0; i < RETIRED; i++)
        if (address - retired[i].start < retired[i].size) {
            *start = retired[i].block;
            return true;
        }
    return false;
}
