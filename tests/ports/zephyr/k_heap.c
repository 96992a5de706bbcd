/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* ports/zephyr: other threads run while a semaphore is waited for. */
#include "zephyr/acre_k_heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SMALL = 100, HEAP = 16384 };

static struct k_sem freed;
static struct acre_k_heap heap;
static _Alignas(max_align_t) unsigned char memory[HEAP];
static size_t failed_assertions, waits;
static int64_t now;
static void (*other_thread)(void); /* runs once while this thread waits */

ACRE_K_HEAP_DEFINE(static_heap, HEAP);

k_timepoint_t sys_timepoint_calc(k_timeout_t timeout)
{
    return (k_timepoint_t){ timeout.ticks < 0 ? INT64_MAX : now + timeout.ticks };
}

k_timeout_t sys_timepoint_timeout(k_timepoint_t timepoint)
{
    if (timepoint.tick == INT64_MAX)
        return K_FOREVER;
    return (k_timeout_t){ timepoint.tick > now ? timepoint.tick - now : 0 };
}

k_spinlock_key_t k_spin_lock(struct k_spinlock *lock)
{
    assert_int_equal(lock->held, 0);
    lock->held = 1;
    return (k_spinlock_key_t){ 7 };
}

void k_spin_unlock(struct k_spinlock *lock, k_spinlock_key_t key)
{
    assert_int_equal(key.key, 7);
    assert_int_equal(lock->held, 1);
    lock->held = 0;
}

int k_sem_init(struct k_sem *sem, unsigned initial_count, unsigned limit)
{
    assert_int_equal(limit, K_SEM_MAX_LIMIT);
    sem->count = initial_count;
    return 0;
}

void k_sem_give(struct k_sem *sem)
{
    sem->count++;
}

int k_sem_take(struct k_sem *sem, k_timeout_t timeout)
{
    assert_int_equal(heap.lock.held, 0);
    waits++;
    void (*run)(void) = other_thread;
    other_thread = NULL;
    if (run != NULL)
        run();
    if (sem->count == 0) {
        assert_true(timeout.ticks >= 0); /* nobody would ever wake it */
        now += timeout.ticks;
        return -11;
    }
    sem->count--;
    return 0;
}

void stand_in_assert(bool holds, const char *format, ...)
{
    char text[128];
    va_list given;
    va_start(given, format);
    assert_true(vsnprintf(text, sizeof text, format, given) > 0);
    va_end(given);
    failed_assertions += !holds;
}

static int set_up(void **state)
{
    (void)state;
    failed_assertions = waits = 0;
    now = 0;
    other_thread = NULL;
    acre_k_heap_init(&heap, &freed, memory, sizeof memory);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(heap.lock.held, 0);
    assert_int_equal(acre_k_heap_stats(&heap).live_blocks, 0);
    assert_null(acre_tlsf_check(&heap.tlsf).invariant);
    return 0;
}

static void assert_same(struct acre_stats left, struct acre_stats right)
{
    left.failed = right.failed;
    left.peak = right.peak;
    assert_memory_equal(&left, &right, sizeof left);
}

static void blocks_are_accounted(void **state)
{
    (void)state;
    struct acre_stats before = acre_k_heap_stats(&heap);
    assert_true(before.available > HEAP - 1024);
    void *first = acre_k_heap_alloc(&heap, SMALL, K_NO_WAIT);
    void *second = acre_k_heap_aligned_alloc(&heap, 256, SMALL, K_NO_WAIT);
    void *third = acre_k_heap_aligned_alloc(&heap, 0, SMALL, K_FOREVER);
    assert_non_null(first);
    assert_int_equal((uintptr_t)second % 256, 0);
    assert_non_null(third);
    struct acre_stats during = acre_k_heap_stats(&heap);
    assert_int_equal(during.live_blocks, 3);
    assert_true(during.used >= 3 * SMALL);
    acre_k_heap_free(&heap, first);
    acre_k_heap_free(&heap, second);
    acre_k_heap_free(&heap, third);
    acre_k_heap_free(&heap, NULL);
    assert_same(acre_k_heap_stats(&heap), before);
    assert_int_equal(acre_k_heap_stats(&heap).peak, during.used);
    assert_int_equal(failed_assertions, 0);
}

static void a_static_heap_needs_no_call(void **state)
{
    (void)state;
    void *ptr = acre_k_heap_alloc(&static_heap, SMALL, K_NO_WAIT);
    assert_non_null(ptr);
    assert_int_equal(acre_k_heap_stats(&static_heap).live_blocks, 1);
    acre_k_heap_free(&static_heap, ptr);
    assert_int_equal(acre_k_heap_stats(&static_heap).used, 0);
}

static void a_heap_too_small_fails_the_assertion(void **state)
{
    (void)state;
    acre_k_heap_init(&heap, &freed, memory, 16);
    assert_null(acre_k_heap_alloc(&heap, 1, K_NO_WAIT));
    assert_int_equal(failed_assertions, 1);
    set_up(NULL);
}

