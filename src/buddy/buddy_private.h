/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Buddy's layout and invariants, for the files of this folder and its white-box tests.
 *
 * Blocks are named by number: address / smallest block, counted from address 0 and not from the
 * region's start, so that alignment is that of addresses and buddies are found by flipping one bit.
 * A block of order k is 2^k smallest blocks at a multiple of 2^k.
 *
 * A region's metadata, in its first bytes or apart:
 *
 *   | struct acre_buddy_region | level[0]: a bit a possible free block | level[1] ... | states |
 *
 *   level[2]  [            bit: a word of level[1] is not 0            ]
 *   level[1]  [ bit: a word of level[0] is not 0 ][ ...                ]
 *   level[0]  [ order 0 ........................ | order 1 ..... | order 2 . | ... ]
 *
 * The bit of block x of order k has the index lead + GAP * k + (x >> k) - (limit >> k), where limit
 * = first + 2 * count and lead = 2 * count + 1. That packs the orders one behind the other, the
 * blocks of an order by address, with at least one index between two orders that is never set: the
 * index of a buddy that would lie outside the region. So the next set bit from an order's first
 * index on is the lowest block of the smallest order that fits.
 *
 * A state byte serves a pair of smallest blocks, x and x + 1 with x even: only a block of order 0
 * can start at an odd number.
 *
 *   bit 7: a live block starts at x + 1     bit 6: a live block starts at x     bits 0-5: its order
 *
 * The order stays there while the block is on a shelf: it is then neither live nor free. A block
 * that starts at an odd number never goes to a shelf.
 *
 * Invariants; the checker names them, cost in brackets (n smallest blocks, r regions):
 *   BUDDY-1  regions are in order of address and share no byte; each one's bounds are sane [r]
 *   BUDDY-2  live, free and shelved blocks follow on one another without gap or overlap [n]
 *   BUDDY-3  no two buddies of one order are both free [n]
 *   BUDDY-4  a state byte tells of live blocks that start there, and of nothing else [n]
 *   BUDDY-5  a free bit is set just for a free block [n]
 *   BUDDY-6  a bit of a level is set just when its word of the level below is not 0 [n / word]
 *   BUDDY-7  a shelf holds no more than its depth, each block once and aligned [1]
 *   BUDDY-8  counts of live blocks, used and capacity are those of the blocks; total, of regions
 * [n] BUDDY-9  the region last worked in is one of the regions, or none [r] BUDDY-10 the constants
 * of the smallest block agree with one another [1]
 */
#ifndef ACRE_SRC_BUDDY_BUDDY_PRIVATE_H
#define ACRE_SRC_BUDDY_BUDDY_PRIVATE_H

#include <acre/buddy.h>

#include "base/arith.h"

struct acre_buddy_region {
    struct acre_buddy_region *next; /* by address */
    uintptr_t start;                /* as given */
    size_t size;
    uintptr_t meta; /* as given; 0 when in band */
    size_t meta_size;
    uintptr_t first; /* number of the first block */
    size_t count;    /* of smallest blocks */
    uintptr_t limit; /* first + 2 * count */
    unsigned char *states;
    unsigned levels;
    bool integers; /* no addresses of this program */
    bool seam;     /* another region adjoins */
    size_t *level[];
};

enum {
    BUDDY_LIVE_ODD = 0x80,
    BUDDY_LIVE_EVEN = 0x40,
    BUDDY_ORDER = 0x3f,
    BUDDY_WORD_BITS = 8 * sizeof(size_t),
    BUDDY_WORD_LOG2 = BUDDY_WORD_BITS == 64 ? 6 : 5,
    BUDDY_ODD = ACRE_BUDDY_ORDERS - 1, /* place of the shelf for odd blocks among the orders */
    BUDDY_GAP = 3,
    BUDDY_NONE = BUDDY_ORDER /* as an order: no block is that large */
};

#define BUDDY_NO_BIT ((size_t)-1)

