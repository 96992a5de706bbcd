/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What the heap does for a request that found no room: a new chunk, empty chunks given back and
 * another chunk for them, the callback, and in the end a refusal.
 */
#include "heap/heap_private.h"

/* Tries a request with what room there is. Under the lock of bytes. */
static struct acre_ptr attempt(struct acre_heap *heap, const struct heap_request *request)
{
    if (request->ptr != NULL)
        return acre_realloc(heap->parts.bytes, request->ptr, request->layout);
    return acre_alloc(heap->parts.bytes, request->layout);
}

static struct acre_ptr attempt_locked(struct acre_heap *heap, const struct heap_request *request)
{
    acre_locker_lock(&heap->bytes_lock);
    struct acre_ptr got = attempt(heap, request);
    acre_locker_unlock(&heap->bytes_lock);
    return got;
}

/* Adds a chunk's region, in the way that may take more metadata if the request fits nevertheless.
 */
static enum acre_status feed(
    struct acre_heap *heap, const struct acre_heap_chunk *chunk, struct acre_layout layout)
{
    struct acre_bytes bytes = heap->parts.bytes;
    size_t size = heap_chunk_bytes(heap, chunk->pages);
    bool spare = heap->parts.region_for(layout) <= size - size / 12;
    if (heap->parts.add_adjacent != NULL && spare)
        return heap->parts.add_adjacent(bytes.self, (void *)chunk->start, size);
    return acre_bytes_add_memory(bytes, (void *)chunk->start, size);
}

/* Tries the request with one more region of the byte allocator's; false: the region is not, or no
 * longer, its own. */
static bool try_fed(struct acre_heap *heap, const struct acre_heap_chunk *chunk,
    const struct heap_request *request, struct acre_ptr *got)
{
    struct acre_base bytes = acre_bytes_base(heap->parts.bytes);
    if (feed(heap, chunk, request->layout) != ACRE_OK)
        return false;
    *got = attempt(heap, request);
    return got->ptr != NULL || acre_remove_memory(bytes, (void *)chunk->start) != ACRE_OK;
}

/* Gives a chunk that was taken to the byte allocator, and tries the request with it. */
static struct acre_ptr try_with(
    struct acre_heap *heap, struct acre_heap_chunk *chunk, const struct heap_request *request)
{
    struct acre_ptr got = { NULL, ACRE_NO_MEMORY };
    acre_locker_lock(&heap->bytes_lock);
    bool fed = try_fed(heap, chunk, request, &got);
    if (fed)
        acre_heap_enter_chunk(heap, chunk);
    acre_locker_unlock(&heap->bytes_lock);
    if (!fed)
        acre_heap_give_chunks(heap, chunk);
    return got;
}

static struct acre_heap_chunk *take_chunk_for(
    struct acre_heap *heap, struct acre_layout layout, unsigned flags)
{
    size_t region = heap->parts.region_for(layout);
    return region != 0 ? acre_heap_take_chunk(heap, region, flags) : NULL;
}

static struct acre_ptr try_larger(struct acre_heap *heap, const struct heap_request *request)
{
    struct acre_heap_chunk *chunk = take_chunk_for(heap, request->layout, request->flags);
    if (chunk == NULL)
        return (struct acre_ptr){ NULL, ACRE_NO_MEMORY };
    return try_with(heap, chunk, request);
}

static struct acre_ptr try_again(struct acre_heap *heap, const struct heap_request *request)
{
    struct acre_ptr got = attempt_locked(heap, request);
    return got.status != ACRE_NO_MEMORY ? got : try_larger(heap, request);
}

static struct acre_ptr refuse(struct acre_heap *heap)
{
    acre_locker_lock(&heap->bytes_lock);
    heap->failed++;
    acre_locker_unlock(&heap->bytes_lock);
    return (struct acre_ptr){ NULL, ACRE_NO_MEMORY };
}

/* ---- the handler ---- */

