/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Damages each field in turn; check names the invariant that broke, and finds nothing once it is
 * mended. */
#include "threaded/threaded_private.h"
#include "threaded/world.h"

#include <acre/threaded_pool.h>

#include <stdlib.h>
#include <string.h>

enum { MEMORY = 8 << 20, SIZE = 700 };

static struct world *world;
static struct acre_thread_heap *heap, *other;
static struct acre_threaded_slab *partial, *current; /* slabs of one class */
static struct acre_threaded_group *last;             /* the group of `current` that is not whole */

static void *take(size_t size)
{
    struct acre_ptr got = acre_threaded_alloc(heap, acre_layout(size, 1));
    assert_int_equal(got.status, ACRE_OK);
    return got.ptr;
}

static struct acre_threaded_slab *slab_of(const void *ptr)
{
    return threaded_slab_of(&world->threaded, (uintptr_t)ptr);
}

/* A slab that is full but for one object, and the current one behind it. */
static int make(void **state)
{
    (void)state;
    world = world_open(MEMORY);
    heap = world_attach(world);
    other = world_attach(world);
    void *first = take(SIZE);
    partial = slab_of(first);
    do
        current = slab_of(take(SIZE));
    while (current == partial);
    assert_int_equal(acre_threaded_dealloc(heap, first), ACRE_OK);
    last = &current->group[current->groups - 1];
    assert_true(last->all != SIZE_MAX);
    assert_ptr_equal(heap->partial[current->size_class], partial);
    world_assert_sound(world);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_close(world);
    return 0;
}

static void expect(const char *invariant, const void *where)
{
    struct acre_check_result found = acre_threaded_check(&world->threaded);
    assert_non_null(found.invariant);
    assert_memory_equal(found.invariant, invariant, strlen(invariant));
    assert_ptr_equal(found.where, where);
}

static void the_map_and_the_window(void **state)
{
    (void)state;
    uintptr_t page = current->start + ACRE_THREADED_PAGE;
    acre_threaded_map_set(&world->threaded, page, 1, partial);
    expect("THREADED-1", current);
    acre_threaded_map_set(&world->threaded, page, 1, current);
    world_assert_sound(world);
    struct acre_threaded_slab **entry =
        &heap->window.entry[(page - heap->window.start) >> ACRE_THREADED_PAGE_LOG2];
    assert_ptr_equal(*entry, current);
    *entry = threaded_no_slab();
    expect("THREADED-1", current);
    *entry = current;
    world_assert_sound(world);
}

/* Pages outside of the window need no entry there. */
static void the_end_of_the_window(void **state)
{
    (void)state;
    struct threaded_window window = heap->window;
    heap->window.pages = 0;
    world_assert_sound(world);
    heap->window = window;
}

static void a_run(void **state)
{
    (void)state;
    struct acre_threaded_slab *run = slab_of(take(50000));
    acre_threaded_map_set(&world->threaded, run->start, 1, NULL);
    expect("THREADED-1", run);
    acre_threaded_map_set(&world->threaded, run->start, 1, run);
    world_assert_sound(world);
}

static void expect_bits(_Atomic size_t *bits, size_t value, const char *invariant)
{
    size_t was = atomic_load(bits);
    atomic_store(bits, value);
    expect(invariant, last);
    atomic_store(bits, was);
    world_assert_sound(world);
}

static void the_bits_of_a_group(void **state)
{
    (void)state;
    size_t free = atomic_load(&last->free);
    expect_bits(&last->free, free | ~last->all, "THREADED-2");
    expect_bits(&last->remote, 0, "THREADED-2");
    expect_bits(&last->remote, ~last->all | free, "THREADED-3");
}

static void a_partial_slab(void **state)
{
    (void)state;
    partial->listed = false;
    expect("THREADED-4", partial);
    partial->listed = true;
    heap->partial[current->size_class] = current;
    expect("THREADED-4", current);
    heap->partial[current->size_class] = partial;
    size_t free = atomic_load(&partial->group[0].free);
    atomic_store(&partial->group[0].free, 0);
    expect("THREADED-4", partial);
    atomic_store(&partial->group[0].free, free);
    world_assert_sound(world);
}

static void a_current_slab(void **state)
{
    (void)state;
    current->size_class++;
    expect("THREADED-5", current);
    current->size_class--;
    atomic_store(&current->owner, other);
    expect("THREADED-5", current);
    atomic_store(&current->owner, heap);
    last->free_watermark = 1;
    expect("THREADED-6", current);
    last->free_watermark = THREADED_NEVER;
    world_assert_sound(world);
}

