/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * TLSF: a byte allocator whose every operation takes constant time.
 *
 * Good fit from size-segregated free lists found by two levels of bitmaps, immediate coalescing by
 * boundary tags. After M. Masmano, I. Ripoll, A. Crespo, J. Real, "TLSF: a new dynamic memory
 * allocator for real-time systems", ECRTS 2004. Against the paper: sizes up to 257 granules have a
 * list each (best fit there), 8 lists per power of two above; and one bit per granule,
 * outside the blocks, tells where live blocks start, which makes misuse errors exact.
 *
 * Cost of a block: a header of 4 bytes (8 with ACRE_TLSF_WIDE), then rounding up to the granule,
 * which is natural alignment (16 bytes on 64-bit machines); the smallest block takes two granules.
 * Cost of a region: one bit per granule and a descriptor of about 120 bytes; from 8 KiB on, also a
 * node of the index of regions; from 16 KiB on, 64 bytes that keep overflows away from them.
 *
 * Fragmentation: with live blocks of at most n bytes and M bytes live at most, the worst case for
 * any allocator that does not move blocks is about M * log2(n) / 2 (J. M. Robson, 1971); good fit
 * stays within 1/8 of best fit, whose worst case is M * n. Measured figures: docs/decisions.md.
 *
 * Not the right choice for device memory or address ranges that must not be touched: headers and
 * links lie in the managed memory itself.
 */
#ifndef ACRE_TLSF_H
#define ACRE_TLSF_H

#include <acre/backing.h>
#include <acre/bytes.h>
#include <acre/regions.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A block header: the size in granules, times four, plus two flags. Its width limits block sizes.
 */
#if ACRE_TLSF_WIDE && ACRE_MAX_POOL == 0
typedef size_t acre_tlsf_field;
#elif ACRE_MAX_POOL != 0 && ACRE_MAX_POOL < 0x20000
typedef uint16_t acre_tlsf_field;
#else
typedef uint32_t acre_tlsf_field;
#endif

struct acre_tlsf_block;
struct acre_tlsf_region;

/** What leads to the first block of a list: its address, or the number of its granule in the only
 * region, where there is one and 16 bits can count its granules; 0: none. */
#if ACRE_MAX_POOL != 0 && ACRE_MAX_POOL < 0x80000 && !ACRE_REGIONS
typedef uint16_t acre_tlsf_head;
#else
typedef struct acre_tlsf_block *acre_tlsf_head;
#endif

/** The least power of two above a number below 2^28, as an exponent; at least that of the sizes
 * with one list each. A constant expression. */
#define ACRE_TLSF_LOG2_ABOVE(number)                                                               \
    (6 + ((number) >> 6 != 0) + ((number) >> 7 != 0) + ((number) >> 8 != 0) +                      \
        ((number) >> 9 != 0) + ((number) >> 10 != 0) + ((number) >> 11 != 0) +                     \
        ((number) >> 12 != 0) + ((number) >> 13 != 0) + ((number) >> 14 != 0) +                    \
        ((number) >> 15 != 0) + ((number) >> 16 != 0) + ((number) >> 17 != 0) +                    \
        ((number) >> 18 != 0) + ((number) >> 19 != 0) + ((number) >> 20 != 0) +                    \
        ((number) >> 21 != 0) + ((number) >> 22 != 0) + ((number) >> 23 != 0) +                    \
        ((number) >> 24 != 0) + ((number) >> 25 != 0) + ((number) >> 26 != 0) +                    \
        ((number) >> 27 != 0))

