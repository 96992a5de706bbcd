/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab's regions: set-up, adding, removing, reset.
 */
#include "base/exhausted.h"
#include "base/memory.h"
#include "slab/slab_private.h"

/* ---- setup ---- */

/* 2^32 / size, rounded up: for offsets below 2^17 bytes the product's low half is less than this
 * just for multiples of the size. */
static uint32_t magic_of(size_t size)
{
    return UINT32_MAX / (uint32_t)size + 1;
}

/* Whether so many pages leave at most 1/32 over, and hold as many objects as is worth a slab. */
static bool is_good(size_t pages, size_t page, size_t size)
{
    size_t count = pages * page / size;
    count = count < SLAB_MOST_OBJECTS ? count : SLAB_MOST_OBJECTS;
    size_t enough = SLAB_MOST_OBJECTS / 3;
    if (size <= 8 * (size_t)ACRE_SLAB_UNIT)
        enough = SLAB_MOST_OBJECTS / 4 * 3;
    return count >= enough && (pages * page - count * size) * 32 <= pages * page;
}

/* Pages of a slab: the fewest that are good, else those that leave the least part over. */
static size_t best_pages(size_t page, size_t size)
{
    size_t least = (size + page - 1) / page;
    size_t best = least;
    for (size_t pages = least; pages * page / size <= SLAB_WORD_BITS; pages++) {
        if (pages > SLAB_MOST_PAGES)
            break;
        if (is_good(pages, page, size))
            return pages;
        if (pages * page % size * best <= best * page % size * pages)
            best = pages;
    }
    return best;
}

static void set_class(struct acre_slab *slab, unsigned size_class, size_t page)
{
    size_t size = slab_class_size(size_class);
    slab->size[size_class] = (uint32_t)size;
    slab->magic[size_class] = magic_of(size);
    if (size <= ACRE_SLAB_LARGEST_PAGES * page && page / size <= SLAB_WORD_BITS)
        slab->slab_pages[size_class] = (uint8_t)best_pages(page, size);
}

/* A class whose slabs would have more objects than bits is left out. */
static void set_class_of(struct acre_slab *slab)
{
    unsigned size_class = 0;
    for (unsigned unit = 0; unit < slab->sizes; unit++) {
        while (slab_class_size(size_class) < (unit + 1) * (size_t)ACRE_SLAB_UNIT ||
               slab->slab_pages[size_class] == 0)
            size_class++;
        slab->class_of[unit] = (uint8_t)size_class;
    }
}

enum acre_status acre_slab_setup(struct acre_slab *slab, size_t page)
{
    if (!acre_is_pow2(page) || page < ACRE_SLAB_MIN_PAGE || page > ACRE_SLAB_MAX_PAGE)
        return ACRE_INVALID_PARAM;
    memset(slab, 0, sizeof(*slab));
    slab->page_log2 = acre_bits_highest(page);
    slab->sizes = ACRE_SLAB_LARGEST_PAGES * page / ACRE_SLAB_UNIT;
    for (unsigned size_class = 0; size_class < ACRE_SLAB_CLASSES; size_class++)
        set_class(slab, size_class, page);
    set_class_of(slab);
    slab->none.free = SIZE_MAX;
    slab->plenty = slab_run_list(1);
    acre_slab_clear_hands(slab);
    return ACRE_OK;
}

