/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/null.h"

#include "base/bits.h"
#include "base/limits.h"

static enum acre_status null_add_memory(void *self, void *start, size_t size)
{
    (void)self, (void)start, (void)size;
    return ACRE_INVALID_PARAM;
}

static enum acre_status null_dealloc(void *self, void *ptr)
{
    (void)self, (void)ptr;
    return ACRE_NOT_ALLOCATED;
}

static struct acre_stats null_stats(const void *self)
{
    (void)self;
    return (struct acre_stats){ .total = 0 };
}

static struct acre_check_result null_check(const void *self)
{
    (void)self;
    return (struct acre_check_result){ .invariant = NULL };
}

static void null_reset(void *self)
{
    (void)self;
}

static struct acre_ptr null_alloc(void *self, struct acre_layout layout)
{
    (void)self;
    return (
        struct acre_ptr){ NULL, acre_is_pow2(layout.align) ? ACRE_NO_MEMORY : ACRE_INVALID_PARAM };
}

static enum acre_status null_dealloc_sized(void *self, void *ptr, struct acre_layout layout)
{
    (void)self, (void)ptr, (void)layout;
    return ACRE_NOT_ALLOCATED;
}

static enum acre_status null_resize(void *self, void *ptr, size_t size)
{
    (void)self, (void)ptr, (void)size;
    return ACRE_NOT_ALLOCATED;
}

static struct acre_ptr null_realloc(void *self, void *ptr, struct acre_layout layout)
{
    (void)self, (void)ptr, (void)layout;
    return (struct acre_ptr){ .ptr = NULL, .status = ACRE_NOT_ALLOCATED };
}

static struct acre_num null_usable_size(const void *self, const void *ptr)
{
    (void)self, (void)ptr;
    return (struct acre_num){ .num = 0, .status = ACRE_NOT_ALLOCATED };
}

static struct acre_block null_find(const void *self, const void *ptr)
{
    (void)self, (void)ptr;
    return (struct acre_block){ .start = NULL, .size = 0, .status = ACRE_NOT_ALLOCATED };
}

static void null_walk(const void *self, acre_walk_fn *visit, void *arg)
{
    (void)self, (void)visit, (void)arg;
}

const struct acre_bytes_ops acre_null_ops = {
    .base = {
        .init = null_add_memory,
        .add_memory = null_add_memory,
        .remove_memory = null_dealloc,
        .stats = null_stats,
        .check = null_check,
        .reset = null_reset,
        .reset_peak = null_reset,
    },
    .alloc = null_alloc,
    .dealloc = null_dealloc,
    .dealloc_sized = null_dealloc_sized,
    .resize = null_resize,
    .realloc = null_realloc,
    .usable_size = null_usable_size,
    .find = null_find,
    .walk = null_walk,
};

static struct acre_num null_alloc_pages(void *self, size_t count, size_t align)
{
    (void)self;
    bool valid = count != 0 && acre_is_pow2(align);
    return (struct acre_num){ 0, valid ? ACRE_NO_MEMORY : ACRE_INVALID_PARAM };
}

static struct acre_num null_alloc_pages_at(void *self, uintptr_t pos, size_t count, size_t align)
{
    if (((pos & (ACRE_NATURAL_ALIGN - 1)) | (pos & (align - 1))) != 0)
        return (struct acre_num){ 0, ACRE_INVALID_PARAM };
    return null_alloc_pages(self, count, align);
}

static struct acre_num null_alloc_pages_within(
    void *self, size_t count, const struct acre_run_limits *limits)
{
    if (!acre_limits_are_valid(limits, ACRE_NATURAL_ALIGN))
        return (struct acre_num){ 0, ACRE_INVALID_PARAM };
    return null_alloc_pages(self, count, 1);
}

static enum acre_status null_dealloc_pages(void *self, uintptr_t pos, size_t count)
{
    (void)self;
    bool valid = count != 0 && (pos & (ACRE_NATURAL_ALIGN - 1)) == 0;
    return valid ? ACRE_NOT_ALLOCATED : ACRE_INVALID_PARAM;
}

static size_t null_page_size(const void *self)
{
    (void)self;
    return ACRE_NATURAL_ALIGN;
}

const struct acre_pages_ops acre_null_pages_ops = {
    .base = {
        .init = null_add_memory,
        .add_memory = null_add_memory,
        .remove_memory = null_dealloc,
        .stats = null_stats,
        .check = null_check,
        .reset = null_reset,
        .reset_peak = null_reset,
    },
    .alloc_pages = null_alloc_pages,
    .alloc_pages_at = null_alloc_pages_at,
    .alloc_pages_within = null_alloc_pages_within,
    .dealloc_pages = null_dealloc_pages,
    .page_size = null_page_size,
};
