/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab's settings and regions: setup, init, add, remove, reset.
 */
#include "base/exhausted.h"
#include "base/memory.h"
#include "slab/slab_tables.h"

/* ---- settings ---- */

/* Sets the page size and all that follows from it, in an allocator without regions. */
static void slab_set_page_size(struct acre_slab *slab, size_t page)
{
    slab->page_log2 = acre_bits_highest(page);
    slab->sizes = ACRE_SLAB_LARGEST_PAGES * page / ACRE_SLAB_UNIT;
    acre_slab_set_constants(slab);
    acre_slab_clear_classes(slab);
}

/* The page size that was set, or the default. */
static size_t slab_page_setting(const struct acre_slab *slab)
{
    return slab_has_settings(slab) ? slab_page_size(slab) : (size_t)ACRE_SLAB_PAGE;
}

enum acre_status acre_slab_setup(struct acre_slab *slab, size_t page)
{
    if (!acre_is_pow2(page) || page < ACRE_SLAB_MIN_PAGE || page > ACRE_SLAB_MAX_PAGE ||
        slab->regions.first != NULL)
        return ACRE_INVALID_PARAM;
    slab_set_page_size(slab, page);
    return ACRE_OK;
}

void acre_slab_set_on_exhausted(struct acre_slab *slab, acre_exhausted_fn *handler, void *arg)
{
    acre_set_exhausted_hook(&slab->on_exhausted, handler, arg);
}

void acre_slab_set_on_released(struct acre_slab *slab, acre_released_fn *handler, void *arg)
{
    slab->on_released = handler;
    slab->on_released_arg = arg;
}

/* ---- add_memory ---- */

/* The status with which add_memory accepts or refuses a range that has room for `pages` pages. */
static enum acre_status slab_check_range(
    const struct acre_slab *slab, uintptr_t start, size_t size, size_t pages)
{
    struct acre_region range = { .start = start, .size = size };
    if (pages == 0)
        return ACRE_INVALID_PARAM;
    return acre_regions_admit(&slab->regions, &range, slab, sizeof(*slab));
}

/* A part of a range for a header, metadata and pages. */
struct slab_usable {
    uintptr_t start;
    size_t size;
};

/* The part of a range that is left after the gaps to adjacent regions. */
static struct slab_usable slab_leave_gaps(
    const struct acre_slab *slab, uintptr_t start, size_t size)
{
    const struct acre_slab_region *below = acre_slab_find_region_below(slab, start);
    const struct acre_slab_region *above =
        below != NULL ? slab_next_region(below) : slab_first_region(slab);
    uintptr_t metadata =
        above != NULL ? (uintptr_t)above - acre_region_node_size(above->range.size) : 0;
    size_t first = 0;
    size_t last = 0;
    if (below != NULL && start - slab_pages_end(slab, below) < SLAB_GAP)
        first = SLAB_GAP - (size_t)(start - slab_pages_end(slab, below));
    if (above != NULL && metadata - start - size < SLAB_GAP)
        last = SLAB_GAP - (size_t)(metadata - start - size);
    if (size < first + last)
        return (struct slab_usable){ start, 0 };
    return (struct slab_usable){ start + first, size - first - last };
}

/* The address of the header of a region of `whole` bytes whose usable part begins at `start`. */
static uintptr_t slab_header_place(uintptr_t start, size_t whole)
{
    return acre_align_up(start, ACRE_ALIGNOF(struct acre_slab_region)) +
           acre_region_node_size(whole);
}

/* The layout of a region of `whole` bytes in a range that does not wrap, with a map of its own. */
static struct slab_region_layout slab_plan_region(
    struct slab_usable range, size_t whole, size_t page)
{
    uintptr_t header = slab_header_place(range.start, whole);
    size_t lost = (size_t)(header - range.start) + SLAB_GAP_BELOW + slab_metadata_size(0);
    size_t pages =
        range.size > lost ? acre_divide(range.size - lost, page + ACRE_SLAB_PER_PAGE) : 0;
    uintptr_t base;
    for (;; pages--) {
        base = acre_align_up(header + slab_metadata_size(pages) + SLAB_GAP_BELOW, page);
        if (pages == 0 || (size_t)(base - range.start) + acre_multiply(pages, page) <= range.size)
            break;
    }
    return (struct slab_region_layout){ header, base, base, pages };
}

