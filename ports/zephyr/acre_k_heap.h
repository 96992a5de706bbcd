/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Zephyr: heaps like those of k_heap, on TLSF. The functions have the parameters and the results of
 * their namesakes without "acre_"; all but the ones that wait may be called from interrupts.
 *
 *     ACRE_K_HEAP_DEFINE(pool, 16384);
 *     void *block = acre_k_heap_alloc(&pool, 100, K_MSEC(10));
 *     acre_k_heap_free(&pool, block);
 */
#ifndef ACRE_PORTS_ZEPHYR_ACRE_K_HEAP_H
#define ACRE_PORTS_ZEPHYR_ACRE_K_HEAP_H

#include <acre/tlsf.h>
#include <zephyr/kernel.h>

#ifdef __cplusplus
extern "C" {
#endif

struct acre_k_heap {
    void *memory; /* until the first call, which gives it to the heap; then null */
    size_t bytes;
    struct k_sem *freed; /* one for each waiting thread, after a block was freed */
    unsigned waiting;    /* threads */
    struct k_spinlock lock;
    struct acre_tlsf tlsf;
};

/* A heap of so many bytes, its metadata included. */
#define ACRE_K_HEAP_DEFINE(name, heap_bytes)                                                       \
    static uint8_t __aligned(ACRE_TLSF_GRANULE) acre_k_heap_buffer_##name[heap_bytes];             \
    K_SEM_DEFINE(acre_k_heap_freed_##name, 0, K_SEM_MAX_LIMIT);                                    \
    struct acre_k_heap name = { .memory = acre_k_heap_buffer_##name,                               \
        .bytes = (heap_bytes),                                                                     \
        .freed = &acre_k_heap_freed_##name }

/* Makes a heap of `mem`; `freed` is a semaphore for its use alone. */
void acre_k_heap_init(struct acre_k_heap *heap, struct k_sem *freed, void *mem, size_t bytes);

void *acre_k_heap_alloc(struct acre_k_heap *heap, size_t bytes, k_timeout_t timeout);
void *acre_k_heap_aligned_alloc(
    struct acre_k_heap *heap, size_t align, size_t bytes, k_timeout_t timeout);
void *acre_k_heap_calloc(struct acre_k_heap *heap, size_t num, size_t size, k_timeout_t timeout);
void *acre_k_heap_realloc(struct acre_k_heap *heap, void *ptr, size_t bytes, k_timeout_t timeout);
void acre_k_heap_free(struct acre_k_heap *heap, void *mem);

/* What sys_heap_runtime_stats_get tells: used, available and peak are there, in bytes. */
struct acre_stats acre_k_heap_stats(struct acre_k_heap *heap);

#ifdef __cplusplus
}
#endif

#endif
