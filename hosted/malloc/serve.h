/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The process's one heap, and the entry for every function of the malloc family: it checks sizes
 * and has the backend validate every pointer before anything is read through it.
 *
 * The default backend has a heap per thread (serve_threads.h), whose common paths stand inline: no
 * lock, no call, no test of what was chosen. Until a thread has a heap, and in a process that has
 * chosen another backend, these paths serve nothing and own nothing, so every call goes on to the
 * slow ones below, and from there to one byte allocator behind a lock (serve_locked.h) or to the
 * thread's first heap.
 */
#ifndef ACRE_HOSTED_MALLOC_SERVE_H
#define ACRE_HOSTED_MALLOC_SERVE_H

#include "base/compiler.h"
#include "malloc/export.h"
#include "malloc/lock.h"
#include "malloc/misuse.h"
#include "malloc/pool.h"
#include "malloc/serve_threads.h"
#include "malloc/settings.h"

#include <acre/bytes.h>

#include <errno.h>
#include <stdint.h>

/** Largest size served, in bytes: the difference of two pointers into a block must be
 * representable. */
#define ACRE_SERVE_MOST ((size_t)PTRDIFF_MAX)

enum acre_serve_mode {
    ACRE_SERVE_UNKNOWN, /**< The settings have not been read. */
    ACRE_SERVE_THREADS, /**< A heap per thread. */
    ACRE_SERVE_LOCKED   /**< One byte allocator behind the lock. */
};

/** State of the drop-in malloc. `mode` and `settings` are constant once read; the lock guards what
 * takes memory from the system. */
struct acre_serve {
    enum acre_serve_mode mode;
    struct acre_bytes bytes;       /**< The locked backend, or the null allocator. */
    struct acre_lock lock;         /**< Guards the pool, and the locked backend. */
    struct acre_pool pool;         /**< Memory of the system: ranges, regions, limit. */
    struct acre_settings settings; /**< Read once; `backend` is null before. */
    _Atomic size_t failed;         /**< Requests that failed before they reached a heap. */
};

extern struct acre_serve acre_serve;

/** Name of the backend. */
const char *acre_serve_name(void);

/** Reads the settings unless they were read before. Takes the lock. */
void acre_serve_prepare(void);

/** Counts a failed request. @return null, with errno set to ENOMEM. */
void *acre_serve_refuse(void);

/** acre_serve_alloc() and acre_serve_free() where the inline paths do not answer. */
void *acre_serve_alloc_slow(struct acre_layout layout);
void acre_serve_free_slow(void *ptr, const char *call);

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

/** Statistics, with `failed` counting the program's failed requests. */
struct acre_stats acre_serve_stats(void);

/** Returns the whole pages inside free blocks to the system. @return whether there were any. */
bool acre_serve_trim(void);

/** Whether the calling thread is inside a call that holds a lock: it then forks from a signal
 * handler. */
bool acre_serve_is_inside(void);

/** Holds all locks over a fork, and ends that in the parent or in the child. */
void acre_serve_before_fork(void);
void acre_serve_after_fork_in_parent(void);
void acre_serve_after_fork_in_child(void);

/** A block of this layout, or null with errno set to ENOMEM. The alignment is a power of two. */
ACRE_INLINE void *acre_serve_alloc(size_t size, size_t align)
{
    void *ptr = threads_alloc_fast(size, align);
    return ACRE_LIKELY(ptr != NULL) ? ptr : acre_serve_alloc_slow(acre_layout(size, align));
}

/** The same, where the alignment is seldom natural. */
ACRE_INLINE void *acre_serve_alloc_aligned(size_t size, size_t align)
{
    if (align <= ACRE_NATURAL_ALIGN)
        return acre_serve_alloc(size, align);
    void *ptr = threads_alloc_aligned(size, align);
    return ACRE_LIKELY(ptr != NULL) ? ptr : acre_serve_alloc_slow(acre_layout(size, align));
}

/** Frees a block; does nothing for null. Does not return when the pointer is not a live block.
 * @param call the function that the program called, for the message. */
ACRE_INLINE void acre_serve_free(const char *call, void *ptr)
{
    if (ACRE_UNLIKELY(!threads_free_fast(ptr)))
        acre_serve_free_slow(ptr, call);
}

#endif
