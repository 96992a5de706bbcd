/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * One recorded process image: its ring read, its blocks followed, its section written.
 */
#ifndef ACRE_TOOL_SPOOL_PROCESS_H
#define ACRE_TOOL_SPOOL_PROCESS_H

#include "hosted/record/spool.h"
#include "tool/record/spool_map.h"
#include "trace/trace_file.h"

/** A resize whose end has not been read. */
struct spool_pending {
    uint32_t thread;
    bool known; /* the block was live */
    struct spool_block block;
};

/** The heap as it was when a child was about to be forked, kept until the child is seen. */
struct spool_snapshot {
    uint64_t order;
    struct spool_map live;
};

/** Where the sections go: a file that is emptied when the first of them begins. */
struct spool_file {
    int fd;                           /* -1: `output` has it */
    struct acre_trace_output *output; /* null: not begun */
    int error;                        /* errno of the first failure, or 0 */
};

struct spool_process {
    const char *folder;
    struct spool_file *file;
    uint32_t number;
    unsigned capacity_log2;
    struct spool_ring *ring; /* null: not seen yet, or given back */
    struct spool_event *events;
    uint64_t next; /* order number to read */
    bool seen;     /* the ring was opened */
    bool heir;     /* its heap is known: started, or the parent's copy is in `live` */
    bool replaced; /* the same pid has executed another program */
    bool begun;    /* its section has begun */
    bool ended;
    uint64_t patience_ns;      /* how long to wait for an event when later ones are there */
    uint64_t stalled_at;       /* order number of the event waited for */
    uint64_t stalled_since_ns; /* 0: not waiting */
    uint64_t start_ns;
    uint32_t threads;
    int error;   /* errno of the first failure in writing its section, or 0 */
    int failure; /* errno that ended recording in the process, or 0 */
    struct spool_map live;
    struct spool_pending *pending;
    size_t pending_count, pending_room;
    struct spool_snapshot *snapshots;
    size_t snapshot_count, snapshot_room;
    struct acre_trace_output *section; /* null: not begun, failed, or ended */
    struct acre_trace_writer *writer;
    struct acre_trace_totals totals;
};

/** How hard to read. */
enum spool_haste {
    SPOOL_RUNNING, /**< events may still come: wait for a missing one */
    SPOOL_FINAL    /**< none will: skip what is missing */
};

/** Begins the trace, if it has not begun. False: it cannot be written; `file->error` says why. */
bool spool_file_begin(struct spool_file *file);

/** A process of which nothing is known yet. `folder` and `file` must outlive it. */
struct spool_process spool_process_new(
    const char *folder, struct spool_file *file, uint32_t number, unsigned capacity_log2);

/** Maps the ring when its process has set it up. */
void spool_process_look(struct spool_process *process);

/**
 * Reads at most `most` events. With SPOOL_RUNNING the room is given back to the process. Returns
 * how many there were.
 */
size_t spool_process_read(struct spool_process *process, size_t most, enum spool_haste haste);

/** Sees to it that what was read is in the file, whatever happens later. */
void spool_process_flush(struct spool_process *process);

/** Takes over a parent's heap as it was at order number `order`. False: the parent is not there
 * yet. */
bool spool_process_inherit(struct spool_process *process, struct spool_process *parent);

/** Ends the section, gives the ring back and removes its file. */
void spool_process_end(struct spool_process *process);

/** Gives the rest back. */
void spool_process_release(struct spool_process *process);

/** Writes the path of this process's ring. */
void spool_process_path(const struct spool_process *process, char path[4096]);

#endif
