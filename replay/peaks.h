/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The moments at which a run is looked at when it is too long to look at each operation: chosen so
 * that no interval between two looks loses its maximum.
 */
#ifndef ACRE_REPLAY_PEAKS_H
#define ACRE_REPLAY_PEAKS_H

#include "replay/script.h"

/**
 * Finds, in each of `count` - 1 equal intervals of the operations up to `last`, the first one after
 * which most bytes are live; the last moment is `last`. With `count` operations or fewer, each one
 * is a moment. Linear in the operations.
 * @param moments room for `count`; in ascending order.
 * @return how many there are; 0: no memory.
 */
size_t replay_find_peaks(
    const struct replay_script *script, uint64_t last, size_t count, uint64_t *moments);

#endif
