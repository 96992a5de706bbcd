/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Reports a pointer that the program passed in and that is not a live block: one line that says
 * what is wrong, then abort. See acre_malloc_on_misuse() for how a program takes the line itself.
 */
#ifndef ACRE_HOSTED_MALLOC_MISUSE_H
#define ACRE_HOSTED_MALLOC_MISUSE_H

#include "malloc/lock.h"
#include "malloc/pool.h"

#include <acre/threaded.h>
#include <acre/types.h>

/**
 * Reports a pointer that is not the start of a live block of `pool`. The lock is held, and is
 * released before the line is written.
 * @param call the function that the program called.
 */
_Noreturn void acre_misuse_pointer(
    const struct acre_pool *pool, struct acre_lock *lock, const char *call, const void *ptr);

/** Reports a live block whose layout differs from the one that the program gave. Lock as above. */
_Noreturn void acre_misuse_layout(const struct acre_pool *pool, struct acre_lock *lock,
    const char *call, const void *ptr, struct acre_layout layout);

/** Reports that a program wrote where no live block is. Lock as above. */
_Noreturn void acre_misuse_damage(const struct acre_pool *pool, struct acre_lock *lock,
    const char *call, const struct acre_threaded_damage *damage);

/** Reports that a thread called the malloc family while inside it. The lock stays held. */
_Noreturn void acre_misuse_reentered(void);

/** Ends the process: an owner has found a block that two threads freed at once. */
_Noreturn void acre_misuse_raced(void);

/** Writes a complete message, or has the program take it, and ends the process. */
struct acre_text;
_Noreturn void acre_misuse_stop(struct acre_text *text);

#endif
