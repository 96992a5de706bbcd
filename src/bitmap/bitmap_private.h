/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Bitmap allocator: metadata of a range, invariants, and what its files share.
 *
 *   metadata of one range, in its first pages or apart:
 *
 *   | struct range, a pointer a level of nodes | words | leaves | groups | marks | lates | nodes:
 * level 2 | level 3 ... |
 *
 *   words: a bit a page, 1 = free; leaves: 8 bytes a chunk; groups: 24 bytes; marks, lates: sets
 *
 *   level 2   [            node: (start, longest, end) of 8 groups             ]
 *   level 1   [ group: its words with a free page; its words that are late; (start, longest, end) ]
 *   level 0   [leaf][leaf] ...            a leaf is the summary of a chunk = 512 pages = 8 words
 *   words     [64 64 64 64 64 64 64 64] ...            a group is 8 chunks = 64 words = 4096 pages
 *
 * Single pages and short runs change words and the group's first two fields only; the chunk is late
 * from then on, and its leaf, its group's run and the nodes above are brought up to date when a run
 * is searched for, or when more than `late_limit` groups of the range would be late.
 *
 * The hand is the word of the lowest free page. It is there only after a single page was asked for.
 *
 * Invariants; in brackets the cost of keeping each:
 *   BITMAP-1  ranges are in ascending order, and no two share a position [add: O(ranges)]
 *   BITMAP-2  the bits behind a range's last page are 0 [once, when added]
 *   BITMAP-3  peak - room is the number of pages in use [one subtraction or addition a call]
 *   BITMAP-4  no page below the hand's word is free, that word has one, and its chunk is late
 *             [one compare a call]
 *   BITMAP-5  a leaf is the summary of its chunk unless the chunk is late [8 words a chunk]
 *   BITMAP-6  a node is the joint of its children as they are stored, a group not in `lates` too
 *             [8 joins a level]
 *   BITMAP-7  what was given is the sum over the ranges [one add a call]
 *   BITMAP-8  a group's words are those with a free page, and it is marked just when it has one
 *             [one bit a call; one bit a level when the last page goes or the first comes back]
 *   BITMAP-9  a late chunk lies in a group that has a free page and is in `lates`, which are
 *             `late_count`, at most `late_limit` [one test a call]
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

#define ACRE_BITMAP_GROUP_LOG2 (ACRE_BITMAP_CHUNK_LOG2 + ACRE_BITMAP_FANOUT_LOG2)
#define ACRE_BITMAP_GROUP_PAGES ((size_t)1 << ACRE_BITMAP_GROUP_LOG2)

/** Levels of a set of groups that a size_t of pages can need: log64 of the number of groups,
 * rounded up. */
#define ACRE_BITMAP_SET_LEVELS                                                                     \
    ((sizeof(size_t) * 8 - ACRE_BITMAP_GROUP_LOG2 + ACRE_BITMAP_WORD_LOG2 - 1) /                   \
        ACRE_BITMAP_WORD_LOG2)

/** A set of groups: a bit each, one bit a word of such bits that is not 0, and so on up to a single
 * word. */
struct acre_bitmap_set {
    size_t size;     /* groups that there are */
    unsigned levels; /* in use, at least 1 */
    uint64_t *bits[ACRE_BITMAP_SET_LEVELS];
};

/** 8 chunks that follow one another; the last group of a range may have fewer. */
struct acre_bitmap_group {
    uint64_t words; /* bit w: word w of the group has a free page */
    uint64_t late;  /* bit w: word w's chunk is late; the 8 bits of a chunk are alike */
    uint64_t run;   /* summary, packed as a leaf is */
};

_Static_assert(ACRE_BITMAP_FANOUT *ACRE_BITMAP_CHUNK_WORDS == ACRE_BITMAP_WORD_BITS,
    "a group's words are the bits of a word");

/** One range of pages and its metadata. */
struct acre_bitmap_range {
    struct acre_bitmap_range *next; /* the range above, or null */
    uintptr_t given_start;          /* what the caller named */
    size_t given_size;              /* bytes at given_start */
    size_t given_meta;              /* bytes of metadata given apart, else 0 */
    uintptr_t first;                /* page number of index 0 */
    size_t pages;                   /* pages managed */
    size_t late_count;              /* groups in `lates` */
    size_t late_next; /* group from which on the next to be brought up to date is sought */
    unsigned top;     /* level of the root, at least 1 */
    uint64_t *words;
    uint64_t *leaves;
    struct acre_bitmap_group *groups;
    struct acre_bitmap_set marks;    /* groups with a free page */
    struct acre_bitmap_set lates;    /* groups whose run, or a leaf in them, may be out of date */
    struct acre_bitmap_run *nodes[]; /* [level - 2], as many as there are such levels */
};

/* A leaf, and the run of a group, packs a summary of up to 4096 pages into 64 bits. */

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

/** Words of a set's level that stand over `count` bits or groups below. */
ACRE_INLINE size_t acre_bitmap_set_words(size_t count)
{
    return count / ACRE_BITMAP_WORD_BITS + (count % ACRE_BITMAP_WORD_BITS != 0);
}

/** Groups that the pages of a range take. */
ACRE_INLINE size_t acre_bitmap_groups(const struct acre_bitmap_range *range)
{
    return acre_bitmap_parents(acre_bitmap_chunks(range->pages));
}

