/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The verbs of a threaded heap in one thread: results, exact errors, accounts. */
#include "threaded/threaded_private.h"
#include "threaded/world.h"

#include <stdlib.h>
#include <string.h>

enum { MEMORY = 32 << 20 };

static void *take(struct acre_thread_heap *heap, size_t size, size_t align)
{
    struct acre_ptr got = acre_threaded_alloc(heap, acre_layout(size, align));
    assert_int_equal(got.status, ACRE_OK);
    assert_true(((uintptr_t)got.ptr & (align - 1)) == 0);
    memset(got.ptr, 0x5a, size);
    return got.ptr;
}

static void give(struct acre_thread_heap *heap, void *ptr)
{
    assert_int_equal(acre_threaded_dealloc(heap, ptr), ACRE_OK);
}

static void refuse(struct acre_thread_heap *heap, struct world *world, void *ptr)
{
    assert_int_equal(acre_threaded_dealloc(heap, ptr), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_threaded_dealloc_sized(heap, ptr, acre_layout(1, 1)), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_threaded_usable_size(&world->threaded, ptr).status, ACRE_NOT_ALLOCATED);
    assert_int_equal(
        acre_threaded_realloc(heap, ptr, acre_layout(8, 1)).status, ACRE_NOT_ALLOCATED);
}

static void every_size_and_alignment_is_served(void **state)
{
    (void)state;
    struct world *world = world_open(MEMORY);
    struct acre_thread_heap *heap = world_attach(world);
    for (size_t align = 1; align <= 1 << 16; align *= 2)
        for (size_t size = 0; size <= 80000; size = size * 9 / 8 + 1) {
            void *ptr = take(heap, size, align);
            struct acre_num usable = acre_threaded_usable_size(&world->threaded, ptr);
            assert_int_equal(usable.status, ACRE_OK);
            assert_true(usable.num >= size);
            assert_int_equal(
                acre_threaded_dealloc_sized(heap, ptr, acre_layout(size, align)), ACRE_OK);
        }
    world_assert_sound(world);
    assert_int_equal(acre_threaded_stats(&world->threaded).used, 0);
    world_close(world);
}

static void wrong_pointers_are_refused(void **state)
{
    (void)state;
    struct world *world = world_open(MEMORY);
    struct acre_thread_heap *heap = world_attach(world);
    int local;
    const size_t sizes[] = { 1, 16, 100, 1000, 9000, 30000, 40000, 300000 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *ptr = take(heap, sizes[i], 1);
        refuse(heap, world, ptr + 1);
        refuse(heap, world, ptr + 8);
        refuse(heap, world, ptr + acre_threaded_usable_size(&world->threaded, ptr).num);
        refuse(heap, world, ptr - 16);
        give(heap, ptr);
        refuse(heap, world, ptr);
    }
    refuse(heap, world, NULL);
    refuse(heap, world, &local);
    refuse(heap, world, (void *)world);
    refuse(heap, world, (void *)(uintptr_t)1);
    refuse(heap, world, (void *)UINTPTR_MAX);
    refuse(heap, world, (char *)world->memory + MEMORY / 2);
    world_assert_sound(world);
    world_close(world);
}

static void wrong_layouts_are_refused(void **state)
{
    (void)state;
    struct world *world = world_open(MEMORY);
    struct acre_thread_heap *heap = world_attach(world);
    void *ptr = take(heap, 100, 16);
    assert_int_equal(
        acre_threaded_dealloc_sized(heap, ptr, acre_layout(96, 16)), ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_threaded_dealloc_sized(heap, ptr, acre_layout(113, 16)), ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_threaded_dealloc_sized(heap, ptr, acre_layout(100, 3)), ACRE_INVALID_PARAM);
    assert_int_equal(acre_threaded_alloc(heap, acre_layout(8, 3)).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_threaded_alloc(heap, acre_layout(8, 0)).status, ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_threaded_realloc(heap, ptr, acre_layout(8, 0)).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_threaded_dealloc_sized(heap, ptr, acre_layout(100, 16)), ACRE_OK);
    world_close(world);
}

