/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Hardened heaps: canaries, zeroes, the quarantine's memory, and the sweep that looks at a few of
 * them.
 */
#include "threaded/threaded_harden.h"

#include "base/memory.h"

#if THREADED_IS_LOCK_FREE

enum {
    SWEEP_MOST = 256,   /* requests between two sweeps */
    SWEEP_OBJECTS = 64, /* live objects that a sweep looks at */
    SWEEP_FREE = 16     /* small objects of the quarantine that it looks at */
};

_Static_assert(HARDEN_GUARD % HARDEN_WORD == 0, "whole words");
_Static_assert(ACRE_THREADED_UNIT % (2 * HARDEN_WORD) == 0, "objects are pairs of words");
_Static_assert((size_t)ACRE_THREADED_MAX_SMALL < (size_t)HARDEN_FRESH,
    "a slack is below the size of its object");

/* ---- canaries ---- */

/* The byte that a canary has at an address. */
static unsigned char harden_byte(uintptr_t address, size_t pattern)
{
    size_t word = harden_word(address, pattern);
    unsigned char byte;
    ACRE_COPY(&byte, &word, sizeof byte);
    return byte;
}

/* The first byte of a range that is not the canary's; `end` when there is none. A sweep reads
 * bytes that their owner may be writing, and asks again whether the object was live. */
ACRE_RACY uintptr_t harden_first_changed(uintptr_t start, uintptr_t end, size_t pattern)
{
    while (start < end && *(const unsigned char *)start == harden_byte(start, pattern))
        start++;
    return start;
}

ACRE_NOINLINE uintptr_t acre_harden_find_changed(uintptr_t end, size_t slack, size_t pattern)
{
    size_t words = slack < HARDEN_CANARY * HARDEN_WORD ? slack : HARDEN_CANARY * HARDEN_WORD;
    uintptr_t start = end - slack;
    uintptr_t where = harden_first_changed(start, start + words, pattern);
    return where != start + words ? where
                                  : harden_first_changed(end - 2 * HARDEN_WORD, end, pattern);
}

ACRE_NOINLINE uintptr_t acre_harden_first_byte(uintptr_t start)
{
    const unsigned char *byte = (const unsigned char *)start;
    while (*byte == 0)
        byte++;
    return (uintptr_t)byte;
}

/* The bytes of the last word of the object before are 0, or its canary. Which, its number tells; a
 * thread that frees it meanwhile may leave neither. */
ACRE_RACY uintptr_t harden_find_in_word(
    const struct acre_threaded_slab *slab, uintptr_t object, size_t pattern)
{
    size_t index = acre_divide(object - slab->size - slab->start, slab->size);
    size_t number = atomic_load_explicit(&harden_slacks(slab)[index], memory_order_acquire);
    size_t expected = harden_is_live(number) ? pattern : 0;
    uintptr_t where = object;
    if (number == HARDEN_FRESH)
        return 0; /* nothing is known of its bytes, unless pages are zero and stay so */
    /* NOT-ALWAYS-COVERED-BEGIN: a byte is wrong, unless another thread has changed it meanwhile */
    while (where > object - HARDEN_WORD &&
           *(const unsigned char *)(where - 1) == harden_byte(where - 1, expected))
        where--;
    return where > object - HARDEN_WORD ? where - 1 : 0;
    /* NOT-ALWAYS-COVERED-END */
}

uintptr_t acre_harden_find_before(
    const struct acre_threaded *threaded, const struct acre_threaded_slab *slab, uintptr_t object)
{
    size_t pattern = harden_pattern(threaded, object - slab->size);
    uintptr_t guard_end = slab->start + harden_lead(slab) * slab->size;
    if (ACRE_UNLIKELY(object == guard_end)) {
        uintptr_t where = harden_first_changed(object - HARDEN_GUARD, object, pattern);
        return where != object ? where : 0;
    }
    size_t word = harden_word_before(object);
    return ACRE_LIKELY(word == 0 || word == pattern) ? 0
                                                     : harden_find_in_word(slab, object, pattern);
}

