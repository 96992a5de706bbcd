/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The malloc family over a threaded heap. Where threads get heaps, and what happens at fork, stands
 * in threads.c; where memory comes from, in threads_memory.c.
 */
#include "malloc/harden.h"
#include "malloc/threads.h"
#include "malloc/trace.h"
#include "malloc/zero.h"
#include "threaded/threaded_harden_fast.h"

#include <string.h>

/* ---- what is chosen at the start, and tested on slow paths only ---- */

/* Notes a free of the call that returns to `caller`. */
ACRE_INLINE void trace_free(const void *ptr, const void *caller)
{
    if (ACRE_UNLIKELY(acre_serve.settings.trace_frees))
        acre_trace_note(ptr, caller);
}

#define CALLER __builtin_return_address(0)

/* ---- large blocks: mappings of their own, which no heap knows ---- */

static ACRE_NOINLINE void *threads_alloc_large(size_t size)
{
    acre_lock_take(&acre_serve.lock);
    void *ptr = acre_pool_alloc_large(&acre_serve.pool, size);
    acre_large_set_thread(&acre_serve.pool.large, ptr, acre_threads_own->thread);
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
        acre_threads_stop(call, ptr);
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
        acre_threads_stop(call, ptr);
    if (status == ACRE_INVALID_PARAM)
        acre_threads_stop_layout(call, ptr, layout);
}

/* malloc and free as a program calls them. */
static void *threads_alloc_block(size_t size)
{
    void *ptr = threads_alloc_fast(size, ACRE_NATURAL_ALIGN);
    return ptr != NULL ? ptr : acre_threads_alloc(acre_layout(size, ACRE_NATURAL_ALIGN));
}

static void threads_free_block(const char *call, void *ptr)
{
    if (!threads_free_fast(ptr))
        acre_threads_free(call, ptr);
}

/* A block of `usable` bytes moves between a heap and the large blocks. Null: nothing has changed. */
static void *threads_move(const char *call, void *moved, void *ptr, size_t usable, size_t size)
{
    if (moved == NULL)
        return NULL;
    memcpy(moved, ptr, usable < size ? usable : size);
    threads_free_block(call, ptr);
    return moved;
}

/* A large block that is to have less than half the size of the smallest moves to a heap. */
static void *threads_resize_large(const char *call, void *ptr, size_t usable, size_t size)
{
    void *moved = NULL;
    if (size < ACRE_LARGE_LEAST / 2)
        moved = threads_move(call, threads_alloc_block(size), ptr, usable, size);
    if (moved != NULL)
        return moved;
    acre_lock_take(&acre_serve.lock);
    moved = acre_pool_resize_large(&acre_serve.pool, ptr, size);
    acre_lock_release(&acre_serve.lock);
    return moved != NULL ? moved : acre_serve_refuse();
}

/* ---- the functions ---- */

static ACRE_NOINLINE void *alloc_hardened_slow(struct acre_layout layout)
{
    struct acre_thread_heap *heap = acre_threads_heap();
    void *ptr = NULL;
    if (heap == NULL || layout.size > ACRE_SERVE_MOST)
        return acre_serve_refuse();
    ptr = acre_hardened_alloc(heap, layout);
    if (ACRE_UNLIKELY(acre_threaded_late_misuse(&acre_threads.threaded) != 0))
        acre_misuse_raced();
    if (ptr == NULL)
        errno = ENOMEM;
    return ptr;
}

/* A thread without a heap has none that serves anything here. */
static ACRE_NOINLINE void *alloc_hardened(struct acre_layout layout)
{
    struct acre_thread_heap *heap = acre_threads_own;
    void *ptr = NULL;
    acre_hardened_call = "malloc";
    if (layout.size - 1 < HARDEN_INLINE && layout.align <= ACRE_THREADED_UNIT &&
        heap->quarantine != NULL)
        ptr = harden_alloc_fast(heap, layout.size);
    return ACRE_LIKELY(ptr != NULL) ? ptr : alloc_hardened_slow(layout);
}

static ACRE_NOINLINE void *alloc_plain(struct acre_layout layout)
{
    struct acre_thread_heap *heap = acre_threads_heap();
    if (heap == NULL || layout.size > ACRE_SERVE_MOST)
        return acre_serve_refuse();
    void *ptr = NULL;
    if (ACRE_UNLIKELY(layout.size >= ACRE_LARGE_LEAST) &&
        acre_pool_is_large(&acre_serve.pool, layout))
        ptr = threads_alloc_large(layout.size);
    if (ptr == NULL)
        ptr = acre_threaded_alloc_slow(heap, layout).ptr;
    if (ACRE_UNLIKELY(acre_threaded_late_misuse(&acre_threads.threaded) != 0))
        acre_misuse_raced();
    if (ptr == NULL)
        errno = ENOMEM;
    return ptr;
}

void *acre_threads_alloc(struct acre_layout layout)
{
    return malloc_is_hardened() ? alloc_hardened(layout) : alloc_plain(layout);
}

/* A thread that is ending, or has not allocated, frees through a heap that all such threads share. */
static enum acre_status free_without_heap(void *ptr)
{
    enum acre_status status = ACRE_NOT_ALLOCATED;
    acre_lock_take(&acre_threads_spare_lock);
    if (acre_threads.spare != NULL)
        status = acre_threaded_dealloc_slow(acre_threads.spare, ptr);
    acre_lock_release(&acre_threads_spare_lock);
    return status;
}

static enum acre_status free_any(void *ptr)
{
    struct acre_thread_heap *heap = acre_threads_own;
    if (heap->threaded == NULL)
        return free_without_heap(ptr);
    return acre_threaded_dealloc_slow(heap, ptr);
}

