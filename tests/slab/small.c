/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Slab as a small machine has it: ACRE_MAX_POOL, one region. What the suites do not know. */
#include "slab/slab_tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { POOL = 4096, LEAST = ACRE_SLAB_UNIT };

static _Alignas(64) unsigned char pool[POOL];
static unsigned char other[POOL];
static struct acre_slab slab;

static int open_pool(void **state)
{
    (void)state;
    memset(&slab, 0, sizeof slab);
    return acre_slab_init(&slab, pool, sizeof pool) != ACRE_OK;
}

static void assert_sound(void)
{
    struct acre_check_result found = acre_slab_check(&slab);
    if (found.invariant != NULL)
        fail_msg("%s at %p", found.invariant, found.where);
}

static void the_structure_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct acre_slab) <= 120 * sizeof(size_t));
    assert_int_equal(acre_slab_setup(&slab, 2 * ACRE_SLAB_MAX_PAGE), ACRE_INVALID_PARAM);
}

static void every_byte_comes_back(void **state)
{
    (void)state;
    void *blocks[POOL / LEAST];
    size_t count = 0;
    struct acre_stats before = acre_slab_stats(&slab);
    for (;; count++) {
        struct acre_ptr got = acre_slab_alloc(&slab, acre_layout(1 + count % 3 * LEAST, 1));
        if (got.ptr == NULL)
            break;
        blocks[count] = got.ptr;
        assert_sound();
    }
    assert_true(count > 20);
    for (size_t i = 0; i < count; i++) {
        void *block = blocks[i * 7 % count];
        if (count % 7 == 0)
            block = blocks[i];
        assert_int_equal(acre_slab_dealloc(&slab, block), ACRE_OK);
        assert_int_equal(acre_slab_dealloc(&slab, block), ACRE_NOT_ALLOCATED);
        assert_sound();
    }
    struct acre_stats after = acre_slab_stats(&slab);
    assert_int_equal(after.used, 0);
    assert_int_equal(after.largest_free, before.largest_free);
}

static void misuse_is_exact(void **state)
{
    (void)state;
    unsigned char *one = acre_slab_alloc(&slab, acre_layout(100, 1)).ptr;
    assert_non_null(one);
    static unsigned char image[POOL];
    struct acre_slab before = slab;
    memcpy(image, pool, POOL);
    for (size_t at = 0; at < POOL; at++)
        if (pool + at != one)
            assert_int_equal(acre_slab_dealloc(&slab, pool + at), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_slab_dealloc(&slab, other), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_slab_dealloc(&slab, NULL), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_slab_dealloc_sized(&slab, one, acre_layout(300, 1)), ACRE_INVALID_PARAM);
    assert_memory_equal(&before, &slab, sizeof slab);
    assert_memory_equal(image, pool, POOL);
    assert_int_equal(acre_slab_dealloc_sized(&slab, one, acre_layout(100, 1)), ACRE_OK);
}

static void refuse_what_is_left_out(void **state)
{
    (void)state;
    struct acre_slab before = slab;
    assert_int_equal(acre_slab_add_memory(&slab, other, POOL), ACRE_INVALID_PARAM);
    assert_int_equal(acre_slab_add_memory(&slab, pool + 8, 1024), ACRE_MEMORY_OVERLAP);
    assert_int_equal(acre_slab_add_memory_adjacent(&slab, other, POOL), ACRE_INVALID_PARAM);
    assert_int_equal(acre_slab_setup(&slab, ACRE_SLAB_MIN_PAGE), ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_slab_alloc(&slab, acre_layout(8, 2 * ACRE_SLAB_UNIT)).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_slab_alloc(&slab, acre_layout(8, 3)).status, ACRE_INVALID_PARAM);
    assert_memory_equal(&before, &slab, sizeof slab);
    assert_int_equal(acre_slab_alloc(&slab, acre_layout(SIZE_MAX, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_slab_init(&slab, pool, (size_t)ACRE_MAX_POOL + 1), ACRE_INVALID_PARAM);
    assert_int_equal(acre_slab_init(&slab, pool, 64), ACRE_INVALID_PARAM);
    assert_int_equal(acre_slab_alloc(&slab, acre_layout(1, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_slab_dealloc(&slab, pool), ACRE_NOT_ALLOCATED);
}

static void a_region_goes_and_comes(void **state)
{
    (void)state;
    assert_non_null(acre_slab_alloc(&slab, acre_layout(40, 16)).ptr);
    assert_int_equal(acre_slab_remove_memory(&slab, pool), ACRE_INVALID_PARAM);
    acre_slab_reset(&slab);
    assert_sound();
    assert_int_equal(acre_slab_remove_memory(&slab, pool), ACRE_OK);
    assert_sound();
    assert_int_equal(acre_slab_add_memory(&slab, other, POOL), ACRE_OK);
    assert_sound();
}

/* One call and one pointer; pool_size is enough wherever the pool starts. */
static void a_pool_is_made_by_one_call(void **state)
{
    static unsigned char room[2 * ACRE_MAX_POOL];
    (void)state;
    for (size_t size = 1; size <= 1500; size += 37) {
        size_t needs = acre_slab_pool_size(acre_layout(size, 1));
        assert_in_range(needs, size, sizeof room - 64);
        for (size_t shift = 0; shift < 64; shift += 5) {
            struct acre_ptr made = acre_slab_create(room + shift, needs);
            assert_int_equal(made.status, ACRE_OK);
            assert_non_null(acre_slab_alloc(made.ptr, acre_layout(size, 1)).ptr);
            assert_null(acre_slab_check(made.ptr).invariant);
        }
    }
    memset(room, 0x55, sizeof room);
    assert_int_equal(acre_slab_pool_size(acre_layout(2 * ACRE_MAX_POOL, 1)), 0);
    assert_int_equal(acre_slab_create(NULL, POOL).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_slab_create(room, sizeof room).status, ACRE_INVALID_PARAM);
    for (size_t i = 0; i < sizeof room; i++)
        assert_int_equal(room[i], 0x55);
}

/* A size that is refused is refused before anything is written, and all larger ones are served. */
static void the_smallest_pool_is_exact(void **state)
{
    static unsigned char room[4096];
    (void)state;
    size_t size = 0;
    memset(room, 0x55, sizeof room);
    for (; acre_slab_create(room + 1, size).status != ACRE_OK; size++) {
        assert_true(size < sizeof room - 1);
        for (size_t i = 0; i < sizeof room; i++)
            if (room[i] != 0x55)
                fail_msg("%zu bytes: byte %zu was written", size, i);
    }
    struct acre_ptr made = acre_slab_create(room + 1, size);
    assert_null(acre_slab_check(made.ptr).invariant);
    assert_non_null(acre_slab_alloc(made.ptr, acre_layout(1, 1)).ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_structure_is_small),
        cmocka_unit_test_setup(every_byte_comes_back, open_pool),
        cmocka_unit_test_setup(misuse_is_exact, open_pool),
        cmocka_unit_test_setup(refuse_what_is_left_out, open_pool),
        cmocka_unit_test_setup(a_region_goes_and_comes, open_pool),
        cmocka_unit_test(a_pool_is_made_by_one_call),
        cmocka_unit_test(the_smallest_pool_is_exact),
    };
    return cmocka_run_group_tests_name("slab.small", tests, NULL, NULL);
}
