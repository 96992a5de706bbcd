/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Slab: a byte allocator of size classes, whose alloc and dealloc take constant time.
 *
 * A slab is a run of pages cut into equal objects, with one bit an object (J. Bonwick, "The slab
 * allocator: an object-caching kernel memory allocator", USENIX 1994). Sizes go up in steps of 16
 * bytes to 256 and of at most 12.5 % above. A pointer finds its slab through a table of pages and
 * its object through one multiplication that is exact only for the start of an object; the bit then
 * tells whether the object is live. Nothing is kept in the objects, so a write past the end of one
 * damages its neighbour and nothing else. Slabs are as long as the memory owned allows, up to a
 * length that leaves little over; an empty one goes back to the free pages at once, but for the one
 * at hand in each class, and that one too when its pages are needed. Blocks above the largest class
 * (four pages), or aligned to more than a page, are whole pages.
 *
 * Cost of a block: rounding to its class, 4 % on average; to whole pages above the largest class.
 * Cost of a region: a record and a pointer a page, 2.3 % with pages of ACRE_SLAB_PAGE bytes, and a
 * descriptor.
 *
 * Fragmentation: what one class has freed serves another only when a whole slab of it is free, so
 * the worst case is M * n / 16 for live blocks of at most n bytes and M bytes live at most. While
 * no page is free, requests are served with objects of larger classes. Measured figures:
 * docs/decisions.md.
 *
 * Not for: memory that must not be touched at all, since the records lie in the region itself.
 */
#ifndef ACRE_SLAB_H
#define ACRE_SLAB_H

#include <acre/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Sizes of the control structure; facts of the layout, not knobs. */
enum {
    ACRE_SLAB_PAGE = 256 * sizeof(size_t), /**< Default page: 2048 on 64-bit machines. */
    ACRE_SLAB_MIN_PAGE = 128,              /**< Smallest page, */
    ACRE_SLAB_MAX_PAGE = 2048,             /**< and largest one. */
    ACRE_SLAB_UNIT = 16,                   /**< Step of the smallest classes, in bytes. */
    /** Pages of the largest class; what is larger takes whole pages. */
    ACRE_SLAB_LARGEST_PAGES = 4,
    ACRE_SLAB_SIZES = ACRE_SLAB_LARGEST_PAGES * ACRE_SLAB_MAX_PAGE / ACRE_SLAB_UNIT,
    ACRE_SLAB_CLASSES = 56,
    ACRE_SLAB_NEAR = 64, /**< Regions remembered by address, so that they need not be searched. */
    /** Lists of free runs: one a length below 32 pages, four for each power of two above. */
    ACRE_SLAB_RUN_LISTS = 32 + 4 * (8 * sizeof(size_t) - 11),
    ACRE_SLAB_RUN_WORDS = (ACRE_SLAB_RUN_LISTS + 8 * sizeof(size_t) - 1) / (8 * sizeof(size_t))
};

/** What is known of one page: a slab or run is described by the record of its first page. */
struct acre_slab_page {
    union {
        size_t free;   /* slab: a bit for each object not live, and all bits behind the last one */
        size_t length; /* run: its pages */
    };
    struct acre_slab_page *next;
    struct acre_slab_page *prev;
    uint32_t magic; /* 2^32 / size, rounded up; 0: not to be freed on the short way */
    uint32_t start; /* low half of the address of the slab */
    uint16_t size;  /* of its objects, in bytes */
    uint8_t pages;  /* of the slab */
    uint8_t back;   /* last page of a slab: pages from the first one to it */
    uint8_t reach;  /* pages that may lead here: those of the longest slab that began here */
    uint8_t state;
    uint8_t size_class;
    union {
        uint8_t list;  /* free run: the one it is in */
        uint8_t count; /* slab: of its objects */
    };
};

/** Bytes of a region that each page takes beside itself. */
enum { ACRE_SLAB_PER_PAGE = sizeof(struct acre_slab_page) + sizeof(struct acre_slab_page *) };

struct acre_slab_region;

/**
 * One allocator. The caller gives it a place; every field is private. It must not move while it
 * owns memory, and must not lie in memory that it owns.
 */
struct acre_slab {
    uintptr_t base;                /* the largest window: its first page, */
    size_t pages;                  /* their number, */
    struct acre_slab_page **heads; /* and for each the record of its slab */
    size_t sizes;                  /* of class_of in use */
    unsigned page_log2;
    ptrdiff_t room; /* peak - used, in bytes */
    size_t live_blocks;
    uint8_t class_of[ACRE_SLAB_SIZES]; /* by (size - 1) / 16 */
    /* By class: the slab at hand, where objects are taken from, is never null; */
    struct acre_slab_page *hand[ACRE_SLAB_CLASSES];
    uintptr_t start[ACRE_SLAB_CLASSES]; /* its address, */
    uint32_t count[ACRE_SLAB_CLASSES];  /* the number of its objects, */
    uint32_t size[ACRE_SLAB_CLASSES];   /* and their bytes; */
    uint32_t magic[ACRE_SLAB_CLASSES];
    uint8_t slab_pages[ACRE_SLAB_CLASSES];             /* pages of a new slab; */
    struct acre_slab_page *partial[ACRE_SLAB_CLASSES]; /* the ring of other slabs not full */
    struct acre_slab_page none;     /* at hand where no slab is: full; and the head of no slab */
    struct acre_slab_page *records; /* of the largest region's first page */
    size_t peak;                    /* bytes */
    size_t failed;
    size_t total;                     /* bytes */
    size_t capacity;                  /* pages */
    size_t widest;                    /* pages of the largest region; */
    size_t plenty;                    /* the list from which on a free run is much of it */
    struct acre_slab_region *regions; /* by address */
    struct acre_slab_region *near[ACRE_SLAB_NEAR]; /* by address, where frees found one; or null */
    struct acre_exhausted_hook on_exhausted;
    acre_released_fn *on_released; /* null: none */
    void *on_released_arg;
    size_t nonempty[ACRE_SLAB_RUN_WORDS]; /* bit per list of free runs */
    struct acre_slab_page *runs[ACRE_SLAB_RUN_LISTS];
};

/**
 * Makes an empty allocator; it comes before any other call.
 * @param page bytes in a page: a power of two from ACRE_SLAB_MIN_PAGE to ACRE_SLAB_MAX_PAGE.
 * Larger ones cost less metadata, smaller ones serve small memory better. A slab has at most 63
 * objects, half as many on 32-bit machines, so the smallest object takes a 64th of a page, a 32nd
 * there: 32 bytes with ACRE_SLAB_PAGE.
 * @return ACRE_OK; ACRE_INVALID_PARAM: page is none of these; nothing has changed. O(1).
 */
enum acre_status acre_slab_setup(struct acre_slab *slab, size_t page);

/**
 * The verbs. Each one's contract is that of its namesake in acre/bytes.h and acre/base.h. n is the
 * number of pages in a region. alloc, dealloc, resize, usable_size: O(1), the making and returning
 * of a slab included (at most ACRE_SLAB_CLASSES steps when memory is short); with several regions,
 * one that is not looked up with the largest is found in O(regions) at first, then remembered by
 * address. stats: O(ACRE_SLAB_CLASSES).
 *
 * An alignment up to a page costs rounding of the size to a multiple of it; above that the block
 * takes whole pages, and alloc looks at two lists of runs only: it can refuse though a run exists
 * that could be cut to fit. dealloc_sized lets pass a size of a smaller class than the block's
 * where memory was so short that the slab has served such a one, or a block of it was shrunk in
 * place.
 *
 * init keeps the page size. init, add_memory, reset, remove_memory, check: O(n). walk: O(n + objects).
 */
ACRE_NODISCARD enum acre_status acre_slab_init(struct acre_slab *slab, void *start, size_t size);
ACRE_NODISCARD enum acre_status acre_slab_add_memory(
    struct acre_slab *slab, void *start, size_t size);
enum acre_status acre_slab_remove_memory(struct acre_slab *slab, void *start);
struct acre_stats acre_slab_stats(const struct acre_slab *slab);
struct acre_check_result acre_slab_check(const struct acre_slab *slab);
void acre_slab_reset(struct acre_slab *slab);
ACRE_NODISCARD struct acre_ptr acre_slab_alloc(struct acre_slab *slab, struct acre_layout layout);
enum acre_status acre_slab_dealloc(struct acre_slab *slab, void *ptr);
enum acre_status acre_slab_dealloc_sized(
    struct acre_slab *slab, void *ptr, struct acre_layout layout);
ACRE_NODISCARD enum acre_status acre_slab_resize(struct acre_slab *slab, void *ptr, size_t size);
ACRE_NODISCARD struct acre_ptr acre_slab_realloc(
    struct acre_slab *slab, void *ptr, struct acre_layout layout);
struct acre_num acre_slab_usable_size(const struct acre_slab *slab, const void *ptr);
void acre_slab_walk(const struct acre_slab *slab, acre_walk_fn *visit, void *arg);

/**
 * add_memory for a region that begins behind another one, so that going from one to the other costs
 * nothing: both are then looked up together. For that the region takes more metadata, up to a
 * twelfth of its size. Where it begins behind no region, or those in front of it are too large,
 * it is added as by add_memory. No block spans two regions.
 * @return as add_memory. O(n), with the pages of the regions that it is looked up with.
 */
ACRE_NODISCARD enum acre_status acre_slab_add_memory_adjacent(
    struct acre_slab *slab, void *start, size_t size);

/**
 * Sets the handler that is called when a request finds no memory; init sets none. resize does not
 * call it.
 * @param handler null: none.
 * @param arg     passed to the handler. O(1).
 */
void acre_slab_set_on_exhausted(struct acre_slab *slab, acre_exhausted_fn *handler, void *arg);

/**
 * Sets the handler that is called when a free has given pages back, with the blocks that these
 * pages had room for: the objects of a slab that became empty, or 1 for a block of whole pages.
 * init sets none.
 * @param handler null: none. O(1).
 */
void acre_slab_set_on_released(struct acre_slab *slab, acre_released_fn *handler, void *arg);

/**
 * A place where threads that do not own an allocator leave its objects, for the owner to free: the
 * one thing here that several threads may call at once. Fields are private.
 */
struct acre_slab_remote {
    uintptr_t start;
    size_t size;
    void *words;
};

/** What acre_slab_drain did. */
struct acre_slab_drained {
    size_t freed;   /**< Blocks freed. */
    size_t refused; /**< Pointers that were no live block: freed before, or never handed out. */
    void *bad;      /**< The first of these; null when there was none. */
};

/** Bytes of memory that acre_slab_remote_init needs for a range of `size` bytes: 1.6 % and a little. */
size_t acre_slab_remote_size(size_t size);

/**
 * Makes a share for blocks in a range of addresses, a region's for one. Where the machine has no
 * lock-free word, there are no shares: these four functions are not in the library.
 * @param memory      room for one bit a place where a block can start, aligned for a pointer; the
 *                    share's for as long as it is used.
 * @param memory_size bytes there, at least acre_slab_remote_size(size).
 * @return ACRE_OK; ACRE_INVALID_PARAM: a range that is null, empty or wraps, or unfit memory.
 * O(size / 1024).
 */
ACRE_NODISCARD enum acre_status acre_slab_remote_init(struct acre_slab_remote *share,
    const void *start, size_t size, void *memory, size_t memory_size);

/**
 * Leaves a block for the owner to free. From any thread at any time; neither waits nor touches the
 * block or the allocator. What it frees can be handed out again once the owner has collected it.
 * @return ACRE_OK: noted; a pointer that is no live block is found by acre_slab_drain.
 *         ACRE_NOT_ALLOCATED: outside the range, not aligned as blocks are, or left here already
 *         and not collected yet. O(1), but for retries while other threads push.
 */
enum acre_status acre_slab_remote_dealloc(struct acre_slab_remote *share, void *ptr);

/**
 * Frees what other threads have left. To be called by the owner, as every other verb.
 * @return how many were freed, and how many were refused: each pointer is proven as by dealloc, so
 * that a block freed twice, once here and once there, is freed once and reported once. O(blocks).
 */
struct acre_slab_drained acre_slab_drain(struct acre_slab *slab, struct acre_slab_remote *share);

/** The bytes table; `self` is a struct acre_slab that went through setup. */
extern const struct acre_bytes_ops acre_slab_ops;

/** The allocator as a handle. */
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
