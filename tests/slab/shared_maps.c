/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Regions that share a map: added one after the other, or between two of them, and removed in any
 * order. */
#include "slab/slab_tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    PAGE = ACRE_SLAB_MAX_PAGE,
    UNIT = 24 * PAGE,
    GAP = 48, /* bytes from a region's end to the start of the next one */
    GROUP = 4,
    REGIONS = 3 * GROUP,
    SLOTS = 64
};

static struct acre_slab slab;
static _Alignas(PAGE) unsigned char memory[REGIONS / GROUP * 8 * UNIT];
static bool there[REGIONS];
static unsigned char *blocks[SLOTS];
static size_t sizes[SLOTS];
static unsigned seed;

static int make(void **state)
{
    (void)state;
    slab = (struct acre_slab){ 0 };
    acre_slab_setup(&slab, PAGE);
    memset(there, 0, sizeof there);
    memset(blocks, 0, sizeof blocks);
    memset(memory, 0xa5, sizeof memory);
    seed = 1;
    return 0;
}

static size_t draw(size_t below)
{
    seed = seed * 1103515245u + 12345u;
    return (seed >> 8) % below;
}

static void assert_sound(void)
{
    struct acre_check_result found = acre_slab_check(&slab);
    if (found.invariant != NULL)
        fail_msg("%s at %p", found.invariant, found.where);
}

/* Regions of 1, 1, 2, and 4 units, and again. */
static unsigned char *start_of(size_t index)
{
    static const size_t units[GROUP] = { 0, 1, 2, 4 };
    return memory + (index / GROUP * 8 + units[index % GROUP]) * UNIT;
}

static size_t size_of(size_t index)
{
    return (size_t)(start_of(index + 1) - start_of(index)) - GAP;
}

static void add(size_t index)
{
    assert_int_equal(
        acre_slab_add_memory_adjacent(&slab, start_of(index), size_of(index)), ACRE_OK);
    there[index] = true;
    assert_sound();
}

static void add_plainly(size_t index)
{
    assert_int_equal(acre_slab_add_memory(&slab, start_of(index), size_of(index)), ACRE_OK);
    there[index] = true;
    assert_sound();
}

/* All of a region's bytes are overwritten once it is gone. */
static void take_out(size_t index)
{
    assert_int_equal(acre_slab_remove_memory(&slab, start_of(index)), ACRE_OK);
    there[index] = false;
    memset(start_of(index), 0xff, size_of(index));
    assert_sound();
}

static struct acre_slab_region *region_at(size_t index)
{
    const unsigned char *start = start_of(index);
    struct acre_slab_region *region = slab_first_region(&slab);
    while (region->range.start != (uintptr_t)start)
        region = slab_next_region(region);
    return region;
}

static bool is_alone(size_t index)
{
    const struct acre_slab_region *region = region_at(index);
    const struct acre_slab_region *below = acre_slab_find_region_below(&slab, region->range.start);
    return region->map_owner == region && (below == NULL || below->map_owner != region);
}

/* As many addresses pass for blocks as there are live ones. */
static void assert_exact(void)
{
    size_t starts = 0;
    for (size_t at = 0; at < sizeof memory; at += ACRE_SLAB_UNIT)
        starts += acre_slab_usable_size(&slab, memory + at).status == ACRE_OK;
    assert_int_equal(starts, slab.live_blocks);
}

static void fill(size_t size)
{
    for (size_t at = 0; at < SLOTS; at++) {
        sizes[at] = size;
        blocks[at] = acre_slab_alloc(&slab, acre_layout(size, 1)).ptr;
        if (blocks[at] != NULL)
            memset(blocks[at], (int)at, size);
    }
}

static void give_back(size_t at)
{
    for (size_t i = 0; i < sizes[at]; i++)
        assert_int_equal(blocks[at][i], at);
    assert_int_equal(acre_slab_dealloc(&slab, blocks[at]), ACRE_OK);
    assert_int_equal(acre_slab_dealloc(&slab, blocks[at]), ACRE_NOT_ALLOCATED);
    blocks[at] = NULL;
}

static bool lies_in(const unsigned char *block, size_t index)
{
    return block != NULL && block >= start_of(index) && block < start_of(index + 1);
}

static bool holds_a_block(size_t index)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (lies_in(blocks[i], index))
            return true;
    return false;
}

static void give_back_in(size_t index)
{
    for (size_t at = 0; at < SLOTS; at++)
        if (lies_in(blocks[at], index))
            give_back(at);
}

static void give_all_back(void)
{
    for (size_t at = 0; at < SLOTS; at++)
        if (blocks[at] != NULL)
            give_back(at);
    assert_sound();
    assert_int_equal(slab.live_blocks, 0);
}

