/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Threaded heap for one thread, as a byte allocator: a threaded heap (acre/threaded.h) with one heap
 * over bitmap pages of the regions that it is given. It exists so that the threaded heap can be
 * compared, replayed and exchanged with the other allocators through one interface; programs with
 * threads use acre/threaded.h.
 *
 * Blocks, sizes and misuse errors are those of the threaded heap. Records, the page map and the
 * heap lie in pages of the regions, 64 KiB at least, and stay there until no block is live. So
 * - `metadata` grows as slabs are made, and a refused request may make empty slabs go back;
 * - a region is removed only if neither a block nor a record lies in it, or if no block is live;
 * - `largest_free` is the longest run of free pages but four, which records may need: smaller
 *   requests may be served without it;
 * - walk shows neither free pages nor the bytes of a slab behind its last object.
 *
 * Not for: memory under 256 KiB.
 */
#ifndef ACRE_THREADED_POOL_H
#define ACRE_THREADED_POOL_H

#include <acre/backing.h>
#include <acre/bitmap.h>
#include <acre/threaded.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A zeroed one is empty. Every field is private. It must not move while it owns memory. */
struct acre_threaded_pool {
    struct acre_thread_heap *heap; /* null: there is no memory for one yet */
    size_t used;                   /* bytes of live blocks */
    size_t live;                   /* live blocks */
    size_t peak;                   /* highest value of used */
    size_t failed;                 /* requests failed */
    struct acre_exhausted_hook on_exhausted;
    struct acre_bitmap pages;
    struct acre_threaded threaded;
};

/**
 * The verbs. Each one's contract is that of its namesake in acre/bytes.h and acre/base.h, with the
 * differences stated above. alloc, dealloc: O(1), and a search of pages for a slab or a large
 * block; resize, usable_size: O(1). init, reset: O(pages / 64).
 * remove_memory, check: O(slabs). walk: O(blocks + 2 to the power of 14).
 */
ACRE_NODISCARD enum acre_status acre_threaded_pool_init(
    struct acre_threaded_pool *pool, void *start, size_t size);
ACRE_NODISCARD enum acre_status acre_threaded_pool_add_memory(
    struct acre_threaded_pool *pool, void *start, size_t size);
enum acre_status acre_threaded_pool_remove_memory(struct acre_threaded_pool *pool, void *start);
struct acre_stats acre_threaded_pool_stats(const struct acre_threaded_pool *pool);
struct acre_check_result acre_threaded_pool_check(const struct acre_threaded_pool *pool);
void acre_threaded_pool_reset(struct acre_threaded_pool *pool);
void acre_threaded_pool_reset_peak(struct acre_threaded_pool *pool);
ACRE_NODISCARD struct acre_ptr acre_threaded_pool_alloc(
    struct acre_threaded_pool *pool, struct acre_layout layout);
enum acre_status acre_threaded_pool_dealloc(struct acre_threaded_pool *pool, void *ptr);
enum acre_status acre_threaded_pool_dealloc_sized(
    struct acre_threaded_pool *pool, void *ptr, struct acre_layout layout);
ACRE_NODISCARD enum acre_status acre_threaded_pool_resize(
    struct acre_threaded_pool *pool, void *ptr, size_t size);
ACRE_NODISCARD struct acre_ptr acre_threaded_pool_realloc(
    struct acre_threaded_pool *pool, void *ptr, struct acre_layout layout);
struct acre_num acre_threaded_pool_usable_size(
    const struct acre_threaded_pool *pool, const void *ptr);
struct acre_block acre_threaded_pool_find(const struct acre_threaded_pool *pool, const void *ptr);
void acre_threaded_pool_walk(const struct acre_threaded_pool *pool, acre_walk_fn *visit, void *arg);

/** Gives empty slabs and kept runs back to the pages and, when no block is live, the records too.
 * O(slabs + pages / 64). */
void acre_threaded_pool_release_empty(struct acre_threaded_pool *pool);

/** As acre_slab_set_on_exhausted. O(1). */
void acre_threaded_pool_set_on_exhausted(
    struct acre_threaded_pool *pool, acre_exhausted_fn *handler, void *arg);

/** Its verbs as a table. */
extern const struct acre_bytes_ops acre_threaded_pool_ops;

/** The pool as a byte allocator. */
static inline struct acre_bytes acre_threaded_pool_bytes(struct acre_threaded_pool *pool)
{
    struct acre_bytes bytes;
    bytes.ops = &acre_threaded_pool_ops;
    bytes.self = pool;
    return bytes;
}

/** The table of acre/backing.h, for layers above. */
extern const struct acre_backing acre_threaded_backing;

#ifdef __cplusplus
}
#endif

#endif
