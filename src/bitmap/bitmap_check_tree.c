/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The checker, for what stands over the words: summaries, sets of groups, the search hint.
 */
#include "bitmap/bitmap_private.h"

#if ACRE_MAX_POOL == 0

/** A word without its page that is not listed. */
static uint64_t bitmap_listed_word(const struct acre_bitmap *self, const uint64_t *word)
{
    return self->next_hint != NULL && self->hint == word ? 0 : *word;
}

/* ---- the search hint ---- */

/** The word of the lowest free page in a range, or null. */
static const uint64_t *bitmap_lowest_word(
    const struct acre_bitmap *self, const struct acre_bitmap_range *range)
{
    size_t words = bitmap_words(range);
    for (size_t word = 0; word < words; word++)
        if (bitmap_listed_word(self, &range->words[word]) != 0)
            return &range->words[word];
    return NULL;
}

/** The listed hint. */
static const uint64_t *bitmap_listed_hint(const struct acre_bitmap *self)
{
    return self->next_hint != NULL ? self->next_hint : self->hint;
}

/** True when the listed hint is the word of the lowest listed page, and its range that word's. */
static bool bitmap_hint_is_lowest(const struct acre_bitmap *self)
{
    const struct acre_bitmap_range *range = bitmap_first_range(self);
    for (; range != NULL; range = bitmap_next_range(range)) {
        const uint64_t *word = bitmap_lowest_word(self, range);
        if (word != NULL)
            return bitmap_listed_hint(self) == word && self->hint_range == range;
    }
    return false;
}

/** True when a position is that of a word of the hint's range. */
static bool bitmap_is_at(const struct acre_bitmap *self, uintptr_t pos, size_t word)
{
    return pos >> self->page_shift == self->hint_range->first + (word << BITMAP_WORD_LOG2);
}

/** True when the fields that go with the hint agree with it. */
static bool bitmap_hint_agrees(const struct acre_bitmap *self)
{
    const struct acre_bitmap_range *range = self->hint_range;
    size_t word = (size_t)(bitmap_listed_hint(self) - range->words);
    uint64_t dirty = range->groups[word / BITMAP_WORD_BITS].dirty;
    return acre_wide_has(dirty, word) && self->align_limit >> self->page_shift == 1 &&
           bitmap_is_at(self, self->free_from, word) &&
           bitmap_is_at(self, self->hint_at, (size_t)(self->hint - range->words));
}

/** True when the unlisted page is alone in its word and below next_hint, between used pages: the
 * one below it is listed nowhere, since next_hint has the lowest page that is. */
