/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The base family: the verbs that byte, page and id allocators share.
 *
 * An allocator is a struct of the caller's. It must be zeroed before its first call, as a static
 * one is and as `= { 0 }` makes it. A zeroed struct is an empty allocator with default settings:
 * it owns no memory, and every verb works on it: alloc returns ACRE_NO_MEMORY, dealloc and
 * remove_memory return ACRE_NOT_ALLOCATED, all statistics are 0, check finds nothing wrong, walk
 * visits nothing, and add_memory may be the first call. The `setup` function of an allocator
 * changes settings while it is empty; each `set_` function says when it may be called.
 *
 * Calling context, for all families: no call blocks, allocates elsewhere or calls back, except for
 * walk's visitor, so each may be made from an interrupt handler. No call locks: calls on one
 * allocator must not overlap in time. Different allocators are independent of each other. Where
 * the caller supplies locks or callbacks (set_on_exhausted and its like, acre/heap.h,
 * acre/threaded.h, acre/shared.h, acre/wrap/), their rules apply.
 */
#ifndef ACRE_BASE_H
#define ACRE_BASE_H

#include <acre/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__cplusplus) && defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow" /* acre_stats is a struct and a function */
#endif

/** The base verbs of an allocator. No slot is null. The functions below state the contracts. */
struct acre_base_ops {
    enum acre_status (*init)(void *self, void *start, size_t size);
    enum acre_status (*add_memory)(void *self, void *start, size_t size);
    enum acre_status (*remove_memory)(void *self, void *start);
    struct acre_stats (*stats)(const void *self);
    struct acre_check_result (*check)(const void *self);
    void (*reset)(void *self);
    void (*reset_peak)(void *self);
};

/** Any allocator, seen through its base verbs: two words, passed by value. It owns nothing. */
struct acre_base {
    const struct acre_base_ops *ops;
    void *self;
};

/**
 * Starts an allocator anew, with one region. Settings stay as they are.
 *
 * The allocator drops all regions and blocks that it had. On failure it is left empty, and
 * add_memory can follow.
 * @param start first byte of the region; any alignment. The allocator uses the aligned part.
 * @param size  bytes. The region belongs to the allocator until it is removed.
 * @return ACRE_OK;
 *         ACRE_INVALID_PARAM: start is null, the range wraps around the address space, or it is too
 *         small for the region's metadata and the smallest block.
 * @note O(metadata of the region); the allocator's header says how much that is.
 */
ACRE_NODISCARD static inline enum acre_status acre_init(
    struct acre_base base, void *start, size_t size)
{
    return base.ops->init(base.self, start, size);
}

/**
 * Gives the allocator one more region. The number of regions has no limit.
 * @param start first byte; any alignment.
 * @param size  bytes. The region's last byte may be the last one of the address space.
 * @return ACRE_OK;
 *         ACRE_INVALID_PARAM: as for init;
 *         ACRE_MEMORY_OVERLAP: the range shares at least one byte with a region already owned.
 *         Adjacent ranges do not overlap.
 * @note O(regions + metadata of the new region).
 */
ACRE_NODISCARD static inline enum acre_status acre_add_memory(
    struct acre_base base, void *start, size_t size)
{
    return base.ops->add_memory(base.self, start, size);
}

/**
 * Takes a region away from the allocator; its memory is the caller's again.
 * @param start the start that was passed to init or add_memory.
 * @return ACRE_OK;
 *         ACRE_NOT_ALLOCATED: no region has this start;
 *         ACRE_INVALID_PARAM: a live block lies in the region, wholly or in part. Where adjacent
 *         regions are joined, a block's header counts too: it may lie across the seam.
 * @note O(regions), plus what the allocator's header states.
 */
static inline enum acre_status acre_remove_memory(struct acre_base base, void *start)
{
    return base.ops->remove_memory(base.self, start);
}

/** The statistics at this moment. O(1). */
static inline struct acre_stats acre_stats(struct acre_base base)
{
    return base.ops->stats(base.self);
}

/**
 * Verifies the whole structure and changes nothing.
 * @return the first broken invariant and where it was found; {null, null} when all hold.
 * @note Linear in the memory owned; meant for tests and for a system in doubt, not for every call.
 */
static inline struct acre_check_result acre_check(struct acre_base base)
{
    return base.ops->check(base.self);
}

/**
 * Frees all blocks at once. The regions stay, and the statistics start anew.
 * @note O(metadata of all regions).
 */
static inline void acre_reset(struct acre_base base)
{
    base.ops->reset(base.self);
}

/** Starts the peak anew: it becomes what is in use at this moment. Nothing else changes. O(1). */
static inline void acre_reset_peak(struct acre_base base)
{
    base.ops->reset_peak(base.self);
}

#if defined(__cplusplus) && defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#ifdef __cplusplus
}
#endif

#endif
