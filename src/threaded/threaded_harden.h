/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Hardened heaps: what a program writes outside its live blocks is found, by values that must still be
 * there.
 *
 *   object of a slab, whose size class has room for the request and one word more:
 *
 *     | bytes requested | slack: canary up to four words | 0 ... | canary, two words |
 *
 *   freed object:  0 in its first bytes, as many as are set (`fill`), and its last word
 *   before the first object of a slab: objects that are never handed out; their last 32 bytes are canary
 *
 * A canary's bytes depend on the secret, on the object's address and on their own address modulo a word;
 * none is 0. So a write of any length that begins just behind a block changes one, and a write into a
 * free object changes a 0.
 *
 * Beside the groups of a slab's record stands one number per object, out of reach of the program: its
 * slack in bytes, or what it is when it is not live. A free claims the object by this number first;
 * then it verifies the canaries and clears the object, which enters the quarantine of the thread that
 * frees it. The object that leaves for it, chosen at random, is freed as any other: only now is its
 * `free` or `remote` bit set. While a quarantine is full, the object that is handed out next is chosen at
 * random from its group too.
 *
 * When canaries are verified: at free and at a change of size, those of the block and the word before it;
 * zeroes, when the object is handed out again; and a few of both in each sweep, one of which comes every
 * SWEEP_MOST requests, more often at first.
 *
 * The fast paths know nothing of this: a hardened heap has no window and no current slab by size, so
 * every call takes the slow path.
 */
#ifndef ACRE_SRC_THREADED_HARDEN_H
#define ACRE_SRC_THREADED_HARDEN_H

#include "threaded/threaded_private.h"

enum {
    HARDEN_DEAD = UINT16_MAX,      /* freed, */
    HARDEN_FRESH = UINT16_MAX - 1, /* or not handed out since its slab was made */
    HARDEN_WORD = sizeof(size_t),
    HARDEN_GUARD = 32,                     /* bytes of canary before the first object of a slab */
    HARDEN_INLINE = 1024 - sizeof(size_t), /* sizes that harden_alloc_fast() serves */
    HARDEN_SMALL = 1024,                   /* largest size of a small object, in bytes */
    HARDEN_SMALL_COUNT = 64,               /* most small objects in quarantine, */
    HARDEN_LARGE_COUNT = 16                /* and most others */
};

/* An object that waits for its reuse. */
struct harden_kept {
    uintptr_t object;
    struct acre_threaded_slab *slab;
};

struct harden_ring {
    struct harden_kept *kept;
    unsigned count, most;
};

struct threaded_quarantine {
    size_t random;
    unsigned until_sweep;  /* requests until the next sweep */
    unsigned interval;     /* from that one to the one after it */
    unsigned sweep_class;  /* where the next sweep begins */
    unsigned sweep_object; /* of the quarantine */
    struct harden_ring ring[2];
    struct harden_kept small[HARDEN_SMALL_COUNT];
    struct harden_kept large[HARDEN_LARGE_COUNT];
};

/* ---- what is beside the groups ---- */

ACRE_INLINE _Atomic uint16_t *harden_slacks(const struct acre_threaded_slab *slab)
{
    return slab->numbers;
}

/* Of a run: its slack; SIZE_MAX: it is not live. */
ACRE_INLINE _Atomic size_t *harden_run_slack(const struct acre_threaded_slab *run)
{
    return (_Atomic size_t *)(uintptr_t)&run->group[run->capacity];
}

/* Bytes of a free object that are cleared and verified; a multiple of two words, but the last
 * word. */
ACRE_INLINE size_t harden_fill(const struct acre_threaded *threaded, size_t size)
{
    size_t fill = threaded->env.hardening.fill;
    return fill - 1 < size - 1 ? fill : size;
}

/* Bytes of a record behind its groups. */
ACRE_INLINE size_t harden_record_size(unsigned groups)
{
    return groups != 0 ? groups * THREADED_WORD_BITS * sizeof(uint16_t) : sizeof(size_t);
}

