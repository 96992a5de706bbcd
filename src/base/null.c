/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/null.h"

#include "base/bits.h"

static enum acre_status take_memory(void *self, void *start, size_t size)
{
    (void)self, (void)start, (void)size;
    return ACRE_INVALID_PARAM;
}

static enum acre_status take_back(void *self, void *ptr)
{
    (void)self, (void)ptr;
    return ACRE_NOT_ALLOCATED;
}

static struct acre_stats stats(const void *self)
{
    (void)self;
    return (struct acre_stats){ .total = 0 };
}

static struct acre_check_result check(const void *self)
{
    (void)self;
    return (struct acre_check_result){ .invariant = NULL };
}

static void reset(void *self)
{
    (void)self;
}

static struct acre_ptr alloc(void *self, struct acre_layout layout)
{
    (void)self;
    return (
        struct acre_ptr){ NULL, acre_is_pow2(layout.align) ? ACRE_NO_MEMORY : ACRE_INVALID_PARAM };
}

static enum acre_status dealloc_sized(void *self, void *ptr, struct acre_layout layout)
{
    (void)self, (void)ptr, (void)layout;
    return ACRE_NOT_ALLOCATED;
}

static enum acre_status resize(void *self, void *ptr, size_t size)
{
    (void)self, (void)ptr, (void)size;
    return ACRE_NOT_ALLOCATED;
}

static struct acre_ptr reallocate(void *self, void *ptr, struct acre_layout layout)
{
    (void)self, (void)ptr, (void)layout;
    return (struct acre_ptr){ .ptr = NULL, .status = ACRE_NOT_ALLOCATED };
}

static struct acre_num usable_size(const void *self, const void *ptr)
{
    (void)self, (void)ptr;
    return (struct acre_num){ .num = 0, .status = ACRE_NOT_ALLOCATED };
}

static void walk(const void *self, acre_walk_fn *visit, void *arg)
{
    (void)self, (void)visit, (void)arg;
}

const struct acre_bytes_ops acre_null_ops = {
    .base = {
        .init = take_memory,
        .add_memory = take_memory,
        .remove_memory = take_back,
        .stats = stats,
        .check = check,
        .reset = reset,
    },
    .alloc = alloc,
    .dealloc = take_back,
    .dealloc_sized = dealloc_sized,
    .resize = resize,
    .realloc = reallocate,
    .usable_size = usable_size,
    .walk = walk,
};
