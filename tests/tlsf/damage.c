/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's checker: one field of the metadata is damaged, and exactly the invariant that it breaks is
 * named, in the right place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "damaged_heap.h"

static unsigned char metadata[2048];

/* Damages, and says where the checker must find it; null where any place will do. */
typedef const void *damage_fn(void);

struct damage {
    const char *name;
    const char *broken; /* "TLSF-n:" */
    damage_fn *apply;
};

static size_t *live_word(const void *at, size_t *bit)
{
    size_t offset = tlsf_offset(region()->base, at);
    *bit = tlsf_bit(offset);
    return &region()->live_map[offset >> TLSF_WORD_LOG2];
}

/* ---- TLSF-1: regions ---- */

static const void *move_start(void)
{
    region()->range.start += GRANULE;
    return region();
}

static const void *wrap_region(void)
{
    region()->range.size = SIZE_MAX;
    return region();
}

static const void *count_one_granule_more(void)
{
    region()->granules++;
    return region();
}

static const void *move_first_out(void)
{
    region()->first = tlsf_before(region()->first, 4096);
    return region();
}

static const void *move_last_out(void)
{
    region()->last = tlsf_after(region()->last, 4);
    return region();
}

static const void *misalign_last(void)
{
    region()->last = (void *)((uintptr_t)region()->last - 1);
    return region();
}

static const void *move_map(void)
{
    region()->live_map++;
    return region();
}

static const void *join_with_nothing(void)
{
    region()->joined = true;
    return region();
}

static const void *close_the_list_of_regions(void)
{
    region()->range.next = &region()->range;
    return region();
}

/* ---- TLSF-2: spans ---- */

static const void *lengthen_past_the_end(void)
{
    *tlsf_header(block[6]) += 4096;
    return block[6];
}

static const void *shorten_to_nothing(void)
{
    *tlsf_header(block[0]) = 0;
    return block[0];
}

static const void *shorten_below_the_smallest(void)
{
    *tlsf_header(block[0]) = 4;
    return block[0];
}

static const void *extend_the_sentinel(void)
{
    *tlsf_header(region()->last) |= TLSF_MIN_SPAN;
    return region()->last;
}

static const void *free_the_sentinel(void)
{
    *tlsf_header(region()->last) |= TLSF_FREE;
    return region()->last;
}

/* ---- TLSF-3, TLSF-4: neighbours ---- */

static const void *flag_as_free(void)
{
    *tlsf_header(block[2]) |= TLSF_FREE;
    return block[2];
}

static const void *forget_free_neighbour(void)
{
    *tlsf_header(block[2]) &= ~(acre_tlsf_field)TLSF_PREV_FREE;
    return block[2];
}

static const void *invent_free_neighbour(void)
{
    *tlsf_header(block[1]) |= TLSF_PREV_FREE;
    return block[1];
}

static const void *change_size_at_the_end(void)
{
    *tlsf_size_before(block[2]) += 4;
    return block[2];
}

static const void *forget_free_neighbour_at_the_end(void)
{
    *tlsf_header(region()->last) &= ~(acre_tlsf_field)TLSF_PREV_FREE;
    return region()->last;
}

/* ---- TLSF-5: live bits ---- */

static const void *toggle_live(const void *at)
{
    size_t bit = 0;
    size_t *word = live_word(at, &bit);
    *word ^= bit;
    return at;
}

static const void *clear_live_bit(void)
{
    return toggle_live(block[2]);
}

static const void *clear_last_live_bit(void)
{
    return toggle_live(block[6]);
}

static const void *set_live_bit_inside(void)
{
    return toggle_live(tlsf_after(block[2], 4));
}

static const void *set_live_bit_of_a_free_block(void)
{
    return toggle_live(block[3]);
}

static const void *set_live_bit_of_metadata(void)
{
    return toggle_live((void *)region()->base);
}

static const void *set_live_bit_at_the_end(void)
{
    return toggle_live(tlsf_before(region()->last, 4));
}

/* ---- TLSF-6, TLSF-7: lists; list 1 holds the blocks of three granules, first the later freed ----
 */

static const void *lose_the_second(void)
{
    block[3]->next = NULL;
    tlsf.last[1] = block[3];
    return tlsf.first;
}

static const void *close_a_list(void)
{
    block[1]->next = block[3];
    return block[3];
}

