/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the fault wrapper counts as a request, which ones it refuses, and what it leaves alone. */
#include "support/naive.h"

#include <acre/wrap.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { POOL = 1 << 14 };

static _Alignas(4096) unsigned char pool[POOL];
static struct naive naive;
static struct acre_fault fault;
static struct acre_bytes bytes;

static int set_up(void **state)
{
    (void)state;
    acre_fault_wrap(&fault, (struct acre_bytes){ &naive_ops, &naive });
    bytes = acre_fault_bytes(&fault);
    return acre_bytes_init(bytes, pool, POOL) == ACRE_OK ? 0 : -1;
}

static enum acre_status ask(size_t size)
{
    return acre_alloc(bytes, acre_layout(size, 1)).status;
}

static void without_a_rule_all_is_served(void **state)
{
    (void)state;
    for (size_t i = 1; i <= 50; i++) {
        assert_int_equal(ask(i), ACRE_OK);
        assert_int_equal(fault.requests, i);
    }
    assert_int_equal(fault.failed, 0);
    assert_int_equal(acre_bytes_stats(bytes).live_blocks, 50);
}

static void the_nth_is_refused_once(void **state)
{
    (void)state;
    acre_fault_nth(&fault, 3);
    for (size_t i = 1; i <= 9; i++)
        assert_int_equal(ask(10), i == 3 ? ACRE_NO_MEMORY : ACRE_OK);
    acre_fault_nth(&fault, 0);
    for (size_t i = 1; i <= 9; i++)
        assert_int_equal(ask(10), ACRE_OK);
}

static void every_kth_is_refused(void **state)
{
    (void)state;
    acre_fault_every(&fault, 4);
    for (size_t i = 1; i <= 20; i++)
        assert_int_equal(ask(10), i % 4 == 0 ? ACRE_NO_MEMORY : ACRE_OK);
    acre_fault_every(&fault, 1);
    assert_int_equal(ask(10), ACRE_NO_MEMORY);
    assert_int_equal(ask(10), ACRE_NO_MEMORY);
    acre_fault_every(&fault, 0);
    assert_int_equal(ask(10), ACRE_OK);
}

static void one_rule_replaces_the_other(void **state)
{
    (void)state;
    acre_fault_every(&fault, 1);
    acre_fault_nth(&fault, 2);
    assert_int_equal(ask(10), ACRE_OK);
    acre_fault_every(&fault, 2);
    assert_int_equal(ask(10), ACRE_OK);
    assert_int_equal(ask(10), ACRE_NO_MEMORY);
}

static void sizes_are_refused_at_their_bounds(void **state)
{
    (void)state;
    acre_fault_sizes(&fault, 100, 200);
    assert_int_equal(ask(99), ACRE_OK);
    assert_int_equal(ask(100), ACRE_NO_MEMORY);
    assert_int_equal(ask(200), ACRE_NO_MEMORY);
    assert_int_equal(ask(201), ACRE_OK);
    acre_fault_nth(&fault, 1);
    assert_int_equal(ask(10), ACRE_NO_MEMORY);
    assert_int_equal(ask(150), ACRE_NO_MEMORY);
    acre_fault_sizes(&fault, 2, 1);
    assert_int_equal(ask(150), ACRE_OK);
    assert_int_equal(ask(1), ACRE_OK);
    assert_int_equal(ask(2), ACRE_OK);
}

static void growing_is_a_request(void **state)
{
    (void)state;
    void *ptr = acre_alloc(bytes, acre_layout(100, 1)).ptr;
    size_t usable = acre_usable_size(bytes, ptr).num;
    acre_fault_every(&fault, 1);
    assert_int_equal(acre_resize(bytes, ptr, usable + 1), ACRE_NO_MEMORY);
    struct acre_ptr got = acre_realloc(bytes, ptr, acre_layout(usable + 1, 1));
    assert_int_equal(got.status, ACRE_NO_MEMORY);
    assert_null(got.ptr);
    assert_int_equal(fault.requests, 2);
    assert_int_equal(acre_usable_size(bytes, ptr).num, usable);
    acre_fault_every(&fault, 0);
    assert_int_equal(acre_resize(bytes, ptr, usable + 1), ACRE_OK);
    assert_int_equal(acre_realloc(bytes, ptr, acre_layout(2000, 1)).status, ACRE_OK);
    assert_int_equal(fault.requests, 2);
}