_Static_assert(ACRE_BUDDY_ORDERS <= BUDDY_ORDER + 1, "an order fits a state byte");
_Static_assert((int)BUDDY_GAP *(int)ACRE_BUDDY_ORDERS >= (int)BUDDY_WORD_BITS,
    "the smallest region's bits take two words, so that every region has a level[1]");

/* ---- orders and numbers ---- */

ACRE_INLINE unsigned buddy_smallest_log2(const struct acre_buddy *buddy)
{
    return buddy->pair_log2 - 1;
}

/* The order that serves a layout; ORDERS - 1 or more for a size that no block has, for size 0 and
 * for alignment 0. */
ACRE_INLINE unsigned buddy_raw_order(const struct acre_buddy *buddy, struct acre_layout layout)
{
    return acre_bits_highest((layout.size - 1) | (layout.align - 1) | buddy->mask) - buddy->bias;
}

/* The order that serves a layout, whose alignment is a power of two; it may be beyond any block. */
ACRE_INLINE unsigned buddy_order(const struct acre_buddy *buddy, struct acre_layout layout)
{
    layout.size += layout.size == 0;
    return buddy_raw_order(buddy, layout);
}

ACRE_INLINE size_t buddy_size(unsigned order)
{
    return (size_t)1 << order;
}

/* What is kept as the size of an order: 0 when no block is that large. */
ACRE_INLINE size_t buddy_size_or_0(const struct acre_buddy *buddy, unsigned order)
{
    return order + buddy->pair_log2 <= BUDDY_WORD_BITS ? buddy_size(order) : 0;
}

/* Number of the pair at `pos`, counted from `base`. A position below base, off the smallest block
 * or at an odd one gives a number past any region's end, for the low bits become the highest. */
ACRE_INLINE size_t buddy_pair(const struct acre_buddy *buddy, uintptr_t pos)
{
    uintptr_t bytes = pos - buddy->base;
    return bytes >> buddy->pair_log2 | bytes << (BUDDY_WORD_BITS - buddy->pair_log2);
}

ACRE_INLINE bool buddy_contains(const struct acre_buddy_region *region, uintptr_t block)
{
    return block - region->first < region->count;
}

/* State bytes of a region of so many blocks, wherever it starts. */
ACRE_INLINE size_t buddy_state_bytes(size_t count)
{
    return count / 2 + 1;
}

/* Place among the orders of one of the ACRE_BUDDY_QUICK_LISTS shelves, and the order of its blocks. */
ACRE_INLINE unsigned buddy_row_of(unsigned shelf)
{
    return shelf < ACRE_BUDDY_QUICK_ORDERS ? shelf : BUDDY_ODD;
}

ACRE_INLINE unsigned buddy_order_of(unsigned shelf)
{
    return shelf < ACRE_BUDDY_QUICK_ORDERS ? shelf : 0;
}

/* ---- free bits ---- */

ACRE_INLINE size_t buddy_bit(size_t index)
{
    return (size_t)1 << (index % BUDDY_WORD_BITS);
}

/* ~buddy_bit(index), written as the rotation that compilers make one instruction of. */
ACRE_INLINE size_t buddy_all_but(size_t index)
{
    size_t ones = ~(size_t)1;
    return ones << (index % BUDDY_WORD_BITS) | ones >> (-index % BUDDY_WORD_BITS);
}

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
ACRE_INLINE size_t buddy_index_from(const struct acre_buddy_region *region, unsigned order)
{
    return buddy_index(region, region->first, order);
}

ACRE_INLINE bool buddy_is_free(
    const struct acre_buddy_region *region, uintptr_t block, unsigned order)
{
    size_t index = buddy_index(region, block, order);
    return (region->level[0][index >> BUDDY_WORD_LOG2] & buddy_bit(index)) != 0;
}

/* Pass on that a word of level[1] ceased to be 0, or became 0; index is that of a bit below it. */
void acre_buddy_summarise_full(struct acre_buddy_region *region, size_t index);
void acre_buddy_summarise_empty(struct acre_buddy_region *region, size_t index);

