/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The checker. It changes nothing.
 */
#include "threaded/threaded_private.h"

#if THREADED_IS_LOCK_FREE

static struct acre_check_result threaded_broken(const char *invariant, const void *where)
{
    return (struct acre_check_result){ .invariant = invariant, .where = where };
}

static bool threaded_is_mapped(
    const struct acre_threaded *threaded, const struct acre_threaded_slab *slab)
{
    size_t pages = slab->groups != 0 ? slab->pages : 1;
    const struct acre_thread_heap *owner = atomic_load_explicit(&slab->owner, memory_order_relaxed);
    for (size_t i = 0; i < pages; i++) {
        uintptr_t page = slab->start + i * ACRE_THREADED_PAGE;
        const struct acre_threaded_slab *seen = owner ? threaded_window_slab(owner, page) : slab;
        bool outside =
            owner && page - owner->window.start >= owner->window.pages * ACRE_THREADED_PAGE;
        if (threaded_slab_of(threaded, page) != slab || (seen != slab && !outside))
            return false;
    }
    return true;
}

static struct acre_check_result threaded_check_group(const struct acre_threaded_group *group)
{
    size_t free = threaded_free_bits(group);
    size_t remote = threaded_remote_bits(group);
    if ((free & ~group->all) != 0 || (~group->all & ~remote) != 0)
        return threaded_broken("THREADED-2: a group has bits of objects that do not exist", group);
    if ((free & remote) != 0)
        return threaded_broken("THREADED-3: an object is free and freed by another thread", group);
    return threaded_broken(NULL, NULL);
}

static struct acre_check_result threaded_check_slab(
    const struct acre_threaded *threaded, const struct acre_threaded_slab *slab)
{
    if (!threaded_is_mapped(threaded, slab))
        return threaded_broken("THREADED-1: a page does not lead to its slab", slab);
    for (size_t i = 0; i < slab->groups; i++) {
        struct acre_check_result result = threaded_check_group(&slab->group[i]);
        if (result.invariant != NULL)
            return result;
    }
    return threaded_broken(NULL, NULL);
}

static bool threaded_has_free(const struct acre_threaded_slab *slab)
{
    size_t free = 0;
    for (size_t i = 0; i < slab->groups; i++)
        free |= threaded_free_bits(&slab->group[i]);
    return free != 0;
}

static struct acre_check_result threaded_check_class(
    const struct acre_thread_heap *heap, unsigned size_class)
{
    const struct acre_threaded_slab *current = heap->group[size_class]->slab;
    if (current != NULL && (current->size_class != size_class ||
                               atomic_load_explicit(&current->owner, memory_order_relaxed) != heap))
        return threaded_broken("THREADED-5: a current slab is of another class or heap", current);
    for (size_t i = 0; current != NULL && i < current->groups; i++)
        if (current->group[i].free_watermark != THREADED_NEVER)
            return threaded_broken("THREADED-6: a group of a current slab notifies", current);
    const struct acre_threaded_slab *slab = heap->partial[size_class];
    for (; slab != NULL; slab = slab->next)
        if (slab == current || !slab->listed || !threaded_has_free(slab))
            return threaded_broken("THREADED-4: a partial slab is full or current", slab);
    return threaded_broken(NULL, NULL);
}

static struct acre_check_result threaded_check_heap(const struct acre_thread_heap *heap)
{
    if (atomic_load_explicit(&heap->state, memory_order_relaxed) == THREADED_FROZEN)
        return threaded_broken(NULL, NULL);
    for (unsigned size_class = 0; size_class < ACRE_THREADED_CLASSES; size_class++) {
        struct acre_check_result result = threaded_check_class(heap, size_class);
        if (result.invariant != NULL)
            return result;
    }
    return threaded_broken(NULL, NULL);
}

struct acre_check_result acre_threaded_check_all(const struct acre_threaded *threaded)
{
    struct acre_check_result result = threaded_broken(NULL, NULL);
    const struct acre_threaded_slab *slab = threaded->slabs;
    for (; slab != NULL && result.invariant == NULL; slab = slab->below)
        result = threaded_check_slab(threaded, slab);
    const struct acre_thread_heap *heap = threaded->heaps;
    for (; heap != NULL && result.invariant == NULL; heap = heap->next_heap)
        result = threaded_check_heap(heap);
    return result;
}

struct acre_check_result acre_threaded_check(struct acre_threaded *threaded)
{
    acre_locker_lock(&threaded->env.lock);
    struct acre_check_result result = acre_threaded_check_all(threaded);
    acre_locker_unlock(&threaded->env.lock);
    return result;
}

#endif
