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

/** tree_get, in place: a summary is three words, which calls return through memory. */
ACRE_INLINE struct acre_bitmap_run get(
    const struct acre_bitmap_range *range, unsigned level, size_t index)
{
    if (level == 0)
        return acre_bitmap_leaf_unpack(range->leaves[index]);
    if (level == 1)
        return acre_bitmap_leaf_unpack(range->groups[index].run);
    return range->nodes[level - 2][index];
}

struct acre_bitmap_run acre_bitmap_tree_get(
    const struct acre_bitmap_range *range, unsigned level, size_t index)
{
    return get(range, level, index);
}

/** Stores a summary; false when it was there already. */
static bool put(
    struct acre_bitmap_range *range, unsigned level, size_t index, struct acre_bitmap_run run)
{
    if (acre_bitmap_run_equal(run, get(range, level, index)))
        return false;
    if (level == 0)
        range->leaves[index] = acre_bitmap_leaf_pack(run);
    else if (level == 1)
        range->groups[index].run = acre_bitmap_leaf_pack(run);
    else
        range->nodes[level - 2][index] = run;
    return true;
}

/** The joint of the children of a node that is `width` pages wide, `child` being the first of them.
 * At most 8 steps. */
ACRE_INLINE struct acre_bitmap_run join(
    const struct acre_bitmap_range *range, unsigned below, size_t width, size_t child)
{
    size_t span = acre_bitmap_span(below);
    struct acre_bitmap_run run = { 0, 0, 0 }; /* `end` is the run that is open at `at` */
    size_t at;

    for (at = 0; at < width; at += span, child++) {
        struct acre_bitmap_run next = get(range, below, child);

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

struct acre_bitmap_run acre_bitmap_tree_compute(
    const struct acre_bitmap_range *range, unsigned level, size_t index)
{
    size_t width = acre_bitmap_tree_width(range, level, index);
    size_t child = index * ACRE_BITMAP_FANOUT;

    if (level == 0)
        return acre_bitmap_words_summary(&range->words[index * ACRE_BITMAP_CHUNK_WORDS], width);
    if (level == 1)
        return range->groups[index].words != 0 ? join(range, 0, width, child)
                                               : acre_bitmap_run_free(0);
    if (level == 2)
        return join(range, 1, width, child);
    return join(range, level - 1, width, child);
}

void acre_bitmap_tree_put_up(struct acre_bitmap_range *range, size_t group)
{
    bool changed = true;
    unsigned level;

    for (level = 1; level <= range->top && changed; level++) {
        changed = put(range, level, group, acre_bitmap_tree_compute(range, level, group));
        group /= ACRE_BITMAP_FANOUT;
    }
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

/** Sets a group's words, and its mark, by the words of its pages. */
static void regroup(struct acre_bitmap_range *range, size_t group)
{
    size_t words = acre_bitmap_chunks(range->pages) * ACRE_BITMAP_CHUNK_WORDS;
    size_t word = group * ACRE_BITMAP_WORD_BITS;
    uint64_t bits = 0;
    unsigned bit;

    for (bit = 0; bit < ACRE_BITMAP_WORD_BITS && word < words; bit++, word++)
        bits |= (uint64_t)(range->words[word] != 0) << bit;
    range->groups[group].words = bits;
    if (bits != 0)
        acre_bitmap_set_add(&range->marks, group);
    else
        acre_bitmap_set_remove(&range->marks, group);
}

void acre_bitmap_tree_update(struct acre_bitmap_range *range, size_t index, size_t count, bool free)
{
    size_t low = index / ACRE_BITMAP_CHUNK_PAGES;
    size_t high = (index + count - 1) / ACRE_BITMAP_CHUNK_PAGES;
    bool changed = true;
    unsigned level;
    size_t node;

    for (node = low / ACRE_BITMAP_FANOUT; node <= high / ACRE_BITMAP_FANOUT; node++)
        regroup(range, node);
    for (level = 0; level <= range->top && changed; level++) {
        changed = false;
        for (node = low; node <= high; node++)
            changed |= put(range, level, node, after_set(range, level, node, index, count, free));
        low /= ACRE_BITMAP_FANOUT;
        high /= ACRE_BITMAP_FANOUT;
    }
}

/** Lays a set of the range's groups out from `at` on; the word behind it. */
static uint64_t *lay_set(struct acre_bitmap_set *set, size_t groups, uint64_t *at)
{
    set->size = groups;
    set->levels = 0;
    do {
        groups = acre_bitmap_set_words(groups);
        set->bits[set->levels++] = at;
        at += groups;
    } while (groups > 1);
    return at;
}

/** Lays the levels of nodes out from `at` on. */
static void lay_nodes(struct acre_bitmap_range *range, void *at)
{
    size_t nodes = acre_bitmap_groups(range);
    struct acre_bitmap_run *run = at;

    range->top = 1;
    while (nodes > 1) {
        nodes = acre_bitmap_parents(nodes);
        range->nodes[range->top++ - 1] = run;
        run += nodes;
    }
}

void acre_bitmap_tree_make(struct acre_bitmap_range *range)
{
    size_t chunks = acre_bitmap_chunks(range->pages);
    size_t groups = acre_bitmap_groups(range);
    size_t head = acre_bitmap_head_size(range->pages);
    size_t size = acre_bitmap_metadata_size(range->pages) - head;
    uint64_t *at;

    range->words = (uint64_t *)(void *)((char *)range + head);
    range->leaves = range->words + chunks * ACRE_BITMAP_CHUNK_WORDS;
    range->groups = (struct acre_bitmap_group *)(void *)(range->leaves + chunks);
    at = (uint64_t *)(void *)(range->groups + groups);
    at = lay_set(&range->marks, groups, at);
    lay_nodes(range, lay_set(&range->lates, groups, at));
    range->late_count = 0;
    range->late_next = 0;
    memset(range->words, 0, size);
    acre_bitmap_words_fill(range->words, 0, range->pages, true);
    acre_bitmap_tree_update(range, 0, range->pages, true);
}

/** Where a search is: at a node, and since when the pages before it have been free. */
struct walk {
    unsigned level;
    size_t span;  /* pages of a whole node of this level */
    size_t index; /* of the node */
    size_t pos;   /* its first page */
    size_t open;  /* where the free run that reaches pos begins; pos when there is none */
};

/** Passes nodes of one level, up to the last sibling, that have no run of `count` pages and end
 * none. False when all were passed. */
ACRE_INLINE bool pass(
    const struct acre_bitmap_range *range, struct walk *walk, unsigned level, size_t count)
{
    size_t last = (range->pages - 1) >> (ACRE_BITMAP_CHUNK_LOG2 + level * ACRE_BITMAP_FANOUT_LOG2);
    size_t behind = (walk->index | (ACRE_BITMAP_FANOUT - 1)) < last
                        ? (walk->index | (ACRE_BITMAP_FANOUT - 1)) + 1
                        : last + 1;
    size_t open = walk->pos - walk->open;
    size_t index = walk->index;

    for (; index != behind; index++) {
        struct acre_bitmap_run run = get(range, level, index);

        if (run.longest >= count || open + run.start >= count)
            break;
        open = run.start == walk->span ? open + run.start : run.end;
    }
    walk->pos += (index - walk->index) * walk->span;
    walk->index = index;
    walk->open = walk->pos - open;
    return index != behind;
}

/** pass, with the level known when compiled where there are most nodes. */
static bool pass_siblings(const struct acre_bitmap_range *range, struct walk *walk, size_t count)
{
    if (walk->level == 0)
        return pass(range, walk, 0, count);
    if (walk->level == 1)
        return pass(range, walk, 1, count);
    return pass(range, walk, walk->level, count);
}

/** Goes to the node behind this one, which has the summary `run`. */
static void step(struct walk *walk, struct acre_bitmap_run run)
{
    walk->pos += walk->span;
    if (run.start != walk->span)
        walk->open = walk->pos - run.end;
    walk->index++;
}

/** Goes up from behind a last sibling to the node behind its parent, as far as that is a last one
 * too. */
static void climb(const struct acre_bitmap_range *range, struct walk *walk)
{
    while (walk->level + 1 != range->top && walk->index % ACRE_BITMAP_FANOUT == 0) {
        walk->level++;
        walk->span <<= ACRE_BITMAP_FANOUT_LOG2;
        walk->index /= ACRE_BITMAP_FANOUT;
    }
}

/* The root's run being long enough is the caller's business: the walk begins with its children. */
size_t acre_bitmap_tree_find(
    const struct acre_bitmap_range *range, const struct acre_bitmap_want *want)
{
    struct walk walk = { range->top - 1, acre_bitmap_span(range->top - 1), 0, 0, 0 };

    while (walk.pos < range->pages) {
        struct acre_bitmap_run run;
        size_t found;

        if (!pass_siblings(range, &walk, want->count)) {
            climb(range, &walk);
            continue;
        }
        run = get(range, walk.level, walk.index);
        found = acre_bitmap_fit(want, walk.open, walk.pos + run.start);
        if (found == ACRE_BITMAP_NONE && run.longest >= want->count &&
            want->from < walk.pos + walk.span) {
            if (walk.level != 0) {
                walk.level--;
                walk.span >>= ACRE_BITMAP_FANOUT_LOG2;
                walk.index *= ACRE_BITMAP_FANOUT;
                continue;
            }
            found = acre_bitmap_words_find(&range->words[walk.pos / ACRE_BITMAP_WORD_BITS],
                width_at(range, 0, walk.pos), walk.pos, want);
        }
        if (found != ACRE_BITMAP_NONE)
            return found;
        step(&walk, run);
        climb(range, &walk);
    }
    return ACRE_BITMAP_NONE;
}
