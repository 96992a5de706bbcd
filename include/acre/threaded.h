/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Threaded heap: a byte allocator for several threads. Each thread allocates from and frees to a
 * heap of its own without a lock and without an atomic read-modify-write.
 *
 * Each thread heap has slabs: runs of pages cut into equal objects, up to 512 per slab, with one
 * bit per object. A thread that frees an object of another thread's slab sets one bit in a second
 * word (a remote free); the owner collects these bits when it runs out of objects (a drain). Larger
 * blocks are whole pages, and each thread keeps the few that it freed last. Slabs and pages come
 * from a page allocator under a lock of the caller's. After S. Lee, P. Liétar et al., "Snmalloc: a
 * message passing allocator", ISMM 2019, and D. Leijen et al., "Mimalloc: free list sharding in
 * action", APLAS 2019, with bits beside the objects in place of links inside them: no metadata lies
 * in blocks or between them.
 *
 * Every wrong pointer is refused with ACRE_NOT_ALLOCATED by the thread that passes it. When two
 * threads free one block at the same moment, at most one of them succeeds in returning it; if
 * neither can tell, the owner finds the second free at its next drain and counts it in
 * acre_threaded_late_misuse. The one case that cannot be detected is that of acre/bytes.h: a stale
 * pointer that equals the start of a block allocated since.
 *
 * A thread that ends leaves its heap to the next thread that starts; with it, up to four heaps keep
 * their empty slabs, of at most 4 MiB each. Frees into a heap without a thread are collected by the
 * thread that makes them.
 *
 * Memory of free objects goes back while their slab has live ones, if env.discard is given: a few
 * slabs are looked at, now and then, in frees that have more to do than set a bit.
 *
 * Cost of a block: rounding to its size class (16-byte steps up to 256 bytes, then at most 12.5 %).
 * Cost of a slab: a record of 128 bytes and 64 bytes per 64 objects; 8 bytes per page of the map.
 * Cost of a thread: 10 KiB; where its slabs lie apart from one another, up to 1.6 % of their bytes.
 *
 * Not for: single-threaded programs that need a worst case (use TLSF), memory under 256 KiB. On
 * machines without lock-free pointers (Cortex-M0, RISC-V without A), none of these functions is in
 * the library.
 */
#ifndef ACRE_THREADED_H
#define ACRE_THREADED_H

#include <acre/bytes.h>
#include <acre/lock.h>
#include <acre/pages.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Sizes of the structures. They follow from the configuration; do not change them. */
enum {
    ACRE_THREADED_PAGE_LOG2 = 13, /**< The page allocator's pages have 8 KiB. */
    ACRE_THREADED_PAGE = 1 << ACRE_THREADED_PAGE_LOG2,
    ACRE_THREADED_CLASSES = 72,      /**< Size classes: 16 bytes to 32 KiB. */
    ACRE_THREADED_MAX_SMALL = 32768, /**< Bytes of the largest class; larger blocks are pages. */
    ACRE_THREADED_UNIT = 16,         /**< Step of the smallest classes, in bytes. */
    ACRE_THREADED_UNITS = 64,        /**< Sizes up to 64 units find their slab by a table. */
    ACRE_THREADED_KEPT_RUNS = 8,     /**< Runs of pages that a thread keeps for reuse, */
    ACRE_THREADED_KEPT_PAGES = 32,   /**< each of at most this many pages; all: fewer. */
    ACRE_THREADED_KEPT_HEAPS = 4,    /**< Heaps without a thread that keep empty slabs and runs, */
    ACRE_THREADED_KEPT_HEAP_PAGES = 512 /**< if their pages are at most so many. */
};

struct acre_thread_heap;
struct acre_threaded_slab;
struct acre_threaded_node;

/** What damage was found. */
enum acre_threaded_damage_kind {
    ACRE_DAMAGE_BEHIND, /**< The bytes behind a live block were written. */
    ACRE_DAMAGE_BEFORE, /**< The bytes before a block were written. */
    ACRE_DAMAGE_FREE    /**< A free block was written. */
};

/** What was found, for the hook of a hardened heap. */
struct acre_threaded_damage {
    enum acre_threaded_damage_kind kind; /**< Where the write went. */
    const void *where;                   /**< A byte that changed. */
    const void *block;                   /**< The block before, behind or in which it lies. */
    size_t size; /**< Bytes requested for it; 0: of a free block, unknown. */
};