static const void *link_to_a_live_block(void)
{
    block[3]->next = block[2];
    return block[3];
}

static const void *link_out_of_the_region(void)
{
    block[3]->next = (void *)(uintptr_t)GRANULE;
    return block[3];
}

static const void *begin_out_of_the_region(void)
{
    tlsf.first[1] = (void *)outside;
    return &tlsf.first[1];
}

static const void *break_a_link_back(void)
{
    block[1]->prev = block[0];
    return block[1];
}

static const void *break_the_last(void)
{
    tlsf.last[1] = block[3];
    return &tlsf.last[1];
}

static const void *swap_lists(void)
{
    size_t large = tlsf_list(300);
    struct acre_tlsf_block *first = tlsf.first[1];
    tlsf.first[1] = tlsf.first[large];
    tlsf.first[large] = first;
    return block[5];
}

static const void *forget_the_top(void)
{
    tlsf.top = NULL;
    return tlsf.first;
}

static const void *list_the_top(void)
{
    tlsf.top = block[5];
    return block[5];
}

static const void *make_a_small_block_the_top(void)
{
    tlsf.top = block[3];
    return &tlsf.top;
}

static const void *move_the_top_out(void)
{
    tlsf.top = (void *)outside;
    return &tlsf.top;
}

static const void *hide_a_list(void)
{
    tlsf.nonempty[0] &= tlsf_all_but(1);
    return &tlsf.first[1];
}

static const void *show_an_empty_list(void)
{
    tlsf.nonempty[0] |= tlsf_bit(5);
    return &tlsf.first[5];
}

static const void *hide_a_word(void)
{
    tlsf.summary &= tlsf_all_but(0);
    return &tlsf.summary;
}

static const void *show_an_empty_word(void)
{
    tlsf.summary |= tlsf_bit(1);
    return &tlsf.summary;
}

static const void *show_a_word_too_many(void)
{
    tlsf.summary |= tlsf_bit(ACRE_TLSF_WORD_BITS - 1);
    return &tlsf.summary;
}

/* ---- TLSF-8, TLSF-9: accounts, the cached region ---- */

static const void *count_one_block_more(void)
{
    tlsf.live_blocks++;
    return &tlsf.live_blocks;
}

static const void *raise_the_peak(void)
{
    tlsf.peak += 4;
    return &tlsf.headroom;
}

static const void *rise_above_the_peak(void)
{
    tlsf.peak -= 8;
    tlsf.headroom = -8;
    return &tlsf.headroom;
}

static const void *lower_the_capacity(void)
{
    tlsf.capacity -= 4;
    return &tlsf.capacity;
}

static const void *raise_the_total(void)
{
    tlsf.regions.total++;
    return &tlsf.regions.total;
}

static const void *cache_another_region(void)
{
    tlsf.base += GRANULE;
    return &tlsf.base;
}

static const void *cache_no_map(void)
{
    tlsf.live_map = NULL;
    return &tlsf.base;
}

