/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A page plugin for the checks of acre-bench-pages: a byte a page, the lowest run that fits. -D
 * picks a fault. */
#include <acre/plugin.h>

#include <string.h>

#ifndef ABI
#define ABI ACRE_PLUGIN_ABI
#endif
#ifndef ALLOC
#define ALLOC pages_alloc
#endif
#ifndef TABLE
#define TABLE acre_pages_plugin
#endif

struct map {
    size_t pages;
    size_t lowest; /* no page below is free, so that filling the map is not quadratic */
    unsigned char used[];
};

static size_t size(size_t pages)
{
    return sizeof(struct map) + pages;
}

static void *pages_create(void *memory, size_t pages)
{
    struct map *map = memory;
    map->pages = pages;
    map->lowest = 0;
    memset(map->used, 0, pages);
    return map;
}

static size_t pages_alloc(void *self, size_t count)
{
    struct map *map = self;
    size_t run = 0;
    while (map->lowest < map->pages && map->used[map->lowest])
        map->lowest++;
    for (size_t page = map->lowest; page < map->pages; page++) {
        run = map->used[page] ? 0 : run + 1;
        if (run < count)
            continue;
        memset(map->used + page + 1 - count, 1, count);
#ifdef TWICE
        map->used[page] = 0;
#endif
        return page + 1 - count;
    }
    return ACRE_PAGES_PLUGIN_NONE;
}

static void pages_dealloc(void *self, size_t page, size_t count)
{
    struct map *map = self;
    memset(map->used + page, 0, count);
    map->lowest = page < map->lowest ? page : map->lowest;
}

extern ACRE_PLUGIN_EXPORT const struct acre_pages_plugin TABLE;

const struct acre_pages_plugin TABLE = {
    .abi = ABI,
    .flags = ACRE_PAGES_PLUGIN_LINEAR,
    .name = "check",
    .version = "1",
    .size = size,
    .create = pages_create,
    .alloc = ALLOC,
    .dealloc = pages_dealloc,
};
