/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * One heap over bitmap pages, as a byte allocator. The counts are kept here, because the statistics
 * of a threaded heap are sums over its slabs.
 */
#include <acre/threaded_pool.h>

#include "base/exhausted.h"
#include "base/lift.h"
#include "base/memory.h"
#include "threaded/threaded_private.h"

#if THREADED_IS_LOCK_FREE

#if ACRE_BITMAP

/* ---- regions ---- */

_Static_assert(
    sizeof(struct acre_thread_heap) <= ACRE_THREADED_PAGE, "the first page has room for the heap");

/* Makes the heap, if there is a page; all pages are free. */
static void pool_open(struct acre_threaded_pool *pool)
{
    const struct acre_threaded_env env = {
        .pages = acre_bitmap_pages(&pool->pages),
        .meta = acre_bitmap_pages(&pool->pages),
    };
    memset(&pool->threaded, 0, sizeof pool->threaded);
    pool->heap = NULL;
    /* NOT-COVERED: false where a page allocator has pages of another size, as none has here */
    if (acre_threaded_setup(&pool->threaded, &env) == ACRE_OK)
        pool->heap = acre_threaded_attach(&pool->threaded);
}

/* Drops heap and records; regions and counts stay. No block is live. */
static void pool_restart(struct acre_threaded_pool *pool)
{
    acre_bitmap_reset(&pool->pages);
    pool_open(pool);
}

/* The same with live blocks, which are lost. */
static void pool_clear(struct acre_threaded_pool *pool)
{
    pool->used = pool->live = pool->peak = pool->failed = 0;
    pool_restart(pool);
}

void acre_threaded_pool_release_empty(struct acre_threaded_pool *pool)
{
    if (pool->heap != NULL && pool->live != 0)
        (void)acre_threaded_release_empty(pool->heap);
    else if (pool->heap != NULL)
        pool_restart(pool);
}

/* Whether memory serves the smallest request. */
static bool pool_serves(struct acre_threaded_pool *pool)
{
    ACRE_ASSERT(pool->heap != NULL);
    struct acre_ptr got = acre_threaded_alloc(pool->heap, acre_layout(1, 1));
    pool_clear(pool); /* and of that block, which needs no free */
    return got.status == ACRE_OK;
}

static enum acre_status pool_add_first(struct acre_threaded_pool *pool, void *start, size_t size)
{
    (void)acre_bitmap_setup(&pool->pages, ACRE_THREADED_PAGE);
    enum acre_status status = acre_bitmap_add_memory(&pool->pages, start, size);
    if (status != ACRE_OK)
        return status;
    pool_open(pool);
    if (pool_serves(pool))
        return ACRE_OK;
    acre_bitmap_reset(&pool->pages);
    status = acre_bitmap_remove_memory(&pool->pages, start);
    ACRE_ASSERT(status == ACRE_OK);
    (void)status;
    memset(&pool->threaded, 0, sizeof pool->threaded);
    pool->heap = NULL;
    return ACRE_INVALID_PARAM;
}

enum acre_status acre_threaded_pool_init(struct acre_threaded_pool *pool, void *start, size_t size)
{
    struct acre_exhausted_hook hook = pool->on_exhausted;
    *pool = (struct acre_threaded_pool){ .on_exhausted = hook };
    return pool_add_first(pool, start, size);
}

enum acre_status acre_threaded_pool_add_memory(
    struct acre_threaded_pool *pool, void *start, size_t size)
{
    if (acre_bitmap_stats(&pool->pages).total == 0)
        return pool_add_first(pool, start, size);
    ACRE_ASSERT(pool->heap != NULL); /* one page is room for it */
    return acre_bitmap_add_memory(&pool->pages, start, size);
}

enum acre_status acre_threaded_pool_remove_memory(struct acre_threaded_pool *pool, void *start)
{
    enum acre_status status = acre_bitmap_remove_memory(&pool->pages, start);
    if (status != ACRE_INVALID_PARAM)
        return status;
    acre_threaded_pool_release_empty(pool);
    if (pool->live != 0)
        return acre_bitmap_remove_memory(&pool->pages, start);
    acre_bitmap_reset(&pool->pages);
    status = acre_bitmap_remove_memory(&pool->pages, start);
    pool_restart(pool);
    if (acre_bitmap_stats(&pool->pages).total == 0)
        pool->peak = pool->failed = 0;
    return status;
}

