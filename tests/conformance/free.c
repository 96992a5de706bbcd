/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "conformance/suite.h"

#include "support/expect.h"

#include <string.h>

/* Every address in and around the region, with every verb; of a larger arena 4,096 at all offsets
 * in a block. */
static void only_starts_are_blocks(struct fixture *fixture)
{
    size_t step = fixture->arena.size / 4096 | 1;
    begin(fixture, 64, fixture->arena.size - 128);
    unsigned char *live[3];
    live[0] = take(fixture, 1, 1);
    live[1] = take(fixture, 200, 64);
    live[2] = take(fixture, 33, 1);
    void *gone = take(fixture, 500, 1);
    take(fixture, 1, 1);
    live[2] = take(fixture, 40, 1);
    give(fixture, gone);
    for (size_t at = 0; at < fixture->arena.size + 64; at += step) {
        unsigned char *ptr = fixture->arena.base + at;
        if (acre_usable_size(fixture->bytes, ptr).status == ACRE_OK)
            assert_true(stats_of(fixture).live_blocks == 5);
        else
            refuse_ptr(fixture, ptr);
    }
    for (size_t i = 0; i < 3; i++)
        give(fixture, live[i]);
}

static bool count_starts(void *arg, void *start, size_t size, bool live)
{
    struct fixture *fixture = arg;
    enum acre_status want = live ? ACRE_OK : ACRE_NOT_ALLOCATED;
    struct acre_num usable = acre_usable_size(fixture->bytes, start);
    assert_int_equal(usable.status, want);
    assert_int_equal(usable.num, live ? size : 0);
    return true;
}

/* The number of addresses that pass for a block is the number of live blocks. */
static void starts_are_counted(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    void *gone[8];
    for (size_t i = 0; i < 8; i++) {
        take(fixture, 1 + 60 * i, 1);
        gone[i] = take(fixture, 1 + 30 * i, (size_t)8 << i % 4);
    }
    for (size_t i = 0; i < 8; i++)
        give(fixture, gone[i]);
    size_t starts = 0;
    for (size_t at = 0; at < fixture->arena.size; at++)
        starts += acre_usable_size(fixture->bytes, fixture->arena.base + at).status == ACRE_OK;
    assert_int_equal(starts, 8);
    acre_walk(fixture->bytes, count_starts, fixture);
}

static void null_is_no_block(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    refuse_ptr(fixture, NULL);
    take(fixture, 1, 1);
    refuse_ptr(fixture, NULL);
}

static void freed_pointers_stay_dead(struct fixture *fixture)
{
    void *blocks[12];
    begin(fixture, 0, fixture->arena.size);
    for (size_t i = 0; i < 12; i++)
        blocks[i] = take(fixture, 100, 1);
    for (size_t i = 0; i < 12; i++) {
        size_t at = i * 5 % 12;
        give(fixture, blocks[at]);
        for (size_t j = 0; j <= i; j++)
            refuse_ptr(fixture, blocks[j * 5 % 12]);
    }
}

static void dead_inside_a_larger_block(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    unsigned char *first = take(fixture, 100, 1);
    unsigned char *second = take(fixture, 100, 1);
    unsigned char *third = take(fixture, 100, 1);
    give(fixture, second);
    give(fixture, first);
    give(fixture, third);
    unsigned char *large = take(fixture, stats_of(fixture).largest_free, 1);
    unsigned char *olds[] = { first, second, third };
    for (size_t i = 0; i < 3; i++) {
        if (olds[i] != large)
            refuse_ptr(fixture, olds[i]);
    }
    give(fixture, large);
}

/* User data that looks like the allocator's own headers does not make a block. */
static void forged_headers_are_not_read(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    unsigned char *victim = take(fixture, 256, 1);
    unsigned char *model = take(fixture, 64, 1);
    for (size_t at = 16; at <= 128; at += 8)
        memcpy(victim + at - 16, model - 16, 32);
    for (size_t at = 1; at <= 256; at++)
        refuse_ptr(fixture, victim + at - (victim + at == model ? 1 : 0));
    give(fixture, victim);
    give(fixture, model);
}

