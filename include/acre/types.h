/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The types that all of acre uses: status, layout, results by value, statistics, check results.
 */
#ifndef ACRE_TYPES_H
#define ACRE_TYPES_H

#include <acre/config.h>

#ifndef __cplusplus
#include <stdbool.h>
#endif
#include <stddef.h>
#include <stdint.h>

#if defined(SIZE_MAX) && (SIZE_MAX < 0xffffffff || UINTPTR_MAX < 0xffffffff)
#error "acre needs size_t and pointers of 32 or 64 bits; no allocator works on 16-bit machines"
#endif

/** Compilers warn when a caller drops the result of a function that is marked with this. */
#if (defined(__cplusplus) && __cplusplus >= 201703L) ||                                            \
    (defined(__STDC_VERSION__) && __STDC_VERSION__ > 201710L)
#define ACRE_NODISCARD [[nodiscard]]
#elif defined(__GNUC__)
#define ACRE_NODISCARD __attribute__((warn_unused_result))
#else
#define ACRE_NODISCARD
#endif

#ifdef __cplusplus
#define ACRE_ALIGNOF(type) alignof(type)
extern "C" {
#else
#define ACRE_ALIGNOF(type) _Alignof(type)
#endif

/* C++ compilers see a function that hides its struct's constructor; both are meant. */
#if defined(__cplusplus) && defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif

/**
 * The result of a call. A call that fails changes nothing but the count of failed requests, with
 * one exception: a failed init leaves the allocator empty.
 */
enum acre_status {
    ACRE_OK = 0,             /**< Success. */
    ACRE_INVALID_PARAM = 1,  /**< An argument violates the function's contract. */
    ACRE_MEMORY_OVERLAP = 2, /**< The memory offered shares a byte with memory already owned. */
    ACRE_NO_MEMORY = 3,      /**< No free space fits the request. */
    ACRE_NOT_ALLOCATED = 4   /**< The block, page or id is not a live one of this allocator. */
};

/**
 * The English text of a status, without a full stop.
 * @param status any value; a value outside the enum gives "unknown status".
 * @return a static string, never null. O(1), callable from anywhere.
 */
const char *acre_status_text(enum acre_status status);

/** The layout of a block: `size` bytes at an address that is a multiple of `align`. */
struct acre_layout {
    size_t size;  /**< Bytes. A request for 0 bytes is served as one for 1 byte. */
    size_t align; /**< Bytes, a power of two. Every block has at least ACRE_NATURAL_ALIGN. */
};

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

/** The layout of an array of `count` objects; SIZE_MAX bytes, which every allocator refuses, when
 * the product overflows. */
static inline struct acre_layout acre_layout_array(size_t count, struct acre_layout object)
{
    if (object.size != 0 && count > SIZE_MAX / object.size)
        return acre_layout(SIZE_MAX, object.align);
    return acre_layout(count * object.size, object.align);
}

/**
 * A pointer and a status, returned by value: two registers on the common 64-bit calling
 * conventions. `ptr` is null whenever `status` is not ACRE_OK, so that
 * `p = acre_alloc(heap, layout).ptr` and a null check suffice.
 */
struct acre_ptr {
    void *ptr;               /**< Start of the block; null on failure. */
    enum acre_status status; /**< ACRE_OK, or why there is no block. */
};

/** A number and a status: the number is a page's address, an id or a size in bytes. */
struct acre_num {
    uintptr_t num;           /**< The result; 0 on failure. 0 can be a valid result too. */
    enum acre_status status; /**< ACRE_OK, or why there is no result. */
};

/** A live block and a status, as `find` returns them. */
struct acre_block {
    void *start;             /**< First usable byte; null on failure. */
    size_t size;             /**< Usable bytes; 0 on failure. */
    enum acre_status status; /**< ACRE_OK, or why there is no block. */
};

/**
 * The statistics of an allocator at one moment. For bytes and pages, all fields except the two
 * counts are in bytes; for ids, the unit is one id.
 *
 * At any time: total == metadata + used + available. With no live block: used == 0.
 */
struct acre_stats {
    size_t total;        /**< All memory owned, metadata that lies elsewhere included. */
    size_t metadata;     /**< The part of total that can never hold a block. */
    size_t used;         /**< What live blocks take: headers, rounding and alignment included. */
    size_t available;    /**< The rest; not always in one piece. */
    size_t peak;         /**< The highest value of used since init, reset or
                            reset_peak. */
    size_t largest_free; /**< The largest size that succeeds at natural alignment; 0: none does. */
    size_t live_blocks;  /**< Count of live blocks; for pages and ids, of pages or ids in use. */
    size_t failed;       /**< Count of requests that failed with ACRE_NO_MEMORY since init or
                            reset. */
};

/** The result of `check`. */
struct acre_check_result {
    const char *invariant; /**< Null: all invariants hold. Else the broken one, such as
                              "TLSF-3: ..."; a static string. */
    const void *where;     /**< Address of the block, region or field that breaks it; or null. */
};

/**
 * A visitor: `walk` calls it once per block. It must not change the allocator.
 * @param arg   the argument that the caller passed to walk.
 * @param start first usable byte of the block; walk does not read it.
 * @param size  usable bytes.
 * @param live  true: the block is allocated; false: it is free.
 * @return true to continue, false to end the walk.
 */
typedef bool acre_walk_fn(void *arg, void *start, size_t size, bool live);

/**
 * Called when a request finds no memory, before it is refused. The handler may make any call on the
 * allocator: free blocks, add memory, allocate. While it runs, the allocator has taken it out, so
 * requests of its own that find no memory are refused without calling it, unless it calls
 * set_on_exhausted.
 * @param arg    what the caller of set_on_exhausted passed.
 * @param layout the request.
 * @return true: something may have changed, the allocator tries the request again; false: it
 * refuses the request.
 */
typedef bool acre_exhausted_fn(void *arg, struct acre_layout layout);

enum { ACRE_EXHAUSTED_RETRIES = 8 /**< Calls of the handler for one request, at most. */ };

/**
 * Called as the last step of a free after which a region may be empty that was not. The handler may
 * make any call on the allocator; remove_memory is what it is for.
 * @param arg    what the caller of set_on_released passed.
 * @param blocks freed since the last call, or about as many.
 */
typedef void acre_released_fn(void *arg, size_t blocks);

/** A handler of exhaustion as an allocator keeps it. Every field is private. */
struct acre_exhausted_hook {
    acre_exhausted_fn *call; /* null: none */
    void *arg;
    bool running;
};

#if defined(__cplusplus) && defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#ifdef __cplusplus
}
#endif

#endif
