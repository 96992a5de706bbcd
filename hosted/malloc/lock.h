/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The one lock of the drop-in malloc: a futex that knows its owner, without an atomic
 * read-modify-write while the process has a single thread.
 *
 * The owner is known for two reasons. A thread that takes the lock again (a signal handler that
 * calls malloc) is reported, where a plain lock would hang. And the thread that holds the lock
 * during a fork may take it again, so that the program's other fork handlers can allocate.
 */
#ifndef ACRE_HOSTED_MALLOC_LOCK_H
#define ACRE_HOSTED_MALLOC_LOCK_H

#include "base/compiler.h"
#include "os/threads.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** State of a lock. */
enum acre_lock_state {
    ACRE_LOCK_FREE,
    ACRE_LOCK_HELD,
    ACRE_LOCK_WANTED /**< Held, and the release takes the slow path. */
};

/** A zeroed lock is free. */
struct acre_lock {
    _Atomic uint32_t word; /**< An enum acre_lock_state. */
    bool held_for_fork;    /**< Held during a fork; only the owner reads it. */
    bool
        fork_in_handler; /**< A signal handler that interrupted the owner forks; only he reads it. */
    _Atomic(const void *) owner; /**< Mark of the owner; null when not known. */
    /** Called, and does not return, when the owner takes the lock again other than for a fork. */
    void (*on_reentry)(void);
};

/** An object whose address identifies the thread. */
extern _Thread_local char acre_lock_mark __attribute__((tls_model("initial-exec")));

void acre_lock_take_slow(struct acre_lock *lock, bool alone);
void acre_lock_release_slow(struct acre_lock *lock);

/**
 * Takes the lock before a fork. Until the release, this thread may take and release it at will, so
 * that other fork handlers can allocate. A thread that already has the lock forks from a signal
 * handler: the lock stays as it is, in the parent and in the child, until the interrupted call
 * releases it.
 */
void acre_lock_hold_for_fork(struct acre_lock *lock);

/** Whether this thread has the lock, other than for a fork: a signal handler asks. */
bool acre_lock_is_held_by_caller(const struct acre_lock *lock);

/** Ends acre_lock_hold_for_fork() in the parent. */
void acre_lock_release_after_fork(struct acre_lock *lock);

/** Ends acre_lock_hold_for_fork() in the child, which has one thread: the lock is free, except when
 * the fork happened in a signal handler that interrupted its owner. */
void acre_lock_reinit_after_fork(struct acre_lock *lock);

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
 * Takes the lock if that needs no atomic operation: the process has one thread, the lock is free
 * and no fork is under way.
 * @return false: nothing was done; call acre_lock_take().
 */
ACRE_INLINE bool acre_lock_take_alone(struct acre_lock *lock)
{
    if (ACRE_UNLIKELY(!acre_os_single_threaded() || !acre_lock_is(lock, ACRE_LOCK_FREE)))
        return false;
    acre_lock_set(lock, ACRE_LOCK_HELD);
    return true;
}

/** Releases a lock taken by acre_lock_take_alone(). No thread can wait for it: creating one
 * allocates. */
ACRE_INLINE void acre_lock_release_alone(struct acre_lock *lock)
{
    acre_lock_set(lock, ACRE_LOCK_FREE);
}

/** Takes the lock, waiting for its owner. If the owner is this thread, other than for a fork, calls
 * on_reentry. */
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
