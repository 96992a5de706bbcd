/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the contract allows each operation to answer. */
#include "support/model.h"

#include "base/arith.h"

#define BIT(status) (1u << (status))

/* Where memory owned in one run, from `from` on, ends; regions that adjoin count as one run. */
static unsigned char *run_end(const struct model *model, const unsigned char *from)
{
    unsigned char *end = NULL;
    for (size_t i = 0; i < model->region_count; i++) {
        const struct model_region *region = &model->regions[i];
        bool inside = region->start <= from && (size_t)(from - region->start) < region->size;
        if (inside || region->start == end)
            end = region->start + region->size;
    }
    return end;
}

static bool gap_fits(uintptr_t low, uintptr_t high, size_t size, size_t align)
{
    uintptr_t place = acre_align_up(low, align);
    return place >= low && place <= high && high - place >= size;
}

/* True when some gap between live blocks, `except` counted as free, is large enough: with less, no
 * allocator can serve the request. */
static bool could_fit(
    const struct model *model, size_t size, size_t align, const struct model_block *except)
{
    for (size_t i = 0; i < model->region_count; i++) {
        unsigned char *low = model->regions[i].start;
        unsigned char *end = run_end(model, low);
        for (size_t b = 0; b < model->block_count; b++) {
            const struct model_block *block = &model->blocks[b];
            if (block == except || block->start < low || block->start >= end)
                continue;
            if (gap_fits((uintptr_t)low, (uintptr_t)block->start, size, align))
                return true;
            low = block->start + block->usable;
        }
        if (gap_fits((uintptr_t)low, (uintptr_t)end, size, align))
            return true;
    }
    return false;
}

static size_t at_least_one(size_t size)
{
    return size == 0 ? 1 : size;
}

unsigned model_expect_range(struct model *model, const void *start, size_t size)
{
    if (start == NULL || size == 0 || acre_range_wraps((uintptr_t)start, size))
        return BIT(ACRE_INVALID_PARAM);
    unsigned small = size < model->fixture->backend->region_enough ? BIT(ACRE_INVALID_PARAM) : 0;
    for (size_t i = 0; i < model->region_count; i++) {
        const struct model_region *region = &model->regions[i];
        if (acre_ranges_overlap((uintptr_t)region->start, region->size, (uintptr_t)start, size))
            return BIT(ACRE_MEMORY_OVERLAP) | small;
    }
    return BIT(ACRE_OK) | small;
}

/* Across a seam, the header in front of a block or the one that marks its end may lie in a region
 * in which the block has no byte. */
static bool may_hold(
    const struct model *model, const struct model_block *block, const struct model_region *region)
{
    size_t header = model->fixture->backend->header;
    return (model->fixture->backend->caps & ACRE_SUBJECT_SEAM) != 0 &&
           acre_ranges_overlap((uintptr_t)block->start - header, block->usable + 2 * header,
               (uintptr_t)region->start, region->size);
}

unsigned model_expect_remove(struct model *model, const void *start)
{
    unsigned held = 0;
    for (size_t i = 0; i < model->region_count; i++) {
        const struct model_region *region = &model->regions[i];
        if (region->start != start)
            continue;
        for (size_t b = 0; b < model->block_count; b++) {
            const struct model_block *block = &model->blocks[b];
            if (acre_ranges_overlap(
                    (uintptr_t)block->start, block->usable, (uintptr_t)region->start, region->size))
                return BIT(ACRE_INVALID_PARAM);
            if (may_hold(model, block, region))
                held = BIT(ACRE_INVALID_PARAM);
        }
        return BIT(ACRE_OK) | held;
    }
    return BIT(ACRE_NOT_ALLOCATED);
}

/* Nothing is known of a plugin's free memory but where it cannot be. */
static bool is_plain(const struct model *model)
{
    return (model->fixture->backend->caps & ACRE_SUBJECT_PLAIN) != 0;
}

/* A block of its own: what alloc answers, and realloc when the block cannot stay. */
static unsigned expect_new(
    struct model *model, size_t size, size_t align, const struct model_block *except)
{
    size_t largest = model->stats.largest_free;
    if (is_plain(model))
        return BIT(ACRE_NO_MEMORY) | (could_fit(model, size, align, except) ? BIT(ACRE_OK) : 0);
    if (align <= ACRE_NATURAL_ALIGN && size <= largest)
        return BIT(ACRE_OK);
    bool aligned_too = (model->fixture->backend->caps & ACRE_SUBJECT_LARGER) == 0;
    if (aligned_too && size <= largest && align <= largest / 2 && size <= largest - 2 * align)
        return BIT(ACRE_OK);
    if ((size > largest && except == NULL) || !could_fit(model, size, align, except))
        return BIT(ACRE_NO_MEMORY);
    return BIT(ACRE_OK) | BIT(ACRE_NO_MEMORY);
}

