/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Not CMSIS: a stand-in for tests, with the declarations that ports/cmsis-rtos2 uses. The test
 * provides the semaphores. */
#ifndef ACRE_TESTS_PORTS_CMSIS_OS2_H
#define ACRE_TESTS_PORTS_CMSIS_OS2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define osWaitForever 0xFFFFFFFFU

typedef enum {
    osOK = 0,
    osError = -1,
    osErrorTimeout = -2,
    osErrorResource = -3,
    osErrorParameter = -4,
    osErrorNoMemory = -5,
    osErrorISR = -6
} osStatus_t;

typedef void *osMemoryPoolId_t;
typedef void *osSemaphoreId_t;

typedef struct {
    const char *name;
    uint32_t attr_bits;
    void *cb_mem;
    uint32_t cb_size;
    void *mp_mem;
    uint32_t mp_size;
} osMemoryPoolAttr_t;

typedef struct {
    const char *name;
    uint32_t attr_bits;
    void *cb_mem;
    uint32_t cb_size;
} osSemaphoreAttr_t;

osSemaphoreId_t osSemaphoreNew(
    uint32_t max_count, uint32_t initial_count, const osSemaphoreAttr_t *attr);
osStatus_t osSemaphoreAcquire(osSemaphoreId_t semaphore_id, uint32_t timeout);
osStatus_t osSemaphoreRelease(osSemaphoreId_t semaphore_id);
uint32_t osSemaphoreGetCount(osSemaphoreId_t semaphore_id);
osStatus_t osSemaphoreDelete(osSemaphoreId_t semaphore_id);

osMemoryPoolId_t osMemoryPoolNew(
    uint32_t block_count, uint32_t block_size, const osMemoryPoolAttr_t *attr);
void *osMemoryPoolAlloc(osMemoryPoolId_t mp_id, uint32_t timeout);
osStatus_t osMemoryPoolFree(osMemoryPoolId_t mp_id, void *block);
osStatus_t osMemoryPoolDelete(osMemoryPoolId_t mp_id);
const char *osMemoryPoolGetName(osMemoryPoolId_t mp_id);
uint32_t osMemoryPoolGetCapacity(osMemoryPoolId_t mp_id);
uint32_t osMemoryPoolGetBlockSize(osMemoryPoolId_t mp_id);
uint32_t osMemoryPoolGetCount(osMemoryPoolId_t mp_id);
uint32_t osMemoryPoolGetSpace(osMemoryPoolId_t mp_id);

#endif
