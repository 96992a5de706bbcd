/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "misuse/misuse.h"

#include "support/expect.h"

#include <string.h>

static void ranges_refused(struct fixture *fixture)
{
    unsigned char *base = fixture->arena.base;
    size_t page = scaled(fixture, 4096);
    begin(fixture, page, page);
    take(fixture, 100, 1);
    refuse_add(fixture, base + page, page, ACRE_MEMORY_OVERLAP);
    refuse_add(fixture, base + page, page, ACRE_MEMORY_OVERLAP);
    refuse_add(fixture, base + page + page / 4, page / 4, ACRE_MEMORY_OVERLAP);
    refuse_add(fixture, base, page + 1, ACRE_MEMORY_OVERLAP);
    refuse_add(fixture, base + 2 * page - 1, page / 2, ACRE_MEMORY_OVERLAP);
    refuse_add(fixture, base, 4 * page, ACRE_MEMORY_OVERLAP);
    refuse_add(fixture, base + 2 * page, 0, ACRE_INVALID_PARAM);
    refuse_add(fixture, base + 2 * page, 1, ACRE_INVALID_PARAM);
    refuse_add(fixture, base + 2 * page + 3, 13, ACRE_INVALID_PARAM);
    refuse_add(fixture, (void *)(UINTPTR_MAX - 4094), 4096, ACRE_INVALID_PARAM);
    refuse_add(fixture, (void *)(UINTPTR_MAX - 4094), SIZE_MAX, ACRE_INVALID_PARAM);
    refuse_add(fixture, NULL, page, ACRE_INVALID_PARAM);
}

/* A misaligned range is served from its aligned part. */
static void misaligned_ranges_are_served(struct fixture *fixture)
{
    unsigned char *place = fixture->arena.base + scaled(fixture, 4096);
    begin(fixture, 1, scaled(fixture, 4001));
    for (size_t i = 0; i < 8; i++, place += scaled(fixture, 1287))
        assert_int_equal(acre_add_memory(fixture->base, place, scaled(fixture, 1285)), ACRE_OK);
    assert_sound(fixture);
    for (size_t i = 0; i < 9; i++) {
        unsigned char *ptr = take(fixture, 400, 1);
        memset(ptr, 1, acre_usable_size(fixture->bytes, ptr).num);
    }
    assert_sound(fixture);
}

static void removal_with_live_blocks(struct fixture *fixture)
{
    unsigned char *base = fixture->arena.base;
    begin(fixture, 0, fixture->arena.size);
    void *ptr = take(fixture, 100, 1);
    fixture_save(fixture);
    assert_int_equal(acre_remove_memory(fixture->base, base), ACRE_INVALID_PARAM);
    assert_true(fixture_same(fixture));
    give(fixture, ptr);
    assert_int_equal(acre_remove_memory(fixture->base, base), ACRE_OK);
    memset(base, 0xee, fixture->arena.size);
    refuse_ptr(fixture, ptr);
    refuse_alloc(fixture, 1, 1, ACRE_NO_MEMORY);
    assert_int_equal(acre_remove_memory(fixture->base, base), ACRE_NOT_ALLOCATED);
    assert_sound(fixture);
}

static void tiny_arenas(struct fixture *fixture)
{
    for (size_t size = 0; size <= 512; size++) {
        enum acre_status status = acre_init(fixture->base, fixture->arena.base + 3, size);
        assert_int_equal(status == ACRE_OK || status == ACRE_INVALID_PARAM, 1);
        assert_sound(fixture);
        bool fits = status == ACRE_OK;
        if ((fixture->backend->caps & ACRE_SUBJECT_PADS) != 0)
            fits = stats_of(fixture).largest_free != 0;
        struct acre_ptr got = acre_alloc(fixture->bytes, acre_layout(1, 1));
        assert_int_equal(got.status, fits ? ACRE_OK : ACRE_NO_MEMORY);
        assert_sound(fixture);
        refuse_ptr(fixture, fixture->arena.base + 3 + size);
    }
}

