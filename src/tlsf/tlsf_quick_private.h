/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What the files of TLSF's shelf share.
 *
 * Invariant, besides those of tlsf_private.h, where "live" leaves out what lies on the shelf:
 *   TLSF-10  a block without a live bit that is not marked free lies on the stack of its span,
 *            once, and nothing else lies on the shelf [n * depth]
 */
#ifndef ACRE_SRC_TLSF_TLSF_QUICK_PRIVATE_H
#define ACRE_SRC_TLSF_TLSF_QUICK_PRIVATE_H

#include <acre/tlsf_quick.h>

#include "tlsf/tlsf_private.h"

_Static_assert(
    ACRE_TLSF_QUICK_LISTS <= (int)ACRE_TLSF_LINEAR_LISTS, "a stack has blocks of one size");
_Static_assert(ACRE_TLSF_QUICK_DEPTH <= 255, "a count is a byte");

/* Span of the memory from a block on that would be one free block if the shelf were cleared, or
 * less of it that is enough; 0 at a live block and at the end of a chain. O(blocks there). */
size_t acre_tlsf_run_from(
    const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block, size_t enough);

/* Takes the first blocks of such a run off the shelf, until they are enough. The run is.
 * O(blocks there * depth). */
void acre_tlsf_quick_flush_run(
    struct acre_tlsf_quick *shelf, struct acre_tlsf_block *block, size_t enough);

#endif
