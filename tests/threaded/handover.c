/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Two heaps in one thread, so that every order of frees, drains and ends is made on purpose. */
#include "threaded/threaded_private.h"
#include "threaded/world.h"

enum { MEMORY = 8 << 20, BLOCKS = 3000 };

static void *take(struct acre_thread_heap *heap, size_t size)
{
    struct acre_ptr got = acre_threaded_alloc(heap, acre_layout(size, 16));
    assert_int_equal(got.status, ACRE_OK);
    return got.ptr;
}

static void a_remote_free_is_refused_twice_by_everyone(void **state)
{
    (void)state;
    struct world *world = world_open(MEMORY);
    struct acre_thread_heap *owner = world_attach(world);
    struct acre_thread_heap *other = world_attach(world);
    char *ptr = take(owner, 64);
    assert_int_equal(acre_threaded_dealloc(other, ptr + 8), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_threaded_dealloc(other, ptr), ACRE_OK);
    assert_int_equal(acre_threaded_dealloc(other, ptr), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_threaded_dealloc(owner, ptr), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_threaded_usable_size(&world->threaded, ptr).status, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_threaded_stats(&world->threaded).live_blocks, 0);
    acre_threaded_release_empty(owner);
    assert_int_equal(acre_threaded_dealloc(owner, ptr), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_threaded_dealloc(other, ptr), ACRE_NOT_ALLOCATED);
    world_assert_sound(world);
    world_close(world);
}

static void what_others_freed_is_reused(void **state)
{
    (void)state;
    struct world *world = world_open(MEMORY);
    struct acre_thread_heap *owner = world_attach(world);
    struct acre_thread_heap *other = world_attach(world);
    void *blocks[BLOCKS];
    size_t pages = 0;
    for (size_t round = 0; round < 50; round++) {
        for (size_t i = 0; i < BLOCKS; i++)
            blocks[i] = take(owner, 16 + i % 200);
        for (size_t i = 0; i < BLOCKS; i++)
            assert_int_equal(acre_threaded_dealloc(other, blocks[BLOCKS - 1 - i]), ACRE_OK);
        world_assert_sound(world);
        size_t used = acre_bitmap_stats(&world->pages).used;
        if (round == 1)
            pages = used;
        if (round > 1)
            assert_true(used <= pages);
    }
    assert_int_equal(acre_threaded_stats(&world->threaded).live_blocks, 0);
    world_close(world);
}

static void an_ended_thread_leaves_its_heap_to_the_next(void **state)
{
    (void)state;
    struct world *world = world_open(MEMORY);
    struct acre_thread_heap *first = world_attach(world);
    void *ptr = take(first, 100);
    acre_threaded_detach(first);
    struct acre_thread_heap *second = world_attach(world);
    assert_ptr_equal(second, first);
    assert_int_equal(acre_threaded_dealloc(second, ptr), ACRE_OK);
    assert_int_equal(acre_threaded_dealloc(second, ptr), ACRE_NOT_ALLOCATED);
    world_assert_sound(world);
    world_close(world);
}

static void frees_into_an_abandoned_heap_give_its_pages_back(void **state)
{
    (void)state;
    struct world *world = world_open(MEMORY);
    struct acre_thread_heap *other = world_attach(world);
    size_t before = acre_bitmap_stats(&world->pages).used;
    struct acre_thread_heap *owner = world_attach(world);
    void *blocks[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++)
        blocks[i] = take(owner, 1000);
    acre_threaded_detach(owner);
    for (size_t i = 0; i < BLOCKS; i++)
        assert_int_equal(acre_threaded_dealloc(other, blocks[i]), ACRE_OK);
    acre_threaded_release_empty(other);
    assert_int_equal(acre_bitmap_stats(&world->pages).used, before);
    world_assert_sound(world);
    world_close(world);
}

