/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Guard: puts a red zone on both sides of every block and tells when someone has written there.
 *
 *     inner block:  | unused | zone in front | the user's bytes | zone behind | unused | record |
 *                              32 bytes:       exactly as many    16 bytes
 *                              record, fence   as asked for       of fence
 *
 * The zone behind begins with the first byte that was not requested, so that an overflow by one
 * byte is found; usable_size is the requested size, and a sized free must pass it. There is a copy
 * of the block's record (its size and where it starts) on either side: while one is intact, damage
 * is reported with block, size, side and distance.
 *
 * A block's zones are examined when it is freed, resized or reallocated; check and acre_guard_find
 * examine all blocks. Damage does not make a call fail: the block is reported, then freed, or
 * resized with new zones. There is one exception: a block whose two records are both overwritten is
 * reported and then refused with ACRE_NOT_ALLOCATED, since nothing confirms its start any more.
 *
 * New bytes are filled with ACRE_GUARD_FRESH, those of a freed block with ACRE_GUARD_FREED.
 *
 * Memory: a block costs ACRE_GUARD_COST bytes, plus (align - ACRE_GUARD_FRONT) for an alignment
 * above ACRE_GUARD_FRONT. A region that holds no block of that size is accepted, but useless. Time:
 * the fills, O(size + alignment); a realloc that cannot stay in place copies. The inner allocator
 * must manage writable memory. The inner allocator confirms a pointer before anything beside it is
 * read: one call for a block, up to log2(alignment of the pointer) calls otherwise. With
 * ACRE_CHECK_POINTERS set to 0 the record in front is trusted; a block whose record there is
 * overwritten is reported and refused.
 */
#ifndef ACRE_WRAP_GUARD_H
#define ACRE_WRAP_GUARD_H

#include <acre/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ACRE_GUARD_FRONT = 32,                  /**< Bytes of the zone in front. */
    ACRE_GUARD_REAR = 16,                   /**< Bytes of the zone behind. */
    ACRE_GUARD_RECORD = 2 * sizeof(size_t), /**< Bytes of a record. */
    /** Cost of a block in bytes. */
    ACRE_GUARD_COST = ACRE_GUARD_FRONT + ACRE_GUARD_REAR + ACRE_GUARD_RECORD,
    ACRE_GUARD_FENCE = 0xfb, /**< The bytes of a zone. */
    ACRE_GUARD_FRESH = 0xca, /**< The new bytes of a block. */
    ACRE_GUARD_FREED = 0xdf  /**< The bytes of a freed block. */
};

/** The side of a block on which the damage lies. */
enum acre_guard_side {
    ACRE_GUARD_BEFORE, /**< In front of the block: an underflow. */
    ACRE_GUARD_BEHIND, /**< Behind its last byte: an overflow. */
    ACRE_GUARD_AROUND  /**< Both records are overwritten: size and distance are unknown. */
};

/** One damaged side of a block. */
struct acre_guard_damage {
    const void *block;         /**< The user's pointer. */
    size_t size;               /**< Requested bytes; 0: unknown. */
    enum acre_guard_side side; /**< Side of the block. */
    size_t distance;           /**< Of the nearest damaged byte; 1: adjacent to the block. */
    size_t reach;              /**< Of the farthest damaged byte. */
};

/** Called for each damaged side, inside the call that found it; must not use the allocator. */
typedef void acre_guard_fn(void *arg, const struct acre_guard_damage *damage);

/** A guarded byte allocator. Set up by acre_guard_wrap; the fields are read-only. */
struct acre_guard {
    struct acre_bytes inner; /**< Serves every call. */
    acre_guard_fn *report;   /**< Null: damage is only counted. */
    void *arg;               /**< Passed to report. */
    size_t damages;          /**< Damaged sides found since init or reset. */
    size_t failed;           /**< Requests that failed with ACRE_NO_MEMORY since init or reset. */
};

/**
 * Puts the guard in front of a byte allocator.
 * @param guard  any contents.
 * @param inner  the allocator that serves; it must outlive the wrapper, and none of its blocks may
 * be live.
 * @param report called for every damaged side; may be null.
 * @param arg    passed to report. O(1).
 */
void acre_guard_wrap(
    struct acre_guard *guard, struct acre_bytes inner, acre_guard_fn *report, void *arg);

/**
 * Examines all live blocks; does not call report.
 * @param damage receives the first damage found.
 * @return true if there is any. Linear in the number of blocks. The inner allocator must be sound
 *         (acre_check), since its structure is walked.
 */
bool acre_guard_find(const struct acre_guard *guard, struct acre_guard_damage *damage);

/** The wrapper as a byte allocator. check verifies the inner allocator first, then every block: the
 * invariant names the side, `where` is the block. */
struct acre_bytes acre_guard_bytes(struct acre_guard *guard);

#ifdef __cplusplus
}
#endif

#endif
