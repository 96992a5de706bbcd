/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Guard: the verbs. A block is found, its zones are looked at, then the inner allocator is asked;
 * guard_block.h draws the block.
 */
#include <acre/wrap/guard.h>

#include "base/bits.h"
#include "base/memory.h"
#include "wrap/guard_block.h"
#include "wrap/pass.h"

/* ---- reports ---- */

static void tell(struct acre_guard *guard, const struct acre_guard_damage *damage)
{
    guard->damages++;
    if (guard->report != NULL)
        guard->report(guard->arg, damage);
}

static void report_damage(struct acre_guard *guard, const struct guarded *block)
{
    struct acre_guard_damage damage;
    if (acre_guard_block_before(block, &damage))
        tell(guard, &damage);
    if (acre_guard_block_behind(block, &damage))
        tell(guard, &damage);
}

/* The block at a pointer, its damage reported; false: refused. */
static bool find(struct acre_guard *guard, void *ptr, struct guarded *block)
{
    enum guard_found found = acre_guard_block_at(guard, ptr, block);
    if (found == GUARD_BLOCK)
        report_damage(guard, block);
    if (found == GUARD_BROKEN) {
        struct acre_guard_damage damage = { ptr, 0, ACRE_GUARD_AROUND, 0, 0 };
        tell(guard, &damage);
    }
    return found == GUARD_BLOCK;
}

/* ---- the verbs ---- */

static enum acre_status guard_init(void *self, void *start, size_t size)
{
    struct acre_guard *guard = self;
    guard->damages = 0;
    guard->moved = 0;
    return acre_init(wrap_inner_base(self), start, size);
}

static void guard_reset(void *self)
{
    struct acre_guard *guard = self;
    guard->damages = 0;
    guard->moved = 0;
    acre_reset(wrap_inner_base(self));
}

static size_t less_cost(size_t size)
{
    return size > ACRE_GUARD_COST ? size - ACRE_GUARD_COST : 0;
}

/* A realloc that does not stay in place has been refused once by the inner allocator. */
static struct acre_stats guard_stats(const void *self)
{
    const struct acre_guard *guard = self;
    struct acre_stats stats = acre_stats(wrap_inner_base(self));
    stats.failed -= guard->moved;
    stats.largest_free = less_cost(stats.largest_free);
    return stats;
}

static size_t at_least_one(size_t size)
{
    return size == 0 ? 1 : size;
}

static struct acre_ptr guard_alloc(void *self, struct acre_layout layout)
{
    struct acre_guard *guard = self;
    struct guarded block = { .lead = guard_lead(layout.align), .asked = at_least_one(layout.size) };
    layout.size = guard_need(block.lead, block.asked);
    struct acre_ptr got = acre_alloc(guard->inner, layout);
    if (got.status != ACRE_OK)
        return got;
    block.start = got.ptr;
    block.ptr = block.start + block.lead;
    block.room = acre_usable_size(guard->inner, got.ptr).num;
    /* What lies unused in front may hold the record of a block that a reset did away with. */
    memset(block.start, ACRE_GUARD_FENCE, block.lead);
    memset(block.ptr, ACRE_GUARD_FRESH, block.asked);
    acre_guard_block_seal(&block);
    got.ptr = block.ptr;
    return got;
}

static enum acre_status release(struct acre_guard *guard, const struct guarded *block)
{
    memset(block->start, ACRE_GUARD_FREED, block->room);
    return acre_dealloc(guard->inner, block->start);
}

static enum acre_status guard_dealloc(void *self, void *ptr)
{
    struct guarded block;
    if (!find(self, ptr, &block))
        return ACRE_NOT_ALLOCATED;
    return release(self, &block);
}

static bool is_aligned(const void *ptr, size_t align)
{
    return ((uintptr_t)ptr & (align - 1)) == 0;
}

static enum acre_status guard_dealloc_sized(void *self, void *ptr, struct acre_layout layout)
{
    struct guarded block;
    if (!find(self, ptr, &block))
        return ACRE_NOT_ALLOCATED;
    if (!acre_is_pow2(layout.align) || !is_aligned(ptr, layout.align) ||
        at_least_one(layout.size) != block.asked)
        return ACRE_INVALID_PARAM;
    return release(self, &block);
}

static enum acre_status resize_found(struct acre_guard *guard, struct guarded block, size_t size)
{
    size_t had = block.asked;
    size = at_least_one(size);
    enum acre_status status = acre_resize(guard->inner, block.start, guard_need(block.lead, size));
    if (status != ACRE_OK)
        return status;
    block.asked = size;
    block.room = acre_usable_size(guard->inner, block.start).num;
    if (size > had)
        memset(block.ptr + had, ACRE_GUARD_FRESH, size - had);
    acre_guard_block_seal(&block);
    return ACRE_OK;
}