/* Updates the checksums of the neighbours, whose links change when a region is added or removed. */
static void slab_update_neighbours(const struct acre_slab_region *region)
{
    if (region->range.prev != NULL)
        slab_update_checksum((struct acre_slab_region *)region->range.prev);
    if (region->range.next != NULL)
        slab_update_checksum(slab_next_region(region));
}

/* Writes a region's header and enters it into the list and the counts. */
static struct acre_slab_region *slab_insert_region(
    struct acre_slab *slab, uintptr_t start, size_t size, const struct slab_region_layout *layout)
{
    struct acre_slab_region *region = (void *)layout->header;
    region->range = (struct acre_region){ .start = start, .size = size };
    region->range.has_node = acre_region_node_size(size) != 0;
    region->base = layout->base;
    region->pages = layout->pages;
    region->map_base = layout->map_base;
    acre_regions_insert(&slab->regions, &region->range);
    slab_update_neighbours(region);
    slab->capacity += layout->pages;
    return region;
}

/* Makes all of a region's pages one free run. */
static void slab_free_all_pages(struct acre_slab *slab, struct acre_slab_region *region)
{
    for (size_t i = 0; i < region->pages; i++) {
        region->records[1 + i] = (struct acre_slab_page){ .state = SLAB_BLANK };
        region->page_map[i] = &slab->no_slab;
    }
    acre_slab_run_free(slab, region->records + 1, region->pages);
}

/* Updates watermark and main map after a region has been added and has entered its map. */
static void slab_note_added(struct acre_slab *slab, const struct acre_slab_region *region)
{
    slab_raise_watermark(slab, region);
    acre_slab_enter_main_map(slab, region);
}

enum acre_status acre_slab_add_memory(struct acre_slab *slab, void *start, size_t size)
{
    uintptr_t at = (uintptr_t)start;
    size_t page = slab_page_setting(slab);
    struct slab_region_layout layout = { 0, 0, 0, 0 };
    if (!acre_range_wraps(at, size))
        layout = slab_plan_region((struct slab_usable){ at, size }, size, page);
    enum acre_status status = slab_check_range(slab, at, size, layout.pages);
    if (status != ACRE_OK)
        return status;
    if (!ACRE_ONE_REGION)
        layout = slab_plan_region(slab_leave_gaps(slab, at, size), size, page);
    if (layout.pages == 0)
        return ACRE_INVALID_PARAM;
    if (!slab_has_settings(slab))
        slab_set_page_size(slab, ACRE_SLAB_PAGE);
    struct acre_slab_region *region = slab_insert_region(slab, at, size, &layout);
    acre_slab_enter_map(slab, region);
    slab_free_all_pages(slab, region);
    slab_note_added(slab, region);
    return ACRE_OK;
}

/* ---- add_memory_adjacent ---- */

/* The layout of a region whose map begins at a page of a lower region; 0 pages if that map would
 * take more than a twelfth of the region. A twelfth has room for the map of pages that span twice
 * the region. */
static struct slab_region_layout slab_plan_shared(
    const struct acre_slab *slab, uintptr_t map_base, struct slab_usable range, size_t whole)
{
    uintptr_t header = slab_header_place(range.start, whole);
    size_t mapped = ((range.start + (range.size - 1) - map_base) >> slab->page_log2) + 1;
    size_t metadata = slab_metadata_size(mapped) + SLAB_GAP_BELOW;
    uintptr_t base = acre_align_up(header + metadata, slab_page_size(slab));
    bool fits = metadata <= acre_divide(range.size, 12);
    ACRE_ASSERT(!fits || base - range.start < range.size); /* the rest is more than a page */
    size_t pages = fits ? (range.size - (size_t)(base - range.start)) >> slab->page_log2 : 0;
    return (struct slab_region_layout){ header, map_base, base, pages };
}

