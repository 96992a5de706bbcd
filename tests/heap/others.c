/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Heaps over buddy and over slab: the same mechanism, other byte allocators; and all bundles. */
#include <acre/heap.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { PAGE = 4096, SIZE = 1024 * PAGE, SLOTS = 200, OPS = 20000 };

static struct acre_heap_tlsf over_tlsf;
static struct acre_heap_buddy over_buddy;
static struct acre_heap_slab over_slab;
static struct acre_heap *heap;
static _Alignas(PAGE) unsigned char memory[SIZE];

static struct {
    unsigned char *start;
    size_t size;
} slots[SLOTS];
static unsigned seed;

static int make(struct acre_heap *made)
{
    heap = made;
    memset(slots, 0, sizeof slots);
    seed = 1;
    return acre_heap_init(heap, memory, SIZE) != ACRE_OK;
}

static int make_buddy(void **state)
{
    (void)state;
    memset(&over_buddy, 0, sizeof over_buddy);
    return acre_heap_buddy_setup(&over_buddy, 3) != ACRE_INVALID_PARAM ||
           acre_heap_buddy_setup(&over_buddy, PAGE) != ACRE_OK || make(&over_buddy.heap);
}

static int make_slab(void **state)
{
    (void)state;
    memset(&over_slab, 0, sizeof over_slab);
    return acre_heap_slab_setup(&over_slab, 3) != ACRE_INVALID_PARAM ||
           acre_heap_slab_setup(&over_slab, PAGE) != ACRE_OK || make(&over_slab.heap);
}

static void assert_sound(void)
{
    struct acre_check_result found = acre_heap_check(heap);
    if (found.invariant != NULL)
        fail_msg("%s at %p", found.invariant, found.where);
    struct acre_stats stats = acre_heap_stats(heap);
    assert_int_equal(stats.total, SIZE);
    assert_int_equal(stats.total, stats.metadata + stats.used + stats.available);
}

static size_t draw(size_t below)
{
    seed = seed * 1103515245u + 12345u;
    return (seed >> 8) % below;
}

static void toggle(size_t at)
{
    if (slots[at].start != NULL) {
        for (size_t i = 0; i < slots[at].size; i += 61)
            assert_int_equal(slots[at].start[i], at);
        assert_int_equal(acre_heap_dealloc(heap, slots[at].start), ACRE_OK);
        assert_int_equal(acre_heap_dealloc(heap, slots[at].start), ACRE_NOT_ALLOCATED);
        slots[at].start = NULL;
        return;
    }
    size_t size = (size_t)1 << draw(15);
    size += draw(size);
    size_t align = (size_t)1 << draw(9);
    slots[at].start = acre_heap_alloc(heap, acre_layout(size, align)).ptr;
    slots[at].size = size;
    assert_non_null(slots[at].start);
    assert_int_equal((uintptr_t)slots[at].start % align, 0);
    memset(slots[at].start, (int)at, size);
}

static void blocks_at_random(void **state)
{
    (void)state;
    for (int i = 0; i < OPS; i++) {
        toggle(draw(SLOTS));
        if (i % 64 == 0)
            assert_sound();
    }
    for (size_t at = 0; at < SLOTS; at++)
        if (slots[at].start != NULL)
            toggle(at);
    assert_sound();
    acre_heap_release_empty(heap);
    assert_int_equal(acre_heap_page_stats(heap).used, 0);
    assert_int_equal(acre_heap_stats(heap).used, 0);
}

/* Every size that is said to be had is had, from an empty heap and beside a live block. */
static void the_largest_can_be_had(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        size_t most = acre_heap_stats(heap).largest_free;
        assert_true(most > SIZE / 8);
        void *all = acre_heap_alloc(heap, acre_layout(most, 1)).ptr;
        assert_non_null(all);
        assert_sound();
        assert_int_equal(acre_heap_dealloc(heap, all), ACRE_OK);
        acre_heap_release_empty(heap);
        assert_non_null(acre_heap_alloc(heap, acre_layout(1 + draw(3000), 1)).ptr);
    }
}

