/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/** `acre record`: how commands end, and what is said when one cannot be recorded. */
#include "record/harness.h"

#include <sys/resource.h>

static void a_program_that_allocates_nothing_has_a_trace(void **state)
{
    (void)state;
    assert_int_equal(record("", subject, "nothing"), 3);
    assert_int_equal(totals().lost, 0);
    assert_int_equal(count_sizes(ACRE_TRACE_ALLOC, SEQUENCE_MARK, SEQUENCE_MARK), 0);
}

static void what_cannot_be_run_is_said(void **state)
{
    (void)state;
    assert_int_equal(record("", "/nonexistent/program", NULL), 127);
    assert_true(was_said("cannot run '/nonexistent/program': No such file or directory"));
    assert_int_equal(access(trace, F_OK), -1);
    assert_int_equal(record("", "/etc/passwd", NULL), 126);
    assert_true(was_said("Permission denied"));
    assert_int_equal(record("--frobnicate", subject, "short"), 2);
}

static void a_trace_that_cannot_be_written_is_said_first(void **state)
{
    (void)state;
    assert_int_equal(record("-o /nonexistent/trace", subject, "short"), 125);
    assert_true(was_said("cannot write '/nonexistent/trace': No such file"));
    assert_int_equal(record("-o /dev/full", subject, "short"), 125);
    assert_true(was_said("cannot write '/dev/full': No space left"));
}

/** As record, with a limit on the size of files. */
static int record_limited(rlim_t size, const char *mode)
{
    struct rlimit before, limit;
    int status;
    pid_t pid;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){ size, before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    pid = start("", subject, mode);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/** The recorder's files may be larger than what the program is allowed to write. */
static void a_limit_on_files_ends_the_record_only(void **state)
{
    (void)state;
    assert_int_equal(record_limited(128 << 10, "threads"), 0);
    assert_true(was_said("a process stopped recording early: File too large"));
    assert_int_equal(record_limited(4096, "nothing"), 3);
}

static void a_static_program_is_named(void **state)
{
    char fixed[sizeof subject + 8];

    (void)state;
    snprintf(fixed, sizeof fixed, "%s-static", subject);
    if (access(fixed, X_OK) != 0) {
        print_message("no static C library to build with\n");
        skip();
    }
    assert_int_equal(record("", fixed, "short"), 125);
    assert_true(was_said("it is statically linked"));
    assert_int_equal(access(trace, F_OK), -1);
}

static void json_says_the_same(void **state)
{
    (void)state;
    assert_int_equal(record("--json", subject, "fork"), 0);
    assert_true(was_said("\"processes\":2"));
    assert_true(was_said("\"lost\":0"));
    assert_true(was_said("\"exit_code\":0"));
}

static void a_signal_to_the_tool_reaches_the_command(void **state)
{
    static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        pid_t pid = start("", subject, "pause");

        while (access(said, R_OK) != 0 || !was_said("here"))
            usleep(1000);
        kill(pid, signals[i]);
        assert_int_equal(end(pid), 128 + signals[i]);
        expect_nothing_lost(1);
        assert_int_equal(count_sizes(ACRE_TRACE_ALLOC, 1000, 1000), 5);
    }
}

static void children_are_waited_for_when_asked(void **state)
{
    (void)state;
    assert_int_equal(record("--wait", subject, "orphan"), 0);
    expect_nothing_lost(1);
    assert_int_equal(count_sizes(ACRE_TRACE_ALLOC, SEQUENCE_MARK, SEQUENCE_MARK), 1);
}

static void children_are_not_waited_for_otherwise(void **state)
{
    (void)state;
    assert_int_equal(record("", subject, "orphan"), 0);
    assert_int_equal(totals().lost, 0);
    assert_int_equal(count_sizes(ACRE_TRACE_ALLOC, SEQUENCE_MARK, SEQUENCE_MARK), 0);
}

static void nothing_is_lost_however_it_ends(void **state)
{
    static const struct {
        const char *mode;
        int code;
    } ends[] = { { "exit", 7 }, { "abort", 128 + SIGABRT }, { "kill", 128 + SIGKILL } };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(record("", subject, ends[i].mode), ends[i].code);
        expect_nothing_lost(1);
        assert_int_equal(count_sizes(ACRE_TRACE_ALLOC, 1, 1), 5);
        assert_int_equal(count_sizes(ACRE_TRACE_ALLOC, 1000, 1000), 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_that_allocates_nothing_has_a_trace),
        cmocka_unit_test(what_cannot_be_run_is_said),
        cmocka_unit_test(a_trace_that_cannot_be_written_is_said_first),
        cmocka_unit_test(a_limit_on_files_ends_the_record_only),
        cmocka_unit_test(a_static_program_is_named),
        cmocka_unit_test(json_says_the_same),
        cmocka_unit_test(a_signal_to_the_tool_reaches_the_command),
        cmocka_unit_test(children_are_waited_for_when_asked),
        cmocka_unit_test(children_are_not_waited_for_otherwise),
        cmocka_unit_test(nothing_is_lost_however_it_ends),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
