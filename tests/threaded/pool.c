/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The threaded heap as a byte allocator, where the conformance suite claims nothing of it: walks,
 * exhaustion, regions with records, reset. */
#include <acre/threaded_pool.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MIB = 1 << 20, MOST = 1 << 16 };

static struct acre_threaded_pool pool;
static void *blocks[MOST];

static void assert_pool_is_sound(void)
{
    struct acre_stats stats = acre_threaded_pool_stats(&pool);
    assert_null(acre_threaded_pool_check(&pool).invariant);
    assert_int_equal(stats.total, stats.metadata + stats.used + stats.available);
    assert_int_equal(stats.used == 0, stats.live_blocks == 0);
    assert_true(stats.peak >= stats.used);
}

static char *open_pool(size_t bytes)
{
    char *memory = malloc(bytes);
    assert_non_null(memory);
    memset(memory, 0x5a, bytes);
    assert_int_equal(acre_threaded_pool_init(&pool, memory, bytes), ACRE_OK);
    assert_pool_is_sound();
    return memory;
}

static void *take(size_t size)
{
    struct acre_ptr got = acre_threaded_pool_alloc(&pool, acre_layout(size, 1));
    assert_int_equal(got.status, ACRE_OK);
    return got.ptr;
}

static size_t fill(size_t size)
{
    size_t count = 0;
    struct acre_ptr got;
    while ((got = acre_threaded_pool_alloc(&pool, acre_layout(size, 1))).status == ACRE_OK) {
        assert_true(count < MOST);
        memset(got.ptr, (int)count, size);
        blocks[count++] = got.ptr;
    }
    assert_int_equal(got.status, ACRE_NO_MEMORY);
    assert_pool_is_sound();
    return count;
}

