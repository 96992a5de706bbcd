/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The ring of chunks that the byte allocator owns: chunks are added, scanned and removed here,
 * under the lock of bytes.
 */
#include "heap/heap_private.h"

/* ---- the ring ---- */

static void heap_set_ring_next(struct acre_heap_chunk *chunk, struct acre_heap_chunk *next)
{
    chunk->ring_next = next;
    chunk->ring_checksum = heap_ring_checksum(chunk);
}

/* HEAP-3 and HEAP-4, as far as they can be seen without a walk. */
/* NOT-COVERED-BEGIN: assertions alone call it, and a build that counts has none */
ACRE_INLINE bool heap_ring_agrees(const struct acre_heap *heap)
{
    return (heap->ring != NULL || heap->chunks == 0) &&
           heap->bytes_added == acre_bytes_stats(heap->bytes).total;
}
/* NOT-COVERED-END */

/* Enters a chunk as the next one to be examined. It starts a ring of its own where the record of
 * the one examined last is damaged. */
static void heap_enter_ring(struct acre_heap *heap, struct acre_heap_chunk *chunk)
{
    struct acre_heap_chunk *last = heap->ring;
    if (last != NULL && !heap_is_sound_in_ring(heap, last))
        last = NULL;
    heap_set_ring_next(chunk, last != NULL ? last->ring_next : chunk);
    if (last != NULL)
        heap_set_ring_next(last, chunk);
    else
        heap->ring = chunk;
    heap->chunks++;
    heap->unexamined += heap->unexamined != 0;
    heap->bytes_added += heap_chunk_bytes(heap, chunk->pages);
    ACRE_ASSERT(heap_is_sound_in_ring(heap, chunk)); /* HEAP-1 */
    ACRE_ASSERT(heap_ring_agrees(heap));             /* HEAP-3, HEAP-4 */
}

/* The next chunk to be examined; null: there is none, or a record is damaged. */
static struct acre_heap_chunk *heap_next_in_ring(const struct acre_heap *heap)
{
    struct acre_heap_chunk *last = heap->ring;
    if (last == NULL || !heap_is_sound_in_ring(heap, last))
        return NULL;
    return heap_is_sound_in_ring(heap, last->ring_next) ? last->ring_next : NULL;
}

/* Takes out the chunk after `ring`. */
static struct acre_heap_chunk *heap_leave_ring(struct acre_heap *heap)
{
    struct acre_heap_chunk *chunk = heap->ring->ring_next;
    ACRE_ASSERT(heap_is_sound_in_ring(heap, chunk)); /* HEAP-1 */
    heap_set_ring_next(heap->ring, chunk->ring_next);
    if (heap->ring == chunk)
        heap->ring = NULL;
    heap->chunks--;
    heap->bytes_added -= heap_chunk_bytes(heap, chunk->pages);
    ACRE_ASSERT(heap_ring_agrees(heap)); /* HEAP-3, HEAP-4 */
    return chunk;
}

/* ---- adding ---- */

/* The region takes more metadata, so that it is looked up together with the one below it, where the
 * request fits nevertheless. */
bool acre_heap_add_chunk(
    struct acre_heap *heap, struct acre_heap_chunk *chunk, struct acre_layout layout)
{
    const struct acre_backing *backing = heap->parts.backing;
    void *start = (void *)chunk->start;
    size_t size = heap_chunk_bytes(heap, chunk->pages);
    bool fits = heap_region_size(heap, layout) <= size - acre_divide(size, 12);
    enum acre_status status = fits ? backing->add_adjacent(heap->parts.self, start, size)
                                   : acre_bytes_add_memory(heap->bytes, start, size);
    if (status == ACRE_OK)
        heap_enter_ring(heap, chunk);
    return status == ACRE_OK;
}

/* ---- removing ---- */

static bool heap_remove_region(
    struct acre_heap *heap, const struct acre_heap_chunk *chunk, size_t keep)
{
    size_t bytes = heap_chunk_bytes(heap, chunk->pages);
    return heap->bytes_added - bytes >= keep &&
           acre_bytes_remove_memory(heap->bytes, (void *)chunk->start) == ACRE_OK;
}

