/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The slabs of one thread's heap: which one objects come from, which others have free objects, and
 * what other threads have freed. Only the owner runs this, or, for a heap without a thread, whoever
 * holds the lock.
 */
#include "threaded/threaded_private.h"

#if THREADED_IS_LOCK_FREE

/* One empty slab of each class is kept beside the current one. */
enum { KEPT_EMPTY = 1, FIRST_MEDIUM = ACRE_THREADED_CLASSES - THREADED_MEDIUM_CLASSES };

static bool threaded_is_current(
    const struct acre_thread_heap *heap, const struct acre_threaded_slab *slab)
{
    return heap->group[slab->size_class]->slab == slab;
}

static bool threaded_is_empty(const struct acre_threaded_slab *slab)
{
    for (size_t i = 0; i < slab->groups; i++)
        if (threaded_free_bits(&slab->group[i]) != slab->group[i].all)
            return false;
    return true;
}

static void threaded_list(struct acre_thread_heap *heap, struct acre_threaded_slab *slab)
{
    struct acre_threaded_slab **head = &heap->partial[slab->size_class];
    ACRE_ASSERT(!slab->listed);
    slab->prev = NULL;
    slab->next = *head;
    if (slab->next != NULL)
        slab->next->prev = slab;
    *head = slab;
    slab->listed = true;
}

static void threaded_unlist(struct acre_thread_heap *heap, struct acre_threaded_slab *slab)
{
    ACRE_ASSERT(slab->listed);
    if (heap->sweep.next == slab)
        heap->sweep.next = slab->next;
    if (slab->prev != NULL)
        slab->prev->next = slab->next;
    else
        heap->partial[slab->size_class] = slab->next;
    if (slab->next != NULL)
        slab->next->prev = slab->prev;
    slab->listed = false;
}

/* A listed slab has become empty: kept, or linked to *gone. */
static void threaded_emptied(struct acre_thread_heap *heap, struct acre_threaded_slab *slab,
    struct acre_threaded_slab **gone)
{
    unsigned char *kept = &heap->empties[slab->size_class];
    if (*kept < KEPT_EMPTY) {
        ++*kept;
        return;
    }
    threaded_unlist(heap, slab);
    slab->next = *gone;
    *gone = slab;
}

/* The highest objects of a group, one part in 2^log2, as bits; 0: it has too few. */
static size_t threaded_highest_part(const struct acre_threaded_group *group, unsigned log2)
{
    unsigned count = acre_bits_highest(group->all) + 1;
    return threaded_low_bits(count >> log2) << (count - (count >> log2));
}

/* The watermark of a slab that is not current: passed by the free that empties a group and by the
 * first of a full one. Where sweeps make sense, also by the one that frees a page or an eighth of
 * the group, which are the objects allocated last, then a quarter and half of it. */
static size_t threaded_free_watermark(const struct acre_threaded_group *group, bool sweeps)
{
    enum { LEAST_SWEPT = 64, EIGHTH = 3 };
    size_t free = threaded_free_bits(group);
    if (free == 0 || (sweeps && group->size >= ACRE_THREADED_PAGE))
        return 0;
    for (unsigned log2 = EIGHTH; sweeps && group->size >= LEAST_SWEPT && log2 != 0; log2--) {
        size_t part = threaded_highest_part(group, log2);
        if ((free & part) != part)
            return part - 1;
    }
    return group->all - 1;
}

void acre_threaded_group_changed(struct acre_thread_heap *heap, struct acre_threaded_group *group,
    struct acre_threaded_slab **gone)
{
    struct acre_threaded_slab *slab = group->slab;
    if (threaded_is_current(heap, slab))
        return;
    group->free_watermark = threaded_free_watermark(group, threaded_sweeps(heap));
    if (!slab->listed)
        threaded_list(heap, slab);
    if (threaded_is_empty(slab))
        threaded_emptied(heap, slab, gone);
}

static void threaded_drain_group(struct acre_thread_heap *heap, struct acre_threaded_group *group,
    struct acre_threaded_slab **gone)
{
    size_t bits =
        atomic_exchange_explicit(&group->remote, ~group->all, memory_order_acq_rel) & group->all;
    size_t had = threaded_free_bits(group);
    if (ACRE_UNLIKELY((bits & had) != 0))
        atomic_fetch_add_explicit(
            &heap->threaded->late_misuse, acre_bits_count(bits & had), memory_order_relaxed);
    size_t freed = bits & ~had;
    if (freed == 0)
        return;
    threaded_set_free(group, had | freed);
    acre_threaded_group_changed(heap, group, gone);
}

void acre_threaded_drain(struct acre_thread_heap *heap, struct acre_threaded_slab **gone)
{
    struct acre_threaded_group *group =
        atomic_exchange_explicit(&heap->remote, NULL, memory_order_seq_cst);
    while (group != NULL) {
        struct acre_threaded_group *next = group->remote_next;
        threaded_drain_group(heap, group, gone);
        group = next;
    }
}

