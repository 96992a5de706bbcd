/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A client to inject faults into: a chained hash map from strings to growing strings, whose every
 * byte comes from a handle. A call that cannot get memory leaves the map as it was.
 */
#ifndef ACRE_TESTS_FAULT_MAP_H
#define ACRE_TESTS_FAULT_MAP_H

#include <acre/bytes.h>

struct map_entry;

struct map {
    struct acre_bytes bytes;
    struct map_entry **buckets;
    size_t bucket_count; /* a power of two, or 0 before the first entry */
    size_t count;
};

void map_open(struct map *map, struct acre_bytes bytes);
void map_close(struct map *map);

/* Appends text to the value of a key, which begins empty. False: there was no memory. */
bool map_append(struct map *map, const char *key, const char *text);

/* The value of a key; null when it is not there. */
const char *map_get(const struct map *map, const char *key);

/* Takes a key out; false when it was not there. */
bool map_remove(struct map *map, const char *key);

/* Counts the blocks that the map holds; 0 also when an entry is not where its key belongs. */
size_t map_blocks(const struct map *map);

#endif
