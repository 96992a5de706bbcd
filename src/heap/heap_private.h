/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The heap's chunks, locks and invariants, for the files of this folder and its white-box tests.
 *
 * A page allocator owns the memory, a byte allocator serves the blocks. The heap moves memory
 * between the two in chunks: a chunk is a run of pages whose first bytes are a region of the byte
 * allocator and whose last bytes are its record.
 *
 *   | region of the byte allocator ................ | guard | record |
 *   ^ start, at a page                                               ^ end of the last page
 *
 * A write past the last block of a chunk ends in the guard. A record is compared with its checksums
 * before it is followed: a chunk whose record is damaged stays where it is, with all after it.
 *
 * A record is in up to two lists, each under a lock of its own:
 *
 *   runs, under the lock of pages    every chunk, from the moment its pages are allocated until they
 *                                    are returned; dealloc_pages compares its argument with them
 *   ring, under the lock of bytes    the chunks that the byte allocator owns; it turns as chunks are
 *                                    examined, so that each has its turn
 *
 *   adding:     [pages: allocate a run, into runs]  [bytes: add_memory, into the ring, alloc]
 *   returning:  [bytes: remove_memory, out of the ring]  [pages: out of runs, dealloc_pages]
 *
 * The two locks are never held at the same time, so a search for pages never delays a thread that
 * wants a block. Between the brackets no lock is held and the chunk is in `runs` only: no other
 * call reaches it, because it is neither free nor the byte allocator's. Two threads that both find
 * no memory add a chunk each, and each is served from its own if need be, because a request is
 * tried under the same hold of the lock that adds its chunk. A search for pages can fail because
 * another thread is just returning a chunk.
 *
 * Every hold of a lock is bounded: at most ACRE_HEAP_SCAN_LIMIT chunks are examined or returned in
 * one, remove_memory and the checkers apart.
 *
 * Without locks, the byte allocator calls the heap when a request finds no memory, and alloc goes
 * straight to it. Under a lock the heap looks at every answer instead: the handler would search
 * pages with the lock of bytes held.
 *
 * Layers, each calling downward only:
 *
 *   heap_ops.c, heap_bundles.c    tables of verbs; heaps with their parts in one struct
 *   heap_region.c, heap_stats.c, heap_check.c
 *   heap.c                        verbs on blocks; which functions the hot paths are
 *   heap_grow.c                   requests that find no memory; verbs on pages
 *   heap_chunk.c                  the ring: all that is under the lock of bytes
 *   heap_pages.c                  the runs: all that is under the lock of pages
 *
 * Invariants; the checker names them (c chunks, in brackets the cost of checking):
 *   HEAP-1  a record's checksums match its fields and its place, at the end of its pages [c]
 *   HEAP-2  `runs` is linked both ways and has `chunk_pages` pages; no two chunks overlap [c * c]
 *   HEAP-3  the ring has `chunks` chunks with `bytes_added` bytes, all of them in `runs` [c]
 *   HEAP-4  the byte allocator owns the ring's regions and nothing else [1]
 *   HEAP-5  chunks have no more pages than are in use [1]
 * and those of both parts.
 *
 * What was tried, with figures: docs/decisions.md, "The heap".
 */
#ifndef ACRE_SRC_HEAP_PRIVATE_H
#define ACRE_SRC_HEAP_PRIVATE_H

#include "base/arith.h"
#include "base/bits.h"
#include "base/compiler.h"
#include "base/null.h"
#include "base/regions.h"
#include "base/wide.h"

#include <acre/heap.h>

/* Half a word. */
#if UINTPTR_MAX > UINT32_MAX
typedef uint32_t heap_checksum;
#else
typedef uint16_t heap_checksum;
#endif

/* The record of a chunk. It has a checksum for the fields under each lock. */
struct acre_heap_chunk {
    uintptr_t start;
    size_t pages;
    struct acre_heap_chunk *ring_next;
    struct acre_heap_chunk *run_next; /* in `runs` */
    struct acre_heap_chunk *run_prev; /* in `runs`: nearer to its head */
    heap_checksum run_checksum;       /* of start, pages, run_next and run_prev */
    heap_checksum ring_checksum;      /* of start, pages and ring_next, while in the ring */
};

enum {
    HEAP_RECORD = sizeof(struct acre_heap_chunk),
    HEAP_GUARD = 64,
    HEAP_TAIL = HEAP_GUARD + HEAP_RECORD /* bytes of a chunk that are not its region's */
};

/* One request for a block. */
struct heap_request {
    void *ptr; /* the block to realloc, or null */
    struct acre_layout layout;
    unsigned flags;
};

/* One request for pages. */
struct heap_page_request {
    uintptr_t pos; /* where, if `at` */
    size_t count;
    size_t align;
    unsigned flags;
    bool at;
    const struct acre_run_limits *limits; /* null: none */
};

/* ---- the parts; a zeroed heap has allocators that own nothing ---- */

ACRE_INLINE struct acre_bytes heap_bytes(const struct acre_heap *heap)
{
    return heap->bytes.ops != NULL ? heap->bytes : (struct acre_bytes){ &acre_null_ops, NULL };
}

ACRE_INLINE struct acre_pages heap_pages(const struct acre_heap *heap)
{
    struct acre_pages pages = heap->parts.pages;
    return pages.ops != NULL ? pages : (struct acre_pages){ &acre_null_pages_ops, NULL };
}

ACRE_INLINE size_t heap_page_size(const struct acre_heap *heap)
{
    return heap->page_size != 0 ? heap->page_size : ACRE_NATURAL_ALIGN;
}

