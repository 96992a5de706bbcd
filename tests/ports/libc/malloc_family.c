/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* ports/newlib, and with ACRE_PICOLIBC (compiled once more) ports/picolibc: the same calls through
 * one set of names. */
#include <acre/types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <malloc.h>

enum { SMALL = 100, HEAP = 65536 };

/* The linker sets __heap_start and __heap_end to its ends. */
extern unsigned char libc_heap[HEAP];
_Alignas(max_align_t) unsigned char libc_heap[HEAP];

static size_t depth, locks, misuses;
static const void *misused;

static void take(void)
{
    assert_int_equal(depth, 0);
    depth++;
    locks++;
}

static void release(void)
{
    assert_int_equal(depth, 1);
    depth--;
}

void stand_in_misuse(const char *call, const void *ptr)
{
    assert_non_null(call);
    assert_int_equal(depth, 0);
    misused = ptr;
    misuses++;
}

#ifdef ACRE_PICOLIBC
#include <sys/lock.h>

int stand_in_errno;

void stand_in_lock(void)
{
    take();
}

void stand_in_unlock(void)
{
    release();
}

static int *error(void)
{
    return &stand_in_errno;
}
#else
#include <reent.h>

static struct _reent reent;

void __malloc_lock(struct _reent *given)
{
    assert_ptr_equal(given, &reent);
    take();
}

void __malloc_unlock(struct _reent *given)
{
    assert_ptr_equal(given, &reent);
    release();
}

static int *error(void)
{
    return &reent._errno;
}

#define malloc(size) _malloc_r(&reent, size)
#define calloc(count, size) _calloc_r(&reent, count, size)
#define realloc(ptr, size) _realloc_r(&reent, ptr, size)
#define memalign(align, size) _memalign_r(&reent, align, size)
#define free(ptr) _free_r(&reent, ptr)
#define malloc_usable_size(ptr) _malloc_usable_size_r(&reent, ptr)
#define mallinfo() _mallinfo_r(&reent)
#endif

static int set_up(void **state)
{
    (void)state;
    locks = misuses = 0;
    *error() = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(depth, 0);
    assert_true(locks > 0);
    return 0;
}

static void assert_same(struct mallinfo left, struct mallinfo right)
{
    assert_int_equal(left.arena, right.arena);
    assert_int_equal(left.ordblks, right.ordblks);
    assert_int_equal(left.uordblks, right.uordblks);
    assert_int_equal(left.fordblks, right.fordblks);
}

static void blocks_are_accounted(void **state)
{
    (void)state;
    struct mallinfo before = mallinfo();
    assert_true(before.arena > HEAP - 64);
    assert_int_equal(before.arena, before.uordblks + before.fordblks);
    unsigned char *first = malloc(SMALL);
    unsigned char *second = malloc(SMALL);
    void *empty = malloc(0);
    assert_non_null(first);
    assert_non_null(second);
    assert_non_null(empty);
    assert_true(first >= libc_heap && first + SMALL <= libc_heap + HEAP);
    assert_int_equal((uintptr_t)first % ACRE_NATURAL_ALIGN, 0);
    assert_true(malloc_usable_size(first) >= SMALL);
    assert_int_equal(malloc_usable_size(NULL), 0);
    struct mallinfo during = mallinfo();
    assert_int_equal(during.arena, during.uordblks + during.fordblks);
    assert_true(during.uordblks >= before.uordblks + 2 * SMALL);
    free(empty);
    free(first);
    free(second);
    free(NULL);
    assert_same(mallinfo(), before);
    assert_int_equal(misuses, 0);
    assert_int_equal(*error(), 0);
#ifndef ACRE_PICOLIBC
    assert_int_equal(_mallopt_r(&reent, 1, 1), 0);
#endif
}

