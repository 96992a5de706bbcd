/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/** The plain text form: read as the other is, and refused with the line and the reason. */
#include "trace_stream.h"

#include <stdio.h>

static struct stream text_stream(const char *text)
{
    struct stream stream = { 0 };

    put(&stream, text, strlen(text));
    return stream;
}

static struct acre_trace_reader open_text(struct stream *stream, struct purse *purse)
{
    struct acre_trace_reader reader;

    assert_int_equal(open_reader(&reader, stream, purse, 0), ACRE_TRACE_OK);
    return reader;
}

static void every_line_is_an_event(void **state)
{
    static const char text[] = "acre-trace 1\n"
                               "# written by hand\n"
                               "process 42 7 started my program\n"
                               "m 1 100\r\n"
                               "\n"
                               "  t 3\n"
                               "@ 0x3e8   # a microsecond\n"
                               "c 0x20000010 0\n"
                               "a 3 77 4096\n"
                               "r 1 18446744073709551615 9\n"
                               "x r 3 5\n"
                               "x m 6\n"
                               "x a 7 64\n"
                               "f 0x20000010\n"
                               "@ 5\n"
                               "f 9\n"
                               "end 2 1\n";
    struct stream stream = text_stream(text);
    struct purse purse = { 0 };
    struct acre_trace_reader reader;
    struct acre_trace_event event;

    (void)state;
    for (stream.step = 0; stream.step < 3; stream.step++) {
        reader = open_text(&stream, &purse);
        event = expect(&reader, ACRE_TRACE_PROCESS);
        assert_int_equal(event.about->pid, 42);
        assert_int_equal(event.about->parent_pid, 7);
        assert_string_equal(event.about->name, "my program");
        event = expect(&reader, ACRE_TRACE_ALLOC);
        assert_true(event.slot == 0 && event.size == 100 && event.thread == 0);
        event = expect(&reader, ACRE_TRACE_ALLOC);
        assert_true(event.slot == 1 && event.call == ACRE_TRACE_CALLOC && event.size == 0);
        assert_true(event.thread == 3 && event.time_ns == 1000);
        event = expect(&reader, ACRE_TRACE_ALLOC);
        assert_true(event.slot == 2 && event.align == 4096);
        event = expect(&reader, ACRE_TRACE_RESIZE);
        assert_true(event.slot == 0 && event.size == UINT64_MAX && event.old_size == 100);
        event = expect(&reader, ACRE_TRACE_FAILED);
        assert_true(event.has_slot && event.slot == 2 && event.size == 5);
        event = expect(&reader, ACRE_TRACE_FAILED);
        assert_true(!event.has_slot && event.call == ACRE_TRACE_MALLOC && event.size == 6);
        event = expect(&reader, ACRE_TRACE_FAILED);
        assert_true(event.call == ACRE_TRACE_MEMALIGN && event.align == 64);
        event = expect(&reader, ACRE_TRACE_FREE);
        assert_true(event.slot == 1 && event.size == 0);
        event = expect(&reader, ACRE_TRACE_FREE);
        assert_true(event.slot == 0 && event.size == UINT64_MAX && event.time_ns == 1000);
        event = expect(&reader, ACRE_TRACE_PROCESS_END);
        assert_true(event.totals.events == 9 && event.totals.lost == 2);
        event = expect(&reader, ACRE_TRACE_END);
        assert_true(event.totals.processes == 1 && event.totals.unmatched == 1);
        assert_int_equal(acre_trace_reader_next(&reader, &event), ACRE_TRACE_DONE);
        acre_trace_reader_close(&reader);
        assert_int_equal(purse.held, 0);
    }
    free(stream.bytes);
}

