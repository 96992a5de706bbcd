/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/** What the tests of `acre record` share: running the tool, reading what it wrote and said. */
#ifndef ACRE_TESTS_RECORD_HARNESS_H
#define ACRE_TESTS_RECORD_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "record/sequence.h"
#include "trace/trace_file.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/acre-test-record-XXXXXX";
static char trace[64], said[64];
static char tool[4096], subject[4096];

/* ---- running ---- */

static inline int set_up(void **state)
{
    const char *build = getenv("ACRE_BUILD");

    (void)state;
    if (!build || !mkdtemp(folder))
        return -1;
    snprintf(trace, sizeof trace, "%s/trace", folder);
    snprintf(said, sizeof said, "%s/said", folder);
    snprintf(tool, sizeof tool, "%s/acre", build);
    snprintf(subject, sizeof subject, "%s/tests/record-subject", build);
    /* The spool goes there too, so that what is left behind is seen. */
    return setenv("TMPDIR", folder, 1);
}

static inline int tear_down(void **state)
{
    (void)state;
    unlink(trace);
    unlink(said);
    /* Fails when a spool folder was left. */
    return rmdir(folder);
}

/** Becomes the tool, its standard error in a file. */
static inline _Noreturn void become(char **argv)
{
    int fd = open(said, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    dup2(fd, STDERR_FILENO);
    close(fd);
    execv(tool, argv);
    _exit(96);
}

/** Starts `acre record [option...] -o trace -- command...`. */
static inline pid_t start(const char *options, const char *command, const char *argument)
{
    char *argv[16] = { tool, (char *)(uintptr_t) "record", (char *)(uintptr_t) "-o", trace };
    char words[128];
    int count = 4;
    pid_t pid;

    snprintf(words, sizeof words, "%s", options);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
        argv[count++] = word;
    argv[count++] = (char *)(uintptr_t) "--";
    argv[count++] = (char *)(uintptr_t)command;
    argv[count] = (char *)(uintptr_t)argument;
    unlink(trace);
    unlink(said);
    pid = fork();
    if (pid == 0)
        become(argv);
    return pid;
}

/** Waits for the tool; returns its exit code. */
static inline int end(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static inline int record(const char *options, const char *command, const char *argument)
{
    return end(start(options, command, argument));
}

static inline bool was_said(const char *text)
{
    char line[4096] = "";
    FILE *file = fopen(said, "r");

    assert_non_null(file);
    line[fread(line, 1, sizeof line - 1, file)] = '\0';
    fclose(file);
    return strstr(line, text) != NULL;
}

/* ---- reading ---- */

static inline struct acre_trace_input *open_trace(void)
{
    struct acre_trace_input *input = acre_trace_input_open(trace, 0);

    assert_non_null(input);
    if (acre_trace_input_status(input) != ACRE_TRACE_OK)
        fail_msg("%s", acre_trace_input_message(input));
    return input;
}

static inline struct acre_trace_event next(struct acre_trace_input *input)
{
    struct acre_trace_event event;

    if (acre_trace_input_next(input, &event) != ACRE_TRACE_OK)
        fail_msg("%s", acre_trace_input_message(input));
    return event;
}

/** Reads on to the first allocation of `size` bytes. */
static inline struct acre_trace_event seek_alloc(struct acre_trace_input *input, uint64_t size)
{
    struct acre_trace_event event;

    do {
        event = next(input);
        if (event.op == ACRE_TRACE_END)
            fail_msg("no allocation of %llu bytes", (unsigned long long)size);
    } while (event.op != ACRE_TRACE_ALLOC || event.size != size);
    return event;
}

static inline struct acre_trace_event seek_op(struct acre_trace_input *input, enum acre_trace_op op)
{
    struct acre_trace_event event;

    do {
        event = next(input);
    } while (event.op != op);
    return event;
}

/** Counts allocations of sizes from `from` to `to` in the whole trace; frees of them if `freed`. */
static inline unsigned count_sizes(enum acre_trace_op op, uint64_t from, uint64_t to)
{
    struct acre_trace_input *input = open_trace();
    struct acre_trace_event event;
    unsigned count = 0;

    do {
        event = next(input);
        count += event.op == op && !event.inherited && event.size >= from && event.size <= to;
    } while (event.op != ACRE_TRACE_END);
    acre_trace_input_close(input);
    return count;
}

static inline struct acre_trace_totals totals(void)
{
    struct acre_trace_input *input = open_trace();
    struct acre_trace_event event = seek_op(input, ACRE_TRACE_END);

    acre_trace_input_close(input);
    return event.totals;
}

static inline void expect_nothing_lost(uint64_t processes)
{
    const struct acre_trace_totals all = totals();

    assert_int_equal(all.processes, processes);
    assert_int_equal(all.lost, 0);
    assert_int_equal(all.unmatched, 0);
}

#endif
