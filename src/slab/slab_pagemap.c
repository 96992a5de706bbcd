/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab's page map: from an address to a record and back, and the maps that regions share.
 */
#include "base/memory.h"
#include "slab/slab_tables.h"

/* ---- look-up ---- */

struct acre_slab_region *acre_slab_find_region(const struct acre_slab *slab, uintptr_t at)
{
    struct acre_slab_region *region =
        (struct acre_slab_region *)acre_regions_find(&slab->regions, at);
    bool in_pages = region != NULL && (at - region->base) >> slab->page_log2 < region->pages;
    return in_pages ? region : NULL;
}

struct acre_slab_page *acre_slab_find_page(const struct acre_slab *slab, uintptr_t at)
{
    const struct acre_slab_region *region = slab_cached_region(slab, at);
    if (region == NULL || (at - region->base) >> slab->page_log2 >= region->pages)
        region = acre_slab_find_region(slab, at);
    return region != NULL ? region->page_map[(at - region->base) >> slab->page_log2] : NULL;
}

struct acre_slab_region *acre_slab_find_region_below(const struct acre_slab *slab, uintptr_t at)
{
    return at != 0 ? (struct acre_slab_region *)acre_regions_floor(&slab->regions, at - 1) : NULL;
}

ACRE_NOINLINE struct slab_page_place acre_slab_page_place_other(
    const struct acre_slab *slab, const struct acre_slab_page *page)
{
    struct slab_page_place place;
    struct acre_slab_region *owner = /* the region that the record lies in */
        (struct acre_slab_region *)acre_regions_find(&slab->regions, (uintptr_t)page);
    size_t number = slab_records_between(owner->map + 1, page);
    place.at = owner->map_base + (number << slab->page_log2);
    place.entry = slab_map_entries(slab, owner) + number;
    return place;
}

bool acre_slab_is_record(const struct acre_slab *slab, const struct acre_slab_page *page)
{
    const struct acre_slab_region *owner = /* the region that the record lies in */
        (const struct acre_slab_region *)acre_regions_find(&slab->regions, (uintptr_t)page);
    if (owner == NULL)
        return false;
    uintptr_t offset = (uintptr_t)page - (uintptr_t)(owner->map + 1);
    size_t number = acre_divide(offset, sizeof(struct acre_slab_page));
    const struct acre_slab_region *region =
        acre_slab_find_region(slab, owner->map_base + (number << slab->page_log2));
    return region != NULL &&
           slab_is_record_at((uintptr_t)page - (uintptr_t)(region->records + 1), region->pages);
}

/* ---- entries ---- */

/* Points entries to no slab. */
static void slab_clear_entries(struct acre_slab *slab, struct acre_slab_page **entry, size_t pages)
{
    for (size_t i = 0; i < pages; i++)
        entry[i] = &slab->no_slab;
}

/* Clears the entries of [from, to) that point to a record. */
static void slab_clear_stale_entries(struct acre_slab *slab, struct acre_slab_page **from,
    struct acre_slab_page **to, const struct acre_slab_page *page)
{
    for (; from != to; from++)
        if (*from == page)
            *from = &slab->no_slab;
}

void acre_slab_map_slab(struct acre_slab *slab, struct acre_slab_page *page, size_t pages,
    struct acre_slab_page **entry)
{
    slab_set_entries(entry, page, pages);
    if (page->pages > pages)
        slab_clear_stale_entries(slab, entry + pages, entry + page->pages, page);
    page->pages = (uint8_t)pages;
}

/* ---- records that move to another map ---- */

/* Points the neighbours in a ring to a record that has moved from `was` to `page`. */
static void slab_relink(
    struct acre_slab_page **ring, const struct acre_slab_page *was, struct acre_slab_page *page)
{
    if (was->next == was) {
        page->next = page;
        page->prev = page;
    }
    page->next->prev = page;
    page->prev->next = page;
    if (*ring == was)
        *ring = page;
}

