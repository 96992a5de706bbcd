/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The process's one heap, and the entry for every function of the malloc family: it checks sizes,
 * takes the lock, and has the backend prove every pointer before anything is read through it.
 *
 * Before the first call the heap is the null allocator, which refuses everything. So the fast path
 * needs no test for initialisation: that happens on the slow path, where memory is short.
 */
#ifndef ACRE_HOSTED_MALLOC_SERVE_H
#define ACRE_HOSTED_MALLOC_SERVE_H

#include "base/compiler.h"
#include "malloc/export.h"
#include "malloc/lock.h"
#include "malloc/misuse.h"
#include "malloc/pool.h"
#include "malloc/settings.h"

#include <acre/bytes.h>

#include <errno.h>
#include <stdint.h>

/** State of the drop-in malloc. The lock guards everything; `settings` is constant once read. */
struct acre_serve {
    struct acre_lock lock;
    struct acre_bytes bytes;       /**< The backend, or the null allocator. */
    struct acre_pool pool;         /**< Open after the first request. */
    struct acre_settings settings; /**< Read once; `backend` is null before. */
    size_t refused;                /**< Requests refused for lack of memory. */
};

extern struct acre_serve acre_serve;

/** Largest size served, in bytes: the difference of two pointers into a block must be
 * representable. */
#define ACRE_SERVE_MOST ((size_t)PTRDIFF_MAX)

/** Name of the backend. */
const char *acre_serve_name(void);

/** Reads the settings unless they were read before. Takes the lock. */
void acre_serve_prepare(void);

/** Finds more memory and allocates from it. @return a block, or null with errno set to ENOMEM. */
void *acre_serve_alloc_slow(struct acre_layout layout);

/** acre_serve_alloc() and acre_serve_free() where the lock takes more than two stores. */
void *acre_serve_alloc_shared(struct acre_layout layout);
void acre_serve_free_shared(const char *call, void *ptr);

/** Counts a refused request. @return null, with errno set to ENOMEM. */
void *acre_serve_refuse(void);

/**
 * A block of this layout, or null with errno set to ENOMEM. The alignment is a power of two.
 * @note O(1) beyond what the allocator states, unless memory has to be found.
 */
ACRE_INLINE void *acre_serve_alloc(size_t size, size_t align)
{
    if (ACRE_UNLIKELY(size > ACRE_SERVE_MOST))
        return acre_serve_refuse();
    struct acre_layout layout = acre_layout(size, align);
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
        acre_misuse_pointer(&acre_serve.pool, &acre_serve.lock, call, ptr);
    acre_lock_release_alone(&acre_serve.lock);
}

/** As acre_serve_free(), and the layout must be the block's. */
void acre_serve_free_sized(const char *call, void *ptr, struct acre_layout layout);

/** A zeroed block for `count` objects of `size` bytes, or null with errno set to ENOMEM. */
void *acre_serve_zeroed(size_t count, size_t size);

/**
 * Changes a block's size to that of `count` objects of `size` bytes. Null is allocated anew; a
 * product of 0 frees the block and returns null.
 * @return the block, perhaps moved; or null with errno set to ENOMEM and the old block untouched.
 */
void *acre_serve_realloc(const char *call, void *ptr, size_t count, size_t size);

/** Bytes a block can hold; 0 for null. */
size_t acre_serve_usable_size(const char *call, void *ptr);

/** Statistics, with `failed` counting the program's refused requests. */
struct acre_stats acre_serve_stats(void);

/** Returns the whole pages inside free blocks to the system. @return whether there were any. */
bool acre_serve_trim(void);

#endif
