/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/** Traces that are cut, damaged or hostile are refused, with the reason. */
#include "trace_stream.h"

static void small_trace(struct stream *stream)
{
    struct acre_trace_writer writer;
    uint64_t ordinal[40];

    start(&writer, stream, 512);
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(
            acre_trace_write_alloc(&writer, ACRE_TRACE_MALLOC, 1000 * i, 0, &ordinal[i]), 0);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(acre_trace_write_free(&writer, ordinal[i * 2]), 0);
    finish(&writer);
}

static void every_cut_is_noticed(void **state)
{
    struct stream stream;
    size_t whole;

    (void)state;
    small_trace(&stream);
    whole = stream.size;
    for (stream.size = 0; stream.size < whole; stream.size++)
        assert_int_equal(
            read_all(&stream, NULL), stream.size ? ACRE_TRACE_TRUNCATED : ACRE_TRACE_FOREIGN);
    assert_int_equal(read_all(&stream, NULL), ACRE_TRACE_DONE);
    put(&stream, "", 1);
    assert_int_equal(read_all(&stream, NULL), ACRE_TRACE_CORRUPT);
    free(stream.bytes);
}

static void every_flipped_bit_is_noticed(void **state)
{
    struct stream stream;

    (void)state;
    small_trace(&stream);
    for (size_t bit = 0; bit < stream.size * 8; bit++) {
        enum acre_trace_status status;

        stream.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        status = read_all(&stream, NULL);
        stream.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        if (bit < 8 * WIRE_MAGIC_SIZE)
            assert_int_equal(status, ACRE_TRACE_FOREIGN);
        else
            assert_true(status == ACRE_TRACE_CHECKSUM || status == ACRE_TRACE_CORRUPT ||
                        status == ACRE_TRACE_TRUNCATED);
    }
    free(stream.bytes);
}

static void other_files_are_foreign(void **state)
{
    static const char text[] = "#!/bin/sh\necho this is no trace\n";
    struct stream stream = { (unsigned char *)(uintptr_t)text, sizeof text - 1, 0, 0, 0, false };

    (void)state;
    assert_int_equal(read_all(&stream, NULL), ACRE_TRACE_FOREIGN);
}

static void newer_versions_are_named(void **state)
{
    struct stream stream;

    (void)state;
    small_trace(&stream);
    wire_put_u16(stream.bytes + 8, ACRE_TRACE_VERSION + 1);
    wire_put_u32(stream.bytes + 12, acre_trace_crc(0, stream.bytes, 12));
    assert_int_equal(read_all(&stream, NULL), ACRE_TRACE_NEWER);
    wire_put_u16(stream.bytes + 8, ACRE_TRACE_VERSION);
    wire_put_u16(stream.bytes + 10, 1);
    wire_put_u32(stream.bytes + 12, acre_trace_crc(0, stream.bytes, 12));
    assert_int_equal(read_all(&stream, NULL), ACRE_TRACE_NEWER);
    wire_put_u16(stream.bytes + 8, 0);
    wire_put_u16(stream.bytes + 10, 0);
    wire_put_u32(stream.bytes + 12, acre_trace_crc(0, stream.bytes, 12));
    assert_int_equal(read_all(&stream, NULL), ACRE_TRACE_CORRUPT);
    free(stream.bytes);
}

/** Records with a right checksum that no writer makes, and the words that say what is wrong. */
#define PROCESS_RECORD 0x01, 1, 0, 0, 0, 0
#define NINE_SET 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff

