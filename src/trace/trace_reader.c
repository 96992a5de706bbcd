/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * The reader: a whole chunk into memory, checksum first, then record by record. Every operand is
 * checked before it is used, and every block that a record names must be live.
 */
#include "trace_blocks.h"
#include "trace_state.h"
#include "trace_text.h"
#include "trace_wire.h"

#include <string.h>

/* ---- bytes ---- */

/** Whether the bytes could begin a stream that begins with `magic`. */
static bool begins_with(
    const unsigned char *bytes, size_t count, const void *magic, size_t magic_size)
{
    return memcmp(bytes, magic, count < magic_size ? count : magic_size) == 0;
}

static enum acre_trace_status check_header(
    struct acre_trace_reader *reader, const unsigned char *header, size_t got)
{
    if (got < WIRE_HEADER_SIZE)
        return acre_trace_fail(reader, ACRE_TRACE_TRUNCATED, "the stream ends within its header");
    if (wire_get_u32(header + 12) != acre_trace_crc(0, header, 12))
        return acre_trace_fail(
            reader, ACRE_TRACE_CHECKSUM, "the header does not match its checksum");
    if (wire_get_u16(header + 8) > ACRE_TRACE_VERSION || wire_get_u16(header + 10) != 0)
        return acre_trace_fail(
            reader, ACRE_TRACE_NEWER, "the trace was written by a newer version");
    if (wire_get_u16(header + 8) == 0)
        return acre_trace_corrupt(reader, "the header names version 0, which does not exist");
    reader->chunk_offset = WIRE_HEADER_SIZE;
    return ACRE_TRACE_OK;
}

/** Tells the two forms apart by their first bytes. */
static enum acre_trace_status read_header(struct acre_trace_reader *reader)
{
    unsigned char header[WIRE_HEADER_SIZE];
    size_t got;

    if (acre_trace_pull(reader, header, sizeof header, &got))
        return reader->state;
    if (got == 0)
        return acre_trace_fail(reader, ACRE_TRACE_FOREIGN, "the stream is empty");
    if (begins_with(header, got, acre_trace_magic, WIRE_MAGIC_SIZE))
        return check_header(reader, header, got);
    if (begins_with(header, got, ACRE_TRACE_TEXT_MAGIC, sizeof ACRE_TRACE_TEXT_MAGIC - 1))
        return acre_trace_text_open(reader, header, got);
    return acre_trace_fail(reader, ACRE_TRACE_FOREIGN, "the stream does not begin as a trace does");
}

static enum acre_trace_status read_payload(
    struct acre_trace_reader *reader, const unsigned char *header, size_t length)
{
    uint32_t crc = acre_trace_crc(0, header, 4);
    size_t got;

    if (acre_trace_pull(reader, reader->chunk, length, &got))
        return reader->state;
    if (got < length)
        return acre_trace_fail(reader, ACRE_TRACE_TRUNCATED, "the stream ends within a chunk");
    if (acre_trace_crc(crc, reader->chunk, length) != wire_get_u32(header + 4))
        return acre_trace_fail(reader, ACRE_TRACE_CHECKSUM, "a chunk does not match its checksum");
    reader->chunk_size = length;
    return ACRE_TRACE_OK;
}

static enum acre_trace_status read_chunk(struct acre_trace_reader *reader)
{
    unsigned char header[WIRE_CHUNK_HEADER_SIZE];
    size_t got, length;

    reader->chunk_offset += reader->chunk_size;
    reader->offset = reader->chunk_offset;
    reader->chunk_size = reader->at = 0;
    if (acre_trace_pull(reader, header, sizeof header, &got))
        return reader->state;
    if (got < sizeof header)
        return acre_trace_fail(
            reader, ACRE_TRACE_TRUNCATED, "the stream ends before its end record");
    length = wire_get_u32(header);
    if (length == 0 || length > ACRE_TRACE_CHUNK_MAX)
        return acre_trace_corrupt(reader, "a chunk's length is out of range");
    reader->chunk_offset += sizeof header;
    return read_payload(reader, header, length);
}

/** After the end record: nothing may follow, neither in the chunk nor in the stream. */
static enum acre_trace_status expect_end(struct acre_trace_reader *reader)
{
    unsigned char byte;
    size_t got = 0;

