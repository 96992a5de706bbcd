/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Situations that decide a condition alone: where no new slab fits, and what old slabs leave. */
#include "slab/slab_tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { PAGE = 1024, REGIONS = 16, REGION = 64 << 10, MOST = 4096 };

static struct acre_slab slab;
static _Alignas(4096) unsigned char memory[REGIONS * 2 * REGION];
static void *blocks[MOST];

static void assert_sound(void)
{
    struct acre_check_result found = acre_slab_check(&slab);
    if (found.invariant != NULL)
        fail_msg("%s at %p", found.invariant, found.where);
}

static void *take(size_t size, size_t align)
{
    void *ptr = acre_slab_alloc(&slab, acre_layout(size, align)).ptr;
    assert_non_null(ptr);
    return ptr;
}

static void give(void *ptr)
{
    assert_int_equal(acre_slab_dealloc(&slab, ptr), ACRE_OK);
}

static size_t fill(size_t size)
{
    size_t count = 0;
    while (
        count < MOST && (blocks[count] = acre_slab_alloc(&slab, acre_layout(size, 1)).ptr) != NULL)
        count++;
    return count;
}

static struct acre_slab_page *slab_of(const void *ptr)
{
    struct slab_block block;
    assert_true(acre_slab_find_block(&slab, ptr, &block));
    return block.page;
}

/* Many regions, each with few pages: a free run is long enough for memory to be ample, and too
 * short for a slab of the usual length. A slab with one free object serves then. */
static void a_nearly_full_slab_serves_where_no_slab_fits(void **state)
{
    enum { OBJECT = 1000, RUN = 6 * PAGE };
    (void)state;
    memset(&slab, 0, sizeof slab);
    assert_int_equal(acre_slab_setup(&slab, PAGE), ACRE_OK);
    for (size_t i = 0; i < REGIONS; i++)
        assert_int_equal(acre_slab_add_memory(&slab, memory + i * 2 * REGION, REGION), ACRE_OK);
    void *freed = take(OBJECT, 1);
    struct acre_slab_page *first = slab_of(freed);
    unsigned size_class = first->size_class;
    while (slab.current[size_class] == first)
        take(OBJECT, 1); /* the last one begins another slab, */
    while (slab_has_free(slab.current[size_class], slab.current_count[size_class]))
        take(OBJECT, 1); /* which fills up */
    size_t runs = fill(RUN);
    assert_true(runs > REGIONS);
    give(freed);
    give(blocks[runs / 2]);
    size_t usual = slab.slab_pages[size_class];
    if (usual > slab.capacity / SLAB_LENGTH_DIVISOR)
        usual = slab.capacity / SLAB_LENGTH_DIVISOR;
    assert_true(slab_is_memory_ample(&slab));
    assert_true(acre_slab_run_longest(&slab) < usual);
    assert_false(slab_is_reusable(first));
    assert_ptr_equal(take(OBJECT, 1), freed);
    assert_sound();
}

/* A record inside a live run still says where a slab began that is gone. */
static void an_old_slab_adds_no_pages(void **state)
{
    enum { SIZE = 16 * PAGE };
    (void)state;
    size_t tried = 0;
    for (size_t skip = 0; skip < 2 * PAGE; skip += PAGE) {
        memset(&slab, 0, sizeof slab);
        assert_int_equal(acre_slab_setup(&slab, PAGE), ACRE_OK);
        assert_int_equal(acre_slab_init(&slab, memory + skip, SIZE), ACRE_OK);
        size_t all = acre_slab_stats(&slab).largest_free;
        unsigned char *old = take(4 * PAGE, 1);
        give(old);
        give(take(all, 1));
        unsigned char *low = take(2 * PAGE, 1);
        assert_ptr_equal(low, old);
        unsigned char *run = take(2 * PAGE, 2 * PAGE);
        if (run != low + 2 * PAGE)
            continue; /* the pages begin at another alignment */
        unsigned char *high = take(4 * PAGE, 1);
        assert_ptr_equal(high, run + 2 * PAGE);
        give(low);
        give(high);
        assert_int_equal(acre_slab_stats(&slab).largest_free, all - 4 * PAGE);
        assert_int_equal(acre_slab_dealloc(&slab, take(all - 4 * PAGE, 1)), ACRE_OK);
        assert_sound();
        tried++;
    }
    assert_int_equal(tried, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nearly_full_slab_serves_where_no_slab_fits),
        cmocka_unit_test(an_old_slab_adds_no_pages),
    };
    return cmocka_run_group_tests_name("slab conditions", tests, NULL, NULL);
}
