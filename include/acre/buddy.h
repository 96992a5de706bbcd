/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Buddy: a byte allocator of power-of-two blocks that never touches the memory it manages.
 *
 * Binary buddies after K. C. Knowlton, "A fast storage allocator", CACM 8 (1965). The free blocks
 * of all orders are the set bits of one bitmap under a tree of summaries, so the lowest free block
 * of the smallest order that fits is one search by word steps; the orders of live blocks lie beside
 * it, half a byte a smallest block. No list is searched, and nothing but a moving realloc reads or
 * writes a managed byte, so the same code serves device memory, physical ranges and file extents:
 * plain integers, address 0 included.
 *
 * The blocks freed last are kept whole on a shelf, up to ACRE_BUDDY_QUICK_DEPTH for each of the
 * ACRE_BUDDY_QUICK_ORDERS smallest orders, and are handed out again first; they merge with their
 * buddies when a request could not be served otherwise. acre_buddy_set_quick_depth() bounds or ends that.
 *
 * Cost of a block: rounding of its size, or of its alignment when that is more, to a power of two;
 * a quarter on average, half at worst. Cost of a region: a little over 6 bits a smallest block, and
 * a descriptor of some 150 bytes.
 *
 * Fragmentation: with live blocks of powers of two up to n bytes and M bytes live at most, the
 * worst case is about M * (1 + log2(n) / 2) (J. M. Robson, 1971, for any allocator that does not
 * move such blocks). Measured figures: docs/decisions.md.
 *
 * Not for: sizes that lie just above powers of two, where TLSF takes half the memory.
 */
#ifndef ACRE_BUDDY_H
#define ACRE_BUDDY_H

#include <acre/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ACRE_BUDDY_SMALLEST = 32,    /**< Default smallest block, in bytes. */
    ACRE_BUDDY_QUICK_ORDERS = 8, /**< Orders that have a shelf: the smallest ones. */
    ACRE_BUDDY_QUICK_DEPTH = 24, /**< Blocks that the shelf of one order holds at most. */
    /** One an order, and one for the blocks of order 0 that start at odd places. */
    ACRE_BUDDY_QUICK_LISTS = ACRE_BUDDY_QUICK_ORDERS + 1,
    ACRE_BUDDY_ORDERS = 8 * sizeof(size_t)
};

struct acre_buddy_region;

/** A block on a shelf. */
struct acre_buddy_quick_block {
    uintptr_t pos;
    unsigned char *state; /* its state byte; null at the bottom of a shelf */
};

/** What is kept of one order. */
struct acre_buddy_order {
    struct acre_buddy_quick_block *top;   /* of its shelf: the block put there last, */
    struct acre_buddy_quick_block *limit; /* and the place of the last one that it may hold */
    size_t size;                          /* in smallest blocks; 0: no block is that large */
};

/**
 * One allocator. The caller gives it a place; every field is private. It must not move while it
 * owns memory, and must not lie in memory that it owns.
 */
struct acre_buddy {
    uintptr_t base;        /* the region last worked in: address of its first even block, */
    size_t pairs;          /* number of its even blocks, */
    unsigned char *states; /* and the state bytes from there on */
    size_t mask;           /* smallest block - 1 */
    unsigned pair_log2;    /* of two smallest blocks, in bytes */
    unsigned bias;         /* log2 of the smallest block, less one */
    size_t live_blocks;
    ptrdiff_t room; /* peak - used, in smallest blocks */
    struct acre_buddy_order
        orders[ACRE_BUDDY_ORDERS]; /* the last: blocks of order 0 at odd places */
    struct acre_buddy_quick_block shelves[ACRE_BUDDY_QUICK_LISTS][ACRE_BUDDY_QUICK_DEPTH + 1];
    struct acre_buddy_region *current; /* the region last worked in */
    struct acre_buddy_region *regions; /* by address */
    size_t peak;                       /* in smallest blocks */
    size_t failed;
    size_t total;    /* bytes */
    size_t capacity; /* of all regions, in smallest blocks */
    unsigned depth;  /* blocks that each shelf may hold */
    struct acre_exhausted_hook on_exhausted;
};

/**
 * Makes an empty allocator; it comes before any other call.
 * @param smallest bytes of the smallest block: a power of two, at least ACRE_NATURAL_ALIGN, at most
 * SIZE_MAX / 8 + 1. ACRE_BUDDY_SMALLEST serves mixed sizes well.
 * @return ACRE_OK; ACRE_INVALID_PARAM: smallest is none of these; nothing has changed. O(1).
 */
enum acre_status acre_buddy_setup(struct acre_buddy *buddy, size_t smallest);

/**
 * Sets how many blocks of each order are kept unmerged.
 * @param depth 0: none, every free merges at once and no call does more than one merge an order; at
 * most ACRE_BUDDY_QUICK_DEPTH, which is what setup leaves.
 * @return ACRE_OK; ACRE_INVALID_PARAM: depth is more. What lay on the shelves is merged.
 */
