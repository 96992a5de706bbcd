/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's alloc and dealloc in builds with a largest pool (ACRE_MAX_POOL) and over compact
 * structures: short code before fast code, one path for all sizes, and still no loop. Lists are
 * last in, first out, and every free block is in one.
 */
#include "tlsf/tlsf_small.h"
#include "base/exhausted.h"
#include "tlsf/tlsf_cut.h"

#if ACRE_MAX_POOL != 0

_Static_assert(
    ACRE_MAX_POOL > 0 && ACRE_MAX_POOL <= INT32_MAX, "a largest pool has less than 2^31 bytes");
_Static_assert((ACRE_MAX_POOL) / ACRE_TLSF_GRANULE >> (sizeof(acre_tlsf_field) * 8 - 2) == 0,
    "a header has a field for the largest pool");

#endif

/* small_list_of(), for all callers in here. */
ACRE_INLINE size_t small_list(const struct acre_tlsf *tlsf, size_t span)
{
    return small_list_of(tlsf, span);
}

/* Writes a list's head when its first block goes; the list's bit, which is set, follows. */
ACRE_INLINE void small_set_next_first(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *next, size_t list)
{
    if (next != NULL) {
        small_set_block_first(tlsf, list, next);
        return;
    }
    small_set_first(tlsf, list, NULL);
    *small_bits(tlsf, list) ^= tlsf_bit(list);
}

/* Takes any free block, of a known span, out of its list. */
ACRE_INLINE void small_unlink(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    size_t list = small_list(tlsf, span);
    struct acre_tlsf_block *next = block->next;
    if (small_is_first(tlsf, list, block)) {
        small_set_next_first(tlsf, next, list);
        return;
    }
    struct acre_tlsf_block *prev = block->prev;
    ACRE_ASSERT(prev->next == block); /* TLSF-6 */
    prev->next = next;
    if (next != NULL)
        next->prev = prev;
}

/* Puts any free block into its list. */
ACRE_INLINE void small_insert(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    size_t list = small_list(tlsf, span);
    struct acre_tlsf_block *next = small_first(tlsf, list);
    *small_bits(tlsf, list) |= tlsf_bit(list);
    small_set_block_first(tlsf, list, block);
    block->next = next;
    if (next != NULL)
        next->prev = block;
}

void acre_tlsf_small_unlink(struct acre_tlsf *tlsf, struct acre_tlsf_block *block)
{
    small_unlink(tlsf, block, tlsf_span(block));
}

void acre_tlsf_small_insert(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    small_insert(tlsf, block, span);
}

/* In place where alignments are left out, which leaves room for it: a fifth off the longest path. */
ACRE_INLINE void small_unlink_merged(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    if (TLSF_ALIGNED)
        acre_tlsf_small_unlink(tlsf, block);
    else
        small_unlink(tlsf, block, span);
}

ACRE_INLINE void small_insert_merged(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    if (TLSF_ALIGNED)
        acre_tlsf_small_insert(tlsf, block, span);
    else
        small_insert(tlsf, block, span);
}

/* ---- alloc ---- */

/* Whether a request of a valid layout, which takes so many granules, fits into a block; not when
 * there is no block. */
static bool small_fits(
    const struct acre_tlsf_block *block, size_t granules, struct acre_layout layout)
{
    size_t span = block != NULL ? tlsf_span(block) : 0;
    return span >= 4 * granules && acre_tlsf_would_fit(block, span, layout);
}

/* The first block of the first list from `list` on that has one; null: none has. */
static struct acre_tlsf_block *small_first_from(const struct acre_tlsf *tlsf, size_t list)
{
    list = small_find_list(tlsf, list);
    return list != SMALL_NO_LIST ? small_first(tlsf, list) : NULL;
}

/* A block that fits where its address matters: the first of the request's own list, the next
 * larger one, or one so large that every alignment fits. */
static struct acre_tlsf_block *small_find_aligned(
    const struct acre_tlsf *tlsf, struct acre_layout layout)
{
    size_t granules = tlsf_granules(layout.size);
    if (granules == 0)
        return NULL;
    size_t list = small_list(tlsf, 4 * granules);
    struct acre_tlsf_block *block = small_first(tlsf, list);
    if (small_fits(block, granules, layout))
        return block;
    block = small_first_from(tlsf, list + 1);
    if (block == NULL || small_fits(block, granules, layout))
        return block;
    size_t enough = granules + (layout.align >> ACRE_TLSF_GRANULE_LOG2) + 1;
    return enough <= TLSF_MAX_GRANULES
               ? small_first_from(tlsf, small_list(tlsf, 4 * (enough - 1)) + 1)
               : NULL;
}

