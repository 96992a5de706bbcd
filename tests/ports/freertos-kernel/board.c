/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Tasks of the FreeRTOS kernel that preempt one another while they use its heap, which is
 * ports/freertos. Prints a line per failed check and, last, how many passed; scripts/check-freertos
 * boots it. */
#include "FreeRTOS.h"
#include "queue.h"
#include "task.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS = 6, STEPS = 3000, BLOCKS = 16, LARGEST = 300, STACK = 512 };

static unsigned passed, failed, asserts, failed_mallocs;
static bool expects_assert;
static QueueHandle_t finished;

#define CHECK(holds) check(holds, #holds, __LINE__)

static void check(bool holds, const char *text, int line)
{
    taskENTER_CRITICAL();
    passed += holds;
    failed += !holds;
    taskEXIT_CRITICAL();
    if (!holds)
        printf("FAILED: line %d: %s\n", line, text);
}

static _Noreturn void end(void)
{
    printf("%u passed, %u failed\n", passed, failed);
    exit(failed != 0);
}

void board_assert(const char *file, int line)
{
    asserts++;
    if (expects_assert)
        return;
    printf("FAILED: %s:%d: configASSERT\n", file, line);
    failed++;
    end();
}

void board_fault(void);

void board_fault(void)
{
    puts("FAILED: a fault");
    failed++;
    end();
}

void vApplicationMallocFailedHook(void)
{
    failed_mallocs++;
}

static uint32_t draw(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

struct block {
    unsigned char *at;
    size_t size;
};

static void free_filled(struct block *block, unsigned char fill)
{
    size_t same = 0;
    while (same < block->size && block->at[same] == fill)
        same++;
    CHECK(same == block->size);
    vPortFree(block->at);
    block->at = NULL;
}

/* Allocates, fills, compares and frees blocks; the argument is a number of its own. */
static void work(void *arg)
{
    unsigned char own = (unsigned char)(uintptr_t)arg;
    struct block blocks[BLOCKS] = { { NULL, 0 } };
    uint32_t seed = own;
    for (unsigned step = 0; step < STEPS; step++) {
        struct block *block = &blocks[draw(&seed) % BLOCKS];
        if (block->at != NULL) {
            free_filled(block, own);
        } else {
            block->size = draw(&seed) % LARGEST + 1;
            block->at = pvPortMalloc(block->size);
            CHECK(block->at != NULL && (uintptr_t)block->at % portBYTE_ALIGNMENT == 0);
            (void)memset(block->at, own, block->size);
        }
        if (step % 50 == 0)
            vTaskDelay(1);
    }
    for (unsigned at = 0; at < BLOCKS; at++)
        if (blocks[at].at != NULL)
            free_filled(&blocks[at], own);
    (void)xQueueSend(finished, &own, portMAX_DELAY);
    vTaskDelete(NULL);
}

static void run_workers(void)
{
    unsigned char number;
    finished = xQueueCreate(WORKERS, sizeof number);
    CHECK(finished != NULL);
    for (uintptr_t at = 1; at <= WORKERS; at++)
        CHECK(xTaskCreate(work, "work", STACK, (void *)at, 1 + at % 2, NULL) == pdPASS);
    for (unsigned at = 0; at < WORKERS; at++)
        CHECK(xQueueReceive(finished, &number, portMAX_DELAY) == pdPASS);
    vTaskDelay(20); /* the idle task frees what deleted tasks had */
    vQueueDelete(finished);
}

static void check_statistics(void)
{
    HeapStats_t stats;
    vPortGetHeapStats(&stats);
    CHECK(stats.xAvailableHeapSpaceInBytes == xPortGetFreeHeapSize());
    CHECK(stats.xMinimumEverFreeBytesRemaining == xPortGetMinimumEverFreeHeapSize());
    CHECK(xPortGetMinimumEverFreeHeapSize() < xPortGetFreeHeapSize());
    CHECK(stats.xNumberOfFreeBlocks == (configACRE_HEAP_REGIONS ? 2 : 1));
    CHECK(stats.xSizeOfLargestFreeBlockInBytes >= stats.xSizeOfSmallestFreeBlockInBytes);
    CHECK(stats.xNumberOfSuccessfulAllocations > stats.xNumberOfSuccessfulFrees);
    xPortResetHeapMinimumEverFreeHeapSize();
    CHECK(xPortGetMinimumEverFreeHeapSize() == xPortGetFreeHeapSize());
}

static void check_refusals(void)
{
    unsigned char *block = pvPortCalloc(10, 40);
    CHECK(block != NULL && block[0] == 0 && block[399] == 0);
    CHECK(pvPortCalloc(0x10000, 0x10001) == NULL && failed_mallocs == 1);
    expects_assert = true;
    vPortFree(block + 8);
    CHECK(asserts == 1);
    vPortFree(block);
    vPortFree(block);
    CHECK(asserts == 2);
    vPortFree(&asserts);
    CHECK(asserts == 3);
    expects_assert = false;
}

static void run_all(void *arg)
{
    (void)arg;
    size_t before = xPortGetFreeHeapSize();
    run_workers();
    check_statistics();
    check_refusals();
    CHECK(xPortGetFreeHeapSize() == before);
    end();
}

int main(void)
{
#if configACRE_HEAP_REGIONS
    static uint8_t low[8192], high[90 * 1024];
    const HeapRegion_t regions[] = { { high, sizeof high }, { low, sizeof low }, { NULL, 0 } };
    vPortDefineHeapRegions(regions);
#endif
    CHECK(xTaskCreate(run_all, "run", STACK, NULL, 3, NULL) == pdPASS);
    vTaskStartScheduler();
    CHECK(false); /* the scheduler does not return */
    end();
}
