/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A recorded trace as a workload: its processes one after another, each beginning with nothing. */
#include "builder.h"
#include "trace/trace_file.h"
#include "workloads.h"

#include <stdio.h>

/* Shortened runs take this many events. */
enum { SHORT_EVENTS = 20000 };

/* What malloc promises where a call names no alignment. */
static const unsigned malloc_log2 = 4;

static unsigned log2_of(uint64_t align)
{
    unsigned log2 = 0;
    while (log2 < 63 && (uint64_t)1 << log2 < align)
        log2++;
    return log2 < malloc_log2 ? malloc_log2 : log2;
}

static void add_event(struct bench_builder *builder, const struct acre_trace_event *event)
{
    size_t size = event->size ? (size_t)event->size : 1;
    if (event->op == ACRE_TRACE_PROCESS)
        bench_free_all(builder);
    else if (event->op == ACRE_TRACE_ALLOC)
        bench_alloc(builder, event->slot, size, log2_of(event->align));
    else if (event->op == ACRE_TRACE_FREE)
        bench_dealloc(builder, event->slot);
    else if (event->op == ACRE_TRACE_RESIZE)
        bench_realloc(builder, event->slot, size);
}

/* Whether reading went well so far; if not, says what is wrong. */
static bool trace_is_sound(struct acre_trace_input *input)
{
    enum acre_trace_status status = input ? acre_trace_input_status(input) : ACRE_TRACE_NO_MEMORY;
    if (status == ACRE_TRACE_OK || status == ACRE_TRACE_DONE)
        return true;
    fprintf(stderr, "acre-bench: %s\n",
        input ? acre_trace_input_message(input) : acre_trace_status_text(status));
    return false;
}

/* The same at its end; a trace that is truncated is taken as far as it goes. */
static bool is_read_through(struct acre_trace_input *input)
{
    if (acre_trace_input_status(input) != ACRE_TRACE_TRUNCATED)
        return trace_is_sound(input);
    fprintf(stderr, "acre-bench: %s; taken as far as it goes\n", acre_trace_input_message(input));
    return true;
}

bool bench_check_trace(const char *path)
{
    struct acre_trace_input *input = acre_trace_input_open(path, 0);
    bool good = trace_is_sound(input);
    acre_trace_input_close(input);
    return good;
}

bool bench_build_trace(struct bench_builder *builder, const char *path, unsigned scale)
{
    struct acre_trace_event event;
    struct acre_trace_input *input = acre_trace_input_open(path, 0);
    bool good = trace_is_sound(input);
    size_t left = scale > 1 ? SHORT_EVENTS : SIZE_MAX;
    while (good && left-- && acre_trace_input_next(input, &event) == ACRE_TRACE_OK)
        add_event(builder, &event);
    good = good && is_read_through(input);
    acre_trace_input_close(input);
    return good;
}
