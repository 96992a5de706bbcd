/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A plugin over the C library's malloc; the macros make it one that a loader must refuse, and one
 * that hands out a block twice. */
#include <acre/plugin.h>
#include <stdlib.h>

#ifndef ABI
#define ABI ACRE_PLUGIN_ABI
#endif
#ifndef ALLOC
#define ALLOC bump_alloc
#endif

static char instance;

static void *bump_create(void *pool, size_t size)
{
    (void)pool;
    (void)size;
    return &instance;
}

#ifdef TWICE
static void *bump_alloc(void *self, size_t size, size_t align)
{
    static _Alignas(4096) char block[1 << 20];
    (void)self;
    (void)align;
    return size <= sizeof block ? block : NULL;
}

static void bump_dealloc(void *self, void *ptr, size_t size, size_t align)
{
    (void)self;
    (void)ptr;
    (void)size;
    (void)align;
}
#else
static void *bump_alloc(void *self, size_t size, size_t align)
{
    void *block;
    (void)self;
    return posix_memalign(&block, align < sizeof block ? sizeof block : align, size) ? NULL : block;
}

static void bump_dealloc(void *self, void *ptr, size_t size, size_t align)
{
    (void)self;
    (void)size;
    (void)align;
    free(ptr);
}
#endif

#ifdef ADDS
static int bump_add_memory(void *self, void *memory, size_t size)
{
    (void)self;
    (void)memory;
    (void)size;
    return 0;
}
#endif

#ifndef TABLE
#define TABLE acre_plugin
#endif

const struct acre_plugin TABLE = {
    .abi = ABI,
#ifdef ADDS
    .flags = ACRE_PLUGIN_OWN_MEMORY | ACRE_PLUGIN_ADDS_MEMORY,
    .add_memory = bump_add_memory,
#else
    .flags = ACRE_PLUGIN_OWN_MEMORY,
#endif
    .name = "check",
    .version = "7",
    .create = bump_create,
    .alloc = ALLOC,
    .dealloc = bump_dealloc,
};
