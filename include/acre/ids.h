/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The ids family: runs of integers out of a range [first, first + size). No memory lies behind an
 * id.
 *
 * Through the base verbs, `start` is the first id as an integer cast to a pointer and `size` the
 * number of ids; an id range may begin at 0, so null is a valid start here. The struct's own
 * functions take integers.
 */
#ifndef ACRE_IDS_H
#define ACRE_IDS_H

#include <acre/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The verbs of an id allocator; every slot is filled. See the functions below for each contract.
 */
struct acre_ids_ops {
    struct acre_base_ops base;
    struct acre_num (*alloc_id)(void *self, size_t count, size_t align);
    enum acre_status (*alloc_fixed_id)(void *self, uintptr_t id);
    enum acre_status (*dealloc_id)(void *self, uintptr_t start, size_t count);
    bool (*is_allocated)(const void *self, uintptr_t id);
};

/** An id allocator of any kind. Two words, passed by value; owns nothing. */
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
 * Hands out `count` ids in a row.
 * @param count ids, at least 1.
 * @param align a power of two that the first id is to be a multiple of; 1 for any.
 * @return {first id, ACRE_OK}; {0, ACRE_INVALID_PARAM}: count is 0 or align is not a power of two;
 *         {0, ACRE_NO_MEMORY}: no such run is free.
 */
static inline struct acre_num acre_alloc_id(struct acre_ids ids, size_t count, size_t align)
{
    return ids.ops->alloc_id(ids.self, count, align);
}

/**
 * Takes one given id.
 * @return ACRE_OK; ACRE_INVALID_PARAM: the id is outside the range; ACRE_NO_MEMORY: it is in use.
 */
static inline enum acre_status acre_alloc_fixed_id(struct acre_ids ids, uintptr_t id)
{
    return ids.ops->alloc_fixed_id(ids.self, id);
}

/**
 * Gives ids back: any run of ids in use.
 * @return ACRE_OK; ACRE_INVALID_PARAM: count is 0; ACRE_NOT_ALLOCATED: an id of the run is free or
 * outside the range, and then none is given back.
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

/** Ids in the range, in use or not. O(1). */
static inline size_t acre_id_size(struct acre_ids ids)
{
    struct acre_stats stats = acre_stats(acre_ids_base(ids));
    return stats.used + stats.available;
}

/** Ids in use. O(1). */
static inline size_t acre_used_ids(struct acre_ids ids)
{
    return acre_stats(acre_ids_base(ids)).used;
}

/** Ids free. O(1). */
static inline size_t acre_available_ids(struct acre_ids ids)
{
    return acre_stats(acre_ids_base(ids)).available;
}

#ifdef __cplusplus
}
#endif

#endif
