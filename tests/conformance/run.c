/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "conformance/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_TESTS = 2048, NAME = 128 };

struct part {
    const struct acre_subject *backend;
    const struct test_case *test_case;
    char name[NAME];
};

static struct part parts[MOST_TESTS];
static struct CMUnitTest tests[MOST_TESTS];
static size_t count;
static const char *only_case; /* null: all */

size_t run_every = 1;

static void run_part(void **state)
{
    const struct part *part = *state;
    struct finding finding;
    struct fixture fixture = { .backend = part->backend };
    const char *why = case_left_out(part->backend, part->test_case);
    size_t arena = scaled(&fixture, part->test_case->arena);
    if (why == NULL && !arena_fits(arena, arena))
        why = "this machine has not so much memory";
    if (why != NULL) {
        print_message("%s: %s\n", part->name, why);
        skip();
    }
    if (!case_run(part->backend, part->test_case, &finding)) {
        print_error("%s\n", finding.text);
        _fail(finding.file, finding.line);
    }
}

static void add_cases(const struct acre_subject *backend, const struct test_case *test_case,
    size_t turn, size_t every)
{
    for (; test_case->name != NULL; test_case++, turn++) {
        if (turn % every != 0 || (only_case != NULL && strcmp(only_case, test_case->name) != 0))
            continue;
        struct part *part = &parts[count];
        part->backend = backend;
        part->test_case = test_case;
        snprintf(part->name, NAME, "%s: %s", backend->name, test_case->name);
        tests[count++] = (struct CMUnitTest){ part->name, run_part, NULL, NULL, part };
    }
}

static void add_backend(const struct acre_subject *backend, const struct test_case *const *lists,
    size_t list_count, size_t turn, size_t every)
{
    for (size_t i = 0; i < list_count; i++)
        add_cases(backend, lists[i], turn, every);
}

/* All backends. Under valgrind all takes fifty times as long. */
static void add_backends(const struct test_case *const *lists, size_t list_count)
{
    size_t every = getenv("ACRE_VALGRIND") != NULL ? 12 : run_every;
    for (size_t i = 0; backends[i] != NULL; i++)
        add_backend(backends[i], lists, list_count, i, every);
    for (size_t i = 0; loose_backends[i] != NULL; i++)
        add_backend(loose_backends[i], lists, list_count, i, every);
}

int run_cases(const char *group, const struct test_case *const *lists, size_t list_count, int argc,
    char **argv)
{
    const struct acre_subject *only = argc >= 2 ? backend_find(argv[1]) : NULL;
    if (argc > 3 || (argc >= 2 && only == NULL)) {
        fprintf(stderr, "usage: %s [BACKEND [TEST-CASE]]\n", argv[0]);
        return 2;
    }
    only_case = argc == 3 ? argv[2] : NULL;
    count = 0;
    if (only != NULL)
        add_backend(only, lists, list_count, 0, 1);
    else
        add_backends(lists, list_count);
    if (count == 0) {
        fprintf(stderr, "%s: no test case '%s'\n", argv[0], only_case);
        return 2;
    }
    int failed = _cmocka_run_group_tests(group, tests, count, NULL, NULL);
    if (bad_pointers_left_out > 0)
        print_message("%zu bad pointers left out: %s\n", bad_pointers_left_out, NOT_EXACT);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
