/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What proofs of headers and links see that no test of whole verbs comes to
 * (ACRE_HARDEN_METADATA). Each case writes over one place, and the verb beside it refuses or loses
 * that block alone. */
#include "damaged_heap.h"

#include <string.h>

enum { UNIT = 300 * ACRE_TLSF_GRANULE, META = sizeof outside / 2 };

/* Writes a free block of another span over one: its header, and what the block after it says. */
static void forge(struct acre_tlsf_block *at, size_t span)
{
    struct acre_tlsf_block *next = tlsf_after(at, span);
    *tlsf_header(at) = (acre_tlsf_field)(span | TLSF_FREE);
    *tlsf_header(next) |= TLSF_PREV_FREE;
    *tlsf_size_before(next) = (acre_tlsf_field)span;
}

static void refuse(struct acre_tlsf_block *at)
{
    size_t live = tlsf.live_blocks;
    assert_int_equal(acre_tlsf_dealloc(&tlsf, at), ACRE_NOT_ALLOCATED);
    assert_int_equal(tlsf.live_blocks, live);
}

static struct acre_tlsf_block *take(size_t granules)
{
    return acre_tlsf_alloc(&tlsf, acre_layout(granules * GRANULE - TLSF_HEADER, 1)).ptr;
}

/* ---- lists ---- */

/* The first block of a list of one size claims to be as long as it and its neighbour together. */
static void a_longer_block_in_a_short_list(void **state)
{
    (void)state;
    set_up();
    size_t list = tlsf_list(3);
    assert_ptr_equal(tlsf_first(&tlsf, list), block[3]);
    forge(block[3], tlsf_span_between(block[3], block[6]));
    struct acre_ptr got =
        acre_tlsf_alloc(&tlsf, acre_layout(3 * GRANULE - TLSF_HEADER, 2 * GRANULE));
    assert_ptr_not_equal(got.ptr, block[3]);
    assert_null(tlsf_first(&tlsf, list));
}

static void a_longer_block_in_a_long_list(void **state)
{
    (void)state;
    set_up();
    struct acre_tlsf_block *far = take(290);
    struct acre_tlsf_block *large = take(100);
    struct acre_tlsf_block *wall = take(40);
    assert_ptr_equal(far, block[5]); /* what is left of it is small */
    assert_int_equal(acre_tlsf_dealloc(&tlsf, far), ACRE_OK);
    size_t list = tlsf_list(300);
    assert_ptr_equal(tlsf_first(&tlsf, list), block[5]);
    assert_non_null(large);
    forge(block[5], tlsf_span_between(block[5], wall));
    assert_true(tlsf_list(tlsf_span(block[5]) / 4) != list);
    assert_ptr_not_equal(take(299), block[5]);
    assert_null(tlsf_first(&tlsf, list));
}

/* The first two links of a list lead to its first block. */
static void a_link_to_itself(void **state)
{
    (void)state;
    set_up();
    size_t list = tlsf_list(3);
    block[3]->next = block[3];
    block[3]->prev = block[3];
    assert_ptr_equal(tlsf_first(&tlsf, list), block[3]);
    (void)take(3);
    (void)take(3);
    assert_null(tlsf_first(&tlsf, list));
    assert_int_equal(tlsf.live_blocks, 6); /* the four from before, and no block twice */
}

/* ---- live blocks ---- */

/* A block that claims to reach to the end of the region, where no header can be. */
static void a_block_up_to_the_end_of_the_region(void **state)
{
    (void)state;
    set_up();
    acre_tlsf_field *header = tlsf_header(block[6]);
    const void *end = (void *)(region()->base + region()->granules * GRANULE);
    acre_tlsf_field was = *header;
    *header = (acre_tlsf_field)tlsf_span_between(block[6], end);
    refuse(block[6]);
    *header = (acre_tlsf_field)(tlsf_span_between(block[6], end) + 4);
    refuse(block[6]);
    *header = was;
    assert_null(acre_tlsf_check(&tlsf).invariant);
    assert_int_equal(acre_tlsf_dealloc(&tlsf, block[6]), ACRE_OK);
}

/* The same where the region ends within a granule, whose sentinel stands below. */
static void a_block_over_the_last_granule(void **state)
{
    (void)state;
    assert_int_equal(acre_tlsf_init(&tlsf, memory, sizeof memory - GRANULE / 2), ACRE_OK);
    struct acre_tlsf_block *only = take(8);
    const void *end = memory + sizeof memory;
    assert_ptr_equal((void *)(region()->base + region()->granules * GRANULE), end);
    acre_tlsf_field was = *tlsf_header(only);
    *tlsf_header(only) = (acre_tlsf_field)tlsf_span_between(only, end);
    refuse(only);
    *tlsf_header(only) = was;
    assert_int_equal(acre_tlsf_dealloc(&tlsf, only), ACRE_OK);
}

/* Between live blocks: the block above says that the one below it is free. */
static void a_flag_above_a_block(void **state)
{
    (void)state;
    set_up();
    struct acre_tlsf_block *low = take(20);
    struct acre_tlsf_block *high = take(20);
    assert_ptr_equal(tlsf_after(low, tlsf_span(low)), high);
    *tlsf_header(high) |= TLSF_PREV_FREE;
    refuse(low);
    *tlsf_header(high) ^= TLSF_PREV_FREE;
    *tlsf_header(high) |= TLSF_FREE;
    refuse(low);
    *tlsf_header(high) ^= TLSF_FREE;
    assert_int_equal(acre_tlsf_dealloc(&tlsf, low), ACRE_OK);
}

