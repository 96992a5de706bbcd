/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Locked: a byte allocator that takes a lock around every call, so that threads, cores or interrupt
 * handlers can share it.
 *
 *     struct acre_locker locker = { take, give, &mutex };
 *     struct acre_locked locked;
 *     acre_locked_wrap(&locked, acre_tlsf_bytes(&tlsf), locker);
 *     struct acre_bytes heap = acre_locked_bytes(&locked);
 *
 * Put it outermost: what stands in front of it is not under the lock. One call takes the lock once
 * and never twice at the same time; but the visitor of walk runs under it, and may use the handle
 * only where the holder of the lock may take it again.
 * The lock is held as long as the inner call lasts: constant time over TLSF but for a copy when
 * realloc moves a block, linear in the memory owned for check, walk and what the inner allocator
 * says so of.
 */
#ifndef ACRE_WRAP_LOCKED_H
#define ACRE_WRAP_LOCKED_H

#include <acre/bytes.h>
#include <acre/lock.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A byte allocator with a lock. Set up by acre_locked_wrap; the fields are to be read, not
 * written. */
struct acre_locked {
    struct acre_bytes inner;   /**< Serves every call. */
    struct acre_locker locker; /**< Held while it does. */
};

/**
 * Puts the lock in front of a byte allocator.
 * @param locked to be set up; any contents.
 * @param inner  the allocator that serves; it must outlive the wrapper.
 * @param locker the lock; without callbacks there is none, and calls pass through. O(1).
 */
void acre_locked_wrap(
    struct acre_locked *locked, struct acre_bytes inner, struct acre_locker locker);

/** The wrapper as a byte allocator; its results, errors and statistics are the inner ones. Callable
 * from wherever the locker is. */
struct acre_bytes acre_locked_bytes(struct acre_locked *locked);

#ifdef __cplusplus
}
#endif

#endif
