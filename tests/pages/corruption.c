/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * White box: damage one field of the metadata and expect exactly the invariant that it breaks.
 */
#include "base/compiler.h"
#include "bitmap/bitmap_private.h"
#include "support/damage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

ACRE_BITMAP_STATIC(meta_low, 9000);
ACRE_BITMAP_STATIC(meta_high, 100);

static struct acre_bitmap bitmap;
static struct acre_bitmap_range *range, *high;

/** Two ranges; in the lower one a used run, a chunk without a free page, and the hint. Only the
 * first group of the lower range is dirty. */
static int make(void **state)
{
    (void)state;
    bitmap = (struct acre_bitmap){ 0 };
    if (acre_bitmap_add_memory_apart(&bitmap, 0, (size_t)9000 * 4096, meta_low, sizeof meta_low) !=
            ACRE_OK ||
        acre_bitmap_add_memory_apart(&bitmap, (uintptr_t)10000 * 4096, (size_t)100 * 4096,
            meta_high, sizeof meta_high) != ACRE_OK ||
        acre_bitmap_alloc_pages(&bitmap, 700, 4096).status != ACRE_OK ||
        acre_bitmap_alloc_pages(&bitmap, 1, 4096).status != ACRE_OK)
        return -1;
    range = bitmap_first_range(&bitmap);
    high = bitmap_next_range(range);
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
    high->first = 5000;
    expect("BITMAP-1:");
}

static void test_bit_after_the_end(void **state)
{
    (void)state;
    range->words[9000 / 64] |= (uint64_t)1 << 63;
    expect("BITMAP-2:");
}

static void test_bit(void **state)
{
    (void)state;
    range->words[11] ^= 4; /* in a dirty chunk */
    expect("BITMAP-3:");
    range->words[11] ^= 4;
    range->words[100] ^= 4;
    expect("BITMAP-5:");
}

static void test_hint(void **state)
{
    (void)state;
    assert_non_null(bitmap.hint);
    bitmap.hint++;
    expect("BITMAP-4:");
    bitmap.hint--;
    bitmap.hint_at += 4096;
    expect("BITMAP-4:");
    bitmap.hint_at -= 4096;
    bitmap.align_limit = 0;
    expect("BITMAP-4:");
    bitmap.align_limit = 4096;
    bitmap.hint_range = high;
    expect("BITMAP-4:");
    bitmap.hint = NULL;
    expect("BITMAP-4:");
}

static void test_hint_not_dirty(void **state)
{
    (void)state;
    acre_bitmap_sum_up(range, 0);
    expect("BITMAP-4:");
}

static void test_unlisted_page(void **state)
{
    uint64_t *next;

    (void)state;
    assert_int_equal(acre_bitmap_dealloc_pages(&bitmap, 100 * 4096, 1), ACRE_OK);
    next = bitmap.next_hint;
    assert_non_null(next);
    assert_null(acre_bitmap_check(&bitmap).invariant);
    assert_int_equal(acre_bitmap_stats(&bitmap).largest_free, (9000 - 701) * 4096);
    range->words[1] |= 2;
    bitmap.headroom++;
    expect("BITMAP-4:"); /* a second page in its word */
    range->words[1] &= ~(uint64_t)2;
    bitmap.headroom--;
    bitmap.next_hint = next + 1;
    expect("BITMAP-4:");
    bitmap.next_hint = bitmap.hint;
    expect("BITMAP-4:");
    bitmap.next_hint = next;
    bitmap.free_from += 4096;
    expect("BITMAP-4:");
    bitmap.free_from -= 4096;
    bitmap.next_hint = NULL;
    expect("BITMAP-5:");
}

/** An unlisted page where none can be: at the first page, next to a listed one, in a word without
 * one. */
static void test_unlisted_page_out_of_place(void **state)
{
    (void)state;
    assert_int_equal(acre_bitmap_dealloc_pages(&bitmap, 100 * 4096, 1), ACRE_OK);
    assert_ptr_equal(bitmap.next_hint, &range->words[10]);
    range->words[1] = 0;
    bitmap.hint = &range->words[2];
    bitmap.hint_at = 128 * 4096;
    bitmap.headroom--;
    expect("BITMAP-4:"); /* its word is empty */
    bitmap.headroom++;
    range->words[0] = 1;
    bitmap.hint = &range->words[0];
    bitmap.hint_at = 0;
    expect("BITMAP-4:"); /* the first page */
    range->words[0] = 0;
    range->words[9] = (uint64_t)1 << 63;
    bitmap.hint = &range->words[9];
    bitmap.hint_at = 9 * 64 * 4096;
    expect("BITMAP-4:"); /* beside next_hint's first page */
}

