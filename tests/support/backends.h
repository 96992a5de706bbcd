/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The allocators that every suite runs over. A new one is a `struct backend` in a file of its own and
 * one line in backends.c.
 */
#ifndef ACRE_TESTS_SUPPORT_BACKENDS_H
#define ACRE_TESTS_SUPPORT_BACKENDS_H

#include <acre/bytes.h>

/* What a backend can do beyond the minimum of the contract; a suite skips the rest, and says so. */
enum {
    BACKEND_CONTENTS =
        1u << 0,             /* a moving realloc may read and write blocks, so contents are kept */
    BACKEND_SEAM = 1u << 1,  /* adjoining regions serve one block across the seam */
    BACKEND_APART = 1u << 2, /* total counts metadata that was not given as a region */
    BACKEND_HEADERS =
        1u << 3,             /* a block of n usable bytes takes n + header, whatever its alignment,
                                and free neighbours merge at once; without it, an alignment makes a
                                block as large as a size that needs it */
    BACKEND_SCRUB = 1u << 4, /* a free block's bytes between `links` and `foot` mean nothing */
    BACKEND_EXACT =
        1u << 5, /* a pointer that is no live block is refused, not undefined behaviour */
    BACKEND_COVERS = 1u << 6, /* walk shows all that is available: no memory after it lies unused */
    BACKEND_LARGER = 1u << 7, /* short of memory, a larger block than its size needs may serve a
                              request; a sized free that falls short of such a one passes, and an
                              alignment that largest_free has room for can be refused; an alignment
                              rounds the size up to a multiple of it */
    BACKEND_ASKED =
        1u << 8, /* the usable size is the size asked for, and a sized free must name it */
    BACKEND_PADS = 1u << 9, /* a block is larger than the least of the allocator within, the more so
                             the higher its alignment: a region accepted may hold no block */
    BACKEND_HIDES =
        1u << 10, /* memory that no block was cut from yet is available and not walked */
    BACKEND_TILES = BACKEND_HEADERS | BACKEND_COVERS
};

struct backend {
    const char *name;
    unsigned caps;

    size_t self_size; /* bytes of state that lie outside the regions */
    size_t
        counters[12]; /* offsets in there, plus 1, of the size_t that a refused call may change */
    size_t header;    /* see BACKEND_HEADERS */
    size_t links; /* bytes at the start of a free block that have a meaning; see BACKEND_SCRUB */
    size_t foot;  /* the same at its end */
    size_t region_enough; /* bytes; no region of this size or more is too small */
    size_t arena_most;    /* bytes; with a larger region its metadata finds no room */
    size_t
        arena_scale; /* a test case's arena is so many times as large, since its blocks are; 0: 1 */

    /* Prepares zeroed state of self_size bytes and returns the handle over it; init comes next. */
    struct acre_bytes (*bind)(void *self);

    /* Makes every counter what it would be had this state been reached at once: nothing refused,
     * the peak as high as `used`. */
    void (*normalize)(void *self);

    /* By how many bytes a sized free may fall short of the usable size and still name the block. */
    size_t (*slack)(size_t usable);
};

/* Null-terminated. */
extern const struct backend *const backends[];

/* Backends with little room outside the regions, for searches over whole states. Null-terminated. */
extern const struct backend *const tiny_backends[];

/* Backends that break a promise on purpose, to prove that the suites notice. Null-terminated. */
extern const struct backend *const broken_backends[];

/* The backend of that name, sound or broken; null when there is none. */
const struct backend *backend_find(const char *name);

#endif
