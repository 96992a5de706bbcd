/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Writes outside a block are reported with block, size, side and distance, wherever they lie. */
#include "support/naive.h"
#include "wrap/guard_block.h"

#include <acre/wrap.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { POOL = 1 << 16, MOST = 8 };

static _Alignas(4096) unsigned char pool[POOL];
static struct naive naive;
static struct acre_guard guard;
static struct acre_bytes bytes;
static struct acre_base base;
static struct acre_guard_damage reports[MOST];
static size_t count;

static void note(void *arg, const struct acre_guard_damage *damage)
{
    assert_ptr_equal(arg, &count);
    assert_true(count < MOST);
    reports[count++] = *damage;
}

static int set_up(void **state)
{
    (void)state;
    count = 0;
    acre_guard_wrap(&guard, (struct acre_bytes){ &naive_ops, &naive }, note, &count);
    bytes = acre_guard_bytes(&guard);
    base = acre_bytes_base(bytes);
    return acre_init(base, pool, POOL) == ACRE_OK ? 0 : -1;
}

static unsigned char *take(size_t size, size_t align)
{
    struct acre_ptr got = acre_alloc(bytes, acre_layout(size, align));
    assert_int_equal(got.status, ACRE_OK);
    assert_null(acre_check(base).invariant);
    return got.ptr;
}

static void assert_fill(const unsigned char *ptr, size_t size, unsigned char fill)
{
    for (size_t i = 0; i < size; i++)
        assert_int_equal(ptr[i], fill);
}

static void assert_damage(const struct acre_guard_damage *damage, const void *block, size_t size,
    enum acre_guard_side side, size_t distance)
{
    assert_ptr_equal(damage->block, block);
    assert_int_equal(damage->size, size);
    assert_int_equal(damage->side, side);
    assert_int_equal(damage->distance, distance);
    assert_true(damage->reach >= distance);
}

/* check and acre_guard_find name the block, its free reports it once. */
static void assert_named(
    unsigned char *ptr, size_t size, enum acre_guard_side side, size_t distance)
{
    static const char *const names[] = { "GUARD-1: the zone in front of a block is whole",
        "GUARD-2: the zone behind a block is whole" };
    struct acre_guard_damage found;
    struct acre_check_result result = acre_check(base);
    assert_non_null(result.invariant);
    assert_string_equal(result.invariant, names[side]);
    assert_ptr_equal(result.where, ptr);
    assert_true(acre_guard_find(&guard, &found));
    assert_damage(&found, ptr, size, side, distance);
    assert_int_equal(count, 0);
    assert_int_equal(acre_dealloc(bytes, ptr), ACRE_OK);
    assert_int_equal(count, 1);
    assert_damage(&reports[0], ptr, size, side, distance);
    assert_int_equal(guard.damages, 1);
    assert_null(acre_check(base).invariant);
    count = 0;
    guard.damages = 0;
}

static void bytes_are_filled(void **state)
{
    (void)state;
    unsigned char *ptr = take(100, 1);
    assert_fill(ptr, 100, ACRE_GUARD_FRESH);
    memset(ptr, 1, 100);
    assert_int_equal(acre_resize(bytes, ptr, 300), ACRE_OK);
    assert_fill(ptr, 100, 1);
    assert_fill(ptr + 100, 200, ACRE_GUARD_FRESH);
    take(1, 1);
    unsigned char *old = ptr;
    ptr = acre_realloc(bytes, ptr, acre_layout(2000, 1)).ptr;
    assert_ptr_not_equal(old, ptr);
    assert_fill(ptr, 100, 1);
    assert_fill(ptr + 100, 1900, ACRE_GUARD_FRESH);
    assert_fill(old, 300, ACRE_GUARD_FREED);
    assert_int_equal(acre_dealloc(bytes, ptr), ACRE_OK);
    assert_fill(ptr, 2000, ACRE_GUARD_FREED);
    assert_int_equal(count, 0);
}

