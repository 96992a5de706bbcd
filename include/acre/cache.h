/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Object caches: objects of one type, under a name, with a constructor and accounts of their own.
 *
 * A cache uses any byte allocator. On a slab allocator, its objects lie in slabs of their size: the
 * object cache of kernels (J. Bonwick, "The slab allocator", USENIX 1994). The constructor runs on
 * every object that is allocated, not once when a slab is created: a freed object may have served
 * another size meanwhile, so that memory goes where it is needed.
 */
#ifndef ACRE_CACHE_H
#define ACRE_CACHE_H

#include <acre/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Makes an object out of raw memory; `arg` is that of acre_cache_create. */
typedef void acre_cache_construct_fn(void *arg, void *object);

/**
 * One cache. The caller provides the struct; every field is private. A zeroed struct is a cache
 * without an allocator: it refuses every alloc.
 */
struct acre_cache {
    const char *name;
    struct acre_bytes bytes;
    struct acre_layout layout;
    acre_cache_construct_fn *construct;
    void *arg;
    size_t live;
    size_t peak;
    size_t allocs;
    size_t failed;
};

/** The accounts of a cache; counts of objects. */
struct acre_cache_stats {
    const char *name;          /**< As given. */
    struct acre_layout layout; /**< Of one object. */
    size_t live;               /**< Objects allocated and not freed. */
    size_t peak;               /**< Highest value of live. */
    size_t allocs;             /**< Objects allocated since the cache was created. */
    size_t failed;             /**< Requests failed for lack of memory. */
};

/**
 * Creates a cache; takes no memory.
 * @param name      for the accounts; must outlive the cache.
 * @param bytes     where objects come from; must outlive the cache.
 * @param layout    of one object.
 * @param construct null, or called by acre_cache_alloc for every object.
 * @return ACRE_OK; ACRE_INVALID_PARAM: the alignment is not a power of two, or name is null. O(1).
 */
enum acre_status acre_cache_create(struct acre_cache *cache, const char *name,
    struct acre_bytes bytes, struct acre_layout layout, acre_cache_construct_fn *construct,
    void *arg);

/** Allocates an object and constructs it. Result and time: those of acre_alloc, and the
 *  constructor's time. */
ACRE_NODISCARD struct acre_ptr acre_cache_alloc(struct acre_cache *cache);

/**
 * Frees an object.
 * @return ACRE_OK; ACRE_NOT_ALLOCATED: no live block of the allocator starts there, or no object of
 *         the cache is live; ACRE_INVALID_PARAM: it is a block of another layout. A live block of
 *         the same layout that belongs to another user of the allocator cannot be detected.
 */
enum acre_status acre_cache_dealloc(struct acre_cache *cache, void *object);

#if defined(__cplusplus) && defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow" /* acre_cache_stats is a struct and a function */
#endif
/** The accounts, by value. O(1). */
struct acre_cache_stats acre_cache_stats(const struct acre_cache *cache);
#if defined(__cplusplus) && defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

/** Destroys a cache. @return ACRE_OK; ACRE_INVALID_PARAM: an object is live. O(1). */
enum acre_status acre_cache_destroy(struct acre_cache *cache);

#ifdef __cplusplus
}
#endif

#endif
