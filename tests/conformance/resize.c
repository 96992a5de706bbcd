/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "conformance/suite.h"

#include "support/expect.h"

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

static size_t usable_of(struct fixture *fixture, void *ptr)
{
    return acre_usable_size(fixture->bytes, ptr).num;
}

static void *move(struct fixture *fixture, void *ptr, size_t size, size_t align)
{
    struct acre_ptr got = acre_realloc(fixture->bytes, ptr, acre_layout(size, align));
    assert_int_equal(got.status, ACRE_OK);
    assert_int_equal((uintptr_t)got.ptr & (align - 1), 0);
    assert_true(usable_of(fixture, got.ptr) >= size && usable_of(fixture, got.ptr) > 0);
    assert_sound(fixture);
    if (got.ptr != ptr)
        refuse_ptr(fixture, ptr);
    return got.ptr;
}

static void shrinking_in_place_always_works(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    unsigned char *ptr = take(fixture, 3000, 1);
    take(fixture, 1, 1);
    paint(ptr, 3000);
    for (size_t size = 3000; size > 0; size -= size > 64 ? 37 : 1) {
        assert_int_equal(acre_resize(fixture->bytes, ptr, size), ACRE_OK);
        assert_sound(fixture);
        assert_true(usable_of(fixture, ptr) >= size);
        assert_painted(ptr, size);
    }
    assert_int_equal(acre_resize(fixture->bytes, ptr, 0), ACRE_OK);
    assert_true(usable_of(fixture, ptr) >= 1);
    give(fixture, ptr);
}

static void shrinking_gives_memory_back(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    void *ptr = take(fixture, stats_of(fixture).largest_free, 1);
    size_t used = stats_of(fixture).used;
    assert_int_equal(acre_resize(fixture->bytes, ptr, 1), ACRE_OK);
    assert_sound(fixture);
    assert_true(stats_of(fixture).used < used);
    take(fixture, 1000, 1);
}

static void growing_in_place_keeps_contents(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    unsigned char *ptr = take(fixture, 1, 1);
    size_t size = usable_of(fixture, ptr);
    paint(ptr, size);
    while (acre_resize(fixture->bytes, ptr, size + 1) == ACRE_OK) {
        assert_sound(fixture);
        assert_painted(ptr, size);
        assert_true(usable_of(fixture, ptr) > size);
        size = usable_of(fixture, ptr);
        paint(ptr, size);
    }
    assert_true(size >= 256);
    assert_painted(ptr, size);
    give(fixture, ptr);
}

static void refuse_resize(struct fixture *fixture, void *ptr, size_t size)
{
    size_t failed = stats_of(fixture).failed;
    fixture_save(fixture);
    assert_int_equal(acre_resize(fixture->bytes, ptr, size), ACRE_NO_MEMORY);
    assert_true(fixture_same(fixture));
    assert_int_equal(stats_of(fixture).failed, failed + 1);
}

/* Grows a block as far as it goes: it may hold more than is shown; else it grows only into memory
 * that was available, a remainder that no request fits. Returns the bytes it then has. */
static size_t grown_into_remainder(struct fixture *fixture, void *block, size_t usable)
{
    bool asked = (fixture->backend->caps & ACRE_SUBJECT_ASKED) != 0;
    size_t available = stats_of(fixture).available;
    while (acre_resize(fixture->bytes, block, usable + 1) == ACRE_OK) {
        size_t has = usable_of(fixture, block);
        assert_true(has > usable);
        assert_true(asked || available - stats_of(fixture).available >= has - usable);
        available = stats_of(fixture).available;
        usable = has;
    }
    return usable;
}

static void growing_into_a_neighbour_fails(struct fixture *fixture)
{
    void *blocks[2048];
    begin(fixture, 0, fixture->arena.size);
    size_t count = fill(fixture, blocks, 2048, 48, 0, 1);
    count += fill(fixture, blocks + count, 2048 - count, 1, 0, 1);
    for (size_t i = 0; i < count; i++) {
        size_t usable = usable_of(fixture, blocks[i]);
        usable = grown_into_remainder(fixture, blocks[i], usable);
        assert_int_equal(acre_resize(fixture->bytes, blocks[i], usable), ACRE_OK);
        refuse_resize(fixture, blocks[i], usable + 1);
        refuse_realloc(fixture, blocks[i], usable + 1, 1, ACRE_NO_MEMORY);
        assert_ptr_equal(move(fixture, blocks[i], usable, 1), blocks[i]);
    }
}

static void sizes_near_the_top_are_refused(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    unsigned char *ptr = take(fixture, 100, 1);
    paint(ptr, 100);
    for (size_t k = 0; k < 8192; k += scaled(fixture, 64) / 64) {
        refuse_resize(fixture, ptr, SIZE_MAX - k);
        refuse_realloc(fixture, ptr, SIZE_MAX - k, (size_t)1 << k % 13, ACRE_NO_MEMORY);
    }
    refuse_realloc(fixture, ptr, PTRDIFF_MAX, 1, ACRE_NO_MEMORY);
    refuse_realloc(fixture, ptr, (size_t)PTRDIFF_MAX + 1, 1, ACRE_NO_MEMORY);
    assert_painted(ptr, 100);
    give(fixture, ptr);
}

