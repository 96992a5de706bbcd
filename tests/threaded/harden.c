/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A hardened heap: what is written outside of live blocks is told, and wrong pointers change
 * nothing. */
#include "threaded/world.h"

#include <stdint.h>
#include <string.h>

enum { MEMORY = 4 << 20, SIZE = 100, MANY = 5000 };

static struct acre_threaded_damage told;
static unsigned times;

static void note(void *arg, const struct acre_threaded_damage *damage)
{
    (void)arg;
    told = *damage;
    times++;
}

static void fill_pages(struct acre_pages pages)
{
    struct acre_num page = acre_alloc_pages(pages, 1, ACRE_THREADED_PAGE);
    if (page.status != ACRE_OK)
        return;
    memset((void *)page.num, 0xa5, ACRE_THREADED_PAGE);
    fill_pages(pages);
    assert_int_equal(acre_dealloc_pages(pages, page.num, 1), ACRE_OK);
}

/* Pages with something in them, so that nothing rests on fresh ones. */
static struct world *hardened(size_t fill)
{
    struct world *world = world_open(MEMORY);
    fill_pages(acre_bitmap_pages(&world->pages));
    world->threaded.env.hardening = (struct acre_threaded_hardening){
        .on = true, .fill = fill, .secret = (size_t)UINT64_C(0x1234567890abcdef), .damaged = note
    };
    times = 0;
    return world;
}

static char *alloc(struct acre_thread_heap *heap, size_t size)
{
    struct acre_ptr got = acre_threaded_alloc(heap, acre_layout(size, 16));
    assert_int_equal(got.status, ACRE_OK);
    return got.ptr;
}

static void check_told(enum acre_threaded_damage_kind kind, const char *where, const char *block)
{
    assert_int_equal(times, 1);
    assert_int_equal(told.kind, kind);
    assert_ptr_equal(told.where, where);
    assert_ptr_equal(told.block, block);
    times = 0;
}

static void a_write_behind_is_told(void **state)
{
    struct world *world = hardened(0);
    struct acre_thread_heap *heap = world_attach(world);
    (void)state;
    for (size_t size = 1; size < 70000; size = size * 3 / 2 + 1)
        for (size_t offset = 0; offset < sizeof(size_t); offset++) {
            char *ptr = alloc(heap, size);
            memset(ptr, 1, size);
            ptr[size + offset] ^= 1;
            assert_int_equal(acre_threaded_dealloc(heap, ptr), ACRE_OK);
            check_told(ACRE_DAMAGE_BEHIND, ptr + size + offset, ptr);
            assert_int_equal(told.size, size);
        }
    world_assert_sound(world);
    world_close(world);
}

static void a_write_before_is_told(void **state)
{
    struct world *world = hardened(0);
    struct acre_thread_heap *heap = world_attach(world);
    (void)state;
    for (size_t size = 1; size < 30000; size = size * 2 + 1) {
        char *ptr = alloc(heap, size);
        ptr[-1] ^= 2; /* where it is 0, it then differs from a canary's byte, which is odd */
        assert_int_equal(acre_threaded_dealloc(heap, ptr), ACRE_OK);
        check_told(ACRE_DAMAGE_BEFORE, ptr - 1, ptr);
        ptr[-1] ^= 2;
    }
    world_close(world);
}

/* The byte before the block is 0 there, and is written with that which it has while the neighbour
 * is live. */
static void a_canary_written_before_a_block_is_told(void **state)
{
    enum { FIRST = 24, APART = 8 };
    (void)state;
    for (size_t size = FIRST; size < 30000; size = size * 2 + APART) {
        struct world *world = hardened(0);
        struct acre_thread_heap *heap = world_attach(world);
        char *before = alloc(heap, size);
        char *ptr = alloc(heap, size);
        size_t apart = (size_t)(ptr - before);
        assert_in_range(apart, size, size + size / 4 + 2 * APART);
        char canary[sizeof(size_t)];
        memcpy(canary, ptr - sizeof canary, sizeof canary);
        assert_int_equal(acre_threaded_dealloc(heap, before), ACRE_OK);
        memcpy(ptr - 2, canary + sizeof canary - 2, 2);
        assert_int_equal(acre_threaded_dealloc(heap, ptr), ACRE_OK);
        check_told(ACRE_DAMAGE_BEFORE, ptr - 1, ptr);
        world_close(world);
    }
}

