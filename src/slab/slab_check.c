/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab's checker of invariants SLAB-1 to SLAB-11 (slab_private.h). It changes nothing, and follows
 * links of records only after it has found that the records tile their regions.
 */
#include "slab/slab_tables.h"

/* Where the checker is, and its counts. */
struct slab_audit {
    const struct acre_slab *slab;
    const struct acre_slab_region *region; /* being checked */
    uintptr_t at;                          /* address of the page being checked */
    size_t live;
    size_t used; /* bytes */
    size_t total;
    size_t capacity;
    size_t largest;         /* pages of the largest region, */
    size_t largest_regions; /* and the number of regions of that size */
    size_t free_runs;
    size_t partial[ACRE_SLAB_CLASSES];
};

static const char region_text[] = "SLAB-1: regions are in ascending order and disjoint";
static const char tile_text[] = "SLAB-2: slabs, live runs and free runs tile a region";
static const char run_text[] =
    "SLAB-3: free runs are not adjacent and are in the list of their length";
static const char list_text[] = "SLAB-4: a list's bit is set if and only if it has runs";
static const char bits_text[] = "SLAB-5: a slab's clear bits are its live objects";
static const char constant_text[] = "SLAB-6: a slab's constants are its class's";
static const char ring_text[] = "SLAB-7: a slab is current, full, or in its class's ring";
static const char count_text[] = "SLAB-8: the counts are the sums over all blocks";
static const char class_text[] = "SLAB-9: the constants agree with page size and classes";
static const char map_text[] =
    "SLAB-10: the regions of a shared map have their records in its owner's map";
static const char header_text[] = "SLAB-11: a region's header has the checksum of its fields";

static struct acre_check_result slab_sound(void)
{
    return (struct acre_check_result){ NULL, NULL };
}

static struct acre_check_result slab_broken(const char *invariant, const void *where)
{
    return (struct acre_check_result){ invariant, where };
}

/* ---- SLAB-9: the control structure ---- */

static bool slab_is_valid_page_size(const struct acre_slab *slab)
{
    return slab->page_log2 < SLAB_WORD_BITS && slab_page_size(slab) >= ACRE_SLAB_MIN_PAGE &&
           slab_page_size(slab) <= ACRE_SLAB_MAX_PAGE &&
           slab_largest_object(slab) == ACRE_SLAB_LARGEST_PAGES * slab_page_size(slab);
}

static struct acre_check_result slab_check_settings(const struct acre_slab *slab)
{
    if (!slab_is_valid_page_size(slab))
        return slab_broken(class_text, &slab->page_log2);
    const void *bad = acre_slab_find_bad_constant(slab);
    if (bad != NULL)
        return slab_broken(class_text, bad);
    if (slab->no_slab.reciprocal != 0 || slab->no_slab.free_bits != SIZE_MAX ||
        slab_is_slab(&slab->no_slab))
        return slab_broken(class_text, &slab->no_slab);
    return slab_sound();
}

/* ---- SLAB-1: regions ---- */

static bool slab_is_valid_extent(
    const struct acre_slab *slab, const struct acre_slab_region *region)
{
    size_t mask = slab_page_size(slab) - 1;
    uintptr_t end = region->range.start + (region->range.size - 1);
    if (region->map_base > region->base || ((region->map_base | region->base) & mask) != 0 ||
        region->base >= end || region->pages == 0 ||
        region->pages > (end - region->base + 1) >> slab->page_log2)
        return false;
    size_t header_and_map = slab_map_end(slab, region) - (uintptr_t)region;
    return region->range.start <= (uintptr_t)region && (uintptr_t)region <= region->base &&
           header_and_map <= region->base - (uintptr_t)region &&
           (slab_next_region(region) == NULL || slab_next_region(region)->range.start > end);
}

/* ---- SLAB-10: maps ---- */

/* Whether a region is its own map owner, or has the next one's; the owner is not read. */
static bool slab_is_valid_owner(const struct acre_slab_region *region)
{
    return region->map_owner == region ||
           (slab_next_region(region) != NULL &&
               slab_next_region(region)->map_owner == region->map_owner);
}

/* Whether the records between a region and the next one of its shared map are guards, and the
 * entries there point to no slab. */
static bool slab_is_valid_gap(const struct acre_slab *slab, const struct acre_slab_region *region)
{
    const struct acre_slab_page *page = region->records + 1;
    size_t next = (slab_next_region(region)->base - region->base) >> slab->page_log2;
    for (size_t i = region->pages; i < next; i++)
        if (page[i].state != SLAB_GUARD || page[i].reciprocal != 0 ||
            region->page_map[i] != &slab->no_slab)
            return false;
    return true;
}

