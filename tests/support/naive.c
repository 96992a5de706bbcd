/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "support/naive.h"

#include "base/arith.h"

#include <string.h>

/* Of all addresses and sizes. */
enum { UNIT = 2 * sizeof(size_t) > ACRE_NATURAL_ALIGN ? 2 * sizeof(size_t) : ACRE_NATURAL_ALIGN };

struct naive_block {
    _Alignas(UNIT) size_t size; /* usable bytes, a multiple of UNIT */
    size_t live;
};

struct naive_region {
    _Alignas(UNIT) struct naive_region *next;
    void *given;
    size_t given_size;
    struct naive_block *first;
    struct naive_block *end;
};

enum {
    HEADER = sizeof(struct naive_block),
    SMALLEST = HEADER + UNIT /* what a block of its own takes at least */
};

static unsigned char *block_start(struct naive_block *block)
{
    return (unsigned char *)block + HEADER;
}

static struct naive_block *block_at(void *start)
{
    return (struct naive_block *)(void *)((unsigned char *)start - HEADER);
}

static struct naive_block *block_next(struct naive_block *block)
{
    return (struct naive_block *)(void *)(block_start(block) + block->size);
}

static size_t round_size(size_t size)
{
    return size == 0 ? UNIT : (size_t)acre_align_up(size, UNIT);
}

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void account(struct naive *naive, size_t taken, size_t released)
{
    naive->used += taken;
    naive->used -= released;
    naive->peak = max_size(naive->peak, naive->used);
}

/* Where a block was found, and what its region holds in front of it. */
struct spot {
    struct naive_region *region;
    struct naive_block *block;
    struct naive_block *before;
};

/* The live block that starts at ptr; nothing is read through ptr. */
static struct spot find_live(const struct naive *naive, const void *ptr)
{
    for (struct naive_region *region = naive->regions; region != NULL; region = region->next) {
        struct naive_block *before = NULL;
        for (struct naive_block *b = region->first; b != region->end; b = block_next(b)) {
            if (b->live && block_start(b) == ptr)
                return (struct spot){ region, b, before };
            before = b;
        }
    }
    return (struct spot){ NULL, NULL, NULL };
}

static void merge_next(struct naive_region *region, struct naive_block *block)
{
    struct naive_block *next = block_next(block);
    if (next != region->end && !next->live)
        block->size += HEADER + next->size;
}

/* Cuts a block down to `size` usable bytes; what is left over becomes a free block. */
static void trim(struct naive_region *region, struct naive_block *block, size_t size)
{
    if (block->size - size < SMALLEST)
        return;
    size_t rest = block->size - size - HEADER;
    block->size = size;
    struct naive_block *tail = block_next(block);
    tail->size = rest;
    tail->live = 0;
    merge_next(region, tail);
}

/* The first address in a free block where `size` bytes fit at `align`; null when they do not. */
static unsigned char *fit(struct naive_block *block, size_t size, size_t align)
{
    uintptr_t start = (uintptr_t)block + HEADER;
    uintptr_t place = acre_align_up(start, align);
    if (place != start && place - start < SMALLEST)
        place = acre_align_up(start + SMALLEST, align);
    if (place < start || place - start > block->size || block->size - (place - start) < size)
        return NULL;
    return block_start(block) + (place - start);
}

static void *take(struct naive *naive, struct naive_region *region, struct naive_block *block,
    void *place, size_t size)
{
    struct naive_block *taken = block_at(place);
    if (taken != block) {
        size_t lead = (size_t)((unsigned char *)place - block_start(block));
        taken->size = block->size - lead;
        block->size = lead - HEADER;
    }
    taken->live = 1;
    trim(region, taken, size);
    naive->live_blocks++;
    account(naive, HEADER + taken->size, 0);
    return place;
}

static void *first_fit(struct naive *naive, size_t size, size_t align)
{
    for (struct naive_region *region = naive->regions; region != NULL; region = region->next) {
        for (struct naive_block *b = region->first; b != region->end; b = block_next(b)) {
            unsigned char *place = b->live ? NULL : fit(b, size, align);
            if (place != NULL)
                return take(naive, region, b, place, size);
        }
    }
    return NULL;
}

static struct acre_ptr naive_alloc(void *self, struct acre_layout layout)
{
    struct naive *naive = self;
    if (!acre_is_pow2(layout.align))
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    void *ptr = NULL;
    if (layout.size <= PTRDIFF_MAX)
        ptr = first_fit(naive, round_size(layout.size), layout.align < UNIT ? UNIT : layout.align);
    if (ptr == NULL)
        naive->failed++;
    return (struct acre_ptr){ ptr, ptr == NULL ? ACRE_NO_MEMORY : ACRE_OK };
}

static void release(struct naive *naive, struct spot spot)
{
    account(naive, 0, HEADER + spot.block->size);
    naive->live_blocks--;
    spot.block->live = 0;
    merge_next(spot.region, spot.block);
    if (spot.before != NULL && !spot.before->live)
        merge_next(spot.region, spot.before);
}

