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

/** Two ranges; in the lower one a used run, a chunk that is used up, and the hand. Late is the
 * lower range's first group only. */
static int make(void **state)
{
    (void)state;
    acre_bitmap_setup(&bitmap, 4096);
    if (acre_bitmap_add_memory_apart(&bitmap, 0, (size_t)9000 * 4096, meta_low, sizeof meta_low) !=
            ACRE_OK ||
        acre_bitmap_add_memory_apart(&bitmap, (uintptr_t)10000 * 4096, (size_t)100 * 4096,
            meta_high, sizeof meta_high) != ACRE_OK ||
        acre_bitmap_alloc_pages(&bitmap, 700, 4096).status != ACRE_OK ||
        acre_bitmap_alloc_pages(&bitmap, 1, 4096).status != ACRE_OK)
        return -1;
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
    range->words[11] ^= 4; /* in a late chunk */
    expect("BITMAP-3:");
    range->words[11] ^= 4;
    range->words[100] ^= 4;
    expect("BITMAP-5:");
}

static void test_hand(void **state)
{
    (void)state;
    assert_non_null(bitmap.hand);
    bitmap.hand++;
    expect("BITMAP-4:");
    bitmap.hand--;
    bitmap.hand_at += 4096;
    expect("BITMAP-4:");
    bitmap.hand_at -= 4096;
    bitmap.align_limit = 0;
    expect("BITMAP-4:");
    bitmap.align_limit = 4096;
    bitmap.hand_range = range->next;
    expect("BITMAP-4:");
    bitmap.hand = NULL;
    expect("BITMAP-4:");
}

static void test_hand_not_late(void **state)
{
    (void)state;
    acre_bitmap_tree_refresh(range, 0);
    expect("BITMAP-4:");
}

static void test_leaf(void **state)
{
    (void)state;
    range->leaves[9] ^= 1;
    expect("BITMAP-5:");
    range->leaves[9] ^= 1;
    range->leaves[1] ^= 1; /* late: nobody reads it */
    assert_null(acre_bitmap_check(&bitmap).invariant);
}

static void test_node(void **state)
{
    (void)state;
    range->groups[1].run--;
    expect("BITMAP-6:");
    range->groups[1].run++;
    range->nodes[0][0].end--;
    expect("BITMAP-6:");
}

static void test_counts(void **state)
{
    (void)state;
    bitmap.room++;
    expect("BITMAP-3:");
    bitmap.room--;
    bitmap.peak--;
    expect("BITMAP-3:");
    bitmap.peak++;
    bitmap.given++;
    expect("BITMAP-7:");
}

static void test_marks(void **state)
{
    (void)state;
    range->marks.bits[0][0] ^= 1;
    expect("BITMAP-8:");
    range->marks.bits[0][0] ^= 9;
    expect("BITMAP-8:");
    range->marks.bits[0][0] ^= 8;
    range->next->marks.bits[0][0] = 0;
    expect("BITMAP-8:");
    range->next->marks.bits[0][0] = 1;
    range->groups[2].words ^= 1;
    expect("BITMAP-8:");
}

static void test_lates(void **state)
{
    (void)state;
    range->groups[0].late ^= 1;
    expect("BITMAP-9:");
    range->groups[0].late ^= 1;
    range->lates.bits[0][0] ^= 2;
    expect("BITMAP-9:");
    range->lates.bits[0][0] ^= 3;
    expect("BITMAP-9:");
    range->lates.bits[0][0] ^= 1;
    range->late_count++;
    expect("BITMAP-9:");
    range->late_count--;
    bitmap.late_limit = 0;
    expect("BITMAP-9:");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_order, make),
        cmocka_unit_test_setup(test_bit_behind_the_end, make),
        cmocka_unit_test_setup(test_bit, make),
        cmocka_unit_test_setup(test_hand, make),
        cmocka_unit_test_setup(test_hand_not_late, make),
        cmocka_unit_test_setup(test_leaf, make),
        cmocka_unit_test_setup(test_node, make),
        cmocka_unit_test_setup(test_counts, make),
        cmocka_unit_test_setup(test_marks, make),
        cmocka_unit_test_setup(test_lates, make),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
