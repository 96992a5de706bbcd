/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Heap: bytes and whole pages from the same memory, as a kernel wants for its global heap.
 *
 * A page allocator owns the regions. A byte allocator (TLSF, buddy, any other) serves the blocks
 * from chunks: runs of pages that the heap takes when a request finds no room, the first one of
 * ACRE_HEAP_FIRST bytes, each later one as large as all that are held, so that the chunks double
 * what is there. Where no run of that size is free, half of it is asked for, and so on down to what
 * the one request needs. A request is refused when that is not to be had either.
 *
 * Chunks that have become empty go back to the pages, with hysteresis: every ACRE_HEAP_TICK frees
 * (over slab they count when their slab becomes empty) the heap looks whether less than half of the
 * chunks is in use. If so it tries up to ACRE_HEAP_TRIES of them, and gives back those that are
 * empty as long as the others stay twice what is in use, and ACRE_HEAP_FIRST at least.
 * acre_heap_release_empty gives back all at once. So does the heap itself before it refuses a request, and
 * before a region is refused to be removed.
 *
 * Cost of a chunk: the byte allocator's metadata of a region, and a record of six words at its
 * end. Calls cost what the byte allocator's cost, and a few instructions; one that takes a chunk,
 * also a search of pages and add_memory of the byte allocator.
 *
 * Locks are callbacks, one for bytes and one for pages. They are never held both, so that no search
 * for pages runs under the lock of bytes. Without them, calls on one heap must not overlap in time.
 *
 * Not for: a pool that never serves whole pages, where the byte allocator alone is faster.
 */
#ifndef ACRE_HEAP_H
#define ACRE_HEAP_H

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
    ACRE_HEAP_FIRST = 32 * 1024, /**< Bytes of the first chunk, where they are to be had. */
    ACRE_HEAP_TICK = 256,        /**< Frees from one look at the chunks to the next. */
    ACRE_HEAP_TRIES = 8,         /**< Chunks tried at one look. */
    /** A flag: the request may use the pages held in reserve. */
    ACRE_HEAP_RESERVE = 1
};

/**
 * Bytes that a region must have, wherever it starts, so that a byte allocator to which it was just
 * added serves this request. The alignment is a power of two. Never decreases with the size.
 * @return bytes; 0: no region is large enough. O(1), pure.
 */
typedef size_t acre_heap_region_fn(struct acre_layout layout);

/** What a heap is made of. */
struct acre_heap_parts {
    struct acre_bytes bytes;         /**< Serves the blocks; only the heap gives it memory. */
    acre_heap_region_fn *region_for; /**< What regions it needs. */
    /** add_memory for a region that begins where another one ends, at up to a twelfth of it for
     * more metadata; null: add_memory itself. */
    enum acre_status (*add_adjacent)(void *self, void *start, size_t size);
    /** Sets the byte allocator's handler of exhaustion; null: it has none, and the heap looks at
     * every answer. */
    void (*set_on_exhausted)(void *self, acre_exhausted_fn *handler, void *arg);
    /** Sets its handler of frees after which a region may be empty that was not, so that frees
     * need not be counted; null: it has none. */
    void (*set_on_released)(void *self, acre_released_fn *handler, void *arg);
    struct acre_pages pages; /**< Owns the memory; all of its pages can be written to. */
    size_t least; /**< Bytes; smaller regions are refused, since no block may find room there. */
    /** alloc and dealloc of `bytes` where they are found from the heap without a handle, as in the
     * bundles below, whose setup sets them; null: `bytes` is called. */
    struct acre_ptr (*alloc)(void *heap, struct acre_layout layout);
    enum acre_status (*dealloc)(void *heap, void *ptr);
    const void *place; /**< What no region may overlap beside the heap: a bundle; or null. */
    size_t place_size; /**< Its bytes. */
};

struct acre_heap_chunk;

/**
 * One heap. Every field is private. It must not move while it owns memory, and must not lie in
 * memory that it owns.
 */
