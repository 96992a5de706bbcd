/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Slab: a byte allocator of size classes, whose alloc and dealloc take constant time.
 *
 * A slab is a run of pages cut into equal objects, with one bit per object (J. Bonwick, "The slab
 * allocator: an object-caching kernel memory allocator", USENIX 1994). Sizes go up in steps of 16
 * bytes to 256 and of at most 12.5 % above. A page map leads from a pointer to its slab. One
 * multiplication, exact only for the start of an object, gives the object's index; the object's bit
 * tells whether it is live. Nothing is stored in the objects, so a write past the end of one
 * damages its neighbour and nothing else. A new slab has the length that leaves little unused at
 * its end; where memory is short, it is shorter. An empty slab is returned to the free pages at
 * once, except for the current slab of each class, which is returned when its pages are needed.
 * Blocks above the largest class (four pages), or aligned to more than a page, are whole pages.
 *
 * Cost per block: rounding to its class, 4 % on average; to whole pages above the largest class.
 * Cost per region: a record and a pointer per page, 2.3 % with pages of ACRE_SLAB_PAGE bytes, and a
 * header.
 *
 * Fragmentation: memory freed by one class serves another only when a whole slab is free. For at
 * most M live bytes, in blocks of at most n bytes, the allocator needs up to M * n / 16 bytes in
 * the worst case. While no page is free, objects of larger classes serve requests. Measured
 * figures: docs/decisions.md.
 *
 * In a small build (ACRE_MAX_POOL) a slab is as long as one object needs, every empty slab is
 * returned at once, and regions share no page map.
 *
 * Not for: memory that must not be touched at all, since the records lie in the region itself.
 */
#ifndef ACRE_SLAB_H
#define ACRE_SLAB_H

#include <acre/backing.h>
#include <acre/bytes.h>
#include <acre/regions.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How many powers of two there are from 8 to a number below 2^28. A constant expression. */
#define ACRE_SLAB_POWERS(number)                                                                   \
    (((number) >> 3 != 0) + ((number) >> 4 != 0) + ((number) >> 5 != 0) + ((number) >> 6 != 0) +   \
        ((number) >> 7 != 0) + ((number) >> 8 != 0) + ((number) >> 9 != 0) +                       \
        ((number) >> 10 != 0) + ((number) >> 11 != 0) + ((number) >> 12 != 0) +                    \
        ((number) >> 13 != 0) + ((number) >> 14 != 0) + ((number) >> 15 != 0) +                    \
        ((number) >> 16 != 0) + ((number) >> 17 != 0) + ((number) >> 18 != 0) +                    \
        ((number) >> 19 != 0) + ((number) >> 20 != 0) + ((number) >> 21 != 0) +                    \
        ((number) >> 22 != 0) + ((number) >> 23 != 0) + ((number) >> 24 != 0) +                    \
        ((number) >> 25 != 0) + ((number) >> 26 != 0) + ((number) >> 27 != 0))

/** Sizes of the control structure. They follow from the configuration; do not change them. */
enum {
    ACRE_SLAB_MIN_PAGE = 128, /**< Smallest page. */
    /** Powers of two from the smallest page to the largest: a 64th of ACRE_MAX_POOL, at most
     * 2048. */
    ACRE_SLAB_PAGE_STEPS = ACRE_MAX_POOL != 0
                               ? (ACRE_MAX_POOL >= 0x4000) + (ACRE_MAX_POOL >= 0x8000) +
                                     (ACRE_MAX_POOL >= 0x10000) + (ACRE_MAX_POOL >= 0x20000)
                               : 4,
    ACRE_SLAB_MAX_PAGE = ACRE_SLAB_MIN_PAGE << ACRE_SLAB_PAGE_STEPS,
    /** Default page: 2048 on 64-bit machines, 1024 on 32-bit ones; no larger than the largest. */
    ACRE_SLAB_PAGE =
        256 * sizeof(size_t) < ACRE_SLAB_MAX_PAGE ? 256 * sizeof(size_t) : ACRE_SLAB_MAX_PAGE,
    ACRE_SLAB_UNIT = 16, /**< Step of the smallest classes, in bytes. */
    /** Pages of the largest class; what is larger takes whole pages. */
    ACRE_SLAB_LARGEST_PAGES = 4,
    /** Sizes that have a class, in units. */
    ACRE_SLAB_SIZES = ACRE_SLAB_LARGEST_PAGES * ACRE_SLAB_MAX_PAGE / ACRE_SLAB_UNIT,
    /** Size classes: 24 up to four smallest pages, then eight for each power of two. */
    ACRE_SLAB_CLASSES = 24 + 8 * ACRE_SLAB_PAGE_STEPS,
    ACRE_SLAB_CACHED_REGIONS = 64, /**< Slots of the cache that finds regions by address. */
    /** Log2 of the length, in pages, below which there is one list of free runs per length: 32
     * pages, 8 in a small build. */
    ACRE_SLAB_LINEAR_LOG2 = ACRE_MAX_POOL != 0 ? 3 : 5,
    /** Lists of free runs: one per length below that, and four for each power of two above. */
    ACRE_SLAB_RUN_LISTS =
        (1 << ACRE_SLAB_LINEAR_LOG2) +
        4 * (ACRE_MAX_POOL != 0 ? ACRE_SLAB_POWERS((ACRE_MAX_POOL) / ACRE_SLAB_MIN_PAGE)
                                : 8 * sizeof(size_t) - 11),
    ACRE_SLAB_RUN_WORDS = (ACRE_SLAB_RUN_LISTS + 8 * sizeof(size_t) - 1) / (8 * sizeof(size_t))
};

/** The record of one page. That of its first page describes a slab or a run. */
struct acre_slab_page {
    union {
        size_t free_bits; /* slab: set for free objects, and for all bits after the last object */
        size_t length;    /* run: its pages */
    };
    struct acre_slab_page *next;
    struct acre_slab_page *prev;
    uint32_t reciprocal; /* 2^32 / size, rounded up; 0: only the slow path frees objects here */
    uint32_t start;      /* slab or live run: low half of its address */
    uint16_t size;       /* slab: bytes of an object */
    uint8_t pages;       /* slab: its pages; else those of the last slab that began here */
    uint8_t to_first;    /* last page of a slab: pages from the first one to it */
    uint8_t size_steps;  /* slab: it serves sizes in (size - 16 * size_steps, size]; no slab: 0 */
    uint8_t state;
    uint8_t size_class;
    union {
        uint8_t list;  /* free run: the list it is in */
        uint8_t count; /* slab: its objects */
    };
};

/** Bytes of metadata per page. */
enum { ACRE_SLAB_PER_PAGE = sizeof(struct acre_slab_page) + sizeof(struct acre_slab_page *) };

struct acre_slab_region;

/**
 * One allocator. The caller provides the struct, zeroed before the first call: a zeroed struct is
 * an empty allocator with pages of ACRE_SLAB_PAGE bytes. Every field is private. It must not move
 * while it owns memory, and must not lie in memory that it owns.
 */
struct acre_slab {
    uintptr_t base;                   /* the main map: the address of its first page, */
    size_t pages;                     /* the number of its pages, */
    struct acre_slab_page **page_map; /* and per page the record of its slab */
    size_t sizes;                     /* entries of class_of in use; 0: no settings yet */
    unsigned page_log2;
    ptrdiff_t headroom; /* peak - used, in bytes */
    size_t live_blocks;
#if ACRE_MAX_POOL == 0
    uint8_t class_of[ACRE_SLAB_SIZES]; /* by (size - 1) / 16 */
    /* By class: the current slab, which alloc takes objects from; no_slab where there is none, */
    struct acre_slab_page *current[ACRE_SLAB_CLASSES];
    uintptr_t current_start[ACRE_SLAB_CLASSES]; /* its address, */
    uint32_t current_count[ACRE_SLAB_CLASSES];  /* the number of its objects, */
    uint32_t object_size[ACRE_SLAB_CLASSES];    /* bytes of an object, */
    uint32_t reciprocal[ACRE_SLAB_CLASSES];
    uint8_t size_steps[ACRE_SLAB_CLASSES]; /* entries of class_of that are this class, */
    uint8_t slab_pages[ACRE_SLAB_CLASSES]; /* pages of a new slab */
#endif
    struct acre_slab_page
        *partial[ACRE_SLAB_CLASSES]; /* by class: the ring of other slabs not full */
    struct acre_slab_page no_slab;  /* a full slab, which stands for "none" as a current slab and in
                                       the page map */
    struct acre_slab_page *records; /* of the main map's first page */
    size_t peak;                    /* bytes */
    size_t failed;
    size_t capacity; /* pages */
    struct acre_regions regions;
#if ACRE_MAX_POOL == 0
    size_t largest_pages;   /* pages of the largest region, */
    size_t largest_regions; /* and how many regions have as many */
    size_t watermark;       /* memory is ample while this list of runs, or a later one, has a run */
    struct acre_slab_region *region_cache[ACRE_SLAB_CACHED_REGIONS]; /* by address; or null */
#endif
    size_t nonempty[ACRE_SLAB_RUN_WORDS]; /* bit per list of free runs */
    struct acre_slab_page *runs[ACRE_SLAB_RUN_LISTS];
    /* init keeps the fields from here on. */
    struct acre_exhausted_hook on_exhausted;
    acre_released_fn *on_released; /* null: none */
    void *on_released_arg;
};

/**
 * Sets the page size of an allocator without regions, a zeroed one included.
 * @param page bytes per page: a power of two from ACRE_SLAB_MIN_PAGE to ACRE_SLAB_MAX_PAGE. Larger
 * pages cost less metadata, smaller ones suit small memory. A slab has at most 63 objects, 31 on
 * 32-bit machines, so the smallest object takes a 64th of a page, a 32nd there: 32 bytes with
 * ACRE_SLAB_PAGE.
 * @return ACRE_OK; ACRE_INVALID_PARAM: page is not in that range, or the allocator has regions;
 * nothing has changed. O(1).
 */
enum acre_status acre_slab_setup(struct acre_slab *slab, size_t page);

/**
 * The verbs. The contract of each is that of its namesake in acre/bytes.h and acre/base.h. n is the
 * number of pages in a region. alloc, dealloc, resize, usable_size: O(1), creating and destroying a
 * slab included (at most ACRE_SLAB_CLASSES steps when memory is short). With several regions, a
 * block in one that does not share its map with the largest is found through a cache, else in
 * O(log regions). stats: O(ACRE_SLAB_CLASSES).
 *
 * An alignment up to a page rounds the size up to a multiple of it. Above that the block takes
 * whole pages, and alloc looks at two lists of runs only: it can refuse although a run exists that
 * could be cut to fit. dealloc_sized accepts the size of a smaller class than the block's if the
 * slab has served such a size while memory was short, or a block of the slab was shrunk in place.
 *
 * init keeps the page size and all hooks. init, add_memory, reset, remove_memory, check:
 * O(n). walk: O(n + objects).
 */
ACRE_NODISCARD enum acre_status acre_slab_init(struct acre_slab *slab, void *start, size_t size);
ACRE_NODISCARD enum acre_status acre_slab_add_memory(
    struct acre_slab *slab, void *start, size_t size);
enum acre_status acre_slab_remove_memory(struct acre_slab *slab, void *start);
struct acre_stats acre_slab_stats(const struct acre_slab *slab);
struct acre_check_result acre_slab_check(const struct acre_slab *slab);
void acre_slab_reset(struct acre_slab *slab);
void acre_slab_reset_peak(struct acre_slab *slab);
ACRE_NODISCARD struct acre_ptr acre_slab_alloc(struct acre_slab *slab, struct acre_layout layout);
enum acre_status acre_slab_dealloc(struct acre_slab *slab, void *ptr);
enum acre_status acre_slab_dealloc_sized(
    struct acre_slab *slab, void *ptr, struct acre_layout layout);
ACRE_NODISCARD enum acre_status acre_slab_resize(struct acre_slab *slab, void *ptr, size_t size);
ACRE_NODISCARD struct acre_ptr acre_slab_realloc(
    struct acre_slab *slab, void *ptr, struct acre_layout layout);
struct acre_num acre_slab_usable_size(const struct acre_slab *slab, const void *ptr);
struct acre_block acre_slab_find(const struct acre_slab *slab, const void *ptr);
void acre_slab_walk(const struct acre_slab *slab, acre_walk_fn *visit, void *arg);

/**
 * Makes an allocator inside its own memory: its struct at the start of a range, its region after
 * it.
 * @param start first byte; any alignment.
 * @param size  bytes.
 * @return a struct acre_slab; ACRE_INVALID_PARAM: start is null, the range wraps or is too small,
 *         or larger than ACRE_MAX_POOL allows. Nothing has been written then. Time as init.
 */
ACRE_NODISCARD struct acre_ptr acre_slab_create(void *start, size_t size);

/** Bytes that acre_slab_create() needs, at any start address, for an allocator that can serve a
 * first request of this layout; 0: no size is enough. O(1), pure. */
size_t acre_slab_pool_size(struct acre_layout layout);

/**
 * As alloc, with the alignment ACRE_SLAB_UNIT, which every block has. For callers whose type needs
 * no larger alignment. Free the block with dealloc, or with dealloc_sized and any alignment up to
 * ACRE_SLAB_UNIT.
 * @return as alloc. O(1).
 */
ACRE_NODISCARD struct acre_ptr acre_slab_alloc_natural(struct acre_slab *slab, size_t size);

/**
 * add_memory for a region that lies after another one, so that both share one page map and a free
 * finds a block in either at the same cost. For that the region takes more metadata, up to a
 * twelfth of its size. A region that lies after no other one, or after one too large for that, is
 * added as by add_memory. No block spans two regions.
 * @return as add_memory. O(n), n the pages of all regions that share the map.
 */
ACRE_NODISCARD enum acre_status acre_slab_add_memory_adjacent(
    struct acre_slab *slab, void *start, size_t size);

/**
 * Sets the handler that is called when a request finds no memory; init keeps it. resize does not
 * call it.
 * @param handler null: none.
 * @param arg     passed to the handler. O(1).
 */
void acre_slab_set_on_exhausted(struct acre_slab *slab, acre_exhausted_fn *handler, void *arg);

/**
 * Sets the handler that is called when a free has returned pages, with the number of blocks that
 * the pages had room for: the objects of a slab that became empty, or 1 for a block of whole
 * pages. init keeps it.
 * @param handler null: none. O(1).
 */
void acre_slab_set_on_released(struct acre_slab *slab, acre_released_fn *handler, void *arg);

/**
 * A remote-free list: threads that do not own an allocator put its blocks there, for the owner to
 * free. It is the only part of slab that several threads may call at once. A zeroed struct is a
 * list for no range. Fields are private.
 */
struct acre_slab_remote {
    uintptr_t start;
    size_t size;
    void *words;
};

/** The result of acre_slab_drain. */
struct acre_slab_drained {
    size_t freed;   /**< Blocks freed. */
    size_t refused; /**< Pointers to no live block: freed before, or never allocated. */
    void *bad;      /**< The first of these; null when there was none. */
};

/** Bytes of memory that acre_slab_remote_init needs for a range of `size` bytes: 1.6 % of them and
 * a few words. O(1), pure. */
size_t acre_slab_remote_size(size_t size);

/**
 * Makes a remote-free list for the blocks in a range of addresses, such as a region. Where the
 * machine has no lock-free word, these four functions are not in the library.
 * @param memory      one bit per address at which a block can start, aligned for a pointer; belongs
 *                    to the list as long as the list is used.
 * @param memory_size bytes there, at least acre_slab_remote_size(size).
 * @return ACRE_OK; ACRE_INVALID_PARAM: the range is null, empty or wraps, or the memory is too
 * small or misaligned. O(size / 1024).
 */
ACRE_NODISCARD enum acre_status acre_slab_remote_init(struct acre_slab_remote *remote,
    const void *start, size_t size, void *memory, size_t memory_size);

/**
 * Puts a block into the list. From any thread at any time; neither waits nor touches the block or
 * the allocator. The block can be allocated again once the owner has drained the list.
 * @return ACRE_OK: in the list; acre_slab_drain detects a pointer to no live block.
 *         ACRE_NOT_ALLOCATED: outside the range, not aligned as blocks are, or in the list already.
 * O(1), but for retries while other threads push.
 */
enum acre_status acre_slab_remote_dealloc(struct acre_slab_remote *remote, void *ptr);

/**
 * Frees the blocks of a remote-free list and empties it. Only the owner of the allocator may call
 * it. Each pointer is validated as by dealloc: a block freed twice, by the owner and by another
 * thread, is freed once and counted as refused once.
 * @return how many blocks were freed, and how many pointers refused. O(blocks).
 */
struct acre_slab_drained acre_slab_drain(struct acre_slab *slab, struct acre_slab_remote *remote);

/** The bytes table; `self` is a struct acre_slab. */
extern const struct acre_bytes_ops acre_slab_ops;

/** The table of acre/backing.h, for layers above; `self` is a struct acre_slab. */
extern const struct acre_backing acre_slab_backing;

/** A handle of the allocator. */
static inline struct acre_bytes acre_slab_bytes(struct acre_slab *slab)
{
    struct acre_bytes bytes;
    bytes.ops = &acre_slab_ops;
    bytes.self = slab;
    return bytes;
}

#ifdef __cplusplus
}
#endif

#endif
