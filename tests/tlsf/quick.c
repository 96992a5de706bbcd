/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's quick lists: what is in them, when they are flushed, and what the checker names. The
 * suites over all backends prove that they keep the contract of the byte allocators.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tlsf/tlsf_list.h"
#include "tlsf/tlsf_quick_private.h"

enum { SMALL = 40, MANY = ACRE_TLSF_QUICK_DEPTH + 8, HALF = 32 << 10 };

static _Alignas(4096) unsigned char memory[2 * HALF];
static unsigned char apart[2][2048];
static struct acre_tlsf_quick quick;
static unsigned char *block[MANY];

static void assert_sound(void)
{
    struct acre_stats stats = acre_tlsf_quick_stats(&quick);
    assert_int_equal(stats.total, stats.metadata + stats.used + stats.available);
    assert_null(acre_tlsf_quick_check(&quick).invariant);
}

static size_t count_of(size_t size)
{
    return quick.count[tlsf_linear_list(4 * tlsf_granules(size))];
}

static unsigned char *take(size_t size)
{
    unsigned char *ptr = acre_tlsf_quick_alloc(&quick, acre_layout(size, 1)).ptr;
    assert_non_null(ptr);
    assert_sound();
    return ptr;
}

static void give(void *ptr)
{
    assert_int_equal(acre_tlsf_quick_dealloc(&quick, ptr), ACRE_OK);
    assert_sound();
}

/* Allocates `count` small blocks, and frees them into their quick list when `given`. */
static void set_up(size_t count, bool given)
{
    assert_int_equal(acre_tlsf_quick_init(&quick, memory, HALF), ACRE_OK);
    for (size_t i = 0; i < count; i++)
        block[i] = take(SMALL);
    for (size_t i = 0; given && i < count; i++)
        give(block[i]);
}

static void last_in_is_first_out(void **state)
{
    (void)state;
    set_up(4, true);
    assert_int_equal(count_of(SMALL), 4);
    for (size_t i = 4; i-- > 0;)
        assert_ptr_equal(take(SMALL), block[i]);
    assert_int_equal(count_of(SMALL), 0);
}

static void a_full_list_takes_no_more(void **state)
{
    (void)state;
    set_up(MANY, true);
    assert_int_equal(count_of(SMALL), ACRE_TLSF_QUICK_DEPTH);
    assert_int_equal(acre_tlsf_quick_stats(&quick).used, 0);
}

static void large_blocks_pass_by(void **state)
{
    (void)state;
    set_up(1, false);
    size_t largest = ACRE_TLSF_GRANULE * (ACRE_TLSF_QUICK_LISTS + 1) - TLSF_HEADER;
    unsigned char *least_past = take(largest + 1);
    unsigned char *last_on = take(largest);
    give(least_past);
    assert_true(tlsf_is_free((void *)least_past));
    give(last_on);
    assert_int_equal(quick.count[ACRE_TLSF_QUICK_LISTS - 1], 1);
}

static void a_large_request_flushes(void **state)
{
    (void)state;
    set_up(MANY, true);
    size_t whole = acre_tlsf_quick_stats(&quick).largest_free;
    struct acre_stats stats = acre_tlsf_quick_stats(&quick);
    assert_int_equal(whole, stats.available - TLSF_HEADER);
    unsigned char *all = take(whole);
    assert_int_equal(count_of(SMALL), 0);
    give(all);
    give(take(SMALL));
    assert_null(acre_tlsf_quick_alloc(&quick, acre_layout(whole + 1, 1)).ptr);
    assert_null(acre_tlsf_quick_alloc(&quick, acre_layout(SIZE_MAX, 1)).ptr);
    assert_null(acre_tlsf_quick_alloc(&quick, acre_layout(whole, 2 * HALF)).ptr);
    assert_int_equal(count_of(SMALL), 1);
    assert_int_equal(acre_tlsf_quick_stats(&quick).failed, 3);
}

static void an_aligned_request_flushes(void **state)
{
    (void)state;
    set_up(MANY, true);
    struct acre_ptr got = acre_tlsf_quick_alloc(&quick, acre_layout(HALF / 2, 4096));
    assert_int_equal(got.status, ACRE_OK);
    assert_int_equal((uintptr_t)got.ptr % 4096, 0);
    assert_sound();
}

static void flush_empties_the_lists(void **state)
{
    (void)state;
    set_up(8, true);
    acre_tlsf_quick_flush(&quick);
    assert_int_equal(count_of(SMALL), 0);
    assert_sound();
    assert_null(acre_tlsf_check(&quick.tlsf).invariant);
}

