/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The threaded heap over other parts than the world of these tests has, and conditions decided
 * alone: pages that tell little, records that run out, memory that is zero, callbacks. */
#include "threaded/threaded_private.h"

#include <acre/bitmap.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PAGE = ACRE_THREADED_PAGE, PAGES = 256, META_PAGES = 64, MOST = 1 << 15 };

/* Two bitmaps of pages, or one for both. */
static struct {
    struct acre_threaded threaded;
    struct acre_bitmap pages;
    struct acre_bitmap meta;
    unsigned char *memory;
    unsigned char *meta_memory;
    size_t taken, released; /* bytes */
} world;

static size_t discarded; /* bytes, of all worlds */

static void *blocks[MOST];

static unsigned char *open_pages(struct acre_bitmap *bitmap, size_t pages)
{
    unsigned char *memory = aligned_alloc(PAGE, pages * PAGE);
    assert_non_null(memory);
    memset(memory, 0, pages * PAGE);
    assert_int_equal(acre_bitmap_setup(bitmap, PAGE), ACRE_OK);
    assert_int_equal(acre_bitmap_init(bitmap, memory, pages * PAGE), ACRE_OK);
    return memory;
}

static struct acre_threaded_env open_world(size_t pages, size_t meta)
{
    memset(&world, 0, sizeof world);
    world.memory = open_pages(&world.pages, pages);
    if (meta != 0)
        world.meta_memory = open_pages(&world.meta, meta);
    return (struct acre_threaded_env){
        .pages = acre_bitmap_pages(&world.pages),
        .meta = acre_bitmap_pages(meta != 0 ? &world.meta : &world.pages),
        .arg = &world,
    };
}

static struct acre_thread_heap *attach(const struct acre_threaded_env *env)
{
    assert_int_equal(acre_threaded_setup(&world.threaded, env), ACRE_OK);
    struct acre_thread_heap *heap = acre_threaded_attach(&world.threaded);
    assert_non_null(heap);
    return heap;
}

static int close_world(void **state)
{
    (void)state;
    free(world.memory);
    free(world.meta_memory);
    return 0;
}

static void assert_sound(void)
{
    struct acre_check_result found = acre_threaded_check(&world.threaded);
    if (found.invariant != NULL)
        fail_msg("%s at %p", found.invariant, found.where);
}

static void *take(struct acre_thread_heap *heap, size_t size, size_t align)
{
    return acre_threaded_alloc(heap, acre_layout(size, align)).ptr;
}

static size_t fill(struct acre_thread_heap *heap, size_t size)
{
    size_t count = 0;
    while (count < MOST && (blocks[count] = take(heap, size, 1)) != NULL)
        count++;
    return count;
}

static void give_all(struct acre_thread_heap *heap, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(acre_threaded_dealloc(heap, blocks[i]), ACRE_OK);
}

/* ---- one page allocator for both; statistics ---- */

static void records_among_the_pages(void **state)
{
    (void)state;
    struct acre_threaded_env env = open_world(PAGES, 0);
    struct acre_thread_heap *heap = attach(&env);
    void *block = take(heap, 100, 1);
    struct acre_stats stats = acre_threaded_stats(&world.threaded);
    struct acre_stats pages = acre_stats(acre_pages_base(env.pages));
    assert_int_equal(stats.total, pages.total);
    assert_int_equal(stats.metadata, pages.metadata + world.threaded.meta_bytes);
    assert_int_equal(stats.total, stats.metadata + stats.used + stats.available);
    assert_int_equal(stats.live_blocks, 1);
    assert_int_equal(acre_threaded_dealloc(heap, block), ACRE_OK);
    assert_sound();
}

static struct acre_stats tell_no_peak(const void *self)
{
    struct acre_stats stats = acre_bitmap_stats(self);
    stats.peak = 0;
    return stats;
}