#if ACRE_MAX_POOL != 0

static struct acre_ptr small_retry(void *self, struct acre_layout layout)
{
    return acre_tlsf_alloc(self, layout);
}

/* Ends an alloc that found no block. Size and alignment apart: a struct would be kept on the
 * stack. */
static ACRE_NOINLINE struct acre_ptr small_refuse(struct acre_tlsf *tlsf, size_t size, size_t align)
{
    struct acre_layout layout = acre_layout(size, align);
    if (tlsf->alloc_slow != NULL) {
        struct acre_ptr got = tlsf->alloc_slow(tlsf, layout);
        if (got.ptr != NULL)
            return got;
    }
    return acre_retry_exhausted(&tlsf->on_exhausted, &tlsf->failed, small_retry, tlsf, layout);
}

/* Makes a block whose header is written live. */
static struct acre_ptr small_mark_live(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    if (!TLSF_ONE_REGION)
        return acre_tlsf_mark_live(tlsf, block, span);
    tlsf_set_live(tlsf, block);
    tlsf_add_used(tlsf, span);
    return (struct acre_ptr){ block, ACRE_OK };
}

#else

/* The caller, tlsf_refuse(), ends the call. */
static struct acre_ptr small_refuse(struct acre_tlsf *tlsf, size_t size, size_t align)
{
    (void)tlsf;
    (void)size;
    (void)align;
    return (struct acre_ptr){ NULL, ACRE_NO_MEMORY };
}

/* The region that has a granule at an address, and the granule's number there; null: none has. */
static ACRE_NOINLINE const struct acre_tlsf_region *compact_find_granule(
    const struct acre_tlsf *tlsf, const void *at, size_t *offset)
{
    const struct acre_region *found = acre_regions_find_short(&tlsf->regions, (uintptr_t)at);
    const struct acre_tlsf_region *region = (const struct acre_tlsf_region *)found;
    if (region == NULL)
        region = tlsf_region_at(tlsf, (uintptr_t)at);
    if (region == NULL)
        return NULL;
    *offset = tlsf_offset(region->base, at);
    return *offset < region->granules ? region : NULL;
}

static struct acre_ptr small_mark_live(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    size_t offset = 0;
    const struct acre_tlsf_region *region = compact_find_granule(tlsf, block, &offset);
    ACRE_ASSERT(region != NULL && !tlsf_test(region->live_map, offset)); /* TLSF-1, TLSF-5 */
    region->live_map[offset >> TLSF_WORD_LOG2] |= tlsf_bit(offset);
    tlsf->live_blocks++;
    if (ACRE_UNLIKELY((tlsf->headroom -= (ptrdiff_t)span) < 0))
        return acre_tlsf_raise_peak(tlsf, block);
    return (struct acre_ptr){ block, ACRE_OK };
}

#endif

/* Cuts `span` off a free block that is in no list, or all of it when the rest is no block, and
 * writes its header; returns the span that it has then. `flags` go into the header. */
ACRE_INLINE size_t small_cut(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t whole,
    size_t span, unsigned flags)
{
    struct acre_tlsf_block *end = tlsf_after(block, whole);
    size_t rest = whole - span;
    if (rest < TLSF_MIN_SPAN) {
        span = whole;
        tlsf_clear_prev_free(end);
    } else {
        struct acre_tlsf_block *remainder = tlsf_after(block, span);
        tlsf_set_free(remainder, rest, end);
        small_insert_merged(tlsf, remainder, rest);
    }
    *tlsf_header(block) = (acre_tlsf_field)(span | flags);
    return span;
}

/* Allocates `size` bytes of a listed block from `at` on; the request fits there. */
static struct acre_ptr small_alloc_at(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, struct acre_tlsf_block *at, size_t size)
{
    size_t gap = tlsf_span_between(block, at);
    size_t whole = tlsf_span(block);
    acre_tlsf_small_unlink(tlsf, block);
    if (gap != 0) {
        tlsf_set_free(block, gap, at);
        acre_tlsf_small_insert(tlsf, block, gap);
    }
    unsigned flags = gap != 0 ? TLSF_PREV_FREE : 0;
    return small_mark_live(
        tlsf, at, small_cut(tlsf, at, whole - gap, 4 * tlsf_granules(size), flags));
}

