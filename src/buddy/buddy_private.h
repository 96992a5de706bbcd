/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Buddy's layout and invariants, for the files of this folder and its white-box tests.
 *
 * Idea. Blocks are named by number: address / smallest block, counted from address 0 and not from
 * the region's start, so that a block's alignment is that of its address and its buddy's number
 * differs in one bit. A block of order k is 2^k smallest blocks at a multiple of 2^k. Its class is
 * k + bias, which a layout gives in one bit scan: log2 of its size in bytes, less one.
 *
 * A region's metadata, in its first bytes or apart:
 *
 *   | struct acre_buddy_region | level[0]: a bit per possible free block | level[1] ... | states |
 *
 *   level[2]  [            bit: a word of level[1] is not 0            ]
 *   level[1]  [ bit: a word of level[0] is not 0 ][ ...                ]
 *   level[0]  [ order 0 ........................ | order 1 ..... | order 2 . | ... ]
 *
 * The bit of block x of order k has the index lead + GAP * k + (x >> k) - (limit >> k), where limit
 * = first + 2 * count and lead = 2 * count + 1. That packs the orders one after the other and the
 * blocks of an order by address, with at least one index between two orders that is never set: the
 * index of a buddy that would lie outside the region. So the next set bit from an order's first
 * index on is the lowest block of the smallest order that fits.
 *
 * A state byte serves a pair of smallest blocks, x and x + 1 with x even, since only a block of
 * order 0 can start at an odd number.
 *
 *   bit 7: a live block starts at x + 1   bit 6: a live block starts at x   bits 0-5: its class
 *
 * The class stays there while the block is on a quick list: such a block is neither live nor free.
 * Quick lists are stacks of (position, state byte) in struct acre_buddy, so that the short paths of
 * alloc and dealloc reach neither the region nor the block. An empty list is refilled with the
 * blocks that one split makes; from a full one, adjacent blocks leave together and merge as one. In
 * a zeroed struct all of them are empty and have no room, and no region is cached, so that every
 * call takes a slow path.
 *
 * A small build (ACRE_MAX_POOL) has no quick lists, and every region its own metadata: alloc and
 * dealloc are those of buddy_small.c, on the same bits and states.
 *
 * A region is on the seam when another one adjoins it: blocks then span both, and whoever walks
 * over a region's end looks the next block's region up.
 *
 * Invariants; the checker names them, cost in brackets (n smallest blocks, r regions):
 *   BUDDY-1  regions are in order of address and share no byte; each one's bounds are sane [r]
 *   BUDDY-2  live, free and quick blocks tile the regions without gap or overlap [n]
 *   BUDDY-3  no two buddies of one order are both free [n]
 *   BUDDY-4  state bytes describe the live and quick blocks that start there, nothing else [n]
 *   BUDDY-5  a free bit is set exactly for each free block [n]
 *   BUDDY-6  a bit of a level is set exactly when its word of the level below is not 0 [n / word]
 *   BUDDY-7  a quick list holds at most its limit of blocks of its class, each once [1]
 *   BUDDY-8  live_blocks, used and capacity are those of the blocks, total that of the regions [n]
 *   BUDDY-9  the cached region is one of the regions; null only when there is none [r]
 *   BUDDY-10 the constants of the smallest block agree with one another [1]
 *   BUDDY-11 each region is on the list of its largest free block's order, and on no other; `orders`
 *            has a bit for each list [r * r]
 *
 * Tried and rejected, with figures in docs/decisions.md: free lists by order (links in managed
 * memory, or 16 bytes per block beside it); a bitmap per order (a search per order); merging at
 * once without quick lists (half the speed on churn); orders in a byte per block (4 bits more).
 */
#ifndef ACRE_SRC_BUDDY_BUDDY_PRIVATE_H
#define ACRE_SRC_BUDDY_BUDDY_PRIVATE_H

#include "base/bitset.h"
#include "base/check.h"
#include "base/regions.h"
#include "base/wide.h"

#include <acre/buddy.h>

