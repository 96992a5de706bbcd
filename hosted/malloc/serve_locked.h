/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * One byte allocator behind one lock: the part of serve.h that libacre-malloc.so inlines.
 */
#ifndef ACRE_HOSTED_MALLOC_SERVE_LOCKED_H
#define ACRE_HOSTED_MALLOC_SERVE_LOCKED_H

#include "base/compiler.h"
#include "malloc/lock.h"
#include "malloc/misuse.h"
#include "malloc/pool.h"
#include "malloc/settings.h"

/** State of the drop-in malloc. The lock guards everything; `settings` is constant once read. */
struct acre_serve {
    struct acre_lock lock;
    struct acre_bytes bytes;       /**< The backend, or the null allocator. */
    struct acre_pool pool;         /**< Open after the first request. */
    struct acre_settings settings; /**< Read once; `backend` is null before. */
    size_t refused;                /**< Requests refused for lack of memory. */
};

extern struct acre_serve acre_serve;

/** Finds more memory and allocates from it. @return a block, or null with errno set to ENOMEM. */
void *acre_serve_alloc_slow(struct acre_layout layout);

/** acre_serve_alloc() and acre_serve_free() where the lock takes more than two stores. */
void *acre_serve_alloc_shared(struct acre_layout layout);
void acre_serve_free_shared(const char *call, void *ptr);

/** acre_serve_alloc() from ACRE_LARGE_LEAST bytes on: a mapping of its own where that serves. */
void *acre_serve_alloc_large(struct acre_layout layout);

/** Frees a pointer that the backend does not know: a large block, or else misuse, which does not
 * return. The lock is held. */
void acre_serve_free_large(const char *call, void *ptr);

/**
 * A block of this layout, or null with errno set to ENOMEM. The alignment is a power of two.
 * @note O(1) beyond what the allocator states, unless memory has to be found.
 */
ACRE_INLINE void *acre_serve_alloc(size_t size, size_t align)
{
    struct acre_layout layout = acre_layout(size, align);
    if (ACRE_UNLIKELY(size >= ACRE_LARGE_LEAST))
        return acre_serve_alloc_large(layout);
    if (ACRE_UNLIKELY(!acre_lock_take_alone(&acre_serve.lock)))
        return acre_serve_alloc_shared(layout);
    void *ptr = acre_alloc(acre_serve.bytes, layout).ptr;
    acre_lock_release_alone(&acre_serve.lock);
    return ACRE_LIKELY(ptr != NULL) ? ptr : acre_serve_alloc_slow(layout);
}

/** Frees a block; does nothing for null. Does not return when the pointer is not a live block.
 * @param call the function that the program called, for the message. */
ACRE_INLINE void acre_serve_free(const char *call, void *ptr)
{
    if (ptr == NULL)
        return;
    if (ACRE_UNLIKELY(!acre_lock_take_alone(&acre_serve.lock))) {
        acre_serve_free_shared(call, ptr);
        return;
    }
    enum acre_status status = acre_dealloc(acre_serve.bytes, ptr);
    if (ACRE_UNLIKELY(status != ACRE_OK))
        acre_serve_free_large(call, ptr);
    acre_lock_release_alone(&acre_serve.lock);
}

#endif
