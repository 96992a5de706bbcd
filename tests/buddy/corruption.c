/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* White box: damage one field of the metadata and expect exactly the invariant that it breaks. */
#include "buddy/buddy_fast.h"
#include "support/damage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { UNIT = 32, LOW = 64 * UNIT, HIGH = 32 * UNIT };

static struct acre_buddy buddy;
static struct acre_buddy_region *low;
static struct acre_buddy_region *high;
static unsigned char meta[2][1024];
static uintptr_t blocks[5];

/*
 * Two ranges that adjoin, [0, 64) and [64, 96) in smallest blocks. From the bottom: one block live,
 * one free, an order 1 live, an order 1 on its quick list, an order 2 live, an order 0 at an odd
 * number on its quick list; the rest is free.
 */
static int make(void **state)
{
    (void)state;
    memset(&buddy, 0, sizeof buddy);
    acre_buddy_setup(&buddy, UNIT);
    acre_buddy_set_quick_depth(&buddy, 0); /* no alloc refills a quick list */
    if (acre_buddy_add_range(&buddy, 0, LOW, meta[0], sizeof meta[0]) != ACRE_OK ||
        acre_buddy_add_range(&buddy, LOW, HIGH, meta[1], sizeof meta[1]) != ACRE_OK)
        return -1;
    low = (struct acre_buddy_region *)buddy.regions.first;
    high = buddy_next_region(low);
    blocks[0] = acre_buddy_alloc_range(&buddy, acre_layout(1, 1)).num;
    blocks[1] = acre_buddy_alloc_range(&buddy, acre_layout(2 * UNIT, 1)).num;
    blocks[2] = acre_buddy_alloc_range(&buddy, acre_layout(2 * UNIT, 1)).num;
    blocks[3] = acre_buddy_alloc_range(&buddy, acre_layout(4 * UNIT, 1)).num;
    blocks[4] = acre_buddy_alloc_range(&buddy, acre_layout(1, 1)).num;
    acre_buddy_set_quick_depth(&buddy, ACRE_BUDDY_QUICK_DEPTH);
    acre_buddy_dealloc_range(&buddy, blocks[2]);
    acre_buddy_dealloc_range(&buddy, blocks[4]);
    return acre_buddy_check(&buddy).invariant != NULL;
}

static void expect(const char *invariant)
{
    struct acre_check_result found = acre_buddy_check(&buddy);
    assert_non_null(found.invariant);
    if (strncmp(found.invariant, invariant, strlen(invariant)) != 0 ||
        found.invariant[strlen(invariant)] != ':')
        fail_msg("expected %s, found %s", invariant, found.invariant);
    assert_true(found.where != NULL || strcmp(invariant, "BUDDY-2") == 0 ||
                strcmp(invariant, "BUDDY-4") == 0); /* position 0 is a place, too */
}

/* Changes a field by xor, expects the invariant, changes it back, and expects all to be well. */
static void try_flip(void *field, size_t size, unsigned char bits, const char *invariant)
{
    unsigned char *byte = field;
    for (size_t i = 0; i < size; i++) {
        byte[i] ^= bits;
        expect(invariant);
        byte[i] ^= bits;
    }
    assert_null(acre_buddy_check(&buddy).invariant);
}

#define FLIP(field, bits, invariant) try_flip(&(field), sizeof(field), bits, invariant)

static void constants(void **state)
{
    (void)state;
    FLIP(buddy.mask, 0x40, "BUDDY-10");
    FLIP(buddy.pair_log2, 1, "BUDDY-10");
    FLIP(buddy.bias, 1, "BUDDY-10");
}

static void cached_region(void **state)
{
    (void)state;
    FLIP(buddy.base, 0x20, "BUDDY-9");
    FLIP(buddy.pairs, 1, "BUDDY-9");
    FLIP(buddy.states, 1, "BUDDY-9");
    FLIP(buddy.cached, 8, "BUDDY-9");
}

static void counts(void **state)
{
    (void)state;
    FLIP(buddy.live_blocks, 1, "BUDDY-8");
    FLIP(buddy.headroom, 1, "BUDDY-8");
    FLIP(buddy.peak, 1, "BUDDY-8");
    FLIP(buddy.regions.total, 1, "BUDDY-8");
    FLIP(buddy.capacity, 1, "BUDDY-8");
}

