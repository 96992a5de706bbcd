/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's live maps: which region a pointer lies in, the cached region, and maps that neighbouring
 * regions share.
 */
#include "base/memory.h"
#include "tlsf/tlsf_private.h"

/* ---- the cached region ---- */

ACRE_NOINLINE struct acre_tlsf_region *acre_tlsf_region_of(
    const struct acre_tlsf *tlsf, const void *ptr)
{
    struct acre_tlsf_region *region = tlsf_region_at(tlsf, (uintptr_t)ptr);
    bool aligned = region != NULL && tlsf_offset(region->base, ptr) < region->granules;
    return aligned ? region : NULL;
}

ACRE_NOINLINE const struct acre_tlsf_region *acre_tlsf_find_granule(
    const struct acre_tlsf *tlsf, const void *ptr, size_t *offset)
{
    const struct acre_tlsf_region *region = tlsf_region_at(tlsf, (uintptr_t)ptr);
    if (region == NULL)
        return NULL;
    *offset = tlsf_offset(region->shared_base, ptr);
    return *offset < region->shared_granules ? region : NULL;
}

ACRE_NOINLINE bool acre_tlsf_is_live_uncached(const struct acre_tlsf *tlsf, const void *ptr)
{
    const struct acre_tlsf_region *region = acre_tlsf_region_of(tlsf, ptr);
    return region != NULL && tlsf_test(region->live_map, tlsf_offset(region->base, ptr));
}

bool acre_tlsf_may_hold_block(const struct acre_tlsf *tlsf, const void *at)
{
    if (tlsf_offset(tlsf->base, at) - 1 < tlsf->granules - 2 && tlsf->granules > 2)
        return true; /* neither the first granule of the cached region nor its last */
    const struct acre_tlsf_region *region = acre_tlsf_region_of(tlsf, at);
    if (region == NULL)
        return false;
    if ((uintptr_t)at < region->range.start + TLSF_HEADER && !region->joined)
        return false;
    size_t rest = region->range.start + region->range.size - (uintptr_t)at;
    return rest >= sizeof(struct acre_tlsf_block) || tlsf_joined_above(region) != NULL;
}

/* ---- shared maps ---- */

/* Words of a map from the granule of one base to that of another. */
static size_t words_between(uintptr_t low, uintptr_t high)
{
    return ACRE_CHECK_POINTERS ? (high - low) / ACRE_TLSF_GRANULE / ACRE_TLSF_WORD_BITS : 0;
}

/* Makes `top` the map owner of all regions from `first` on; its map is filled already. */
static void set_map_owner(struct acre_tlsf_region *first, struct acre_tlsf_region *top)
{
    size_t granules = (top->base - first->base) / ACRE_TLSF_GRANULE + top->granules;
    uintptr_t base = first->base;
    size_t *map = (size_t *)(top + 1);
    for (struct acre_tlsf_region *region = first;; region = tlsf_next_region(region)) {
        region->shared_base = base;
        region->shared_granules = granules;
        region->shared_map = map;
        region->live_map = map + words_between(base, region->base);
        if (region == top)
            return;
    }
}

/* The lowest of the regions that share the map of this one. */
static struct acre_tlsf_region *lowest_sharing(struct acre_tlsf_region *region)
{
    while (region->base != region->shared_base)
        region = tlsf_prev_region(region);
    return region;
}

/* The last region that starts below an address; null: there is none. */
static struct acre_tlsf_region *region_below(const struct acre_tlsf *tlsf, uintptr_t address)
{
    return tlsf_region_floor(tlsf, address - 1);
}

size_t acre_tlsf_shared_map_size(
    const struct acre_tlsf *tlsf, uintptr_t start, size_t size, size_t most)
{
    const struct acre_tlsf_region *low = region_below(tlsf, start);
    if (low != NULL && low->shared_granules == 0) /* a compact structure */
        return 0;
    size_t per_word = (size_t)ACRE_TLSF_GRANULE * ACRE_TLSF_WORD_BITS;
    if (low == NULL || start - low->range.start - low->range.size > TLSF_GAP ||
        (start - low->shared_base) % per_word != 0)
        return 0;
    size_t bytes = tlsf_map_bytes(start - low->shared_base + size);
    return bytes <= most ? bytes : 0;
}

void acre_tlsf_share_map(struct acre_tlsf *tlsf, struct acre_tlsf_region *region, size_t map_size)
{
    struct acre_tlsf_region *low = region_below(tlsf, region->range.start);
    size_t below = words_between(low->shared_base, region->base) * sizeof(size_t);
    ACRE_ASSERT(below <= map_size); /* TLSF-1 */
    memset(region + 1, 0, map_size);
    memcpy(region + 1, low->shared_map, below);
    set_map_owner(lowest_sharing(low), region);
    tlsf_cache_region(tlsf, region);
}

/* A neighbour of a region, if the two share a map; else null. */
static struct acre_tlsf_region *if_sharing(
    const struct acre_tlsf_region *region, struct acre_tlsf_region *neighbour)
{
    bool shares = neighbour != NULL && neighbour->shared_base == region->shared_base;
    return shares ? neighbour : NULL;
}

/* The regions below get the map that the topmost of them keeps for itself; those above keep the
 * shared one, less its beginning. */
void acre_tlsf_unshare_map(struct acre_tlsf_region *region)
{
    uintptr_t base = region->shared_base;
    size_t *map = region->shared_map;
    struct acre_tlsf_region *above = if_sharing(region, tlsf_next_region(region));
    struct acre_tlsf_region *below = if_sharing(region, tlsf_prev_region(region));
    struct acre_tlsf_region *top = region;
    while (if_sharing(region, tlsf_next_region(top)) != NULL)
        top = tlsf_next_region(top);
    if (below != NULL) {
        memcpy(below + 1, map, words_between(base, region->base) * sizeof(size_t));
        set_map_owner(lowest_sharing(below), below);
    }
    if (above != NULL) {
        size_t rest = tlsf_map_bytes(top->range.start + top->range.size - above->base);
        memmove(map, map + words_between(base, above->base), rest);
        set_map_owner(above, top);
    }
}
