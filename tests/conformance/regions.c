/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "conformance/suite.h"

#include <string.h>

enum { MANY = 300, SMALL = 1024, STRIDE = SMALL + 64 };

static size_t enough(const struct bed *bed)
{
    return bed->kind->region_enough;
}

static void assert_empty(struct bed *bed)
{
    struct acre_stats none = { 0, 0, 0, 0, 0, 0, 0, 0 };
    if ((bed->kind->caps & KIND_APART) == 0)
        assert_same_accounts(stats_of(bed), none);
    assert_int_equal(stats_of(bed).available, 0);
    assert_sound(bed);
    refuse_alloc(bed, 1, 1, ACRE_NO_MEMORY);
    refuse_ptr(bed, bed->arena.base);
}

static void refuse_init(struct bed *bed, void *start, size_t size)
{
    memcpy(bed->arena.base, "before", 6);
    assert_int_equal(acre_init(bed->base, start, size), ACRE_INVALID_PARAM);
    assert_memory_equal(bed->arena.base, "before", 6);
    assert_empty(bed);
    assert_int_equal(stats_of(bed).failed, 1);
}

static void bad_init_leaves_it_empty(struct bed *bed)
{
    unsigned char *base = bed->arena.base;
    refuse_init(bed, NULL, bed->arena.size);
    refuse_init(bed, NULL, 0);
    refuse_init(bed, NULL, SIZE_MAX);
    refuse_init(bed, base, 0);
    refuse_init(bed, base, 1);
    refuse_init(bed, base, SIZE_MAX);
    refuse_init(bed, base, SIZE_MAX - (uintptr_t)base + 2);
    refuse_init(bed, (void *)(UINTPTR_MAX - 4095), 4097);
    refuse_init(bed, (void *)UINTPTR_MAX, 2);
    begin(bed, 0, bed->arena.size);
    take(bed, 100, 1);
    refuse_init(bed, NULL, bed->arena.size);
    assert_int_equal(acre_add_memory(bed->base, base, bed->arena.size), ACRE_OK);
    give(bed, take(bed, 100, 1));
}

/* One size is the least for a given start: below it all are refused, from it on all are served. */
static void the_least_size_is_a_sharp_line(struct bed *bed)
{
    size_t stride = scaled(bed, 64) / 64;
    for (size_t skew = 0; skew < 65; skew += skew < 33 ? 1 : 7) {
        unsigned char *start = bed->arena.base + skew;
        size_t least = 1;
        while (acre_init(bed->base, start, least + stride - 1) == ACRE_INVALID_PARAM)
            least += stride;
        while (acre_init(bed->base, start, least) == ACRE_INVALID_PARAM)
            least++;
        assert_true(least <= enough(bed));
        for (size_t size = least; size < least + 200; size++) {
            begin(bed, skew, size);
            assert_total(bed, size);
            bool pads = (bed->kind->caps & KIND_PADS) != 0;
            if (!pads || stats_of(bed).largest_free != 0)
                give(bed, take(bed, stats_of(bed).largest_free, 1));
        }
    }
}

/* The bytes around a region of any start and size are left alone. */
static void odd_regions_are_kept_to(struct bed *bed)
{
    void *blocks[1024];
    memset(bed->arena.base, 0x5a, bed->arena.size);
    for (size_t skew = 1; skew < 70; skew += 2) {
        size_t size = enough(bed) + 37 * skew;
        begin(bed, 100 + skew, size);
        size_t count = fill(bed, blocks, 1024, 8, 8, 5);
        assert_true(count > 0);
        for (size_t i = 0; i < count; i++) {
            unsigned char *block = blocks[i];
            size_t usable = acre_usable_size(bed->bytes, block).num;
            assert_true(block >= bed->arena.base + 100 + skew);
            assert_true(block + usable <= bed->arena.base + 100 + skew + size);
            memset(block, 0x11, usable);
            give(bed, block);
        }
        for (size_t at = 0; at < 100 + skew; at++)
            assert_int_equal(bed->arena.base[at], 0x5a);
        for (size_t at = 100 + skew + size; at < bed->arena.size; at++)
            assert_int_equal(bed->arena.base[at], 0x5a);
        memset(bed->arena.base, 0x5a, bed->arena.size);
    }
}

static void refuse_overlap(struct bed *bed, size_t from, size_t to)
{
    from = scaled(bed, from);
    refuse_add(bed, bed->arena.base + from, scaled(bed, to) - from, ACRE_MEMORY_OVERLAP);
}