static struct acre_buddy_quick_block *top_of(const struct acre_buddy_class *row)
{
    return &row->entries[buddy_quick_count(row) - 1];
}

static void quick_lists(void **state)
{
    (void)state;
    struct acre_buddy_class *one = &buddy.classes[buddy.bias + 1];
    struct acre_buddy_class *odd = &buddy.classes[BUDDY_ODD];
    struct acre_buddy_class *large = &buddy.classes[buddy.bias + ACRE_BUDDY_QUICK_ORDERS + 2];
    assert_ptr_equal(top_of(one), &buddy.quick[1][0]);
    assert_ptr_equal(top_of(odd), &buddy.quick[ACRE_BUDDY_QUICK_ORDERS][0]);
    one->used -= BUDDY_ENTRY;
    expect("BUDDY-2");
    one->used += 2 * (size_t)BUDDY_ENTRY;
    expect("BUDDY-7");
    one->used -= BUDDY_ENTRY;
    FLIP(one->used, 1, "BUDDY-7");
    FLIP(one->limit, 16, "BUDDY-7");
    FLIP(one->size, 1, "BUDDY-7");
    FLIP(odd->limit, 16, "BUDDY-7");
    FLIP(odd->size, 2, "BUDDY-7");
    FLIP(large->used, 16, "BUDDY-7");
    FLIP(large->limit, 16, "BUDDY-7");
    FLIP(large->size, 1, "BUDDY-7");
    FLIP(buddy.classes[0].limit, 16, "BUDDY-7");
    FLIP(buddy.classes[0].entries, 8, "BUDDY-7");
    FLIP(one->entries, 16, "BUDDY-7");
    FLIP(buddy.quick_depth, 1, "BUDDY-7");
    FLIP(top_of(one)->state, 1, "BUDDY-7");
    FLIP(top_of(odd)->state, 1, "BUDDY-7");
    FLIP(top_of(one)->pos, 0x20, "BUDDY-7");
    FLIP(top_of(odd)->pos, 0x20, "BUDDY-7");
}

static void a_block_twice_on_its_quick_list(void **state)
{
    (void)state;
    struct acre_buddy_class *one = &buddy.classes[buddy.bias + 1];
    top_of(one)[1] = *top_of(one);
    one->used += BUDDY_ENTRY;
    expect("BUDDY-7");
}

static void regions(void **state)
{
    (void)state;
    FLIP(low->range.start, 0x20, "BUDDY-1");
    FLIP(low->range.size, 0x20, "BUDDY-1");
    FLIP(low->first, 1, "BUDDY-1");
    FLIP(low->count, 1, "BUDDY-1");
    FLIP(low->limit, 1, "BUDDY-1");
    FLIP(low->states, 1, "BUDDY-1");
    FLIP(low->levels, 1, "BUDDY-1");
    FLIP(low->level[0], 8, "BUDDY-1");
    FLIP(low->level[1], 8, "BUDDY-1");
    low->seam = false;
    expect("BUDDY-1");
    low->seam = true;
    low->range.meta_size = 64;
    expect("BUDDY-1");
    low->range.meta_size = sizeof meta[0];
    low->range.meta += sizeof meta[0];
    expect("BUDDY-1");
    low->range.meta -= sizeof meta[0];
    FLIP(high->range.prev, 8, "BUDDY-1");
    buddy.regions.first = &high->range;
    high->range.next = &low->range;
    low->range.next = NULL;
    expect("BUDDY-1");
}

static void lists_by_order(void **state)
{
    (void)state;
    FLIP(low->largest, 1, "BUDDY-11");
    FLIP(low->largest_from, 1, "BUDDY-11");
    FLIP(high->larger_from, 1, "BUDDY-11");
    FLIP(low->order_next, 8, "BUDDY-11");
    FLIP(high->order_prev, 8, "BUDDY-11");
    FLIP(buddy.orders, 1, "BUDDY-11");
    FLIP(buddy.by_order[low->largest], 8, "BUDDY-11");
    FLIP(buddy.by_order[30], 8, "BUDDY-11");
    low->order_next = low; /* a ring */
    expect("BUDDY-11");
}

