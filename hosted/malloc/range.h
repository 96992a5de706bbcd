/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * A range of addresses that hands out memory from bottom to top, each piece adjacent to the one
 * before where the addresses are free. It owns no more than it has handed out, so debuggers,
 * mlockall() and limits see what is used; the first piece is placed far below what the system maps,
 * which keeps the addresses above it free.
 */
#ifndef ACRE_HOSTED_MALLOC_RANGE_H
#define ACRE_HOSTED_MALLOC_RANGE_H

#include <stddef.h>
#include <stdint.h>

/** How far below the system's mappings, which grow downward, a range may start. Bytes. */
#if SIZE_MAX > 0xffffffffu
#define ACRE_RANGE_DISTANCE ((uintptr_t)1 << 36)
#else
#define ACRE_RANGE_DISTANCE ((uintptr_t)1 << 28)
#endif

/** An empty one has `next` 0. */
struct acre_range {
    uintptr_t next;     /**< End of the last piece, a multiple of the page size. */
    uintptr_t distance; /**< Bytes that the first piece is placed below a mapping of the system. */
};

/**
 * Hands out `size` bytes, readable, writable and zero: one system call, three for the first piece
 * and where the addresses are taken.
 * @param size bytes, a multiple of the page size, not 0.
 * @return the first byte, or null: the system gives no more; nothing has changed.
 */
void *acre_range_take(struct acre_range *range, size_t size);

/** Undoes the last acre_range_take(), of `size` bytes. */
void acre_range_undo(struct acre_range *range, size_t size);

#endif
