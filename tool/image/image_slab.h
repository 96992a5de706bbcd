/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/** @file What the files of slab's checker for an image share: places of members, what was read. */
#ifndef ACRE_TOOL_IMAGE_IMAGE_SLAB_H
#define ACRE_TOOL_IMAGE_IMAGE_SLAB_H

#include "tool/image/image_audit.h"

enum { BLANK, FREE, RUN, OBJECTS, FALLBACK, GUARD }; /* states of a record */

enum {
    UNIT = 16,
    MIN_PAGE = 128,
    MAX_PAGE = 2048,
    LARGEST_PAGES = 4,
    SIZES = LARGEST_PAGES * MAX_PAGE / UNIT,
    CLASSES = 56,
    CACHED_REGIONS = 64,
    LINEAR_RUNS = 32,
    WATERMARK_PART = 16
};

/* struct acre_slab. */
struct slab_places {
    uint64_t base, pages, page_map, sizes, page_log2, headroom, live_blocks, class_of, current,
        current_start, current_count, object_size, reciprocal, size_steps, slab_pages, partial,
        no_slab, records, peak, capacity, largest_pages, largest_regions, watermark, region_cache,
        nonempty, runs, size;
    struct image_regions regions;
};

/* struct acre_slab_page; `bits` is also the length of a run, `count` also its list. */
struct slab_page {
    uint64_t at;
    uint64_t bits, next, prev, reciprocal, start;
    unsigned size, pages, to_first, size_steps, state, size_class, count;
};

struct slab_region {
    struct image_range range;
    uint64_t base, pages, records, page_map, map_owner, map_base, checksum;
    uint64_t map; /* where its own map begins: behind the fields above */
};

struct slab_audit {
    struct image_audit own;
    struct slab_places places;
    unsigned shift;  /* log2 of a page */
    unsigned record; /* bytes of one */
    unsigned lists;  /* of free runs */
    uint64_t no_slab;
    struct slab_region *regions;
    size_t region_count, region_room;
    uint64_t live, used, free_runs;
    uint64_t partial[CLASSES];
};

unsigned slab_image_run_lists(unsigned word);
struct slab_places slab_image_places_of(unsigned word);
uint64_t slab_image_class_size(unsigned size_class);
bool slab_image_broken(struct slab_audit *audit, const char *text, uint64_t where);
uint64_t slab_image_member(struct slab_audit *audit, uint64_t place);
uint64_t slab_image_element(
    struct slab_audit *audit, uint64_t place, unsigned size, uint64_t index);
uint64_t slab_image_pointer(struct slab_audit *audit, uint64_t place, uint64_t index);
unsigned slab_image_word_bits(const struct slab_audit *audit);
struct slab_page slab_image_read_page(struct slab_audit *audit, uint64_t at);
bool slab_image_is_slab(const struct slab_page *page);
uint64_t slab_image_object_count(struct slab_audit *audit, unsigned size_class, uint64_t pages);
uint64_t slab_image_run_list(uint64_t pages);
bool slab_image_is_current(struct slab_audit *audit, const struct slab_page *page);
bool slab_image_check_runs(struct slab_audit *audit);
bool slab_image_check_classes(struct slab_audit *audit);
bool slab_image_check_counts(struct slab_audit *audit);

#endif
