/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Tracer: each verb calls the inner allocator, then writes a line. Numbers are hexadecimal, which
 * needs no division.
 */
#include <acre/wrap/pass.h>
#include <acre/wrap/tracer.h>

#include "base/memory.h"

enum { LINE = 80, NAME = 200 };

struct line {
    char text[LINE];
    size_t used;
};

/* Longest: "process 1 0 forked 0x" and 16 digits; "x a " and two numbers; "r " and three, with 18
 * characters and a blank each. */
_Static_assert(LINE >= 2 + 3 * 19 + 1, "a line holds the longest text");

/* ---- lines ---- */

static void line_put(struct line *line, const char *text)
{
    while (*text != '\0')
        line->text[line->used++] = *text++;
}

/* A blank and a number. */
static void line_put_number(struct line *line, uint64_t number)
{
    char digits[16];
    size_t first = sizeof digits;
    do {
        digits[--first] = "0123456789abcdef"[number & 15];
        number >>= 4;
    } while (number != 0);
    line_put(line, " 0x");
    memcpy(line->text + line->used, digits + first, sizeof digits - first);
    line->used += sizeof digits - first;
}

static void line_put_pointer(struct line *line, const void *ptr)
{
    line_put_number(line, (uintptr_t)ptr);
}

static void tracer_write_line(const struct acre_tracer *tracer, struct line *line)
{
    line_put(line, "\n");
    tracer->sink.write(tracer->sink.arg, line->text, line->used);
}

static void tracer_write_text(const struct acre_tracer *tracer, const char *text)
{
    struct line line = { .used = 0 };
    line_put(&line, text);
    tracer_write_line(tracer, &line);
}

/* Writes the time if it differs from that of the last line. */
static void tracer_write_time(struct acre_tracer *tracer)
{
    struct line line = { .used = 0 };
    if (tracer->sink.clock == NULL)
        return;
    uint64_t time = tracer->sink.clock(tracer->sink.arg) - tracer->start;
    if (time == tracer->time)
        return;
    tracer->time = time;
    line_put(&line, "@");
    line_put_number(&line, time);
    tracer_write_line(tracer, &line);
}

/* ---- sections ---- */

static bool tracer_is_recording(const struct acre_tracer *tracer)
{
    return tracer->name != NULL;
}

static void tracer_write_name(const struct acre_tracer *tracer)
{
    size_t size = 0;
    while (size < NAME && tracer->name[size] != '\0' && tracer->name[size] != '\n' &&
           tracer->name[size] != '\r')
        size++;
    tracer->sink.write(tracer->sink.arg, tracer->name, size);
    tracer->sink.write(tracer->sink.arg, "\n", 1);
}

static void tracer_write_process(const struct acre_tracer *tracer, size_t inherited)
{
    struct line line = { .used = 0 };
    line_put(&line, inherited == 0 ? "process 1 0 started" : "process 1 0 forked");
    if (inherited != 0)
        line_put_number(&line, inherited);
    line_put(&line, " ");
    tracer->sink.write(tracer->sink.arg, line.text, line.used);
    tracer_write_name(tracer);
}

static bool tracer_write_inherited(void *arg, void *start, size_t size, bool live)
{
    struct line line = { .used = 0 };
    if (!live)
        return true;
    line_put(&line, "m");
    line_put_pointer(&line, start);
    line_put_number(&line, size);
    tracer_write_line(arg, &line);
    return true;
}

void acre_tracer_begin(struct acre_tracer *tracer, const char *name)
{
    acre_tracer_end(tracer);
    if (!tracer->headed)
        tracer_write_text(tracer, "acre-trace 1");
    tracer->headed = true;
    tracer->name = name;
    tracer->unmatched = 0;
    tracer->time = 0;
    tracer->start = tracer->sink.clock != NULL ? tracer->sink.clock(tracer->sink.arg) : 0;
    size_t live = acre_bytes_stats(tracer->inner).live_blocks;
    tracer_write_process(tracer, live);
    if (live != 0)
        acre_walk(tracer->inner, tracer_write_inherited, tracer);
}

void acre_tracer_thread(struct acre_tracer *tracer, uint32_t thread)
{
    struct line line = { .used = 0 };
    if (!tracer_is_recording(tracer))
        return;
    line_put(&line, "t");
    line_put_number(&line, thread);
    tracer_write_line(tracer, &line);
}

void acre_tracer_end(struct acre_tracer *tracer)
{
    struct line line = { .used = 0 };
    if (!tracer_is_recording(tracer))
        return;
    line_put(&line, "end");
    line_put_number(&line, 0);
    line_put_number(&line, tracer->unmatched);
    tracer_write_line(tracer, &line);
    tracer->name = NULL;
}

