/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Guard: the verbs. Each one finds the block, examines its zones and then calls the inner
 * allocator; guard_block.h draws the block.
 */
#include <acre/wrap/guard.h>
#include <acre/wrap/pass.h>

#include "base/bits.h"
#include "base/memory.h"
#include "wrap/guard_block.h"

/* ---- reports ---- */

static void guard_report(struct acre_guard *guard, const struct acre_guard_damage *damage)
{
    guard->damages++;
    if (guard->report != NULL)
        guard->report(guard->arg, damage);
}

static void guard_report_block(struct acre_guard *guard, const struct guarded *block)
{
    struct acre_guard_damage damage;
    if (acre_guard_block_before(block, &damage))
        guard_report(guard, &damage);
    if (acre_guard_block_behind(block, &damage))
        guard_report(guard, &damage);
}

/* Finds the block at a pointer and reports its damage. False: no live block starts there. */
static bool guard_find_block(struct acre_guard *guard, void *ptr, struct guarded *block)
{
    enum guard_found found = acre_guard_block_at(guard, ptr, block);
    if (found == GUARD_BLOCK)
        guard_report_block(guard, block);
    if (found == GUARD_BROKEN) {
        struct acre_guard_damage damage = { ptr, 0, ACRE_GUARD_AROUND, 0, 0 };
        guard_report(guard, &damage);
    }
    return found == GUARD_BLOCK;
}

/* ---- the verbs ---- */

static void guard_clear_counts(struct acre_guard *guard)
{
    guard->damages = 0;
    guard->failed = 0;
}

static enum acre_status guard_init(void *self, void *start, size_t size)
{
    guard_clear_counts(self);
    return acre_pass_init(self, start, size);
}

static void guard_reset(void *self)
{
    guard_clear_counts(self);
    acre_pass_reset(self);
}

static size_t guard_less_cost(size_t size)
{
    return size > ACRE_GUARD_COST ? size - ACRE_GUARD_COST : 0;
}

/* The inner allocator's count is not the guard's: a realloc that moves a block may first have
 * failed to resize it in place. */
static struct acre_stats guard_stats(const void *self)
{
    const struct acre_guard *guard = self;
    struct acre_stats stats = acre_pass_stats(self);
    stats.failed = guard->failed;
    stats.largest_free = guard_less_cost(stats.largest_free);
    return stats;
}

static size_t guard_at_least_one(size_t size)
{
    return size == 0 ? 1 : size;
}

static struct acre_ptr guard_alloc(void *self, struct acre_layout layout)
{
    struct acre_guard *guard = self;
    struct guarded block = { .offset = guard_offset(layout.align),
        .size = guard_at_least_one(layout.size) };
    layout.size = guard_need(block.offset, block.size);
    struct acre_ptr got = acre_alloc(guard->inner, layout);
    guard->failed += got.status == ACRE_NO_MEMORY;
    if (got.status != ACRE_OK)
        return got;
    block.start = got.ptr;
    block.ptr = block.start + block.offset;
    block.usable = acre_usable_size(guard->inner, got.ptr).num;
    /* The unused bytes in front may hold the record of a block that a reset freed. */
    memset(block.start, ACRE_GUARD_FENCE, block.offset);
    memset(block.ptr, ACRE_GUARD_FRESH, block.size);
    acre_guard_block_write(&block);
    got.ptr = block.ptr;
    return got;
}

static enum acre_status guard_release(struct acre_guard *guard, const struct guarded *block)
{
    memset(block->start, ACRE_GUARD_FREED, block->usable);
    return acre_dealloc(guard->inner, block->start);
}

static enum acre_status guard_dealloc(void *self, void *ptr)
{
    struct guarded block;
    if (!guard_find_block(self, ptr, &block))
        return ACRE_NOT_ALLOCATED;
    return guard_release(self, &block);
}

static bool guard_is_aligned(const void *ptr, size_t align)
{
    return ((uintptr_t)ptr & (align - 1)) == 0;
}

static enum acre_status guard_dealloc_sized(void *self, void *ptr, struct acre_layout layout)
{
    struct guarded block;
    if (!guard_find_block(self, ptr, &block))
        return ACRE_NOT_ALLOCATED;
    if (!acre_is_pow2(layout.align) || !guard_is_aligned(ptr, layout.align) ||
        guard_at_least_one(layout.size) != block.size)
        return ACRE_INVALID_PARAM;
    return guard_release(self, &block);
}

static enum acre_status guard_resize_block(
    struct acre_guard *guard, struct guarded block, size_t size)
{
    size_t had = block.size;
    size = guard_at_least_one(size);
    enum acre_status status =
        acre_resize(guard->inner, block.start, guard_need(block.offset, size));
    if (status != ACRE_OK)
        return status;
    block.size = size;
    block.usable = acre_usable_size(guard->inner, block.start).num;
    if (size > had)
        memset(block.ptr + had, ACRE_GUARD_FRESH, size - had);
    acre_guard_block_write(&block);
    return ACRE_OK;
}

static enum acre_status guard_resize(void *self, void *ptr, size_t size)
{
    struct acre_guard *guard = self;
    struct guarded block;
    if (!guard_find_block(guard, ptr, &block))
        return ACRE_NOT_ALLOCATED;
    enum acre_status status = guard_resize_block(guard, block, size);
    guard->failed += status == ACRE_NO_MEMORY;
    return status;
}

