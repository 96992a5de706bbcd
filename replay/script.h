/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * A script: what one process of a trace asked of its allocator, decoded once into 8 bytes an
 * operation, so that a replay reads little and computes nothing.
 *
 * An operation names the slot whose block it concerns, and packs verb and size into one word:
 *
 *     31 30  29    28 .......... 0
 *     verb   wide  size in bytes, or the place in `wide` of a size or alignment that is not plain
 *
 * Plain is a size below 2^29 at the alignment that the script names, which is the natural one for a
 * trace, of a block that need not be zeroed. A request for 0 bytes is replayed as one for 1. The
 * arrays are files without a name in shared memory, because another process fills them: see load.h.
 * A script that is longer than may be held in memory keeps its operations in a file without a name
 * in TMPDIR instead, packed (see pack.h) in windows one behind the other, and is read a window at a
 * time.
 */
#ifndef ACRE_REPLAY_SCRIPT_H
#define ACRE_REPLAY_SCRIPT_H

#include "replay/array.h"
#include "trace/trace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum replay_verb { REPLAY_ALLOC, REPLAY_DEALLOC, REPLAY_REALLOC };

#define REPLAY_VERB_SHIFT 30
#define REPLAY_WIDE (UINT32_C(1) << 29)
#define REPLAY_SIZE_MASK (REPLAY_WIDE - 1)

/** Operations in memory at a time of a script that is streamed. */
#define REPLAY_WINDOW_OPS 65536u
/** Bytes of operations held in memory, unless told otherwise. */
#define REPLAY_HOLD ((size_t)256 << 20)

struct replay_op {
    uint32_t slot;
    uint32_t what;
};

/** A request that does not fit in an operation: size and alignment in bytes. */
struct replay_wide {
    uint64_t size;
    uint64_t align;
    uint64_t zeroed; /**< 1: the block is asked for with calloc; else 0. */
};

/** What is known of a script; plain data. */
struct replay_facts {
    uint64_t ops;         /**< Operations in the script; the three counts below add up to it. */
    uint64_t allocs;      /**< Blocks allocated, those a forked process inherits included. */
    uint64_t deallocs;    /**< Blocks freed. */
    uint64_t reallocs;    /**< Blocks resized. */
    uint64_t wides;       /**< Entries of the array of wide sizes. */
    uint64_t slots;       /**< Slots that the operations name: 0 .. slots - 1. */
    uint64_t inherited;   /**< Of `allocs`, the blocks a forked process started with. */
    uint64_t peak_live;   /**< Highest sum of the bytes asked for of live blocks. */
    uint64_t peak_blocks; /**< Highest count of live blocks. */
    uint64_t peak_op;     /**< The first operation after which `peak_live` bytes are live. */
    uint64_t left_live;   /**< Blocks never freed. */
    uint64_t volume;      /**< Bytes asked for in all, those that resizes add included. */
    uint64_t refused;     /**< Calls that failed when recorded; they are not replayed. */
    uint64_t lost;        /**< Calls the recorder could not record. */
    uint64_t unmatched;   /**< Frees and resizes of blocks the recorder did not know. */
    uint64_t max_align;   /**< Largest alignment asked for, in bytes; 0: natural only. */
    uint64_t trace_ops;   /**< Operations of all processes in the trace. */
    uint64_t left_bytes;  /**< Bytes asked for of blocks never freed. */
    uint64_t duration_ns; /**< From the start of the process to its last call; 0: not recorded. */
    uint64_t warm, stop;  /**< Of a benchmark: the operations from warm to stop are measured. */
    uint32_t align_log2;  /**< Of operations that are plain. */
    bool toggles;         /**< All are plain, and none resizes. */
    uint32_t threads;     /**< Threads that made calls. */
    uint64_t run_bytes;   /**< Of the array of runs, which tells them apart; 0: not known. */
    uint32_t sequences;   /**< Of a script that is split by thread, see split.h; else 0. */
    uint32_t parts;       /**< Entries of the array of parts, one for each replaying thread. */
    uint64_t sequence_items; /**< Entries of the array of sequences, gaps included. */
    uint64_t sequence_slots; /**< Slots that those name. */
    uint64_t crossings;      /**< Operations on a slot that another sequence used last. */
    uint32_t process;        /**< Index of the process in the trace, from 0, */
    uint32_t processes;      /**< of so many, empty ones included. */
    uint32_t started;        /**< Of those, started as programs rather than forked. */
    uint32_t pid;
    bool cut;      /**< The trace ends before its end. */
    bool silent;   /**< The program that was asked for by name recorded nothing when it started. */
    bool streamed; /**< The operations are in a file on disk. */
    bool forked;   /**< It is a copy of its parent rather than a program started anew. */
    char name[ACRE_TRACE_NAME_MAX + 1]; /**< Printable ASCII. */
};