struct acre_heap {
    /* The hot paths: those of the byte allocator, called with it, where it says by itself when the
     * heap is needed; else the heap's, called with the heap, with locks or without. */
    struct acre_ptr (*alloc)(void *self, struct acre_layout layout);
    void *alloc_self;
    enum acre_status (*dealloc)(void *self, void *ptr);
    void *dealloc_self;
    /* The same for a handle, which has but the heap to call them with. */
    struct acre_ptr (*alloc_here)(void *heap, struct acre_layout layout);
    enum acre_status (*dealloc_here)(void *heap, void *ptr);
    size_t countdown; /* frees to the next look; under the lock of bytes, as `parts.bytes` */
    struct acre_heap_parts parts;
    size_t page_size;
    acre_exhausted_fn *on_exhausted; /* null: none */
    void *on_exhausted_arg;
    unsigned running; /* handlers, at this moment; under the lock of bytes */
    unsigned flags;   /* of the request that the byte allocator works on, without a lock */
    struct acre_locker bytes_lock;  /* guards `parts.bytes`, and: */
    struct acre_heap_chunk *newest; /* the chunk entered last; it may have left since */
    struct acre_layout newest_for;  /* the request that it was taken for */
    struct acre_heap_chunk *last;   /* circle of the chunks given to it; one of them, or null */
    size_t chunks;                  /* in the circle */
    size_t fed;                     /* bytes in the circle, records not counted */
    size_t failed;                  /* requests for bytes refused */
    struct acre_locker pages_lock;  /* guards `parts.pages`, and: */
    struct acre_heap_chunk *taken;  /* list of all runs of pages taken for chunks */
    size_t held;                    /* pages in that list */
    size_t reserve;                 /* pages kept for flagged requests */
    size_t page_failed;             /* requests for pages refused */
    size_t mixed_peak;              /* highest `used` seen when pages were handed out */
};

/**
 * Makes an empty heap over two allocators, which the heap then has for itself.
 * @param parts copied. region_for must be that of the byte allocator.
 * @return ACRE_OK; ACRE_INVALID_PARAM: region_for is null, or a page is smaller than
 * ACRE_NATURAL_ALIGN; nothing has changed. O(1).
 */
enum acre_status acre_heap_setup(struct acre_heap *heap, const struct acre_heap_parts *parts);

/**
 * Sets the locks; before the heap is shared, and before init.
 * @param bytes taken for every call on blocks, for as long as the byte allocator works.
 * @param pages taken for every search of pages, and when they are given back. Never the same lock.
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
 * Keeps some pages for requests flagged ACRE_HEAP_RESERVE: no other takes a page when fewer than
 * these would stay free. What flagged requests took of them is made good by the pages that come
 * back next. May be set at any time, also above what is free.
 * @param pages their number; 0, the default: none. They need not be in one run.
 * O(1).
 */
void acre_heap_set_reserve(struct acre_heap *heap, size_t pages);

/**
 * The verbs. Each one's contract is that of its namesake in acre/bytes.h and acre/base.h, where
 * what follows does not say otherwise.
 *
 * init: sets the page allocator up anew; locks, callback and reserve stay. init and reset take no
 * lock: no other call may run. A failed alloc, realloc or remove_memory may have given back empty
 * chunks. remove_memory: O(chunks) and what the page allocator takes. resize: within the byte
 * allocator's chunks only.
 *
 * stats: the sums hold at all times, though other calls that run may be in one part of them and not
 * yet in the other. total is the page allocator's. Pages in chunks count as the byte allocator
 * counts them, their records as metadata; pages handed out whole are used, and live_blocks has one
 * for each. largest_free is exact while no chunk is empty: after acre_heap_release_empty. peak is exact as
 * long as no pages are handed out whole; with such, it is the highest value of used when pages were
 * handed out, when only bytes were, or now. While other threads free bytes, it may count what they
 * freed between the look at the bytes and the one at the pages. O(log memory) and what the parts
 * take.
 *
 * walk: the blocks in the chunks; free pages are not visited. It holds the lock of bytes, so that
 * the visitor must not call the heap. check, walk: linear, as those of the parts.
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

ACRE_NODISCARD static inline struct acre_ptr acre_heap_alloc(
    struct acre_heap *heap, struct acre_layout layout)
{
    return heap->alloc(heap->alloc_self, layout);
}

static inline enum acre_status acre_heap_dealloc(struct acre_heap *heap, void *ptr)
{
    return heap->dealloc(heap->dealloc_self, ptr);
}

/** acre_heap_alloc with flags: 0, or ACRE_HEAP_RESERVE. */
ACRE_NODISCARD struct acre_ptr acre_heap_alloc_flags(
    struct acre_heap *heap, struct acre_layout layout, unsigned flags);

