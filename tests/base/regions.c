/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The set of regions against a naive one: every address of a small space, at the top of the address
 * space too, and some addresses all over it. */
#include "base/regions.h"
#include "support/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { SPACE = 96, MOST = 12 };

static struct acre_regions regions;
/* Descriptors with a node before each, which some of the regions lend. */
static struct {
    struct acre_region_node node;
    struct acre_region region;
} places[MOST];
static bool used[MOST];
static unsigned char self[8];

static int start_empty(void **state)
{
    (void)state;
    memset(&regions, 0, sizeof regions);
    memset(used, 0, sizeof used);
    return 0;
}

/* The used descriptor whose range contains an address; null: none. */
static struct acre_region *naive_find(uintptr_t at)
{
    for (size_t i = 0; i < MOST; i++)
        if (used[i] && at - places[i].region.start < places[i].region.size)
            return &places[i].region;
    return NULL;
}

static struct acre_region *naive_floor(uintptr_t at)
{
    struct acre_region *floor = NULL;
    for (size_t i = 0; i < MOST; i++)
        if (used[i] && places[i].region.start <= at &&
            (floor == NULL || places[i].region.start > floor->start))
            floor = &places[i].region;
    return floor;
}

/* Whether any byte of a range is in a range, or in metadata, of the set. */
static bool naive_overlap(uintptr_t start, size_t size, bool metadata)
{
    for (size_t byte = 0; byte < size; byte++)
        for (size_t i = 0; i < MOST; i++) {
            const struct acre_region *region = &places[i].region;
            uintptr_t from = metadata ? region->meta : region->start;
            if (used[i] && start + byte - from < (metadata ? region->meta_size : region->size))
                return true;
        }
    return false;
}

static void assert_like_naive(uintptr_t base)
{
    assert_null(acre_regions_find_broken(&regions));
    assert_true(acre_regions_total_agrees(&regions));
    for (uintptr_t at = base - 2; at != base + SPACE + 2; at++) {
        struct acre_region *floor = naive_floor(at);
        assert_ptr_equal(acre_regions_find(&regions, at), naive_find(at));
        assert_ptr_equal(acre_regions_floor(&regions, at), floor);
        assert_ptr_equal(acre_regions_starting_at(&regions, at),
            floor != NULL && floor->start == at ? floor : NULL);
    }
}

/* Adds a random region where there is room, or removes one. */
static void change(struct rng *rng, uintptr_t base)
{
    size_t which = rng_below(rng, MOST);
    struct acre_region *region = &places[which].region;
    if (used[which]) {
        acre_regions_remove(&regions, region);
        used[which] = false;
        return;
    }
    size_t offset = rng_below(rng, SPACE);
    size_t size = 1 + rng_below(rng, rng_below(rng, 4) == 0 ? SPACE - offset : 4);
    size = size < SPACE - offset ? size : SPACE - offset;
    *region = (struct acre_region){
        .start = base + offset, .size = size, .integers = true, .has_node = which % 3 != 0
    };
    bool overlaps = naive_overlap(region->start, size, false);
    assert_int_equal(acre_regions_overlap(&regions, region->start, size), overlaps);
    assert_int_equal(acre_regions_admit(&regions, region, self, sizeof self),
        overlaps ? ACRE_MEMORY_OVERLAP : ACRE_OK);
    if (!overlaps) {
        acre_regions_insert(&regions, region);
        used[which] = true;
    }
}

static void changes_like_naive(uintptr_t base)
{
    struct rng rng = { base };
    for (size_t i = 0; i < 3000; i++) {
        change(&rng, base);
        assert_like_naive(base);
    }
}

static void regions_come_and_go(void **state)
{
    (void)state;
    changes_like_naive(1000);
}

static void regions_around_0(void **state)
{
    (void)state;
    changes_like_naive(2);
}

static void regions_at_the_top(void **state)
{
    (void)state;
    changes_like_naive(UINTPTR_MAX - SPACE + 1);
}

