/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * What a reading of the clock costs, and the count of instructions where the machine keeps one.
 */
#ifndef ACRE_REPLAY_COUNTER_H
#define ACRE_REPLAY_COUNTER_H

#include "clock/clock.h"

#include <stdbool.h>

/** What two readings of acre_clock_ticks() cost by themselves: the least of many. */
uint64_t replay_tick_cost(void);

/** Starts counting this process's instructions. @return a counter, or -1: there is no such count.
 */
int replay_counter_open(void);

/** Why instructions are not counted, as an English phrase; null: they are. */
const char *replay_counter_lack(void);

/** Instructions counted so far. @return false when the counter gives none. */
bool replay_counter_read(int counter, uint64_t *instructions);

#endif
