/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * The writer: records into the caller's buffer, the buffer to the sink as one chunk when the next
 * record might not fit. The first bytes of the buffer are kept for the chunk's header, so that a
 * chunk is one write.
 */
#include "trace.h"
#include "trace_wire.h"

#include <string.h>

_Static_assert(
    ACRE_TRACE_BUFFER_MIN >= WIRE_CHUNK_HEADER_SIZE + WIRE_RECORD_MAX + 2 + ACRE_TRACE_NAME_MAX,
    "the smallest buffer holds the longest record");

static enum acre_trace_status put_to_sink(
    struct acre_trace_writer *writer, const void *bytes, size_t count)
{
    if (!writer->sink.write(writer->sink.user, bytes, count))
        writer->failure = ACRE_TRACE_WRITE_FAILED;
    return writer->failure;
}

static enum acre_trace_status put_header(struct acre_trace_writer *writer)
{
    unsigned char header[WIRE_HEADER_SIZE];

    memcpy(header, acre_trace_magic, WIRE_MAGIC_SIZE);
    wire_put_u16(header + 8, ACRE_TRACE_VERSION);
    wire_put_u16(header + 10, 0);
    wire_put_u32(header + 12, acre_trace_crc(0, header, 12));
    return put_to_sink(writer, header, sizeof header);
}

enum acre_trace_status acre_trace_writer_open_part(struct acre_trace_writer *writer,
    const struct acre_trace_sink *sink, void *buffer, size_t capacity)
{
    const size_t most = ACRE_TRACE_CHUNK_MAX + WIRE_CHUNK_HEADER_SIZE;

    if (!writer || !sink || !sink->write || !buffer || capacity < ACRE_TRACE_BUFFER_MIN)
        return ACRE_TRACE_INVALID_PARAM;
    memset(writer, 0, sizeof *writer);
    writer->sink = *sink;
    writer->buffer = buffer;
    writer->capacity = capacity < most ? capacity : most;
    writer->used = WIRE_CHUNK_HEADER_SIZE;
    return ACRE_TRACE_OK;
}

enum acre_trace_status acre_trace_writer_open(struct acre_trace_writer *writer,
    const struct acre_trace_sink *sink, void *buffer, size_t capacity)
{
    enum acre_trace_status status = acre_trace_writer_open_part(writer, sink, buffer, capacity);

    return status == ACRE_TRACE_OK ? put_header(writer) : status;
}

enum acre_trace_status acre_trace_writer_flush(struct acre_trace_writer *writer)
{
    const size_t length = writer->used - WIRE_CHUNK_HEADER_SIZE;
    uint32_t crc;

    if (writer->failure || length == 0)
        return writer->failure;
    wire_put_u32(writer->buffer, (uint32_t)length);
    crc = acre_trace_crc(0, writer->buffer, 4);
    crc = acre_trace_crc(crc, writer->buffer + WIRE_CHUNK_HEADER_SIZE, length);
    wire_put_u32(writer->buffer + 4, crc);
    (void)put_to_sink(writer, writer->buffer, writer->used);
    writer->used = WIRE_CHUNK_HEADER_SIZE;
    return writer->failure;
}

/** Makes room for a record of `size` bytes. */
static inline bool reserve(struct acre_trace_writer *writer, size_t size)
{
    if (writer->capacity - writer->used < size)
        (void)acre_trace_writer_flush(writer);
    return writer->failure == ACRE_TRACE_OK;
}

static inline void put_byte(struct acre_trace_writer *writer, unsigned value)
{
    writer->buffer[writer->used++] = (unsigned char)value;
}

static inline void put_varint(struct acre_trace_writer *writer, uint64_t value)
{
    while (value > 0x7f) {
        put_byte(writer, 0x80u | (unsigned)(value & 0x7f));
        value >>= 7;
    }
    put_byte(writer, (unsigned)value);
}

static unsigned exponent_of(uint64_t power)
{
    unsigned log = 0;

    while (power >>= 1)
        log++;
    return log;
}