/** The bits that stand for a chunk in a group's `late`, and for its words in the group's `words`;
 * `word` is one of the chunk's words. */
ACRE_INLINE uint64_t acre_bitmap_chunk_bits(size_t word)
{
    return (uint64_t)0xff << (word & (ACRE_BITMAP_WORD_BITS - ACRE_BITMAP_CHUNK_WORDS));
}

/* set.c: all O(log64(groups)) */

void acre_bitmap_set_add(struct acre_bitmap_set *set, size_t group);
void acre_bitmap_set_remove(struct acre_bitmap_set *set, size_t group);

/** The lowest member, or ACRE_BITMAP_NONE. */
size_t acre_bitmap_set_first(const struct acre_bitmap_set *set);

/** The lowest member that is not below `from`, or ACRE_BITMAP_NONE. */
size_t acre_bitmap_set_next(const struct acre_bitmap_set *set, size_t from);

ACRE_INLINE bool acre_bitmap_set_has(const struct acre_bitmap_set *set, size_t group)
{
    return set->bits[0][group / ACRE_BITMAP_WORD_BITS] >> group % ACRE_BITMAP_WORD_BITS & 1;
}

/* range.c */

/** Bytes that the descriptor of a range of `pages` pages takes. O(levels). */
size_t acre_bitmap_head_size(size_t pages);

/* tree.c */

/** Lays the metadata of a range out behind its descriptor, all pages free. O(pages / 64). */
void acre_bitmap_tree_make(struct acre_bitmap_range *range);

/** The summary at a place of the tree as stored. O(1). */
struct acre_bitmap_run acre_bitmap_tree_get(
    const struct acre_bitmap_range *range, unsigned level, size_t index);

/** Pages that a node really spans: the last of a level may be cut short. O(1). */
size_t acre_bitmap_tree_width(const struct acre_bitmap_range *range, unsigned level, size_t index);

/** What a node must be, from its children as stored (level 0: from the words). O(8). */
struct acre_bitmap_run acre_bitmap_tree_compute(
    const struct acre_bitmap_range *range, unsigned level, size_t index);

/** Joins a group and the nodes above anew, as far up as that makes a difference. O(8 * levels). */
void acre_bitmap_tree_put_up(struct acre_bitmap_range *range, size_t group);

/**
 * Brings everything over [index, index + count) up to date, all of it having been made free or
 * used; nothing in the range is late. O(count / 64 + 8 * levels).
 */
void acre_bitmap_tree_update(
    struct acre_bitmap_range *range, size_t index, size_t count, bool free);

/**
 * The first place in a range in which nothing is late where what is wanted fits, or
 * ACRE_BITMAP_NONE.
 * O(8 * levels); an alignment above 1 adds a step for every run that is long enough and misses it.
 */
size_t acre_bitmap_tree_find(
    const struct acre_bitmap_range *range, const struct acre_bitmap_want *want);

/* tree_late.c */

/** The summary of the whole range, whatever is late worked out; stores nothing.
 * O(1 + late groups * (64 + 8 * levels)). */
struct acre_bitmap_run acre_bitmap_tree_root(const struct acre_bitmap_range *range);

/** Sums the late chunks of a group up; none is late then. O(64). */
void acre_bitmap_tree_refresh(struct acre_bitmap_range *range, size_t group);

/* late.c */

/** Enters a group among the late ones, for which another one may have to leave.
 * O(log64(groups)), and 64 + 8 * levels when one leaves. */
void acre_bitmap_late_enter(
    struct acre_bitmap *self, struct acre_bitmap_range *range, size_t group);

/** Brings up to date what is late in a range; no more than `most` groups stay late.
 * O(late groups * (64 + 8 * levels)). */
void acre_bitmap_late_settle(
    struct acre_bitmap *self, struct acre_bitmap_range *range, size_t most);

/** Books a group as having no free page, which its words already say. O(log64(groups)). */
void acre_bitmap_group_full(struct acre_bitmap_range *range, size_t group);

/** Sets the fields of the groups over [index, index + count) right, whose words were all made free
 * or used; at most two groups, whose chunks are then late or exact. O(1), and as late_enter. */
void acre_bitmap_late_set(struct acre_bitmap *self, struct acre_bitmap_range *range, size_t index,
    size_t count, bool free);

/* hand.c */

/** Moves the hand to the lowest free page; false when there is none. O(ranges + log64(groups)). */
bool acre_bitmap_hand_find(struct acre_bitmap *self);

/** Moves the hand on when the last page of its word was taken. O(1) within a group, else as find.
 */
void acre_bitmap_hand_on(struct acre_bitmap *self);

/** Takes the hand away. O(1). */
void acre_bitmap_hand_drop(struct acre_bitmap *self);

/** Makes a range, or none, the one in which pages are given back on the short path. O(1). */
void acre_bitmap_front_set(struct acre_bitmap *self, const struct acre_bitmap_range *range);

/** Gives one page back whatever the state. ACRE_NOT_ALLOCATED, nothing changed, when it is free or
 * not owned. O(ranges + log64(groups)), and as late_enter. */
enum acre_status acre_bitmap_hand_give(struct acre_bitmap *self, uintptr_t page);

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
