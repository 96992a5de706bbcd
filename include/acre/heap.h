/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Heap: blocks and whole pages from the same memory, as a kernel wants for its global heap.
 *
 * A page allocator owns the regions. A byte allocator (TLSF, buddy, slab or any other) serves the
 * blocks from chunks. A chunk is a run of pages that the heap allocates when a request finds no
 * memory: the first one has ACRE_HEAP_FIRST_CHUNK bytes, each later one as many as all chunks
 * together, so that their memory doubles. Where no run of that size is free, the heap tries half of
 * it, and so on down to what the one request needs. It refuses the request if that fails too.
 *
 * Chunks that have become empty are returned lazily: every ACRE_HEAP_SCAN_INTERVAL frees, and one
 * for each chunk, the heap compares the memory of the chunks with what is in use. (Where the byte
 * allocator tells of frees that may empty a region, frees count when it does so.) If less than half
 * is in use, it examines up to ACRE_HEAP_SCAN_LIMIT chunks and returns the empty ones, as long as
 * the others keep twice what is in use and ACRE_HEAP_FIRST_CHUNK bytes at least.
 * acre_heap_release_empty returns all empty chunks, and so does the heap before it refuses to
 * remove a region. Before it refuses a request, it examines ACRE_HEAP_SCAN_LIMIT chunks, goes on
 * while it finds empty ones, and examines no chunk twice while no free can have emptied one:
 * refusing costs a bounded time, though an empty chunk may be left for a later request to find.
 * Where it examines none, a refused request changes nothing but the count of failed requests.
 *
 * Of memory of 8 MiB or more, acre_heap_init keeps a 2,048th (at most 2 MiB) at its end for a table in
 * which TLSF, slab and buddy find the chunk of a block in one step, however short the free runs of pages
 * are. It counts as metadata and goes when that memory is removed. Chunks in memory added later, and
 * more than 4 GiB above the start, are found through the byte allocator's index of regions.
 *
 * Cost of a chunk: the byte allocator's metadata of a region, and a record of six words behind a
 * guard of 64 bytes. Cost of a
 * call: what the byte allocator's call costs, and a few instructions; a call that adds a chunk also
 * searches pages and adds a region to the byte allocator.
 *
 * Locks are callbacks, one for bytes and one for pages. The two locks are never held at the same
 * time, so that no search for pages runs under the lock of bytes. docs/decisions.md states the
 * longest section under each lock, as build/tests/heap.lock_sections counts it. Without locks,
 * calls on one heap must not overlap in time.
 *
 * Not for: a pool that never serves whole pages, where the byte allocator alone is faster.
 */
#ifndef ACRE_HEAP_H
#define ACRE_HEAP_H

#include <acre/backing.h>
#include <acre/bitmap.h>
#include <acre/buddy.h>
#include <acre/bytes.h>
#include <acre/lock.h>
#include <acre/pages.h>
#include <acre/slab.h>
#include <acre/tlsf.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ACRE_HEAP_FIRST_CHUNK = 32 * 1024, /**< Bytes of the first chunk, where so many are free. */
    ACRE_HEAP_SCAN_INTERVAL = 256,     /**< Frees from one scan of chunks to the next. */
    ACRE_HEAP_SCAN_LIMIT = 8,          /**< Chunks examined per scan. */
    ACRE_HEAP_RESERVE = 1 /**< A flag: the request may use the pages kept in reserve. */
};

/** What a heap is made of. Both allocators are zeroed or empty, and the heap's own from then on. */
struct acre_heap_parts {
    const struct acre_backing *backing; /**< The kind of the byte allocator. */
    void *self;                         /**< The byte allocator's control structure. */
    struct acre_pages pages;            /**< Owns the memory; all of its pages can be written to. */
    size_t least;       /**< Bytes; smaller regions are refused, since no block may fit in them. */
    const void *bundle; /**< Memory that no region may overlap, beside the heap; or null. */
    size_t bundle_size; /**< Its bytes. */
};

