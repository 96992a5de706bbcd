/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * A guarded block: where its parts lie, what they should hold, and what is wrong with them.
 *
 *     start                ptr - 32       ptr            ptr + size    + 16     start + usable
 *     | unused (offset-32) | record fence | user's bytes | fence       | unused | record |
 *
 * `offset` is 32, or the alignment when that is more: a power of two.
 *
 * GUARD-1: the zone in front of every live block holds its record and the fence.
 * GUARD-2: the zone behind every live block holds the fence, and its end the record.
 * GUARD-3: at least one of the two records is whole.
 */
#ifndef ACRE_SRC_WRAP_GUARD_BLOCK_H
#define ACRE_SRC_WRAP_GUARD_BLOCK_H

#include <acre/wrap/guard.h>

#include "base/compiler.h"

/** A live block and its place in the inner block. */
struct guarded {
    unsigned char *ptr;   /* the user's */
    unsigned char *start; /* the inner block's, */
    size_t usable;        /* and its usable bytes */
    size_t offset;        /* ptr - start */
    size_t size;          /* requested size, at least 1 */
};

/** What find says of a pointer. */
enum guard_found {
    GUARD_NO_BLOCK, /* no live block starts there */
    GUARD_BLOCK,    /* one does */
    GUARD_BROKEN    /* one may: both records are overwritten */
};

/** Bytes in front of a user's pointer, for an alignment. */
ACRE_INLINE size_t guard_offset(size_t align)
{
    return align > ACRE_GUARD_FRONT ? align : ACRE_GUARD_FRONT;
}

/** What the inner block must hold; SIZE_MAX when the sum passes the top. */
ACRE_INLINE size_t guard_need(size_t offset, size_t size)
{
    size_t more = offset + (ACRE_GUARD_COST - ACRE_GUARD_FRONT);
    return more < offset || size > SIZE_MAX - more ? SIZE_MAX : size + more;
}

/** The block that starts at a pointer of the user's. */
enum guard_found acre_guard_block_at(
    const struct acre_guard *guard, void *ptr, struct guarded *block);

/** The block that lies in a live inner block; false: both its records are overwritten. */
bool acre_guard_block_in(unsigned char *start, size_t usable, struct guarded *block);

/** Writes both records and both fences. */
void acre_guard_block_write(const struct guarded *block);

/** Whether a side of a block is damaged, and how. O(1). */
bool acre_guard_block_before(const struct guarded *block, struct acre_guard_damage *damage);
bool acre_guard_block_behind(const struct guarded *block, struct acre_guard_damage *damage);

#endif
