/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "bitmap/bitmap_words.h"

/** One bit every 2^i pages, for alignments below a word. */
static const uint64_t aligned_bits[BITMAP_WORD_LOG2] = {
    UINT64_C(0xffffffffffffffff),
    UINT64_C(0x5555555555555555),
    UINT64_C(0x1111111111111111),
    UINT64_C(0x0101010101010101),
    UINT64_C(0x0001000100010001),
    UINT64_C(0x0000000100000001),
};

/** Makes the bits of `mask` in a word 1 or 0. */
static void bitmap_word_set(uint64_t *word, uint64_t mask, bool free)
{
    *word = free ? *word | mask : *word & ~mask;
}

void acre_bitmap_words_fill(uint64_t *words, size_t index, size_t count, bool free)
{
    uint64_t *word = &words[index / BITMAP_WORD_BITS];
    size_t bit = index % BITMAP_WORD_BITS;
    size_t room = BITMAP_WORD_BITS - bit;
    size_t head = count < room ? count : room;
    bitmap_word_set(word++, acre_shift_left(bitmap_word_mask(head), bit), free);
    for (count -= head; count >= BITMAP_WORD_BITS; count -= BITMAP_WORD_BITS)
        *word++ = free ? ~(uint64_t)0 : 0;
    if (count != 0)
        bitmap_word_set(word, bitmap_word_mask(count), free);
}

bool acre_bitmap_words_are(const uint64_t *words, size_t index, size_t count, bool free)
{
    const uint64_t *word = &words[index / BITMAP_WORD_BITS];
    const uint64_t flip = free ? ~(uint64_t)0 : 0;
    size_t bit = index % BITMAP_WORD_BITS;
    size_t room = BITMAP_WORD_BITS - bit;
    size_t head = count < room ? count : room;
    if (count == 0)
        return true;
    if (((*word++ ^ flip) & acre_shift_left(bitmap_word_mask(head), bit)) != 0)
        return false;
    for (count -= head; count >= BITMAP_WORD_BITS; count -= BITMAP_WORD_BITS)
        if (*word++ != flip)
            return false;
    return count == 0 || ((*word ^ flip) & bitmap_word_mask(count)) == 0;
}

size_t acre_bitmap_words_below(const uint64_t *words, size_t index, size_t start)
{
    size_t at = index;
    while (at != start) {
        size_t bits = (at - 1) % BITMAP_WORD_BITS + 1;
        uint64_t used =
            acre_shift_left(~words[(at - 1) / BITMAP_WORD_BITS], BITMAP_WORD_BITS - bits);
        if (used != 0)
            return index - at + (size_t)ACRE_LEADING_ZEROS(used);
        at -= bits;
    }
    return index - start;
}

size_t acre_bitmap_words_above(const uint64_t *words, size_t index, size_t end)
{
    size_t at = index;
    while (at < end) {
        uint64_t used = acre_shift_right(~words[at / BITMAP_WORD_BITS], at % BITMAP_WORD_BITS);
        if (used != 0)
            return at - index + bitmap_word_lowest(used);
        at += BITMAP_WORD_BITS - at % BITMAP_WORD_BITS;
    }
    return end - index;
}

/** The 64 bits of (low, high) from bit `offset` on, 1 to 63. */
ACRE_INLINE uint64_t bitmap_word_at_offset(uint64_t low, uint64_t high, size_t offset)
{
    return acre_shift_right(low, offset) | acre_shift_left(high, BITMAP_WORD_BITS - offset);
}

/** The bits of a word from which `count` set bits follow in (low, high), count 1 to 64. */
ACRE_INLINE uint64_t bitmap_word_run_starts(uint64_t low, uint64_t high, size_t count)
{
    size_t have = 1;
    if (count == 1)
        return low;
    for (; have * 2 < count && low != 0; have *= 2) {
        low &= bitmap_word_at_offset(low, high, have);
        high &= acre_shift_right(high, have);
    }
    return low & bitmap_word_at_offset(low, high, count - have);
}

