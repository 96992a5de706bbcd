/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* acre-bench-heap: what a call of the two-level heap costs when its pages are free in short runs,
 * and one of a plugin that has these runs as regions. Instructions are counted by callgrind, under
 * which the program runs itself. */
#include "heap_bench.h"

#include "bench/callgrind.h"
#include "bench/grid.h"
#include "cli/options.h"
#include "plugin/plugin_load.h"
#include "registry/registry.h"
#include "replay/statistics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MIB = 1 << 20,
    SIZE = 64 * MIB + MIB / 8, /* with what the heap itself takes */
    SMOKE_SIZE = 2 * MIB,
    TOGGLES = 100000,
    WARM_UP = 20000,
    REFUSED = 5,
    ROUNDS = 5,
    ROUNDS_MAX = 64,
    SUBJECTS = 16
};

/* What the program tells itself to do: CHILD NAME RUN REFUSED TOGGLES [FILE]. */
#define CHILD "churn"
#define NOT_MEASURED ((double)NAN)

/* ns and times: the targets. */
static const double churn_bound = 1.3, refused_bound = 2000;

static const char *const names[] = { "heap/tlsf", "heap/slab", "heap/buddy" };
static const size_t runs[] = { 0, 64, 4 };
enum { NAMES = sizeof names / sizeof names[0], RUNS = sizeof runs / sizeof runs[0] };

/* A heap by its name, or a plugin. */
static struct heap_subject {
    const char *name;
    const char *path;                 /* of the plugin; null: built in */
    const struct acre_plugin *plugin; /* null: built in */
} subjects[SUBJECTS];
static size_t subject_count;

struct heap_figures {
    double chunks;
    double instructions;         /* a call of the churn */
    double ns;                   /* the same, loop included; median of the rounds */
    double refused_instructions; /* the first refused call */
    double refused_ns;           /* the longest refused call, least of the rounds */
};

static struct heap_figures figures[SUBJECTS][RUNS];

/* A plugin stays loaded. */
static bool load_heap_plugin(struct heap_subject *subject, const char *path)
{
    char error[512];
    struct acre_plugin_file file;
    if (!acre_plugin_load(&file, path, error, sizeof error)) {
        fprintf(stderr, "acre-bench-heap: %s\n", error);
        return false;
    }
    *subject = (struct heap_subject){ file.table->name, path, file.table };
    return true;
}

static bool add_heap_subjects(const struct acre_text_list *plugins)
{
    for (size_t i = 0; i < NAMES; i++)
        if (acre_backend_find(names[i]))
            subjects[subject_count++] = (struct heap_subject){ .name = names[i] };
    for (size_t i = 0; i < plugins->count; i++) {
        if (subject_count == SUBJECTS) {
            fprintf(stderr, "acre-bench-heap: too many plugins\n");
            return false;
        }
        if (!load_heap_plugin(&subjects[subject_count++], plugins->items[i]))
            return false;
    }
    return true;
}

/* A plugin that adds no memory can serve one run only; one that finds its memory itself, none. */
static bool serves_run(const struct heap_subject *subject, size_t run)
{
    unsigned flags = subject->plugin ? subject->plugin->flags : ACRE_PLUGIN_ADDS_MEMORY;
    return !(flags & ACRE_PLUGIN_OWN_MEMORY) && (run == 0 || (flags & ACRE_PLUGIN_ADDS_MEMORY));
}

