/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The summary tree of one range: upkeep and search.
 */
#include "bitmap/bitmap_private.h"

#if ACRE_MAX_POOL == 0

/** Pages that the node of a level at page `pos` really spans. */
ACRE_INLINE size_t bitmap_width_at(
    const struct acre_bitmap_range *range, unsigned level, size_t pos)
{
    size_t left = range->pages - pos;
    if (level == range->top)
        return left;
    size_t span = bitmap_span(level);
    return left < span ? left : span;
}

size_t acre_bitmap_tree_width(const struct acre_bitmap_range *range, unsigned level, size_t index)
{
    return bitmap_width_at(
        range, level, level == range->top ? 0 : index << bitmap_span_log2(level));
}

/** acre_bitmap_tree_get, inlined: a call returns the three words of a summary through memory. */
ACRE_INLINE struct bitmap_run bitmap_node_get(
    const struct acre_bitmap_range *range, unsigned level, size_t index)
{
    if (level == 0)
        return bitmap_leaf_unpack(range->leaves[index]);
    if (level == 1)
        return bitmap_leaf_unpack(range->groups[index].run);
    return range->nodes[level - 2][index];
}

struct bitmap_run acre_bitmap_tree_get(
    const struct acre_bitmap_range *range, unsigned level, size_t index)
{
    return bitmap_node_get(range, level, index);
}

/** Stores a summary; false when it was there already. */
static bool bitmap_node_put(
    struct acre_bitmap_range *range, unsigned level, size_t index, struct bitmap_run run)
{
    if (bitmap_run_equal(run, bitmap_node_get(range, level, index)))
        return false;
    if (level == 0)
        range->leaves[index] = bitmap_leaf_pack(run);
    else if (level == 1)
        range->groups[index].run = bitmap_leaf_pack(run);
    else
        range->nodes[level - 2][index] = run;
    return true;
}

/** Joins the children of a node that is `width` pages wide; `child` is the first of them.
 * At most 8 steps. */
ACRE_INLINE struct bitmap_run bitmap_join_children(
    const struct acre_bitmap_range *range, unsigned below, size_t width, size_t child)
{
    size_t span = bitmap_span(below);
    struct bitmap_run run = { 0, 0, 0 }; /* `end` is the run that is open at `at` */
    for (size_t at = 0; at < width; at += span, child++) {
        struct bitmap_run next = bitmap_node_get(range, below, child);
        if (run.start == at)
            run.start += next.start;
        run.end += next.start;
        run.longest = next.longest > run.longest ? next.longest : run.longest;
        run.longest = run.end > run.longest ? run.end : run.longest;
        if (next.start != span && next.start != width - at)
            run.end = next.end;
    }
    return run;
}

struct bitmap_run acre_bitmap_tree_compute(
    const struct acre_bitmap_range *range, unsigned level, size_t index)
{
    size_t width = acre_bitmap_tree_width(range, level, index);
    size_t child = index * BITMAP_FANOUT;
    if (level == 0)
        return acre_bitmap_words_summary(&range->words[index * BITMAP_CHUNK_WORDS], width);
    if (level == 1)
        return range->groups[index].free_words != 0 ? bitmap_join_children(range, 0, width, child)
                                                    : bitmap_run_free(0);
    if (level == 2)
        return bitmap_join_children(range, 1, width, child);
    return bitmap_join_children(range, level - 1, width, child);
}

void acre_bitmap_tree_update_group(struct acre_bitmap_range *range, size_t group)
{
    bool changed = true;
    for (unsigned level = 1; level <= range->top && changed; level++) {
        changed =
            bitmap_node_put(range, level, group, acre_bitmap_tree_compute(range, level, group));
        group /= BITMAP_FANOUT;
    }
}

/** The summary of a node after [index, index + count) was made free or used; the children of a node
 * inside it are not read. */
static struct bitmap_run bitmap_node_after_set(const struct acre_bitmap_range *range,
    unsigned level, size_t node, size_t index, size_t count, bool free)
{
    size_t width = acre_bitmap_tree_width(range, level, node);
    size_t start = level == range->top ? 0 : node << bitmap_span_log2(level);
    if (start >= index && count >= width && start - index <= count - width)
        return bitmap_run_free(free ? width : 0);
    return acre_bitmap_tree_compute(range, level, node);
}

/** Sets a group's free_words from its words, and its place in the set of free groups. */
static void bitmap_update_free_words(struct acre_bitmap_range *range, size_t group)
{
    size_t words = bitmap_chunks(range->pages) * BITMAP_CHUNK_WORDS;
    size_t word = group * BITMAP_WORD_BITS;
    uint64_t bits = 0;
    for (unsigned bit = 0; bit < BITMAP_WORD_BITS && word < words; bit++, word++)
        bits |= range->words[word] != 0 ? acre_wide_bit(bit) : 0;
    range->groups[group].free_words = bits;
    if (bits != 0)
        acre_bitmap_set_add(&range->free_groups, group);
    else
        acre_bitmap_set_remove(&range->free_groups, group);
}

