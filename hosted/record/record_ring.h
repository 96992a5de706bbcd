/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The ring of this process: its file, its growth, and the wait for the collector.
 */
#ifndef ACRE_RECORD_RECORD_RING_H
#define ACRE_RECORD_RECORD_RING_H

#include "record_thread.h"
#include "spool.h"

#include <stdbool.h>
#include <stddef.h>

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

extern struct record_state *record_state;

/** Opens the ring of this process. False when there is none and will be none. */
bool record_open(void);

/** Opens a new ring in a forked child. */
void record_open_in_child(void);

/** Waits until order number `order` may be written. False when recording has ended. Keeps errno. */
RECORD_COLD bool record_wait(uint64_t order);

/** CLOCK_MONOTONIC in nanoseconds. */
uint64_t record_now(void);

#endif
