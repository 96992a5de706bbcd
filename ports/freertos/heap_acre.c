/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* FreeRTOS: the kernel's heap on TLSF, in place of portable/MemMang/heap_*.c. Its memory is an
 * array, as that of heap_4, or with configACRE_HEAP_REGIONS set to 1 what vPortDefineHeapRegions
 * gives, as that of heap_5. docs/ports.md states what differs from both. */
#define MPU_WRAPPERS_INCLUDED_FROM_API_FILE
#include "FreeRTOS.h"
#include "task.h"
#undef MPU_WRAPPERS_INCLUDED_FROM_API_FILE

#include <acre/tlsf.h>
#include <string.h>

#ifndef configACRE_HEAP_REGIONS
#define configACRE_HEAP_REGIONS 0
#endif

PRIVILEGED_DATA static struct acre_tlsf heap;
PRIVILEGED_DATA static size_t allocations; /* successful ones */
#if configAPPLICATION_ALLOCATED_HEAP == 1
extern uint8_t ucHeap[configTOTAL_HEAP_SIZE];
#elif configACRE_HEAP_REGIONS == 0
PRIVILEGED_DATA static uint8_t ucHeap[configTOTAL_HEAP_SIZE];
#endif
PRIVILEGED_DATA static bool has_array;

/* Memory that is too small, or that overlaps memory of the heap, fails the assertion. */
static void add_memory(void *start, size_t size)
{
    enum acre_status status = acre_tlsf_add_memory(&heap, start, size);
    configASSERT(status == ACRE_OK);
    (void)status;
}

static void lock_heap(void)
{
    vTaskSuspendAll();
#if configACRE_HEAP_REGIONS == 0
    if (!has_array) {
        has_array = true;
        add_memory(ucHeap, sizeof ucHeap);
    }
#endif
}

void *pvPortMalloc(size_t xWantedSize)
{
    void *ptr = NULL;
    lock_heap();
    if (xWantedSize > 0)
        ptr = acre_tlsf_alloc(&heap, acre_layout(xWantedSize, portBYTE_ALIGNMENT)).ptr;
    allocations += ptr != NULL;
    traceMALLOC(ptr, ptr != NULL ? acre_tlsf_usable_size(&heap, ptr).num : 0);
    (void)xTaskResumeAll();
#if configUSE_MALLOC_FAILED_HOOK == 1
    if (ptr == NULL)
        vApplicationMallocFailedHook();
#endif
    return ptr;
}

void *pvPortCalloc(size_t xNum, size_t xSize)
{
    size_t size = acre_layout_array(xNum, acre_layout(xSize, 1)).size; /* SIZE_MAX: overflow */
    void *ptr = pvPortMalloc(size);
    return ptr != NULL ? memset(ptr, 0, size) : NULL;
}

/* A pointer that is not the start of a live block fails the assertion, and nothing has changed. */
void vPortFree(void *pv)
{
    if (pv == NULL)
        return;
    lock_heap();
    traceFREE(pv, acre_tlsf_usable_size(&heap, pv).num);
#if defined(configHEAP_CLEAR_MEMORY_ON_FREE) && configHEAP_CLEAR_MEMORY_ON_FREE == 1
    (void)memset(pv, 0, acre_tlsf_usable_size(&heap, pv).num); /* 0 for a wrong pointer */
#endif
    enum acre_status status = acre_tlsf_dealloc(&heap, pv);
    (void)xTaskResumeAll();
    configASSERT(status == ACRE_OK);
    (void)status;
}

static struct acre_stats read_stats(void)
{
    lock_heap();
    struct acre_stats stats = acre_tlsf_stats(&heap);
    (void)xTaskResumeAll();
    return stats;
}

size_t xPortGetFreeHeapSize(void)
{
    return read_stats().available;
}

size_t xPortGetMinimumEverFreeHeapSize(void)
{
    struct acre_stats stats = read_stats();
    return stats.total - stats.metadata - stats.peak;
}

void xPortResetHeapMinimumEverFreeHeapSize(void)
{
    lock_heap();
    acre_tlsf_reset_peak(&heap);
    (void)xTaskResumeAll();
}

static bool count_free_block(void *arg, void *start, size_t size, bool live)
{
    HeapStats_t *stats = arg;
    (void)start;
    stats->xNumberOfFreeBlocks += !live;
    if (!live && size < stats->xSizeOfSmallestFreeBlockInBytes)
        stats->xSizeOfSmallestFreeBlockInBytes = size;
    return true;
}

void vPortGetHeapStats(HeapStats_t *pxHeapStats)
{
    lock_heap();
    struct acre_stats stats = acre_tlsf_stats(&heap);
    *pxHeapStats = (HeapStats_t){
        .xAvailableHeapSpaceInBytes = stats.available,
        .xSizeOfLargestFreeBlockInBytes = stats.largest_free,
        .xSizeOfSmallestFreeBlockInBytes = SIZE_MAX, /* stays so while no block is free */
        .xMinimumEverFreeBytesRemaining = stats.total - stats.metadata - stats.peak,
        .xNumberOfSuccessfulAllocations = allocations,
        .xNumberOfSuccessfulFrees = allocations - stats.live_blocks,
    };
    acre_tlsf_walk(&heap, count_free_block, pxHeapStats);
    (void)xTaskResumeAll();
}

void vPortDefineHeapRegions(const HeapRegion_t *const pxHeapRegions)
{
    lock_heap();
    for (const HeapRegion_t *region = pxHeapRegions; region->xSizeInBytes > 0; region++)
        add_memory(region->pucStartAddress, region->xSizeInBytes);
    (void)xTaskResumeAll();
}

void vPortHeapResetState(void)
{
    (void)memset(&heap, 0, sizeof heap);
    allocations = 0;
    has_array = false;
}
