/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A threaded heap over two bitmaps of pages, with a lock of its own. */
#ifndef ACRE_TESTS_THREADED_WORLD_H
#define ACRE_TESTS_THREADED_WORLD_H

#include <acre/bitmap.h>
#include <acre/threaded.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>

#include <cmocka.h>

struct world {
    struct acre_threaded threaded;
    struct acre_bitmap pages;
    struct acre_bitmap meta;
    atomic_flag lock;
    void *memory;
    void *meta_memory;
};

/* Pages for blocks of so many bytes, and a fixed amount for records. */
struct world *world_open(size_t bytes);
void world_close(struct world *world);

struct acre_thread_heap *world_attach(struct world *world);
void world_assert_sound(struct world *world);

#endif
