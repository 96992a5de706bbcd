/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Memory of the system for the threaded heap: regions of pages, each as large as all before it up
 * to a bound, with the bitmaps' metadata and all records in ranges of their own.
 */
#include "base/null.h"
#include "malloc/harden.h"
#include "malloc/threads.h"
#include "malloc/trace.h"
#include "os/os.h"

enum {
    FIRST_REGION = 1 << 20,
    LARGEST_STEP = 1 << 28,
    META_REGION = 128 * 1024,
    FILL_LEVEL_1 = 128
};

static size_t threads_round(size_t size)
{
    return acre_align_up(size, ACRE_THREADED_PAGE);
}

/* The misuse messages walk over blocks, and then over pages that no heap has. */
static bool threads_walk_free(acre_walk_fn *visit, void *arg)
{
    const struct acre_pool_region *region = acre_serve.pool.regions;
    for (; region != NULL; region = region->next) {
        uintptr_t page = threads_round(region->start);
        for (; page - region->start + ACRE_THREADED_PAGE <= region->size;
             page += ACRE_THREADED_PAGE)
            if (!acre_bitmap_is_allocated(&acre_threads.pages, page, 1) &&
                !visit(arg, (void *)page, ACRE_THREADED_PAGE, false))
                return false;
    }
    return true;
}

struct threads_visit {
    acre_walk_fn *visit;
    void *arg;
    bool ended;
};

static bool threads_visit_block(void *arg, void *start, size_t size, bool live)
{
    struct threads_visit *visit = arg;
    visit->ended = !visit->visit(visit->arg, start, size, live);
    return !visit->ended;
}

static void threads_walk(const void *self, acre_walk_fn *visit, void *arg)
{
    struct threads_visit blocks = { .visit = visit, .arg = arg, .ended = false };
    (void)self;
    acre_threaded_walk(&acre_threads.threaded, threads_visit_block, &blocks);
    if (!blocks.ended)
        (void)threads_walk_free(visit, arg);
}

static struct acre_check_result threads_check(const void *self)
{
    (void)self;
    return (struct acre_check_result){ .invariant = NULL };
}

/* What the misuse messages look at; records are out of reach of the program's writes. */
static const struct acre_bytes_ops threads_view = {
    .base = { .check = threads_check },
    .walk = threads_walk,
};

static void threads_lock(void *arg)
{
    acre_lock_take(arg);
}

static void threads_unlock(void *arg)
{
    acre_lock_release(arg);
}

static void *threads_take(struct acre_range *range, size_t size)
{
    return acre_range_take(range, size);
}

/* Bytes that the limit leaves. */
static size_t threads_left(void)
{
    return acre_pool_left(&acre_serve.pool);
}

/* What blocks leave of the limit for records. */
static size_t threads_reserve(void)
{
    return acre_serve.pool.limit == SIZE_MAX ? 0 : acre_serve.pool.limit / 32;
}

static bool threads_add_meta_region(size_t size)
{
    if (size > threads_left())
        return false;
    void *start = threads_take(&acre_serve.pool.metadata, size);
    if (start == NULL || acre_bitmap_add_memory(&acre_threads.meta, start, size) != ACRE_OK)
        return false;
    acre_serve.pool.given += size;
    return true;
}

/* A region of records, half as large as all before it where memory allows. */
static bool threads_add_meta(size_t bytes)
{
    size_t need = threads_round(bytes) + 2 * ACRE_THREADED_PAGE;
    size_t size = threads_round(acre_bitmap_stats(&acre_threads.meta).total / 2);
    if (size < META_REGION)
        size = META_REGION;
    for (; size > need; size = threads_round(size / 2))
        if (size <= threads_left() / 2 && threads_add_meta_region(size))
            return true;
    return threads_add_meta_region(need);
}

/* The record is fresh memory, so no page is dirty. */
static void threads_note_region(void *start, size_t size, void *behind)
{
    struct acre_threads_region *record = behind;
    record->region = (struct acre_pool_region){
        .next = acre_serve.pool.regions, .start = (uintptr_t)start, .size = size
    };
    acre_serve.pool.regions = &record->region;
}

/* A region of blocks, and beside it the bitmap's metadata and a record. */
static bool threads_add_region(size_t size, size_t reserve)
{
    struct acre_pool *pool = &acre_serve.pool;
    size_t meta =
        acre_align_up(acre_bitmap_metadata_size(size / ACRE_THREADED_PAGE), sizeof(void *));
    size_t beside = acre_align_up(meta + acre_threads_region_size(size), acre_os_page_size());
    size_t left = threads_left() > reserve ? threads_left() - reserve : 0;
    if (size > left || meta > left - size)
        return false;
    char *metadata = threads_take(&pool->metadata, beside);
    void *start = metadata != NULL ? threads_take(&pool->blocks, size) : NULL;
    if (start == NULL || acre_bitmap_add_memory_apart(&acre_threads.pages, (uintptr_t)start, size,
                             metadata, meta) != ACRE_OK)
        return false;
    threads_note_region(start, size, metadata + meta);
    pool->given += size + meta;
    return true;
}

