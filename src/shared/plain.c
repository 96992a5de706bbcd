/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The table of a shared handle that takes no lock: every verb is a jump to the allocator's. It goes
 * through the struct, and not straight to the allocator, so that calls after the end are refused.
 */
#include "shared/shared_private.h"

static enum acre_status plain_init(void *self, void *start, size_t size)
{
    struct acre_shared *shared = self;
    return acre_bytes_init(shared->locked.inner, start, size);
}

static enum acre_status plain_add_memory(void *self, void *start, size_t size)
{
    struct acre_shared *shared = self;
    return acre_bytes_add_memory(shared->locked.inner, start, size);
}

static enum acre_status plain_remove_memory(void *self, void *start)
{
    struct acre_shared *shared = self;
    return acre_bytes_remove_memory(shared->locked.inner, start);
}

static struct acre_stats plain_stats(const void *self)
{
    const struct acre_shared *shared = self;
    return acre_bytes_stats(shared->locked.inner);
}

static struct acre_check_result plain_check(const void *self)
{
    const struct acre_shared *shared = self;
    return acre_bytes_check(shared->locked.inner);
}

static void plain_reset(void *self)
{
    struct acre_shared *shared = self;
    acre_bytes_reset(shared->locked.inner);
}

static struct acre_ptr plain_alloc(void *self, struct acre_layout layout)
{
    struct acre_shared *shared = self;
    return acre_alloc(shared->locked.inner, layout);
}

static enum acre_status plain_dealloc(void *self, void *ptr)
{
    struct acre_shared *shared = self;
    return acre_dealloc(shared->locked.inner, ptr);
}

static enum acre_status plain_dealloc_sized(void *self, void *ptr, struct acre_layout layout)
{
    struct acre_shared *shared = self;
    return acre_dealloc_sized(shared->locked.inner, ptr, layout);
}

static enum acre_status plain_resize(void *self, void *ptr, size_t size)
{
    struct acre_shared *shared = self;
    return acre_resize(shared->locked.inner, ptr, size);
}

static struct acre_ptr plain_realloc(void *self, void *ptr, struct acre_layout layout)
{
    struct acre_shared *shared = self;
    return acre_realloc(shared->locked.inner, ptr, layout);
}

static struct acre_num plain_usable_size(const void *self, const void *ptr)
{
    const struct acre_shared *shared = self;
    return acre_usable_size(shared->locked.inner, ptr);
}

static void plain_walk(const void *self, acre_walk_fn *visit, void *arg)
{
    const struct acre_shared *shared = self;
    acre_walk(shared->locked.inner, visit, arg);
}

const struct acre_bytes_ops acre_shared_plain_ops = {
    .base = {
        .init = plain_init,
        .add_memory = plain_add_memory,
        .remove_memory = plain_remove_memory,
        .stats = plain_stats,
        .check = plain_check,
        .reset = plain_reset,
    },
    .alloc = plain_alloc,
    .dealloc = plain_dealloc,
    .dealloc_sized = plain_dealloc_sized,
    .resize = plain_resize,
    .realloc = plain_realloc,
    .usable_size = plain_usable_size,
    .walk = plain_walk,
};
