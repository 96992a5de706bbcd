/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab's checker for an image: the rules, their order and their names are those of
 * src/slab/slab_check.c. The index of regions (REGIONS-4) is not looked at.
 */
#include "tool/image/image_slab.h"

#include <stdlib.h>

static const char region_text[] = "SLAB-1: regions are in ascending order and disjoint";
static const char tile_text[] = "SLAB-2: slabs, live runs and free runs tile a region";
static const char run_text[] =
    "SLAB-3: free runs are not adjacent and are in the list of their length";
static const char bits_text[] = "SLAB-5: a slab's clear bits are its live objects";
static const char constant_text[] = "SLAB-6: a slab's constants are its class's";
static const char ring_text[] = "SLAB-7: a slab is current, full, or in its class's ring";
static const char class_text[] = "SLAB-9: the constants agree with page size and classes";
static const char map_text[] =
    "SLAB-10: the regions of a shared map have their records in its owner's map";
static const char header_text[] = "SLAB-11: a region's header has the checksum of its fields";

/* ---- SLAB-9: the control structure ---- */

static bool slab_image_is_valid_page_size(struct slab_audit *audit)
{
    uint64_t log2 = slab_image_element(audit, audit->places.page_log2, 4, 0);
    if (log2 >= slab_image_word_bits(audit))
        return false;
    uint64_t page = (uint64_t)1 << log2;
    audit->shift = (unsigned)log2;
    audit->own.heap->unit = page;
    return page >= MIN_PAGE && page <= MAX_PAGE &&
           ((slab_image_member(audit, audit->places.sizes) * UNIT) & audit->own.mask) ==
               LARGEST_PAGES * page;
}

static bool slab_image_is_valid_class(struct slab_audit *audit, unsigned size_class)
{
    const struct slab_places *places = &audit->places;
    uint64_t size = slab_image_class_size(size_class);
    uint64_t bytes = slab_image_element(audit, places->slab_pages, 1, size_class) << audit->shift;
    return slab_image_element(audit, places->object_size, 4, size_class) == size &&
           slab_image_element(audit, places->reciprocal, 4, size_class) == UINT32_MAX / size + 1 &&
           bytes / size <= slab_image_word_bits(audit) && (bytes == 0 || bytes >= size);
}

static bool slab_image_is_valid_size(struct slab_audit *audit, uint64_t unit)
{
    uint64_t size_class = slab_image_element(audit, audit->places.class_of, 1, unit);
    return size_class < CLASSES &&
           slab_image_element(audit, audit->places.slab_pages, 1, size_class) != 0 &&
           slab_image_class_size((unsigned)size_class) >= (unit + 1) * UNIT;
}

static bool slab_image_check_sizes(struct slab_audit *audit)
{
    const struct slab_places *places = &audit->places;
    uint8_t size_steps[CLASSES] = { 0 };
    for (uint64_t unit = 0; unit < slab_image_member(audit, places->sizes); unit++) {
        if (!slab_image_is_valid_size(audit, unit))
            return slab_image_broken(audit, class_text, audit->own.at + places->class_of + unit);
        size_steps[slab_image_element(audit, places->class_of, 1, unit)]++;
    }
    for (unsigned i = 0; i < CLASSES; i++)
        if (slab_image_element(audit, places->size_steps, 1, i) != size_steps[i])
            return slab_image_broken(audit, class_text, audit->own.at + places->size_steps);
    return true;
}

static bool slab_image_check_settings(struct slab_audit *audit)
{
    const struct slab_places *places = &audit->places;
    if (!slab_image_is_valid_page_size(audit))
        return slab_image_broken(audit, class_text, audit->own.at + places->page_log2);
    for (unsigned i = 0; i < CLASSES; i++)
        if (!slab_image_is_valid_class(audit, i))
            return slab_image_broken(
                audit, class_text, audit->own.at + places->object_size + 4 * (uint64_t)i);
    if (!slab_image_check_sizes(audit))
        return false;
    uint64_t largest = slab_image_member(audit, places->largest_pages);
    if (slab_image_member(audit, places->watermark) !=
        slab_image_run_list(largest / WATERMARK_PART + 1))
        return slab_image_broken(audit, class_text, audit->own.at + places->watermark);
    struct slab_page none = slab_image_read_page(audit, audit->no_slab);
    return (none.reciprocal == 0 && none.bits == audit->own.mask && !slab_image_is_slab(&none)) ||
           slab_image_broken(audit, class_text, audit->no_slab);
}

