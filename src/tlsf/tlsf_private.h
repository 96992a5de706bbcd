/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF: the memory layout, the invariants, and accessors for them.
 *
 * Every block carries a header in front of it: its length and two flags. Freeing a block looks at
 * the headers on both sides, merges the block with its free neighbours and puts the result into the
 * list of its size; allocating takes the first block of the first list whose blocks are all large
 * enough, and splits off what is too much. Two levels of bitmaps find that list with two bit
 * searches, so that no operation has a loop.
 *
 * A block is named by the address it hands out, a multiple of the granule. Its header stands just
 * before that address, and the block ends where the next block's header begins:
 *
 *              block                                  next block
 *              v                                      v
 *   | header | user's bytes ............... | header | ...
 *   | header | next | prev | ...... | size  | header | ...       when free
 *
 *   header: span | PREV_FREE | FREE         size: the free block's span again, read from its end
 *
 * A span is a length in quarter granules, always a multiple of four, which leaves two bits for the
 * flags. The last bytes of a live block are the user's: the PREV_FREE flag in the next header tells
 * whether a size stands there. The smallest block, two granules, holds links and size.
 *
 * A region holds, from its start: descriptor, live map (unless the caller gave a separate place for
 * both), and a chain of blocks that ends in a sentinel, which is a header of span 0 with no block
 * after it. A region longer than the largest block holds several chains, each one granule after the
 * sentinel of the chain before.
 *
 *   | descriptor | live map | block | block | ... | block | sentinel |
 *
 * Two regions are joined when one ends where the other starts and no metadata stands at the seam:
 * the lower region's sentinel has become part of a block. Joined or not, neighbouring regions can
 * share one live map, kept by the topmost of them, the map owner. The cached region is the shared
 * map that was used last, so all regions that share it are found without a search. Each region
 * keeps the map it would use alone, in case the map owner is removed.
 *
 * Free blocks of 2 to 257 granules have one list per size, larger ones 8 lists per power of
 * two (small builds and compact structures: tlsf_small.h). A freed block goes to the front of its
 * list. A split or merged block goes to the front or
 * the back of a list of one size, which keeps that list nearly sorted by address.
 *
 * One large free block, the top block, is in no list. It serves what no list can, and stays the top
 * block while what is left of it is large: cutting from it and merging with it changes no list.
 * When it is used up, the next large block that would enter a list takes its place.
 *
 * Invariants; the checker names them, cost in brackets (n blocks, r regions, m granules):
 *   TLSF-1  regions are sorted by address and share no byte; bounds and maps are sane [r * r]
 *   TLSF-2  from a chain's first block, spans lead exactly to the chain's sentinel [n]
 *   TLSF-3  no two adjacent blocks are both free [n]
 *   TLSF-4  PREV_FREE is set exactly when the block before is free; the size there is its span [n]
 *   TLSF-5  the live bit of a granule is set exactly when a live block starts there [n + m / word]
 *   TLSF-6  each free block is in the list of its span, once, and links agree both ways; but for the
 *           top block, a large one, which is in none [n]
 *   TLSF-7  a list's bit is set exactly when it has a block; a summary bit, when its word is not 0
 *           [1]
 *   TLSF-8  counts of live blocks, used and capacity match the chains; total matches the regions
 *           [n]
 *   TLSF-9  the cached region is one of the regions, or none [r]
 *   TLSF-10 see tlsf_quick_private.h
 *
 * Alternatives that were measured; docs/decisions.md, "TLSF", has the figures:
 *   headers of 8 bytes: "Header"
 *   fewer or more lists, several sizes per list: "Lists"
 *   lists in order of freeing or of address: "Position in the list"
 *   rings with a list head: "Links"
 *   cutting from the top of a block: "Merging and splitting"
 *
 * Files, each calling only those below it:
 *   tlsf_realloc.c                             realloc
 *   tlsf.c, tlsf_quick.c, tlsf_quick_flush.c   the verbs
 *   tlsf_small.c                               in place of tlsf.c in a build with a largest pool,
 *                                              and for compact structures (tlsf_small.h)
 *   tlsf_compact.c                             where calls leave whole structures for compact ones
 *   tlsf_block.c                               aligned blocks, split, resize in place
 *   tlsf_region.c                              add, join, cut apart, remove, reset
 *   tlsf_validate.c                            validation of headers and links, where it is on
 *   tlsf_map.c                                 the cached region, shared maps
 *   tlsf_cut.h, tlsf_list.h, tlsf_heads.h, tlsf_private.h  cutting, lists, accessors
 * tlsf_stats.c and tlsf_check.c read and change nothing; tlsf_ops.c stands above all.
 */
