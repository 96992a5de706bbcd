/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Locked: a byte allocator that holds a lock during every call, so that threads, cores or interrupt
 * handlers can share it.
 *
 *     struct acre_locker locker = { lock_mutex, unlock_mutex, &mutex };
 *     struct acre_locked locked;
 *     acre_locked_wrap(&locked, acre_tlsf_bytes(&tlsf), locker);
 *     struct acre_bytes heap = acre_locked_bytes(&locked);
 *
 * Make it the outermost wrapper: wrappers in front of it are not under the lock. A call locks once
 * and never while it holds the lock. The visitor of walk runs under the lock and may use the handle
 * only if the lock is recursive. The lock is held for the duration of the inner call: constant time
 * over TLSF except for the copy of a realloc that moves, linear in the memory owned for check and
 * walk.
 */
#ifndef ACRE_WRAP_LOCKED_H
#define ACRE_WRAP_LOCKED_H

#include <acre/bytes.h>
#include <acre/lock.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A byte allocator with a lock. Set up by acre_locked_wrap; the fields are read-only. */
struct acre_locked {
    struct acre_bytes inner;   /**< Serves every call. */
    struct acre_locker locker; /**< Held during every call. */
};

/**
 * Puts the lock in front of a byte allocator.
 * @param locked any contents.
 * @param inner  the allocator that serves; it must outlive the wrapper.
 * @param locker the lock; with null callbacks, calls pass through without a lock. O(1).
 */
void acre_locked_wrap(
    struct acre_locked *locked, struct acre_bytes inner, struct acre_locker locker);

/** The wrapper as a byte allocator; its results, errors and statistics are the inner ones. Callable
 * from every context from which the locker is. */
struct acre_bytes acre_locked_bytes(struct acre_locked *locked);

#ifdef __cplusplus
}
#endif

#endif