static struct acre_ptr guard_realloc(void *self, void *ptr, struct acre_layout layout)
{
    struct acre_guard *guard = self;
    struct guarded block;
    if (!guard_find_block(guard, ptr, &block))
        return (struct acre_ptr){ NULL, ACRE_NOT_ALLOCATED };
    if (!acre_is_pow2(layout.align))
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    if (guard_is_aligned(ptr, layout.align) &&
        guard_resize_block(guard, block, layout.size) == ACRE_OK)
        return (struct acre_ptr){ ptr, ACRE_OK };
    struct acre_ptr got = guard_alloc(guard, layout);
    if (got.status != ACRE_OK)
        return got;
    size_t size = guard_at_least_one(layout.size);
    memcpy(got.ptr, ptr, size < block.size ? size : block.size);
    guard_release(guard, &block);
    return got;
}

static struct acre_num guard_usable_size(const void *self, const void *ptr)
{
    struct guarded block;
    if (acre_guard_block_at(self, (void *)(uintptr_t)ptr, &block) != GUARD_BLOCK)
        return (struct acre_num){ 0, ACRE_NOT_ALLOCATED };
    return (struct acre_num){ block.size, ACRE_OK };
}

/* The zones are not part of the user's block. */
static struct acre_block guard_find(const void *self, const void *ptr)
{
    const struct acre_guard *guard = self;
    struct guarded block;
    struct acre_block inner = acre_find(guard->inner, ptr);
    if (inner.status != ACRE_OK)
        return inner;
    if (!acre_guard_block_in(inner.start, inner.size, &block) ||
        (uintptr_t)ptr - (uintptr_t)block.ptr >= block.size)
        return (struct acre_block){ NULL, 0, ACRE_NOT_ALLOCATED };
    return (struct acre_block){ block.ptr, block.size, ACRE_OK };
}

/* ---- walk and check ---- */

struct guard_walk_state {
    acre_walk_fn *visit;
    void *arg;
};

/* A block whose records are both overwritten is visited at the smallest offset and the largest size
 * that it can have. */
static bool guard_visit_block(void *arg, void *start, size_t size, bool live)
{
    struct guard_walk_state *state = arg;
    struct guarded block;
    if (live && acre_guard_block_in(start, size, &block))
        return state->visit(state->arg, block.ptr, block.size, true);
    unsigned char *ptr = start;
    size_t offset = size > ACRE_GUARD_FRONT ? ACRE_GUARD_FRONT : 0;
    return state->visit(state->arg, ptr + offset, guard_less_cost(size), live);
}

static void guard_walk(const void *self, acre_walk_fn *visit, void *arg)
{
    struct guard_walk_state state = { visit, arg };
    acre_pass_walk(self, guard_visit_block, &state);
}

struct guard_search {
    struct acre_guard_damage *damage;
    bool found;
};

static bool guard_search_block(void *arg, void *start, size_t size, bool live)
{
    struct guard_search *search = arg;
    struct guarded block;
    if (!live)
        return true;
    if (acre_guard_block_in(start, size, &block)) {
        search->found = acre_guard_block_before(&block, search->damage) ||
                        acre_guard_block_behind(&block, search->damage);
    } else {
        const unsigned char *ptr = (unsigned char *)start + ACRE_GUARD_FRONT;
        *search->damage = (struct acre_guard_damage){ ptr, 0, ACRE_GUARD_AROUND, 0, 0 };
        search->found = true;
    }
    return !search->found;
}

bool acre_guard_find(const struct acre_guard *guard, struct acre_guard_damage *damage)
{
    struct guard_search search = { damage, false };
    acre_walk(guard->inner, guard_search_block, &search);
    return search.found;
}

static struct acre_check_result guard_check(const void *self)
{
    static const char *const invariants[] = {
        [ACRE_GUARD_BEFORE] = "GUARD-1: the zone in front of a block is whole",
        [ACRE_GUARD_BEHIND] = "GUARD-2: the zone behind a block is whole",
        [ACRE_GUARD_AROUND] = "GUARD-3: a record of a block is whole",
    };
    struct acre_guard_damage damage = { NULL, 0, ACRE_GUARD_AROUND, 0, 0 };
    struct acre_check_result result = acre_pass_check(self);
    if (result.invariant == NULL && acre_guard_find(self, &damage))
        result = (struct acre_check_result){ invariants[damage.side], damage.block };
    return result;
}

ACRE_PASS_OPS(guard_ops, .base.init = guard_init, .base.stats = guard_stats,
    .base.check = guard_check, .base.reset = guard_reset, .alloc = guard_alloc,
    .dealloc = guard_dealloc, .dealloc_sized = guard_dealloc_sized, .resize = guard_resize,
    .realloc = guard_realloc, .usable_size = guard_usable_size, .find = guard_find,
    .walk = guard_walk);

/* ---- the wrapper ---- */

void acre_guard_wrap(
    struct acre_guard *guard, struct acre_bytes inner, acre_guard_fn *report, void *arg)
{
    guard->inner = inner;
    guard->report = report;
    guard->arg = arg;
    guard_clear_counts(guard);
}

struct acre_bytes acre_guard_bytes(struct acre_guard *guard)
{
    struct acre_bytes bytes = { &guard_ops, guard };
    return bytes;
}
