/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The kernel's printf beside that of the C library, and what it puts on the serial line. */
#include "kernel/console.h"
#include "kernel/kernel.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char line[512];
static size_t length;

void machine_put(char byte)
{
    assert_true(length < sizeof line - 1);
    line[length++] = byte;
    line[length] = '\0';
}

static int clear(void **state)
{
    (void)state;
    length = 0;
    line[0] = '\0';
    return 0;
}

#define SAME(...)                                                                                  \
    do {                                                                                           \
        char want[512];                                                                            \
        clear(NULL);                                                                               \
        snprintf(want, sizeof want, __VA_ARGS__);                                                  \
        console_print(__VA_ARGS__);                                                                \
        assert_string_equal(line, want);                                                           \
    } while (0)

static void numbers(void **state)
{
    (void)state;
    SAME("%d %d %d %d", 0, -1, INT_MAX, INT_MIN);
    SAME("%ld %ld", LONG_MAX, LONG_MIN);
    SAME("%u %lu %zu %ju", UINT_MAX, ULONG_MAX, SIZE_MAX, UINTMAX_MAX);
    SAME("%x %lx %zx %jx", 0xbeefu, ULONG_MAX, (size_t)0, UINTMAX_MAX);
    SAME("%p", (void *)line);
}

static void texts(void **state)
{
    (void)state;
    SAME("%s and %c and %%: %s", "text", 'x', "");
    SAME("nothing to put in");
    SAME("two in a row: %d%d", 1, 2);
}

static void lines_end_as_a_terminal_wants(void **state)
{
    (void)state;
    console_print("a\nb%c", '\n');
    assert_string_equal(line, "a\r\nb\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(numbers, clear),
        cmocka_unit_test_setup(texts, clear),
        cmocka_unit_test_setup(lines_end_as_a_terminal_wants, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