void acre_threaded_pool_reset(struct acre_threaded_pool *pool)
{
    if (acre_bitmap_stats(&pool->pages).total != 0)
        pool_clear(pool);
    pool->failed = 0;
}

/* ---- accounts ---- */

void acre_threaded_pool_reset_peak(struct acre_threaded_pool *pool)
{
    pool->peak = pool->used;
}

/* Bytes of a run that can be had, with pages left for its record and a leaf of the map. */
static size_t pool_largest_free(size_t run)
{
    enum { LEFT = 4 * ACRE_THREADED_PAGE };
    return run > LEFT ? run - LEFT : 0;
}

struct acre_stats acre_threaded_pool_stats(const struct acre_threaded_pool *pool)
{
    struct acre_stats pages = acre_bitmap_stats(&pool->pages);
    struct acre_stats stats = {
        .total = pages.total,
        .metadata = pages.metadata + pool->threaded.meta_bytes,
        .used = pool->used,
        .peak = pool->peak,
        .largest_free = pool_largest_free(pages.largest_free),
        .live_blocks = pool->live,
        .failed = pool->failed,
    };
    stats.available = stats.total - stats.metadata - stats.used;
    return stats;
}

struct pool_sum {
    size_t live, bytes;
};

static bool pool_add_block(void *arg, void *start, size_t size, bool live)
{
    struct pool_sum *sum = arg;
    (void)start;
    sum->live += live;
    sum->bytes += live ? size : 0;
    return true;
}

struct acre_check_result acre_threaded_pool_check(const struct acre_threaded_pool *pool)
{
    struct pool_sum sum = { 0, 0 };
    struct acre_check_result result = acre_bitmap_check(&pool->pages);
    if (result.invariant == NULL)
        result = acre_threaded_check_all(&pool->threaded);
    if (result.invariant != NULL)
        return result;
    acre_threaded_pool_walk(pool, pool_add_block, &sum);
    if (sum.live != pool->live || sum.bytes != pool->used)
        result.invariant = "THREADED-7: used and live_blocks are not those of the blocks";
    return result;
}

static void pool_count(struct acre_threaded_pool *pool, size_t bytes)
{
    pool->live++;
    pool->used += bytes;
    if (pool->used > pool->peak)
        pool->peak = pool->used;
}

/* ---- blocks ---- */

static size_t pool_usable(const struct acre_threaded_pool *pool, const void *ptr)
{
    return acre_threaded_usable_size(&pool->threaded, ptr).num;
}

/* Counts a block anew whose usable size was `before` bytes. */
static void pool_recount(struct acre_threaded_pool *pool, const void *ptr, size_t before)
{
    pool->used -= before;
    pool->live--;
    pool_count(pool, pool_usable(pool, ptr));
}

static struct acre_ptr pool_retry(void *self, struct acre_layout layout)
{
    return acre_threaded_pool_alloc(self, layout);
}

/* A request that no state could serve is refused before anything changes. */
static bool pool_may_serve(const struct acre_threaded_pool *pool, struct acre_layout layout)
{
    size_t total = acre_bitmap_stats(&pool->pages).total;
    return pool->heap != NULL && layout.size < total && layout.align < total;
}

/* An object of the current group of its class; a null pointer: there is none. */
ACRE_INLINE struct acre_ptr pool_take(struct acre_threaded_pool *pool, size_t index)
{
    struct acre_threaded_group *group = pool->heap->unit[index];
    void *object = threaded_take_object(group);
    if (ACRE_LIKELY(object != NULL))
        pool_count(pool, group->size);
    return (struct acre_ptr){ .ptr = object, .status = ACRE_OK };
}

static ACRE_NOINLINE struct acre_ptr pool_alloc_slow(
    struct acre_threaded_pool *pool, struct acre_layout layout)
{
    struct acre_ptr got = { .ptr = NULL, .status = ACRE_NO_MEMORY };
    if (!acre_is_pow2(layout.align))
        got.status = ACRE_INVALID_PARAM;
    else if (pool_may_serve(pool, layout))
        got = acre_threaded_alloc_slow(pool->heap, layout);
    if (got.status == ACRE_OK)
        pool_count(pool, pool_usable(pool, got.ptr));
    if (got.status == ACRE_NO_MEMORY)
        return acre_retry_exhausted(&pool->on_exhausted, &pool->failed, pool_retry, pool, layout);
    return got;
}

