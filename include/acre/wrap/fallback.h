/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Fallback: two byte allocators as one. The first serves what it can, the second the rest: a small
 * pool of fast memory before a large one, or a private pool before the common heap.
 *
 * The first allocator decides who owns a block: a pointer for which it returns ACRE_NOT_ALLOCATED
 * belongs to the second. So the first must validate its pointers, as every allocator here does by
 * default; TLSF does not with ACRE_CHECK_POINTERS set to 0.
 *
 * A block stays with its allocator while that one can serve it. realloc moves it to the other one,
 * in either direction, when its own cannot; only that copy touches managed memory.
 *
 * Memory: both allocators may own memory before they are wrapped. Through this handle, init gives
 * its region to the first and empties the second; add_memory gives to the second. remove_memory and
 * reset reach both. A range that overlaps the region that init gave to the first is refused; other
 * regions of the first are not known here.
 */
#ifndef ACRE_WRAP_FALLBACK_H
#define ACRE_WRAP_FALLBACK_H

#include <acre/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Two byte allocators as one. Set up by acre_fallback_wrap; the fields are read-only. */
struct acre_fallback {
    struct acre_bytes first;  /**< Tried first. */
    struct acre_bytes second; /**< Tried when the first has no memory. */
    size_t spilled;           /**< Requests that the second served, since init or reset. */
    size_t failed;            /**< Requests that neither served. */
    size_t peak;              /**< Highest sum of both `used` noted while the second is in use. */
    void *start;              /**< The region that init gave to the first; or null. */
    size_t size;              /**< Its bytes. */
};

/**
 * Puts two byte allocators behind one handle.
 * @param fallback any contents.
 * @param first, second must outlive the wrapper and be different. O(1).
 */
void acre_fallback_wrap(
    struct acre_fallback *fallback, struct acre_bytes first, struct acre_bytes second);

/**
 * The wrapper as a byte allocator. A call costs O(1) on top of the call that serves it, plus a
 * failed call of the first when the second serves it. Statistics are sums, except that largest_free
 * is the larger of the two and `failed` counts requests that neither served. peak is the highest
 * sum: once the second has been used, every successful request reads the statistics of both.
 */
struct acre_bytes acre_fallback_bytes(struct acre_fallback *fallback);

#ifdef __cplusplus
}
#endif

#endif
