/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * How long other programs on the machine have kept a thread waiting.
 */
#ifndef ACRE_REPLAY_DELAY_H
#define ACRE_REPLAY_DELAY_H

#include <stddef.h>
#include <stdint.h>

/** Nanoseconds of a thread: with a processor, and ready but without one. */
struct replay_delay {
    uint64_t busy, delayed;
};

/** Of the calling thread, so far. Short waits, as every thread has that is woken, are not
 * counted. */
struct replay_delay replay_delay_read(void);

/** Processors that this process may use, at least one. */
size_t replay_processors(void);

#endif
