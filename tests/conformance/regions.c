/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "conformance/suite.h"

#include "support/expect.h"

#include <string.h>

enum { MANY = 300, SMALL = 1536, STRIDE = SMALL + 64 };

static size_t enough(const struct fixture *fixture)
{
    return fixture->backend->region_enough;
}

static void assert_empty(struct fixture *fixture)
{
    struct acre_stats none = { 0, 0, 0, 0, 0, 0, 0, 0 };
    if ((fixture->backend->caps & ACRE_SUBJECT_APART) == 0)
        assert_same_accounts(stats_of(fixture), none);
    assert_int_equal(stats_of(fixture).available, 0);
    assert_sound(fixture);
    refuse_alloc(fixture, 1, 1, ACRE_NO_MEMORY);
    refuse_ptr(fixture, fixture->arena.base);
}

static void refuse_init(struct fixture *fixture, void *start, size_t size)
{
    memcpy(fixture->arena.base, "before", 6);
    assert_int_equal(acre_init(fixture->base, start, size), ACRE_INVALID_PARAM);
    assert_memory_equal(fixture->arena.base, "before", 6);
    assert_empty(fixture);
    assert_int_equal(stats_of(fixture).failed, 1);
}

static void bad_init_leaves_it_empty(struct fixture *fixture)
{
    unsigned char *base = fixture->arena.base;
    refuse_init(fixture, NULL, fixture->arena.size);
    refuse_init(fixture, NULL, 0);
    refuse_init(fixture, NULL, SIZE_MAX);
    refuse_init(fixture, base, 0);
    refuse_init(fixture, base, 1);
    refuse_init(fixture, base, SIZE_MAX);
    refuse_init(fixture, base, SIZE_MAX - (uintptr_t)base + 2);
    refuse_init(fixture, (void *)(UINTPTR_MAX - 4095), 4097);
    refuse_init(fixture, (void *)UINTPTR_MAX, 2);
    begin(fixture, 0, fixture->arena.size);
    take(fixture, 100, 1);
    refuse_init(fixture, NULL, fixture->arena.size);
    assert_int_equal(acre_add_memory(fixture->base, base, fixture->arena.size), ACRE_OK);
    give(fixture, take(fixture, 100, 1));
}

/* One size is the least for a given start: below it all are refused, from it on all are served. */
static void the_least_size_is_a_sharp_line(struct fixture *fixture)
{
    size_t stride = scaled(fixture, 64) / 64;
    for (size_t skew = 0; skew < 65; skew += skew < 17 ? 1 : 6) {
        unsigned char *start = fixture->arena.base + skew;
        size_t least = 1;
        while (acre_init(fixture->base, start, least + stride - 1) == ACRE_INVALID_PARAM)
            least += stride;
        while (acre_init(fixture->base, start, least) == ACRE_INVALID_PARAM)
            least++;
        assert_true(least <= enough(fixture));
        for (size_t size = least; size < least + 200; size += size < least + 66 ? 1 : 7) {
            begin(fixture, skew, size);
            assert_total(fixture, size);
            bool pads = (fixture->backend->caps & ACRE_SUBJECT_PADS) != 0;
            if (!pads || stats_of(fixture).largest_free != 0)
                give(fixture, take(fixture, stats_of(fixture).largest_free, 1));
        }
    }
}

/* The bytes around a region of any start and size are left alone. */
static void odd_regions_are_kept_to(struct fixture *fixture)
{
    void *blocks[1024];
    memset(fixture->arena.base, 0x5a, fixture->arena.size);
    for (size_t skew = 1; skew < 70; skew += 2) {
        size_t size = enough(fixture) + 37 * skew;
        begin(fixture, 100 + skew, size);
        size_t count = fill(fixture, blocks, 1024, 8, 8, 5);
        assert_true(count > 0);
        for (size_t i = 0; i < count; i++) {
            unsigned char *block = blocks[i];
            size_t usable = acre_usable_size(fixture->bytes, block).num;
            assert_true(block >= fixture->arena.base + 100 + skew);
            assert_true(block + usable <= fixture->arena.base + 100 + skew + size);
            memset(block, 0x11, usable);
            give(fixture, block);
        }
        for (size_t at = 0; at < 100 + skew; at++)
            assert_int_equal(fixture->arena.base[at], 0x5a);
        for (size_t at = 100 + skew + size; at < fixture->arena.size; at++)
            assert_int_equal(fixture->arena.base[at], 0x5a);
        memset(fixture->arena.base, 0x5a, fixture->arena.size);
    }
}

