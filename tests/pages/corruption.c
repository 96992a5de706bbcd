/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * White box: damage one field of the metadata and expect exactly the invariant that it breaks.
 */
#include "bitmap/bitmap_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

ACRE_BITMAP_STATIC(meta_low, 9000);
ACRE_BITMAP_STATIC(meta_high, 100);

static struct acre_bitmap bitmap;
static struct acre_bitmap_range *range;

/** Two ranges; in the lower one a used run, and a chunk that is used up. */
static int make(void **state)
{
    (void)state;
    acre_bitmap_setup(&bitmap, 4096);
    acre_bitmap_add_memory_apart(&bitmap, 0, (size_t)9000 * 4096, meta_low, sizeof meta_low);
    acre_bitmap_add_memory_apart(
        &bitmap, (uintptr_t)10000 * 4096, (size_t)100 * 4096, meta_high, sizeof meta_high);
    acre_bitmap_alloc_pages(&bitmap, 700, 4096);
    acre_bitmap_alloc_pages(&bitmap, 1, 4096);
    range = bitmap.ranges;
    return acre_bitmap_check(&bitmap).invariant != NULL;
}

static void expect(const char *invariant)
{
    const char *broken = acre_bitmap_check(&bitmap).invariant;

    assert_non_null(broken);
    assert_memory_equal(invariant, broken, strlen(invariant));
}

static void test_order(void **state)
{
    (void)state;
    range->next->first = 5000;
    expect("BITMAP-1:");
}

static void test_bit_behind_the_end(void **state)
{
    (void)state;
    range->words[9000 / 64] |= (uint64_t)1 << 63;
    expect("BITMAP-2:");
}

static void test_bit(void **state)
{
    (void)state;
    range->words[100] ^= 4;
    expect("BITMAP-3:");
}

static void test_free_count(void **state)
{
    (void)state;
    range->free++;
    expect("BITMAP-3:");
}

static void test_low(void **state)
{
    (void)state;
    range->low = 800;
    expect("BITMAP-4:");
}

static void test_leaf(void **state)
{
    (void)state;
    range->leaves[5] ^= 1;
    expect("BITMAP-5:");
}

static void test_node(void **state)
{
    (void)state;
    range->nodes[0][1].longest--;
    expect("BITMAP-6:");
    range->nodes[0][1].longest++;
    range->nodes[1][0].end--;
    expect("BITMAP-6:");
}

static void test_counts(void **state)
{
    (void)state;
    bitmap.used--;
    expect("BITMAP-7:");
    bitmap.used++;
    bitmap.given++;
    expect("BITMAP-7:");
    bitmap.given--;
    bitmap.peak = 3;
    expect("BITMAP-7:");
}

static void test_marks(void **state)
{
    (void)state;
    range->marks[0][0] ^= 1;
    expect("BITMAP-8:");
    range->marks[0][0] ^= 1;
    range->next->marks[0][0] = 0;
    expect("BITMAP-8:");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_order, make),
        cmocka_unit_test_setup(test_bit_behind_the_end, make),
        cmocka_unit_test_setup(test_bit, make),
        cmocka_unit_test_setup(test_free_count, make),
        cmocka_unit_test_setup(test_low, make),
        cmocka_unit_test_setup(test_leaf, make),
        cmocka_unit_test_setup(test_node, make),
        cmocka_unit_test_setup(test_counts, make),
        cmocka_unit_test_setup(test_marks, make),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
