/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/** `acre record` against a program whose calls are known: nothing lost, whatever ends it. */
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

static int set_up(void **state)
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

static int tear_down(void **state)
{
    (void)state;
    unlink(trace);
    unlink(said);
    /* Fails when a spool folder was left. */
    return rmdir(folder);
}

/** Becomes the tool, its standard error in a file. */
static _Noreturn void become(char **argv)
{
    int fd = open(said, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    dup2(fd, STDERR_FILENO);
    close(fd);
    execv(tool, argv);
    _exit(96);
}

/** Starts `acre record [option...] -o trace -- command...`. */
static pid_t start(const char *options, const char *command, const char *argument)
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
static int end(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int record(const char *options, const char *command, const char *argument)
{
    return end(start(options, command, argument));
}

static bool was_said(const char *text)
{
    char line[4096] = "";
    FILE *file = fopen(said, "r");

    assert_non_null(file);
    line[fread(line, 1, sizeof line - 1, file)] = '\0';
    fclose(file);
    return strstr(line, text) != NULL;
}

/* ---- reading ---- */

static struct acre_trace_input *open_trace(void)
{
    struct acre_trace_input *input = acre_trace_input_open(trace, 0);

    assert_non_null(input);
    if (acre_trace_input_status(input) != ACRE_TRACE_OK)
        fail_msg("%s", acre_trace_input_message(input));
    return input;
}

static struct acre_trace_event next(struct acre_trace_input *input)
{
    struct acre_trace_event event;

    if (acre_trace_input_next(input, &event) != ACRE_TRACE_OK)
        fail_msg("%s", acre_trace_input_message(input));
    return event;
}

/** Reads on to the first allocation of `size` bytes. */
static struct acre_trace_event seek_alloc(struct acre_trace_input *input, uint64_t size)
{
    struct acre_trace_event event;

    do {
        event = next(input);
        if (event.op == ACRE_TRACE_END)
            fail_msg("no allocation of %llu bytes", (unsigned long long)size);
    } while (event.op != ACRE_TRACE_ALLOC || event.size != size);
    return event;
}

static struct acre_trace_event seek_op(struct acre_trace_input *input, enum acre_trace_op op)
{
    struct acre_trace_event event;

    do {
        event = next(input);
    } while (event.op != op);
    return event;
}

/** Counts allocations of sizes from `from` to `to` in the whole trace; frees of them if `freed`. */
static unsigned count_sizes(enum acre_trace_op op, uint64_t from, uint64_t to)
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

static struct acre_trace_totals totals(void)
{
    struct acre_trace_input *input = open_trace();
    struct acre_trace_event event = seek_op(input, ACRE_TRACE_END);

    acre_trace_input_close(input);
    return event.totals;
}

static void expect_nothing_lost(uint64_t processes)
{
    const struct acre_trace_totals all = totals();

    assert_int_equal(all.processes, processes);
    assert_int_equal(all.lost, 0);
    assert_int_equal(all.unmatched, 0);
}

/* ---- the sequence ---- */

static void expect_step(struct acre_trace_input *input, const struct step *step, uint32_t *slots)
{
    static const enum acre_trace_op ops[] = { ACRE_TRACE_ALLOC, ACRE_TRACE_ALLOC, ACRE_TRACE_ALLOC,
        ACRE_TRACE_RESIZE, ACRE_TRACE_FREE };
    struct acre_trace_event event = next(input);

    assert_int_equal(event.op, ops[step->call]);
    if (event.op == ACRE_TRACE_ALLOC)
        slots[step->block] = event.slot;
    else
        assert_int_equal(event.slot, slots[step->block]);
    assert_int_equal(event.size, step->call == STEP_FREE ? step->old_size : step->size);
    if (event.op == ACRE_TRACE_ALLOC) {
        assert_int_equal(event.align, step->align);
        assert_int_equal(event.call, (enum acre_trace_call)step->call);
    }
}

static void expect_sequence(struct acre_trace_input *input, uint64_t seed, unsigned steps)
{
    static struct sequence sequence;
    static uint32_t slots[SEQUENCE_BLOCKS];
    const struct acre_trace_event mark = seek_alloc(input, SEQUENCE_MARK);
    struct acre_trace_event event;

    sequence = (struct sequence){ .seed = seed };
    for (unsigned i = 0; i < steps; i++) {
        struct step step = sequence_next(&sequence);

        expect_step(input, &step, slots);
    }
    event = next(input);
    assert_int_equal(event.op, ACRE_TRACE_FREE);
    assert_int_equal(event.slot, mark.slot);
}

static void expect_sequence_alone(uint64_t seed, unsigned steps)
{
    struct acre_trace_input *input = open_trace();

    expect_sequence(input, seed, steps);
    acre_trace_input_close(input);
}

/* ---- tests ---- */

static void a_known_sequence_is_recorded_exactly(void **state)
{
    (void)state;
    assert_int_equal(record("", subject, "sequence"), 0);
    expect_nothing_lost(1);
    expect_sequence_alone(1, 100000);
    assert_true(was_said(" events, 1 process, 1 thread;"));
}

static void a_small_ring_is_enough(void **state)
{
    (void)state;
    assert_int_equal(record("--buffer=8K --quiet", subject, "sequence"), 0);
    expect_nothing_lost(1);
    expect_sequence_alone(1, 100000);
    assert_false(was_said("acre"));
}

static void threads_free_each_others_blocks(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(record(i ? "--buffer=8K" : "", subject, "threads"), 0);
        expect_nothing_lost(1);
        for (unsigned thread = 1; thread <= 4; thread++) {
            assert_int_equal(
                count_sizes(ACRE_TRACE_ALLOC, thread * 1000, thread * 1000 + 99), 20000);
            assert_int_equal(
                count_sizes(ACRE_TRACE_FREE, thread * 1000, thread * 1000 + 99), 20000);
        }
        assert_true(was_said(" 5 threads"));
    }
}

static void each_threads_calls_keep_their_order(void **state)
{
    unsigned seen[16] = { 0 };
    unsigned thread_of[5] = { 0 };
    struct acre_trace_input *input;
    struct acre_trace_event event;

    (void)state;
    assert_int_equal(record("", subject, "threads"), 0);
    input = open_trace();
    do {
        unsigned which;

        event = next(input);
        which = (unsigned)event.size / 1000;
        if (event.op != ACRE_TRACE_ALLOC || which < 1 || which > 4 || event.size % 1000 > 99)
            continue;
        assert_true(event.thread < 16);
        if (!thread_of[which])
            thread_of[which] = event.thread;
        assert_int_equal(event.thread, thread_of[which]);
        assert_int_equal(event.size % 1000, seen[event.thread]++ % 100);
    } while (event.op != ACRE_TRACE_END);
    acre_trace_input_close(input);
}

static void a_forked_child_inherits_its_parents_blocks(void **state)
{
    struct acre_trace_input *input;
    struct acre_trace_event event, section;
    unsigned inherited = 0;

    (void)state;
    assert_int_equal(record("", subject, "fork"), 0);
    expect_nothing_lost(2);
    input = open_trace();
    section = next(input);
    assert_int_equal(section.about->origin, ACRE_TRACE_STARTED);
    seek_op(input, ACRE_TRACE_PROCESS_END);
    section = next(input);
    assert_int_equal(section.about->origin, ACRE_TRACE_FORKED);
    assert_int_equal(section.process, 1);
    for (uint64_t left = section.about->inherited; left; left--) {
        event = next(input);
        assert_true(event.op == ACRE_TRACE_ALLOC && event.inherited);
        inherited += event.size >= 7001 && event.size <= 7010;
    }
    assert_int_equal(inherited, 10);
    for (unsigned i = 0; i < 5; i++) {
        event = next(input);
        assert_int_equal(event.op, ACRE_TRACE_FREE);
        assert_int_equal(event.size, 7001 + i);
    }
    for (unsigned i = 0; i < 3; i++) {
        event = next(input);
        assert_int_equal(event.op, ACRE_TRACE_ALLOC);
        assert_int_equal(event.size, 8001 + i);
        assert_false(event.inherited);
    }
    event = next(input);
    assert_int_equal(event.op, ACRE_TRACE_PROCESS_END);
    acre_trace_input_close(input);
}

static void a_fork_past_the_library_does_not_harm_the_parent(void **state)
{
    (void)state;
    assert_int_equal(record("", subject, "raw-fork"), 0);
    assert_int_equal(totals().processes, 2);
    assert_int_equal(totals().unmatched, 5);
    assert_int_equal(count_sizes(ACRE_TRACE_ALLOC, 7001, 7010), 10);
    assert_int_equal(count_sizes(ACRE_TRACE_FREE, 7006, 7010), 5);
    assert_int_equal(count_sizes(ACRE_TRACE_ALLOC, 8001, 8003), 3);
}

static void many_forks_beside_a_thread(void **state)
{
    (void)state;
    assert_int_equal(record("", subject, "fork-many"), 0);
    assert_int_equal(totals().processes, 101);
    assert_int_equal(totals().unmatched, 0);
    assert_int_equal(count_sizes(ACRE_TRACE_ALLOC, 7001, 7001), 100);
    assert_int_equal(count_sizes(ACRE_TRACE_ALLOC, 1000, 1099), 20000);
}

static void programs_executed_are_sections_of_their_own(void **state)
{
    static const char *const modes[] = { "exec", "vfork", "spawn" };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct acre_trace_input *input;

        assert_int_equal(record("", subject, modes[i]), 0);
        expect_nothing_lost(2);
        input = open_trace();
        seek_alloc(input, 7001);
        seek_op(input, ACRE_TRACE_PROCESS);
        expect_sequence(input, 2, 1000);
        acre_trace_input_close(input);
    }
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

static void expect_failed(
    struct acre_trace_input *input, enum acre_trace_call call, uint64_t size, uint64_t align)
{
    struct acre_trace_event event = next(input);

    assert_int_equal(event.op, ACRE_TRACE_FAILED);
    assert_int_equal(event.call, call);
    assert_true(event.size == size);
    assert_true(event.align == align);
}

static void failed_calls_are_recorded(void **state)
{
    struct acre_trace_input *input;
    struct acre_trace_event event;

    (void)state;
    assert_int_equal(record("", subject, "failed"), 0);
    expect_nothing_lost(1);
    input = open_trace();
    seek_alloc(input, SEQUENCE_MARK);
    expect_failed(input, ACRE_TRACE_MALLOC, PTRDIFF_MAX, 0);
    expect_failed(input, ACRE_TRACE_CALLOC, SIZE_MAX, 0);
    expect_failed(input, ACRE_TRACE_REALLOC, PTRDIFF_MAX, 0);
    expect_failed(input, ACRE_TRACE_REALLOC, SIZE_MAX, 0);
    expect_failed(input, ACRE_TRACE_MEMALIGN, PTRDIFF_MAX, 64);
    event = next(input);
    assert_int_equal(event.op, ACRE_TRACE_FREE);
    assert_int_equal(event.size, SEQUENCE_MARK);
    acre_trace_input_close(input);
}

static void expect_pair(
    struct acre_trace_input *input, enum acre_trace_call call, uint64_t size, uint64_t align)
{
    struct acre_trace_event event = next(input);

    assert_int_equal(event.op, ACRE_TRACE_ALLOC);
    assert_int_equal(event.call, call);
    assert_int_equal(event.size, size);
    assert_int_equal(event.align, align);
    event = next(input);
    assert_int_equal(event.op, ACRE_TRACE_FREE);
    assert_int_equal(event.size, size);
}

static void every_call_has_its_kind(void **state)
{
    struct acre_trace_input *input;
    struct acre_trace_event event;

    (void)state;
    assert_int_equal(record("", subject, "kinds"), 0);
    expect_nothing_lost(1);
    input = open_trace();
    seek_alloc(input, SEQUENCE_MARK);
    expect_pair(input, ACRE_TRACE_MALLOC, 11, 0);
    expect_pair(input, ACRE_TRACE_CALLOC, 12, 0);
    expect_pair(input, ACRE_TRACE_MEMALIGN, 128, 64);
    expect_pair(input, ACRE_TRACE_MEMALIGN, 13, (uint64_t)sysconf(_SC_PAGESIZE));
    event = next(input);
    assert_int_equal(event.size, 1);
    event = next(input);
    assert_int_equal(event.op, ACRE_TRACE_RESIZE);
    assert_int_equal(event.old_size, 1);
    assert_int_equal(event.size, 14);
    event = next(input);
    assert_int_equal(event.op, ACRE_TRACE_FREE);
    expect_pair(input, ACRE_TRACE_MALLOC, 15, 0);
    event = next(input);
    assert_int_equal(event.op, ACRE_TRACE_FREE);
    assert_int_equal(event.size, SEQUENCE_MARK);
    acre_trace_input_close(input);
}

static void closed_descriptors_do_not_matter(void **state)
{
    (void)state;
    assert_int_equal(record("", subject, "closed"), 0);
    expect_nothing_lost(1);
    expect_sequence_alone(2, 1000);
    assert_int_equal(count_sizes(ACRE_TRACE_ALLOC, 1000, 1000) >= 20, true);
}

static void times_rise(void **state)
{
    struct acre_trace_input *input;
    struct acre_trace_event event;
    uint64_t before = 0;

    (void)state;
    assert_int_equal(record("--times", subject, "short"), 0);
    input = open_trace();
    do {
        event = next(input);
        if (event.op == ACRE_TRACE_END || event.op == ACRE_TRACE_PROCESS)
            continue;
        assert_true(event.time_ns >= before);
        before = event.time_ns;
    } while (event.op != ACRE_TRACE_END);
    assert_true(before > 1000);
    acre_trace_input_close(input);
}

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
    assert_true(was_said("'/nonexistent/trace' cannot be written: No such file"));
    assert_int_equal(record("-o /dev/full", subject, "short"), 125);
    assert_true(was_said("'/dev/full' could not be written: No space left"));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_sequence_is_recorded_exactly),
        cmocka_unit_test(a_small_ring_is_enough),
        cmocka_unit_test(threads_free_each_others_blocks),
        cmocka_unit_test(each_threads_calls_keep_their_order),
        cmocka_unit_test(a_forked_child_inherits_its_parents_blocks),
        cmocka_unit_test(a_fork_past_the_library_does_not_harm_the_parent),
        cmocka_unit_test(many_forks_beside_a_thread),
        cmocka_unit_test(programs_executed_are_sections_of_their_own),
        cmocka_unit_test(nothing_is_lost_however_it_ends),
        cmocka_unit_test(a_signal_to_the_tool_reaches_the_command),
        cmocka_unit_test(children_are_waited_for_when_asked),
        cmocka_unit_test(children_are_not_waited_for_otherwise),
        cmocka_unit_test(failed_calls_are_recorded),
        cmocka_unit_test(every_call_has_its_kind),
        cmocka_unit_test(closed_descriptors_do_not_matter),
        cmocka_unit_test(times_rise),
        cmocka_unit_test(a_program_that_allocates_nothing_has_a_trace),
        cmocka_unit_test(what_cannot_be_run_is_said),
        cmocka_unit_test(a_trace_that_cannot_be_written_is_said_first),
        cmocka_unit_test(a_static_program_is_named),
        cmocka_unit_test(json_says_the_same),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
