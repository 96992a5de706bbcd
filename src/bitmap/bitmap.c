/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The hot paths, alloc and dealloc of pages; see bitmap_private.h for the structure.
 */
#include "bitmap/bitmap_private.h"

#if ACRE_MAX_POOL == 0

/* ---- alloc ---- */

/** Takes the lowest page of the hint, which is listed, also when it is the last one of its word. */
static ACRE_NOINLINE struct acre_num bitmap_alloc_from_hint(struct acre_bitmap *self)
{
    uint64_t word = *self->hint;
    ACRE_ASSERT(word != 0 && self->next_hint == NULL); /* BITMAP-4 */
    uintptr_t page = (self->hint_at >> self->page_shift) + bitmap_word_lowest(word);
    *self->hint = word & (word - 1);
    if (*self->hint == 0)
        acre_bitmap_advance_hint(self);
    return bitmap_count_used(self, page, 1);
}

/** A run of pages; `align` is in pages. */
static ACRE_NOINLINE struct acre_num bitmap_alloc_run(
    struct acre_bitmap *self, size_t count, size_t align)
{
    uintptr_t page = 0;
    bitmap_list_any(self);
    bool found = self->next_fit && acre_bitmap_span_find(self, count, align, self->cursor, &page);
    if (!found && !acre_bitmap_span_find(self, count, align, 0, &page))
        return bitmap_no_memory(self);
    acre_bitmap_span_set(self, page, count, false);
    self->cursor = page + count;
    return bitmap_count_used(self, page, count);
}

/** Anything but one page of any alignment while there is a hint. */
static ACRE_NOINLINE struct acre_num bitmap_alloc_slow(
    struct acre_bitmap *self, size_t count, size_t align)
{
    if (count == 0 || !acre_is_pow2(align))
        return bitmap_refuse(ACRE_INVALID_PARAM);
    align >>= bitmap_page_shift(self);
    if (count != 1 || align > 1 || self->next_fit)
        return bitmap_alloc_run(self, count, align != 0 ? align : 1);
    if (!acre_bitmap_find_hint(self))
        return bitmap_no_memory(self);
    return bitmap_alloc_from_hint(self);
}

/** Returns to the hint before the unlisted page, which is being taken; false when there is none. */
ACRE_INLINE bool bitmap_leave_unlisted(struct acre_bitmap *self)
{
    if (self->next_hint == NULL)
        return false;
    self->hint = self->next_hint;
    self->hint_at = self->free_from;
    self->next_hint = NULL;
    ACRE_ASSERT(*self->hint != 0); /* BITMAP-4 */
    return true;
}

struct acre_num acre_bitmap_alloc_pages(struct acre_bitmap *self, size_t count, size_t align)
{
    if (((count ^ 1) | (align & (align - 1))) != 0 || align - 1 >= self->align_limit)
        return bitmap_alloc_slow(self, count, align);
    uint64_t *hint = self->hint;
    uintptr_t pos = self->hint_at;
    uint64_t word = *hint;
    uint64_t rest = word & (word - 1);
    if (ACRE_UNLIKELY(rest == 0) && !bitmap_leave_unlisted(self))
        return bitmap_alloc_from_hint(self);
    *hint = rest;
    if (self->headroom-- == 0) {
        self->headroom = 0;
        self->peak++;
    }
    pos += (uintptr_t)bitmap_word_lowest(word) << self->page_shift;
    return (struct acre_num){ pos, ACRE_OK };
}

/* ---- dealloc ---- */

/** Frees a run of pages. */
static ACRE_NOINLINE enum acre_status bitmap_dealloc_run(
    struct acre_bitmap *self, uintptr_t page, size_t count)
{
    if (!acre_bitmap_span_is(self, page, count, false))
        return ACRE_NOT_ALLOCATED;
    bitmap_list_any(self);
    acre_bitmap_span_set(self, page, count, true);
    self->headroom += count;
    ACRE_ASSERT(self->headroom <= self->peak); /* BITMAP-3 */
    return ACRE_OK;
}

/** Anything but one page in use that lies above the hint, in a dirty chunk of the cached range. */
static ACRE_NOINLINE enum acre_status bitmap_dealloc_slow(
    struct acre_bitmap *self, uintptr_t pos, size_t count)
{
    unsigned shift = bitmap_page_shift(self);
    uintptr_t page = pos >> shift;
    if (count == 0 || page << shift != pos)
        return ACRE_INVALID_PARAM;
    if (count == 1)
        return acre_bitmap_free_page(self, page);
    return bitmap_dealloc_run(self, page, count);
}