/* Whether an object is live, by its number. */
ACRE_INLINE bool harden_is_live(size_t slack)
{
    return slack < HARDEN_FRESH;
}

/* Objects before the first one that is handed out. */
ACRE_INLINE size_t harden_lead(const struct acre_threaded_slab *slab)
{
    return acre_divide(HARDEN_GUARD + slab->size - 1, slab->size);
}

/* ---- canaries ---- */

/* The bytes of the canaries of the object at an address, in the order of their addresses modulo a
 * word; none is 0. */
ACRE_INLINE size_t harden_pattern(const struct acre_threaded *threaded, uintptr_t object)
{
    size_t mixed = (object / ACRE_THREADED_UNIT) * (size_t)UINT64_C(0x9e3779b97f4a7c15);
    mixed ^= threaded->env.hardening.secret;
    return mixed | SIZE_MAX / 255;
}

/* ---- a canary of up to four words at the start of the slack, and two at its end ---- */

enum { HARDEN_CANARY = 4 };

ACRE_INLINE size_t harden_load(uintptr_t address)
{
    size_t word;
    ACRE_COPY(&word, (const void *)address, sizeof word);
    return word;
}

ACRE_INLINE void harden_store(uintptr_t address, size_t word)
{
    ACRE_COPY((void *)address, &word, sizeof word);
}

ACRE_INLINE bool harden_is_big_endian(void)
{
    const uint16_t one = 1;
    unsigned char first;
    ACRE_COPY(&first, &one, sizeof first);
    return first == 0;
}

/* The word of a canary at an address. */
ACRE_INLINE size_t harden_word(uintptr_t address, size_t pattern)
{
    unsigned by = 8 * (unsigned)(address % HARDEN_WORD);
    unsigned back = (THREADED_WORD_BITS - by) % THREADED_WORD_BITS;
    /* NOT-COVERED-BEGIN: on big-endian machines */
    if (harden_is_big_endian())
        return pattern << by | pattern >> back;
    /* NOT-COVERED-END */
    return pattern >> by | pattern << back;
}

ACRE_INLINE void harden_write(uintptr_t end, size_t slack, size_t pattern)
{
    uintptr_t start = end - slack;
    size_t word = harden_word(start, pattern);
    harden_store(end - HARDEN_WORD, pattern);
    harden_store(start, word);
    if (slack < 2 * HARDEN_WORD)
        return;
    harden_store(start + HARDEN_WORD, word);
    harden_store(end - 2 * HARDEN_WORD, pattern);
    if (slack < HARDEN_CANARY * HARDEN_WORD)
        return;
    harden_store(start + 2 * HARDEN_WORD, word);
    harden_store(start + 3 * HARDEN_WORD, word);
}

ACRE_RACY bool harden_is_intact(uintptr_t end, size_t slack, size_t pattern)
{
    uintptr_t start = end - slack;
    size_t word = harden_word(start, pattern);
    size_t changed = harden_load(end - HARDEN_WORD) ^ pattern;
    changed |= harden_load(start) ^ word;
    if (slack >= 2 * HARDEN_WORD) {
        changed |= harden_load(start + HARDEN_WORD) ^ word;
        changed |= harden_load(end - 2 * HARDEN_WORD) ^ pattern;
    }
    if (slack >= HARDEN_CANARY * HARDEN_WORD) {
        changed |= harden_load(start + 2 * HARDEN_WORD) ^ word;
        changed |= harden_load(start + 3 * HARDEN_WORD) ^ word;
    }
    return changed == 0;
}

/* The first byte of these that has changed; 0: none has. */
uintptr_t acre_harden_find_changed(uintptr_t end, size_t slack, size_t pattern);

ACRE_INLINE uintptr_t harden_find(uintptr_t end, size_t slack, size_t pattern)
{
    return ACRE_LIKELY(harden_is_intact(end, slack, pattern))
               ? 0
               : acre_harden_find_changed(end, slack, pattern);
}