struct acre_ptr acre_threaded_pool_alloc(struct acre_threaded_pool *pool, struct acre_layout layout)
{
    struct acre_ptr got = { .ptr = NULL, .status = ACRE_OK };
    if (ACRE_UNLIKELY(pool->heap == NULL || layout.size > ACRE_THREADED_MAX_SMALL ||
                      layout.align > ACRE_THREADED_UNIT || !acre_is_pow2(layout.align)))
        return pool_alloc_slow(pool, layout);
    if (layout.size <= THREADED_MAX_BY_UNIT)
        got = pool_take(pool, threaded_small_index(layout.size));
    else
        got = pool_take(pool, threaded_medium_index(layout.size));
    return ACRE_LIKELY(got.ptr != NULL) ? got : pool_alloc_slow(pool, layout);
}

static ACRE_NOINLINE enum acre_status pool_dealloc_slow(struct acre_threaded_pool *pool, void *ptr)
{
    size_t usable = pool_usable(pool, ptr);
    if (usable == 0)
        return ACRE_NOT_ALLOCATED;
    enum acre_status status = acre_threaded_dealloc_slow(pool->heap, ptr);
    ACRE_ASSERT(status == ACRE_OK);
    pool->used -= usable;
    pool->live--;
    return status;
}

enum acre_status acre_threaded_pool_dealloc(struct acre_threaded_pool *pool, void *ptr)
{
    if (ACRE_UNLIKELY(pool->heap == NULL))
        return ACRE_NOT_ALLOCATED;
    struct acre_threaded_slab *slab = threaded_window_slab(pool->heap, (uintptr_t)ptr);
    size_t size = slab->size;
    if (ACRE_UNLIKELY(!threaded_dealloc_own(slab, ptr)))
        return pool_dealloc_slow(pool, ptr);
    pool->used -= size;
    pool->live--;
    return ACRE_OK;
}

static ACRE_NOINLINE enum acre_status pool_dealloc_sized_slow(
    struct acre_threaded_pool *pool, void *ptr, struct acre_layout layout)
{
    enum acre_status status = acre_threaded_check_layout(&pool->threaded, ptr, layout);
    return status == ACRE_OK ? acre_threaded_pool_dealloc(pool, ptr) : status;
}

enum acre_status acre_threaded_pool_dealloc_sized(
    struct acre_threaded_pool *pool, void *ptr, struct acre_layout layout)
{
    if (ACRE_UNLIKELY(pool->heap == NULL))
        return ACRE_NOT_ALLOCATED;
    struct acre_threaded_slab *slab = threaded_window_slab(pool->heap, (uintptr_t)ptr);
    size_t size = slab->size;
    if (ACRE_UNLIKELY(!threaded_is_made_for(slab, layout) || !threaded_dealloc_own(slab, ptr)))
        return pool_dealloc_sized_slow(pool, ptr, layout);
    pool->used -= size;
    pool->live--;
    return ACRE_OK;
}

enum acre_status acre_threaded_pool_resize(struct acre_threaded_pool *pool, void *ptr, size_t size)
{
    size_t before = pool_usable(pool, ptr);
    if (before == 0)
        return ACRE_NOT_ALLOCATED;
    enum acre_status status = acre_threaded_resize(pool->heap, ptr, size);
    if (status == ACRE_OK)
        pool_recount(pool, ptr, before);
    pool->failed += status == ACRE_NO_MEMORY;
    return status;
}

/* Moves the block into a new one. This may call the handler of exhaustion. */
static struct acre_ptr pool_move(
    struct acre_threaded_pool *pool, void *ptr, size_t usable, struct acre_layout layout)
{
    struct acre_ptr moved = acre_threaded_pool_alloc(pool, layout);
    if (moved.status != ACRE_OK)
        return moved;
    memcpy(moved.ptr, ptr, usable < layout.size ? usable : layout.size);
    acre_threaded_pool_dealloc(pool, ptr);
    return moved;
}