/* The same for a list of free runs. */
static void slab_relink_run(
    struct acre_slab *slab, const struct acre_slab_page *was, struct acre_slab_page *page)
{
    if (slab->runs[page->list] == was)
        slab->runs[page->list] = page;
    else
        page->prev->next = page;
    if (page->next != NULL)
        page->next->prev = page;
}

/* Points entries, and the current slab or ring, to a slab whose records have moved. */
static void slab_move_slab(struct acre_slab *slab, const struct acre_slab_page *was,
    struct acre_slab_page *page, struct acre_slab_page **entry, size_t pages)
{
    for (size_t i = 0; i < pages; i++)
        entry[i] = page;
    unsigned size_class = page->size_class;
    if (!slab_move_current(slab, size_class, was, page) && page->reciprocal != 0)
        slab_relink(&slab->partial[size_class], was, page);
}

/* Moves the records of a slab or run, and all pointers to the first one. */
static void slab_move_records(struct acre_slab *slab, const struct acre_slab_page *was,
    struct acre_slab_page *page, struct acre_slab_page **entry, size_t pages)
{
    memcpy(page, was, pages * sizeof(*page));
    if (slab_is_slab(page)) {
        slab_move_slab(slab, was, page, entry, pages);
        return;
    }
    if (page->state == SLAB_FREE)
        slab_relink_run(slab, was, page);
    slab_clear_entries(slab, entry, pages);
    if (page->state == SLAB_RUN)
        entry[0] = page;
}

/* Points a region to its part of the owner's map. */
static void slab_set_map_owner(
    const struct acre_slab *slab, struct acre_slab_region *region, struct acre_slab_region *owner)
{
    ACRE_ASSERT(owner->map_base <= region->base && region->base <= owner->base); /* SLAB-10 */
    region->map_owner = owner;
    size_t number = (region->base - owner->map_base) >> slab->page_log2;
    region->records = owner->map + number;
    region->page_map = slab_map_entries(slab, owner) + number;
    slab_update_checksum(region);
}

static void slab_move_region(
    struct acre_slab *slab, struct acre_slab_region *region, struct acre_slab_region *owner)
{
    const struct acre_slab_page *was = region->records + 1;
    const struct acre_slab_page *end = was + region->pages;
    slab_set_map_owner(slab, region, owner);
    struct acre_slab_page *page = region->records + 1;
    struct acre_slab_page **entry = region->page_map;
    while (was < end) {
        size_t pages = slab_is_slab(was) ? was->pages : was->length;
        slab_move_records(slab, was, page, entry, pages);
        was += pages;
        page += pages;
        entry += pages;
    }
    ACRE_ASSERT(was == end); /* SLAB-2 */
}

/* ---- shared maps ---- */

static void slab_make_guards(struct acre_slab_page *page, size_t count)
{
    for (size_t i = 0; i < count; i++)
        page[i] = (struct acre_slab_page){ .state = SLAB_GUARD };
}

struct acre_slab_region *acre_slab_lowest_sharing(const struct acre_slab_region *owner)
{
    const struct acre_slab_region *lowest = owner;
    while (slab_prev_region(lowest) != NULL && slab_prev_region(lowest)->map_owner == owner)
        lowest = slab_prev_region(lowest);
    return (struct acre_slab_region *)(uintptr_t)lowest;
}

/* Turns all records in an owner's map that belong to no region into guards. */
static void slab_guard_gaps(struct acre_slab *slab, struct acre_slab_region *owner)
{
    const struct acre_slab_region *region = acre_slab_lowest_sharing(owner);
    const struct acre_slab_region *end = slab_next_region(owner);
    size_t number = 0; /* of the first page after the region before */
    slab_make_guards(owner->map, 1);
    for (; region != end; region = slab_next_region(region)) {
        size_t next = slab_records_between(owner->map, region->records);
        slab_make_guards(owner->map + 1 + number, next - number);
        slab_clear_entries(slab, slab_map_entries(slab, owner) + number, next - number);
        number = next + region->pages;
    }
    slab_make_guards(owner->map + 1 + number, 1);
}