struct acre_buddy_region {
    struct acre_region range; /* as given */
    uintptr_t first;          /* number of the first block */
    size_t count;             /* of smallest blocks */
    uintptr_t limit;          /* first + 2 * count */
    unsigned char *states;
#if ACRE_MAX_POOL == 0
    uintptr_t base;             /* for the cached region: address of the first even block, */
    size_t pairs;               /* pairs of blocks from there on, */
    unsigned char *pair_states; /* and their state bytes */
    size_t largest_from; /* first index of the largest free block's order; BUDDY_NO_BIT: none */
    size_t larger_from;  /* first index of the order above; 0: no block is free, or on the seam */
    struct acre_buddy_region *order_next; /* of regions whose largest free block has that order */
    struct acre_buddy_region *order_prev;
#endif
    unsigned levels;
    bool seam;             /* another region adjoins */
    unsigned char largest; /* order of the largest free block; BUDDY_NONE: none, or a small build */
    unsigned char unused[2];
    size_t *level[];
};

ACRE_REGION_FITS_NONE(struct acre_buddy_region);

enum {
    BUDDY_HAS_QUICK = !ACRE_SMALL, /* buddy.c and quick lists, in place of buddy_small.c */
    BUDDY_LIVE_ODD = 0x80,
    BUDDY_LIVE_EVEN = 0x40,
    BUDDY_CLASS = 0x3f,                 /* mask of the class in a state byte */
    BUDDY_ODD = ACRE_BUDDY_CLASSES - 1, /* the class of blocks that start at odd numbers */
    BUDDY_GAP = 3,
    BUDDY_NONE = 0x7f, /* as an order: none; no block is that large */
    BUDDY_ENTRY = sizeof(struct acre_buddy_quick_block),
    BUDDY_REFILL_LOG2 = 4, /* log2 of the most blocks that a split makes for a quick list */
    /* Blocks of lower orders can be made of quick blocks: they, or the blocks of a split. */
    BUDDY_SPLIT_ORDERS = ACRE_BUDDY_QUICK_ORDERS + BUDDY_REFILL_LOG2,
    BUDDY_GROUP_LOG2 = 3, /* log2 of the adjacent blocks that leave a full quick list at once */
    BUDDY_GROUP = 1 << BUDDY_GROUP_LOG2
};

#define BUDDY_NO_BIT ((size_t)-1)

_Static_assert((int)ACRE_WORD_BITS <= (int)BUDDY_CLASS + 1, "a class fits a state byte");
_Static_assert(BUDDY_GAP >= 1,
    "the smallest region's bits take two words, so that every region has a level[1]");

/* ---- orders, classes and numbers ---- */

ACRE_INLINE unsigned buddy_smallest_log2(const struct acre_buddy *buddy)
{
    return buddy->pair_log2 - 1;
}

/* The class that serves a layout; the highest for size 0 and for alignment 0. Bit 0 stands in for
 * the mask of an allocator that is not set up yet. */
ACRE_INLINE unsigned buddy_raw_class(const struct acre_buddy *buddy, struct acre_layout layout)
{
    return acre_bits_highest((layout.size - 1) | (layout.align - 1) | buddy->mask | 1);
}

/* The order that serves a layout whose alignment is a power of two; it may exceed any block's. */
ACRE_INLINE unsigned buddy_order(const struct acre_buddy *buddy, struct acre_layout layout)
{
    layout.size += layout.size == 0;
    return buddy_raw_class(buddy, layout) - buddy->bias;
}

ACRE_INLINE size_t buddy_size(unsigned order)
{
    ACRE_ASSERT(order < sizeof(size_t) * 8); /* BUDDY_NONE is no order of a block */
    return (size_t)1 << order; /* NOLINT(clang-analyzer-core.UndefinedBinaryOperatorResult) */
}

/* Orders that a block can have: its size in bytes is below 2^ACRE_WORD_BITS. */
ACRE_INLINE unsigned buddy_orders(const struct acre_buddy *buddy)
{
    return ACRE_WORD_BITS - buddy_smallest_log2(buddy);
}

ACRE_INLINE size_t buddy_bytes(const struct acre_buddy *buddy, unsigned order)
{
    return (buddy->mask + 1) << order;
}

/* Number of the pair at `pos`, counted from a base. A position below base, off the smallest block
 * or at an odd one gives a number past any region's end, for the low bits become the highest. */
ACRE_INLINE size_t buddy_pair(const struct acre_buddy *buddy, uintptr_t base, uintptr_t pos)
{
    uintptr_t bytes = pos - base;
    return bytes >> buddy->pair_log2 | bytes << (-buddy->pair_log2 % ACRE_WORD_BITS);
}

ACRE_INLINE bool buddy_contains(const struct acre_buddy_region *region, uintptr_t block)
{
    return block - region->first < region->count;
}

