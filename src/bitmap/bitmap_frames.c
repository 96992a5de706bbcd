/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Frames at addresses of 64 bits: the bitmap over frame numbers.
 */
#include "base/arith.h"
#include "base/wide.h"

#include <acre/bitmap_frames.h>

enum { FRAMES_MOST_LOG2 = 30 };

/* ---- addresses and numbers ---- */

/* The number of the frame that has an address; it may be wider than a frame number is. */
static uint64_t frames_shift_right(uint64_t address, unsigned log2)
{
    return acre_shift_right(address, log2);
}

/* The address of a frame. */
static uint64_t frames_shift_left(uintptr_t number, unsigned log2)
{
    return acre_shift_left(number, log2);
}

/* Bits of an address below its frame number. */
static uint64_t frames_offset(const struct acre_frames *frames, uint64_t address)
{
    return address & (((uint32_t)1 << frames->page_log2) - 1);
}

static struct acre_frame frames_refuse(enum acre_status status)
{
    return (struct acre_frame){ 0, status };
}

static struct acre_frame frames_result(const struct acre_frames *frames, struct acre_num got)
{
    if (got.status != ACRE_OK)
        return frames_refuse(got.status);
    return (struct acre_frame){ frames_shift_left(got.num, frames->page_log2), ACRE_OK };
}

/* ---- ranges ---- */

enum acre_status acre_frames_setup(struct acre_frames *frames, size_t page_size)
{
    if (!acre_is_pow2(page_size) || page_size < 2 || page_size > (size_t)1 << FRAMES_MOST_LOG2)
        return ACRE_INVALID_PARAM;
    enum acre_status status = acre_bitmap_setup_ids(&frames->numbers);
    if (status == ACRE_OK)
        frames->page_log2 = acre_bits_highest(page_size);
    return status;
}

enum acre_status acre_frames_add(
    struct acre_frames *frames, uint64_t start, uint64_t size, void *meta, size_t meta_size)
{
    uint64_t last = start + (size - 1);
    if (frames->page_log2 == 0 || size == 0 || last < start)
        return ACRE_INVALID_PARAM;
    uint64_t first = frames_shift_right(start, frames->page_log2);
    uint64_t after = frames_shift_right(last, frames->page_log2);
    first += frames_offset(frames, start) != 0;
    after += frames_offset(frames, last + 1) == 0;
    /* NOT-COVERED: numbers wider than a pointer are there on machines of 32 bits */
    if (first >= after || after - 1 > UINTPTR_MAX || after - first > SIZE_MAX)
        return ACRE_INVALID_PARAM;
    return acre_bitmap_add_ids(
        &frames->numbers, (uintptr_t)first, (size_t)(after - first), meta, meta_size);
}

enum acre_status acre_frames_remove(struct acre_frames *frames, uint64_t start)
{
    uint64_t first = frames->page_log2 != 0 ? frames_shift_right(start, frames->page_log2) : 0;
    /* NOT-COVERED: numbers wider than a pointer are there on machines of 32 bits */
    if (frames->page_log2 == 0 || first > UINTPTR_MAX || frames_offset(frames, start) != 0)
        return ACRE_NOT_ALLOCATED;
    uintptr_t number = (uintptr_t)first;
    return acre_bitmap_remove_memory(&frames->numbers, (void *)number);
}

/* ---- alloc ---- */

struct acre_frame acre_frames_alloc(struct acre_frames *frames, size_t count, uint64_t align)
{
    const struct acre_frame_limits limits = { .align = align };
    return acre_frames_alloc_within(frames, count, &limits);
}

static bool frames_is_power_or_none(uint64_t value)
{
    return (value & (value - 1)) == 0;
}

static bool frames_are_limits_valid(
    const struct acre_frames *frames, const struct acre_frame_limits *limits)
{
    uint32_t page = (uint32_t)1 << frames->page_log2;
    uint64_t align = limits->align > page ? limits->align : page;
    return frames->page_log2 != 0 && frames_is_power_or_none(limits->align) &&
           frames_is_power_or_none(limits->boundary) &&
           (limits->boundary == 0 || limits->boundary >= page) && limits->phase < align &&
           frames_offset(frames, limits->phase) == 0;
}

/* Counts a request that no frame can serve. */
static struct acre_frame frames_no_memory(struct acre_frames *frames)
{
    frames->numbers.failed++;
    return frames_refuse(ACRE_NO_MEMORY);
}

/* A number no wider than a pointer; wider ones become the widest. */
static uintptr_t frames_clamp(uint64_t number)
{
    return number > UINTPTR_MAX ? UINTPTR_MAX : (uintptr_t)number; /* NOT-COVERED: as above */
}

