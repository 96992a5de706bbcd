/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * Page frames at physical addresses of 64 bits, on any machine: for 32-bit machines whose memory
 * reaches above 4 GiB (PAE, LPAE), and for offsets in large files and devices.
 *
 * It is the bitmap (acre/bitmap.h) over frame numbers. A number has the width of a pointer, so pages of
 * 4 KiB reach 16 TiB on a 32-bit machine. Elsewhere acre/pages.h does the same with one type less.
 *
 *     struct acre_frames frames = { 0 };
 *     acre_frames_setup(&frames, 4096);
 *     acre_frames_add(&frames, 0x100000000, 0x40000000, map, sizeof map);
 *     struct acre_frame run = acre_frames_alloc(&frames, 16, 0);
 */
#ifndef ACRE_BITMAP_FRAMES_H
#define ACRE_BITMAP_FRAMES_H

#include <acre/bitmap.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * An allocator of frames. Zeroed, it is empty; setup comes first. `numbers` may be read, and given
 * to every function of acre/bitmap.h that changes nothing: its positions are frame numbers.
 */
struct acre_frames {
    struct acre_bitmap numbers; /**< The frames as ids; statistics are in frames. */
    unsigned page_log2;         /* 0: not set up */
};

/** An address and a status. */
struct acre_frame {
    uint64_t address;        /**< Of the first byte; 0 on failure. 0 can be a valid result too. */
    enum acre_status status; /**< ACRE_OK, or why there is no frame. */
};

/** Conditions on a run of frames, in bytes: struct acre_run_limits with addresses of 64 bits. */
struct acre_frame_limits {
    uint64_t lowest; /**< No part of the run lies below this address. */
    uint64_t
        highest; /**< None lies above this address, the last one that may be used; 0: no limit. */
    uint64_t align;    /**< A power of two; less than a page is served as a page. */
    uint64_t phase;    /**< The run begins this many bytes after a multiple of align. */
    uint64_t boundary; /**< The run does not cross a multiple of this, a power of two; 0: any. */
    bool top_down;     /**< true: the highest run, not the lowest. */
};

/**
 * Sets the page size of an allocator without frames.
 * @param page_size bytes, a power of two from 2 to 2^30.
 * @return ACRE_OK; ACRE_INVALID_PARAM: page_size is none of these, or the allocator has frames;
 *         nothing has changed. O(1).
 */
enum acre_status acre_frames_setup(struct acre_frames *frames, size_t page_size);

/**
 * Adds the whole pages of a range.
 * @param start, size bytes; the range may start at 0 and may end with the highest address.
 * @param meta, meta_size as for acre_bitmap_add_memory_apart: acre_bitmap_metadata_size(pages) bytes.
 * @return as acre_bitmap_add_ids; also ACRE_INVALID_PARAM: setup was not called, the range wraps or
 *         has no whole page, or a frame number is wider than a pointer. O(pages).
 */
ACRE_NODISCARD enum acre_status acre_frames_add(
    struct acre_frames *frames, uint64_t start, uint64_t size, void *meta, size_t meta_size);

/**
 * Removes the range whose first whole page is at this address.
 * @return as acre_bitmap_remove_memory. O(pages).
 */
enum acre_status acre_frames_remove(struct acre_frames *frames, uint64_t start);

/**
 * Allocates the lowest run of free frames that fits.
 * @param count frames, at least 1.
 * @param align bytes, 0 or a power of two; less than a page is served as a page.
 * @return {address, ACRE_OK}; otherwise as acre_alloc_pages. Time as acre_bitmap_alloc_pages.
 */
ACRE_NODISCARD struct acre_frame acre_frames_alloc(
    struct acre_frames *frames, size_t count, uint64_t align);

/** The same for a run that meets conditions; errors as acre_alloc_pages_within, time as
 * acre_bitmap_alloc_pages_within. */
ACRE_NODISCARD struct acre_frame acre_frames_alloc_within(
    struct acre_frames *frames, size_t count, const struct acre_frame_limits *limits);

/** Allocates the run that begins at an address; errors as acre_alloc_pages_at, time as
 * acre_bitmap_alloc_pages_at. */
ACRE_NODISCARD struct acre_frame acre_frames_alloc_at(
    struct acre_frames *frames, uint64_t address, size_t count);

/** Frees a run of frames in use; errors as acre_dealloc_pages, time as acre_bitmap_dealloc_pages. */
enum acre_status acre_frames_dealloc(struct acre_frames *frames, uint64_t address, size_t count);

#ifdef __cplusplus
}
#endif

#endif