/* Number of the first whole block from a position on. */
ACRE_INLINE uintptr_t buddy_block_from(const struct acre_buddy *buddy, uintptr_t pos)
{
    return (pos >> buddy_smallest_log2(buddy)) + ((pos & buddy->mask) != 0);
}

/* Number of the block after the last whole one of a range. */
ACRE_INLINE uintptr_t buddy_block_after(
    const struct acre_buddy *buddy, uintptr_t start, size_t size)
{
    uintptr_t last = start + (size - 1);
    return (last >> buddy_smallest_log2(buddy)) + ((last & buddy->mask) == buddy->mask);
}

/* State bytes of a region of so many blocks, wherever it starts. */
ACRE_INLINE size_t buddy_state_bytes(size_t count)
{
    return count / 2 + 1;
}

/* ---- free bits ---- */

/* What to add to (block >> order) - (limit >> order) for a free bit's index. */
ACRE_INLINE size_t buddy_lead(const struct acre_buddy_region *region, size_t order)
{
    return 2 * region->count + 1 + BUDDY_GAP * order;
}

ACRE_INLINE size_t buddy_index(
    const struct acre_buddy_region *region, uintptr_t block, unsigned order)
{
    return buddy_lead(region, order) + (block >> order) - (region->limit >> order);
}

/* The block of an order whose free bit has an index. */
ACRE_INLINE uintptr_t buddy_block_at(
    const struct acre_buddy_region *region, size_t index, unsigned order)
{
    return (index - buddy_lead(region, order) + (region->limit >> order)) << order;
}

/* First index of an order. */
ACRE_INLINE size_t buddy_first_index(const struct acre_buddy_region *region, unsigned order)
{
    return buddy_index(region, region->first, order);
}

ACRE_INLINE bool buddy_is_free(
    const struct acre_buddy_region *region, uintptr_t block, unsigned order)
{
    return acre_bitset_has(region->level[0], buddy_index(region, block, order));
}

/* Update level[2] and up when a word of level[1] ceased to be 0, or became 0; index is that of a
 * free bit below that word. O(levels). */
void acre_buddy_summarize_nonzero(struct acre_buddy_region *region, size_t index);
void acre_buddy_summarize_zero(struct acre_buddy_region *region, size_t index);

/* The word of level[1] that has the bit of index's word; every region has that level. */
ACRE_INLINE size_t *buddy_summary_of(const struct acre_buddy_region *region, size_t index)
{
    return &region->level[1][index >> (2 * ACRE_WORD_LOG2)];
}

/* Sets a free bit in level[0], whose words the caller has, and above. */
ACRE_INLINE void buddy_set_in_words(struct acre_buddy_region *region, size_t *words, size_t index)
{
    size_t *word = &words[index >> ACRE_WORD_LOG2];
    size_t was = *word;
    ACRE_ASSERT((was & acre_bit(index)) == 0); /* BUDDY-5 */
    *word = was | acre_bit(index);
    if (was != 0)
        return;
    word = buddy_summary_of(region, index);
    was = *word;
    *word = was | acre_bit(index >> ACRE_WORD_LOG2);
    if (ACRE_UNLIKELY(was == 0))
        acre_buddy_summarize_nonzero(region, index);
}

ACRE_INLINE void buddy_set(struct acre_buddy_region *region, size_t index)
{
    buddy_set_in_words(region, region->level[0], index);
}

/* Updates level[1] and up when a word of level[0] became 0. */
ACRE_INLINE void buddy_summarize_zero_word(struct acre_buddy_region *region, size_t index)
{
    size_t *word = buddy_summary_of(region, index);
    ACRE_ASSERT((*word & acre_bit(index >> ACRE_WORD_LOG2)) != 0); /* BUDDY-6 */
    if (ACRE_UNLIKELY((*word &= acre_bits_except(index >> ACRE_WORD_LOG2)) == 0))
        acre_buddy_summarize_zero(region, index);
}

ACRE_INLINE void buddy_clear(struct acre_buddy_region *region, size_t index)
{
    size_t *word = &region->level[0][index >> ACRE_WORD_LOG2];
    ACRE_ASSERT((*word & acre_bit(index)) != 0); /* BUDDY-5 */
    if ((*word ^= acre_bit(index)) == 0)
        buddy_summarize_zero_word(region, index);
}

/* First set index in the words after that of `index`, or BUDDY_NO_BIT. O(levels). */
size_t acre_buddy_find_after(const struct acre_buddy_region *region, size_t index);

