/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* First the one, then the other: who serves, who takes back, what moves, and whose memory is whose.
 */
#include "support/naive.h"

#include <acre/wrap.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { SMALL = 2048, LARGE = 1 << 14 };

static _Alignas(4096) unsigned char small[SMALL];
static _Alignas(4096) unsigned char large[LARGE];
static struct naive first;
static struct naive second;
static struct acre_fallback fallback;
static struct acre_bytes bytes;
static struct acre_base base;

/* Both have memory of their own. */
static int set_up(void **state)
{
    struct acre_bytes one = { &naive_ops, &first };
    struct acre_bytes two = { &naive_ops, &second };
    (void)state;
    acre_fallback_wrap(&fallback, one, two);
    bytes = acre_fallback_bytes(&fallback);
    base = acre_bytes_base(bytes);
    return naive_ops.base.init(&first, small, SMALL) == ACRE_OK &&
                   naive_ops.base.init(&second, large, LARGE) == ACRE_OK
               ? 0
               : -1;
}

static bool in_small(const unsigned char *ptr)
{
    return ptr >= small && ptr < small + SMALL;
}

static bool in_large(const unsigned char *ptr)
{
    return ptr >= large && ptr < large + LARGE;
}

static unsigned char *take(size_t size)
{
    struct acre_ptr got = acre_alloc(bytes, acre_layout(size, 1));
    assert_int_equal(got.status, ACRE_OK);
    assert_null(acre_check(base).invariant);
    return got.ptr;
}

static void the_second_serves_when_the_first_is_full(void **state)
{
    (void)state;
    assert_true(in_small(take(1000)));
    assert_int_equal(fallback.spilled, 0);
    assert_true(in_large(take(1000)));
    assert_int_equal(fallback.spilled, 1);
    assert_true(in_small(take(500)));
    assert_true(in_large(take(5000)));
    assert_int_equal(fallback.spilled, 2);
    assert_int_equal(first.live_blocks, 2);
    assert_int_equal(second.live_blocks, 2);
}

static void a_bad_layout_is_not_asked_twice(void **state)
{
    (void)state;
    assert_int_equal(acre_alloc(bytes, acre_layout(10, 3)).status, ACRE_INVALID_PARAM);
    assert_int_equal(fallback.spilled, 0);
    assert_int_equal(second.failed, 0);
}

static void each_takes_back_its_own(void **state)
{
    (void)state;
    void *one = take(1500);
    void *two = take(1500);
    void *three = take(1500);
    assert_int_equal(acre_dealloc(bytes, two), ACRE_OK);
    assert_int_equal(acre_dealloc(bytes, two), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_dealloc_sized(bytes, three, acre_layout(1, 1)), ACRE_INVALID_PARAM);
    assert_int_equal(acre_dealloc_sized(bytes, three, acre_layout(1500, 1)), ACRE_OK);
    assert_int_equal(acre_dealloc_sized(bytes, one, acre_layout(1, 1)), ACRE_INVALID_PARAM);
    assert_int_equal(acre_dealloc(bytes, one), ACRE_OK);
    assert_int_equal(acre_dealloc(bytes, one), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_stats(base).used, 0);
}

static void assert_text(const unsigned char *ptr, size_t size)
{
    for (size_t i = 0; i < size; i++)
        assert_int_equal(ptr[i], (unsigned char)(i * 7));
}

static void a_block_moves_to_the_second(void **state)
{
    (void)state;
    unsigned char *ptr = take(1000);
    for (size_t i = 0; i < 1000; i++)
        ptr[i] = (unsigned char)(i * 7);
    unsigned char *moved = acre_realloc(bytes, ptr, acre_layout(4000, 1)).ptr;
    assert_true(in_large(moved));
    assert_text(moved, 1000);
    assert_int_equal(first.live_blocks, 0);
    assert_int_equal(second.live_blocks, 1);
    assert_int_equal(acre_usable_size(bytes, ptr).status, ACRE_NOT_ALLOCATED);
    assert_true(acre_usable_size(bytes, moved).num >= 4000);
}

