/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "threaded/world.h"

#include <stdlib.h>
#include <string.h>

enum { META = 8 << 20 };

static void world_lock(void *arg)
{
    while (atomic_flag_test_and_set_explicit((atomic_flag *)arg, memory_order_acquire)) {
    }
}

static void world_unlock(void *arg)
{
    atomic_flag_clear_explicit((atomic_flag *)arg, memory_order_release);
}

static void *world_pages(struct acre_bitmap *bitmap, size_t bytes)
{
    void *memory = aligned_alloc(ACRE_THREADED_PAGE, bytes);
    assert_non_null(memory);
    assert_int_equal(acre_bitmap_setup(bitmap, ACRE_THREADED_PAGE), ACRE_OK);
    assert_int_equal(acre_bitmap_init(bitmap, memory, bytes), ACRE_OK);
    return memory;
}

struct world *world_open(size_t bytes)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->memory = world_pages(&world->pages, bytes);
    world->meta_memory = world_pages(&world->meta, META);
    atomic_flag_clear(&world->lock);
    struct acre_threaded_env env = {
        .pages = acre_bitmap_pages(&world->pages),
        .meta = acre_bitmap_pages(&world->meta),
        .lock = { .lock = world_lock, .unlock = world_unlock, .arg = &world->lock },
    };
    assert_int_equal(acre_threaded_setup(&world->threaded, &env), ACRE_OK);
    return world;
}

void world_close(struct world *world)
{
    free(world->memory);
    free(world->meta_memory);
    free(world);
}

struct acre_thread_heap *world_attach(struct world *world)
{
    struct acre_thread_heap *heap = acre_threaded_attach(&world->threaded);
    assert_non_null(heap);
    return heap;
}

void world_assert_sound(struct world *world)
{
    struct acre_check_result result = acre_threaded_check(&world->threaded);
    if (result.invariant != NULL)
        fail_msg("%s at %p", result.invariant, result.where);
    struct acre_stats stats = acre_threaded_stats(&world->threaded);
    assert_int_equal(stats.total, stats.metadata + stats.used + stats.available);
}
