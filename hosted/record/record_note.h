/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Records one call as one event in the ring of this process.
 */
#ifndef ACRE_RECORD_RECORD_NOTE_H
#define ACRE_RECORD_RECORD_NOTE_H

#include "os/threads.h"
#include "record_ring.h"

/** record_note() when the ring is not open or the thread has no number yet. Keeps errno. */
RECORD_COLD uint64_t record_note_first(
    unsigned op, const void *address, size_t size, unsigned align_log2);

/** Writes one event into the ring whose events are given. Returns its order number. */
static inline uint64_t record_put(struct record_state *state, struct spool_event *events,
    unsigned op, const void *address, size_t size, unsigned align_log2)
{
    const uint64_t order = acre_os_take_number(&state->next);
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