static enum acre_status guard_resize(void *self, void *ptr, size_t size)
{
    struct guarded block;
    if (!find(self, ptr, &block))
        return ACRE_NOT_ALLOCATED;
    return resize_found(self, block, size);
}

static struct acre_ptr guard_realloc(void *self, void *ptr, struct acre_layout layout)
{
    struct acre_guard *guard = self;
    struct guarded block;
    if (!find(guard, ptr, &block))
        return (struct acre_ptr){ NULL, ACRE_NOT_ALLOCATED };
    if (!acre_is_pow2(layout.align))
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    if (is_aligned(ptr, layout.align)) {
        if (resize_found(guard, block, layout.size) == ACRE_OK)
            return (struct acre_ptr){ ptr, ACRE_OK };
        guard->moved++;
    }
    struct acre_ptr got = guard_alloc(guard, layout);
    if (got.status != ACRE_OK)
        return got;
    size_t size = at_least_one(layout.size);
    memcpy(got.ptr, ptr, size < block.asked ? size : block.asked);
    release(guard, &block);
    return got;
}

static struct acre_num guard_usable_size(const void *self, const void *ptr)
{
    struct guarded block;
    if (acre_guard_block_at(self, (void *)(uintptr_t)ptr, &block) != GUARD_BLOCK)
        return (struct acre_num){ 0, ACRE_NOT_ALLOCATED };
    return (struct acre_num){ block.asked, ACRE_OK };
}

/* ---- walk and check ---- */

struct tour {
    acre_walk_fn *visit;
    void *arg;
};

/* Of a block without records no more is known than what it could have been. */
static bool visit_inside(void *arg, void *start, size_t size, bool live)
{
    struct tour *tour = arg;
    struct guarded block;
    if (live && acre_guard_block_in(start, size, &block))
        return tour->visit(tour->arg, block.ptr, block.asked, true);
    unsigned char *ptr = start;
    size_t lead = size > ACRE_GUARD_FRONT ? ACRE_GUARD_FRONT : 0;
    return tour->visit(tour->arg, ptr + lead, less_cost(size), live);
}

static void guard_walk(const void *self, acre_walk_fn *visit, void *arg)
{
    struct tour tour = { visit, arg };
    acre_walk(wrap_inner(self), visit_inside, &tour);
}

struct hunt {
    struct acre_guard_damage *damage;
    bool found;
};

static bool look_at(void *arg, void *start, size_t size, bool live)
{
    struct hunt *hunt = arg;
    struct guarded block;
    if (!live)
        return true;
    if (acre_guard_block_in(start, size, &block)) {
        hunt->found = acre_guard_block_before(&block, hunt->damage) ||
                      acre_guard_block_behind(&block, hunt->damage);
    } else {
        const unsigned char *ptr = (unsigned char *)start + ACRE_GUARD_FRONT;
        *hunt->damage = (struct acre_guard_damage){ ptr, 0, ACRE_GUARD_AROUND, 0, 0 };
        hunt->found = true;
    }
    return !hunt->found;
}

bool acre_guard_find(const struct acre_guard *guard, struct acre_guard_damage *damage)
{
    struct hunt hunt = { damage, false };
    acre_walk(guard->inner, look_at, &hunt);
    return hunt.found;
}

static struct acre_check_result guard_check(const void *self)
{
    static const char *const invariants[] = {
        [ACRE_GUARD_BEFORE] = "GUARD-1: the zone in front of a block is whole",
        [ACRE_GUARD_BEHIND] = "GUARD-2: the zone behind a block is whole",
        [ACRE_GUARD_AROUND] = "GUARD-3: a record of a block is whole",
    };
    struct acre_guard_damage damage = { NULL, 0, ACRE_GUARD_AROUND, 0, 0 };
    struct acre_check_result result = acre_check(wrap_inner_base(self));
    if (result.invariant == NULL && acre_guard_find(self, &damage))
        result = (struct acre_check_result){ invariants[damage.side], damage.block };
    return result;
}

static const struct acre_bytes_ops guard_ops = {
    .base = {
        .init = guard_init,
        .add_memory = acre_wrap_pass_add_memory,
        .remove_memory = acre_wrap_pass_remove_memory,
        .stats = guard_stats,
        .check = guard_check,
        .reset = guard_reset,
    },
    .alloc = guard_alloc,
    .dealloc = guard_dealloc,
    .dealloc_sized = guard_dealloc_sized,
    .resize = guard_resize,
    .realloc = guard_realloc,
    .usable_size = guard_usable_size,
    .walk = guard_walk,
};

/* ---- the wrapper ---- */

void acre_guard_wrap(
    struct acre_guard *guard, struct acre_bytes inner, acre_guard_fn *report, void *arg)
{
    guard->inner = inner;
    guard->report = report;
    guard->arg = arg;
    guard->damages = 0;
    guard->moved = 0;
}

struct acre_bytes acre_guard_bytes(struct acre_guard *guard)
{
    struct acre_bytes bytes = { &guard_ops, guard };
    return bytes;
}
