/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The pages family: runs of whole pages, identified by address. The allocator never touches the
 * pages themselves, so the addresses may be physical ones, address 0 included.
 */
#ifndef ACRE_PAGES_H
#define ACRE_PAGES_H

#include <acre/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Conditions on a run of pages or ids, as devices have them. Members that are 0 ask for nothing: a
 * zeroed struct is met by any run.
 */
struct acre_run_limits {
    uintptr_t lowest;  /**< No part of the run lies below this address (id). */
    uintptr_t highest; /**< No part of the run lies above this address (id), which is the last one
                          that may be used; 0: no limit. */
    size_t align;      /**< Bytes (ids), a power of two; less than a page is served as a page. */
    size_t phase;    /**< The run begins this many bytes (ids) after a multiple of align: less than
                          align, and a multiple of the page size. */
    size_t boundary; /**< The run does not cross a multiple of this many bytes (ids), a power of
                          two, at least a page; 0: it may cross any. */
    bool top_down;   /**< true: the highest run that meets the conditions, not the lowest. */
};

/** The verbs of a page allocator. No slot is null. The functions below state the contracts. */
struct acre_pages_ops {
    struct acre_base_ops base;
    struct acre_num (*alloc_pages)(void *self, size_t count, size_t align);
    struct acre_num (*alloc_pages_at)(void *self, uintptr_t pos, size_t count, size_t align);
    struct acre_num (*alloc_pages_within)(
        void *self, size_t count, const struct acre_run_limits *limits);
    enum acre_status (*dealloc_pages)(void *self, uintptr_t pos, size_t count);
    size_t (*page_size)(const void *self);
};

/** A page allocator of any kind: two words, passed by value. It owns nothing. */
struct acre_pages {
    const struct acre_pages_ops *ops;
    void *self;
};

/** The base verbs of a page allocator. */
static inline struct acre_base acre_pages_base(struct acre_pages pages)
{
    struct acre_base base;
    base.ops = &pages.ops->base;
    base.self = pages.self;
    return base;
}

/**
 * Allocates the first run of free pages that fits, lowest address first.
 * @param count pages, at least 1.
 * @param align bytes, a power of two; less than a page is served as a page.
 * @return {address of the first page, ACRE_OK};
 *         {0, ACRE_INVALID_PARAM}: count is 0 or align is not a power of two;
 *         {0, ACRE_NO_MEMORY}: no such run is free.
 * @note The allocator states the time; never linear in the number of pages.
 */
ACRE_NODISCARD static inline struct acre_num acre_alloc_pages(
    struct acre_pages pages, size_t count, size_t align)
{
    return pages.ops->alloc_pages(pages.self, count, align);
}

/**
 * Allocates the run that begins at a given address.
 * @param pos   address of the first page.
 * @param count pages, at least 1.
 * @param align bytes, a power of two; pos must be a multiple of it.
 * @return {pos, ACRE_OK};
 *         {0, ACRE_INVALID_PARAM}: count is 0, align is not a power of two, or pos is not a
 *         multiple of align and of the page size;
 *         {0, ACRE_NO_MEMORY}: a page of the run is in use or not owned.
 */
ACRE_NODISCARD static inline struct acre_num acre_alloc_pages_at(
    struct acre_pages pages, uintptr_t pos, size_t count, size_t align)
{
    return pages.ops->alloc_pages_at(pages.self, pos, count, align);
}

/**
 * Allocates the lowest run that meets some conditions, or the highest one: for devices that reach
 * only some addresses (DMA), boundaries that a transfer must not cross, and whoever keeps
 * long-lived runs apart from others by taking them from the top.
 *
 *     struct acre_run_limits isa = { .highest = 0xffffff, .boundary = 0x10000 };
 *     struct acre_num buffer = acre_alloc_pages_within(pages, 4, &isa);
 *
 * @param count  pages, at least 1.
 * @param limits the conditions; not kept.
 * @return {address of the first page, ACRE_OK};
 *         {0, ACRE_INVALID_PARAM}: count is 0; align or boundary is neither 0 nor a power of two;
 *         phase is not below align or not a multiple of the page size; boundary is below a page;
 *         {0, ACRE_NO_MEMORY}: no free run meets the conditions, as also when they contradict one
 *         another.
 * @note The allocator states the time; never linear in the number of pages alone.
 */
ACRE_NODISCARD static inline struct acre_num acre_alloc_pages_within(
    struct acre_pages pages, size_t count, const struct acre_run_limits *limits)
{
    return pages.ops->alloc_pages_within(pages.self, count, limits);
}

/**
 * Frees a run of pages: any run of pages in use, not only one that was allocated as a whole.
 * @param pos   address of the first page.
 * @param count pages, at least 1.
 * @return ACRE_OK; ACRE_INVALID_PARAM: count is 0 or pos is not a multiple of the page size;
 *         ACRE_NOT_ALLOCATED: a page of the run is free or not owned; no page has been freed then.
 */
static inline enum acre_status acre_dealloc_pages(
    struct acre_pages pages, uintptr_t pos, size_t count)
{
    return pages.ops->dealloc_pages(pages.self, pos, count);
}

/** Bytes per page, a power of two. O(1). */
static inline size_t acre_page_size(struct acre_pages pages)
{
    return pages.ops->page_size(pages.self);
}

/** Starts the allocator anew with one region; see acre_init. */
ACRE_NODISCARD static inline enum acre_status acre_pages_init(
    struct acre_pages pages, void *start, size_t size)
{
    return acre_init(acre_pages_base(pages), start, size);
}

/** Gives the allocator one more region; see acre_add_memory. */
ACRE_NODISCARD static inline enum acre_status acre_pages_add_memory(
    struct acre_pages pages, void *start, size_t size)
{
    return acre_add_memory(acre_pages_base(pages), start, size);
}

/** Takes a region away from the allocator; see acre_remove_memory. */
static inline enum acre_status acre_pages_remove_memory(struct acre_pages pages, void *start)
{
    return acre_remove_memory(acre_pages_base(pages), start);
}

/** The statistics; see acre_stats. O(1). */
static inline struct acre_stats acre_pages_stats(struct acre_pages pages)
{
    return acre_stats(acre_pages_base(pages));
}

/** Verifies the whole structure; see acre_check. */
static inline struct acre_check_result acre_pages_check(struct acre_pages pages)
{
    return acre_check(acre_pages_base(pages));
}

/** Frees all pages at once; see acre_reset. */
static inline void acre_pages_reset(struct acre_pages pages)
{
    acre_reset(acre_pages_base(pages));
}

/** Starts the peak anew; see acre_reset_peak. O(1). */
static inline void acre_pages_reset_peak(struct acre_pages pages)
{
    acre_reset_peak(acre_pages_base(pages));
}

/** Pages that can be allocated, in use or not; metadata pages are not counted. O(1). */
static inline size_t acre_total_pages(struct acre_pages pages)
{
    struct acre_stats stats = acre_pages_stats(pages);
    return (stats.used + stats.available) / acre_page_size(pages);
}

/** Pages in use. O(1). */
static inline size_t acre_used_pages(struct acre_pages pages)
{
    return acre_pages_stats(pages).used / acre_page_size(pages);
}

/** Free pages, not always in one run. O(1). */
static inline size_t acre_available_pages(struct acre_pages pages)
{
    return acre_pages_stats(pages).available / acre_page_size(pages);
}

#ifdef __cplusplus
}
#endif

#endif