/* Moves the regions that share the map of `from` into the map of `owner`, as far down as it
 * reaches. `owner` is the topmost of these regions, or the region above them. */
static void slab_gather_regions(
    struct acre_slab *slab, const struct acre_slab_region *from, struct acre_slab_region *owner)
{
    struct acre_slab_region *region = owner->map_owner == from ? owner : slab_prev_region(owner);
    for (; region != NULL && region->map_owner == from && region->base >= owner->map_base;
         region = slab_prev_region(region))
        slab_move_region(slab, region, owner);
    slab_guard_gaps(slab, owner);
}

/* Gives a region a map of its own, in a small build. */
static void slab_enter_own_map(struct acre_slab *slab, struct acre_slab_region *region)
{
    region->map_owner = region;
    region->records = region->map;
    region->page_map = slab_map_entries(slab, region);
    region->map[0] = (struct acre_slab_page){ .state = SLAB_GUARD };
    region->map[1 + region->pages] = (struct acre_slab_page){ .state = SLAB_GUARD };
}

void acre_slab_enter_map(struct acre_slab *slab, struct acre_slab_region *region)
{
    if (ACRE_SMALL) {
        slab_enter_own_map(slab, region);
        return;
    }
    const struct acre_slab_region *below = acre_slab_find_region_below(slab, region->range.start);
    if (below != NULL && slab_next_region(region) != NULL &&
        below->map_owner == slab_next_region(region)->map_owner)
        slab_set_map_owner(slab, region, below->map_owner);
    else
        slab_set_map_owner(slab, region, region);
    slab_guard_gaps(slab, region->map_owner);
}

void acre_slab_share_map(
    struct acre_slab *slab, const struct acre_slab_region *low, struct acre_slab_region *region)
{
    slab_set_map_owner(slab, region, region);
    slab_gather_regions(slab, low, region);
}

/* The region has just left the list, but its link to the region below is still valid. */
void acre_slab_leave_map(struct acre_slab *slab, struct acre_slab_region *region)
{
    slab_make_guards(region->records + 1, region->pages);
    slab_clear_entries(slab, region->page_map, region->pages);
    struct acre_slab_region *owner = slab_prev_region(region);
    while (region->map_owner == region && owner != NULL && owner->map_owner == region) {
        slab_gather_regions(slab, region, owner);
        owner = slab_prev_region(acre_slab_lowest_sharing(owner));
    }
}

/* Makes the map of an owner the main map if it is larger than that, or is the main map already and
 * has changed. */
static void slab_prefer_map(struct acre_slab *slab, const struct acre_slab_region *owner)
{
    const struct acre_slab_region *lowest = ACRE_SMALL ? owner : acre_slab_lowest_sharing(owner);
    size_t pages = slab_shared_pages(slab, lowest, owner);
    bool was_main = lowest->base <= slab->base && slab->base <= owner->base;
    if (pages <= slab->pages && !was_main)
        return;
    slab->base = lowest->base;
    slab->pages = pages;
    slab->records = lowest->records + 1;
    slab->page_map = lowest->page_map;
}

void acre_slab_enter_main_map(struct acre_slab *slab, const struct acre_slab_region *region)
{
    slab_prefer_map(slab, region->map_owner);
}

void acre_slab_leave_main_map(struct acre_slab *slab, uintptr_t base)
{
    if (base - slab->base >= slab->pages << slab->page_log2)
        return;
    slab->base = 0;
    slab->pages = 0;
    slab->records = NULL;
    slab->page_map = NULL;
    for (const struct acre_slab_region *region = slab_first_region(slab); region != NULL;
         region = slab_next_region(region))
        if (region->map_owner == region)
            slab_prefer_map(slab, region);
}