static void a_region_on_the_wrong_list(void **state)
{
    (void)state;
    size_t orders = buddy.orders;
    buddy.by_order[30] = low;
    buddy.orders |= (size_t)1 << 30;
    expect("BUDDY-11");
    buddy.by_order[30] = NULL;
    buddy.by_order[low->largest] = NULL; /* and on none */
    buddy.by_order[high->largest] = NULL;
    buddy.orders = 0;
    expect("BUDDY-11");
    assert_true(orders != 0);
}

static void links_of_a_region_without_a_free_block(void **state)
{
    (void)state;
    for (unsigned order = high->largest; order != BUDDY_NONE; order = high->largest) {
        order = low->largest != BUDDY_NONE ? low->largest : order;
        assert_int_equal(
            acre_buddy_alloc_range(&buddy, acre_layout((size_t)UNIT << order, 1)).status, ACRE_OK);
    }
    assert_null(acre_buddy_check(&buddy).invariant);
    high->order_next = low;
    expect("BUDDY-11");
    high->order_next = NULL;
    high->order_prev = low;
    expect("BUDDY-11");
}

/* Bounds that agree with one another, but not with the range. */
static void regions_with_other_blocks(void **state)
{
    struct acre_buddy_region was = *low;
    (void)state;
    low->first++;
    low->count--;
    low->limit = low->first + 2 * low->count;
    buddy_set_pairs(&buddy, low);
    expect("BUDDY-1");
    low->first += low->count;
    low->count = 0;
    low->limit = low->first;
    buddy_set_pairs(&buddy, low);
    expect("BUDDY-1");
    memcpy(low, &was, sizeof was);
    assert_null(acre_buddy_check(&buddy).invariant);
}

static void no_cached_region(void **state)
{
    (void)state;
    buddy_cache_region(&buddy, NULL);
    expect("BUDDY-9");
}

static void a_region_lost(void **state)
{
    (void)state;
    low->range.next = NULL;
    low->seam = false;
    expect("BUDDY-1");
}

static unsigned char *state_at(unsigned block)
{
    return buddy_state_of(block < 64 ? low : high, block);
}

static void states(void **state)
{
    (void)state;
    unsigned taken = (unsigned)(blocks[3] / UNIT);
    *state_at(taken) ^= BUDDY_LIVE_EVEN; /* a live block forgotten */
    expect("BUDDY-2");
    *state_at(taken) ^= BUDDY_LIVE_EVEN;
    *state_at(taken + 2) |= BUDDY_LIVE_EVEN; /* a block inside a block */
    expect("BUDDY-4");
    *state_at(taken + 2) = BUDDY_LIVE_ODD;
    expect("BUDDY-4");
    *state_at(taken + 2) = 3; /* a class without a block */
    expect("BUDDY-4");
    *state_at(taken + 2) = 0;
    *state_at((unsigned)(blocks[2] / UNIT)) ^= 2; /* the wrong class of a block on a quick list */
    expect("BUDDY-4");
    *state_at((unsigned)(blocks[2] / UNIT)) ^= 2;
    *state_at(40) = 1; /* a class at a free block */
    expect("BUDDY-4");
    *state_at(40) = 0;
    low->states[buddy_state_bytes(low->count) - 1] = BUDDY_LIVE_EVEN; /* after the last block */
    expect("BUDDY-4");
}

static void orders_of_live_blocks(void **state)
{
    (void)state;
    unsigned taken = (unsigned)(blocks[1] / UNIT);
    *state_at(taken) = BUDDY_LIVE_EVEN | (unsigned char)buddy.bias; /* leaves a gap */
    expect("BUDDY-2");
    *state_at(taken) =
        BUDDY_LIVE_EVEN | (unsigned char)(buddy.bias + 2); /* not aligned, or over the next */
    expect("BUDDY-2");
    *state_at(taken) = BUDDY_LIVE_EVEN | (unsigned char)(buddy.bias + 40); /* beyond memory */
    expect("BUDDY-2");
}