/* A page allocator that keeps no peak: what is used now is the least that it was. */
static void pages_without_a_peak(void **state)
{
    (void)state;
    struct acre_threaded_env env = open_world(PAGES, META_PAGES);
    struct acre_pages_ops ops = *env.pages.ops;
    ops.base.stats = tell_no_peak;
    env.pages.ops = &ops;
    struct acre_thread_heap *heap = attach(&env);
    void *block = take(heap, 100, 1);
    struct acre_stats stats = acre_threaded_stats(&world.threaded);
    assert_true(stats.used >= 100);
    assert_int_equal(stats.peak, stats.used);
    assert_int_equal(acre_threaded_dealloc(heap, block), ACRE_OK);
}

/* ---- callbacks and settings ---- */

static void count_taken(void *arg, void *start, size_t bytes)
{
    assert_ptr_equal(arg, &world);
    assert_true((unsigned char *)start >= world.memory);
    world.taken += bytes;
}

static void count_released(void *arg, void *start, size_t bytes)
{
    assert_ptr_equal(arg, &world);
    assert_non_null(start);
    world.released += bytes;
}

static void pages_taken_and_released_are_told(void **state)
{
    (void)state;
    struct acre_threaded_env env = open_world(PAGES, META_PAGES);
    env.taken = count_taken;
    env.released = count_released;
    struct acre_thread_heap *heap = attach(&env);
    give_all(heap, fill(heap, 5000));
    (void)acre_threaded_release_empty(heap);
    assert_int_equal(world.taken - world.released, acre_bitmap_stats(&world.pages).used);
    assert_true(world.taken > (PAGES - 16) * (size_t)PAGE);
}

/* No fast path serves, and no window is kept. */
static void slow_and_not_hardened(void **state)
{
    (void)state;
    struct acre_threaded_env env = open_world(PAGES, META_PAGES);
    env.hardening.slow = true;
    struct acre_thread_heap *heap = attach(&env);
    size_t count = fill(heap, 100);
    assert_true(count > 1000);
    assert_int_equal(heap->window.pages, 0);
    give_all(heap, count);
    assert_int_equal(acre_threaded_stats(&world.threaded).used, 0);
    assert_sound();
}

/* Pages that are zero are not cleared for records, and those given back are. */
static void records_over_zero_pages(void **state)
{
    (void)state;
    struct acre_threaded_env env = open_world(16 * PAGES, META_PAGES);
    env.meta_is_zero = true;
    struct acre_thread_heap *heap = attach(&env);
    size_t count = fill(heap, 4000);
    assert_true(heap->window.pages > PAGES); /* it has grown, and given pages back */
    assert_sound();
    give_all(heap, count);
    (void)acre_threaded_release_empty(heap);
    assert_sound();
    size_t zeros = 0;
    uintptr_t page = acre_bitmap_alloc_pages(&world.meta, 1, PAGE).num;
    for (size_t i = 0; i < PAGE; i++)
        zeros += ((unsigned char *)page)[i] == 0;
    assert_int_equal(zeros, PAGE);
}

/* ---- memory that runs out ---- */

/* Records run out before pages do: requests are refused, and nothing is lost. */
static void records_run_out(void **state)
{
    (void)state;
    for (size_t meta = 2; meta < 24; meta++) {
        struct acre_threaded_env env = open_world(4 * PAGES, meta);
        assert_int_equal(acre_threaded_setup(&world.threaded, &env), ACRE_OK);
        struct acre_thread_heap *heap = acre_threaded_attach(&world.threaded);
        if (heap != NULL) {
            size_t count = fill(heap, PAGE);
            assert_sound();
            give_all(heap, count);
            (void)acre_threaded_release_empty(heap);
            assert_int_equal(acre_bitmap_stats(&world.pages).used, 0);
        }
        close_world(NULL);
    }
    memset(&world, 0, sizeof world);
}

/* Empty slabs of one class make room for blocks of another kind. */
static void empty_slabs_make_room(void **state)
{
    (void)state;
    struct acre_threaded_env env = open_world(PAGES, META_PAGES);
    struct acre_thread_heap *heap = attach(&env);
    give_all(heap, fill(heap, 64));
    void *large = take(heap, (PAGES / 2) * (size_t)PAGE, 1);
    assert_non_null(large);
    assert_int_equal(acre_threaded_dealloc(heap, large), ACRE_OK);
    give_all(heap, fill(heap, 64));
    assert_true(fill(heap, 30000) > 10);
    assert_sound();
}