/* Memory too small for the heap itself, alone or once the rest is taken away. */
static void too_little_memory_is_no_heap(void **state)
{
    (void)state;
    char *large = open_pool(MIB);
    char *small = aligned_alloc(ACRE_THREADED_PAGE, (size_t)16 * ACRE_THREADED_PAGE);
    assert_non_null(small);
    void *block = take(100);
    assert_int_equal(acre_threaded_pool_add_memory(&pool, small, 2 * ACRE_THREADED_PAGE), ACRE_OK);
    assert_int_equal(acre_threaded_pool_dealloc(&pool, block), ACRE_OK);
    assert_int_equal(acre_threaded_pool_remove_memory(&pool, large), ACRE_OK);
    acre_threaded_pool_release_empty(&pool);
    assert_int_equal(acre_threaded_pool_alloc(&pool, acre_layout(1, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_threaded_pool_dealloc(&pool, block), ACRE_NOT_ALLOCATED);
    assert_int_equal(
        acre_threaded_pool_dealloc_sized(&pool, block, acre_layout(100, 1)), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_threaded_pool_add_memory(&pool, large, MIB), ACRE_OK);
    assert_non_null(take(100));
    for (size_t pages = 1; pages <= 16; pages++)
        if (acre_threaded_pool_init(&pool, small, pages * ACRE_THREADED_PAGE) == ACRE_OK)
            assert_non_null(take(1));
        else
            assert_int_equal(acre_threaded_pool_stats(&pool).total, 0);
    free(small);
    free(large);
}

static void a_handle_leads_to_the_pool(void **state)
{
    (void)state;
    char *memory = open_pool(MIB);
    struct acre_bytes bytes = acre_threaded_pool_bytes(&pool);
    void *ptr = acre_alloc(bytes, acre_layout(100, 1)).ptr;
    assert_int_equal(acre_threaded_pool_stats(&pool).live_blocks, 1);
    assert_int_equal(acre_dealloc(bytes, ptr), ACRE_OK);
    assert_int_equal(acre_threaded_pool_stats(&pool).live_blocks, 0);
    free(memory);
}

static void memory_is_used_up_and_returns(void **state)
{
    (void)state;
    char *memory = open_pool(MIB);
    struct acre_stats empty = acre_threaded_pool_stats(&pool);
    for (size_t size = 20; size < 200000; size = size * 7 / 2) {
        size_t count = fill(size);
        assert_true(acre_threaded_pool_stats(&pool).used > MIB * 6 / 10);
        for (size_t i = 0; i < count; i++) {
            unsigned char *block = blocks[i];
            assert_true(block[0] == (i & 0xff) && block[size - 1] == (i & 0xff));
            assert_int_equal(acre_threaded_pool_dealloc(&pool, block), ACRE_OK);
            assert_int_equal(acre_threaded_pool_dealloc(&pool, block), ACRE_NOT_ALLOCATED);
        }
        assert_pool_is_sound();
        acre_threaded_pool_release_empty(&pool);
        struct acre_stats now = acre_threaded_pool_stats(&pool);
        assert_int_equal(now.metadata, empty.metadata);
        assert_int_equal(now.available, empty.available);
        assert_int_equal(now.largest_free, empty.largest_free);
        assert_int_equal(now.live_blocks, 0);
    }
    free(memory);
}

static void regions_go_when_nothing_lies_in_them(void **state)
{
    (void)state;
    char *memory = open_pool(MIB);
    char *more = malloc(MIB);
    assert_non_null(more);
    assert_int_equal(acre_threaded_pool_add_memory(&pool, more, MIB), ACRE_OK);
    assert_int_equal(
        acre_threaded_pool_add_memory(&pool, more + MIB / 2, MIB), ACRE_MEMORY_OVERLAP);
    size_t count = fill(3000);
    assert_int_equal(acre_threaded_pool_remove_memory(&pool, memory), ACRE_INVALID_PARAM);
    assert_int_equal(acre_threaded_pool_remove_memory(&pool, more), ACRE_INVALID_PARAM);
    assert_int_equal(acre_threaded_pool_remove_memory(&pool, more + 1), ACRE_NOT_ALLOCATED);
    for (size_t i = 1; i < count; i++)
        assert_int_equal(acre_threaded_pool_dealloc(&pool, blocks[i]), ACRE_OK);
    bool first = (char *)blocks[0] >= memory && (char *)blocks[0] < memory + MIB;
    assert_int_equal(
        acre_threaded_pool_remove_memory(&pool, first ? memory : more), ACRE_INVALID_PARAM);
    assert_int_equal(acre_threaded_pool_dealloc(&pool, blocks[0]), ACRE_OK);
    assert_int_equal(acre_threaded_pool_remove_memory(&pool, memory), ACRE_OK);
    assert_pool_is_sound();
    assert_int_equal(acre_threaded_pool_stats(&pool).total, MIB);
    assert_int_equal(acre_threaded_pool_dealloc(&pool, take(5000)), ACRE_OK);
    assert_int_equal(acre_threaded_pool_remove_memory(&pool, more), ACRE_OK);
    assert_int_equal(acre_threaded_pool_stats(&pool).total, 0);
    assert_int_equal(acre_threaded_pool_alloc(&pool, acre_layout(1, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_threaded_pool_add_memory(&pool, memory, MIB), ACRE_OK);
    assert_int_equal(acre_threaded_pool_dealloc(&pool, take(5000)), ACRE_OK);
    free(more);
    free(memory);
}

struct tour {
    char *last;
    size_t live, bytes, left;
};

static bool visit(void *arg, void *start, size_t size, bool live)
{
    struct tour *tour = arg;
    assert_true((char *)start >= tour->last);
    tour->last = (char *)start + size;
    tour->live += live;
    tour->bytes += live ? size : 0;
    return --tour->left != 0;
}

static void walk_goes_by_address(void **state)
{
    (void)state;
    char *memory = open_pool(8 * MIB);
    for (size_t i = 0; i < 2000; i++)
        blocks[i] = take(i % 40 == 0 ? 40000 + i : 1 + i * 37 % 2000);
    for (size_t i = 0; i < 2000; i += 3)
        assert_int_equal(acre_threaded_pool_dealloc(&pool, blocks[i]), ACRE_OK);
    struct acre_stats stats = acre_threaded_pool_stats(&pool);
    struct tour tour = { .left = SIZE_MAX };
    acre_threaded_pool_walk(&pool, visit, &tour);
    assert_int_equal(tour.live, stats.live_blocks);
    assert_int_equal(tour.bytes, stats.used);
    tour = (struct tour){ .left = 7 };
    acre_threaded_pool_walk(&pool, visit, &tour);
    assert_int_equal(tour.left, 0);
    for (size_t i = 1; i < 2000; i += 3) {
        char *block = blocks[i];
        size_t usable = acre_threaded_pool_usable_size(&pool, block).num;
        assert_ptr_equal(acre_threaded_pool_find(&pool, block + usable - 1).start, block);
        assert_int_equal(acre_threaded_pool_find(&pool, block + usable / 2).size, usable);
    }
    assert_int_equal(acre_threaded_pool_find(&pool, blocks[0]).status, ACRE_NOT_ALLOCATED);
    free(memory);
}

static void blocks_change_size(void **state)
{
    (void)state;
    char *memory = open_pool(2 * MIB);
    char *block = take(100);
    block[0] = 7;
    assert_int_equal(acre_threaded_pool_resize(&pool, block, 50), ACRE_OK);
    assert_int_equal(
        acre_threaded_pool_dealloc_sized(&pool, block, acre_layout(200, 1)), ACRE_INVALID_PARAM);
    assert_int_equal(acre_threaded_pool_resize(&pool, block, 5000), ACRE_NO_MEMORY);
    assert_int_equal(acre_threaded_pool_stats(&pool).failed, 1);
    struct acre_ptr got = acre_threaded_pool_realloc(&pool, block, acre_layout(100000, 64));
    assert_int_equal(got.status, ACRE_OK);
    assert_int_equal(*(char *)got.ptr, 7);
    assert_int_equal(acre_threaded_pool_resize(&pool, got.ptr, 300000), ACRE_OK);
    assert_int_equal(acre_threaded_pool_stats(&pool).live_blocks, 1);
    assert_true(acre_threaded_pool_stats(&pool).used >= 300000);
    assert_int_equal(acre_threaded_pool_resize(&pool, got.ptr, 3 * MIB), ACRE_NO_MEMORY);
    assert_int_equal(
        acre_threaded_pool_realloc(&pool, got.ptr, acre_layout(3 * MIB, 1)).status, ACRE_NO_MEMORY);
    got = acre_threaded_pool_realloc(&pool, got.ptr, acre_layout(20, 1));
    assert_int_equal(*(char *)got.ptr, 7);
    assert_int_equal(acre_threaded_pool_dealloc_sized(&pool, got.ptr, acre_layout(20, 1)), ACRE_OK);
    assert_pool_is_sound();
    free(memory);
}

static void reset_forgets_blocks(void **state)
{
    (void)state;
    char *memory = open_pool(MIB);
    struct acre_stats empty = acre_threaded_pool_stats(&pool);
    size_t count = fill(500);
    acre_threaded_pool_reset(&pool);
    struct acre_stats now = acre_threaded_pool_stats(&pool);
    assert_memory_equal(&now, &empty, sizeof now);
    assert_int_equal(acre_threaded_pool_dealloc(&pool, blocks[count - 1]), ACRE_NOT_ALLOCATED);
    assert_int_equal(fill(500), count);
    free(memory);
}

struct spare {
    char *memory;
    size_t calls;
};

static bool add_spare(void *arg, struct acre_layout layout)
{
    struct spare *spare = arg;
    (void)layout;
    return spare->calls++ == 0 &&
           acre_threaded_pool_add_memory(&pool, spare->memory, MIB) == ACRE_OK;
}

static void the_handler_of_exhaustion_adds_memory(void **state)
{
    (void)state;
    char *memory = open_pool(MIB);
    struct spare spare = { .memory = malloc(MIB) };
    assert_non_null(spare.memory);
    acre_threaded_pool_set_on_exhausted(&pool, add_spare, &spare);
    assert_true(fill(1000) > 1500);
    assert_int_equal(spare.calls, 2);
    acre_threaded_pool_set_on_exhausted(&pool, NULL, NULL);
    free(spare.memory);
    free(memory);
}

/* A region of the size that is asked for serves the request. */
static void regions_of_the_stated_size_serve(void **state)
{
    (void)state;
    for (size_t size = 1; size < 3000000; size = size * 3 / 2 + 1)
        for (size_t align = 1; align <= 65536; align *= 16) {
            struct acre_layout layout = acre_layout(size, align);
            size_t bytes = acre_threaded_backing.region_size(&pool, layout);
            assert_true(bytes != 0);
            char *memory = malloc(bytes + 100);
            assert_non_null(memory);
            assert_int_equal(acre_threaded_pool_init(&pool, memory + size % 100, bytes), ACRE_OK);
            assert_int_equal(acre_threaded_pool_alloc(&pool, layout).status, ACRE_OK);
            free(memory);
        }
}

static void without_memory_there_is_nothing_to_release(void **state)
{
    (void)state;
    char *memory = open_pool(MIB);
    assert_int_equal(acre_threaded_pool_remove_memory(&pool, memory), ACRE_OK);
    acre_threaded_pool_release_empty(&pool);
    assert_int_equal(acre_threaded_pool_stats(&pool).total, 0);
    assert_int_equal(acre_threaded_pool_alloc(&pool, acre_layout(1, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_threaded_pool_add_memory(&pool, memory, MIB), ACRE_OK);
    assert_non_null(take(100));
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(too_little_memory_is_no_heap),
        cmocka_unit_test(a_handle_leads_to_the_pool),
        cmocka_unit_test(memory_is_used_up_and_returns),
        cmocka_unit_test(regions_go_when_nothing_lies_in_them),
        cmocka_unit_test(walk_goes_by_address),
        cmocka_unit_test(blocks_change_size),
        cmocka_unit_test(reset_forgets_blocks),
        cmocka_unit_test(the_handler_of_exhaustion_adds_memory),
        cmocka_unit_test(regions_of_the_stated_size_serve),
        cmocka_unit_test(without_memory_there_is_nothing_to_release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
