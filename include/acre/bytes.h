/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The bytes family: blocks of any size and alignment.
 *
 *     struct acre_bytes heap = acre_tlsf_bytes(&tlsf);
 *     struct node *node = ACRE_NEW(heap, struct node);
 *     double *table = ACRE_NEW_ARRAY(heap, double, 1000);
 *     acre_dealloc(heap, node);
 *
 * The functions of the family are its verbs. Each that takes a pointer to a block first verifies
 * that it is the start of a live block of this allocator, and reads nothing through it before. If
 * not, the call returns ACRE_NOT_ALLOCATED and has changed nothing. A null pointer is not a block.
 * One case cannot be detected: a stale pointer that equals the start of a block allocated since.
 * TLSF built with ACRE_CHECK_POINTERS set to 0 omits this validation.
 *
 * When a call is wrong in more than one way, the pointer is judged before the layout. Every call
 * that returns ACRE_NO_MEMORY, resize included, adds one to stats().failed; other errors do not.
 */
#ifndef ACRE_BYTES_H
#define ACRE_BYTES_H

#include <acre/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The verbs of a byte allocator. No member is null. The functions below state the contracts. */
struct acre_bytes_ops {
    struct acre_base_ops base;
    struct acre_ptr (*alloc)(void *self, struct acre_layout layout);
    enum acre_status (*dealloc)(void *self, void *ptr);
    enum acre_status (*dealloc_sized)(void *self, void *ptr, struct acre_layout layout);
    enum acre_status (*resize)(void *self, void *ptr, size_t size);
    struct acre_ptr (*realloc)(void *self, void *ptr, struct acre_layout layout);
    struct acre_num (*usable_size)(const void *self, const void *ptr);
    struct acre_block (*find)(const void *self, const void *ptr);
    void (*walk)(const void *self, acre_walk_fn *visit, void *arg);
};

/** A byte allocator of any kind: two words, passed by value. It owns nothing. */
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
 * Allocates a block. Its contents are undefined.
 * @param layout size in bytes (0 is served as 1) and alignment, a power of two.
 * @return {pointer, ACRE_OK};
 *         {null, ACRE_INVALID_PARAM}: the alignment is not a power of two;
 *         {null, ACRE_NO_MEMORY}: no free space fits, sizes near SIZE_MAX included.
 * @note O(1) for TLSF and slab, O(log n) for buddy, n the number of smallest blocks in a region.
 */
ACRE_NODISCARD static inline struct acre_ptr acre_alloc(
    struct acre_bytes bytes, struct acre_layout layout)
{
    return bytes.ops->alloc(bytes.self, layout);
}

/**
 * Frees a block.
 * @param ptr the pointer that alloc or realloc returned.
 * @return ACRE_OK; ACRE_NOT_ALLOCATED: ptr is not the start of a live block of this allocator (null
 *         included).
 * @note Time as for alloc.
 */
static inline enum acre_status acre_dealloc(struct acre_bytes bytes, void *ptr)
{
    return bytes.ops->dealloc(bytes.self, ptr);
}

/**
 * Frees a block whose layout the caller knows, and verifies that layout.
 * @param layout the layout of the request. Any size from it up to usable_size(ptr) is accepted.
 * @return ACRE_OK; ACRE_NOT_ALLOCATED: as for dealloc; ACRE_INVALID_PARAM: a request for this size
 *         would not have made this block, or ptr does not have this alignment.
 * @note Time as for alloc.
 */
static inline enum acre_status acre_dealloc_sized(
    struct acre_bytes bytes, void *ptr, struct acre_layout layout)
{
    return bytes.ops->dealloc_sized(bytes.self, ptr, layout);
}

/**
 * Changes a block's size in place. The address does not change; the contents are kept up to the
 * smaller size.
 * @param size the new size in bytes (0 is served as 1).
 * @return ACRE_OK; ACRE_NOT_ALLOCATED: as for dealloc; ACRE_NO_MEMORY: the block cannot grow in
 *         place.
 * @note Time as for alloc. Never copies.
 */
ACRE_NODISCARD static inline enum acre_status acre_resize(
    struct acre_bytes bytes, void *ptr, size_t size)
{
    return bytes.ops->resize(bytes.self, ptr, size);
}

/**
 * Changes a block's size, and moves the block when it cannot stay.
 * @param ptr    a live block; null is an error (use alloc).
 * @param layout the new size (0 is served as 1) and the alignment of the result. A block that lacks
 *               the alignment is moved.
 * @return {pointer, ACRE_OK}: the contents are kept up to the smaller size; if the pointer differs
 *         from ptr, ptr is no longer valid;
 *         {null, ACRE_NOT_ALLOCATED}: as for dealloc;
 *         {null, ACRE_INVALID_PARAM}: the alignment is not a power of two;
 *         {null, ACRE_NO_MEMORY}: no free space fits. The old block is untouched.
 * @note Time as for alloc, plus O(size) for the copy when the block moves.
 */
