/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The summary tree of one range: layout, upkeep, search.
 */
#include "bitmap/bitmap_private.h"

#include "base/memory.h"

/** Pages that the node of a level at page `pos` really spans. */
ACRE_INLINE size_t width_at(const struct acre_bitmap_range *range, unsigned level, size_t pos)
{
    size_t left = range->pages - pos;
    size_t span;

    if (level == range->top)
        return left;
    span = acre_bitmap_span(level);
    return left < span ? left : span;
}

size_t acre_bitmap_tree_width(const struct acre_bitmap_range *range, unsigned level, size_t index)
{
    return width_at(range, level, level == range->top ? 0 : index * acre_bitmap_span(level));
}

struct acre_bitmap_run acre_bitmap_tree_get(
    const struct acre_bitmap_range *range, unsigned level, size_t index)
{
    if (level == 0)
        return acre_bitmap_leaf_unpack(range->leaves[index]);
    return range->nodes[level - 1][index];
}

/** Stores a summary; false when it was there already. */
static bool put(
    struct acre_bitmap_range *range, unsigned level, size_t index, struct acre_bitmap_run run)
{
    if (acre_bitmap_run_equal(run, acre_bitmap_tree_get(range, level, index)))
        return false;
    if (level == 0)
        range->leaves[index] = acre_bitmap_leaf_pack(run);
    else
        range->nodes[level - 1][index] = run;
    return true;
}

/** The joint of a node's children, child `other` being taken as `instead`. At most 8 steps. */
ACRE_INLINE struct acre_bitmap_run join(const struct acre_bitmap_range *range, unsigned below,
    size_t width, size_t child, size_t other, struct acre_bitmap_run instead)
{
    size_t span = acre_bitmap_span(below);
    struct acre_bitmap_run run = { 0, 0, 0 };
    size_t at = 0;

    for (;; at += span, child++) {
        struct acre_bitmap_run next =
            child == other ? instead : acre_bitmap_tree_get(range, below, child);

        if (width - at <= span)
            return acre_bitmap_run_join(run, at, next, width - at);
        run = acre_bitmap_run_join(run, at, next, span);
    }
}

/** join, for a node by level and index; level is not 0. */
static struct acre_bitmap_run join_children(const struct acre_bitmap_range *range, unsigned level,
    size_t index, size_t other, struct acre_bitmap_run instead)
{
    size_t width = acre_bitmap_tree_width(range, level, index);
    size_t child = index * ACRE_BITMAP_FANOUT;

    return join(range, level - 1, width, child, other, instead);
}

struct acre_bitmap_run acre_bitmap_tree_compute(
    const struct acre_bitmap_range *range, unsigned level, size_t index)
{
    if (level == 0)
        return acre_bitmap_words_summary(&range->words[index * ACRE_BITMAP_CHUNK_WORDS],
            acre_bitmap_tree_width(range, 0, index));
    return join_children(
        range, level, index, ACRE_BITMAP_NONE, (struct acre_bitmap_run){ 0, 0, 0 });
}

struct acre_bitmap_run acre_bitmap_tree_compute_settled(
    const struct acre_bitmap_range *range, unsigned level, size_t index)
{
    if (level != 1)
        return acre_bitmap_tree_compute(range, level, index);
    return join_children(
        range, 1, index, range->active, acre_bitmap_leaf_unpack(range->active_was));
}

struct acre_bitmap_run acre_bitmap_tree_root(const struct acre_bitmap_range *range)
{
    size_t index = range->active;
    struct acre_bitmap_run run;
    unsigned level;

    if (index == ACRE_BITMAP_NONE)
        return acre_bitmap_tree_get(range, range->top, 0);
    run = acre_bitmap_leaf_unpack(range->leaves[index]);
    for (level = 1; level <= range->top; level++) {
        run = join_children(range, level, index / ACRE_BITMAP_FANOUT, index, run);
        index /= ACRE_BITMAP_FANOUT;
    }
    return run;
}

/** What a node is after [index, index + count) was made free or used: known at once when it lies
 * inside. */
static struct acre_bitmap_run after_set(const struct acre_bitmap_range *range, unsigned level,
    size_t node, size_t index, size_t count, bool free)
{
    size_t width = acre_bitmap_tree_width(range, level, node);
    size_t start = level == range->top ? 0 : node * acre_bitmap_span(level);

    if (start >= index && count >= width && start - index <= count - width)
        return acre_bitmap_run_free(free ? width : 0);
    return acre_bitmap_tree_compute(range, level, node);
}