static bool slab_is_valid_map(const struct acre_slab *slab, const struct acre_slab_region *region)
{
    struct acre_slab_region *owner = region->map_owner;
    return owner->map_base <= region->base &&
           region->records == owner->map + ((region->base - owner->map_base) >> slab->page_log2) &&
           (size_t)(region->page_map - slab_map_entries(slab, owner)) ==
               slab_records_between(owner->map, region->records) &&
           (owner == region || slab_is_valid_gap(slab, region));
}

static struct acre_check_result slab_check_headers(const struct acre_slab *slab)
{
    for (const struct acre_slab_region *region = slab_first_region(slab); region != NULL;
         region = slab_next_region(region)) {
        if (!slab_has_valid_checksum(region))
            return slab_broken(header_text, region);
        const struct acre_slab_region *above = slab_next_region(region);
        if (above != NULL && !slab_has_valid_checksum(above))
            return slab_broken(header_text, above);
        if (!slab_is_valid_extent(slab, region))
            return slab_broken(region_text, region);
        if (!slab_is_valid_owner(region))
            return slab_broken(map_text, region);
    }
    const struct acre_region *unsound = acre_regions_find_broken(&slab->regions);
    if (unsound != NULL)
        return slab_broken(region_text, unsound);
    for (const struct acre_slab_region *region = slab_first_region(slab); region != NULL;
         region = slab_next_region(region))
        if (!slab_is_valid_map(slab, region))
            return slab_broken(map_text, region);
    return slab_sound();
}

/* Whether the main map is one of the shared maps. */
static bool slab_is_valid_main_map(const struct acre_slab *slab)
{
    const struct acre_slab_region *first = slab_first_region(slab);
    if (first == NULL)
        return slab->pages == 0;
    for (const struct acre_slab_region *region = first; region != NULL;
         region = slab_next_region(region)) {
        if (region->map_owner != region)
            continue;
        if (slab->base == first->base)
            return slab->records == first->records + 1 && slab->page_map == first->page_map &&
                   slab->pages == slab_shared_pages(slab, first, region);
        first = slab_next_region(region);
    }
    return false;
}

/* ---- SLAB-2, 3, 5, 6: the slabs and runs of a region ---- */

static struct acre_slab_page **slab_entry_of(
    const struct slab_audit *audit, const struct acre_slab_page *page)
{
    return audit->region->page_map + slab_records_between(audit->region->records + 1, page);
}

/* Whether the entries of a slab's pages point to it. */
static bool slab_is_valid_entries(const struct slab_audit *audit, const struct acre_slab_page *page)
{
    struct acre_slab_page **entries = slab_entry_of(audit, page);
    for (size_t i = 0; i < page->pages; i++)
        if (entries[i] != page)
            return false;
    return page[page->pages - 1].to_first == page->pages - 1;
}

static const char *slab_fault_of_slab(struct slab_audit *audit, const struct acre_slab_page *page)
{
    const struct acre_slab *slab = audit->slab;
    if (page->size_class >= ACRE_SLAB_CLASSES || page->size != slab_class_size(page->size_class) ||
        page->start != (uint32_t)audit->at)
        return constant_text;
    uint32_t count = slab_object_count(slab, page->size_class, page->pages);
    if (page->count != count)
        return bits_text;
    if (count == 0 || page->free_bits >> count != SIZE_MAX >> count)
        return bits_text;
    bool full = !slab_has_free(page, count);
    if (page->size_steps != (page->state == SLAB_FALLBACK
                                    ? slab_fallback_size_steps(page->size)
                                    : slab_class_size_steps(slab, page->size_class)))
        return constant_text;
    if (page->reciprocal !=
        (full && !slab_is_current(slab, page) ? 0 : slab_reciprocal(slab, page->size_class)))
        return constant_text;
    if (slab_is_empty(page) && !slab_is_current(slab, page))
        return ring_text;
    if (!slab_is_valid_entries(audit, page))
        return tile_text;
    audit->live += slab_live_objects(page);
    audit->used += acre_multiply(slab_live_objects(page), page->size);
    audit->partial[page->size_class] += !full && !slab_is_current(slab, page);
    return NULL;
}

