/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * usage: NAME.broken SUITE
 *
 * Test of the test: a suite, a program that takes the name of a backend, fails over every broken
 * backend and passes over the sound one that they are made from. What fails is reported at the line
 * of a test case, not of the shared helpers in suite.c.
 */
#include "support/backends.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char *suite;

/* What the suite printed when it ran last. */
static char printed[65536];

static int exit_code(const char *backend)
{
    int how = 0;
    FILE *output = tmpfile();
    assert_non_null(output);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(fileno(output), STDOUT_FILENO);
        dup2(fileno(output), STDERR_FILENO);
        execl(suite, suite, backend, (char *)NULL);
        _exit(2);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    rewind(output);
    printed[fread(printed, 1, sizeof printed - 1, output)] = '\0';
    fclose(output);
    return WIFEXITED(how) ? WEXITSTATUS(how) : 1;
}

/* Whether a failed assertion was reported at a line of the suite's helpers. Sanitizers name these
 * files in their own reports, too. */
static bool blames_helper(void)
{
    static const char mark[] = "[   LINE   ]";
    for (const char *line = strstr(printed, mark); line != NULL; line = strstr(line + 1, mark)) {
        const char *place = strstr(line, "suite.c:");
        if (place != NULL && place < line + strcspn(line, "\n"))
            return true;
    }
    return false;
}

static void is_noticed(void **state)
{
    const struct acre_subject *backend = *state;
    int code = exit_code(backend->name);
    assert_int_not_equal(code, 0);
    assert_int_not_equal(code, 2);
    assert_false(blames_helper());
}

static void sound_one_passes(void **state)
{
    (void)state;
    assert_int_equal(exit_code("naive"), 0);
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[64] = { cmocka_unit_test(sound_one_passes) };
    size_t count = 1;
    if (argc != 2)
        return 2;
    suite = argv[1];
    for (size_t i = 0; broken_backends[i] != NULL; i++)
        tests[count++] = (struct CMUnitTest){ broken_backends[i]->name, is_noticed, NULL, NULL,
            (void *)(uintptr_t)broken_backends[i] };
    return _cmocka_run_group_tests("broken", tests, count, NULL, NULL);
}