/** The longest run of set bits in a word, or `known` when none is longer. At most 64 steps. */
ACRE_INLINE size_t bitmap_word_longest(uint64_t word, size_t known)
{
    size_t want = known + 1;
    size_t have = 1;
    if (want >= 4) {
        word &= word >> 1;
        word &= word >> 2;
        have = 4;
    }
    if (word == 0 || want > BITMAP_WORD_BITS)
        return known;
    for (; have * 2 <= want; have *= 2)
        word &= acre_shift_right(word, have);
    for (word &= acre_shift_right(word, want - have); word != 0; word &= word >> 1)
        known++;
    return known;
}

/** The summary of `count` whole words. */
static struct bitmap_run bitmap_summary_of_words(const uint64_t *words, size_t count)
{
    struct bitmap_run run = { 0, 0, 0 };
    size_t at = 0;
    for (; at < count && words[at] == ~(uint64_t)0; at++)
        run.start += BITMAP_WORD_BITS;
    if (at == count)
        return bitmap_run_free(run.start);
    size_t open = run.start;
    run.start += bitmap_word_run_up(words[at]);
    for (; at < count; at++) {
        uint64_t word = words[at];
        if (word == ~(uint64_t)0) {
            open += BITMAP_WORD_BITS;
            continue;
        }
        open += bitmap_word_run_up(word);
        if (open > run.longest)
            run.longest = open;
        if (word != 0)
            run.longest = bitmap_word_longest(word, run.longest);
        open = bitmap_word_run_down(word);
    }
    run.end = open;
    if (open > run.longest)
        run.longest = open;
    return run;
}

/** The summary of the first `bits` bits of a word, 1 to 63; the others are 0. */
static struct bitmap_run bitmap_summary_of_bits(uint64_t word, size_t bits)
{
    struct bitmap_run run;
    run.start = bitmap_word_run_up(word);
    if (run.start == bits)
        return bitmap_run_free(bits);
    run.longest = bitmap_word_longest(word, run.start);
    run.end = bitmap_word_run_down(acre_shift_left(word, BITMAP_WORD_BITS - bits));
    return run;
}

struct bitmap_run acre_bitmap_words_summary(const uint64_t *words, size_t pages)
{
    size_t count = pages / BITMAP_WORD_BITS;
    size_t bits = pages % BITMAP_WORD_BITS;
    struct bitmap_run run = bitmap_summary_of_words(words, count);
    if (bits == 0)
        return run;
    return bitmap_run_join(run, pages - bits, bitmap_summary_of_bits(words[count], bits), bits);
}

/** The bits of a word that are aligned, its bit 0 having the page number `number`. */
static uint64_t bitmap_word_aligned(uintptr_t number, size_t align)
{
    size_t gap = (size_t)(0 - number) & (align - 1);
    if (gap >= BITMAP_WORD_BITS)
        return 0;
    if (align >= BITMAP_WORD_BITS)
        return acre_wide_bit(gap);
    return acre_shift_left(aligned_bits[acre_bits_lowest(align)], gap);
}

/** The bits of a word at or above index `from`, its bit 0 having the index `at`. */
static uint64_t bitmap_word_not_below(size_t at, size_t from)
{
    if (from <= at)
        return ~(uint64_t)0;
    if (from - at >= BITMAP_WORD_BITS)
        return 0;
    return acre_shift_left(~(uint64_t)0, from - at);
}

/** acre_bitmap_words_find for runs of at most a word that may begin anywhere. */
static size_t bitmap_find_unaligned(const uint64_t *words, size_t pages, size_t count)
{
    size_t open = 0;
    for (size_t at = 0; at < pages; at += BITMAP_WORD_BITS) {
        uint64_t word = words[at / BITMAP_WORD_BITS];
        if (word == ~(uint64_t)0 || open + bitmap_word_run_up(word) >= count)
            return at - open;
        uint64_t starts = bitmap_word_run_starts(word, 0, count);
        if (starts != 0)
            return at + bitmap_word_lowest(starts);
        open = bitmap_word_run_down(word);
    }
    return BITMAP_NONE;
}

