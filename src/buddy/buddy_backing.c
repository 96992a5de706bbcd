/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Buddy's table of acre/backing.h.
 */
#include "base/bits.h"
#include "base/regions.h"

#include <acre/buddy.h>

static size_t buddy_backing_smallest(const struct acre_buddy *buddy)
{
    return buddy->mask != 0 ? buddy->mask + 1 : ACRE_BUDDY_SMALLEST;
}

/* Twice the block has room for it at an address that suits it, wherever the metadata ends. */
static size_t buddy_region_size_for(size_t smallest, struct acre_layout layout)
{
    size_t block = layout.size > layout.align ? layout.size : layout.align;
    if (block > SIZE_MAX / 8)
        return 0;
    if (block < smallest)
        block = smallest;
    block = (size_t)2 << acre_bits_highest(block - 1);
    size_t region = 2 * block;
    return region + acre_buddy_metadata_size(region + region / 4 + 1024, smallest);
}

static size_t buddy_backing_region_size(const void *self, struct acre_layout layout)
{
    return buddy_region_size_for(buddy_backing_smallest(self), layout);
}

size_t acre_buddy_pool_size(struct acre_layout layout)
{
    size_t region = buddy_region_size_for(ACRE_BUDDY_SMALLEST, layout);
    bool fits = region != 0 && (ACRE_MAX_POOL == 0 || region <= (size_t)ACRE_MAX_POOL);
    return fits ? ACRE_ALIGNOF(struct acre_buddy) - 1 + sizeof(struct acre_buddy) + region : 0;
}

static size_t buddy_backing_metadata_size(const void *self, size_t size)
{
    return acre_buddy_metadata_size(size, buddy_backing_smallest(self));
}

static enum acre_status buddy_backing_add_apart(
    void *self, void *start, size_t size, void *meta, size_t meta_size)
{
    return acre_buddy_add_memory_apart(self, start, size, meta, meta_size);
}

static enum acre_status buddy_backing_add_adjacent(void *self, void *start, size_t size)
{
    return acre_buddy_add_memory(self, start, size);
}

static void buddy_backing_set_region_table(void *self, void *memory, uintptr_t start, size_t range)
{
    acre_regions_set_table(&((struct acre_buddy *)self)->regions, memory, start, range);
}

static void buddy_backing_set_on_exhausted(void *self, acre_exhausted_fn *handler, void *arg)
{
    acre_buddy_set_on_exhausted(self, handler, arg);
}

static void buddy_backing_set_on_released(void *self, acre_released_fn *handler, void *arg)
{
    acre_buddy_set_on_released(self, handler, arg);
}

const struct acre_backing acre_buddy_backing = {
    .ops = &acre_buddy_ops,
    .size = sizeof(struct acre_buddy),
    .align = ACRE_ALIGNOF(struct acre_buddy),
    .largest_block = SIZE_MAX,
    .powers_of_two = true,
    .region_size = buddy_backing_region_size,
    .metadata_size = ACRE_MAX_POOL == 0 ? buddy_backing_metadata_size : NULL,
    .add_apart = ACRE_MAX_POOL == 0 ? buddy_backing_add_apart : NULL,
    .add_adjacent = buddy_backing_add_adjacent,
    .set_region_table = buddy_backing_set_region_table,
    .set_on_exhausted = buddy_backing_set_on_exhausted,
    .set_on_released = buddy_backing_set_on_released,
};
