/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The base family: what bytes, pages and ids have in common.
 *
 * Calling context, for all families: no call blocks, allocates elsewhere or calls back (walk's
 * callback aside), so each may be made from an interrupt handler. No call locks either: calls on
 * one allocator must not overlap in time. Different allocators are independent of each other. Where
 * the caller brings locks or callbacks (acre/heap.h, acre/shared.h, acre/wrap/), it is as theirs
 * allow.
 */
#ifndef ACRE_BASE_H
#define ACRE_BASE_H

#include <acre/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The base verbs of one allocator; every slot is filled. See the functions below for each
 * contract. */
struct acre_base_ops {
    enum acre_status (*init)(void *self, void *start, size_t size);
    enum acre_status (*add_memory)(void *self, void *start, size_t size);
    enum acre_status (*remove_memory)(void *self, void *start);
    struct acre_stats (*stats)(const void *self);
    struct acre_check_result (*check)(const void *self);
    void (*reset)(void *self);
};

/** Any allocator, seen through its base verbs. Two words, passed by value; owns nothing. */
struct acre_base {
    const struct acre_base_ops *ops;
    void *self;
};

/**
 * Makes the allocator anew, with one region.
 *
 * Whatever it held is forgotten, not given back. On failure the allocator is left valid and empty,
 * so that add_memory can follow.
 * @param start first byte of the region; any alignment (the allocator uses the aligned part of it).
 * @param size  bytes. The region must stay the allocator's until it is removed.
 * @return ACRE_OK;
 *         ACRE_INVALID_PARAM: start is null, the range wraps round the address space, or it is too
 * small to hold the region's metadata and the smallest block.
 * @note O(metadata of the region): the allocator's header states it. Not to be called while another
 *       call on the same allocator runs.
 */
static inline enum acre_status acre_init(struct acre_base base, void *start, size_t size)
{
    return base.ops->init(base.self, start, size);
}

/**
 * Gives the allocator one more region. There is no limit on their number.
 * @param start first byte; any alignment.
 * @param size  bytes.
 * @return ACRE_OK;
 *         ACRE_INVALID_PARAM: as for init;
 *         ACRE_MEMORY_OVERLAP: the range shares at least one byte with a region already owned.
 * Ranges that merely adjoin do not overlap.
 * @note O(regions + metadata of the new region).
 */
static inline enum acre_status acre_add_memory(struct acre_base base, void *start, size_t size)
{
    return base.ops->add_memory(base.self, start, size);
}

/**
 * Takes a region back; its memory is the caller's again.
 * @param start what init or add_memory was given.
 * @return ACRE_OK;
 *         ACRE_NOT_ALLOCATED: no region was given with this start;
 *         ACRE_INVALID_PARAM: a live block lies in the region, wholly or in part. Where regions are
 *         joined, that includes the headers on both sides of a block: one may stand across the
 * seam.
 * @note O(regions); the allocator's header states what comes on top.
 */
static inline enum acre_status acre_remove_memory(struct acre_base base, void *start)
{
    return base.ops->remove_memory(base.self, start);
}

/** The accounts at this moment, by value. O(1). */
static inline struct acre_stats acre_stats(struct acre_base base)
{
    return base.ops->stats(base.self);
}

/**
 * Walks the whole structure and changes nothing.
 * @return the first broken invariant and where it was found, or {null, null} when all hold.
 * @note Linear in the memory owned; meant for tests and for a system in doubt, not for every call.
 */
static inline struct acre_check_result acre_check(struct acre_base base)
{
    return base.ops->check(base.self);
}

/**
 * Frees everything at once: all blocks are gone, the regions stay, statistics start anew.
 * @note O(metadata of all regions).
 */
static inline void acre_reset(struct acre_base base)
{
    base.ops->reset(base.self);
}

#ifdef __cplusplus
}
#endif

#endif