/* ---- SLAB-11, SLAB-1: regions ---- */

/* The checksum of a header; each of its words as the machine reads it. */
static uint64_t slab_image_header_checksum(struct slab_audit *audit, uint64_t at)
{
    uint64_t sum = at;
    uint64_t words = image_range_size(audit->own.word) / audit->own.word + 6;
    for (uint64_t i = 0; i < words; i++) {
        sum = (sum ^ image_word(&audit->own, at + i * audit->own.word)) + (sum >> 7);
        sum = (sum & audit->own.mask) * UINT64_C(0x9e3779b97f4a7c15) & audit->own.mask;
    }
    return sum;
}

/* False: its header has another checksum, or does not lie in the image. */
static bool slab_image_read_region(
    struct slab_audit *audit, uint64_t at, struct slab_region *region)
{
    unsigned word = audit->own.word;
    uint64_t fields = at + image_range_size(word);
    uint64_t *const numbers[] = { &region->base, &region->pages, &region->records,
        &region->page_map, &region->map_owner, &region->map_base, &region->checksum };
    if (at % word != 0 || !image_has(audit->own.image, at, fields - at + 7 * (uint64_t)word))
        return false;
    for (size_t i = 0; i < 7; i++)
        *numbers[i] = image_word(&audit->own, fields + i * word);
    region->map = fields + 7 * (uint64_t)word;
    return slab_image_header_checksum(audit, at) == region->checksum;
}

static uint64_t slab_image_map_records(
    const struct slab_audit *audit, const struct slab_region *region)
{
    return ((region->base - region->map_base) >> audit->shift) + region->pages + 2;
}

static uint64_t slab_image_map_entries(
    const struct slab_audit *audit, const struct slab_region *region)
{
    return region->map + slab_image_map_records(audit, region) * audit->record;
}

static bool slab_image_is_valid_place(
    const struct slab_audit *audit, const struct slab_region *region)
{
    uint64_t page = (uint64_t)1 << audit->shift;
    uint64_t start = region->range.start;
    uint64_t end = start + (region->range.size - 1);
    if (region->map_base > region->base || ((region->map_base | region->base) & (page - 1)) != 0)
        return false;
    uint64_t map_end = slab_image_map_entries(audit, region) +
                       (slab_image_map_records(audit, region) - 2) * audit->own.word;
    return start <= region->range.at && region->range.at < map_end && map_end <= region->base &&
           region->pages != 0 && region->base < end &&
           region->pages <= (end - region->base + 1) >> audit->shift &&
           image_has(audit->own.image, region->range.at, map_end - region->range.at);
}

static bool slab_image_add_region(struct slab_audit *audit, const struct slab_region *region)
{
    void *regions = image_append(&audit->own, audit->regions, &audit->region_count,
        &audit->region_room, region, sizeof *region);
    if (regions == NULL)
        return false;
    audit->regions = regions;
    return image_add_range(&audit->own, &region->range);
}

static bool slab_image_list_regions(struct slab_audit *audit)
{
    struct image_range below;
    uint64_t at = slab_image_member(audit, audit->places.regions.first);
    for (const struct image_range *before = NULL; at != 0; before = &below) {
        struct slab_region region = { .map = 0 };
        if (!slab_image_read_region(audit, at, &region))
            return slab_image_broken(audit, header_text, at);
        if (audit->region_count == IMAGE_MOST_REGIONS ||
            !image_read_range(&audit->own, at, before, &region.range) ||
            !slab_image_is_valid_place(audit, &region))
            return slab_image_broken(audit, region_text, at);
        below = region.range;
        at = region.range.next;
        if (!slab_image_add_region(audit, &region))
            return false;
    }
    return true;
}

