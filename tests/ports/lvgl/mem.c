/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* ports/lvgl, with a heap of its own and a lock, and (compiled once more) over pools and without a
 * lock. */
#include "lvgl.h"
#include "src/osal/lv_os_private.h"

#include <acre/config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SMALL = 100, POOL = 16384 };

static size_t locks, failed_assertions, warnings;
static char warning[256];
static _Alignas(max_align_t) unsigned char first_pool[POOL];
static _Alignas(max_align_t) unsigned char second_pool[POOL];

lv_result_t lv_mutex_init(lv_mutex_t *mutex)
{
    mutex->depth = 0;
    return LV_RESULT_OK;
}

lv_result_t lv_mutex_lock(lv_mutex_t *mutex)
{
    assert_int_equal(mutex->depth, 0);
    mutex->depth = 1;
    locks++;
    return LV_RESULT_OK;
}

lv_result_t lv_mutex_unlock(lv_mutex_t *mutex)
{
    assert_int_equal(mutex->depth, 1);
    mutex->depth = 0;
    return LV_RESULT_OK;
}

lv_result_t lv_mutex_delete(lv_mutex_t *mutex)
{
    assert_int_equal(mutex->depth, 0);
    mutex->depth = -1;
    return LV_RESULT_OK;
}

void stand_in_assert(bool holds, const char *message)
{
    assert_non_null(message);
    failed_assertions += !holds;
}

void stand_in_warn(const char *format, ...)
{
    va_list given;
    va_start(given, format);
    assert_true(vsnprintf(warning, sizeof warning, format, given) > 0);
    va_end(given);
    warnings++;
}

static int set_up(void **state)
{
    (void)state;
    lv_mem_init();
    locks = failed_assertions = warnings = 0;
    if (LV_MEM_SIZE == 0)
        assert_ptr_equal(lv_mem_add_pool(first_pool, POOL), first_pool);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(lv_mem_test_core(), LV_RESULT_OK);
    lv_mem_deinit();
    assert_int_equal(locks > 0, LV_USE_OS);
    return 0;
}

static lv_mem_monitor_t monitor_now(void)
{
    lv_mem_monitor_t monitor;
    memset(&monitor, 0xff, sizeof monitor);
    lv_mem_monitor_core(&monitor);
    return monitor;
}

static void assert_same(lv_mem_monitor_t left, lv_mem_monitor_t right)
{
    assert_int_equal(left.total_size, right.total_size);
    assert_int_equal(left.free_cnt, right.free_cnt);
    assert_int_equal(left.free_size, right.free_size);
    assert_int_equal(left.free_biggest_size, right.free_biggest_size);
    assert_int_equal(left.used_cnt, right.used_cnt);
    assert_int_equal(left.used_pct, right.used_pct);
    assert_int_equal(left.frag_pct, right.frag_pct);
}

static void blocks_are_accounted(void **state)
{
    (void)state;
    lv_mem_monitor_t empty = monitor_now();
    assert_true(empty.total_size > POOL - POOL / 16);
    assert_int_equal(empty.free_cnt, 1);
    assert_int_equal(empty.free_biggest_size, empty.free_size);
    assert_int_equal(empty.used_cnt, 0);
    assert_int_equal(empty.used_pct, 0);
    assert_int_equal(empty.frag_pct, 0);
    assert_int_equal(empty.max_used, 0);
    void *half = lv_malloc_core(empty.total_size / 2);
    void *small = lv_malloc_core(SMALL);
    assert_non_null(half);
    assert_non_null(small);
    lv_mem_monitor_t during = monitor_now();
    assert_int_equal(during.used_cnt, 2);
    assert_in_range(during.used_pct, 50, 51);
    lv_free_core(half);
    lv_mem_monitor_t holed = monitor_now();
    assert_int_equal(holed.free_cnt, 2);
    assert_in_range(holed.frag_pct, 48, 52);
    lv_free_core(small);
    assert_same(monitor_now(), empty);
    assert_true(monitor_now().max_used >= empty.total_size / 2 + SMALL);
}

