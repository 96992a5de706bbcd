/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The words that all hooks are made of: sizes 0 and beyond, realloc's cases, and misuse by name. */
#include "support/naive.h"

#include <acre/types.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct {
    unsigned calls;
    const char *call;
    const void *ptr;
    enum acre_status status;
} misuse;

static void note(const char *call, const void *ptr, enum acre_status status)
{
    misuse.calls++;
    misuse.call = call;
    misuse.ptr = ptr;
    misuse.status = status;
}

#define ACRE_HOOK_MISUSE(call, ptr, status) note(call, ptr, status)
#include <acre/hooks/hook.h>
#include <acre/hooks/lua.h>

enum { POOL = 1 << 14 };

static _Alignas(4096) unsigned char memory[POOL];
static struct naive naive;
static struct acre_bytes pool;

static int set_up(void **state)
{
    (void)state;
    memset(&misuse, 0, sizeof misuse);
    memset(memory, 0xa5, sizeof memory);
    pool = (struct acre_bytes){ &naive_ops, &naive };
    return acre_bytes_init(pool, memory, POOL) == ACRE_OK ? 0 : -1;
}

static size_t failed(void)
{
    return acre_bytes_stats(pool).failed;
}

static void assert_empty(void)
{
    assert_int_equal(misuse.calls, 0);
    assert_int_equal(acre_used_bytes(pool), 0);
}

static void assert_misuse(const char *call, const void *ptr, enum acre_status status)
{
    assert_int_equal(misuse.calls, 1);
    assert_string_equal(misuse.call, call);
    assert_ptr_equal(misuse.ptr, ptr);
    assert_int_equal(misuse.status, status);
    misuse.calls = 0;
}

static void size_zero_is_a_block_of_its_own(void **state)
{
    (void)state;
    void *a = acre_hook_malloc(pool, 0);
    void *b = acre_hook_calloc(pool, 0, SIZE_MAX);
    void *c = acre_hook_realloc(pool, NULL, 0, "");
    assert_true(a != NULL && b != NULL && c != NULL && a != b && b != c && a != c);
    acre_hook_free(pool, a, "");
    acre_hook_free(pool, b, "");
    acre_hook_free_sized(pool, c, 0, "");
    assert_empty();
}

static struct acre_ptr alloc_natural(void *self, struct acre_layout layout)
{
    assert_int_equal(layout.align, ACRE_NATURAL_ALIGN);
    return naive_ops.alloc(self, layout);
}

static struct acre_ptr realloc_natural(void *self, void *ptr, struct acre_layout layout)
{
    assert_int_equal(layout.align, ACRE_NATURAL_ALIGN);
    return naive_ops.realloc(self, ptr, layout);
}

static void blocks_have_natural_alignment(void **state)
{
    struct acre_bytes_ops ops = naive_ops;
    (void)state;
    ops.alloc = alloc_natural;
    ops.realloc = realloc_natural;
    pool.ops = &ops;
    for (size_t i = 1; i < 40; i++) {
        void *ptr = acre_hook_malloc(pool, i);
        ptr = acre_hook_realloc(pool, ptr, 3 * i, "");
        assert_int_equal((uintptr_t)ptr % ACRE_NATURAL_ALIGN, 0);
        acre_hook_free_sized(pool, ptr, 3 * i, "");
    }
    assert_empty();
}

static void calloc_clears_and_never_wraps(void **state)
{
    (void)state;
    unsigned char *ptr = acre_hook_calloc(pool, 7, 13);
    for (size_t i = 0; i < 91; i++)
        assert_int_equal(ptr[i], 0);
    acre_hook_free(pool, ptr, "");
    assert_int_equal(failed(), 0);
    assert_null(acre_hook_calloc(pool, SIZE_MAX / 2 + 2, 2));
    assert_null(acre_hook_calloc(pool, SIZE_MAX, SIZE_MAX));
    assert_int_equal(failed(), 2);
    assert_empty();
}

