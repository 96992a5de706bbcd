/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Zephyr: heaps like those of k_heap, on TLSF; see acre_k_heap.h. */
#include "acre_k_heap.h"

#include <string.h>

static k_spinlock_key_t lock_heap(struct acre_k_heap *heap)
{
    k_spinlock_key_t key = k_spin_lock(&heap->lock);
    if (heap->memory != NULL) {
        enum acre_status status = acre_tlsf_add_memory(&heap->tlsf, heap->memory, heap->bytes);
        __ASSERT(status == ACRE_OK, "the memory of heap %p is too small", (void *)heap);
        (void)status;
        heap->memory = NULL;
    }
    return key;
}

/* True: the call found no memory and may wait, and has waited; try again. After the timeout, there
 * is one last try. A thread that timed out stays counted until the next free: the semaphore is
 * given once too often then, and a thread tries once for nothing. */
static bool unlock_and_wait(struct acre_k_heap *heap, k_spinlock_key_t key, enum acre_status status,
    k_timeout_t *timeout, k_timepoint_t end)
{
    bool waits = status == ACRE_NO_MEMORY && !K_TIMEOUT_EQ(*timeout, K_NO_WAIT);
    heap->waiting += waits;
    k_spin_unlock(&heap->lock, key);
    if (waits && k_sem_take(heap->freed, sys_timepoint_timeout(end)) != 0)
        *timeout = K_NO_WAIT;
    return waits;
}

void acre_k_heap_init(struct acre_k_heap *heap, struct k_sem *freed, void *mem, size_t bytes)
{
    (void)memset(heap, 0, sizeof *heap);
    (void)k_sem_init(freed, 0, K_SEM_MAX_LIMIT);
    heap->freed = freed;
    heap->memory = mem;
    heap->bytes = bytes;
}

void *acre_k_heap_aligned_alloc(
    struct acre_k_heap *heap, size_t align, size_t bytes, k_timeout_t timeout)
{
    struct acre_layout layout = acre_layout(bytes, align != 0 ? align : 1);
    k_timepoint_t end = sys_timepoint_calc(timeout);
    k_spinlock_key_t key;
    struct acre_ptr got;
    do {
        key = lock_heap(heap);
        got = acre_tlsf_alloc(&heap->tlsf, layout);
    } while (unlock_and_wait(heap, key, got.status, &timeout, end));
    return got.ptr;
}

void *acre_k_heap_alloc(struct acre_k_heap *heap, size_t bytes, k_timeout_t timeout)
{
    return acre_k_heap_aligned_alloc(heap, sizeof(void *), bytes, timeout);
}

void *acre_k_heap_calloc(struct acre_k_heap *heap, size_t num, size_t size, k_timeout_t timeout)
{
    size_t bytes = acre_layout_array(num, acre_layout(size, 1)).size;
    if (bytes == SIZE_MAX)
        return NULL; /* no free helps */
    void *ptr = acre_k_heap_alloc(heap, bytes, timeout);
    return ptr != NULL ? memset(ptr, 0, bytes) : NULL;
}

/* Wakes every waiting thread: each tries its own size again. */
static void unlock_and_wake(struct acre_k_heap *heap, k_spinlock_key_t key)
{
    unsigned waiting = heap->waiting;
    heap->waiting = 0;
    k_spin_unlock(&heap->lock, key);
    while (waiting-- > 0)
        k_sem_give(heap->freed);
}

/* A pointer that is not the start of a live block fails the assertion; nothing has changed. */
void acre_k_heap_free(struct acre_k_heap *heap, void *mem)
{
    if (mem == NULL)
        return;
    k_spinlock_key_t key = lock_heap(heap);
    enum acre_status status = acre_tlsf_dealloc(&heap->tlsf, mem);
    unlock_and_wake(heap, key);
    __ASSERT(status == ACRE_OK, "%p is not a live block of heap %p", mem, (void *)heap);
    (void)status;
}

void *acre_k_heap_realloc(struct acre_k_heap *heap, void *ptr, size_t bytes, k_timeout_t timeout)
{
    k_timepoint_t end = sys_timepoint_calc(timeout);
    k_spinlock_key_t key;
    struct acre_ptr got;
    if (ptr == NULL)
        return acre_k_heap_alloc(heap, bytes, timeout);
    if (bytes == 0) {
        acre_k_heap_free(heap, ptr);
        return NULL;
    }
    do {
        key = lock_heap(heap);
        got = acre_tlsf_realloc(&heap->tlsf, ptr, acre_layout(bytes, sizeof(void *)));
    } while (unlock_and_wait(heap, key, got.status, &timeout, end));
    __ASSERT(
        got.status != ACRE_NOT_ALLOCATED, "%p is not a live block of heap %p", ptr, (void *)heap);
    return got.ptr;
}

struct acre_stats acre_k_heap_stats(struct acre_k_heap *heap)
{
    k_spinlock_key_t key = lock_heap(heap);
    struct acre_stats stats = acre_tlsf_stats(&heap->tlsf);
    k_spin_unlock(&heap->lock, key);
    return stats;
}
