/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Walks, and what happens when memory is short: blocks that stay, larger classes, pages that come
 * and go. */
#include "threaded/threaded_private.h"
#include "threaded/world.h"

#include <acre/threaded_pool.h>

#include <stdlib.h>
#include <string.h>

enum { MEMORY = 8 << 20, SMALL = 1 << 20 };

/* An alignment that no address in the memory has. */
#define NOWHERE (~(SIZE_MAX >> 1))

static void *take(struct acre_thread_heap *heap, size_t size, size_t align)
{
    struct acre_ptr got = acre_threaded_alloc(heap, acre_layout(size, align));
    assert_int_equal(got.status, ACRE_OK);
    return got.ptr;
}

static void fill(struct acre_thread_heap *heap, size_t size, size_t align)
{
    while (acre_threaded_alloc(heap, acre_layout(size, align)).status == ACRE_OK)
        continue;
}

/* ---- walks ---- */

struct tour {
    size_t visits, live, bytes;
    size_t most; /* visits after which the tour ends; 0: none */
};

static bool visit(void *arg, void *start, size_t size, bool live)
{
    struct tour *tour = arg;
    assert_non_null(start);
    tour->live += live;
    tour->bytes += live ? size : 0;
    return ++tour->visits != tour->most;
}

static void a_walk_shows_the_blocks_of_all(void **state)
{
    (void)state;
    for (int hardened = 0; hardened < 2; hardened++) {
        struct world *world = world_open(MEMORY);
        world->threaded.env.hardening.on = hardened != 0;
        struct acre_thread_heap *one = world_attach(world);
        struct acre_thread_heap *two = world_attach(world);
        void *of_one = take(one, 100, 1);
        (void)take(one, 3000, 1);
        void *run = take(one, 50000, 1);
        void *of_two = take(two, 100, 1);
        struct tour tour = { 0 };
        acre_threaded_walk(&world->threaded, visit, &tour);
        assert_int_equal(tour.live, 4);
        assert_int_equal(tour.bytes, acre_threaded_stats(&world->threaded).used);
        size_t all = tour.visits;
        for (size_t most = 1; most <= all; most += all / 7 + 1) {
            tour = (struct tour){ .most = most };
            acre_threaded_walk(&world->threaded, visit, &tour);
            assert_int_equal(tour.visits, most);
        }
        assert_int_equal(acre_threaded_dealloc(one, run), ACRE_OK);
        assert_int_equal(acre_threaded_dealloc(two, of_one), ACRE_OK);
        tour = (struct tour){ 0 };
        acre_threaded_walk(&world->threaded, visit, &tour);
        assert_int_equal(tour.live, 2);
        assert_int_equal(tour.visits, all);
        assert_int_equal(acre_threaded_dealloc(two, of_two), ACRE_OK);
        world_close(world);
    }
}

/* A heap's own walk shows its slabs and those of heaps without a thread, and no runs. */
static void a_walk_of_ones_own(void **state)
{
    (void)state;
    struct world *world = world_open(MEMORY);
    struct acre_thread_heap *one = world_attach(world);
    struct acre_thread_heap *two = world_attach(world);
    (void)take(one, 100, 1);
    (void)take(one, 50000, 1);
    (void)take(two, 100, 1);
    (void)take(two, 100, 1);
    struct tour tour = { 0 };
    acre_threaded_walk_own(one, visit, &tour);
    assert_int_equal(tour.live, 1);
    acre_threaded_detach(two);
    tour = (struct tour){ 0 };
    acre_threaded_walk_own(one, visit, &tour);
    assert_int_equal(tour.live, 3);
    size_t all = tour.visits;
    for (size_t most = 1; most <= all; most += all / 3) {
        tour = (struct tour){ .most = most };
        acre_threaded_walk_own(one, visit, &tour);
        assert_int_equal(tour.visits, most);
    }
    world_close(world);
}

/* ---- blocks that stay ---- */

