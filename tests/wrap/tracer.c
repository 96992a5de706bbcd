/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The text that is written, line by line. */
#include "support/naive.h"

#include <acre/wrap.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { POOL = 1 << 14, ROOM = 1 << 14 };

static _Alignas(4096) unsigned char pool[POOL];
static struct naive naive;
static struct acre_tracer tracer;
static struct acre_bytes bytes;
static struct acre_base base;
static char text[ROOM];
static size_t used;
static uint64_t now;

static void keep(void *arg, const void *piece, size_t size)
{
    assert_ptr_equal(arg, &now);
    assert_true(size <= 200 && used + size < ROOM);
    memcpy(text + used, piece, size);
    used += size;
    text[used] = '\0';
}

static uint64_t read_clock(void *arg)
{
    return *(uint64_t *)arg;
}

static void wrap(uint64_t (*clock)(void *arg))
{
    struct acre_tracer_sink sink = { keep, clock, &now };
    acre_tracer_wrap(&tracer, (struct acre_bytes){ &naive_ops, &naive }, sink);
    bytes = acre_tracer_bytes(&tracer);
    base = acre_bytes_base(bytes);
    used = 0;
    text[0] = '\0';
    assert_int_equal(acre_init(base, pool, POOL), ACRE_OK);
}

static int set_up(void **state)
{
    (void)state;
    wrap(NULL);
    return 0;
}

