/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "conformance/suite.h"

#include <string.h>

static void paint(unsigned char *ptr, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ptr[i] = (unsigned char)(i * 7 + 3);
}

static void assert_painted(const unsigned char *ptr, size_t size)
{
    for (size_t i = 0; i < size; i++)
        assert_int_equal(ptr[i], (unsigned char)(i * 7 + 3));
}

static size_t usable_of(struct bed *bed, void *ptr)
{
    return acre_usable_size(bed->bytes, ptr).num;
}

static void *move(struct bed *bed, void *ptr, size_t size, size_t align)
{
    struct acre_ptr got = acre_realloc(bed->bytes, ptr, acre_layout(size, align));
    assert_int_equal(got.status, ACRE_OK);
    assert_int_equal((uintptr_t)got.ptr & (align - 1), 0);
    assert_true(usable_of(bed, got.ptr) >= size && usable_of(bed, got.ptr) > 0);
    assert_sound(bed);
    if (got.ptr != ptr)
        refuse_ptr(bed, ptr);
    return got.ptr;
}

static void shrinking_in_place_always_works(struct bed *bed)
{
    begin(bed, 0, bed->arena.size);
    unsigned char *ptr = take(bed, 3000, 1);
    take(bed, 1, 1);
    paint(ptr, 3000);
    for (size_t size = 3000; size > 0; size -= size > 64 ? 37 : 1) {
        assert_int_equal(acre_resize(bed->bytes, ptr, size), ACRE_OK);
        assert_sound(bed);
        assert_true(usable_of(bed, ptr) >= size);
        assert_painted(ptr, size);
    }
    assert_int_equal(acre_resize(bed->bytes, ptr, 0), ACRE_OK);
    assert_true(usable_of(bed, ptr) >= 1);
    give(bed, ptr);
}

static void shrinking_gives_memory_back(struct bed *bed)
{
    begin(bed, 0, bed->arena.size);
    void *ptr = take(bed, stats_of(bed).largest_free, 1);
    size_t used = stats_of(bed).used;
    assert_int_equal(acre_resize(bed->bytes, ptr, 1), ACRE_OK);
    assert_sound(bed);
    assert_true(stats_of(bed).used < used);
    take(bed, 1000, 1);
}

static void growing_in_place_keeps_contents(struct bed *bed)
{
    begin(bed, 0, bed->arena.size);
    unsigned char *ptr = take(bed, 1, 1);
    size_t size = usable_of(bed, ptr);
    paint(ptr, size);
    while (acre_resize(bed->bytes, ptr, size + 1) == ACRE_OK) {
        assert_sound(bed);
        assert_painted(ptr, size);
        assert_true(usable_of(bed, ptr) > size);
        size = usable_of(bed, ptr);
        paint(ptr, size);
    }
    assert_true(size >= 256);
    assert_painted(ptr, size);
    give(bed, ptr);
}

static void refuse_resize(struct bed *bed, void *ptr, size_t size)
{
    size_t failed = stats_of(bed).failed;
    bed_save(bed);
    assert_int_equal(acre_resize(bed->bytes, ptr, size), ACRE_NO_MEMORY);
    assert_true(bed_same(bed));
    assert_int_equal(stats_of(bed).failed, failed + 1);
}

static void growing_into_a_neighbour_fails(struct bed *bed)
{
    void *blocks[2048];
    begin(bed, 0, bed->arena.size);
    size_t count = fill(bed, blocks, 2048, 48, 0, 1);
    count += fill(bed, blocks + count, 2048 - count, 1, 0, 1);
    for (size_t i = 0; i < count; i++) {
        size_t usable = usable_of(bed, blocks[i]);
        bool more = (bed->kind->caps & KIND_ASKED) != 0; /* the block may hold more than is shown */
        while (more && acre_resize(bed->bytes, blocks[i], usable + 1) == ACRE_OK)
            usable++;
        assert_int_equal(acre_resize(bed->bytes, blocks[i], usable), ACRE_OK);
        refuse_resize(bed, blocks[i], usable + 1);
        refuse_realloc(bed, blocks[i], usable + 1, 1, ACRE_NO_MEMORY);
        assert_ptr_equal(move(bed, blocks[i], usable, 1), blocks[i]);
    }
}

static void sizes_near_the_top_are_refused(struct bed *bed)
{
    begin(bed, 0, bed->arena.size);
    unsigned char *ptr = take(bed, 100, 1);
    paint(ptr, 100);
    for (size_t k = 0; k < 8192; k += scaled(bed, 64) / 64) {
        refuse_resize(bed, ptr, SIZE_MAX - k);
        refuse_realloc(bed, ptr, SIZE_MAX - k, (size_t)1 << k % 13, ACRE_NO_MEMORY);
    }
    refuse_realloc(bed, ptr, PTRDIFF_MAX, 1, ACRE_NO_MEMORY);
    refuse_realloc(bed, ptr, (size_t)PTRDIFF_MAX + 1, 1, ACRE_NO_MEMORY);
    assert_painted(ptr, 100);
    give(bed, ptr);
}