/** The hint below the words of its range, and above next_hint, where its address agrees with it. */
static void test_unlisted_page_outside(void **state)
{
    const uintptr_t first = 10000;

    (void)state;
    bitmap = (struct acre_bitmap){ 0 };
    assert_int_equal(acre_bitmap_add_memory_apart(
                         &bitmap, first * 4096, (size_t)9000 * 4096, meta_low, sizeof meta_low),
        ACRE_OK);
    assert_int_equal(acre_bitmap_alloc_pages(&bitmap, 700, 4096).status, ACRE_OK);
    assert_int_equal(acre_bitmap_alloc_pages(&bitmap, 1, 4096).status, ACRE_OK);
    assert_int_equal(acre_bitmap_dealloc_pages(&bitmap, (first + 100) * 4096, 1), ACRE_OK);
    assert_null(acre_bitmap_check(&bitmap).invariant);
    range = bitmap_first_range(&bitmap);
    assert_ptr_equal(bitmap.next_hint, &range->words[10]);
    range->words[1] = 0;
    bitmap.headroom--;
    bitmap.hint = range->words - 1;
    bitmap.hint_at = (first - 64) * 4096;
    expect("BITMAP-4:");
    range->words[15] = 1 << 5; /* alone in its word, listed nowhere, but above next_hint */
    range->groups[0].free_words &= ~((uint64_t)1 << 15);
    bitmap.peak += 63;
    bitmap.hint = &range->words[15];
    bitmap.hint_at = (first + 15 * 64) * 4096;
    expect("BITMAP-4:");
}

/** A page freed at the end of its chunk changes the summary, though the chunk's first page is in
 * use. */
static void test_free_at_the_end_of_a_chunk(void **state)
{
    (void)state;
    bitmap_clear_hint(&bitmap);
    acre_bitmap_flush(&bitmap, range, 0);
    assert_int_equal(acre_bitmap_dealloc_pages(&bitmap, 511 * 4096, 1), ACRE_OK);
    assert_null(acre_bitmap_check(&bitmap).invariant);
}

/** Without a free page there is no hint, and no field that goes with one. */
static void test_hint_of_nothing(void **state)
{
    (void)state;
    for (unsigned full = 0; full < 2; full++) {
        bitmap = (struct acre_bitmap){ 0 };
        if (full != 0) {
            assert_int_equal(acre_bitmap_add_memory_apart(
                                 &bitmap, 4096, (size_t)100 * 4096, meta_high, sizeof meta_high),
                ACRE_OK);
            assert_int_equal(acre_bitmap_alloc_pages(&bitmap, 100, 1).status, ACRE_OK);
        }
        const struct acre_bitmap sound = bitmap;
        assert_null(acre_bitmap_check(&bitmap).invariant);
        bitmap.hint = meta_low;
        expect("BITMAP-4:");
        bitmap = sound;
        bitmap.hint_at = 4096;
        expect("BITMAP-4:");
        bitmap = sound;
        bitmap.align_limit = 4096;
        expect("BITMAP-4:");
        bitmap = sound;
        bitmap.hint_range = range;
        expect("BITMAP-4:");
        bitmap = sound;
        bitmap.next_hint = meta_low;
        expect("BITMAP-4:");
        bitmap = sound;
        bitmap.free_from = 4096;
        expect("BITMAP-4:");
        bitmap = sound;
        assert_null(acre_bitmap_check(&bitmap).invariant);
    }
}

static void test_bounds_of_a_range(void **state)
{
    size_t size = high->region.size;
    (void)state;
    high->region.size = 0;
    expect("BITMAP-1:");
    high->region.size = size;
    bitmap.regions.total++;
    expect("BITMAP-7:");
    bitmap.regions.total--;
    bitmap.page_shift ^= 1u << 12; /* no shift of a number of pages */
    expect("BITMAP-7:");
    bitmap.page_shift ^= 1u << 12;
    assert_null(acre_bitmap_check(&bitmap).invariant);
}

