/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "support/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must_calloc(size_t size)
{
    void *bytes = calloc(1, size);
    if (bytes == NULL) {
        perror("test fixture");
        exit(EXIT_FAILURE);
    }
    return bytes;
}

void fixture_open(
    struct fixture *fixture, const struct acre_subject *backend, size_t size, size_t align)
{
    fixture->backend = backend;
    arena_open(&fixture->arena, size, align);
    fixture->watched = (backend->caps & ACRE_SUBJECT_PLAIN) != 0 ? 0 : fixture->arena.size;
    fixture->self = must_calloc(backend->self_size);
    fixture->saved = NULL;
    fixture->bytes = backend->bind(fixture->self);
    fixture->base = acre_bytes_base(fixture->bytes);
}

void fixture_close(struct fixture *fixture)
{
    arena_close(&fixture->arena);
    free(fixture->self);
    free(fixture->saved);
}

void fixture_save(struct fixture *fixture)
{
    if (fixture->saved == NULL)
        fixture->saved = must_calloc(fixture->backend->self_size + fixture->arena.size);
    memcpy(fixture->saved, fixture->self, fixture->backend->self_size);
    memcpy((char *)fixture->saved + fixture->backend->self_size, fixture->arena.base,
        fixture->watched);
}

/* Makes the copy's counters what they are now, so that they compare equal. */
static void excuse_counters(const struct fixture *fixture)
{
    const size_t *counters = fixture->backend->counters;
    for (size_t i = 0; i < sizeof fixture->backend->counters / sizeof *counters; i++) {
        if (counters[i] != 0)
            memcpy((char *)fixture->saved + counters[i] - 1,
                (char *)fixture->self + counters[i] - 1, sizeof(size_t));
    }
}

bool fixture_same(const struct fixture *fixture)
{
    const char *was = fixture->saved;
    size_t self_size = fixture->backend->self_size;
    excuse_counters(fixture);
    return memcmp(was, fixture->self, self_size) == 0 &&
           memcmp(was + self_size, fixture->arena.base, fixture->watched) == 0;
}
