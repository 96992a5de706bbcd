/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Late chunks: summing them up, for good or for one look at the whole.
 */
#include "bitmap/bitmap_private.h"

/** The leaf that a chunk ought to have. */
static uint64_t leaf_due(const struct acre_bitmap_range *range, size_t chunk)
{
    const struct acre_bitmap_group *group = &range->groups[chunk / ACRE_BITMAP_FANOUT];
    uint64_t bits = acre_bitmap_chunk_bits(chunk * ACRE_BITMAP_CHUNK_WORDS);

    if ((group->late & bits) == 0)
        return range->leaves[chunk];
    if ((group->words & bits) == 0)
        return 0;
    return acre_bitmap_leaf_pack(acre_bitmap_tree_compute(range, 0, chunk));
}

/** The chunk behind a group's last one. */
static size_t group_end(const struct acre_bitmap_range *range, size_t group)
{
    size_t end = (group + 1) * ACRE_BITMAP_FANOUT;
    size_t chunks = acre_bitmap_chunks(range->pages);

    return end < chunks ? end : chunks;
}

void acre_bitmap_tree_refresh(struct acre_bitmap_range *range, size_t group)
{
    size_t first = group * ACRE_BITMAP_FANOUT;
    size_t end = group_end(range, group);
    uint64_t late = range->groups[group].late;

    while (late != 0) {
        size_t chunk = first + acre_bitmap_word_lowest(late) / ACRE_BITMAP_CHUNK_WORDS;

        late &= ~acre_bitmap_chunk_bits(chunk * ACRE_BITMAP_CHUNK_WORDS);
        if (chunk < end)
            range->leaves[chunk] = leaf_due(range, chunk);
    }
    range->groups[group].late = 0;
}

/** The run that a late group ought to have. */
static struct acre_bitmap_run run_due(const struct acre_bitmap_range *range, size_t group)
{
    size_t end = group_end(range, group);
    struct acre_bitmap_run run = { 0, 0, 0 };
    size_t at = 0;
    size_t chunk;

    for (chunk = group * ACRE_BITMAP_FANOUT; chunk < end; chunk++) {
        size_t width = acre_bitmap_tree_width(range, 0, chunk);

        run = acre_bitmap_run_join(run, at, acre_bitmap_leaf_unpack(leaf_due(range, chunk)), width);
        at += width;
    }
    return run;
}

/** True when a group below a node is late. */
static bool late_below(const struct acre_bitmap_range *range, unsigned level, size_t index)
{
    size_t groups = (size_t)1 << (level - 1) * ACRE_BITMAP_FANOUT_LOG2;
    size_t late;

    if (level == range->top)
        return range->late_count != 0;
    late = acre_bitmap_set_next(&range->lates, index * groups);
    return late != ACRE_BITMAP_NONE && late - index * groups < groups;
}

struct acre_bitmap_run acre_bitmap_tree_root(const struct acre_bitmap_range *range)
{
    struct acre_bitmap_run root = { 0, 0, 0 };
    unsigned level = range->top;
    size_t index = 0;
    size_t pos = 0;

    while (pos < range->pages) {
        bool late = late_below(range, level, index);
        size_t width;

        if (late && level != 1) {
            level--;
            index *= ACRE_BITMAP_FANOUT;
            continue;
        }
        width = acre_bitmap_tree_width(range, level, index);
        root = acre_bitmap_run_join(root, pos,
            late ? run_due(range, index) : acre_bitmap_tree_get(range, level, index), width);
        pos += width;
        index++;
        while (level != range->top && index % ACRE_BITMAP_FANOUT == 0) {
            level++;
            index /= ACRE_BITMAP_FANOUT;
        }
    }
    return root;
}
