/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What the suites use of cmocka, for a machine without an operating system. An assertion that fails
 * says where and ends the run as failed. skip() returns, and so stands in the test's own function.
 */
#ifndef ACRE_TESTS_METAL_CMOCKA_H
#define ACRE_TESTS_METAL_CMOCKA_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef int CMFixtureFunction(void **state);

struct CMUnitTest {
    const char *name;
    void (*test_func)(void **state);
    CMFixtureFunction *setup_func;
    CMFixtureFunction *teardown_func;
    void *initial_state;
};

#define cmocka_unit_test(f)                                                                        \
    {                                                                                              \
#f, f, NULL, NULL, NULL                                                                    \
    }

/* Returns the number of tests that failed: 0, or it does not return. */
int _cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests, size_t count,
    CMFixtureFunction *setup, CMFixtureFunction *teardown);

#define cmocka_run_group_tests(tests, setup, teardown)                                             \
    _cmocka_run_group_tests(#tests, tests, sizeof(tests) / sizeof(tests)[0], setup, teardown)

/* Passed and skipped so far, over all groups. */
extern size_t metal_passed, metal_skipped;

void metal_skip(void);
__attribute__((format(printf, 1, 2))) void print_message(const char *format, ...);
__attribute__((format(printf, 3, 4))) _Noreturn void metal_fail(
    const char *file, int line, const char *format, ...);

/* A figure as cmocka compares it, whatever its type. */
#define METAL_FIGURE(value) ((uintmax_t)(value))

/* tests/support/site_asserts.h reports another line. */
#define METAL_FAIL(...) metal_fail(__FILE__, __LINE__, __VA_ARGS__)

#define METAL_CHECK(cond, ...)                                                                     \
    do {                                                                                           \
        if (!(cond))                                                                               \
            METAL_FAIL(__VA_ARGS__);                                                               \
    } while (0)

#define METAL_COMPARE(a, sign, b)                                                                  \
    do {                                                                                           \
        uintmax_t metal_a = METAL_FIGURE(a);                                                       \
        uintmax_t metal_b = METAL_FIGURE(b);                                                       \
        METAL_CHECK(metal_a sign metal_b, "not %s (0x%jx) %s %s (0x%jx)", #a, metal_a, #sign, #b,  \
            metal_b);                                                                              \
    } while (0)

#define skip()                                                                                     \
    do {                                                                                           \
        metal_skip();                                                                              \
        return;                                                                                    \
    } while (0)
#define fail_msg(...) METAL_FAIL(__VA_ARGS__)
#define assert_true(c) METAL_CHECK(c, "not %s", #c)
#define assert_false(c) METAL_CHECK(!(c), "%s", #c)
#define assert_null(p) METAL_CHECK((p) == NULL, "not null: %s", #p)
#define assert_non_null(p) METAL_CHECK((p) != NULL, "null: %s", #p)
#define assert_int_equal(a, b) METAL_COMPARE(a, ==, b)
#define assert_int_not_equal(a, b) METAL_COMPARE(a, !=, b)
#define assert_ptr_equal(a, b) METAL_COMPARE((uintptr_t)(a), ==, (uintptr_t)(b))
#define assert_ptr_not_equal(a, b) METAL_COMPARE((uintptr_t)(a), !=, (uintptr_t)(b))
#define assert_memory_equal(a, b, size)                                                            \
    METAL_CHECK(memcmp(a, b, size) == 0, "%s and %s differ", #a, #b)
#define assert_in_range(value, least, most)                                                        \
    METAL_CHECK(                                                                                   \
        METAL_FIGURE(value) >= METAL_FIGURE(least) && METAL_FIGURE(value) <= METAL_FIGURE(most),   \
        "%s (0x%jx) not in range", #value, METAL_FIGURE(value))

#endif
