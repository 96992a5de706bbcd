/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Each verb of a locked allocator: lock, pass the call to the inner allocator, unlock.
 */
#include "base/locked.h"

static struct acre_bytes locked_enter(const struct acre_locked *locked)
{
    acre_locker_lock(&locked->locker);
    return locked->inner;
}

static void locked_leave(const struct acre_locked *locked)
{
    acre_locker_unlock(&locked->locker);
}

/** Defines locked_VERB: `call` to the inner allocator, under the lock. */
#define LOCKED_VERB(type, verb, params, call)                                                      \
    static type locked_##verb params                                                               \
    {                                                                                              \
        struct acre_bytes inner = locked_enter(self);                                              \
        type result = call;                                                                        \
        locked_leave(self);                                                                        \
        return result;                                                                             \
    }

LOCKED_VERB(enum acre_status, init, (void *self, void *start, size_t size),
    acre_bytes_init(inner, start, size))
LOCKED_VERB(enum acre_status, add_memory, (void *self, void *start, size_t size),
    acre_bytes_add_memory(inner, start, size))
LOCKED_VERB(enum acre_status, remove_memory, (void *self, void *start),
    acre_bytes_remove_memory(inner, start))
LOCKED_VERB(struct acre_stats, stats, (const void *self), acre_bytes_stats(inner))
LOCKED_VERB(struct acre_check_result, check, (const void *self), acre_bytes_check(inner))
LOCKED_VERB(
    struct acre_ptr, alloc, (void *self, struct acre_layout layout), acre_alloc(inner, layout))
LOCKED_VERB(enum acre_status, dealloc, (void *self, void *ptr), acre_dealloc(inner, ptr))
LOCKED_VERB(enum acre_status, dealloc_sized, (void *self, void *ptr, struct acre_layout layout),
    acre_dealloc_sized(inner, ptr, layout))
LOCKED_VERB(
    enum acre_status, resize, (void *self, void *ptr, size_t size), acre_resize(inner, ptr, size))
LOCKED_VERB(struct acre_ptr, realloc, (void *self, void *ptr, struct acre_layout layout),
    acre_realloc(inner, ptr, layout))
LOCKED_VERB(
    struct acre_num, usable_size, (const void *self, const void *ptr), acre_usable_size(inner, ptr))
LOCKED_VERB(struct acre_block, find, (const void *self, const void *ptr), acre_find(inner, ptr))

static void locked_reset(void *self)
{
    acre_bytes_reset(locked_enter(self));
    locked_leave(self);
}

static void locked_reset_peak(void *self)
{
    acre_bytes_reset_peak(locked_enter(self));
    locked_leave(self);
}

static void locked_walk(const void *self, acre_walk_fn *visit, void *arg)
{
    acre_walk(locked_enter(self), visit, arg);
    locked_leave(self);
}

const struct acre_bytes_ops acre_locked_ops = {
    .base = {
        .init = locked_init,
        .add_memory = locked_add_memory,
        .remove_memory = locked_remove_memory,
        .stats = locked_stats,
        .check = locked_check,
        .reset = locked_reset,
        .reset_peak = locked_reset_peak,
    },
    .alloc = locked_alloc,
    .dealloc = locked_dealloc,
    .dealloc_sized = locked_dealloc_sized,
    .resize = locked_resize,
    .realloc = locked_realloc,
    .usable_size = locked_usable_size,
    .find = locked_find,
    .walk = locked_walk,
};