enum acre_status acre_slab_add_memory_adjacent(struct acre_slab *slab, void *start, size_t size)
{
    uintptr_t at = (uintptr_t)start;
    const struct acre_slab_region *low = ACRE_SMALL ? NULL : acre_slab_find_region_below(slab, at);
    if (low == NULL || low->map_owner != low || acre_range_wraps(at, size) ||
        slab_check_range(slab, at, size, size) != ACRE_OK)
        return acre_slab_add_memory(slab, start, size);
    struct slab_usable range = slab_leave_gaps(slab, at, size);
    struct slab_region_layout layout =
        slab_plan_shared(slab, acre_slab_lowest_sharing(low)->base, range, size);
    if (range.size == 0 || layout.pages == 0)
        return acre_slab_add_memory(slab, start, size);
    struct acre_slab_region *region = slab_insert_region(slab, at, size, &layout);
    acre_slab_share_map(slab, low, region);
    slab_free_all_pages(slab, region);
    slab_note_added(slab, region);
    return ACRE_OK;
}

/* ---- init, remove_memory, reset ---- */

enum acre_status acre_slab_init(struct acre_slab *slab, void *start, size_t size)
{
    size_t page = slab_page_setting(slab);
    memset(slab, 0, offsetof(struct acre_slab, on_exhausted));
    slab_set_page_size(slab, page);
    return acre_slab_add_memory(slab, start, size);
}

struct acre_ptr acre_slab_create(void *start, size_t size)
{
    uintptr_t at = acre_align_up((uintptr_t)start, ACRE_ALIGNOF(struct acre_slab));
    size_t skip = at - (uintptr_t)start + sizeof(struct acre_slab);
    size_t rest = size - skip;
    struct slab_usable usable = { at + sizeof(struct acre_slab), rest };
    if (start == NULL || at == 0 || size < skip || acre_range_wraps((uintptr_t)start, size) ||
        (ACRE_SMALL && rest > (size_t)ACRE_MAX_POOL) ||
        slab_plan_region(usable, rest, ACRE_SLAB_PAGE).pages == 0)
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    struct acre_slab *slab = (void *)at;
    memset(slab, 0, sizeof(*slab));
    enum acre_status status = acre_slab_init(slab, slab + 1, rest);
    ACRE_ASSERT(status == ACRE_OK);
    return (struct acre_ptr){ slab, status };
}

/* Whether a region has no live block: only free runs and empty slabs. */
static bool slab_is_region_free(const struct acre_slab_region *region)
{
    const struct acre_slab_page *page = region->records + 1;
    while (page->state != SLAB_GUARD) {
        if (page->state == SLAB_FREE)
            page += page->length;
        else if (slab_is_slab(page) && slab_is_empty(page))
            page += page->pages;
        else
            return false;
    }
    return true;
}

enum acre_status acre_slab_remove_memory(struct acre_slab *slab, void *start)
{
    struct acre_slab_region *region =
        (struct acre_slab_region *)acre_regions_starting_at(&slab->regions, (uintptr_t)start);
    if (region == NULL)
        return ACRE_NOT_ALLOCATED;
    if (!slab_is_region_free(region))
        return ACRE_INVALID_PARAM;
    if (!ACRE_SMALL)
        acre_slab_destroy_current_in(slab, region);
    acre_slab_run_take_front(slab, region->records + 1, region->pages);
    acre_regions_remove(&slab->regions, &region->range);
    slab_update_neighbours(region);
    slab->capacity -= region->pages;
    acre_slab_leave_map(slab, region);
    slab_uncache_region(slab, region);
    acre_slab_leave_main_map(slab, region->base);
    slab_lower_watermark(slab, region->pages);
    return ACRE_OK;
}

void acre_slab_reset(struct acre_slab *slab)
{
    if (slab_has_settings(slab))
        acre_slab_clear_classes(slab);
    memset(slab->nonempty, 0, sizeof(slab->nonempty));
    memset(slab->runs, 0, sizeof(slab->runs));
    slab->headroom = 0;
    slab->peak = 0;
    slab->live_blocks = 0;
    slab->failed = 0;
    for (struct acre_slab_region *region = slab_first_region(slab); region != NULL;
         region = slab_next_region(region))
        slab_free_all_pages(slab, region);
}
