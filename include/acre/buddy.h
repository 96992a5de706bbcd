/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Buddy: a byte allocator of power-of-two blocks that never touches the memory it manages.
 *
 * Binary buddies after K. C. Knowlton, "A fast storage allocator", CACM 8 (1965). The free blocks
 * of all orders are the set bits of one bitmap under a tree of summaries, so the lowest free block
 * of the smallest order that fits is one search by word steps. The orders of live blocks lie beside
 * it, half a byte per smallest block. No list is searched, and only a realloc that moves a block
 * reads or writes managed bytes. The same code therefore serves device memory, physical ranges and
 * file extents: plain integers, address 0 included.
 *
 * Quick lists defer coalescing: the blocks freed last stay whole on a list of their order, up to
 * ACRE_BUDDY_QUICK_DEPTH for each of the ACRE_BUDDY_QUICK_ORDERS smallest orders, and serve the
 * next requests. A split refills an empty list with up to 16 adjacent blocks; 8 adjacent blocks
 * leave a full list as one. A request that only merged blocks can serve flushes all quick lists.
 * acre_buddy_set_quick_depth() shortens them or turns them off.
 *
 * Space per block: the size, or the alignment when that is larger, rounded up to a power of two; a
 * quarter is lost on average, half at worst. Space per region: a little over 6 bits per smallest
 * block, and a descriptor of some 190 bytes.
 *
 * Fragmentation: with live blocks of powers of two up to n bytes and at most M live bytes, the
 * worst case is about M * (1 + log2(n) / 2) (J. M. Robson, 1971, for any allocator that does not
 * move such blocks). Measured figures: docs/decisions.md.
 *
 * In a small build (ACRE_MAX_POOL) there are no quick lists, and regions hold their own metadata:
 * acre_buddy_add_memory_apart() and acre_buddy_add_range() return ACRE_INVALID_PARAM.
 *
 * Not for: sizes just above powers of two, for which TLSF takes half the memory.
 */
#ifndef ACRE_BUDDY_H
#define ACRE_BUDDY_H

#include <acre/backing.h>
#include <acre/bytes.h>
#include <acre/pages.h>
#include <acre/regions.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ACRE_BUDDY_SMALLEST = 32,    /**< Default size of the smallest block, in bytes. */
    ACRE_BUDDY_QUICK_ORDERS = 8, /**< Orders with a quick list: the smallest ones. */
    /** Most blocks on one quick list, and the default; 0 in a small build, which has no lists. */
    ACRE_BUDDY_QUICK_DEPTH = ACRE_MAX_POOL != 0 ? 0 : 24,
    /** A list per order, and one for the blocks of order 0 that start at odd block numbers. */
    ACRE_BUDDY_QUICK_LISTS = ACRE_BUDDY_QUICK_ORDERS + 1,
    /** Size classes: a power of two each, and one for those blocks of order 0. */
    ACRE_BUDDY_CLASSES = 8 * sizeof(size_t) + ACRE_BUDDY_QUICK_ORDERS
};

struct acre_buddy_region;

/** A block on a quick list. */
struct acre_buddy_quick_block {
    uintptr_t pos;
    unsigned char *state; /* the block's state byte */
};

/** The quick list of one size class: the blocks of 2^class + 1 to 2^(class + 1) bytes. */
struct acre_buddy_class {
    size_t used;  /* bytes of entries in use */
    size_t limit; /* the most that may be in use */
    struct acre_buddy_quick_block *entries;
    size_t size; /* of a block, in smallest blocks; 0: no block is that large */
};

/**
 * One allocator; every field is private. Zeroed (`static`, or `= {0}`) it is an empty allocator
 * with default settings, and it must be zeroed before its first call. It must not move while it
 * owns memory, and must not lie in memory that it owns.
 */