/**
 * Hardening: finds writes outside of live blocks, at the cost of about three times the instructions
 * of malloc and free. Each block then has at least a word of canary after it, which a free
 * verifies; usable_size is the size requested, and sized frees must name it. A freed block is
 * cleared and waits, with up to 79 others per thread, for its reuse in random order; before that
 * its bytes must still be 0. So new blocks of up to ACRE_THREADED_MAX_SMALL bytes are 0 too, unless
 * `fill` is less.
 */
struct acre_threaded_hardening {
    bool on;   /**< Whether the heap is hardened; the other fields mean nothing without. */
    bool slow; /**< Serve nothing in the inline fast paths, so that the caller sees all. */
    bool pages_are_zero; /**< Pages that `pages` has not handed out before are zero. */
    size_t fill;         /**< First bytes of a freed block that are cleared and verified; 0: all. */
    size_t secret;       /**< A number that attackers do not know; canaries are made of it. */
    /** Called when damage is found, without the lock. If it returns, the damage is overwritten and
     * the call goes on. Null: not called. */
    void (*damaged)(void *arg, const struct acre_threaded_damage *damage);
};

/** What the caller brings. */
struct acre_threaded_env {
    struct acre_pages pages; /**< Pages for blocks, of ACRE_THREADED_PAGE bytes. */
    struct acre_pages meta;  /**< Pages of the same size for records; may be the same allocator. */
    struct acre_locker
        lock; /**< Held around every call on the two, and briefly on thread starts. */
    /** Called with the lock held when `pages` or `meta` has no run of `bytes`; may add memory to
     * them. @return true: try again; false: refuse. Null: refuse. */
    bool (*grow)(void *arg, struct acre_pages pages, size_t bytes);
    /** Called with the lock held after a run of pages came from `pages`, or went back to it. Null:
     * not called. */
    void (*taken)(void *arg, void *start, size_t bytes);
    void (*released)(void *arg, void *start, size_t bytes);
    /** Called without the lock with memory of free objects, whose contents may be lost, so that it
     * can go back to the system: whole pages of `discard_page` bytes. They are used again without
     * notice. Null: not called. */
    void (*discard)(void *arg, void *start, size_t bytes);
    size_t discard_page;                      /**< A power of two of at most ACRE_THREADED_PAGE. */
    void *arg;                                /**< Passed to them, and to hardening.damaged. */
    struct acre_threaded_hardening hardening; /**< Zeroed: none. */
    /** Pages that `meta` has not handed out before are zero, so that they need not be cleared: what
     * no record uses of them is not touched. */
    bool meta_is_zero;
};

/** Words of the top level of the page map. */
#if UINTPTR_MAX > UINT32_MAX
enum { ACRE_THREADED_ROOT = 1 << 13, ACRE_THREADED_ADDRESS_BITS = 48 };
#else
enum { ACRE_THREADED_ROOT = 1 << 10, ACRE_THREADED_ADDRESS_BITS = 32 };
#endif

/** What all threads share. Zero it before setup; every field is private. */
struct acre_threaded {
#ifdef __cplusplus
    struct acre_threaded_node *root[ACRE_THREADED_ROOT];
    size_t failed;
    size_t late_misuse;
#else
    struct acre_threaded_node *_Atomic root[ACRE_THREADED_ROOT]; /* the page map */
    _Atomic size_t failed;                                       /* requests failed */
    _Atomic size_t late_misuse;
#endif
    struct acre_threaded_env env;
    struct acre_threaded_slab *slabs;       /* all slabs and runs in use, linked by `below` */
    struct acre_threaded_slab *records[18]; /* free records, by their number of groups */
    struct acre_thread_heap *heaps;         /* all heaps ever made */
    struct acre_thread_heap *abandoned;     /* those without a thread */
    size_t abandoned_count;
    uintptr_t meta_at, meta_end; /* the rest of the newest page of records */
    size_t meta_bytes;           /* bytes taken for records, map nodes and heaps */
};

/**
 * Prepares the shared part.
 * @param env copied.
 * @return ACRE_OK; ACRE_INVALID_PARAM: the pages of one of the allocators have another size than
 * ACRE_THREADED_PAGE, or discard_page is none of its sizes; nothing has changed. O(1).
 */
ACRE_NODISCARD enum acre_status acre_threaded_setup(
    struct acre_threaded *threaded, const struct acre_threaded_env *env);

/**
 * Gives the calling thread a heap: that of a thread that ended, or a new one.
 * @return the heap, which only this thread may use until it detaches; null: no memory.
 * @note Takes the lock. O(1), and a search of pages for a new heap.
 */