void acre_bitmap_tree_update(struct acre_bitmap_range *range, size_t index, size_t count, bool free)
{
    size_t low = index / ACRE_BITMAP_CHUNK_PAGES;
    size_t high = (index + count - 1) / ACRE_BITMAP_CHUNK_PAGES;
    bool changed = true;
    unsigned level;

    acre_bitmap_tree_settle(range);
    for (level = 0; level <= range->top && changed; level++) {
        size_t node;

        changed = false;
        for (node = low; node <= high; node++)
            changed |= put(range, level, node, after_set(range, level, node, index, count, free));
        low /= ACRE_BITMAP_FANOUT;
        high /= ACRE_BITMAP_FANOUT;
    }
}

/** Joins anew the nodes over a chunk whose leaf has changed, as far up as that makes a difference.
 */
static ACRE_NOINLINE void join_upward(struct acre_bitmap_range *range, size_t index)
{
    bool changed = true;
    unsigned level;

    for (level = 1; level <= range->top && changed; level++) {
        index /= ACRE_BITMAP_FANOUT;
        changed = put(range, level, index, acre_bitmap_tree_compute(range, level, index));
    }
}

void acre_bitmap_tree_settle(struct acre_bitmap_range *range)
{
    size_t chunk = range->active;

    if (chunk == ACRE_BITMAP_NONE)
        return;
    range->active = ACRE_BITMAP_NONE;
    if (range->leaves[chunk] != range->active_was)
        join_upward(range, chunk);
}

void acre_bitmap_tree_leaf(struct acre_bitmap_range *range, size_t chunk, uint64_t leaf)
{
    if (leaf == range->leaves[chunk])
        return;
    if (chunk != range->active) {
        acre_bitmap_tree_settle(range);
        range->active = chunk;
        range->active_was = range->leaves[chunk];
    }
    range->leaves[chunk] = leaf;
}

/** Lays the levels of marks out from `at` on; the word behind them. */
static uint64_t *lay_marks(struct acre_bitmap_range *range, uint64_t *at)
{
    size_t marks = acre_bitmap_chunks(range->pages);

    range->mark_levels = 0;
    do {
        marks = acre_bitmap_mark_words(marks);
        range->marks[range->mark_levels++] = at;
        at += marks;
    } while (marks > 1);
    return at;
}

/** Lays the levels of nodes out from `at` on. */
static void lay_nodes(struct acre_bitmap_range *range, void *at)
{
    size_t nodes = acre_bitmap_chunks(range->pages);
    struct acre_bitmap_run *run = at;

    range->top = 0;
    while (nodes > 1) {
        nodes = acre_bitmap_parents(nodes);
        range->nodes[range->top++] = run;
        run += nodes;
    }
}

void acre_bitmap_tree_make(struct acre_bitmap_range *range)
{
    size_t chunks = acre_bitmap_chunks(range->pages);
    size_t size = acre_bitmap_metadata_size(range->pages) - sizeof *range;

    range->words = (uint64_t *)(void *)(range + 1);
    range->leaves = range->words + chunks * ACRE_BITMAP_CHUNK_WORDS;
    lay_nodes(range, lay_marks(range, range->leaves + chunks));
    memset(range->words, 0, size);
    acre_bitmap_words_fill(range->words, 0, range->pages, true);
    range->free = range->pages;
    range->low = 0;
    range->active = ACRE_BITMAP_NONE;
    acre_bitmap_tree_update(range, 0, range->pages, true);
    acre_bitmap_remark(range, 0, range->pages);
}

size_t acre_bitmap_tree_find(
    const struct acre_bitmap_range *range, const struct acre_bitmap_want *want)
{
    unsigned level = range->top;
    size_t index = 0;
    size_t pos = 0;
    size_t open = 0; /* where the free run that reaches pos begins; pos when there is none */

    while (pos < range->pages) {
        struct acre_bitmap_run run = acre_bitmap_tree_get(range, level, index);
        size_t width = width_at(range, level, pos);
        size_t found = acre_bitmap_fit(want, open, pos + run.start);

        if (found == ACRE_BITMAP_NONE && run.longest >= want->count && want->from < pos + width) {
            if (level != 0) {
                level--;
                index *= ACRE_BITMAP_FANOUT;
                continue;
            }
            found = acre_bitmap_words_find(
                &range->words[index * ACRE_BITMAP_CHUNK_WORDS], width, pos, want);
        }
        if (found != ACRE_BITMAP_NONE)
            return found;
        if (run.end != width)
            open = pos + width - run.end;
        pos += width;
        index++;
        while (level != range->top && index % ACRE_BITMAP_FANOUT == 0) {
            level++;
            index /= ACRE_BITMAP_FANOUT;
        }
    }
    return ACRE_BITMAP_NONE;
}