/* Whether the entries of a run's pages point to no slab. */
static bool slab_is_unmapped(const struct slab_audit *audit, const struct acre_slab_page *page)
{
    const struct acre_slab_region *region = audit->region;
    struct acre_slab_page **entries = slab_entry_of(audit, page);
    for (size_t i = 0; i < page->length; i++) {
        uintptr_t offset = (uintptr_t)entries[i] - (uintptr_t)region->records;
        bool owned = slab_is_record_at(offset, region->pages + 1);
        if (entries[i] != &audit->slab->no_slab && (!owned || slab_is_slab(entries[i])))
            return false;
    }
    return true;
}

static const char *slab_fault_of_run(struct slab_audit *audit, const struct acre_slab_page *page)
{
    if (page->reciprocal != 0 || page->size_steps != 0)
        return constant_text;
    if (!slab_is_unmapped(audit, page))
        return tile_text;
    if (page->state == SLAB_RUN) {
        if (page->start != (uint32_t)audit->at || *slab_entry_of(audit, page) != page)
            return tile_text;
        audit->live++;
        audit->used += page->length << audit->slab->page_log2;
        return NULL;
    }
    audit->free_runs++;
    if (page[page->length - 1].state != SLAB_FREE || page[page->length - 1].length != page->length)
        return tile_text;
    return page[page->length].state == SLAB_FREE ? run_text : NULL;
}

/* Whether the inner records of a slab or run are blank. */
static bool slab_is_valid_inner_records(const struct acre_slab_page *page, size_t pages)
{
    size_t ends = page->state == SLAB_FREE ? 1 : 0;
    for (size_t i = 1; i < pages; i++)
        if ((i < pages - ends && page[i].state != SLAB_BLANK) || page[i].reciprocal != 0 ||
            page[i].size_steps != 0)
            return false;
    return true;
}

/* Pages of the slab or run at a record; 0: no slab or run starts there, or it is longer than the
 * rest of the region. */
static size_t slab_tile_pages(const struct acre_slab_page *page, size_t left)
{
    bool known = page->state == SLAB_FREE || page->state == SLAB_RUN || slab_is_slab(page);
    size_t pages = slab_is_slab(page) ? page->pages : page->length;
    return known && pages <= left ? pages : 0;
}

static struct acre_check_result slab_check_tiles(struct slab_audit *audit)
{
    const struct acre_slab_region *region = audit->region;
    const struct acre_slab_page *page = region->records + 1;
    const struct acre_slab_page *end = page + region->pages;
    audit->at = region->base;
    if (region->records[0].state != SLAB_GUARD)
        return slab_broken(tile_text, &region->records[0]);
    while (page < end) {
        size_t pages = slab_tile_pages(page, slab_records_between(page, end));
        if (pages == 0 || !slab_is_valid_inner_records(page, pages))
            return slab_broken(tile_text, page);
        const char *fault =
            slab_is_slab(page) ? slab_fault_of_slab(audit, page) : slab_fault_of_run(audit, page);
        if (fault != NULL)
            return slab_broken(fault, page);
        page += pages;
        audit->at += pages << audit->slab->page_log2;
    }
    return end->state == SLAB_GUARD ? slab_sound() : slab_broken(tile_text, end);
}

static void slab_audit_region(struct slab_audit *audit, const struct acre_slab_region *region)
{
    audit->total += region->range.size;
    audit->capacity += region->pages;
    if (region->pages > audit->largest) {
        audit->largest = region->pages;
        audit->largest_regions = 0;
    }
    audit->largest_regions += region->pages == audit->largest;
}

static struct acre_check_result slab_check_regions(struct slab_audit *audit)
{
    const struct acre_slab *slab = audit->slab;
    for (const struct acre_slab_region *region = slab_first_region(slab); region != NULL;
         region = slab_next_region(region)) {
        audit->region = region;
        struct acre_check_result result = slab_check_tiles(audit);
        if (result.invariant != NULL)
            return result;
        slab_audit_region(audit, region);
    }
    if (!slab_is_valid_main_map(slab))
        return slab_broken("SLAB-10: the main map is one of the shared maps", &slab->base);
    const void *bad = acre_slab_find_bad_cached_region(slab);
    return bad != NULL ? slab_broken("SLAB-1: cached regions are owned", bad) : slab_sound();
}

/* ---- SLAB-3, 4, 7: the lists ---- */

/* Length of a ring; SIZE_MAX if it has more than `most` records, a bad link, or a record that
 * `wanted` refuses. */
