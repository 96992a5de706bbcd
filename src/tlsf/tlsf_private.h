/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's layout and invariants, for the files of this folder and its white-box tests.
 *
 * A block is named by the address it hands out, a multiple of the granule. Its header stands just
 * before that address, and the block ends where the next block's header begins:
 *
 *              block                                  next block
 *              v                                      v
 *   | header | user's bytes ............... | header | ...
 *   | header | next | prev | ...... | size  | header | ...       when free
 *
 *   header: span | PREV_FREE | FREE         size: the free block's span again, found from behind
 *
 * A span is a length in quarter granules, always a multiple of four, which leaves two bits to
 * flags. A live block's last bytes are its own: only the flag in the next header tells that there
 * is a size to be found. The smallest block, two granules, holds links and size.
 *
 * A region is cut, from its start, into descriptor and live map (unless they are given apart), then
 * a chain of blocks that ends in a terminal: a header of span 0 with no block behind it. A region
 * beyond the largest block is cut into several chains, each one granule behind the terminal before.
 * Where a region joins the one below it, that one's terminal has become part of a block.
 *
 * Regions that adjoin may share a window: their live maps are parts of one map, which stands in the
 * topmost of them. It is what is kept of the region last worked in, so that all of them are at
 * hand at once. The map that each of the others was given is left for the day on which those above
 * it are gone.
 *
 * Free blocks of 2 to 257 granules have a list for each size, larger ones 8 lists for each power
 * of two. A block that is freed goes to the front of its list. What was cut off or merged goes to
 * the front or the back of a list of one size, to keep it near to the order of addresses.
 *
 * Invariants; the checker names them, cost in brackets (n blocks, r regions, m granules):
 *   TLSF-1  regions are in order of address and share no byte; bounds and windows are sane [r * r]
 *   TLSF-2  from a chain's first block, spans lead exactly to the chain's terminal [n]
 *   TLSF-3  no two neighbours are both free [n]
 *   TLSF-4  PREV_FREE is set just when the block before is free; its size then equals its span [n]
 *   TLSF-5  the live bit of a granule is set just when a live block starts there [n + m / word]
 *   TLSF-6  each free block is in the list of its span, once, and links agree both ways [n]
 *   TLSF-7  a list's bit is set just when it has a block; a summary bit, when its word is not 0 [1]
 *   TLSF-8  counts of live blocks, used and capacity are those of the chains; total, of regions [n]
 *   TLSF-9  the region last worked in is one of the regions, or none [r]
 */
#ifndef ACRE_SRC_TLSF_TLSF_PRIVATE_H
#define ACRE_SRC_TLSF_TLSF_PRIVATE_H

#include <acre/tlsf.h>

#include "base/arith.h"

struct acre_tlsf_block {
    struct acre_tlsf_block *next; /* null: the last of its list */
    struct acre_tlsf_block *prev; /* without meaning in the first of a list */
};

struct acre_tlsf_region {
    struct acre_tlsf_region *next; /* by address */
    uintptr_t start;               /* as given */
    size_t size;
    uintptr_t meta; /* as given; 0 when in band */
    size_t meta_size;
    uintptr_t base; /* address of the granule that bit 0 of the live map stands for */
    size_t granules;
    size_t *live_map;
    size_t map_size;               /* bytes behind the descriptor that are there for a map */
    uintptr_t window_base;         /* base of the lowest region in the window */
    size_t window;                 /* granules of all of them, */
    size_t *window_map;            /* and their map */
    struct acre_tlsf_block *first; /* of the chain; unless joined */
    struct acre_tlsf_block *last; /* terminal of the last chain; unless the next region is joined */
    bool joined;                  /* with the region before it in the list */
};