static void usable_is_the_requested_size(void **state)
{
    (void)state;
    for (size_t size = 1; size < 200; size++) {
        unsigned char *ptr = take(size, (size_t)1 << size % 9);
        assert_int_equal(acre_usable_size(bytes, ptr).num, size);
        assert_int_equal(
            acre_dealloc_sized(bytes, ptr, acre_layout(size + 1, 1)), ACRE_INVALID_PARAM);
        if (size > 1)
            assert_int_equal(
                acre_dealloc_sized(bytes, ptr, acre_layout(size - 1, 1)), ACRE_INVALID_PARAM);
        assert_int_equal(acre_dealloc_sized(bytes, ptr, acre_layout(size, 1)), ACRE_OK);
    }
    assert_int_equal(count, 0);
}

/* Every byte of the zone behind, every value. */
static void an_overflow_is_named(void **state)
{
    (void)state;
    for (size_t size = 1; size < 70; size += 7) {
        for (size_t at = 0; at < ACRE_GUARD_REAR; at++) {
            unsigned char *ptr = take(size, 1);
            ptr[size + at] ^= (unsigned char)(1u << at % 8);
            assert_named(ptr, size, ACRE_GUARD_BEHIND, at + 1);
        }
    }
}

static void an_underflow_is_named(void **state)
{
    (void)state;
    for (size_t align = 1; align <= 1024; align *= 4) {
        for (size_t at = 1; at <= ACRE_GUARD_FRONT; at++) {
            for (unsigned damage = 1; damage < 256; damage += 2) {
                unsigned char *ptr = take(40, align);
                ptr[-(ptrdiff_t)at] ^= (unsigned char)damage;
                assert_named(ptr, 40, ACRE_GUARD_BEFORE, at);
            }
        }
    }
}

/* The sizes of the usual mistakes: 1 and 32 bytes, either way. */
static void long_runs_are_named(void **state)
{
    (void)state;
    unsigned char *ptr = take(50, 1);
    memset(ptr + 50, 0, 16);
    assert_named(ptr, 50, ACRE_GUARD_BEHIND, 1);
    ptr = take(50, 1);
    memset(ptr - 32, 0, 32);
    assert_named(ptr, 50, ACRE_GUARD_BEFORE, 1);
    ptr = take(50, 256);
    memset(ptr - 32, 0xff, 20);
    assert_named(ptr, 50, ACRE_GUARD_BEFORE, 13);
}

static void the_reach_is_named(void **state)
{
    (void)state;
    unsigned char *ptr = take(64, 1);
    size_t room = naive_ops.usable_size(&naive, ptr - ACRE_GUARD_FRONT).num;
    ptr[64 + 2] = 0;
    ptr[room - ACRE_GUARD_FRONT - 1] ^= 1; /* the last byte of the record behind */
    assert_string_equal(acre_check(base).invariant, "GUARD-2: the zone behind a block is whole");
    assert_ptr_equal(acre_check(base).where, ptr);
    assert_int_equal(acre_dealloc(bytes, ptr), ACRE_OK);
    assert_int_equal(count, 1);
    assert_damage(&reports[0], ptr, 64, ACRE_GUARD_BEHIND, 3);
    assert_int_equal(reports[0].reach, room - ACRE_GUARD_FRONT - 64);
}

static void both_sides_are_reported(void **state)
{
    (void)state;
    unsigned char *ptr = take(64, 1);
    ptr[-2] = 0;
    ptr[64] = 0;
    assert_int_equal(acre_dealloc(bytes, ptr), ACRE_OK);
    assert_int_equal(count, 2);
    assert_damage(&reports[0], ptr, 64, ACRE_GUARD_BEFORE, 2);
    assert_damage(&reports[1], ptr, 64, ACRE_GUARD_BEHIND, 1);
}

static void every_verb_reports_and_mends(void **state)
{
    (void)state;
    unsigned char *ptr = take(64, 1);
    ptr[64] = 0;
    assert_int_equal(acre_resize(bytes, ptr, 80), ACRE_OK);
    assert_int_equal(count, 1);
    assert_null(acre_check(base).invariant);
    ptr[-1] = 0;
    ptr = acre_realloc(bytes, ptr, acre_layout(4000, 1)).ptr;
    assert_int_equal(count, 2);
    assert_null(acre_check(base).invariant);
    ptr[-1] = 0;
    assert_int_equal(acre_dealloc_sized(bytes, ptr, acre_layout(4000, 1)), ACRE_OK);
    assert_int_equal(count, 3);
    assert_int_equal(guard.damages, 3);
}

