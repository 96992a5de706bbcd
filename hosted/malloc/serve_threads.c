/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The malloc family over a threaded heap. Where threads get heaps, and what happens at fork, stands
 * in threads.c; where memory comes from, in threads_memory.c.
 */
#include "malloc/misuse.h"
#include "malloc/serve.h"
#include "malloc/threads.h"
#include "malloc/zero.h"

void *acre_serve_refuse(void)
{
    atomic_fetch_add_explicit(&acre_serve.refused, 1, memory_order_relaxed);
    errno = ENOMEM;
    return NULL;
}

const char *acre_serve_name(void)
{
    return acre_serve.pool.backend != NULL ? acre_serve.pool.backend->name : "none";
}

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

ACRE_NOINLINE void *acre_serve_alloc_slow(struct acre_layout layout)
{
    struct acre_thread_heap *heap = acre_threads_heap();
    if (heap == NULL || layout.size > ACRE_SERVE_MOST)
        return acre_serve_refuse();
    void *ptr = acre_threaded_alloc_slow(heap, layout).ptr;
    if (ACRE_UNLIKELY(acre_threaded_late_misuse(&acre_serve.threaded) != 0))
        acre_misuse_raced();
    if (ptr == NULL)
        errno = ENOMEM;
    return ptr;
}

/* A thread that is ending, or has not allocated, frees through a heap that all such threads share. */
static enum acre_status free_without_heap(void *ptr)
{
    enum acre_status status = ACRE_NOT_ALLOCATED;
    acre_lock_take(&acre_serve.spare_lock);
    if (acre_serve.spare != NULL)
        status = acre_threaded_dealloc_slow(acre_serve.spare, ptr);
    acre_lock_release(&acre_serve.spare_lock);
    return status;
}

static enum acre_status free_any(void *ptr)
{
    struct acre_thread_heap *heap = acre_serve_heap;
    if (heap->threaded == NULL)
        return free_without_heap(ptr);
    return acre_threaded_dealloc_slow(heap, ptr);
}

ACRE_NOINLINE void acre_serve_free_slow(const char *call, void *ptr)
{
    if (ptr != NULL && free_any(ptr) != ACRE_OK)
        stop_at_pointer(call, ptr);
}

void acre_serve_free_sized(const char *call, void *ptr, struct acre_layout layout)
{
    if (ptr == NULL)
        return;
    enum acre_status status = acre_threaded_fits(&acre_serve.threaded, ptr, layout);
    if (ACRE_UNLIKELY(status == ACRE_INVALID_PARAM))
        stop_at_layout(call, ptr, layout);
    acre_serve_free(call, ptr);
}

void *acre_serve_zeroed(size_t count, size_t size)
{
    size_t bytes;
    if (ACRE_UNLIKELY(__builtin_mul_overflow(count, size, &bytes)))
        return acre_serve_refuse();
    void *ptr = acre_serve_alloc(bytes, ACRE_NATURAL_ALIGN);
    return ACRE_LIKELY(ptr != NULL) ? acre_zero(ptr, bytes) : NULL;
}

static void *resize_or_move_threaded(const char *call, void *ptr, size_t bytes)
{
    struct acre_thread_heap *heap = acre_threads_heap();
    if (heap == NULL)
        return acre_serve_refuse();
    struct acre_ptr moved =
        acre_threaded_realloc(heap, ptr, acre_layout(bytes, ACRE_NATURAL_ALIGN));
    if (ACRE_UNLIKELY(moved.status == ACRE_NOT_ALLOCATED))
        stop_at_pointer(call, ptr);
    if (moved.ptr == NULL)
        errno = ENOMEM;
    return moved.ptr;
}

void *acre_serve_realloc(const char *call, void *ptr, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > ACRE_SERVE_MOST) {
        (void)acre_serve_usable_size(call, ptr);
        return acre_serve_refuse();
    }
    if (ptr == NULL)
        return acre_serve_alloc(bytes, ACRE_NATURAL_ALIGN);
    if (bytes != 0)
        return resize_or_move_threaded(call, ptr, bytes);
    acre_serve_free(call, ptr);
    return NULL;
}

size_t acre_serve_usable_size(const char *call, void *ptr)
{
    if (ptr == NULL)
        return 0;
    struct acre_num usable = acre_threaded_usable_size(&acre_serve.threaded, ptr);
    if (ACRE_UNLIKELY(usable.status != ACRE_OK))
        stop_at_pointer(call, ptr);
    return usable.num;
}

struct acre_stats acre_serve_stats(void)
{
    struct acre_stats stats = { .total = 0 };
    if (acre_serve.open)
        stats = acre_threaded_stats(&acre_serve.threaded);
    stats.failed += atomic_load_explicit(&acre_serve.refused, memory_order_relaxed);
    return stats;
}

bool acre_serve_trim(void)
{
    struct acre_thread_heap *heap = acre_threads_heap();
    if (heap == NULL)
        return false;
    acre_threaded_release_empty(heap);
    return acre_threads_discard_free(heap);
}
