/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Mutual exclusion by callbacks: what a heap, a wrapper or a shared handle calls around an
 * operation where the caller says so. An interrupt mask, a spin lock, a pthread mutex: acre needs
 * not know.
 *
 *     struct acre_locker locker = { take, give, &mutex };
 */
#ifndef ACRE_LOCK_H
#define ACRE_LOCK_H

#include <acre/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A lock, as two callbacks and what they get. Passed by value; owns nothing. With `lock` null there
 * is none, and both calls below do nothing; otherwise both callbacks are set. They cannot fail, and
 * acre never takes the same lock twice at once. What must be kept between the two (an interrupt
 * mask, say) belongs behind `arg`, written once the lock is held.
 */
struct acre_locker {
    void (*lock)(void *arg);   /**< Returns when the caller alone holds the lock; null: no lock. */
    void (*unlock)(void *arg); /**< Gives back what lock took. */
    void *arg;                 /**< Handed to both. */
};

/** Takes the lock, if there is one. */
static inline void acre_locker_lock(const struct acre_locker *locker)
{
    if (locker->lock)
        locker->lock(locker->arg);
}

/** Gives the lock back, if there is one. */
static inline void acre_locker_unlock(const struct acre_locker *locker)
{
    if (locker->lock)
        locker->unlock(locker->arg);
}

#ifdef __cplusplus
}
#endif

#endif
