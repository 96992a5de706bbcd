/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Dirty summaries: groups become dirty, are flushed, and are summed up without being flushed.
 */
#include "bitmap/bitmap_private.h"

#if ACRE_MAX_POOL == 0

/* ---- summing up ---- */

/** The leaf that a chunk must have. */
static uint64_t bitmap_due_leaf(const struct acre_bitmap_range *range, size_t chunk)
{
    const struct acre_bitmap_group *group = &range->groups[chunk / BITMAP_FANOUT];
    uint64_t bits = bitmap_chunk_bits(chunk * BITMAP_CHUNK_WORDS);
    if ((group->dirty & bits) == 0)
        return range->leaves[chunk];
    if ((group->free_words & bits) == 0)
        return 0;
    return bitmap_leaf_pack(acre_bitmap_tree_compute(range, 0, chunk));
}

/** The chunk after the last one of a group. */
static size_t bitmap_group_end(const struct acre_bitmap_range *range, size_t group)
{
    size_t end = (group + 1) * BITMAP_FANOUT;
    size_t chunks = bitmap_chunks(range->pages);
    return end < chunks ? end : chunks;
}

void acre_bitmap_sum_up(struct acre_bitmap_range *range, size_t group)
{
    size_t first = group * BITMAP_FANOUT;
    size_t end = bitmap_group_end(range, group);
    uint64_t dirty = range->groups[group].dirty;
    while (dirty != 0) {
        size_t chunk = first + bitmap_word_lowest(dirty) / BITMAP_CHUNK_WORDS;
        dirty &= ~bitmap_chunk_bits(chunk * BITMAP_CHUNK_WORDS);
        if (chunk < end)
            range->leaves[chunk] = bitmap_due_leaf(range, chunk);
    }
    range->groups[group].dirty = 0;
}

/** The run that a dirty group must have. */
static struct bitmap_run bitmap_due_run(const struct acre_bitmap_range *range, size_t group)
{
    size_t end = bitmap_group_end(range, group);
    struct bitmap_run run = { 0, 0, 0 };
    size_t at = 0;
    for (size_t chunk = group * BITMAP_FANOUT; chunk < end; chunk++) {
        size_t width = acre_bitmap_tree_width(range, 0, chunk);
        run = bitmap_run_join(run, at, bitmap_leaf_unpack(bitmap_due_leaf(range, chunk)), width);
        at += width;
    }
    return run;
}

/** True when a group below a node is dirty. */
static bool bitmap_has_dirty_below(
    const struct acre_bitmap_range *range, unsigned level, size_t index)
{
    if (level == range->top)
        return range->dirty_count != 0;
    size_t groups = (size_t)1 << (level - 1) * BITMAP_FANOUT_LOG2;
    size_t dirty = acre_bitmap_set_next(&range->dirty_groups, index * groups);
    return dirty != BITMAP_NONE && dirty - index * groups < groups;
}

struct bitmap_run acre_bitmap_range_summary(const struct acre_bitmap_range *range)
{
    struct bitmap_run root = { 0, 0, 0 };
    unsigned level = range->top;
    size_t index = 0;
    for (size_t pos = 0; pos < range->pages;) {
        bool dirty = bitmap_has_dirty_below(range, level, index);
        if (dirty && level != 1) {
            level--;
            index *= BITMAP_FANOUT;
            continue;
        }
        size_t width = acre_bitmap_tree_width(range, level, index);
        root = bitmap_run_join(root, pos,
            dirty ? bitmap_due_run(range, index) : acre_bitmap_tree_get(range, level, index),
            width);
        pos += width;
        index++;
        while (level != range->top && index % BITMAP_FANOUT == 0) {
            level++;
            index /= BITMAP_FANOUT;
        }
    }
    return root;
}

/* ---- the set of dirty groups ---- */

static void bitmap_dirty_remove(struct acre_bitmap_range *range, size_t group)
{
    ACRE_ASSERT(range->dirty_count != 0 && bitmap_set_has(&range->dirty_groups, group));
    acre_bitmap_set_remove(&range->dirty_groups, group);
    range->dirty_count--;
}

/** Flushes one group. The hint's chunk must be dirty, so a hint in this group goes. */
static void bitmap_flush_group(
    struct acre_bitmap *self, struct acre_bitmap_range *range, size_t group)
{
    if (self->hint_range == range &&
        (size_t)(self->hint - range->words) / BITMAP_WORD_BITS == group)
        bitmap_clear_hint(self);
    bitmap_dirty_remove(range, group);
    acre_bitmap_sum_up(range, group);
    acre_bitmap_tree_update_group(range, group);
}