/* First set index from `index` on, or BUDDY_NO_BIT. O(levels). */
ACRE_INLINE size_t buddy_find_free(const struct acre_buddy_region *region, size_t index)
{
    size_t word = region->level[0][index >> ACRE_WORD_LOG2] >> (index % ACRE_WORD_BITS);
    if (word != 0)
        return index + acre_bits_lowest(word);
    return acre_buddy_find_after(region, index);
}

/* Highest order of a region's free blocks; BUDDY_NONE when it has none. O(orders). */
unsigned acre_buddy_highest_order(const struct acre_buddy_region *region);

/* ---- buddy_free.c: regions by their largest free block ---- */

/* Moves a region to the list of its largest free block's order, where that has changed. */
void acre_buddy_update_largest(struct acre_buddy *buddy, struct acre_buddy_region *region);

#if ACRE_MAX_POOL == 0

/* Whether a bit that was set belongs to an order above all others of its region. */
ACRE_INLINE bool buddy_is_new_largest(const struct acre_buddy_region *region, size_t index)
{
    return index >= region->larger_from;
}

/* Whether a bit that was cleared may have been the last one of a region's highest order. */
ACRE_INLINE bool buddy_was_largest(const struct acre_buddy_region *region, size_t index)
{
    return index >= region->largest_from;
}

#else

/* A small build has few regions, and no lists of them. */
ACRE_INLINE bool buddy_is_new_largest(const struct acre_buddy_region *region, size_t index)
{
    (void)region;
    (void)index;
    return false;
}

ACRE_INLINE bool buddy_was_largest(const struct acre_buddy_region *region, size_t index)
{
    (void)region;
    (void)index;
    return false;
}

#endif

/* After a bit was cleared, and the rest of a block that was split is set. */
ACRE_INLINE void buddy_note_cleared(
    struct acre_buddy *buddy, struct acre_buddy_region *region, size_t index)
{
    if (ACRE_UNLIKELY(buddy_was_largest(region, index)))
        acre_buddy_update_largest(buddy, region);
}

/* ---- regions ---- */

ACRE_INLINE struct acre_buddy_region *buddy_first_region(const struct acre_buddy *buddy)
{
    return (struct acre_buddy_region *)buddy->regions.first;
}

ACRE_INLINE struct acre_buddy_region *buddy_next_region(const struct acre_buddy_region *region)
{
    return (struct acre_buddy_region *)region->range.next;
}

/* The region that has a block, or null. O(regions). */
struct acre_buddy_region *acre_buddy_find_region(const struct acre_buddy *buddy, uintptr_t block);

/* The same; tries `region` first. */
ACRE_INLINE struct acre_buddy_region *buddy_find_region_near(
    const struct acre_buddy *buddy, struct acre_buddy_region *region, uintptr_t block)
{
    if (ACRE_ONE_REGION)
        return buddy_contains(region, block) ? region : NULL;
    return buddy_contains(region, block) ? region : acre_buddy_find_region(buddy, block);
}

/* Whether another region adjoins: not in a small build, where each has its metadata between. */
ACRE_INLINE bool buddy_is_on_seam(const struct acre_buddy_region *region)
{
    return !ACRE_SMALL && region->seam;
}

/* Whether a region ends where another one begins; either may be null. */
ACRE_INLINE bool buddy_adjoins(
    const struct acre_buddy_region *low, const struct acre_buddy_region *high)
{
    return low != NULL && high != NULL && low->first + low->count == high->first;
}

/* Whether a region's levels and states lie where its block count wants them, in its metadata. */
bool acre_buddy_has_sound_layout(const struct acre_buddy_region *region);

/* ---- live blocks ---- */

/* A live block, found. */
struct buddy_live {
    struct acre_buddy_region *region; /* null: the position is no live block's start */
    uintptr_t block;
    unsigned order;
};

/* The validator: the live block that starts at a position. Reads nothing at it. O(1), or O(regions)
 * outside the cached region. */
struct buddy_live acre_buddy_find_live(const struct acre_buddy *buddy, uintptr_t pos);

/* Whether a request of this layout could have made this block. A block that was resized since may
 * have been made by its size alone. O(1). */
bool acre_buddy_could_have_made(
    const struct acre_buddy *buddy, struct buddy_live live, struct acre_layout layout);

ACRE_INLINE unsigned char *buddy_state_of(const struct acre_buddy_region *region, uintptr_t block)
{
    return &region->states[(block >> 1) - (region->first >> 1)];
}

