/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The windows in which heaps find their own slabs. Their memory is pages of records, which go back
 * when a window is replaced by a larger one.
 */
#include "base/memory.h"
#include "threaded/threaded_private.h"

#if THREADED_IS_LOCK_FREE

enum {
    ENTRIES_LOG2 = ACRE_THREADED_PAGE_LOG2 - (sizeof(void *) == 8 ? 3 : 2),
    ENTRIES = 1 << ENTRIES_LOG2, /* of a page */
    SPARSE = 16                  /* a window has at most so many entries per page of slabs */
};

/* Which pages a window over the old one and a new slab covers; whole pages of entries. */
struct window_range {
    uintptr_t start;
    size_t pages;
};

static void threaded_window_set(const struct threaded_window *window,
    const struct acre_threaded_slab *slab, struct acre_threaded_slab *entry)
{
    for (size_t i = 0; i < slab->pages; i++) {
        uintptr_t offset = slab->start + i * ACRE_THREADED_PAGE - window->start;
        size_t page = offset >> ACRE_THREADED_PAGE_LOG2;
        if (page < window->pages)
            window->entry[page] = entry;
    }
}

static bool threaded_window_covers(
    const struct threaded_window *window, const struct acre_threaded_slab *slab)
{
    size_t page = (slab->start - window->start) >> ACRE_THREADED_PAGE_LOG2;
    return page < window->pages && window->pages - page >= slab->pages;
}

/* The range doubles on the side on which the slab lies, so a heap that grows is copied rarely. */
static struct window_range threaded_window_range(
    const struct threaded_window *old, const struct acre_threaded_slab *slab)
{
    uintptr_t start = slab->start;
    uintptr_t end = start + slab->pages * ACRE_THREADED_PAGE;
    bool below = old->pages != 0 && start < old->start;
    uintptr_t old_end = old->start + old->pages * ACRE_THREADED_PAGE;
    if (old->pages != 0 && !below)
        start = old->start;
    if (old->pages != 0 && end < old_end)
        end = old_end;
    size_t pages = (end - start) >> ACRE_THREADED_PAGE_LOG2;
    size_t wanted = pages < 2 * old->pages ? 2 * old->pages : pages;
    wanted = (size_t)acre_align_up(wanted, ENTRIES);
    /* NOT-COVERED: so low that the window would begin below address 0 */
    if (below && (wanted - pages) <= start >> ACRE_THREADED_PAGE_LOG2)
        start -= (wanted - pages) << ACRE_THREADED_PAGE_LOG2;
    return (struct window_range){ .start = start, .pages = wanted };
}

static void threaded_window_free(struct acre_threaded *threaded, const struct threaded_window *old)
{
    size_t count = old->pages >> ENTRIES_LOG2;
    if (count == 0)
        return;
    if (threaded->env.meta_is_zero)
        memset(old->entry, 0, count * ACRE_THREADED_PAGE);
    enum acre_status status = acre_dealloc_pages(threaded->env.meta, (uintptr_t)old->entry, count);
    ACRE_ASSERT(status == ACRE_OK);
    (void)status;
    threaded->meta_bytes -= count * ACRE_THREADED_PAGE;
}

/* Slabs that the old window did not know enter the new one here. O(slabs + entries). */
static void threaded_window_fill(struct acre_thread_heap *heap)
{
    for (size_t i = 0; i < heap->window.pages; i++)
        heap->window.entry[i] = threaded_no_slab();
    struct acre_threaded_slab *slab = heap->threaded->slabs;
    for (; slab != NULL; slab = slab->below)
        if (atomic_load_explicit(&slab->owner, memory_order_relaxed) == heap)
            threaded_window_set(&heap->window, slab, slab);
}

static void threaded_window_replace(struct acre_thread_heap *heap, struct window_range range)
{
    struct acre_threaded *threaded = heap->threaded;
    struct threaded_window old = heap->window;
    size_t count = range.pages >> ENTRIES_LOG2;
    uintptr_t entries =
        acre_threaded_take_pages(threaded, threaded->env.meta, count, ACRE_THREADED_PAGE);
    if (entries == 0)
        return;
    threaded->meta_bytes += count * ACRE_THREADED_PAGE;
    heap->window = (struct threaded_window){
        .start = range.start, .pages = range.pages, .entry = (struct acre_threaded_slab **)entries
    };
    threaded_window_fill(heap);
    threaded_window_free(threaded, &old);
}

void acre_threaded_window_add(struct acre_thread_heap *heap, struct acre_threaded_slab *slab)
{
    heap->slab_pages += slab->pages;
    if (threaded_is_slow(heap->threaded))
        return;
    if (!threaded_window_covers(&heap->window, slab)) {
        struct window_range range = threaded_window_range(&heap->window, slab);
        if (range.pages == ENTRIES || range.pages / SPARSE <= heap->slab_pages)
            threaded_window_replace(heap, range);
    }
    threaded_window_set(&heap->window, slab, slab);
}

void acre_threaded_window_remove(
    struct acre_thread_heap *heap, const struct acre_threaded_slab *slab)
{
    heap->slab_pages -= slab->pages;
    threaded_window_set(&heap->window, slab, threaded_no_slab());
}

#endif
