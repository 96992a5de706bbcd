/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Where the blocks of a history lie in a pool, and the pool cut into cells and looked at at the
 * moments of the history. An allocator built in is walked; of a plugin it is known where its blocks
 * lie, but not which of the other bytes are free and which its own.
 */
#ifndef ACRE_TOOL_MAP_TRACK_H
#define ACRE_TOOL_MAP_TRACK_H

#include "replay/backend.h"
#include "replay/progress.h"
#include "tool/map/history.h"
#include "tool/map/palette.h"

/** A cell's bytes are told in so many parts. */
#define MAP_PARTS 15

/** What the bytes of one cell serve, in parts of MAP_PARTS; the rest is free. Of the block that
 * takes most of it: its shade by size, its thread, and how many moments were past when it was
 * born. */
struct map_cell {
    uint8_t live;
    uint8_t metadata;
    uint8_t size_shade;
    uint8_t thread;
    uint16_t born;
};

/** Where a block of the history lies. */
struct map_place {
    uint64_t offset;
    uint64_t size; /**< Bytes that it can hold; 0: it could not be had. */
};

/** What was seen; in memory that processes share. */
struct map_track {
    const struct map_history *history;
    const char *name;    /**< As shown. */
    size_t pool;         /**< Bytes. */
    bool refused;        /**< The allocator cannot work in the pool: the rest is empty. */
    bool walked;         /**< The allocator's own bytes are told from free ones. */
    uint64_t failed;     /**< Operations that could not be served. */
    uint64_t cell_bytes; /**< The last cell may have fewer. */
    size_t cell_count;
    struct map_cell *cells;   /**< `cell_count` for each moment. */
    struct map_place *places; /**< Of each block of the history. */
    size_t room;              /**< Bytes mapped. */
};

/**
 * Replays the script on an allocator that has a pool, in a process of its own.
 * @param cells to cut the pool into, at most.
 * @return what was seen, to be given back to map_track_free(); null when the process could not be
 * made or ended early, or acre_interrupted() became true.
 */
struct map_track *map_track(const struct replay_script *script,
    const struct replay_backend *backend, const struct map_history *history, size_t pool,
    size_t cells, struct acre_progress *progress);

void map_track_free(struct map_track *track);

/** A history, and what was seen of an allocator, as JSON objects, as tool/report/page/map.js reads
 * them; null: no memory. */
cJSON *map_history_json(const struct map_history *history);
cJSON *map_track_json(const struct map_track *track);

#endif
