/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "conformance/suite.h"

#include "support/expect.h"

#include <limits.h>
#include <string.h>

enum { ROOM = 4096 };

static void sizes_are_served(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    struct acre_stats empty = stats_of(fixture);
    for (size_t size = 1; size <= 600; size++) {
        void *ptr = take(fixture, size, 1);
        memset(ptr, 0xa5, acre_usable_size(fixture->bytes, ptr).num);
        assert_sound(fixture);
        give(fixture, ptr);
        assert_same_accounts(stats_of(fixture), empty);
    }
}

static void blocks_are_apart(struct fixture *fixture)
{
    unsigned char *blocks[64];
    begin(fixture, 0, fixture->arena.size);
    for (size_t i = 0; i < 64; i++) {
        blocks[i] = take(fixture, 1 + i * 5, 1);
        memset(blocks[i], (int)i, acre_usable_size(fixture->bytes, blocks[i]).num);
    }
    for (size_t i = 0; i < 64; i++) {
        size_t usable = acre_usable_size(fixture->bytes, blocks[i]).num;
        for (size_t at = 0; at < usable; at++)
            assert_int_equal(blocks[i][at], i);
    }
    assert_sound(fixture);
}

static void size_zero_is_one(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    void *first = take(fixture, 0, 1);
    void *second = take(fixture, 0, 1);
    assert_ptr_not_equal(first, second);
    give(fixture, first);
    refuse_ptr(fixture, first);
    give(fixture, second);
    assert_int_equal(stats_of(fixture).used, 0);
}

static void try_alignment(struct fixture *fixture, size_t size, size_t align, size_t largest)
{
    struct acre_stats empty = stats_of(fixture);
    if (size > largest || align > largest || size > largest - align)
        return;
    if ((fixture->backend->caps & ACRE_SUBJECT_PADS) != 0 && align > largest / 4)
        return;
    void *ptr = take(fixture, size, align);
    memset(ptr, 1, size);
    give(fixture, ptr);
    assert_same_accounts(stats_of(fixture), empty);
}

/* In a pool aligned to its own size there is room at every alignment up to half of it. */
static void every_alignment_is_honoured(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    size_t largest = stats_of(fixture).largest_free;
    for (size_t align = 1; align <= largest; align *= 2) {
        try_alignment(fixture, 1, align, largest);
        try_alignment(fixture, align - 1, align, largest / 2);
        try_alignment(fixture, align, align, largest / 2);
        try_alignment(fixture, align + 1, align, largest / 2);
        try_alignment(fixture, 300, align, largest);
    }
}

static void alignment_beyond_memory_is_no_memory(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    for (unsigned bit = 0; bit < sizeof(size_t) * CHAR_BIT; bit++) {
        size_t align = (size_t)1 << bit;
        if (align > fixture->arena.size && ((uintptr_t)fixture->arena.base & (align - 1)) != 0)
            refuse_alloc(fixture, 1, align, ACRE_NO_MEMORY);
        refuse_alloc(fixture, SIZE_MAX - align, align, ACRE_NO_MEMORY);
        refuse_alloc(fixture, SIZE_MAX - align + 1, align, ACRE_NO_MEMORY);
    }
}

static void gaps_before_aligned_blocks_are_free(struct fixture *fixture)
{
    void *blocks[64];
    begin(fixture, 0, fixture->arena.size);
    size_t most = stats_of(fixture).available / 1024;
    size_t count = 0;
    for (; count < 64 && stats_of(fixture).largest_free >= 2 * 1024 + 64; count++)
        blocks[count] = take(fixture, 64, 1024);
    assert_in_range(count, most - 4, most);
    void *between = take(fixture, 256, 1);
    assert_true((unsigned char *)between < (unsigned char *)blocks[count - 1]);
}

static void bad_alignment_is_invalid(struct fixture *fixture)
{
    static const size_t sizes[] = { 0, 1, 100, SIZE_MAX };
    begin(fixture, 0, fixture->arena.size);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (size_t align = 0; align <= 300; align++) {
            if ((align & (align - 1)) != 0 || align == 0)
                refuse_alloc(fixture, sizes[i], align, ACRE_INVALID_PARAM);
        }
        refuse_alloc(fixture, sizes[i], SIZE_MAX, ACRE_INVALID_PARAM);
        refuse_alloc(fixture, sizes[i], SIZE_MAX / 2 + 2, ACRE_INVALID_PARAM);
        refuse_alloc(fixture, sizes[i], SIZE_MAX / 2, ACRE_INVALID_PARAM);
    }
}

static void sizes_near_the_top_are_no_memory(struct fixture *fixture)
{
    static const size_t aligns[] = { 1, ACRE_NATURAL_ALIGN, 4096, SIZE_MAX / 2 + 1 };
    begin(fixture, 0, fixture->arena.size);
    for (size_t k = 0; k < 8192; k += scaled(fixture, 64) / 64)
        refuse_alloc(fixture, SIZE_MAX - k, aligns[k % 4], ACRE_NO_MEMORY);
    for (size_t k = 0; k < 64; k++) {
        for (size_t i = 0; i < 4; i++)
            refuse_alloc(fixture, SIZE_MAX - k, aligns[i], ACRE_NO_MEMORY);
    }
}