/* The rest of what the limit allows, for requests that shorter runs can serve. */
static bool threads_add_rest(void)
{
    size_t left = threads_left();
    size_t meta = acre_bitmap_metadata_size(left / ACRE_THREADED_PAGE) + sizeof(void *);
    if (left < meta + 2 * ACRE_THREADED_PAGE || left > LARGEST_STEP)
        return false;
    return threads_add_region(acre_align_down(left - meta, acre_os_page_size()), 0);
}

static bool threads_add_blocks(size_t bytes)
{
    size_t given = acre_serve.pool.given;
    if (bytes > PTRDIFF_MAX)
        return false;
    size_t need = threads_round(bytes) + 2 * ACRE_THREADED_PAGE;
    size_t size = given < FIRST_REGION ? FIRST_REGION : threads_round(given);
    if (size > LARGEST_STEP)
        size = LARGEST_STEP;
    for (; size > need; size = threads_round(size / 2))
        if (threads_add_region(size, threads_reserve()))
            return true;
    return threads_add_region(need, threads_reserve()) || threads_add_rest();
}

static bool threads_grow(void *arg, struct acre_pages pages, size_t bytes)
{
    (void)arg;
    if (pages.self == (void *)&acre_threads.meta)
        return threads_add_meta(bytes);
    return threads_add_blocks(bytes);
}

static void threads_discard(void *arg, void *start, size_t bytes)
{
    (void)arg;
    (void)acre_os_discard(start, bytes);
}

/* Pages that are verified at their reuse stay, and so do pages that are larger than those of a
 * heap. */
static bool threads_may_discard(void)
{
    return acre_serve.settings.harden == 0 && acre_os_page_size() <= ACRE_THREADED_PAGE;
}

bool acre_threads_open_memory(void)
{
    struct acre_pool *pool = &acre_serve.pool;
    pool->backend = acre_serve.settings.backend;
    pool->bytes = (struct acre_bytes){ .ops = &threads_view, .self = NULL };
    pool->limit = acre_serve.settings.limit;
    pool->blocks.distance = ACRE_RANGE_DISTANCE;
    pool->metadata.distance = ACRE_RANGE_DISTANCE + ACRE_RANGE_DISTANCE / 8;
    struct acre_threaded_env env = {
        .pages = acre_bitmap_pages(&acre_threads.pages),
        .meta = acre_bitmap_pages(&acre_threads.meta),
        .lock = { .lock = threads_lock, .unlock = threads_unlock, .arg = &acre_serve.lock },
        .grow = threads_grow,
        .taken = acre_threads_taken,
        .released = acre_threads_released,
        .discard = threads_may_discard() ? threads_discard : NULL,
        .discard_page = acre_os_page_size(),
        .meta_is_zero = true,
        .hardening = { .on = acre_serve.settings.harden != 0,
            .slow = acre_serve.settings.trace_frees,
            .pages_are_zero = true,
            .fill = acre_serve.settings.harden == 1 ? FILL_LEVEL_1 : 0,
            .secret = acre_os_secret(),
            .damaged = acre_hardened_damaged },
    };
    if (acre_serve.settings.trace_frees)
        (void)acre_trace_open();
    return acre_bitmap_setup(&acre_threads.pages, ACRE_THREADED_PAGE) == ACRE_OK &&
           acre_bitmap_setup(&acre_threads.meta, ACRE_THREADED_PAGE) == ACRE_OK &&
           acre_threaded_setup(&acre_threads.threaded, &env) == ACRE_OK;
}

/* Free memory that adjoins, seen so far. */
struct threads_gap {
    uintptr_t start, end;
    bool any;
};

static void threads_discard_gap(struct threads_gap *gap)
{
    uintptr_t page = acre_os_page_size();
    uintptr_t start = acre_align_up(gap->start, page);
    uintptr_t end = acre_align_down(gap->end, page);
    if (start < end && acre_os_discard((void *)start, end - start) == 0)
        gap->any = true;
    gap->start = gap->end = 0;
}

static bool threads_extend_gap(void *arg, void *start, size_t size, bool live)
{
    struct threads_gap *gap = arg;
    if (live || (uintptr_t)start != gap->end)
        threads_discard_gap(gap);
    if (live)
        return true;
    if (gap->end == 0)
        gap->start = (uintptr_t)start;
    gap->end = (uintptr_t)start + size;
    return true;
}

bool acre_threads_discard_free(struct acre_thread_heap *heap)
{
    struct threads_gap gap = { .any = false };
    acre_threaded_walk_own(heap, threads_extend_gap, &gap);
    threads_discard_gap(&gap);
    acre_lock_take(&acre_serve.lock);
    (void)threads_walk_free(threads_extend_gap, &gap);
    threads_discard_gap(&gap);
    acre_threads_forget_released();
    acre_lock_release(&acre_serve.lock);
    return gap.any;
}
