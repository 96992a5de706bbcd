/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Chunks: taken from the pages, given back to them, and looked at for being empty.
 */
#include "heap/heap_private.h"

static void seal(struct acre_heap_chunk *chunk)
{
    chunk->seal = heap_seal(chunk);
}

static void set_next(struct acre_heap_chunk *chunk, struct acre_heap_chunk *next)
{
    chunk->next = next;
    chunk->next_seal = heap_next_seal(chunk);
}

/* ---- pages that are taken, under the lock of pages ---- */

static void enlist(struct acre_heap *heap, struct acre_heap_chunk *chunk)
{
    chunk->above = NULL;
    chunk->below = heap->taken;
    if (chunk->below != NULL) {
        chunk->below->above = chunk;
        seal(chunk->below);
    }
    heap->taken = chunk;
    heap->held += chunk->pages;
}

static void delist(struct acre_heap *heap, struct acre_heap_chunk *chunk)
{
    if (chunk->above != NULL) {
        chunk->above->below = chunk->below;
        seal(chunk->above);
    } else {
        heap->taken = chunk->below;
    }
    if (chunk->below != NULL) {
        chunk->below->above = chunk->above;
        seal(chunk->below);
    }
    heap->held -= chunk->pages;
}

/* Writes the record of a run of pages, at its end. */
static struct acre_heap_chunk *record(struct acre_heap *heap, uintptr_t start, size_t pages)
{
    uintptr_t at = start + heap_chunk_bytes(heap, pages);
    struct acre_heap_chunk *chunk = (void *)at;
    *chunk = (struct acre_heap_chunk){ .start = start, .pages = pages };
    enlist(heap, chunk);
    seal(chunk);
    return chunk;
}

/* Pages of the next chunk where there are enough: as many as are held, but a power of two. */
static size_t usual_size(const struct acre_heap *heap)
{
    size_t first = ACRE_HEAP_FIRST / heap->page_size;
    if (heap->held > first)
        first = (size_t)1 << acre_bits_highest(heap->held);
    return first != 0 ? first : 1;
}

/* The next size to ask for: half as much, but not less than is needed, nor more than there is. */
static size_t next_size(size_t pages, size_t least, size_t at_hand)
{
    do
        pages = pages / 2 > least ? pages / 2 : least;
    while (pages > at_hand && pages > least);
    return pages;
}

/* A run of `least` pages or more: as many as are held, or fewer; null: there is none. */
static struct acre_heap_chunk *take(struct acre_heap *heap, size_t least, unsigned flags)
{
    struct acre_stats stats = acre_pages_stats(heap->parts.pages);
    size_t at_hand = acre_heap_pages_at_hand(heap, &stats, 0);
    size_t pages = usual_size(heap);
    if (least > at_hand) {
        /* Of the reserve no more than is needed: what is over in a chunk serves any request. */
        at_hand = acre_heap_pages_at_hand(heap, &stats, flags);
        pages = least;
    }
    if (least > at_hand)
        return NULL;
    if (pages < least)
        pages = least;
    if (pages > at_hand)
        pages = next_size(pages, least, at_hand);
    for (;;) {
        struct acre_num got = acre_alloc_pages(heap->parts.pages, pages, 1);
        if (got.status == ACRE_OK)
            return record(heap, got.num, pages);
        if (pages == least)
            return NULL;
        pages = next_size(pages, least, at_hand);
    }
}

struct acre_heap_chunk *acre_heap_take_chunk(struct acre_heap *heap, size_t bytes, unsigned flags)
{
    size_t page = heap->page_size;
    if (bytes > SIZE_MAX - HEAP_RECORD - page)
        return NULL;
    acre_locker_lock(&heap->pages_lock);
    struct acre_heap_chunk *chunk = take(heap, (bytes + HEAP_RECORD + page - 1) / page, flags);
    acre_locker_unlock(&heap->pages_lock);
    return chunk;
}

size_t acre_heap_give_chunks(struct acre_heap *heap, struct acre_heap_chunk *gone)
{
    size_t pages = 0;
    acre_locker_lock(&heap->pages_lock);
    while (gone != NULL) {
        struct acre_heap_chunk *next = gone->next;
        pages += gone->pages;
        delist(heap, gone);
        acre_dealloc_pages(heap->parts.pages, gone->start, gone->pages);
        gone = next;
    }
    acre_locker_unlock(&heap->pages_lock);
    return pages * heap->page_size;
}

bool acre_heap_touches_chunk(const struct acre_heap *heap, uintptr_t pos, size_t pages)
{
    const struct acre_heap_chunk *chunk = heap->taken;
    size_t page = heap->page_size;
    while (
        chunk != NULL && !acre_ranges_overlap(chunk->start / page, chunk->pages, pos / page, pages))
        chunk = chunk->below;
    return chunk != NULL;
}

/* ---- chunks that the byte allocator has, under the lock of bytes ---- */

void acre_heap_enter_chunk(struct acre_heap *heap, struct acre_heap_chunk *chunk)
{
    struct acre_heap_chunk *last = heap->last;
    set_next(chunk, last != NULL ? last->next : chunk);
    if (last != NULL)
        set_next(last, chunk);
    heap->last = last != NULL ? last : chunk;
    heap->chunks++;
    heap->fed += heap_chunk_bytes(heap, chunk->pages);
}

/* Takes the chunk behind `last` out of the circle. */
static struct acre_heap_chunk *leave(struct acre_heap *heap)
{
    struct acre_heap_chunk *chunk = heap->last->next;
    set_next(heap->last, chunk->next);
    if (heap->last == chunk)
        heap->last = NULL;
    heap->chunks--;
    heap->fed -= heap_chunk_bytes(heap, chunk->pages);
    return chunk;
}

static bool take_back(struct acre_heap *heap, const struct acre_heap_chunk *chunk, size_t keep)
{
    size_t bytes = heap_chunk_bytes(heap, chunk->pages);
    return heap->fed - bytes >= keep &&
           acre_bytes_remove_memory(heap->parts.bytes, (void *)chunk->start) == ACRE_OK;
}

struct acre_heap_chunk *acre_heap_collect(struct acre_heap *heap, size_t tries, size_t keep)
{
    struct acre_heap_chunk *gone = NULL;
    for (; tries > 0 && heap->last != NULL; tries--) {
        struct acre_heap_chunk *chunk = heap->last->next;
        if (take_back(heap, chunk, keep)) {
            chunk = leave(heap);
            set_next(chunk, gone);
            gone = chunk;
        } else {
            heap->last = chunk;
        }
    }
    return gone;
}

struct acre_heap_chunk *acre_heap_look(struct acre_heap *heap)
{
    size_t used = acre_bytes_stats(heap->parts.bytes).used;
    size_t keep = 2 * used > ACRE_HEAP_FIRST ? 2 * used : ACRE_HEAP_FIRST;
    return heap->fed > keep ? acre_heap_collect(heap, ACRE_HEAP_TRIES, keep) : NULL;
}

size_t acre_heap_release_empty(struct acre_heap *heap)
{
    acre_locker_lock(&heap->bytes_lock);
    struct acre_heap_chunk *gone = acre_heap_collect(heap, heap->chunks, 0);
    acre_locker_unlock(&heap->bytes_lock);
    return gone != NULL ? acre_heap_give_chunks(heap, gone) : 0;
}
