/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A plugin that finds its memory itself and has no resize of its own. Each instance must find that
 * the one before gave all its blocks back. */
#include <acre/plugin.h>
#include <stdlib.h>

static int live;

static void *create(void *pool, size_t size)
{
    return pool || size || live ? NULL : &live;
}

static void *alloc(void *self, size_t size, size_t align)
{
    void *ptr = NULL;
    (void)self;
    live++;
    return posix_memalign(&ptr, align < sizeof ptr ? sizeof ptr : align, size) == 0 ? ptr : NULL;
}

static void dealloc(void *self, void *ptr, size_t size, size_t align)
{
    (void)self;
    (void)size;
    (void)align;
    live--;
    free(ptr);
}

ACRE_PLUGIN_EXPORT const struct acre_plugin acre_plugin = {
    .abi = ACRE_PLUGIN_ABI,
    .flags = ACRE_PLUGIN_OWN_MEMORY,
    .name = "own",
    .create = create,
    .alloc = alloc,
    .dealloc = dealloc,
};
