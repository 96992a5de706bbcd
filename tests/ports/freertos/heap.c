/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* ports/freertos, with the array of heap_4 and (compiled once more) with the regions of heap_5. */
#include "FreeRTOS.h"
#include "task.h"

#include <acre/config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#ifndef configACRE_HEAP_REGIONS
#define configACRE_HEAP_REGIONS 0
#endif
#if configAPPLICATION_ALLOCATED_HEAP == 1
_Alignas(64) extern uint8_t ucHeap[configTOTAL_HEAP_SIZE];
_Alignas(64) uint8_t ucHeap[configTOTAL_HEAP_SIZE];
#endif

enum { SMALL = 100, REGION = 8192 };

static size_t suspended, suspensions, failed_assertions, failures, traced_bytes;
static _Alignas(64) uint8_t regions[2][REGION];

void vTaskSuspendAll(void)
{
    suspended++;
    suspensions++;
}

BaseType_t xTaskResumeAll(void)
{
    assert_true(suspended > 0);
    suspended--;
    return 0;
}

void vApplicationMallocFailedHook(void)
{
    assert_int_equal(suspended, 0);
    failures++;
}

void stand_in_assert(bool holds)
{
    failed_assertions += !holds;
}

void stand_in_malloc(const void *ptr, size_t size)
{
    assert_true((ptr != NULL) == (size > 0));
    traced_bytes += size;
}

void stand_in_free(const void *ptr, size_t size)
{
    assert_non_null(ptr);
    traced_bytes -= size;
}

static void define_regions(void)
{
    const HeapRegion_t both[] = { { regions[1], REGION }, { regions[0], REGION }, { NULL, 0 } };
    vPortDefineHeapRegions(both);
}

static int set_up(void **state)
{
    (void)state;
    vPortHeapResetState();
    suspensions = failed_assertions = failures = traced_bytes = 0;
    if (configACRE_HEAP_REGIONS == 1)
        define_regions();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(suspended, 0);
    return 0;
}

static HeapStats_t stats_now(void)
{
    HeapStats_t stats;
    vPortGetHeapStats(&stats);
    return stats;
}

static void assert_same(HeapStats_t left, HeapStats_t right)
{
    assert_memory_equal(&left, &right, sizeof left);
}

static void blocks_are_aligned_and_accounted(void **state)
{
    (void)state;
    HeapStats_t before = stats_now();
    assert_true(before.xAvailableHeapSpaceInBytes > 15000);
    assert_int_equal(before.xMinimumEverFreeBytesRemaining, before.xAvailableHeapSpaceInBytes);
    unsigned char *first = pvPortMalloc(SMALL);
    unsigned char *second = pvPortMalloc(SMALL);
    assert_int_equal((uintptr_t)first % portBYTE_ALIGNMENT, 0);
    assert_int_equal((uintptr_t)second % portBYTE_ALIGNMENT, 0);
    assert_true(first + SMALL <= second || second + SMALL <= first);
    HeapStats_t during = stats_now();
    assert_int_equal(during.xNumberOfSuccessfulAllocations, 2);
    assert_int_equal(during.xNumberOfSuccessfulFrees, 0);
    assert_int_equal(during.xAvailableHeapSpaceInBytes, xPortGetFreeHeapSize());
    assert_true(traced_bytes >= 2 * SMALL);
    assert_true(
        during.xAvailableHeapSpaceInBytes + traced_bytes <= before.xAvailableHeapSpaceInBytes);
    vPortFree(first);
    vPortFree(second);
    HeapStats_t after = stats_now();
    assert_int_equal(traced_bytes, 0);
    assert_int_equal(after.xNumberOfSuccessfulFrees, 2);
    assert_int_equal(after.xAvailableHeapSpaceInBytes, before.xAvailableHeapSpaceInBytes);
    assert_int_equal(after.xSizeOfLargestFreeBlockInBytes, before.xSizeOfLargestFreeBlockInBytes);
    assert_int_equal(after.xNumberOfFreeBlocks, before.xNumberOfFreeBlocks);
    assert_true(suspensions > 0);
    assert_int_equal(failed_assertions, 0);
}

static void minimum_ever_is_kept_and_reset(void **state)
{
    (void)state;
    size_t all = xPortGetFreeHeapSize();
    assert_int_equal(xPortGetMinimumEverFreeHeapSize(), all);
    void *ptr = pvPortMalloc(4096);
    size_t least = xPortGetFreeHeapSize();
    assert_true(least <= all - 4096);
    vPortFree(ptr);
    assert_int_equal(xPortGetFreeHeapSize(), all);
    assert_int_equal(xPortGetMinimumEverFreeHeapSize(), least);
    xPortResetHeapMinimumEverFreeHeapSize();
    assert_int_equal(xPortGetMinimumEverFreeHeapSize(), all);
}