/* A size that is no power of two, and every byte of it of use but for metadata. */
static void sizes_that_are_no_power_of_two(struct fixture *fixture)
{
    for (size_t least = 1200; least < 4000; least += 97) {
        size_t size = scaled(fixture, least);
        begin(fixture, 0, size);
        struct acre_stats stats = stats_of(fixture);
        assert_true(stats.metadata < size / 2);
        give(fixture, take(fixture, stats.largest_free, 1));
    }
}

/* Only the pages that are written to take memory: the region is as large as a region gets here. */
static void a_maximal_arena(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    struct acre_stats empty = stats_of(fixture);
    assert_true(empty.largest_free > fixture->arena.size - fixture->arena.size / 64);
    void *all = take(fixture, empty.largest_free, 1);
    assert_int_equal(acre_alloc(fixture->bytes, acre_layout(1 << 20, 1)).status, ACRE_NO_MEMORY);
    give(fixture, all);
    unsigned char *half = take(fixture, fixture->arena.size / 2 + 5, 1);
    unsigned char *page = take(fixture, 4096, 4096);
    half[fixture->arena.size / 2 + 4] = 1;
    page[4095] = 1;
    give(fixture, half);
    give(fixture, page);
    assert_same_accounts(stats_of(fixture), empty);
}

static void null_arena(struct fixture *fixture)
{
    static const size_t sizes[] = { 0, 1, 4096, SIZE_MAX / 2, SIZE_MAX };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_int_equal(acre_init(fixture->base, NULL, sizes[i]), ACRE_INVALID_PARAM);
        assert_sound(fixture);
        refuse_alloc(fixture, 1, 1, ACRE_NO_MEMORY);
    }
}

enum { ROOM = 1024 };

static void free_forward(struct fixture *fixture, void **blocks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        give(fixture, blocks[i]);
}

static void free_backward(struct fixture *fixture, void **blocks, size_t count)
{
    for (size_t i = count; i > 0; i--)
        give(fixture, blocks[i - 1]);
}

/* Every other block first, so that the second half merges on both sides. */
static void free_alternately(struct fixture *fixture, void **blocks, size_t count)
{
    for (size_t i = 0; i < count; i += 2)
        give(fixture, blocks[i]);
    for (size_t i = 1; i < count; i += 2)
        give(fixture, blocks[i]);
}

static void exhaust_and_free(struct fixture *fixture)
{
    void (*const orders[])(
        struct fixture *, void **, size_t) = { free_forward, free_backward, free_alternately };
    void *blocks[ROOM];
    begin(fixture, 0, fixture->arena.size);
    struct acre_stats empty = stats_of(fixture);
    for (size_t round = 0; round < 9; round++) {
        size_t count = fill(fixture, blocks, ROOM, 16 + round, 48, 6);
        refuse_alloc(fixture, 16 + round + 48 * 6, 1, ACRE_NO_MEMORY);
        orders[round % 3](fixture, blocks, count);
        assert_same_accounts(stats_of(fixture), empty);
        give(fixture, take(fixture, empty.largest_free, 1));
    }
}

const struct test_case region_misuses[] = {
    { "30: ranges that must be refused", ranges_refused, 1 << 14, NEEDS_HANDLE, NULL },
    { "30: misaligned ranges are served", misaligned_ranges_are_served, 1 << 14, NEEDS_HANDLE,
        NULL },
    { "31: removal with live blocks, use after removal", removal_with_live_blocks, 1 << 12,
        NEEDS_HANDLE, NULL },
    { "32: tiny arenas", tiny_arenas, 1 << 12, NEEDS_HANDLE, NULL },
    { "32: sizes that are no power of two", sizes_that_are_no_power_of_two, 1 << 12,
        NEEDS_HANDLE | NEEDS_BYTES, NULL },
    { "32: a maximal arena", a_maximal_arena, (size_t)1 << 30, NEEDS_HANDLE | ACRE_SUBJECT_HEADERS,
        "its blocks are powers of two" },
    { "32: null arena", null_arena, 1 << 12, NEEDS_HANDLE, NULL },
    { "33: exhaust, free in three orders", exhaust_and_free, 1 << 13, NEEDS_HANDLE | NEEDS_BYTES,
        NULL },
    { NULL, NULL, 0, 0, NULL },
};
