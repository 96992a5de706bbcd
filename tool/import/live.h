/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Which block lies at an address, while a trace of another tool is read; and the blocks of one
 * kind, where a trace tells no addresses. Blocks are named by numbers that are never used twice.
 */
#ifndef ACRE_TOOL_IMPORT_LIVE_H
#define ACRE_TOOL_IMPORT_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Blocks by address; empty when zeroed. */
struct import_live {
    void *tree;
};

/** Adds a block at an address where none is. O(log n). @return false: no memory. */
bool import_live_add(struct import_live *live, uint64_t address, uint64_t block);

/** Takes the block at an address away. O(log n). @return false: there is none. */
bool import_live_take(struct import_live *live, uint64_t address, uint64_t *block);

/** Forgets all. */
void import_live_clear(struct import_live *live);

/** Kinds of allocations: a size, and the blocks of it that are live. Empty when zeroed. */
struct import_kinds {
    struct import_kind *kinds;
    struct import_member *members; /**< Blocks, and places for more, in lists. */
    size_t count, room;
    size_t member_count, member_room;
    uint32_t spare; /**< The first place for a block; 0: none. */
};

/** The most there may be. */
#define IMPORT_MOST_KINDS ((size_t)1 << 24)

/** Adds a kind, the next in number. @return false: no memory, or too many. */
bool import_kinds_add(struct import_kinds *kinds, uint64_t size);

/** The size of a kind, which exists. */
uint64_t import_kinds_size(const struct import_kinds *kinds, uint64_t kind);

/** Adds a block of a kind, which exists. @return false: no memory. */
bool import_kinds_put(struct import_kinds *kinds, uint64_t kind, uint64_t block);

/** Takes the block of a kind that was put last. @return false: there is none. */
bool import_kinds_take(struct import_kinds *kinds, uint64_t kind, uint64_t *block);

/** Forgets all. */
void import_kinds_clear(struct import_kinds *kinds);

#endif
