/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* White box: damage one field of the metadata and expect exactly the invariant that it breaks. */
#include "arena/arena_private.h"
#include "support/damage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { UNIT = ACRE_ARENA_GRANULE, REGION = 4096, REGIONS = 3 };

static _Alignas(4096) unsigned char memory[REGIONS][REGION];
static struct acre_arena arena;
static struct acre_arena_region *regions[REGIONS];

/* Two regions in use, each with a live block, a freed one and a live one; the third is not. */
static int make(void **state)
{
    (void)state;
    memset(&arena, 0, sizeof arena);
    for (size_t i = 0; i < REGIONS; i++)
        if (acre_arena_add_memory(&arena, memory[i], REGION) != ACRE_OK)
            return -1;
    for (size_t i = 0; i < 2; i++) {
        void *first = acre_arena_alloc(&arena, acre_layout(2500, 1)).ptr;
        void *freed = acre_arena_alloc(&arena, acre_layout(UNIT, 1)).ptr;
        void *last = acre_arena_alloc(&arena, acre_layout(UNIT, 1)).ptr;
        if (first == NULL || last == NULL || acre_arena_dealloc(&arena, freed) != ACRE_OK)
            return -1;
    }
    regions[0] = arena_first_region(&arena);
    regions[1] = arena_next_region(regions[0]);
    regions[2] = arena_next_region(regions[1]);
    return arena.current == regions[1] && acre_arena_check(&arena).invariant == NULL ? 0 : -1;
}

/* Changes a field by xor, expects the invariant, changes it back, and expects all to be well. */
static void try_flip(void *field, size_t size, unsigned char bits, const char *invariant)
{
    unsigned char *bytes = field;
    for (size_t i = 0; i < size; i++) {
        bytes[i] ^= bits;
        struct acre_check_result found = acre_arena_check(&arena);
        bytes[i] ^= bits;
        if (found.invariant == NULL || strncmp(found.invariant, invariant, 7) != 0)
            fail_msg("byte %zu: expected %s, found %s", i, invariant,
                found.invariant != NULL ? found.invariant : "nothing");
        assert_non_null(found.where);
        assert_null(acre_arena_check(&arena).invariant);
    }
}

#define TRY_FLIP(field, invariant) try_flip(&(field), sizeof(field), 0x41, invariant)

static void regions_are_described(void **state)
{
    (void)state;
    for (size_t i = 0; i < REGIONS; i++) {
        TRY_FLIP(regions[i]->base, "ARENA-1");
        TRY_FLIP(regions[i]->granules, "ARENA-1");
        TRY_FLIP(regions[i]->starts, "ARENA-1");
        TRY_FLIP(regions[i]->dead, "ARENA-1");
        TRY_FLIP(regions[i]->range.meta_size, "ARENA-1");
    }
}

static void the_stack_is_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < REGIONS; i++) {
        TRY_FLIP(regions[i]->below, "ARENA-2");
        TRY_FLIP(regions[i]->above, "ARENA-2");
    }
    TRY_FLIP(arena.current, "ARENA-2");
    TRY_FLIP(arena.granules, "ARENA-2");
    TRY_FLIP(arena.starts, "ARENA-2");
    TRY_FLIP(arena.base, "ARENA-2");
    TRY_FLIP(regions[1]->next, "ARENA-2");
}

static void a_circle_in_the_stack(void **state)
{
    (void)state;
    regions[0]->below = regions[1];
    regions[1]->above = regions[0];
    assert_non_null(acre_arena_check(&arena).invariant);
    regions[0]->below = NULL;
    regions[1]->above = NULL;
    assert_null(acre_arena_check(&arena).invariant);
}

/* Two older regions that are linked to each other alone: each link is answered, and the stack is
 * short. */
static void a_circle_beside_the_stack(void **state)
{
    (void)state;
    void *block = acre_arena_alloc(&arena, acre_layout(2500, 1)).ptr;
    assert_non_null(block);
    assert_ptr_equal(arena.current, regions[2]);
    assert_null(acre_arena_check(&arena).invariant);
    regions[2]->below = NULL;
    regions[0]->below = regions[1];
    regions[1]->above = regions[0];
    struct acre_check_result found = acre_arena_check(&arena);
    assert_memory_equal(found.invariant, "ARENA-2", 7);
    assert_ptr_equal(found.where, &arena.current);
}

static void bits_describe_blocks(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        size_t top = arena_top(&arena, regions[i]);
        size_t *last = acre_bitset_word(regions[i]->starts, top - 1);
        size_t *dead = acre_bitset_word(regions[i]->dead, top - 1);
        *last ^= acre_bit(top);
        assert_memory_equal(acre_arena_check(&arena).invariant, "ARENA-3", 7);
        *last ^= acre_bit(top);
        regions[i]->dead[0] ^= 2;
        assert_memory_equal(acre_arena_check(&arena).invariant, "ARENA-4", 7);
        regions[i]->dead[0] ^= 2;
        regions[i]->starts[0] ^= 1;
        assert_memory_equal(acre_arena_check(&arena).invariant, "ARENA-4", 7);
        regions[i]->starts[0] ^= 1;
        *dead ^= acre_bit(top - 1);
        assert_memory_equal(acre_arena_check(&arena).invariant, "ARENA-5", 7);
        *dead ^= acre_bit(top - 1);
        assert_null(acre_arena_check(&arena).invariant);
    }
    regions[2]->starts[1] = 1;
    assert_memory_equal(acre_arena_check(&arena).invariant, "ARENA-3", 7);
}

