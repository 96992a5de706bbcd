/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Buddy's regions: integers that are no memory, memory that traps, every start and length, seams.
 */
#include "support/rng.h"

#include <acre/buddy.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

enum { UNIT = 32, KIB = 1024, MIB = 1024 * KIB, META = 64 * KIB };

static struct acre_buddy buddy;
static unsigned char metas[4][META];

/* Makes an empty allocator whose smallest blocks have so many bytes. */
static void start_over(size_t smallest)
{
    memset(&buddy, 0, sizeof buddy);
    assert_int_equal(acre_buddy_setup(&buddy, smallest), ACRE_OK);
}

static int make(void **state)
{
    (void)state;
    start_over(UNIT);
    return 0;
}

static void assert_sound(void)
{
    struct acre_check_result found = acre_buddy_check(&buddy);
    if (found.invariant != NULL)
        fail_msg("%s at %p", found.invariant, found.where);
}

static void add(unsigned which, uintptr_t start, size_t size)
{
    assert_int_equal(acre_buddy_add_range(&buddy, start, size, metas[which], META), ACRE_OK);
    assert_sound();
}

static void drop(uintptr_t start)
{
    assert_int_equal(acre_buddy_remove_memory(&buddy, (void *)start), ACRE_OK);
    assert_sound();
}

static struct acre_num take(size_t size)
{
    return acre_buddy_alloc_range(&buddy, acre_layout(size, 1));
}

static size_t largest(void)
{
    return acre_buddy_stats(&buddy).largest_free;
}

/* Takes every smallest block, frees them all, each `step`th first, and wants the old state back. */
static void exhaust(size_t step)
{
    struct acre_stats empty = acre_buddy_stats(&buddy);
    size_t count = empty.available / (buddy.mask + 1);
    uintptr_t *blocks = calloc(count + 1, sizeof *blocks);
    assert_non_null(blocks);
    for (size_t i = 0; i < count; i++) {
        struct acre_num taken = take(1);
        assert_int_equal(taken.status, ACRE_OK);
        blocks[i] = taken.num;
    }
    assert_int_equal(take(1).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_buddy_stats(&buddy).available, 0);
    assert_sound();
    for (size_t first = 0; first < step; first++)
        for (size_t i = first; i < count; i += step)
            assert_int_equal(acre_buddy_dealloc_range(&buddy, blocks[i]), ACRE_OK);
    assert_sound();
    assert_int_equal(largest(), empty.largest_free);
    assert_int_equal(acre_buddy_stats(&buddy).available, empty.available);
    free(blocks);
}

/* ---- integers ---- */

static void a_range_at_0(void **state)
{
    (void)state;
    add(0, 0, MIB);
    assert_int_equal(largest(), MIB);
    struct acre_num taken = take(MIB);
    assert_int_equal(taken.status, ACRE_OK);
    assert_int_equal(taken.num, 0);
    assert_int_equal(acre_buddy_dealloc_range(&buddy, 0), ACRE_OK);
    assert_int_equal(acre_buddy_dealloc_range(&buddy, 0), ACRE_NOT_ALLOCATED);
    exhaust(3);
    drop(0);
    assert_int_equal(acre_buddy_stats(&buddy).total, 0);
}

static void a_range_that_ends_at_the_top(void **state)
{
    uintptr_t start = UINTPTR_MAX - MIB + 1;
    (void)state;
    add(0, start, MIB);
    assert_int_equal(largest(), MIB);
    assert_int_equal(take(MIB / 2).num, start);
    assert_int_equal(take(MIB / 2).num, UINTPTR_MAX - MIB / 2 + 1);
    assert_int_equal(acre_buddy_dealloc_range(&buddy, UINTPTR_MAX - MIB / 2 + 1), ACRE_OK);
    assert_int_equal(acre_buddy_dealloc_range(&buddy, start), ACRE_OK);
    exhaust(5);
    drop(start);
}

