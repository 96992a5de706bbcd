/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The parts of the preloaded recorder: the real functions, the ring, the calls.
 */
#ifndef ACRE_RECORD_RECORD_H
#define ACRE_RECORD_RECORD_H

#include "spool.h"

#include <stdbool.h>
#include <stddef.h>

#define RECORD_LIKELY(x) __builtin_expect(!!(x), 1)
#define RECORD_COLD __attribute__((noinline, cold))

/* ---- the real functions ---- */

struct record_real {
    void *(*malloc)(size_t size);
    void *(*calloc)(size_t count, size_t size);
    void *(*realloc)(void *block, size_t size);
    void (*free)(void *block);
    void *(*memalign)(size_t align, size_t size);
    void *(*aligned_alloc)(size_t align, size_t size);
    int (*posix_memalign)(void **block, size_t align, size_t size);
    void *(*valloc)(size_t size);
    void *(*pvalloc)(size_t size);
};

/** The functions behind this library; all null until record_find_real() has run. */
extern struct record_real record_real;

/**
 * Looks the real functions up. False when this thread is doing so already: the dynamic linker is
 * allocating for itself and must be served by record_early_alloc().
 */
bool record_find_real(void);

/** Room for the dynamic linker, zeroed, aligned to 16 bytes, never given back; null when used up.
 */
void *record_early_alloc(size_t size);

/** Whether `block` came from record_early_alloc(). */
bool record_is_early(const void *block);

/** Bytes behind an early block that may be read: those up to the end of the area. */
size_t record_early_room(const void *block);

/* ---- the ring ---- */

/**
 * What the hot path needs. It lies in a page that the kernel clears in a forked child, so that a
 * child never writes into its parent's ring, however it was forked.
 */
struct record_state {
    struct spool_event *_Atomic events; /* null: not open, or off */
    uint64_t mask;
    unsigned capacity_log2;
    bool with_time;
    _Atomic bool off; /* recording has ended, or was never asked for */
    _Atomic uint32_t lock;
    _Atomic uint32_t threads;
    uint32_t number;
    struct spool_ring *ring;
    struct spool_control *control;
    _Alignas(64) _Atomic uint64_t limit; /* order numbers below may be written */
    _Alignas(64) _Atomic uint64_t next;
};

struct record_self {
    uint32_t thread; /* 1, 2, ...; 0: none yet in this process */
    bool finding;    /* record_find_real() is at work in this thread */
    bool busy;       /* a slow path holds the lock: calls made meanwhile are not recorded */
    bool has_fork;
    uint32_t fork_ring;
    uint64_t fork_order;
};

extern struct record_state *record_state;
extern __thread struct record_self record_self __attribute__((tls_model("initial-exec")));

/** Waits until order number `order` may be written. False when recording has ended. Keeps errno. */
RECORD_COLD bool record_wait(uint64_t order);

/** record_note() when the ring is not open or the thread has no number yet. Keeps errno. */
RECORD_COLD uint64_t record_note_first(
    unsigned op, const void *address, size_t size, unsigned align_log2);

/** CLOCK_MONOTONIC in nanoseconds. */
uint64_t record_now(void);

/** Writes one event into the ring whose events are given. Returns its order number. */
static inline uint64_t record_put(struct record_state *state, struct spool_event *events,
    unsigned op, const void *address, size_t size, unsigned align_log2)
{
    const uint64_t order = atomic_fetch_add_explicit(&state->next, 1, memory_order_relaxed);
    struct spool_event *event = &events[order & state->mask];

    if (!RECORD_LIKELY(order < atomic_load_explicit(&state->limit, memory_order_acquire)) &&
        !record_wait(order))
        return 0;
    event->address = (uintptr_t)address;
    event->size = size;
    event->time_ns = state->with_time ? record_now() : 0;
    atomic_store_explicit(&event->head,
        spool_head(order, state->capacity_log2, record_self.thread - 1, align_log2, op),
        memory_order_release);
    return order;
}

/** Records one call. Returns its order number; 0 when it could not be recorded. */
static inline uint64_t record_note(
    unsigned op, const void *address, size_t size, unsigned align_log2)
{
    struct record_state *state = record_state;
    struct spool_event *events = atomic_load_explicit(&state->events, memory_order_relaxed);

    if (!RECORD_LIKELY(events && record_self.thread))
        return record_note_first(op, address, size, align_log2);
    return record_put(state, events, op, address, size, align_log2);
}

#endif
