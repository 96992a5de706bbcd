/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The verbs: the slow paths of alloc, dealloc and realloc.
 */
#include "base/memory.h"
#include "threaded/threaded_harden.h"

#if THREADED_IS_LOCK_FREE

/* ---- alloc ---- */

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

/* ---- sized dealloc ---- */

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

/* ---- resize, realloc ---- */

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

static struct acre_ptr threaded_realloc_hardened(
    struct acre_thread_heap *heap, void *ptr, struct acre_layout layout)
{
    struct acre_num usable = acre_threaded_usable_size(heap->threaded, ptr);
    if (usable.status != ACRE_OK)
        return (struct acre_ptr){ .ptr = NULL, .status = usable.status };
    if (!acre_is_pow2(layout.align))
        return (struct acre_ptr){ .ptr = NULL, .status = ACRE_INVALID_PARAM };
    if (acre_harden_resize(heap, ptr, usable.num, layout))
        return (struct acre_ptr){ .ptr = ptr, .status = ACRE_OK };
    struct acre_ptr moved = acre_threaded_alloc(heap, layout);
    if (moved.status != ACRE_OK)
        return moved;
    memcpy(moved.ptr, ptr, usable.num < layout.size ? usable.num : layout.size);
    enum acre_status status = acre_harden_dealloc(heap, ptr);
    /* NOT-ALWAYS-COVERED-BEGIN: freed by another thread meanwhile */
    if (status != ACRE_OK)
        return (struct acre_ptr){ .ptr = NULL, .status = status };
    /* NOT-ALWAYS-COVERED-END */
    return moved;
}

struct acre_ptr acre_threaded_realloc(
    struct acre_thread_heap *heap, void *ptr, struct acre_layout layout)
{
    if (ACRE_UNLIKELY(threaded_is_hardened(heap->threaded)))
        return threaded_realloc_hardened(heap, ptr, layout);
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