struct acre_buddy {
#if ACRE_MAX_POOL == 0
    uintptr_t base;        /* cached region: address of its first even block, */
    size_t pairs;          /* number of its pairs of blocks from there on, */
    unsigned char *states; /* and their state bytes */
#endif
    size_t mask;        /* smallest block - 1; 0: defaults, not set up yet */
    unsigned pair_log2; /* log2 of two smallest blocks, in bytes */
    unsigned bias;      /* class of order 0: log2 of the smallest block, less 1 */
    size_t live_blocks;
    ptrdiff_t headroom; /* peak - used, in smallest blocks */
#if ACRE_MAX_POOL == 0
    struct acre_buddy_class classes[ACRE_BUDDY_CLASSES];
    struct acre_buddy_quick_block quick[ACRE_BUDDY_QUICK_LISTS][ACRE_BUDDY_QUICK_DEPTH];
#endif
    struct acre_buddy_region *cached; /* the region used last; null: there is no region */
    struct acre_regions regions;
    size_t peak; /* in smallest blocks */
    size_t failed;
    size_t capacity; /* of all regions, in smallest blocks */
#if ACRE_MAX_POOL == 0
    unsigned quick_depth; /* most blocks on each quick list */
    size_t orders;        /* bit k: by_order[k] is not null */
    /* Regions by the order of their largest free block: the first one of a list, or null. */
    struct acre_buddy_region *by_order[8 * sizeof(size_t)];
#endif
    struct acre_exhausted_hook on_exhausted;
    acre_released_fn *on_released; /* null: none */
    void *on_released_arg;
};

/**
 * Sets the size of the smallest block; the length of the quick lists stays. Optional: a zeroed
 * struct has smallest blocks of ACRE_BUDDY_SMALLEST bytes, which suit mixed sizes.
 * @param smallest bytes: a power of two, at least ACRE_NATURAL_ALIGN, at most SIZE_MAX / 8 + 1.
 * @return ACRE_OK; ACRE_INVALID_PARAM: smallest is none of these, or the allocator owns memory;
 * nothing has changed. O(1). The peak starts anew.
 */
enum acre_status acre_buddy_setup(struct acre_buddy *buddy, size_t smallest);

/**
 * Sets how many blocks of each order stay unmerged on a quick list; allowed at any time.
 * @param depth at most ACRE_BUDDY_QUICK_DEPTH, which is the default. 0: none; every free merges at
 * once, and no call does more than one merge per order.
 * @return ACRE_OK, all quick lists having been flushed; ACRE_INVALID_PARAM: depth is more; nothing
 * has changed. O(blocks on quick lists * log n).
 */
enum acre_status acre_buddy_set_quick_depth(struct acre_buddy *buddy, unsigned depth);

/**
 * The verbs. Each one's contract is that of its namesake in acre/bytes.h and acre/base.h. n is the
 * number of smallest blocks in a region. alloc, dealloc, resize: O(log n), refused or not, however
 * many regions there are; a small build's alloc takes O(regions). A resize that grows a block over
 * quick ones: O(blocks on quick lists) more, and a look at no more than 2 KiB of state bytes. An
 * alloc that needs blocks from the quick lists merged flushes them: ACRE_BUDDY_QUICK_DEPTH frees
 * for each of ACRE_BUDDY_QUICK_LISTS lists at most. usable_size: O(1). stats: O(log n) per block
 * on a quick list.
 *
 * init keeps both settings. init, add_memory, reset, remove_memory: O(n). check, walk: O(n), times
 * the number of orders for free blocks.
 */
ACRE_NODISCARD enum acre_status acre_buddy_init(struct acre_buddy *buddy, void *start, size_t size);
ACRE_NODISCARD enum acre_status acre_buddy_add_memory(
    struct acre_buddy *buddy, void *start, size_t size);
enum acre_status acre_buddy_remove_memory(struct acre_buddy *buddy, void *start);
struct acre_stats acre_buddy_stats(const struct acre_buddy *buddy);
struct acre_check_result acre_buddy_check(const struct acre_buddy *buddy);
void acre_buddy_reset(struct acre_buddy *buddy);
void acre_buddy_reset_peak(struct acre_buddy *buddy);
ACRE_NODISCARD struct acre_ptr acre_buddy_alloc(
    struct acre_buddy *buddy, struct acre_layout layout);
enum acre_status acre_buddy_dealloc(struct acre_buddy *buddy, void *ptr);
enum acre_status acre_buddy_dealloc_sized(
    struct acre_buddy *buddy, void *ptr, struct acre_layout layout);
ACRE_NODISCARD enum acre_status acre_buddy_resize(struct acre_buddy *buddy, void *ptr, size_t size);
ACRE_NODISCARD struct acre_ptr acre_buddy_realloc(
    struct acre_buddy *buddy, void *ptr, struct acre_layout layout);