static void sizes_around_powers_of_two(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    size_t largest = stats_of(fixture).largest_free;
    for (unsigned bit = 0; bit < sizeof(size_t) * CHAR_BIT; bit++) {
        for (size_t d = 0; d < 65; d++) {
            size_t size = ((size_t)1 << bit) + d - 32;
            if (size > largest)
                refuse_alloc(fixture, size, 1, ACRE_NO_MEMORY);
            else
                give(fixture, take(fixture, size, 1));
        }
    }
}

/* Cuts memory up in many ways and asks each time for the largest block. */
static void largest_free_can_be_had(struct fixture *fixture)
{
    void *blocks[ROOM];
    begin(fixture, 0, fixture->arena.size);
    size_t count = fill(fixture, blocks, ROOM, 24, 40, 9);
    for (size_t step = 1; step < 8; step++) {
        for (size_t i = step; i < count; i += 7 + step) {
            if (blocks[i] != NULL)
                give(fixture, blocks[i]);
            blocks[i] = NULL;
            size_t largest = stats_of(fixture).largest_free;
            refuse_alloc(fixture, largest + 1, 1, ACRE_NO_MEMORY);
            assert_true(largest > 0);
            give(fixture, take(fixture, largest, 1));
            assert_int_equal(stats_of(fixture).largest_free, largest);
        }
    }
}

static void full_means_largest_free_is_zero(struct fixture *fixture)
{
    void *blocks[ROOM];
    begin(fixture, 0, fixture->arena.size);
    size_t count = fill(fixture, blocks, ROOM, 1, 0, 1);
    assert_true(count > 8);
    assert_int_equal(stats_of(fixture).largest_free, 0);
    refuse_alloc(fixture, 1, 1, ACRE_NO_MEMORY);
    refuse_alloc(fixture, 0, 1, ACRE_NO_MEMORY);
    give(fixture, blocks[count / 2]);
    assert_true(stats_of(fixture).largest_free > 0);
    take(fixture, 1, 1);
    assert_int_equal(stats_of(fixture).largest_free, 0);
}

/* Small blocks free in a full pool: an aligned request gets an aligned one, or none. */
static void a_full_pool_keeps_alignments(struct fixture *fixture)
{
    void *blocks[ROOM];
    begin(fixture, 0, fixture->arena.size);
    size_t count = fill(fixture, blocks, ROOM, 48, 0, 1);
    for (size_t i = 0; i < count; i += 5) {
        give(fixture, blocks[i]);
        for (size_t align = 16; align <= 128; align *= 2) {
            struct acre_ptr got = acre_alloc(fixture->bytes, acre_layout(8, align));
            assert_int_equal((uintptr_t)got.ptr % align, 0);
            if (got.ptr != NULL)
                give(fixture, got.ptr);
            assert_sound(fixture);
        }
    }
}

static void instances_are_independent(struct fixture *fixture)
{
    struct fixture other;
    begin(fixture, 0, fixture->arena.size);
    fixture_open(&other, fixture->backend, fixture->arena.size, fixture->arena.size);
    begin(&other, 0, other.arena.size);
    void *ours = take(fixture, 100, 1);
    fixture_save(fixture);
    void *theirs = take(&other, 100, 1);
    assert_true(fixture_same(fixture));
    refuse_ptr(fixture, theirs);
    refuse_ptr(&other, ours);
    give(&other, theirs);
    give(fixture, ours);
    fixture_close(&other);
}

const struct test_case alloc_cases[] = {
    { "every size is served", sizes_are_served, 1 << 14, 0, NULL },
    { "blocks do not touch each other", blocks_are_apart, 1 << 15, 0, NULL },
    { "size 0 is served as 1", size_zero_is_one, 1 << 12, 0, NULL },
    { "every alignment is honoured", every_alignment_is_honoured, 1 << 20, NEEDS_HANDLE, NULL },
    { "alignment beyond memory is no memory", alignment_beyond_memory_is_no_memory, 1 << 12, 0,
        NULL },
    { "gaps before aligned blocks are free", gaps_before_aligned_blocks_are_free, 1 << 15,
        NEEDS_HANDLE | ACRE_SUBJECT_HEADERS, "its aligned blocks leave no gaps before them" },
    { "an alignment that is no power of two is invalid", bad_alignment_is_invalid, 1 << 12,
        NEEDS_HANDLE, NULL },
    { "sizes near SIZE_MAX are no memory", sizes_near_the_top_are_no_memory, 1 << 12, 0, NULL },
    { "sizes around powers of two", sizes_around_powers_of_two, 1 << 14, NEEDS_HANDLE | NEEDS_BYTES,
        NULL },
    { "largest_free can be had, and no more", largest_free_can_be_had, 1 << 14,
        NEEDS_HANDLE | NEEDS_REUSE | NEEDS_BYTES, NULL },
    { "full means largest_free is 0", full_means_largest_free_is_zero, 1 << 12,
        NEEDS_HANDLE | NEEDS_REUSE | NEEDS_BYTES, NULL },
    { "a full pool keeps alignments", a_full_pool_keeps_alignments, 1 << 12,
        NEEDS_HANDLE | NEEDS_REUSE | NEEDS_BYTES | NEEDS_ALIGNS, NULL },
    { "instances are independent", instances_are_independent, 1 << 12, 0, NULL },
    { NULL, NULL, 0, 0, NULL },
};
