/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The bitmap allocator: one bit per page, a tree of summaries over the bits, and a search hint for
 * single pages.
 *
 * Idea. A free page is a set bit. A search for a run must not read all bits, so every 512 pages (a
 * chunk) have a leaf, and every 8 leaves or nodes a node: the free run at the start of its pages,
 * the longest free run in them, and the free run at their end. Two summaries join into one in O(1).
 * A search walks the nodes of one level with the run that is open before them, and descends only
 * into a node whose longest run is long enough. (Go's page allocator has a tree of this kind.)
 *
 *   nodes, level 2   [       node: the summaries of 8 groups, joined       ] ...     24 bytes
 *   groups, level 1  [ free_words | dirty | run: 8 leaves, joined ]          ...     24 bytes
 *   leaves, level 0  [leaf][leaf][leaf][leaf][leaf][leaf][leaf][leaf]        ...      8 bytes
 *   words            [64 pages per word]                                     ...      8 bytes
 *
 *   a chunk = 8 words = 512 pages = 1 leaf          a group = 8 chunks = 64 words = 4096 pages
 *
 * The metadata of a range lies in the range's first pages, or where the caller puts it:
 *
 *   | node for the index of regions, of 128 pages or more | struct acre_bitmap_range |
 *   | 1 pointer per level of nodes | words | leaves | groups |
 *   | set of free groups | set of dirty groups | nodes of level 2 | nodes of level 3 | ... |
 *
 * Dirty summaries. Single pages and short runs change the words and the first two fields of a group
 * only. The chunk is dirty from then on: its leaf, the run of its group and the nodes above are
 * stale. A flush sums the dirty chunks up before a run is searched for, or when more than
 * `max_dirty` groups of the range would be dirty. What is allocated does not depend on when
 * summaries are flushed.
 *
 * Search hint. The hint is the word of the lowest free page; alloc takes the word's lowest bit, and
 * the next word comes from the group's free_words, the next group from the set of free groups. The
 * hint exists only after a single page was asked for. While it exists its chunk is dirty, so that
 * the short path of alloc need not mark it.
 *
 * Unlisted page. A page freed below the hint, alone in its word, is likely to be allocated next:
 * its bit is set and its word becomes the hint, and next_hint keeps the hint before. Neither
 * free_words nor a summary knows of the page. Alloc takes it and returns to next_hint; any call
 * that reads or changes more than bits lists the page first. The page has used pages on both sides,
 * so that no run but its own is affected.
 *
 * Cached range. Single pages of the range that a page was freed in last are freed on a short path,
 * while their chunk is dirty. Elsewhere a free that changes no summary leaves the chunk clean; one
 * at the limit of dirty groups updates what stands over its page, and flushes no other group.
 *
 * Invariants; in brackets the cost of keeping each:
 *   BITMAP-1  ranges ascend, no two share a page, and their metadata lies where it was laid out
 *             [add: O(ranges)]
 *   BITMAP-2  the bits after the last page of a range are 0 [once, when the range is added]
 *   BITMAP-3  peak - headroom is the number of pages in use [one addition per call]
 *   BITMAP-4  no page below the hint's word is free, the word has a free page, and its chunk is
 *             dirty; or the hint's page is unlisted, and all of this holds for next_hint and the
 *             pages above the unlisted one [one comparison per call]
 *   BITMAP-5  a leaf is the summary of its chunk, unless the chunk is dirty [8 words per chunk]
 *   BITMAP-6  a node joins its children as stored, and so does a group that is not dirty
 *             [8 joins per level]
 *   BITMAP-7  the totals are the sums over the ranges [one addition per range added]
 *   BITMAP-8  free_words has the words of a group with a free page, and the set of free groups has
 *             the groups with such a word [one bit per call; one bit per level when a group runs
 *             empty]
 *   BITMAP-9  a dirty chunk lies in a group with a free page that is in the set of dirty groups;
 *             the set has dirty_count members, at most max_dirty [one test per call]
 *
 * A small build (ACRE_MAX_POOL) has the words alone: no summaries, no hint, no cached range. A search
 * passes over the words, and no run crosses from one range into an adjoining one (bitmap_small.c).
 *
 * What was tried: see "Bitmap" in docs/decisions.md (size of leaves, exact summaries on every call,
 * limits of dirty groups, deciding alignment while searching).
 *
 * Files, each floor calling only lower ones:
 *   bitmap_ops.c
 *   bitmap.c (alloc, dealloc), bitmap_runs.c (other verbs), bitmap_range.c (settings and ranges),
 *   bitmap_check.c, bitmap_check_tree.c
 *   bitmap_hint.c
 *   bitmap_span.c (runs over all ranges)
 *   bitmap_dirty.c
 *   bitmap_tree.c, bitmap_within.c (search with conditions)
 *   bitmap_layout.c, bitmap_set.c, bitmap_words.c
 */
#ifndef ACRE_SRC_BITMAP_PRIVATE_H
#define ACRE_SRC_BITMAP_PRIVATE_H

#include "base/arith.h"
#include "base/check.h"
#include "base/regions.h"
#include "bitmap/bitmap_words.h"

#include <acre/bitmap.h>

#define BITMAP_CHUNK_LOG2 9u
#define BITMAP_CHUNK_PAGES ((size_t)1 << BITMAP_CHUNK_LOG2)
#define BITMAP_CHUNK_WORDS (BITMAP_CHUNK_PAGES / BITMAP_WORD_BITS)
#define BITMAP_FANOUT_LOG2 3u
#define BITMAP_FANOUT ((size_t)1 << BITMAP_FANOUT_LOG2)

#define BITMAP_GROUP_LOG2 (BITMAP_CHUNK_LOG2 + BITMAP_FANOUT_LOG2)
#define BITMAP_GROUP_PAGES ((size_t)1 << BITMAP_GROUP_LOG2)

/** Levels of a set of groups that a size_t of pages can need: log64 of the number of groups,
 * rounded up. */
#define BITMAP_SET_LEVELS                                                                          \
    ((sizeof(size_t) * 8 - BITMAP_GROUP_LOG2 + BITMAP_WORD_LOG2 - 1) / BITMAP_WORD_LOG2)

/** A set of groups: one bit per group, one bit per word of such bits that is not 0, and so on up to
 * a single word. (Its words have 64 bits on every machine, those of base/bitset.h have not.) */
struct bitmap_set {
    size_t size;     /**< Groups that exist. */
    unsigned levels; /**< Levels in use, at least 1. */
    uint64_t *bits[BITMAP_SET_LEVELS];
};

/** 8 consecutive chunks; the last group of a range may have fewer. */
struct acre_bitmap_group {
    uint64_t free_words; /**< Bit w: word w of the group has a free page. */
    uint64_t dirty; /**< Bit w: the chunk of word w is dirty; the 8 bits of a chunk are equal. */
    uint64_t run;   /**< The summary of the group, packed as a leaf is. */
};

_Static_assert(BITMAP_FANOUT *BITMAP_CHUNK_WORDS == BITMAP_WORD_BITS,
    "a bit of free_words stands for a word of the group");

/** One range of pages and its metadata. */
struct acre_bitmap_range {
    struct acre_region region; /**< As given; of integers when its metadata lies apart. */
    uintptr_t first;           /**< Page number of index 0. */
    size_t pages;              /**< Pages managed. */
    uint64_t *words;
#if ACRE_MAX_POOL == 0
    size_t dirty_count; /**< Groups in dirty_groups. */
    size_t dirty_next;  /**< The group from which on the next one to flush is looked for. */
    unsigned top;       /**< Level of the root, at least 1. */
    uint64_t *leaves;
    struct acre_bitmap_group *groups;
    struct bitmap_set free_groups;  /**< Groups with a free page. */
    struct bitmap_set dirty_groups; /**< Groups whose run, or a leaf of which, may be stale. */
    struct bitmap_run *nodes[];     /**< [level - 2]. */
#endif
};

/** Pages of a range from which on it brings a node for the index of regions. */
#define BITMAP_NODE_LEAST 128u

/** Bytes before the descriptor of a range of `pages` pages. */
ACRE_INLINE size_t bitmap_node_size(size_t pages)
{
    return !ACRE_SMALL && pages >= BITMAP_NODE_LEAST ? sizeof(struct acre_region_node) : 0;
}

/** Where the metadata of a range begins. */
ACRE_INLINE uintptr_t bitmap_metadata_of(const struct acre_bitmap_range *range)
{
    return (uintptr_t)range - bitmap_node_size(range->pages);
}

/** The lowest range, or null. */
ACRE_INLINE struct acre_bitmap_range *bitmap_first_range(const struct acre_bitmap *self)
{
    return (struct acre_bitmap_range *)self->regions.first;
}

/** The range above, or null. */
ACRE_INLINE struct acre_bitmap_range *bitmap_next_range(const struct acre_bitmap_range *range)
{
    return (struct acre_bitmap_range *)range->region.next;
}

/** The range below, or null. */
ACRE_INLINE struct acre_bitmap_range *bitmap_previous_range(const struct acre_bitmap_range *range)
{
    return (struct acre_bitmap_range *)range->region.prev;
}

/** The highest range, or null. O(ranges). */
ACRE_INLINE struct acre_bitmap_range *bitmap_last_range(const struct acre_bitmap *self)
{
    struct acre_bitmap_range *range = bitmap_first_range(self);
    while (range != NULL && bitmap_next_range(range) != NULL)
        range = bitmap_next_range(range);
    return range;
}

/** True when the range above begins where this one ends. */
ACRE_INLINE bool bitmap_adjoins(const struct acre_bitmap_range *range)
{
    const struct acre_bitmap_range *next = bitmap_next_range(range);
    return next != NULL && next->first - range->first == range->pages;
}

/* ---- settings; a zeroed allocator has the default ones ---- */

ACRE_INLINE unsigned bitmap_page_shift(const struct acre_bitmap *self)
{
    _Static_assert(ACRE_BITMAP_PAGE_SIZE == 1 << 12, "the default page size is 2^12");
    return self->is_set_up ? self->page_shift : 12;
}

/* ---- leaves: a summary of up to 4096 pages in 64 bits; the run of a group is one too ---- */

ACRE_INLINE uint64_t bitmap_leaf_pack(struct bitmap_run run)
{
    return (uint64_t)run.start | (uint64_t)run.longest << 16 | (uint64_t)run.end << 32;
}

ACRE_INLINE struct bitmap_run bitmap_leaf_unpack(uint64_t leaf)
{
    return (struct bitmap_run){ leaf & 0xffff, leaf >> 16 & 0xffff, leaf >> 32 & 0xffff };
}

/* ---- numbers of chunks, groups and nodes ---- */

/** log2 of the pages that a whole node of a level spans; the level is below the root's. */
ACRE_INLINE unsigned bitmap_span_log2(unsigned level)
{
    return BITMAP_CHUNK_LOG2 + level * BITMAP_FANOUT_LOG2;
}

/** Pages that a whole node of a level spans; the level is below the root's. */
ACRE_INLINE size_t bitmap_span(unsigned level)
{
    return (size_t)1 << bitmap_span_log2(level);
}

/** Chunks that `pages` pages take. */
ACRE_INLINE size_t bitmap_chunks(size_t pages)
{
    return pages / BITMAP_CHUNK_PAGES + (pages % BITMAP_CHUNK_PAGES != 0);
}

/** Nodes that stand over `nodes` nodes of the level below. */
ACRE_INLINE size_t bitmap_parents(size_t nodes)
{
    return nodes / BITMAP_FANOUT + (nodes % BITMAP_FANOUT != 0);
}

/** Words of a level of a set that stand over `count` bits or groups below. */
ACRE_INLINE size_t bitmap_set_words(size_t count)
{
    return count / BITMAP_WORD_BITS + (count % BITMAP_WORD_BITS != 0);
}

/** Groups that the pages of a range take. */
ACRE_INLINE size_t bitmap_groups(const struct acre_bitmap_range *range)
{
    return bitmap_parents(bitmap_chunks(range->pages));
}

/** The bits of a group's `dirty` and `free_words` that stand for the chunk of a word. */
ACRE_INLINE uint64_t bitmap_chunk_bits(size_t word)
{
    return acre_shift_left(0xff, word & (BITMAP_WORD_BITS - BITMAP_CHUNK_WORDS));
}

#if ACRE_MAX_POOL == 0

/* ---- the search hint, and the range in which single pages are freed on the short path ---- */

/** Forgets the hint, whose page is listed. */
ACRE_INLINE void bitmap_clear_hint(struct acre_bitmap *self)
{
    ACRE_ASSERT(self->next_hint == NULL);
    self->hint = NULL;
    self->hint_range = NULL;
    self->hint_at = 0;
    self->free_from = 0;
    self->align_limit = 0;
}

/** Caches a range, or none. */
ACRE_INLINE void bitmap_cache_range(struct acre_bitmap *self, const struct acre_bitmap_range *range)
{
    self->cached_start = range != NULL ? range->first << self->page_shift : 0;
    self->cached_pages = range != NULL ? range->pages : 0;
    self->cached_words = range != NULL ? range->words : NULL;
    self->cached_groups = range != NULL ? range->groups : NULL;
}

/* ---- bitmap_set.c: all O(log64(groups)) ---- */

void acre_bitmap_set_add(struct bitmap_set *set, size_t group);
void acre_bitmap_set_remove(struct bitmap_set *set, size_t group);

/** The lowest member, or BITMAP_NONE. */
size_t acre_bitmap_set_first(const struct bitmap_set *set);

/** The lowest member that is not below `from`, or BITMAP_NONE. */
size_t acre_bitmap_set_next(const struct bitmap_set *set, size_t from);

ACRE_INLINE bool bitmap_set_has(const struct bitmap_set *set, size_t group)
{
    return acre_wide_has(set->bits[0][group / BITMAP_WORD_BITS], group);
}

/* ---- bitmap_layout.c ---- */

/** Lays out the metadata of a range after its descriptor, whose `pages` is set; all of it is 0.
 * O(pages / 64). */
void acre_bitmap_layout(struct acre_bitmap_range *range);

/* ---- bitmap_tree.c ---- */

/** The summary of a node as stored. O(1). */
struct bitmap_run acre_bitmap_tree_get(
    const struct acre_bitmap_range *range, unsigned level, size_t index);

/** Pages that a node really spans: the last node of a level may be cut short. O(1). */
size_t acre_bitmap_tree_width(const struct acre_bitmap_range *range, unsigned level, size_t index);

/** The summary that a node must have, from its children as stored or, level 0, its words. O(8). */
struct bitmap_run acre_bitmap_tree_compute(
    const struct acre_bitmap_range *range, unsigned level, size_t index);

/** Recomputes a group and the nodes above it, as far up as they change. O(8 * levels). */
void acre_bitmap_tree_update_group(struct acre_bitmap_range *range, size_t group);

/**
 * Updates all that stands over [index, index + count), whose words were all made free or used; the
 * range has no dirty group. O(count / 64 + 8 * levels).
 */
void acre_bitmap_tree_update(
    struct acre_bitmap_range *range, size_t index, size_t count, bool free);

/**
 * The first place that fits in a range without dirty groups, or BITMAP_NONE. The caller has seen
 * that the root's run is long enough.
 * O(8 * levels); an alignment above 1 adds a step per run that is long enough and misaligned.
 */
size_t acre_bitmap_tree_find(const struct acre_bitmap_range *range, const struct bitmap_want *want);

/* ---- bitmap_within.c ---- */

/**
 * The first place, or the last one, in a range without dirty groups where a request with conditions
 * fits, or BITMAP_NONE. O(8 * levels), and as much for every run that is long enough, lies at least
 * in part within the limits and misses a condition.
 */
size_t acre_bitmap_tree_find_within(
    const struct acre_bitmap_range *range, const struct bitmap_limits *limits);

/* ---- bitmap_dirty.c ---- */

/** Makes a group dirty, for which another one may have to be flushed.
 * O(log64(groups)); 64 + 8 * levels when one is flushed. */
void acre_bitmap_dirty_add(struct acre_bitmap *self, struct acre_bitmap_range *range, size_t group);

/** Flushes dirty groups of a range until at most `most` are left.
 * O(dirty groups * (64 + 8 * levels)). */
void acre_bitmap_flush(struct acre_bitmap *self, struct acre_bitmap_range *range, size_t most);

/** Sums up the dirty chunks of a group. O(64). */
void acre_bitmap_sum_up(struct acre_bitmap_range *range, size_t group);

/** Notes that a group has no free page left, as its words already say. O(log64(groups)). */
void acre_bitmap_set_group_full(struct acre_bitmap_range *range, size_t group);

/** The same for the hint's group. It is the cheapest one to flush, where the next hint's group may
 * have to become dirty and as many are as may be; the hint then goes. O(8 * levels). */
void acre_bitmap_leave_group(
    struct acre_bitmap *self, struct acre_bitmap_range *range, size_t group);

/** Updates the groups over [index, index + count), at most two, whose words were all made free or
 * used. O(1), and as acre_bitmap_dirty_add. */
void acre_bitmap_dirty_update(struct acre_bitmap *self, struct acre_bitmap_range *range,
    size_t index, size_t count, bool free);

/** Frees the page at `index` and keeps every summary exact, without a further dirty group: where
 * as many are dirty as may be, and the page's own is neither dirty nor full. False, nothing
 * changed, elsewhere. O(8 * levels). */
bool acre_bitmap_free_clean(
    const struct acre_bitmap *self, struct acre_bitmap_range *range, size_t index);

/** Notes that a word has a free page. */
ACRE_INLINE void bitmap_add_free_word(struct acre_bitmap_range *range, size_t word)
{
    range->groups[word / BITMAP_WORD_BITS].free_words |= acre_wide_bit(word);
}

/** The same, and its chunk becomes dirty. A full group becomes dirty as a whole: its next page is
 * then freed on the short path, and one test sums up a chunk without a free page.
 * O(log64(groups)), and as acre_bitmap_dirty_add. */
void acre_bitmap_list_word(struct acre_bitmap *self, struct acre_bitmap_range *range, size_t word);

/** Lists the unlisted page. O(log64(groups)), and as acre_bitmap_dirty_add. */
void acre_bitmap_list_page(struct acre_bitmap *self);

/** Lists the unlisted page, if there is one. */
ACRE_INLINE void bitmap_list_any(struct acre_bitmap *self)
{
    if (ACRE_UNLIKELY(self->next_hint != NULL))
        acre_bitmap_list_page(self);
}

/* ---- bitmap_hint.c ---- */

/** Sets the hint to the word of the lowest free page; false when no page is free.
 * O(ranges + log64(groups)). */
bool acre_bitmap_find_hint(struct acre_bitmap *self);

/** Moves the hint on, the last page of its word having been taken, but not counted. O(1) within a
 * group, else as acre_bitmap_find_hint. */
void acre_bitmap_advance_hint(struct acre_bitmap *self);

/** Frees one page in any state of the allocator. ACRE_NOT_ALLOCATED, nothing changed, when the page
 * is free or not owned. O(log64(groups)), and as acre_bitmap_dirty_add. */
enum acre_status acre_bitmap_free_page(struct acre_bitmap *self, uintptr_t page);

/** Groups per range that may be dirty; 0: not set yet. */
ACRE_INLINE size_t bitmap_dirty_limit(const struct acre_bitmap *self)
{
    return self->max_dirty;
}

ACRE_INLINE void bitmap_set_dirty_limit(struct acre_bitmap *self, size_t groups)
{
    self->max_dirty = groups;
}

/** Forgets that a page is not listed, before all are made free. */
ACRE_INLINE void bitmap_forget_unlisted(struct acre_bitmap *self)
{
    self->next_hint = NULL;
}

/** For the checker: whether the tree, the sets and the hint hold what BITMAP-4 to BITMAP-6,
 * BITMAP-8 and BITMAP-9 say; in a range, and over all ranges. */
struct acre_check_result acre_bitmap_check_tree(
    const struct acre_bitmap *self, const struct acre_bitmap_range *range);
struct acre_check_result acre_bitmap_check_hint(const struct acre_bitmap *self);

/** Words of a range. */
ACRE_INLINE size_t bitmap_words(const struct acre_bitmap_range *range)
{
    return bitmap_chunks(range->pages) * BITMAP_CHUNK_WORDS;
}

#else
#include "bitmap/bitmap_small.h"
#endif

/* ---- bitmap_tree.c, bitmap_dirty.c, or bitmap_small.c ---- */

/** Lays out a range and makes all its pages free. O(pages / 64). */
void acre_bitmap_tree_make(struct acre_bitmap_range *range);

/** The summary of the whole range, as if it were flushed; changes nothing.
 * O(1 + dirty groups * (64 + 8 * levels)). */
struct bitmap_run acre_bitmap_range_summary(const struct acre_bitmap_range *range);

/* ---- bitmap_span.c, bitmap_small.c: runs, also across adjoining ranges ---- */

/** The range that owns a page, or null. O(levels of the index); O(ranges) in a small build. */
struct acre_bitmap_range *acre_bitmap_range_of(const struct acre_bitmap *self, uintptr_t page);

/** True when the parts of a range's metadata lie where its number of pages wants them. O(levels). */
bool acre_bitmap_has_sound_layout(const struct acre_bitmap_range *range);

/** True when all pages of the run are owned and free, or owned and in use.
 * O(count / 64). */
bool acre_bitmap_span_is(const struct acre_bitmap *self, uintptr_t page, size_t count, bool free);

/** Makes a run that acre_bitmap_span_is has found fit free or used.
 * O(count / 64 + ranges * levels). */
void acre_bitmap_span_set(struct acre_bitmap *self, uintptr_t page, size_t count, bool free);

/** The lowest page number at or above `from` where the run fits; false when there is none. */
bool acre_bitmap_span_find(
    struct acre_bitmap *self, size_t count, size_t align, uintptr_t from, uintptr_t *page);

/** What a run must meet, by page number; contradictions were found before. */
struct bitmap_request {
    size_t count;     /**< Pages, at least 1. */
    size_t align;     /**< Pages, a power of two. */
    size_t phase;     /**< Pages, less than align. */
    size_t boundary;  /**< Pages, a power of two, at least phase % boundary + count; or 0. */
    uintptr_t lowest; /**< The first page number that the run may have. */
    uintptr_t last;   /**< The last one, not below lowest. */
    bool top_down;    /**< The highest run is wanted, not the lowest. */
};

/** The lowest run, or the highest one, that meets the request; false when there is none.
 * O(ranges), and as acre_bitmap_tree_find_within per range within the limits. */
bool acre_bitmap_span_find_within(
    struct acre_bitmap *self, const struct bitmap_request *request, uintptr_t *page);

/** The longest free run in pages, across adjoining ranges. O(ranges * levels). */
size_t acre_bitmap_span_longest(const struct acre_bitmap *self);

/* ---- results ---- */

/** The result of a request that is refused. */
ACRE_INLINE struct acre_num bitmap_refuse(enum acre_status status)
{
    return (struct acre_num){ 0, status };
}

/** The same for lack of memory, which is counted. */
ACRE_INLINE struct acre_num bitmap_no_memory(struct acre_bitmap *self)
{
    self->failed++;
    return bitmap_refuse(ACRE_NO_MEMORY);
}

/** Counts `count` pages from `page` on as in use. O(1). */
ACRE_INLINE struct acre_num bitmap_count_used(
    struct acre_bitmap *self, uintptr_t page, size_t count)
{
    if (count > self->headroom) {
        self->peak += count - self->headroom;
        self->headroom = count;
    }
    self->headroom -= count;
    ACRE_ASSERT(self->headroom < self->peak); /* BITMAP-3 */
    return (struct acre_num){ page << self->page_shift, ACRE_OK };
}

#endif
