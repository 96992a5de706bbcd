/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* TLSF from outside: what the suites over the handle do not know of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tlsf/tlsf_list.h"

enum { MIB = 1 << 20 };

static _Alignas(4096) unsigned char memory[MIB];
static struct acre_tlsf tlsf;

static int set_up(void **state)
{
    (void)state;
    return acre_tlsf_init(&tlsf, memory, sizeof(memory)) == ACRE_OK ? 0 : -1;
}

static void assert_sound(void)
{
    struct acre_check_result result = acre_tlsf_check(&tlsf);
    if (result.invariant != NULL)
        fail_msg("%s at %p", result.invariant, (const void *)result.where);
}

/* Aligned blocks leave gaps; small blocks must find room there. */
static void gaps_before_aligned_blocks_are_used(void **state)
{
    (void)state;
    size_t aligned = 0;
    size_t small = 0;
    while (acre_tlsf_alloc(&tlsf, acre_layout(4096, 4096)).ptr != NULL)
        aligned++;
    while (acre_tlsf_alloc(&tlsf, acre_layout(64, 1)).ptr != NULL)
        small++;
    assert_sound();
    size_t pages = (MIB - acre_tlsf_metadata_size(MIB)) / 4096;
    assert_in_range(aligned, pages / 2 - 1, pages);
    size_t taken = (4096 + 2 * (size_t)ACRE_TLSF_GRANULE) * aligned;
    size_t each = tlsf_granules(64) * ACRE_TLSF_GRANULE;
    assert_true(small >= (MIB - acre_tlsf_metadata_size(MIB) - taken) / each * 98 / 100);
}

static void largest_free_is_what_can_be_had(void **state)
{
    (void)state;
    size_t largest = acre_tlsf_stats(&tlsf).largest_free;
    assert_null(acre_tlsf_alloc(&tlsf, acre_layout(largest + 1, 1)).ptr);
    assert_non_null(acre_tlsf_alloc(&tlsf, acre_layout(largest, 1)).ptr);
    assert_int_equal(acre_tlsf_stats(&tlsf).largest_free, 0);
    assert_int_equal(acre_tlsf_stats(&tlsf).available, 0);
    assert_sound();
}

static void a_second_free_is_refused(void **state)
{
    (void)state;
    void *low = acre_tlsf_alloc(&tlsf, acre_layout(100, 1)).ptr;
    void *high = acre_tlsf_alloc(&tlsf, acre_layout(100, 1)).ptr;
    assert_int_equal(acre_tlsf_dealloc(&tlsf, low), ACRE_OK);
    assert_int_equal(acre_tlsf_dealloc(&tlsf, high), ACRE_OK);
    assert_int_equal(acre_tlsf_dealloc(&tlsf, high), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_tlsf_dealloc(&tlsf, low), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_tlsf_stats(&tlsf).used, 0);
    assert_sound();
}

/* ---- sized free ---- */

/* Whether a request of this layout can have been given a block of so many granules. */
static bool can_have_made(size_t granules, const void *ptr, size_t size, size_t align)
{
    size_t last = ACRE_TLSF_GRANULE - TLSF_HEADER; /* bytes of a block in its last granule */
    size_t takes = size <= last ? 1 : (size - last - 1) / ACRE_TLSF_GRANULE + 2;
    bool is_pow2 = align != 0 && (align & (align - 1)) == 0;
    takes = takes < ACRE_TLSF_MIN_GRANULES ? ACRE_TLSF_MIN_GRANULES : takes;
    return is_pow2 && (uintptr_t)ptr % align == 0 && takes <= granules && granules - takes <= 1;
}

