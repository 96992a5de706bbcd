/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * A backend over memory of the operating system, which grows on demand.
 *
 * Blocks come from one range of addresses; the backend's control structure, and its metadata where
 * the backend takes metadata apart, from another. So pieces of memory are adjacent, and one block
 * may span two pieces. Each piece is as large as all pieces before it together: their number grows
 * with the logarithm of the pool. Nothing here locks.
 */
#ifndef ACRE_HOSTED_MALLOC_POOL_H
#define ACRE_HOSTED_MALLOC_POOL_H

#include "malloc/large.h"
#include "malloc/range.h"
#include "registry/registry.h"

#include <acre/bytes.h>

/** A contiguous part of the pool; kept in the metadata range. */
struct acre_pool_region {
    struct acre_pool_region *next;
    uintptr_t start;
    size_t size; /**< Bytes. */
};

/** A zeroed one is closed. */
struct acre_pool {
    const struct acre_backend *backend;
    struct acre_bytes bytes;          /**< The allocator; no table while the pool is closed. */
    struct acre_range blocks;         /**< Holds blocks. */
    struct acre_range metadata;       /**< Holds everything else. */
    struct acre_pool_region *regions; /**< What the allocator owns, newest first. */
    struct acre_large large;          /**< Blocks that the backend does not serve. */
    size_t limit;                     /**< Most bytes ever given to the allocator. */
    size_t given;                     /**< Bytes given to it, metadata apart included. */
};

/**
 * Makes an empty pool.
 * @param limit most bytes the allocator may ever be given, metadata included; SIZE_MAX: no limit.
 * @return false: the system gives no memory for the control structure; the pool stays closed.
 */
bool acre_pool_open(struct acre_pool *pool, const struct acre_backend *backend, size_t limit);

/**
 * Gives the allocator more memory, enough for a block of this layout where the system and the limit
 * allow that, else what the limit leaves.
 * @return false: nothing was added, as when the block is larger than the allocator can make.
 * @note O(metadata added), and a few system calls.
 */
bool acre_pool_grow(struct acre_pool *pool, struct acre_layout layout);

/** A large block within the limit: page-aligned and zero. Null: none can be had. The pool is open. */
void *acre_pool_alloc_large(struct acre_pool *pool, size_t size);

/** acre_large_resize() within the limit. */
void *acre_pool_resize_large(struct acre_pool *pool, void *ptr, size_t size);

/** Whether blocks of this layout are large now, if a mapping can be had. */
bool acre_pool_is_large(const struct acre_pool *pool, struct acre_layout layout);

/** As acre_free_sized, of a large block: ACRE_OK: it is free; ACRE_INVALID_PARAM: another layout. */
enum acre_status acre_pool_free_large_sized(
    struct acre_pool *pool, void *ptr, struct acre_layout layout);

/** Adds the large blocks to a backend's statistics. */
void acre_pool_add_large_stats(const struct acre_pool *pool, struct acre_stats *stats);

/** Bytes that the limit leaves. */
size_t acre_pool_left(const struct acre_pool *pool);

/** The region that contains an address, or null. O(regions); there is usually one. */
const struct acre_pool_region *acre_pool_find(const struct acre_pool *pool, uintptr_t address);

#endif