/* A run that a thread has kept does not serve a larger alignment. */
static void kept_runs_have_their_alignment(void **state)
{
    enum { RUN = 5 * PAGE, ALIGN = 16 * PAGE };
    (void)state;
    struct acre_threaded_env env = open_world(PAGES, META_PAGES);
    struct acre_thread_heap *heap = attach(&env);
    for (size_t i = 0; i < 8; i++)
        blocks[i] = take(heap, RUN, 1);
    give_all(heap, 8);
    void *aligned = take(heap, RUN, ALIGN);
    assert_int_equal((uintptr_t)aligned % ALIGN, 0);
    assert_int_equal(acre_threaded_dealloc(heap, aligned), ACRE_OK);
    assert_sound();
}

static void a_smaller_class_keeps_the_first_bytes(void **state)
{
    (void)state;
    struct acre_threaded_env env = open_world(PAGES, META_PAGES);
    struct acre_thread_heap *heap = attach(&env);
    unsigned char *block = take(heap, 5000, 1);
    memset(block, 0x3d, 5000);
    unsigned char *moved = acre_threaded_realloc(heap, block, acre_layout(40, 1)).ptr;
    assert_ptr_not_equal(moved, block);
    for (size_t i = 0; i < 40; i++)
        assert_int_equal(moved[i], 0x3d);
    assert_int_equal(acre_threaded_usable_size(&world.threaded, block).status, ACRE_NOT_ALLOCATED);
}

/* ---- fork ---- */

static void a_fork_leaves_heaps_without_a_thread_alone(void **state)
{
    (void)state;
    struct acre_threaded_env env = open_world(PAGES, META_PAGES);
    struct acre_thread_heap *own = attach(&env);
    struct acre_thread_heap *other = acre_threaded_attach(&world.threaded);
    struct acre_thread_heap *third = acre_threaded_attach(&world.threaded);
    acre_threaded_detach(third);
    size_t abandoned = world.threaded.abandoned_count;
    acre_threaded_after_fork(&world.threaded, own);
    assert_int_equal(world.threaded.abandoned_count, abandoned + 1);
    assert_ptr_equal(world.threaded.abandoned, other);
    assert_ptr_equal(other->next_abandoned, third);
    assert_sound();
}

/* ---- the map ---- */

/* From the second page of a slab on, the next slab is found. */
static void the_next_slab_of_the_map(void **state)
{
    (void)state;
    struct acre_threaded_env env = open_world(PAGES, META_PAGES);
    struct acre_thread_heap *heap = attach(&env);
    void *low = take(heap, 5 * PAGE, 1);
    void *high = take(heap, 5 * PAGE, 1);
    uintptr_t first = (uintptr_t)(low < high ? low : high) / PAGE;
    uintptr_t last = (uintptr_t)(low < high ? high : low) / PAGE;
    assert_int_equal(acre_threaded_slab_from(&world.threaded, first)->start / PAGE, first);
    assert_int_equal(acre_threaded_slab_from(&world.threaded, first + 1)->start / PAGE, last);
    assert_null(acre_threaded_slab_from(&world.threaded, last + 1));
    const struct acre_threaded_slab *lowest = acre_threaded_slab_from(&world.threaded, 0);
    assert_int_equal(lowest->start / PAGE, first);
    void *object = take(heap, 20000, 1);
    const struct acre_threaded_slab *slab = threaded_slab_of(&world.threaded, (uintptr_t)object);
    assert_true(slab->pages > 1);
    assert_ptr_not_equal(acre_threaded_slab_from(&world.threaded, slab->start / PAGE + 1), slab);
}

/* ---- sweeps ---- */

static void discard(void *arg, void *start, size_t bytes)
{
    assert_ptr_equal(arg, &world);
    assert_int_equal((uintptr_t)start % 512, 0);
    discarded += bytes;
    memset(start, 0xdd, bytes);
}

