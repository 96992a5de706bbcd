/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Operations and times packed for a file: numbers of seven bits a byte, the lowest first, the top
 * bit set on all but the last byte (LEB128).
 *
 * An operation is the way from the slot of the one before to its own (zigzag, two bits up) and the
 * verb; behind that, unless it frees, its size one bit up and whether it is wide. Programs use
 * what they used lately, so most take three bytes or fewer, not eight.
 */
#ifndef ACRE_REPLAY_PACK_H
#define ACRE_REPLAY_PACK_H

#include "base/compiler.h"
#include "replay/script.h"

ACRE_INLINE uint8_t *replay_pack_number(uint8_t *into, uint64_t number)
{
    while (number >= 128) {
        *into++ = (uint8_t)(number | 128);
        number >>= 7;
    }
    *into++ = (uint8_t)number;
    return into;
}

ACRE_INLINE const uint8_t *replay_unpack_number(const uint8_t *from, uint64_t *number)
{
    uint64_t found = *from & 127u;
    for (unsigned shift = 7; *from++ & 128; shift += 7)
        found |= (uint64_t)(*from & 127u) << shift;
    *number = found;
    return from;
}

/** Packs `count` operations into at most count * REPLAY_PACKED_MOST bytes at `into`. @return bytes
 * used. */
size_t replay_pack_ops(uint8_t *into, const struct replay_op *ops, size_t count);

/** The reverse. `ops` has room for `count`, which is what was packed, or fewer. */
void replay_unpack_ops(struct replay_op *ops, size_t count, const uint8_t *from);

/** The operation of that index among those packed. O(index). */
struct replay_op replay_unpack_op(const uint8_t *from, size_t index);

/** The same for times; each takes the fewer bytes the less it is. */
size_t replay_pack_ticks(uint8_t *into, const uint32_t *ticks, size_t count);
void replay_unpack_ticks(uint32_t *ticks, size_t count, const uint8_t *from);

#endif