static const struct {
    const char *detail;
    unsigned char count;
    unsigned char records[32];
} hostile[] = {
    { "outside the section", 1, { 0x40 } },
    { "outside the section", 7, { PROCESS_RECORD, 0x01 } },
    { "outside the section", 7, { PROCESS_RECORD, 0x03 } },
    { "outside the section", 2, { 0x02, 0x00 } },
    { "outside the section", 2, { 0x04, 0x00 } },
    { "outside the section", 1, { 0x00 } },
    { "unknown kind", 7, { PROCESS_RECORD, 0x00 } },
    { "unknown kind", 7, { PROCESS_RECORD, 0x0f } },
    { "unknown kind", 7, { PROCESS_RECORD, 0x3f } },
    { "not live", 7, { PROCESS_RECORD, 0x80 } },
    { "not live", 9, { PROCESS_RECORD, 0x40, 0x80, 0x80 } },
    { "not live", 8, { PROCESS_RECORD, 0x40, 0x81 } },
    { "not live", 9, { PROCESS_RECORD, 0x40, 0xc0, 0x00 } },
    { "not live", 9, { PROCESS_RECORD, 0x40, 0x0a, 0x01 } },
    { "not live", 9, { PROCESS_RECORD, 0x09, 0x00, 0x01 } },
    { "not live", 9, { PROCESS_RECORD, 0x0e, 0x00, 0x01 } },
    { "not live", 17, { PROCESS_RECORD, 0x0a, NINE_SET, 0x01 } },
    { "64 bits", 17, { PROCESS_RECORD, 0x0a, NINE_SET, 0x02 } },
    { "64 bits", 17, { PROCESS_RECORD, 0x06, NINE_SET, 0xff } },
    { "crosses the end", 7, { PROCESS_RECORD, 0x06 } },
    { "crosses the end", 8, { PROCESS_RECORD, 0x06, 0x80 } },
    { "crosses the end", 8, { PROCESS_RECORD, 0x40, 0xc0 } },
    { "crosses the end", 7, { PROCESS_RECORD, 0x08 } },
    { "crosses the end", 3, { 0x01, 0, 0 } },
    { "crosses the end", 5, { 0x01, 0, 0, 0, 0 } },
    { "crosses the end", 7, { 0x01, 0, 0, 0, 0, 2, 'x' } },
    { "alignment is out of range", 9, { PROCESS_RECORD, 0x08, 64, 1 } },
    { "unknown origin", 6, { 0x01, 0, 0, 2, 0, 0 } },
    { "number is out of range", 10, { 0x01, 0x80, 0x80, 0x80, 0x80, 0x10, 0, 0, 0, 0 } },
    { "number is out of range", 12, { PROCESS_RECORD, 0x04, 0xff, 0xff, 0xff, 0xff, 0x7f } },
    { "thread number", 11, { PROCESS_RECORD, 0x04, 0x81, 0x80, 0x80, 0x08 } },
    { "time is out of range", 19, { PROCESS_RECORD, 0x05, NINE_SET, 0x01, 0x05, 0x01 } },
    { "events it counts", 11, { PROCESS_RECORD, 0x40, 0x02, 0x02, 0x00, 0x00 } },
    { "inherited blocks", 10, { 0x01, 0, 0, 1, 1, 0, 0x02, 0, 0, 0 } },
    { "sections and events", 5, { 0x03, 1, 0, 0, 0 } },
    { "sections and events", 15, { PROCESS_RECORD, 0x02, 0, 1, 0, 0x03, 1, 0, 0, 0 } },
    { "follow the end record", 6, { 0x03, 0, 0, 0, 0, 0x03 } },
};

static void hostile_records_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        struct stream stream;
        const char *detail;

        compose(&stream, hostile[i].records, hostile[i].count);
        assert_int_equal(read_all(&stream, &detail), ACRE_TRACE_CORRUPT);
        if (!strstr(detail, hostile[i].detail))
            fail_msg("case %zu: \"%s\" does not say \"%s\"", i, detail, hostile[i].detail);
        free(stream.bytes);
    }
}

static void chunk_lengths_are_checked_before_memory_is_filled(void **state)
{
    static const uint32_t lengths[] = { 0, ACRE_TRACE_CHUNK_MAX + 1, UINT32_MAX };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct stream stream;
        const char *detail;

        small_trace(&stream);
        wire_put_u32(stream.bytes + WIRE_HEADER_SIZE, lengths[i]);
        assert_int_equal(read_all(&stream, &detail), ACRE_TRACE_CORRUPT);
        assert_non_null(strstr(detail, "length"));
        free(stream.bytes);
    }
}

static void errors_name_their_offset(void **state)
{
    struct acre_trace_reader reader;
    struct acre_trace_event event;
    struct stream stream;
    struct purse purse = { 0 };
    static const unsigned char records[] = { PROCESS_RECORD, 0x40, 0x40, 0x3f };

    (void)state;
    compose(&stream, records, sizeof records);
    assert_int_equal(open_reader(&reader, &stream, &purse, 0), ACRE_TRACE_OK);
    expect(&reader, ACRE_TRACE_PROCESS);
    expect(&reader, ACRE_TRACE_ALLOC);
    expect(&reader, ACRE_TRACE_ALLOC);
    assert_int_equal(acre_trace_reader_next(&reader, &event), ACRE_TRACE_CORRUPT);
    assert_int_equal(reader.offset, WIRE_HEADER_SIZE + WIRE_CHUNK_HEADER_SIZE + 8);
    acre_trace_reader_close(&reader);
    free(stream.bytes);
}

static void live_blocks_are_limited(void **state)
{
    struct acre_trace_reader reader;
    struct acre_trace_event event;
    struct acre_trace_writer writer;
    struct stream stream;
    struct purse purse = { 0 };
    uint64_t ordinal;

    (void)state;
    start(&writer, &stream, sizeof buffer);
    for (int i = 0; i < 101; i++)
        assert_int_equal(acre_trace_write_alloc(&writer, ACRE_TRACE_MALLOC, 1, 0, &ordinal), 0);
    finish(&writer);
    assert_int_equal(open_reader(&reader, &stream, &purse, 100), ACRE_TRACE_OK);
    expect(&reader, ACRE_TRACE_PROCESS);
    for (int i = 0; i < 100; i++)
        expect(&reader, ACRE_TRACE_ALLOC);
    assert_int_equal(acre_trace_reader_next(&reader, &event), ACRE_TRACE_TOO_LARGE);
    assert_int_equal(acre_trace_reader_next(&reader, &event), ACRE_TRACE_TOO_LARGE);
    acre_trace_reader_close(&reader);
    free(stream.bytes);
}

