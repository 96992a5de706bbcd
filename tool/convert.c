/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* acre convert: a trace from one of its forms into the other. */
#include "cli/options.h"
#include "tool/command.h"
#include "tool/import/foreign.h"
#include "tool/import/import.h"
#include "trace/trace_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    /* zstd's level: conversion is done once, and the file kept. */
    LEVEL = 9
};

/* Where events go, in one form or the other. */
struct target {
    FILE *text;
    struct acre_trace_output *output;
    struct acre_trace_writer *writer;
    uint64_t *ordinals; /* by slot: as the writer names the block */
    size_t room;
    uint32_t thread;
    uint64_t time_ns;
};

/* ---- text ---- */

static const char call_letters[] = { 'm', 'c', 'a', 'r' };

/* What is said of the calls that follow, when it has changed. */
static void print_settings(struct target *target, const struct acre_trace_event *event)
{
    if (event->thread != target->thread)
        fprintf(target->text, "t %u\n", event->thread);
    if (event->time_ns != target->time_ns)
        fprintf(target->text, "@ %llu\n", (unsigned long long)event->time_ns);
    target->thread = event->thread;
    target->time_ns = event->time_ns;
}

static void print_process(struct target *target, const struct acre_trace_process *about)
{
    fprintf(target->text, "process %u %u ", about->pid, about->parent_pid);
    if (about->origin == ACRE_TRACE_FORKED)
        fprintf(target->text, "forked %llu", (unsigned long long)about->inherited);
    else
        fputs("started", target->text);
    if (about->name[0])
        fputc(' ', target->text);
    /* A name is any bytes, a line is one line. */
    for (const char *at = about->name; *at; at++)
        fputc(*at == '\n' || *at == '\r' ? '?' : *at, target->text);
    fputc('\n', target->text);
    target->thread = 0;
    target->time_ns = 0;
}

static void print_call(struct target *target, const struct acre_trace_event *event)
{
    print_settings(target, event);
    if (event->op == ACRE_TRACE_FAILED)
        fputs("x ", target->text);
    fputc(event->op == ACRE_TRACE_FREE ? 'f' : call_letters[event->call], target->text);
    if (event->op != ACRE_TRACE_FAILED || event->has_slot)
        fprintf(target->text, " %u", event->slot);
    if (event->op != ACRE_TRACE_FREE)
        fprintf(target->text, " %llu", (unsigned long long)event->size);
    if (event->call == ACRE_TRACE_MEMALIGN)
        fprintf(target->text, " %llu", (unsigned long long)event->align);
    fputc('\n', target->text);
}

static bool put_text(struct target *target, const struct acre_trace_event *event)
{
    if (event->op == ACRE_TRACE_PROCESS)
        print_process(target, event->about);
    else if (event->op == ACRE_TRACE_PROCESS_END)
        fprintf(target->text, "end %llu %llu\n", (unsigned long long)event->totals.lost,
            (unsigned long long)event->totals.unmatched);
    else if (event->op != ACRE_TRACE_END)
        print_call(target, event);
    return !ferror(target->text);
}

/* ---- binary ---- */

static bool has_ordinal(struct target *target, uint32_t slot)
{
    size_t wider = target->room ? target->room * 2 : 1024;
    void *moved;

    if (slot < target->room)
        return true;
    moved = realloc(target->ordinals, wider * sizeof *target->ordinals);
    if (!moved)
        return false;
    target->ordinals = moved;
    target->room = wider;
    return true;
}

static enum acre_trace_status convert_failed(
    struct target *target, const struct acre_trace_event *event)
{
    if (event->has_slot)
        return acre_trace_write_failed_resize(
            target->writer, target->ordinals[event->slot], event->size);
    return acre_trace_write_failed(target->writer, event->call, event->size, event->align);
}

static enum acre_trace_status put_call(struct target *target, const struct acre_trace_event *event)
{
    uint64_t *ordinal = &target->ordinals[event->slot];

    acre_trace_write_thread(target->writer, event->thread);
    acre_trace_write_time(target->writer, event->time_ns);
    if (event->op == ACRE_TRACE_ALLOC)
        return acre_trace_write_alloc(
            target->writer, event->call, event->size, event->align, ordinal);
    if (event->op == ACRE_TRACE_FREE)
        return acre_trace_write_free(target->writer, *ordinal);
    if (event->op == ACRE_TRACE_RESIZE)
        return acre_trace_write_resize(target->writer, ordinal, event->size);
    return convert_failed(target, event);
}

static bool put_binary(struct target *target, const struct acre_trace_event *event)
{
    if (event->op == ACRE_TRACE_PROCESS)
        return acre_trace_write_process(target->writer, event->about) == ACRE_TRACE_OK;
    if (event->op == ACRE_TRACE_PROCESS_END)
        return acre_trace_write_process_end(
                   target->writer, event->totals.lost, event->totals.unmatched) == ACRE_TRACE_OK;
    if (event->op == ACRE_TRACE_END)
        return true;
    if (!has_ordinal(target, event->slot)) {
        errno = ENOMEM;
        return false;
    }
    return put_call(target, event) == ACRE_TRACE_OK;
}

/* ---- the whole ---- */

static bool open_target(struct target *target, const char *path, bool text)
{
    if (!text) {
        target->output = acre_trace_output_create(path, LEVEL);
        target->writer = target->output ? acre_trace_output_writer(target->output) : NULL;
        return target->output != NULL;
    }
    target->text = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    if (target->text)
        fputs("acre-trace 1\n", target->text);
    return target->text != NULL;
}

