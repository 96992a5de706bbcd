/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The lists of tlsf_small.c: those of the structure in a build with a largest pool, those of a
 * compact structure in others.
 *
 * A compact structure ends in the heads of its lists, which stand where a whole one has bits of
 * large lists. All that fast paths read of it is zero: no list above has a block, there is no top
 * block, no request is within `granule_limit`, and no region is cached, since shared_granules is 0
 * in its regions. So fast paths need no test for it. They end where no block or no region is found,
 * and that is where the functions of tlsf_small.c are called, through a table which leaves them out
 * of programs that do not call acre_tlsf_create.
 *
 * Its lists: one per size up to 7 granules, 4 per power of two above, and one for all sizes from
 * the largest power of two on that a region can hold; at most one block of a region is that large.
 */
#ifndef ACRE_SRC_TLSF_TLSF_SMALL_H
#define ACRE_SRC_TLSF_TLSF_SMALL_H

#include "tlsf/tlsf_list.h"

enum { SMALL_NO_LIST = ACRE_TLSF_LISTS };

#if ACRE_MAX_POOL == 0

enum {
    COMPACT_ZEROS = ACRE_TLSF_LINEAR_LISTS / ACRE_TLSF_WORD_BITS, /* words that alloc reads */
    COMPACT_WORDS = ACRE_TLSF_COMPACT_LISTS / ACRE_TLSF_WORD_BITS
};

_Static_assert(COMPACT_WORDS <= 2, "the search sees every word");
_Static_assert(sizeof(struct acre_tlsf_block *) == sizeof(size_t), "heads stand in place of bits");

/* The number of a list among all, whatever the largest region is. */
ACRE_INLINE size_t tlsf_compact_list(size_t span)
{
    enum { STEPS_LOG2 = 2 };
    size_t granules = span / 4;
    if (granules < 4)
        return granules - ACRE_TLSF_MIN_GRANULES;
    unsigned octave = acre_bits_highest(granules) - STEPS_LOG2;
    return ((size_t)octave << STEPS_LOG2) + (granules >> octave) - ACRE_TLSF_MIN_GRANULES;
}

/* Number of lists of a structure for regions of up to `largest` bytes. A region that holds its own
 * metadata has at least a descriptor less for blocks. */
ACRE_INLINE size_t tlsf_compact_lists(size_t largest)
{
    size_t bytes = largest - sizeof(struct acre_tlsf_region);
    size_t granules = bytes < largest ? bytes / ACRE_TLSF_GRANULE : 0;
    if (granules < ACRE_TLSF_MIN_GRANULES)
        return 1;
    return tlsf_compact_list((size_t)4 << acre_bits_highest(granules)) + 1;
}

/* Bytes of a structure with so many lists. */
ACRE_INLINE size_t tlsf_compact_size(size_t lists)
{
    return offsetof(struct acre_tlsf, nonempty) + (COMPACT_ZEROS + lists) * sizeof(size_t);
}

/* Bytes of a structure for regions of up to `largest` bytes. */
ACRE_INLINE size_t tlsf_structure_size(size_t largest)
{
    enum { LEAST = 32 }; /* structures in a range from which on they are whole */
    if (!TLSF_COMPACT || largest >= LEAST * sizeof(struct acre_tlsf))
        return sizeof(struct acre_tlsf);
    return tlsf_compact_size(tlsf_compact_lists(largest));
}

/* Bytes of the largest region that a structure takes. */
ACRE_INLINE size_t tlsf_largest_region(const struct acre_tlsf *tlsf)
{
    return tlsf_is_compact(tlsf) ? tlsf->compact.largest : SIZE_MAX;
}

/* Makes a zeroed structure one for regions of up to `largest` bytes. */
ACRE_INLINE void tlsf_shape(struct acre_tlsf *tlsf, size_t largest)
{
    if (tlsf_structure_size(largest) != sizeof(*tlsf))
        acre_tlsf_make_compact(tlsf, largest);
}

/* Bytes of a structure. */
ACRE_INLINE size_t tlsf_own_size(const struct acre_tlsf *tlsf)
{
    return tlsf_is_compact(tlsf) ? tlsf_compact_size(tlsf->compact.lists) : sizeof(*tlsf);
}

ACRE_INLINE struct acre_tlsf_block **small_head(const struct acre_tlsf *tlsf, size_t list)
{
    uintptr_t heads = (uintptr_t)tlsf + tlsf_compact_size(0);
    return (struct acre_tlsf_block **)heads + list;
}

ACRE_INLINE size_t small_list_of(const struct acre_tlsf *tlsf, size_t span)
{
    size_t list = tlsf_compact_list(span);
    return list < tlsf->compact.lists ? list : tlsf->compact.lists - 1;
}

ACRE_INLINE struct acre_tlsf_block *small_first(const struct acre_tlsf *tlsf, size_t list)
{
    return *small_head(tlsf, list);
}

ACRE_INLINE void small_set_first(struct acre_tlsf *tlsf, size_t list, struct acre_tlsf_block *block)
{
    *small_head(tlsf, list) = block;
}

/* The first block of a list that has one, or gets one. */
ACRE_INLINE struct acre_tlsf_block *small_known_first(const struct acre_tlsf *tlsf, size_t list)
{
    return *small_head(tlsf, list);
}

ACRE_INLINE void small_set_block_first(
    struct acre_tlsf *tlsf, size_t list, struct acre_tlsf_block *block)
{
    *small_head(tlsf, list) = block;
}

ACRE_INLINE bool small_has(const struct acre_tlsf *tlsf, size_t list)
{
    return *small_head(tlsf, list) != NULL;
}

