/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The main program of a test that explores orders of threads: runs its cases, and asserts that
 * none has a fault; or that one has, where a fault was built in (EXPLORE_FAULT). */
#ifndef ACRE_TESTS_SUPPORT_EXPLORE_CASES_H
#define ACRE_TESTS_SUPPORT_EXPLORE_CASES_H

#include "support/explore_threads.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#ifdef EXPLORE_FAULT
enum { explore_must_find = 1 };
#else
enum { explore_must_find = 0 };
#endif

static inline void must(bool holds, const char *what)
{
    if (!holds)
        explore_fail(what);
}

static inline void explore_cases(
    const struct explore_case *cases, size_t count, struct explore_state world)
{
    size_t faults = 0;
    for (size_t i = 0; i < count; i++) {
        const char *fault = NULL;
        size_t orders = explore_all(&cases[i], world, &fault);
        print_message("%s: %zu orders with up to %u preemptions%s%s\n", cases[i].name, orders,
            cases[i].preemptions, fault != NULL ? ": " : "", fault != NULL ? fault : "");
        faults += fault != NULL;
        if (explore_must_find && fault != NULL)
            return;
    }
    assert_int_equal(faults, explore_must_find);
}

#define EXPLORE_MAIN(cases, world, world_size)                                                     \
    static void every_order_is_right(void **state)                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        explore_cases(                                                                             \
            cases, sizeof(cases) / sizeof *(cases), (struct explore_state){ world, world_size });  \
    }                                                                                              \
                                                                                                   \
    int main(void)                                                                                 \
    {                                                                                              \
        const struct CMUnitTest tests[] = { cmocka_unit_test(every_order_is_right) };              \
        return cmocka_run_group_tests(tests, NULL, NULL);                                          \
    }

#endif
