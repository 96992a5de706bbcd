/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The table that layers above read of each byte allocator: what each slot promises. */
#include <acre/arena.h>
#include <acre/buddy.h>
#include <acre/heap.h>
#include <acre/slab.h>
#include <acre/threaded_pool.h>
#include <acre/tlsf_quick.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 1 << 20, BLOCKS = 40 };

/* Each backing's control structure starts zeroed. */
static union {
    struct acre_tlsf tlsf;
    struct acre_tlsf_quick tlsf_quick;
    struct acre_slab slab;
    struct acre_buddy buddy;
    struct acre_arena arena;
    struct acre_threaded_pool threaded;
    struct acre_heap_tlsf heap_tlsf;
    struct acre_heap_buddy heap_buddy;
    struct acre_heap_slab heap_slab;
} control;
static _Alignas(4096) unsigned char memory[2 * SIZE];

/* How a zeroed control becomes one whose handle serves: a heap's parts are set up. */
static void set_up_nothing(void)
{
}

static void set_up_heap_tlsf(void)
{
    assert_ptr_equal(acre_heap_over_tlsf(&control.heap_tlsf), &control);
    assert_ptr_equal(acre_heap_over_tlsf(&control.heap_tlsf), &control);
}

static void set_up_heap_buddy(void)
{
    assert_ptr_equal(acre_heap_over_buddy(&control.heap_buddy), &control);
    assert_ptr_equal(acre_heap_over_buddy(&control.heap_buddy), &control);
}

static void set_up_heap_slab(void)
{
    assert_ptr_equal(acre_heap_over_slab(&control.heap_slab), &control);
    assert_ptr_equal(acre_heap_over_slab(&control.heap_slab), &control);
}

static const struct {
    const struct acre_backing *backing;
    void (*set_up)(void);
} subjects[] = {
    { &acre_tlsf_backing, set_up_nothing },
    { &acre_tlsf_quick_backing, set_up_nothing },
    { &acre_slab_backing, set_up_nothing },
    { &acre_buddy_backing, set_up_nothing },
    { &acre_arena_backing, set_up_nothing },
    { &acre_threaded_backing, set_up_nothing },
    { &acre_heap_tlsf_backing, set_up_heap_tlsf },
    { &acre_heap_buddy_backing, set_up_heap_buddy },
    { &acre_heap_slab_backing, set_up_heap_slab },
};
enum { SUBJECTS = sizeof subjects / sizeof *subjects };

static const struct acre_backing *backing;
static struct acre_bytes bytes;

static void start(size_t subject)
{
    backing = subjects[subject].backing;
    assert_true(backing->size <= sizeof control);
    memset(&control, 0, sizeof control);
    subjects[subject].set_up();
    bytes = (struct acre_bytes){ backing->ops, &control };
}

static void assert_backing_sound(void)
{
    struct acre_check_result found = acre_bytes_check(bytes);
    if (found.invariant != NULL)
        fail_msg("%s at %p", found.invariant, found.where);
}

/* ---- sizes ---- */

/* The region that is said to serve a request does, from an aligned start and from an odd one. */
static void a_region_of_that_size_serves(void **state)
{
    static const size_t sizes[] = { 0, 1, 100, 5000, 100000 };
    static const size_t aligns[] = { 1, 64, 8192 };
    (void)state;
    for (size_t subject = 0; subject < SUBJECTS; subject++)
        for (size_t i = 0; i < 5; i++)
            for (size_t j = 0; j < 3; j++)
                for (size_t skip = 0; skip < 80; skip += 13) {
                    struct acre_layout layout = acre_layout(sizes[i], aligns[j]);
                    start(subject);
                    size_t size = backing->region_size(&control, layout);
                    assert_in_range(size, sizes[i] + 1, sizeof memory - skip);
                    assert_int_equal(acre_bytes_add_memory(bytes, memory + skip, size), ACRE_OK);
                    assert_int_equal(acre_alloc(bytes, layout).status, ACRE_OK);
                    assert_backing_sound();
                }
}

