/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The heap's verbs of pages.
 */
#include "base/limits.h"
#include "heap/heap_private.h"

/* One request for pages. */
struct page_request {
    uintptr_t pos; /* where, if `at` */
    size_t count;
    size_t align;
    unsigned flags;
    bool at;
    const struct acre_run_limits *limits; /* null: none */
};

static struct acre_num refusal(enum acre_status status)
{
    return (struct acre_num){ 0, status };
}

/* Free pages that a request may take. */
static size_t beyond_reserve(const struct acre_heap *heap, size_t available, unsigned flags)
{
    size_t kept = (flags & ACRE_HEAP_RESERVE) != 0 ? 0 : heap->reserve;
    size_t free = available / heap->page_size;
    return free > kept ? free - kept : 0;
}

size_t acre_heap_pages_at_hand(
    const struct acre_heap *heap, const struct acre_stats *stats, unsigned flags)
{
    size_t run = stats->largest_free / heap->page_size;
    size_t free = beyond_reserve(heap, stats->available, flags);
    return run < free ? run : free;
}

/* Whether a request is one that could be served; if not, the page allocator says what is wrong. */
static bool is_valid(const struct acre_heap *heap, const struct page_request *request)
{
    if (request->count == 0 || !acre_is_pow2(request->align))
        return false;
    if (request->limits != NULL && !acre_limits_are_valid(request->limits, heap->page_size))
        return false;
    return !request->at || (((request->align - 1) | (heap->page_size - 1)) & request->pos) == 0;
}

/* Whether a request would eat into a reserve that it may not touch. */
static bool is_reserved(const struct acre_heap *heap, const struct page_request *request)
{
    if (heap->reserve == 0 || (request->flags & ACRE_HEAP_RESERVE) != 0)
        return false;
    struct acre_stats stats = acre_pages_stats(heap->parts.pages);
    return is_valid(heap, request) &&
           request->count > beyond_reserve(heap, stats.available, request->flags);
}

/* Bytes handed out at this moment as blocks. */
static size_t bytes_in_use(const struct acre_heap *heap)
{
    acre_locker_lock(&heap->bytes_lock);
    size_t used = acre_bytes_stats(heap->parts.bytes).used;
    acre_locker_unlock(&heap->bytes_lock);
    return used;
}

/* Notes a new peak of blocks and pages together. Under the lock of pages. */
static void note_peak(struct acre_heap *heap, size_t bytes)
{
    size_t pages = acre_pages_stats(heap->parts.pages).used;
    size_t used = bytes + pages - heap->held * heap->page_size;
    if (used > heap->mixed_peak)
        heap->mixed_peak = used;
}

static struct acre_num heap_attempt_pages(
    struct acre_heap *heap, const struct page_request *request)
{
    struct acre_num got = refusal(ACRE_NO_MEMORY);
    size_t bytes = bytes_in_use(heap);
    acre_locker_lock(&heap->pages_lock);
    if (is_reserved(heap, request))
        got.status = ACRE_NO_MEMORY;
    else if (request->at)
        got = acre_alloc_pages_at(heap->parts.pages, request->pos, request->count, request->align);
    else if (request->limits != NULL)
        got = acre_alloc_pages_within(heap->parts.pages, request->count, request->limits);
    else
        got = acre_alloc_pages(heap->parts.pages, request->count, request->align);
    if (got.status == ACRE_OK)
        note_peak(heap, bytes);
    acre_locker_unlock(&heap->pages_lock);
    return got;
}

static struct acre_num heap_refuse_pages(struct acre_heap *heap)
{
    acre_locker_lock(&heap->pages_lock);
    heap->page_failed++;
    acre_locker_unlock(&heap->pages_lock);
    return refusal(ACRE_NO_MEMORY);
}

static struct acre_layout layout_of(
    const struct acre_heap *heap, const struct page_request *request)
{
    size_t most = SIZE_MAX / heap->page_size;
    return acre_layout(
        request->count > most ? SIZE_MAX : request->count * heap->page_size, request->align);
}

static struct acre_num serve(struct acre_heap *heap, const struct page_request *request)
{
    unsigned asked = 0;
    struct acre_num got = heap_attempt_pages(heap, request);
    while (got.status == ACRE_NO_MEMORY) {
        if (acre_heap_release_empty(heap) != 0)
            got = heap_attempt_pages(heap, request);
        if (got.status != ACRE_NO_MEMORY)
            return got;
        if (asked++ == ACRE_EXHAUSTED_RETRIES || !acre_heap_ask(heap, layout_of(heap, request)))
            return heap_refuse_pages(heap);
        got = heap_attempt_pages(heap, request);
    }
    return got;
}

struct acre_num acre_heap_alloc_pages(
    struct acre_heap *heap, size_t count, size_t align, unsigned flags)
{
    struct page_request request = { 0, count, align, flags, false, NULL };
    return serve(heap, &request);
}

struct acre_num acre_heap_alloc_pages_at(
    struct acre_heap *heap, uintptr_t pos, size_t count, size_t align, unsigned flags)
{
    struct page_request request = { pos, count, align, flags, true, NULL };
    return serve(heap, &request);
}

struct acre_num acre_heap_alloc_pages_within(
    struct acre_heap *heap, size_t count, const struct acre_run_limits *limits, unsigned flags)
{
    size_t align = limits->align != 0 ? limits->align : 1;
    struct page_request request = { 0, count, align, flags, false, limits };
    return serve(heap, &request);
}

enum acre_status acre_heap_dealloc_pages(struct acre_heap *heap, uintptr_t pos, size_t count)
{
    enum acre_status status = ACRE_INVALID_PARAM;
    if (count == 0 || (pos & (heap->page_size - 1)) != 0)
        return status;
    acre_locker_lock(&heap->pages_lock);
    if (acre_heap_touches_chunk(heap, pos, count))
        status = ACRE_NOT_ALLOCATED;
    else
        status = acre_dealloc_pages(heap->parts.pages, pos, count);
    acre_locker_unlock(&heap->pages_lock);
    return status;
}
