/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The collector of `acre record`: a folder of rings (hosted/record/spool.h) that recorded processes
 * fill, read while they run and written into a trace, one section for each.
 */
#ifndef ACRE_TOOL_SPOOL_H
#define ACRE_TOOL_SPOOL_H

#include "tool/record/spool_process.h"

#include <stdbool.h>
#include <stddef.h>

struct spool {
    char folder[3072]; /* of the files */
    char outer[3072];  /* the folder around it; "": there is none */
    struct spool_control *control;
    struct spool_file file;
    struct spool_process **processes; /* by number */
    size_t count, room;
    struct spool_process **active; /* those not ended */
    size_t active_count, active_room;
    int error;      /* errno of the first failure that costs events, or 0 */
    size_t running; /* processes that still ran in spool_finish() */
};

/** What was recorded. */
struct spool_summary {
    struct acre_trace_totals totals;
    uint64_t threads;
    uint64_t images;  /* process images that loaded the recorder, with events or without */
    int failure;      /* errno that ended the recording of some process early, or 0 */
    uint64_t failed;  /* process images that could not be recorded at all */
    int refusal;      /* errno of the last of them */
    uint64_t running; /* processes that still ran when recording ended */
};

/**
 * Makes the folder, in $TMPDIR or /tmp. `ring_bytes` bounds the file of each process. The trace
 * goes to the descriptor `fd`, which is the spool's from now on; if it is of a regular file, that
 * is emptied once there is something to write.
 * @return 0 or an errno.
 */
int spool_open(struct spool *spool, int fd, size_t ring_bytes, bool with_time);

/** Takes in new processes and reads a share of each ring. Returns how many events there were. */
size_t spool_poll(struct spool *spool);

/** Sees to it that all events read so far are in the trace, whatever happens later. */
void spool_flush(struct spool *spool);

/** Ends the sections of processes that are gone or have executed another program. */
void spool_reap(struct spool *spool);

/** Stops recording, reads what is there and ends every section. */
void spool_finish(struct spool *spool);

/** Sums up; after spool_finish(). */
struct spool_summary spool_summarise(const struct spool *spool);

/** Completes the trace; after spool_finish(). @return 0 or the errno of the first failure. */
int spool_complete(struct spool *spool);

/** Removes the folder and gives all back. */
void spool_close(struct spool *spool);

#endif