/** acre_bitmap_words_find for runs of at most a word: it reads two words at a time. */
static size_t bitmap_find_short(
    const uint64_t *words, size_t pages, size_t base, const struct bitmap_want *want)
{
    for (size_t at = 0; at < pages; at += BITMAP_WORD_BITS) {
        const uint64_t *word = &words[at / BITMAP_WORD_BITS];
        uint64_t next = pages - at > BITMAP_WORD_BITS ? word[1] : 0;
        uint64_t starts = bitmap_word_run_starts(word[0], next, want->count);
        if (starts != 0)
            starts &= bitmap_word_aligned(want->first + base + at, want->align) &
                      bitmap_word_not_below(base + at, want->from);
        if (starts != 0)
            return base + at + bitmap_word_lowest(starts);
    }
    return BITMAP_NONE;
}

/** acre_bitmap_words_find for runs of more than a word: such a run reaches the border of a word. */
static size_t bitmap_find_long(
    const uint64_t *words, size_t pages, size_t base, const struct bitmap_want *want)
{
    size_t open = 0;
    for (size_t at = 0; at < pages; at += BITMAP_WORD_BITS) {
        uint64_t word = words[at / BITMAP_WORD_BITS];
        if (word == ~(uint64_t)0)
            continue;
        size_t found = bitmap_fit(want, base + open, base + at + bitmap_word_run_up(word));
        if (found != BITMAP_NONE)
            return found;
        open = at + BITMAP_WORD_BITS - bitmap_word_run_down(word);
    }
    if (open >= pages)
        return BITMAP_NONE;
    return bitmap_fit(want, base + open, base + pages);
}

size_t acre_bitmap_words_find(
    const uint64_t *words, size_t pages, size_t base, const struct bitmap_want *want)
{
    if (want->count > BITMAP_WORD_BITS)
        return bitmap_find_long(words, pages, base, want);
    if (want->align > 1 || want->from > base)
        return bitmap_find_short(words, pages, base, want);
    size_t found = bitmap_find_unaligned(words, pages, want->count);
    return found != BITMAP_NONE ? base + found : BITMAP_NONE;
}

/* ---- with conditions ---- */

/** Pages from the index `at` up to the next one that has the alignment and phase. */
static size_t bitmap_gap_up(const struct bitmap_limits *limits, size_t at)
{
    return (size_t)(limits->phase - (limits->first + at)) & (limits->align - 1);
}

/** Pages from the index `at` down to the next one that has the alignment and phase. */
static size_t bitmap_gap_down(const struct bitmap_limits *limits, size_t at)
{
    return (size_t)(limits->first + at - limits->phase) & (limits->align - 1);
}

/** Pages of a run at the index `at` before the boundary that it crosses; 0 when it crosses none. */
static size_t bitmap_before_boundary(const struct bitmap_limits *limits, size_t at)
{
    size_t offset = (size_t)(limits->first + at) & (limits->boundary - 1);
    if (limits->boundary == 0 || offset <= limits->boundary - limits->count)
        return 0;
    return limits->boundary - offset;
}

/** The lowest place in [start, end), which has room for `count` pages. */
static size_t bitmap_fit_lowest(const struct bitmap_limits *limits, size_t start, size_t end)
{
    size_t room = end - start - limits->count;
    size_t shift = bitmap_gap_up(limits, start);
    if (shift > room)
        return BITMAP_NONE;
    size_t over = bitmap_before_boundary(limits, start + shift);
    if (over > room - shift)
        return BITMAP_NONE;
    shift += over;
    size_t gap = bitmap_gap_up(limits, start + shift);
    return gap <= room - shift ? start + shift + gap : BITMAP_NONE;
}