static void free_bits(void **state)
{
    (void)state;
    size_t top = buddy_index(high, 64, 5);
    assert_true(buddy_is_free(high, 64, 5));
    buddy_clear(high, top); /* a free block lost */
    expect("BUDDY-2");
    buddy_set(high, buddy_index(high, 64, 4)); /* and given back as two buddies */
    buddy_set(high, buddy_index(high, 80, 4));
    expect("BUDDY-3");
    buddy_clear(high, buddy_index(high, 64, 4));
    buddy_clear(high, buddy_index(high, 80, 4));
    buddy_set(high, top);
    assert_null(acre_buddy_check(&buddy).invariant);
    buddy_set(high, buddy_index(high, 72, 3)); /* a free block within a free block */
    expect("BUDDY-5");
    buddy_clear(high, buddy_index(high, 72, 3));
    buddy_set(low, buddy_index(low, (uintptr_t)blocks[3] / UNIT, 0)); /* within a live one */
    expect("BUDDY-5");
    buddy_clear(low, buddy_index(low, (uintptr_t)blocks[3] / UNIT, 0));
    buddy_set(low, buddy_index(low, 0, 0) - 1); /* outside the region */
    expect("BUDDY-5");
}

static void summaries(void **state)
{
    (void)state;
    size_t words = (size_t)(low->level[1] - low->level[0]);
    for (size_t i = 0; i < words; i++) {
        low->level[1][0] ^= (size_t)1 << i;
        expect("BUDDY-6");
        low->level[1][0] ^= (size_t)1 << i;
    }
    low->level[1][0] ^= (size_t)1 << words; /* after the last word */
    expect("BUDDY-6");
}

/* ---- every field, in many ways ---- */

static struct acre_check_result check(void)
{
    return acre_buddy_check(&buddy);
}

static void every_number(void **state)
{
    struct damage damage = { .check = check, .all = true };
    (void)state;
    DAMAGE_NUMBER(&damage, buddy.mask);
    DAMAGE_NUMBER(&damage, buddy.pair_log2);
    DAMAGE_NUMBER(&damage, buddy.bias);
    DAMAGE_NUMBER(&damage, buddy.live_blocks);
    DAMAGE_NUMBER(&damage, buddy.headroom);
    DAMAGE_NUMBER(&damage, buddy.peak);
    DAMAGE_NUMBER(&damage, buddy.capacity);
    DAMAGE_NUMBER(&damage, buddy.regions.total);
    DAMAGE_NUMBER(&damage, buddy.base);
    struct acre_buddy_region *regions[] = { low, high };
    for (size_t i = 0; i < 2; i++) {
        DAMAGE_NUMBER(&damage, regions[i]->first);
        DAMAGE_NUMBER(&damage, regions[i]->count);
        DAMAGE_NUMBER(&damage, regions[i]->limit);
        DAMAGE_NUMBER(&damage, regions[i]->levels);
        DAMAGE_NUMBER(&damage, regions[i]->base);
        DAMAGE_NUMBER(&damage, regions[i]->pairs);
    }
    damage.all = false; /* what has no block may be more or less */
    for (size_t i = 0; i < 2; i++) {
        DAMAGE_NUMBER(&damage, regions[i]->range.start);
        DAMAGE_NUMBER(&damage, regions[i]->range.size);
        DAMAGE_NUMBER(&damage, regions[i]->range.meta);
        DAMAGE_NUMBER(&damage, regions[i]->range.meta_size);
    }
}

static void every_byte_of_states(void **state)
{
    struct damage damage = { .check = check, .all = true };
    (void)state;
    for (size_t i = 0; i < buddy_state_bytes(low->count); i++)
        DAMAGE_NUMBER(&damage, low->states[i]);
    for (size_t i = 0; i < buddy_state_bytes(high->count); i++)
        DAMAGE_NUMBER(&damage, high->states[i]);
}

static void every_word_of_levels(void **state)
{
    struct damage damage = { .check = check, .all = true };
    (void)state;
    for (size_t *word = low->level[0]; (unsigned char *)word < low->states; word++)
        DAMAGE_NUMBER(&damage, *word);
}