/* Nothing is left that proves the block: it is reported, refused, and named by check. */
static void a_block_without_records_is_refused(void **state)
{
    (void)state;
    unsigned char *ptr = take(64, 1);
    size_t room = naive_ops.usable_size(&naive, ptr - ACRE_GUARD_FRONT).num;
    memset(ptr - ACRE_GUARD_FRONT, 0, room);
    assert_int_equal(acre_dealloc(bytes, ptr), ACRE_NOT_ALLOCATED);
    assert_int_equal(count, 1);
    assert_int_equal(reports[0].side, ACRE_GUARD_AROUND);
    assert_int_equal(reports[0].size, 0);
    assert_int_equal(reports[0].distance, 0);
    assert_int_equal(reports[0].reach, 0);
    assert_ptr_equal(reports[0].block, ptr);
    assert_int_equal(acre_resize(bytes, ptr, 1), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_usable_size(bytes, ptr).status, ACRE_NOT_ALLOCATED);
    assert_int_equal(count, 2);
    assert_string_equal(acre_check(base).invariant, "GUARD-3: a record of a block is whole");
    assert_ptr_equal(acre_check(base).where, ptr);
    assert_int_equal(acre_stats(base).live_blocks, 1);
}

/* Without the record behind, the one in front says where an aligned block starts. */
static void one_record_is_enough(void **state)
{
    (void)state;
    for (size_t align = 1; align <= 1024; align *= 2) {
        unsigned char *ptr = take(64, align);
        unsigned char *start = ptr - (align > ACRE_GUARD_FRONT ? align : ACRE_GUARD_FRONT);
        unsigned char *end = start + naive_ops.usable_size(&naive, start).num;
        for (size_t i = 1; i <= ACRE_GUARD_RECORD; i++)
            end[-(ptrdiff_t)i] ^= 0xff;
        assert_named(ptr, 64, ACRE_GUARD_BEHIND, (size_t)(end - ACRE_GUARD_RECORD - ptr) - 63);
    }
}

static bool find_live(void *arg, void *start, size_t size, bool live)
{
    void **found = arg;
    (void)size;
    *found = live ? start : NULL;
    return !live;
}

/* What the inner allocator handed out behind the guard's back is no block of the guard's. */
static void blocks_of_others_are_named(void **state)
{
    (void)state;
    unsigned char *other = naive_ops.alloc(&naive, acre_layout(16, 1)).ptr;
    void *found = NULL;
    assert_string_equal(acre_check(base).invariant, "GUARD-3: a record of a block is whole");
    assert_int_equal(acre_dealloc(bytes, other), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_dealloc(bytes, other + ACRE_GUARD_FRONT), ACRE_NOT_ALLOCATED);
    acre_walk(bytes, find_live, &found);
    assert_non_null(found);
    assert_int_equal(naive_ops.dealloc(&naive, other), ACRE_OK);
    assert_null(acre_check(base).invariant);
}

static void the_inner_allocator_is_checked_first(void **state)
{
    (void)state;
    take(10, 1)[10] = 0;
    naive.used++;
    assert_memory_equal(acre_check(base).invariant, "NAIVE", 5);
    naive.used--;
    assert_memory_equal(acre_check(base).invariant, "GUARD", 5);
}

/* Both records are overwritten with what could be taken for one. */
static void nonsense_is_no_record(void **state)
{
    static const size_t records[][2] = { { 0, 5 }, { SIZE_MAX, 5 }, { 64, 5 }, { 64, 4 },
        { 64, 12 }, { 64, 8 * sizeof(size_t) - 1 }, { 64, 0xff } };
    (void)state;
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        unsigned char *ptr = take(64, 1);
        unsigned char *start = ptr - ACRE_GUARD_FRONT;
        size_t room = naive_ops.usable_size(&naive, start).num;
        count = 0;
        memcpy(start, records[i], ACRE_GUARD_RECORD);
        memcpy(start + room - ACRE_GUARD_RECORD, records[i], ACRE_GUARD_RECORD);
        assert_int_equal(acre_dealloc(bytes, ptr), ACRE_NOT_ALLOCATED);
        assert_int_equal(count, 1);
        assert_int_equal(reports[0].side, ACRE_GUARD_AROUND);
        assert_int_equal(reports[0].size, 0);
        assert_int_equal(reports[0].distance, 0);
        assert_int_equal(reports[0].reach, 0);
        acre_reset(base);
    }
}