static void sizes_near_the_top_are_refused(void **state)
{
    (void)state;
    struct world *world = world_open(MEMORY);
    struct acre_thread_heap *heap = world_attach(world);
    for (size_t below = 0; below < 20000; below += 7) {
        struct acre_layout layout = acre_layout(SIZE_MAX - below, 16);
        assert_int_equal(acre_threaded_alloc(heap, layout).status, ACRE_NO_MEMORY);
    }
    for (size_t align = 1; align != 0; align *= 2)
        assert_int_equal(acre_threaded_alloc(heap, acre_layout(SIZE_MAX - align + 1, align)).status,
            ACRE_NO_MEMORY);
    assert_int_equal(acre_threaded_stats(&world->threaded).used, 0);
    world_close(world);
}

static void realloc_keeps_contents(void **state)
{
    (void)state;
    struct world *world = world_open(MEMORY);
    struct acre_thread_heap *heap = world_attach(world);
    unsigned char *ptr = take(heap, 1, 1);
    ptr[0] = 77;
    for (size_t size = 2; size < 3000000; size += size / 2 + 1) {
        struct acre_ptr got = acre_threaded_realloc(heap, ptr, acre_layout(size, 1));
        assert_int_equal(got.status, ACRE_OK);
        ptr = got.ptr;
        assert_int_equal(ptr[0], 77);
        ptr[size - 1] = 78;
    }
    struct acre_ptr got = acre_threaded_realloc(heap, ptr, acre_layout(SIZE_MAX - 5, 1));
    assert_int_equal(got.status, ACRE_NO_MEMORY);
    assert_int_equal(ptr[0], 77);
    give(heap, ptr);
    world_close(world);
}

static void whole_pages_grow_and_shrink_in_place(void **state)
{
    (void)state;
    struct world *world = world_open(MEMORY);
    struct acre_thread_heap *heap = world_attach(world);
    unsigned char *ptr = take(heap, 50000, 1);
    for (size_t size = 50000; size < 500000; size += 10000) {
        struct acre_ptr got = acre_threaded_realloc(heap, ptr, acre_layout(size, 1));
        assert_ptr_equal(got.ptr, ptr);
        assert_true(acre_threaded_usable_size(&world->threaded, ptr).num >= size);
        ptr[size - 1] = 1;
    }
    unsigned char *behind = take(heap, 50000, 1);
    assert_ptr_not_equal(acre_threaded_realloc(heap, behind, acre_layout(40000, 1)).ptr, NULL);
    struct acre_ptr got = acre_threaded_realloc(heap, ptr, acre_layout(100000, 4096));
    assert_ptr_equal(got.ptr, ptr);
    assert_int_equal(acre_threaded_stats(&world->threaded).live_blocks, 2);
    world_assert_sound(world);
    struct acre_ptr sized = acre_threaded_alloc(heap, acre_layout(300000, 1));
    assert_true((unsigned char *)sized.ptr > ptr && (unsigned char *)sized.ptr < behind);
    got = acre_threaded_realloc(heap, ptr, acre_layout(200000, 1));
    assert_ptr_not_equal(got.ptr, ptr); /* the pages behind it are in use */
    assert_int_equal(acre_threaded_dealloc_sized(heap, got.ptr, acre_layout(200000, 1)), ACRE_OK);
    give(heap, sized.ptr);
    give(heap, behind);
    world_assert_sound(world);
    world_close(world);
}

static size_t fill(struct acre_thread_heap *heap, void **blocks, size_t most, size_t size)
{
    size_t count = 0;
    while (count < most) {
        struct acre_ptr got = acre_threaded_alloc(heap, acre_layout(size, 16));
        if (got.status == ACRE_NO_MEMORY)
            break;
        assert_int_equal(got.status, ACRE_OK);
        memset(got.ptr, (int)(count & 0xff), size);
        blocks[count++] = got.ptr;
    }
    return count;
}

static void all_memory_returns(void **state)
{
    (void)state;
    enum { MOST = 200000, SMALL = 1 << 20 };
    struct world *world = world_open(SMALL);
    struct acre_thread_heap *heap = world_attach(world);
    void **blocks = calloc(MOST, sizeof *blocks);
    assert_non_null(blocks);
    struct acre_stats empty = acre_threaded_stats(&world->threaded);
    for (size_t size = 16; size <= 200000; size = size * 3) {
        size_t count = fill(heap, blocks, MOST, size);
        assert_true(count >= 1);
        assert_int_equal(acre_threaded_stats(&world->threaded).live_blocks, count);
        for (size_t i = 0; i < count; i++) {
            unsigned char *bytes = blocks[i];
            assert_true(bytes[0] == (i & 0xff) && bytes[size - 1] == (i & 0xff));
        }
        for (size_t i = 0; i < count; i++)
            give(heap, blocks[count - 1 - i]);
        world_assert_sound(world);
        acre_threaded_release_empty(heap);
        struct acre_stats now = acre_threaded_stats(&world->threaded);
        assert_int_equal(now.used, 0);
        assert_int_equal(now.largest_free, empty.largest_free);
    }
    free(blocks);
    world_close(world);
}