/* ---- SLAB-10: maps ---- */

static const struct slab_region *slab_image_owner_of(
    const struct slab_audit *audit, const struct slab_region *region)
{
    const struct slab_region *end = audit->regions + audit->region_count;
    while (region < end && region->range.at != region->map_owner && region + 1 < end &&
           region[1].map_owner == region->map_owner)
        region++;
    return region->range.at == region->map_owner ? region : NULL;
}

static bool slab_image_is_valid_gap(struct slab_audit *audit, const struct slab_region *region)
{
    uint64_t next = (region[1].base - region->base) >> audit->shift;
    for (uint64_t i = region->pages; i < next; i++) {
        struct slab_page page =
            slab_image_read_page(audit, region->records + (1 + i) * audit->record);
        uint64_t entry = image_word(&audit->own, region->page_map + i * audit->own.word);
        if (page.state != GUARD || page.reciprocal != 0 || entry != audit->no_slab ||
            audit->own.lost)
            return false;
    }
    return true;
}

static bool slab_image_is_valid_map(struct slab_audit *audit, const struct slab_region *region)
{
    const struct slab_region *owner = slab_image_owner_of(audit, region);
    if (owner == NULL || owner->map_base > region->base)
        return false;
    uint64_t index = (region->base - owner->map_base) >> audit->shift;
    return region->records == owner->map + index * audit->record &&
           region->page_map == slab_image_map_entries(audit, owner) + index * audit->own.word &&
           (owner == region || slab_image_is_valid_gap(audit, region));
}

static bool slab_image_check_places(struct slab_audit *audit)
{
    if (!slab_image_list_regions(audit))
        return false;
    for (size_t i = 0; i < audit->region_count; i++)
        if (!slab_image_is_valid_map(audit, &audit->regions[i]))
            return slab_image_broken(audit, map_text, audit->regions[i].range.at);
    return true;
}

static bool slab_image_is_valid_main_map(struct slab_audit *audit)
{
    const struct slab_places *places = &audit->places;
    const struct slab_region *first = audit->regions;
    const struct slab_region *end = first + audit->region_count;
    if (audit->region_count == 0)
        return slab_image_member(audit, places->pages) == 0;
    for (const struct slab_region *region = first; region < end; region++) {
        if (region->map_owner != region->range.at)
            continue;
        if (slab_image_member(audit, places->base) == first->base)
            return slab_image_member(audit, places->records) == first->records + audit->record &&
                   slab_image_member(audit, places->page_map) == first->page_map &&
                   slab_image_member(audit, places->pages) ==
                       ((region->base - first->base) >> audit->shift) + region->pages;
        first = region + 1;
    }
    return false;
}

static bool slab_image_is_valid_cached_region(struct slab_audit *audit, unsigned slot)
{
    uint64_t at = slab_image_pointer(audit, audit->places.region_cache, slot);
    for (size_t i = 0; at != 0 && i < audit->region_count; i++)
        if (audit->regions[i].range.at == at)
            return true;
    return at == 0;
}

/* ---- SLAB-2, 3, 5, 6: what tiles a region ---- */

struct tile {
    const struct slab_region *region;
    struct slab_page page;
    uint64_t pages;
    uint64_t at;   /* address of its first page */
    uint64_t left; /* pages of the region from there on */
};

static struct slab_page slab_image_page_after(
    struct slab_audit *audit, const struct tile *tile, uint64_t pages)
{
    return slab_image_read_page(audit, tile->page.at + pages * audit->record);
}

static uint64_t slab_image_entry_of(
    struct slab_audit *audit, const struct tile *tile, uint64_t index)
{
    uint64_t first = tile->region->pages - tile->left;
    return image_word(&audit->own, tile->region->page_map + (first + index) * audit->own.word);
}

