/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * A range of addresses that hands out committed memory from bottom to top. When it runs out, it
 * reserves more addresses at its end; if those are taken, it continues elsewhere.
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
 * Hands out the next `size` bytes, readable, writable and zero. They are adjacent to the previous
 * piece whenever those addresses are free.
 * @param size bytes, a multiple of the page size, not 0.
 * @param size_hint bytes to reserve when addresses run out. Fewer are reserved when fewer are available,
 *             more when `size` is larger.
 * @return the first byte, or null: the system gives no more; nothing has changed but addresses
 *         reserved.
 */
void *acre_range_take(struct acre_range *range, size_t size, size_t size_hint);

/** Undoes the last acre_range_take(), of `size` bytes. */
void acre_range_undo(struct acre_range *range, size_t size);

#endif