static size_t slab_ring_length(const struct acre_slab *slab, const struct acre_slab_page *page,
    size_t most, bool (*wanted)(const struct acre_slab *, const struct acre_slab_page *, size_t),
    size_t which)
{
    const struct acre_slab_page *first = page;
    size_t count = 0;
    while (page != NULL) {
        if (count++ == most || !acre_slab_is_record(slab, page) || !wanted(slab, page, which) ||
            !acre_slab_is_record(slab, page->next) || page->next->prev != page)
            return SIZE_MAX;
        page = page->next != first ? page->next : NULL;
    }
    return count;
}

static bool slab_is_listed_run(const struct acre_slab_page *page, size_t list)
{
    return page->state == SLAB_FREE && slab_run_list(page->length) == list && page->list == list;
}

static bool slab_is_partial(
    const struct acre_slab *slab, const struct acre_slab_page *page, size_t size_class)
{
    return slab_is_slab(page) && page->size_class == size_class && page->reciprocal != 0 &&
           !slab_is_current(slab, page);
}

/* The same for a list of free runs. */
static size_t slab_list_length(const struct acre_slab *slab, size_t list, size_t most)
{
    const struct acre_slab_page *page = slab->runs[list];
    size_t count = 0;
    while (page != NULL) {
        if (count++ == most || !acre_slab_is_record(slab, page) || !slab_is_listed_run(page, list))
            return SIZE_MAX;
        const struct acre_slab_page *next = page->next;
        if (next != NULL && (!acre_slab_is_record(slab, next) || next->prev != page))
            return SIZE_MAX;
        page = next;
    }
    return count;
}

static struct acre_check_result slab_check_runs(const struct slab_audit *audit)
{
    const struct acre_slab *slab = audit->slab;
    size_t found = 0;
    for (size_t list = 0; list < (size_t)ACRE_SLAB_RUN_WORDS * SLAB_WORD_BITS; list++) {
        bool bit = (slab->nonempty[list >> SLAB_WORD_LOG2] >> (list % SLAB_WORD_BITS) & 1) != 0;
        size_t length =
            list < SLAB_NO_LIST ? slab_list_length(slab, list, audit->free_runs) : 0; /* no list */
        if (length == SIZE_MAX)
            return slab_broken(run_text, &slab->runs[list]);
        if (bit != (length != 0))
            return slab_broken(list_text, &slab->nonempty[list >> SLAB_WORD_LOG2]);
        found += length;
    }
    return found == audit->free_runs ? slab_sound() : slab_broken(run_text, slab->runs);
}

static struct acre_check_result slab_check_classes(const struct slab_audit *audit)
{
    const struct acre_slab *slab = audit->slab;
    for (unsigned size_class = 0; size_class < ACRE_SLAB_CLASSES; size_class++) {
        size_t most = audit->partial[size_class];
        if (slab_ring_length(slab, slab->partial[size_class], most, slab_is_partial, size_class) !=
            most)
            return slab_broken(ring_text, &slab->partial[size_class]);
    }
    const void *bad = acre_slab_find_bad_current(slab);
    return bad != NULL ? slab_broken(ring_text, bad) : slab_sound();
}

/* ---- SLAB-8: the counts ---- */

static struct acre_check_result slab_check_counts(const struct slab_audit *audit)
{
    const struct acre_slab *slab = audit->slab;
    if (audit->live != slab->live_blocks)
        return slab_broken(count_text, &slab->live_blocks);
    if (slab->headroom < 0 || audit->used != slab->peak - (size_t)slab->headroom)
        return slab_broken(count_text, &slab->headroom);
    if (audit->total != slab->regions.total)
        return slab_broken(count_text, &slab->regions.total);
    if (!slab_has_largest(slab, audit->largest, audit->largest_regions))
        return slab_broken(count_text, &slab->capacity);
    return audit->capacity == slab->capacity ? slab_sound()
                                             : slab_broken(count_text, &slab->capacity);
}

struct acre_check_result acre_slab_check(const struct acre_slab *slab)
{
    struct slab_audit audit = { .slab = slab };
    if (slab->sizes == 0 && slab->page_log2 == 0 && slab->regions.first == NULL)
        return slab_sound(); /* no settings yet */
    struct acre_check_result result = slab_check_settings(slab);
    if (result.invariant == NULL)
        result = slab_check_headers(slab);
    if (result.invariant == NULL)
        result = slab_check_regions(&audit);
    if (result.invariant == NULL)
        result = slab_check_runs(&audit);
    if (result.invariant == NULL)
        result = slab_check_classes(&audit);
    return result.invariant == NULL ? slab_check_counts(&audit) : result;
}
