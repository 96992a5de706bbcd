/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The threaded heap's records, map and invariants, for the files of this folder, its tests, and the
 * drop-in malloc, which inlines the fast paths below.
 *
 *   address -> slab: three levels of the page map, by the bits of the page number (64-bit machines)
 *
 *     root[13 bits] -> node[11 bits] -> node[11 bits] -> slab record
 *
 *   In front of it, each heap has a window: an array over the range of addresses in which its own slabs
 *   lie, which only its owner reads. So one load finds the slab of a pointer and proves that it is the
 *   heap's own. Entries without a slab lead to a record for which no address starts an object. What the
 *   window does not know takes the slow path, which asks the map.
 *
 *   slab record (in pages of its own, never beside blocks):
 *
 *     | owner start reciprocal size ... | group 0 | group 1 | ... up to 8 (16 on 32-bit machines) |
 *
 *   group: 64 objects (32 on 32-bit machines)
 *
 *     free    bit set: the object is free. Written by the owner only.
 *     remote  bit set: another thread has freed the object, or there is no such object.
 *
 * An object is live when neither bit is set. So one OR of two words proves a pointer, and objects
 * that do not exist (behind the last one of a slab) are refused by the same test.
 *
 *   remote free:  remote |= bit (atomic); if all other bits were those of no object, push the group
 *                 on the owner's remote list (compare and swap)
 *   drain:        take the list (exchange); for each group, read its link, then exchange `remote` for
 *                 the bits of no object, and set the bits taken in `free`
 *
 * A group is on a remote list from the moment that its first bit is set until a drain takes its
 * bits, so no list has it twice. A slab with remote bits is not empty, so no list leads to a slab
 * that was given back, unless a program frees a block twice at the same moment in two threads;
 * records are never given back to the page allocator, so even that reads no foreign memory.
 *
 * A heap has states: LIVE (a thread has it), ABANDONED (none has; whoever holds the lock may drain
 * it), FROZEN (its thread was inside a slow path when the process forked: nobody touches its
 * lists).
 *
 * Invariants; the checker names them:
 *   THREADED-1  each page of a slab leads to its record in the map, and in its owner's window if it lies
 *               there; of a run, the first page
 *   THREADED-2  free bits are of objects that exist; remote has all bits of objects that do not
 *   THREADED-3  no object has both bits set
 *   THREADED-4  a slab in a heap's partial list has a free object and is not current
 *   THREADED-5  the current slab of a class is of that class and owned by the heap
 *   THREADED-6  no group of a current slab notifies; a full group of any other slab does at its first free,
 *               and one with free objects when it becomes empty
 */
#ifndef ACRE_SRC_THREADED_PRIVATE_H
#define ACRE_SRC_THREADED_PRIVATE_H

#include "base/arith.h"
#include "base/bits.h"
#include "base/compiler.h"
#include "base/wide.h"

#include <acre/threaded.h>

#include <stdatomic.h>

/* Without, there is no threaded heap: the files of this folder are empty. */
#define THREADED_IS_LOCK_FREE (ATOMIC_POINTER_LOCK_FREE == 2)

enum {
    THREADED_WORD_BITS = 8 * sizeof(size_t),
    THREADED_WORD_LOG2 = sizeof(size_t) == 8 ? 6 : 5,
    THREADED_MAX_OBJECTS = ACRE_THREADED_PAGE / ACRE_THREADED_UNIT, /* a page of the smallest */
    THREADED_MAX_GROUPS = THREADED_MAX_OBJECTS / THREADED_WORD_BITS,
    THREADED_SMALL_LOG2 = 10, /* sizes up to 2^10 bytes find their group by their units */
    THREADED_MAX_BY_UNIT = 1 << THREADED_SMALL_LOG2,
    THREADED_MAX_LOG2 = 15,
    THREADED_STEPS_LOG2 = 3, /* classes above 256 bytes: eight per power of two */
    THREADED_SMALL_INDICES = ACRE_THREADED_UNITS + 1,
    THREADED_MEDIUM_CLASSES = (THREADED_MAX_LOG2 - THREADED_SMALL_LOG2) << THREADED_STEPS_LOG2,
    THREADED_INDICES = THREADED_SMALL_INDICES + THREADED_MEDIUM_CLASSES,
    THREADED_LEAF_LOG2 = sizeof(size_t) == 8 ? 11 : 9,
    THREADED_MIDDLE_LOG2 = sizeof(size_t) == 8 ? 11 : 0,
    THREADED_HAS_MIDDLE = THREADED_MIDDLE_LOG2 != 0,       /* whether the map has three levels */
    THREADED_TOP_NODE_LOG2 = sizeof(size_t) == 8 ? 11 : 9, /* of a node that the root leads to */
    THREADED_PAGE_BITS = ACRE_THREADED_ADDRESS_BITS - ACRE_THREADED_PAGE_LOG2
};