static void a_write_after_free_is_told(void **state)
{
    (void)state;
    for (size_t fill = 0; fill <= 128; fill += 128) {
        struct world *world = hardened(fill);
        struct acre_thread_heap *heap = world_attach(world);
        char *ptr = alloc(heap, SIZE);
        assert_int_equal(acre_threaded_dealloc(heap, ptr), ACRE_OK);
        ptr[7] = 1;
        for (int i = 0; i < MANY && times == 0; i++)
            assert_int_equal(acre_threaded_dealloc(heap, alloc(heap, SIZE)), ACRE_OK);
        check_told(ACRE_DAMAGE_FREE, ptr + 7, ptr);
        for (int i = 0; i < MANY; i++)
            assert_int_equal(acre_threaded_dealloc(heap, alloc(heap, SIZE)), ACRE_OK);
        assert_int_equal(times, 0);
        world_close(world);
    }
}

static void no_damage_is_told_without_any(void **state)
{
    enum { LIVE = 300 };
    static char *ptrs[LIVE];
    (void)state;
    for (size_t fill = 0; fill <= 128; fill += 128) {
        struct world *world = hardened(fill);
        struct acre_thread_heap *heap = world_attach(world);
        unsigned seed = 1;
        for (int i = 0; i < 60000; i++) {
            seed = seed * 1664525u + 1013904223u;
            size_t slot = (seed >> 8) % LIVE;
            size_t size = 1 + (seed >> 12) % (i % 200 == 0 ? 9000 : 600);
            if (ptrs[slot] != NULL && i % 3 == 0) {
                struct acre_ptr moved =
                    acre_threaded_realloc(heap, ptrs[slot], acre_layout(size, 16));
                assert_int_equal(moved.status, ACRE_OK);
                ptrs[slot] = moved.ptr;
            } else {
                if (ptrs[slot] != NULL)
                    assert_int_equal(acre_threaded_dealloc(heap, ptrs[slot]), ACRE_OK);
                ptrs[slot] = alloc(heap, size);
            }
            memset(ptrs[slot], 0x5a, size);
            assert_int_equal(acre_threaded_usable_size(&world->threaded, ptrs[slot]).num, size);
        }
        world_assert_sound(world);
        for (size_t i = 0; i < LIVE; i++) {
            if (ptrs[i] != NULL)
                assert_int_equal(acre_threaded_dealloc(heap, ptrs[i]), ACRE_OK);
            ptrs[i] = NULL;
        }
        assert_int_equal(times, 0);
        assert_int_equal(acre_threaded_stats(&world->threaded).live_blocks, 0);
        assert_int_equal(acre_threaded_stats(&world->threaded).used, 0);
        (void)acre_threaded_release_empty(heap);
        world_assert_sound(world);
        world_close(world);
    }
}