ACRE_NODISCARD struct acre_thread_heap *acre_threaded_attach(struct acre_threaded *threaded);

/** Ends a thread's use of its heap. Blocks stay live. Takes the lock. O(slabs of the heap). */
void acre_threaded_detach(struct acre_thread_heap *heap);

/**
 * Called in a forked child before any other call; the parent held the lock over the fork, and the
 * child has released it. The heaps of all other threads become available, but those whose thread
 * was inside a slow path are never used again; blocks in them can still be freed.
 * @param own the heap of the thread that forked, or null. O(heaps).
 */
void acre_threaded_after_fork(struct acre_threaded *threaded, struct acre_thread_heap *own);

/** As acre_alloc. O(1); takes the lock when a slab or pages are needed. */
ACRE_NODISCARD struct acre_ptr acre_threaded_alloc(
    struct acre_thread_heap *heap, struct acre_layout layout);

/** As acre_dealloc, of a block of any thread. O(1). */
enum acre_status acre_threaded_dealloc(struct acre_thread_heap *heap, void *ptr);

/** As acre_dealloc_sized. */
enum acre_status acre_threaded_dealloc_sized(
    struct acre_thread_heap *heap, void *ptr, struct acre_layout layout);

/** As acre_resize. A block of whole pages shrinks, or grows into free pages behind it; any other
 * one keeps its usable size. */
ACRE_NODISCARD enum acre_status acre_threaded_resize(
    struct acre_thread_heap *heap, void *ptr, size_t size);

/** As acre_realloc. A block stays where it is while its size class does not change, when it shrinks
 * and there is no memory for a smaller block, and when it has whole pages before and after and
 * shrinks, or grows into free pages behind it. */
ACRE_NODISCARD struct acre_ptr acre_threaded_realloc(
    struct acre_thread_heap *heap, void *ptr, struct acre_layout layout);

/** As acre_usable_size. O(1). */
struct acre_num acre_threaded_usable_size(const struct acre_threaded *threaded, const void *ptr);

/**
 * Whether a sized free of this layout would be accepted.
 * @return as acre_dealloc_sized; nothing changes. O(1).
 */
enum acre_status acre_threaded_check_layout(
    const struct acre_threaded *threaded, const void *ptr, struct acre_layout layout);

/**
 * The live block that an address lies in.
 * @param start receives its first byte.
 * @return {its usable bytes, ACRE_OK}; {0, ACRE_NOT_ALLOCATED}: no live block has this byte. O(1);
 * for blocks of whole pages O(pages of the block).
 */
struct acre_num acre_threaded_find(
    const struct acre_threaded *threaded, const void *address, void **start);

/**
 * The accounts, summed over all heaps; exact when no other thread runs. peak counts the pages in
 * use at their highest, so it is an upper bound. Takes the lock. O(slabs).
 */
struct acre_stats acre_threaded_stats(struct acre_threaded *threaded);

/** As acre_walk, over the blocks of all heaps; pages that no heap has are not visited. Holds the
 * lock, so the visitor must not call the heap. O(objects). */
void acre_threaded_walk(struct acre_threaded *threaded, acre_walk_fn *visit, void *arg);

/** As acre_threaded_walk, over the slabs of this heap and of the heaps without a thread. */
void acre_threaded_walk_own(struct acre_thread_heap *heap, acre_walk_fn *visit, void *arg);

/** As acre_check, while no other thread runs. Takes the lock. O(slabs). */
struct acre_check_result acre_threaded_check(struct acre_threaded *threaded);

/** Gives the free pages that heaps without a thread and the calling thread's keep back to the page
 * allocator. @return pages given back. Takes the lock. O(slabs of these heaps). */
size_t acre_threaded_release_empty(struct acre_thread_heap *heap);

/** Gives a heap its thread's number, which acre_threaded_thread_of() returns for its blocks.
 * O(1). */
void acre_threaded_set_thread(struct acre_thread_heap *heap, size_t number);

/** The number of the thread that allocated the block that an address lies in, or, when that has
 * ended and the block is not one of whole pages, of the one that has its heap now; 0: none was set,
 * or there is no block. O(1), and O(pages of the block) inside one of whole pages. */
size_t acre_threaded_thread_of(const struct acre_threaded *threaded, const void *address);

/** The number of blocks freed twice, by two threads, that their owner found afterwards. O(1). */
size_t acre_threaded_late_misuse(const struct acre_threaded *threaded);

#ifdef __cplusplus
}
#endif

#endif
