/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * The first event of a process or a thread, and forks. Every path keeps errno.
 */
#include "record_note.h"

#include <errno.h>
#include <pthread.h>

RECORD_COLD uint64_t record_note_first(
    unsigned op, const void *address, size_t size, unsigned align_log2)
{
    const int error = errno;
    const bool is_open = record_open();
    struct spool_event *events = atomic_load(&record_state->events);

    errno = error;
    if (!is_open || !events)
        return 0;
    if (!record_self.thread)
        record_self.thread = atomic_fetch_add(&record_state->threads, 1) + 1;
    return record_put(record_state, events, op, address, size, align_log2);
}

/* ---- fork ---- */

static void note_fork(void)
{
    record_self.has_fork = false;
    if (!record_state->events)
        return;
    record_self.fork_ring = record_state->number;
    record_self.fork_order = record_note(SPOOL_FORK, NULL, 0, 0);
    record_self.has_fork = record_state->events != NULL;
}

static void forget_fork(void)
{
    record_self.has_fork = false;
}

static __attribute__((constructor)) void start_recorder(void)
{
    const int error = errno;

    record_open();
    pthread_atfork(note_fork, forget_fork, record_open_in_child);
    errno = error;
}