struct acre_heap_chunk;

/**
 * One heap. Every field is private. It must not move while it owns memory, and must not lie in
 * memory that it owns. acre_heap_setup names its parts, or it comes with them in a bundle, of which
 * a zeroed one is an empty heap. A zeroed struct acre_heap has no parts: it owns nothing, and its
 * handle and functions refuse every request; only the inline acre_heap_alloc and acre_heap_dealloc,
 * which test nothing, need parts or a handle (acre_heap_bytes) to have been made.
 */
struct acre_heap {
    /* The hot paths: those of the byte allocator, where it calls the heap by itself when that is
     * needed; else the heap's; of no use in a zeroed heap. */
    struct acre_ptr (*alloc)(void *self, struct acre_layout layout);
    void *alloc_self;
    enum acre_status (*dealloc)(void *self, void *ptr);
    enum acre_status (*dealloc_sized)(void *self, void *ptr, struct acre_layout layout);
    void *dealloc_self; /* of both */
    size_t countdown;   /* frees to the next scan; under the lock of bytes */
    struct acre_bytes bytes;
    struct acre_heap_parts parts;
    size_t page_size;                /* 0 in a zeroed heap */
    acre_exhausted_fn *on_exhausted; /* null: none */
    void *on_exhausted_arg;
    unsigned running; /* calls of the handler, at this moment; under the lock of bytes */
    unsigned flags;   /* of the request that the byte allocator works on, without a lock */
    bool is_called;   /* the byte allocator calls the heap, and counts failed requests */
    struct acre_locker bytes_lock; /* guards `bytes`, and: */
    struct acre_heap_chunk
        *newest; /* the chunk entered last, until a free may have emptied it; or null, */
    struct acre_layout newest_for; /* and the request that it was added for */
    struct acre_heap_chunk *ring;  /* chunks that `bytes` owns: the one examined last; or null */
    size_t chunks;                 /* in the ring */
    size_t bytes_added;            /* in the ring, records not counted */
    size_t unexamined;    /* the next so many of the ring may be empty; the others are not */
    size_t live_examined; /* live blocks when chunks were examined last, or fewer */
    size_t failed;        /* requests for blocks failed, under a lock */
    struct acre_locker pages_lock; /* guards `parts.pages`, and: */
    struct acre_heap_chunk *runs;  /* all chunks */
    size_t chunk_pages;            /* pages of all chunks */
    size_t reserve;                /* pages kept for flagged requests */
    uintptr_t table_start;         /* start of the memory that ends with the table of regions, */
    uintptr_t table;               /* and where it stands, */
    size_t table_bytes;            /* to the end of that memory; 0: there is none */
    size_t failed_pages;           /* requests for pages failed */
    size_t combined_peak;          /* highest `used` seen when pages were handed out */
};

/**
 * Names the parts of a heap, zeroed or empty; locks, handler and reserve stay.
 * @param parts copied.
 * @return ACRE_OK; ACRE_INVALID_PARAM: the heap owns memory, there is no backing, or a page is
 * smaller than ACRE_NATURAL_ALIGN; nothing has changed. O(1).
 */
enum acre_status acre_heap_setup(struct acre_heap *heap, const struct acre_heap_parts *parts);

/**
 * Sets the locks; before the heap is shared and before it owns memory.
 * @param bytes held for every call on blocks, while the byte allocator works.
 * @param pages held while pages are searched or returned. Never the same lock as `bytes`.
 * O(1).
 */
void acre_heap_set_locks(
    struct acre_heap *heap, struct acre_locker bytes, struct acre_locker pages);

/**
 * Sets the handler that is called, with no lock held, when no memory is found for a request for
 * bytes or pages (for pages, the layout is their bytes and the alignment asked for). It may also
 * end the program. resize does not call it.
 *
 * With locks, the heap cannot tell the requests of the handler from those of other threads: up to
 * ACRE_EXHAUSTED_RETRIES calls of the handler may run at the same time, its own requests included.
 * @param handler null: none, which is the default. O(1).
 */
