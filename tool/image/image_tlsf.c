/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's checker for an image. The rules, their order and their names are those of
 * src/tlsf/tlsf_check.c; addresses are numbers here, and a read can fail, which breaks the rule
 * that needs it.
 */
#include "tool/image/image_audit.h"

enum { FREE = 1, PREV_FREE = 2, MIN_SPAN = 8, GAP = 128, COMPACT_LISTS = 64 };

static const char regions_text[] =
    "TLSF-1: a region's descriptor is damaged, or regions are out of order";
static const char size_text[] = "TLSF-2: a block's size does not lead to the next block";
static const char adjacent_text[] = "TLSF-3: two adjacent blocks are both free";
static const char disagree_text[] =
    "TLSF-4: a block and the one before it disagree on whether that one is free";
static const char live_text[] = "TLSF-5: a live bit and a block header disagree";
static const char list_text[] = "TLSF-6: a list of free blocks is damaged";
static const char bitmap_text[] = "TLSF-7: the bitmaps do not match the lists";
static const char count_text[] = "TLSF-8: a count does not match the blocks and regions";
static const char cached_text[] = "TLSF-9: the cached region is none of the regions";

struct tlsf_audit {
    struct image_audit own;
    struct image_layout layout;
    uint64_t free, used, capacity, top;
    size_t map_region; /* of the next live bit: region, */
    uint64_t map_at;   /* granule */
    uint64_t marked;   /* and address; 0: there is none */
    bool compact;      /* the structure, */
    uint64_t lists;    /* which has so many lists */
};

static bool broken(struct tlsf_audit *audit, const char *text, uint64_t where)
{
    return image_broken(&audit->own, text, where);
}

/* A word; 0 where there is none, with `good` false. */
static uint64_t tlsf_word(const struct tlsf_audit *audit, uint64_t at, bool *good)
{
    uint64_t number = 0;
    *good = image_read(audit->own.image, at, audit->layout.word, &number) && *good;
    return number;
}

static uint64_t member(const struct tlsf_audit *audit, size_t offset)
{
    bool good = true; /* the whole struct lies in the image */
    return tlsf_word(audit, audit->own.at + offset, &good);
}

/* ---- TLSF-1, TLSF-9 ---- */

static bool read_region(const struct tlsf_audit *audit, uint64_t at, struct image_region *region,
    uint64_t *prev, uint64_t *meta, uint64_t *meta_size)
{
    const struct image_layout *layout = &audit->layout;
    bool good = at % layout->word == 0;
    uint64_t joined = 0;
    *prev = tlsf_word(audit, at + layout->r_prev, &good);
    *region = (struct image_region){ .descriptor = at,
        .start = tlsf_word(audit, at + layout->r_start, &good),
        .size = tlsf_word(audit, at + layout->r_size, &good),
        .first = tlsf_word(audit, at + layout->r_first, &good),
        .last = tlsf_word(audit, at + layout->r_last, &good),
        .base = tlsf_word(audit, at + layout->r_base, &good),
        .granules = tlsf_word(audit, at + layout->r_granules, &good),
        .live_map = tlsf_word(audit, at + layout->r_live_map, &good),
        .map_size = tlsf_word(audit, at + layout->r_map_size, &good),
        .shared_base = tlsf_word(audit, at + layout->r_shared_base, &good),
        .shared_granules = tlsf_word(audit, at + layout->r_shared_granules, &good),
        .shared_map = tlsf_word(audit, at + layout->r_shared_map, &good) };
    *meta = tlsf_word(audit, at + layout->r_meta, &good);
    *meta_size = tlsf_word(audit, at + layout->r_meta_size, &good);
    good = image_read(audit->own.image, at + layout->r_joined, 1, &joined) && good;
    region->joined = joined != 0;
    return good;
}

static bool image_bounds_are_sane(const struct tlsf_audit *audit, const struct image_region *region,
    uint64_t meta, uint64_t meta_size)
{
    uint64_t granule = audit->layout.granule;
    uint64_t end = region->start + region->size;
    uint64_t base = (region->start + granule - 1) & ~(granule - 1);
    uint64_t from = meta != 0 ? meta : region->start;
    uint64_t room = meta != 0 ? meta_size : region->size;
    return region->start != 0 && region->size != 0 && end > region->start &&
           end - 1 <= audit->own.mask && region->descriptor - from < room && region->base == base &&
           base < end && region->granules == (end - base + granule - 1) / granule &&
           region->first % granule == 0 && region->last % granule == 0 &&
           region->first >= region->start + audit->layout.header && region->first < region->last &&
           region->last - 1 <= end - 1;
}