static void realloc_keeps_contents(void **state)
{
    (void)state;
    unsigned char *ptr = lv_realloc_core(NULL, SMALL);
    unsigned char *fence = lv_malloc_core(SMALL);
    memset(ptr, 0x5a, SMALL);
    unsigned char *moved = lv_realloc_core(ptr, 1000);
    assert_non_null(moved);
    for (size_t i = 0; i < SMALL; i++)
        assert_int_equal(moved[i], 0x5a);
    assert_ptr_equal(lv_realloc_core(moved, SMALL), moved);
    lv_free_core(moved);
    lv_free_core(fence);
    assert_int_equal(monitor_now().used_cnt, 0);
    assert_int_equal(failed_assertions, 0);
}

static void exhaustion_returns_null_and_changes_nothing(void **state)
{
    static void *taken[POOL / 512];
    size_t count = 0;
    (void)state;
    lv_mem_monitor_t empty = monitor_now();
    while ((taken[count] = lv_malloc_core(512)) != NULL)
        count++;
    assert_true(count > 20);
    lv_mem_monitor_t full = monitor_now();
    assert_null(lv_malloc_core(512));
    assert_null(lv_malloc_core(SIZE_MAX));
    assert_null(lv_realloc_core(taken[0], POOL));
    assert_null(lv_realloc_core(taken[0], SIZE_MAX - 8));
    assert_same(monitor_now(), full);
    while (count > 0)
        lv_free_core(taken[--count]);
    assert_same(monitor_now(), empty);
    assert_int_equal(failed_assertions, 0);
}

static void wrong_pointers_fail_the_assertion(void **state)
{
    int outside = 0;
    (void)state;
    if (!ACRE_CHECK_POINTERS)
        skip();
    unsigned char *ptr = lv_malloc_core(SMALL);
    unsigned char *freed = lv_malloc_core(SMALL);
    lv_free_core(freed);
    assert_int_equal(failed_assertions, 0);
    lv_mem_monitor_t before = monitor_now();
    lv_free_core(freed);
    lv_free_core(ptr + 16);
    lv_free_core(&outside);
    assert_null(lv_realloc_core(freed, 10));
    assert_null(lv_realloc_core(ptr + 1, 10));
    assert_int_equal(failed_assertions, 5);
    assert_same(monitor_now(), before);
    lv_free_core(ptr);
}

static void pools_come_and_go(void **state)
{
    (void)state;
    lv_mem_monitor_t before = monitor_now();
    lv_mem_pool_t pool = lv_mem_add_pool(second_pool, POOL);
    assert_ptr_equal(pool, second_pool);
    assert_true(monitor_now().total_size >= before.total_size + POOL - POOL / 16);
    assert_null(lv_mem_add_pool(second_pool, POOL));
    assert_null(lv_mem_add_pool(second_pool + 64, 4096));
    assert_null(lv_mem_add_pool(first_pool, 4));
    assert_null(lv_mem_add_pool(NULL, POOL));
    assert_int_equal(warnings, 4);
    void *block[2] = { lv_malloc_core(POOL * 3 / 4), lv_malloc_core(POOL * 3 / 4) };
    assert_non_null(block[0]);
    assert_non_null(block[1]);
    lv_mem_remove_pool(pool);
    assert_int_equal(warnings, 5);
    lv_free_core(block[0]);
    lv_free_core(block[1]);
    lv_mem_remove_pool(pool);
    assert_int_equal(warnings, 5);
    lv_mem_remove_pool(pool);
    assert_int_equal(warnings, 6);
    assert_same(monitor_now(), before);
}

/* The size in front of a block lies below its start. */
static void the_test_finds_damage(void **state)
{
    (void)state;
    unsigned char *ptr = lv_malloc_core(SMALL);
    unsigned char header[sizeof(size_t)];
    assert_int_equal(lv_mem_test_core(), LV_RESULT_OK);
    memcpy(header, ptr - sizeof header, sizeof header);
    memset(ptr - sizeof header, 0xa5, sizeof header);
    assert_int_equal(lv_mem_test_core(), LV_RESULT_INVALID);
    assert_non_null(strstr(warning, "TLSF-"));
    memcpy(ptr - sizeof header, header, sizeof header);
    assert_int_equal(lv_mem_test_core(), LV_RESULT_OK);
    lv_free_core(ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(blocks_are_accounted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(realloc_keeps_contents, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            exhaustion_returns_null_and_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_pointers_fail_the_assertion, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pools_come_and_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_test_finds_damage, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
