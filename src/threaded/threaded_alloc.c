/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The verbs on blocks: the slow paths of alloc and dealloc, runs of pages, sizes.
 */
#include "base/memory.h"
#include "threaded/threaded_harden.h"

#if THREADED_IS_LOCK_FREE

static enum threaded_state threaded_state_of(const struct acre_threaded_slab *slab)
{
    return (enum threaded_state)atomic_load_explicit(&slab->state, memory_order_acquire);
}

/* ---- runs of pages ---- */

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

/* Keeps a run for reuse; links those that have to make room, or itself, to *gone. All that are kept have at
 * most KEPT pages, and one for every PART of the heap's slabs. */
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

void *acre_threaded_alloc_run(struct acre_thread_heap *heap, struct acre_layout layout)
{
    size_t size = layout.size + (layout.size == 0);
    size_t pages = (size + ACRE_THREADED_PAGE - 1) / ACRE_THREADED_PAGE;
    size_t align = layout.align > ACRE_THREADED_PAGE ? layout.align : ACRE_THREADED_PAGE;
    struct acre_threaded_slab *run = threaded_take_kept(heap, pages, align);
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

/* ---- alloc ---- */

_Static_assert(ACRE_THREADED_MAX_SMALL % ACRE_THREADED_PAGE == 0,
    "a size of a class, rounded up to an alignment, has a class");

/* The class that serves a layout of at most a page of alignment, or ACRE_THREADED_CLASSES. Slabs start
 * at pages, so objects whose size is a multiple of the alignment lie at multiples of it; and the class
 * of such a size has one: where its step is less than the alignment, each multiple has its own class. */
unsigned acre_threaded_class_for(struct acre_layout layout)
{
    size_t size = layout.size + (layout.size == 0);
    if (size > ACRE_THREADED_MAX_SMALL || layout.align > ACRE_THREADED_PAGE)
        return ACRE_THREADED_CLASSES;
    if (layout.align > ACRE_THREADED_UNIT)
        size = acre_align_up(size, layout.align);
    unsigned size_class = acre_threaded_class_of(size);
    ACRE_ASSERT((acre_threaded_class_size(size_class) & (layout.align - 1)) == 0);
    return size_class;
}

static void *threaded_try_alloc(struct acre_thread_heap *heap, struct acre_layout layout)
{
    if (ACRE_UNLIKELY(threaded_is_hardened(heap->threaded)))
        return acre_harden_alloc(heap, layout);
    unsigned size_class = acre_threaded_class_for(layout);
    if (size_class == ACRE_THREADED_CLASSES)
        return acre_threaded_alloc_run(heap, layout);
    void *object = threaded_take_object(heap->group[size_class]);
    return object != NULL ? object : acre_threaded_refill(heap, size_class, true);
}

/* An object of any larger class; its slab then accepts smaller sizes in sized frees. */
static void *threaded_alloc_larger(struct acre_thread_heap *heap, struct acre_layout layout)
{
    unsigned size_class = acre_threaded_class_for(layout);
    for (unsigned i = size_class + 1; i < ACRE_THREADED_CLASSES; i++) {
        if ((acre_threaded_class_size(i) & (layout.align - 1)) != 0)
            continue;
        void *object = threaded_take_object(heap->group[i]);
        if (object == NULL)
            object = acre_threaded_refill(heap, i, false);
        if (object == NULL)
            continue;
        atomic_store_explicit(&heap->group[i]->slab->is_fallback, true, memory_order_relaxed);
        return object;
    }
    return NULL;
}

/* Before a request is refused, empty slabs and kept runs are given up, and larger classes serve. */
static ACRE_NOINLINE void *threaded_alloc_scarce(
    struct acre_thread_heap *heap, struct acre_layout layout)
{
    void *ptr = NULL;
    if (layout.size > SIZE_MAX / 2)
        return NULL;
    bool hardened = threaded_is_hardened(heap->threaded); /* what was in quarantine is free now */
    if (acre_threaded_release_empty(heap) != 0 || hardened)
        ptr = threaded_try_alloc(heap, layout);
    if (hardened)
        return ptr;
    return ptr != NULL ? ptr : threaded_alloc_larger(heap, layout);
}

struct acre_ptr acre_threaded_alloc_slow(struct acre_thread_heap *heap, struct acre_layout layout)
{
    if (!acre_is_pow2(layout.align))
        return (struct acre_ptr){ .ptr = NULL, .status = ACRE_INVALID_PARAM };
    void *ptr = layout.size <= SIZE_MAX / 2 ? threaded_try_alloc(heap, layout) : NULL;
    if (ACRE_UNLIKELY(ptr == NULL))
        ptr = threaded_alloc_scarce(heap, layout);
    if (ptr != NULL)
        return (struct acre_ptr){ .ptr = ptr, .status = ACRE_OK };
    atomic_fetch_add_explicit(&heap->threaded->failed, 1, memory_order_relaxed);
    return (struct acre_ptr){ .ptr = NULL, .status = ACRE_NO_MEMORY };
}

struct acre_ptr acre_threaded_alloc(struct acre_thread_heap *heap, struct acre_layout layout)
{
    if (layout.align <= ACRE_THREADED_UNIT && acre_is_pow2(layout.align)) {
        void *object = threaded_alloc_fast(heap, layout.size);
        if (object == NULL)
            object = threaded_alloc_medium(heap, layout.size);
        if (object != NULL)
            return (struct acre_ptr){ .ptr = object, .status = ACRE_OK };
    }
    return acre_threaded_alloc_slow(heap, layout);
}

/* ---- dealloc ---- */

/* Drains a heap that no thread has, so that what is freed into it does not pile up. */
static void threaded_drain_abandoned(struct acre_thread_heap *heap)
{
    struct acre_threaded *threaded = heap->threaded;
    struct acre_threaded_slab *gone = NULL;
    acre_locker_lock(&threaded->env.lock);
    /* NOT-COVERED: false when a thread took the heap over between the look at it and the lock */
    if (atomic_load_explicit(&heap->state, memory_order_relaxed) == THREADED_ABANDONED) {
        acre_threaded_drain(heap, &gone);
        acre_threaded_release(threaded, gone);
    }
    acre_locker_unlock(&threaded->env.lock);
}

/* Push first, then look: a heap that is abandoned meanwhile drains after it has changed its state, so
 * one of the two sees the other (both are sequentially consistent). */
static void threaded_push_remote(struct acre_thread_heap *owner, struct acre_threaded_group *group)
{
    struct acre_threaded_group *first = atomic_load_explicit(&owner->remote, memory_order_relaxed);
    do
        group->remote_next = first;
    /* NOT-COVERED: another thread pushes at the same moment */
    while (!atomic_compare_exchange_weak_explicit(
        &owner->remote, &first, group, memory_order_seq_cst, memory_order_relaxed));
    if (atomic_load_explicit(&owner->state, memory_order_seq_cst) == THREADED_ABANDONED)
        threaded_drain_abandoned(owner);
}

enum acre_status acre_threaded_dealloc_remote(
    struct acre_thread_heap *owner, struct acre_threaded_slab *slab, void *ptr)
{
    size_t object = threaded_object_at(slab, (uintptr_t)ptr);
    if (object == SIZE_MAX)
        return ACRE_NOT_ALLOCATED;
    struct acre_threaded_group *group = &slab->group[object >> THREADED_WORD_LOG2];
    size_t bit = (size_t)1 << (object % THREADED_WORD_BITS);
    if ((threaded_free_bits(group) & bit) != 0)
        return ACRE_NOT_ALLOCATED;
    size_t all = group->all; /* before the bit, with which the slab may become another */
    size_t had = atomic_fetch_or_explicit(&group->remote, bit, memory_order_acq_rel);
    if ((had & bit) != 0)
        return ACRE_NOT_ALLOCATED;
    if (had == ~all)
        threaded_push_remote(owner, group);
    return ACRE_OK;
}

enum acre_status acre_threaded_dealloc_slow(struct acre_thread_heap *heap, void *ptr)
{
    if (ACRE_UNLIKELY(threaded_is_hardened(heap->threaded)))
        return acre_harden_dealloc(heap, ptr);
    struct acre_threaded_slab *slab = threaded_slab_of(heap->threaded, (uintptr_t)ptr);
    if (slab == NULL)
        return ACRE_NOT_ALLOCATED;
    struct acre_thread_heap *owner = atomic_load_explicit(&slab->owner, memory_order_relaxed);
    if (owner == NULL)
        return acre_threaded_dealloc_run(heap, slab, ptr);
    if (owner != heap)
        return acre_threaded_dealloc_remote(owner, slab, ptr);
    return threaded_dealloc_own(slab, ptr) ? ACRE_OK : ACRE_NOT_ALLOCATED;
}

enum acre_status acre_threaded_dealloc(struct acre_thread_heap *heap, void *ptr)
{
    if (ACRE_LIKELY(threaded_dealloc_fast(heap, ptr)))
        return ACRE_OK;
    return acre_threaded_dealloc_slow(heap, ptr);
}

/* ---- sizes ---- */

/* Usable bytes of the live block that starts at an address; 0: there is none. */
static size_t threaded_live_size(const struct acre_threaded_slab *slab, uintptr_t address)
{
    if (slab == NULL)
        return 0;
    enum threaded_state state = threaded_state_of(slab);
    if (slab->hardened && (state == THREADED_SLAB || slab->start == address))
        return state != THREADED_NONE && state != THREADED_KEPT ? acre_harden_size(slab, address)
                                                                : 0;
    if (state == THREADED_RUN && slab->start == address)
        return slab->pages * ACRE_THREADED_PAGE;
    size_t object = state == THREADED_SLAB ? threaded_object_at(slab, address) : SIZE_MAX;
    if (object == SIZE_MAX)
        return 0;
    const struct acre_threaded_group *group = &slab->group[object >> THREADED_WORD_LOG2];
    size_t dead = threaded_free_bits(group) | threaded_remote_bits(group);
    return (dead >> (object % THREADED_WORD_BITS) & 1) == 0 ? slab->size : 0;
}

struct acre_num acre_threaded_usable_size(const struct acre_threaded *threaded, const void *ptr)
{
    uintptr_t address = (uintptr_t)ptr;
    size_t size = threaded_live_size(threaded_slab_of(threaded, address), address);
    return (struct acre_num){ .num = size, .status = size != 0 ? ACRE_OK : ACRE_NOT_ALLOCATED };
}

struct acre_num acre_threaded_find(
    const struct acre_threaded *threaded, const void *address, void **start)
{
    uintptr_t at = (uintptr_t)address;
    struct acre_threaded_slab *slab = threaded_slab_of(threaded, at);
    for (uintptr_t page = at;
         slab == NULL && page >= ACRE_THREADED_PAGE && at - page < (uintptr_t)1 << 30;) {
        page -= ACRE_THREADED_PAGE;
        slab = threaded_slab_of(threaded, page);
    }
    if (slab == NULL)
        return (struct acre_num){ .num = 0, .status = ACRE_NOT_ALLOCATED };
    uintptr_t first = slab->start;
    if (threaded_state_of(slab) == THREADED_SLAB)
        first += at - first - acre_remainder(at - first, slab->size);
    size_t size = threaded_live_size(slab, first);
    if (size == 0 || at - first >= size)
        return (struct acre_num){ .num = 0, .status = ACRE_NOT_ALLOCATED };
    *start = (void *)first;
    return (struct acre_num){ .num = size, .status = ACRE_OK };
}

/* Whether a request of this layout would have got a block of just this size. */
static bool threaded_made_for(size_t usable, uintptr_t address, struct acre_layout layout)
{
    if (!acre_is_pow2(layout.align) || layout.size > usable || (address & (layout.align - 1)) != 0)
        return false;
    unsigned size_class = acre_threaded_class_for(layout);
    if (size_class != ACRE_THREADED_CLASSES)
        return acre_threaded_class_size(size_class) == usable;
    return acre_align_up(layout.size + (layout.size == 0), ACRE_THREADED_PAGE) == usable;
}

/* Whether an object of the slab may have served a smaller request. */
static bool threaded_is_fallback(const struct acre_threaded *threaded, uintptr_t address)
{
    const struct acre_threaded_slab *slab = threaded_slab_of(threaded, address);
    return atomic_load_explicit(&slab->is_fallback, memory_order_relaxed);
}

enum acre_status acre_threaded_check_layout(
    const struct acre_threaded *threaded, const void *ptr, struct acre_layout layout)
{
    struct acre_num usable = acre_threaded_usable_size(threaded, ptr);
    if (usable.status != ACRE_OK)
        return usable.status;
    if (threaded_is_hardened(threaded) && acre_is_pow2(layout.align))
        return layout.size + (layout.size == 0) == usable.num &&
                       ((uintptr_t)ptr & (layout.align - 1)) == 0
                   ? ACRE_OK
                   : ACRE_INVALID_PARAM;
    if (threaded_made_for(usable.num, (uintptr_t)ptr, layout))
        return ACRE_OK;
    bool smaller = acre_is_pow2(layout.align) && layout.size <= usable.num &&
                   ((uintptr_t)ptr & (layout.align - 1)) == 0;
    return smaller && threaded_is_fallback(threaded, (uintptr_t)ptr) ? ACRE_OK : ACRE_INVALID_PARAM;
}

/* What the records prove of the layout is not proven again. */
ACRE_NOINLINE enum acre_status acre_threaded_dealloc_sized_slow(
    struct acre_thread_heap *heap, void *ptr, struct acre_layout layout)
{
    const struct acre_threaded *threaded = heap->threaded;
    const struct acre_threaded_slab *slab = threaded_slab_of(threaded, (uintptr_t)ptr);
    bool made =
        slab != NULL && !threaded_is_hardened(threaded) && threaded_is_made_for(slab, layout);
    enum acre_status status = made ? ACRE_OK : acre_threaded_check_layout(threaded, ptr, layout);
    return status == ACRE_OK ? acre_threaded_dealloc_slow(heap, ptr) : status;
}

enum acre_status acre_threaded_dealloc_sized(
    struct acre_thread_heap *heap, void *ptr, struct acre_layout layout)
{
    if (ACRE_LIKELY(threaded_dealloc_sized_fast(heap, ptr, layout)))
        return ACRE_OK;
    return acre_threaded_dealloc_sized_slow(heap, ptr, layout);
}

/* Takes the pages behind a run, or gives back its last ones. False: the pages behind it are in use, and
 * nothing has changed. */
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

bool acre_threaded_stays(
    struct acre_threaded *threaded, void *ptr, size_t usable, struct acre_layout layout)
{
    return threaded_made_for(usable, (uintptr_t)ptr, layout) ||
           acre_threaded_resize_in_place(threaded, ptr, layout);
}

/* The block is larger than its size needs from now on. */
static enum acre_status threaded_mark_fallback(struct acre_threaded *threaded, const void *ptr)
{
    struct acre_threaded_slab *slab = threaded_slab_of(threaded, (uintptr_t)ptr);
    atomic_store_explicit(&slab->is_fallback, true, memory_order_relaxed);
    return ACRE_OK;
}

enum acre_status acre_threaded_resize(struct acre_thread_heap *heap, void *ptr, size_t size)
{
    struct acre_num usable = acre_threaded_usable_size(heap->threaded, ptr);
    if (usable.status != ACRE_OK)
        return usable.status;
    if (acre_threaded_stays(heap->threaded, ptr, usable.num, acre_layout(size, 1)))
        return ACRE_OK;
    if (size <= usable.num)
        return threaded_mark_fallback(heap->threaded, ptr);
    atomic_fetch_add_explicit(&heap->threaded->failed, 1, memory_order_relaxed);
    return ACRE_NO_MEMORY;
}

struct acre_ptr acre_threaded_realloc(
    struct acre_thread_heap *heap, void *ptr, struct acre_layout layout)
{
    if (ACRE_UNLIKELY(threaded_is_hardened(heap->threaded)))
        return acre_harden_realloc(heap, ptr, layout);
    struct acre_num usable = acre_threaded_usable_size(heap->threaded, ptr);
    if (usable.status != ACRE_OK)
        return (struct acre_ptr){ .ptr = NULL, .status = usable.status };
    if (!acre_is_pow2(layout.align))
        return (struct acre_ptr){ .ptr = NULL, .status = ACRE_INVALID_PARAM };
    if (acre_threaded_stays(heap->threaded, ptr, usable.num, layout))
        return (struct acre_ptr){ .ptr = ptr, .status = ACRE_OK };
    struct acre_ptr moved = acre_threaded_alloc(heap, layout);
    bool aligned = ((uintptr_t)ptr & (layout.align - 1)) == 0;
    if (moved.status != ACRE_OK && aligned && layout.size <= usable.num)
        return (
            struct acre_ptr){ .ptr = ptr, .status = threaded_mark_fallback(heap->threaded, ptr) };
    if (moved.status != ACRE_OK)
        return moved;
    memcpy(moved.ptr, ptr, usable.num < layout.size ? usable.num : layout.size);
    acre_threaded_dealloc(heap, ptr);
    return moved;
}

#endif
