/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The malloc family over one byte allocator behind one lock: any backend of the registry.
 */
#ifndef ACRE_HOSTED_MALLOC_SERVE_LOCKED_H
#define ACRE_HOSTED_MALLOC_SERVE_LOCKED_H

#include "malloc/serve.h"

/** Finds more memory and allocates from it. @return a block, or null with errno set to ENOMEM. */
void *acre_locked_alloc_slow(struct acre_layout layout);

/** acre_locked_alloc() and acre_locked_free() where the lock takes more than two stores. */
void *acre_locked_alloc_shared(struct acre_layout layout);
void acre_locked_free_shared(const char *call, void *ptr);

/** acre_locked_alloc() from ACRE_LARGE_LEAST bytes on: a mapping of its own where that serves. */
void *acre_locked_alloc_large(struct acre_layout layout);

/** Frees a pointer that the backend does not know: a large block, or else misuse, which does not
 * return. The lock is held. */
void acre_locked_free_large(const char *call, void *ptr);

/** Whether a new block is a large one, whose pages are zero. */
bool acre_locked_is_fresh(const void *ptr);

/** As the functions of serve.h, with a pointer that is not null. */
void acre_locked_free_sized(const char *call, void *ptr, struct acre_layout layout);
void *acre_locked_realloc(const char *call, void *ptr, struct acre_layout layout);
size_t acre_locked_usable_size(const char *call, void *ptr);
struct acre_stats acre_locked_stats(void);
bool acre_locked_trim(void);

/** O(1) beyond what the allocator states, unless memory has to be found. */
ACRE_INLINE void *acre_locked_alloc(struct acre_layout layout)
{
    if (ACRE_UNLIKELY(layout.size >= ACRE_LARGE_LEAST))
        return acre_locked_alloc_large(layout);
    if (ACRE_UNLIKELY(!acre_lock_take_alone(&acre_serve.lock)))
        return acre_locked_alloc_shared(layout);
    void *ptr = acre_alloc(acre_serve.bytes, layout).ptr;
    acre_lock_release_alone(&acre_serve.lock);
    return ACRE_LIKELY(ptr != NULL) ? ptr : acre_locked_alloc_slow(layout);
}

ACRE_INLINE void acre_locked_free(const char *call, void *ptr)
{
    if (ACRE_UNLIKELY(!acre_lock_take_alone(&acre_serve.lock))) {
        acre_locked_free_shared(call, ptr);
        return;
    }
    enum acre_status status = acre_dealloc(acre_serve.bytes, ptr);
    if (ACRE_UNLIKELY(status != ACRE_OK))
        acre_locked_free_large(call, ptr);
    acre_lock_release_alone(&acre_serve.lock);
}

#endif