/** Sets of more than 64 groups have levels. */
static void test_levels_of_a_set(void **state)
{
    enum { PAGES = 70 * 4096 };
    ACRE_BITMAP_STATIC(meta, PAGES);
    (void)state;
    bitmap = (struct acre_bitmap){ 0 };
    assert_int_equal(
        acre_bitmap_add_memory_apart(&bitmap, 0, (size_t)PAGES * 4096, meta, sizeof meta), ACRE_OK);
    range = bitmap_first_range(&bitmap);
    assert_int_equal(range->free_groups.levels, 2);
    assert_int_equal(acre_bitmap_alloc_pages(&bitmap, 65 * 4096 + 7, 1).num, 0);
    assert_int_equal(acre_bitmap_alloc_pages(&bitmap, 1, 1).num, ((uintptr_t)65 * 4096 + 7) * 4096);
    assert_null(acre_bitmap_check(&bitmap).invariant);
    range->free_groups.bits[1][0] ^= 1;
    expect("BITMAP-8:");
    range->free_groups.bits[1][0] ^= 1;
    range->free_groups.bits[1][0] ^= 4;
    expect("BITMAP-8:");
    range->free_groups.bits[1][0] ^= 4;
    range->dirty_groups.bits[1][0] ^= 1;
    expect("BITMAP-9:");
    range->dirty_groups.bits[1][0] ^= 1;
    range->dirty_groups.size--;
    expect("BITMAP-1:");
    range->dirty_groups.size++;
    assert_null(acre_bitmap_check(&bitmap).invariant);
}

static void test_leaf(void **state)
{
    (void)state;
    range->leaves[9] ^= 1;
    expect("BITMAP-5:");
    range->leaves[9] ^= 1;
    range->leaves[1] ^= 1; /* of a dirty chunk: stale */
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
    bitmap.headroom++;
    expect("BITMAP-3:");
    bitmap.headroom--;
    bitmap.peak--;
    expect("BITMAP-3:");
    bitmap.peak++;
    bitmap.metadata++;
    expect("BITMAP-7:");
}

static void test_free_groups(void **state)
{
    (void)state;
    range->free_groups.bits[0][0] ^= 1;
    expect("BITMAP-8:");
    range->free_groups.bits[0][0] ^= 9;
    expect("BITMAP-8:");
    range->free_groups.bits[0][0] ^= 8;
    high->free_groups.bits[0][0] = 0;
    expect("BITMAP-8:");
    high->free_groups.bits[0][0] = 1;
    range->groups[2].free_words ^= 1;
    expect("BITMAP-8:");
}

static void test_dirty_groups(void **state)
{
    (void)state;
    range->groups[0].dirty ^= 1;
    expect("BITMAP-9:");
    range->groups[0].dirty ^= 1;
    range->dirty_groups.bits[0][0] ^= 2;
    expect("BITMAP-9:");
    range->dirty_groups.bits[0][0] ^= 3;
    expect("BITMAP-9:");
    range->dirty_groups.bits[0][0] ^= 1;
    range->dirty_count++;
    expect("BITMAP-9:");
    range->dirty_count--;
    bitmap.max_dirty = 0;
    expect("BITMAP-9:");
}

#if ACRE_ASSERTS
static jmp_buf failed;

/** Takes the place of the function that aborts. */
_Noreturn void acre_assert_fail(const char *text, const char *file, int line)
{
    (void)text;
    (void)file;
    (void)line;
    longjmp(failed, 1);
}

/** Builds with ACRE_ASSERTS notice a broken invariant on the way, not only in check. */
static void test_assertions(void **state)
{
    (void)state;
    *bitmap.hint = 0;
    if (setjmp(failed) == 0) {
        (void)acre_bitmap_alloc_pages(&bitmap, 1, 1).num;
        fail_msg("BITMAP-4 is not asserted");
    }
}
#endif

/* ---- every field, in many ways ---- */

static struct acre_check_result check(void)
{
    return acre_bitmap_check(&bitmap);
}

static void every_number(void **state)
{
    struct damage damage = { .check = check, .all = true };
    (void)state;
    DAMAGE_NUMBER(&damage, bitmap.page_shift);
    DAMAGE_NUMBER(&damage, bitmap.headroom);
    DAMAGE_NUMBER(&damage, bitmap.peak);
    DAMAGE_NUMBER(&damage, bitmap.metadata);
    DAMAGE_NUMBER(&damage, bitmap.regions.total);
    struct acre_bitmap_range *ranges[] = { range, high };
    for (size_t i = 0; i < 2; i++) {
        DAMAGE_NUMBER(&damage, ranges[i]->pages);
        DAMAGE_NUMBER(&damage, ranges[i]->top);
        DAMAGE_NUMBER(&damage, ranges[i]->words);
        DAMAGE_NUMBER(&damage, ranges[i]->leaves);
        DAMAGE_NUMBER(&damage, ranges[i]->groups);
        struct bitmap_set *sets[] = { &ranges[i]->free_groups, &ranges[i]->dirty_groups };
        for (size_t k = 0; k < 2; k++) {
            DAMAGE_NUMBER(&damage, sets[k]->size);
            DAMAGE_NUMBER(&damage, sets[k]->levels);
            for (unsigned level = 0; level < sets[k]->levels; level++)
                DAMAGE_NUMBER(&damage, sets[k]->bits[level]);
        }
        for (unsigned level = 2; level <= ranges[i]->top; level++)
            DAMAGE_NUMBER(&damage, ranges[i]->nodes[level - 2]);
    }
    damage.all = false; /* what holds no page may be more or less */
    for (size_t i = 0; i < 2; i++) {
        DAMAGE_NUMBER(&damage, ranges[i]->region.size);
        DAMAGE_NUMBER(&damage, ranges[i]->region.start);
        DAMAGE_NUMBER(&damage, ranges[i]->first);
    }
}

