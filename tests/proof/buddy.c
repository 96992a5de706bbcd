/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claims about buddy's arithmetic: orders, block numbers, indices of free bits, pairs.
 */
#include "buddy/buddy_private.h"

#include "proof/claim.h"

/* An allocator whose smallest block has 2^log2 bytes. */
static struct acre_buddy with_smallest(unsigned log2)
{
    return (struct acre_buddy){
        .mask = ((size_t)1 << log2) - 1, .pair_log2 = log2 + 1, .bias = log2 - 1
    };
}

/* A region of blocks from a number on. */
static struct acre_buddy_region with_blocks(uintptr_t first, size_t count)
{
    return (struct acre_buddy_region){ .first = first, .count = count, .limit = first + 2 * count };
}

#define SMALLEST_IS_VALID(log2) ((log2) >= 3 && (log2) <= ACRE_WORD_BITS - 8)
#define BLOCKS_ARE_VALID(first, count)                                                             \
    ((count) != 0 && (count) <= SIZE_MAX / 64 && (first) <= SIZE_MAX / 64)

/* The order of a request is the lowest whose blocks have its size and its alignment. */
CLAIM(order_is_least, size_t size, unsigned align_log2, unsigned log2)
{
    GIVEN(SMALLEST_IS_VALID(log2) && align_log2 < ACRE_WORD_BITS - 1 && size <= SIZE_MAX / 2 + 1);
    struct acre_buddy buddy = with_smallest(log2);
    size_t align = (size_t)1 << align_log2;
    unsigned order = buddy_order(&buddy, (struct acre_layout){ size, align });
    size_t bytes = buddy_bytes(&buddy, order);
    bool is_least = order == 0 || bytes / 2 < size || bytes / 2 < align;
    return bytes >= size && bytes >= align && is_least;
}

CLAIM(block_from, uintptr_t pos, unsigned log2)
{
    GIVEN(SMALLEST_IS_VALID(log2) && pos <= UINTPTR_MAX / 2);
    struct acre_buddy buddy = with_smallest(log2);
    uintptr_t at = buddy_block_from(&buddy, pos) << log2;
    return at >= pos && at - pos <= buddy.mask;
}

CLAIM(block_after, uintptr_t start, size_t size, unsigned log2)
{
    GIVEN(SMALLEST_IS_VALID(log2) && size != 0 && start <= UINTPTR_MAX / 4 && size <= SIZE_MAX / 4);
    struct acre_buddy buddy = with_smallest(log2);
    uintptr_t end = buddy_block_after(&buddy, start, size) << log2;
    return end <= start + size && start + size - end <= buddy.mask;
}

/* A free bit's index leads back to its block. */
CLAIM(index_and_back, uintptr_t first, size_t count, uintptr_t place, unsigned order)
{
    GIVEN(BLOCKS_ARE_VALID(first, count) && order < ACRE_WORD_BITS - 6 && place < count);
    uintptr_t block = (first + place) >> order << order;
    GIVEN(block >= first);
    struct acre_buddy_region region = with_blocks(first, count);
    return buddy_block_at(&region, buddy_index(&region, block, order), order) == block;
}

/* The last bit of an order lies below the first one of the next order. With indices_ascend this
 * says that no two blocks share a bit. Up to 2^10 blocks and block numbers. */
CLAIM(orders_are_apart, uintptr_t first, size_t count, unsigned order)
{
    GIVEN(count != 0 && count <= 1u << 10 && first <= 1u << 10 && order < 10);
    struct acre_buddy_region region = with_blocks(first, count);
    return buddy_index(&region, first + count - 1, order) < buddy_first_index(&region, order + 1);
}

/* Blocks of one order in the order of their addresses have indices in that order. */
CLAIM(indices_ascend, uintptr_t first, size_t count, uintptr_t one, uintptr_t other, unsigned order)
{
    GIVEN(BLOCKS_ARE_VALID(first, count) && order < ACRE_WORD_BITS - 6);
    GIVEN(one >= first && one <= other && other - first < count);
    struct acre_buddy_region region = with_blocks(first, count);
    size_t between = buddy_index(&region, other, order) - buddy_index(&region, one, order);
    return between == (other >> order) - (one >> order);
}

/* A position has a pair of a region if and only if it lies in there, at an even block. */
CLAIM(pair_is_exact, uintptr_t base, size_t pairs, uintptr_t at, unsigned log2)
{
    GIVEN(SMALLEST_IS_VALID(log2));
    struct acre_buddy buddy = with_smallest(log2);
    GIVEN(pairs != 0 && pairs <= SIZE_MAX >> buddy.pair_log2);
    GIVEN((pairs << buddy.pair_log2) - 1 <= UINTPTR_MAX - base);
    uintptr_t bytes = at - base;
    bool is_inside = at >= base && bytes < pairs << buddy.pair_log2;
    size_t pair = buddy_pair(&buddy, base, at);
    if (!is_inside || (bytes >> buddy.pair_log2) << buddy.pair_log2 != bytes)
        return pair >= pairs;
    return pair == bytes >> buddy.pair_log2;
}

CLAIM(contains, uintptr_t first, size_t count, uintptr_t block)
{
    GIVEN(BLOCKS_ARE_VALID(first, count));
    struct acre_buddy_region region = with_blocks(first, count);
    return buddy_contains(&region, block) == (block >= first && block < first + count);
}