/* Without a lock, a handler that runs is the one that makes the request. */
static bool enter_handler(struct acre_heap *heap)
{
    acre_locker_lock(&heap->bytes_lock);
    unsigned most = heap->bytes_lock.lock != NULL ? ACRE_EXHAUSTED_RETRIES : 1;
    bool may = heap->on_exhausted != NULL && heap->running < most;
    heap->running += may;
    acre_locker_unlock(&heap->bytes_lock);
    return may;
}

static void leave_handler(struct acre_heap *heap)
{
    acre_locker_lock(&heap->bytes_lock);
    heap->running--;
    acre_locker_unlock(&heap->bytes_lock);
}

bool acre_heap_ask(struct acre_heap *heap, struct acre_layout layout)
{
    if (!enter_handler(heap))
        return false;
    bool again = heap->on_exhausted(heap->on_exhausted_arg, layout);
    leave_handler(heap);
    return again;
}

/* ---- requests that the heap sees from the start ---- */

struct acre_ptr acre_heap_serve(struct acre_heap *heap, const struct heap_request *request)
{
    unsigned asked = 0;
    struct acre_ptr got = try_larger(heap, request);
    while (got.status == ACRE_NO_MEMORY) {
        if (acre_heap_release_empty(heap) != 0)
            got = try_larger(heap, request);
        if (got.status != ACRE_NO_MEMORY)
            return got;
        if (asked++ == ACRE_EXHAUSTED_RETRIES || !acre_heap_ask(heap, request->layout))
            return refuse(heap);
        got = try_again(heap, request);
    }
    return got;
}

/* The byte allocator calls make_room with the flags. */
static struct acre_ptr attempt_called(struct acre_heap *heap, const struct heap_request *request)
{
    unsigned flags = heap->flags;
    heap->flags = request->flags;
    struct acre_ptr got = attempt(heap, request);
    heap->flags = flags;
    return got;
}

struct acre_ptr acre_heap_request(struct acre_heap *heap, const struct heap_request *request)
{
    if (heap_is_called(heap))
        return attempt_called(heap, request);
    struct acre_ptr got = attempt_locked(heap, request);
    return got.status != ACRE_NO_MEMORY ? got : acre_heap_serve(heap, request);
}

/* ---- requests that the byte allocator hands on, without a lock ---- */

static bool add_chunk_for(struct acre_heap *heap, struct acre_layout layout)
{
    struct acre_heap_chunk *chunk = take_chunk_for(heap, layout, heap->flags);
    if (chunk == NULL)
        return false;
    if (feed(heap, chunk, layout) != ACRE_OK) {
        acre_heap_give_chunks(heap, chunk);
        return false;
    }
    acre_heap_enter_chunk(heap, chunk);
    heap->newest = chunk;
    heap->newest_for = layout;
    return true;
}

/* Gives back a chunk that did not serve the request it was taken for: it is empty, and the next to
 * be tried. True when there was one. */
static bool give_useless_chunk(struct acre_heap *heap, struct acre_layout layout)
{
    if (heap->last == NULL || heap->last->next != heap->newest ||
        heap->newest_for.size != layout.size || heap->newest_for.align != layout.align)
        return false;
    struct acre_heap_chunk *gone = acre_heap_collect(heap, 1, 0);
    return gone != NULL && acre_heap_give_chunks(heap, gone) != 0;
}

/* The handler may make requests, which may need chunks too. */
static bool ask_called(struct acre_heap *heap, struct acre_layout layout)
{
    unsigned flags = heap->flags;
    heap->flags = 0;
    heap->parts.set_on_exhausted(heap->parts.bytes.self, acre_heap_make_room, heap);
    bool again = acre_heap_ask(heap, layout);
    heap->flags = flags;
    return again;
}

bool acre_heap_make_room(void *self, struct acre_layout layout)
{
    struct acre_heap *heap = self;
    if (!give_useless_chunk(heap, layout)) {
        if (add_chunk_for(heap, layout))
            return true;
        if (acre_heap_release_empty(heap) != 0 && add_chunk_for(heap, layout))
            return true;
    }
    return ask_called(heap, layout);
}
