/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* When memory runs out: the reserve, the callback, and page sources that fail. */
#include "heap/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static size_t free_pages(void)
{
    return acre_heap_page_stats(heap).available / PAGE;
}

static void use_up_bytes(size_t size)
{
    while (acre_heap_alloc(heap, acre_layout(size, 1)).status == ACRE_OK)
        ;
    assert_heap_sound();
}

/* ---- the reserve ---- */

static void the_reserve_is_for_flagged_requests(void **state)
{
    struct acre_layout layout = acre_layout(20000, 1);
    (void)state;
    acre_heap_set_reserve(heap, 20);
    use_up_bytes(20000);
    use_up_bytes(1000);
    assert_int_equal(free_pages(), 20);
    assert_int_equal(acre_heap_stats(heap).largest_free < 1000, 1);
    assert_int_equal(acre_heap_alloc_pages(heap, 1, 1, 0).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_heap_alloc_pages(heap, 0, 1, 0).status, ACRE_INVALID_PARAM);
    void *block = acre_heap_alloc_flags(heap, layout, ACRE_HEAP_RESERVE).ptr;
    assert_non_null(block);
    assert_true(free_pages() < 20);
    uintptr_t page = acre_heap_alloc_pages(heap, 1, 1, ACRE_HEAP_RESERVE).num;
    assert_int_not_equal(page, 0);
    assert_int_equal(acre_heap_alloc_pages(heap, 1, 1, 0).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_heap_dealloc_pages(heap, page, 1), ACRE_OK);
    give(block);
    acre_heap_release_empty(heap);
    assert_int_equal(free_pages(), 20);
}