static bool bitmap_unlisted_is_apart(const struct acre_bitmap *self)
{
    const struct acre_bitmap_range *range = self->hint_range;
    /* A null hint is below the words. NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
    if (self->hint < range->words || self->hint >= self->next_hint || *self->hint == 0 ||
        (*self->hint & (*self->hint - 1)) != 0)
        return false;
    size_t index =
        (size_t)(self->hint - range->words) * BITMAP_WORD_BITS + bitmap_word_lowest(*self->hint);
    return index != 0 && range->first + index + 1 != self->free_from >> self->page_shift;
}

struct acre_check_result acre_bitmap_check_hint(const struct acre_bitmap *self)
{
    if (self->hint == NULL && self->hint_at == 0 && self->align_limit == 0 &&
        self->hint_range == NULL && self->next_hint == NULL && self->free_from == 0)
        return acre_check_sound();
    if (!bitmap_hint_is_lowest(self) || !bitmap_hint_agrees(self) ||
        (self->next_hint != NULL && !bitmap_unlisted_is_apart(self)))
        return acre_check_broken(
            "BITMAP-4: the search hint is the word of the lowest free page", self);
    return acre_check_sound();
}

/* ---- the sets of groups ---- */

/** The upper levels of a set: bit w is set just when word w below is not 0. */
static bool bitmap_set_level_holds(const struct bitmap_set *set, unsigned level, size_t words)
{
    size_t bits = bitmap_set_words(words) * BITMAP_WORD_BITS;
    for (size_t at = 0; at < bits; at++) {
        uint64_t word = set->bits[level + 1][at / BITMAP_WORD_BITS];
        if (acre_wide_has(word, at) != (at < words && set->bits[level][at] != 0))
            return false;
    }
    return true;
}

/** True when the upper levels of a set agree with the lowest; counts its members. */
static bool bitmap_set_holds(const struct bitmap_set *set, size_t *members)
{
    size_t words = bitmap_set_words(set->size);
    unsigned level = 0;
    *members = 0;
    for (size_t at = 0; at < words; at++)
        *members += acre_bits_count(set->bits[0][at]);
    for (; words > 1; words = bitmap_set_words(words), level++)
        if (!bitmap_set_level_holds(set, level, words))
            return false;
    return true;
}

/** The free_words that a group must have. */
static uint64_t bitmap_due_free_words(
    const struct acre_bitmap *self, const struct acre_bitmap_range *range, size_t group)
{
    size_t words = bitmap_words(range);
    size_t word = group * BITMAP_WORD_BITS;
    uint64_t bits = 0;
    for (unsigned bit = 0; bit < BITMAP_WORD_BITS && word < words; bit++, word++)
        bits |= bitmap_listed_word(self, &range->words[word]) != 0 ? acre_wide_bit(bit) : 0;
    return bits;
}

static struct acre_check_result bitmap_check_free_groups(
    const struct acre_bitmap *self, const struct acre_bitmap_range *range)
{
    static const char broken[] =
        "BITMAP-8: the free sets have every word and group with a free page";
    size_t groups = bitmap_groups(range);
    size_t members;
    size_t found = 0;
    for (size_t group = 0; group < groups; group++) {
        bool is_member = bitmap_set_has(&range->free_groups, group);
        uint64_t due = bitmap_due_free_words(self, range, group);
        found += is_member;
        if (range->groups[group].free_words != due || is_member != (due != 0))
            return acre_check_broken(broken, &range->groups[group]);
    }
    if (!bitmap_set_holds(&range->free_groups, &members) || members != found)
        return acre_check_broken(broken, range->free_groups.bits[0]);
    return acre_check_sound();
}

/** True when a group's dirty chunks are whole chunks, and the group is in the set. */
static bool bitmap_may_be_dirty(const struct acre_bitmap_range *range, size_t group)
{
    const struct acre_bitmap_group *at = &range->groups[group];
    const uint64_t but_last =
        UINT64_C(0x7f7f7f7f7f7f7f7f); /* bits below another one of the chunk */
    return ((at->dirty ^ at->dirty >> 1) & but_last) == 0 &&
           (at->dirty == 0 || (at->free_words != 0 && bitmap_set_has(&range->dirty_groups, group)));
}

static struct acre_check_result bitmap_check_dirty(
    const struct acre_bitmap *self, const struct acre_bitmap_range *range)
{
    static const char broken[] = "BITMAP-9: dirty chunks lie in groups of the dirty set";
    size_t groups = bitmap_groups(range);
    size_t members;
    for (size_t group = 0; group < groups; group++)
        if (!bitmap_may_be_dirty(range, group))
            return acre_check_broken(broken, &range->groups[group]);
    if (!bitmap_set_holds(&range->dirty_groups, &members) || members != range->dirty_count ||
        range->dirty_count > self->max_dirty)
        return acre_check_broken(broken, range->dirty_groups.bits[0]);
    return acre_check_sound();
}

/* ---- summaries ---- */

/** True when a summary may be stale. */
static bool bitmap_may_be_stale(const struct acre_bitmap_range *range, unsigned level, size_t index)
{
    if (level == 0)
        return (range->groups[index / BITMAP_FANOUT].dirty &
                   bitmap_chunk_bits(index * BITMAP_CHUNK_WORDS)) != 0;
    return level == 1 && bitmap_set_has(&range->dirty_groups, index);
}

/** The summary that a node must have: acre_bitmap_tree_compute without the unlisted page. */
static struct bitmap_run bitmap_due_summary(const struct acre_bitmap *self,
    const struct acre_bitmap_range *range, unsigned level, size_t index)
{
    uint64_t words[BITMAP_CHUNK_WORDS];
    if (level != 0)
        return acre_bitmap_tree_compute(range, level, index);
    for (size_t word = 0; word < BITMAP_CHUNK_WORDS; word++)
        words[word] = bitmap_listed_word(self, &range->words[index * BITMAP_CHUNK_WORDS + word]);
    return acre_bitmap_words_summary(words, acre_bitmap_tree_width(range, 0, index));
}

static struct acre_check_result bitmap_check_node(const struct acre_bitmap *self,
    const struct acre_bitmap_range *range, unsigned level, size_t index)
{
    struct bitmap_run stored = acre_bitmap_tree_get(range, level, index);
    if (bitmap_may_be_stale(range, level, index) ||
        bitmap_run_equal(stored, bitmap_due_summary(self, range, level, index)))
        return acre_check_sound();
    if (level == 0)
        return acre_check_broken(
            "BITMAP-5: a leaf is the summary of its chunk", &range->leaves[index]);
    return acre_check_broken("BITMAP-6: a node joins its children",
        level == 1 ? (const void *)&range->groups[index] : &range->nodes[level - 2][index]);
}

static struct acre_check_result bitmap_check_nodes(
    const struct acre_bitmap *self, const struct acre_bitmap_range *range)
{
    size_t nodes = bitmap_chunks(range->pages);
    for (unsigned level = 0; level <= range->top; level++) {
        for (size_t index = 0; index < nodes; index++) {
            struct acre_check_result result = bitmap_check_node(self, range, level, index);
            if (result.invariant != NULL)
                return result;
        }
        nodes = bitmap_parents(nodes);
    }
    return acre_check_sound();
}

struct acre_check_result acre_bitmap_check_tree(
    const struct acre_bitmap *self, const struct acre_bitmap_range *range)
{
    struct acre_check_result result = bitmap_check_dirty(self, range);
    if (result.invariant == NULL)
        result = bitmap_check_nodes(self, range);
    if (result.invariant == NULL)
        result = bitmap_check_free_groups(self, range);
    return result;
}

#endif