enum threaded_state {
    THREADED_NONE, /* the record is free */
    THREADED_SLAB,
    THREADED_RUN, /* one block of whole pages */
    THREADED_KEPT /* a run that a thread keeps for reuse */
};

struct acre_threaded_group {
    _Atomic size_t free;
    _Atomic size_t remote;
    uintptr_t base;        /* address of its first object */
    size_t size;           /* bytes of an object */
    size_t all;            /* the bits of its objects */
    size_t free_watermark; /* a free that leaves more than this in `free` has more to do */
    struct acre_threaded_slab *slab;
    struct acre_threaded_group *remote_next;
};

struct acre_threaded_slab {
    _Atomic(struct acre_thread_heap *) owner; /* null: a run */
    uintptr_t start;
    uint64_t reciprocal;    /* 2^THREADED_FIXED_POINT / size, rounded up; 0: no slab */
    uint32_t size;          /* bytes of an object */
    _Atomic uint32_t state; /* enum threaded_state; 32 bits, for many machines exchange no fewer */
    uint16_t count;         /* objects */
    uint8_t size_class;
    uint8_t groups;           /* in use; 0: a run */
    uint8_t capacity;         /* groups that the record has room for */
    _Atomic bool is_fallback; /* an object has served a smaller request */
    bool listed;              /* in the partial list of its class */
    bool hardened;            /* it has numbers behind its groups: threaded_harden.h */
    uint16_t sizes;           /* that its class serves: up to its own; 0: no slab */
    uint16_t fill; /* hardened: bytes that fast paths clear and verify; 0: they serve none */
    size_t pages;
    struct acre_threaded_slab *next,
        *prev; /* partial list; next: free records, a list to release */
    struct acre_threaded_slab *below, *above; /* all in use */
    union {
        uint64_t seen; /* parts that were free when a sweep last looked, */
        size_t thread; /* of a run: the number of the thread that allocated it */
    };
    _Atomic uint16_t *numbers; /* of a hardened one: a number for each object */
    uint64_t discarded; /* and those whose memory has gone back; 0 while the slab is current */
    _Alignas(64) struct acre_threaded_group group[]; /* each in a cache line of its own */
};

#define THREADED_NEVER SIZE_MAX /* of `free_watermark` */

/* Where a heap's own slabs are found; memory permitting, all of them. */
struct threaded_window {
    uintptr_t start; /* address of its first page */
    size_t pages;    /* 0: there is none */
    struct acre_threaded_slab **entry;
};

/* When the heap sweeps next; threaded_sweep.c. */
struct threaded_sweep {
    struct acre_threaded_slab *next; /* where it goes on: a slab of a partial list, or null */
    unsigned size_class;             /* whose list that is */
    unsigned wait, interval;         /* sweeps left out until the next one; then */
};

enum threaded_heap_state { THREADED_LIVE, THREADED_ABANDONED, THREADED_FROZEN };

struct acre_thread_heap {
    struct acre_threaded_group *unit[THREADED_INDICES];        /* by threaded_index; never null */
    struct acre_threaded_group *group[ACRE_THREADED_CLASSES];  /* where objects come from */
    struct acre_threaded_slab *partial[ACRE_THREADED_CLASSES]; /* other slabs with free objects */
    unsigned char empties[ACRE_THREADED_CLASSES];              /* empty slabs in `partial` */
    unsigned slabs[ACRE_THREADED_CLASSES];                     /* all slabs; under the lock */
    struct acre_threaded_slab *kept[ACRE_THREADED_KEPT_RUNS];  /* runs kept for reuse */
    unsigned next_kept;                                        /* where the next one goes */
    size_t kept_pages;                                         /* of all of them */
    unsigned slow_calls; /* those that no change of a slab's class has used up */
    struct threaded_sweep sweep;
    struct threaded_window window; /* written under the lock, as is */
    size_t slab_pages;             /* pages of all slabs */
    struct acre_threaded *threaded;
    struct acre_thread_heap *next_heap;      /* all heaps */
    struct acre_thread_heap *next_abandoned; /* under the lock */
    _Atomic unsigned char state;             /* enum threaded_heap_state; changes under the lock */
    _Atomic bool busy;                       /* its thread is inside a slow path */
    struct threaded_quarantine *quarantine;  /* null unless hardened */
    size_t thread;                           /* the caller's number of its thread */
    _Alignas(64) _Atomic(struct acre_threaded_group *) remote; /* groups with remote frees */
};

