/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * A heap per thread: the part of serve.h that libacre-threads.so inlines. The common paths of malloc
 * and free take no lock, make no call, and test nothing about initialisation: a thread without a
 * heap has one that serves nothing and owns nothing.
 */
#ifndef ACRE_HOSTED_MALLOC_SERVE_THREADS_H
#define ACRE_HOSTED_MALLOC_SERVE_THREADS_H

#include "base/compiler.h"
#include "malloc/lock.h"
#include "malloc/pool.h"
#include "malloc/settings.h"
#include "threaded/threaded_private.h"

#include <acre/bitmap.h>

/** State of the drop-in malloc. */
struct acre_serve {
    struct acre_threaded threaded;
    struct acre_lock lock;          /**< Guards the page allocators and what follows. */
    struct acre_bitmap pages;       /**< Pages for blocks. */
    struct acre_bitmap meta;        /**< Pages for records. */
    struct acre_pool pool;          /**< Memory of the system: ranges, regions, limit. */
    struct acre_settings settings;  /**< Read once; `backend` is null before. */
    struct acre_lock spare_lock;    /**< Guards the next field. */
    struct acre_thread_heap *spare; /**< Frees for threads that have no heap. */
    bool open;                      /**< Set after the first request, under `lock`. */
    _Atomic size_t refused;         /**< Requests refused before they reached a heap. */
};

extern struct acre_serve acre_serve;

/** The calling thread's heap. */
extern _Thread_local struct acre_thread_heap *acre_serve_heap
    __attribute__((tls_model("initial-exec")));

/** acre_serve_alloc() and acre_serve_free() where the inline path does not answer. */
void *acre_serve_alloc_slow(struct acre_layout layout);
void acre_serve_free_slow(const char *call, void *ptr);

/** A block of this layout, or null with errno set to ENOMEM. The alignment is a power of two. */
ACRE_INLINE void *acre_serve_alloc(size_t size, size_t align)
{
    if (align <= ACRE_THREADED_UNIT) {
        void *ptr = threaded_alloc_fast(acre_serve_heap, size);
        if (ACRE_LIKELY(ptr != NULL))
            return ptr;
    }
    return acre_serve_alloc_slow(acre_layout(size, align));
}

/** Frees a block; does nothing for null. Does not return when the pointer is not a live block.
 * @param call the function that the program called, for the message. */
ACRE_INLINE void acre_serve_free(const char *call, void *ptr)
{
    if (ACRE_UNLIKELY(!threaded_dealloc_fast(&acre_serve.threaded, acre_serve_heap, ptr)))
        acre_serve_free_slow(call, ptr);
}

#endif
