/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * usage: NAME.broken SUITE
 * Test of the test: a suite, a program that takes the name of a backend, fails over every broken backend
 * and passes over the sound one that they are made from.
 */
#include "support/backends.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char *suite;

static int exit_code(const char *backend)
{
    int how = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int quiet = open("/dev/null", O_WRONLY);
        dup2(quiet, STDOUT_FILENO);
        dup2(quiet, STDERR_FILENO);
        execl(suite, suite, backend, (char *)NULL);
        _exit(2);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    return WIFEXITED(how) ? WEXITSTATUS(how) : 1;
}

static void is_noticed(void **state)
{
    const struct backend *backend = *state;
    int code = exit_code(backend->name);
    assert_int_not_equal(code, 0);
    assert_int_not_equal(code, 2);
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