static void alignments_are_honoured(void **state)
{
    (void)state;
    struct mallinfo before = mallinfo();
    for (size_t align = 1; align <= 4096; align *= 2) {
        void *ptr = memalign(align, SMALL);
        assert_non_null(ptr);
        assert_int_equal((uintptr_t)ptr % align, 0);
        free(ptr);
    }
    assert_null(memalign(24, SMALL));
    assert_int_equal(*error(), EINVAL);
#ifdef ACRE_PICOLIBC
    void *ptr = aligned_alloc(64, 128);
    assert_int_equal((uintptr_t)ptr % 64, 0);
    free(ptr);
#endif
    assert_same(mallinfo(), before);
}

static void calloc_clears_and_refuses_overflow(void **state)
{
    static const unsigned char zeros[10 * SMALL];
    (void)state;
    void *dirty = malloc(sizeof zeros);
    memset(dirty, 0xa5, sizeof zeros);
    free(dirty);
    struct mallinfo before = mallinfo();
    assert_null(calloc(SIZE_MAX / 2 + 2, 2));
    assert_int_equal(*error(), ENOMEM);
    assert_null(calloc(2, SIZE_MAX / 2 + 2));
    assert_same(mallinfo(), before);
    void *clear = calloc(10, SMALL);
    assert_non_null(clear);
    assert_memory_equal(clear, zeros, sizeof zeros);
    free(clear);
}

static void realloc_keeps_contents(void **state)
{
    (void)state;
    struct mallinfo before = mallinfo();
    unsigned char *ptr = realloc(NULL, SMALL);
    void *fence = malloc(SMALL);
    memset(ptr, 0x5a, SMALL);
    ptr = realloc(ptr, 1000);
    assert_non_null(ptr);
    for (size_t i = 0; i < SMALL; i++)
        assert_int_equal(ptr[i], 0x5a);
    struct mallinfo during = mallinfo();
    assert_null(realloc(ptr, 2 * (size_t)HEAP));
    assert_int_equal(*error(), ENOMEM);
    assert_null(realloc(ptr, SIZE_MAX - 4));
    assert_same(mallinfo(), during);
    assert_int_equal(ptr[SMALL - 1], 0x5a);
    assert_null(realloc(ptr, 0));
    free(fence);
    assert_same(mallinfo(), before);
    assert_int_equal(misuses, 0);
}

static void exhaustion_returns_null_and_changes_nothing(void **state)
{
    static void *taken[HEAP / 512];
    size_t count = 0;
    (void)state;
    struct mallinfo before = mallinfo();
    while ((taken[count] = malloc(512)) != NULL)
        count++;
    assert_int_equal(*error(), ENOMEM);
    assert_true(count > 100);
    struct mallinfo full = mallinfo();
    *error() = 0;
    assert_null(malloc(512));
    assert_int_equal(*error(), ENOMEM);
    assert_null(malloc(SIZE_MAX));
    assert_null(malloc(PTRDIFF_MAX));
    assert_same(mallinfo(), full);
    while (count > 0)
        free(taken[--count]);
    assert_same(mallinfo(), before);
}

static void wrong_pointers_are_reported(void **state)
{
    int outside = 0;
    (void)state;
    if (!ACRE_CHECK_POINTERS)
        skip();
    unsigned char *ptr = malloc(SMALL);
    unsigned char *freed = malloc(SMALL);
    free(freed);
    struct mallinfo before = mallinfo();
    free(freed);
    assert_ptr_equal(misused, freed);
    free(ptr + 16);
    assert_ptr_equal(misused, ptr + 16);
    free(&outside);
    assert_null(realloc(freed, 10));
    assert_int_equal(*error(), EINVAL);
    assert_null(realloc(ptr + 1, 0));
    assert_int_equal(malloc_usable_size(freed), 0);
    assert_int_equal(misuses, 6);
    assert_same(mallinfo(), before);
    free(ptr);
    assert_int_equal(misuses, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(blocks_are_accounted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(alignments_are_honoured, set_up, tear_down),
        cmocka_unit_test_setup_teardown(calloc_clears_and_refuses_overflow, set_up, tear_down),
        cmocka_unit_test_setup_teardown(realloc_keeps_contents, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            exhaustion_returns_null_and_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_pointers_are_reported, set_up, NULL),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
