/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The malloc family over a threaded heap. Where threads get heaps, and what happens at fork, stands
 * in threads.c; where memory comes from, in threads_memory.c.
 */
#include "malloc/threads.h"

#include <string.h>

/* The message is made under a lock that nobody else wants: what it looks at locks by itself. */
static _Noreturn void stop_at_pointer(const char *call, const void *ptr)
{
    static struct acre_lock message;
    acre_lock_take(&message);
    acre_misuse_pointer(&acre_serve.pool, &message, call, ptr);
}

static _Noreturn void stop_at_layout(const char *call, const void *ptr, struct acre_layout layout)
{
    static struct acre_lock message;
    acre_lock_take(&message);
    acre_misuse_layout(&acre_serve.pool, &message, call, ptr, layout);
}

/* ---- large blocks: mappings of their own, which no heap knows ---- */

static ACRE_NOINLINE void *threads_alloc_large(size_t size)
{
    acre_lock_take(&acre_serve.lock);
    void *ptr = acre_pool_alloc_large(&acre_serve.pool, size);
    acre_lock_release(&acre_serve.lock);
    return ptr;
}

/* Frees a pointer that no heap knows, or does not return. */
static ACRE_NOINLINE void threads_free_large(const char *call, void *ptr)
{
    acre_lock_take(&acre_serve.lock);
    bool large = acre_large_owns(&acre_serve.pool.large, ptr);
    if (large)
        acre_large_free(&acre_serve.pool.large, ptr);
    acre_lock_release(&acre_serve.lock);
    if (!large)
        stop_at_pointer(call, ptr);
}

/* Bytes of a large block; 0: there is none. */
static ACRE_NOINLINE size_t threads_large_size(void *ptr)
{
    acre_lock_take(&acre_serve.lock);
    size_t size = 0;
    if (acre_large_owns(&acre_serve.pool.large, ptr))
        size = acre_large_find(&acre_serve.pool.large, (uintptr_t)ptr)->size;
    acre_lock_release(&acre_serve.lock);
    return size;
}

static ACRE_NOINLINE void threads_free_large_sized(
    const char *call, void *ptr, struct acre_layout layout)
{
    enum acre_status status = ACRE_NOT_ALLOCATED;
    acre_lock_take(&acre_serve.lock);
    if (acre_large_owns(&acre_serve.pool.large, ptr))
        status = acre_pool_free_large_sized(&acre_serve.pool, ptr, layout);
    acre_lock_release(&acre_serve.lock);
    if (status == ACRE_NOT_ALLOCATED)
        stop_at_pointer(call, ptr);
    if (status == ACRE_INVALID_PARAM)
        stop_at_layout(call, ptr, layout);
}

/* A block of `usable` bytes moves between a heap and the large blocks. Null: nothing has changed. */
static void *threads_move(const char *call, void *moved, void *ptr, size_t usable, size_t size)
{
    if (moved == NULL)
        return NULL;
    memcpy(moved, ptr, usable < size ? usable : size);
    acre_serve_free(call, ptr);
    return moved;
}

/* A large block that is to have less than half the size of the smallest moves to a heap. */
static void *threads_resize_large(const char *call, void *ptr, size_t usable, size_t size)
{
    void *moved = NULL;
    if (size < ACRE_LARGE_LEAST / 2)
        moved = threads_move(call, acre_serve_alloc(size, ACRE_NATURAL_ALIGN), ptr, usable, size);
    if (moved != NULL)
        return moved;
    acre_lock_take(&acre_serve.lock);
    moved = acre_pool_resize_large(&acre_serve.pool, ptr, size);
    acre_lock_release(&acre_serve.lock);
    return moved != NULL ? moved : acre_serve_refuse();
}

/* ---- the functions ---- */

