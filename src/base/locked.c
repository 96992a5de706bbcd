/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The lock, the inner call, the lock given back.
 */
#include "base/locked.h"

static void take(const struct acre_locked *locked)
{
    acre_locker_lock(&locked->locker);
}

static void give(const struct acre_locked *locked)
{
    acre_locker_unlock(&locked->locker);
}

static enum acre_status locked_init(void *self, void *start, size_t size)
{
    struct acre_locked *locked = self;
    take(locked);
    enum acre_status status = acre_bytes_init(locked->inner, start, size);
    give(locked);
    return status;
}

static enum acre_status locked_add_memory(void *self, void *start, size_t size)
{
    struct acre_locked *locked = self;
    take(locked);
    enum acre_status status = acre_bytes_add_memory(locked->inner, start, size);
    give(locked);
    return status;
}

static enum acre_status locked_remove_memory(void *self, void *start)
{
    struct acre_locked *locked = self;
    take(locked);
    enum acre_status status = acre_bytes_remove_memory(locked->inner, start);
    give(locked);
    return status;
}

static struct acre_stats locked_stats(const void *self)
{
    const struct acre_locked *locked = self;
    take(locked);
    struct acre_stats stats = acre_bytes_stats(locked->inner);
    give(locked);
    return stats;
}

static struct acre_check_result locked_check(const void *self)
{
    const struct acre_locked *locked = self;
    take(locked);
    struct acre_check_result result = acre_bytes_check(locked->inner);
    give(locked);
    return result;
}

static void locked_reset(void *self)
{
    struct acre_locked *locked = self;
    take(locked);
    acre_bytes_reset(locked->inner);
    give(locked);
}

static struct acre_ptr locked_alloc(void *self, struct acre_layout layout)
{
    struct acre_locked *locked = self;
    take(locked);
    struct acre_ptr got = acre_alloc(locked->inner, layout);
    give(locked);
    return got;
}

static enum acre_status locked_dealloc(void *self, void *ptr)
{
    struct acre_locked *locked = self;
    take(locked);
    enum acre_status status = acre_dealloc(locked->inner, ptr);
    give(locked);
    return status;
}

static enum acre_status locked_dealloc_sized(void *self, void *ptr, struct acre_layout layout)
{
    struct acre_locked *locked = self;
    take(locked);
    enum acre_status status = acre_dealloc_sized(locked->inner, ptr, layout);
    give(locked);
    return status;
}

static enum acre_status locked_resize(void *self, void *ptr, size_t size)
{
    struct acre_locked *locked = self;
    take(locked);
    enum acre_status status = acre_resize(locked->inner, ptr, size);
    give(locked);
    return status;
}

static struct acre_ptr locked_realloc(void *self, void *ptr, struct acre_layout layout)
{
    struct acre_locked *locked = self;
    take(locked);
    struct acre_ptr got = acre_realloc(locked->inner, ptr, layout);
    give(locked);
    return got;
}

static struct acre_num locked_usable_size(const void *self, const void *ptr)
{
    const struct acre_locked *locked = self;
    take(locked);
    struct acre_num num = acre_usable_size(locked->inner, ptr);
    give(locked);
    return num;
}

static void locked_walk(const void *self, acre_walk_fn *visit, void *arg)
{
    const struct acre_locked *locked = self;
    take(locked);
    acre_walk(locked->inner, visit, arg);
    give(locked);
}

const struct acre_bytes_ops acre_locked_ops = {
    .base = {
        .init = locked_init,
        .add_memory = locked_add_memory,
        .remove_memory = locked_remove_memory,
        .stats = locked_stats,
        .check = locked_check,
        .reset = locked_reset,
    },
    .alloc = locked_alloc,
    .dealloc = locked_dealloc,
    .dealloc_sized = locked_dealloc_sized,
    .resize = locked_resize,
    .realloc = locked_realloc,
    .usable_size = locked_usable_size,
    .walk = locked_walk,
};
