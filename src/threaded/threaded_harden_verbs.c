/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The verbs of hardened heaps.
 */
#include "base/memory.h"
#include "threaded/threaded_harden_fast.h"

#if THREADED_IS_LOCK_FREE

/* ---- quarantine ---- */

_Static_assert((HARDEN_SMALL_COUNT & (HARDEN_SMALL_COUNT - 1)) == 0, "a power of two");
_Static_assert((HARDEN_LARGE_COUNT & (HARDEN_LARGE_COUNT - 1)) == 0, "a power of two");

void acre_harden_free_late(struct acre_thread_heap *heap)
{
    atomic_fetch_add_explicit(&heap->threaded->late_misuse, 1, memory_order_relaxed);
}

/* Frees an object that nobody else frees, unless two threads have claimed it at once. */
ACRE_INLINE void harden_free_object(struct acre_thread_heap *heap, struct harden_kept kept)
{
    struct acre_threaded_slab *slab = kept.slab;
    struct acre_thread_heap *owner = atomic_load_explicit(&slab->owner, memory_order_relaxed);
    bool done = owner == heap
                    ? threaded_dealloc_own(slab, (void *)kept.object)
                    : acre_threaded_dealloc_remote(owner, slab, (void *)kept.object) == ACRE_OK;
    if (ACRE_UNLIKELY(!done))
        acre_harden_free_late(heap);
}

/* An object enters; one that has been there leaves. */
ACRE_INLINE void harden_keep(
    struct acre_thread_heap *heap, uintptr_t object, struct acre_threaded_slab *slab, size_t size)
{
    struct threaded_quarantine *quarantine = heap->quarantine;
    struct harden_ring *ring = &quarantine->ring[size > HARDEN_SMALL];
    struct harden_kept enters = { .object = object, .slab = slab };
    if (ACRE_UNLIKELY(ring->count < ring->most)) {
        ring->kept[ring->count++] = enters;
        return;
    }
    unsigned at = harden_random(quarantine, ring->most);
    struct harden_kept leaves = ring->kept[at];
    ring->kept[at] = enters;
    harden_free_object(heap, leaves);
}

void acre_harden_flush(struct acre_thread_heap *heap)
{
    for (size_t i = 0; i < 2; i++) {
        struct harden_ring *ring = &heap->quarantine->ring[i];
        while (ring->count != 0)
            harden_free_object(heap, ring->kept[--ring->count]);
    }
}

/* ---- alloc ---- */

/* What a request takes with its canary. */
static struct acre_layout harden_layout(struct acre_layout layout)
{
    size_t size = layout.size + (layout.size == 0);
    return (struct acre_layout){ .size = size + HARDEN_WORD, .align = layout.align };
}

/* The last word is written first, so that a fresh page has one fault and not two. */
ACRE_INLINE void harden_prove_zero(
    const struct acre_threaded *threaded, const struct acre_threaded_slab *slab, uintptr_t start)
{
    uintptr_t last = start + slab->size - HARDEN_WORD;
    uintptr_t end = start + harden_fill(threaded, slab->size);
    *(size_t *)last = 0;
    uintptr_t where = harden_find_byte(start, end < last ? end : last);
    if (ACRE_LIKELY(where == 0))
        return;
    acre_harden_report(threaded, ACRE_DAMAGE_FREE, where, start, 0);
    memset((void *)start, 0, end - start);
}

/* An object has been freed before, or its page is zero. */
ACRE_INLINE void *harden_start_object(const struct acre_threaded *threaded,
    struct acre_threaded_slab *slab, uintptr_t object, size_t index, size_t size)
{
    _Atomic uint16_t *slack = &harden_slacks(slab)[index];
    size_t state = atomic_load_explicit(slack, memory_order_relaxed);
    if (ACRE_LIKELY(state == HARDEN_DEAD) || threaded->env.hardening.fill == 0)
        harden_prove_zero(threaded, slab, object);
    harden_mark_object(threaded, slab, object, slack, size);
    return (void *)object;
}

/* An object of a group that has one, live. */
void *acre_harden_take_object(
    struct acre_thread_heap *heap, struct acre_threaded_group *group, unsigned bit, size_t size)
{
    size_t index = ((size_t)(group - group->slab->group) << THREADED_WORD_LOG2) + bit;
    threaded_set_free(group, threaded_free_bits(group) & ~((size_t)1 << bit));
    return harden_start_object(
        heap->threaded, group->slab, group->base + bit * group->size, index, size);
}

static void *harden_alloc_object(
    struct acre_thread_heap *heap, unsigned size_class, struct acre_layout layout)
{
    size_t size = layout.size - HARDEN_WORD;
    struct acre_threaded_group *group = heap->group[size_class];
    size_t bits = threaded_free_bits(group);
    if (ACRE_LIKELY(bits != 0))
        return acre_harden_take_object(
            heap, group, acre_bits_lowest(harden_choice(heap->quarantine, bits)), size);
    void *object = acre_threaded_refill(heap, size_class, true);
    if (ACRE_UNLIKELY(object == NULL))
        return NULL;
    uintptr_t start = (uintptr_t)object;
    struct acre_threaded_slab *slab = heap->group[size_class]->slab;
    return harden_start_object(heap->threaded, slab, start, threaded_object_at(slab, start), size);
}