static void the_whole_address_space(void **state)
{
    size_t smallest = SIZE_MAX / 8 + 1;
    (void)state;
    start_over(smallest);
    assert_int_equal(acre_buddy_add_range(&buddy, 0, SIZE_MAX - META, metas[0], META), ACRE_OK);
    assert_sound();
    assert_int_equal(acre_buddy_stats(&buddy).available, 7 * smallest);
    assert_int_equal(largest(), 4 * smallest);
    exhaust(2);
    assert_int_equal(take(SIZE_MAX).status, ACRE_NO_MEMORY);
    assert_int_equal(take(4 * smallest + 1).status, ACRE_NO_MEMORY);
    assert_int_equal(take(4 * smallest).num, 0);
    assert_int_equal(take(smallest + 1).num, 4 * smallest);
    assert_sound();
}

/* More than a size_t counts cannot be owned. */
static void no_more_than_can_be_counted(void **state)
{
    size_t half = SIZE_MAX / 2 + 1;
    (void)state;
    start_over(SIZE_MAX / 8 + 1);
    add(0, 0, half);
    struct acre_buddy before = buddy;
    assert_int_equal(acre_buddy_add_range(&buddy, half, half, metas[1], META), ACRE_INVALID_PARAM);
    assert_memory_equal(&before, &buddy, sizeof buddy);
    assert_int_equal(acre_buddy_add_range(&buddy, half, half / 2, metas[1], META), ACRE_OK);
    assert_sound();
}

static void bad_ranges_are_refused(void **state)
{
    (void)state;
    add(0, 64 * KIB, 64 * KIB);
    size_t need = acre_buddy_metadata_size(4 * KIB, UNIT);
    const struct {
        uintptr_t start;
        size_t size;
        void *meta;
        size_t meta_size;
        enum acre_status status;
    } rows[] = {
        { 0, 0, metas[1], META, ACRE_INVALID_PARAM },
        { 1, UNIT, metas[1], META, ACRE_INVALID_PARAM },
        { 0, UNIT - 1, metas[1], META, ACRE_INVALID_PARAM },
        { UINTPTR_MAX, 2, metas[1], META, ACRE_INVALID_PARAM },
        { UINTPTR_MAX - 4095, 4097, metas[1], META, ACRE_INVALID_PARAM },
        { 0, 4 * KIB, NULL, META, ACRE_INVALID_PARAM },
        { 0, 4 * KIB, metas[1], need - 1, ACRE_INVALID_PARAM },
        { 0, 4 * KIB, metas[1], 0, ACRE_INVALID_PARAM },
        { 0, 4 * KIB, (void *)(UINTPTR_MAX - 8), META, ACRE_INVALID_PARAM },
        { 64 * KIB, 4 * KIB, metas[1], META, ACRE_MEMORY_OVERLAP },
        { 0, 64 * KIB + 1, metas[1], META, ACRE_MEMORY_OVERLAP },
        { 128 * KIB - 1, 4 * KIB, metas[1], META, ACRE_MEMORY_OVERLAP },
        { 0, 256 * KIB, metas[1], META, ACRE_MEMORY_OVERLAP },
        { 0, 4 * KIB, metas[0], META, ACRE_MEMORY_OVERLAP },
        { 0, 4 * KIB, metas[0] + META - 1, META, ACRE_MEMORY_OVERLAP },
        { 0, 4 * KIB, &buddy, sizeof buddy, ACRE_MEMORY_OVERLAP },
    };
    static struct acre_buddy before;
    static unsigned char meta[META];
    memcpy(&before, &buddy, sizeof buddy);
    memcpy(meta, metas[0], META);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(acre_buddy_add_range(
                             &buddy, rows[i].start, rows[i].size, rows[i].meta, rows[i].meta_size),
            rows[i].status);
        assert_memory_equal(&before, &buddy, sizeof buddy);
        assert_memory_equal(meta, metas[0], META);
    }
    assert_int_equal(acre_buddy_add_range(&buddy, 0, 4 * KIB, metas[1], need), ACRE_OK);
    assert_int_equal(acre_buddy_remove_memory(&buddy, (void *)1), ACRE_NOT_ALLOCATED);
}

/* ---- memory that is never touched ---- */

