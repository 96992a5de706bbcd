/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * What a layer that feeds memory to a byte allocator must know of it: a heap, a malloc that grows
 * by pieces of the system's memory, a tool that measures pools. Each byte allocator has one
 * constant table, beside its table of verbs: acre_tlsf_backing, acre_slab_backing, ...
 *
 * `self` is the allocator's control structure; a zeroed one stands for the default settings.
 */
#ifndef ACRE_BACKING_H
#define ACRE_BACKING_H

#include <acre/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One byte allocator as a layer above sees it. A slot may be null only where it says so. */
struct acre_backing {
    const struct acre_bytes_ops *ops; /**< Its verbs. */
    size_t size;                      /**< Bytes of its control structure, */
    size_t align;                     /**< and its alignment, a power of two. */
    size_t largest_block; /**< Bytes of the largest block it can make; SIZE_MAX: no limit. */
    bool powers_of_two;   /**< Its blocks are powers of two, each at a multiple of its size. */
    /** Adjacent regions are looked up together when the topmost one is given metadata for all of
     * them. */
    bool shares_map;

    /**
     * Bytes of a region, wherever it starts, that serves a request right after add_memory of it. Does
     * not decrease as the size grows.
     * @return bytes; 0: no region is large enough. O(1), pure.
     */
    size_t (*region_size)(const void *self, struct acre_layout layout);

    /**
     * Bytes of metadata that a region of `size` bytes needs, where that is given apart. Does not
     * decrease as the size grows. Null: the metadata lies in the region. O(1), pure.
     */
    size_t (*metadata_size)(const void *self, size_t size);

    /**
     * add_memory with the metadata given apart, at least metadata_size(self, size) bytes. Blocks
     * may lie across the seam of two adjacent regions. Null just where metadata_size is.
     */
    enum acre_status (*add_apart)(
        void *self, void *start, size_t size, void *meta, size_t meta_size);

    /** add_memory for a region that begins where another one ends; may take up to a twelfth of it
     * for metadata, so that both are looked up together. */
    enum acre_status (*add_adjacent)(void *self, void *start, size_t size);

    /**
     * Gives an empty allocator memory, of acre_region_table_size(range) bytes at the alignment of a
     * word, for a table of the regions in a range of addresses: frees outside of the region used
     * last take fewer instructions then. Null memory: it does without from now on. Null: it has
     * none. O(range / 16 KiB), and O(regions).
     */
    void (*set_region_table)(void *self, void *memory, uintptr_t start, size_t range);

    /** Sets the handler of requests that find no memory. */
    void (*set_on_exhausted)(void *self, acre_exhausted_fn *handler, void *arg);

    /** Sets the handler of frees after which a region may be empty that was not. Null: it calls
     * none. */
    void (*set_on_released)(void *self, acre_released_fn *handler, void *arg);

    /** Merges free memory that is kept in several pieces though walk shows one. Null: it keeps
     * none. */
    void (*flush)(void *self);

    /** Shows `visit` free memory that walk does not show, as walk does. Null: walk shows all. */
    void (*visit_free)(void *self, acre_walk_fn *visit, void *arg);
};

#ifdef __cplusplus
}
#endif

#endif