void acre_harden_report(const struct acre_threaded *threaded, enum acre_threaded_damage_kind kind,
    uintptr_t where, uintptr_t block, size_t size)
{
    const struct acre_threaded_hardening *hardening = &threaded->env.hardening;
    struct acre_threaded_damage damage = {
        .kind = kind, .where = (void *)where, .block = (void *)block, .size = size
    };
    if (hardening->damaged != NULL)
        hardening->damaged(threaded->env.arg, &damage);
}

/* ---- heaps and slabs ---- */

bool acre_harden_make_heap(struct acre_threaded *threaded, struct acre_thread_heap *heap)
{
    struct threaded_quarantine *quarantine =
        acre_threaded_meta(threaded, sizeof *quarantine, _Alignof(struct threaded_quarantine));
    if (quarantine == NULL)
        return false;
    quarantine->random = threaded->env.hardening.secret ^ (uintptr_t)heap;
    quarantine->until_sweep = quarantine->interval = 1;
    quarantine->ring[0] =
        (struct harden_ring){ .kept = quarantine->small, .most = HARDEN_SMALL_COUNT };
    quarantine->ring[1] =
        (struct harden_ring){ .kept = quarantine->large, .most = HARDEN_LARGE_COUNT };
    heap->quarantine = quarantine;
    return true;
}

/* The guard has the canary of the last object in it. */
static uintptr_t harden_guard_end(const struct acre_threaded_slab *slab)
{
    return slab->start + harden_lead(slab) * slab->size;
}

void acre_harden_make_slab(struct acre_threaded *threaded, struct acre_threaded_slab *slab)
{
    struct acre_threaded_group *first = &slab->group[0];
    size_t lead = ((size_t)1 << harden_lead(slab)) - 1;
    uintptr_t end = harden_guard_end(slab);
    size_t fill = harden_fill(threaded, slab->size);
    bool fast = fill % sizeof(acre_words) == 0 && !threaded->env.hardening.slow;
    slab->fill = fast ? (uint16_t)fill : 0;
    slab->numbers = (_Atomic uint16_t *)(uintptr_t)&slab->group[slab->capacity];
    if (!threaded->env.hardening.pages_are_zero)
        memset((void *)slab->start, 0, slab->pages * ACRE_THREADED_PAGE);
    for (size_t i = 0; i < slab->groups * (size_t)THREADED_WORD_BITS; i++)
        atomic_store_explicit(&harden_slacks(slab)[i], HARDEN_FRESH, memory_order_relaxed);
    first->all &= ~lead;
    first->free_watermark = first->all - 1;
    atomic_store_explicit(&first->remote, ~first->all, memory_order_relaxed);
    threaded_set_free(first, first->all);
    size_t pattern = harden_pattern(threaded, end - slab->size);
    for (uintptr_t at = end - HARDEN_GUARD; at != end; at += HARDEN_WORD)
        harden_store(at, pattern);
    slab->hardened = true;
}

void acre_harden_release_slab(struct acre_threaded_slab *slab)
{
    memset((void *)(harden_guard_end(slab) - HARDEN_GUARD), 0, HARDEN_GUARD);
    slab->hardened = false;
}

size_t acre_harden_size(const struct acre_threaded_slab *slab, uintptr_t address)
{
    if (slab->groups == 0) {
        size_t unused = atomic_load_explicit(harden_run_slack(slab), memory_order_relaxed);
        return unused != SIZE_MAX ? slab->pages * ACRE_THREADED_PAGE - unused : 0;
    }
    size_t object = threaded_object_at(slab, address);
    size_t slack = object < slab->groups * (size_t)THREADED_WORD_BITS
                       ? atomic_load_explicit(&harden_slacks(slab)[object], memory_order_acquire)
                       : HARDEN_DEAD;
    return harden_is_live(slack) ? slab->size - slack : 0;
}

/* ---- the sweep ---- */