static void a_few_ended_heaps_keep_their_empty_slabs(void **state)
{
    (void)state;
    enum { HEAPS = ACRE_THREADED_KEPT_HEAPS + 2 };
    struct world *world = world_open(MEMORY);
    struct acre_thread_heap *last = world_attach(world);
    struct acre_thread_heap *heaps[HEAPS];
    size_t before = acre_bitmap_stats(&world->pages).used;
    for (size_t i = 0; i < HEAPS; i++) {
        heaps[i] = world_attach(world);
        assert_int_equal(acre_threaded_dealloc(heaps[i], take(heaps[i], 100)), ACRE_OK);
        assert_int_equal(acre_threaded_dealloc(heaps[i], take(heaps[i], 40000)), ACRE_OK);
    }
    size_t each = (acre_bitmap_stats(&world->pages).used - before) / HEAPS;
    for (size_t i = 0; i < HEAPS; i++)
        acre_threaded_detach(heaps[i]);
    size_t kept = acre_bitmap_stats(&world->pages).used - before;
    assert_int_equal(kept, ACRE_THREADED_KEPT_HEAPS * each);
    for (size_t i = 0; i < HEAPS; i++)
        heaps[i] = world_attach(world);
    assert_int_equal(acre_threaded_dealloc(heaps[HEAPS - 1], take(heaps[HEAPS - 1], 100)), ACRE_OK);
    assert_int_equal(acre_bitmap_stats(&world->pages).used - before, kept);
    for (size_t i = 0; i < HEAPS; i++)
        acre_threaded_detach(heaps[i]);
    assert_int_not_equal(acre_threaded_release_empty(last), 0);
    assert_int_equal(acre_bitmap_stats(&world->pages).used, before);
    world_assert_sound(world);
    world_close(world);
}

static void runs_are_freed_by_anyone_once(void **state)
{
    (void)state;
    struct world *world = world_open(MEMORY);
    struct acre_thread_heap *a = world_attach(world);
    struct acre_thread_heap *b = world_attach(world);
    for (size_t size = 40000; size < 1000000; size += 50000) {
        void *ptr = take(a, size);
        assert_int_equal(acre_threaded_dealloc(b, ptr), ACRE_OK);
        assert_int_equal(acre_threaded_dealloc(a, ptr), ACRE_NOT_ALLOCATED);
        assert_int_equal(acre_threaded_dealloc(b, ptr), ACRE_NOT_ALLOCATED);
        world_assert_sound(world);
    }
    acre_threaded_release_empty(b);
    assert_int_equal(acre_bitmap_stats(&world->pages).used, 0);
    world_close(world);
}

static void a_child_uses_heaps_of_other_threads_unless_they_were_busy(void **state)
{
    (void)state;
    struct world *world = world_open(MEMORY);
    struct acre_thread_heap *own = world_attach(world);
    struct acre_thread_heap *idle = world_attach(world);
    struct acre_thread_heap *busy = world_attach(world);
    void *of_idle = take(idle, 50);
    void *of_busy = take(busy, 50);
    threaded_enter(busy);
    acre_threaded_after_fork(&world->threaded, own);
    assert_int_equal(acre_threaded_dealloc(own, of_idle), ACRE_OK);
    assert_int_equal(acre_threaded_dealloc(own, of_busy), ACRE_OK);
    assert_int_equal(acre_threaded_dealloc(own, of_busy), ACRE_NOT_ALLOCATED);
    assert_ptr_equal(world_attach(world), idle);
    struct acre_thread_heap *fresh = world_attach(world);
    assert_ptr_not_equal(fresh, busy);
    assert_ptr_not_equal(fresh, own);
    world_assert_sound(world);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_remote_free_is_refused_twice_by_everyone),
        cmocka_unit_test(what_others_freed_is_reused),
        cmocka_unit_test(an_ended_thread_leaves_its_heap_to_the_next),
        cmocka_unit_test(frees_into_an_abandoned_heap_give_its_pages_back),
        cmocka_unit_test(a_few_ended_heaps_keep_their_empty_slabs),
        cmocka_unit_test(runs_are_freed_by_anyone_once),
        cmocka_unit_test(a_child_uses_heaps_of_other_threads_unless_they_were_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