/* It does not decrease, and is 0 where no region is large enough. */
static void region_sizes_ascend(void **state)
{
    (void)state;
    for (size_t subject = 0; subject < SUBJECTS; subject++) {
        start(subject);
        size_t before = 0;
        for (size_t size = 0; size < SIZE_MAX / 64; size += 1 + size / 3) {
            size_t region = backing->region_size(&control, acre_layout(size, 1));
            assert_true(region >= before || region == 0);
            if (region == 0)
                break;
            before = region;
        }
        for (size_t bit = 0; bit < 2; bit++) {
            assert_int_equal(backing->region_size(&control, acre_layout(SIZE_MAX >> bit, 1)), 0);
            assert_int_equal(
                backing->region_size(&control, acre_layout(1, (SIZE_MAX / 2 + 1) >> bit)), 0);
        }
        assert_int_equal(
            backing->region_size(&control, acre_layout(SIZE_MAX, SIZE_MAX / 2 + 1)), 0);
    }
}

/* ---- regions ---- */

/* Two regions side by side: the second is added as a neighbour, with its metadata inside. */
static void a_neighbour_is_added(void **state)
{
    (void)state;
    for (size_t subject = 0; subject < SUBJECTS; subject++) {
        start(subject);
        assert_int_equal(acre_bytes_add_memory(bytes, memory, SIZE), ACRE_OK);
        assert_int_equal(backing->add_adjacent(&control, memory + SIZE, SIZE), ACRE_OK);
        assert_int_equal(backing->add_adjacent(&control, memory + SIZE, SIZE), ACRE_MEMORY_OVERLAP);
        assert_int_equal(backing->add_adjacent(&control, NULL, SIZE), ACRE_INVALID_PARAM);
        assert_int_equal(acre_bytes_stats(bytes).total, 2 * SIZE);
        assert_backing_sound();
        struct acre_ptr got = acre_alloc(bytes, acre_layout(SIZE / 4, 1));
        assert_int_equal(got.status, ACRE_OK);
        assert_int_equal(acre_dealloc(bytes, got.ptr), ACRE_OK);
        assert_backing_sound();
    }
}

/* Metadata given apart is as much as the table says, and a byte less is refused. */
static void metadata_may_lie_apart(void **state)
{
    (void)state;
    for (size_t subject = 0; subject < SUBJECTS; subject++) {
        start(subject);
        assert_int_equal(backing->metadata_size == NULL, backing->add_apart == NULL);
        if (backing->add_apart == NULL)
            continue;
        size_t needs = backing->metadata_size(&control, SIZE);
        assert_true(backing->metadata_size(&control, SIZE / 2) <= needs);
        unsigned char *apart = memory + SIZE;
        assert_int_equal(
            backing->add_apart(&control, memory, SIZE, apart, needs - 1), ACRE_INVALID_PARAM);
        assert_int_equal(acre_bytes_stats(bytes).total, 0);
        assert_int_equal(backing->add_apart(&control, memory, SIZE, apart, needs), ACRE_OK);
        struct acre_ptr got = acre_alloc(bytes, acre_layout(SIZE / 4, 1));
        assert_in_range((uintptr_t)got.ptr, (uintptr_t)memory, (uintptr_t)memory + SIZE - 1);
        assert_backing_sound();
    }
}

/* ---- handlers ---- */

struct supply {
    size_t calls;
    struct acre_layout asked;
};

/* Adds the second half of the memory, once. */
static bool supply(void *arg, struct acre_layout layout)
{
    struct supply *own = arg;
    own->asked = layout;
    return own->calls++ == 0 && acre_bytes_add_memory(bytes, memory + SIZE, SIZE) == ACRE_OK;
}