/* A node of the page map: pointers to nodes or to slab records. */
struct acre_threaded_node {
    _Atomic(void *) entry[1];
};

/* The record of pages without a slab in a window. Never written. */
extern const struct acre_threaded_slab acre_threaded_no_slab;

ACRE_INLINE struct acre_threaded_slab *threaded_no_slab(void)
{
    return (struct acre_threaded_slab *)(uintptr_t)&acre_threaded_no_slab;
}

/* ---- the page map; threaded_map.c ---- */

ACRE_INLINE void *threaded_entry(const struct acre_threaded_node *node, size_t index)
{
    return atomic_load_explicit(&node->entry[index], memory_order_acquire);
}

/* The slab or run of the page that an address lies in, or null. Reads nothing at the address. */
ACRE_INLINE struct acre_threaded_slab *threaded_slab_of(
    const struct acre_threaded *threaded, uintptr_t address)
{
    uintptr_t page = address >> ACRE_THREADED_PAGE_LOG2;
    uintptr_t top = page >> (THREADED_LEAF_LOG2 + THREADED_MIDDLE_LOG2);
    if (ACRE_UNLIKELY(top >= ACRE_THREADED_ROOT))
        return NULL;
    const struct acre_threaded_node *node =
        atomic_load_explicit(&threaded->root[top], memory_order_acquire);
    if (ACRE_UNLIKELY(node == NULL))
        return NULL;
    if (THREADED_HAS_MIDDLE) {
        size_t mask = ((size_t)1 << THREADED_MIDDLE_LOG2) - 1;
        node = threaded_entry(node, (page >> THREADED_LEAF_LOG2) & mask);
        if (ACRE_UNLIKELY(node == NULL))
            return NULL;
    }
    return threaded_entry(node, page & (((size_t)1 << THREADED_LEAF_LOG2) - 1));
}

/* The heap's own slab of the page that an address lies in, or a record without objects. */
ACRE_INLINE struct acre_threaded_slab *threaded_window_slab(
    const struct acre_thread_heap *heap, uintptr_t address)
{
    size_t page = (address - heap->window.start) >> ACRE_THREADED_PAGE_LOG2;
    if (ACRE_UNLIKELY(page >= heap->window.pages))
        return threaded_no_slab();
    return heap->window.entry[page];
}

/* Makes the map's nodes for a range of pages. Under the lock. False: no memory. */
bool acre_threaded_map_reserve(struct acre_threaded *threaded, uintptr_t start, size_t pages);

/* Sets the entries of pages whose nodes exist. Under the lock. */
void acre_threaded_map_set(
    struct acre_threaded *threaded, uintptr_t start, size_t pages, struct acre_threaded_slab *slab);

/* A new slab enters its owner's window, which is moved and enlarged where that is needed and memory
 * allows; one that is given back leaves it. Under the lock. */
void acre_threaded_window_add(struct acre_thread_heap *heap, struct acre_threaded_slab *slab);
void acre_threaded_window_remove(
    struct acre_thread_heap *heap, const struct acre_threaded_slab *slab);

/* Zeroed bytes for records, heaps and nodes, never given back; null: no memory. Under the lock. */
void *acre_threaded_meta(struct acre_threaded *threaded, size_t bytes, size_t align);

/* Pages from one of the two allocators, growing it when it has none. 0: no memory. Under the lock. */
uintptr_t acre_threaded_take_pages(
    struct acre_threaded *threaded, struct acre_pages pages, size_t count, size_t align);

/* ---- records of slabs and runs; threaded_slab.c ---- */

