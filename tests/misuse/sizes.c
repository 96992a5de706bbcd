/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "misuse/misuse.h"

#include "support/expect.h"

#include <limits.h>
#include <string.h>

enum { BITS = sizeof(size_t) * CHAR_BIT };

/* Sizes that products such as calloc's wrap to, or stop just short of. */
static const size_t products[] = { SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX / 2 + 2,
    SIZE_MAX / 3 * 2, SIZE_MAX - SIZE_MAX / 16, ~(size_t)4095, (size_t)1 << (BITS - 2) };

static void size_max_less_k(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    take(fixture, 40, 1);
    for (size_t k = 0; k <= 8191; k += scaled(fixture, 64) / 64)
        refuse_alloc(fixture, SIZE_MAX - k, 1, ACRE_NO_MEMORY);
}

static void ptrdiff_max(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    refuse_alloc(fixture, PTRDIFF_MAX, 1, ACRE_NO_MEMORY);
    refuse_alloc(fixture, (size_t)PTRDIFF_MAX + 1, 1, ACRE_NO_MEMORY);
    refuse_alloc(fixture, (size_t)PTRDIFF_MAX + 1, 4096, ACRE_NO_MEMORY);
}

static void products_that_overflow(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    for (size_t i = 0; i < sizeof products / sizeof products[0]; i++) {
        refuse_alloc(fixture, products[i], 1, ACRE_NO_MEMORY);
        refuse_alloc(fixture, products[i], 64, ACRE_NO_MEMORY);
    }
}

static void realloc_to_products(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    unsigned char *ptr = take(fixture, 64, 1);
    memset(ptr, 0x3c, 64);
    for (size_t i = 0; i < sizeof products / sizeof products[0]; i++)
        refuse_realloc(fixture, ptr, products[i], 16, ACRE_NO_MEMORY);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(ptr[i], 0x3c);
    give(fixture, ptr);
}

static void realloc_to_size_max_less_k(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    unsigned char *ptr = take(fixture, 64, 1);
    memset(ptr, 0x3c, 64);
    for (size_t k = 0; k <= 8191; k += scaled(fixture, 64) / 64)
        refuse_realloc(fixture, ptr, SIZE_MAX - k, 1, ACRE_NO_MEMORY);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(ptr[i], 0x3c);
    give(fixture, ptr);
}

static void size_plus_alignment_overflows(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    void *ptr = take(fixture, 64, 1);
    for (unsigned bit = 0; bit < BITS; bit++) {
        size_t align = (size_t)1 << bit;
        for (size_t k = 0; k <= 128; k++) {
            size_t size = SIZE_MAX - align + 64 - k;
            bool fits = size <= stats_of(fixture).largest_free;
            if (!fits)
                refuse_alloc(fixture, size, align, ACRE_NO_MEMORY);
            if (!fits && k % 8 == 0)
                refuse_realloc(fixture, ptr, size, align, ACRE_NO_MEMORY);
        }
    }
}

static void no_power_of_two(struct fixture *fixture)
{
    static const size_t bad[] = { 0, 3, 5, 6, 7, 12, 24, 48, 100, 4095, 4097, SIZE_MAX };
    begin(fixture, 0, fixture->arena.size);
    void *ptr = take(fixture, 64, 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        refuse_alloc(fixture, 64, bad[i], ACRE_INVALID_PARAM);
        refuse_alloc(fixture, 0, bad[i], ACRE_INVALID_PARAM);
        refuse_realloc(fixture, ptr, 64, bad[i], ACRE_INVALID_PARAM);
    }
    give(fixture, take(fixture, 64, 4));
}

static void move_aligned(struct fixture *fixture, size_t size, size_t align)
{
    struct acre_ptr had = acre_alloc(fixture->bytes, acre_layout(size, align));
    assert_int_equal(had.status, ACRE_OK);
    assert_int_equal((uintptr_t)had.ptr & (align - 1), 0);
    assert_true(acre_usable_size(fixture->bytes, had.ptr).num >= size);
    memset(had.ptr, 7, size);
    struct acre_ptr got = acre_realloc(fixture->bytes, had.ptr, acre_layout(size * 3, align));
    assert_int_equal(got.status, ACRE_OK);
    assert_int_equal((uintptr_t)got.ptr & (align - 1), 0);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(((unsigned char *)got.ptr)[i], 7);
    assert_int_equal(acre_dealloc(fixture->bytes, got.ptr), ACRE_OK);
    assert_int_equal(stats_of(fixture).used, 0);
}

/* Looked through once an alignment: so large an arena takes a check milliseconds. */
static void alignments_to_16_mib(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    for (size_t align = 1; align <= (size_t)16 << 20; align *= 2) {
        for (size_t size = 1; size <= 300; size += 1 + size / 8)
            move_aligned(fixture, size, align);
        give(fixture, take(fixture, 300, align));
    }
    assert_int_equal(stats_of(fixture).used, 0);
}

static void natural_alignment(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    for (size_t size = 1; size < 200; size++) {
        void *ptr = take(fixture, size, 1);
        assert_int_equal((uintptr_t)ptr % ACRE_NATURAL_ALIGN, 0);
    }
}

static void realloc_of_over_aligned(struct fixture *fixture)
{
    begin(fixture, 0, fixture->arena.size);
    for (size_t align = 32; align <= 4096; align *= 2) {
        void *ptr = take(fixture, 100, align);
        void *wall = take(fixture, 1, 1);
        struct acre_ptr kept = acre_realloc(fixture->bytes, ptr, acre_layout(3000, align));
        assert_int_equal(kept.status, ACRE_OK);
        assert_int_equal((uintptr_t)kept.ptr % align, 0);
        struct acre_ptr plain = acre_realloc(fixture->bytes, kept.ptr, acre_layout(6000, 1));
        assert_int_equal(plain.status, ACRE_OK);
        assert_int_equal((uintptr_t)plain.ptr % ACRE_NATURAL_ALIGN, 0);
        assert_sound(fixture);
        give(fixture, plain.ptr);
        give(fixture, wall);
    }
}

const struct test_case size_misuses[] = {
    { "1: sizes SIZE_MAX - k", size_max_less_k, 1 << 12, 0, NULL },
    { "2: size PTRDIFF_MAX + 1", ptrdiff_max, 1 << 12, 0, NULL },
    { "3: products that overflow", products_that_overflow, 1 << 12, 0, NULL },
    { "4: realloc to products that overflow", realloc_to_products, 1 << 12, 0, NULL },
    { "5: realloc to SIZE_MAX - k", realloc_to_size_max_less_k, 1 << 12, 0, NULL },
    { "6: size plus alignment overflows", size_plus_alignment_overflows, 1 << 12, 0, NULL },
    { "8: alignments that are no power of two", no_power_of_two, 1 << 12, NEEDS_HANDLE, NULL },
    { "10: alignments to 16 MiB", alignments_to_16_mib, 1 << 26,
        NEEDS_HANDLE | ACRE_SUBJECT_CONTENTS,
        "it never touches the memory that it manages, so it cannot move contents" },
    { "11: natural alignment", natural_alignment, 1 << 16, 0, NULL },
    { "12: realloc of an over-aligned block", realloc_of_over_aligned, 1 << 16, NEEDS_ALIGNS,
        NULL },
    { NULL, NULL, 0, 0, NULL },
};