/** Sizes of the control structure. They follow from the configuration; do not change them. */
enum {
    ACRE_TLSF_GRANULE =
        2 * sizeof(void *) > ACRE_NATURAL_ALIGN ? 2 * sizeof(void *) : ACRE_NATURAL_ALIGN,
    ACRE_TLSF_GRANULE_LOG2 = ACRE_TLSF_GRANULE == 8    ? 3
                             : ACRE_TLSF_GRANULE == 16 ? 4
                                                       : 5,
    ACRE_TLSF_WORD_BITS = 8 * sizeof(size_t),
    ACRE_TLSF_MIN_GRANULES = 2, /**< Granules of the smallest block. */
    /** The smallest 2^8 sizes have one list each (none with a largest pool), */
    ACRE_TLSF_LINEAR_LOG2 = ACRE_MAX_POOL != 0 ? 1 : 8,
    /** larger ones 2^3 lists per power of two (2^2). */
    ACRE_TLSF_STEPS_LOG2 = ACRE_MAX_POOL != 0 ? 2 : 3,
    /** Granules of the largest block, as a power of two (exclusive). */
    ACRE_TLSF_MAX_LOG2 =
        ACRE_MAX_POOL != 0 ? ACRE_TLSF_LOG2_ABOVE((ACRE_MAX_POOL) / ACRE_TLSF_GRANULE)
        : sizeof(acre_tlsf_field) * 8 - 2 < sizeof(size_t) * 8 - ACRE_TLSF_GRANULE_LOG2
            ? sizeof(acre_tlsf_field) * 8 - 2
            : sizeof(size_t) * 8 - ACRE_TLSF_GRANULE_LOG2,
    ACRE_TLSF_LINEAR_LISTS = ACRE_MAX_POOL != 0 ? 0 : 1 << ACRE_TLSF_LINEAR_LOG2,
    ACRE_TLSF_LISTS = ACRE_TLSF_LINEAR_LISTS +
                      ((ACRE_TLSF_MAX_LOG2 - ACRE_TLSF_LINEAR_LOG2) << ACRE_TLSF_STEPS_LOG2),
    ACRE_TLSF_WORDS = (ACRE_TLSF_LISTS + ACRE_TLSF_WORD_BITS - 1) / ACRE_TLSF_WORD_BITS
};

#if ACRE_MAX_POOL == 0

/** What frees look at in a whole structure. */
struct acre_tlsf_watch {
    size_t large_span;    /* the least span that frees look at: it has no linear list, or: */
    size_t released_span; /* the least span at which a region may be empty, if that is to be told */
    size_t least_span;    /* of a region that was one free block; 0: there was no region */
    const void *end;      /* of the region looked at last when a free block ended there, */
    const void *end_first; /* and where that block starts if the region is empty */
};

enum { ACRE_TLSF_COMPACT_LISTS = 64 }; /**< Most lists of a compact structure. */

/** The lists of a compact structure (acre_tlsf_create); their heads end the structure. */
struct acre_tlsf_compact {
    size_t largest; /* bytes of the largest region */
    size_t lists;   /* how many there are */
    size_t nonempty[ACRE_TLSF_COMPACT_LISTS / ACRE_TLSF_WORD_BITS]; /* bit per list */
};

struct acre_tlsf_compact_ops; /**< The calls that serve a compact structure. */

#endif

/**
 * One allocator. The caller provides the struct and sets it to zero before the first call: a zeroed
 * struct is an empty allocator. Every field is private. The struct must not move while it owns
 * memory, and must not lie in memory that it owns.
 */
struct acre_tlsf {
    uintptr_t base;     /* the cached region: address of its first granule, */
    size_t granules;    /* number of granules, */
    size_t *live_map;   /* one bit for each */
    ptrdiff_t headroom; /* peak - used, in quarter granules */
    size_t peak;        /* in quarter granules */
    size_t live_blocks;
    size_t failed;
    size_t capacity; /* of all blocks, in quarter granules */
    struct acre_regions regions;
#if ACRE_MAX_POOL == 0
    struct acre_tlsf_block *top; /* a large free block that is in no list; null: there is none */
    size_t summary;              /* bit per word of nonempty */
#else
    size_t nonempty[ACRE_TLSF_WORDS];      /* bit per list */
    acre_tlsf_head first[ACRE_TLSF_LISTS]; /* null: the list is empty */
#endif
#if ACRE_MAX_POOL == 0 || ACRE_REGIONS
    size_t live_at_release; /* live blocks when on_released was called last */
#endif
    struct acre_exhausted_hook on_exhausted; /* init and reset keep this and what follows */
#if ACRE_MAX_POOL == 0 || ACRE_REGIONS
    acre_released_fn *on_released; /* null: none */
    void *on_released_arg;
#endif
    /* Of quick lists and compact structures: what allocates where no list above fits; null:
     * none. */
    struct acre_ptr (*alloc_slow)(struct acre_tlsf *tlsf, struct acre_layout layout);
#if ACRE_MAX_POOL == 0
    const struct acre_tlsf_compact_ops *compact_ops; /* null: the structure is whole */
    size_t granule_limit; /* requests of so many granules and more are left to alloc_slow */
    union {
        struct acre_tlsf_watch watch;     /* whole; not kept */
        struct acre_tlsf_compact compact; /* compact */
    };
    size_t nonempty[ACRE_TLSF_WORDS];      /* init and reset clear it and the lists; bit per list */
    acre_tlsf_head first[ACRE_TLSF_LISTS]; /* null: the list is empty */
    struct acre_tlsf_block *last[ACRE_TLSF_LINEAR_LISTS]; /* while the list is not empty */
#endif
};

