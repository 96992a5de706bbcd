/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The longest section under each lock of a heap, in instructions, by verb. A heap of 16 MiB, free
 * in runs of four pages, is filled; then calls are made, whose sections a counter of the machine
 * counts. A search of the pages and all that returning chunks takes are among them; remove_memory,
 * check and walk, which are linear, are not. What an empty section takes is left out.
 */
#ifndef ACRE_TESTS_HEAP_SECTIONS_H
#define ACRE_TESTS_HEAP_SECTIONS_H

#include <acre/heap.h>

enum { SECTIONS_PAGE = 4096, SECTIONS_MEMORY = 4096 * SECTIONS_PAGE };

enum sections_lock { SECTIONS_BYTES, SECTIONS_PAGES, SECTIONS_LOCKS };

enum sections_verb {
    SECTIONS_ALLOC,
    SECTIONS_REFUSED,
    SECTIONS_DEALLOC,
    SECTIONS_REALLOC,
    SECTIONS_ALLOC_PAGES,
    SECTIONS_REFUSED_PAGES,
    SECTIONS_DEALLOC_PAGES,
    SECTIONS_RELEASE,
    SECTIONS_VERBS
};

/* Counts instructions from the return of start to the call of stop, which returns the number. */
struct sections_counter {
    void (*start)(void);
    size_t (*stop)(void);
    size_t most; /* sections of a verb that are counted; frees are always */
};

struct sections {
    size_t longest[SECTIONS_LOCKS][SECTIONS_VERBS];
    const char *failed; /* null, or what went wrong */
};

extern const char *const sections_names[SECTIONS_VERBS];

/* Fills a heap with SECTIONS_MEMORY bytes from a page on, makes the calls, and counts. */
struct sections sections_count(
    struct acre_heap *self, void *memory, const struct sections_counter *counter);

#endif