#ifndef ACRE_SRC_TLSF_TLSF_PRIVATE_H
#define ACRE_SRC_TLSF_TLSF_PRIVATE_H

#include <acre/tlsf.h>

#include "base/regions.h"

struct acre_tlsf_block {
    struct acre_tlsf_block *next; /* null: the last block of its list */
    struct acre_tlsf_block *prev; /* undefined in the first block of a list */
};

struct acre_tlsf_region {
    struct acre_region range; /* as given */
    uintptr_t base;           /* address of the granule that bit 0 of the live map stands for */
    size_t granules;
    size_t *live_map;              /* of this region; a part of the shared map */
    size_t map_size;               /* bytes after the descriptor reserved for a map */
    uintptr_t shared_base;         /* base of the lowest region that shares the map, */
    size_t shared_granules;        /* granules of all of them, */
    size_t *shared_map;            /* and the map; live_map and these three when not shared */
    struct acre_tlsf_block *first; /* of the chain; undefined when joined */
    struct acre_tlsf_block *last; /* last chain's sentinel; undefined when the next one is joined */
    bool joined;                  /* with the region before it in the list */
};

ACRE_REGION_FITS_NONE(struct acre_tlsf_region);

enum {
    TLSF_SMALL = ACRE_SMALL, /* tlsf_small.c in place of tlsf.c */
    TLSF_ONE_REGION = ACRE_ONE_REGION,
    TLSF_ALIGNED = ACRE_ANY_ALIGN,
    TLSF_HARDEN = ACRE_HARDEN_METADATA && ACRE_CHECK_POINTERS,
    TLSF_COMPACT = !TLSF_SMALL && ACRE_CHECK_POINTERS && !TLSF_HARDEN, /* acre_tlsf_create */
    TLSF_GUARD = 64,            /* bytes before the metadata of a region, */
    TLSF_GUARD_LEAST = 1 << 14, /* of at least this many bytes */
    TLSF_FREE = 1,
    TLSF_PREV_FREE = 2,
    TLSF_FLAGS = 3,
    TLSF_HEADER = sizeof(acre_tlsf_field),
    TLSF_QUARTER = ACRE_TLSF_GRANULE / 4, /* bytes */
    TLSF_MIN_SPAN = 4 * ACRE_TLSF_MIN_GRANULES,
    /* Granules below which every size has a list of its own. */
    TLSF_LINEAR = ACRE_TLSF_LINEAR_LISTS + ACRE_TLSF_MIN_GRANULES,
    TLSF_GAP = 128, /* most bytes between regions that share a map; no region fits in there */
    TLSF_WORD_LOG2 = ACRE_TLSF_WORD_BITS == 64 ? 6 : 5,
    /* A block that has fewer bytes over a size than this can have been made for it; one with more,
     * sometimes. The smallest block has fewer over no size, so that a size that wraps has more. */
    TLSF_SURE_SLACK = ACRE_TLSF_GRANULE * ACRE_TLSF_MIN_GRANULES - TLSF_HEADER + 1,
    /* A request of size s + TLSF_SIZE_BIAS takes s >> GRANULE_LOG2 granules over the smallest. */
    TLSF_SIZE_BIAS = ACRE_TLSF_GRANULE * (ACRE_TLSF_MIN_GRANULES - 1) - TLSF_HEADER + 1
};

#define TLSF_MAX_GRANULES (((size_t)1 << ACRE_TLSF_MAX_LOG2) - 1)

_Static_assert(TLSF_SIZE_BIAS > 0, "size 0 must not slip through the test for large sizes");
_Static_assert((ACRE_TLSF_GRANULE & (ACRE_TLSF_GRANULE - 1)) == 0 &&
                   1 << ACRE_TLSF_GRANULE_LOG2 == ACRE_TLSF_GRANULE,
    "granule is a power of two");
_Static_assert(
    sizeof(struct acre_tlsf_block) + 2 * TLSF_HEADER <= ACRE_TLSF_GRANULE * ACRE_TLSF_MIN_GRANULES,
    "the smallest block holds links, size and the next header");
