/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "dropin_process.h"

#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* How a case ended. */
struct dropin_outcome {
    int status;
    int signal;
    char output[256];
    char errors[4096];
};

static struct dropin_files files;

void dropin_prepare(struct dropin_files new_files)
{
    files = new_files;
}

static void set_environment(const struct dropin_case *test)
{
    static char preload[4096];
    snprintf(preload, sizeof preload, "%s %s %s %s", test->failing ? files.failing : "",
        files.dropin, test->hostile ? files.hostile : "", test->early ? files.early : "");
    unsetenv("ACRE_ALLOCATOR");
    unsetenv("ACRE_POOL");
    unsetenv("ACRE_STATS");
    unsetenv("ACRE_HELP");
    unsetenv("ACRE_HARDEN");
    unsetenv("ACRE_TRACE_FREES");
    for (size_t i = 0; i < 3 && test->variables[i] != NULL; i++)
        putenv((char *)(size_t)test->variables[i]);
    if (test->allocator != NULL)
        setenv("ACRE_ALLOCATOR", test->allocator, 1);
    setenv("LD_PRELOAD", preload, 1);
}

static void limit_addresses(size_t size)
{
    struct rlimit limit = { .rlim_cur = size, .rlim_max = size };
    if (size != 0 && setrlimit(RLIMIT_AS, &limit) != 0)
        _exit(126);
}

static _Noreturn void become_victim(const struct dropin_case *test, int output, int errors)
{
    struct rlimit no_core = { .rlim_cur = 0, .rlim_max = 0 };
    dup2(output, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    setrlimit(RLIMIT_CORE, &no_core);
    set_environment(test);
    limit_addresses(test->addresses);
    const char *victim = files.victims[test->victim];
    execl(victim, victim, test->arguments, (char *)NULL);
    _exit(127);
}

/* Everything written to a temporary file, as a string. */
static void read_back(FILE *file, char *text, size_t size)
{
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

static bool wait_for(pid_t child, struct dropin_outcome *outcome)
{
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child)
        return false;
    outcome->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    outcome->status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    return true;
}

/* Runs a case to its end. False: it could not be started. */
static bool dropin_run(const struct dropin_case *test, struct dropin_outcome *outcome)
{
    FILE *output = tmpfile();
    FILE *errors = tmpfile();
    if (output == NULL || errors == NULL)
        return false;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        become_victim(test, fileno(output), fileno(errors));
    bool ended = wait_for(child, outcome);
    read_back(output, outcome->output, sizeof outcome->output);
    read_back(errors, outcome->errors, sizeof outcome->errors);
    return ended;
}

/* The expression with the victim's pointer in the place of POINTER. */
static void fill_in(char *pattern, size_t size, const char *line, const char *output)
{
    const char *at = strstr(line, "POINTER");
    if (at == NULL)
        snprintf(pattern, size, "%s", line);
    else
        snprintf(pattern, size, "%.*s%.*s%s", (int)(at - line), line, (int)strcspn(output, "\n"),
            output, at + strlen("POINTER"));
}

/* Whether the outcome is the one that the case asks for. */
static bool dropin_matches(const struct dropin_case *test, const struct dropin_outcome *outcome)
{
    char pattern[1024];
    regex_t expression;
    fill_in(pattern, sizeof pattern, test->line, outcome->output);
    if (regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    bool matches = regexec(&expression, outcome->errors, 0, NULL, 0) == 0;
    regfree(&expression);
    return matches && outcome->signal == test->signal && outcome->status == test->status;
}

void dropin_check(void **state)
{
    const struct dropin_case *expected = *state;
    struct dropin_outcome outcome;
    assert_true(dropin_run(expected, &outcome));
    bool as_expected = dropin_matches(expected, &outcome);
    if (!as_expected)
        print_error("%s: status %d, signal %d, expected %d, %d\nsaid: %sexpected: %s\ntold: %s\n",
            expected->name, outcome.status, outcome.signal, expected->status, expected->signal,
            outcome.errors, expected->line, outcome.output);
    assert_true(as_expected);
}