static void memory_follows_live_blocks_not_length(void **state)
{
    struct acre_trace_reader reader;
    struct acre_trace_event event;
    struct acre_trace_writer writer;
    struct stream stream;
    struct purse purse = { 0 };
    uint64_t ordinal;

    (void)state;
    start(&writer, &stream, sizeof buffer);
    for (int i = 0; i < 200000; i++) {
        assert_int_equal(acre_trace_write_alloc(&writer, ACRE_TRACE_MALLOC, 1, 0, &ordinal), 0);
        assert_int_equal(acre_trace_write_free(&writer, ordinal), 0);
    }
    finish(&writer);
    assert_int_equal(open_reader(&reader, &stream, &purse, 0), ACRE_TRACE_OK);
    while (acre_trace_reader_next(&reader, &event) == ACRE_TRACE_OK)
        assert_true(purse.held <= ACRE_TRACE_CHUNK_MAX + 64 * 96);
    assert_int_equal(reader.state, ACRE_TRACE_DONE);
    acre_trace_reader_close(&reader);
    free(stream.bytes);
}

static void every_refused_request_of_memory_is_survived(void **state)
{
    struct acre_trace_writer writer;
    struct stream stream;
    enum acre_trace_status status = ACRE_TRACE_NO_MEMORY;
    uint64_t ordinal;
    unsigned nth;

    (void)state;
    start(&writer, &stream, sizeof buffer);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(acre_trace_write_alloc(&writer, ACRE_TRACE_MALLOC, 1, 0, &ordinal), 0);
    finish(&writer);
    for (nth = 1; status == ACRE_TRACE_NO_MEMORY; nth++) {
        struct purse purse = { 0, nth, 0 };
        struct acre_trace_reader reader;
        struct acre_trace_event event;

        status = open_reader(&reader, &stream, &purse, 0);
        while (status == ACRE_TRACE_OK)
            status = acre_trace_reader_next(&reader, &event);
        acre_trace_reader_close(&reader);
        assert_int_equal(purse.held, 0);
    }
    assert_int_equal(status, ACRE_TRACE_DONE);
    assert_true(nth > 10);
    free(stream.bytes);
}

static void a_source_that_fails_is_reported(void **state)
{
    struct stream stream;

    (void)state;
    small_trace(&stream);
    stream.step = 1;
    for (stream.fail_at = 1; stream.fail_at <= stream.size; stream.fail_at++)
        assert_int_equal(read_all(&stream, NULL), ACRE_TRACE_READ_FAILED);
    free(stream.bytes);
}

static void bad_calls_of_the_reader(void **state)
{
    struct stream stream = { 0 };
    struct acre_trace_reader reader;
    const struct acre_trace_source source = { get, &stream };
    const struct acre_trace_memory memory = { resize, NULL };
    const struct acre_trace_source no_source = { NULL, NULL };
    const struct acre_trace_memory no_memory = { NULL, NULL };

    (void)state;
    assert_int_equal(acre_trace_reader_open(NULL, &source, &memory, 0), ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(acre_trace_reader_open(&reader, NULL, &memory, 0), ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(acre_trace_reader_open(&reader, &source, NULL, 0), ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(
        acre_trace_reader_open(&reader, &no_source, &memory, 0), ACRE_TRACE_INVALID_PARAM);
    assert_int_equal(
        acre_trace_reader_open(&reader, &source, &no_memory, 0), ACRE_TRACE_INVALID_PARAM);
    acre_trace_reader_close(&reader);
    acre_trace_reader_close(NULL);
}

static void statuses_have_texts(void **state)
{
    (void)state;
    for (int i = ACRE_TRACE_OK; i <= ACRE_TRACE_NO_MEMORY; i++)
        assert_string_not_equal(
            acre_trace_status_text((enum acre_trace_status)i), "unknown status");
    assert_string_equal(acre_trace_status_text((enum acre_trace_status)99), "unknown status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_is_noticed),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(other_files_are_foreign),
        cmocka_unit_test(newer_versions_are_named),
        cmocka_unit_test(hostile_records_are_refused),
        cmocka_unit_test(chunk_lengths_are_checked_before_memory_is_filled),
        cmocka_unit_test(errors_name_their_offset),
        cmocka_unit_test(live_blocks_are_limited),
        cmocka_unit_test(memory_follows_live_blocks_not_length),
        cmocka_unit_test(every_refused_request_of_memory_is_survived),
        cmocka_unit_test(a_source_that_fails_is_reported),
        cmocka_unit_test(bad_calls_of_the_reader),
        cmocka_unit_test(statuses_have_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
