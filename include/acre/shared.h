/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Shared handles: a byte allocator with a reference count. Each holder clones the handle and drops
 * it; the last drop calls the owner back with the pool, so that nobody has to know who is last.
 *
 *     static void unmap(void *arg, void *pool, size_t size, size_t live_blocks);
 *
 *     struct acre_shared shared;
 *     struct acre_shared_pool pool = { start, size, unmap, NULL };
 *     acre_shared_make(&shared, acre_tlsf_bytes(&tlsf), pool);
 *     use(acre_shared_bytes(&shared));
 *     acre_shared_drop(&shared);
 *
 * A shared handle is a byte allocator like any other (acre_shared_bytes): whatever takes a handle
 * takes a shared one. Requests of 0 bytes yield, as everywhere, a pointer of its own that honours
 * the alignment asked for, can be freed, and is never read or written through.
 *
 * Two flavours. Single-threaded (acre_shared_make): the count is plain and nothing locks; all use
 * of the handle comes from one thread at a time. Thread-safe (acre_shared_make_threadsafe): the
 * count is atomic and a lock of the caller's is held around every call to the allocator (during
 * all of walk, too: the visitor may use the handle only if the lock is recursive). A lock may be
 * left out where the allocator locks by itself.
 *
 * The struct lies where the caller puts it, the first bytes of the pool included (for a pool that
 * several processes map, it lies there), and must stay there until the last drop. It needs no
 * memory of its own. From the last drop on, while the struct's memory stands, every call on it is
 * refused exactly: clone and drop with ACRE_NOT_ALLOCATED, the byte verbs as by an allocator
 * without memory.
 */
#ifndef ACRE_SHARED_H
#define ACRE_SHARED_H

#include <acre/bytes.h>
#include <acre/wrap/locked.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Called by the last drop, once, from the thread that drops, with no lock held.
 * @param arg         what the pool was given with.
 * @param pool        start of the pool, as it was given.
 * @param size        its bytes, as they were given.
 * @param live_blocks blocks of the allocator that nobody freed; 0 when all is well. Blocks handed
 * out before the handle was made count too.
 * The pool is the callee's: it may free it, with the allocator, the lock and the struct acre_shared
 * in it.
 */
typedef void acre_shared_end_fn(void *arg, void *pool, size_t size, size_t live_blocks);

/** What the owner gets back in the end. The handle itself reads nothing of it. */
struct acre_shared_pool {
    void *start;             /**< First byte; may be null. */
    size_t size;             /**< Bytes. */
    acre_shared_end_fn *end; /**< Called by the last drop; null: nothing is. */
    void *arg;               /**< Handed to it. */
};

/** The count and what is counted. The caller's memory; the fields are not to be touched. */
struct acre_shared {
    struct acre_locked locked; /**< Allocator and lock; from the last drop on, one that refuses. */
    struct acre_shared_pool pool;
#ifdef __cplusplus
    size_t count;
#else
    _Atomic size_t count; /**< References; 0: ended. Same layout as size_t. */
#endif
    bool threads; /**< The count changes atomically. */
};

/** What a drop did. */
struct acre_drop {
    enum acre_status status; /**< ACRE_OK; ACRE_NOT_ALLOCATED: no reference was left to drop. */
    size_t count;            /**< References that are left; with 0 and ACRE_OK this was the last. */
    size_t live_blocks;      /**< After the last drop: blocks that nobody freed. Else 0. */
};

/**
 * Makes a single-threaded shared handle, with one reference, the caller's.
 * @param shared to be set up; any contents.
 * @param bytes  the allocator, ready to serve; it must stay until the last drop.
 * @param pool   what the last drop hands back; the allocator's memory need not be all of it.
 * @return ACRE_OK; ACRE_INVALID_PARAM: bytes has no table. O(1).
 */
ACRE_NODISCARD enum acre_status acre_shared_make(
    struct acre_shared *shared, struct acre_bytes bytes, struct acre_shared_pool pool);

/**
 * Makes a thread-safe shared handle, with one reference, the caller's.
 * @param locker taken around every call to the allocator; with locker.lock null nothing is, and the
 * allocator must serve several threads by itself. For a pool that processes share, a lock that
 * works across them (a pthread mutex with PTHREAD_PROCESS_SHARED).
 * @return as acre_shared_make; ACRE_INVALID_PARAM also: lock is set and unlock is not. O(1).
 * @note The count needs a compare-and-swap on a word, as C11's atomics have it.
 */
ACRE_NODISCARD enum acre_status acre_shared_make_threadsafe(struct acre_shared *shared,
    struct acre_bytes bytes, struct acre_shared_pool pool, struct acre_locker locker);

/**
 * Counts one holder more.
 * @return ACRE_OK; ACRE_NOT_ALLOCATED: the last reference is gone; ACRE_NO_MEMORY: the count is at
 * SIZE_MAX. Nothing has changed then.
 * @note O(1); the thread-safe flavour repeats while other threads change the count.
 */
enum acre_status acre_shared_clone(struct acre_shared *shared);

/**
 * Counts one holder less. The last one ends the handle and calls the owner back; after that the
 * struct is not touched any more. Live blocks do not hold the end up: they are reported, to the
 * caller and to the owner, and are the owner's.
 * @return see struct acre_drop. Nothing has changed unless status is ACRE_OK.
 * @note O(1) as for clone, and what the owner's callback takes.
 */
struct acre_drop acre_shared_drop(struct acre_shared *shared);

/** References held at this moment; 0 once the handle has ended. O(1). */
size_t acre_shared_count(const struct acre_shared *shared);

/**
 * The shared handle as a byte allocator, for as long as a reference is held.
 * @return a handle whose self is `shared`, and whose calls are the allocator's with the lock around
 * them. O(1).
 */
struct acre_bytes acre_shared_bytes(struct acre_shared *shared);

#ifdef __cplusplus
}
#endif

#endif