/* ---- regions of all sizes all over the address space ---- */

enum { MANY = 300 };

static struct {
    struct acre_region_node node;
    struct acre_region region;
} many[MANY];
static bool many_used[MANY];

/* An address near one of four places, so that some regions are close together. */
static uintptr_t any_address(struct rng *rng)
{
    static const unsigned shifts[] = { 12, 16, 20, 24, 40, 63 };
    size_t bits = sizeof(uintptr_t) * 8;
    unsigned shift = shifts[rng_below(rng, sizeof shifts / sizeof shifts[0])];
    uintptr_t place = (uintptr_t)rng_below(rng, 4) << (bits - 3);
    return place + ((uintptr_t)rng_next(rng) & (((uintptr_t)1 << shift % (bits - 1)) - 1));
}

static struct acre_region *naive_find_of_many(uintptr_t at)
{
    for (size_t i = 0; i < MANY; i++)
        if (many_used[i] && acre_region_contains(&many[i].region, at))
            return &many[i].region;
    return NULL;
}

static void assert_found(uintptr_t at)
{
    assert_ptr_equal(acre_regions_find(&regions, at), naive_find_of_many(at));
}

/* One region in `nodeless` brings no node. */
static void change_many(struct rng *rng, size_t which, size_t nodeless)
{
    struct acre_region *region = &many[which].region;
    if (many_used[which]) {
        acre_regions_remove(&regions, region);
        many_used[which] = false;
        return;
    }
    size_t size = (size_t)1 << rng_below(rng, 24);
    *region = (struct acre_region){ .start = any_address(rng),
        .size = size,
        .integers = true,
        .has_node = rng_below(rng, nodeless) != 0 };
    if (acre_regions_admit(&regions, region, self, sizeof self) != ACRE_OK)
        return;
    acre_regions_insert(&regions, region);
    many_used[which] = true;
}

static void change_all_over_the_address_space(size_t nodeless)
{
    struct rng rng = { 5 };
    size_t most = 0;
    memset(many_used, 0, sizeof many_used);
    memset(&regions, 0, sizeof regions);
    for (size_t i = 0; i < 12000; i++) {
        size_t which = rng_below(&rng, MANY);
        if (i / 3000 % 2 == 1 && !many_used[which]) /* a time of removals only */
            continue;
        change_many(&rng, which, nodeless);
        which = rng_below(&rng, MANY);
        assert_found(many[which].region.start - 1);
        assert_found(many[which].region.start);
        assert_found(many[which].region.start + many[which].region.size / 2);
        assert_found(many[which].region.start + (many[which].region.size - 1));
        assert_found(many[which].region.start + many[which].region.size);
        assert_found(any_address(&rng));
        if (i % 100 == 0) {
            size_t count = 0;
            for (size_t j = 0; j < MANY; j++)
                count += many_used[j];
            most = count > most ? count : most;
            assert_null(acre_regions_find_broken(&regions));
            assert_true(acre_regions_total_agrees(&regions));
        }
    }
    assert_true(most > MANY / 3);
}

static void regions_all_over_the_address_space(void **state)
{
    (void)state;
    for (size_t nodeless = 1; nodeless <= 32; nodeless *= 2)
        change_all_over_the_address_space(nodeless);
}

/* ---- overlap rules and checks ---- */

static void add(size_t which, struct acre_region region)
{
    region.has_node = true;
    places[which].region = region;
    assert_int_equal(acre_regions_admit(&regions, &region, self, sizeof self), ACRE_OK);
    acre_regions_insert(&regions, &places[which].region);
    used[which] = true;
}