/* A block whose records were copied over another one's says nothing of where it lies. */
static void copied_records_are_none(void **state)
{
    (void)state;
    unsigned char *one = take(64, 1);
    unsigned char *two = take(64, 1);
    memcpy(two - ACRE_GUARD_FRONT, one - ACRE_GUARD_FRONT, ACRE_GUARD_FRONT);
    assert_string_equal(
        acre_check(base).invariant, "GUARD-1: the zone in front of a block is whole");
    assert_ptr_equal(acre_check(base).where, two);
    assert_int_equal(acre_dealloc(bytes, two), ACRE_OK);
    assert_int_equal(count, 1);
    assert_ptr_equal(reports[0].block, two);
    assert_int_equal(reports[0].size, 64);
    assert_int_equal(acre_dealloc(bytes, one), ACRE_OK);
    assert_int_equal(count, 1);
}

/* Where a block of an alignment begins, one began that a reset forgot, record and all. */
static void forgotten_records_are_none(void **state)
{
    const size_t header =
        2 * sizeof(size_t) > ACRE_NATURAL_ALIGN ? 2 * sizeof(size_t) : ACRE_NATURAL_ALIGN;
    size_t tried = 0;
    (void)state;
    for (size_t align = 64; align <= 4096; align *= 2) {
        unsigned char *aligned = take(1, align);
        acre_reset(base);
        size_t way = (size_t)(aligned - align + ACRE_GUARD_FRONT - take(1, 1));
        acre_reset(base);
        if (way <= header + ACRE_GUARD_COST)
            continue;
        take(way - header - ACRE_GUARD_COST, 1);
        unsigned char *old = take(1, 1);
        assert_ptr_equal(old, aligned - align + ACRE_GUARD_FRONT);
        acre_reset(base);
        assert_ptr_equal(take(1, align), aligned);
        assert_int_equal(acre_dealloc(bytes, old), ACRE_NOT_ALLOCATED);
        acre_reset(base);
        tried++;
    }
    assert_true(tried > 2);
    assert_int_equal(count, 0);
}

/* Records written into a block by its user, right in every bit, do not make a pointer into it a
 * block. */
static void forged_records_are_none(void **state)
{
    (void)state;
    enum { SIZE = 1000, LEAD = 2 * ACRE_GUARD_FRONT };
    unsigned char *ptr = take(SIZE, 1);
    for (size_t step = 1; ((uintptr_t)ptr - ACRE_GUARD_FRONT) % LEAD != 0; step++) {
        assert_int_equal(acre_dealloc(bytes, ptr), ACRE_OK);
        take(step * ACRE_NATURAL_ALIGN, 1);
        ptr = take(SIZE, 1);
    }
    unsigned char *start = ptr - ACRE_GUARD_FRONT;
    struct guarded forged = {
        .ptr = start + LEAD, .start = start, .usable = SIZE, .offset = LEAD, .size = 100
    };
    acre_guard_block_write(&forged);
    assert_int_equal(acre_dealloc(bytes, forged.ptr), ACRE_NOT_ALLOCATED);
    assert_int_equal(
        acre_dealloc_sized(bytes, forged.ptr, acre_layout(100, 1)), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_resize(bytes, forged.ptr, 50), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_usable_size(bytes, forged.ptr).status, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_usable_size(bytes, ptr).num, SIZE);
    assert_int_equal(acre_dealloc(bytes, ptr), ACRE_OK);
    assert_int_equal(count, 0);
}

/* No bit of a checksum is the same in most blocks: which size and address a record is for decides
 * all. */
static void every_bit_of_a_checksum_counts(void **state)
{
    enum { BLOCKS = 256, LOW = 8 }; /* the lowest byte is no part of the checksum */
    size_t set[8 * sizeof(size_t)] = { 0 };
    (void)state;
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t words[2];
        unsigned char *ptr = take(i % 64 + 1, 1);
        memcpy(words, ptr - ACRE_GUARD_FRONT, sizeof words);
        assert_int_equal(words[0], i % 64 + 1);
        for (size_t bit = 0; bit < 8 * sizeof(size_t); bit++)
            set[bit] += words[1] >> bit & 1;
    }
    for (size_t bit = LOW; bit < 8 * sizeof(size_t); bit++)
        assert_in_range(set[bit], BLOCKS / 3, BLOCKS - BLOCKS / 3);
}