void *acre_threads_alloc(struct acre_layout layout)
{
    struct acre_thread_heap *heap = acre_threads_heap();
    if (heap == NULL || layout.size > ACRE_SERVE_MOST)
        return acre_serve_refuse();
    void *ptr = NULL;
    if (acre_pool_is_large(&acre_serve.pool, layout))
        ptr = threads_alloc_large(layout.size);
    if (ptr == NULL)
        ptr = acre_threaded_alloc_slow(heap, layout).ptr;
    if (ACRE_UNLIKELY(acre_threaded_late_misuse(&acre_threads.threaded) != 0))
        acre_misuse_raced();
    if (ptr == NULL)
        errno = ENOMEM;
    return ptr;
}

/* A thread that is ending, or has not allocated, frees through a heap that all such threads share. */
static enum acre_status free_without_heap(void *ptr)
{
    enum acre_status status = ACRE_NOT_ALLOCATED;
    acre_lock_take(&acre_threads.spare_lock);
    if (acre_threads.spare != NULL)
        status = acre_threaded_dealloc_slow(acre_threads.spare, ptr);
    acre_lock_release(&acre_threads.spare_lock);
    return status;
}

static enum acre_status free_any(void *ptr)
{
    struct acre_thread_heap *heap = acre_threads_own;
    if (heap->threaded == NULL)
        return free_without_heap(ptr);
    return acre_threaded_dealloc_slow(heap, ptr);
}

void acre_threads_free(const char *call, void *ptr)
{
    if (free_any(ptr) != ACRE_OK)
        threads_free_large(call, ptr);
}

void acre_threads_free_sized(const char *call, void *ptr, struct acre_layout layout)
{
    enum acre_status status = acre_threaded_fits(&acre_threads.threaded, ptr, layout);
    if (ACRE_UNLIKELY(status == ACRE_INVALID_PARAM))
        stop_at_layout(call, ptr, layout);
    if (ACRE_LIKELY(status == ACRE_OK))
        acre_serve_free(call, ptr);
    else
        threads_free_large_sized(call, ptr, layout);
}

/* A block of a heap becomes a large one; null: it stays with the heap. */
static ACRE_NOINLINE void *threads_make_large(const char *call, void *ptr, size_t size)
{
    struct acre_num usable = acre_threaded_usable_size(&acre_threads.threaded, ptr);
    if (usable.status != ACRE_OK)
        return NULL;
    return threads_move(call, threads_alloc_large(size), ptr, usable.num, size);
}

void *acre_threads_realloc(const char *call, void *ptr, struct acre_layout layout)
{
    struct acre_thread_heap *heap = acre_threads_heap();
    if (heap == NULL)
        return acre_serve_refuse();
    if (acre_pool_is_large(&acre_serve.pool, layout)) {
        void *large = threads_make_large(call, ptr, layout.size);
        if (large != NULL)
            return large;
    }
    struct acre_ptr moved = acre_threaded_realloc(heap, ptr, layout);
    if (ACRE_UNLIKELY(moved.status == ACRE_NOT_ALLOCATED)) {
        size_t usable = threads_large_size(ptr);
        if (usable == 0)
            stop_at_pointer(call, ptr);
        return threads_resize_large(call, ptr, usable, layout.size);
    }
    if (moved.ptr == NULL)
        errno = ENOMEM;
    return moved.ptr;
}

size_t acre_threads_usable_size(const char *call, void *ptr)
{
    struct acre_num usable = acre_threaded_usable_size(&acre_threads.threaded, ptr);
    if (ACRE_UNLIKELY(usable.status != ACRE_OK)) {
        usable.num = threads_large_size(ptr);
        if (usable.num == 0)
            stop_at_pointer(call, ptr);
    }
    return usable.num;
}

struct acre_stats acre_threads_stats(void)
{
    struct acre_stats stats = { .total = 0 };
    if (acre_threads.open)
        stats = acre_threaded_stats(&acre_threads.threaded);
    acre_lock_take(&acre_serve.lock);
    acre_pool_add_large_stats(&acre_serve.pool, &stats);
    acre_lock_release(&acre_serve.lock);
    return stats;
}

bool acre_threads_trim(void)
{
    struct acre_thread_heap *heap = acre_threads_heap();
    if (heap == NULL)
        return false;
    acre_threaded_release_empty(heap);
    return acre_threads_discard_free(heap);
}