/* A flagged request takes of the reserve what it needs, and leaves none of it to others. */
static void the_reserve_is_not_spent_on_a_chunk(void **state)
{
    (void)state;
    size_t pages = free_pages();
    acre_heap_set_reserve(heap, pages);
    assert_int_equal(acre_heap_alloc(heap, acre_layout(100, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(
        acre_heap_alloc_flags(heap, acre_layout(100, 1), ACRE_HEAP_RESERVE).status, ACRE_OK);
    assert_int_equal(free_pages(), pages - 1);
    use_up_bytes(5000);
    assert_int_equal(free_pages(), pages - 1);
}

/* What is wrong with a request does not depend on the reserve. */
static void the_reserve_hides_no_mistake(void **state)
{
    uintptr_t page = (uintptr_t)world.memory + 100 * PAGE;
    (void)state;
    acre_heap_set_reserve(heap, SIZE_MAX);
    assert_int_equal(acre_heap_alloc_pages_at(heap, page, 1, 1, 0).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_heap_alloc_pages_at(heap, page, 1, 3, 0).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_heap_alloc_pages_at(heap, page, 0, 1, 0).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_heap_alloc_pages_at(heap, page + 64, 1, 1, 0).status, ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_heap_alloc_pages_at(heap, page | PAGE, 1, 2 * PAGE, 0).status, ACRE_INVALID_PARAM);
}

/* What comes back fills the reserve first. */
static void the_reserve_fills_up_again(void **state)
{
    uintptr_t pages[WORLD_PAGES];
    size_t count = 0;
    struct acre_num got;
    (void)state;
    while ((got = acre_heap_alloc_pages(heap, 1, 1, 0)).status == ACRE_OK)
        pages[count++] = got.num;
    acre_heap_set_reserve(heap, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(acre_heap_dealloc_pages(heap, pages[i], 1), ACRE_OK);
        assert_int_equal(acre_heap_alloc(heap, acre_layout(100, 1)).status, ACRE_NO_MEMORY);
        assert_int_equal(acre_heap_alloc_pages_at(heap, pages[i], 1, 1, 0).status, ACRE_NO_MEMORY);
    }
    assert_int_equal(acre_heap_dealloc_pages(heap, pages[5], 1), ACRE_OK);
    assert_int_equal(acre_heap_alloc_pages_at(heap, pages[5], 1, 1, 0).status, ACRE_OK);
    assert_int_equal(
        acre_heap_alloc_pages_at(heap, pages[0], 1, 1, ACRE_HEAP_RESERVE).status, ACRE_OK);
    acre_heap_set_reserve(heap, 0);
    assert_int_equal(acre_heap_alloc(heap, acre_layout(100, 1)).status, ACRE_OK);
    assert_heap_sound();
}

/* ---- the callback ---- */

static struct {
    size_t calls;
    size_t yes; /* calls to answer with true */
    struct acre_layout layout;
    void *spare;         /* freed at a call, if not null */
    uintptr_t spare_run; /* 32 pages, given back at a call, if not 0 */
    void *region;        /* added at a call, if not null */
} asked;

static bool ask(void *arg, struct acre_layout layout)
{
    assert_ptr_equal(arg, heap);
    asked.layout = layout;
    if (asked.spare != NULL)
        assert_int_equal(acre_heap_dealloc(heap, asked.spare), ACRE_OK);
    if (asked.spare_run != 0)
        assert_int_equal(acre_heap_dealloc_pages(heap, asked.spare_run, 32), ACRE_OK);
    if (asked.region != NULL)
        assert_int_equal(acre_heap_add_memory(heap, asked.region, 64 * PAGE), ACRE_OK);
    asked.spare = NULL;
    asked.spare_run = 0;
    asked.region = NULL;
    return ++asked.calls <= asked.yes;
}

static int make_asking(void **state)
{
    int bad = world_make(state);
    memset(&asked, 0, sizeof asked);
    acre_heap_set_on_exhausted(heap, ask, heap);
    return bad;
}

static void the_callback_is_asked_and_obeyed(void **state)
{
    (void)state;
    use_up_bytes(1000);
    assert_int_equal(asked.calls, 1);
    assert_int_equal(asked.layout.size, 1000);
    asked.yes = 3;
    size_t failed = acre_heap_stats(heap).failed;
    assert_int_equal(acre_heap_alloc(heap, acre_layout(2000, 64)).status, ACRE_NO_MEMORY);
    assert_int_equal(asked.calls, 4);
    assert_int_equal(asked.layout.align, 64);
    assert_int_equal(acre_heap_stats(heap).failed, failed + 1);
    asked.calls = 0;
    asked.yes = SIZE_MAX;
    assert_int_equal(acre_heap_alloc(heap, acre_layout(2000, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(asked.calls, ACRE_EXHAUSTED_RETRIES);
    assert_int_equal(acre_heap_alloc_pages(heap, 2, PAGE, 0).status, ACRE_NO_MEMORY);
    assert_int_equal(asked.layout.size, 2 * PAGE);
    assert_int_equal(asked.layout.align, PAGE);
    assert_int_equal(acre_heap_alloc_pages(heap, SIZE_MAX, 1, 0).status, ACRE_NO_MEMORY);
    assert_int_equal(asked.layout.size, SIZE_MAX);
    assert_int_equal(acre_heap_alloc(heap, acre_layout(1, 3)).status, ACRE_INVALID_PARAM);
    assert_int_equal(asked.calls, 3 * ACRE_EXHAUSTED_RETRIES);
}

static void the_callback_may_free_and_add(void **state)
{
    static _Alignas(PAGE) unsigned char more[64 * PAGE];
    (void)state;
    asked.spare_run = acre_heap_alloc_pages(heap, 32, 1, 0).num;
    uintptr_t run = asked.spare_run;
    asked.spare_run = 0;
    void *spare = take(5000);
    use_up_bytes(1000);
    use_up_bytes(1);
    asked.calls = 0;
    asked.yes = 1;
    asked.spare = spare;
    assert_ptr_equal(take(5000), spare);
    asked.calls = 0;
    asked.spare_run = run;
    void *block = take(60000);
    assert_true((uintptr_t)block - run < 32 * PAGE);
    asked.calls = 0;
    asked.region = more;
    take(100000);
    while (acre_heap_alloc_pages(heap, 1, 1, 0).status == ACRE_OK)
        ;
    asked.calls = 0;
    asked.spare = block;
    assert_int_equal(acre_heap_alloc_pages(heap, 15, 1, 0).status, ACRE_OK);
    assert_int_equal(asked.calls, 1);
}

static void realloc_asks_too(void **state)
{
    (void)state;
    void *spare = take(50000);
    unsigned char *block = take(100);
    take(1);
    memset(block, 7, 100);
    use_up_bytes(1000);
    use_up_bytes(1);
    asked.calls = 0;
    asked.yes = 1;
    asked.spare = spare;
    struct acre_ptr got = acre_heap_realloc(heap, block, acre_layout(40000, 1));
    assert_int_equal(got.status, ACRE_OK);
    assert_int_equal(asked.calls, 1);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(((unsigned char *)got.ptr)[i], 7);
    assert_int_equal(
        acre_heap_realloc(heap, got.ptr, acre_layout(100, 3)).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_heap_realloc(heap, &asked, acre_layout(1, 1)).status, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_heap_realloc(heap, NULL, acre_layout(1, 1)).status, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_heap_resize(heap, got.ptr, SIZE_MAX), ACRE_NO_MEMORY);
    assert_heap_sound();
}

/* ---- page sources that fail ---- */

/* The nth search of pages fails, for every n that a run of requests makes: each request is served
 * by another size, or refused without a trace. */
static void every_search_fails_once(void **state)
{
    (void)state;
    for (size_t nth = 1;; nth++) {
        assert_int_equal(world_make_guarded(NULL), 0);
        world.turnstile.refuse_nth = nth;
        for (size_t size = 10; size < 100000; size = size * 3 / 2) {
            struct acre_ptr got = acre_heap_alloc(heap, acre_layout(size, 1));
            assert_int_equal(got.status == ACRE_OK || size > 10000, 1);
            assert_heap_sound();
        }
        if (world.turnstile.refuse_nth != 0) {
            assert_true(nth > 3);
            return;
        }
    }
}

static void a_dead_source_changes_nothing(void **state)
{
    (void)state;
    void *block = take(100);
    world.turnstile.refuse_from = 1;
    world_save();
    for (size_t size = 40000; size < SIZE_MAX / 2; size *= 2)
        assert_int_equal(acre_heap_alloc(heap, acre_layout(size, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_heap_realloc(heap, block, acre_layout(40000, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_heap_alloc_pages(heap, 1, 1, 0).status, ACRE_NO_MEMORY);
    assert_int_equal(
        acre_heap_alloc_pages_at(heap, (uintptr_t)world.memory + 100 * PAGE, 1, 1, 0).status,
        ACRE_NO_MEMORY);
    assert_world_unchanged();
}

/* A byte allocator that takes no more regions: the pages that were for it go back. */
static enum acre_status refuse_region(void *self, void *start, size_t size)
{
    (void)self;
    (void)start;
    (void)size;
    return ACRE_MEMORY_OVERLAP;
}

static void a_refused_region_goes_back(void **state)
{
    static struct acre_bytes_ops ops;
    (void)state;
    struct acre_backing backing = *heap->parts.backing;
    ops = *backing.ops;
    ops.base.add_memory = refuse_region;
    backing.ops = &ops;
    backing.add_adjacent = refuse_region;
    heap->bytes.ops = &ops;
    heap->parts.backing = &backing;
    assert_int_equal(acre_heap_alloc(heap, acre_layout(1, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_heap_page_stats(heap).used, 0);
    assert_int_equal(acre_heap_stats(heap).failed, 1);
    assert_heap_sound();
}

/* A region that does not serve what it was taken for is empty, and goes back. */
static size_t region_too_small(const void *self, struct acre_layout layout)
{
    (void)self;
    return layout.size / 2;
}

static size_t region_too_large(const void *self, struct acre_layout layout)
{
    (void)self, (void)layout;
    return SIZE_MAX - 1;
}

static void a_region_in_vain_goes_back(void **state)
{
    (void)state;
    struct acre_backing backing = *heap->parts.backing;
    backing.region_size = region_too_small;
    heap->parts.backing = &backing;
    assert_int_equal(acre_heap_alloc(heap, acre_layout(100000, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_heap_page_stats(heap).used, 0);
    backing.region_size = region_too_large;
    assert_int_equal(acre_heap_alloc(heap, acre_layout(1, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_heap_page_stats(heap).used, 0);
    assert_heap_sound();
}

static void setup_refuses_what_cannot_work(void **state)
{
    (void)state;
    struct acre_heap_parts parts = heap->parts;
    parts.backing = NULL;
    world_save();
    assert_int_equal(acre_heap_setup(heap, &parts), ACRE_INVALID_PARAM);
    assert_int_equal(acre_heap_tlsf_setup(&world.own, ACRE_NATURAL_ALIGN / 2), ACRE_INVALID_PARAM);
    assert_int_equal(acre_heap_tlsf_setup(&world.own, 100), ACRE_INVALID_PARAM);
    assert_int_equal(acre_heap_add_memory(heap, heap, 1 << 16), ACRE_MEMORY_OVERLAP);
    assert_world_unchanged();
    struct acre_bitmap tiny = { 0 };
    assert_int_equal(acre_bitmap_setup(&tiny, 4), ACRE_OK);
    parts = heap->parts;
    parts.pages = acre_bitmap_pages(&tiny);
    assert_int_equal(acre_heap_setup(heap, &parts), ACRE_INVALID_PARAM);
    assert_world_unchanged();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_reserve_is_for_flagged_requests, world_make),
        cmocka_unit_test_setup(the_reserve_fills_up_again, world_make),
        cmocka_unit_test_setup(the_reserve_is_not_spent_on_a_chunk, world_make),
        cmocka_unit_test_setup(the_reserve_hides_no_mistake, world_make),
        cmocka_unit_test_setup(the_callback_is_asked_and_obeyed, make_asking),
        cmocka_unit_test_setup(the_callback_may_free_and_add, make_asking),
        cmocka_unit_test_setup(realloc_asks_too, make_asking),
        cmocka_unit_test_setup(every_search_fails_once, world_make_guarded),
        cmocka_unit_test_setup(a_dead_source_changes_nothing, world_make_guarded),
        cmocka_unit_test_setup(a_refused_region_goes_back, world_make),
        cmocka_unit_test_setup(a_region_in_vain_goes_back, world_make),
        cmocka_unit_test_setup(a_refused_region_goes_back, world_make_locked),
        cmocka_unit_test_setup(a_region_in_vain_goes_back, world_make_locked),
        cmocka_unit_test_setup(setup_refuses_what_cannot_work, world_make),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