static void without_a_callback_damage_is_counted(void **state)
{
    (void)state;
    acre_guard_wrap(&guard, guard.inner, NULL, NULL);
    unsigned char *ptr = take(5, 1);
    ptr[5] = 0;
    assert_int_equal(acre_dealloc(bytes, ptr), ACRE_OK);
    assert_int_equal(guard.damages, 1);
    acre_reset(base);
    assert_int_equal(guard.damages, 0);
}

static void cost_of_a_block(void **state)
{
    (void)state;
    size_t largest = acre_stats(base).largest_free;
    assert_int_equal(largest + ACRE_GUARD_COST, acre_bytes_stats(guard.inner).largest_free);
    unsigned char *ptr = take(largest, 1);
    assert_int_equal(acre_alloc(bytes, acre_layout(1, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_dealloc(bytes, ptr), ACRE_OK);
    assert_int_equal(acre_alloc(bytes, acre_layout(largest + 1, 1)).status, ACRE_NO_MEMORY);
}

/* The inner allocator first fails to resize in place; the guard's own request does not fail. */
static void a_move_counts_no_failure(void **state)
{
    (void)state;
    void *ptr = take(100, 1);
    take(1, 1);
    assert_non_null(acre_realloc(bytes, ptr, acre_layout(1000, 1)).ptr);
    assert_int_equal(naive.failed, 1);
    assert_int_equal(acre_stats(base).failed, 0);
}

static void a_failed_call_changes_only_the_count(void **state)
{
    (void)state;
    void *ptr = take(100, 1);
    take(1, 1);
    struct acre_guard before = guard;
    assert_int_equal(acre_realloc(bytes, ptr, acre_layout(SIZE_MAX / 2, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_resize(bytes, ptr, SIZE_MAX / 2), ACRE_NO_MEMORY);
    assert_int_equal(acre_alloc(bytes, acre_layout(SIZE_MAX / 2, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(acre_stats(base).failed, 3);
    before.failed = 3;
    assert_memory_equal(&guard, &before, sizeof guard);
}

/* Both records of a block are overwritten: no address is known to be its. */
static void nothing_is_found_without_records(void **state)
{
    unsigned char *ptr = take(100, 1);
    (void)state;
    assert_ptr_equal(acre_find(bytes, ptr + 50).start, ptr);
    struct acre_block inner = acre_find(guard.inner, ptr); /* the second record ends with it */
    memset(inner.start, 0, inner.size);
    assert_int_equal(acre_find(bytes, ptr + 50).status, ACRE_NOT_ALLOCATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(bytes_are_filled, set_up),
        cmocka_unit_test_setup(nothing_is_found_without_records, set_up),
        cmocka_unit_test_setup(usable_is_the_requested_size, set_up),
        cmocka_unit_test_setup(an_overflow_is_named, set_up),
        cmocka_unit_test_setup(an_underflow_is_named, set_up),
        cmocka_unit_test_setup(long_runs_are_named, set_up),
        cmocka_unit_test_setup(the_reach_is_named, set_up),
        cmocka_unit_test_setup(both_sides_are_reported, set_up),
        cmocka_unit_test_setup(every_verb_reports_and_mends, set_up),
        cmocka_unit_test_setup(a_block_without_records_is_refused, set_up),
        cmocka_unit_test_setup(one_record_is_enough, set_up),
        cmocka_unit_test_setup(blocks_of_others_are_named, set_up),
        cmocka_unit_test_setup(the_inner_allocator_is_checked_first, set_up),
        cmocka_unit_test_setup(nonsense_is_no_record, set_up),
        cmocka_unit_test_setup(copied_records_are_none, set_up),
        cmocka_unit_test_setup(forgotten_records_are_none, set_up),
        cmocka_unit_test_setup(forged_records_are_none, set_up),
        cmocka_unit_test_setup(every_bit_of_a_checksum_counts, set_up),
        cmocka_unit_test_setup(without_a_callback_damage_is_counted, set_up),
        cmocka_unit_test_setup(cost_of_a_block, set_up),
        cmocka_unit_test_setup(a_move_counts_no_failure, set_up),
        cmocka_unit_test_setup(a_failed_call_changes_only_the_count, set_up),
    };
    return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