/* A slab or run over fresh pages, entered in the map and in the list of all. Under the lock.
 * Null: no memory. */
struct acre_threaded_slab *acre_threaded_make_slab(
    struct acre_threaded *threaded, unsigned size_class, struct acre_thread_heap *owner);
struct acre_threaded_slab *acre_threaded_make_run(
    struct acre_threaded *threaded, size_t pages, size_t align);

/* A change of a slab's class takes a few hundred instructions, so it uses up a few calls that took
 * a slow path without one; the start of a thread counts as some. */
enum { THREADED_CALLS_PER_CHANGE = 4, THREADED_CALLS_OF_START = 16, THREADED_MOST_CALLS = 256 };

ACRE_INLINE void threaded_count_slow(struct acre_thread_heap *heap, unsigned calls)
{
    if (heap->slow_calls < THREADED_MOST_CALLS)
        heap->slow_calls += calls;
}

/* Gives a slab without live objects to another class, for whose objects its record has groups. Under the lock. */
void acre_threaded_change_class(struct acre_threaded_slab *slab, unsigned size_class);

/* Says that pages for blocks were taken. Under the lock. */
ACRE_INLINE void threaded_taken(const struct acre_threaded *threaded, uintptr_t start, size_t pages)
{
    const struct acre_threaded_env *env = &threaded->env;
    if (env->taken != NULL)
        env->taken(env->arg, (void *)start, pages * ACRE_THREADED_PAGE);
}

ACRE_INLINE enum threaded_state threaded_state_of(const struct acre_threaded_slab *slab)
{
    return (enum threaded_state)atomic_load_explicit(&slab->state, memory_order_acquire);
}

/* Gives a run of pages back to the page allocator. Under the lock. */
void acre_threaded_give_pages(struct acre_threaded *threaded, uintptr_t start, size_t pages);

/* Gives slabs and runs, linked by `next`, back to the page allocator. Under the lock. Returns pages.
 */
size_t acre_threaded_release(struct acre_threaded *threaded, struct acre_threaded_slab *list);

/* Whether a heap is hardened, and whether its fast paths serve nothing. */
ACRE_INLINE bool threaded_is_hardened(const struct acre_threaded *threaded)
{
    return threaded->env.hardening.on;
}

ACRE_INLINE bool threaded_is_slow(const struct acre_threaded *threaded)
{
    return threaded->env.hardening.on || threaded->env.hardening.slow;
}

/* Whether memory of free objects goes back while their slab stays: in a heap with many slabs. */
ACRE_INLINE bool threaded_sweeps(const struct acre_thread_heap *heap)
{
    enum { LEAST_PAGES = (4 << 20) / ACRE_THREADED_PAGE };
    return heap->slab_pages >= LEAST_PAGES && heap->threaded->env.discard != NULL;
}

/* ---- size classes; threaded_class.c ---- */

/* The class of a size of 1 to ACRE_THREADED_MAX_SMALL bytes, and the size of a class. O(1). */
unsigned acre_threaded_class_of(size_t size); /* threaded_class.h has it inline */
size_t acre_threaded_class_size(unsigned size_class);

/* How many sizes a class serves, up to its own. O(1). */
size_t acre_threaded_class_sizes(unsigned size_class);

/* Pages of a slab of a class of which the heap has so many slabs, where memory is not short, and the objects
 * that so many pages have. O(1). */
size_t acre_threaded_class_pages(unsigned size_class, unsigned slabs);
unsigned acre_threaded_class_objects(unsigned size_class, size_t pages);

/* Groups for every address in these pages at which an object could start, where the bytes left over
 * behind the last object may begin a group without objects. */
unsigned acre_threaded_class_groups(unsigned size_class, size_t pages);

/* The class that serves a layout of at most a page of alignment, or ACRE_THREADED_CLASSES. */
unsigned acre_threaded_class_for(struct acre_layout layout);

/* ---- runs of pages; threaded_run.c ---- */

/* Whether a block is a run, the layout is one of runs, and the run has its size now. */
bool acre_threaded_resize_in_place(
    struct acre_threaded *threaded, void *ptr, struct acre_layout layout);

/* Blocks of whole pages. */
void *acre_threaded_alloc_run(struct acre_thread_heap *heap, struct acre_layout layout);
enum acre_status acre_threaded_dealloc_run(
    struct acre_thread_heap *heap, struct acre_threaded_slab *run, void *ptr);

