/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Requests that find no memory. In this order: a chunk is added, empty chunks are returned and a
 * chunk is added, the handler is called, the request is refused. No lock is held but where it says
 * so.
 */
#include "heap/heap_private.h"

#include "base/memory.h"

/* ---- the handler ---- */

/* Without a lock, a request made while the handler runs is the handler's own. */
static bool heap_enter_handler(struct acre_heap *heap)
{
    acre_locker_lock(&heap->bytes_lock);
    unsigned most = heap->bytes_lock.lock != NULL ? ACRE_EXHAUSTED_RETRIES : 1;
    bool may = heap->on_exhausted != NULL && heap->running < most;
    heap->running += may;
    acre_locker_unlock(&heap->bytes_lock);
    return may;
}

static void heap_leave_handler(struct acre_heap *heap)
{
    acre_locker_lock(&heap->bytes_lock);
    heap->running--;
    acre_locker_unlock(&heap->bytes_lock);
}

static bool heap_call_handler(struct acre_heap *heap, struct acre_layout layout)
{
    if (!heap_enter_handler(heap))
        return false;
    bool again = heap->on_exhausted(heap->on_exhausted_arg, layout);
    heap_leave_handler(heap);
    return again;
}

/* ---- blocks, where the byte allocator calls the heap ---- */

static struct acre_heap_chunk *heap_alloc_chunk(
    struct acre_heap *heap, struct acre_layout layout, unsigned flags)
{
    size_t region = heap_region_size(heap, layout);
    return region != 0 ? acre_heap_alloc_run(heap, region, flags) : NULL;
}

/* What the heap knew of the chunk entered before lies in a chunk's guard: a request that is refused
 * restores it. Nobody follows the pointer, so damage there does no harm. */
struct heap_newest {
    struct acre_heap_chunk *chunk;
    struct acre_layout layout;
};
_Static_assert((int)sizeof(struct heap_newest) <= (int)HEAP_GUARD, "the guard has room for it");

static void heap_set_newest(
    struct acre_heap *heap, struct acre_heap_chunk *chunk, struct acre_layout layout)
{
    struct heap_newest before = { heap->newest, heap->newest_for };
    memcpy((char *)chunk - HEAP_GUARD, &before, sizeof before);
    heap->newest = chunk;
    heap->newest_for = layout;
}

static void heap_restore_newest(struct acre_heap *heap, const struct heap_newest *before)
{
    heap->newest = before->chunk;
    heap->newest_for = before->layout;
}

static bool heap_add_chunk_for(struct acre_heap *heap, struct acre_layout layout)
{
    struct acre_heap_chunk *chunk = heap_alloc_chunk(heap, layout, heap->flags);
    if (chunk == NULL)
        return false;
    if (!acre_heap_add_chunk(heap, chunk, layout)) {
        chunk->ring_next = NULL;
        acre_heap_return_runs(heap, chunk);
        return false;
    }
    heap_set_newest(heap, chunk, layout);
    return true;
}

/* Returns a chunk that did not serve the request for which it was added. It is empty, and the next
 * to be examined. True if there was one, which means that region_size is wrong. */
static bool heap_return_useless_chunk(struct acre_heap *heap, struct acre_layout layout)
{
    if (heap->ring == NULL || heap->ring->ring_next != heap->newest ||
        heap->newest_for.size != layout.size || heap->newest_for.align != layout.align)
        return false;
    struct heap_newest before;
    memcpy(&before, (char *)heap->newest - HEAP_GUARD, sizeof before);
    struct acre_heap_chunk *ring = heap->ring;
    struct acre_heap_chunk *gone = acre_heap_remove_chunks(heap, 1, 0);
    if (gone != NULL)
        heap_restore_newest(heap, &before);
    else /* it serves an equal request of before */
        heap->ring = ring;
    return acre_heap_return_runs(heap, gone) != 0;
}

/* The handler's own requests may need chunks too, and have no flags. */
static bool heap_call_handler_in_place(struct acre_heap *heap, struct acre_layout layout)
{
    unsigned flags = heap->flags;
    heap->flags = 0;
    heap->parts.backing->set_on_exhausted(heap->parts.self, acre_heap_make_room, heap);
    bool again = heap_call_handler(heap, layout);
    heap->flags = flags;
    return again;
}

bool acre_heap_make_room(void *self, struct acre_layout layout)
{
    struct acre_heap *heap = self;
    if (!heap_return_useless_chunk(heap, layout)) {
        do {
            if (heap_add_chunk_for(heap, layout))
                return true;
        } while (acre_heap_release_some(heap) != 0);
    }
    return heap_call_handler_in_place(heap, layout);
}

/* ---- blocks, where the heap looks at the answer ---- */

static struct acre_ptr heap_try(struct acre_heap *heap, const struct heap_request *request)
{
    if (request->ptr != NULL)
        return acre_realloc(heap_bytes(heap), request->ptr, request->layout);
    return acre_alloc(heap_bytes(heap), request->layout);
}

static struct acre_ptr heap_try_locked(struct acre_heap *heap, const struct heap_request *request)
{
    acre_locker_lock(&heap->bytes_lock);
    struct acre_ptr got = heap_try(heap, request);
    acre_locker_unlock(&heap->bytes_lock);
    return got;
}

