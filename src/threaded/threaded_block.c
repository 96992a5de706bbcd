/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * One block: the proof that it is live, its size and layout, and its free into a slab of another
 * thread.
 */
#include "threaded/threaded_harden.h"

#if THREADED_IS_LOCK_FREE

/* Usable bytes of the live block that starts at an address; 0: there is none. */
static size_t threaded_live_size(const struct acre_threaded_slab *slab, uintptr_t address)
{
    if (slab == NULL)
        return 0;
    enum threaded_state state = threaded_state_of(slab);
    if (slab->hardened && (state == THREADED_SLAB || slab->start == address))
        return state == THREADED_SLAB || state == THREADED_RUN ? acre_harden_size(slab, address)
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

bool acre_threaded_stays(
    struct acre_threaded *threaded, void *ptr, size_t usable, struct acre_layout layout)
{
    return threaded_made_for(usable, (uintptr_t)ptr, layout) ||
           acre_threaded_resize_in_place(threaded, ptr, layout);
}

/* ---- frees into slabs of other threads ---- */

/* Drains a heap that no thread has, so that what is freed into it does not pile up. */
static void threaded_drain_abandoned(struct acre_thread_heap *heap)
{
    struct acre_threaded *threaded = heap->threaded;
    struct acre_threaded_slab *gone = NULL;
    acre_locker_lock(&threaded->env.lock);
    /* NOT-ALWAYS-COVERED: false when a thread took the heap over between the look at it and the lock */
    if (atomic_load_explicit(&heap->state, memory_order_relaxed) == THREADED_ABANDONED) {
        acre_threaded_drain(heap, &gone);
        acre_threaded_release(threaded, gone);
    }
    acre_locker_unlock(&threaded->env.lock);
}

/* Push first, then look: a heap that is abandoned meanwhile drains after it has changed its state,
 * so one of the two sees the other (both are sequentially consistent). */
static void threaded_push_remote(struct acre_thread_heap *owner, struct acre_threaded_group *group)
{
    struct acre_threaded_group *first = atomic_load_explicit(&owner->remote, memory_order_relaxed);
    do
        group->remote_next = first;
    /* NOT-ALWAYS-COVERED: another thread pushes at the same moment */
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

#endif
