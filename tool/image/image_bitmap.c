/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Bitmap's checker for an image: the rules, their order and their names are those of
 * src/bitmap/bitmap_check.c. The index of regions (REGIONS-4) is not looked at.
 */
#include "tool/image/image_audit.h"

#include <stdlib.h>
#include <string.h>

enum {
    WORD_PAGES = 64,
    CHUNK_WORDS = 8,
    CHUNK_PAGES = WORD_PAGES * CHUNK_WORDS,
    FANOUT = 8,
    GROUP_LOG2 = 12,
    GROUP_BYTES = 24, /* free_words, dirty, run: 64 bits each */
    MOST_LEVELS = 24
};

static const char range_text[] = "BITMAP-1: ranges ascend and do not overlap";
static const char end_text[] = "BITMAP-2: bits after the last page are 0";
static const char used_text[] = "BITMAP-3: peak - headroom is the number of pages in use";
static const char hint_text[] = "BITMAP-4: the search hint is the word of the lowest free page";
static const char leaf_text[] = "BITMAP-5: a leaf is the summary of its chunk";
static const char node_text[] = "BITMAP-6: a node joins its children";
static const char total_text[] = "BITMAP-7: the totals are the sums over the ranges";
static const char free_text[] =
    "BITMAP-8: the free sets have every word and group with a free page";
static const char dirty_text[] = "BITMAP-9: dirty chunks lie in groups of the dirty set";

/* struct acre_bitmap. */
struct bitmap_places {
    uint64_t align_limit, hint, hint_at, free_from, next_hint, page_shift, headroom, peak,
        hint_range, max_dirty, metadata, size;
    struct image_regions regions;
};

struct bitmap_set {
    uint64_t at; /* of the struct: size, levels, bits[] */
    uint64_t size;
    uint64_t bits[MOST_LEVELS];
};

struct bitmap_range {
    struct image_range range;
    uint64_t first, pages, dirty_count, top, words, leaves, groups;
    uint64_t chunks, group_count;
    struct bitmap_set free, dirty;
    uint64_t nodes[MOST_LEVELS];
};

struct bitmap_run {
    uint64_t start, longest, end;
};

struct bitmap_audit {
    struct image_audit own;
    struct bitmap_places places;
    unsigned shift;
    uint64_t hint, next_hint;
    struct bitmap_range *ranges;
    size_t range_count, range_room;
    uint64_t used, pages;
};

static struct bitmap_places bitmap_image_places_of(unsigned word)
{
    struct image_cursor cursor = { 0, word };
    struct bitmap_places places;
    places.align_limit = image_place_words(&cursor, 1);
    places.hint = image_place_words(&cursor, 1);
    places.hint_at = image_place_words(&cursor, 1);
    places.free_from = image_place_words(&cursor, 1);
    places.next_hint = image_place_words(&cursor, 1);
    places.page_shift = image_place(&cursor, 4, 1);
    image_place(&cursor, 1, 3); /* ids, next_fit, is_set_up */
    places.headroom = image_place_words(&cursor, 1);
    places.peak = image_place_words(&cursor, 1);
    image_place_words(&cursor, 4); /* the cached range */
    places.hint_range = image_place_words(&cursor, 1);
    places.max_dirty = image_place_words(&cursor, 1);
    places.regions = image_place_regions(&cursor);
    image_place_words(&cursor, 1); /* cursor */
    places.metadata = image_place_words(&cursor, 1);
    places.size = cursor.at;
    return places;
}

static bool bitmap_image_broken(struct bitmap_audit *audit, const char *text, uint64_t where)
{
    return image_broken(&audit->own, text, where);
}

static uint64_t bitmap_image_member(struct bitmap_audit *audit, uint64_t place)
{
    return image_member(&audit->own, place);
}

static uint64_t bitmap_image_long_at(struct bitmap_audit *audit, uint64_t at, uint64_t index)
{
    return image_number(&audit->own, at + 8 * index, 8);
}

