/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Where the blocks of a script lie in a pool, over the run: the pool cut into cells and looked at
 * now and then, and in a part of the run each block with the operations it lives between. An
 * allocator built in is walked; of a plugin it is known where its blocks lie, but not which of the
 * other bytes are free and which its own.
 */
#ifndef ACRE_TOOL_MAP_TRACK_H
#define ACRE_TOOL_MAP_TRACK_H

#include "replay/backend.h"
#include "replay/progress.h"
#include "replay/script.h"

#include <cjson/cJSON.h>

/** A cell's bytes are told in so many parts. */
#define MAP_PARTS 15

/** What the bytes of one cell serve, in parts of MAP_PARTS; the rest is free. */
struct map_cell {
    uint8_t live;
    uint8_t metadata;
};

/** A block of the window: it lies there after the operations `born` to `died` - 1. */
struct map_block {
    uint64_t born; /**< One less than the window's first: it was there before. */
    uint64_t died; /**< UINT64_MAX: it outlasts the window. */
    uint64_t offset;
    uint64_t size;  /**< Bytes that it can hold, */
    uint64_t asked; /**< and that were asked for. */
};

/** What is to be looked at. */
struct map_plan {
    size_t pool;    /**< Bytes. */
    size_t cells;   /**< To cut the pool into, at most. */
    size_t moments; /**< At which to look at the cells, at least 1, evenly spaced up to `last`. */
    size_t blocks;  /**< To keep, at most. */
    uint64_t last;  /**< The last operation to replay. */
    uint64_t window_first, window_last; /**< The operations whose blocks are kept. */
};

/** What was seen; in memory that processes share. */
struct map_track {
    struct map_plan plan;
    const char *name;    /**< As shown. */
    bool refused;        /**< The allocator cannot work in the pool: the rest is empty. */
    bool walked;         /**< The allocator's own bytes are told from free ones. */
    bool too_many;       /**< There are more blocks than the plan keeps: `block_count` is 0. */
    uint64_t failed;     /**< Operations that could not be served. */
    uint64_t cell_bytes; /**< The last cell may have fewer. */
    size_t cell_count;
    size_t moment_count;
    size_t block_count;
    uint64_t *moments;        /**< The operation after which each look was taken. */
    struct map_cell *cells;   /**< `cell_count` for each moment. */
    struct map_block *blocks; /**< By `born`. */
    size_t room;              /**< Bytes mapped. */
};

/** The plan that suits a report: each block when the run is short, else those near the peak. */
struct map_plan map_plan_for(const struct replay_facts *facts, size_t pool);

/**
 * Replays the script on an allocator that has a pool, in a process of its own.
 * @return what was seen, to be given back to map_track_free(); null when the process could not be
 * made or ended early, or acre_interrupted() became true.
 */
struct map_track *map_track(const struct replay_script *script,
    const struct replay_backend *backend, const struct map_plan *plan,
    struct acre_progress *progress);

void map_track_free(struct map_track *track);

/** The same as a JSON object, as tool/report/page/map.js reads it; null: no memory. */
cJSON *map_track_json(const struct map_track *track);

#endif
