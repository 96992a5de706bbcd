/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* TLSF's regions: what is refused, where they join, how they come apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tlsf/tlsf_list.h"

enum { GRANULE = ACRE_TLSF_GRANULE, UNIT = 64 * GRANULE, UNITS = 4 };

static _Alignas(4096) unsigned char memory[(UNITS + 2) * UNIT];
static unsigned char *const units = memory + UNIT; /* a unit of foreign bytes on either side */
static unsigned char metadata[UNITS][512];
static struct acre_tlsf tlsf;

static int set_up(void **state)
{
    (void)state;
    memset(memory, 0x5a, sizeof(memory));
    memset(&tlsf, 0, sizeof(tlsf));
    return 0;
}

static void assert_sound(void)
{
    struct acre_check_result result = acre_tlsf_check(&tlsf);
    if (result.invariant != NULL)
        fail_msg("%s at %p", result.invariant, result.where);
    struct acre_stats stats = acre_tlsf_stats(&tlsf);
    assert_int_equal(stats.total, stats.metadata + stats.used + stats.available);
}

static void add_unit(size_t index)
{
    assert_int_equal(acre_tlsf_add_memory_apart(&tlsf, units + index * UNIT, UNIT, metadata[index],
                         sizeof(metadata[index])),
        ACRE_OK);
    assert_sound();
}

static enum acre_status remove_unit(size_t index)
{
    enum acre_status status = acre_tlsf_remove_memory(&tlsf, units + index * UNIT);
    assert_sound();
    return status;
}

static size_t largest_free(void)
{
    return acre_tlsf_stats(&tlsf).largest_free;
}

static void *allocate(size_t granules)
{
    return acre_tlsf_alloc(&tlsf, acre_layout(granules * GRANULE - TLSF_HEADER, 1)).ptr;
}

/* ---- refusals ---- */

static void invalid_ranges_are_refused(void **state)
{
    (void)state;
    uintptr_t top = UINTPTR_MAX - UNIT + 1;
    assert_int_equal(acre_tlsf_add_memory(&tlsf, NULL, UNIT), ACRE_INVALID_PARAM);
    assert_int_equal(acre_tlsf_add_memory(&tlsf, units, 0), ACRE_INVALID_PARAM);
    assert_int_equal(acre_tlsf_add_memory(&tlsf, units, 1), ACRE_INVALID_PARAM);
    assert_int_equal(acre_tlsf_add_memory(&tlsf, units, SIZE_MAX), ACRE_INVALID_PARAM);
    assert_int_equal(acre_tlsf_add_memory(&tlsf, (void *)top, UNIT + 1), ACRE_INVALID_PARAM);
    assert_int_equal(acre_tlsf_add_memory_apart(&tlsf, units, UNIT, NULL, 512), ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_tlsf_add_memory_apart(&tlsf, units, UNIT, metadata, acre_tlsf_metadata_size(UNIT) - 1),
        ACRE_INVALID_PARAM);
    assert_null(tlsf.regions.first);
    assert_int_equal(acre_tlsf_stats(&tlsf).total, 0);
}

static void each_size_is_refused_or_of_use(void **state)
{
    (void)state;
    for (size_t at = 0; at < GRANULE; at++) {
        for (size_t size = 0; size < UNIT; size++) {
            set_up(NULL);
            if (acre_tlsf_add_memory(&tlsf, units + at, size) != ACRE_OK)
                continue;
            assert_null(acre_tlsf_check(&tlsf).invariant);
            assert_non_null(allocate(1));
            assert_int_equal(units[at + size], 0x5a);
            assert_int_equal(memory[UNIT - 1], 0x5a);
        }
    }
}

static void any_shared_byte_is_an_overlap(void **state)
{
    (void)state;
    add_unit(1);
    const uintptr_t start = (uintptr_t)units + UNIT;
    for (uintptr_t at = start - UNIT; at <= start + UNIT; at++) {
        bool touches = at + UNIT > start && at < start + UNIT;
        unsigned char *from = (void *)at;
        if (touches)
            assert_int_equal(acre_tlsf_add_memory(&tlsf, from, UNIT), ACRE_MEMORY_OVERLAP);
    }
    assert_int_equal(acre_tlsf_add_memory(&tlsf, metadata[1], UNIT), ACRE_MEMORY_OVERLAP);
    assert_int_equal(acre_tlsf_add_memory(&tlsf, &tlsf, UNIT), ACRE_MEMORY_OVERLAP);
    assert_int_equal(
        acre_tlsf_add_memory_apart(&tlsf, units, UNIT, metadata[1], 512), ACRE_MEMORY_OVERLAP);
    assert_int_equal(
        acre_tlsf_add_memory_apart(&tlsf, units, UNIT, units + 8, 512), ACRE_MEMORY_OVERLAP);
    assert_sound();
}