/* Order of the live block that starts at a block of the region; BUDDY_NONE when none does. */
ACRE_INLINE unsigned buddy_live_order(
    const struct acre_buddy *buddy, const struct acre_buddy_region *region, uintptr_t block)
{
    unsigned state = *buddy_state_of(region, block);
    if ((block & 1) != 0)
        return (state & BUDDY_LIVE_ODD) != 0 ? 0 : BUDDY_NONE;
    return (state & BUDDY_LIVE_EVEN) != 0 ? (state & BUDDY_CLASS) - buddy->bias : BUDDY_NONE;
}

/* Marks the start of a live block. */
ACRE_INLINE void buddy_mark_live(const struct acre_buddy *buddy, struct acre_buddy_region *region,
    uintptr_t block, unsigned order)
{
    unsigned char *state = buddy_state_of(region, block);
    ACRE_ASSERT((block & (buddy_size(order) - 1)) == 0 &&
                buddy_live_order(buddy, region, block) == BUDDY_NONE); /* BUDDY-2, BUDDY-4 */
    unsigned bits = (block & 1) != 0 ? BUDDY_LIVE_ODD : BUDDY_LIVE_EVEN | (order + buddy->bias);
    *state |= (unsigned char)bits;
}

/* Removes the mark, and the class beside it. */
ACRE_INLINE void buddy_unmark_live(struct acre_buddy_region *region, uintptr_t block)
{
    *buddy_state_of(region, block) &=
        (block & 1) != 0 ? BUDDY_LIVE_EVEN | BUDDY_CLASS : BUDDY_LIVE_ODD;
}

/* ---- blocks of any kind ---- */

/* What starts at a block that nothing before it reaches into. */
struct buddy_view {
    bool live;
    bool quick;     /* on a quick list */
    unsigned order; /* BUDDY_NONE: no block starts here */
};

/* O(orders) for a block that is not live. */
struct buddy_view acre_buddy_inspect(
    const struct acre_buddy *buddy, const struct acre_buddy_region *region, uintptr_t block);

/* ---- buddy_free.c: merging and splitting ---- */

/* Ends a merge that makes a region's largest block, or that comes to the edge of a region which
 * another one adjoins: of the block with the number `at` among those of its order, whose
 * buddy_lead() is `lead`. */
void acre_buddy_merge_to_largest(
    struct acre_buddy *buddy, struct acre_buddy_region *region, uintptr_t at, size_t lead);

/* Makes a block of a region free and merges it with its buddies as far as they are free; `at` is
 * the block's number >> order. O(log n), and O(regions) at a seam. */
ACRE_INLINE void buddy_merge_in_region(
    struct acre_buddy *buddy, struct acre_buddy_region *region, uintptr_t at, size_t order)
{
    size_t *words = region->level[0];
    uintptr_t limit = region->limit >> order;
    size_t lead = buddy_lead(region, order) - limit;
    for (;;) {
        size_t index = lead + (at ^ 1);
        size_t word = words[index >> ACRE_WORD_LOG2];
        if ((word >> (index % ACRE_WORD_BITS) & 1) == 0)
            break;
        word &= acre_bits_except(index);
        words[index >> ACRE_WORD_LOG2] = word;
        if (word == 0)
            buddy_summarize_zero_word(region, index);
        lead += BUDDY_GAP + limit;
        limit >>= 1;
        lead -= limit;
        at >>= 1;
    }
    if (ACRE_UNLIKELY(buddy_is_new_largest(region, lead + at)))
        acre_buddy_merge_to_largest(buddy, region, at, lead + limit);
    else
        buddy_set_in_words(region, words, lead + at);
}

/* The same for a block of any region. */
void acre_buddy_merge(struct acre_buddy *buddy, uintptr_t block, unsigned order);

/* Makes the blocks in [from, to) free, in pieces as large as alignment lets them be. */
void acre_buddy_merge_range(struct acre_buddy *buddy, uintptr_t from, uintptr_t to);

/* Splits a block that is in no set down to `order`: the upper halves become free. One of them may
 * be the region's largest: the caller updates that. */
void acre_buddy_split(struct acre_buddy *buddy, struct acre_buddy_region *region, uintptr_t block,
    unsigned from, unsigned order);

/* ---- buddy_free.c: accounts ---- */

/* Accounts for `had` smallest blocks in use that are now `has`. */
void acre_buddy_account(struct acre_buddy *buddy, size_t had, size_t has);

#endif