/* Block 0 grows into 1, 2 and 3, which are in a quick list, and no further. */
static void growing_into_queued_blocks(void **state)
{
    (void)state;
    set_up(8, false);
    for (size_t i = 1; i < 6; i++)
        give(block[i]);
    size_t span = tlsf_span((void *)block[0]);
    size_t four = 4 * span * TLSF_QUARTER - TLSF_HEADER;
    size_t seven = 7 * span * TLSF_QUARTER - TLSF_HEADER;
    assert_int_equal(acre_tlsf_quick_resize(&quick, block[0], seven), ACRE_NO_MEMORY);
    assert_int_equal(acre_tlsf_quick_resize(&quick, block[0], SIZE_MAX), ACRE_NO_MEMORY);
    assert_int_equal(count_of(SMALL), 5);
    assert_int_equal(acre_tlsf_quick_resize(&quick, block[0], four), ACRE_OK);
    assert_int_equal(count_of(SMALL), 2);
    assert_sound();
}

/* A header of no span says "free" and leads to itself. */
static void a_header_overwritten_ends_a_run(void **state)
{
    (void)state;
    set_up(3, false);
    give(block[1]);
    acre_tlsf_field good = *tlsf_header((void *)block[1]);
    *tlsf_header((void *)block[1]) = TLSF_FREE;
    size_t more = acre_tlsf_quick_usable_size(&quick, block[0]).num + 1;
    assert_int_equal(acre_tlsf_quick_resize(&quick, block[0], more), ACRE_NO_MEMORY);
    *tlsf_header((void *)block[1]) = good;
    assert_sound();
}

static void regions_go_and_stay(void **state)
{
    (void)state;
    set_up(8, false);
    assert_int_equal(acre_tlsf_quick_remove_memory(&quick, memory + 1), ACRE_NOT_ALLOCATED);
    give(block[1]);
    assert_int_equal(acre_tlsf_quick_remove_memory(&quick, memory), ACRE_INVALID_PARAM);
    assert_int_equal(count_of(SMALL), 1);
    for (size_t i = 0; i < 8; i++)
        if (i != 1)
            give(block[i]);
    assert_int_equal(acre_tlsf_quick_remove_memory(&quick, memory), ACRE_OK);
    assert_int_equal(acre_tlsf_quick_stats(&quick).total, 0);
    assert_sound();
}

static void set_up_joined(void)
{
    memset(&quick, 0, sizeof quick);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(acre_tlsf_quick_add_memory_apart(
                             &quick, memory + i * HALF, HALF, apart[i], sizeof apart[i]),
            ACRE_OK);
    assert_sound();
}

/* The lower region has a live block that reaches into the upper one, or does not; both have blocks
 * in quick lists. */
static void joined_regions_go_and_stay(void **state)
{
    (void)state;
    set_up_joined();
    unsigned char *low = take(HALF / 2);
    unsigned char *across = take(HALF);
    unsigned char *high = take(SMALL);
    take(SMALL);
    unsigned char *top = acre_tlsf_quick_alloc(&quick, acre_layout(SMALL, 1)).ptr;
    give(top);
    give(high);
    assert_int_equal(acre_tlsf_quick_remove_memory(&quick, memory + HALF), ACRE_INVALID_PARAM);
    assert_int_equal(acre_tlsf_quick_remove_memory(&quick, memory), ACRE_INVALID_PARAM);
    assert_int_equal(count_of(SMALL), 2);
    give(across);
    assert_int_equal(acre_tlsf_quick_remove_memory(&quick, memory), ACRE_INVALID_PARAM);
    give(low);
    assert_int_equal(acre_tlsf_quick_remove_memory(&quick, memory), ACRE_OK);
    assert_sound();
}

static void a_region_that_is_not_cached(void **state)
{
    (void)state;
    set_up(1, false);
    assert_int_equal(acre_tlsf_quick_add_memory(&quick, memory + HALF, HALF), ACRE_OK);
    unsigned char *there = take(HALF - 4096);
    unsigned char *other = take(HALF - 4096);
    unsigned char *small = take(SMALL);
    give(other);
    give(there);
    give(small);
    give(block[0]);
    assert_int_equal(count_of(SMALL), 2);
    there = take(HALF - 4096);
    other = take(HALF - 4096);
    assert_ptr_equal(take(SMALL), block[0]);
    assert_ptr_equal(take(SMALL), small);
    give(there);
    give(other);
    assert_int_equal(acre_tlsf_quick_dealloc(&quick, other), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_tlsf_quick_dealloc(&quick, &quick), ACRE_NOT_ALLOCATED);
}

static void its_own_bytes_are_refused(void **state)
{
    unsigned char *own = (unsigned char *)quick.stack;
    (void)state;
    set_up(0, false);
    assert_int_equal(acre_tlsf_quick_add_memory(&quick, own, 4096), ACRE_MEMORY_OVERLAP);
    assert_int_equal(acre_tlsf_quick_add_memory(&quick, NULL, 4096), ACRE_INVALID_PARAM);
    assert_int_equal(acre_tlsf_quick_add_memory_apart(&quick, own, 4096, apart[0], sizeof apart[0]),
        ACRE_MEMORY_OVERLAP);
    assert_int_equal(
        acre_tlsf_quick_add_memory_apart(&quick, memory + HALF, HALF, own, sizeof apart[0]),
        ACRE_MEMORY_OVERLAP);
    assert_int_equal(
        acre_tlsf_quick_add_memory_apart(&quick, memory + HALF, HALF, NULL, sizeof apart[0]),
        ACRE_INVALID_PARAM);
    assert_sound();
}

