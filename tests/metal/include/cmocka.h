/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What the suites use of cmocka, for a machine without an operating system. An assertion that fails
 * says where and ends the run as failed. skip() returns, and so stands in the test's own function.
 */
#ifndef ACRE_TESTS_METAL_CMOCKA_H
#define ACRE_TESTS_METAL_CMOCKA_H

#include "support/expect.h"

#include <stdarg.h>
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
#define print_error print_message

#define skip()                                                                                     \
    do {                                                                                           \
        metal_skip();                                                                              \
        return;                                                                                    \
    } while (0)
#define _fail(file, line) finding_raise(file, line, "failed")

#endif
