/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Tracer: the inner call, then a line about it. Numbers are hexadecimal, which takes no division.
 */
#include <acre/wrap/tracer.h>

#include "base/memory.h"
#include "wrap/pass.h"

enum { LINE = 80, NAME = 200 };

struct line {
    char text[LINE];
    size_t used;
};

/* Longest: "process 1 0 forked 0x" and 16 digits; "x a " and two numbers; "r " and three, with 18
 * characters and a blank each. */
_Static_assert(LINE >= 2 + 3 * 19 + 1, "a line has room for its longest contents");

/* ---- lines ---- */

static void put(struct line *line, const char *text)
{
    while (*text != '\0')
        line->text[line->used++] = *text++;
}

/* A blank and a number. */
static void put_number(struct line *line, uint64_t number)
{
    char digits[16];
    size_t first = sizeof digits;
    do {
        digits[--first] = "0123456789abcdef"[number & 15];
        number >>= 4;
    } while (number != 0);
    put(line, " 0x");
    memcpy(line->text + line->used, digits + first, sizeof digits - first);
    line->used += sizeof digits - first;
}

static void put_pointer(struct line *line, const void *ptr)
{
    put_number(line, (uintptr_t)ptr);
}

static void write_line(const struct acre_tracer *tracer, struct line *line)
{
    put(line, "\n");
    tracer->sink.write(tracer->sink.arg, line->text, line->used);
}

static void write_text(const struct acre_tracer *tracer, const char *text)
{
    struct line line = { .used = 0 };
    put(&line, text);
    write_line(tracer, &line);
}

/* The time, when it is another than that of the line before. */
static void write_time(struct acre_tracer *tracer)
{
    struct line line = { .used = 0 };
    if (tracer->sink.clock == NULL)
        return;
    uint64_t time = tracer->sink.clock(tracer->sink.arg) - tracer->start;
    if (time == tracer->time)
        return;
    tracer->time = time;
    put(&line, "@");
    put_number(&line, time);
    write_line(tracer, &line);
}

/* ---- sections ---- */

static bool is_recording(const struct acre_tracer *tracer)
{
    return tracer->name != NULL;
}

static void write_name(const struct acre_tracer *tracer)
{
    size_t size = 0;
    while (size < NAME && tracer->name[size] != '\0' && tracer->name[size] != '\n' &&
           tracer->name[size] != '\r')
        size++;
    tracer->sink.write(tracer->sink.arg, tracer->name, size);
    tracer->sink.write(tracer->sink.arg, "\n", 1);
}

static void write_process(const struct acre_tracer *tracer, size_t inherited)
{
    struct line line = { .used = 0 };
    put(&line, inherited == 0 ? "process 1 0 started" : "process 1 0 forked");
    if (inherited != 0)
        put_number(&line, inherited);
    put(&line, " ");
    tracer->sink.write(tracer->sink.arg, line.text, line.used);
    write_name(tracer);
}

static bool write_inherited(void *arg, void *start, size_t size, bool live)
{
    struct line line = { .used = 0 };
    if (!live)
        return true;
    put(&line, "m");
    put_pointer(&line, start);
    put_number(&line, size);
    write_line(arg, &line);
    return true;
}

void acre_tracer_begin(struct acre_tracer *tracer, const char *name)
{
    acre_tracer_end(tracer);
    if (!tracer->headed)
        write_text(tracer, "acre-trace 1");
    tracer->headed = true;
    tracer->name = name;
    tracer->unmatched = 0;
    tracer->time = 0;
    tracer->start = tracer->sink.clock != NULL ? tracer->sink.clock(tracer->sink.arg) : 0;
    size_t live = acre_bytes_stats(tracer->inner).live_blocks;
    write_process(tracer, live);
    if (live != 0)
        acre_walk(tracer->inner, write_inherited, tracer);
}

void acre_tracer_thread(struct acre_tracer *tracer, uint32_t thread)
{
    struct line line = { .used = 0 };
    if (!is_recording(tracer))
        return;
    put(&line, "t");
    put_number(&line, thread);
    write_line(tracer, &line);
}

void acre_tracer_end(struct acre_tracer *tracer)
{
    struct line line = { .used = 0 };
    if (!is_recording(tracer))
        return;
    put(&line, "end");
    put_number(&line, 0);
    put_number(&line, tracer->unmatched);
    write_line(tracer, &line);
    tracer->name = NULL;
}

