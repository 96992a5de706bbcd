/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What slab promises beyond the contract, and the faults that slabs elsewhere are known for. */
#include "slab/slab_tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MIB = 1 << 20, OBJECTS = 16384 };

static _Alignas(4096) unsigned char memory[4 * MIB];
static void *blocks[4 * OBJECTS];
static struct acre_slab slab;

static void begin(size_t page, size_t size)
{
    slab = (struct acre_slab){ 0 };
    assert_int_equal(acre_slab_setup(&slab, page), ACRE_OK);
    assert_int_equal(acre_slab_init(&slab, memory, size), ACRE_OK);
}

static void assert_sound(void)
{
    struct acre_check_result found = acre_slab_check(&slab);
    if (found.invariant != NULL)
        fail_msg("check: %s at %p", found.invariant, found.where);
}

static void *take(size_t size, size_t align)
{
    struct acre_ptr got = acre_slab_alloc(&slab, acre_layout(size, align));
    assert_int_equal(got.status, ACRE_OK);
    assert_int_equal((uintptr_t)got.ptr % align, 0);
    return got.ptr;
}

static void give(void *ptr)
{
    assert_int_equal(acre_slab_dealloc(&slab, ptr), ACRE_OK);
}

static size_t fill(size_t size)
{
    size_t count = 0;
    struct acre_ptr got;
    while ((got = acre_slab_alloc(&slab, acre_layout(size, 1))).status == ACRE_OK) {
        assert_true(count < sizeof blocks / sizeof blocks[0]);
        blocks[count++] = got.ptr;
    }
    assert_int_equal(got.status, ACRE_NO_MEMORY);
    return count;
}

static void give_all(size_t count)
{
    for (size_t i = 0; i < count; i++)
        give(blocks[i]);
    assert_int_equal(acre_slab_stats(&slab).used, 0);
    assert_sound();
}

static void pages_out_of_range_are_refused(void **state)
{
    static const size_t bad[] = { 0, 1, 64, 100, 3000, 4096, SIZE_MAX };
    (void)state;
    begin(ACRE_SLAB_PAGE, MIB);
    struct acre_slab before = slab;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(acre_slab_setup(&slab, bad[i]), ACRE_INVALID_PARAM);
    assert_memory_equal(&before, &slab, sizeof slab);
}

static void setup_is_refused_with_regions(void **state)
{
    (void)state;
    begin(ACRE_SLAB_PAGE, MIB);
    struct acre_slab before = slab;
    assert_int_equal(acre_slab_setup(&slab, 1024), ACRE_INVALID_PARAM);
    assert_memory_equal(&before, &slab, sizeof slab);
    assert_int_equal(acre_slab_remove_memory(&slab, memory), ACRE_OK);
    assert_int_equal(acre_slab_setup(&slab, 1024), ACRE_OK);
    assert_int_equal(acre_slab_add_memory(&slab, memory, MIB), ACRE_OK);
    assert_int_equal(acre_slab_usable_size(&slab, take(4097, 1)).num, 5 * 1024);
}

static bool count_visits(void *arg, void *start, size_t size, bool live)
{
    (void)start;
    (void)size;
    (void)live;
    ++*(size_t *)arg;
    return true;
}

