/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Threads and memory of the drop-in malloc that has a heap per thread.
 */
#ifndef ACRE_HOSTED_MALLOC_THREADS_H
#define ACRE_HOSTED_MALLOC_THREADS_H

#include "malloc/serve.h"

/** The calling thread's heap, made when it has none; null: no memory. Takes locks. */
struct acre_thread_heap *acre_threads_heap(void);

/** Whether ACRE_HARDEN is 1 or 2. */
ACRE_INLINE bool malloc_is_hardened(void)
{
    return ACRE_UNLIKELY(acre_serve.settings.harden != 0);
}

/** Reports misuse; see misuse.h. */
_Noreturn void acre_threads_stop(const char *call, const void *ptr);
_Noreturn void acre_threads_stop_layout(
    const char *call, const void *ptr, struct acre_layout layout);
_Noreturn void acre_threads_stop_damaged(
    const char *call, const struct acre_threaded_damage *damage);

/** Prepares the page allocators. The lock is held. @return false: no memory. */
bool acre_threads_open_memory(void);

/** A region of the pool: which of its pages came back and may still have memory. */
struct acre_threads_region {
    struct acre_pool_region region; /**< First, so that the pool's list leads here. */
    size_t words;                   /**< Words behind these are 0. */
    size_t dirty[];                 /**< A bit per page. */
};

/** Bytes of the record of a region of `bytes` bytes. */
size_t acre_threads_region_size(size_t bytes);

/** Pages were taken, which may still have memory. The lock is held. O(regions + pages taken). */
void acre_threads_taken(void *arg, void *start, size_t bytes);

/** Free pages have come back: their memory is kept for a while, and beyond a bound goes back to the
 * system. The lock is held. O(regions + pages given back). */
void acre_threads_released(void *arg, void *start, size_t bytes);

/** What was kept has gone back by other means. The lock is held. */
void acre_threads_forget_released(void);

/** Gives the memory behind free pages, and behind free objects that no other thread can allocate,
 * back to the system. @return whether there was any. */
bool acre_threads_discard_free(struct acre_thread_heap *heap);

#endif
