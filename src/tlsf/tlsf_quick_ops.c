/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * TLSF with a shelf behind the handle.
 */
#include "base/compiler.h"

#include <acre/tlsf_quick.h>

static enum acre_status init(void *self, void *start, size_t size)
{
    return acre_tlsf_quick_init(self, start, size);
}

static enum acre_status add_memory(void *self, void *start, size_t size)
{
    return acre_tlsf_quick_add_memory(self, start, size);
}

static enum acre_status remove_memory(void *self, void *start)
{
    return acre_tlsf_quick_remove_memory(self, start);
}

static struct acre_stats stats(const void *self)
{
    return acre_tlsf_quick_stats(self);
}

static struct acre_check_result check(const void *self)
{
    return acre_tlsf_quick_check(self);
}

static void reset(void *self)
{
    acre_tlsf_quick_reset(self);
}

static struct acre_ptr alloc(void *self, struct acre_layout layout)
{
    return acre_tlsf_quick_alloc(self, layout);
}

static enum acre_status dealloc(void *self, void *ptr)
{
    return acre_tlsf_quick_dealloc(self, ptr);
}

static enum acre_status dealloc_sized(void *self, void *ptr, struct acre_layout layout)
{
    return acre_tlsf_quick_dealloc_sized(self, ptr, layout);
}

static enum acre_status resize(void *self, void *ptr, size_t size)
{
    return acre_tlsf_quick_resize(self, ptr, size);
}

static struct acre_ptr realloc_(void *self, void *ptr, struct acre_layout layout)
{
    return acre_tlsf_quick_realloc(self, ptr, layout);
}

static struct acre_num usable_size(const void *self, const void *ptr)
{
    return acre_tlsf_quick_usable_size(self, ptr);
}

static void walk(const void *self, acre_walk_fn *visit, void *arg)
{
    acre_tlsf_quick_walk(self, visit, arg);
}

const struct acre_bytes_ops acre_tlsf_quick_ops = {
    .base = {
        .init = init,
        .add_memory = add_memory,
        .remove_memory = remove_memory,
        .stats = stats,
        .check = check,
        .reset = reset,
    },
    .alloc = alloc,
    .dealloc = dealloc,
    .dealloc_sized = dealloc_sized,
    .resize = resize,
    .realloc = realloc_,
    .usable_size = usable_size,
    .walk = walk,
};
