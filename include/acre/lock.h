/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Locks by callback: a heap, a wrapper or a shared handle calls them around an operation. The lock
 * may be an interrupt mask, a spin lock or a pthread mutex.
 *
 *     struct acre_locker locker = { lock_mutex, unlock_mutex, &mutex };
 */
#ifndef ACRE_LOCK_H
#define ACRE_LOCK_H

#include <acre/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A lock: two callbacks and their argument. Passed by value; owns nothing. When `lock` is null,
 * there is no lock, and the two functions below do nothing; otherwise both callbacks are set. They
 * must not fail, and acre never locks a lock that it already holds. State that must be kept from
 * lock to unlock (a saved interrupt mask) belongs behind `arg`, written while the lock is held.
 */
struct acre_locker {
    void (*lock)(void *arg);   /**< Returns when the caller alone holds the lock; null: no lock. */
    void (*unlock)(void *arg); /**< Releases the lock. */
    void *arg;                 /**< Passed to both. */
};

/** Locks, if there is a lock. */
static inline void acre_locker_lock(const struct acre_locker *locker)
{
    if (locker->lock)
        locker->lock(locker->arg);
}

/** Unlocks, if there is a lock. */
static inline void acre_locker_unlock(const struct acre_locker *locker)
{
    if (locker->lock)
        locker->unlock(locker->arg);
}

#ifdef __cplusplus
}
#endif

#endif
