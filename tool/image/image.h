/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * A heap in a dump of another machine's memory: raw bytes, the address they come from, and what is known
 * of the machine. Every member of struct acre_tlsf and of its descriptors is a word of the machine (or
 * a byte, at a known place), so that a few facts give the layout: see image_layout_of().
 *
 * The bytes are not trusted: every address is looked up before it is read, every chain is bounded.
 */
#ifndef ACRE_TOOL_IMAGE_IMAGE_H
#define ACRE_TOOL_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What is known of the machine and of the library's configuration there. */
struct image_facts {
    unsigned word;    /**< Bytes of a pointer and of size_t: 4 or 8. */
    bool big;         /**< The highest byte of a word comes first. */
    unsigned granule; /**< Bytes: ACRE_TLSF_GRANULE; 0: not known. */
    bool wide;        /**< ACRE_TLSF_WIDE. */
};

/** Where things are, in bytes from the start of struct acre_tlsf or of a region's descriptor. */
struct image_layout {
    unsigned word, granule, header; /**< Bytes. */
    unsigned lists, linear_lists, words;
    unsigned max_log2; /**< Granules of the largest block, exclusive. */
    /* struct acre_tlsf; the members without a place here follow those that have one. */
    size_t base, granules, live_map, headroom, peak, live_blocks, capacity, first_region, total,
        apart, top, summary, compact_ops, granule_limit, largest, nonempty, first, last, size;
    size_t compact_lists, compact_nonempty, compact_first; /* of a compact structure */
    /* struct acre_tlsf_region */
    size_t r_next, r_prev, r_start, r_size, r_meta, r_meta_size, r_base, r_granules, r_live_map,
        r_map_size, r_shared_base, r_shared_granules, r_shared_map, r_first, r_last, r_joined,
        descriptor;
};

/** The layout; the facts must be complete. */
struct image_layout image_layout_of(const struct image_facts *facts);

struct image {
    const uint8_t *bytes;
    size_t size;
    uint64_t base; /**< Address of the first byte. */
    struct image_facts facts;
};

/** Reads a number of `size` bytes, 1 to 8. @return false: it does not lie in the image. */
bool image_read(const struct image *image, uint64_t at, unsigned size, uint64_t *number);

/** Whether all of [at, at + size) lies in the image. */
bool image_has(const struct image *image, uint64_t at, uint64_t size);

struct image_block {
    uint64_t start;
    uint64_t size; /**< Bytes that its user may write. */
    bool live;
};

/** A region; of those of buddy, slab and bitmap only start, size and descriptor are filled in. */
struct image_region {
    uint64_t start, size;
    uint64_t first, last; /**< Its chain. */
    uint64_t base, granules, live_map, map_size;
    uint64_t shared_base, shared_granules, shared_map;
    uint64_t descriptor;
    bool joined;
};

/** What a heap was found to hold. */
struct image_heap {
    uint64_t
        unit; /**< Bytes of TLSF's granule, buddy's smallest block, a page of slab or bitmap. */
    struct image_region *regions;
    size_t region_count, region_room;
    struct image_block *blocks; /**< By address within a region, as far as they could be read. */
    size_t block_count, block_room, live_count;
    uint64_t live_bytes; /**< Headers not counted. */
    char broken
        [128]; /**< The first invariant that does not hold, as the checker names it; "": sound. */
    uint64_t where; /**< The address that goes with it. */
    bool no_memory;
};

/**
 * Checks the TLSF heap at an address with the rules of acre_tlsf_check(), TLSF-1 to TLSF-9, and
 * collects its blocks. A granule that is not known is found: the one with which the heap is sound,
 * or most of it. To be given back to image_heap_free().
 */
void image_check_tlsf(struct image_heap *heap, const struct image *image, uint64_t at);

/** As image_check_tlsf(), for a struct acre_buddy with the rules of acre_buddy_check(). */
void image_check_buddy(struct image_heap *heap, const struct image *image, uint64_t at);

/** As image_check_tlsf(), for a struct acre_slab with the rules of acre_slab_check(). */
void image_check_slab(struct image_heap *heap, const struct image *image, uint64_t at);

/** As image_check_tlsf(), for a struct acre_bitmap with the rules of acre_bitmap_check(). A block
 * is a run of pages that are all free or all in use: a bitmap knows no other bounds. */
void image_check_bitmap(struct image_heap *heap, const struct image *image, uint64_t at);

void image_heap_free(struct image_heap *heap);

/** An allocator whose heaps can be read. */
struct image_kind {
    const char *name;
    const char *unit;  /**< What image_heap.unit is of. */
    const char *rules; /**< The first and the last one. */
    const char *live;  /**< What is counted as live. */
    void (*check)(struct image_heap *heap, const struct image *image, uint64_t at);
};

/** The allocator of a name; null: none. */
const struct image_kind *image_kind_named(const char *name);

/** What an ELF file says. */
struct image_elf {
    const uint8_t *bytes;
    size_t size;
    unsigned word;
    bool big;
};

/** @return false: it is no ELF file of 32 or 64 bits. */
bool image_elf_open(struct image_elf *elf, const uint8_t *bytes, size_t size);

/** The value of a symbol of .symtab. @return false: there is none of that name. */
bool image_elf_symbol(const struct image_elf *elf, const char *name, uint64_t *value);

#endif