/**
 * The verbs. Each has the contract of its namesake in acre/bytes.h and acre/base.h. All take
 * constant time except those listed below; with several regions, finding a block outside the region
 * used last takes O(regions). With an alignment above ACRE_TLSF_GRANULE, alloc searches two lists
 * only, and can refuse a request although a block exists that could be cut to fit.
 *
 * init, add_memory: O(regions + size / 128); reset: O(memory owned / 128).
 * remove_memory: O(regions), plus O(blocks) of the regions joined with the one removed.
 * check, walk: O(blocks + memory owned / 128).
 */
ACRE_NODISCARD enum acre_status acre_tlsf_init(struct acre_tlsf *tlsf, void *start, size_t size);
ACRE_NODISCARD enum acre_status acre_tlsf_add_memory(
    struct acre_tlsf *tlsf, void *start, size_t size);
enum acre_status acre_tlsf_remove_memory(struct acre_tlsf *tlsf, void *start);
struct acre_stats acre_tlsf_stats(const struct acre_tlsf *tlsf);
struct acre_check_result acre_tlsf_check(const struct acre_tlsf *tlsf);
void acre_tlsf_reset(struct acre_tlsf *tlsf);
void acre_tlsf_reset_peak(struct acre_tlsf *tlsf);
ACRE_NODISCARD struct acre_ptr acre_tlsf_alloc(struct acre_tlsf *tlsf, struct acre_layout layout);
enum acre_status acre_tlsf_dealloc(struct acre_tlsf *tlsf, void *ptr);
enum acre_status acre_tlsf_dealloc_sized(
    struct acre_tlsf *tlsf, void *ptr, struct acre_layout layout);
ACRE_NODISCARD enum acre_status acre_tlsf_resize(struct acre_tlsf *tlsf, void *ptr, size_t size);
ACRE_NODISCARD struct acre_ptr acre_tlsf_realloc(
    struct acre_tlsf *tlsf, void *ptr, struct acre_layout layout);
struct acre_num acre_tlsf_usable_size(const struct acre_tlsf *tlsf, const void *ptr);
struct acre_block acre_tlsf_find(const struct acre_tlsf *tlsf, const void *ptr);
void acre_tlsf_walk(const struct acre_tlsf *tlsf, acre_walk_fn *visit, void *arg);

/**
 * An allocator in its own memory: its structure stands at the start of a range, the rest is its
 * region. The structure is as large as that region needs, acre_tlsf_structure_size(size): in a
 * range of less than 32 whole structures it is a compact one, which has one list per size up to 7
 * granules and 4 per power of two above. Calls then take about twice as many instructions, still in
 * constant time, and no region is cached. All verbs take the result, copying it does not: part of
 * it lies behind a struct's first bytes, and a compact one is shorter than a struct.
 * @param start first byte; any alignment.
 * @param size  bytes. A compact structure takes no larger region later: add_memory and its like
 *              return ACRE_INVALID_PARAM.
 * @return a struct acre_tlsf; ACRE_INVALID_PARAM: start is null, the range wraps or is too small,
 *         or larger than ACRE_MAX_POOL allows. Nothing has been written then. Time as init.
 */
ACRE_NODISCARD struct acre_ptr acre_tlsf_create(void *start, size_t size);

/** acre_tlsf_create() with a structure for regions of up to `largest` bytes, at least `size`, that
 * are to be added. Returns ACRE_INVALID_PARAM also when it is less. O(size / 128), as init. */
ACRE_NODISCARD struct acre_ptr acre_tlsf_create_for(void *start, size_t size, size_t largest);

/** Bytes of the structure that acre_tlsf_create_for() makes for regions of up to `largest`
 * bytes: less than sizeof(struct acre_tlsf), or as much. With ACRE_HARDEN_METADATA, without
 * ACRE_CHECK_POINTERS, and with ACRE_MAX_POOL, which sizes the struct, always as much. O(1),
 * pure. */
