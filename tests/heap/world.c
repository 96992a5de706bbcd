/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "support/site_asserts.h"

struct world world;
static struct world before;
struct acre_heap *const heap = &world.own.heap;

/* ---- the turnstile ---- */

static enum acre_status init(void *self, void *start, size_t size)
{
    struct turnstile *turnstile = self;
    return acre_pages_init(turnstile->inner, start, size);
}

static enum acre_status add_memory(void *self, void *start, size_t size)
{
    struct turnstile *turnstile = self;
    return acre_pages_add_memory(turnstile->inner, start, size);
}

static enum acre_status remove_memory(void *self, void *start)
{
    struct turnstile *turnstile = self;
    return acre_pages_remove_memory(turnstile->inner, start);
}

static struct acre_stats stats(const void *self)
{
    const struct turnstile *turnstile = self;
    return acre_pages_stats(turnstile->inner);
}

static struct acre_check_result check(const void *self)
{
    const struct turnstile *turnstile = self;
    return acre_pages_check(turnstile->inner);
}

static void reset(void *self)
{
    struct turnstile *turnstile = self;
    acre_pages_reset(turnstile->inner);
}

static void reset_peak(void *self)
{
    struct turnstile *turnstile = self;
    acre_pages_reset_peak(turnstile->inner);
}

static bool is_refused(struct turnstile *turnstile, size_t count)
{
    assert_true(turnstile->held == NULL || *turnstile->held == 0);
    turnstile->searches++;
    bool nth = turnstile->refuse_nth != 0 && --turnstile->refuse_nth == 0;
    return nth || (turnstile->refuse_from != 0 && count >= turnstile->refuse_from);
}

static struct acre_num alloc_pages(void *self, size_t count, size_t align)
{
    struct turnstile *turnstile = self;
    if (is_refused(turnstile, count))
        return (struct acre_num){ 0, ACRE_NO_MEMORY };
    return acre_alloc_pages(turnstile->inner, count, align);
}

static struct acre_num alloc_pages_at(void *self, uintptr_t pos, size_t count, size_t align)
{
    struct turnstile *turnstile = self;
    if (is_refused(turnstile, count))
        return (struct acre_num){ 0, ACRE_NO_MEMORY };
    return acre_alloc_pages_at(turnstile->inner, pos, count, align);
}

static struct acre_num alloc_pages_within(
    void *self, size_t count, const struct acre_run_limits *limits)
{
    struct turnstile *turnstile = self;
    if (is_refused(turnstile, count))
        return (struct acre_num){ 0, ACRE_NO_MEMORY };
    return acre_alloc_pages_within(turnstile->inner, count, limits);
}

static enum acre_status dealloc_pages(void *self, uintptr_t pos, size_t count)
{
    struct turnstile *turnstile = self;
    assert_true(turnstile->held == NULL || *turnstile->held == 0);
    return acre_dealloc_pages(turnstile->inner, pos, count);
}

static size_t page_size(const void *self)
{
    const struct turnstile *turnstile = self;
    return acre_page_size(turnstile->inner);
}

static const struct acre_pages_ops turnstile_ops = {
    .base = { init, add_memory, remove_memory, stats, check, reset, reset_peak },
    .alloc_pages = alloc_pages,
    .alloc_pages_at = alloc_pages_at,
    .alloc_pages_within = alloc_pages_within,
    .dealloc_pages = dealloc_pages,
    .page_size = page_size,
};

/* ---- the world ---- */

int world_make(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    acre_heap_tlsf_setup(&world.own, PAGE);
    return acre_heap_init(heap, world.memory, WORLD_SIZE) != ACRE_OK;
}

int world_make_guarded(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    acre_bitmap_setup(&world.own.pages, PAGE);
    world.turnstile.inner = acre_bitmap_pages(&world.own.pages);
    struct acre_heap_parts parts = {
        .backing = &acre_tlsf_backing,
        .self = &world.own.tlsf,
        .pages = { &turnstile_ops, &world.turnstile },
    };
    if (acre_heap_setup(heap, &parts) != ACRE_OK)
        return 1;
    return acre_heap_init(heap, world.memory, WORLD_SIZE) != ACRE_OK;
}

static void world_lock(void *depth)
{
    assert_int_equal(++*(int *)depth, 1);
}

static void world_unlock(void *depth)
{
    assert_int_equal(--*(int *)depth, 0);
}

int world_make_locked(void **state)
{
    static int depth;
    int bad = world_make_guarded(state);
    depth = 0;
    struct acre_locker locker = { world_lock, world_unlock, &depth };
    acre_heap_set_locks(heap, locker, locker);
    return bad;
}

void world_save(void)
{
    memcpy(&before, &world, sizeof world);
}

void assert_world_unchanged(void)
{
    before.turnstile = world.turnstile;
    before.own.heap.failed = world.own.heap.failed;
    before.own.heap.failed_pages = world.own.heap.failed_pages;
    before.own.tlsf.failed = world.own.tlsf.failed;
    before.own.pages.failed = world.own.pages.failed;
    assert_memory_equal(&before, &world, sizeof world);
}

void assert_heap_sound(void)
{
    struct acre_check_result found = acre_heap_check(heap);
    if (found.invariant != NULL)
        fail_msg("%s at %p", found.invariant, found.where);
    struct acre_stats stats_now = acre_heap_stats(heap);
    assert_int_equal(stats_now.total, stats_now.metadata + stats_now.used + stats_now.available);
}

void *take(size_t size)
{
    struct acre_ptr got = acre_heap_alloc(heap, acre_layout(size, 1));
    assert_int_equal(got.status, ACRE_OK);
    assert_heap_sound();
    return got.ptr;
}

void give(void *ptr)
{
    assert_int_equal(acre_heap_dealloc(heap, ptr), ACRE_OK);
    assert_heap_sound();
}

size_t chunk_bytes(void)
{
    return world.own.heap.chunk_pages * PAGE;
}