static void realloc_follows_c(void **state)
{
    (void)state;
    char *ptr = acre_hook_realloc(pool, NULL, 10, "");
    char *other = acre_hook_strdup(pool, "in the way");
    char text[POOL];
    memset(text, 'x', sizeof text);
    text[POOL - 1] = '\0';
    assert_null(acre_hook_strdup(pool, text));
    strcpy(ptr, "123456789");
    ptr = acre_hook_realloc(pool, ptr, 500, "");
    assert_string_equal(ptr, "123456789");
    assert_null(acre_hook_realloc(pool, ptr, SIZE_MAX, ""));
    assert_null(acre_hook_realloc(pool, ptr, POOL, ""));
    assert_string_equal(ptr, "123456789");
    assert_int_equal(failed(), 3);
    assert_null(acre_hook_realloc(pool, ptr, 0, ""));
    assert_string_equal(other, "in the way");
    acre_hook_free(pool, other, "");
    acre_hook_free(pool, NULL, "");
    acre_hook_free_sized(pool, NULL, 5, "");
    assert_int_equal(acre_hook_usable_size(pool, NULL, ""), 0);
    assert_null(acre_hook_lua_alloc(&pool, NULL, 0, 0));
    ptr = acre_hook_lua_alloc(&pool, NULL, 5, 100);
    assert_non_null(ptr);
    assert_null(acre_hook_lua_alloc(&pool, ptr, 100, 0));
    assert_empty();
}

static struct acre_ptr refuse(void *self, void *ptr, struct acre_layout layout)
{
    (void)self;
    (void)ptr;
    (void)layout;
    return (struct acre_ptr){ NULL, ACRE_NO_MEMORY };
}

static void what_does_not_grow_never_fails(void **state)
{
    struct acre_bytes_ops ops = naive_ops;
    (void)state;
    char *ptr = acre_hook_malloc(pool, 100);
    size_t usable = acre_hook_usable_size(pool, ptr, "");
    ops.realloc = refuse;
    pool.ops = &ops;
    assert_ptr_equal(acre_hook_realloc(pool, ptr, 1, ""), ptr);
    assert_ptr_equal(acre_hook_lua_alloc(&pool, ptr, 100, usable), ptr);
    assert_null(acre_hook_lua_alloc(&pool, ptr, 100, usable + 1));
    acre_hook_free(pool, ptr, "");
    assert_empty();
    pool.ops = &naive_ops;
}

static void misuse_is_named(void **state)
{
    (void)state;
    unsigned char *ptr = acre_hook_malloc(pool, 100);
    acre_hook_free(pool, ptr + 16, "a free");
    assert_misuse("a free", ptr + 16, ACRE_NOT_ALLOCATED);
    acre_hook_free_sized(pool, ptr, 2000, "a sized free");
    assert_misuse("a sized free", ptr, ACRE_INVALID_PARAM);
    assert_null(acre_hook_realloc(pool, memory, 10, "a realloc"));
    assert_misuse("a realloc", memory, ACRE_NOT_ALLOCATED);
    assert_null(acre_hook_realloc(pool, &naive, 0, "a realloc"));
    assert_misuse("a realloc", &naive, ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_hook_usable_size(pool, ptr + 1, "a size"), 0);
    assert_misuse("a size", ptr + 1, ACRE_NOT_ALLOCATED);
    acre_hook_free(pool, ptr, "");
    assert_empty();
    acre_hook_free(pool, ptr, "twice");
    assert_misuse("twice", ptr, ACRE_NOT_ALLOCATED);
    assert_null(acre_hook_lua_alloc(&pool, ptr, 100, 200));
    assert_misuse("lua_Alloc", ptr, ACRE_NOT_ALLOCATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(size_zero_is_a_block_of_its_own, set_up),
        cmocka_unit_test_setup(blocks_have_natural_alignment, set_up),
        cmocka_unit_test_setup(calloc_clears_and_never_wraps, set_up),
        cmocka_unit_test_setup(realloc_follows_c, set_up),
        cmocka_unit_test_setup(what_does_not_grow_never_fails, set_up),
        cmocka_unit_test_setup(misuse_is_named, set_up),
    };
    return cmocka_run_group_tests_name("hook words", tests, NULL, NULL);
}
