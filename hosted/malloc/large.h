/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Large blocks: each is a mapping of its own, which goes back to the system when the block is freed
 * and grows without copying. A sorted table out of reach of the program holds the live ones, so
 * every pointer is validated. Nothing here locks.
 *
 * A program that frees a large block soon allocates another one like it, as a rule. So each free
 * raises the size from which blocks are large, up to ACRE_LARGE_MOST: the backend then serves such
 * sizes from memory that it keeps, without page faults.
 */
#ifndef ACRE_HOSTED_MALLOC_LARGE_H
#define ACRE_HOSTED_MALLOC_LARGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ACRE_LARGE_LEAST = 1 << 20, /**< Bytes from which blocks are large at first, */
    ACRE_LARGE_MOST = 32 << 20  /**< and at last. */
};

struct acre_large_block {
    uintptr_t start;
    size_t size;   /**< Bytes mapped, a multiple of the page size. */
    size_t asked;  /**< Bytes requested; of a block that harden_large.c made. */
    size_t thread; /**< Number of the thread that allocated it; 0: not known. */
};

struct acre_large {
    _Atomic size_t from; /**< Bytes from which a block is large; ACRE_LARGE_LEAST at first. */
    struct acre_large_block *blocks; /**< By address. */
    size_t count;
    size_t room;  /**< Entries that the table's mapping has. */
    size_t bytes; /**< Bytes of all live blocks. */
    size_t peak;  /**< The most there were. */
};

/** Bytes from which a block is large now. */
static inline size_t acre_large_from(const struct acre_large *large)
{
    return atomic_load_explicit(&large->from, memory_order_relaxed);
}

/** A block of at least `size` bytes, page-aligned and zero. Null: the system gives none.
 * O(blocks). */
void *acre_large_alloc(struct acre_large *large, size_t size);

/** Enters a block that was mapped elsewhere, and removes one. @return false: no memory.
 * O(blocks). */
bool acre_large_add(struct acre_large *large, uintptr_t start, size_t size, size_t asked);
void acre_large_remove(struct acre_large *large, uintptr_t start);

/** The live block that contains an address, or null. O(log blocks). */
const struct acre_large_block *acre_large_find(const struct acre_large *large, uintptr_t address);

/** Says which thread allocated the block that starts at `ptr`, if there is one. O(log blocks). */
void acre_large_set_thread(struct acre_large *large, const void *ptr, size_t thread);

/** Whether `ptr` is the start of a live large block. */
bool acre_large_owns(const struct acre_large *large, const void *ptr);

/** Returns the block at `ptr`, which acre_large_owns(), to the system. O(blocks). */
void acre_large_free(struct acre_large *large, void *ptr);

/** Changes the size of the block at `ptr`, which acre_large_owns(). Null: nothing has changed. */
void *acre_large_resize(struct acre_large *large, void *ptr, size_t size);

#endif
