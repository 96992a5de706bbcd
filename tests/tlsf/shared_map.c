/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* TLSF for a layer above it: regions that share a live map, added one after the other and removed
 * in any order; and requests that find no block, passed on. */
#include "tlsf/tlsf_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    WHOLE = ACRE_TLSF_GRANULE * ACRE_TLSF_WORD_BITS, /* bytes of a word of the live map */
    GAP = 48,
    REGION = 8 * WHOLE, /* from one region's start to the next one's */
    REGIONS = 12,
    SLOTS = 64
};

static struct acre_tlsf tlsf;
static _Alignas(4096) unsigned char memory[REGIONS * REGION];
static bool there[REGIONS];
static unsigned char *blocks[SLOTS];
static size_t sizes[SLOTS];
static unsigned seed;

static int make(void **state)
{
    (void)state;
    memset(&tlsf, 0, sizeof tlsf);
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
    struct acre_check_result found = acre_tlsf_check(&tlsf);
    if (found.invariant != NULL)
        fail_msg("%s at %p", found.invariant, found.where);
}

static unsigned char *start_of(size_t index)
{
    return memory + index * REGION;
}

static void add(size_t index)
{
    assert_int_equal(acre_tlsf_add_memory_adjacent(&tlsf, start_of(index), REGION - GAP), ACRE_OK);
    there[index] = true;
    assert_sound();
}

static struct acre_tlsf_region *region_at(size_t index)
{
    uintptr_t start = (uintptr_t)memory + index * REGION;
    return (struct acre_tlsf_region *)acre_regions_starting_at(&tlsf.regions, start);
}

/* Exactly as many addresses as there are live blocks are taken for blocks, whichever region is
 * cached. */
static void assert_exact(void)
{
    size_t starts = 0;
    for (size_t at = 0; at < sizeof memory; at += 8) {
        struct acre_num usable = acre_tlsf_usable_size(&tlsf, memory + at);
        starts += usable.status == ACRE_OK;
    }
    assert_int_equal(starts, tlsf.live_blocks);
}

static void adjacent_regions_share_a_map(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++)
        add(i);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(region_at(i)->shared_base, (uintptr_t)memory);
        assert_int_equal(region_at(i)->shared_granules, (4 * REGION - GAP) / ACRE_TLSF_GRANULE);
    }
    assert_int_equal(tlsf.granules, (4 * REGION - GAP) / ACRE_TLSF_GRANULE);
    assert_ptr_equal(tlsf.live_map, region_at(3) + 1);
}

static bool is_alone(size_t index)
{
    const struct acre_tlsf_region *region = region_at(index);
    return region->shared_base == region->base && region->shared_granules == region->granules;
}

/* Too far from the region below, off its map's words, too small, or after no region: as
 * add_memory. */
static void other_regions_keep_their_own_map(void **state)
{
    (void)state;
    add(0);
    add(2);
    assert_true(is_alone(0) && is_alone(2));
    assert_int_equal(acre_tlsf_add_memory_adjacent(&tlsf, memory, REGION), ACRE_MEMORY_OVERLAP);
    assert_int_equal(acre_tlsf_add_memory_adjacent(&tlsf, NULL, REGION), ACRE_INVALID_PARAM);
    unsigned char *end = start_of(2) + REGION - GAP;
    assert_int_equal(acre_tlsf_add_memory_adjacent(&tlsf, end, 16), ACRE_INVALID_PARAM);
    assert_int_equal(acre_tlsf_add_memory_adjacent(&tlsf, end, GAP + REGION), ACRE_OK);
    assert_true(is_alone(2));
    assert_sound();
    assert_int_equal(acre_tlsf_remove_memory(&tlsf, end), ACRE_OK);
    assert_int_equal(acre_tlsf_add_memory_adjacent(&tlsf, end + GAP, 400), ACRE_OK);
    assert_true(is_alone(2) && is_alone(3));
    assert_int_equal(acre_tlsf_add_memory_adjacent(&tlsf, memory, REGION), ACRE_MEMORY_OVERLAP);
    assert_sound();
}