/* Every verb but add_memory finds nothing in a zeroed struct, and most leave it as it is. */
static void a_zeroed_struct_is_empty(void **state)
{
    struct acre_slab zeroed = { 0 };
    struct acre_stats stats = { 0 };
    size_t visits = 0;
    (void)state;
    slab = zeroed;
    assert_sound();
    assert_int_equal(acre_slab_dealloc(&slab, memory), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_slab_dealloc_sized(&slab, memory, acre_layout(1, 1)), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_slab_resize(&slab, memory, 1), ACRE_NOT_ALLOCATED);
    assert_int_equal(
        acre_slab_realloc(&slab, memory, acre_layout(1, 1)).status, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_slab_usable_size(&slab, memory).status, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_slab_remove_memory(&slab, memory), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_slab_alloc(&slab, acre_layout(1, 3)).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_slab_add_memory(&slab, memory, 1), ACRE_INVALID_PARAM);
    acre_slab_walk(&slab, count_visits, &visits);
    assert_int_equal(visits, 0);
    assert_memory_equal(&slab, &zeroed, sizeof slab);
    for (size_t size = 1; size != 0; size *= 2)
        assert_int_equal(acre_slab_alloc(&slab, acre_layout(size, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_slab_alloc(&slab, acre_layout(0, 4096)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_slab_stats(&slab).failed, 8 * sizeof(size_t) + 1);
    acre_slab_reset(&slab);
    struct acre_stats found = acre_slab_stats(&slab);
    assert_memory_equal(&found, &stats, sizeof stats);
    assert_int_equal(acre_slab_add_memory(&slab, memory, MIB), ACRE_OK);
    give(take(100, 1));
    assert_sound();
    slab = zeroed;
    assert_int_equal(acre_slab_init(&slab, memory, MIB), ACRE_OK);
    assert_sound();
}

/* No class is more than 12.5 % or 16 bytes above the size that is asked of it. */
static void classes_are_close(void **state)
{
    (void)state;
    for (size_t page = ACRE_SLAB_MIN_PAGE; page <= ACRE_SLAB_MAX_PAGE; page *= 2) {
        begin(page, MIB);
        size_t least = page / SLAB_WORD_BITS; /* a page has no more objects than a word has bits */
        for (size_t size = 1; size <= ACRE_SLAB_LARGEST_PAGES * page; size++) {
            size_t has = slab_class_size(slab_class_of(&slab, size));
            size_t step = size > 128 ? size / 8 : ACRE_SLAB_UNIT - 1;
            assert_true(has >= size);
            assert_true(has - size <= step || has <= least);
        }
    }
}

static void small_memory_serves_the_first_600_bytes(void **state)
{
    (void)state;
    for (size_t page = ACRE_SLAB_MIN_PAGE; page <= ACRE_SLAB_MAX_PAGE; page *= 2) {
        begin(page, 32 << 10);
        void *first = take(600, 1);
        for (size_t size = 16; size <= 1024; size *= 2)
            take(size, 1);
        assert_sound();
        give(first);
    }
}

/* 16,384 blocks of 64 bytes, freed in one of three orders, leave all memory to another class. */
static void freed_memory_serves_another_class(void **state)
{
    (void)state;
    for (int order = 0; order < 3; order++) {
        begin(ACRE_SLAB_PAGE, 4 * MIB);
        struct acre_stats empty = acre_slab_stats(&slab);
        size_t large = fill(128);
        give_all(large);
        for (size_t i = 0; i < OBJECTS; i++)
            blocks[i] = take(64, 1);
        for (size_t i = 0; i < OBJECTS; i++) {
            size_t random = i * 7919 % OBJECTS;
            give(blocks[order == 0 ? i : order == 1 ? OBJECTS - 1 - i : random]);
        }
        assert_int_equal(acre_slab_stats(&slab).used, 0);
        assert_int_equal(acre_slab_stats(&slab).largest_free, empty.largest_free);
        assert_int_equal(fill(128), large);
        assert_true(large * 128 >= empty.available - empty.available / 32);
        give_all(large);
        give(take(empty.largest_free, 1));
    }
}

static void alignments_above_a_page(void **state)
{
    (void)state;
    begin(ACRE_SLAB_PAGE, 4 * MIB);
    for (size_t align = 1; align <= MIB; align *= 2) {
        for (size_t size = 1; size <= 20000; size = size * 3 + 1) {
            unsigned char *ptr = take(size, align);
            assert_true(acre_slab_usable_size(&slab, ptr).num >= size);
            memset(ptr, 1, size);
            give(ptr);
        }
    }
    assert_sound();
}

/* A pointer is accepted just where a live object starts, in slabs of every class. */
static void only_starts_of_objects_pass(void **state)
{
    (void)state;
    begin(ACRE_SLAB_PAGE, MIB);
    for (size_t size = 16; size <= slab_largest_object(&slab); size += size / 9 + 1) {
        size_t has = slab_class_size(slab_class_of(&slab, size));
        unsigned char *first = take(size, 1);
        for (size_t at = 1; at < has; at++)
            assert_int_equal(acre_slab_dealloc(&slab, first + at), ACRE_NOT_ALLOCATED);
        assert_int_equal(acre_slab_dealloc(&slab, first + has), ACRE_NOT_ALLOCATED);
        give(first);
        assert_int_equal(acre_slab_dealloc(&slab, first), ACRE_NOT_ALLOCATED);
    }
    assert_int_equal(acre_slab_stats(&slab).live_blocks, 0);
}

/* Every address of every slab: as many pass as there are live blocks. */
static void as_many_starts_as_blocks(void **state)
{
    (void)state;
    for (size_t page = ACRE_SLAB_MIN_PAGE; page <= ACRE_SLAB_MAX_PAGE; page *= 2) {
        begin(page, MIB);
        size_t count = 0;
        for (size_t size = 1; size <= 5 * page; size += 1 + size / 7)
            for (int i = 0; i < 3; i++)
                blocks[count++] = take(size, 1);
        for (size_t i = 0; i < count; i += 3)
            give(blocks[i]);
        size_t starts = 0;
        for (size_t at = 0; at < MIB; at++)
            starts += acre_slab_usable_size(&slab, memory + at).status == ACRE_OK;
        assert_int_equal(starts, acre_slab_stats(&slab).live_blocks);
        assert_sound();
    }
}

/* A sized free is held to the class, unless memory was short or the block was shrunk in place. */
static void sized_free_is_tight(void **state)
{
    (void)state;
    begin(ACRE_SLAB_PAGE, MIB);
    void *ptr = take(100, 1);
    assert_int_equal(acre_slab_dealloc_sized(&slab, ptr, acre_layout(96, 1)), ACRE_INVALID_PARAM);
    assert_int_equal(acre_slab_dealloc_sized(&slab, ptr, acre_layout(113, 1)), ACRE_INVALID_PARAM);
    assert_int_equal(acre_slab_dealloc_sized(&slab, ptr, acre_layout(112, 1)), ACRE_OK);
    ptr = take(1000, 1);
    assert_int_equal(acre_slab_resize(&slab, ptr, 10), ACRE_OK);
    assert_int_equal(
        acre_slab_dealloc_sized(&slab, ptr, acre_layout(SIZE_MAX, 1)), ACRE_INVALID_PARAM);
    assert_int_equal(acre_slab_dealloc_sized(&slab, ptr, acre_layout(10, 1)), ACRE_OK);
    ptr = take(1000, 1);
    assert_int_equal(acre_slab_dealloc_sized(&slab, ptr, acre_layout(10, 1)), ACRE_INVALID_PARAM);
    give(ptr);
}

/* Sized frees of each size below and above each block: exactly those of its class pass. */
static void sized_free_is_exact(void **state)
{
    (void)state;
    for (size_t page = ACRE_SLAB_MIN_PAGE; page <= ACRE_SLAB_MAX_PAGE; page *= 4) {
        begin(page, MIB);
        size_t largest = slab_largest_object(&slab);
        for (size_t size = 1; size <= 5 * page; size += 1 + size / 16) {
            void *ptr = take(size, 1);
            size_t has = acre_slab_usable_size(&slab, ptr).num;
            for (size_t other = 0; other <= has + 17; other += 1 + has / 64) {
                bool same = size > largest ? other <= has && other + page > has
                                           : other <= largest && slab_class_of(&slab, other) ==
                                                                     slab_class_of(&slab, size);
                assert_int_equal(acre_slab_dealloc_sized(&slab, ptr, acre_layout(other, 16)),
                    same ? ACRE_OK : ACRE_INVALID_PARAM);
                if (!same)
                    continue;
                assert_int_equal(acre_slab_dealloc_sized(&slab, ptr, acre_layout(other, 16)),
                    ACRE_NOT_ALLOCATED);
                ptr = take(size, 1);
            }
            assert_int_equal(
                acre_slab_dealloc_sized(&slab, ptr, acre_layout(SIZE_MAX, 1)), ACRE_INVALID_PARAM);
            assert_int_equal(
                acre_slab_dealloc_sized(&slab, ptr, acre_layout(size, 3)), ACRE_INVALID_PARAM);
            assert_int_equal(
                acre_slab_dealloc_sized(&slab, ptr, acre_layout(size, 0)), ACRE_INVALID_PARAM);
            give(ptr);
        }
        assert_sound();
    }
}

static void natural_alignment(void **state)
{
    (void)state;
    begin(ACRE_SLAB_PAGE, MIB);
    for (size_t size = 0; size <= 20000; size = size * 2 + 1) {
        struct acre_ptr got = acre_slab_alloc_natural(&slab, size);
        assert_int_equal(got.status, ACRE_OK);
        assert_int_equal((uintptr_t)got.ptr % ACRE_SLAB_UNIT, 0);
        assert_int_equal(acre_slab_dealloc_sized(&slab, got.ptr, acre_layout(size, 8)), ACRE_OK);
    }
    assert_int_equal(acre_slab_alloc_natural(&slab, MIB).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_slab_alloc_natural(&slab, SIZE_MAX).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_slab_stats(&slab).failed, 2);
    size_t count = 0;
    while (acre_slab_alloc_natural(&slab, 1000).status == ACRE_OK)
        count++;
    assert_true(count > 900);
    assert_sound();
}

/* What a block was asked for with passes, at any larger alignment that its address has too. */
static void sized_free_may_name_a_larger_alignment(void **state)
{
    (void)state;
    begin(ACRE_SLAB_PAGE, MIB);
    void *ptr = take(33, 32);
    while ((uintptr_t)ptr % 128 != 0)
        ptr = take(33, 32);
    assert_int_equal(acre_slab_dealloc_sized(&slab, ptr, acre_layout(65, 128)), ACRE_INVALID_PARAM);
    assert_int_equal(acre_slab_dealloc_sized(&slab, ptr, acre_layout(33, 128)), ACRE_OK);
    assert_sound();
}

static void a_larger_class_serves_when_memory_is_short(void **state)
{
    (void)state;
    enum { SIZE = ACRE_SLAB_PAGE / 4 }; /* so that any slab has several */
    begin(ACRE_SLAB_PAGE, 64 << 10);
    size_t count = fill(SIZE);
    assert_int_equal(acre_slab_alloc(&slab, acre_layout(24, 1)).status, ACRE_NO_MEMORY);
    give(blocks[count / 2]);
    assert_int_equal(acre_slab_stats(&slab).largest_free, SIZE);
    void *small = take(24, 1);
    assert_ptr_equal(small, blocks[count / 2]);
    assert_int_equal(acre_slab_usable_size(&slab, small).num, SIZE);
    assert_int_equal(acre_slab_dealloc_sized(&slab, small, acre_layout(24, 1)), ACRE_OK);
    assert_sound();
}

static void runs_grow_and_shrink_in_place(void **state)
{
    (void)state;
    begin(ACRE_SLAB_PAGE, MIB);
    void *ptr = take(5 * (size_t)ACRE_SLAB_PAGE, 1);
    size_t used = acre_slab_stats(&slab).used;
    assert_int_equal(acre_slab_resize(&slab, ptr, 100 * (size_t)ACRE_SLAB_PAGE), ACRE_OK);
    assert_int_equal(acre_slab_stats(&slab).used, 20 * used);
    assert_int_equal(acre_slab_stats(&slab).peak, 20 * used);
    assert_int_equal(acre_slab_resize(&slab, ptr, MIB), ACRE_NO_MEMORY);
    assert_int_equal(acre_slab_resize(&slab, ptr, 1), ACRE_OK);
    assert_int_equal(acre_slab_stats(&slab).used, ACRE_SLAB_PAGE);
    assert_sound();
    give(ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_out_of_range_are_refused),
        cmocka_unit_test(setup_is_refused_with_regions),
        cmocka_unit_test(a_zeroed_struct_is_empty),
        cmocka_unit_test(classes_are_close),
        cmocka_unit_test(small_memory_serves_the_first_600_bytes),
        cmocka_unit_test(freed_memory_serves_another_class),
        cmocka_unit_test(alignments_above_a_page),
        cmocka_unit_test(only_starts_of_objects_pass),
        cmocka_unit_test(as_many_starts_as_blocks),
        cmocka_unit_test(sized_free_is_tight),
        cmocka_unit_test(sized_free_is_exact),
        cmocka_unit_test(natural_alignment),
        cmocka_unit_test(sized_free_may_name_a_larger_alignment),
        cmocka_unit_test(a_larger_class_serves_when_memory_is_short),
        cmocka_unit_test(runs_grow_and_shrink_in_place),
    };
    return cmocka_run_group_tests_name("slab", tests, NULL, NULL);
}