/* The word of level[1] that has the bit of index's word; every region has that level. */
ACRE_INLINE size_t *buddy_summary_of(const struct acre_buddy_region *region, size_t index)
{
    return &region->level[1][index >> (2 * BUDDY_WORD_LOG2)];
}

/* buddy_set() where the words of level[0] are at hand. */
ACRE_INLINE void buddy_set_in(struct acre_buddy_region *region, size_t *words, size_t index)
{
    size_t *word = &words[index >> BUDDY_WORD_LOG2];
    size_t was = *word;
    *word = was | buddy_bit(index);
    if (was != 0)
        return;
    word = buddy_summary_of(region, index);
    was = *word;
    *word = was | buddy_bit(index >> BUDDY_WORD_LOG2);
    if (ACRE_UNLIKELY(was == 0))
        acre_buddy_summarise_full(region, index);
}

ACRE_INLINE void buddy_set(struct acre_buddy_region *region, size_t index)
{
    buddy_set_in(region, region->level[0], index);
}

/* A word of level[0] became 0. */
ACRE_INLINE void buddy_summarise_empty(struct acre_buddy_region *region, size_t index)
{
    size_t *word = buddy_summary_of(region, index);
    if (ACRE_UNLIKELY((*word &= buddy_all_but(index >> BUDDY_WORD_LOG2)) == 0))
        acre_buddy_summarise_empty(region, index);
}

ACRE_INLINE void buddy_clear(struct acre_buddy_region *region, size_t index)
{
    size_t *word = &region->level[0][index >> BUDDY_WORD_LOG2];
    if ((*word ^= buddy_bit(index)) == 0)
        buddy_summarise_empty(region, index);
}

/* First set index in the words behind that of `index`, or BUDDY_NO_BIT. O(levels). */
size_t acre_buddy_find_after(const struct acre_buddy_region *region, size_t index);

/* First set index from `index` on, or BUDDY_NO_BIT. O(levels). */
ACRE_INLINE size_t buddy_find(const struct acre_buddy_region *region, size_t index)
{
    size_t word = region->level[0][index >> BUDDY_WORD_LOG2] >> (index % BUDDY_WORD_BITS);
    if (word != 0)
        return index + acre_bits_lowest(word);
    return acre_buddy_find_after(region, index);
}

/* Highest order of which a region has a free block; BUDDY_NONE when it has none. O(orders). */
unsigned acre_buddy_highest(const struct acre_buddy_region *region);

/* ---- regions ---- */

/* The region that has a block, or null. O(regions). */
struct acre_buddy_region *acre_buddy_region_of(const struct acre_buddy *buddy, uintptr_t block);

/* Makes a region the one last worked in; null: none. O(1). */
void acre_buddy_look_at(struct acre_buddy *buddy, struct acre_buddy_region *region);

/* Whether a region's levels and states lie where its count wants them, inside its metadata. */
bool acre_buddy_is_laid(const struct acre_buddy_region *region);

/* ---- live blocks ---- */

/* A live block, found. */
struct buddy_found {
    struct acre_buddy_region *region; /* null: the position is no live block's start */
    uintptr_t block;
    unsigned order;
};

/* The validator: the live block that starts at a position. Reads nothing at it. O(1), or O(regions)
 * outside the region last worked in. */
struct buddy_found acre_buddy_find_live(const struct acre_buddy *buddy, uintptr_t pos);

ACRE_INLINE unsigned char *buddy_state_of(const struct acre_buddy_region *region, uintptr_t block)
{
    return &region->states[(block >> 1) - (region->first >> 1)];
}

/* Order of the live block that starts at a block of the region; BUDDY_NONE when none does. */
ACRE_INLINE unsigned buddy_live_order(const struct acre_buddy_region *region, uintptr_t block)
{
    unsigned state = *buddy_state_of(region, block);
    if ((block & 1) != 0)
        return (state & BUDDY_LIVE_ODD) != 0 ? 0 : BUDDY_NONE;
    return (state & BUDDY_LIVE_EVEN) != 0 ? state & BUDDY_ORDER : BUDDY_NONE;
}

