/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The malloc family over a threaded heap (acre/threaded.h): the fast paths, which serve.h inlines,
 * and what serve.c calls. In a build without that heap or its page allocator, the same names serve
 * nothing.
 */
#ifndef ACRE_HOSTED_MALLOC_SERVE_THREADS_H
#define ACRE_HOSTED_MALLOC_SERVE_THREADS_H

#include "base/compiler.h"
#include "malloc/lock.h"
#include "registry/registry.h"

#include <acre/config.h>

#if ACRE_THREADED && ACRE_BITMAP

#include "threaded/threaded_private.h"

#include <acre/bitmap.h>

#include <string.h>

/** State of the heaps; the memory behind them is acre_serve.pool. */
struct acre_threads {
    struct acre_threaded threaded;
    struct acre_bitmap pages;       /**< Pages for blocks. Under acre_serve.lock, as are */
    struct acre_bitmap meta;        /**< pages for records. */
    struct acre_thread_heap *spare; /**< Frees for threads that have no heap. */
    bool open;                      /**< Set after the first request, under acre_serve.lock. */
};

extern struct acre_threads acre_threads;
extern struct acre_lock acre_threads_spare_lock; /**< Guards acre_threads.spare. */

/** The calling thread's heap. */
extern _Thread_local struct acre_thread_heap *acre_threads_own
    __attribute__((tls_model("initial-exec")));

/** A block at natural alignment; null: the slow path decides. */
ACRE_INLINE void *threads_alloc_fast(size_t size, size_t align)
{
    return align <= ACRE_THREADED_UNIT ? threaded_alloc_fast(acre_threads_own, size) : NULL;
}

/** A block too large for threads_alloc_fast(), up to ACRE_THREADED_MAX_SMALL bytes; null: the slow
 * path decides. */
ACRE_INLINE void *threads_alloc_medium(size_t size, size_t align)
{
    return align <= ACRE_THREADED_UNIT ? threaded_alloc_medium(acre_threads_own, size) : NULL;
}

/** The same for a larger alignment, of at most a page: a size that is a multiple of it has a class
 * of such objects. */
ACRE_INLINE void *threads_alloc_aligned(size_t size, size_t align)
{
    if (align > ACRE_THREADED_PAGE || size > ACRE_THREADED_MAX_SMALL)
        return NULL;
    size = (size_t)acre_align_up(size + (size == 0), align);
    void *ptr = threaded_alloc_fast(acre_threads_own, size);
    return ptr != NULL ? ptr : threaded_alloc_medium(acre_threads_own, size);
}

/** Changes the size of a block of the thread's own. Null: nothing was done, and the slow path
 * decides. */
ACRE_INLINE void *threads_resize_fast(void *ptr, size_t size)
{
    struct acre_thread_heap *heap = acre_threads_own;
    struct acre_threaded_slab *slab = threaded_window_slab(heap, (uintptr_t)ptr);
    if (ACRE_UNLIKELY(!threaded_is_live(slab, (uintptr_t)ptr)))
        return NULL;
    if (slab->size - size < slab->sizes)
        return ptr;
    void *moved = threaded_alloc_fast(heap, size);
    if (moved == NULL)
        moved = threaded_alloc_medium(heap, size);
    if (moved == NULL)
        return NULL;
    memcpy(moved, ptr, size < slab->size ? size : slab->size);
    (void)threaded_dealloc_own(slab, ptr);
    return moved;
}

/** Frees a block of the thread's own. False: nothing was done, and the slow path decides. */
ACRE_INLINE bool threads_free_fast(void *ptr)
{
    return threaded_dealloc_fast(acre_threads_own, ptr);
}

/** As threads_free_fast(), of a block with this layout. False also if the layout may differ. */
ACRE_INLINE bool threads_free_sized_fast(void *ptr, struct acre_layout layout)
{
    return threaded_dealloc_sized_fast(acre_threads_own, ptr, layout);
}

/** The default backend, as the settings name it. */
ACRE_INLINE const struct acre_backend *threads_backend(void)
{
    return acre_backend_find("threaded");
}

/** As the functions of serve.h, with a pointer that is not null. */
void *acre_threads_alloc(struct acre_layout layout);
void acre_threads_free(const char *call, void *ptr);
void acre_threads_free_sized(const char *call, void *ptr, struct acre_layout layout);
void *acre_threads_realloc(const char *call, void *ptr, struct acre_layout layout);
size_t acre_threads_usable_size(const char *call, void *ptr);
void *acre_threads_zeroed(size_t size);
struct acre_stats acre_threads_stats(void);
bool acre_threads_trim(void);

/** For the misuse messages: the bytes requested for a live block, of which `size` is what it can
 * hold; what an address outside of the pool is, if a hardened malloc knows; whose a block is, and
 * where it was freed, as far as that is known. */
struct acre_text;
size_t acre_threads_requested(const void *block, size_t size);
bool acre_threads_describe(struct acre_text *text, uintptr_t address);
void acre_threads_describe_history(struct acre_text *text, uintptr_t block);

/** As the functions of serve.h, around those for acre_serve.lock. */
bool acre_threads_is_inside(void);
void acre_threads_before_fork(void);
void acre_threads_after_fork_in_parent(void);
void acre_threads_after_fork_in_child(void);

#else
#include "malloc/serve_no_threads.h"
#endif

#endif