/* ---- shared maps ---- */

static void adjacent_regions_share_a_map(void **state)
{
    (void)state;
    add(0);
    fill(3000);
    for (size_t i = 1; i < 4; i++)
        add(i);
    for (size_t i = 0; i < 4; i++)
        assert_ptr_equal(region_at(i)->map_owner, region_at(3));
    assert_ptr_equal(slab.base, region_at(0)->base);
    assert_ptr_equal(
        slab.base + slab.pages * PAGE, region_at(3)->base + region_at(3)->pages * PAGE);
    assert_exact();
    give_all_back();
}

/* A hole too small for the gaps that both neighbours want, and a range with less than a page. */
static void ranges_without_room_are_refused(void **state)
{
    (void)state;
    add(0);
    add(1);
    unsigned char *hole = start_of(0) + size_of(0);
    for (size_t size = 1; size <= GAP; size++)
        assert_int_not_equal(acre_slab_add_memory_adjacent(&slab, hole, size), ACRE_OK);
    assert_sound();
    make(state);
    add_plainly(0);
    add_plainly(1); /* each has its own map */
    for (size_t size = 1; size <= GAP; size++)
        assert_int_equal(acre_slab_add_memory_adjacent(&slab, hole, size), ACRE_INVALID_PARAM);
    assert_sound();
    static struct acre_slab other;
    static _Alignas(4096) unsigned char pages[64 * ACRE_SLAB_MAX_PAGE];
    memset(&other, 0, sizeof other);
    assert_int_equal(acre_slab_setup(&other, ACRE_SLAB_MAX_PAGE), ACRE_OK);
    unsigned char *upper = pages + sizeof pages / 2 + 64;
    assert_int_equal(acre_slab_init(&other, pages, sizeof pages / 2 + 64), ACRE_OK);
    for (size_t size = 1; size < sizeof pages / 2 - 64; size += 16) {
        if (acre_slab_add_memory_adjacent(&other, upper, size) == ACRE_OK)
            assert_int_equal(acre_slab_remove_memory(&other, upper), ACRE_OK);
    }
    assert_null(acre_slab_check(&other).invariant);
}

/* Behind nothing, too small for the records of those in front, or refused. */
static void others_are_alone(void **state)
{
    (void)state;
    add(0);
    add_plainly(2);
    assert_true(is_alone(0) && is_alone(2));
    unsigned char *end = start_of(3) - GAP;
    struct acre_slab before = slab;
    assert_int_equal(acre_slab_add_memory_adjacent(&slab, memory, UNIT), ACRE_MEMORY_OVERLAP);
    assert_int_equal(acre_slab_add_memory_adjacent(&slab, end - 1, UNIT), ACRE_MEMORY_OVERLAP);
    assert_int_equal(acre_slab_add_memory_adjacent(&slab, NULL, UNIT), ACRE_INVALID_PARAM);
    assert_int_equal(acre_slab_add_memory_adjacent(&slab, end, 0), ACRE_INVALID_PARAM);
    assert_int_equal(acre_slab_add_memory_adjacent(&slab, end, 16), ACRE_INVALID_PARAM);
    assert_int_equal(acre_slab_add_memory_adjacent(&slab, end, SIZE_MAX), ACRE_INVALID_PARAM);
    assert_memory_equal(&before, &slab, sizeof slab);
    unsigned char *small = start_of(3);
    assert_int_equal(acre_slab_add_memory_adjacent(&slab, small, 2 * PAGE), ACRE_OK);
    assert_true(is_alone(2) && is_alone(3));
    assert_sound();
}

/* Each of four regions is taken out, with live blocks in all the others. */
static void a_region_leaves_its_shared_map(void **state)
{
    for (size_t out = 0; out < 4; out++) {
        make(state);
        for (size_t i = 0; i < 4; i++)
            add(i);
        fill(8 * UNIT / SLOTS);
        give_back_in(out);
        take_out(out);
        assert_exact();
        give_all_back();
    }
}

/* A region added between two regions of a shared map joins it, and stays when the others go. */
static void a_gap_is_filled(void **state)
{
    for (size_t last = 0; last < 4; last++) {
        make(state);
        for (size_t i = 0; i < 4; i++)
            add(i);
        take_out(1);
        take_out(2);
        add_plainly(2);
        add(1);
        for (size_t i = 0; i < 4; i++)
            assert_ptr_equal(region_at(i)->map_owner, region_at(3));
        fill(8 * UNIT / SLOTS);
        for (size_t i = 4; i-- > 0;) {
            if (i == last)
                continue;
            give_back_in(i);
            take_out(i);
            assert_exact();
        }
        assert_true(is_alone(last));
        give_all_back();
        take_out(last);
    }
}

