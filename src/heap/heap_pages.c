/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The page allocator and the runs of chunks: everything under the lock of pages.
 */
#include "base/limits.h"
#include "heap/heap_private.h"

/* ---- what a request may take ---- */

/* Free pages that a request may take. */
static size_t heap_beyond_reserve(const struct acre_heap *heap, size_t available, unsigned flags)
{
    size_t kept = (flags & ACRE_HEAP_RESERVE) != 0 ? 0 : heap->reserve;
    size_t free = acre_divide(available, heap_page_size(heap));
    return free > kept ? free - kept : 0;
}

size_t acre_heap_longest_run(
    const struct acre_heap *heap, const struct acre_stats *stats, unsigned flags)
{
    size_t run = acre_divide(stats->largest_free, heap_page_size(heap));
    size_t free = heap_beyond_reserve(heap, stats->available, flags);
    return run < free ? run : free;
}

/* Whether a request is valid; if not, the page allocator says what is wrong. */
static bool heap_is_valid_request(
    const struct acre_heap *heap, const struct heap_page_request *request)
{
    if (request->count == 0 || !acre_is_pow2(request->align))
        return false;
    if (request->limits != NULL && !acre_limits_are_valid(request->limits, heap_page_size(heap)))
        return false;
    size_t below = (request->align - 1) | (heap_page_size(heap) - 1);
    return !request->at || (below & request->pos) == 0;
}

/* Whether a request would take pages of a reserve that it may not use. */
static bool heap_takes_reserve(
    const struct acre_heap *heap, const struct heap_page_request *request)
{
    if (heap->reserve == 0 || (request->flags & ACRE_HEAP_RESERVE) != 0)
        return false;
    struct acre_stats stats = acre_pages_stats(heap_pages(heap));
    return heap_is_valid_request(heap, request) &&
           request->count > heap_beyond_reserve(heap, stats.available, request->flags);
}

/* ---- pages handed out whole ---- */

/* Notes a new peak of blocks and pages together. */
static void heap_note_peak(struct acre_heap *heap, size_t bytes)
{
    size_t pages = acre_pages_stats(heap_pages(heap)).used;
    size_t used = bytes + pages - acre_multiply(heap->chunk_pages, heap->page_size);
    if (used > heap->combined_peak)
        heap->combined_peak = used;
}

static struct acre_num heap_alloc_pages(
    struct acre_pages pages, const struct heap_page_request *request)
{
    if (request->at)
        return acre_alloc_pages_at(pages, request->pos, request->count, request->align);
    if (request->limits != NULL)
        return acre_alloc_pages_within(pages, request->count, request->limits);
    return acre_alloc_pages(pages, request->count, request->align);
}

struct acre_num acre_heap_try_pages(
    struct acre_heap *heap, const struct heap_page_request *request, size_t used)
{
    struct acre_num got = { 0, ACRE_NO_MEMORY };
    acre_locker_lock(&heap->pages_lock);
    if (!heap_takes_reserve(heap, request))
        got = heap_alloc_pages(heap_pages(heap), request);
    if (got.status == ACRE_OK)
        heap_note_peak(heap, used);
    acre_locker_unlock(&heap->pages_lock);
    return got;
}

void acre_heap_count_refused_pages(struct acre_heap *heap)
{
    acre_locker_lock(&heap->pages_lock);
    heap->failed_pages++;
    acre_locker_unlock(&heap->pages_lock);
}

/* Whether pages may be those of a chunk: behind a damaged record, any may. */
static bool heap_touches_chunk(const struct acre_heap *heap, uintptr_t pos, size_t pages)
{
    const struct acre_heap_chunk *chunk = heap->runs;
    size_t page = heap_page_size(heap);
    size_t most = acre_divide(SIZE_MAX - pos, page);
    size_t bytes = acre_multiply(pages < most ? pages : most, page);
    while (chunk != NULL && heap_is_sound_in_runs(heap, chunk) &&
           !acre_ranges_overlap(chunk->start, acre_multiply(chunk->pages, page), pos, bytes))
        chunk = chunk->run_next;
    return chunk != NULL;
}

enum acre_status acre_heap_dealloc_pages(struct acre_heap *heap, uintptr_t pos, size_t count)
{
    enum acre_status status = ACRE_INVALID_PARAM;
    if (count == 0 || (pos & (heap_page_size(heap) - 1)) != 0)
        return status;
    acre_locker_lock(&heap->pages_lock);
    if (heap_touches_chunk(heap, pos, count))
        status = ACRE_NOT_ALLOCATED;
    else
        status = acre_dealloc_pages(heap_pages(heap), pos, count);
    acre_locker_unlock(&heap->pages_lock);
    return status;
}

/* ---- the list of runs ---- */

static void heap_set_run_links(
    struct acre_heap_chunk *chunk, struct acre_heap_chunk *prev, struct acre_heap_chunk *next)
{
    chunk->run_prev = prev;
    chunk->run_next = next;
    chunk->run_checksum = heap_run_checksum(chunk);
}

