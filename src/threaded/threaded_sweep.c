/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Memory of free objects in slabs that have live ones too: it goes back to the system in whole
 * pages, while the slab stays. Only the owner runs this, without the lock.
 *
 * Nothing watches the single free. Those that pass the watermark of a group (`free_watermark`)
 * sweep: every so many of them look at a few slabs of the partial lists. Pages that are free at two
 * looks, between which the slab was not current, are discarded; where at least half of the slab is
 * free, at one look. A sweep that finds much halves the number of such frees until the next one,
 * and one that finds little doubles it. So a program that allocates as much as it frees pays for a
 * look in MOST_WAIT such frees, and a sweep is bounded.
 */
#include "base/wide.h"
#include "threaded/threaded_private.h"

#if THREADED_IS_LOCK_FREE

enum {
    LOOKS = 8, /* slabs looked at in a sweep */
    MOST_WAIT = 63,
    UNITS = 64 /* bits of a slab's masks */
};

/* Bytes that a bit of a slab's masks stands for: a page of the system, or more. */
static size_t threaded_sweep_unit(const struct acre_threaded_slab *slab, size_t page)
{
    while (slab->pages * ACRE_THREADED_PAGE > UNITS * page)
        page *= 2;
    return page;
}

static bool threaded_are_free(const struct acre_threaded_slab *slab, size_t first, size_t last)
{
    while (first <= last) {
        const struct acre_threaded_group *group = &slab->group[first >> THREADED_WORD_LOG2];
        size_t from = first % THREADED_WORD_BITS;
        size_t many = last - first + 1;
        if (many > THREADED_WORD_BITS - from)
            many = THREADED_WORD_BITS - from;
        size_t live = group->all & ~threaded_free_bits(group);
        if ((live & threaded_low_bits(many) << from) != 0)
            return false;
        first += many;
    }
    return true;
}

/* The units in which no live object lies. */
static uint64_t threaded_free_units(const struct acre_threaded_slab *slab, size_t unit)
{
    uint64_t units = 0;
    size_t bytes = slab->pages * ACRE_THREADED_PAGE;
    for (size_t i = 0; (i + 1) * unit <= bytes; i++) {
        size_t first = threaded_divide(i * unit, slab->reciprocal).quotient;
        size_t last = threaded_divide((i + 1) * unit - 1, slab->reciprocal).quotient;
        if (threaded_are_free(slab, first, last))
            units |= acre_wide_bit(i);
    }
    return units;
}

static void threaded_discard_units(const struct acre_threaded_env *env,
    const struct acre_threaded_slab *slab, size_t unit, uint64_t units)
{
    size_t i = 0;
    while (acre_shift_right(units, i) != 0) {
        size_t count = 0;
        for (; !acre_wide_has(units, i); i++) {
        }
        for (; i + count < UNITS && acre_wide_has(units, i + count); count++) {
        }
        env->discard(env->arg, (void *)(slab->start + i * unit), count * unit);
        i += count;
        if (i == UNITS)
            return;
    }
}

/* Looks at a slab. Returns the bytes of free units that had memory. */
static size_t threaded_look(struct acre_threaded *threaded, struct acre_threaded_slab *slab)
{
    const struct acre_threaded_env *env = &threaded->env;
    size_t unit = threaded_sweep_unit(slab, env->discard_page);
    uint64_t free = threaded_free_units(slab, unit);
    uint64_t kept = free & ~slab->discarded;
    bool half = acre_bits_count(free) * unit * 2 >= slab->pages * ACRE_THREADED_PAGE;
    uint64_t gone = half ? kept : kept & slab->seen;
    slab->seen = free;
    slab->discarded |= gone;
    threaded_discard_units(env, slab, unit, gone);
    return acre_bits_count(kept) * unit;
}

/* The next slab in the partial lists, class by class; null: there is none. */
static struct acre_threaded_slab *threaded_next_swept(struct acre_thread_heap *heap)
{
    struct threaded_sweep *sweep = &heap->sweep;
    for (size_t i = 0; i < ACRE_THREADED_CLASSES && sweep->next == NULL; i++) {
        sweep->size_class = (sweep->size_class + 1) % ACRE_THREADED_CLASSES;
        sweep->next = heap->partial[sweep->size_class];
    }
    struct acre_threaded_slab *slab = sweep->next;
    if (slab != NULL)
        sweep->next = slab->next;
    return slab;
}

void acre_threaded_sweep(struct acre_thread_heap *heap)
{
    struct threaded_sweep *sweep = &heap->sweep;
    size_t found = 0;
    size_t looked = 0;
    if (sweep->wait != 0) {
        sweep->wait--;
        return;
    }
    for (size_t i = 0; i < LOOKS; i++) {
        struct acre_threaded_slab *slab = threaded_next_swept(heap);
        if (slab == NULL)
            break;
        found += threaded_look(heap->threaded, slab);
        looked += slab->pages * ACRE_THREADED_PAGE;
    }
    bool much = found > looked / 16;
    sweep->interval = much ? sweep->interval / 4 : 2 * sweep->interval + 1;
    if (sweep->interval > MOST_WAIT)
        sweep->interval = MOST_WAIT;
    sweep->wait = sweep->interval;
}

void acre_threaded_sweep_ended(struct acre_thread_heap *heap, struct acre_threaded_slab *slab)
{
    enum { PER_UNIT = 32, MOST = 1 << 16 };
    if (slab->discarded != 0 && heap->sweep.wait < MOST)
        heap->sweep.wait += acre_bits_count(slab->discarded) * PER_UNIT;
    slab->seen = slab->discarded = 0;
}

#endif