static void bad_alignment_is_invalid(struct fixture *fixture)
{
    static const size_t aligns[] = { 0, 3, 24, SIZE_MAX, SIZE_MAX / 2 };
    begin(fixture, 0, fixture->arena.size);
    unsigned char *ptr = take(fixture, 100, 1);
    for (size_t i = 0; i < sizeof aligns / sizeof aligns[0]; i++) {
        refuse_realloc(fixture, ptr, 1, aligns[i], ACRE_INVALID_PARAM);
        refuse_realloc(fixture, ptr, SIZE_MAX, aligns[i], ACRE_INVALID_PARAM);
        if ((fixture->backend->caps & ACRE_SUBJECT_EXACT) != 0)
            refuse_realloc(fixture, ptr + 1, 1, aligns[i], ACRE_NOT_ALLOCATED);
    }
}

static void realloc_keeps_contents(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    void *wall = take(fixture, 1, 1);
    unsigned char *ptr = take(fixture, 1, 1);
    size_t size = usable_of(fixture, ptr);
    paint(ptr, size);
    for (size_t want = 1; want < fixture->arena.size / 4; want += 1 + want / 3) {
        ptr = move(fixture, ptr, want, 1);
        assert_painted(ptr, size < want ? size : want);
        size = usable_of(fixture, ptr);
        paint(ptr, size);
        give(fixture, wall);
        wall = take(fixture, want % 200 + 1, 1);
    }
    for (size_t want = size; want > 1; want -= 1 + want / 3) {
        ptr = move(fixture, ptr, want, 1);
        assert_painted(ptr, want);
    }
    ptr = move(fixture, ptr, 0, 1);
    assert_painted(ptr, 1);
    give(fixture, wall);
    give(fixture, ptr);
    assert_int_equal(stats_of(fixture).used, 0);
}

static void realloc_honours_alignment(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    for (size_t align = 1; align <= 4096; align *= 2) {
        unsigned char *ptr = take(fixture, 50, 1);
        void *wall = take(fixture, 1, 1);
        paint(ptr, 50);
        ptr = move(fixture, ptr, 40, align);
        assert_painted(ptr, 40);
        ptr = move(fixture, ptr, 700, align);
        assert_painted(ptr, 40);
        ptr = move(fixture, ptr, 3, align);
        assert_painted(ptr, 3);
        give(fixture, ptr);
        give(fixture, wall);
    }
}

/* In full memory the verbs that need no memory still work. */
static void full_memory_serves_what_needs_none(struct fixture *fixture)
{
    void *blocks[512];
    begin(fixture, 0, fixture->arena.size);
    size_t count = fill(fixture, blocks, 512, 64, 0, 1);
    void *ptr = blocks[count / 2];
    assert_ptr_equal(move(fixture, ptr, usable_of(fixture, ptr), 1), ptr);
    assert_ptr_equal(move(fixture, ptr, 1, 1), ptr);
    assert_int_equal(acre_resize(fixture->bytes, ptr, 0), ACRE_OK);
    assert_sound(fixture);
}

const struct test_case resize_cases[] = {
    { "shrinking in place always works", shrinking_in_place_always_works, 1 << 13, NEEDS_HANDLE,
        NULL },
    { "shrinking gives memory back", shrinking_gives_memory_back, 1 << 13,
        NEEDS_HANDLE | NEEDS_BYTES, NULL },
    { "growing in place keeps contents", growing_in_place_keeps_contents, 1 << 12,
        NEEDS_HANDLE | ACRE_SUBJECT_HEADERS, "its blocks need not grow in place" },
    { "growing into a neighbour fails", growing_into_a_neighbour_fails, 1 << 12,
        NEEDS_HANDLE | NEEDS_BYTES, NULL },
    { "sizes near SIZE_MAX are refused, the block kept", sizes_near_the_top_are_refused, 1 << 12, 0,
        NULL },
    { "realloc: an alignment that is no power of two is invalid", bad_alignment_is_invalid, 1 << 12,
        NEEDS_HANDLE, NULL },
    { "realloc keeps contents", realloc_keeps_contents, 1 << 15,
        NEEDS_REUSE | ACRE_SUBJECT_CONTENTS,
        "it never touches the memory that it manages, so it cannot move contents" },
    { "realloc honours alignment", realloc_honours_alignment, 1 << 15,
        NEEDS_ALIGNS | ACRE_SUBJECT_CONTENTS,
        "it never touches the memory that it manages, so it cannot move contents" },
    { "full memory serves what needs none", full_memory_serves_what_needs_none, 1 << 12,
        NEEDS_HANDLE | NEEDS_BYTES, NULL },
    { NULL, NULL, 0, 0, NULL },
};