/* What has been written since is this, and is then forgotten. */
__attribute__((format(printf, 1, 2))) static void assert_text(const char *format, ...)
{
    char want[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(want, sizeof want, format, args);
    va_end(args);
    assert_string_equal(text, want);
    used = 0;
    text[0] = '\0';
}

static uintmax_t name(const void *ptr)
{
    return (uintptr_t)ptr;
}

static void begin(void)
{
    acre_tracer_begin(&tracer, "firmware");
    assert_text("acre-trace 1\nprocess 1 0 started firmware\n");
}

static void nothing_is_written_before_the_beginning(void **state)
{
    (void)state;
    void *ptr = acre_alloc(bytes, acre_layout(10, 1)).ptr;
    acre_tracer_thread(&tracer, 3);
    assert_int_equal(acre_dealloc(bytes, ptr), ACRE_OK);
    acre_tracer_end(&tracer);
    assert_text("%s", "");
    begin();
    acre_tracer_end(&tracer);
    assert_text("end 0x0 0x0\n");
    ptr = acre_alloc(bytes, acre_layout(10, 1)).ptr;
    assert_int_equal(acre_resize(bytes, ptr, 20), ACRE_OK);
    assert_ptr_equal(acre_realloc(bytes, ptr, acre_layout(5, 1)).ptr, ptr);
    assert_int_equal(acre_dealloc_sized(bytes, ptr, acre_layout(5, 1)), ACRE_OK);
    assert_text("%s", "");
}

static void each_call_is_a_line(void **state)
{
    (void)state;
    begin();
    void *one = acre_alloc(bytes, acre_layout(100, ACRE_NATURAL_ALIGN)).ptr;
    assert_text("m 0x%jx 0x64\n", name(one));
    void *two = acre_alloc(bytes, acre_layout(0, 256)).ptr;
    assert_text("a 0x%jx 0x0 0x100\n", name(two));
    assert_int_equal(acre_resize(bytes, one, 50), ACRE_OK);
    assert_text("r 0x%jx 0x32\n", name(one));
    assert_ptr_equal(acre_realloc(bytes, one, acre_layout(7, 1)).ptr, one);
    assert_text("r 0x%jx 0x7\n", name(one));
    void *moved = acre_realloc(bytes, one, acre_layout(5000, 1)).ptr;
    assert_ptr_not_equal(moved, one);
    assert_text("r 0x%jx 0x1388 0x%jx\n", name(one), name(moved));
    assert_int_equal(acre_dealloc(bytes, two), ACRE_OK);
    assert_text("f 0x%jx\n", name(two));
    assert_int_equal(acre_dealloc_sized(bytes, moved, acre_layout(5000, 1)), ACRE_OK);
    assert_text("f 0x%jx\n", name(moved));
}

static void refused_calls_are_written_or_counted(void **state)
{
    (void)state;
    begin();
    void *ptr = acre_alloc(bytes, acre_layout(10, 1)).ptr;
    void *wall = acre_alloc(bytes, acre_layout(10, 1)).ptr;
    assert_text("m 0x%jx 0xa\nm 0x%jx 0xa\n", name(ptr), name(wall));
    assert_int_equal(acre_alloc(bytes, acre_layout(SIZE_MAX, 1)).status, ACRE_NO_MEMORY);
    assert_text("x m 0x%zx\n", SIZE_MAX);
    assert_int_equal(acre_alloc(bytes, acre_layout(100000, 64)).status, ACRE_NO_MEMORY);
    assert_text("x a 0x186a0 0x40\n");
    assert_int_equal(acre_resize(bytes, ptr, 1000), ACRE_NO_MEMORY);
    assert_text("x r 0x%jx 0x3e8\n", name(ptr));
    assert_int_equal(acre_realloc(bytes, ptr, acre_layout(POOL, 1)).status, ACRE_NO_MEMORY);
    assert_text("x r 0x%jx 0x4000\n", name(ptr));
    assert_int_equal(acre_alloc(bytes, acre_layout(1, 3)).status, ACRE_INVALID_PARAM);
    assert_int_equal(acre_realloc(bytes, ptr, acre_layout(1, 0)).status, ACRE_INVALID_PARAM);
    acre_dealloc_sized(bytes, ptr, acre_layout(SIZE_MAX, 1));
    assert_text("%s", "");
    acre_dealloc(bytes, NULL);
    acre_dealloc_sized(bytes, pool, acre_layout(1, 1));
    assert_int_equal(acre_resize(bytes, pool, 1), ACRE_NOT_ALLOCATED);
    assert_int_equal(acre_realloc(bytes, pool, acre_layout(1, 1)).status, ACRE_NOT_ALLOCATED);
    assert_text("%s", "");
    acre_tracer_end(&tracer);
    assert_text("end 0x0 0x4\n");
}

static void times_and_threads(void **state)
{
    (void)state;
    now = 1000;
    wrap(read_clock);
    now = 5000;
    begin();
    void *ptr = acre_alloc(bytes, acre_layout(1, 1)).ptr;
    assert_text("m 0x%jx 0x1\n", name(ptr));
    now = UINT64_C(5000) + 0xfedcba98765;
    acre_dealloc(bytes, ptr);
    assert_text("@ 0xfedcba98765\nf 0x%jx\n", name(ptr));
    acre_dealloc(bytes, ptr);
    acre_tracer_thread(&tracer, 17);
    assert_text("t 0x11\n");
}

static void live_blocks_are_inherited(void **state)
{
    (void)state;
    void *one = acre_alloc(bytes, acre_layout(32, 1)).ptr;
    void *gone = acre_alloc(bytes, acre_layout(32, 1)).ptr;
    void *two = acre_alloc(bytes, acre_layout(64, 1)).ptr;
    acre_dealloc(bytes, gone);
    acre_tracer_begin(&tracer, "late");
    assert_text("acre-trace 1\nprocess 1 0 forked 0x2 late\nm 0x%jx 0x20\nm 0x%jx 0x40\n",
        name(one), name(two));
}

static void reset_and_init_begin_a_section(void **state)
{
    (void)state;
    begin();
    acre_dealloc(bytes, NULL);
    acre_reset(base);
    assert_text("end 0x0 0x1\nprocess 1 0 started firmware\n");
    assert_int_equal(acre_init(base, pool, POOL), ACRE_OK);
    assert_text("end 0x0 0x0\nprocess 1 0 started firmware\n");
    acre_tracer_begin(&tracer, "other");
    assert_text("end 0x0 0x0\nprocess 1 0 started other\n");
}

static void a_name_is_one_short_line(void **state)
{
    char name_of_300[301];
    (void)state;
    memset(name_of_300, 'x', 300);
    name_of_300[300] = '\0';
    acre_tracer_begin(&tracer, "two\nlines");
    assert_text("acre-trace 1\nprocess 1 0 started two\n");
    acre_tracer_begin(&tracer, "two\r\nlines");
    assert_text("end 0x0 0x0\nprocess 1 0 started two\n");
    acre_tracer_begin(&tracer, name_of_300);
    assert_text("end 0x0 0x0\nprocess 1 0 started %.200s\n", name_of_300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_is_written_before_the_beginning, set_up),
        cmocka_unit_test_setup(each_call_is_a_line, set_up),
        cmocka_unit_test_setup(refused_calls_are_written_or_counted, set_up),
        cmocka_unit_test_setup(times_and_threads, set_up),
        cmocka_unit_test_setup(live_blocks_are_inherited, set_up),
        cmocka_unit_test_setup(reset_and_init_begin_a_section, set_up),
        cmocka_unit_test_setup(a_name_is_one_short_line, set_up),
    };
    return cmocka_run_group_tests_name("tracer", tests, NULL, NULL);
}