/* Numbers that lead out of the address space, where headers have whole words; else far away. */
static void numbers_beyond_all_memory(void **state)
{
    (void)state;
    set_up();
    acre_tlsf_field was = *tlsf_header(block[2]);
    acre_tlsf_field before = *tlsf_size_before(block[2]);
    *tlsf_header(block[2]) = (acre_tlsf_field) ~(acre_tlsf_field)TLSF_FLAGS;
    refuse(block[2]);
    *tlsf_header(block[2]) = was;
    *tlsf_size_before(block[2]) = (acre_tlsf_field) ~(acre_tlsf_field)TLSF_FLAGS;
    refuse(block[2]);
    *tlsf_size_before(block[2]) = before;
    assert_null(acre_tlsf_check(&tlsf).invariant);
    *tlsf_header(block[3]) = (acre_tlsf_field) ~(acre_tlsf_field)TLSF_PREV_FREE;
    size_t list = tlsf_list(3);
    assert_ptr_not_equal(
        acre_tlsf_alloc(&tlsf, acre_layout(3 * GRANULE - TLSF_HEADER, 2 * GRANULE)).ptr, block[3]);
    assert_null(tlsf_first(&tlsf, list));
}

/* A block of a large list whose link leads to a header that no block can have. */
static void a_link_to_a_number_beyond_all_memory(void **state)
{
    (void)state;
    struct acre_tlsf_block *large[3];
    assert_int_equal(acre_tlsf_init(&tlsf, memory, sizeof memory), ACRE_OK);
    for (size_t i = 0; i < 3; i++) {
        large[i] = take(264);
        assert_non_null(take(40));
    }
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(acre_tlsf_dealloc(&tlsf, large[i]), ACRE_OK);
    size_t list = tlsf_list(264);
    assert_ptr_equal(tlsf_top(&tlsf), large[0]);
    assert_ptr_equal(tlsf_first(&tlsf, list), large[2]);
    assert_ptr_equal(large[2]->next, large[1]);
    *tlsf_header(large[1]) = (acre_tlsf_field) ~(acre_tlsf_field)TLSF_PREV_FREE;
    assert_ptr_equal(take(264), large[2]);
    assert_null(tlsf_first(&tlsf, list)); /* what the link led to is lost */
}

/* ---- several regions ---- */

/* A free block claims to end among the metadata of the region above. */
static void an_end_in_metadata(void **state)
{
    (void)state;
    unsigned char *half = memory + sizeof memory / 2;
    assert_int_equal(acre_tlsf_init(&tlsf, half, sizeof memory / 2), ACRE_OK);
    assert_int_equal(acre_tlsf_add_memory(&tlsf, memory, sizeof memory / 2), ACRE_OK);
    struct acre_tlsf_block *freed = take(3);
    assert_non_null(take(3));
    assert_true((unsigned char *)freed < half); /* the first region's block is the top block */
    assert_int_equal(acre_tlsf_dealloc(&tlsf, freed), ACRE_OK);
    size_t list = tlsf_list(3);
    assert_ptr_equal(tlsf_first(&tlsf, list), freed);
    *tlsf_header(freed) =
        (acre_tlsf_field)(tlsf_span_between(freed, half + 2 * GRANULE) | TLSF_FREE);
    struct acre_ptr got =
        acre_tlsf_alloc(&tlsf, acre_layout(3 * GRANULE - TLSF_HEADER, 2 * GRANULE));
    assert_ptr_not_equal(got.ptr, freed);
    assert_ptr_not_equal(tlsf_first(&tlsf, list), freed);
}

static void add_unit(size_t index)
{
    assert_int_equal(acre_tlsf_add_memory_apart(
                         &tlsf, memory + index * UNIT, UNIT, outside + index * META, META),
        ACRE_OK);
}

static struct acre_tlsf_region *unit(size_t index)
{
    return (struct acre_tlsf_region *)acre_regions_starting_at(
        &tlsf.regions, (uintptr_t)memory + index * UNIT);
}

/* Whether two regions that adjoin are joined when the one at `last` is added after the other, whose
 * block at the seam is damaged or not. */
static bool joins(size_t last, bool damaged)
{
    memset(&tlsf, 0, sizeof tlsf);
    add_unit(1 - last);
    struct acre_tlsf_block *at = unit(1 - last)->first;
    if (damaged)
        *tlsf_header(at) ^= 64;
    add_unit(last);
    return unit(1)->joined;
}

static void a_seam_beside_damage_stays(void **state)
{
    (void)state;
    for (size_t last = 0; last < 2; last++) {
        assert_true(joins(last, false));
        assert_false(joins(last, true));
    }
}

/* Seams with a live block on one side. */
static void a_seam_beside_a_live_block(void **state)
{
    (void)state;
    for (size_t last = 0; last < 2; last++) {
        memset(&tlsf, 0, sizeof tlsf);
        add_unit(1 - last);
        assert_non_null(take(acre_tlsf_stats(&tlsf).largest_free / GRANULE + 1));
        add_unit(last);
        assert_true(unit(1)->joined);
        assert_null(acre_tlsf_check(&tlsf).invariant);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_longer_block_in_a_short_list),
        cmocka_unit_test(a_longer_block_in_a_long_list),
        cmocka_unit_test(a_link_to_itself),
        cmocka_unit_test(a_block_up_to_the_end_of_the_region),
        cmocka_unit_test(a_block_over_the_last_granule),
        cmocka_unit_test(a_flag_above_a_block),
        cmocka_unit_test(numbers_beyond_all_memory),
        cmocka_unit_test(a_link_to_a_number_beyond_all_memory),
        cmocka_unit_test(an_end_in_metadata),
        cmocka_unit_test(a_seam_beside_damage_stays),
        cmocka_unit_test(a_seam_beside_a_live_block),
    };
    return cmocka_run_group_tests_name("tlsf.hardened", tests, NULL, NULL);
}
