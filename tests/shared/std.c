/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The malloc family bound to a handle, over every byte allocator. */
#include "support/fixture.h"

#include <acre/malloc.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ARENA = 1 << 15, MARK = -12345 };

static struct fixture fixture;
static struct acre_bytes heap;

static int open_fixture(void **state)
{
    fixture_open(&fixture, *state, ARENA, ARENA);
    heap = fixture.bytes;
    errno = MARK;
    memset(fixture.arena.base, 0xff, ARENA);
    return acre_init(fixture.base, fixture.arena.base, ARENA) == ACRE_OK ? 0 : -1;
}

/* Nothing may be left over, and nothing broken. */
static int close_fixture(void **state)
{
    bool clean = acre_used_bytes(heap) == 0 && acre_check(fixture.base).invariant == NULL;
    (void)state;
    fixture_close(&fixture);
    return clean ? 0 : -1;
}

static size_t live(void)
{
    return acre_stats(fixture.base).live_blocks;
}

static void *have(void *ptr)
{
    assert_non_null(ptr);
    assert_int_equal((uintptr_t)ptr % ACRE_NATURAL_ALIGN, 0);
    assert_int_equal(errno, MARK);
    return ptr;
}

static void give(void *ptr)
{
    assert_int_equal(acre_std_free(heap, ptr), ACRE_OK);
    assert_int_equal(errno, MARK);
}

/* The call just made yielded null, set errno and changed nothing. */
static void refused(const void *ptr, int error)
{
    assert_null(ptr);
    assert_int_equal(errno, error);
    assert_true(fixture_same(&fixture));
    errno = MARK;
}

static void blocks_have_the_requested_size(void **state)
{
    (void)state;
    for (size_t size = 1; size < 2000; size = size * 3 / 2 + 1) {
        unsigned char *ptr = have(acre_std_malloc(heap, size));
        memset(ptr, 0xee, size);
        assert_true(acre_usable_size(heap, ptr).num >= size);
        unsigned char *zero = have(acre_std_calloc(heap, size, 3));
        for (size_t i = 0; i < 3 * size; i++)
            assert_int_equal(zero[i], 0);
        memset(zero, 0xee, 3 * size);
        give(ptr);
        give(zero);
    }
}

static void size_0_is_a_pointer_of_its_own(void **state)
{
    (void)state;
    void *ptrs[] = { acre_std_malloc(heap, 0), acre_std_calloc(heap, 0, 8),
        acre_std_calloc(heap, 8, 0), acre_std_realloc(heap, NULL, 0),
        acre_std_reallocarray(heap, NULL, 0, SIZE_MAX), acre_std_aligned_alloc(heap, 64, 0) };
    for (size_t i = 0; i < sizeof ptrs / sizeof ptrs[0]; i++)
        for (size_t j = 0; j < i; j++)
            assert_ptr_not_equal(ptrs[j], have(ptrs[i]));
    assert_int_equal((uintptr_t)ptrs[5] % 64, 0);
    assert_int_equal(live(), 6);
    for (size_t i = 0; i < sizeof ptrs / sizeof ptrs[0]; i++)
        give(ptrs[i]);
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    const size_t half = SIZE_MAX / 2 + 2;
    const size_t root = (size_t)1 << sizeof(size_t) * 4;
    unsigned char *ptr = have(acre_std_malloc(heap, 100));
    memset(ptr, 7, 100);
    size_t failed = acre_stats(fixture.base).failed;
    fixture_save(&fixture);
    for (size_t k = 0; k < 64; k++) {
        refused(acre_std_malloc(heap, SIZE_MAX - k), ENOMEM);
        refused(acre_std_malloc(heap, (size_t)PTRDIFF_MAX + 1 + k), ENOMEM);
        refused(acre_std_realloc(heap, ptr, SIZE_MAX - k), ENOMEM);
        refused(acre_std_aligned_alloc(heap, (size_t)1 << k % 31, SIZE_MAX - k), ENOMEM);
    }
    assert_int_equal(acre_stats(fixture.base).failed, failed + (size_t)4 * 64);
    refused(acre_std_calloc(heap, half, 2), ENOMEM);
    refused(acre_std_calloc(heap, 2, half), ENOMEM);
    refused(acre_std_calloc(heap, root, root), ENOMEM);
    refused(acre_std_reallocarray(heap, ptr, half, 2), ENOMEM);
    refused(acre_std_reallocarray(heap, ptr, root, root), ENOMEM);
    refused(acre_std_reallocarray(heap, NULL, root, root), ENOMEM);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(ptr[i], 7);
    give(ptr);
}

