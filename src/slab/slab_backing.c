/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab's table of acre/backing.h.
 */
#include <acre/slab.h>

#include "base/regions.h"
#include "base/wide.h"

/* The size of a region that can serve a layout: the size rounded up to its class, by at most an
 * eighth, and to its alignment. The result never falls as the size grows, so a region for the
 * largest block serves every smaller one. */
static size_t slab_region_size_for(size_t page, struct acre_layout layout)
{
    size_t align = layout.align > ACRE_SLAB_UNIT ? layout.align : 0;
    if (layout.size > SIZE_MAX / 8 || align > SIZE_MAX / 8)
        return 0;
    size_t most = ACRE_SLAB_LARGEST_PAGES * page;
    size_t eighth = (layout.size < most ? layout.size : most) / 8;
    size_t size = layout.size + (layout.size == 0);
    size_t pages = acre_divide(size + eighth + align + page - 1, page) + 1;
    return acre_multiply(pages + 1, page) + (pages + 7) * ACRE_SLAB_PER_PAGE;
}

static size_t slab_backing_region_size(const void *self, struct acre_layout layout)
{
    const struct acre_slab *slab = self;
    return slab_region_size_for(
        slab->page_log2 != 0 ? (size_t)1 << slab->page_log2 : ACRE_SLAB_PAGE, layout);
}

size_t acre_slab_pool_size(struct acre_layout layout)
{
    size_t region = slab_region_size_for(ACRE_SLAB_PAGE, layout);
    bool fits = region != 0 && (ACRE_MAX_POOL == 0 || region <= (size_t)ACRE_MAX_POOL);
    return fits ? ACRE_ALIGNOF(struct acre_slab) - 1 + sizeof(struct acre_slab) + region : 0;
}

static enum acre_status slab_backing_add_adjacent(void *self, void *start, size_t size)
{
    return acre_slab_add_memory_adjacent(self, start, size);
}

static void slab_backing_set_region_table(void *self, void *memory, uintptr_t start, size_t range)
{
    acre_regions_set_table(&((struct acre_slab *)self)->regions, memory, start, range);
}

static void slab_backing_set_on_exhausted(void *self, acre_exhausted_fn *handler, void *arg)
{
    acre_slab_set_on_exhausted(self, handler, arg);
}

static void slab_backing_set_on_released(void *self, acre_released_fn *handler, void *arg)
{
    acre_slab_set_on_released(self, handler, arg);
}

const struct acre_backing acre_slab_backing = {
    .ops = &acre_slab_ops,
    .size = sizeof(struct acre_slab),
    .align = ACRE_ALIGNOF(struct acre_slab),
    .largest_block = SIZE_MAX,
    .region_size = slab_backing_region_size,
    .add_adjacent = slab_backing_add_adjacent,
    .set_region_table = slab_backing_set_region_table,
    .set_on_exhausted = slab_backing_set_on_exhausted,
    .set_on_released = slab_backing_set_on_released,
};
