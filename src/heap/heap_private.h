/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The heap's chunks, locks and invariants, for the files of this folder and its white-box tests.
 *
 *   a chunk, a run of pages:
 *
 *   | region of the byte allocator ........................ | record |
 *   ^ start, at a page                                               ^ end of the last page
 *
 * A chunk is in up to two lists. `taken`, under the lock of pages, has every chunk from the moment
 * its pages are taken until they are given back: it is what dealloc_pages is held against. The
 * circle `last`, under the lock of bytes, has those that the byte allocator owns; it is turned on
 * at every look, so that each chunk gets its turn.
 *
 *   taking:       [pages: search, into taken]   [bytes: add_memory, into the circle, alloc]
 *   giving back:  [bytes: remove_memory, out of the circle]   [pages: out of taken, dealloc]
 *
 * Between the brackets no lock is held, and the chunk is in `taken` only: no other call can reach
 * it, since it is neither the byte allocator's nor free. Two threads that both find no room take a
 * chunk each, and both are served, each from its own if need be: a request is tried under the
 * same hold of the lock that adds its chunk. A chunk given back by one thread is seen as in use by
 * a search of another until it is in the page allocator again; that search can fail in vain.
 *
 * Invariants; the checker names them (c chunks):
 *   HEAP-1  a record's seals fit its fields and its place, at the end of its pages [c]
 *   HEAP-2  `taken` is linked both ways, and has `held` pages; none in two chunks [c * c]
 *   HEAP-3  the circle has `chunks` chunks and `fed` bytes, all of them taken [c]
 *   HEAP-4  the byte allocator was given just the circle's regions [1]
 *   HEAP-5  pages held are no more than pages in use [1]
 * and those of both parts.
 */
#ifndef ACRE_SRC_HEAP_PRIVATE_H
#define ACRE_SRC_HEAP_PRIVATE_H

#include "base/arith.h"

#include <acre/heap.h>

/* Half a word. */
#if UINTPTR_MAX > UINT32_MAX
typedef uint32_t heap_half;
#else
typedef uint16_t heap_half;
#endif

/* The record of a chunk. Two locks guard it, so it has a seal for what changes under each. */
struct acre_heap_chunk {
    uintptr_t start;
    size_t pages;
    struct acre_heap_chunk *next;  /* in the circle */
    struct acre_heap_chunk *below; /* in `taken` */
    struct acre_heap_chunk *above; /* in `taken`: nearer to its head */
    heap_half seal;                /* of start, pages, below and above */
    heap_half next_seal;           /* of start, pages and next, while in the circle */
};

enum { HEAP_RECORD = sizeof(struct acre_heap_chunk) };

/* One request for bytes. */
struct heap_request {
    void *ptr; /* the block to realloc, or null */
    struct acre_layout layout;
    unsigned flags;
};

/* ---- chunks; heap_chunk.c ---- */

/* Bytes of a chunk's region; it has more pages than a record takes. */
ACRE_INLINE size_t heap_chunk_bytes(const struct acre_heap *heap, size_t pages)
{
    return pages * heap->page_size - HEAP_RECORD;
}

ACRE_INLINE uintptr_t heap_turned(const void *ptr, unsigned by)
{
    return (uintptr_t)ptr << by | (uintptr_t)ptr >> (sizeof(uintptr_t) * 8 - by);
}

ACRE_INLINE heap_half heap_folded(uintptr_t word)
{
    return (heap_half) ~(word ^ word >> 8 * sizeof(heap_half));
}

/* What a record's seals must be: any one bit that changes, changes one of them. */
ACRE_INLINE heap_half heap_next_seal(const struct acre_heap_chunk *chunk)
{
    return heap_folded(
        (uintptr_t)chunk ^ chunk->start ^ chunk->pages ^ heap_turned(chunk->next, 1));
}

ACRE_INLINE heap_half heap_seal(const struct acre_heap_chunk *chunk)
{
    return heap_folded((uintptr_t)chunk ^ chunk->start ^ chunk->pages ^
                       heap_turned(chunk->below, 2) ^ heap_turned(chunk->above, 3));
}

/* Takes pages for a region of `bytes` or more, in `taken` but not in the circle; null: none. Takes
 * the lock of pages. */
struct acre_heap_chunk *acre_heap_take_chunk(struct acre_heap *heap, size_t bytes, unsigned flags);

/* Gives the pages of chunks, linked by `next` up to null, back. Takes the lock of pages. Returns
 * the bytes. */
size_t acre_heap_give_chunks(struct acre_heap *heap, struct acre_heap_chunk *gone);

/* Enters a chunk into the circle. Under the lock of bytes. */
void acre_heap_enter_chunk(struct acre_heap *heap, struct acre_heap_chunk *chunk);

/* Takes out of the circle, and from the byte allocator, those of the next `tries` chunks that are
 * empty and without which `keep` bytes stay. Under the lock of bytes. Returns them as a list. */
struct acre_heap_chunk *acre_heap_collect(struct acre_heap *heap, size_t tries, size_t keep);

/* The look at the chunks that is due every so many frees. Under the lock of bytes. */
struct acre_heap_chunk *acre_heap_look(struct acre_heap *heap);

/* Frees from a look to the next. */
ACRE_INLINE size_t heap_ticks(const struct acre_heap *heap)
{
    return ACRE_HEAP_TICK + heap->chunks;
}

/* True when any of these pages is a chunk's. Under the lock of pages. */
bool acre_heap_touches_chunk(const struct acre_heap *heap, uintptr_t pos, size_t pages);

/* ---- hot paths; heap.c ---- */

/* Chooses the hot paths by whether there is a lock, and counts frees anew. */
void acre_heap_bind(struct acre_heap *heap);

/* Whether the byte allocator calls the heap for requests that find no memory, and counts those
 * refused. Never under a lock, since the heap would search pages with the lock of bytes held. */
ACRE_INLINE bool heap_is_called(const struct acre_heap *heap)
{
    return heap->bytes_lock.lock == NULL && heap->parts.set_on_exhausted != NULL;
}

/* Counts a free without a lock; true when a look at the chunks is due. */
ACRE_INLINE bool heap_is_look_due(struct acre_heap *heap)
{
    return --heap->countdown == 0;
}

/* dealloc when a look is due, or under a lock. */
enum acre_status acre_heap_dealloc_slowly(void *self, void *ptr);

/* ---- requests; heap_grow.c ---- */

/* Serves a request, or refuses it. No lock held. */
struct acre_ptr acre_heap_request(struct acre_heap *heap, const struct heap_request *request);

/* Serves a request that found no room, or refuses it. No lock held. */
struct acre_ptr acre_heap_serve(struct acre_heap *heap, const struct heap_request *request);

/* The byte allocator's handler of exhaustion, where it has one: makes room for a request. */
bool acre_heap_make_room(void *heap, struct acre_layout layout);

/* Asks the handler whether to try once more. No lock held. */
bool acre_heap_ask(struct acre_heap *heap, struct acre_layout layout);

/* ---- pages; heap_pages.c ---- */

/* Pages that a request may take from a page allocator with these accounts, in one run. */
size_t acre_heap_pages_at_hand(
    const struct acre_heap *heap, const struct acre_stats *stats, unsigned flags);

#endif
