/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Bitmap allocator: metadata of a range, invariants, and what its files share.
 *
 *   metadata of one range, in its first pages or apart:
 *
 *   | struct range | words | leaves | marks | nodes: level 1 | level 2 ... |
 *
 *   words: a bit a page, 1 = free; leaves: 8 bytes a chunk
 *
 *   level 2   [            node: (start, longest, end) of 64 chunks            ]
 *   level 1   [ 8 chunks ][ 8 chunks ] ...
 *   level 0   [leaf][leaf] ...            a leaf is the summary of a chunk = 512 pages = 8 words
 *   words     [64 64 64 64 64 64 64 64] ...
 *
 * Invariants; in brackets the cost of keeping each:
 *   BITMAP-1  ranges are in ascending order, and no two share a position [add: O(ranges)]
 *   BITMAP-2  the bits behind a range's last page are 0 [once, when added]
 *   BITMAP-3  `free` is the number of set bits [one add a call]
 *   BITMAP-4  no page below `low` is free [one compare a call]
 *   BITMAP-5  a leaf is the summary of its chunk [a run's length, or 8 words]
 *   BITMAP-6  a node is the joint of its children, the active chunk as it was [8 joins a level]
 *   BITMAP-7  the counts of the allocator are the sums over its ranges [one add a call]
 *   BITMAP-8  a chunk is marked just when it has a free page, a word of marks when it is not 0
 *             [one bit a level, when a chunk's last page goes or its first comes back]
 *
 * The active chunk is the one whose leaf has changed last. The nodes over it are brought up to date
 * when another chunk's leaf changes or a search for a run begins, unless the leaf is by then what
 * it was.
 */
#ifndef ACRE_SRC_BITMAP_PRIVATE_H
#define ACRE_SRC_BITMAP_PRIVATE_H

#include "base/arith.h"
#include "bitmap/words.h"

#include <acre/bitmap.h>

#define ACRE_BITMAP_CHUNK_LOG2 9u
#define ACRE_BITMAP_CHUNK_PAGES ((size_t)1 << ACRE_BITMAP_CHUNK_LOG2)
#define ACRE_BITMAP_CHUNK_WORDS (ACRE_BITMAP_CHUNK_PAGES / ACRE_BITMAP_WORD_BITS)
#define ACRE_BITMAP_FANOUT_LOG2 3u
#define ACRE_BITMAP_FANOUT ((size_t)1 << ACRE_BITMAP_FANOUT_LOG2)

/** Levels of nodes that a size_t of pages can need: log8 of the number of chunks, rounded up. */
#define ACRE_BITMAP_NODE_LEVELS                                                                    \
    ((sizeof(size_t) * 8 - ACRE_BITMAP_CHUNK_LOG2 + ACRE_BITMAP_FANOUT_LOG2 - 1) /                 \
        ACRE_BITMAP_FANOUT_LOG2)

/** Levels of marks that a size_t of pages can need: log64 of the number of chunks, rounded up, at
 * least 1. */
#define ACRE_BITMAP_MARK_LEVELS                                                                    \
    ((sizeof(size_t) * 8 - ACRE_BITMAP_CHUNK_LOG2 + ACRE_BITMAP_WORD_LOG2 - 1) /                   \
        ACRE_BITMAP_WORD_LOG2)

/** One range of pages and its metadata. */
struct acre_bitmap_range {
    struct acre_bitmap_range *next; /* the range above, or null */
    uintptr_t given_start;          /* what the caller named */
    size_t given_size;              /* bytes at given_start */
    size_t given_meta;              /* bytes of metadata given apart, else 0 */
    uintptr_t first;                /* page number of index 0 */
    size_t pages;                   /* pages managed */
    size_t free;                    /* of them free */
    size_t low;                     /* no page below this index is free */
    size_t active;                  /* chunk that the nodes do not know, or ACRE_BITMAP_NONE */
    uint64_t active_was;            /* its leaf as the nodes know it */
    unsigned top;                   /* level of the root; 0 when there is one chunk */
    unsigned mark_levels;           /* levels of marks in use */
    uint64_t *words;
    uint64_t *leaves;
    uint64_t *marks[ACRE_BITMAP_MARK_LEVELS];
    struct acre_bitmap_run *nodes[ACRE_BITMAP_NODE_LEVELS]; /* [level - 1] */
};

/* A leaf packs a summary of up to 512 pages into 64 bits. */

ACRE_INLINE uint64_t acre_bitmap_leaf_pack(struct acre_bitmap_run run)
{
    return (uint64_t)run.start | (uint64_t)run.longest << 16 | (uint64_t)run.end << 32;
}

ACRE_INLINE struct acre_bitmap_run acre_bitmap_leaf_unpack(uint64_t leaf)
{
    return (struct acre_bitmap_run){ leaf & 0xffff, leaf >> 16 & 0xffff, leaf >> 32 & 0xffff };
}

/** Pages that one node of a level spans when it is whole; the level is below the root's. */
ACRE_INLINE size_t acre_bitmap_span(unsigned level)
{
    return ACRE_BITMAP_CHUNK_PAGES << (level * ACRE_BITMAP_FANOUT_LOG2);
}

/** Chunks that `pages` pages take. */
ACRE_INLINE size_t acre_bitmap_chunks(size_t pages)
{
    return pages / ACRE_BITMAP_CHUNK_PAGES + (pages % ACRE_BITMAP_CHUNK_PAGES != 0);
}

/** Nodes that stand over `nodes` nodes of the level below. */
ACRE_INLINE size_t acre_bitmap_parents(size_t nodes)
{
    return nodes / ACRE_BITMAP_FANOUT + (nodes % ACRE_BITMAP_FANOUT != 0);
}

/** Words of marks that stand over `marks` marks of the level below (level 0: over as many chunks).
 */
ACRE_INLINE size_t acre_bitmap_mark_words(size_t marks)
{
    return marks / ACRE_BITMAP_WORD_BITS + (marks % ACRE_BITMAP_WORD_BITS != 0);
}

/* marks.c */

/** Marks a chunk as having a free page. O(log64(chunks)). */
void acre_bitmap_mark(struct acre_bitmap_range *range, size_t chunk);

/** Marks a chunk as having none. O(log64(chunks)). */
void acre_bitmap_unmark(struct acre_bitmap_range *range, size_t chunk);

/** The lowest marked chunk of a range that has a free page. O(log64(chunks)). */
size_t acre_bitmap_marked_first(const struct acre_bitmap_range *range);

/** True when a chunk has no free page. O(1). */
bool acre_bitmap_chunk_full(const struct acre_bitmap_range *range, size_t chunk);

/** Sets the marks of the chunks over [index, index + count) right. O(count / 512 + log64(chunks)).
 */
void acre_bitmap_remark(struct acre_bitmap_range *range, size_t index, size_t count);

/* tree.c */

/** Lays the metadata of a range out behind its descriptor, all pages free. O(pages / 64). */
void acre_bitmap_tree_make(struct acre_bitmap_range *range);

/** The summary at a place of the tree as stored. O(1). */
struct acre_bitmap_run acre_bitmap_tree_get(
    const struct acre_bitmap_range *range, unsigned level, size_t index);

/** Pages that a node really spans: the last of a level may be cut short. O(1). */
size_t acre_bitmap_tree_width(const struct acre_bitmap_range *range, unsigned level, size_t index);

/** What a node must be, from its children (level 0: from the words). O(8). */
struct acre_bitmap_run acre_bitmap_tree_compute(
    const struct acre_bitmap_range *range, unsigned level, size_t index);

/** As compute, the active chunk being taken as the nodes know it. O(8). */
struct acre_bitmap_run acre_bitmap_tree_compute_settled(
    const struct acre_bitmap_range *range, unsigned level, size_t index);

/** The summary of the whole range, the active chunk's changes in it; stores nothing. O(8 * levels).
 */
struct acre_bitmap_run acre_bitmap_tree_root(const struct acre_bitmap_range *range);

/** Brings the nodes over the active chunk up to date; there is none afterwards. O(8 * levels). */
void acre_bitmap_tree_settle(struct acre_bitmap_range *range);

/** Stores a chunk's leaf; when that changes it the chunk is the active one. O(8 * levels). */
void acre_bitmap_tree_leaf(struct acre_bitmap_range *range, size_t chunk, uint64_t leaf);

/**
 * Brings the summaries over [index, index + count) up to date, all of it having been made free or
 * used. O(count / 512 + 8 * levels).
 */
void acre_bitmap_tree_update(
    struct acre_bitmap_range *range, size_t index, size_t count, bool free);

/**
 * The first place in a settled range where what is wanted fits, or ACRE_BITMAP_NONE.
 * O(8 * levels); an alignment above 1 adds a step for every run that is long enough and misses it.
 */
size_t acre_bitmap_tree_find(
    const struct acre_bitmap_range *range, const struct acre_bitmap_want *want);

/* span.c: runs that may cross from one range into an adjoining one. Positions are page numbers. */

/** The range that owns a page, or null. O(ranges). */
struct acre_bitmap_range *acre_bitmap_range_of(const struct acre_bitmap *self, uintptr_t page);

/** True when the range above begins where this one ends. O(1). */
bool acre_bitmap_adjoins(const struct acre_bitmap_range *range);

/** True when all pages of the span are owned, and free or in use as asked. O(count / 64 + ranges).
 */
bool acre_bitmap_span_is(const struct acre_bitmap *self, uintptr_t page, size_t count, bool free);

/** Makes a span that acre_bitmap_span_is found fit free or used. O(count / 64 + ranges * levels).
 */
void acre_bitmap_span_set(struct acre_bitmap *self, uintptr_t page, size_t count, bool free);

/** The lowest page number at or above `from` where the run fits; false when there is none. */
bool acre_bitmap_span_find(
    struct acre_bitmap *self, size_t count, size_t align, uintptr_t from, uintptr_t *page);

/** The longest free run, seams included, in pages. O(ranges * levels). */
size_t acre_bitmap_span_longest(const struct acre_bitmap *self);

#endif
