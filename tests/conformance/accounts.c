/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "conformance/suite.h"

#include "support/expect.h"
#include "support/rng.h"

#include <stdio.h>
#include <string.h>

enum { ROOM = 4096 };

static void empty_is_zero(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    struct acre_stats stats = stats_of(fixture);
    assert_total(fixture, fixture->arena.size);
    assert_int_equal(stats.metadata + stats.available, stats.total);
    assert_int_equal(stats.used, 0);
    assert_int_equal(stats.peak, 0);
    assert_int_equal(stats.live_blocks, 0);
    assert_int_equal(stats.failed, 0);
    assert_true(stats.largest_free > 0);
}

static void used_counts_what_blocks_take(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    size_t used = 0;
    size_t usable = 0;
    for (size_t i = 1; i < 50; i++) {
        void *ptr = take(fixture, i * 3, (size_t)1 << i % 8);
        usable += acre_usable_size(fixture->bytes, ptr).num;
        assert_int_equal(stats_of(fixture).live_blocks, i);
        assert_true(stats_of(fixture).used > used);
        used = stats_of(fixture).used;
        assert_true(used >= usable);
        assert_int_equal(stats_of(fixture).peak, used);
    }
}

static void peak_stays(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    void *first = take(fixture, 1000, 1);
    void *second = take(fixture, 500, 1);
    size_t peak = stats_of(fixture).used;
    give(fixture, first);
    assert_int_equal(stats_of(fixture).peak, peak);
    give(fixture, second);
    give(fixture, take(fixture, 100, 1));
    assert_int_equal(stats_of(fixture).peak, peak);
    take(fixture, 3000, 1);
    assert_int_equal(stats_of(fixture).peak, stats_of(fixture).used);
    assert_true(stats_of(fixture).peak > peak);
}

static void peak_starts_anew(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    void *first = take(fixture, 1000, 1);
    give(fixture, take(fixture, 2000, 1));
    refuse_alloc(fixture, SIZE_MAX, 1, ACRE_NO_MEMORY);
    struct acre_stats want = stats_of(fixture);
    assert_true(want.peak > want.used);
    acre_reset_peak(fixture->base);
    assert_sound(fixture);
    want.peak = want.used;
    struct acre_stats now = stats_of(fixture);
    assert_memory_equal(&now, &want, sizeof now);
    void *second = take(fixture, 500, 1);
    assert_int_equal(stats_of(fixture).peak, stats_of(fixture).used);
    size_t peak = stats_of(fixture).used;
    give(fixture, first);
    give(fixture, second);
    assert_int_equal(stats_of(fixture).peak, peak);
    acre_reset_peak(fixture->base);
    acre_reset_peak(fixture->base);
    assert_int_equal(stats_of(fixture).peak, 0);
}

/* Only ACRE_NO_MEMORY counts, once for each call. */
static void failed_requests_are_counted(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    void *ptr = take(fixture, 1, 1);
    take(fixture, 1, 1);
    refuse_alloc(fixture, SIZE_MAX, 1, ACRE_NO_MEMORY);
    refuse_realloc(fixture, ptr, SIZE_MAX, 1, ACRE_NO_MEMORY);
    assert_int_equal(acre_resize(fixture->bytes, ptr, SIZE_MAX), ACRE_NO_MEMORY);
    assert_int_equal(stats_of(fixture).failed, 3);
    refuse_alloc(fixture, 1, 3, ACRE_INVALID_PARAM);
    refuse_realloc(fixture, ptr, 1, 3, ACRE_INVALID_PARAM);
    refuse_ptr(fixture, NULL);
    struct acre_ptr got = acre_realloc(fixture->bytes, ptr, acre_layout(2000, 1));
    assert_int_equal(got.status, ACRE_OK);
    assert_int_equal(stats_of(fixture).failed, 3);
}