static void every_field_of_an_empty_allocator(void **state)
{
    struct damage damage = { .check = check, .all = true };
    (void)state;
    memset(&buddy, 0, sizeof buddy);
    DAMAGE_NUMBER(&damage, buddy.mask);
    DAMAGE_NUMBER(&damage, buddy.pair_log2);
    DAMAGE_NUMBER(&damage, buddy.bias);
    DAMAGE_NUMBER(&damage, buddy.live_blocks);
    DAMAGE_NUMBER(&damage, buddy.regions.total);
    DAMAGE_NUMBER(&damage, buddy.base);
    damage_with(&damage, &buddy.cached, &low, sizeof low, 0);
    damage_with(&damage, &buddy.states, &low, sizeof low, 0);
    damage_with(&damage, &buddy.regions.first, &low, sizeof low, 0);
}

/* A range that begins at an odd block: the state byte there has a part that is no block's. */
static void the_edge_of_a_range(void **state)
{
    (void)state;
    memset(&buddy, 0, sizeof buddy);
    acre_buddy_setup(&buddy, UNIT);
    assert_int_equal(acre_buddy_add_range(&buddy, UNIT, LOW, meta[0], sizeof meta[0]), ACRE_OK);
    low = (struct acre_buddy_region *)buddy.regions.first;
    assert_int_equal(low->first, 1);
    struct damage damage = { .check = check, .all = true };
    DAMAGE_NUMBER(&damage, low->states[0]);
    assert_int_equal(acre_buddy_remove_memory(&buddy, (void *)UNIT), ACRE_OK);
}

/* Ranges whose metadata do not lie in them, and those whose do: what says which is damaged. */
static void where_metadata_lies(void **state)
{
    static _Alignas(4096) unsigned char memory[16384];
    struct damage damage = { .check = check, .all = true };
    (void)state;
    memset(&buddy, 0, sizeof buddy);
    assert_int_equal(acre_buddy_init(&buddy, memory, sizeof memory), ACRE_OK);
    low = (struct acre_buddy_region *)buddy.regions.first;
    DAMAGE_NUMBER(&damage, low->range.meta_size);
    low->range.integers = true;
    expect("BUDDY-1");
    low->range.integers = false;
    DAMAGE_NUMBER(&damage, low->first);
    DAMAGE_NUMBER(&damage, low->count);
    DAMAGE_NUMBER(&damage, buddy.capacity);
}

/* Every order that an address rounds down to is in the range, and none is a live block's. */
static void nothing_is_found_in_free_memory(void **state)
{
    (void)state;
    for (uintptr_t at = 16 * UNIT; at < LOW + HIGH; at += UNIT / 2)
        assert_int_equal(acre_buddy_find(&buddy, (void *)at).status, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_buddy_dealloc_range(&buddy, blocks[0]), ACRE_OK);
    assert_int_equal(acre_buddy_find(&buddy, NULL).status, ACRE_NOT_ALLOCATED); /* of every order */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(constants, make),
        cmocka_unit_test_setup(cached_region, make),
        cmocka_unit_test_setup(counts, make),
        cmocka_unit_test_setup(quick_lists, make),
        cmocka_unit_test_setup(a_block_twice_on_its_quick_list, make),
        cmocka_unit_test_setup(regions, make),
        cmocka_unit_test_setup(lists_by_order, make),
        cmocka_unit_test_setup(a_region_on_the_wrong_list, make),
        cmocka_unit_test_setup(links_of_a_region_without_a_free_block, make),
        cmocka_unit_test_setup(regions_with_other_blocks, make),
        cmocka_unit_test_setup(no_cached_region, make),
        cmocka_unit_test_setup(a_region_lost, make),
        cmocka_unit_test_setup(states, make),
        cmocka_unit_test_setup(orders_of_live_blocks, make),
        cmocka_unit_test_setup(free_bits, make),
        cmocka_unit_test_setup(summaries, make),
        cmocka_unit_test_setup(every_number, make),
        cmocka_unit_test_setup(every_byte_of_states, make),
        cmocka_unit_test_setup(every_word_of_levels, make),
        cmocka_unit_test_setup(every_field_of_an_empty_allocator, make),
        cmocka_unit_test_setup(the_edge_of_a_range, make),
        cmocka_unit_test_setup(where_metadata_lies, make),
        cmocka_unit_test_setup(nothing_is_found_in_free_memory, make),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