/* Each of four regions is taken out, with live blocks in all the others. */
static void a_region_ends_its_share(void **state)
{
    for (size_t out = 0; out < 4; out++) {
        make(state);
        for (size_t i = 0; i < 4; i++)
            add(i);
        for (size_t i = 0; i < SLOTS; i++)
            blocks[i] = acre_tlsf_alloc(&tlsf, acre_layout(REGION / 20, 1)).ptr;
        for (size_t i = 0; i < SLOTS; i++) {
            bool inside = blocks[i] >= start_of(out) && blocks[i] < start_of(out + 1);
            if (inside)
                assert_int_equal(acre_tlsf_dealloc(&tlsf, blocks[i]), ACRE_OK);
            if (inside)
                blocks[i] = NULL;
        }
        assert_int_equal(acre_tlsf_remove_memory(&tlsf, start_of(out)), ACRE_OK);
        memset(start_of(out), 0xff, REGION - GAP);
        assert_sound();
        assert_exact();
        for (size_t i = 0; i < SLOTS; i++)
            if (blocks[i] != NULL)
                assert_int_equal(acre_tlsf_dealloc(&tlsf, blocks[i]), ACRE_OK);
        assert_sound();
        assert_int_equal(tlsf.live_blocks, 0);
    }
}

static void toggle_block(size_t at)
{
    if (blocks[at] != NULL) {
        for (size_t i = 0; i < sizes[at]; i++)
            assert_int_equal(blocks[at][i], at);
        assert_int_equal(acre_tlsf_dealloc(&tlsf, blocks[at]), ACRE_OK);
        assert_int_equal(acre_tlsf_dealloc(&tlsf, blocks[at]), ACRE_NOT_ALLOCATED);
        blocks[at] = NULL;
        return;
    }
    sizes[at] = 1 + draw(REGION / 8);
    blocks[at] = acre_tlsf_alloc(&tlsf, acre_layout(sizes[at], 1)).ptr;
    if (blocks[at] != NULL)
        memset(blocks[at], (int)at, sizes[at]);
}

static bool holds_a_block(size_t index)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (blocks[i] != NULL && blocks[i] >= start_of(index) && blocks[i] < start_of(index + 1))
            return true;
    return false;
}

static void toggle_region(size_t index)
{
    if (!there[index]) {
        add(index);
        return;
    }
    enum acre_status want = holds_a_block(index) ? ACRE_INVALID_PARAM : ACRE_OK;
    assert_int_equal(acre_tlsf_remove_memory(&tlsf, start_of(index)), want);
    there[index] = want != ACRE_OK;
    if (want == ACRE_OK)
        memset(start_of(index), 0xff, REGION - GAP);
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
        const struct acre_tlsf_region *lowest = tlsf_first_region(&tlsf);
        shared += lowest != NULL && lowest->shared_granules != lowest->granules;
        assert_sound();
        if (step % 500 == 0)
            assert_exact();
        if (step % 4000 == 3999) {
            acre_tlsf_reset(&tlsf);
            memset(blocks, 0, sizeof blocks);
            assert_sound();
            assert_exact();
        }
    }
    assert_true(shared > 2000);
}

static void expect_bounds(void)
{
    struct acre_check_result found = acre_tlsf_check(&tlsf);
    assert_non_null(found.invariant);
    assert_memory_equal(found.invariant, "TLSF-1", 6);
}

static void damage_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        add(i);
    for (size_t i = 0; i < 3; i++) {
        struct acre_tlsf_region *region = region_at(i);
        struct acre_tlsf_region was = *region;
        region->shared_granules++;
        expect_bounds();
        *region = was;
        region->shared_base += WHOLE;
        expect_bounds();
        *region = was;
        region->live_map++;
        expect_bounds();
        *region = was;
        region->shared_map++;
        expect_bounds();
        *region = was;
        assert_sound();
    }
    tlsf.granules--;
    struct acre_check_result found = acre_tlsf_check(&tlsf);
    assert_memory_equal(found.invariant, "TLSF-9", 6);
}

/* Makes two regions claim to share a map, with all numbers of both as they then must be but for
 * where the upper one lies. */
static void claim_to_share(struct acre_tlsf_region *low, struct acre_tlsf_region *high)
{
    size_t below = (high->base - low->base) / ACRE_TLSF_GRANULE;
    low->shared_granules = high->shared_granules = below + high->granules;
    low->shared_map = high->shared_map = low->live_map = (size_t *)(high + 1);
    high->shared_base = low->base;
    high->live_map = high->shared_map + below / ACRE_TLSF_WORD_BITS;
}

static void expect_at(const struct acre_tlsf_region *region)
{
    expect_bounds();
    assert_ptr_equal(acre_tlsf_check(&tlsf).where, region);
}

