/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slab's remote-free list: blocks that other threads free.
 *
 * Each word has one bit per address at which a block can start. The thread that sets the first bit
 * of a word also pushes the word onto the list. The owner takes the whole list with one exchange,
 * and the bits of each word with another. A word is in the list if and only if it has bits that the
 * owner has not taken. So no link is overwritten while it is in use, and a push cannot suffer from
 * ABA.
 */
#include "slab/slab_private.h"

#include <stdatomic.h>

#if ATOMIC_POINTER_LOCK_FREE == 2

struct slab_remote_word {
    atomic_size_t bits;
    size_t next; /* word number plus 1; 0 ends the list */
};

struct slab_remote_words {
    atomic_size_t first; /* as next */
    struct slab_remote_word word[];
};

#define SLAB_REMOTE_WORD_SPAN ((size_t)SLAB_WORD_BITS * ACRE_SLAB_UNIT)

static size_t slab_remote_word_count(uintptr_t start, size_t size)
{
    uintptr_t first = acre_align_down(start, SLAB_REMOTE_WORD_SPAN);
    uintptr_t last = acre_align_down(start + (size - 1), SLAB_REMOTE_WORD_SPAN);
    return (size_t)(last - first) / SLAB_REMOTE_WORD_SPAN + 1;
}

size_t acre_slab_remote_size(size_t size)
{
    return sizeof(struct slab_remote_words) +
           (size / SLAB_REMOTE_WORD_SPAN + 2) * sizeof(struct slab_remote_word);
}

enum acre_status acre_slab_remote_init(struct acre_slab_remote *remote, const void *start,
    size_t size, void *memory, size_t memory_size)
{
    if (start == NULL || size == 0 || acre_range_wraps((uintptr_t)start, size) || memory == NULL ||
        (uintptr_t)memory % ACRE_ALIGNOF(struct slab_remote_words) != 0 ||
        memory_size < acre_slab_remote_size(size))
        return ACRE_INVALID_PARAM;
    struct slab_remote_words *words = memory;
    remote->start = (uintptr_t)start;
    remote->size = size;
    remote->words = memory;
    atomic_init(&words->first, 0);
    for (size_t i = 0; i < slab_remote_word_count(remote->start, size); i++)
        atomic_init(&words->word[i].bits, 0);
    return ACRE_OK;
}

static void slab_remote_push(struct slab_remote_words *words, size_t number)
{
    size_t first = atomic_load_explicit(&words->first, memory_order_relaxed);
    do
        words->word[number].next = first;
    /* NOT-ALWAYS-COVERED: another thread pushes at the same moment */
    while (!atomic_compare_exchange_weak_explicit(
        &words->first, &first, number + 1, memory_order_release, memory_order_relaxed));
}

enum acre_status acre_slab_remote_dealloc(struct acre_slab_remote *remote, void *ptr)
{
    uintptr_t at = (uintptr_t)ptr;
    struct slab_remote_words *words = remote->words;
    if (at - remote->start >= remote->size || at % ACRE_SLAB_UNIT != 0)
        return ACRE_NOT_ALLOCATED;
    size_t number = (size_t)(at - acre_align_down(remote->start, SLAB_REMOTE_WORD_SPAN)) /
                    SLAB_REMOTE_WORD_SPAN;
    size_t bit = (size_t)1 << (at / ACRE_SLAB_UNIT % SLAB_WORD_BITS);
    size_t had = atomic_fetch_or_explicit(&words->word[number].bits, bit, memory_order_acq_rel);
    if ((had & bit) != 0)
        return ACRE_NOT_ALLOCATED;
    if (had == 0)
        slab_remote_push(words, number);
    return ACRE_OK;
}

/* Frees the blocks of one word. */
static void slab_drain_word(
    struct acre_slab *slab, uintptr_t at, size_t bits, struct acre_slab_drained *drained)
{
    for (; bits != 0; bits &= bits - 1) {
        uintptr_t place = at + (uintptr_t)acre_bits_lowest(bits) * ACRE_SLAB_UNIT;
        if (acre_slab_dealloc(slab, (void *)place) == ACRE_OK) {
            drained->freed++;
            continue;
        }
        if (drained->refused++ == 0)
            drained->bad = (void *)place;
    }
}

struct acre_slab_drained acre_slab_drain(struct acre_slab *slab, struct acre_slab_remote *remote)
{
    struct acre_slab_drained drained = { 0, 0, NULL };
    struct slab_remote_words *words = remote->words;
    if (words == NULL)
        return drained;
    uintptr_t base = acre_align_down(remote->start, SLAB_REMOTE_WORD_SPAN);
    size_t number = atomic_exchange_explicit(&words->first, 0, memory_order_acquire);
    while (number != 0) {
        struct slab_remote_word *word = &words->word[number - 1];
        uintptr_t at = base + (number - 1) * SLAB_REMOTE_WORD_SPAN;
        number = word->next;
        slab_drain_word(
            slab, at, atomic_exchange_explicit(&word->bits, 0, memory_order_acq_rel), &drained);
    }
    return drained;
}

#endif
