/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Memory at the ends of the address space, too small, null or with an end beyond it: every
 * allocator refuses it without a look at it.
 */
#include "base/compiler.h"

#include <acre/arena.h>
#include <acre/bitmap.h>
#include <acre/buddy.h>
#include <acre/slab.h>
#include <acre/tlsf.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { LEAST = 8 * sizeof(void *), LARGE = 1 << 20 }; /* fewer bytes than any region needs */

static struct acre_tlsf tlsf;
static struct acre_slab slab;
static struct acre_buddy buddy;
static struct acre_arena arena;
static struct acre_bitmap bitmap;

static struct acre_bytes open_tlsf(void)
{
    tlsf = (struct acre_tlsf){ 0 };
    return acre_tlsf_bytes(&tlsf);
}

static struct acre_bytes open_slab(void)
{
    slab = (struct acre_slab){ 0 };
    return acre_slab_bytes(&slab);
}

static struct acre_bytes open_buddy(void)
{
    buddy = (struct acre_buddy){ 0 };
    return acre_buddy_bytes(&buddy);
}

static struct acre_bytes open_arena(void)
{
    arena = (struct acre_arena){ 0 };
    return acre_arena_bytes(&arena);
}

static struct acre_bytes (*const opens[])(void) = { open_tlsf, open_slab, open_buddy, open_arena };

static void assert_refused(struct acre_bytes bytes, uintptr_t start, size_t size)
{
    if (acre_bytes_add_memory(bytes, (void *)start, size) != ACRE_INVALID_PARAM)
        fail_msg("%zu bytes at %p are not refused", size, (void *)start);
    assert_int_equal(acre_total_bytes(bytes), 0);
}

static void memory_at_the_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof opens / sizeof *opens; i++) {
        struct acre_bytes bytes = opens[i]();
        for (size_t size = 0; size <= LEAST; size++) {
            assert_refused(bytes, 0, size);
            assert_refused(bytes, 0 - (uintptr_t)size, size);        /* up to the last byte */
            assert_refused(bytes, UINTPTR_MAX - size / 2, size + 2); /* beyond it */
        }
        assert_refused(bytes, 4096, SIZE_MAX);
        assert_refused(bytes, 0, LARGE);
    }
}

static struct acre_ptr (*const creates[])(
    void *start, size_t size) = { acre_tlsf_create, acre_slab_create, acre_buddy_create };

static void allocators_at_the_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof creates / sizeof *creates; i++) {
        const struct {
            uintptr_t start;
            size_t size;
        } bad[] = { { 0, LARGE }, { UINTPTR_MAX, 1 }, { UINTPTR_MAX, LARGE },
            { UINTPTR_MAX - 2, 2 }, { 4096, 0 }, { 4096, LEAST },
            { UINTPTR_MAX - LARGE + 1, 2 * (size_t)LARGE }, { 4096, SIZE_MAX } };
        for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
            assert_int_equal(
                creates[i]((void *)bad[k].start, bad[k].size).status, ACRE_INVALID_PARAM);
    }
}

/* The least memory that an allocator and its first region take: a byte less is refused at each
 * size. */
static void the_least_pool(void **state)
{
    static _Alignas(4096) unsigned char memory[1 << 17];
    (void)state;
    for (size_t i = 0; i < sizeof creates / sizeof *creates; i++) {
        size_t least = 0;
        while (least < sizeof memory && creates[i](memory, least).status != ACRE_OK)
            least += 16;
        assert_in_range(least, 2 * LEAST, sizeof memory - 1);
        struct acre_ptr made = creates[i](memory, least);
        assert_int_equal(made.status, ACRE_OK);
        assert_true((unsigned char *)made.ptr >= memory);
        for (size_t size = least; size < least + 4096; size += 16)
            assert_int_equal(creates[i](memory, size).status, ACRE_OK);
    }
}

static void pools_that_nothing_can_hold(void **state)
{
    static const size_t too_much[] = { SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX / 3 };
    static size_t (*const sizes[])(
        struct acre_layout) = { acre_tlsf_pool_size, acre_slab_pool_size, acre_buddy_pool_size };
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (size_t k = 0; k < sizeof too_much / sizeof *too_much; k++)
            assert_int_equal(sizes[i](acre_layout(too_much[k], 1)), 0);
        assert_int_equal(sizes[i](acre_layout(1, SIZE_MAX / 2 + 1)), 0);
        assert_true(sizes[i](acre_layout(1000, 8)) > 1000);
    }
}

/* A pool for one block of a power of two: twice that, so that it serves wherever it starts, and no
 * more than half of it besides. */
static void pools_are_as_large_as_needed(void **state)
{
    static size_t (*const sizes[])(
        struct acre_layout) = { acre_tlsf_pool_size, acre_slab_pool_size, acre_buddy_pool_size };
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t block = 1 << 16; block <= (size_t)1 << 24; block *= 2)
            assert_in_range(sizes[i](acre_layout(block, 1)), block, 2 * block + block / 2);
}

static void pages_at_the_ends(void **state)
{
    static _Alignas(16) unsigned char metadata[1024];
    (void)state;
    for (size_t size = 0; size <= LEAST; size++) {
        bitmap = (struct acre_bitmap){ 0 };
        assert_int_equal(acre_bitmap_add_memory(&bitmap, (void *)(0 - (uintptr_t)size), size),
            ACRE_INVALID_PARAM);
        assert_int_equal(acre_bitmap_add_memory_apart(
                             &bitmap, UINTPTR_MAX - size / 2, size + 2, metadata, sizeof metadata),
            ACRE_INVALID_PARAM);
    }
    acre_bitmap_setup_ids(&bitmap);
    assert_int_equal(acre_bitmap_add_memory_apart(&bitmap, 4096, 4096, metadata, sizeof metadata),
        ACRE_INVALID_PARAM); /* ids have no memory behind them */
    assert_null(acre_bitmap_check(&bitmap).invariant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_at_the_ends),
        cmocka_unit_test(allocators_at_the_ends),
        cmocka_unit_test(the_least_pool),
        cmocka_unit_test(pools_that_nothing_can_hold),
        cmocka_unit_test(pools_are_as_large_as_needed),
        cmocka_unit_test(pages_at_the_ends),
    };
    return cmocka_run_group_tests_name("edges", tests, NULL, NULL);
}
