/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The lock callbacks of acre/lock.h over a pthread mutex. Header only; for hosted programs.
 *
 *     pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
 *     struct acre_locker locker = acre_locker_pthread(&mutex);
 *
 * Any kind of mutex works; a mutex that processes share needs PTHREAD_PROCESS_SHARED. A mutex that
 * cannot be locked (a robust one whose owner died during a call, an error-checking one locked
 * twice) aborts the process, because the allocator may be half changed.
 */
#ifndef ACRE_LOCK_PTHREAD_H
#define ACRE_LOCK_PTHREAD_H

#include <acre/lock.h>

#include <pthread.h>
#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

/** For acre_locker_pthread: locks the mutex at `arg`, or aborts. */
static inline void acre_pthread_lock(void *arg)
{
    /* NOT-COVERED-BEGIN: a mutex that is none, or is not held, ends the process */
    if (pthread_mutex_lock((pthread_mutex_t *)arg) != 0)
        abort();
    /* NOT-COVERED-END */
}

/** For acre_locker_pthread: unlocks the mutex at `arg`, or aborts. */
static inline void acre_pthread_unlock(void *arg)
{
    /* NOT-COVERED-BEGIN: as above */
    if (pthread_mutex_unlock((pthread_mutex_t *)arg) != 0)
        abort();
    /* NOT-COVERED-END */
}

/**
 * A locker over a mutex.
 * @param mutex initialised; it must exist until the locker's last use. O(1).
 */
static inline struct acre_locker acre_locker_pthread(pthread_mutex_t *mutex)
{
    struct acre_locker locker;
    locker.lock = acre_pthread_lock;
    locker.unlock = acre_pthread_unlock;
    locker.arg = mutex;
    return locker;
}

#ifdef __cplusplus
}
#endif

#endif
