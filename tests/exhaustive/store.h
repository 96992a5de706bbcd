/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A set of images of equal size, numbered in the order in which they came. Each is kept as its
 * differences from the first one, and compared in full, so that no two images are ever confused.
 */
#ifndef ACRE_TESTS_EXHAUSTIVE_STORE_H
#define ACRE_TESTS_EXHAUSTIVE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store {
    size_t words; /* of 64 bits in an image */
    uint64_t *first;
    uint64_t *diffs; /* for each image: the number of pairs, then pairs of index and word */
    size_t used;
    size_t room;
    size_t *begin; /* where each image's differences begin */
    size_t count;
    size_t count_room;
    size_t *table; /* open addressing; number of the image plus 1 */
    size_t table_size;
};

/* An empty set of images of `words` words. Memory that runs out ends the program. */
void store_open(struct store *store, size_t words);
void store_close(struct store *store);

/* Adds an image; false when it was there already. */
bool store_add(struct store *store, const uint64_t *image);

/* Writes image number `index` out. */
void store_get(const struct store *store, size_t index, uint64_t *image);

#endif