static bool slab_image_is_valid_entries(struct slab_audit *audit, const struct tile *tile)
{
    for (uint64_t i = 0; i < tile->pages; i++)
        if (slab_image_entry_of(audit, tile, i) != tile->page.at)
            return false;
    return slab_image_page_after(audit, tile, tile->pages - 1).to_first == tile->pages - 1;
}

static uint64_t slab_image_due_size_steps(struct slab_audit *audit, const struct slab_page *page)
{
    uint64_t most = page->size / UNIT < UINT8_MAX ? page->size / UNIT : UINT8_MAX;
    return page->state == FALLBACK
               ? most
               : slab_image_element(audit, audit->places.size_steps, 1, page->size_class);
}

static bool slab_image_add_objects(
    struct slab_audit *audit, const struct tile *tile, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        if (!image_add_block(&audit->own, tile->at + i * tile->page.size, tile->page.size,
                (tile->page.bits >> i & 1) == 0))
            return false;
    return true;
}

static const char *slab_image_fault_of_slab(struct slab_audit *audit, const struct tile *tile)
{
    const struct slab_page *page = &tile->page;
    if (page->size_class >= CLASSES || page->size != slab_image_class_size(page->size_class) ||
        page->start != (tile->at & UINT32_MAX))
        return constant_text;
    uint64_t count = slab_image_object_count(audit, page->size_class, page->pages);
    uint64_t all =
        audit->own.mask >> (slab_image_word_bits(audit) - count % slab_image_word_bits(audit)) % 64;
    bool full = count != 0 && (page->bits & all) == 0;
    bool current = slab_image_is_current(audit, page);
    if (page->count != count || count == 0 || page->bits >> count != audit->own.mask >> count)
        return bits_text;
    if (page->size_steps != slab_image_due_size_steps(audit, page) ||
        page->reciprocal != (full && !current ? 0
                                              : slab_image_element(audit, audit->places.reciprocal,
                                                    4, page->size_class)))
        return constant_text;
    if (page->bits == audit->own.mask && !current)
        return ring_text;
    if (!slab_image_is_valid_entries(audit, tile))
        return tile_text;
    uint64_t live = slab_image_word_bits(audit) - image_count_bits(page->bits);
    audit->live += live;
    audit->used += live * page->size;
    audit->partial[page->size_class] += !full && !current;
    return slab_image_add_objects(audit, tile, count) ? NULL : tile_text;
}

/* Whether the entries of a run's pages point to no slab. */
static bool slab_image_is_unmapped(struct slab_audit *audit, const struct tile *tile)
{
    const struct slab_region *region = tile->region;
    for (uint64_t i = 0; i < tile->pages; i++) {
        uint64_t entry = slab_image_entry_of(audit, tile, i);
        uint64_t offset = (entry - region->records) & audit->own.mask;
        if (entry == audit->no_slab)
            continue;
        if (offset % audit->record != 0 || offset / audit->record > region->pages)
            return false;
        struct slab_page page = slab_image_read_page(audit, entry);
        if (slab_image_is_slab(&page))
            return false;
    }
    return true;
}

static const char *slab_image_fault_of_run(struct slab_audit *audit, const struct tile *tile)
{
    const struct slab_page *page = &tile->page;
    uint64_t bytes = tile->pages << audit->shift;
    if (page->reciprocal != 0 || page->size_steps != 0)
        return constant_text;
    if (!slab_image_is_unmapped(audit, tile) ||
        !image_add_block(&audit->own, tile->at, bytes, page->state == RUN))
        return tile_text;
    if (page->state == RUN) {
        audit->live++;
        audit->used += bytes;
        return page->start == (tile->at & UINT32_MAX) &&
                       slab_image_entry_of(audit, tile, 0) == page->at
                   ? NULL
                   : tile_text;
    }
    audit->free_runs++;
    struct slab_page last = slab_image_page_after(audit, tile, tile->pages - 1);
    if (last.state != FREE || last.bits != tile->pages)
        return tile_text;
    return slab_image_page_after(audit, tile, tile->pages).state == FREE ? run_text : NULL;
}

