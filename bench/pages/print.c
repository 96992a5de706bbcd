/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pages.h"

#include "bench/grid.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct bench_grid grid;

static void print_single(const struct pages_result *results)
{
    const char *head[] = { "one page, ns", "0 %", "10 %", "50 %", "90 %", "99 %" };
    char name[BENCH_GRID_TEXT];
    bench_grid_init(&grid, head, sizeof head / sizeof head[0]);
    for (size_t who = 0; who < pages_backend_count; who++) {
        const struct pages_result *result = &results[who];
        const double *rows[] = { result->single_take, result->single_give, result->churn };
        static const char *const names[] = { "alloc", "dealloc", "churn" };
        for (int row = 0; row < 3; row++) {
            const double *ns = rows[row];
            snprintf(name, sizeof name, "%s, %s", pages_backends[who].name, names[row]);
            bench_grid_row(&grid, name);
            for (int i = 0; i < PAGES_OCCUPANCIES; i++)
                bench_grid_number(&grid, ns[i], 1);
        }
    }
    bench_grid_print(&grid);
}

static void print_counted(const struct pages_result *results)
{
    const char *head[] = { "a page freed, one allocated, instructions", "0 %", "10 %", "50 %",
        "90 %", "99 %" };
    printf("\n");
    bench_grid_init(&grid, head, sizeof head / sizeof head[0]);
    for (size_t who = 0; who < pages_backend_count; who++) {
        bench_grid_row(&grid, pages_backends[who].name);
        for (int i = 0; i < PAGES_OCCUPANCIES; i++)
            bench_grid_number(&grid, results[who].churn_counted[i], 1);
    }
    bench_grid_print(&grid);
}

static void print_runs(const struct pages_result *results)
{
    const char *head[] = { "runs, ns", "8 at 50 %, alloc", "dealloc", "none fits, 1 Mi", "16 Mi",
        "4096, alloc + dealloc" };
    printf("\n");
    bench_grid_init(&grid, head, sizeof head / sizeof head[0]);
    for (size_t who = 0; who < pages_backend_count; who++) {
        bench_grid_row(&grid, pages_backends[who].name);
        bench_grid_number(&grid, results[who].eight_take, 0);
        bench_grid_number(&grid, results[who].eight_give, 0);
        bench_grid_number(&grid, results[who].none_1m, 0);
        bench_grid_number(&grid, results[who].none_16m, 0);
        bench_grid_number(&grid, results[who].large_pair, 0);
    }
    bench_grid_print(&grid);
}

static void put_growth(const char *who, const char *what, const double *ns)
{
    char name[BENCH_GRID_TEXT];
    snprintf(name, sizeof name, "%s, %s", who, what);
    bench_grid_row(&grid, name);
    for (int i = 0; i < PAGES_SIZES; i++)
        bench_grid_number(&grid, ns[i], 1);
    bench_grid_number(&grid, pages_growth(ns), 2);
}

static void print_growth(const struct pages_result *results)
{
    const char *head[] = { "alloc + dealloc, ns, by pages", "2^10", "2^13", "2^16", "2^19", "2^22",
        "2^25", "2^28", "most / least" };
    printf("\n");
    bench_grid_init(&grid, head, sizeof head / sizeof head[0]);
    for (size_t who = 0; who < pages_backend_count; who++) {
        put_growth(pages_backends[who].name, "one", results[who].growth_single);
        put_growth(pages_backends[who].name, "eight", results[who].growth_eight);
        put_growth(pages_backends[who].name, "none fits", results[who].growth_none);
    }
    bench_grid_print(&grid);
}

static void print_conditions(const double *ns)
{
    const char *head[] = { "bitmap: 8 pages at 50 %, by condition", "alloc + dealloc, ns" };
    printf("\n");
    bench_grid_init(&grid, head, sizeof head / sizeof head[0]);
    for (int i = 0; i < PAGES_CONDITIONS; i++) {
        bench_grid_row(&grid, pages_condition_names[i]);
        bench_grid_number(&grid, ns[i], 0);
    }
    bench_grid_print(&grid);
}

/* ---- targets for the built-in bitmap, the first backend ---- */

struct target {
    const char *text;
    double bound, measured;
};

enum { TARGETS = 10 };

static double worst(const double *ns)
{
    double most = ns[0];
    for (int i = 1; i < PAGES_OCCUPANCIES; i++)
        most = fmax(most, ns[i]);
    return most;
}