_Static_assert(
    ACRE_TLSF_LINEAR_LISTS % ACRE_TLSF_WORD_BITS == 0, "no word has lists of both kinds");
_Static_assert(ACRE_TLSF_WORDS <= ACRE_TLSF_WORD_BITS, "one summary word covers the lists");

/* ---- blocks ---- */

ACRE_INLINE acre_tlsf_field *tlsf_header(const struct acre_tlsf_block *block)
{
    return (acre_tlsf_field *)(uintptr_t)block - 1;
}

/* Where the block before keeps its span while it is free. */
ACRE_INLINE acre_tlsf_field *tlsf_size_before(const struct acre_tlsf_block *block)
{
    return (acre_tlsf_field *)(uintptr_t)block - 2;
}

ACRE_INLINE size_t tlsf_span(const struct acre_tlsf_block *block)
{
    return *tlsf_header(block) & ~(size_t)TLSF_FLAGS;
}

ACRE_INLINE bool tlsf_is_free(const struct acre_tlsf_block *block)
{
    return (*tlsf_header(block) & TLSF_FREE) != 0;
}

ACRE_INLINE bool tlsf_is_prev_free(const struct acre_tlsf_block *block)
{
    return (*tlsf_header(block) & TLSF_PREV_FREE) != 0;
}

/* Bytes that the user of a block of this span may write. */
ACRE_INLINE size_t tlsf_usable(size_t span)
{
    return span * TLSF_QUARTER - TLSF_HEADER;
}

ACRE_INLINE struct acre_tlsf_block *tlsf_after(const struct acre_tlsf_block *block, size_t span)
{
    return (void *)((uintptr_t)block + span * TLSF_QUARTER);
}

ACRE_INLINE struct acre_tlsf_block *tlsf_before(const struct acre_tlsf_block *block, size_t span)
{
    return (void *)((uintptr_t)block - span * TLSF_QUARTER);
}

ACRE_INLINE size_t tlsf_span_between(const void *low, const void *high)
{
    return ((uintptr_t)high - (uintptr_t)low) / TLSF_QUARTER;
}

/* Writes the header and the size of a free block; the block before it is live, and `next` is the
 * block after it. */
ACRE_INLINE void tlsf_set_free(
    struct acre_tlsf_block *block, size_t span, struct acre_tlsf_block *next)
{
    ACRE_ASSERT(span >= TLSF_MIN_SPAN && span % 4 == 0); /* TLSF-2 */
    ACRE_ASSERT(next == tlsf_after(block, span));        /* TLSF-2 */
    *tlsf_header(block) = (acre_tlsf_field)(span + TLSF_FREE);
    *tlsf_size_before(next) = (acre_tlsf_field)span;
}

ACRE_INLINE void tlsf_set_prev_free(struct acre_tlsf_block *block)
{
    ACRE_ASSERT(TLSF_HARDEN || !tlsf_is_free(block)); /* TLSF-3 */
    *tlsf_header(block) |= TLSF_PREV_FREE;
}

ACRE_INLINE void tlsf_clear_prev_free(struct acre_tlsf_block *block)
{
    ACRE_ASSERT(TLSF_HARDEN || !tlsf_is_free(block)); /* TLSF-3 */
    *tlsf_header(block) &= (acre_tlsf_field) ~(acre_tlsf_field)TLSF_PREV_FREE;
}

/* Writes the header of a free block that becomes live undivided. */
ACRE_INLINE void tlsf_set_live_whole(struct acre_tlsf_block *block, size_t span)
{
    ACRE_ASSERT(TLSF_HARDEN || *tlsf_header(block) == (span | TLSF_FREE)); /* TLSF-6 */
    *tlsf_header(block) = (acre_tlsf_field)span;
    tlsf_clear_prev_free(tlsf_after(block, span));
}

/* First aligned address in a free block that is the block's start or leaves space for a block
 * before it. */
ACRE_INLINE struct acre_tlsf_block *tlsf_aligned_in(
    const struct acre_tlsf_block *block, size_t align)
{
    uintptr_t at = acre_align_up((uintptr_t)block, TLSF_ALIGNED ? align : 1);
    size_t gap = at - (uintptr_t)block;
    if (gap != 0 && gap < ACRE_TLSF_MIN_GRANULES * ACRE_TLSF_GRANULE)
        at += align;
    return (void *)at;
}

