/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/** Sections written at the same time: read one after the other, complete or cut anywhere. */
#include "trace_stream.h"

#include "trace/trace_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECTIONS = 3, ROUNDS = 10, PER_ROUND = 100, MOST_BYTES = 1 << 20 };

static char path[] = "/tmp/acre-sections-XXXXXX";
static unsigned char bytes[MOST_BYTES];
static size_t size;

/** What a file holds: events of each section, and whether the section has its end. */
struct contents {
    enum acre_trace_status status;
    unsigned processes;
    unsigned events[SECTIONS];
    bool ended[SECTIONS];
    uint64_t lost;
};

/* ---- writing ---- */

/** The size of the n-th block of a section, which tells it from any other. */
static uint64_t size_of_event(unsigned section, unsigned number)
{
    return (uint64_t)number * 7919 % 100000 * SECTIONS + section;
}

static size_t file_size(void)
{
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    size = fread(bytes, 1, sizeof bytes, file);
    assert_int_equal(fclose(file), 0);
    assert_true(size < sizeof bytes);
    return size;
}

static void begin(struct acre_trace_output *section, unsigned number)
{
    struct acre_trace_process about = { number + 1, 0, ACRE_TRACE_STARTED, 0, "section" };

    assert_non_null(section);
    if (number) {
        about.origin = ACRE_TRACE_FORKED;
        about.inherited = PER_ROUND / 2;
    }
    assert_int_equal(acre_trace_write_process(acre_trace_output_writer(section), &about), 0);
}

static void write_round(struct acre_trace_output *section, unsigned number, unsigned round)
{
    uint64_t ordinal;

    for (unsigned i = 0; i < PER_ROUND; i++)
        assert_int_equal(
            acre_trace_write_alloc(acre_trace_output_writer(section), ACRE_TRACE_MALLOC,
                size_of_event(number, round * PER_ROUND + i), 0, &ordinal),
            0);
}

static void end(struct acre_trace_output *section)
{
    assert_int_equal(acre_trace_write_process_end(acre_trace_output_writer(section), 0, 0), 0);
    assert_int_equal(acre_trace_output_close(section), ACRE_TRACE_OK);
}

/** Three sections in turn; `after` receives the length of the file after each flush. */
static void write_sections(struct acre_trace_output *whole, size_t after[ROUNDS])
{
    struct acre_trace_output *sections[SECTIONS];

    assert_non_null(whole);
    for (unsigned i = 0; i < SECTIONS; i++) {
        sections[i] = acre_trace_output_section(whole);
        begin(sections[i], i);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < SECTIONS; i++) {
            write_round(sections[i], i, round);
            if (round % 5 == 4)
                assert_int_equal(acre_trace_output_flush(sections[i]), ACRE_TRACE_OK);
        }
        if (after)
            after[round] = file_size();
    }
    end(sections[1]);
    end(sections[0]);
    end(sections[2]);
    assert_int_equal(acre_trace_output_close(whole), ACRE_TRACE_OK);
}

/* ---- reading ---- */

static void take(struct contents *contents, const struct acre_trace_event *event)
{
    unsigned at = event->process;

    contents->processes += event->op == ACRE_TRACE_PROCESS;
    if (event->op == ACRE_TRACE_ALLOC) {
        assert_true(at < SECTIONS);
        assert_true(event->size == size_of_event(at, contents->events[at]));
        contents->events[at]++;
    }
    if (event->op == ACRE_TRACE_PROCESS_END) {
        assert_int_equal(event->totals.events, contents->events[at]);
        contents->ended[at] = !event->cut;
        contents->lost += event->totals.lost;
    }
}

static struct contents read_from(const char *from)
{
    struct acre_trace_input *input = acre_trace_input_open(from, 0);
    struct contents contents = { .processes = 0 };
    struct acre_trace_event event;
    double progress = 0.0;

    assert_non_null(input);
    while (acre_trace_input_next(input, &event) == ACRE_TRACE_OK) {
        take(&contents, &event);
        assert_true(acre_trace_input_progress(input) >= progress);
        progress = acre_trace_input_progress(input);
    }
    contents.status = acre_trace_input_status(input);
    acre_trace_input_close(input);
    return contents;
}

static struct contents read_cut(size_t length)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    return read_from(path);
}

static void expect_all(const struct contents *contents)
{
    assert_int_equal(contents->status, ACRE_TRACE_DONE);
    assert_int_equal(contents->processes, SECTIONS);
    for (unsigned i = 0; i < SECTIONS; i++)
        assert_true(contents->ended[i] && contents->events[i] == ROUNDS * PER_ROUND);
}

/* ---- tests ---- */

static void sections_are_read_one_after_the_other(void **state)
{
    struct contents contents;

    (void)state;
    write_sections(acre_trace_output_create(path, 1), NULL);
    contents = read_from(path);
    expect_all(&contents);
}