/* Units so small that a slab has more than a mask has bits; objects of few bytes; slabs that are
 * all in use. */
static void sweeps_of_small_units(void **state)
{
    static const size_t sizes[] = { 16, 48, 1200, 30000 };
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct acre_threaded_env env = open_world(8 * PAGES, 4 * META_PAGES);
        env.discard = discard;
        env.discard_page = 512;
        struct acre_thread_heap *heap = attach(&env);
        void *first = NULL;
        for (void *block; (block = take(heap, sizes[i], 1)) != NULL; first = block)
            *(void **)block = first;
        size_t number = 0;
        for (void **block = first, **next; block != NULL; block = next) {
            next = *block;
            if (++number % 16 != 0)
                assert_int_equal(acre_threaded_dealloc(heap, block), ACRE_OK);
        }
        assert_sound();
        close_world(NULL);
    }
    assert_true(discarded != 0);
    memset(&world, 0, sizeof world);
}

/* A sweep over no slab at all, and one that is far off already when discarded memory is used
 * again. */
static void sweeps_without_work(void **state)
{
    enum { FAR = 1 << 16 };
    (void)state;
    struct acre_threaded_env env = open_world(PAGES, META_PAGES);
    env.discard = discard;
    env.discard_page = 512;
    struct acre_thread_heap *heap = attach(&env);
    acre_threaded_sweep(heap);
    assert_null(heap->sweep.next);
    assert_int_equal(heap->sweep.wait, heap->sweep.interval);
    void *block = take(heap, 100, 1);
    struct acre_threaded_slab *slab = threaded_slab_of(&world.threaded, (uintptr_t)block);
    heap->sweep.wait = FAR;
    slab->discarded = 1;
    acre_threaded_sweep_ended(heap, slab);
    assert_int_equal(heap->sweep.wait, FAR);
    assert_int_equal(slab->discarded, 0);
    assert_sound();
}

/* Empty slabs of each medium class, and a block of each other one: what a slab lacks, pages or
 * groups of its record, it does not serve. */
static void empty_slabs_of_other_classes(void **state)
{
    enum { FIRST = 260, LAST = 32768 };
    (void)state;
    struct acre_threaded_env env = open_world(8 * PAGES, 4 * META_PAGES);
    struct acre_thread_heap *heap = attach(&env);
    for (size_t size = FIRST; size <= LAST; size = size * 5 / 4) {
        for (size_t other = FIRST; other <= LAST; other = other * 5 / 4) {
            size_t count = 0;
            while (count < 300 && count * size < 400000)
                blocks[count++] = take(heap, size, 1);
            give_all(heap, count);
            unsigned char *block = take(heap, other, 1);
            assert_non_null(block);
            memset(block, 1, other);
            assert_int_equal(acre_threaded_dealloc(heap, block), ACRE_OK);
        }
        assert_sound();
        (void)acre_threaded_release_empty(heap);
    }
    assert_int_equal(acre_threaded_stats(&world.threaded).used, 0);
}

/* Many slabs of a small class, beside empty ones of as many pages whose records have fewer groups. */
static void records_with_too_few_groups(void **state)
{
    static const size_t large[] = { 18000, 20000, 24000, 28000, 32000 };
    static const size_t small[] = { 320, 520, 1100 };
    (void)state;
    for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
        struct acre_threaded_env env = open_world(8 * PAGES, 4 * META_PAGES);
        struct acre_thread_heap *heap = attach(&env);
        for (size_t k = 0; k < sizeof large / sizeof *large; k++) {
            for (size_t n = 0; n < 80; n++)
                blocks[n] = take(heap, large[k], 1);
            give_all(heap, 80);
        }
        for (size_t n = 0; n < 6000; n++) {
            blocks[n] = take(heap, small[i], 1);
            memset(blocks[n], (int)n, small[i]);
        }
        assert_sound();
        for (size_t n = 0; n < 6000; n++)
            assert_int_equal(((unsigned char *)blocks[n])[small[i] - 1], n & 0xff);
        give_all(heap, 6000);
        close_world(NULL);
    }
    memset(&world, 0, sizeof world);
}