/* Bytes of a region that serves a request; 0: none is large enough. */
ACRE_INLINE size_t heap_region_size(const struct acre_heap *heap, struct acre_layout layout)
{
    const struct acre_backing *backing = heap->parts.backing;
    return backing != NULL ? backing->region_size(heap->parts.self, layout) : 0;
}

/* Frees from a scan to the next. */
ACRE_INLINE size_t heap_scan_interval(const struct acre_heap *heap)
{
    return ACRE_HEAP_SCAN_INTERVAL + heap->chunks;
}

/* ---- records ---- */

/* Bytes of a chunk's region; a chunk has more pages than guard and record take. */
ACRE_INLINE size_t heap_chunk_bytes(const struct acre_heap *heap, size_t pages)
{
    return acre_multiply(pages, heap->page_size) - HEAP_TAIL;
}

ACRE_INLINE uintptr_t heap_rotate(const void *ptr, unsigned by)
{
    return (uintptr_t)ptr << by | (uintptr_t)ptr >> (sizeof(uintptr_t) * 8 - by);
}

ACRE_INLINE heap_checksum heap_fold(uintptr_t word)
{
    return (heap_checksum) ~(word ^ word >> 8 * sizeof(heap_checksum));
}

/* What a record's checksums must be: any single bit that changes, changes one of them. */
ACRE_INLINE heap_checksum heap_ring_checksum(const struct acre_heap_chunk *chunk)
{
    return heap_fold(
        (uintptr_t)chunk ^ chunk->start ^ chunk->pages ^ heap_rotate(chunk->ring_next, 1));
}

ACRE_INLINE heap_checksum heap_run_checksum(const struct acre_heap_chunk *chunk)
{
    return heap_fold((uintptr_t)chunk ^ chunk->start ^ chunk->pages ^
                     heap_rotate(chunk->run_next, 2) ^ heap_rotate(chunk->run_prev, 3));
}

/* The part of HEAP-1 that both lists share. */
ACRE_INLINE bool heap_is_in_place(const struct acre_heap *heap, const struct acre_heap_chunk *chunk)
{
    return chunk->start + heap_chunk_bytes(heap, chunk->pages) + HEAP_GUARD == (uintptr_t)chunk &&
           (chunk->start & (heap->page_size - 1)) == 0;
}

ACRE_INLINE bool heap_is_sound_in_ring(
    const struct acre_heap *heap, const struct acre_heap_chunk *chunk)
{
    return chunk->ring_checksum == heap_ring_checksum(chunk) && heap_is_in_place(heap, chunk);
}

ACRE_INLINE bool heap_is_sound_in_runs(
    const struct acre_heap *heap, const struct acre_heap_chunk *chunk)
{
    return chunk->run_checksum == heap_run_checksum(chunk) && heap_is_in_place(heap, chunk);
}

/* ---- heap_pages.c: each takes the lock of pages where it says nothing else ---- */

/* Pages that a request may take in one run, of a page allocator with these statistics. */
size_t acre_heap_longest_run(
    const struct acre_heap *heap, const struct acre_stats *stats, unsigned flags);

/* Tries a request for pages; `used` bytes are live blocks of the byte allocator. */
struct acre_num acre_heap_try_pages(
    struct acre_heap *heap, const struct heap_page_request *request, size_t used);

/* Counts a request for pages that is refused. */
void acre_heap_count_refused_pages(struct acre_heap *heap);

/* Allocates a run with `bytes` or more for a region, and enters it into `runs`; null: there is
 * none. */
struct acre_heap_chunk *acre_heap_alloc_run(struct acre_heap *heap, size_t bytes, unsigned flags);

/* Returns the pages of chunks, linked by ring_next up to null. Returns their bytes. */
size_t acre_heap_return_runs(struct acre_heap *heap, struct acre_heap_chunk *gone);

/* ---- heap_chunk.c: each takes the lock of bytes where it says nothing else ---- */

/* Adds a chunk's region to the byte allocator and enters the chunk into the ring; false: the byte
 * allocator refuses it. Under the lock of bytes. */
bool acre_heap_add_chunk(
    struct acre_heap *heap, struct acre_heap_chunk *chunk, struct acre_layout layout);

/* Removes those of the next `limit` chunks of the ring that are empty and without which `keep`
 * bytes stay. Returns them, linked by ring_next up to null. Under the lock of bytes. */
struct acre_heap_chunk *acre_heap_remove_chunks(struct acre_heap *heap, size_t limit, size_t keep);

/* Examines up to ACRE_HEAP_SCAN_LIMIT chunks that may be empty, and returns the pages of those that
 * are. Changes nothing when none may be. Returns their bytes. */
size_t acre_heap_release_some(struct acre_heap *heap);

/* Counts `frees` frees. When a scan is due, scans and returns chunks whose pages are to be
 * returned; else null. Under the lock of bytes. */
struct acre_heap_chunk *acre_heap_count_frees(struct acre_heap *heap, size_t frees);

/* Bytes of live blocks. */
size_t acre_heap_used_bytes(const struct acre_heap *heap);

/* ---- heap_grow.c; no lock held ---- */

/* Serves a request for a block, or refuses it. */
struct acre_ptr acre_heap_request(struct acre_heap *heap, const struct heap_request *request);

/* Serves a request that found no memory under the lock of bytes, or refuses it. */
struct acre_ptr acre_heap_alloc_slow(struct acre_heap *heap, const struct heap_request *request);

/* The byte allocator's handler of requests that find no memory. */
bool acre_heap_make_room(void *heap, struct acre_layout layout);

/* The table of the bytes family; heap_ops.c. */
extern const struct acre_bytes_ops acre_heap_ops;

/* ---- heap.c ---- */

/* Chooses the hot paths by whether there is a lock, sets the byte allocator's handlers, and counts
 * frees anew. */
void acre_heap_bind(struct acre_heap *heap);

#endif
