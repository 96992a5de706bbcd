/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Why a script does not complete in a pool: what was asked for, what was free, and what stood in
 * the way. Only of allocators built in, for they can be walked.
 */
#ifndef ACRE_REPLAY_EXPLAIN_H
#define ACRE_REPLAY_EXPLAIN_H

#include "replay/backend.h"
#include "replay/progress.h"
#include "replay/script.h"

#include <cjson/cJSON.h>
#include <stdio.h>

/** Blocks and groups that are named; there may be more. */
#define REPLAY_NAMED 8

/** A live block. */
struct replay_named_block {
    uint64_t size;   /**< Bytes asked for. */
    uint64_t offset; /**< In the pool, in bytes. */
    uint64_t born;   /**< Operation that allocated it, */
    uint64_t age;    /**< and operations since. */
    uint32_t thread; /**< That made it; only after replay_find_threads(). */
    bool has_thread;
};

/** Live blocks side by side, with free space on both sides. */
struct replay_split {
    uint64_t before, between, after; /**< Bytes free, live, free. */
    uint64_t blocks;                 /**< Live ones. */
    struct replay_named_block last;  /**< The one of them that was allocated last. */
};

/** Plain data, in memory that processes share. */
struct replay_explanation {
    bool refused;   /**< The allocator cannot work in the pool at all. */
    bool no_memory; /**< There was not enough to find out; then nothing below is complete. */
    bool failed;    /**< Else it completes, and nothing below holds. */
    uint64_t op;    /**< The operation that failed, */
    enum replay_verb verb;
    uint64_t size, align; /**< and what it asked for, in bytes. */
    uint64_t old_size;    /**< Of the block to be resized. */

    /* The pool at that moment, in bytes. */
    uint64_t live, blocks, used, metadata, available, largest_free;
    uint64_t runs, largest_run; /**< Free bytes side by side: how many, and the longest. */

    /* The place where the fewest bytes would have had to be free as well. */
    bool possible;         /**< There is such a place. */
    uint64_t least_bytes;  /**< Asked for, of the live blocks there, */
    uint64_t least_blocks; /**< of which there are so many; the first are named. */
    struct replay_named_block least[REPLAY_NAMED];

    /* What splits the free space: the groups that keep most of it apart come first. */
    uint64_t splits;
    struct replay_split worst[REPLAY_NAMED];
};

/**
 * Finds the threads of all blocks named, by reading the trace at `path` once more. What cannot be
 * read leaves `has_thread` false.
 */
void replay_find_threads(
    struct replay_explanation *explanation, const char *path, uint32_t process);

/**
 * The thread of each operation, 255 standing for all beyond, read from the trace at `path` once
 * more when there is more than one.
 * @return an array to be freed; null: it cannot be read again, or there is no memory.
 */
uint8_t *replay_op_threads(const char *path, const struct replay_facts *facts);

/**
 * Replays on `backend`, an allocator built in, in a process of its own.
 * @return false: it could not, or ended early, or acre_interrupted() became true.
 */
bool replay_explain_apart(struct replay_explanation *explanation,
    const struct replay_script *script, const struct replay_backend *backend, size_t pool,
    struct acre_progress *progress);

/** Prints it in words and two tables. */
void replay_explain_print(FILE *out, const struct replay_explanation *explanation,
    const struct replay_facts *facts, const char *name, size_t pool);

/** The same as a JSON object; null: no memory. */
cJSON *replay_explain_json(
    const struct replay_explanation *explanation, const char *name, size_t pool);

#endif