static void calloc_clears_and_refuses_overflow(void **state)
{
    static const unsigned char zeros[10 * SMALL];
    (void)state;
    void *dirty = acre_k_heap_alloc(&heap, sizeof zeros, K_NO_WAIT);
    memset(dirty, 0xa5, sizeof zeros);
    acre_k_heap_free(&heap, dirty);
    assert_null(acre_k_heap_calloc(&heap, SIZE_MAX / 2 + 2, 2, K_FOREVER));
    assert_null(acre_k_heap_calloc(&heap, 2, SIZE_MAX / 2 + 2, K_FOREVER));
    assert_int_equal(waits, 0);
    void *clear = acre_k_heap_calloc(&heap, 10, SMALL, K_NO_WAIT);
    assert_non_null(clear);
    assert_memory_equal(clear, zeros, sizeof zeros);
    acre_k_heap_free(&heap, clear);
}

static void realloc_keeps_contents(void **state)
{
    (void)state;
    unsigned char *ptr = acre_k_heap_realloc(&heap, NULL, SMALL, K_NO_WAIT);
    void *fence = acre_k_heap_alloc(&heap, SMALL, K_NO_WAIT);
    memset(ptr, 0x5a, SMALL);
    ptr = acre_k_heap_realloc(&heap, ptr, 1000, K_NO_WAIT);
    assert_non_null(ptr);
    for (size_t i = 0; i < SMALL; i++)
        assert_int_equal(ptr[i], 0x5a);
    struct acre_stats before = acre_k_heap_stats(&heap);
    assert_null(acre_k_heap_realloc(&heap, ptr, HEAP, K_NO_WAIT));
    assert_null(acre_k_heap_realloc(&heap, ptr, HEAP, K_MSEC(3)));
    assert_int_equal(now, 3);
    assert_same(acre_k_heap_stats(&heap), before);
    assert_null(acre_k_heap_realloc(&heap, ptr, 0, K_NO_WAIT));
    acre_k_heap_free(&heap, fence);
    assert_int_equal(failed_assertions, 0);
}

static void *held;

static void free_held(void)
{
    acre_k_heap_free(&heap, held);
    held = NULL;
}

static void a_waiting_thread_is_woken_by_a_free(void **state)
{
    (void)state;
    held = acre_k_heap_alloc(&heap, HEAP * 3 / 4, K_NO_WAIT);
    assert_non_null(held);
    assert_null(acre_k_heap_alloc(&heap, HEAP / 2, K_NO_WAIT));
    assert_int_equal(waits, 0);
    assert_null(acre_k_heap_alloc(&heap, HEAP / 2, K_MSEC(5)));
    assert_int_equal(waits, 1);
    assert_int_equal(now, 5);
    other_thread = free_held;
    void *ptr = acre_k_heap_alloc(&heap, HEAP / 2, K_FOREVER);
    assert_non_null(ptr);
    assert_int_equal(waits, 2);
    acre_k_heap_free(&heap, ptr);
    assert_int_equal(failed_assertions, 0);
}

static void a_free_that_is_too_small_lets_it_wait_on(void **state)
{
    (void)state;
    void *large = acre_k_heap_alloc(&heap, HEAP / 2, K_NO_WAIT);
    held = acre_k_heap_alloc(&heap, 1000, K_NO_WAIT);
    other_thread = free_held;
    assert_null(acre_k_heap_alloc(&heap, HEAP * 3 / 4, K_MSEC(5)));
    assert_int_equal(waits, 2);
    assert_int_equal(now, 5);
    acre_k_heap_free(&heap, large);
}

static void wrong_pointers_fail_the_assertion(void **state)
{
    int outside = 0;
    (void)state;
    if (!ACRE_CHECK_POINTERS)
        skip();
    unsigned char *ptr = acre_k_heap_alloc(&heap, SMALL, K_NO_WAIT);
    unsigned char *gone = acre_k_heap_alloc(&heap, SMALL, K_NO_WAIT);
    acre_k_heap_free(&heap, gone);
    struct acre_stats before = acre_k_heap_stats(&heap);
    acre_k_heap_free(&heap, gone);
    acre_k_heap_free(&heap, ptr + 16);
    acre_k_heap_free(&heap, &outside);
    acre_k_heap_free(&static_heap, ptr);
    assert_null(acre_k_heap_realloc(&heap, gone, 10, K_FOREVER));
    assert_int_equal(failed_assertions, 5);
    assert_same(acre_k_heap_stats(&heap), before);
    acre_k_heap_free(&heap, ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(blocks_are_accounted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_static_heap_needs_no_call, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_heap_too_small_fails_the_assertion, set_up, tear_down),
        cmocka_unit_test_setup_teardown(calloc_clears_and_refuses_overflow, set_up, tear_down),
        cmocka_unit_test_setup_teardown(realloc_keeps_contents, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_waiting_thread_is_woken_by_a_free, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_free_that_is_too_small_lets_it_wait_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_pointers_fail_the_assertion, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
