/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/traces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CHURN_BLOCKS 1000

static void must(int done)
{
    if (!done)
        abort();
}

const char *trace_path(const char *name)
{
    static char paths[16][4096];
    static size_t next;
    char folder[2048];
    must(next < 16);
    snprintf(folder, sizeof folder, "%s/tests/traces", getenv("ACRE_BUILD"));
    mkdir(folder, 0777);
    snprintf(paths[next], sizeof paths[next], "%s/%s", folder, name);
    return paths[next++];
}

struct trace_made trace_begin(const char *path)
{
    struct trace_made made = { acre_trace_output_create(path, 1), NULL };
    must(made.output != NULL);
    made.writer = acre_trace_output_writer(made.output);
    return made;
}

void trace_process(struct trace_made *made, uint32_t pid, const char *name)
{
    struct acre_trace_process process = { .pid = pid, .parent_pid = 1 };
    snprintf(process.name, sizeof process.name, "%s", name);
    must(acre_trace_write_process(made->writer, &process) == ACRE_TRACE_OK);
}

uint64_t trace_alloc(struct trace_made *made, uint64_t size, uint64_t align)
{
    uint64_t ordinal = 0;
    enum acre_trace_call call = align ? ACRE_TRACE_MEMALIGN : ACRE_TRACE_MALLOC;
    must(acre_trace_write_alloc(made->writer, call, size, align, &ordinal) == ACRE_TRACE_OK);
    return ordinal;
}

void trace_free(struct trace_made *made, uint64_t ordinal)
{
    must(acre_trace_write_free(made->writer, ordinal) == ACRE_TRACE_OK);
}

uint64_t trace_resize(struct trace_made *made, uint64_t ordinal, uint64_t size)
{
    must(acre_trace_write_resize(made->writer, &ordinal, size) == ACRE_TRACE_OK);
    return ordinal;
}

void trace_process_end(struct trace_made *made)
{
    must(acre_trace_write_process_end(made->writer, 0, 0) == ACRE_TRACE_OK);
}

void trace_end(struct trace_made *made)
{
    must(acre_trace_output_close(made->output) == ACRE_TRACE_OK);
}

void trace_hundred_blocks(const char *path)
{
    struct trace_made made = trace_begin(path);
    trace_process(&made, 10, "hundred");
    for (int i = 0; i < 100; i++)
        trace_alloc(&made, 160, 0);
    trace_process_end(&made);
    trace_end(&made);
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static void churn_live(struct trace_made *made, uint64_t *random, uint64_t *ordinal)
{
    if (next_random(random) % 4) {
        trace_free(made, *ordinal);
        *ordinal = UINT64_MAX;
    } else {
        *ordinal = trace_resize(made, *ordinal, next_random(random) % 2000);
    }
}

static void churn_new(struct trace_made *made, uint64_t *random, uint64_t *ordinal)
{
    uint64_t align = next_random(random) % 20 ? 0 : 64;
    uint64_t size = next_random(random) % 2000;
    *ordinal = trace_alloc(made, size, align);
}

void trace_churn(const char *path, unsigned count)
{
    uint64_t ordinals[CHURN_BLOCKS];
    uint64_t random = 1;
    struct trace_made made = trace_begin(path);
    memset(ordinals, 0xFF, sizeof ordinals);
    trace_process(&made, 10, "churn");
    for (unsigned i = 0; i < count; i++) {
        uint64_t *ordinal = &ordinals[next_random(&random) % CHURN_BLOCKS];
        if (*ordinal != UINT64_MAX)
            churn_live(&made, &random, ordinal);
        else
            churn_new(&made, &random, ordinal);
    }
    trace_process_end(&made);
    trace_end(&made);
}
