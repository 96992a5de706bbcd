/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* LVGL 9: its heap on TLSF. Set LV_USE_STDLIB_MALLOC to LV_STDLIB_CUSTOM in lv_conf.h, and
 * LV_MEM_SIZE to the bytes of the heap; 0: all memory comes from lv_mem_add_pool. docs/ports.md
 * states what differs from LVGL's built-in heap. */
#include "lvgl.h"

#include <acre/tlsf.h>
#include <string.h>

#ifndef LV_MEM_SIZE
#define LV_MEM_SIZE (64 * 1024U)
#endif

static struct acre_tlsf heap;

#if LV_USE_OS
#include "src/osal/lv_os_private.h"
static lv_mutex_t mutex;
#define CREATE_LOCK() lv_mutex_init(&mutex)
#define DELETE_LOCK() lv_mutex_delete(&mutex)
#define LOCK() lv_mutex_lock(&mutex)
#define UNLOCK() lv_mutex_unlock(&mutex)
#else
#define CREATE_LOCK() (void)0
#define DELETE_LOCK() (void)0
#define LOCK() (void)0
#define UNLOCK() (void)0
#endif

static struct acre_layout layout_of(size_t size)
{
    return acre_layout(size, ACRE_NATURAL_ALIGN);
}

void lv_mem_init(void)
{
    CREATE_LOCK();
    (void)memset(&heap, 0, sizeof heap);
#if LV_MEM_SIZE > 0
    static _Alignas(max_align_t) unsigned char memory[LV_MEM_SIZE];
    enum acre_status status = acre_tlsf_init(&heap, memory, sizeof memory);
    LV_ASSERT_MSG(status == ACRE_OK, "LV_MEM_SIZE is too small");
    LV_UNUSED(status);
#endif
}

void lv_mem_deinit(void)
{
    (void)memset(&heap, 0, sizeof heap);
    DELETE_LOCK();
}

/* Returns null if the memory is too small or overlaps memory of the heap. */
lv_mem_pool_t lv_mem_add_pool(void *mem, size_t bytes)
{
    LOCK();
    enum acre_status status = acre_tlsf_add_memory(&heap, mem, bytes);
    UNLOCK();
    if (status == ACRE_OK)
        return mem;
    LV_LOG_WARN("lv_mem_add_pool: %s", acre_status_text(status));
    return NULL;
}

/* A pool that holds a live block stays. */
void lv_mem_remove_pool(lv_mem_pool_t pool)
{
    LOCK();
    enum acre_status status = acre_tlsf_remove_memory(&heap, pool);
    UNLOCK();
    if (status != ACRE_OK)
        LV_LOG_WARN("lv_mem_remove_pool: %s", acre_status_text(status));
}

void *lv_malloc_core(size_t size)
{
    LOCK();
    void *ptr = acre_tlsf_alloc(&heap, layout_of(size)).ptr;
    UNLOCK();
    return ptr;
}

/* A pointer that is not the start of a live block fails the assertion; nothing has changed. */
void *lv_realloc_core(void *p, size_t new_size)
{
    if (p == NULL)
        return lv_malloc_core(new_size);
    LOCK();
    struct acre_ptr moved = acre_tlsf_realloc(&heap, p, layout_of(new_size));
    UNLOCK();
    LV_ASSERT_MSG(moved.status != ACRE_NOT_ALLOCATED, "lv_realloc: not a live block");
    return moved.ptr;
}

void lv_free_core(void *p)
{
    LOCK();
    enum acre_status status = acre_tlsf_dealloc(&heap, p);
    UNLOCK();
    LV_ASSERT_MSG(status == ACRE_OK, "lv_free: not a live block");
    LV_UNUSED(status);
}

static bool count_free_block(void *arg, void *start, size_t size, bool live)
{
    lv_mem_monitor_t *monitor = arg;
    LV_UNUSED(start);
    if (live)
        return true;
    monitor->free_cnt++;
    monitor->free_size += size;
    if (size > monitor->free_biggest_size)
        monitor->free_biggest_size = size;
    return true;
}

static uint8_t percent(size_t part, size_t whole)
{
    return (uint8_t)(whole == 0 ? 0 : (uint64_t)part * 100 / whole);
}

void lv_mem_monitor_core(lv_mem_monitor_t *mon_p)
{
    *mon_p = (lv_mem_monitor_t){ 0 };
    LOCK();
    struct acre_stats stats = acre_tlsf_stats(&heap);
    acre_tlsf_walk(&heap, count_free_block, mon_p);
    UNLOCK();
    mon_p->total_size = stats.total - stats.metadata;
    mon_p->used_cnt = stats.live_blocks;
    mon_p->max_used = stats.peak;
    mon_p->used_pct = percent(stats.used, mon_p->total_size);
    if (mon_p->free_size > 0)
        mon_p->frag_pct = (uint8_t)(100 - percent(mon_p->free_biggest_size, mon_p->free_size));
}

lv_result_t lv_mem_test_core(void)
{
    LOCK();
    struct acre_check_result found = acre_tlsf_check(&heap);
    UNLOCK();
    if (found.invariant == NULL)
        return LV_RESULT_OK;
    LV_LOG_WARN("lv_mem_test: %s at %p", found.invariant, found.where);
    return LV_RESULT_INVALID;
}