/* The lists of a heap whose thread was in the middle of a change are not looked at. */
static void the_lists_of_a_frozen_heap(void **state)
{
    (void)state;
    partial->listed = false;
    atomic_store(&heap->state, THREADED_FROZEN);
    world_assert_sound(world);
    atomic_store(&heap->state, THREADED_LIVE);
    expect("THREADED-4", partial);
}

/* Only a race between two threads that free one object sets a bit twice; the owner counts it. */
static void a_second_free_at_the_same_moment(void **state)
{
    (void)state;
    void *ptr = take(SIZE);
    assert_int_equal(acre_threaded_dealloc(other, ptr), ACRE_OK);
    struct acre_threaded_slab *slab = slab_of(ptr);
    size_t object = threaded_object_at(slab, (uintptr_t)ptr);
    struct acre_threaded_group *group = &slab->group[object / THREADED_WORD_BITS];
    size_t bit = (size_t)1 << object % THREADED_WORD_BITS;
    atomic_fetch_or(&group->free, bit);
    assert_int_equal(acre_threaded_late_misuse(&world->threaded), 0);
    (void)acre_threaded_release_empty(heap);
    assert_int_equal(acre_threaded_late_misuse(&world->threaded), 1);
    world_assert_sound(world);
}

/* Addresses that this machine's map does not have, and memory for nodes that is not there. */
static void a_map_without_room(void **state)
{
    (void)state;
    struct acre_threaded *threaded = &world->threaded;
    if (ACRE_THREADED_ADDRESS_BITS < sizeof(uintptr_t) * 8)
        assert_false(acre_threaded_map_reserve(
            threaded, (uintptr_t)1 << (ACRE_THREADED_ADDRESS_BITS % (sizeof(uintptr_t) * 8)), 1));
    assert_null(threaded_slab_of(threaded, UINTPTR_MAX));
    while (acre_threaded_meta(threaded, ACRE_THREADED_PAGE, 1) != NULL)
        continue;
    uintptr_t far_away = (uintptr_t)1 << (ACRE_THREADED_ADDRESS_BITS - 2);
    assert_false(acre_threaded_map_reserve(threaded, far_away, 1));
    assert_null(acre_threaded_attach(threaded));
    world_assert_sound(world);
}

/* ---- the pool over one heap ---- */

static void expect_pool(const struct acre_threaded_pool *pool, const char *invariant)
{
    struct acre_check_result found = acre_threaded_pool_check(pool);
    assert_non_null(found.invariant);
    assert_memory_equal(found.invariant, invariant, strlen(invariant));
}

static void the_accounts_of_a_pool(void **state)
{
    static struct acre_threaded_pool pool;
    static _Alignas(ACRE_THREADED_PAGE) unsigned char memory[1 << 20];
    (void)state;
    assert_int_equal(acre_threaded_pool_init(&pool, memory, sizeof memory), ACRE_OK);
    void *ptr = acre_threaded_pool_alloc(&pool, acre_layout(SIZE, 1)).ptr;
    assert_null(acre_threaded_pool_check(&pool).invariant);
    pool.used++;
    expect_pool(&pool, "THREADED-7");
    pool.used--;
    pool.live++;
    expect_pool(&pool, "THREADED-7");
    pool.live--;
    pool.pages.metadata++;
    expect_pool(&pool, "BITMAP-");
    pool.pages.metadata--;
    acre_threaded_map_set(
        &pool.threaded, (uintptr_t)ptr & ~((uintptr_t)ACRE_THREADED_PAGE - 1), 1, NULL);
    expect_pool(&pool, "THREADED-1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_map_and_the_window, make, end),
        cmocka_unit_test_setup_teardown(the_end_of_the_window, make, end),
        cmocka_unit_test_setup_teardown(a_run, make, end),
        cmocka_unit_test_setup_teardown(the_bits_of_a_group, make, end),
        cmocka_unit_test_setup_teardown(a_partial_slab, make, end),
        cmocka_unit_test_setup_teardown(a_current_slab, make, end),
        cmocka_unit_test_setup_teardown(the_lists_of_a_frozen_heap, make, end),
        cmocka_unit_test_setup_teardown(a_second_free_at_the_same_moment, make, end),
        cmocka_unit_test_setup_teardown(a_map_without_room, make, end),
        cmocka_unit_test(the_accounts_of_a_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
