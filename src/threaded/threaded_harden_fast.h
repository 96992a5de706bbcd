/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The usual calls of a hardened heap, inline and without a frame: small blocks of the thread's own
 * in which nothing is wrong, with a full quarantine. Whatever else there is they leave to the
 * functions of threaded_harden.h, before anything has changed.
 */
#ifndef ACRE_SRC_THREADED_HARDEN_FAST_H
#define ACRE_SRC_THREADED_HARDEN_FAST_H

#include "threaded/threaded_class.h"
#include "threaded/threaded_harden.h"

enum { HIGHEST_BITS = 8 }; /* of a linear congruence, whose lower ones repeat soon */

ACRE_INLINE unsigned harden_random(struct threaded_quarantine *quarantine, unsigned below)
{
    const size_t multiplier = (size_t)UINT64_C(6364136223846793005);
    quarantine->random = quarantine->random * multiplier + 1;
    return (unsigned)(quarantine->random >> (THREADED_WORD_BITS - HIGHEST_BITS)) & (below - 1);
}

/* The bits of the group from which an object is taken: all free ones, or those from a random one
 * on once the quarantine is full; 0: there is none. */
ACRE_INLINE size_t harden_choice(struct threaded_quarantine *quarantine, size_t bits)
{
    if (ACRE_UNLIKELY(quarantine->ring[0].count < HARDEN_SMALL_COUNT))
        return bits;
    size_t above = bits & SIZE_MAX << harden_random(quarantine, THREADED_WORD_BITS);
    return above != 0 ? above : bits;
}

/* Makes an object live. `slack`: where its number stands. */
ACRE_INLINE void harden_mark_object(const struct acre_threaded *threaded,
    const struct acre_threaded_slab *slab, uintptr_t object, _Atomic uint16_t *slack, size_t size)
{
    size_t bytes = slab->size - size;
    harden_write(object + slab->size, bytes, harden_pattern(threaded, object));
    atomic_store_explicit(slack, (uint16_t)bytes, memory_order_release);
}

/* Counts a free that was found to be wrong when its object left the quarantine. */
void acre_harden_free_late(struct acre_thread_heap *heap);

/* Takes the object of a group's bit, which is free: a block of `size` bytes. Tells of a free object
 * that was written. */
void *acre_harden_take_object(
    struct acre_thread_heap *heap, struct acre_threaded_group *group, unsigned bit, size_t size);

/* ---- alloc ---- */

/* A block of 1 to HARDEN_INLINE bytes at natural alignment, where that is simple; null: it is not.
 * Whoever finds a free object that was written tells of it. */
ACRE_INLINE void *harden_alloc_fast(struct acre_thread_heap *heap, size_t size)
{
    struct threaded_quarantine *quarantine = heap->quarantine;
    ACRE_ASSERT(size - 1 < HARDEN_INLINE);
    struct acre_threaded_group *group = heap->group[threaded_class_of(size + HARDEN_WORD)];
    size_t bits = threaded_free_bits(group);
    if (ACRE_UNLIKELY(quarantine->until_sweep <= 1 || bits == 0))
        return NULL;
    quarantine->until_sweep--;
    const struct acre_threaded_slab *slab = group->slab;
    unsigned bit = acre_bits_lowest(harden_choice(quarantine, bits));
    uintptr_t object = group->base + bit * group->size;
    size_t index = ((size_t)(group - slab->group) << THREADED_WORD_LOG2) + bit;
    _Atomic uint16_t *slack = &harden_slacks(slab)[index];
    if (ACRE_UNLIKELY(atomic_load_explicit(slack, memory_order_relaxed) != HARDEN_DEAD) ||
        ACRE_UNLIKELY(slab->fill == 0 || !harden_is_zero(object, object + slab->fill))) {
        void *taken = acre_harden_take_object(heap, group, bit, size);
        ACRE_ASSUME(taken != NULL);
        return taken;
    }
    threaded_set_free(group, bits & ~((size_t)1 << bit));
    harden_mark_object(heap->threaded, slab, object, slack, size);
    return (void *)object;
}

/* ---- dealloc ---- */

/* NOT-COVERED-BEGIN: the drop-in malloc alone frees so, and a build that counts does not preload it */
/* Whether the canaries of a live object and the word before it are as they were. False leaves it
 * open. */
ACRE_INLINE bool harden_edges_are_intact(const struct acre_threaded *threaded,
    const struct acre_threaded_slab *slab, uintptr_t object, size_t slack)
{
    size_t size = slab->size;
    if (ACRE_UNLIKELY(object - slab->start < HARDEN_GUARD + size) ||
        ACRE_UNLIKELY(!harden_is_intact(object + size, slack, harden_pattern(threaded, object))))
        return false;
    size_t before = harden_word_before(object);
    return before == 0 || before == harden_pattern(threaded, object - size);
}

/* Clears what has to be 0 in a free object. */
ACRE_INLINE void harden_clear_object(uintptr_t object, size_t fill, size_t size)
{
    harden_clear_words(object, object + fill);
    harden_store(object + size - HARDEN_WORD, 0);
}

/* Frees a block of the thread's own. False: nothing was done, and acre_harden_dealloc() decides. */
ACRE_INLINE bool harden_dealloc_fast(struct acre_thread_heap *heap, void *ptr)
{
    enum { CLEARED = 128 }; /* bytes, at most */
    uintptr_t object = (uintptr_t)ptr;
    struct threaded_quarantine *quarantine = heap->quarantine;
    struct acre_threaded_slab *slab = threaded_slab_of(heap->threaded, object);
    if (ACRE_UNLIKELY(slab == NULL || slab->groups == 0) ||
        ACRE_UNLIKELY(atomic_load_explicit(&slab->owner, memory_order_relaxed) != heap))
        return false;
    size_t index = threaded_object_at(slab, object);
    if (ACRE_UNLIKELY(index == SIZE_MAX))
        return false;
    _Atomic uint16_t *slack = &harden_slacks(slab)[index];
    size_t had = atomic_load_explicit(slack, memory_order_relaxed);
    if (ACRE_UNLIKELY(!harden_is_live(had)) ||
        ACRE_UNLIKELY(!harden_edges_are_intact(heap->threaded, slab, object, had)))
        return false;
    size_t size = slab->size;
    if (ACRE_UNLIKELY(slab->fill - 1u >= CLEARED || size > HARDEN_SMALL) ||
        ACRE_UNLIKELY(quarantine->ring[0].count < HARDEN_SMALL_COUNT))
        return false;
    struct harden_kept *kept = &quarantine->small[harden_random(quarantine, HARDEN_SMALL_COUNT)];
    struct harden_kept leaves = *kept;
    if (ACRE_UNLIKELY(atomic_load_explicit(&leaves.slab->owner, memory_order_relaxed) != heap))
        return false;
    atomic_store_explicit(slack, HARDEN_DEAD, memory_order_relaxed);
    harden_clear_object(object, slab->fill, size);
    *kept = (struct harden_kept){ .object = object, .slab = slab };
    if (ACRE_UNLIKELY(!threaded_dealloc_own(leaves.slab, (void *)leaves.object)))
        acre_harden_free_late(heap);
    return true;
}
/* NOT-COVERED-END */

#endif