/* The second is full; the first has been emptied meanwhile. */
static void a_block_moves_to_the_first(void **state)
{
    (void)state;
    void *wall = take(1900);
    unsigned char *ptr = take(100);
    assert_true(in_large(ptr));
    for (size_t i = 0; i < 100; i++)
        ptr[i] = (unsigned char)(i * 7);
    while (acre_alloc(bytes, acre_layout(64, 1)).ptr != NULL)
        continue;
    assert_int_equal(acre_dealloc(bytes, wall), ACRE_OK);
    unsigned char *moved = acre_realloc(bytes, ptr, acre_layout(1000, 1)).ptr;
    assert_true(in_small(moved));
    assert_text(moved, 100);
    assert_null(acre_check(base).invariant);
}

static void a_block_stays_while_it_can(void **state)
{
    (void)state;
    void *one = take(500);
    assert_ptr_equal(acre_realloc(bytes, one, acre_layout(900, 1)).ptr, one);
    void *two = take(3000);
    assert_ptr_equal(acre_realloc(bytes, two, acre_layout(100, 1)).ptr, two);
    assert_int_equal(acre_resize(bytes, one, 5000), ACRE_NO_MEMORY);
    assert_int_equal(acre_resize(bytes, two, 5000), ACRE_OK);
    assert_int_equal(acre_resize(bytes, NULL, 1), ACRE_NOT_ALLOCATED);
}

