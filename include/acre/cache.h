/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Object caches: blocks of one type, under a name, with a constructor and accounts of their own.
 *
 * A cache stands on any byte allocator; on a slab allocator its objects lie in slabs of their size,
 * which is what kernels call an object cache (J. Bonwick, "The slab allocator", USENIX 1994). The
 * constructor runs on every object that is handed out, not once when a slab is made: an object that
 * was freed may have served another size meanwhile, so that memory goes where it is needed.
 */
#ifndef ACRE_CACHE_H
#define ACRE_CACHE_H

#include <acre/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Makes an object out of raw memory; `arg` is what acre_cache_make was given. */
typedef void acre_cache_construct_fn(void *arg, void *object);

/** One cache. The caller gives it a place; every field is private. */
struct acre_cache {
    const char *name;
    struct acre_bytes bytes;
    struct acre_layout layout;
    acre_cache_construct_fn *construct;
    void *arg;
    size_t live;
    size_t peak;
    size_t taken;
    size_t failed;
};

/** The accounts of a cache; counts of objects. */
struct acre_cache_stats {
    const char *name;          /**< As given. */
    struct acre_layout layout; /**< Of one object. */
    size_t live;               /**< Objects handed out and not freed. */
    size_t peak;               /**< Highest value of live. */
    size_t taken;              /**< Objects handed out since the cache was made. */
    size_t failed;             /**< Requests refused for want of memory. */
};

/**
 * Makes a cache; takes no memory.
 * @param name      for the accounts; must outlive the cache.
 * @param bytes     where objects come from; must outlive the cache.
 * @param layout    of one object.
 * @param construct null, or run on every object before it is handed out, in acre_cache_alloc.
 * @return ACRE_OK; ACRE_INVALID_PARAM: the alignment is not a power of two, or name is null. O(1).
 */
enum acre_status acre_cache_make(struct acre_cache *cache, const char *name,
    struct acre_bytes bytes, struct acre_layout layout, acre_cache_construct_fn *construct,
    void *arg);

/** An object, constructed. Result and time as acre_alloc, and the constructor's. */
ACRE_NODISCARD struct acre_ptr acre_cache_alloc(struct acre_cache *cache);

/**
 * Takes an object back.
 * @return ACRE_OK; ACRE_NOT_ALLOCATED: no live block of the allocator starts there, or no object of
 *         the cache is live; ACRE_INVALID_PARAM: it is a block of another layout. A live block of
 *         the same layout that another user of the allocator holds cannot be told apart.
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

/** Ends a cache. @return ACRE_OK; ACRE_INVALID_PARAM: an object is live; nothing has changed. O(1).
 */
enum acre_status acre_cache_destroy(struct acre_cache *cache);

#ifdef __cplusplus
}
#endif

#endif