    reader->offset = reader->chunk_offset + reader->at;
    if (reader->at < reader->chunk_size)
        return acre_trace_corrupt(reader, "records follow the end record");
    if (acre_trace_pull(reader, &byte, 1, &got))
        return reader->state;
    if (got)
        return acre_trace_corrupt(reader, "bytes follow the end of the trace");
    return acre_trace_fail(reader, ACRE_TRACE_DONE, "");
}

/* ---- operands ---- */

static bool get_byte(struct acre_trace_reader *reader, unsigned *value)
{
    if (reader->at == reader->chunk_size) {
        acre_trace_corrupt(reader, "a record crosses the end of its chunk");
        return false;
    }
    *value = reader->chunk[reader->at++];
    return true;
}

static bool get_varint(struct acre_trace_reader *reader, uint64_t *value)
{
    unsigned byte;

    *value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (!get_byte(reader, &byte))
            return false;
        if (shift == 63 && byte > 1)
            break;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    acre_trace_corrupt(reader, "a number has more than 64 bits");
    return false;
}

static bool get_u32(struct acre_trace_reader *reader, uint32_t *value)
{
    uint64_t wide;

    if (!get_varint(reader, &wide))
        return false;
    if (wide > UINT32_MAX) {
        acre_trace_corrupt(reader, "a number is out of range");
        return false;
    }
    *value = (uint32_t)wide;
    return true;
}

static bool get_align(struct acre_trace_reader *reader, uint64_t *align)
{
    unsigned log2;

    if (!get_byte(reader, &log2))
        return false;
    if (log2 > 63) {
        acre_trace_corrupt(reader, "an alignment is out of range");
        return false;
    }
    *align = UINT64_C(1) << log2;
    return true;
}

/** The slot of the block allocated `age` allocations before the last one. */
static bool find_aged(struct acre_trace_reader *reader, uint64_t age, uint32_t *slot)
{
    if (age >= reader->next_ordinal ||
        !acre_trace_blocks_find(reader, reader->next_ordinal - 1 - age, slot)) {
        acre_trace_corrupt(reader, "a record names a block that is not live");
        return false;
    }
    return true;
}

/* ---- records ---- */

static enum acre_trace_status decode_free(
    struct acre_trace_reader *reader, struct acre_trace_event *event, uint64_t age)
{
    uint32_t slot;

    return find_aged(reader, age, &slot) ? acre_trace_on_free(reader, event, slot) : reader->state;
}

static enum acre_trace_status on_free_far(
    struct acre_trace_reader *reader, struct acre_trace_event *event, unsigned op)
{
    uint64_t age;

    (void)op;
    return get_varint(reader, &age) ? decode_free(reader, event, age) : reader->state;
}

static enum acre_trace_status on_free_mid(
    struct acre_trace_reader *reader, struct acre_trace_event *event, unsigned op)
{
    unsigned low;

    if (!get_byte(reader, &low))
        return reader->state;
    return decode_free(reader, event, WIRE_NEAR + 256u * (op - WIRE_FREE_MID) + low);
}

/** Operands of the malloc, calloc or memalign record that is `call` past the first of the three. */
static bool get_request(
    struct acre_trace_reader *reader, enum acre_trace_call call, uint64_t *size, uint64_t *align)
{
    *align = 0;
    if (call == ACRE_TRACE_MEMALIGN && !get_align(reader, align))
        return false;
    return get_varint(reader, size);
}

static enum acre_trace_status decode_request(
    struct acre_trace_reader *reader, struct acre_trace_event *event, unsigned op)
{
    const enum acre_trace_call call = (enum acre_trace_call)(op - WIRE_MALLOC);
    uint64_t size, align;

    if (!get_request(reader, call, &size, &align))
        return reader->state;
    return acre_trace_on_alloc(reader, event, reader->next_ordinal++, call, size, align);
}

static enum acre_trace_status decode_failed(
    struct acre_trace_reader *reader, struct acre_trace_event *event, unsigned op)
{
    const enum acre_trace_call call = (enum acre_trace_call)(op - WIRE_FAILED_MALLOC);
    uint64_t size, align;

    if (!get_request(reader, call, &size, &align))
        return reader->state;
    return acre_trace_on_failed(reader, event, call, size, align);
}

/** RESIZE and FAILED_RESIZE: the block named, its new size. */
static bool get_resize(struct acre_trace_reader *reader, uint32_t *slot, uint64_t *size)
{
    uint64_t age;

    return get_varint(reader, &age) && get_varint(reader, size) && find_aged(reader, age, slot);
}