static void bad_alignment_is_invalid(struct bed *bed)
{
    static const size_t aligns[] = { 0, 3, 24, SIZE_MAX, SIZE_MAX / 2 };
    begin(bed, 0, bed->arena.size);
    unsigned char *ptr = take(bed, 100, 1);
    for (size_t i = 0; i < sizeof aligns / sizeof aligns[0]; i++) {
        refuse_realloc(bed, ptr, 1, aligns[i], ACRE_INVALID_PARAM);
        refuse_realloc(bed, ptr, SIZE_MAX, aligns[i], ACRE_INVALID_PARAM);
        if ((bed->kind->caps & KIND_EXACT) != 0)
            refuse_realloc(bed, ptr + 1, 1, aligns[i], ACRE_NOT_ALLOCATED);
    }
}

static void realloc_keeps_contents(struct bed *bed)
{
    begin(bed, 0, bed->arena.size);
    void *wall = take(bed, 1, 1);
    unsigned char *ptr = take(bed, 1, 1);
    size_t size = usable_of(bed, ptr);
    paint(ptr, size);
    for (size_t want = 1; want < bed->arena.size / 4; want += 1 + want / 3) {
        ptr = move(bed, ptr, want, 1);
        assert_painted(ptr, size < want ? size : want);
        size = usable_of(bed, ptr);
        paint(ptr, size);
        give(bed, wall);
        wall = take(bed, want % 200 + 1, 1);
    }
    for (size_t want = size; want > 1; want -= 1 + want / 3) {
        ptr = move(bed, ptr, want, 1);
        assert_painted(ptr, want);
    }
    ptr = move(bed, ptr, 0, 1);
    assert_painted(ptr, 1);
    give(bed, wall);
    give(bed, ptr);
    assert_int_equal(stats_of(bed).used, 0);
}

static void realloc_honours_alignment(struct bed *bed)
{
    begin(bed, 0, bed->arena.size);
    for (size_t align = 1; align <= 4096; align *= 2) {
        unsigned char *ptr = take(bed, 50, 1);
        void *wall = take(bed, 1, 1);
        paint(ptr, 50);
        ptr = move(bed, ptr, 40, align);
        assert_painted(ptr, 40);
        ptr = move(bed, ptr, 700, align);
        assert_painted(ptr, 40);
        ptr = move(bed, ptr, 3, align);
        assert_painted(ptr, 3);
        give(bed, ptr);
        give(bed, wall);
    }
}

/* In full memory the verbs that need no memory still work. */
static void full_memory_serves_what_needs_none(struct bed *bed)
{
    void *blocks[512];
    begin(bed, 0, bed->arena.size);
    size_t count = fill(bed, blocks, 512, 64, 0, 1);
    void *ptr = blocks[count / 2];
    assert_ptr_equal(move(bed, ptr, usable_of(bed, ptr), 1), ptr);
    assert_ptr_equal(move(bed, ptr, 1, 1), ptr);
    assert_int_equal(acre_resize(bed->bytes, ptr, 0), ACRE_OK);
    assert_sound(bed);
}

const struct scene resize_scenes[] = {
    { "shrinking in place always works", shrinking_in_place_always_works, 1 << 13, 0, NULL },
    { "shrinking gives memory back", shrinking_gives_memory_back, 1 << 13, 0, NULL },
    { "growing in place keeps contents", growing_in_place_keeps_contents, 1 << 12, KIND_HEADERS,
        "its blocks need not grow in place" },
    { "growing into a neighbour fails", growing_into_a_neighbour_fails, 1 << 12, 0, NULL },
    { "sizes near SIZE_MAX are refused, the block kept", sizes_near_the_top_are_refused, 1 << 12, 0,
        NULL },
    { "realloc: an alignment that is no power of two is invalid", bad_alignment_is_invalid, 1 << 12,
        0, NULL },
    { "realloc keeps contents", realloc_keeps_contents, 1 << 15, KIND_CONTENTS,
        "it never touches the memory that it manages, so it cannot move contents" },
    { "realloc honours alignment", realloc_honours_alignment, 1 << 15, KIND_CONTENTS,
        "it never touches the memory that it manages, so it cannot move contents" },
    { "full memory serves what needs none", full_memory_serves_what_needs_none, 1 << 12, 0, NULL },
    { NULL, NULL, 0, 0, NULL },
};
