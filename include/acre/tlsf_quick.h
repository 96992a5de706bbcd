/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * TLSF with a shelf: small blocks that are given back lie there as they are, on a stack for each
 * size, and are handed out again from its top. Nothing is cut or merged while a stack has what is
 * asked for and room for what is given back, which is the rule in programs whose blocks die young.
 *
 * What it costs: an operation is bounded, but no longer free of loops, for a request that nothing
 * else can serve takes all blocks off the shelf; and at most ACRE_TLSF_QUICK_DEPTH blocks of each
 * small size lie between free neighbours unmerged, which in fragmented pools takes more memory.
 *
 * All promises of acre/bytes.h hold as for TLSF alone. A block on the shelf is free: it counts as
 * available, a pointer to it is refused, and largest_free is what merging it would make.
 *
 * The right choice for whole programs, and the wrong one where every call has a deadline. With
 * ACRE_CHECK_POINTERS set to 0 the shelf stays empty: the live bits tell what lies on it.
 */
#ifndef ACRE_TLSF_QUICK_H
#define ACRE_TLSF_QUICK_H

#include <acre/tlsf.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Sizes of the shelf; facts of the layout, not knobs. */
enum {
    ACRE_TLSF_QUICK_LISTS = 32, /**< Sizes with a stack each: 2 to 33 granules. */
    ACRE_TLSF_QUICK_DEPTH = 64  /**< Most blocks on a stack. */
};

/** One allocator; every field is private. As for struct acre_tlsf, it must not move. */
struct acre_tlsf_quick {
    struct acre_tlsf tlsf;
    unsigned char count[ACRE_TLSF_QUICK_LISTS]; /* blocks on each stack */
    struct acre_tlsf_block *stack[ACRE_TLSF_QUICK_LISTS][ACRE_TLSF_QUICK_DEPTH];
};

/**
 * The verbs. Each one's contract is that of its namesake in acre/bytes.h and acre/base.h. With s
 * blocks on the shelf, alloc, resize and realloc take O(s * s) when nothing else can serve them,
 * and stats always does; at all other times theirs is TLSF's. remove_memory takes O(blocks) more.
 */
ACRE_NODISCARD enum acre_status acre_tlsf_quick_init(
    struct acre_tlsf_quick *shelf, void *start, size_t size);
ACRE_NODISCARD enum acre_status acre_tlsf_quick_add_memory(
    struct acre_tlsf_quick *shelf, void *start, size_t size);
enum acre_status acre_tlsf_quick_remove_memory(struct acre_tlsf_quick *shelf, void *start);
struct acre_stats acre_tlsf_quick_stats(const struct acre_tlsf_quick *shelf);
struct acre_check_result acre_tlsf_quick_check(const struct acre_tlsf_quick *shelf);
void acre_tlsf_quick_reset(struct acre_tlsf_quick *shelf);
ACRE_NODISCARD struct acre_ptr acre_tlsf_quick_alloc(
    struct acre_tlsf_quick *shelf, struct acre_layout layout);
enum acre_status acre_tlsf_quick_dealloc(struct acre_tlsf_quick *shelf, void *ptr);
enum acre_status acre_tlsf_quick_dealloc_sized(
    struct acre_tlsf_quick *shelf, void *ptr, struct acre_layout layout);
ACRE_NODISCARD enum acre_status acre_tlsf_quick_resize(
    struct acre_tlsf_quick *shelf, void *ptr, size_t size);
ACRE_NODISCARD struct acre_ptr acre_tlsf_quick_realloc(
    struct acre_tlsf_quick *shelf, void *ptr, struct acre_layout layout);
struct acre_num acre_tlsf_quick_usable_size(const struct acre_tlsf_quick *shelf, const void *ptr);
void acre_tlsf_quick_walk(const struct acre_tlsf_quick *shelf, acre_walk_fn *visit, void *arg);

/** As acre_tlsf_add_memory_apart(). */
ACRE_NODISCARD enum acre_status acre_tlsf_quick_add_memory_apart(
    struct acre_tlsf_quick *shelf, void *start, size_t size, void *meta, size_t meta_size);

/** As acre_tlsf_set_on_exhausted(); called when flushing the shelf does not help either. */
static inline void acre_tlsf_quick_set_on_exhausted(
    struct acre_tlsf_quick *shelf, acre_exhausted_fn *handler, void *arg)
{
    acre_tlsf_set_on_exhausted(&shelf->tlsf, handler, arg);
}

/** Takes all blocks off the shelf and merges them with their free neighbours. O(blocks there). */
void acre_tlsf_quick_flush(struct acre_tlsf_quick *shelf);

/** The bytes table; `self` is a struct acre_tlsf_quick. */
extern const struct acre_bytes_ops acre_tlsf_quick_ops;

/** The allocator as a handle. */
static inline struct acre_bytes acre_tlsf_quick_bytes(struct acre_tlsf_quick *shelf)
{
    struct acre_bytes bytes;
    bytes.ops = &acre_tlsf_quick_ops;
    bytes.self = shelf;
    return bytes;
}

#ifdef __cplusplus
}
#endif

#endif
