/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * The live blocks of the process being read: slot -> block, and ordinal -> slot.
 *
 * Blocks lie in an array indexed by slot; free slots are chained through it and the last one freed
 * is used next. The index is a hash table of slot + 1 by ordinal (open addressing, linear probing,
 * at most half full, deletion by shifting back). Both double when full, so memory follows the peak
 * of live blocks.
 */
#ifndef ACRE_TRACE_BLOCKS_H
#define ACRE_TRACE_BLOCKS_H

#include "trace.h"

struct acre_trace_block {
    uint64_t ordinal;
    uint64_t size;
    uint64_t align;
    uint32_t next_free; /* of a free slot: the next one + 1, or 0 */
};

/** Forgets every block; memory is kept for the next section. */
void acre_trace_blocks_clear(struct acre_trace_reader *reader);

/** Gives all memory back. */
void acre_trace_blocks_release(struct acre_trace_reader *reader);

/**
 * Adds a block and stores its slot. TOO_LARGE past live_max, NO_MEMORY; nothing changed then.
 * Amortised O(1).
 */
enum acre_trace_status acre_trace_blocks_add(
    struct acre_trace_reader *reader, const struct acre_trace_block *block, uint32_t *slot);

/** Whether `ordinal` is live; stores its slot. O(1) expected. */
bool acre_trace_blocks_find(
    const struct acre_trace_reader *reader, uint64_t ordinal, uint32_t *slot);

/** Gives the live block in `slot` another ordinal, which no live block has. */
void acre_trace_blocks_rename(struct acre_trace_reader *reader, uint32_t slot, uint64_t ordinal);

/** Removes the live block in `slot`. */
void acre_trace_blocks_remove(struct acre_trace_reader *reader, uint32_t slot);

#endif
