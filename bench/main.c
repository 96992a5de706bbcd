/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* acre-bench: see docs/benchmarks.md. */
#include "backends.h"
#include "measures.h"
#include "options.h"
#include "runner.h"
#include "workloads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMOKE_SCALE = 50, SMOKE_ROUNDS = 1, FULL_ROUNDS = 5 };

static struct bench_backends everyone;
static struct bench_workload workloads[BENCH_MAX_WORKLOADS];
static size_t workload_count;

/* All, when neither workloads nor traces were asked for. */
static bool choose_workloads(const struct bench_options *options)
{
    for (size_t i = 0; bench_workloads[i].name; i++)
        if (options->workloads.count
                ? acre_text_list_has(&options->workloads, bench_workloads[i].name)
                : options->traces.count == 0)
            workloads[workload_count++] = bench_workloads[i];
    for (size_t i = 0; i < options->workloads.count; i++) {
        size_t at = 0;
        while (bench_workloads[at].name &&
               strcmp(bench_workloads[at].name, options->workloads.items[i]) != 0)
            at++;
        if (!bench_workloads[at].name) {
            fprintf(stderr, "acre-bench: no workload is named '%s'; --list names them\n",
                options->workloads.items[i]);
            return false;
        }
    }
    return true;
}

static bool add_traces(const struct bench_options *options)
{
    for (size_t i = 0; i < options->traces.count; i++) {
        const char *path = options->traces.items[i];
        const char *slash = strrchr(path, '/');
        if (workload_count == BENCH_MAX_WORKLOADS) {
            fprintf(stderr, "acre-bench: too many traces\n");
            return false;
        }
        if (!bench_check_trace(path))
            return false;
        workloads[workload_count++] = (struct bench_workload){
            .name = slash ? slash + 1 : path, .text = "a recorded trace", .path = path
        };
    }
    return true;
}

static bool add_plugins(const struct bench_options *options)
{
    char error[512];
    for (size_t i = 0; i < options->plugins.count; i++)
        if (!bench_backends_add_plugin(&everyone, options->plugins.items[i], error, sizeof error)) {
            fprintf(stderr, "acre-bench: %s\n", error);
            return false;
        }
    return true;
}

static bool known_backend(const char *name)
{
    for (size_t i = 0; i < everyone.count; i++)
        if (strcmp(everyone.list[i].name, name) == 0)
            return true;
    fprintf(stderr, "acre-bench: no backend is named '%s'; --list names them\n", name);
    return false;
}

/* Keeps the harness, the baseline, and of the rest those asked for and there. */
static bool choose_backends(const struct bench_options *options)
{
    size_t kept = 0;
    for (size_t i = 0; i < options->allocators.count; i++)
        if (!known_backend(options->allocators.items[i]))
            return false;
    for (size_t i = 0; i < everyone.count; i++) {
        struct bench_backend who = everyone.list[i];
        bool wanted = options->allocators.count ? acre_text_list_has(&options->allocators, who.name)
                                                : !who.on_request;
        if (i > 1 && !wanted)
            continue;
        if (bench_identify(&who))
            everyone.list[kept++] = who;
        else
            fprintf(stderr, "acre-bench: %s is left out: not installed\n", who.name);
    }
    everyone.count = kept;
    return true;
}

static void list_all(void)
{
    printf("backends:\n");
    for (size_t i = 1; i < everyone.count; i++)
        printf("  %-24s %s\n", everyone.list[i].name, everyone.list[i].version);
    printf("workloads:\n");
    for (size_t i = 0; i < workload_count; i++)
        printf("  %-24s %s\n", workloads[i].name, workloads[i].text);
}