/* Granules that a request takes, header included; 0 when no block is that large. */
ACRE_INLINE size_t tlsf_granules(size_t size)
{
    size_t over = size < TLSF_SIZE_BIAS ? 0 : (size - TLSF_SIZE_BIAS) >> ACRE_TLSF_GRANULE_LOG2;
    return over > TLSF_MAX_GRANULES - ACRE_TLSF_MIN_GRANULES ? 0 : over + ACRE_TLSF_MIN_GRANULES;
}

/* ---- bits ---- */

ACRE_INLINE size_t tlsf_bit(size_t index)
{
    return (size_t)1 << (index % ACRE_TLSF_WORD_BITS);
}

/* ~tlsf_bit(index), written as the rotation that compilers turn into one instruction. */
ACRE_INLINE size_t tlsf_all_but(size_t index)
{
    size_t ones = ~(size_t)1;
    return ones << (index % ACRE_TLSF_WORD_BITS) | ones >> (-index % ACRE_TLSF_WORD_BITS);
}

ACRE_INLINE bool tlsf_test(const size_t *map, size_t index)
{
    return (map[index >> TLSF_WORD_LOG2] & tlsf_bit(index)) != 0;
}

/* ---- live blocks ---- */

/* Number of the granule at `ptr`, counted from `base`. A pointer below base or off the granule
 * gives a number past any region's end, for the low bits become the highest. */
ACRE_INLINE size_t tlsf_offset(uintptr_t base, const void *ptr)
{
    uintptr_t bytes = (uintptr_t)ptr - base;
    return bytes >> ACRE_TLSF_GRANULE_LOG2 | bytes
                                                 << (ACRE_TLSF_WORD_BITS - ACRE_TLSF_GRANULE_LOG2);
}

/* True when an alignment is not a power of two or above the granule; one test for both. */
ACRE_INLINE bool tlsf_is_odd_alignment(size_t align)
{
    return ((align - 1) & (align | ~(size_t)(ACRE_TLSF_GRANULE - 1))) != 0;
}

/* True when an alignment is not a power of two or `ptr` does not have it; one test for both. */
ACRE_INLINE bool tlsf_is_misaligned(const void *ptr, size_t align)
{
    return (((uintptr_t)ptr | align) & (align - 1)) != 0;
}

/* Bytes that a live block of a span has over a size, which wrap when it has fewer. */
ACRE_INLINE size_t tlsf_slack(size_t span, size_t size)
{
    return tlsf_usable(span) - size;
}

/* Whether a block lies in the cached region. */
ACRE_INLINE bool tlsf_is_cached(const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block)
{
    return !ACRE_CHECK_POINTERS || TLSF_ONE_REGION ||
           ((uintptr_t)block - tlsf->base) >> ACRE_TLSF_GRANULE_LOG2 < tlsf->granules;
}

