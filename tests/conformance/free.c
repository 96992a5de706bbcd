/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "conformance/suite.h"

#include <string.h>

/* Every address in and around the region, with every verb. */
static void only_starts_are_blocks(struct bed *bed)
{
    begin(bed, 64, bed->arena.size - 128);
    unsigned char *live[3] = { take(bed, 1, 1), take(bed, 200, 64), take(bed, 33, 1) };
    void *gone = take(bed, 500, 1);
    take(bed, 1, 1);
    live[2] = take(bed, 40, 1);
    give(bed, gone);
    for (size_t at = 0; at < bed->arena.size + 64; at++) {
        unsigned char *ptr = bed->arena.base + at;
        if (acre_usable_size(bed->bytes, ptr).status == ACRE_OK)
            assert_true(stats_of(bed).live_blocks == 5);
        else
            refuse_ptr(bed, ptr);
    }
    for (size_t i = 0; i < 3; i++)
        give(bed, live[i]);
}

static bool count_starts(void *arg, void *start, size_t size, bool live)
{
    struct bed *bed = arg;
    enum acre_status want = live ? ACRE_OK : ACRE_NOT_ALLOCATED;
    struct acre_num usable = acre_usable_size(bed->bytes, start);
    assert_int_equal(usable.status, want);
    assert_int_equal(usable.num, live ? size : 0);
    return true;
}

/* The number of addresses that pass for a block is the number of live blocks. */
static void starts_are_counted(struct bed *bed)
{
    begin(bed, 0, bed->arena.size);
    void *gone[8];
    for (size_t i = 0; i < 8; i++) {
        take(bed, 1 + 60 * i, 1);
        gone[i] = take(bed, 1 + 30 * i, (size_t)8 << i % 4);
    }
    for (size_t i = 0; i < 8; i++)
        give(bed, gone[i]);
    size_t starts = 0;
    for (size_t at = 0; at < bed->arena.size; at++)
        starts += acre_usable_size(bed->bytes, bed->arena.base + at).status == ACRE_OK;
    assert_int_equal(starts, 8);
    acre_walk(bed->bytes, count_starts, bed);
}

static void null_is_no_block(struct bed *bed)
{
    begin(bed, 0, bed->arena.size);
    refuse_ptr(bed, NULL);
    take(bed, 1, 1);
    refuse_ptr(bed, NULL);
}

static void freed_pointers_stay_dead(struct bed *bed)
{
    void *blocks[12];
    begin(bed, 0, bed->arena.size);
    for (size_t i = 0; i < 12; i++)
        blocks[i] = take(bed, 100, 1);
    for (size_t i = 0; i < 12; i++) {
        size_t at = i * 5 % 12;
        give(bed, blocks[at]);
        for (size_t j = 0; j <= i; j++)
            refuse_ptr(bed, blocks[j * 5 % 12]);
    }
}

static void dead_inside_a_larger_block(struct bed *bed)
{
    begin(bed, 0, bed->arena.size);
    unsigned char *first = take(bed, 100, 1);
    unsigned char *second = take(bed, 100, 1);
    unsigned char *third = take(bed, 100, 1);
    give(bed, second);
    give(bed, first);
    give(bed, third);
    unsigned char *large = take(bed, stats_of(bed).largest_free, 1);
    unsigned char *olds[] = { first, second, third };
    for (size_t i = 0; i < 3; i++) {
        if (olds[i] != large)
            refuse_ptr(bed, olds[i]);
    }
    give(bed, large);
}

/* User data that looks like the allocator's own headers does not make a block. */
static void forged_headers_are_not_read(struct bed *bed)
{
    begin(bed, 0, bed->arena.size);
    unsigned char *victim = take(bed, 256, 1);
    unsigned char *model = take(bed, 64, 1);
    for (size_t at = 16; at <= 128; at += 8)
        memcpy(victim + at - 16, model - 16, 32);
    for (size_t at = 1; at <= 256; at++)
        refuse_ptr(bed, victim + at - (victim + at == model ? 1 : 0));
    give(bed, victim);
    give(bed, model);
}

static void refuse_sized(struct bed *bed, void *ptr, size_t size, size_t align)
{
    bed_save(bed);
    assert_int_equal(
        acre_dealloc_sized(bed->bytes, ptr, acre_layout(size, align)), ACRE_INVALID_PARAM);
    assert_true(bed_same(bed));
}

static void try_sized(struct bed *bed, size_t asked, size_t align)
{
    void *ptr = take(bed, asked, align);
    size_t usable = acre_usable_size(bed->bytes, ptr).num;
    refuse_sized(bed, ptr, usable + 1, align);
    refuse_sized(bed, ptr, SIZE_MAX, align);
    refuse_sized(bed, ptr, asked, 0);
    refuse_sized(bed, ptr, asked, 3 * align);
    refuse_sized(bed, ptr, asked, ((uintptr_t)ptr & -(uintptr_t)ptr) * 2);
    size_t slack = bed->kind->slack(usable);
    bool made_by_align = (bed->kind->caps & KIND_HEADERS) == 0 && align >= usable - slack;
    if (usable > slack + 1 && !made_by_align)
        refuse_sized(bed, ptr, usable - slack - 1, align);
    if (usable > slack + 1 && !made_by_align)
        refuse_sized(bed, ptr, 0, align);
    for (size_t size = asked; size <= usable; size++) {
        assert_int_equal(acre_dealloc_sized(bed->bytes, ptr, acre_layout(size, align)), ACRE_OK);
        assert_sound(bed);
        refuse_ptr(bed, ptr);
        ptr = take(bed, asked, align);
        usable = acre_usable_size(bed->bytes, ptr).num;
    }
    give(bed, ptr);
}

static void sized_free_proves_the_layout(struct bed *bed)
{
    begin(bed, 0, bed->arena.size);
    for (size_t size = 0; size < 200; size += size < 70 ? 1 : 9) {
        try_sized(bed, size, 1);
        try_sized(bed, size, ACRE_NATURAL_ALIGN);
        try_sized(bed, size, 256);
    }
}

static void sized_free_of_no_block(struct bed *bed)
{
    begin(bed, 0, bed->arena.size);
    unsigned char *ptr = take(bed, 100, 1);
    bed_save(bed);
    assert_int_equal(
        acre_dealloc_sized(bed->bytes, ptr + 1, acre_layout(SIZE_MAX, 3)), ACRE_NOT_ALLOCATED);
    assert_true(bed_same(bed));
    assert_int_equal(acre_dealloc_sized(bed->bytes, ptr, acre_layout(100, 1)), ACRE_OK);
    assert_sound(bed);
}

const struct scene free_scenes[] = {
    { "only the start of a live block is a block", only_starts_are_blocks, 1 << 12, KIND_EXACT,
        NOT_EXACT },
    { "as many starts as live blocks", starts_are_counted, 1 << 14, KIND_EXACT, NOT_EXACT },
    { "null is no block", null_is_no_block, 1 << 12, KIND_EXACT, NOT_EXACT },
    { "freed pointers stay dead", freed_pointers_stay_dead, 1 << 12, KIND_EXACT, NOT_EXACT },
    { "dead inside a larger block", dead_inside_a_larger_block, 1 << 12, KIND_EXACT, NOT_EXACT },
    { "forged headers are not believed", forged_headers_are_not_read, 1 << 12, KIND_EXACT,
        NOT_EXACT },
    { "a sized free proves the layout", sized_free_proves_the_layout, 1 << 13, 0, NULL },
    { "a sized free of no block", sized_free_of_no_block, 1 << 12, KIND_EXACT, NOT_EXACT },
    { NULL, NULL, 0, 0, NULL },
};
