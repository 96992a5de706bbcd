/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Writes past blocks do not reach metadata, and check survives any damage of it. */
#include "slab/slab_tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { REGION = 64 << 10, REGIONS = 3, BLOCKS = REGIONS * REGION / 64, RUNS = 3000 };

static _Alignas(4096) unsigned char memory[REGIONS * REGION];
static unsigned char image[sizeof memory];
static struct acre_slab slab;
static unsigned char *blocks[BLOCKS];
static size_t count;
static uint64_t seed;

static size_t draw(size_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (size_t)(seed >> 11) % below;
}

static void assert_sound(void)
{
    struct acre_check_result found = acre_slab_check(&slab);
    if (found.invariant != NULL)
        fail_msg("check: %s at %p", found.invariant, found.where);
}

static void expect(const char *invariant)
{
    struct acre_check_result found = acre_slab_check(&slab);
    assert_non_null(found.invariant);
    assert_memory_equal(found.invariant, invariant, strlen(invariant));
}

/* Three adjacent regions, added upward, downward or from the middle, full of blocks of a size. */
static void fill(size_t page, size_t size, size_t order)
{
    static const size_t orders[][REGIONS] = { { 0, 1, 2 }, { 2, 1, 0 }, { 1, 0, 2 } };
    struct acre_ptr got;
    slab = (struct acre_slab){ 0 };
    assert_int_equal(acre_slab_setup(&slab, page), ACRE_OK);
    for (size_t i = 0; i < REGIONS; i++)
        assert_int_equal(
            acre_slab_add_memory(&slab, memory + orders[order][i] * REGION, REGION), ACRE_OK);
    for (count = 0; (got = acre_slab_alloc(&slab, acre_layout(size, 1))).ptr != NULL; count++)
        blocks[count] = got.ptr;
}

static void free_all(void)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(acre_slab_dealloc(&slab, blocks[i]), ACRE_OK);
    for (size_t i = 0; i < REGIONS; i++)
        assert_int_equal(acre_slab_remove_memory(&slab, memory + i * REGION), ACRE_OK);
}

/* The first and the last block of each region are overwritten on the side of another region. */
static void overflows_reach_no_metadata(void **state)
{
    (void)state;
    for (size_t page = ACRE_SLAB_MIN_PAGE; page <= ACRE_SLAB_MAX_PAGE; page *= 2)
        for (size_t bytes = 1; bytes <= SLAB_GAP; bytes++) {
            fill(page, page / 2, bytes % 3);
            for (size_t i = 0; i < REGIONS; i++) {
                unsigned char *first = memory + sizeof memory;
                unsigned char *end = memory;
                for (size_t k = 0; k < count; k++) {
                    if ((size_t)(blocks[k] - memory) / REGION != i)
                        continue;
                    first = blocks[k] < first ? blocks[k] : first;
                    end = blocks[k] + page / 2 > end ? blocks[k] + page / 2 : end;
                }
                memset(first - SLAB_GAP_BELOW, 0x41, SLAB_GAP_BELOW);
                memset(end, 0x42, i + 1 < REGIONS ? bytes : 0);
            }
            assert_sound();
            free_all();
        }
}

static void damaged_headers_are_named(void **state)
{
    (void)state;
    fill(1024, 1000, 0);
    for (struct acre_slab_region *region = slab_first_region(&slab); region != NULL;
         region = slab_next_region(region))
        for (size_t at = 0; at < offsetof(struct acre_slab_region, map); at++) {
            ((unsigned char *)region)[at] ^= 0x10;
            expect("SLAB-11:");
            ((unsigned char *)region)[at] ^= 0x10;
        }
    assert_sound();
}

/* Overwrites a few bytes between the start of a region and its first page: with random bytes, or
 * with a pointer into the metadata. */
static void damage_metadata(const struct acre_slab_region *region)
{
    unsigned char *start = (unsigned char *)region->range.start;
    size_t size = (size_t)(region->base - region->range.start);
    size_t at = draw(size - sizeof(uintptr_t)) / sizeof(uintptr_t) * sizeof(uintptr_t);
    uintptr_t word = (uintptr_t)start + draw(size) / 8 * 8;
    if (draw(2) == 0)
        memcpy(start + at, &word, sizeof word);
    else
        for (size_t i = draw(16) + 1; i > 0; i--)
            start[draw(size)] ^= (unsigned char)(1 + draw(255));
}

static void check_survives_damage(void **state)
{
    size_t named = 0;
    (void)state;
    seed = 88172645463325252u;
    fill(1024, 1000, 0);
    for (size_t i = 0; i < count; i += 3)
        assert_int_equal(acre_slab_dealloc(&slab, blocks[i]), ACRE_OK);
    for (size_t i = 0; i < 40; i++)
        (void)!acre_slab_alloc(&slab, acre_layout(1 + draw(9000), 1)).ptr;
    assert_sound();
    memcpy(image, memory, sizeof memory);
    for (size_t run = 0; run < RUNS; run++) {
        struct acre_slab_region *region = slab_first_region(&slab);
        for (size_t skip = draw(REGIONS); skip > 0; skip--)
            region = slab_next_region(region);
        damage_metadata(region);
        named += acre_slab_check(&slab).invariant != NULL;
        memcpy(memory, image, sizeof memory);
    }
    assert_sound();
    assert_true(named > RUNS / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overflows_reach_no_metadata),
        cmocka_unit_test(damaged_headers_are_named),
        cmocka_unit_test(check_survives_damage),
    };
    return cmocka_run_group_tests_name("slab damage", tests, NULL, NULL);
}
