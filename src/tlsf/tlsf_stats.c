/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's statistics and walk.
 */
#include "tlsf/tlsf_small.h"

/* The top block or the first block of the highest list, which is what a request of its size gets,
 * also where that list has blocks of several sizes. */
static size_t tlsf_largest_free(const struct acre_tlsf *tlsf)
{
    if (tlsf_is_compact(tlsf))
        return tlsf_compact_largest_free(tlsf);
    const struct acre_tlsf_block *top = tlsf_top(tlsf);
    size_t span = top != NULL ? tlsf_span(top) : 0;
    size_t at = tlsf_last_word(tlsf);
    if (at != ACRE_TLSF_WORDS) {
        size_t list = at * ACRE_TLSF_WORD_BITS + acre_bits_highest(tlsf->nonempty[at]);
        size_t listed = tlsf_span(tlsf_first(tlsf, list));
        span = listed > span ? listed : span;
    }
    return span != 0 ? tlsf_usable(span) : 0;
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

void acre_tlsf_reset_peak(struct acre_tlsf *tlsf)
{
    tlsf->peak -= (size_t)tlsf->headroom;
    tlsf->headroom = 0;
}

/* ---- find ---- */

/* The start of the last live block of a region at an address or below it; 0: there is none. */
static uintptr_t tlsf_last_live(const struct acre_tlsf_region *region, uintptr_t at)
{
    size_t offset = (at - region->base) >> ACRE_TLSF_GRANULE_LOG2;
    offset = offset < region->granules ? offset : region->granules - 1;
    size_t word = offset >> TLSF_WORD_LOG2;
    size_t bits = region->live_map[word] & (SIZE_MAX >> (~offset % ACRE_TLSF_WORD_BITS));
    while (bits == 0 && word > 0)
        bits = region->live_map[--word];
    if (bits == 0)
        return 0;
    size_t granule = word * ACRE_TLSF_WORD_BITS + acre_bits_highest(bits);
    return region->base + granule * ACRE_TLSF_GRANULE;
}

/* The start of the last live block at an address or below it; a block of several joined regions
 * starts in a lower one. 0: there is none. */
static uintptr_t tlsf_find_start(const struct acre_tlsf *tlsf, uintptr_t at)
{
    const struct acre_tlsf_region *region = tlsf_region_floor(tlsf, at);
    while (region != NULL) {
        uintptr_t start = region->base <= at ? tlsf_last_live(region, at) : 0;
        if (start != 0 || !region->joined)
            return start;
        region = (struct acre_tlsf_region *)region->range.prev;
    }
    return 0;
}

struct tlsf_search {
    uintptr_t at;
    struct acre_block found;
};

static bool tlsf_search_block(void *arg, void *start, size_t size, bool live)
{
    struct tlsf_search *search = arg;
    if (!live || search->at - (uintptr_t)start >= size)
        return true;
    search->found = (struct acre_block){ start, size, ACRE_OK };
    return false;
}

struct acre_block acre_tlsf_find(const struct acre_tlsf *tlsf, const void *ptr)
{
    struct tlsf_search search = { (uintptr_t)ptr, { NULL, 0, ACRE_NOT_ALLOCATED } };
    if (!ACRE_CHECK_POINTERS) {
        acre_tlsf_walk(tlsf, tlsf_search_block, &search);
        return search.found;
    }
    uintptr_t start = tlsf_find_start(tlsf, search.at);
    struct acre_tlsf_block *block = (void *)start;
    if (TLSF_HARDEN && block != NULL && !acre_tlsf_is_sound_live(tlsf, block))
        return search.found;
    if (block != NULL && search.at - (uintptr_t)block < tlsf_usable(tlsf_span(block)))
        search.found = (struct acre_block){ block, tlsf_usable(tlsf_span(block)), ACRE_OK };
    return search.found;
}

/* ---- walk ---- */

/* Visits the chains that begin in one region and end at `last`; false when the visitor stopped the
 * walk. */
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
    if (TLSF_HARDEN && acre_tlsf_check(tlsf).invariant != NULL)
        return;
    while (region != NULL) {
        struct acre_tlsf_block *first = region->first;
        while (tlsf_joined_above(region) != NULL)
            region = tlsf_joined_above(region);
        if (!tlsf_walk_chains(first, region->last, visit, arg))
            return;
        region = tlsf_next_region(region);
    }
}