/* With no memory for a smaller block, a block that shrinks stays, and accepts its new size. */
static void a_block_that_shrinks_stays(void **state)
{
    (void)state;
    struct world *world = world_open(SMALL);
    struct acre_thread_heap *heap = world_attach(world);
    char *ptr = take(heap, 30000, 1);
    char *run = take(heap, 50000, 1);
    for (size_t size = 30000; size != 0; size /= 2)
        fill(heap, size, 1);
    assert_ptr_equal(acre_threaded_realloc(heap, ptr, acre_layout(100, 16)).ptr, ptr);
    assert_int_equal(acre_threaded_usable_size(&world->threaded, ptr).num >= 30000, 1);
    assert_int_equal(
        acre_threaded_realloc(heap, ptr, acre_layout(40000, 1)).status, ACRE_NO_MEMORY);
    assert_ptr_equal(acre_threaded_realloc(heap, run, acre_layout(100, 1)).ptr, run);
    assert_int_equal(
        acre_threaded_realloc(heap, ptr + 16, acre_layout(1, 1)).status, ACRE_NOT_ALLOCATED);
    struct acre_ptr odd = acre_threaded_realloc(heap, ptr, acre_layout(100, NOWHERE));
    assert_int_equal(odd.status, ACRE_NO_MEMORY);
    assert_int_equal(
        acre_threaded_dealloc_sized(heap, ptr, acre_layout(40000, 1)), ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_threaded_dealloc_sized(heap, ptr, acre_layout(100, 3)), ACRE_INVALID_PARAM);
    assert_int_equal(acre_threaded_dealloc_sized(heap, ptr, acre_layout(100, 16)), ACRE_OK);
    assert_int_equal(acre_threaded_dealloc_sized(heap, run, acre_layout(100, 1)), ACRE_OK);
    world_assert_sound(world);
    world_close(world);
}

static void a_block_is_resized_or_refused(void **state)
{
    (void)state;
    struct world *world = world_open(SMALL);
    struct acre_thread_heap *heap = world_attach(world);
    char *ptr = take(heap, 3000, 1);
    assert_int_equal(acre_threaded_resize(heap, ptr + 16, 1), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_threaded_resize(heap, ptr, 3001), ACRE_OK);
    assert_int_equal(acre_threaded_resize(heap, ptr, 10), ACRE_OK);
    assert_int_equal(acre_threaded_resize(heap, ptr, 5000), ACRE_NO_MEMORY);
    assert_int_equal(acre_threaded_stats(&world->threaded).failed, 1);
    assert_int_equal(acre_threaded_dealloc_sized(heap, ptr, acre_layout(10, 1)), ACRE_OK);
    world_close(world);
}

