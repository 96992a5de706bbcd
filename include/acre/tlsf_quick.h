/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * TLSF with quick lists (deferred coalescing): a small block that is freed goes onto a stack of
 * blocks of its size, and the next request of that size takes it from the top. Nothing is split or
 * merged while the stack is neither empty nor full, which is the common case in programs whose
 * blocks live short.
 *
 * Cost: operations are bounded but no longer free of loops, since a request that nothing else can
 * serve flushes all quick lists; and up to ACRE_TLSF_QUICK_DEPTH blocks of each small size stay
 * unmerged between free neighbours, which takes more memory in fragmented pools.
 *
 * All guarantees of acre/bytes.h hold as for TLSF alone. A block in a quick list is free: it counts
 * as available, a pointer to it is refused, and largest_free is what a flush would give.
 *
 * The right choice for whole programs, the wrong one where every call has a deadline. With
 * ACRE_CHECK_POINTERS set to 0 the quick lists stay empty, since they depend on the live bits.
 */
#ifndef ACRE_TLSF_QUICK_H
#define ACRE_TLSF_QUICK_H

#include <acre/tlsf.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Sizes of the quick lists. They follow from the configuration; do not change them. */
enum {
    ACRE_TLSF_QUICK_LISTS = 32, /**< Sizes with a quick list: 2 to 33 granules. */
    ACRE_TLSF_QUICK_DEPTH = 64  /**< Most blocks in a quick list. */
};

/** One allocator; a zeroed struct is empty. Every field is private. It must not move, as struct
 * acre_tlsf must not. */
struct acre_tlsf_quick {
    struct acre_tlsf tlsf;
    unsigned char count[ACRE_TLSF_QUICK_LISTS]; /* blocks in each quick list */
    struct acre_tlsf_block *stack[ACRE_TLSF_QUICK_LISTS][ACRE_TLSF_QUICK_DEPTH];
};

/**
 * The verbs. Each has the contract of its namesake in acre/bytes.h and acre/base.h, and takes the
 * time that it takes in acre/tlsf.h, except: with s blocks in quick lists, alloc, resize and
 * realloc take O(s * s) when nothing else can serve them, and stats always does. remove_memory
 * takes O(blocks) more.
 */
ACRE_NODISCARD enum acre_status acre_tlsf_quick_init(
    struct acre_tlsf_quick *self, void *start, size_t size);
ACRE_NODISCARD enum acre_status acre_tlsf_quick_add_memory(
    struct acre_tlsf_quick *self, void *start, size_t size);
enum acre_status acre_tlsf_quick_remove_memory(struct acre_tlsf_quick *self, void *start);
struct acre_stats acre_tlsf_quick_stats(const struct acre_tlsf_quick *self);
struct acre_check_result acre_tlsf_quick_check(const struct acre_tlsf_quick *self);
void acre_tlsf_quick_reset(struct acre_tlsf_quick *self);
void acre_tlsf_quick_reset_peak(struct acre_tlsf_quick *self);
ACRE_NODISCARD struct acre_ptr acre_tlsf_quick_alloc(
    struct acre_tlsf_quick *self, struct acre_layout layout);
enum acre_status acre_tlsf_quick_dealloc(struct acre_tlsf_quick *self, void *ptr);
enum acre_status acre_tlsf_quick_dealloc_sized(
    struct acre_tlsf_quick *self, void *ptr, struct acre_layout layout);
ACRE_NODISCARD enum acre_status acre_tlsf_quick_resize(
    struct acre_tlsf_quick *self, void *ptr, size_t size);
ACRE_NODISCARD struct acre_ptr acre_tlsf_quick_realloc(
    struct acre_tlsf_quick *self, void *ptr, struct acre_layout layout);
struct acre_num acre_tlsf_quick_usable_size(const struct acre_tlsf_quick *self, const void *ptr);
struct acre_block acre_tlsf_quick_find(const struct acre_tlsf_quick *self, const void *ptr);
void acre_tlsf_quick_walk(const struct acre_tlsf_quick *self, acre_walk_fn *visit, void *arg);

/** As acre_tlsf_add_memory_apart(). */
ACRE_NODISCARD enum acre_status acre_tlsf_quick_add_memory_apart(
    struct acre_tlsf_quick *self, void *start, size_t size, void *meta, size_t meta_size);

/** As acre_tlsf_set_on_exhausted(); called when flushing the quick lists does not help either. */
static inline void acre_tlsf_quick_set_on_exhausted(
    struct acre_tlsf_quick *self, acre_exhausted_fn *handler, void *arg)
{
    acre_tlsf_set_on_exhausted(&self->tlsf, handler, arg);
}

/** Flushes the quick lists: merges the blocks in them with their free neighbours. O(blocks in
 * them).
 */
void acre_tlsf_quick_flush(struct acre_tlsf_quick *self);

/** The bytes table; `self` is a struct acre_tlsf_quick. */
extern const struct acre_bytes_ops acre_tlsf_quick_ops;

/** The table of acre/backing.h, for layers above; `self` as in the bytes table. */
extern const struct acre_backing acre_tlsf_quick_backing;

/** The allocator as a handle. */
static inline struct acre_bytes acre_tlsf_quick_bytes(struct acre_tlsf_quick *self)
{
    struct acre_bytes bytes;
    bytes.ops = &acre_tlsf_quick_ops;
    bytes.self = self;
    return bytes;
}

#ifdef __cplusplus
}
#endif

#endif