/* Placement constraints in frame numbers. */
struct frames_limits {
    uint64_t lowest;
    uint64_t last; /* the highest number that may be used */
    uint64_t align;
    uint64_t phase;
    uint64_t boundary;
};

/* False: no frame lies in the limits. */
static bool frames_convert(const struct acre_frames *frames, const struct acre_frame_limits *limits,
    struct frames_limits *set)
{
    unsigned log2 = frames->page_log2;
    uint64_t highest = limits->highest != 0 ? limits->highest : UINT64_MAX;
    uint64_t after = frames_shift_right(highest, log2) + (frames_offset(frames, highest + 1) == 0);
    set->lowest = frames_shift_right(limits->lowest, log2);
    set->lowest += frames_offset(frames, limits->lowest) != 0;
    set->last = frames_clamp(after - 1);
    set->align = frames_shift_right(limits->align, log2);
    set->phase = frames_shift_right(limits->phase, log2);
    set->boundary = frames_shift_right(limits->boundary, log2);
    return after != 0 && set->lowest <= set->last && set->phase <= set->last;
}

/* The run that begins at one number, if it lies in the limits. */
static struct acre_frame frames_alloc_only(
    struct acre_frames *frames, size_t count, const struct frames_limits *set, uint64_t first)
{
    /* NOT-COVERED-BEGIN: with 64 bits the number is 0, and so is the last one */
    if (first < set->lowest || count - 1 > set->last - first ||
        (set->boundary != 0 && (count - 1) > set->boundary - 1 - (first & (set->boundary - 1))))
        return frames_no_memory(frames);
    /* NOT-COVERED-END */
    return frames_result(
        frames, acre_bitmap_alloc_pages_at(&frames->numbers, (uintptr_t)first, count, 1));
}

struct acre_frame acre_frames_alloc_within(
    struct acre_frames *frames, size_t count, const struct acre_frame_limits *limits)
{
    struct frames_limits set;
    if (count == 0 || !frames_are_limits_valid(frames, limits))
        return frames_refuse(ACRE_INVALID_PARAM);
    if (!frames_convert(frames, limits, &set))
        return frames_no_memory(frames);
    /* NOT-COVERED-BEGIN: numbers wider than a pointer are there on machines of 32 bits */
    if (set.align > SIZE_MAX) /* one number has this phase */
        return frames_alloc_only(frames, count, &set, set.phase);
    /* NOT-COVERED-END */
    if (set.last == 0) /* which is no limit to the bitmap */
        return frames_alloc_only(frames, count, &set, 0);
    const struct acre_run_limits numbers = {
        .lowest = (uintptr_t)set.lowest,
        .highest = (uintptr_t)set.last,
        .align = (size_t)set.align,
        .phase = (size_t)set.phase,
        .boundary = set.boundary > SIZE_MAX ? 0 : (size_t)set.boundary, /* NOT-COVERED: as above */
        .top_down = limits->top_down,
    };
    return frames_result(frames, acre_bitmap_alloc_id_within(&frames->numbers, count, &numbers));
}

/* Whether an address is that of a frame with a number. */
static bool frames_has_number(const struct acre_frames *frames, uint64_t address)
{
    /* NOT-COVERED-BEGIN: as above; that the offset is 0, callers have proven */
    return frames->page_log2 != 0 && frames_offset(frames, address) == 0 &&
           frames_shift_right(address, frames->page_log2) <= UINTPTR_MAX;
    /* NOT-COVERED-END */
}

struct acre_frame acre_frames_alloc_at(struct acre_frames *frames, uint64_t address, size_t count)
{
    if (count == 0 || frames->page_log2 == 0 || frames_offset(frames, address) != 0)
        return frames_refuse(ACRE_INVALID_PARAM);
    /* NOT-COVERED-BEGIN: on machines of 32 bits, as above */
    if (!frames_has_number(frames, address))
        return frames_no_memory(frames);
    /* NOT-COVERED-END */
    uintptr_t number = (uintptr_t)frames_shift_right(address, frames->page_log2);
    return frames_result(frames, acre_bitmap_alloc_pages_at(&frames->numbers, number, count, 1));
}

enum acre_status acre_frames_dealloc(struct acre_frames *frames, uint64_t address, size_t count)
{
    if (count == 0 || (frames->page_log2 != 0 && frames_offset(frames, address) != 0))
        return ACRE_INVALID_PARAM;
    if (!frames_has_number(frames, address))
        return ACRE_NOT_ALLOCATED;
    uintptr_t number = (uintptr_t)frames_shift_right(address, frames->page_log2);
    return acre_bitmap_dealloc_pages(&frames->numbers, number, count);
}