static void wrong_pointers_change_nothing(void **state)
{
    struct world *world = hardened(0);
    struct acre_thread_heap *heap = world_attach(world);
    (void)state;
    char *ptr = alloc(heap, SIZE);
    char *large = alloc(heap, 50000);
    size_t live = acre_threaded_stats(&world->threaded).live_blocks;
    assert_int_equal(acre_threaded_dealloc(heap, ptr + 1), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_threaded_dealloc(heap, ptr + 16), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_threaded_dealloc(heap, ptr - 112), ACRE_NOT_ALLOCATED); /* the guard */
    assert_int_equal(acre_threaded_dealloc(heap, ptr + 112), ACRE_NOT_ALLOCATED); /* a fresh one */
    assert_int_equal(acre_threaded_dealloc(heap, large + 16), ACRE_NOT_ALLOCATED);
    assert_int_equal(
        acre_threaded_dealloc_sized(heap, ptr, acre_layout(SIZE + 1, 16)), ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_threaded_dealloc_sized(heap, large, acre_layout(50001, 16)), ACRE_INVALID_PARAM);
    assert_int_equal(acre_threaded_stats(&world->threaded).live_blocks, live);
    assert_int_equal(acre_threaded_dealloc_sized(heap, ptr, acre_layout(SIZE, 16)), ACRE_OK);
    assert_int_equal(acre_threaded_dealloc_sized(heap, large, acre_layout(50000, 16)), ACRE_OK);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(acre_threaded_dealloc(heap, ptr), ACRE_NOT_ALLOCATED);
        assert_int_equal(acre_threaded_dealloc(heap, large), ACRE_NOT_ALLOCATED);
        (void)alloc(heap, SIZE);
    }
    assert_int_equal(times, 0);
    world_close(world);
}

static void blocks_of_another_heap(void **state)
{
    enum { COUNT = 1000 };
    static char *ptrs[COUNT];
    struct world *world = hardened(0);
    struct acre_thread_heap *one = world_attach(world);
    struct acre_thread_heap *other = world_attach(world);
    (void)state;
    acre_threaded_set_thread(one, 7);
    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < COUNT; i++)
            ptrs[i] = alloc(one, 1 + i);
        assert_int_equal(acre_threaded_thread_of(&world->threaded, ptrs[0]), 7);
        for (size_t i = 0; i < COUNT; i++)
            assert_int_equal(acre_threaded_dealloc(other, ptrs[i]), ACRE_OK);
        assert_int_equal(acre_threaded_dealloc(one, ptrs[0]), ACRE_NOT_ALLOCATED);
        assert_int_equal(acre_threaded_stats(&world->threaded).live_blocks, 0);
    }
    char *ptr = alloc(one, SIZE);
    ptr[SIZE] ^= 1;
    assert_int_equal(acre_threaded_dealloc(other, ptr), ACRE_OK);
    check_told(ACRE_DAMAGE_BEHIND, ptr + SIZE, ptr);
    acre_threaded_detach(other);
    acre_threaded_detach(one);
    assert_int_equal(acre_threaded_late_misuse(&world->threaded), 0);
    world_assert_sound(world);
    world_close(world);
}

/* What is in quarantine is given up before a request is refused. */
static void memory_comes_back(void **state)
{
    static void *ptrs[MEMORY / 4096];
    struct world *world = hardened(0);
    struct acre_thread_heap *heap = world_attach(world);
    size_t first = 0;
    (void)state;
    for (int round = 0; round < 3; round++) {
        size_t count = 0;
        struct acre_ptr got = acre_threaded_alloc(heap, acre_layout(20000, 16));
        for (; got.status == ACRE_OK; got = acre_threaded_alloc(heap, acre_layout(20000, 16)))
            ptrs[count++] = got.ptr;
        assert_int_equal(got.status, ACRE_NO_MEMORY);
        assert_true(count > 100 && (round == 0 || count == first));
        first = count;
        while (count != 0)
            assert_int_equal(acre_threaded_dealloc(heap, ptrs[--count]), ACRE_OK);
    }
    assert_int_equal(times, 0);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_behind_is_told),
        cmocka_unit_test(a_write_before_is_told),
        cmocka_unit_test(a_canary_written_before_a_block_is_told),
        cmocka_unit_test(a_write_after_free_is_told),
        cmocka_unit_test(no_damage_is_told_without_any),
        cmocka_unit_test(wrong_pointers_change_nothing),
        cmocka_unit_test(blocks_of_another_heap),
        cmocka_unit_test(memory_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
