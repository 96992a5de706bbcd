/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* ports/kmalloc, over two ranges and with two locks. */
#include "kmalloc/kmalloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SMALL = 100, PAGES = 64, RANGE = PAGES * KMALLOC_PAGE };

struct lock {
    size_t held, taken;
};

static _Alignas(KMALLOC_PAGE) unsigned char ranges[2][RANGE];
static struct lock bytes_lock, pages_lock;
static size_t misuses;
static const void *misused;

static void take(void *arg)
{
    struct lock *lock = arg;
    assert_int_equal(bytes_lock.held + pages_lock.held, 0); /* never both */
    lock->held = 1;
    lock->taken++;
}

static void release(void *arg)
{
    struct lock *lock = arg;
    assert_int_equal(lock->held, 1);
    lock->held = 0;
}

void kmalloc_misuse(const char *call, const void *ptr, enum acre_status status)
{
    assert_non_null(call);
    assert_int_not_equal(status, ACRE_OK);
    assert_int_equal(bytes_lock.held + pages_lock.held, 0);
    misused = ptr;
    misuses++;
}

static int open_heap(void **state)
{
    (void)state;
    const struct acre_locker bytes = { take, release, &bytes_lock };
    const struct acre_locker pages = { take, release, &pages_lock };
    kmalloc_init(bytes, pages);
    assert_int_equal(kmalloc_add_memory(ranges[1], RANGE), ACRE_OK);
    assert_int_equal(kmalloc_add_memory(ranges[0], RANGE), ACRE_OK);
    assert_int_equal(misuses, 0);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    misuses = 0;
    return 0;
}

/* Nothing is left, and every page can be had again. */
static int tear_down(void **state)
{
    (void)state;
    kmalloc_set_reserve(0);
    (void)acre_heap_release_empty(kmalloc_heap());
    assert_int_equal(acre_heap_stats(kmalloc_heap()).live_blocks, 0);
    assert_int_equal(acre_heap_page_stats(kmalloc_heap()).used, 0);
    assert_null(acre_heap_check(kmalloc_heap()).invariant);
    assert_int_equal(bytes_lock.held + pages_lock.held, 0);
    return 0;
}

static struct acre_stats stats_now(void)
{
    return acre_heap_stats(kmalloc_heap());
}

static void blocks_and_pages_come_from_one_memory(void **state)
{
    (void)state;
    size_t taken = bytes_lock.taken;
    unsigned char *block = kmalloc(SMALL, 0);
    unsigned char *wide = kmalloc_aligned(SMALL, 512, 0);
    unsigned char *run = kmalloc_pages(3, 2 * KMALLOC_PAGE, 0);
    assert_non_null(block);
    assert_int_equal((uintptr_t)wide % 512, 0);
    assert_int_equal((uintptr_t)run % (2 * KMALLOC_PAGE), 0);
    assert_true(ksize(block) >= SMALL);
    assert_int_equal(ksize(NULL), 0);
    memset(block, 1, SMALL);
    memset(run, 2, 3 * KMALLOC_PAGE);
    assert_int_equal(block[SMALL - 1], 1);
    assert_true(stats_now().used >= 3 * KMALLOC_PAGE + 2 * SMALL);
    kfree(block);
    kfree(wide);
    kfree(NULL);
    kfree_pages(run + KMALLOC_PAGE, 1);
    kfree_pages(run, 1);
    kfree_pages(run + 2 * KMALLOC_PAGE, 1);
    assert_true(bytes_lock.taken > taken);
    assert_int_equal(misuses, 0);
}

static bool is_clear(const unsigned char *ptr, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (ptr[i] != 0)
            return false;
    }
    return true;
}

static void cleared_memory_is_clear(void **state)
{
    (void)state;
    memset(ranges[0] + KMALLOC_PAGE * 8, 0xa5, KMALLOC_PAGE * 40);
    memset(ranges[1] + KMALLOC_PAGE * 8, 0xa5, KMALLOC_PAGE * 40);
    unsigned char *array = kmalloc_array(1000, 7, KMALLOC_ZERO);
    unsigned char *run = kmalloc_pages(20, 1, KMALLOC_ZERO);
    assert_true(is_clear(array, 7000));
    assert_true(is_clear(run, (size_t)20 * KMALLOC_PAGE));
    struct acre_stats before = stats_now();
    assert_null(kmalloc_array(SIZE_MAX / 2 + 2, 2, KMALLOC_ZERO));
    assert_null(kmalloc_array(2, SIZE_MAX / 2 + 2, 0));
    assert_null(kmalloc(SIZE_MAX, KMALLOC_ZERO));
    assert_null(kmalloc_pages(SIZE_MAX / KMALLOC_PAGE + 2, 1, KMALLOC_ZERO));
    assert_int_equal(stats_now().used, before.used);
    kfree(array);
    kfree_pages(run, 20);
    assert_int_equal(misuses, 0);
}

