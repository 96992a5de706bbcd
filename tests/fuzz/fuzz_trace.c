/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * Fuzz target of the trace reader. The input is a list of chunks' records; header and checksums are
 * added here, so that the fuzzer spends its time behind them. An input with bit 0 of its first
 * byte set is taken as a whole stream instead. Asserted: every slot is what a naive table of live
 * slots says, every total adds up, and all memory comes back.
 */
#include "fuzz/fuzz.h"
#include "trace/trace.h"
#include "trace/trace_wire.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LIVE_MAX = 4096 };

struct input {
    const unsigned char *bytes;
    size_t size;
    unsigned char framed[WIRE_HEADER_SIZE + WIRE_CHUNK_HEADER_SIZE + ACRE_TRACE_CHUNK_MAX];
    size_t framed_size;
    size_t at;
};

struct oracle {
    bool live[LIVE_MAX];
    uint64_t size[LIVE_MAX];
    uint64_t events;
};

static size_t get(void *user, void *into, size_t capacity)
{
    struct input *input = user;
    size_t count = input->framed_size - input->at;

    if (count > capacity)
        count = capacity;
    memcpy(into, input->framed + input->at, count);
    input->at += count;
    return count;
}

/** Puts header and checksum in front of the fuzzer's records. */
static void frame(struct input *input)
{
    unsigned char *chunk = input->framed + WIRE_HEADER_SIZE;

    memcpy(input->framed, acre_trace_magic, WIRE_MAGIC_SIZE);
    wire_put_u16(input->framed + 8, ACRE_TRACE_VERSION);
    wire_put_u16(input->framed + 10, 0);
    wire_put_u32(input->framed + 12, acre_trace_crc(0, input->framed, 12));
    wire_put_u32(chunk, (uint32_t)input->size);
    memcpy(chunk + WIRE_CHUNK_HEADER_SIZE, input->bytes, input->size);
    wire_put_u32(chunk + 4,
        acre_trace_crc(acre_trace_crc(0, chunk, 4), chunk + WIRE_CHUNK_HEADER_SIZE, input->size));
    input->framed_size = WIRE_HEADER_SIZE + WIRE_CHUNK_HEADER_SIZE + input->size;
}

static void follow(struct oracle *oracle, const struct acre_trace_event *event)
{
    fuzz_require(event->slot < LIVE_MAX);
    if (event->op == ACRE_TRACE_PROCESS) {
        memset(oracle, 0, sizeof *oracle);
        fuzz_require(strlen(event->about->name) <= ACRE_TRACE_NAME_MAX);
    } else if (event->op == ACRE_TRACE_ALLOC) {
        fuzz_require(!oracle->live[event->slot]);
        oracle->live[event->slot] = true;
        oracle->size[event->slot] = event->size;
    } else if (event->op == ACRE_TRACE_FREE) {
        fuzz_require(oracle->live[event->slot] && oracle->size[event->slot] == event->size);
        oracle->live[event->slot] = false;
    } else if (event->op == ACRE_TRACE_RESIZE) {
        fuzz_require(oracle->live[event->slot] && oracle->size[event->slot] == event->old_size);
        oracle->size[event->slot] = event->size;
    } else if (event->op == ACRE_TRACE_PROCESS_END) {
        fuzz_require(event->totals.events == oracle->events);
    }
    oracle->events += event->op >= ACRE_TRACE_ALLOC && event->op <= ACRE_TRACE_FAILED;
}

static void read_all(struct input *input)
{
    static struct oracle oracle;
    size_t held = 0;
    struct acre_trace_reader reader;
    struct acre_trace_event event;
    const struct acre_trace_source source = { get, input };
    const struct acre_trace_memory memory = { fuzz_resize, &held };
    enum acre_trace_status status = acre_trace_reader_open(&reader, &source, &memory, LIVE_MAX);

    while (status == ACRE_TRACE_OK) {
        status = acre_trace_reader_next(&reader, &event);
        if (status == ACRE_TRACE_OK)
            follow(&oracle, &event);
    }
    fuzz_require(status == acre_trace_reader_next(&reader, &event));
    fuzz_require(status != ACRE_TRACE_INVALID_PARAM && reader.detail);
    acre_trace_reader_close(&reader);
    fuzz_require(held == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct input input;

    if (size == 0 || size > ACRE_TRACE_CHUNK_MAX)
        return 0;
    input = (struct input){ .bytes = data + 1, .size = size - 1 };
    if (data[0] & 1) {
        memcpy(input.framed, input.bytes, input.size);
        input.framed_size = input.size;
    } else {
        frame(&input);
    }
    read_all(&input);
    return 0;
}