static enum acre_trace_status decode_resize(
    struct acre_trace_reader *reader, struct acre_trace_event *event, unsigned op)
{
    uint64_t size;
    uint32_t slot;

    (void)op;
    if (!get_resize(reader, &slot, &size))
        return reader->state;
    return acre_trace_on_resize(
        reader, event, ACRE_TRACE_RESIZE, slot, reader->next_ordinal++, size);
}

static enum acre_trace_status on_failed_resize(
    struct acre_trace_reader *reader, struct acre_trace_event *event, unsigned op)
{
    uint64_t size;
    uint32_t slot;

    (void)op;
    if (!get_resize(reader, &slot, &size))
        return reader->state;
    return acre_trace_on_resize(reader, event, ACRE_TRACE_FAILED, slot, 0, size);
}

static bool get_name(struct acre_trace_reader *reader)
{
    unsigned length;

    memset(reader->process.name, 0, sizeof reader->process.name);
    if (!get_byte(reader, &length))
        return false;
    if (length > reader->chunk_size - reader->at) {
        acre_trace_corrupt(reader, "a record crosses the end of its chunk");
        return false;
    }
    memcpy(reader->process.name, reader->chunk + reader->at, length);
    reader->at += length;
    return true;
}

static bool get_process(struct acre_trace_reader *reader)
{
    unsigned origin;

    if (!get_u32(reader, &reader->process.pid) || !get_u32(reader, &reader->process.parent_pid) ||
        !get_byte(reader, &origin) || !get_varint(reader, &reader->process.inherited) ||
        !get_name(reader))
        return false;
    if (origin > ACRE_TRACE_FORKED) {
        acre_trace_corrupt(reader, "a process record names an unknown origin");
        return false;
    }
    reader->process.origin = (enum acre_trace_origin)origin;
    return true;
}

static enum acre_trace_status decode_process(
    struct acre_trace_reader *reader, struct acre_trace_event *event, unsigned op)
{
    (void)op;
    return get_process(reader) ? acre_trace_on_process(reader, event) : reader->state;
}

static enum acre_trace_status on_process_end(
    struct acre_trace_reader *reader, struct acre_trace_event *event, unsigned op)
{
    uint64_t events;

    (void)op;
    if (!get_varint(reader, &events) || !get_varint(reader, &reader->section.lost) ||
        !get_varint(reader, &reader->section.unmatched))
        return reader->state;
    if (events != reader->section.events)
        return acre_trace_corrupt(reader, "a section does not have the events it counts");
    return acre_trace_on_process_end(reader, event);
}

static enum acre_trace_status decode_end(
    struct acre_trace_reader *reader, struct acre_trace_event *event, unsigned op)
{
    struct acre_trace_totals said;

    (void)op;
    if (!get_varint(reader, &said.processes) || !get_varint(reader, &said.events) ||
        !get_varint(reader, &said.lost) || !get_varint(reader, &said.unmatched))
        return reader->state;
    if (memcmp(&said, &reader->totals, sizeof said) != 0)
        return acre_trace_corrupt(
            reader, "the trace does not have the sections and events it counts");
    acre_trace_fill(reader, event, ACRE_TRACE_END);
    event->totals = said;
    reader->ended = true;
    return ACRE_TRACE_OK;
}

/** The two records that change state and are no event. */
static enum acre_trace_status on_thread(struct acre_trace_reader *reader)
{
    if (!get_u32(reader, &reader->thread))
        return reader->state;
    if (reader->thread > ACRE_TRACE_THREAD_MAX)
        return acre_trace_corrupt(reader, "a thread number is out of range");
    return ACRE_TRACE_OK;
}

static enum acre_trace_status on_time(struct acre_trace_reader *reader)
{
    uint64_t delta;

    if (!get_varint(reader, &delta))
        return reader->state;
    if (delta > UINT64_MAX - reader->time_ns)
        return acre_trace_corrupt(reader, "a time is out of range");
    reader->time_ns += delta;
    return ACRE_TRACE_OK;
}

typedef enum acre_trace_status on_record(
    struct acre_trace_reader *reader, struct acre_trace_event *event, unsigned op);

