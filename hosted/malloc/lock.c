/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "malloc/lock.h"

#include "os/os.h"

_Thread_local char acre_lock_mark;

/* The lock is usually held for about 50 ns, so spinning briefly is cheaper than sleeping. */
enum { spins = 64 };

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

static bool try_take(struct acre_lock *lock)
{
    uint32_t seen = ACRE_LOCK_FREE;
    return acre_lock_is(lock, ACRE_LOCK_FREE) &&
           atomic_compare_exchange_strong_explicit(
               &lock->word, &seen, ACRE_LOCK_HELD, memory_order_acquire, memory_order_relaxed);
}

static bool is_owner(const struct acre_lock *lock)
{
    return atomic_load_explicit(&lock->owner, memory_order_relaxed) == &acre_lock_mark;
}

/* `alone`: the process has one thread, so this thread is the owner. */
ACRE_NOINLINE void acre_lock_take_slow(struct acre_lock *lock, bool alone)
{
    if (alone || is_owner(lock)) {
        if (!lock->held_for_fork)
            lock->on_reentry();
        return;
    }
    for (int i = 0; i < spins; i++) {
        if (try_take(lock))
            return;
        pause_briefly();
    }
    while (atomic_exchange_explicit(&lock->word, ACRE_LOCK_WANTED, memory_order_acquire) !=
           ACRE_LOCK_FREE)
        acre_os_wait(&lock->word, ACRE_LOCK_WANTED);
}

ACRE_NOINLINE void acre_lock_release_slow(struct acre_lock *lock)
{
    if (lock->held_for_fork) {
        acre_lock_set_owner(lock, &acre_lock_mark);
        return;
    }
    atomic_store_explicit(&lock->word, ACRE_LOCK_FREE, memory_order_release);
    acre_os_wake_one(&lock->word);
}

bool acre_lock_is_held_by_caller(const struct acre_lock *lock)
{
    if (lock->held_for_fork || acre_lock_is(lock, ACRE_LOCK_FREE))
        return false;
    return acre_os_single_threaded() || is_owner(lock);
}

/* Whether the fork that ends happened in a handler that interrupted the owner. */
static bool was_interrupted(struct acre_lock *lock)
{
    bool interrupted = lock->fork_in_handler;
    lock->fork_in_handler = false;
    return interrupted;
}

void acre_lock_hold_for_fork(struct acre_lock *lock)
{
    if (acre_lock_is_held_by_caller(lock)) {
        lock->fork_in_handler = true;
        return;
    }
    acre_lock_take(lock);
    lock->held_for_fork = true;
    acre_lock_set_owner(lock, &acre_lock_mark);
    acre_lock_set(lock, ACRE_LOCK_WANTED);
}

void acre_lock_release_after_fork(struct acre_lock *lock)
{
    if (was_interrupted(lock))
        return;
    lock->held_for_fork = false;
    acre_lock_set_owner(lock, NULL);
    acre_lock_release_slow(lock);
}

void acre_lock_reinit_after_fork(struct acre_lock *lock)
{
    if (was_interrupted(lock))
        return;
    lock->held_for_fork = false;
    acre_lock_set_owner(lock, NULL);
    acre_lock_set(lock, ACRE_LOCK_FREE);
}
