/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What is counted by class and by owner, and what happens to a block whose tag was overwritten. */
#include "support/naive.h"
#include "support/rng.h"

#include <acre/wrap.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { POOL = 1 << 16, OWNERS = 3 };

static _Alignas(4096) unsigned char pool[POOL];
static struct naive naive;
static struct acre_tally tally;
static struct acre_tally_row classes[ACRE_TALLY_CLASSES];
static struct acre_tally_row owners[OWNERS];
static struct acre_bytes bytes;
static struct acre_base base;

static int begin(size_t class_count, size_t owner_count)
{
    struct acre_bytes inner = { &naive_ops, &naive };
    memset(classes, 0xee, sizeof classes);
    memset(owners, 0xee, sizeof owners);
    acre_tally_wrap(&tally, inner, classes, class_count, owners, owner_count);
    bytes = acre_tally_bytes(&tally);
    base = acre_bytes_base(bytes);
    return acre_init(base, pool, POOL) == ACRE_OK ? 0 : -1;
}

static int set_up(void **state)
{
    (void)state;
    return begin(ACRE_TALLY_CLASSES, OWNERS);
}

static void *take(size_t size)
{
    struct acre_ptr got = acre_alloc(bytes, acre_layout(size, 1));
    assert_int_equal(got.status, ACRE_OK);
    assert_null(acre_check(base).invariant);
    return got.ptr;
}

static void give(void *ptr)
{
    assert_int_equal(acre_dealloc(bytes, ptr), ACRE_OK);
    assert_null(acre_check(base).invariant);
}

static size_t usable(const void *ptr)
{
    return acre_usable_size(bytes, ptr).num;
}

static void assert_row(const struct acre_tally_row *row, size_t live, size_t peak, uint64_t total)
{
    assert_int_equal(row->live_blocks, live);
    assert_int_equal(row->peak_blocks, peak);
    assert_int_equal(row->total_blocks, total);
    assert_true(row->live_bytes <= row->peak_bytes && row->peak_bytes <= row->total_bytes);
    assert_int_equal(row->live_bytes == 0, live == 0);
}