struct acre_heap_chunk *acre_heap_remove_chunks(struct acre_heap *heap, size_t limit, size_t keep)
{
    struct acre_heap_chunk *gone = NULL;
    for (; limit > 0; limit--) {
        struct acre_heap_chunk *chunk = heap_next_in_ring(heap);
        if (chunk == NULL)
            break;
        if (heap_remove_region(heap, chunk, keep)) {
            chunk = heap_leave_ring(heap);
            heap_set_ring_next(chunk, gone);
            gone = chunk;
        } else {
            heap->ring = chunk;
        }
    }
    return gone;
}

/* When less than half of the chunks is in use, removes some that are empty. */
static struct acre_heap_chunk *heap_scan(struct acre_heap *heap)
{
    size_t used = acre_bytes_stats(heap->bytes).used;
    size_t keep = 2 * used > ACRE_HEAP_FIRST_CHUNK ? 2 * used : ACRE_HEAP_FIRST_CHUNK;
    if (heap->bytes_added <= keep)
        return NULL;
    return acre_heap_remove_chunks(heap, ACRE_HEAP_SCAN_LIMIT, keep);
}

struct acre_heap_chunk *acre_heap_count_frees(struct acre_heap *heap, size_t frees)
{
    struct acre_heap_chunk *gone = NULL;
    if (heap->countdown > frees) {
        heap->countdown -= frees;
    } else {
        gone = heap_scan(heap);
        heap->countdown = heap_scan_interval(heap);
    }
    heap->unexamined = heap->chunks;
    heap->newest = NULL; /* if it is empty, it was not before */
    return gone;
}

/* Not every free that empties a chunk is counted, but each leaves fewer live blocks. Nothing
 * changes where there are no fewer, so that a refused request leaves the heap as it is. */
static void heap_note_frees(struct acre_heap *heap)
{
    size_t live = acre_bytes_stats(heap_bytes(heap)).live_blocks;
    if (live < heap->live_examined)
        heap->unexamined = heap->chunks;
    if (live < heap->live_examined || heap->unexamined != 0)
        heap->live_examined = live;
}

/* Removes the empty ones of the next few chunks that may be empty. Under the lock of bytes. */
static struct acre_heap_chunk *heap_examine(struct acre_heap *heap)
{
    heap_note_frees(heap);
    size_t limit = heap->unexamined;
    if (limit > ACRE_HEAP_SCAN_LIMIT)
        limit = ACRE_HEAP_SCAN_LIMIT;
    heap->unexamined -= limit;
    return acre_heap_remove_chunks(heap, limit, 0);
}

size_t acre_heap_release_some(struct acre_heap *heap)
{
    acre_locker_lock(&heap->bytes_lock);
    struct acre_heap_chunk *gone = heap_examine(heap);
    acre_locker_unlock(&heap->bytes_lock);
    return acre_heap_return_runs(heap, gone);
}

/* The next few chunks of `*left`. */
static struct acre_heap_chunk *heap_remove_batch(struct acre_heap *heap, size_t *left)
{
    acre_locker_lock(&heap->bytes_lock);
    heap_note_frees(heap);
    if (*left > heap->chunks)
        *left = heap->chunks;
    size_t batch = *left < ACRE_HEAP_SCAN_LIMIT ? *left : ACRE_HEAP_SCAN_LIMIT;
    struct acre_heap_chunk *gone = acre_heap_remove_chunks(heap, batch, 0);
    *left -= batch;
    heap->unexamined -= batch < heap->unexamined ? batch : heap->unexamined;
    acre_locker_unlock(&heap->bytes_lock);
    return gone;
}

size_t acre_heap_release_empty(struct acre_heap *heap)
{
    size_t released = 0;
    size_t left = SIZE_MAX;
    do
        released += acre_heap_return_runs(heap, heap_remove_batch(heap, &left));
    while (left != 0);
    return released;
}

size_t acre_heap_used_bytes(const struct acre_heap *heap)
{
    acre_locker_lock(&heap->bytes_lock);
    size_t used = acre_bytes_stats(heap_bytes(heap)).used;
    acre_locker_unlock(&heap->bytes_lock);
    return used;
}