/**
 * Gives every empty chunk back to the pages.
 * @return bytes given back. O(chunks), and as often what remove_memory of the byte allocator takes.
 */
size_t acre_heap_release_empty(struct acre_heap *heap);

/**
 * The verbs of pages; contracts as in acre/pages.h. Pages that a chunk takes are no caller's:
 * dealloc_pages of a run that touches one is refused with ACRE_NOT_ALLOCATED. O(chunks) on top of
 * the page allocator's cost.
 * @param flags 0, or ACRE_HEAP_RESERVE.
 */
ACRE_NODISCARD struct acre_num acre_heap_alloc_pages(
    struct acre_heap *heap, size_t count, size_t align, unsigned flags);
ACRE_NODISCARD struct acre_num acre_heap_alloc_pages_at(
    struct acre_heap *heap, uintptr_t pos, size_t count, size_t align, unsigned flags);
ACRE_NODISCARD struct acre_num acre_heap_alloc_pages_within(
    struct acre_heap *heap, size_t count, const struct acre_run_limits *limits, unsigned flags);
enum acre_status acre_heap_dealloc_pages(struct acre_heap *heap, uintptr_t pos, size_t count);

/** The accounts as the page allocator keeps them: pages in chunks count as used. */
struct acre_stats acre_heap_page_stats(const struct acre_heap *heap);

/** The heap as a byte allocator. */
struct acre_bytes acre_heap_bytes(struct acre_heap *heap);

/** The heap as a page allocator over the same memory. Its base verbs are those of the heap, but for
 * stats, which is acre_heap_page_stats. */
struct acre_pages acre_heap_pages(struct acre_heap *heap);

#if ACRE_TLSF
/** acre_heap_region_fn of TLSF. */
size_t acre_heap_region_for_tlsf(struct acre_layout layout);
#endif

#if ACRE_BUDDY
/** acre_heap_region_fn of buddy with a smallest block of ACRE_BUDDY_SMALLEST. */
size_t acre_heap_region_for_buddy(struct acre_layout layout);
#endif

#if ACRE_SLAB
/** acre_heap_region_fn of slab with pages of ACRE_SLAB_PAGE bytes. */
size_t acre_heap_region_for_slab(struct acre_layout layout);
#endif

#if ACRE_TLSF && ACRE_BITMAP
/** A heap with its parts: bitmap pages and TLSF. Use `heap`; the parts are its own. */
struct acre_heap_tlsf {
    struct acre_heap heap;
    struct acre_tlsf tlsf;
    struct acre_bitmap pages;
};

/**
 * Makes an empty heap of bitmap pages and TLSF; acre_heap_init(&self->heap, ...) comes next.
 * @param page_size bytes, a power of two, at least ACRE_NATURAL_ALIGN.
 * @return ACRE_OK; ACRE_INVALID_PARAM: page_size is none of these; nothing has changed. O(1).
 */
enum acre_status acre_heap_tlsf_setup(struct acre_heap_tlsf *self, size_t page_size);
#endif

#if ACRE_BUDDY && ACRE_BITMAP
/** A heap with its parts: bitmap pages and buddy. Use `heap`; the parts are its own. */
struct acre_heap_buddy {
    struct acre_heap heap;
    struct acre_buddy buddy;
    struct acre_bitmap pages;
};

/** As acre_heap_tlsf_setup, with buddy in the place of TLSF. */
enum acre_status acre_heap_buddy_setup(struct acre_heap_buddy *self, size_t page_size);
#endif

#if ACRE_SLAB && ACRE_BITMAP
/** A heap with its parts: bitmap pages and slab. Use `heap`; the parts are its own. */
struct acre_heap_slab {
    struct acre_heap heap;
    struct acre_slab slab;
    struct acre_bitmap pages;
};

/** As acre_heap_tlsf_setup, with slab in the place of TLSF. */
enum acre_status acre_heap_slab_setup(struct acre_heap_slab *self, size_t page_size);
#endif

#ifdef __cplusplus
}
#endif

#endif
