/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The memory an allocator is given to work in. Its address is a multiple of 2 MiB whatever its
 * size, so that a replay finds the same alignments each time; pages come into being as they are
 * touched, all of one size.
 */
#ifndef ACRE_REPLAY_POOL_H
#define ACRE_REPLAY_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct replay_pool {
    void *start;
    size_t size;   /**< Bytes that may be used. */
    void *mapping; /**< What was mapped to get there. */
    size_t map_size;
};

/**
 * Makes the pool at least `size` bytes, which loses its contents if it grows.
 * @return false with errno set; to ENOMEM also when the machine has less memory than that, which
 * the tables of an allocator alone could then fill.
 */
bool replay_pool_reserve(struct replay_pool *pool, size_t size);

/** Gives the memory back; the pool can be reserved anew. */
void replay_pool_give_up(struct replay_pool *pool);

/** Gives the pages of the pool back to the system, so that the next replay is the first to touch
 * them. */
void replay_pool_refresh(struct replay_pool *pool);

/** Touches the first `size` bytes, so that no replay pays for that; not more than a quarter of the
 * machine's memory. */
void replay_pool_touch(struct replay_pool *pool, size_t size);

/** Bytes of memory this machine has. */
size_t replay_machine_memory(void);

#endif