/* A chunk taken for a request serves it, whatever the size and the alignment. */
static void every_size_is_served_by_its_chunk(void **state)
{
    (void)state;
    for (size_t size = 1; size < SIZE / 8; size += 1 + size / 7) {
        for (size_t align = 1; align <= 65536; align *= 4) {
            struct acre_ptr got = acre_heap_alloc(heap, acre_layout(size, align));
            assert_int_equal(got.status, ACRE_OK);
            assert_int_equal((uintptr_t)got.ptr % align, 0);
            assert_int_equal(acre_heap_dealloc(heap, got.ptr), ACRE_OK);
            assert_true(acre_heap_release_empty(heap) > 0);
        }
    }
    assert_int_equal(acre_heap_alloc(heap, acre_layout(SIZE_MAX, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(
        acre_heap_alloc(heap, acre_layout(1, SIZE_MAX / 2 + 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_heap_stats(heap).failed, 2);
}

static void lock(void *depth)
{
    assert_int_equal(++*(int *)depth, 1);
}

static void unlock(void *depth)
{
    assert_int_equal(--*(int *)depth, 0);
}

/* Blocks of 300 bytes until a chunk has been taken that is half of all; then all but one freed. */
static void rise_and_fall(bool sized)
{
    static void *blocks[SIZE / 300];
    struct acre_layout layout = acre_layout(300, 1);
    size_t count = 0;
    while (acre_heap_page_stats(heap).used < SIZE / 2)
        blocks[count++] = acre_heap_alloc(heap, layout).ptr;
    while (--count > 0)
        assert_int_equal(sized ? acre_heap_dealloc_sized(heap, blocks[count], layout)
                               : acre_heap_dealloc(heap, blocks[count]),
            ACRE_OK);
    assert_sound();
    assert_true(acre_heap_page_stats(heap).used < SIZE / 8);
    assert_int_equal(acre_heap_dealloc(heap, blocks[0]), ACRE_OK);
}

/* Without a call of trim; frees are counted under a lock, and pages freed without. */
static void empty_chunks_go_back(void **state)
{
    int depth = 0; /* of both locks, which are never held at once */
    struct acre_locker locker = { lock, unlock, &depth };
    (void)state;
    rise_and_fall(false);
    rise_and_fall(true);
    acre_heap_set_locks(heap, locker, locker);
    rise_and_fall(false);
    rise_and_fall(true);
    acre_heap_set_locks(heap, (struct acre_locker){ 0 }, (struct acre_locker){ 0 });
    rise_and_fall(false);
}

/* Parts whose byte allocator is called through its handle do the same. */
static void parts_may_be_apart(void **state)
{
    (void)state;
    struct acre_heap_parts parts = heap->parts;
    assert_int_equal(acre_heap_setup(heap, &parts), ACRE_INVALID_PARAM);
    assert_int_equal(acre_heap_remove_memory(heap, memory), ACRE_OK);
    parts.bundle = NULL;
    assert_int_equal(acre_heap_setup(heap, &parts), ACRE_OK);
    assert_int_equal(acre_heap_init(heap, memory, SIZE), ACRE_OK);
    rise_and_fall(false);
    assert_int_equal(acre_heap_dealloc(heap, memory), ACRE_NOT_ALLOCATED);
}

/* Offers memory that begins with a part of the bundle, and expects a refusal. */
static void offer_part(struct acre_heap *of, void *part)
{
    struct acre_stats before = acre_heap_stats(of);
    assert_int_equal(acre_heap_add_memory(of, part, SIZE), ACRE_MEMORY_OVERLAP);
    assert_int_equal(acre_heap_stats(of).total, before.total);
    assert_int_equal(acre_heap_init(of, part, SIZE), ACRE_MEMORY_OVERLAP);
    assert_int_equal(acre_heap_stats(of).total, 0);
}

static void parts_of_the_bundle_are_no_memory(void **state)
{
    (void)state;
    memset(&over_tlsf, 0, sizeof over_tlsf);
    memset(&over_buddy, 0, sizeof over_buddy);
    memset(&over_slab, 0, sizeof over_slab);
    assert_int_equal(acre_heap_tlsf_setup(&over_tlsf, PAGE), ACRE_OK);
    assert_int_equal(acre_heap_buddy_setup(&over_buddy, PAGE), ACRE_OK);
    assert_int_equal(acre_heap_slab_setup(&over_slab, PAGE), ACRE_OK);
    offer_part(&over_tlsf.heap, &over_tlsf.heap);
    offer_part(&over_tlsf.heap, &over_tlsf.tlsf);
    offer_part(&over_tlsf.heap, &over_tlsf.pages);
    offer_part(&over_tlsf.heap, (unsigned char *)(&over_tlsf + 1) - 1);
    offer_part(&over_buddy.heap, &over_buddy.buddy);
    offer_part(&over_buddy.heap, &over_buddy.pages);
    offer_part(&over_slab.heap, &over_slab.slab);
    offer_part(&over_slab.heap, &over_slab.pages);
}

/* Also where all that is offered lies in the byte allocator. */
static void nor_is_what_lies_in_a_part(void **state)
{
    (void)state;
    assert_int_equal(acre_heap_tlsf_setup(&over_tlsf, ACRE_NATURAL_ALIGN), ACRE_OK);
    size_t least = over_tlsf.heap.parts.least;
    assert_true(least < sizeof over_tlsf.tlsf);
    assert_int_equal(
        acre_heap_add_memory(&over_tlsf.heap, &over_tlsf.tlsf, least), ACRE_MEMORY_OVERLAP);
    assert_int_equal(acre_heap_stats(&over_tlsf.heap).total, 0);
}

/* Size 0 is served as size 1 is, so both need the same region. */
static void size_0_needs_what_1_needs(void **state)
{
    (void)state;
    const void *empty[] = { &over_buddy.buddy, &over_slab.slab, &over_buddy, &over_slab };
    const struct acre_backing *backings[] = { &acre_buddy_backing, &acre_slab_backing,
        &acre_heap_buddy_backing, &acre_heap_slab_backing };
    for (size_t i = 0; i < 4; i++)
        for (size_t align = 1; align <= PAGE; align *= 2)
            assert_int_equal(backings[i]->region_size(empty[i], acre_layout(0, align)),
                backings[i]->region_size(empty[i], acre_layout(1, align)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_0_needs_what_1_needs),
        cmocka_unit_test_setup(blocks_at_random, make_buddy),
        cmocka_unit_test_setup(the_largest_can_be_had, make_buddy),
        cmocka_unit_test_setup(every_size_is_served_by_its_chunk, make_buddy),
        cmocka_unit_test_setup(empty_chunks_go_back, make_buddy),
        cmocka_unit_test_setup(blocks_at_random, make_slab),
        cmocka_unit_test_setup(the_largest_can_be_had, make_slab),
        cmocka_unit_test_setup(every_size_is_served_by_its_chunk, make_slab),
        cmocka_unit_test_setup(empty_chunks_go_back, make_slab),
        cmocka_unit_test_setup(parts_may_be_apart, make_slab),
        cmocka_unit_test(parts_of_the_bundle_are_no_memory),
        cmocka_unit_test(nor_is_what_lies_in_a_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
