/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * Fuzz target of the readers of other tools' traces. The first byte chooses the format. Asserted:
 * what is refused comes with a sentence, what is not becomes a trace that the reader of traces
 * takes to its end, and all memory comes back.
 */
#include "fuzz/fuzz.h"
#include "tool/import/import.h"
#include "trace/trace.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct text {
    char *bytes;
    size_t size, at;
};

static size_t get(void *user, void *into, size_t capacity)
{
    struct text *text = user;
    size_t count = text->size - text->at;

    if (count > capacity)
        count = capacity;
    memcpy(into, text->bytes + text->at, count);
    text->at += count;
    return count;
}

/* There is nothing in it that a trace may not hold. */
static void read_all(struct text *text)
{
    size_t held = 0;
    struct acre_trace_reader reader;
    struct acre_trace_event event;
    const struct acre_trace_source source = { get, text };
    const struct acre_trace_memory memory = { fuzz_resize, &held };
    enum acre_trace_status status = acre_trace_reader_open(&reader, &source, &memory, 0);

    while (status == ACRE_TRACE_OK)
        status = acre_trace_reader_next(&reader, &event);
    fuzz_require(status == ACRE_TRACE_DONE);
    acre_trace_reader_close(&reader);
    fuzz_require(held == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text text = { NULL, 0, 0 };
    char message[IMPORT_MESSAGE_ROOM];

    if (size < 2)
        return 0;
    FILE *in = fmemopen((void *)(uintptr_t)(data + 1), size - 1, "r");
    FILE *out = open_memstream(&text.bytes, &text.size);
    fuzz_require(in && out);
    bool taken = import_text(in, "input", &import_formats[data[0] % 3], out, message);
    fclose(in);
    fclose(out);
    fuzz_require(taken == (message[0] == '\0'));
    if (taken)
        read_all(&text);
    free(text.bytes);
    return 0;
}