/* A live object, unless it is freed meanwhile. */
static void harden_prove_object(
    const struct acre_threaded *threaded, const struct acre_threaded_slab *slab, size_t object)
{
    const _Atomic uint16_t *slacks = harden_slacks(slab);
    size_t slack = atomic_load_explicit(&slacks[object], memory_order_acquire);
    uintptr_t start = slab->start + object * slab->size;
    if (!harden_is_live(slack))
        return;
    uintptr_t where = harden_find(start + slab->size, slack, harden_pattern(threaded, start));
    if (ACRE_LIKELY(where == 0))
        return;
    atomic_thread_fence(memory_order_acquire);
    /* NOT-ALWAYS-COVERED: freed by another thread meanwhile */
    if (atomic_load_explicit(&slacks[object], memory_order_acquire) == slack)
        acre_harden_report(threaded, ACRE_DAMAGE_BEHIND, where, start, slab->size - slack);
}

static void harden_prove_guard(
    const struct acre_threaded *threaded, const struct acre_threaded_slab *slab)
{
    uintptr_t end = harden_guard_end(slab);
    uintptr_t start = end - HARDEN_GUARD;
    uintptr_t where = harden_first_changed(start, end, harden_pattern(threaded, end - slab->size));
    if (where != end)
        acre_harden_report(threaded, ACRE_DAMAGE_BEFORE, where, end, 0);
}

/* The objects of one group, which objects come from. Returns how many it may have looked at. */
static unsigned harden_prove_group(
    const struct acre_threaded *threaded, const struct acre_threaded_group *group)
{
    const struct acre_threaded_slab *slab = group->slab;
    if (slab == NULL)
        return 0;
    size_t first = (size_t)(group - slab->group) * THREADED_WORD_BITS;
    harden_prove_guard(threaded, slab);
    for (size_t i = 0; i < THREADED_WORD_BITS; i++)
        harden_prove_object(threaded, slab, first + i);
    return THREADED_WORD_BITS;
}

/* Classes that no object comes from cost a look. */
static void harden_sweep_classes(struct acre_thread_heap *heap)
{
    struct threaded_quarantine *quarantine = heap->quarantine;
    unsigned looked = 0;
    for (unsigned i = 0; i < ACRE_THREADED_CLASSES && looked < SWEEP_OBJECTS; i++) {
        unsigned size_class = quarantine->sweep_class;
        quarantine->sweep_class = (size_class + 1) % ACRE_THREADED_CLASSES;
        looked += harden_prove_group(heap->threaded, heap->group[size_class]);
    }
}

static void harden_prove_free(const struct acre_threaded *threaded, struct harden_kept kept)
{
    uintptr_t object = kept.object;
    uintptr_t where = harden_find_byte(object, object + harden_fill(threaded, kept.slab->size));
    if (ACRE_LIKELY(where == 0))
        return;
    acre_harden_report(threaded, ACRE_DAMAGE_FREE, where, object, 0);
    memset((void *)object, 0, kept.slab->size);
}

static void harden_sweep_ring(const struct acre_threaded *threaded, const struct harden_ring *ring,
    unsigned at, unsigned count)
{
    for (unsigned i = 0; i < count && i < ring->count; i++)
        harden_prove_free(threaded, ring->kept[acre_remainder(at + i, ring->count)]);
}

void acre_harden_sweep(struct acre_thread_heap *heap)
{
    struct threaded_quarantine *quarantine = heap->quarantine;
    quarantine->until_sweep = quarantine->interval;
    if (quarantine->interval < SWEEP_MOST)
        quarantine->interval *= 2;
    harden_sweep_classes(heap);
    harden_sweep_ring(heap->threaded, &quarantine->ring[0], quarantine->sweep_object, SWEEP_FREE);
    harden_sweep_ring(heap->threaded, &quarantine->ring[1], quarantine->sweep_object, 1);
    quarantine->sweep_object += SWEEP_FREE;
}

#endif