enum acre_status acre_buddy_set_quick_depth(struct acre_buddy *buddy, unsigned depth);

/**
 * The verbs. Each one's contract is that of its namesake in acre/bytes.h and acre/base.h. n is the
 * number of smallest blocks in a region. alloc, dealloc, resize: O(log n), and O(regions) where the
 * region last worked in cannot serve. An alloc that finds the shelves in its way, and only that,
 * merges them: at most ACRE_BUDDY_QUICK_LISTS * ACRE_BUDDY_QUICK_DEPTH frees at once. usable_size:
 * O(1). stats: O(log n) a region and a shelved block.
 *
 * init keeps the smallest block and the depth of the shelf. init, add_memory, reset: O(n).
 * remove_memory: O(n). check, walk: O(n), times the orders for free blocks.
 */
ACRE_NODISCARD enum acre_status acre_buddy_init(struct acre_buddy *buddy, void *start, size_t size);
ACRE_NODISCARD enum acre_status acre_buddy_add_memory(
    struct acre_buddy *buddy, void *start, size_t size);
enum acre_status acre_buddy_remove_memory(struct acre_buddy *buddy, void *start);
struct acre_stats acre_buddy_stats(const struct acre_buddy *buddy);
struct acre_check_result acre_buddy_check(const struct acre_buddy *buddy);
void acre_buddy_reset(struct acre_buddy *buddy);
ACRE_NODISCARD struct acre_ptr acre_buddy_alloc(
    struct acre_buddy *buddy, struct acre_layout layout);
enum acre_status acre_buddy_dealloc(struct acre_buddy *buddy, void *ptr);
enum acre_status acre_buddy_dealloc_sized(
    struct acre_buddy *buddy, void *ptr, struct acre_layout layout);
ACRE_NODISCARD enum acre_status acre_buddy_resize(struct acre_buddy *buddy, void *ptr, size_t size);
ACRE_NODISCARD struct acre_ptr acre_buddy_realloc(
    struct acre_buddy *buddy, void *ptr, struct acre_layout layout);
struct acre_num acre_buddy_usable_size(const struct acre_buddy *buddy, const void *ptr);
void acre_buddy_walk(const struct acre_buddy *buddy, acre_walk_fn *visit, void *arg);

/**
 * Gives one more region, and its metadata in a place of its own; the region itself is then never
 * read or written. Blocks span the seam of regions that adjoin, where their alignment lets them.
 * @param start, size the region, as for add_memory.
 * @param meta        where the metadata goes; any alignment, outside the region.
 * @param meta_size   bytes there, at least acre_buddy_metadata_size(size, smallest). All of them
 *                    count as given to the allocator, and stay its own until the region is removed.
 * @return as add_memory; also ACRE_INVALID_PARAM when meta is null, wraps or is too small, and
 *         ACRE_MEMORY_OVERLAP when it shares a byte with the region or with memory owned.
 * @note Time as add_memory.
 */
ACRE_NODISCARD enum acre_status acre_buddy_add_memory_apart(
    struct acre_buddy *buddy, void *start, size_t size, void *meta, size_t meta_size);

/**
 * The same for a range of integers that are no addresses of this program: physical memory, device
 * memory, offsets in a file. May start at 0 and may end with the highest integer; it is not held
 * against the addresses of metadata. The range is removed through remove_memory.
 */
ACRE_NODISCARD enum acre_status acre_buddy_add_range(
    struct acre_buddy *buddy, uintptr_t start, size_t size, void *meta, size_t meta_size);

/**
 * Sets the handler that is called when a request finds no memory; init sets none. resize does not
 * call it.
 * @param handler null: none.
 * @param arg     passed to the handler. O(1).
 */
void acre_buddy_set_on_exhausted(struct acre_buddy *buddy, acre_exhausted_fn *handler, void *arg);

/** Bytes of metadata that a region of `size` bytes needs. O(log size), pure. */
size_t acre_buddy_metadata_size(size_t size, size_t smallest);

/** acre_buddy_alloc, giving the block's position as an integer, of which 0 is as good as any. */
ACRE_NODISCARD struct acre_num acre_buddy_alloc_range(
    struct acre_buddy *buddy, struct acre_layout layout);

/** acre_buddy_dealloc of the block at a position. */
enum acre_status acre_buddy_dealloc_range(struct acre_buddy *buddy, uintptr_t pos);

/** The bytes table; `self` is a struct acre_buddy that went through setup. */
extern const struct acre_bytes_ops acre_buddy_ops;

/** The allocator as a handle. */
static inline struct acre_bytes acre_buddy_bytes(struct acre_buddy *buddy)
{
    struct acre_bytes bytes;
    bytes.ops = &acre_buddy_ops;
    bytes.self = buddy;
    return bytes;
}

#ifdef __cplusplus
}
#endif

#endif
