/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claims about bitmap's arithmetic: words, summaries, places where a request fits.
 */
#include "bitmap/bitmap_private.h"

#include "proof/claim.h"

CLAIM(word_scans, uint64_t word)
{
    GIVEN(word != 0);
    unsigned high = bitmap_word_highest(word), low = bitmap_word_lowest(word);
    return word >> high == 1 && word >> low << low == word && (word >> low & 1) == 1;
}

/* The run is of ones, and the bit behind it is not. */
CLAIM(word_run_up, uint64_t word)
{
    GIVEN(~word != 0);
    unsigned run = bitmap_word_run_up(word);
    uint64_t ones = ((uint64_t)1 << run) - 1;
    return (word & ones) == ones && (word >> run & 1) == 0;
}

CLAIM(word_run_down, uint64_t word)
{
    GIVEN(~word != 0);
    unsigned run = bitmap_word_run_down(word);
    uint64_t ones = ~(~(uint64_t)0 >> run);
    return (word & ones) == ones && (word >> (63 - run) & 1) == 0;
}

CLAIM(word_mask, size_t count, size_t bit)
{
    GIVEN(count >= 1 && count <= 64 && bit < 64);
    return (bitmap_word_mask(count) >> bit & 1) == (bit < count);
}

/* Pages of the ranges in the next two claims; the first page number is any. */
#define MOST_PAGES ((size_t)1 << 12)

/* A place that is found lies in the run, behind `from`, aligned, with all pages free. */
CLAIM(fit_is_right, uintptr_t first, size_t from, size_t count, unsigned log2, size_t start,
    size_t end)
{
    GIVEN(log2 < 10 && start <= end && end <= MOST_PAGES && from <= end && count != 0);
    struct bitmap_want want = {
        .count = count, .align = (size_t)1 << log2, .first = first, .from = from
    };
    size_t at = bitmap_fit(&want, start, end);
    GIVEN(at != BITMAP_NONE);
    return at >= start && at >= from && at < end && count <= end - at &&
           ((first + at) & (want.align - 1)) == 0;
}

/* No lower place fits, and none at all when none is found. */
CLAIM(fit_is_lowest, uintptr_t first, size_t from, size_t count, unsigned log2, size_t start,
    size_t end, size_t other)
{
    GIVEN(log2 < 10 && start <= end && end <= MOST_PAGES && from <= end && count != 0);
    struct bitmap_want want = {
        .count = count, .align = (size_t)1 << log2, .first = first, .from = from
    };
    GIVEN(other >= start && other >= from && other < end && count <= end - other);
    GIVEN(((first + other) & (want.align - 1)) == 0);
    return bitmap_fit(&want, start, end) <= other;
}

CLAIM(leaf, size_t start, size_t longest, size_t end)
{
    GIVEN(start <= 4096 && longest <= 4096 && end <= 4096);
    struct bitmap_run run = { start, longest, end };
    return bitmap_run_equal(bitmap_leaf_unpack(bitmap_leaf_pack(run)), run);
}

CLAIM(run_equal, size_t a, size_t b, size_t c, size_t d, size_t e, size_t f)
{
    bool same = a == d && b == e && c == f;
    return bitmap_run_equal((struct bitmap_run){ a, b, c }, (struct bitmap_run){ d, e, f }) == same;
}

/* The summary of some bits, one by one: what a join is compared with. */
static struct bitmap_run summary_of(uint32_t bits, size_t pages)
{
    struct bitmap_run run = { 0, 0, 0 };
    size_t open = 0;
    for (size_t i = 0; i < pages; i++) {
        open = (bits >> i & 1) != 0 ? open + 1 : 0;
        run.start += open == i + 1;
        run.longest = open > run.longest ? open : run.longest;
    }
    run.end = open;
    return run;
}

/* Two summaries join into that of both stretches: all contents of 8 pages and 8. */
CLAIM(join, uint32_t bits)
{
    GIVEN(bits < 1u << 16);
    struct bitmap_run joined =
        bitmap_run_join(summary_of(bits & 0xff, 8), 8, summary_of(bits >> 8, 8), 8);
    return bitmap_run_equal(joined, summary_of(bits, 16));
}

CLAIM(free_run, size_t a, size_t b)
{
    GIVEN(a != 0 && b != 0 && a <= SIZE_MAX / 2 && b <= SIZE_MAX / 2);
    struct bitmap_run joined = bitmap_run_join(bitmap_run_free(a), a, bitmap_run_free(b), b);
    return bitmap_run_equal(joined, bitmap_run_free(a + b));
}

CLAIM(numbers_round_up, size_t pages)
{
    size_t chunks = bitmap_chunks(pages), parents = bitmap_parents(pages),
           words = bitmap_set_words(pages);
    return chunks == pages / 512 + (pages % 512 > 0) && parents == pages / 8 + (pages % 8 > 0) &&
           words == pages / 64 + (pages % 64 > 0);
}

/* The bits of the chunk of a word: eight, one of them the word's, on a multiple of eight. */
CLAIM(chunk_bits, size_t word)
{
    GIVEN(word < 64);
    uint64_t bits = bitmap_chunk_bits(word);
    return (bits >> word & 1) == 1 && bits >> (word / 8 * 8) == 0xff;
}