ACRE_NODISCARD static inline struct acre_ptr acre_realloc(
    struct acre_bytes bytes, void *ptr, struct acre_layout layout)
{
    return bytes.ops->realloc(bytes.self, ptr, layout);
}

/**
 * The number of bytes that the block can hold: at least as many as were requested. The caller may
 * use all of them.
 * @return {bytes, ACRE_OK}; {0, ACRE_NOT_ALLOCATED}: as for dealloc. O(1).
 */
static inline struct acre_num acre_usable_size(struct acre_bytes bytes, const void *ptr)
{
    return bytes.ops->usable_size(bytes.self, ptr);
}

/**
 * Finds the live block in which a pointer lies: for garbage collectors, debuggers and tools that
 * see pointers into the middle of a block.
 * @param ptr any pointer; nothing is read through it.
 * @return {start, usable bytes, ACRE_OK}: start <= ptr < start + usable bytes;
 *         {null, 0, ACRE_NOT_ALLOCATED}: no live block of this allocator holds the byte at ptr.
 * @note The allocator states the time: O(log n) for buddy; for slab O(1), and O(pages of the block)
 *       for a block of several pages; for TLSF O(distance to the block's start / 1024 bytes), with
 *       ACRE_CHECK_POINTERS set to 0 O(blocks).
 */
static inline struct acre_block acre_find(struct acre_bytes bytes, const void *ptr)
{
    return bytes.ops->find(bytes.self, ptr);
}

/**
 * Visits every block, live or free, region by region, in order of address within a region.
 * @param visit called once per block; it ends the walk by returning false.
 * @note Linear in the number of blocks. The visitor must not change the allocator.
 */
static inline void acre_walk(struct acre_bytes bytes, acre_walk_fn *visit, void *arg)
{
    bytes.ops->walk(bytes.self, visit, arg);
}

/** Allocates one object of a type: a pointer to it, uninitialised; null when there is no memory. */
#define ACRE_NEW(bytes, type) ((type *)acre_alloc((bytes), ACRE_LAYOUT(type)).ptr)

/** Allocates `count` objects of a type: a pointer to the first one, uninitialised; null when there
 * is no memory or when their size overflows. */
#define ACRE_NEW_ARRAY(bytes, type, count)                                                         \
    ((type *)acre_alloc((bytes), acre_layout_array((count), ACRE_LAYOUT(type))).ptr)

/** Starts the allocator anew with one region; see acre_init. */
ACRE_NODISCARD static inline enum acre_status acre_bytes_init(
    struct acre_bytes bytes, void *start, size_t size)
{
    return acre_init(acre_bytes_base(bytes), start, size);
}

/** Gives the allocator one more region; see acre_add_memory. */
ACRE_NODISCARD static inline enum acre_status acre_bytes_add_memory(
    struct acre_bytes bytes, void *start, size_t size)
{
    return acre_add_memory(acre_bytes_base(bytes), start, size);
}

/** Takes a region away from the allocator; see acre_remove_memory. */
static inline enum acre_status acre_bytes_remove_memory(struct acre_bytes bytes, void *start)
{
    return acre_remove_memory(acre_bytes_base(bytes), start);
}

/** The statistics; see acre_stats. O(1). */
static inline struct acre_stats acre_bytes_stats(struct acre_bytes bytes)
{
    return acre_stats(acre_bytes_base(bytes));
}

/** Verifies the whole structure; see acre_check. */
static inline struct acre_check_result acre_bytes_check(struct acre_bytes bytes)
{
    return acre_check(acre_bytes_base(bytes));
}

/** Frees all blocks at once; see acre_reset. */
static inline void acre_bytes_reset(struct acre_bytes bytes)
{
    acre_reset(acre_bytes_base(bytes));
}

/** Starts the peak anew; see acre_reset_peak. O(1). */
static inline void acre_bytes_reset_peak(struct acre_bytes bytes)
{
    acre_reset_peak(acre_bytes_base(bytes));
}

/** Bytes owned; see struct acre_stats. O(1). */
static inline size_t acre_total_bytes(struct acre_bytes bytes)
{
    return acre_bytes_stats(bytes).total;
}

/** Bytes that live blocks take; see struct acre_stats. O(1). */
static inline size_t acre_used_bytes(struct acre_bytes bytes)
{
    return acre_bytes_stats(bytes).used;
}

/** Free bytes, not always in one piece; see struct acre_stats. O(1). */
static inline size_t acre_available_bytes(struct acre_bytes bytes)
{
    return acre_bytes_stats(bytes).available;
}

#ifdef __cplusplus
}
#endif

#endif