static uint64_t bitmap_image_words_above(uint64_t count)
{
    return count / WORD_PAGES + (count % WORD_PAGES != 0);
}

/* ---- ranges ---- */

static bool bitmap_image_read_set(struct bitmap_audit *audit, struct bitmap_set *set, uint64_t at)
{
    unsigned word = audit->own.word;
    set->at = at;
    set->size = image_word(&audit->own, at);
    unsigned most = (8 * word - GROUP_LOG2 + 5) / 6;
    for (unsigned i = 0; i < most; i++)
        set->bits[i] = image_word(&audit->own, at + (2 + i) * (uint64_t)word);
    return !audit->own.lost;
}

/* Reads what follows the common part of a descriptor; all that it leads to must lie in the image. */
static bool bitmap_image_read_range(struct bitmap_audit *audit, struct bitmap_range *range)
{
    struct image_cursor cursor = { image_range_size(audit->own.word), audit->own.word };
    uint64_t at = range->range.at;
    uint64_t set_words = 2 + (8 * (uint64_t)audit->own.word - GROUP_LOG2 + 5) / 6;
    uint64_t *const numbers[] = { &range->first, &range->pages, &range->words,
        &range->dirty_count };
    for (size_t i = 0; i < 4; i++)
        *numbers[i] = image_word(&audit->own, at + image_place_words(&cursor, 1));
    image_place_words(&cursor, 1); /* dirty_next */
    range->top = image_number(&audit->own, at + image_place(&cursor, 4, 1), 4);
    range->leaves = image_word(&audit->own, at + image_place_words(&cursor, 1));
    range->groups = image_word(&audit->own, at + image_place_words(&cursor, 1));
    uint64_t free = at + image_place_words(&cursor, set_words);
    uint64_t dirty = at + image_place_words(&cursor, set_words);
    if (audit->own.lost || range->pages == 0 || range->pages / 8 > audit->own.image->size)
        return false;
    range->chunks = range->pages / CHUNK_PAGES + (range->pages % CHUNK_PAGES != 0);
    range->group_count = range->chunks / FANOUT + (range->chunks % FANOUT != 0);
    uint64_t nodes = range->group_count;
    unsigned top = 1;
    for (; nodes > 1; top++) {
        nodes = nodes / FANOUT + (nodes % FANOUT != 0);
        range->nodes[top - 1] = image_word(&audit->own, at + image_place_words(&cursor, 1));
    }
    return range->top == top && bitmap_image_read_set(audit, &range->free, free) &&
           bitmap_image_read_set(audit, &range->dirty, dirty) &&
           image_has(audit->own.image, range->words, range->chunks * CHUNK_WORDS * 8);
}

static bool bitmap_image_add_range(struct bitmap_audit *audit, const struct bitmap_range *range)
{
    void *ranges = image_append(
        &audit->own, audit->ranges, &audit->range_count, &audit->range_room, range, sizeof *range);
    if (ranges == NULL)
        return false;
    audit->ranges = ranges;
    return image_add_range(&audit->own, &range->range);
}

static bool bitmap_image_list_ranges(struct bitmap_audit *audit)
{
    struct image_range below;
    uint64_t chunks = 0;
    uint64_t at = bitmap_image_member(audit, audit->places.regions.first);
    for (const struct image_range *before = NULL; at != 0; before = &below) {
        struct bitmap_range range = { .top = 0 };
        if (audit->range_count == IMAGE_MOST_REGIONS ||
            !image_read_range(&audit->own, at, before, &range.range) ||
            !bitmap_image_read_range(audit, &range))
            return bitmap_image_broken(audit, range_text, at);
        chunks += range.chunks;
        if (chunks > audit->own.image->size / (8 * CHUNK_WORDS))
            return bitmap_image_broken(audit, range_text, at);
        below = range.range;
        at = range.range.next;
        if (!bitmap_image_add_range(audit, &range))
            return false;
    }
    return true;
}

/* ---- words ---- */

static uint64_t bitmap_image_word_of(
    struct bitmap_audit *audit, const struct bitmap_range *range, uint64_t word)
{
    return bitmap_image_long_at(audit, range->words, word);
}