/* The first byte from `start` on that is not 0. */
uintptr_t acre_harden_first_byte(uintptr_t start);

enum { HARDEN_STRIDE = 8 * sizeof(acre_words) }; /* bytes looked at, or cleared, in one go */

/* Whether a range, of whole acre_words and not empty, is 0. */
ACRE_INLINE bool harden_is_zero(uintptr_t start, uintptr_t end)
{
    acre_words any = { 0 };
    size_t word[sizeof any / sizeof(size_t)];
    size_t all = 0;
    do {
        any |= *(const acre_words *)start;
        start += sizeof any;
    } while (start != end);
    ACRE_COPY(word, &any, sizeof any);
    for (size_t i = 0; i < sizeof word / sizeof word[0]; i++)
        all |= word[i];
    return all == 0;
}

/* Clears a range of whole acre_words, which is not empty. */
ACRE_INLINE void harden_clear_words(uintptr_t start, uintptr_t end)
{
    do {
        *(acre_words *)start = (acre_words){ 0 };
        start += sizeof(acre_words);
    } while (start != end);
}

/* The first byte of a range of whole words that is not 0; 0: there is none. */
ACRE_INLINE uintptr_t harden_find_byte(uintptr_t start, uintptr_t end)
{
    for (; end - start >= HARDEN_STRIDE; start += HARDEN_STRIDE)
        if (!harden_is_zero(start, start + HARDEN_STRIDE))
            return acre_harden_first_byte(start);
    const size_t *word = (const size_t *)start;
    const size_t *last = (const size_t *)end;
    for (; last - word >= 4; word += 4)
        if ((word[0] | word[1] | word[2] | word[3]) != 0)
            return acre_harden_first_byte((uintptr_t)word);
    for (; word < last; word++)
        if (*word != 0)
            return acre_harden_first_byte((uintptr_t)word);
    return 0;
}

/* The word before an object is the last of another, 0 or a canary; or the guard. */
ACRE_RACY size_t harden_word_before(uintptr_t object)
{
    return harden_load(object - HARDEN_WORD);
}

/* A changed byte before an object; 0: none has changed. */
uintptr_t acre_harden_find_before(
    const struct acre_threaded *threaded, const struct acre_threaded_slab *slab, uintptr_t object);

/* ---- hooks of the other files ---- */

/* The quarantine of a new heap. Under the lock. False: no memory. */
bool acre_harden_make_heap(struct acre_threaded *threaded, struct acre_thread_heap *heap);

/* A slab is new, and goes back. Under the lock. */
void acre_harden_make_slab(struct acre_threaded *threaded, struct acre_threaded_slab *slab);
void acre_harden_release_slab(struct acre_threaded_slab *slab);

/* Bytes requested for the live block that starts at an address of a slab or run; 0: there is none. */
size_t acre_harden_size(const struct acre_threaded_slab *slab, uintptr_t address);

/* The verbs, of a heap that is hardened. */
void *acre_harden_alloc(struct acre_thread_heap *heap, struct acre_layout layout);
enum acre_status acre_harden_dealloc(struct acre_thread_heap *heap, void *ptr);

/* Gives a block, of `had` bytes requested, another layout where it lies. False: it has to move. */
bool acre_harden_resize(
    struct acre_thread_heap *heap, void *ptr, size_t had, struct acre_layout layout);

/* Frees what a heap has in quarantine. */
void acre_harden_flush(struct acre_thread_heap *heap);

/* Verifies a few canaries and zeroes. */
void acre_harden_sweep(struct acre_thread_heap *heap);

/* Tells the caller of damage at an address. `size`: bytes requested for the block, 0 for a free
 * one. */
void acre_harden_report(const struct acre_threaded *threaded, enum acre_threaded_damage_kind kind,
    uintptr_t where, uintptr_t block, size_t size);

#endif
