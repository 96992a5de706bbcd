/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Lifts the bitmap allocator into the tables of the pages and the ids family.
 */
#include "bitmap/bitmap_private.h"

static enum acre_status init(void *self, void *start, size_t size)
{
    return acre_bitmap_init(self, start, size);
}

static enum acre_status add_memory(void *self, void *start, size_t size)
{
    return acre_bitmap_add_memory(self, start, size);
}

static enum acre_status remove_memory(void *self, void *start)
{
    return acre_bitmap_remove_memory(self, start);
}

static struct acre_stats stats(const void *self)
{
    return acre_bitmap_stats(self);
}

static struct acre_check_result check(const void *self)
{
    return acre_bitmap_check(self);
}

static void reset(void *self)
{
    acre_bitmap_reset(self);
}

static struct acre_num alloc_pages(void *self, size_t count, size_t align)
{
    return acre_bitmap_alloc_pages(self, count, align);
}

static struct acre_num alloc_pages_at(void *self, uintptr_t pos, size_t count, size_t align)
{
    return acre_bitmap_alloc_pages_at(self, pos, count, align);
}

static enum acre_status dealloc_pages(void *self, uintptr_t pos, size_t count)
{
    return acre_bitmap_dealloc_pages(self, pos, count);
}

static size_t page_size(const void *self)
{
    return acre_bitmap_page_size(self);
}

static struct acre_num alloc_id(void *self, size_t count, size_t align)
{
    return acre_bitmap_alloc_id(self, count, align);
}

static enum acre_status alloc_fixed_id(void *self, uintptr_t id)
{
    return acre_bitmap_alloc_fixed_id(self, id);
}

static enum acre_status dealloc_id(void *self, uintptr_t start, size_t count)
{
    return acre_bitmap_dealloc_id(self, start, count);
}

static bool is_allocated(const void *self, uintptr_t id)
{
    return acre_bitmap_is_allocated(self, id, 1);
}

#define BASE_VERBS                                                                                 \
    {                                                                                              \
        .init = init, .add_memory = add_memory, .remove_memory = remove_memory, .stats = stats,    \
        .check = check, .reset = reset                                                             \
    }

static const struct acre_pages_ops pages_ops = {
    .base = BASE_VERBS,
    .alloc_pages = alloc_pages,
    .alloc_pages_at = alloc_pages_at,
    .dealloc_pages = dealloc_pages,
    .page_size = page_size,
};

static const struct acre_ids_ops ids_ops = {
    .base = BASE_VERBS,
    .alloc_id = alloc_id,
    .alloc_fixed_id = alloc_fixed_id,
    .dealloc_id = dealloc_id,
    .is_allocated = is_allocated,
};

struct acre_pages acre_bitmap_pages(struct acre_bitmap *self)
{
    return (struct acre_pages){ &pages_ops, self };
}

struct acre_ids acre_bitmap_ids(struct acre_bitmap *self)
{
    return (struct acre_ids){ &ids_ops, self };
}