/* A word without its page that is not listed. */
static uint64_t bitmap_image_listed_word(
    struct bitmap_audit *audit, const struct bitmap_range *range, uint64_t word)
{
    bool unlisted = audit->next_hint != 0 && audit->hint == range->words + 8 * word;
    return unlisted ? 0 : bitmap_image_word_of(audit, range, word);
}

static bool bitmap_image_check_end(struct bitmap_audit *audit, const struct bitmap_range *range)
{
    for (uint64_t page = range->pages; page < range->chunks * CHUNK_PAGES; page++)
        if ((bitmap_image_word_of(audit, range, page / WORD_PAGES) >> page % WORD_PAGES & 1) != 0)
            return bitmap_image_broken(audit, end_text, range->words);
    return true;
}

/* ---- BITMAP-8, BITMAP-9: sets of groups ---- */

static bool bitmap_image_set_has(
    struct bitmap_audit *audit, const struct bitmap_set *set, uint64_t group)
{
    return (bitmap_image_long_at(audit, set->bits[0], group / WORD_PAGES) >> group % WORD_PAGES &
               1) != 0;
}

static bool bitmap_image_level_holds(
    struct bitmap_audit *audit, const struct bitmap_set *set, unsigned level, uint64_t words)
{
    uint64_t bits = bitmap_image_words_above(words) * WORD_PAGES;
    for (uint64_t at = 0; at < bits; at++) {
        bool bit =
            (bitmap_image_long_at(audit, set->bits[level + 1], at / WORD_PAGES) >> at % WORD_PAGES &
                1) != 0;
        if (bit != (at < words && bitmap_image_long_at(audit, set->bits[level], at) != 0))
            return false;
    }
    return true;
}

/* Whether the upper levels agree with the lowest, which has so many members. */
static bool bitmap_image_set_holds(struct bitmap_audit *audit, const struct bitmap_range *range,
    const struct bitmap_set *set, uint64_t members)
{
    uint64_t words = bitmap_image_words_above(range->group_count);
    uint64_t found = 0;
    if (set->size != range->group_count)
        return false;
    for (uint64_t at = 0; at < words; at++)
        found += image_count_bits(bitmap_image_long_at(audit, set->bits[0], at));
    for (unsigned level = 0; words > 1; words = bitmap_image_words_above(words), level++)
        if (!bitmap_image_level_holds(audit, set, level, words))
            return false;
    return found == members;
}

static uint64_t bitmap_image_group_at(const struct bitmap_range *range, uint64_t group)
{
    return range->groups + GROUP_BYTES * group;
}

static bool bitmap_image_check_dirty(struct bitmap_audit *audit, const struct bitmap_range *range)
{
    const uint64_t firsts = UINT64_C(0x0101010101010101);
    for (uint64_t group = 0; group < range->group_count; group++) {
        uint64_t free = bitmap_image_long_at(audit, bitmap_image_group_at(range, group), 0);
        uint64_t dirty = bitmap_image_long_at(audit, bitmap_image_group_at(range, group), 1);
        if (dirty != (dirty & firsts) * 0xff ||
            (dirty != 0 && (free == 0 || !bitmap_image_set_has(audit, &range->dirty, group))))
            return bitmap_image_broken(audit, dirty_text, bitmap_image_group_at(range, group));
    }
    return (bitmap_image_set_holds(audit, range, &range->dirty, range->dirty_count) &&
               range->dirty_count <= bitmap_image_member(audit, audit->places.max_dirty)) ||
           bitmap_image_broken(audit, dirty_text, range->dirty.bits[0]);
}

