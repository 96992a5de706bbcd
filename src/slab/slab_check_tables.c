/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab's checker of the tables per class and the region cache: SLAB-9, and parts of SLAB-1 and
 * SLAB-7.
 */
#include "base/memory.h"
#include "slab/slab_tables.h"

#if ACRE_MAX_POOL == 0

/* ---- SLAB-9 ---- */

static bool slab_is_valid_class(const struct acre_slab *slab, unsigned size_class)
{
    size_t size = slab_class_size(size_class);
    size_t pages = slab->slab_pages[size_class];
    return slab->object_size[size_class] == size &&
           slab->reciprocal[size_class] == acre_divide(UINT32_MAX, size) + 1 &&
           (pages << slab->page_log2) < acre_multiply(SLAB_WORD_BITS + 1, size) &&
           (pages == 0 || pages << slab->page_log2 >= size);
}

static bool slab_is_valid_size(const struct acre_slab *slab, size_t unit)
{
    unsigned size_class = slab->class_of[unit];
    return size_class < ACRE_SLAB_CLASSES && slab->slab_pages[size_class] != 0 &&
           slab_class_size(size_class) >= (unit + 1) * ACRE_SLAB_UNIT;
}

const void *acre_slab_find_bad_constant(const struct acre_slab *slab)
{
    for (unsigned size_class = 0; size_class < ACRE_SLAB_CLASSES; size_class++)
        if (!slab_is_valid_class(slab, size_class))
            return &slab->object_size[size_class];
    uint8_t size_steps[ACRE_SLAB_CLASSES] = { 0 };
    for (size_t unit = 0; unit < slab->sizes; unit++) {
        if (!slab_is_valid_size(slab, unit))
            return &slab->class_of[unit];
        size_steps[slab->class_of[unit]]++;
    }
    if (memcmp(size_steps, slab->size_steps, sizeof(size_steps)) != 0)
        return slab->size_steps;
    return slab->watermark != slab_watermark_list(slab) ? &slab->watermark : NULL;
}

/* ---- SLAB-1 ---- */

/* Whether a slot of the region cache holds null or one of the regions. */
static bool slab_is_valid_cached_region(const struct acre_slab *slab, size_t entry)
{
    const struct acre_slab_region *region = slab_first_region(slab);
    while (region != NULL && region != slab->region_cache[entry])
        region = slab_next_region(region);
    return slab->region_cache[entry] == region;
}

const void *acre_slab_find_bad_cached_region(const struct acre_slab *slab)
{
    for (size_t entry = 0; entry < ACRE_SLAB_CACHED_REGIONS; entry++)
        if (!slab_is_valid_cached_region(slab, entry))
            return &slab->region_cache[entry];
    return NULL;
}

/* ---- SLAB-7 ---- */

static bool slab_is_valid_current(const struct acre_slab *slab, unsigned size_class)
{
    const struct acre_slab_page *current = slab->current[size_class];
    if (current == &slab->no_slab)
        return slab->current_count[size_class] == 0;
    return acre_slab_is_record(slab, current) && slab_is_slab(current) &&
           current->size_class == size_class &&
           slab->current_start[size_class] == slab_page_place(slab, current).at &&
           slab->current_count[size_class] == slab_object_count(slab, size_class, current->pages);
}

const void *acre_slab_find_bad_current(const struct acre_slab *slab)
{
    for (unsigned size_class = 0; size_class < ACRE_SLAB_CLASSES; size_class++)
        if (!slab_is_valid_current(slab, size_class))
            return &slab->current[size_class];
    return NULL;
}

#endif