struct acre_ptr acre_threaded_pool_realloc(
    struct acre_threaded_pool *pool, void *ptr, struct acre_layout layout)
{
    size_t before = pool_usable(pool, ptr);
    if (before == 0)
        return (struct acre_ptr){ .ptr = NULL, .status = ACRE_NOT_ALLOCATED };
    if (!acre_is_pow2(layout.align))
        return (struct acre_ptr){ .ptr = NULL, .status = ACRE_INVALID_PARAM };
    if (acre_threaded_stays(&pool->threaded, ptr, before, layout)) {
        pool_recount(pool, ptr, before);
        return (struct acre_ptr){ .ptr = ptr, .status = ACRE_OK };
    }
    size_t failed = pool->failed;
    struct acre_ptr moved = pool_move(pool, ptr, before, layout);
    bool aligned = ((uintptr_t)ptr & (layout.align - 1)) == 0;
    if (moved.status == ACRE_OK || !aligned || layout.size > before)
        return moved;
    enum acre_status stays = acre_threaded_resize(pool->heap, ptr, layout.size);
    ACRE_ASSERT(stays == ACRE_OK); /* its size is no larger */
    (void)stays;
    pool->failed = failed;
    return (struct acre_ptr){ .ptr = ptr, .status = ACRE_OK };
}

struct acre_num acre_threaded_pool_usable_size(
    const struct acre_threaded_pool *pool, const void *ptr)
{
    return acre_threaded_usable_size(&pool->threaded, ptr);
}

struct acre_block acre_threaded_pool_find(const struct acre_threaded_pool *pool, const void *ptr)
{
    void *start = NULL;
    struct acre_num found = acre_threaded_find(&pool->threaded, ptr, &start);
    return (struct acre_block){ .start = start, .size = found.num, .status = found.status };
}

void acre_threaded_pool_walk(const struct acre_threaded_pool *pool, acre_walk_fn *visit, void *arg)
{
    const struct acre_threaded_slab *slab = acre_threaded_slab_from(&pool->threaded, 0);
    while (slab != NULL && acre_threaded_walk_slab(slab, visit, arg))
        slab = acre_threaded_slab_from(
            &pool->threaded, (slab->start >> ACRE_THREADED_PAGE_LOG2) + slab->pages);
}

void acre_threaded_pool_set_on_exhausted(
    struct acre_threaded_pool *pool, acre_exhausted_fn *handler, void *arg)
{
    acre_set_exhausted_hook(&pool->on_exhausted, handler, arg);
}

/* ---- tables ---- */

/* A slab or run, twice as large as needed where slabs are cut to fit; heap, nodes of the map,
 * records and window; and the bitmap's own. */
static size_t pool_region_size(const void *self, struct acre_layout layout)
{
    enum { FIXED = 24, PER_LEAF = 5 };
    size_t align = layout.align > ACRE_THREADED_PAGE ? layout.align : 0;
    (void)self;
    if (layout.size > SIZE_MAX / 8 || align > SIZE_MAX / 8)
        return 0;
    size_t pages = (2 * layout.size + align) / ACRE_THREADED_PAGE + FIXED;
    pages += (pages >> THREADED_LEAF_LOG2) * PER_LEAF;
    return (pages + 2) * ACRE_THREADED_PAGE + acre_bitmap_metadata_size(pages + pages / 8);
}

static void pool_backing_set_on_exhausted(void *self, acre_exhausted_fn *handler, void *arg)
{
    acre_threaded_pool_set_on_exhausted(self, handler, arg);
}

static enum acre_status pool_add_adjacent(void *self, void *start, size_t size)
{
    return acre_threaded_pool_add_memory(self, start, size);
}

ACRE_LIFT_BASE(acre_threaded_pool)
ACRE_LIFT_BYTES(acre_threaded_pool)

const struct acre_bytes_ops acre_threaded_pool_ops = ACRE_BYTES_TABLE(acre_threaded_pool);

const struct acre_backing acre_threaded_backing = {
    .ops = &acre_threaded_pool_ops,
    .size = sizeof(struct acre_threaded_pool),
    .align = ACRE_ALIGNOF(struct acre_threaded_pool),
    .largest_block = SIZE_MAX,
    .region_size = pool_region_size,
    .add_adjacent = pool_add_adjacent,
    .set_on_exhausted = pool_backing_set_on_exhausted,
};

#endif

#endif