static bool bitmap_image_check_free_groups(
    struct bitmap_audit *audit, const struct bitmap_range *range)
{
    uint64_t words = range->chunks * CHUNK_WORDS;
    uint64_t members = 0;
    for (uint64_t group = 0; group < range->group_count; group++) {
        uint64_t due = 0;
        for (unsigned bit = 0; bit < WORD_PAGES && group * WORD_PAGES + bit < words; bit++)
            due |= (uint64_t)(bitmap_image_listed_word(audit, range, group * WORD_PAGES + bit) != 0)
                   << bit;
        bool is_member = bitmap_image_set_has(audit, &range->free, group);
        members += is_member;
        if (bitmap_image_long_at(audit, bitmap_image_group_at(range, group), 0) != due ||
            is_member != (due != 0))
            return bitmap_image_broken(audit, free_text, bitmap_image_group_at(range, group));
    }
    return bitmap_image_set_holds(audit, range, &range->free, members) ||
           bitmap_image_broken(audit, free_text, range->free.bits[0]);
}

/* ---- BITMAP-5, BITMAP-6: summaries ---- */

static struct bitmap_run bitmap_image_unpack(uint64_t leaf)
{
    return (struct bitmap_run){ leaf & 0xffff, leaf >> 16 & 0xffff, leaf >> 32 & 0xffff };
}

/* The summary of a node as stored. */
static struct bitmap_run bitmap_image_stored(
    struct bitmap_audit *audit, const struct bitmap_range *range, unsigned level, uint64_t index)
{
    if (level == 0)
        return bitmap_image_unpack(bitmap_image_long_at(audit, range->leaves, index));
    if (level == 1)
        return bitmap_image_unpack(
            bitmap_image_long_at(audit, bitmap_image_group_at(range, index), 2));
    uint64_t at = range->nodes[level - 2] + 3 * index * audit->own.word;
    return (struct bitmap_run){ image_word(&audit->own, at),
        image_word(&audit->own, at + audit->own.word),
        image_word(&audit->own, at + 2 * (uint64_t)audit->own.word) };
}

/* Adds `pages` more pages, with these runs, to a summary of so many. */
static void bitmap_image_join(
    struct bitmap_run *run, uint64_t before, struct bitmap_run next, uint64_t pages)
{
    uint64_t across = run->end + next.start;
    run->start += run->start == before ? next.start : 0;
    run->longest = across > run->longest ? across : run->longest;
    run->longest = next.longest > run->longest ? next.longest : run->longest;
    run->end = next.start == pages ? across : next.end;
}

static uint64_t bitmap_image_span_of(unsigned level)
{
    return (uint64_t)CHUNK_PAGES << 3 * level;
}

/* The summary that a node must have: of its words, or of its children as stored. */
static struct bitmap_run bitmap_image_due_summary(
    struct bitmap_audit *audit, const struct bitmap_range *range, unsigned level, uint64_t index)
{
    struct bitmap_run run = { 0, 0, 0 };
    uint64_t step = level == 0 ? 1 : bitmap_image_span_of(level - 1);
    uint64_t from = index * bitmap_image_span_of(level);
    uint64_t end = from + bitmap_image_span_of(level) < range->pages
                       ? from + bitmap_image_span_of(level)
                       : range->pages;
    if (level == 1 && bitmap_image_long_at(audit, bitmap_image_group_at(range, index), 0) == 0)
        return run;
    for (uint64_t at = from; at < end; at += step) {
        uint64_t pages = step < end - at ? step : end - at;
        struct bitmap_run next;
        if (level == 0) {
            uint64_t word = bitmap_image_listed_word(audit, range, at / WORD_PAGES);
            uint64_t bit = word >> at % WORD_PAGES & 1;
            next = (struct bitmap_run){ bit, bit, bit };
        } else {
            next = bitmap_image_stored(audit, range, level - 1, at / step);
        }
        bitmap_image_join(&run, at - from, next, pages);
    }
    return run;
}

static bool bitmap_image_may_be_stale(
    struct bitmap_audit *audit, const struct bitmap_range *range, unsigned level, uint64_t index)
{
    uint64_t group = bitmap_image_group_at(range, index / FANOUT);
    if (level == 0)
        return (bitmap_image_long_at(audit, group, 1) >> index % FANOUT * CHUNK_WORDS & 0xff) != 0;
    return level == 1 && bitmap_image_set_has(audit, &range->dirty, index);
}

