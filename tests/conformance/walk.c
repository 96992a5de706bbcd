/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "conformance/suite.h"

#include "support/expect.h"

#include <string.h>

enum { MOST = 512 };

struct list {
    struct {
        unsigned char *start;
        size_t size;
        bool live;
    } blocks[MOST];
    size_t count;
    size_t stop_after;
};

static bool note(void *arg, void *start, size_t size, bool live)
{
    struct list *list = arg;
    assert_true(list->count < MOST);
    list->blocks[list->count].start = start;
    list->blocks[list->count].size = size;
    list->blocks[list->count].live = live;
    list->count++;
    return list->count != list->stop_after;
}

static void tour(struct fixture *fixture, struct list *list)
{
    list->count = 0;
    acre_walk(fixture->bytes, note, list);
}

/* Bytes of the second region: as many as records of 64-bit machines need, and so few that the
 * blocks need both regions. */
enum { SECOND = sizeof(void *) == 8 ? 2100 : 2000 };

/* Two regions, live and free blocks in both. */
static void set_up(struct fixture *fixture)
{
    void *blocks[40];
    begin(fixture, scaled(fixture, 4096), scaled(fixture, 2048));
    assert_int_equal(
        acre_add_memory(fixture->base, fixture->arena.base + 16, scaled(fixture, SECOND)), ACRE_OK);
    for (size_t i = 0; i < 14; i++)
        blocks[i] = take(fixture, 30 + 11 * i, (size_t)1 << i % 7);
    for (size_t i = 0; i < 14; i += 3)
        give(fixture, blocks[i]);
}

static void changes_nothing(struct fixture *fixture)
{
    struct list list = { .stop_after = 0 };
    set_up(fixture);
    refuse_alloc(fixture, SIZE_MAX, 1, ACRE_NO_MEMORY);
    fixture_save(fixture);
    tour(fixture, &list);
    assert_null(acre_check(fixture->base).invariant);
    struct acre_stats stats = stats_of(fixture);
    for (size_t i = 0; i < list.count; i++) {
        if (list.blocks[i].live)
            assert_int_equal(
                acre_usable_size(fixture->bytes, list.blocks[i].start).num, list.blocks[i].size);
    }
    assert_true(fixture_same(fixture));
    struct acre_stats again = stats_of(fixture);
    assert_memory_equal(&stats, &again, sizeof stats);
}

static void goes_by_address_within_a_region(struct fixture *fixture)
{
    struct list list = { .stop_after = 0 };
    set_up(fixture);
    tour(fixture, &list);
    unsigned char *split = fixture->arena.base + 16 + scaled(fixture, SECOND);
    size_t crossings = 0;
    for (size_t i = 1; i < list.count; i++) {
        bool crossing = (list.blocks[i - 1].start < split) != (list.blocks[i].start < split);
        crossings += crossing;
        assert_true(
            crossing || list.blocks[i].start >= list.blocks[i - 1].start + list.blocks[i - 1].size);
    }
    assert_int_equal(crossings, 1);
}

static void ends_when_told(struct fixture *fixture)
{
    struct list list = { .stop_after = 0 };
    set_up(fixture);
    tour(fixture, &list);
    size_t all = list.count;
    assert_true(all > 10);
    for (list.stop_after = 1; list.stop_after <= all; list.stop_after++) {
        tour(fixture, &list);
        assert_int_equal(list.count, list.stop_after);
    }
}

static void live_blocks_are_shown(struct fixture *fixture)
{
    struct list list = { .stop_after = 0 };
    begin(fixture, 0, fixture->arena.size);
    unsigned char *first = take(fixture, 10, 1);
    unsigned char *second = take(fixture, 20, 1);
    unsigned char *third = take(fixture, 30, 1);
    give(fixture, second);
    tour(fixture, &list);
    size_t live = 0;
    for (size_t i = 0; i < list.count; i++) {
        if (!list.blocks[i].live)
            continue;
        live++;
        assert_true(list.blocks[i].start == first || list.blocks[i].start == third);
        assert_int_equal(
            list.blocks[i].size, acre_usable_size(fixture->bytes, list.blocks[i].start).num);
    }
    assert_int_equal(live, 2);
}

