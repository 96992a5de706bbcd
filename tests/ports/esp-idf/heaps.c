/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* ports/esp-idf: two heaps, one with a lock. */
#include "multi_heap.h"
#include "multi_heap_internal.h"
#include "multi_heap_platform.h"

#include <acre/types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SMALL = 100, HEAP = 32768 };

static _Alignas(max_align_t) unsigned char memory[2][HEAP];
static multi_heap_handle_t heap, other;
static size_t depth, failed_assertions, lines;
static const void *asserted;
static char line[256];

void stand_in_lock(void *lock)
{
    if (lock != NULL)
        ++*(size_t *)lock;
}

void stand_in_unlock(void *lock)
{
    if (lock != NULL)
        --*(size_t *)lock;
}

void stand_in_assert(bool holds, const void *address)
{
    assert_int_equal(depth, 0);
    failed_assertions += !holds;
    if (!holds)
        asserted = address;
}

void stand_in_print(const char *format, ...)
{
    va_list given;
    va_start(given, format);
    assert_true(vsnprintf(line, sizeof line, format, given) > 0);
    va_end(given);
    lines++;
}

static int set_up(void **state)
{
    (void)state;
    failed_assertions = lines = depth = 0;
    heap = multi_heap_register(memory[0], HEAP);
    other = multi_heap_register(memory[1] + 1, HEAP - 1);
    assert_non_null(heap);
    assert_non_null(other);
    multi_heap_set_lock(heap, &depth);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(depth, 0);
    assert_true(multi_heap_check(heap, true));
    assert_true(multi_heap_check(other, true));
    assert_int_equal(lines, 0);
    return 0;
}

static multi_heap_info_t info_now(void)
{
    multi_heap_info_t info;
    memset(&info, 0xff, sizeof info);
    multi_heap_get_info(heap, &info);
    return info;
}

static void assert_same(multi_heap_info_t left, multi_heap_info_t right)
{
    assert_memory_equal(&left, &right, sizeof left);
}

static void memory_too_small_is_no_heap(void **state)
{
    (void)state;
    assert_null(multi_heap_register(NULL, HEAP));
    assert_null(multi_heap_register(memory[1], 0));
    assert_null(multi_heap_register(memory[1], 64));
    assert_null(multi_heap_register(memory[1] + 1, sizeof(void *)));
    other = multi_heap_register(memory[1], HEAP);
    assert_non_null(other);
    multi_heap_info_t none;
    multi_heap_get_info(NULL, &none);
    assert_int_equal(none.total_blocks, 0);
    assert_int_equal(multi_heap_free_size(NULL), 0);
    assert_int_equal(multi_heap_minimum_free_size(NULL), 0);
    assert_null(multi_heap_malloc(NULL, SMALL));
}

static void blocks_are_accounted(void **state)
{
    (void)state;
    multi_heap_info_t before = info_now();
    assert_true(before.total_free_bytes > HEAP / 2);
    assert_int_equal(before.free_blocks, 1);
    assert_int_equal(before.total_blocks, 1);
    assert_int_equal(before.total_allocated_bytes, 0);
    assert_int_equal(before.minimum_free_bytes, before.total_free_bytes);
    void *first = multi_heap_malloc(heap, SMALL);
    void *second = multi_heap_aligned_alloc(heap, SMALL, 256);
    void *third = multi_heap_aligned_alloc_offs(heap, SMALL, 64, 32);
    assert_int_equal((uintptr_t)first % ACRE_NATURAL_ALIGN, 0);
    assert_int_equal((uintptr_t)second % 256, 0);
    assert_int_equal(((uintptr_t)third + 32) % 64, 0);
    assert_true(multi_heap_get_allocated_size(heap, first) >= SMALL);
    assert_int_equal(
        multi_heap_get_full_block_size(heap, first), multi_heap_get_allocated_size(heap, first));
    assert_ptr_equal(multi_heap_find_containing_block(heap, (char *)first + SMALL - 1), first);
    assert_null(multi_heap_find_containing_block(other, first));
    multi_heap_info_t during = info_now();
    assert_int_equal(during.allocated_blocks, 3);
    assert_int_equal(during.total_blocks, during.allocated_blocks + during.free_blocks);
    assert_int_equal(during.total_free_bytes, multi_heap_free_size(heap));
    assert_int_equal(
        during.total_free_bytes + during.total_allocated_bytes, before.total_free_bytes);
    multi_heap_free(heap, first);
    multi_heap_aligned_free(heap, second);
    multi_heap_free(heap, third);
    multi_heap_free(heap, NULL);
    assert_int_equal(info_now().total_blocks, 1);
    assert_int_equal(info_now().total_free_bytes, before.total_free_bytes);
    assert_int_equal(failed_assertions, 0);
}