static void reorder(void **blocks, size_t count, int order)
{
    struct rng rng = { 42 };
    for (size_t i = 0; order != 0 && i < count; i++) {
        size_t other = order == 1 ? count - 1 - i : i + rng_below(&rng, count - i);
        if (order == 1 && other <= i)
            break;
        void *swap = blocks[i];
        blocks[i] = blocks[other];
        blocks[other] = swap;
    }
}

/* Fills memory, frees all in order, backwards, and at random; over two regions as well. */
static void exhaust_and_return(struct fixture *fixture)
{
    void *blocks[ROOM];
    begin(fixture, 0, fixture->arena.size / 2);
    for (int round = 0; round < 6; round++) {
        if (round == 3)
            assert_int_equal(
                acre_add_memory(fixture->base, fixture->arena.base + fixture->arena.size / 2 + 512,
                    scaled(fixture, 2048)),
                ACRE_OK);
        struct acre_stats empty = stats_of(fixture);
        size_t count = fill(fixture, blocks, ROOM, 1, 24, 8);
        assert_true(count > 40);
        assert_true(stats_of(fixture).largest_free < 1 + 24 * 7);
        reorder(blocks, count, round % 3);
        for (size_t i = 0; i < count; i++)
            give(fixture, blocks[i]);
        assert_same_accounts(stats_of(fixture), empty);
        give(fixture, take(fixture, empty.largest_free, 1));
    }
}

static void reset_frees_everything(struct fixture *fixture)
{
    void *blocks[ROOM];
    begin(fixture, 0, fixture->arena.size / 2);
    assert_int_equal(
        acre_add_memory(fixture->base, fixture->arena.base + fixture->arena.size / 2 + 512,
            scaled(fixture, 2048)),
        ACRE_OK);
    struct acre_stats empty = stats_of(fixture);
    size_t count = fill(fixture, blocks, ROOM, 1, 24, 8);
    give(fixture, blocks[1]);
    acre_reset(fixture->base);
    assert_sound(fixture);
    assert_same_accounts(stats_of(fixture), empty);
    assert_int_equal(stats_of(fixture).peak, 0);
    assert_int_equal(stats_of(fixture).failed, 0);
    for (size_t i = 0; i < count; i++)
        refuse_ptr(fixture, blocks[i]);
    assert_int_equal(fill(fixture, blocks, ROOM, 1, 24, 8), count);
    acre_reset(fixture->base);
    acre_reset(fixture->base);
    assert_same_accounts(stats_of(fixture), empty);
    assert_int_equal(acre_remove_memory(fixture->base, fixture->arena.base), ACRE_OK);
}

static void reset_of_nothing(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    assert_int_equal(acre_remove_memory(fixture->base, fixture->arena.base), ACRE_OK);
    acre_reset(fixture->base);
    assert_sound(fixture);
    assert_int_equal(stats_of(fixture).available, 0);
}

const struct test_case account_cases[] = {
    { "accounts: empty means used is 0", empty_is_zero, 1 << 14, NEEDS_HANDLE, NULL },
    { "accounts: used counts what blocks take", used_counts_what_blocks_take, 1 << 15, NEEDS_HANDLE,
        NULL },
    { "accounts: the peak stays", peak_stays, 1 << 14, NEEDS_HANDLE, NULL },
    { "accounts: the peak starts anew", peak_starts_anew, 1 << 14, NEEDS_HANDLE, NULL },
    { "accounts: failed requests are counted", failed_requests_are_counted, 1 << 14, NEEDS_HANDLE,
        NULL },
    { "accounts: exhaust, free in three orders", exhaust_and_return, 1 << 14,
        NEEDS_HANDLE | NEEDS_BYTES, NULL },
    { "reset frees everything", reset_frees_everything, 1 << 14, NEEDS_HANDLE | NEEDS_BYTES, NULL },
    { "reset of an allocator without memory", reset_of_nothing, 1 << 12, NEEDS_HANDLE, NULL },
    { NULL, NULL, 0, 0, NULL },
};
