/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Bitmap allocator: pages and ids, first fit, in time that depends on the levels of a tree and not
 * on the number of pages.
 *
 * One bit a page says whether it is free. Over every 512 pages, and over every 8 nodes below, a
 * summary holds the free run at the node's start, the longest one inside and the one at its end, so
 * that a search sees at once where a run of any length can lie (the idea is that of the Go
 * runtime's page allocator).
 *
 * Single pages and short runs change the bits and a few words beside them, and leave the summaries
 * of the 4096 pages around for the next search for a run to bring up to date: those of at most 128
 * such stretches in a range, or as many as acre_bitmap_set_max_dirty says.
 *
 * Cost of a call, in word steps. One page taken: O(1) while the 4096 pages at hand have a free one,
 * else O(log64(pages / 4096)). One page given back: O(1), and when its stretch is one too many to
 * be left for later, the summing up of one, 64 + 8 * levels. A run given back: O(count / 64), and
 * the same. A run taken: O(8 * levels + count / 64), after the summing up of what was left for
 * later; levels = 1 + log8(pages / 512), rounded up: 7 for 1 TiB of 4 KiB pages. An alignment above
 * one page adds one step for every run that is long enough but misses it. With several ranges each
 * of these is per range. Memory: at most 1.2 bits a page and a constant below 1 KiB a range, in
 * memory the caller gives or in the range's first pages. The managed pages are never read or
 * written.
 *
 * Not for: blocks smaller than a page; counts in the millions where buddy's powers of two would do.
 */
#ifndef ACRE_BITMAP_H
#define ACRE_BITMAP_H

#include <acre/ids.h>
#include <acre/pages.h>

#ifdef __cplusplus
extern "C" {
#endif

struct acre_bitmap_group;
struct acre_bitmap_range;

/**
 * A bitmap allocator of pages or of ids. Fields are private; the type is complete so that it can be
 * static. It holds no pointer into itself and may be moved by copying while no call runs.
 */
struct acre_bitmap {
    size_t align_limit;    /* one page aligned to less or equal is taken by hand; 0: no hand */
    uint64_t *hand;        /* the word of the lowest free page; null when not at hand */
    uintptr_t hand_at;     /* position of its first page; 0 when not at hand */
    unsigned page_shift;   /* log2 of the page size; 0 for ids */
    bool ids;              /* ids: no memory lies behind them */
    bool next_fit;         /* search from `cursor` first */
    size_t room;           /* pages that can be handed out until the peak is reached */
    size_t peak;           /* highest number of pages in use at one time */
    uintptr_t front_start; /* the range in which single pages are given back on the short path */
    size_t front_pages;
    uint64_t *front_words;
    struct acre_bitmap_group *front_groups;
    struct acre_bitmap_range *hand_range; /* that of the hand, or null */
    struct acre_bitmap_range *ranges;     /* ascending by position */
    size_t late_limit;                    /* groups whose summaries may be late, in each range */
    uintptr_t cursor;                     /* page number behind the run handed out last */
    size_t given;    /* bytes (ids: ids) given, metadata given apart included */
    size_t metadata; /* the part of `given` that holds no page */
    size_t failed;   /* requests refused for want of memory */
};

/** Bytes a page has when nothing else is said. */
#define ACRE_BITMAP_PAGE_SIZE 4096

/**
 * An upper bound of the metadata of `pages` pages in one range, in bytes, as a constant expression;
 * the exact figure is acre_bitmap_metadata_size's.
 */
#define ACRE_BITMAP_METADATA_BYTES(pages)                                                          \
    (1024 + ((size_t)(pages) / 512 + 1) * 72 + ((size_t)(pages) / 4096 + 1) * 24 +                 \
        (size_t)(pages) / 4096 / 63 * 16 + (size_t)(pages) / 4096 / 7 * (3 * sizeof(size_t)))

/**
 * Declares static metadata for `pages` pages, under the name given: for a kernel that has no memory
 * yet. Pass it to acre_bitmap_add_memory_apart, with sizeof name. ACRE_BITMAP_STATIC(map,
 * ACRE_BITMAP_PAGES_4_GIB);
 */
#define ACRE_BITMAP_STATIC(name, pages)                                                            \
    static uint64_t name[(ACRE_BITMAP_METADATA_BYTES(pages) + 7) / 8]

/** Pages of 4 KiB in the common sizes of memory, for ACRE_BITMAP_STATIC. */
#define ACRE_BITMAP_PAGES_256_MIB ((size_t)1 << 16)
#define ACRE_BITMAP_PAGES_4_GIB ((size_t)1 << 20)
#define ACRE_BITMAP_PAGES_64_GIB ((size_t)1 << 24)
#define ACRE_BITMAP_PAGES_1_TIB ((size_t)1 << 28)

/**
 * Makes an empty page allocator.
 * @param page_size bytes, a power of two.
 * @return ACRE_OK; ACRE_INVALID_PARAM: page_size is not a power of two; nothing has changed. O(1).
 */
enum acre_status acre_bitmap_setup(struct acre_bitmap *self, size_t page_size);

/** Makes an empty id allocator. Ranges are then added with acre_bitmap_add_ids. O(1). */
void acre_bitmap_setup_ids(struct acre_bitmap *self);

/**
 * Chooses where a search starts.
 * @param next_fit false (the default): at the lowest page, always. true: behind the run handed out
 * last since this call, and round to the start, so that what was just freed is the last to be
 * handed out again. O(1).
 */
void acre_bitmap_set_next_fit(struct acre_bitmap *self, bool next_fit);

/** Stretches of 4096 pages whose summaries may be late, in each range, when nothing else is said.
 */
#define ACRE_BITMAP_MAX_DIRTY_DEFAULT 128

/**
 * Chooses how much summing up may be left to the next search for a run.
 * @param groups stretches of 4096 pages, in each range, whose summaries may be late; 0 is taken
 * as 1. When there would be more, a call that adds one brings another one up to date. A search for
 * a run first brings all up to date, so the longest that it can take grows with `groups`; with 1,
 * no call does more than 128 + 16 * levels word steps besides its own. What is handed out does not
 * depend on it.
 * @note acre_bitmap_setup makes it ACRE_BITMAP_MAX_DIRTY_DEFAULT; init keeps it.
 * O(groups that are late).
 */
void acre_bitmap_set_max_dirty(struct acre_bitmap *self, size_t groups);

/** acre_init for an allocator that went through setup: keeps its page size and next fit, forgets
 * all else.
 * O(pages / 64). */
ACRE_NODISCARD enum acre_status acre_bitmap_init(
    struct acre_bitmap *self, void *start, size_t size);

/**
 * acre_add_memory: the metadata takes the range's first pages, as many as it needs. O(pages / 64).
 * @return ACRE_OK; ACRE_INVALID_PARAM: null, wrapping, no whole page beside the metadata, or an id
 * allocator (there is no memory behind ids); ACRE_MEMORY_OVERLAP.
 */
ACRE_NODISCARD enum acre_status acre_bitmap_add_memory(
    struct acre_bitmap *self, void *start, size_t size);

/**
 * Adds a range whose metadata lies elsewhere; the range itself may be any addresses at all, 0
 * included, and is never touched. Ranges that adjoin serve one run across the seam.
 * @param start     first address; the pages are those wholly inside [start, start + size).
 * @param size      bytes.
 * @param meta      memory for the metadata, aligned for a uint64_t.
 * @param meta_size bytes, at least acre_bitmap_metadata_size of the number of pages.
 * @return ACRE_OK; ACRE_INVALID_PARAM: the range or the metadata wraps, the range holds no whole
 * page, meta is null, misaligned or too small, all given would be more than a size_t counts, or an
 * id allocator; ACRE_MEMORY_OVERLAP: also when the metadata would lie over that of a range already
 * owned, or over the allocator. O(pages / 64).
 */
ACRE_NODISCARD enum acre_status acre_bitmap_add_memory_apart(
    struct acre_bitmap *self, uintptr_t start, size_t size, void *meta, size_t meta_size);

/**
 * Adds the ids [first, first + count).
 * @param meta as for acre_bitmap_add_memory_apart, for `count` pages.
 * @return ACRE_OK; ACRE_INVALID_PARAM: count is 0, the range wraps, meta is unfit, or not an id
 * allocator; ACRE_MEMORY_OVERLAP, as there. O(count / 64).
 */
ACRE_NODISCARD enum acre_status acre_bitmap_add_ids(
    struct acre_bitmap *self, uintptr_t first, size_t count, void *meta, size_t meta_size);

/** Bytes of metadata that a range of `pages` pages takes, its descriptor included. O(levels). */
size_t acre_bitmap_metadata_size(size_t pages);

/** acre_remove_memory. O(ranges + what is late). */
enum acre_status acre_bitmap_remove_memory(struct acre_bitmap *self, void *start);

/** acre_alloc_pages. */
ACRE_NODISCARD struct acre_num acre_bitmap_alloc_pages(
    struct acre_bitmap *self, size_t count, size_t align);

/** acre_alloc_pages_at. O(count / 64 + levels). */
ACRE_NODISCARD struct acre_num acre_bitmap_alloc_pages_at(
    struct acre_bitmap *self, uintptr_t pos, size_t count, size_t align);

/** acre_dealloc_pages. O(count / 64 + levels). */
enum acre_status acre_bitmap_dealloc_pages(struct acre_bitmap *self, uintptr_t pos, size_t count);

/** Bytes in a page; 1 for ids. O(1). */
size_t acre_bitmap_page_size(const struct acre_bitmap *self);

/**
 * True when every page of the run is in use; false when one is free or not owned, or count is 0.
 * O(count / 64).
 */
bool acre_bitmap_is_allocated(const struct acre_bitmap *self, uintptr_t pos, size_t count);

/** acre_alloc_id. */
ACRE_NODISCARD struct acre_num acre_bitmap_alloc_id(
    struct acre_bitmap *self, size_t count, size_t align);

/** acre_alloc_fixed_id. O(levels). */
ACRE_NODISCARD enum acre_status acre_bitmap_alloc_fixed_id(struct acre_bitmap *self, uintptr_t id);

/** acre_dealloc_id. */
enum acre_status acre_bitmap_dealloc_id(struct acre_bitmap *self, uintptr_t start, size_t count);

/** acre_stats; bytes for pages, ids for ids. O(ranges + what is late); changes nothing. */
struct acre_stats acre_bitmap_stats(const struct acre_bitmap *self);

/** acre_check. O(pages / 64). */
struct acre_check_result acre_bitmap_check(const struct acre_bitmap *self);

/** acre_reset. O(pages / 64). */
void acre_bitmap_reset(struct acre_bitmap *self);

/** The handle of a page allocator. It stays good as long as `self` does. */
struct acre_pages acre_bitmap_pages(struct acre_bitmap *self);

/** The handle of an id allocator. It stays good as long as `self` does. */
struct acre_ids acre_bitmap_ids(struct acre_bitmap *self);

#ifdef __cplusplus
}
#endif

#endif
