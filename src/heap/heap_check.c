/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The heap's checker. A record is followed only after its checksum was compared.
 */
#include "base/check.h"
#include "heap/heap_private.h"

static bool heap_is_apart(const struct acre_heap *heap, const struct acre_heap_chunk *chunk)
{
    const struct acre_heap_chunk *other = heap->runs;
    while (other != chunk &&
           !acre_ranges_overlap(chunk->start, acre_multiply(chunk->pages, heap->page_size),
               other->start, acre_multiply(other->pages, heap->page_size)))
        other = other->run_next;
    return other == chunk;
}

static struct acre_check_result heap_check_runs(const struct acre_heap *heap)
{
    const struct acre_heap_chunk *prev = NULL;
    size_t pages = 0;
    for (const struct acre_heap_chunk *chunk = heap->runs; chunk != NULL; chunk = chunk->run_next) {
        if (!heap_is_sound_in_runs(heap, chunk))
            return acre_check_broken("HEAP-1: a chunk's record does not match its checksum", chunk);
        pages += chunk->pages;
        if (chunk->run_prev != prev || pages > heap->chunk_pages || !heap_is_apart(heap, chunk))
            return acre_check_broken("HEAP-2: chunks overlap or are linked wrongly", chunk);
        prev = chunk;
    }
    if (pages != heap->chunk_pages)
        return acre_check_broken("HEAP-2: the chunks do not have the pages counted for them", heap);
    if (acre_multiply(pages, heap_page_size(heap)) > acre_pages_stats(heap_pages(heap)).used)
        return acre_check_broken("HEAP-5: chunks have more pages than are in use", heap);
    return acre_check_sound();
}

static struct acre_check_result heap_check_ring(const struct acre_heap *heap)
{
    const struct acre_heap_chunk *chunk = heap->ring;
    size_t chunks = 0;
    size_t bytes = 0;
    while (chunk != NULL && chunks < heap->chunks) {
        if (!heap_is_sound_in_ring(heap, chunk))
            return acre_check_broken("HEAP-1: a chunk's record does not match its checksum", chunk);
        chunks++;
        bytes += heap_chunk_bytes(heap, chunk->pages);
        chunk = chunk->ring_next;
    }
    if (chunk != heap->ring || chunks != heap->chunks || bytes != heap->bytes_added)
        return acre_check_broken("HEAP-3: the ring of chunks does not match its counts", heap);
    if (bytes != acre_bytes_stats(heap_bytes(heap)).total)
        return acre_check_broken("HEAP-4: the byte allocator does not own just the chunks", heap);
    return acre_check_sound();
}

/* The lock of bytes is held. */
static struct acre_check_result heap_check_bytes(const struct acre_heap *heap)
{
    struct acre_check_result found = heap_check_ring(heap);
    return found.invariant != NULL ? found : acre_bytes_check(heap_bytes(heap));
}

/* The lock of pages is held. */
static struct acre_check_result heap_check_pages(const struct acre_heap *heap)
{
    struct acre_check_result found = acre_pages_check(heap_pages(heap));
    return found.invariant != NULL ? found : heap_check_runs(heap);
}

struct acre_check_result acre_heap_check(const struct acre_heap *heap)
{
    acre_locker_lock(&heap->pages_lock);
    struct acre_check_result found = heap_check_pages(heap);
    acre_locker_unlock(&heap->pages_lock);
    if (found.invariant != NULL)
        return found;
    acre_locker_lock(&heap->bytes_lock);
    found = heap_check_bytes(heap);
    acre_locker_unlock(&heap->bytes_lock);
    return found;
}
