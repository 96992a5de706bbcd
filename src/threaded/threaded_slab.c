/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Records of slabs and of runs of pages. Everything here runs under the lock.
 */
#include "threaded/threaded_harden.h"

#if THREADED_IS_LOCK_FREE

/* Slabs of a hardened heap are as large as the third one of a class, because each loses its first
 * object to the guard. */
enum { HARDENED_SLABS = 2 };

/* A record with room for so many groups: a free one of this or a larger capacity, or a new one. */
static struct acre_threaded_slab *threaded_take_record(
    struct acre_threaded *threaded, unsigned groups)
{
    unsigned most = groups != 0 ? THREADED_MAX_GROUPS + 1u : 0;
    for (unsigned capacity = groups; capacity <= most; capacity++) {
        struct acre_threaded_slab *record = threaded->records[capacity];
        if (record == NULL)
            continue;
        threaded->records[capacity] = record->next;
        record->groups = (uint8_t)groups;
        return record;
    }
    size_t bytes = sizeof(struct acre_threaded_slab) + groups * sizeof(struct acre_threaded_group);
    if (threaded_is_hardened(threaded))
        bytes += harden_record_size(groups);
    struct acre_threaded_slab *record = acre_threaded_meta(threaded, bytes, 64);
    if (record != NULL)
        record->groups = record->capacity = (uint8_t)groups;
    return record;
}

static void threaded_give_record(struct acre_threaded *threaded, struct acre_threaded_slab *record)
{
    atomic_store_explicit(&record->state, THREADED_NONE, memory_order_relaxed);
    atomic_store_explicit(&record->owner, NULL, memory_order_relaxed);
    record->reciprocal = 0;
    record->sizes = 0;
    record->next = threaded->records[record->capacity];
    threaded->records[record->capacity] = record;
}

static void threaded_link(struct acre_threaded *threaded, struct acre_threaded_slab *slab)
{
    slab->above = NULL;
    slab->below = threaded->slabs;
    if (slab->below != NULL)
        slab->below->above = slab;
    threaded->slabs = slab;
}

static void threaded_unlink(struct acre_threaded *threaded, struct acre_threaded_slab *slab)
{
    if (slab->above != NULL)
        slab->above->below = slab->below;
    else
        threaded->slabs = slab->below;
    if (slab->below != NULL)
        slab->below->above = slab->above;
}

/* Pages, and a record of so many groups, with the map ready for `mapped` of the pages. */
static struct acre_threaded_slab *threaded_make_record(
    struct acre_threaded *threaded, unsigned groups, size_t pages, size_t align, size_t mapped)
{
    uintptr_t start = acre_threaded_take_pages(threaded, threaded->env.pages, pages, align);
    if (start == 0)
        return NULL;
    threaded_taken(threaded, start, pages);
    struct acre_threaded_slab *slab = threaded_take_record(threaded, groups);
    if (slab == NULL || !acre_threaded_map_reserve(threaded, start, mapped)) {
        acre_threaded_give_pages(threaded, start, pages);
        if (slab != NULL)
            threaded_give_record(threaded, slab);
        return NULL;
    }
    slab->start = start;
    slab->pages = pages;
    slab->next = slab->prev = NULL;
    slab->listed = false;
    slab->seen = slab->discarded = 0;
    atomic_store_explicit(&slab->is_fallback, false, memory_order_relaxed);
    return slab;
}

static void threaded_fill_groups(struct acre_threaded_slab *slab)
{
    for (size_t i = 0; i < slab->groups; i++) {
        struct acre_threaded_group *group = &slab->group[i];
        size_t first = i * THREADED_WORD_BITS;
        group->base = slab->start + first * slab->size;
        group->size = slab->size;
        group->slab = slab;
        /* NOT-COVERED: false for numbers of pages that leave room behind a full group, as none in use does */
        group->all = first < slab->count ? threaded_low_bits(slab->count - first) : 0;
        group->free_watermark = group->all - 1;
        atomic_store_explicit(&group->remote, ~group->all, memory_order_relaxed);
        threaded_set_free(group, group->all);
    }
}

/* Pages and a record for objects of a class: half as many pages, and so on, when memory is
 * short. */
