/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Slab as a small machine has it: ACRE_MAX_POOL, one region. What the suites do not know. */
#include "slab/slab_tables.h"
#include "support/small_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct acre_slab slab;

const struct small_pool small_pool = {
    .bytes = { &acre_slab_ops, &slab },
    .self_size = sizeof slab,
    .least = ACRE_SLAB_UNIT,
    .align = 16,
    .pool_size = acre_slab_pool_size,
    .create = acre_slab_create,
    .backing = &acre_slab_backing,
    .tells_release = true,
};

static void the_structure_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct acre_slab) <= 120 * sizeof(size_t));
    assert_int_equal(acre_slab_setup(&slab, 2 * ACRE_SLAB_MAX_PAGE), ACRE_INVALID_PARAM);
}

static void refuse_what_is_left_out(void **state)
{
    (void)state;
    struct acre_slab before = slab;
    assert_int_equal(
        acre_slab_add_memory_adjacent(&slab, small_pool_other, SMALL_POOL), ACRE_INVALID_PARAM);
    assert_int_equal(acre_slab_setup(&slab, ACRE_SLAB_MIN_PAGE), ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_slab_alloc(&slab, acre_layout(8, 2 * ACRE_SLAB_UNIT)).status, ACRE_INVALID_PARAM);
    assert_memory_equal(&before, &slab, sizeof slab);
}

/* Where no page is left, an object of a larger class serves, if it has the alignment. */
static void a_larger_class_serves_at_last(void **state)
{
    (void)state;
    void *large = acre_slab_alloc(&slab, acre_layout(100, 1)).ptr;
    assert_non_null(large);
    while (acre_slab_alloc(&slab, acre_layout(SMALL_POOL / 8, 1)).ptr != NULL)
        continue;
    struct acre_ptr got = acre_slab_alloc_natural(&slab, 20);
    while (got.ptr != NULL && acre_slab_usable_size(&slab, got.ptr).num < 100)
        got = acre_slab_alloc_natural(&slab, 20);
    assert_non_null(got.ptr);
    assert_null(acre_slab_check(&slab).invariant);
    assert_int_equal(acre_slab_dealloc_sized(&slab, got.ptr, acre_layout(20, 1)), ACRE_OK);
    assert_null(acre_slab_check(&slab).invariant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SMALL_POOL_TESTS,
        cmocka_unit_test(the_structure_is_small),
        cmocka_unit_test_setup(refuse_what_is_left_out, small_pool_open),
        cmocka_unit_test_setup(a_larger_class_serves_at_last, small_pool_open),
    };
    return cmocka_run_group_tests_name("slab.small", tests, NULL, NULL);
}