/** bitmap_dealloc_slow for a page of the cached range. */
static ACRE_NOINLINE enum acre_status bitmap_dealloc_cached(struct acre_bitmap *self, size_t index)
{
    return acre_bitmap_free_page(self, (self->cached_start >> self->page_shift) + index);
}

/** True when no summary changes by a page in use being freed, in a chunk that is not dirty: the
 * free run that it joins ends on both sides within its word, all of whose pages are there, and is
 * not the longest of the chunk. */
ACRE_INLINE bool bitmap_is_silent(const struct acre_bitmap *self, size_t index, uint64_t freed)
{
    size_t leaves = bitmap_chunks(self->cached_pages) * BITMAP_CHUNK_WORDS;
    uint64_t leaf = self->cached_words[leaves + (index >> BITMAP_CHUNK_LOG2)];
    size_t run = bitmap_word_run_around(freed, index % BITMAP_WORD_BITS);
    return run != 0 && run <= bitmap_leaf_unpack(leaf).longest &&
           (index | (BITMAP_WORD_BITS - 1)) < self->cached_pages;
}

/** A page of the cached range, not below the hint, that is free or lies in a chunk that is not
 * dirty. The chunk becomes dirty if another one of its group is, or stays as it is if no summary
 * changes. */
static ACRE_NOINLINE enum acre_status bitmap_dealloc_clean(struct acre_bitmap *self, size_t index)
{
    size_t word_at = index >> BITMAP_WORD_LOG2;
    uint64_t freed = self->cached_words[word_at] | acre_wide_bit(index);
    struct acre_bitmap_group *group = &self->cached_groups[index >> BITMAP_GROUP_LOG2];
    if (freed == self->cached_words[word_at])
        return ACRE_NOT_ALLOCATED;
    if (group->dirty != 0)
        group->dirty |= bitmap_chunk_bits(word_at);
    else if (!bitmap_is_silent(self, index, freed))
        return bitmap_dealloc_cached(self, index);
    self->cached_words[word_at] = freed;
    group->free_words |= acre_wide_bit(word_at);
    self->headroom++;
    return ACRE_OK;
}

/**
 * A page of the cached range below the hint, where all are in use but an unlisted one: it becomes
 * the unlisted page if there is none yet and the page above, which may be the hint's, is in use.
 */
static ACRE_NOINLINE enum acre_status bitmap_dealloc_below(struct acre_bitmap *self, size_t index)
{
    uint64_t *word = &self->cached_words[index >> BITMAP_WORD_LOG2];
    uintptr_t pos = self->cached_start + (index << self->page_shift);
    /* While there is a hint, align_limit is the size of a page. */
    if (self->next_hint != NULL || index == 0 || pos + self->align_limit == self->hint_at ||
        self->hint_range->words != self->cached_words)
        return bitmap_dealloc_cached(self, index);
    ACRE_ASSERT(*word == 0 && self->align_limit >> self->page_shift == 1); /* BITMAP-4 */
    *word = acre_wide_bit(index);
    self->next_hint = self->hint;
    self->hint = word;
    self->hint_at = pos - ((index & (BITMAP_WORD_BITS - 1)) << self->page_shift);
    self->headroom++;
    return ACRE_OK;
}

/** The index of the page at a distance in bytes; larger than any when that is no whole page. */
ACRE_INLINE size_t bitmap_page_at(uintptr_t distance, unsigned page_shift)
{
    return distance >> page_shift |
           distance << ((0u - page_shift) & (unsigned)(sizeof distance * 8 - 1));
}

enum acre_status acre_bitmap_dealloc_pages(struct acre_bitmap *self, uintptr_t pos, size_t count)
{
    size_t index = bitmap_page_at(pos - self->cached_start, self->page_shift);
    size_t word_at = index >> BITMAP_WORD_LOG2;
    if (ACRE_UNLIKELY(count != 1 || index >= self->cached_pages))
        return bitmap_dealloc_slow(self, pos, count);
    if (pos < self->free_from)
        return bitmap_dealloc_below(self, index);
    uint64_t *word = &self->cached_words[word_at];
    struct acre_bitmap_group *group = &self->cached_groups[index >> BITMAP_GROUP_LOG2];
    if (ACRE_UNLIKELY(acre_wide_has(*word, index) || !acre_wide_has(group->dirty, word_at)))
        return bitmap_dealloc_clean(self, index);
    ACRE_ASSERT(group->free_words != 0); /* BITMAP-9 */
    *word |= acre_wide_bit(index);
    group->free_words |= acre_wide_bit(word_at);
    self->headroom++;
    return ACRE_OK;
}

#endif
