/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "conformance/suite.h"

#include "support/rng.h"

#include <stdio.h>
#include <string.h>

enum { ROOM = 4096 };

static void empty_is_zero(struct bed *bed)
{
    begin(bed, 0, bed->arena.size);
    struct acre_stats stats = stats_of(bed);
    assert_total(bed, bed->arena.size);
    assert_int_equal(stats.metadata + stats.available, stats.total);
    assert_int_equal(stats.used, 0);
    assert_int_equal(stats.peak, 0);
    assert_int_equal(stats.live_blocks, 0);
    assert_int_equal(stats.failed, 0);
    assert_true(stats.largest_free > 0);
}

static void used_counts_what_blocks_take(struct bed *bed)
{
    begin(bed, 0, bed->arena.size);
    size_t used = 0;
    size_t usable = 0;
    for (size_t i = 1; i < 50; i++) {
        void *ptr = take(bed, i * 3, (size_t)1 << i % 8);
        usable += acre_usable_size(bed->bytes, ptr).num;
        assert_int_equal(stats_of(bed).live_blocks, i);
        assert_true(stats_of(bed).used > used);
        used = stats_of(bed).used;
        assert_true(used >= usable);
        assert_int_equal(stats_of(bed).peak, used);
    }
}

static void peak_stays(struct bed *bed)
{
    begin(bed, 0, bed->arena.size);
    void *first = take(bed, 1000, 1);
    void *second = take(bed, 500, 1);
    size_t peak = stats_of(bed).used;
    give(bed, first);
    assert_int_equal(stats_of(bed).peak, peak);
    give(bed, second);
    give(bed, take(bed, 100, 1));
    assert_int_equal(stats_of(bed).peak, peak);
    take(bed, 3000, 1);
    assert_int_equal(stats_of(bed).peak, stats_of(bed).used);
    assert_true(stats_of(bed).peak > peak);
}

/* Only ACRE_NO_MEMORY counts, once for each call. */
static void refused_requests_are_counted(struct bed *bed)
{
    begin(bed, 0, bed->arena.size);
    void *ptr = take(bed, 1, 1);
    take(bed, 1, 1);
    refuse_alloc(bed, SIZE_MAX, 1, ACRE_NO_MEMORY);
    refuse_realloc(bed, ptr, SIZE_MAX, 1, ACRE_NO_MEMORY);
    assert_int_equal(acre_resize(bed->bytes, ptr, SIZE_MAX), ACRE_NO_MEMORY);
    assert_int_equal(stats_of(bed).failed, 3);
    refuse_alloc(bed, 1, 3, ACRE_INVALID_PARAM);
    refuse_realloc(bed, ptr, 1, 3, ACRE_INVALID_PARAM);
    refuse_ptr(bed, NULL);
    struct acre_ptr got = acre_realloc(bed->bytes, ptr, acre_layout(2000, 1));
    assert_int_equal(got.status, ACRE_OK);
    assert_int_equal(stats_of(bed).failed, 3);
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
static void exhaust_and_return(struct bed *bed)
{
    void *blocks[ROOM];
    begin(bed, 0, bed->arena.size / 2);
    for (int round = 0; round < 6; round++) {
        if (round == 3)
            assert_int_equal(acre_add_memory(bed->base, bed->arena.base + bed->arena.size / 2 + 512,
                                 scaled(bed, 2048)),
                ACRE_OK);
        struct acre_stats empty = stats_of(bed);
        size_t count = fill(bed, blocks, ROOM, 1, 24, 8);
        assert_true(count > 40);
        assert_true(stats_of(bed).largest_free < 1 + 24 * 7);
        reorder(blocks, count, round % 3);
        for (size_t i = 0; i < count; i++)
            give(bed, blocks[i]);
        assert_same_accounts(stats_of(bed), empty);
        give(bed, take(bed, empty.largest_free, 1));
    }
}

static void reset_frees_everything(struct bed *bed)
{
    void *blocks[ROOM];
    begin(bed, 0, bed->arena.size / 2);
    assert_int_equal(
        acre_add_memory(bed->base, bed->arena.base + bed->arena.size / 2 + 512, scaled(bed, 2048)),
        ACRE_OK);
    struct acre_stats empty = stats_of(bed);
    size_t count = fill(bed, blocks, ROOM, 1, 24, 8);
    give(bed, blocks[1]);
    acre_reset(bed->base);
    assert_sound(bed);
    assert_same_accounts(stats_of(bed), empty);
    assert_int_equal(stats_of(bed).peak, 0);
    assert_int_equal(stats_of(bed).failed, 0);
    for (size_t i = 0; i < count; i++)
        refuse_ptr(bed, blocks[i]);
    assert_int_equal(fill(bed, blocks, ROOM, 1, 24, 8), count);
    acre_reset(bed->base);
    acre_reset(bed->base);
    assert_same_accounts(stats_of(bed), empty);
    assert_int_equal(acre_remove_memory(bed->base, bed->arena.base), ACRE_OK);
}

static void reset_of_nothing(struct bed *bed)
{
    begin(bed, 0, bed->arena.size);
    assert_int_equal(acre_remove_memory(bed->base, bed->arena.base), ACRE_OK);
    acre_reset(bed->base);
    assert_sound(bed);
    assert_int_equal(stats_of(bed).available, 0);
}

const struct scene account_scenes[] = {
    { "accounts: empty means used is 0", empty_is_zero, 1 << 14, 0, NULL },
    { "accounts: used counts what blocks take", used_counts_what_blocks_take, 1 << 15, 0, NULL },
    { "accounts: the peak stays", peak_stays, 1 << 14, 0, NULL },
    { "accounts: refused requests are counted", refused_requests_are_counted, 1 << 14, 0, NULL },
    { "accounts: exhaust, free in three orders", exhaust_and_return, 1 << 14, 0, NULL },
    { "reset frees everything", reset_frees_everything, 1 << 14, 0, NULL },
    { "reset of an allocator without memory", reset_of_nothing, 1 << 12, 0, NULL },
    { NULL, NULL, 0, 0, NULL },
};