static void the_block_of_an_address_is_found(void **state)
{
    (void)state;
    struct world *world = world_open(MEMORY);
    struct acre_thread_heap *heap = world_attach(world);
    const size_t sizes[] = { 16, 100, 5000, 100000 };
    for (size_t i = 0; i < 4; i++) {
        char *ptr = take(heap, sizes[i], 16);
        void *start = NULL;
        struct acre_num size = acre_threaded_find(&world->threaded, ptr + sizes[i] - 1, &start);
        assert_int_equal(size.status, ACRE_OK);
        assert_ptr_equal(start, ptr);
        give(heap, ptr);
        size = acre_threaded_find(&world->threaded, ptr, &start);
        assert_int_equal(size.status, ACRE_NOT_ALLOCATED);
    }
    world_close(world);
}

static void pages_of_another_size_are_refused(void **state)
{
    (void)state;
    static struct acre_bitmap pages;
    static struct acre_threaded threaded;
    assert_int_equal(acre_bitmap_setup(&pages, 4096), ACRE_OK);
    struct acre_threaded_env env = { .pages = acre_bitmap_pages(&pages),
        .meta = acre_bitmap_pages(&pages) };
    assert_int_equal(acre_threaded_setup(&threaded, &env), ACRE_INVALID_PARAM);
}

/* Blocks of more pages than the first window has, freed by the short way in the reverse order. */
static void own_blocks_are_found_in_the_window(void **state)
{
    (void)state;
    enum { COUNT = 6000, SIZE = 3000 };
    static void *blocks[COUNT];
    struct world *world = world_open(MEMORY);
    struct acre_thread_heap *heap = world_attach(world);
    for (size_t i = 0; i < COUNT; i++)
        blocks[i] = take(heap, SIZE, 1);
    size_t pages = heap->window.pages;
    assert_true(pages * ACRE_THREADED_PAGE > (size_t)COUNT * SIZE);
    world_assert_sound(world);
    for (size_t i = COUNT; i-- > 0;) {
        assert_false(threaded_dealloc_fast(heap, (char *)blocks[i] + 16));
        assert_true(threaded_dealloc_fast(heap, blocks[i]));
        assert_false(threaded_dealloc_fast(heap, blocks[i]));
    }
    acre_threaded_release_empty(heap);
    assert_int_equal(heap->slab_pages, 0);
    assert_int_equal(heap->window.pages, pages);
    world_assert_sound(world);
    world_close(world);
}

/* Other heaps' slabs lie in between, so that a window over one's own would be too sparse: frees
 * work without it. */
static void blocks_outside_the_window_are_freed(void **state)
{
    (void)state;
    enum { COUNT = 20 };
    void *blocks[COUNT];
    struct world *world = world_open(MEMORY);
    struct acre_thread_heap *heap = world_attach(world);
    struct acre_thread_heap *other = world_attach(world);
    size_t outside = 0;
    for (size_t i = 0; i < COUNT; i++) {
        blocks[i] = take(heap, 20 + i * 48, 1);
        (void)take(other, 1400000, 1);
    }
    for (size_t i = 0; i < COUNT; i++) {
        assert_false(threaded_dealloc_fast(other, blocks[i]));
        outside += threaded_window_slab(heap, (uintptr_t)blocks[i]) == threaded_no_slab();
        give(heap, blocks[i]);
        refuse(heap, world, blocks[i]);
    }
    assert_in_range(outside, 1, COUNT);
    world_assert_sound(world);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_and_alignment_is_served),
        cmocka_unit_test(wrong_pointers_are_refused),
        cmocka_unit_test(wrong_layouts_are_refused),
        cmocka_unit_test(sizes_near_the_top_are_refused),
        cmocka_unit_test(realloc_keeps_contents),
        cmocka_unit_test(whole_pages_grow_and_shrink_in_place),
        cmocka_unit_test(all_memory_returns),
        cmocka_unit_test(the_block_of_an_address_is_found),
        cmocka_unit_test(own_blocks_are_found_in_the_window),
        cmocka_unit_test(blocks_outside_the_window_are_freed),
        cmocka_unit_test(pages_of_another_size_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
