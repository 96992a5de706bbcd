/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* White box: damage one field of the metadata and expect exactly the invariant that it breaks. */
#include "buddy/buddy_private.h"

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
 * one free, an order 1 live, an order 1 on its shelf, an order 2 live, an order 0 at an odd place
 * on its shelf; the rest is free.
 */
static int make(void **state)
{
    (void)state;
    acre_buddy_setup(&buddy, UNIT);
    if (acre_buddy_add_range(&buddy, 0, LOW, meta[0], sizeof meta[0]) != ACRE_OK ||
        acre_buddy_add_range(&buddy, LOW, HIGH, meta[1], sizeof meta[1]) != ACRE_OK)
        return -1;
    low = buddy.regions;
    high = low->next;
    blocks[0] = acre_buddy_alloc_range(&buddy, acre_layout(1, 1)).num;
    blocks[1] = acre_buddy_alloc_range(&buddy, acre_layout(2 * UNIT, 1)).num;
    blocks[2] = acre_buddy_alloc_range(&buddy, acre_layout(2 * UNIT, 1)).num;
    blocks[3] = acre_buddy_alloc_range(&buddy, acre_layout(4 * UNIT, 1)).num;
    acre_buddy_dealloc_range(&buddy, blocks[2]);
    blocks[4] = acre_buddy_alloc_range(&buddy, acre_layout(1, 1)).num;
    if (acre_buddy_alloc_range(&buddy, acre_layout(1, 1)).status != ACRE_OK)
        return -1;
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

static void window(void **state)
{
    (void)state;
    FLIP(buddy.base, 0x20, "BUDDY-9");
    FLIP(buddy.pairs, 1, "BUDDY-9");
    FLIP(buddy.states, 1, "BUDDY-9");
    FLIP(buddy.current, 8, "BUDDY-9");
}

static void counts(void **state)
{
    (void)state;
    FLIP(buddy.live_blocks, 1, "BUDDY-8");
    FLIP(buddy.room, 1, "BUDDY-8");
    FLIP(buddy.peak, 1, "BUDDY-8");
    FLIP(buddy.total, 1, "BUDDY-8");
    FLIP(buddy.capacity, 1, "BUDDY-8");
}

static void shelves(void **state)
{
    (void)state;
    struct acre_buddy_order *one = &buddy.orders[1];
    struct acre_buddy_order *odd = &buddy.orders[BUDDY_ODD];
    struct acre_buddy_order *large = &buddy.orders[ACRE_BUDDY_QUICK_ORDERS + 2];
    assert_ptr_equal(one->top, &buddy.shelves[1][1]);
    assert_ptr_equal(odd->top, &buddy.shelves[ACRE_BUDDY_QUICK_ORDERS][1]);
    one->top--;
    expect("BUDDY-2");
    one->top += 2;
    expect("BUDDY-7");
    one->top--;
    FLIP(one->limit, 16, "BUDDY-7");
    FLIP(one->size, 1, "BUDDY-7");
    FLIP(odd->limit, 16, "BUDDY-7");
    FLIP(odd->size, 2, "BUDDY-7");
    FLIP(large->top, 16, "BUDDY-7");
    FLIP(large->limit, 16, "BUDDY-7");
    FLIP(large->size, 1, "BUDDY-7");
    FLIP(buddy.depth, 1, "BUDDY-7");
    FLIP(one->top->state, 1, "BUDDY-7");
    FLIP(odd->top->state, 1, "BUDDY-7");
    FLIP(one->top->pos, 0x20, "BUDDY-7");
    FLIP(odd->top->pos, 0x20, "BUDDY-7");
    buddy.shelves[3][0].state = meta[0];
    expect("BUDDY-7");
}

/* The same block twice on its shelf. */
static void shelved_twice(void **state)
{
    (void)state;
    struct acre_buddy_order *one = &buddy.orders[1];
    one->top[1] = *one->top;
    one->top++;
    expect("BUDDY-7");
}

static void regions(void **state)
{
    (void)state;
    FLIP(low->start, 0x20, "BUDDY-1");
    FLIP(low->size, 0x20, "BUDDY-1");
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
    low->meta_size = 64;
    expect("BUDDY-1");
    low->meta_size = sizeof meta[0];
    low->meta += sizeof meta[0];
    expect("BUDDY-1");
    low->meta -= sizeof meta[0];
    buddy.regions = high;
    high->next = low;
    low->next = NULL;
    expect("BUDDY-1");
}

static void a_region_lost(void **state)
{
    (void)state;
    low->next = NULL;
    low->seam = false;
    expect("BUDDY-8");
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
    *state_at(taken + 2) = 3; /* an order without a block */
    expect("BUDDY-4");
    *state_at(taken + 2) = 0;
    *state_at((unsigned)(blocks[2] / UNIT)) ^= 2; /* the wrong order of a block on a shelf */
    expect("BUDDY-4");
    *state_at((unsigned)(blocks[2] / UNIT)) ^= 2;
    *state_at(40) = 1; /* an order at a free block */
    expect("BUDDY-4");
    *state_at(40) = 0;
    low->states[buddy_state_bytes(low->count) - 1] = BUDDY_LIVE_EVEN; /* behind the last block */
    expect("BUDDY-4");
}

static void orders_of_live_blocks(void **state)
{
    (void)state;
    unsigned taken = (unsigned)(blocks[1] / UNIT);
    *state_at(taken) = BUDDY_LIVE_EVEN | 0; /* leaves a gap */
    expect("BUDDY-2");
    *state_at(taken) = BUDDY_LIVE_EVEN | 2; /* not aligned, or over the next */
    expect("BUDDY-2");
    *state_at(taken) = BUDDY_LIVE_EVEN | 40; /* beyond memory */
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
    low->level[1][0] ^= (size_t)1 << words; /* behind the last word */
    expect("BUDDY-6");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(constants, make),
        cmocka_unit_test_setup(window, make),
        cmocka_unit_test_setup(counts, make),
        cmocka_unit_test_setup(shelves, make),
        cmocka_unit_test_setup(shelved_twice, make),
        cmocka_unit_test_setup(regions, make),
        cmocka_unit_test_setup(a_region_lost, make),
        cmocka_unit_test_setup(states, make),
        cmocka_unit_test_setup(orders_of_live_blocks, make),
        cmocka_unit_test_setup(free_bits, make),
        cmocka_unit_test_setup(summaries, make),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