void acre_slab_clear_hands(struct acre_slab *slab)
{
    for (unsigned size_class = 0; size_class < ACRE_SLAB_CLASSES; size_class++) {
        slab->hand[size_class] = &slab->none;
        slab->start[size_class] = 0;
        slab->count[size_class] = 0;
        slab->partial[size_class] = NULL;
    }
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

/* ---- where a region's parts lie ---- */

static uintptr_t descriptor_in(uintptr_t start)
{
    return acre_align_up(start, ACRE_ALIGNOF(struct acre_slab_region));
}

/* Bytes of descriptor, guards, and what is known of so many pages. */
static size_t metadata_of(size_t pages)
{
    return sizeof(struct acre_slab_region) + 2 * sizeof(struct acre_slab_page) +
           pages * ACRE_SLAB_PER_PAGE;
}

static uintptr_t base_of(const struct acre_slab *slab, uintptr_t start, size_t pages)
{
    return slab_base_behind(slab, start, metadata_of(pages));
}

/* Pages of a range that does not wrap, beside their metadata. */
static size_t pages_in(const struct acre_slab *slab, uintptr_t start, size_t size)
{
    size_t lost = (size_t)(descriptor_in(start) - start) + metadata_of(0);
    if (size <= lost)
        return 0;
    size_t pages = (size - lost) / (slab_page_size(slab) + ACRE_SLAB_PER_PAGE);
    while (pages != 0 &&
           (size_t)(base_of(slab, start, pages) - start) + (pages << slab->page_log2) > size)
        pages--;
    return pages;
}

/* ---- init, add_memory ---- */

static bool is_owned(const struct acre_slab *slab, uintptr_t start, size_t size)
{
    for (const struct acre_slab_region *region = slab->regions; region; region = region->next)
        if (acre_ranges_overlap(region->start, region->size, start, size))
            return true;
    return acre_ranges_overlap((uintptr_t)slab, sizeof(*slab), start, size);
}

enum acre_status acre_slab_offer(
    const struct acre_slab *slab, uintptr_t start, size_t size, size_t pages)
{
    if (start == 0 || acre_range_wraps(start, size) || pages == 0)
        return ACRE_INVALID_PARAM;
    return is_owned(slab, start, size) ? ACRE_MEMORY_OVERLAP : ACRE_OK;
}

void acre_slab_lay_pages(struct acre_slab *slab, struct acre_slab_region *region)
{
    for (size_t i = 0; i < region->pages; i++) {
        region->records[1 + i] = (struct acre_slab_page){ .state = SLAB_BLANK };
        region->heads[i] = &slab->none;
    }
    acre_slab_run_give(slab, region->records + 1, region->pages);
}

struct acre_slab_region *acre_slab_region_below(const struct acre_slab *slab, uintptr_t at)
{
    struct acre_slab_region *below = NULL;
    for (struct acre_slab_region *region = slab->regions; region != NULL; region = region->next)
        if (region->start < at)
            below = region;
    return below;
}

struct acre_slab_region *acre_slab_insert_region(
    struct acre_slab *slab, uintptr_t start, size_t size, const struct slab_place *place)
{
    struct acre_slab_region *below = acre_slab_region_below(slab, start);
    struct acre_slab_region **link = below != NULL ? &below->next : &slab->regions;
    uintptr_t at = descriptor_in(start);
    struct acre_slab_region *region = (void *)at;
    region->next = *link;
    region->start = start;
    region->size = size;
    region->base = place->base;
    region->pages = place->pages;
    region->table_base = place->table_base;
    *link = region;
    slab->total += size;
    slab->capacity += place->pages;
    return region;
}

enum acre_status acre_slab_add_memory(struct acre_slab *slab, void *start, size_t size)
{
    uintptr_t at = (uintptr_t)start;
    size_t pages = !acre_range_wraps(at, size) ? pages_in(slab, at, size) : 0;
    enum acre_status status = acre_slab_offer(slab, at, size, pages);
    if (status != ACRE_OK)
        return status;
    uintptr_t base = base_of(slab, at, pages);
    struct slab_place place = { base, base, pages };
    struct acre_slab_region *region = acre_slab_insert_region(slab, at, size, &place);
    acre_slab_enter_window(slab, region);
    acre_slab_lay_pages(slab, region);
    acre_slab_look_at_largest(slab);
    return ACRE_OK;
}

enum acre_status acre_slab_init(struct acre_slab *slab, void *start, size_t size)
{
    acre_slab_setup(slab, slab_page_size(slab));
    return acre_slab_add_memory(slab, start, size);
}

/* ---- remove_memory, reset ---- */

bool acre_slab_is_all_free(const struct acre_slab_region *region)
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

static void drop_hands(struct acre_slab *slab, const struct acre_slab_region *region)
{
    const struct acre_slab_page *end = region->records + region->pages;
    for (unsigned size_class = 0; size_class < ACRE_SLAB_CLASSES; size_class++) {
        const struct acre_slab_page *hand = slab->hand[size_class];
        if (hand > region->records && hand <= end)
            acre_slab_drop_hand(slab, size_class);
    }
}

static void forget(struct acre_slab *slab, const struct acre_slab_region *gone)
{
    for (size_t i = 0; i < ACRE_SLAB_NEAR; i++)
        if (slab->near[i] == gone)
            slab->near[i] = NULL;
}

enum acre_status acre_slab_remove_memory(struct acre_slab *slab, void *start)
{
    struct acre_slab_region **link = &slab->regions;
    while (*link != NULL && (*link)->start != (uintptr_t)start)
        link = &(*link)->next;
    struct acre_slab_region *region = *link;
    if (region == NULL)
        return ACRE_NOT_ALLOCATED;
    if (!acre_slab_is_all_free(region))
        return ACRE_INVALID_PARAM;
    drop_hands(slab, region);
    acre_slab_run_cut(slab, region->records + 1, region->pages);
    *link = region->next;
    slab->total -= region->size;
    slab->capacity -= region->pages;
    acre_slab_leave_window(slab, region);
    acre_slab_look_at_largest(slab);
    forget(slab, region);
    return ACRE_OK;
}

void acre_slab_reset(struct acre_slab *slab)
{
    acre_slab_clear_hands(slab);
    memset(slab->nonempty, 0, sizeof(slab->nonempty));
    memset(slab->runs, 0, sizeof(slab->runs));
    slab->room = 0;
    slab->peak = 0;
    slab->live_blocks = 0;
    slab->failed = 0;
    for (struct acre_slab_region *region = slab->regions; region; region = region->next)
        acre_slab_lay_pages(slab, region);
}