/* Too far apart, or not a whole word of the map apart. */
static void regions_that_cannot_share_a_map(void **state)
{
    static const size_t starts[] = { REGION - GAP + TLSF_GAP + ACRE_TLSF_GRANULE, REGION - GAP };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        make(NULL);
        assert_int_equal(acre_tlsf_add_memory(&tlsf, memory, REGION - GAP), ACRE_OK);
        assert_int_equal(acre_tlsf_add_memory(&tlsf, memory + starts[i], REGION - GAP), ACRE_OK);
        assert_sound();
        struct acre_tlsf_region *low = tlsf_first_region(&tlsf);
        struct acre_tlsf_region *high = tlsf_next_region(low);
        claim_to_share(low, high);
        expect_at(high);
    }
}

/* A region that is not the first of those that share a map, below one that shares another. */
static void a_base_of_no_region(void **state)
{
    (void)state;
    add(0);
    add(2);
    region_at(2)->shared_base -= WHOLE;
    expect_at(region_at(2));
}

static void regions_that_cannot_be_joined(void **state)
{
    (void)state;
    add(0);
    assert_int_equal(acre_tlsf_add_memory(&tlsf, start_of(1) - GAP, REGION - GAP), ACRE_OK);
    struct acre_tlsf_region *high = tlsf_next_region(region_at(0));
    high->joined = true; /* adjoins, with its metadata at the seam */
    expect_at(high);
    make(NULL);
    add(0);
    static unsigned char meta[4096];
    assert_int_equal(
        acre_tlsf_add_memory_apart(&tlsf, start_of(2), REGION, meta, sizeof meta), ACRE_OK);
    region_at(2)->joined = true; /* does not adjoin */
    expect_at(region_at(2));
    region_at(2)->joined = false;
    region_at(0)->joined = true; /* nothing is below */
    expect_at(region_at(0));
}

static void a_first_block_off_the_granule(void **state)
{
    (void)state;
    add(0);
    region_at(0)->first = (void *)((uintptr_t)region_at(0)->first + 1);
    expect_at(region_at(0));
}

/* A region whose last sentinel stands early, and a live bit behind it. */
static void a_live_bit_after_the_last_block(void **state)
{
    (void)state;
    add(0);
    struct acre_tlsf_block *block = acre_tlsf_alloc(&tlsf, acre_layout(100, 1)).ptr;
    struct acre_tlsf_block *end = tlsf_after(block, tlsf_span(block));
    *tlsf_header(end) = 0;
    region_at(0)->last = end;
    size_t *last = &tlsf.live_map[tlsf.granules / ACRE_TLSF_WORD_BITS - 1];
    *last |= 1;
    struct acre_check_result found = acre_tlsf_check(&tlsf);
    assert_memory_equal(found.invariant, "TLSF-5", 6);
    assert_true(found.where > (const void *)end);
}

/* What a link may lead to: links and a header fit there. */
static void places_that_may_hold_a_block(void **state)
{
    static _Alignas(16) unsigned char meta[2][4096];
    size_t part = sizeof(struct acre_tlsf_block) / 2;
    size_t size = REGION - ACRE_TLSF_GRANULE + part; /* ends in the midst of links */
    (void)state;
    assert_int_equal(acre_tlsf_add_memory_apart(&tlsf, memory, size, meta[0], 4096), ACRE_OK);
    const unsigned char *last = memory + size - part;
    assert_false(acre_tlsf_may_hold_block(&tlsf, memory));
    assert_true(acre_tlsf_may_hold_block(&tlsf, memory + ACRE_TLSF_GRANULE));
    assert_true(acre_tlsf_may_hold_block(&tlsf, last - ACRE_TLSF_GRANULE));
    assert_false(acre_tlsf_may_hold_block(&tlsf, last));
    assert_int_equal(
        acre_tlsf_add_memory_apart(&tlsf, memory + size, REGION, meta[1], 4096), ACRE_OK);
    assert_sound();
    assert_true(acre_tlsf_may_hold_block(&tlsf, last)); /* its end is in the region above */
    assert_false(acre_tlsf_may_hold_block(&tlsf, memory + size + REGION));
}

/* ---- joined regions with metadata apart, enough for all ---- */

static unsigned char apart[REGIONS][4096];

static void add_apart(size_t index)
{
    size_t size = acre_tlsf_metadata_size(sizeof memory);
    assert_true(size <= sizeof apart[index]);
    assert_int_equal(
        acre_tlsf_add_memory_apart(&tlsf, start_of(index), REGION, apart[index], size), ACRE_OK);
    there[index] = true;
    assert_sound();
}