/* No test can own such a region, but its bounds can be computed. */
static void a_range_may_end_at_the_top_of_the_address_space(void **state)
{
    (void)state;
    uintptr_t top = UINTPTR_MAX - UNIT + 1;
    size_t least = acre_tlsf_least_size(0);
    assert_int_equal(acre_tlsf_check_range(&tlsf, top, UNIT, least), ACRE_OK);
    assert_int_equal(acre_tlsf_check_range(&tlsf, top, UNIT + 1, least), ACRE_INVALID_PARAM);
    struct acre_tlsf_region region = { .range = { .start = top, .size = UNIT } };
    assert_ptr_equal(tlsf_sentinel_of(&region), (void *)(UINTPTR_MAX - GRANULE + 1));
    add_unit(0);
    size_t to_top = UINTPTR_MAX - (uintptr_t)units + 1;
    assert_int_equal(acre_tlsf_add_memory(&tlsf, units, to_top), ACRE_MEMORY_OVERLAP);
    assert_int_equal(acre_tlsf_add_memory_adjacent(&tlsf, units, to_top), ACRE_MEMORY_OVERLAP);
    assert_int_equal(
        acre_tlsf_add_memory_apart(&tlsf, metadata[1], 512, units, to_top), ACRE_MEMORY_OVERLAP);
    assert_sound();
}

static void unknown_or_busy_regions_stay(void **state)
{
    (void)state;
    add_unit(0);
    void *block = allocate(2);
    assert_int_equal(acre_tlsf_remove_memory(&tlsf, NULL), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_tlsf_remove_memory(&tlsf, units + 1), ACRE_NOT_ALLOCATED);
    assert_int_equal(remove_unit(0), ACRE_INVALID_PARAM);
    assert_int_equal(acre_tlsf_dealloc(&tlsf, block), ACRE_OK);
    assert_int_equal(remove_unit(0), ACRE_OK);
    assert_int_equal(remove_unit(0), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_tlsf_dealloc(&tlsf, block), ACRE_NOT_ALLOCATED);
    assert_null(allocate(2));
    assert_int_equal(acre_tlsf_stats(&tlsf).total, 0);
}

/* ---- seams ---- */

/* Every order of adding gives one block over all regions. */
static void adjoining_regions_serve_one_block(void **state)
{
    (void)state;
    static const size_t orders[][UNITS] = { { 0, 1, 2, 3 }, { 3, 2, 1, 0 }, { 1, 3, 0, 2 },
        { 2, 0, 3, 1 } };
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        set_up(NULL);
        for (size_t at = 0; at < UNITS; at++)
            add_unit(orders[i][at]);
        size_t whole = UNITS * (size_t)UNIT - GRANULE - TLSF_HEADER;
        assert_int_equal(largest_free(), whole);
        void *block = acre_tlsf_alloc(&tlsf, acre_layout(whole, 1)).ptr;
        assert_non_null(block);
        memset(block, 0xa5, whole);
        assert_sound();
        for (size_t at = 0; at < UNITS; at++)
            assert_int_equal(remove_unit(at), ACRE_INVALID_PARAM);
        assert_int_equal(acre_tlsf_dealloc(&tlsf, block), ACRE_OK);
        assert_int_equal(largest_free(), whole);
    }
}

static void count_releases(void *count, size_t blocks)
{
    assert_true(blocks != 0);
    ++*(size_t *)count;
}

/* Of joined regions, a free at the end of the upper one may leave either empty. */
static void joined_regions_tell_of_releases(void **state)
{
    (void)state;
    size_t released = 0;
    add_unit(0);
    add_unit(1);
    acre_tlsf_set_on_released(&tlsf, count_releases, &released);
    void *low = allocate(40);
    void *high = allocate(80);
    assert_int_equal(acre_tlsf_dealloc(&tlsf, high), ACRE_OK);
    assert_int_equal(released, 1);
    assert_int_equal(remove_unit(1), ACRE_OK);
    assert_int_equal(acre_tlsf_dealloc(&tlsf, low), ACRE_OK);
    assert_int_equal(released, 2);
}

/* A sized free outside the cached region of what is no live block's start. */
static void a_sized_free_in_another_region(void **state)
{
    (void)state;
    add_unit(0);
    add_unit(2);
    unsigned char *block = allocate(4);
    unsigned char *other = units + ((unsigned char *)block < units + UNIT ? 2 : 0) * (size_t)UNIT;
    struct acre_layout layout = acre_layout(4 * GRANULE - TLSF_HEADER, 1);
    for (size_t at = 0; at < UNIT; at += GRANULE)
        assert_int_equal(acre_tlsf_dealloc_sized(&tlsf, other + at, layout), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_tlsf_dealloc_sized(&tlsf, block, layout), ACRE_OK);
    assert_sound();
}

static void metadata_in_band_keeps_regions_apart(void **state)
{
    (void)state;
    add_unit(0);
    size_t alone = largest_free();
    assert_int_equal(acre_tlsf_add_memory(&tlsf, units + UNIT, UNIT), ACRE_OK);
    assert_int_equal(largest_free(), alone);
    assert_sound();
}

/* The lower region's metadata may be in band: it stands at its start, not at the seam. */
static void only_the_upper_metadata_counts(void **state)
{
    (void)state;
    assert_int_equal(acre_tlsf_add_memory(&tlsf, units, UNIT), ACRE_OK);
    size_t alone = largest_free();
    add_unit(1);
    assert_int_equal(largest_free(), alone + UNIT);
}

