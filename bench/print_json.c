/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "replay/json.h"
#include "report.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const spread_names[8] = { "alloc_p50", "alloc_p99", "alloc_worst", "free_p50",
    "free_p99", "free_worst", "alloc_mean", "free_mean" };

/* Figures that were not measured are null. */
static void add_number(cJSON *object, const char *name, double number)
{
    replay_json_known(object, name, !isnan(number), number);
}

static void add_note(cJSON *object, const char *note)
{
    if (note[0])
        cJSON_AddStringToObject(object, "note", note);
}

static void add_figures(cJSON *object, const char *name, const double *spread)
{
    cJSON *inner = cJSON_AddObjectToObject(object, name);
    for (int i = 0; i < 8; i++)
        add_number(inner, spread_names[i], spread[i]);
}

static void add_head(cJSON *root, const struct bench_report *report)
{
    const struct bench_machine *machine = &report->machine;
    cJSON *head = cJSON_AddObjectToObject(root, "run");
    cJSON_AddStringToObject(head, "processor", machine->processor);
    cJSON_AddNumberToObject(head, "cores", (double)machine->cores);
    cJSON_AddStringToObject(head, "system", machine->system);
    cJSON_AddStringToObject(head, "compiler", machine->compiler);
    cJSON_AddStringToObject(head, "commit", machine->commit);
    cJSON_AddStringToObject(head, "instructions_from", machine->counter);
    cJSON_AddNumberToObject(head, "seed", (double)report->seed);
    cJSON_AddNumberToObject(head, "rounds", report->rounds);
    cJSON_AddBoolToObject(head, "smoke", report->scale > 1);
}

static void list_backends(cJSON *root, const struct bench_report *report)
{
    static const char *const forms[] = { "harness", "typed", "handle", "system", "preload",
        "plugin" };
    cJSON *list = cJSON_AddArrayToObject(root, "backends");
    for (size_t i = 0; i < report->backend_count; i++) {
        cJSON *who = cJSON_CreateObject();
        cJSON_AddStringToObject(who, "name", report->backends[i].name);
        cJSON_AddStringToObject(who, "version", report->backends[i].version);
        cJSON_AddStringToObject(who, "form", forms[report->backends[i].form]);
        cJSON_AddItemToArray(list, who);
    }
}

static cJSON *cell_json(const struct bench_backend *who, const struct bench_cell *cell)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "allocator", who->name);
    add_number(object, "ns_per_op", cell->ns);
    add_number(object, "net_of_system", cell->net);
    add_number(object, "instructions_per_op", cell->instructions);
    add_number(object, "instructions_per_call", cell->call);
    add_figures(object, "latency_ns", cell->latency);
    add_number(object, "pool_over_peak", cell->pool);
    add_number(object, "resident_over_peak", cell->resident);
    add_note(object, cell->note);
    return object;
}

static void add_rows(cJSON *root, const struct bench_report *report)
{
    cJSON *list = cJSON_AddArrayToObject(root, "workloads");
    for (size_t i = 0; i < report->row_count; i++) {
        const struct bench_row *row = &report->rows[i];
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "name", row->workload->name);
        cJSON_AddStringToObject(object, "text", row->workload->text);
        cJSON_AddNumberToObject(object, "operations", (double)row->ops);
        cJSON_AddNumberToObject(object, "peak_live_bytes", (double)row->peak);
        cJSON *cells = cJSON_AddArrayToObject(object, "results");
        for (size_t k = 0; k < report->backend_count; k++)
            cJSON_AddItemToArray(cells, cell_json(&report->backends[k], &row->cells[k]));
        cJSON_AddItemToArray(list, object);
    }
}

static cJSON *steps_json(const struct bench_once *once)
{
    cJSON *object = cJSON_CreateObject();
    add_figures(object, "instructions", once->steps);
    add_note(object, once->step_note);
    return object;
}

static cJSON *gaps_json(const struct bench_once *once)
{
    cJSON *object = cJSON_CreateObject();
    add_number(object, "blocks_4096", once->gap_pages);
    add_number(object, "blocks_64", once->gap_smalls);
    add_note(object, once->gap_note);
    return object;
}

static cJSON *scaling_json(const struct bench_once *once)
{
    cJSON *object = cJSON_CreateObject();
    cJSON *levels = cJSON_AddArrayToObject(object, "levels");
    for (int i = 0; i < BENCH_SCALE_LEVELS; i++) {
        cJSON *level = cJSON_CreateObject();
        cJSON_AddNumberToObject(level, "live_blocks",
            (double)((size_t)1 << (BENCH_SCALE_FIRST + i * BENCH_SCALE_STEP)));
        add_number(level, "instructions_per_op", once->scale_loops[i]);
        add_number(level, "instructions_per_call", once->scale_calls[i]);
        add_number(level, "ns_per_op", once->scale_ns[i]);
        cJSON_AddItemToArray(levels, level);
    }
    add_note(object, once->scale_note);
    return object;
}

static void add_once(cJSON *root, const struct bench_report *report, const char *name,
    cJSON *(*make)(const struct bench_once *once))
{
    cJSON *list = cJSON_AddArrayToObject(root, name);
    for (size_t i = 0; i < report->backend_count; i++) {
        cJSON *object = make(&report->once[i]);
        cJSON_AddStringToObject(object, "allocator", report->backends[i].name);
        cJSON_AddItemToArray(list, object);
    }
}

static void add_targets(cJSON *root, const struct bench_report *report)
{
    struct bench_target targets[BENCH_TARGETS_MAX];
    size_t count = bench_targets(report, targets);
    cJSON *list = cJSON_AddArrayToObject(root, "targets");
    for (size_t i = 0; i < count; i++) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "target", targets[i].text);
        cJSON_AddNumberToObject(object, "bound", targets[i].bound);
        cJSON_AddStringToObject(object, "relation", targets[i].more_than ? "more than" : "at most");
        add_number(object, "measured", targets[i].measured);
        cJSON_AddStringToObject(object, "verdict", bench_target_verdict(report, &targets[i]));
        cJSON_AddItemToArray(list, object);
    }
}

void bench_print_json(const struct bench_report *report)
{
    cJSON *root = cJSON_CreateObject();
    add_head(root, report);
    list_backends(root, report);
    add_rows(root, report);
    if (report->stepped)
        add_once(root, report, "single_operations", steps_json);
    if (report->gaps)
        add_once(root, report, "gaps", gaps_json);
    if (report->scaled)
        add_once(root, report, "scaling", scaling_json);
    add_targets(root, report);
    char *text = cJSON_Print(root);
    if (text)
        puts(text);
    free(text);
    cJSON_Delete(root);
}
