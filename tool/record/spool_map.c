/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/record/spool_map.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 256 };

static size_t map_next_slot(const struct spool_map *map, size_t at)
{
    return (at + 1) & (map->size - 1);
}

static void put_in_map(struct spool_map *map, const struct spool_block *block)
{
    size_t at = spool_map_home(map, block->address);

    while (map->entries[at].address)
        at = map_next_slot(map, at);
    map->entries[at] = *block;
}

static bool grow_map(struct spool_map *map)
{
    struct spool_map wider = { NULL, map->size ? map->size * 2 : FIRST_SIZE, map->count };

    wider.entries = calloc(wider.size, sizeof *wider.entries);
    if (!wider.entries)
        return false;
    for (size_t i = 0; i < map->size; i++)
        if (map->entries[i].address)
            put_in_map(&wider, &map->entries[i]);
    free(map->entries);
    *map = wider;
    return true;
}

struct spool_block *spool_map_place(struct spool_map *map, uint64_t address, bool *known)
{
    size_t at;

    if (map->count * 2 >= map->size && !grow_map(map))
        return NULL;
    at = spool_map_home(map, address);
    while (map->entries[at].address && map->entries[at].address != address)
        at = map_next_slot(map, at);
    *known = map->entries[at].address != 0;
    map->count += !*known;
    map->entries[at].address = address;
    return &map->entries[at];
}

struct spool_block *spool_map_find(const struct spool_map *map, uint64_t address)
{
    if (!map->size)
        return NULL;
    for (size_t at = spool_map_home(map, address); map->entries[at].address;
         at = map_next_slot(map, at))
        if (map->entries[at].address == address)
            return &map->entries[at];
    return NULL;
}

void spool_map_remove(struct spool_map *map, struct spool_block *block)
{
    const size_t mask = map->size - 1;
    size_t hole = (size_t)(block - map->entries);

    for (size_t at = map_next_slot(map, hole); map->entries[at].address;
         at = map_next_slot(map, at)) {
        size_t home = spool_map_home(map, map->entries[at].address);

        if (((at - home) & mask) >= ((at - hole) & mask)) {
            map->entries[hole] = map->entries[at];
            hole = at;
        }
    }
    map->entries[hole].address = 0;
    map->count--;
}

bool spool_map_copy(struct spool_map *copy, const struct spool_map *map)
{
    *copy = *map;
    if (!map->size)
        return true;
    copy->entries = malloc(map->size * sizeof *map->entries);
    if (!copy->entries) {
        *copy = (struct spool_map){ 0 };
        return false;
    }
    memcpy(copy->entries, map->entries, map->size * sizeof *map->entries);
    return true;
}

static int by_ordinal(const void *left, const void *right)
{
    const struct spool_block *const *a = left;
    const struct spool_block *const *b = right;

    return ((*a)->ordinal > (*b)->ordinal) - ((*a)->ordinal < (*b)->ordinal);
}

struct spool_block **spool_map_sorted(const struct spool_map *map)
{
    struct spool_block **sorted = malloc((map->count + 1) * sizeof(struct spool_block *));
    size_t count = 0;

    if (!sorted)
        return NULL;
    for (size_t i = 0; i < map->size; i++)
        if (map->entries[i].address)
            sorted[count++] = &map->entries[i];
    qsort(sorted, count, sizeof(struct spool_block *), by_ordinal);
    return sorted;
}

void spool_map_release(struct spool_map *map)
{
    free(map->entries);
    *map = (struct spool_map){ 0 };
}