static void counts_are_kept(void **state)
{
    (void)state;
    TRY_FLIP(arena.live_blocks, "ARENA-6");
    TRY_FLIP(arena.older, "ARENA-6");
    TRY_FLIP(arena.capacity, "ARENA-6");
    TRY_FLIP(arena.regions.total, "ARENA-6");
}

/* No block is counted or read where a top lies beyond its region. */
static void tops_lie_in_their_regions(void **state)
{
    (void)state;
    arena.next += REGION;
    assert_non_null(acre_arena_check(&arena).invariant);
    arena.next -= REGION;
    regions[0]->next = SIZE_MAX;
    assert_non_null(acre_arena_check(&arena).invariant);
}

/* ---- every field, in many ways ---- */

static struct acre_check_result check(void)
{
    return acre_arena_check(&arena);
}

static void every_field_of_a_region(void **state)
{
    struct damage damage = { .check = check, .all = true };
    (void)state;
    void *links[] = { regions[0], regions[1], regions[2], NULL };
    for (size_t i = 0; i < REGIONS; i++) {
        DAMAGE_NUMBER(&damage, regions[i]->base);
        DAMAGE_NUMBER(&damage, regions[i]->granules);
        DAMAGE_NUMBER(&damage, regions[i]->next);
        DAMAGE_NUMBER(&damage, regions[i]->range.start);
        DAMAGE_NUMBER(&damage, regions[i]->range.meta_size);
        DAMAGE_LINK(&damage, regions[i]->below, links);
        DAMAGE_LINK(&damage, regions[i]->above, links);
        DAMAGE_LINK(&damage, regions[i]->range.prev, links);
        regions[i]->range.integers = true;
        assert_memory_equal(check().invariant, "ARENA-1", 7);
        regions[i]->range.integers = false;
        DAMAGE_NUMBER(&damage, regions[i]->range.size);
    }
}

static void every_field_of_the_control_structure(void **state)
{
    struct damage damage = { .check = check, .all = true };
    void *links[] = { regions[0], regions[1], regions[2], NULL };
    (void)state;
    DAMAGE_LINK(&damage, arena.current, links);
    DAMAGE_NUMBER(&damage, arena.granules);
    DAMAGE_NUMBER(&damage, arena.base);
    DAMAGE_NUMBER(&damage, arena.live_blocks);
    DAMAGE_NUMBER(&damage, arena.older);
    DAMAGE_NUMBER(&damage, arena.capacity);
    DAMAGE_NUMBER(&damage, arena.regions.total);
    damage.all = false; /* a top may be that of a smaller last block */
    DAMAGE_NUMBER(&damage, arena.next);
    assert_true(damage.named > 100);
}

static void every_field_of_an_arena_not_in_use(void **state)
{
    struct damage damage = { .check = check, .all = true };
    (void)state;
    acre_arena_reset(&arena);
    assert_null(arena.current);
    for (size_t i = 0; i < 2; i++) {
        DAMAGE_NUMBER(&damage, arena.next);
        DAMAGE_NUMBER(&damage, arena.granules);
        DAMAGE_NUMBER(&damage, arena.base);
        DAMAGE_NUMBER(&damage, arena.live_blocks);
        DAMAGE_NUMBER(&damage, arena.older);
        damage_with(&damage, &arena.starts, &regions[0], sizeof arena.starts, 0);
        memset(&arena, 0, sizeof arena); /* and of one without memory */
    }
}

static void a_region_without_live_blocks_in_use(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        size_t was = regions[i]->dead[0];
        size_t *words = regions[i]->dead;
        size_t count = arena_words(regions[i]->granules);
        static size_t kept[64];
        memcpy(kept, words, count * sizeof *words);
        memcpy(words, regions[i]->starts, count * sizeof *words);
        assert_memory_equal(check().invariant, "ARENA-5", 7);
        memcpy(words, kept, count * sizeof *words);
        assert_int_equal(regions[i]->dead[0], was);
        assert_null(check().invariant);
    }
}

/* Whatever the bits say, find returns. */
static void find_among_damaged_bits(void **state)
{
    (void)state;
    struct acre_block found = acre_arena_find(&arena, arena_address(regions[0], 3));
    assert_int_equal(found.status, ACRE_OK);
    memset(regions[0]->starts, 0, arena_words(regions[0]->granules) * sizeof(size_t));
    for (size_t at = 0; at < regions[0]->next; at++)
        assert_int_equal(
            acre_arena_find(&arena, arena_address(regions[0], at)).status, ACRE_NOT_ALLOCATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(regions_are_described, make),
        cmocka_unit_test_setup(the_stack_is_sound, make),
        cmocka_unit_test_setup(a_circle_in_the_stack, make),
        cmocka_unit_test_setup(a_circle_beside_the_stack, make),
        cmocka_unit_test_setup(bits_describe_blocks, make),
        cmocka_unit_test_setup(counts_are_kept, make),
        cmocka_unit_test_setup(tops_lie_in_their_regions, make),
        cmocka_unit_test_setup(every_field_of_a_region, make),
        cmocka_unit_test_setup(every_field_of_the_control_structure, make),
        cmocka_unit_test_setup(every_field_of_an_arena_not_in_use, make),
        cmocka_unit_test_setup(a_region_without_live_blocks_in_use, make),
        cmocka_unit_test_setup(find_among_damaged_bits, make),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