/* Region given: [4096, 8192) of the arena. */
static void overlaps_are_refused_exactly(struct bed *bed)
{
    static const struct {
        size_t from, to;
    } bad[] = { { 4096, 8192 }, { 4096, 8191 }, { 4097, 8192 }, { 5000, 7000 }, { 4000, 9000 },
        { 4096, 9000 }, { 4095, 8192 }, { 3000, 8192 }, { 3000, 4097 }, { 8191, 9500 },
        { 0, 16384 }, { 4608, 5632 }, { 2048, 6144 }, { 6144, 12288 } };
    size_t half = scaled(bed, 2048);
    begin(bed, 2 * half, 2 * half);
    take(bed, 100, 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refuse_overlap(bed, bad[i].from, bad[i].to);
    assert_int_equal(acre_add_memory(bed->base, bed->arena.base + half, half), ACRE_OK);
    assert_sound(bed);
    assert_int_equal(acre_add_memory(bed->base, bed->arena.base + 4 * half, half), ACRE_OK);
    assert_sound(bed);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refuse_overlap(bed, bad[i].from, bad[i].to);
    assert_total(bed, 4 * half);
}

/* The unaligned ends of a region are owned too, though no block can lie there. */
static void overlap_with_unaligned_ends(struct bed *bed)
{
    size_t half = scaled(bed, 2048);
    size_t size = scaled(bed, 4001);
    unsigned char *start = bed->arena.base + scaled(bed, 4099);
    begin(bed, scaled(bed, 4099), size);
    refuse_add(bed, start - half, half + 1, ACRE_MEMORY_OVERLAP);
    refuse_add(bed, start + size - 1, half, ACRE_MEMORY_OVERLAP);
    assert_int_equal(acre_add_memory(bed->base, start - half, half), ACRE_OK);
    assert_int_equal(acre_add_memory(bed->base, start + size, half), ACRE_OK);
    assert_sound(bed);
    assert_total(bed, size + 2 * half);
}

static void bad_ranges_are_invalid(struct bed *bed)
{
    unsigned char *base = bed->arena.base;
    size_t page = scaled(bed, 4096);
    begin(bed, page, page);
    take(bed, 100, 1);
    refuse_add(bed, NULL, page, ACRE_INVALID_PARAM);
    refuse_add(bed, NULL, 0, ACRE_INVALID_PARAM);
    refuse_add(bed, NULL, SIZE_MAX, ACRE_INVALID_PARAM);
    refuse_add(bed, base + 2 * page, 0, ACRE_INVALID_PARAM);
    refuse_add(bed, base + 2 * page, 1, ACRE_INVALID_PARAM);
    refuse_add(bed, base + 2 * page, 7, ACRE_INVALID_PARAM);
    refuse_add(bed, base + 2 * page + 1, 3, ACRE_INVALID_PARAM);
    refuse_add(bed, base, SIZE_MAX, ACRE_INVALID_PARAM);
    refuse_add(bed, base + page, SIZE_MAX, ACRE_INVALID_PARAM);
    refuse_add(bed, base + 2 * page, SIZE_MAX - (uintptr_t)base - 2 * page + 2, ACRE_INVALID_PARAM);
    refuse_add(bed, (void *)UINTPTR_MAX, 2, ACRE_INVALID_PARAM);
    refuse_add(bed, (void *)UINTPTR_MAX, SIZE_MAX, ACRE_INVALID_PARAM);
    refuse_add(bed, (void *)(UINTPTR_MAX - 4095), 4097, ACRE_INVALID_PARAM);
    refuse_add(bed, (void *)16, SIZE_MAX - 14, ACRE_INVALID_PARAM);
}

static void refuse_remove(struct bed *bed, void *start, enum acre_status status)
{
    bed_save(bed);
    assert_int_equal(acre_remove_memory(bed->base, start), status);
    assert_true(bed_same(bed));
}

static void a_region_is_taken_back(struct bed *bed)
{
    unsigned char *base = bed->arena.base;
    size_t page = scaled(bed, 4096);
    size_t odd = scaled(bed, 5000);
    begin(bed, 1, odd);
    struct acre_stats one = stats_of(bed);
    assert_int_equal(acre_add_memory(bed->base, base + 2 * page, page), ACRE_OK);
    refuse_remove(bed, NULL, ACRE_NOT_ALLOCATED);
    refuse_remove(bed, base, ACRE_NOT_ALLOCATED);
    refuse_remove(bed, base + 2, ACRE_NOT_ALLOCATED);
    refuse_remove(bed, base + 16, ACRE_NOT_ALLOCATED);
    refuse_remove(bed, base + page, ACRE_NOT_ALLOCATED);
    refuse_remove(bed, base + 2 * page - 1, ACRE_NOT_ALLOCATED);
    refuse_remove(bed, base + 3 * page, ACRE_NOT_ALLOCATED);
    refuse_remove(bed, (void *)UINTPTR_MAX, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_remove_memory(bed->base, base + 2 * page), ACRE_OK);
    assert_same_accounts(stats_of(bed), one);
    assert_sound(bed);
    memset(base + 2 * page, 0xff, page);
    assert_sound(bed);
    refuse_remove(bed, base + 2 * page, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_remove_memory(bed->base, base + 1), ACRE_OK);
    assert_empty(bed);
    refuse_remove(bed, base + 1, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_add_memory(bed->base, base + 1, odd), ACRE_OK);
    assert_same_accounts(stats_of(bed), one);
    give(bed, take(bed, one.largest_free, 1));
}

/* Every region but the emptied ones refuses to go; each goes once its last block has. */
static void live_blocks_hold_their_region(struct bed *bed)
{
    void *blocks[2048];
    unsigned char *base = bed->arena.base;
    size_t half = scaled(bed, 2048);
    begin(bed, 0, half);
    for (size_t i = 1; i < 4; i++)
        assert_int_equal(acre_add_memory(bed->base, base + 2 * i * half, half), ACRE_OK);
    size_t count = fill(bed, blocks, 2048, 100, 0, 1);
    for (size_t region = 0; region < 4; region++) {
        unsigned char *start = base + 2 * region * half;
        for (size_t i = 0; i < count; i++) {
            unsigned char *block = blocks[i];
            if (block < start || block >= start + half)
                continue;
            refuse_remove(bed, start, ACRE_INVALID_PARAM);
            give(bed, block);
        }
        assert_int_equal(acre_remove_memory(bed->base, start), ACRE_OK);
        assert_sound(bed);
    }
    assert_empty(bed);
}

static unsigned char *region_at(struct bed *bed, size_t i)
{
    return bed->arena.base + i * 7 % MANY * scaled(bed, STRIDE);
}

static void hundreds_of_regions(struct bed *bed)
{
    static void *blocks[MANY * SMALL / 16];
    size_t small = scaled(bed, SMALL);
    begin(bed, 0, small);
    for (size_t i = 1; i < MANY; i++) {
        assert_int_equal(acre_add_memory(bed->base, region_at(bed, i), small), ACRE_OK);
        assert_total(bed, (i + 1) * small);
    }
    assert_sound(bed);
    for (size_t i = 0; i < MANY; i++)
        refuse_add(bed, region_at(bed, i) + small / 2, small, ACRE_MEMORY_OVERLAP);
    struct acre_stats empty = stats_of(bed);
    size_t room = sizeof blocks / sizeof blocks[0];
    size_t count = 0;
    struct acre_ptr got;
    while ((got = acre_alloc(bed->bytes, acre_layout(150, 1))).status == ACRE_OK) {
        assert_true(count < room);
        memset(got.ptr, (int)count, 150);
        blocks[count++] = got.ptr;
    }
    assert_sound(bed);
    assert_true(count >= 2 * MANY);
    for (size_t i = 0; i < count; i++) /* a prime above count: each block once */
        assert_int_equal(acre_dealloc(bed->bytes, blocks[i * 100003 % count]), ACRE_OK);
    assert_sound(bed);
    assert_same_accounts(stats_of(bed), empty);
    for (size_t i = MANY; i > 0; i--) {
        assert_int_equal(acre_remove_memory(bed->base, region_at(bed, i - 1)), ACRE_OK);
        assert_total(bed, (i - 1) * small);
    }
    assert_empty(bed);
}

/* Pieces given in any order, without a gap; each may be taken back again. */
static void adjoining_regions_do_not_overlap(struct bed *bed)
{
    static const size_t order[] = { 3, 0, 2, 7, 5, 6, 1, 4 };
    void *blocks[4096];
    size_t piece = scaled(bed, 1024);
    begin(bed, 3 * piece, piece);
    for (size_t i = 1; i < 8; i++) {
        unsigned char *start = bed->arena.base + order[i] * piece;
        assert_int_equal(acre_add_memory(bed->base, start, piece), ACRE_OK);
        assert_sound(bed);
    }
    struct acre_stats empty = stats_of(bed);
    size_t count = fill(bed, blocks, 4096, 16, 16, 7);
    for (size_t i = 0; i < count; i++)
        give(bed, blocks[i]);
    assert_same_accounts(stats_of(bed), empty);
    for (size_t i = 0; i < 8; i++) {
        unsigned char *start = bed->arena.base + order[7 - i] * piece;
        assert_int_equal(acre_remove_memory(bed->base, start), ACRE_OK);
        assert_sound(bed);
    }
    assert_empty(bed);
}

static void one_block_across_a_seam(struct bed *bed)
{
    unsigned char *base = bed->arena.base;
    begin(bed, 4096, 4096);
    assert_int_equal(acre_add_memory(bed->base, base + 8192, 4096), ACRE_OK);
    assert_int_equal(acre_add_memory(bed->base, base, 4096), ACRE_OK);
    assert_int_equal(acre_add_memory(bed->base, base + 12288, 4096), ACRE_OK);
    void *ptr = take(bed, 12500, 1);
    refuse_remove(bed, base, ACRE_INVALID_PARAM);
    refuse_remove(bed, base + 4096, ACRE_INVALID_PARAM);
    refuse_remove(bed, base + 8192, ACRE_INVALID_PARAM);
    give(bed, ptr);
    assert_int_equal(acre_remove_memory(bed->base, base + 4096), ACRE_OK);
    assert_sound(bed);
    refuse_alloc(bed, 8193, 1, ACRE_NO_MEMORY);
    give(bed, take(bed, 3000, 1));
}

static void init_forgets_everything(struct bed *bed)
{
    size_t half = scaled(bed, 2048);
    begin(bed, 0, 2 * half);
    struct acre_stats empty = stats_of(bed);
    assert_int_equal(acre_add_memory(bed->base, bed->arena.base + 2 * half, half), ACRE_OK);
    void *ptr = take(bed, 100, 1);
    refuse_alloc(bed, SIZE_MAX, 1, ACRE_NO_MEMORY);
    begin(bed, 0, 2 * half);
    assert_same_accounts(stats_of(bed), empty);
    assert_int_equal(stats_of(bed).peak, 0);
    assert_int_equal(stats_of(bed).failed, 0);
    refuse_ptr(bed, ptr);
    begin(bed, 2 * half, half);
    assert_int_equal(acre_add_memory(bed->base, bed->arena.base, 2 * half), ACRE_OK);
}

/* What the memory held before does not matter. */
static void memory_may_hold_anything(struct bed *bed)
{
    static const int bytes[] = { 0x00, 0xff, 0x55, 0x80, 0x01 };
    for (size_t i = 0; i < sizeof bytes / sizeof bytes[0]; i++) {
        memset(bed->arena.base, bytes[i], bed->arena.size);
        begin(bed, 0, bed->arena.size / 2);
        assert_int_equal(
            acre_add_memory(bed->base, bed->arena.base + bed->arena.size / 2, bed->arena.size / 2),
            ACRE_OK);
        for (size_t at = 0; at < bed->arena.size; at += 8)
            refuse_ptr(bed, bed->arena.base + at);
        give(bed, take(bed, 100, 1));
    }
}

const struct scene region_scenes[] = {
    { "init: a bad range leaves it empty", bad_init_leaves_it_empty, 1 << 14, 0, NULL },
    { "init: the least size is a sharp line", the_least_size_is_a_sharp_line, 1 << 12, 0, NULL },
    { "odd starts and sizes are kept to", odd_regions_are_kept_to, 1 << 13, 0, NULL },
    { "overlaps are refused exactly", overlaps_are_refused_exactly, 1 << 14, 0, NULL },
    { "unaligned ends count as owned", overlap_with_unaligned_ends, 1 << 14, 0, NULL },
    { "null, wrapping and tiny ranges are invalid", bad_ranges_are_invalid, 1 << 14, 0, NULL },
    { "a region is taken back", a_region_is_taken_back, 1 << 14, 0, NULL },
    { "live blocks hold their region", live_blocks_hold_their_region, 1 << 14, 0, NULL },
    { "hundreds of regions", hundreds_of_regions, 1 << 19, 0, NULL },
    { "adjoining regions do not overlap", adjoining_regions_do_not_overlap, 1 << 13, 0, NULL },
    { "one block across a seam", one_block_across_a_seam, 1 << 14, KIND_SEAM,
        "its metadata lies between adjoining regions" },
    { "init forgets everything", init_forgets_everything, 1 << 13, 0, NULL },
    { "memory may hold anything", memory_may_hold_anything, 1 << 12, 0, NULL },
    { NULL, NULL, 0, 0, NULL },
};