/* All blocks are gone at once, which no line can say. */
static void begin_anew(struct acre_tracer *tracer)
{
    if (is_recording(tracer))
        acre_tracer_begin(tracer, tracer->name);
}

/* ---- the verbs ---- */

static enum acre_status tracer_init(void *self, void *start, size_t size)
{
    enum acre_status status = acre_init(wrap_inner_base(self), start, size);
    begin_anew(self);
    return status;
}

static void tracer_reset(void *self)
{
    acre_reset(wrap_inner_base(self));
    begin_anew(self);
}

/* What alloc answered, as malloc or, for an alignment that malloc does not have, as memalign. */
static void write_alloc(struct acre_tracer *tracer, struct acre_layout layout, struct acre_ptr got)
{
    struct line line = { .used = 0 };
    bool aligned = layout.align > ACRE_NATURAL_ALIGN;
    write_time(tracer);
    put(&line, got.status == ACRE_OK ? "" : "x ");
    put(&line, aligned ? "a" : "m");
    if (got.status == ACRE_OK)
        put_pointer(&line, got.ptr);
    put_number(&line, layout.size);
    if (aligned)
        put_number(&line, layout.align);
    write_line(tracer, &line);
}

static struct acre_ptr tracer_alloc(void *self, struct acre_layout layout)
{
    struct acre_tracer *tracer = self;
    struct acre_ptr got = acre_alloc(tracer->inner, layout);
    if (is_recording(tracer) && got.status != ACRE_INVALID_PARAM)
        write_alloc(tracer, layout, got);
    return got;
}

static void write_free(struct acre_tracer *tracer, const void *ptr, enum acre_status status)
{
    struct line line = { .used = 0 };
    tracer->unmatched += status == ACRE_NOT_ALLOCATED;
    if (status != ACRE_OK)
        return;
    write_time(tracer);
    put(&line, "f");
    put_pointer(&line, ptr);
    write_line(tracer, &line);
}

static enum acre_status tracer_dealloc(void *self, void *ptr)
{
    struct acre_tracer *tracer = self;
    enum acre_status status = acre_dealloc(tracer->inner, ptr);
    if (is_recording(tracer))
        write_free(tracer, ptr, status);
    return status;
}

static enum acre_status tracer_dealloc_sized(void *self, void *ptr, struct acre_layout layout)
{
    struct acre_tracer *tracer = self;
    enum acre_status status = acre_dealloc_sized(tracer->inner, ptr, layout);
    if (is_recording(tracer))
        write_free(tracer, ptr, status);
    return status;
}

/* What resize or realloc answered. */
static void write_resize(
    struct acre_tracer *tracer, const void *ptr, size_t size, struct acre_ptr got)
{
    struct line line = { .used = 0 };
    tracer->unmatched += got.status == ACRE_NOT_ALLOCATED;
    if (got.status != ACRE_OK && got.status != ACRE_NO_MEMORY)
        return;
    write_time(tracer);
    put(&line, got.status == ACRE_OK ? "r" : "x r");
    put_pointer(&line, ptr);
    put_number(&line, size);
    if (got.status == ACRE_OK && got.ptr != ptr)
        put_pointer(&line, got.ptr);
    write_line(tracer, &line);
}

static enum acre_status tracer_resize(void *self, void *ptr, size_t size)
{
    struct acre_tracer *tracer = self;
    enum acre_status status = acre_resize(tracer->inner, ptr, size);
    if (is_recording(tracer))
        write_resize(tracer, ptr, size, (struct acre_ptr){ ptr, status });
    return status;
}

static struct acre_ptr tracer_realloc(void *self, void *ptr, struct acre_layout layout)
{
    struct acre_tracer *tracer = self;
    struct acre_ptr got = acre_realloc(tracer->inner, ptr, layout);
    if (is_recording(tracer))
        write_resize(tracer, ptr, layout.size, got);
    return got;
}

static const struct acre_bytes_ops tracer_ops = {
    .base = {
        .init = tracer_init,
        .add_memory = acre_wrap_pass_add_memory,
        .remove_memory = acre_wrap_pass_remove_memory,
        .stats = acre_wrap_pass_stats,
        .check = acre_wrap_pass_check,
        .reset = tracer_reset,
    },
    .alloc = tracer_alloc,
    .dealloc = tracer_dealloc,
    .dealloc_sized = tracer_dealloc_sized,
    .resize = tracer_resize,
    .realloc = tracer_realloc,
    .usable_size = acre_wrap_pass_usable_size,
    .walk = acre_wrap_pass_walk,
};

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