static void sections_need_not_be_spelt_out(void **state)
{
    struct stream stream = text_stream("acre-trace 1\nm 1 10\nprocess 5 4 forked 1 x\n"
                                       "m 1 10\nend\nm 1 30\n");
    struct purse purse = { 0 };
    struct acre_trace_reader reader = open_text(&stream, &purse);
    struct acre_trace_event event;

    (void)state;
    assert_int_equal(expect(&reader, ACRE_TRACE_PROCESS).about->pid, 0);
    expect(&reader, ACRE_TRACE_ALLOC);
    expect(&reader, ACRE_TRACE_PROCESS_END);
    event = expect(&reader, ACRE_TRACE_PROCESS);
    assert_int_equal(event.about->inherited, 1);
    assert_int_equal(event.process, 1);
    assert_true(expect(&reader, ACRE_TRACE_ALLOC).inherited);
    expect(&reader, ACRE_TRACE_PROCESS_END);
    assert_string_equal(expect(&reader, ACRE_TRACE_PROCESS).about->name, "");
    event = expect(&reader, ACRE_TRACE_ALLOC);
    assert_true(event.slot == 0 && event.size == 30);
    expect(&reader, ACRE_TRACE_PROCESS_END);
    assert_int_equal(expect(&reader, ACRE_TRACE_END).totals.processes, 3);
    acre_trace_reader_close(&reader);
    free(stream.bytes);
}

static void a_text_may_be_empty(void **state)
{
    struct stream stream = text_stream("acre-trace 1\n");

    (void)state;
    assert_int_equal(read_all(&stream, NULL), ACRE_TRACE_DONE);
    free(stream.bytes);
}

static void a_long_text_is_read_in_pieces(void **state)
{
    struct stream stream = text_stream("acre-trace 1\n");
    struct purse purse = { 0 };
    struct acre_trace_reader reader;
    char line[64];

    (void)state;
    for (unsigned i = 0; i < 20000; i++)
        put(&stream, line, (size_t)snprintf(line, sizeof line, "m %u %u\nf %u\n", i, i * 7, i));
    reader = open_text(&stream, &purse);
    expect(&reader, ACRE_TRACE_PROCESS);
    for (unsigned i = 0; i < 20000; i++) {
        assert_int_equal(expect(&reader, ACRE_TRACE_ALLOC).size, i * 7);
        assert_int_equal(expect(&reader, ACRE_TRACE_FREE).slot, 0);
        assert_int_equal(reader.line, i * 2 + 4);
    }
    assert_true(purse.held <= ACRE_TRACE_CHUNK_MAX + 64 * 96);
    acre_trace_reader_close(&reader);
    free(stream.bytes);
}

