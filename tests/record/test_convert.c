/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/** `acre convert`: there and back again, and every event is the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "record/sequence.h"
#include "trace/trace_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEPS = 20000 };

static char folder[] = "/tmp/acre-test-convert-XXXXXX";
static char files[4][64]; /* first, text, second, what is said */
static char tool[4096];

static int set_up(void **state)
{
    static const char *const names[] = { "first", "text", "second", "said" };
    const char *build = getenv("ACRE_BUILD");

    (void)state;
    if (!build || !mkdtemp(folder))
        return -1;
    for (size_t i = 0; i < 4; i++)
        snprintf(files[i], sizeof files[i], "%s/%s", folder, names[i]);
    snprintf(tool, sizeof tool, "%s/acre", build);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++)
        unlink(files[i]);
    return rmdir(folder);
}

static int convert(const char *form, const char *to, const char *from)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        int said = open(files[3], O_WRONLY | O_CREAT | O_TRUNC, 0600);

        dup2(said, STDERR_FILENO);
        execl(tool, tool, "convert", "-o", to, from, form, (char *)NULL);
        _exit(96);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static bool was_said(const char *text)
{
    char line[4096] = "";
    FILE *file = fopen(files[3], "r");

    assert_non_null(file);
    line[fread(line, 1, sizeof line - 1, file)] = '\0';
    fclose(file);
    return strstr(line, text) != NULL;
}

static void write_step(struct acre_trace_writer *writer, const struct step *step, uint64_t *ordinal)
{
    if (step->call == STEP_FREE)
        acre_trace_write_free(writer, *ordinal);
    else if (step->call == STEP_REALLOC)
        acre_trace_write_resize(writer, ordinal, step->size);
    else
        acre_trace_write_alloc(
            writer, (enum acre_trace_call)step->call, step->size, step->align, ordinal);
}

static void write_section(struct acre_trace_writer *writer, uint64_t seed)
{
    static uint64_t ordinals[SEQUENCE_BLOCKS];
    struct sequence sequence = { .seed = seed };
    const struct acre_trace_process about = { (uint32_t)seed, 1, ACRE_TRACE_FORKED, 3, "a name" };

    acre_trace_write_process(writer, &about);
    for (uint64_t i = 0; i < STEPS; i++) {
        struct step step = sequence_next(&sequence);

        acre_trace_write_thread(writer, (uint32_t)(i / 100 % 3));
        acre_trace_write_time(writer, i * 11);
        write_step(writer, &step, &ordinals[step.block]);
    }
    acre_trace_write_failed(writer, ACRE_TRACE_MEMALIGN, UINT64_MAX, 4096);
    acre_trace_write_alloc(writer, ACRE_TRACE_MALLOC, 1, 0, &ordinals[0]);
    acre_trace_write_failed_resize(writer, ordinals[0], UINT64_MAX);
    assert_int_equal(acre_trace_write_process_end(writer, seed, 2), ACRE_TRACE_OK);
}

static struct acre_trace_event next(struct acre_trace_input *input)
{
    struct acre_trace_event event;

    if (acre_trace_input_next(input, &event) != ACRE_TRACE_OK)
        fail_msg("%s", acre_trace_input_message(input));
    return event;
}

static void expect_same(const struct acre_trace_event *a, const struct acre_trace_event *b)
{
    assert_int_equal(a->op, b->op);
    assert_int_equal(a->call, b->call);
    assert_true(a->inherited == b->inherited && a->has_slot == b->has_slot);
    assert_true(a->slot == b->slot && a->thread == b->thread && a->process == b->process);
    assert_true(a->size == b->size && a->old_size == b->old_size && a->align == b->align);
    assert_true(a->time_ns == b->time_ns);
    assert_memory_equal(&a->totals, &b->totals, sizeof a->totals);
    if (a->op == ACRE_TRACE_PROCESS)
        assert_memory_equal(a->about, b->about, sizeof *a->about);
}

static void there_and_back_again(void **state)
{
    struct acre_trace_output *output = acre_trace_output_create(files[0], 1);
    struct acre_trace_input *first, *second;
    struct acre_trace_event a, b;

    (void)state;
    write_section(acre_trace_output_writer(output), 5);
    write_section(acre_trace_output_writer(output), 6);
    assert_int_equal(acre_trace_output_close(output), ACRE_TRACE_OK);
    assert_int_equal(convert("--text", files[1], files[0]), 0);
    assert_int_equal(convert("--", files[2], files[1]), 0);
    first = acre_trace_input_open(files[0], 0);
    second = acre_trace_input_open(files[2], 0);
    do {
        a = next(first);
        b = next(second);
        expect_same(&a, &b);
    } while (a.op != ACRE_TRACE_END);
    assert_int_equal(a.totals.events, 2 * (STEPS + 3));
    acre_trace_input_close(first);
    acre_trace_input_close(second);
}

static void faults_are_said(void **state)
{
    FILE *file = fopen(files[1], "w");

    (void)state;
    fputs("acre-trace 1\nm 1 10\nf 2\n", file);
    fclose(file);
    assert_int_equal(convert("--", files[2], files[1]), 1);
    assert_true(was_said("text:3: trace is corrupt: a line names a block that is not live"));
    assert_int_equal(convert("--", files[2], "/nonexistent"), 1);
    assert_true(was_said("No such file"));
    assert_int_equal(convert("--", "/nonexistent/x", files[1]), 1);
    assert_true(was_said("cannot write"));
    assert_int_equal(convert("--", files[1], files[1]), 2);
    assert_true(was_said("input and output are the same file"));
    assert_int_equal(convert("--text", "/dev/full", files[1]), 1);
}

/* A trace whose first section is sound and whose second is not. */
static void nothing_is_left_of_half_a_trace(void **state)
{
    static const char *const forms[] = { "--", "--text" };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        FILE *file = fopen(files[1], "w");

        fputs("acre-trace 1\nprocess 1 0 started\nm 1 10\nend\nprocess 2 1 started\nf 1\n", file);
        fclose(file);
        assert_int_equal(convert(forms[i], files[2], files[1]), 1);
        assert_true(was_said("text:6: trace is corrupt"));
        assert_int_equal(access(files[2], F_OK), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back_again),
        cmocka_unit_test(faults_are_said),
        cmocka_unit_test(nothing_is_left_of_half_a_trace),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