static void classes_are_powers_of_two(void **state)
{
    (void)state;
    static const size_t sizes[] = { 0, 1, 2, 3, 4, 5, 8, 9, 64, 65, 128, SIZE_MAX };
    static const size_t want[] = { 0, 0, 1, 2, 2, 3, 3, 4, 6, 7, 7, ACRE_TALLY_CLASSES - 1 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        assert_int_equal(acre_tally_class(sizes[i]), want[i]);
}

static void blocks_are_counted_by_class(void **state)
{
    (void)state;
    void *small[3] = { take(50), take(50), take(50) };
    void *large = take(3000);
    struct acre_tally_row *row = &classes[acre_tally_class(usable(small[0]))];
    assert_row(row, 3, 3, 3);
    assert_int_equal(row->live_bytes, 3 * usable(small[0]));
    assert_row(&classes[12], 1, 1, 1);
    assert_int_equal(classes[12].live_bytes, usable(large));
    give(small[1]);
    give(small[0]);
    small[1] = take(50);
    assert_row(row, 2, 3, 4);
    assert_int_equal(row->peak_bytes, 3 * usable(small[1]));
    assert_int_equal(row->total_bytes, 4 * usable(small[1]));
    give(large);
    assert_row(&classes[12], 0, 1, 1);
}

static void the_last_class_takes_all_above(void **state)
{
    (void)state;
    assert_int_equal(begin(5, 0), 0);
    take(1000);
    take(4000);
    take(12);
    assert_int_equal(classes[4].live_blocks, 3);
    assert_int_equal(classes[5].live_blocks, (size_t)0xeeeeeeeeeeeeeeee);
}

static void a_resize_changes_the_class(void **state)
{
    (void)state;
    void *ptr = take(100);
    size_t was = usable(ptr);
    assert_int_equal(acre_resize(bytes, ptr, 1000), ACRE_OK);
    assert_row(&classes[acre_tally_class(was)], 0, 1, 1);
    assert_row(&classes[10], 1, 1, 1);
    assert_int_equal(classes[10].live_bytes, usable(ptr));
    take(1);
    ptr = acre_realloc(bytes, ptr, acre_layout(5000, 1)).ptr;
    assert_row(&classes[10], 0, 1, 1);
    assert_row(&classes[13], 1, 1, 1);
    assert_int_equal(acre_resize(bytes, ptr, 4500), ACRE_OK);
    assert_row(&classes[13], 1, 1, 1);
    assert_int_equal(classes[13].live_bytes, usable(ptr));
    assert_true(classes[13].peak_bytes > usable(ptr));
    assert_null(acre_check(base).invariant);
}

static void blocks_belong_to_who_was_set(void **state)
{
    (void)state;
    void *first = take(100);
    assert_int_equal(acre_tally_set_owner(&tally, 2), 0);
    void *second = take(100);
    void *third = take(200);
    assert_int_equal(acre_tally_set_owner(&tally, 1), 2);
    second = acre_realloc(bytes, second, acre_layout(3000, 1)).ptr;
    assert_row(&owners[0], 1, 1, 1);
    assert_row(&owners[1], 0, 0, 0);
    assert_row(&owners[2], 2, 2, 2);
    assert_int_equal(owners[2].live_bytes, usable(second) + usable(third));
    assert_int_equal(acre_dealloc_sized(bytes, third, acre_layout(200, 1)), ACRE_OK);
    give(second);
    assert_row(&owners[2], 0, 2, 2);
    assert_row(&owners[0], 1, 1, 1);
    give(first);
    assert_row(&owners[0], 0, 1, 1);
}

static void owners_that_are_not_there(void **state)
{
    (void)state;
    acre_tally_set_owner(&tally, 12345);
    take(10);
    assert_row(&owners[2], 1, 1, 1);
    begin(ACRE_TALLY_CLASSES, 0);
    assert_int_equal(acre_tally_set_owner(&tally, 7), 0);
    take(10);
    assert_int_equal(acre_tally_set_owner(&tally, 0), 0);
    assert_row(&classes[4], 1, 1, 1);
}

static void only_owners_cost_bytes(void **state)
{
    (void)state;
    size_t with = usable(take(100));
    assert_int_equal(with % ACRE_NATURAL_ALIGN, ACRE_NATURAL_ALIGN - ACRE_TALLY_TAG);
    begin(ACRE_TALLY_CLASSES, 0);
    void *ptr = take(100);
    assert_int_equal(usable(ptr) % ACRE_NATURAL_ALIGN, 0);
    assert_int_equal(acre_resize(bytes, ptr, 50), ACRE_OK);
    assert_null(acre_check(base).invariant);
    give(ptr);
    assert_row(&classes[acre_tally_class(100)], 0, 1, 1);
}

static void refused_calls_count_nothing(void **state)
{
    struct acre_tally_row before[ACRE_TALLY_CLASSES];
    (void)state;
    void *ptr = take(100);
    memcpy(before, classes, sizeof before);
    assert_int_equal(acre_alloc(bytes, acre_layout(SIZE_MAX, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_alloc(bytes, acre_layout(SIZE_MAX - 3, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_resize(bytes, ptr, SIZE_MAX - 2), ACRE_NO_MEMORY);
    assert_int_equal(acre_dealloc(bytes, pool), ACRE_NOT_ALLOCATED);
    assert_int_equal(
        acre_dealloc_sized(bytes, ptr, acre_layout(SIZE_MAX - 1, 1)), ACRE_INVALID_PARAM);
    assert_memory_equal(before, classes, sizeof before);
    assert_row(&owners[0], 1, 1, 1);
}

static void reset_and_init_clear(void **state)
{
    (void)state;
    take(100);
    acre_reset(base);
    assert_row(&owners[0], 0, 0, 0);
    assert_null(acre_check(base).invariant);
    take(100);
    assert_int_equal(acre_init(base, pool, POOL), ACRE_OK);
    assert_row(&owners[0], 0, 0, 0);
    assert_null(acre_check(base).invariant);
}

/* One bit after the other of the tag. */
static void damage_to_a_tag_is_named(void **state)
{
    (void)state;
    unsigned char *ptr = take(100);
    unsigned char *tag = ptr + usable(ptr);
    for (size_t bit = 0; bit < 8 * ACRE_TALLY_TAG; bit++) {
        tag[bit / 8] ^= (unsigned char)(1u << bit % 8);
        assert_string_equal(acre_check(base).invariant, "TALLY-1: a block's tag is whole");
        assert_ptr_equal(acre_check(base).where, ptr);
        tag[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    assert_null(acre_check(base).invariant);
    const uint16_t beyond[2] = { OWNERS, UINT16_MAX - OWNERS };
    memcpy(tag, beyond, sizeof beyond);
    assert_string_equal(acre_check(base).invariant, "TALLY-1: a block's tag is whole");
}

static void a_block_without_its_owner_is_lost(void **state)
{
    (void)state;
    unsigned char *freed = take(100);
    unsigned char *grown = take(100);
    freed[usable(freed)] ^= 1;
    grown[usable(grown)] ^= 1;
    assert_non_null(acre_realloc(bytes, grown, acre_layout(2000, 1)).ptr);
    give(freed);
    assert_int_equal(tally.lost, 2);
    assert_row(&owners[0], 2, 2, 2);
    assert_int_equal(classes[11].live_blocks, 1);
    assert_null(acre_check(base).invariant);
}

static void wrong_sums_are_named(void **state)
{
    (void)state;
    take(100);
    classes[7].live_bytes++;
    assert_string_equal(acre_check(base).invariant, "TALLY-2: the classes equal the sums");
    classes[7].live_bytes--;
    owners[1].live_blocks++;
    assert_string_equal(acre_check(base).invariant, "TALLY-3: the owners equal the sums");
    owners[1].live_blocks--;
    naive.used++;
    assert_non_null(acre_check(base).invariant);
}

/* ---- requested bytes ---- */

static int set_up_requests(void **state)
{
    int result = set_up(state);
    acre_tally_count_requests(&tally, true);
    return result;
}

static void assert_requested(size_t of_class_7, size_t of_all)
{
    assert_int_equal(classes[7].live_requested, of_class_7);
    assert_int_equal(owners[0].live_requested, of_all);
    assert_int_equal(tally.requested, of_all);
    assert_true(owners[0].live_requested <= owners[0].live_bytes);
    assert_null(acre_check(base).invariant);
}

static void requested_bytes_are_counted(void **state)
{
    (void)state;
    void *first = take(100);
    void *second = take(70);
    assert_requested(170, 170);
    assert_true(usable(first) >= 100);
    assert_int_equal(acre_resize(bytes, first, 90), ACRE_OK);
    assert_requested(160, 160);
    void *moved = acre_realloc(bytes, second, acre_layout(1000, 1)).ptr;
    assert_non_null(moved);
    assert_requested(90, 1090);
    assert_int_equal(acre_realloc(bytes, moved, acre_layout(SIZE_MAX, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_resize(bytes, moved, POOL), ACRE_NO_MEMORY);
    assert_requested(90, 1090);
    assert_int_equal(acre_dealloc_sized(bytes, moved, acre_layout(1000, 1)), ACRE_OK);
    assert_requested(90, 90);
    give(first);
    assert_requested(0, 0);
    take(0);
    assert_int_equal(tally.requested, 0);
    take(33);
    acre_reset(base);
    assert_requested(0, 0);
}

static void damage_to_a_request_is_named(void **state)
{
    (void)state;
    unsigned char *ptr = take(100);
    unsigned char *tag = ptr + usable(ptr);
    for (size_t bit = 0; bit < 8 * (ACRE_TALLY_REQUEST + ACRE_TALLY_TAG); bit++) {
        tag[bit / 8] ^= (unsigned char)(1u << bit % 8);
        assert_string_equal(acre_check(base).invariant, "TALLY-1: a block's tag is whole");
        tag[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    tally.requested++;
    assert_string_equal(acre_check(base).invariant, "TALLY-4: requested equals the sum");
    tally.requested--;
    tag[0] ^= 1;
    give(ptr);
    assert_int_equal(tally.lost, 1);
    assert_int_equal(tally.requested, 100);
}

static void requests_alone_need_no_owners(void **state)
{
    (void)state;
    assert_int_equal(begin(0, 0), 0);
    size_t before = acre_stats(base).largest_free;
    acre_tally_count_requests(&tally, true);
    assert_int_equal(acre_stats(base).largest_free, before - ACRE_TALLY_REQUEST - ACRE_TALLY_TAG);
    void *ptr = take(100);
    assert_int_equal(tally.requested, 100);
    give(ptr);
    assert_int_equal(tally.requested, 0);
}

/* The tag of a larger block, written over that of a smaller one: its checksum is right, its size
 * is not. */
static void a_request_larger_than_its_block(void **state)
{
    unsigned char *small = take(40);
    unsigned char *large = take(400);
    (void)state;
    memcpy(small + usable(small), large + usable(large), sizeof(size_t) + ACRE_TALLY_TAG);
    assert_non_null(acre_check(base).invariant);
    assert_int_equal(acre_dealloc(bytes, small), ACRE_OK);
    give(large);
}

static enum acre_status refuse_free(void *self, void *ptr)
{
    (void)self;
    (void)ptr;
    return ACRE_NOT_ALLOCATED;
}

/* An allocator that knows a block, and does not take it back: nothing is uncounted. */
static void a_refused_free_is_not_counted(void **state)
{
    struct acre_bytes_ops ops = naive_ops;
    void *block = take(100);
    size_t class_of = acre_tally_class(usable(block));
    (void)state;
    ops.dealloc = refuse_free;
    tally.inner.ops = &ops;
    assert_int_equal(acre_dealloc(bytes, block), ACRE_NOT_ALLOCATED);
    assert_int_equal(classes[class_of].live_blocks, 1);
    tally.inner.ops = &naive_ops;
    give(block);
    assert_int_equal(classes[class_of].live_blocks, 0);
}

static void no_more_owners_than_a_tag_can_name(void **state)
{
    static struct acre_tally_row many[ACRE_TALLY_OWNERS];
    struct acre_bytes inner = { &naive_ops, &naive };
    (void)state;
    acre_tally_wrap(&tally, inner, classes, ACRE_TALLY_CLASSES, many, SIZE_MAX);
    assert_int_equal(tally.owner_count, ACRE_TALLY_OWNERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(classes_are_powers_of_two, set_up),
        cmocka_unit_test_setup(blocks_are_counted_by_class, set_up),
        cmocka_unit_test_setup(the_last_class_takes_all_above, set_up),
        cmocka_unit_test_setup(a_resize_changes_the_class, set_up),
        cmocka_unit_test_setup(blocks_belong_to_who_was_set, set_up),
        cmocka_unit_test_setup(owners_that_are_not_there, set_up),
        cmocka_unit_test_setup(only_owners_cost_bytes, set_up),
        cmocka_unit_test_setup(refused_calls_count_nothing, set_up),
        cmocka_unit_test_setup(reset_and_init_clear, set_up),
        cmocka_unit_test_setup(damage_to_a_tag_is_named, set_up),
        cmocka_unit_test_setup(a_block_without_its_owner_is_lost, set_up),
        cmocka_unit_test_setup(wrong_sums_are_named, set_up),
        cmocka_unit_test_setup(requested_bytes_are_counted, set_up_requests),
        cmocka_unit_test_setup(damage_to_a_request_is_named, set_up_requests),
        cmocka_unit_test_setup(requests_alone_need_no_owners, set_up),
        cmocka_unit_test_setup(a_request_larger_than_its_block, set_up_requests),
        cmocka_unit_test_setup(a_refused_free_is_not_counted, set_up),
        cmocka_unit_test_setup(no_more_owners_than_a_tag_can_name, set_up),
    };
    return cmocka_run_group_tests_name("tally", tests, NULL, NULL);
}