static const struct {
    enum acre_trace_status status;
    unsigned line;
    const char *detail;
    const char *text;
} faults[] = {
    { ACRE_TRACE_FOREIGN, 0, "does not begin", "acre trace 1\n" },
    { ACRE_TRACE_FOREIGN, 1, "does not name a version", "acre-trace one\n" },
    { ACRE_TRACE_FOREIGN, 1, "does not name a version", "acre-trace 1 2\n" },
    { ACRE_TRACE_FOREIGN, 0, "does not begin", "acre-\n" },
    { ACRE_TRACE_NEWER, 1, "newer", "acre-trace 2\n" },
    { ACRE_TRACE_CORRUPT, 1, "version 0", "acre-trace 0\n" },
    { ACRE_TRACE_TRUNCATED, 1, "no end", "acre-trace 1" },
    { ACRE_TRACE_TRUNCATED, 2, "no end", "acre-trace 1\nm 1 10" },
    { ACRE_TRACE_CORRUPT, 2, "unknown kind", "acre-trace 1\nmalloc 1 10\n" },
    { ACRE_TRACE_CORRUPT, 2, "has not begun", "acre-trace 1\nend\n" },
    { ACRE_TRACE_CORRUPT, 3, "unknown kind", "acre-trace 1\n\nx z 1\n" },
    { ACRE_TRACE_CORRUPT, 2, "missing or malformed", "acre-trace 1\nm 1\n" },
    { ACRE_TRACE_CORRUPT, 2, "missing or malformed", "acre-trace 1\nm one 1\n" },
    { ACRE_TRACE_CORRUPT, 2, "missing or malformed", "acre-trace 1\nm 1 10k\n" },
    { ACRE_TRACE_CORRUPT, 2, "missing or malformed", "acre-trace 1\nm 0x 10\n" },
    { ACRE_TRACE_CORRUPT, 2, "missing or malformed", "acre-trace 1\nm 1 -1\n" },
    { ACRE_TRACE_CORRUPT, 2, "64 bits", "acre-trace 1\nm 1 18446744073709551616\n" },
    { ACRE_TRACE_CORRUPT, 2, "64 bits", "acre-trace 1\nm 0x10000000000000000 1\n" },
    { ACRE_TRACE_CORRUPT, 2, "more words", "acre-trace 1\nm 1 2 3\n" },
    { ACRE_TRACE_CORRUPT, 3, "more words", "acre-trace 1\nm 1 2\nt 1 1\n" },
    { ACRE_TRACE_CORRUPT, 2, "not live", "acre-trace 1\nf 1\n" },
    { ACRE_TRACE_CORRUPT, 4, "not live", "acre-trace 1\nm 1 2\nf 1\nf 1\n" },
    { ACRE_TRACE_CORRUPT, 2, "not live", "acre-trace 1\nx r 1 5\n" },
    { ACRE_TRACE_CORRUPT, 3, "that a live block has", "acre-trace 1\nm 1 2\nm 1 2\n" },
    { ACRE_TRACE_CORRUPT, 4, "that a live block has", "acre-trace 1\nm 1 2\nm 2 2\nr 1 5 2\n" },
    { ACRE_TRACE_CORRUPT, 2, "power of two", "acre-trace 1\na 1 2 24\n" },
    { ACRE_TRACE_CORRUPT, 2, "power of two", "acre-trace 1\nx a 2 0\n" },
    { ACRE_TRACE_CORRUPT, 2, "neither started", "acre-trace 1\nprocess 1 2 x\n" },
    { ACRE_TRACE_CORRUPT, 2, "out of range", "acre-trace 1\nprocess 4294967296 2 started\n" },
    { ACRE_TRACE_CORRUPT, 3, "out of range", "acre-trace 1\nm 1 1\nt 16777217\n" },
    { ACRE_TRACE_CORRUPT, 3, "inherited blocks", "acre-trace 1\nprocess 1 2 forked 1\nend\n" },
};

static void faults_are_named_with_their_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct stream stream = text_stream(faults[i].text);
        struct purse purse = { 0 };
        struct acre_trace_reader reader;
        struct acre_trace_event event;
        enum acre_trace_status status = open_reader(&reader, &stream, &purse, 0);

        while (status == ACRE_TRACE_OK)
            status = acre_trace_reader_next(&reader, &event);
        if (status != faults[i].status || reader.line != faults[i].line ||
            !strstr(reader.detail, faults[i].detail))
            fail_msg("case %zu: status %d, line %u, \"%s\"", i, status, (unsigned)reader.line,
                reader.detail);
        acre_trace_reader_close(&reader);
        assert_int_equal(purse.held, 0);
        free(stream.bytes);
    }
}

static void a_line_that_is_too_long_is_refused(void **state)
{
    struct stream stream = text_stream("acre-trace 1\n#");
    const char *detail;

    (void)state;
    for (unsigned i = 0; i < 1022; i++)
        put(&stream, ".", 1);
    put(&stream, "\n", 1);
    assert_int_equal(read_all(&stream, NULL), ACRE_TRACE_DONE);
    stream.bytes[stream.size - 1] = '.';
    put(&stream, "\n", 1);
    assert_int_equal(read_all(&stream, &detail), ACRE_TRACE_CORRUPT);
    assert_non_null(strstr(detail, "too long"));
    free(stream.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_is_an_event),
        cmocka_unit_test(sections_need_not_be_spelt_out),
        cmocka_unit_test(a_text_may_be_empty),
        cmocka_unit_test(a_long_text_is_read_in_pieces),
        cmocka_unit_test(faults_are_named_with_their_line),
        cmocka_unit_test(a_line_that_is_too_long_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
