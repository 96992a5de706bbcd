/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Lifts the bitmap allocator into the tables of the pages and the ids family.
 */
#include "base/lift.h"
#include "bitmap/bitmap_private.h"

ACRE_LIFT_BASE(acre_bitmap)

static struct acre_num acre_bitmap_op_alloc_pages(void *self, size_t count, size_t align)
{
    return acre_bitmap_alloc_pages(self, count, align);
}

static struct acre_num acre_bitmap_op_alloc_pages_at(
    void *self, uintptr_t pos, size_t count, size_t align)
{
    return acre_bitmap_alloc_pages_at(self, pos, count, align);
}

static struct acre_num acre_bitmap_op_alloc_within(
    void *self, size_t count, const struct acre_run_limits *limits)
{
    return acre_bitmap_alloc_pages_within(self, count, limits);
}

static enum acre_status acre_bitmap_op_dealloc_pages(void *self, uintptr_t pos, size_t count)
{
    return acre_bitmap_dealloc_pages(self, pos, count);
}

static size_t acre_bitmap_op_page_size(const void *self)
{
    return acre_bitmap_page_size(self);
}

static struct acre_num acre_bitmap_op_alloc_id(void *self, size_t count, size_t align)
{
    return acre_bitmap_alloc_id(self, count, align);
}

static enum acre_status acre_bitmap_op_alloc_fixed_id(void *self, uintptr_t id)
{
    return acre_bitmap_alloc_fixed_id(self, id);
}

static enum acre_status acre_bitmap_op_dealloc_id(void *self, uintptr_t start, size_t count)
{
    return acre_bitmap_dealloc_id(self, start, count);
}

static bool acre_bitmap_op_is_allocated(const void *self, uintptr_t id)
{
    return acre_bitmap_is_allocated(self, id, 1);
}

static const struct acre_pages_ops bitmap_pages_ops = {
    .base = ACRE_BASE_TABLE(acre_bitmap),
    .alloc_pages = acre_bitmap_op_alloc_pages,
    .alloc_pages_at = acre_bitmap_op_alloc_pages_at,
    .alloc_pages_within = acre_bitmap_op_alloc_within,
    .dealloc_pages = acre_bitmap_op_dealloc_pages,
    .page_size = acre_bitmap_op_page_size,
};

static const struct acre_ids_ops bitmap_ids_ops = {
    .base = ACRE_BASE_TABLE(acre_bitmap),
    .alloc_id = acre_bitmap_op_alloc_id,
    .alloc_id_within = acre_bitmap_op_alloc_within,
    .alloc_fixed_id = acre_bitmap_op_alloc_fixed_id,
    .dealloc_id = acre_bitmap_op_dealloc_id,
    .is_allocated = acre_bitmap_op_is_allocated,
};

struct acre_pages acre_bitmap_pages(struct acre_bitmap *self)
{
    return (struct acre_pages){ &bitmap_pages_ops, self };
}

struct acre_ids acre_bitmap_ids(struct acre_bitmap *self)
{
    return (struct acre_ids){ &bitmap_ids_ops, self };
}