/* Whether a region's live map is the part of the shared map, kept by the topmost of the regions
 * that share it, that stands for the region. */
static bool image_map_is_sane(const struct tlsf_audit *audit, size_t index)
{
    const struct image_heap *heap = audit->own.heap;
    const struct image_region *region = &heap->regions[index];
    const struct image_region *before = index > 0 ? region - 1 : NULL;
    const struct image_region *top = region;
    while (
        top + 1 < heap->regions + heap->region_count && top[1].shared_base == region->shared_base)
        top++;
    bool first = region->base == region->shared_base;
    if (!first && (before == NULL || before->shared_base != region->shared_base ||
                      region->start - before->start - before->size > GAP))
        return false;
    uint64_t below = (top->base - region->shared_base) / audit->layout.granule;
    uint64_t offset = (region->base - region->shared_base) / audit->layout.granule;
    uint64_t bits = audit->layout.word * 8;
    uint64_t granules = audit->compact ? 0 : below + top->granules;
    return offset % bits == 0 && region->shared_granules == granules &&
           region->shared_map == top->descriptor + audit->layout.descriptor &&
           region->live_map == region->shared_map + offset / bits * audit->layout.word;
}

static bool check_maps(struct tlsf_audit *audit)
{
    const struct image_heap *heap = audit->own.heap;
    for (size_t i = 0; i < heap->region_count; i++) {
        if (!image_map_is_sane(audit, i))
            return broken(audit, regions_text, heap->regions[i].descriptor);
    }
    return true;
}

/* Whether the cached region is one of the regions, or none. */
static bool check_cached(struct tlsf_audit *audit)
{
    const struct image_layout *layout = &audit->layout;
    const struct image_heap *heap = audit->own.heap;
    uint64_t base = member(audit, layout->base);
    uint64_t granules = member(audit, layout->granules);
    uint64_t map = member(audit, layout->live_map);
    bool seen = base == 0 && granules == 0 && map == 0;
    for (size_t i = 0; i < heap->region_count; i++) {
        const struct image_region *region = &heap->regions[i];
        seen = seen || (base == region->shared_base && granules == region->shared_granules &&
                           map == region->shared_map);
    }
    return seen || broken(audit, cached_text, audit->own.at + layout->base);
}

static bool check_regions(struct tlsf_audit *audit)
{
    const struct image_layout *layout = &audit->layout;
    bool good = true;
    uint64_t before = 0;
    uint64_t end = 0;
    uint64_t total = 0;
    uint64_t apart = 0;
    for (uint64_t at = member(audit, layout->first_region); at != 0;) {
        struct image_region region;
        uint64_t prev, meta, meta_size;
        if (!read_region(audit, at, &region, &prev, &meta, &meta_size))
            return broken(
                audit, regions_text, before != 0 ? before : audit->own.at + layout->first_region);
        bool adjoins = before != 0 && end == region.start && meta != 0;
        if (prev != before || region.start < end ||
            audit->own.heap->region_count >= IMAGE_MOST_REGIONS ||
            !image_bounds_are_sane(audit, &region, meta, meta_size) || (region.joined && !adjoins))
            return broken(audit, regions_text, at);
        if (!image_add_region(&audit->own, &region))
            return false;
        end = region.start + region.size;
        total += region.size + meta_size;
        apart += meta_size;
        before = at;
        at = tlsf_word(audit, at + layout->r_next, &good);
    }
    if (!check_maps(audit))
        return false;
    if (total != member(audit, layout->total) || apart != member(audit, layout->apart))
        return broken(audit, count_text, audit->own.at + layout->total);
    return check_cached(audit);
}

/* ---- TLSF-2 to TLSF-5: chains ---- */

static bool tlsf_add_block(struct tlsf_audit *audit, uint64_t start, uint64_t span, bool live)
{
    uint64_t size = span * (audit->layout.granule / 4) - audit->layout.header;
    return image_add_block(&audit->own, start, size, live);
}

/* The first granule from `at` on whose live bit is set, or the number of granules. False: the map
 * does not lie in the image. */
static bool image_next_live_bit(
    const struct tlsf_audit *audit, const struct image_region *region, uint64_t *at)
{
    uint64_t bits = audit->layout.word * 8;
    while (*at < region->granules) {
        uint64_t word;
        if (!image_read(audit->own.image, region->live_map + *at / bits * audit->layout.word,
                audit->layout.word, &word))
            return false;
        word >>= *at % bits;
        if (word != 0) {
            for (; (word & 1) == 0; word >>= 1)
                ++*at;
            return true;
        }
        *at = (*at / bits + 1) * bits;
    }
    *at = region->granules;
    return true;
}

