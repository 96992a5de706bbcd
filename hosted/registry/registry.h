/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * The byte allocators built in, by name: an entry each in registry.c, and the tool, the drop-in
 * malloc and the benchmarks know it.
 */
#ifndef ACRE_HOSTED_REGISTRY_H
#define ACRE_HOSTED_REGISTRY_H

#include <acre/bytes.h>

/** One byte allocator. */
struct acre_backend {
    const char *name; /**< As --allocator and ACRE_ALLOCATOR take it. */
    const char *also; /**< Another name that it is found by, that of acre compare; or null. */
    const char *text; /**< What it is, on one line. */
    size_t size;      /**< Bytes of its control structure, */
    size_t align;     /**< and that structure's alignment, a power of two. */
    size_t most;      /**< Bytes of the largest block it can make of any memory; 0: no limit. */
    bool rounds;      /**< Its blocks are powers of two, each at a multiple of its size. */
    /** The handle of a control structure, which acre_init() makes anew whatever it holds. O(1). */
    struct acre_bytes (*handle)(void *self);
    /** Null unless the allocator can have a region's metadata apart: bytes of it that a region of
     * `size` bytes needs at most. Grows with the size. O(1). */
    size_t (*apart_size)(size_t size);
    /** Null just when apart_size is: acre_add_memory() with the metadata at `apart`. Blocks lie
     * across the seam of two regions that adjoin. */
    enum acre_status (*add_apart)(
        void *self, void *start, size_t size, void *apart, size_t apart_size);
    /** Null, or merges free memory that walk shows as one block and that is kept in several. */
    void (*gather)(void *self);
    /** Whether regions that adjoin are looked up together when the topmost one is given metadata
     * for all of them. */
    bool shares_map;
    /** Null, or the same allocator in the form that suits a whole program without deadlines. */
    const struct acre_backend *program;
};

/** All of them; the first is the default. Ends with a null name. */
extern const struct acre_backend acre_backends[];

/** The one of that name or other name, or null. */
const struct acre_backend *acre_backend_find(const char *name);

#endif
