/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab's checker for an image: lists of runs, rings of slabs, counts. The rest is in image_slab.c.
 */
#include "tool/image/image_slab.h"

static const char run_text[] =
    "SLAB-3: free runs are not adjacent and are in the list of their length";
static const char list_text[] = "SLAB-4: a list's bit is set if and only if it has runs";
static const char ring_text[] = "SLAB-7: a slab is current, full, or in its class's ring";
static const char count_text[] = "SLAB-8: the counts are the sums over all blocks";

/* ---- SLAB-3, 4, 7: the lists ---- */

/* The region that has a record, or null. */
static const struct slab_region *slab_image_region_of_record(
    const struct slab_audit *audit, uint64_t at)
{
    for (size_t i = 0; i < audit->region_count; i++) {
        const struct slab_region *region = &audit->regions[i];
        uint64_t offset = at - (region->records + audit->record);
        if (offset % audit->record == 0 && offset / audit->record < region->pages)
            return region;
    }
    return NULL;
}

static bool slab_image_is_listed_run(
    struct slab_audit *audit, const struct slab_page *page, uint64_t list)
{
    (void)audit;
    return page->state == FREE && slab_image_run_list(page->bits) == list && page->count == list;
}

static bool slab_image_is_partial(
    struct slab_audit *audit, const struct slab_page *page, uint64_t size_class)
{
    return slab_image_is_slab(page) && page->size_class == size_class && page->reciprocal != 0 &&
           !slab_image_is_current(audit, page);
}

/* Length of a ring all of whose records are as `wanted` says; UINT64_MAX when one is not. */
static uint64_t slab_image_ring_length(struct slab_audit *audit, uint64_t first, uint64_t most,
    bool (*wanted)(struct slab_audit *, const struct slab_page *, uint64_t), uint64_t which)
{
    uint64_t count = 0;
    for (uint64_t at = first; at != 0;) {
        if (count++ == most || slab_image_region_of_record(audit, at) == NULL)
            return UINT64_MAX;
        struct slab_page page = slab_image_read_page(audit, at);
        if (!wanted(audit, &page, which) || slab_image_region_of_record(audit, page.next) == NULL ||
            slab_image_read_page(audit, page.next).prev != at)
            return UINT64_MAX;
        at = page.next != first ? page.next : 0;
    }
    return count;
}

bool slab_image_check_runs(struct slab_audit *audit)
{
    const struct slab_places *places = &audit->places;
    uint64_t found = 0;
    unsigned bits = slab_image_word_bits(audit);
    for (unsigned list = 0; list < (audit->lists + bits - 1) / bits * bits; list++) {
        bool bit =
            (slab_image_pointer(audit, places->nonempty, list / bits) >> list % bits & 1) != 0;
        bool exists = list < audit->lists;
        uint64_t first = exists ? slab_image_pointer(audit, places->runs, list) : 0;
        uint64_t length =
            slab_image_ring_length(audit, first, audit->free_runs, slab_image_is_listed_run, list);
        if (length == UINT64_MAX)
            return slab_image_broken(
                audit, run_text, audit->own.at + places->runs + list * (uint64_t)audit->own.word);
        if (bit != (length != 0))
            return slab_image_broken(audit, list_text,
                audit->own.at + places->nonempty + list / bits * (uint64_t)audit->own.word);
        found += length;
    }
    return found == audit->free_runs ||
           slab_image_broken(audit, run_text, audit->own.at + places->runs);
}

static bool slab_image_is_valid_current(struct slab_audit *audit, unsigned size_class)
{
    const struct slab_places *places = &audit->places;
    uint64_t current = slab_image_pointer(audit, places->current, size_class);
    uint64_t count = slab_image_element(audit, places->current_count, 4, size_class);
    if (current == audit->no_slab)
        return count == 0;
    const struct slab_region *region = slab_image_region_of_record(audit, current);
    if (region == NULL)
        return false;
    struct slab_page page = slab_image_read_page(audit, current);
    uint64_t index = (current - region->records) / audit->record - 1;
    return slab_image_is_slab(&page) && page.size_class == size_class &&
           slab_image_pointer(audit, places->current_start, size_class) ==
               region->base + (index << audit->shift) &&
           count == slab_image_object_count(audit, size_class, page.pages);
}

bool slab_image_check_classes(struct slab_audit *audit)
{
    const struct slab_places *places = &audit->places;
    for (unsigned i = 0; i < CLASSES; i++) {
        uint64_t most = audit->partial[i];
        uint64_t first = slab_image_pointer(audit, places->partial, i);
        if (!slab_image_is_valid_current(audit, i) ||
            slab_image_ring_length(audit, first, most, slab_image_is_partial, i) != most)
            return slab_image_broken(
                audit, ring_text, audit->own.at + places->current + i * (uint64_t)audit->own.word);
    }
    return true;
}

/* ---- SLAB-8: the counts ---- */

static bool slab_image_check_largest(struct slab_audit *audit, uint64_t *total, uint64_t *capacity)
{
    uint64_t largest = 0;
    uint64_t as_large = 0;
    for (size_t i = 0; i < audit->region_count; i++) {
        const struct slab_region *region = &audit->regions[i];
        *total += region->range.size;
        *capacity += region->pages;
        as_large = region->pages > largest ? 1 : as_large + (region->pages == largest);
        largest = region->pages > largest ? region->pages : largest;
    }
    return slab_image_member(audit, audit->places.largest_pages) == largest &&
           slab_image_member(audit, audit->places.largest_regions) == as_large;
}

bool slab_image_check_counts(struct slab_audit *audit)
{
    const struct slab_places *places = &audit->places;
    uint64_t total = 0;
    uint64_t capacity = 0;
    uint64_t headroom = slab_image_member(audit, places->headroom);
    uint64_t used = (slab_image_member(audit, places->peak) - headroom) & audit->own.mask;
    bool largest = slab_image_check_largest(audit, &total, &capacity);
    if (slab_image_member(audit, places->live_blocks) != audit->live)
        return slab_image_broken(audit, count_text, audit->own.at + places->live_blocks);
    if (headroom > audit->own.mask / 2 || used != audit->used)
        return slab_image_broken(audit, count_text, audit->own.at + places->headroom);
    if (slab_image_member(audit, places->regions.total) != total)
        return slab_image_broken(audit, count_text, audit->own.at + places->regions.total);
    if (!largest)
        return slab_image_broken(audit, count_text, audit->own.at + places->largest_pages);
    return slab_image_member(audit, places->capacity) == capacity ||
           slab_image_broken(audit, count_text, audit->own.at + places->capacity);
}