static void overlap_rules(void **state)
{
    uintptr_t own = (uintptr_t)self;
    uintptr_t top = UINTPTR_MAX;
    (void)state;
    add(0, (struct acre_region){ .start = 1000, .size = 100, .meta = 2000, .meta_size = 10 });
    add(1, (struct acre_region){
               .start = 4000, .size = 100, .meta = 5000, .meta_size = 10, .integers = true });
    const struct {
        struct acre_region offer;
        enum acre_status status;
    } rows[] = {
        { { .start = 1, .size = 0 }, ACRE_INVALID_PARAM },
        { { .start = 0, .size = 1 }, ACRE_INVALID_PARAM },
        { { .start = 0, .size = 1, .integers = true }, ACRE_OK },
        { { .start = top, .size = 1 }, ACRE_OK },
        { { .start = top, .size = 2 }, ACRE_INVALID_PARAM },
        { { .start = 1, .size = 1, .meta = top - 8, .meta_size = 9 }, ACRE_OK },
        { { .start = 1, .size = 1, .meta = top - 8, .meta_size = 10 }, ACRE_INVALID_PARAM },
        { { .start = 1, .size = SIZE_MAX - 219 }, ACRE_INVALID_PARAM },
        { { .start = 1, .size = SIZE_MAX - 225, .meta = 1, .meta_size = 6 }, ACRE_INVALID_PARAM },
        { { .start = 900, .size = 100 }, ACRE_OK },
        { { .start = 900, .size = 101 }, ACRE_MEMORY_OVERLAP },
        { { .start = 1099, .size = 1 }, ACRE_MEMORY_OVERLAP },
        { { .start = 1100, .size = 1 }, ACRE_OK },
        { { .start = 900, .size = 500 }, ACRE_MEMORY_OVERLAP },
        { { .start = 1999, .size = 2 }, ACRE_MEMORY_OVERLAP },
        { { .start = 1999, .size = 2, .integers = true }, ACRE_OK },
        { { .start = 4999, .size = 2 }, ACRE_MEMORY_OVERLAP },
        { { .start = own + 7, .size = 1 }, ACRE_MEMORY_OVERLAP },
        { { .start = own + 7, .size = 1, .integers = true }, ACRE_OK },
        { { .start = own + 8, .size = 1 }, ACRE_OK },
        { { .start = 1, .size = 1, .meta = own, .meta_size = 1 }, ACRE_MEMORY_OVERLAP },
        { { .start = 1, .size = 1, .meta = 2009, .meta_size = 1 }, ACRE_MEMORY_OVERLAP },
        { { .start = 1, .size = 1, .meta = 1099, .meta_size = 1 }, ACRE_MEMORY_OVERLAP },
        { { .start = 1, .size = 1, .meta = 4050, .meta_size = 1 }, ACRE_OK },
        { { .start = 1, .size = 10, .meta = 10, .meta_size = 1 }, ACRE_MEMORY_OVERLAP },
        { { .start = 1, .size = 10, .meta = 11, .meta_size = 1 }, ACRE_OK },
        { { .start = 1, .size = 10, .meta = 5, .meta_size = 1, .integers = true }, ACRE_OK },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (acre_regions_admit(&regions, &rows[i].offer, self, sizeof self) != rows[i].status)
            fail_msg("row %zu", i);
    assert_true(acre_regions_overlap_metadata(&regions, 2009, 1));
    assert_false(acre_regions_overlap_metadata(&regions, 2010, 1));
    assert_false(acre_regions_overlap_metadata(&regions, 2005, 0));
}

/* The rules of a small build, which keeps no index. */
static void overlap_rules_of_a_list(void **state)
{
    uintptr_t own = (uintptr_t)self;
    (void)state;
    add(0, (struct acre_region){ .start = 1000, .size = 100 });
    const struct {
        uintptr_t start;
        size_t size;
        enum acre_status status;
    } rows[] = {
        { 1, 0, ACRE_INVALID_PARAM },
        { 0, 1, ACRE_INVALID_PARAM },
        { UINTPTR_MAX, 1, ACRE_OK },
        { UINTPTR_MAX, 2, ACRE_INVALID_PARAM },
        { 900, 100, ACRE_OK },
        { 900, 101, ACRE_MEMORY_OVERLAP },
        { 1099, 1, ACRE_MEMORY_OVERLAP },
        { 1100, 1, ACRE_OK },
        { own + 7, 1, ACRE_MEMORY_OVERLAP },
        { own + 8, 1, ACRE_OK },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (acre_region_list_admit(&regions, rows[i].start, rows[i].size, self, sizeof self) !=
            rows[i].status)
            fail_msg("row %zu", i);
}

static void damage_is_found(void **state)
{
    struct acre_region *low = &places[0].region;
    struct acre_region *high = &places[1].region;
    (void)state;
    add(0, (struct acre_region){ .start = 1000, .size = 100 });
    add(1, (struct acre_region){ .start = 1100, .size = 100 });
    low->size++;
    assert_ptr_equal(acre_regions_find_broken(&regions), high);
    low->size = 0;
    assert_ptr_equal(acre_regions_find_broken(&regions), low);
    low->size = SIZE_MAX;
    assert_ptr_equal(acre_regions_find_broken(&regions), low);
    low->size = 99;
    assert_false(acre_regions_total_agrees(&regions));
    low->size = 100;
    regions.apart++;
    assert_false(acre_regions_total_agrees(&regions));
    regions.apart--;
    assert_true(acre_regions_total_agrees(&regions));
    high->prev = NULL;
    assert_ptr_equal(acre_regions_find_broken(&regions), high);
    high->prev = low;
    assert_null(acre_regions_find_broken(&regions));
    struct acre_region_node *node =
        (struct acre_region_node *)(regions.index - ACRE_REGION_IS_NODE);
    for (size_t slot = 0; slot < ACRE_REGION_WAYS; slot++) {
        node->entries[slot] ^= 8;
        assert_non_null(acre_regions_find_broken(&regions));
        node->entries[slot] ^= 8;
    }
    node->base++;
    assert_non_null(acre_regions_find_broken(&regions));
    node->base--;
    node->base += (uintptr_t)ACRE_REGION_WAYS << node->shift; /* above all regions */
    assert_non_null(acre_regions_find_broken(&regions));
    node->base -= (uintptr_t)ACRE_REGION_WAYS << node->shift;
    node->shift++;
    assert_non_null(acre_regions_find_broken(&regions));
    node->shift--;
    regions.index ^= 8;
    assert_non_null(acre_regions_find_broken(&regions));
    const struct acre_region_node *spare = &places[node == &places[0].node ? 1 : 0].node;
    regions.index = (uintptr_t)spare + ACRE_REGION_IS_NODE;
    assert_non_null(acre_regions_find_broken(&regions));
}

/* A root is damaged to a node that covers the first region, and ends where the last one starts. */
static void a_root_that_ends_before_the_last_region(void **state)
{
    (void)state;
    add(0, (struct acre_region){ .start = 0x10000, .size = 16 });
    add(1, (struct acre_region){ .start = 0x10040, .size = 16 });
    uintptr_t lower = regions.index;
    const struct acre_region_node *node =
        (const struct acre_region_node *)(lower - ACRE_REGION_IS_NODE);
    add(2, (struct acre_region){
               .start = node->base + ((uintptr_t)ACRE_REGION_WAYS << node->shift), .size = 16 });
    uintptr_t root = regions.index;
    assert_true(root != lower);
    assert_null(acre_regions_find_broken(&regions));
    regions.index = lower;
    assert_non_null(acre_regions_find_broken(&regions));
    regions.index = root;
    assert_null(acre_regions_find_broken(&regions));
}

static void swap_entries(uintptr_t *one, uintptr_t *other)
{
    uintptr_t was = *one;
    *one = *other;
    *other = was;
}

/* Links of the index exchanged, so that each still leads to a node in use or a region; and a link
 * to a copy of its node. */
static void exchanged_links_are_found(void **state)
{
    uintptr_t *entries[MANY * ACRE_REGION_WAYS + 1] = { &regions.index };
    size_t count = 1;
    struct rng rng = { 3 };
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        many[i].region = (struct acre_region){
            .start = 0x10000 + i * i * 40, .size = 16, .integers = true, .has_node = true
        };
        acre_regions_insert(&regions, &many[i].region);
    }
    for (size_t i = 0; i < MANY; i++)
        for (unsigned slot = 0; slot < ACRE_REGION_WAYS && many[i].node.shift < 64; slot++)
            entries[count++] = &many[i].node.entries[slot];
    assert_null(acre_regions_find_broken(&regions));
    for (size_t i = 0; i < count; i++) {
        uintptr_t *other = entries[rng_below(&rng, count)];
        bool differ = *entries[i] != *other;
        swap_entries(entries[i], other);
        assert_int_equal(acre_regions_find_broken(&regions) != NULL, differ);
        swap_entries(entries[i], other);
        if ((*entries[i] & ACRE_REGION_IS_NODE) == 0)
            continue;
        uintptr_t link = *entries[i];
        struct acre_region_node copy =
            *(const struct acre_region_node *)(link - ACRE_REGION_IS_NODE);
        *entries[i] = (uintptr_t)&copy | ACRE_REGION_IS_NODE;
        assert_non_null(acre_regions_find_broken(&regions));
        *entries[i] = link;
    }
}

/* ---- the table ---- */

enum { TABLE_RANGE = 1 << 23, TABLE_START = 1 << 26, TABLE_STEP = 0x3000, TABLE_WORDS = 1024 };

static void toggle_in_range(size_t which)
{
    if (used[which])
        acre_regions_remove(&regions, &places[which].region);
    used[which] = !used[which];
    if (!used[which])
        return;
    places[which].region = (struct acre_region){ .start = TABLE_START + 16 + which * TABLE_STEP,
        .size = TABLE_STEP - 64 };
    acre_regions_insert(&regions, &places[which].region);
}

static void compare_in_range(struct rng *rng)
{
    assert_null(acre_regions_find_broken(&regions));
    for (size_t i = 0; i < 8; i++) {
        uintptr_t at = TABLE_START - TABLE_STEP + rng_below(rng, (MOST + 2) * TABLE_STEP);
        assert_ptr_equal(acre_regions_find(&regions, at), naive_find(at));
        assert_ptr_equal(acre_regions_floor(&regions, at), naive_floor(at));
        const struct acre_region *likely = acre_regions_find_likely(&regions, at);
        assert_true(
            likely == NULL || likely == naive_find(at) || !acre_region_contains(likely, at));
    }
}

/* Three regions in two slots; with regions already there, and when the table is gone. */
static void a_table_leads_to_regions(void **state)
{
    static size_t memory[TABLE_WORDS];
    struct rng rng = { 1 };
    (void)state;
    assert_int_equal(acre_region_table_size(TABLE_RANGE - 1), 0);
    assert_in_range(acre_region_table_size(TABLE_RANGE), 1, sizeof memory);
    toggle_in_range(0);
    toggle_in_range(MOST - 1);
    acre_regions_set_table(&regions, memory, TABLE_START, TABLE_RANGE);
    for (size_t round = 0; round < 4000; round++) {
        if (round == 3000)
            acre_regions_set_table(&regions, NULL, 0, 0);
        compare_in_range(&rng);
        toggle_in_range(rng_below(&rng, MOST));
    }
}

/* Below the range of the table, across its start, and across its end. */
static void a_table_has_a_part_of_a_region(void **state)
{
    static size_t memory[TABLE_WORDS];
    const uintptr_t starts[] = { TABLE_START - 2 * TABLE_STEP, TABLE_START - TABLE_STEP,
        TABLE_START + TABLE_RANGE - TABLE_STEP };
    (void)state;
    acre_regions_set_table(&regions, memory, TABLE_START, TABLE_RANGE);
    for (size_t i = 0; i < 3; i++) {
        size_t size = i == 0 ? TABLE_STEP : 3 * TABLE_STEP;
        struct acre_region *region = &places[i].region;
        *region = (struct acre_region){ .start = starts[i], .size = size };
        acre_regions_insert(&regions, region);
        assert_null(acre_regions_find_broken(&regions));
        assert_ptr_equal(acre_regions_find(&regions, starts[i]), region);
        assert_ptr_equal(acre_regions_find(&regions, starts[i] + size - 1), region);
    }
    const struct acre_region_table *table = acre_regions_table(&regions);
    assert_ptr_equal(table->entries[table->slots - 1], &places[2].region);
    assert_null(table->entries[table->slots]); /* behind the table */
    for (size_t i = 0; i < 3; i++) {
        acre_regions_remove(&regions, &places[i].region);
        assert_null(acre_regions_find_broken(&regions));
        assert_null(acre_regions_find(&regions, starts[i]));
    }
}

static void a_damaged_table_is_found(void **state)
{
    static size_t memory[TABLE_WORDS];
    (void)state;
    acre_regions_set_table(&regions, memory, TABLE_START, TABLE_RANGE);
    struct acre_region_table *table = acre_regions_table(&regions);
    for (size_t slot = 0; slot < table->slots; slot++) {
        struct acre_region *none = table->entries[slot];
        assert_int_equal(none->size, 0);
        table->entries[slot] = &places[0].region;
        assert_ptr_equal(acre_regions_find_broken(&regions), &table->entries[slot]);
        table->entries[slot] = none;
    }
    for (size_t word = 0; word < ACRE_REGION_NONE_WORDS; word++) {
        table->none[word] = 1;
        assert_ptr_equal(acre_regions_find_broken(&regions), &table->none[word]);
        table->none[word] = 0;
    }
    toggle_in_range(3);
    assert_null(acre_regions_find_broken(&regions));
}

/* A node above the one that two regions need, in which they share a slot: right but for that. */
static void a_node_for_one_slot_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        many[i].region = (struct acre_region){
            .start = 0x10000 + i * 64, .size = 16, .integers = true, .has_node = true
        };
        acre_regions_insert(&regions, &many[i].region);
    }
    uintptr_t needed = regions.index;
    size_t spare = needed == ((uintptr_t)&many[0].node | ACRE_REGION_IS_NODE);
    const struct acre_region_node *node = &many[!spare].node;
    struct acre_region_node *above = &many[spare].node;
    assert_null(acre_regions_find_broken(&regions));
    above->shift = node->shift + ACRE_REGION_DIGIT;
    above->base = node->base & ~(((uintptr_t)ACRE_REGION_WAYS << above->shift) - 1);
    for (size_t slot = 0; slot < ACRE_REGION_WAYS; slot++)
        above->entries[slot] = slot == (node->base - above->base) >> above->shift
                                   ? needed
                                   : (uintptr_t)&many[1].region;
    regions.index = (uintptr_t)above | ACRE_REGION_IS_NODE;
    assert_ptr_equal(acre_regions_find(&regions, many[0].region.start), &many[0].region);
    assert_non_null(acre_regions_find_broken(&regions));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_table_leads_to_regions, start_empty),
        cmocka_unit_test_setup(a_table_has_a_part_of_a_region, start_empty),
        cmocka_unit_test_setup(a_damaged_table_is_found, start_empty),
        cmocka_unit_test_setup(regions_come_and_go, start_empty),
        cmocka_unit_test_setup(regions_around_0, start_empty),
        cmocka_unit_test_setup(regions_at_the_top, start_empty),
        cmocka_unit_test_setup(regions_all_over_the_address_space, start_empty),
        cmocka_unit_test_setup(overlap_rules, start_empty),
        cmocka_unit_test_setup(overlap_rules_of_a_list, start_empty),
        cmocka_unit_test_setup(damage_is_found, start_empty),
        cmocka_unit_test_setup(a_root_that_ends_before_the_last_region, start_empty),
        cmocka_unit_test_setup(exchanged_links_are_found, start_empty),
        cmocka_unit_test_setup(a_node_for_one_slot_is_found, start_empty),
    };
    return cmocka_run_group_tests_name("regions", tests, NULL, NULL);
}
