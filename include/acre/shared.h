/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Shared handles: a byte allocator with a reference count. Each holder clones the handle and drops
 * it; the last drop calls the owner back with the pool, so that no holder needs to know who is
 * last.
 *
 *     static void unmap(void *arg, void *pool, size_t size, size_t live_blocks);
 *
 *     struct acre_shared shared;
 *     struct acre_shared_pool pool = { start, size, unmap, NULL };
 *     if (acre_shared_make(&shared, acre_tlsf_bytes(&tlsf), pool) == ACRE_OK) {
 *         use(acre_shared_bytes(&shared));
 *         acre_shared_drop(&shared);
 *     }
 *
 * A shared handle is a byte allocator (acre_shared_bytes): every function that takes a handle takes
 * a shared one.
 *
 * There are two kinds. Single-threaded (acre_shared_make): the count is plain and nothing locks;
 * one thread at a time uses the handle. Thread-safe (acre_shared_make_threadsafe): the count is
 * atomic and a lock of the caller is held around every call to the allocator, including all of
 * walk: the visitor may use the handle only if the lock is recursive. The lock may be omitted if
 * the allocator locks by itself.
 *
 * The caller chooses where the struct lies; it may be in the first bytes of the pool, as for a pool
 * that several processes map. It must stay there until the last drop. The handle needs no other
 * memory. After the last drop, while the struct's memory exists, every call on it fails exactly:
 * clone and drop return ACRE_NOT_ALLOCATED, the byte verbs act as those of an empty allocator. A
 * zeroed struct is in the same state.
 */
#ifndef ACRE_SHARED_H
#define ACRE_SHARED_H

#include <acre/bytes.h>
#include <acre/wrap/locked.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Called once, by the last drop, in the thread that drops, with no lock held. The callback owns the
 * pool: it may free it, with the allocator, the lock and the struct acre_shared in it.
 * @param arg         the member `arg` of the pool.
 * @param pool        the member `start` of the pool.
 * @param size        the member `size` of the pool.
 * @param live_blocks blocks of the allocator that are still live; 0 if nothing leaked. Blocks that
 *                    were allocated before the handle was made count too.
 */
typedef void acre_shared_end_fn(void *arg, void *pool, size_t size, size_t live_blocks);

/** What the owner gets back after the last drop. The handle does not access the memory. */
struct acre_shared_pool {
    void *start;             /**< First byte; may be null. */
    size_t size;             /**< Bytes. */
    acre_shared_end_fn *end; /**< Called by the last drop; may be null. */
    void *arg;               /**< Passed to `end`. */
};

/** A shared handle. The caller supplies the memory; all fields are private. */
struct acre_shared {
    struct acre_locked locked; /**< Allocator and lock; after the last drop, an empty allocator. */
    struct acre_shared_pool pool;
    size_t count; /**< References; 0 after the last drop. Changed atomically if `threads`. */
    bool threads; /**< The count changes atomically. */
};

/** The result of a drop. */
struct acre_drop {
    enum acre_status status; /**< ACRE_OK; ACRE_NOT_ALLOCATED: there was no reference to drop. */
    size_t count;            /**< Remaining references. 0 with ACRE_OK: this was the last one. */
    size_t live_blocks;      /**< After the last drop: blocks still live. Else 0. */
};

/**
 * Makes a single-threaded shared handle, whose one reference the caller holds.
 * @param shared any contents.
 * @param bytes  the allocator, initialised; it must exist until the last drop.
 * @param pool   passed to the owner by the last drop; it may be larger than the allocator's memory.
 * @return ACRE_OK; ACRE_INVALID_PARAM: bytes.ops is null. O(1).
 */
ACRE_NODISCARD enum acre_status acre_shared_make(
    struct acre_shared *shared, struct acre_bytes bytes, struct acre_shared_pool pool);

/**
 * Makes a thread-safe shared handle, whose one reference the caller holds.
 * @param locker locked around every call to the allocator. If locker.lock is null, the allocator
 *               must be thread-safe itself. A pool that processes share needs a lock that works across
 *               processes (a pthread mutex with PTHREAD_PROCESS_SHARED).
 * @return as for acre_shared_make; also ACRE_INVALID_PARAM: lock is set and unlock is not, or the
 *         machine has no lock-free compare-and-swap on a word (Cortex-M0, RISC-V without A). O(1).
 */
ACRE_NODISCARD enum acre_status acre_shared_make_threadsafe(struct acre_shared *shared,
    struct acre_bytes bytes, struct acre_shared_pool pool, struct acre_locker locker);

/**
 * Adds a reference.
 * @return ACRE_OK; ACRE_NOT_ALLOCATED: no reference is left; ACRE_NO_MEMORY: the count is SIZE_MAX.
 * @note O(1); a thread-safe handle retries while other threads change the count.
 */
enum acre_status acre_shared_clone(struct acre_shared *shared);

/**
 * Drops a reference. The last drop ends the handle and calls the owner back; it does not access the
 * struct afterwards. Live blocks do not delay the end: the caller and the owner get their count.
 * @return see struct acre_drop.
 * @note O(1) as for clone, plus the time of the owner's callback.
 */
struct acre_drop acre_shared_drop(struct acre_shared *shared);

/** The number of references; 0 after the last drop. O(1). */
size_t acre_shared_count(const struct acre_shared *shared);

/**
 * The shared handle as a byte allocator, to be used while a reference is held.
 * @return a handle whose `self` is `shared`. Its verbs are those of the allocator, under the lock.
 *         O(1).
 */
struct acre_bytes acre_shared_bytes(struct acre_shared *shared);

#ifdef __cplusplus
}
#endif

#endif