static void memory_apart_is_not_touched(void **state)
{
    struct rng rng = { 7 };
    void *live[256] = { NULL };
    void *memory = mmap(NULL, MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)state;
    assert_ptr_not_equal(memory, MAP_FAILED);
    assert_int_equal(acre_buddy_add_memory_apart(&buddy, memory, MIB, metas[0], META), ACRE_OK);
    for (int i = 0; i < 20000; i++) {
        void **slot = &live[rng_below(&rng, 256)];
        size_t size = rng_below(&rng, 8 * KIB);
        if (*slot == NULL)
            *slot = acre_buddy_alloc(&buddy, acre_layout(size, 1)).ptr;
        else if (rng_below(&rng, 3) == 0)
            assert_int_not_equal(acre_buddy_resize(&buddy, *slot, size), ACRE_NOT_ALLOCATED);
        else {
            assert_int_equal(acre_buddy_dealloc(&buddy, *slot), ACRE_OK);
            *slot = NULL;
        }
        if (i % 500 == 0)
            assert_sound();
    }
    acre_buddy_reset(&buddy);
    assert_int_equal(acre_buddy_remove_memory(&buddy, memory), ACRE_OK);
    assert_int_equal(munmap(memory, MIB), 0);
}

/* ---- starts, lengths, seams ---- */

static void every_start_and_length(void **state)
{
    (void)state;
    for (size_t start = 1; start < 4 * UNIT; start += 2)
        for (size_t size = 1; size < 9 * UNIT; size += 2) {
            uintptr_t from = (start + UNIT - 1) / UNIT * UNIT;
            uintptr_t to = (start + size) / UNIT * UNIT;
            start_over(UNIT);
            enum acre_status status = acre_buddy_add_range(&buddy, start, size, metas[0], META);
            assert_int_equal(status, from < to ? ACRE_OK : ACRE_INVALID_PARAM);
            if (from >= to)
                continue;
            assert_int_equal(acre_buddy_stats(&buddy).available, to - from);
            exhaust(1 + size % 4);
            drop(start);
        }
}

/* Three ranges cut out of [0, 4 KiB) at any two smallest blocks, given in any order. */
static void adjoining_ranges_are_one(void **state)
{
    static const unsigned orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 },
        { 2, 0, 1 }, { 2, 1, 0 } };
    (void)state;
    for (size_t one = UNIT; one < 4 * KIB; one += 7 * UNIT)
        for (size_t two = one + UNIT; two < 4 * KIB; two += 5 * UNIT) {
            const uintptr_t cuts[] = { 0, one, two, 4 * KIB };
            const unsigned *order = orders[(one / UNIT + two / UNIT) % 6];
            start_over(UNIT);
            for (size_t i = 0; i < 3; i++)
                add(order[i], cuts[order[i]], cuts[order[i] + 1] - cuts[order[i]]);
            assert_int_equal(largest(), 4 * KIB);
            assert_int_equal(take(4 * KIB).num, 0);
            assert_sound();
            for (size_t i = 0; i < 3; i++)
                assert_int_equal(
                    acre_buddy_remove_memory(&buddy, (void *)cuts[i]), ACRE_INVALID_PARAM);
            assert_int_equal(acre_buddy_resize(&buddy, (void *)0, UNIT), ACRE_OK);
            assert_sound();
            assert_int_equal(acre_buddy_resize(&buddy, (void *)0, 4 * KIB), ACRE_OK);
            assert_int_equal(acre_buddy_dealloc_range(&buddy, 0), ACRE_OK);
            exhaust(2);
            drop(cuts[order[2]]);
            assert_true(largest() < 4 * KIB);
            exhaust(3);
            add(order[2], cuts[order[2]], cuts[order[2] + 1] - cuts[order[2]]);
            assert_int_equal(largest(), 4 * KIB);
        }
}