static void find_targets(const struct pages_result *own, struct target *targets)
{
    const struct target all[TARGETS] = {
        { "one page, alloc, worst occupancy, ns", 8, worst(own->single_take) },
        { "one page, dealloc, worst occupancy, ns", 4, worst(own->single_give) },
        { "a page freed, one allocated, worst occupancy, ns", 12, worst(own->churn) },
        { "8 pages at 50 % occupancy, alloc, ns", 150, own->eight_take },
        { "64 to 4096 pages, none fits, 1 Mi pages, ns", 30, own->none_1m },
        { "64 to 4096 pages, none fits, 16 Mi pages, ns", 30, own->none_16m },
        { "4096 pages, empty map, alloc + dealloc, ns", 300, own->large_pair },
        { "one page, growth from 2^10 to 2^28 pages, times", 4, pages_growth(own->growth_single) },
        { "8 pages, growth, times", 4, pages_growth(own->growth_eight) },
        { "none fits, growth, times", 4, pages_growth(own->growth_none) },
    };
    for (int i = 0; i < TARGETS; i++)
        targets[i] = all[i];
}

static const char *verdict(const struct target *target)
{
    if (isnan(target->measured))
        return "not measured";
    return target->measured <= target->bound ? "met" : "not met";
}

static void print_targets(const struct pages_result *own)
{
    const char *head[] = { "target for bitmap", "bound", "measured", "verdict" };
    struct target targets[TARGETS];
    printf("\n");
    find_targets(own, targets);
    bench_grid_init(&grid, head, sizeof head / sizeof head[0]);
    for (int i = 0; i < TARGETS; i++) {
        bench_grid_row(&grid, targets[i].text);
        bench_grid_number(&grid, targets[i].bound, 0);
        bench_grid_number(&grid, targets[i].measured, 1);
        bench_grid_put(&grid, verdict(&targets[i]));
    }
    bench_grid_print(&grid);
}

void pages_print(const struct pages_result *results, const double *conditions,
    const struct pages_options *options)
{
    printf("page allocators: %u rounds, seed %llu%s\n\n", (unsigned)options->rounds,
        (unsigned long long)options->seed, options->smoke ? ", shortened: no figure counts" : "");
    print_single(results);
    print_counted(results);
    print_runs(results);
    print_growth(results);
    print_conditions(conditions);
    print_targets(&results[0]);
}

static cJSON *json_of(const struct pages_backend *who, const struct pages_result *result)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", who->name);
    cJSON_AddItemToObject(
        object, "single_alloc_ns", cJSON_CreateDoubleArray(result->single_take, PAGES_OCCUPANCIES));
    cJSON_AddItemToObject(object, "single_dealloc_ns",
        cJSON_CreateDoubleArray(result->single_give, PAGES_OCCUPANCIES));
    cJSON_AddItemToObject(
        object, "churn_ns", cJSON_CreateDoubleArray(result->churn, PAGES_OCCUPANCIES));
    cJSON_AddNumberToObject(object, "eight_alloc_ns", result->eight_take);
    cJSON_AddNumberToObject(object, "eight_dealloc_ns", result->eight_give);
    cJSON_AddNumberToObject(object, "none_fits_1mi_ns", result->none_1m);
    cJSON_AddNumberToObject(object, "none_fits_16mi_ns", result->none_16m);
    cJSON_AddNumberToObject(object, "4096_pair_ns", result->large_pair);
    cJSON_AddItemToObject(
        object, "growth_one_ns", cJSON_CreateDoubleArray(result->growth_single, PAGES_SIZES));
    cJSON_AddItemToObject(
        object, "growth_eight_ns", cJSON_CreateDoubleArray(result->growth_eight, PAGES_SIZES));
    cJSON_AddItemToObject(
        object, "growth_none_ns", cJSON_CreateDoubleArray(result->growth_none, PAGES_SIZES));
    return object;
}

bool pages_print_json(const struct pages_result *results, const double *conditions,
    const struct pages_options *options)
{
    cJSON *report = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(report, "backends");
    cJSON_AddNumberToObject(report, "rounds", (double)options->rounds);
    cJSON_AddNumberToObject(report, "seed", (double)options->seed);
    cJSON_AddBoolToObject(report, "smoke", options->smoke);
    for (size_t who = 0; who < pages_backend_count; who++)
        cJSON_AddItemToArray(list, json_of(&pages_backends[who], &results[who]));
    cJSON_AddItemToObject(
        report, "conditions_ns", cJSON_CreateDoubleArray(conditions, PAGES_CONDITIONS));
    char *text = cJSON_Print(report);
    cJSON_Delete(report);
    if (text != NULL)
        puts(text);
    free(text);
    return text != NULL;
}
