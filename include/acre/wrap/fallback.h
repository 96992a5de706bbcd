/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Fallback: two byte allocators as one. The first serves what it can, the second the rest: a small
 * pool of fast memory before a large one, or a pool of one's own before the common heap.
 *
 * Whose a block is, the first allocator says: what it answers ACRE_NOT_ALLOCATED to is the
 * second's. So the first must prove its pointers, as every allocator here does in the default
 * build; TLSF does not with ACRE_CHECK_POINTERS set to 0.
 *
 * A block stays with its allocator while that one can serve it. Realloc moves it to the other, in
 * either direction, when its own cannot; the copy is the only time that a managed byte is touched.
 *
 * Memory: both may have been given theirs before. Through this handle, init gives its region to the
 * first and leaves the second without any; add_memory gives to the second. remove_memory and reset
 * reach both. A range that overlaps what the first was given by init is refused; what the first was
 * given otherwise is not known here.
 */
#ifndef ACRE_WRAP_FALLBACK_H
#define ACRE_WRAP_FALLBACK_H

#include <acre/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Two byte allocators as one. Set up by acre_fallback_wrap; the fields are to be read, not
 * written. */
struct acre_fallback {
    struct acre_bytes first;  /**< Asked first. */
    struct acre_bytes second; /**< Asked when the first has no memory. */
    size_t spilled;           /**< Requests that the second served, since init or reset. */
    size_t refused;           /**< Requests that neither served. */
    size_t peak;              /**< Highest sum of both `used` noted while the second is in use. */
    void *start;              /**< What init gave to the first; null: nothing. */
    size_t size;              /**< Bytes there. */
};

/**
 * Puts two byte allocators behind one handle.
 * @param fallback to be set up; any contents.
 * @param first, second must outlive the wrapper and be different. O(1).
 */
void acre_fallback_wrap(
    struct acre_fallback *fallback, struct acre_bytes first, struct acre_bytes second);

/**
 * The wrapper as a byte allocator. A call costs O(1) more than that of the allocator that serves
 * it, and that of the first where the second serves. Statistics are sums, but: largest_free is the
 * larger one; `failed` counts what neither served; peak is the highest sum, for which the
 * statistics of both are taken at every request that is served while the second has been used.
 */
struct acre_bytes acre_fallback_bytes(struct acre_fallback *fallback);

#ifdef __cplusplus
}
#endif

#endif