/* Marks a live block's start, or unmarks it. */
ACRE_INLINE void buddy_mark(struct acre_buddy_region *region, uintptr_t block, unsigned order)
{
    unsigned bits = (block & 1) != 0 ? BUDDY_LIVE_ODD : BUDDY_LIVE_EVEN | order;
    *buddy_state_of(region, block) |= (unsigned char)bits;
}

ACRE_INLINE void buddy_unmark(struct acre_buddy_region *region, uintptr_t block)
{
    *buddy_state_of(region, block) &=
        (block & 1) != 0 ? BUDDY_LIVE_EVEN | BUDDY_ORDER : BUDDY_LIVE_ODD;
}

/* Accounts for `had` smallest blocks in use that are now `has`. */
void acre_buddy_account(struct acre_buddy *buddy, size_t had, size_t has);

/* ---- any blocks ---- */

/* What lies at a block that nothing before it reaches into. */
struct buddy_seen {
    bool live;
    bool shelved;
    unsigned order; /* BUDDY_NONE: neither a live, a free nor a shelved block starts here */
};

/* O(orders) for what is not live. */
struct buddy_seen acre_buddy_look(
    const struct acre_buddy *buddy, const struct acre_buddy_region *region, uintptr_t block);

/* ---- free blocks ---- */

/* The rest of a release that has come to the edge of a region which another one adjoins. */
void acre_buddy_release_across(struct acre_buddy *buddy, uintptr_t block, unsigned order);

/* acre_buddy_release() where the block's region is known; `at` is the block's number >> order. */
ACRE_INLINE void buddy_release_in(
    struct acre_buddy *buddy, struct acre_buddy_region *region, uintptr_t at, size_t order)
{
    size_t *words = region->level[0];
    uintptr_t limit = region->limit >> order;
    size_t lead = buddy_lead(region, order) - limit;
    for (;;) {
        size_t index = lead + (at ^ 1);
        size_t word = words[index >> BUDDY_WORD_LOG2];
        if ((word >> (index % BUDDY_WORD_BITS) & 1) == 0)
            break;
        word &= buddy_all_but(index);
        words[index >> BUDDY_WORD_LOG2] = word;
        if (word == 0)
            buddy_summarise_empty(region, index);
        lead += BUDDY_GAP + limit;
        limit >>= 1;
        lead -= limit;
        at >>= 1;
    }
    if (ACRE_UNLIKELY(region->seam)) {
        /* Back out of buddy_lead(), so that the loop need not count. */
        order = (lead + limit - buddy_lead(region, 0)) / BUDDY_GAP;
        if (!buddy_contains(region, (at ^ 1) << order)) {
            acre_buddy_release_across(buddy, at << order, (unsigned)order);
            return;
        }
    }
    buddy_set_in(region, words, lead + at);
}

/* Makes a block free and merges it with its buddies as far as they are free. O(log n), and
 * O(regions) at a seam. */
void acre_buddy_release(struct acre_buddy *buddy, uintptr_t block, unsigned order);

/* Makes the blocks in [from, to) free, in pieces as large as alignment lets them be. */
void acre_buddy_release_range(struct acre_buddy *buddy, uintptr_t from, uintptr_t to);

/* Cuts a block that is in no set down to `order`: the upper halves become free. */
void acre_buddy_split(struct acre_buddy *buddy, struct acre_buddy_region *region, uintptr_t block,
    unsigned from, unsigned order);

/* Merges all that lies on the shelves. O(shelved blocks * log n). */
void acre_buddy_flush_quick(struct acre_buddy *buddy);

/* One more than the highest order that could be had, were the shelves merged; 0: nothing could.
 * O(shelved blocks squared * orders), which is bounded, and O(regions). */
unsigned acre_buddy_best_order(const struct acre_buddy *buddy);

#endif