static bool bitmap_image_check_nodes(struct bitmap_audit *audit, const struct bitmap_range *range)
{
    uint64_t nodes = range->chunks;
    for (unsigned level = 0; level <= range->top; level++) {
        for (uint64_t index = 0; index < nodes; index++) {
            struct bitmap_run is = bitmap_image_stored(audit, range, level, index);
            struct bitmap_run due = bitmap_image_due_summary(audit, range, level, index);
            if (bitmap_image_may_be_stale(audit, range, level, index) ||
                (is.start == due.start && is.longest == due.longest && is.end == due.end))
                continue;
            if (level == 0)
                return bitmap_image_broken(audit, leaf_text, range->leaves + 8 * index);
            return bitmap_image_broken(audit, node_text,
                level == 1 ? bitmap_image_group_at(range, index)
                           : range->nodes[level - 2] + 3 * index * audit->own.word);
        }
        nodes = nodes / FANOUT + (nodes % FANOUT != 0);
    }
    return true;
}

/* ---- BITMAP-4: the search hint ---- */

/* Whether the listed hint is the word of the lowest listed page, which *range has. */
static bool bitmap_image_find_hint(struct bitmap_audit *audit, const struct bitmap_range **range)
{
    uint64_t listed = audit->next_hint != 0 ? audit->next_hint : audit->hint;
    for (size_t i = 0; i < audit->range_count; i++) {
        *range = &audit->ranges[i];
        for (uint64_t word = 0; word < (*range)->chunks * CHUNK_WORDS; word++)
            if (bitmap_image_listed_word(audit, *range, word) != 0)
                return listed == (*range)->words + 8 * word &&
                       bitmap_image_member(audit, audit->places.hint_range) == (*range)->range.at;
    }
    return false;
}

static bool bitmap_image_is_at(const struct bitmap_audit *audit, const struct bitmap_range *range,
    uint64_t pos, uint64_t word_at)
{
    uint64_t page = range->first + (word_at - range->words) / 8 * WORD_PAGES;
    return pos >> audit->shift == page;
}

static bool bitmap_image_hint_agrees(struct bitmap_audit *audit, const struct bitmap_range *range)
{
    const struct bitmap_places *places = &audit->places;
    uint64_t listed = audit->next_hint != 0 ? audit->next_hint : audit->hint;
    uint64_t word = (listed - range->words) / 8;
    uint64_t dirty =
        bitmap_image_long_at(audit, bitmap_image_group_at(range, word / WORD_PAGES), 1);
    return (dirty >> word % WORD_PAGES & 1) != 0 &&
           bitmap_image_member(audit, places->align_limit) >> audit->shift == 1 &&
           bitmap_image_is_at(
               audit, range, bitmap_image_member(audit, places->free_from), listed) &&
           bitmap_image_is_at(
               audit, range, bitmap_image_member(audit, places->hint_at), audit->hint);
}

static bool bitmap_image_unlisted_is_apart(
    struct bitmap_audit *audit, const struct bitmap_range *range)
{
    if (audit->hint < range->words || audit->hint >= audit->next_hint ||
        (audit->hint - range->words) % 8 != 0)
        return false;
    uint64_t word = image_number(&audit->own, audit->hint, 8);
    if (!image_is_power(word))
        return false;
    uint64_t index = (audit->hint - range->words) / 8 * WORD_PAGES + image_highest(word);
    return index != 0 && range->first + index + 1 !=
                             bitmap_image_member(audit, audit->places.free_from) >> audit->shift;
}

