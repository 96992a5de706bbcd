/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * How much memory a program needs in which a backend serves malloc.
 */
#ifndef ACRE_REPLAY_SERVED_POOL_H
#define ACRE_REPLAY_SERVED_POOL_H

#include "replay/backend.h"
#include "replay/progress.h"
#include "replay/script.h"

/**
 * Looks for a limit (ACRE_POOL) under which the script completes, upwards from `from` bytes in
 * small steps; each attempt is a replay.
 * @param backend a REPLAY_SYSTEM one with `preload` and `allocator`.
 * @return bytes; 0: none was found.
 */
uint64_t replay_served_pool(const struct replay_script *script,
    const struct replay_backend *backend, uint64_t from, struct acre_progress *progress);

#endif