static on_record *const on_op[WIRE_OPS] = {
    [WIRE_PROCESS] = decode_process,
    [WIRE_PROCESS_END] = on_process_end,
    [WIRE_END] = decode_end,
    [WIRE_MALLOC] = decode_request,
    [WIRE_CALLOC] = decode_request,
    [WIRE_MEMALIGN] = decode_request,
    [WIRE_RESIZE] = decode_resize,
    [WIRE_FREE] = on_free_far,
    [WIRE_FAILED_MALLOC] = decode_failed,
    [WIRE_FAILED_CALLOC] = decode_failed,
    [WIRE_FAILED_MEMALIGN] = decode_failed,
    [WIRE_FAILED_RESIZE] = on_failed_resize,
};

/** Process and end records stand outside a section, all others inside one. */
static bool is_in_place(const struct acre_trace_reader *reader, unsigned op)
{
    return (op == WIRE_PROCESS || op == WIRE_END) != reader->in_process;
}

static enum acre_trace_status on_long(
    struct acre_trace_reader *reader, struct acre_trace_event *event, unsigned op)
{
    if (op >= WIRE_OPS || !on_op[op])
        return acre_trace_corrupt(reader, "a record of an unknown kind");
    return on_op[op](reader, event, op);
}

static enum acre_trace_status decode_op(
    struct acre_trace_reader *reader, struct acre_trace_event *event, unsigned op)
{
    if (op >= WIRE_FREE_MID)
        return on_free_mid(reader, event, op);
    if (op >= WIRE_FREE_NEAR)
        return decode_free(reader, event, op - WIRE_FREE_NEAR);
    if (op >= WIRE_MALLOC_8)
        return acre_trace_on_alloc(reader, event, reader->next_ordinal++, ACRE_TRACE_MALLOC,
            8u * (op - WIRE_MALLOC_8 + 1), 0);
    return on_long(reader, event, op);
}

/** Reads the next op, past thread and time records. */
static enum acre_trace_status read_op(struct acre_trace_reader *reader, unsigned *op)
{
    for (;;) {
        if (reader->at == reader->chunk_size && read_chunk(reader))
            return reader->state;
        reader->offset = reader->chunk_offset + reader->at;
        *op = reader->chunk[reader->at++];
        if (!is_in_place(reader, *op))
            return acre_trace_corrupt(reader, "a record stands outside the section it belongs to");
        if (*op != WIRE_THREAD && *op != WIRE_TIME)
            return ACRE_TRACE_OK;
        if (*op == WIRE_THREAD ? on_thread(reader) : on_time(reader))
            return reader->state;
    }
}

enum acre_trace_status acre_trace_reader_next(
    struct acre_trace_reader *reader, struct acre_trace_event *event)
{
    unsigned op = 0;

    if (reader->state)
        return reader->state;
    if (reader->line)
        return acre_trace_text_next(reader, event);
    if (reader->ended)
        return expect_end(reader);
    if (read_op(reader, &op))
        return reader->state;
    return decode_op(reader, event, op);
}

enum acre_trace_status acre_trace_reader_open(struct acre_trace_reader *reader,
    const struct acre_trace_source *source, const struct acre_trace_memory *memory,
    uint32_t live_max)
{
    if (!reader)
        return ACRE_TRACE_INVALID_PARAM;
    memset(reader, 0, sizeof *reader);
    reader->detail = "";
    if (!source || !source->read || !memory || !memory->resize)
        return acre_trace_fail(reader, ACRE_TRACE_INVALID_PARAM, "a callback is missing");
    reader->source = *source;
    reader->memory = *memory;
    reader->live_max = live_max && live_max < ACRE_TRACE_LIVE_MAX ? live_max : ACRE_TRACE_LIVE_MAX;
    reader->chunk = memory->resize(memory->user, NULL, 0, ACRE_TRACE_CHUNK_MAX);
    if (!reader->chunk)
        return acre_trace_fail(reader, ACRE_TRACE_NO_MEMORY, "no memory for a chunk");
    if (read_header(reader))
        acre_trace_reader_close(reader);
    return reader->state;
}

void acre_trace_reader_close(struct acre_trace_reader *reader)
{
    if (!reader)
        return;
    acre_trace_blocks_release(reader);
    if (reader->chunk)
        reader->memory.resize(reader->memory.user, reader->chunk, ACRE_TRACE_CHUNK_MAX, 0);
    reader->chunk = NULL;
    reader->state = reader->state ? reader->state : ACRE_TRACE_INVALID_PARAM;
}
