/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The process's one heap, and the entry for every function of the malloc family: it checks sizes,
 * takes the lock, and has the backend prove every pointer before anything is read through it.
 *
 * Before the first call the heap is the null allocator, which refuses everything. So the fast path
 * needs no test for initialisation: that happens on the slow path, where memory is short.
 */
#ifndef ACRE_HOSTED_MALLOC_SERVE_H
#define ACRE_HOSTED_MALLOC_SERVE_H

#include "base/compiler.h"
#include "malloc/export.h"
#include "malloc/lock.h"
#include "malloc/misuse.h"
#include "malloc/pool.h"
#include "malloc/settings.h"

#include <acre/bytes.h>

#include <errno.h>
#include <stdint.h>

/** Largest size served, in bytes: the difference of two pointers into a block must be
 * representable. */
#define ACRE_SERVE_MOST ((size_t)PTRDIFF_MAX)

/** Name of the backend. */
const char *acre_serve_name(void);

/** Reads the settings unless they were read before. Takes the lock. */
void acre_serve_prepare(void);

/** Counts a refused request. @return null, with errno set to ENOMEM. */
void *acre_serve_refuse(void);

/** As acre_serve_free(), and the layout must be the block's. */
void acre_serve_free_sized(const char *call, void *ptr, struct acre_layout layout);

/** A zeroed block for `count` objects of `size` bytes, or null with errno set to ENOMEM. */
void *acre_serve_zeroed(size_t count, size_t size);

/**
 * Changes a block's size to that of `count` objects of `size` bytes. Null is allocated anew; a
 * product of 0 frees the block and returns null.
 * @return the block, perhaps moved; or null with errno set to ENOMEM and the old block untouched.
 */
void *acre_serve_realloc(const char *call, void *ptr, size_t count, size_t size);

/** Bytes a block can hold; 0 for null. */
size_t acre_serve_usable_size(const char *call, void *ptr);

/** Statistics, with `failed` counting the program's refused requests. */
struct acre_stats acre_serve_stats(void);

/** Returns the whole pages inside free blocks to the system. @return whether there were any. */
bool acre_serve_trim(void);

/** Whether the calling thread is inside a call that holds a lock: it then forks from a signal handler. */
bool acre_serve_is_inside(void);

/** Holds all locks over a fork, and ends that in the parent or in the child. */
void acre_serve_before_fork(void);
void acre_serve_after_fork_in_parent(void);
void acre_serve_after_fork_in_child(void);

/* What every call passes through, inline. */
#ifdef ACRE_SERVE_THREADS
#include "malloc/serve_threads.h"
#else
#include "malloc/serve_locked.h"
#endif

#endif