enum acre_trace_status acre_trace_write_process(
    struct acre_trace_writer *writer, const struct acre_trace_process *process)
{
    size_t length = 0;

    if (!writer || !process || writer->in_process || writer->ended ||
        (unsigned)process->origin > ACRE_TRACE_FORKED)
        return ACRE_TRACE_INVALID_PARAM;
    while (length < ACRE_TRACE_NAME_MAX && process->name[length])
        length++;
    if (!reserve(writer, WIRE_RECORD_MAX + 2 + length))
        return writer->failure;
    put_byte(writer, WIRE_PROCESS);
    put_varint(writer, process->pid);
    put_varint(writer, process->parent_pid);
    put_byte(writer, (unsigned)process->origin);
    put_varint(writer, process->inherited);
    put_byte(writer, (unsigned)length);
    memcpy(writer->buffer + writer->used, process->name, length);
    writer->used += length;
    writer->in_process = true;
    writer->next_ordinal = writer->events = writer->time_ns = 0;
    writer->thread = 0;
    return ACRE_TRACE_OK;
}

enum acre_trace_status acre_trace_write_thread(struct acre_trace_writer *writer, uint32_t thread)
{
    if (!writer->in_process || thread > ACRE_TRACE_THREAD_MAX)
        return ACRE_TRACE_INVALID_PARAM;
    if (thread == writer->thread)
        return writer->failure;
    if (!reserve(writer, WIRE_RECORD_MAX))
        return writer->failure;
    put_byte(writer, WIRE_THREAD);
    put_varint(writer, thread);
    writer->thread = thread;
    return ACRE_TRACE_OK;
}

enum acre_trace_status acre_trace_write_time(struct acre_trace_writer *writer, uint64_t time_ns)
{
    if (!writer->in_process)
        return ACRE_TRACE_INVALID_PARAM;
    if (time_ns <= writer->time_ns)
        return writer->failure;
    if (!reserve(writer, WIRE_RECORD_MAX))
        return writer->failure;
    put_byte(writer, WIRE_TIME);
    put_varint(writer, time_ns - writer->time_ns);
    writer->time_ns = time_ns;
    return ACRE_TRACE_OK;
}

/** Whether the arguments of an allocation are ones that a reader accepts. */
static inline bool is_request(
    const struct acre_trace_writer *writer, enum acre_trace_call call, uint64_t align)
{
    if (!writer->in_process || (unsigned)call > ACRE_TRACE_MEMALIGN)
        return false;
    if (call == ACRE_TRACE_MEMALIGN)
        return align != 0 && (align & (align - 1)) == 0;
    return align == 0;
}

/** The record of an allocation: `first` is the op for malloc, and the others follow it. */
static void put_request(struct acre_trace_writer *writer, unsigned first, enum acre_trace_call call,
    uint64_t size, uint64_t align)
{
    put_byte(writer, first + (unsigned)call);
    if (call == ACRE_TRACE_MEMALIGN)
        put_byte(writer, exponent_of(align));
    put_varint(writer, size);
    writer->events++;
}

enum acre_trace_status acre_trace_write_alloc(struct acre_trace_writer *writer,
    enum acre_trace_call call, uint64_t size, uint64_t align, uint64_t *ordinal)
{
    if (!ordinal || !is_request(writer, call, align))
        return ACRE_TRACE_INVALID_PARAM;
    if (!reserve(writer, WIRE_RECORD_MAX))
        return writer->failure;
    *ordinal = writer->next_ordinal++;
    if (call == ACRE_TRACE_MALLOC && size - 8 <= 512 - 8 && size % 8 == 0) {
        put_byte(writer, WIRE_MALLOC_8 + (unsigned)size / 8 - 1);
        writer->events++;
    } else {
        put_request(writer, WIRE_MALLOC, call, size, align);
    }
    return ACRE_TRACE_OK;
}