struct acre_num acre_buddy_usable_size(const struct acre_buddy *buddy, const void *ptr);
struct acre_block acre_buddy_find(const struct acre_buddy *buddy, const void *ptr);
void acre_buddy_walk(const struct acre_buddy *buddy, acre_walk_fn *visit, void *arg);

/**
 * Makes an allocator inside its own memory: its struct at the start of a range, its region after
 * it.
 * @param start first byte; any alignment.
 * @param size  bytes.
 * @return a struct acre_buddy; ACRE_INVALID_PARAM: start is null, the range wraps or is too small, or
 *         larger than ACRE_MAX_POOL allows. Nothing has been written then. Time as init.
 */
ACRE_NODISCARD struct acre_ptr acre_buddy_create(void *start, size_t size);

/** Bytes that acre_buddy_create() needs, at any start address, for an allocator that can serve a
 * first request of this layout; 0: no size is enough. O(log size), pure. */
size_t acre_buddy_pool_size(struct acre_layout layout);

/**
 * Adds a region whose metadata lies elsewhere; the region itself is then never read or written.
 * Blocks span the seam of adjoining regions where their alignment allows it.
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
 * memory, offsets in a file. The range may start at 0 and may end with the highest integer. It is
 * not compared with the addresses of metadata. remove_memory removes it.
 */
ACRE_NODISCARD enum acre_status acre_buddy_add_range(
    struct acre_buddy *buddy, uintptr_t start, size_t size, void *meta, size_t meta_size);

/**
 * Sets the handler that is called when a request finds no memory; init keeps it. resize does not
 * call it.
 * @param handler null: none.
 * @param arg     passed to the handler. O(1).
 */
void acre_buddy_set_on_exhausted(struct acre_buddy *buddy, acre_exhausted_fn *handler, void *arg);

/**
 * Sets the handler that is called when a free has merged blocks, with their number; a free that
 * only adds to a quick list merges none. init sets none.
 * @param handler null: none.
 * @param arg     passed to the handler. O(1).
 */
void acre_buddy_set_on_released(struct acre_buddy *buddy, acre_released_fn *handler, void *arg);

/** Bytes of metadata that a region of `size` bytes needs. O(log size), pure. */
size_t acre_buddy_metadata_size(size_t size, size_t smallest);

/** acre_buddy_alloc with the block's position as an integer; 0 is a valid position. */
ACRE_NODISCARD struct acre_num acre_buddy_alloc_range(
    struct acre_buddy *buddy, struct acre_layout layout);

/** acre_buddy_dealloc of the block at a position. */
enum acre_status acre_buddy_dealloc_range(struct acre_buddy *buddy, uintptr_t pos);

/**
 * acre_buddy_alloc_range of a block that meets conditions; those of acre/pages.h, with smallest blocks
 * in place of pages. They hold for the whole block, which is as large as the size rounded up to a
 * power of two, and starts at a multiple of that: a phase that is no multiple of it, and a boundary
 * below it, are met by no block. Of the smallest free blocks that serve, the lowest one does.
 *
 * It takes merged blocks only: those on quick lists do not serve. For ranges that are asked for
 * conditions, turn the lists off: acre_buddy_set_quick_depth(buddy, 0).
 * @param size   bytes; 0 is served as 1.
 * @param limits the conditions; not kept.
 * @return {position, ACRE_OK};
 *         {0, ACRE_INVALID_PARAM}: as for acre_alloc_pages_within, or top_down is set;
 *         {0, ACRE_NO_MEMORY}: no free block meets the conditions.
 * @note O(log n) per order and region, n its smallest blocks, and a step for each free block of fewer
 *       bytes than the alignment asked for.
 */
ACRE_NODISCARD struct acre_num acre_buddy_alloc_range_within(
    struct acre_buddy *buddy, size_t size, const struct acre_run_limits *limits);

/** The bytes table; `self` is a struct acre_buddy. */
extern const struct acre_bytes_ops acre_buddy_ops;

/** The table of acre/backing.h, for layers above; `self` as in the bytes table. */
extern const struct acre_backing acre_buddy_backing;

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
