/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Guard: puts a red zone on both sides of every block and tells when someone has written there.
 *
 *     inner block:  | unused | zone in front | the user's bytes | zone behind | unused | record |
 *                              32 bytes:       exactly as many    16 bytes
 *                              record, fence   as asked for       of fence
 *
 * The zone behind begins with the first byte that was not asked for, so that an overflow by one
 * byte is seen; usable_size is the size asked for, and a sized free must name it. Two copies of the
 * block's record (its size and where it starts) lie on either side: while one is whole, damage is
 * named with block, size, side and distance.
 *
 * Damage is looked for when a block is freed, resized or reallocated, and by check and
 * acre_guard_find for all blocks. It never makes a call fail: the block is reported, then freed, or
 * resized with its zones made anew. Only a block both of whose records are overwritten is reported
 * and then refused with ACRE_NOT_ALLOCATED, for nothing proves any more that it starts there.
 *
 * Fresh bytes are filled with ACRE_GUARD_FRESH, those of a freed block with ACRE_GUARD_FREED.
 *
 * Memory: a block pays ACRE_GUARD_COST bytes, and with an alignment above ACRE_GUARD_FRONT that
 * alignment less ACRE_GUARD_FRONT on top; a region that holds no block of that size is accepted,
 * and of no use. Time: the fills, O(size + alignment); a realloc that cannot stay where it is
 * copies. The inner allocator must manage memory that can be written to. A pointer is judged by the
 * inner allocator before anything beside it is read: one question for a block, up to log2(alignment
 * of the pointer) for what is none. With ACRE_CHECK_POINTERS set to 0 the record in front is
 * trusted, and a block whose record there is overwritten is reported and refused.
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
    /** Bytes that every block pays. */
    ACRE_GUARD_COST = ACRE_GUARD_FRONT + ACRE_GUARD_REAR + ACRE_GUARD_RECORD,
    ACRE_GUARD_FENCE = 0xfb, /**< What zones are filled with. */
    ACRE_GUARD_FRESH = 0xca, /**< What a block's new bytes are filled with. */
    ACRE_GUARD_FREED = 0xdf  /**< What a freed block is filled with. */
};

/** Where damage lies. */
enum acre_guard_side {
    ACRE_GUARD_BEFORE, /**< In front of the block: an underflow. */
    ACRE_GUARD_BEHIND, /**< Behind its last byte: an overflow. */
    ACRE_GUARD_AROUND  /**< Both records are gone: size and distance are not known. */
};

/** One damaged side of a block. */
struct acre_guard_damage {
    const void *block;         /**< The pointer that the user has. */
    size_t size;               /**< Bytes the user asked for; 0: not known. */
    enum acre_guard_side side; /**< Which side of it. */
    size_t distance; /**< Of the nearest damaged byte: 1 is the one that adjoins the block. */
    size_t reach;    /**< Of the farthest damaged byte. */
};

/** Told of damage, from within the call that found it; must not use the allocator. */
typedef void acre_guard_fn(void *arg, const struct acre_guard_damage *damage);

/** A guarded byte allocator. Set up by acre_guard_wrap; the fields are to be read, not written. */
struct acre_guard {
    struct acre_bytes inner; /**< Serves every call. */
    acre_guard_fn *report;   /**< Null: damage is only counted. */
    void *arg;               /**< Handed to report. */
    size_t damages;          /**< Damaged sides found since init or reset. */
    size_t failed;           /**< Requests that failed with ACRE_NO_MEMORY since init or reset. */
};

/**
 * Puts the guard in front of a byte allocator.
 * @param guard  to be set up; any contents.
 * @param inner  the allocator that serves; it must outlive the wrapper, and none of its blocks may
 * be live.
 * @param report called for every damaged side found; null: none.
 * @param arg    handed to report. O(1).
 */
void acre_guard_wrap(
    struct acre_guard *guard, struct acre_bytes inner, acre_guard_fn *report, void *arg);

/**
 * Looks for damage in all live blocks, without a report.
 * @param damage receives the first that is found.
 * @return whether there is any. Linear in the number of blocks; acre_check of the inner allocator
 * must find it sound, for its structure is walked.
 */
bool acre_guard_find(const struct acre_guard *guard, struct acre_guard_damage *damage);

/** The wrapper as a byte allocator. check looks at the inner allocator first, then at every block:
 * the invariant names the side, `where` the block. */
struct acre_bytes acre_guard_bytes(struct acre_guard *guard);

#ifdef __cplusplus
}
#endif

#endif