/* Begins a new section: no line of the format says that all blocks were freed at once. */
static void tracer_restart(struct acre_tracer *tracer)
{
    if (tracer_is_recording(tracer))
        acre_tracer_begin(tracer, tracer->name);
}

/* ---- the verbs ---- */

static enum acre_status tracer_init(void *self, void *start, size_t size)
{
    enum acre_status status = acre_pass_init(self, start, size);
    tracer_restart(self);
    return status;
}

static void tracer_reset(void *self)
{
    acre_pass_reset(self);
    tracer_restart(self);
}

/* Writes the result of alloc as malloc, or as memalign for an alignment above natural. */
static void tracer_write_alloc(
    struct acre_tracer *tracer, struct acre_layout layout, struct acre_ptr got)
{
    struct line line = { .used = 0 };
    bool aligned = layout.align > ACRE_NATURAL_ALIGN;
    tracer_write_time(tracer);
    line_put(&line, got.status == ACRE_OK ? "" : "x ");
    line_put(&line, aligned ? "a" : "m");
    if (got.status == ACRE_OK)
        line_put_pointer(&line, got.ptr);
    line_put_number(&line, layout.size);
    if (aligned)
        line_put_number(&line, layout.align);
    tracer_write_line(tracer, &line);
}

static struct acre_ptr tracer_alloc(void *self, struct acre_layout layout)
{
    struct acre_tracer *tracer = self;
    struct acre_ptr got = acre_alloc(tracer->inner, layout);
    if (tracer_is_recording(tracer) && got.status != ACRE_INVALID_PARAM)
        tracer_write_alloc(tracer, layout, got);
    return got;
}

static void tracer_write_free(struct acre_tracer *tracer, const void *ptr, enum acre_status status)
{
    struct line line = { .used = 0 };
    tracer->unmatched += status == ACRE_NOT_ALLOCATED;
    if (status != ACRE_OK)
        return;
    tracer_write_time(tracer);
    line_put(&line, "f");
    line_put_pointer(&line, ptr);
    tracer_write_line(tracer, &line);
}

static enum acre_status tracer_dealloc(void *self, void *ptr)
{
    struct acre_tracer *tracer = self;
    enum acre_status status = acre_dealloc(tracer->inner, ptr);
    if (tracer_is_recording(tracer))
        tracer_write_free(tracer, ptr, status);
    return status;
}

static enum acre_status tracer_dealloc_sized(void *self, void *ptr, struct acre_layout layout)
{
    struct acre_tracer *tracer = self;
    enum acre_status status = acre_dealloc_sized(tracer->inner, ptr, layout);
    if (tracer_is_recording(tracer))
        tracer_write_free(tracer, ptr, status);
    return status;
}

/* Writes the result of resize or realloc. */
static void tracer_write_resize(
    struct acre_tracer *tracer, const void *ptr, size_t size, struct acre_ptr got)
{
    struct line line = { .used = 0 };
    tracer->unmatched += got.status == ACRE_NOT_ALLOCATED;
    if (got.status != ACRE_OK && got.status != ACRE_NO_MEMORY)
        return;
    tracer_write_time(tracer);
    line_put(&line, got.status == ACRE_OK ? "r" : "x r");
    line_put_pointer(&line, ptr);
    line_put_number(&line, size);
    if (got.status == ACRE_OK && got.ptr != ptr)
        line_put_pointer(&line, got.ptr);
    tracer_write_line(tracer, &line);
}

static enum acre_status tracer_resize(void *self, void *ptr, size_t size)
{
    struct acre_tracer *tracer = self;
    enum acre_status status = acre_resize(tracer->inner, ptr, size);
    if (tracer_is_recording(tracer))
        tracer_write_resize(tracer, ptr, size, (struct acre_ptr){ ptr, status });
    return status;
}

static struct acre_ptr tracer_realloc(void *self, void *ptr, struct acre_layout layout)
{
    struct acre_tracer *tracer = self;
    struct acre_ptr got = acre_realloc(tracer->inner, ptr, layout);
    if (tracer_is_recording(tracer))
        tracer_write_resize(tracer, ptr, layout.size, got);
    return got;
}

ACRE_PASS_OPS(tracer_ops, .base.init = tracer_init, .base.reset = tracer_reset,
    .alloc = tracer_alloc, .dealloc = tracer_dealloc, .dealloc_sized = tracer_dealloc_sized,
    .resize = tracer_resize, .realloc = tracer_realloc);

/* ---- the wrapper ---- */

void acre_tracer_wrap(
    struct acre_tracer *tracer, struct acre_bytes inner, struct acre_tracer_sink sink)
{
    memset(tracer, 0, sizeof *tracer);
    tracer->inner = inner;
    tracer->sink = sink;
}

struct acre_bytes acre_tracer_bytes(struct acre_tracer *tracer)
{
    struct acre_bytes bytes = { &tracer_ops, tracer };
    return bytes;
}