/* In the current slab a group that becomes empty, or is no longer full, is nobody's concern. */
static void threaded_set_watermarks(struct acre_threaded_slab *slab, bool current, bool sweeps)
{
    for (size_t i = 0; slab != NULL && i < slab->groups; i++)
        slab->group[i].free_watermark =
            current ? THREADED_NEVER : threaded_free_watermark(&slab->group[i], sweeps);
}

/* Enters a group in the table of the fast paths. O(units of the class). */
static void threaded_set_index(
    struct acre_thread_heap *heap, unsigned size_class, struct acre_threaded_group *group)
{
    if (size_class >= FIRST_MEDIUM) {
        heap->unit[THREADED_SMALL_INDICES + size_class - FIRST_MEDIUM] = group;
        return;
    }
    const struct acre_threaded_slab *slab = group->slab;
    size_t sizes = slab != NULL ? slab->sizes : acre_threaded_class_sizes(size_class);
    size_t size = slab != NULL ? slab->size : acre_threaded_class_size(size_class);
    size_t last = threaded_small_index(size);
    for (size_t i = 0; i < sizes / ACRE_THREADED_UNIT; i++)
        heap->unit[last - i] = group;
    if (size_class == 0)
        heap->unit[0] = group; /* of size 0 */
}

/* Makes a group the one that objects of its class come from. O(units of the class + groups). */
static void threaded_set_current(
    struct acre_thread_heap *heap, unsigned size_class, struct acre_threaded_group *group)
{
    struct acre_threaded_slab *old = heap->group[size_class]->slab;
    if (old != group->slab) {
        threaded_set_watermarks(old, false, threaded_sweeps(heap));
        threaded_set_watermarks(group->slab, true, false);
        if (group->slab != NULL)
            acre_threaded_sweep_ended(heap, group->slab);
    }
    heap->group[size_class] = group;
    if (!threaded_is_slow(heap->threaded))
        threaded_set_index(heap, size_class, group);
}

static struct acre_threaded_group *threaded_group_with_room(struct acre_threaded_slab *slab)
{
    for (size_t i = 0; i < slab->groups; i++)
        if (threaded_free_bits(&slab->group[i]) != 0)
            return &slab->group[i];
    return NULL;
}

static struct acre_threaded_slab *threaded_next_partial(
    struct acre_thread_heap *heap, unsigned size_class)
{
    struct acre_threaded_slab *slab = heap->partial[size_class];
    if (slab == NULL)
        return NULL;
    threaded_unlist(heap, slab);
    if (threaded_is_empty(slab))
        heap->empties[size_class]--;
    return slab;
}

/* What a slab must have to serve another class: pages, and room for so many groups in its record. */
struct threaded_wanted {
    size_t least, spare;
    unsigned groups;
};

static bool threaded_is_wanted(
    const struct acre_threaded_slab *slab, const struct threaded_wanted *wanted)
{
    return slab->pages - wanted->least <= wanted->spare && slab->capacity >= wanted->groups &&
           threaded_is_empty(slab);
}

/* An empty slab of a class that serves another one, out of the lists; null: there is none. A small
 * class keeps its current slab, which it soon needs again. */
static struct acre_threaded_slab *threaded_take_empty(
    struct acre_thread_heap *heap, unsigned size_class, const struct threaded_wanted *wanted)
{
    struct acre_threaded_slab *slab = heap->group[size_class]->slab;
    if (size_class >= FIRST_MEDIUM && slab != NULL && threaded_is_wanted(slab, wanted)) {
        threaded_set_current(heap, size_class, threaded_no_group());
        return slab;
    }
    if (heap->empties[size_class] == 0)
        return NULL;
    for (slab = heap->partial[size_class]; slab != NULL; slab = slab->next)
        if (threaded_is_wanted(slab, wanted)) {
            threaded_unlist(heap, slab);
            heap->empties[size_class]--;
            return slab;
        }
    return NULL;
}

/* Whether a class may take a slab of another: a medium one always, a small one beside a slab of
 * its own, for most programs have blocks of each small size. */
static bool threaded_may_take(const struct acre_thread_heap *heap, unsigned size_class)
{
    return heap->slow_calls >= THREADED_CALLS_PER_CHANGE && !threaded_is_hardened(heap->threaded) &&
           (size_class >= FIRST_MEDIUM || heap->slabs[size_class] != 0);
}

/* Most programs have few live blocks of each medium size, but sooner or later some of every size,
 * and the sizes of small blocks change: an empty slab of another class serves before a new one is
 * made, if it has as many pages as the first slab of this class, or up to twice as many. Under the
 * lock. */
