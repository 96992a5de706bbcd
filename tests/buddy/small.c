/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Buddy as a small machine has it: ACRE_MAX_POOL, one region. What the suites do not know. */
#include "buddy/buddy_fast.h"
#include "support/small_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct acre_buddy buddy;

const struct small_pool small_pool = {
    .bytes = { &acre_buddy_ops, &buddy },
    .self_size = sizeof buddy,
    .least = ACRE_BUDDY_SMALLEST,
    .align = 256,
    .pool_size = acre_buddy_pool_size,
    .create = acre_buddy_create,
    .backing = &acre_buddy_backing,
    .tells_release = true,
};

static void the_structure_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct acre_buddy) <= 24 * sizeof(size_t));
}

static void refuse_what_is_left_out(void **state)
{
    (void)state;
    struct acre_buddy before = buddy;
    assert_int_equal(
        acre_buddy_add_memory_apart(&buddy, small_pool_other, 2048, small_pool_other + 2048, 2048),
        ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_buddy_add_range(&buddy, 0, 2048, small_pool_other, SMALL_POOL), ACRE_INVALID_PARAM);
    assert_int_equal(acre_buddy_set_quick_depth(&buddy, 1), ACRE_INVALID_PARAM);
    assert_int_equal(acre_buddy_set_quick_depth(&buddy, 0), ACRE_OK);
    assert_memory_equal(&before, &buddy, sizeof buddy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SMALL_POOL_TESTS,
        cmocka_unit_test(the_structure_is_small),
        cmocka_unit_test_setup(refuse_what_is_left_out, small_pool_open),
    };
    return cmocka_run_group_tests_name("buddy.small", tests, NULL, NULL);
}