/* With live blocks of every size at the seam, regions join when one neighbour there is free, and
 * what was joined comes apart again just when nothing live reaches into it. */
static void seams_come_and_go_beside_live_blocks(void **state)
{
    (void)state;
    for (size_t granules = 2; granules < 70; granules++) {
        set_up(NULL);
        add_unit(0);
        add_unit(1);
        void *low = allocate(granules);
        const unsigned char *next = (const unsigned char *)tlsf_after(low, tlsf_span(low));
        bool reaches = next - TLSF_HEADER > units + UNIT;
        assert_int_equal(remove_unit(1), reaches ? ACRE_INVALID_PARAM : ACRE_OK);
        if (!reaches)
            add_unit(1);
        add_unit(2);
        assert_int_equal(acre_tlsf_dealloc(&tlsf, low), ACRE_OK);
        assert_int_equal(largest_free(), 3 * (size_t)UNIT - GRANULE - TLSF_HEADER);
        assert_int_equal(remove_unit(1), ACRE_OK);
        assert_int_equal(remove_unit(0), ACRE_OK);
        assert_int_equal(remove_unit(2), ACRE_OK);
        assert_int_equal(acre_tlsf_stats(&tlsf).available, 0);
        assert_null(tlsf.regions.first);
    }
}

static void a_region_leaves_from_between_live_blocks(void **state)
{
    (void)state;
    add_unit(0);
    add_unit(1);
    add_unit(2);
    void *low = allocate(60);
    void *middle = allocate(72);
    void *high = allocate(20);
    assert_int_equal(remove_unit(1), ACRE_INVALID_PARAM);
    assert_int_equal(acre_tlsf_dealloc(&tlsf, middle), ACRE_OK);
    assert_int_equal(remove_unit(1), ACRE_OK);
    memset(units + UNIT, 0xff, UNIT);
    assert_sound();
    assert_int_equal(acre_tlsf_dealloc(&tlsf, low), ACRE_OK);
    assert_int_equal(acre_tlsf_dealloc(&tlsf, high), ACRE_OK);
    assert_sound();
    add_unit(1);
    assert_int_equal(largest_free(), 3 * (size_t)UNIT - GRANULE - TLSF_HEADER);
}

/* ---- pointers among several regions ---- */

static void pointers_are_found_in_their_region(void **state)
{
    (void)state;
    void *blocks[UNITS];
    for (size_t at = 0; at < UNITS; at += 2)
        add_unit(at);
    for (size_t at = 0; at < UNITS; at += 2)
        blocks[at] = allocate(60);
    for (size_t at = 0; at < UNITS; at += 2) {
        assert_int_equal(
            acre_tlsf_dealloc(&tlsf, (char *)blocks[at] + GRANULE), ACRE_NOT_ALLOCATED);
        assert_int_equal(acre_tlsf_usable_size(&tlsf, blocks[at]).num, 60 * GRANULE - TLSF_HEADER);
        assert_int_equal(acre_tlsf_dealloc(&tlsf, blocks[at]), ACRE_OK);
        assert_int_equal(acre_tlsf_dealloc(&tlsf, blocks[at]), ACRE_NOT_ALLOCATED);
    }
    assert_int_equal(acre_tlsf_dealloc(&tlsf, units + UNIT), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_tlsf_dealloc(&tlsf, NULL), ACRE_NOT_ALLOCATED);
    assert_sound();
}

static void reset_joins_anew(void **state)
{
    (void)state;
    add_unit(0);
    add_unit(1);
    size_t whole = largest_free();
    void *block = allocate(100);
    acre_tlsf_reset(&tlsf);
    assert_sound();
    assert_int_equal(largest_free(), whole);
    assert_int_equal(acre_tlsf_stats(&tlsf).peak, 0);
    assert_int_equal(acre_tlsf_dealloc(&tlsf, block), ACRE_NOT_ALLOCATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(invalid_ranges_are_refused, set_up),
        cmocka_unit_test_setup(each_size_is_refused_or_of_use, set_up),
        cmocka_unit_test_setup(any_shared_byte_is_an_overlap, set_up),
        cmocka_unit_test_setup(a_range_may_end_at_the_top_of_the_address_space, set_up),
        cmocka_unit_test_setup(unknown_or_busy_regions_stay, set_up),
        cmocka_unit_test_setup(adjoining_regions_serve_one_block, set_up),
        cmocka_unit_test_setup(joined_regions_tell_of_releases, set_up),
        cmocka_unit_test_setup(a_sized_free_in_another_region, set_up),
        cmocka_unit_test_setup(metadata_in_band_keeps_regions_apart, set_up),
        cmocka_unit_test_setup(only_the_upper_metadata_counts, set_up),
        cmocka_unit_test_setup(seams_come_and_go_beside_live_blocks, set_up),
        cmocka_unit_test_setup(a_region_leaves_from_between_live_blocks, set_up),
        cmocka_unit_test_setup(pointers_are_found_in_their_region, set_up),
        cmocka_unit_test_setup(reset_joins_anew, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