/* Blocks and their headers tile the region: none is missed and none seen twice. */
static void covers_every_byte_once(struct fixture *fixture)
{
    struct list list = { .stop_after = 0 };
    size_t header = fixture->backend->header;
    set_up(fixture);
    tour(fixture, &list);
    size_t breaks = 0;
    for (size_t i = 1; i < list.count; i++)
        breaks +=
            list.blocks[i].start != list.blocks[i - 1].start + list.blocks[i - 1].size + header;
    assert_int_equal(breaks, 1);
}

/* Whether `find` says what is known of a byte: which block of the list holds it, if any. */
static void assert_find(struct fixture *fixture, const struct list *list, const unsigned char *ptr)
{
    struct acre_block found = acre_find(fixture->bytes, ptr);
    for (size_t i = 0; i < list->count; i++) {
        if (!list->blocks[i].live || (uintptr_t)ptr < (uintptr_t)list->blocks[i].start ||
            (uintptr_t)ptr - (uintptr_t)list->blocks[i].start >= list->blocks[i].size)
            continue;
        assert_int_equal(found.status, ACRE_OK);
        assert_ptr_equal(found.start, list->blocks[i].start);
        assert_int_equal(found.size, list->blocks[i].size);
        return;
    }
    assert_int_equal(found.status, ACRE_NOT_ALLOCATED);
    assert_null(found.start);
    assert_int_equal(found.size, 0);
}

static void find_knows_every_byte(struct fixture *fixture)
{
    struct list list = { .stop_after = 0 };
    set_up(fixture);
    tour(fixture, &list);
    fixture_save(fixture);
    for (size_t at = 0; at < fixture->arena.size; at++)
        assert_find(fixture, &list, fixture->arena.base + at);
    assert_find(fixture, &list, NULL);
    assert_find(fixture, &list, (const unsigned char *)&list);
    assert_find(fixture, &list, (const unsigned char *)UINTPTR_MAX);
    assert_find(fixture, &list, fixture->arena.base - 1);
    assert_find(fixture, &list, fixture->arena.base + fixture->arena.size);
    assert_true(fixture_same(fixture));
}

static void find_in_a_large_block(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    unsigned char *large = take(fixture, fixture->arena.size / 4, 1);
    size_t usable = acre_usable_size(fixture->bytes, large).num;
    size_t step = usable / 128 | 1;
    for (size_t at = 0; at < usable; at += step) {
        struct acre_block found = acre_find(fixture->bytes, large + at);
        assert_int_equal(found.status, ACRE_OK);
        assert_ptr_equal(found.start, large);
        assert_int_equal(found.size, usable);
    }
    give(fixture, large);
    for (size_t at = 0; at < usable; at += step)
        assert_int_equal(acre_find(fixture->bytes, large + at).status, ACRE_NOT_ALLOCATED);
}

static void walks_nothing_when_empty(struct fixture *fixture)
{
    struct list list = { .stop_after = 0 };
    begin(fixture, 0, fixture->arena.size);
    tour(fixture, &list);
    for (size_t i = 0; i < list.count; i++)
        assert_false(list.blocks[i].live);
    assert_int_equal(acre_remove_memory(fixture->base, fixture->arena.base), ACRE_OK);
    tour(fixture, &list);
    assert_int_equal(list.count, 0);
    assert_find(fixture, &list, fixture->arena.base + 100);
}

const struct test_case walk_cases[] = {
    { "walk, check, stats and usable_size change nothing", changes_nothing, 1 << 13,
        NEEDS_HANDLE | NEEDS_BYTES, NULL },
    { "walk goes by address within a region", goes_by_address_within_a_region, 1 << 13,
        NEEDS_HANDLE | NEEDS_BYTES, NULL },
    { "walk ends when told", ends_when_told, 1 << 13, NEEDS_HANDLE | NEEDS_BYTES, NULL },
    { "walk shows the live blocks as live", live_blocks_are_shown, 1 << 12,
        NEEDS_HANDLE | NEEDS_BYTES, NULL },
    { "walk covers every byte once", covers_every_byte_once, 1 << 13,
        NEEDS_HANDLE | ACRE_SUBJECT_COVERS, "its blocks do not tile a region" },
    { "find knows every byte", find_knows_every_byte, 1 << 13, NEEDS_HANDLE | NEEDS_BYTES, NULL },
    { "find in a large block", find_in_a_large_block, 1 << 14, NEEDS_HANDLE, NULL },
    { "walk of nothing", walks_nothing_when_empty, 1 << 12, NEEDS_HANDLE, NULL },
    { NULL, NULL, 0, 0, NULL },
};