/** Flushes one dirty group; repeated calls take them in turn. */
static void bitmap_flush_next(struct acre_bitmap *self, struct acre_bitmap_range *range)
{
    size_t group = acre_bitmap_set_next(&range->dirty_groups, range->dirty_next);
    if (group == BITMAP_NONE)
        group = acre_bitmap_set_first(&range->dirty_groups);
    bitmap_flush_group(self, range, group);
    range->dirty_next = group + 1;
}

void acre_bitmap_dirty_add(struct acre_bitmap *self, struct acre_bitmap_range *range, size_t group)
{
    if (bitmap_set_has(&range->dirty_groups, group))
        return;
    if (range->dirty_count >= self->max_dirty)
        bitmap_flush_next(self, range);
    acre_bitmap_set_add(&range->dirty_groups, group);
    range->dirty_count++;
    ACRE_ASSERT(range->dirty_count <= self->max_dirty); /* BITMAP-9 */
}

void acre_bitmap_list_word(struct acre_bitmap *self, struct acre_bitmap_range *range, size_t word)
{
    size_t at = word / BITMAP_WORD_BITS;
    struct acre_bitmap_group *group = &range->groups[at];
    acre_bitmap_dirty_add(self, range, at);
    group->dirty |= group->free_words == 0 ? ~(uint64_t)0 : bitmap_chunk_bits(word);
    if (group->free_words == 0)
        acre_bitmap_set_add(&range->free_groups, at);
    bitmap_add_free_word(range, word);
}

void acre_bitmap_list_page(struct acre_bitmap *self)
{
    self->next_hint = NULL;
    self->free_from = self->hint_at;
    acre_bitmap_list_word(self, self->hint_range, (size_t)(self->hint - self->hint_range->words));
}

void acre_bitmap_flush(struct acre_bitmap *self, struct acre_bitmap_range *range, size_t most)
{
    while (range->dirty_count > most)
        bitmap_flush_group(self, range, acre_bitmap_set_first(&range->dirty_groups));
}

void acre_bitmap_set_group_full(struct acre_bitmap_range *range, size_t group)
{
    size_t end = bitmap_group_end(range, group);
    ACRE_ASSERT(range->groups[group].free_words == 0); /* BITMAP-8 */
    acre_bitmap_set_remove(&range->free_groups, group);
    range->groups[group].dirty = 0;
    if (range->groups[group].run == 0)
        bitmap_dirty_remove(range, group);
    for (size_t chunk = group * BITMAP_FANOUT; chunk < end; chunk++)
        range->leaves[chunk] = 0;
}

void acre_bitmap_leave_group(
    struct acre_bitmap *self, struct acre_bitmap_range *range, size_t group)
{
    acre_bitmap_set_group_full(range, group);
    if (range->dirty_count < self->max_dirty)
        return;
    ACRE_ASSERT(
        bitmap_set_has(&range->dirty_groups, group)); /* BITMAP-9: it was, and is unless removed */
    bitmap_flush_group(self, range, group);
}

void acre_bitmap_set_max_dirty(struct acre_bitmap *self, size_t groups)
{
    struct acre_bitmap_range *range = bitmap_first_range(self);
    bitmap_list_any(self);
    self->max_dirty = groups != 0 ? groups : 1;
    for (; range != NULL; range = bitmap_next_range(range))
        acre_bitmap_flush(self, range, self->max_dirty);
}

/* ---- short runs ---- */

/** Updates a chunk's leaf, which is exact otherwise, after the pages [low, high) of the chunk were
 * freed. */
static void bitmap_leaf_grow(struct acre_bitmap_range *range, size_t chunk, size_t low, size_t high)
{
    size_t start = chunk << BITMAP_CHUNK_LOG2;
    size_t end = start + acre_bitmap_tree_width(range, 0, chunk);
    struct bitmap_run leaf = bitmap_leaf_unpack(range->leaves[chunk]);
    low -= acre_bitmap_words_below(range->words, low, start);
    high += acre_bitmap_words_above(range->words, high, end);
    if (low == start)
        leaf.start = high - low;
    if (high == end)
        leaf.end = high - low;
    if (high - low > leaf.longest)
        leaf.longest = high - low;
    range->leaves[chunk] = bitmap_leaf_pack(leaf);
}

