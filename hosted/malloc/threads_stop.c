/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Misuse of a malloc that has a heap per thread.
 */
#include "malloc/harden.h"
#include "malloc/misuse.h"

/* The message is made under a lock that nobody else wants: what it looks at locks by itself. */
_Noreturn void acre_threads_stop(const char *call, const void *ptr)
{
    static struct acre_lock message;
    acre_lock_take(&message);
    acre_misuse_pointer(&acre_serve.pool, &message, call, ptr);
}

_Noreturn void acre_threads_stop_layout(
    const char *call, const void *ptr, struct acre_layout layout)
{
    static struct acre_lock message;
    acre_lock_take(&message);
    acre_misuse_layout(&acre_serve.pool, &message, call, ptr, layout);
}

_Noreturn void acre_threads_stop_damaged(
    const char *call, const struct acre_threaded_damage *damage)
{
    static struct acre_lock message;
    if (acre_lock_is_held_by_caller(&acre_threads_spare_lock))
        acre_lock_release(&acre_threads_spare_lock);
    acre_lock_take(&message);
    acre_misuse_damage(&acre_serve.pool, &message, call, damage);
}

_Thread_local const char *acre_hardened_call = "malloc";

void acre_hardened_damaged(void *arg, const struct acre_threaded_damage *damage)
{
    (void)arg;
    acre_threads_stop_damaged(acre_hardened_call, damage);
}