static void *harden_alloc_run(struct acre_thread_heap *heap, struct acre_layout layout)
{
    void *start = acre_threaded_alloc_run(heap, layout);
    if (start == NULL)
        return NULL;
    struct acre_threaded *threaded = heap->threaded;
    struct acre_threaded_slab *run = threaded_slab_of(threaded, (uintptr_t)start);
    size_t bytes = run->pages * ACRE_THREADED_PAGE;
    size_t slack = bytes - (layout.size - HARDEN_WORD);
    run->hardened = true;
    atomic_store_explicit(harden_run_slack(run), slack, memory_order_relaxed);
    harden_write(run->start + bytes, slack, harden_pattern(threaded, run->start));
    return start;
}

void *acre_harden_alloc(struct acre_thread_heap *heap, struct acre_layout layout)
{
    if (ACRE_UNLIKELY(--heap->quarantine->until_sweep == 0))
        acre_harden_sweep(heap);
    layout = harden_layout(layout);
    unsigned size_class = acre_threaded_class_for(layout);
    return size_class != ACRE_THREADED_CLASSES ? harden_alloc_object(heap, size_class, layout)
                                               : harden_alloc_run(heap, layout);
}

/* ---- dealloc ---- */

/* Sets a number to HARDEN_DEAD and returns what it was, by an operation on the 32 bits that it is
 * half of: many machines have none that is narrower. */
ACRE_INLINE size_t harden_exchange_dead(_Atomic uint16_t *slack)
{
    _Static_assert(HARDEN_DEAD == 0xffff, "setting all bits makes a number dead");
    uintptr_t at = (uintptr_t)slack;
    _Atomic uint32_t *pair = (_Atomic uint32_t *)(at & ~(uintptr_t)3);
    unsigned by =
        8 * (unsigned)((at & 2) ^
                       (harden_is_big_endian() ? 2 : 0)); /* NOT-COVERED: on big-endian machines */
    uint32_t had =
        atomic_fetch_or_explicit(pair, (uint32_t)HARDEN_DEAD << by, memory_order_acq_rel);
    return had >> by & HARDEN_DEAD;
}

/* Takes a live object from the program: its slack, or HARDEN_DEAD when there is none. Only threads
 * that do not own the slab use an atomic exchange: two frees of one object at once, one of them
 * the owner's, are found when it leaves the quarantines. The fence stands before the object is
 * cleared, so that a sweep that sees a zero sees that the object is not live. */
ACRE_INLINE size_t harden_claim(
    const struct acre_thread_heap *heap, struct acre_threaded_slab *slab, uintptr_t address)
{
    size_t object = threaded_object_at(slab, address);
    if (object == SIZE_MAX)
        return HARDEN_DEAD;
    ACRE_ASSERT(object < slab->groups * (size_t)THREADED_WORD_BITS);
    _Atomic uint16_t *slack = &harden_slacks(slab)[object];
    size_t had = atomic_load_explicit(slack, memory_order_relaxed);
    if (ACRE_UNLIKELY(!harden_is_live(had)))
        return HARDEN_DEAD;
    if (atomic_load_explicit(&slab->owner, memory_order_relaxed) == heap) {
        atomic_store_explicit(slack, HARDEN_DEAD, memory_order_relaxed);
        return had;
    }
    had = harden_exchange_dead(slack);
    atomic_thread_fence(memory_order_release);
    return had;
}

/* The canaries of an object that the thread has claimed, and the word before it. */
ACRE_INLINE void harden_prove_edges(const struct acre_threaded *threaded,
    const struct acre_threaded_slab *slab, uintptr_t object, size_t slack)
{
    size_t size = slab->size;
    uintptr_t where = harden_find(object + size, slack, harden_pattern(threaded, object));
    if (ACRE_UNLIKELY(where != 0))
        acre_harden_report(threaded, ACRE_DAMAGE_BEHIND, where, object, size - slack);
    size_t before = harden_word_before(object);
    where = 0;
    if (ACRE_UNLIKELY(before != 0 && before != harden_pattern(threaded, object - size)) ||
        ACRE_UNLIKELY(object - slab->start < HARDEN_GUARD + size))
        where = acre_harden_find_before(threaded, slab, object);
    if (ACRE_UNLIKELY(where != 0))
        acre_harden_report(threaded, ACRE_DAMAGE_BEFORE, where, object, size - slack);
}

