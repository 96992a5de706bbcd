/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF's tables of acre/backing.h, with and without quick lists.
 */
#include "base/regions.h"

#include <acre/tlsf_quick.h>

enum { TLSF_BACKING_GRANULE = ACRE_TLSF_GRANULE, TLSF_BACKING_HEADER = sizeof(acre_tlsf_field) };

#define TLSF_LARGEST_BLOCK                                                                         \
    ((((size_t)1 << ACRE_TLSF_MAX_LOG2) - 1) * TLSF_BACKING_GRANULE - TLSF_BACKING_HEADER)

/* Room for the block, its header and what lies in front of an aligned address; the ends of a
 * region; and metadata, which grows by far less than a thirty-second of the region. */
static size_t tlsf_backing_region_size(const void *self, struct acre_layout layout)
{
    enum { GRANULE = TLSF_BACKING_GRANULE, HEADER = TLSF_BACKING_HEADER };
    size_t least = (ACRE_TLSF_MIN_GRANULES + 4) * GRANULE + HEADER;
    size_t align = layout.align > GRANULE ? layout.align + GRANULE : 0;
    (void)self;
    if (layout.size > SIZE_MAX / 4 || align > SIZE_MAX / 4 ||
        layout.size + align > TLSF_LARGEST_BLOCK - 8 * GRANULE)
        return 0;
    size_t span = acre_align_up(layout.size + HEADER, GRANULE) + align;
    if (span < least)
        span = least;
    size_t size = span + GRANULE + HEADER + acre_tlsf_metadata_size(span + span / 32 + 1024);
    return ACRE_MAX_POOL == 0 || size <= (size_t)ACRE_MAX_POOL ? size : 0;
}

size_t acre_tlsf_pool_size(struct acre_layout layout)
{
    size_t region = tlsf_backing_region_size(NULL, layout);
    if (region == 0)
        return 0;
    region += ACRE_ALIGNOF(struct acre_tlsf) - 1;
    size_t own = 0;
    while (own != acre_tlsf_structure_size(region + own)) /* it grows with the pool, in few steps */
        own = acre_tlsf_structure_size(region + own);
    return region + own;
}

static size_t tlsf_backing_metadata_size(const void *self, size_t size)
{
    (void)self;
    return acre_tlsf_metadata_size(size);
}

static enum acre_status tlsf_backing_add_apart(
    void *self, void *start, size_t size, void *meta, size_t meta_size)
{
    return acre_tlsf_add_memory_apart(self, start, size, meta, meta_size);
}

static enum acre_status tlsf_backing_add_adjacent(void *self, void *start, size_t size)
{
    return acre_tlsf_add_memory_adjacent(self, start, size);
}

static void tlsf_backing_set_region_table(void *self, void *memory, uintptr_t start, size_t range)
{
    acre_regions_set_table(&((struct acre_tlsf *)self)->regions, memory, start, range);
}

static void tlsf_backing_set_on_exhausted(void *self, acre_exhausted_fn *handler, void *arg)
{
    acre_tlsf_set_on_exhausted(self, handler, arg);
}

static void tlsf_backing_set_on_released(void *self, acre_released_fn *handler, void *arg)
{
    acre_tlsf_set_on_released(self, handler, arg);
}

const struct acre_backing acre_tlsf_backing = {
    .ops = &acre_tlsf_ops,
    .size = sizeof(struct acre_tlsf),
    .align = ACRE_ALIGNOF(struct acre_tlsf),
    .largest_block = TLSF_LARGEST_BLOCK,
    .shares_map = ACRE_MAX_POOL == 0,
    .region_size = tlsf_backing_region_size,
    .metadata_size = ACRE_MAX_POOL == 0 ? tlsf_backing_metadata_size : NULL,
    .add_apart = ACRE_MAX_POOL == 0 ? tlsf_backing_add_apart : NULL,
    .add_adjacent = tlsf_backing_add_adjacent,
    .set_region_table = tlsf_backing_set_region_table,
    .set_on_exhausted = tlsf_backing_set_on_exhausted,
    .set_on_released = tlsf_backing_set_on_released,
};

static enum acre_status tlsf_quick_backing_add_apart(
    void *self, void *start, size_t size, void *meta, size_t meta_size)
{
    return acre_tlsf_quick_add_memory_apart(self, start, size, meta, meta_size);
}

static enum acre_status tlsf_quick_backing_add_adjacent(void *self, void *start, size_t size)
{
    return acre_tlsf_quick_add_memory(self, start, size);
}

static void tlsf_quick_backing_set_on_exhausted(void *self, acre_exhausted_fn *handler, void *arg)
{
    acre_tlsf_quick_set_on_exhausted(self, handler, arg);
}

static void tlsf_quick_backing_flush(void *self)
{
    acre_tlsf_quick_flush(self);
}

const struct acre_backing acre_tlsf_quick_backing = {
    .ops = &acre_tlsf_quick_ops,
    .size = sizeof(struct acre_tlsf_quick),
    .align = ACRE_ALIGNOF(struct acre_tlsf_quick),
    .largest_block = TLSF_LARGEST_BLOCK,
    .shares_map = ACRE_MAX_POOL == 0,
    .region_size = tlsf_backing_region_size,
    .metadata_size = ACRE_MAX_POOL == 0 ? tlsf_backing_metadata_size : NULL,
    .add_apart = ACRE_MAX_POOL == 0 ? tlsf_quick_backing_add_apart : NULL,
    .add_adjacent = tlsf_quick_backing_add_adjacent,
    .set_on_exhausted = tlsf_quick_backing_set_on_exhausted,
    .flush = tlsf_quick_backing_flush,
};