/* Moves on to the first live bit from the place read to on; 0 in `marked` when there is none. A
 * library without ACRE_CHECK_POINTERS has no maps. */
static bool image_advance_to_live_bit(struct tlsf_audit *audit)
{
    const struct image_heap *heap = audit->own.heap;
    for (; audit->map_region < heap->region_count; audit->map_region++, audit->map_at = 0) {
        const struct image_region *region = &heap->regions[audit->map_region];
        if (region->map_size == 0)
            continue;
        if (!image_next_live_bit(audit, region, &audit->map_at))
            return broken(audit, live_text, region->descriptor);
        audit->marked = region->base + audit->map_at * audit->layout.granule;
        if (audit->map_at < region->granules)
            return true;
    }
    audit->marked = 0;
    return true;
}

static bool check_live_bit(
    struct tlsf_audit *audit, const struct image_region *region, uint64_t block, bool live)
{
    if (audit->marked != 0 && (audit->marked < block || (!live && audit->marked == block)))
        return broken(audit, live_text, audit->marked);
    if (!live || region->map_size == 0)
        return true;
    if (audit->marked != block)
        return broken(audit, live_text, block);
    audit->map_at++;
    return image_advance_to_live_bit(audit);
}

struct chain {
    uint64_t first, last; /* its end: a sentinel */
    uint64_t block, header;
    uint64_t before; /* header of the block before; 0: there is none, or it was a sentinel */
};

/* A span of 0 ends the last chain, or one that is full: the next begins a granule on. */
static bool image_may_end(const struct tlsf_audit *audit, const struct chain *chain)
{
    uint64_t full = 4 * (((uint64_t)1 << audit->layout.max_log2) - 1);
    uint64_t spans = (chain->block - chain->first) / (audit->layout.granule / 4);
    return chain->block == chain->last || spans % (full + 4) == full;
}

static bool image_span_is_sane(
    const struct tlsf_audit *audit, const struct chain *chain, uint64_t span)
{
    uint64_t room = (chain->last - chain->block) / (audit->layout.granule / 4);
    if (span == 0)
        return (chain->header & FREE) == 0 && image_may_end(audit, chain);
    return span >= MIN_SPAN && span % 4 == 0 && span <= room;
}

static bool agrees_with_before(const struct tlsf_audit *audit, const struct chain *chain)
{
    bool flag = (chain->header & PREV_FREE) != 0;
    uint64_t size = 0;
    if ((chain->before & FREE) == 0)
        return !flag;
    return flag &&
           image_read(audit->own.image, chain->block - 2 * (uint64_t)audit->layout.header,
               audit->layout.header, &size) &&
           size == (chain->before & ~(uint64_t)3);
}

static bool check_block(
    struct tlsf_audit *audit, const struct image_region *region, struct chain *chain)
{
    uint64_t span = chain->header & ~(uint64_t)3;
    bool is_free = (chain->header & FREE) != 0;
    if (is_free && (chain->before & FREE) != 0)
        return broken(audit, adjacent_text, chain->block);
    if (!agrees_with_before(audit, chain))
        return broken(audit, disagree_text, chain->block);
    audit->free += is_free;
    audit->used += is_free ? 0 : span;
    audit->capacity += span;
    return (span == 0 || tlsf_add_block(audit, chain->block, span, !is_free)) &&
           check_live_bit(audit, region, chain->block, span != 0 && !is_free);
}

static bool check_chain(
    struct tlsf_audit *audit, const struct image_region *lowest, const struct image_region *highest)
{
    unsigned header = audit->layout.header;
    struct chain chain = { .first = lowest->first, .last = highest->last, .block = lowest->first };
    const struct image_region *region = lowest;
    for (;;) {
        while (region < highest && chain.block - region->start >= region->size)
            region++;
        if (!image_read(audit->own.image, chain.block - header, header, &chain.header) ||
            !image_span_is_sane(audit, &chain, chain.header & ~(uint64_t)3))
            return broken(audit, size_text, chain.block);
        if (!check_block(audit, region, &chain))
            return false;
        if (chain.block == chain.last)
            return true;
        uint64_t span = chain.header & ~(uint64_t)3;
        chain.before = span != 0 ? chain.header : 0;
        chain.block += (span != 0 ? span : 4) * (audit->layout.granule / 4);
    }
}

