/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Runs of pages: blocks larger than any class, of which each heap keeps a few for reuse.
 */
#include "threaded/threaded_private.h"

#if THREADED_IS_LOCK_FREE

/* ---- runs that are kept ---- */

/* A run of just so many pages that this thread has kept, or null. O(ACRE_THREADED_KEPT_RUNS). */
static struct acre_threaded_slab *threaded_take_kept(
    struct acre_thread_heap *heap, size_t pages, size_t align)
{
    for (size_t i = 0; i < ACRE_THREADED_KEPT_RUNS; i++) {
        struct acre_threaded_slab *run = heap->kept[i];
        if (run == NULL || run->pages != pages || (run->start & (align - 1)) != 0)
            continue;
        heap->kept[i] = NULL;
        heap->kept_pages -= pages;
        atomic_store_explicit(&run->is_fallback, false, memory_order_relaxed);
        atomic_store_explicit(&run->state, THREADED_RUN, memory_order_release);
        return run;
    }
    return NULL;
}

/* Links the run that was kept longest to *gone, if its place has one. */
static void threaded_drop_oldest(struct acre_thread_heap *heap, struct acre_threaded_slab **gone)
{
    struct acre_threaded_slab *old = heap->kept[heap->next_kept];
    if (old == NULL)
        return;
    heap->kept[heap->next_kept] = NULL;
    heap->kept_pages -= old->pages;
    old->next = *gone;
    *gone = old;
}

static void threaded_next_kept(struct acre_thread_heap *heap)
{
    heap->next_kept = (heap->next_kept + 1) % ACRE_THREADED_KEPT_RUNS;
}

/* Keeps a run for reuse; links those that have to make room, or itself, to *gone. All that are
 * kept have at most KEPT pages, and one for every PART of the heap's slabs. */
static void threaded_keep_run(
    struct acre_thread_heap *heap, struct acre_threaded_slab *run, struct acre_threaded_slab **gone)
{
    enum { KEPT = 16, PART = 8 };
    size_t most = KEPT + heap->slab_pages / PART;
    if (run->pages > ACRE_THREADED_KEPT_PAGES || run->pages > most) {
        run->next = *gone;
        *gone = run;
        return;
    }
    threaded_drop_oldest(heap, gone);
    while (heap->kept_pages + run->pages > most) {
        threaded_next_kept(heap);
        threaded_drop_oldest(heap, gone);
    }
    run->next = NULL;
    heap->kept[heap->next_kept] = run;
    heap->kept_pages += run->pages;
    threaded_next_kept(heap);
}

void acre_threaded_drop_kept(struct acre_thread_heap *heap, struct acre_threaded_slab **gone)
{
    for (size_t i = 0; i < ACRE_THREADED_KEPT_RUNS; i++) {
        struct acre_threaded_slab *run = heap->kept[i];
        if (run == NULL)
            continue;
        heap->kept[i] = NULL;
        heap->kept_pages -= run->pages;
        run->next = *gone;
        *gone = run;
    }
}

/* ---- alloc, dealloc, resize ---- */

void *acre_threaded_alloc_run(struct acre_thread_heap *heap, struct acre_layout layout)
{
    size_t size = layout.size + (layout.size == 0);
    size_t pages = (size + ACRE_THREADED_PAGE - 1) / ACRE_THREADED_PAGE;
    size_t align = layout.align > ACRE_THREADED_PAGE ? layout.align : ACRE_THREADED_PAGE;
    struct acre_threaded_slab *run = threaded_take_kept(heap, pages, align);
    threaded_count_slow(heap, 1);
    if (run == NULL) {
        acre_locker_lock(&heap->threaded->env.lock);
        run = acre_threaded_make_run(heap->threaded, pages, align);
        acre_locker_unlock(&heap->threaded->env.lock);
    }
    if (run == NULL)
        return NULL;
    run->thread = heap->thread;
    return (void *)run->start;
}

/* Of two threads that free a run at once, one changes its state. */
enum acre_status acre_threaded_dealloc_run(
    struct acre_thread_heap *heap, struct acre_threaded_slab *run, void *ptr)
{
    uint32_t state = THREADED_RUN;
    if (run->start != (uintptr_t)ptr ||
        !atomic_compare_exchange_strong_explicit(
            &run->state, &state, THREADED_KEPT, memory_order_acq_rel, memory_order_relaxed))
        return ACRE_NOT_ALLOCATED;
    threaded_enter(heap);
    struct acre_threaded_slab *gone = NULL;
    threaded_keep_run(heap, run, &gone);
    if (gone != NULL) {
        acre_locker_lock(&heap->threaded->env.lock);
        acre_threaded_release(heap->threaded, gone);
        acre_locker_unlock(&heap->threaded->env.lock);
    }
    threaded_leave(heap);
    return ACRE_OK;
}

/* Takes the pages behind a run, or gives back its last ones. False: the pages behind it are in
 * use, and nothing has changed. */
static bool threaded_resize_run(
    struct acre_threaded *threaded, struct acre_threaded_slab *run, size_t pages)
{
    const struct acre_threaded_env *env = &threaded->env;
    bool done = true;
    acre_locker_lock(&env->lock);
    if (pages < run->pages) {
        acre_threaded_give_pages(
            threaded, run->start + pages * ACRE_THREADED_PAGE, run->pages - pages);
    } else if (pages > run->pages) {
        uintptr_t end = run->start + run->pages * ACRE_THREADED_PAGE;
        size_t more = pages - run->pages;
        done = acre_alloc_pages_at(env->pages, end, more, ACRE_THREADED_PAGE).status == ACRE_OK;
        if (done)
            threaded_taken(threaded, end, more);
    }
    run->pages = done ? pages : run->pages;
    acre_locker_unlock(&env->lock);
    return done;
}

/* Whether a block is a run, the layout is one of runs, and the run has its size now. */
bool acre_threaded_resize_in_place(
    struct acre_threaded *threaded, void *ptr, struct acre_layout layout)
{
    struct acre_threaded_slab *run = threaded_slab_of(threaded, (uintptr_t)ptr);
    if (threaded_state_of(run) != THREADED_RUN || layout.size > SIZE_MAX / 2 ||
        acre_threaded_class_for(layout) != ACRE_THREADED_CLASSES ||
        (run->start & (layout.align - 1)) != 0)
        return false;
    size_t size = layout.size + (layout.size == 0);
    return threaded_resize_run(threaded, run, (size + ACRE_THREADED_PAGE - 1) / ACRE_THREADED_PAGE);
}

#endif
