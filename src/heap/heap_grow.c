/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What the heap does for a request that found no room: a new chunk, empty chunks given back and
 * another chunk for them, the callback, and in the end a refusal.
 */
#include "heap/heap_private.h"

/* Under the lock of bytes. */
static struct acre_ptr attempt(struct acre_heap *heap, const struct heap_request *request)
{
    struct acre_ptr got;
    acre_heap_call_more(heap, false);
    if (request->ptr != NULL)
        got = acre_realloc(heap->parts.bytes, request->ptr, request->layout);
    else
        got = acre_alloc(heap->parts.bytes, request->layout);
    acre_heap_call_more(heap, true);
    return got;
}

struct acre_ptr acre_heap_attempt(struct acre_heap *heap, const struct heap_request *request)
{
    acre_locker_lock(&heap->bytes_lock);
    struct acre_ptr got = attempt(heap, request);
    acre_locker_unlock(&heap->bytes_lock);
    return got;
}

/* Adds a chunk's region, in the way that may take more metadata if the request fits nevertheless.
 */
static enum acre_status feed(
    struct acre_heap *heap, const struct acre_heap_chunk *chunk, const struct heap_request *request)
{
    struct acre_bytes bytes = heap->parts.bytes;
    size_t size = heap_chunk_bytes(heap, chunk->pages);
    bool spare = heap->parts.region_for(request->layout) <= size - size / 12;
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
    if (feed(heap, chunk, request) != ACRE_OK)
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

static struct acre_ptr try_larger(struct acre_heap *heap, const struct heap_request *request)
{
    size_t region = heap->parts.region_for(request->layout);
    struct acre_heap_chunk *chunk =
        region != 0 ? acre_heap_take_chunk(heap, region, request->flags) : NULL;
    if (chunk == NULL)
        return (struct acre_ptr){ NULL, ACRE_NO_MEMORY };
    return try_with(heap, chunk, request);
}

static struct acre_ptr try_again(struct acre_heap *heap, const struct heap_request *request)
{
    struct acre_ptr got = acre_heap_attempt(heap, request);
    return got.status != ACRE_NO_MEMORY ? got : try_larger(heap, request);
}

static struct acre_ptr refuse(struct acre_heap *heap)
{
    acre_locker_lock(&heap->bytes_lock);
    heap->failed++;
    acre_locker_unlock(&heap->bytes_lock);
    return (struct acre_ptr){ NULL, ACRE_NO_MEMORY };
}

bool acre_heap_ask(struct acre_heap *heap, struct acre_layout layout, unsigned asked)
{
    return heap->oom != NULL && asked < ACRE_HEAP_RETRIES && heap->oom(heap->oom_arg, layout);
}

struct acre_ptr acre_heap_serve(struct acre_heap *heap, const struct heap_request *request)
{
    unsigned asked = 0;
    struct acre_ptr got = try_larger(heap, request);
    while (got.status == ACRE_NO_MEMORY) {
        if (acre_heap_release_empty(heap) != 0)
            got = try_larger(heap, request);
        if (got.status != ACRE_NO_MEMORY)
            return got;
        if (!acre_heap_ask(heap, request->layout, asked++))
            return refuse(heap);
        got = try_again(heap, request);
    }
    return got;
}