static struct acre_threaded_slab *threaded_find_pages(
    struct acre_threaded *threaded, unsigned size_class, unsigned slabs)
{
    struct acre_threaded_slab *slab = NULL;
    size_t pages = acre_threaded_class_pages(size_class, slabs);
    for (; slab == NULL && pages != 0; pages /= 2) {
        unsigned count = acre_threaded_class_objects(size_class, pages);
        unsigned groups = acre_threaded_class_groups(size_class, pages);
        if (count == 0)
            break;
        ACRE_ASSERT(groups <= THREADED_MAX_GROUPS + 1);
        slab = threaded_make_record(threaded, groups, pages, ACRE_THREADED_PAGE, pages);
        if (slab != NULL)
            slab->count = (uint16_t)count;
    }
    return slab;
}

/* What depends on the class; `count` and `groups` are set. */
static void threaded_set_class(struct acre_threaded_slab *slab, unsigned size_class)
{
    slab->size = (uint32_t)acre_threaded_class_size(size_class);
    slab->reciprocal = threaded_reciprocal(slab->size);
    slab->size_class = (uint8_t)size_class;
    slab->sizes = (uint16_t)acre_threaded_class_sizes(size_class);
    threaded_fill_groups(slab);
}

void acre_threaded_change_class(struct acre_threaded_slab *slab, unsigned size_class)
{
    struct acre_thread_heap *owner = atomic_load_explicit(&slab->owner, memory_order_relaxed);
    owner->slabs[slab->size_class]--;
    owner->slabs[size_class]++;
    slab->count = (uint16_t)acre_threaded_class_objects(size_class, slab->pages);
    slab->groups = (uint8_t)acre_threaded_class_groups(size_class, slab->pages);
    ACRE_ASSERT(slab->groups <= slab->capacity);
    slab->seen = slab->discarded = 0;
    atomic_store_explicit(&slab->is_fallback, false, memory_order_relaxed);
    threaded_set_class(slab, size_class);
}

struct acre_threaded_slab *acre_threaded_make_slab(
    struct acre_threaded *threaded, unsigned size_class, struct acre_thread_heap *owner)
{
    unsigned slabs = owner->slabs[size_class];
    if (threaded_is_hardened(threaded))
        slabs = HARDENED_SLABS;
    struct acre_threaded_slab *slab = threaded_find_pages(threaded, size_class, slabs);
    if (slab == NULL)
        return NULL;
    owner->slabs[size_class]++;
    threaded_set_class(slab, size_class);
    if (threaded_is_hardened(threaded))
        acre_harden_make_slab(threaded, slab);
    atomic_store_explicit(&slab->owner, owner, memory_order_relaxed);
    atomic_store_explicit(&slab->state, THREADED_SLAB, memory_order_relaxed);
    threaded_link(threaded, slab);
    acre_threaded_map_set(threaded, slab->start, slab->pages, slab);
    acre_threaded_window_add(owner, slab);
    return slab;
}

struct acre_threaded_slab *acre_threaded_make_run(
    struct acre_threaded *threaded, size_t pages, size_t align)
{
    struct acre_threaded_slab *run = threaded_make_record(threaded, 0, pages, align, 1);
    if (run == NULL)
        return NULL;
    atomic_store_explicit(&run->owner, NULL, memory_order_relaxed);
    atomic_store_explicit(&run->state, THREADED_RUN, memory_order_relaxed);
    threaded_link(threaded, run);
    acre_threaded_map_set(threaded, run->start, 1, run);
    return run;
}

void acre_threaded_give_pages(struct acre_threaded *threaded, uintptr_t start, size_t pages)
{
    const struct acre_threaded_env *env = &threaded->env;
    enum acre_status status = acre_dealloc_pages(env->pages, start, pages);
    ACRE_ASSERT(status == ACRE_OK);
    (void)status;
    if (env->released != NULL)
        env->released(env->arg, (void *)start, pages * ACRE_THREADED_PAGE);
}

size_t acre_threaded_release(struct acre_threaded *threaded, struct acre_threaded_slab *list)
{
    size_t pages = 0;
    while (list != NULL) {
        struct acre_threaded_slab *slab = list;
        list = slab->next;
        if (slab->hardened && slab->groups != 0)
            acre_harden_release_slab(slab);
        size_t mapped = slab->groups != 0 ? slab->pages : 1;
        struct acre_thread_heap *owner = atomic_load_explicit(&slab->owner, memory_order_relaxed);
        acre_threaded_map_set(threaded, slab->start, mapped, NULL);
        if (owner != NULL) {
            acre_threaded_window_remove(owner, slab);
            owner->slabs[slab->size_class]--;
        }
        threaded_unlink(threaded, slab);
        acre_threaded_give_pages(threaded, slab->start, slab->pages);
        pages += slab->pages;
        threaded_give_record(threaded, slab);
    }
    return pages;
}

#endif