static enum acre_status naive_dealloc(void *self, void *ptr)
{
    struct spot spot = find_live(self, ptr);
    if (spot.block == NULL)
        return ACRE_NOT_ALLOCATED;
    release(self, spot);
    return ACRE_OK;
}

static enum acre_status naive_dealloc_sized(void *self, void *ptr, struct acre_layout layout)
{
    struct spot spot = find_live(self, ptr);
    if (spot.block == NULL)
        return ACRE_NOT_ALLOCATED;
    if (!acre_is_pow2(layout.align) || ((uintptr_t)ptr & (layout.align - 1)) != 0)
        return ACRE_INVALID_PARAM;
    if (layout.size > spot.block->size || spot.block->size - round_size(layout.size) >= SMALLEST)
        return ACRE_INVALID_PARAM;
    release(self, spot);
    return ACRE_OK;
}

/* Resizes in place; false when the block cannot grow that far. */
static bool stretch(struct naive *naive, struct spot spot, size_t size)
{
    size_t old = spot.block->size;
    size_t room = old;
    struct naive_block *next = block_next(spot.block);
    if (next != spot.region->end && !next->live)
        room += HEADER + next->size;
    if (size > PTRDIFF_MAX || round_size(size) > room)
        return false;
    if (round_size(size) > old)
        merge_next(spot.region, spot.block);
    trim(spot.region, spot.block, round_size(size));
    account(naive, spot.block->size, old);
    return true;
}

static enum acre_status naive_resize(void *self, void *ptr, size_t size)
{
    struct naive *naive = self;
    struct spot spot = find_live(naive, ptr);
    if (spot.block == NULL)
        return ACRE_NOT_ALLOCATED;
    if (stretch(naive, spot, size))
        return ACRE_OK;
    naive->failed++;
    return ACRE_NO_MEMORY;
}

static struct acre_ptr naive_realloc(void *self, void *ptr, struct acre_layout layout)
{
    struct spot spot = find_live(self, ptr);
    if (spot.block == NULL)
        return (struct acre_ptr){ NULL, ACRE_NOT_ALLOCATED };
    if (!acre_is_pow2(layout.align))
        return (struct acre_ptr){ NULL, ACRE_INVALID_PARAM };
    if (((uintptr_t)ptr & (layout.align - 1)) == 0 && stretch(self, spot, layout.size))
        return (struct acre_ptr){ ptr, ACRE_OK };
    struct acre_ptr moved = naive_alloc(self, layout);
    if (moved.status != ACRE_OK)
        return moved;
    memcpy(moved.ptr, ptr, layout.size < spot.block->size ? layout.size : spot.block->size);
    release(self, find_live(self, ptr));
    return moved;
}

static struct acre_num naive_usable_size(const void *self, const void *ptr)
{
    struct spot spot = find_live(self, ptr);
    if (spot.block == NULL)
        return (struct acre_num){ 0, ACRE_NOT_ALLOCATED };
    return (struct acre_num){ spot.block->size, ACRE_OK };
}

static struct acre_block naive_find(const void *self, const void *ptr)
{
    const struct naive *naive = self;
    for (struct naive_region *region = naive->regions; region != NULL; region = region->next) {
        for (struct naive_block *b = region->first; b != region->end; b = block_next(b)) {
            unsigned char *start = block_start(b);
            if (b->live && (uintptr_t)ptr - (uintptr_t)start < b->size)
                return (struct acre_block){ start, b->size, ACRE_OK };
        }
    }
    return (struct acre_block){ NULL, 0, ACRE_NOT_ALLOCATED };
}

static void naive_walk(const void *self, acre_walk_fn *visit, void *arg)
{
    const struct naive *naive = self;
    for (struct naive_region *region = naive->regions; region != NULL; region = region->next) {
        for (struct naive_block *b = region->first; b != region->end; b = block_next(b)) {
            if (!visit(arg, block_start(b), b->size, b->live != 0))
                return;
        }
    }
}

static size_t blocks_bytes(const struct naive_region *region)
{
    return (size_t)((unsigned char *)region->end - (unsigned char *)region->first);
}

static void make_one_block(struct naive_region *region)
{
    region->first->size = blocks_bytes(region) - HEADER;
    region->first->live = 0;
}

static bool usable_range(void *start, size_t size)
{
    uintptr_t skip = acre_align_up((uintptr_t)start, UNIT) - (uintptr_t)start;
    return start != NULL && !acre_range_wraps((uintptr_t)start, size) && size >= skip &&
           size - skip >= sizeof(struct naive_region) + SMALLEST;
}

static bool owns_any(const struct naive *naive, void *start, size_t size)
{
    for (struct naive_region *region = naive->regions; region != NULL; region = region->next) {
        if (acre_ranges_overlap(
                (uintptr_t)region->given, region->given_size, (uintptr_t)start, size))
            return true;
    }
    return false;
}