/* Adds a chunk and tries the request with it; a chunk of no use stays out. Returns the chunk to be
 * returned, or null. Under the lock of bytes. */
static struct acre_heap_chunk *heap_try_chunk(struct acre_heap *heap, struct acre_heap_chunk *chunk,
    const struct heap_request *request, struct acre_ptr *got)
{
    if (!acre_heap_add_chunk(heap, chunk, request->layout)) {
        chunk->ring_next = NULL;
        return chunk;
    }
    *got = heap_try(heap, request);
    return got->ptr == NULL ? acre_heap_remove_chunks(heap, 1, 0) : NULL;
}

static struct acre_ptr heap_try_with_chunk(
    struct acre_heap *heap, const struct heap_request *request)
{
    struct acre_ptr got = { NULL, ACRE_NO_MEMORY };
    struct acre_heap_chunk *chunk = heap_alloc_chunk(heap, request->layout, request->flags);
    if (chunk == NULL)
        return got;
    acre_locker_lock(&heap->bytes_lock);
    struct acre_heap_chunk *gone = heap_try_chunk(heap, chunk, request, &got);
    acre_locker_unlock(&heap->bytes_lock);
    acre_heap_return_runs(heap, gone);
    return got;
}

static struct acre_ptr heap_refuse(struct acre_heap *heap)
{
    acre_locker_lock(&heap->bytes_lock);
    heap->failed++;
    acre_locker_unlock(&heap->bytes_lock);
    return (struct acre_ptr){ NULL, ACRE_NO_MEMORY };
}

struct acre_ptr acre_heap_alloc_slow(struct acre_heap *heap, const struct heap_request *request)
{
    struct acre_ptr got = heap_try_with_chunk(heap, request);
    for (unsigned calls = 0; got.status == ACRE_NO_MEMORY; calls++) {
        while (got.status == ACRE_NO_MEMORY && acre_heap_release_some(heap) != 0)
            got = heap_try_with_chunk(heap, request);
        if (got.status != ACRE_NO_MEMORY)
            return got;
        if (calls == ACRE_EXHAUSTED_RETRIES || !heap_call_handler(heap, request->layout))
            return heap_refuse(heap);
        got = heap_try_locked(heap, request);
        if (got.status == ACRE_NO_MEMORY)
            got = heap_try_with_chunk(heap, request);
    }
    return got;
}

/* ---- both ---- */

/* The byte allocator calls make_room, which finds the flags in the heap. */
static struct acre_ptr heap_try_called(struct acre_heap *heap, const struct heap_request *request)
{
    unsigned flags = heap->flags;
    heap->flags = request->flags;
    struct acre_ptr got = heap_try(heap, request);
    heap->flags = flags;
    return got;
}

struct acre_ptr acre_heap_request(struct acre_heap *heap, const struct heap_request *request)
{
    if (heap->is_called)
        return heap_try_called(heap, request);
    struct acre_ptr got = heap_try_locked(heap, request);
    return got.status != ACRE_NO_MEMORY ? got : acre_heap_alloc_slow(heap, request);
}

/* ---- pages ---- */

static struct acre_layout heap_layout_of(
    const struct acre_heap *heap, const struct heap_page_request *request)
{
    size_t most = acre_divide(SIZE_MAX, heap_page_size(heap));
    size_t size = request->count > most ? SIZE_MAX : acre_multiply(request->count, heap->page_size);
    return acre_layout(size, request->align);
}

static struct acre_num heap_try_pages(
    struct acre_heap *heap, const struct heap_page_request *request)
{
    return acre_heap_try_pages(heap, request, acre_heap_used_bytes(heap));
}

static struct acre_num heap_request_pages(
    struct acre_heap *heap, const struct heap_page_request *request)
{
    struct acre_num got = heap_try_pages(heap, request);
    for (unsigned calls = 0; got.status == ACRE_NO_MEMORY; calls++) {
        while (got.status == ACRE_NO_MEMORY && acre_heap_release_some(heap) != 0)
            got = heap_try_pages(heap, request);
        if (got.status != ACRE_NO_MEMORY)
            return got;
        if (calls == ACRE_EXHAUSTED_RETRIES ||
            !heap_call_handler(heap, heap_layout_of(heap, request))) {
            acre_heap_count_refused_pages(heap);
            return got;
        }
        got = heap_try_pages(heap, request);
    }
    return got;
}

struct acre_num acre_heap_alloc_pages(
    struct acre_heap *heap, size_t count, size_t align, unsigned flags)
{
    struct heap_page_request request = { 0, count, align, flags, false, NULL };
    return heap_request_pages(heap, &request);
}

struct acre_num acre_heap_alloc_pages_at(
    struct acre_heap *heap, uintptr_t pos, size_t count, size_t align, unsigned flags)
{
    struct heap_page_request request = { pos, count, align, flags, true, NULL };
    return heap_request_pages(heap, &request);
}

struct acre_num acre_heap_alloc_pages_within(
    struct acre_heap *heap, size_t count, const struct acre_run_limits *limits, unsigned flags)
{
    size_t align = limits->align != 0 ? limits->align : 1;
    struct heap_page_request request = { 0, count, align, flags, false, limits };
    return heap_request_pages(heap, &request);
}