/* Sets the live bit of a block in the cached region and counts the block, but not its bytes. */
ACRE_INLINE void tlsf_set_live(struct acre_tlsf *tlsf, struct acre_tlsf_block *block)
{
    if (ACRE_CHECK_POINTERS) {
        size_t offset = ((uintptr_t)block - tlsf->base) >> ACRE_TLSF_GRANULE_LOG2;
        ACRE_ASSERT(offset < tlsf->granules && !tlsf_test(tlsf->live_map, offset)); /* TLSF-5 */
        /* Each region has a map. NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
        tlsf->live_map[offset >> TLSF_WORD_LOG2] |= tlsf_bit(offset);
    }
    tlsf->live_blocks++;
}

/* Makes a block in the cached region live; false when this is a new peak, which is not written
 * yet. */
ACRE_INLINE bool tlsf_add_live(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    tlsf_set_live(tlsf, block);
    return (tlsf->headroom -= (ptrdiff_t)span) >= 0;
}

/* Counts the bytes of a block that was made live, and a new peak. */
ACRE_INLINE void tlsf_add_used(struct acre_tlsf *tlsf, size_t span)
{
    ptrdiff_t headroom = tlsf->headroom - (ptrdiff_t)span;
    if (ACRE_UNLIKELY(headroom < 0)) {
        tlsf->peak -= (size_t)headroom;
        headroom = 0;
    }
    tlsf->headroom = headroom;
}

/* Uncounts a block whose live bit has been cleared. */
ACRE_INLINE void tlsf_count_freed(struct acre_tlsf *tlsf, size_t span)
{
    ACRE_ASSERT(tlsf->live_blocks != 0); /* TLSF-8 */
    tlsf->live_blocks--;
    tlsf->headroom += (ptrdiff_t)span;
    ACRE_ASSERT((size_t)tlsf->headroom <= tlsf->peak); /* TLSF-8 */
}

/* Whether an address is that of a granule of the cached region, neither the first nor the last.
 * There is a cached region. */
ACRE_INLINE bool tlsf_is_inner(const struct acre_tlsf *tlsf, const void *at)
{
    ACRE_ASSERT(tlsf->granules > 2); /* TLSF-9 */
    return tlsf_offset(tlsf->base, at) - 1 < tlsf->granules - 2;
}

/* ---- regions ---- */

ACRE_INLINE struct acre_tlsf_region *tlsf_first_region(const struct acre_tlsf *tlsf)
{
    return (struct acre_tlsf_region *)tlsf->regions.first;
}

/* The region above; null: there is none. */
ACRE_INLINE struct acre_tlsf_region *tlsf_next_region(const struct acre_tlsf_region *region)
{
    return (struct acre_tlsf_region *)region->range.next;
}

/* The region below; null: there is none. */
ACRE_INLINE struct acre_tlsf_region *tlsf_prev_region(const struct acre_tlsf_region *region)
{
    return (struct acre_tlsf_region *)region->range.prev;
}

/* The highest region that starts at or below an address; null: none does. O(log regions), in a
 * small build O(regions). */
ACRE_INLINE struct acre_tlsf_region *tlsf_region_floor(const struct acre_tlsf *tlsf, uintptr_t at)
{
    return (struct acre_tlsf_region *)acre_regions_floor(&tlsf->regions, at);
}

/* The region that contains an address; null: none does. Time as tlsf_region_floor. */
ACRE_INLINE struct acre_tlsf_region *tlsf_region_at(const struct acre_tlsf *tlsf, uintptr_t at)
{
    return (struct acre_tlsf_region *)acre_regions_find(&tlsf->regions, at);
}

/* The region joined with this one and above it; null: there is none. */
ACRE_INLINE struct acre_tlsf_region *tlsf_joined_above(const struct acre_tlsf_region *region)
{
    struct acre_tlsf_region *above = tlsf_next_region(region);
    return above != NULL && above->joined ? above : NULL;
}

/* Bytes of the live map of a region of `size` bytes, wherever it starts. */
ACRE_INLINE size_t tlsf_map_bytes(size_t size)
{
    size_t words = (size / ACRE_TLSF_GRANULE + 1) / ACRE_TLSF_WORD_BITS + 1;
    return ACRE_CHECK_POINTERS ? words * sizeof(size_t) : 0;
}

/* Address of the sentinel of a region that is not joined with the next. A region that ends at the
 * top of the address space leaves its last granule unused: no block has the address 0. */
ACRE_INLINE struct acre_tlsf_block *tlsf_sentinel_of(const struct acre_tlsf_region *region)
{
    uintptr_t at = acre_align_down(region->range.start + region->range.size, ACRE_TLSF_GRANULE);
    return (void *)(at != 0 ? at : at - ACRE_TLSF_GRANULE);
}

/* ---- tlsf_map.c: the cached region, shared maps ---- */

/* The region that has a granule at `ptr`, or null. O(regions). */
struct acre_tlsf_region *acre_tlsf_region_of(const struct acre_tlsf *tlsf, const void *ptr);

/* Makes a region, and those that share its map, the cached region; null: none. */
ACRE_INLINE void tlsf_cache_region(struct acre_tlsf *tlsf, const struct acre_tlsf_region *region)
{
    tlsf->base = region != NULL ? region->shared_base : 0;
    tlsf->granules = region != NULL ? region->shared_granules : 0;
    tlsf->live_map = region != NULL ? region->shared_map : NULL;
}

/* The region that has a granule at `ptr`, or shares the map that does, and the number of the
 * granule in that map; null: none, or the short way through the index does not lead there. O(log
 * regions). */
ACRE_INLINE const struct acre_tlsf_region *tlsf_find_likely(
    const struct acre_tlsf *tlsf, const void *ptr, size_t *offset)
{
    const struct acre_region *found = acre_regions_find_likely(&tlsf->regions, (uintptr_t)ptr);
    const struct acre_tlsf_region *region = (const struct acre_tlsf_region *)found;
    if (ACRE_UNLIKELY(region == NULL))
        return NULL;
    *offset = tlsf_offset(region->shared_base, ptr);
    return ACRE_LIKELY(*offset < region->shared_granules) ? region : NULL;
}

/* The same by the table of regions alone. A region that it finds need not be cached. O(1). */
ACRE_INLINE const struct acre_tlsf_region *tlsf_find_in_table(
    const struct acre_tlsf *tlsf, const void *ptr, size_t *offset)
{
    const struct acre_region *found = acre_regions_in_table(&tlsf->regions, (uintptr_t)ptr);
    const struct acre_tlsf_region *region = (const struct acre_tlsf_region *)found;
    if (region == NULL)
        return NULL;
    *offset = tlsf_offset(region->shared_base, ptr);
    return ACRE_LIKELY(*offset < region->shared_granules) ? region : NULL;
}

/* The same by a search that finds every region. */
const struct acre_tlsf_region *acre_tlsf_find_granule(
    const struct acre_tlsf *tlsf, const void *ptr, size_t *offset);

/* tlsf_is_live outside the cached region. O(regions). */
bool acre_tlsf_is_live_uncached(const struct acre_tlsf *tlsf, const void *ptr);

/* The validator: is `ptr` the start of a live block? Reads nothing through it. O(1), or O(regions)
 * outside the cached region. */
ACRE_INLINE bool tlsf_is_live(const struct acre_tlsf *tlsf, const void *ptr)
{
    if (!ACRE_CHECK_POINTERS)
        return true;
    size_t offset = tlsf_offset(tlsf->base, ptr);
    if (ACRE_UNLIKELY(offset >= tlsf->granules))
        return !TLSF_ONE_REGION && acre_tlsf_is_live_uncached(tlsf, ptr);
    return tlsf_test(tlsf->live_map, offset);
}

/* Whether a header and links can be read at an address: they lie in a region. O(log regions). */
bool acre_tlsf_may_hold_block(const struct acre_tlsf *tlsf, const void *at);

/* Bytes of one live map for a region [start, start + size) to be added and all regions below it
 * that would share the map; 0 when the region below is too far away or the map takes more than
 * `most` bytes. O(regions). */
size_t acre_tlsf_shared_map_size(
    const struct acre_tlsf *tlsf, uintptr_t start, size_t size, size_t most);

/* Makes a region that has just been added, with `map_size` bytes for a map after its descriptor,
 * the owner of the map that it shares with the regions below. O(regions + map). */
void acre_tlsf_share_map(struct acre_tlsf *tlsf, struct acre_tlsf_region *region, size_t map_size);

/* Ends a region's share of a map; the regions above and below it keep one map each.
 * O(regions + map). */
void acre_tlsf_unshare_map(struct acre_tlsf_region *region);

/* ---- tlsf_validate.c ---- */

/* Whether a free block of a span starts at an address, and the links around it may be followed.
 * O(log regions). */
bool acre_tlsf_is_sound_free(
    const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block, size_t span);

/* Whether a block, whose live bit is set, has an undamaged header and undamaged neighbours, so that
 * it can be freed or resized. O(log regions + its granules / bits of a word). */
bool acre_tlsf_is_sound_live(const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block);

/* Before an alloc: validates what it may take from, and drops what is damaged. O(log regions), and
 * O(lists dropped). */
void acre_tlsf_validate_for(struct acre_tlsf *tlsf, struct acre_layout layout);

/* The same before an alloc that takes from a large list, in which case `own` is that of its size,
 * or from the first list from `list` on. Of a linear list only the links need validation, for its
 * number is the size of its blocks. */
void acre_tlsf_validate_lists(struct acre_tlsf *tlsf, size_t own, size_t list);

/* The same before an alloc that takes from the top block. */
void acre_tlsf_validate_top(struct acre_tlsf *tlsf);

/* Whether there is one region, so that nothing lies between two of its blocks that is not its. */
ACRE_INLINE bool tlsf_has_one_region(const struct acre_tlsf *tlsf)
{
    return TLSF_ONE_REGION || tlsf_next_region(tlsf_first_region(tlsf)) == NULL;
}

/* Whether a live block, at a granule of the cached region, has live neighbours only and an
 * undamaged header: the next live block starts where it ends. Where there are several regions,
 * that may be in another one. False leaves it open. O(its granules / bits of a word). */
ACRE_INLINE bool tlsf_is_between_live(
    const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block, size_t offset)
{
    size_t span = *tlsf_header(block);
    size_t end = offset + span / 4;
    size_t at = (offset + 1) >> TLSF_WORD_LOG2;
    if ((span & TLSF_FLAGS) != 0 || end >= tlsf->granules)
        return false;
    size_t bits = tlsf->live_map[at] & (SIZE_MAX << ((offset + 1) % ACRE_TLSF_WORD_BITS));
    while (bits == 0 && at < end >> TLSF_WORD_LOG2)
        bits = tlsf->live_map[++at];
    return bits != 0 && at * ACRE_TLSF_WORD_BITS + acre_bits_lowest(bits) == end &&
           (*tlsf_header(tlsf_after(block, span)) & TLSF_FLAGS) == 0;
}

/* The validator of all verbs that use a block's header. */
ACRE_INLINE bool tlsf_is_sound(const struct acre_tlsf *tlsf, const void *ptr)
{
    return tlsf_is_live(tlsf, ptr) && (!TLSF_HARDEN || acre_tlsf_is_sound_live(tlsf, ptr));
}

/* ---- tlsf_region.c ---- */

/* Whether a range can be added: ACRE_INVALID_PARAM when it is null, wraps or has less than `least`
 * bytes; ACRE_MEMORY_OVERLAP when it shares a byte with anything owned. O(regions). */
enum acre_status acre_tlsf_check_range(
    const struct acre_tlsf *tlsf, uintptr_t start, size_t size, size_t least);

/* Makes an allocator empty without touching its settings or the memory it owned. */
void acre_tlsf_clear(struct acre_tlsf *tlsf);

/* Bytes of the smallest region that can hold `metadata` bytes of its own metadata. */
size_t acre_tlsf_least_size(size_t metadata);

/* Whether a region starts at `start` and holds no live block. O(regions + blocks). */
bool acre_tlsf_is_region_idle(const struct acre_tlsf *tlsf, const void *start);

/* ---- tlsf_block.c ---- */

/* Ends every alloc: writes the header of `block`, which is in no list, and makes it live. `flags`
 * go into the header. */
struct acre_ptr acre_tlsf_finish_alloc(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span, acre_tlsf_field flags);

/* The same for a block whose header is written. */
struct acre_ptr acre_tlsf_mark_live(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span);

/* The same outside the cached region. O(regions). */
struct acre_ptr acre_tlsf_mark_live_uncached(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span);

/* Ends an alloc that has set a new peak. */
struct acre_ptr acre_tlsf_raise_peak(struct acre_tlsf *tlsf, void *block);

/* The free block to cut for a valid layout with an alignment above the granule: the first block of
 * the first list that fits the size, when the request fits into it at an aligned address; else one
 * so large that the request always fits, or the top block when it fits. Null when there is none. */
struct acre_tlsf_block *acre_tlsf_find_aligned(
    const struct acre_tlsf *tlsf, struct acre_layout layout);

/* Whether a free block with this start and span could serve a layout, a valid one. */
bool acre_tlsf_would_fit(
    const struct acre_tlsf_block *block, size_t whole, struct acre_layout layout);

/* Allocates from a free block that fits; what lies on both sides stays free. */
struct acre_ptr acre_tlsf_alloc_from(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, struct acre_layout layout);

/* Allocates `size` bytes at an address in a free block, which is its start or leaves space for a
 * block before it; the request fits there. */
struct acre_ptr acre_tlsf_alloc_at(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, struct acre_tlsf_block *at, size_t size);

/* Whether a request of this layout can have been given this live block. */
bool acre_tlsf_matches_layout(const struct acre_tlsf_block *block, struct acre_layout layout);

/* Gives a live block the span that `size` takes without moving it, growing into or enlarging the
 * free block after it; false when there is no space. */
bool acre_tlsf_resize_in_place(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t size);

/* ---- tlsf.c, tlsf_small.c ---- */

/* Frees a block whose live bit is cleared. */
enum acre_status acre_tlsf_free_block(struct acre_tlsf *tlsf, struct acre_tlsf_block *block);

#endif