static void a_live_block_holds_only_its_ranges(void **state)
{
    (void)state;
    add(0, 0, KIB);
    add(1, KIB, KIB);
    add(2, 2 * KIB, KIB);
    assert_int_equal(take(2 * KIB).num, 0);
    assert_int_equal(acre_buddy_remove_memory(&buddy, (void *)0), ACRE_INVALID_PARAM);
    assert_int_equal(acre_buddy_remove_memory(&buddy, (void *)KIB), ACRE_INVALID_PARAM);
    drop(2 * KIB);
    assert_int_equal(acre_buddy_dealloc_range(&buddy, KIB), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_buddy_dealloc_range(&buddy, 0), ACRE_OK);
    drop(0);
    assert_int_equal(largest(), KIB);
    assert_int_equal(take(1).num, KIB);
}

/* Ranges that come, go, and come back while blocks live in others. */
static void ranges_come_and_go(void **state)
{
    struct rng rng = { 11 };
    bool there[4] = { false };
    uintptr_t live[128];
    size_t count = 0;
    (void)state;
    for (int i = 0; i < 30000; i++) {
        unsigned which = rng_below(&rng, 4) & 3;
        uintptr_t start = (uintptr_t)which * 37 * UNIT;
        if (rng_below(&rng, 50) == 0 && !there[which]) {
            add(which, start, 37 * UNIT);
            there[which] = true;
        } else if (rng_below(&rng, 50) == 0 && there[which]) {
            bool used = false;
            for (size_t b = 0; b < count; b++) {
                size_t size = acre_buddy_usable_size(&buddy, (void *)live[b]).num;
                used = used || (live[b] < start + 37 * UNIT && live[b] + size > start);
            }
            assert_int_equal(acre_buddy_remove_memory(&buddy, (void *)start),
                used ? ACRE_INVALID_PARAM : ACRE_OK);
            there[which] = used;
            assert_sound();
        } else if (count < 128 && rng_below(&rng, 2) == 0) {
            struct acre_num taken = take(rng_below(&rng, 8 * UNIT));
            if (taken.status == ACRE_OK)
                live[count++] = taken.num;
        } else if (count > 0) {
            size_t at = rng_below(&rng, count);
            assert_int_equal(acre_buddy_dealloc_range(&buddy, live[at]), ACRE_OK);
            live[at] = live[--count];
        }
        if (i % 50 == 0)
            assert_sound();
        if (i % 3000 > 2900)
            while (count > 0)
                assert_int_equal(acre_buddy_dealloc_range(&buddy, live[--count]), ACRE_OK);
    }
}

/* ---- metadata ---- */

static void metadata_takes_no_more_than_is_said(void **state)
{
    (void)state;
    for (size_t size = UNIT; size < 20 * KIB; size = size * 9 / 8 + 1) {
        size_t need = acre_buddy_metadata_size(size, UNIT);
        for (size_t skew = 0; skew < sizeof(size_t); skew++) {
            unsigned char *meta = metas[1] + 64 + skew;
            memset(metas[1], 0x5a, META);
            start_over(UNIT);
            assert_int_equal(acre_buddy_add_range(&buddy, skew * 8, size, meta, need),
                (size + skew * 8) / UNIT > (skew * 8 + UNIT - 1) / UNIT ? ACRE_OK
                                                                        : ACRE_INVALID_PARAM);
            exhaust(3);
            for (size_t i = 0; i < META; i++)
                assert_true(&metas[1][i] >= meta && &metas[1][i] < meta + need
                                ? true
                                : metas[1][i] == 0x5a);
        }
    }
    size_t large = (size_t)1 << 28;
    assert_true(acre_buddy_metadata_size(large, UNIT) <= large / UNIT * 61 / 80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_range_at_0, make),
        cmocka_unit_test_setup(a_range_that_ends_at_the_top, make),
        cmocka_unit_test_setup(the_whole_address_space, make),
        cmocka_unit_test_setup(no_more_than_can_be_counted, make),
        cmocka_unit_test_setup(bad_ranges_are_refused, make),
        cmocka_unit_test_setup(memory_apart_is_not_touched, make),
        cmocka_unit_test_setup(every_start_and_length, make),
        cmocka_unit_test_setup(adjoining_ranges_are_one, make),
        cmocka_unit_test_setup(a_live_block_holds_only_its_ranges, make),
        cmocka_unit_test_setup(ranges_come_and_go, make),
        cmocka_unit_test_setup(metadata_takes_no_more_than_is_said, make),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