static void alignments_are_honoured_or_refused(void **state)
{
    (void)state;
    for (size_t align = 1; align <= 4096; align *= 2) {
        void *ptr = have(acre_std_aligned_alloc(heap, align, 24));
        assert_int_equal((uintptr_t)ptr % align, 0);
        give(ptr);
    }
    fixture_save(&fixture);
    refused(acre_std_aligned_alloc(heap, 0, 24), EINVAL);
    refused(acre_std_aligned_alloc(heap, 3, 24), EINVAL);
    refused(acre_std_aligned_alloc(heap, 24, 24), EINVAL);
    refused(acre_std_aligned_alloc(heap, SIZE_MAX, 24), EINVAL);
    refused(acre_std_aligned_alloc(heap, SIZE_MAX / 2 + 1, 24), ENOMEM);
}

static void realloc_keeps_contents(void **state)
{
    (void)state;
    size_t sizes[] = { 1, 40, 41, 700, 30, 2500, 0, 4000, 16, 5 };
    unsigned char *ptr = NULL;
    size_t old = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t size = sizes[i];
        ptr = i % 2 ? acre_std_realloc(heap, ptr, size) : acre_std_reallocarray(heap, ptr, size, 1);
        if (size == 0)
            assert_null(ptr);
        else
            have(ptr);
        for (size_t k = 0; k < (old < size ? old : size); k++)
            assert_int_equal(ptr[k], k % 251);
        for (size_t k = 0; k < size; k++)
            ptr[k] = (unsigned char)(k % 251);
        old = size;
    }
    give(ptr);
}

static void realloc_to_0_frees(void **state)
{
    (void)state;
    assert_null(acre_std_realloc(heap, have(acre_std_malloc(heap, 50)), 0));
    assert_null(acre_std_reallocarray(heap, have(acre_std_malloc(heap, 50)), 0, SIZE_MAX));
    assert_null(acre_std_reallocarray(heap, have(acre_std_malloc(heap, 50)), 9, 0));
    assert_int_equal(errno, MARK);
    assert_int_equal(live(), 0);
}

static struct acre_ptr no_realloc(void *self, void *ptr, struct acre_layout layout)
{
    (void)self, (void)ptr, (void)layout;
    return (struct acre_ptr){ NULL, ACRE_NO_MEMORY };
}

/* Over an allocator that can make no block smaller. */
static void a_block_that_does_not_grow_never_fails(void **state)
{
    (void)state;
    struct acre_bytes_ops ops = *heap.ops;
    ops.realloc = no_realloc;
    struct acre_bytes stiff = { &ops, heap.self };
    void *ptr = have(acre_std_malloc(heap, 300));
    size_t usable = acre_usable_size(heap, ptr).num;
    assert_ptr_equal(have(acre_std_realloc(stiff, ptr, 10)), ptr);
    assert_ptr_equal(have(acre_std_realloc(stiff, ptr, usable)), ptr);
    fixture_save(&fixture);
    refused(acre_std_realloc(stiff, ptr, usable + 1), ENOMEM);
    give(ptr);
}

