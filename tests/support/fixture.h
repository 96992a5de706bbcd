/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* One allocator on a test fixture: its state, its memory, and copies of both to compare with. */
#ifndef ACRE_TESTS_SUPPORT_FIXTURE_H
#define ACRE_TESTS_SUPPORT_FIXTURE_H

#include "support/arena.h"
#include "support/backends.h"

struct fixture {
    const struct acre_subject *backend;
    struct arena arena;
    size_t watched; /* bytes from the arena's start that are saved and compared: all, at first */
    void *self;
    void *saved; /* copy of state and arena, made by fixture_save */
    struct acre_bytes bytes;
    struct acre_base base;
};

/* An allocator that has not been initialised yet, and an arena of `size` bytes aligned to `align`.
 */
void fixture_open(
    struct fixture *fixture, const struct acre_subject *backend, size_t size, size_t align);

void fixture_close(struct fixture *fixture);

/* Copies every byte of the state and of the watched part of the arena. */
void fixture_save(struct fixture *fixture);

/* True when every byte is as it was at fixture_save, but for the count of failed requests. */
bool fixture_same(const struct fixture *fixture);

#endif
