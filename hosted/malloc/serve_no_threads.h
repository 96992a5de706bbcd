/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * What serve_threads.h declares, in a build without the threaded heap: nothing is served, and no
 * process can choose that backend.
 */
#ifndef ACRE_HOSTED_MALLOC_SERVE_NO_THREADS_H
#define ACRE_HOSTED_MALLOC_SERVE_NO_THREADS_H

#include "registry/registry.h"

#define threads_alloc_fast(size, align) ((void)(size), (void)(align), (void *)NULL)
#define threads_alloc_medium(size, align) threads_alloc_fast(size, align)
#define threads_alloc_aligned(size, align) threads_alloc_fast(size, align)
#define threads_resize_fast(ptr, size) ((void)(ptr), (void)(size), (void *)NULL)
#define threads_free_fast(ptr) ((void)(ptr), false)
#define threads_free_sized_fast(ptr, layout) ((void)(ptr), (void)(layout), false)
#define threads_backend() ((const struct acre_backend *)NULL)

#define acre_threads_alloc(layout) ((void)(layout), (void *)NULL)
#define acre_threads_free(call, ptr) ((void)(call), (void)(ptr))
#define acre_threads_free_sized(call, ptr, layout) ((void)(call), (void)(ptr), (void)(layout))
#define acre_threads_realloc(call, ptr, layout)                                                    \
    ((void)(call), (void)(ptr), (void)(layout), (void *)NULL)
#define acre_threads_usable_size(call, ptr) ((void)(call), (void)(ptr), (size_t)0)
#define acre_threads_zeroed(size) ((void)(size), (void *)NULL)
#define acre_threads_requested(block, size) ((void)(block), (size))
#define acre_threads_describe(text, address) ((void)(text), (void)(address), false)
#define acre_threads_describe_history(text, block) ((void)(text), (void)(block))
#define acre_threads_stats() ((struct acre_stats){ .total = 0 })
#define acre_threads_trim() false
#define acre_threads_is_inside() false
#define acre_threads_before_fork() ((void)0)
#define acre_threads_after_fork_in_parent() ((void)0)
#define acre_threads_after_fork_in_child() ((void)0)

#endif