static bool bitmap_image_check_hint(struct bitmap_audit *audit)
{
    const struct bitmap_places *places = &audit->places;
    const struct bitmap_range *range = NULL;
    if (audit->hint == 0 && bitmap_image_member(audit, places->hint_at) == 0 &&
        bitmap_image_member(audit, places->align_limit) == 0 &&
        bitmap_image_member(audit, places->hint_range) == 0 && audit->next_hint == 0 &&
        bitmap_image_member(audit, places->free_from) == 0)
        return true;
    return (bitmap_image_find_hint(audit, &range) && bitmap_image_hint_agrees(audit, range) &&
               (audit->next_hint == 0 || bitmap_image_unlisted_is_apart(audit, range))) ||
           bitmap_image_broken(audit, hint_text, audit->own.at);
}

/* ---- the whole ---- */

/* Runs of pages that are all free or all in use, as blocks. */
static bool bitmap_image_add_runs(struct bitmap_audit *audit, const struct bitmap_range *range)
{
    uint64_t from = 0;
    bool is_free = (bitmap_image_word_of(audit, range, 0) & 1) != 0;
    for (uint64_t page = 0; page <= range->pages; page++) {
        bool bit =
            page < range->pages &&
            (bitmap_image_word_of(audit, range, page / WORD_PAGES) >> page % WORD_PAGES & 1) != 0;
        audit->used += page < range->pages && !bit;
        if (page < range->pages && bit == is_free)
            continue;
        uint64_t start = (range->first + from) << audit->shift;
        if (!image_add_block(&audit->own, start, (page - from) << audit->shift, !is_free))
            return false;
        from = page;
        is_free = bit;
    }
    return true;
}

static bool bitmap_image_check_ranges(struct bitmap_audit *audit)
{
    for (size_t i = 0; i < audit->range_count; i++) {
        const struct bitmap_range *range = &audit->ranges[i];
        if (!bitmap_image_check_end(audit, range) || !bitmap_image_check_dirty(audit, range) ||
            !bitmap_image_check_nodes(audit, range) ||
            !bitmap_image_check_free_groups(audit, range) || !bitmap_image_add_runs(audit, range))
            return false;
        if (i + 1 < audit->range_count && range[1].first - range->first < range->pages)
            return bitmap_image_broken(audit, range_text, range->range.at);
        audit->pages += range->pages;
    }
    return !audit->own.lost || bitmap_image_broken(audit, range_text, audit->ranges[0].range.at);
}

static bool bitmap_image_check_totals(struct bitmap_audit *audit)
{
    const struct bitmap_places *places = &audit->places;
    uint64_t headroom = bitmap_image_member(audit, places->headroom);
    uint64_t peak = bitmap_image_member(audit, places->peak);
    uint64_t total = 0;
    uint64_t apart = 0;
    for (size_t i = 0; i < audit->range_count; i++) {
        total += audit->ranges[i].range.size + audit->ranges[i].range.meta_size;
        apart += audit->ranges[i].range.meta_size;
    }
    if (headroom > peak || audit->used != peak - headroom)
        return bitmap_image_broken(audit, used_text, audit->own.at);
    if (!image_total_agrees(&audit->own, &places->regions, total, apart) ||
        ((total - bitmap_image_member(audit, places->metadata)) & audit->own.mask) !=
            ((audit->pages << audit->shift) & audit->own.mask))
        return bitmap_image_broken(audit, total_text, audit->own.at);
    return true;
}

void image_check_bitmap(struct image_heap *heap, const struct image *image, uint64_t at)
{
    struct bitmap_audit audit = { .places = bitmap_image_places_of(image->facts.word) };
    if (!image_begin(&audit.own, heap, image, at, audit.places.size))
        return;
    audit.shift = (unsigned)image_number(&audit.own, at + audit.places.page_shift, 4);
    if (audit.shift >= 8 * image->facts.word) {
        bitmap_image_broken(&audit, total_text, at);
        return;
    }
    audit.hint = bitmap_image_member(&audit, audit.places.hint);
    audit.next_hint = bitmap_image_member(&audit, audit.places.next_hint);
    heap->unit = (uint64_t)1 << audit.shift;
    if (bitmap_image_list_ranges(&audit) && bitmap_image_check_ranges(&audit) &&
        bitmap_image_check_totals(&audit))
        bitmap_image_check_hint(&audit);
    free(audit.ranges);
}
