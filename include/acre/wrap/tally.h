/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Tally: counts the blocks and bytes of a byte allocator by size class and by owner.
 *
 *     enum { NETWORK, FILES, OWNERS };
 *     struct acre_tally_row sizes[ACRE_TALLY_CLASSES], owners[OWNERS];
 *     struct acre_tally tally;
 *     acre_tally_wrap(&tally, bytes, sizes, ACRE_TALLY_CLASSES, owners, OWNERS);
 *     unsigned before = acre_tally_set_owner(&tally, NETWORK);
 *     connect(acre_tally_bytes(&tally));
 *     acre_tally_set_owner(&tally, before);
 *
 * Bytes are usable bytes: what blocks can hold, not what was requested. Class c holds the blocks of
 * more than 2^(c-1) and at most 2^c bytes. A block belongs to the owner that was set when it was
 * allocated, no matter who resizes or frees it.
 *
 * The owner is kept in a tag, the last ACRE_TALLY_TAG bytes of the inner block. The inner allocator
 * must therefore manage writable memory, and those bytes are not usable. Alignment stays the inner
 * one, and the inner allocator confirms a pointer before its tag is read. Without owners, blocks
 * have no tag and cost nothing. The tag holds a checksum: check finds damage to it, and when such a
 * block is freed or resized, it stays in its owner's live counts and is added to `lost`.
 *
 * Requested bytes are counted after acre_tally_count_requests. The tag of each block, with owners
 * or without, then has ACRE_TALLY_REQUEST bytes more, which hold the block's requested size. The
 * slack of a row, the usable bytes that nobody requested, is live_bytes - live_requested.
 */
#ifndef ACRE_WRAP_TALLY_H
#define ACRE_WRAP_TALLY_H

#include <acre/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ACRE_TALLY_CLASSES = 8 * sizeof(size_t) + 1, /**< The largest number of classes. */
    ACRE_TALLY_OWNERS = 65535,                   /**< The largest number of owners. */
    ACRE_TALLY_TAG = 4,                          /**< Bytes per block that has a tag. */
    ACRE_TALLY_REQUEST = sizeof(size_t)          /**< Bytes more for its requested size. */
};

/** The counts of one class or owner, since init or reset. */
struct acre_tally_row {
    size_t live_blocks;    /**< Blocks live now. */
    size_t peak_blocks;    /**< The highest value of live_blocks. */
    size_t live_bytes;     /**< Usable bytes of the blocks live now. */
    size_t peak_bytes;     /**< The highest value of live_bytes. */
    size_t live_requested; /**< Requested bytes of the live blocks, while they are counted. */
    uint64_t total_blocks; /**< Blocks ever allocated, or resized, into this row. */
    uint64_t total_bytes;  /**< Their usable bytes, and the bytes by which they grew. */
};

/** A byte allocator with counters. Set up by acre_tally_wrap; the fields are read-only. */
struct acre_tally {
    struct acre_bytes inner;        /**< Serves every call. */
    struct acre_tally_row *classes; /**< By size; null: not counted. */
    size_t class_count;             /**< The last class also counts all larger blocks. */
    struct acre_tally_row *owners;  /**< By owner; null: not counted. */
    size_t owner_count;             /**< The last owner also counts all higher ones. */
    bool counts_requests;           /**< Set by acre_tally_count_requests. */
    size_t requested;               /**< Requested bytes of all live blocks, while counted. */
    unsigned owner;                 /**< The owner of new blocks. */
    size_t lost;                    /**< Blocks whose owner tag was damaged. */
};

/**
 * Puts the counters in front of a byte allocator, and clears them. The owner is 0.
 * @param tally       any contents.
 * @param inner       the allocator that serves; it must outlive the wrapper, and none of its blocks
 * may be live.
 * @param classes     rows for the classes 0, 1, ...; null with count 0: none.
 * @param class_count at most ACRE_TALLY_CLASSES are used.
 * @param owners      rows for the owners 0, 1, ...; null with count 0: none.
 * @param owner_count at most ACRE_TALLY_OWNERS are used. O(class_count + owner_count).
 */
void acre_tally_wrap(struct acre_tally *tally, struct acre_bytes inner,
    struct acre_tally_row *classes, size_t class_count, struct acre_tally_row *owners,
    size_t owner_count);

/**
 * Sets the owner of the blocks allocated from now on.
 * @param owner a row of the owners; a row past the end stands for the last one.
 * @return the previous owner. O(1).
 */
unsigned acre_tally_set_owner(struct acre_tally *tally, unsigned owner);

/**
 * Turns the counting of requested bytes on or off; it is off after acre_tally_wrap. Must not be
 * called while blocks are live. O(1).
 */
void acre_tally_count_requests(struct acre_tally *tally, bool on);

/** The class of a block of `bytes` usable bytes. O(1), pure. */
size_t acre_tally_class(size_t bytes);

/**
 * The wrapper as a byte allocator. Every call costs O(1) more than the inner one, mostly to read
 * the block's usable size. init and reset clear the rows. check adds up all blocks and compares.
 */
struct acre_bytes acre_tally_bytes(struct acre_tally *tally);

#ifdef __cplusplus
}
#endif

#endif