bool acre_bitmap_free_clean(
    const struct acre_bitmap *self, struct acre_bitmap_range *range, size_t index)
{
    struct acre_bitmap_group *group = &range->groups[index >> BITMAP_GROUP_LOG2];
    uint64_t *leaf = &range->leaves[index >> BITMAP_CHUNK_LOG2];
    uint64_t was = *leaf;
    if (range->dirty_count < self->max_dirty || group->free_words == 0 ||
        bitmap_set_has(&range->dirty_groups, index >> BITMAP_GROUP_LOG2))
        return false;
    range->words[index >> BITMAP_WORD_LOG2] |= acre_wide_bit(index);
    bitmap_add_free_word(range, index >> BITMAP_WORD_LOG2);
    bitmap_leaf_grow(range, index >> BITMAP_CHUNK_LOG2, index, index + 1);
    if (*leaf != was)
        acre_bitmap_tree_update_group(range, index >> BITMAP_GROUP_LOG2);
    return true;
}

/** Updates the leaf of one chunk, whose pages [low, high) were made free or used: exact where pages
 * were freed or the chunk is covered, dirty where some of its pages are used now. */
static void bitmap_leaf_set(
    struct acre_bitmap_range *range, size_t chunk, size_t low, size_t high, bool free)
{
    struct acre_bitmap_group *group = &range->groups[chunk / BITMAP_FANOUT];
    uint64_t bits = bitmap_chunk_bits(chunk * BITMAP_CHUNK_WORDS);
    size_t width = acre_bitmap_tree_width(range, 0, chunk);
    if (high - low == width) {
        group->dirty &= ~bits;
        range->leaves[chunk] = bitmap_leaf_pack(bitmap_run_free(free ? width : 0));
    } else if (!free) {
        group->dirty |= bits;
    } else if ((group->dirty & bits) == 0) {
        bitmap_leaf_grow(range, chunk, low, high);
    }
}

/** Updates the leaves over [index, index + count), all in one group. */
static void bitmap_leaves_set(
    struct acre_bitmap_range *range, size_t index, size_t count, bool free)
{
    size_t end = index + count;
    size_t chunk = index >> BITMAP_CHUNK_LOG2;
    for (size_t low = index; low < end; chunk++) {
        size_t chunk_end = (chunk << BITMAP_CHUNK_LOG2) + BITMAP_CHUNK_PAGES;
        size_t high = end < chunk_end ? end : chunk_end;
        bitmap_leaf_set(range, chunk, low, high, free);
        low = high;
    }
}

/** The bits of the words low to high of one group. */
static uint64_t bitmap_words_mask(size_t low, size_t high)
{
    return acre_shift_left(bitmap_word_mask(high - low + 1), low % BITMAP_WORD_BITS);
}

/** Updates free_words after [index, index + count), all in one group, was made used. */
static void bitmap_free_words_remove(struct acre_bitmap_range *range, size_t index, size_t count)
{
    struct acre_bitmap_group *group = &range->groups[index >> BITMAP_GROUP_LOG2];
    size_t low = index >> BITMAP_WORD_LOG2;
    size_t high = (index + count - 1) >> BITMAP_WORD_LOG2;
    group->free_words &= ~bitmap_words_mask(low, high);
    group->free_words |= range->words[low] != 0 ? acre_wide_bit(low) : 0;
    group->free_words |= range->words[high] != 0 ? acre_wide_bit(high) : 0;
}

/** The same after it was made free. */
static void bitmap_free_words_add(struct acre_bitmap_range *range, size_t index, size_t count)
{
    struct acre_bitmap_group *group = &range->groups[index >> BITMAP_GROUP_LOG2];
    size_t low = index >> BITMAP_WORD_LOG2;
    size_t high = (index + count - 1) >> BITMAP_WORD_LOG2;
    if (group->free_words == 0)
        acre_bitmap_set_add(&range->free_groups, index >> BITMAP_GROUP_LOG2);
    group->free_words |= bitmap_words_mask(low, high);
}

/** acre_bitmap_dirty_update for pages of one group. */
static void bitmap_dirty_update_group(struct acre_bitmap *self, struct acre_bitmap_range *range,
    size_t index, size_t count, bool free)
{
    size_t group = index >> BITMAP_GROUP_LOG2;
    acre_bitmap_dirty_add(self, range, group);
    if (free)
        bitmap_free_words_add(range, index, count);
    else
        bitmap_free_words_remove(range, index, count);
    bitmap_leaves_set(range, index, count, free);
    if (range->groups[group].free_words == 0)
        acre_bitmap_set_group_full(range, group);
}

void acre_bitmap_dirty_update(struct acre_bitmap *self, struct acre_bitmap_range *range,
    size_t index, size_t count, bool free)
{
    size_t room = BITMAP_GROUP_PAGES - index % BITMAP_GROUP_PAGES;
    size_t part = count < room ? count : room;
    ACRE_ASSERT(count - part <= BITMAP_GROUP_PAGES);
    bitmap_dirty_update_group(self, range, index, part, free);
    if (part != count)
        bitmap_dirty_update_group(self, range, index + part, count - part, free);
}

#endif
