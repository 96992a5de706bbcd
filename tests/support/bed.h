/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* One allocator on a test bed: its state, its memory, and copies of both to compare with. */
#ifndef ACRE_TESTS_SUPPORT_BED_H
#define ACRE_TESTS_SUPPORT_BED_H

#include "support/arena.h"
#include "support/kinds.h"

struct bed {
    const struct kind *kind;
    struct arena arena;
    size_t watched; /* bytes from the arena's start that are saved and compared: all, at first */
    void *self;
    void *saved; /* copy of state and arena, made by bed_save */
    struct acre_bytes bytes;
    struct acre_base base;
};

/* An allocator that has not been initialised yet, and an arena of `size` bytes aligned to `align`.
 */
void bed_open(struct bed *bed, const struct kind *kind, size_t size, size_t align);

void bed_close(struct bed *bed);

/* Keeps a copy of every byte of state and of what is watched of the arena. */
void bed_save(struct bed *bed);

/* True when every byte is as it was at bed_save, but for the count of refused requests. */
bool bed_same(const struct bed *bed);

#endif