static void refuse_overlap(struct fixture *fixture, size_t from, size_t to)
{
    from = scaled(fixture, from);
    refuse_add(
        fixture, fixture->arena.base + from, scaled(fixture, to) - from, ACRE_MEMORY_OVERLAP);
}

/* Region given: [4096, 8192) of the arena. */
static void overlaps_are_refused_exactly(struct fixture *fixture)
{
    static const struct {
        size_t from, to;
    } bad[] = { { 4096, 8192 }, { 4096, 8191 }, { 4097, 8192 }, { 5000, 7000 }, { 4000, 9000 },
        { 4096, 9000 }, { 4095, 8192 }, { 3000, 8192 }, { 3000, 4097 }, { 8191, 9500 },
        { 0, 16384 }, { 4608, 5632 }, { 2048, 6144 }, { 6144, 12288 } };
    size_t half = scaled(fixture, 2048);
    begin(fixture, 2 * half, 2 * half);
    take(fixture, 100, 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refuse_overlap(fixture, bad[i].from, bad[i].to);
    assert_int_equal(acre_add_memory(fixture->base, fixture->arena.base + half, half), ACRE_OK);
    assert_sound(fixture);
    assert_int_equal(acre_add_memory(fixture->base, fixture->arena.base + 4 * half, half), ACRE_OK);
    assert_sound(fixture);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refuse_overlap(fixture, bad[i].from, bad[i].to);
    assert_total(fixture, 4 * half);
}

/* The unaligned ends of a region are owned too, though no block can lie there. */
static void overlap_with_unaligned_ends(struct fixture *fixture)
{
    size_t half = scaled(fixture, 2048);
    size_t size = scaled(fixture, 4001);
    unsigned char *start = fixture->arena.base + scaled(fixture, 4099);
    begin(fixture, scaled(fixture, 4099), size);
    refuse_add(fixture, start - half, half + 1, ACRE_MEMORY_OVERLAP);
    refuse_add(fixture, start + size - 1, half, ACRE_MEMORY_OVERLAP);
    assert_int_equal(acre_add_memory(fixture->base, start - half, half), ACRE_OK);
    assert_int_equal(acre_add_memory(fixture->base, start + size, half), ACRE_OK);
    assert_sound(fixture);
    assert_total(fixture, size + 2 * half);
}

static void bad_ranges_are_invalid(struct fixture *fixture)
{
    unsigned char *base = fixture->arena.base;
    size_t page = scaled(fixture, 4096);
    begin(fixture, page, page);
    take(fixture, 100, 1);
    refuse_add(fixture, NULL, page, ACRE_INVALID_PARAM);
    refuse_add(fixture, NULL, 0, ACRE_INVALID_PARAM);
    refuse_add(fixture, NULL, SIZE_MAX, ACRE_INVALID_PARAM);
    refuse_add(fixture, base + 2 * page, 0, ACRE_INVALID_PARAM);
    refuse_add(fixture, base + 2 * page, 1, ACRE_INVALID_PARAM);
    refuse_add(fixture, base + 2 * page, 7, ACRE_INVALID_PARAM);
    refuse_add(fixture, base + 2 * page + 1, 3, ACRE_INVALID_PARAM);
    refuse_add(fixture, base, SIZE_MAX, ACRE_INVALID_PARAM);
    refuse_add(fixture, base + page, SIZE_MAX, ACRE_INVALID_PARAM);
    refuse_add(
        fixture, base + 2 * page, SIZE_MAX - (uintptr_t)base - 2 * page + 2, ACRE_INVALID_PARAM);
    refuse_add(fixture, (void *)UINTPTR_MAX, 2, ACRE_INVALID_PARAM);
    refuse_add(fixture, (void *)UINTPTR_MAX, SIZE_MAX, ACRE_INVALID_PARAM);
    refuse_add(fixture, (void *)(UINTPTR_MAX - 4095), 4097, ACRE_INVALID_PARAM);
    refuse_add(fixture, (void *)16, SIZE_MAX - 14, ACRE_INVALID_PARAM);
}

static void refuse_remove(struct fixture *fixture, void *start, enum acre_status status)
{
    fixture_save(fixture);
    assert_int_equal(acre_remove_memory(fixture->base, start), status);
    assert_true(fixture_same(fixture));
}

static void a_region_is_taken_back(struct fixture *fixture)
{
    unsigned char *base = fixture->arena.base;
    size_t page = scaled(fixture, 4096);
    size_t odd = scaled(fixture, 5000);
    begin(fixture, 1, odd);
    struct acre_stats one = stats_of(fixture);
    assert_int_equal(acre_add_memory(fixture->base, base + 2 * page, page), ACRE_OK);
    refuse_remove(fixture, NULL, ACRE_NOT_ALLOCATED);
    refuse_remove(fixture, base, ACRE_NOT_ALLOCATED);
    refuse_remove(fixture, base + 2, ACRE_NOT_ALLOCATED);
    refuse_remove(fixture, base + 16, ACRE_NOT_ALLOCATED);
    refuse_remove(fixture, base + page, ACRE_NOT_ALLOCATED);
    refuse_remove(fixture, base + 2 * page - 1, ACRE_NOT_ALLOCATED);
    refuse_remove(fixture, base + 3 * page, ACRE_NOT_ALLOCATED);
    refuse_remove(fixture, (void *)UINTPTR_MAX, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_remove_memory(fixture->base, base + 2 * page), ACRE_OK);
    assert_same_accounts(stats_of(fixture), one);
    assert_sound(fixture);
    memset(base + 2 * page, 0xff, page);
    assert_sound(fixture);
    refuse_remove(fixture, base + 2 * page, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_remove_memory(fixture->base, base + 1), ACRE_OK);
    assert_empty(fixture);
    refuse_remove(fixture, base + 1, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_add_memory(fixture->base, base + 1, odd), ACRE_OK);
    assert_same_accounts(stats_of(fixture), one);
    give(fixture, take(fixture, one.largest_free, 1));
}

/* Every region but the emptied ones refuses to go; each goes once its last block has. */
static void live_blocks_hold_their_region(struct fixture *fixture)
{
    void *blocks[2048];
    unsigned char *base = fixture->arena.base;
    size_t half = scaled(fixture, 2048);
    begin(fixture, 0, half);
    for (size_t i = 1; i < 4; i++)
        assert_int_equal(acre_add_memory(fixture->base, base + 2 * i * half, half), ACRE_OK);
    size_t count = fill(fixture, blocks, 2048, 100, 0, 1);
    for (size_t region = 0; region < 4; region++) {
        unsigned char *start = base + 2 * region * half;
        for (size_t i = 0; i < count; i++) {
            unsigned char *block = blocks[i];
            if (block < start || block >= start + half)
                continue;
            refuse_remove(fixture, start, ACRE_INVALID_PARAM);
            give(fixture, block);
        }
        assert_int_equal(acre_remove_memory(fixture->base, start), ACRE_OK);
        assert_sound(fixture);
    }
    assert_empty(fixture);
}

static unsigned char *region_at(struct fixture *fixture, size_t i)
{
    return fixture->arena.base + i * 7 % MANY * scaled(fixture, STRIDE);
}

/* One comparison for all: the arena is large, and nothing may have changed whichever call it was. */
static void refuse_each_again(struct fixture *fixture, size_t small)
{
    fixture_save(fixture);
    for (size_t i = 0; i < MANY; i++) {
        unsigned char *inside = region_at(fixture, i) + small / 2;
        assert_int_equal(acre_add_memory(fixture->base, inside, small), ACRE_MEMORY_OVERLAP);
    }
    assert_true(fixture_same(fixture));
}

static void hundreds_of_regions(struct fixture *fixture)
{
    static void *blocks[MANY * SMALL / 16];
    size_t small = scaled(fixture, SMALL);
    size_t size = scaled(fixture, 250);
    begin(fixture, 0, small);
    for (size_t i = 1; i < MANY; i++) {
        assert_int_equal(acre_add_memory(fixture->base, region_at(fixture, i), small), ACRE_OK);
        assert_total(fixture, (i + 1) * small);
    }
    assert_sound(fixture);
    refuse_each_again(fixture, small);
    struct acre_stats empty = stats_of(fixture);
    size_t room = sizeof blocks / sizeof blocks[0];
    size_t count = 0;
    struct acre_ptr got;
    while ((got = acre_alloc(fixture->bytes, acre_layout(size, 1))).status == ACRE_OK) {
        assert_true(count < room);
        memset(got.ptr, (int)count, size);
        blocks[count++] = got.ptr;
    }
    assert_sound(fixture);
    assert_true(count >= 2 * MANY);
    for (size_t i = 0; i < count; i++) /* a prime above count: each block once */
        assert_int_equal(acre_dealloc(fixture->bytes, blocks[i * 100003 % count]), ACRE_OK);
    assert_sound(fixture);
    assert_same_accounts(stats_of(fixture), empty);
    for (size_t i = MANY; i > 0; i--) {
        assert_int_equal(acre_remove_memory(fixture->base, region_at(fixture, i - 1)), ACRE_OK);
        assert_total(fixture, (i - 1) * small);
    }
    assert_empty(fixture);
}

/* Adjoining pieces added in any order; each can be removed again. */
static void adjoining_regions_do_not_overlap(struct fixture *fixture)
{
    static const size_t order[] = { 3, 0, 2, 7, 5, 6, 1, 4 };
    void *blocks[4096];
    size_t piece = scaled(fixture, 1024);
    begin(fixture, 3 * piece, piece);
    for (size_t i = 1; i < 8; i++) {
        unsigned char *start = fixture->arena.base + order[i] * piece;
        assert_int_equal(acre_add_memory(fixture->base, start, piece), ACRE_OK);
        assert_sound(fixture);
    }
    struct acre_stats empty = stats_of(fixture);
    size_t count = fill(fixture, blocks, 4096, 16, 16, 7);
    for (size_t i = 0; i < count; i++)
        give(fixture, blocks[i]);
    assert_same_accounts(stats_of(fixture), empty);
    for (size_t i = 0; i < 8; i++) {
        unsigned char *start = fixture->arena.base + order[7 - i] * piece;
        assert_int_equal(acre_remove_memory(fixture->base, start), ACRE_OK);
        assert_sound(fixture);
    }
    assert_empty(fixture);
}

static void one_block_across_a_seam(struct fixture *fixture)
{
    unsigned char *base = fixture->arena.base;
    begin(fixture, 4096, 4096);
    assert_int_equal(acre_add_memory(fixture->base, base + 8192, 4096), ACRE_OK);
    assert_int_equal(acre_add_memory(fixture->base, base, 4096), ACRE_OK);
    assert_int_equal(acre_add_memory(fixture->base, base + 12288, 4096), ACRE_OK);
    void *ptr = take(fixture, 12500, 1);
    refuse_remove(fixture, base, ACRE_INVALID_PARAM);
    refuse_remove(fixture, base + 4096, ACRE_INVALID_PARAM);
    refuse_remove(fixture, base + 8192, ACRE_INVALID_PARAM);
    give(fixture, ptr);
    assert_int_equal(acre_remove_memory(fixture->base, base + 4096), ACRE_OK);
    assert_sound(fixture);
    refuse_alloc(fixture, 8193, 1, ACRE_NO_MEMORY);
    give(fixture, take(fixture, 3000, 1));
}

static void init_forgets_everything(struct fixture *fixture)
{
    size_t half = scaled(fixture, 2048);
    begin(fixture, 0, 2 * half);
    struct acre_stats empty = stats_of(fixture);
    assert_int_equal(acre_add_memory(fixture->base, fixture->arena.base + 2 * half, half), ACRE_OK);
    void *ptr = take(fixture, 100, 1);
    refuse_alloc(fixture, SIZE_MAX, 1, ACRE_NO_MEMORY);
    begin(fixture, 0, 2 * half);
    assert_same_accounts(stats_of(fixture), empty);
    assert_int_equal(stats_of(fixture).peak, 0);
    assert_int_equal(stats_of(fixture).failed, 0);
    refuse_ptr(fixture, ptr);
    begin(fixture, 2 * half, half);
    assert_int_equal(acre_add_memory(fixture->base, fixture->arena.base, 2 * half), ACRE_OK);
}

/* What the memory held before does not matter. */
static void memory_may_hold_anything(struct fixture *fixture)
{
    static const int bytes[] = { 0x00, 0xff, 0x55, 0x80, 0x01 };
    for (size_t i = 0; i < sizeof bytes / sizeof bytes[0]; i++) {
        memset(fixture->arena.base, bytes[i], fixture->arena.size);
        begin(fixture, 0, fixture->arena.size / 2);
        assert_int_equal(
            acre_add_memory(fixture->base, fixture->arena.base + fixture->arena.size / 2,
                fixture->arena.size / 2),
            ACRE_OK);
        for (size_t at = 0; at < fixture->arena.size; at += 8)
            refuse_ptr(fixture, fixture->arena.base + at);
        give(fixture, take(fixture, 100, 1));
    }
}

const struct test_case region_cases[] = {
    { "init: a bad range leaves it empty", bad_init_leaves_it_empty, 1 << 14, NEEDS_HANDLE, NULL },
    { "init: the least size is a sharp line", the_least_size_is_a_sharp_line, 1 << 12, NEEDS_HANDLE,
        NULL },
    { "odd starts and sizes are kept to", odd_regions_are_kept_to, 1 << 13,
        NEEDS_HANDLE | NEEDS_BYTES, NULL },
    { "overlaps are refused exactly", overlaps_are_refused_exactly, 1 << 14, NEEDS_HANDLE, NULL },
    { "unaligned ends count as owned", overlap_with_unaligned_ends, 1 << 14, NEEDS_HANDLE, NULL },
    { "null, wrapping and tiny ranges are invalid", bad_ranges_are_invalid, 1 << 14, NEEDS_HANDLE,
        NULL },
    { "a region is removed", a_region_is_taken_back, 1 << 14, NEEDS_HANDLE, NULL },
    { "live blocks hold their region", live_blocks_hold_their_region, 1 << 14,
        NEEDS_HANDLE | NEEDS_BYTES, NULL },
    { "hundreds of regions", hundreds_of_regions, 1 << 19, NEEDS_HANDLE | NEEDS_BYTES, NULL },
    { "adjoining regions do not overlap", adjoining_regions_do_not_overlap, 1 << 13,
        NEEDS_HANDLE | NEEDS_BYTES, NULL },
    { "one block across a seam", one_block_across_a_seam, 1 << 14, NEEDS_HANDLE | ACRE_SUBJECT_SEAM,
        "its metadata lies between adjoining regions" },
    { "init forgets everything", init_forgets_everything, 1 << 13, NEEDS_HANDLE, NULL },
    { "memory may hold anything", memory_may_hold_anything, 1 << 12, NEEDS_HANDLE | NEEDS_BYTES,
        NULL },
    { NULL, NULL, 0, 0, NULL },
};