static bool check_chains(struct tlsf_audit *audit)
{
    const struct image_heap *heap = audit->own.heap;
    if (!image_advance_to_live_bit(audit))
        return false;
    for (size_t i = 0; i < heap->region_count; i++) {
        size_t top = i;
        while (top + 1 < heap->region_count && heap->regions[top + 1].joined)
            top++;
        if (!check_chain(audit, &heap->regions[i], &heap->regions[top]))
            return false;
        i = top;
    }
    return audit->marked == 0 || broken(audit, live_text, audit->marked);
}

/* ---- TLSF-6, TLSF-7: lists ---- */

static unsigned highest_bit(uint64_t number)
{
    unsigned highest = 63;
    while ((number >> highest & 1) == 0)
        highest--;
    return highest;
}

/* The number of a list of a compact structure that has lists enough. */
static unsigned compact_list_of(uint64_t granules)
{
    if (granules < 4)
        return (unsigned)granules - 2;
    unsigned octave = highest_bit(granules) - 2;
    return (octave << 2) + (unsigned)(granules >> octave) - 2;
}

static unsigned list_of(const struct tlsf_audit *audit, uint64_t granules)
{
    enum { LINEAR = 256 + 2, FIRST = 256 - 8, SHIFT = 8 + 2 - 3 };
    if (audit->compact) {
        unsigned list = compact_list_of(granules);
        return list < audit->lists ? list : (unsigned)audit->lists - 1;
    }
    if (granules < LINEAR)
        return (unsigned)granules - 2;
    uint64_t span = 4 * granules;
    unsigned highest = highest_bit(span);
    return FIRST + ((highest - 3 - SHIFT) << 3) + (unsigned)(span >> (highest - 3));
}

/* The header of a free block at an address of a region, else 0. */
static uint64_t free_header(const struct tlsf_audit *audit, uint64_t block)
{
    const struct image_heap *heap = audit->own.heap;
    uint64_t header = 0;
    bool inside = false;
    for (size_t i = 0; i < heap->region_count && !inside; i++) {
        const struct image_region *region = &heap->regions[i];
        inside = block - region->start < region->size;
    }
    if (!inside || block % audit->layout.granule != 0 ||
        !image_read(audit->own.image, block - audit->layout.header, audit->layout.header, &header))
        return 0;
    return (header & FREE) != 0 && header >= MIN_SPAN ? header : 0;
}

static bool check_list(struct tlsf_audit *audit, unsigned list, uint64_t block)
{
    const struct image_layout *layout = &audit->layout;
    uint64_t head = audit->own.at + layout->first + (uint64_t)list * layout->word;
    uint64_t before = 0;
    bool good = true;
    while (block != 0) {
        uint64_t header = free_header(audit, block);
        if (header == 0)
            return broken(audit, list_text, before != 0 ? before : head);
        uint64_t next = tlsf_word(audit, block, &good);
        uint64_t prev = tlsf_word(audit, block + layout->word, &good);
        if (!good || audit->free == 0 || block == audit->top || (before != 0 && prev != before) ||
            list_of(audit, header / 4) != list)
            return broken(audit, list_text, block);
        audit->free--;
        before = block;
        block = next;
    }
    uint64_t last = audit->own.at + layout->last + (uint64_t)list * layout->word;
    if (list < layout->linear_lists && before != 0 && tlsf_word(audit, last, &good) != before)
        return broken(audit, list_text, last);
    return true;
}

static bool bitmap_has(const struct tlsf_audit *audit, size_t map, unsigned index)
{
    uint64_t bits = audit->layout.word * 8;
    return (member(audit, map + index / bits * audit->layout.word) >> index % bits & 1) != 0;
}

static bool check_summary(struct tlsf_audit *audit)
{
    for (unsigned at = 0; at < audit->layout.word * 8; at++) {
        bool any = at < audit->layout.words &&
                   member(audit, audit->layout.nonempty + (size_t)at * audit->layout.word) != 0;
        if (bitmap_has(audit, audit->layout.summary, at) != any)
            return broken(audit, bitmap_text, audit->own.at + audit->layout.summary);
    }
    return true;
}

static bool check_lists(struct tlsf_audit *audit)
{
    const struct image_layout *layout = &audit->layout;
    audit->top = member(audit, layout->top);
    if (audit->top != 0 && (free_header(audit, audit->top) / 4 < 256 + 2 || audit->free == 0))
        return broken(audit, list_text, audit->own.at + layout->top);
    audit->free -= audit->top != 0;
    for (unsigned list = 0; list < layout->lists; list++) {
        size_t head = layout->first + (size_t)list * layout->word;
        uint64_t block = member(audit, head);
        if (bitmap_has(audit, layout->nonempty, list) != (block != 0))
            return broken(audit, bitmap_text, audit->own.at + head);
        if (!check_list(audit, list, block))
            return false;
    }
    if (!check_summary(audit))
        return false;
    return audit->free == 0 || broken(audit, list_text, audit->own.at + layout->first);
}