/** The highest place in [start, end), which has room for `count` pages. */
static size_t bitmap_fit_highest(const struct bitmap_limits *limits, size_t start, size_t end)
{
    size_t top = end - limits->count;
    size_t room = top - start;
    size_t shift = bitmap_gap_down(limits, top);
    if (shift > room)
        return BITMAP_NONE;
    size_t before = bitmap_before_boundary(limits, top - shift);
    size_t over = before != 0 ? limits->count - before : 0;
    if (over > room - shift)
        return BITMAP_NONE;
    shift += over;
    size_t gap = bitmap_gap_down(limits, top - shift);
    return gap <= room - shift ? top - shift - gap : BITMAP_NONE;
}

size_t acre_bitmap_fit_within(const struct bitmap_limits *limits, size_t start, size_t end)
{
    start = start > limits->from ? start : limits->from;
    end = end < limits->to ? end : limits->to;
    if (start >= end || end - start < limits->count)
        return BITMAP_NONE;
    return limits->top_down ? bitmap_fit_highest(limits, start, end)
                            : bitmap_fit_lowest(limits, start, end);
}

/** The lowest or highest of the places `starts` in the word whose bit 0 has the index `at`, where
 * no boundary is crossed; BITMAP_NONE when there is none. */
static size_t bitmap_word_pick(uint64_t starts, size_t at, const struct bitmap_limits *limits)
{
    while (starts != 0) {
        unsigned bit = limits->top_down ? bitmap_word_highest(starts) : bitmap_word_lowest(starts);
        size_t over = bitmap_before_boundary(limits, at + bit);
        if (over == 0)
            return at + bit;
        if (!limits->top_down)
            starts &= bitmap_word_not_below(0, bit + over);
        else if (bit >= limits->count - over)
            starts &= ~bitmap_word_not_below(0, bit - (limits->count - over) + 1);
        else
            starts = 0;
    }
    return BITMAP_NONE;
}

/** acre_bitmap_words_find_within for runs of at most a word. */
static size_t bitmap_find_short_within(
    const uint64_t *words, size_t pages, size_t base, const struct bitmap_limits *limits)
{
    size_t found = BITMAP_NONE;
    for (size_t at = 0; at < pages && (found == BITMAP_NONE || limits->top_down);
         at += BITMAP_WORD_BITS) {
        const uint64_t *word = &words[at / BITMAP_WORD_BITS];
        uint64_t next = pages - at > BITMAP_WORD_BITS ? word[1] : 0;
        uint64_t starts = bitmap_word_run_starts(word[0], next, limits->count);
        if (starts == 0)
            continue;
        starts &= bitmap_word_aligned(limits->first + base + at - limits->phase, limits->align);
        starts &= bitmap_word_not_below(base + at, limits->from);
        starts &= ~bitmap_word_not_below(base + at, limits->to - limits->count + 1);
        size_t place = bitmap_word_pick(starts, base + at, limits);
        found = place != BITMAP_NONE ? place : found;
    }
    return found;
}

/** acre_bitmap_words_find_within for runs of more than a word. */
static size_t bitmap_find_long_within(
    const uint64_t *words, size_t pages, size_t base, const struct bitmap_limits *limits)
{
    size_t found = BITMAP_NONE;
    size_t at = 0;
    while (at < pages && (found == BITMAP_NONE || limits->top_down)) {
        size_t length = acre_bitmap_words_above(words, at, pages);
        size_t place = length >= limits->count
                           ? acre_bitmap_fit_within(limits, base + at, base + at + length)
                           : BITMAP_NONE;
        found = place != BITMAP_NONE ? place : found;
        at = (at + length + BITMAP_WORD_BITS) / BITMAP_WORD_BITS * BITMAP_WORD_BITS;
        if (at < pages)
            at -= bitmap_word_run_down(words[at / BITMAP_WORD_BITS - 1]);
    }
    return found;
}

size_t acre_bitmap_words_find_within(
    const uint64_t *words, size_t pages, size_t base, const struct bitmap_limits *limits)
{
    return limits->count > BITMAP_WORD_BITS ? bitmap_find_long_within(words, pages, base, limits)
                                            : bitmap_find_short_within(words, pages, base, limits);
}
