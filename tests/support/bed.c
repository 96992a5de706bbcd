/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "support/bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must_calloc(size_t size)
{
    void *bytes = calloc(1, size);
    if (bytes == NULL) {
        perror("test bed");
        exit(EXIT_FAILURE);
    }
    return bytes;
}

void bed_open(struct bed *bed, const struct kind *kind, size_t size, size_t align)
{
    bed->kind = kind;
    arena_open(&bed->arena, size, align);
    bed->watched = bed->arena.size;
    bed->self = must_calloc(kind->self_size);
    bed->saved = NULL;
    bed->bytes = kind->bind(bed->self);
    bed->base = acre_bytes_base(bed->bytes);
}

void bed_close(struct bed *bed)
{
    arena_close(&bed->arena);
    free(bed->self);
    free(bed->saved);
}

void bed_save(struct bed *bed)
{
    if (bed->saved == NULL)
        bed->saved = must_calloc(bed->kind->self_size + bed->arena.size);
    memcpy(bed->saved, bed->self, bed->kind->self_size);
    memcpy((char *)bed->saved + bed->kind->self_size, bed->arena.base, bed->watched);
}

/* Makes the copy's counters what they are now, so that they compare equal. */
static void excuse_counters(const struct bed *bed)
{
    const size_t *counters = bed->kind->counters;
    for (size_t i = 0; i < sizeof bed->kind->counters / sizeof *counters; i++) {
        if (counters[i] != 0)
            memcpy((char *)bed->saved + counters[i] - 1, (char *)bed->self + counters[i] - 1,
                sizeof(size_t));
    }
}

bool bed_same(const struct bed *bed)
{
    const char *was = bed->saved;
    size_t self_size = bed->kind->self_size;
    excuse_counters(bed);
    return memcmp(was, bed->self, self_size) == 0 &&
           memcmp(was + self_size, bed->arena.base, bed->watched) == 0;
}
