/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The pages family: runs of whole pages, named by address. The pages themselves are never touched,
 * so the addresses may be physical ones; position 0 is as good as any other.
 */
#ifndef ACRE_PAGES_H
#define ACRE_PAGES_H

#include <acre/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The verbs of a page allocator; every slot is filled. See the functions below for each contract.
 */
struct acre_pages_ops {
    struct acre_base_ops base;
    struct acre_num (*alloc_pages)(void *self, size_t count, size_t align);
    struct acre_num (*alloc_pages_at)(void *self, uintptr_t pos, size_t count, size_t align);
    enum acre_status (*dealloc_pages)(void *self, uintptr_t pos, size_t count);
    size_t (*page_size)(const void *self);
};

/** A page allocator of any kind. Two words, passed by value; owns nothing. */
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
 * Hands out the first run of free pages that fits, lowest address first.
 * @param count pages, at least 1.
 * @param align bytes, a power of two; less than a page is served as a page.
 * @return {address of the first page, ACRE_OK}; {0, ACRE_INVALID_PARAM}: count is 0 or align is not
 * a power of two; {0, ACRE_NO_MEMORY}: no such run is free.
 * @note Time as the allocator states; never linear in the number of pages.
 */
static inline struct acre_num acre_alloc_pages(struct acre_pages pages, size_t count, size_t align)
{
    return pages.ops->alloc_pages(pages.self, count, align);
}

/**
 * Hands out the run that begins at a given address.
 * @param pos   address of the first page wanted.
 * @param count pages, at least 1.
 * @param align bytes, a power of two that pos must honour.
 * @return {pos, ACRE_OK}; {0, ACRE_INVALID_PARAM}: count is 0, align is not a power of two, or pos
 * is not a multiple of align and of the page size; {0, ACRE_NO_MEMORY}: a page of the run is in use
 * or not owned.
 */
static inline struct acre_num acre_alloc_pages_at(
    struct acre_pages pages, uintptr_t pos, size_t count, size_t align)
{
    return pages.ops->alloc_pages_at(pages.self, pos, count, align);
}

/**
 * Takes pages back: any run of pages in use, not only one handed out in one piece.
 * @param pos   address of the first page.
 * @param count pages, at least 1.
 * @return ACRE_OK; ACRE_INVALID_PARAM: count is 0 or pos is not a multiple of the page size;
 *         ACRE_NOT_ALLOCATED: a page of the run is free or not owned, and then none is given back.
 */
static inline enum acre_status acre_dealloc_pages(
    struct acre_pages pages, uintptr_t pos, size_t count)
{
    return pages.ops->dealloc_pages(pages.self, pos, count);
}

/** Bytes in a page, a power of two. O(1). */
static inline size_t acre_page_size(struct acre_pages pages)
{
    return pages.ops->page_size(pages.self);
}

/** Pages that can be handed out, in use or not (metadata pages are not among them). O(1). */
static inline size_t acre_total_pages(struct acre_pages pages)
{
    struct acre_stats stats = acre_stats(acre_pages_base(pages));
    return (stats.used + stats.available) / acre_page_size(pages);
}

/** Pages in use. O(1). */
static inline size_t acre_used_pages(struct acre_pages pages)
{
    return acre_stats(acre_pages_base(pages)).used / acre_page_size(pages);
}

/** Pages free, not always in one run. O(1). */
static inline size_t acre_available_pages(struct acre_pages pages)
{
    return acre_stats(acre_pages_base(pages)).available / acre_page_size(pages);
}

#ifdef __cplusplus
}
#endif

#endif