static void heap_link_run(struct acre_heap *heap, struct acre_heap_chunk *chunk)
{
    struct acre_heap_chunk *next = heap->runs;
    heap_set_run_links(chunk, NULL, next);
    if (next != NULL && heap_is_sound_in_runs(heap, next))
        heap_set_run_links(next, chunk, next->run_next);
    heap->runs = chunk;
    heap->chunk_pages += chunk->pages;
    ACRE_ASSERT(heap_is_in_place(heap, chunk)); /* HEAP-1 */
    /* HEAP-5 */
    ACRE_ASSERT(acre_multiply(heap->chunk_pages, heap->page_size) <=
                acre_pages_stats(heap_pages(heap)).used);
}

/* False: a record is damaged, and the chunk stays in the list. */
static bool heap_unlink_run(struct acre_heap *heap, struct acre_heap_chunk *chunk)
{
    struct acre_heap_chunk *prev = chunk->run_prev;
    struct acre_heap_chunk *next = chunk->run_next;
    if (!heap_is_sound_in_runs(heap, chunk) ||
        (prev != NULL && !heap_is_sound_in_runs(heap, prev)) ||
        (next != NULL && !heap_is_sound_in_runs(heap, next)))
        return false;
    ACRE_ASSERT(heap->chunk_pages >= chunk->pages); /* HEAP-2 */
    if (prev != NULL)
        heap_set_run_links(prev, prev->run_prev, next);
    else
        heap->runs = next;
    if (next != NULL)
        heap_set_run_links(next, prev, next->run_next);
    heap->chunk_pages -= chunk->pages;
    return true;
}

/* ---- runs for chunks ---- */

/* Pages of the next chunk where there are enough: as many as all chunks have, rounded down to a
 * power of two. */
static size_t heap_preferred_pages(const struct acre_heap *heap)
{
    size_t pages = acre_divide(ACRE_HEAP_FIRST_CHUNK, heap->page_size);
    if (heap->chunk_pages > pages)
        pages = (size_t)1 << acre_bits_highest(heap->chunk_pages);
    return pages != 0 ? pages : 1;
}

/* The next size to try: half as many, but no fewer than are needed and no more than are free, which
 * are at least as many. */
static size_t heap_smaller_run(size_t pages, size_t least, size_t longest)
{
    do
        pages = pages / 2 > least ? pages / 2 : least;
    while (pages > longest);
    return pages;
}

/* Writes the record of a run of pages at its end. */
static struct acre_heap_chunk *heap_write_record(
    struct acre_heap *heap, uintptr_t start, size_t pages)
{
    uintptr_t at = start + heap_chunk_bytes(heap, pages) + HEAP_GUARD;
    struct acre_heap_chunk *chunk = (void *)at;
    *chunk = (struct acre_heap_chunk){ .start = start, .pages = pages };
    heap_link_run(heap, chunk);
    return chunk;
}

/* A run of `pages`, or of as many as there are, at least `least`. */
static struct acre_heap_chunk *heap_alloc_halving(
    struct acre_heap *heap, size_t pages, size_t least, size_t longest)
{
    if (pages < least)
        pages = least;
    if (pages > longest)
        pages = heap_smaller_run(pages, least, longest);
    for (;;) {
        struct acre_num got = acre_alloc_pages(heap->parts.pages, pages, 1);
        if (got.status == ACRE_OK)
            return heap_write_record(heap, got.num, pages);
        if (pages == least)
            return NULL;
        pages = heap_smaller_run(pages, least, longest);
    }
}

/* Of the reserve, no more than is needed: what is left over in a chunk serves any request. */
static struct acre_heap_chunk *heap_alloc_preferred(
    struct acre_heap *heap, size_t least, unsigned flags)
{
    struct acre_stats stats = acre_pages_stats(heap->parts.pages);
    size_t longest = acre_heap_longest_run(heap, &stats, 0);
    if (least <= longest)
        return heap_alloc_halving(heap, heap_preferred_pages(heap), least, longest);
    longest = acre_heap_longest_run(heap, &stats, flags);
    return least <= longest ? heap_alloc_halving(heap, least, least, longest) : NULL;
}

struct acre_heap_chunk *acre_heap_alloc_run(struct acre_heap *heap, size_t bytes, unsigned flags)
{
    size_t page = heap->page_size;
    if (bytes > SIZE_MAX - HEAP_TAIL - page)
        return NULL;
    size_t least = acre_divide(bytes + HEAP_TAIL + page - 1, page);
    acre_locker_lock(&heap->pages_lock);
    struct acre_heap_chunk *chunk = heap_alloc_preferred(heap, least, flags);
    acre_locker_unlock(&heap->pages_lock);
    return chunk;
}

size_t acre_heap_return_runs(struct acre_heap *heap, struct acre_heap_chunk *gone)
{
    size_t pages = 0;
    if (gone == NULL)
        return 0;
    acre_locker_lock(&heap->pages_lock);
    while (gone != NULL) {
        struct acre_heap_chunk *next = gone->ring_next;
        if (heap_unlink_run(heap, gone)) {
            pages += gone->pages;
            acre_dealloc_pages(heap->parts.pages, gone->start, gone->pages);
        }
        gone = next;
    }
    acre_locker_unlock(&heap->pages_lock);
    return acre_multiply(pages, heap->page_size);
}