static void minimum_ever_is_kept_reset_and_restored(void **state)
{
    (void)state;
    size_t all = multi_heap_free_size(heap);
    assert_int_equal(multi_heap_minimum_free_size(heap), all);
    void *ptr = multi_heap_malloc(heap, 4096);
    size_t least = multi_heap_free_size(heap);
    multi_heap_free(heap, ptr);
    assert_int_equal(multi_heap_minimum_free_size(heap), least);
    assert_int_equal(multi_heap_reset_minimum_free_bytes(heap), least);
    assert_int_equal(multi_heap_minimum_free_size(heap), all);
    multi_heap_free(heap, multi_heap_malloc(heap, SMALL));
    size_t between = multi_heap_minimum_free_size(heap);
    assert_in_range(between, least + 1, all - 1);
    multi_heap_restore_minimum_free_bytes(heap, all);
    assert_int_equal(multi_heap_minimum_free_size(heap), between);
    multi_heap_restore_minimum_free_bytes(heap, least);
    assert_int_equal(multi_heap_minimum_free_size(heap), least);
    assert_int_equal(info_now().minimum_free_bytes, least);
}

static void realloc_keeps_contents(void **state)
{
    (void)state;
    unsigned char *ptr = multi_heap_realloc(heap, NULL, SMALL);
    void *fence = multi_heap_malloc(heap, SMALL);
    memset(ptr, 0x5a, SMALL);
    ptr = multi_heap_realloc(heap, ptr, 1000);
    assert_non_null(ptr);
    for (size_t i = 0; i < SMALL; i++)
        assert_int_equal(ptr[i], 0x5a);
    multi_heap_info_t before = info_now();
    assert_null(multi_heap_realloc(heap, ptr, HEAP));
    assert_null(multi_heap_realloc(heap, ptr, SIZE_MAX));
    assert_same(info_now(), before);
    assert_null(multi_heap_realloc(heap, ptr, 0));
    multi_heap_free(heap, fence);
    assert_int_equal(info_now().allocated_blocks, 0);
    assert_int_equal(failed_assertions, 0);
}

static void exhaustion_returns_null_and_changes_nothing(void **state)
{
    static void *taken[HEAP / 512];
    size_t count = 0;
    (void)state;
    while ((taken[count] = multi_heap_malloc(heap, 512)) != NULL)
        count++;
    assert_true(count > 40);
    multi_heap_info_t full = info_now();
    assert_null(multi_heap_malloc(heap, 512));
    assert_null(multi_heap_malloc(heap, SIZE_MAX));
    assert_null(multi_heap_malloc(heap, 0));
    assert_null(multi_heap_aligned_alloc(heap, 8, 24));
    assert_null(multi_heap_aligned_alloc_offs(heap, 8, 64, 3));
    assert_same(info_now(), full);
    assert_non_null(multi_heap_malloc(other, 512));
    while (count > 0)
        multi_heap_free(heap, taken[--count]);
    assert_int_equal(info_now().total_blocks, 1);
    assert_int_equal(failed_assertions, 0);
}

static void wrong_pointers_fail_the_assertion(void **state)
{
    int outside = 0;
    (void)state;
    if (!ACRE_CHECK_POINTERS)
        skip();
    unsigned char *ptr = multi_heap_malloc(heap, SMALL);
    unsigned char *freed = multi_heap_malloc(heap, SMALL);
    multi_heap_free(heap, freed);
    multi_heap_info_t before = info_now();
    multi_heap_free(heap, freed);
    assert_ptr_equal(asserted, freed);
    multi_heap_free(heap, ptr + 16);
    multi_heap_free(heap, &outside);
    multi_heap_free(other, ptr);
    assert_null(multi_heap_realloc(heap, freed, 10));
    assert_int_equal(multi_heap_get_allocated_size(heap, freed), 0);
    assert_int_equal(failed_assertions, 6);
    assert_same(info_now(), before);
    multi_heap_free(heap, ptr);
}

struct seen {
    size_t used, unused;
};

static bool note_block(void *block_ptr, size_t block_size, int block_used, void *user_data)
{
    struct seen *seen = user_data;
    assert_non_null(block_ptr);
    assert_true(block_size > 0);
    seen->used += block_used != 0;
    seen->unused += block_used == 0;
    return seen->used < 2;
}

static void walk_and_dump_visit_blocks(void **state)
{
    struct seen seen = { 0 };
    (void)state;
    void *block[3];
    for (size_t i = 0; i < 3; i++)
        block[i] = multi_heap_malloc(heap, SMALL);
    multi_heap_walk(heap, note_block, &seen);
    assert_int_equal(seen.used, 2);
    multi_heap_dump(heap);
    assert_int_equal(lines, 5);
    lines = 0;
    for (size_t i = 0; i < 3; i++)
        multi_heap_free(heap, block[i]);
}

static void check_finds_damage(void **state)
{
    (void)state;
    unsigned char *ptr = multi_heap_malloc(heap, SMALL);
    unsigned char header[sizeof(size_t)];
    memcpy(header, ptr - sizeof header, sizeof header);
    memset(ptr - sizeof header, 0xa5, sizeof header);
    assert_false(multi_heap_check(heap, false));
    assert_int_equal(lines, 0);
    assert_false(multi_heap_check(heap, true));
    assert_int_equal(lines, 1);
    assert_non_null(strstr(line, "TLSF-"));
    memcpy(ptr - sizeof header, header, sizeof header);
    lines = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(memory_too_small_is_no_heap, set_up, tear_down),
        cmocka_unit_test_setup_teardown(blocks_are_accounted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(minimum_ever_is_kept_reset_and_restored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(realloc_keeps_contents, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            exhaustion_returns_null_and_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_pointers_fail_the_assertion, set_up, tear_down),
        cmocka_unit_test_setup_teardown(walk_and_dump_visit_blocks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(check_finds_damage, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