static bool close_target(struct target *target)
{
    free(target->ordinals);
    if (target->output)
        return acre_trace_output_close(target->output) == ACRE_TRACE_OK;
    if (target->text == stdout)
        return fflush(stdout) == 0;
    return fclose(target->text) == 0;
}

/* Whether the trace was read to its end, or to where it is truncated; says if not, and why. */
static bool is_copied_through(struct acre_trace_input *input)
{
    const enum acre_trace_status status = acre_trace_input_status(input);

    if (status == ACRE_TRACE_DONE)
        return true;
    acre_complain("convert", "%s%s", acre_trace_input_message(input),
        status == ACRE_TRACE_TRUNCATED ? "; converted as far as it goes" : "");
    return status == ACRE_TRACE_TRUNCATED;
}

/* Copies every event; says what failed. */
static bool copy(struct acre_trace_input *input, struct target *target, const char *path)
{
    struct acre_trace_event event;

    while (acre_trace_input_next(input, &event) == ACRE_TRACE_OK) {
        if (target->text ? put_text(target, &event) : put_binary(target, &event))
            continue;
        acre_complain("convert", "cannot write '%s': %s", path, strerror(errno));
        return false;
    }
    return is_copied_through(input);
}

/* Whether both paths lead to one file, which writing would destroy before it is read. */
static bool is_same_file(const char *from, const char *to)
{
    struct stat a, b;

    return stat(from, &a) == 0 && stat(to, &b) == 0 && S_ISREG(a.st_mode) && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* Empties and removes a file that holds a part of the trace, which could pass for a whole one. */
static void discard(const char *path)
{
    struct stat about;

    if (strcmp(path, "-") == 0 || stat(path, &about) != 0 || !S_ISREG(about.st_mode))
        return;
    if (truncate(path, 0) != 0 || unlink(path) != 0)
        acre_complain(
            "convert", "'%s' is incomplete and cannot be removed: %s", path, strerror(errno));
}

static bool convert_into(struct acre_trace_input *input, const char *path, bool text)
{
    struct target target = { .text = NULL };
    bool copied, closed;

    if (!open_target(&target, path, text)) {
        acre_complain("convert", "cannot write '%s': %s", path, strerror(errno));
        return false;
    }
    copied = copy(input, &target, path);
    closed = close_target(&target);
    if (copied && closed)
        return true;
    if (copied)
        acre_complain("convert", "cannot write '%s': %s", path, strerror(errno));
    discard(path);
    return false;
}

static int convert(const char *from, const char *to, bool text)
{
    struct acre_trace_input *input = acre_trace_input_open(from, 0);
    bool converted = false;

    if (!input)
        acre_complain("convert", "out of memory");
    else if (acre_trace_input_status(input) != ACRE_TRACE_OK)
        acre_complain("convert", "%s", acre_trace_input_message(input));
    else
        converted = convert_into(input, to, text);
    acre_trace_input_close(input);
    return converted ? ACRE_EXIT_OK : ACRE_EXIT_FAILED;
}

static int convert_foreign(
    const char *from, const char *to, bool text, const struct import_format *format)
{
    char room[FOREIGN_PATH_ROOM];
    const char *path = foreign_import("convert", from, format, room);
    return path ? convert(path, to, text) : ACRE_EXIT_FAILED;
}

static int unknown_format(const struct acre_usage *usage, const char *name)
{
    const char *names[16] = { NULL };
    size_t count = 0;
    for (const struct import_format *format = import_formats; format->name; format++)
        if (count + 1 < sizeof names / sizeof *names)
            names[count++] = format->name;
    return acre_usage_invalid(usage, "format", name, names);
}

int acre_cmd_convert(int argc, char **argv)
{
    const char *output = "-";
    const char *from = NULL;
    const struct import_format *format = NULL;
    bool text = false;
    const struct acre_option options[] = {
        { "output", 'o', ACRE_OPTION_TEXT, "FILE", "file to write (default: '-', standard output)",
            &output },
        { "from", 'f', ACRE_OPTION_TEXT, "FORMAT",
            "FILE is the output of another tool: mtrace (glibc),\nltrace or heaptrack (the first "
            "and the last are\nrecognised without it)",
            &from },
        { "text", 't', ACRE_OPTION_FLAG, NULL, "write plain text instead of the compressed format",
            &text },
        { .name = NULL },
    };
    const struct acre_usage usage = { "convert", "FILE",
        "Reads the trace FILE ('-': standard input) in either format and writes it in the\n"
        "compressed format, or as text to read and edit.",
        options, false };
    enum acre_parsed parsed = acre_options_parse(&usage, &argc, argv);

    if (parsed != ACRE_PARSED_OK)
        return parsed == ACRE_PARSED_HELP ? ACRE_EXIT_OK : ACRE_EXIT_USAGE;
    if (argc != 1)
        return acre_usage_error(&usage, argc ? "more than one trace given" : "no trace given");
    if (!text && strcmp(output, "-") == 0 && isatty(STDOUT_FILENO))
        return acre_usage_error(&usage, "cannot write the compressed format to a terminal: use "
                                        "--text or --output");
    format = from ? import_find(from) : foreign_recognise(argv[0]);
    if (from && !format)
        return unknown_format(&usage, from);
    if (is_same_file(argv[0], output))
        return acre_usage_error(&usage, "input and output are the same file: '%s'", output);
    return format ? convert_foreign(argv[0], output, text, format) : convert(argv[0], output, text);
}
