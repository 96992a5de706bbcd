/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The bytes family: blocks of any size and alignment.
 *
 * Every verb that takes a block's pointer proves first that the pointer is the start of a live
 * block of this allocator, and reads nothing through it before that is known; if it is not, the
 * answer is ACRE_NOT_ALLOCATED and nothing has changed. A null pointer is no block. The one case
 * that cannot be told apart: a stale pointer that equals the start of a block handed out since.
 * With ACRE_CHECK_POINTERS set to 0 the proof is left out.
 *
 * Where a call is wrong in more than one way, the pointer is judged before the layout. Every call
 * that is answered ACRE_NO_MEMORY, resize included, counts as one in stats().failed; other refusals
 * do not.
 */
#ifndef ACRE_BYTES_H
#define ACRE_BYTES_H

#include <acre/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The verbs of a byte allocator; every slot is filled. See the functions below for each contract.
 */
struct acre_bytes_ops {
    struct acre_base_ops base;
    struct acre_ptr (*alloc)(void *self, struct acre_layout layout);
    enum acre_status (*dealloc)(void *self, void *ptr);
    enum acre_status (*dealloc_sized)(void *self, void *ptr, struct acre_layout layout);
    enum acre_status (*resize)(void *self, void *ptr, size_t size);
    struct acre_ptr (*realloc)(void *self, void *ptr, struct acre_layout layout);
    struct acre_num (*usable_size)(const void *self, const void *ptr);
    void (*walk)(const void *self, acre_walk_fn *visit, void *arg);
};

/** A byte allocator of any kind. Two words, passed by value; owns nothing. */
struct acre_bytes {
    const struct acre_bytes_ops *ops;
    void *self;
};

/** The base verbs of a byte allocator. */
static inline struct acre_base acre_bytes_base(struct acre_bytes bytes)
{
    struct acre_base base;
    base.ops = &bytes.ops->base;
    base.self = bytes.self;
    return base;
}

/**
 * Hands out a block. Its contents are whatever the memory held.
 * @param layout size in bytes (0 is served as 1) and alignment, a power of two.
 * @return {pointer, ACRE_OK}; {null, ACRE_INVALID_PARAM}: the alignment is not a power of two;
 *         {null, ACRE_NO_MEMORY}: no free space fits, sizes near SIZE_MAX included.
 * @note Time as the allocator states: TLSF and slab O(1), buddy O(log n).
 */
static inline struct acre_ptr acre_alloc(struct acre_bytes bytes, struct acre_layout layout)
{
    return bytes.ops->alloc(bytes.self, layout);
}

/**
 * Takes a block back.
 * @param ptr what alloc or realloc returned.
 * @return ACRE_OK; ACRE_NOT_ALLOCATED: ptr is not the start of a live block of this allocator (null
 *         included).
 * @note Time as for alloc.
 */
static inline enum acre_status acre_dealloc(struct acre_bytes bytes, void *ptr)
{
    return bytes.ops->dealloc(bytes.self, ptr);
}

/**
 * Takes a block back from a caller who knows its layout, and holds him to it.
 * @param layout the one the block was asked for with. Any size from it up to usable_size(ptr)
 * passes: only a size that would have made another block is wrong, or an alignment that ptr does
 * not have.
 * @return ACRE_OK; ACRE_NOT_ALLOCATED as for dealloc; ACRE_INVALID_PARAM: the layout is not the
 * block's.
 */
static inline enum acre_status acre_dealloc_sized(
    struct acre_bytes bytes, void *ptr, struct acre_layout layout)
{
    return bytes.ops->dealloc_sized(bytes.self, ptr, layout);
}

/**
 * Changes a block's size where it stands; its address stays, its contents stay up to the lesser
 * size.
 * @param size the new size in bytes (0 is served as 1).
 * @return ACRE_OK; ACRE_NOT_ALLOCATED as for dealloc; ACRE_NO_MEMORY: it cannot grow in place.
 * @note Time as for alloc. Never moves and never copies.
 */
static inline enum acre_status acre_resize(struct acre_bytes bytes, void *ptr, size_t size)
{
    return bytes.ops->resize(bytes.self, ptr, size);
}

/**
 * Changes a block's size, moving it when it cannot stay.
 * @param ptr    a live block; null is refused (allocate instead).
 * @param layout the new size (0 is served as 1), and the alignment that the result must have. A
 * block that does not have it already is moved.
 * @return {pointer, ACRE_OK}: contents kept up to the lesser size, the old pointer dead if it
 * differs; {null, ACRE_NOT_ALLOCATED} as for dealloc; {null, ACRE_INVALID_PARAM}: alignment not a
 * power of two; {null, ACRE_NO_MEMORY}: the old block is untouched.
 * @note Time as for alloc, and O(size) for the copy when it moves.
 */
static inline struct acre_ptr acre_realloc(
    struct acre_bytes bytes, void *ptr, struct acre_layout layout)
{
    return bytes.ops->realloc(bytes.self, ptr, layout);
}

/**
 * Bytes the block can really hold, at least those asked for; all of them may be used.
 * @return {bytes, ACRE_OK}; {0, ACRE_NOT_ALLOCATED} as for dealloc. O(1).
 */
static inline struct acre_num acre_usable_size(struct acre_bytes bytes, const void *ptr)
{
    return bytes.ops->usable_size(bytes.self, ptr);
}

/**
 * Visits every block, free ones included, region by region, in order of address within a region.
 * @param visit called once a block; it ends the walk by returning false.
 * @note Linear in the number of blocks. The visitor must not change the allocator.
 */
static inline void acre_walk(struct acre_bytes bytes, acre_walk_fn *visit, void *arg)
{
    bytes.ops->walk(bytes.self, visit, arg);
}

/** Bytes given to the allocator; see struct acre_stats. O(1). */
static inline size_t acre_total_bytes(struct acre_bytes bytes)
{
    return acre_stats(acre_bytes_base(bytes)).total;
}

/** Bytes that live blocks take; see struct acre_stats. O(1). */
static inline size_t acre_used_bytes(struct acre_bytes bytes)
{
    return acre_stats(acre_bytes_base(bytes)).used;
}

/** Bytes free, not always in one piece; see struct acre_stats. O(1). */
static inline size_t acre_available_bytes(struct acre_bytes bytes)
{
    return acre_stats(acre_bytes_base(bytes)).available;
}

#ifdef __cplusplus
}
#endif

#endif
