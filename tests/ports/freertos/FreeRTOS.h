/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Not FreeRTOS: a stand-in for tests, with the declarations that ports/freertos uses. The test
 * provides the functions, and counts their calls. */
#ifndef ACRE_TESTS_PORTS_FREERTOS_H
#define ACRE_TESTS_PORTS_FREERTOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define configTOTAL_HEAP_SIZE 16384
#define configUSE_MALLOC_FAILED_HOOK 1
#define configHEAP_CLEAR_MEMORY_ON_FREE 1
#ifndef configAPPLICATION_ALLOCATED_HEAP
#define configAPPLICATION_ALLOCATED_HEAP 0
#endif
#ifndef portBYTE_ALIGNMENT
#define portBYTE_ALIGNMENT 8
#endif
#define PRIVILEGED_DATA

typedef long BaseType_t;

typedef struct HeapRegion {
    uint8_t *pucStartAddress;
    size_t xSizeInBytes;
} HeapRegion_t;

typedef struct xHeapStats {
    size_t xAvailableHeapSpaceInBytes;
    size_t xSizeOfLargestFreeBlockInBytes;
    size_t xSizeOfSmallestFreeBlockInBytes;
    size_t xNumberOfFreeBlocks;
    size_t xMinimumEverFreeBytesRemaining;
    size_t xNumberOfSuccessfulAllocations;
    size_t xNumberOfSuccessfulFrees;
} HeapStats_t;

void vPortDefineHeapRegions(const HeapRegion_t *pxHeapRegions);
void vPortGetHeapStats(HeapStats_t *pxHeapStats);
void *pvPortMalloc(size_t xWantedSize);
void *pvPortCalloc(size_t xNum, size_t xSize);
void vPortFree(void *pv);
size_t xPortGetFreeHeapSize(void);
size_t xPortGetMinimumEverFreeHeapSize(void);
void xPortResetHeapMinimumEverFreeHeapSize(void);
void vPortHeapResetState(void);

void vApplicationMallocFailedHook(void);
void stand_in_assert(bool holds);
void stand_in_malloc(const void *ptr, size_t size);
void stand_in_free(const void *ptr, size_t size);

#define configASSERT(condition) stand_in_assert(condition)
#define traceMALLOC(pvAddress, uiSize) stand_in_malloc(pvAddress, uiSize)
#define traceFREE(pvAddress, uiSize) stand_in_free(pvAddress, uiSize)

#endif
