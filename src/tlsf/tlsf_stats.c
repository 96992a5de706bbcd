/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's statistics and walk.
 */
#include "tlsf/tlsf_list.h"

/* The first block of the highest list is what a request of its size gets, also where that list has
 * blocks of several sizes. */
static size_t tlsf_largest_free(const struct acre_tlsf *tlsf)
{
    if (tlsf->summary == 0)
        return 0;
    size_t at = acre_bits_highest(tlsf->summary);
    size_t list = at * ACRE_TLSF_WORD_BITS + acre_bits_highest(tlsf->nonempty[at]);
    return tlsf_usable(tlsf_span(tlsf->first[list]));
}

struct acre_stats acre_tlsf_stats(const struct acre_tlsf *tlsf)
{
    size_t used = tlsf->peak - (size_t)tlsf->headroom;
    return (struct acre_stats){
        .total = tlsf->regions.total,
        .metadata = tlsf->regions.total - tlsf->capacity * TLSF_QUARTER,
        .used = used * TLSF_QUARTER,
        .available = (tlsf->capacity - used) * TLSF_QUARTER,
        .peak = tlsf->peak * TLSF_QUARTER,
        .largest_free = tlsf_largest_free(tlsf),
        .live_blocks = tlsf->live_blocks,
        .failed = tlsf->failed,
    };
}

/* Visits the chains that begin in one region and end at `last`; false when the visitor stopped the walk. */
static bool tlsf_walk_chains(struct acre_tlsf_block *block, const struct acre_tlsf_block *last,
    acre_walk_fn *visit, void *arg)
{
    while (block < last) {
        size_t span = tlsf_span(block);
        if (span != 0 && !visit(arg, block, tlsf_usable(span), !tlsf_is_free(block)))
            return false;
        block = tlsf_after(block, span != 0 ? span : 4);
    }
    return true;
}

void acre_tlsf_walk(const struct acre_tlsf *tlsf, acre_walk_fn *visit, void *arg)
{
    const struct acre_tlsf_region *region = tlsf_first_region(tlsf);
    while (region != NULL) {
        struct acre_tlsf_block *first = region->first;
        while (tlsf_joined_above(region) != NULL)
            region = tlsf_joined_above(region);
        if (!tlsf_walk_chains(first, region->last, visit, arg))
            return;
        region = tlsf_next_region(region);
    }
}