static void krealloc_keeps_contents(void **state)
{
    (void)state;
    unsigned char *ptr = krealloc(NULL, SMALL);
    memset(ptr, 0x5a, SMALL);
    ptr = krealloc(ptr, 10000);
    assert_non_null(ptr);
    for (size_t i = 0; i < SMALL; i++)
        assert_int_equal(ptr[i], 0x5a);
    assert_null(krealloc(ptr, 4 * (size_t)RANGE));
    assert_int_equal(ptr[SMALL - 1], 0x5a);
    assert_null(krealloc(ptr, 0));
    assert_int_equal(misuses, 0);
}

static void exhaustion_returns_null_and_all_comes_back(void **state)
{
    static void *taken[2 * RANGE / 2000];
    size_t count = 0, pages = 0;
    (void)state;
    while ((taken[count] = kmalloc(2000, 0)) != NULL)
        count++;
    assert_true(count > 180);
    struct acre_stats full = stats_now();
    assert_null(kmalloc(2000, 0));
    assert_null(kmalloc_pages(PAGES, 1, 0));
    assert_int_equal(stats_now().used, full.used);
    while (count > 0)
        kfree(taken[--count]);
    (void)acre_heap_release_empty(kmalloc_heap());
    while ((taken[pages] = kmalloc_pages(1, 1, 0)) != NULL)
        pages++;
    assert_true(pages > 2 * PAGES - 8);
    while (pages > 0)
        kfree_pages(taken[--pages], 1);
    assert_int_equal(misuses, 0);
}

static void the_reserve_is_kept(void **state)
{
    static void *taken[2 * PAGES];
    size_t count = 0;
    (void)state;
    kmalloc_set_reserve(4);
    while ((taken[count] = kmalloc_pages(1, 1, 0)) != NULL)
        count++;
    void *reserved = kmalloc_pages(4, 1, KMALLOC_RESERVE);
    assert_non_null(reserved);
    assert_null(kmalloc_pages(1, 1, KMALLOC_RESERVE));
    kfree_pages(reserved, 4);
    assert_null(kmalloc(SMALL, 0));
    void *block = kmalloc(SMALL, KMALLOC_RESERVE);
    assert_non_null(block);
    kfree(block);
    while (count > 0)
        kfree_pages(taken[--count], 1);
}

static void wrong_pointers_are_reported(void **state)
{
    int outside = 0;
    (void)state;
    if (!ACRE_CHECK_POINTERS)
        skip();
    unsigned char *block = kmalloc(SMALL, 0);
    unsigned char *freed = kmalloc(SMALL, 0);
    unsigned char *run = kmalloc_pages(2, 1, 0);
    kfree(freed);
    struct acre_stats before = stats_now();
    kfree(freed);
    assert_ptr_equal(misused, freed);
    kfree(block + 16);
    kfree(&outside);
    kfree(run);
    assert_null(krealloc(freed, 10));
    assert_int_equal(ksize(freed), 0);
    assert_int_equal(misuses, 6);
    kfree_pages(run, 3);
    kfree_pages(run + 1, 1);
    kfree_pages(block, 1);
    kfree_pages(run, 0);
    assert_int_equal(misuses, 10);
    assert_int_equal(stats_now().used, before.used);
    kfree(block);
    kfree_pages(run, 2);
    kfree_pages(run, 1);
    assert_int_equal(misuses, 11);
}

static void memory_is_given_once(void **state)
{
    unsigned char little[64];
    (void)state;
    struct acre_stats before = stats_now();
    assert_int_equal(kmalloc_add_memory(ranges[0], RANGE), ACRE_MEMORY_OVERLAP);
    assert_int_equal(kmalloc_add_memory(little, sizeof little), ACRE_INVALID_PARAM);
    assert_int_equal(kmalloc_add_memory(NULL, RANGE), ACRE_INVALID_PARAM);
    assert_int_equal(stats_now().total, before.total);
    kmalloc_init(
        (struct acre_locker){ NULL, NULL, NULL }, (struct acre_locker){ NULL, NULL, NULL });
    assert_int_equal(misuses, 1); /* too late */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(blocks_and_pages_come_from_one_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cleared_memory_is_clear, set_up, tear_down),
        cmocka_unit_test_setup_teardown(krealloc_keeps_contents, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            exhaustion_returns_null_and_all_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_reserve_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_pointers_are_reported, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_is_given_once, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, open_heap, NULL);
}