void acre_heap_set_on_exhausted(struct acre_heap *heap, acre_exhausted_fn *handler, void *arg);

/**
 * Keeps some pages for requests flagged ACRE_HEAP_RESERVE: another request is refused if fewer
 * pages than these would stay free. Pages that are returned refill the reserve first. May be set at
 * any time, also above what is free.
 * @param pages their number; 0, the default: none. They need not be in one run.
 * O(1).
 */
void acre_heap_set_reserve(struct acre_heap *heap, size_t pages);

/**
 * The verbs. Each one's contract is that of its namesake in acre/bytes.h and acre/base.h, where
 * what follows does not say otherwise.
 *
 * init and reset take no lock: no other call may run. A failed alloc, realloc or remove_memory may
 * have returned empty chunks. remove_memory: O(chunks) and what the page allocator takes. resize:
 * within the byte allocator's chunks only.
 *
 * stats: the sums hold at all times, though calls that run at the same time may be in one part of
 * them and not yet in the other. total is the page allocator's and the table's. Pages in chunks
 * count as the byte allocator counts them, their records as metadata; pages handed out whole are
 * used, and live_blocks has one for each. largest_free is exact while no chunk is empty, as after
 * acre_heap_release_empty. peak is exact as long as no pages are handed out whole; otherwise it is
 * the highest value of used when pages were handed out, when only blocks were live, or now. While
 * other threads free blocks, it may count those that they free between the look at the blocks and
 * the one at the pages. O(log memory) and what the parts take.
 *
 * init: what the page allocator's takes, and clears the table, 8 bytes for 16 KiB.
 *
 * walk: the blocks in the chunks; free pages are not visited. It holds the lock of bytes, so the
 * visitor must not call the heap. check, walk: linear, as those of the parts.
 */
ACRE_NODISCARD enum acre_status acre_heap_init(struct acre_heap *heap, void *start, size_t size);
ACRE_NODISCARD enum acre_status acre_heap_add_memory(
    struct acre_heap *heap, void *start, size_t size);
enum acre_status acre_heap_remove_memory(struct acre_heap *heap, void *start);
struct acre_stats acre_heap_stats(const struct acre_heap *heap);
struct acre_check_result acre_heap_check(const struct acre_heap *heap);
void acre_heap_reset(struct acre_heap *heap);
void acre_heap_reset_peak(struct acre_heap *heap);
enum acre_status acre_heap_dealloc_sized(
    struct acre_heap *heap, void *ptr, struct acre_layout layout);
ACRE_NODISCARD enum acre_status acre_heap_resize(struct acre_heap *heap, void *ptr, size_t size);
ACRE_NODISCARD struct acre_ptr acre_heap_realloc(
    struct acre_heap *heap, void *ptr, struct acre_layout layout);
struct acre_num acre_heap_usable_size(const struct acre_heap *heap, const void *ptr);
struct acre_block acre_heap_find(const struct acre_heap *heap, const void *ptr);
void acre_heap_walk(const struct acre_heap *heap, acre_walk_fn *visit, void *arg);

/** acre_heap_alloc with flags: 0, or ACRE_HEAP_RESERVE. */
ACRE_NODISCARD struct acre_ptr acre_heap_alloc_flags(
    struct acre_heap *heap, struct acre_layout layout, unsigned flags);

ACRE_NODISCARD static inline struct acre_ptr acre_heap_alloc(
    struct acre_heap *heap, struct acre_layout layout)
{
    return heap->alloc(heap->alloc_self, layout);
}

static inline enum acre_status acre_heap_dealloc(struct acre_heap *heap, void *ptr)
{
    return heap->dealloc(heap->dealloc_self, ptr);
}

/**
 * Returns the pages of every empty chunk.
 * @return bytes returned. O(chunks), times what remove_memory of the byte allocator takes; the
 * locks are released after every ACRE_HEAP_SCAN_LIMIT chunks.
 */