static bool slab_image_is_valid_inner_records(struct slab_audit *audit, const struct tile *tile)
{
    uint64_t ends = tile->page.state == FREE ? 1 : 0;
    for (uint64_t i = 1; i < tile->pages; i++) {
        struct slab_page page = slab_image_page_after(audit, tile, i);
        if ((i < tile->pages - ends && page.state != BLANK) || page.reciprocal != 0 ||
            page.size_steps != 0)
            return false;
    }
    return true;
}

static uint64_t slab_image_tile_pages(const struct slab_page *page, uint64_t left)
{
    bool known = page->state == FREE || page->state == RUN || slab_image_is_slab(page);
    uint64_t pages = slab_image_is_slab(page) ? page->pages : page->bits;
    return known && pages <= left ? pages : 0;
}

static bool slab_image_check_tiles(struct slab_audit *audit, const struct slab_region *region)
{
    struct tile tile = { .region = region, .at = region->base, .left = region->pages };
    uint64_t at = region->records + audit->record;
    if (slab_image_read_page(audit, region->records).state != GUARD)
        return slab_image_broken(audit, tile_text, region->records);
    while (tile.left > 0) {
        tile.page = slab_image_read_page(audit, at);
        tile.pages = slab_image_tile_pages(&tile.page, tile.left);
        if (tile.pages == 0 || !slab_image_is_valid_inner_records(audit, &tile))
            return slab_image_broken(audit, tile_text, at);
        const char *fault = slab_image_is_slab(&tile.page) ? slab_image_fault_of_slab(audit, &tile)
                                                           : slab_image_fault_of_run(audit, &tile);
        if (fault != NULL)
            return slab_image_broken(audit, fault, at);
        at += tile.pages * audit->record;
        tile.at += tile.pages << audit->shift;
        tile.left -= tile.pages;
    }
    return (slab_image_read_page(audit, at).state == GUARD && !audit->own.lost) ||
           slab_image_broken(audit, tile_text, at);
}

static bool slab_image_check_regions(struct slab_audit *audit)
{
    for (size_t i = 0; i < audit->region_count; i++)
        if (!slab_image_check_tiles(audit, &audit->regions[i]))
            return false;
    if (!slab_image_is_valid_main_map(audit))
        return slab_image_broken(audit, "SLAB-10: the main map is one of the shared maps",
            audit->own.at + audit->places.base);
    for (unsigned slot = 0; slot < CACHED_REGIONS; slot++)
        if (!slab_image_is_valid_cached_region(audit, slot))
            return slab_image_broken(audit, "SLAB-1: cached regions are owned",
                audit->own.at + audit->places.region_cache + slot * (uint64_t)audit->own.word);
    return true;
}

/* Whether it is a zeroed one, which has no settings yet. */
static bool slab_image_is_blank(struct slab_audit *audit)
{
    const struct slab_places *places = &audit->places;
    return slab_image_member(audit, places->sizes) == 0 &&
           slab_image_element(audit, places->page_log2, 4, 0) == 0 &&
           slab_image_member(audit, places->regions.first) == 0;
}

void image_check_slab(struct image_heap *heap, const struct image *image, uint64_t at)
{
    unsigned word = image->facts.word;
    struct slab_audit audit = { .places = slab_image_places_of(word),
        .record = 3 * word + 16,
        .lists = slab_image_run_lists(word) };
    audit.no_slab = at + audit.places.no_slab;
    if (!image_begin(&audit.own, heap, image, at, audit.places.size) || slab_image_is_blank(&audit))
        return;
    if (slab_image_check_settings(&audit) && slab_image_check_places(&audit) &&
        slab_image_check_regions(&audit) && slab_image_check_runs(&audit) &&
        slab_image_check_classes(&audit))
        slab_image_check_counts(&audit);
    free(audit.regions);
}
