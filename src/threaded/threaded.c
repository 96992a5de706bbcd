/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Threads: heaps are made, handed on, and made available in a forked child.
 */
#include "threaded/threaded_harden.h"

#if THREADED_IS_LOCK_FREE

enum acre_status acre_threaded_setup(
    struct acre_threaded *threaded, const struct acre_threaded_env *env)
{
    if (acre_page_size(env->pages) != ACRE_THREADED_PAGE ||
        acre_page_size(env->meta) != ACRE_THREADED_PAGE)
        return ACRE_INVALID_PARAM;
    if (env->discard != NULL &&
        (!acre_is_pow2(env->discard_page) || env->discard_page > ACRE_THREADED_PAGE))
        return ACRE_INVALID_PARAM;
    threaded->env = *env;
    return ACRE_OK;
}

/* Under the lock. */
static struct acre_thread_heap *threaded_make_heap(struct acre_threaded *threaded)
{
    struct acre_thread_heap *heap =
        acre_threaded_meta(threaded, sizeof *heap, _Alignof(struct acre_thread_heap));
    if (heap == NULL || (threaded_is_hardened(threaded) && !acre_harden_make_heap(threaded, heap)))
        return NULL;
    for (size_t i = 0; i < THREADED_INDICES; i++)
        heap->unit[i] = threaded_no_group();
    for (size_t i = 0; i < ACRE_THREADED_CLASSES; i++)
        heap->group[i] = threaded_no_group();
    heap->threaded = threaded;
    heap->slow_calls = THREADED_MOST_CALLS;
    heap->next_heap = threaded->heaps;
    threaded->heaps = heap;
    return heap;
}

struct acre_thread_heap *acre_threaded_attach(struct acre_threaded *threaded)
{
    acre_locker_lock(&threaded->env.lock);
    struct acre_thread_heap *heap = threaded->abandoned;
    if (heap != NULL) {
        threaded->abandoned = heap->next_abandoned;
        threaded->abandoned_count--;
        threaded_count_slow(heap, THREADED_CALLS_OF_START);
        atomic_store_explicit(&heap->state, THREADED_LIVE, memory_order_release);
    } else {
        heap = threaded_make_heap(threaded);
    }
    acre_locker_unlock(&threaded->env.lock);
    return heap;
}

/* Under the lock. */
static void threaded_abandon(struct acre_threaded *threaded, struct acre_thread_heap *heap)
{
    heap->next_abandoned = threaded->abandoned;
    threaded->abandoned = heap;
    threaded->abandoned_count++;
    atomic_store_explicit(&heap->state, THREADED_ABANDONED, memory_order_seq_cst);
}

/* A few small heaps keep their empty slabs and runs for the threads that start next: short-lived
 * threads would otherwise make all slabs anew. */
static bool threaded_keeps_empty(
    const struct acre_threaded *threaded, const struct acre_thread_heap *heap)
{
    size_t pages = heap->slab_pages + heap->kept_pages;
    return threaded->abandoned_count <= ACRE_THREADED_KEPT_HEAPS &&
           pages <= ACRE_THREADED_KEPT_HEAP_PAGES;
}

/* A thread that pushes a group before it sees the state leaves it for this drain, which comes after
 * the state; one that sees the state drains itself. */
void acre_threaded_detach(struct acre_thread_heap *heap)
{
    struct acre_threaded *threaded = heap->threaded;
    struct acre_threaded_slab *gone = NULL;
    if (threaded_is_hardened(threaded))
        acre_harden_flush(heap);
    acre_locker_lock(&threaded->env.lock);
    threaded_abandon(threaded, heap);
    acre_threaded_drain(heap, &gone);
    if (!threaded_keeps_empty(threaded, heap)) {
        acre_threaded_drop_kept(heap, &gone);
        acre_threaded_release_all_empty(heap, &gone);
    }
    acre_threaded_release(threaded, gone);
    acre_locker_unlock(&threaded->env.lock);
}

size_t acre_threaded_release_empty(struct acre_thread_heap *heap)
{
    struct acre_threaded *threaded = heap->threaded;
    struct acre_threaded_slab *gone = NULL;
    if (threaded_is_hardened(threaded))
        acre_harden_flush(heap);
    threaded_enter(heap);
    acre_locker_lock(&threaded->env.lock);
    acre_threaded_drop_kept(heap, &gone);
    acre_threaded_drain(heap, &gone);
    acre_threaded_release_all_empty(heap, &gone);
    struct acre_thread_heap *other = threaded->abandoned;
    for (; other != NULL; other = other->next_abandoned) {
        acre_threaded_drop_kept(other, &gone);
        acre_threaded_drain(other, &gone);
        acre_threaded_release_all_empty(other, &gone);
    }
    size_t pages = acre_threaded_release(threaded, gone);
    acre_locker_unlock(&threaded->env.lock);
    threaded_leave(heap);
    return pages;
}

void acre_threaded_after_fork(struct acre_threaded *threaded, struct acre_thread_heap *own)
{
    for (struct acre_thread_heap *heap = threaded->heaps; heap != NULL; heap = heap->next_heap) {
        unsigned state = atomic_load_explicit(&heap->state, memory_order_relaxed);
        if (heap == own || state != THREADED_LIVE)
            continue;
        if (atomic_load_explicit(&heap->busy, memory_order_relaxed))
            atomic_store_explicit(&heap->state, THREADED_FROZEN, memory_order_relaxed);
        else
            threaded_abandon(threaded, heap);
    }
}

void acre_threaded_set_thread(struct acre_thread_heap *heap, size_t number)
{
    heap->thread = number;
}

size_t acre_threaded_thread_of(const struct acre_threaded *threaded, const void *address)
{
    void *start = (void *)(uintptr_t)address;
    (void)acre_threaded_find(threaded, address, &start);
    const struct acre_threaded_slab *slab = threaded_slab_of(threaded, (uintptr_t)start);
    if (slab == NULL)
        return 0;
    const struct acre_thread_heap *owner = atomic_load_explicit(&slab->owner, memory_order_relaxed);
    return owner != NULL ? owner->thread : slab->thread;
}

size_t acre_threaded_late_misuse(const struct acre_threaded *threaded)
{
    return atomic_load_explicit(&threaded->late_misuse, memory_order_relaxed);
}

#endif