static void an_exhausted_allocator_asks(void **state)
{
    (void)state;
    for (size_t subject = 0; subject < SUBJECTS; subject++) {
        struct supply own = { 0 };
        start(subject);
        backing->set_on_exhausted(&control, supply, &own);
        assert_int_equal(acre_bytes_add_memory(bytes, memory, SIZE / 8), ACRE_OK);
        struct acre_ptr got = acre_alloc(bytes, acre_layout(SIZE / 4, 1));
        assert_int_equal(got.status, ACRE_OK);
        assert_int_equal(own.calls, 1);
        assert_true(own.asked.size >= SIZE / 4);
        assert_in_range((uintptr_t)got.ptr, (uintptr_t)memory + SIZE, (uintptr_t)memory + 2 * SIZE);
        assert_int_equal(acre_alloc(bytes, acre_layout(SIZE, 1)).status, ACRE_NO_MEMORY);
        assert_int_equal(own.calls, 2);
        backing->set_on_exhausted(&control, NULL, NULL);
        assert_int_equal(acre_alloc(bytes, acre_layout(SIZE, 1)).status, ACRE_NO_MEMORY);
        assert_int_equal(own.calls, 2);
    }
}

static void note_released(void *arg, size_t blocks)
{
    *(size_t *)arg += blocks;
}

/* Frees that leave a region empty are told; with a null handler they are not. */
static void frees_are_told(void **state)
{
    (void)state; /* buddy cuts a region into aligned blocks: a larger one may not fit */
    for (size_t subject = 0; subject < SUBJECTS; subject++) {
        size_t released = 0;
        start(subject);
        if (backing->set_on_released == NULL)
            continue;
        backing->set_on_released(&control, note_released, &released);
        assert_int_equal(acre_bytes_add_memory(bytes, memory, SIZE), ACRE_OK);
        struct acre_ptr got = acre_alloc(bytes, acre_layout(SIZE / 8, 1));
        assert_int_equal(acre_dealloc(bytes, got.ptr), ACRE_OK);
        assert_true(released > 0);
        released = 0;
        backing->set_on_released(&control, NULL, NULL);
        got = acre_alloc(bytes, acre_layout(SIZE / 8, 1));
        assert_int_equal(acre_dealloc(bytes, got.ptr), ACRE_OK);
        assert_int_equal(released, 0);
        assert_backing_sound();
    }
}

/* ---- free memory ---- */

struct seen {
    size_t visits, free_bytes;
    size_t most; /* visits after which the visitor ends the tour; 0: none */
    unsigned char marks[sizeof memory];
};
static struct seen seen;

/* Free ranges lie in the memory and hold no byte of a live block. */
static bool see_free(void *arg, void *at, size_t size, bool live)
{
    struct seen *own = arg;
    size_t offset = (uintptr_t)at - (uintptr_t)memory;
    assert_false(live);
    assert_true(offset < sizeof memory && size <= sizeof memory - offset && size > 0);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(own->marks[offset + i], 0);
    memset(own->marks + offset, 1, size);
    own->free_bytes += size;
    return ++own->visits != own->most;
}

static bool see_live(void *arg, void *at, size_t size, bool live)
{
    struct seen *own = arg;
    if (live)
        memset(own->marks + ((uintptr_t)at - (uintptr_t)memory), 2, size);
    return true;
}

static void see_all(size_t most)
{
    memset(&seen, 0, sizeof seen);
    seen.most = most;
    acre_walk(bytes, see_live, &seen);
    backing->visit_free(&control, see_free, &seen);
}

/* Blocks of several sizes in two regions, every second one freed: what visit_free shows is free
 * and is shown once, and nothing changes by it. */