enum acre_trace_status acre_trace_write_failed(
    struct acre_trace_writer *writer, enum acre_trace_call call, uint64_t size, uint64_t align)
{
    if (!is_request(writer, call, align))
        return ACRE_TRACE_INVALID_PARAM;
    if (!reserve(writer, WIRE_RECORD_MAX))
        return writer->failure;
    put_request(writer, WIRE_FAILED_MALLOC, call, size, align);
    return ACRE_TRACE_OK;
}

enum acre_trace_status acre_trace_write_free(struct acre_trace_writer *writer, uint64_t ordinal)
{
    const uint64_t age = writer->next_ordinal - ordinal - 1;

    if (!writer->in_process || ordinal >= writer->next_ordinal)
        return ACRE_TRACE_INVALID_PARAM;
    if (!reserve(writer, WIRE_RECORD_MAX))
        return writer->failure;
    writer->events++;
    if (age < WIRE_NEAR) {
        put_byte(writer, WIRE_FREE_NEAR + (unsigned)age);
    } else if (age < WIRE_MID) {
        put_byte(writer, WIRE_FREE_MID + (unsigned)(age - WIRE_NEAR) / 256);
        put_byte(writer, (unsigned)(age - WIRE_NEAR) % 256);
    } else {
        put_byte(writer, WIRE_FREE);
        put_varint(writer, age);
    }
    return ACRE_TRACE_OK;
}

/** A resize, or one that failed: `op` says which. */
static enum acre_trace_status put_resize_op(
    struct acre_trace_writer *writer, unsigned op, uint64_t ordinal, uint64_t size)
{
    if (!writer->in_process || ordinal >= writer->next_ordinal)
        return ACRE_TRACE_INVALID_PARAM;
    if (!reserve(writer, WIRE_RECORD_MAX))
        return writer->failure;
    put_byte(writer, op);
    put_varint(writer, writer->next_ordinal - ordinal - 1);
    put_varint(writer, size);
    writer->events++;
    return ACRE_TRACE_OK;
}

enum acre_trace_status acre_trace_write_resize(
    struct acre_trace_writer *writer, uint64_t *ordinal, uint64_t size)
{
    enum acre_trace_status status;

    if (!ordinal)
        return ACRE_TRACE_INVALID_PARAM;
    status = put_resize_op(writer, WIRE_RESIZE, *ordinal, size);
    if (status == ACRE_TRACE_OK)
        *ordinal = writer->next_ordinal++;
    return status;
}

enum acre_trace_status acre_trace_write_failed_resize(
    struct acre_trace_writer *writer, uint64_t ordinal, uint64_t size)
{
    return put_resize_op(writer, WIRE_FAILED_RESIZE, ordinal, size);
}

enum acre_trace_status acre_trace_write_process_end(
    struct acre_trace_writer *writer, uint64_t lost, uint64_t unmatched)
{
    if (!writer->in_process)
        return ACRE_TRACE_INVALID_PARAM;
    if (!reserve(writer, WIRE_RECORD_MAX))
        return writer->failure;
    put_byte(writer, WIRE_PROCESS_END);
    put_varint(writer, writer->events);
    put_varint(writer, lost);
    put_varint(writer, unmatched);
    writer->in_process = false;
    writer->totals.processes++;
    writer->totals.events += writer->events;
    writer->totals.lost += lost;
    writer->totals.unmatched += unmatched;
    return acre_trace_writer_flush(writer);
}

enum acre_trace_status acre_trace_writer_close(
    struct acre_trace_writer *writer, const struct acre_trace_totals *totals)
{
    if (writer->in_process || writer->ended)
        return ACRE_TRACE_INVALID_PARAM;
    if (!totals)
        totals = &writer->totals;
    if (!reserve(writer, WIRE_RECORD_MAX))
        return writer->failure;
    put_byte(writer, WIRE_END);
    put_varint(writer, totals->processes);
    put_varint(writer, totals->events);
    put_varint(writer, totals->lost);
    put_varint(writer, totals->unmatched);
    writer->ended = true;
    return acre_trace_writer_flush(writer);
}