size_t acre_heap_release_empty(struct acre_heap *heap);

/**
 * The verbs of pages; contracts as in acre/pages.h. dealloc_pages of a run that touches a page of a
 * chunk is refused with ACRE_NOT_ALLOCATED. O(chunks) on top of the page allocator's cost.
 * @param flags 0, or ACRE_HEAP_RESERVE.
 */
ACRE_NODISCARD struct acre_num acre_heap_alloc_pages(
    struct acre_heap *heap, size_t count, size_t align, unsigned flags);
ACRE_NODISCARD struct acre_num acre_heap_alloc_pages_at(
    struct acre_heap *heap, uintptr_t pos, size_t count, size_t align, unsigned flags);
ACRE_NODISCARD struct acre_num acre_heap_alloc_pages_within(
    struct acre_heap *heap, size_t count, const struct acre_run_limits *limits, unsigned flags);
enum acre_status acre_heap_dealloc_pages(struct acre_heap *heap, uintptr_t pos, size_t count);

/** The page allocator's statistics: pages in chunks count as used. */
struct acre_stats acre_heap_page_stats(const struct acre_heap *heap);

/** The heap as a byte allocator. */
struct acre_bytes acre_heap_bytes(struct acre_heap *heap);

/** The heap as a page allocator over the same memory. Its base verbs are those of the heap, except
 * stats, which is acre_heap_page_stats. */
struct acre_pages acre_heap_pages(struct acre_heap *heap);

#if ACRE_TLSF && ACRE_BITMAP
/** A heap with its parts: bitmap pages and TLSF. A zeroed one is an empty heap with pages of
 * ACRE_BITMAP_PAGE_SIZE bytes. */
struct acre_heap_tlsf {
    struct acre_heap heap;
    struct acre_tlsf tlsf;
    struct acre_bitmap pages;
};

/**
 * Sets the size of a page.
 * @param page_size bytes, a power of two, at least ACRE_NATURAL_ALIGN.
 * @return ACRE_OK; ACRE_INVALID_PARAM: page_size is none of these, or the heap owns memory; nothing
 * has changed. O(1).
 */
enum acre_status acre_heap_tlsf_setup(struct acre_heap_tlsf *self, size_t page_size);

/** The heap of a bundle, which all verbs take. The first call on a zeroed bundle sets it up.
 * O(1). */
struct acre_heap *acre_heap_over_tlsf(struct acre_heap_tlsf *self);

/** The table of acre/backing.h, for layers above; `self` is the bundle. */
extern const struct acre_backing acre_heap_tlsf_backing;
#endif

#if ACRE_BUDDY && ACRE_BITMAP
/** A heap with its parts: bitmap pages and buddy. */
struct acre_heap_buddy {
    struct acre_heap heap;
    struct acre_buddy buddy;
    struct acre_bitmap pages;
};

/** As acre_heap_tlsf_setup. */
enum acre_status acre_heap_buddy_setup(struct acre_heap_buddy *self, size_t page_size);

/** As acre_heap_over_tlsf. */
struct acre_heap *acre_heap_over_buddy(struct acre_heap_buddy *self);

/** As acre_heap_tlsf_backing. */
extern const struct acre_backing acre_heap_buddy_backing;
#endif

#if ACRE_SLAB && ACRE_BITMAP
/** A heap with its parts: bitmap pages and slab. */
struct acre_heap_slab {
    struct acre_heap heap;
    struct acre_slab slab;
    struct acre_bitmap pages;
};

/** As acre_heap_tlsf_setup. */
enum acre_status acre_heap_slab_setup(struct acre_heap_slab *self, size_t page_size);

/** As acre_heap_over_tlsf. */
struct acre_heap *acre_heap_over_slab(struct acre_heap_slab *self);

/** As acre_heap_tlsf_backing. */
extern const struct acre_backing acre_heap_slab_backing;
#endif

#ifdef __cplusplus
}
#endif

#endif