size_t acre_tlsf_structure_size(size_t largest);

/** Bytes that acre_tlsf_create() needs, at any start address, for an allocator that can serve a
 * first request of this layout; 0: no size is enough. O(1), pure. */
size_t acre_tlsf_pool_size(struct acre_layout layout);

/**
 * Adds a region whose metadata lies elsewhere.
 *
 * Such a region joins the region that ends where it starts: one block can then span the seam. (A
 * region that holds its own metadata does not, since the metadata stands at the seam.)
 * @param start, size the region, as for add_memory.
 * @param meta        where the metadata goes; any alignment, outside the region.
 * @param meta_size   bytes there, at least acre_tlsf_metadata_size(size). The allocator owns and
 *                    counts all of them until the region is removed. When there are
 *                    acre_tlsf_metadata_size() bytes for everything from the lowest of several
 *                    adjoining regions to the end of this one, the topmost, all of them are looked
 *                    up together, as with add_memory_adjacent.
 * @return as add_memory; also ACRE_INVALID_PARAM when meta is null, wraps or is too small, and
 *         ACRE_MEMORY_OVERLAP when it shares a byte with the region or with memory owned.
 * @note Time as add_memory.
 */
ACRE_NODISCARD enum acre_status acre_tlsf_add_memory_apart(
    struct acre_tlsf *tlsf, void *start, size_t size, void *meta, size_t meta_size);

/**
 * add_memory for a region that starts where another one ends, or up to 128 bytes after it. Both
 * regions then share one live map and are looked up together, so alternating between them costs
 * nothing. The map takes more metadata, up to 1/16 of the region's size. The region is added as by
 * add_memory when it starts after no region, when the regions before it are too large for that, or
 * when its start is not a multiple of 64 granules from theirs.
 * @return as add_memory.
 * @note Time as add_memory, for the region and those that share its map.
 */
ACRE_NODISCARD enum acre_status acre_tlsf_add_memory_adjacent(
    struct acre_tlsf *tlsf, void *start, size_t size);

/**
 * alloc of a block that is aligned at an offset: `offset` bytes after its start is a multiple of
 * layout.align. For a header of the caller's in front of aligned data. What lies before the block
 * to reach such an address stays free.
 * @param layout as for alloc; the start itself has natural alignment.
 * @param offset bytes: a multiple of ACRE_TLSF_GRANULE, or of layout.align.
 * @return as alloc; also {null, ACRE_INVALID_PARAM}: offset is neither. Free the block with
 *         dealloc, or with dealloc_sized and any alignment that its start has.
 * @note O(1). Like alloc with an alignment, it can refuse a request although a block exists that
 *       could be cut to fit: it looks for a block with room for up to twice the alignment more.
 */
ACRE_NODISCARD struct acre_ptr acre_tlsf_alloc_offset(
    struct acre_tlsf *tlsf, struct acre_layout layout, size_t offset);

/**
 * Sets the handler that is called when no free block fits a request; init and reset keep it.
 * resize does not call it.
 * @param handler null: none.
 * @param arg     passed to the handler. O(1).
 */
void acre_tlsf_set_on_exhausted(struct acre_tlsf *tlsf, acre_exhausted_fn *handler, void *arg);

/**
 * Sets the handler that is called when a free has emptied a region of add_memory; init and reset
 * keep it. It is told how many fewer blocks are live than at its last call, or 1.
 * @param handler null: none.
 * @param arg     passed to the handler. O(1).
 */
void acre_tlsf_set_on_released(struct acre_tlsf *tlsf, acre_released_fn *handler, void *arg);

/** Bytes of metadata that a region of `size` bytes takes. O(1), pure. */
size_t acre_tlsf_metadata_size(size_t size);

/** The bytes table; `self` is a struct acre_tlsf. */
extern const struct acre_bytes_ops acre_tlsf_ops;

/** The table of acre/backing.h, for layers above; `self` as in the bytes table. */
extern const struct acre_backing acre_tlsf_backing;

/** The allocator as a handle. */
static inline struct acre_bytes acre_tlsf_bytes(struct acre_tlsf *tlsf)
{
    struct acre_bytes bytes;
    bytes.ops = &acre_tlsf_ops;
    bytes.self = tlsf;
    return bytes;
}

#ifdef __cplusplus
}
#endif

#endif
