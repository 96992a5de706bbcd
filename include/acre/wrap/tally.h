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
 * Bytes are usable bytes: what blocks can hold, not what was asked for. Class c holds the blocks of
 * more than 2^(c-1) and at most 2^c bytes. A block belongs to the owner that was set when it was
 * handed out, whoever resizes or frees it.
 *
 * Where the owner is kept: in the last ACRE_TALLY_TAG bytes of the inner block, which are therefore
 * memory that can be written to, and no more usable. So alignment stays the inner one's, and a
 * pointer is judged by the inner allocator before its tag is read. Without owners blocks are left
 * alone and cost nothing. A tag is written with its complement: damage to it is named by check, and
 * when such a block is freed or resized it stays in its owner's live counts and is added to `lost`.
 */
#ifndef ACRE_WRAP_TALLY_H
#define ACRE_WRAP_TALLY_H

#include <acre/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ACRE_TALLY_CLASSES = 8 * sizeof(size_t) + 1, /**< Classes that there can be. */
    ACRE_TALLY_OWNERS = 65535,                   /**< Owners that there can be at most. */
    ACRE_TALLY_TAG = 4                           /**< Bytes a block pays for its owner. */
};

/** What is counted of one class or owner, since init or reset. */
struct acre_tally_row {
    size_t live_blocks;    /**< Blocks live now. */
    size_t peak_blocks;    /**< The most that were at once. */
    size_t live_bytes;     /**< Usable bytes of the blocks live now. */
    size_t peak_bytes;     /**< The most that were at once. */
    uint64_t total_blocks; /**< Blocks that were ever handed out, or resized, into this row. */
    uint64_t total_bytes;  /**< Their usable bytes, and those that they grew by. */
};

/** A byte allocator that is counted. Set up by acre_tally_wrap; the fields are to be read, not
 * written. */
struct acre_tally {
    struct acre_bytes inner;        /**< Serves every call. */
    struct acre_tally_row *classes; /**< By size; null: not counted. */
    size_t class_count;             /**< The last class also counts all larger blocks. */
    struct acre_tally_row *owners;  /**< By owner; null: not counted. */
    size_t owner_count;             /**< The last owner also counts all higher ones. */
    unsigned owner;                 /**< Of the blocks to come. */
    size_t lost;                    /**< Blocks whose owner could not be read any more. */
};

/**
 * Puts the counters in front of a byte allocator, and clears them. The owner is 0.
 * @param tally       to be set up; any contents.
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
 * Says whose the blocks are that are handed out from now on.
 * @param owner a row of the owners; one that is not there stands for the last.
 * @return the owner until now, to be set again. O(1).
 */
unsigned acre_tally_set_owner(struct acre_tally *tally, unsigned owner);

/** The class of a block of so many usable bytes. O(1), pure. */
size_t acre_tally_class(size_t bytes);

/**
 * The wrapper as a byte allocator. Every call costs O(1) more than the inner one's, most of it for
 * asking the inner allocator for the block's usable size; init and reset clear the rows. check adds
 * up all blocks and compares.
 */
struct acre_bytes acre_tally_bytes(struct acre_tally *tally);

#ifdef __cplusplus
}
#endif

#endif
