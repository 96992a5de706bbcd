/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claims about TLSF's arithmetic: from a request to granules, from granules to a list and back.
 */
#include "tlsf/tlsf_list.h"

#include "proof/claim.h"

static size_t usable_of(size_t granules)
{
    return tlsf_usable(4 * granules);
}

/* A request gets a block that holds it. */
CLAIM(granules_hold, size_t size)
{
    size_t granules = tlsf_granules(size);
    GIVEN(granules != 0);
    return granules >= ACRE_TLSF_MIN_GRANULES && granules <= TLSF_MAX_GRANULES &&
           usable_of(granules) >= size;
}

/* No smaller block would do. */
CLAIM(granules_least, size_t size)
{
    size_t granules = tlsf_granules(size);
    GIVEN(granules > ACRE_TLSF_MIN_GRANULES);
    return usable_of(granules - 1) < size;
}

/* A request is refused only when the largest block is too small for it. */
CLAIM(granules_refuse, size_t size)
{
    GIVEN(tlsf_granules(size) == 0);
    return size > usable_of(TLSF_MAX_GRANULES);
}

CLAIM(list_exists, size_t granules)
{
    GIVEN(granules >= ACRE_TLSF_MIN_GRANULES && granules <= TLSF_MAX_GRANULES);
    return tlsf_list(granules) < ACRE_TLSF_LISTS;
}

/* Larger blocks are in the same list or in a later one. */
CLAIM(list_ascends, size_t smaller, size_t larger)
{
    GIVEN(smaller >= ACRE_TLSF_MIN_GRANULES && smaller <= larger && larger <= TLSF_MAX_GRANULES);
    return tlsf_list(smaller) <= tlsf_list(larger);
}

/* A list of a linear size has blocks of that size only. */
CLAIM(list_linear, size_t granules, size_t other)
{
    GIVEN(granules >= ACRE_TLSF_MIN_GRANULES && granules < TLSF_LINEAR);
    GIVEN(other >= ACRE_TLSF_MIN_GRANULES && other <= TLSF_MAX_GRANULES);
    return (tlsf_list(granules) == tlsf_list(other)) == (granules == other) &&
           tlsf_linear_list(4 * granules) == tlsf_list(granules);
}

/* Every block of the list that a search starts from, and of those after it, is large enough. */
CLAIM(list_fits, size_t wanted, size_t granules)
{
    GIVEN(wanted > ACRE_TLSF_MIN_GRANULES && wanted <= TLSF_MAX_GRANULES);
    GIVEN(granules >= ACRE_TLSF_MIN_GRANULES && granules <= TLSF_MAX_GRANULES);
    GIVEN(tlsf_list(granules) >= tlsf_list_fitting(wanted));
    return granules >= wanted;
}

/* Nor is a list passed over whose blocks all fit: the first fitting one comes at most next to that
 * of a block one granule too small. */
CLAIM(list_fitting_is_next, size_t wanted)
{
    GIVEN(wanted > ACRE_TLSF_MIN_GRANULES && wanted <= TLSF_MAX_GRANULES);
    return tlsf_list_fitting(wanted) <= tlsf_list(wanted - 1) + 1;
}

/* A list above the linear ones wastes at most an eighth: its blocks differ by less than that. */
CLAIM(list_is_narrow, size_t granules, size_t other)
{
    GIVEN(granules >= TLSF_LINEAR && granules <= other && other <= TLSF_MAX_GRANULES);
    GIVEN(tlsf_list(granules) == tlsf_list(other));
    return other - granules <= granules >> ACRE_TLSF_STEPS_LOG2;
}

/* An address has a granule of a region if and only if it lies in there, on a granule. */
CLAIM(offset_is_exact, uintptr_t base, size_t granules, uintptr_t at)
{
    GIVEN(granules != 0 && granules <= SIZE_MAX / ACRE_TLSF_GRANULE);
    GIVEN(granules * ACRE_TLSF_GRANULE - 1 <= UINTPTR_MAX - base);
    uintptr_t bytes = at - base;
    bool is_inside = at >= base && bytes < granules * ACRE_TLSF_GRANULE;
    size_t offset = tlsf_offset(base, (const void *)at);
    if (!is_inside || bytes % ACRE_TLSF_GRANULE != 0)
        return offset >= granules;
    return offset < granules && offset == bytes / ACRE_TLSF_GRANULE;
}

CLAIM(all_but, size_t index)
{
    return tlsf_all_but(index) == ~tlsf_bit(index) &&
           tlsf_bit(index) == (size_t)1 << (index % ACRE_TLSF_WORD_BITS);
}

CLAIM(odd_alignment, size_t align)
{
    GIVEN(align != 0);
    return tlsf_is_odd_alignment(align) == !(acre_is_pow2(align) && align <= ACRE_TLSF_GRANULE);
}

/* A live map has a bit for each granule of which a region can have a part, wherever it starts. */
CLAIM(map_is_large_enough, size_t size)
{
    return tlsf_map_bytes(size) / sizeof(size_t) * ACRE_TLSF_WORD_BITS >
           size / ACRE_TLSF_GRANULE + 1;
}

/* The sentinel lies on a granule, and its header inside the region. */
CLAIM(sentinel_is_inside, uintptr_t start, size_t size)
{
    struct acre_tlsf_region region = { .range = { .start = start, .size = size } };
    GIVEN(size >= 4 * ACRE_TLSF_GRANULE && size - 1 <= UINTPTR_MAX - start);
    uintptr_t at = (uintptr_t)tlsf_sentinel_of(&region);
    return at % ACRE_TLSF_GRANULE == 0 && at - 1 - start < size && at - start >= TLSF_HEADER;
}

/* Spans add up: the block after the block after is as far as both spans. */
CLAIM(after_and_before, uintptr_t at, size_t span)
{
    GIVEN(span <= SIZE_MAX / TLSF_QUARTER);
    const struct acre_tlsf_block *block = (const void *)at;
    uintptr_t next = (uintptr_t)tlsf_after(block, span);
    return (uintptr_t)tlsf_before((const void *)next, span) == at &&
           tlsf_span_between(block, (const void *)next) == span;
}
