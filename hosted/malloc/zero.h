/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Clearing of blocks for calloc: small ones without a loop or a call, large ones by the system.
 */
#ifndef ACRE_HOSTED_MALLOC_ZERO_H
#define ACRE_HOSTED_MALLOC_ZERO_H

#include "base/compiler.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** acre_zero() for sizes outside 8 to 64 bytes. */
void *acre_zero_by_call(void *start, size_t size);

/* Clears `piece` to 2 * `piece` bytes by two stores that overlap, without a loop or a call. */
ACRE_INLINE void acre_zero_ends(char *start, size_t size, size_t piece)
{
    memset(start, 0, piece);
    memset(start + size - piece, 0, piece);
}

/** Clears a block of at least `size` bytes, rounded up to 8. Returns `start`. */
ACRE_INLINE void *acre_zero(void *start, size_t size)
{
    if (size - 8 > 64 - 8)
        return acre_zero_by_call(start, size);
    if (size > 32)
        acre_zero_ends(start, size, 32);
    else if (size > 16)
        acre_zero_ends(start, size, 16);
    else
        acre_zero_ends(start, size, 8);
    return start;
}

#endif