static bool has_leaf(uintptr_t address)
{
    uintptr_t page = address / PAGE;
    const struct acre_threaded_node *node =
        atomic_load(&world.threaded.root[page >> (THREADED_LEAF_LOG2 + THREADED_MIDDLE_LOG2)]);
    size_t mask = ((size_t)1 << THREADED_MIDDLE_LOG2) - 1;
    if (node != NULL && THREADED_HAS_MIDDLE)
        node = threaded_entry(node, (page >> THREADED_LEAF_LOG2) & mask);
    return node != NULL;
}

/* Nodes are made for the pages given and for no other. */
static void the_map_is_made_for_these_pages(void **state)
{
    const uintptr_t leaf = (uintptr_t)PAGE << THREADED_LEAF_LOG2;
    const uintptr_t end = 100 * leaf;
    (void)state;
    struct acre_threaded_env env = open_world(PAGES, META_PAGES);
    (void)attach(&env);
    assert_true(acre_threaded_map_reserve(&world.threaded, end - PAGE, 1));
    assert_true(has_leaf(end - PAGE));
    assert_false(has_leaf(end));
    assert_false(has_leaf(end - PAGE - leaf));
    assert_true(acre_threaded_map_reserve(&world.threaded, end - PAGE, 2 + (leaf / PAGE)));
    assert_true(has_leaf(end));
    assert_true(has_leaf(end + leaf));
    assert_false(has_leaf(end + 2 * leaf));
}

/* A sized free of the size asked for takes the short way, for each class. */
static void sized_frees_take_the_short_way(void **state)
{
    (void)state;
    struct acre_threaded_env env = open_world(PAGES, META_PAGES);
    struct acre_thread_heap *heap = attach(&env);
    for (size_t size = 1; size <= 20000; size += 1 + size / 3) {
        struct acre_layout layout = acre_layout(size, ACRE_THREADED_UNIT);
        void *kept = take(heap, size, 1);
        void *block = take(heap, size, 1);
        assert_false(threaded_dealloc_sized_fast(heap, block, acre_layout(2 * size + 600, 1)));
        assert_true(threaded_dealloc_sized_fast(heap, block, layout));
        assert_int_equal(
            acre_threaded_usable_size(&world.threaded, block).status, ACRE_NOT_ALLOCATED);
        assert_int_equal(acre_threaded_dealloc(heap, kept), ACRE_OK);
    }
    assert_sound();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(records_among_the_pages, close_world),
        cmocka_unit_test_teardown(pages_without_a_peak, close_world),
        cmocka_unit_test_teardown(pages_taken_and_released_are_told, close_world),
        cmocka_unit_test_teardown(slow_and_not_hardened, close_world),
        cmocka_unit_test_teardown(records_over_zero_pages, close_world),
        cmocka_unit_test_teardown(records_run_out, close_world),
        cmocka_unit_test_teardown(empty_slabs_make_room, close_world),
        cmocka_unit_test_teardown(kept_runs_have_their_alignment, close_world),
        cmocka_unit_test_teardown(a_smaller_class_keeps_the_first_bytes, close_world),
        cmocka_unit_test_teardown(a_fork_leaves_heaps_without_a_thread_alone, close_world),
        cmocka_unit_test_teardown(the_next_slab_of_the_map, close_world),
        cmocka_unit_test_teardown(sweeps_of_small_units, close_world),
        cmocka_unit_test_teardown(sweeps_without_work, close_world),
        cmocka_unit_test_teardown(empty_slabs_of_other_classes, close_world),
        cmocka_unit_test_teardown(records_with_too_few_groups, close_world),
        cmocka_unit_test_teardown(the_map_is_made_for_these_pages, close_world),
        cmocka_unit_test_teardown(sized_frees_take_the_short_way, close_world),
    };
    return cmocka_run_group_tests_name("threaded.conditions", tests, NULL, NULL);
}
