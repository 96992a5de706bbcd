/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * A range of addresses that is handed out from bottom to top, piece after piece, with memory behind
 * what was handed out. It reserves more addresses at its end when it runs out; where others have
 * taken those, it starts anew elsewhere.
 */
#ifndef ACRE_HOSTED_MALLOC_RANGE_H
#define ACRE_HOSTED_MALLOC_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A zeroed one is empty. All addresses are multiples of the page size. */
struct acre_range {
    uintptr_t next; /**< First byte not handed out. */
    uintptr_t end;  /**< First byte not reserved. */
};

/**
 * Hands out the next `size` bytes, readable, writable and zero. They adjoin the piece handed out
 * before whenever the addresses there are free.
 * @param size bytes, a multiple of the page size, not 0.
 * @param wish bytes to reserve at once if addresses run out; fewer are taken when there are fewer,
 *             and more when `size` is larger.
 * @return the first byte, or null: the system gives no more; nothing has changed but addresses
 *         reserved.
 */
void *acre_range_take(struct acre_range *range, size_t size, size_t wish);

/** Undoes the last take, of `size` bytes. */
void acre_range_untake(struct acre_range *range, size_t size);

#endif