static enum acre_status naive_add_memory(void *self, void *start, size_t size)
{
    struct naive *naive = self;
    if (!usable_range(start, size))
        return ACRE_INVALID_PARAM;
    if (owns_any(naive, start, size))
        return ACRE_MEMORY_OVERLAP;
    size_t skip = (size_t)(acre_align_up((uintptr_t)start, UNIT) - (uintptr_t)start);
    struct naive_region *region = (void *)((unsigned char *)start + skip);
    size_t area = (size - skip - sizeof *region) & ~(size_t)(UNIT - 1);
    region->given = start;
    region->given_size = size;
    region->first = (void *)(region + 1);
    region->end = (void *)((unsigned char *)region->first + area);
    make_one_block(region);
    region->next = naive->regions;
    naive->regions = region;
    naive->total += size;
    naive->metadata += size - area;
    return ACRE_OK;
}

static enum acre_status naive_init(void *self, void *start, size_t size)
{
    memset(self, 0, sizeof(struct naive));
    return naive_add_memory(self, start, size);
}

static bool holds_live(struct naive_region *region)
{
    for (struct naive_block *b = region->first; b != region->end; b = block_next(b)) {
        if (b->live)
            return true;
    }
    return false;
}

static enum acre_status naive_remove_memory(void *self, void *start)
{
    struct naive *naive = self;
    struct naive_region **link = &naive->regions;
    while (*link != NULL && (*link)->given != start)
        link = &(*link)->next;
    struct naive_region *region = *link;
    if (region == NULL)
        return ACRE_NOT_ALLOCATED;
    if (holds_live(region))
        return ACRE_INVALID_PARAM;
    *link = region->next;
    naive->total -= region->given_size;
    naive->metadata -= region->given_size - blocks_bytes(region);
    return ACRE_OK;
}

static void naive_reset(void *self)
{
    struct naive *naive = self;
    for (struct naive_region *region = naive->regions; region != NULL; region = region->next)
        make_one_block(region);
    naive->used = naive->peak = naive->live_blocks = naive->failed = 0;
}

static bool see_free(void *arg, void *start, size_t size, bool live)
{
    size_t *largest = arg;
    (void)start;
    if (!live)
        *largest = max_size(*largest, size);
    return true;
}

static struct acre_stats naive_stats(const void *self)
{
    const struct naive *naive = self;
    size_t largest = 0;
    naive_walk(self, see_free, &largest);
    return (struct acre_stats){
        .total = naive->total,
        .metadata = naive->metadata,
        .used = naive->used,
        .available = naive->total - naive->metadata - naive->used,
        .peak = naive->peak,
        .largest_free = largest,
        .live_blocks = naive->live_blocks,
        .failed = naive->failed,
    };
}

static void naive_reset_peak(void *self)
{
    struct naive *naive = self;
    naive->peak = naive->used;
}

struct sums {
    size_t used;
    size_t live;
};

static struct acre_check_result check_region(struct naive_region *region, struct sums *sums)
{
    bool free_before = false;
    for (struct naive_block *b = region->first; b != region->end; b = block_next(b)) {
        size_t left = (size_t)((unsigned char *)region->end - (unsigned char *)b);
        if (left < SMALLEST || b->size > left - HEADER || b->size % UNIT != 0 || b->live > 1)
            return (struct acre_check_result){ "NAIVE-1: the blocks of a region tile it", b };
        if (free_before && !b->live)
            return (struct acre_check_result){ "NAIVE-2: no two free blocks are neighbours", b };
        free_before = !b->live;
        sums->used += b->live ? HEADER + b->size : 0;
        sums->live += b->live ? 1 : 0;
    }
    return (struct acre_check_result){ NULL, NULL };
}

static struct acre_check_result naive_check(const void *self)
{
    const struct naive *naive = self;
    struct sums sums = { 0, 0 };
    for (struct naive_region *region = naive->regions; region != NULL; region = region->next) {
        struct acre_check_result result = check_region(region, &sums);
        if (result.invariant != NULL)
            return result;
    }
    if (sums.used != naive->used || sums.live != naive->live_blocks)
        return (struct acre_check_result){ "NAIVE-3: the accounts equal the sums", naive };
    return (struct acre_check_result){ NULL, NULL };
}

const struct acre_bytes_ops naive_ops = {
    .base = {
        .init = naive_init,
        .add_memory = naive_add_memory,
        .remove_memory = naive_remove_memory,
        .stats = naive_stats,
        .check = naive_check,
        .reset = naive_reset,
        .reset_peak = naive_reset_peak,
    },
    .alloc = naive_alloc,
    .dealloc = naive_dealloc,
    .dealloc_sized = naive_dealloc_sized,
    .resize = naive_resize,
    .realloc = naive_realloc,
    .usable_size = naive_usable_size,
    .find = naive_find,
    .walk = naive_walk,
};