/* Links the runs that a heap keeps to *gone. O(ACRE_THREADED_KEPT_RUNS). */
void acre_threaded_drop_kept(struct acre_thread_heap *heap, struct acre_threaded_slab **gone);

/* ---- heaps; threaded_heap.c ---- */

/* Collects remote frees. Slabs that have become empty and are to be given back are linked to *gone.
 */
void acre_threaded_drain(struct acre_thread_heap *heap, struct acre_threaded_slab **gone);

/* Gives memory of free objects back, if it is time; where env.discard is not null. Without the lock. */
void acre_threaded_sweep(struct acre_thread_heap *heap);

/* Objects are allocated from a slab again. */
void acre_threaded_sweep_ended(struct acre_thread_heap *heap, struct acre_threaded_slab *slab);

/* Links all empty slabs of a heap to *gone. O(slabs of the heap). */
void acre_threaded_release_all_empty(
    struct acre_thread_heap *heap, struct acre_threaded_slab **gone);

/* An object of a class when the current group has none, from a new slab if one may be made and no other
 * has room; null: there is none. */
void *acre_threaded_refill(struct acre_thread_heap *heap, unsigned size_class, bool make);

/* What a free that filled an empty group, or emptied a group, has to do besides setting the bit. */
void acre_threaded_group_changed(struct acre_thread_heap *heap, struct acre_threaded_group *group,
    struct acre_threaded_slab **gone);

/* ---- blocks; threaded_block.c ---- */

/* Frees into a slab of another thread. */
enum acre_status acre_threaded_dealloc_remote(
    struct acre_thread_heap *owner, struct acre_threaded_slab *slab, void *ptr);

/* Whether a block of so many usable bytes can stay where it is with this layout, as it is or as a longer or
 * shorter run; it then has that layout. */
bool acre_threaded_stays(
    struct acre_threaded *threaded, void *ptr, size_t usable, struct acre_layout layout);

/* ---- verbs; threaded_alloc.c ---- */

/* alloc and dealloc where the fast paths do not answer. */
struct acre_ptr acre_threaded_alloc_slow(struct acre_thread_heap *heap, struct acre_layout layout);
enum acre_status acre_threaded_dealloc_slow(struct acre_thread_heap *heap, void *ptr);
enum acre_status acre_threaded_dealloc_sized_slow(
    struct acre_thread_heap *heap, void *ptr, struct acre_layout layout);

/* The rest of a free that filled or emptied its group. It takes the pointer, though it needs none, so
 * that this stays in the register in which free() received it. */
void acre_threaded_dealloc_changed(const void *ptr, struct acre_threaded_group *group);

/* ---- walks and checks; without the lock ---- */

/* Shows the objects of a slab, or a run. False: the visitor ended the walk. */
bool acre_threaded_walk_slab(const struct acre_threaded_slab *slab, acre_walk_fn *visit, void *arg);

struct acre_check_result acre_threaded_check_all(const struct acre_threaded *threaded);

/* The first slab or run that lies at or above a page; null: there is none. */
const struct acre_threaded_slab *acre_threaded_slab_from(
    const struct acre_threaded *threaded, uintptr_t page);

/* ---- groups ---- */

/* Where objects come from before there is a slab: it has none, so every request takes the slow path.
 * Never written. */
extern const struct acre_threaded_group acre_threaded_no_group;

ACRE_INLINE struct acre_threaded_group *threaded_no_group(void)
{
    return (struct acre_threaded_group *)(uintptr_t)&acre_threaded_no_group;
}

ACRE_INLINE size_t threaded_low_bits(size_t count)
{
    return count >= THREADED_WORD_BITS ? SIZE_MAX : ((size_t)1 << count) - 1;
}

ACRE_INLINE size_t threaded_free_bits(const struct acre_threaded_group *group)
{
    return atomic_load_explicit(&group->free, memory_order_relaxed);
}

ACRE_INLINE size_t threaded_remote_bits(const struct acre_threaded_group *group)
{
    return atomic_load_explicit(&group->remote, memory_order_relaxed);
}

/* The owner's only way to change `free`. */
ACRE_INLINE void threaded_set_free(struct acre_threaded_group *group, size_t bits)
{
    ACRE_ASSERT((bits & ~group->all) == 0); /* THREADED-2 */
    atomic_store_explicit(&group->free, bits, memory_order_relaxed);
}

