/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* One heap over TLSF and bitmap pages, with its memory, and page sources that are in its way. */
#ifndef ACRE_TESTS_HEAP_WORLD_H
#define ACRE_TESTS_HEAP_WORLD_H

#include "support/site.h"

#include <acre/heap.h>

enum { PAGE = 4096, WORLD_PAGES = 512, WORLD_SIZE = WORLD_PAGES * PAGE };

/* A page allocator in front of another: refuses runs, and asserts that no lock of bytes is held. */
struct turnstile {
    struct acre_pages inner;
    size_t refuse_from; /* pages; runs of so many or more are refused */
    size_t refuse_nth;  /* the search to refuse, counted down; 0: none */
    size_t searches;
    const int *held; /* must point at 0 when pages are searched, or be null */
};

struct world {
    struct acre_heap_tlsf own;
    struct turnstile turnstile;
    _Alignas(PAGE) unsigned char memory[WORLD_SIZE];
};

extern struct world world;
extern struct acre_heap *const heap;

/* A cmocka set-up: an empty world, whose heap has all of the memory. */
int world_make(void **state);

/* The same with the turnstile between the heap and its pages. */
int world_make_guarded(void **state);

/* The same with both locks counted: they are never held at once. */
int world_make_locked(void **state);

/* Keeps a copy of the world, and asserts that it is as it was but for counts of refusals. */
void world_save(void);
void assert_world_unchanged(void);
#define assert_world_unchanged(...) TEST_SITE(assert_world_unchanged(__VA_ARGS__))

void assert_heap_sound(void);
#define assert_heap_sound(...) TEST_SITE(assert_heap_sound(__VA_ARGS__))
void *take(size_t size);
#define take(...) TEST_SITE(take(__VA_ARGS__))
void give(void *ptr);
#define give(...) TEST_SITE(give(__VA_ARGS__))

/* Bytes that the chunks take, as the page allocator counts them. */
size_t chunk_bytes(void);

#endif
