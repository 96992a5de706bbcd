/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * What a heap map knows of a run whatever the allocator: the moments at which the pool is looked
 * at, and each block of a part of the run with the operations it lives between.
 */
#ifndef ACRE_TOOL_MAP_HISTORY_H
#define ACRE_TOOL_MAP_HISTORY_H

#include "replay/script.h"

#include <cjson/cJSON.h>

/** What is to be looked at. */
struct map_plan {
    size_t moments; /**< At which to look at the pool, at least 1, up to `last`. */
    size_t blocks;  /**< To keep, at most. */
    uint64_t last;  /**< The last operation to replay. */
    uint64_t window_first, window_last; /**< The operations whose blocks are kept. */
};

/** A block that lives after the operations `born` to `died` - 1. A resize begins another one. */
struct map_block {
    uint64_t born;
    uint64_t died;  /**< UINT64_MAX: it outlasts the window. */
    uint64_t asked; /**< Bytes. */
    uint32_t slot;  /**< Of the script. */
    uint8_t thread; /**< That allocated it. */
};

struct map_history {
    struct map_plan plan;
    uint64_t ops; /**< Of the whole run. */
    uint64_t peak_op;
    const uint8_t *threads; /**< Of each operation; null: they are not known. */
    size_t moment_count;
    uint64_t *moments; /**< Operations, ascending: see replay_find_peaks(). */
    uint64_t *live;    /**< Bytes that are live at each. */
    bool too_many;     /**< There are more blocks than the plan keeps: `block_count` is 0. */
    size_t before;     /**< Blocks that were live before the window; they come first. */
    size_t block_count;
    struct map_block *blocks; /**< By `born`. */
};

/** The plan that suits a report: each block when the run is short, else those near the peak. */
struct map_plan map_plan_for(const struct replay_facts *facts);

/**
 * Reads the script. O(operations).
 * @param threads as of replay_op_threads(), which must outlast the history; may be null.
 * @return false: no memory, and there is no history.
 */
bool map_history_make(struct map_history *history, const struct replay_script *script,
    const struct map_plan *plan, const uint8_t *threads);

void map_history_free(struct map_history *history);

#endif