/* Between these two, the heap's lists may be inconsistent: a process forked in between must not use
 * them in the child. */
ACRE_INLINE void threaded_enter(struct acre_thread_heap *heap)
{
    atomic_store_explicit(&heap->busy, true, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
}

ACRE_INLINE void threaded_leave(struct acre_thread_heap *heap)
{
    atomic_store_explicit(&heap->busy, false, memory_order_release);
}

/* ---- fast paths ---- */

/* An object of the group, or null when it has none. */
ACRE_INLINE void *threaded_take_object(struct acre_threaded_group *group)
{
    size_t bits = threaded_free_bits(group);
    if (ACRE_UNLIKELY(bits == 0))
        return NULL;
    threaded_set_free(group, bits & (bits - 1));
    uintptr_t object = group->base + (uint32_t)acre_bits_lowest(bits) * (uint32_t)group->size;
    ACRE_ASSUME(object != 0);
    return (void *)object;
}

/* Index of a size of at most THREADED_MAX_BY_UNIT in the table of groups. */
ACRE_INLINE size_t threaded_small_index(size_t size)
{
    return (size + (ACRE_THREADED_UNIT - 1)) / ACRE_THREADED_UNIT;
}

/* Index of a size above THREADED_MAX_BY_UNIT, up to ACRE_THREADED_MAX_SMALL: one for each class. */
ACRE_INLINE size_t threaded_medium_index(size_t size)
{
    unsigned log2 = acre_bits_highest(size - 1);
    size_t steps = (size - 1) >> (log2 - THREADED_STEPS_LOG2); /* eight, and those above 2^log2 */
    size_t first = (size_t)(log2 - THREADED_SMALL_LOG2) << THREADED_STEPS_LOG2;
    return THREADED_SMALL_INDICES + first + steps - (1u << THREADED_STEPS_LOG2);
}

/* A block of at most THREADED_MAX_BY_UNIT at natural alignment; null: ask the slow path. */
ACRE_INLINE void *threaded_alloc_fast(struct acre_thread_heap *heap, size_t size)
{
    if (ACRE_UNLIKELY(size > THREADED_MAX_BY_UNIT))
        return NULL;
    return threaded_take_object(heap->unit[threaded_small_index(size)]);
}

/* A block above THREADED_MAX_BY_UNIT and up to ACRE_THREADED_MAX_SMALL; null: ask the slow path. */
ACRE_INLINE void *threaded_alloc_medium(struct acre_thread_heap *heap, size_t size)
{
    if (ACRE_UNLIKELY(size <= THREADED_MAX_BY_UNIT || size > ACRE_THREADED_MAX_SMALL))
        return NULL;
    return threaded_take_object(heap->unit[threaded_medium_index(size)]);
}

/*
 * Offset / size by one multiplication: reciprocal = 2^FIXED_POINT / size, rounded up. The fraction
 * of the product is below the reciprocal just for multiples of the size (tests/threaded/classes.c
 * tries every offset of every class).
 */
struct threaded_quotient {
    size_t quotient;
    bool exact;
};

#if defined(ACRE_UINT128)
enum { THREADED_FIXED_POINT = 64 };

ACRE_INLINE uint64_t threaded_reciprocal(uint32_t size)
{
    ACRE_ASSERT(size > 1);
    return UINT64_MAX / size + 1;
}

ACRE_INLINE struct threaded_quotient threaded_divide(size_t offset, uint64_t reciprocal)
{
    acre_uint128 product = (acre_uint128)offset * reciprocal;
    return (struct threaded_quotient){ .quotient = (size_t)(product >> THREADED_FIXED_POINT),
        .exact = (uint64_t)product < reciprocal };
}
#else
enum { THREADED_FIXED_POINT = 44 }; /* products of offsets below 2^20 stay within 64 bits */

/* In two steps of 32 bits, for machines that call a library to divide 64. */
ACRE_INLINE uint64_t threaded_reciprocal(uint32_t size)
{
    enum { STEP = 16, FIRST = THREADED_FIXED_POINT - STEP };
    ACRE_ASSERT(size <= ACRE_THREADED_MAX_SMALL); /* so that a remainder has 16 bits to spare */
    size_t high = acre_divide((size_t)1 << FIRST, size);
    size_t rest = acre_remainder((size_t)1 << FIRST, size) << STEP;
    uint64_t quotient = ((uint64_t)high << STEP) + acre_divide(rest, size);
    return quotient + (acre_remainder(rest, size) != 0);
}

ACRE_INLINE struct threaded_quotient threaded_divide(size_t offset, uint64_t reciprocal)
{
    uint64_t product = (uint64_t)offset * reciprocal;
    uint64_t fraction = product << (64 - THREADED_FIXED_POINT);
    return (struct threaded_quotient){ .quotient = (size_t)(product >> THREADED_FIXED_POINT),
        .exact = fraction < reciprocal << (64 - THREADED_FIXED_POINT) };
}
#endif

/* Index of the object that starts at an address of a slab, or SIZE_MAX when none does. */
ACRE_INLINE size_t threaded_object_at(const struct acre_threaded_slab *slab, uintptr_t address)
{
    struct threaded_quotient object = threaded_divide(address - slab->start, slab->reciprocal);
    return object.exact ? object.quotient : SIZE_MAX;
}

/* Frees an object of a slab of the thread's own. False: no live object starts there. */
ACRE_INLINE bool threaded_dealloc_own(struct acre_threaded_slab *slab, void *ptr)
{
    struct threaded_quotient object =
        threaded_divide((uintptr_t)ptr - slab->start, slab->reciprocal);
    if (ACRE_UNLIKELY(!object.exact))
        return false;
    struct acre_threaded_group *group = &slab->group[object.quotient >> THREADED_WORD_LOG2];
    ACRE_OPAQUE(group); /* computed once, for all that follows */
    size_t bits = threaded_free_bits(group);
    size_t dead = bits | threaded_remote_bits(group);
    size_t index = object.quotient;
    if (ACRE_UNLIKELY((dead >> (index % THREADED_WORD_BITS) & 1) != 0))
        return false;
    ACRE_OPAQUE(index); /* so that no register keeps the remainder: the machine takes it */
    bits |= (size_t)1 << (index % THREADED_WORD_BITS);
    threaded_set_free(group, bits);
    if (ACRE_UNLIKELY(bits > group->free_watermark))
        acre_threaded_dealloc_changed(ptr, group);
    return true;
}

/* Whether a live object of a slab starts at an address. */
/* NOT-COVERED-BEGIN: the drop-in malloc alone calls it, and a build that counts does not preload it */
ACRE_INLINE bool threaded_is_live(const struct acre_threaded_slab *slab, uintptr_t address)
{
    struct threaded_quotient object = threaded_divide(address - slab->start, slab->reciprocal);
    if (ACRE_UNLIKELY(!object.exact))
        return false;
    const struct acre_threaded_group *group = &slab->group[object.quotient >> THREADED_WORD_LOG2];
    size_t dead = threaded_free_bits(group) | threaded_remote_bits(group);
    return (dead >> (object.quotient % THREADED_WORD_BITS) & 1) == 0;
}
/* NOT-COVERED-END */

/* Whether objects of a slab are those for a layout, one of natural alignment. False leaves it open. */
ACRE_INLINE bool threaded_is_made_for(
    const struct acre_threaded_slab *slab, struct acre_layout layout)
{
    size_t odd = (layout.align - 1) & (layout.align | ~(size_t)(ACRE_THREADED_UNIT - 1));
    return odd == 0 && slab->size - layout.size < slab->sizes;
}

/* Frees a pointer that may be anything. False: nothing was done, and the slow path decides. */
ACRE_INLINE bool threaded_dealloc_fast(struct acre_thread_heap *heap, void *ptr)
{
    return threaded_dealloc_own(threaded_window_slab(heap, (uintptr_t)ptr), ptr);
}

/* As threaded_dealloc_fast(), with the layout compared to the one in the slab's record. */
ACRE_INLINE bool threaded_dealloc_sized_fast(
    struct acre_thread_heap *heap, void *ptr, struct acre_layout layout)
{
    struct acre_threaded_slab *slab = threaded_window_slab(heap, (uintptr_t)ptr);
    return ACRE_LIKELY(threaded_is_made_for(slab, layout)) && threaded_dealloc_own(slab, ptr);
}

#endif
