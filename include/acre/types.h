/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The words every part of acre speaks: status, layout, results by value, statistics, check results.
 */
#ifndef ACRE_TYPES_H
#define ACRE_TYPES_H

#include <acre/config.h>

#ifndef __cplusplus
#include <stdbool.h>
#endif
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define ACRE_ALIGNOF(type) alignof(type)
extern "C" {
#else
#define ACRE_ALIGNOF(type) _Alignof(type)
#endif

/** Why a call was refused. A refused call has changed nothing but the count of refused requests;
 * only a refused init leaves the allocator empty. */
enum acre_status {
    ACRE_OK = 0,             /**< Done. */
    ACRE_INVALID_PARAM = 1,  /**< An argument is outside what the call's contract allows. */
    ACRE_MEMORY_OVERLAP = 2, /**< Memory offered shares a byte with memory already owned. */
    ACRE_NO_MEMORY = 3,      /**< No free space that fits the request. */
    ACRE_NOT_ALLOCATED = 4 /**< The block, page or id named is not a live one of this allocator. */
};

/**
 * English text of a status, without a full stop.
 * @param status any value; one outside the enum gives "unknown status".
 * @return a static string, never null. O(1), callable from anywhere.
 */
const char *acre_status_text(enum acre_status status);

/** What a block must be: `size` bytes at an address that is a multiple of `align`. */
struct acre_layout {
    size_t size;  /**< Bytes. 0 is served as 1: a pointer of its own that must be freed. */
    size_t align; /**< Bytes, a power of two. Below ACRE_NATURAL_ALIGN it costs nothing to ask for
                     more. */
};

/** The alignment that any C object can live with; every block has at least this one. Bytes. */
#define ACRE_NATURAL_ALIGN ACRE_ALIGNOF(max_align_t)

/** The layout of `size` bytes aligned to `align` bytes. */
static inline struct acre_layout acre_layout(size_t size, size_t align)
{
    struct acre_layout layout;
    layout.size = size;
    layout.align = align;
    return layout;
}

/** The layout of one object of a type. */
#define ACRE_LAYOUT(type) acre_layout(sizeof(type), ACRE_ALIGNOF(type))

/**
 * A pointer and a status, returned by value: two registers on the common 64-bit calling
 * conventions. `ptr` is null exactly when `status` is not ACRE_OK or when null is what was asked
 * for, so `p = acre_alloc(h, layout).ptr` with a null check reads as C programmers expect.
 */
struct acre_ptr {
    void *ptr;               /**< Start of the block; null on failure. */
    enum acre_status status; /**< ACRE_OK, or why there is no block. */
};

/** A number and a status: a page position, an id, a size in bytes. `num` is 0 on failure. */
struct acre_num {
    uintptr_t num;           /**< The result; 0 on failure, and 0 can be a valid result too. */
    enum acre_status status; /**< ACRE_OK, or why there is no result. */
};

/**
 * The accounts of an allocator at one moment. For bytes and pages every field but the two counts is
 * in bytes; for ids the unit is one id.
 *
 * Always: total == metadata + used + available. Nothing live: used == 0.
 */
struct acre_stats {
    size_t total; /**< All that was given by init and add_memory, metadata given apart included. */
    size_t
        metadata; /**< The part of total that serves the allocator itself and can hold no block. */
    size_t used;  /**< What live blocks take: headers, rounding and alignment included. */
    size_t available;    /**< The rest; it need not be in one piece. */
    size_t peak;         /**< Highest value of used since init or reset. */
    size_t largest_free; /**< A request of this size at natural alignment succeeds; 0 when none
                            would. */
    size_t live_blocks;  /**< Count of live blocks (pages, ids: of units in use). */
    size_t failed;       /**< Count of requests for memory refused with ACRE_NO_MEMORY since init or
                            reset. */
};

/** What `check` found. */
struct acre_check_result {
    const char
        *invariant; /**< Null: sound. Else the invariant broken, e.g. "TLSF-3: ...". Static. */
    const void
        *where; /**< Address of the block, region or field that breaks it; null when sound. */
};

/**
 * Called by `walk` for one block.
 * @param arg   what the caller of walk passed.
 * @param start first usable byte of the block; it is not read by walk.
 * @param size  usable bytes.
 * @param live  true: handed out; false: free.
 * @return true to go on, false to end the walk.
 * The callee must not change the allocator that is being walked.
 */
typedef bool acre_walk_fn(void *arg, void *start, size_t size, bool live);

#ifdef __cplusplus
}
#endif

#endif
