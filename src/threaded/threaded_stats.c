/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The statistics, summed over the slabs and runs in use, and the walk over their blocks.
 */
#include "threaded/threaded_harden.h"

#if THREADED_IS_LOCK_FREE

/* Objects of a hardened slab's guard, which the program never gets. */
static size_t threaded_first_object(const struct acre_threaded_slab *slab)
{
    return slab->hardened ? harden_lead(slab) : 0;
}

static bool threaded_is_object_live(const struct acre_threaded_slab *slab, size_t object)
{
    if (slab->hardened)
        return acre_harden_size(slab, slab->start + object * slab->size) != 0;
    const struct acre_threaded_group *group = &slab->group[object >> THREADED_WORD_LOG2];
    size_t dead = threaded_free_bits(group) | threaded_remote_bits(group);
    return (dead >> (object % THREADED_WORD_BITS) & 1) == 0;
}

static size_t threaded_live_hardened(const struct acre_threaded_slab *slab)
{
    size_t live = 0;
    for (size_t i = threaded_first_object(slab); i < slab->count; i++)
        live += threaded_is_object_live(slab, i);
    return live;
}

static size_t threaded_live_objects(const struct acre_threaded_slab *slab)
{
    size_t live = 0;
    if (slab->hardened)
        return threaded_live_hardened(slab);
    for (size_t i = 0; i < slab->groups; i++) {
        const struct acre_threaded_group *group = &slab->group[i];
        live += acre_bits_count(~(threaded_free_bits(group) | threaded_remote_bits(group)));
    }
    return live;
}

static void threaded_add_slab(struct acre_stats *stats, const struct acre_threaded_slab *slab)
{
    unsigned state = atomic_load_explicit(&slab->state, memory_order_relaxed);
    size_t live = state == THREADED_SLAB ? threaded_live_objects(slab) : state == THREADED_RUN;
    size_t size = state == THREADED_SLAB ? slab->size : slab->pages * ACRE_THREADED_PAGE;
    stats->live_blocks += live;
    stats->used += live * size;
}

struct acre_stats acre_threaded_stats(struct acre_threaded *threaded)
{
    acre_locker_lock(&threaded->env.lock);
    struct acre_stats pages = acre_stats(acre_pages_base(threaded->env.pages));
    bool apart = threaded->env.meta.self != threaded->env.pages.self;
    struct acre_stats meta = { .total = 0 };
    if (apart)
        meta = acre_stats(acre_pages_base(threaded->env.meta));
    struct acre_stats stats = {
        .total = pages.total + meta.total,
        .metadata = pages.metadata + (apart ? meta.total : threaded->meta_bytes),
        .peak = pages.peak,
        .largest_free = pages.largest_free,
        .failed = atomic_load_explicit(&threaded->failed, memory_order_relaxed),
    };
    for (struct acre_threaded_slab *slab = threaded->slabs; slab != NULL; slab = slab->below)
        threaded_add_slab(&stats, slab);
    acre_locker_unlock(&threaded->env.lock);
    stats.available = stats.total - stats.metadata - stats.used;
    if (stats.peak < stats.used)
        stats.peak = stats.used;
    return stats;
}

bool acre_threaded_walk_slab(const struct acre_threaded_slab *slab, acre_walk_fn *visit, void *arg)
{
    unsigned state = atomic_load_explicit(&slab->state, memory_order_relaxed);
    if (state != THREADED_SLAB)
        return visit(
            arg, (void *)slab->start, slab->pages * ACRE_THREADED_PAGE, state == THREADED_RUN);
    for (size_t i = threaded_first_object(slab); i < slab->count; i++)
        if (!visit(arg, (void *)(slab->start + i * slab->size), slab->size,
                threaded_is_object_live(slab, i)))
            return false;
    return true;
}

void acre_threaded_walk(struct acre_threaded *threaded, acre_walk_fn *visit, void *arg)
{
    acre_locker_lock(&threaded->env.lock);
    const struct acre_threaded_slab *slab = threaded->slabs;
    while (slab != NULL && acre_threaded_walk_slab(slab, visit, arg))
        slab = slab->below;
    acre_locker_unlock(&threaded->env.lock);
}

static bool threaded_is_own(
    const struct acre_thread_heap *heap, const struct acre_threaded_slab *slab)
{
    const struct acre_thread_heap *owner = atomic_load_explicit(&slab->owner, memory_order_relaxed);
    return owner != NULL && (owner == heap || atomic_load_explicit(&owner->state,
                                                  memory_order_relaxed) == THREADED_ABANDONED);
}

void acre_threaded_walk_own(struct acre_thread_heap *heap, acre_walk_fn *visit, void *arg)
{
    struct acre_threaded *threaded = heap->threaded;
    acre_locker_lock(&threaded->env.lock);
    for (const struct acre_threaded_slab *slab = threaded->slabs; slab != NULL; slab = slab->below)
        if (threaded_is_own(heap, slab) && !acre_threaded_walk_slab(slab, visit, arg))
            break;
    acre_locker_unlock(&threaded->env.lock);
}

#endif