static void frees_of_null_do_nothing(void **state)
{
    (void)state;
    give(NULL);
    assert_int_equal(acre_std_free_sized(heap, NULL, 5), ACRE_OK);
    assert_int_equal(acre_std_free_aligned_sized(heap, NULL, 3, 5), ACRE_OK);
    assert_int_equal(errno, MARK);
}

static void sized_frees_verify_the_size(void **state)
{
    (void)state;
    void *ptr = have(acre_std_malloc(heap, 300));
    size_t usable = acre_usable_size(heap, ptr).num;
    void *wide = have(acre_std_aligned_alloc(heap, 256, 300));
    fixture_save(&fixture);
    assert_int_equal(acre_std_free_sized(heap, ptr, usable + 1), ACRE_INVALID_PARAM);
    assert_int_equal(acre_std_free_sized(heap, ptr, 3), ACRE_INVALID_PARAM);
    assert_int_equal(acre_std_free_aligned_sized(heap, wide, 256, 4000), ACRE_INVALID_PARAM);
    assert_int_equal(acre_std_free_aligned_sized(heap, wide, 255, 300), ACRE_INVALID_PARAM);
    assert_int_equal(acre_std_free_aligned_sized(heap, wide, 32768, 300), ACRE_INVALID_PARAM);
    assert_true(fixture_same(&fixture));
    assert_int_equal(acre_std_free_sized(heap, ptr, 300), ACRE_OK);
    assert_int_equal(acre_std_free_aligned_sized(heap, wide, 256, 300), ACRE_OK);
    ptr = have(acre_std_calloc(heap, 10, 30));
    assert_int_equal(acre_std_free_sized(heap, ptr, acre_usable_size(heap, ptr).num), ACRE_OK);
    ptr = have(acre_std_malloc(heap, 0));
    assert_int_equal(acre_std_free_sized(heap, ptr, 0), ACRE_OK);
    assert_int_equal(errno, MARK);
}

static void bad_pointers_are_named(void **state)
{
    (void)state;
    if (!(fixture.backend->caps & ACRE_SUBJECT_EXACT))
        skip();
    int local = 0;
    char *ptr = have(acre_std_malloc(heap, 100));
    void *gone = have(acre_std_malloc(heap, 100));
    give(gone);
    void *bad[] = { gone, ptr + 1, ptr + 16, &local, arena_forbidden(&fixture.arena), (void *)1 };
    fixture_save(&fixture);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(acre_std_free(heap, bad[i]), ACRE_NOT_ALLOCATED);
        assert_int_equal(acre_std_free_sized(heap, bad[i], 100), ACRE_NOT_ALLOCATED);
        assert_int_equal(acre_std_free_aligned_sized(heap, bad[i], 8, 100), ACRE_NOT_ALLOCATED);
        assert_int_equal(errno, MARK);
        refused(acre_std_realloc(heap, bad[i], 200), EINVAL);
        refused(acre_std_realloc(heap, bad[i], 0), EINVAL);
        refused(acre_std_reallocarray(heap, bad[i], SIZE_MAX, 2), EINVAL);
    }
    give(ptr);
}

/* All memory is taken; what does not grow must still go through. */
static void exhaustion_is_enomem(void **state)
{
    (void)state;
    static void *blocks[ARENA / 16];
    size_t count = 0;
    while ((blocks[count] = acre_std_malloc(heap, 200)) != NULL)
        have(blocks[count++]);
    assert_true(count > 20);
    assert_int_equal(errno, ENOMEM);
    errno = MARK;
    char *out = (char *)&out;
    fixture_save(&fixture);
    refused(acre_std_calloc(heap, 200, 1), ENOMEM);
    refused(acre_std_realloc(heap, blocks[0], 5000), ENOMEM);
    char text[300];
    memset(text, 'x', sizeof text);
    text[299] = '\0';
    refused(acre_std_strdup(heap, text), ENOMEM);
    refused(acre_std_strndup(heap, text, 250), ENOMEM);
    assert_int_equal(acre_std_asprintf(heap, &out, "%s", text), -1);
    refused(out, ENOMEM);
    blocks[0] = have(acre_std_realloc(heap, blocks[0], 200));
    blocks[0] = have(acre_std_realloc(heap, blocks[0], 20));
    while (count > 0)
        give(blocks[--count]);
}