static void refuse_sized(struct fixture *fixture, void *ptr, size_t size, size_t align)
{
    fixture_save(fixture);
    assert_int_equal(
        acre_dealloc_sized(fixture->bytes, ptr, acre_layout(size, align)), ACRE_INVALID_PARAM);
    assert_true(fixture_same(fixture));
}

/* Every size where they are few; else every fifth, and the largest. */
static size_t next_sized(size_t size, size_t usable)
{
    return size + (usable - size <= 32 ? 1 : 5);
}

static void try_sized(struct fixture *fixture, size_t asked, size_t align)
{
    void *ptr = take(fixture, asked, align);
    size_t usable = acre_usable_size(fixture->bytes, ptr).num;
    refuse_sized(fixture, ptr, usable + 1, align);
    refuse_sized(fixture, ptr, SIZE_MAX, align);
    refuse_sized(fixture, ptr, asked, 0);
    refuse_sized(fixture, ptr, asked, 3 * align);
    refuse_sized(fixture, ptr, asked, ((uintptr_t)ptr & -(uintptr_t)ptr) * 2);
    size_t slack = fixture->backend->slack(usable);
    bool made_by_align =
        (fixture->backend->caps & ACRE_SUBJECT_HEADERS) == 0 && align >= usable - slack;
    if (usable > slack + 1 && !made_by_align)
        refuse_sized(fixture, ptr, usable - slack - 1, align);
    if (usable > slack + 1 && !made_by_align)
        refuse_sized(fixture, ptr, 0, align);
    for (size_t size = asked; size <= usable; size = next_sized(size, usable)) {
        assert_int_equal(
            acre_dealloc_sized(fixture->bytes, ptr, acre_layout(size, align)), ACRE_OK);
        assert_sound(fixture);
        refuse_ptr(fixture, ptr);
        ptr = take(fixture, asked, align);
        usable = acre_usable_size(fixture->bytes, ptr).num;
    }
    give(fixture, ptr);
}

static void sized_free_proves_the_layout(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    for (size_t size = 0; size < 200; size += size < 34 ? 1 : 7) {
        try_sized(fixture, size, 1);
        try_sized(fixture, size, ACRE_NATURAL_ALIGN);
        try_sized(fixture, size, 256);
    }
}

static void sized_free_of_no_block(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    unsigned char *ptr = take(fixture, 100, 1);
    fixture_save(fixture);
    assert_int_equal(
        acre_dealloc_sized(fixture->bytes, ptr + 1, acre_layout(SIZE_MAX, 3)), ACRE_NOT_ALLOCATED);
    assert_true(fixture_same(fixture));
    assert_int_equal(acre_dealloc_sized(fixture->bytes, ptr, acre_layout(100, 1)), ACRE_OK);
    assert_sound(fixture);
}

const struct test_case free_cases[] = {
    { "only the start of a live block is a block", only_starts_are_blocks, 1 << 12,
        NEEDS_HANDLE | ACRE_SUBJECT_EXACT, NOT_EXACT },
    { "as many starts as live blocks", starts_are_counted, 1 << 14,
        NEEDS_HANDLE | ACRE_SUBJECT_EXACT, NOT_EXACT },
    { "null is no block", null_is_no_block, 1 << 12, NEEDS_HANDLE | ACRE_SUBJECT_EXACT, NOT_EXACT },
    { "freed pointers stay dead", freed_pointers_stay_dead, 1 << 12,
        NEEDS_HANDLE | ACRE_SUBJECT_EXACT, NOT_EXACT },
    { "dead inside a larger block", dead_inside_a_larger_block, 1 << 12,
        NEEDS_HANDLE | ACRE_SUBJECT_EXACT, NOT_EXACT },
    { "forged headers are not believed", forged_headers_are_not_read, 1 << 12,
        NEEDS_HANDLE | ACRE_SUBJECT_EXACT, NOT_EXACT },
    { "a sized free proves the layout", sized_free_proves_the_layout, 1 << 13, NEEDS_HANDLE, NULL },
    { "a sized free of no block", sized_free_of_no_block, 1 << 12,
        NEEDS_HANDLE | ACRE_SUBJECT_EXACT, NOT_EXACT },
    { NULL, NULL, 0, 0, NULL },
};
