/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The malloc of this process, whichever library serves it. */
#include "contestants.h"
#include "loop.h"

#include <stdlib.h>
#include <string.h>

#define MALLOC_ALIGN _Alignof(max_align_t)

static void *system_create(void *pool, size_t size)
{
    static char instance;
    (void)pool;
    (void)size;
    return &instance;
}

static __attribute__((noinline)) void *aligned(size_t size, size_t align)
{
    void *block;
    return posix_memalign(&block, align, size) ? NULL : block;
}

static inline void *system_alloc(void *self, size_t size, size_t align)
{
    (void)self;
    return align <= MALLOC_ALIGN ? malloc(size) : aligned(size, align);
}

static inline void system_dealloc(void *self, void *ptr, size_t size, size_t align)
{
    (void)self;
    (void)size;
    (void)align;
    free(ptr);
}

static __attribute__((noinline)) void *move(void *ptr, size_t old, size_t size, size_t align)
{
    void *moved = aligned(size, align);
    if (moved) {
        memcpy(moved, ptr, old < size ? old : size);
        free(ptr);
    }
    return moved;
}

static inline void *system_realloc(
    void *self, void *ptr, size_t old_size, size_t new_size, size_t align)
{
    (void)self;
    return align <= MALLOC_ALIGN ? realloc(ptr, new_size) : move(ptr, old_size, new_size, align);
}

BENCH_DEFINE_LOOPS(system, system_alloc, system_dealloc, system_realloc);

void bench_bind_system(struct bench_bound *bound)
{
    static const struct acre_plugin table = {
        .abi = ACRE_PLUGIN_ABI,
        .flags = ACRE_PLUGIN_OWN_MEMORY,
        .name = "system",
        .create = system_create,
        .alloc = system_alloc,
        .dealloc = system_dealloc,
        .realloc = system_realloc,
    };
    *bound = (struct bench_bound){ &table, &system_loops };
}