static void what_neither_serves_is_counted_once(void **state)
{
    (void)state;
    void *ptr = take(100);
    assert_int_equal(acre_alloc(bytes, acre_layout(LARGE, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_realloc(bytes, ptr, acre_layout(LARGE, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_resize(bytes, ptr, SIZE_MAX), ACRE_NO_MEMORY);
    assert_int_equal(acre_stats(base).failed, 3);
    take(5000);
    assert_int_equal(acre_stats(base).failed, 3);
}

static void accounts_are_sums(void **state)
{
    (void)state;
    void *one = take(1000);
    void *two = take(4000);
    struct acre_stats stats = acre_stats(base);
    assert_int_equal(stats.total, SMALL + LARGE);
    assert_int_equal(stats.used, first.used + second.used);
    assert_int_equal(stats.metadata, first.metadata + second.metadata);
    assert_int_equal(stats.total, stats.metadata + stats.used + stats.available);
    assert_int_equal(stats.live_blocks, 2);
    assert_int_equal(stats.largest_free, naive_ops.base.stats(&second).largest_free);
    size_t peak = stats.used;
    assert_int_equal(acre_dealloc(bytes, one), ACRE_OK);
    take(500);
    assert_int_equal(acre_dealloc(bytes, two), ACRE_OK);
    assert_int_equal(acre_stats(base).peak, peak);
}

/* Each one's own peak was at another moment; their sum never was. */
static void the_peak_is_of_the_sum(void **state)
{
    (void)state;
    void *one = take(1000);
    size_t small_peak = acre_stats(base).used;
    assert_int_equal(acre_dealloc(bytes, one), ACRE_OK);
    void *two = take(4000);
    size_t large_peak = acre_stats(base).used;
    assert_int_equal(acre_stats(base).peak, large_peak);
    take(10);
    assert_true(acre_stats(base).peak < small_peak + large_peak);
    assert_int_equal(acre_stats(base).peak, acre_stats(base).used);
    assert_int_equal(acre_dealloc(bytes, two), ACRE_OK);
    assert_true(acre_stats(base).peak > large_peak);
}

static void init_is_the_firsts_and_more_the_seconds(void **state)
{
    (void)state;
    take(1000);
    take(4000);
    assert_int_equal(acre_init(base, small, SMALL), ACRE_OK);
    assert_int_equal(acre_stats(base).total, SMALL);
    assert_int_equal(acre_stats(base).used, 0);
    assert_int_equal(second.total, 0);
    assert_int_equal(acre_add_memory(base, large, LARGE), ACRE_OK);
    assert_int_equal(second.total, LARGE);
    assert_int_equal(acre_add_memory(base, small + 100, 1000), ACRE_MEMORY_OVERLAP);
    assert_int_equal(acre_add_memory(base, large + 100, 1000), ACRE_MEMORY_OVERLAP);
    assert_int_equal(acre_add_memory(base, NULL, 1000), ACRE_INVALID_PARAM);
    assert_int_equal(acre_add_memory(base, (void *)UINTPTR_MAX, 2), ACRE_INVALID_PARAM);
    assert_int_equal(acre_add_memory(base, small, 0), ACRE_INVALID_PARAM);
    assert_int_equal(acre_remove_memory(base, small), ACRE_OK);
    assert_int_equal(acre_remove_memory(base, small), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_add_memory(base, small + 100, 1000), ACRE_OK);
    assert_int_equal(acre_remove_memory(base, large), ACRE_OK);
    assert_int_equal(acre_stats(base).total, 1000);
}

static void a_refused_init_leaves_both_empty(void **state)
{
    (void)state;
    take(1000);
    take(4000);
    assert_int_equal(acre_init(base, NULL, SMALL), ACRE_INVALID_PARAM);
    assert_int_equal(acre_stats(base).total, 0);
    assert_int_equal(acre_alloc(bytes, acre_layout(1, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_add_memory(base, small, SMALL), ACRE_OK);
    assert_true(in_small(take(100)));
}

/* Memory that was not given through this handle can be taken back through it. */
static void either_region_can_be_removed(void **state)
{
    (void)state;
    assert_int_equal(acre_remove_memory(base, small), ACRE_OK);
    assert_int_equal(acre_remove_memory(base, large), ACRE_OK);
    assert_int_equal(acre_remove_memory(base, large), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_stats(base).total, 0);
}

/* Size 0 keeps what size 1 does. */
static void a_block_moves_for_an_alignment(void **state)
{
    (void)state;
    unsigned char *ptr = take(1);
    *ptr = 0x5a;
    unsigned char *moved = acre_realloc(bytes, ptr, acre_layout(0, 4096)).ptr;
    assert_true(in_large(moved));
    assert_int_equal(*moved, 0x5a);
}

static bool count_visits(void *arg, void *start, size_t size, bool live)
{
    size_t *left = arg;
    (void)start;
    (void)size;
    (void)live;
    return --*left != 0;
}

static size_t visits(size_t most)
{
    size_t left = most;
    acre_walk(bytes, count_visits, &left);
    return most - left;
}

static void walk_passes_through_both_and_ends(void **state)
{
    (void)state;
    take(1000);
    take(4000);
    assert_int_equal(visits(100), 4);
    for (size_t most = 1; most <= 4; most++)
        assert_int_equal(visits(most), most);
}

static void both_are_checked(void **state)
{
    (void)state;
    first.used++;
    assert_non_null(acre_check(base).invariant);
    first.used--;
    second.used++;
    assert_non_null(acre_check(base).invariant);
    second.used--;
    assert_null(acre_check(base).invariant);
}

static void a_reset_reaches_both(void **state)
{
    (void)state;
    take(1000);
    take(4000);
    assert_int_equal(acre_alloc(bytes, acre_layout(LARGE, 1)).status, ACRE_NO_MEMORY);
    acre_reset(base);
    struct acre_stats stats = acre_stats(base);
    assert_int_equal(stats.used, 0);
    assert_int_equal(stats.peak, 0);
    assert_int_equal(stats.failed, 0);
    assert_int_equal(stats.total, SMALL + LARGE);
    assert_int_equal(fallback.spilled, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_second_serves_when_the_first_is_full, set_up),
        cmocka_unit_test_setup(a_bad_layout_is_not_asked_twice, set_up),
        cmocka_unit_test_setup(each_takes_back_its_own, set_up),
        cmocka_unit_test_setup(a_block_moves_to_the_second, set_up),
        cmocka_unit_test_setup(a_block_moves_to_the_first, set_up),
        cmocka_unit_test_setup(a_block_stays_while_it_can, set_up),
        cmocka_unit_test_setup(what_neither_serves_is_counted_once, set_up),
        cmocka_unit_test_setup(accounts_are_sums, set_up),
        cmocka_unit_test_setup(the_peak_is_of_the_sum, set_up),
        cmocka_unit_test_setup(init_is_the_firsts_and_more_the_seconds, set_up),
        cmocka_unit_test_setup(a_refused_init_leaves_both_empty, set_up),
        cmocka_unit_test_setup(either_region_can_be_removed, set_up),
        cmocka_unit_test_setup(a_block_moves_for_an_alignment, set_up),
        cmocka_unit_test_setup(walk_passes_through_both_and_ends, set_up),
        cmocka_unit_test_setup(both_are_checked, set_up),
        cmocka_unit_test_setup(a_reset_reaches_both, set_up),
    };
    return cmocka_run_group_tests_name("fallback", tests, NULL, NULL);
}
