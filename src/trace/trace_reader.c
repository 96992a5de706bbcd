/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * The reader: a whole chunk into memory, checksum first, then record by record. Every operand is
 * checked before it is used, and every block that a record names must be live.
 */
#include "trace_blocks.h"
#include "trace_wire.h"

#include <string.h>

static enum acre_trace_status fail(
    struct acre_trace_reader *reader, enum acre_trace_status status, const char *detail)
{
    reader->state = status;
    reader->detail = detail;
    return status;
}

static enum acre_trace_status corrupt(struct acre_trace_reader *reader, const char *detail)
{
    return fail(reader, ACRE_TRACE_CORRUPT, detail);
}

/* ---- bytes ---- */

/** Reads up to `count` bytes; stores how many there were before the end of the stream. */
static enum acre_trace_status pull(
    struct acre_trace_reader *reader, unsigned char *into, size_t count, size_t *got)
{
    *got = 0;
    while (*got < count) {
        size_t n = reader->source.read(reader->source.user, into + *got, count - *got);

        if (n == 0)
            break;
        if (n > count - *got)
            return fail(reader, ACRE_TRACE_READ_FAILED, "the source failed");
        *got += n;
    }
    return ACRE_TRACE_OK;
}

static enum acre_trace_status read_header(struct acre_trace_reader *reader)
{
    unsigned char header[WIRE_HEADER_SIZE];
    size_t got;

    if (pull(reader, header, sizeof header, &got))
        return reader->state;
    if (got == 0)
        return fail(reader, ACRE_TRACE_FOREIGN, "the stream is empty");
    if (memcmp(header, acre_trace_magic, got < WIRE_MAGIC_SIZE ? got : WIRE_MAGIC_SIZE) != 0)
        return fail(reader, ACRE_TRACE_FOREIGN, "the stream does not begin as a trace does");
    if (got < sizeof header)
        return fail(reader, ACRE_TRACE_TRUNCATED, "the stream ends within its header");
    if (wire_get_u32(header + 12) != acre_trace_crc(0, header, 12))
        return fail(reader, ACRE_TRACE_CHECKSUM, "the header does not match its checksum");
    if (wire_get_u16(header + 8) > ACRE_TRACE_VERSION || wire_get_u16(header + 10) != 0)
        return fail(reader, ACRE_TRACE_NEWER, "the trace was written by a newer version");
    if (wire_get_u16(header + 8) == 0)
        return corrupt(reader, "the header names version 0, which does not exist");
    reader->chunk_offset = WIRE_HEADER_SIZE;
    return ACRE_TRACE_OK;
}

static enum acre_trace_status read_payload(
    struct acre_trace_reader *reader, const unsigned char *header, size_t length)
{
    uint32_t crc = acre_trace_crc(0, header, 4);
    size_t got;

    if (pull(reader, reader->chunk, length, &got))
        return reader->state;
    if (got < length)
        return fail(reader, ACRE_TRACE_TRUNCATED, "the stream ends within a chunk");
    if (acre_trace_crc(crc, reader->chunk, length) != wire_get_u32(header + 4))
        return fail(reader, ACRE_TRACE_CHECKSUM, "a chunk does not match its checksum");
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
    if (pull(reader, header, sizeof header, &got))
        return reader->state;
    if (got < sizeof header)
        return fail(reader, ACRE_TRACE_TRUNCATED, "the stream ends before its end record");
    length = wire_get_u32(header);
    if (length == 0 || length > ACRE_TRACE_CHUNK_MAX)
        return corrupt(reader, "a chunk's length is out of range");
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
        return corrupt(reader, "records follow the end record");
    if (pull(reader, &byte, 1, &got))
        return reader->state;
    if (got)
        return corrupt(reader, "bytes follow the end of the trace");
    return fail(reader, ACRE_TRACE_DONE, "");
}

/* ---- operands ---- */