static void describe_run(const struct bench_options *options, struct bench_report *report)
{
    bench_machine_describe(&report->machine);
    snprintf(report->machine.commit, sizeof report->machine.commit, "%s", options->commit);
    report->seed = options->seed;
    report->scale = options->smoke ? SMOKE_SCALE : 1;
    report->rounds = options->smoke ? SMOKE_ROUNDS : FULL_ROUNDS;
    if (options->rounds)
        report->rounds = (unsigned)options->rounds;
    report->backends = everyone.list;
    report->backend_count = everyone.count;
    for (size_t i = 0; i < everyone.count; i++)
        bench_once_clear(&report->once[i]);
}

static bool bench_all_workloads(struct bench_runner *runner)
{
    struct bench_report *report = runner->report;
    const struct bench_options *options = runner->options;
    bool wanted = bench_wanted(options, "time") || bench_wanted(options, "latency") ||
                  bench_wanted(options, "instructions") || bench_wanted(options, "pool");
    for (size_t i = 0; wanted && i < workload_count; i++) {
        struct bench_row *row = &report->rows[report->row_count];
        row->workload = &workloads[i];
        if (!bench_run_workload(runner, row))
            return false;
        report->row_count++;
        if (!options->json)
            bench_print_row(report, row);
        fflush(stdout);
    }
    return true;
}

/* The parts that are no workload's are left out when workloads were chosen. */
static bool wanted_once(const struct bench_options *options, const char *part)
{
    if (options->only.count)
        return acre_text_list_has(&options->only, part);
    return options->workloads.count == 0 && options->traces.count == 0;
}

static void run_once(struct bench_runner *runner)
{
    if (wanted_once(runner->options, "worst"))
        bench_run_steps(runner);
    if (wanted_once(runner->options, "gaps"))
        bench_run_gaps(runner);
    if (wanted_once(runner->options, "scaling"))
        bench_run_scaling(runner);
}

static void print_once(const struct bench_report *report)
{
    if (report->stepped)
        bench_print_steps(report);
    if (report->gaps)
        bench_print_gaps(report);
    if (report->scaled)
        bench_print_scaling(report);
    bench_print_summary(report);
    bench_print_targets(report);
}

/* Whether every built-in allocator and plugin did right. */
static bool sound(const struct bench_report *report)
{
    for (size_t i = 0; i < report->row_count; i++)
        for (size_t who = 0; who < report->backend_count; who++)
            if (report->backends[who].form != BENCH_PRELOAD &&
                strncmp(report->rows[i].cells[who].note, "FAILED", 6) == 0)
                return false;
    return true;
}

static int run_bench(const struct bench_options *options, struct bench_report *report)
{
    struct bench_runner runner = { options, report, BENCH_VERIFY, 0 };
    describe_run(options, report);
    bench_runner_init(&runner);
    if (!options->json)
        bench_print_head(report);
    if (!bench_all_workloads(&runner))
        return EXIT_FAILURE;
    run_once(&runner);
    if (options->json)
        bench_print_json(report);
    else
        print_once(report);
    return sound(report) ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    static struct bench_report report;
    struct bench_options options;
    if (argc > 1 && strcmp(argv[1], REPLAY_WORKER_WORD) == 0)
        return replay_worker_main(argc, argv,
            &(struct replay_role){ .find = bench_find_backend, .task = bench_worker_do });
    enum acre_parsed parsed = bench_options_parse(&options, argc, argv);
    if (parsed != ACRE_PARSED_OK)
        return parsed == ACRE_PARSED_HELP ? EXIT_SUCCESS : ACRE_EXIT_USAGE;
    bench_backends_init(&everyone);
    if (!add_plugins(&options) || !choose_workloads(&options) || !add_traces(&options) ||
        !choose_backends(&options))
        return ACRE_EXIT_USAGE;
    if (options.list) {
        list_all();
        return EXIT_SUCCESS;
    }
    report.rows = calloc(BENCH_MAX_WORKLOADS, sizeof *report.rows);
    int code = report.rows ? run_bench(&options, &report) : EXIT_FAILURE;
    free(report.rows);
    return code;
}