static int run_heap_child(int argc, char **argv)
{
    enum { NAME = 2, RUN, REFUSED_CALLS, TOGGLED, PLUGIN };
    struct heap_subject subject = { .name = argv[NAME] };
    if (argc > PLUGIN && !load_heap_plugin(&subject, argv[PLUGIN]))
        return EXIT_FAILURE;
    struct heap_case which = { subject.name, subject.plugin, strtoul(argv[RUN], NULL, 10), SIZE };
    struct heap_times times;
    bool good = heap_churn(
        &which, strtoul(argv[REFUSED_CALLS], NULL, 10), strtoul(argv[TOGGLED], NULL, 10), &times);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static double count_child(const struct heap_subject *subject, size_t run, size_t refused,
    size_t toggles, const char *what)
{
    char arguments[512];
    const char *path = subject->path ? subject->path : "";
    const char *quote = subject->path ? "'" : "";
    snprintf(arguments, sizeof arguments, CHILD " %s %zu %zu %zu %s%s%s", subject->name, run,
        refused, toggles, quote, path, quote);
    return callgrind_count_self(what, arguments);
}

static void count_heap(const struct heap_subject *subject, size_t run, struct heap_figures *figure)
{
    double before = count_child(subject, run, 0, WARM_UP, HEAP_COUNTED_CHURN);
    double all = count_child(subject, run, 0, WARM_UP + TOGGLES, HEAP_COUNTED_CHURN);
    double refused = count_child(subject, run, 1, 1, HEAP_COUNTED_REFUSED);
    figure->instructions = before < 0 || all < 0 ? NOT_MEASURED : (all - before) / TOGGLES;
    figure->refused_instructions = refused < 0 ? NOT_MEASURED : refused;
}

static bool time_heap(
    const struct heap_case *which, size_t rounds, size_t toggles, struct heap_figures *figure)
{
    double ns[ROUNDS_MAX];
    figure->refused_ns = HUGE_VAL;
    for (size_t round = 0; round < rounds; round++) {
        struct heap_times times;
        if (!heap_churn(which, REFUSED, toggles, &times)) {
            fprintf(stderr, "acre-bench-heap: %s: a call went wrong\n", which->name);
            return false;
        }
        ns[round] = times.churn;
        figure->refused_ns = fmin(figure->refused_ns, times.refused);
        figure->chunks = (double)times.chunks;
    }
    figure->ns = replay_median(ns, rounds);
    return true;
}

static bool measure_heap(const struct heap_subject *subject, size_t run, bool smoke, size_t rounds,
    struct heap_figures *figure)
{
    struct heap_case which = { subject->name, subject->plugin, run, smoke ? SMOKE_SIZE : SIZE };
    *figure = (struct heap_figures){ NOT_MEASURED, NOT_MEASURED, NOT_MEASURED, NOT_MEASURED,
        NOT_MEASURED };
    if (!serves_run(subject, run))
        return true;
    if (!time_heap(&which, rounds, smoke ? WARM_UP : TOGGLES, figure))
        return false;
    if (!smoke && callgrind_is_there())
        count_heap(subject, run, figure);
    return true;
}

static bool measure_heaps(bool smoke, size_t rounds)
{
    for (size_t who = 0; who < subject_count; who++)
        for (size_t i = 0; i < RUNS; i++)
            if (!measure_heap(&subjects[who], runs[i], smoke, rounds, &figures[who][i]))
                return false;
    return true;
}

/* ---- printing ---- */

static struct bench_grid grid;

static void name_heap(char *text, size_t size, size_t who, size_t run)
{
    if (run)
        snprintf(text, size, "%s, free runs of %zu pages", subjects[who].name, run);
    else
        snprintf(text, size, "%s, one free run", subjects[who].name);
}

static void print_figures(void)
{
    static const char *const head[] = { "heap", "chunks", "churn, instructions", "churn, ns",
        "refused, instructions", "refused, ns" };
    char name[BENCH_GRID_TEXT];
    bench_grid_init(&grid, head, sizeof head / sizeof head[0]);
    for (size_t who = 0; who < subject_count; who++)
        for (size_t i = 0; i < RUNS; i++) {
            const struct heap_figures *figure = &figures[who][i];
            name_heap(name, sizeof name, who, runs[i]);
            bench_grid_row(&grid, name);
            bench_grid_number(&grid, figure->chunks, 0);
            bench_grid_number(&grid, figure->instructions, 1);
            bench_grid_number(&grid, figure->ns, 1);
            bench_grid_number(&grid, figure->refused_instructions, 0);
            bench_grid_number(&grid, figure->refused_ns, 0);
        }
    bench_grid_print(&grid);
}

static void put_target(
    const char *heap, const char *what, double bound, int decimals, double measured, bool smoke)
{
    char text[BENCH_GRID_TEXT];
    const char *verdict = measured <= bound ? "met" : "not met";
    snprintf(text, sizeof text, "%s: %s", heap, what);
    bench_grid_row(&grid, text);
    bench_grid_number(&grid, bound, decimals);
    bench_grid_number(&grid, measured, decimals);
    if (isnan(measured))
        verdict = "not measured";
    bench_grid_put(&grid, smoke ? "not judged" : verdict);
}

/* The targets are those of the heaps. */
static void print_verdicts(bool smoke)
{
    static const char *const head[] = { "target", "bound", "measured", "verdict" };
    char name[BENCH_GRID_TEXT];
    bench_grid_init(&grid, head, sizeof head / sizeof head[0]);
    for (size_t who = 0; who < subject_count && !subjects[who].plugin; who++)
        for (size_t i = 0; i < RUNS; i++) {
            const struct heap_figures *figure = &figures[who][i], *whole = &figures[who][0];
            name_heap(name, sizeof name, who, runs[i]);
            put_target(name, "refused, ns", refused_bound, 0, figure->refused_ns, smoke);
            if (i == 0)
                continue;
            put_target(name, "churn, instructions over one run's", churn_bound, 2,
                figure->instructions / whole->instructions, smoke);
            put_target(
                name, "churn, ns over one run's", churn_bound, 2, figure->ns / whole->ns, smoke);
        }
    printf("\n");
    bench_grid_print(&grid);
}

int main(int argc, char **argv)
{
    bool smoke = false;
    size_t rounds = ROUNDS;
    struct acre_text_list with = { .count = 0 };
    const struct acre_option table[] = {
        { "with", 0, ACRE_OPTION_LIST, "FILE",
            "measure the plugin FILE as well, with the free runs as\nregions where it adds memory "
            "(acre/plugin.h); may be\nrepeated",
            &with },
        { "plugin", 0, ACRE_OPTION_LIST, "FILE", "the same as --with", &with },
        { "smoke", 's', ACRE_OPTION_FLAG, NULL, "shortened, without valgrind: does it work at all?",
            &smoke },
        { "rounds", 'r', ACRE_OPTION_COUNT, "N",
            "rounds of timing, 1 to 64 (default: 5); instructions\nare counted once", &rounds },
        { .name = NULL },
    };
    const struct acre_usage usage = { "-bench-heap", "",
        "Measures the heap on 64 MiB of pages that are half free, in runs.", table, false };
    if (argc >= 6 && strcmp(argv[1], CHILD) == 0)
        return run_heap_child(argc, argv);
    enum acre_parsed parsed = acre_options_parse(&usage, &argc, argv);
    if (parsed != ACRE_PARSED_OK)
        return parsed == ACRE_PARSED_HELP ? EXIT_SUCCESS : ACRE_EXIT_USAGE;
    if (argc)
        return acre_usage_error(&usage, "unexpected argument '%s'", argv[0]);
    if (rounds > ROUNDS_MAX)
        return acre_usage_error(&usage, "--rounds: not a number from 1 to %d", ROUNDS_MAX);
    if (!add_heap_subjects(&with))
        return ACRE_EXIT_USAGE;
    if (!measure_heaps(smoke, smoke ? 1 : rounds))
        return EXIT_FAILURE;
    printf("The heap on 64 MiB of pages, half of them free; blocks of 200 bytes%s:\n\n",
        smoke ? " (shortened: no figure counts)" : "");
    print_figures();
    print_verdicts(smoke);
    return EXIT_SUCCESS;
}