static void every_word(void **state)
{
    struct damage damage = { .check = check, .all = true };
    (void)state;
    for (size_t word = 0; word < (9000 + 63) / 64; word += 7)
        DAMAGE_NUMBER(&damage, range->words[word]);
    for (size_t word = 0; word < 2; word++)
        DAMAGE_NUMBER(&damage, high->words[word]);
}

/* Summaries, dirty bits and sets of groups: what is stale may be anything. */
static void every_summary(void **state)
{
    struct damage damage = { .check = check };
    struct acre_bitmap_range *ranges[] = { range, high };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        DAMAGE_NUMBER(&damage, ranges[i]->dirty_count);
        for (size_t group = 0; group * 64 * 64 < ranges[i]->pages; group++) {
            unsigned char *bytes = (unsigned char *)&ranges[i]->groups[group];
            for (size_t at = 0; at < sizeof ranges[i]->groups[group]; at += sizeof(uint64_t))
                damage_number(&damage, bytes + at, sizeof(uint64_t));
        }
        for (size_t leaf = 0; leaf < bitmap_chunks(ranges[i]->pages); leaf++)
            DAMAGE_NUMBER(&damage, ranges[i]->leaves[leaf]);
        for (unsigned level = 0; level < ranges[i]->free_groups.levels; level++) {
            DAMAGE_NUMBER(&damage, ranges[i]->free_groups.bits[level][0]);
            DAMAGE_NUMBER(&damage, ranges[i]->dirty_groups.bits[level][0]);
        }
    }
    assert_true(damage.named > 100);
}

static void every_hint(void **state)
{
    struct damage damage = { .check = check, .all = true };
    void *words[] = { NULL, range->words, range->words + 1, range->words + 10, range->words + 139,
        high->words, high->words + 1 };
    void *ranges[] = { NULL, range, high };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        DAMAGE_LINK(&damage, bitmap.hint, words);
        DAMAGE_LINK(&damage, bitmap.hint_range, ranges);
        DAMAGE_LINK(&damage, bitmap.next_hint, words);
        damage.all = false; /* bits below a page's say nothing */
        DAMAGE_NUMBER(&damage, bitmap.hint_at);
        DAMAGE_NUMBER(&damage, bitmap.free_from);
        damage.all = true;
        if (i == 0) /* the second time with an unlisted page */
            assert_int_equal(acre_bitmap_dealloc_pages(&bitmap, 100 * 4096, 1), ACRE_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_order, make),
        cmocka_unit_test_setup(test_bit_after_the_end, make),
        cmocka_unit_test_setup(test_bit, make),
        cmocka_unit_test_setup(test_hint, make),
        cmocka_unit_test_setup(test_hint_not_dirty, make),
        cmocka_unit_test_setup(test_unlisted_page, make),
        cmocka_unit_test_setup(test_unlisted_page_out_of_place, make),
        cmocka_unit_test(test_unlisted_page_outside),
        cmocka_unit_test_setup(test_free_at_the_end_of_a_chunk, make),
        cmocka_unit_test_setup(test_hint_of_nothing, make),
        cmocka_unit_test_setup(test_bounds_of_a_range, make),
        cmocka_unit_test_setup(test_levels_of_a_set, make),
        cmocka_unit_test_setup(test_leaf, make),
        cmocka_unit_test_setup(test_node, make),
        cmocka_unit_test_setup(test_counts, make),
        cmocka_unit_test_setup(test_free_groups, make),
        cmocka_unit_test_setup(test_dirty_groups, make),
        cmocka_unit_test_setup(every_number, make),
        cmocka_unit_test_setup(every_word, make),
        cmocka_unit_test_setup(every_summary, make),
        cmocka_unit_test_setup(every_hint, make),
#if ACRE_ASSERTS
        cmocka_unit_test_setup(test_assertions, make),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