void acre_bitmap_tree_update(struct acre_bitmap_range *range, size_t index, size_t count, bool free)
{
    size_t low = index / BITMAP_CHUNK_PAGES;
    size_t high = (index + count - 1) / BITMAP_CHUNK_PAGES;
    bool changed = true;
    for (size_t node = low / BITMAP_FANOUT; node <= high / BITMAP_FANOUT; node++)
        bitmap_update_free_words(range, node);
    for (unsigned level = 0; level <= range->top && changed; level++) {
        changed = false;
        for (size_t node = low; node <= high; node++)
            changed |= bitmap_node_put(
                range, level, node, bitmap_node_after_set(range, level, node, index, count, free));
        low /= BITMAP_FANOUT;
        high /= BITMAP_FANOUT;
    }
}

void acre_bitmap_tree_make(struct acre_bitmap_range *range)
{
    acre_bitmap_layout(range);
    acre_bitmap_words_fill(range->words, 0, range->pages, true);
    acre_bitmap_tree_update(range, 0, range->pages, true);
}

/** The place of a search: a node, and the free run that is open before it. */
struct bitmap_walk {
    unsigned level;
    size_t span;  /* pages of a whole node of this level */
    size_t index; /* of the node */
    size_t pos;   /* its first page */
    size_t open;  /* where the free run that reaches pos begins; pos when there is none */
};

/** Passes nodes of one level, up to the last sibling, that neither have a run of `count` pages nor
 * complete one. False when all were passed. */
ACRE_INLINE bool bitmap_walk_level(
    const struct acre_bitmap_range *range, struct bitmap_walk *walk, unsigned level, size_t count)
{
    size_t last = (range->pages - 1) >> bitmap_span_log2(level);
    size_t end = (walk->index | (BITMAP_FANOUT - 1)) < last
                     ? (walk->index | (BITMAP_FANOUT - 1)) + 1
                     : last + 1;
    size_t open = walk->pos - walk->open;
    size_t index = walk->index;
    for (; index != end; index++) {
        struct bitmap_run run = bitmap_node_get(range, level, index);
        if (run.longest >= count || open + run.start >= count)
            break;
        open = run.start == walk->span ? open + run.start : run.end;
    }
    walk->pos += acre_multiply(index - walk->index, walk->span);
    walk->index = index;
    walk->open = walk->pos - open;
    return index != end;
}

/** bitmap_walk_level, compiled once for each of the two levels with most nodes. */
static bool bitmap_walk_siblings(
    const struct acre_bitmap_range *range, struct bitmap_walk *walk, size_t count)
{
    if (walk->level == 0)
        return bitmap_walk_level(range, walk, 0, count);
    if (walk->level == 1)
        return bitmap_walk_level(range, walk, 1, count);
    return bitmap_walk_level(range, walk, walk->level, count);
}

/** Goes past this node, which has the summary `run`. */
static void bitmap_walk_step(struct bitmap_walk *walk, struct bitmap_run run)
{
    walk->pos += walk->span;
    if (run.start != walk->span)
        walk->open = walk->pos - run.end;
    walk->index++;
}

/** After a last sibling: goes up to the node after its parent, and further while the parent is a
 * last sibling too. */
static void bitmap_walk_up(const struct acre_bitmap_range *range, struct bitmap_walk *walk)
{
    while (walk->level + 1 != range->top && walk->index % BITMAP_FANOUT == 0) {
        walk->level++;
        walk->span <<= BITMAP_FANOUT_LOG2;
        walk->index /= BITMAP_FANOUT;
    }
}

size_t acre_bitmap_tree_find(const struct acre_bitmap_range *range, const struct bitmap_want *want)
{
    struct bitmap_walk walk = { range->top - 1, bitmap_span(range->top - 1), 0, 0, 0 };
    while (walk.pos < range->pages) {
        if (!bitmap_walk_siblings(range, &walk, want->count)) {
            bitmap_walk_up(range, &walk);
            continue;
        }
        struct bitmap_run run = bitmap_node_get(range, walk.level, walk.index);
        size_t found = bitmap_fit(want, walk.open, walk.pos + run.start);
        if (found == BITMAP_NONE && run.longest >= want->count &&
            want->from < walk.pos + walk.span) {
            if (walk.level != 0) {
                walk.level--;
                walk.span >>= BITMAP_FANOUT_LOG2;
                walk.index *= BITMAP_FANOUT;
                continue;
            }
            found = acre_bitmap_words_find(&range->words[walk.pos / BITMAP_WORD_BITS],
                bitmap_width_at(range, 0, walk.pos), walk.pos, want);
        }
        if (found != BITMAP_NONE)
            return found;
        bitmap_walk_step(&walk, run);
        bitmap_walk_up(range, &walk);
    }
    return BITMAP_NONE;
}

#endif
