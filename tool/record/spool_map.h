/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The live blocks of a recorded process by address: open addressing, at most half full, so memory
 * follows the peak of live blocks and each call is O(1) expected.
 */
#ifndef ACRE_TOOL_SPOOL_MAP_H
#define ACRE_TOOL_SPOOL_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A live block. */
struct spool_block {
    uint64_t address; /**< never 0 */
    uint64_t ordinal; /**< as the trace names it */
    uint64_t size;
    uint8_t align_log2;
    uint8_t call; /**< enum acre_trace_call that made it */
};

/** A map; all zero is an empty one. */
struct spool_map {
    struct spool_block *entries; /* address 0: empty */
    size_t size;
    size_t count;
};

/**
 * The place of the block at `address`, to be overwritten by one with that address, valid until the
 * map changes. `*known`: one is there already; else it counts as there from now on. Null when there
 * is no memory.
 */
struct spool_block *spool_map_place(struct spool_map *map, uint64_t address, bool *known);

/** The block at `address`, valid until the map changes; null when there is none. */
struct spool_block *spool_map_find(const struct spool_map *map, uint64_t address);

/** Where the block at `address` would best lie, in a map with entries. */
static inline size_t spool_map_home(const struct spool_map *map, uint64_t address)
{
    return (size_t)((address * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (map->size - 1);
}

/** Brings the place of `address` into the cache; harmless whatever it is. */
static inline void spool_map_prefetch(const struct spool_map *map, uint64_t address)
{
    if (map->size)
        __builtin_prefetch(&map->entries[spool_map_home(map, address)], 1);
}

/** Removes a block that spool_map_find() returned. */
void spool_map_remove(struct spool_map *map, struct spool_block *block);

/** Makes `copy` (uninitialised) equal to `map`. False when there is no memory. */
bool spool_map_copy(struct spool_map *copy, const struct spool_map *map);

/** The blocks in order of their ordinals, to be freed by the caller; null when out of memory. */
struct spool_block **spool_map_sorted(const struct spool_map *map);

/** Gives the memory back and leaves an empty map. */
void spool_map_release(struct spool_map *map);

#endif
