/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * An array that grows, in shared memory: other processes map its file.
 */
#ifndef ACRE_REPLAY_ARRAY_H
#define ACRE_REPLAY_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Closed: file -1, the rest zero. */
struct replay_array {
    int file;
    void *items; /**< Mapped in this process, or null. */
    size_t room; /**< Bytes mapped. */
};

/** Makes an empty array. @return false with errno set. */
bool replay_array_open(struct replay_array *array);

/** Closes the array, open or not. */
void replay_array_close(struct replay_array *array);

/** The place of item `index` of an array that grows to hold it; null: there is no memory. */
void *replay_array_at(struct replay_array *array, uint64_t index, size_t item_size);

#endif
