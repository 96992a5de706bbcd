/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <cmocka.h>

#include "kernel/console.h"
#include "kernel/kernel.h"

size_t metal_passed, metal_skipped;

static const char *running; /* the test at work */

static void put(void *arg, char byte)
{
    (void)arg;
    console_print("%c", byte);
}

void print_message(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    console_format(put, NULL, format, args);
    va_end(args);
}

/* The first finding ends the run. */
void finding_raise(const char *file, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    console_print("FAILED: %s: %s:%d: ", running, file, line);
    console_format(put, NULL, format, args);
    console_print("\n%zu passed, 1 failed, %zu skipped\n", metal_passed, metal_skipped);
    va_end(args);
    machine_exit(1);
}

bool finding_catch(struct finding *finding, void (*rule)(void *arg), void *arg)
{
    (void)finding;
    rule(arg);
    return true;
}

/* A skipped test counts as such only: the runner is about to count it as passed. */
void metal_skip(void)
{
    metal_skipped++;
    metal_passed--;
}

static void run(const struct CMUnitTest *test)
{
    void *state = test->initial_state;
    running = test->name;
    if (test->setup_func != NULL && test->setup_func(&state) != 0)
        finding_raise(test->name, 0, "its setup failed");
    test->test_func(&state);
    if (test->teardown_func != NULL && test->teardown_func(&state) != 0)
        finding_raise(test->name, 0, "its teardown failed");
    metal_passed++;
}

int _cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests, size_t count,
    CMFixtureFunction *setup, CMFixtureFunction *teardown)
{
    void *state = NULL;
    size_t skipped = metal_skipped;
    running = group;
    if (setup != NULL && setup(&state) != 0)
        finding_raise(group, 0, "its setup failed");
    for (size_t i = 0; i < count; i++)
        run(&tests[i]);
    if (teardown != NULL && teardown(&state) != 0)
        finding_raise(group, 0, "its teardown failed");
    console_print("%s: %zu tests, %zu of them skipped\n", group, count, metal_skipped - skipped);
    return 0;
}
