/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The one lock of the drop-in malloc: a futex, with no atomic read-modify-write while the process
 * has a single thread, that knows its owner.
 *
 * The owner serves two ends. A thread that enters again while it is inside (a signal handler that
 * calls malloc) is found out and reported, where a plain lock would hang. And a thread that
 * holds the lock over a fork may enter again, as often as the program's other fork handlers want.
 */
#ifndef ACRE_HOSTED_MALLOC_LOCK_H
#define ACRE_HOSTED_MALLOC_LOCK_H

#include "base/compiler.h"
#include "os/threads.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What the word of a lock says. */
enum acre_lock_state {
    ACRE_LOCK_FREE,
    ACRE_LOCK_HELD,
    ACRE_LOCK_WANTED /**< Held, and its release has more to do than to free it. */
};

/** A zeroed one is free. */
struct acre_lock {
    _Atomic uint32_t word; /**< An enum acre_lock_state. */
    bool over_fork;        /**< Held over a fork; read by its owner only. */
    bool interrupted; /**< Forking from a signal handler that interrupted the owner; his to read. */
    _Atomic(const void *) owner; /**< Mark of the thread inside; null when none is known. */
};

/** An object whose address differs from thread to thread. */
extern _Thread_local char acre_lock_mark __attribute__((tls_model("initial-exec")));

void acre_lock_take_slow(struct acre_lock *lock, bool alone);
void acre_lock_release_slow(struct acre_lock *lock);

/**
 * Takes the lock over a fork: until the release, this thread may take and release it at will, so
 * that the fork handlers that run in between can allocate. A thread that is inside already forks
 * from a signal handler: it keeps the lock as it is, here and in the child, for the interrupted
 * call to release.
 */
void acre_lock_take_over_fork(struct acre_lock *lock);

/** Ends acre_lock_take_over_fork() in the parent. */
void acre_lock_release_after_fork(struct acre_lock *lock);

/** Ends it in the child, where no other thread is left: the lock is free, but for a call that a
 * signal handler interrupted. */
void acre_lock_renew(struct acre_lock *lock);

ACRE_INLINE bool acre_lock_is(const struct acre_lock *lock, enum acre_lock_state state)
{
    return atomic_load_explicit(&lock->word, memory_order_relaxed) == (uint32_t)state;
}

ACRE_INLINE void acre_lock_set(struct acre_lock *lock, enum acre_lock_state state)
{
    atomic_store_explicit(&lock->word, (uint32_t)state, memory_order_relaxed);
}

ACRE_INLINE void acre_lock_set_owner(struct acre_lock *lock, const void *mark)
{
    atomic_store_explicit(&lock->owner, mark, memory_order_relaxed);
}

/**
 * Takes the lock if that needs no atomic operation: this process has one thread, which is not
 * inside and not over a fork.
 * @return false: nothing was done, and acre_lock_take() will do.
 */
ACRE_INLINE bool acre_lock_take_alone(struct acre_lock *lock)
{
    if (ACRE_UNLIKELY(!acre_os_single_threaded() || !acre_lock_is(lock, ACRE_LOCK_FREE)))
        return false;
    acre_lock_set(lock, ACRE_LOCK_HELD);
    return true;
}

/** Releases what acre_lock_take_alone() has taken. No other thread can have come to want it: what
 * creates one allocates. */
ACRE_INLINE void acre_lock_release_alone(struct acre_lock *lock)
{
    acre_lock_set(lock, ACRE_LOCK_FREE);
}

/** Takes the lock, waiting for the thread that has it. If that is this one, and not over a fork,
 * the process ends with a message. */
ACRE_INLINE void acre_lock_take(struct acre_lock *lock)
{
    uint32_t seen = ACRE_LOCK_FREE;
    if (acre_os_single_threaded()) {
        if (ACRE_UNLIKELY(!acre_lock_is(lock, ACRE_LOCK_FREE)))
            acre_lock_take_slow(lock, true);
        else
            acre_lock_set(lock, ACRE_LOCK_HELD);
        return;
    }
    if (ACRE_UNLIKELY(!atomic_compare_exchange_strong_explicit(
            &lock->word, &seen, ACRE_LOCK_HELD, memory_order_acquire, memory_order_relaxed)))
        acre_lock_take_slow(lock, false);
    acre_lock_set_owner(lock, &acre_lock_mark);
}

/** Releases the lock, which this thread has taken. */
ACRE_INLINE void acre_lock_release(struct acre_lock *lock)
{
    uint32_t seen = ACRE_LOCK_HELD;
    if (acre_os_single_threaded()) {
        if (ACRE_UNLIKELY(!acre_lock_is(lock, ACRE_LOCK_HELD)))
            acre_lock_release_slow(lock);
        else
            acre_lock_set(lock, ACRE_LOCK_FREE);
        return;
    }
    acre_lock_set_owner(lock, NULL);
    if (ACRE_UNLIKELY(!atomic_compare_exchange_strong_explicit(
            &lock->word, &seen, ACRE_LOCK_FREE, memory_order_release, memory_order_relaxed)))
        acre_lock_release_slow(lock);
}

#endif
