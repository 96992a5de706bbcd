/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Bitmap allocator: pages and ids, first fit, in time that depends on the levels of a tree and not
 * on the number of pages.
 *
 * One bit per page says whether the page is free. A tree of summaries stands over the bits: one
 * summary per 512 pages (a chunk), then one per 8 summaries below. A summary holds the length of
 * the free run at the start of its pages, of the longest free run, and of the free run at their
 * end, so a search reads only a few summaries per level. (Go's page allocator uses the same idea.)
 *
 * A call for a single page or a short run changes bits and marks the summaries of the surrounding
 * 4096 pages (a group) as dirty. The next search for a run brings dirty summaries up to date. At
 * most 128 groups per range are dirty; acre_bitmap_set_max_dirty changes the limit.
 *
 * Cost of a call, in word steps; levels = 1 + log8(pages / 512), rounded up: 7 for 1 TiB of 4 KiB
 * pages.
 *   - alloc, one page: O(1) while the current group has a free page, else O(log64(pages / 4096)).
 *   - dealloc, one page: O(1); 64 + 8 * levels when one more group would exceed the limit.
 *   - alloc, a run: O(8 * levels + count / 64), after bringing dirty summaries up to date. An
 *     alignment above one page adds one step per run that is long enough but misaligned.
 *   - dealloc, a run: O(count / 64), and 64 + 8 * levels as above.
 * With several ranges each search is per range; the range of a page that is freed is looked up in
 * the index of regions, in O(log(ranges)). Memory: at most 1.2 bits per page and less than 1 KiB
 * per range, in memory that the caller gives or in the first pages of the range. The managed pages
 * are never read or written.
 *
 * In a small build (ACRE_MAX_POOL) there are no summaries: a search takes O(pages / 64 + free runs),
 * no run crosses into an adjoining range, and acre_bitmap_set_max_dirty() changes nothing.
 *
 * Not for: blocks smaller than a page (use an allocator of bytes).
 */
#ifndef ACRE_BITMAP_H
#define ACRE_BITMAP_H

#include <acre/ids.h>
#include <acre/pages.h>
#include <acre/regions.h>

#ifdef __cplusplus
extern "C" {
#endif

struct acre_bitmap_group;
struct acre_bitmap_range;

/**
 * A bitmap allocator of pages or of ids. It must be zeroed before its first call (`static`, or
 * `= {0}`): it is then an empty allocator of pages of ACRE_BITMAP_PAGE_SIZE bytes. The fields are
 * private; the type is complete so that it can be static. It holds no pointer into itself and may
 * be moved by copying while no call runs.
 */
struct acre_bitmap {
#if ACRE_MAX_POOL == 0
    size_t align_limit;  /* a single page aligned to at most this comes from the hint; 0: no hint */
    uint64_t *hint;      /* the word of the lowest free page; null: no hint */
    uintptr_t hint_at;   /* position of the hint's first page; 0: no hint */
    uintptr_t free_from; /* single pages from this position on are freed on the short path */
    uint64_t *next_hint; /* the hint after an unlisted page, which the hint is; null: none */
#endif
    unsigned page_shift; /* log2 of the page size; 0 for ids */
    bool ids;            /* ids: no memory lies behind them */
    bool next_fit;       /* search from `cursor` first */
    bool is_set_up;      /* false: the page size is the default one, not page_shift */
    size_t headroom;     /* pages that can be allocated until the peak is reached */
    size_t peak;         /* highest number of pages in use at one time */
#if ACRE_MAX_POOL == 0
    uintptr_t cached_start; /* the range in which single pages are freed on the short path */
    size_t cached_pages;
    uint64_t *cached_words;
    struct acre_bitmap_group *cached_groups;
    struct acre_bitmap_range *hint_range; /* the range of the hint, or null */
    size_t max_dirty;                     /* dirty groups per range; 0: not set yet */
#endif
    struct acre_regions regions; /* the ranges, in order of position */
    uintptr_t cursor;            /* page number after the run allocated last */
    size_t metadata;             /* the part of regions.total that holds no page */
    size_t failed;               /* requests failed for lack of memory */
};

/** Bytes per page unless acre_bitmap_setup says otherwise. */
#define ACRE_BITMAP_PAGE_SIZE 4096

/**
 * An upper bound of the metadata of `pages` pages in one range, in bytes, as a constant expression;
 * acre_bitmap_metadata_size gives the exact number.
 */
#define ACRE_BITMAP_METADATA_BYTES(pages)                                                          \
    (((size_t)(pages) >> 20 ? 146 : 74) * sizeof(size_t) + ((size_t)(pages) / 512 + 1) * 72 +      \
        ((size_t)(pages) / 4096 + 1) * 24 + (size_t)(pages) / 4096 / 63 * 16 +                     \
        (size_t)(pages) / 4096 / 7 * (3 * sizeof(size_t)))

/**
 * Declares static metadata for `pages` pages under the given name, for a kernel that has no memory
 * yet: ACRE_BITMAP_STATIC(map, ACRE_BITMAP_PAGES_4_GIB); Pass it to acre_bitmap_add_memory_apart
 * with sizeof map.
 */
#define ACRE_BITMAP_STATIC(name, pages)                                                            \
    static uint64_t name[(ACRE_BITMAP_METADATA_BYTES(pages) + 7) / 8]

/** Pages of 4 KiB in common sizes of memory, for ACRE_BITMAP_STATIC. */
#define ACRE_BITMAP_PAGES_256_MIB ((size_t)1 << 16)
#define ACRE_BITMAP_PAGES_4_GIB ((size_t)1 << 20)
#define ACRE_BITMAP_PAGES_64_GIB ((size_t)1 << 24)
#define ACRE_BITMAP_PAGES_1_TIB ((size_t)1 << 28)

/**
 * Makes an empty allocator one of pages of the given size. Other settings stay.
 * @param page_size bytes, a power of two.
 * @return ACRE_OK;
 *         ACRE_INVALID_PARAM: page_size is not a power of two, or the allocator owns memory;
 *         nothing has changed.
 * O(1).
 */
enum acre_status acre_bitmap_setup(struct acre_bitmap *self, size_t page_size);

/**
 * Makes an empty allocator one of ids; acre_bitmap_add_ids adds ranges. Other settings stay.
 * @return ACRE_OK; ACRE_INVALID_PARAM: the allocator owns memory; nothing has changed. O(1).
 */
enum acre_status acre_bitmap_setup_ids(struct acre_bitmap *self);

/**
 * Chooses where a search starts; may be called at any time.
 * @param next_fit false (the default): at the lowest page, always. true: after the run allocated
 *                 last since this call, then from the lowest page; a page that was just freed is
 *                 the last one to be allocated again.
 * O(1).
 */
void acre_bitmap_set_next_fit(struct acre_bitmap *self, bool next_fit);

/** Groups of 4096 pages per range that may be dirty unless acre_bitmap_set_max_dirty changes it. */
#define ACRE_BITMAP_MAX_DIRTY_DEFAULT 128

/**
 * Chooses how many groups per range may be dirty; may be called at any time. What is allocated does
 * not depend on it.
 * @param groups groups of 4096 pages; 0 is taken as 1. A call that would exceed the limit brings
 *               one group up to date. A search for a run brings all dirty groups up to date first,
 *               so its worst case grows with `groups`; with 1, no call takes more than 128 + 16 *
 *               levels word steps besides its own.
 * O(dirty groups).
 */
void acre_bitmap_set_max_dirty(struct acre_bitmap *self, size_t groups);

/**
 * acre_init: drops all ranges and counts, keeps the settings, and adds one range as
 * acre_bitmap_add_memory does. If that is refused, the allocator is empty. O(pages / 64).
 */
ACRE_NODISCARD enum acre_status acre_bitmap_init(
    struct acre_bitmap *self, void *start, size_t size);

/**
 * acre_add_memory: the metadata takes the first pages of the range, as many as it needs.
 * @return ACRE_OK;
 *         ACRE_INVALID_PARAM: the range is null, wraps or has no page besides the metadata, or this
 *         is an id allocator (no memory lies behind ids);
 *         ACRE_MEMORY_OVERLAP.
 * O(pages / 64).
 */
ACRE_NODISCARD enum acre_status acre_bitmap_add_memory(
    struct acre_bitmap *self, void *start, size_t size);

/**
 * Adds a range whose metadata lies elsewhere. The range may be any addresses, 0 included, and is
 * never touched. A run may cross from one range into an adjoining one.
 * @param start     first address; the pages are those wholly inside [start, start + size).
 * @param size      bytes.
 * @param meta      memory for the metadata, aligned for a uint64_t.
 * @param meta_size bytes, at least acre_bitmap_metadata_size of the number of pages.
 * @return ACRE_OK;
 *         ACRE_INVALID_PARAM: the range or the metadata wraps, the range holds no whole page, meta
 *         is null, misaligned or too small, the bytes of all ranges would exceed SIZE_MAX, or this
 *         is an id allocator;
 *         ACRE_MEMORY_OVERLAP: the range shares a byte with another one, or the metadata with that
 *         of another range or with the allocator.
 * O(pages / 64).
 */
ACRE_NODISCARD enum acre_status acre_bitmap_add_memory_apart(
    struct acre_bitmap *self, uintptr_t start, size_t size, void *meta, size_t meta_size);

/**
 * Adds the ids [first, first + count).
 * @param meta as for acre_bitmap_add_memory_apart, for `count` pages.
 * @return ACRE_OK;
 *         ACRE_INVALID_PARAM: count is 0, the range wraps, meta is null, misaligned or too small,
 *         or this is not an id allocator;
 *         ACRE_MEMORY_OVERLAP, as for acre_bitmap_add_memory_apart.
 * O(count / 64).
 */
ACRE_NODISCARD enum acre_status acre_bitmap_add_ids(
    struct acre_bitmap *self, uintptr_t first, size_t count, void *meta, size_t meta_size);

/** Bytes of metadata that a range of `pages` pages takes, its descriptor included. O(levels). */
size_t acre_bitmap_metadata_size(size_t pages);

/** acre_remove_memory. O(ranges + dirty groups). */
enum acre_status acre_bitmap_remove_memory(struct acre_bitmap *self, void *start);

/** acre_alloc_pages. */
ACRE_NODISCARD struct acre_num acre_bitmap_alloc_pages(
    struct acre_bitmap *self, size_t count, size_t align);

/** acre_alloc_pages_at. O(count / 64 + levels). */
ACRE_NODISCARD struct acre_num acre_bitmap_alloc_pages_at(
    struct acre_bitmap *self, uintptr_t pos, size_t count, size_t align);

/**
 * acre_alloc_pages_within, for pages and for ids; next fit does not matter here.
 * O(8 * levels + count / 64), after bringing dirty summaries up to date; a run that is long enough
 * but misses a condition adds at most 8 * levels. Runs outside [lowest, highest] are not looked at.
 */
ACRE_NODISCARD struct acre_num acre_bitmap_alloc_pages_within(
    struct acre_bitmap *self, size_t count, const struct acre_run_limits *limits);

/** acre_dealloc_pages. O(count / 64 + levels). */
enum acre_status acre_bitmap_dealloc_pages(struct acre_bitmap *self, uintptr_t pos, size_t count);

/** Bytes per page; 1 for ids. O(1). */
size_t acre_bitmap_page_size(const struct acre_bitmap *self);

/**
 * True when every page of the run is in use; false when one is free or not owned, or count is 0.
 * O(count / 64).
 */
bool acre_bitmap_is_allocated(const struct acre_bitmap *self, uintptr_t pos, size_t count);

/** acre_alloc_id. */
ACRE_NODISCARD struct acre_num acre_bitmap_alloc_id(
    struct acre_bitmap *self, size_t count, size_t align);

/** acre_alloc_id_within. */
ACRE_NODISCARD struct acre_num acre_bitmap_alloc_id_within(
    struct acre_bitmap *self, size_t count, const struct acre_run_limits *limits);

/** acre_alloc_fixed_id. O(levels). */
ACRE_NODISCARD enum acre_status acre_bitmap_alloc_fixed_id(struct acre_bitmap *self, uintptr_t id);

/** acre_dealloc_id. */
enum acre_status acre_bitmap_dealloc_id(struct acre_bitmap *self, uintptr_t start, size_t count);

/** acre_stats; bytes for pages, ids for ids. O(ranges + dirty groups); changes nothing. */
struct acre_stats acre_bitmap_stats(const struct acre_bitmap *self);

/** acre_check. O(pages / 64). */
struct acre_check_result acre_bitmap_check(const struct acre_bitmap *self);

/** acre_reset. O(pages / 64). */
void acre_bitmap_reset(struct acre_bitmap *self);

/** acre_reset_peak. O(1). */
void acre_bitmap_reset_peak(struct acre_bitmap *self);

/** The handle of a page allocator. It is valid as long as `self` does. */
struct acre_pages acre_bitmap_pages(struct acre_bitmap *self);

/** The handle of an id allocator. It is valid as long as `self` does. */
struct acre_ids acre_bitmap_ids(struct acre_bitmap *self);

#ifdef __cplusplus
}
#endif

#endif
