/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* acre info: what is in a trace, process by process, and problems of the recording. */
#include "cli/options.h"
#include "cli/size.h"
#include "cli/table.h"
#include "replay/json.h"
#include "tool/command.h"
#include "tool/import/foreign.h"
#include "trace/trace_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is known of one process. */
struct info_process {
    char name[ACRE_CELL_ROOM];
    uint32_t pid, parent_pid, threads;
    bool forked, ended;
    uint64_t events, failed, inherited, lost, unmatched;
    uint64_t live, blocks; /* at the end: never freed */
    uint64_t peak;
    uint64_t duration_ns;
    uint64_t largest; /* request */
};

struct info {
    struct info_process *processes;
    size_t count, room;
    bool cut; /* the trace ends before its end */
    char problem[512];
};

static const char *const usage_text =
    "Lists what is in the trace FILE ('-': standard input): for each process its\n"
    "name, number of threads, events, peak of live bytes, what it never freed and how\n"
    "long it ran; then problems: calls that were lost, processes that recorded\n"
    "nothing, a truncated trace.";

static struct info_process *add_info(struct info *info)
{
    if (info->count == info->room) {
        size_t room = info->room ? info->room * 2 : 16;
        struct info_process *more = realloc(info->processes, room * sizeof *more);
        if (!more)
            return NULL;
        info->processes = more;
        info->room = room;
    }
    info->processes[info->count] = (struct info_process){ .pid = 0 };
    return &info->processes[info->count++];
}

/* Names may hold any bytes. */
static void describe_info(struct info_process *process, const struct acre_trace_process *about)
{
    snprintf(process->name, sizeof process->name, "%.60s", about->name);
    for (char *c = process->name; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    process->pid = about->pid;
    process->parent_pid = about->parent_pid;
    process->forked = about->origin == ACRE_TRACE_FORKED;
    process->inherited = about->inherited;
}

static void count_event(struct info_process *process, const struct acre_trace_event *event)
{
    process->events++;
    if (event->thread >= process->threads)
        process->threads = event->thread + 1;
    if (event->time_ns > process->duration_ns)
        process->duration_ns = event->time_ns;
    if (event->op != ACRE_TRACE_FREE && event->size > process->largest)
        process->largest = event->size;
    if (event->op == ACRE_TRACE_ALLOC || event->op == ACRE_TRACE_RESIZE)
        process->live += event->size - event->old_size;
    if (event->op == ACRE_TRACE_FREE)
        process->live -= event->size;
    process->blocks += (event->op == ACRE_TRACE_ALLOC) - (uint64_t)(event->op == ACRE_TRACE_FREE);
    process->failed += event->op == ACRE_TRACE_FAILED;
    if (process->live > process->peak)
        process->peak = process->live;
}

/* @return false: there is no memory. */
static bool take_event(struct info *info, const struct acre_trace_event *event)
{
    if (event->op == ACRE_TRACE_END)
        return true;
    if (event->op == ACRE_TRACE_PROCESS) {
        struct info_process *process = add_info(info);
        if (process)
            describe_info(process, event->about);
        return process != NULL;
    }
    struct info_process *process = info->count ? &info->processes[info->count - 1] : NULL;
    if (!process) /* a call outside of any process: no reader gives one */
        return true;
    if (event->op != ACRE_TRACE_PROCESS_END) {
        count_event(process, event);
        return true;
    }
    process->ended = !event->cut;
    process->lost = event->totals.lost;
    process->unmatched = event->totals.unmatched;
    return true;
}

/* @return false: it is no trace; `problem` says why. */
static bool read_trace(struct info *info, const char *path)
{
    struct acre_trace_input *input = acre_trace_input_open(path, 0);
    struct acre_trace_event event;
    bool kept = input != NULL;
    while (kept && acre_trace_input_next(input, &event) == ACRE_TRACE_OK)
        kept = take_event(info, &event);
    enum acre_trace_status status = kept ? acre_trace_input_status(input) : ACRE_TRACE_NO_MEMORY;
    info->cut = status == ACRE_TRACE_TRUNCATED && info->count > 0;
    if (status != ACRE_TRACE_DONE)
        snprintf(info->problem, sizeof info->problem, "%s",
            kept ? acre_trace_input_message(input) : "not enough memory");
    acre_trace_input_close(input);
    return status == ACRE_TRACE_DONE || info->cut;
}

/* ---- as text ---- */

static void fill_info_row(
    struct acre_table_row *row, const struct info_process *process, size_t index)
{
    char(*cells)[ACRE_CELL_ROOM] = row->cells;
    snprintf(cells[0], ACRE_CELL_ROOM, "%zu %.30s%s", index, process->name,
        process->forked ? " (forked)" : "");
    snprintf(cells[1], ACRE_CELL_ROOM, "%u", (unsigned)process->pid);
    snprintf(cells[2], ACRE_CELL_ROOM, "%u", (unsigned)process->threads);
    acre_cell_number(cells[3], process->events);
    acre_format_bytes(cells[4], (size_t)process->peak);
    acre_format_bytes(cells[5], (size_t)process->live);
    acre_cell_number(cells[6], process->blocks);
    acre_format_bytes(cells[7], (size_t)process->largest);
    strcpy(cells[8], "-");
    if (process->duration_ns)
        snprintf(cells[8], ACRE_CELL_ROOM, "%.3f", (double)process->duration_ns / 1e9);
}

static bool info_has_times(const struct info *info)
{
    for (size_t i = 0; i < info->count; i++)
        if (info->processes[i].duration_ns)
            return true;
    return info->count == 0;
}

static void print_oddities(const struct info *info)
{
    for (size_t i = 0; i < info->count; i++) {
        const struct info_process *process = &info->processes[i];
        if (!process->events && !process->forked)
            printf("%zu %s: no call recorded; it may have a malloc of its own\n", i, process->name);
        if (process->lost)
            printf(
                "%zu %s: %llu calls lost\n", i, process->name, (unsigned long long)process->lost);
        if (process->unmatched)
            printf("%zu %s: %llu frees or resizes of blocks not known\n", i, process->name,
                (unsigned long long)process->unmatched);
        if (process->failed)
            printf("%zu %s: %llu calls failed\n", i, process->name,
                (unsigned long long)process->failed);
        if (!process->ended)
            printf("%zu %s: its end is missing\n", i, process->name);
    }
    if (!info_has_times(info))
        puts("seconds: known of a trace that was recorded with --times");
    if (info->cut)
        printf("truncated: %s\n", info->problem);
}

static void print_info(const struct info *info)
{
    static const char *const titles[] = { "process", "pid", "threads", "events", "peak live",
        "never freed", "blocks", "largest", "seconds" };
    enum { COUNT = sizeof titles / sizeof *titles };
    struct acre_table_row *rows = calloc(info->count + 1, sizeof *rows);
    if (!rows)
        return;
    for (size_t i = 0; i < COUNT; i++)
        strcpy(rows[0].cells[i], titles[i]);
    for (size_t i = 0; i < info->count; i++)
        fill_info_row(&rows[i + 1], &info->processes[i], i);
    acre_table_print(stdout, rows, info->count + 1, COUNT);
    free(rows);
    print_oddities(info);
}

/* ---- as JSON ---- */

static cJSON *process_json(const struct info_process *process)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", process->name);
    replay_json_count(object, "pid", process->pid);
    replay_json_count(object, "parent_pid", process->parent_pid);
    cJSON_AddBoolToObject(object, "forked", process->forked);
    cJSON_AddBoolToObject(object, "complete", process->ended);
    replay_json_count(object, "threads", process->threads);
    replay_json_count(object, "events", process->events);
    replay_json_count(object, "inherited", process->inherited);
    replay_json_count(object, "failed", process->failed);
    replay_json_count(object, "lost", process->lost);
    replay_json_count(object, "unmatched", process->unmatched);
    replay_json_count(object, "peak_live_bytes", process->peak);
    replay_json_count(object, "never_freed_bytes", process->live);
    replay_json_count(object, "never_freed_blocks", process->blocks);
    replay_json_count(object, "largest_request_bytes", process->largest);
    replay_json_known(
        object, "seconds", process->duration_ns > 0, (double)process->duration_ns / 1e9);
    return object;
}