static struct acre_threaded_slab *threaded_reuse_slab(
    struct acre_thread_heap *heap, unsigned size_class)
{
    if (!threaded_may_take(heap, size_class))
        return NULL;
    unsigned first = size_class >= FIRST_MEDIUM ? FIRST_MEDIUM : 0;
    unsigned end = size_class >= FIRST_MEDIUM ? ACRE_THREADED_CLASSES : FIRST_MEDIUM;
    size_t pages = acre_threaded_class_pages(size_class, 0);
    const struct threaded_wanted wanted = {
        .least = pages, .spare = pages, .groups = acre_threaded_class_groups(size_class, 2 * pages)
    };
    struct acre_threaded_slab *slab = NULL;
    unsigned other = size_class;
    do {
        other = other + 1 != end ? other + 1 : first;
        if (heap->slabs[other] != 0)
            slab = threaded_take_empty(heap, other, &wanted);
    } while (slab == NULL && other != size_class);
    if (slab == NULL)
        return NULL;
    heap->slow_calls -= THREADED_CALLS_PER_CHANGE;
    acre_threaded_change_class(slab, size_class);
    return slab;
}

/* A new slab, and what the drain left to give back, under one hold of the lock. */
static struct acre_threaded_slab *threaded_new_slab(
    struct acre_thread_heap *heap, unsigned size_class, struct acre_threaded_slab *gone)
{
    struct acre_threaded *threaded = heap->threaded;
    acre_locker_lock(&threaded->env.lock);
    acre_threaded_release(threaded, gone);
    struct acre_threaded_slab *slab = threaded_reuse_slab(heap, size_class);
    if (slab == NULL)
        slab = acre_threaded_make_slab(threaded, size_class, heap);
    acre_locker_unlock(&threaded->env.lock);
    return slab;
}

static void threaded_release_locked(struct acre_threaded *threaded, struct acre_threaded_slab *gone)
{
    if (gone == NULL)
        return;
    acre_locker_lock(&threaded->env.lock);
    acre_threaded_release(threaded, gone);
    acre_locker_unlock(&threaded->env.lock);
}

/* The group that the next object of a class comes from, or null: no memory. */
static struct acre_threaded_group *threaded_next_group(
    struct acre_thread_heap *heap, unsigned size_class, bool make)
{
    struct acre_threaded_slab *gone = NULL;
    if (atomic_load_explicit(&heap->remote, memory_order_relaxed) != NULL)
        acre_threaded_drain(heap, &gone);
    struct acre_threaded_slab *current = heap->group[size_class]->slab;
    struct acre_threaded_group *group = current ? threaded_group_with_room(current) : NULL;
    if (group == NULL) {
        struct acre_threaded_slab *slab = threaded_next_partial(heap, size_class);
        if (slab == NULL && make) {
            slab = threaded_new_slab(heap, size_class, gone);
            gone = NULL;
        }
        group = slab != NULL ? threaded_group_with_room(slab) : NULL;
    }
    threaded_release_locked(heap->threaded, gone);
    return group;
}

void *acre_threaded_refill(struct acre_thread_heap *heap, unsigned size_class, bool make)
{
    unsigned slow_calls = heap->slow_calls;
    threaded_enter(heap);
    struct acre_threaded_group *group = threaded_next_group(heap, size_class, make);
    if (heap->slow_calls == slow_calls)
        threaded_count_slow(heap, 1);
    void *object = NULL;
    if (group != NULL) {
        threaded_set_current(heap, size_class, group);
        object = threaded_take_object(group);
    }
    threaded_leave(heap);
    return object;
}

void acre_threaded_dealloc_changed(const void *ptr, struct acre_threaded_group *group)
{
    struct acre_threaded_slab *slab = group->slab;
    struct acre_thread_heap *heap = atomic_load_explicit(&slab->owner, memory_order_relaxed);
    ACRE_ASSERT((uintptr_t)ptr - slab->start < slab->pages * ACRE_THREADED_PAGE);
    (void)ptr;
    struct acre_threaded_slab *gone = NULL;
    threaded_enter(heap);
    acre_threaded_group_changed(heap, group, &gone);
    if (threaded_sweeps(heap))
        acre_threaded_sweep(heap);
    threaded_release_locked(heap->threaded, gone);
    threaded_leave(heap);
}

static void threaded_release_class(
    struct acre_thread_heap *heap, unsigned size_class, struct acre_threaded_slab **gone)
{
    struct acre_threaded_slab *slab = heap->partial[size_class];
    while (slab != NULL) {
        struct acre_threaded_slab *next = slab->next;
        if (threaded_is_empty(slab)) {
            threaded_unlist(heap, slab);
            slab->next = *gone;
            *gone = slab;
        }
        slab = next;
    }
    heap->empties[size_class] = 0;
    struct acre_threaded_slab *current = heap->group[size_class]->slab;
    if (current != NULL && threaded_is_empty(current)) {
        threaded_set_current(heap, size_class, threaded_no_group());
        current->next = *gone;
        *gone = current;
    }
}

void acre_threaded_release_all_empty(
    struct acre_thread_heap *heap, struct acre_threaded_slab **gone)
{
    for (unsigned size_class = 0; size_class < ACRE_THREADED_CLASSES; size_class++)
        threaded_release_class(heap, size_class, gone);
}

#endif
