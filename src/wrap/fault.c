/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Fault: one more table around a byte allocator. Each verb decides first whether the call is a
 * request for memory that a rule refuses, and passes on all else, bad input included, so that the
 * errors stay those of the inner allocator.
 */
#include <acre/wrap/fault.h>

#include "base/bits.h"
#include "wrap/pass.h"

static bool refuse(struct acre_fault *fault, size_t size)
{
    fault->requests++;
    bool nth = fault->requests == fault->nth;
    bool kth = fault->every != 0 && fault->requests % fault->every == 0;
    if (!nth && !kth && (size < fault->least || size > fault->most))
        return false;
    fault->refused++;
    return true;
}

static enum acre_status fault_init(void *self, void *start, size_t size)
{
    struct acre_fault *fault = self;
    fault->refused = 0;
    return acre_bytes_init(fault->inner, start, size);
}

static struct acre_stats fault_stats(const void *self)
{
    const struct acre_fault *fault = self;
    struct acre_stats stats = acre_bytes_stats(fault->inner);
    stats.failed += fault->refused;
    return stats;
}

static void fault_reset(void *self)
{
    struct acre_fault *fault = self;
    fault->refused = 0;
    acre_bytes_reset(fault->inner);
}

static struct acre_ptr fault_alloc(void *self, struct acre_layout layout)
{
    struct acre_fault *fault = self;
    if (acre_is_pow2(layout.align) && refuse(fault, layout.size))
        return (struct acre_ptr){ NULL, ACRE_NO_MEMORY };
    return acre_alloc(fault->inner, layout);
}

/** True when ptr is a block that has `size` usable bytes or more already, or no block at all. */
static bool needs_no_memory(const struct acre_fault *fault, const void *ptr, size_t size)
{
    struct acre_num usable = acre_usable_size(fault->inner, ptr);
    return usable.status != ACRE_OK || size <= usable.num;
}

static enum acre_status fault_resize(void *self, void *ptr, size_t size)
{
    struct acre_fault *fault = self;
    if (!needs_no_memory(fault, ptr, size) && refuse(fault, size))
        return ACRE_NO_MEMORY;
    return acre_resize(fault->inner, ptr, size);
}

static struct acre_ptr fault_realloc(void *self, void *ptr, struct acre_layout layout)
{
    struct acre_fault *fault = self;
    /* A block that lacks the alignment must move, so that no size spares it the request. */
    bool aligned = ((uintptr_t)ptr & (layout.align - 1)) == 0;
    if (acre_is_pow2(layout.align) &&
        !needs_no_memory(fault, ptr, aligned ? layout.size : SIZE_MAX) &&
        refuse(fault, layout.size))
        return (struct acre_ptr){ NULL, ACRE_NO_MEMORY };
    return acre_realloc(fault->inner, ptr, layout);
}

static const struct acre_bytes_ops fault_ops = {
    .base = {
        .init = fault_init,
        .add_memory = acre_wrap_pass_add_memory,
        .remove_memory = acre_wrap_pass_remove_memory,
        .stats = fault_stats,
        .check = acre_wrap_pass_check,
        .reset = fault_reset,
    },
    .alloc = fault_alloc,
    .dealloc = acre_wrap_pass_dealloc,
    .dealloc_sized = acre_wrap_pass_dealloc_sized,
    .resize = fault_resize,
    .realloc = fault_realloc,
    .usable_size = acre_wrap_pass_usable_size,
    .walk = acre_wrap_pass_walk,
};

void acre_fault_wrap(struct acre_fault *fault, struct acre_bytes inner)
{
    fault->inner = inner;
    fault->requests = 0;
    fault->refused = 0;
    fault->nth = 0;
    fault->every = 0;
    fault->least = 1;
    fault->most = 0;
}

void acre_fault_nth(struct acre_fault *fault, size_t nth)
{
    fault->requests = 0;
    fault->nth = nth;
    fault->every = 0;
}

void acre_fault_every(struct acre_fault *fault, size_t every)
{
    fault->requests = 0;
    fault->nth = 0;
    fault->every = every;
}

void acre_fault_sizes(struct acre_fault *fault, size_t least, size_t most)
{
    fault->least = least;
    fault->most = most;
}

struct acre_bytes acre_fault_bytes(struct acre_fault *fault)
{
    struct acre_bytes bytes = { &fault_ops, fault };
    return bytes;
}
