/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * What the recorder in a program and the collector in the tool share: a folder of mapped files.
 *
 * The folder (named by the environment variable SPOOL_FOLDER_VARIABLE) holds one file "control" and
 * one file "ring-N" for each process image. A ring is a page with a struct spool_ring, then
 * `capacity` events. Every call takes the next order number n of its process; its event goes to
 * place n modulo capacity. The recorder stays less than `capacity` ahead of `tail`, which the
 * collector moves on once it has read. So the order of numbers is the order of events, nothing is
 * merged, the file never grows past its capacity, and since the pages belong to the file, whatever
 * was written outlives the process, however that ends.
 *
 *     place   0 1 2 3 4 5 6 7        an event is published by storing its head, with the lap in it:
 *     order   8 9 2 3 4 5 6 7        n / capacity + 1 (0 is a page never written)
 *                 ^ tail             here 8 and 9 are of the second lap
 */
#ifndef ACRE_RECORD_SPOOL_H
#define ACRE_RECORD_SPOOL_H

#include <stdatomic.h>
#include <stdint.h>

/** Environment variable that names the spool folder for the recorder. */
#define SPOOL_FOLDER_VARIABLE "ACRE_RECORD_SPOOL"
/** First word of the control file; its low digits are the version of this header. */
#define SPOOL_MAGIC UINT32_C(0xacec0002)

enum {
    SPOOL_PAGE = 4096,
    SPOOL_NAME_ROOM = 256,
    /** Bounds for log2 of the events in a ring. */
    SPOOL_CAPACITY_LOG2_MIN = 8,
    SPOOL_CAPACITY_LOG2_MAX = 24,
    /** Bits of the thread's and lap's number in an event's head. */
    SPOOL_THREAD_BITS = 24,
    SPOOL_LAP_BITS = 24
};

/** The file "control". */
struct spool_control {
    uint32_t magic;
    uint32_t collector;     /**< pid */
    uint64_t pid_namespace; /**< inode of the collector's /proc/self/ns/pid; 0: not known */
    uint32_t capacity_log2; /**< log2 of the events in a ring */
    uint32_t with_time;     /**< 1: events carry the time */
    _Atomic uint32_t stop;  /**< 1: recorders stop once their ring is full */
    _Atomic uint32_t beat;  /**< changes while the collector is at work */
    _Atomic uint32_t rings; /**< rings asked for: the next one gets this number */
    uint32_t any_user;      /**< 1: processes of other users are recorded too */
    /* Written by recorders. */
    _Atomic uint32_t failed;  /**< process images that could not make their ring */
    _Atomic uint32_t failure; /**< errno of the last of them */
};

/** First page of a ring. */
struct spool_ring {
    _Atomic uint32_t ready; /**< 1 once the fields up to `name` are filled in */
    uint32_t pid;
    uint32_t parent_pid;
    uint32_t forked; /**< 1: a forked child; parent_ring and fork_order say of whom */
    uint32_t parent_ring;
    uint32_t has_fork_order; /**< 0: the fork went past the fork handlers */
    uint64_t fork_order;     /**< order number of the SPOOL_FORK event in the parent's ring */
    char name[SPOOL_NAME_ROOM];
    _Alignas(64) _Atomic uint64_t tail;
    _Alignas(64) _Atomic uint64_t lost; /**< calls that could not be recorded */
    _Atomic uint64_t allocated;         /**< events for which the file has room; none lie beyond */
    _Atomic uint32_t failure;           /**< errno that ended recording in this process, or 0 */
};

_Static_assert(sizeof(struct spool_ring) <= SPOOL_PAGE, "a ring's header fits its page");

enum spool_op {
    SPOOL_MALLOC = 1,
    SPOOL_CALLOC,
    SPOOL_MEMALIGN,
    SPOOL_FREE,
    SPOOL_RESIZE_BEGIN, /**< `address` is the block about to be resized */
    SPOOL_RESIZE_END,   /**< `address` is what the same thread's resize returned */
    SPOOL_FORK          /**< the thread is about to fork */
};

/** One call. `address` 0 is a failed call. */
struct spool_event {
    _Atomic uint64_t head; /**< spool_head() */
    uint64_t address;
    uint64_t size;
    uint64_t time_ns; /**< CLOCK_MONOTONIC, or 0 */
};

_Static_assert(sizeof(struct spool_event) == 32, "two events fill a cache line");

/** The head of the event with order number `order`: lap, thread, log2 of the alignment, op. */
static inline uint64_t spool_head(
    uint64_t order, unsigned capacity_log2, uint32_t thread, unsigned align_log2, unsigned op)
{
    return ((order >> capacity_log2) + 1) << (16 + SPOOL_THREAD_BITS) |
           (uint64_t)(thread & ((UINT32_C(1) << SPOOL_THREAD_BITS) - 1)) << 16 |
           (uint64_t)align_log2 << 8 | op;
}

/** Whether `head` is that of the event with order number `order`. */
static inline int spool_is_published(uint64_t head, uint64_t order, unsigned capacity_log2)
{
    const uint64_t lap = ((order >> capacity_log2) + 1) & ((UINT64_C(1) << SPOOL_LAP_BITS) - 1);

    return head >> (16 + SPOOL_THREAD_BITS) == lap;
}

static inline unsigned spool_op_of(uint64_t head)
{
    return (unsigned)(head & 0xff);
}

static inline unsigned spool_align_log2_of(uint64_t head)
{
    return (unsigned)(head >> 8 & 0xff);
}

static inline uint32_t spool_thread_of(uint64_t head)
{
    return (uint32_t)(head >> 16) & ((UINT32_C(1) << SPOOL_THREAD_BITS) - 1);
}

#endif
