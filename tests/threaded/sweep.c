/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Memory of free objects goes back while their slab has live ones, and nothing else does. */
#include "threaded/world.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY = 64 << 20, PAGE = 4096, LOST = 0xdd, COUNT = 20000 };

static struct {
    unsigned char *ptr;
    size_t size;
} blocks[COUNT];

static unsigned seed;
static size_t discarded;

static unsigned draw(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

/* What it is given is lost. */
static void lose(void *arg, void *start, size_t bytes)
{
    (void)arg;
    assert_int_equal((uintptr_t)start % PAGE, 0);
    assert_int_equal(bytes % PAGE, 0);
    assert_int_not_equal(bytes, 0);
    memset(start, LOST, bytes);
    discarded += bytes;
}

static struct world *open_discarding(void)
{
    struct world *world = world_open(MEMORY);
    struct acre_threaded_env env = world->threaded.env;
    env.discard = lose;
    env.discard_page = PAGE;
    assert_int_equal(acre_threaded_setup(&world->threaded, &env), ACRE_OK);
    discarded = 0;
    seed = 1;
    return world;
}

static void fill(struct acre_thread_heap *heap, size_t count, size_t low, size_t high)
{
    for (size_t i = 0; i < count; i++) {
        blocks[i].size = low + draw() % (high - low);
        struct acre_ptr got = acre_threaded_alloc(heap, acre_layout(blocks[i].size, 16));
        assert_int_equal(got.status, ACRE_OK);
        blocks[i].ptr = got.ptr;
        memset(blocks[i].ptr, (int)(i % 200), blocks[i].size);
    }
}

static void free_at_random(struct acre_thread_heap *heap, size_t count, unsigned percent)
{
    for (size_t i = 0; i < count; i++)
        if (draw() % 100 < percent) {
            assert_int_equal(acre_threaded_dealloc(heap, blocks[i].ptr), ACRE_OK);
            blocks[i].ptr = NULL;
        }
}

static void assert_contents(size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; blocks[i].ptr != NULL && j < blocks[i].size; j++)
            if (blocks[i].ptr[j] != i % 200)
                fail_msg("byte %zu of block %zu is lost", j, i);
}

/* Pages without a live byte among those that blocks lay in. */
static size_t free_pages(const struct world *world, size_t count)
{
    static bool live[MEMORY / PAGE];
    size_t pages = 0;
    memset(live, 0, sizeof live);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; blocks[i].ptr != NULL && j < blocks[i].size; j++)
            live[((uintptr_t)blocks[i].ptr + j - (uintptr_t)world->memory) / PAGE] = true;
    size_t used = acre_bitmap_stats(&world->pages).used / PAGE;
    for (size_t i = 0; i < MEMORY / PAGE; i++)
        pages += live[i];
    return used - pages;
}

static void pages_of_free_objects_are_discarded(void **state)
{
    static const struct {
        size_t low, high, count;
    } cases[] = { { 600, 1000, COUNT }, { 1000, 9000, COUNT / 5 }, { 9000, 32000, COUNT / 20 } };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world *world = open_discarding();
        struct acre_thread_heap *heap = world_attach(world);
        fill(heap, cases[i].count, cases[i].low, cases[i].high);
        assert_int_equal(discarded, 0);
        free_at_random(heap, cases[i].count, 90);
        assert_contents(cases[i].count);
        assert_true(discarded >= free_pages(world, cases[i].count) * PAGE / 4);
        world_assert_sound(world);
        acre_threaded_detach(heap);
        world_close(world);
    }
}

/* A program that allocates as much as it frees keeps its pages, and the contents of live blocks. */
static void a_steady_state_discards_little(void **state)
{
    enum { ROUNDS = 20 };
    (void)state;
    struct world *world = open_discarding();
    struct acre_thread_heap *heap = world_attach(world);
    fill(heap, COUNT, 100, 1000);
    for (int round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < COUNT; i++) {
            size_t other = draw() % COUNT;
            assert_int_equal(acre_threaded_dealloc(heap, blocks[other].ptr), ACRE_OK);
            struct acre_ptr got = acre_threaded_alloc(heap, acre_layout(blocks[other].size, 16));
            assert_int_equal(got.status, ACRE_OK);
            blocks[other].ptr = got.ptr;
            memset(got.ptr, (int)(other % 200), blocks[other].size);
        }
    assert_contents(COUNT);
    assert_true(discarded / PAGE < (size_t)ROUNDS * COUNT / 100);
    world_assert_sound(world);
    world_close(world);
}

static void a_page_size_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct world *world = open_discarding();
    struct acre_threaded_env env = world->threaded.env;
    for (env.discard_page = 0; env.discard_page <= 3 * ACRE_THREADED_PAGE; env.discard_page += 3)
        assert_int_equal(acre_threaded_setup(&world->threaded, &env), ACRE_INVALID_PARAM);
    env.discard_page = 2 * ACRE_THREADED_PAGE;
    assert_int_equal(acre_threaded_setup(&world->threaded, &env), ACRE_INVALID_PARAM);
    env.discard = NULL;
    assert_int_equal(acre_threaded_setup(&world->threaded, &env), ACRE_OK);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_of_free_objects_are_discarded),
        cmocka_unit_test(a_steady_state_discards_little),
        cmocka_unit_test(a_page_size_that_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