/* Number of lists of a compact structure for regions of up to `largest` bytes. */
static uint64_t compact_count(const struct tlsf_audit *audit, uint64_t largest)
{
    uint64_t bytes = largest - audit->layout.descriptor;
    uint64_t granules = largest > audit->layout.descriptor ? bytes / audit->layout.granule : 0;
    return granules < 2 ? 1 : compact_list_of((uint64_t)1 << highest_bit(granules)) + 1;
}

static bool compact_is_sane(const struct tlsf_audit *audit)
{
    const struct image_layout *layout = &audit->layout;
    uint64_t set = member(audit, layout->top) | member(audit, layout->summary) |
                   member(audit, layout->granule_limit);
    for (size_t at = layout->nonempty; at < layout->compact_first; at += layout->word)
        set |= member(audit, at);
    return set == 0 && audit->lists == compact_count(audit, member(audit, layout->largest)) &&
           audit->lists <= COMPACT_LISTS;
}

static bool check_compact_lists(struct tlsf_audit *audit)
{
    if (!compact_is_sane(audit))
        return broken(audit, bitmap_text, audit->own.at);
    audit->layout.first = audit->layout.compact_first;
    audit->layout.linear_lists = 0; /* none has a last block */
    for (unsigned list = 0; list < COMPACT_LISTS; list++) {
        size_t head = audit->layout.first + (size_t)list * audit->layout.word;
        uint64_t block = list < audit->lists ? member(audit, head) : 0;
        if (bitmap_has(audit, audit->layout.compact_nonempty, list) != (block != 0))
            return broken(audit, bitmap_text, audit->own.at + head);
        if (!check_list(audit, list, block))
            return false;
    }
    return audit->free == 0 || broken(audit, list_text, audit->own.at + audit->layout.first);
}

/* ---- TLSF-8 ---- */

static bool check_accounts(struct tlsf_audit *audit)
{
    const struct image_layout *layout = &audit->layout;
    uint64_t used =
        (member(audit, layout->peak) - member(audit, layout->headroom)) & audit->own.mask;
    uint64_t sign = audit->own.mask / 2 + 1;
    if (member(audit, layout->live_blocks) != audit->own.heap->live_count)
        return broken(audit, count_text, audit->own.at + layout->live_blocks);
    if ((member(audit, layout->headroom) & sign) != 0 || used != audit->used)
        return broken(audit, count_text, audit->own.at + layout->headroom);
    if (member(audit, layout->capacity) != audit->capacity)
        return broken(audit, count_text, audit->own.at + layout->capacity);
    return true;
}

/* ---- the whole ---- */

/* Whether the structure is compact; not when it does not lie in the image. */
static void read_kind(struct tlsf_audit *audit, const struct image *image, uint64_t at)
{
    const struct image_layout *layout = &audit->layout;
    uint64_t ops = 0;
    audit->compact = image_read(image, at + layout->compact_ops, layout->word, &ops) && ops != 0 &&
                     image_read(image, at + layout->compact_lists, layout->word, &audit->lists);
}

static size_t structure_size(const struct tlsf_audit *audit)
{
    uint64_t lists = audit->lists < COMPACT_LISTS ? audit->lists : COMPACT_LISTS;
    size_t size = audit->layout.compact_first + (size_t)lists * audit->layout.word;
    return audit->compact ? size : audit->layout.size;
}

static void check_with(
    struct image_heap *heap, const struct image *image, uint64_t at, unsigned granule)
{
    struct image_facts facts = image->facts;
    facts.granule = granule;
    struct tlsf_audit audit = { .layout = image_layout_of(&facts) };
    read_kind(&audit, image, at);
    bool good = image_begin(&audit.own, heap, image, at, structure_size(&audit));
    heap->unit = granule;
    if (good && check_regions(&audit) && check_chains(&audit) &&
        (audit.compact ? check_compact_lists(&audit) : check_lists(&audit)))
        check_accounts(&audit);
}

void image_check_tlsf(struct image_heap *heap, const struct image *image, uint64_t at)
{
    unsigned least = 2 * image->facts.word;
    struct image_heap other;
    check_with(heap, image, at, image->facts.granule > 0 ? image->facts.granule : least);
    if (image->facts.granule > 0 || heap->broken[0] == '\0' || least >= 16)
        return;
    check_with(&other, image, at, 16);
    bool better = other.broken[0] == '\0' || other.block_count > heap->block_count;
    image_heap_free(better ? heap : &other);
    if (better)
        *heap = other;
}