/** A script, being built or complete. */
struct replay_script {
    struct replay_facts facts;
    struct replay_array op_array;
    struct replay_array wide_array;
    struct replay_array run_array;      /**< Bytes; see runs.h. */
    struct replay_array sequence_array; /**< See split.h. */
    struct replay_array part_array;
    uint32_t run_thread;              /**< While building: the thread of the last operations, */
    uint64_t run_length;              /**< and how many they are. */
    int spill;                        /**< The file on disk; -1: there is none. */
    struct replay_op *window_ops;     /**< Of a script that is streamed; else null. */
    uint8_t *packed;                  /**< The same, as it is on disk. */
    uint64_t spilled;                 /**< While building: bytes on disk. */
    uint64_t hold;                    /**< Operations that may be held in memory. */
    struct replay_interned *interned; /**< While building: wide sizes met lately; may be null. */
    uint64_t live_bytes;              /**< While building: bytes live after the last operation. */
    uint64_t live_blocks;             /**< While building: the same for blocks. */
    uint64_t limit;                   /**< While building: most operations. */
};

/**
 * Makes an empty script that holds at most `hold` bytes of operations in memory.
 * @return false with errno set, and the script closed.
 */
bool replay_script_open(struct replay_script *script, size_t hold);

/** Forgets all operations, but keeps the memory. */
void replay_script_clear(struct replay_script *script);

/** Frees the memory. */
void replay_script_close(struct replay_script *script);

/**
 * Adds what an event says.
 * @return null, or an English phrase that says why it cannot be replayed.
 */
const char *replay_script_add(struct replay_script *script, const struct acre_trace_event *event);

/** Adds one operation; `old_size` is the size of the block resized or freed, in bytes.
 * @return as replay_script_add(). */
const char *replay_script_alloc(
    struct replay_script *script, uint32_t slot, uint64_t size, uint64_t align);
/** The same for a block that is zeroed. */
const char *replay_script_alloc_zeroed(
    struct replay_script *script, uint32_t slot, uint64_t size, uint64_t align);
const char *replay_script_dealloc(struct replay_script *script, uint32_t slot, uint64_t old_size);
const char *replay_script_realloc(
    struct replay_script *script, uint32_t slot, uint64_t old_size, uint64_t size, uint64_t align);

/** Ends a script. @return false: there is no room on disk. */
bool replay_script_finish(struct replay_script *script);

/** Forgets where a child process, which built this script, had it mapped. */
void replay_script_disown(struct replay_script *script);

/** Maps a script that is mapped nowhere, to be read. @return false with errno set. */
bool replay_script_map(struct replay_script *script);

/** Operations that are in memory: `count` of them, from the one of index `first`. */
struct replay_window {
    const struct replay_op *ops;
    uint64_t first, count;
    uint64_t place;                  /**< Offset on disk of the window after this one. */
    const struct replay_wide *wides; /**< What wide operations refer to. */
    unsigned align_log2;             /**< Of plain operations. */
};

/**
 * Reads the next window; a zeroed one comes before the first. The window before is overwritten.
 * @return false: there is none.
 */
bool replay_script_next(const struct replay_script *script, struct replay_window *window);

/** The operation of that index, which exists. Linear in the windows of a script that is streamed;
 * the window read last stays as it is. */
struct replay_op replay_op_at(const struct replay_script *script, uint64_t index);

/**
 * A file without a name in TMPDIR, or in /tmp. @return -1 with errno set.
 */
int replay_nameless_file(void);

/** What stands on disk before each window. */
struct replay_window_header {
    uint32_t bytes; /**< Of the window packed. */
};

/** Bytes at most of an operation packed; a time takes no more. */
#define REPLAY_PACKED_MOST 10u
/** Room for a window as it is on disk. */
#define REPLAY_PACKED_WINDOW                                                                       \
    (sizeof(struct replay_window_header) + (size_t)REPLAY_WINDOW_OPS * REPLAY_PACKED_MOST)

/** Reads or writes all of it at `offset`. @return false: it could not. */
bool replay_read_at(int file, void *bytes, size_t size, uint64_t offset);
bool replay_write_at(int file, const void *bytes, size_t size, uint64_t offset);

static inline const struct replay_wide *replay_wides(const struct replay_script *script)
{
    return script->wide_array.items;
}

static inline enum replay_verb replay_op_verb(struct replay_op op)
{
    return (enum replay_verb)(op.what >> REPLAY_VERB_SHIFT);
}

#endif