static bool get_byte(struct acre_trace_reader *reader, unsigned *value)
{
    if (reader->at == reader->chunk_size) {
        corrupt(reader, "a record crosses the end of its chunk");
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
    corrupt(reader, "a number has more than 64 bits");
    return false;
}

static bool get_u32(struct acre_trace_reader *reader, uint32_t *value)
{
    uint64_t wide;

    if (!get_varint(reader, &wide))
        return false;
    if (wide > UINT32_MAX) {
        corrupt(reader, "a number is out of range");
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
        corrupt(reader, "an alignment is out of range");
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
        corrupt(reader, "a record names a block that is not live");
        return false;
    }
    return true;
}

/* ---- records ---- */

static void fill(
    const struct acre_trace_reader *reader, struct acre_trace_event *event, enum acre_trace_op op)
{
    memset(event, 0, sizeof *event);
    event->op = op;
    event->thread = reader->thread;
    event->process = (uint32_t)reader->totals.processes;
    event->time_ns = reader->time_ns;
}

/** An ALLOC, FREE, RESIZE or FAILED event, counted. */
static void fill_counted(
    struct acre_trace_reader *reader, struct acre_trace_event *event, enum acre_trace_op op)
{
    fill(reader, event, op);
    reader->section.events++;
}

static enum acre_trace_status on_alloc(struct acre_trace_reader *reader,
    struct acre_trace_event *event, enum acre_trace_call call, uint64_t size, uint64_t align)
{
    struct acre_trace_block block = { reader->next_ordinal, size, align, 0 };
    enum acre_trace_status status;

    fill_counted(reader, event, ACRE_TRACE_ALLOC);
    status = acre_trace_blocks_add(reader, &block, &event->slot);
    if (status != ACRE_TRACE_OK)
        return fail(reader, status, acre_trace_status_text(status));
    reader->next_ordinal++;
    event->call = call;
    event->size = size;
    event->align = align;
    event->inherited = reader->inherited_left != 0;
    reader->inherited_left -= event->inherited;
    return ACRE_TRACE_OK;
}

static enum acre_trace_status on_free(
    struct acre_trace_reader *reader, struct acre_trace_event *event, uint64_t age)
{
    fill_counted(reader, event, ACRE_TRACE_FREE);
    if (!find_aged(reader, age, &event->slot))
        return reader->state;
    event->size = reader->blocks[event->slot].size;
    event->align = reader->blocks[event->slot].align;
    acre_trace_blocks_remove(reader, event->slot);
    return ACRE_TRACE_OK;
}

static enum acre_trace_status on_free_far(
    struct acre_trace_reader *reader, struct acre_trace_event *event, unsigned op)
{
    uint64_t age;

    (void)op;
    return get_varint(reader, &age) ? on_free(reader, event, age) : reader->state;
}

static enum acre_trace_status on_free_mid(
    struct acre_trace_reader *reader, struct acre_trace_event *event, unsigned op)
{
    unsigned low;

    if (!get_byte(reader, &low))
        return reader->state;
    return on_free(reader, event, WIRE_NEAR + 256u * (op - WIRE_FREE_MID) + low);
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

static enum acre_trace_status on_request(
    struct acre_trace_reader *reader, struct acre_trace_event *event, unsigned op)
{
    const enum acre_trace_call call = (enum acre_trace_call)(op - WIRE_MALLOC);
    uint64_t size, align;

    if (!get_request(reader, call, &size, &align))
        return reader->state;
    return on_alloc(reader, event, call, size, align);
}

static enum acre_trace_status on_failed(
    struct acre_trace_reader *reader, struct acre_trace_event *event, unsigned op)
{
    fill_counted(reader, event, ACRE_TRACE_FAILED);
    event->call = (enum acre_trace_call)(op - WIRE_FAILED_MALLOC);
    return get_request(reader, event->call, &event->size, &event->align) ? ACRE_TRACE_OK
                                                                         : reader->state;
}

/** What RESIZE and FAILED_RESIZE have in common: the block named, its new size. */
static enum acre_trace_status on_resize_request(
    struct acre_trace_reader *reader, struct acre_trace_event *event, enum acre_trace_op op)
{
    uint64_t age;

    fill_counted(reader, event, op);
    if (!get_varint(reader, &age) || !get_varint(reader, &event->size) ||
        !find_aged(reader, age, &event->slot))
        return reader->state;
    event->call = ACRE_TRACE_REALLOC;
    event->old_size = reader->blocks[event->slot].size;
    event->align = reader->blocks[event->slot].align;
    return ACRE_TRACE_OK;
}

static enum acre_trace_status on_resize(
    struct acre_trace_reader *reader, struct acre_trace_event *event, unsigned op)
{
    (void)op;
    if (on_resize_request(reader, event, ACRE_TRACE_RESIZE))
        return reader->state;
    acre_trace_blocks_rename(reader, event->slot, reader->next_ordinal++);
    reader->blocks[event->slot].size = event->size;
    return ACRE_TRACE_OK;
}

static enum acre_trace_status on_failed_resize(
    struct acre_trace_reader *reader, struct acre_trace_event *event, unsigned op)
{
    (void)op;
    if (on_resize_request(reader, event, ACRE_TRACE_FAILED))
        return reader->state;
    event->has_slot = true;
    return ACRE_TRACE_OK;
}

static bool get_name(struct acre_trace_reader *reader)
{
    unsigned length;

    memset(reader->process.name, 0, sizeof reader->process.name);
    if (!get_byte(reader, &length))
        return false;
    if (length > reader->chunk_size - reader->at) {
        corrupt(reader, "a record crosses the end of its chunk");
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
        corrupt(reader, "a process record names an unknown origin");
        return false;
    }
    reader->process.origin = (enum acre_trace_origin)origin;
    return true;
}

static enum acre_trace_status on_process(
    struct acre_trace_reader *reader, struct acre_trace_event *event, unsigned op)
{
    (void)op;
    if (!get_process(reader))
        return reader->state;
    if (reader->totals.processes > UINT32_MAX)
        return corrupt(reader, "more process sections than can be numbered");
    acre_trace_blocks_clear(reader);
    memset(&reader->section, 0, sizeof reader->section);
    reader->in_process = true;
    reader->next_ordinal = reader->time_ns = 0;
    reader->thread = 0;
    reader->inherited_left = reader->process.inherited;
    fill(reader, event, ACRE_TRACE_PROCESS);
    event->about = &reader->process;
    return ACRE_TRACE_OK;
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
        return corrupt(reader, "a section does not have the events it counts");
    if (reader->inherited_left)
        return corrupt(reader, "a section does not have the inherited blocks it names");
    fill(reader, event, ACRE_TRACE_PROCESS_END);
    reader->section.processes = 1;
    event->totals = reader->section;
    reader->totals.processes++;
    reader->totals.events += events;
    reader->totals.lost += reader->section.lost;
    reader->totals.unmatched += reader->section.unmatched;
    reader->in_process = false;
    return ACRE_TRACE_OK;
}

static enum acre_trace_status on_end(
    struct acre_trace_reader *reader, struct acre_trace_event *event, unsigned op)
{
    struct acre_trace_totals said;

    (void)op;
    if (!get_varint(reader, &said.processes) || !get_varint(reader, &said.events) ||
        !get_varint(reader, &said.lost) || !get_varint(reader, &said.unmatched))
        return reader->state;
    if (memcmp(&said, &reader->totals, sizeof said) != 0)
        return corrupt(reader, "the trace does not have the sections and events it counts");
    fill(reader, event, ACRE_TRACE_END);
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
        return corrupt(reader, "a thread number is out of range");
    return ACRE_TRACE_OK;
}

static enum acre_trace_status on_time(struct acre_trace_reader *reader)
{
    uint64_t delta;

    if (!get_varint(reader, &delta))
        return reader->state;
    if (delta > UINT64_MAX - reader->time_ns)
        return corrupt(reader, "a time is out of range");
    reader->time_ns += delta;
    return ACRE_TRACE_OK;
}

typedef enum acre_trace_status on_record(
    struct acre_trace_reader *reader, struct acre_trace_event *event, unsigned op);

static on_record *const on_op[WIRE_OPS] = {
    [WIRE_PROCESS] = on_process,
    [WIRE_PROCESS_END] = on_process_end,
    [WIRE_END] = on_end,
    [WIRE_MALLOC] = on_request,
    [WIRE_CALLOC] = on_request,
    [WIRE_MEMALIGN] = on_request,
    [WIRE_RESIZE] = on_resize,
    [WIRE_FREE] = on_free_far,
    [WIRE_FAILED_MALLOC] = on_failed,
    [WIRE_FAILED_CALLOC] = on_failed,
    [WIRE_FAILED_MEMALIGN] = on_failed,
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
        return corrupt(reader, "a record of an unknown kind");
    return on_op[op](reader, event, op);
}

static enum acre_trace_status decode(
    struct acre_trace_reader *reader, struct acre_trace_event *event, unsigned op)
{
    if (op >= WIRE_FREE_MID)
        return on_free_mid(reader, event, op);
    if (op >= WIRE_FREE_NEAR)
        return on_free(reader, event, op - WIRE_FREE_NEAR);
    if (op >= WIRE_MALLOC_8)
        return on_alloc(reader, event, ACRE_TRACE_MALLOC, 8u * (op - WIRE_MALLOC_8 + 1), 0);
    return on_long(reader, event, op);
}

/** Reads the next op, past thread and time records. */
static enum acre_trace_status next_op(struct acre_trace_reader *reader, unsigned *op)
{
    for (;;) {
        if (reader->at == reader->chunk_size && read_chunk(reader))
            return reader->state;
        reader->offset = reader->chunk_offset + reader->at;
        *op = reader->chunk[reader->at++];
        if (!is_in_place(reader, *op))
            return corrupt(reader, "a record stands outside the section it belongs to");
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
    if (reader->ended)
        return expect_end(reader);
    if (next_op(reader, &op))
        return reader->state;
    return decode(reader, event, op);
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
        return fail(reader, ACRE_TRACE_INVALID_PARAM, "a callback is missing");
    reader->source = *source;
    reader->memory = *memory;
    reader->live_max = live_max && live_max < ACRE_TRACE_LIVE_MAX ? live_max : ACRE_TRACE_LIVE_MAX;
    if (read_header(reader))
        return reader->state;
    reader->chunk = memory->resize(memory->user, NULL, 0, ACRE_TRACE_CHUNK_MAX);
    if (!reader->chunk)
        return fail(reader, ACRE_TRACE_NO_MEMORY, "no memory for a chunk");
    return ACRE_TRACE_OK;
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