ACRE_INLINE bool small_is_first(
    const struct acre_tlsf *tlsf, size_t list, const struct acre_tlsf_block *block)
{
    return *small_head(tlsf, list) == block;
}

ACRE_INLINE size_t *small_bits(struct acre_tlsf *tlsf, size_t list)
{
    return &tlsf->compact.nonempty[list >> TLSF_WORD_LOG2];
}

/* The first list from `list` on that has a block; SMALL_NO_LIST: none has. */
ACRE_INLINE size_t small_find_list(const struct acre_tlsf *tlsf, size_t list)
{
    const size_t *nonempty = tlsf->compact.nonempty;
    ACRE_ASSERT(list < ACRE_TLSF_COMPACT_LISTS); /* the last list has no number that high */
    size_t at = list >> TLSF_WORD_LOG2;
    size_t found = nonempty[at] >> (list % ACRE_TLSF_WORD_BITS);
    if (found != 0)
        return list + acre_bits_lowest(found);
    /* NOT-COVERED-BEGIN: a second word is there where words have 32 bits */
    found = at + 1 < COMPACT_WORDS ? nonempty[COMPACT_WORDS - 1] : 0;
    return found != 0 ? ACRE_TLSF_WORD_BITS + acre_bits_lowest(found) : (size_t)SMALL_NO_LIST;
    /* NOT-COVERED-END */
}

/* The last list that has a block; SMALL_NO_LIST: none has. */
ACRE_INLINE size_t small_last_list(const struct acre_tlsf *tlsf)
{
    size_t at = COMPACT_WORDS;
    while (at != 0 && tlsf->compact.nonempty[at - 1] == 0)
        at--;
    return at == 0
               ? (size_t)SMALL_NO_LIST
               : (at - 1) * ACRE_TLSF_WORD_BITS + acre_bits_highest(tlsf->compact.nonempty[at - 1]);
}

/* Whether the fields are those of a compact structure, and its head says that all else is empty. */
ACRE_INLINE bool tlsf_compact_is_sane(const struct acre_tlsf *tlsf)
{
    size_t set = tlsf->summary | (uintptr_t)tlsf->top | tlsf->granule_limit;
    for (size_t at = 0; at < COMPACT_ZEROS; at++)
        set |= tlsf->nonempty[at];
    return set == 0 && tlsf->compact.lists == tlsf_compact_lists(tlsf->compact.largest) &&
           tlsf->compact.lists <= ACRE_TLSF_COMPACT_LISTS;
}

/* What a request of its size gets. */
ACRE_INLINE size_t tlsf_compact_largest_free(const struct acre_tlsf *tlsf)
{
    size_t list = small_last_list(tlsf);
    return list != SMALL_NO_LIST ? tlsf_usable(tlsf_span(small_first(tlsf, list))) : 0;
}

#else

/* NOT-COVERED-BEGIN: a small build has no compact structure, and its calls are left out */
ACRE_INLINE size_t tlsf_compact_largest_free(const struct acre_tlsf *tlsf)
{
    (void)tlsf;
    return 0;
}
/* NOT-COVERED-END */

ACRE_INLINE size_t tlsf_structure_size(size_t largest)
{
    (void)largest;
    return sizeof(struct acre_tlsf);
}

ACRE_INLINE size_t tlsf_largest_region(const struct acre_tlsf *tlsf)
{
    (void)tlsf;
    return SIZE_MAX; /* acre_regions_admit() knows ACRE_MAX_POOL */
}

ACRE_INLINE void tlsf_shape(struct acre_tlsf *tlsf, size_t largest)
{
    (void)tlsf;
    (void)largest;
}

ACRE_INLINE size_t tlsf_own_size(const struct acre_tlsf *tlsf)
{
    return sizeof(*tlsf);
}

ACRE_INLINE size_t small_list_of(const struct acre_tlsf *tlsf, size_t span)
{
    (void)tlsf;
    return tlsf_list(span / 4);
}

ACRE_INLINE struct acre_tlsf_block *small_first(const struct acre_tlsf *tlsf, size_t list)
{
    return tlsf_first(tlsf, list);
}

ACRE_INLINE void small_set_first(struct acre_tlsf *tlsf, size_t list, struct acre_tlsf_block *block)
{
    tlsf_set_first(tlsf, list, block);
}

ACRE_INLINE bool small_is_first(
    const struct acre_tlsf *tlsf, size_t list, struct acre_tlsf_block *block)
{
    return tlsf->first[list] == tlsf_to_head_of_block(tlsf, block);
}

ACRE_INLINE struct acre_tlsf_block *small_known_first(const struct acre_tlsf *tlsf, size_t list)
{
    return tlsf_from_head_of_block(tlsf, tlsf->first[list]);
}

ACRE_INLINE bool small_has(const struct acre_tlsf *tlsf, size_t list)
{
    return tlsf->first[list] != 0;
}

ACRE_INLINE void small_set_block_first(
    struct acre_tlsf *tlsf, size_t list, struct acre_tlsf_block *block)
{
    tlsf->first[list] = tlsf_to_head_of_block(tlsf, block);
}

ACRE_INLINE size_t *small_bits(struct acre_tlsf *tlsf, size_t list)
{
    return &tlsf->nonempty[list >> TLSF_WORD_LOG2];
}

ACRE_INLINE size_t small_find_list(const struct acre_tlsf *tlsf, size_t list)
{
    return tlsf_find_list(tlsf, list);
}

#endif

/* The list of a span in any structure. */
ACRE_INLINE size_t tlsf_list_in(const struct acre_tlsf *tlsf, size_t span)
{
    return TLSF_SMALL || tlsf_is_compact(tlsf) ? small_list_of(tlsf, span) : tlsf_list(span / 4);
}

#endif
