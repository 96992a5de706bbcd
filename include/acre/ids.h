/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The ids family: runs of integers out of a range [first, first + size). An id has no memory.
 *
 * In the base verbs, `start` is the first id as an integer cast to a pointer, and `size` is the
 * number of ids. A range may begin at id 0, so null is a valid start here. The typed functions of
 * an allocator take integers.
 */
#ifndef ACRE_IDS_H
#define ACRE_IDS_H

#include <acre/pages.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The verbs of an id allocator. No slot is null. The functions below state the contracts. */
struct acre_ids_ops {
    struct acre_base_ops base;
    struct acre_num (*alloc_id)(void *self, size_t count, size_t align);
    struct acre_num (*alloc_id_within)(
        void *self, size_t count, const struct acre_run_limits *limits);
    enum acre_status (*alloc_fixed_id)(void *self, uintptr_t id);
    enum acre_status (*dealloc_id)(void *self, uintptr_t start, size_t count);
    bool (*is_allocated)(const void *self, uintptr_t id);
};

/** An id allocator of any kind: two words, passed by value. It owns nothing. */
struct acre_ids {
    const struct acre_ids_ops *ops;
    void *self;
};

/** The base verbs of an id allocator. */
static inline struct acre_base acre_ids_base(struct acre_ids ids)
{
    struct acre_base base;
    base.ops = &ids.ops->base;
    base.self = ids.self;
    return base;
}

/**
 * Allocates `count` consecutive ids.
 * @param count ids, at least 1.
 * @param align a power of two; the first id is a multiple of it. 1: any id.
 * @return {first id, ACRE_OK};
 *         {0, ACRE_INVALID_PARAM}: count is 0 or align is not a power of two;
 *         {0, ACRE_NO_MEMORY}: no such run is free.
 */
ACRE_NODISCARD static inline struct acre_num acre_alloc_id(
    struct acre_ids ids, size_t count, size_t align)
{
    return ids.ops->alloc_id(ids.self, count, align);
}

/**
 * Allocates the lowest ids, or the highest ones, that meet some conditions; as
 * acre_alloc_pages_within, with ids in place of bytes and addresses.
 */
ACRE_NODISCARD static inline struct acre_num acre_alloc_id_within(
    struct acre_ids ids, size_t count, const struct acre_run_limits *limits)
{
    return ids.ops->alloc_id_within(ids.self, count, limits);
}

/**
 * Allocates one given id.
 * @return ACRE_OK; ACRE_INVALID_PARAM: the id is outside the range; ACRE_NO_MEMORY: it is in use.
 */
ACRE_NODISCARD static inline enum acre_status acre_alloc_fixed_id(struct acre_ids ids, uintptr_t id)
{
    return ids.ops->alloc_fixed_id(ids.self, id);
}

/**
 * Frees ids: any run of ids in use.
 * @return ACRE_OK; ACRE_INVALID_PARAM: count is 0; ACRE_NOT_ALLOCATED: an id of the run is free or
 *         outside the range; no id has been freed then.
 */
static inline enum acre_status acre_dealloc_id(struct acre_ids ids, uintptr_t start, size_t count)
{
    return ids.ops->dealloc_id(ids.self, start, count);
}

/** True when the id is in use; false when it is free or outside the range. O(1). */
static inline bool acre_is_allocated(struct acre_ids ids, uintptr_t id)
{
    return ids.ops->is_allocated(ids.self, id);
}

/** Starts the allocator anew with one region; see acre_init. */
ACRE_NODISCARD static inline enum acre_status acre_ids_init(
    struct acre_ids ids, void *start, size_t size)
{
    return acre_init(acre_ids_base(ids), start, size);
}

/** Gives the allocator one more region; see acre_add_memory. */
ACRE_NODISCARD static inline enum acre_status acre_ids_add_memory(
    struct acre_ids ids, void *start, size_t size)
{
    return acre_add_memory(acre_ids_base(ids), start, size);
}

/** Takes a region away from the allocator; see acre_remove_memory. */
static inline enum acre_status acre_ids_remove_memory(struct acre_ids ids, void *start)
{
    return acre_remove_memory(acre_ids_base(ids), start);
}

/** The statistics; see acre_stats. O(1). */
static inline struct acre_stats acre_ids_stats(struct acre_ids ids)
{
    return acre_stats(acre_ids_base(ids));
}

/** Verifies the whole structure; see acre_check. */
static inline struct acre_check_result acre_ids_check(struct acre_ids ids)
{
    return acre_check(acre_ids_base(ids));
}

/** Frees all ids at once; see acre_reset. */
static inline void acre_ids_reset(struct acre_ids ids)
{
    acre_reset(acre_ids_base(ids));
}

/** Starts the peak anew; see acre_reset_peak. O(1). */
static inline void acre_ids_reset_peak(struct acre_ids ids)
{
    acre_reset_peak(acre_ids_base(ids));
}

/** Ids in the range, in use or not. O(1). */
static inline size_t acre_id_size(struct acre_ids ids)
{
    struct acre_stats stats = acre_ids_stats(ids);
    return stats.used + stats.available;
}

/** Ids in use. O(1). */
static inline size_t acre_used_ids(struct acre_ids ids)
{
    return acre_ids_stats(ids).used;
}

/** Free ids. O(1). */
static inline size_t acre_available_ids(struct acre_ids ids)
{
    return acre_ids_stats(ids).available;
}

#ifdef __cplusplus
}
#endif

#endif
