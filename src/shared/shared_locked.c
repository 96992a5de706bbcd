/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The table of a shared handle with a lock: every verb is the allocator's, with the lock held.
 */
#include "shared/shared_private.h"

static enum acre_status locked_init(void *self, void *start, size_t size)
{
    struct acre_shared *shared = self;
    acre_locker_lock(&shared->locker);
    enum acre_status status = acre_init(acre_bytes_base(shared->inner), start, size);
    acre_locker_unlock(&shared->locker);
    return status;
}

static enum acre_status locked_add_memory(void *self, void *start, size_t size)
{
    struct acre_shared *shared = self;
    acre_locker_lock(&shared->locker);
    enum acre_status status = acre_add_memory(acre_bytes_base(shared->inner), start, size);
    acre_locker_unlock(&shared->locker);
    return status;
}

static enum acre_status locked_remove_memory(void *self, void *start)
{
    struct acre_shared *shared = self;
    acre_locker_lock(&shared->locker);
    enum acre_status status = acre_remove_memory(acre_bytes_base(shared->inner), start);
    acre_locker_unlock(&shared->locker);
    return status;
}

static struct acre_stats locked_stats(const void *self)
{
    const struct acre_shared *shared = self;
    acre_locker_lock(&shared->locker);
    struct acre_stats stats = acre_stats(acre_bytes_base(shared->inner));
    acre_locker_unlock(&shared->locker);
    return stats;
}

static struct acre_check_result locked_check(const void *self)
{
    const struct acre_shared *shared = self;
    acre_locker_lock(&shared->locker);
    struct acre_check_result found = acre_check(acre_bytes_base(shared->inner));
    acre_locker_unlock(&shared->locker);
    return found;
}

static void locked_reset(void *self)
{
    struct acre_shared *shared = self;
    acre_locker_lock(&shared->locker);
    acre_reset(acre_bytes_base(shared->inner));
    acre_locker_unlock(&shared->locker);
}

static struct acre_ptr locked_alloc(void *self, struct acre_layout layout)
{
    struct acre_shared *shared = self;
    acre_locker_lock(&shared->locker);
    struct acre_ptr got = acre_alloc(shared->inner, layout);
    acre_locker_unlock(&shared->locker);
    return got;
}

static enum acre_status locked_dealloc(void *self, void *ptr)
{
    struct acre_shared *shared = self;
    acre_locker_lock(&shared->locker);
    enum acre_status status = acre_dealloc(shared->inner, ptr);
    acre_locker_unlock(&shared->locker);
    return status;
}

static enum acre_status locked_dealloc_sized(void *self, void *ptr, struct acre_layout layout)
{
    struct acre_shared *shared = self;
    acre_locker_lock(&shared->locker);
    enum acre_status status = acre_dealloc_sized(shared->inner, ptr, layout);
    acre_locker_unlock(&shared->locker);
    return status;
}

static enum acre_status locked_resize(void *self, void *ptr, size_t size)
{
    struct acre_shared *shared = self;
    acre_locker_lock(&shared->locker);
    enum acre_status status = acre_resize(shared->inner, ptr, size);
    acre_locker_unlock(&shared->locker);
    return status;
}

static struct acre_ptr locked_realloc(void *self, void *ptr, struct acre_layout layout)
{
    struct acre_shared *shared = self;
    acre_locker_lock(&shared->locker);
    struct acre_ptr got = acre_realloc(shared->inner, ptr, layout);
    acre_locker_unlock(&shared->locker);
    return got;
}

static struct acre_num locked_usable_size(const void *self, const void *ptr)
{
    const struct acre_shared *shared = self;
    acre_locker_lock(&shared->locker);
    struct acre_num usable = acre_usable_size(shared->inner, ptr);
    acre_locker_unlock(&shared->locker);
    return usable;
}

static void locked_walk(const void *self, acre_walk_fn *visit, void *arg)
{
    const struct acre_shared *shared = self;
    acre_locker_lock(&shared->locker);
    acre_walk(shared->inner, visit, arg);
    acre_locker_unlock(&shared->locker);
}

const struct acre_bytes_ops acre_shared_locked_ops = {
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