unsigned model_expect_alloc(struct model *model, size_t size, size_t align)
{
    if (!acre_is_pow2(align))
        return BIT(ACRE_INVALID_PARAM);
    return expect_new(model, at_least_one(size), align, NULL);
}

static bool tiles(const struct model *model)
{
    return (model->fixture->backend->caps & ACRE_SUBJECT_HEADERS) != 0;
}

/* Whether a layout is what a block was asked for with, or a larger one. */
static bool is_asked(const struct model_block *block, size_t size, size_t align)
{
    return size >= at_least_one(block->asked) && align >= block->align;
}

unsigned model_expect_free_sized(struct model *model, const void *ptr, size_t size, size_t align)
{
    const struct model_block *block = model_find(model, ptr);
    if (block == NULL)
        return BIT(ACRE_NOT_ALLOCATED);
    size_t want = at_least_one(size);
    if (!acre_is_pow2(align) || ((uintptr_t)ptr & (align - 1)) != 0 || want > block->usable)
        return BIT(ACRE_INVALID_PARAM);
    if ((model->fixture->backend->caps & ACRE_SUBJECT_LARGER) != 0)
        return BIT(ACRE_OK) | (is_asked(block, want, align) ? 0 : BIT(ACRE_INVALID_PARAM));
    if (!tiles(model)) {
        size_t least = block->usable - model->fixture->backend->slack(block->usable);
        bool by_align =
            align >= least && align <= block->usable &&
            (model->fixture->backend->caps & (ACRE_SUBJECT_ASKED | ACRE_SUBJECT_STACKS)) == 0;
        bool fits = want >= least || by_align;
        return BIT(fits ? ACRE_OK : ACRE_INVALID_PARAM);
    }
    if (want >= at_least_one(block->asked))
        return BIT(ACRE_OK);
    if (block->usable - want > model->fixture->backend->slack(block->usable))
        return BIT(ACRE_INVALID_PARAM);
    return BIT(ACRE_OK) | BIT(ACRE_INVALID_PARAM);
}

/* The free room after a live block, as walk shows it. */
struct after {
    const unsigned char *start;
    bool seen;
    size_t room; /* free bytes after the block, their header included */
    size_t header;
};

static bool see_after(void *arg, void *start, size_t size, bool live)
{
    struct after *after = arg;
    if (after->seen) {
        bool adjoins = (unsigned char *)start == after->start + after->header;
        after->room = adjoins && !live ? size + after->header : 0;
        return false;
    }
    after->seen = start == after->start;
    if (after->seen)
        after->start = (unsigned char *)start + size;
    return true;
}

/* The most that a live block can grow to where it stands; known only where blocks tile memory. */
static size_t room_in_place(struct model *model, const struct model_block *block)
{
    struct after after = { block->start, false, 0, model->fixture->backend->header };
    acre_walk(model->fixture->bytes, see_after, &after);
    return block->usable + after.room;
}

/* The distance from a live block to the next one or to the end of memory. */
static size_t reach(struct model *model, const struct model_block *block)
{
    const unsigned char *end = run_end(model, block->start);
    size_t next = (size_t)(block - model->blocks) + 1;
    if (next < model->block_count && model->blocks[next].start < end)
        end = model->blocks[next].start;
    return (size_t)(end - block->start);
}

unsigned model_expect_resize(struct model *model, const void *ptr, size_t size)
{
    const struct model_block *block = model_find(model, ptr);
    if (block == NULL)
        return BIT(ACRE_NOT_ALLOCATED);
    if (size <= block->usable)
        return BIT(ACRE_OK);
    if (size > reach(model, block))
        return BIT(ACRE_NO_MEMORY);
    if (tiles(model))
        return BIT(size <= room_in_place(model, block) ? ACRE_OK : ACRE_NO_MEMORY);
    return BIT(ACRE_OK) | BIT(ACRE_NO_MEMORY);
}

bool model_must_stay(
    struct model *model, const struct model_block *block, size_t size, size_t align)
{
    if (((uintptr_t)block->start & (align - 1)) != 0 || is_plain(model))
        return false;
    return size <= block->usable || (tiles(model) && size <= room_in_place(model, block));
}

unsigned model_expect_realloc(struct model *model, const void *ptr, size_t size, size_t align)
{
    const struct model_block *block = model_find(model, ptr);
    if (block == NULL)
        return BIT(ACRE_NOT_ALLOCATED);
    if (!acre_is_pow2(align))
        return BIT(ACRE_INVALID_PARAM);
    if (model_must_stay(model, block, size, align))
        return BIT(ACRE_OK);
    return expect_new(model, at_least_one(size), align, block);
}
