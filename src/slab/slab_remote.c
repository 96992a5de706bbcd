/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Objects handed back by other threads.
 *
 * Each word has a bit for every place an object can start at. Who sets the first bit of a word also
 * pushes the word onto one list; the owner takes the whole list with one exchange, and each word's
 * bits with another. A word is in the list just while it has bits that nobody has taken, so links
 * are never overwritten while they are needed, and a push cannot mistake a new list for an old one.
 */
#include "slab/slab_private.h"

#include <stdatomic.h>

#if ATOMIC_POINTER_LOCK_FREE == 2

struct slab_word {
    atomic_size_t bits;
    size_t next; /* word number plus 1; 0 ends the list */
};

struct slab_words {
    atomic_size_t first; /* as next */
    struct slab_word word[];
};

#define SLAB_WORD_BYTES ((size_t)SLAB_WORD_BITS * ACRE_SLAB_UNIT)

static size_t word_count(uintptr_t start, size_t size)
{
    uintptr_t first = acre_align_down(start, SLAB_WORD_BYTES);
    uintptr_t last = acre_align_down(start + (size - 1), SLAB_WORD_BYTES);
    return (size_t)(last - first) / SLAB_WORD_BYTES + 1;
}

size_t acre_slab_remote_size(size_t size)
{
    return sizeof(struct slab_words) + (size / SLAB_WORD_BYTES + 2) * sizeof(struct slab_word);
}

enum acre_status acre_slab_remote_init(struct acre_slab_remote *share, const void *start,
    size_t size, void *memory, size_t memory_size)
{
    if (start == NULL || size == 0 || acre_range_wraps((uintptr_t)start, size) || memory == NULL ||
        (uintptr_t)memory % ACRE_ALIGNOF(struct slab_words) != 0 ||
        memory_size < acre_slab_remote_size(size))
        return ACRE_INVALID_PARAM;
    struct slab_words *words = memory;
    share->start = (uintptr_t)start;
    share->size = size;
    share->words = memory;
    atomic_init(&words->first, 0);
    for (size_t i = 0; i < word_count(share->start, size); i++)
        atomic_init(&words->word[i].bits, 0);
    return ACRE_OK;
}

static void push(struct slab_words *words, size_t number)
{
    size_t first = atomic_load_explicit(&words->first, memory_order_relaxed);
    do
        words->word[number].next = first;
    while (!atomic_compare_exchange_weak_explicit(
        &words->first, &first, number + 1, memory_order_release, memory_order_relaxed));
}

enum acre_status acre_slab_remote_dealloc(struct acre_slab_remote *share, void *ptr)
{
    uintptr_t at = (uintptr_t)ptr;
    struct slab_words *words = share->words;
    if (at - share->start >= share->size || at % ACRE_SLAB_UNIT != 0)
        return ACRE_NOT_ALLOCATED;
    size_t number = (size_t)(at - acre_align_down(share->start, SLAB_WORD_BYTES)) / SLAB_WORD_BYTES;
    size_t bit = (size_t)1 << (at / ACRE_SLAB_UNIT % SLAB_WORD_BITS);
    size_t had = atomic_fetch_or_explicit(&words->word[number].bits, bit, memory_order_acq_rel);
    if ((had & bit) != 0)
        return ACRE_NOT_ALLOCATED;
    if (had == 0)
        push(words, number);
    return ACRE_OK;
}

/* Frees what one word says. */
static void collect_word(
    struct acre_slab *slab, uintptr_t at, size_t bits, struct acre_slab_drained *collected)
{
    for (; bits != 0; bits &= bits - 1) {
        uintptr_t place = at + (uintptr_t)acre_bits_lowest(bits) * ACRE_SLAB_UNIT;
        if (acre_slab_dealloc(slab, (void *)place) == ACRE_OK) {
            collected->freed++;
            continue;
        }
        if (collected->refused++ == 0)
            collected->bad = (void *)place;
    }
}

struct acre_slab_drained acre_slab_drain(struct acre_slab *slab, struct acre_slab_remote *share)
{
    struct acre_slab_drained collected = { 0, 0, NULL };
    struct slab_words *words = share->words;
    uintptr_t base = acre_align_down(share->start, SLAB_WORD_BYTES);
    size_t number = atomic_exchange_explicit(&words->first, 0, memory_order_acquire);
    while (number != 0) {
        struct slab_word *word = &words->word[number - 1];
        uintptr_t at = base + (number - 1) * SLAB_WORD_BYTES;
        number = word->next;
        collect_word(
            slab, at, atomic_exchange_explicit(&word->bits, 0, memory_order_acq_rel), &collected);
    }
    return collected;
}

#endif