static void a_trace_is_read_again(void **state)
{
    struct acre_trace_input *input;
    struct acre_trace_event event;

    (void)state;
    write_sections(acre_trace_output_create(path, 1), NULL);
    input = acre_trace_input_open(path, 0);
    for (int i = 0; i < 2; i++) {
        while (acre_trace_input_next(input, &event) == ACRE_TRACE_OK) {
        }
        assert_int_equal(acre_trace_input_status(input), ACRE_TRACE_DONE);
        assert_int_equal(event.totals.processes, SECTIONS);
        assert_int_equal(acre_trace_input_rewind(input), ACRE_TRACE_OK);
    }
    acre_trace_input_close(input);
}

/** Wherever the file ends: every event that is there is read, in its section, and nothing else. */
static void a_trace_is_read_as_far_as_it_goes(void **state)
{
    static size_t after[ROUNDS];
    struct contents before = { .processes = 0 };

    (void)state;
    write_sections(acre_trace_output_create(path, 1), after);
    file_size();
    for (size_t length = 4; length < size; length += length < 100 ? 1 : 17) {
        struct contents contents = read_cut(length);

        /* Without the last checksum of the compression, nothing is missing. */
        if (contents.status == ACRE_TRACE_DONE && length + 8 > size)
            expect_all(&contents);
        else
            assert_int_equal(contents.status, ACRE_TRACE_TRUNCATED);
        assert_true(contents.processes >= before.processes);
        for (unsigned i = 0; i < SECTIONS; i++) {
            assert_true(contents.events[i] >= before.events[i]);
            for (unsigned round = 4; round < ROUNDS; round += 5)
                assert_true(length < after[round] || contents.events[i] >= (round + 1) * PER_ROUND);
        }
        before = contents;
    }
    before = read_cut(size);
    expect_all(&before);
}

/** A bit that is turned anywhere, in a slice's header too, is noticed: what is delivered is
 * counted and checked, and never more than was written. */
static void damage_is_noticed(void **state)
{
    (void)state;
    write_sections(acre_trace_output_create(path, 1), NULL);
    file_size();
    for (size_t at = 4; at < size; at += at < 100 ? 3 : 41) {
        struct contents contents;

        bytes[at] ^= (unsigned char)(1u << at % 8);
        contents = read_cut(size);
        bytes[at] ^= (unsigned char)(1u << at % 8);
        if (contents.status == ACRE_TRACE_DONE)
            expect_all(&contents);
        else
            assert_true(contents.status > ACRE_TRACE_DONE);
    }
}

/** Blocks that a child inherited and that are not there are counted as lost. */
static void missing_inherited_blocks_are_counted(void **state)
{
    struct acre_trace_output *whole = acre_trace_output_create(path, 1);
    struct acre_trace_output *section = acre_trace_output_section(whole);
    struct contents contents;
    uint64_t ordinal;

    (void)state;
    begin(section, 1);
    acre_trace_write_alloc(
        acre_trace_output_writer(section), ACRE_TRACE_MALLOC, size_of_event(0, 0), 0, &ordinal);
    assert_int_equal(acre_trace_output_flush(section), ACRE_TRACE_OK);
    contents = read_from(path);
    assert_int_equal(contents.status, ACRE_TRACE_TRUNCATED);
    assert_int_equal(contents.events[0], 1);
    assert_int_equal(contents.lost, PER_ROUND / 2 - 1);
    acre_trace_output_close(section);
    acre_trace_output_abandon(whole);
}

/** Standard input is a pipe: the rest of it is kept in a file once there are slices. */
static void a_pipe_is_read_as_well(void **state)
{
    int ends[2], before = dup(STDIN_FILENO);
    struct contents contents;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        write_sections(acre_trace_output_create_on(ends[1], 1), NULL);
        _exit(0);
    }
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    contents = read_from("-");
    dup2(before, STDIN_FILENO);
    close(before);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    expect_all(&contents);
}

/** The first failure is what every later call reports. */
static void a_full_disk_is_an_error_of_every_section(void **state)
{
    struct acre_trace_output *whole = acre_trace_output_create("/dev/full", 1);
    struct acre_trace_output *sections[2];

    (void)state;
    assert_non_null(whole);
    sections[0] = acre_trace_output_section(whole);
    assert_null(sections[0]);
    assert_int_equal(acre_trace_output_flush(whole), ACRE_TRACE_WRITE_FAILED);
    assert_int_equal(acre_trace_output_close(whole), ACRE_TRACE_WRITE_FAILED);
}

static int make_path(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_are_read_one_after_the_other),
        cmocka_unit_test(a_trace_is_read_again),
        cmocka_unit_test(a_trace_is_read_as_far_as_it_goes),
        cmocka_unit_test(damage_is_noticed),
        cmocka_unit_test(missing_inherited_blocks_are_counted),
        cmocka_unit_test(a_pipe_is_read_as_well),
        cmocka_unit_test(a_full_disk_is_an_error_of_every_section),
    };

    return cmocka_run_group_tests(tests, make_path, remove_path);
}
