/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Fault: each verb first decides whether the call is a request for memory that a rule refuses. All
 * other calls, bad input included, pass to the inner allocator, so that errors are the inner ones.
 */
#include <acre/wrap/fault.h>
#include <acre/wrap/pass.h>

#include "base/wide.h"

static bool fault_refuses(struct acre_fault *fault, size_t size)
{
    fault->requests++;
    bool nth = fault->requests == fault->nth;
    bool kth = fault->every != 0 && acre_remainder(fault->requests, fault->every) == 0;
    if (!nth && !kth && (size < fault->least || size > fault->most))
        return false;
    fault->failed++;
    return true;
}

static enum acre_status fault_init(void *self, void *start, size_t size)
{
    struct acre_fault *fault = self;
    fault->failed = 0;
    return acre_bytes_init(fault->inner, start, size);
}

static struct acre_stats fault_stats(const void *self)
{
    const struct acre_fault *fault = self;
    struct acre_stats stats = acre_bytes_stats(fault->inner);
    stats.failed += fault->failed;
    return stats;
}

static void fault_reset(void *self)
{
    struct acre_fault *fault = self;
    fault->failed = 0;
    acre_bytes_reset(fault->inner);
}

static struct acre_ptr fault_alloc(void *self, struct acre_layout layout)
{
    struct acre_fault *fault = self;
    if (acre_is_pow2(layout.align) && fault_refuses(fault, layout.size))
        return (struct acre_ptr){ NULL, ACRE_NO_MEMORY };
    return acre_alloc(fault->inner, layout);
}

/** True when ptr is a block with at least `size` usable bytes, or is not a block. */
static bool fault_needs_no_memory(const struct acre_fault *fault, const void *ptr, size_t size)
{
    struct acre_num usable = acre_usable_size(fault->inner, ptr);
    return usable.status != ACRE_OK || size <= usable.num;
}

static enum acre_status fault_resize(void *self, void *ptr, size_t size)
{
    struct acre_fault *fault = self;
    if (!fault_needs_no_memory(fault, ptr, size) && fault_refuses(fault, size))
        return ACRE_NO_MEMORY;
    return acre_resize(fault->inner, ptr, size);
}

static struct acre_ptr fault_realloc(void *self, void *ptr, struct acre_layout layout)
{
    struct acre_fault *fault = self;
    /* A block that lacks the alignment must move, so every size needs memory. */
    bool aligned = ((uintptr_t)ptr & (layout.align - 1)) == 0;
    if (acre_is_pow2(layout.align) &&
        !fault_needs_no_memory(fault, ptr, aligned ? layout.size : SIZE_MAX) &&
        fault_refuses(fault, layout.size))
        return (struct acre_ptr){ NULL, ACRE_NO_MEMORY };
    return acre_realloc(fault->inner, ptr, layout);
}

ACRE_PASS_OPS(fault_ops, .base.init = fault_init, .base.stats = fault_stats,
    .base.reset = fault_reset, .alloc = fault_alloc, .resize = fault_resize,
    .realloc = fault_realloc);

void acre_fault_wrap(struct acre_fault *fault, struct acre_bytes inner)
{
    fault->inner = inner;
    fault->requests = 0;
    fault->failed = 0;
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