static enum acre_status harden_dealloc_run(
    struct acre_thread_heap *heap, struct acre_threaded_slab *run, void *ptr)
{
    uintptr_t start = (uintptr_t)ptr;
    if (run->start != start ||
        atomic_load_explicit(&run->state, memory_order_acquire) != THREADED_RUN)
        return ACRE_NOT_ALLOCATED;
    size_t bytes = run->pages * ACRE_THREADED_PAGE;
    size_t slack = atomic_exchange_explicit(harden_run_slack(run), SIZE_MAX, memory_order_acq_rel);
    if (slack == SIZE_MAX)
        return ACRE_NOT_ALLOCATED;
    uintptr_t where = harden_find(start + bytes, slack, harden_pattern(heap->threaded, start));
    if (where != 0)
        acre_harden_report(heap->threaded, ACRE_DAMAGE_BEHIND, where, start, bytes - slack);
    memset(ptr, 0, harden_fill(heap->threaded, bytes));
    return acre_threaded_dealloc_run(heap, run, ptr);
}

/* Clears without a call where that is a few vectors. */
ACRE_INLINE void harden_clear(uintptr_t start, size_t bytes)
{
    if (ACRE_LIKELY(bytes - 1 < HARDEN_STRIDE && bytes % sizeof(acre_words) == 0))
        harden_clear_words(start, start + bytes);
    else
        memset((void *)start, 0, bytes);
}

enum acre_status acre_harden_dealloc(struct acre_thread_heap *heap, void *ptr)
{
    struct acre_threaded_slab *slab = threaded_slab_of(heap->threaded, (uintptr_t)ptr);
    if (ACRE_UNLIKELY(slab == NULL))
        return ACRE_NOT_ALLOCATED;
    if (ACRE_UNLIKELY(slab->groups == 0))
        return harden_dealloc_run(heap, slab, ptr);
    size_t slack = harden_claim(heap, slab, (uintptr_t)ptr);
    if (ACRE_UNLIKELY(slack == HARDEN_DEAD))
        return ACRE_NOT_ALLOCATED;
    harden_prove_edges(heap->threaded, slab, (uintptr_t)ptr, slack);
    size_t size = slab->size;
    harden_clear((uintptr_t)ptr, harden_fill(heap->threaded, size));
    *(size_t *)((uintptr_t)ptr + size - HARDEN_WORD) = 0;
    harden_keep(heap, (uintptr_t)ptr, slab, size);
    return ACRE_OK;
}

/* ---- realloc ---- */

/* A block whose class stays gets a new slack; what it gains is 0. Between the two numbers it is
 * not live, which a sweep sees. */
static bool harden_resize_object(
    struct acre_thread_heap *heap, uintptr_t object, size_t had, struct acre_layout layout)
{
    struct acre_threaded_slab *slab = threaded_slab_of(heap->threaded, object);
    struct acre_layout whole = harden_layout(layout);
    size_t size = whole.size - HARDEN_WORD;
    if (slab->groups == 0 || (object & (layout.align - 1)) != 0 ||
        layout.size > ACRE_THREADED_MAX_SMALL || acre_threaded_class_for(whole) != slab->size_class)
        return false;
    if (size == had)
        return true;
    size_t slack = harden_claim(heap, slab, object);
    /* NOT-ALWAYS-COVERED-BEGIN: freed by another thread meanwhile */
    if (slack == HARDEN_DEAD)
        return false;
    /* NOT-ALWAYS-COVERED-END */
    harden_prove_edges(heap->threaded, slab, object, slack);
    size_t kept = size < had ? size : had;
    memset((void *)(object + kept), 0, slab->size - kept);
    harden_mark_object(
        heap->threaded, slab, object, &harden_slacks(slab)[threaded_object_at(slab, object)], size);
    return true;
}

/* A run that grows into the pages behind it, or gives up its last ones. */
static bool harden_resize_run(
    struct acre_threaded *threaded, void *ptr, size_t had, struct acre_layout layout)
{
    struct acre_threaded_slab *run = threaded_slab_of(threaded, (uintptr_t)ptr);
    uintptr_t start = (uintptr_t)ptr;
    size_t pattern = harden_pattern(threaded, start);
    if (run->groups != 0 || layout.size > SIZE_MAX / 2)
        return false;
    size_t bytes = run->pages * ACRE_THREADED_PAGE;
    uintptr_t where = harden_find(start + bytes, bytes - had, pattern);
    if (where != 0)
        acre_harden_report(threaded, ACRE_DAMAGE_BEHIND, where, start, had);
    if (!acre_threaded_resize_in_place(threaded, ptr, harden_layout(layout)))
        return false;
    bytes = run->pages * ACRE_THREADED_PAGE;
    size_t slack = bytes - (harden_layout(layout).size - HARDEN_WORD);
    atomic_store_explicit(harden_run_slack(run), slack, memory_order_relaxed);
    harden_write(start + bytes, slack, pattern);
    return true;
}

bool acre_harden_resize(
    struct acre_thread_heap *heap, void *ptr, size_t had, struct acre_layout layout)
{
    return harden_resize_object(heap, (uintptr_t)ptr, had, layout) ||
           harden_resize_run(heap->threaded, ptr, had, layout);
}

#endif
