/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Fallback: the second allocator serves a request when the first returns ACRE_NO_MEMORY, and gets a
 * pointer when the first returns ACRE_NOT_ALLOCATED.
 *
 * The peak of the sum is at least the peak of each allocator. It can be higher only while both have
 * live blocks, so it is updated only at successful requests after the second has been used.
 */
#include <acre/wrap/fallback.h>

#include "base/arith.h"
#include "base/memory.h"

static size_t fallback_max(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* ---- accounts ---- */

static void fallback_clear_counts(struct acre_fallback *fallback)
{
    fallback->spilled = 0;
    fallback->failed = 0;
    fallback->peak = 0;
}

static void fallback_update_peak(struct acre_fallback *fallback)
{
    if (fallback->spilled == 0)
        return;
    size_t used = acre_bytes_stats(fallback->first).used + acre_bytes_stats(fallback->second).used;
    fallback->peak = fallback_max(fallback->peak, used);
}

static struct acre_stats fallback_stats(const void *self)
{
    const struct acre_fallback *fallback = self;
    struct acre_stats stats = acre_bytes_stats(fallback->first);
    struct acre_stats second = acre_bytes_stats(fallback->second);
    stats.total += second.total;
    stats.metadata += second.metadata;
    stats.used += second.used;
    stats.available += second.available;
    stats.peak = fallback_max(
        fallback_max(stats.peak, second.peak), fallback_max(fallback->peak, stats.used));
    stats.largest_free = fallback_max(stats.largest_free, second.largest_free);
    stats.live_blocks += second.live_blocks;
    stats.failed = fallback->failed;
    return stats;
}

/* ---- memory ---- */

static enum acre_status fallback_init(void *self, void *start, size_t size)
{
    struct acre_fallback *fallback = self;
    fallback_clear_counts(fallback);
    /* A failed init leaves the second allocator empty. */
    enum acre_status emptied = acre_bytes_init(fallback->second, NULL, 0);
    (void)emptied;
    enum acre_status status = acre_bytes_init(fallback->first, start, size);
    fallback->start = status == ACRE_OK ? start : NULL;
    fallback->size = status == ACRE_OK ? size : 0;
    return status;
}

static bool fallback_overlaps_first(const struct acre_fallback *fallback, void *start, size_t size)
{
    uintptr_t from = (uintptr_t)start;
    if (fallback->start == NULL || size == 0 || from + (size - 1) < from)
        return false;
    return acre_ranges_overlap((uintptr_t)fallback->start, fallback->size, from, size);
}

static enum acre_status fallback_add_memory(void *self, void *start, size_t size)
{
    struct acre_fallback *fallback = self;
    if (start != NULL && fallback_overlaps_first(fallback, start, size))
        return ACRE_MEMORY_OVERLAP;
    return acre_bytes_add_memory(fallback->second, start, size);
}

static enum acre_status fallback_remove_memory(void *self, void *start)
{
    struct acre_fallback *fallback = self;
    enum acre_status status = acre_bytes_remove_memory(fallback->first, start);
    if (status == ACRE_NOT_ALLOCATED)
        return acre_bytes_remove_memory(fallback->second, start);
    if (status == ACRE_OK && start == fallback->start)
        fallback->start = NULL;
    return status;
}

static struct acre_check_result fallback_check(const void *self)
{
    const struct acre_fallback *fallback = self;
    struct acre_check_result result = acre_bytes_check(fallback->first);
    return result.invariant != NULL ? result : acre_bytes_check(fallback->second);
}

static void fallback_reset(void *self)
{
    struct acre_fallback *fallback = self;
    fallback_clear_counts(fallback);
    acre_bytes_reset(fallback->first);
    acre_bytes_reset(fallback->second);
}

static void fallback_reset_peak(void *self)
{
    struct acre_fallback *fallback = self;
    acre_bytes_reset_peak(fallback->first);
    acre_bytes_reset_peak(fallback->second);
    fallback->peak = 0;
}

/* ---- blocks ---- */

static struct acre_ptr fallback_alloc_second(
    struct acre_fallback *fallback, struct acre_layout layout)
{
    struct acre_ptr got = acre_alloc(fallback->second, layout);
    fallback->spilled += got.status == ACRE_OK;
    return got;
}

static struct acre_ptr fallback_alloc(void *self, struct acre_layout layout)
{
    struct acre_fallback *fallback = self;
    struct acre_ptr got = acre_alloc(fallback->first, layout);
    if (got.status == ACRE_NO_MEMORY)
        got = fallback_alloc_second(fallback, layout);
    if (got.status == ACRE_OK)
        fallback_update_peak(fallback);
    fallback->failed += got.status == ACRE_NO_MEMORY;
    return got;
}

static enum acre_status fallback_dealloc(void *self, void *ptr)
{
    struct acre_fallback *fallback = self;
    enum acre_status status = acre_dealloc(fallback->first, ptr);
    return status != ACRE_NOT_ALLOCATED ? status : acre_dealloc(fallback->second, ptr);
}

static enum acre_status fallback_dealloc_sized(void *self, void *ptr, struct acre_layout layout)
{
    struct acre_fallback *fallback = self;
    enum acre_status status = acre_dealloc_sized(fallback->first, ptr, layout);
    if (status == ACRE_NOT_ALLOCATED)
        status = acre_dealloc_sized(fallback->second, ptr, layout);
    return status;
}

static enum acre_status fallback_resize(void *self, void *ptr, size_t size)
{
    struct acre_fallback *fallback = self;
    enum acre_status status = acre_resize(fallback->first, ptr, size);
    if (status == ACRE_NOT_ALLOCATED)
        status = acre_resize(fallback->second, ptr, size);
    if (status == ACRE_OK)
        fallback_update_peak(fallback);
    fallback->failed += status == ACRE_NO_MEMORY;
    return status;
}

/* Moves a live block from one allocator to the other; fails when that one has no memory. */
static struct acre_ptr fallback_move(
    struct acre_fallback *fallback, bool to_second, void *ptr, struct acre_layout layout)
{
    struct acre_bytes from = to_second ? fallback->first : fallback->second;
    size_t size = layout.size == 0 ? 1 : layout.size;
    struct acre_ptr got =
        to_second ? fallback_alloc_second(fallback, layout) : acre_alloc(fallback->first, layout);
    if (got.status != ACRE_OK)
        return got;
    size_t usable = acre_usable_size(from, ptr).num;
    memcpy(got.ptr, ptr, size < usable ? size : usable);
    fallback_update_peak(fallback);
    acre_dealloc(from, ptr);
    return got;
}

static struct acre_ptr fallback_realloc(void *self, void *ptr, struct acre_layout layout)
{
    struct acre_fallback *fallback = self;
    bool to_second = true;
    struct acre_ptr got = acre_realloc(fallback->first, ptr, layout);
    if (got.status == ACRE_NOT_ALLOCATED) {
        to_second = false;
        got = acre_realloc(fallback->second, ptr, layout);
    }
    if (got.status == ACRE_NO_MEMORY)
        got = fallback_move(fallback, to_second, ptr, layout);
    else if (got.status == ACRE_OK)
        fallback_update_peak(fallback);
    fallback->failed += got.status == ACRE_NO_MEMORY;
    return got;
}

static struct acre_num fallback_usable_size(const void *self, const void *ptr)
{
    const struct acre_fallback *fallback = self;
    struct acre_num size = acre_usable_size(fallback->first, ptr);
    return size.status == ACRE_OK ? size : acre_usable_size(fallback->second, ptr);
}

static struct acre_block fallback_find(const void *self, const void *ptr)
{
    const struct acre_fallback *fallback = self;
    struct acre_block block = acre_find(fallback->first, ptr);
    return block.status == ACRE_OK ? block : acre_find(fallback->second, ptr);
}

struct fallback_walk_first {
    acre_walk_fn *visit;
    void *arg;
    bool go_on;
};

static bool fallback_visit_first(void *arg, void *start, size_t size, bool live)
{
    struct fallback_walk_first *first = arg;
    first->go_on = first->visit(first->arg, start, size, live);
    return first->go_on;
}

static void fallback_walk(const void *self, acre_walk_fn *visit, void *arg)
{
    const struct acre_fallback *fallback = self;
    struct fallback_walk_first first = { visit, arg, true };
    acre_walk(fallback->first, fallback_visit_first, &first);
    if (first.go_on)
        acre_walk(fallback->second, visit, arg);
}

static const struct acre_bytes_ops fallback_ops = {
    .base = {
        .init = fallback_init,
        .add_memory = fallback_add_memory,
        .remove_memory = fallback_remove_memory,
        .stats = fallback_stats,
        .check = fallback_check,
        .reset = fallback_reset,
        .reset_peak = fallback_reset_peak,
    },
    .alloc = fallback_alloc,
    .dealloc = fallback_dealloc,
    .dealloc_sized = fallback_dealloc_sized,
    .resize = fallback_resize,
    .realloc = fallback_realloc,
    .usable_size = fallback_usable_size,
    .find = fallback_find,
    .walk = fallback_walk,
};

/* ---- the wrapper ---- */

void acre_fallback_wrap(
    struct acre_fallback *fallback, struct acre_bytes first, struct acre_bytes second)
{
    fallback->first = first;
    fallback->second = second;
    fallback->start = NULL;
    fallback->size = 0;
    fallback_clear_counts(fallback);
}

struct acre_bytes acre_fallback_bytes(struct acre_fallback *fallback)
{
    struct acre_bytes bytes = { &fallback_ops, fallback };
    return bytes;
}
