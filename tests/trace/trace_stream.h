/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/** What the tests of the trace format share: a stream in memory, counted memory, short cuts. */
#ifndef ACRE_TESTS_TRACE_STREAM_H
#define ACRE_TESTS_TRACE_STREAM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trace/trace.h"
#include "trace/trace_wire.h"

#include <stdlib.h>
#include <string.h>

/* ---- a stream in memory ---- */

struct stream {
    unsigned char *bytes;
    size_t size;
    size_t at;
    size_t fail_at; /* reading past this offset fails */
    size_t step;    /* most bytes one read returns */
    bool refuse;    /* writing fails */
};

static inline bool put(void *user, const void *bytes, size_t count)
{
    struct stream *stream = user;

    if (stream->refuse)
        return false;
    stream->bytes = realloc(stream->bytes, stream->size + count);
    assert_non_null(stream->bytes);
    memcpy(stream->bytes + stream->size, bytes, count);
    stream->size += count;
    return true;
}

static inline size_t get(void *user, void *into, size_t capacity)
{
    struct stream *stream = user;
    size_t count = stream->size - stream->at;

    if (stream->fail_at && stream->at >= stream->fail_at)
        return ACRE_TRACE_READ_ERROR;
    if (count > capacity)
        count = capacity;
    if (stream->step && count > stream->step)
        count = stream->step;
    memcpy(into, stream->bytes + stream->at, count);
    stream->at += count;
    return count;
}

/* ---- memory that is counted and can be refused ---- */

struct purse {
    size_t held;
    unsigned refuse_after; /* 0: never; n: the nth request fails */
    unsigned asked;
};

static inline void *resize(void *user, void *old, size_t old_size, size_t new_size)
{
    struct purse *purse = user;

    if (new_size == 0) {
        purse->held -= old_size;
        free(old);
        return NULL;
    }
    if (++purse->asked == purse->refuse_after)
        return NULL;
    purse->held += new_size - old_size;
    return realloc(old, new_size);
}

/* ---- helpers ---- */

static unsigned char buffer[ACRE_TRACE_CHUNK_MAX + WIRE_CHUNK_HEADER_SIZE];

static inline void start(struct acre_trace_writer *writer, struct stream *stream, size_t capacity)
{
    const struct acre_trace_sink sink = { put, stream };
    const struct acre_trace_process process = { 42, 7, ACRE_TRACE_STARTED, 0, "program" };

    memset(stream, 0, sizeof *stream);
    assert_int_equal(acre_trace_writer_open(writer, &sink, buffer, capacity), ACRE_TRACE_OK);
    assert_int_equal(acre_trace_write_process(writer, &process), ACRE_TRACE_OK);
}

static inline void finish(struct acre_trace_writer *writer)
{
    assert_int_equal(acre_trace_write_process_end(writer, 0, 0), ACRE_TRACE_OK);
    assert_int_equal(acre_trace_writer_close(writer, NULL), ACRE_TRACE_OK);
}

static inline enum acre_trace_status open_reader(
    struct acre_trace_reader *reader, struct stream *stream, struct purse *purse, uint32_t live_max)
{
    const struct acre_trace_source source = { get, stream };
    const struct acre_trace_memory memory = { resize, purse };

    stream->at = 0;
    return acre_trace_reader_open(reader, &source, &memory, live_max);
}

/** Reads to the end or the first error; the reader's memory must all have come back. */
static inline enum acre_trace_status read_all(struct stream *stream, const char **detail)
{
    struct purse purse = { 0 };
    struct acre_trace_reader reader;
    struct acre_trace_event event;
    enum acre_trace_status status = open_reader(&reader, stream, &purse, 0);

    while (status == ACRE_TRACE_OK)
        status = acre_trace_reader_next(&reader, &event);
    assert_int_equal(acre_trace_reader_next(&reader, &event), status);
    if (detail)
        *detail = reader.detail;
    acre_trace_reader_close(&reader);
    assert_int_equal(purse.held, 0);
    return status;
}

static inline struct acre_trace_event expect(
    struct acre_trace_reader *reader, enum acre_trace_op op)
{
    struct acre_trace_event event;

    assert_int_equal(acre_trace_reader_next(reader, &event), ACRE_TRACE_OK);
    assert_int_equal(event.op, op);
    return event;
}

/** A stream of one chunk that holds the given records, with header and checksum right. */
static inline void compose(struct stream *stream, const unsigned char *records, size_t count)
{
    struct acre_trace_writer writer;
    const struct acre_trace_sink sink = { put, stream };
    unsigned char header[WIRE_CHUNK_HEADER_SIZE];

    memset(stream, 0, sizeof *stream);
    assert_int_equal(acre_trace_writer_open(&writer, &sink, buffer, sizeof buffer), 0);
    wire_put_u32(header, (uint32_t)count);
    wire_put_u32(header + 4, acre_trace_crc(acre_trace_crc(0, header, 4), records, count));
    put(stream, header, sizeof header);
    put(stream, records, count);
}

#endif
