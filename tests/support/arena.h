/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Memory for allocators under test: readable and writable pages between pages that trap. */
#ifndef ACRE_TESTS_SUPPORT_ARENA_H
#define ACRE_TESTS_SUPPORT_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena {
    unsigned char *base; /* first byte; zero-filled when opened */
    size_t size;         /* bytes, whole pages; the page after the last one traps */
    void *map;
    size_t map_size;
};

/* False on a machine that has not so much memory: nothing can be tested there that needs it. */
bool arena_fits(size_t size, size_t align);

/* Maps at least `size` bytes at a multiple of `align` (a power of two); ends the program if the
 * system refuses. */
void arena_open(struct arena *arena, size_t size, size_t align);

void arena_close(struct arena *arena);

/* An address inside the arena's mapping that traps when it is read or written. */
void *arena_forbidden(const struct arena *arena);

#endif