/* Frees a block with a layout when that must succeed, and allocates it again. */
static void try_layout(void **ptr, size_t granules, size_t size, size_t align)
{
    bool made = can_have_made(granules, *ptr, size, align);
    enum acre_status expected = made ? ACRE_OK : ACRE_INVALID_PARAM;
    assert_int_equal(acre_tlsf_dealloc_sized(&tlsf, *ptr, acre_layout(size, align)), expected);
    if (!made)
        return;
    size_t usable = granules * ACRE_TLSF_GRANULE - TLSF_HEADER;
    assert_int_equal(acre_tlsf_dealloc_sized(&tlsf, *ptr, acre_layout(size, align)),
        ACRE_CHECK_POINTERS ? ACRE_NOT_ALLOCATED : ACRE_OK);
    *ptr = acre_tlsf_alloc(&tlsf, acre_layout(usable, 1)).ptr;
    assert_non_null(*ptr);
}

static void a_sized_free_takes_what_the_layout_can_have_made(void **state)
{
    enum { MOST = 40 };
    (void)state;
    for (size_t granules = ACRE_TLSF_MIN_GRANULES; granules <= MOST; granules++) {
        for (size_t hole = 0; hole < 2; hole++) {
            acre_tlsf_reset(&tlsf);
            void *low = acre_tlsf_alloc(&tlsf, acre_layout(2 * MOST * ACRE_TLSF_GRANULE, 1)).ptr;
            size_t usable = granules * ACRE_TLSF_GRANULE - TLSF_HEADER;
            void *ptr = acre_tlsf_alloc(&tlsf, acre_layout(usable, 1)).ptr;
            assert_non_null(acre_tlsf_alloc(&tlsf, acre_layout(1, 1)).ptr);
            if (hole != 0)
                assert_int_equal(acre_tlsf_dealloc(&tlsf, low), ACRE_OK);
            for (size_t size = 0; size < usable + 100; size++)
                for (size_t align = 0; align <= 48; align++)
                    try_layout(&ptr, granules, size, align);
            for (size_t below = 0; below <= 2 * usable; below++)
                try_layout(&ptr, granules, SIZE_MAX - below, 1);
            try_layout(&ptr, granules, usable, (size_t)1 << 20);
            assert_sound();
        }
    }
}

/* ---- a zeroed struct ---- */

static bool visit_none(void *arg, void *start, size_t size, bool live)
{
    (void)start;
    (void)size;
    (void)live;
    *(bool *)arg = true;
    return true;
}

static void a_zeroed_struct_is_an_empty_allocator(void **state)
{
    (void)state;
    static struct acre_tlsf empty;
    static const struct acre_stats nothing;
    bool visited = false;
    acre_tlsf_walk(&empty, visit_none, &visited);
    acre_tlsf_reset(&empty);
    assert_false(visited);
    struct acre_stats stats = acre_tlsf_stats(&empty);
    assert_memory_equal(&stats, &nothing, sizeof(stats));
    assert_int_equal(acre_tlsf_alloc(&empty, acre_layout(1, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_tlsf_alloc(&empty, acre_layout(1, 4096)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_tlsf_alloc(&empty, acre_layout(1, 3)).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_tlsf_stats(&empty).failed, 2);
    if (ACRE_CHECK_POINTERS) {
        assert_int_equal(acre_tlsf_dealloc(&empty, memory), ACRE_NOT_ALLOCATED);
        assert_int_equal(acre_tlsf_usable_size(&empty, memory).status, ACRE_NOT_ALLOCATED);
    }
    assert_int_equal(acre_tlsf_remove_memory(&empty, memory), ACRE_NOT_ALLOCATED);
    assert_null(acre_tlsf_check(&empty).invariant);
    assert_int_equal(acre_tlsf_add_memory(&empty, memory, sizeof(memory)), ACRE_OK);
    assert_non_null(acre_tlsf_alloc(&empty, acre_layout(1, 1)).ptr);
    assert_int_equal(acre_tlsf_init(&empty, NULL, 0), ACRE_INVALID_PARAM);
    assert_int_equal(acre_tlsf_stats(&empty).total, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(gaps_before_aligned_blocks_are_used, set_up),
        cmocka_unit_test_setup(largest_free_is_what_can_be_had, set_up),
        cmocka_unit_test_setup(a_second_free_is_refused, set_up),
        cmocka_unit_test_setup(a_sized_free_takes_what_the_layout_can_have_made, set_up),
        cmocka_unit_test(a_zeroed_struct_is_an_empty_allocator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