static void what_needs_no_memory_is_no_request(void **state)
{
    (void)state;
    void *ptr = acre_alloc(bytes, acre_layout(100, 1)).ptr;
    size_t usable = acre_usable_size(bytes, ptr).num;
    acre_fault_every(&fault, 1);
    assert_int_equal(acre_resize(bytes, ptr, usable), ACRE_OK);
    assert_ptr_equal(acre_realloc(bytes, ptr, acre_layout(usable, 1)).ptr, ptr);
    assert_ptr_equal(acre_realloc(bytes, ptr, acre_layout(0, 1)).ptr, ptr);
    assert_int_equal(acre_dealloc_sized(bytes, ptr, acre_layout(0, 1)), ACRE_OK);
    assert_int_equal(fault.requests, 0);
}

static void an_alignment_to_be_had_by_moving_is_a_request(void **state)
{
    (void)state;
    void *ptr = acre_alloc(bytes, acre_layout(100, 1)).ptr;
    size_t align = ((uintptr_t)ptr & -(uintptr_t)ptr) * 2;
    acre_fault_every(&fault, 1);
    assert_int_equal(acre_realloc(bytes, ptr, acre_layout(1, align)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_realloc(bytes, ptr, acre_layout(1, align / 2)).status, ACRE_OK);
    acre_fault_every(&fault, 0);
    struct acre_ptr moved = acre_realloc(bytes, ptr, acre_layout(1, align));
    assert_int_equal(moved.status, ACRE_OK);
    assert_int_equal((uintptr_t)moved.ptr & (align - 1), 0);
}

static void bad_input_is_answered_by_the_inner_allocator(void **state)
{
    (void)state;
    void *ptr = acre_alloc(bytes, acre_layout(100, 1)).ptr;
    acre_fault_every(&fault, 1);
    assert_int_equal(acre_alloc(bytes, acre_layout(1, 3)).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_realloc(bytes, ptr, acre_layout(500, 0)).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_realloc(bytes, NULL, acre_layout(5, 1)).status, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_resize(bytes, pool, 500), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_dealloc(bytes, pool), ACRE_NOT_ALLOCATED);
    assert_int_equal(fault.requests, 0);
    assert_int_equal(fault.failed, 0);
}

static void failed_requests_are_in_the_accounts(void **state)
{
    struct acre_base base = acre_bytes_base(bytes);
    (void)state;
    acre_fault_nth(&fault, 1);
    assert_int_equal(ask(10), ACRE_NO_MEMORY);
    assert_int_equal(ask(SIZE_MAX), ACRE_NO_MEMORY);
    assert_int_equal(acre_stats(base).failed, 2);
    assert_int_equal(naive.failed, 1);
    acre_reset(base);
    assert_int_equal(acre_stats(base).failed, 0);
    acre_fault_every(&fault, 1);
    assert_int_equal(ask(10), ACRE_NO_MEMORY);
    assert_int_equal(acre_init(base, pool, POOL), ACRE_OK);
    assert_int_equal(acre_stats(base).failed, 0);
    assert_int_equal(ask(10), ACRE_NO_MEMORY);
}

static void wrappers_stack(void **state)
{
    struct acre_fault outer;
    (void)state;
    acre_fault_wrap(&outer, bytes);
    acre_fault_every(&fault, 2);
    acre_fault_every(&outer, 3);
    size_t refused = 0;
    for (size_t i = 0; i < 12; i++)
        refused += acre_alloc(acre_fault_bytes(&outer), acre_layout(10, 1)).ptr == NULL;
    assert_int_equal(outer.failed, 4);
    assert_int_equal(fault.failed, 4);
    assert_int_equal(refused, 8);
    assert_int_equal(acre_bytes_stats(acre_fault_bytes(&outer)).failed, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_a_rule_all_is_served, set_up),
        cmocka_unit_test_setup(the_nth_is_refused_once, set_up),
        cmocka_unit_test_setup(every_kth_is_refused, set_up),
        cmocka_unit_test_setup(one_rule_replaces_the_other, set_up),
        cmocka_unit_test_setup(sizes_are_refused_at_their_bounds, set_up),
        cmocka_unit_test_setup(growing_is_a_request, set_up),
        cmocka_unit_test_setup(what_needs_no_memory_is_no_request, set_up),
        cmocka_unit_test_setup(an_alignment_to_be_had_by_moving_is_a_request, set_up),
        cmocka_unit_test_setup(bad_input_is_answered_by_the_inner_allocator, set_up),
        cmocka_unit_test_setup(failed_requests_are_in_the_accounts, set_up),
        cmocka_unit_test_setup(wrappers_stack, set_up),
    };
    return cmocka_run_group_tests_name("fault rules", tests, NULL, NULL);
}
