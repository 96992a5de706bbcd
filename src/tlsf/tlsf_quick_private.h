/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's quick lists: deferred coalescing for small blocks.
 *
 * A freed small block goes onto the stack of its size as it is, and the next request of that size
 * takes it from the top: nothing is split or merged. List n of TLSF's lists and stack n hold blocks
 * of the same size. Only flushing the stacks merges the blocks in them.
 *
 * A block in a quick list keeps the header of a live block, so that its neighbours do not merge
 * with it, and has no live bit, so that a pointer to it is refused. The statistics count it as
 * free.
 *
 * Invariant, besides those of tlsf_private.h, where blocks in quick lists are not live:
 *   TLSF-10  a block that is neither marked free nor live is in the quick list of its span, once,
 *            and nothing else is in a quick list [n * depth]
 *
 * How many stacks, and how deep, and why arrays: docs/decisions.md, "TLSF".
 */
#ifndef ACRE_SRC_TLSF_TLSF_QUICK_PRIVATE_H
#define ACRE_SRC_TLSF_TLSF_QUICK_PRIVATE_H

#include <acre/tlsf_quick.h>

#include "tlsf/tlsf_private.h"

_Static_assert(TLSF_SMALL || ACRE_TLSF_QUICK_LISTS <= (int)ACRE_TLSF_LINEAR_LISTS,
    "a quick list has blocks of one size");
_Static_assert(ACRE_TLSF_QUICK_DEPTH <= 255, "a count is a byte");

/* Span of the memory from a block on that would be one free block if the quick lists were flushed;
 * stops counting at `enough`. 0 at a live block and at a sentinel. O(blocks there). */
size_t acre_tlsf_quick_run(
    const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block, size_t enough);

/* Flushes the first blocks of such a run, until they span `enough`. O(blocks there * depth). */
void acre_tlsf_quick_flush_run(
    struct acre_tlsf_quick *self, struct acre_tlsf_block *block, size_t enough);

#endif