/* The free block between two live ones is the smallest, the rest of the heap the largest. */
static void free_blocks_are_counted(void **state)
{
    (void)state;
    if (portBYTE_ALIGNMENT > 8)
        skip(); /* aligning leaves further holes */
    HeapStats_t before = stats_now();
    void *hole = pvPortMalloc(256);
    void *last = pvPortMalloc(SMALL);
    vPortFree(hole);
    HeapStats_t after = stats_now();
    assert_int_equal(after.xNumberOfFreeBlocks, before.xNumberOfFreeBlocks + 1);
    assert_in_range(after.xSizeOfSmallestFreeBlockInBytes, 256, 512);
    assert_ptr_equal(pvPortMalloc(after.xSizeOfSmallestFreeBlockInBytes), hole);
    vPortFree(hole);
    vPortFree(last);
    assert_int_equal(
        stats_now().xSizeOfSmallestFreeBlockInBytes, before.xSizeOfSmallestFreeBlockInBytes);
}

static void exhaustion_returns_null_and_changes_nothing(void **state)
{
    static void *taken[configTOTAL_HEAP_SIZE / 512 + 1];
    size_t count = 0;
    (void)state;
    size_t all = xPortGetFreeHeapSize();
    while ((taken[count] = pvPortMalloc(512)) != NULL)
        count++;
    assert_true(count > 20);
    assert_int_equal(failures, 1);
    HeapStats_t full = stats_now();
    assert_null(pvPortMalloc(512));
    assert_null(pvPortMalloc(SIZE_MAX));
    assert_null(pvPortMalloc(SIZE_MAX - 64));
    assert_null(pvPortMalloc(0));
    assert_int_equal(failures, 5);
    assert_same(stats_now(), full);
    while (count > 0)
        vPortFree(taken[--count]);
    assert_int_equal(xPortGetFreeHeapSize(), all);
    assert_int_equal(failed_assertions, 0);
}

static void calloc_clears_and_refuses_overflow(void **state)
{
    static const unsigned char zeros[10 * SMALL];
    (void)state;
    void *dirty = pvPortMalloc(sizeof zeros);
    memset(dirty, 0xa5, sizeof zeros);
    vPortFree(dirty);
    HeapStats_t before = stats_now();
    assert_null(pvPortCalloc(SIZE_MAX / 2 + 2, 2));
    assert_null(pvPortCalloc(2, SIZE_MAX / 2 + 2));
    assert_null(pvPortCalloc(0, SMALL));
    assert_int_equal(failures, 3);
    assert_same(stats_now(), before);
    void *clear = pvPortCalloc(10, SMALL);
    assert_non_null(clear);
    assert_memory_equal(clear, zeros, sizeof zeros);
    vPortFree(clear);
}

static void wrong_pointers_fail_the_assertion(void **state)
{
    unsigned char outside[64];
    (void)state;
    if (!ACRE_CHECK_POINTERS)
        skip();
    unsigned char *ptr = pvPortMalloc(SMALL);
    unsigned char *freed = pvPortMalloc(SMALL);
    memset(ptr, 0x5a, SMALL);
    vPortFree(NULL);
    vPortFree(freed);
    assert_int_equal(failed_assertions, 0);
    HeapStats_t before = stats_now();
    vPortFree(freed);
    vPortFree(ptr + portBYTE_ALIGNMENT);
    vPortFree(ptr + 1);
    vPortFree(outside);
    assert_int_equal(failed_assertions, 4);
    assert_same(stats_now(), before);
    assert_int_equal(ptr[SMALL - 1], 0x5a);
    vPortFree(ptr);
    assert_int_equal(failed_assertions, 4);
}

static void freed_memory_is_cleared(void **state)
{
    static const char dirt[] = { 'd', 'i', 'r', 't', 'y', ' ', 'm', 'e', 'm', 'o', 'r', 'y' };
    (void)state;
    unsigned char *ptr = pvPortMalloc(SMALL);
    for (size_t i = 0; i + sizeof dirt <= SMALL; i += sizeof dirt)
        memcpy(ptr + i, dirt, sizeof dirt);
    vPortFree(ptr);
    for (size_t i = 0; i < configTOTAL_HEAP_SIZE / SMALL; i++) {
        unsigned char *again = pvPortMalloc(SMALL);
        assert_true(again == NULL || memmem(again, SMALL, dirt, sizeof dirt) == NULL);
    }
}

static void a_region_twice_fails_the_assertion(void **state)
{
    (void)state;
    if (configACRE_HEAP_REGIONS == 0)
        define_regions();
    assert_int_equal(failed_assertions, 0);
    HeapStats_t before = stats_now();
    define_regions();
    assert_int_equal(failed_assertions, 2);
    assert_same(stats_now(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(blocks_are_aligned_and_accounted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(minimum_ever_is_kept_and_reset, set_up, tear_down),
        cmocka_unit_test_setup_teardown(free_blocks_are_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            exhaustion_returns_null_and_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(calloc_clears_and_refuses_overflow, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_pointers_fail_the_assertion, set_up, tear_down),
        cmocka_unit_test_setup_teardown(freed_memory_is_cleared, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_region_twice_fails_the_assertion, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
