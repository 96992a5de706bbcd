/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Search of one range's tree with conditions, upward or downward. It is apart from the search
 * without conditions, which is on a hot path and only goes upward.
 *
 * The search visits nodes in its own direction, and keeps the index `open` at which the free run
 * that reaches the next node begins (upward), or ends (downward).
 *
 *   upward:    open |....|  next node          downward:    next node  |....| open
 */
#include "bitmap/bitmap_private.h"

#if ACRE_MAX_POOL == 0

struct bitmap_visit {
    unsigned level;
    size_t index; /* of the node */
    size_t start; /* its first page */
    size_t end;   /* the page after its last one */
    size_t open;
};

static size_t bitmap_last_index(const struct acre_bitmap_range *range, unsigned level)
{
    return (range->pages - 1) >> bitmap_span_log2(level);
}

static void bitmap_visit_node(
    const struct acre_bitmap_range *range, struct bitmap_visit *visit, size_t index)
{
    visit->index = index;
    visit->start = index << bitmap_span_log2(visit->level);
    visit->end = visit->start + acre_bitmap_tree_width(range, visit->level, index);
}

/** Begins with a child of the root, the first one or the last one. */
static struct bitmap_visit bitmap_visit_begin(const struct acre_bitmap_range *range, bool top_down)
{
    struct bitmap_visit visit = { .level = range->top - 1 };
    visit.open = top_down ? range->pages : 0;
    bitmap_visit_node(range, &visit, top_down ? bitmap_last_index(range, visit.level) : 0);
    return visit;
}

/** Goes to the first or last child of the node. */
static void bitmap_visit_child(
    const struct acre_bitmap_range *range, struct bitmap_visit *visit, bool top_down)
{
    size_t index = visit->index * BITMAP_FANOUT;
    size_t last = bitmap_last_index(range, --visit->level);
    if (top_down)
        index = index + BITMAP_FANOUT - 1 < last ? index + BITMAP_FANOUT - 1 : last;
    bitmap_visit_node(range, visit, index);
}

/** Goes past the node, which has the summary `run` and is not the last one within the limits, to
 * the next one, which has another parent when this is the last child. */
static void bitmap_visit_next(const struct acre_bitmap_range *range, struct bitmap_visit *visit,
    struct bitmap_run run, bool top_down)
{
    bool is_free = run.start == visit->end - visit->start;
    size_t index = top_down ? visit->index : visit->index + 1;
    if (!is_free)
        visit->open = top_down ? visit->start + run.start : visit->end - run.end;
    for (; visit->level + 1 != range->top && index % BITMAP_FANOUT == 0; visit->level++)
        index /= BITMAP_FANOUT;
    ACRE_ASSERT(top_down ? index != 0 : index <= bitmap_last_index(range, visit->level));
    bitmap_visit_node(range, visit, top_down ? index - 1 : index);
}

/** The place in the free run that reaches the node from the nodes before, or BITMAP_NONE. */
static size_t bitmap_fit_across(
    const struct bitmap_visit *visit, struct bitmap_run run, const struct bitmap_limits *limits)
{
    if (limits->top_down)
        return acre_bitmap_fit_within(limits, visit->end - run.end, visit->open);
    return acre_bitmap_fit_within(limits, visit->open, visit->start + run.start);
}

/** True when no node after this one lies within the limits. */
static bool bitmap_is_past(const struct bitmap_visit *visit, const struct bitmap_limits *limits)
{
    return limits->top_down ? visit->start <= limits->from : visit->end >= limits->to;
}

static size_t bitmap_find_in_chunk(const struct acre_bitmap_range *range,
    const struct bitmap_visit *visit, const struct bitmap_limits *limits)
{
    return acre_bitmap_words_find_within(&range->words[visit->start / BITMAP_WORD_BITS],
        visit->end - visit->start, visit->start, limits);
}

size_t acre_bitmap_tree_find_within(
    const struct acre_bitmap_range *range, const struct bitmap_limits *limits)
{
    struct bitmap_visit visit = bitmap_visit_begin(range, limits->top_down);
    for (;;) {
        struct bitmap_run run = acre_bitmap_tree_get(range, visit.level, visit.index);
        size_t found = bitmap_fit_across(&visit, run, limits);
        bool has_room =
            run.longest >= limits->count && visit.start < limits->to && visit.end > limits->from;
        if (found == BITMAP_NONE && has_room && visit.level != 0) {
            bitmap_visit_child(range, &visit, limits->top_down);
            continue;
        }
        if (found == BITMAP_NONE && has_room)
            found = bitmap_find_in_chunk(range, &visit, limits);
        if (found != BITMAP_NONE || bitmap_is_past(&visit, limits))
            return found;
        bitmap_visit_next(range, &visit, run, limits->top_down);
    }
}

#endif