/* The ways of a hardened or traced malloc. */
static ACRE_NOINLINE void threads_free_watched(const char *call, void *ptr, const void *caller)
{
    if (free_any(ptr) != ACRE_OK) {
        if (malloc_is_hardened())
            acre_hardened_free(call, ptr);
        else
            threads_free_large(call, ptr);
    }
    trace_free(ptr, caller);
}

static ACRE_NOINLINE void free_hardened_slow(const char *call, void *ptr, const void *caller)
{
    struct acre_thread_heap *heap = acre_threads_own;
    acre_hardened_call = call;
    if (ACRE_LIKELY(heap->quarantine != NULL && acre_harden_dealloc(heap, ptr) == ACRE_OK))
        trace_free(ptr, caller);
    else
        threads_free_watched(call, ptr, caller);
}

/* The fast path serves nothing where frees are traced. */
static ACRE_NOINLINE void free_hardened(const char *call, void *ptr)
{
    struct acre_thread_heap *heap = acre_threads_own;
    if (ACRE_UNLIKELY(heap->quarantine == NULL || !harden_dealloc_fast(heap, ptr)))
        free_hardened_slow(call, ptr, CALLER);
}

static ACRE_NOINLINE void free_plain(const char *call, void *ptr)
{
    if (free_any(ptr) != ACRE_OK)
        threads_free_large(call, ptr);
}

/* The calls are in the place of returns, so that CALLER is still that of the program. */
void acre_threads_free(const char *call, void *ptr)
{
    if (malloc_is_hardened())
        free_hardened(call, ptr);
    else if (ACRE_UNLIKELY(acre_serve.settings.trace_frees))
        threads_free_watched(call, ptr, CALLER);
    else
        free_plain(call, ptr);
}

void acre_threads_free_sized(const char *call, void *ptr, struct acre_layout layout)
{
    enum acre_status status = acre_threaded_check_layout(&acre_threads.threaded, ptr, layout);
    if (ACRE_UNLIKELY(status == ACRE_INVALID_PARAM))
        acre_threads_stop_layout(call, ptr, layout);
    if (ACRE_LIKELY(status == ACRE_OK))
        threads_free_block(call, ptr);
    else if (malloc_is_hardened())
        acre_hardened_free_sized(call, ptr, layout);
    else
        threads_free_large_sized(call, ptr, layout);
    trace_free(ptr, CALLER);
}

/* A block of a heap becomes a large one; null: it stays with the heap. */
static ACRE_NOINLINE void *threads_make_large(const char *call, void *ptr, size_t size)
{
    struct acre_num usable = acre_threaded_usable_size(&acre_threads.threaded, ptr);
    if (usable.status != ACRE_OK)
        return NULL;
    return threads_move(call, threads_alloc_large(size), ptr, usable.num, size);
}

static void *threads_realloc(const char *call, void *ptr, struct acre_layout layout)
{
    struct acre_thread_heap *heap = acre_threads_heap();
    if (heap == NULL)
        return acre_serve_refuse();
    if (malloc_is_hardened())
        return acre_hardened_realloc(call, ptr, layout);
    if (acre_pool_is_large(&acre_serve.pool, layout)) {
        void *large = threads_make_large(call, ptr, layout.size);
        if (large != NULL)
            return large;
    }
    struct acre_ptr moved = acre_threaded_realloc(heap, ptr, layout);
    if (ACRE_UNLIKELY(moved.status == ACRE_NOT_ALLOCATED)) {
        size_t usable = threads_large_size(ptr);
        if (usable == 0)
            acre_threads_stop(call, ptr);
        return threads_resize_large(call, ptr, usable, layout.size);
    }
    if (moved.ptr == NULL)
        errno = ENOMEM;
    return moved.ptr;
}

void *acre_threads_realloc(const char *call, void *ptr, struct acre_layout layout)
{
    void *moved = threads_realloc(call, ptr, layout);
    if (moved != NULL && moved != ptr)
        trace_free(ptr, CALLER);
    return moved;
}

/* At level 2 all blocks are 0 already. */
static ACRE_NOINLINE void *zeroed_hardened(size_t size)
{
    enum { FEW = 64 }; /* of which acre_zero clears so many and no more */
    void *ptr = alloc_hardened(acre_layout(size, ACRE_NATURAL_ALIGN));
    bool whole = acre_serve.settings.harden > 1;
    if (ptr == NULL || (whole && size <= ACRE_THREADED_MAX_SMALL - sizeof(size_t)))
        return ptr;
    if (size >= ACRE_LARGE_LEAST && threads_large_size(ptr) != 0)
        return ptr;
    if (size - sizeof(size_t) <= FEW - sizeof(size_t))
        return acre_zero(ptr, size);
    return memset(ptr, 0, size); /* no more than requested, for the canary begins behind it */
}

static ACRE_NOINLINE void *zeroed_plain(size_t size)
{
    void *ptr = alloc_plain(acre_layout(size, ACRE_NATURAL_ALIGN));
    if (ptr == NULL || (size >= ACRE_LARGE_LEAST && threads_large_size(ptr) != 0))
        return ptr;
    return acre_zero(ptr, size);
}

void *acre_threads_zeroed(size_t size)
{
    return malloc_is_hardened() ? zeroed_hardened(size) : zeroed_plain(size);
}

size_t acre_threads_usable_size(const char *call, void *ptr)
{
    struct acre_num usable = acre_threaded_usable_size(&acre_threads.threaded, ptr);
    if (ACRE_UNLIKELY(usable.status != ACRE_OK) && malloc_is_hardened())
        return acre_hardened_size(call, ptr);
    if (ACRE_UNLIKELY(usable.status != ACRE_OK)) {
        usable.num = threads_large_size(ptr);
        if (usable.num == 0)
            acre_threads_stop(call, ptr);
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