enum {
    TLSF_FREE = 1,
    TLSF_PREV_FREE = 2,
    TLSF_FLAGS = 3,
    TLSF_HEADER = sizeof(acre_tlsf_field),
    TLSF_QUARTER = ACRE_TLSF_GRANULE / 4, /* bytes */
    TLSF_MIN_SPAN = 4 * ACRE_TLSF_MIN_GRANULES,
    /* Granules below which every size has a list of its own. */
    TLSF_LINEAR = ACRE_TLSF_LINEAR_LISTS + ACRE_TLSF_MIN_GRANULES,
    TLSF_GAP = 4 * ACRE_TLSF_GRANULE, /* bytes between regions in a window; no region fits there */
    TLSF_WORD_LOG2 = ACRE_TLSF_WORD_BITS == 64 ? 6 : 5,
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

/* Where the block before leaves its span while it is free. */
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

/* Writes both ends of a free block, whose neighbour before is live; `next` is the block behind. */
ACRE_INLINE void tlsf_set_free(
    struct acre_tlsf_block *block, size_t span, struct acre_tlsf_block *next)
{
    *tlsf_header(block) = (acre_tlsf_field)(span | TLSF_FREE);
    *tlsf_size_before(next) = (acre_tlsf_field)span;
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

/* ~tlsf_bit(index), written as the rotation that compilers make one instruction of. */
ACRE_INLINE size_t tlsf_all_but(size_t index)
{
    size_t ones = ~(size_t)1;
    return ones << (index % ACRE_TLSF_WORD_BITS) | ones >> (-index % ACRE_TLSF_WORD_BITS);
}

ACRE_INLINE bool tlsf_test(const size_t *map, size_t index)
{
    return (map[index >> TLSF_WORD_LOG2] & tlsf_bit(index)) != 0;
}

/* ---- lists ---- */

/* The list that a free block of so many granules belongs in. */
ACRE_INLINE size_t tlsf_list(size_t granules)
{
    if (ACRE_LIKELY(granules < TLSF_LINEAR))
        return granules - ACRE_TLSF_MIN_GRANULES;
    unsigned shift = acre_bits_highest(granules) - ACRE_TLSF_STEPS_LOG2;
    unsigned octave = shift - (ACRE_TLSF_LINEAR_LOG2 - ACRE_TLSF_STEPS_LOG2);
    return ACRE_TLSF_LINEAR_LISTS - (1 << ACRE_TLSF_STEPS_LOG2) +
           ((size_t)octave << ACRE_TLSF_STEPS_LOG2) + (granules >> shift);
}

/* The first list whose every block has at least so many granules; it may be past the last list. */
ACRE_INLINE size_t tlsf_list_fitting(size_t granules)
{
    return tlsf_list(granules - 1) + 1;
}

ACRE_INLINE void tlsf_mark(struct acre_tlsf *tlsf, size_t list)
{
    tlsf->nonempty[list >> TLSF_WORD_LOG2] |= tlsf_bit(list);
    tlsf->summary |= tlsf_bit(list >> TLSF_WORD_LOG2);
}

ACRE_INLINE void tlsf_unmark(struct acre_tlsf *tlsf, size_t list)
{
    if (ACRE_UNLIKELY((tlsf->nonempty[list >> TLSF_WORD_LOG2] &= tlsf_all_but(list)) == 0))
        tlsf->summary &= tlsf_all_but(list >> TLSF_WORD_LOG2);
}

/* The number of the list, and the place that names its first block, for a span below
 * 4 * TLSF_LINEAR. */
ACRE_INLINE size_t tlsf_linear_list(size_t span)
{
    return (span - TLSF_MIN_SPAN) / 4;
}

ACRE_INLINE struct acre_tlsf_block **tlsf_first_of(struct acre_tlsf *tlsf, size_t span)
{
    uintptr_t at = (uintptr_t)tlsf->first + (span - TLSF_MIN_SPAN) * (sizeof(tlsf->first[0]) / 4);
    return (void *)at;
}

/* First list from `list` on that has a block; ACRE_TLSF_LISTS when there is none. */
ACRE_INLINE size_t tlsf_find(const struct acre_tlsf *tlsf, size_t list)
{
    if (ACRE_UNLIKELY(list >= ACRE_TLSF_LISTS))
        return ACRE_TLSF_LISTS;
    size_t at = list >> TLSF_WORD_LOG2;
    size_t found = tlsf->nonempty[at] >> (list % ACRE_TLSF_WORD_BITS);
    if (found != 0)
        return list + acre_bits_lowest(found);
    size_t later = tlsf->summary & ((~(size_t)1) << at);
    if (later == 0)
        return ACRE_TLSF_LISTS;
    at = acre_bits_lowest(later);
    return at * ACRE_TLSF_WORD_BITS + acre_bits_lowest(tlsf->nonempty[at]);
}

/* Takes a list's first block out of it. */
ACRE_INLINE void tlsf_pop(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t list)
{
    struct acre_tlsf_block *next = block->next;
    tlsf->first[list] = next;
    if (ACRE_UNLIKELY(next == NULL))
        tlsf_unmark(tlsf, list);
}

/* Puts a block in the place of the first of a list. */
ACRE_INLINE void tlsf_replace_first(struct acre_tlsf *tlsf, const struct acre_tlsf_block *old,
    struct acre_tlsf_block *block, size_t list)
{
    struct acre_tlsf_block *next = old->next;
    block->next = next;
    tlsf->first[list] = block;
    if (next != NULL)
        next->prev = block;
}

/* Takes any block out of its list. Only blocks that are not first in it have a valid `prev`. */
ACRE_INLINE void tlsf_unlink_from(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t list)
{
    struct acre_tlsf_block *next = block->next;
    if (tlsf->first[list] == block) {
        tlsf->first[list] = next;
        if (next == NULL)
            tlsf_unmark(tlsf, list);
        return;
    }
    struct acre_tlsf_block *prev = block->prev;
    prev->next = next;
    if (next != NULL)
        next->prev = prev;
    else if (list < ACRE_TLSF_LINEAR_LISTS)
        tlsf->last[list] = prev;
}

ACRE_INLINE void tlsf_unlink(struct acre_tlsf *tlsf, struct acre_tlsf_block *block)
{
    tlsf_unlink_from(tlsf, block, tlsf_list(tlsf_span(block) / 4));
}

/* Puts a block at the front of its list. */
ACRE_INLINE void tlsf_push(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t list)
{
    struct acre_tlsf_block *next = tlsf->first[list];
    block->next = next;
    tlsf->first[list] = block;
    if (next != NULL)
        next->prev = block;
    else
        tlsf_mark(tlsf, list);
}

/* Puts a block that was cut off or merged into its list, a linear one: at the front when it lies
 * below the first block there, else at the back. */
ACRE_INLINE void tlsf_place(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t list)
{
    struct acre_tlsf_block *first = tlsf->first[list];
    struct acre_tlsf_block *last = tlsf->last[list];
    if (first == NULL || block < first) {
        tlsf_push(tlsf, block, list);
        tlsf->last[list] = first == NULL ? block : last;
        return;
    }
    block->next = NULL;
    block->prev = last;
    last->next = block;
    tlsf->last[list] = block;
}

/* Puts any free block into its list. O(1). */
void acre_tlsf_place(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span);

/* ---- live blocks ---- */

/* Number of the granule at `ptr`, counted from `base`. A pointer below base or off the granule
 * gives a number past any region's end, for the low bits become the highest. */
ACRE_INLINE size_t tlsf_offset(uintptr_t base, const void *ptr)
{
    uintptr_t bytes = (uintptr_t)ptr - base;
    return bytes >> ACRE_TLSF_GRANULE_LOG2 | bytes
                                                 << (ACRE_TLSF_WORD_BITS - ACRE_TLSF_GRANULE_LOG2);
}

/* Whether an alignment is none, or above the granule. One test for "not a power of two" and that.
 */
ACRE_INLINE bool tlsf_is_odd_alignment(size_t align)
{
    return ((align - 1) & (align | ~(size_t)(ACRE_TLSF_GRANULE - 1))) != 0;
}

/* Whether a block lies in the region last worked in. */
ACRE_INLINE bool tlsf_is_at_hand(const struct acre_tlsf *tlsf, const struct acre_tlsf_block *block)
{
    return !ACRE_CHECK_POINTERS ||
           ((uintptr_t)block - tlsf->base) >> ACRE_TLSF_GRANULE_LOG2 < tlsf->granules;
}

/* Makes a block live that is at hand; false when this is a new peak. */
ACRE_INLINE bool tlsf_make_live(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span)
{
    if (ACRE_CHECK_POINTERS) {
        size_t offset = ((uintptr_t)block - tlsf->base) >> ACRE_TLSF_GRANULE_LOG2;
        tlsf->live_map[offset >> TLSF_WORD_LOG2] |= tlsf_bit(offset);
    }
    tlsf->live_blocks++;
    return (tlsf->room -= (ptrdiff_t)span) >= 0;
}

/* Takes a block that has no live bit any more out of the accounts. */
ACRE_INLINE void tlsf_make_dead(struct acre_tlsf *tlsf, size_t span)
{
    tlsf->live_blocks--;
    tlsf->room += (ptrdiff_t)span;
}

/* The region that has a granule at `ptr`, or null. O(regions). */
struct acre_tlsf_region *acre_tlsf_region_of(const struct acre_tlsf *tlsf, const void *ptr);

/* The region whose `first` begins the chain that runs through `region`. O(regions). */
struct acre_tlsf_region *acre_tlsf_chain_of(
    const struct acre_tlsf *tlsf, const struct acre_tlsf_region *region);

/* The validator: is `ptr` the start of a live block? Reads nothing through it. O(1), or O(regions)
 * outside the region last worked in. */
bool acre_tlsf_is_live(const struct acre_tlsf *tlsf, const void *ptr);

/* Bytes of the live map of a region of so many bytes, wherever it starts. */
ACRE_INLINE size_t tlsf_map_bytes(size_t size)
{
    size_t words = (size / ACRE_TLSF_GRANULE + 1) / ACRE_TLSF_WORD_BITS + 1;
    return ACRE_CHECK_POINTERS ? words * sizeof(size_t) : 0;
}

/* Makes a region with room for a map of so many bytes part of the window below it, where it can be.
 * O(regions + window / 128). */
void acre_tlsf_enter_window(
    struct acre_tlsf *tlsf, struct acre_tlsf_region *region, size_t map_room);

/* Takes a region out of its window, if it shares one. O(regions + window / 128). */
void acre_tlsf_leave_window(struct acre_tlsf *tlsf, struct acre_tlsf_region *region);

/* Whether a range can be added: null or wrapping or below `least` bytes it is invalid; it may touch
 * nothing owned. */
enum acre_status acre_tlsf_offer(
    const struct acre_tlsf *tlsf, uintptr_t start, size_t size, size_t least);

/* Bytes of the least region whose metadata, in it, takes so many. */
size_t acre_tlsf_least_size(size_t metadata);

/* Adds a range that was found fit, with room for a map of `map_size` bytes at its start. Returns
 * its region. */
struct acre_tlsf_region *acre_tlsf_add(
    struct acre_tlsf *tlsf, uintptr_t start, size_t size, size_t map_size);

/* Makes a region the one last worked in; null: none. */
void acre_tlsf_look_at(struct acre_tlsf *tlsf, const struct acre_tlsf_region *region);

/* Ends every alloc: `block`, in no list, becomes live. `flags` are those of its header. */
struct acre_ptr acre_tlsf_hand_out(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span, acre_tlsf_field flags);

/* The same for a block whose header is written. */
struct acre_ptr acre_tlsf_wake(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t span);

/* Ends an alloc that has set a new peak. */
struct acre_ptr acre_tlsf_raise_peak(struct acre_tlsf *tlsf, void *block);

/* Frees a block whose live bit is cleared. */
enum acre_status acre_tlsf_release(struct acre_tlsf *tlsf, struct acre_tlsf_block *block);

/* Whether a free block with this start and span would have room for a layout, a valid one. */
bool acre_tlsf_would_fit(
    const struct acre_tlsf_block *block, size_t whole, struct acre_layout layout);

/* Takes a free block that has that room out of its list and hands out a part of it, giving back
 * what lies on both sides. */
struct acre_ptr acre_tlsf_cut(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, struct acre_layout layout);

/* Could a block live with this layout be this one? */
bool acre_tlsf_made_by(const struct acre_tlsf_block *block, struct acre_layout layout);

/* Gives a live block the span wanted where it stands, at the cost or to the good of the free block
 * behind it; false when there is no room. */
bool acre_tlsf_resize_here(struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t size);

/* Whether the region that starts there is one, and nothing in it is live. O(regions + blocks). */
bool acre_tlsf_is_idle(const struct acre_tlsf *tlsf, const void *start);

/* Ends an alloc for which there is no block. */
struct acre_ptr acre_tlsf_refuse(struct acre_tlsf *tlsf, struct acre_layout layout);

/* The slow part of alloc, for alignments above the granule or not valid. */
struct acre_ptr acre_tlsf_alloc_aligned(struct acre_tlsf *tlsf, struct acre_layout layout);

/* Cuts a block, in no list, down to `span`; what is left becomes free, or stays when it is no
 * block's worth. The block behind is not free. Returns the span it has then. O(1). */
size_t acre_tlsf_trim(
    struct acre_tlsf *tlsf, struct acre_tlsf_block *block, size_t whole, size_t span);

#endif
