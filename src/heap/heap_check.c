/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The heap's checker. A record is believed once its seal is right, and only then followed.
 */
#include "heap/heap_private.h"

static struct acre_check_result broken(const char *invariant, const void *where)
{
    return (struct acre_check_result){ invariant, where };
}

static const struct acre_check_result sound = { NULL, NULL };

static bool is_record(
    const struct acre_heap *heap, const struct acre_heap_chunk *chunk, bool sealed)
{
    return sealed && chunk->start + heap_chunk_bytes(heap, chunk->pages) == (uintptr_t)chunk &&
           (chunk->start & (heap->page_size - 1)) == 0;
}

static bool is_apart(const struct acre_heap *heap, const struct acre_heap_chunk *chunk)
{
    const struct acre_heap_chunk *other = heap->taken;
    while (other != chunk && !acre_ranges_overlap(chunk->start, chunk->pages * heap->page_size,
                                 other->start, other->pages * heap->page_size))
        other = other->below;
    return other == chunk;
}

static struct acre_check_result check_taken(const struct acre_heap *heap)
{
    const struct acre_heap_chunk *above = NULL;
    size_t held = 0;
    for (const struct acre_heap_chunk *chunk = heap->taken; chunk != NULL; chunk = chunk->below) {
        if (!is_record(heap, chunk, chunk->seal == heap_seal(chunk)))
            return broken("HEAP-1: a chunk's record is not what was written there", chunk);
        held += chunk->pages;
        if (chunk->above != above || held > heap->held || !is_apart(heap, chunk))
            return broken("HEAP-2: the chunks taken are linked wrongly or overlap", chunk);
        above = chunk;
    }
    if (held != heap->held)
        return broken("HEAP-2: the chunks taken are not as many pages as are held", heap);
    if (held * heap->page_size > acre_pages_stats(heap->parts.pages).used)
        return broken("HEAP-5: chunks hold more pages than are in use", heap);
    return sound;
}

static struct acre_check_result check_circle(const struct acre_heap *heap)
{
    const struct acre_heap_chunk *chunk = heap->last;
    size_t chunks = 0;
    size_t fed = 0;
    while (chunk != NULL && chunks < heap->chunks) {
        if (!is_record(heap, chunk, chunk->next_seal == heap_next_seal(chunk)))
            return broken("HEAP-1: a chunk's record is not what was written there", chunk);
        chunks++;
        fed += heap_chunk_bytes(heap, chunk->pages);
        chunk = chunk->next;
    }
    if (chunk != heap->last || chunks != heap->chunks || fed != heap->fed)
        return broken("HEAP-3: the circle of chunks does not have what is counted", heap);
    if (fed != acre_bytes_stats(heap->parts.bytes).total)
        return broken("HEAP-4: the byte allocator was not given what the chunks are", heap);
    return sound;
}

/* The lock of bytes is held. */
static struct acre_check_result check_bytes(const struct acre_heap *heap)
{
    struct acre_check_result found = check_circle(heap);
    return found.invariant != NULL ? found : acre_bytes_check(heap->parts.bytes);
}

/* The lock of pages is held. */
static struct acre_check_result check_pages(const struct acre_heap *heap)
{
    struct acre_check_result found = acre_pages_check(heap->parts.pages);
    return found.invariant != NULL ? found : check_taken(heap);
}

struct acre_check_result acre_heap_check(const struct acre_heap *heap)
{
    acre_locker_lock(&heap->pages_lock);
    struct acre_check_result found = check_pages(heap);
    acre_locker_unlock(&heap->pages_lock);
    if (found.invariant != NULL)
        return found;
    acre_locker_lock(&heap->bytes_lock);
    found = check_bytes(heap);
    acre_locker_unlock(&heap->bytes_lock);
    return found;
}