static void print_info_json(const struct info *info)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddBoolToObject(root, "complete", !info->cut);
    cJSON *array = cJSON_AddArrayToObject(root, "processes");
    for (size_t i = 0; i < info->count; i++)
        cJSON_AddItemToArray(array, process_json(&info->processes[i]));
    char *text = cJSON_Print(root);
    if (text)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(root);
}

int acre_cmd_info(int argc, char **argv)
{
    bool json = false;
    const struct acre_option options[] = {
        { "json", 'j', ACRE_OPTION_FLAG, NULL, "print JSON instead of a table", &json },
        { .name = NULL },
    };
    const struct acre_usage usage = { "info", "FILE", usage_text, options, false };
    struct info info = { .processes = NULL };
    enum acre_parsed parsed = acre_options_parse(&usage, &argc, argv);
    if (parsed != ACRE_PARSED_OK)
        return parsed == ACRE_PARSED_HELP ? ACRE_EXIT_OK : ACRE_EXIT_USAGE;
    if (argc != 1)
        return acre_usage_error(&usage, argc ? "more than one trace given" : "no trace given");
    char room[FOREIGN_PATH_ROOM];
    const char *path = foreign_open("info", argv[0], room);
    bool known = path && read_trace(&info, path);
    if (path && !known)
        acre_complain("info", "%s", info.problem);
    if (known && json)
        print_info_json(&info);
    else if (known)
        print_info(&info);
    free(info.processes);
    return known ? ACRE_EXIT_OK : ACRE_EXIT_FAILED;
}