static void hidden_free_memory_is_shown(void **state)
{
    void *blocks[BLOCKS];
    (void)state;
    for (size_t subject = 0; subject < SUBJECTS; subject++) {
        start(subject);
        if (backing->visit_free == NULL)
            continue;
        assert_int_equal(acre_bytes_add_memory(bytes, memory, SIZE), ACRE_OK);
        assert_int_equal(acre_bytes_add_memory(bytes, memory + SIZE, SIZE), ACRE_OK);
        for (size_t i = 0; i < BLOCKS; i++) {
            struct acre_ptr got = acre_alloc(bytes, acre_layout(1000 * (i + 1), 1));
            assert_int_equal(got.status, ACRE_OK);
            blocks[i] = got.ptr;
        }
        for (size_t i = 0; i < BLOCKS; i += 2)
            assert_int_equal(acre_dealloc(bytes, blocks[i]), ACRE_OK);
        struct acre_stats before = acre_bytes_stats(bytes);
        see_all(0);
        assert_true(seen.visits > 1);
        assert_in_range(seen.free_bytes, 1, before.total - before.used);
        struct acre_stats after = acre_bytes_stats(bytes);
        assert_int_equal(after.used, before.used);
        assert_int_equal(after.available, before.available);
        assert_int_equal(after.largest_free, before.largest_free);
        assert_backing_sound();
    }
}

/* A visitor that returns false ends the tour of an arena, in front of a freed block and behind
 * all. */
static void a_tour_of_an_arena_ends_when_told(void **state)
{
    enum { ARENA = 4 };
    (void)state;
    start(ARENA);
    assert_int_equal(acre_bytes_add_memory(bytes, memory, SIZE), ACRE_OK);
    void *first = acre_alloc(bytes, acre_layout(1000, 1)).ptr;
    assert_int_equal(acre_alloc(bytes, acre_layout(1000, 1)).status, ACRE_OK);
    assert_int_equal(acre_dealloc(bytes, first), ACRE_OK);
    assert_int_equal(acre_bytes_add_memory(bytes, memory + SIZE, SIZE), ACRE_OK);
    assert_int_equal(acre_alloc(bytes, acre_layout(SIZE - 50000, 1)).status, ACRE_OK);
    assert_int_equal(acre_alloc(bytes, acre_layout(SIZE - 50000, 1)).status, ACRE_OK);
    see_all(0);
    size_t all = seen.visits;
    assert_int_equal(all, 2);
    for (size_t most = 1; most <= all; most++) {
        see_all(most);
        assert_int_equal(seen.visits, most);
    }
}

/* All blocks freed, then flush: the largest block of the start can be had again. */
static void flush_merges_what_is_kept(void **state)
{
    void *blocks[BLOCKS];
    (void)state;
    for (size_t subject = 0; subject < SUBJECTS; subject++) {
        start(subject);
        if (backing->flush == NULL)
            continue;
        assert_int_equal(acre_bytes_add_memory(bytes, memory, SIZE), ACRE_OK);
        size_t most = acre_bytes_stats(bytes).largest_free;
        for (size_t i = 0; i < BLOCKS; i++)
            blocks[i] = acre_alloc(bytes, acre_layout(100, 1)).ptr;
        for (size_t i = 0; i < BLOCKS; i++)
            assert_int_equal(acre_dealloc(bytes, blocks[i]), ACRE_OK);
        backing->flush(&control);
        assert_int_equal(acre_bytes_stats(bytes).largest_free, most);
        assert_int_equal(acre_alloc(bytes, acre_layout(most, 1)).status, ACRE_OK);
        assert_backing_sound();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_region_of_that_size_serves),
        cmocka_unit_test(region_sizes_ascend),
        cmocka_unit_test(a_neighbour_is_added),
        cmocka_unit_test(metadata_may_lie_apart),
        cmocka_unit_test(an_exhausted_allocator_asks),
        cmocka_unit_test(frees_are_told),
        cmocka_unit_test(hidden_free_memory_is_shown),
        cmocka_unit_test(a_tour_of_an_arena_ends_when_told),
        cmocka_unit_test(flush_merges_what_is_kept),
    };
    return cmocka_run_group_tests_name("backings", tests, NULL, NULL);
}