/* A struct that was never initialised gets its quick lists flushed as well. */
static void a_zeroed_struct_is_an_empty_allocator(void **state)
{
    (void)state;
    memset(&quick, 0, sizeof quick);
    assert_sound();
    acre_tlsf_quick_reset(&quick);
    acre_tlsf_quick_flush(&quick);
    assert_int_equal(acre_tlsf_quick_stats(&quick).total, 0);
    assert_int_equal(acre_tlsf_quick_alloc(&quick, acre_layout(1, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_tlsf_quick_remove_memory(&quick, memory), ACRE_NOT_ALLOCATED);
    if (ACRE_CHECK_POINTERS)
        assert_int_equal(acre_tlsf_quick_dealloc(&quick, memory), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_tlsf_quick_add_memory(&quick, memory, HALF), ACRE_OK);
    for (size_t i = 0; i < 8; i++)
        block[i] = take(SMALL);
    for (size_t i = 0; i < 8; i++)
        give(block[i]);
    take(acre_tlsf_quick_stats(&quick).largest_free);
}

/* ---- walk ---- */

struct seen {
    size_t live, free, most;
};

static bool see(void *arg, void *start, size_t size, bool live)
{
    struct seen *seen = arg;
    assert_true(size != 0 && start != NULL);
    seen->live += live;
    seen->free += !live;
    return seen->live + seen->free < seen->most;
}

static struct seen look(size_t most)
{
    struct seen seen = { .most = most };
    acre_tlsf_quick_walk(&quick, see, &seen);
    return seen;
}

/* 0 is live, 1 to 4 are free, 5 is live, the rest is free. */
static void walk_shows_free_runs_as_one_block(void **state)
{
    (void)state;
    set_up(6, false);
    for (size_t i = 1; i < 5; i++)
        give(block[i]);
    assert_int_equal(look(100).live, 2);
    assert_int_equal(look(100).free, 2);
    for (size_t most = 1; most <= 4; most++)
        assert_int_equal(look(most).live + look(most).free, most);
}

/* ---- the checker ---- */

static void assert_broken(const char *invariant, const void *where)
{
    struct acre_check_result result = acre_tlsf_quick_check(&quick);
    assert_non_null(result.invariant);
    assert_memory_equal(result.invariant, invariant, strlen(invariant));
    assert_ptr_equal(result.where, where);
}

static void damage_is_named(void **state)
{
    (void)state;
    set_up(4, true);
    size_t list = tlsf_linear_list(tlsf_span((void *)block[0]));
    unsigned char *count = &quick.count[list];
    *count = ACRE_TLSF_QUICK_DEPTH + 1;
    assert_broken("TLSF-10:", count);
    *count = 3;
    assert_broken("TLSF-5:", block[3]);
    *count = 5;
    quick.stack[list][4] = (void *)block[0];
    assert_broken("TLSF-10:", quick.count);
    *count = 4;
    quick.stack[list][3] = (void *)block[0];
    assert_broken("TLSF-5:", block[3]);
    quick.stack[list][3] = (void *)block[3];
    size_t offset = tlsf_offset(quick.tlsf.base, block[2]);
    quick.tlsf.live_map[offset >> TLSF_WORD_LOG2] |= tlsf_bit(offset);
    assert_broken("TLSF-5:", block[2]);
    quick.tlsf.live_map[offset >> TLSF_WORD_LOG2] &= tlsf_all_but(offset);
    assert_sound();
}

int main(void)
{
    if (TLSF_HARDEN) {
        puts("the quick lists of this build stay empty, for it proves headers");
        return 77;
    }
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(last_in_is_first_out),
        cmocka_unit_test(a_full_list_takes_no_more),
        cmocka_unit_test(large_blocks_pass_by),
        cmocka_unit_test(a_large_request_flushes),
        cmocka_unit_test(an_aligned_request_flushes),
        cmocka_unit_test(flush_empties_the_lists),
        cmocka_unit_test(growing_into_queued_blocks),
        cmocka_unit_test(a_header_overwritten_ends_a_run),
        cmocka_unit_test(regions_go_and_stay),
        cmocka_unit_test(joined_regions_go_and_stay),
        cmocka_unit_test(a_region_that_is_not_cached),
        cmocka_unit_test(its_own_bytes_are_refused),
        cmocka_unit_test(a_zeroed_struct_is_an_empty_allocator),
        cmocka_unit_test(walk_shows_free_runs_as_one_block),
        cmocka_unit_test(damage_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
