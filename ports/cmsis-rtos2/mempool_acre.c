/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* CMSIS-RTOS2: memory pools on a bitmap of ids, a semaphore of the system that counts free blocks,
 * and a short interrupt lock. docs/ports.md states what differs from RTX's pools. */
#include "mempool_acre.h"

#include "cmsis_compiler.h"

#include <string.h>

static struct acre_bytes heap;

void mempool_acre_set_heap(struct acre_bytes given)
{
    heap = given;
}

static struct mempool_acre *pool_of(osMemoryPoolId_t mp_id)
{
    struct mempool_acre *pool = mp_id;
    return pool != NULL && pool->valid == pool ? pool : NULL;
}

/* The memory that the application gave, or that of the heap; null: none, or too little. */
static void *choose_memory(void *given, size_t given_size, struct acre_layout need)
{
    if (given != NULL)
        return given_size >= need.size && (uintptr_t)given % need.align == 0 ? given : NULL;
    return heap.ops != NULL ? acre_alloc(heap, need).ptr : NULL;
}

static void release(struct mempool_acre *pool)
{
    pool->valid = NULL;
    if (pool->unused != NULL)
        (void)osSemaphoreDelete(pool->unused);
    if (pool->owns_blocks && pool->blocks != NULL)
        (void)acre_dealloc(heap, pool->blocks);
    if (pool->owns_control)
        (void)acre_dealloc(heap, pool);
}

osMemoryPoolId_t osMemoryPoolNew(
    uint32_t block_count, uint32_t block_size, const osMemoryPoolAttr_t *attr)
{
    static const osMemoryPoolAttr_t none;
    size_t map_size = acre_bitmap_metadata_size(block_count);
    uint32_t size = (block_size + 3) & ~UINT32_C(3); /* 0: the sum overflows */
    const osMemoryPoolAttr_t *given = attr != NULL ? attr : &none;
    if (__get_IPSR() != 0 || block_count == 0 || size == 0 || size > UINT32_MAX / block_count)
        return NULL;
    struct mempool_acre *pool =
        choose_memory(given->cb_mem, given->cb_size, acre_layout(sizeof *pool + map_size, 8));
    if (pool == NULL)
        return NULL;
    memset(pool, 0, sizeof *pool);
    pool->name = given->name;
    pool->count = block_count;
    pool->block_size = size;
    pool->owns_control = given->cb_mem == NULL;
    pool->owns_blocks = given->mp_mem == NULL;
    pool->blocks =
        choose_memory(given->mp_mem, given->mp_size, acre_layout((size_t)block_count * size, 4));
    pool->unused = osSemaphoreNew(block_count, block_count, NULL);
    if (pool->blocks == NULL || pool->unused == NULL ||
        acre_bitmap_setup_ids(&pool->used) != ACRE_OK ||
        acre_bitmap_add_ids(&pool->used, 0, block_count, pool->map, map_size) != ACRE_OK) {
        release(pool);
        return NULL;
    }
    pool->valid = pool;
    return pool;
}

void *osMemoryPoolAlloc(osMemoryPoolId_t mp_id, uint32_t timeout)
{
    struct mempool_acre *pool = pool_of(mp_id);
    if (pool == NULL || osSemaphoreAcquire(pool->unused, timeout) != osOK)
        return NULL;
    uint32_t mask = __get_PRIMASK();
    __disable_irq();
    struct acre_num block = acre_bitmap_alloc_id(&pool->used, 1, 1); /* there is one */
    __set_PRIMASK(mask);
    return pool->blocks + block.num * pool->block_size;
}

osStatus_t osMemoryPoolFree(osMemoryPoolId_t mp_id, void *block)
{
    struct mempool_acre *pool = pool_of(mp_id);
    if (pool == NULL)
        return osErrorParameter;
    uintptr_t offset = (uintptr_t)block - (uintptr_t)pool->blocks;
    if (offset % pool->block_size != 0)
        return osErrorParameter;
    uint32_t mask = __get_PRIMASK();
    __disable_irq();
    enum acre_status status = acre_bitmap_dealloc_id(&pool->used, offset / pool->block_size, 1);
    __set_PRIMASK(mask);
    return status == ACRE_OK ? osSemaphoreRelease(pool->unused) : osErrorParameter;
}

osStatus_t osMemoryPoolDelete(osMemoryPoolId_t mp_id)
{
    struct mempool_acre *pool = pool_of(mp_id);
    if (__get_IPSR() != 0)
        return osErrorISR;
    if (pool == NULL)
        return osErrorParameter;
    if (osMemoryPoolGetCount(pool) != 0)
        return osErrorResource; /* a block is in use */
    release(pool);
    return osOK;
}

const char *osMemoryPoolGetName(osMemoryPoolId_t mp_id)
{
    struct mempool_acre *pool = pool_of(mp_id);
    return pool != NULL ? pool->name : NULL;
}

uint32_t osMemoryPoolGetCapacity(osMemoryPoolId_t mp_id)
{
    struct mempool_acre *pool = pool_of(mp_id);
    return pool != NULL ? pool->count : 0;
}

uint32_t osMemoryPoolGetBlockSize(osMemoryPoolId_t mp_id)
{
    struct mempool_acre *pool = pool_of(mp_id);
    return pool != NULL ? pool->block_size : 0;
}

uint32_t osMemoryPoolGetSpace(osMemoryPoolId_t mp_id)
{
    struct mempool_acre *pool = pool_of(mp_id);
    return pool != NULL ? osSemaphoreGetCount(pool->unused) : 0;
}

uint32_t osMemoryPoolGetCount(osMemoryPoolId_t mp_id)
{
    return osMemoryPoolGetCapacity(mp_id) - osMemoryPoolGetSpace(mp_id);
}