static void strings_are_copied(void **state)
{
    (void)state;
    const char unended[4] = { 'a', 'b', 'c', 'd' };
    char *copies[] = { acre_std_strdup(heap, ""), acre_std_strdup(heap, "some text"),
        acre_std_strndup(heap, "some text", 4), acre_std_strndup(heap, "some", 400),
        acre_std_strndup(heap, unended, 4), acre_std_strndup(heap, unended, 0) };
    const char *expected[] = { "", "some text", "some", "some", "abcd", "" };
    for (size_t i = 0; i < sizeof copies / sizeof copies[0]; i++) {
        assert_string_equal(have(copies[i]), expected[i]);
        assert_int_equal(acre_std_free_sized(heap, copies[i], strlen(expected[i]) + 1), ACRE_OK);
    }
}

static void text_is_printed_into_a_block(void **state)
{
    (void)state;
    char *out;
    char expected[700];
    int length = snprintf(expected, sizeof expected, "%0600d %s %c", 42, "text", '!');
    assert_int_equal(acre_std_asprintf(heap, &out, "%0600d %s %c", 42, "text", '!'), length);
    assert_string_equal(have(out), expected);
    assert_int_equal(acre_std_free_sized(heap, out, (size_t)length + 1), ACRE_OK);
    assert_int_equal(acre_std_asprintf(heap, &out, "%s", ""), 0);
    assert_string_equal(have(out), "");
    give(out);
}

/* A character that the C locale does not have: vsnprintf itself refuses. */
static void text_that_cannot_be_printed_is_refused(void **state)
{
    (void)state;
    char *out = (char *)&out;
    fixture_save(&fixture);
    assert_int_equal(acre_std_asprintf(heap, &out, "%ls", L"\x1234"), -1);
    refused(out, EILSEQ);
}

#define TEST_CASE(test)                                                                            \
    {                                                                                              \
#test, test                                                                                \
    }

static const struct {
    const char *name;
    CMUnitTestFunction run;
} cases[] = {
    TEST_CASE(blocks_have_the_requested_size),
    TEST_CASE(size_0_is_a_pointer_of_its_own),
    TEST_CASE(sizes_that_overflow_are_refused),
    TEST_CASE(alignments_are_honoured_or_refused),
    TEST_CASE(realloc_keeps_contents),
    TEST_CASE(realloc_to_0_frees),
    TEST_CASE(a_block_that_does_not_grow_never_fails),
    TEST_CASE(frees_of_null_do_nothing),
    TEST_CASE(sized_frees_verify_the_size),
    TEST_CASE(bad_pointers_are_named),
    TEST_CASE(exhaustion_is_enomem),
    TEST_CASE(strings_are_copied),
    TEST_CASE(text_is_printed_into_a_block),
    TEST_CASE(text_that_cannot_be_printed_is_refused),
};

int main(void)
{
    enum { CASES = sizeof cases / sizeof cases[0], BACKENDS = 32 };
    static char names[CASES * BACKENDS][96];
    static struct CMUnitTest tests[CASES * BACKENDS];
    size_t count = 0;
    for (size_t i = 0; backends[i] != NULL && i < BACKENDS; i++) {
        for (size_t s = 0; s < CASES; s++) {
            snprintf(names[count], sizeof names[count], "%s: %s", backends[i]->name, cases[s].name);
            tests[count] = (struct CMUnitTest){ names[count], cases[s].run, open_fixture,
                close_fixture, (void *)(uintptr_t)backends[i] };
            count++;
        }
    }
    return _cmocka_run_group_tests("malloc family over a handle", tests, count, NULL, NULL);
}
