/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Where blocks were freed (ACRE_TRACE_FREES): a table of fixed size, out of reach of the program, by
 * the block's address. A later free takes the entry of an earlier one whose address leads to the same
 * place.
 */
#ifndef ACRE_HOSTED_MALLOC_TRACE_H
#define ACRE_HOSTED_MALLOC_TRACE_H

#include "malloc/text.h"

#include <stdbool.h>
#include <stdint.h>

/** Makes the table. @return false: no memory; nothing is noted then. */
bool acre_trace_open(void);

/** Notes that the calling thread has freed a block. `caller`: where the call returns to. */
void acre_trace_note(const void *ptr, const void *caller);

/** Adds "; freed before by thread 7 at 0x... in FILE+0x...", if the block's free was noted. */
void acre_trace_describe(struct acre_text *text, uintptr_t block);

#endif