/* A request whose class has no object is served by a larger one that has its alignment. */
static void a_larger_class_serves(void **state)
{
    (void)state;
    struct world *world = world_open(SMALL);
    struct acre_thread_heap *heap = world_attach(world);
    char *block = take(heap, 512, 1);
    char *twin = take(heap, 80, 1);
    fill(heap, 4000, 1);
    fill(heap, 512, 1);
    fill(heap, 80, 1);
    assert_int_equal(acre_threaded_alloc(heap, acre_layout(64, 64)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_threaded_dealloc(heap, block), ACRE_OK);
    assert_int_equal(acre_threaded_dealloc(heap, twin), ACRE_OK);
    struct acre_ptr got = acre_threaded_alloc(heap, acre_layout(64, 64));
    assert_int_equal(got.status, ACRE_OK);
    assert_ptr_equal(got.ptr, block);
    assert_int_equal(acre_threaded_dealloc_sized(heap, block, acre_layout(64, 64)), ACRE_OK);
    world_assert_sound(world);
    world_close(world);
}

/* ---- frees of wrong pointers by others ---- */

/* An object that its owner has freed, beside a live one: nobody frees it again. */
static void an_object_that_is_free_is_refused_to_others(void **state)
{
    (void)state;
    struct world *world = world_open(MEMORY);
    struct acre_thread_heap *owner = world_attach(world);
    struct acre_thread_heap *other = world_attach(world);
    void *ptr = take(owner, 100, 1);
    (void)take(owner, 100, 1);
    assert_int_equal(acre_threaded_dealloc(owner, ptr), ACRE_OK);
    assert_int_equal(acre_threaded_dealloc(other, ptr), ACRE_NOT_ALLOCATED);
    acre_threaded_set_thread(owner, 3);
    assert_int_equal(acre_threaded_thread_of(&world->threaded, ptr), 3);
    assert_int_equal(acre_threaded_thread_of(&world->threaded, (char *)ptr + 1), 3);
    char *run = take(owner, 50000, 1);
    assert_int_equal(acre_threaded_thread_of(&world->threaded, run), 3);
    assert_int_equal(acre_threaded_thread_of(&world->threaded, run + 49999), 3);
    acre_threaded_set_thread(other, 4);
    assert_int_equal(acre_threaded_dealloc(other, run), ACRE_OK);
    assert_ptr_equal(take(other, 50000, 1), run);
    assert_int_equal(acre_threaded_thread_of(&world->threaded, run), 4);
    assert_int_equal(acre_threaded_thread_of(&world->threaded, &world), 0);
    world_assert_sound(world);
    world_close(world);
}

/* An empty slab of medium objects serves the next size, as long as no object in it is live. */
static void an_empty_slab_serves_another_size(void **state)
{
    (void)state;
    struct world *world = world_open(MEMORY);
    struct acre_thread_heap *heap = world_attach(world);
    char *first = take(heap, 22000, 1);
    size_t size = acre_threaded_usable_size(&world->threaded, first).num;
    assert_int_equal(acre_threaded_dealloc(heap, first), ACRE_OK);
    char *second = take(heap, 20000, 1);
    assert_ptr_equal(second, first);
    assert_in_range(acre_threaded_usable_size(&world->threaded, second).num, 20000, size - 1);
    char *third = take(heap, 22000, 1);
    assert_true(third < second || third >= second + size);
    assert_int_equal(acre_threaded_dealloc(heap, first + size), ACRE_NOT_ALLOCATED);
    world_assert_sound(world);
    assert_int_equal(acre_threaded_dealloc(heap, second), ACRE_OK);
    assert_int_equal(acre_threaded_dealloc(heap, third), ACRE_OK);
    assert_int_equal(acre_threaded_dealloc(heap, first), ACRE_NOT_ALLOCATED);
    world_assert_sound(world);
    world_close(world);
}

/* Beside its own slab a small size takes an empty one of another. */
static void an_empty_small_slab_serves_another_size(void **state)
{
    enum { SLAB = 16384, ONES = SLAB / 112, TWOS = SLAB / 208 };
    char *ones[ONES + 1];
    (void)state;
    struct world *world = world_open(MEMORY);
    struct acre_thread_heap *heap = world_attach(world);
    for (size_t i = 0; i <= ONES; i++)
        ones[i] = take(heap, 112, 1);
    for (size_t i = 0; i < ONES; i++)
        assert_int_equal(acre_threaded_dealloc(heap, ones[i]), ACRE_OK);
    for (size_t i = 0; i < TWOS; i++) {
        const char *two = take(heap, 208, 1);
        assert_true(two < ones[0] || two >= ones[0] + SLAB);
    }
    assert_ptr_equal(take(heap, 208, 1), ones[0]);
    assert_int_equal(acre_threaded_dealloc(heap, ones[1]), ACRE_NOT_ALLOCATED);
    world_assert_sound(world);
    world_close(world);
}

/* Two sizes of which one block lives at a time share a slab, until each has its own: changing it
 * is dear. */
static void slabs_do_not_change_for_ever(void **state)
{
    enum { ROUNDS = 1000 };
    void *two[2];
    size_t rounds = 0;
    (void)state;
    struct world *world = world_open(MEMORY);
    struct acre_thread_heap *heap = world_attach(world);
    do {
        for (size_t i = 0; i < 2; i++) {
            two[i] = take(heap, i == 0 ? 20000 : 22000, 1);
            assert_int_equal(acre_threaded_dealloc(heap, two[i]), ACRE_OK);
        }
    } while (two[0] == two[1] && ++rounds < ROUNDS);
    assert_in_range(rounds, 1, ROUNDS - 1);
    world_assert_sound(world);
    world_close(world);
}

static void addresses_that_no_block_has(void **state)
{
    (void)state;
    struct world *world = world_open(MEMORY);
    struct acre_thread_heap *heap = world_attach(world);
    void *start = NULL;
    char *run = take(heap, 50000, 1);
    const char *outside[] = { NULL, (char *)(uintptr_t)100, (char *)&world,
        run + 7 * ACRE_THREADED_PAGE, (char *)world->memory + MEMORY - 1, (char *)UINTPTR_MAX };
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        assert_int_equal(
            acre_threaded_find(&world->threaded, outside[i], &start).status, ACRE_NOT_ALLOCATED);
    assert_null(start);
    assert_int_equal(acre_threaded_find(&world->threaded, run + 49999, &start).status, ACRE_OK);
    assert_ptr_equal(start, run);
    world_close(world);
}

/* ---- pages that come and go ---- */

struct source {
    struct world *world;
    size_t grown, released;
    bool dry;
};

static _Alignas(1 << 17) unsigned char more[SMALL];

static bool grow(void *arg, struct acre_pages pages, size_t bytes)
{
    struct source *source = arg;
    source->grown++;
    return !source->dry && bytes <= sizeof more &&
           acre_pages_add_memory(pages, more, sizeof more) == ACRE_OK;
}

static void note_released(void *arg, void *start, size_t bytes)
{
    struct source *source = arg;
    assert_non_null(start);
    source->released += bytes;
}

static void pages_are_asked_for_and_told(void **state)
{
    (void)state;
    struct world *world = world_open(SMALL);
    struct source source = { .world = world };
    world->threaded.env.grow = grow;
    world->threaded.env.released = note_released;
    world->threaded.env.arg = &source;
    struct acre_thread_heap *heap = world_attach(world);
    void *first = take(heap, SMALL - 100000, 1);
    assert_int_equal(source.grown, 0);
    void *second = take(heap, SMALL / 2, 1 << 17);
    assert_int_equal(source.grown, 1);
    assert_in_range((uintptr_t)second, (uintptr_t)more, (uintptr_t)more + sizeof more);
    source.dry = true;
    assert_int_equal(acre_threaded_alloc(heap, acre_layout(SMALL, 1)).status, ACRE_NO_MEMORY);
    assert_true(source.grown > 1);
    size_t used = acre_bitmap_stats(&world->pages).used;
    assert_int_equal(acre_threaded_dealloc(heap, first), ACRE_OK);
    assert_int_equal(acre_threaded_dealloc(heap, second), ACRE_OK);
    (void)acre_threaded_release_empty(heap);
    assert_int_equal(source.released, used);
    world_assert_sound(world);
    world_close(world);
}

/* Memory for records that ends anywhere: a heap is made whole or not at all. */
static void heaps_without_records(void **state)
{
    enum { MOST = 24 };
    static _Alignas(ACRE_THREADED_PAGE) unsigned char memory[MOST * ACRE_THREADED_PAGE];
    (void)state;
    for (int hardened = 0; hardened < 2; hardened++)
        for (size_t pages = 3; pages < MOST; pages++) {
            static struct acre_threaded threaded;
            struct acre_bitmap meta = { 0 };
            memset(&threaded, 0, sizeof threaded);
            assert_int_equal(acre_bitmap_setup(&meta, ACRE_THREADED_PAGE), ACRE_OK);
            assert_int_equal(acre_bitmap_init(&meta, memory, pages * ACRE_THREADED_PAGE), ACRE_OK);
            struct acre_threaded_env env = { .pages = acre_bitmap_pages(&meta),
                .meta = acre_bitmap_pages(&meta),
                .hardening = { .on = hardened != 0 } };
            assert_int_equal(acre_threaded_setup(&threaded, &env), ACRE_OK);
            size_t heaps = 0;
            struct acre_thread_heap *heap = acre_threaded_attach(&threaded);
            for (; heap != NULL; heap = acre_threaded_attach(&threaded)) {
                heaps++;
                struct acre_ptr got = acre_threaded_alloc(heap, acre_layout(100, 1));
                if (got.status == ACRE_OK)
                    assert_int_equal(acre_threaded_dealloc(heap, got.ptr), ACRE_OK);
                assert_null(acre_threaded_check(&threaded).invariant);
            }
            assert_true(heaps < MOST * 2);
        }
}

static void records_of_another_page_size(void **state)
{
    static struct acre_bitmap pages, meta;
    static struct acre_threaded threaded;
    (void)state;
    assert_int_equal(acre_bitmap_setup(&pages, ACRE_THREADED_PAGE), ACRE_OK);
    assert_int_equal(acre_bitmap_setup(&meta, 4096), ACRE_OK);
    struct acre_threaded_env env = { .pages = acre_bitmap_pages(&pages),
        .meta = acre_bitmap_pages(&meta) };
    assert_int_equal(acre_threaded_setup(&threaded, &env), ACRE_INVALID_PARAM);
}

/* ---- the pool over one heap ---- */

static struct acre_threaded_pool pool;
static _Alignas(ACRE_THREADED_PAGE) unsigned char memory[SMALL], little[2 * ACRE_THREADED_PAGE];

/* A pool whose last region is too small for a heap serves nothing, until it is given more. */
static void a_pool_without_a_heap(void **state)
{
    (void)state;
    memset(&pool, 0, sizeof pool);
    assert_int_equal(acre_threaded_pool_init(&pool, memory, SMALL), ACRE_OK);
    assert_int_equal(acre_threaded_pool_add_memory(&pool, little, sizeof little), ACRE_OK);
    assert_int_equal(acre_threaded_pool_remove_memory(&pool, memory), ACRE_OK);
    assert_int_equal(acre_threaded_pool_stats(&pool).total, sizeof little);
    assert_int_equal(acre_threaded_pool_alloc(&pool, acre_layout(1, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_threaded_pool_dealloc(&pool, little), ACRE_NOT_ALLOCATED);
    acre_threaded_pool_release_empty(&pool);
    assert_null(acre_threaded_pool_check(&pool).invariant);
    assert_int_equal(acre_threaded_pool_add_memory(&pool, memory, SMALL), ACRE_OK);
    void *ptr = acre_threaded_pool_alloc(&pool, acre_layout(100, 1)).ptr;
    assert_non_null(ptr);
    acre_threaded_pool_release_empty(&pool);
    assert_int_equal(acre_threaded_pool_dealloc(&pool, ptr), ACRE_OK);
    assert_null(acre_threaded_pool_check(&pool).invariant);
}

static void a_block_of_a_pool_that_shrinks_stays(void **state)
{
    (void)state;
    memset(&pool, 0, sizeof pool);
    assert_int_equal(acre_threaded_pool_init(&pool, memory, SMALL), ACRE_OK);
    char *ptr = acre_threaded_pool_alloc(&pool, acre_layout(30000, 1)).ptr;
    for (size_t size = 30000; size != 0; size /= 2)
        while (acre_threaded_pool_alloc(&pool, acre_layout(size, 1)).status == ACRE_OK)
            continue;
    struct acre_stats before = acre_threaded_pool_stats(&pool);
    assert_ptr_equal(acre_threaded_pool_realloc(&pool, ptr, acre_layout(100, 1)).ptr, ptr);
    struct acre_stats after = acre_threaded_pool_stats(&pool);
    assert_memory_equal(&before, &after, sizeof before);
    assert_int_equal(
        acre_threaded_pool_realloc(&pool, ptr, acre_layout(SMALL, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(
        acre_threaded_pool_realloc(&pool, ptr, acre_layout(100, NOWHERE)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_threaded_pool_stats(&pool).failed, before.failed + 2);
    assert_null(acre_threaded_pool_check(&pool).invariant);
    assert_int_equal(acre_threaded_pool_dealloc_sized(&pool, ptr, acre_layout(100, 1)), ACRE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_walk_shows_the_blocks_of_all),
        cmocka_unit_test(a_walk_of_ones_own),
        cmocka_unit_test(a_block_that_shrinks_stays),
        cmocka_unit_test(a_block_is_resized_or_refused),
        cmocka_unit_test(a_larger_class_serves),
        cmocka_unit_test(an_object_that_is_free_is_refused_to_others),
        cmocka_unit_test(an_empty_slab_serves_another_size),
        cmocka_unit_test(an_empty_small_slab_serves_another_size),
        cmocka_unit_test(slabs_do_not_change_for_ever),
        cmocka_unit_test(addresses_that_no_block_has),
        cmocka_unit_test(pages_are_asked_for_and_told),
        cmocka_unit_test(heaps_without_records),
        cmocka_unit_test(records_of_another_page_size),
        cmocka_unit_test(a_pool_without_a_heap),
        cmocka_unit_test(a_block_of_a_pool_that_shrinks_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