/* ---- at random ---- */

static void toggle_block(size_t at)
{
    if (blocks[at] != NULL) {
        give_back(at);
        return;
    }
    sizes[at] = (size_t)1 << draw(14);
    sizes[at] += draw(sizes[at]);
    blocks[at] = acre_slab_alloc(&slab, acre_layout(sizes[at], 1)).ptr;
    if (blocks[at] != NULL)
        memset(blocks[at], (int)at, sizes[at]);
}

static void toggle_region(size_t index)
{
    if (!there[index] && draw(4) == 0)
        add_plainly(index);
    else if (!there[index])
        add(index);
    else if (!holds_a_block(index))
        take_out(index);
    else
        assert_int_equal(acre_slab_remove_memory(&slab, start_of(index)), ACRE_INVALID_PARAM);
}

static size_t largest_shared_map(void)
{
    size_t largest = 0;
    for (const struct acre_slab_region *owner = slab_first_region(&slab); owner != NULL;
         owner = slab_next_region(owner)) {
        size_t regions = 0;
        for (const struct acre_slab_region *at = slab_first_region(&slab); at != NULL;
             at = slab_next_region(at))
            regions += at->map_owner == owner;
        largest = regions > largest ? regions : largest;
    }
    return largest;
}

static void regions_and_blocks_at_random(void **state)
{
    (void)state;
    size_t shared = 0;
    for (int step = 0; step < 20000; step++) {
        if (draw(8) == 0)
            toggle_region(draw(REGIONS));
        else
            toggle_block(draw(SLOTS));
        shared += largest_shared_map() > 2;
        assert_sound();
        if (step % 500 == 0)
            assert_exact();
        if (step % 4000 == 3999) {
            acre_slab_reset(&slab);
            memset(blocks, 0, sizeof blocks);
            assert_sound();
            assert_exact();
        }
    }
    assert_true(shared > 2000);
}

/* ---- damage ---- */

static void expect(const char *invariant)
{
    struct acre_check_result found = acre_slab_check(&slab);
    assert_non_null(found.invariant);
    assert_memory_equal(found.invariant, invariant, strlen(invariant));
    assert_int_equal(found.invariant[strlen(invariant)], ':');
}

static void damage_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        add(i);
    for (size_t i = 0; i < 3; i++) {
        struct acre_slab_region *region = region_at(i);
        struct acre_slab_region was = *region;
        region->records++;
        slab_update_checksum(region);
        expect("SLAB-10");
        *region = was;
        region->map_owner = NULL;
        slab_update_checksum(region);
        expect("SLAB-10");
        *region = was;
        region->map_base++;
        slab_update_checksum(region);
        expect("SLAB-1");
        *region = was;
        region->map_base = region->base + PAGE;
        slab_update_checksum(region);
        expect("SLAB-1");
        *region = was;
        assert_sound();
    }
    struct acre_slab_region *owner = region_at(2);
    struct acre_slab_region sound = *owner; /* its map begins above the pages of the lowest */
    owner->map_base = region_at(1)->base;
    slab_update_checksum(owner);
    expect("SLAB-10");
    *owner = sound;
    sound = *region_at(0);
    region_at(0)->range.size += 2 * PAGE;
    slab_update_checksum(region_at(0));
    expect("SLAB-1");
    *region_at(0) = sound;
    assert_sound();
    region_at(0)->map_owner = region_at(0);
    slab_update_checksum(region_at(0));
    expect("SLAB-10");
    region_at(0)->map_owner = region_at(2);
    slab_update_checksum(region_at(0));
    struct acre_slab_page *gap = region_at(0)->records + 1 + region_at(0)->pages;
    gap->state = SLAB_BLANK;
    expect("SLAB-10");
    gap->state = SLAB_GUARD;
    gap->reciprocal = 1;
    expect("SLAB-10");
    gap->reciprocal = 0;
    struct acre_slab_page **head = region_at(0)->page_map + region_at(0)->pages;
    *head = region_at(0)->records + 1;
    expect("SLAB-10");
    *head = &slab.no_slab;
    slab.pages--;
    expect("SLAB-10");
    slab.pages++;
    slab.base += PAGE;
    expect("SLAB-10");
    slab.base -= PAGE;
    assert_sound();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(adjacent_regions_share_a_map, make),
        cmocka_unit_test_setup(others_are_alone, make),
        cmocka_unit_test_setup(ranges_without_room_are_refused, make),
        cmocka_unit_test_setup(a_region_leaves_its_shared_map, make),
        cmocka_unit_test_setup(a_gap_is_filled, make),
        cmocka_unit_test_setup(regions_and_blocks_at_random, make),
        cmocka_unit_test_setup(damage_is_named, make),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
