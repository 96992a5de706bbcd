/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Regions longer than TLSF's largest block, which hold several chains. Address space without
 * memory: only headers, links and live maps are touched. */
#include "tlsf/tlsf_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

enum { SMALL = 4096 };

/* A chain of the greatest length, with its sentinel. */
static const uint64_t chain = (4 * (uint64_t)TLSF_MAX_GRANULES + 4) * TLSF_QUARTER;

static struct acre_tlsf tlsf;
static unsigned char *space;
static size_t space_size;

static bool is_reserved(size_t size)
{
    space = mmap(
        NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    space_size = size;
    memset(&tlsf, 0, sizeof tlsf);
    return space != MAP_FAILED;
}

/* Skips where the address space, or the block size, is not such that a region could have several
 * chains. */
static void reserve(uint64_t size)
{
    if (sizeof(void *) < 8 || sizeof(acre_tlsf_field) > 4 || !is_reserved((size_t)size))
        skip();
}

static void release(void)
{
    assert_int_equal(munmap(space, space_size), 0);
}

static void assert_sound(void)
{
    struct acre_check_result found = acre_tlsf_check(&tlsf);
    if (found.invariant != NULL)
        fail_msg("%s at %p", found.invariant, found.where);
}

static size_t largest_size(void)
{
    return tlsf_usable(4 * TLSF_MAX_GRANULES);
}

static void *take(size_t size)
{
    return acre_tlsf_alloc(&tlsf, acre_layout(size, 1)).ptr;
}

static void give(void *ptr)
{
    assert_int_equal(acre_tlsf_dealloc(&tlsf, ptr), ACRE_OK);
}

struct seen {
    size_t blocks;
    size_t most; /* to visit; 0: all */
};

static bool see(void *arg, void *start, size_t size, bool live)
{
    struct seen *seen = arg;
    (void)start;
    (void)size;
    (void)live;
    return ++seen->blocks != seen->most;
}

static size_t count_blocks(size_t most)
{
    struct seen seen = { 0, most };
    acre_tlsf_walk(&tlsf, see, &seen);
    return seen.blocks;
}

static void count_releases(void *count, size_t blocks)
{
    assert_true(blocks != 0);
    ++*(size_t *)count;
}

static void two_chains(void **state)
{
    (void)state;
    reserve(chain + chain / 64);
    size_t released = 0;
    assert_int_equal(acre_tlsf_init(&tlsf, space, space_size), ACRE_OK);
    acre_tlsf_set_on_released(&tlsf, count_releases, &released);
    assert_sound();
    assert_int_equal(count_blocks(0), 2);
    assert_int_equal(count_blocks(1), 1);
    unsigned char *first = take(largest_size());
    unsigned char *second = take(SMALL);
    assert_non_null(first);
    assert_true(second - first == (ptrdiff_t)chain);
    assert_null(take(largest_size()));
    assert_int_equal(acre_tlsf_remove_memory(&tlsf, space), ACRE_INVALID_PARAM);
    assert_int_equal(
        acre_tlsf_find(&tlsf, second + 5).size, acre_tlsf_usable_size(&tlsf, second).num);
    assert_ptr_equal(acre_tlsf_find(&tlsf, first + chain / 2).start, first);
    assert_false(acre_tlsf_is_region_idle(&tlsf, space));
    give(second);
    assert_int_equal(released, 1); /* of the last chain, whatever the first one holds */
    assert_int_equal(acre_tlsf_remove_memory(&tlsf, space), ACRE_INVALID_PARAM);
    give(first);
    assert_int_equal(released, 2);
    assert_true(acre_tlsf_is_region_idle(&tlsf, space));
    assert_sound();
    acre_tlsf_reset(&tlsf);
    assert_int_equal(count_blocks(0), 2);
    second = take(largest_size() / 128); /* the first chain is free, the second one is not */
    assert_non_null(second);
    assert_int_equal(acre_tlsf_remove_memory(&tlsf, space), ACRE_INVALID_PARAM);
    give(second);
    assert_int_equal(acre_tlsf_remove_memory(&tlsf, space), ACRE_OK);
    assert_int_equal(acre_tlsf_stats(&tlsf).total, 0);
    assert_sound();
    release();
}

/* A sentinel that is marked free, and one that does not stand where a chain has its greatest
 * length. */
static void a_sentinel_out_of_place(void **state)
{
    (void)state;
    reserve(chain + chain / 64);
    assert_int_equal(acre_tlsf_init(&tlsf, space, space_size), ACRE_OK);
    struct acre_tlsf_block *first = tlsf_first_region(&tlsf)->first;
    struct acre_tlsf_block *middle = tlsf_after(first, 4 * TLSF_MAX_GRANULES);
    *tlsf_header(middle) |= TLSF_FREE;
    assert_memory_equal(acre_tlsf_check(&tlsf).invariant, "TLSF-2", 6);
    *tlsf_header(middle) &= (acre_tlsf_field) ~(acre_tlsf_field)TLSF_FREE;
    struct acre_tlsf_block *block = take(SMALL);
    assert_sound();
    acre_tlsf_field was = *tlsf_header(block);
    *tlsf_header(block) = 0;
    assert_memory_equal(acre_tlsf_check(&tlsf).invariant, "TLSF-2", 6);
    *tlsf_header(block) = was;
    assert_sound();
    release();
}

/* What a first chain leaves is a sentinel's, or a granule more: no block. */
static void nothing_is_left_for_a_second_chain(void **state)
{
    (void)state;
    for (size_t rest = 0; rest <= ACRE_TLSF_GRANULE; rest += ACRE_TLSF_GRANULE) {
        reserve(2 * chain);
        size_t size = (size_t)chain + ACRE_TLSF_GRANULE + rest;
        size_t meta = acre_tlsf_metadata_size(size);
        assert_int_equal(
            acre_tlsf_add_memory_apart(&tlsf, space, size, space + size + ACRE_TLSF_GRANULE, meta),
            ACRE_OK);
        assert_sound();
        assert_int_equal(count_blocks(0), 1);
        assert_non_null(take(largest_size()));
        assert_null(take(1));
        assert_sound();
        release();
    }
}

/* Two regions that adjoin are joined unless a block could then be too long. */
static void long_regions_are_not_joined(void **state)
{
    (void)state;
    reserve(2 * chain);
    size_t size = (size_t)(chain / 2 + chain / 16);
    unsigned char *meta = space + 2 * size;
    size_t meta_size = acre_tlsf_metadata_size(size);
    assert_int_equal(acre_tlsf_add_memory_apart(&tlsf, space, size, meta, meta_size), ACRE_OK);
    assert_int_equal(
        acre_tlsf_add_memory_apart(&tlsf, space + size, size, meta + meta_size, meta_size),
        ACRE_OK);
    assert_sound();
    assert_int_equal(count_blocks(0), 2);
    assert_null(take(size));
    assert_non_null(take(size / 16 * 15));
    assert_non_null(take(size / 16 * 15));
    assert_sound();
    release();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_chains),
        cmocka_unit_test(a_sentinel_out_of_place),
        cmocka_unit_test(nothing_is_left_for_a_second_chain),
        cmocka_unit_test(long_regions_are_not_joined),
    };
    return cmocka_run_group_tests_name("tlsf.huge", tests, NULL, NULL);
}
