/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* acre-bench-regions: what a call costs with 1 to 512 separate regions, in instructions that
 * callgrind counts. The program runs itself under valgrind, once per backend and number. */
#include "regions.h"

#include "bench/callgrind.h"
#include "bench/grid.h"
#include "cli/options.h"
#include "registry/registry.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOGGLES = 40000, WARM_UP = 40000, SMOKE_REGIONS = 8, SMOKE_TOGGLES = 1000, SUBJECTS = 32 };

/* What the program tells itself to do: CHILD NAME REGIONS TOGGLES [FILE]. */
#define CHILD "toggle"

static const char *const names[] = { "tlsf", "tlsf-quick", "slab", "buddy", "heap/tlsf",
    "heap/slab" };
static const size_t counts[] = { 1, 8, 64, 512 };
enum { NAMES = sizeof names / sizeof names[0], COUNTS = sizeof counts / sizeof counts[0] };

static struct regions_subject subjects[SUBJECTS];
static size_t subject_count;

static bool add_subject(const struct regions_subject *subject)
{
    if (subject_count == SUBJECTS) {
        fprintf(stderr, "acre-bench-regions: too many plugins\n");
        return false;
    }
    subjects[subject_count++] = *subject;
    return true;
}

static bool add_subjects(const struct acre_text_list *plugins)
{
    for (size_t i = 0; i < NAMES; i++)
        if (acre_backend_find(names[i]))
            add_subject(&(struct regions_subject){ .name = names[i] });
    for (size_t i = 0; i < plugins->count; i++) {
        struct regions_subject subject;
        if (!regions_load(&subject, plugins->items[i]) || !add_subject(&subject))
            return false;
    }
    return true;
}

static int run_regions_child(int argc, char **argv)
{
    enum { NAME = 2, REGIONS, TIMES, PLUGIN };
    struct regions_subject subject = { .name = argv[NAME] };
    if (argc > PLUGIN && !regions_load(&subject, argv[PLUGIN]))
        return EXIT_FAILURE;
    bool good =
        regions_toggle(&subject, strtoul(argv[REGIONS], NULL, 10), strtoul(argv[TIMES], NULL, 10));
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int list_subjects(void)
{
    for (size_t i = 0; i < subject_count; i++)
        puts(subjects[i].name);
    return EXIT_SUCCESS;
}

static int smoke_regions(void)
{
    int bad = 0;
    for (size_t i = 0; i < subject_count; i++)
        bad += !regions_toggle(&subjects[i], SMOKE_REGIONS, SMOKE_TOGGLES);
    printf("acre-bench-regions: %zu backends, %d failed\n", subject_count, bad);
    return bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Instructions of all counted calls of so many toggles; -1: valgrind did not count. */
static double count_toggles(const struct regions_subject *subject, size_t regions, size_t toggles)
{
    char arguments[512];
    const char *path = subject->path ? subject->path : "";
    const char *quote = subject->path ? "'" : "";
    snprintf(arguments, sizeof arguments, CHILD " %s %zu %zu %s%s%s", subject->name, regions,
        toggles, quote, path, quote);
    return callgrind_count_self(REGIONS_COUNTED, arguments);
}

/* Instructions per call, those that a warmed-up allocator takes; no number: it was not counted. */
static double count_call(const struct regions_subject *subject, size_t regions)
{
    double before = count_toggles(subject, regions, WARM_UP);
    double all = before < 0 ? before : count_toggles(subject, regions, WARM_UP + TOGGLES);
    return all < 0 ? (double)NAN : (all - before) / TOGGLES;
}

/* The targets are those of the backends built in. */
static const char *judge_regions(
    const struct regions_subject *subject, double measured, double bound)
{
    if (subject->plugin)
        return "-";
    if (isnan(measured) || isnan(bound))
        return "not measured";
    return measured <= bound ? "met" : "not met";
}

static int count_subjects(void)
{
    static struct bench_grid grid;
    static const char *const head[] = { "backend", "1 region", "8", "64", "512",
        "bound, 1.5 times one region and 10", "verdict" };
    printf("Instructions per call, blocks of 64 to 512 bytes toggled at random in separate regions "
           "of 64 KiB:\n\n");
    bench_grid_init(&grid, head, sizeof head / sizeof head[0]);
    for (size_t i = 0; i < subject_count; i++) {
        double calls[COUNTS];
        bench_grid_row(&grid, subjects[i].name);
        for (size_t n = 0; n < COUNTS; n++) {
            calls[n] = count_call(&subjects[i], counts[n]);
            bench_grid_number(&grid, calls[n], 1);
        }
        double bound = 1.5 * calls[0] + 10;
        bench_grid_number(&grid, bound, 1);
        bench_grid_put(&grid, judge_regions(&subjects[i], calls[COUNTS - 1], bound));
    }
    bench_grid_print(&grid);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    bool smoke = false, list = false;
    struct acre_text_list with = { .count = 0 };
    const struct acre_option table[] = {
        { "with", 0, ACRE_OPTION_LIST, "FILE",
            "count the plugin FILE as well, which adds memory\n(acre/plugin.h); may be repeated",
            &with },
        { "plugin", 0, ACRE_OPTION_LIST, "FILE", "the same as --with", &with },
        { "smoke", 's', ACRE_OPTION_FLAG, NULL,
            "every backend once, without valgrind: does it work at\nall?", &smoke },
        { "list", 'l', ACRE_OPTION_FLAG, NULL, "list the backends", &list },
        { .name = NULL },
    };
    const struct acre_usage usage = { "-bench-regions", "",
        "Counts the instructions of a call with 1, 8, 64 and 512 separate regions.", table, false };
    if (argc > 4 && strcmp(argv[1], CHILD) == 0)
        return run_regions_child(argc, argv);
    enum acre_parsed parsed = acre_options_parse(&usage, &argc, argv);
    if (parsed != ACRE_PARSED_OK)
        return parsed == ACRE_PARSED_HELP ? EXIT_SUCCESS : ACRE_EXIT_USAGE;
    if (argc)
        return acre_usage_error(&usage, "unexpected argument '%s'", argv[0]);
    if (!add_subjects(&with))
        return ACRE_EXIT_USAGE;
    if (list)
        return list_subjects();
    return smoke ? smoke_regions() : count_subjects();
}