/* Serves an alignment above the granule; refuses one that is not a power of two. */
static ACRE_NOINLINE struct acre_ptr small_alloc_aligned(
    struct acre_tlsf *tlsf, size_t size, size_t align)
{
    if (!TLSF_ALIGNED || !acre_is_pow2(align))
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    struct acre_tlsf_block *block = small_find_aligned(tlsf, acre_layout(size, align));
    if (block == NULL)
        return small_refuse(tlsf, size, align);
    return small_alloc_at(tlsf, block, tlsf_aligned_in(block, align), size);
}

/* The first block of the request's own list where it is large enough, else of the next list that
 * has one: all blocks there are. */
ACRE_INLINE struct acre_ptr small_alloc(struct acre_tlsf *tlsf, size_t size, size_t align)
{
    if (ACRE_UNLIKELY(tlsf_is_odd_alignment(align)))
        return small_alloc_aligned(tlsf, size, align);
    size_t span = 4 * tlsf_granules(size);
    if (ACRE_UNLIKELY(span == 0))
        return small_refuse(tlsf, size, align);
    size_t list = small_list(tlsf, span);
    struct acre_tlsf_block *block = small_known_first(tlsf, list);
    if (!small_has(tlsf, list) || tlsf_span(block) < span) {
        list = small_find_list(tlsf, list + 1);
        if (ACRE_UNLIKELY(list == SMALL_NO_LIST))
            return small_refuse(tlsf, size, align);
        block = small_known_first(tlsf, list);
    }
    size_t whole = tlsf_span(block);
    small_set_next_first(tlsf, block->next, list);
    return small_mark_live(tlsf, block, small_cut(tlsf, block, whole, span, 0));
}

/* ---- dealloc ---- */

#if ACRE_MAX_POOL == 0 || ACRE_REGIONS

/* Calls on_released if the free block before `end` may be all of a region. */
static ACRE_NOINLINE void small_notify(
    struct acre_tlsf *tlsf, const struct acre_tlsf_block *block, const struct acre_tlsf_block *end)
{
    if (tlsf->on_released == NULL || tlsf_span(end) != 0)
        return;
    const void *inside = (const char *)end - ACRE_TLSF_GRANULE;
    const struct acre_tlsf_region *region = acre_tlsf_region_of(tlsf, inside);
    ACRE_ASSERT(region != NULL && (region->joined || region->last == end)); /* TLSF-2: one chain */
    if (!region->joined && region->first != block)
        return;
    size_t had = tlsf->live_at_release;
    size_t has = tlsf->live_blocks;
    tlsf->live_at_release = has;
    tlsf->on_released(tlsf->on_released_arg, had > has ? had - has : 1);
}

#else

static void small_notify(
    struct acre_tlsf *tlsf, const struct acre_tlsf_block *block, const struct acre_tlsf_block *end)
{
    (void)tlsf;
    (void)block;
    (void)end;
}

#endif

/* Frees a block whose live bit is cleared. */
static enum acre_status small_free(struct acre_tlsf *tlsf, struct acre_tlsf_block *block)
{
    size_t header = *tlsf_header(block);
    size_t span = header & ~(size_t)TLSF_FLAGS;
    struct acre_tlsf_block *next = tlsf_after(block, span);
    tlsf_count_freed(tlsf, span);
    if (tlsf_is_free(next)) {
        size_t above = tlsf_span(next);
        small_unlink_merged(tlsf, next, above);
        span += above;
        next = tlsf_after(next, above);
    }
    if ((header & TLSF_PREV_FREE) != 0) {
        size_t before = *tlsf_size_before(block);
        block = tlsf_before(block, before);
        small_unlink_merged(tlsf, block, before);
        span += before;
    }
    tlsf_set_free(block, span, next);
    tlsf_set_prev_free(next);
    small_insert_merged(tlsf, block, span);
    small_notify(tlsf, block, next);
    return ACRE_OK;
}

/* ---- the verbs of a small build ---- */