static const struct damage damages[] = {
    { "region starts later", "TLSF-1:", move_start },
    { "region wraps", "TLSF-1:", wrap_region },
    { "region has a granule more", "TLSF-1:", count_one_granule_more },
    { "first block before the region", "TLSF-1:", move_first_out },
    { "sentinel after the region", "TLSF-1:", move_last_out },
    { "sentinel off the granule", "TLSF-1:", misalign_last },
    { "live map elsewhere", "TLSF-1:", move_map },
    { "joined with nothing", "TLSF-1:", join_with_nothing },
    { "regions in a ring", "TLSF-1:", close_the_list_of_regions },
    { "span past the end", "TLSF-2:", lengthen_past_the_end },
    { "span of nothing", "TLSF-2:", shorten_to_nothing },
    { "span below the smallest", "TLSF-2:", shorten_below_the_smallest },
    { "sentinel with a span", "TLSF-2:", extend_the_sentinel },
    { "sentinel free", "TLSF-2:", free_the_sentinel },
    { "free flag in a live block", "TLSF-3:", flag_as_free },
    { "flag of a free neighbour lost", "TLSF-4:", forget_free_neighbour },
    { "flag of a free neighbour invented", "TLSF-4:", invent_free_neighbour },
    { "size at a free block's end", "TLSF-4:", change_size_at_the_end },
    { "flag of the sentinel", "TLSF-4:", forget_free_neighbour_at_the_end },
    { "live bit cleared", "TLSF-5:", clear_live_bit },
    { "last live bit cleared", "TLSF-5:", clear_last_live_bit },
    { "live bit inside a block", "TLSF-5:", set_live_bit_inside },
    { "live bit of a free block", "TLSF-5:", set_live_bit_of_a_free_block },
    { "live bit of metadata", "TLSF-5:", set_live_bit_of_metadata },
    { "live bit at the end", "TLSF-5:", set_live_bit_at_the_end },
    { "block in no list", "TLSF-6:", lose_the_second },
    { "list in a ring", "TLSF-6:", close_a_list },
    { "list runs into a live block", "TLSF-6:", link_to_a_live_block },
    { "list runs out of the region", "TLSF-6:", link_out_of_the_region },
    { "list begins out of the region", "TLSF-6:", begin_out_of_the_region },
    { "link back", "TLSF-6:", break_a_link_back },
    { "last of a list", "TLSF-6:", break_the_last },
    { "block in the wrong list", "TLSF-6:", swap_lists },
    { "top block in no place", "TLSF-6:", forget_the_top },
    { "top block in a list", "TLSF-6:", list_the_top },
    { "top block small", "TLSF-6:", make_a_small_block_the_top },
    { "top block out of the region", "TLSF-6:", move_the_top_out },
    { "bit of a list lost", "TLSF-7:", hide_a_list },
    { "bit of an empty list", "TLSF-7:", show_an_empty_list },
    { "bit of a word lost", "TLSF-7:", hide_a_word },
    { "bit of an empty word", "TLSF-7:", show_an_empty_word },
    { "bit of no word", "TLSF-7:", show_a_word_too_many },
    { "live blocks", "TLSF-8:", count_one_block_more },
    { "peak", "TLSF-8:", raise_the_peak },
    { "used above the peak", "TLSF-8:", rise_above_the_peak },
    { "capacity", "TLSF-8:", lower_the_capacity },
    { "total", "TLSF-8:", raise_the_total },
    { "cached region", "TLSF-9:", cache_another_region },
    { "cached region without a map", "TLSF-9:", cache_no_map },
};

/* The check sees the damage, names it, and leaves every byte as it is. */
static void run_damage(void **state)
{
    static unsigned char before[sizeof(memory)];
    static struct acre_tlsf tlsf_before;
    const struct damage *damage = *state;
    set_up();
    const void *where = damage->apply();
    memcpy(before, memory, sizeof(memory));
    memcpy(&tlsf_before, &tlsf, sizeof(tlsf));
    struct acre_check_result result = acre_tlsf_check(&tlsf);
    assert_non_null(result.invariant);
    assert_memory_equal(result.invariant, damage->broken, strlen(damage->broken));
    assert_ptr_equal(result.where, where);
    assert_memory_equal(memory, before, sizeof(memory));
    assert_memory_equal(&tlsf, &tlsf_before, sizeof(tlsf));
}

/* Two regions that adjoin, the upper one's metadata apart: the seam is no boundary. */
static void regions_are_compared(void **state)
{
    (void)state;
    unsigned char *half = memory + sizeof(memory) / 2;
    assert_int_equal(acre_tlsf_init(&tlsf, memory, sizeof(memory) / 2), ACRE_OK);
    assert_int_equal(
        acre_tlsf_add_memory_apart(&tlsf, half, sizeof(memory) / 2, metadata, sizeof(metadata)),
        ACRE_OK);
    assert_null(acre_tlsf_check(&tlsf).invariant);
    struct acre_tlsf_region *high = tlsf_next_region(region());
    high->range.start += GRANULE;
    high->base += GRANULE;
    high->range.size -= GRANULE;
    high->granules--;
    struct acre_check_result result = acre_tlsf_check(&tlsf);
    assert_memory_equal(result.invariant, "TLSF-1:", 7);
    assert_ptr_equal(result.where, high);
}

int main(void)
{
    enum { DAMAGES = sizeof(damages) / sizeof(damages[0]) };
    struct CMUnitTest tests[DAMAGES + 1];
    for (size_t i = 0; i < DAMAGES; i++)
        tests[i] = (struct CMUnitTest){ damages[i].name, run_damage, NULL, NULL,
            (void *)(uintptr_t)&damages[i] };
    tests[DAMAGES] = (struct CMUnitTest)cmocka_unit_test(regions_are_compared);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