static void joined_regions_share_a_map(void **state)
{
    (void)state;
    for (size_t i = 0; i < REGIONS; i++) {
        add_apart(i);
        assert_ptr_equal((void *)tlsf.base, memory);
        assert_int_equal(tlsf.granules, (i + 1) * REGION / ACRE_TLSF_GRANULE);
    }
    void *all = acre_tlsf_alloc(&tlsf, acre_layout(sizeof memory - 64, 1)).ptr;
    assert_non_null(all);
    assert_int_equal(acre_tlsf_dealloc(&tlsf, all), ACRE_OK);
    assert_sound();
}

static void toggle_apart(size_t index)
{
    if (!there[index]) {
        memset(apart[index], 0xff, sizeof apart[index]);
        add_apart(index);
        return;
    }
    enum acre_status status = acre_tlsf_remove_memory(&tlsf, start_of(index));
    assert_true(status == ACRE_INVALID_PARAM || (status == ACRE_OK && !holds_a_block(index)));
    there[index] = status != ACRE_OK;
}

static void joined_regions_and_blocks_at_random(void **state)
{
    (void)state;
    for (size_t i = 0; i < 40000; i++) {
        if (draw(8) == 0)
            toggle_apart(draw(REGIONS));
        else
            toggle_block(draw(SLOTS));
        assert_sound();
        if (i % 4096 == 0)
            assert_exact();
    }
}

/* ---- requests that find no block ---- */

static struct acre_layout passed_on;

static bool note_request(void *arg, struct acre_layout layout)
{
    passed_on = layout;
    ++*(size_t *)arg;
    return false;
}

static void the_handler_is_told_the_request(void **state)
{
    size_t calls = 0;
    (void)state;
    add(0);
    void *block = acre_tlsf_alloc(&tlsf, acre_layout(100, 1)).ptr;
    acre_tlsf_set_on_exhausted(&tlsf, note_request, &calls);
    assert_non_null(acre_tlsf_alloc(&tlsf, acre_layout(100, 1)).ptr);
    assert_int_equal(calls, 0);
    assert_null(acre_tlsf_alloc(&tlsf, acre_layout(sizeof memory, 1)).ptr);
    assert_int_equal(passed_on.size, sizeof memory);
    assert_null(acre_tlsf_alloc(&tlsf, acre_layout(SIZE_MAX, 64)).ptr);
    assert_int_equal(passed_on.size, SIZE_MAX);
    assert_int_equal(passed_on.align, 64);
    assert_int_equal(acre_tlsf_alloc(&tlsf, acre_layout(1, 3)).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_tlsf_resize(&tlsf, block, SIZE_MAX), ACRE_NO_MEMORY);
    assert_int_equal(calls, 2);
    assert_int_equal(acre_tlsf_stats(&tlsf).failed, 3);
    acre_tlsf_reset(&tlsf);
    assert_null(acre_tlsf_alloc(&tlsf, acre_layout(SIZE_MAX, 1)).ptr);
    assert_int_equal(calls, 3);
    acre_tlsf_set_on_exhausted(&tlsf, NULL, NULL);
    assert_int_equal(acre_tlsf_alloc(&tlsf, acre_layout(SIZE_MAX, 1)).status, ACRE_NO_MEMORY);
    assert_int_equal(calls, 3);
    assert_int_equal(acre_tlsf_stats(&tlsf).failed, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(adjacent_regions_share_a_map, make),
        cmocka_unit_test_setup(other_regions_keep_their_own_map, make),
        cmocka_unit_test_setup(a_region_ends_its_share, make),
        cmocka_unit_test_setup(damage_is_named, make),
        cmocka_unit_test_setup(regions_that_cannot_share_a_map, make),
        cmocka_unit_test_setup(a_base_of_no_region, make),
        cmocka_unit_test_setup(regions_that_cannot_be_joined, make),
        cmocka_unit_test_setup(a_first_block_off_the_granule, make),
        cmocka_unit_test_setup(a_live_bit_after_the_last_block, make),
        cmocka_unit_test_setup(places_that_may_hold_a_block, make),
        cmocka_unit_test_setup(regions_and_blocks_at_random, make),
        cmocka_unit_test_setup(joined_regions_share_a_map, make),
        cmocka_unit_test_setup(joined_regions_and_blocks_at_random, make),
        cmocka_unit_test_setup(the_handler_is_told_the_request, make),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