#if ACRE_MAX_POOL != 0

struct acre_ptr acre_tlsf_alloc(struct acre_tlsf *tlsf, struct acre_layout layout)
{
    if (TLSF_HARDEN)
        acre_tlsf_validate_for(tlsf, layout);
    return small_alloc(tlsf, layout.size, layout.align);
}

enum acre_status acre_tlsf_free_block(struct acre_tlsf *tlsf, struct acre_tlsf_block *block)
{
    return small_free(tlsf, block);
}

/* Clears the live bit of a block outside the cached region; false when it has none. */
static bool small_clear_live_uncached(struct acre_tlsf *tlsf, void *ptr)
{
    size_t offset = 0;
    const struct acre_tlsf_region *region = acre_tlsf_find_granule(tlsf, ptr, &offset);
    if (region == NULL || !tlsf_test(region->shared_map, offset) ||
        (TLSF_HARDEN && !acre_tlsf_is_sound_live(tlsf, ptr)))
        return false;
    region->shared_map[offset >> TLSF_WORD_LOG2] &= tlsf_all_but(offset);
    tlsf_cache_region(tlsf, region);
    return true;
}

/* Clears the live bit of a block; false when `ptr` is none. */
static bool small_clear_live(struct acre_tlsf *tlsf, void *ptr)
{
    size_t offset = tlsf_offset(tlsf->base, ptr);
    if (!ACRE_CHECK_POINTERS)
        return true;
    if (offset >= tlsf->granules)
        return !TLSF_ONE_REGION && small_clear_live_uncached(tlsf, ptr);
    if (!tlsf_test(tlsf->live_map, offset) || (TLSF_HARDEN && !acre_tlsf_is_sound_live(tlsf, ptr)))
        return false;
    tlsf->live_map[offset >> TLSF_WORD_LOG2] ^= tlsf_bit(offset); /* it is set */
    return true;
}

enum acre_status acre_tlsf_dealloc(struct acre_tlsf *tlsf, void *ptr)
{
    return small_clear_live(tlsf, ptr) ? small_free(tlsf, ptr) : ACRE_NOT_ALLOCATED;
}

enum acre_status acre_tlsf_dealloc_sized(
    struct acre_tlsf *tlsf, void *ptr, struct acre_layout layout)
{
    if (!tlsf_is_sound(tlsf, ptr))
        return ACRE_NOT_ALLOCATED;
    if (!acre_tlsf_matches_layout(ptr, layout))
        return ACRE_INVALID_PARAM;
    return acre_tlsf_dealloc(tlsf, ptr);
}

void acre_tlsf_make_compact(struct acre_tlsf *tlsf, size_t largest)
{
    (void)tlsf;
    (void)largest;
}

/* ---- compact structures ---- */

#else

/* tlsf_refuse() calls this for every request. */
static struct acre_ptr compact_alloc(struct acre_tlsf *tlsf, struct acre_layout layout)
{
    return small_alloc(tlsf, layout.size, layout.align);
}

static bool compact_resize(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t size)
{
    size_t want = 4 * tlsf_granules(size);
    return want != 0 && tlsf_cut_live(tlsf, block, want, true);
}

static enum acre_status compact_dealloc(struct acre_tlsf *tlsf, void *ptr)
{
    size_t offset = 0;
    const struct acre_tlsf_region *region = compact_find_granule(tlsf, ptr, &offset);
    if (region == NULL || !tlsf_test(region->live_map, offset))
        return ACRE_NOT_ALLOCATED;
    region->live_map[offset >> TLSF_WORD_LOG2] ^= tlsf_bit(offset);
    return small_free(tlsf, ptr);
}

static const struct acre_tlsf_compact_ops compact_ops = {
    .unlink = acre_tlsf_small_unlink,
    .insert = acre_tlsf_small_insert,
    .find_aligned = small_find_aligned,
    .alloc_at = small_alloc_at,
    .resize = compact_resize,
    .dealloc = compact_dealloc,
};

void acre_tlsf_make_compact(struct acre_tlsf *tlsf, size_t largest)
{
    tlsf->compact_ops = &compact_ops;
    tlsf->alloc_slow = compact_alloc;
    tlsf->compact.largest = largest;
    tlsf->compact.lists = tlsf_compact_lists(largest);
}

#endif
